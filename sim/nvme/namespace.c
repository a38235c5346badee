/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of namespaces: finding one, making and ending them, and their places on the medium. A
 * place is contiguous, the first that fits. Free places that are too small one by one are not
 * joined, so a namespace can be refused although the unallocated capacity would do.
 */
#include "nvme/namespace.h"

#include <stdlib.h>
#include <string.h>

#include "nvme/internal.h"

#define UNIT_LOG2 9u /* of media/store.h */

#define CHANGED_LIST_MAX 1024u

uint8_t lba_format_log2(enum lba_format format)
{
    return format == LBA_FORMAT_512 ? 9 : 12;
}

enum lba_format namespace_format(const struct namespace *ns)
{
    return ns->block_log2 == lba_format_log2(LBA_FORMAT_512) ? LBA_FORMAT_512 : LBA_FORMAT_4096;
}

void namespace_set_format(struct namespace *ns, uint8_t block_log2)
{
    ns->block_log2 = block_log2;
    ns->units_per_block_log2 = (uint8_t)(block_log2 - UNIT_LOG2);
    ns->blocks = ns->bytes >> block_log2;
}

void namespace_clear(struct namespace *ns, uint64_t at, uint64_t bytes)
{
    uint64_t unit = ns->first_unit + (at >> UNIT_LOG2);

    store_zero(ns->store, unit, bytes >> UNIT_LOG2);
    store_settle(ns->store, unit, bytes >> UNIT_LOG2, UINT64_MAX);
}

/* May namespaces lie at [at, at + bytes)? If not, *behind is the end of one that lies there. */
static bool is_free(const struct ctrl *ctrl, uint64_t at, uint64_t bytes, uint64_t *behind)
{
    for (uint32_t i = 0; i < ctrl->namespaces.count; i++) {
        const struct namespace *ns = &ctrl->namespaces.items[i];

        if (!ns->allocated || ns->media_at >= at + bytes || ns->media_at + ns->media_bytes <= at)
            continue;
        *behind = ns->media_at + ns->media_bytes;
        return false;
    }
    return true;
}

static bool find_place(const struct ctrl *ctrl, uint64_t bytes, uint64_t *place)
{
    uint64_t at = 0;

    while (bytes <= ctrl->namespaces.capacity && at <= ctrl->namespaces.capacity - bytes) {
        if (is_free(ctrl, at, bytes, &at)) {
            *place = at;
            return true;
        }
    }
    return false;
}

static void open_namespace(struct ctrl *ctrl, struct namespace *ns, uint64_t media_at,
                           uint64_t bytes, enum lba_format format)
{
    *ns = (struct namespace){
        .nsid = (uint32_t)(ns - ctrl->namespaces.items) + 1,
        .allocated = true,
        .changed = ns->changed,
        .bytes = bytes,
        .media_at = media_at,
        .media_bytes = namespace_media_bytes(&ctrl->params, bytes),
        .birth = ctrl->namespaces.births++,
        .store = ctrl->namespaces.store,
        .first_unit = media_at >> UNIT_LOG2,
    };
    namespace_set_format(ns, lba_format_log2(format));
}

uint16_t namespace_create(struct ctrl *ctrl, uint64_t bytes, enum lba_format format, bool shared,
                          uint32_t *nsid)
{
    uint64_t media_at;

    if (bytes > ctrl->namespaces.capacity ||
        !find_place(ctrl, namespace_media_bytes(&ctrl->params, bytes), &media_at))
        return STATUS_INSUFFICIENT_CAPACITY;
    for (uint32_t i = 0; i < ctrl->namespaces.count; i++) {
        struct namespace *ns = &ctrl->namespaces.items[i];

        if (ns->allocated)
            continue;
        open_namespace(ctrl, ns, media_at, bytes, format);
        ns->shared = shared;
        *nsid = ns->nsid;
        return STATUS_SUCCESS;
    }
    return STATUS_NSID_UNAVAILABLE;
}

void namespace_delete(struct ctrl *ctrl, struct namespace *ns)
{
    namespace_clear(ns, 0, ns->media_bytes);
    rangeset_free(&ns->uncorrectable);
    *ns = (struct namespace){.nsid = ns->nsid, .changed = ns->changed};
    features_namespace_reset(ctrl, ns->nsid);
    selftest_namespace_gone(ctrl, ns->nsid, false);
}

void namespace_attach(struct ctrl *ctrl, struct namespace *ns)
{
    ns->attached = ns->usable = true;
    namespace_has_changed(ctrl, ns);
}

/* An I/O command that is being worked on for this namespace. Those that wait to be decoded, and
 * those whose end is decided, are plain (command.h). */
static bool is_for(const struct command *cmd, uint32_t nsid)
{
    return cmd->in_use && cmd->sqid != 0 && cmd->nsid == nsid && cmd->kind != COMMAND_PLAIN;
}

bool namespace_is_busy(const struct ctrl *ctrl, uint32_t nsid)
{
    for (uint32_t i = 0; i < ctrl->pool.count; i++) {
        if (is_for(&ctrl->pool.commands[i], nsid))
            return true;
    }
    return false;
}

void namespace_detach(struct ctrl *ctrl, struct namespace *ns)
{
    ns->attached = ns->usable = false;
    for (uint32_t i = 0; i < ctrl->pool.count; i++) {
        if (is_for(&ctrl->pool.commands[i], ns->nsid))
            command_end_early(ctrl, &ctrl->pool.commands[i], STATUS_INVALID_FIELD);
    }
    namespace_has_changed(ctrl, ns);
}

void namespaces_init(struct ctrl *ctrl)
{
    struct namespace_spec specs[NAMESPACE_SPECS_MAX];
    struct namespaces *all = &ctrl->namespaces;
    uint64_t media_at = 0;
    uint32_t spec_count, at = 0;

    all->capacity = ctrl_params_capacity(&ctrl->params);
    all->store = store_create(all->capacity);
    all->count = (uint32_t)ctrl->params.namespaces_max;
    namespace_specs_read(&ctrl->params, specs, &spec_count); /* was checked */
    if (all->count == 0) {
        for (uint32_t i = 0; i < spec_count; i++)
            all->count += specs[i].times;
    }
    all->items = ctrl_allocate(all->count, sizeof *all->items);
    for (uint32_t i = 0; i < spec_count; i++) {
        for (uint32_t n = 0; n < specs[i].times; n++, at++) {
            struct namespace *ns = &all->items[at];

            open_namespace(ctrl, ns, media_at, specs[i].bytes, specs[i].format);
            ns->attached = ns->usable = true;
            media_at += ns->media_bytes;
        }
    }
    for (; at < all->count; at++)
        all->items[at].nsid = at + 1;
}

void namespaces_free(struct ctrl *ctrl)
{
    for (uint32_t i = 0; i < ctrl->namespaces.count; i++) {
        rangeset_free(&ctrl->namespaces.items[i].uncorrectable);
    }
    store_destroy(ctrl->namespaces.store);
    free(ctrl->namespaces.items);
}

uint64_t namespaces_unallocated(const struct ctrl *ctrl)
{
    uint64_t bytes = ctrl->namespaces.capacity;

    for (uint32_t i = 0; i < ctrl->namespaces.count; i++)
        bytes -= ctrl->namespaces.items[i].media_bytes;
    return bytes;
}

struct namespace *namespace_valid(const struct ctrl *ctrl, uint32_t nsid)
{
    return nsid - 1 < ctrl->namespaces.count ? &ctrl->namespaces.items[nsid - 1] : NULL;
}

uint16_t namespace_check_active(const struct ctrl *ctrl, uint32_t nsid)
{
    const struct namespace *ns = namespace_valid(ctrl, nsid);

    if (ns == NULL)
        return STATUS_INVALID_NAMESPACE;
    return ns->attached ? STATUS_SUCCESS : STATUS_INVALID_FIELD;
}

uint16_t namespace_missing(const struct ctrl *ctrl, uint32_t nsid)
{
    uint16_t status = namespace_check_active(ctrl, nsid);

    return status == STATUS_SUCCESS ? STATUS_FORMAT_IN_PROGRESS : status;
}

void namespace_has_changed(struct ctrl *ctrl, struct namespace *ns)
{
    ns->changed = true;
    async_notice(ctrl, EVENT_NOTICE_NAMESPACE_CHANGED, LOG_CHANGED_NAMESPACES);
}

void namespaces_changed_list(const struct ctrl *ctrl, uint8_t *page)
{
    uint32_t count = 0;

    memset(page, 0, CHANGED_LIST_BYTES);
    for (uint32_t i = 0; i < ctrl->namespaces.count; i++) {
        if (!ctrl->namespaces.items[i].changed)
            continue;
        if (count == CHANGED_LIST_MAX) {
            memset(page, 0, CHANGED_LIST_BYTES);
            wire_put32(page, NSID_ALL);
            return;
        }
        wire_put32(page + 4 * count++, ctrl->namespaces.items[i].nsid);
    }
}

void namespaces_changed_forget(struct ctrl *ctrl)
{
    for (uint32_t i = 0; i < ctrl->namespaces.count; i++)
        ctrl->namespaces.items[i].changed = false;
}

void namespace_made_readable(struct namespace *ns, uint64_t first, uint64_t count)
{
    if (ns->uncorrectable.count == 0 || !rangeset_touches(&ns->uncorrectable, first, count, NULL))
        return;
    rangeset_remove(&ns->uncorrectable, first, count);
    store_settle(ns->store, namespace_unit(ns, first), count << ns->units_per_block_log2,
                 UINT64_MAX);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of the memory that commands use: rules D6 to D8, D11 and D12 (NVMe 1.4 sections 4.3, 4.4,
 * 7.2.1).
 */
#include "rules/judge.h"

#include <inttypes.h>

#define MAP_TO_DEVICE   0u /* directions of RECORD_MAP */
#define MAP_FROM_DEVICE 1u

struct data_state {
    bool up;
    bool forsaken;        /* the host has given up, and with it the buffers of what is under way */
    uint32_t allocations; /* since the controller runs */
};

static void judge_refused(struct rules *rules, const struct stream_record *r)
{
    rules_complain(rules, RULE_D6, WHERE_CPU(-1), "memory mapped for the device in that direction",
                   "the device %s %" PRIu64 " bytes at %" PRIx64 "h, which it may not reach",
                   r->a == 0 ? "reads" : "writes", r->c, r->b);
}

/* ---- D6: what is handed over lies in memory that is the device's to use ---- */

static bool block_allows(const struct picture_block *block, bool to_device)
{
    if (block->use == PICTURE_MAPPED + (to_device ? MAP_FROM_DEVICE : MAP_TO_DEVICE))
        return false;
    return to_device || (block->use != RECORD_MEMORY_SQ && block->use != RECORD_MEMORY_LIST);
}

/* Within the buffer that the caller has mapped for good. */
static bool is_registered(const struct picture_request *request, const struct picture_range *range)
{
    return request != NULL && request->registered && range->bus >= request->bus &&
           range->bus - request->bus + range->bytes <= request->bytes;
}

/* Of a registered buffer in pieces, and of a command that nobody has asked for, nothing is known.
 */
static bool is_known(const struct picture_command *command, const struct picture_request *request)
{
    return command->sqid == 0 ||
           (request != NULL && !request->vague && (!request->registered || request->bus != 0));
}

/* One block or mapping that holds the range, and may be used in this direction. */
static bool is_allowed(const struct picture *p, const struct picture_range *range, bool to_device)
{
    for (uint32_t i = 0; i < p->blocks_count; i++) {
        const struct picture_block *block = &p->blocks[i];
        if (range->bus >= block->bus && range->bytes <= block->bytes &&
            range->bus - block->bus <= block->bytes - range->bytes &&
            block_allows(block, to_device))
            return true;
    }
    return false;
}

/* Two commands at once, and one of them writes. Asked only where the first page is in use. */
static void judge_sharing(struct rules *rules, const struct picture_command *command,
                          const struct picture_range *range)
{
    struct picture *p = rules_picture(rules);
    uint32_t after = 0;
    const struct picture_command *other;
    while ((other = picture_touching(p, range->bus, range->bytes, &after)) != NULL) {
        if (other == command || other->state == COMMAND_POSTED ||
            (other->data.to_device && command->data.to_device))
            continue;
        rules_complain(rules, RULE_D8, WHERE_COMMAND(rules_cpu(rules), command),
                       "memory of its own while the device writes there",
                       "%" PRIu64 " bytes at %" PRIx64 "h are handed over, and an outstanding "
                       "command (CID %u) uses them",
                       range->bytes, range->bus, other->cid);
        return;
    }
}

static void data_rung(struct rules *rules, struct picture_sq *sq,
                      const struct picture_command *command)
{
    struct picture *p = rules_picture(rules);
    const struct picture_request *request = picture_request_of(p, command);
    (void)sq;
    if (!command->known || !command->data.known || !is_known(command, request))
        return;
    for (uint32_t i = 0; i < command->data.count; i++) {
        const struct picture_range *range = &command->data.ranges[i];
        bool data = !range->is_list;
        if (data && picture_page_is_busy(p, range->bus))
            judge_sharing(rules, command, range);
        if (data && is_registered(request, range))
            continue;
        if (is_allowed(p, range, range->is_list || command->data.to_device))
            continue;
        const struct picture_block *block = picture_holding(p, range->bus, range->bytes);
        if (block == NULL && picture_is_held(p, range->bus, range->bytes))
            continue; /* by several blocks, one behind the other */
        rules_complain(rules, RULE_D6, WHERE_COMMAND(rules_cpu(rules), command),
                       "memory mapped for the device in that direction",
                       "the command hands over %" PRIu64 " bytes at %" PRIx64 "h, which are %s",
                       range->bytes, range->bus,
                       block == NULL ? "neither mapped nor the driver's" : "for the other way");
        return;
    }
}

/* ---- D7, D8: hands off ---- */

static const struct picture_range *touched(const struct picture_command *command, uint64_t bus,
                                           uint64_t bytes)
{
    for (uint32_t i = 0; i < command->data.count; i++) {
        const struct picture_range *range = &command->data.ranges[i];
        if (bus < range->bus + range->bytes && range->bus < bus + bytes)
            return range;
    }
    return NULL;
}

/* What the device reads it is done with when it has posted the completion; what it writes the host
 * may have only when it has seen that. */
static bool judge_one(struct rules *rules, const struct stream_record *r,
                      const struct picture_command *command)
{
    const struct picture_range *range = touched(command, r->b, r->c);
    bool unmaps = r->kind == RECORD_UNMAP;
    bool reads = range != NULL && (range->is_list || command->data.to_device);
    if (range == NULL || (reads && !unmaps && command->state == COMMAND_POSTED))
        return false;
    rules_complain(rules,
                   !reads   ? RULE_D8
                   : unmaps ? RULE_D6
                            : RULE_D7,
                   WHERE_COMMAND(r->source, command), "hands off until the completion is seen",
                   "%" PRIu64 " bytes at %" PRIx64 "h of an outstanding command are %s", r->c, r->b,
                   unmaps ? "unmapped" : "stored to");
    return true;
}

/* The CPU's hands on the memory of a command in flight. Frees are Q8's. A buffer may be mapped
 * several times: the last one counts. */
static void judge_touch(struct rules *rules, const struct stream_record *r)
{
    struct picture *p = rules_picture(rules);
    uint32_t after = 0;
    const struct picture_command *command = picture_touching(p, r->b, r->c, &after);
    if (command == NULL || (r->kind == RECORD_UNMAP && picture_holders(p, r->b, r->c) > 1))
        return;
    while (command != NULL && !judge_one(rules, r, command))
        command = picture_touching(p, r->b, r->c, &after);
}

static void data_record(struct rules *rules, const struct stream_record *r)
{
    struct data_state *state = judge_state(rules, &judge_data);
    switch (r->kind) {
    case RECORD_REFUSED:
        judge_refused(rules, r);
        break;
    case RECORD_BROUGHT_UP:
        state->up = r->a == 0;
        break;
    case RECORD_FORSAKEN:
        state->forsaken = true;
        break;
    case RECORD_DMA_ALLOC:
        state->allocations += state->up;
        break;
    case RECORD_RESET:
        state->up = false; /* what is brought up anew may allocate anew */
        break;
    default:
        judge_touch(rules, r);
        break;
    }
}

/* Behind the CPU's back: stores that nobody has recorded show in the contents. */
static void data_posted(struct rules *rules, struct picture_cq *cq,
                        const struct picture_command *command, const uint8_t *cqe)
{
    (void)cq;
    if (command == NULL || !command->known || !command->data.known ||
        (CQE_STATUS(cqe) & CQE_STATUS_CODE) != 0)
        return;
    struct where where = WHERE_COMMAND(-1, command);
    if (rules_list_digest(rules, &command->data) != command->data.list_digest)
        rules_complain(rules, RULE_D7, where, "lists that stay as they are until the completion",
                       "a list of slot %u has changed since its doorbell", command->slot);
    else if (command->data.to_device &&
             rules_data_digest(rules, &command->data) != command->data_digest)
        rules_complain(rules, RULE_D7, where, "data that stays as it is until the completion",
                       "data of slot %u has changed since its doorbell", command->slot);
}

/* Mappings that nobody has given back. */
static uint32_t mappings_left(const struct picture *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->blocks_count; i++)
        count += p->blocks[i].use >= PICTURE_MAPPED;
    return count;
}

static void data_concluded(struct rules *rules)
{
    const struct data_state *state = judge_state(rules, &judge_data);
    uint32_t left = mappings_left(rules_picture(rules));
    if (left > 0 && !state->forsaken && rules_setup(rules)->performance)
        rules_complain(rules, RULE_D12, WHERE_CPU(-1), "none when the driver has stopped",
                       "%u buffers are still mapped for the device", left);
    if (state->allocations > 0 && rules_setup(rules)->performance)
        rules_complain(rules, RULE_D11, WHERE_CPU(-1), "none once the controller runs",
                       "%u allocations of DMA memory for %" PRIu64 " I/O commands",
                       state->allocations, rules_picture(rules)->ios);
}

const struct judge judge_data = {
    .id = JUDGE_DATA,
    .state_bytes = sizeof(struct data_state),
    .kinds = UINT64_C(1) << RECORD_REFUSED | UINT64_C(1) << RECORD_STORE |
             UINT64_C(1) << RECORD_UNMAP | UINT64_C(1) << RECORD_BROUGHT_UP |
             UINT64_C(1) << RECORD_DMA_ALLOC | UINT64_C(1) << RECORD_RESET |
             UINT64_C(1) << RECORD_FORSAKEN,
    .record = data_record,
    .rung = data_rung,
    .posted = data_posted,
    .concluded = data_concluded,
};

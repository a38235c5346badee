/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the pointers of an entry lead: PRPs (NVMe 1.4 section 4.3) and SGLs (4.4), read from memory
 * as the host has written it. What is wrong with them is for the judges; here they are followed as
 * far as that makes sense.
 */
#include "rules/internal.h"

#define PRP_BYTES     8u
#define SGL_BYTES     16u
#define SGL_DATA      0u /* descriptor types, figure 117 */
#define SGL_DISCARD   1u
#define SGL_SEGMENT   2u
#define SGL_LAST      3u
#define SEGMENTS_MAX  64u
#define IDENTIFY_DATA 4096u
#define RANGE_BYTES   16u /* of Dataset Management (6.7) */
#define MIX           UINT64_C(0x9e3779b97f4a7c15)

static void add_range(struct picture_data *data, uint64_t bus, uint64_t bytes, bool is_list)
{
    struct picture_range *last = data->count == 0 ? NULL : &data->ranges[data->count - 1];
    if (bytes == 0)
        return;
    if (last != NULL && last->is_list == is_list && last->bus + last->bytes == bus) {
        last->bytes += bytes;
        return;
    }
    data->ranges = picture_grow(data->ranges, &data->room, data->count + 1, sizeof *data->ranges);
    data->ranges[data->count++] = (struct picture_range){bus, bytes, is_list};
}

static void add_list(struct picture_data *data, uint64_t bus, uint64_t bytes)
{
    add_range(data, bus, bytes, true);
}

/* ---- how long and which way ---- */

static void io_length(const struct picture_controller *c, const uint8_t *sqe,
                      struct picture_data *data)
{
    uint32_t nsid = SQE_NSID(sqe);
    const struct picture_namespace *ns = nsid < PICTURE_NAMESPACES ? &c->namespaces[nsid] : NULL;
    uint8_t opcode = SQE_OPCODE(sqe);
    if (opcode == NVM_OP_DATASET) {
        data->bytes = ((SQE_CDW(sqe, 10) & 0xff) + 1) * RANGE_BYTES;
        data->to_device = true;
    }
    if (opcode != NVM_OP_READ && opcode != NVM_OP_WRITE && opcode != NVM_OP_COMPARE)
        return;
    data->to_device = opcode != NVM_OP_READ;
    if (ns == NULL || !ns->known) {
        data->known = false;
        return;
    }
    uint64_t block = ns->block_bytes + (ns->extended ? ns->metadata_bytes : 0u);
    data->bytes = SQE_NLB(sqe) * block;
}

static void admin_length(const uint8_t *sqe, struct picture_data *data)
{
    uint8_t opcode = SQE_OPCODE(sqe);
    if (opcode == ADMIN_IDENTIFY)
        data->bytes = IDENTIFY_DATA;
    else if (opcode == ADMIN_GET_LOG) /* NUMDU and NUMDL, 5.14 */
        data->bytes =
            (((uint64_t)(SQE_CDW(sqe, 11) & 0xffff) << 16 | SQE_CDW(sqe, 10) >> 16) + 1) * 4;
}

/* ---- PRPs ---- */

static void follow_list(const struct rules *rules, uint64_t list, uint64_t left, uint64_t page,
                        struct picture_data *data)
{
    while (left > 0) {
        uint64_t room = (page - list % page) / PRP_BYTES, wanted = (left + page - 1) / page;
        uint64_t count = wanted < room ? wanted : room;
        bool chains = wanted > room; /* then the last entry is a pointer to the next page */
        uint64_t next = 0;
        if (list % PRP_BYTES != 0 || count == 0) {
            data->known = false;
            return;
        }
        add_list(data, list, count * PRP_BYTES);
        for (uint64_t i = 0; i < count; i++) {
            uint8_t raw[PRP_BYTES];
            if (!rules_peek(rules, list + i * PRP_BYTES, raw, sizeof raw)) {
                data->known = false;
                return;
            }
            if (chains && i == count - 1) {
                next = spec_get64(raw);
                break;
            }
            uint64_t bytes = left < page ? left : page;
            add_range(data, spec_get64(raw), bytes, false);
            left -= bytes;
        }
        if (chains && (count == 1 || next == list)) { /* a list that never gets on */
            data->known = false;
            return;
        }
        list = next;
    }
}

static void follow_prps(const struct rules *rules, const uint8_t *sqe, struct picture_data *data)
{
    uint64_t page = CC_PAGE(rules->picture.controller.cc);
    uint64_t prp1 = SQE_PRP1(sqe), prp2 = SQE_PRP2(sqe);
    uint64_t first = page - prp1 % page;
    if (first > data->bytes)
        first = data->bytes;
    uint64_t left = data->bytes - first;
    add_range(data, prp1, first, false);
    if (left > page)
        follow_list(rules, prp2, left, page, data);
    else
        add_range(data, prp2, left, false);
}

/* ---- SGLs ---- */

static void follow_sgl(const struct rules *rules, const uint8_t *sqe, struct picture_data *data)
{
    uint8_t descriptor[SGL_BYTES];
    for (unsigned i = 0; i < SGL_BYTES; i++)
        descriptor[i] = sqe[24 + i];
    for (unsigned segments = 0; segments < SEGMENTS_MAX; segments++) {
        uint64_t bus = spec_get64(descriptor), bytes = spec_get32(descriptor + 8);
        unsigned type = descriptor[15] >> 4;
        if (type == SGL_DATA)
            add_range(data, bus, bytes, false);
        if (type != SGL_SEGMENT && type != SGL_LAST)
            return;
        if (bytes == 0 || bytes % SGL_BYTES != 0) {
            data->known = false;
            return;
        }
        add_list(data, bus, bytes);
        uint64_t count = bytes / SGL_BYTES;
        for (uint64_t k = 0; k < count; k++) {
            if (!rules_peek(rules, bus + k * SGL_BYTES, descriptor, SGL_BYTES)) {
                data->known = false;
                return;
            }
            unsigned inner = descriptor[15] >> 4;
            if (inner == SGL_DATA && (type == SGL_LAST || k < count - 1))
                add_range(data, spec_get64(descriptor), spec_get32(descriptor + 8), false);
        }
        if (type == SGL_LAST)
            return;
    }
    data->known = false;
}

void picture_follow(const struct rules *rules, uint32_t sqid, const uint8_t *sqe,
                    struct picture_data *data)
{
    *data = (struct picture_data){.ranges = data->ranges, .room = data->room, .known = true};
    if (sqid == 0)
        admin_length(sqe, data);
    else
        io_length(&rules->picture.controller, sqe, data);
    if (data->bytes == 0)
        return;
    if (SQE_PSDT(sqe) == 0)
        follow_prps(rules, sqe, data);
    else
        follow_sgl(rules, sqe, data);
    data->list_digest = rules_list_digest(rules, data);
}

static uint64_t digest_of(const struct rules *rules, const struct picture_data *data, bool lists)
{
    uint64_t digest = 0;
    for (uint32_t i = 0; i < data->count; i++) {
        const struct picture_range *range = &data->ranges[i];
        if (range->is_list == lists)
            digest = (digest ^ rules_digest(rules, range->bus, range->bytes)) * MIX;
    }
    return digest;
}

uint64_t rules_data_digest(const struct rules *rules, const struct picture_data *data)
{
    return digest_of(rules, data, false);
}

uint64_t rules_list_digest(const struct rules *rules, const struct picture_data *data)
{
    return digest_of(rules, data, true);
}

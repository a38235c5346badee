/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the pointers of an entry lead: PRPs (NVMe 1.4 section 4.3) and SGLs (4.4), read from memory
 * as the host has written it. They are followed as far as that makes sense, and the first flaw is
 * noted for the judges.
 */
#include <string.h>

#include "rules/internal.h"

#define PRP_BYTES     8u
#define PRP1_ALIGN    4u
#define PIECE_BYTES   4096u /* of a list, read at a time */
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

static void note_flaw(struct picture_data *data, enum picture_flaw flaw, uint64_t at,
                      uint64_t value)
{
    if (data->flaw != FLAW_NONE) /* the first one is told */
        return;
    data->flaw = flaw;
    data->flaw_at = (uint32_t)at;
    data->flaw_value = value;
}

/* ---- lists, a piece at a time ---- */

struct piece {
    uint8_t bytes[PIECE_BYTES];
};

static uint64_t add_digest(uint64_t digest, const uint8_t *bytes, size_t count)
{
    uint64_t word;
    for (size_t at = 0; at < count; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        digest = (digest ^ word) * MIX;
    }
    return digest;
}

/* The next bytes (a multiple of 8) of a list into the piece, and into the digest. */
static bool read_piece(const struct rules *rules, struct picture_data *data, uint64_t bus,
                       size_t bytes, struct piece *piece)
{
    if (!rules_peek(rules, bus, piece->bytes, bytes)) {
        data->known = false;
        return false;
    }
    add_range(data, bus, bytes, true);
    data->list_digest =
        add_digest(data->list_digest == 0 ? 1 : data->list_digest, piece->bytes, bytes);
    return true;
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

/* Entry number `at` of the command as a page of data. */
static void add_page(struct picture_data *data, uint64_t bus, uint64_t bytes, uint64_t page,
                     uint64_t at)
{
    const struct picture_range *last = data->count == 0 ? NULL : &data->ranges[data->count - 1];
    if (bus == 0)
        note_flaw(data, FLAW_PRP_ZERO, at, bus);
    else if (bus % page != 0)
        note_flaw(data, FLAW_PRP_OFFSET, at, bus);
    else if (!data->to_device && last != NULL && !last->is_list &&
             last->bus + last->bytes == bus + page && last->bytes >= page)
        note_flaw(data, FLAW_PRP_TWICE, at, bus);
    add_range(data, bus, bytes, false);
}

/* One list page's entries from `list` on. *at: number of the next entry. Returns how many bytes of
 * data are left, with the list's next page in *next. */
static uint64_t follow_list_page(const struct rules *rules, uint64_t list, uint64_t left,
                                 uint64_t page, struct picture_data *data, uint64_t *at,
                                 uint64_t *next)
{
    uint64_t room = (page - list % page) / PRP_BYTES, wanted = (left + page - 1) / page;
    uint64_t count = wanted < room ? wanted : room;
    struct piece piece;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t in_piece = i % (PIECE_BYTES / PRP_BYTES);
        uint64_t rest = (count - i) * PRP_BYTES;
        if (in_piece == 0 && !read_piece(rules, data, list + i * PRP_BYTES,
                                         rest < PIECE_BYTES ? rest : PIECE_BYTES, &piece))
            return left;
        uint64_t entry = spec_get64(piece.bytes + in_piece * PRP_BYTES);
        if (wanted > room && i == count - 1) { /* then the last one leads to the next page */
            *next = entry;
            if (entry == 0 || entry % page != 0 || entry == list - list % page)
                note_flaw(data, FLAW_LIST_CHAIN, *at, entry);
            return left;
        }
        uint64_t bytes = left < page ? left : page;
        add_page(data, entry, bytes, page, (*at)++);
        left -= bytes;
    }
    return left;
}

static void follow_list(const struct rules *rules, uint64_t list, uint64_t left, uint64_t page,
                        struct picture_data *data)
{
    uint64_t at = 1;
    if (list == 0)
        note_flaw(data, FLAW_PRP_ZERO, at, list);
    else if (list % PRP_BYTES != 0)
        note_flaw(data, FLAW_LIST_ALIGN, at, list);
    while (left > 0 && data->known) {
        uint64_t next = 0;
        data->known = list % PRP_BYTES == 0;
        if (!data->known)
            return;
        left = follow_list_page(rules, list, left, page, data, &at, &next);
        if (data->flaw == FLAW_LIST_CHAIN) /* perhaps it never gets on */
            data->known = false;
        list = next;
    }
}

static void follow_prps(const struct rules *rules, const uint8_t *sqe, struct picture_data *data)
{
    uint64_t page = CC_PAGE(rules->picture.controller.cc);
    uint64_t prp1 = SQE_PRP1(sqe), prp2 = SQE_PRP2(sqe);
    uint64_t first = page - (prp1 & (page - 1));
    if (first > data->bytes)
        first = data->bytes;
    uint64_t left = data->bytes - first;
    if (prp1 % PRP1_ALIGN != 0)
        note_flaw(data, FLAW_PRP1_ALIGN, 0, prp1);
    else if (prp1 == 0)
        note_flaw(data, FLAW_PRP_ZERO, 0, prp1);
    add_range(data, prp1, first, false);
    if (left > page)
        follow_list(rules, prp2, left, page, data);
    else if (left > 0)
        add_page(data, prp2, left, page, 1);
}

/* ---- SGLs ---- */

static bool has_offsets(const struct rules *rules)
{
    return (rules->picture.controller.sgls >> 20 & 1u) != 0; /* 5.15.2.2, SGLS */
}

/* A descriptor. leads_on: it has to be that of a segment. */
static void add_descriptor(const struct rules *rules, struct picture_data *data,
                           const uint8_t *descriptor, bool leads_on, uint64_t at)
{
    unsigned type = descriptor[15] >> 4, subtype = descriptor[15] & 0xf;
    uint64_t bus = spec_get64(descriptor), bytes = spec_get32(descriptor + 8);
    bool is_segment = type == SGL_SEGMENT || type == SGL_LAST;
    if ((!is_segment && type != SGL_DATA && type != SGL_DISCARD) || is_segment != leads_on ||
        (subtype != 0 && !(subtype == 1 && has_offsets(rules))))
        note_flaw(data, FLAW_SGL_TYPE, at, descriptor[15]);
    else if ((descriptor[12] | descriptor[13] | descriptor[14]) != 0)
        note_flaw(data, FLAW_SGL_RESERVED, at, spec_get32(descriptor + 12));
    else if (is_segment && (bytes == 0 || bytes % SGL_BYTES != 0))
        note_flaw(data, FLAW_SGL_LENGTH, at, bytes);
    else if (is_segment && bus % PRP_BYTES != 0)
        note_flaw(data, FLAW_SGL_ALIGN, at, bus);
    if (is_segment)
        return;
    data->described += bytes;
    if (type == SGL_DATA)
        add_range(data, bus, bytes, false);
}

/* The descriptors of the segment that `descriptor` describes; the last one is left in it. */
static void follow_segment(const struct rules *rules, struct picture_data *data,
                           uint8_t *descriptor, uint64_t *at)
{
    bool is_last = descriptor[15] >> 4 == SGL_LAST;
    uint64_t bus = spec_get64(descriptor), count = spec_get32(descriptor + 8) / SGL_BYTES;
    struct piece piece;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t in_piece = i % (PIECE_BYTES / SGL_BYTES), rest = (count - i) * SGL_BYTES;
        if (in_piece == 0 && !read_piece(rules, data, bus + i * SGL_BYTES,
                                         rest < PIECE_BYTES ? rest : PIECE_BYTES, &piece))
            return;
        memcpy(descriptor, piece.bytes + in_piece * SGL_BYTES, SGL_BYTES);
        add_descriptor(rules, data, descriptor, !is_last && i == count - 1, (*at)++);
    }
}

static void follow_sgl(const struct rules *rules, const uint8_t *sqe, struct picture_data *data)
{
    uint8_t descriptor[SGL_BYTES];
    uint64_t at = 0;
    memcpy(descriptor, sqe + 24, SGL_BYTES);
    unsigned type = descriptor[15] >> 4;
    add_descriptor(rules, data, descriptor, type == SGL_SEGMENT || type == SGL_LAST, at++);
    for (unsigned segments = 0; type == SGL_SEGMENT || type == SGL_LAST; segments++) {
        data->known = data->flaw == FLAW_NONE && segments < SEGMENTS_MAX;
        if (!data->known)
            return;
        follow_segment(rules, data, descriptor, &at);
        if (type == SGL_LAST || !data->known)
            return;
        type = descriptor[15] >> 4;
    }
}

static void read_length(const struct rules *rules, uint32_t sqid, const uint8_t *sqe,
                        struct picture_data *data)
{
    *data = (struct picture_data){.ranges = data->ranges, .room = data->room, .known = true};
    if (sqid == 0)
        admin_length(sqe, data);
    else
        io_length(&rules->picture.controller, sqe, data);
}

void picture_follow(const struct rules *rules, uint32_t sqid, const uint8_t *sqe,
                    struct picture_data *data)
{
    unsigned psdt = SQE_PSDT(sqe);
    read_length(rules, sqid, sqe, data);
    if (psdt == 3 || (psdt != 0 && sqid == 0)) /* 4.2, figure 104 */
        note_flaw(data, FLAW_PSDT, 0, psdt);
    if (data->bytes == 0)
        return;
    if (psdt == 0)
        follow_prps(rules, sqe, data);
    else
        follow_sgl(rules, sqe, data);
}

/* Two pages at most need no list (4.3): most entries, of which nothing more is wanted here. */
uint64_t picture_lists_of(struct rules *rules, uint32_t sqid, const uint8_t *sqe)
{
    struct picture_data *data = &rules->picture.scratch;
    uint64_t page = CC_PAGE(rules->picture.controller.cc);
    if (SQE_PSDT(sqe) == 0 && SQE_PRP2(sqe) == 0)
        return 0;
    read_length(rules, sqid, sqe, data);
    if (SQE_PSDT(sqe) == 0 && data->bytes <= 2 * page - (SQE_PRP1(sqe) & (page - 1)))
        return 0;
    picture_follow(rules, sqid, sqe, data);
    return data->list_digest;
}

uint64_t rules_list_digest(const struct rules *rules, const struct picture_data *data)
{
    uint64_t digest = 0;
    for (uint32_t i = 0; i < data->count && data->list_digest != 0; i++) {
        const struct picture_range *range = &data->ranges[i];
        struct piece piece;
        for (uint64_t at = 0; range->is_list && at < range->bytes; at += PIECE_BYTES) {
            uint64_t rest = range->bytes - at, bytes = rest < PIECE_BYTES ? rest : PIECE_BYTES;
            if (!rules_peek(rules, range->bus + at, piece.bytes, bytes))
                return 0;
            digest = add_digest(digest == 0 ? 1 : digest, piece.bytes, bytes);
        }
    }
    return digest;
}

uint64_t rules_data_digest(const struct rules *rules, const struct picture_data *data)
{
    uint64_t digest = 0;
    for (uint32_t i = 0; i < data->count; i++) {
        if (!data->ranges[i].is_list)
            digest =
                (digest ^ rules_digest(rules, data->ranges[i].bus, data->ranges[i].bytes)) * MIX;
    }
    return digest;
}

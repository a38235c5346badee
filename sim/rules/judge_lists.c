/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of data pointers: PRPs and SGLs as the host has written them, rules D1 to D5 and D10 (NVMe
 * 1.4 sections 4.3, 4.4). Where the picture only follows pointers, this is strict.
 */
#include "rules/judge.h"

#define PRP_BYTES    8u
#define SGL_BYTES    16u
#define SGL_DATA     0u
#define SGL_DISCARD  1u
#define SGL_SEGMENT  2u
#define SGL_LAST     3u
#define SEGMENTS_MAX 64u

struct lists_state {
    uint32_t left_over; /* commands with a PRP2 that they do not need */
};

static struct where at(struct rules *rules, const struct picture_command *command)
{
    return WHERE_COMMAND(rules_cpu(rules), command);
}

/* ---- PRP lists ---- */

struct walk {
    struct rules *rules;
    const struct picture_command *command;
    uint64_t page, left, last; /* bytes left; the data entry before */
};

/* False: it makes no sense to go on. */
static bool judge_entry(struct walk *walk, uint64_t list, uint64_t entry)
{
    struct where where = at(walk->rules, walk->command);
    if (entry == 0 || entry == walk->last) {
        rules_complain(walk->rules, RULE_D5, where, "one entry for each page",
                       "the list entry at %llxh is %s", (unsigned long long)list,
                       entry == 0 ? "0" : "the same as the one before");
        return false;
    }
    if (entry % walk->page != 0)
        rules_complain(walk->rules, RULE_D2, where, "page offset 0",
                       "the list entry at %llxh is %llxh", (unsigned long long)list,
                       (unsigned long long)entry);
    walk->last = entry;
    walk->left -= walk->left < walk->page ? walk->left : walk->page;
    return true;
}

/* The entries that lie in one page of the list. The address of the next page, or 0. */
static uint64_t judge_list_page(struct walk *walk, uint64_t list)
{
    uint64_t room = (walk->page - list % walk->page) / PRP_BYTES;
    uint64_t wanted = (walk->left + walk->page - 1) / walk->page;
    bool chains = wanted > room;
    uint64_t data = chains ? room - 1 : wanted;
    for (uint64_t i = 0; i < data + chains; i++, list += PRP_BYTES) {
        uint8_t raw[PRP_BYTES];
        if (!rules_peek(walk->rules, list, raw, sizeof raw))
            return 0; /* no memory that can be looked at: D6's affair */
        uint64_t entry = spec_get64(raw);
        if (i < data) {
            if (!judge_entry(walk, list, entry))
                return 0;
        } else if (entry == 0 || entry % PRP_BYTES != 0) {
            rules_complain(walk->rules, RULE_D4, at(walk->rules, walk->command),
                           "the next page of the list, where more entries are needed",
                           "the last entry of the list's page, at %llxh, is %llxh",
                           (unsigned long long)list, (unsigned long long)entry);
            return 0;
        } else {
            return entry;
        }
    }
    return 0;
}

static void judge_list(struct rules *rules, const struct picture_command *command, uint64_t list,
                       uint64_t left, uint64_t page)
{
    struct walk walk = {rules, command, page, left, SQE_PRP1(command->sqe)};
    if (list == 0 || list % PRP_BYTES != 0) {
        rules_complain(rules, list == 0 ? RULE_D5 : RULE_D4, at(rules, command),
                       "the address of a list, a multiple of 8",
                       "PRP2 is %llxh, and the transfer has %llu bytes behind its first page",
                       (unsigned long long)list, (unsigned long long)left);
        return;
    }
    while (list != 0 && walk.left > 0)
        list = judge_list_page(&walk, list);
}

static void judge_prps(struct rules *rules, const struct picture_command *command, uint64_t page)
{
    uint64_t prp1 = SQE_PRP1(command->sqe), prp2 = SQE_PRP2(command->sqe);
    uint64_t first = page - prp1 % page, bytes = command->data.bytes;
    if (prp1 % 4 != 0)
        rules_complain(rules, RULE_D1, at(rules, command), "a multiple of 4", "PRP1 is %llxh",
                       (unsigned long long)prp1);
    if (bytes <= first) {
        struct lists_state *state = judge_state(rules, &judge_lists);
        state->left_over += prp2 != 0;
    } else if (bytes - first > page) {
        judge_list(rules, command, prp2, bytes - first, page);
    } else if (prp2 == 0) {
        rules_complain(rules, RULE_D5, at(rules, command), "the address of the second page",
                       "PRP2 is 0, and the transfer has %llu bytes behind its first page",
                       (unsigned long long)(bytes - first));
    } else if (prp2 % page != 0) {
        rules_complain(rules, RULE_D2, at(rules, command), "page offset 0", "PRP2 is %llxh",
                       (unsigned long long)prp2);
    }
}

/* ---- SGLs ---- */

static bool type_is_legal(unsigned type)
{
    return type == SGL_DATA || type == SGL_DISCARD || type == SGL_SEGMENT || type == SGL_LAST;
}

/* Length of the data in one segment; *next: the descriptor that leads on, if any. */
static bool add_segment(struct rules *rules, uint64_t bus, uint64_t bytes, uint64_t *sum,
                        uint8_t next[SGL_BYTES])
{
    for (uint64_t i = 0; i < bytes / SGL_BYTES; i++) {
        if (!rules_peek(rules, bus + i * SGL_BYTES, next, SGL_BYTES))
            return false;
        unsigned type = next[15] >> 4;
        if (type == SGL_DATA || type == SGL_DISCARD)
            *sum += spec_get32(next + 8);
    }
    return true;
}

static void judge_sgl(struct rules *rules, const struct picture_command *command)
{
    uint8_t descriptor[SGL_BYTES];
    uint64_t sum = 0;
    for (unsigned i = 0; i < SGL_BYTES; i++)
        descriptor[i] = command->sqe[24 + i];
    for (unsigned segments = 0; segments < SEGMENTS_MAX; segments++) {
        unsigned type = descriptor[15] >> 4;
        uint64_t bytes = spec_get32(descriptor + 8);
        bool leads_on = type == SGL_SEGMENT || type == SGL_LAST;
        if (!type_is_legal(type) || (leads_on && (bytes == 0 || bytes % SGL_BYTES != 0))) {
            rules_complain(rules, RULE_D10, at(rules, command),
                           "a type that exists, segments of whole descriptors",
                           "descriptor type %xh with a length of %llu", type,
                           (unsigned long long)bytes);
            return;
        }
        if (segments == 0 && !leads_on)
            sum += bytes;
        if (!leads_on || !add_segment(rules, spec_get64(descriptor), bytes, &sum, descriptor))
            break;
        if (type == SGL_LAST)
            break;
    }
    if (sum != command->data.bytes)
        rules_complain(rules, RULE_D10, at(rules, command), "lengths that add up to the transfer",
                       "descriptors of %llu bytes for a transfer of %llu", (unsigned long long)sum,
                       (unsigned long long)command->data.bytes);
}

static bool judge_psdt(struct rules *rules, const struct picture_command *command)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    unsigned psdt = SQE_PSDT(command->sqe);
    bool supported = !c->identified || (c->sgls & 3u) != 0;
    if (psdt == 0 || (command->sqid != 0 && psdt != 3 && supported))
        return true;
    rules_complain(rules, RULE_D10, at(rules, command),
                   command->sqid == 0 ? "PRPs, PSDT 0" : "PRPs, or SGLs if SGLS says so",
                   "PSDT %u, SGLS is %xh", psdt, c->sgls);
    return false;
}

static void lists_rung(struct rules *rules, struct picture_sq *sq,
                       const struct picture_command *command)
{
    (void)sq;
    if (!command->known || !judge_psdt(rules, command) || command->data.bytes == 0)
        return;
    if (SQE_PSDT(command->sqe) == 0)
        judge_prps(rules, command, CC_PAGE(rules_picture(rules)->controller.cc));
    else
        judge_sgl(rules, command);
}

static void lists_concluded(struct rules *rules)
{
    const struct lists_state *state = judge_state(rules, &judge_lists);
    if (state->left_over > 0 && rules_setup(rules)->performance)
        rules_complain(rules, RULE_D3, WHERE_CPU(-1), "0 where no second pointer is needed",
                       "PRP2 was left over in %u commands", state->left_over);
}

const struct judge judge_lists = {
    .id = JUDGE_LISTS,
    .state_bytes = sizeof(struct lists_state),
    .rung = lists_rung,
    .concluded = lists_concluded,
};

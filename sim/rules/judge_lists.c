/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of data pointers: PRPs and SGLs as the host has written them, rules D1 to D5 and D10 (NVMe
 * 1.4 sections 4.2, 4.3, 4.4). The picture follows the pointers once (picture_data.c) and notes the
 * first flaw that shows in them alone; here it gets its rule, and what needs more is looked at: who
 * owns the memory, and what the controller has said that it can do.
 */
#include "rules/judge.h"

#include <inttypes.h>
#include <stdio.h>

#define SGLS_SUPPORTED(sgls) (((sgls)&3u) != 0)         /* 5.15.2.2, SGLS */
#define SGLS_LONGER(sgls)    (((sgls) >> 18 & 1u) != 0) /* may describe more than is moved */

struct lists_state {
    uint32_t left_over; /* commands with a PRP2 that they do not need */
};

struct verdict {
    enum rule_id rule;
    const char *allowed;
    const char *observed; /* takes the number of the entry or descriptor, and a value */
};

static const struct verdict verdicts[] = {
    [FLAW_PRP1_ALIGN] = {RULE_D1, "a multiple of 4", "PRP entry %" PRIu32 " is %" PRIx64 "h"},
    [FLAW_PRP_OFFSET] = {RULE_D2, "page offset 0", "PRP entry %" PRIu32 " is %" PRIx64 "h"},
    [FLAW_PRP_ZERO] = {RULE_D5, "an entry for each page",
                       "PRP entry %" PRIu32 " is needed, and is %" PRIx64 "h"},
    [FLAW_PRP_TWICE] = {RULE_D5, "a page of its own for each entry",
                        "PRP entry %" PRIu32 " is %" PRIx64 "h like the one before, in a transfer "
                        "to memory"},
    [FLAW_LIST_ALIGN] = {RULE_D4, "a list that begins at a multiple of 8",
                         "PRP entry %" PRIu32 " would lie in a list at %" PRIx64 "h"},
    [FLAW_LIST_CHAIN] = {RULE_D4,
                         "the page-aligned address of another list page, where more entries are "
                         "needed",
                         "before PRP entry %" PRIu32 " the last place of a list page holds %" PRIx64
                         "h"},
    [FLAW_PSDT] = {RULE_D10, "PSDT 0, or 1 and 2 for I/O commands",
                   "descriptor %" PRIu32 ": PSDT is %" PRIu64},
    [FLAW_SGL_TYPE] = {RULE_D10, "a type that exists, in its place",
                       "SGL descriptor %" PRIu32 " has type %" PRIx64 "h"},
    [FLAW_SGL_LENGTH] = {RULE_D10, "a segment of whole descriptors",
                         "SGL descriptor %" PRIu32 " is of a segment of %" PRIu64 " bytes"},
    [FLAW_SGL_ALIGN] = {RULE_D10, "a segment at a multiple of 8",
                        "SGL descriptor %" PRIu32 " is of a segment at %" PRIx64 "h"},
    [FLAW_SGL_RESERVED] = {RULE_D10, "0 in reserved bytes",
                           "SGL descriptor %" PRIu32 " has %" PRIx64 "h in its last dword"},
};

static void judge_flaw(struct rules *rules, const struct picture_command *command)
{
    const struct picture_data *data = &command->data;
    const struct verdict *verdict = &verdicts[data->flaw];
    char observed[160];
    snprintf(observed, sizeof observed, verdict->observed, data->flaw_at, data->flaw_value);
    rules_complain(rules, verdict->rule, WHERE_COMMAND(rules_cpu(rules), command), verdict->allowed,
                   "%s", observed);
}

/* ---- PRPs ---- */

static bool is_list_memory(const struct picture *p, uint64_t bus)
{
    const struct picture_block *block = picture_holding(p, bus, 1);
    return block != NULL && block->use == RECORD_MEMORY_LIST;
}

/* A chain where data should be, or data where the chain should be: what is in a list page's last
 * place looks the same, but belongs to another kind of memory. */
static void judge_owners(struct rules *rules, const struct picture_command *command)
{
    const struct picture *p = rules_picture(rules);
    struct where where = WHERE_COMMAND(rules_cpu(rules), command);
    for (uint32_t i = 0; i < command->data.count; i++) {
        const struct picture_range *range = &command->data.ranges[i];
        bool list = is_list_memory(p, range->bus);
        const struct picture_block *block = list ? NULL : picture_holding(p, range->bus, 1);
        if (!range->is_list && list) {
            rules_complain(rules, RULE_D4, where, "data pages, where no more entries are needed",
                           "the list page at %" PRIx64 "h is described as data", range->bus);
            return;
        }
        if (range->is_list && block != NULL &&
            (block->use == RECORD_MEMORY_BOUNCE || block->use >= PICTURE_MAPPED)) {
            rules_complain(rules, RULE_D4, where, "the next list page, where more are needed",
                           "the data page at %" PRIx64 "h is taken for a list", range->bus);
            return;
        }
    }
}

static void judge_unused(struct rules *rules, const struct picture_command *command)
{
    uint64_t page = CC_PAGE(rules_picture(rules)->controller.cc);
    uint64_t first = page - (SQE_PRP1(command->sqe) & (page - 1));
    if (command->data.bytes <= first && SQE_PRP2(command->sqe) != 0) {
        struct lists_state *state = judge_state(rules, &judge_lists);
        state->left_over++;
    }
}

/* ---- SGLs ---- */

static void judge_sgl(struct rules *rules, const struct picture_command *command)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    struct where where = WHERE_COMMAND(rules_cpu(rules), command);
    uint64_t wanted = command->data.bytes, described = command->data.described;
    if (c->identified && !SGLS_SUPPORTED(c->sgls))
        rules_complain(rules, RULE_D10, where, "PRPs, as SGLS says",
                       "PSDT %u, and SGLS is %" PRIx32 "h", SQE_PSDT(command->sqe), c->sgls);
    else if (command->data.known && wanted != 0 &&
             (described < wanted || (described > wanted && !SGLS_LONGER(c->sgls))))
        rules_complain(rules, RULE_D10, where, "lengths that add up to the transfer",
                       "descriptors of %" PRIu64 " bytes for a transfer of %" PRIu64, described,
                       wanted);
}

static void lists_rung(struct rules *rules, struct picture_sq *sq,
                       const struct picture_command *command)
{
    const struct picture_data *data = &command->data;
    (void)sq;
    if (!command->known)
        return;
    if (data->flaw != FLAW_NONE)
        judge_flaw(rules, command);
    else if (SQE_PSDT(command->sqe) != 0)
        judge_sgl(rules, command);
    else if (data->list_digest != 0)
        judge_owners(rules, command);
    else if (data->bytes != 0)
        judge_unused(rules, command);
}

static void lists_concluded(struct rules *rules)
{
    const struct lists_state *state = judge_state(rules, &judge_lists);
    if (state->left_over > 0 && rules_setup(rules)->performance)
        rules_complain(rules, RULE_D3, WHERE_CPU(-1), "0 where no second pointer is needed",
                       "PRP2 was left over in %" PRIu32 " commands", state->left_over);
}

const struct judge judge_lists = {
    .id = JUDGE_LISTS,
    .state_bytes = sizeof(struct lists_state),
    .rung = lists_rung,
    .concluded = lists_concluded,
};

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of the memory that commands use: rules D6 to D8 and D11 (NVMe 1.4 sections 4.3, 4.4,
 * 7.2.1).
 */
#include "rules/judge.h"

#include <inttypes.h>

struct data_state {
    bool up;
    uint32_t allocations; /* since the controller runs */
};

static void judge_refused(struct rules *rules, const struct stream_record *r)
{
    rules_complain(rules, RULE_D6, WHERE_CPU(-1), "memory mapped for the device in that direction",
                   "the device %s %" PRIu64 " bytes at %" PRIx64 "h, which it may not reach",
                   r->a == 0 ? "reads" : "writes", r->c, r->b);
}

/* The CPU's hands on the memory of a command in flight. Frees are Q8's. */
static void judge_touch(struct rules *rules, const struct stream_record *r)
{
    struct picture *p = rules_picture(rules);
    uint32_t after = 0;
    const struct picture_command *command = picture_touching(p, r->b, r->c, &after);
    bool unmaps = r->kind == RECORD_UNMAP;
    if (command == NULL)
        return;
    if (command->data.to_device && !unmaps && command->state == COMMAND_POSTED)
        return; /* the device is done with it */
    rules_complain(rules, command->data.to_device ? RULE_D7 : RULE_D8,
                   WHERE_COMMAND(r->source, command), "hands off until the completion is seen",
                   "%" PRIu64 " bytes at %" PRIx64 "h of an outstanding command are %s", r->c, r->b,
                   unmaps ? "unmapped" : "stored to");
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

static void data_concluded(struct rules *rules)
{
    const struct data_state *state = judge_state(rules, &judge_data);
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
             UINT64_C(1) << RECORD_DMA_ALLOC | UINT64_C(1) << RECORD_RESET,
    .record = data_record,
    .posted = data_posted,
    .concluded = data_concluded,
};

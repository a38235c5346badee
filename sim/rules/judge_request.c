/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of requests, what callers asked for against what was done: rules C6, C10 and S14 to S16
 * (NVMe 1.4 sections 4.6, 6, 7.2.3). Where two requests ask for the same blocks, or too many are
 * under way, nothing can be said, and nothing is.
 */
#include "rules/judge.h"

#define FUA (1u << 30) /* dword 12 of Read and Write (6.9, 6.15) */

struct request_state {
    uint64_t strange; /* CPUs that have last seen an entry of nobody's: a bit each */
};

static uint64_t cpu_bit(uint32_t cpu)
{
    return UINT64_C(1) << cpu % PICTURE_CPUS;
}

/* ---- commands ---- */

static void request_rung(struct rules *rules, struct picture_sq *sq,
                         const struct picture_command *command)
{
    const uint8_t *sqe = command->sqe;
    struct where where = WHERE_COMMAND(rules_cpu(rules), command);
    if (sq->qid == 0 || !command->known)
        return;
    if (command->attributed == ATTRIBUTED_NOBODY) {
        rules_complain(rules, RULE_S16, where, "what a request has asked for",
                       "opcode %02xh, NSID %u, %u blocks from %llu on, and no request wants that",
                       SQE_OPCODE(sqe), SQE_NSID(sqe), SQE_NLB(sqe),
                       (unsigned long long)SQE_SLBA(sqe));
        return;
    }
    if (command->attributed != ATTRIBUTED)
        return;
    const struct picture_request *request =
        picture_find_request(rules_picture(rules), command->request);
    if (request == NULL || request->vague)
        return;
    if (request->rung_blocks > request->blocks && request->blocks != 0)
        rules_complain(rules, RULE_S16, where, "each block once",
                       "%llu blocks rung for a request of %u",
                       (unsigned long long)request->rung_blocks, request->blocks);
    else if (request->fua && SQE_OPCODE(sqe) == NVM_OP_WRITE && (SQE_CDW(sqe, 12) & FUA) == 0)
        rules_complain(rules, RULE_S16, where, "FUA set",
                       "the request asks for Force Unit Access, the command does not");
}

static void request_seen(struct rules *rules, struct picture_cq *cq,
                         const struct picture_command *command, const uint8_t *cqe)
{
    struct request_state *state = judge_state(rules, &judge_request);
    (void)cqe;
    if (command == NULL)
        state->strange |= cpu_bit(cq->seen_cpu);
    else
        state->strange &= ~cpu_bit(cq->seen_cpu);
}

/* ---- the end of a request ---- */

static void judge_success(struct rules *rules, const struct picture_request *request,
                          struct where where)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    bool has_blocks = request->op != RECORD_OP_FLUSH && request->blocks != 0 &&
                      request->op < RECORD_OP_DEALLOCATE;
    if (request->pending > 0)
        rules_complain(rules, RULE_C6, where, "after the completions of all its commands",
                       "a request has ended well with %u of its %u commands outstanding",
                       request->pending, request->commands);
    else if (request->op == RECORD_OP_FLUSH && request->done_commands == 0 && c->identified &&
             (c->vwc & 1u) != 0)
        rules_complain(rules, RULE_S14, where, "a Flush command that has completed",
                       "a flush has ended well, and no Flush was sent for it");
    else if (has_blocks && request->rung_blocks < request->blocks)
        rules_complain(rules, RULE_S16, where, "commands for all of its blocks",
                       "a request of %u blocks has ended well, and commands were sent for %llu",
                       request->blocks, (unsigned long long)request->rung_blocks);
    else if (has_blocks && request->done_blocks < request->blocks)
        rules_complain(rules, RULE_C6, where, "the status of its commands",
                       "a request has ended well, and a command of it has not");
}

static void judge_end(struct rules *rules, const struct stream_record *r)
{
    const struct request_state *state = judge_state(rules, &judge_request);
    struct picture *p = rules_picture(rules);
    const struct picture_request *request = picture_find_request(p, r->data);
    struct where where = WHERE_CPU(r->source);
    if (request == NULL) {
        if (p->requests_known)
            rules_complain(rules, RULE_C6, where, "once for each request",
                           "a request has ended that the driver does not have");
        return;
    }
    if (r->b == 1)
        rules_complain(rules, RULE_S15, where, "refused at once, or waiting",
                       "a request that was taken has ended for lack of room");
    if (r->a != 0)
        return;
    if ((state->strange & cpu_bit(r->source)) != 0)
        rules_complain(rules, RULE_C10, where, "nothing",
                       "a request has ended with an entry that answers no outstanding command");
    else if (!request->vague && p->raw_requests == 0 && request->op < RECORD_OP_RAW &&
             rules_attributes(p))
        judge_success(rules, request, where);
}

const struct judge judge_request = {
    .id = JUDGE_REQUEST,
    .state_bytes = sizeof(struct request_state),
    .kinds = UINT64_C(1) << RECORD_ENDED,
    .record = judge_end,
    .rung = request_rung,
    .seen = request_seen,
};

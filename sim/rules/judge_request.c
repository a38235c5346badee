/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of requests, what callers asked for against what was done: rules C6, C10 and S14 to S16
 * (NVMe 1.4 sections 4.6, 6, 7.2.3). Where two requests ask for the same blocks, or too many are
 * under way, nothing can be said, and nothing is.
 */
#include "rules/judge.h"

#define FUA (1u << 30) /* dword 12 of Read and Write (6.9, 6.15) */

struct request_state {
    uint64_t strange; /* CPUs that have seen an entry of nobody's: a bit each */
    uint32_t refused; /* requests that had an error for an answer where there was no room */
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
    const struct picture_request *request = picture_request_of(rules_picture(rules), command);
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
    else if (has_blocks && request->rung_blocks < request->blocks && !request->troubled)
        rules_complain(rules, RULE_S16, where, "commands for all of its blocks",
                       "a request of %u blocks has ended well, and commands were sent for %llu",
                       request->blocks, (unsigned long long)request->rung_blocks);
    else if (has_blocks && request->done_blocks < request->blocks)
        rules_complain(rules, RULE_C6, where, "the status of its commands",
                       "a request has ended well, and a command of it has not");
}

/* As many commands under way as there ever were. */
static bool is_full(const struct picture *p)
{
    for (uint32_t qid = 1; qid <= p->highest_qid; qid++) {
        const struct picture_sq *sq = p->sqs[qid];
        if (sq != NULL && sq->exists && sq->outstanding > 0 && sq->outstanding >= sq->peak)
            return true;
    }
    return false;
}

/* Nothing is wrong with this request, nor with the controller, but that there is no room. */
static bool is_crowded_out(const struct picture *p, const struct picture_request *request)
{
    const struct picture_controller *c = &p->controller;
    const struct picture_namespace *ns =
        request->nsid < PICTURE_NAMESPACES ? &c->namespaces[request->nsid] : NULL;
    return request->op <= RECORD_OP_WRITE && request->commands == 0 && ns != NULL && ns->known &&
           request->blocks != 0 && request->lba <= ns->blocks &&
           request->blocks <= ns->blocks - request->lba && request->bus % 4 == 0 &&
           CC_IS_ENABLED(c->cc) && CSTS_IS_READY(c->csts) && !CSTS_IS_FATAL(c->csts) &&
           !c->shutdown_begun && is_full(p);
}

static void judge_answer(struct rules *rules, const struct stream_record *r)
{
    struct request_state *state = judge_state(rules, &judge_request);
    struct picture *p = rules_picture(rules);
    const struct picture_request *request =
        r->a == 0 || r->b == 1 ? NULL : picture_find_request(p, r->data);
    if (request != NULL && is_crowded_out(p, request))
        state->refused++;
}

static void judge_end(struct rules *rules, const struct stream_record *r)
{
    struct request_state *state = judge_state(rules, &judge_request);
    struct picture *p = rules_picture(rules);
    const struct picture_request *request = picture_find_request(p, r->data);
    struct where where = WHERE_CPU(r->source);
    if (request == NULL) {
        if (p->requests_known)
            rules_complain(rules, RULE_C6, where, "once for each request",
                           "a request has ended that the driver does not have");
        return;
    }
    if (r->b == 1 || (r->a != 0 && r->c == 0 && !request->taken && is_crowded_out(p, request)))
        state->refused++;
    if (r->a != 0)
        return;
    if ((state->strange & cpu_bit(r->source)) != 0 && request->pending > 0 && !request->vague)
        rules_complain(rules, RULE_C10, where, "nothing",
                       "a request has ended with an entry that answers no outstanding command");
    else if (!request->vague && p->raw_requests == 0 && request->op < RECORD_OP_RAW &&
             rules_attributes(p))
        judge_success(rules, request, where);
}

/* Somebody waits for a request whose commands have all completed, or were never sent. */
static void judge_lost(struct rules *rules, const struct stream_record *r)
{
    const struct picture *p = rules_picture(rules);
    for (uint32_t i = 0; i < p->requests_top; i++) {
        const struct picture_request *request = &p->requests[i];
        if (request->identity == NULL || request->vague || request->pending > 0)
            continue;
        if (request->commands == 0 && request->taken)
            rules_complain(rules, RULE_C7, WHERE_CPU(r->source), "a command for each request",
                           "a request was taken, and no command of it was ever rung");
        else if (request->done_commands != 0 && request->done_blocks >= request->blocks)
            rules_complain(rules, RULE_C6, WHERE_CPU(r->source), "once for each request",
                           "all %u commands of a request have completed, and it has not ended",
                           request->commands);
        else
            continue;
        return;
    }
}

static void request_record(struct rules *rules, const struct stream_record *r)
{
    if (r->kind == RECORD_ENDED)
        judge_end(rules, r);
    else if (r->kind == RECORD_FORSAKEN)
        judge_lost(rules, r);
    else
        judge_answer(rules, r);
}

static void request_concluded(struct rules *rules)
{
    const struct request_state *state = judge_state(rules, &judge_request);
    if (state->refused > 0 && rules_setup(rules)->performance)
        rules_complain(rules, RULE_S15, WHERE_CPU(-1), "busy at once, or waiting",
                       "%u requests had an error for an answer where there was only no room",
                       state->refused);
}

const struct judge judge_request = {
    .id = JUDGE_REQUEST,
    .state_bytes = sizeof(struct request_state),
    .kinds = UINT64_C(1) << RECORD_ENDED | UINT64_C(1) << RECORD_SUBMITTED |
             UINT64_C(1) << RECORD_FORSAKEN,
    .record = request_record,
    .rung = request_rung,
    .seen = request_seen,
    .concluded = request_concluded,
};

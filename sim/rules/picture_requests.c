/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests that the driver core has taken from its callers, and which commands serve them; see
 * picture.h. A pool, found by identity and by first block through two tables of chains.
 */
#include <stdlib.h>

#include "rules/internal.h"

#define ATTRIBUTED_MOST 256u /* commands of more requests at a time are not looked up */

static uint32_t identity_chain(const void *identity)
{
    return (uint32_t)(((uintptr_t)identity >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) %
           PICTURE_CHAINS;
}

static uint32_t lba_chain(uint64_t lba)
{
    return (uint32_t)(lba * UINT64_C(0x9e3779b97f4a7c15) >> 32) % PICTURE_CHAINS;
}

struct picture_request *picture_find_request(struct picture *p, const void *identity)
{
    for (uint32_t i = p->by_identity[identity_chain(identity)]; i != 0;
         i = p->requests[i].next_identity) {
        if (p->requests[i].identity == identity)
            return &p->requests[i];
    }
    return NULL;
}

/* Index 0 is nobody's: it ends the chains. */
static uint32_t take_place(struct picture *p)
{
    uint32_t index = p->requests_free;
    if (index != 0) {
        p->requests_free = p->requests[index].next_identity;
        return index;
    }
    if (p->requests_count == 0)
        p->requests_count = 1;
    p->requests =
        picture_grow(p->requests, &p->requests_room, p->requests_count + 1, sizeof *p->requests);
    p->requests[0] = (struct picture_request){0};
    return p->requests_count++;
}

static void take_out(struct picture *p, struct picture_request *request)
{
    uint32_t index = (uint32_t)(request - p->requests);
    uint32_t *at = &p->by_identity[identity_chain(request->identity)];
    while (*at != index)
        at = &p->requests[*at].next_identity;
    *at = request->next_identity;
    at = &p->by_lba[lba_chain(request->lba)];
    while (*at != index)
        at = &p->requests[*at].next_lba;
    *at = request->next_lba;
    p->raw_requests -= request->op == RECORD_OP_RAW;
    request->identity = NULL;
    request->next_identity = p->requests_free;
    p->requests_free = index;
}

static void submit(struct picture *p, const struct stream_record *r)
{
    const struct record_submit *more = r->data;
    struct picture_request *old = picture_find_request(p, more->identity);
    if (old != NULL) /* the host has forgotten it, or uses it twice */
        take_out(p, old);
    uint32_t index = take_place(p);
    uint32_t *identities = &p->by_identity[identity_chain(more->identity)];
    uint32_t *lbas = &p->by_lba[lba_chain(more->lba)];
    p->requests[index] = (struct picture_request){.identity = more->identity,
                                                  .op = r->a,
                                                  .nsid = more->nsid,
                                                  .blocks = more->blocks,
                                                  .lba = more->lba,
                                                  .bus = r->b,
                                                  .bytes = r->c,
                                                  .registered = more->registered,
                                                  .fua = more->fua,
                                                  .cpu = r->source,
                                                  .submitted_ps = r->time_ps,
                                                  .next_identity = *identities,
                                                  .next_lba = *lbas};
    *identities = index;
    *lbas = index;
    p->requests_known = true;
    p->raw_requests += r->a == RECORD_OP_RAW;
}

void picture_request_record(struct picture *p, const struct stream_record *r)
{
    if (r->kind == RECORD_SUBMIT) {
        submit(p, r);
        return;
    }
    struct picture_request *request = picture_find_request(p, r->data);
    if (request == NULL)
        return;
    if (r->kind == RECORD_SUBMITTED && r->a == 0)
        request->taken = true;
    else
        take_out(p, request);
}

/* ---- commands of requests ---- */

static bool serves(const struct picture_request *request, const struct picture_command *command)
{
    static const uint8_t opcodes[] = {
        [RECORD_OP_READ] = NVM_OP_READ,         [RECORD_OP_WRITE] = NVM_OP_WRITE,
        [RECORD_OP_FLUSH] = NVM_OP_FLUSH,       [RECORD_OP_WRITE_ZEROES] = NVM_OP_WRITE_ZEROES,
        [RECORD_OP_COMPARE] = NVM_OP_COMPARE,   [RECORD_OP_VERIFY] = NVM_OP_VERIFY,
        [RECORD_OP_DEALLOCATE] = NVM_OP_DATASET};
    const uint8_t *sqe = command->sqe;
    if (request->identity == NULL || request->op >= RECORD_OP_RAW ||
        opcodes[request->op] != SQE_OPCODE(sqe))
        return false;
    if (request->op == RECORD_OP_FLUSH || request->op == RECORD_OP_DEALLOCATE)
        return request->pending == 0;
    return SQE_NSID(sqe) == request->nsid && SQE_SLBA(sqe) >= request->lba &&
           SQE_SLBA(sqe) - request->lba + SQE_NLB(sqe) <= request->blocks;
}

static uint32_t blocks_of(const struct picture_request *request,
                          const struct picture_command *command)
{
    return request->blocks == 0 ? 0 : SQE_NLB(command->sqe);
}

bool rules_attributes(const struct picture *p)
{
    return p->requests_known && p->requests_count <= ATTRIBUTED_MOST;
}

/* One more request that the command could be of. Of two, nothing can be said about either. */
static void add_candidate(struct picture_request **found, struct picture_request *request)
{
    if (*found != NULL)
        request->vague = (*found)->vague = true;
    *found = request;
}

/* Most commands begin where their request does; for the others all are looked at. */
static struct picture_request *find_served(struct picture *p, const struct picture_command *command)
{
    struct picture_request *found = NULL;
    uint64_t slba = SQE_SLBA(command->sqe);
    for (uint32_t i = p->by_lba[lba_chain(slba)]; i != 0; i = p->requests[i].next_lba) {
        if (p->requests[i].lba == slba && serves(&p->requests[i], command))
            add_candidate(&found, &p->requests[i]);
    }
    for (uint32_t i = 1; found == NULL && i < p->requests_count; i++) {
        if (!serves(&p->requests[i], command))
            continue;
        for (uint32_t k = i; k < p->requests_count; k++) {
            if (serves(&p->requests[k], command))
                add_candidate(&found, &p->requests[k]);
        }
    }
    return found;
}

void picture_attribute(struct picture *p, struct picture_command *command)
{
    command->attributed = ATTRIBUTED_NOT;
    if (!rules_attributes(p) || p->raw_requests != 0)
        return;
    struct picture_request *found = find_served(p, command);
    command->attributed = ATTRIBUTED_NOBODY;
    if (found == NULL)
        return;
    command->attributed = ATTRIBUTED;
    command->request = found->identity;
    found->pending++;
    found->commands++;
    found->rung_blocks += blocks_of(found, command);
}

/* Its end: well, or not (then it may be sent again). */
void picture_unattribute(struct picture *p, struct picture_command *command, bool well)
{
    struct picture_request *request =
        command->attributed == ATTRIBUTED ? picture_find_request(p, command->request) : NULL;
    command->attributed = ATTRIBUTED_NOT;
    if (request == NULL || request->pending == 0)
        return;
    request->pending--;
    if (well) {
        request->done_blocks += blocks_of(request, command);
        request->done_commands++;
    } else {
        request->rung_blocks -= blocks_of(request, command);
    }
}

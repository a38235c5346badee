/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests that the driver core has taken from its callers, and which commands serve them; see
 * picture.h. A table with linear probing, by identity.
 */
#include <stdlib.h>

#include "rules/internal.h"

#define ATTRIBUTED_MOST                                                                            \
    256u /* places of the table; commands of more requests are not looked up                       \
          */

static uint32_t place_of(const struct picture *p, const void *identity)
{
    return (uint32_t)(((uintptr_t)identity >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 40) &
           (p->requests_room - 1);
}

struct picture_request *picture_find_request(struct picture *p, const void *identity)
{
    if (p->requests_room == 0)
        return NULL;
    for (uint32_t at = place_of(p, identity); p->requests[at].identity != NULL;
         at = (at + 1) & (p->requests_room - 1)) {
        if (p->requests[at].identity == identity)
            return &p->requests[at];
    }
    return NULL;
}

static void put(struct picture *p, const struct picture_request *request)
{
    uint32_t at = place_of(p, request->identity);
    while (p->requests[at].identity != NULL && p->requests[at].identity != request->identity)
        at = (at + 1) & (p->requests_room - 1);
    if (p->requests[at].identity == NULL)
        p->requests_count++;
    p->requests[at] = *request;
}

static void enlarge(struct picture *p)
{
    struct picture_request *old = p->requests;
    uint32_t room = p->requests_room;
    p->requests_room = room == 0 ? 64 : 2 * room;
    p->requests_count = 0;
    p->requests = calloc(p->requests_room, sizeof *p->requests);
    if (p->requests == NULL)
        abort();
    for (uint32_t i = 0; i < room; i++) {
        if (old[i].identity != NULL)
            put(p, &old[i]);
    }
    free(old);
}

/* Those behind it move up, so that a search never meets a hole too early. */
static void take_out(struct picture *p, const struct picture_request *request)
{
    uint32_t mask = p->requests_room - 1, hole = (uint32_t)(request - p->requests);
    p->requests_count--;
    p->raw_requests -= request->op == RECORD_OP_RAW;
    p->requests[hole].identity = NULL;
    for (uint32_t at = (hole + 1) & mask; p->requests[at].identity != NULL; at = (at + 1) & mask) {
        uint32_t home = place_of(p, p->requests[at].identity);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        p->requests[hole] = p->requests[at];
        p->requests[at].identity = NULL;
        hole = at;
    }
}

static void submit(struct picture *p, const struct stream_record *r)
{
    const struct record_submit *more = r->data;
    if (2 * (p->requests_count + 1) > p->requests_room)
        enlarge(p);
    const struct picture_request request = {.identity = more->identity,
                                            .op = r->a,
                                            .nsid = more->nsid,
                                            .blocks = more->blocks,
                                            .lba = more->lba,
                                            .bus = r->b,
                                            .bytes = r->c,
                                            .registered = more->registered,
                                            .fua = more->fua,
                                            .cpu = r->source,
                                            .submitted_ps = r->time_ps};
    put(p, &request);
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

/* Two requests that the command could be of: nothing can be said about either. */
static void note_vague(struct picture_request *one, struct picture_request *other)
{
    one->vague = true;
    other->vague = true;
}

bool rules_attributes(const struct picture *p)
{
    return p->requests_known && p->requests_room <= ATTRIBUTED_MOST;
}

void picture_attribute(struct picture *p, struct picture_command *command)
{
    struct picture_request *found = NULL;
    command->attributed = ATTRIBUTED_NOT;
    if (!rules_attributes(p) || p->raw_requests != 0)
        return;
    command->attributed = ATTRIBUTED_NOBODY;
    for (uint32_t i = 0; i < p->requests_room; i++) {
        struct picture_request *request = &p->requests[i];
        if (!serves(request, command))
            continue;
        if (found != NULL)
            note_vague(found, request);
        found = request;
    }
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

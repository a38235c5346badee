/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The requests that callers have handed to the driver core, and which command is for which of them:
 * see picture.h. A command names its request nowhere, but what it asks of the controller does: the
 * commands of a request cover its blocks from the first to the last (NVMe 1.4 sections 6.6 to 6.9,
 * 6.14, 6.15, 6.17), so the one that is rung next begins where those before it have ended. A
 * request of which a command has failed, or over which the controller was reset, may begin anew.
 * Where two requests ask for the same and their buffers do not tell, they are called vague.
 */
#include "rules/internal.h"

#define MIX UINT64_C(0x9e3779b97f4a7c15)

static uint32_t identity_place(const void *identity)
{
    return (uint32_t)(((uintptr_t)identity >> 4) * MIX >> 40) % PICTURE_REQUEST_PLACES;
}

static uint32_t lba_place(uint32_t op, uint64_t lba)
{
    return (uint32_t)((lba + op) * MIX >> 40) % PICTURE_REQUEST_PLACES;
}

struct picture_request *picture_find_request(struct picture *p, const void *identity)
{
    if (p->requests_count == 0)
        return NULL;
    uint32_t i = p->requests_by_identity[identity_place(identity)];
    while (i != 0 && p->requests[i - 1].identity != identity)
        i = p->requests[i - 1].next_of_identity;
    return i == 0 ? NULL : &p->requests[i - 1];
}

struct picture_request *picture_request_of(struct picture *p, const struct picture_command *command)
{
    struct picture_request *request =
        command->attributed == ATTRIBUTED ? &p->requests[command->request] : NULL;
    return request != NULL && request->identity != NULL &&
                   request->generation == command->request_generation
               ? request
               : NULL;
}

bool rules_attributes(const struct picture *p)
{
    return p->requests_known;
}

/* One command for a flush; for a deallocation as many as its ranges take, which are not known. */
static bool has_no_blocks(uint32_t op)
{
    return op == RECORD_OP_FLUSH || op == RECORD_OP_DEALLOCATE;
}

/* ---- those that wait for a command: by operation and next block ---- */

static void await(struct picture *p, struct picture_request *request)
{
    uint32_t *place = &p->requests_by_lba[lba_place(request->op, request->next_lba)];
    request->next_of_lba = *place;
    *place = (uint32_t)(request - p->requests) + 1;
}

static void await_no_more(struct picture *p, const struct picture_request *request)
{
    uint32_t *place = &p->requests_by_lba[lba_place(request->op, request->next_lba)];
    while (*place != 0 && &p->requests[*place - 1] != request)
        place = &p->requests[*place - 1].next_of_lba;
    if (*place != 0)
        *place = request->next_of_lba;
}

/* ---- coming and going ---- */

static struct picture_request *new_request(struct picture *p)
{
    uint32_t i = p->requests_free;
    if (i == 0) {
        p->requests =
            picture_grow(p->requests, &p->requests_room, p->requests_top + 1, sizeof *p->requests);
        i = ++p->requests_top;
        p->requests[i - 1].generation = 0;
    } else {
        p->requests_free = p->requests[i - 1].next_of_identity;
    }
    p->requests_count++;
    return &p->requests[i - 1];
}

static void take_out(struct picture *p, struct picture_request *request)
{
    uint32_t index = (uint32_t)(request - p->requests) + 1;
    uint32_t *place = &p->requests_by_identity[identity_place(request->identity)];
    while (*place != index)
        place = &p->requests[*place - 1].next_of_identity;
    *place = request->next_of_identity;
    if (request->left != 0)
        await_no_more(p, request);
    if (request->vague && !has_no_blocks(request->op))
        p->vague_blocks += request->left; /* what it was to get another one has got */
    p->raw_requests -= request->op == RECORD_OP_RAW;
    request->identity = NULL;
    request->next_of_identity = p->requests_free;
    p->requests_free = index;
    p->requests_count--;
}

static void submit(struct picture *p, const struct stream_record *r)
{
    const struct record_submit *more = r->data;
    struct picture_request *request = picture_find_request(p, more->identity);
    if (request != NULL) /* handed in twice */
        take_out(p, request);
    request = new_request(p);
    uint32_t *place = &p->requests_by_identity[identity_place(more->identity)];
    *request = (struct picture_request){.identity = more->identity,
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
                                        .next_lba = more->lba,
                                        .left = more->blocks,
                                        .generation = request->generation + 1,
                                        .next_of_identity = *place};
    *place = (uint32_t)(request - p->requests) + 1;
    if (has_no_blocks(r->a)) {
        request->next_lba = 0;
        request->left = 1;
    }
    if (request->left != 0)
        await(p, request);
    p->raw_requests += r->a == RECORD_OP_RAW;
    p->requests_known = true;
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

/* ---- whose command it is ---- */

/* The operation of each opcode, plus 1; 0: none that a request asks for. */
static const uint8_t ops[] = {
    [NVM_OP_READ] = RECORD_OP_READ + 1,
    [NVM_OP_WRITE] = RECORD_OP_WRITE + 1,
    [NVM_OP_FLUSH] = RECORD_OP_FLUSH + 1,
    [NVM_OP_COMPARE] = RECORD_OP_COMPARE + 1,
    [NVM_OP_WRITE_ZEROES] = RECORD_OP_WRITE_ZEROES + 1,
    [NVM_OP_DATASET] = RECORD_OP_DEALLOCATE + 1,
    [NVM_OP_VERIFY] = RECORD_OP_VERIFY + 1,
};

/* What a command asks for, as a request would. */
struct wish {
    uint32_t op, nsid, blocks;
    uint64_t lba;
};

static bool read_wish(const uint8_t *sqe, struct wish *wish)
{
    uint8_t opcode = SQE_OPCODE(sqe);
    if (opcode >= sizeof ops || ops[opcode] == 0)
        return false;
    *wish = (struct wish){ops[opcode] - 1u, SQE_NSID(sqe), SQE_NLB(sqe), SQE_SLBA(sqe)};
    if (has_no_blocks(wish->op)) {
        wish->lba = 0;
        wish->blocks = 1;
    }
    return true;
}

static bool is_its_buffer(const struct picture_request *request, const struct picture_data *data)
{
    return request->bus != 0 && data->count != 0 && data->ranges[0].bus >= request->bus &&
           data->ranges[0].bus - request->bus < request->bytes;
}

static bool asks(const struct picture_request *request, const struct wish *wish)
{
    return request->op == wish->op && request->next_lba == wish->lba &&
           request->left >= wish->blocks &&
           (request->nsid == wish->nsid || wish->op == RECORD_OP_FLUSH);
}

/* The one that waits for it; of several that ask for the same, the one whose buffer it is. */
static struct picture_request *find_waiting(struct picture *p, const struct wish *wish,
                                            const struct picture_data *data)
{
    struct picture_request *found = NULL;
    bool sure = false;
    for (uint32_t i = p->requests_by_lba[lba_place(wish->op, wish->lba)]; i != 0;
         i = p->requests[i - 1].next_of_lba) {
        struct picture_request *request = &p->requests[i - 1];
        if (!asks(request, wish))
            continue;
        bool its = is_its_buffer(request, data);
        if (found != NULL && its == sure)
            found->vague = request->vague = true;
        if (found == NULL || (its && !sure))
            found = request;
        sure |= its;
    }
    return found;
}

/* One that may be sent again, from its beginning. */
static struct picture_request *find_troubled(struct picture *p, const struct wish *wish)
{
    for (uint32_t i = 0; i < p->requests_top; i++) {
        struct picture_request *request = &p->requests[i];
        if (request->identity == NULL || !request->troubled || request->op != wish->op)
            continue;
        if (has_no_blocks(wish->op) || (request->nsid == wish->nsid && wish->lba == request->lba &&
                                        wish->blocks <= request->blocks))
            return request;
    }
    return NULL;
}

static void begin_anew(struct picture *p, struct picture_request *request)
{
    if (request->left != 0)
        await_no_more(p, request);
    request->next_lba = has_no_blocks(request->op) ? 0 : request->lba;
    request->left = has_no_blocks(request->op) ? 1 : request->blocks;
    request->rung_blocks = request->done_blocks = 0;
    await(p, request);
}

static void move_on(struct picture *p, struct picture_request *request, uint32_t blocks)
{
    if (request->op == RECORD_OP_DEALLOCATE)
        return;
    await_no_more(p, request);
    request->next_lba += blocks;
    request->left -= blocks;
    if (request->left != 0)
        await(p, request);
}

void picture_attribute(struct picture *p, struct picture_command *command)
{
    struct picture_request *request;
    struct wish wish;
    command->attributed = ATTRIBUTED_NOT;
    if (!p->requests_known || p->raw_requests != 0 || !read_wish(command->sqe, &wish))
        return;
    request = find_waiting(p, &wish, &command->data);
    if (request == NULL) {
        request = find_troubled(p, &wish);
        if (request != NULL)
            begin_anew(p, request);
    }
    if (request == NULL && p->vague_blocks >= wish.blocks) {
        p->vague_blocks -= wish.blocks;
        return;
    }
    command->attributed = request == NULL ? ATTRIBUTED_NOBODY : ATTRIBUTED;
    if (request == NULL)
        return;
    command->request = (uint32_t)(request - p->requests);
    command->request_generation = request->generation;
    command->request_blocks = wish.blocks;
    request->pending++;
    request->commands++;
    request->rung_blocks += wish.blocks;
    move_on(p, request, wish.blocks);
}

/* Its end: well, or not (then it may be sent again). */
void picture_unattribute(struct picture *p, struct picture_command *command, bool well)
{
    struct picture_request *request = picture_request_of(p, command);
    uint32_t blocks = command->request_blocks;
    command->attributed = ATTRIBUTED_NOT;
    if (request == NULL || request->pending == 0)
        return;
    request->pending--;
    if (well) {
        request->done_blocks += blocks;
        request->done_commands++;
    } else {
        request->rung_blocks -= blocks < request->rung_blocks ? blocks : request->rung_blocks;
        request->troubled = true;
    }
}

/* A reset: whatever is on its way may be sent again. */
void picture_trouble(struct picture *p)
{
    for (uint32_t i = 0; i < p->requests_top; i++)
        p->requests[i].troubled = true;
}

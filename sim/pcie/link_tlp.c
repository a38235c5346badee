/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The link at detail tlp: an event per packet. Each direction has a queue per stream; whenever the
 * line is free, the next stream in turn whose first packet may go (it is ready, has its credits,
 * and, for a read request, a tag) sends one. A read is a transfer of requests up; each request that
 * has reached the host becomes, after the memory latency, a transfer of completions down. The host
 * answers requests in the order in which they come, one after the other.
 */
#include <assert.h>
#include <stdlib.h>

#include "pcie/link_private.h"

#define NONE           UINT32_MAX
#define FIRST_CAPACITY 64u
#define ANSWERS        0u /* the one stream of the host's completions */

static_assert(LINK_STREAMS == 64, "a bit of a uint64_t per stream");

enum transfer_kind { TRANSFER_WRITE, TRANSFER_REQUESTS, TRANSFER_ANSWER };

struct transfer {
    uint64_t ready_ps;
    uint64_t left;       /* bytes not yet sent, or not yet requested */
    uint64_t unanswered; /* REQUESTS: bytes that have not arrived */
    engine_fn *fn;
    void *ctx;
    uint64_t arg;
    uint32_t next;  /* in its queue, or in the free list */
    uint32_t of;    /* ANSWER: the transfer of requests */
    uint32_t bytes; /* ANSWER: all of it */
    uint8_t kind, stream;
};

struct queue {
    uint32_t first, last;
};

/* One direction's sender. */
struct sender {
    struct queue queue[LINK_STREAMS];
    uint64_t waiting; /* bit per stream whose queue is not empty */
    unsigned turn;    /* the stream that is asked first */
    engine_handle event;
    uint64_t event_ps;
};

struct link_tlp {
    struct link *link;
    struct engine *engine;
    struct sender sender[2];
    struct transfer *transfers;
    uint32_t capacity, free;
    uint64_t tags_used;
};

struct link_tlp *link_tlp_create(struct link *link, struct engine *engine)
{
    struct link_tlp *tlp = calloc(1, sizeof *tlp);

    if (tlp == NULL)
        abort();
    tlp->link = link;
    tlp->engine = engine;
    tlp->free = NONE;
    for (unsigned direction = 0; direction < 2; direction++)
        for (unsigned i = 0; i < LINK_STREAMS; i++)
            tlp->sender[direction].queue[i].first = NONE;
    return tlp;
}

void link_tlp_destroy(struct link_tlp *tlp)
{
    if (tlp == NULL)
        return;
    free(tlp->transfers);
    free(tlp);
}

static void grow(struct link_tlp *tlp)
{
    uint32_t capacity = tlp->capacity == 0 ? FIRST_CAPACITY : tlp->capacity * 2;
    struct transfer *bigger = realloc(tlp->transfers, capacity * sizeof *bigger);

    if (bigger == NULL)
        abort();
    for (uint32_t i = tlp->capacity; i < capacity; i++) {
        bigger[i].next = tlp->free;
        tlp->free = i;
    }
    tlp->transfers = bigger;
    tlp->capacity = capacity;
}

static uint32_t take(struct link_tlp *tlp)
{
    uint32_t index;

    if (tlp->free == NONE)
        grow(tlp);
    index = tlp->free;
    tlp->free = tlp->transfers[index].next;
    return index;
}

static void give_back(struct link_tlp *tlp, uint32_t index)
{
    tlp->transfers[index].next = tlp->free;
    tlp->free = index;
}

/* When the first packet of a transfer may go, as far as is known now. */
static uint64_t may_go(const struct link_tlp *tlp, enum link_direction direction,
                       const struct transfer *transfer, uint64_t now_ps)
{
    const struct link *link = tlp->link;
    uint64_t ready_ps = transfer->ready_ps > now_ps ? transfer->ready_ps : now_ps;
    uint64_t part = transfer->left;

    switch (transfer->kind) {
    case TRANSFER_REQUESTS:
        if (tlp->tags_used >= link->p.tags)
            return ENGINE_NEVER; /* the answer that frees one looks again */
        return link_credit_when(&link->credit[LINK_UP][LINK_NONPOSTED], ready_ps, 0);
    case TRANSFER_ANSWER:
        part = part < link->completion_bytes ? part : link->completion_bytes;
        return link_credit_when(&link->credit[LINK_DOWN][LINK_COMPLETION], ready_ps,
                                link_data_credits(part));
    default:
        part = part < link->p.max_payload ? part : link->p.max_payload;
        return link_credit_when(&link->credit[direction][LINK_POSTED], ready_ps,
                                link_data_credits(part));
    }
}

static void look(struct link_tlp *tlp, enum link_direction direction);

static void woken(void *ctx, uint64_t direction)
{
    struct link_tlp *tlp = ctx;

    tlp->sender[direction].event = 0;
    look(tlp, (enum link_direction)direction);
}

static void wake_at(struct link_tlp *tlp, enum link_direction direction, uint64_t time_ps)
{
    struct sender *sender = &tlp->sender[direction];

    if (sender->event != 0 && sender->event_ps <= time_ps)
        return;
    engine_cancel(tlp->engine, sender->event);
    sender->event_ps = time_ps;
    sender->event = engine_at(tlp->engine, time_ps, woken, tlp, direction);
}

/* Where a transfer goes in its stream: behind all that are ready as early. The first one may have
 * sent some of its packets; then it was ready before now, and nothing comes before it. */
static uint32_t *place_of(struct link_tlp *tlp, struct queue *queue, uint64_t ready_ps)
{
    uint32_t *place = &queue->first;

    if (*place != NONE && tlp->transfers[queue->last].ready_ps <= ready_ps)
        return &tlp->transfers[queue->last].next;
    while (*place != NONE && tlp->transfers[*place].ready_ps <= ready_ps)
        place = &tlp->transfers[*place].next;
    return place;
}

static void enqueue(struct link_tlp *tlp, enum link_direction direction, uint32_t index)
{
    struct sender *sender = &tlp->sender[direction];
    struct transfer *transfer = &tlp->transfers[index];
    struct queue *queue = &sender->queue[transfer->stream];
    uint64_t now_ps = engine_now(tlp->engine);
    uint32_t *place;

    if (transfer->ready_ps < now_ps)
        transfer->ready_ps = now_ps;
    place = place_of(tlp, queue, transfer->ready_ps);
    transfer->next = *place;
    *place = index;
    if (transfer->next == NONE)
        queue->last = index;
    sender->waiting |= UINT64_C(1) << transfer->stream;
    look(tlp, direction);
}

static void request_answered(void *ctx, uint64_t index)
{
    struct link_tlp *tlp = ctx;
    uint32_t read = tlp->transfers[index].of;
    struct transfer *transfer = &tlp->transfers[read];

    transfer->unanswered -= tlp->transfers[index].bytes;
    give_back(tlp, (uint32_t)index);
    tlp->tags_used--;
    if (transfer->unanswered == 0 && transfer->left == 0) {
        struct transfer done = *transfer;

        give_back(tlp, read);
        done.fn(done.ctx, done.arg);
    }
    look(tlp, LINK_UP);
}

static void answer_ready(void *ctx, uint64_t index)
{
    enqueue(ctx, LINK_DOWN, (uint32_t)index);
}

/* Send one packet of the transfer at the head of a stream; true if it was the last one. */
static bool send_packet(struct link_tlp *tlp, enum link_direction direction, uint32_t index)
{
    struct link *link = tlp->link;
    struct transfer *transfer = &tlp->transfers[index];
    uint64_t now_ps = engine_now(tlp->engine), sent, part;

    switch (transfer->kind) {
    case TRANSFER_REQUESTS: {
        uint32_t answer = take(tlp);

        transfer = &tlp->transfers[index]; /* take() may have moved them */
        part =
            transfer->left < link->p.max_read_request ? transfer->left : link->p.max_read_request;
        sent = link_send(link, direction, LINK_NONPOSTED, now_ps, now_ps, 0);
        tlp->tags_used++;
        tlp->transfers[answer] = (struct transfer){
            .left = part,
            .bytes = (uint32_t)part,
            .of = index,
            .kind = TRANSFER_ANSWER,
            .stream = ANSWERS,
        };
        engine_at(tlp->engine, sent + link->p.propagation + link->p.memory_latency, answer_ready,
                  tlp, answer);
        break;
    }
    case TRANSFER_ANSWER:
        part = transfer->left < link->completion_bytes ? transfer->left : link->completion_bytes;
        sent = link_send(link, direction, LINK_COMPLETION, now_ps, now_ps, part);
        if (part == transfer->left)
            engine_at(tlp->engine, sent + link->p.propagation, request_answered, tlp, index);
        break;
    default:
        part = transfer->left < link->p.max_payload ? transfer->left : link->p.max_payload;
        sent = link_send(link, direction, LINK_POSTED, now_ps, now_ps, part);
        if (part == transfer->left)
            engine_at(tlp->engine, sent + link->p.propagation, transfer->fn, transfer->ctx,
                      transfer->arg);
        break;
    }
    transfer->left -= part;
    return transfer->left == 0;
}

static void dequeue(struct link_tlp *tlp, struct sender *sender, struct queue *queue)
{
    uint32_t index = queue->first;

    queue->first = tlp->transfers[index].next;
    if (queue->first == NONE)
        sender->waiting &= ~(UINT64_C(1) << tlp->transfers[index].stream);
    /* The others are still awaited: by the answers of their requests, by an arrival. */
    if (tlp->transfers[index].kind == TRANSFER_WRITE)
        give_back(tlp, index);
}

/* Streams that have something to send, the one whose turn it is as bit 0. */
static uint64_t from_turn(const struct sender *sender)
{
    unsigned turn = sender->turn;

    return turn == 0 ? sender->waiting
                     : sender->waiting >> turn | sender->waiting << (LINK_STREAMS - turn);
}

/* Let the next stream that can send a packet; false, and the time at which one might, if none can.
 */
static bool serve(struct link_tlp *tlp, enum link_direction direction, uint64_t *earliest_ps)
{
    struct sender *sender = &tlp->sender[direction];
    uint64_t now_ps = engine_now(tlp->engine);

    *earliest_ps = ENGINE_NEVER;
    for (uint64_t left = from_turn(sender); left != 0; left &= left - 1) {
        unsigned stream = (sender->turn + (unsigned)__builtin_ctzll(left)) % LINK_STREAMS;
        struct queue *queue = &sender->queue[stream];
        uint64_t time_ps = may_go(tlp, direction, &tlp->transfers[queue->first], now_ps);

        if (time_ps <= now_ps) {
            sender->turn = (stream + 1) % LINK_STREAMS;
            if (send_packet(tlp, direction, queue->first))
                dequeue(tlp, sender, queue);
            return true;
        }
        if (time_ps < *earliest_ps)
            *earliest_ps = time_ps;
    }
    return false;
}

/* Send what can go now, and see to it that the next look comes in time. */
static void look(struct link_tlp *tlp, enum link_direction direction)
{
    const struct link_line *line = &tlp->link->line[direction];
    uint64_t now_ps = engine_now(tlp->engine), earliest_ps;

    while (tlp->sender[direction].waiting != 0) {
        if (line->free_ps > now_ps) {
            wake_at(tlp, direction, line->free_ps);
            return;
        }
        if (!serve(tlp, direction, &earliest_ps)) {
            if (earliest_ps != ENGINE_NEVER)
                wake_at(tlp, direction, earliest_ps);
            return;
        }
    }
}

void link_write_then(struct link *link, enum link_direction direction, unsigned stream,
                     uint64_t ready_ps, uint32_t bytes, engine_fn *fn, void *ctx, uint64_t arg)
{
    struct link_tlp *tlp = link->tlp;
    uint32_t index;

    if (tlp == NULL) {
        uint64_t now_ps = engine_now(link->engine);
        engine_at(link->engine, link_write_later(link, direction, now_ps, ready_ps, bytes), fn, ctx,
                  arg);
        return;
    }
    index = take(tlp);
    tlp->transfers[index] = (struct transfer){.ready_ps = ready_ps,
                                              .left = bytes,
                                              .fn = fn,
                                              .ctx = ctx,
                                              .arg = arg,
                                              .kind = TRANSFER_WRITE,
                                              .stream = (uint8_t)(stream % LINK_STREAMS)};
    enqueue(tlp, direction, index);
}

void link_read_then(struct link *link, unsigned stream, uint64_t ready_ps, uint32_t bytes,
                    engine_fn *fn, void *ctx, uint64_t arg)
{
    struct link_tlp *tlp = link->tlp;
    uint32_t index;

    if (tlp == NULL) {
        uint64_t now_ps = engine_now(link->engine);
        engine_at(link->engine, link_read_later(link, now_ps, ready_ps, bytes), fn, ctx, arg);
        return;
    }
    index = take(tlp);
    tlp->transfers[index] = (struct transfer){.ready_ps = ready_ps,
                                              .left = bytes,
                                              .unanswered = bytes,
                                              .fn = fn,
                                              .ctx = ctx,
                                              .arg = arg,
                                              .kind = TRANSFER_REQUESTS,
                                              .stream = (uint8_t)(stream % LINK_STREAMS)};
    enqueue(tlp, LINK_UP, index);
}

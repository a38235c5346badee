/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a device may do to its driver, one row of the table each: answers that are wrong in one way,
 * registers that lie or are gone, memory that it was given and scribbles on. An action takes place
 * where the program has it, or, armed, at the n-th operation of the platform from there
 * (driver_platform.c). See driver.h.
 */
#include "fuzz/driver.h"

#include <string.h>

typedef void action(struct hostile *h, const struct hostile_record *r);

/* Which held command an action is about: bit 7 of a for those of the admin queue. */
static struct hostile_command *chosen(struct hostile *h, const struct hostile_record *r)
{
    hostile_fetch(h);
    return hostile_held(h, r->a & 0x7F, (r->a & 0x80) != 0);
}

static void answer(struct hostile *h, const struct hostile_record *r)
{
    struct hostile_command *command = chosen(h, r);

    if (command)
        hostile_answer(h, command, 0);
}

static void answer_with_status(struct hostile *h, const struct hostile_record *r)
{
    struct hostile_command *command = chosen(h, r);

    if (command)
        hostile_answer(h, command, r->b & 0x7FFF);
}

/* An entry as an honest device would post it, but for what is given here; the command stays. */
static void post_for(struct hostile *h, const struct hostile_record *r, uint32_t head_off,
                     uint32_t queue_off, uint32_t cid_off, bool right_phase)
{
    struct hostile_command *command = chosen(h, r);
    uint32_t dw2;

    if (!command)
        return;
    dw2 = hostile_sqhd(h, command->qid);
    hostile_post(h, command->qid, r->c,
                 ((dw2 + head_off) & 0xFFFF) | (((dw2 >> 16) + queue_off) & 0xFFFF) << 16,
                 command->cid ^ (cid_off & 0xFFFF), right_phase);
}

static void wrong_cid(struct hostile *h, const struct hostile_record *r)
{
    post_for(h, r, 0, 0, r->b, true);
}

static void wrong_head(struct hostile *h, const struct hostile_record *r)
{
    post_for(h, r, r->b, 0, 0, true);
}

static void wrong_queue(struct hostile *h, const struct hostile_record *r)
{
    post_for(h, r, 0, r->b, 0, true);
}

static void wrong_phase(struct hostile *h, const struct hostile_record *r)
{
    post_for(h, r, 0, 0, 0, false);
}

/* Any entry at all on any queue. */
static void wild_entry(struct hostile *h, const struct hostile_record *r)
{
    unsigned qid = r->a % HOSTILE_QUEUES;

    hostile_post(h, qid, r->c, hostile_sqhd(h, qid), r->c, (r->b & 1) == 0);
}

/* The last entry once more: a duplicate, with the phase as it is due now. */
static void again(struct hostile *h, const struct hostile_record *r)
{
    unsigned qid = r->a % HOSTILE_QUEUES;
    const struct hostile_cq *cq = &h->cq[qid];
    uint32_t words[4];
    uint8_t *at;

    if (!cq->exists)
        return;
    if (!hostile_resolve(h, cq->bus + 16 * (cq->tail ? cq->tail - 1 : cq->size - 1), 16, false,
                         &at) ||
        !at)
        return;
    memcpy(words, at, sizeof words);
    hostile_post(h, qid, words[0], words[2], words[3], true);
}

/* The next entry goes elsewhere. */
static void move_tail(struct hostile *h, const struct hostile_record *r)
{
    struct hostile_cq *cq = &h->cq[r->a % HOSTILE_QUEUES];

    if (cq->exists)
        cq->tail = r->b % cq->size;
}

static void lose(struct hostile *h, const struct hostile_record *r)
{
    struct hostile_command *command = chosen(h, r);

    if (command)
        command->held = false;
}

/* The function is reset, or pulled out, and reads as all ones for so many reads of CSTS. */
static void gone(struct hostile *h, const struct hostile_record *r)
{
    hostile_disable(h);
    h->cc = 0;
    h->lost = true;
    h->gone = r->a == 0xFF ? UINT32_MAX : r->a + 1u;
}

static void fatal(struct hostile *h, const struct hostile_record *r)
{
    h->cfs = (r->a & 1) == 0;
}

static void ready_late(struct hostile *h, const struct hostile_record *r)
{
    h->ready_delay = r->b;
}

static void ready_stuck(struct hostile *h, const struct hostile_record *r)
{
    h->ready_stuck = r->b;
}

static void shutdown_stuck(struct hostile *h, const struct hostile_record *r)
{
    h->shut_stuck = (r->a & 1) == 0;
}

/* One byte of CAP, but never the stride of a running controller's doorbells. */
static void change_cap(struct hostile *h, const struct hostile_record *r)
{
    unsigned shift = 8 * (r->a % 8);

    if (h->cc & 1)
        return;
    h->cap = (h->cap & ~(UINT64_C(0xFF) << shift)) | (uint64_t)(r->b & 0xFF) << shift;
}

static void change_version(struct hostile *h, const struct hostile_record *r)
{
    h->vs = r->c;
}

static void change_grant(struct hostile *h, const struct hostile_record *r)
{
    h->grant = r->c;
}

static void mutate_page(struct hostile *h, const struct hostile_record *r)
{
    static const uint16_t pages[] = {NVME_CNS_NAMESPACE, NVME_CNS_CONTROLLER, NVME_CNS_ACTIVE_LIST,
                                     0x101, 0x104};

    if (h->mutation_count == HOSTILE_MUTATIONS)
        return;
    h->mutations[h->mutation_count].page = pages[r->a % (sizeof pages / sizeof pages[0])];
    h->mutations[h->mutation_count].at = r->b;
    h->mutations[h->mutation_count++].value = (uint8_t)r->c;
}

/* Memory that the device may write to. */
static void scribble(struct hostile *h, const struct hostile_record *r)
{
    struct hostile_block *block = h->blocks;
    uint32_t index = r->a;

    for (; block && index != 0; index--)
        block = block->next;
    if (!block || h->gone != 0 || !(h->cc & 1))
        return;
    /* A device has no business with these, and the core need not expect it. */
    if (block->use == NVME_DMA_SQ || block->use == NVME_DMA_LIST ||
        (h->shadow >= block->bus && h->shadow - block->bus < block->bytes))
        return;
    if (block->use == NVME_DMA_CQ)
        h->wild = true;
    for (unsigned i = 0; i < 4; i++)
        block->cpu[(r->b + i) % block->bytes] = (uint8_t)(r->c >> 8 * i);
}

static void event(struct hostile *h, const struct hostile_record *r)
{
    hostile_fetch(h);
    hostile_raise(h, r->c);
}

/* EventIdx of a doorbell (7.13). */
static void event_index(struct hostile *h, const struct hostile_record *r)
{
    uint8_t *at;

    if (h->event_index && hostile_resolve(h, h->event_index + r->b % 4096 / 4 * 4, 4, true, &at) &&
        at)
        memcpy(at, &r->c, sizeof r->c);
}

static void behave(struct hostile *h, const struct hostile_record *r)
{
    h->auto_admin = (r->a & 1) == 0;
    h->auto_io = (r->a & 2) == 0;
    h->backwards = (r->a & 4) != 0;
}

static void run(struct hostile *h, const struct hostile_record *r)
{
    (void)r;
    hostile_run_device(h);
}

static action *const actions[] = {
    answer,         answer_with_status,
    wrong_cid,      wrong_head,
    wrong_queue,    wrong_phase,
    wild_entry,     again,
    move_tail,      lose,
    gone,           fatal,
    ready_late,     ready_stuck,
    shutdown_stuck, change_cap,
    change_version, change_grant,
    mutate_page,    scribble,
    event,          event_index,
    behave,         run,
};
#define ACTIONS (sizeof actions / sizeof actions[0])

/* The device's half of the operations has codes from 80h on. */
bool hostile_do_device(struct hostile *h, const struct hostile_record *record)
{
    if (!(record->code & 0x80))
        return false;
    actions[(record->code & 0x7F) % ACTIONS](h, record);
    return true;
}

void hostile_honest(struct hostile *h)
{
    memset(h->armed, 0, sizeof h->armed);
    h->gone = h->ready_stuck = h->ready_delay = 0;
    h->shut_stuck = h->cfs = h->backwards = false;
    h->auto_admin = h->auto_io = true;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hostile host's accesses, bring-up and rings: what is done properly; see fuzz.h.
 */
#include "fuzz/fuzz.h"

#include <string.h>

bool fuzz_step(struct fuzz *fuzz)
{
    int happened = doorbell_step(fuzz->world);

    fuzz_check(fuzz, happened);
    if (++fuzz->events > FUZZ_EVENTS_MAX)
        fuzz_fail("%u events, and no end", FUZZ_EVENTS_MAX);
    return happened == 1;
}

void fuzz_write(struct fuzz *fuzz, uint64_t offset, unsigned size, uint64_t value, bool timed)
{
    if (size < 8)
        value &= (UINT64_C(1) << 8 * size) - 1;
    fuzz_register_written(fuzz, offset, size, value);
    fuzz_check(fuzz, timed ? doorbell_bar_write(fuzz->device, 0, offset, size, value)
                           : doorbell_bar_poke(fuzz->device, 0, offset, size, value));
}

uint64_t fuzz_read(struct fuzz *fuzz, uint64_t offset, unsigned size)
{
    uint64_t value;

    fuzz_check(fuzz, doorbell_bar_peek(fuzz->device, 0, offset, size, &value));
    return value;
}

void fuzz_config_write(struct fuzz *fuzz, unsigned offset, unsigned size, uint32_t value)
{
    fuzz_check(fuzz, doorbell_config_write(fuzz->device, offset, size, value));
}

/* At most 64 steps: a list of capabilities may not run in a circle. */
unsigned fuzz_capability(struct fuzz *fuzz, uint8_t id)
{
    uint32_t at, header;

    fuzz_check(fuzz, doorbell_config_read(fuzz->device, 0x34, 1, &at));
    for (unsigned i = 0; i < 64 && at != 0; i++) {
        fuzz_check(fuzz, doorbell_config_read(fuzz->device, at & 0xfc, 2, &header));
        if ((header & 0xff) == id)
            return at & 0xfc;
        at = header >> 8;
    }
    if (at != 0)
        fuzz_fail("the list of capabilities has no end");
    return 0;
}

bool fuzz_bring_up(struct fuzz *fuzz, unsigned admin_entries, unsigned mps, unsigned steps)
{
    fuzz_config_write(fuzz, 0x04, 2, 0x0006);
    fuzz->doorbell_stride = UINT64_C(4) << (fuzz_read(fuzz, 0, 8) >> 32 & 0xf);
    memset(fuzz->memory + FUZZ_CQ(0), 0, 0x1000);
    fuzz->queue[0] = (struct fuzz_queue){.size = admin_entries, .phase = true};
    fuzz_write(fuzz, 0x24, 4, (admin_entries - 1) << 16 | (admin_entries - 1), true);
    fuzz_write(fuzz, 0x28, 8, FUZZ_BUS + FUZZ_SQ(0), true);
    fuzz_write(fuzz, 0x30, 8, FUZZ_BUS + FUZZ_CQ(0), true);
    fuzz_write(fuzz, 0x14, 4, 0x00460001 | mps << 7, true);
    for (unsigned i = 0; (fuzz_read(fuzz, 0x1c, 4) & 0x3) != 0x1; i++) {
        if (i == steps || !fuzz_step(fuzz))
            return false;
    }
    return true;
}

uint32_t fuzz_entry(struct fuzz *fuzz, unsigned queue, uint8_t opcode)
{
    struct fuzz_queue *q = &fuzz->queue[queue];
    uint32_t at = FUZZ_SQ(queue) + q->tail % (q->size > 0 ? q->size : 1) * 64;

    memset(fuzz->memory + at, 0, 64);
    fuzz_put(fuzz, at, opcode, 1);
    fuzz_put(fuzz, at + 2, fuzz->next_cid++ % FUZZ_CIDS, 2);
    if (q->size > 0)
        q->tail = (q->tail + 1) % q->size;
    return at;
}

void fuzz_ring(struct fuzz *fuzz, unsigned queue)
{
    fuzz_write(fuzz, 0x1000 + 2 * queue * fuzz->doorbell_stride, 4, fuzz->queue[queue].tail, true);
}

bool fuzz_reap(struct fuzz *fuzz, unsigned queue, uint32_t *status)
{
    struct fuzz_queue *q = &fuzz->queue[queue];
    uint32_t field = (uint32_t)fuzz_get(fuzz, FUZZ_CQ(queue) + q->head * 16 + 14, 2);

    if (q->size == 0 || (field & 1) != q->phase)
        return false;
    *status = field >> 1;
    if (++q->head == q->size) {
        q->head = 0;
        q->phase = !q->phase;
    }
    fuzz_write(fuzz, 0x1000 + (2 * queue + 1) * fuzz->doorbell_stride, 4, q->head, true);
    return true;
}

void fuzz_put_create(struct fuzz *fuzz, unsigned queue)
{
    uint32_t size_and_id = (FUZZ_ENTRIES - 1) << 16 | queue;
    uint32_t entry = fuzz_entry(fuzz, 0, 0x05);

    memset(fuzz->memory + FUZZ_CQ(queue), 0, 0x1000);
    fuzz->queue[queue] = (struct fuzz_queue){.size = FUZZ_ENTRIES, .phase = true};
    fuzz_put(fuzz, entry + 24, FUZZ_BUS + FUZZ_CQ(queue), 8);
    fuzz_put(fuzz, entry + 40, size_and_id, 4);
    fuzz_put(fuzz, entry + 44, 3, 4); /* contiguous, interrupts on, vector 0 */
    entry = fuzz_entry(fuzz, 0, 0x01);
    fuzz_put(fuzz, entry + 24, FUZZ_BUS + FUZZ_SQ(queue), 8);
    fuzz_put(fuzz, entry + 40, size_and_id, 4);
    fuzz_put(fuzz, entry + 44, queue << 16 | 1, 4);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which slot, and with it which command identifier (NVMe 1.4 section 4.2), the next command gets.
 * Two designs, bound to a queue at init: the most recently freed slot, whose memory is warm, or the
 * lowest free one, as drivers with a linear scan do. Called by io.c and queue.c under the queue
 * lock. The LIFO pair is in internal.h, where the hot path inlines it, and so is the next
 * generation of an identifier.
 */
#include "internal.h"

#define CID_BITS 16u

/* More than there are slots, so that position slot_mask is nobody's: with generations its last
 * identifier would be FFFFh, which means "no command" in the Error Information log (5.14.1.1). */
static uint32_t index_bits(const struct nvme_config *config)
{
    uint32_t bits = 1;

    while (1u << bits <= config->slots)
        bits++;
    return bits;
}

uint32_t nvme_slots_length(const struct nvme_config *config)
{
    return 1u << index_bits(config);
}

/* Once. Nothing is armed; the first use of a slot is its generation 0. A reset does not begin
 * anew: entries from before it do not fit afterwards either. */
void nvme_slots_init(struct nvme_queue *queue)
{
    const struct nvme_config *config = &queue->nvme->config;
    uint32_t bits = index_bits(config);

    queue->slot_mask = (1u << bits) - 1;
    queue->cid_base = config->cid_base;
    if (config->cid_generation && bits < CID_BITS)
        queue->cid_step = CID_ONE << bits;
    queue->cid_arm = queue->cid_step + CID_ONE;
    for (uint32_t i = 0; i <= queue->slot_mask; i++)
        queue->slots[slot_position(queue, i)].expect =
            ((i + queue->cid_base) << NVME_SQE_CID_SHIFT) - queue->cid_arm;
}

/* ---- NVME_CID_LIFO: a stack ---- */

static void lifo_reset(struct nvme_queue *queue)
{
    /* Slot 0 on top: the first commands of a queue's life count upwards. */
    queue->free = NULL;
    for (uint32_t i = queue->slot_count; i-- > 0;)
        slot_push(queue, &queue->slots[slot_position(queue, i)]);
}

const struct nvme_slot_ops nvme_slots_lifo = {lifo_reset, slot_pop, slot_push};

/* ---- NVME_CID_LOWEST: a bitmap of free slots under a bitmap of words that have one ---- */

#define WORD_BITS  32u
#define WORD_SHIFT 5u

/* Index of the lowest set bit, by multiplication with a de Bruijn sequence: the compiler's own
 * count-trailing-zeros may be a library call (riscv64). */
static uint32_t lowest_bit(uint32_t word)
{
    static const uint8_t index[32] = {0,  1,  28, 2,  29, 14, 24, 3, 30, 22, 20, 15, 25, 17, 4,  8,
                                      31, 27, 13, 23, 21, 19, 16, 7, 26, 12, 18, 6,  11, 5,  10, 9};

    return index[((word & (0u - word)) * 0x077CB531u) >> 27];
}

static void lowest_reset(struct nvme_queue *queue)
{
    uint32_t words = (queue->slot_count + WORD_BITS - 1) >> WORD_SHIFT;
    uint32_t tops = (words + WORD_BITS - 1) >> WORD_SHIFT;

    memset(queue->free_map, 0, words * sizeof(uint32_t));
    memset(queue->free_map_top, 0, tops * sizeof(uint32_t));
    for (uint32_t i = 0; i < queue->slot_count; i++)
        queue->free_map[i >> WORD_SHIFT] |= 1u << (i & (WORD_BITS - 1));
    for (uint32_t i = 0; i < words; i++)
        queue->free_map_top[i >> WORD_SHIFT] |= 1u << (i & (WORD_BITS - 1));
    queue->free_map_words = words;
}

static struct nvme_slot *lowest_take(struct nvme_queue *queue)
{
    for (uint32_t top = 0; top << WORD_SHIFT < queue->free_map_words; top++) {
        uint32_t word, bit;

        if (queue->free_map_top[top] == 0)
            continue;
        word = (top << WORD_SHIFT) + lowest_bit(queue->free_map_top[top]);
        bit = lowest_bit(queue->free_map[word]);
        queue->free_map[word] &= ~(1u << bit);
        if (queue->free_map[word] == 0)
            queue->free_map_top[top] &= ~(1u << (word & (WORD_BITS - 1)));
        return &queue->slots[slot_position(queue, (word << WORD_SHIFT) + bit)];
    }
    return NULL;
}

static void lowest_give(struct nvme_queue *queue, struct nvme_slot *slot)
{
    uint32_t index = ((uint32_t)(slot - queue->slots) - queue->cid_base) & queue->slot_mask;
    uint32_t word = index >> WORD_SHIFT;

    queue->free_map[word] |= 1u << (index & (WORD_BITS - 1));
    queue->free_map_top[word >> WORD_SHIFT] |= 1u << (word & (WORD_BITS - 1));
}

const struct nvme_slot_ops nvme_slots_lowest = {lowest_reset, lowest_take, lowest_give};

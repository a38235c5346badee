/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dies and channels; see flash.h. A die's queues are looked at when something comes to it: then
 * whatever could have begun by now has begun.
 */
#include "media/flash.h"

#include <stdlib.h>
#include <string.h>

#include "engine/clock.h"
#include "media/memory.h"
#include "media/model.h"

#define QUEUE_FIRST 16u

struct flash_op {
    uint64_t ready_ps;
    uint64_t limit_ps; /* reads overtake it until then */
    uint64_t array_ps;
    uint64_t before_ps, after_ps; /* on the channel, before and after the array works */
};

void flash_geometry(struct flash_geometry *geometry, const struct media_params *params)
{
    geometry->channels = (uint32_t)params->nand_channels;
    geometry->dies = (uint32_t)(params->nand_channels * params->nand_ways * params->nand_dies);
    geometry->bits = (uint32_t)params->nand_cell + 1;
    geometry->page_units = (uint32_t)(params->nand_page_size / FLASH_UNIT_BYTES);
    geometry->group_pages =
        (uint32_t)(params->nand_planes * (params->nand_one_shot ? geometry->bits : 1));
    geometry->group_units = geometry->group_pages * geometry->page_units;
    geometry->rows = (uint32_t)(params->nand_one_shot ? params->nand_pages / geometry->bits
                                                      : params->nand_pages);
}

void flash_init(struct flash *flash, const struct media_params *params, uint64_t seed)
{
    memset(flash, 0, sizeof *flash);
    flash_geometry(&flash->geometry, params);
    flash->dies = media_allocate(flash->geometry.dies, sizeof *flash->dies);
    flash->channels = media_allocate(flash->geometry.channels, sizeof *flash->channels);
    flash->read_ps[0] = params->nand_read_first;
    flash->read_ps[1] = params->nand_read_second;
    flash->read_ps[2] = params->nand_read_third;
    flash->read_ps[3] = params->nand_read_fourth;
    flash->program_ps[0] =
        params->nand_one_shot ? params->nand_program : params->nand_program_first;
    flash->program_ps[1] = params->nand_program_second;
    flash->program_ps[2] = params->nand_program_third;
    flash->program_ps[3] = params->nand_program_fourth;
    flash->erase_ps = params->nand_erase;
    flash->command_ps = params->nand_command;
    flash->suspend_ps = params->nand_suspend_latency;
    flash->defer_ps = params->nand_defer;
    flash->unit_ps = clock_transfer_ps(FLASH_UNIT_BYTES, params->nand_channel_rate);
    flash->one_shot = params->nand_one_shot != 0;
    flash->cached = params->nand_cached != 0;
    flash->suspend = params->nand_suspend != 0;
    latency_parse(params->read_latency_table, &flash->read_table);
    rng_init(&flash->read_rng, seed, "nand read latency");
}

void flash_free(struct flash *flash)
{
    for (uint32_t i = 0; i < flash->geometry.dies; i++) {
        free(flash->dies[i].copies.ops);
        free(flash->dies[i].programs.ops);
    }
    free(flash->dies);
    free(flash->channels);
}

void flash_reset(struct flash *flash)
{
    for (uint32_t i = 0; i < flash->geometry.dies; i++) {
        struct flash_die *die = &flash->dies[i];

        die->copies.count = die->programs.count = 0;
        die->copies_ps = die->tail_ps = die->working_ps = die->reads_ps = flash->now_ps;
    }
    memset(flash->channels, 0, flash->geometry.channels * sizeof *flash->channels);
}

static struct flash_channel *channel_of(struct flash *flash, uint32_t die)
{
    return &flash->channels[die % flash->geometry.channels];
}

static uint64_t sense_ps(struct flash *flash, uint32_t bit)
{
    if (flash->read_table.count > 0)
        return latency_draw(&flash->read_table, &flash->read_rng);
    return flash->read_ps[bit];
}

/* ---- background ---- */

static void queue_push(struct flash_queue *queue, const struct flash_op *op)
{
    if (queue->count == queue->capacity) {
        uint32_t capacity = queue->capacity == 0 ? QUEUE_FIRST : 2 * queue->capacity;
        struct flash_op *ops = media_allocate(capacity, sizeof *ops);

        for (uint32_t i = 0; i < queue->count; i++)
            ops[i] = queue->ops[(queue->first + i) % queue->capacity];
        free(queue->ops);
        *queue = (struct flash_queue){ops, 0, queue->count, capacity};
    }
    queue->ops[(queue->first + queue->count) % queue->capacity] = *op;
    queue->count++;
}

static void queue_pop(struct flash_queue *queue)
{
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
}

/* When an operation ends that may begin at start_ps, for the die and (*data_ps) for whoever waits
 * for its data. With a cache register data comes in while the die is still at something else, and
 * goes out while it is at the next. */
static uint64_t work_through(const struct flash *flash, struct media_line *line,
                             const struct flash_op *op, uint64_t now_ps, uint64_t start_ps,
                             uint64_t *data_ps)
{
    uint64_t end_ps = start_ps;

    if (op->before_ps > 0)
        end_ps =
            media_later(start_ps, line_take(line, now_ps, flash->cached ? op->ready_ps : start_ps,
                                            op->before_ps));
    end_ps += op->array_ps;
    *data_ps = end_ps;
    if (op->after_ps > 0) {
        *data_ps = line_take(line, now_ps, end_ps, op->after_ps);
        if (!flash->cached)
            end_ps = *data_ps;
    }
    return end_ps;
}

/* Whatever could have begun by now has begun, and so will what has waited too long. */
static void begin_due(struct flash *flash, uint32_t number)
{
    struct flash_die *die = &flash->dies[number];

    while (die->copies.count + die->programs.count > 0) {
        uint64_t free_ps = media_later(die->working_ps, die->reads_ps);
        uint64_t copy_ps = UINT64_MAX, program_ps = UINT64_MAX, start_ps, data_ps;
        struct flash_queue *queue;
        const struct flash_op *op;

        if (die->copies.count > 0)
            copy_ps = media_later(free_ps, die->copies.ops[die->copies.first].ready_ps);
        if (die->programs.count > 0)
            program_ps = media_later(free_ps, die->programs.ops[die->programs.first].ready_ps);
        queue = copy_ps <= program_ps ? &die->copies : &die->programs;
        start_ps = copy_ps <= program_ps ? copy_ps : program_ps;
        op = &queue->ops[queue->first];
        if (start_ps > flash->now_ps && op->limit_ps > flash->now_ps)
            break;
        die->working_ps =
            work_through(flash, &channel_of(flash, number)->line, op,
                         start_ps < flash->now_ps ? start_ps : flash->now_ps, start_ps, &data_ps);
        /* A read is not worth suspending. */
        die->work_limit_ps = die->working_ps + (op->after_ps > 0 ? 0 : flash->defer_ps);
        queue_pop(queue);
    }
}

/* It goes before the programs that wait: what it takes comes on top of their promised end, for what
 * is promised from now on. */
uint64_t flash_copy_read(struct flash *flash, uint32_t number, uint32_t bit, uint32_t units,
                         uint64_t ready_ps)
{
    struct flash_die *die = &flash->dies[number];
    struct flash_op op = {.ready_ps = ready_ps,
                          .array_ps = sense_ps(flash, bit),
                          .after_ps = flash->command_ps + units * flash->unit_ps};
    uint64_t start_ps, data_ps;

    begin_due(flash, number);
    start_ps = media_later(media_later(die->working_ps, die->reads_ps),
                           media_later(die->copies_ps, ready_ps));
    op.limit_ps = start_ps + flash->defer_ps;
    die->copies_ps = work_through(flash, &channel_of(flash, number)->promised, &op, flash->now_ps,
                                  start_ps, &data_ps);
    die->tail_ps =
        die->tail_ps > start_ps ? die->tail_ps + (die->copies_ps - start_ps) : die->copies_ps;
    die->busy_ps += op.array_ps;
    queue_push(&die->copies, &op);
    return data_ps;
}

static uint64_t queue_work(struct flash *flash, uint32_t number, struct flash_op *op)
{
    struct flash_die *die = &flash->dies[number];
    uint64_t start_ps = media_later(die->tail_ps, op->ready_ps);
    uint64_t data_ps;

    /* Keep the queue short: nobody may have read from this die for long. */
    begin_due(flash, number);
    op->limit_ps = start_ps + flash->defer_ps;
    die->tail_ps = work_through(flash, &channel_of(flash, number)->promised, op, flash->now_ps,
                                start_ps, &data_ps);
    die->busy_ps += op->array_ps;
    queue_push(&die->programs, op);
    return data_ps;
}

static uint64_t program_ps(const struct flash *flash, uint32_t row)
{
    return flash->program_ps[flash->one_shot ? 0 : row % flash->geometry.bits];
}

static uint64_t program_data_ps(const struct flash *flash)
{
    return flash->geometry.group_pages * flash->command_ps +
           flash->geometry.group_units * flash->unit_ps;
}

uint64_t flash_program(struct flash *flash, uint32_t die, uint32_t row, uint64_t ready_ps)
{
    struct flash_op op = {.ready_ps = ready_ps,
                          .array_ps = program_ps(flash, row),
                          .before_ps = program_data_ps(flash)};

    return queue_work(flash, die, &op);
}

uint64_t flash_erase(struct flash *flash, uint32_t die, uint64_t ready_ps)
{
    struct flash_op op = {.ready_ps = ready_ps, .array_ps = flash->erase_ps};

    return queue_work(flash, die, &op);
}

uint64_t flash_program_most_ps(const struct flash *flash)
{
    uint64_t most_ps = 0;

    for (uint32_t bit = 0; bit < (flash->one_shot ? 1 : flash->geometry.bits); bit++)
        most_ps = media_later(most_ps, flash->program_ps[bit]);
    return most_ps + program_data_ps(flash);
}

/* ---- reads for the host ---- */

uint64_t flash_read(struct flash *flash, uint32_t number, uint32_t bit, uint32_t units,
                    uint64_t ready_ps, uint64_t *start_ps)
{
    struct flash_die *die = &flash->dies[number];
    struct flash_channel *channel = channel_of(flash, number);
    uint64_t array_ps = sense_ps(flash, bit);
    uint64_t data_ps = flash->command_ps + units * flash->unit_ps;
    uint64_t begin_ps, suspend_ps = 0, sensed_ps, end_ps, taken_ps;

    begin_due(flash, number);
    begin_ps = media_later(ready_ps, die->reads_ps);
    if (die->working_ps > begin_ps) {
        /* A die that reads already is suspended already. */
        suspend_ps = die->reads_ps > flash->now_ps ? 0 : flash->suspend_ps;
        if (flash->suspend &&
            die->working_ps + suspend_ps + array_ps + data_ps <= die->work_limit_ps) {
            begin_ps += suspend_ps;
            die->working_ps += suspend_ps + array_ps + (flash->cached ? 0 : data_ps);
        } else {
            suspend_ps = 0;
            begin_ps = die->working_ps;
        }
    }
    sensed_ps = begin_ps + array_ps;
    end_ps = line_take(&channel->line, flash->now_ps, sensed_ps, data_ps);
    die->reads_ps = flash->cached ? sensed_ps : end_ps;
    taken_ps = die->reads_ps - begin_ps + suspend_ps;
    /* What waits has to give way, and so will what is promised from now on. */
    die->tail_ps = die->tail_ps > flash->now_ps ? die->tail_ps + taken_ps : die->reads_ps;
    if (channel->promised.free_ps > flash->now_ps)
        channel->promised.free_ps += data_ps;
    die->busy_ps += array_ps;
    *start_ps = begin_ps;
    return end_ps;
}

uint64_t flash_read_again(struct flash *flash, uint32_t number, uint32_t units, uint64_t ready_ps,
                          uint64_t *start_ps)
{
    struct flash_die *die = &flash->dies[number];
    struct flash_channel *channel = channel_of(flash, number);
    uint64_t data_ps = flash->command_ps + units * flash->unit_ps;
    uint64_t begin_ps = media_later(ready_ps, die->reads_ps);
    uint64_t end_ps = line_take(&channel->line, flash->now_ps, begin_ps, data_ps);

    /* With a cache register the array does not notice. */
    if (!flash->cached) {
        die->reads_ps = end_ps;
        die->tail_ps = die->tail_ps > flash->now_ps ? die->tail_ps + (end_ps - begin_ps) : end_ps;
    }
    if (channel->promised.free_ps > flash->now_ps)
        channel->promised.free_ps += data_ps;
    *start_ps = begin_ps;
    return end_ps;
}

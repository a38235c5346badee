/* SPDX-License-Identifier: BSD-2-Clause
 * The host of the tests that lose power; see power_host.h. */
#include "unit/nvme/power_host.h"

#include <string.h>

#include "engine/rng.h"
#include "media/media.h"

enum {
    FLUSH = 0,
    WRITE = 1,
    READ = 2,
    WRITE_UNCORRECTABLE = 4,
    COMPARE = 5,
    WRITE_ZEROES = 8,
    DATASET_MANAGEMENT = 9
};

#define UNREADABLE UINT64_MAX /* as a version of a block */

#define FUA        (1u << 30)
#define DEALLOCATE (1u << 25)
#define BLOCKS     20u
#define SLOTS      4u /* operations under way */
#define HISTORY    400u
#define SLOT_BYTES 0x4000u

/* What a block has been, oldest first; 0 is zeroes. */
struct block {
    uint64_t was[HISTORY];
    unsigned count, acknowledged, durable; /* the last two: positions in `was` */
    bool busy;
};

struct operation {
    bool busy, durable, is_flush;
    unsigned first, count, commands;
    unsigned position[BLOCKS]; /* a write's, by block; a flush's: what it covers */
};

static struct rig rig;
static struct rig_params params;
static const struct power_medium *now;
static struct block blocks[BLOCKS];
static struct operation operations[SLOTS];
static struct rng rng;
static uint64_t value;
static bool is_shut_down;

static uint32_t block_bytes(void)
{
    return now->large ? 4096 : 512;
}

static void set_params(void)
{
    struct media_params *media = &params.media;

    rig_defaults(&params);
    params.ctrl.namespace_size = UINT64_C(4) << 20;
    params.ctrl.block_bytes = now->large;
    params.ctrl.vwc = !now->protected;
    media->kind = now->kind;
    media->capacitor = now->protected;
    media->write_latency = 20 * RIG_US;
    media->flush_latency = 10 * RIG_US;
    media->hop_latency = 15 * RIG_US;
    media->cache_flush_latency = 100 * RIG_US;
    media->nand_channels = media->nand_dies = 2;
    media->nand_ways = 1;
    media->nand_planes = now->small ? 1 : 2;
    media->nand_pages = 16;
    media->nand_page_size = 4096;
    media->nand_read_first = 40 * RIG_US;
    media->nand_program_first = 200 * RIG_US;
    media->nand_erase = RIG_MS;
    media->nand_channel_rate = UINT64_C(1024000000);
    media->nand_cached = 1;
    media->nand_defer = 5 * RIG_MS;
    media->buffer_size = (now->small ? 4 : 16) * 4096;
    media->buffer_latency = 2 * RIG_US;
    media->buffer_bandwidth = UINT64_C(1000000000);
    media->buffer_destage = now->watermark;
    media->buffer_high = 750000;
    media->buffer_low = 250000;
    media->ftl_over_provision = 250000;
    media->ftl_gc_low = 2;
    media->ftl_separate = 1;
    media->ftl_trim_latency = 5 * RIG_US;
    media->ftl_map_cache = now->small ? 4096 : 0;
    ck_assert_ptr_null(media_params_check(media, ctrl_params_capacity(&params.ctrl)));
    ck_assert_ptr_null(ctrl_media_params_check(&params.ctrl, media));
}

/* ---- contents ---- */

/* Each 512 bytes say which version they are, so that a torn block shows. */
static void fill(uint64_t bus, uint64_t what)
{
    memset(rig_at(&rig, bus), 0, block_bytes());
    for (uint32_t at = 0; what != 0 && at < block_bytes(); at += 512) {
        rig_put64(&rig, bus + at, what);
        *rig_at(&rig, bus + at + 511) = (uint8_t)what;
    }
}

static uint64_t stamp(uint64_t bus)
{
    uint64_t what;

    memcpy(&what, rig_at(&rig, bus), sizeof what); /* as rig_put64() left it, or zeroes */
    return what;
}

static bool is_whole(uint64_t bus, uint64_t what)
{
    static uint8_t found[4096];

    memcpy(found, rig_at(&rig, bus), block_bytes());
    fill(bus, 0);
    if (what != 0)
        fill(bus, what);
    return memcmp(found, rig_at(&rig, bus), block_bytes()) == 0;
}

/* ---- the host ---- */

static void open_queue(void)
{
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 32, 0);
    if (now->cache_off)
        ck_assert_uint_eq(rig_admin(&rig, 9, 0, 6, 0, NULL), 0);
}

void power_host_begin(const struct power_medium *medium)
{
    uint64_t first;

    now = medium;
    set_params();
    is_shut_down = false;
    rig_open(&rig, &params);
    media_track_loss(rig.media, ctrl_contents(rig.ctrl, 1, &first));
    open_queue();
    memset(blocks, 0, sizeof blocks);
    memset(operations, 0, sizeof operations);
    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i].count = 1;
    value = 0;
    rng_init(&rng, 7, "power loss");
}

static void remember(struct operation *operation, unsigned at, uint64_t what)
{
    struct block *block = &blocks[at];

    ck_assert_uint_lt(block->count, HISTORY);
    operation->position[at] = block->count;
    block->was[block->count++] = what;
    block->busy = true;
}

/* A range that no operation under way names; false if the first draw does not give one. */
static bool draw_range(struct operation *operation)
{
    unsigned most = now->large ? 2 : 8;

    operation->first = (unsigned)rng_below(&rng, BLOCKS);
    operation->count = 1 + (unsigned)rng_below(&rng, most);
    if (operation->first + operation->count > BLOCKS)
        return false;
    for (unsigned i = 0; i < operation->count; i++) {
        if (blocks[operation->first + i].busy)
            return false;
    }
    return true;
}

static void put_flush(struct operation *operation, struct rig_cmd *cmd)
{
    operation->is_flush = true;
    for (unsigned i = 0; i < BLOCKS; i++)
        operation->position[i] = blocks[i].acknowledged;
    cmd->opcode = FLUSH;
    rig_put(&rig, 1, cmd);
}

static void put_write(struct operation *operation, struct rig_cmd *cmd)
{
    cmd->opcode = WRITE;
    for (unsigned i = 0; i < operation->count; i++) {
        fill(cmd->prp1 + i * block_bytes(), ++value);
        remember(operation, operation->first + i, value);
    }
    rig_put(&rig, 1, cmd);
}

static bool is_readable(const struct operation *operation)
{
    for (unsigned i = operation->first; i < operation->first + operation->count; i++) {
        if (blocks[i].was[blocks[i].count - 1] == UNREADABLE)
            return false;
    }
    return true;
}

/* Compare what is there, and write: as one. */
static void put_fused(struct operation *operation, struct rig_cmd *cmd)
{
    uint64_t data = cmd->prp1;

    cmd->opcode = COMPARE;
    cmd->flags = 1;
    cmd->prp1 = data + SLOT_BYTES / 2;
    cmd->prp2 = cmd->prp1 + 0x1000;
    for (unsigned i = 0; i < operation->count; i++) {
        const struct block *block = &blocks[operation->first + i];

        fill(cmd->prp1 + i * block_bytes(), block->was[block->count - 1]);
    }
    rig_put(&rig, 1, cmd);
    cmd->flags = 2;
    cmd->prp1 = data;
    cmd->prp2 = data + 0x1000;
    operation->commands = 2;
    put_write(operation, cmd);
}

static void put_uncorrectable(struct operation *operation, struct rig_cmd *cmd)
{
    cmd->opcode = WRITE_UNCORRECTABLE;
    cmd->cdw12 &= ~FUA;
    for (unsigned i = 0; i < operation->count; i++)
        remember(operation, operation->first + i, UNREADABLE);
    rig_put(&rig, 1, cmd);
}

static void put_zeroes(struct operation *operation, struct rig_cmd *cmd)
{
    cmd->opcode = WRITE_ZEROES;
    cmd->cdw12 |= rng_below(&rng, 2) != 0 ? DEALLOCATE : 0;
    for (unsigned i = 0; i < operation->count; i++)
        remember(operation, operation->first + i, 0);
    rig_put(&rig, 1, cmd);
}

static void put_deallocate(struct operation *operation, struct rig_cmd *cmd)
{
    cmd->opcode = DATASET_MANAGEMENT;
    rig_put64(&rig, cmd->prp1, (uint64_t)operation->count << 32);
    rig_put64(&rig, cmd->prp1 + 8, operation->first);
    for (unsigned i = 0; i < operation->count; i++)
        remember(operation, operation->first + i, 0);
    cmd->cdw10 = 0;
    cmd->cdw11 = 4;
    cmd->cdw12 = 0;
    rig_put(&rig, 1, cmd);
}

static void submit(unsigned slot)
{
    struct operation *operation = &operations[slot];
    struct rig_cmd cmd = {.cid = (uint16_t)slot, .nsid = 1, .prp1 = RIG_DATA + slot * SLOT_BYTES};
    unsigned what = (unsigned)rng_below(&rng, 16);
    bool durable = now->cache_off || now->protected;

    *operation = (struct operation){.commands = 1};
    cmd.prp2 = cmd.prp1 + 0x1000;
    if (what == 0) {
        put_flush(operation, &cmd);
    } else if (!draw_range(operation)) {
        return;
    } else {
        cmd.cdw10 = operation->first;
        cmd.cdw12 = operation->count - 1;
        if (what == 1) {
            put_deallocate(operation, &cmd);
        } else if (what == 4) {
            put_uncorrectable(operation, &cmd);
        } else {
            bool fua = rng_below(&rng, 8) == 0;

            cmd.cdw12 |= fua ? FUA : 0;
            durable = durable || fua;
            if (what == 2)
                put_zeroes(operation, &cmd);
            else if (what == 3 && is_readable(operation))
                put_fused(operation, &cmd);
            else
                put_write(operation, &cmd);
        }
    }
    operation->durable = durable;
    operation->busy = true;
    rig_ring(&rig, 1);
}

static void raise_to(unsigned *position, unsigned to)
{
    if (*position < to)
        *position = to;
}

static void acknowledge(struct operation *operation)
{
    operation->busy = false;
    if (operation->is_flush) {
        for (unsigned i = 0; i < BLOCKS; i++)
            raise_to(&blocks[i].durable, operation->position[i]);
        return;
    }
    for (unsigned i = operation->first; i < operation->first + operation->count; i++) {
        blocks[i].busy = false;
        raise_to(&blocks[i].acknowledged, operation->position[i]);
        if (operation->durable)
            raise_to(&blocks[i].durable, operation->position[i]);
    }
}

static void poll_queue(void)
{
    struct rig_cqe cqe;

    while (rig_take(&rig, 1, &cqe)) {
        ck_assert_uint_lt(cqe.cid, SLOTS);
        ck_assert(operations[cqe.cid].busy);
        rig_ring_cq(&rig, 1);
        /* the second half had not been fetched when the shutdown began: it never is */
        if (is_shut_down && cqe.status == 0x00a)
            continue;
        ck_assert_uint_eq(cqe.status, 0);
        if (--operations[cqe.cid].commands == 0)
            acknowledge(&operations[cqe.cid]);
    }
}

/* ---- the loss ---- */

/* The block's versions from its durable one on. */
static bool may_be(const struct block *block, uint64_t what, unsigned from)
{
    for (unsigned i = from; i < block->count; i++) {
        if (block->was[i] == what)
            return true;
    }
    return false;
}

static uint64_t read_block(unsigned block)
{
    uint16_t status = rig_io(&rig, READ, block, 1, RIG_DATA, 0);

    if (status == 0x281)
        return UNREADABLE;
    ck_assert_uint_eq(status, 0);
    return stamp(RIG_DATA);
}

unsigned power_host_lose(unsigned events)
{
    unsigned lost = 0;

    poll_queue();
    ctrl_power_cycle(rig.ctrl);
    open_queue();
    for (unsigned i = 0; i < BLOCKS; i++) {
        uint64_t what;

        what = read_block(i);
        ck_assert_msg(what == UNREADABLE || is_whole(RIG_DATA, what),
                      "block %u is torn after %u events", i, events);
        ck_assert_msg(may_be(&blocks[i], what, blocks[i].durable),
                      "block %u after %u events: %llu, durable was %llu", i, events,
                      (unsigned long long)what,
                      (unsigned long long)blocks[i].was[blocks[i].durable]);
        lost += !may_be(&blocks[i], what, blocks[i].acknowledged);
    }
    /* It goes on: a write, a flush, and the same blocks are still there. */
    fill(RIG_DATA, ++value);
    ck_assert_uint_eq(rig_io(&rig, WRITE, 0, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, FLUSH, 0, 1, 0, 0), 0);
    ctrl_power_cycle(rig.ctrl);
    open_queue();
    ck_assert_uint_eq(rig_io(&rig, READ, 0, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(stamp(RIG_DATA), value);
    return lost;
}

void power_host_run(unsigned events)
{
    for (unsigned i = 0; i < events; i++) {
        poll_queue();
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            if (!operations[slot].busy && rng_below(&rng, 3) == 0)
                submit(slot);
        }
        engine_step(rig.engine);
    }
}

void power_host_shut_down(void)
{
    poll_queue();
    is_shut_down = true;
    rig_write32(&rig, 0x14, params.cc | 1u << 14);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 1u | 2u << 2);
    poll_queue();
    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i].durable = blocks[i].acknowledged;
}

void power_host_end(void)
{
    rig_close(&rig);
}

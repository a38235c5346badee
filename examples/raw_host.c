/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host in one file: finds an NVMe controller in configuration space, brings it up by register
 * writes, identifies it, creates one queue pair, writes a block, reads it back and compares. Every
 * number is of the NVM Express Base Specification 1.4 (section in parentheses) or of PCI (said so).
 * It uses <doorbell/device.h> and nothing else of the project; docs/your-own-driver.md explains it.
 *
 *     raw_host PROFILES [DRIVE]     e.g. raw_host /usr/share/doorbell/profiles fixed-latency
 */
#include <doorbell/device.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the host: memory at a bus address, and nothing behind any other ---- */

#define MEMORY_BUS   UINT64_C(0x80000000)
#define MEMORY_BYTES 0x10000u
#define ADMIN_SQ     0x0000u /* offsets in that memory; each on a page of its own */
#define ADMIN_CQ     0x1000u
#define IO_SQ        0x2000u
#define IO_CQ        0x3000u
#define PAGE         0x4000u
#define ENTRIES      16u

static uint8_t memory[MEMORY_BYTES];

static int dma_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    (void)ctx;
    if (bus < MEMORY_BUS || bytes > MEMORY_BYTES || bus - MEMORY_BUS > MEMORY_BYTES - bytes)
        return -1;
    memcpy(to, memory + (bus - MEMORY_BUS), bytes);
    return 0;
}

static int dma_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    (void)ctx;
    if (bus < MEMORY_BUS || bytes > MEMORY_BYTES || bus - MEMORY_BUS > MEMORY_BYTES - bytes)
        return -1;
    memcpy(memory + (bus - MEMORY_BUS), from, bytes);
    return 0;
}

/* This host polls: messages are not programmed, and the pin is not looked at. */
static void msi(void *ctx, uint64_t address, uint32_t data)
{
    (void)ctx, (void)address, (void)data;
}

static void intx(void *ctx, bool asserted)
{
    (void)ctx, (void)asserted;
}

/* ---- accesses ---- */

static struct doorbell_world *world;
static struct doorbell_device *device;

static void must(int result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "raw_host: %s\n", doorbell_error_text(world));
    exit(1);
}

static void give_up(const char *why)
{
    fprintf(stderr, "raw_host: %s\n", why);
    exit(1);
}

static uint32_t config_read(unsigned offset, unsigned size)
{
    uint32_t value;
    must(doorbell_config_read(device, offset, size, &value));
    return value;
}

static void config_write(unsigned offset, unsigned size, uint32_t value)
{
    must(doorbell_config_write(device, offset, size, value));
}

static uint64_t read_register(uint64_t offset, unsigned size)
{
    uint64_t value;
    must(doorbell_bar_read(device, 0, offset, size, &value));
    return value;
}

static void write_register(uint64_t offset, unsigned size, uint64_t value)
{
    must(doorbell_bar_write(device, 0, offset, size, value));
}

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static void say(const char *what)
{
    printf("%12.3f us  %s\n", (double)doorbell_now(world) / 1e6, what);
}

/* ---- configuration space (PCI Local Bus 3.0, 6.1 and 6.2) ---- */

static void enumerate(void)
{
    uint32_t low, high;
    uint64_t size;
    char text[100];

    if (config_read(0x00, 2) == 0xffff)
        give_up("nothing there");
    snprintf(text, sizeof text, "function %04" PRIx32 ":%04" PRIx32 ", class %06" PRIx32,
             config_read(0x00, 2), config_read(0x02, 2), config_read(0x08, 4) >> 8);
    say(text);
    if (config_read(0x08, 4) >> 8 != 0x010802) /* NVMe (2.1.5) */
        give_up("not an NVMe controller");

    /* All ones written to a BAR read back as the bits that its size leaves writable. */
    config_write(0x10, 4, UINT32_MAX);
    config_write(0x14, 4, UINT32_MAX);
    low = config_read(0x10, 4);
    high = config_read(0x14, 4);
    size = ~((uint64_t)high << 32 | (low & ~UINT32_C(0xf))) + 1;
    snprintf(text, sizeof text, "BAR0: %u bits, %" PRIu64 " KiB", (low & 0x6) == 0x4 ? 64u : 32u,
             size / 1024);
    say(text);
    config_write(0x10, 4, UINT32_C(0xf0000000)); /* anywhere: decoding is the host's business */
    config_write(0x14, 4, 0);

    config_write(0x04, 2, 0x0006); /* memory space, bus master */
}

/* ---- queues ---- */

struct queue {
    uint32_t sq, cq; /* offsets in memory */
    unsigned id, tail, head;
    unsigned phase;
    uint16_t next_cid;
};

static struct queue admin = {.sq = ADMIN_SQ, .cq = ADMIN_CQ, .id = 0, .phase = 1};
static struct queue io = {.sq = IO_SQ, .cq = IO_CQ, .id = 1, .phase = 1};
static uint64_t doorbell_stride;

/* The longest time that the controller may take for anything: CAP.TO, in units of 500 ms (3.1.1).
 */
static uint64_t patience_ps = UINT64_C(1000000000000);

/* There is nothing to do before the next event. */
static void wait_for_event(uint64_t since_ps)
{
    uint64_t next_ps = doorbell_next_event(world);
    if (next_ps == DOORBELL_NEVER || next_ps > since_ps + patience_ps)
        give_up("the controller does not answer");
    must(doorbell_run_until(world, next_ps));
}

static uint32_t command(struct queue *queue, uint8_t opcode, uint32_t nsid, uint32_t cdw10,
                        uint32_t cdw11, uint32_t cdw12)
{
    uint8_t *entry = memory + queue->sq + queue->tail * 64; /* (4.2) */
    const uint8_t *done = memory + queue->cq + queue->head * 16;
    uint64_t begin_ps = doorbell_now(world);
    uint64_t data = opcode == 0x05 && queue == &admin ? IO_CQ : PAGE;

    if (opcode == 0x01 && queue == &admin)
        data = IO_SQ;
    memset(entry, 0, 64);
    put(entry + 0, opcode, 1);
    put(entry + 2, queue->next_cid++, 2);
    put(entry + 4, nsid, 4);
    put(entry + 24, MEMORY_BUS + data, 8); /* PRP1: one page is enough for all of this */
    put(entry + 40, cdw10, 4);
    put(entry + 44, cdw11, 4);
    put(entry + 48, cdw12, 4);
    queue->tail = (queue->tail + 1) % ENTRIES;
    write_register(0x1000 + 2 * queue->id * doorbell_stride, 4, queue->tail); /* (3.1.24) */

    /* A new completion entry is there when its phase tag has changed (4.6). */
    while ((done[14] & 1) != queue->phase)
        wait_for_event(begin_ps);
    if (get(done + 14, 2) >> 1 != 0)
        give_up("a command failed");
    if (++queue->head == ENTRIES) {
        queue->head = 0;
        queue->phase ^= 1;
    }
    write_register(0x1000 + (2 * queue->id + 1) * doorbell_stride, 4, queue->head);
    return get(done, 4);
}

/* ---- bring-up (7.6.1) ---- */

static void bring_up(void)
{
    uint64_t cap = read_register(0x00, 8);
    uint64_t begin_ps;

    doorbell_stride = UINT64_C(4) << (cap >> 32 & 0xf);
    patience_ps = (cap >> 24 & 0xff) * UINT64_C(500000000000);
    say("CAP read");
    write_register(0x24, 4, (ENTRIES - 1) << 16 | (ENTRIES - 1)); /* AQA */
    write_register(0x28, 8, MEMORY_BUS + ADMIN_SQ);               /* ASQ */
    write_register(0x30, 8, MEMORY_BUS + ADMIN_CQ);               /* ACQ */
    write_register(0x14, 4, 0x00460001); /* CC: 16-byte CQEs, 64-byte SQEs, 4 KiB pages, EN */
    begin_ps = doorbell_now(world);
    while ((read_register(0x1c, 4) & 1) == 0) /* CSTS.RDY */
        wait_for_event(begin_ps);
    say("controller ready");
}

static void identify(void)
{
    char text[100], model[41];

    command(&admin, 0x06, 0, 1, 0, 0); /* CNS 1: the controller (5.15.2.2) */
    memcpy(model, memory + PAGE + 24, 40);
    for (unsigned end = 40; end > 0 && model[end - 1] == ' '; end--)
        model[end - 1] = '\0';
    model[40] = '\0';
    snprintf(text, sizeof text, "model \"%s\"", model);
    say(text);
    command(&admin, 0x06, 1, 0, 0, 0); /* CNS 0: namespace 1 (5.15.2.1) */
    snprintf(text, sizeof text, "namespace 1: %" PRIu64 " blocks",
             (uint64_t)get(memory + PAGE + 4, 4) << 32 | get(memory + PAGE, 4));
    say(text);
}

int main(int argc, char **argv)
{
    struct doorbell_device_config config = {
        .profiles = argc > 1 ? argv[1] : NULL,
        .drive = argc > 2 ? argv[2] : "fixed-latency",
        .host = {dma_read, dma_write, msi, intx},
    };
    struct doorbell_stats stats;
    uint8_t block[512];

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: raw_host PROFILES [DRIVE]\n");
        return 2;
    }
    world = doorbell_world_create(1);
    must(doorbell_device_create(world, &config, &device));
    enumerate();
    bring_up();
    identify();

    command(&admin, 0x05, 0, (ENTRIES - 1) << 16 | 1, 1, 0);            /* CQ 1, contiguous (5.3) */
    command(&admin, 0x01, 0, (ENTRIES - 1) << 16 | 1, 1u << 16 | 1, 0); /* SQ 1 for it (5.4) */
    say("queue pair created");

    for (unsigned i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 7 + i / 256);
    memcpy(memory + PAGE, block, sizeof block);
    command(&io, 0x01, 1, 42, 0, 0); /* write one block at LBA 42 (6.15) */
    say("block written");
    memset(memory + PAGE, 0, sizeof block);
    command(&io, 0x02, 1, 42, 0, 0); /* and read it (6.9) */
    say("block read");
    if (memcmp(memory + PAGE, block, sizeof block) != 0)
        give_up("the data differ");
    say("data verified");

    write_register(0x14, 4, 0x00464001); /* CC.SHN: normal shutdown (7.6.2) */
    for (uint64_t begin_ps = doorbell_now(world); (read_register(0x1c, 4) & 0xc) != 0x8;)
        wait_for_event(begin_ps);
    say("shut down");
    must(doorbell_device_stats(device, &stats));
    printf("%" PRIu64 " admin and %" PRIu64 " I/O commands, %" PRIu64 " doorbells, %" PRIu64
           " bytes up, %" PRIu64 " down\n",
           stats.admin_commands, stats.commands, stats.sq_doorbells + stats.cq_doorbells,
           stats.link_up_bytes, stats.link_down_bytes);
    doorbell_world_destroy(world);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inputs as programs. The first bytes choose the controller (choose()); then each operation is a
 * byte and its operands. Operations come in pairs of a proper and an improper form, so that a
 * mutation of one byte spoils a run that got far. See fuzz.h.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define EXPRESS_CAPABILITY 0x10
#define POWER_CAPABILITY   0x01
#define MSIX_CAPABILITY    0x11
#define RESET_WAIT_PS      UINT64_C(100000000) /* longer than anything stays on the link */
#define STEPS_MAX          4096u

uint64_t fuzz_take(struct fuzz_input *input, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes && input->at < input->end; i++)
        value |= (uint64_t)*input->at++ << 8 * i;
    return value;
}

/* ---- the controller ---- */

struct choice {
    unsigned count;
    const char *settings[4];
};

static const struct choice choices[] = {
    {4, {"link.kind=pcie", "link.kind=emulated", "link.lanes=1", "link.detail=tlp"}},
    {3, {"media.kind=fixed", "media.kind=null", "media.kind=page-cache"}},
    {3, {"ctrl.contexts=1", "ctrl.contexts=3", "ctrl.contexts=64"}},
    {3, {"ctrl.fetch_burst=1", "ctrl.fetch_burst=4", "ctrl.fetch_burst=64"}},
    {2, {"ctrl.cap_dstrd=0", "ctrl.cap_dstrd=2"}},
    {2, {"ctrl.cap_cqr=yes", "ctrl.cap_cqr=no"}},
    {3, {"ctrl.mdts=2", "ctrl.mdts=0", "ctrl.mdts=5"}},
    {2, {"ctrl.block_bytes=512", "ctrl.block_bytes=4096"}},
    {2, {"ctrl.msix_vectors=3", "ctrl.msix_vectors=0"}},
    {2, {"ctrl.vwc=yes", "ctrl.vwc=no"}},
    {3, {"ctrl.arbitration_burst=0", "ctrl.arbitration_burst=7", "ctrl.arbitration_burst=2"}},
    {3, {"ctrl.interrupt=20 ns", "ctrl.interrupt=0 ns", "ctrl.interrupt=5 us"}},
};
#define CHOICES (sizeof choices / sizeof choices[0])

static const char *const fixed[] = {"ctrl.namespace_size=1 MiB",
                                    "ctrl.max_io_queues=3",
                                    "ctrl.cap_nssrs=yes",
                                    "ctrl.ready_delay=2 us",
                                    "ctrl.reset_delay=1 us",
                                    "ctrl.shutdown_delay=3 us",
                                    "media.read_latency=1 us",
                                    "media.write_latency=1 us",
                                    "media.flush_latency=2 us",
                                    "media.hop_latency=1 us",
                                    "ctrl.cap_css=nvm-and-admin-only",
                                    "ctrl.acl=0",
                                    "ctrl.more_namespaces=64 KiB/4096",
                                    "ctrl.namespaces_max=4",
                                    "ctrl.capacity=4 MiB",
                                    "ctrl.namespace_granularity=4 KiB",
                                    "ctrl.oacs_ns_management=yes",
                                    "ctrl.ns_management_delay=1 us",
                                    "ctrl.oacs_format=yes",
                                    "ctrl.format_delay=2 us"};
#define FIXED (sizeof fixed / sizeof fixed[0])

static void choose(struct fuzz *fuzz, struct fuzz_input *input)
{
    const char *settings[CHOICES + FIXED];
    uint64_t bits = fuzz_take(input, 3);
    struct doorbell_device_config config = {
        .settings = settings, .host = fuzz_host, .host_ctx = fuzz};

    for (size_t i = 0; i < CHOICES; i++, bits >>= 2)
        settings[i] = choices[i].settings[(bits & 3) % choices[i].count];
    for (size_t i = 0; i < FIXED; i++)
        settings[CHOICES + i] = fixed[i];
    config.setting_count = CHOICES + FIXED;
    fuzz_check(fuzz, doorbell_device_create(fuzz->world, &config, &fuzz->device));
    fuzz->doorbell_stride = 4;
}

/* ---- pointers and commands ---- */

static uint64_t data_pointer(struct fuzz_input *input)
{
    uint64_t bits = fuzz_take(input, 2);

    return FUZZ_BUS + FUZZ_DATA + bits % FUZZ_DATA_PAGES * 0x1000 + (bits >> 8 & 0x7f) * 32;
}

/* What a pointer may be: data, a list, or anything at all. */
static uint64_t pointer(struct fuzz *fuzz, struct fuzz_input *input)
{
    uint64_t kind = fuzz_take(input, 1);

    switch (kind % 8) {
    case 0:
        fuzz->wild = true;
        return fuzz_take(input, 8);
    case 1:
        fuzz->wild = true;
        return FUZZ_BUS + fuzz_take(input, 3);
    case 2:
    case 3:
        return FUZZ_BUS + FUZZ_LISTS + fuzz_take(input, 2) % 0x4000 / 8 * 8;
    default:
        return data_pointer(input);
    }
}

/* A list of data pages that is proper (4.3): 8 entries, the rest as it is. */
static uint64_t list(struct fuzz *fuzz, struct fuzz_input *input)
{
    uint32_t at = FUZZ_LISTS + (uint32_t)(fuzz_take(input, 2) % 0x3f00 / 8 * 8);

    for (unsigned i = 0; i < 8; i++)
        fuzz_put(fuzz, at + 8 * i, data_pointer(input) & ~UINT64_C(0xfff), 8);
    return FUZZ_BUS + at;
}

static void io_command(struct fuzz *fuzz, struct fuzz_input *input)
{
    static const uint8_t opcodes[] = {0x02, 0x01, 0x00, 0x08, 0x05, 0x04, 0x09, 0x0c};
    uint64_t what = fuzz_take(input, 1), length_and_fuse;
    unsigned queue = 1 + (unsigned)(what >> 3) % 3;
    uint32_t entry = fuzz_entry(fuzz, queue, opcodes[what & 7]);

    fuzz_put(fuzz, entry + 4, 1, 4);
    fuzz_put(fuzz, entry + 40, fuzz_take(input, 1) * 8, 4);
    length_and_fuse = fuzz_take(input, 1);
    fuzz_put(fuzz, entry + 48, length_and_fuse % 64, 4);
    fuzz_put(fuzz, entry + 1, length_and_fuse >> 6, 1); /* FUSE (4.2) */
    fuzz_put(fuzz, entry + 24, data_pointer(input), 8);
    fuzz_put(fuzz, entry + 32, (what >> 6 & 1) != 0 ? list(fuzz, input) : pointer(fuzz, input), 8);
    if (what >> 7 != 0)
        fuzz_ring(fuzz, queue);
}

/* Two bytes in the halves of a dword, where most fields are; or four, as they come. */
static uint64_t dword(struct fuzz_input *input, bool whole)
{
    uint64_t low;

    if (whole)
        return fuzz_take(input, 4);
    low = fuzz_take(input, 1);
    return low | fuzz_take(input, 1) << 16;
}

static void admin_command(struct fuzz *fuzz, struct fuzz_input *input)
{
    static const uint8_t opcodes[] = {0x06, 0x02, 0x09, 0x0a, 0x08, 0x0c, 0x00,
                                      0x01, 0x04, 0x05, 0x0d, 0x10, 0x11, 0x14,
                                      0x15, 0x18, 0x7c, 0x80, 0x81, 0x82, 0x84};
    uint64_t what = fuzz_take(input, 1), shape = fuzz_take(input, 1);
    bool any = what >= 0xe0;
    uint32_t entry = fuzz_entry(fuzz, 0, any ? (uint8_t)shape : opcodes[what % sizeof opcodes]);

    fuzz_put(fuzz, entry + 4, (shape & 3) == 3 ? UINT32_MAX : shape & 3, 4);
    fuzz_put(fuzz, entry + 24, (shape & 4) != 0 ? pointer(fuzz, input) : data_pointer(input), 8);
    fuzz_put(fuzz, entry + 32, (shape & 8) != 0 ? pointer(fuzz, input) : data_pointer(input), 8);
    fuzz_put(fuzz, entry + 40, dword(input, (shape & 16) != 0), 4);
    fuzz_put(fuzz, entry + 44, dword(input, (shape & 32) != 0), 4);
    if ((shape & 64) != 0)
        fuzz_put(fuzz, entry + 48, dword(input, true), 4);
    if ((shape & 128) == 0)
        fuzz_ring(fuzz, 0);
    /* A queue at a data pointer: completions among payload. */
    fuzz->wild |= fuzz->memory[entry] == 0x05 || fuzz->memory[entry] == 0x01;
}

/* Bytes over queues and lists: entries that are nearly right. */
static void poison(struct fuzz *fuzz, struct fuzz_input *input)
{
    uint32_t at = (uint32_t)fuzz_take(input, 2) % FUZZ_DATA;
    unsigned bytes = 1 + (unsigned)fuzz_take(input, 1) % 16;

    /* Pointers, CIDs: anything may be in there now. */
    fuzz->wild = true;
    for (unsigned i = 0; i < bytes; i++)
        fuzz_put(fuzz, at + i, fuzz_take(input, 1), 1);
}

/* One field of an entry that keeps what the oracle of completions stands on. */
static void poison_field(struct fuzz *fuzz, struct fuzz_input *input)
{
    static const uint8_t fields[] = {0, 1, 4, 5, 8, 16, 40, 42, 44, 46, 48, 50, 52, 56};
    uint64_t where = fuzz_take(input, 1);
    unsigned queue = (unsigned)where % FUZZ_QUEUES;
    uint32_t entry = FUZZ_SQ(queue) + (uint32_t)(where >> 2) % FUZZ_ENTRIES * 64;
    uint8_t field = fields[fuzz_take(input, 1) % sizeof fields];
    uint8_t value = (uint8_t)fuzz_take(input, 1);

    /* A queue may now be created at any data pointer, with completions among the data. */
    fuzz->wild |= field <= 1;
    fuzz_put(fuzz, entry + field, value, 1);
}

static void poison_list(struct fuzz *fuzz, struct fuzz_input *input)
{
    uint32_t at = FUZZ_LISTS + (uint32_t)(fuzz_take(input, 2) % 0x4000 / 8 * 8);

    fuzz_put(fuzz, at, pointer(fuzz, input), 8);
}

/* ---- registers and configuration space ---- */

static uint64_t register_offset(struct fuzz_input *input)
{
    uint64_t bits = fuzz_take(input, 2);

    switch (bits >> 14) {
    case 0:
        return bits & 0x3f;
    case 1:
        return 0x1000 + (bits & 0x7f);
    case 2:
        return 0x2000 + (bits & 0x3f);
    default:
        return bits & 0x7fff;
    }
}

static void any_write(struct fuzz *fuzz, struct fuzz_input *input)
{
    unsigned kind = (unsigned)fuzz_take(input, 1);
    unsigned size = 1u << kind % 4;
    uint64_t offset = register_offset(input) / size * size;

    fuzz->wild = true; /* ASQ, ACQ: queues may now lie anywhere */
    fuzz_write(fuzz, offset, size, fuzz_take(input, (kind & 0x10) != 0 ? 8 : 1), (kind & 8) == 0);
}

static void any_read(struct fuzz *fuzz, struct fuzz_input *input)
{
    unsigned kind = (unsigned)fuzz_take(input, 1);
    unsigned size = 1u << kind % 4;
    uint64_t offset = register_offset(input) / size * size;
    uint64_t value = 0;

    if ((kind & 4) != 0)
        value = fuzz_read(fuzz, offset, size);
    else
        fuzz_check(fuzz, doorbell_bar_read(fuzz->device, (kind >> 3) % 6, offset, size, &value));
    fuzz->wild_reads += (unsigned)value & 1;
}

static void doorbell_value(struct fuzz *fuzz, struct fuzz_input *input)
{
    unsigned which = (unsigned)fuzz_take(input, 1);

    fuzz_write(fuzz, 0x1000 + which % 12 * fuzz->doorbell_stride, 4, fuzz_take(input, 1) % 10,
               true);
}

static void any_config(struct fuzz *fuzz, struct fuzz_input *input)
{
    unsigned bits = (unsigned)fuzz_take(input, 2);
    unsigned size = 1u << (bits >> 14) % 3;
    unsigned offset = (bits & 0xfff) / size * size;
    uint64_t value = fuzz_take(input, 4);
    uint32_t was;
    unsigned express = fuzz_capability(fuzz, EXPRESS_CAPABILITY);

    if (offset >= 0x100 && (bits & 0x2000) != 0)
        offset &= 0xff; /* most of it is there */
    fuzz_check(fuzz, doorbell_config_read(fuzz->device, offset, size, &was));
    if (size < 4)
        value &= (1u << 8 * size) - 1;
    fuzz_config_write(fuzz, offset, size, (uint32_t)value);
    /* It may have been a function level reset: then what is on the link arrives nowhere. */
    if (offset <= express + 9 && express + 8 < offset + size)
        fuzz_check(fuzz,
                   doorbell_run_until(fuzz->world, doorbell_now(fuzz->world) + RESET_WAIT_PS));
}

static void msix_on(struct fuzz *fuzz, struct fuzz_input *input)
{
    unsigned at = fuzz_capability(fuzz, MSIX_CAPABILITY);
    uint64_t bits = fuzz_take(input, 1);
    uint32_t table;

    if (at == 0)
        return;
    fuzz_check(fuzz, doorbell_config_read(fuzz->device, at + 4, 4, &table));
    for (unsigned v = 0; v < 3; v++) {
        fuzz_write(fuzz, (table & ~7u) + 16 * v, 8, 0xfee00000 + v, true);
        fuzz_write(fuzz, (table & ~7u) + 16 * v + 12, 4, bits >> v & 1, true);
    }
    fuzz_config_write(fuzz, at + 2, 2, (bits & 0x80) != 0 ? 0xc000 : 0x8000);
}

/* ---- resets and power ---- */

static void wait_csts(struct fuzz *fuzz, uint32_t mask, uint32_t value)
{
    for (unsigned i = 0; i < STEPS_MAX && (fuzz_read(fuzz, 0x1c, 4) & mask) != value; i++) {
        if (!fuzz_step(fuzz))
            return;
    }
}

static void disable(struct fuzz *fuzz, bool wait)
{
    fuzz_write(fuzz, 0x14, 4, 0, false); /* nothing may overtake it */
    if (!wait)
        return;
    wait_csts(fuzz, 1, 0);
    /* Memory space off reads as ones, and writes of CC may still be on the link. */
    fuzz_check(fuzz, doorbell_run_until(fuzz->world, doorbell_now(fuzz->world) + RESET_WAIT_PS));
    if (fuzz_read(fuzz, 0x14, 4) == 0 && (fuzz_read(fuzz, 0x1c, 4) & 3) == 0)
        fuzz_new_life(fuzz);
}

static void reset(struct fuzz *fuzz, unsigned how)
{
    unsigned express = fuzz_capability(fuzz, EXPRESS_CAPABILITY);

    switch (how % 4) {
    case 0:
        fuzz_config_write(fuzz, express + 8, 2, 0x8000);
        break;
    case 1:
        fuzz_check(fuzz, doorbell_device_reset(fuzz->device));
        break;
    case 2:
        if (fuzz_read(fuzz, 0, 4) == UINT32_MAX)
            return; /* memory space is off: NSSR cannot be reached */
        fuzz_write(fuzz, 0x20, 4, 0x4e564d65, false);
        break;
    default:
        disable(fuzz, true);
        return;
    }
    fuzz_new_life(fuzz);
    fuzz_check(fuzz, doorbell_run_until(fuzz->world, doorbell_now(fuzz->world) + RESET_WAIT_PS));
}

static void power(struct fuzz *fuzz, unsigned state)
{
    unsigned at = fuzz_capability(fuzz, POWER_CAPABILITY);

    if (at != 0)
        fuzz_config_write(fuzz, at + 4, 2, state & 3); /* D0 to D3hot */
}

/* ---- the program ---- */

enum operation {
    OP_STEPS,
    OP_BRING_UP,
    OP_CREATE,
    OP_IO,
    OP_ADMIN,
    OP_RING,
    OP_REAP,
    OP_TIME,
    OP_FIELD,
    OP_POISON,
    OP_LIST,
    OP_WRITE,
    OP_READ,
    OP_DOORBELL,
    OP_CONFIG,
    OP_MSIX,
    OP_DISABLE,
    OP_RESET,
    OP_SHUTDOWN,
    OP_POWER,
    OP_HOLE,
    OP_COMMAND_REGISTER,
    OP_FILL,
    OPS
};

static void operate(struct fuzz *fuzz, enum operation operation, struct fuzz_input *input)
{
    unsigned small = (unsigned)fuzz_take(input, 1);
    unsigned queue = small % FUZZ_QUEUES;
    uint32_t status;

    switch (operation) {
    case OP_STEPS:
        for (unsigned i = 0; i < small; i++)
            fuzz_step(fuzz);
        break;
    case OP_BRING_UP:
        fuzz_bring_up(fuzz, 2 + small % 16, small >> 5, STEPS_MAX);
        break;
    case OP_CREATE:
        fuzz_put_create(fuzz, 1 + queue % 3);
        fuzz_ring(fuzz, 0);
        break;
    case OP_IO:
        io_command(fuzz, input);
        break;
    case OP_ADMIN:
        admin_command(fuzz, input);
        break;
    case OP_RING:
        fuzz_ring(fuzz, queue);
        break;
    case OP_REAP:
        for (unsigned i = 0; i < 1 + small / FUZZ_QUEUES && fuzz_reap(fuzz, queue, &status); i++) {
        }
        break;
    case OP_TIME:
        fuzz_check(fuzz, doorbell_run_until(fuzz->world, doorbell_now(fuzz->world) +
                                                             (uint64_t)small * small * 10000));
        break;
    case OP_FIELD:
        poison_field(fuzz, input);
        break;
    case OP_POISON:
        poison(fuzz, input);
        break;
    case OP_LIST:
        poison_list(fuzz, input);
        break;
    case OP_WRITE:
        any_write(fuzz, input);
        break;
    case OP_READ:
        any_read(fuzz, input);
        break;
    case OP_DOORBELL:
        doorbell_value(fuzz, input);
        break;
    case OP_CONFIG:
        any_config(fuzz, input);
        break;
    case OP_MSIX:
        msix_on(fuzz, input);
        break;
    case OP_DISABLE:
        disable(fuzz, small % 2 != 0);
        break;
    case OP_RESET:
        reset(fuzz, small);
        break;
    case OP_SHUTDOWN:
        fuzz_write(fuzz, 0x14, 4, 0x00460001 | (1 + small % 2) << 14, true);
        break;
    case OP_POWER:
        power(fuzz, small);
        break;
    case OP_HOLE:
        fuzz->hole = small % 2 != 0;
        break;
    case OP_FILL: /* small numbers in payload: sizes of namespaces, lists, ranges */
        fuzz_put(fuzz, FUZZ_DATA + (small % FUZZ_DATA_PAGES) * 0x1000 + (small >> 5) * 8,
                 fuzz_take(input, 2), 8);
        break;
    default:
        fuzz_config_write(fuzz, 0x04, 2, (small & 6) | (small & 1) << 10);
        break;
    }
}

void fuzz_program(struct fuzz *fuzz, struct fuzz_input *input)
{
    choose(fuzz, input);
    while (input->at < input->end)
        operate(fuzz, (enum operation)(fuzz_take(input, 1) % OPS), input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz *fuzz = calloc(1, sizeof *fuzz);
    struct fuzz_input input = {data, data + size};

    if (fuzz == NULL)
        abort();
    fuzz_memory_init(fuzz);
    fuzz->world = doorbell_world_create(1);
    fuzz_program(fuzz, &input);
    fuzz_sane(fuzz);
    doorbell_world_destroy(fuzz->world);
    free(fuzz);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hostile host's memory, and the oracle of what a controller may do with it.
 *
 * A device knows addresses from two places only: registers, and what it has read from memory. So
 * whatever it touches must have been named there before: by ASQ or ACQ with the size in AQA, by a
 * word of memory that it has read (a PRP names the rest of its page, 4.3), by a queue in a Create
 * command, or, once an entry with SGLs was seen, by a descriptor with its length (4.4). That is
 * more than a command allows, never less: everything refused here is a defect.
 *
 * Completions: the program gives its commands CIDs below FUZZ_CIDS. An entry that was fetched may
 * be completed once. As long as no wild pointer was made, writes of 16 bytes to completion queues
 * are completions, and what is read of 64-byte entries is a fetch (payload reads as FUZZ_DATA_CID).
 */
#include "fuzz/fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQE_BYTES 64u
#define CQE_BYTES 16u

void fuzz_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("fuzz: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}

void fuzz_check(const struct fuzz *fuzz, int result)
{
    if (result < 0)
        fuzz_fail("the library refuses: %s", doorbell_error_text(fuzz->world));
}

void fuzz_put(struct fuzz *fuzz, uint32_t offset, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        fuzz->memory[(offset + i) % FUZZ_BYTES] = (uint8_t)(value >> 8 * i);
}

uint64_t fuzz_get(const struct fuzz *fuzz, uint32_t offset, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | fuzz->memory[(offset + i) % FUZZ_BYTES];
    return value;
}

/* ---- what is named ---- */

static void mark(uint8_t *map, uint64_t bus, uint64_t bytes)
{
    uint64_t first = bus < FUZZ_BUS ? FUZZ_BUS : bus;
    uint64_t end = bus + bytes;

    if (end < bus || end > FUZZ_BUS + FUZZ_BYTES)
        end = FUZZ_BUS + FUZZ_BYTES;
    if (bus >= FUZZ_BUS + FUZZ_BYTES || first >= end)
        return;
    for (uint64_t at = (first - FUZZ_BUS) / FUZZ_GRANULE; at * FUZZ_GRANULE < end - FUZZ_BUS; at++)
        map[at] = 1;
}

static bool is_marked(const uint8_t *map, uint64_t offset, uint64_t bytes)
{
    for (uint64_t at = offset / FUZZ_GRANULE; at * FUZZ_GRANULE < offset + bytes; at++) {
        if (!map[at])
            return false;
    }
    return true;
}

/* A PRP, or the base of a list: the rest of its page. */
static void name_page(struct fuzz *fuzz, uint64_t bus)
{
    uint64_t page = UINT64_C(1) << fuzz->page_log2;

    mark(fuzz->named, bus, page - bus % page);
}

static void name_admin_queues(struct fuzz *fuzz)
{
    mark(fuzz->named, fuzz->asq, ((fuzz->aqa & 0xfff) + 1) * SQE_BYTES);
    mark(fuzz->named, fuzz->acq, ((fuzz->aqa >> 16 & 0xfff) + 1) * CQE_BYTES);
    mark(fuzz->cq_memory, fuzz->acq, ((fuzz->aqa >> 16 & 0xfff) + 1) * CQE_BYTES);
}

static uint64_t with_half(uint64_t old, bool upper, uint32_t value)
{
    return upper ? (old & 0xffffffff) | (uint64_t)value << 32
                 : ((old >> 32 << 32) | value) & ~UINT64_C(0xfff);
}

static void dword_written(struct fuzz *fuzz, uint64_t offset, uint32_t value)
{
    unsigned page_log2 = 12 + (value >> 7 & 0xf); /* CC.MPS (3.1.5) */

    switch (offset) {
    case 0x14:
        if (page_log2 > fuzz->page_log2)
            fuzz->page_log2 = page_log2;
        if ((value & 1) != 0)
            fuzz->dead = false;
        break;
    case 0x24:
        fuzz->aqa = value;
        break;
    case 0x28:
    case 0x2c:
        fuzz->asq = with_half(fuzz->asq, offset == 0x2c, value);
        break;
    case 0x30:
    case 0x34:
        fuzz->acq = with_half(fuzz->acq, offset == 0x34, value);
        break;
    default:
        return;
    }
    name_admin_queues(fuzz);
}

void fuzz_register_written(struct fuzz *fuzz, uint64_t offset, unsigned size, uint64_t value)
{
    dword_written(fuzz, offset & ~UINT64_C(3), (uint32_t)value);
    if (size == 8)
        dword_written(fuzz, offset + 4, (uint32_t)(value >> 32));
}

static uint64_t word(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

/* What may have been a submission entry. */
static void entry_read(struct fuzz *fuzz, const uint8_t *entry)
{
    uint64_t prp1 = word(entry + 24, 8);
    uint64_t entries = word(entry + 42, 2) + 1; /* CDW10 bits 31:16 of Create (5.3, 5.4) */
    uint64_t cid = word(entry + 2, 2);

    if (entry[0] == 0x01)
        mark(fuzz->named, prp1, entries * SQE_BYTES);
    if (entry[0] == 0x05) {
        mark(fuzz->named, prp1, entries * CQE_BYTES);
        mark(fuzz->cq_memory, prp1, entries * CQE_BYTES);
    }
    if ((entry[1] & 0xc0) != 0) {
        fuzz->sgl = true;
        mark(fuzz->named, prp1, word(entry + 32, 4));
    }
    if (cid < FUZZ_CIDS)
        fuzz->fetched[cid]++;
}

static void bytes_read(struct fuzz *fuzz, const uint8_t *bytes, uint32_t count)
{
    for (uint32_t at = 0; at + 8 <= count; at += 4)
        name_page(fuzz, word(bytes + at, 8));
    for (uint32_t at = 0; at + SQE_BYTES <= count; at += SQE_BYTES)
        entry_read(fuzz, bytes + at);
    for (uint32_t at = 0; fuzz->sgl && at + 16 <= count; at += 16)
        mark(fuzz->named, word(bytes + at, 8), word(bytes + at + 8, 4));
}

/* ---- the controller's accesses ---- */

/* False: the host refuses. */
static bool judge(const struct fuzz *fuzz, uint64_t bus, uint32_t bytes, const char *what)
{
    uint64_t offset = bus - FUZZ_BUS;

    if (fuzz->dead)
        fuzz_fail("%s of %u bytes at %llxh after a reset has ended", what, bytes,
                  (unsigned long long)bus);
    if (bytes == 0)
        fuzz_fail("%s of no bytes at %llxh", what, (unsigned long long)bus);
    if (bus < FUZZ_BUS || bytes > FUZZ_BYTES || offset > FUZZ_BYTES - bytes)
        return false;
    if (!is_marked(fuzz->named, offset, bytes))
        fuzz_fail("%s of %u bytes at %llxh, which nothing has named", what, bytes,
                  (unsigned long long)bus);
    return !(fuzz->hole && offset >= FUZZ_DATA);
}

static int dma_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    struct fuzz *fuzz = ctx;

    if (!judge(fuzz, bus, bytes, "a read"))
        return -1;
    memcpy(to, fuzz->memory + (bus - FUZZ_BUS), bytes);
    bytes_read(fuzz, to, bytes);
    return 0;
}

static void completion_written(struct fuzz *fuzz, uint64_t offset, const uint8_t *entry)
{
    uint64_t cid = word(entry + 12, 2);

    if (fuzz->wild || !is_marked(fuzz->cq_memory, offset, CQE_BYTES))
        return;
    if (cid >= FUZZ_CIDS)
        fuzz_fail("completion of command %04llxh, which was never given", (unsigned long long)cid);
    if (++fuzz->completed[cid] > fuzz->fetched[cid])
        fuzz_fail("command %04llxh was fetched %u times and completed once more",
                  (unsigned long long)cid, fuzz->fetched[cid]);
}

static int dma_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    struct fuzz *fuzz = ctx;

    if (!judge(fuzz, bus, bytes, "a write"))
        return -1;
    if (bytes == CQE_BYTES)
        completion_written(fuzz, bus - FUZZ_BUS, from);
    memcpy(fuzz->memory + (bus - FUZZ_BUS), from, bytes);
    return 0;
}

static void msi(void *ctx, uint64_t address, uint32_t data)
{
    const struct fuzz *fuzz = ctx;

    if (fuzz->dead)
        fuzz_fail("message %xh to %llxh after a reset has ended", data,
                  (unsigned long long)address);
}

static void intx(void *ctx, bool asserted)
{
    const struct fuzz *fuzz = ctx;

    if (fuzz->dead && asserted)
        fuzz_fail("the pin rises after a reset has ended");
}

const struct doorbell_host fuzz_host = {dma_read, dma_write, msi, intx};

void fuzz_memory_init(struct fuzz *fuzz)
{
    memset(fuzz->memory, 0xff, sizeof fuzz->memory); /* payload: FUZZ_DATA_CID everywhere */
    memset(fuzz->memory, 0, FUZZ_DATA);
    fuzz->page_log2 = 12;
    fuzz->dead = true;
}

void fuzz_new_life(struct fuzz *fuzz)
{
    memset(fuzz->fetched, 0, sizeof fuzz->fetched);
    memset(fuzz->completed, 0, sizeof fuzz->completed);
    fuzz->dead = true;
}

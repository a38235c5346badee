/* SPDX-License-Identifier: BSD-2-Clause
 *
 * After an input: whatever was done to the controller, power state D0, the command register and a
 * controller level reset (NVMe 1.4, 7.3.2) must bring it back, Identify must answer, and, if
 * namespace 1 is still there, a block that is written must be read back.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define POWER_CAPABILITY 0x01

/* Everything that is under way comes to an end. */
static void settle(struct fuzz *fuzz)
{
    while (fuzz_step(fuzz)) {
    }
}

static void reset(struct fuzz *fuzz)
{
    unsigned power = fuzz_capability(fuzz, POWER_CAPABILITY);

    if (power != 0)
        fuzz_config_write(fuzz, power + 4, 2, 0); /* D0 (PCI Power Management 1.2, 3.2.4) */
    fuzz_config_write(fuzz, 0x04, 2, 0x0406);
    settle(fuzz);
    if (fuzz_read(fuzz, 0x1c, 4) == UINT32_MAX)
        fuzz_fail("no registers, although memory space is on");
    fuzz_write(fuzz, 0x14, 4, 0, true);
    settle(fuzz);
    if ((fuzz_read(fuzz, 0x1c, 4) & 0x3) != 0)
        fuzz_fail("CSTS is %llxh after CC.EN = 0", (unsigned long long)fuzz_read(fuzz, 0x1c, 4));
    fuzz_new_life(fuzz);
    settle(fuzz);
}

static uint32_t run(struct fuzz *fuzz, unsigned queue)
{
    uint32_t status;

    fuzz_ring(fuzz, queue);
    while (!fuzz_reap(fuzz, queue, &status)) {
        if (!fuzz_step(fuzz))
            fuzz_fail("a command on queue %u is never completed", queue);
    }
    return status;
}

static void identify(struct fuzz *fuzz, uint32_t cns, uint32_t nsid)
{
    uint32_t entry = fuzz_entry(fuzz, 0, 0x06);
    uint32_t status;

    fuzz_put(fuzz, entry + 4, nsid, 4);
    fuzz_put(fuzz, entry + 24, FUZZ_BUS + FUZZ_DATA, 8);
    fuzz_put(fuzz, entry + 40, cns, 4);
    status = run(fuzz, 0);
    if (status != 0)
        fuzz_fail("Identify with CNS %u ends with status %xh", cns, status);
}

static void create_queue(struct fuzz *fuzz)
{
    uint32_t status;

    fuzz_put_create(fuzz, 1);
    status = run(fuzz, 0);
    if (status == 0) {
        while (!fuzz_reap(fuzz, 0, &status)) {
            if (!fuzz_step(fuzz))
                fuzz_fail("Create I/O Submission Queue is never completed");
        }
    }
    if (status != 0)
        fuzz_fail("a queue cannot be created: status %xh", status);
}

static void transfer(struct fuzz *fuzz, uint8_t opcode, uint32_t at)
{
    uint32_t entry = fuzz_entry(fuzz, 1, opcode);
    uint32_t status;

    fuzz_put(fuzz, entry + 4, 1, 4);
    fuzz_put(fuzz, entry + 24, FUZZ_BUS + at, 8);
    fuzz_put(fuzz, entry + 40, 7, 8); /* SLBA; one block */
    status = run(fuzz, 1);
    if (status != 0)
        fuzz_fail("I/O command %02xh ends with status %xh", opcode, status);
}

void fuzz_sane(struct fuzz *fuzz)
{
    uint32_t block_log2, format;
    uint8_t *out = fuzz->memory + FUZZ_DATA + 0x2000, *in = out + 0x2000;

    fuzz->hole = false;
    reset(fuzz);
    memset(fuzz->named, 0, sizeof fuzz->named);
    memset(fuzz->cq_memory, 0, sizeof fuzz->cq_memory);
    memset(fuzz->memory, 0, sizeof fuzz->memory);
    fuzz->page_log2 = 12;
    fuzz->sgl = fuzz->wild = false;
    if (!fuzz_bring_up(fuzz, FUZZ_ENTRIES, 0, FUZZ_EVENTS_MAX))
        fuzz_fail("the controller does not become ready");
    identify(fuzz, 1, 0);
    if (memcmp(fuzz->memory + FUZZ_DATA + 4, "DOORBELL0001", 12) != 0) /* (5.15.2.2) */
        fuzz_fail("Identify does not tell the serial number");
    identify(fuzz, 0, 1);
    if (fuzz_get(fuzz, FUZZ_DATA, 8) < 8) /* NSZE (5.15.2.1) */
        return;
    format = fuzz->memory[FUZZ_DATA + 26] & 0xf;
    block_log2 = fuzz->memory[FUZZ_DATA + 128 + 4 * format + 2];
    if (block_log2 != 9 && block_log2 != 12)
        fuzz_fail("blocks of 2^%u bytes", block_log2);
    create_queue(fuzz);
    for (uint32_t i = 0; i < UINT32_C(1) << block_log2; i++)
        out[i] = (uint8_t)(i * 13 + 5 + i / 256);
    transfer(fuzz, 0x01, FUZZ_DATA + 0x2000);
    transfer(fuzz, 0x02, FUZZ_DATA + 0x4000);
    if (memcmp(in, out, (size_t)1 << block_log2) != 0)
        fuzz_fail("a block is read back otherwise than it was written");
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the pointers of a command lead (NVMe 1.4 sections 4.3, 4.4): PRPs, lists and SGLs are
 * walked as a controller would, and every one must lead to memory that the platform has given for
 * that direction. Called by driver_device.c. See driver.h.
 */
#include "fuzz/driver.h"

#include <string.h>

#define IDENTIFY    4096u
#define LOW(value)  ((uint32_t)(value))
#define HIGH(value) ((uint32_t)((value) >> 32))

/* Where device and core disagree about what is still going on, an address may lead nowhere: then
 * the device leaves it alone. While a command is fetched, there is no such excuse. */
struct walk {
    struct hostile *h;
    uint64_t left;
    bool write, strict, good;
};

static uint8_t *reach(struct walk *walk, uint64_t bus, uint64_t bytes, bool write)
{
    uint8_t *at;

    if (hostile_resolve(walk->h, bus, bytes, write, &at))
        return at;
    if (walk->strict)
        hostile_fail("a command names %llu bytes at %llxh, which nothing gave",
                     (unsigned long long)bytes, (unsigned long long)bus);
    walk->good = false;
    return NULL;
}

static void touch(struct walk *walk, uint64_t bus, uint64_t bytes)
{
    uint8_t *at = reach(walk, bus, bytes, walk->write);

    if (at && walk->write && !walk->strict) {
        at[0] = (uint8_t)(bytes + 1);
        at[bytes - 1] = (uint8_t)bytes;
    }
    walk->left -= bytes;
}

static void walk_prps(struct walk *walk, uint64_t prp1, uint64_t prp2)
{
    uint32_t page = 4096u << (walk->h->cc >> NVME_CC_MPS_SHIFT & 0xF);
    uint64_t part = page - prp1 % page;

    touch(walk, prp1, part < walk->left ? part : walk->left);
    if (walk->left == 0)
        return;
    if (walk->left <= page) {
        if (walk->strict && prp2 % page != 0)
            hostile_fail("PRP2 has an offset: %llxh (4.3)", (unsigned long long)prp2);
        touch(walk, prp2, walk->left);
        return;
    }
    while (walk->left != 0 && walk->good) {
        uint64_t room = page - prp2 % page, entry;
        uint8_t *at = reach(walk, prp2, sizeof entry, false);

        if (!at)
            return;
        memcpy(&entry, at, sizeof entry);
        if (walk->strict && entry % page != 0)
            hostile_fail("a PRP list entry has an offset: %llxh (4.3)", (unsigned long long)entry);
        if (room == sizeof entry && walk->left > page) {
            prp2 = entry;
            continue;
        }
        touch(walk, entry, walk->left < page ? walk->left : page);
        prp2 += sizeof entry;
    }
}

static void walk_sgl(struct walk *walk, uint64_t bus, uint64_t word)
{
    uint32_t count = 1;
    uint8_t *at = NULL;

    while (walk->left != 0 && walk->good) {
        uint32_t type = (uint32_t)(word >> 60), bytes = LOW(word);

        if (count == 0 || bytes == 0)
            hostile_fail("an SGL is shorter than its data (4.4)");
        count--;
        if (type == NVME_SGL_BLOCK) {
            if (bytes > walk->left)
                hostile_fail("an SGL is longer than its data (4.4)");
            touch(walk, bus, bytes);
        } else {
            if (bytes % NVME_SGL_BYTES != 0 || count != 0)
                hostile_fail("an SGL segment is not the last descriptor (4.4)");
            count = bytes / NVME_SGL_BYTES;
            at = reach(walk, bus, bytes, false);
        }
        if (walk->left == 0 || !at)
            return;
        memcpy(&bus, at, sizeof bus);
        memcpy(&word, at + sizeof bus, sizeof word);
        at += NVME_SGL_BYTES;
    }
}

static uint32_t block_shift(struct hostile *h, uint32_t nsid)
{
    for (unsigned i = 0; i < nvme_namespace_count(h->nvme); i++) {
        const struct nvme_namespace *ns = nvme_get_namespace(h->nvme, i);
        uint32_t shift = 0;

        if (!ns || ns->nsid != nsid)
            continue;
        while (1u << shift < ns->block_bytes)
            shift++;
        return shift;
    }
    hostile_fail("a command for namespace %u, which the core does not know", nsid);
}

/* Bytes that the command moves, and whether the device writes them. */
static uint64_t data_bytes(struct hostile *h, const struct hostile_command *command, bool *write)
{
    const struct nvme_sqe *sqe = &command->sqe;
    uint8_t opcode = (uint8_t)sqe->command_nsid;

    *write = (opcode & NVME_OPCODE_DATA) == 2;
    if (command->qid == 0) {
        switch (opcode) {
        case NVME_ADMIN_IDENTIFY:
            return IDENTIFY;
        case NVME_ADMIN_GET_LOG_PAGE:
            return ((sqe->cdw10_11 >> NVME_LOG_NUMDL_SHIFT & 0xFFFF) + 1) * 4;
        default:
            return 0;
        }
    }
    if (HIGH(sqe->cdw14_15) >> 8 == HOSTILE_RAW_TAG)
        return LOW(sqe->cdw14_15);
    switch (opcode) {
    case NVME_IO_READ:
    case NVME_IO_WRITE:
    case NVME_IO_COMPARE:
        return ((sqe->cdw12_13 & 0xFFFF) + 1) << block_shift(h, HIGH(sqe->command_nsid));
    case NVME_IO_DATASET:
        return ((sqe->cdw10_11 & 0xFF) + 1) * NVME_RANGE_BYTES;
    default:
        return 0;
    }
}

bool hostile_move_data(struct hostile *h, const struct hostile_command *command, bool strict)
{
    const struct nvme_sqe *sqe = &command->sqe;
    struct walk walk = {.h = h, .strict = strict, .good = true};

    walk.left = data_bytes(h, command, &walk.write);
    if (walk.left == 0)
        return true;
    if (sqe->command_nsid & NVME_SQE_PSDT_SGL)
        walk_sgl(&walk, sqe->prp1, sqe->prp2);
    else
        walk_prps(&walk, sqe->prp1, sqe->prp2);
    return walk.good;
}

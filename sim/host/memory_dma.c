/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The device's accesses to host memory: translation from bus addresses, the check against the
 * grants, and contents as bytes or as tags; see memory.h.
 */
#include "host/memory_area.h"

#include <string.h>

#include "engine/pattern.h"

/* The area behind [bus, bus + bytes) if the device may reach all of it in this direction, else
 * NULL. */
static struct memory_area *dma_target(struct memory *memory, uint64_t bus, uint64_t bytes,
                                      enum memory_direction direction, size_t *offset)
{
    struct memory_area *area = memory_at_bus(memory, bus);
    if (area == NULL)
        return NULL;
    *offset = (size_t)(bus - area->bus);
    return memory_granted(area, *offset, (size_t)bytes, direction) ? area : NULL;
}

int memory_dma_read(struct memory *memory, uint64_t bus, void *to, uint32_t bytes)
{
    size_t offset;
    struct memory_area *area = dma_target(memory, bus, bytes, MEMORY_TO_DEVICE, &offset);
    if (area == NULL) {
        memory->refused++;
        return PCIE_E_ABORT;
    }
    memory_to_bytes(area);
    memcpy(to, area->bytes + offset, bytes);
    return PCIE_OK;
}

int memory_dma_write(struct memory *memory, uint64_t bus, const void *from, uint32_t bytes)
{
    size_t offset;
    struct memory_area *area = dma_target(memory, bus, bytes, MEMORY_FROM_DEVICE, &offset);
    if (area == NULL) {
        memory->refused++;
        return PCIE_E_ABORT;
    }
    memory_to_bytes(area);
    memcpy(area->bytes + offset, from, bytes);
    return PCIE_OK;
}

/* The tags of a run of bytes, if it is whole blocks of one area that is held as tags. */
static inline uint64_t *run_tags(struct memory *memory, uint64_t bus, uint64_t bytes,
                                 enum memory_direction direction)
{
    size_t offset;
    struct memory_area *area = dma_target(memory, bus, bytes, direction, &offset);
    if (area == NULL || area->tags == NULL || (offset | bytes) % PATTERN_BYTES != 0)
        return NULL;
    return area->tags + offset / PATTERN_BYTES;
}

uint64_t *memory_dma_place_tags(struct memory *memory, uint64_t bus, uint64_t bytes)
{
    return run_tags(memory, bus, bytes, MEMORY_FROM_DEVICE);
}

/* Walk the segments as runs of neighbouring addresses (pages of one buffer), each of which must
 * have tags. With neither array it only looks. */
static bool dma_tags(struct memory *memory, const struct pcie_segment *segments, unsigned count,
                     enum memory_direction direction, uint64_t *read_tags,
                     const uint64_t *write_tags, uint32_t ntags)
{
    uint32_t done = 0;
    for (unsigned i = 0; i < count;) {
        uint64_t bus = segments[i].bus, bytes = segments[i].bytes;
        for (i++; i < count && segments[i].bus == bus + bytes; i++)
            bytes += segments[i].bytes;
        uint64_t *tags = run_tags(memory, bus, bytes, direction);
        if (tags == NULL)
            return false;
        uint32_t units = (uint32_t)(bytes / PATTERN_BYTES);
        if (units > ntags - done)
            return false;
        if (read_tags != NULL)
            memcpy(read_tags + done, tags, units * sizeof *tags);
        if (write_tags != NULL)
            memcpy(tags, write_tags + done, units * sizeof *tags);
        done += units;
    }
    return done == ntags;
}

bool memory_dma_read_tags(struct memory *memory, const struct pcie_segment *segments,
                          unsigned count, uint64_t *tags, uint32_t ntags)
{
    return dma_tags(memory, segments, count, MEMORY_TO_DEVICE, tags, NULL, ntags);
}

bool memory_dma_write_tags(struct memory *memory, const struct pcie_segment *segments,
                           unsigned count, const uint64_t *tags, uint32_t ntags)
{
    /* All or nothing: look at every run before the first is written. */
    return dma_tags(memory, segments, count, MEMORY_FROM_DEVICE, NULL, NULL, ntags) &&
           dma_tags(memory, segments, count, MEMORY_FROM_DEVICE, NULL, tags, ntags);
}

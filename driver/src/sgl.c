/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scatter gather lists of I/O commands (NVMe 1.4 section 4.4): a pure function of its arguments,
 * called by data.c. One piece of memory is a data block in the command itself; more are descriptors
 * in a slot's list pages, one segment to a page, each but the last ending in the descriptor of the
 * next. Left out: bit buckets, keyed and transport descriptors, admin commands (which may not use
 * SGLs at all over PCI Express, 4.2).
 */
#include "internal.h"

#if !defined(NVME_NO_SGL)

static void put(uint64_t *at, uint64_t bus, uint32_t bytes, uint32_t type)
{
    at[0] = le64(bus);
    at[1] = le64(bytes | (uint64_t)type << NVME_SGL_TYPE_SHIFT);
}

int nvme_sgl_build(struct nvme_dptr *sgl, const struct nvme_segment *segments, unsigned count,
                   uint32_t mask)
{
    uint32_t per_page = (1u << sgl->page_shift) / NVME_SGL_BYTES;
    uint64_t first[2];
    uint64_t *lead = first; /* what leads to the next segment */
    uint64_t *at = sgl->list;
    uint64_t bus = sgl->list_bus;

    sgl->entries = 0;
    for (unsigned i = 0; i < count; i++)
        if ((((uint32_t)segments[i].bus | segments[i].bytes) & mask) != 0)
            return NVME_E_INVAL;
    if (count == 1)
        put(first, segments->bus, segments->bytes, NVME_SGL_BLOCK);
    for (uint32_t page = 0; count != 1; page++) {
        bool last = count <= per_page;
        uint32_t blocks = last ? count : per_page - 1;
        uint32_t here = last ? count : per_page;

        if (count == 0 || page == sgl->list_pages)
            return NVME_E_INVAL;
        put(lead, bus, here * NVME_SGL_BYTES, last ? NVME_SGL_LAST_SEGMENT : NVME_SGL_SEGMENT);
        for (uint32_t i = 0; i < blocks; i++, at += 2, segments++)
            put(at, segments->bus, segments->bytes, NVME_SGL_BLOCK);
        sgl->entries += here;
        if (last)
            break;
        lead = at;
        at += 2;
        count -= blocks;
        bus += (uint32_t)1 << sgl->page_shift;
    }
    sgl->prp1 = le64(first[0]);
    sgl->prp2 = le64(first[1]);
    return NVME_OK;
}

#endif

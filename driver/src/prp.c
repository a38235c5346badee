/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PRP entries, with chained list pages (NVMe 1.4 section 4.3): a pure function of its arguments,
 * called by data.c. Segments that cannot be PRP entries together are refused, with how many bytes
 * of them can.
 */
#include "internal.h"

#define PRP_BYTES  sizeof(uint64_t)
#define DWORD_MASK 3u /* PRP1 is dword aligned (4.3) */

/* The pages that a segment touches. */
static uint32_t pages_of(const struct nvme_segment *segment, uint32_t page_shift)
{
    uint32_t mask = (1u << page_shift) - 1;
    uint32_t offset = (uint32_t)segment->bus & mask;

    /* Whole pages apart: offset + bytes may pass 4 GiB. */
    return (segment->bytes >> page_shift) +
           (((segment->bytes & mask) + offset + mask) >> page_shift);
}

/* The segments that can be PRP entries together, from the first on: only the first may start inside
 * a page, only the last may end inside one (4.3), and they touch `most` pages altogether. Sets
 * *pages and prps->fits. */
static unsigned measure(struct nvme_dptr *prps, const struct nvme_segment *segments, unsigned count,
                        uint32_t most, uint32_t *pages)
{
    uint32_t mask = (1u << prps->page_shift) - 1;
    uint32_t edge = 0; /* bits that must be zero */
    unsigned i;

    *pages = prps->fits = 0;
    for (i = 0; i < count; i++) {
        uint32_t touched = pages_of(&segments[i], prps->page_shift);

        edge = (edge | (uint32_t)segments[i].bus) & (i == 0 ? DWORD_MASK : mask);
        if (edge != 0 || segments[i].bytes == 0 || touched > most - *pages)
            break;
        *pages += touched;
        prps->fits += segments[i].bytes;
        edge = (uint32_t)segments[i].bus + segments[i].bytes;
    }
    return i;
}

/* Entries for consecutive pages; four at a time, for long transfers consist of this. */
static void write_run(uint64_t *list, uint64_t bus, uint32_t pages, uint32_t page_bytes)
{
#if !defined(__OPTIMIZE_SIZE__)
    for (; pages >= 4; pages -= 4) {
        list[0] = le64(bus);
        list[1] = le64(bus + page_bytes);
        list[2] = le64(bus + 2 * page_bytes);
        list[3] = le64(bus + 3 * page_bytes);
        list += 4;
        bus += 4 * page_bytes;
    }
#endif
    for (; pages != 0; pages--) {
        *list++ = le64(bus);
        bus += page_bytes;
    }
}

/* Write list entries; the last one of a page that is not the last page points to the next page. */
static void fill_list(struct nvme_dptr *prps, const struct nvme_segment *segments)
{
    uint32_t page_bytes = 1u << prps->page_shift;
    uint32_t per_page = page_bytes / (uint32_t)PRP_BYTES;
    uint32_t left = prps->entries;
    uint32_t at = 0; /* entry of all list pages taken together */
    /* PRP1 is the first page of all. */
    uint64_t bus = (segments->bus | (page_bytes - 1)) + 1;
    uint32_t pages = pages_of(segments, prps->page_shift) - 1;

    prps->used_pages = 1;
    for (;;) {
        uint32_t room = per_page - (at & (per_page - 1)); /* in this list page */
        uint32_t run = left <= room ? left : room - 1;    /* all of it only if that is the end */

        if (run > pages)
            run = pages;
        write_run(&prps->list[at], bus, run, page_bytes);
        at += run;
        left -= run;
        if (left == 0)
            return;
        bus += run << prps->page_shift; /* a list page's worth at most */
        pages -= run;
        if (pages == 0) {
            segments++;
            bus = segments->bus;
            pages = pages_of(segments, prps->page_shift);
        }
        if ((at & (per_page - 1)) == per_page - 1 && left > 1) {
            at++;
            prps->list[at - 1] = le64(prps->list_bus + at * (uint32_t)PRP_BYTES);
            prps->used_pages++;
        }
    }
}

int nvme_prps_build(struct nvme_dptr *prps, const struct nvme_segment *segments, unsigned count)
{
    uint32_t per_page = (1u << prps->page_shift) / (uint32_t)PRP_BYTES;
    uint32_t page_mask = (1u << prps->page_shift) - 1;
    uint32_t most = prps->list_pages ? prps->list_pages * (per_page - 1) + 2 : 2;
    uint32_t pages;

    if (measure(prps, segments, count, most, &pages) != count || count == 0)
        return NVME_E_INVAL;
    prps->prp1 = segments[0].bus;
    prps->prp2 = 0;
    prps->entries = 0;
    prps->used_pages = 0;
    if (pages == 1)
        return NVME_OK;
    if (pages == 2) { /* PRP2 is the second page itself */
        prps->prp2 = count == 2 ? segments[1].bus : (segments[0].bus | page_mask) + 1;
        return NVME_OK;
    }
    prps->entries = pages - 1;
    prps->prp2 = prps->list_bus;
    fill_list(prps, segments);
    return NVME_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory areas: allocation, addresses, grants and contents; see memory.h. The device's accesses are
 * in memory_dma.c.
 */
#include "host/memory_area.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_LARGE ((size_t)1 << 20)

#include "engine/pattern.h"

/* Where there is memory below 4 GiB: above what old machines keep for themselves, below the window
 * of BARs (enumerate.c). */
#define MEMORY_LOW_BASE UINT64_C(0x01000000)
#define MEMORY_LOW_END  UINT64_C(0xe0000000)

static void *memory_must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

struct memory *memory_create(uint64_t base, enum memory_form data_form)
{
    struct memory *memory = memory_must(calloc(1, sizeof *memory));
    memory->zone.base = (base + MEMORY_PLACE - 1) & ~(uint64_t)(MEMORY_PLACE - 1);
    memory->reach = UINT64_MAX;
    memory->data_form = data_form;
    return memory;
}

void memory_limit_reach(struct memory *memory, uint64_t mask)
{
    assert(memory->count == 0 && mask >= UINT32_MAX);
    memory->reach = mask;
    memory->low.base = MEMORY_LOW_BASE;
}

/* Both addresses of an area start at a large boundary; smaller alignments are made by an offset, so
 * that the low bits of pointer and bus address agree and do not depend on the C library. */
static size_t memory_shift(size_t align)
{
    return align < MEMORY_PAGE ? align : 0;
}

static void area_destroy(struct memory_area *area)
{
    free(area->allocation);
    free(area->tags);
    free(area->grants);
    free(area);
}

void memory_destroy(struct memory *memory)
{
    if (memory == NULL)
        return;
    for (unsigned i = 0; i < memory->count; i++)
        area_destroy(memory->by_bus[i]);
    free(memory->by_bus);
    free(memory->by_pointer);
    free(memory->zone.by_place);
    free(memory->low.by_place);
    free(memory);
}

/* ---- allocation ---- */

static void list_insert(struct memory_area **list, unsigned count, struct memory_area *area,
                        bool by_pointer)
{
    unsigned at = count;
    while (at > 0 && (by_pointer ? (uintptr_t)list[at - 1]->bytes > (uintptr_t)area->bytes
                                 : list[at - 1]->bus > area->bus)) {
        list[at] = list[at - 1];
        at--;
    }
    list[at] = area;
}

static void list_remove(struct memory_area **list, unsigned count, const struct memory_area *area)
{
    unsigned at = 0;
    while (list[at] != area)
        at++;
    memmove(&list[at], &list[at + 1], (count - at - 1) * sizeof *list);
}

/* First gap that holds the area with a guard page on both sides, so that addresses freed are used
 * again and a long run stays within its footprint. */
static uint64_t memory_place(const struct memory *memory, const struct memory_zone *zone,
                             size_t span)
{
    uint64_t at = zone->base;
    for (unsigned i = 0; i < memory->count; i++) {
        const struct memory_area *area = memory->by_bus[i];
        if (area->bus < zone->base)
            continue;
        if (at + span + MEMORY_PAGE <= (area->bus & ~(uint64_t)(MEMORY_PLACE - 1)))
            return at;
        at = (area->bus + area->size + MEMORY_PAGE + MEMORY_PLACE - 1) &
             ~(uint64_t)(MEMORY_PLACE - 1);
    }
    return at;
}

/* Enter an area (or NULL, to take it out) at every place that it covers. */
static void places_set(struct memory *memory, const struct memory_area *area,
                       struct memory_area *value)
{
    struct memory_zone *zone = area->bus < memory->zone.base ? &memory->low : &memory->zone;
    uint64_t first = (area->bus - zone->base) / MEMORY_PLACE;
    uint64_t last = (area->bus + area->size - 1 - zone->base) / MEMORY_PLACE;
    if (last >= zone->place_count) {
        uint64_t count = (last + 1) * 2;
        zone->by_place = memory_must(realloc(zone->by_place, count * sizeof *zone->by_place));
        for (uint64_t i = zone->place_count; i < count; i++)
            zone->by_place[i] = NULL;
        zone->place_count = count;
    }
    for (uint64_t i = first; i <= last; i++)
        zone->by_place[i] = value;
}

/* bus: where its place begins. */
/* Zeroes for `bytes` bytes that begin `shift` behind the start of a place. The driver's queues of
 * many CPUs take hundreds of megabytes of which a run touches little: large ones come untouched
 * from the system. */
static void area_zeroes(struct memory_area *area, size_t bytes, size_t shift)
{
    size_t places = (bytes + shift + MEMORY_PLACE - 1) / MEMORY_PLACE;
    if (bytes < MEMORY_LARGE) {
        area->allocation = memory_must(aligned_alloc(MEMORY_PLACE, places * MEMORY_PLACE));
        area->bytes = area->allocation + shift;
        memset(area->bytes, 0, bytes);
        return;
    }
    area->allocation = memory_must(calloc(places + 1, MEMORY_PLACE));
    uintptr_t start = (uintptr_t)area->allocation;
    area->bytes = area->allocation + (MEMORY_PLACE - start % MEMORY_PLACE) % MEMORY_PLACE + shift;
}

static struct memory_area *area_create(struct memory *memory, uint64_t bus, size_t bytes,
                                       size_t align, bool is_data, bool uncached)
{
    struct memory_area *area = memory_must(calloc(1, sizeof *area));
    size_t shift = memory_shift(align);
    area->size = bytes;
    area->bus = bus + shift;
    area->reachable = area->bus + bytes - 1 <= memory->reach;
    area_zeroes(area, bytes, shift);
    area->uncached = uncached;
    if (is_data && memory->data_form == MEMORY_TAGS && bytes % PATTERN_BYTES == 0)
        area->tags = memory_must(calloc(bytes / PATTERN_BYTES, sizeof *area->tags));
    if (memory->count == memory->capacity) {
        memory->capacity = memory->capacity == 0 ? 32 : memory->capacity * 2;
        memory->by_bus =
            memory_must(realloc(memory->by_bus, memory->capacity * sizeof *memory->by_bus));
        memory->by_pointer =
            memory_must(realloc(memory->by_pointer, memory->capacity * sizeof *memory->by_pointer));
    }
    list_insert(memory->by_bus, memory->count, area, false);
    list_insert(memory->by_pointer, memory->count, area, true);
    memory->count++;
    places_set(memory, area, area);
    return area;
}

struct memory_area *memory_alloc(struct memory *memory, size_t bytes, size_t align, bool is_data,
                                 bool uncached)
{
    assert(bytes > 0 && align > 0 && align <= MEMORY_PLACE && (align & (align - 1)) == 0);
    uint64_t bus = memory_place(memory, &memory->zone, bytes + memory_shift(align));
    return area_create(memory, bus, bytes, align, is_data, uncached);
}

struct memory_area *memory_alloc_reachable(struct memory *memory, size_t bytes, size_t align,
                                           bool is_data, bool uncached)
{
    assert(bytes > 0 && align > 0 && align <= MEMORY_PLACE && (align & (align - 1)) == 0);
    size_t span = bytes + memory_shift(align);
    uint64_t bus = memory_place(memory, &memory->zone, span);
    if (bus + span - 1 > memory->reach) {
        uint64_t end = memory->zone.base < MEMORY_LOW_END ? memory->zone.base : MEMORY_LOW_END;
        bus = memory_place(memory, &memory->low, span);
        if (bus + span + MEMORY_PAGE > end)
            return NULL;
    }
    return area_create(memory, bus, bytes, align, is_data, uncached);
}

void memory_free(struct memory *memory, struct memory_area *area)
{
    if (area == NULL)
        return;
    places_set(memory, area, NULL);
    list_remove(memory->by_bus, memory->count, area);
    list_remove(memory->by_pointer, memory->count, area);
    memory->count--;
    memory->last_pointer = NULL;
    area_destroy(area);
}

/* ---- finding ---- */

static bool holds_pointer(const struct memory_area *area, uintptr_t pointer)
{
    return pointer - (uintptr_t)area->bytes < area->size;
}

struct memory_area *memory_find(struct memory *memory, const void *pointer, size_t bytes,
                                size_t *offset)
{
    uintptr_t address = (uintptr_t)pointer;
    struct memory_area *area = memory->last_pointer;
    if (area == NULL || !holds_pointer(area, address)) {
        unsigned low = 0, high = memory->count;
        while (low < high) { /* first area that begins above the address */
            unsigned middle = (low + high) / 2;
            if ((uintptr_t)memory->by_pointer[middle]->bytes <= address)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == 0 || !holds_pointer(memory->by_pointer[low - 1], address))
            return NULL;
        area = memory->last_pointer = memory->by_pointer[low - 1];
    }
    *offset = address - (uintptr_t)area->bytes;
    return bytes <= area->size - *offset ? area : NULL;
}

struct memory_area *memory_at_bus(struct memory *memory, uint64_t bus)
{
    const struct memory_zone *zone = bus < memory->zone.base ? &memory->low : &memory->zone;
    uint64_t place = (bus - zone->base) / MEMORY_PLACE;
    if (bus < zone->base || place >= zone->place_count)
        return NULL;
    struct memory_area *area = zone->by_place[place];
    return area != NULL && bus - area->bus < area->size ? area : NULL;
}

void *memory_pointer(const struct memory_area *area)
{
    return area->bytes;
}

uint64_t memory_bus(const struct memory_area *area)
{
    return area->bus;
}

size_t memory_bytes(const struct memory_area *area)
{
    return area->size;
}

bool memory_is_uncached(const struct memory_area *area)
{
    return area->uncached;
}

bool memory_is_reachable(const struct memory_area *area)
{
    return area->reachable;
}

uint64_t memory_refused(const struct memory *memory)
{
    return memory->refused;
}

/* ---- grants ---- */

void memory_grant(struct memory_area *area, size_t offset, size_t bytes,
                  enum memory_direction direction)
{
    assert(bytes <= area->size && offset <= area->size - bytes);
    if (!area->reachable)
        return;
    if (area->grant_count == area->grant_capacity) {
        area->grant_capacity = area->grant_capacity == 0 ? 4 : area->grant_capacity * 2;
        area->grants =
            memory_must(realloc(area->grants, area->grant_capacity * sizeof *area->grants));
    }
    area->grants[area->grant_count++] = (struct memory_grant){offset, bytes, direction};
}

bool memory_revoke(struct memory_area *area, size_t offset, size_t bytes,
                   enum memory_direction direction)
{
    for (unsigned i = 0; i < area->grant_count; i++) {
        const struct memory_grant *grant = &area->grants[i];
        if (grant->offset == offset && grant->bytes == bytes && grant->direction == direction) {
            area->grants[i] = area->grants[--area->grant_count];
            return true;
        }
    }
    return false;
}

unsigned memory_grants(const struct memory_area *area)
{
    return area->grant_count;
}

/* The end of the grant that reaches farthest from offset on; offset if there is none. */
static size_t grant_end(const struct memory_area *area, size_t offset,
                        enum memory_direction direction)
{
    size_t end = offset;
    for (unsigned i = 0; i < area->grant_count; i++) {
        const struct memory_grant *grant = &area->grants[i];
        if ((grant->direction & direction) != 0 && offset >= grant->offset &&
            grant->offset + grant->bytes > end)
            end = grant->offset + grant->bytes;
    }
    return end;
}

/* An access may lie over several grants that meet: pieces of a buffer that were mapped one by one
 * have neighbouring bus addresses, and are one piece to the device. */
bool memory_granted(const struct memory_area *area, size_t offset, size_t bytes,
                    enum memory_direction direction)
{
    for (unsigned i = 0; i < area->grant_count; i++) {
        const struct memory_grant *grant = &area->grants[i];
        if ((grant->direction & direction) != 0 && offset >= grant->offset &&
            bytes <= grant->bytes && offset - grant->offset <= grant->bytes - bytes)
            return true;
    }
    do {
        size_t reach = grant_end(area, offset, direction) - offset;
        if (reach == 0)
            return false;
        offset += reach;
        bytes -= reach < bytes ? reach : bytes;
    } while (bytes != 0);
    return true;
}

/* ---- contents ---- */

void memory_to_bytes(struct memory_area *area)
{
    if (area->tags == NULL)
        return;
    for (size_t i = 0; i < area->size / PATTERN_BYTES; i++)
        pattern_expand(area->tags[i], area->bytes + i * PATTERN_BYTES);
    free(area->tags);
    area->tags = NULL;
}

void memory_copy(struct memory_area *to, size_t to_offset, struct memory_area *from,
                 size_t from_offset, size_t bytes)
{
    if (to->tags != NULL && from->tags != NULL &&
        (to_offset | from_offset | bytes) % PATTERN_BYTES == 0) {
        memmove(to->tags + to_offset / PATTERN_BYTES, from->tags + from_offset / PATTERN_BYTES,
                bytes / PATTERN_BYTES * sizeof *to->tags);
        return;
    }
    memory_to_bytes(to);
    memory_to_bytes(from);
    memmove(to->bytes + to_offset, from->bytes + from_offset, bytes);
}

void memory_set_tag(struct memory_area *area, size_t offset, uint64_t tag)
{
    if (area->tags != NULL)
        area->tags[offset / PATTERN_BYTES] = tag;
    else
        pattern_expand(tag, area->bytes + offset);
}

void memory_fill_tag(struct memory_area *area, size_t offset, uint64_t tag, uint32_t count)
{
    if (area->tags == NULL) {
        for (uint32_t i = 0; i < count; i++)
            pattern_expand(tag, area->bytes + offset + (size_t)i * PATTERN_BYTES);
        return;
    }
    uint64_t *tags = area->tags + offset / PATTERN_BYTES;
    for (uint32_t i = 0; i < count; i++)
        tags[i] = tag;
}

bool memory_get_tag(struct memory_area *area, size_t offset, uint64_t *tag)
{
    if (area->tags == NULL)
        return pattern_recognise(area->bytes + offset, tag);
    *tag = area->tags[offset / PATTERN_BYTES];
    return true;
}

bool memory_holds_tags(const struct memory_area *area, size_t offset, const uint64_t *tags,
                       uint32_t count)
{
    return area->tags != NULL &&
           memcmp(area->tags + offset / PATTERN_BYTES, tags, count * sizeof *tags) == 0;
}

/* ---- for readers ---- */

/* The area that holds all of [bus, bus + bytes), or NULL. */
static struct memory_area *holder(struct memory *memory, uint64_t bus, size_t bytes, size_t *offset)
{
    struct memory_area *area = memory_at_bus(memory, bus);
    if (area == NULL || bus - area->bus > area->size || bytes > area->size - (bus - area->bus))
        return NULL;
    *offset = (size_t)(bus - area->bus);
    return area;
}

bool memory_peek(struct memory *memory, uint64_t bus, void *to, size_t bytes)
{
    size_t offset;
    const struct memory_area *area = holder(memory, bus, bytes, &offset);
    if (area == NULL || area->tags != NULL)
        return false;
    memcpy(to, area->bytes + offset, bytes);
    return true;
}

#define DIGEST_START UINT64_C(0xcbf29ce484222325) /* FNV-1a, a word at a time */
#define DIGEST_PRIME UINT64_C(0x100000001b3)

uint64_t memory_digest(struct memory *memory, uint64_t bus, size_t bytes)
{
    size_t offset;
    const struct memory_area *area = holder(memory, bus, bytes, &offset);
    uint64_t digest = DIGEST_START, word;
    if (area == NULL)
        return 0;
    if (area->tags != NULL) {
        size_t end = (offset + bytes + PATTERN_BYTES - 1) / PATTERN_BYTES;
        for (size_t i = offset / PATTERN_BYTES; i < end; i++)
            digest = (digest ^ area->tags[i]) * DIGEST_PRIME;
        return digest;
    }
    for (size_t at = 0; at < bytes; at += sizeof word) {
        size_t part = bytes - at < sizeof word ? bytes - at : sizeof word;
        word = 0;
        memcpy(&word, area->bytes + offset + at, part);
        digest = (digest ^ word) * DIGEST_PRIME;
    }
    return digest;
}

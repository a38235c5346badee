/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The simulated host's memory. It consists of areas, each with a CPU address (a pointer that the
 * driver core may hold), a bus address, contents, and grants: which part of it a device may reach
 * in which direction, and for how long. Bus addresses are not pointers: an access outside a grant
 * is refused. Areas lie a guard page apart, so running off an end is caught too.
 *
 * Contents of data areas are held as one tag per 512 bytes of the area (engine/pattern.h) as long
 * as every access moves whole 512-byte blocks; the first access that does not turns the area into
 * plain bytes for good. Nothing else depends on which form an area has.
 */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pcie/port.h"

struct memory;
struct memory_area;

enum memory_direction { MEMORY_TO_DEVICE = 1, MEMORY_FROM_DEVICE = 2, MEMORY_BOTH_WAYS = 3 };

enum memory_form { MEMORY_BYTES, MEMORY_TAGS };

/* base: bus address of the first area. data_form: what data areas begin as. */
struct memory *memory_create(uint64_t base, enum memory_form data_form);
/* Before the first area: the device can use no bus address above mask (a power of two less one, at
 * least 32 bits). Nothing above can be granted. */
void memory_limit_reach(struct memory *memory, uint64_t mask);
void memory_destroy(struct memory *memory);

/* An area of zeroes. Its addresses are a multiple of align (a power of two, up to 64 KiB) and of no
 * larger power of two below a page. is_data: see above; otherwise always bytes. uncached: the CPU's
 * cache does not hold it. Never NULL. */
struct memory_area *memory_alloc(struct memory *memory, size_t bytes, size_t align, bool is_data,
                                 bool uncached);
/* The same, where the device can reach it, whatever the base. NULL if there is no room left. */
struct memory_area *memory_alloc_reachable(struct memory *memory, size_t bytes, size_t align,
                                           bool is_data, bool uncached);
void memory_free(struct memory *memory, struct memory_area *area);

/* The area that holds [pointer, pointer + bytes), or NULL. *offset: from its start. */
struct memory_area *memory_find(struct memory *memory, const void *pointer, size_t bytes,
                                size_t *offset);

void *memory_pointer(const struct memory_area *area);
uint64_t memory_bus(const struct memory_area *area);
size_t memory_bytes(const struct memory_area *area);
bool memory_is_uncached(const struct memory_area *area);
bool memory_is_reachable(const struct memory_area *area);

/* Let the device reach [offset, offset + bytes) in this direction until the matching revoke. Grants
 * may overlap; each is revoked with the same values. Of an area that the device cannot reach
 * nothing can be granted, and nothing happens. */
void memory_grant(struct memory_area *area, size_t offset, size_t bytes,
                  enum memory_direction direction);
/* False if there is no such grant. */
bool memory_revoke(struct memory_area *area, size_t offset, size_t bytes,
                   enum memory_direction direction);
unsigned memory_grants(const struct memory_area *area);

/* Contents. Offsets of the tag functions are multiples of 512 from the area's start. */
void memory_copy(struct memory_area *to, size_t to_offset, struct memory_area *from,
                 size_t from_offset, size_t bytes);
void memory_set_tag(struct memory_area *area, size_t offset, uint64_t tag);
/* The same for `count` times 512 bytes, all of one tag. */
void memory_fill_tag(struct memory_area *area, size_t offset, uint64_t tag, uint32_t count);
/* False if the 512 bytes are not a whole pattern. */
bool memory_get_tag(struct memory_area *area, size_t offset, uint64_t *tag);
/* Whether `count` times 512 bytes are held as tags, and as these. False says nothing about an area
 * that is held as bytes: ask block by block. */
bool memory_holds_tags(const struct memory_area *area, size_t offset, const uint64_t *tags,
                       uint32_t count);

/* For readers of the event stream: the contents of [bus, bus + bytes) as the CPU has them, whoever
 * may reach them; false if they are in no area, or in one that is held as tags. And a number that
 * changes with the contents, however they are held; 0 if they are in no area. */
bool memory_peek(struct memory *memory, uint64_t bus, void *to, size_t bytes);
uint64_t memory_digest(struct memory *memory, uint64_t bus, size_t bytes);

/* The host side of a port (pcie/port.h), functional part. */
int memory_dma_read(struct memory *memory, uint64_t bus, void *to, uint32_t bytes);
int memory_dma_write(struct memory *memory, uint64_t bus, const void *from, uint32_t bytes);
bool memory_dma_read_tags(struct memory *memory, const struct pcie_segment *segments,
                          unsigned count, uint64_t *tags, uint32_t ntags);
bool memory_dma_write_tags(struct memory *memory, const struct pcie_segment *segments,
                           unsigned count, const uint64_t *tags, uint32_t ntags);
/* The tags of [bus, bus + bytes) to write, in the area itself; NULL unless they are whole blocks of
 * one area that is held as tags and the device may write there. Valid until the contents change
 * form. */
uint64_t *memory_dma_place_tags(struct memory *memory, uint64_t bus, uint64_t bytes);
/* DMA accesses refused so far. */
uint64_t memory_refused(const struct memory *memory);

#endif

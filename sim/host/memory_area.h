/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a memory area is, for memory.c and memory_dma.c only.
 */
#ifndef HOST_MEMORY_AREA_H
#define HOST_MEMORY_AREA_H

#include "host/memory.h"

#define MEMORY_PAGE ((size_t)4096) /* guard between areas */
#define MEMORY_PLACE                                                                               \
    ((size_t)65536) /* areas begin at multiples of this, plus their alignment offset */

struct memory_grant {
    size_t offset, bytes;
    enum memory_direction direction;
};

struct memory_area {
    uint8_t *bytes; /* contents, unless tags != NULL; always the CPU address */
    uint64_t *tags;
    size_t size;
    uint64_t bus;
    struct memory_grant *grants;
    unsigned grant_count, grant_capacity;
    bool uncached;
    bool reachable; /* by the device's bus addresses, all of it */
    uint8_t *allocation;
};

/* A range of bus addresses that areas are placed in. */
struct memory_zone {
    uint64_t base; /* bus address of place 0 */
    struct memory_area *
        *by_place; /* the area that lies in each MEMORY_PLACE from base on; never two */
    uint64_t place_count;
};

struct memory {
    struct memory_area **by_bus, **by_pointer;
    unsigned count, capacity;
    struct memory_area *last_pointer; /* found last: most look-ups repeat */
    struct memory_zone zone;
    struct memory_zone low; /* for what must be reachable where the zone begins too high */
    uint64_t reach;         /* highest bus address that the device can use */
    uint64_t refused;
    enum memory_form data_form;
};

struct memory_area *memory_at_bus(struct memory *memory, uint64_t bus);
/* Is all of this inside one grant that allows the direction? */
bool memory_granted(const struct memory_area *area, size_t offset, size_t bytes,
                    enum memory_direction direction);
void memory_to_bytes(struct memory_area *area);

#endif

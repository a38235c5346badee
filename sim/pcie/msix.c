/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MSI-X table, masks and pending bits. See msix.h.
 */
#include "pcie/msix.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VECTOR_MASKED 1u

/* Dwords of a table entry. */
enum { ENTRY_ADDRESS_LOW, ENTRY_ADDRESS_HIGH, ENTRY_DATA, ENTRY_CONTROL };

void msix_init(struct msix *msix, unsigned vectors, msix_due_fn *due, void *ctx)
{
    assert(vectors <= MSIX_VECTORS_MAX);
    msix->vectors = (uint16_t)vectors;
    msix->due = due;
    msix->ctx = ctx;
    msix->table = calloc(vectors > 0 ? vectors : 1, sizeof *msix->table);
    if (msix->table == NULL) {
        fprintf(stderr, "doorbell: out of memory for an MSI-X table\n");
        exit(4);
    }
    msix_reset(msix);
}

void msix_free(struct msix *msix)
{
    free(msix->table);
    msix->table = NULL;
}

void msix_reset(struct msix *msix)
{
    msix->enabled = false;
    msix->function_masked = false;
    memset(msix->pending, 0, sizeof msix->pending);
    for (unsigned i = 0; i < msix->vectors; i++)
        msix->table[i] = (struct msix_entry){.control = VECTOR_MASKED};
}

static bool is_pending(const struct msix *msix, unsigned vector)
{
    return (msix->pending[vector / 64] >> vector % 64 & 1u) != 0;
}

static bool is_masked(const struct msix *msix, unsigned vector)
{
    return msix->function_masked || (msix->table[vector].control & VECTOR_MASKED) != 0;
}

/* A mask was lifted somewhere: hand over what was waiting for that. */
static void deliver_if_due(struct msix *msix, unsigned vector)
{
    if (!msix->enabled || !is_pending(msix, vector) || is_masked(msix, vector))
        return;
    msix_withdraw(msix, vector);
    msix->due(msix->ctx, vector);
}

void msix_set_control(struct msix *msix, bool enable, bool function_mask)
{
    msix->enabled = enable;
    msix->function_masked = function_mask;
    for (unsigned i = 0; i < msix->vectors; i++)
        deliver_if_due(msix, i);
}

static bool is_supported(uint64_t offset, unsigned size)
{
    return (size == 4 || size == 8) && offset % size == 0;
}

/* All ones in the size of the access. */
static uint64_t all_ones(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
}

static uint32_t table_dword(const struct msix *msix, uint64_t offset)
{
    const struct msix_entry *entry;

    if (offset / MSIX_ENTRY_BYTES >= msix->vectors)
        return 0;
    entry = &msix->table[offset / MSIX_ENTRY_BYTES];
    switch (offset % MSIX_ENTRY_BYTES / 4) {
    case ENTRY_ADDRESS_LOW:
        return (uint32_t)entry->address;
    case ENTRY_ADDRESS_HIGH:
        return (uint32_t)(entry->address >> 32);
    case ENTRY_DATA:
        return entry->data;
    default:
        return entry->control;
    }
}

uint64_t msix_table_read(const struct msix *msix, uint64_t offset, unsigned size)
{
    uint64_t value;

    if (!is_supported(offset, size))
        return all_ones(size);
    value = table_dword(msix, offset);
    if (size == 8)
        value |= (uint64_t)table_dword(msix, offset + 4) << 32;
    return value;
}

static void table_write_dword(struct msix *msix, uint64_t offset, uint32_t value)
{
    unsigned vector = (unsigned)(offset / MSIX_ENTRY_BYTES);
    struct msix_entry *entry;

    if (offset / MSIX_ENTRY_BYTES >= msix->vectors)
        return;
    entry = &msix->table[vector];
    switch (offset % MSIX_ENTRY_BYTES / 4) {
    case ENTRY_ADDRESS_LOW: /* bits 1:0 must be zero (6.8.2.8) */
        entry->address = (entry->address & ~UINT64_C(0xffffffff)) | (value & ~UINT32_C(3));
        break;
    case ENTRY_ADDRESS_HIGH:
        entry->address = (uint64_t)value << 32 | (uint32_t)entry->address;
        break;
    case ENTRY_DATA:
        entry->data = value;
        break;
    default:
        entry->control = value & VECTOR_MASKED;
        deliver_if_due(msix, vector);
        break;
    }
}

void msix_table_write(struct msix *msix, uint64_t offset, unsigned size, uint64_t value)
{
    if (!is_supported(offset, size))
        return;
    table_write_dword(msix, offset, (uint32_t)value);
    if (size == 8)
        table_write_dword(msix, offset + 4, (uint32_t)(value >> 32));
}

uint64_t msix_pending_read(const struct msix *msix, uint64_t offset, unsigned size)
{
    uint64_t word;

    if (!is_supported(offset, size))
        return all_ones(size);
    if (offset / 8 >= MSIX_VECTORS_MAX / 64)
        return 0;
    word = msix->pending[offset / 8];
    if (size == 8)
        return word;
    return (uint32_t)(word >> offset % 8 * 8);
}

bool msix_raise(struct msix *msix, unsigned vector, uint64_t *address, uint32_t *data)
{
    assert(msix->enabled && vector < msix->vectors);
    if (is_masked(msix, vector)) {
        msix->pending[vector / 64] |= UINT64_C(1) << vector % 64;
        return false;
    }
    *address = msix->table[vector].address;
    *data = msix->table[vector].data;
    return true;
}

void msix_withdraw(struct msix *msix, unsigned vector)
{
    msix->pending[vector / 64] &= ~(UINT64_C(1) << vector % 64);
}

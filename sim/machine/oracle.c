/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The data oracle: stamps what is written, remembers it, and checks what is read, all outside
 * simulated time; see machine.h and engine/pattern.h.
 */
#include "machine/state.h"

#include <stdlib.h>

#include "engine/pattern.h"

/* What a buffer holds before a read, so that data of an earlier read cannot pass for this one's. No
 * request writes it: request numbers stay below 2^32 - 1. */
#define POISON UINT64_MAX

void oracle_create(struct oracle *oracle, uint64_t device_bytes, bool verify)
{
    oracle->next_request = 1;
    if (verify)
        oracle->expected = store_create(device_bytes);
}

void oracle_destroy(struct oracle *oracle)
{
    store_destroy(oracle->expected);
    free(oracle->scratch);
}

uint32_t machine_next_request(struct machine *machine)
{
    machine->oracle.verdict.requests++;
    return machine->oracle.next_request++;
}

static uint64_t *oracle_scratch(struct oracle *oracle, uint32_t units)
{
    if (units > oracle->scratch_units) {
        free(oracle->scratch);
        oracle->scratch = malloc(units * sizeof *oracle->scratch);
        if (oracle->scratch == NULL)
            abort();
        oracle->scratch_units = units;
    }
    return oracle->scratch;
}

void machine_stamp(struct machine *machine, struct memory_area *area, size_t area_offset,
                   uint64_t offset, uint32_t bytes, uint32_t request)
{
    if (machine->oracle.expected == NULL)
        return;
    uint32_t unit = (uint32_t)(offset / PATTERN_BYTES);
    for (uint32_t i = 0; i < bytes / PATTERN_BYTES; i++)
        memory_set_tag(area, area_offset + (size_t)i * PATTERN_BYTES,
                       pattern_tag(request, unit + i));
    host_record_store(machine->host, memory_bus(area) + area_offset, bytes);
}

void machine_written(struct machine *machine, uint64_t offset, uint32_t bytes, uint32_t request)
{
    struct oracle *oracle = &machine->oracle;
    if (oracle->expected == NULL)
        return;
    uint32_t units = bytes / PATTERN_BYTES;
    uint64_t *tags = oracle_scratch(oracle, units);
    for (uint32_t i = 0; i < units; i++)
        tags[i] = pattern_tag(request, (uint32_t)(offset / PATTERN_BYTES) + i);
    store_put_tags(oracle->expected, offset / PATTERN_BYTES, tags, units);
}

void machine_zeroed(struct machine *machine, uint64_t offset, uint64_t bytes)
{
    if (machine->oracle.expected != NULL)
        store_zero(machine->oracle.expected, offset / PATTERN_BYTES, bytes / PATTERN_BYTES);
}

void machine_poison(struct machine *machine, struct memory_area *area, size_t area_offset,
                    uint32_t bytes)
{
    if (machine->oracle.expected == NULL)
        return;
    memory_fill_tag(area, area_offset, POISON, bytes / PATTERN_BYTES);
    host_record_store(machine->host, memory_bus(area) + area_offset, bytes);
}

/* One by one, for the first block that is not what it should be, and how many there are. */
static void check_blocks(struct machine *machine, struct memory_area *area, size_t area_offset,
                         uint64_t offset, const uint64_t *expected, uint32_t units)
{
    struct oracle *oracle = &machine->oracle;
    uint32_t units_per_block = machine->device.block_bytes / PATTERN_BYTES;
    for (uint32_t i = 0; i < units; i += units_per_block) {
        bool good = true;
        for (uint32_t j = i; j < i + units_per_block; j++) {
            uint64_t found = POISON;
            bool whole = memory_get_tag(area, area_offset + (size_t)j * PATTERN_BYTES, &found);
            if (whole && found == expected[j])
                continue;
            if (oracle->verdict.blocks_mismatched == 0 && good) {
                oracle->verdict.first_offset = offset + (uint64_t)j * PATTERN_BYTES;
                oracle->verdict.first_expected = expected[j];
                oracle->verdict.first_found = whole ? found : POISON;
            }
            good = false;
        }
        oracle->verdict.blocks_mismatched += !good;
    }
}

void machine_check(struct machine *machine, struct memory_area *area, size_t area_offset,
                   uint64_t offset, uint32_t bytes)
{
    struct oracle *oracle = &machine->oracle;
    if (oracle->expected == NULL)
        return;
    uint32_t units = bytes / PATTERN_BYTES;
    uint64_t *expected = oracle_scratch(oracle, units);
    store_get_tags(oracle->expected, offset / PATTERN_BYTES, expected, units);
    oracle->verdict.blocks_verified += bytes / machine->device.block_bytes;
    if (!memory_holds_tags(area, area_offset, expected, units))
        check_blocks(machine, area, area_offset, offset, expected, units);
}

void machine_prefill(struct machine *machine, uint64_t bytes)
{
    enum { STEP = 4096 };
    uint64_t tags[STEP];
    uint64_t first_unit = 0;
    struct store *contents = ctrl_contents(machine->ctrl, machine->ns.nsid, &first_unit);
    uint64_t units = bytes / PATTERN_BYTES;
    uint32_t request = machine->oracle.next_request++;
    for (uint64_t at = 0; at < units; at += STEP) {
        uint32_t n = units - at < STEP ? (uint32_t)(units - at) : STEP;
        for (uint32_t i = 0; i < n; i++)
            tags[i] = pattern_tag(request, (uint32_t)(at + i));
        store_put_tags(contents, first_unit + at, tags, n);
        if (machine->oracle.expected != NULL)
            store_put_tags(machine->oracle.expected, at, tags, n);
    }
}

const struct machine_verdict *machine_verdict(const struct machine *machine)
{
    return &machine->oracle.verdict;
}

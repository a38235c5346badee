/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What each block of the device may hold, from what requests were asked to write and how they
 * ended. An acknowledged write leaves one value; one that failed leaves the old value or the new
 * one, block by block, and nothing else; a loss of power brings back what was not flushed (NVMe
 * 1.4, 6.8). A value is a word of 64 bits that fills the block. See campaign.h.
 */
#include "fault/campaign.h"

#include <stdio.h>
#include <string.h>

static void only(struct ledger_set *set, uint64_t value)
{
    set->count = 1;
    set->values[0] = value;
}

static bool holds(const struct ledger_set *set, uint64_t value)
{
    for (unsigned i = 0; i < set->count; i++)
        if (set->values[i] == value)
            return true;
    return false;
}

static void add(struct ledger_set *set, uint64_t value)
{
    if (holds(set, value))
        return;
    if (set->count == LEDGER_VALUES)
        campaign_fail("a block may hold more than %u values: the ledger is too small",
                      LEDGER_VALUES);
    set->values[set->count++] = value;
}

static void add_all(struct ledger_set *set, const struct ledger_set *other)
{
    for (unsigned i = 0; i < other->count; i++)
        add(set, other->values[i]);
}

void ledger_init(struct ledger *ledger, bool corrupt_allowed)
{
    memset(ledger, 0, sizeof *ledger);
    ledger->corrupt_allowed = corrupt_allowed;
    for (uint32_t i = 0; i < CAMPAIGN_BLOCKS; i++) {
        only(&ledger->blocks[i].now, 0);
        only(&ledger->blocks[i].behind, 0);
    }
}

uint64_t ledger_tag(uint64_t number, uint32_t block)
{
    return number << 32 | (block + 1);
}

void ledger_write(struct ledger *ledger, uint32_t block, uint64_t tag, uint64_t number, bool good,
                  bool forced, bool doubtful)
{
    struct ledger_block *b = &ledger->blocks[block];

    if (good && !doubtful) {
        only(&b->now, tag);
        b->written = number;
        b->unreadable = false;
        if (forced) {
            only(&b->behind, tag);
            return;
        }
    } else {
        add(&b->now, tag);
    }
    add(&b->behind, tag);
}

void ledger_flushed(struct ledger *ledger, uint64_t number)
{
    for (uint32_t i = 0; i < CAMPAIGN_BLOCKS; i++) {
        struct ledger_block *b = &ledger->blocks[i];

        if (b->written <= number && b->now.count == 1)
            b->behind = b->now;
    }
}

void ledger_power_lost(struct ledger *ledger)
{
    for (uint32_t i = 0; i < CAMPAIGN_BLOCKS; i++)
        add_all(&ledger->blocks[i].now, &ledger->blocks[i].behind);
}

static unsigned bits(uint64_t word)
{
    unsigned count = 0;

    for (; word != 0; word &= word - 1)
        count++;
    return count;
}

void ledger_read(struct ledger *ledger, uint32_t block, const uint64_t *words)
{
    const struct ledger_set *now = &ledger->blocks[block].now;
    unsigned fewest = UINT32_MAX;

    for (unsigned i = 0; i < now->count; i++) {
        unsigned wrong = 0;

        for (unsigned w = 0; w < CAMPAIGN_WORDS; w++)
            wrong += bits(words[w] ^ now->values[i]);
        if (wrong < fewest)
            fewest = wrong;
    }
    if (fewest == 0)
        return;
    if (fewest == 1 && ledger->corrupt_allowed) {
        ledger->corrupted++;
        return;
    }
    campaign_fail("block %u was read as %016llx %016llx ..., which nothing left there (%u values, "
                  "the first is %016llx)",
                  block, (unsigned long long)words[0], (unsigned long long)words[1], now->count,
                  (unsigned long long)now->values[0]);
}

bool ledger_certain(const struct ledger *ledger, uint32_t block, uint64_t *tag)
{
    *tag = ledger->blocks[block].now.values[0];
    return ledger->blocks[block].now.count == 1 && !ledger->blocks[block].unreadable;
}

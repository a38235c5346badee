/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The journal of unsettled changes; see journal.h. A hash table with chaining: each bucket is a
 * list of saved cells, newest first, so those of one cell come in the order of their age. Cells are
 * independent of each other, so taking back means: each cell becomes what its oldest record says.
 */
#include "media/journal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "media/cell.h"
#include "media/memory.h"

#define BUCKETS_FIRST UINT64_C(1024)

struct saved {
    struct saved *next;
    uint64_t cell;
    uint64_t version;
    uint64_t tags[CELL_UNITS];
    uint8_t *bytes; /* NULL: the tags are meant */
};

struct journal {
    struct saved **buckets;
    uint64_t bucket_count; /* a power of two */
    uint64_t count;
    uint64_t version;
};

struct journal *journal_create(void)
{
    struct journal *journal = media_allocate(1, sizeof *journal);

    journal->bucket_count = BUCKETS_FIRST;
    journal->buckets = media_allocate(BUCKETS_FIRST, sizeof(struct saved *));
    return journal;
}

static void saved_free(struct journal *journal, struct saved *saved)
{
    free(saved->bytes);
    free(saved);
    journal->count--;
}

void journal_destroy(struct journal *journal)
{
    if (journal == NULL)
        return;
    journal_settle_all(journal, UINT64_MAX);
    free(journal->buckets);
    free(journal);
}

void journal_next_version(struct journal *journal)
{
    journal->version++;
}

uint64_t journal_version(const struct journal *journal)
{
    return journal->version;
}

uint64_t journal_count(const struct journal *journal)
{
    return journal->count;
}

static struct saved **bucket_of(const struct journal *journal, uint64_t cell)
{
    return &journal->buckets[(cell ^ cell >> 16) & (journal->bucket_count - 1)];
}

/* Twice the buckets. Each list is appended to its new one in order, so ages stay in order. */
static void grow(struct journal *journal)
{
    struct saved **old = journal->buckets;
    uint64_t old_count = journal->bucket_count;

    journal->bucket_count *= 2;
    journal->buckets = media_allocate(journal->bucket_count, sizeof(struct saved *));
    for (uint64_t i = 0; i < old_count; i++) {
        struct saved *saved = old[i];

        while (saved != NULL) {
            struct saved *next = saved->next;
            struct saved **end = bucket_of(journal, saved->cell);

            while (*end != NULL)
                end = &(*end)->next;
            saved->next = NULL;
            *end = saved;
            saved = next;
        }
    }
    free(old);
}

static struct saved *add(struct journal *journal, uint64_t cell)
{
    struct saved *saved = media_allocate(1, sizeof *saved);
    struct saved **bucket;

    if (journal->count >= journal->bucket_count)
        grow(journal);
    bucket = bucket_of(journal, cell);
    saved->cell = cell;
    saved->version = journal->version;
    saved->next = *bucket;
    *bucket = saved;
    journal->count++;
    return saved;
}

void journal_save_tags(struct journal *journal, uint64_t cell, const uint64_t *tags)
{
    memcpy(add(journal, cell)->tags, tags, CELL_UNITS * sizeof *tags);
}

void journal_save_bytes(struct journal *journal, uint64_t cell, const uint8_t *bytes,
                        uint32_t count)
{
    struct saved *saved = add(journal, cell);

    saved->bytes = media_allocate(1, count);
    memcpy(saved->bytes, bytes, count);
}

static void settle_bucket(struct journal *journal, struct saved **at, bool any, uint64_t cell,
                          uint64_t version)
{
    while (*at != NULL) {
        struct saved *saved = *at;

        if ((any || saved->cell == cell) && saved->version <= version) {
            *at = saved->next;
            saved_free(journal, saved);
        } else {
            at = &saved->next;
        }
    }
}

void journal_settle(struct journal *journal, uint64_t cell, uint64_t version)
{
    settle_bucket(journal, bucket_of(journal, cell), false, cell, version);
}

void journal_settle_all(struct journal *journal, uint64_t version)
{
    for (uint64_t i = 0; i < journal->bucket_count; i++)
        settle_bucket(journal, &journal->buckets[i], true, 0, version);
}

void journal_take_back(struct journal *journal, journal_restore_fn *restore, void *ctx)
{
    for (uint64_t i = 0; i < journal->bucket_count; i++) {
        while (journal->buckets[i] != NULL) {
            struct saved *saved = journal->buckets[i];

            journal->buckets[i] = saved->next;
            restore(ctx, saved->cell, saved->tags, saved->bytes);
            saved_free(journal, saved);
        }
    }
}

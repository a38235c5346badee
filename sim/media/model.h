/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the room: what media.c asks of a kind of medium. A kind says when an operation starts and
 * when it ends; counting, the one event per operation, and what flushes make safe are media.c's.
 * Nothing here is for other rooms.
 */
#ifndef MEDIA_MODEL_H
#define MEDIA_MODEL_H

#include "media/media.h"

struct media_span {
    uint64_t start_ps; /* the medium begins to work */
    uint64_t end_ps;
};

/* A kind of medium. `model` is what open() returned. */
struct media_model {
    void *(*open)(struct media *media);
    void (*close)(void *model);
    struct media_span (*span)(void *model, enum media_op op, uint64_t offset, uint64_t bytes,
                              uint64_t now_ps);
    uint64_t (*flush_ps)(const void *model);
    /* Both NULL where only a flush makes anything safe. settle: tell the contents what has become
     * safe until now (store_settle). power_loss: nothing is under way any more. */
    void (*settle)(void *model, uint64_t now_ps);
    void (*power_loss)(void *model, uint64_t now_ps);
};

extern const struct media_model media_null;
extern const struct media_model media_fixed;
extern const struct media_model media_page_cache;
extern const struct media_model media_nand;

/* What only this kind has (nand.c). */
struct ftl;
void nand_set_host_buffer(void *model, uint64_t bytes);
void nand_get_stats(const void *model, struct media_nand_stats *stats);
uint64_t nand_die_busy_ps(const void *model, uint32_t die);
const struct ftl *nand_ftl(const void *model); /* for tests of what must always hold */

/* A flush under way, and the last change that it makes safe. */
struct media_mark {
    uint64_t end_ps;
    uint64_t version;
};

struct media {
    struct engine *engine;
    struct media_span (*span)(void *model, enum media_op op, uint64_t offset, uint64_t bytes,
                              uint64_t now_ps); /* the kind's, one load nearer */
    void *model;
    const struct media_model *kind;
    struct store *contents; /* NULL: losses are not tracked */
    struct media_stats stats;
    struct media_params params;
    uint64_t capacity;
    struct media_mark *marks; /* of flushes that had not ended when last looked at */
    size_t mark_count, mark_capacity;
};

static inline uint64_t media_later(uint64_t a_ps, uint64_t b_ps)
{
    return a_ps > b_ps ? a_ps : b_ps;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the room: what media.c asks of a timing model, and the servers that models share. A model
 * says when an operation starts and when it ends; counting and the one event per operation are
 * media.c's. Nothing here is for other rooms.
 */
#ifndef MEDIA_MODEL_H
#define MEDIA_MODEL_H

#include "media/media.h"

/* A number of equal servers, each with the time at which it is free: a heap, earliest first. */
struct servers {
    uint64_t *free_ps;
    uint32_t count;
};
void servers_init(struct servers *servers, uint64_t count);
void servers_free(struct servers *servers);
/* Time at which the earliest free server is free. */
uint64_t servers_earliest(const struct servers *servers);
/* The earliest free server is busy until until_ps, which is not before it was free. */
void servers_occupy(struct servers *servers, uint64_t until_ps);

struct media_span {
    uint64_t start_ps; /* the medium begins to work */
    uint64_t end_ps;
};

struct media {
    struct engine *engine;
    struct media_params params;
    struct media_span (*span)(struct media *media, enum media_op op, uint32_t bytes,
                              uint64_t now_ps);
    struct servers servers;
    uint64_t read_line_free_ps, write_line_free_ps; /* shared bandwidth: time lines */
    uint64_t writes_end_ps;                         /* when every write started so far has ended */
    struct media_stats stats;
};

struct media_span media_null_span(struct media *media, enum media_op op, uint32_t bytes,
                                  uint64_t now_ps);
struct media_span media_fixed_span(struct media *media, enum media_op op, uint32_t bytes,
                                   uint64_t now_ps);
struct media_span media_page_cache_span(struct media *media, enum media_op op, uint32_t bytes,
                                        uint64_t now_ps);

static inline uint64_t media_later(uint64_t a_ps, uint64_t b_ps)
{
    return a_ps > b_ps ? a_ps : b_ps;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A number of equal servers, each with the time at which it is free: a heap, earliest first.
 */
#ifndef MEDIA_SERVERS_H
#define MEDIA_SERVERS_H

#include <stdint.h>

struct servers {
    uint64_t *free_ps;
    uint32_t count;
};

void servers_init(struct servers *servers, uint64_t count);
void servers_free(struct servers *servers);

/* Time at which the earliest free server is free. */
static inline uint64_t servers_earliest(const struct servers *servers)
{
    return servers->free_ps[0];
}

/* The earliest free server is busy until until_ps, which is not before it was free. */
void servers_occupy(struct servers *servers, uint64_t until_ps);
/* All are free. */
void servers_reset(struct servers *servers);

#endif

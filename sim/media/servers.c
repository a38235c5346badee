/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Equal servers; see servers.h.
 */
#include "media/servers.h"

#include <stdlib.h>
#include <string.h>

#include "media/memory.h"

void servers_init(struct servers *servers, uint64_t count)
{
    servers->count = (uint32_t)count;
    servers->free_ps = media_allocate(count + 1, sizeof *servers->free_ps);
    servers->free_ps[count] = UINT64_MAX; /* the sibling of an only child: never the earlier one */
}

void servers_free(struct servers *servers)
{
    free(servers->free_ps);
}

void servers_reset(struct servers *servers)
{
    memset(servers->free_ps, 0, servers->count * sizeof *servers->free_ps);
}

void servers_occupy(struct servers *servers, uint64_t until_ps)
{
    uint64_t *heap = servers->free_ps;
    uint32_t count = servers->count;
    uint32_t at = 0;

    for (uint32_t child = 1; child < count; child = 2 * at + 1) {
        child += heap[child + 1] < heap[child];
        if (heap[child] >= until_ps)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = until_ps;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Namespaces: their format, their contents, and their place on the medium.
 */
#ifndef NVME_NAMESPACE_H
#define NVME_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/rangeset.h"
#include "media/store.h"

struct ctrl;

struct namespace
{
    uint32_t nsid;
    bool allocated;
    bool attached;   /* active: commands may name it (6.1.4) */
    uint64_t blocks; /* NSZE */
    uint8_t block_log2;
    uint8_t units_per_block_log2; /* units of media/store.h */
    uint64_t media_at;            /* first byte on the medium */
    struct store *store;
    struct rangeset uncorrectable; /* blocks marked by Write Uncorrectable (6.16) */
};

struct namespaces {
    struct namespace *items; /* [nsid - 1] */
    uint32_t count;          /* NN: the highest NSID that can be (5.15.2.2) */
};

/* Position of a block in the store. */
static inline uint64_t namespace_unit(const struct namespace *ns, uint64_t block)
{
    return block << ns->units_per_block_log2;
}

void namespaces_init(struct ctrl *ctrl);
void namespaces_free(struct ctrl *ctrl);
/* NULL: not an active namespace of this controller. */
struct namespace *namespace_find(const struct ctrl *ctrl, uint32_t nsid);

#endif

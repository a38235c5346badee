/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of namespaces. Namespace n lies behind namespace n - 1 on the medium.
 */
#include <stdlib.h>

#include "nvme/internal.h"

#define BLOCK_LOG2_512  9u
#define BLOCK_LOG2_4096 12u
#define UNIT_LOG2       9u /* of media/store.h */

void namespaces_init(struct ctrl *ctrl)
{
    struct namespace *ns;

    ctrl->namespaces.count = 1;
    ctrl->namespaces.items = ctrl_allocate(1, sizeof *ctrl->namespaces.items);
    ns = &ctrl->namespaces.items[0];
    ns->nsid = 1;
    ns->allocated = ns->attached = true;
    ns->block_log2 =
        ctrl->params.block_bytes == BLOCK_CHOICE_512 ? BLOCK_LOG2_512 : BLOCK_LOG2_4096;
    ns->units_per_block_log2 = ns->block_log2 - UNIT_LOG2;
    ns->blocks = ctrl->params.namespace_size >> ns->block_log2;
    ns->store = store_create(ctrl->params.namespace_size);
}

void namespaces_free(struct ctrl *ctrl)
{
    for (uint32_t i = 0; i < ctrl->namespaces.count; i++) {
        store_destroy(ctrl->namespaces.items[i].store);
        rangeset_free(&ctrl->namespaces.items[i].uncorrectable);
    }
    free(ctrl->namespaces.items);
}

struct namespace *namespace_find(const struct ctrl *ctrl, uint32_t nsid)
{
    if (nsid - 1 >= ctrl->namespaces.count || !ctrl->namespaces.items[nsid - 1].attached)
        return NULL;
    return &ctrl->namespaces.items[nsid - 1];
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Compare (NVMe 1.4 section 6.6): the blocks are read from the medium, and the host's data is
 * compared with them as it arrives.
 */
#include <string.h>

#include "engine/pattern.h"
#include "nvme/internal.h"

uint16_t compare_start(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status = nvm_check_range(ctrl, cmd);

    if (status != STATUS_SUCCESS)
        return status;
    ctrl->stats.compares++;
    ctrl->stats.bytes_compared += cmd->bytes;
    cmd->kind = COMMAND_COMPARE;
    nvm_add_read_steps(ctrl, cmd, MEDIA_READ);
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

static bool equal_tags(const struct store *store, uint64_t unit, const uint64_t *tags,
                       uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t tag;

        if (!store_get_tags(store, unit + i, &tag, 1) || tag != tags[i])
            return false;
    }
    return true;
}

static bool equal_bytes(const struct store *store, uint64_t unit, const uint8_t *bytes,
                        uint32_t count)
{
    uint8_t held[PATTERN_BYTES];

    for (uint32_t i = 0; i < count; i++) {
        store_get_bytes(store, unit + i, held, 1);
        if (memcmp(held, bytes + (size_t)i * PATTERN_BYTES, PATTERN_BYTES) != 0)
            return false;
    }
    return true;
}

uint16_t compare_take(struct ctrl *ctrl, struct command *cmd)
{
    const struct store *store = cmd->ns->store;
    uint64_t unit = namespace_unit(cmd->ns, cmd->slba);
    uint32_t count = cmd->bytes / PATTERN_BYTES;
    struct transfer_data data;
    uint16_t status = transfer_in_take(ctrl, cmd, &data);
    bool equal;

    if (status != STATUS_SUCCESS)
        return status;
    equal = data.tags != NULL ? equal_tags(store, unit, data.tags, count)
                              : equal_bytes(store, unit, data.bytes, count);
    return equal ? STATUS_SUCCESS : STATUS_COMPARE_FAILURE;
}

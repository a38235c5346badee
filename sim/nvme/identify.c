/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Identify (NVMe 1.4 section 5.15): which data structures there are, and which NSIDs each of them
 * takes. A page is made when it is sent. NVM sets, virtualization and UUID lists are not supported:
 * their CNS values are Invalid Field, as are reserved ones (figure 244).
 */
#include "nvme/identify.h"

#include <string.h>

#include "nvme/internal.h"

static uint16_t any_nsid(const struct ctrl *ctrl, uint32_t nsid)
{
    (void)ctrl, (void)nsid;
    return STATUS_SUCCESS;
}

/* Lists begin behind the NSID given; the two largest values are not allowed (5.15.2.3). */
static uint16_t list_nsid(const struct ctrl *ctrl, uint32_t nsid)
{
    (void)ctrl;
    return nsid >= NSID_ALL - 1 ? STATUS_INVALID_NAMESPACE : STATUS_SUCCESS;
}

static uint16_t valid_nsid(const struct ctrl *ctrl, uint32_t nsid)
{
    return namespace_valid(ctrl, nsid) == NULL ? STATUS_INVALID_NAMESPACE : STATUS_SUCCESS;
}

/* The broadcast value asks for what all have in common, where namespaces can be created. */
static uint16_t valid_or_common(const struct ctrl *ctrl, uint32_t nsid)
{
    if (nsid == NSID_ALL && ctrl->params.oacs_ns_management)
        return STATUS_SUCCESS;
    return valid_nsid(ctrl, nsid);
}

static uint16_t allocated_nsid(const struct ctrl *ctrl, uint32_t nsid)
{
    const struct namespace *ns = namespace_valid(ctrl, nsid);

    if (ns == NULL)
        return STATUS_INVALID_NAMESPACE;
    return ns->allocated ? STATUS_SUCCESS : STATUS_INVALID_FIELD;
}

static uint16_t if_granularity(const struct ctrl *ctrl, uint32_t nsid)
{
    (void)nsid;
    return identify_has_granularity(ctrl) ? STATUS_SUCCESS : STATUS_INVALID_FIELD;
}

struct structure {
    uint8_t cns;
    uint16_t (*check)(const struct ctrl *ctrl, uint32_t nsid);
    identify_fill_fn *fill;
};

static const struct structure structures[] = {
    {CNS_NAMESPACE, valid_or_common, identify_fill_active},
    {CNS_CONTROLLER, any_nsid, identify_fill_controller},
    {CNS_ACTIVE_LIST, list_nsid, identify_fill_active_list},
    {CNS_DESCRIPTORS, namespace_check_active, identify_fill_descriptors},
    {CNS_ALLOCATED_LIST, list_nsid, identify_fill_allocated_list},
    {CNS_ALLOCATED_NAMESPACE, valid_nsid, identify_fill_allocated},
    {CNS_ATTACHED_CONTROLLERS, allocated_nsid, identify_fill_attached},
    {CNS_CONTROLLERS, any_nsid, identify_fill_controllers},
    {CNS_GRANULARITY, if_granularity, identify_fill_granularity},
};

static const struct structure *find_structure(const struct command *cmd)
{
    for (size_t i = 0; i < sizeof structures / sizeof structures[0]; i++) {
        if (structures[i].cns == (cmd->cdw[0] & 0xffu))
            return &structures[i];
    }
    return NULL;
}

uint16_t identify_start(struct ctrl *ctrl, struct command *cmd)
{
    const struct structure *structure = find_structure(cmd);
    uint16_t status = structure == NULL ? STATUS_INVALID_FIELD : structure->check(ctrl, cmd->nsid);

    if (status != STATUS_SUCCESS)
        return status;
    cmd->kind = COMMAND_ADMIN_IN;
    cmd->bytes = IDENTIFY_BYTES;
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

void identify_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *page)
{
    memset(page, 0, IDENTIFY_BYTES);
    find_structure(cmd)->fill(ctrl, cmd->nsid, cmd->cdw[0], page);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Namespace Management (NVMe 1.4 section 5.20) and Namespace Attachment (5.19; 8.12). Checks that
 * need no data come before the data is fetched. What a command does happens when its data has
 * arrived (or at once if it has none); a successful one completes after ctrl.ns_management_delay.
 * This is the only controller of its subsystem: the one controller that can be in a list is itself,
 * and a private namespace (5.19, Namespace Is Private) cannot be attached elsewhere.
 */
#include "nvme/internal.h"

#define NO_CONTROLLER_BEFORE (-1)

static void done(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd != NULL)
        complete_command(ctrl, cmd, STATUS_SUCCESS);
}

static uint16_t succeed(struct ctrl *ctrl, struct command *cmd)
{
    engine_after(ctrl->engine, ctrl->params.ns_management_delay, done, ctrl, command_arg(cmd));
    return COMMAND_GOES_ON;
}

static uint16_t fetch_data(struct ctrl *ctrl, struct command *cmd)
{
    cmd->kind = COMMAND_ADMIN_OUT;
    cmd->bytes = NS_STRUCTURE_SIZE;
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

/* The structure of figure 253. Thin provisioning is not claimed (NSFEAT bit 0), nor protection
 * information (DPC), NVM sets (CTRATT bit 2) or ANA (CMIC bit 3). */
static uint16_t create(struct ctrl *ctrl, struct command *cmd, const uint8_t *data)
{
    uint64_t size = wire_get64(data + ID_NSZE);
    uint64_t capacity = wire_get64(data + ID_NCAP);
    unsigned format = FLBAS_FORMAT(data[ID_FLBAS]);
    uint16_t status;
    uint8_t log2;

    if (format >= LBA_FORMATS || data[ID_DPS] != 0)
        return STATUS_INVALID_FORMAT;
    if ((data[ID_NMIC] & ~NMIC_SHARED) != 0 || wire_get16(data + ID_NVMSETID) != 0)
        return STATUS_INVALID_FIELD;
    if (wire_get32(data + ID_ANAGRPID) != 0)
        return STATUS_ANA_GROUP_INVALID;
    if (size == 0 || capacity > size)
        return STATUS_INVALID_FIELD;
    if (capacity < size)
        return STATUS_THIN_PROVISIONING;
    log2 = lba_format_log2((enum lba_format)format);
    if (size > UINT64_MAX >> log2)
        return STATUS_INSUFFICIENT_CAPACITY;
    status = namespace_create(ctrl, size << log2, (enum lba_format)format,
                              (data[ID_NMIC] & NMIC_SHARED) != 0, &cmd->dw0);
    return status == STATUS_SUCCESS ? succeed(ctrl, cmd) : status;
}

static void delete_one(struct ctrl *ctrl, struct namespace *ns)
{
    if (ns->attached)
        namespace_detach(ctrl, ns);
    namespace_delete(ctrl, ns);
}

/* The broadcast value means all of them (5.20). */
static uint16_t delete (struct ctrl *ctrl, struct command *cmd)
{
    struct namespace *ns = namespace_valid(ctrl, cmd->nsid);

    if (cmd->nsid == NSID_ALL) {
        if (ctrl->namespaces.formatting.running)
            return STATUS_FORMAT_IN_PROGRESS;
        for (uint32_t i = 0; i < ctrl->namespaces.count; i++) {
            if (ctrl->namespaces.items[i].allocated)
                delete_one(ctrl, &ctrl->namespaces.items[i]);
        }
        return succeed(ctrl, cmd);
    }
    if (ns == NULL)
        return STATUS_INVALID_NAMESPACE;
    if (!ns->allocated)
        return STATUS_INVALID_FIELD;
    if (ns->formatting)
        return STATUS_FORMAT_IN_PROGRESS;
    delete_one(ctrl, ns);
    return succeed(ctrl, cmd);
}

/* Controller list (4.9): ascending, of controllers that exist. */
static bool list_is_valid(const struct ctrl *ctrl, const uint8_t *data)
{
    uint16_t count = wire_get16(data);
    int before = NO_CONTROLLER_BEFORE;

    if (count == 0 || count > CONTROLLER_LIST_MAX)
        return false;
    for (uint16_t i = 0; i < count; i++) {
        uint16_t id = wire_get16(data + 2 + 2 * i);

        if (id <= before || id != ctrl->index)
            return false;
        before = id;
    }
    return true;
}

static uint16_t attach_or_detach(struct ctrl *ctrl, struct command *cmd, const uint8_t *data)
{
    /* It may have been deleted while the list was on its way. */
    struct namespace *ns = namespace_valid(ctrl, cmd->nsid);

    if (!ns->allocated)
        return STATUS_INVALID_FIELD;
    if (!list_is_valid(ctrl, data))
        return STATUS_CONTROLLER_LIST_INVALID;
    if (ns->formatting)
        return STATUS_FORMAT_IN_PROGRESS;
    if (NS_SELECT(cmd->cdw[0]) == NS_ATTACH) {
        if (ns->attached)
            return STATUS_ALREADY_ATTACHED;
        namespace_attach(ctrl, ns);
    } else {
        if (!ns->attached)
            return STATUS_NOT_ATTACHED;
        namespace_detach(ctrl, ns);
    }
    return succeed(ctrl, cmd);
}

static uint16_t management_execute(struct ctrl *ctrl, struct command *cmd)
{
    switch (NS_SELECT(cmd->cdw[0])) {
    case NS_CREATE: /* NSID is reserved; the controller chooses */
        return fetch_data(ctrl, cmd);
    case NS_DELETE:
        return delete (ctrl, cmd);
    default:
        return STATUS_INVALID_FIELD;
    }
}

static uint16_t attachment_execute(struct ctrl *ctrl, struct command *cmd)
{
    const struct namespace *ns = namespace_valid(ctrl, cmd->nsid);
    uint32_t select = NS_SELECT(cmd->cdw[0]);

    if (select != NS_ATTACH && select != NS_DETACH)
        return STATUS_INVALID_FIELD;
    if (ns == NULL)
        return STATUS_INVALID_NAMESPACE;
    if (!ns->allocated)
        return STATUS_INVALID_FIELD;
    return fetch_data(ctrl, cmd);
}

bool nsmgmt_exists(const struct ctrl *ctrl)
{
    return ctrl->params.oacs_ns_management;
}

bool nsmgmt_notices(const struct ctrl *ctrl)
{
    return nsmgmt_exists(ctrl) || format_exists(ctrl);
}

uint16_t nsmgmt_execute(struct ctrl *ctrl, struct command *cmd)
{
    return cmd->opcode == ADMIN_NS_MANAGEMENT ? management_execute(ctrl, cmd)
                                              : attachment_execute(ctrl, cmd);
}

uint16_t nsmgmt_data_arrived(struct ctrl *ctrl, struct command *cmd, const uint8_t *data)
{
    return cmd->opcode == ADMIN_NS_MANAGEMENT ? create(ctrl, cmd, data)
                                              : attach_or_detach(ctrl, cmd, data);
}

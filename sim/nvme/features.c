/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Get Features and Set Features (NVMe 1.4 sections 5.13, 5.21 and 7.8): what holds for all features
 * alike. What is particular about one is in its row (feature_table.c). Values are stored per slot,
 * a current and, if the feature can be saved, a saved one; the default is computed when asked for.
 * A controller level reset, like a power cycle, makes the saved value current, or the default where
 * nothing was saved. Identifiers that the table does not have are Invalid Field.
 */
#include <stdlib.h>
#include <string.h>

#include "nvme/internal.h"

#define SET_SAVE          UINT32_C(0x80000000)
#define GET_SELECT(cdw10) ((cdw10) >> 8 & 7u)
enum get_select { SELECT_CURRENT, SELECT_DEFAULT, SELECT_SAVED, SELECT_CAPABILITIES };

/* Dword 0 of Get with SELECT_CAPABILITIES (figure 177). */
#define CAPABILITY_SAVEABLE   0x1u
#define CAPABILITY_NAMESPACE  0x2u
#define CAPABILITY_CHANGEABLE 0x4u

#define ONCS_SAVE           0x0010u
#define ONCS_TIMESTAMP      0x0040u
#define CTRATT_HOST_ID_LONG 0x1u
#define FEATURE_BYTES_MAX   4096u

static const struct feature *find_row(const struct ctrl *ctrl, uint8_t id)
{
    for (size_t i = 0; i < FEATURE_ROWS; i++) {
        const struct feature *row = &feature_table[i];

        if (row->id == id && (row->exists == NULL || row->exists(ctrl)))
            return row;
    }
    return NULL;
}

static size_t number_of(const struct feature *row)
{
    return (size_t)(row - feature_table);
}

static bool is_saveable(const struct ctrl *ctrl, const struct feature *row)
{
    return row->saveable && ctrl->params.save_features;
}

static uint32_t slot_count(const struct ctrl *ctrl, const struct feature *row)
{
    if (row->scope == SCOPE_NAMESPACE)
        return ctrl->namespaces.count;
    return row->slots == NULL ? 1 : row->slots(ctrl);
}

static uint32_t initial(const struct ctrl *ctrl, const struct feature *row, uint32_t slot,
                        uint8_t *data)
{
    return row->initial == NULL ? 0 : row->initial(ctrl, slot, data);
}

static void forget(const struct ctrl *ctrl, const struct feature *row, uint32_t slot,
                   struct feature_value *value)
{
    free(value->data);
    *value = (struct feature_value){.dword = initial(ctrl, row, slot, NULL)};
}

static void store(const struct feature *row, struct feature_value *value, uint32_t dword,
                  const uint8_t *data)
{
    value->dword = dword;
    value->is_set = true;
    if (row->set_bytes == 0)
        return;
    if (value->data == NULL)
        value->data = ctrl_allocate(row->set_bytes, 1);
    memcpy(value->data, data, row->set_bytes);
}

/* A value and its data structure, which may be NULL. */
static uint32_t load(const struct ctrl *ctrl, const struct feature *row, uint32_t slot,
                     const struct feature_value *value, uint8_t *data)
{
    if (!value->is_set)
        return initial(ctrl, row, slot, data);
    if (data != NULL && row->set_bytes > 0)
        memcpy(data, value->data, row->set_bytes);
    return value->dword;
}

static uint32_t selected(const struct ctrl *ctrl, const struct feature *row, uint32_t slot,
                         enum get_select select, uint8_t *data)
{
    size_t number = number_of(row);

    if (select == SELECT_CURRENT && row->current != NULL)
        return row->current(ctrl, slot, data);
    if (select == SELECT_CURRENT)
        return load(ctrl, row, slot, &ctrl->features.current[number][slot], data);
    if (select == SELECT_SAVED && is_saveable(ctrl, row))
        return load(ctrl, row, slot, &ctrl->features.saved[number][slot], data);
    return initial(ctrl, row, slot, data); /* of what cannot be saved, too (5.13) */
}

void features_init(struct ctrl *ctrl)
{
    ctrl->features.cache_drain = NO_DRAIN;
    for (size_t i = 0; i < FEATURE_ROWS; i++) {
        uint32_t count = slot_count(ctrl, &feature_table[i]);

        ctrl->features.slots[i] = count;
        ctrl->features.current[i] = ctrl_allocate(count, sizeof(struct feature_value));
        ctrl->features.saved[i] = ctrl_allocate(count, sizeof(struct feature_value));
        for (uint32_t slot = 0; slot < count; slot++) {
            forget(ctrl, &feature_table[i], slot, &ctrl->features.current[i][slot]);
            forget(ctrl, &feature_table[i], slot, &ctrl->features.saved[i][slot]);
        }
    }
    features_reset(ctrl);
}

void features_free(struct ctrl *ctrl)
{
    for (size_t i = 0; i < FEATURE_ROWS; i++) {
        for (uint32_t slot = 0; slot < ctrl->features.slots[i]; slot++) {
            free(ctrl->features.current[i][slot].data);
            free(ctrl->features.saved[i][slot].data);
        }
        free(ctrl->features.current[i]);
        free(ctrl->features.saved[i]);
    }
    free(ctrl->features.host_memory.extents);
}

static void reset_slot(struct ctrl *ctrl, size_t number, uint32_t slot)
{
    const struct feature *row = &feature_table[number];
    const struct feature_value *saved = &ctrl->features.saved[number][slot];
    struct feature_value *current = &ctrl->features.current[number][slot];

    forget(ctrl, row, slot, current);
    if (saved->is_set)
        store(row, current, saved->dword, saved->data);
}

void features_reset(struct ctrl *ctrl)
{
    bool cache_may_hold = features_cache_may_hold(ctrl);

    ctrl->features.cache_drain = NO_DRAIN;
    for (size_t i = 0; i < FEATURE_ROWS; i++) {
        for (uint32_t slot = 0; slot < ctrl->features.slots[i] && !feature_table[i].persistent;
             slot++)
            reset_slot(ctrl, i, slot);
        if (feature_table[i].apply != NULL)
            feature_table[i].apply(ctrl);
    }
    /* Off is what was saved, and nothing has flushed what came into it while it was on. */
    if (cache_may_hold && !features_cache_on(ctrl))
        ctrl->features.cache_drain = CACHE_SUSPECT;
}

void features_namespace_reset(struct ctrl *ctrl, uint32_t nsid)
{
    for (size_t i = 0; i < FEATURE_ROWS; i++) {
        if (feature_table[i].scope != SCOPE_NAMESPACE || nsid - 1 >= ctrl->features.slots[i])
            continue;
        forget(ctrl, &feature_table[i], nsid - 1, &ctrl->features.saved[i][nsid - 1]);
        forget(ctrl, &feature_table[i], nsid - 1, &ctrl->features.current[i][nsid - 1]);
    }
}

uint32_t features_dword(const struct ctrl *ctrl, enum feature_number row, uint32_t slot)
{
    return ctrl->features.current[row][slot].dword;
}

uint16_t features_oncs_bits(const struct ctrl *ctrl)
{
    return (uint16_t)((ctrl->params.save_features ? ONCS_SAVE : 0) |
                      (ctrl->params.timestamp ? ONCS_TIMESTAMP : 0));
}

uint32_t features_ctratt_bits(const struct ctrl *ctrl)
{
    (void)ctrl;
    return CTRATT_HOST_ID_LONG;
}

/* Which slot of its feature a command names (7.8, 6.1.5). */
static uint16_t find_slot(const struct ctrl *ctrl, const struct feature *row,
                          const struct command *cmd, bool is_set, uint32_t *slot)
{
    *slot = 0;
    if (row->scope == SCOPE_NAMESPACE) {
        *slot = cmd->nsid - 1;
        return namespace_check_active(ctrl, cmd->nsid);
    }
    if (is_set && cmd->nsid != 0 && cmd->nsid != NSID_ALL)
        return STATUS_FEATURE_NOT_NAMESPACE_SPECIFIC;
    if (row->find_slot != NULL && !row->find_slot(ctrl, is_set, cmd->cdw[1], slot))
        return STATUS_INVALID_FIELD;
    return STATUS_SUCCESS;
}

static uint16_t check(const struct ctrl *ctrl, const struct feature *row, const struct command *cmd,
                      uint32_t slot, uint32_t *dword, const uint8_t *data)
{
    *dword = cmd->cdw[1];
    if ((*dword & row->refuse) != 0)
        return STATUS_INVALID_FIELD;
    if (row->keep != 0)
        *dword &= row->keep;
    return row->check == NULL ? STATUS_SUCCESS : row->check(ctrl, cmd, slot, dword, data);
}

static void set_slot(struct ctrl *ctrl, const struct feature *row, const struct command *cmd,
                     uint32_t slot, uint32_t dword, const uint8_t *data)
{
    store(row, &ctrl->features.current[number_of(row)][slot], dword, data);
    if ((cmd->cdw[0] & SET_SAVE) != 0)
        store(row, &ctrl->features.saved[number_of(row)][slot], dword, data);
}

/* All the namespaces that are attached get the value, or none of them does. */
static uint16_t set_everywhere(struct ctrl *ctrl, const struct feature *row,
                               const struct command *cmd, const uint8_t *data)
{
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t nsid = 1; nsid <= ctrl->namespaces.count; nsid++) {
            uint32_t dword;
            uint16_t status;

            if (namespace_check_active(ctrl, nsid) != STATUS_SUCCESS)
                continue;
            status = check(ctrl, row, cmd, nsid - 1, &dword, data);
            if (status != STATUS_SUCCESS)
                return status;
            if (pass == 1)
                set_slot(ctrl, row, cmd, nsid - 1, dword, data);
        }
    }
    return STATUS_SUCCESS;
}

static uint16_t finish_set(struct ctrl *ctrl, const struct feature *row, struct command *cmd,
                           const uint8_t *data)
{
    uint32_t slot, dword;
    uint16_t status;

    if (row->scope == SCOPE_NAMESPACE && cmd->nsid == NSID_ALL)
        return set_everywhere(ctrl, row, cmd, data);
    status = find_slot(ctrl, row, cmd, true, &slot);
    if (status == STATUS_SUCCESS)
        status = check(ctrl, row, cmd, slot, &dword, data);
    if (status != STATUS_SUCCESS)
        return status;
    set_slot(ctrl, row, cmd, slot, dword, data);
    if (row->then != NULL)
        return row->then(ctrl, cmd);
    if (row->apply != NULL)
        row->apply(ctrl);
    return STATUS_SUCCESS;
}

static uint32_t data_bytes(const struct feature *row, const struct command *cmd, uint32_t all)
{
    return row->bytes == NULL ? all : row->bytes(cmd);
}

uint16_t features_set(struct ctrl *ctrl, struct command *cmd)
{
    const struct feature *row = find_row(ctrl, (uint8_t)cmd->cdw[0]);
    bool everywhere = row != NULL && row->scope == SCOPE_NAMESPACE && cmd->nsid == NSID_ALL;
    uint32_t slot;
    uint16_t status;

    if ((cmd->cdw[0] & SET_SAVE) != 0 && (row == NULL || !is_saveable(ctrl, row)))
        return row == NULL && ctrl->params.save_features ? STATUS_INVALID_FIELD
                                                         : STATUS_FEATURE_NOT_SAVEABLE;
    if (row == NULL)
        return STATUS_INVALID_FIELD;
    if (row->set_bytes == 0)
        return finish_set(ctrl, row, cmd, NULL);
    status = everywhere ? STATUS_SUCCESS : find_slot(ctrl, row, cmd, true, &slot);
    if (status != STATUS_SUCCESS)
        return status;
    cmd->kind = COMMAND_ADMIN_OUT;
    cmd->bytes = data_bytes(row, cmd, row->set_bytes);
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

uint16_t features_take(struct ctrl *ctrl, struct command *cmd, const uint8_t *bytes)
{
    uint8_t data[FEATURE_BYTES_MAX] = {0};

    memcpy(data, bytes, cmd->bytes);
    return finish_set(ctrl, find_row(ctrl, (uint8_t)cmd->cdw[0]), cmd, data);
}

static uint32_t capabilities(const struct ctrl *ctrl, const struct feature *row)
{
    return (is_saveable(ctrl, row) ? CAPABILITY_SAVEABLE : 0) |
           (row->scope == SCOPE_NAMESPACE ? CAPABILITY_NAMESPACE : 0) | CAPABILITY_CHANGEABLE;
}

uint16_t features_get(struct ctrl *ctrl, struct command *cmd)
{
    const struct feature *row = find_row(ctrl, (uint8_t)cmd->cdw[0]);
    uint32_t select = GET_SELECT(cmd->cdw[0]);
    uint32_t slot;
    uint16_t status;

    /* Without ONCS bit 4 there is only the current value (5.13). */
    if (row == NULL || select > (ctrl->params.save_features ? SELECT_CAPABILITIES : SELECT_CURRENT))
        return STATUS_INVALID_FIELD;
    if (select == SELECT_CAPABILITIES) {
        cmd->dw0 = capabilities(ctrl, row);
        return STATUS_SUCCESS;
    }
    status = find_slot(ctrl, row, cmd, false, &slot);
    if (status != STATUS_SUCCESS)
        return status;
    cmd->dw0 = selected(ctrl, row, slot, (enum get_select)select, NULL);
    if (row->get_bytes == 0)
        return STATUS_SUCCESS;
    cmd->kind = COMMAND_ADMIN_IN;
    cmd->bytes = data_bytes(row, cmd, row->get_bytes);
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

void features_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *bytes)
{
    const struct feature *row = find_row(ctrl, (uint8_t)cmd->cdw[0]);
    uint8_t data[FEATURE_BYTES_MAX] = {0};
    uint32_t slot;

    /* The namespace may have gone since the command began: then there is nothing to tell. */
    if (find_slot(ctrl, row, cmd, false, &slot) == STATUS_SUCCESS)
        selected(ctrl, row, slot, (enum get_select)GET_SELECT(cmd->cdw[0]), data);
    memcpy(bytes, data, cmd->bytes);
}

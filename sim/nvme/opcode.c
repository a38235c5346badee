/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which commands this controller has, bound at creation so that dispatch is one look-up, and the
 * Commands Supported and Effects log (NVMe 1.4 section 5.14.1.5) made from the same rows.
 */
#include "nvme/internal.h"

#define EFFECTS_NVM_AT (OPCODES * 4u) /* IOCS0 follows ACS255 */

static void bind(const struct ctrl *ctrl, const struct opcode_row *rows, size_t count,
                 const struct opcode_row *table[OPCODES])
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].supported == NULL || rows[i].supported(ctrl))
            table[rows[i].opcode] = &rows[i];
    }
}

void opcodes_bind(struct ctrl *ctrl)
{
    bind(ctrl, admin_rows, admin_row_count, ctrl->opcodes.admin);
    bind(ctrl, nvm_rows, nvm_row_count, ctrl->opcodes.nvm);
}

void opcodes_fill_effects(const struct ctrl *ctrl, uint8_t *page)
{
    for (uint32_t opcode = 0; opcode < OPCODES; opcode++) {
        const struct opcode_row *admin = ctrl->opcodes.admin[opcode];
        const struct opcode_row *nvm = ctrl->opcodes.nvm[opcode];

        if (admin != NULL)
            wire_put32(page + 4 * opcode, admin->effects | EFFECT_SUPPORTED);
        if (nvm != NULL)
            wire_put32(page + EFFECTS_NVM_AT + 4 * opcode, nvm->effects | EFFECT_SUPPORTED);
    }
}

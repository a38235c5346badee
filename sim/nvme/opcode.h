/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The commands that a controller has: one table for each kind of queue, from which dispatch, the
 * admin data that goes with a command, and the Commands Supported and Effects log all come.
 */
#ifndef NVME_OPCODE_H
#define NVME_OPCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctrl;
struct command;

#define OPCODES 256u

struct opcode_row {
    uint8_t opcode;
    uint32_t effects; /* EFFECT_*, without EFFECT_SUPPORTED */
    /* Has this controller the command? NULL: every one has. Asked once, at creation. */
    bool (*supported)(const struct ctrl *ctrl);
    /* Checks and begins; a status or COMMAND_GOES_ON. */
    uint16_t (*run)(struct ctrl *ctrl, struct command *cmd);
    /* Admin commands with data to the host (COMMAND_ADMIN_IN): makes its cmd->bytes bytes at the
     * moment they are sent. */
    void (*fill)(struct ctrl *ctrl, const struct command *cmd, uint8_t *bytes);
    /* Admin commands with data from the host (COMMAND_ADMIN_OUT): takes its cmd->bytes bytes; a
     * status or COMMAND_GOES_ON. */
    uint16_t (*take)(struct ctrl *ctrl, struct command *cmd, const uint8_t *bytes);
};

/* The tables: admin.c, nvm.c. */
extern const struct opcode_row admin_rows[], nvm_rows[];
extern const size_t admin_row_count, nvm_row_count;

struct opcodes {
    const struct opcode_row *admin[OPCODES]; /* NULL: not supported */
    const struct opcode_row *nvm[OPCODES];
};

void opcodes_bind(struct ctrl *ctrl);
/* Log page 05h (5.14.1.5): OPCODES_EFFECTS_BYTES bytes. */
#define OPCODES_EFFECTS_BYTES 4096u
void opcodes_fill_effects(const struct ctrl *ctrl, uint8_t *page);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Admin commands. Functions that execute a command return a status or COMMAND_GOES_ON.
 */
#ifndef NVME_ADMIN_COMMANDS_H
#define NVME_ADMIN_COMMANDS_H

#include <stdint.h>

struct ctrl;
struct command;
struct ctrl_params;

/* admin.c; the rows themselves are admin_rows of opcode.h */
uint16_t admin_execute(struct ctrl *ctrl, struct command *cmd);
/* The data of a COMMAND_ADMIN_OUT has arrived: takes it and completes the command. */
void admin_data_arrived(struct ctrl *ctrl, struct command *cmd);
/* Makes the bytes of a COMMAND_ADMIN_IN, now that they are sent. */
void admin_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *bytes);
/* They are in host memory. */
void admin_sent(struct ctrl *ctrl, const struct command *cmd);

/* admin_params.c: checks of ctrl_admin.def, as ctrl_params_check() */
const char *ctrl_admin_params_check(const struct ctrl_params *params);

#endif

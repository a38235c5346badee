/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The NVM command set. Functions that execute a command return a status or COMMAND_GOES_ON.
 */
#ifndef NVME_NVM_H
#define NVME_NVM_H

#include <stdbool.h>
#include <stdint.h>

struct ctrl;
struct command;

uint16_t nvm_execute(struct ctrl *ctrl, struct command *cmd);
bool nvm_flush_takes_all(const struct ctrl *ctrl); /* NSID FFFFFFFFh */
void nvm_write_data_arrived(struct ctrl *ctrl, struct command *cmd);
void nvm_start_media_flush(struct ctrl *ctrl, struct command *cmd); /* completes the command */
void nvm_media_next(struct ctrl *ctrl, struct command *cmd);

#endif

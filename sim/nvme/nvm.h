/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The NVM command set. Functions that execute a command return a status or COMMAND_GOES_ON.
 */
#ifndef NVME_NVM_H
#define NVME_NVM_H

#include <stdbool.h>
#include <stdint.h>

#include "media/media.h"

struct ctrl;
struct command;

/* nvm.c */
uint16_t nvm_execute(struct ctrl *ctrl, struct command *cmd);
uint16_t nvm_check_range(const struct ctrl *ctrl, struct command *cmd);
/* Read, Compare, Verify: the step, behind a flush if FUA asks for one. */
void nvm_add_read_steps(const struct ctrl *ctrl, struct command *cmd, enum media_op op);
bool nvm_flush_takes_all(const struct ctrl *ctrl); /* NSID FFFFFFFFh */
/* The host's data has arrived at the controller. */
void nvm_data_arrived(struct ctrl *ctrl, struct command *cmd);
/* Takes the data of a write and goes on with it, or returns a status. */
uint16_t nvm_write_take(struct ctrl *ctrl, struct command *cmd);
void nvm_start_media_flush(struct ctrl *ctrl, struct command *cmd); /* completes the command */

/* steps.c: the next step on the medium, or what comes behind the last. */
void nvm_media_next(struct ctrl *ctrl, struct command *cmd);

/* compare.c */
uint16_t compare_start(struct ctrl *ctrl, struct command *cmd);
uint16_t compare_take(struct ctrl *ctrl, struct command *cmd); /* success or why not */

/* fused.c: Compare and Write as one (4.12, 6.2) */
/* A command of a fused operation, or one behind a first half: a status or COMMAND_GOES_ON. */
uint16_t fused_decoded(struct ctrl *ctrl, struct command *cmd);
/* The data of one half has arrived. */
void fused_data_arrived(struct ctrl *ctrl, struct command *cmd);
/* One half ends, with success or not: sees to the other. */
void fused_end(struct ctrl *ctrl, struct command *cmd, uint16_t status);
/* No second half will come: the first one of this queue, if there is one, ends with this status. */
void fused_abandon(struct ctrl *ctrl, uint16_t sqid, uint16_t status);
/* A command ends, or hangs, before it could be a second half: so does the first half that waits for
 * one. */
void fused_refused(struct ctrl *ctrl, const struct command *cmd);

/* deallocate.c: Dataset Management (6.7) */
uint16_t deallocate_start(struct ctrl *ctrl, struct command *cmd);
uint16_t deallocate_ranges_arrived(struct ctrl *ctrl, struct command *cmd);
/* Sets the part of the namespace that the next step works on, and what the step is (enum media_op);
 * false if there is none. */
bool deallocate_next(const struct ctrl *ctrl, struct command *cmd, enum media_op *op);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Identify (NVMe 1.4 section 5.15). identify.c knows which data structures there are and what their
 * command may say; the others fill one page each.
 */
#ifndef NVME_IDENTIFY_H
#define NVME_IDENTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct ctrl;
struct command;

/* identify.c */
uint16_t identify_start(struct ctrl *ctrl, struct command *cmd); /* a status or COMMAND_GOES_ON */
void identify_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *page);

/* One data structure into a page of zeroes, 4096 bytes. NSIDs that the command was accepted with
 * may name nothing any more by now. */
typedef void identify_fill_fn(const struct ctrl *ctrl, uint32_t nsid, uint32_t cdw10,
                              uint8_t *page);

/* identify_controller.c */
identify_fill_fn identify_fill_controller;

/* identify_namespace.c */
identify_fill_fn identify_fill_active;
identify_fill_fn identify_fill_allocated;
identify_fill_fn identify_fill_active_list;
identify_fill_fn identify_fill_allocated_list;
identify_fill_fn identify_fill_descriptors;
identify_fill_fn identify_fill_attached;
identify_fill_fn identify_fill_controllers;
identify_fill_fn identify_fill_granularity;
bool identify_has_granularity(const struct ctrl *ctrl); /* the list exists (CTRATT bit 7) */

#endif

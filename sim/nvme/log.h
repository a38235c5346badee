/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Get Log Page.
 */
#ifndef NVME_LOG_H
#define NVME_LOG_H

#include <stdint.h>

struct ctrl;
struct command;

#define LOG_PAGE_BYTES_MAX 4096u

uint16_t log_start(struct ctrl *ctrl, struct command *cmd);
void log_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *bytes);
/* The page has reached the host: without Retain its events are answered. */
void log_sent(struct ctrl *ctrl, const struct command *cmd);
uint8_t log_lpa_bits(const struct ctrl *ctrl); /* LPA (5.15.2.2) */

#endif

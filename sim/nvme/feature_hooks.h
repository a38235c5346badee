/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hooks of rows of the feature table that are not in feature_table.c itself; features.h says what
 * each kind of hook is for.
 */
#ifndef NVME_FEATURE_HOOKS_H
#define NVME_FEATURE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

struct ctrl;
struct command;

/* Sizes of data structures. */
#define LBA_RANGES_BYTES         4096u
#define TIMESTAMP_BYTES          8u
#define HOST_BEHAVIOR_BYTES      512u
#define HOST_IDENTIFIER_BYTES    16u
#define HOST_MEMORY_BYTES        4096u
#define HOST_IDENTIFIER_EXTENDED UINT32_C(1) /* EXHID in dword 11: the long form */

/* feature_data.c */
uint32_t lba_range_initial(const struct ctrl *ctrl, uint32_t slot, uint8_t *data);
uint16_t lba_range_check(const struct ctrl *ctrl, const struct command *cmd, uint32_t slot,
                         uint32_t *dword, const uint8_t *data);
bool timestamp_exists(const struct ctrl *ctrl);
uint32_t timestamp_current(const struct ctrl *ctrl, uint32_t slot, uint8_t *data);
void timestamp_apply(struct ctrl *ctrl);
bool host_behavior_exists(const struct ctrl *ctrl);
uint16_t host_behavior_check(const struct ctrl *ctrl, const struct command *cmd, uint32_t slot,
                             uint32_t *dword, const uint8_t *data);
uint32_t host_identifier_bytes(const struct command *cmd); /* of the form that it asks for */

/* keepalive.c */
bool keep_alive_exists(const struct ctrl *ctrl);
uint16_t keep_alive_check(const struct ctrl *ctrl, const struct command *cmd, uint32_t slot,
                          uint32_t *dword, const uint8_t *data);
void keep_alive_apply(struct ctrl *ctrl); /* begins anew with the current value */
uint16_t keep_alive_execute(struct ctrl *ctrl, struct command *cmd);
uint16_t keep_alive_kas(const struct ctrl *ctrl);

/* hostmem.c */
bool host_memory_exists(const struct ctrl *ctrl);
uint32_t host_memory_current(const struct ctrl *ctrl, uint32_t slot, uint8_t *data);
uint16_t host_memory_check(const struct ctrl *ctrl, const struct command *cmd, uint32_t slot,
                           uint32_t *dword, const uint8_t *data);
uint16_t host_memory_then(struct ctrl *ctrl, struct command *cmd);
void host_memory_apply(struct ctrl *ctrl); /* without EHM in the current value: gives it back */

#endif

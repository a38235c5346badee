/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rig with injected faults: one queue, one command at a time.
 */
#ifndef TESTS_NVME_RIG_FAULT_H
#define TESTS_NVME_RIG_FAULT_H

#include "unit/nvme/rig.h"

#define WRITE   1u
#define READ    2u
#define COMPARE 5u

extern struct rig rig_fault;
extern struct rig_params rig_fault_params;

/* Fixture: default parameters; the rig is closed afterwards. */
void rig_fault_setup(void);
void rig_fault_teardown(void);
/* Enabled, with queue 1 and these rules. */
void rig_fault_open(const char *faults);
void rig_fault_put(uint8_t opcode, uint16_t cid, uint32_t slba, uint32_t blocks);
/* The next completion is this one; there is none. */
void rig_fault_expect(uint16_t cid, uint16_t status);
void rig_fault_expect_none(void);
/* Status of a read. */
uint16_t rig_fault_read(uint64_t block);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Features, log pages and events for the tests of the controller: admin commands with their data at
 * RIG_DATA.
 */
#ifndef TESTS_NVME_RIG_ADMIN_H
#define TESTS_NVME_RIG_ADMIN_H

#include "unit/nvme/rig.h"
#include "unit/nvme/rig_namespace.h"

#define SAVE     0x80000000u /* of Set Features */
#define DEFAULT  0x100u      /* Select of Get Features */
#define SAVED    0x200u
#define SUPPORTS 0x300u

uint16_t rig_set(struct rig *rig, uint32_t nsid, uint32_t feature, uint32_t value);
/* Get Features that must succeed; feature with its Select. */
uint32_t rig_get(struct rig *rig, uint32_t nsid, uint32_t feature, uint32_t cdw11);
/* Get Log Page from offset; the bytes are at RIG_DATA, which is filled with 0xee before. */
uint16_t rig_log(struct rig *rig, uint8_t page, uint32_t offset, uint32_t bytes, bool retain);
void rig_put_field(struct rig *rig, uint32_t offset, unsigned bytes, uint64_t value);
/* Sends an Asynchronous Event Request. */
void rig_ask(struct rig *rig, uint16_t cid);
/* The next admin completion must be this request, with this dword 0. */
void rig_expect_event(struct rig *rig, uint16_t cid, uint32_t dw0);
void rig_expect_nothing(struct rig *rig);
/* Controller reset through CC.EN, and up again. */
void rig_reset(struct rig *rig);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For test_claims.c: controllers that claim more or less, and probes, which use something that can
 * be claimed and return the status of that, or CLAIM_WORKS and CLAIM_DOES_NOT where no command is
 * involved. What the two arguments of a probe mean is in their names.
 */
#ifndef TESTS_NVME_RIG_CLAIMS_H
#define TESTS_NVME_RIG_CLAIMS_H

#include "unit/nvme/rig.h"

#define CLAIM_WORKS    0u
#define CLAIM_DOES_NOT 0xffffu /* no status of NVMe */

/* Parameters to set on rig_defaults(). */
void claim_everything(struct ctrl_params *ctrl);
void claim_nothing(struct ctrl_params *ctrl);
void claim_without_format_of_all(struct ctrl_params *ctrl);
void claim_without_bit_bucket(struct ctrl_params *ctrl);
void claim_without_longer_sgls(struct ctrl_params *ctrl);
void claim_before_1_4(struct ctrl_params *ctrl);

uint16_t claim_admin(struct rig *rig, uint32_t opcode, uint32_t cdw10);
uint16_t claim_admin_of_namespace(struct rig *rig, uint32_t opcode, uint32_t cdw10);
uint16_t claim_block(struct rig *rig, uint32_t opcode, uint32_t nsid);
uint16_t claim_log_page(struct rig *rig, uint32_t page, uint32_t offset);
uint16_t claim_log_of_namespace(struct rig *rig, uint32_t page, uint32_t nsid);
uint16_t claim_structure(struct rig *rig, uint32_t cns, uint32_t nsid);
uint16_t claim_get(struct rig *rig, uint32_t feature, uint32_t select);
uint16_t claim_set(struct rig *rig, uint32_t feature, uint32_t value);
uint16_t claim_set_of_namespace(struct rig *rig, uint32_t feature, uint32_t value);
uint16_t claim_create_namespace(struct rig *rig, uint32_t blocks, uint32_t protection);
uint16_t claim_detach(struct rig *rig, uint32_t nsid, uint32_t cntlid);
uint16_t claim_shadow(struct rig *rig, uint32_t what, uint32_t value);
uint16_t claim_fused(struct rig *rig, uint32_t what, uint32_t value);
uint16_t claim_format_of_other(struct rig *rig, uint32_t format, uint32_t value);
uint16_t claim_erase_of_other(struct rig *rig, uint32_t format, uint32_t value);
uint16_t claim_zeroes(struct rig *rig, uint32_t cdw12, uint32_t value);
uint16_t claim_deallocated_reads(struct rig *rig, uint32_t what, uint32_t value);
uint16_t claim_sgl(struct rig *rig, uint32_t identifier, uint32_t length);
uint16_t claim_enable_with(struct rig *rig, uint32_t bits, uint32_t value);
uint16_t claim_subsystem_reset(struct rig *rig, uint32_t key, uint32_t value);
uint16_t claim_memory_buffer(struct rig *rig, uint32_t enable, uint32_t value);
uint16_t claim_a_register(struct rig *rig, uint32_t offset, uint32_t value);
uint16_t claim_queue_by_list(struct rig *rig);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Configurations and probes of test_claims.c; see rig_claims.h.
 */
#include "unit/nvme/rig_claims.h"

#include <string.h>

#include "unit/nvme/rig_admin.h"
#include "unit/nvme/rig_sgl.h"
#include "unit/nvme/rig_shadow.h"

#define MIB   UINT64_C(0x100000)
#define READ  0x02u
#define WRITE 0x01u
#define FIRST 0x01u /* FUSE */
#define LAST  0x02u

void claim_everything(struct ctrl_params *ctrl)
{
    ctrl->cap_cqr = 0;
    ctrl->cap_nssrs = 1;
    ctrl->cap_css = 1;
    ctrl->cap_ams = 1;
    ctrl->cmb_size = MIB;
    ctrl->cmb_sqs = ctrl->cmb_cqs = ctrl->cmb_lists = ctrl->cmb_rds = ctrl->cmb_wds = 1;
    ctrl->save_features = ctrl->timestamp = 1;
    ctrl->keep_alive = 200 * RIG_MS;
    ctrl->hmb_preferred = MIB;
    ctrl->hmb_descriptors = 8;
    ctrl->firmware_slots = 2;
    ctrl->firmware_granularity = 4096;
    ctrl->self_test_extended = 90000 * RIG_MS;
    ctrl->self_test_short = 1000 * RIG_MS;
    ctrl->oacs_ns_management = ctrl->oacs_format = 1;
    ctrl->format_scope = 1;
    ctrl->namespaces_max = 4;
    ctrl->capacity = 256 * MIB;
    strcpy(ctrl->more_namespaces, "8 MiB/512");
    ctrl->shadow_doorbells = 1;
    ctrl->sgls = 1;
    ctrl->sgl_bit_bucket = ctrl->sgl_longer = 1;
}

void claim_nothing(struct ctrl_params *ctrl)
{
    ctrl->compare = ctrl->write_uncorrectable = ctrl->dataset_management = 0;
    ctrl->write_zeroes = ctrl->verify = ctrl->fused = 0;
    ctrl->vwc = 0;
}

void claim_without_format_of_all(struct ctrl_params *ctrl)
{
    claim_everything(ctrl);
    ctrl->format_scope = 0;
}

void claim_without_bit_bucket(struct ctrl_params *ctrl)
{
    claim_everything(ctrl);
    ctrl->sgl_bit_bucket = 0;
}

void claim_without_longer_sgls(struct ctrl_params *ctrl)
{
    claim_everything(ctrl);
    ctrl->sgl_longer = 0;
}

void claim_before_1_4(struct ctrl_params *ctrl)
{
    claim_everything(ctrl);
    ctrl->version = 0;
}

uint16_t claim_admin(struct rig *rig, uint32_t opcode, uint32_t cdw10)
{
    return rig_admin(rig, (uint8_t)opcode, 0, cdw10, 0, NULL);
}

uint16_t claim_admin_of_namespace(struct rig *rig, uint32_t opcode, uint32_t cdw10)
{
    return rig_admin(rig, (uint8_t)opcode, 1, cdw10, 0, NULL);
}

/* One block of zeroes; also one range from block 0 on, of one block. */
uint16_t claim_block(struct rig *rig, uint32_t opcode, uint32_t nsid)
{
    struct rig_cmd cmd = {.opcode = (uint8_t)opcode, .cid = 1, .nsid = nsid, .prp1 = RIG_DATA};

    memset(rig_at(rig, RIG_DATA), 0, 512);
    if (opcode == 0x09) {
        rig_put_field(rig, 4, 4, 1);
        cmd.cdw11 = 4; /* deallocate */
    }
    return rig_do(rig, 1, &cmd, NULL);
}

uint16_t claim_log_page(struct rig *rig, uint32_t page, uint32_t offset)
{
    return rig_log(rig, (uint8_t)page, offset, 16, false);
}

uint16_t claim_log_of_namespace(struct rig *rig, uint32_t page, uint32_t nsid)
{
    return rig_admin(rig, 0x02, nsid, 127u << 16 | page, 0, NULL);
}

uint16_t claim_structure(struct rig *rig, uint32_t cns, uint32_t nsid)
{
    return rig_identify(rig, cns, nsid);
}

uint16_t claim_get(struct rig *rig, uint32_t feature, uint32_t select)
{
    return rig_admin(rig, 0x0a, 0, feature | select, 0, NULL);
}

uint16_t claim_set(struct rig *rig, uint32_t feature, uint32_t value)
{
    return rig_set(rig, 0, feature, value);
}

uint16_t claim_set_of_namespace(struct rig *rig, uint32_t feature, uint32_t value)
{
    return rig_set(rig, 1, feature, value);
}

uint16_t claim_create_namespace(struct rig *rig, uint32_t blocks, uint32_t protection)
{
    uint32_t nsid;

    return rig_ns_create(
        rig, &(struct rig_ns){.nsze = blocks, .ncap = blocks, .dps = (uint8_t)protection}, &nsid);
}

uint16_t claim_detach(struct rig *rig, uint32_t nsid, uint32_t cntlid)
{
    return rig_ns_detach(rig, nsid, (uint16_t)cntlid);
}

uint16_t claim_shadow(struct rig *rig, uint32_t what, uint32_t value)
{
    (void)what, (void)value;
    return rig_shadow_configure(rig);
}

/* Both halves succeed, or both end with the same status. */
uint16_t claim_fused(struct rig *rig, uint32_t what, uint32_t value)
{
    struct rig_cmd cmd = {
        .opcode = 0x05, .flags = FIRST, .cid = 1, .nsid = 1, .prp1 = RIG_DATA, .cdw10 = 8};
    struct rig_cqe halves[2];

    (void)what, (void)value;
    memset(rig_at(rig, RIG_DATA), 0, 512);
    rig_put(rig, 1, &cmd);
    cmd.opcode = WRITE, cmd.flags = LAST, cmd.cid = 2;
    rig_put(rig, 1, &cmd);
    rig_ring(rig, 1);
    rig_settle(rig);
    ck_assert(rig_take(rig, 1, &halves[0]) && rig_take(rig, 1, &halves[1]));
    ck_assert_uint_eq(halves[0].status, halves[1].status);
    return halves[0].status;
}

/* Format of namespace 1 and a look at namespace 2: has it gone the same way? */
uint16_t claim_format_of_other(struct rig *rig, uint32_t format, uint32_t value)
{
    (void)value;
    ck_assert_uint_eq(rig_admin(rig, 0x80, 1, format, 0, NULL), 0);
    ck_assert_uint_eq(rig_identify(rig, 0, 2), 0);
    return (rig_field(rig, 26, 1) & 0xf) == (format & 0xf) ? CLAIM_WORKS : CLAIM_DOES_NOT;
}

uint16_t claim_erase_of_other(struct rig *rig, uint32_t format, uint32_t value)
{
    memset(rig_at(rig, RIG_DATA + 0x2000), 0x77, 512);
    ck_assert_uint_eq(rig_block(rig, WRITE, 2, 0, RIG_DATA + 0x2000), 0);
    ck_assert_uint_eq(rig_admin(rig, 0x80, 1, format, 0, NULL), 0);
    ck_assert_uint_eq(rig_block(rig, READ, 2, 0, RIG_DATA + 0x2000), 0);
    return *rig_at(rig, RIG_DATA + 0x2000) == value ? CLAIM_WORKS : CLAIM_DOES_NOT;
}

/* What was deallocated reads as zeroes. */
/* Write Zeroes with these bits in dword 12. */
uint16_t claim_zeroes(struct rig *rig, uint32_t cdw12, uint32_t value)
{
    struct rig_cmd cmd = {.opcode = 0x08, .cid = 1, .nsid = 1, .cdw12 = cdw12};

    (void)value;
    return rig_do(rig, 1, &cmd, NULL);
}

uint16_t claim_deallocated_reads(struct rig *rig, uint32_t what, uint32_t value)
{
    (void)what, (void)value;
    memset(rig_at(rig, RIG_DATA), 0x77, 512);
    ck_assert_uint_eq(rig_block(rig, WRITE, 1, 0, RIG_DATA), 0);
    if (claim_block(rig, 0x09, 1) != 0)
        return CLAIM_DOES_NOT;
    memset(rig_at(rig, RIG_DATA), 0x77, 512);
    ck_assert_uint_eq(rig_block(rig, READ, 1, 0, RIG_DATA), 0);
    return rig_field(rig, 0, 8) == 0 && rig_field(rig, 504, 8) == 0 ? CLAIM_WORKS : CLAIM_DOES_NOT;
}

/* A read of one block into this descriptor. */
uint16_t claim_sgl(struct rig *rig, uint32_t identifier, uint32_t length)
{
    return rig_io_sgl(
        rig, READ, 0, 1,
        (struct rig_sgl){identifier == RIG_BIT_BUCKET ? 0 : RIG_DATA, length, (uint8_t)identifier});
}

/* Comes up with these bits of CC beside the usual ones. */
uint16_t claim_enable_with(struct rig *rig, uint32_t bits, uint32_t value)
{
    (void)value;
    rig_write32(rig, 0x14, 0);
    rig_settle(rig);
    rig_write32(rig, 0x14, 0x00460001u | bits);
    rig_settle(rig);
    return rig_read32(rig, 0x1c) == 1 ? CLAIM_WORKS : CLAIM_DOES_NOT;
}

uint16_t claim_subsystem_reset(struct rig *rig, uint32_t key, uint32_t value)
{
    (void)value;
    rig_write32(rig, 0x20, key);
    rig_setup_admin(rig);
    return rig_read32(rig, 0x1c) == 0x10 ? CLAIM_WORKS : CLAIM_DOES_NOT; /* NSSRO, not ready */
}

uint16_t claim_memory_buffer(struct rig *rig, uint32_t enable, uint32_t value)
{
    (void)value;
    rig_write64(rig, 0x50, enable);
    return rig_read32(rig, 0x3c) != 0 ? CLAIM_WORKS : CLAIM_DOES_NOT;
}

/* Is there a register that is not zero, or takes a value? */
uint16_t claim_a_register(struct rig *rig, uint32_t offset, uint32_t value)
{
    uint32_t before = rig_read32(rig, offset);

    rig_write32(rig, offset, value);
    return before != 0 || rig_read32(rig, offset) != 0 ? CLAIM_WORKS : CLAIM_DOES_NOT;
}

/* A completion queue whose page is in a list (PC = 0). */
uint16_t claim_queue_by_list(struct rig *rig)
{
    struct rig_cmd cmd = {.opcode = 0x05, .cid = 1, .prp1 = RIG_LISTS, .cdw10 = 15u << 16 | 2};

    rig_put64(rig, RIG_LISTS, RIG_IO_CQ + 2 * RIG_STEP);
    return rig_do(rig, 0, &cmd, NULL);
}

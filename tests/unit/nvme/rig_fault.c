/* SPDX-License-Identifier: BSD-2-Clause
 * See rig_fault.h. */
#include "unit/nvme/rig_fault.h"

#include <stdio.h>
#include <string.h>

struct rig rig_fault;
struct rig_params rig_fault_params;

void rig_fault_setup(void)
{
    rig_defaults(&rig_fault_params);
}

void rig_fault_teardown(void)
{
    rig_close(&rig_fault);
}

void rig_fault_open(const char *faults)
{
    snprintf(rig_fault_params.ctrl.faults, sizeof rig_fault_params.ctrl.faults, "%s", faults);
    ck_assert_ptr_null(ctrl_params_check(&rig_fault_params.ctrl));
    rig_open(&rig_fault, &rig_fault_params);
    rig_enable(&rig_fault);
    rig_create_queue(&rig_fault, 1, 16, 0);
    memset(rig_at(&rig_fault, RIG_DATA), 0x3c, 4096);
}

void rig_fault_put(uint8_t opcode, uint16_t cid, uint32_t slba, uint32_t blocks)
{
    struct rig_cmd cmd = {.opcode = opcode,
                          .cid = cid,
                          .nsid = 1,
                          .prp1 = RIG_DATA,
                          .cdw10 = slba,
                          .cdw12 = blocks - 1};

    rig_put(&rig_fault, 1, &cmd);
    rig_ring(&rig_fault, 1);
}

void rig_fault_expect(uint16_t cid, uint16_t status)
{
    struct rig_cqe cqe;

    ck_assert_msg(rig_take(&rig_fault, 1, &cqe), "no completion of command %u", cid);
    ck_assert_uint_eq(cqe.cid, cid);
    ck_assert_uint_eq(cqe.status, status);
    rig_ring_cq(&rig_fault, 1);
}

void rig_fault_expect_none(void)
{
    struct rig_cqe cqe;

    ck_assert(!rig_take(&rig_fault, 1, &cqe));
}

uint16_t rig_fault_read(uint64_t block)
{
    return rig_io(&rig_fault, READ, block, 1, RIG_DATA + 0x1000, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause
 * See shadow_rig.h. */
#include "shadow_rig.h"

struct shadow_rig shadow;

void shadow_begin(void)
{
    shadow.queue = nvme_get_queue(fake->nvme, 0);
    shadow.buffer = fake_buffer(65536, 4096, 0);
    fake_forget();
}

void shadow_start(void)
{
    fake->oacs = 1u << 8;
    fake->config.shadow_doorbells = true;
    fake_start();
    shadow_begin();
}

void shadow_submit(uint32_t i)
{
    fake_registered(&shadow.requests[i], NVME_OP_READ, i, 1, shadow.buffer);
    ck_assert_int_eq(nvme_submit(shadow.queue, &shadow.requests[i]), NVME_OK);
}

void shadow_arm(bool cq, uint32_t value)
{
    *fake_event_idx(1, cq) = fake_le32(value);
}

uint32_t shadow_writes(bool cq)
{
    return fake_writes(fake_doorbell(1, cq));
}

void shadow_one(uint32_t i)
{
    shadow_submit(i);
    nvme_ring(shadow.queue);
    fake_look(1);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(shadow.queue, 0), 1);
    fake_look(1);
}

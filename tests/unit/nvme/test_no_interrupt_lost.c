/* SPDX-License-Identifier: BSD-2-Clause
 * No entry is forgotten: a host that looks at its queues only when it is interrupted finds every
 * completion (NVMe 1.4, 7.5), with MSI-X, MSI and the pin, queues that share vectors, masks that
 * come and go, and coalescing (5.21.1.8). Random but repeatable. */
#include <string.h>

#include "engine/rng.h"
#include "unit/nvme/rig.h"

enum { MODE_MSIX, MODE_MSI, MODE_PIN, MODES };
enum { QUEUES = 4, VECTORS = 4, STEPS = 400, SIZE = 6 };

static struct rig rig;
static struct rig_params params;
static struct rng rng;
static unsigned mode, vector_of[QUEUES + 1], waiting[QUEUES + 1];
static uint32_t served[VECTORS];
static bool masked[VECTORS];
static uint32_t msi_mask;

static uint64_t any(uint64_t bound)
{
    return rng_below(&rng, bound);
}

static void mask(unsigned vector, bool on)
{
    masked[vector] = on;
    if (mode == MODE_MSIX) {
        rig_write32(&rig, 0x2000 + 16 * vector + 12, on);
        return;
    }
    if (mode == MODE_MSI && any(2) != 0) { /* by the capability; else by the register */
        msi_mask = on ? msi_mask | 1u << vector : msi_mask & ~(1u << vector);
        pcie_port_config_write(rig.port, 0xb0, 4, msi_mask);
        if (on)
            return;
    }
    if (!on && mode == MODE_MSI) {
        msi_mask &= ~(1u << vector);
        pcie_port_config_write(rig.port, 0xb0, 4, msi_mask);
    }
    rig_write32(&rig, on ? 0x0c : 0x10, 1u << vector);
}

static void open_random(unsigned seed)
{
    rng_init(&rng, seed, "no interrupt lost");
    mode = seed % MODES;
    memset(waiting, 0, sizeof waiting);
    memset(served, 0, sizeof served);
    memset(masked, 0, sizeof masked);
    msi_mask = 0;
    rig_defaults(&params);
    params.link.kind = any(2) ? LINK_PCIE : LINK_EMULATED;
    params.link.detail = any(2) ? LINK_TLP : LINK_LINE;
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = any(3) * RIG_US;
    params.ctrl.interrupt.amount = any(900) * RIG_NS;
    params.ctrl.completion.amount = any(200) * RIG_NS;
    params.ctrl.max_io_queues = 8;
    params.ctrl.msi_vectors = VECTORS;
    params.ctrl.msix_vectors = VECTORS;
    rig_open(&rig, &params);
    rig_enable(&rig);
    if (mode == MODE_MSIX)
        rig_msix_enable(&rig, VECTORS);
    if (mode == MODE_MSI) {
        rig.msi_address = 0xfee01000;
        pcie_port_config_write(rig.port, 0xa4, 4, 0xfee01000);
        pcie_port_config_write(rig.port, 0xa2, 2, 1 | 2 << 4);
    }
    for (unsigned queue = 1; queue <= QUEUES; queue++) {
        vector_of[queue] = mode == MODE_PIN ? 0 : (unsigned)any(VECTORS);
        rig_create_queue(&rig, queue, SIZE, (uint16_t)vector_of[queue]);
    }
    if (any(2) != 0) /* up to four entries, up to 200 us */
        ck_assert_uint_eq(rig_admin(&rig, 9, 0, 8, (uint32_t)(any(3) << 8 | any(4)), NULL), 0);
    for (unsigned vector = 0; vector < VECTORS; vector++)
        served[vector] = rig.messages[vector];
}

static bool is_interrupted(unsigned vector)
{
    if (mode == MODE_PIN)
        return vector == 0 && rig.pin;
    return rig.messages[vector] != served[vector];
}

/* Takes all there is in the queues of a vector; with MSI, which comes again for what is left, at
 * least one of each. */
static void serve(unsigned vector)
{
    served[vector] = rig.messages[vector];
    for (unsigned queue = 1; queue <= QUEUES; queue++) {
        struct rig_cqe cqe;
        unsigned taken = 0;

        while (vector_of[queue] == vector && (mode != MODE_MSI || taken == 0 || any(4) != 0) &&
               rig_take(&rig, queue, &cqe))
            taken++;
        waiting[queue] -= taken;
        if (vector_of[queue] == vector)
            rig_ring_cq(&rig, queue);
    }
}

static void submit(unsigned queue)
{
    if (waiting[queue] == SIZE - 1)
        return;
    rig_put(&rig, queue, &(struct rig_cmd){.opcode = 2, .cid = 1, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, queue);
    waiting[queue]++;
}

static void step(void)
{
    unsigned vector = (unsigned)any(VECTORS);

    switch (any(8)) {
    case 0:
        mask(vector, !masked[vector]);
        break;
    case 1:
    case 2:
        rig_for(&rig, any(2 * RIG_US));
        break;
    case 3:
    case 4:
        if (is_interrupted(vector))
            serve(vector);
        break;
    default:
        submit(1 + (unsigned)any(QUEUES));
        break;
    }
}

START_TEST(every_entry_is_found)
{
    open_random((unsigned)_i);
    for (unsigned i = 0; i < STEPS; i++)
        step();
    for (unsigned vector = 0; vector < VECTORS; vector++)
        mask(vector, false);
    for (unsigned round = 0; round < 200; round++) {
        rig_settle(&rig);
        for (unsigned vector = 0; vector < VECTORS; vector++) {
            if (is_interrupted(vector))
                serve(vector);
        }
    }
    for (unsigned queue = 1; queue <= QUEUES; queue++)
        ck_assert_msg(waiting[queue] == 0, "mode %u: queue %u: %u entries were never found", mode,
                      queue, waiting[queue]);
    ck_assert(!rig.pin);
    rig_close(&rig);
}
END_TEST

Suite *suite_no_interrupt_lost(void)
{
    Suite *suite = suite_create("nvme no interrupt lost");
    TCase *tc = tcase_create("no interrupt lost");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_entry_is_found, 0, 400);
    suite_add_tcase(suite, tc);
    return suite;
}

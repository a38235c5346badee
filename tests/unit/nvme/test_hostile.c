/* SPDX-License-Identifier: BSD-2-Clause
 * A host that does anything: random registers, random queue memory, random pointers. The controller
 * must not crash, hang, or reach outside what it was given (the sanitizers watch), and must come
 * back to work after a reset. Fixed seeds. */
#include "engine/rng.h"
#include "unit/nvme/rig.h"

static struct rig rig;
static struct rig_params params;
static struct rng rng;

static uint64_t any(uint64_t bound)
{
    return rng_below(&rng, bound);
}

static void scribble(uint64_t bus, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i += 8)
        rig_put64(&rig, bus + i, rng_next(&rng));
}

static void open_random(unsigned seed)
{
    static const uint64_t media[] = {MEDIA_NULL, MEDIA_FIXED, MEDIA_PAGE_CACHE};

    rng_init(&rng, seed, "hostile host");
    rig_defaults(&params);
    params.tags = any(2);
    params.link.kind = any(2) ? LINK_PCIE : LINK_EMULATED;
    params.media.kind = media[any(3)];
    params.media.read_latency = params.media.hop_latency = any(5) * RIG_US;
    params.ctrl.contexts = 1 + any(6);
    params.ctrl.fetch_burst = 1 + any(8);
    params.ctrl.doorbell_latency.amount = any(100) * RIG_NS;
    params.ctrl.completion.amount = any(100) * RIG_NS;
    params.ctrl.interrupt.amount = any(500) * RIG_NS;
    params.ctrl.ready_delay = any(3) * RIG_US;
    params.ctrl.reset_delay = any(3) * RIG_US;
    params.ctrl.cap_dstrd = any(3);
    params.ctrl.cap_nssrs = any(2);
    params.ctrl.cap_cqr = any(2);
    params.ctrl.mdts = any(8);
    params.ctrl.namespace_size = UINT64_C(1) << 20;
    params.admin_size = (uint16_t)(2 + any(15));
    params.ctrl.cap_ams = any(2);
    params.cc |= params.ctrl.cap_ams != 0 ? any(2) << 11 : 0;
    params.ctrl.fetch_engines = 1 + any(3);
    params.ctrl.fetch_depth = any(3);
    params.ctrl.fetch_depth_total = any(6);
    params.ctrl.cid_check = any(2);
    params.ctrl.delete_sq = any(2);
    params.ctrl.shadow_doorbells = any(2);
    params.ctrl.shadow_policy = any(4);
    params.ctrl.shadow_reread = any(2);
    params.ctrl.shadow_cq_eventidx = any(2);
    params.ctrl.shadow_admin = any(2);
    params.ctrl.shadow_access.amount = any(100) * RIG_NS;
    rig_open(&rig, &params);
}

static void works_after_reset(void)
{
    pcie_port_config_write(rig.port, 0x94, 2, 0); /* it may sleep in D3hot */
    pcie_port_config_write(rig.port, 4, 2, 0x406);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_settle(&rig);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    ck_assert_uint_eq(rig_io(&rig, 1, 3, 4, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 3, 4, RIG_DATA, 0), 0);
}

/* The rig's callbacks assert protocol between port and host; messages here may carry anything. */
static void hostile_msi(void *ctx, uint64_t address, uint32_t data)
{
    (void)ctx, (void)address, (void)data;
}

static struct pcie_host_ops lenient;

static void attach_lenient(int (*read)(void *, uint64_t, void *, uint32_t),
                           int (*write)(void *, uint64_t, const void *, uint32_t))
{
    lenient.dma_read = read;
    lenient.dma_write = write;
    lenient.msi = hostile_msi;
}

static int lenient_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    (void)ctx;
    if (bus < RIG_BASE || bus - RIG_BASE > RIG_BYTES || bytes > RIG_BYTES - (bus - RIG_BASE))
        return PCIE_E_ABORT;
    for (uint32_t i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = rig.memory[bus - RIG_BASE + i];
    return PCIE_OK;
}

static int lenient_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    (void)ctx;
    if (bus < RIG_BASE || bus - RIG_BASE > RIG_BYTES || bytes > RIG_BYTES - (bus - RIG_BASE))
        return PCIE_E_ABORT;
    for (uint32_t i = 0; i < bytes; i++)
        rig.memory[bus - RIG_BASE + i] = ((const uint8_t *)from)[i];
    return PCIE_OK;
}

static void lenient_intx(void *ctx, bool asserted)
{
    (void)ctx;
    rig.pin = asserted;
}

static uint64_t random_offset(void)
{
    switch (any(4)) {
    case 0:
        return any(0x40);
    case 1:
        return 0x1000 + any(0x80);
    case 2:
        return 0x2000 + any(0x80);
    default:
        return any(0x5000);
    }
}

START_TEST(random_registers)
{
    static const unsigned sizes[] = {1, 2, 4, 8, 4, 4};

    open_random((unsigned)_i);
    attach_lenient(lenient_read, lenient_write);
    lenient.intx = lenient_intx;
    pcie_port_attach_host(rig.port, &lenient, NULL);
    rig_enable(&rig);
    for (unsigned i = 0; i < 3000; i++) {
        unsigned size = sizes[any(6)];
        uint64_t offset = random_offset() / size * size;
        uint64_t value = any(3) == 0 ? rng_next(&rng) : any(16);

        switch (any(8)) {
        case 0:
            pcie_port_config_write(rig.port, (uint16_t)any(0x110), 1u << any(3),
                                   (uint32_t)rng_next(&rng));
            break;
        case 1:
            pcie_port_bar_read(rig.port, 0, offset, size);
            pcie_port_config_read(rig.port, (uint16_t)any(0x1000), 1u << any(3));
            break;
        case 2:
            rig_for(&rig, any(3) * RIG_US);
            break;
        case 3: /* now and then, something sane again */
            pcie_port_config_write(rig.port, 4, 2, 0x6);
            if ((rig_read32(&rig, 0x1c) & 1) == 0 || any(20) == 0) {
                rig_write32(&rig, 0x14, 0);
                rig_settle(&rig);
                rig_setup_admin(&rig);
                rig_write32(&rig, 0x14, rig.params.cc);
                rig_settle(&rig);
            } else {
                rig_put(&rig, 0,
                        &(struct rig_cmd){.opcode = (uint8_t)any(14),
                                          .prp1 = RIG_DATA,
                                          .prp2 = RIG_DATA,
                                          .cdw10 = (uint32_t)any(12)});
                rig_ring(&rig, 0);
            }
            break;
        default:
            pcie_port_bar_write(rig.port, rig_now(&rig), 0, offset, size, value);
            break;
        }
    }
    rig_settle(&rig);
    works_after_reset();
    rig_close(&rig);
}
END_TEST

/* Entries that are nearly right: small numbers where numbers matter, so that checks are passed. */
static void put_nearly(unsigned queue)
{
    static const uint8_t admin[] = {2, 6, 8, 9, 10, 12, 0x7c, 1, 5, 0, 4};
    static const uint8_t nvm[] = {0, 1, 2, 8};
    unsigned admin_choices = any(10) == 0 ? 11 : 7; /* queues come and go, but not all the time */
    const struct rig_queue *q = &rig.queue[queue];
    unsigned outstanding = (unsigned)(q->tail + q->sq_size - q->head) % q->sq_size;

    if (outstanding + 1u == q->sq_size && any(30) != 0)
        return; /* seldom more than fits */
    struct rig_cmd cmd = {
        .opcode = queue == 0 ? admin[any(admin_choices)] : nvm[any(sizeof nvm)],
        .flags = any(20) == 0 ? (uint8_t)any(256) : 0,
        .cid = (uint16_t)any(8),
        .nsid = any(5) == 0 ? (uint32_t)rng_next(&rng) : (uint32_t)any(3),
        .prp1 = RIG_DATA + any(0x40) * 0x400 + (any(10) == 0 ? any(4) : 0),
        .prp2 = RIG_DATA + any(0x40) * 0x1000,
        .cdw10 = (uint32_t)(any(8) | any(12) << 16),
        .cdw11 = (uint32_t)(any(4) | any(6) << 16),
        .cdw12 = (uint32_t)(any(300) | any(10) << 28),
        .cdw13 = any(9) == 0 ? (uint32_t)any(4) : 0,
    };

    if (any(30) == 0)
        cmd.prp1 = rng_next(&rng);
    if (any(4) == 0) {
        cmd.prp2 = RIG_LISTS + any(0x400) * 8;
        scribble(cmd.prp2, 64);
        for (unsigned i = 0; i < 40; i++)
            rig_put64(&rig, cmd.prp2 + 8 * i,
                      any(60) == 0 ? rng_next(&rng) : RIG_DATA + any(0x40) * 0x1000);
    }
    if (queue != 0) {
        cmd.nsid = any(20) != 0;
        cmd.cdw10 = (uint32_t)any(2200); /* of 2048 blocks */
        cmd.cdw11 = 0;
        cmd.cdw12 &= ~UINT32_C(0x30000000);
    }
    rig_put(&rig, queue, &cmd);
}

START_TEST(random_commands)
{
    struct rig_cqe cqe;

    open_random(1000 + (unsigned)_i);
    attach_lenient(lenient_read, lenient_write);
    lenient.intx = lenient_intx;
    pcie_port_attach_host(rig.port, &lenient, NULL);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    rig_create_queue(&rig, 2, 8, 0);
    for (unsigned i = 0; i < 6000; i++) {
        unsigned queue = (unsigned)any(3);

        switch (any(12)) {
        case 0:
        case 1:
            rig_ring(&rig, queue);
            break;
        case 2: /* consume, usually in order */
            while (rig_take(&rig, queue, &cqe)) {
            }
            rig_ring_cq(&rig, queue);
            break;
        case 3:
            rig_for(&rig, any(2000) * RIG_NS);
            break;
        case 4:
            if (any(60) == 0)
                scribble(rig.queue[queue].sq, 64);
            if (any(100) == 0)
                rig_write32(&rig, 0x1000 + any(10) * 4, (uint32_t)any(12));
            break;
        case 5:
            if (any(60) == 0) {
                rig_write32(&rig, 0x14, any(2) ? 0 : 0x00464001);
                rig_settle(&rig);
                rig_write32(&rig, 0x14, 0);
                rig_settle(&rig);
                rig_enable(&rig);
                rig_create_queue(&rig, 1, 8, 0);
                rig_create_queue(&rig, 2, 8, 0);
            }
            break;
        default:
            put_nearly(queue);
            break;
        }
    }
    rig_settle(&rig);
    ck_assert_uint_gt(rig_stats(&rig).commands, 20); /* it was not all refused */
    works_after_reset();
    rig_close(&rig);
}
END_TEST

START_TEST(garbage_everywhere)
{
    open_random(2000 + (unsigned)_i);
    attach_lenient(lenient_read, lenient_write);
    lenient.intx = lenient_intx;
    pcie_port_attach_host(rig.port, &lenient, NULL);
    rig_enable(&rig);
    for (unsigned round = 0; round < 20; round++) {
        scribble(RIG_BASE, 0x2000);
        for (unsigned i = 0; i < 32; i++) { /* opcodes that exist, every fourth time */
            if (any(4) == 0)
                *rig_at(&rig, RIG_ADMIN_SQ + i * 64) = (uint8_t)any(16);
            *rig_at(&rig, RIG_ADMIN_SQ + i * 64 + 1) = 0;
        }
        for (unsigned i = 0; i < 10; i++) {
            uint64_t stride = 4u << params.ctrl.cap_dstrd;

            rig_write32(&rig, 0x1000, (uint32_t)any(params.admin_size));
            rig_write32(&rig, 0x1000 + stride, (uint32_t)any(params.admin_size));
            rig_for(&rig, any(5) * RIG_US);
        }
    }
    rig_settle(&rig);
    works_after_reset();
    rig_close(&rig);
}
END_TEST

Suite *suite_hostile(void)
{
    Suite *suite = suite_create("nvme hostile host");
    TCase *tc = tcase_create("hostile");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, random_registers, 0, 12);
    tcase_add_loop_test(tc, random_commands, 0, 20);
    tcase_add_loop_test(tc, garbage_everywhere, 0, 12);
    suite_add_tcase(suite, tc);
    return suite;
}

/* SPDX-License-Identifier: BSD-2-Clause
 * Every command that is fetched ends exactly once, whatever meets on the way (NVMe 1.4, 4.1, 4.6):
 * fused halves, aborts, queues that are deleted, completion queues without room, namespaces that
 * are detached, attached and formatted, faults that delay or refuse, a shutdown in between. Random
 * but repeatable. */
#include <stdio.h>
#include <string.h>

#include "engine/rng.h"
#include "unit/nvme/rig_namespace.h"

enum { QUEUES = 3, STEPS = 300, CIDS = 4096, ADMIN_CID = 77 };

static struct rig rig;
static struct rig_params params;
static struct rng rng;
static bool outstanding[QUEUES + 1][CIDS];
static unsigned count[QUEUES + 1];
static uint16_t next_cid[QUEUES + 1];

static uint64_t any(uint64_t bound)
{
    return rng_below(&rng, bound);
}

static void open_random(unsigned seed)
{
    static const char *const faults[] = {"",
                                         "every=5 : late 7us",
                                         "every=4 : slow 9us",
                                         "every=3 : status 0x006",
                                         "every=6 : slow 30us; every=5 : late 20us",
                                         "queue=0 opcode=0x08 every=2 : late 3us"};

    rng_init(&rng, seed, "exactly once");
    memset(outstanding, 0, sizeof outstanding);
    memset(count, 0, sizeof count);
    memset(next_cid, 0, sizeof next_cid);
    rig_defaults(&params);
    snprintf(params.ctrl.faults, sizeof params.ctrl.faults, "%s", faults[any(6)]);
    snprintf(params.ctrl.more_namespaces, sizeof params.ctrl.more_namespaces, "1 MiB/512");
    params.link.kind = any(2) ? LINK_PCIE : LINK_EMULATED;
    params.link.detail = any(2) ? LINK_TLP : LINK_LINE;
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = any(8) * RIG_US;
    params.media.write_latency = any(8) * RIG_US;
    params.media.flush_latency = any(3) * RIG_US;
    params.ctrl.namespace_size = UINT64_C(1) << 20;
    params.ctrl.oacs_ns_management = params.ctrl.oacs_format = 1;
    params.ctrl.ns_management_delay = any(3) * RIG_US;
    params.ctrl.format_delay = any(10) * RIG_US;
    params.ctrl.contexts = 1 + any(9);
    params.ctrl.fetch_burst = 1 + any(6);
    params.ctrl.fetch_setup.amount = any(400) * RIG_NS;
    params.ctrl.decode.amount = any(400) * RIG_NS;
    params.ctrl.dma_setup.amount = any(400) * RIG_NS;
    params.ctrl.completion.amount = any(400) * RIG_NS;
    params.ctrl.doorbell_latency.amount = any(400) * RIG_NS;
    params.ctrl.cid_check = any(2);
    params.ctrl.delete_sq = any(2);
    params.ctrl.fetch_depth = any(3);
    params.ctrl.fetch_engines = 1 + any(3);
    params.ctrl.dma_engines = 1 + any(2);
    params.ctrl.sgls = any(2);
    params.ctrl.version = any(2);
    rig_open(&rig, &params);
    rig_enable(&rig);
}

static void create(unsigned queue)
{
    rig_create_queue(&rig, queue, (uint16_t)(3 + any(11)), 0);
}

static void take(unsigned queue)
{
    struct rig_cqe cqe;

    while (rig_take(&rig, queue, &cqe)) {
        ck_assert_uint_lt(cqe.cid, CIDS);
        ck_assert_msg(outstanding[queue][cqe.cid], "queue %u: command %u ends twice", queue,
                      cqe.cid);
        outstanding[queue][cqe.cid] = false;
        count[queue]--;
    }
    rig_ring_cq(&rig, queue);
}

static void submit(unsigned queue, uint8_t opcode, uint8_t flags)
{
    struct rig_cmd cmd = {.opcode = opcode,
                          .flags = flags,
                          .cid = next_cid[queue],
                          .nsid = 1 + (uint32_t)any(2),
                          .prp1 = RIG_DATA,
                          .prp2 = RIG_LISTS,
                          .cdw10 = (uint32_t)any(16),
                          .cdw12 = (uint32_t)any(40)};

    if (count[queue] + 1u >= rig.queue[queue].sq_size)
        return;
    rig_put(&rig, queue, &cmd);
    ck_assert(!outstanding[queue][cmd.cid]);
    outstanding[queue][cmd.cid] = true;
    count[queue]++;
    next_cid[queue] = (uint16_t)((next_cid[queue] + 1) % CIDS);
}

static void submit_any(unsigned queue)
{
    static const uint8_t opcodes[] = {2, 2, 1, 1, 5, 0, 4, 8, 9, 12, 0x55};

    switch (any(6)) {
    case 0: /* both halves, which fit or do not */
        submit(queue, 5, 1);
        submit(queue, 1, 2);
        break;
    case 1: /* one without the other, or no SGL where there should be one */
        submit(queue, opcodes[any(sizeof opcodes)], (uint8_t)(any(4) | any(2) << 6));
        break;
    default:
        submit(queue, opcodes[any(sizeof opcodes)], 0);
        break;
    }
    if (any(3) != 0)
        rig_ring(&rig, queue);
}

/* An admin command, whose completion must come; I/O goes on. Returns its status. */
static uint16_t admin(struct rig_cmd cmd)
{
    struct rig_cqe cqe;

    cmd.cid = ADMIN_CID;
    rig_put(&rig, 0, &cmd);
    rig_ring(&rig, 0);
    while (!rig_take(&rig, 0, &cqe))
        ck_assert_msg(engine_step(rig.engine), "admin command %#x does not end", cmd.opcode);
    ck_assert_uint_eq(cqe.cid, ADMIN_CID);
    rig_ring_cq(&rig, 0);
    return cqe.status;
}

static void replace(unsigned queue)
{
    if (any(2) != 0)
        rig_ring(&rig, queue);
    ck_assert_uint_eq(admin((struct rig_cmd){.opcode = 0, .cdw10 = queue}), 0);
    take(queue); /* what was there before */
    memset(outstanding[queue], 0, sizeof outstanding[queue]);
    count[queue] = 0;
    ck_assert_uint_eq(admin((struct rig_cmd){.opcode = 4, .cdw10 = queue}), 0);
    create(queue);
}

static void attachment(uint32_t select)
{
    rig_put64(&rig, RIG_DATA + 0x8000, 1); /* controller list: number 0 */
    admin((struct rig_cmd){.opcode = 0x15, .nsid = 2, .prp1 = RIG_DATA + 0x8000, .cdw10 = select});
}

static void step(void)
{
    unsigned queue = 1 + (unsigned)any(QUEUES);

    switch (any(16)) {
    case 0:
        admin((struct rig_cmd){
            .opcode = 8,
            .cdw10 = (uint32_t)(next_cid[queue] + CIDS - 1 - any(4)) % CIDS << 16 | queue});
        break;
    case 1:
        if (any(4) == 0)
            replace(queue);
        break;
    case 2:
        attachment((uint32_t)any(2));
        break;
    case 3:
        if (any(4) == 0)
            admin((struct rig_cmd){.opcode = 0x80, .nsid = 1 + (uint32_t)any(2)});
        break;
    case 4:
        admin((struct rig_cmd){.opcode = 6, .nsid = 1, .prp1 = RIG_DATA + 0xa000});
        break;
    case 5:
    case 6:
    case 7:
        take(queue);
        break;
    case 8:
    case 9:
        rig_for(&rig, any(10 * RIG_US));
        break;
    default:
        submit_any(queue);
        break;
    }
}

/* A command behind everything, so that no first half waits; then all there is must end. */
static void expect_all_ended(void)
{
    for (unsigned round = 0; round < 100; round++) {
        rig_settle(&rig);
        for (unsigned queue = 1; queue <= QUEUES; queue++) {
            take(queue);
            if (round == 50)
                submit(queue, 2, 0);
            rig_ring(&rig, queue);
        }
    }
    for (unsigned queue = 1; queue <= QUEUES; queue++)
        ck_assert_msg(count[queue] == 0, "queue %u: %u commands never end", queue, count[queue]);
}

/* A normal shutdown ends although commands are on their way and completion queues may be full. */
static void expect_shutdown(void)
{
    rig_write32(&rig, 0x14, params.cc | 1u << 14);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 9);
    for (unsigned queue = 1; queue <= QUEUES; queue++)
        take(queue);
}

START_TEST(every_command_ends_once)
{
    open_random((unsigned)_i);
    for (unsigned queue = 1; queue <= QUEUES; queue++)
        create(queue);
    for (unsigned i = 0; i < STEPS; i++)
        step();
    if (_i % 2 == 0)
        expect_all_ended();
    else
        expect_shutdown();
    rig_close(&rig);
}
END_TEST

Suite *suite_exactly_once(void)
{
    Suite *suite = suite_create("nvme exactly once");
    TCase *tc = tcase_create("exactly once");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_command_ends_once, 0, 400);
    suite_add_tcase(suite, tc);
    return suite;
}

/* SPDX-License-Identifier: BSD-2-Clause
 * Weighted round robin with urgent priority class (NVMe 1.4 sections 4.13.2, 5.21.1.1, 5.4): who is
 * served, in which order, and what is illegal. Round robin is in test_queues.c. */
#include "unit/nvme/rig.h"

enum { URGENT, HIGH, MEDIUM, LOW };
#define CC_WEIGHTED (0x00460001u | 1u << 11)
#define WEIGHTS(high, medium, low, burst_log2)                                                     \
    ((high)-1u) << 24 | ((medium)-1u) << 16 | ((low)-1u) << 8 | (burst_log2)
#define ORDER_MAX 1200u

static struct rig rig;
static struct rig_params params;
static unsigned order[ORDER_MAX], served;
static struct stream_reader reader;

static void on_command(void *ctx, const struct stream_record *record)
{
    (void)ctx;
    if (served < ORDER_MAX)
        order[served++] = (unsigned)(record->b >> 16);
}

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.cap_ams = 1;
    params.ctrl.fetch_setup.amount = 10 * RIG_NS;
    params.ctrl.doorbell_latency.amount = 10 * RIG_NS;
    params.ctrl.contexts = 2000;
    params.cc = CC_WEIGHTED;
    reader = (struct stream_reader){.read = on_command, .kinds = UINT64_C(1) << RECORD_COMMAND};
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(uint32_t weights)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 1, weights, NULL), 0);
}

static void create(unsigned qid, uint16_t size, unsigned priority)
{
    struct rig_cmd sq = {.opcode = 1,
                         .cid = 2,
                         .prp1 = RIG_IO_SQ + qid * RIG_STEP,
                         .cdw10 = (size - 1u) << 16 | qid,
                         .cdw11 = qid << 16 | priority << 1 | 1};

    rig_create_queue(&rig, qid, size, 0);
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, qid, 0, NULL), 0);
    ck_assert_uint_eq(rig_do(&rig, 0, &sq, NULL), 0);
}

static void fill(unsigned qid, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        rig_put(&rig, qid, &(struct rig_cmd){.opcode = 0, .cid = (uint16_t)i, .nsid = 1});
}

/* An admin command keeps the fetch engine busy until all queues stand in their lines. */
static void ring_all(unsigned queues)
{
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 10, .cdw10 = 7});
    rig_ring(&rig, 0);
    for (unsigned q = 1; q <= queues; q++)
        rig_ring(&rig, q);
}

static void record(void)
{
    served = 0;
    stream_add(engine_stream(rig.engine), &reader);
}

static void expect_order(const char *queues)
{
    stream_remove(engine_stream(rig.engine), &reader);
    for (unsigned i = 0; queues[i] != '\0'; i++)
        ck_assert_msg(i < served && order[i] == (unsigned)(queues[i] - '0'),
                      "place %u of %s: queue %u", i, queues, order[i]);
}

/* 4.13.2: given all priorities waiting, urgent ones come first whatever the weights; then a round
 * gives high 4, medium 2, low 1; lines that are empty leave their share to the others. The burst
 * does not matter with one queue per priority. */
START_TEST(urgent_first_then_shares_by_weight)
{
    open_rig(WEIGHTS(4, 2, 1, (unsigned)_i));
    create(1, 16, HIGH);
    create(2, 16, MEDIUM);
    create(3, 16, LOW);
    create(4, 16, URGENT);
    record();
    fill(1, 8);
    fill(2, 8);
    fill(3, 8);
    fill(4, 3);
    ring_all(4);
    rig_settle(&rig);
    expect_order("0444"
                 "1111223"
                 "1111223"
                 "223"
                 "223"
                 "3333");
}
END_TEST

/* 4.13.2: within a priority, round robin; a turn ends with the burst or with the credits. */
START_TEST(queues_of_one_priority_take_turns)
{
    open_rig(WEIGHTS(3, 1, 1, 1)); /* bursts of 2 */
    create(1, 16, HIGH);
    create(2, 16, HIGH);
    create(3, 16, LOW);
    record();
    fill(1, 6);
    fill(2, 6);
    fill(3, 3);
    ring_all(3);
    rig_settle(&rig);
    expect_order("0"
                 "1123"
                 "1123"
                 "1123"
                 "222");
}
END_TEST

/* 4.13.2: the admin queue is before all others, and interrupts them at the next command. */
START_TEST(admin_commands_come_first)
{
    open_rig(WEIGHTS(1, 1, 1, 0));
    create(1, 16, URGENT);
    record();
    fill(1, 4);
    ring_all(1);
    rig_for(&rig, 15 * RIG_NS); /* seen at 25: one urgent command was served at 20 */
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 10, .cdw10 = 7});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    expect_order("010111");
}
END_TEST

START_TEST(long_run_shares_are_the_weights)
{
    unsigned count[5] = {0};

    params.ctrl.cap_mqes = 65535;
    open_rig(WEIGHTS(8, 4, 1, (unsigned)_i));
    create(1, 256, HIGH);
    create(2, 256, MEDIUM);
    create(3, 256, LOW);
    record();
    for (unsigned q = 1; q <= 3; q++)
        fill(q, 255);
    ring_all(3);
    rig_settle(&rig);
    stream_remove(engine_stream(rig.engine), &reader);
    ck_assert_uint_eq(served, 1 + 3 * 255);
    for (unsigned i = 1; i <= 20 * 13; i++) /* 20 rounds, while all three wait */
        count[order[i]]++;
    ck_assert_uint_eq(count[1], 20 * 8);
    ck_assert_uint_eq(count[2], 20 * 4);
    ck_assert_uint_eq(count[3], 20);
}
END_TEST

/* 5.21.1.1: the largest weights (0's based: 256), and all equal to the smallest. */
START_TEST(largest_and_smallest_weight)
{
    open_rig(WEIGHTS(256, 1, 1, 7));
    create(1, 256, HIGH);
    create(2, 256, LOW);
    record();
    fill(1, 255);
    fill(2, 2);
    ring_all(2);
    rig_settle(&rig);
    stream_remove(engine_stream(rig.engine), &reader);
    ck_assert_uint_eq(order[255], 1);
    ck_assert_uint_eq(order[256], 2);
    ck_assert_uint_eq(order[257], 2);
}
END_TEST

/* Set Features while queues are served: the round that runs ends as it began. */
START_TEST(new_weights_count_from_the_next_round_on)
{
    unsigned count[5] = {0};
    unsigned at = 0;

    open_rig(WEIGHTS(1, 1, 1, 0));
    create(1, 256, HIGH);
    create(2, 256, MEDIUM);
    create(3, 256, LOW);
    record();
    for (unsigned q = 1; q <= 3; q++)
        fill(q, 255);
    ring_all(3);
    rig_for(&rig, 320 * RIG_NS);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 9, .cdw10 = 1, .cdw11 = WEIGHTS(5, 2, 1, 0)});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    stream_remove(engine_stream(rig.engine), &reader);
    for (unsigned i = 1; order[i] != 0; i++) {
        ck_assert_uint_eq(order[i], 1 + (i - 1) % 3);
        at = i;
    }
    ck_assert_uint_ge(at, 20);
    for (at += 2; order[at] != 1; at++) /* what was left of the round */
        ;
    for (unsigned i = 0; i < 10 * 8; i++)
        count[order[at + i]]++;
    ck_assert_uint_eq(count[1], 50);
    ck_assert_uint_eq(count[2], 20);
    ck_assert_uint_eq(count[3], 10);
}
END_TEST

/* 5.4: QPRIO only counts when weighted round robin is selected. */
START_TEST(priority_is_ignored_with_round_robin)
{
    params.cc = 0x00460001;
    open_rig(WEIGHTS(4, 2, 1, 0));
    create(1, 16, LOW);
    create(2, 16, URGENT);
    record();
    fill(1, 3);
    fill(2, 3);
    ring_all(2);
    rig_settle(&rig);
    expect_order("0121212");
}
END_TEST

/* A queue without contexts keeps its place; the round does not begin again meanwhile. */
START_TEST(shares_hold_with_few_contexts)
{
    params.ctrl.contexts = 1;
    open_rig(WEIGHTS(3, 2, 1, 7));
    create(1, 16, HIGH);
    create(2, 16, MEDIUM);
    create(3, 16, LOW);
    record();
    fill(1, 6);
    fill(2, 6);
    fill(3, 6);
    ring_all(3);
    rig_settle(&rig);
    expect_order("0"
                 "111223"
                 "111223"
                 "223"
                 "333");
}
END_TEST

START_TEST(a_queue_can_be_deleted_while_it_waits)
{
    struct rig_cqe cqe;

    params.ctrl.contexts = 1;
    params.media.kind = MEDIA_FIXED;
    params.media.flush_latency = 10 * RIG_US;
    open_rig(WEIGHTS(1, 1, 1, 0));
    create(1, 16, HIGH);
    create(2, 16, LOW);
    create(3, 16, LOW);
    fill(1, 2);
    fill(2, 2);
    fill(3, 2);
    ring_all(3);
    rig_for(&rig, RIG_US);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0, .cid = 9, .cdw10 = 2});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    ck_assert(!rig_take(&rig, 2, &cqe));
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert(rig_take(&rig, 3, &cqe));
    }
}
END_TEST

/* 3.1.5: values of CC.AMS, by CAP.AMS (3.1.1). */
static const struct {
    uint32_t cap_ams, ams, csts;
} mechanisms[] = {{0, 0, 1}, {0, 1, 2}, {0, 7, 2}, {1, 0, 1}, {1, 1, 1}, {1, 2, 2}, {1, 7, 2}};

START_TEST(only_mechanisms_of_cap_can_be_chosen)
{
    params.ctrl.cap_ams = mechanisms[_i].cap_ams;
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    ck_assert_uint_eq(rig_read64(&rig, 0) >> 17 & 3, mechanisms[_i].cap_ams);
    rig_write32(&rig, 0x14, 0x00460001u | mechanisms[_i].ams << 11);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), mechanisms[_i].csts);
}
END_TEST

Suite *suite_arbitration(void)
{
    Suite *suite = suite_create("nvme arbitration");
    TCase *tc = tcase_create("weighted");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, urgent_first_then_shares_by_weight, 0, 8);
    tcase_add_test(tc, queues_of_one_priority_take_turns);
    tcase_add_test(tc, admin_commands_come_first);
    tcase_add_loop_test(tc, long_run_shares_are_the_weights, 0, 8);
    tcase_add_test(tc, largest_and_smallest_weight);
    tcase_add_test(tc, new_weights_count_from_the_next_round_on);
    tcase_add_test(tc, priority_is_ignored_with_round_robin);
    tcase_add_test(tc, shares_hold_with_few_contexts);
    tcase_add_test(tc, a_queue_can_be_deleted_while_it_waits);
    tcase_add_loop_test(tc, only_mechanisms_of_cap_can_be_chosen, 0,
                        sizeof mechanisms / sizeof mechanisms[0]);
    suite_add_tcase(suite, tc);
    return suite;
}

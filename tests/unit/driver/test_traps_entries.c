/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Traps that published drivers fell into, by name and origin (docs/traps.md): completion entries
 * (NVMe 1.4 section 4.6). When an entry is read, what its status says, whose it is, and whether it
 * is new at all.
 */
#include "fake.h"
#include "suites.h"

#define LATE_RESULT 0x11223344u

static struct nvme_queue *queue;
static struct nvme_request requests[16];
static uint8_t *buffer;

static void start(bool short_path)
{
    if (short_path)
        fake_unlock();
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    buffer = fake_buffer(16 * 4096, 4096, 0);
}

/* count reads in flight, fetched. */
static void fill(uint32_t count, bool registered)
{
    for (uint32_t i = 0; i < count; i++) {
        if (registered)
            fake_registered(&requests[i], NVME_OP_READ, i, 8, buffer + i * 4096);
        else
            fake_request(&requests[i], NVME_OP_READ, i, 8, buffer + i * 4096);
        ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
    }
    nvme_ring(queue);
    fake_fetch(1);
}

/* SeaBIOS looked at the status code alone, so that type 1, code 0 (Completion Queue Invalid) was
 * success. Each type with code 0, and each code with type 0, is what it is. */
START_TEST(status_type_counts_as_well_as_code__peers_6)
{
    static const uint16_t statuses[] = {0x100, 0x200, 0x300, 0x400,  0x500,  0x600, 0x700,
                                        0x001, 0x0FF, 0x7FF, 0x1800, 0x2000, 0x4000};

    start(_i != 0);
    for (uint32_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        fill(1, _i != 0);
        fake_complete(1, 0, statuses[i]);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
        ck_assert_uint_eq(fake_ended_count, i + 1);
        ck_assert_int_eq(requests[0].error, NVME_E_STATUS);
        ck_assert_uint_eq(requests[0].status, statuses[i]);
    }
}
END_TEST

/* ---- the rest of an entry is read behind its phase tag ---- */

static uint32_t late_slot;
static const struct nvme_sqe *late_data;

/* The device overtakes the host: only now is all in memory that the phase tag promised. */
static void rmb(void *ctx, const struct nvme_ring *cq, uint16_t slot)
{
    struct nvme_cqe *cqe = (struct nvme_cqe *)cq->entries + slot;

    (void)ctx;
    if (slot != late_slot)
        return;
    cqe->result = fake_le32(LATE_RESULT);
    cqe->sqhd_sqid = fake_le32(fake->queues[cq->qid].head | (uint32_t)cq->qid << 16);
    if (late_data)
        fake_execute(late_data);
}

/* Post the end of fetched[0], with nonsense where the device has not written yet. */
static void post_early(uint32_t qid, uint16_t status)
{
    struct fake_queue *q = &fake->queues[qid];
    struct nvme_cqe *cqe = (struct nvme_cqe *)fake_cpu(q->cq_bus, q->cq_depth * 16u) + q->cq_tail;

    late_slot = q->cq_tail;
    cqe->result = fake_le32(0xDEADBEEF);
    fake_post(qid, fake_cid(&q->fetched[0]), status, 0xFFFF, 0xFFFF);
    fake->ops.rmb = rmb;
}

/* NetBSD 9, vroom and unvme read an entry's other fields with nothing between them and the phase
 * tag; FreeBSD met the consequence: an identifier that matched no command. Given a device whose
 * dwords 0 and 2 come after the phase tag, when the entry is reaped, then what counts is what the
 * barrier has let in, on the short path, the general one, and with an error. */
START_TEST(entry_is_read_behind_its_phase_tag__peers_7__netbsd_3)
{
    uint16_t status = _i & 2 ? 0x281 : 0;

    late_data = NULL;
    start((_i & 1) != 0);
    fill(1, (_i & 1) != 0);
    post_early(1, status);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_uint_eq(requests[0].status, status);
    ck_assert_uint_eq(requests[0].result, LATE_RESULT);
}
END_TEST

/* The same of the data: a bounced read is copied behind the barrier, not before. */
START_TEST(data_is_read_behind_the_phase_tag__peers_7)
{
    static struct nvme_sqe sqe;

    fake->config.bounce_bytes = 4096;
    fake->config.read.direct_min_bytes = 8192;
    start(false);
    fill(1, false);
    memset(buffer, 0, 4096);
    late_data = &sqe;
    sqe = fake->queues[1].fetched[0];
    post_early(1, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_mem_eq(buffer, fake_disk, 4096);
    late_data = NULL;
}
END_TEST

/* And of the admin queue. */
START_TEST(admin_entry_is_read_behind_its_phase_tag__peers_7)
{
    struct nvme_admin_request request;

    late_data = NULL;
    start(false);
    fake->hold_admin = true;
    fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_OK);
    fake_fetch(0);
    post_early(0, 0);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
    ck_assert_uint_eq((uintptr_t)request.user, 1);
    ck_assert_int_eq(request.error, NVME_OK);
    ck_assert_uint_eq(request.result, LATE_RESULT);
    fake->hold_admin = false;
}
END_TEST

/* ---- whose entry it is ---- */

/* vroom waited for n entries and looked at the last one's phase and status. Given four entries of
 * which the second is an error, when one poll takes them all, then each request has its own. */
START_TEST(each_entry_of_a_batch_has_its_own_status__peers_8)
{
    static const uint16_t statuses[4] = {0, 0x281, 0, 0x2002};

    start(_i != 0);
    fill(4, _i != 0);
    for (uint32_t i = 0; i < 4; i++)
        fake_complete(1, 0, statuses[i]);
    ck_assert_uint_eq(nvme_poll(queue, 0), 4);
    ck_assert_uint_eq(fake_ended_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_int_eq(requests[i].error, statuses[i] ? NVME_E_STATUS : NVME_OK);
        ck_assert_uint_eq(requests[i].status, statuses[i]);
    }
}
END_TEST

/* vroom advanced by n, whether n had come or not: an entry of which nothing is there yet is not
 * taken, whatever follows it. */
START_TEST(poll_stops_at_the_first_entry_that_is_not_new__peers_8)
{
    struct nvme_cqe *ring;

    start(_i != 0);
    fill(3, _i != 0);
    fake_complete(1, 0, 0);
    fake_complete(1, 0, 0);
    fake_complete(1, 0, 0);
    ring = fake_cpu(fake->queues[1].cq_bus, 16 * 16);
    ring[1].cid_status ^= fake_le32(NVME_CQE_PHASE); /* on its way */
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_ptr_eq(fake_ended[0], &requests[0]);
    ck_assert_uint_eq(nvme_in_flight(queue), 2);
    ring[1].cid_status ^= fake_le32(NVME_CQE_PHASE);
    ck_assert_uint_eq(nvme_poll(queue, 0), 2);
}
END_TEST

/* libvfn's wait for one request dropped the entries of others. Given two admin commands of which
 * the second is waited for, when the first ends meanwhile, then it has ended, too. */
START_TEST(waiting_for_one_command_ends_others__peers_3)
{
    struct nvme_admin_request first, second;

    start(false);
    fake->hold_admin = true;
    fake_admin_request(&first, FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &first), NVME_OK);
    fake->hold_admin = false;
    fake_admin_request(&second, FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &second), NVME_OK);
    ck_assert_uint_eq((uintptr_t)first.user, 1);
    ck_assert_int_eq(first.error, NVME_OK);
}
END_TEST

/* Genode's admin queue matched entries by identifier alone. Given a ring of four that has gone
 * round, and an entry of the last lap whose identifier is that of the command in flight, when it is
 * polled for, then it has not ended, and no doorbell has moved. */
START_TEST(entry_of_the_last_lap_ends_nothing__genode_4)
{
    struct nvme_admin_request request;
    struct fake_queue *q = &fake->queues[0];
    struct nvme_cqe *stale;
    uint32_t doorbells;

    fake->config.admin_depth = 4;
    fake->config.aer_count = 0;
    start(false);
    for (uint32_t i = 0; i < 4 * 4; i++) {
        fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
        ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &request), NVME_OK);
    }
    fake->hold_admin = true;
    fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_OK);
    fake_fetch(0);
    stale = (struct nvme_cqe *)fake_cpu(q->cq_bus, 4 * 16) + q->cq_tail;
    stale->cid_status = fake_le32(fake_cid(&q->fetched[0]) | (q->phase ^ 1) << 16);
    stale->sqhd_sqid = fake_le32(q->head);
    doorbells = fake_writes(fake_doorbell(0, true));
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
    ck_assert_uint_eq((uintptr_t)request.user, 0);
    ck_assert_uint_eq(fake_writes(fake_doorbell(0, true)), doorbells);
    fake_complete(0, 0, 0);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
    ck_assert_uint_eq((uintptr_t)request.user, 1);
    fake->hold_admin = false;
}
END_TEST

/* NetBSD wrote identifiers little endian and read them as they came. Given identifiers whose two
 * bytes differ, and a machine of either byte order (this file is compiled for both), when they come
 * back, then they are found; and so are result, status and SQ head. */
START_TEST(fields_of_an_entry_are_little_endian__netbsd_6)
{
    fake->config.cid_generation = false;
    fake->config.cid_base = 0x0201;
    start(_i != 0);
    fill(3, _i != 0);
    ck_assert_uint_eq(fake_cid(&fake->queues[1].fetched[1]), 0x0202);
    ((struct nvme_cqe *)fake_cpu(fake->queues[1].cq_bus, 16))->result = fake_le32(0x01020304);
    fake_complete(1, 1, 0x0182);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_ptr_eq(fake_ended[0], &requests[1]);
    ck_assert_uint_eq(requests[1].status, 0x0182);
    ck_assert_uint_eq(requests[1].result, 0x01020304);
    fake_complete(1, 0, 0);
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 2);
    ck_assert_int_eq(requests[0].error, NVME_OK);
}
END_TEST

Suite *suite_traps_entries(void)
{
    Suite *suite = suite_create("traps: entries");
    TCase *tcase = tcase_create("entries");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_loop_test(tcase, status_type_counts_as_well_as_code__peers_6, 0, 2);
    tcase_add_loop_test(tcase, entry_is_read_behind_its_phase_tag__peers_7__netbsd_3, 0, 4);
    tcase_add_test(tcase, data_is_read_behind_the_phase_tag__peers_7);
    tcase_add_test(tcase, admin_entry_is_read_behind_its_phase_tag__peers_7);
    tcase_add_loop_test(tcase, each_entry_of_a_batch_has_its_own_status__peers_8, 0, 2);
    tcase_add_loop_test(tcase, poll_stops_at_the_first_entry_that_is_not_new__peers_8, 0, 2);
    tcase_add_test(tcase, waiting_for_one_command_ends_others__peers_3);
    tcase_add_test(tcase, entry_of_the_last_lap_ends_nothing__genode_4);
    tcase_add_loop_test(tcase, fields_of_an_entry_are_little_endian__netbsd_6, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

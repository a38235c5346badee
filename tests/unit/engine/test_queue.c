/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The event queue by itself: window and heap against a list that is searched from end to end, with
 * populations around the size of the window, and the borders between the two.
 */
#include <check.h>

#include "engine/queue.h"
#include "engine/rng.h"
#include "unit/engine/suites.h"

enum { MOST = 1000 };

static struct queue queue;
static struct queue_entry heap[MOST], pending[MOST];
static unsigned count;
static uint64_t seq;

static void setup(void)
{
    queue.heap = heap;
    queue_init(&queue);
    count = 0;
    seq = 0;
}

static void put(uint64_t time_ps)
{
    pending[count++] = queue_entry_of(time_ps, seq, (uint32_t)(seq % 7));
    queue_put(&queue, pending[count - 1]);
    seq++;
}

/* Take out the first; it must be the first of the list. Returns its time. */
static uint64_t take(void)
{
    unsigned best = 0;
    for (unsigned i = 1; i < count; i++)
        if (pending[i].time_ps < pending[best].time_ps ||
            (pending[i].time_ps == pending[best].time_ps &&
             pending[i].seq_and_slot < pending[best].seq_and_slot))
            best = i;
    struct queue_entry expected = pending[best];
    pending[best] = pending[--count];
    ck_assert(!queue_is_empty(&queue));
    ck_assert_uint_eq(queue.first->time_ps, expected.time_ps);
    ck_assert_uint_eq(queue.first->seq_and_slot, expected.seq_and_slot);
    queue_drop_first(&queue);
    return expected.time_ps;
}

static void take_all(void)
{
    while (count > 0)
        take();
    ck_assert(queue_is_empty(&queue));
    ck_assert_uint_eq(queue.first->time_ps, QUEUE_IDLE_PS);
}

START_TEST(an_empty_queue_says_that_nothing_is_ever_due)
{
    ck_assert(queue_is_empty(&queue));
    ck_assert_uint_eq(queue.first->time_ps, QUEUE_IDLE_PS);
}
END_TEST

START_TEST(an_entry_keeps_its_slot)
{
    put(0);
    queue_put(&queue, queue_entry_of(1, seq++, (1u << QUEUE_SLOT_BITS) - 1));
    take();
    ck_assert_uint_eq(queue_entry_slot(queue.first), (1u << QUEUE_SLOT_BITS) - 1);
}
END_TEST

START_TEST(the_heap_is_used_from_the_65th_entry_on)
{
    /* given a full window */
    for (unsigned i = 0; i < QUEUE_WINDOW; i++)
        put(100 + i);
    ck_assert_uint_eq(queue.heap_count, 0);
    /* when one more comes behind it, or at the time of its last, that one goes to the heap */
    put(100 + QUEUE_WINDOW);
    ck_assert_uint_eq(queue.heap_count, 1);
    put(100 + QUEUE_WINDOW - 1);
    ck_assert_uint_eq(queue.heap_count, 2);
    /* when one comes before its last, the last does */
    put(100 + QUEUE_WINDOW - 2);
    ck_assert_uint_eq(queue.heap_count, 3);
    put(0);
    ck_assert_uint_eq(queue.heap_count, 4);
    take_all();
}
END_TEST

START_TEST(the_window_fills_again_when_it_is_empty)
{
    for (unsigned i = 0; i < 2 * QUEUE_WINDOW; i++)
        put(i);
    for (unsigned i = 0; i < QUEUE_WINDOW - 1; i++)
        take();
    ck_assert_uint_eq(queue.heap_count, QUEUE_WINDOW);
    take();
    ck_assert_uint_eq(queue.heap_count, QUEUE_WINDOW / 2);
    /* what comes between the entries of the window has room there */
    for (unsigned i = 0; i < QUEUE_WINDOW / 2; i++)
        put(QUEUE_WINDOW + i / 2);
    ck_assert_uint_eq(queue.heap_count, QUEUE_WINDOW / 2);
    take_all();
}
END_TEST

START_TEST(the_window_drifts_either_way)
{
    /* given a few entries, when each round takes the first and puts a last one, */
    for (unsigned i = 0; i < 5; i++)
        put(i);
    for (unsigned i = 0; i < 3 * QUEUE_BUFFER; i++)
        put(take() + 5);
    take_all();
    /* or entries come in falling order, the window full or not, the order is kept */
    for (unsigned i = 0; i < MOST; i++)
        put(MOST - i);
    take_all();
    for (unsigned round = 0; round < QUEUE_BUFFER; round++) {
        put(20);
        put(10);
        take_all();
    }
}
END_TEST

START_TEST(random_populations_keep_the_order)
{
    /* given on average as many entries as in the table, at random times ahead, many of them equal,
     * and some far ahead */
    static const unsigned populations[] = {1, 8, 63, 64, 65, 128, 600};
    unsigned population = populations[_i];
    struct rng rng;
    uint64_t now_ps = 0;
    rng_init(&rng, population, "queue");
    for (unsigned round = 0; round < 20000; round++) {
        bool far = rng_below(&rng, 10) == 0;
        if (count == 0 || (count < MOST && rng_below(&rng, 2 * population) >= count))
            put(now_ps + rng_below(&rng, far ? 5000 : 50));
        else
            now_ps = take();
    }
    take_all();
}
END_TEST

Suite *suite_queue(void)
{
    Suite *suite = suite_create("event queue");
    TCase *tcase = tcase_create("window and heap");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, an_empty_queue_says_that_nothing_is_ever_due);
    tcase_add_test(tcase, an_entry_keeps_its_slot);
    tcase_add_test(tcase, the_heap_is_used_from_the_65th_entry_on);
    tcase_add_test(tcase, the_window_fills_again_when_it_is_empty);
    tcase_add_test(tcase, the_window_drifts_either_way);
    tcase_add_loop_test(tcase, random_populations_keep_the_order, 0, 7);
    suite_add_tcase(suite, tcase);
    return suite;
}

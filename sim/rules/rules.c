/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The checker as a reader of the event stream: records go to the judges, then into the picture; see
 * rules.h, judge.h and picture.h.
 */
#include "rules/internal.h"

#include <stdlib.h>

const struct judge *const rules_judges[JUDGES] = {
    [JUDGE_REGISTERS] = &judge_registers, [JUDGE_LIFE] = &judge_life,
    [JUDGE_QUEUES] = &judge_queues,       [JUDGE_SUBMIT] = &judge_submit,
    [JUDGE_COMMAND] = &judge_command,     [JUDGE_LISTS] = &judge_lists,
    [JUDGE_CACHE] = &judge_cache,         [JUDGE_REQUEST] = &judge_request,
    [JUDGE_WAITING] = &judge_waiting,     [JUDGE_DATA] = &judge_data,
    [JUDGE_COMPLETE] = &judge_complete,   [JUDGE_SHADOW] = &judge_shadow,
};

static void rules_leave(struct rules *rules)
{
    if (rules->attached)
        stream_remove(rules->setup.stream, &rules->reader);
    rules->attached = false;
}

static void rules_read(void *ctx, const struct stream_record *record)
{
    struct rules *rules = ctx;
    struct stream_record *kept = &rules->trail[rules->trail_count % TRAIL_ROOM];
    *kept = *record;
    rules->current = kept;
    rules->picture.now_ps = record->time_ps;
    const struct judge *const *judge = rules->hears[record->kind];
    for (; *judge != NULL && !rules->over; judge++)
        (*judge)->record(rules, record);
    if (!rules->over)
        picture_take(rules, record);
    rules->trail_count++;
    if (rules->over)
        rules_leave(rules);
}

_Static_assert((unsigned)RECORD_KINDS <= KINDS_MAX, "hears[] has room");

#define LIST(event_)                                                                               \
    do {                                                                                           \
        unsigned count_ = 0;                                                                       \
        for (unsigned i_ = 0; i_ < JUDGES; i_++) {                                                 \
            if (rules_judges[i_]->event_ != NULL &&                                                \
                !(rules_judges[i_]->not_if_coherent && rules->setup.coherent))                     \
                rules->listeners.event_[count_++] = rules_judges[i_];                              \
        }                                                                                          \
    } while (0)

static void list_listeners(struct rules *rules)
{
    LIST(tail);
    LIST(head);
    LIST(rung);
    LIST(fetched);
    LIST(posted);
    LIST(seen);
    LIST(enabled);
    LIST(reset);
    LIST(concluded);
}

static uint64_t list_kinds(struct rules *rules, const struct judge *judge)
{
    if (judge->not_if_coherent && rules->setup.coherent)
        return 0;
    for (unsigned kind = 0; kind < RECORD_KINDS; kind++) {
        const struct judge **end = rules->hears[kind];
        while (*end != NULL)
            end++;
        if ((judge->kinds >> kind & 1u) != 0)
            *end = judge;
    }
    return judge->kinds;
}

struct rules *rules_create(const struct rules_setup *setup)
{
    struct rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL)
        abort();
    rules->setup = *setup;
    rules->picture.commands_free = NO_COMMAND;
    rules->verdict.judged = 1;
    uint64_t kinds = picture_kinds;
    for (unsigned i = 0; i < JUDGES; i++) {
        kinds |= list_kinds(rules, rules_judges[i]);
        if (rules_judges[i]->state_bytes == 0)
            continue;
        rules->states[i] = calloc(1, rules_judges[i]->state_bytes);
        if (rules->states[i] == NULL)
            abort();
    }
    rules->reader = (struct stream_reader){rules_read, rules, kinds, NULL};
    list_listeners(rules);
    stream_add(setup->stream, &rules->reader);
    rules->attached = true;
    return rules;
}

void rules_conclude(struct rules *rules)
{
    struct stream_record *kept = &rules->trail[rules->trail_count % TRAIL_ROOM];
    *kept = (struct stream_record){.time_ps = rules->picture.now_ps};
    rules->current = kept;
    RULES_TELL(concluded, rules);
    rules->over = true;
    rules_leave(rules);
}

const struct rules_verdict *rules_get_verdict(const struct rules *rules)
{
    return &rules->verdict;
}

void rules_destroy(struct rules *rules)
{
    if (rules == NULL)
        return;
    rules_leave(rules);
    picture_free(&rules->picture);
    for (unsigned i = 0; i < JUDGES; i++)
        free(rules->states[i]);
    free(rules);
}

/* ---- for judges ---- */

struct picture *rules_picture(struct rules *rules)
{
    return &rules->picture;
}

const struct stream_record *rules_record(const struct rules *rules)
{
    return rules->current;
}

const struct rules_setup *rules_setup(const struct rules *rules)
{
    return &rules->setup;
}

void *judge_state(struct rules *rules, const struct judge *judge)
{
    return rules->states[judge->place];
}

bool rules_peek(const struct rules *rules, uint64_t bus, void *to, size_t bytes)
{
    return rules->setup.peek(rules->setup.ctx, bus, to, bytes);
}

uint64_t rules_digest(const struct rules *rules, uint64_t bus, size_t bytes)
{
    return rules->setup.digest(rules->setup.ctx, bus, bytes);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The checker as a reader of the event stream: records go to the judges, then into the picture; see
 * rules.h, judge.h and picture.h.
 */
#include "rules/internal.h"

#include <stdlib.h>

const struct judge *const rules_judges[JUDGES] = {&judge_registers, &judge_life,     &judge_queues,
                                                  &judge_submit,    &judge_command,  &judge_lists,
                                                  &judge_cache,     &judge_request,  &judge_waiting,
                                                  &judge_data,      &judge_complete, &judge_shadow};

static void rules_leave(struct rules *rules)
{
    if (rules->attached)
        stream_remove(rules->setup.stream, &rules->reader);
    rules->attached = false;
}

static void rules_read(void *ctx, const struct stream_record *record)
{
    struct rules *rules = ctx;
    const struct rules_hearers *hearers = &rules->hearers[record->kind];
    rules->current = record;
    rules->picture.now_ps = record->time_ps;
    for (unsigned i = 0; i < hearers->count && !rules->over; i++)
        hearers->record[i](rules, record);
    if (hearers->picture && !rules->over)
        picture_take(rules, record);
    rules_trail_keep(rules, record);
    if (rules->over)
        rules_leave(rules);
}

/* Who hears which kind of record. */
static uint64_t appoint(struct rules *rules)
{
    uint64_t kinds = picture_kinds;
    for (unsigned i = 0; i < JUDGES; i++)
        kinds |= rules_judges[i]->kinds;
    for (unsigned kind = 0; kind < RECORD_KINDS; kind++) {
        struct rules_hearers *hearers = &rules->hearers[kind];
        hearers->picture = (picture_kinds >> kind & 1u) != 0;
        for (unsigned i = 0; i < JUDGES; i++) {
            if (rules_judges[i]->kinds >> kind & 1u)
                hearers->record[hearers->count++] = rules_judges[i]->record;
        }
    }
    return kinds;
}

struct rules *rules_create(const struct rules_setup *setup)
{
    struct rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL)
        abort();
    rules->setup = *setup;
    rules->picture.commands_free = NO_COMMAND;
    rules->verdict.judged = 1;
    for (unsigned i = 0; i < JUDGES; i++) {
        if (rules_judges[i]->state_bytes == 0)
            continue;
        rules->states[rules_judges[i]->id] = calloc(1, rules_judges[i]->state_bytes);
        if (rules->states[rules_judges[i]->id] == NULL)
            abort();
    }
    rules->reader = (struct stream_reader){rules_read, rules, appoint(rules), NULL};
    stream_add(setup->stream, &rules->reader);
    rules->attached = true;
    return rules;
}

void rules_conclude(struct rules *rules)
{
    const struct stream_record end = {.time_ps = rules->picture.now_ps};
    rules->current = &end;
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
    return rules->states[judge->id];
}

bool rules_peek(const struct rules *rules, uint64_t bus, void *to, size_t bytes)
{
    return rules->setup.peek(rules->setup.ctx, bus, to, bytes);
}

uint64_t rules_digest(const struct rules *rules, uint64_t bus, size_t bytes)
{
    return rules->setup.digest(rules->setup.ctx, bus, bytes);
}

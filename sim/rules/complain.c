/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A violation in words: what, when, who, what was seen and what is allowed, what led there, and how
 * to see it again.
 */
#include "rules/internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define OBSERVED_MAX 240
#define PS_PER_NS    1000u
#define NS_PER_US    1000u

struct text {
    char *at;
    size_t left;
};

static void say(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->at, text->left, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    size_t took = (size_t)length < text->left ? (size_t)length : text->left - 1;
    text->at += took;
    text->left -= took;
}

static void say_time(struct text *text, uint64_t ps)
{
    uint64_t ns = ps / PS_PER_NS;
    say(text, "%" PRIu64 ".%03" PRIu64 " us", ns / NS_PER_US, ns % NS_PER_US);
}

static bool is_of_device(unsigned kind)
{
    return kind >= RECORD_DOORBELL;
}

static void say_record(struct text *text, const struct stream_record *r)
{
    say(text, "\n    ");
    say_time(text, r->time_ps);
    say(text, " %s %u: %s %" PRIx32 " %" PRIx64 " %" PRIx64, is_of_device(r->kind) ? "dev" : "CPU",
        r->source, record_kind_name(r->kind), r->a, r->b, r->c);
}

static void say_where(struct text *text, struct where where)
{
    if (where.cpu >= 0)
        say(text, ", CPU %d", where.cpu);
    if (where.queue >= 0)
        say(text, ", queue %d", where.queue);
    if (where.cid >= 0)
        say(text, ", CID %d", where.cid);
}

static void tell(struct rules *rules, const struct rule *rule, struct where where,
                 const char *allowed, const char *observed)
{
    struct text text = {rules->verdict.text, sizeof rules->verdict.text};
    say(&text, "rule %s (%s), %s: at ", rule->id, rule->name, rule_class_name(rule->class));
    say_time(&text, rules->current->time_ps);
    say_where(&text, where);
    say(&text, "\n  observed: %s\n  allowed:  %s [%s]", observed, allowed, rule->section);
    uint64_t count = rules->trail_count < TRAIL_LENGTH ? rules->trail_count : TRAIL_LENGTH;
    if (count > 0)
        say(&text, "\n  before (hexadecimal operands):");
    for (uint64_t i = rules->trail_count - count; i < rules->trail_count; i++)
        say_record(&text, &rules->trail[i % TRAIL_LENGTH]);
    say(&text, "\n  seed %" PRIu64, rules->setup.seed);
    if (rules->setup.again != NULL)
        say(&text, ", again: %s", rules->setup.again);
}

void rules_trail_keep(struct rules *rules, const struct stream_record *record)
{
    rules->trail[rules->trail_count++ % TRAIL_LENGTH] = *record;
}

int rules_cpu(const struct rules *rules)
{
    return is_of_device(rules->current->kind) ? -1 : rules->current->source;
}

void rules_note(struct rules *rules, enum rule_id rule)
{
    if (!rules->over && rules->verdict.count[rule] < UINT16_MAX)
        rules->verdict.count[rule]++;
}

void rules_complain(struct rules *rules, enum rule_id rule, struct where where, const char *allowed,
                    const char *observed, ...)
{
    struct rules_verdict *verdict = &rules->verdict;
    if (rules->over)
        return;
    if (rules_suppressed(rules->setup.suppress, rule) != NULL) {
        verdict->suppressed++;
        return;
    }
    if (verdict->count[rule] < UINT16_MAX)
        verdict->count[rule]++;
    if (verdict->violations++ == 0) {
        char words[OBSERVED_MAX];
        va_list arguments;
        va_start(arguments, observed);
        vsnprintf(words, sizeof words, observed, arguments);
        va_end(arguments);
        verdict->first_ps = rules->current->time_ps;
        tell(rules, rule_get(rule), where, allowed, words);
    }
    if (rules->setup.mode != RULES_FATAL)
        return;
    rules->over = true;
    if (rules->setup.tripped != NULL)
        rules->setup.tripped(rules->setup.ctx);
}

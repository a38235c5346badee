/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the rules of ctrl.faults; fault.h has the language.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/units.h"
#include "nvme/fault.h"
#include "nvme/wire.h"

#define WORD_MAX 64u

/* What is being read: one rule of the text, word by word. */
struct reader {
    const char *at;
    unsigned rule; /* from 1 */
    char word[WORD_MAX];
    char *message;
    size_t size;
};

enum value_kind { VALUE_NONE, VALUE_NUMBER, VALUE_TIME, VALUE_TIME_OR_NONE };

static const struct {
    const char *name;
    enum fault_action action;
    enum value_kind value;
} actions[] = {
    {"status", FAULT_STATUS, VALUE_NUMBER},
    {"lose", FAULT_LOSE, VALUE_NONE},
    {"duplicate", FAULT_DUPLICATE, VALUE_NONE},
    {"wrong-cid", FAULT_WRONG_CID, VALUE_NUMBER},
    {"late", FAULT_LATE, VALUE_TIME},
    {"slow", FAULT_SLOW, VALUE_TIME},
    {"stuck", FAULT_STUCK, VALUE_NONE},
    {"corrupt", FAULT_CORRUPT, VALUE_NONE},
    {"unreadable", FAULT_UNREADABLE, VALUE_NONE},
    {"cfs", FAULT_CFS, VALUE_NONE},
    {"link-down", FAULT_LINK_DOWN, VALUE_TIME_OR_NONE},
    {"power-loss", FAULT_POWER_LOSS, VALUE_TIME_OR_NONE},
    {"not-ready", FAULT_NOT_READY, VALUE_TIME_OR_NONE},
    {"drop-interrupt", FAULT_DROP_INTERRUPT, VALUE_NONE},
};

static const struct {
    const char *name;
    uint8_t opcode;
} opcodes[] = {
    {"flush", NVM_FLUSH},
    {"write", NVM_WRITE},
    {"read", NVM_READ},
    {"write-uncorrectable", NVM_WRITE_UNCORRECTABLE},
    {"compare", NVM_COMPARE},
    {"write-zeroes", NVM_WRITE_ZEROES},
    {"dataset-management", NVM_DATASET_MANAGEMENT},
    {"verify", NVM_VERIFY},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool wrong(struct reader *reader, const char *what)
{
    snprintf(reader->message, reader->size, "ctrl.faults: rule %u: '%s': %s", reader->rule,
             reader->word, what);
    return false;
}

/* The next word of this rule; ':' is a word. False at the end of the rule (word is empty). */
static bool next_word(struct reader *reader)
{
    size_t length = 0;

    while (*reader->at == ' ' || *reader->at == '\t')
        reader->at++;
    while (*reader->at != '\0' && *reader->at != ';' && !isspace((unsigned char)*reader->at)) {
        if (*reader->at == ':' && length > 0)
            break;
        if (length + 1 < WORD_MAX)
            reader->word[length++] = *reader->at;
        if (*reader->at++ == ':')
            break;
    }
    reader->word[length] = '\0';
    return length > 0;
}

static bool read_number(const char *text, uint64_t *value, const char **end)
{
    char *stop;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *value = strtoull(text, &stop, 0);
    *end = stop;
    return errno == 0 && *value < FAULT_ANY; /* which means that there is no condition */
}

static bool whole_number(struct reader *reader, const char *text, uint64_t *value)
{
    const char *end;

    if (!read_number(text, value, &end) || *end != '\0')
        return wrong(reader, "needs a number, decimal or 0x");
    return true;
}

/* A bare number becomes what it says; limit what can be in the field it goes to. */
static bool bounded(struct reader *reader, const char *text, uint64_t least, uint64_t most,
                    uint64_t *value)
{
    char what[80];

    if (!whole_number(reader, text, value))
        return false;
    if (*value >= least && *value <= most)
        return true;
    snprintf(what, sizeof what, "must be %llu to %llu", (unsigned long long)least,
             (unsigned long long)most);
    return wrong(reader, what);
}

static bool read_time(struct reader *reader, const char *text, uint64_t *ps)
{
    struct param_cost value;
    struct units_fault fault;

    if (!units_parse(PARAM_TIME, text, &value, &fault))
        return wrong(reader, "needs a time with its unit and without a blank, such as 5ms");
    *ps = value.amount;
    return true;
}

static bool read_opcode(struct reader *reader, const char *text, uint64_t *opcode)
{
    for (size_t i = 0; i < COUNT(opcodes); i++) {
        if (strcmp(text, opcodes[i].name) == 0) {
            *opcode = opcodes[i].opcode;
            return true;
        }
    }
    if (!isdigit((unsigned char)*text))
        return wrong(reader, "no such opcode; flush, write, read, write-uncorrectable, compare, "
                             "write-zeroes, dataset-management, verify or a number are");
    return bounded(reader, text, 0, 0xff, opcode);
}

/* "A" or "A-B" */
static bool read_range(struct reader *reader, const char *text, uint64_t *first, uint64_t *last)
{
    const char *end;

    if (!read_number(text, first, &end) || (*end != '\0' && *end != '-') ||
        (*end == '-' && (!read_number(end + 1, last, &end) || *end != '\0')))
        return wrong(reader, "needs one block or two, such as 100-199");
    if (strchr(text, '-') == NULL)
        *last = *first;
    return *first <= *last || wrong(reader, "the first block is behind the last");
}

static bool read_chance(struct reader *reader, const char *text, struct fault_rule *rule)
{
    const char *end;

    if (!read_number(text, &rule->chance, &end) || *end != '/' ||
        !read_number(end + 1, &rule->chance_of, &end) || *end != '\0' || rule->chance_of == 0 ||
        rule->chance > rule->chance_of)
        return wrong(reader, "needs a fraction of at most 1, such as 1/1000");
    return true;
}

static bool read_condition(struct reader *reader, struct fault_rule *rule)
{
    char *equals = strchr(reader->word, '=');
    const char *value = equals == NULL ? "" : equals + 1;
    size_t length = equals == NULL ? strlen(reader->word) : (size_t)(equals - reader->word);
    const char *word = reader->word;
    uint64_t *times[] = {&rule->after_ps, &rule->before_ps, &rule->at_ps};
    static const char *const time_names[] = {"after", "before", "at"};
    struct {
        const char *name;
        uint64_t *to, least, most;
    } numbers[] = {
        {"queue", &rule->queue, 0, 65534},          {"nsid", &rule->nsid, 0, UINT32_MAX},
        {"vector", &rule->vector, 0, 2047},         {"nth", &rule->nth, 1, UINT64_MAX - 1},
        {"every", &rule->every, 1, UINT64_MAX - 1}, {"times", &rule->times, 1, UINT64_MAX - 1}};

    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (strlen(numbers[i].name) == length && memcmp(word, numbers[i].name, length) == 0)
            return bounded(reader, value, numbers[i].least, numbers[i].most, numbers[i].to);
    }
    for (size_t i = 0; i < COUNT(times); i++) {
        if (strlen(time_names[i]) == length && memcmp(word, time_names[i], length) == 0)
            return read_time(reader, value, times[i]);
    }
    if (length == 6 && memcmp(word, "opcode", length) == 0)
        return read_opcode(reader, value, &rule->opcode);
    if (length == 3 && memcmp(word, "lba", length) == 0)
        return read_range(reader, value, &rule->lba_first, &rule->lba_last);
    if (length == 6 && memcmp(word, "chance", length) == 0)
        return read_chance(reader, value, rule);
    return wrong(reader, "no such condition; opcode, queue, nsid, lba, vector, after, before, at, "
                         "nth, every, chance and times are");
}

static bool read_value(struct reader *reader, struct fault_rule *rule, enum value_kind kind)
{
    bool there = next_word(reader);
    uint64_t most = rule->action == FAULT_STATUS ? 0x7ff : 0xffff;

    rule->value = FAULT_FOR_EVER;
    if (!there && (kind == VALUE_NONE || kind == VALUE_TIME_OR_NONE))
        return true;
    switch (kind) {
    case VALUE_NUMBER:
        return bounded(reader, reader->word, 1, most, &rule->value) &&
               (!next_word(reader) || wrong(reader, "nothing may follow the action"));
    case VALUE_TIME:
    case VALUE_TIME_OR_NONE:
        return read_time(reader, reader->word, &rule->value) &&
               (!next_word(reader) || wrong(reader, "nothing may follow the action"));
    default:
        return wrong(reader, "this action takes no value");
    }
}

static bool read_action(struct reader *reader, struct fault_rule *rule)
{
    if (!next_word(reader))
        return wrong(reader, "an action must follow the ':'");
    for (size_t i = 0; i < COUNT(actions); i++) {
        if (strcmp(reader->word, actions[i].name) != 0)
            continue;
        rule->action = actions[i].action;
        return read_value(reader, rule, actions[i].value);
    }
    return wrong(reader,
                 "no such action; status, lose, duplicate, wrong-cid, late, slow, stuck, "
                 "corrupt, unreadable, cfs, link-down, power-loss, not-ready and drop-interrupt "
                 "are");
}

static bool about_commands(const struct fault_rule *rule)
{
    return rule->opcode != FAULT_ANY || rule->queue != FAULT_ANY || rule->nsid != FAULT_ANY ||
           rule->lba_first != FAULT_ANY;
}

/* Conditions that the action has no use for are mistakes. */
static bool check_rule(struct reader *reader, const struct fault_rule *rule)
{
    bool timed = rule->action == FAULT_CFS || rule->action == FAULT_LINK_DOWN ||
                 rule->action == FAULT_POWER_LOSS;
    bool commands = rule->action != FAULT_NOT_READY && rule->action != FAULT_DROP_INTERRUPT;
    bool counted = rule->nth != FAULT_ANY || rule->every != FAULT_ANY || rule->chance_of != 0 ||
                   rule->times != FAULT_ANY || rule->after_ps != 0 || rule->before_ps != FAULT_ANY;

    if (rule->vector != FAULT_ANY && rule->action != FAULT_DROP_INTERRUPT)
        return wrong(reader, "vector= goes with drop-interrupt only");
    if (rule->at_ps != FAULT_ANY && !timed)
        return wrong(reader, "at= goes with cfs, link-down and power-loss only");
    if (rule->at_ps != FAULT_ANY && (about_commands(rule) || counted))
        return wrong(reader, "at= stands alone");
    if (!commands && about_commands(rule))
        return wrong(reader, "opcode=, queue=, nsid= and lba= go with actions on commands only");
    return true;
}

static bool read_rule(struct reader *reader, struct fault_rule *rule)
{
    *rule = (struct fault_rule){.opcode = FAULT_ANY,
                                .queue = FAULT_ANY,
                                .nsid = FAULT_ANY,
                                .vector = FAULT_ANY,
                                .lba_first = FAULT_ANY,
                                .before_ps = FAULT_ANY,
                                .at_ps = FAULT_ANY,
                                .nth = FAULT_ANY,
                                .every = FAULT_ANY,
                                .times = FAULT_ANY};
    while (strcmp(reader->word, ":") != 0) {
        if (!read_condition(reader, rule))
            return false;
        if (!next_word(reader))
            return wrong(reader, "conditions must be followed by ':' and an action");
    }
    return read_action(reader, rule) && check_rule(reader, rule);
}

bool fault_parse(const char *text, struct faults *faults, char *message, size_t size)
{
    struct reader reader = {.at = text, .rule = 1, .message = message, .size = size};

    faults->count = 0;
    for (;; reader.rule++) {
        if (next_word(&reader)) {
            if (faults->count == FAULT_RULES_MAX) {
                snprintf(message, size, "ctrl.faults: at most %u rules are allowed",
                         FAULT_RULES_MAX);
                return false;
            }
            if (!read_rule(&reader, &faults->rules[faults->count]))
                return false;
            faults->count++;
        }
        if (*reader.at == '\0')
            return true;
        reader.at++; /* the ';' */
    }
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values of parameters: see value.h.
 */
#include "config/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/text.h"
#include "config/units.h"

bool value_choice(const char *choices, size_t index, char *out, size_t size)
{
    for (; index > 0; index--) {
        choices = strchr(choices, '|');
        if (choices == NULL) {
            return false;
        }
        choices++;
    }
    (void)snprintf(out, size, "%.*s", (int)strcspn(choices, "|"), choices);
    return true;
}

static bool fault_at(struct value_fault *fault, size_t offset, const char *format, ...)
    TEXT_PRINTF(3, 4);

static bool fault_at(struct value_fault *fault, size_t offset, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(fault->message, sizeof fault->message, format, arguments);
    va_end(arguments);
    fault->offset = offset;
    return false;
}

/* Completes the message with what would have been allowed and with what was perhaps meant. */
static bool refuse(struct value_fault *fault, const struct param_row *row, const char *suggestion)
{
    char allowed[VALUE_MESSAGE_MAX / 2];
    size_t used = strlen(fault->message);

    value_allowed(row, allowed, sizeof allowed);
    (void)snprintf(fault->message + used, sizeof fault->message - used, "; allowed: %s%s%s%s",
                   allowed, suggestion != NULL ? "; did you mean '" : "",
                   suggestion != NULL ? suggestion : "", suggestion != NULL ? "'?" : "");
    return false;
}

static bool parse_choice(const struct param_row *row, const char *text, size_t offset,
                         struct value *value, struct value_fault *fault)
{
    char choice[VALUE_TEXT_MAX];
    char best[VALUE_TEXT_MAX];
    char clip[TEXT_CLIP_MAX];
    struct text_nearest nearest;

    text_nearest_start(&nearest, text);
    for (size_t i = 0; value_choice(row->choices, i, choice, sizeof choice); i++) {
        if (strcmp(choice, text) == 0) {
            value->amount = i;
            return true;
        }
        const char *before = nearest.best;
        nearest.best = NULL;
        text_nearest_try(&nearest, choice);
        if (nearest.best != NULL) {
            memcpy(best, choice, sizeof best);
            nearest.best = best;
        } else {
            nearest.best = before;
        }
    }
    if (*text == '\0') {
        (void)fault_at(fault, offset, "no value");
    } else {
        (void)fault_at(fault, offset, "unknown choice '%s'", text_clip(clip, text));
    }
    return refuse(fault, row, nearest.best);
}

static bool parse_bool(const struct param_row *row, const char *text, size_t offset,
                       struct value *value, struct value_fault *fault)
{
    static const char *const words[] = {"no", "yes", "false", "true"};
    char clip[TEXT_CLIP_MAX];
    struct text_nearest nearest;

    text_nearest_start(&nearest, text);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], text) == 0) {
            value->amount = i & 1;
            return true;
        }
        text_nearest_try(&nearest, words[i]);
    }
    if (*text == '\0') {
        (void)fault_at(fault, offset, "no value");
    } else {
        (void)fault_at(fault, offset, "'%s' is neither yes nor no", text_clip(clip, text));
    }
    return refuse(fault, row, nearest.best);
}

/* A quoted text keeps its outer blanks and may hold what would start a comment; \" and \\ stand for
 * the characters themselves. Without quotes the text is what it is. */
static bool parse_text(const struct param_row *row, const char *text, size_t offset,
                       struct value *value, struct value_fault *fault)
{
    size_t length = 0;
    bool quoted = text[0] == '"';
    size_t i = quoted ? 1 : 0;

    for (;; i++) {
        if (text[i] == '\0' && !quoted) {
            break;
        }
        if (text[i] == '\0') {
            (void)fault_at(fault, offset, "no closing quote");
            return refuse(fault, row, NULL);
        }
        if (quoted && text[i] == '"') {
            if (text[i + 1] != '\0') {
                (void)fault_at(fault, offset + i + 1, "something follows the closing quote");
                return refuse(fault, row, NULL);
            }
            break;
        }
        if (quoted && text[i] == '\\' && (text[i + 1] == '"' || text[i + 1] == '\\')) {
            i++;
        }
        if (text_is_control(text[i])) {
            (void)fault_at(fault, offset + i, "a control character");
            return refuse(fault, row, NULL);
        }
        if (length == PARAM_TEXT_MAX - 1) {
            (void)fault_at(fault, offset + i, "the text is too long");
            return refuse(fault, row, NULL);
        }
        value->text[length++] = text[i];
    }
    memset(value->text + length, 0, sizeof value->text - length);
    return true;
}

static bool parse_number(const struct param_row *row, const char *text, size_t offset,
                         struct value *value, struct value_fault *fault)
{
    struct param_cost number;
    struct units_fault units;

    if (!units_parse(row->kind, text, &number, &units)) {
        (void)fault_at(fault, offset + units.offset, "%s", units.message);
        return refuse(fault, row, units.suggestion);
    }
    value->amount = number.amount;
    value->cycles = number.cycles;
    return true;
}

bool value_parse_unlimited(const struct param_row *row, const char *text, struct value *value,
                           struct value_fault *fault)
{
    struct value fresh;
    size_t start = 0;
    size_t end = strlen(text);
    bool good = false;

    memset(&fresh, 0, sizeof fresh);
    memset(fault, 0, sizeof *fault);
    while (text_is_blank(text[start])) {
        start++;
    }
    while (end > start && text_is_blank(text[end - 1])) {
        end--;
    }
    char *trimmed = text_copy_part(text + start, end - start);
    if (units_is_number(row->kind)) {
        good = parse_number(row, trimmed, start, &fresh, fault);
    } else if (row->kind == PARAM_ENUM) {
        good = parse_choice(row, trimmed, start, &fresh, fault);
    } else if (row->kind == PARAM_BOOL) {
        good = parse_bool(row, trimmed, start, &fresh, fault);
    } else {
        good = parse_text(row, trimmed, start, &fresh, fault);
    }
    free(trimmed);
    if (good) {
        *value = fresh;
    }
    return good;
}

/* The limit in the form (time or cycles) asked for. Without one: lowest 0, highest `otherwise`. */
static uint64_t limit_of(const struct param_row *row, const char *limit, bool cycles,
                         uint64_t otherwise)
{
    char part[VALUE_TEXT_MAX];

    for (size_t i = 0; limit != NULL && value_choice(limit, i, part, sizeof part); i++) {
        struct param_cost number;
        struct units_fault fault;
        if (units_parse(row->kind, part, &number, &fault) && number.cycles == cycles) {
            return number.amount;
        }
    }
    return otherwise;
}

static uint64_t lowest(const struct param_row *row, bool cycles)
{
    /* Where a COST may not be nothing in one form, it may not be in the other either. */
    uint64_t other = limit_of(row, row->min_text, !cycles, 0);

    return limit_of(row, row->min_text, cycles, other > 0 ? 1 : 0);
}

static uint64_t highest(const struct param_row *row, bool cycles)
{
    uint64_t otherwise = UINT64_MAX;

    if (row->kind == PARAM_COST) {
        otherwise = cycles ? VALUE_COST_MAX_CYCLES : VALUE_COST_MAX_PS;
    }
    return limit_of(row, row->max_text, cycles, otherwise);
}

bool value_parse(const struct param_row *row, const char *text, struct value *value,
                 struct value_fault *fault)
{
    struct value fresh;
    char clip[TEXT_CLIP_MAX];

    if (!value_parse_unlimited(row, text, &fresh, fault)) {
        return false;
    }
    if (units_is_number(row->kind)) {
        bool below = fresh.amount < lowest(row, fresh.cycles);
        if (below || fresh.amount > highest(row, fresh.cycles)) {
            size_t offset = strspn(text, " \t");
            (void)fault_at(fault, offset, "%s is %s", text_clip(clip, text + offset),
                           below ? "below the minimum" : "above the maximum");
            return refuse(fault, row, NULL);
        }
    }
    *value = fresh;
    return true;
}

/* Whether a reader would take the bare text for something else. */
static bool needs_quotes(const char *text)
{
    size_t length = strlen(text);

    if (length == 0) {
        return false;
    }
    if (text[0] == '"' || text[0] == ';' || text[0] == '#' || text_is_blank(text[0]) ||
        text_is_blank(text[length - 1])) {
        return true;
    }
    for (size_t i = 1; i < length; i++) {
        if ((text[i] == ';' || text[i] == '#') && text_is_blank(text[i - 1])) {
            return true;
        }
    }
    return false;
}

static void print_text(const char *text, char out[VALUE_TEXT_MAX])
{
    size_t length = 0;

    if (!needs_quotes(text)) {
        (void)snprintf(out, VALUE_TEXT_MAX, "%s", text);
        return;
    }
    out[length++] = '"';
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            out[length++] = '\\';
        }
        out[length++] = *text;
    }
    out[length++] = '"';
    out[length] = '\0';
}

void value_print(const struct param_row *row, const struct value *value, char out[VALUE_TEXT_MAX])
{
    struct param_cost number = {value->amount, value->cycles};
    char text[UNITS_TEXT_MAX];

    switch (row->kind) {
    case PARAM_TEXT:
        print_text(value->text, out);
        break;
    case PARAM_BOOL:
        (void)snprintf(out, VALUE_TEXT_MAX, "%s", value->amount != 0 ? "yes" : "no");
        break;
    case PARAM_ENUM:
        if (!value_choice(row->choices, (size_t)value->amount, out, VALUE_TEXT_MAX)) {
            (void)snprintf(out, VALUE_TEXT_MAX, "%" PRIu64, value->amount);
        }
        break;
    default:
        units_print(row->kind, &number, text);
        (void)snprintf(out, VALUE_TEXT_MAX, "%s", text);
        break;
    }
}

/* Of a COST: the limits that hold for times, or those that hold for cycles. */
static void print_range(const struct param_row *row, bool cycles, char *out, size_t size)
{
    struct param_cost low = {lowest(row, cycles), cycles};
    struct param_cost high = {highest(row, cycles), cycles};
    char low_text[UNITS_TEXT_MAX];
    char high_text[UNITS_TEXT_MAX];

    units_print(row->kind, &low, low_text);
    units_print(row->kind, &high, high_text);
    (void)snprintf(out, size, "%s to %s", low_text, high_text);
}

void value_limits(const struct param_row *row, char *out, size_t size)
{
    out[0] = '\0';
    if (row->kind == PARAM_COST) {
        char ranges[2][2 * UNITS_TEXT_MAX + 8];
        print_range(row, false, ranges[0], sizeof ranges[0]);
        print_range(row, true, ranges[1], sizeof ranges[1]);
        (void)snprintf(out, size, "%s or %s", ranges[0], ranges[1]);
        return;
    }
    if (units_is_number(row->kind)) {
        (void)snprintf(out, size, "%s to %s", row->min_text, row->max_text);
        return;
    }
    if (row->kind == PARAM_BOOL) {
        (void)snprintf(out, size, "yes or no");
    } else if (row->kind == PARAM_ENUM) {
        char choice[VALUE_TEXT_MAX];
        char next[VALUE_TEXT_MAX];
        size_t used = 0;
        for (size_t i = 0; value_choice(row->choices, i, choice, sizeof choice) && used < size;
             i++) {
            bool last = !value_choice(row->choices, i + 1, next, sizeof next);
            used += (size_t)snprintf(out + used, size - used, "%s%s",
                                     i == 0 ? ""
                                     : last ? " or "
                                            : ", ",
                                     choice);
        }
    }
}

void value_allowed(const struct param_row *row, char *out, size_t size)
{
    char units[4 * UNITS_TEXT_MAX];

    value_limits(row, out, size);
    if (row->kind == PARAM_TEXT) {
        (void)snprintf(out, size, "up to %d bytes of printable text", PARAM_TEXT_MAX - 1);
        return;
    }
    units_names(row->kind, units, sizeof units);
    if (units[0] != '\0') {
        size_t used = strlen(out);
        (void)snprintf(out + used, size - used, " (%s)", units);
    }
}

size_t value_bytes(enum param_kind kind)
{
    if (kind == PARAM_TEXT) {
        return PARAM_TEXT_MAX;
    }
    return kind == PARAM_COST ? sizeof(struct param_cost) : sizeof(uint64_t);
}

void value_store(const struct param_row *row, const struct value *value, void *structure)
{
    unsigned char *field = (unsigned char *)structure + row->offset;

    if (row->kind == PARAM_TEXT) {
        memcpy(field, value->text, PARAM_TEXT_MAX);
    } else if (row->kind == PARAM_COST) {
        struct param_cost cost = {value->amount, value->cycles};
        memcpy(field, &cost, sizeof cost);
    } else {
        memcpy(field, &value->amount, sizeof value->amount);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers with units: see units.h.
 */
#include "config/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/text.h"

struct unit {
    const char *name;
    uint64_t factor; /* of the kind's base unit: ps, bytes, bytes/s, Hz, ppm */
    bool cycles;     /* counts cycles instead */
    bool alias;      /* read, never printed */
};

#define KILO UINT64_C(1000)
#define MEGA (KILO * KILO)
#define GIGA (KILO * MEGA)
#define TERA (KILO * GIGA)
#define KIBI UINT64_C(1024)
#define MEBI (KIBI * KIBI)
#define GIBI (KIBI * MEBI)
#define TEBI (KIBI * GIBI)

#define UNIT(name, factor)                                                                         \
    {                                                                                              \
        name, factor, false, false                                                                 \
    }
#define UNIT_END                                                                                   \
    {                                                                                              \
        NULL, 0, false, false                                                                      \
    }

#define TIME_UNITS                                                                                 \
    UNIT("ps", 1), UNIT("ns", KILO), UNIT("us", MEGA), UNIT("ms", GIGA), UNIT("s", TERA)
#define SIZE_UNITS(per)                                                                            \
    UNIT("B" per, 1), UNIT("kB" per, KILO), {"KB" per, KILO, false, true}, UNIT("MB" per, MEGA),   \
        UNIT("GB" per, GIGA), UNIT("TB" per, TERA), UNIT("KiB" per, KIBI), UNIT("MiB" per, MEBI),  \
        UNIT("GiB" per, GIBI), UNIT("TiB" per, TEBI)

static const struct unit time_units[] = {TIME_UNITS, UNIT_END};
static const struct unit cost_units[] = {
    TIME_UNITS, {"cycles", 1, true, false}, {"cycle", 1, true, true}, UNIT_END};
static const struct unit size_units[] = {SIZE_UNITS(""), UNIT_END};
static const struct unit rate_units[] = {SIZE_UNITS("/s"), UNIT_END};
static const struct unit freq_units[] = {UNIT("Hz", 1), UNIT("kHz", KILO), UNIT("MHz", MEGA),
                                         UNIT("GHz", GIGA), UNIT_END};
static const struct unit ratio_units[] = {UNIT("%", 10000), UNIT_END}; /* parts per million */
static const struct unit no_units[] = {UNIT_END};

static const struct unit *units_of(enum param_kind kind)
{
    switch (kind) {
    case PARAM_TIME:
        return time_units;
    case PARAM_COST:
        return cost_units;
    case PARAM_SIZE:
        return size_units;
    case PARAM_RATE:
        return rate_units;
    case PARAM_FREQ:
        return freq_units;
    case PARAM_RATIO:
        return ratio_units;
    case PARAM_COUNT:
    case PARAM_BOOL:
    case PARAM_ENUM:
    case PARAM_TEXT:
        break;
    }
    return no_units;
}

static const char *base_name(enum param_kind kind, const struct unit *unit)
{
    if (kind == PARAM_RATIO) {
        return "millionths";
    }
    if (unit == NULL) {
        return "number";
    }
    return unit->cycles ? unit->name : units_of(kind)[0].name;
}

bool units_is_number(enum param_kind kind)
{
    return kind == PARAM_COUNT || units_of(kind)[0].name != NULL;
}

void units_names(enum param_kind kind, char *out, size_t size)
{
    const char *before = NULL;
    size_t used = 0;

    out[0] = '\0';
    /* One name behind, because the last one is joined with "or". */
    for (const struct unit *unit = units_of(kind);; unit++) {
        if (unit->name != NULL && unit->alias) {
            continue;
        }
        if (before != NULL && used < size) {
            const char *joint = used == 0 ? "" : unit->name == NULL ? " or " : ", ";
            used += (size_t)snprintf(out + used, size - used, "%s%s", joint, before);
        }
        before = unit->name;
        if (before == NULL) {
            return;
        }
    }
}

/* A decimal: digits / 10^decimals, zeros at the end of the fraction dropped. */
struct decimal {
    uint64_t digits;
    unsigned decimals;
    bool large; /* the whole part does not fit */
    bool fine;  /* it does, but not with the fraction */
};

static bool append_digit(uint64_t *number, unsigned digit)
{
    if (*number > (UINT64_MAX - digit) / 10) {
        return false;
    }
    *number = *number * 10 + digit;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The end of the decimal at text, or NULL if there is none. */
static const char *scan_decimal(const char *text, struct decimal *decimal)
{
    unsigned zeros = 0; /* read in the fraction, not yet appended */

    memset(decimal, 0, sizeof *decimal);
    if (!is_digit(*text)) {
        return NULL;
    }
    for (; is_digit(*text); text++) {
        if (!decimal->large && !append_digit(&decimal->digits, (unsigned)(*text - '0'))) {
            decimal->large = true;
        }
    }
    if (*text != '.') {
        return text;
    }
    text++;
    if (!is_digit(*text)) {
        return NULL;
    }
    for (; is_digit(*text); text++) {
        if (*text == '0') {
            zeros++;
            continue;
        }
        for (; !decimal->fine && zeros > 0; zeros--) {
            decimal->fine = !append_digit(&decimal->digits, 0);
            decimal->decimals++;
        }
        if (!decimal->fine) {
            decimal->fine = !append_digit(&decimal->digits, (unsigned)(*text - '0'));
            decimal->decimals++;
        }
    }
    return text;
}

enum scaling { SCALE_OK, SCALE_INEXACT, SCALE_LARGE };

/* digits * factor / 10^decimals, without a wider type: the tens are cancelled, prime by prime,
 * against whichever of the two they divide; if one is left over, the result is no whole number. */
static enum scaling scale(const struct decimal *decimal, uint64_t factor, uint64_t *result)
{
    static const unsigned primes[] = {2, 5};
    uint64_t digits = decimal->digits;

    if (digits == 0) {
        *result = 0;
        return SCALE_OK;
    }
    for (unsigned i = 0; i < sizeof primes / sizeof primes[0]; i++) {
        for (unsigned n = 0; n < decimal->decimals; n++) {
            if (factor % primes[i] == 0) {
                factor /= primes[i];
            } else if (digits % primes[i] == 0) {
                digits /= primes[i];
            } else {
                return SCALE_INEXACT;
            }
        }
    }
    if (digits > UINT64_MAX / factor) {
        return SCALE_LARGE;
    }
    *result = digits * factor;
    return SCALE_OK;
}

static bool fail(struct units_fault *fault, size_t offset, const char *format, ...)
    TEXT_PRINTF(3, 4);

static bool fail(struct units_fault *fault, size_t offset, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(fault->message, sizeof fault->message, format, arguments);
    va_end(arguments);
    fault->offset = offset;
    return false;
}

/* "0x" and hexadecimal digits, the whole text. */
static bool parse_hex(const char *whole, size_t offset, uint64_t *number, struct units_fault *fault)
{
    const char *text = whole + 2;
    char clip[TEXT_CLIP_MAX];

    *number = 0;
    do {
        unsigned digit;
        if (is_digit(*text)) {
            digit = (unsigned)(*text - '0');
        } else if (*text >= 'a' && *text <= 'f') {
            digit = (unsigned)(*text - 'a') + 10;
        } else if (*text >= 'A' && *text <= 'F') {
            digit = (unsigned)(*text - 'A') + 10;
        } else {
            return fail(fault, offset, "'%s' is not a hexadecimal number", text_clip(clip, whole));
        }
        if (*number > UINT64_MAX >> 4) {
            return fail(fault, offset, "'%s' is too large", text_clip(clip, whole));
        }
        *number = *number << 4 | digit;
        text++;
    } while (*text != '\0');
    return true;
}

static const struct unit *find_unit(enum param_kind kind, const char *name)
{
    for (const struct unit *unit = units_of(kind); unit->name != NULL; unit++) {
        if (strcmp(unit->name, name) == 0) {
            return unit;
        }
    }
    return NULL;
}

static const char *suggest_unit(enum param_kind kind, const char *name)
{
    struct text_nearest nearest;

    text_nearest_start(&nearest, name);
    for (const struct unit *unit = units_of(kind); unit->name != NULL; unit++) {
        if (!unit->alias) {
            text_nearest_try(&nearest, unit->name);
        }
    }
    return nearest.best;
}

/* text is trimmed and starts `offset` bytes into what the caller was given. */
static bool parse_trimmed(enum param_kind kind, const char *text, size_t offset,
                          struct param_cost *value, struct units_fault *fault)
{
    char clip[TEXT_CLIP_MAX];
    struct decimal decimal;
    const struct unit *unit = NULL;

    if (*text == '\0') {
        return fail(fault, offset, "no value");
    }
    if (kind == PARAM_COUNT && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        return parse_hex(text, offset, &value->amount, fault);
    }
    if (text[0] == '-' && is_digit(text[1])) {
        return fail(fault, offset, "'%s' is negative", text_clip(clip, text));
    }
    const char *end = scan_decimal(text, &decimal);
    if (end == NULL) {
        return fail(fault, offset, "'%s' is not a number", text_clip(clip, text));
    }
    while (text_is_blank(*end)) {
        end++;
    }
    if (kind == PARAM_COUNT) {
        if (*end != '\0') {
            return fail(fault, offset + (size_t)(end - text), "'%s' is not a bare number",
                        text_clip(clip, text));
        }
    } else if (*end == '\0') {
        return fail(fault, offset, "'%s' has no unit", text_clip(clip, text));
    } else {
        unit = find_unit(kind, end);
        if (unit == NULL) {
            fault->suggestion = suggest_unit(kind, end);
            return fail(fault, offset + (size_t)(end - text), "unknown unit '%s'",
                        text_clip(clip, end));
        }
    }
    enum scaling scaling = SCALE_LARGE;
    if (decimal.fine) {
        scaling = SCALE_INEXACT;
    } else if (!decimal.large) {
        scaling = scale(&decimal, unit != NULL ? unit->factor : 1, &value->amount);
    }
    if (scaling == SCALE_LARGE) {
        return fail(fault, offset, "'%s' is too large", text_clip(clip, text));
    }
    if (scaling == SCALE_INEXACT) {
        return fail(fault, offset, "'%s' is not a whole number%s%s", text_clip(clip, text),
                    unit != NULL ? " of " : "", unit != NULL ? base_name(kind, unit) : "");
    }
    value->cycles = unit != NULL && unit->cycles;
    return true;
}

bool units_parse(enum param_kind kind, const char *text, struct param_cost *value,
                 struct units_fault *fault)
{
    size_t start = 0;
    size_t end = strlen(text);

    memset(fault, 0, sizeof *fault);
    value->amount = 0;
    value->cycles = false;
    while (text_is_blank(text[start])) {
        start++;
    }
    while (end > start && text_is_blank(text[end - 1])) {
        end--;
    }
    char *trimmed = text_copy_part(text + start, end - start);
    bool good = parse_trimmed(kind, trimmed, start, value, fault);
    free(trimmed);
    return good;
}

/* amount / factor as a decimal in out; its length, or 0 if it is longer than an uint64_t can be. */
static size_t print_decimal(uint64_t amount, uint64_t factor, char out[UNITS_TEXT_MAX])
{
    enum { DIGITS_MAX = 20 };
    uint64_t rest = amount % factor;
    size_t length = (size_t)snprintf(out, UNITS_TEXT_MAX, "%" PRIu64, amount / factor);

    if (rest > 0) {
        out[length++] = '.';
    }
    while (rest > 0) {
        if (length > DIGITS_MAX) {
            return 0;
        }
        rest *= 10; /* at most 2^40 * 10 */
        out[length++] = (char)('0' + rest / factor);
        rest %= factor;
    }
    out[length] = '\0';
    return length;
}

void units_print(enum param_kind kind, const struct param_cost *value, char out[UNITS_TEXT_MAX])
{
    const struct unit *units = units_of(kind);
    size_t best = SIZE_MAX;

    (void)snprintf(out, UNITS_TEXT_MAX, "%" PRIu64, value->amount);
    for (const struct unit *unit = units; unit->name != NULL; unit++) {
        char number[UNITS_TEXT_MAX];
        bool fraction_only = value->amount > 0 && value->amount < unit->factor;
        bool only_unit = units[1].name == NULL;

        if (unit->alias || unit->cycles != value->cycles || (fraction_only && !only_unit)) {
            continue;
        }
        size_t length = print_decimal(value->amount, unit->factor, number);
        if (length == 0) {
            continue;
        }
        /* Of two equally short forms the one without a fraction, then the smaller unit. */
        size_t score = 2 * (length + strlen(unit->name)) + (strchr(number, '.') != NULL ? 1 : 0);
        if (score < best) {
            best = score;
            (void)snprintf(out, UNITS_TEXT_MAX, "%.24s %s", number, unit->name);
        }
    }
    if (value->cycles && value->amount == 1) {
        (void)snprintf(out, UNITS_TEXT_MAX, "1 cycle");
    }
}

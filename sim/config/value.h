/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values of parameters: what a row of the table (param.h) makes of a text, whether the value lies
 * within the row's limits, how it is printed, and how it gets into the structure that a room reads.
 * Called by config.c, table.c and reference.c. Numbers and units themselves are in units.c.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/param.h"

#define VALUE_TEXT_MAX    1100 /* holds every printed value */
#define VALUE_MESSAGE_MAX 1200 /* holds every message and every phrase of what is allowed */

/* Limits of a COST are written in time or in cycles, or in both as "100 us|20000 cycles". A value
 * in the form that its limits do not mention is bounded by these, which keep conversions from clock
 * to time far from overflow. */
#define VALUE_COST_MAX_CYCLES UINT64_C(1000000000)
#define VALUE_COST_MAX_PS     UINT64_C(1000000000000000) /* 1000 s */

struct value {
    uint64_t amount;           /* in the unit that param.h gives for the kind */
    bool cycles;               /* COST: amount counts cycles */
    char text[PARAM_TEXT_MAX]; /* TEXT only */
};

struct value_fault {
    size_t offset;                   /* where in the text, bytes */
    char message[VALUE_MESSAGE_MAX]; /* "what is wrong; allowed: ...", or with a "did you mean" */
};

/* Reads text as a value of the row, limits included. On failure *value is left alone. */
bool value_parse(const struct param_row *row, const char *text, struct value *value,
                 struct value_fault *fault);
/* The same without the row's limits, for the limits themselves and for table_check. */
bool value_parse_unlimited(const struct param_row *row, const char *text, struct value *value,
                           struct value_fault *fault);

/* Text that value_parse reads back as the same value, the same for equal values. */
void value_print(const struct param_row *row, const struct value *value, char out[VALUE_TEXT_MAX]);

/* "1 to 16"; "0 s to 100 us (ps, ns, us, ms or s)"; "pcie or emulated"; "yes or no". */
void value_allowed(const struct param_row *row, char *out, size_t size);
/* The same without units. "" where there is nothing to say. */
void value_limits(const struct param_row *row, char *out, size_t size);

/* Puts the value into the room's structure. */
void value_store(const struct param_row *row, const struct value *value, void *structure);
/* Bytes that value_store writes at row->offset. */
size_t value_bytes(enum param_kind kind);

/* Copies choice number `index` of "a|b|c"; false if there are fewer. */
bool value_choice(const char *choices, size_t index, char *out, size_t size);

#endif

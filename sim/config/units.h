/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers with units: "350 ns", "128 KiB", "3.2 GB/s", "12.5 %", "45 cycles", "0x40". Read and
 * printed by exact integer arithmetic: what cannot be held exactly is refused, and what is printed
 * reads back as the same number. Called by value.c; knows the kinds of param.h but no rows and no
 * limits.
 *
 * SI prefixes are powers of ten (kB, MB, GB), IEC prefixes powers of two (KiB, MiB, GiB).
 */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include "config/param.h"

#define UNITS_TEXT_MAX    40  /* holds every printed number */
#define UNITS_MESSAGE_MAX 160 /* holds every message about a number */

struct units_fault {
    size_t offset;                   /* where in the text, bytes */
    char message[UNITS_MESSAGE_MAX]; /* what is wrong */
    const char *suggestion;          /* a unit that was perhaps meant, or NULL */
};

/* Whether the kind is a number that this file reads: all but BOOL, ENUM and TEXT. */
bool units_is_number(enum param_kind kind);

/* Reads the whole text, blanks around it allowed. value->cycles can become true for PARAM_COST
 * only. */
bool units_parse(enum param_kind kind, const char *text, struct param_cost *value,
                 struct units_fault *fault);

/* The shortest exact form that does not begin with "0." unless it must. */
void units_print(enum param_kind kind, const struct param_cost *value, char out[UNITS_TEXT_MAX]);

/* "ps, ns, us, ms or s"; "" for a bare number. */
void units_names(enum param_kind kind, char *out, size_t size);

#endif

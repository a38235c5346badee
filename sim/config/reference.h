/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parameter reference, made from the table alone: as plain text for `doorbell list parameters`,
 * as Markdown for docs/parameters.md.
 */
#ifndef CONFIG_REFERENCE_H
#define CONFIG_REFERENCE_H

#include <stdio.h>

#include "config/param.h"

/* section: only this one; NULL: all. False if the table has no such section (nothing is printed).
 */
bool reference_print_text(const struct param_table *table, const char *section, FILE *out);
void reference_print_markdown(const struct param_table *table, FILE *out);

/* "time", "time or cycles", "size", ... */
const char *reference_kind_name(enum param_kind kind);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What commands do with results: table, files, plots, verdict.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/cli.h"
#include "report/curve.h"
#include "report/driver_curve.h"

/* Before hours of work: can the files be written at all? CLI_OK, or CLI_USAGE with a message. */
int output_check(const struct cli_settings *settings);
/* Neither --quiet, nor standard output taken by a file. */
bool output_table_wanted(const struct cli_settings *settings);
/* One line each about drives and host, from their profiles (also: that one is not validated). All
 * configurations have the same host. */
void output_machine(const struct cli_settings *settings, const struct cli_config *configs,
                    size_t count);
/* Print and write a report as the settings want it. CLI_OK, CLI_CHECK_FAILED if blocks were
 * mismatched, or CLI_USAGE if a file could not be written. */
int output_report(const struct cli_settings *settings, const struct report *report);
/* The same for one run that has no published figures. */
int output_single(const struct cli_settings *settings, const struct result *result,
                  const struct cli_config *config);
/* The same for curves of drives. */
int output_curves(const struct cli_settings *settings, const struct curves *curves);
/* The same for curves of drivers. */
int output_driver_curves(const struct cli_settings *settings, const struct driver_curves *curves);
/* The path of a table of figures: --published, or `shipped` in a directory of profiles, else NULL
 * after a note. The caller frees it. */
char *output_figures_path(const struct cli_settings *settings, const char *shipped);
/* Published figures: --published, or `shipped` in a directory of profiles; none there is no error.
 * CLI_OK or CLI_INPUT. */
int output_published(const struct cli_settings *settings, const char *shipped,
                     struct published_table *table);
/* One hash for several configurations; valid until the next call. */
const char *output_combined_hash(const struct cli_config *configs, size_t count);
/* FILE as it is, or with the run's name before its ending. The caller frees it. */
char *output_trace_name(const char *file, bool several, const char *driver, const char *suite,
                        uint64_t block_bytes);
void output_unknown_suite(const char *name);

#endif

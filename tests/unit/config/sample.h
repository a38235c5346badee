/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of the configuration share: a small parameter table with one row of each kind, a
 * directory of its own for every test, and texts caught from diagnostics and dumps.
 */
#ifndef TESTS_UNIT_CONFIG_SAMPLE_H
#define TESTS_UNIT_CONFIG_SAMPLE_H

#include <check.h>

#include "config/config.h"

enum sample_link_kind { SAMPLE_PCIE, SAMPLE_EMULATED, SAMPLE_NONE };

#define PARAM_AS_STRUCT
#include "config/param_begin.h"
struct sample_io {
#include "unit/config/sample.def"
};
struct sample_driver {
#include "unit/config/sample_driver.def"
};
#include "config/param_end.h"

struct sample {
    uint64_t before; /* no parameter: nobody may write it */
    struct sample_io io;
    struct sample_driver driver;
};

extern const struct param_table sample_table;
const struct param_row *sample_row(const char *section, const char *key);

/* Fixture: an empty current directory, gone afterwards, and a new diag and configuration whose only
 * profile directory is "profiles". */
extern struct diag *sample_diag;
extern struct config *sample_config;
void sample_setup(void);
void sample_teardown(void);
/* A fresh configuration and diag within the same directory. */
void sample_renew(void);

/* A file below the current directory; directories are made. */
void sample_write(const char *path, const char *text);
void sample_write_bytes(const char *path, const char *bytes, size_t count);
/* A drive profile: profiles/drives/<name>.ini. */
void sample_drive(const char *name, const char *text);

/* What is printed, until the next call. */
const char *sample_messages(void);
const char *sample_dump(void);
const char *sample_dump_plain(void);
/* The value and the origin of a key, "16 ; -s", until the next call. */
const char *sample_get(const char *section, const char *key);

/* The whole output of all diagnostics must be this. */
#define sample_expect(text) ck_assert_str_eq(sample_messages(), text)

Suite *suite_units(void);
Suite *suite_values(void);
Suite *suite_text(void);
Suite *suite_ini(void);
Suite *suite_profiles(void);
Suite *suite_setups(void);
Suite *suite_config(void);
Suite *suite_table(void);
Suite *suite_hostile(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of the configuration share: see sample.h.
 */
#include "unit/config/sample.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/text.h"

#define PARAM_AS_ROWS struct sample_io
#include "config/param_begin.h"
static const struct param_row io_rows[] = {
#include "unit/config/sample.def"
};
#include "config/param_end.h"

#define PARAM_AS_ROWS struct sample_driver
#include "config/param_begin.h"
static const struct param_row driver_rows[] = {
#include "unit/config/sample_driver.def"
};
#include "config/param_end.h"

static const struct param_group groups[] = {
    {io_rows, sizeof io_rows / sizeof io_rows[0], offsetof(struct sample, io)},
    {driver_rows, sizeof driver_rows / sizeof driver_rows[0], offsetof(struct sample, driver)},
};
const struct param_table sample_table = {groups, sizeof groups / sizeof groups[0],
                                         sizeof(struct sample)};

struct diag *sample_diag;
struct config *sample_config;

static int outside; /* the directory to return to */
static char directory[32];
static char *made[256]; /* files and directories, in order of creation */
static size_t made_count;
static char *caught;

const struct param_row *sample_row(const char *section, const char *key)
{
    for (size_t g = 0; g < sample_table.count; g++) {
        for (size_t r = 0; r < groups[g].count; r++) {
            const struct param_row *row = &groups[g].rows[r];
            if (strcmp(row->section, section) == 0 && strcmp(row->name, key) == 0) {
                return row;
            }
        }
    }
    ck_abort_msg("the sample table has no %s.%s", section, key);
    return NULL;
}

static void start(void)
{
    sample_diag = diag_create();
    sample_config = config_create(&sample_table);
    config_add_directory(sample_config, "profiles");
}

static void stop(void)
{
    config_destroy(sample_config);
    diag_destroy(sample_diag);
}

void sample_renew(void)
{
    stop();
    start();
}

void sample_setup(void)
{
    outside = open(".", O_RDONLY);
    ck_assert_int_ge(outside, 0);
    strcpy(directory, "config-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    start();
}

void sample_teardown(void)
{
    stop();
    free(caught);
    caught = NULL;
    while (made_count > 0) {
        ck_assert_int_eq(remove(made[--made_count]), 0);
        free(made[made_count]);
    }
    ck_assert_int_eq(fchdir(outside), 0);
    ck_assert_int_eq(close(outside), 0);
    ck_assert_int_eq(rmdir(directory), 0);
}

static void remember(const char *path)
{
    ck_assert_uint_lt(made_count, sizeof made / sizeof made[0]);
    made[made_count++] = text_copy(path);
}

void sample_write_bytes(const char *path, const char *bytes, size_t count)
{
    char *part = text_copy(path);

    for (char *slash = strchr(part, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0777) == 0) {
            remember(part);
        }
        *slash = '/';
    }
    free(part);
    bool is_new = access(path, F_OK) != 0;
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, count, file), count);
    ck_assert_int_eq(fclose(file), 0);
    if (is_new) {
        remember(path);
    }
}

void sample_write(const char *path, const char *text)
{
    sample_write_bytes(path, text, strlen(text));
}

void sample_drive(const char *name, const char *text)
{
    char *path = text_format("profiles/drives/%s.ini", name);

    sample_write(path, text);
    free(path);
}

static FILE *catch (char **text, size_t *size)
{
    free(caught);
    caught = NULL;
    FILE *file = open_memstream(text, size);
    ck_assert_ptr_nonnull(file);
    return file;
}

const char *sample_messages(void)
{
    size_t size;
    FILE *file = catch (&caught, &size);

    diag_print(sample_diag, file);
    ck_assert_int_eq(fclose(file), 0);
    return caught;
}

const char *sample_dump(void)
{
    size_t size;
    FILE *file = catch (&caught, &size);

    config_dump(sample_config, file);
    ck_assert_int_eq(fclose(file), 0);
    return caught;
}

const char *sample_dump_plain(void)
{
    size_t size;
    FILE *file = catch (&caught, &size);

    config_dump_plain(sample_config, file);
    ck_assert_int_eq(fclose(file), 0);
    return caught;
}

/* Reads it from the plain dump, so that what is asserted is what a user sees. */
const char *sample_get(const char *section, const char *key)
{
    char *header = text_format("[%s]\n", section);
    char *assignment = text_format("\n%s = ", key);
    const char *at = strstr(sample_dump_plain(), header);

    ck_assert_ptr_nonnull(at);
    at = strstr(at, assignment);
    ck_assert_ptr_nonnull(at);
    at += strlen(assignment);
    char *result = text_format("%.*s ; %s", (int)strcspn(at, "\n"), at,
                               config_origin(sample_config, section, key));
    free(header);
    free(assignment);
    free(caught);
    caught = result;
    return caught;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reader of one file in the INI dialect:
 *
 *     ; a comment, also with '#', on its own line or after a value and a blank
 *     extends = name              before the first section: a profile to start from
 *     include = relative/path.ini likewise: a file to put in here
 *     [section]
 *     key = value
 *     key = "a text with ; in it"
 *
 * Lines end in LF or CRLF. Called by chain.c, which follows extends and include. Knows no
 * parameter: what a section, key or value means is for others. Reports every syntax error it can.
 */
#ifndef CONFIG_INI_H
#define CONFIG_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "config/diag.h"

#define INI_LINE_MAX 4096       /* bytes of a line, its end not counted */
#define INI_FILE_MAX (1u << 20) /* bytes of a file: a profile is a few KiB, /dev/zero is not */

struct ini_entry {
    char *section;         /* "" before the first section */
    char *key;             /* NULL: this is the section's header */
    char *value;           /* trimmed, comment removed, quotes kept; NULL for a header */
    unsigned line;         /* from 1 */
    unsigned column;       /* of the key, or of the name in a header */
    unsigned value_offset; /* bytes before the value in the source line */
    char *source;          /* the whole line */
};

struct ini_file {
    char *path;  /* as opened; diagnostics name it so */
    char *shown; /* relative to the profile directory; origins name it so */
    struct ini_entry *entries;
    size_t count;
};

/* Reads the whole file. On any error: reported, and false; what could be read is in the file all
 * the same. opened_from: where the path was written, for the error that it cannot be opened; may be
 * NULL. what: "drive", "include", ...: who wanted it, for the same error. Never NULL. */
struct ini_file *ini_read(const char *path, const char *shown, const char *what,
                          const struct diag_place *opened_from, struct diag *diag, bool *good);
void ini_free(struct ini_file *file);

/* The place of an entry's key, and of the byte `offset` of its value. */
struct diag_place ini_key_place(const struct ini_file *file, const struct ini_entry *entry);
struct diag_place ini_value_place(const struct ini_file *file, const struct ini_entry *entry,
                                  size_t offset);

#endif

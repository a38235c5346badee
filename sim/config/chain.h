/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A profile together with everything that it extends and includes, in the order in which the values
 * take effect: a file's extends and include lines stand before its first section, so what they
 * bring comes first and the file's own values override it. Called by config_load.c.
 */
#ifndef CONFIG_CHAIN_H
#define CONFIG_CHAIN_H

#include "config/ini.h"
#include "config/search.h"

#define CHAIN_FILES_MAX 64 /* of one profile; symbolic links could make endless ones */

struct chain {
    struct ini_file **files; /* in order of effect; a file that is included twice is here twice */
    size_t count;
    size_t opened;
};

struct chain_source {
    const struct search *search;
    const char *kind;         /* "drive": what messages call it */
    const char *subdirectory; /* "drives": where extends looks; NULL: extends is not allowed */
};

/* Errors are reported; false if there was any. */
bool chain_load(struct chain *chain, const struct chain_source *source, const char *path,
                const char *shown, struct diag *diag);
void chain_clear(struct chain *chain);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules that are not to be held against this driver, each with a reason; see rules.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rules.h"

#define LINE_MAX_BYTES 512

struct rules_suppressions {
    char *reasons[RULE_COUNT]; /* NULL: not suppressed */
};

static char *skip_blanks(char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

static void strip_end(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
}

static char *copy_text(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    if (copy == NULL)
        abort();
    return memcpy(copy, text, bytes);
}

/* NULL if the line is used, else what is wrong with it. */
static const char *take_line(struct rules_suppressions *suppressions, char *line)
{
    char *id = skip_blanks(line);
    if (*id == '\0' || *id == '#')
        return NULL;
    char *end = id;
    while (*end != '\0' && !isspace((unsigned char)*end))
        end++;
    char *reason = *end == '\0' ? end : skip_blanks(end + 1);
    *end = '\0';
    strip_end(reason);
    enum rule_id rule = rule_find(id);
    if (rule == RULE_COUNT)
        return "is no rule; allowed: an id that `doorbell list rules` shows";
    if (*reason == '\0')
        return "is suppressed without a reason; allowed: RULE reason";
    if (suppressions->reasons[rule] != NULL)
        return "is suppressed twice";
    suppressions->reasons[rule] = copy_text(reason);
    return NULL;
}

static bool take_file(struct rules_suppressions *suppressions, FILE *file, const char *path,
                      char *why)
{
    char line[LINE_MAX_BYTES];
    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        if (strchr(line, '\n') == NULL && !feof(file)) {
            snprintf(why, RULES_TEXT_MAX, "%s:%u: line of more than %d characters", path, number,
                     LINE_MAX_BYTES - 2);
            return false;
        }
        const char *wrong = take_line(suppressions, line);
        if (wrong != NULL) {
            strip_end(line);
            snprintf(why, RULES_TEXT_MAX, "%s:%u: '%s' %s", path, number, skip_blanks(line), wrong);
            return false;
        }
    }
    if (ferror(file) != 0) {
        snprintf(why, RULES_TEXT_MAX, "%s: cannot be read: %s", path, strerror(errno));
        return false;
    }
    return true;
}

struct rules_suppressions *rules_suppressions_read(const char *path, char why[RULES_TEXT_MAX])
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        snprintf(why, RULES_TEXT_MAX, "%s: cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    struct rules_suppressions *suppressions = calloc(1, sizeof *suppressions);
    if (suppressions == NULL)
        abort();
    bool good = take_file(suppressions, file, path, why);
    fclose(file);
    if (good)
        return suppressions;
    rules_suppressions_free(suppressions);
    return NULL;
}

void rules_suppressions_free(struct rules_suppressions *suppressions)
{
    if (suppressions == NULL)
        return;
    for (unsigned i = 0; i < RULE_COUNT; i++)
        free(suppressions->reasons[i]);
    free(suppressions);
}

const char *rules_suppressed(const struct rules_suppressions *suppressions, enum rule_id rule)
{
    return suppressions == NULL ? NULL : suppressions->reasons[rule];
}

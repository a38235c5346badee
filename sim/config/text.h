/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Strings, for the rest of this room: copies that never fail, paths, columns, and the nearest name
 * to one that was mistyped. Called by every file here; knows nothing of parameters or profiles.
 */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#if defined(__GNUC__)
#define TEXT_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define TEXT_PRINTF(at, first)
#endif

/* Memory comes zeroed and never NULL: the process ends with a message and exit code 4 when there is
 * none left, because a configuration is read before anything worth saving exists. */
void *text_alloc(size_t bytes);
/* Room for one more element behind `count` of them, doubling as needed; the new part is not zeroed.
 */
void *text_grow(void *elements, size_t count, size_t element_bytes);
char *text_copy(const char *text);
char *text_copy_part(const char *text, size_t bytes);
char *text_format(const char *format, ...) TEXT_PRINTF(1, 2);
char *text_format_list(const char *format, va_list arguments);

/* A copy short enough for a message: cut between UTF-8 characters, with "..." where it was cut. */
#define TEXT_CLIP_MAX 48
const char *text_clip(char out[TEXT_CLIP_MAX], const char *text);

bool text_is_blank(char c); /* space or tab: nothing else separates in a profile */
bool text_is_control(char c);
/* Characters (UTF-8 code points) in the first `bytes` of text: what an editor calls a column. */
size_t text_columns(const char *text, size_t bytes);

/* The path of `relative` seen from the directory of the file `from`, with "." and ".." folded. */
char *text_path_beside(const char *from, const char *relative);
/* The last component. */
const char *text_path_base(const char *path);

/* Looks for the name nearest to a mistyped one: feed every candidate, then ask. Upper and lower
 * case count as equal; exchanged neighbours count as one mistake; a third of the letters may be
 * wrong. */
struct text_nearest {
    const char *wanted;
    const char *best; /* NULL: nothing near enough */
    size_t distance;
};
void text_nearest_start(struct text_nearest *nearest, const char *wanted);
void text_nearest_try(struct text_nearest *nearest, const char *candidate);
/* The number of single mistakes between two names; SIZE_MAX if one is longer than TEXT_NAME_MAX. */
#define TEXT_NAME_MAX 64
size_t text_distance(const char *a, const char *b);

#endif

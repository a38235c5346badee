/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A streaming JSON writer (RFC 8259): text goes out as it is produced, nothing is kept but the
 * nesting. Numbers are integers or decimals of fixed length, so that the output does not depend on
 * a C library. Text that is not UTF-8 gets U+FFFD for each byte that does not fit. Misuse (a value
 * without a key in an object, unbalanced ends, nesting deeper than JSON_DEPTH_MAX) is asserted.
 */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 32

struct json {
    FILE *file;
    unsigned depth;
    bool has_key; /* json_key() was called and its value is due */
    bool in_object[JSON_DEPTH_MAX];
    bool has_member[JSON_DEPTH_MAX];
};

void json_begin(struct json *json, FILE *file);
/* Ends the text with a line feed; everything must be closed. */
void json_end(struct json *json);

void json_object_begin(struct json *json);
void json_object_end(struct json *json);
void json_array_begin(struct json *json);
void json_array_end(struct json *json);
/* Before each value inside an object. */
void json_key(struct json *json, const char *key);

void json_text(struct json *json, const char *text);
void json_uint(struct json *json, uint64_t value);
void json_int(struct json *json, int64_t value);
/* `decimals` digits after the point; null if it is not finite. */
void json_decimal(struct json *json, double value, unsigned decimals);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* A key and its value. text: NULL is null. */
void json_member_text(struct json *json, const char *key, const char *text);
void json_member_uint(struct json *json, const char *key, uint64_t value);
void json_member_decimal(struct json *json, const char *key, double value, unsigned decimals);

#endif

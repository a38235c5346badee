/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The streaming JSON writer. One member per line, two blanks per level. See json.h.
 */
#include "report/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void new_line(struct json *json)
{
    putc('\n', json->file);
    for (unsigned i = 0; i < json->depth; i++)
        fputs("  ", json->file);
}

/* Whatever has to stand before a value. */
static void before_value(struct json *json)
{
    if (json->depth == 0)
        return;
    const unsigned level = json->depth - 1;
    if (json->in_object[level]) {
        assert(json->has_key);
        json->has_key = false;
        return;
    }
    if (json->has_member[level])
        putc(',', json->file);
    json->has_member[level] = true;
    new_line(json);
}

static void open_level(struct json *json, bool object)
{
    before_value(json);
    assert(json->depth < JSON_DEPTH_MAX);
    json->in_object[json->depth] = object;
    json->has_member[json->depth] = false;
    json->depth++;
    putc(object ? '{' : '[', json->file);
}

static void close_level(struct json *json, bool object)
{
    assert(json->depth > 0 && json->in_object[json->depth - 1] == object && !json->has_key);
    json->depth--;
    if (json->has_member[json->depth])
        new_line(json);
    putc(object ? '}' : ']', json->file);
}

/* Length of the UTF-8 sequence at text (RFC 3629), 0 if there is none. */
static unsigned utf8_length(const unsigned char *text)
{
    unsigned length;

    if (text[0] < 0x80)
        return 1;
    if (text[0] >= 0xc2 && text[0] <= 0xdf)
        length = 2;
    else if ((text[0] & 0xf0) == 0xe0)
        length = 3;
    else if (text[0] >= 0xf0 && text[0] <= 0xf4)
        length = 4;
    else
        return 0;
    for (unsigned i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    return length;
}

static void write_string(struct json *json, const char *string)
{
    static const char specials[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const unsigned char *text = (const unsigned char *)string;

    putc('"', json->file);
    while (*text) {
        const char *special = strchr(specials, *text);
        const unsigned length = utf8_length(text);

        if (special)
            fprintf(json->file, "\\%c", letters[special - specials]);
        else if (*text < 0x20)
            fprintf(json->file, "\\u%04x", *text);
        else if (length == 0)
            fputs("\\ufffd", json->file);
        else
            fwrite(text, 1, length, json->file);
        text += length ? length : 1;
    }
    putc('"', json->file);
}

void json_begin(struct json *json, FILE *file)
{
    memset(json, 0, sizeof(*json));
    json->file = file;
}

void json_end(struct json *json)
{
    assert(json->depth == 0);
    putc('\n', json->file);
}

void json_object_begin(struct json *json)
{
    open_level(json, true);
}

void json_object_end(struct json *json)
{
    close_level(json, true);
}

void json_array_begin(struct json *json)
{
    open_level(json, false);
}

void json_array_end(struct json *json)
{
    close_level(json, false);
}

void json_key(struct json *json, const char *key)
{
    assert(json->depth > 0 && json->in_object[json->depth - 1] && !json->has_key);
    if (json->has_member[json->depth - 1])
        putc(',', json->file);
    json->has_member[json->depth - 1] = true;
    new_line(json);
    write_string(json, key);
    fputs(": ", json->file);
    json->has_key = true;
}

void json_text(struct json *json, const char *text)
{
    before_value(json);
    write_string(json, text);
}

void json_uint(struct json *json, uint64_t value)
{
    before_value(json);
    fprintf(json->file, "%" PRIu64, value);
}

void json_int(struct json *json, int64_t value)
{
    before_value(json);
    fprintf(json->file, "%" PRId64, value);
}

void json_decimal(struct json *json, double value, unsigned decimals)
{
    before_value(json);
    if (isfinite(value))
        fprintf(json->file, "%.*f", (int)decimals, value);
    else
        fputs("null", json->file);
}

void json_bool(struct json *json, bool value)
{
    before_value(json);
    fputs(value ? "true" : "false", json->file);
}

void json_null(struct json *json)
{
    before_value(json);
    fputs("null", json->file);
}

void json_member_text(struct json *json, const char *key, const char *text)
{
    json_key(json, key);
    if (text)
        json_text(json, text);
    else
        json_null(json);
}

void json_member_uint(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_uint(json, value);
}

void json_member_decimal(struct json *json, const char *key, double value, unsigned decimals)
{
    json_key(json, key);
    json_decimal(json, value, decimals);
}

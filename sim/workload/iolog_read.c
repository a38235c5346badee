/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streaming reader of fio iolog versions 2 and 3. Each line is read whole, cut into fields and
 * judged; the first thing that is wrong ends the reading with one message. See iolog.h for what is
 * accepted.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "workload/iolog.h"

#define FIELDS_MAX 6

struct iolog_reader {
    FILE *input;
    const char *name;
    uint64_t line;
    unsigned version; /* 2 or 3; 0 before the first line */
    uint64_t time_us;
    bool opened;
    int failed;
    char device[IOLOG_LINE_MAX]; /* "" before the add line */
    char text[IOLOG_LINE_MAX];
    char message[IOLOG_MESSAGE_MAX];
};

struct iolog_reader *iolog_reader_create(FILE *file, const char *name)
{
    struct iolog_reader *reader = calloc(1, sizeof(*reader));

    if (!reader) {
        fprintf(stderr, "doorbell: out of memory (trace reader)\n");
        exit(4);
    }
    reader->input = file;
    reader->name = name;
    return reader;
}

void iolog_reader_destroy(struct iolog_reader *reader)
{
    free(reader);
}

const char *iolog_reader_message(const struct iolog_reader *reader)
{
    return reader->message;
}

const char *iolog_reader_name(const struct iolog_reader *reader)
{
    return reader->name;
}

static int fail(struct iolog_reader *reader, int error, const char *format, ...)
{
    va_list arguments;
    int at = snprintf(reader->message, sizeof(reader->message), "%s:%" PRIu64 ": ", reader->name,
                      reader->line);

    if (at < 0 || (size_t)at >= sizeof(reader->message))
        at = 0;
    va_start(arguments, format);
    vsnprintf(reader->message + at, sizeof(reader->message) - (size_t)at, format, arguments);
    va_end(arguments);
    return reader->failed = error;
}

/* 1: a line without its end; 0: the end of the file. */
static int read_line(struct iolog_reader *reader)
{
    size_t length = 0;
    int c;

    reader->line++;
    while ((c = getc(reader->input)) != EOF && c != '\n') {
        if (c == '\0')
            return fail(reader, IOLOG_E_FORMAT, "a zero byte; a trace is plain text");
        if (length == sizeof(reader->text) - 1)
            return fail(reader, IOLOG_E_FORMAT, "the line is longer than %u bytes",
                        (unsigned)sizeof(reader->text) - 1);
        reader->text[length++] = (char)c;
    }
    reader->text[length] = '\0';
    if (c == EOF && ferror(reader->input))
        return fail(reader, IOLOG_E_IO, "cannot read on");
    if (c == EOF && length)
        return fail(reader, IOLOG_E_FORMAT, "the last line has no end: the file is cut off");
    if (c == EOF)
        return 0;
    if (length && reader->text[length - 1] == '\r')
        reader->text[length - 1] = '\0';
    return 1;
}

static unsigned split(char *text, char *fields[FIELDS_MAX + 1])
{
    unsigned count = 0;
    char *rest = NULL;

    for (char *field = strtok_r(text, " \t", &rest); field && count <= FIELDS_MAX;
         field = strtok_r(NULL, " \t", &rest))
        fields[count++] = field;
    return count;
}

/* Digits only; false also when it does not fit. */
static bool parse_number(const char *text, uint64_t *value)
{
    *value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        const uint64_t digit = (uint64_t)(*text - '0');
        if (*value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return true;
}

static int read_header(struct iolog_reader *reader)
{
    const int got = read_line(reader);

    if (got < 0)
        return got;
    if (got == 1 && strcmp(reader->text, "fio version 2 iolog") == 0)
        reader->version = 2;
    else if (got == 1 && strcmp(reader->text, "fio version 3 iolog") == 0)
        reader->version = 3;
    else
        return fail(reader, IOLOG_E_FORMAT,
                    "%s; the first line must be \"fio version 2 iolog\" or \"fio version 3 iolog\"",
                    got == 0 ? "the file is empty" : "this is no fio iolog");
    return 1;
}

/* add, open, close. */
static int file_event(struct iolog_reader *reader, const char *device, const char *event)
{
    const bool known = strcmp(reader->device, device) == 0;

    if (strcmp(event, "add") == 0) {
        if (reader->device[0] && !known)
            return fail(reader, IOLOG_E_FORMAT,
                        "a second file, %.64s, beside %.64s; one trace stands for one device",
                        device, reader->device);
        memcpy(reader->device, device, strlen(device) + 1);
        return 1;
    }
    if (!known)
        return fail(reader, IOLOG_E_FORMAT, "%.64s has no add line before this", device);
    if (strcmp(event, "open") == 0 && reader->opened)
        return fail(reader, IOLOG_E_FORMAT, "%.64s is open already", device);
    if (strcmp(event, "close") == 0 && !reader->opened)
        return fail(reader, IOLOG_E_FORMAT, "%.64s is not open", device);
    reader->opened = strcmp(event, "open") == 0;
    return 1;
}

static int wait_line(struct iolog_reader *reader, char *const *fields, unsigned count)
{
    uint64_t wait_us;

    if (reader->version != 2)
        return fail(reader, IOLOG_E_FORMAT, "wait exists in version 2 only; version 3 has times");
    if (count < 3 || count > 4 || !parse_number(fields[2], &wait_us))
        return fail(reader, IOLOG_E_FORMAT, "a wait line is: FILE wait MICROSECONDS [0]");
    if (wait_us > UINT64_MAX - reader->time_us)
        return fail(reader, IOLOG_E_FORMAT, "the waits add up to more than 64 bits");
    reader->time_us += wait_us;
    return 1;
}

static bool find_action(const char *text, enum iolog_action *action)
{
    for (unsigned i = IOLOG_READ; i <= IOLOG_TRIM; i++) {
        *action = (enum iolog_action)i;
        if (strcmp(text, iolog_action_name(*action)) == 0)
            return true;
    }
    return false;
}

static int request_line(struct iolog_reader *reader, char *const *fields, unsigned count,
                        struct iolog_entry *entry)
{
    if (!find_action(fields[1], &entry->action))
        return fail(reader, IOLOG_E_FORMAT,
                    "unknown action \"%.32s\"; allowed are add, open, close, read, write, sync, "
                    "datasync, trim%s",
                    fields[1], reader->version == 2 ? " and wait" : "");
    if (strcmp(reader->device, fields[0]) != 0 || !reader->opened)
        return fail(reader, IOLOG_E_FORMAT,
                    "%s on %.64s, which is not open; add and open come first", fields[1],
                    fields[0]);
    const bool sync = entry->action == IOLOG_SYNC || entry->action == IOLOG_DATASYNC;
    entry->offset = entry->bytes = 0;
    if (!(sync && count == 2) && (count != 4 || !parse_number(fields[2], &entry->offset) ||
                                  !parse_number(fields[3], &entry->bytes)))
        return fail(reader, IOLOG_E_FORMAT, "a %s line is: %sFILE %s OFFSET LENGTH, in bytes",
                    fields[1], reader->version == 3 ? "MICROSECONDS " : "", fields[1]);
    if (sync)
        entry->offset = entry->bytes = 0;
    if (entry->bytes > UINT64_MAX - entry->offset)
        return fail(reader, IOLOG_E_FORMAT, "offset and length add up to more than 64 bits");
    entry->time_us = reader->time_us;
    entry->line = reader->line;
    return 2; /* an entry */
}

static int parse_line(struct iolog_reader *reader, struct iolog_entry *entry)
{
    char *fields[FIELDS_MAX + 1];
    char **rest = fields;
    unsigned count = split(reader->text, fields);

    if (count == 0)
        return fail(reader, IOLOG_E_FORMAT, "a blank line; every line is an event");
    if (reader->version == 3) {
        uint64_t time_us;

        if (!parse_number(fields[0], &time_us))
            return fail(reader, IOLOG_E_FORMAT,
                        "\"%.32s\" is no time; a line of version 3 starts with microseconds",
                        fields[0]);
        if (time_us < reader->time_us)
            return fail(reader, IOLOG_E_FORMAT,
                        "time %" PRIu64 " us after %" PRIu64 " us; times must not decrease",
                        time_us, reader->time_us);
        reader->time_us = time_us;
        rest++;
        count--;
    }
    if (count < 2)
        return fail(reader, IOLOG_E_FORMAT, "too few fields; a line has at least FILE and ACTION");
    if (strcmp(rest[1], "wait") == 0)
        return wait_line(reader, rest, count);
    if (strcmp(rest[1], "add") == 0 || strcmp(rest[1], "open") == 0 ||
        strcmp(rest[1], "close") == 0) {
        if (count != 2)
            return fail(reader, IOLOG_E_FORMAT, "nothing may follow %s", rest[1]);
        return file_event(reader, rest[0], rest[1]);
    }
    return request_line(reader, rest, count, entry);
}

int iolog_reader_next(struct iolog_reader *reader, struct iolog_entry *entry)
{
    int got = reader->failed;

    if (got == 0 && reader->version == 0)
        got = read_header(reader);
    while (got >= 0) {
        got = read_line(reader);
        if (got <= 0)
            return got;
        got = parse_line(reader, entry);
        if (got == 2)
            return 1;
    }
    return got;
}

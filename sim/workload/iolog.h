/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Block traces in fio's iolog format (fio HOWTO, "Trace file format"): a streaming reader of
 * versions 2 and 3, a writer of version 3, and a tap that writes what passes through a block
 * device. Used by the replayer, the machine and the command. No more than one line is held in
 * memory.
 *
 * Times are microseconds since the start. Version 2 has `wait` lines instead; the reader adds them
 * up. A trace names one file, which stands for one device: a second file name is an error, because
 * two devices on one would overlap. Blank lines, comments and file names with blanks do not exist
 * in the format. Lines end with LF or CR LF; a last line without an end is an error (the file was
 * cut off).
 */
#ifndef WORKLOAD_IOLOG_H
#define WORKLOAD_IOLOG_H

#include <stdint.h>
#include <stdio.h>

#include "workload/block.h"

enum iolog_action { IOLOG_READ, IOLOG_WRITE, IOLOG_SYNC, IOLOG_DATASYNC, IOLOG_TRIM };

struct iolog_entry {
    enum iolog_action action;
    uint64_t time_us;
    uint64_t offset, bytes; /* 0 for sync and datasync */
    uint64_t line;          /* where it is, from 1 */
};

enum iolog_error {
    IOLOG_OK = 0,
    IOLOG_E_FORMAT = -130, /* the trace is wrong: see the message */
    IOLOG_E_IO = -131      /* reading failed */
};

/* "read", "write", ... */
const char *iolog_action_name(enum iolog_action action);

/* ---- reading ---- */

#define IOLOG_LINE_MAX    4096
#define IOLOG_MESSAGE_MAX 512

struct iolog_reader;

/* Reads from `file`, which stays the caller's; `name` is for messages. Never NULL. */
struct iolog_reader *iolog_reader_create(FILE *file, const char *name);
void iolog_reader_destroy(struct iolog_reader *reader);
/* 1: an entry; 0: the end; else an iolog_error, also at every later call. */
int iolog_reader_next(struct iolog_reader *reader, struct iolog_entry *entry);
/* "name:line: what is wrong; what is allowed" after an error, else "". */
const char *iolog_reader_message(const struct iolog_reader *reader);
const char *iolog_reader_name(const struct iolog_reader *reader);

/* ---- writing ---- */

struct iolog_writer {
    FILE *file;
    const char *device;
    uint64_t start_ps;
};

/* Header, add and open lines. Times are counted from start_ps. `file` and `device` (a name without
 * blanks) stay the caller's; write errors are found with ferror() at the end. */
void iolog_writer_begin(struct iolog_writer *writer, FILE *file, const char *device,
                        uint64_t start_ps);
/* BLOCK_ZERO becomes `trim`, the only action that the format has for it (see replay.h for the way
 * back). Times must not decrease. */
void iolog_writer_request(struct iolog_writer *writer, uint64_t now_ps, enum block_op op,
                          uint64_t offset, uint64_t bytes);
/* The close line. */
void iolog_writer_end(struct iolog_writer *writer, uint64_t now_ps);

/* ---- tapping ---- */

/* A block device that hands everything on to another one and writes each request to a trace before
 * it starts. Costs no simulated time. */
struct iolog_tap {
    struct block_device device; /* give this one to the workload */
    struct block_device *below;
    struct iolog_writer *writer;
};
void iolog_tap_init(struct iolog_tap *tap, struct block_device *below, struct iolog_writer *writer);

#endif

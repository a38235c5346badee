/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Building the ledger of one request; see ledger.h. While the request is under way every record
 * that could matter is kept; when it is done they are laid end to end.
 */
#include "report/ledger.h"

#include <stdlib.h>
#include <string.h>

struct ledger_reader {
    struct stream *stream;
    struct stream_reader reader;
    uint64_t request;
    uint32_t block_bytes;
    enum { LEDGER_BEFORE, LEDGER_DURING, LEDGER_AFTER } phase;
    struct stream_record first, last;
    struct stream_record *records;
    size_t count, capacity;
};

#define KIND(kind) (UINT64_C(1) << (kind))

static void ledger_keep(struct ledger_reader *reader, const struct stream_record *record)
{
    if (reader->count == reader->capacity) {
        reader->capacity = reader->capacity == 0 ? 1024 : reader->capacity * 2;
        reader->records = realloc(reader->records, reader->capacity * sizeof *reader->records);
        if (reader->records == NULL)
            abort();
    }
    reader->records[reader->count++] = *record;
}

static void ledger_read(void *ctx, const struct stream_record *record)
{
    struct ledger_reader *reader = ctx;
    if (record->kind == RECORD_REQUEST && record->b == reader->request) {
        reader->phase = LEDGER_DURING;
        reader->first = *record;
    } else if (reader->phase == LEDGER_DURING) {
        if (record->kind == RECORD_REQUEST_DONE && record->b == reader->request) {
            reader->phase = LEDGER_AFTER;
            reader->last = *record;
        } else {
            ledger_keep(reader, record);
        }
    }
}

struct ledger_reader *ledger_attach(struct stream *stream, uint64_t request, uint32_t block_bytes)
{
    struct ledger_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        abort();
    reader->stream = stream;
    reader->request = request;
    reader->block_bytes = block_bytes;
    reader->reader = (struct stream_reader){
        .read = ledger_read,
        .ctx = reader,
        .kinds = KIND(RECORD_REQUEST) | KIND(RECORD_REQUEST_DONE) | KIND(RECORD_CPU_TIME) |
                 KIND(RECORD_REG_WRITE) | KIND(RECORD_CQE_SEEN) | KIND(RECORD_COMMAND) |
                 KIND(RECORD_STAGE) | KIND(RECORD_CQE) | KIND(RECORD_DOORBELL)};
    stream_add(stream, &reader->reader);
    return reader;
}

/* ---- laying end to end ---- */

static void ledger_add(struct ledger *ledger, const char *name, enum ledger_where where,
                       uint64_t ps)
{
    if (ps == 0)
        return;
    ledger->total_ps += ps;
    for (unsigned i = 0; i < ledger->count; i++) {
        if (ledger->lines[i].name == name) {
            ledger->lines[i].ps += ps;
            return;
        }
    }
    if (ledger->count < LEDGER_LINES_MAX)
        ledger->lines[ledger->count++] = (struct ledger_line){name, where, ps};
}

struct span {
    uint64_t from, to;
};

static uint64_t overlap(struct span x, struct span y)
{
    uint64_t from = x.from > y.from ? x.from : y.from;
    uint64_t to = x.to < y.to ? x.to : y.to;
    return to > from ? to - from : 0;
}

/* What the CPU spent [from, to) on. Whatever no record covers is time in which the CPU waited for a
 * register access in flight. */
static void ledger_add_cpu(struct ledger *ledger, const struct ledger_reader *reader, uint64_t from,
                           uint64_t to)
{
    uint64_t covered = 0;
    if (to <= from)
        return;
    for (size_t i = 0; i < reader->count; i++) {
        const struct stream_record *r = &reader->records[i];
        if (r->kind != RECORD_CPU_TIME)
            continue;
        uint64_t ps =
            overlap((struct span){r->time_ps - r->b, r->time_ps}, (struct span){from, to});
        ledger_add(ledger, record_cpu_use_name(r->a), LEDGER_CPU, ps);
        covered += ps;
    }
    ledger_add(ledger, "register access in flight", LEDGER_CPU, to - from - covered);
}

/* Is this the record of a command of the request? */
static bool belongs(const struct stream_record *r, const struct stream_record *request,
                    uint64_t block_bytes)
{
    /* Opcodes of the NVM command set: Flush 00h, Write 01h, Read 02h, Write Zeroes 08h. */
    static const uint8_t opcodes[] = {0x02, 0x01, 0x00, 0x08};
    if (r->kind != RECORD_COMMAND || r->b >> 16 == 0 || r->a != opcodes[request->a & 3])
        return false;
    if (request->d == 0)
        return true;
    uint64_t at = r->c * block_bytes, end = at + (r->d & UINT32_MAX) * block_bytes;
    return at >= request->c && end <= request->c + request->d;
}

/* Time at which the doorbell that brought the command was written: the last SQ doorbell write
 * before it arrived. */
static uint64_t rung_before(const struct ledger_reader *reader, uint64_t arrived_ps,
                            uint64_t otherwise)
{
    enum { DOORBELLS = 0x1000 };
    uint64_t rung = otherwise;
    for (size_t i = 0; i < reader->count; i++) {
        const struct stream_record *r = &reader->records[i];
        if (r->kind == RECORD_REG_WRITE && r->b >= DOORBELLS && r->time_ps <= arrived_ps &&
            r->time_ps >= rung)
            rung = r->time_ps;
    }
    return rung;
}

/* From *at on: the command's way from its doorbell to its completion being seen. */
static void ledger_add_command(struct ledger *ledger, const struct ledger_reader *reader,
                               size_t command_record, uint64_t *at)
{
    uint64_t id = reader->records[command_record].b;
    const char *stage = NULL; /* the one that began at *at */
    bool on_the_way_back = false;
    /* A command identifier is used again, so only records around this use count: the stages before
     * RECORD_COMMAND (doorbell, fetch) are the last of that name, those after it the first. */
    size_t begin = command_record;
    while (begin > 0) {
        const struct stream_record *r = &reader->records[begin - 1];
        if (r->kind == RECORD_CQE && r->b == id)
            break;
        begin--;
    }
    for (size_t i = begin; i < reader->count; i++) {
        const struct stream_record *r = &reader->records[i];
        bool mine = r->b == id && (r->kind == RECORD_STAGE || r->kind == RECORD_CQE);
        bool seen = on_the_way_back && r->kind == RECORD_CQE_SEEN && r->c == (id & 0xffff) &&
                    r->a == id >> 16;
        if (!mine && !seen)
            continue;
        if (stage == NULL && r->kind == RECORD_STAGE) { /* the doorbell has arrived */
            uint64_t rung = rung_before(reader, r->time_ps, *at);
            ledger_add_cpu(ledger, reader, *at, rung);
            if (rung > *at)
                *at = rung;
            stage = "doorbell write";
        }
        if (r->time_ps > *at) {
            enum ledger_where where = on_the_way_back || strcmp(stage, "doorbell write") == 0
                                          ? LEDGER_BUS
                                          : LEDGER_DEVICE;
            ledger_add(ledger, stage, where, r->time_ps - *at);
            *at = r->time_ps;
        }
        if (seen)
            return;
        if (r->kind == RECORD_CQE) {
            stage = "until the completion is noticed";
            on_the_way_back = true;
        } else {
            stage = record_stage_name(r->a);
        }
    }
}

void ledger_detach(struct ledger_reader *reader, struct ledger *ledger)
{
    memset(ledger, 0, sizeof *ledger);
    stream_remove(reader->stream, &reader->reader);
    if (reader->phase == LEDGER_AFTER) {
        ledger->complete = true;
        ledger->op = reader->first.a;
        ledger->offset = reader->first.c;
        ledger->bytes = reader->first.d;
        ledger->latency_ps = reader->last.time_ps - reader->first.time_ps;
        uint64_t at = reader->first.time_ps;
        for (size_t i = 0; i < reader->count; i++) {
            if (belongs(&reader->records[i], &reader->first, reader->block_bytes)) {
                ledger->commands++;
                ledger_add_command(ledger, reader, i, &at);
            }
        }
        ledger_add_cpu(ledger, reader, at, reader->last.time_ps);
    }
    free(reader->records);
    free(reader);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The replayer. Every request is checked against the device before it is issued, so that a trace of
 * another, larger device ends with the line at fault and not with a driver's error code.
 */
#include "workload/replay.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "pcie/record.h"

#define PS_PER_US UINT64_C(1000000)

struct replay {
    struct iolog_reader *reader;
    struct block_device *device;
    const struct replay_options *options;
    struct result *result;
    char *message;
    uint64_t start_ps;
    struct block_buffer *buffer;
    uint32_t buffer_bytes;
};

static int refuse(struct replay *replay, const struct iolog_entry *entry, int error,
                  const char *format, ...)
{
    va_list arguments;
    int at = snprintf(replay->message, IOLOG_MESSAGE_MAX,
                      "%s:%" PRIu64 ": %s of %" PRIu64 " bytes at %" PRIu64 ": ",
                      iolog_reader_name(replay->reader), entry->line,
                      iolog_action_name(entry->action), entry->bytes, entry->offset);

    if (at < 0 || at >= IOLOG_MESSAGE_MAX)
        at = 0;
    va_start(arguments, format);
    vsnprintf(replay->message + at, IOLOG_MESSAGE_MAX - (size_t)at, format, arguments);
    va_end(arguments);
    return error;
}

static int check(struct replay *replay, const struct iolog_entry *entry)
{
    const uint64_t block = replay->device->block_bytes;
    const uint64_t end = replay->device->blocks * block;

    if (entry->offset % block || entry->bytes % block || entry->bytes == 0)
        return refuse(replay, entry, REPLAY_E_REQUEST,
                      "offset and length must be multiples of the device's block of %" PRIu64
                      " bytes, the length not 0",
                      block);
    if (entry->offset > end || entry->bytes > end - entry->offset)
        return refuse(replay, entry, REPLAY_E_REQUEST, "the device ends at %" PRIu64, end);
    if (entry->action == IOLOG_TRIM) /* no data, no buffer: only the request's own limit */
        return entry->bytes <= UINT32_MAX - (uint32_t)(block - 1)
                   ? 0
                   : refuse(replay, entry, REPLAY_E_REQUEST, "at most 4 GiB less a block per trim");
    if (entry->bytes > REPLAY_REQUEST_MAX)
        return refuse(replay, entry, REPLAY_E_REQUEST, "at most %u bytes per request are replayed",
                      (unsigned)REPLAY_REQUEST_MAX);
    return 0;
}

/* Wait for the time stamp, idle. */
static int wait_for(struct replay *replay, const struct iolog_entry *entry)
{
    const struct block_device *device = replay->device;
    const uint64_t now_ps = device->ops->now(device->ctx);

    if (entry->time_us > (UINT64_MAX - replay->start_ps) / PS_PER_US)
        return refuse(replay, entry, REPLAY_E_REQUEST,
                      "time %" PRIu64 " us is beyond the simulator's clock (at most %" PRIu64
                      " us)",
                      entry->time_us, (UINT64_MAX - replay->start_ps) / PS_PER_US);
    const uint64_t due_ps = replay->start_ps + entry->time_us * PS_PER_US;
    if (due_ps > now_ps)
        device->ops->spend(device->ctx, CPU_IDLE, due_ps - now_ps);
    return 0;
}

static void provide_buffer(struct replay *replay, uint32_t bytes)
{
    const struct block_device *device = replay->device;

    if (bytes <= replay->buffer_bytes)
        return;
    if (replay->buffer)
        device->ops->buffer_free(device->ctx, replay->buffer);
    replay->buffer =
        device->ops->buffer_alloc(device->ctx, bytes, replay->options->buffer_alignment);
    replay->buffer_bytes = bytes;
}

static int issue(struct replay *replay, const struct iolog_entry *entry)
{
    const struct block_device *device = replay->device;
    enum block_op op = BLOCK_FLUSH;
    int error = 0;

    if (entry->action == IOLOG_TRIM && replay->options->trim == REPLAY_TRIM_SKIP)
        return 0;
    if (entry->action == IOLOG_TRIM && replay->options->trim == REPLAY_TRIM_ERROR)
        return refuse(
            replay, entry, REPLAY_E_REQUEST,
            "what trim means must be said: --trim skip leaves it out, --trim zero replays it "
            "as Write Zeroes, --trim deallocate as Dataset Management");
    if (entry->action == IOLOG_READ)
        op = BLOCK_READ;
    else if (entry->action == IOLOG_WRITE)
        op = BLOCK_WRITE;
    else if (entry->action == IOLOG_TRIM)
        op = replay->options->trim == REPLAY_TRIM_ZERO ? BLOCK_ZERO : BLOCK_DEALLOCATE;
    if (op != BLOCK_FLUSH)
        error = check(replay, entry);
    if (!error && replay->options->timed)
        error = wait_for(replay, entry);
    if (error)
        return error;
    const bool data = op == BLOCK_READ || op == BLOCK_WRITE;
    if (data)
        provide_buffer(replay, (uint32_t)entry->bytes);
    error = device->ops->io(device->ctx, op, entry->offset, (uint32_t)entry->bytes,
                            data ? replay->buffer : NULL, 0);
    if (error) {
        replay->result->error = error;
        return refuse(replay, entry, REPLAY_E_DEVICE, "the device failed it (error %d)", error);
    }
    replay->result->pass_ops[0]++;
    if (data)
        replay->result->pass_bytes[0] += entry->bytes;
    return 0;
}

int replay_run(struct iolog_reader *reader, struct block_device *device,
               const struct replay_options *options, struct result *result,
               char message[IOLOG_MESSAGE_MAX])
{
    struct replay replay = {.reader = reader,
                            .device = device,
                            .options = options,
                            .result = result,
                            .message = message,
                            .start_ps = device->ops->now(device->ctx)};
    struct iolog_entry entry;
    int error = 0, got;

    message[0] = '\0';
    result->block_bytes = 0;
    result->passes = 1;
    result->pass_bytes[0] = result->pass_ops[0] = 0;
    result->error = 0;
    while (!error && (got = iolog_reader_next(reader, &entry)) != 0) {
        if (got < 0) {
            error = got;
            snprintf(message, IOLOG_MESSAGE_MAX, "%s", iolog_reader_message(reader));
        } else {
            error = issue(&replay, &entry);
        }
    }
    result->pass_ps[0] = device->ops->now(device->ctx) - replay.start_ps;
    if (replay.buffer)
        device->ops->buffer_free(device->ctx, replay.buffer);
    if (error && !result->error)
        result->error = error;
    return error;
}

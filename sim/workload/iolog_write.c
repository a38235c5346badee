/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writer of fio iolog version 3, and the tap that feeds it from a block device. See iolog.h.
 */
#include <inttypes.h>

#include "workload/iolog.h"

#define PS_PER_US UINT64_C(1000000)

const char *iolog_action_name(enum iolog_action action)
{
    static const char *const names[] = {"read", "write", "sync", "datasync", "trim"};

    return names[action];
}

static void write_event(struct iolog_writer *writer, uint64_t now_ps, const char *event)
{
    fprintf(writer->file, "%" PRIu64 " %s %s\n", (now_ps - writer->start_ps) / PS_PER_US,
            writer->device, event);
}

void iolog_writer_begin(struct iolog_writer *writer, FILE *file, const char *device,
                        uint64_t start_ps)
{
    *writer = (struct iolog_writer){file, device, start_ps};
    fputs("fio version 3 iolog\n", file);
    write_event(writer, start_ps, "add");
    write_event(writer, start_ps, "open");
}

void iolog_writer_request(struct iolog_writer *writer, uint64_t now_ps, enum block_op op,
                          uint64_t offset, uint64_t bytes)
{
    static const enum iolog_action actions[] = {IOLOG_READ, IOLOG_WRITE, IOLOG_SYNC, IOLOG_TRIM,
                                                IOLOG_TRIM};

    if (op == BLOCK_FLUSH)
        offset = bytes = 0;
    fprintf(writer->file, "%" PRIu64 " %s %s %" PRIu64 " %" PRIu64 "\n",
            (now_ps - writer->start_ps) / PS_PER_US, writer->device, iolog_action_name(actions[op]),
            offset, bytes);
}

void iolog_writer_end(struct iolog_writer *writer, uint64_t now_ps)
{
    write_event(writer, now_ps, "close");
}

static int tap_io(void *ctx, enum block_op op, uint64_t offset, uint32_t bytes,
                  struct block_buffer *buffer, uint32_t buffer_offset)
{
    struct iolog_tap *tap = ctx;
    const struct block_device *below = tap->below;

    iolog_writer_request(tap->writer, below->ops->now(below->ctx), op, offset, bytes);
    return below->ops->io(below->ctx, op, offset, bytes, buffer, buffer_offset);
}

static void tap_spend(void *ctx, unsigned use, uint64_t ps)
{
    const struct iolog_tap *tap = ctx;

    tap->below->ops->spend(tap->below->ctx, use, ps);
}

static uint64_t tap_now(void *ctx)
{
    const struct iolog_tap *tap = ctx;

    return tap->below->ops->now(tap->below->ctx);
}

static struct block_buffer *tap_buffer_alloc(void *ctx, uint32_t bytes, uint32_t align)
{
    const struct iolog_tap *tap = ctx;

    return tap->below->ops->buffer_alloc(tap->below->ctx, bytes, align);
}

static void tap_buffer_free(void *ctx, struct block_buffer *buffer)
{
    const struct iolog_tap *tap = ctx;

    tap->below->ops->buffer_free(tap->below->ctx, buffer);
}

static void tap_buffer_fill(void *ctx, struct block_buffer *buffer, uint32_t offset, uint32_t bytes)
{
    const struct iolog_tap *tap = ctx;

    tap->below->ops->buffer_fill(tap->below->ctx, buffer, offset, bytes);
}

void iolog_tap_init(struct iolog_tap *tap, struct block_device *below, struct iolog_writer *writer)
{
    static const struct block_device_ops ops = {
        .io = tap_io,
        .spend = tap_spend,
        .now = tap_now,
        .buffer_alloc = tap_buffer_alloc,
        .buffer_free = tap_buffer_free,
        .buffer_fill = tap_buffer_fill,
    };

    tap->device = *below;
    tap->device.ops = &ops;
    tap->device.ctx = tap;
    tap->below = below;
    tap->writer = writer;
}

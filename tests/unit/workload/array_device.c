/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The test device. See array_device.h.
 */
#include "array_device.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512u

static int array_io(void *ctx, enum block_op op, uint64_t offset, uint32_t bytes,
                    struct block_buffer *buffer, uint32_t buffer_offset)
{
    struct array_device *array = ctx;
    const uint32_t block = array->device.block_bytes;

    if (array->count == array->fail_at) {
        array->fail_at = SIZE_MAX;
        return -5;
    }
    /* Plain comparisons: Check writes a mark for every assertion, and there are millions of calls.
     */
    if (offset % block || bytes % block || offset + bytes > array->device.blocks * block)
        ck_abort_msg("request outside the device or not of whole blocks");
    if (op == BLOCK_READ || op == BLOCK_WRITE) {
        if (!buffer || !bytes || (uint64_t)buffer_offset + bytes > buffer->bytes)
            ck_abort_msg("request outside its buffer");
    } else if (buffer) {
        ck_abort_msg("a buffer where none belongs");
    }
    if (array->count == array->room) {
        array->room = array->room ? array->room * 2 : 1024;
        array->calls = realloc(array->calls, array->room * sizeof(*array->calls));
        array->timed_calls = realloc(array->timed_calls, array->room * sizeof(size_t));
        ck_assert_ptr_nonnull(array->calls);
        ck_assert_ptr_nonnull(array->timed_calls);
    }
    if (array->timed)
        array->timed_calls[array->timed_count++] = array->count;
    array->calls[array->count++] = (struct array_call){op,
                                                       offset,
                                                       array->now_ps,
                                                       bytes,
                                                       buffer ? buffer->id : 0,
                                                       buffer_offset,
                                                       buffer ? buffer->bytes : 0,
                                                       array->timed};
    for (uint64_t i = offset / SECTOR; i < (offset + bytes) / SECTOR; i++) {
        if (op == BLOCK_WRITE)
            array->generation[i]++;
        else if (op == BLOCK_READ && array->generation[i] == 0)
            ck_abort_msg("read of a block that was never written");
    }
    array->now_ps += ARRAY_REQUEST_PS + bytes * ARRAY_BYTE_PS;
    return 0;
}

static void array_spend(void *ctx, unsigned use, uint64_t ps)
{
    struct array_device *array = ctx;

    if (use >= 16)
        ck_abort_msg("unknown use of time");
    array->spent_ps[use] += ps;
    array->now_ps += ps;
}

static uint64_t array_now(void *ctx)
{
    return ((struct array_device *)ctx)->now_ps;
}

static struct block_buffer *array_buffer_alloc(void *ctx, uint32_t bytes, uint32_t align)
{
    struct array_device *array = ctx;
    struct block_buffer *buffer = calloc(1, sizeof(*buffer));

    ck_assert_ptr_nonnull(buffer);
    ck_assert_uint_gt(bytes, 0);
    *buffer = (struct block_buffer){bytes, align, ++array->buffers_made, 0};
    array->buffers_alive++;
    array->last_align = align;
    return buffer;
}

static void array_buffer_free(void *ctx, struct block_buffer *buffer)
{
    struct array_device *array = ctx;

    array->buffers_alive--;
    free(buffer);
}

static void array_buffer_fill(void *ctx, struct block_buffer *buffer, uint32_t offset,
                              uint32_t bytes)
{
    struct array_device *array = ctx;

    ck_assert_uint_le((uint64_t)offset + bytes, buffer->bytes);
    array->fills++;
    array->filled_bytes += bytes;
    buffer->filled += bytes;
}

void array_device_init(struct array_device *array, uint64_t bytes, uint32_t block_bytes)
{
    static const struct block_device_ops ops = {
        array_io, array_spend, array_now, array_buffer_alloc, array_buffer_free, array_buffer_fill};

    memset(array, 0, sizeof(*array));
    array->device = (struct block_device){&ops, array, block_bytes, bytes / block_bytes};
    array->generation = calloc(bytes / SECTOR, sizeof(*array->generation));
    ck_assert_ptr_nonnull(array->generation);
    array->fail_at = SIZE_MAX;
}

void array_device_destroy(struct array_device *array)
{
    ck_assert_uint_eq(array->buffers_alive, 0);
    free(array->calls);
    free(array->timed_calls);
    free(array->generation);
}

void array_device_forget(struct array_device *array)
{
    array->count = 0;
    array->timed_count = 0;
}

size_t array_device_count(const struct array_device *array, enum block_op op, bool timed_only)
{
    size_t count = 0;

    for (size_t i = 0; i < array->count; i++)
        count += array->calls[i].op == op && (array->calls[i].timed || !timed_only);
    return count;
}

struct fs_params test_fs_params(void)
{
    return (struct fs_params){.block_size = 512,
                              .metadata_zone = 65536,
                              .extend_unit = 65536,
                              .copy_rate = UINT64_C(1000000000)};
}

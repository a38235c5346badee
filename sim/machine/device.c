/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The machine's block device (workload/block.h): synchronous requests through the operating
 * system's path and the driver core, with stamping and verification around them.
 */
#include "machine/state.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/clock.h"
#include "engine/pattern.h"

struct block_buffer {
    struct memory_area *area;
};

static struct nvme_request device_request(const struct machine *machine, enum block_op op,
                                          uint64_t offset, uint32_t bytes)
{
    static const enum nvme_op ops[] = {[BLOCK_READ] = NVME_OP_READ,
                                       [BLOCK_WRITE] = NVME_OP_WRITE,
                                       [BLOCK_FLUSH] = NVME_OP_FLUSH,
                                       [BLOCK_ZERO] = NVME_OP_WRITE_ZEROES,
                                       [BLOCK_DEALLOCATE] = NVME_OP_DEALLOCATE};
    /* Zeroes are written, not left to a deallocation: a workload that wants that says so. */
    return (struct nvme_request){.op = ops[op],
                                 .flags = op == BLOCK_ZERO ? NVME_REQ_NO_DEALLOCATE : 0,
                                 .nsid = machine->ns.nsid,
                                 .lba = offset / machine->ns.block_bytes,
                                 .blocks = bytes / machine->ns.block_bytes};
}

static int device_io(void *ctx, enum block_op op, uint64_t offset, uint32_t bytes,
                     struct block_buffer *buffer, uint32_t buffer_offset)
{
    struct machine *machine = ctx;
    struct host *host = machine->host;
    if (machine->stuck)
        return NVME_E_TIMEOUT; /* the request is still the driver's */
    struct nvme_request *request = &machine->request;
    *request = device_request(machine, op, offset, bytes);
    uint32_t number = machine_next_request(machine);
    if (buffer != NULL) {
        request->buffer = (uint8_t *)memory_pointer(buffer->area) + buffer_offset;
        if (machine->params.driver.registered_buffers) {
            request->flags |= NVME_REQ_REGISTERED;
            request->bus = memory_bus(buffer->area) + buffer_offset;
        }
        if (op == BLOCK_WRITE)
            machine_stamp(machine, buffer->area, buffer_offset, offset, bytes, number);
        else
            machine_poison(machine, buffer->area, buffer_offset, bytes);
    }
    struct stream *stream = engine_stream(machine->engine);
    RECORD_EMIT(stream, host_now(host), 0, RECORD_REQUEST, op, number, offset, bytes);
    int error = os_io(machine->os[0], request);
    machine->stuck = error == NVME_E_TIMEOUT && os_in_flight(machine->os[0]) != 0;
    RECORD_EMIT(stream, host_now(host), 0, RECORD_REQUEST_DONE, error, number, 0, 0);
    if (error != NVME_OK)
        return error;
    switch (op) {
    case BLOCK_READ:
        machine_check(machine, buffer->area, buffer_offset, offset, bytes);
        break;
    case BLOCK_WRITE:
        machine_written(machine, offset, bytes, number);
        break;
    case BLOCK_ZERO:
    case BLOCK_DEALLOCATE: /* DLFEAT (5.15.2.1): the modelled controller reads zeroes then */
        machine_zeroed(machine, offset, bytes);
        break;
    case BLOCK_FLUSH:
        break;
    }
    return NVME_OK;
}

static void device_spend(void *ctx, unsigned use, uint64_t ps)
{
    struct machine *machine = ctx;
    host_spend_ps(machine->host, (enum record_cpu_use)use, ps);
}

static uint64_t device_now(void *ctx)
{
    struct machine *machine = ctx;
    return host_now(machine->host);
}

static struct block_buffer *device_buffer_alloc(void *ctx, uint32_t bytes, uint32_t align)
{
    struct machine *machine = ctx;
    struct block_buffer *buffer = malloc(sizeof *buffer);
    if (buffer == NULL)
        abort();
    /* Whole pattern blocks, so that contents can be held as tags. */
    size_t whole = ((size_t)bytes + PATTERN_BYTES - 1) / PATTERN_BYTES * PATTERN_BYTES;
    buffer->area = memory_alloc(host_memory(machine->host), whole, align, true, false);
    if (machine->params.driver.registered_buffers)
        memory_grant(buffer->area, 0, whole, MEMORY_BOTH_WAYS);
    return buffer;
}

static void device_buffer_free(void *ctx, struct block_buffer *buffer)
{
    struct machine *machine = ctx;
    memory_free(host_memory(machine->host), buffer->area);
    free(buffer);
}

static void device_buffer_fill(void *ctx, struct block_buffer *buffer, uint32_t offset,
                               uint32_t bytes)
{
    struct machine *machine = ctx;
    host_fill(machine->host, buffer->area, offset, bytes);
}

static const struct block_device_ops device_ops = {
    .io = device_io,
    .spend = device_spend,
    .now = device_now,
    .buffer_alloc = device_buffer_alloc,
    .buffer_free = device_buffer_free,
    .buffer_fill = device_buffer_fill,
};

void device_init(struct machine *machine)
{
    machine->device = (struct block_device){.ops = &device_ops,
                                            .ctx = machine,
                                            .block_bytes = machine->ns.block_bytes,
                                            .blocks = machine->ns.blocks};
}

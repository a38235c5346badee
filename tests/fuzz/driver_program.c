/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs an input: the configuration, then records of eight bytes, each an operation of the owner
 * (codes below 40h), an action of the device (80h and above), or the word that the next action is
 * armed (40h to 7Fh). Then the device becomes honest, the driver is stopped, and all must have come
 * back. See driver.h.
 */
#include "fuzz/driver.h"

#include <stdlib.h>

#define CORE_ALIGN   64u
#define ARENA_MAX    (4u << 20)
#define LAST_STEPS   4000u
#define LAST_STEP_NS UINT64_C(250000000)

uint64_t hostile_take(struct hostile_input *input, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes && input->at < input->end; i++)
        value |= (uint64_t)*input->at++ << 8 * i;
    return value;
}

static struct hostile_record next_record(struct hostile_input *input)
{
    struct hostile_record record;

    record.code = (uint8_t)hostile_take(input, 1);
    record.a = (uint8_t)hostile_take(input, 1);
    record.b = (uint16_t)hostile_take(input, 2);
    record.c = (uint32_t)hostile_take(input, 4);
    return record;
}

static void arm(struct hostile *h, uint32_t countdown, const struct hostile_record *record)
{
    for (unsigned i = 0; i < HOSTILE_ARMED; i++) {
        if (h->armed[i].countdown != 0)
            continue;
        h->armed[i].countdown = countdown + 1;
        h->armed[i].record = *record;
        return;
    }
}

static void run(struct hostile *h, struct hostile_input *input)
{
    while (input->at < input->end) {
        struct hostile_record record = next_record(input);

        if ((record.code & 0xC0) == 0x40) {
            struct hostile_record armed = next_record(input);

            arm(h, record.b & 0x3FF, &armed);
        } else if (!hostile_do_device(h, &record)) {
            hostile_do_host(h, &record);
            if (record.code & 0x20)
                hostile_run_device(h);
        }
    }
}

/* An honest device, and a stop: everything comes back. */
static void end(struct hostile *h)
{
    hostile_honest(h);
    h->ending = true;
    for (unsigned i = 0; nvme_state(h->nvme) != NVME_STATE_OFF; i++) {
        if (i == LAST_STEPS)
            hostile_fail("a stop does not end: state %d", (int)nvme_state(h->nvme));
        hostile_begin_call(h);
        if (nvme_state(h->nvme) != NVME_STATE_STOPPING)
            nvme_stop(h->nvme);
        hostile_step(h);
        hostile_run_device(h);
        h->now_ns += LAST_STEP_NS;
    }
    if (h->requests)
        hostile_fail("request %llu of kind %d never ends", (unsigned long long)h->requests->serial,
                     (int)h->requests->request.op);
    if (h->admins)
        hostile_fail("an admin request never ends: opcode %02xh",
                     h->admins->request.command.opcode);
    for (unsigned i = 0; i < nvme_get_info(h->nvme)->io_queues; i++)
        if (nvme_in_flight(nvme_get_queue(h->nvme, i)) != 0)
            hostile_fail("queue %u says that commands are in flight", i + 1);
    hostile_platform_end(h);
    if (h->blocking)
        free(h->blocking->memory);
    free(h->blocking);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hostile_input input = {data, data + size};
    struct hostile *h = hostile_alloc(sizeof *h);
    const char *field = NULL;
    size_t bytes;

    hostile_configure(h, &input);
    hostile_platform_init(h);
    hostile_device_init(h);
    bytes = nvme_memory_size(&h->config);
    if ((bytes == 0) != (nvme_config_check(&h->config, &field) != NVME_OK) ||
        (bytes == 0) != (field != NULL))
        hostile_fail("nvme_config_check() and nvme_memory_size() disagree");
    if (bytes <= ARENA_MAX) {
        h->arena = aligned_alloc(CORE_ALIGN, (bytes + CORE_ALIGN) / CORE_ALIGN * CORE_ALIGN);
        if (!h->arena)
            abort();
        h->nvme = nvme_init(h->arena, bytes, &h->platform, &h->config);
        if (h->nvme && bytes == 0)
            hostile_fail("nvme_init() takes a configuration that is invalid");
    }
    if (h->nvme) {
        run(h, &input);
        end(h);
    }
    free(h->arena);
    free(h);
    return 0;
}

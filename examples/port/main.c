/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A program on the small system: one controller, one queue of 16 entries, everything in 256 KiB.
 * Writes blocks, reads them back, compares, prints what it took.
 *
 *     port PROFILES [DRIVE]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "nvme_port.h"

#define STATE_BYTES (32u * 1024) /* with the board's pool: 256 KiB */
#define DEPTH       16u
#define BLOCKS      8u /* of one request */
#define BLOCK_BYTES 4096u

static _Alignas(64) uint8_t state[STATE_BYTES];
static uint8_t written[BLOCKS * BLOCK_BYTES], found[BLOCKS * BLOCK_BYTES]; /* out of DMA's reach */

static void configure(struct nvme_config *config)
{
    nvme_config_defaults(config);
    config->admin_depth = DEPTH;
    config->io_depth = DEPTH;
    config->slots = 4;
    config->bounce_bytes = 16384;
    config->transfer_cap = 16384;

    config->completion = NVME_COMPLETION_INTERRUPT;
    config->irq = NVME_IRQ_INTX;
    config->full = NVME_FULL_QUEUE;
}

static volatile bool ended;

static void done(struct nvme_request *request)
{
    (void)request;
    ended = true;
}

/* One request, waited for. Steps in between find a device that is gone. */
static int transfer(struct nvme *nvme, enum nvme_op op, uint32_t blocks, void *buffer)
{
    const struct nvme_namespace *ns = nvme_get_namespace(nvme, 0);
    struct nvme_queue *queue = nvme_get_queue(nvme, 0);
    struct nvme_request request = {
        .op = op, .nsid = ns->nsid, .lba = 64, .blocks = blocks, .buffer = buffer, .done = done};
    int error;

    ended = false;
    error = nvme_submit(queue, &request);
    if (error != NVME_OK)
        return error;
    nvme_ring(queue);
    while (!ended) {
        board_wait();
        if (nvme_step(nvme, board_time_ns()) == NVME_STATE_FAILED)
            nvme_stop_blocking(nvme); /* ends the request */
    }
    return request.error;
}

static int run(struct nvme *nvme)
{
    uint32_t blocks;
    int error = nvme_start_blocking(nvme);

    if (error != NVME_OK)
        return error;
    if (nvme_namespace_count(nvme) == 0)
        return NVME_E_UNSUPPORTED;
    blocks = BLOCKS * BLOCK_BYTES / nvme_get_namespace(nvme, 0)->block_bytes;
    for (size_t i = 0; i < sizeof written; i++)
        written[i] = (uint8_t)(i * 7 + i / 251);
    error = transfer(nvme, NVME_OP_WRITE, blocks, written);
    if (error == NVME_OK)
        error = transfer(nvme, NVME_OP_FLUSH, 0, NULL);
    if (error == NVME_OK)
        error = transfer(nvme, NVME_OP_READ, blocks, found);
    if (error == NVME_OK && memcmp(written, found, sizeof written) != 0)
        error = NVME_E_DEVICE;
    return error;
}

int main(int argc, char **argv)
{
    struct nvme_queue_stats stats = {0};
    struct nvme_config config;
    struct nvme *nvme;
    int error;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: port PROFILES [DRIVE]\n");
        return 2;
    }
    if (!board_open(argv[1], argc > 2 ? argv[2] : "fixed-latency"))
        return 1;
    configure(&config);
    printf("driver state: %zu of %u bytes, DMA pool: %u bytes\n", nvme_memory_size(&config),
           STATE_BYTES, BOARD_POOL_BYTES);
    nvme = nvme_init(state, sizeof state, &nvme_port_platform, &config);
    if (!nvme) {
        fprintf(stderr, "port: the configuration does not fit\n");
        return 1;
    }
    nvme_port_attach(nvme);
    error = run(nvme);
    if (error == NVME_OK) {
        nvme_get_queue_stats(nvme_get_queue(nvme, 0), &stats);
        printf("%s: %" PRIu64 " commands, %" PRIu64 " bytes bounced, %" PRIu64 " us\n",
               nvme_get_info(nvme)->model, stats.commands, stats.bytes_bounced,
               board_time_ns() / 1000);
    }
    nvme_stop_blocking(nvme);
    nvme_port_attach(NULL);
    board_close();
    printf("%s\n", nvme_error_text(error));
    return error == NVME_OK ? 0 : 1;
}

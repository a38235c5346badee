/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The raw host's bring-up, rings and commands; see host.h.
 */
#include "raw/host.h"

#include <string.h>

#define MSIX_CAPABILITY 0x11

static void put_le(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get_le(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static void queue_init(struct raw_host *host, unsigned queue)
{
    memset(host->memory + RAW_CQ(queue), 0, RAW_ENTRIES * 16);
    host->queue[queue] = (struct raw_queue){.size = RAW_ENTRIES, .phase = true};
}

void raw_enable_begin(struct raw_host *host)
{
    if (raw_stopped(host))
        return;
    queue_init(host, 0);
    raw_config_set(host, 0x04, 2, 0x0006);
    raw_write(host, 0x24, 4, (RAW_ENTRIES - 1) << 16 | (RAW_ENTRIES - 1));
    raw_write(host, 0x28, 8, host->bus + RAW_SQ(0));
    raw_write(host, 0x30, 8, host->bus + RAW_CQ(0));
    raw_write(host, 0x14, 4, 0x00460001);
}

void raw_enable(struct raw_host *host)
{
    raw_enable_begin(host);
    raw_wait_csts(host, 0x3, 0x1);
}

void raw_msix(struct raw_host *host)
{
    unsigned at = raw_capability(host, MSIX_CAPABILITY);
    uint32_t table;

    if (raw_stopped(host))
        return;
    ck_assert_uint_ne(at, 0);
    table = raw_config(host, at + 4, 4) & ~UINT32_C(7);
    for (unsigned v = 0; v < RAW_VECTORS; v++) {
        raw_write(host, table + 16 * v, 8, 0xfee00000u + 4 * v);
        raw_write(host, table + 16 * v + 8, 4, v);
        raw_write(host, table + 16 * v + 12, 4, 0);
    }
    raw_config_set(host, at + 2, 2, 0x8000);
}

uint16_t raw_put(struct raw_host *host, unsigned queue, const struct raw_cmd *cmd)
{
    struct raw_queue *q = &host->queue[queue];
    uint8_t *sqe = host->memory + RAW_SQ(queue) + q->tail * 64u;

    if (raw_stopped(host))
        return 0;
    memset(sqe, 0, 64);
    sqe[0] = cmd->opcode;
    sqe[1] = cmd->flags;
    put_le(sqe + 2, q->next_cid, 2);
    put_le(sqe + 4, cmd->nsid, 4);
    put_le(sqe + 24, cmd->prp1 == 0 ? 0 : host->bus + cmd->prp1, 8);
    put_le(sqe + 32, cmd->prp2 == 0 ? 0 : host->bus + cmd->prp2, 8);
    put_le(sqe + 40, cmd->cdw10, 4);
    put_le(sqe + 44, cmd->cdw11, 4);
    put_le(sqe + 48, cmd->cdw12, 4);
    q->tail = (uint16_t)((q->tail + 1) % q->size);
    return q->next_cid++;
}

void raw_ring(struct raw_host *host, unsigned queue)
{
    raw_write(host, 0x1000 + 8 * queue, 4, host->queue[queue].tail);
}

bool raw_take(struct raw_host *host, unsigned queue, struct raw_cqe *cqe)
{
    struct raw_queue *q = &host->queue[queue];
    const uint8_t *at = host->memory + RAW_CQ(queue) + q->head * 16u;

    if ((at[14] & 1) != q->phase)
        return false;
    *cqe = (struct raw_cqe){.dw0 = get_le(at, 4),
                            .cid = (uint16_t)get_le(at + 12, 2),
                            .status = (uint16_t)(get_le(at + 14, 2) >> 1)};
    if (++q->head == q->size) {
        q->head = 0;
        q->phase = !q->phase;
    }
    return true;
}

void raw_ring_cq(struct raw_host *host, unsigned queue)
{
    raw_write(host, 0x1004 + 8 * queue, 4, host->queue[queue].head);
}

void raw_reap(struct raw_host *host, unsigned queue, unsigned count, uint16_t status)
{
    struct raw_cqe cqe;

    for (unsigned i = 0; i < count && !raw_stopped(host); i++) {
        while (!raw_take(host, queue, &cqe)) {
            if (!raw_step(host)) {
                ck_assert_msg(raw_stopped(host), "queue %u: completion %u of %u never comes", queue,
                              i + 1, count);
                return;
            }
        }
        ck_assert_msg(cqe.status == status, "queue %u: command %u ends with status %03xh", queue,
                      cqe.cid, cqe.status);
    }
    raw_ring_cq(host, queue);
}

void raw_do(struct raw_host *host, unsigned queue, const struct raw_cmd *cmd, uint16_t status)
{
    raw_put(host, queue, cmd);
    raw_ring(host, queue);
    raw_reap(host, queue, 1, status);
}

void raw_create_queue(struct raw_host *host, unsigned queue, unsigned vector)
{
    uint32_t size_and_id = (RAW_ENTRIES - 1) << 16 | queue;

    if (raw_stopped(host))
        return;
    queue_init(host, queue);
    raw_do(
        host, 0,
        &(struct raw_cmd){
            .opcode = 0x05, .prp1 = RAW_CQ(queue), .cdw10 = size_and_id, .cdw11 = vector << 16 | 3},
        0);
    raw_do(
        host, 0,
        &(struct raw_cmd){
            .opcode = 0x01, .prp1 = RAW_SQ(queue), .cdw10 = size_and_id, .cdw11 = queue << 16 | 1},
        0);
}

void raw_delete_queue(struct raw_host *host, unsigned queue)
{
    raw_do(host, 0, &(struct raw_cmd){.opcode = 0x00, .cdw10 = queue}, 0);
    raw_do(host, 0, &(struct raw_cmd){.opcode = 0x04, .cdw10 = queue}, 0);
}

struct raw_cmd raw_io(uint8_t opcode, uint64_t slba, unsigned blocks, uint64_t data)
{
    return (struct raw_cmd){.opcode = opcode,
                            .nsid = 1,
                            .prp1 = data,
                            .prp2 = (data | 0xfff) + 1,
                            .cdw10 = (uint32_t)slba,
                            .cdw11 = (uint32_t)(slba >> 32),
                            .cdw12 = blocks - 1};
}

void raw_verify(struct raw_host *host, unsigned queue, uint64_t slba, unsigned blocks,
                unsigned seed)
{
    uint8_t *out = host->memory + RAW_DATA;
    uint8_t *in = host->memory + RAW_DATA + 0x2000;
    struct raw_cmd cmd = raw_io(0x01, slba, blocks, RAW_DATA);

    for (unsigned i = 0; i < blocks * 512; i++)
        out[i] = (uint8_t)(seed + i * 31 + i / 512);
    memset(in, 0, blocks * 512);
    raw_do(host, queue, &cmd, 0);
    cmd = raw_io(0x02, slba, blocks, RAW_DATA + 0x2000);
    raw_do(host, queue, &cmd, 0);
    ck_assert_mem_eq(in, out, blocks * 512);
}

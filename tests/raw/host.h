/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A raw host on the public bus interface, for tests: an array as memory, registers and rings by
 * hand, and a record of everything that the controller did to it. Time passes event by event, and
 * the host can be stopped after any number of them. Uses <doorbell/device.h> and Check, no other
 * header of the project; numbers are of NVMe 1.4 and PCI.
 */
#ifndef TESTS_RAW_HOST_H
#define TESTS_RAW_HOST_H

#include <doorbell/device.h>

#include <check.h>

#define RAW_BYTES   (UINT64_C(1) << 18)
#define RAW_QUEUES  4u
#define RAW_ENTRIES 8u
#define RAW_VECTORS 4u
#define RAW_NS      UINT64_C(1000)
#define RAW_US      UINT64_C(1000000)
#define RAW_MS      UINT64_C(1000000000)
#define RAW_UNBOUND UINT64_MAX
#define RAW_SQ(q)   (0x2000u * (q)) /* offsets in memory */
#define RAW_CQ(q)   (0x2000u * (q) + 0x1000u)
#define RAW_LIST    0x8000u
#define RAW_DATA    0x10000u

struct raw_queue {
    uint16_t size, tail, head, next_cid;
    bool phase;
};

struct raw_host {
    struct doorbell_world *world;
    struct doorbell_device *device;
    uint64_t bus; /* of the memory's first byte */
    uint8_t *memory;
    struct raw_queue queue[RAW_QUEUES];
    /* what the controller did */
    uint64_t dma_reads, dma_writes, messages, pin_rises;
    uint64_t message_ps;
    bool pin;
    uint64_t digest; /* of all of it: when, what, where, which bytes */
    /* events that may still happen; at 0 every function below returns at once */
    uint64_t budget;
    void (*inside)(struct raw_host *host); /* called from each callback; may be NULL */
};

struct raw_cmd {
    uint8_t opcode, flags;
    uint32_t nsid;
    uint64_t prp1, prp2; /* offsets in memory; 0: none */
    uint32_t cdw10, cdw11, cdw12;
};

struct raw_cqe {
    uint32_t dw0;
    uint16_t cid, status; /* without the phase tag */
};

/* A controller with these settings ("section.key=value", one per element) in the world. number:
 * of the host, gives it memory of its own. */
void raw_open(struct raw_host *host, struct doorbell_world *world, unsigned number,
              const char *const *settings, size_t setting_count);
void raw_close(struct raw_host *host); /* the world is the caller's */

bool raw_stopped(const struct raw_host *host);
uint32_t raw_read(struct raw_host *host, uint64_t offset); /* at once, BAR0, 4 bytes */
void raw_write(struct raw_host *host, uint64_t offset, unsigned size, uint64_t value); /* posted */
uint32_t raw_config(struct raw_host *host, unsigned offset, unsigned size);
void raw_config_set(struct raw_host *host, unsigned offset, unsigned size, uint32_t value);
/* Offset of a capability (PCI Local Bus 3.0, 6.7); 0 if there is none. */
unsigned raw_capability(struct raw_host *host, uint8_t id);

/* One event. False if there is none, or the budget is used up. */
bool raw_step(struct raw_host *host);
void raw_for(struct raw_host *host,
             uint64_t ps); /* events within this time, then the time itself */
void raw_wait_csts(struct raw_host *host, uint32_t mask, uint32_t value);

/* Bus mastering and memory space on, admin queues, CC.EN = 1 as register writes; and the wait. */
void raw_enable_begin(struct raw_host *host);
void raw_enable(struct raw_host *host);
/* MSI-X with all vectors unmasked (PCI Local Bus 3.0, 6.8.2); vector v sends v. */
void raw_msix(struct raw_host *host);

/* An entry at the tail; its CID is returned. */
uint16_t raw_put(struct raw_host *host, unsigned queue, const struct raw_cmd *cmd);
void raw_ring(struct raw_host *host, unsigned queue);
bool raw_take(struct raw_host *host, unsigned queue, struct raw_cqe *cqe);
void raw_ring_cq(struct raw_host *host, unsigned queue);
/* Waits for that many completions, consumes and acknowledges them; every status must be `status`.
 */
void raw_reap(struct raw_host *host, unsigned queue, unsigned count, uint16_t status);
/* Put, ring, reap one with this status. */
void raw_do(struct raw_host *host, unsigned queue, const struct raw_cmd *cmd, uint16_t status);
void raw_create_queue(struct raw_host *host, unsigned queue, unsigned vector);
void raw_delete_queue(struct raw_host *host, unsigned queue);
/* I/O command on namespace 1; blocks >= 1, data at this offset (two pages at most). */
struct raw_cmd raw_io(uint8_t opcode, uint64_t slba, unsigned blocks, uint64_t data);
/* Writes blocks with a pattern of `seed`, reads them to another place, compares. */
void raw_verify(struct raw_host *host, unsigned queue, uint64_t slba, unsigned blocks,
                unsigned seed);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A stream without a machine: tests write records by hand, as a host and a controller would, and
 * ask the checker what it thinks. Memory is a few pages of bytes at RIG_MEMORY. Time goes on by 1
 * ns with each record.
 */
#ifndef RULES_RIG_H
#define RULES_RIG_H

#include <check.h>

#include "pcie/record.h"
#include "rules/rules.h"

#define RIG_MEMORY  UINT64_C(0x100000000) /* bus address of the memory: above 4 GiB */
#define RIG_BYTES   (64u * 4096u)
#define RIG_ASQ     (RIG_MEMORY + 0x0000)
#define RIG_ACQ     (RIG_MEMORY + 0x1000)
#define RIG_SQ      (RIG_MEMORY + 0x2000) /* of I/O queue 1 */
#define RIG_CQ      (RIG_MEMORY + 0x3000)
#define RIG_CONTROL (RIG_MEMORY + 0x4000) /* Identify data, shadow doorbells (2 pages) */
#define RIG_LISTS   (RIG_MEMORY + 0x8000)
#define RIG_DATA    (RIG_MEMORY + 0x10000)
#define RIG_DEPTH   4u /* entries of each queue */

struct rig {
    struct stream stream;
    struct rules_setup setup; /* change it between rig_open and rig_start */
    struct rules *rules;
    uint64_t now_ps;
    uint8_t memory[RIG_BYTES];
    unsigned tripped;
    /* the host's own state, as a good host would keep it */
    uint32_t sq_tail[2], cq_head[2], cq_seen[2], posted[2];
    uint32_t cc;
};

/* A checker in RULES_REPORT, performance on, not started; no record yet. */
void rig_open(struct rig *rig);
void rig_start(struct rig *rig);
void rig_close(struct rig *rig);
/* The checker's verdict so far. */
const struct rules_verdict *rig_verdict(const struct rig *rig);
/* Fails the test unless exactly this rule, and no other, was broken so often. */
void rig_expect(const struct rig *rig, enum rule_id rule, unsigned times);
void rig_expect_none(const struct rig *rig);

/* One record; host kinds from CPU 0. */
void rig_emit(struct rig *rig, enum record_kind kind, uint32_t a, uint64_t b, uint64_t c,
              uint64_t d, const void *data);
void rig_write(struct rig *rig, uint32_t offset, uint32_t value); /* a 32-bit register write */
uint8_t *rig_at(struct rig *rig, uint64_t bus);                   /* memory */

/* Whole sequences, each as the specification wants it, so that a test can leave one thing out.
 * rig_ready: CAP read (MQES 63, TO 2, DSTRD 0, MPS 4 KiB), admin queues of RIG_DEPTH set, enabled,
 * ready. rig_io: then Identify (namespace 1 of 1,000 blocks of 512 bytes), I/O queue pair 1. */
void rig_ready(struct rig *rig);
void rig_io(struct rig *rig);

/* Identify Controller, answered so. */
struct rig_identity {
    uint8_t mdts, acl, aerl, fuses, vwc;
    uint16_t oacs, oncs;
    uint32_t sgls;
};
void rig_identify(struct rig *rig, const struct rig_identity *identity);

/* A request is handed to the core, and the core takes it; it ends. identity: any address. */
void rig_request(struct rig *rig, const void *identity, enum record_op op, uint64_t lba,
                 uint32_t blocks, uint64_t bus, unsigned flags);
#define RIG_REGISTERED 1u
#define RIG_FUA        2u
void rig_end(struct rig *rig, const void *identity, int error);

/* A number in memory, least significant byte first. */
void rig_put(uint8_t *to, uint64_t value, unsigned bytes);
/* rig_build() of a read, write or the like; and hand it over: publish and ring. */
uint8_t *rig_build_io(struct rig *rig, uint8_t opcode, uint16_t cid, uint64_t slba, uint32_t blocks,
                      uint64_t prp1, uint64_t prp2);
void rig_hand_over(struct rig *rig, unsigned qid);
/* What was handed over last is fetched and completes well; the host sees, fences, releases. */
void rig_finish(struct rig *rig, unsigned qid);

/* Build an entry in the next slot of a queue (not published, not rung). Returns its 64 bytes. */
uint8_t *rig_build(struct rig *rig, unsigned qid, uint8_t opcode, uint16_t cid, uint32_t nsid,
                   uint64_t prp1, uint64_t prp2);
void rig_publish(struct rig *rig, unsigned qid); /* the entry built last */
void rig_ring(struct rig *rig, unsigned qid);    /* tail + 1, by register */
void rig_fetch(struct rig *rig, unsigned qid, const uint8_t *sqe, uint32_t slot);
/* The device completes; sqhd: SQ head pointer in the entry. */
void rig_complete(struct rig *rig, unsigned qid, uint16_t cid, uint16_t status, uint16_t sqhd,
                  uint32_t dword0);
void rig_look(struct rig *rig, unsigned qid);    /* the host loads the next entry's dword 3 */
void rig_fence(struct rig *rig, unsigned qid);   /* read fence for it */
void rig_release(struct rig *rig, unsigned qid); /* head + 1, by register */
/* All of it, for one command: build, publish, ring, fetch, complete, look, fence, release. */
void rig_command(struct rig *rig, unsigned qid, uint8_t opcode, uint16_t cid, uint32_t nsid,
                 uint64_t prp1, uint64_t prp2, uint32_t cdw10, uint32_t cdw11, uint32_t cdw12);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The vocabulary of the event stream (engine/stream.h): what each kind of record says and what its
 * operands hold. Host and controller both write it, and both stand on pcie; readers are report/ and
 * (later) rules/.
 */
#ifndef PCIE_RECORD_H
#define PCIE_RECORD_H

#include <stdbool.h>

#include "engine/engine.h"

enum record_kind {
    /* -- host; source = CPU number -- */
    RECORD_CPU_TIME, /* a: enum record_cpu_use; b: ps spent, ending now */
    RECORD_REQUEST,  /* block request enters the driver. a: op (0 read, 1 write, 2 flush, 3 write
                      * zeroes); b: request number; c: offset in bytes; d: length in bytes */
    RECORD_REQUEST_DONE, /* a: 0 or error; b: request number */
    RECORD_REG_WRITE,    /* a: size; b: offset in BAR0; c: value. When the CPU starts it */
    RECORD_REG_READ,     /* a: size; b: offset; c: value */
    RECORD_PUBLISH,      /* a: qid; b: first slot; c: count */
    RECORD_CQE_SEEN,     /* cq_load delivered a new entry. a: cqid; b: slot; c: CID */
    RECORD_MAP,          /* a: direction; b: bus address; c: bytes */
    RECORD_UNMAP,        /* as RECORD_MAP */
    RECORD_COPY,         /* a: routine; b: bytes; c: bus address of the source */
    RECORD_CACHE,        /* maintenance. a: 0 clean, 1 invalidate, 2 both; b: address; c: lines */
    RECORD_INTERRUPT,    /* delivered to a CPU. a: vector; b: 0 handler or hard half, 1 soft half */
    RECORD_CQ_LOAD,      /* a look at an entry. a: cqid; b: slot; c: its dword 3 */
    RECORD_RMB,          /* read fence. a: cqid; b: slot that it is about */
    RECORD_MB,           /* full fence */
    RECORD_SYNC,         /* a: 0 for the device, 1 for the CPU; b: bus address; c: bytes */
    RECORD_DMA_ALLOC,    /* a: enum record_memory; b: bus address; c: bytes; d: 1 if the CPU caches
                          * it and the device does not look there */
    RECORD_DMA_FREE,     /* as RECORD_DMA_ALLOC, before it is gone */
    RECORD_STORE,        /* the CPU has stored to data memory. b: bus address; c: bytes */
    RECORD_REFUSED,      /* the device reached for memory that it may not. a: as RECORD_DMA; b: bus
                          * address; c: bytes */
    RECORD_LOCK,         /* a lock of the core's, and interrupts held back on this CPU. a: qid; b: 1
                          * taken, 0 given back */
    RECORD_IRQ_SETUP,    /* a: enum record_irq_mode; b: vectors granted */
    RECORD_SUBMIT,       /* a request is about to enter the driver core. a: enum record_op; b: bus
                          * address of its buffer, 0: not in one piece; c: bytes; data: struct
                          * record_submit */
    RECORD_SUBMITTED,    /* the core has returned. a: error, 0: taken; data: the request's identity,
                          * a pointer to compare and never to follow */
    RECORD_ENDED,        /* the core says that a request has ended. a: error; b: 1 if for lack of
                          * room; c: raw status; data: identity */
    RECORD_BROUGHT_UP,   /* the core says that the controller runs, or has failed to. a: error */
    RECORD_FORSAKEN,     /* CPUs wait, and nothing is left that could ever wake them. a: requests
                          * waited for (one CPU), or CPUs (several) */
    /* -- controller; source = controller number; command = sqid << 16 | CID in b -- */
    RECORD_DOORBELL, /* arrived. a: 0 SQ, 1 CQ; b: qid; c: value */
    RECORD_FETCH,    /* fetch of an SQE starts. a: slot; b: command once known, else sqid << 16 */
    RECORD_COMMAND,  /* fetched and about to be decoded. a: opcode; b: command; c: SLBA; d: nsid <<
                      * 32 |  number of blocks (1-based). For admin commands c is cdw10, d is nsid <<
                      * 32. data: the 64 bytes of the entry */
    RECORD_STAGE,    /* a command enters a stage. a: enum record_stage; b: command */
    RECORD_DMA,      /* a: 0 device reads memory, 1 device writes; b: bus address; c: bytes;
                      * d: command */
    RECORD_CQE,  /* visible in host memory. a: cqid << 16 | slot; b: command; c: status; d: SQHD.
                  * data: the 16 bytes of the entry */
    RECORD_IRQ,  /* interrupt message sent or pin raised. a: vector */
    RECORD_CSTS, /* controller status changed. c: CSTS */
    RECORD_REGISTER, /* a write of a register that is no doorbell arrived. a: size; b: offset; c:
                      * value */
    RECORD_CONFIG,   /* a write to configuration space arrived. a: size; b: offset; c: value */
    RECORD_SHADOW, /* a: 0 shadow doorbell read by the device, 1 EventIdx written; b: number of the
                    * doorbell, 2 * qid, and 1 for a CQ; c: value */
    RECORD_RESET,  /* everything in flight is dropped. a: 0 controller level reset, 1 fatal error */
    RECORD_STALL,  /* a completion finds no room. a: cqid; b: command */
    RECORD_KINDS
};

/* What DMA memory is for; RECORD_DMA_ALLOC.a. */
enum record_memory {
    RECORD_MEMORY_SQ,
    RECORD_MEMORY_CQ,
    RECORD_MEMORY_LIST,
    RECORD_MEMORY_BOUNCE,
    RECORD_MEMORY_CONTROL,
    RECORD_MEMORY_HOST /* lent to the controller */
};

enum record_irq_mode { RECORD_IRQ_NONE, RECORD_IRQ_INTX, RECORD_IRQ_MSI, RECORD_IRQ_MSIX };

enum record_op {
    RECORD_OP_READ,
    RECORD_OP_WRITE,
    RECORD_OP_FLUSH,
    RECORD_OP_WRITE_ZEROES,
    RECORD_OP_COMPARE,
    RECORD_OP_VERIFY,
    RECORD_OP_DEALLOCATE,
    RECORD_OP_RAW
};

/* What RECORD_SUBMIT adds. */
struct record_submit {
    const void *identity;
    uint32_t nsid;
    uint32_t blocks; /* 0: not one range of blocks */
    uint64_t lba;
    bool registered; /* the caller has mapped the buffer for good */
    bool fua;
};

/* What a CPU spends its time on; RECORD_CPU_TIME.a. */
enum record_cpu_use {
    CPU_WORKLOAD,  /* the program under test */
    CPU_OS,        /* dos call, file system, unit task, task switch */
    CPU_MAP,       /* mapping and unmapping for DMA */
    CPU_CACHE,     /* cache maintenance */
    CPU_COPY,      /* bounce copy */
    CPU_BUILD,     /* building entries, fences */
    CPU_REGISTER,  /* register accesses */
    CPU_POLL,      /* looking at completion entries, poll loop */
    CPU_INTERRUPT, /* interrupt entry and exit */
    CPU_COMPLETE,  /* completion handling */
    CPU_LOCK,      /* taking locks, and waiting for them */
    CPU_IDLE,      /* waiting */
    CPU_USES
};

/* Stages of a command inside the device, in the order of a read; in a write, TRANSFER comes before
 * MEDIA. A stage lasts until the next one begins; stages that do not occur are not recorded. A
 * record's time may lie before the time at which it is delivered (a command has no name before its
 * entry was read), never after it; within one command, times and delivery have the same order. */
enum record_stage {
    STAGE_DOORBELL,   /* doorbell arrived; waits for a command context and to be fetched */
    STAGE_FETCH,      /* SQE read from host memory */
    STAGE_DECODE,     /* command decoded and checked */
    STAGE_LIST,       /* PRP lists read */
    STAGE_MEDIA_WAIT, /* waits for a unit of the media */
    STAGE_MEDIA,      /* media works */
    STAGE_TRANSFER,   /* data between controller and host memory */
    STAGE_COMPLETE,   /* completion built; waits for room in the CQ */
    STAGE_CQE,        /* CQE on its way to host memory; ends with RECORD_CQE */
    RECORD_STAGES
};

const char *record_kind_name(unsigned kind);
const char *record_cpu_use_name(unsigned use);
const char *record_stage_name(unsigned stage);

/* Write a record if anybody wants it. */
#define RECORD_EMIT(stream_, time_, source_, kind_, a_, b_, c_, d_)                                \
    do {                                                                                           \
        if (stream_wants(stream_, kind_)) {                                                        \
            const struct stream_record record_ = {                                                 \
                (time_),        (uint16_t)(kind_), (uint16_t)(source_), (uint32_t)(a_),            \
                (uint64_t)(b_), (uint64_t)(c_),    (uint64_t)(d_),      NULL};                     \
            stream_deliver(stream_, &record_);                                                     \
        }                                                                                          \
    } while (0)
/* The same, for kinds that add something. */
#define RECORD_EMIT_DATA(stream_, time_, source_, kind_, a_, b_, c_, d_, data_)                    \
    do {                                                                                           \
        if (stream_wants(stream_, kind_)) {                                                        \
            const struct stream_record record_ = {                                                 \
                (time_),        (uint16_t)(kind_), (uint16_t)(source_), (uint32_t)(a_),            \
                (uint64_t)(b_), (uint64_t)(c_),    (uint64_t)(d_),      (data_)};                  \
            stream_deliver(stream_, &record_);                                                     \
        }                                                                                          \
    } while (0)

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One I/O request, as a block layer hands it to the core (nvme_submit()). Section numbers are of
 * NVM Express Base Specification 1.4.
 */
#ifndef NVME_REQUEST_H
#define NVME_REQUEST_H

#include <nvme/platform.h>

enum nvme_op {
    NVME_OP_READ,         /* 6.9 */
    NVME_OP_WRITE,        /* 6.15 */
    NVME_OP_FLUSH,        /* 6.8 */
    NVME_OP_WRITE_ZEROES, /* 6.17 */
    NVME_OP_COMPARE,      /* 6.6: the data is compared with the medium; status Compare Failure */
    NVME_OP_VERIFY,       /* 6.14: the medium is read and nothing transferred */
    NVME_OP_DEALLOCATE,   /* 6.7, Dataset Management with AD = 1 */
    NVME_OP_RAW /* request.raw as it is, but for the command identifier and data pointer */
};

/* Request flags. */
#define NVME_REQ_REGISTERED                                                                         \
    (1u << 0)                     /* `bus` holds the bus address of the whole, device-contiguous,   \
                                   * permanently mapped buffer: no map, no sync, no bounce, no      \
                                   * translation. Where memory is not coherent the caller maintains \
                                   * its cache: clean before a write is submitted, clean or drop    \
                                   * before a read is, drop after a read's done() */
#define NVME_REQ_FUA    (1u << 1) /* Force Unit Access (6.9, 6.15, 6.17) */
#define NVME_REQ_VECTOR (1u << 2) /* the data lies in vector[0..vector_count) instead of buffer */
#define NVME_REQ_MORE   (1u << 3) /* NVME_RING_LAST: another submit follows at once */
#define NVME_REQ_NO_DEALLOCATE                                                                     \
    (1u << 4) /* write zeroes: without it the blocks may be deallocated (DEAC, 6.17), where the    \
               * namespace has that (DLFEAT, 5.15.2.1) */

/* One piece of a scattered buffer: of any length, at any address. Where PRPs cannot describe the
 * pieces (4.3: all but the first begin a page, all but the last end one) the core takes an SGL
 * (4.4) if controller and config.sgl let it; else it copies, if bounce buffers are there; else it
 * makes several commands, each as long as PRPs go; else the request fails with NVME_E_INVAL: from
 * nvme_submit(), or in the end if other commands were already sent. Registered: bus counts, and cpu
 * may be NULL; never copied. */
struct nvme_vector {
    void *cpu;
    uint64_t bus;
    uint32_t bytes; /* >= 1; the sum is the request's length */
};

/* One range of NVME_OP_DEALLOCATE. */
struct nvme_range {
    uint64_t lba;
    uint32_t blocks; /* >= 1 */
};
#define NVME_RANGES_MAX 256u /* of one command (6.7); a request with more becomes several */

/* A command as a caller spells it: numbers in CPU order (4.2). Identifier, PSDT and data pointer
 * are the core's. */
struct nvme_command {
    uint8_t opcode;
    uint32_t nsid;
    uint32_t cdw2, cdw3;
    uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};

/* NVME_OP_RAW: any I/O command. Its data, if any, is the request's buffer or vector. The namespace
 * is command.nsid: an active one; for commands with data one that the core offers, because it gives
 * no metadata pointer; all (FFFFFFFFh) for Flush and vendor specific commands, none (0) for the
 * latter. It is one command, never split, and all that it does is the caller's business: lba,
 * blocks and nsid of the request are not looked at. */
struct nvme_raw {
    struct nvme_command command;
    uint32_t bytes;    /* of data, exactly what the command moves; 0 = none; at most
                        * nvme_info.max_transfer */
    enum nvme_dir dir; /* of data, as the opcode's two low bits say (4.2) */
};

/* One block request; the caller's memory, the core's from submit until done() is called. */
struct nvme_request {
    /* filled by the caller */
    enum nvme_op op;
    uint32_t flags;
    uint32_t nsid;
    uint32_t blocks; /* >= 1; ignored for flush, raw, and where ranges are given */
    uint64_t lba;
    void *buffer; /* blocks * block_bytes bytes; NULL allowed when REGISTERED */
    uint64_t bus;
    void (*done)(
        struct nvme_request *request); /* called by nvme_poll(), or by whatever ends the request */
    void *user;
    const void *owner; /* who to end it for: nvme_cancel_owner(); may be NULL */
    union {
        const struct nvme_vector *vector; /* NVME_REQ_VECTOR; stays until done() */
        const struct nvme_range *ranges;  /* deallocate; NULL: the one range lba, blocks */
    };
    const struct nvme_raw *raw; /* NVME_OP_RAW; stays until done() */
    uint16_t vector_count;      /* of vector or ranges */
    /* filled by the core before done() */
    int error; /* NVME_OK or an nvme_error */
    uint16_t
        status; /* raw status of the first command that failed, phase tag stripped; 0 = success */
    uint16_t pieces_in_flight; /* the core's own; here so that one store ends a plain request */
    uint32_t result;           /* dword 0 of the last completion entry */
    /* the core's own while in flight */
    struct nvme_request *next;
    uint64_t next_lba;
    uint32_t blocks_left;   /* to be issued; ranges of a deallocate; 1 for what is one command */
    uint32_t vector_offset; /* what is issued next: bytes into *next_vector */
    union {
        const struct nvme_vector *next_vector;
        const struct nvme_range *next_range;
    };
    bool was_split; /* more than one command was or will be needed */
    uint8_t retries_used;
    bool cancelled;
    uint64_t not_before_ns; /* of a retry */
};

#endif

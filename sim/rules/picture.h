/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the checker knows: the controller and its queues as the host has set them up and as the bus
 * has shown them. Trackers (picture_*.c) read records and write the picture; judges (judge.h) read
 * it and never write it. Every record goes to the judges first, so that they see the picture as it
 * was; what follows from a record (an entry was handed over, fetched, posted, seen, released) is
 * told to them as an event, after the picture has taken it in, except where judge.h says otherwise.
 *
 * Terms. An SQ entry is *published* (the platform's fence), *rung* (the host has moved the tail
 * over it, by register or shadow doorbell) and *fetched*. A CQ entry is *posted* (by the device),
 * *seen* (the host has loaded its dword 3 and the phase tag was new) and *released* (the host has
 * moved the head over it). A slot of an SQ is free again when an SQ head pointer that the host has
 * seen has passed it.
 */
#ifndef RULES_PICTURE_H
#define RULES_PICTURE_H

#include <stddef.h>

#include "engine/stream.h"
#include "rules/spec.h"

#define PICTURE_CPUS   64
#define PICTURE_QUEUES 256 /* SQs and CQs with a higher identifier are not followed */
#define PICTURE_BUSY   4096
#define NO_COMMAND     UINT32_MAX

/* ---- memory ---- */

struct picture_range {
    uint64_t bus, bytes;
    bool is_list; /* PRP list or SGL segment, not data */
};

/* What is wrong with pointers, as far as that shows without knowing who owns what. */
enum picture_flaw {
    FLAW_NONE,
    FLAW_PRP1_ALIGN,  /* PRP1 is not dword aligned */
    FLAW_PRP_OFFSET,  /* a later entry has an offset */
    FLAW_PRP_ZERO,    /* an entry that is needed is zero */
    FLAW_PRP_TWICE,   /* two neighbours are the same, and the device writes */
    FLAW_LIST_ALIGN,  /* the list is not qword aligned */
    FLAW_LIST_CHAIN,  /* a pointer to the next list page has an offset, or leads back */
    FLAW_PSDT,        /* reserved value, or SGL in an admin command */
    FLAW_SGL_TYPE,    /* descriptor type or subtype that does not exist, or not here */
    FLAW_SGL_LENGTH,  /* of a segment: none, or not a multiple of 16 */
    FLAW_SGL_ALIGN,   /* of a segment: not qword aligned */
    FLAW_SGL_RESERVED /* reserved bytes of a descriptor */
};

/* What an entry's pointers lead to. */
struct picture_data {
    struct picture_range *ranges; /* merged where they touch */
    uint32_t count, room;
    uint64_t bytes;         /* length of the data by opcode and namespace; 0: no data, or unknown */
    bool to_device;         /* the device reads the data */
    bool known;             /* the pointers could be followed to their end */
    uint64_t list_digest;   /* of all list pages; 0: none */
    uint64_t described;     /* bytes, by an SGL: all data descriptors */
    enum picture_flaw flaw; /* the first */
    uint32_t flaw_at;       /* PRP entry (0: PRP1, 1: PRP2 or the list's first), or descriptor */
    uint64_t flaw_value;
};

/* DMA memory of the driver (dma_alloc), and buffers that it has mapped. */
struct picture_block {
    uint64_t bus, bytes;
    uint32_t use; /* enum record_memory, or PICTURE_MAPPED + direction of RECORD_MAP */
};
#define PICTURE_MAPPED 16u

/* ---- commands ---- */

enum command_state { COMMAND_RUNG, COMMAND_FETCHED, COMMAND_POSTED };

/* Whether it is known which request a command is for. */
enum attributed { ATTRIBUTED_NOT, ATTRIBUTED_NOBODY, ATTRIBUTED };

/* From its ring until its completion is seen. */
struct picture_command {
    uint16_t sqid, cid;
    uint32_t slot;
    enum command_state state;
    bool known;             /* sqe is: the entry could be read when it was rung */
    uint8_t sqe[SQE_BYTES]; /* as rung; from the fetch on as fetched */
    struct picture_data data;
    uint64_t data_digest; /* of the data when rung, if the device reads it */
    uint64_t rung_ps;
    uint32_t cpu; /* that rang */
    enum attributed attributed;
    uint32_t request, request_generation; /* picture_request_of() */
    uint32_t request_blocks;              /* of it that this command is for */
    uint32_t next;                        /* the pool's own */
};

/* ---- queues ---- */

struct picture_slot {
    uint8_t bytes[SQE_BYTES]; /* at the last publish */
    uint64_t list_digest;     /* of its list pages, then */
    bool published;           /* since the slot was last rung */
    bool readable;            /* bytes are known */
    uint32_t command;         /* index of the command that was last rung in it, or NO_COMMAND */
    uint32_t rung_count;      /* how often it was rung */
};

struct picture_sq {
    bool exists;      /* created, or being created: the command has been fetched */
    bool delete_rung; /* a command to delete it has been rung */
    uint16_t qid, cqid;
    uint32_t size;
    uint64_t bus;
    uint64_t *pages;       /* a queue that is not contiguous: its pages; else NULL */
    uint32_t tail;         /* up to which the host has rung */
    uint32_t known_head;   /* SQ head pointer of the newest completion that the host has seen */
    uint32_t fetched_head; /* up to which the device has begun to fetch */
    uint32_t arriving;     /* slot whose entry the device gets next */
    uint32_t outstanding;  /* rung, and completion not seen */
    uint32_t peak;         /* most that were ever outstanding */
    uint64_t rung;         /* entries, since creation */
    uint64_t bell_rung;    /* of these when the doorbell register was last written */
    struct picture_slot *slots;
    uint32_t *by_cid; /* 65536: index of the outstanding command with this CID, or NO_COMMAND */
};

struct picture_cq {
    bool exists, delete_rung;
    uint16_t qid, vector;
    bool interrupts;
    uint32_t size;
    uint64_t bus;
    uint64_t *pages;
    uint64_t posted, seen, released; /* totals since creation; slot = total % size */
    uint32_t seen_cpu;               /* that has seen the last one */
    uint64_t fenced;                 /* entries up to this total had a read fence after the look */
    uint64_t attached;               /* SQs that complete here and exist */
    uint8_t *entries;                /* size * 16: as posted */
    uint32_t *commands;              /* of each slot: the posted command's index, or NO_COMMAND */
};

/* ---- requests ---- */

/* What a caller has handed to the core, until it is refused or ends. */
struct picture_request {
    const void *identity; /* NULL: this one is free */
    uint32_t op;          /* enum record_op */
    uint32_t nsid, blocks;
    uint64_t lba, bus, bytes;
    bool registered, fua;
    bool taken;    /* the core has said that it has it */
    bool vague;    /* another one wants the same: it is not known whose commands are whose */
    bool troubled; /* a command of it has failed, or the controller was reset: it may begin anew */
    uint32_t pending;                  /* its commands that are outstanding */
    uint32_t commands, done_commands;  /* rung; seen with success */
    uint64_t rung_blocks, done_blocks; /* the same, failures and resets taken back */
    uint32_t cpu;
    uint64_t submitted_ps;
    /* the tracker's own (picture_requests.c) */
    uint64_t next_lba;
    uint32_t left;                          /* blocks for which no command was rung yet */
    uint32_t generation;                    /* tells one use of this place from the next */
    uint32_t next_of_identity, next_of_lba; /* chains, of index + 1 */
};
#define PICTURE_REQUEST_PLACES 1024u

/* ---- the controller ---- */

struct picture_namespace {
    bool known;
    uint64_t blocks;      /* NSZE */
    uint32_t block_bytes; /* of the format in use, metadata not counted */
    uint32_t metadata_bytes;
    bool extended; /* metadata at the end of each block */
};
#define PICTURE_NAMESPACES 256

struct picture_controller {
    /* registers, as the host has read or written them */
    uint64_t cap;
    bool cap_low_known, cap_high_known;
    uint32_t cc, aqa;
    uint64_t asq, acq;
    /* as the device says: RECORD_CSTS */
    uint32_t csts;
    uint64_t enabled_ps; /* when CC.EN was last set */
    /* PCI */
    uint16_t pci_command;
    uint32_t irq_mode; /* enum record_irq_mode */
    uint32_t vectors;
    /* Identify Controller, as the device has answered it */
    bool identified;
    uint8_t mdts, acl, aerl, fuses, vwc;
    uint16_t oacs, oncs;
    uint32_t sgls, nn;
    uint32_t rtd3e_us;                                       /* 0: not said */
    struct picture_namespace namespaces[PICTURE_NAMESPACES]; /* by nsid; 0 unused */
    /* Number of Queues, 1-based; 0: not set */
    uint32_t granted_sqs, granted_cqs;
    bool shutdown_begun;
    uint32_t resets; /* controller level resets so far */
};

struct picture_shadow {
    bool on;                               /* the command has succeeded */
    bool pending;                          /* it has been fetched */
    uint64_t doorbells, eventidxs;         /* bus addresses of the pages */
    uint32_t value[2 * PICTURE_QUEUES];    /* as last found there */
    uint32_t eventidx[2 * PICTURE_QUEUES]; /* as last written by the device */
};

struct picture {
    struct picture_controller controller;
    struct picture_shadow shadow;
    struct picture_sq *sqs[PICTURE_QUEUES]; /* NULL: never created */
    struct picture_cq *cqs[PICTURE_QUEUES];
    uint32_t highest_qid;
    struct picture_command *commands; /* a pool; one that is in use has next == its own index */
    uint32_t commands_count, commands_room, commands_free;
    uint32_t busy[PICTURE_BUSY]; /* ranges of outstanding commands on each page, folded */
    struct picture_block *blocks;
    uint32_t blocks_count, blocks_room;
    uint32_t block_hints[PICTURE_BUSY]; /* by page, folded: index + 1 of a block there */
    struct picture_request *requests;   /* [0, requests_top): those the core has, and free ones */
    uint32_t requests_count, requests_top, requests_room, requests_free;
    uint32_t requests_by_identity[PICTURE_REQUEST_PLACES];
    uint32_t requests_by_lba[PICTURE_REQUEST_PLACES];
    bool requests_known;         /* there was one: this host's requests can be seen */
    uint64_t vague_blocks;       /* for which a command of an ended vague request is still due */
    uint32_t raw_requests;       /* whose commands can be anything */
    struct picture_data scratch; /* the trackers' own */
    uint64_t now_ps;
    uint64_t ios; /* I/O commands fetched */
};

/* Reading it. */
static inline struct picture_sq *picture_sq(struct picture *p, uint32_t qid)
{
    return qid < PICTURE_QUEUES && p->sqs[qid] != NULL && p->sqs[qid]->exists ? p->sqs[qid] : NULL;
}

static inline struct picture_cq *picture_cq(struct picture *p, uint32_t qid)
{
    return qid < PICTURE_QUEUES && p->cqs[qid] != NULL && p->cqs[qid]->exists ? p->cqs[qid] : NULL;
}

/* The outstanding command of this name, or NULL. */
struct picture_command *picture_find_command(struct picture *picture, uint32_t sqid, uint32_t cid);
/* The outstanding commands whose data or lists touch this range, one by one, NULL: no more. *after
 * is 0 for the first, and moves on by itself. */
struct picture_command *picture_touching(struct picture *picture, uint64_t bus, uint64_t bytes,
                                         uint32_t *after);
/* Whether requests are known, so that commands can be attributed to them. */
bool rules_attributes(const struct picture *picture);
/* False: no outstanding command uses anything on the page of this address. */
static inline bool picture_page_is_busy(const struct picture *p, uint64_t bus)
{
    return p->busy[(bus >> 12) % PICTURE_BUSY] != 0;
}
/* The request that the core has, by identity; NULL: none. */
struct picture_request *picture_find_request(struct picture *picture, const void *identity);
/* The request that this command is for; NULL: not known, or it has ended. */
struct picture_request *picture_request_of(struct picture *picture,
                                           const struct picture_command *command);
/* The driver's DMA memory or mapping that holds all of this range; NULL: none. */
const struct picture_block *picture_holding(const struct picture *picture, uint64_t bus,
                                            uint64_t bytes);
/* How many there are. */
uint32_t picture_holders(const struct picture *picture, uint64_t bus, uint64_t bytes);
/* Whether all of this range lies in blocks, be it in several. */
bool picture_is_held(const struct picture *picture, uint64_t bus, uint64_t bytes);
/* The bus address of a slot's entry. */
uint64_t picture_slot_bus(const struct picture *picture, const struct picture_sq *sq,
                          uint32_t slot);
/* Doorbell number (2 * qid, plus 1 for a CQ) of an offset in BAR0; false: it is no doorbell's. */
bool picture_is_doorbell(const struct picture *picture, uint64_t offset, uint32_t *number);

#endif

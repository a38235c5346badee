/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The controller's state, and what its files ask of each other. Nothing here is for other rooms;
 * the public face is controller.h. How one command travels:
 *
 *   registers.c  doorbell arrives            -> queues.c   tail moves, doorbell latency runs
 *   fetch.c      arbitration, DMA of entries -> command.c  decoded one at a time
 *   admin.c / nvm.c  checked and started     -> pointers.c PRPs walked, lists read
 *   transfer.c   data from the host (write)  -> nvm.c      media
 *   transfer.c   data to the host (read)     -> complete.c completion built, room in the CQ, CQE
 *   interrupt.c  message or pin
 *
 * Resources that serve one at a time (fetch unit, decoder, DMA unit, completion unit) are time
 * lines: the time at which they are free. Only a change of stage that something waits for is an
 * event. Events name a command by index and generation: what was dropped by a reset is then simply
 * not found.
 */
#ifndef NVME_INTERNAL_H
#define NVME_INTERNAL_H

#include "engine/clock.h"
#include "engine/engine.h"
#include "media/store.h"
#include "nvme/controller.h"
#include "nvme/wire.h"
#include "pcie/configspace.h"
#include "pcie/msix.h"
#include "pcie/record.h"

#define NO_COMMAND UINT32_MAX

/* Not a status: the command goes on and will be finished later. */
#define COMMAND_GOES_ON 0xffffu

enum command_kind {
    COMMAND_PLAIN, /* no data */
    COMMAND_READ,  /* store to host */
    COMMAND_WRITE, /* host to store */
    COMMAND_ZERO,  /* write zeroes */
    COMMAND_FLUSH,
    COMMAND_ADMIN_IN,   /* controller's own data to host; made when it is sent */
    COMMAND_QUEUE_PAGES /* Create Queue with PC = 0: the PRP list of the queue's pages is read */
};

/* Whose credit a command holds; it is given back when the command ends or is held. */
enum command_credit { CREDIT_NONE, CREDIT_IO, CREDIT_ADMIN };

#define MEDIA_STEPS_MAX 2u

struct command {
    uint32_t generation; /* counts the uses of this slot of the pool */
    uint32_t index;
    uint32_t next; /* free list, fetch chain or CQ waiting list */
    uint16_t sqid, cqid, cid;
    uint16_t status; /* as STATUS_*, without DNR */
    uint8_t opcode;
    uint8_t flags;
    uint8_t kind;   /* enum command_kind */
    uint8_t credit; /* enum command_credit */
    bool in_use;
    bool abortable; /* waits for a PRP list or the medium: an Abort command can end it */
    bool is_abort;
    bool phase;
    uint16_t cq_slot;
    uint32_t dw0;
    uint32_t nsid;
    uint32_t cdw[6]; /* 10..15 */
    uint64_t prp1, prp2;
    uint64_t slba;
    uint32_t blocks; /* 1-based */
    uint32_t bytes;  /* of data */
    /* data pointers: page addresses after PRP1 */
    uint64_t *pages;
    uint32_t pages_known, pages_needed, pages_capacity;
    uint64_t list_at; /* where the next list page is read */
    uint32_t list_entries;
    /* media */
    uint8_t steps[MEDIA_STEPS_MAX]; /* enum media_op */
    uint8_t step, step_count;
    /* times for the records, ps */
    uint64_t rung_ps, fetch_ps, media_call_ps, media_start_ps, transfer_ps, complete_ps, ready_ps,
        cqe_ps;
};

/* Memory of a queue: contiguous, or a table of pages (CAP.CQR = 0, PC = 0; 4.3, 5.3). */
struct ring {
    uint64_t base;
    uint64_t *pages; /* NULL: contiguous */
    uint32_t size;   /* entries */
    uint8_t entry_log2;
};

struct sq {
    struct ring ring;
    bool exists, deleting, queued;
    bool awaited; /* a deletion or a shutdown wants to know when its commands end */
    uint16_t cqid;
    uint16_t tail; /* doorbell */
    uint16_t seen; /* part of it that arbitration has seen */
    uint16_t next; /* next entry to fetch */
    uint16_t head; /* entries before it have been read: SQHD */
    uint16_t ready_next;
    uint32_t burst_left;     /* of the turn that is running */
    uint32_t in_flight;      /* fetch started, CQE not visible */
    uint32_t delete_command; /* waits for in_flight to become 0; NO_COMMAND */
    uint64_t last_fetch_ps;  /* fetches of one queue end in order */
    uint64_t *rung_ps;       /* per slot: when its doorbell arrived */
};

struct cq {
    struct ring ring;
    bool exists, interrupts, phase;
    uint16_t vector;
    uint16_t head;                        /* doorbell */
    uint16_t tail;                        /* next slot to reserve */
    uint16_t visible;                     /* entries before it are in host memory */
    uint32_t users;                       /* SQs that complete here */
    uint32_t waiting_first, waiting_last; /* completions without room */
    uint64_t last_visible_ps;
};

struct vector {
    uint32_t active; /* CQs with interrupts enabled and unconsumed entries */
    bool scheduled;  /* a message is being prepared or on its way */
    uint64_t address;
    uint32_t data;
};

enum life { LIFE_OFF, LIFE_ENABLING, LIFE_READY, LIFE_RESETTING };

#define FEATURES_MAX       16u /* identifiers 0..15 */
#define TEMPERATURE_SLOTS  2u  /* over and under threshold of the composite sensor */
#define ERROR_LOG_ENTRIES  16u
#define LOG_PAGE_BYTES_MAX 1024u
#define ASYNC_HELD_MAX     16u

struct features {
    uint32_t value[FEATURES_MAX];
    uint16_t temperature[TEMPERATURE_SLOTS];
};

struct error_entry {
    uint64_t count;
    uint16_t sqid;
    uint16_t status;
};

struct ctrl {
    struct engine *engine;
    struct stream *stream;
    struct pcie_port *port;
    struct media *media;
    struct store *store;
    struct ctrl_params params;
    unsigned index;
    struct clock_domain clock;
    uint32_t epoch; /* counts resets; part of events that belong to no command */

    /* what parameters amount to */
    uint32_t block_bytes, block_log2, units_per_block_log2;
    uint64_t blocks;
    uint64_t transfer_max_bytes; /* 0: no limit */
    uint64_t doorbell_latency_ps;
    uint32_t burst_max; /* commands of one turn */
    uint64_t msix_table_at, msix_pending_at, bar_bytes, doorbells_end;

    struct configspace config;
    struct msix msix;

    /* registers */
    uint64_t cap;
    uint32_t vs, intms, cc, csts, aqa;
    uint64_t asq, acq;

    /* life */
    enum life life;
    engine_handle life_timer, shutdown_timer;
    uint8_t page_log2;
    uint64_t page_mask;
    bool admin_only;     /* CC.CSS = 111b */
    bool shutdown_waits; /* its flush comes when no I/O command works any more */

    /* queues */
    struct sq *sqs;
    struct cq *cqs;
    uint16_t granted_queues; /* I/O queues of each kind that may exist */
    uint16_t io_queues_alive;
    uint16_t ready_first, ready_last; /* SQs with something to fetch; QUEUE_NONE */
    bool arbiter_scheduled;

    /* commands */
    struct command *commands;
    uint32_t command_count, free_first;
    int32_t io_credits, admin_credits; /* below 0 while held requests complete (async.c) */
    uint64_t fetch_free_ps, decode_free_ps, dma_free_ps, completion_free_ps;
    uint8_t *fetched; /* one burst of entries */

    /* transfers: scratch that grows to the largest transfer seen */
    uint8_t *bytes;
    uint32_t bytes_capacity;
    uint64_t *tags;
    uint32_t tags_capacity;
    struct pcie_segment *segments;
    uint32_t segments_capacity;

    /* interrupts */
    struct vector *vectors;
    uint32_t vector_count;
    uint32_t pin_causes; /* bit per vector below 32 with active queues */
    bool pin_sent, pin_scheduled;

    /* admin */
    struct features features;
    uint32_t async_held[ASYNC_HELD_MAX]; /* command indices, oldest first */
    uint32_t async_held_count;
    uint32_t async_waiting[EVENT_TYPES]; /* dword 0 of an event that nobody has asked for yet */
    uint8_t async_waiting_types, async_masked_types; /* bit per type */
    uint64_t cache_drain; /* Set Features command that flushes the cache it turned off; NO_DRAIN */
    uint32_t aborts_running;
    struct error_entry errors[ERROR_LOG_ENTRIES];
    uint64_t error_count;

    struct ctrl_stats stats;
};

#define QUEUE_NONE 0xffffu
#define NO_DRAIN   UINT64_MAX

static inline uint64_t later(uint64_t a_ps, uint64_t b_ps)
{
    return a_ps > b_ps ? a_ps : b_ps;
}

/* `size` is not a power of two in general; positions are always below it. */
static inline uint16_t ring_advance(uint16_t at, uint32_t by, uint32_t size)
{
    uint32_t sum = at + by;

    return (uint16_t)(sum >= size ? sum - size : sum);
}
static inline uint32_t ring_distance(uint16_t from, uint16_t to, uint32_t size)
{
    return to >= from ? (uint32_t)(to - from) : to + size - from;
}

static inline uint64_t command_arg(const struct command *cmd)
{
    return (uint64_t)cmd->generation << 32 | cmd->index;
}
static inline uint64_t command_name(const struct command *cmd)
{
    return (uint64_t)cmd->sqid << 16 | cmd->cid;
}
/* Arguments of events that belong to no command. */
static inline uint64_t epoch_arg(const struct ctrl *ctrl, uint32_t what)
{
    return (uint64_t)ctrl->epoch << 32 | what;
}
static inline bool epoch_is_current(const struct ctrl *ctrl, uint64_t arg)
{
    return arg >> 32 == ctrl->epoch;
}

static inline void record_stage(struct ctrl *ctrl, const struct command *cmd,
                                enum record_stage stage, uint64_t time_ps)
{
    RECORD_EMIT(ctrl->stream, time_ps, ctrl->index, RECORD_STAGE, stage, command_name(cmd), 0, 0);
}

/* params.c */
void ctrl_derive(struct ctrl *ctrl);

/* controller.c: life cycle */
void *ctrl_allocate(size_t count, size_t bytes); /* zeroed; exits with a message if out of memory */
void *ctrl_grow(void *memory, size_t count, size_t bytes);
void ctrl_write_cc(struct ctrl *ctrl, uint32_t value);
void ctrl_subsystem_reset(struct ctrl *ctrl);
void ctrl_function_reset(struct ctrl *ctrl);
void ctrl_fatal(struct ctrl *ctrl); /* CSTS.CFS: queue memory cannot be reached, or CC is illegal */
/* Commands are taken and completed: ready, not fatal, not shut down. */
bool ctrl_is_running(const struct ctrl *ctrl);
/* A command of an awaited queue has ended or stalls: a shutdown may go on. */
void ctrl_shutdown_progress(struct ctrl *ctrl);
void ctrl_record_csts(struct ctrl *ctrl);

/* registers.c */
extern const struct pcie_device_ops ctrl_device_ops;

/* queues.c */
uint64_t ring_address(const struct ctrl *ctrl, const struct ring *ring, uint16_t slot);
void sq_open(struct ctrl *ctrl, uint16_t sqid, uint16_t cqid, struct ring ring);
void sq_close(struct ctrl *ctrl, uint16_t sqid);
void cq_open(struct ctrl *ctrl, uint16_t cqid, uint16_t vector, bool interrupts, struct ring ring);
void cq_close(struct ctrl *ctrl, uint16_t cqid);
void queues_close_all(struct ctrl *ctrl);
void queues_doorbell(struct ctrl *ctrl, uint64_t offset, uint32_t value);

/* fetch.c */
void fetch_doorbell_seen(struct ctrl *ctrl, uint16_t sqid);
void fetch_run(struct ctrl *ctrl);
void fetch_forget(struct ctrl *ctrl, uint16_t sqid); /* takes it off the ready list */

/* command.c: pool and decoding */
void commands_init(struct ctrl *ctrl);
void commands_free(struct ctrl *ctrl);
void commands_drop_all(struct ctrl *ctrl);
struct command *command_take(struct ctrl *ctrl, enum command_credit credit);
void command_return_credit(struct ctrl *ctrl, struct command *cmd);
void command_release(struct ctrl *ctrl, struct command *cmd);
struct command *command_find(struct ctrl *ctrl, uint64_t arg); /* NULL: dropped meanwhile */
void command_detach(struct command *cmd); /* events on their way will not find it any more */
void command_arrived(struct ctrl *ctrl, struct command *cmd, const uint8_t *sqe);
void command_data_ready(struct ctrl *ctrl, struct command *cmd); /* PRPs are known */

/* admin.c, async.c, features.c, identify.c, log.c: each returns a status or COMMAND_GOES_ON */
uint16_t admin_execute(struct ctrl *ctrl, struct command *cmd);
uint16_t admin_queue_pages_known(struct ctrl *ctrl, struct command *cmd);
uint16_t queue_admin_execute(struct ctrl *ctrl, struct command *cmd);
uint16_t async_request(struct ctrl *ctrl, struct command *cmd);
bool async_abort(struct ctrl *ctrl, uint16_t cid);
void async_error(struct ctrl *ctrl, enum wire_event_error error, uint16_t qid);
void async_unmask(struct ctrl *ctrl, enum wire_event_type type);
void async_reset(struct ctrl *ctrl);
uint16_t features_set(struct ctrl *ctrl, struct command *cmd);
uint16_t features_get(struct ctrl *ctrl, struct command *cmd);
void features_reset(struct ctrl *ctrl);
bool features_cache_on(const struct ctrl *ctrl);
bool features_cache_may_hold(const struct ctrl *ctrl); /* data that is not on the medium yet */
void features_cache_drained(struct ctrl *ctrl, const struct command *cmd);
uint16_t identify_start(struct ctrl *ctrl, struct command *cmd);
void identify_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *page);
uint16_t log_start(struct ctrl *ctrl, struct command *cmd);
void log_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *bytes);

/* nvm.c */
uint16_t nvm_execute(struct ctrl *ctrl, struct command *cmd);
bool nvm_flush_takes_all(const struct ctrl *ctrl); /* NSID FFFFFFFFh */
void nvm_write_data_arrived(struct ctrl *ctrl, struct command *cmd);
void nvm_start_media_flush(struct ctrl *ctrl, struct command *cmd); /* completes the command */
void nvm_media_next(struct ctrl *ctrl, struct command *cmd);

/* pointers.c */
void pointers_start(struct ctrl *ctrl, struct command *cmd);
uint32_t pointers_segments(struct ctrl *ctrl, const struct command *cmd);
void pointers_read_queue_pages(struct ctrl *ctrl, struct command *cmd);

/* transfer.c */
int transfer_dma_read(struct ctrl *ctrl, uint64_t bus, void *to, uint32_t bytes, uint64_t name);
int transfer_dma_write(struct ctrl *ctrl, uint64_t bus, const void *from, uint32_t bytes,
                       uint64_t name);
void transfer_in_start(struct ctrl *ctrl, struct command *cmd);
void transfer_out_start(struct ctrl *ctrl, struct command *cmd);
uint16_t transfer_out_move(struct ctrl *ctrl, struct command *cmd);

/* complete.c */
void complete_command(struct ctrl *ctrl, struct command *cmd, uint16_t status);
/* The data of a command was given to the link at given_ps and is in host memory at arrived_ps. */
void complete_after_data(struct ctrl *ctrl, struct command *cmd, uint64_t given_ps,
                         uint64_t arrived_ps);
void complete_waiting(struct ctrl *ctrl, struct cq *cq); /* the CQ has room again */

/* interrupt.c */
void interrupt_init(struct ctrl *ctrl);
void interrupt_reset(struct ctrl *ctrl);
void interrupt_cqe(struct ctrl *ctrl, struct cq *cq, bool was_empty);
void interrupt_consumed(struct ctrl *ctrl, struct cq *cq); /* all entries are */
void interrupt_update_pin(struct ctrl *ctrl);
void interrupt_vector_due(void *ctx, unsigned vector); /* unmasked with its message pending */

#endif

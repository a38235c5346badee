/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A command in the controller, and the pool of them. Events name a command by its index and
 * generation. Dropping one, at a reset or an Abort, means advancing its generation: whatever was on
 * its way for it no longer finds it.
 */
#ifndef NVME_COMMAND_H
#define NVME_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "nvme/transfer.h"

#define NO_COMMAND UINT32_MAX

/* Not a status: the command goes on and will be finished later. */
#define COMMAND_GOES_ON 0xffffu

enum command_kind {
    COMMAND_PLAIN, /* no data */
    COMMAND_READ,  /* store to host */
    COMMAND_WRITE, /* host to store */
    COMMAND_ZERO,  /* write zeroes */
    COMMAND_FLUSH,
    COMMAND_COMPARE,       /* host to store, to be compared */
    COMMAND_VERIFY,        /* read without data */
    COMMAND_UNCORRECTABLE, /* write uncorrectable */
    COMMAND_RANGES,        /* dataset management: ranges from the host */
    COMMAND_ADMIN_IN,      /* controller's own data to host; made when it is sent */
    COMMAND_ADMIN_OUT,     /* host's data to the controller itself */
    COMMAND_QUEUE_PAGES    /* Create Queue with PC = 0: the PRP list of the queue's pages is read */
};

/* Whose credit a command holds; it is given back when the command ends or is held. */
enum command_credit { CREDIT_NONE, CREDIT_IO, CREDIT_ADMIN };

#define MEDIA_STEPS_MAX 2u

/* partner of a command that is not fused; of one that waits for its second half */
#define NOT_FUSED   NO_COMMAND
#define FUSED_ALONE (NO_COMMAND - 1u)

struct ctrl;
struct fault_rule;
struct namespace;

struct block_range {
    uint64_t first, count;
};

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
    bool cid_conflict; /* valid while its queue has `cids` */
    bool phase;
    bool fused_ready; /* its data has arrived, the other half's has not */
    uint16_t cq_slot;
    uint32_t partner; /* other half of a fused operation: index, NOT_FUSED or FUSED_ALONE */
    uint32_t dw0;
    uint32_t nsid;
    uint32_t cdw[6]; /* 10..15 */
    uint64_t prp1, prp2;
    /* what an I/O command works on; the namespace stays while commands use it */
    struct namespace *ns;
    uint64_t slba;
    uint32_t blocks;           /* 1-based */
    uint32_t bytes;            /* of data */
    struct data_segments data; /* where the data lies, once the pointers are known */
    struct list_walk list;     /* until then */
    struct fault_rule *fault;  /* injected on this command; NULL */
    /* media */
    uint8_t steps[MEDIA_STEPS_MAX]; /* enum media_op */
    uint8_t step, step_count;
    /* ranges of Dataset Management; kept for the next use of this slot */
    struct block_range *ranges;
    uint32_t range_count, range_at;
    uint32_t on_way; /* parts of its data or list, at link.detail = tlp */
    /* times for the records, ps; until a write's data has arrived, complete_ps is when its DMA
     * engine has done with it */
    uint64_t rung_ps, fetch_ps, media_call_ps, media_start_ps, transfer_ps, complete_ps, ready_ps,
        cqe_ps;
};

struct command_pool {
    struct command *commands;
    uint32_t count, free_first;
    int32_t io_credits, admin_credits; /* below 0 while what was held ends (async.c, fused.c) */
    int32_t io_credits_max;            /* all there: no I/O command is being worked on */
    uint64_t decode_free_ps;           /* the decoder works on one at a time */
    uint32_t aborts_running;
    uint32_t fused_alone; /* commands that wait for their second half */
};

static inline uint64_t command_arg(const struct command *cmd)
{
    return (uint64_t)cmd->generation << 32 | cmd->index;
}
static inline void command_add_step(struct command *cmd, uint8_t op) /* enum media_op */
{
    cmd->steps[cmd->step_count++] = op;
}
static inline uint64_t command_name(const struct command *cmd)
{
    return (uint64_t)cmd->sqid << 16 | cmd->cid;
}

/* Does its data go from controller to host? */
static inline bool command_data_to_host(const struct command *cmd)
{
    return cmd->kind == COMMAND_READ || cmd->kind == COMMAND_ADMIN_IN;
}

void commands_init(struct ctrl *ctrl);
void commands_free(struct ctrl *ctrl);
void commands_drop_all(struct ctrl *ctrl);
struct command *command_take(struct ctrl *ctrl, enum command_credit credit);
/* What has given its credit back works again; that may be one too many for now. */
void command_take_credit(struct ctrl *ctrl, struct command *cmd, enum command_credit credit);
void command_return_credit(struct ctrl *ctrl, struct command *cmd);
void command_release(struct ctrl *ctrl, struct command *cmd);
struct command *command_find(struct ctrl *ctrl, uint64_t arg); /* NULL: dropped meanwhile */
void command_detach(struct command *cmd); /* events on their way will not find it any more */
void command_arrived(struct ctrl *ctrl, struct command *cmd, const uint8_t *sqe);
/* Checks of the flags, then execution. */
void command_begin(struct ctrl *ctrl, struct command *cmd);
/* A status or COMMAND_GOES_ON. */
uint16_t command_execute(struct ctrl *ctrl, struct command *cmd);
void command_data_ready(struct ctrl *ctrl, struct command *cmd); /* pointers are known */

/* complete.c */
void complete_command(struct ctrl *ctrl, struct command *cmd, uint16_t status);
/* Whatever it waits for, it ends with this status; a read whose data and completion are on their
 * way already delivers the status instead. Not for a command whose end is decided (kind). */
void command_end_early(struct ctrl *ctrl, struct command *cmd, uint16_t status);
/* The data of a command was given to the link at given_ps and is in host memory at arrived_ps. */
void complete_after_data(struct ctrl *ctrl, struct command *cmd, uint64_t given_ps,
                         uint64_t arrived_ps);
/* Event: data and entry have arrived. arg: command_arg(). */
void complete_visible(void *ctx, uint64_t arg);
/* Build the entry and post it; once more after it has been posted, too (fault.c). */
void complete_again(struct ctrl *ctrl, struct command *cmd);
/* Nothing more comes of it: whoever waits for that is told, and its slot is free. */
void command_over(struct ctrl *ctrl, struct command *cmd);

#endif

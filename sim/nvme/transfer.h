/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data pointers and data: where in memory the data of a command lies, and moving it. Both kinds of
 * pointers, PRPs and SGLs, end up as the same list of segments with the command; lists in memory
 * are read by lists.c for both.
 */
#ifndef NVME_TRANSFER_H
#define NVME_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "pcie/port.h"

struct ctrl;
struct command;

/* The address of a segment that is thrown away (bit bucket, 4.4). Nothing of the host lies there:
 * data blocks that would reach the last byte of the address space are refused. */
#define SEGMENT_DISCARDED UINT64_MAX

/* Lines of a list that a command has read; only for itself, so what the host writes for its next
 * command is seen. */
struct list_cache {
    uint32_t used, next;
    uint64_t *lines; /* their addresses */
    uint8_t *bytes;
};

/* How far the pointers of a command are known. */
struct list_walk {
    uint64_t at;          /* next byte of the list: bus address */
    uint32_t left;        /* bytes from there to the end of the list page or SGL segment */
    uint32_t asked;       /* of these, on their way */
    uint32_t entries;     /* PRP: data entries still to come */
    uint32_t data_left;   /* bytes of data without a place yet */
    uint32_t descriptors; /* SGL: announced by the lengths of segments so far */
    uint64_t half; /* SGL: first qword of a descriptor whose second comes with the next read */
    bool has_half, last_segment;
    struct list_cache cache;
};

/* Where the data lies. One or two segments need no memory of their own. */
#define SEGMENTS_INLINE 2u
struct data_segments {
    struct pcie_segment *list;
    uint32_t count, capacity;
    bool apart; /* each is a transfer over the link by itself */
    bool mixed; /* not all of them are host memory: bit buckets, the CMB */
    struct pcie_segment few[SEGMENTS_INLINE];
};

/* A DMA engine is a time line: it is set up for one transfer at a time. */
struct dma_engine {
    uint64_t free_ps;
    uint64_t *ends_ps; /* ring: when its last ctrl.dma_outstanding transfers end; or NULL */
    uint32_t next;
};

/* Scratch grows to the largest transfer seen. */
struct transfer {
    uint64_t max_bytes; /* MDTS; 0: no limit */
    struct dma_engine *engines;
    bool
        one_engine; /* neither limited in rate nor in transfers on their way, and not ctrl->paced */
    bool paced;     /* ctrl->paced, and no engine waits for the end of a transfer */
    uint8_t *bytes;
    uint32_t bytes_capacity;
    uint64_t *tags;
    uint32_t tags_capacity;
    uint8_t *list;
    uint32_t list_capacity;
};

/* pointers.c: finds the data of cmd (cmd->bytes > 0); goes on in command_data_ready(), or completes
 * the command with an error. */
void pointers_start(struct ctrl *ctrl, struct command *cmd);
/* The pages of a queue that is not contiguous: `pages` segments, from the list at PRP1. */
void pointers_read_queue_pages(struct ctrl *ctrl, struct command *cmd, uint32_t pages);
void pointers_list_arrived(struct ctrl *ctrl, struct command *cmd);
void pointers_known(struct ctrl *ctrl, struct command *cmd); /* all segments are there */
void pointers_init(struct command *cmd);
void pointers_free(struct command *cmd);
void pointers_add(struct command *cmd, uint64_t bus, uint32_t bytes);

/* sgl.c */
/* PSDT is not 00b (4.2): admin commands over PCI Express use PRPs; I/O commands SGLs as well, if
 * Identify says so. */
bool sgl_is_allowed(const struct ctrl *ctrl, const struct command *cmd);
uint32_t sgl_support(const struct ctrl *ctrl); /* SGLS of Identify Controller */
void sgl_start(struct ctrl *ctrl, struct command *cmd);
void sgl_list_arrived(struct ctrl *ctrl, struct command *cmd);

/* lists.c. lists_open: list.at is set, nothing of it is held. lists_request: list.at and list.left
 * are; pointers_list_arrived() or sgl_list_arrived() follows when list.asked bytes are there.
 * lists_take: these, valid until the next call of anything here; NULL if they cannot be read. */
void lists_open(struct ctrl *ctrl, struct command *cmd);
void lists_request(struct ctrl *ctrl, struct command *cmd);
const uint8_t *lists_take(struct ctrl *ctrl, struct command *cmd);
void lists_free(struct command *cmd);

/* engines.c. dma_first: the engine that can begin first; free_ps says when. dma_end: a transfer was
 * given to the link at given_ps, which is done with it at arrived_ps; when the engine is, too. */
void dma_init(struct ctrl *ctrl);
void dma_free(struct ctrl *ctrl);
void dma_reset(struct ctrl *ctrl);
struct dma_engine *dma_first(struct ctrl *ctrl);
uint64_t dma_end(struct ctrl *ctrl, struct dma_engine *engine, uint64_t given_ps,
                 uint64_t arrived_ps, uint32_t bytes);

/* transfer.c. The DMA calls return PCIE_OK or a pcie_error; name: command_name(), for records. */
int transfer_dma_read(struct ctrl *ctrl, uint64_t bus, void *to, uint32_t bytes, uint64_t name);
int transfer_dma_write(struct ctrl *ctrl, uint64_t bus, const void *from, uint32_t bytes,
                       uint64_t name);
/* The host's data, when it has arrived: as tags if both sides can have it so, else as bytes (the
 * other pointer is NULL). Valid until the next of these calls. A status. */
struct transfer_data {
    const uint64_t *tags;
    const uint8_t *bytes;
};
uint16_t transfer_in_take(struct ctrl *ctrl, const struct command *cmd, struct transfer_data *data);
/* From here on: nvm_data_arrived() or admin_data_arrived(). */
void transfer_in_start(struct ctrl *ctrl, struct command *cmd);
void transfer_data_arrived(void *ctx, uint64_t arg); /* event; arg: command_arg() */
void transfer_out_start(struct ctrl *ctrl, struct command *cmd);
uint16_t transfer_out_move(struct ctrl *ctrl, struct command *cmd);
void transfer_free(struct ctrl *ctrl);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data pointers and data: where in host memory the data of a command lies, and moving it.
 */
#ifndef NVME_TRANSFER_H
#define NVME_TRANSFER_H

#include <stdint.h>

#include "pcie/port.h"

struct ctrl;
struct command;

/* Scratch grows to the largest transfer seen. */
struct transfer {
    uint64_t max_bytes;   /* MDTS; 0: no limit */
    uint64_t dma_free_ps; /* the DMA unit is set up for one transfer at a time */
    uint8_t *bytes;
    uint32_t bytes_capacity;
    uint64_t *tags;
    uint32_t tags_capacity;
    struct pcie_segment *segments;
    uint32_t segments_capacity;
};

/* pointers.c */
void pointers_start(struct ctrl *ctrl, struct command *cmd);
uint32_t pointers_segments(struct ctrl *ctrl, const struct command *cmd);
void pointers_read_queue_pages(struct ctrl *ctrl, struct command *cmd);

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
void transfer_out_start(struct ctrl *ctrl, struct command *cmd);
uint16_t transfer_out_move(struct ctrl *ctrl, struct command *cmd);
void transfer_free(struct ctrl *ctrl);

#endif

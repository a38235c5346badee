/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The controller memory buffer: memory of the controller that the host reaches through BAR0, and in
 * which it may place queues, lists and data (NVMe 1.4 section 4.7).
 */
#ifndef NVME_CMB_H
#define NVME_CMB_H

#include <stdbool.h>
#include <stdint.h>

struct ctrl;
struct command;
struct ring;

struct cmb {
    uint8_t *bytes; /* NULL: there is none */
    uint64_t size;
    uint64_t offset; /* in BAR0 */
    /* Addresses of the host's that mean the buffer: [bus, bus + window). window = 0: none. */
    uint64_t bus, window;
    uint64_t memory_space; /* CMBMSC */
    uint32_t status;       /* CMBSTS */
};

void cmb_init(struct ctrl *ctrl);
void cmb_free(struct ctrl *ctrl);
/* BARs, memory space or CMBMSC have changed. */
void cmb_update(struct ctrl *ctrl);
/* CMBMSC is zero; cmb_update() is still to come. */
void cmb_forget(struct ctrl *ctrl);
void cmb_lose(struct ctrl *ctrl); /* without power nothing is left in the buffer */

uint32_t cmb_register_read(const struct ctrl *ctrl, uint64_t offset); /* a dword */
void cmb_register_write(struct ctrl *ctrl, uint64_t offset, uint32_t value);
/* The host's accesses; offset in the buffer, size 1, 2, 4 or 8. */
uint64_t cmb_bar_read(struct ctrl *ctrl, uint64_t offset, unsigned size);
void cmb_bar_write(struct ctrl *ctrl, uint64_t offset, unsigned size, uint64_t value);

/* The controller's accesses, where cmb_holds() the first byte. PCIE_OK, or PCIE_E_ABORT when they
 * run out of the buffer. */
int cmb_read(struct ctrl *ctrl, uint64_t bus, void *to, uint32_t bytes);
int cmb_write(struct ctrl *ctrl, uint64_t bus, const void *from, uint32_t bytes);

/* STATUS_SUCCESS, or Invalid Use of Controller Memory Buffer: a use that CMBSZ does not list, a
 * queue that is only partly inside. use: CMBSZ_*. */
uint16_t cmb_check_queue(const struct ctrl *ctrl, uint64_t bus, uint64_t bytes, uint32_t use);
uint16_t cmb_check(const struct ctrl *ctrl, uint64_t bus, uint64_t bytes, uint32_t use);
/* A queue's memory is where it will be: sets ring->local and at_once. */
void ring_placed(const struct ctrl *ctrl, struct ring *ring);
bool cmb_takes_admin_queues(const struct ctrl *ctrl); /* as AQA, ASQ and ACQ say */
uint16_t cmb_check_data(const struct ctrl *ctrl, struct command *cmd);

#endif

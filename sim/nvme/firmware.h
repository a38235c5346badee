/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Firmware slots, download and activation.
 */
#ifndef NVME_FIRMWARE_H
#define NVME_FIRMWARE_H

#include <stdbool.h>
#include <stdint.h>

struct ctrl;
struct command;

#define FIRMWARE_SLOTS_MAX      7u
#define FIRMWARE_REVISION_BYTES 8u
#define FIRMWARE_PAGE_BYTES     512u

/* An image, as this controller takes it, is little endian: this header and then anything.
 *   0  8 bytes  "DOORBELL"
 *   8  8 bytes  revision, printable ASCII, padded with spaces
 *   16 4 bytes  length of the whole image, a multiple of 4, header included
 *   20 4 bytes  number that makes the sum of all its dwords 0
 *   24 1 byte   what activation needs: enum firmware_needs
 *   25 7 bytes  zero */
#define FIRMWARE_HEADER_BYTES 32u
#define FIRMWARE_BYTES_MAX    (UINT32_C(256) << 10)
enum firmware_needs {
    FIRMWARE_NEEDS_NOTHING, /* can be activated at once, or by any reset */
    FIRMWARE_NEEDS_CONTROLLER_RESET,
    FIRMWARE_NEEDS_CONVENTIONAL_RESET,
    FIRMWARE_NEEDS_SUBSYSTEM_RESET,
    FIRMWARE_NEEDS
};

/* Resets, each of which is also all of those before it (7.3). */
enum firmware_reset { RESET_CONTROLLER = 1, RESET_CONVENTIONAL, RESET_SUBSYSTEM };

struct firmware_slot {
    char revision[FIRMWARE_REVISION_BYTES]; /* [0] = 0: empty */
    uint8_t needs;
};

struct firmware {
    struct firmware_slot slots[FIRMWARE_SLOTS_MAX]; /* slot 1 is [0] */
    uint8_t active, next;                           /* slot numbers; next 0: none is pending */
    char running[FIRMWARE_REVISION_BYTES];          /* its slot may hold another one by now */
    uint64_t activation; /* Firmware Commit that waits for it: command_arg() or NO_ACTIVATION */
    uint8_t *image;      /* what was downloaded; NULL: nothing yet */
    uint64_t *present;   /* bit per dword of it */
    uint32_t image_end;
};

void firmware_init(struct ctrl *ctrl);
void firmware_free(struct ctrl *ctrl);
bool firmware_is_updatable(const struct ctrl *ctrl); /* OACS bit 2 */
uint8_t firmware_frmw_bits(const struct ctrl *ctrl); /* FRMW (5.15.2.2) */
uint8_t firmware_fwug(const struct ctrl *ctrl);
uint16_t firmware_mtfa(const struct ctrl *ctrl);
const char *firmware_revision(const struct ctrl *ctrl); /* 8 bytes, not terminated */
uint16_t firmware_download(struct ctrl *ctrl, struct command *cmd);
uint16_t firmware_take(struct ctrl *ctrl, struct command *cmd, const uint8_t *bytes);
uint16_t firmware_commit(struct ctrl *ctrl, struct command *cmd);
/* A reset of this kind: what was not committed is lost, and a pending image may become active. */
void firmware_reset(struct ctrl *ctrl, enum firmware_reset kind);
void firmware_fill(const struct ctrl *ctrl, uint8_t *page); /* log page 03h, zeroed */

#endif

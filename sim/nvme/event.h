/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asynchronous events and the Error Information log.
 */
#ifndef NVME_EVENT_H
#define NVME_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "nvme/wire.h"
#include "nvme/wire_admin.h"

struct ctrl;
struct command;

/* async.c */
#define ASYNC_HELD_MAX    16u
#define EVENT_INFORMATION 8u /* values of Asynchronous Event Information that are used, 0..7 */

struct async {
    uint32_t held[ASYNC_HELD_MAX]; /* command indices, oldest first */
    uint32_t held_count;
    uint8_t waiting[EVENT_TYPES];                /* bit per information: not asked for yet */
    uint8_t log[EVENT_TYPES][EVENT_INFORMATION]; /* page that clears it */
    uint8_t masked_log[EVENT_TYPES];             /* of the event reported; 0: not masked */
};

uint16_t async_request(struct ctrl *ctrl, struct command *cmd);
bool async_abort(struct ctrl *ctrl, uint16_t cid); /* a held request */
/* An error event, and its entry in the log. qid: the queue that it is about. */
void async_error(struct ctrl *ctrl, enum wire_event_error error, uint16_t qid);
/* Critical warnings that have just come up (WARNING_* bits); those not enabled are dropped. */
void async_smart(struct ctrl *ctrl, uint8_t warnings);
/* A notice, if it is enabled; log: the page that has the particulars and clears it. */
void async_notice(struct ctrl *ctrl, enum wire_event_notice notice, uint8_t log);
/* Get Log Page without Retain has read this page. */
void async_log_read(struct ctrl *ctrl, uint8_t log);
void async_reset(struct ctrl *ctrl);
/* OAES (5.15.2.2), also the notices that feature 0Bh takes. */
uint32_t async_oaes_bits(const struct ctrl *ctrl);

/* errorlog.c */
#define ERROR_LOG_ENTRIES 16u
#define ERROR_ENTRY_BYTES 64u
#define ERROR_NO_COMMAND  0xffffu /* CID and parameter error location */

struct error_entry {
    uint64_t count; /* since manufacture: the first error is 1 */
    uint64_t lba;
    uint32_t nsid;
    uint16_t sqid, cid;
    uint16_t status;   /* as in the completion, with DNR and M */
    uint16_t location; /* byte of the entry and bit << 8, or ERROR_NO_COMMAND */
};

struct error_log {
    struct error_entry entries[ERROR_LOG_ENTRIES]; /* a ring; the newest is count - 1 */
    uint64_t count;
};

/* A command ends with this status, DNR included. Returns the status to report: with M if the log
 * has an entry for it. */
uint16_t errorlog_command(struct ctrl *ctrl, const struct command *cmd, uint16_t status);
/* Something that is no command's fault alone. */
void errorlog_event(struct ctrl *ctrl, uint16_t qid, uint16_t status);
void errorlog_fill(const struct ctrl *ctrl, uint8_t *page);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The life of the controller: enable, ready, resets, fatal status, shutdown.
 */
#ifndef NVME_LIFE_H
#define NVME_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

struct ctrl;

enum life_state { LIFE_OFF, LIFE_ENABLING, LIFE_READY, LIFE_RESETTING };

struct life {
    enum life_state state;
    engine_handle timer, shutdown_timer;
    bool admin_only;     /* CC.CSS = 111b */
    bool shutdown_waits; /* its flush comes when no I/O command works any more */
};

/* life.c */
void ctrl_write_cc(struct ctrl *ctrl, uint32_t value);
void ctrl_subsystem_reset(struct ctrl *ctrl);
void ctrl_function_reset(struct ctrl *ctrl);
/* Device Control was written or reset: the link keeps to its payload, read request and tags (PCI
 * Express Base 3.1, 7.8.4). */
void ctrl_set_link_sizes(struct ctrl *ctrl);
void ctrl_fatal(struct ctrl *ctrl); /* CSTS.CFS: queue memory cannot be reached, or CC is illegal */
/* Commands are taken and completed: ready, not fatal, not shut down. */
bool ctrl_is_running(const struct ctrl *ctrl);
void ctrl_record_csts(struct ctrl *ctrl);
/* Clears and sets bits of CSTS. */
void life_set_csts(struct ctrl *ctrl, uint32_t clear, uint32_t set);
/* Everything in flight is dropped; nothing of it will complete or interrupt. */
void life_drop_work(struct ctrl *ctrl);
void life_cancel_timers(struct ctrl *ctrl);

/* shutdown.c; shn: CC.SHN */
bool shutdown_is_asked(uint32_t shn);
void shutdown_begin(struct ctrl *ctrl, uint32_t shn);
/* A command of an awaited queue has ended or stalls: a shutdown may go on. */
void shutdown_progress(struct ctrl *ctrl);

#endif

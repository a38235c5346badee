/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The controller's state, and what its files ask of each other. Nothing here is for other rooms;
 * the public face is controller.h. How one command travels:
 *
 *   registers.c  doorbell arrives            -> queues.c   tail moves, doorbell latency runs
 *   fetch.c      DMA of entries (arbitration.c) -> command.c  decoded one at a time
 *   admin.c / nvm.c  checked and started     -> pointers.c, sgl.c  walked; lists.c  lists read
 *   transfer.c   data from the host (write)  -> steps.c    media
 *   transfer.c   data to the host (read)     -> complete.c completion built, room in the CQ, CQE
 *   interrupt.c  message or pin
 *   paced.c      data and CQE where transfers on the link take turns (link.detail = tlp)
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
#include "nvme/admin_commands.h"
#include "nvme/capabilities.h"
#include "nvme/cmb.h"
#include "nvme/command.h"
#include "nvme/controller.h"
#include "nvme/event.h"
#include "nvme/fault.h"
#include "nvme/features.h"
#include "nvme/firmware.h"
#include "nvme/health.h"
#include "nvme/identify.h"
#include "nvme/interrupt.h"
#include "nvme/life.h"
#include "nvme/log.h"
#include "nvme/namespace.h"
#include "nvme/nvm.h"
#include "nvme/opcode.h"
#include "nvme/paced.h"
#include "nvme/queue.h"
#include "nvme/selftest.h"
#include "nvme/shadow.h"
#include "nvme/transfer.h"
#include "nvme/wire.h"
#include "nvme/wire_admin.h"
#include "nvme/wire_namespace.h"
#include "pcie/configspace.h"
#include "pcie/msi.h"
#include "pcie/msix.h"
#include "pcie/record.h"

/* Choices of the enumerations in ctrl.def, in their order. */
enum { VERSION_1_3, VERSION_1_4 };
enum { CSS_CHOICE_NVM, CSS_CHOICE_NVM_AND_ADMIN_ONLY };
enum { AMS_CHOICE_ROUND_ROBIN, AMS_CHOICE_WEIGHTED };
enum { DELETE_CHOICE_DRAIN, DELETE_CHOICE_ABORT };
enum { BLOCK_CHOICE_512, BLOCK_CHOICE_4096 };
enum { FORMAT_SCOPE_NAMESPACE, FORMAT_SCOPE_SUBSYSTEM };

/* Registers of section 3.1 that hold something. */
struct registers {
    uint64_t cap;
    uint32_t vs, intms, cc, csts, aqa;
    uint64_t asq, acq;
};

/* Where things lie in BAR0. */
struct bar_layout {
    uint64_t msix_table_at, msix_pending_at, doorbells_end;
    uint64_t registers_end; /* the CMB begins here, if there is one */
    uint64_t bytes;
};

struct ctrl {
    struct engine *engine;
    struct stream *stream;
    struct pcie_port *port;
    struct media *media;
    struct ctrl_params params;
    unsigned index;
    struct clock_domain clock;
    uint32_t epoch; /* counts resets; part of events that belong to no command */
    bool paced;     /* transfers on the link take turns: when they end is known when they do */

    struct configspace config;
    struct msi msi;
    struct msix msix;
    struct bar_layout bar;
    struct registers regs;
    struct life life;
    uint8_t page_log2; /* of CC.MPS */
    uint64_t page_mask;

    struct namespaces namespaces;
    struct queues queues;
    struct fetcher fetch;
    struct shadow shadow;
    struct command_pool pool;
    struct transfer transfer;
    struct cmb cmb;
    uint64_t completion_free_ps; /* the completion unit builds one entry at a time */
    struct interrupts interrupts;
    struct opcodes opcodes;
    struct features features;
    struct async async;
    struct error_log error_log;
    struct faults faults;
    struct health health;
    struct firmware firmware;
    struct selftest selftest;

    struct ctrl_stats stats;
};

static inline uint64_t later(uint64_t a_ps, uint64_t b_ps)
{
    return a_ps > b_ps ? a_ps : b_ps;
}

/* Does the host's address mean the controller memory buffer? The only place that tells. */
static inline bool cmb_holds(const struct ctrl *ctrl, uint64_t bus)
{
    return __builtin_expect(bus - ctrl->cmb.bus < ctrl->cmb.window, 0);
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

/* NULL: not an active namespace of this controller, or one that is being formatted;
 * namespace_missing() says which. */
static inline struct namespace *namespace_find(const struct ctrl *ctrl, uint32_t nsid)
{
    if (nsid - 1 >= ctrl->namespaces.count || !ctrl->namespaces.items[nsid - 1].usable)
        return NULL;
    return &ctrl->namespaces.items[nsid - 1];
}

static inline void record_stage(struct ctrl *ctrl, const struct command *cmd,
                                enum record_stage stage, uint64_t time_ps)
{
    RECORD_EMIT(ctrl->stream, time_ps, ctrl->index, RECORD_STAGE, stage, command_name(cmd), 0, 0);
}

/* params.c */
void ctrl_derive(struct ctrl *ctrl);

/* controller.c */
void *ctrl_allocate(size_t count, size_t bytes); /* zeroed; exits with a message if out of memory */
void *ctrl_grow(void *memory, size_t count, size_t bytes);

/* registers.c */
extern const struct pcie_device_ops ctrl_device_ops;

#endif

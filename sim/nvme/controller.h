/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The NVMe controller model: one PCI function behind a port (pcie/port.h). It knows nothing of
 * which host or driver is above it. It runs on the engine that it is given; several can share one.
 */
#ifndef NVME_CONTROLLER_H
#define NVME_CONTROLLER_H

#include "config/param.h"
#include "engine/engine.h"
#include "media/media.h"
#include "pcie/port.h"

#define PARAM_AS_STRUCT
#include "config/param_begin.h"
struct ctrl_params {
#include "nvme/ctrl.def"
};
#include "config/param_end.h"

extern const struct param_row ctrl_rows[];
extern const size_t ctrl_row_count;

struct ctrl;

/* Bytes of the medium that all namespaces share: ctrl.capacity, or what they need. */
uint64_t ctrl_params_capacity(const struct ctrl_params *params);

/* Checks what single limits cannot say (combinations). NULL if good, else one sentence naming the
 * keys and what is allowed. */
const char *ctrl_params_check(const struct ctrl_params *params);
/* The same for the medium behind it; after ctrl_params_check(). */
const char *ctrl_media_params_check(const struct ctrl_params *params,
                                    const struct media_params *media);

/* Attaches itself to the port as its device. index: the `source` of its records. The engine, port
 * and media must outlive it; once it is destroyed its engine must not be run any further, since
 * events that name it may be left. Powers up as after a PCI reset: CC.EN = 0, memory space and bus
 * master off. */
struct ctrl *ctrl_create(struct engine *engine, struct pcie_port *port, struct media *media,
                         const struct ctrl_params *params, unsigned index);
void ctrl_destroy(struct ctrl *ctrl);
/* Conventional reset (PCI Express Base 3.1, 6.6.1; NVMe 1.4, 7.3.2): as after power-on, but the
 * contents of the namespace stay. Not from inside a call that the controller makes to its port. */
void ctrl_conventional_reset(struct ctrl *ctrl);

/* What an active namespace holds, for filling a drive outside simulated time and for looking: the
 * contents of the medium, and where in them, in units of media/store.h, the namespace begins. NULL
 * if there is no such namespace. */
struct store;
struct store *ctrl_contents(struct ctrl *ctrl, uint32_t nsid, uint64_t *first_unit);

/* Power goes away and comes back: everything that an NVM subsystem reset does, without CSTS.NSSRO.
 * Counts as unsafe if the controller was in use and no shutdown had completed. What becomes of
 * written data that was not flushed is the medium's business. */
void ctrl_power_cycle(struct ctrl *ctrl);

/* How the drive is, as its SMART log reports it. Takes effect at once; a critical warning that
 * comes up raises its asynchronous event. Starts at ctrl.temperature, 100, 0 and no fault. */
struct ctrl_health {
    uint16_t temperature;  /* composite, kelvins */
    uint8_t spare_percent; /* spare capacity left, 0 to 100 */
    uint8_t used_percent;  /* endurance used, 0 to 255 */
    bool unreliable, read_only, backup_failed;
};
void ctrl_set_health(struct ctrl *ctrl, const struct ctrl_health *health);

struct ctrl_stats {
    uint64_t sq_doorbells, cq_doorbells; /* writes that arrived, by kind */
    uint64_t same_value_doorbells;       /* of these, wrote the value already there */
    uint64_t register_writes;            /* all others */
    uint64_t register_reads;
    uint64_t unmask_writes, mask_writes; /* INTMC, INTMS; part of register_writes */
    uint64_t commands, admin_commands;   /* fetched: I/O commands, admin commands */
    uint64_t reads, writes, flushes, write_zeroes;
    uint64_t compares, verifies, deallocates, write_uncorrectables;
    uint64_t media_errors; /* reads of blocks that cannot be read */
    uint64_t bytes_read, bytes_written;
    uint64_t bytes_compared, bytes_verified;
    uint64_t fetch_bursts;              /* DMA reads of SQEs */
    uint64_t shadow_reads;              /* DMA reads of shadow doorbells */
    uint64_t eventidx_writes;           /* DMA writes of EventIdx entries */
    uint64_t prp_lists, prp_list_pages; /* commands with a list; list pages read */
    uint64_t sgl_lists;                 /* commands with SGL segments in memory */
    uint64_t list_reads;                /* DMA reads of either */
    uint64_t cmb_reads, cmb_writes;     /* the host's accesses to the controller memory buffer */
    uint64_t completions;               /* CQEs written */
    uint64_t errors;                    /* CQEs with a status other than success */
    uint64_t interrupts;                /* messages sent or pin raised */
    uint64_t dma_errors;                /* accesses that the host refused */
    uint64_t cq_full_stalls;            /* completions that had to wait for room */
    uint64_t cq_full_ps;                /* time they waited */
    uint64_t faults;                    /* injected (fault.h) */
};
void ctrl_get_stats(const struct ctrl *ctrl, struct ctrl_stats *stats);

#endif

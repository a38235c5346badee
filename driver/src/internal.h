/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of driver/src know of each other: the functions that they share, by the file that
 * has them, and with them the core's state (state.h) and its parts (parts.h). Included by all of
 * them and by nobody else.
 */
#ifndef NVME_SRC_INTERNAL_H
#define NVME_SRC_INTERNAL_H

#include <nvme/bytes.h>
#include <nvme/nvme.h>
#include <nvme/spec.h>
#include <nvme/trace.h>

#include "byteorder.h"
#include "compiler.h"
#include "libc.h"
#include "slot.h"
#include "state.h"

/* ---- small helpers ---- */

static inline bool nvme_coherent(const struct nvme *nvme)
{
    return (nvme->platform->flags & NVME_PLATFORM_COHERENT) != 0;
}

/* ---- config.c ---- */
uint32_t nvme_segments_max(const struct nvme_config *config); /* scratch entries of a mapping */

/* ---- controller.c ---- */
void nvme_enter(struct nvme *nvme, enum nvme_phase phase);
void nvme_end_everything(struct nvme *nvme, int error);

#if !defined(NVME_NO_RECOVERY)
/* ---- recover.c ---- */
bool nvme_recover(struct nvme *nvme, int error);           /* false: FAILED it is */
void nvme_recover_disabled(struct nvme *nvme);             /* RDY = 0 has been seen */
void nvme_recover_done(struct nvme *nvme);                 /* READY */
void nvme_recover_check_waiting(struct nvme_queue *queue); /* it opens */

/* ---- watch.c ---- */
void nvme_watch_start(struct nvme_queue *queue);
int nvme_watch(struct nvme *nvme);               /* NVME_OK, or why the controller has failed */
void nvme_watch_abort(struct nvme_queue *queue); /* send what is owed; under no lock */

/* ---- retry.c ---- */
bool nvme_retry(struct nvme_queue *queue, struct nvme_request *request);
void nvme_retry_due(struct nvme_queue *queue, uint64_t now_ns);
#endif

/* ---- bringup.c: one function per phase; each returns 1 when done, 0 to wait, or an nvme_error
 * ---- */
int nvme_admin_exchange(struct nvme *nvme, const struct nvme_command *command, uint64_t prp1);
int nvme_phase_identify(struct nvme *nvme);
int nvme_phase_active_list(struct nvme *nvme);
int nvme_phase_namespace(struct nvme *nvme);
int nvme_phase_queue_count(struct nvme *nvme);
int nvme_phase_create_cq(struct nvme *nvme);
int nvme_phase_create_sq(struct nvme *nvme);
int nvme_phase_delete_sq(struct nvme *nvme);
int nvme_phase_delete_cq(struct nvme *nvme);

/* ---- identify.c ---- */
int nvme_identify_controller(struct nvme *nvme, const uint8_t *id);
bool nvme_identify_namespace(struct nvme *nvme, struct nvme_ns *ns, uint32_t nsid,
                             const uint8_t *id);

#if !defined(NVME_NO_FEATURES)
/* ---- features.c ---- */
int nvme_phase_features(struct nvme *nvme);
int nvme_phase_take_back(struct nvme *nvme);
void nvme_host_memory_identify(struct nvme *nvme, const uint8_t *id); /* what it wants */
void nvme_host_memory_drop(struct nvme *nvme);
#endif

/* ---- registers.c ---- */
uint64_t nvme_read64(const struct nvme *nvme, uint32_t offset);
void nvme_write64(const struct nvme *nvme, uint32_t offset, uint64_t value);
int nvme_probe(struct nvme *nvme);
int nvme_enable(struct nvme *nvme);
uint64_t nvme_ready_timeout_ns(const struct nvme *nvme);
uint32_t nvme_read_csts(struct nvme *nvme);  /* notices a device that is gone */
bool nvme_weighted(const struct nvme *nvme); /* queues are served by priority class */
bool nvme_uses_masks(const struct nvme *nvme);

/* ---- memory.c ---- */
int nvme_dma_hold(struct nvme *nvme, struct nvme_dma *dma, size_t bytes, enum nvme_dma_use use);
void nvme_dma_drop(struct nvme *nvme, struct nvme_dma *dma);
void nvme_dma_sync(const struct nvme *nvme, const struct nvme_dma *dma, size_t bytes,
                   enum nvme_sync what);
void nvme_memory_ring(const struct nvme *nvme, struct nvme_ring *ring, const struct nvme_dma *dma,
                      uint16_t depth, uint16_t qid, bool is_cq);
int nvme_memory_admin(struct nvme *nvme);
int nvme_memory_queue(struct nvme *nvme, struct nvme_queue *queue);
void nvme_memory_release(struct nvme *nvme);

/* ---- admin.c ---- */
void nvme_admin_reset(struct nvme *nvme);
/* A command of the core's own: any opcode, while the admin queue lives (PHASE_IDENTIFY to
 * PHASE_DELETE_CQ, READY). request is the core's until it has ended. done may be NULL: then look at
 * error, which is NVME_ADMIN_PENDING until the end. Its data, if any, lies at prp1, in memory of
 * the core, at most to the end of that page; for more, set up a list. Deadlines count from the last
 * nvme_step(). NVME_OK, or NVME_E_BUSY: no slot, try at the next step. Under no lock. */
int nvme_admin_send_internal(struct nvme *nvme, struct nvme_admin_request *request, uint64_t prp1);
void nvme_admin_open(struct nvme *nvme, bool open);
unsigned nvme_admin_reap(struct nvme *nvme);
int nvme_admin_overdue(struct nvme *nvme);
void nvme_admin_abort(struct nvme *nvme);
void nvme_admin_put(struct nvme_admin *admin, struct nvme_admin_request *request, uint32_t index,
                    uint64_t prp1, uint64_t prp2);
void nvme_admin_ring(struct nvme *nvme, uint32_t first, uint32_t count);

#if !defined(NVME_NO_EVENTS)
/* ---- events.c ---- */
void nvme_event_take(struct nvme_admin *admin, uint32_t index, uint16_t status, uint32_t result);
void nvme_event_arm(struct nvme *nvme);
void nvme_event_look(struct nvme *nvme);
#endif

/* ---- cid.c ---- */
uint32_t nvme_slots_length(const struct nvme_config *config); /* of a queue's arrays */
void nvme_slots_init(struct nvme_queue *queue);
extern const struct nvme_slot_ops nvme_slots_lowest, nvme_slots_lifo;

/* ---- queue.c ---- */
void nvme_queue_lock(const struct nvme_queue *queue);
void nvme_queue_unlock(const struct nvme_queue *queue);
void nvme_admin_lock(const struct nvme *nvme); /* of queue 0 */
void nvme_admin_unlock(const struct nvme *nvme);
void nvme_queue_init(struct nvme *nvme, struct nvme_queue *queue, uint16_t qid);
void nvme_queue_start(struct nvme_queue *queue); /* memory held: rings as after creation */
void nvme_queue_open(struct nvme_queue *queue);
void nvme_queue_close(struct nvme_queue *queue, uint32_t gate); /* GATE_RECOVERING or 0 */
void nvme_queue_gate(struct nvme_queue *queue, uint32_t gate);  /* all GATE_* as they are now */
void nvme_queue_use_namespace(struct nvme_queue *queue, const struct nvme_ns *ns);
void nvme_queue_abort(struct nvme_queue *queue, int error); /* end every request */
void nvme_call_done(struct nvme_request *first); /* the list's done(), with no lock held */

/* ---- doorbell.c ---- */
void nvme_doorbell_bind(struct nvme_queue *queue);
void nvme_doorbell_start(struct nvme_queue *queue);
uint64_t nvme_doorbell_count(const struct nvme_queue *queue);
void nvme_queue_ring(struct nvme_queue *queue); /* under the lock, queue open */

#if !defined(NVME_NO_FEATURES)
/* ---- coalescing.c ---- */
bool nvme_coalescing_begin(struct nvme *nvme, struct nvme_command *command); /* false: no command */
void nvme_coalescing_look(struct nvme *nvme);
#endif

#if !defined(NVME_NO_SHADOW)
/* ---- shadow.c ---- */
int nvme_phase_shadow(struct nvme *nvme);
#endif

/* ---- prp.c, sgl.c ---- */

/* Where lists of PRPs or SGL descriptors go, and the data pointer that came of it. */
struct nvme_dptr {
    uint64_t *list; /* CPU address of contiguous list pages */
    uint64_t list_bus;
    uint32_t list_pages; /* room */
    uint32_t page_shift;
    uint64_t prp1, prp2; /* out, CPU order; or SGL1 */
    uint32_t entries;    /* out: data entries in the list; SGL: descriptors, those that lead on
                          * included. Without gaps */
    uint32_t used_pages; /* out: list pages filled with PRPs */
    uint32_t fits;       /* out of PRPs, also when refused: bytes of the first segments that go
                          * together */
};
/* NVME_OK, or NVME_E_INVAL: segments that cannot be PRP entries, or more than the list holds. */
int nvme_prps_build(struct nvme_dptr *prps, const struct nvme_segment *segments, unsigned count);
#if !defined(NVME_NO_SGL)
/* NVME_OK, or NVME_E_INVAL: nothing, more than the list holds, or one of mask's bits in an address
 * or a length. */
int nvme_sgl_build(struct nvme_dptr *sgl, const struct nvme_segment *segments, unsigned count,
                   uint32_t mask);
#endif

/* ---- data.c ---- */
/* `offset` bytes into a caller's buffer; NULL, where the buffer is registered, may have one too. */
static inline void *nvme_data_at(void *buffer, size_t offset)
{
    return (void *)((uintptr_t)buffer + offset);
}

bool nvme_data_bounces(const struct nvme_config *config, enum nvme_dir dir, uintptr_t address,
                       uint32_t bytes, uint32_t dword_mask);
/* PRPs of these segments, with a slot's own list pages. NVME_OK or NVME_E_INVAL. */
int nvme_data_describe(struct nvme_queue *queue, const struct nvme_dma *list,
                       const struct nvme_segment *segments, unsigned count, struct nvme_dptr *dptr);
/* Make what data says reachable for the device, and describe it in sqe; sets data's flags. bytes
 * may become less, a multiple of unit (a power of two; 0: it may not). */
int nvme_data_prepare(struct nvme_queue *queue, struct nvme_slot_data *data, bool registered,
                      uint32_t unit, struct nvme_sqe *sqe);
/* Where the data ends: what comes next in the request's vector. */
void nvme_data_advance(const struct nvme_slot_data *data, struct nvme_request *request);
/* The command has ended. deliver: copy bounced data to the caller. */
void nvme_data_finish(struct nvme_queue *queue, struct nvme_slot_data *data, bool deliver);

/* ---- command.c ---- */
/* Whether a request is one that can be tried: NVME_OK, INVAL, RANGE or UNSUPPORTED. */
int nvme_command_check(struct nvme_queue *queue, const struct nvme_request *request);
/* What blocks_left begins with. */
uint32_t nvme_command_units(const struct nvme_request *request);
/* Issue the next command of a request that nvme_io_begin() has begun. BUSY: no slot. */
int nvme_command_issue(struct nvme_queue *queue, struct nvme_request *request);

/* ---- io.c ---- */
/* From a checked request's caller's fields alone: set the core's own and issue its first commands,
 * or have it wait. Under the lock, queue open. On an error nothing is in flight. */
int nvme_io_begin(struct nvme_queue *queue, struct nvme_request *request);
/* One command of a split or prepared request has ended. */
void nvme_io_piece_done(struct nvme_queue *queue, struct nvme_slot *slot, int error,
                        uint16_t status, uint32_t result);
void nvme_io_resume(struct nvme_queue *queue);
/* The request of the slot's command, NULL if there is none; a short-path command becomes one of the
 * general path, as which it can be watched, aborted and sent again. */
struct nvme_request *nvme_io_owner(struct nvme_queue *queue, struct nvme_slot *slot);
void nvme_io_fail(struct nvme_request *request, int error, uint16_t status); /* unless it has */
void nvme_io_again(struct nvme_queue *queue, struct nvme_request *request);  /* whole */

/* ---- reap.c ---- */
void nvme_reap_bind(struct nvme_queue *queue);
void nvme_reap_settle(struct nvme_queue *queue, uint64_t now_ns); /* all but the entries */

#include "parts.h"

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What stands for a part of the core that is left out at compile time (<nvme/config.h> lists them):
 * functions that do nothing, under the names that the files of the part define otherwise, and
 * the highest value that the part's fields of the configuration may have. Included by internal.h
 * alone, at its end. Nothing here is called for a thing that was asked for: nvme_config_check()
 * refuses a configuration that wants a missing part.
 */
#ifndef NVME_SRC_PARTS_H
#define NVME_SRC_PARTS_H

/* ---- watch.c, recover.c, retry.c, cancel.c ---- */
#if defined(NVME_NO_RECOVERY)
#define IF_RECOVERY(value) 0
static inline bool nvme_recover(struct nvme *nvme, int error)
{
    (void)nvme;
    (void)error;
    return false;
}

static inline void nvme_recover_disabled(struct nvme *nvme)
{
    (void)nvme;
}

static inline void nvme_recover_done(struct nvme *nvme)
{
    (void)nvme;
}

static inline void nvme_recover_check_waiting(struct nvme_queue *queue)
{
    (void)queue; /* a queue that opens has nothing waiting */
}

static inline void nvme_watch_start(struct nvme_queue *queue)
{
    (void)queue;
}

static inline int nvme_watch(struct nvme *nvme)
{
    (void)nvme;
    return NVME_OK;
}

static inline bool nvme_retry(struct nvme_queue *queue, struct nvme_request *request)
{
    (void)queue;
    (void)request;
    return false;
}

static inline void nvme_retry_due(struct nvme_queue *queue, uint64_t now_ns)
{
    (void)queue;
    (void)now_ns;
}
#else
#define IF_RECOVERY(value) (value)
#endif

/* ---- shadow.c ---- */
#if defined(NVME_NO_SHADOW)
#define IF_SHADOW(value) 0
static inline int nvme_phase_shadow(struct nvme *nvme)
{
    (void)nvme;
    return 1;
}
#else
#define IF_SHADOW(value) (value)
#endif

/* ---- sgl.c ---- */
#if defined(NVME_NO_SGL)
#define IF_SGL(value) 0
static inline int nvme_sgl_build(struct nvme_dptr *sgl, const struct nvme_segment *segments,
                                 unsigned count, uint32_t mask)
{
    (void)sgl;
    (void)segments;
    (void)count;
    (void)mask;
    return NVME_E_INVAL; /* as for data that no list can describe: PRPs, then */
}
#else
#define IF_SGL(value) (value)
#endif

/* ---- features.c, coalescing.c ---- */
#if defined(NVME_NO_FEATURES)
#define IF_FEATURES(value) 0
static inline int nvme_phase_features(struct nvme *nvme)
{
    (void)nvme;
    return 1;
}

static inline int nvme_phase_take_back(struct nvme *nvme)
{
    (void)nvme;
    return 1;
}

static inline void nvme_host_memory_identify(struct nvme *nvme, const uint8_t *id)
{
    (void)nvme;
    (void)id;
}

static inline void nvme_host_memory_drop(struct nvme *nvme)
{
    (void)nvme;
}

static inline void nvme_coalescing_look(struct nvme *nvme)
{
    (void)nvme;
}
#else
#define IF_FEATURES(value) (value)
#endif

/* ---- events.c ---- */
#if defined(NVME_NO_EVENTS)
#define IF_EVENTS(value) 0
static inline void nvme_event_take(struct nvme_admin *admin, uint32_t index, uint16_t status,
                                   uint32_t result)
{
    (void)admin; /* no request is ever held, so that no entry can be an event's */
    (void)index;
    (void)status;
    (void)result;
}

static inline void nvme_event_arm(struct nvme *nvme)
{
    (void)nvme;
}

static inline void nvme_event_look(struct nvme *nvme)
{
    (void)nvme;
}
#else
#define IF_EVENTS(value) (value)
#endif

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shadow doorbells (NVMe 1.4 sections 5.7 and 7.13): doorbell values in host memory, and EventIdx
 * beside them, by which the controller says at which value it wants the register written. Only
 * called while ctrl->shadow.on.
 */
#ifndef NVME_SHADOW_H
#define NVME_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

struct ctrl;
struct command;

/* Choices of ctrl.shadow_policy, in their order. */
enum shadow_policy { SHADOW_ECHO, SHADOW_IDLE_ARM, SHADOW_NEVER, SHADOW_ONE_BEHIND };

enum shadow_state {
    SHADOW_REST,       /* until the register is written, or the queue moves */
    SHADOW_LOOK,       /* the shadow doorbell is being read */
    SHADOW_LOOK_ARMED, /* the same, behind an EventIdx that asks for a register write */
    SHADOW_WAIT        /* polling: until the next look */
};

/* One doorbell of a queue that exists. */
struct shadow_slot {
    struct ctrl *ctrl;
    uint32_t number;     /* of the doorbell: 2 * queue, + 1 for a completion queue */
    uint32_t generation; /* counts openings and closings; stale events do not match */
    bool open;
    bool again;           /* something happened during a look: look once more */
    bool armed;           /* polling has ended, EventIdx asks for a register write */
    bool host_writes;     /* the host was seen to use the shadow: the register is only a bell */
    uint8_t state;        /* enum shadow_state */
    uint32_t seen;        /* what the shadow said at the last look */
    uint32_t in_register; /* what the register said last */
    uint64_t reported;    /* value that raised an event; UINT64_MAX: none */
    uint64_t news_ps;     /* last time that something was new */
    engine_handle poll;
};

struct shadow {
    bool on;
    uint64_t doorbells_at, eventidx_at; /* bus addresses, a memory page each */
    uint64_t free_ps;                   /* the unit issues one access at a time */
    struct shadow_slot *slots;          /* of all doorbells; NULL: ctrl.shadow_doorbells = no */
    uint32_t count;
};

void shadow_open(struct ctrl *ctrl, uint16_t qid, bool is_cq);
void shadow_close(struct ctrl *ctrl, uint16_t qid, bool is_cq);
/* True: the doorbell has a shadow, and what its register says is dealt with. */
bool shadow_takes_register(struct ctrl *ctrl, uint16_t qid, bool is_cq, uint32_t value);
void shadow_fetched(struct ctrl *ctrl, uint16_t sqid); /* entries of it have arrived */
void shadow_posted(struct ctrl *ctrl, uint16_t cqid);  /* an entry takes a slot of it */
void shadow_stalled(struct ctrl *ctrl, uint16_t cqid); /* an entry has no room in it */

/* shadow_buffer.c: the command, and the two pages in host memory as timed DMA */
void shadow_init(struct ctrl *ctrl);
void shadow_free(struct ctrl *ctrl);
void shadow_reset(struct ctrl *ctrl); /* forgets the buffers; may be called at any time */
bool shadow_exists(const struct ctrl *ctrl);
uint16_t shadow_configure(struct ctrl *ctrl, struct command *cmd); /* a status */
bool shadow_has_place(const struct ctrl *ctrl, uint32_t number);   /* the page is long enough */
void shadow_look(struct shadow_slot *slot);                        /* ends in shadow_looked() */
void shadow_looked(struct shadow_slot *slot, uint32_t value);      /* shadow.c */
void shadow_write_eventidx(struct shadow_slot *slot, uint32_t value);
void shadow_write_doorbell(struct shadow_slot *slot, uint32_t value);

#endif

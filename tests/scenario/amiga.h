/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A program on a simulated machine that talks to the driver core by itself, asynchronously: what
 * the published nvme.device's own test programs are to that driver. It owns the machine and the
 * driver on it, so that it can cut the power and start a new driver on the same drive. Requests
 * that the core refuses for want of a slot are held back here, as a port would. Used by
 * test_amiga_*.c.
 */
#ifndef SCENARIO_AMIGA_H
#define SCENARIO_AMIGA_H

#include "scenario/fixture.h"

#define AMIGA_KIB      1024u
#define AMIGA_MIB      (1024u * 1024u)
#define AMIGA_BLOCK    512u
#define AMIGA_IOS      32u
#define AMIGA_SETTINGS 4u

/* Which driver on which machine: drive NULL means the published one's, the set-up amiga-pegasos2.
 * Settings as -s would give them, NULL at the end. */
struct amiga_case {
    const char *driver, *drive, *host;
    const char *settings[AMIGA_SETTINGS];
};

struct amiga;

/* One request of the program, with its buffer. */
struct amiga_io {
    struct nvme_request request;
    struct amiga *amiga;
    struct memory_area *area;
    uint8_t *bytes; /* the buffer; grows by amiga_io_prepare() */
    unsigned ends;  /* how often it has ended since it was sent */
    struct amiga_io *held_next;
};

struct amiga {
    struct fixture fixture;
    struct machine *machine;
    struct host *host;
    void *memory; /* of the driver */
    struct nvme *nvme;
    struct nvme_queue *queue;
    const struct nvme_namespace *ns;
    bool polls;
    uint64_t capacity; /* bytes */
    uint64_t next_step_ps;
    unsigned pending;      /* sent and not ended */
    struct amiga_io *held; /* of these, refused so far; in their order */
    unsigned refused;      /* sends that found no slot, since it was cleared */
    struct amiga_io io[AMIGA_IOS];
    unsigned checks; /* made and held */
};

/* A machine with this driver, running. */
void amiga_open(struct amiga *a, const struct amiga_case *which);
/* Orderly: the driver is stopped, and has to succeed. */
void amiga_close(struct amiga *a);
/* The power goes, and with it all that the driver knew. Then the machine starts again. What was not
 * flushed is lost if the medium calls it volatile: amiga_open() has made it watch. */
void amiga_power_cut(struct amiga *a);
/* Time passes; ended requests are taken, held ones sent, the driver is stepped. */
void amiga_pump(struct amiga *a);

/* Request number `index`, with a buffer of so many bytes; offset and bytes in bytes on the drive.
 */
struct amiga_io *amiga_prepare(struct amiga *a, unsigned index, enum nvme_op op, uint64_t offset,
                               uint32_t bytes);
/* Hand it to the driver; ring with amiga_kick(). Held back if there is no slot, else it must be
 * taken. */
void amiga_send(struct amiga_io *io);
void amiga_kick(struct amiga *a);
/* AbortIO(), as the published driver has it: one that is held back ends at once with
 * NVME_E_CANCELLED; one that the driver has goes on, and nothing happens to one that has ended. */
void amiga_abort(struct amiga_io *io);
void amiga_wait(struct amiga *a); /* until all have ended */
/* One request from beginning to end: the core's error. */
int amiga_do(struct amiga *a, enum nvme_op op, uint64_t offset, uint32_t bytes);

/* Contents that differ for each seed and each byte's place; whether a buffer holds them. */
void amiga_fill(uint8_t *bytes, uint32_t count, uint32_t seed);
bool amiga_holds(const uint8_t *bytes, uint32_t count, uint32_t seed);

/* A check of the program: counted, and fails the test if it does not hold. */
#define amiga_check(a, condition)                                                                  \
    do {                                                                                           \
        ck_assert(condition);                                                                      \
        (a)->checks++;                                                                             \
    } while (0)

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a judge is, and what a judge may call. There is one for each family of rules (judge_*.c). It
 * hears every record of the kinds that it asks for before the picture takes it in, and the events
 * that the picture makes of them. It reads the picture, keeps what is its own in its own state, and
 * complains; it never writes the picture.
 */
#ifndef RULES_JUDGE_H
#define RULES_JUDGE_H

#include "pcie/record.h"
#include "rules/picture.h"
#include "rules/rules.h"

enum judge_id {
    JUDGE_REGISTERS,
    JUDGE_LIFE,
    JUDGE_QUEUES,
    JUDGE_SUBMIT,
    JUDGE_COMMAND,
    JUDGE_LISTS,
    JUDGE_CACHE,
    JUDGE_REQUEST,
    JUDGE_WAITING,
    JUDGE_DATA,
    JUDGE_COMPLETE,
    JUDGE_SHADOW,
    JUDGES
};

struct judge {
    enum judge_id id;
    size_t state_bytes; /* zeroed at creation; judge_state() */
    uint64_t kinds;     /* of record() */
    /* Any of these may be NULL. */
    void (*record)(struct rules *rules, const struct stream_record *record);
    /* The host is about to move the tail of this SQ to `to` (register: by its register; else by its
     * shadow doorbell). Before the picture takes it in; `to` may be anything. */
    void (*tail)(struct rules *rules, struct picture_sq *sq, uint32_t to, bool by_register);
    /* The same for the head of a CQ. */
    void (*head)(struct rules *rules, struct picture_cq *cq, uint32_t to, bool by_register);
    /* An entry has been handed over: one call for each. The command is not yet in the picture's
     * index of outstanding ones. Whether its slot was published is still there to see. */
    void (*rung)(struct rules *rules, struct picture_sq *sq, const struct picture_command *command);
    /* The device has an entry. command: as rung; sqe: what it has got. */
    void (*fetched)(struct rules *rules, struct picture_sq *sq,
                    const struct picture_command *command, const uint8_t *sqe);
    /* A completion entry lies in memory. command NULL: it answers none that is outstanding. */
    void (*posted)(struct rules *rules, struct picture_cq *cq,
                   const struct picture_command *command, const uint8_t *cqe);
    /* The host has seen that entry; the command ends with this call. */
    void (*seen)(struct rules *rules, struct picture_cq *cq, const struct picture_command *command,
                 const uint8_t *cqe);
    /* The host has set CC.EN: the admin queues are made. */
    void (*enabled)(struct rules *rules);
    /* Queues and commands are about to be forgotten: a controller level reset. */
    void (*reset)(struct rules *rules);
    /* The run is over. */
    void (*concluded)(struct rules *rules);
};

extern const struct judge judge_registers, judge_life, judge_queues, judge_submit, judge_command,
    judge_data, judge_lists, judge_cache, judge_complete, judge_request, judge_waiting,
    judge_shadow;

struct picture *rules_picture(struct rules *rules);
/* The record that is being handled. */
const struct stream_record *rules_record(const struct rules *rules);
const struct rules_setup *rules_setup(const struct rules *rules);
void *judge_state(struct rules *rules, const struct judge *judge);
bool rules_peek(const struct rules *rules, uint64_t bus, void *to, size_t bytes);
uint64_t rules_digest(const struct rules *rules, uint64_t bus, size_t bytes);

/* What the data, or the lists, of a command hold now: to compare with data_digest and list_digest.
 */
uint64_t rules_data_digest(const struct rules *rules, const struct picture_data *data);
uint64_t rules_list_digest(const struct rules *rules, const struct picture_data *data);

/* Who and what a violation is about; -1 or 0 where that means nothing. */
struct where {
    int cpu, queue, cid;
};

#define WHERE_CPU(cpu_)         ((struct where){(int)(cpu_), -1, -1})
#define WHERE_QUEUE(cpu_, qid_) ((struct where){(int)(cpu_), (int)(qid_), -1})
#define WHERE_COMMAND(cpu_, command_)                                                              \
    ((struct where){(int)(cpu_), (command_)->sqid, (command_)->cid})

/* The CPU that the record being handled came from, or -1 if it is the device's. */
int rules_cpu(const struct rules *rules);

/* Counted, and never complained of. */
void rules_note(struct rules *rules, enum rule_id rule);

/* A rule is broken. observed and allowed: each a part of a sentence, without a full stop; observed
 * may be a format. */
void rules_complain(struct rules *rules, enum rule_id rule, struct where where, const char *allowed,
                    const char *observed, ...) __attribute__((format(printf, 5, 6)));

#endif

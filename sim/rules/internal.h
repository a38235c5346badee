/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the checker share: the checker itself and the trackers' entrances. For the
 * files of sim/rules only; judges see judge.h.
 */
#ifndef RULES_INTERNAL_H
#define RULES_INTERNAL_H

#include "rules/judge.h"

#define TRAIL_LENGTH 6

/* Who hears one kind of record, in order; then the picture. */
struct rules_hearers {
    void (*record[JUDGES])(struct rules *rules, const struct stream_record *record);
    unsigned count;
    bool picture;
};

struct rules {
    struct rules_setup setup;
    struct stream_reader reader;
    bool attached;
    bool over; /* RULES_FATAL has struck, or the run is over: nothing is judged any more */
    struct rules_hearers hearers[RECORD_KINDS];
    struct picture picture;
    void *states[JUDGES];
    const struct stream_record *current;      /* being handled */
    struct stream_record trail[TRAIL_LENGTH]; /* the last ones before it */
    uint64_t trail_count;
    struct rules_verdict verdict;
};

extern const struct judge *const rules_judges[JUDGES];

/* Tell all judges of an event, as long as there is anything to be judged: RULES_TELL(event, rules,
 * what the event carries). */
#define RULES_TELL(event_, ...)                                                                    \
    do {                                                                                           \
        for (unsigned judge_ = 0; judge_ < JUDGES && !rules->over; judge_++) {                     \
            if (rules_judges[judge_]->event_ != NULL)                                              \
                rules_judges[judge_]->event_(__VA_ARGS__);                                         \
        }                                                                                          \
    } while (0)

/* ---- trackers: each takes the records of its kinds into the picture ---- */

extern const uint64_t picture_kinds;
void picture_take(struct rules *rules, const struct stream_record *record);
void picture_free(struct picture *picture);

/* picture_registers.c */
void picture_register_read(struct rules *rules, const struct stream_record *record);
void picture_register_write(struct rules *rules, const struct stream_record *record);
void picture_config_write(struct picture *picture, const struct stream_record *record);

/* picture_queues.c: an admin command about queues has been fetched, or has succeeded (status 0) or
 * not. */
void picture_admin_started(struct rules *rules, const uint8_t *sqe);
void picture_admin_ended(struct rules *rules, const struct picture_command *command,
                         const uint8_t *cqe);
void picture_admin_queue(struct rules *rules);
void picture_reset(struct rules *rules);
uint64_t picture_sq_entry(const struct picture *picture, const struct picture_sq *sq,
                          uint32_t slot);

/* picture_entries.c */
void picture_publish(struct rules *rules, const struct stream_record *record);
void picture_move_tail(struct rules *rules, struct picture_sq *sq, uint32_t to, bool by_register);
void picture_move_head(struct rules *rules, struct picture_cq *cq, uint32_t to, bool by_register);
void picture_fetched(struct rules *rules, const struct stream_record *record);
void picture_posted(struct rules *rules, const struct stream_record *record);
void picture_looked(struct rules *rules, const struct stream_record *record);

/* picture_commands.c */
struct picture_command *picture_new_command(struct picture *picture);
void picture_end_command(struct picture *picture, struct picture_command *command);
void picture_busy(struct picture *picture, const struct picture_data *data, bool begins);

/* picture_data.c: follow the pointers of an entry. data keeps its memory from call to call. */
void picture_follow(const struct rules *rules, uint32_t sqid, const uint8_t *sqe,
                    struct picture_data *data);

/* picture_shadow.c */
void picture_shadow_command(struct picture *picture, const uint8_t *sqe);
void picture_shadow_look(struct rules *rules);
void picture_shadow_record(struct rules *rules, const struct stream_record *record);

/* picture_memory.c */
void picture_memory_record(struct picture *picture, const struct stream_record *record);
/* picture_requests.c */
void picture_attribute(struct picture *picture, struct picture_command *command);
void picture_unattribute(struct picture *picture, struct picture_command *command, bool well);
void picture_request_record(struct picture *picture, const struct stream_record *record);

/* Growing arrays: at least `wanted` elements of `bytes` each. Aborts without memory. */
void *picture_grow(void *array, uint32_t *room, uint32_t wanted, size_t bytes);

/* complain.c */
void rules_trail_keep(struct rules *rules, const struct stream_record *record);

#endif

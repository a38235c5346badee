/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Injected faults: errors that a real drive makes, by rules. A rule says when and what:
 *
 *     opcode=read lba=100-199 nth=3 : status 0x281; queue=0 opcode=0x06 : stuck
 *
 * When: conditions, all of which must hold; without any, always. Rules about commands look at each
 * command once, when it has been decoded, and the first rule that fires has it.
 *     opcode=NAME|N   flush write read write-uncorrectable compare write-zeroes
 *                     dataset-management verify, or a number
 *     queue=N         submission queue; without it, I/O queues only (0 is the admin queue)
 *     nsid=N
 *     lba=A[-B]       any of these blocks is touched (commands with a range of blocks only)
 *     vector=N        drop-interrupt only
 *     after=T before=T  in simulated time, T with its unit and without a blank: 5ms
 *     at=T            cfs, link-down and power-loss only, and alone: at that time, if the
 * controller is there by then nth=N           only the Nth that meets all conditions above, from 1
 *     every=N         every Nth of them
 *     chance=P/Q      each of them with this probability
 *     times=N         no more than N times
 * What:
 *     status S        ends with status S (type << 8 | code) and does nothing
 *     lose            is done, but its completion never comes
 *     duplicate       its completion comes twice
 *     wrong-cid N     its completion has another command identifier: CID xor N
 *     late T          its completion comes T later
 *     slow T          begins T later (can be aborted meanwhile);
 *                     a half of a fused operation: is late T
 *     stuck           never begins and cannot be aborted: only a reset helps
 *     corrupt         data is damaged: of a read on its way, of a write on the medium
 *     unreadable      its blocks cannot be read from now on
 *     cfs             the controller fails: CSTS.CFS
 *     link-down [T]   the link goes down, for T or for ever: all ones are read; then the function
 *                     is as after a reset. If it is down already, the later end counts
 *     power-loss [T]  the power goes, for T or for ever: what was volatile is lost; else as
 *                     link-down
 *     not-ready [T]   CC.EN = 1 takes T longer to become CSTS.RDY = 1, or never does
 *     drop-interrupt  a message is not sent, or the pin not asserted
 */
#ifndef NVME_FAULT_H
#define NVME_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/rng.h"

struct ctrl;
struct command;

enum fault_action {
    FAULT_STATUS,
    FAULT_LOSE,
    FAULT_DUPLICATE,
    FAULT_WRONG_CID,
    FAULT_LATE,
    FAULT_SLOW,
    FAULT_STUCK,
    FAULT_CORRUPT,
    FAULT_UNREADABLE,
    FAULT_CFS,
    FAULT_LINK_DOWN,
    FAULT_POWER_LOSS,
    FAULT_NOT_READY,
    FAULT_DROP_INTERRUPT
};

#define FAULT_RULES_MAX 16u
#define FAULT_ANY       UINT64_MAX
#define FAULT_FOR_EVER  UINT64_MAX

struct fault_rule {
    /* when; FAULT_ANY: no condition */
    uint64_t opcode, queue, nsid, vector;
    uint64_t lba_first, lba_last; /* first FAULT_ANY: no condition */
    uint64_t after_ps, before_ps;
    uint64_t at_ps;
    uint64_t nth, every;
    uint64_t chance, chance_of; /* chance_of 0: always */
    uint64_t times;
    /* what */
    enum fault_action action;
    uint64_t value; /* status, CID mask, ps; FAULT_FOR_EVER */
    /* so far */
    uint64_t met, fired;
};

struct faults {
    struct fault_rule rules[FAULT_RULES_MAX];
    uint32_t count;
    struct rng rng;
    bool link_down;
    uint64_t link_up_ps; /* valid while it is down; ENGINE_NEVER */
};

/* fault_parse.c: rules separated by ';'. False with a sentence in `message`: which rule, what is
 * wrong, what is allowed. */
bool fault_parse(const char *text, struct faults *faults, char *message, size_t size);

/* fault.c */
void faults_init(struct ctrl *ctrl);
/* A command has been decoded. True: it is to be executed now. */
bool fault_decoded(struct ctrl *ctrl, struct command *cmd);
/* Its completion is ready to be posted (times set). True: post it. */
bool fault_completing(struct ctrl *ctrl, struct command *cmd);
/* Its completion entry is in host memory. True: that was all. */
bool fault_completed(struct ctrl *ctrl, struct command *cmd);
uint16_t fault_cid(const struct command *cmd);
bool fault_corrupts(const struct command *cmd);
/* Longer than usual until ready, ps; FAULT_FOR_EVER. */
uint64_t fault_ready_delay(struct ctrl *ctrl);
/* True: this interrupt does not happen. */
bool fault_drops_interrupt(struct ctrl *ctrl, unsigned vector);

#endif

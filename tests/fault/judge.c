/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The end of a request: that it ends once, that the fault allows it to end so, and what the blocks
 * may hold from now on. And more of a driver that fails cleanly: which error belongs to which
 * fault, how often a request was tried, and that a reset leaves nothing. See run.h.
 */
#include <inttypes.h>
#include <string.h>

#include "fault/run.h"
#include "nvme/controller.h"

#define DO_NOT_RETRY      0x4000u /* (4.6.1) */
#define STATUS_MISCOMPARE 0x285u

void judge_done(struct nvme_request *request)
{
    struct job *job = request->user;

    if (job->ended++ != 0)
        campaign_fail("request %" PRIu64 " ends a second time", job->number);
}

/* May it have ended so? */
static void judge_error(struct run *run, const struct job *job)
{
    const struct nvme_request *r = &job->request;
    const struct campaign_kind *kind = run->kind;
    uint16_t status = r->status & 0x7FF;

    run->failed++;
    if (r->error == NVME_E_STATUS) {
        if (r->op == NVME_OP_COMPARE && status == STATUS_MISCOMPARE && (kind->may & MAY_CORRUPT))
            return;
        run->status_failed++;
        if (run->world.config.retries != 0 && !(r->status & DO_NOT_RETRY) &&
            (kind->may & MAY_STATUS) && !(kind->may & MAY_EXHAUST))
            campaign_fail("request %" PRIu64 " (kind %d) ends with status %03xh, and no retry",
                          job->number, (int)r->op, status);
        if ((kind->may & (MAY_STATUS | MAY_DISTURB)) && status == kind->status &&
            !(run->clean && (kind->may & MAY_STATUS)))
            return;
        campaign_fail("request %" PRIu64 " (kind %d) ends with status %03xh: %s", job->number,
                      (int)r->op, status, nvme_status_text(r->status));
    }
    run->state_failed += r->error == NVME_E_STATE;
    run->timed_out += r->error == NVME_E_TIMEOUT;
    run->gone += r->error == NVME_E_GONE;
    if ((r->error == NVME_E_STATE || r->error == NVME_E_TIMEOUT || r->error == NVME_E_GONE) &&
        (kind->may & MAY_RESET) && !run->clean)
        return;
    campaign_fail("request %" PRIu64 " (kind %d) ends with: %s", job->number, (int)r->op,
                  nvme_error_text(r->error));
}

void judge_job(struct run *run, struct job *job)
{
    const struct nvme_request *r = &job->request;
    bool good = r->error == NVME_OK;
    bool doubtful = false;

    if ((run->kind->may & MAY_LOSE) && world_struck(&run->world)) {
        if (!run->power_lost)
            ledger_power_lost(&run->ledger);
        run->power_lost = true;
        doubtful = job->before_strike;
    }
    if (!good)
        judge_error(run, job);
    for (uint32_t i = 0; request_writes(r->op) && i < job->blocks; i++)
        ledger_write(&run->ledger, job->block + i,
                     r->op == NVME_OP_WRITE ? ledger_tag(job->number, job->block + i) : 0,
                     job->number, good, (r->flags & NVME_REQ_FUA) != 0, doubtful);
    for (uint32_t i = 0; r->op == NVME_OP_READ && good && i < job->blocks; i++) {
        uint64_t words[CAMPAIGN_WORDS];

        memcpy(words, request_block(job, i), sizeof words);
        ledger_read(&run->ledger, job->block + i, words);
    }
    if (r->op == NVME_OP_FLUSH && good && !doubtful)
        ledger_flushed(&run->ledger, job->flush_mark);
    run->ended++;
}

/* ---- of a driver that fails cleanly ---- */

/* When the core's own reset is over, what had been issued before has ended: a request that is out
 * now began later. The driver refuses what it has no slot for, so that none has only waited. */
void judge_reset(struct run *run)
{
    struct nvme_admin_stats admin;

    if (nvme_state(run->world.nvme) != NVME_STATE_READY)
        return;
    nvme_get_admin_stats(run->world.nvme, &admin);
    for (unsigned i = 0; run->policy->fails_cleanly && admin.resets != run->resets; i++) {
        if (i == RUN_AT_A_TIME)
            break;
        if (run->busy[i] && run->jobs[i].number <= run->reset_number)
            campaign_fail("request %" PRIu64 " is still out after a reset", run->jobs[i].number);
    }
    run->resets = admin.resets;
    run->reset_number = run->number;
}

/* Commands whose entries have not come: those that were given up, and no others. */
static uint64_t check_identifiers(struct nvme_queue *queue, unsigned number, bool came_back)
{
    struct nvme_queue_stats stats;

    nvme_get_queue_stats(queue, &stats);
    if (came_back && nvme_in_flight(queue) != stats.quarantined)
        campaign_fail("command identifiers of queue %u have not come back", number);
    return stats.quarantined;
}

static uint64_t count_reissued(struct nvme_queue *queue)
{
    struct nvme_queue_stats stats;

    nvme_get_queue_stats(queue, &stats);
    return stats.reissued;
}

static bool can_vanish(const struct campaign_kind *kind)
{
    return kind->action != NULL &&
           (strstr(kind->action, "link-down") || strstr(kind->action, "power-loss"));
}

void judge_run(const struct run *run)
{
    struct nvme *nvme = run->world.nvme;
    uint64_t tries = run->world.config.retries + 1u;
    uint64_t reissued = 0, quarantined = 0;
    struct ctrl_stats stats;

    for (unsigned i = 0; i < nvme_get_info(nvme)->io_queues; i++) {
        struct nvme_queue *queue = nvme_get_queue(nvme, i);

        quarantined += check_identifiers(queue, i + 1, run->came_back);
        reissued += count_reissued(queue);
    }
    if (!run->policy->fails_cleanly)
        return;
    ctrl_get_stats(machine_ctrl(run->world.machine), &stats);
    if (reissued != 0)
        campaign_fail("%" PRIu64 " requests were sent again after a reset", reissued);
    if (run->timed_out > ((run->kind->may & MAY_TIME_OUT) != 0))
        campaign_fail("%u requests were late, and the fault struck one at most", run->timed_out);
    if (run->gone != 0 && !can_vanish(run->kind))
        campaign_fail("%u requests say that the device is gone, which it never was", run->gone);
    if ((run->kind->may & MAY_EXHAUST) && stats.faults < tries * run->status_failed)
        campaign_fail("%u requests have failed after %" PRIu64 " commands that did: not %" PRIu64
                      " tries each",
                      run->status_failed, stats.faults, tries);
    if (quarantined > (run->timed_out != 0 && run->state_failed == 0))
        campaign_fail("%" PRIu64 " identifiers in quarantine, and %u requests given up",
                      quarantined, run->timed_out);
}

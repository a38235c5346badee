/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The end of a request: that it ends once, that the fault allows it to end so, and what the blocks
 * may hold from now on. And more of a driver that fails cleanly: which error belongs to which
 * fault, how often a request was tried, and that a reset leaves nothing. See run.h.
 */
#include <inttypes.h>
#include <string.h>

#include "fault/run.h"

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
        if (run->world.config.retries != 0 && !(r->status & DO_NOT_RETRY) &&
            (kind->may & MAY_STATUS))
            campaign_fail("request %" PRIu64 " (kind %d) ends with status %03xh, and no retry",
                          job->number, (int)r->op, status);
        if ((kind->may & (MAY_STATUS | MAY_DISTURB)) && status == kind->status &&
            !(run->clean && (kind->may & MAY_STATUS)))
            return;
        campaign_fail("request %" PRIu64 " (kind %d) ends with status %03xh: %s", job->number,
                      (int)r->op, status, nvme_status_text(r->status));
    }
    run->reset_failed++;
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

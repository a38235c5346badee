/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of registers, initialisation and shutdown: rules R1 to R14 (NVMe 1.4 sections 3.1, 7.3,
 * 7.6). What the host writes is judged when it writes; CSTS is the device's at that time.
 */
#include "rules/judge.h"

static void judge_cc(struct rules *rules, const struct stream_record *r)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    uint32_t value = (uint32_t)r->c;
    bool ready = CSTS_IS_READY(c->csts);
    if (CC_IS_ENABLED(value) && !CC_IS_ENABLED(c->cc) && ready)
        rules_complain(rules, RULE_R1, WHERE_CPU(r->source), "only while CSTS.RDY is 0",
                       "CC.EN set to 1 while CSTS is %xh", c->csts);
    if (!CC_IS_ENABLED(value) && CC_IS_ENABLED(c->cc) && !ready && !CSTS_IS_FATAL(c->csts))
        rules_complain(rules, RULE_R1, WHERE_CPU(r->source), "only while CSTS.RDY is 1",
                       "CC.EN cleared while CSTS is %xh", c->csts);
}

static void judge_admin_queue(struct rules *rules, const struct stream_record *r)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    if (CC_IS_ENABLED(c->cc) || CSTS_IS_READY(c->csts))
        rules_complain(
            rules, RULE_R2, WHERE_CPU(r->source), "only while CC.EN is 0 and CSTS.RDY is 0",
            "register %xh written while CC is %xh and CSTS is %xh", (unsigned)r->b, c->cc, c->csts);
}

static void judge_doorbell(struct rules *rules, const struct stream_record *r)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    if (!CC_IS_ENABLED(c->cc) || !CSTS_IS_READY(c->csts))
        rules_complain(rules, RULE_R6, WHERE_CPU(r->source), "only while CC.EN and CSTS.RDY are 1",
                       "doorbell at %xh written while CC is %xh and CSTS is %xh", (unsigned)r->b,
                       c->cc, c->csts);
}

static void registers_record(struct rules *rules, const struct stream_record *r)
{
    if (r->b >= SPEC_DOORBELLS)
        judge_doorbell(rules, r);
    else if (r->b == SPEC_CC)
        judge_cc(rules, r);
    else if (r->b >= SPEC_AQA && r->b < SPEC_ACQ + 8)
        judge_admin_queue(rules, r);
}

const struct judge judge_registers = {
    .family = "R",
    .kinds = UINT64_C(1) << RECORD_REG_WRITE,
    .record = registers_record,
};

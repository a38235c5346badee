/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of register accesses: rules R1 to R6 and R8 to R11 (NVMe 1.4 sections 2.1.1, 3.1). What the
 * host writes is judged when it writes; CSTS is the device's at that time.
 */
#include "rules/judge.h"

#define AQA_MOST     4095u /* 0-based */
#define CSS_ADMIN    7u    /* CC.CSS: admin commands only; CAP.CSS bit 7 */
#define MILLISECOND  UINT64_C(1000000000)
#define TO_UNIT_PS   (500 * MILLISECOND)
#define IOSQES_BYTES 6u
#define IOCQES_BYTES 4u

static uint64_t cap_of(const struct picture_controller *c)
{
    return c->cap_low_known && c->cap_high_known ? c->cap : 0;
}

/* Never ready in the controller's own time: it has failed, whatever it says. */
static bool ready_is_overdue(struct rules *rules)
{
    const struct picture *p = rules_picture(rules);
    uint64_t limit = CAP_TO(p->controller.cap) * TO_UNIT_PS;
    return p->now_ps - p->controller.enabled_ps >= limit;
}

/* ---- CC ---- */

static void judge_enable(struct rules *rules, uint32_t value, struct where where)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    if (CC_IS_ENABLED(value) && !CC_IS_ENABLED(c->cc) && CSTS_IS_READY(c->csts))
        rules_complain(rules, RULE_R1, where, "only while CSTS.RDY is 0",
                       "CC.EN set to 1 while CSTS is %xh", c->csts);
    if (!CC_IS_ENABLED(value) && CC_IS_ENABLED(c->cc) && !CSTS_IS_READY(c->csts) &&
        !CSTS_IS_FATAL(c->csts) && !ready_is_overdue(rules))
        rules_complain(rules, RULE_R1, where, "only while CSTS.RDY is 1",
                       "CC.EN cleared while CSTS is %xh", c->csts);
}

static void judge_admin_queues(struct rules *rules, struct where where)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    uint32_t asqs = c->aqa & 0xfff, acqs = c->aqa >> 16 & 0xfff;
    if (asqs == 0 || acqs == 0 || (c->aqa & 0xf000f000u) != 0)
        rules_complain(rules, RULE_R3, where, "1 to 4095 in both halves",
                       "AQA is %xh when CC.EN is set", c->aqa);
    else if (c->asq == 0 || c->acq == 0 || ((c->asq | c->acq) & 0xfff) != 0)
        rules_complain(rules, RULE_R3, where, "page-aligned addresses",
                       "ASQ is %llxh, ACQ %llxh when CC.EN is set", (unsigned long long)c->asq,
                       (unsigned long long)c->acq);
}

static bool css_is_supported(uint64_t cap, uint32_t css)
{
    return css == CSS_ADMIN ? (CAP_CSS(cap) >> CSS_ADMIN & 1u) != 0
                            : css < CSS_ADMIN && (CAP_CSS(cap) >> css & 1u) != 0;
}

/* AMS 0 is round robin, 1 weighted round robin (CAP.AMS bit 0), 7 vendor specific (bit 1). */
static bool ams_is_supported(uint64_t cap, uint32_t ams)
{
    return ams == 0 || (ams == 1 && (CAP_AMS(cap) & 1u) != 0) ||
           (ams == 7 && (CAP_AMS(cap) & 2u) != 0);
}

static void judge_fields(struct rules *rules, uint32_t value, struct where where)
{
    uint64_t cap = cap_of(&rules_picture(rules)->controller);
    if (cap == 0)
        return;
    if (CC_MPS(value) < CAP_MPSMIN(cap) || CC_MPS(value) > CAP_MPSMAX(cap))
        rules_complain(rules, RULE_R4, where, "CAP.MPSMIN to CAP.MPSMAX",
                       "CC.MPS %u, CAP has %u to %u", CC_MPS(value), CAP_MPSMIN(cap),
                       CAP_MPSMAX(cap));
    else if (!css_is_supported(cap, CC_CSS(value)))
        rules_complain(rules, RULE_R4, where, "a command set that CAP.CSS names",
                       "CC.CSS %u, CAP.CSS is %xh", CC_CSS(value), CAP_CSS(cap));
    else if (!ams_is_supported(cap, CC_AMS(value)))
        rules_complain(rules, RULE_R4, where, "an arbitration that CAP.AMS names",
                       "CC.AMS %u, CAP.AMS is %xh", CC_AMS(value), CAP_AMS(cap));
}

static bool has_io_queues(const struct picture *p)
{
    for (uint32_t qid = 1; qid <= p->highest_qid; qid++) {
        if ((p->sqs[qid] != NULL && p->sqs[qid]->exists) ||
            (p->cqs[qid] != NULL && p->cqs[qid]->exists))
            return true;
    }
    return false;
}

static void judge_change(struct rules *rules, uint32_t value, struct where where)
{
    const struct picture *p = rules_picture(rules);
    uint32_t changed = value ^ p->controller.cc;
    if (CC_CSS(changed) != 0 || CC_MPS(changed) != 0 || CC_AMS(changed) != 0)
        rules_complain(rules, RULE_R4, where, "no change of MPS, CSS and AMS while CC.EN is 1",
                       "CC was %xh and becomes %xh", p->controller.cc, value);
}

/* Also with the write that clears EN: until then the queues are there. */
static void judge_entry_sizes(struct rules *rules, uint32_t value, struct where where)
{
    const struct picture *p = rules_picture(rules);
    uint32_t changed = value ^ p->controller.cc;
    if ((CC_IOSQES(changed) != 0 || CC_IOCQES(changed) != 0) && CC_IS_ENABLED(value) &&
        has_io_queues(p))
        rules_complain(rules, RULE_R5, where, "no change while I/O queues exist",
                       "CC was %xh and becomes %xh", p->controller.cc, value);
}

static void judge_cc(struct rules *rules, const struct stream_record *r)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    uint32_t value = (uint32_t)r->c;
    struct where where = WHERE_CPU(r->source);
    judge_enable(rules, value, where);
    if (CC_IS_ENABLED(value) && !CC_IS_ENABLED(c->cc)) {
        judge_admin_queues(rules, where);
        judge_fields(rules, value, where);
    } else if (CC_IS_ENABLED(value)) {
        judge_change(rules, value, where);
        judge_entry_sizes(rules, value, where);
    }
}

static void registers_rung(struct rules *rules, struct picture_sq *sq,
                           const struct picture_command *command)
{
    uint32_t cc = rules_picture(rules)->controller.cc;
    uint8_t opcode = SQE_OPCODE(command->sqe);
    if (sq->qid != 0 || !command->known || (opcode != ADMIN_CREATE_SQ && opcode != ADMIN_CREATE_CQ))
        return;
    if (CC_IOSQES(cc) != IOSQES_BYTES || CC_IOCQES(cc) != IOCQES_BYTES)
        rules_complain(rules, RULE_R5, WHERE_COMMAND(rules_cpu(rules), command),
                       "IOSQES 6 and IOCQES 4 before the first I/O queue",
                       "a queue is created while CC is %xh", cc);
}

/* ---- other registers ---- */

static void judge_admin_registers(struct rules *rules, const struct stream_record *r)
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
    else if ((c->pci_command & PCI_COMMAND_MASTER) == 0)
        rules_complain(rules, RULE_R11, WHERE_CPU(r->source), "bus mastering enabled before",
                       "doorbell at %xh written while the PCI command register is %xh",
                       (unsigned)r->b, c->pci_command);
}

static void judge_size(struct rules *rules, const struct stream_record *r)
{
    bool doorbell = r->b >= SPEC_DOORBELLS;
    if ((r->a == 4 && r->b % 4 == 0) || (r->a == 8 && r->b % 8 == 0 && !doorbell))
        return;
    rules_complain(rules, RULE_R8, WHERE_CPU(r->source),
                   doorbell ? "32 bits, aligned" : "32 or 64 bits, aligned",
                   "access of %u bytes at %xh", r->a, (unsigned)r->b);
}

static void judge_write(struct rules *rules, const struct stream_record *r)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    judge_size(rules, r);
    if ((c->pci_command & PCI_COMMAND_MEMORY) == 0)
        rules_complain(rules, RULE_R11, WHERE_CPU(r->source), "memory space enabled before",
                       "register %xh written while the PCI command register is %xh", (unsigned)r->b,
                       c->pci_command);
    if (r->b >= SPEC_DOORBELLS)
        judge_doorbell(rules, r);
    else if (r->b == SPEC_CC)
        judge_cc(rules, r);
    else if (r->b >= SPEC_AQA && r->b < SPEC_ACQ + 8)
        judge_admin_registers(rules, r);
    else if ((r->b == SPEC_INTMS || r->b == SPEC_INTMC) && c->irq_mode == RECORD_IRQ_MSIX)
        rules_complain(rules, RULE_R10, WHERE_CPU(r->source), "neither is written with MSI-X",
                       "%s written while MSI-X is in use", r->b == SPEC_INTMS ? "INTMS" : "INTMC");
}

static void registers_record(struct rules *rules, const struct stream_record *r)
{
    if (r->kind == RECORD_REG_WRITE) {
        judge_write(rules, r);
        return;
    }
    judge_size(rules, r);
    if (r->b >= SPEC_DOORBELLS)
        rules_complain(rules, RULE_R9, WHERE_CPU(r->source), "writes only",
                       "the doorbell at %xh is read", (unsigned)r->b);
}

const struct judge judge_registers = {
    .id = JUDGE_REGISTERS,
    .kinds = UINT64_C(1) << RECORD_REG_WRITE | UINT64_C(1) << RECORD_REG_READ,
    .record = registers_record,
    .rung = registers_rung,
};

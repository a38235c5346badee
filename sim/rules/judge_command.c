/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of commands: rules S10 to S13 (NVMe 1.4 sections 4.2, 4.10, 5, 6).
 */
#include "rules/judge.h"

#define NSID_ALL            UINT32_MAX
#define BYTE1_RESERVED      0x3cu /* between FUSE and PSDT (4.2, figure 105) */
#define FUSED_FIRST         1u
#define FUSED_SECOND        2u
#define CDW12_RESERVED      0x030f0000u /* of Read and Write (6.9, 6.15), DTYPE of Write apart */
#define CDW12_DTYPE         0x00f00000u
#define OPCODE_VENDOR       0x80u /* I/O opcodes from here on are the vendor's */
#define OPCODE_ADMIN_VENDOR 0xc0u

struct command_state_of_fuse {
    bool first_open; /* the last entry rung was the first half of a fused pair */
    uint32_t sqid;
    uint64_t rung_ps;
};

/* ---- S10 ---- */

static bool is_io_opcode(uint8_t opcode)
{
    static const uint8_t known[] = {0x00, 0x01, 0x02, 0x04, 0x05, 0x08,
                                    0x09, 0x0c, 0x0d, 0x0e, 0x11, 0x15}; /* figures 346, 290 */
    for (unsigned i = 0; i < sizeof known; i++) {
        if (known[i] == opcode)
            return true;
    }
    return opcode >= OPCODE_VENDOR;
}

static bool is_admin_opcode(uint8_t opcode)
{
    static const uint8_t known[] = {0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0a, 0x0c,
                                    0x0d, 0x10, 0x11, 0x14, 0x15, 0x18, 0x19, 0x1a, 0x1c, 0x1d,
                                    0x1e, 0x7c, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x86};
    for (unsigned i = 0; i < sizeof known; i++) { /* figure 139 */
        if (known[i] == opcode)
            return true;
    }
    return opcode >= OPCODE_ADMIN_VENDOR;
}

static const char *io_fault(const struct picture_controller *c, const uint8_t *sqe)
{
    uint8_t opcode = SQE_OPCODE(sqe);
    uint32_t nsid = SQE_NSID(sqe);
    bool moves = opcode == NVM_OP_READ || opcode == NVM_OP_WRITE || opcode == NVM_OP_COMPARE;
    uint32_t reserved = opcode == NVM_OP_WRITE ? CDW12_RESERVED : CDW12_RESERVED | CDW12_DTYPE;
    if (!is_io_opcode(opcode))
        return "an opcode that the NVM command set has";
    if (opcode >= OPCODE_VENDOR)
        return NULL;
    if (nsid == 0 && opcode != 0x0d && opcode != 0x0e && opcode != 0x11 && opcode != 0x15)
        return "a namespace identifier, not 0";
    if (moves && (nsid == NSID_ALL || (c->identified && c->nn != 0 && nsid > c->nn)))
        return "the identifier of one namespace";
    if (moves && (SQE_CDW(sqe, 12) & reserved) != 0)
        return "0 in the reserved bits of dword 12";
    return NULL;
}

static void judge_form(struct rules *rules, const struct picture_sq *sq,
                       const struct picture_command *command)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    const uint8_t *sqe = command->sqe;
    const char *allowed = NULL;
    if (sq->qid != 0)
        allowed = io_fault(c, sqe);
    else if (!is_admin_opcode(SQE_OPCODE(sqe)))
        allowed = "an opcode that the admin command set has";
    if (allowed == NULL && (sqe[1] & BYTE1_RESERVED) != 0)
        allowed = "0 in bits 5:2 of byte 1";
    if (allowed == NULL && SQE_FUSE(sqe) == 3)
        allowed = "FUSE 0, 1 or 2";
    if (allowed != NULL)
        rules_complain(rules, RULE_S10, WHERE_COMMAND(rules_cpu(rules), command), allowed,
                       "opcode %02xh, byte 1 %02xh, NSID %xh, dword 12 %xh", SQE_OPCODE(sqe),
                       sqe[1], SQE_NSID(sqe), SQE_CDW(sqe, 12));
}

/* The second half comes right behind the first, in the same queue and with the same doorbell. */
static void judge_fused(struct rules *rules, const struct picture_sq *sq,
                        const struct picture_command *command)
{
    struct command_state_of_fuse *state = judge_state(rules, &judge_command);
    struct where where = WHERE_COMMAND(rules_cpu(rules), command);
    unsigned fuse = SQE_FUSE(command->sqe);
    bool together =
        state->first_open && state->sqid == sq->qid && state->rung_ps == command->rung_ps;
    if (fuse == FUSED_SECOND && !together)
        rules_complain(rules, RULE_S10, where, "right behind its first half, same doorbell",
                       "the second half of a fused operation stands alone");
    else if (state->first_open && fuse != FUSED_SECOND && state->sqid == sq->qid)
        rules_complain(rules, RULE_S10, where, "its second half, same doorbell",
                       "the first half of a fused operation is followed by another command");
    if (state->sqid == sq->qid || fuse == FUSED_FIRST)
        *state = (struct command_state_of_fuse){fuse == FUSED_FIRST, sq->qid, command->rung_ps};
}

/* ---- S11 and S12 ---- */

static bool has_range(uint8_t opcode)
{
    return opcode == NVM_OP_READ || opcode == NVM_OP_WRITE || opcode == NVM_OP_COMPARE ||
           opcode == NVM_OP_WRITE_ZEROES || opcode == NVM_OP_VERIFY;
}

static void judge_range(struct rules *rules, const struct picture_command *command)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    uint32_t nsid = SQE_NSID(command->sqe);
    uint64_t slba = SQE_SLBA(command->sqe), count = SQE_NLB(command->sqe);
    if (nsid >= PICTURE_NAMESPACES || !c->namespaces[nsid].known ||
        !has_range(SQE_OPCODE(command->sqe)))
        return;
    uint64_t blocks = c->namespaces[nsid].blocks;
    if (slba >= blocks || count > blocks - slba)
        rules_complain(
            rules, RULE_S11, WHERE_COMMAND(rules_cpu(rules), command),
            "blocks inside the namespace", "%llu blocks from %llu on, and namespace %u has %llu",
            (unsigned long long)count, (unsigned long long)slba, nsid, (unsigned long long)blocks);
}

static void judge_length(struct rules *rules, const struct picture_command *command)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    if (!c->identified || c->mdts == 0 || c->mdts > 32)
        return;
    uint64_t most = (UINT64_C(4096) << CAP_MPSMIN(c->cap)) << c->mdts;
    if (command->data.bytes > most)
        rules_complain(rules, RULE_S12, WHERE_COMMAND(rules_cpu(rules), command),
                       "2^MDTS pages of CAP.MPSMIN", "%llu bytes, and MDTS %u allows %llu",
                       (unsigned long long)command->data.bytes, c->mdts, (unsigned long long)most);
}

/* ---- S13 ---- */

static uint32_t outstanding(const struct picture *p, uint8_t opcode)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->commands_count; i++) {
        const struct picture_command *other = &p->commands[i];
        count += other->next == i && other->sqid == 0 && other->known &&
                 other->state != COMMAND_POSTED && SQE_OPCODE(other->sqe) == opcode;
    }
    return count; /* the one that is being rung is among them */
}

static void judge_number(struct rules *rules, const struct picture_command *command)
{
    const struct picture *p = rules_picture(rules);
    const struct picture_controller *c = &p->controller;
    uint8_t opcode = SQE_OPCODE(command->sqe);
    bool is_event = opcode == ADMIN_ASYNC_EVENT;
    if (!c->identified || (!is_event && opcode != ADMIN_ABORT))
        return;
    uint32_t count = outstanding(p, opcode), most = (is_event ? c->aerl : c->acl) + 1u;
    if (count > most)
        rules_complain(rules, RULE_S13, WHERE_COMMAND(rules_cpu(rules), command),
                       is_event ? "AERL + 1" : "ACL + 1", "%u %s outstanding, %u are allowed",
                       count, is_event ? "Asynchronous Event Requests" : "Aborts", most);
}

static void command_rung(struct rules *rules, struct picture_sq *sq,
                         const struct picture_command *command)
{
    if (!command->known)
        return;
    judge_form(rules, sq, command);
    judge_length(rules, command);
    if (sq->qid == 0) {
        judge_number(rules, command);
    } else {
        judge_fused(rules, sq, command);
        judge_range(rules, command);
    }
}

const struct judge judge_command = {
    .id = JUDGE_COMMAND,
    .state_bytes = sizeof(struct command_state_of_fuse),
    .rung = command_rung,
};

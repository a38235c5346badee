/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the hostile device does for admin commands (NVMe 1.4 section 5): Identify and log pages,
 * with the mutations that the input asks for, queues, Abort, features, doorbell buffers. Called by
 * driver_device.c. See driver.h.
 */
#include "fuzz/driver.h"

#include <string.h>

#define CQE_BYTES      16u
#define SQE_BYTES      64u
#define IDENTIFY       4096u
#define STATUS_ABORTED 0x07u
#define LOW(value)     ((uint32_t)(value))
#define HIGH(value)    ((uint32_t)((value) >> 32))

static void fill_controller(struct hostile *h, uint8_t *page)
{
    memset(page + NVME_IDC_SN, ' ', 68);
    page[NVME_IDC_MDTS] = 4;
    page[NVME_IDC_CRDT1] = 1;
    page[NVME_IDC_OACS + 1] = 1; /* Doorbell Buffer Config */
    page[NVME_IDC_ACL] = 1;
    page[NVME_IDC_AERL] = 3;
    page[NVME_IDC_HMPRE] = 16;
    page[NVME_IDC_SQES] = 0x66;
    page[NVME_IDC_CQES] = 0x44;
    page[NVME_IDC_NN] = 2;
    page[NVME_IDC_ONCS] = 0xFF;
    page[NVME_IDC_VWC] = 1;
    page[NVME_IDC_SGLS] = h->backwards ? 2 : 1;
}

static void fill_namespace(uint8_t *page, uint32_t nsid)
{
    page[NVME_IDN_NSZE + 6] = 1; /* 2^48 blocks */
    page[NVME_IDN_NOIOB] = nsid == 2 ? 8 : 0;
    page[NVME_IDN_DLFEAT] = 0xF;
    page[NVME_IDN_LBAF + 2] = nsid == 2 ? 12 : 9;
}

/* A page of Identify or of a log. which: what a mutation names. */
static void fill(struct hostile *h, uint8_t *page, uint32_t bytes, uint32_t which, uint32_t nsid)
{
    memset(page, 0, bytes);
    if (which == NVME_CNS_CONTROLLER) {
        fill_controller(h, page);
    } else if (which == NVME_CNS_NAMESPACE) {
        fill_namespace(page, nsid);
    } else if (which == NVME_CNS_ACTIVE_LIST) {
        page[0] = 1;
        page[4] = 2;
    }
    for (uint32_t i = 0; i < h->mutation_count; i++)
        if (h->mutations[i].page == which)
            page[h->mutations[i].at % bytes] = h->mutations[i].value;
    if (which == NVME_CNS_CONTROLLER) {
        h->acl = page[NVME_IDC_ACL];
        h->aerl = page[NVME_IDC_AERL];
    }
}

static void forget_queue(struct hostile *h, unsigned qid)
{
    for (uint32_t i = 0; i < HOSTILE_COMMANDS; i++)
        if (h->commands[i].held && h->commands[i].qid == qid)
            h->commands[i].held = false;
}

static void create(struct hostile *h, const struct nvme_sqe *sqe, bool is_cq)
{
    uint32_t qid = sqe->cdw10_11 & 0xFFFF, size = (LOW(sqe->cdw10_11) >> 16) + 1;
    uint32_t bytes = size * (is_cq ? CQE_BYTES : SQE_BYTES);
    uint8_t *at;

    if (qid == 0 || qid >= HOSTILE_QUEUES || size < 2 || size > NVME_CAP_MQES(h->cap) + 1 ||
        (is_cq ? h->cq[qid].exists : h->sq[qid].exists))
        hostile_fail("creation of queue %u of %u entries", qid, size);
    if (!hostile_resolve(h, sqe->prp1, bytes, is_cq, &at) || !at || sqe->prp1 % 4096 != 0)
        hostile_fail("the memory of queue %u is nobody's", qid);
    if (!is_cq) {
        if (!h->cq[sqe->cdw10_11 >> 48].exists)
            hostile_fail("SQ %u names a CQ that does not exist (5.4)", qid);
        h->sq[qid] =
            (struct hostile_sq){true, sqe->prp1, size, 0, 0, (uint16_t)(sqe->cdw10_11 >> 48)};
        return;
    }
    for (uint32_t i = 0; i < size && !h->wild; i++)
        if (at[i * CQE_BYTES + 14] & 1)
            hostile_fail("CQ %u is created with a phase tag set (4.6)", qid);
    h->cq[qid] = (struct hostile_cq){true, sqe->prp1, size, 0, 0, 1};
}

static uint32_t abort_command(struct hostile *h, const struct nvme_sqe *sqe)
{
    uint32_t qid = sqe->cdw10_11 & 0xFFFF;
    struct hostile_command *command = hostile_lookup(h, qid, LOW(sqe->cdw10_11) >> 16);

    if (!command || command->answered || qid == 0)
        return 1; /* not aborted (5.1) */
    hostile_answer(h, command, STATUS_ABORTED);
    return 0;
}

uint32_t hostile_execute(struct hostile *h, struct hostile_command *command)
{
    const struct nvme_sqe *sqe = &command->sqe;
    uint32_t id = sqe->cdw10_11 & 0xFFFF;
    uint8_t *page;

    switch ((uint8_t)sqe->command_nsid) {
    case NVME_ADMIN_IDENTIFY:
        if (hostile_resolve(h, sqe->prp1, IDENTIFY, true, &page) && page)
            fill(h, page, IDENTIFY, id & 0xFF, HIGH(sqe->command_nsid));
        return 0;
    case NVME_ADMIN_GET_LOG_PAGE:
        if (hostile_resolve(h, sqe->prp1, 512, true, &page) && page)
            fill(h, page, 512, 0x100 | (id & 0xFF), 0);
        return 0;
    case NVME_ADMIN_CREATE_CQ:
        create(h, sqe, true);
        return 0;
    case NVME_ADMIN_CREATE_SQ:
        create(h, sqe, false);
        return 0;
    case NVME_ADMIN_DELETE_SQ:
        h->sq[id % HOSTILE_QUEUES].exists = false;
        forget_queue(h, id);
        return 0;
    case NVME_ADMIN_DELETE_CQ:
        h->cq[id % HOSTILE_QUEUES].exists = false;
        return 0;
    case NVME_ADMIN_SET_FEATURES:
        return (id & 0xFF) == NVME_FEATURE_QUEUES ? h->grant : 0;
    case NVME_ADMIN_ABORT:
        return abort_command(h, sqe);
    case NVME_ADMIN_DOORBELL_BUFFERS:
        if (!hostile_resolve(h, sqe->prp1, 4096, false, &page) || !page ||
            !hostile_resolve(h, sqe->prp2, 4096, true, &page) || !page)
            hostile_fail("doorbell buffers that are nobody's (5.7)");
        h->shadow = sqe->prp1;
        h->event_index = sqe->prp2;
        return 0;
    default:
        return 0;
    }
}

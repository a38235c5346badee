/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The test double's admin commands: Identify pages, features, queues, log pages, vendor commands
 * that move data. It follows NVMe 1.4 where it is not told to misbehave.
 */
#include "fake.h"
#include "fake_device.h"

void fake_patch(uint32_t cns, uint32_t offset, uint32_t bytes, uint64_t value)
{
    ck_assert_uint_lt(fake->patch_count, 24);
    fake->patches[fake->patch_count++] = (struct fake_patch){cns, offset, bytes, value};
}

static uint64_t memory64(uint64_t bus)
{
    uint64_t value;

    memcpy(&value, fake_cpu(bus, 8), 8);
    return fake_le64(value);
}

/* 5.21.1.13: enabled while it is disabled and the other way round; whole pages. */
static void host_memory(const struct nvme_sqe *sqe)
{
    struct fake_host_memory *memory = &fake->host_memory;
    uint32_t flags = (uint32_t)(sqe->cdw10_11 >> 32);
    uint64_t list = sqe->cdw12_13 >> 32 | sqe->cdw14_15 << 32;

    ck_assert_uint_ne(memory->enabled, flags & 1);
    memory->enabled = flags & 1;
    memory->enables += flags & 1;
    memory->returned += flags >> 1 & 1;
    memory->disables += !(flags & 1);
    if (!memory->enabled)
        return;
    memory->pieces = (uint32_t)(sqe->cdw14_15 >> 32);
    memory->bytes = memory->largest = 0;
    memory->smallest = UINT32_MAX;
    ck_assert_uint_eq(list % 16, 0);
    for (uint32_t i = 0; i < memory->pieces; i++) {
        uint32_t bytes = (uint32_t)memory64(list + 16 * i + 8) * FAKE_PAGE;

        ck_assert_uint_gt(bytes, 0);
        ck_assert_uint_eq(memory64(list + 16 * i) % FAKE_PAGE, 0);
        fake_cpu(memory64(list + 16 * i), bytes);
        memory->bytes += bytes;
        memory->largest = bytes > memory->largest ? bytes : memory->largest;
        memory->smallest = bytes < memory->smallest ? bytes : memory->smallest;
    }
    ck_assert_uint_eq((uint32_t)sqe->cdw12_13 * FAKE_PAGE, memory->bytes);
}

static uint32_t set_features(const struct nvme_sqe *sqe)
{
    switch (sqe->cdw10_11 & 0xFF) {
    case 0x01:
        fake->arbitration = (uint32_t)(sqe->cdw10_11 >> 32);
        return 0;
    case 0x07:
        return fake->grant;
    case 0x0D:
        host_memory(sqe);
        return 0;
    case 0x16:
        fake->behavior = *(const uint8_t *)fake_cpu(sqe->prp1, 512);
        return 0;
    default:
        return 0;
    }
}

static void identify(const struct nvme_sqe *sqe)
{
    uint8_t *page = fake_cpu(sqe->prp1, 4096);
    uint32_t nsid = (uint32_t)(sqe->command_nsid >> 32);

    memset(page, 0, 4096);
    switch (sqe->cdw10_11 & 0xFF) {
    case NVME_CNS_CONTROLLER:
        memcpy(page + NVME_IDC_SN, "SERIAL-1            ", 20);
        memcpy(page + NVME_IDC_MN, "Fake Drive\t                             ", 40);
        memcpy(page + NVME_IDC_FR, "1.0     ", 8);
        page[NVME_IDC_MDTS] = fake->mdts;
        memcpy(page + 88, &fake->rtd3e, 4); /* RTD3E: bytes 91:88 */
        page[NVME_IDC_AERL] = fake->aerl;
        page[NVME_IDC_SQES] = fake->sqes;
        page[NVME_IDC_CQES] = fake->cqes;
        page[NVME_IDC_VWC] = fake->vwc;
        page[NVME_IDC_SGLS] = (uint8_t)fake->sgls;
        page[NVME_IDC_NN] = (uint8_t)fake->ns_count;
        memcpy(page + NVME_IDC_ONCS, &fake->oncs, 2);
        memcpy(page + NVME_IDC_OACS, &fake->oacs, 2);
        break;
    case NVME_CNS_ACTIVE_LIST:
        for (uint32_t i = 0; i < fake->ns_count; i++)
            memcpy(page + 4 * (fake->unsorted_list ? fake->ns_count - 1 - i : i), &fake->ns[i].nsid,
                   4);
        break;
    default:
        for (uint32_t i = 0; i < fake->ns_count; i++) {
            const struct fake_ns *ns = &fake->ns[i];
            uint8_t *format = page + NVME_IDN_LBAF + 4 * (ns->flbas & 0xF);

            if (ns->nsid != nsid)
                continue;
            memcpy(page + NVME_IDN_NSZE, &ns->blocks, 8);
            page[NVME_IDN_NLBAF] = ns->nlbaf;
            page[NVME_IDN_FLBAS] = ns->flbas;
            page[NVME_IDN_DPS] = ns->dps;
            page[NVME_IDN_DLFEAT] = ns->dlfeat;
            page[NVME_IDN_NOIOB] = (uint8_t)ns->noiob;
            page[NVME_IDN_NOIOB + 1] = (uint8_t)(ns->noiob >> 8);
            memcpy(format, &ns->metadata, 2);
            format[2] = ns->lba_shift;
        }
    }
    for (uint32_t i = 0; i < fake->patch_count; i++)
        for (uint32_t b = 0;
             fake->patches[i].cns == (sqe->cdw10_11 & 0xFF) && b < fake->patches[i].bytes; b++)
            page[fake->patches[i].offset + b] = (uint8_t)(fake->patches[i].value >> 8 * b);
}

static void create_cq(const struct nvme_sqe *sqe)
{
    struct fake_queue *q = &fake->queues[sqe->cdw10_11 & 0xFFFF];

    ck_assert(!q->cq_exists);
    q->cq_bus = sqe->prp1;
    q->cq_depth = (uint32_t)(sqe->cdw10_11 >> 16 & 0xFFFF) + 1;
    q->cq_flags = (uint32_t)(sqe->cdw10_11 >> 32);
    q->phase = 1;
    q->cq_exists = true;
    for (uint32_t i = 0; i < q->cq_depth; i++) /* 4.6: the phase tags are zero at creation */
        ck_assert_uint_eq(((struct nvme_cqe *)fake_cpu(q->cq_bus, 16))[i].cid_status, 0);
}

static void create_sq(const struct nvme_sqe *sqe)
{
    struct fake_queue *q = &fake->queues[sqe->cdw10_11 & 0xFFFF];

    ck_assert(!q->sq_exists);
    ck_assert(fake->queues[sqe->cdw10_11 >> 48].cq_exists);
    q->sq_bus = sqe->prp1;
    q->depth = (uint32_t)(sqe->cdw10_11 >> 16 & 0xFFFF) + 1;
    fake->priorities[sqe->cdw10_11 & 0xFFFF] = (uint32_t)(sqe->cdw10_11 >> 33) & 3;
    q->sq_exists = true;
}

/* 5.7: two pages, of the controller's page size, distinct, zero, and nothing else in the entry. */
static void doorbell_buffers(const struct nvme_sqe *sqe)
{
    ck_assert(fake->oacs & (1u << 8));
    ck_assert_uint_eq(sqe->prp1 % FAKE_PAGE, 0);
    ck_assert_uint_eq(sqe->prp2 % FAKE_PAGE, 0);
    ck_assert_uint_ne(sqe->prp1, sqe->prp2);
    ck_assert_uint_eq(sqe->cdw10_11 | sqe->cdw12_13 | sqe->cdw14_15 | sqe->cdw2_3, 0);
    for (uint32_t i = 0; i < FAKE_PAGE; i++)
        ck_assert_uint_eq(
            *(uint8_t *)fake_cpu(sqe->prp1 + i, 1) | *(uint8_t *)fake_cpu(sqe->prp2 + i, 1), 0);
    fake->shadow_bus = sqe->prp1;
    fake->event_bus = sqe->prp2;
}

/* 5.1: obeyed, the command's own entry comes first, with Command Abort Requested; refused, bit 0 of
 * the answer is set; forgotten, the answer says aborted and no entry ever comes; ignored, there is
 * not even an answer. */
static bool abort_command(const struct nvme_sqe *sqe, uint32_t *result)
{
    uint32_t qid = sqe->cdw10_11 & 0xFFFF, cid = sqe->cdw10_11 >> 16 & 0xFFFF;
    struct fake_queue *q = &fake->queues[qid % FAKE_QUEUES];

    fake->aborts++;
    fake->abort_cid = fake_cid(sqe);
    fake->abort_what = (uint32_t)sqe->cdw10_11;
    *result = fake->abort == FAKE_REFUSES;
    for (uint32_t i = 0; fake->abort == FAKE_OBEYS && i < q->in_flight; i++)
        if (fake_cid(&q->fetched[i]) == cid) {
            fake_complete(qid, i, NVME_STATUS_ABORTED);
            return true;
        }
    return fake->abort != FAKE_IGNORES;
}

void fake_admin_post(uint32_t cid, uint16_t status, uint32_t result)
{
    struct fake_queue *q = &fake->queues[0];

    ((struct nvme_cqe *)fake_cpu(q->cq_bus, 16))[q->cq_tail].result = fake_le32(result);
    fake_post(0, cid, status, (q->head + fake->admin_sqhd_error) & 0xFFFF, 0);
}

static void vendor(const struct nvme_sqe *sqe)
{
    static struct nvme_segment parts[1024];
    uint8_t *at = fake->admin_data;
    uint32_t bytes = (uint32_t)sqe->cdw10_11;
    uint32_t count = bytes ? fake_walk(sqe, bytes, parts, 1024) : 0;

    for (uint32_t i = 0; i < count; i++, at += parts[i - 1].bytes)
        if (fake_opcode(sqe) == FAKE_VENDOR_IN)
            memcpy(fake_cpu(parts[i].bus, parts[i].bytes), at, parts[i].bytes);
        else
            memcpy(at, fake_cpu(parts[i].bus, parts[i].bytes), parts[i].bytes);
}

bool fake_device_admin(const struct nvme_sqe *sqe, uint32_t *result)
{
    struct fake_queue *q = &fake->queues[(sqe->cdw10_11 & 0xFFFF) % FAKE_QUEUES];

    switch (fake_opcode(sqe)) {
    case NVME_ADMIN_IDENTIFY:
        identify(sqe);
        break;
    case NVME_ADMIN_GET_LOG_PAGE:
        memset(fake_cpu(sqe->prp1, 4), fake->log_fill,
               ((uint32_t)(sqe->cdw10_11 >> 16 & 0xFFF) + 1) * 4);
        break;
    case NVME_ADMIN_SET_FEATURES:
        *result = set_features(sqe);
        break;
    case NVME_ADMIN_DOORBELL_BUFFERS:
        doorbell_buffers(sqe);
        break;
    case NVME_ADMIN_CREATE_CQ:
        create_cq(sqe);
        break;
    case NVME_ADMIN_CREATE_SQ:
        create_sq(sqe);
        break;
    case NVME_ADMIN_DELETE_SQ:
        ck_assert(q->sq_exists);
        q->sq_exists = false;
        break;
    case NVME_ADMIN_DELETE_CQ:
        ck_assert(q->cq_exists && !q->sq_exists);
        q->cq_exists = false;
        break;
    case NVME_ADMIN_ABORT:
        return abort_command(sqe, result);
    case NVME_ADMIN_ASYNC_EVENT:
        ck_assert_uint_le(fake->aer_held, fake->aerl);
        fake->aer_cids[fake->aer_held++] = (uint16_t)fake_cid(sqe);
        return false;
    case FAKE_VENDOR_IN:
    case FAKE_VENDOR_OUT:
        vendor(sqe);
        *result = (uint32_t)(sqe->cdw14_15 >> 32);
        break;
    default:
        break;
    }
    return true;
}

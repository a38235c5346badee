/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The test double's device half: registers, admin commands, and I/O commands ended as a test says.
 * It follows NVMe 1.4 where it is not told to misbehave, and asserts what a host must not do:
 * doorbells out of range or unchanged, registers written at the wrong time, reserved fields that
 * are not zero.
 */
#include "fake.h"
#include "fake_device.h"

uint8_t fake_disk[FAKE_BLOCKS * FAKE_BLOCK];

uint64_t fake_le64(uint64_t value)
{
    uint64_t swapped = 0;

    if (!NVME_BIG_ENDIAN)
        return value;
    for (unsigned i = 0; i < 8; i++)
        swapped |= ((value >> (8 * i)) & 0xFF) << (8 * (7 - i));
    return swapped;
}

uint32_t fake_le32(uint32_t value)
{
    return NVME_BIG_ENDIAN ? (uint32_t)(fake_le64(value) >> 32) : value;
}

void fake_device_create(void)
{
    fake->cap = 63 | (1u << 16) | (4u << 24) | (1ull << 37); /* MQES 63, CQR, TO 2 s, NVM */
    fake->vs = 0x00010400;
    fake->sqes = 0x66;
    fake->cqes = 0x44;
    fake->vwc = 1;
    fake->aerl = 3;
    fake->oncs = 1u << 3;
    fake->mdts = 5; /* 128 KiB */
    fake->ns_count = 1;
    fake->ns[0] = (struct fake_ns){.nsid = 1, .blocks = FAKE_BLOCKS, .lba_shift = 9};
    fake->grant = 7 | (7u << 16);
    fake->admin_fail_opcode = fake->admin_fail_feature = UINT32_MAX;
    fake->behavior = UINT32_MAX;
}

void fake_disk_create(void)
{
    for (uint32_t i = 0; i < sizeof(fake_disk); i++)
        fake_disk[i] = (uint8_t)(i ^ (i >> 9) ^ (i >> 17));
}

uint32_t fake_cid(const struct nvme_sqe *sqe)
{
    return (uint32_t)(sqe->command_nsid >> 16) & 0xFFFF;
}

uint32_t fake_opcode(const struct nvme_sqe *sqe)
{
    return (uint32_t)(sqe->command_nsid & 0xFF);
}

/* ---- registers ---- */

/* RDY follows EN after so many reads of CSTS. */
static void settle_ready(void)
{
    bool ready = (fake->csts & NVME_CSTS_RDY) != 0;

    if (ready == fake->target_ready || fake->pending_reads-- != 0)
        return;
    fake->pending_reads = 0;
    if (fake->target_ready ? fake->never_ready : fake->never_unready)
        return;
    fake->csts ^= NVME_CSTS_RDY;
    if (!fake->target_ready) {
        fake->csts &= ~(NVME_CSTS_SHST_MASK | NVME_CSTS_CFS);
        memset(fake->queues, 0, sizeof(fake->queues));
        fake->host_memory.enabled = false;
        if (fake->admin_hold_ends_at_reset)
            fake->hold_admin = false;
        fake->aer_held = 0;
        fake->intms = 0;
        fake->shadow_bus = fake->event_bus = 0;
    } else {
        struct fake_queue *admin = &fake->queues[0];

        admin->sq_bus = fake->asq;
        admin->cq_bus = fake->acq;
        admin->depth = (fake->aqa & 0xFFF) + 1;
        admin->cq_depth = ((fake->aqa >> 16) & 0xFFF) + 1;
        admin->phase = 1;
        admin->sq_exists = admin->cq_exists = true;
    }
}

uint32_t fake_device_read(uint32_t offset)
{
    switch (offset) {
    case NVME_REG_CAP:
        return (uint32_t)fake->cap;
    case NVME_REG_CAP + 4:
        return (uint32_t)(fake->cap >> 32);
    case NVME_REG_VS:
        return fake->vs;
    case NVME_REG_CC:
        return fake->cc;
    case NVME_REG_CSTS:
        settle_ready();
        return fake->csts;
    default:
        ck_abort_msg("read of register %x", offset);
        return 0;
    }
}

static void write_cc(uint32_t value)
{
    bool was = fake->cc & NVME_CC_EN, is = value & NVME_CC_EN;

    if (was != is) {
        /* 3.1.5: EN 0 to 1 only with RDY 0, 1 to 0 only with RDY 1 (or a fatal status, or when RDY
         * never comes); SHN does not outlive EN */
        ck_assert((fake->csts & NVME_CSTS_CFS) || (was && fake->never_ready) ||
                  was == ((fake->csts & NVME_CSTS_RDY) != 0));
        ck_assert_uint_eq(value & NVME_CC_SHN_MASK, 0);
        fake->target_ready = is;
        fake->pending_reads = fake->ready_reads;
    } else if (was) {
        ck_assert_uint_eq((fake->cc ^ value) & ~NVME_CC_SHN_MASK, 0);
    }
    if ((value & NVME_CC_SHN_MASK) && !(fake->cc & NVME_CC_SHN_MASK))
        fake->shut_while_lent += fake->host_memory.enabled;
    if ((value & NVME_CC_SHN_MASK) && !(fake->cc & NVME_CC_SHN_MASK) && !fake->never_shut)
        fake->csts |= NVME_CSTS_SHST_COMPLETE;
    fake->cc = value;
}

static uint32_t *shadow_entry(uint64_t page, uint32_t index)
{
    uint32_t at = index * (4u << ((fake->cap >> 32) & 0xF));

    ck_assert_uint_ne(page, 0);
    ck_assert_uint_lt(at, FAKE_PAGE);
    return fake_cpu(page + at, 4);
}

uint32_t *fake_shadow(uint32_t qid, bool cq)
{
    return shadow_entry(fake->shadow_bus, 2 * qid + cq);
}

uint32_t *fake_event_idx(uint32_t qid, bool cq)
{
    return shadow_entry(fake->event_bus, 2 * qid + cq);
}

void fake_look(uint32_t qid)
{
    struct fake_queue *q = &fake->queues[qid];

    q->tail = fake_le32(*fake_shadow(qid, false));
    q->cq_head = fake_le32(*fake_shadow(qid, true));
    ck_assert_uint_lt(q->tail, q->depth); /* and with it that the upper half is zero */
    ck_assert_uint_lt(q->cq_head, q->cq_depth);
}

/* A register of a queue that has a shadow says what the shadow says (7.13); all others never say
 * the same twice. */
static void check_value(uint32_t index, uint32_t value, uint32_t before)
{
    uint32_t stride = 4u << ((fake->cap >> 32) & 0xF);

    if (fake->shadow_bus != 0 && index > 1 && (index + 1) * stride <= FAKE_PAGE)
        ck_assert_uint_eq(fake_le32(*shadow_entry(fake->shadow_bus, index)), value);
    else
        ck_assert_uint_ne(value, before);
}

static void doorbell(uint32_t index, uint32_t value)
{
    struct fake_queue *q = &fake->queues[index / 2];

    ck_assert_uint_lt(index / 2, FAKE_QUEUES);
    ck_assert(fake->csts & NVME_CSTS_RDY);
    ck_assert_uint_eq(fake->cc & NVME_CC_SHN_MASK, 0); /* no command after shutdown notification */
    if (index & 1) {
        ck_assert(q->cq_exists);
        ck_assert_uint_lt(value, q->cq_depth);
        check_value(index, value, q->cq_head);
        q->cq_head = value;
        return;
    }
    ck_assert(q->sq_exists);
    ck_assert_uint_lt(value, q->depth);
    check_value(index, value, q->tail);
    q->tail = value;
    if (index == 0 && !fake->hold_admin)
        fake_run(0);
}

void fake_device_write(uint32_t offset, uint32_t value)
{
    bool off = !(fake->cc & NVME_CC_EN) && !(fake->csts & NVME_CSTS_RDY);
    uint32_t stride = 4u << ((fake->cap >> 32) & 0xF);

    switch (offset) {
    case NVME_REG_INTMS:
        fake->intms |= value;
        return;
    case NVME_REG_INTMC:
        fake->intms &= ~value;
        return;
    case NVME_REG_CC:
        write_cc(value);
        return;
    case NVME_REG_AQA:
        ck_assert(off);
        fake->aqa = value;
        return;
    case NVME_REG_ASQ:
    case NVME_REG_ASQ + 4:
    case NVME_REG_ACQ:
    case NVME_REG_ACQ + 4: {
        uint64_t *base = offset < NVME_REG_ACQ ? &fake->asq : &fake->acq;

        ck_assert(off);
        *base = offset & 4 ? (*base & UINT32_MAX) | ((uint64_t)value << 32)
                           : (*base & ~(uint64_t)UINT32_MAX) | value;
        return;
    }
    default:
        ck_assert_uint_ge(offset, NVME_REG_DOORBELL);
        ck_assert_uint_eq((offset - NVME_REG_DOORBELL) % stride, 0);
        doorbell((offset - NVME_REG_DOORBELL) / stride, value);
    }
}

/* ---- queues ---- */

void fake_fetch(uint32_t qid)
{
    struct fake_queue *q = &fake->queues[qid];
    const struct nvme_sqe *ring = q->sq_exists ? fake_cpu(q->sq_bus, q->depth * 64u) : NULL;

    while (q->head != q->tail) {
        const uint64_t *raw = (const uint64_t *)&ring[q->head];
        struct nvme_sqe entry;
        struct nvme_sqe *sqe = &entry;

        for (uint32_t i = 0; i < 8; i++)
            ((uint64_t *)&entry)[i] = fake_le64(raw[i]);
        ck_assert_uint_lt(q->in_flight, FAKE_FETCHED);
        for (uint32_t i = 0; i < q->in_flight; i++) /* 4.2: unique among those outstanding */
            ck_assert_uint_ne(fake_cid(&q->fetched[i]), fake_cid(sqe));
        ck_assert(qid == 0 || fake->any_words || (sqe->cdw2_3 | sqe->cdw14_15) == 0);
        ck_assert_uint_eq(sqe->metadata, 0);
        q->fetched[q->in_flight++] = *sqe;
        q->head = (q->head + 1) % q->depth;
    }
}

void fake_post(uint32_t qid, uint32_t cid, uint16_t status, uint32_t sqhd, uint32_t sqid)
{
    struct fake_queue *q = &fake->queues[qid];
    struct nvme_cqe *cqe = (struct nvme_cqe *)fake_cpu(q->cq_bus, q->cq_depth * 16u) + q->cq_tail;

    cqe->sqhd_sqid = fake_le32(sqhd | (sqid << 16));
    cqe->cid_status = fake_le32(cid | (q->phase << 16) | ((uint32_t)status << 17));
    if (++q->cq_tail == q->cq_depth) {
        q->cq_tail = 0;
        q->phase ^= 1;
    }
}

void fake_complete(uint32_t qid, uint32_t index, uint16_t status)
{
    struct fake_queue *q = &fake->queues[qid];
    uint32_t cid = fake_cid(&q->fetched[index]);

    ck_assert_uint_lt(index, q->in_flight);
    memmove(&q->fetched[index], &q->fetched[index + 1],
            (q->in_flight - index - 1) * sizeof(q->fetched[0]));
    q->in_flight--;
    fake_post(qid, cid, status, q->head, qid);
}

/* 4.4: a data block, or segments of data blocks that lead from one to the next. */
static uint32_t walk_sgl(const struct nvme_sqe *sqe, uint32_t bytes, struct nvme_segment *out,
                         uint32_t max)
{
    uint64_t bus = sqe->prp1, word = sqe->prp2;
    uint32_t count = 0;

    if (word >> 60 == NVME_SGL_BLOCK) {
        ck_assert_uint_eq(word, bytes);
        out[0] = (struct nvme_segment){bus, bytes};
        return 1;
    }
    for (;;) {
        uint32_t type = (uint32_t)(word >> 60), here = (uint32_t)word / 16;
        const uint64_t *at = fake_cpu(bus, here * 16);

        ck_assert(type == NVME_SGL_SEGMENT || type == NVME_SGL_LAST_SEGMENT);
        ck_assert_uint_eq(word & 0x0FFFFFFF00000000ull, 0); /* subtype 0, reserved 0 */
        ck_assert_uint_eq(word % 16, 0);
        ck_assert_uint_gt(here, 0);
        ck_assert_uint_eq(bus % 8, 0);
        for (uint32_t i = 0; i < here; i++) {
            bus = fake_le64(at[2 * i]);
            word = fake_le64(at[2 * i + 1]);
            if (type == NVME_SGL_SEGMENT && i + 1 == here)
                break;                        /* leads to the next */
            ck_assert_uint_eq(word >> 32, 0); /* data block */
            ck_assert_uint_lt(count, max);
            ck_assert_uint_le(word, bytes);
            out[count++] = (struct nvme_segment){bus, (uint32_t)word};
            bytes -= (uint32_t)word;
        }
        if (type == NVME_SGL_LAST_SEGMENT)
            break;
    }
    ck_assert_uint_eq(bytes, 0);
    if (fake->sgls == NVME_IDC_SGLS_DWORD)
        for (uint32_t i = 0; i < count; i++)
            ck_assert_uint_eq((out[i].bus | out[i].bytes) % 4, 0);
    return count;
}

uint32_t fake_walk(const struct nvme_sqe *sqe, uint32_t bytes, struct nvme_segment *out,
                   uint32_t max)
{
    uint32_t psdt = (uint32_t)(sqe->command_nsid >> 14) & 3;
    uint32_t first = FAKE_PAGE - (uint32_t)(sqe->prp1 % FAKE_PAGE);
    uint32_t count = 0;
    uint64_t entry;

    if (psdt != 0) {
        ck_assert_uint_eq(psdt, 1);
        ck_assert_uint_ne(fake->sgls, 0);
        return walk_sgl(sqe, bytes, out, max);
    }
    ck_assert_uint_eq(sqe->prp1 % 4, 0);
    if (first > bytes)
        first = bytes;
    out[count++] = (struct nvme_segment){sqe->prp1, first};
    bytes -= first;
    if (bytes == 0) {
        ck_assert_uint_eq(sqe->prp2, 0);
    } else if (bytes <= FAKE_PAGE) {
        ck_assert_uint_eq(sqe->prp2 % FAKE_PAGE, 0);
        out[count++] = (struct nvme_segment){sqe->prp2, bytes};
    } else {
        ck_assert_uint_eq(sqe->prp2 % 8, 0);
        for (entry = sqe->prp2; bytes != 0; entry += 8) {
            uint64_t value;
            uint32_t part = bytes < FAKE_PAGE ? bytes : FAKE_PAGE;

            memcpy(&value, fake_cpu(entry, 8), 8);
            value = fake_le64(value);
            ck_assert_uint_eq(value % FAKE_PAGE, 0);
            if (entry % FAKE_PAGE == FAKE_PAGE - 8 && bytes > FAKE_PAGE) {
                entry = value - 8; /* 4.3: the last entry of a page points to the next */
                continue;
            }
            ck_assert_uint_lt(count, max);
            out[count++] = (struct nvme_segment){value, part};
            bytes -= part;
        }
    }
    return count;
}

/* 6.7: attributes, blocks, first LBA; what is deallocated reads as zeroes here. */
static void deallocate(const struct nvme_sqe *sqe)
{
    uint32_t count = (uint32_t)(sqe->cdw10_11 & 0xFF) + 1;
    const uint64_t *range = fake_cpu(sqe->prp1, count * 16);

    ck_assert_uint_eq(sqe->prp1 % FAKE_PAGE, 0);
    ck_assert_uint_eq(sqe->prp2 | sqe->cdw12_13, 0);
    ck_assert_uint_eq(sqe->cdw10_11 >> 32, 1u << 2); /* AD */
    for (; count != 0; count--, range += 2) {
        uint64_t length = fake_le64(range[0]), lba = fake_le64(range[1]);

        ck_assert_uint_eq(length & UINT32_MAX, 0); /* no context attributes */
        length >>= 32;
        ck_assert_uint_le(lba + length, FAKE_BLOCKS);
        memset(fake_disk + lba * FAKE_BLOCK, 0, length * FAKE_BLOCK);
    }
}

uint16_t fake_execute(const struct nvme_sqe *sqe)
{
    static struct nvme_segment parts[8192];
    uint32_t opcode = fake_opcode(sqe);
    uint32_t blocks = (uint32_t)(sqe->cdw12_13 & 0xFFFF) + 1;
    uint8_t *at = fake_disk + sqe->cdw10_11 * FAKE_BLOCK;
    uint16_t status = 0;
    uint32_t count;

    if (opcode == NVME_IO_WRITE_ZEROES)
        memset(at, 0, blocks * FAKE_BLOCK);
    if (opcode == NVME_IO_DATASET)
        deallocate(sqe);
    if (opcode != NVME_IO_READ && opcode != NVME_IO_WRITE && opcode != NVME_IO_COMPARE)
        return 0;
    ck_assert_uint_le(sqe->cdw10_11 + blocks, FAKE_BLOCKS);
    count = fake_walk(sqe, blocks * FAKE_BLOCK, parts, 8192);
    for (uint32_t i = 0; i < count; i++, at += parts[i - 1].bytes) {
        uint8_t *memory = fake_cpu(parts[i].bus, parts[i].bytes);

        if (opcode == NVME_IO_READ)
            memcpy(memory, at, parts[i].bytes);
        else if (opcode == NVME_IO_WRITE)
            memcpy(at, memory, parts[i].bytes);
        else if (memcmp(at, memory, parts[i].bytes) != 0)
            status = 0x285; /* Compare Failure: type 2, code 85h (4.6.1.2.3) */
    }
    return status;
}

/* Fetch everything; end every I/O command with success, after moving its data. */
void fake_run(uint32_t qid)
{
    struct fake_queue *q = &fake->queues[qid];

    fake_fetch(qid);
    while (q->in_flight != 0) {
        struct nvme_sqe sqe = q->fetched[0];
        uint32_t result = 0;
        uint16_t status = 0;

        if (qid != 0) {
            fake_complete(qid, 0, fake_execute(&sqe));
            continue;
        }
        ck_assert_uint_lt(fake->admin_log_count, 256);
        fake->admin_log[fake->admin_log_count++] = sqe;
        fake->admin_seen[fake_opcode(&sqe) % 64]++;
        memmove(q->fetched, q->fetched + 1, --q->in_flight * sizeof(q->fetched[0]));
        if (fake_opcode(&sqe) == fake->admin_fail_opcode ||
            (fake_opcode(&sqe) == NVME_ADMIN_SET_FEATURES &&
             (sqe.cdw10_11 & 0xFF) == fake->admin_fail_feature) ||
            (fake_opcode(&sqe) == NVME_ADMIN_IDENTIFY && fake->refuse_nsid != 0 &&
             sqe.command_nsid >> 32 == fake->refuse_nsid))
            status = fake->admin_fail_status;
        else if (!fake_device_admin(&sqe, &result))
            continue;
        fake_admin_post(fake_cid(&sqe) + fake->admin_cid_error, status, result);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The published nvme.device's test_nvme, step by step, as scenarios on the whole machine: the 10
 * steps of its version 1.61 and the 19 of 1.68. Where that program asks through SCSI or ATA
 * commands, the step here asks for what the driver under them must be able to do; each says which
 * step it stands for. Section numbers are of NVM Express Base Specification 1.4.
 */
#include <check.h>
#include <string.h>

#include "scenario/amiga.h"

enum {
    IDENTIFY = 0x06, /* 5.15 */
    GET_LOG = 0x02,  /* 5.14 */
    SET_FEATURES = 0x09,
    GET_FEATURES = 0x0A,
    WRITE_CACHE = 0x06, /* 5.21.1.6 */
    PAGE = 4096,
    TRIM_BYTES = 64 * 1024
};

#define ALL_NAMESPACES UINT32_MAX
#define FOUR_GIB       (UINT64_C(4) << 30)
#define TWO_TIB        (UINT64_C(2) << 40)

static struct amiga amiga;

static uint64_t little(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- != 0)
        value = value << 8 | at[bytes];
    return value;
}

static uint8_t page[PAGE];

static int admin(struct amiga *a, uint8_t opcode, uint32_t nsid, uint32_t cdw10, uint32_t cdw11,
                 uint32_t bytes, uint32_t *result)
{
    struct memory_area *area = memory_alloc(host_memory(a->host), PAGE, 16, false, false);
    struct nvme_admin_request request = {
        .command = {.opcode = opcode, .nsid = nsid, .cdw10 = cdw10, .cdw11 = cdw11},
        .buffer = bytes != 0 ? memory_pointer(area) : NULL,
        .bytes = bytes,
        .dir = NVME_FROM_DEVICE};
    int error = nvme_admin_blocking(a->nvme, &request);

    memcpy(page, memory_pointer(area), PAGE);
    memory_free(host_memory(a->host), area);
    if (result != NULL)
        *result = request.result;
    return error;
}

static int identify(struct amiga *a, uint32_t nsid, uint32_t cns)
{
    return admin(a, IDENTIFY, nsid, cns, 0, PAGE, NULL);
}

static int get_log(struct amiga *a, uint32_t log)
{
    return admin(a, GET_LOG, ALL_NAMESPACES, (512 / 4 - 1) << 16 | log, 0, 512, NULL);
}

static struct ctrl_stats device(const struct amiga *a)
{
    struct ctrl_stats stats;

    ctrl_get_stats(machine_ctrl(a->machine), &stats);
    return stats;
}

static int write_seed(struct amiga *a, uint64_t offset, uint32_t bytes, uint32_t seed)
{
    amiga_fill(amiga_prepare(a, 0, NVME_OP_WRITE, offset, bytes)->bytes, bytes, seed);
    return amiga_do(a, NVME_OP_WRITE, offset, bytes);
}

static bool reads_seed(struct amiga *a, uint64_t offset, uint32_t bytes, uint32_t seed)
{
    amiga_fill(amiga_prepare(a, 0, NVME_OP_READ, offset, bytes)->bytes, bytes, ~seed);
    return amiga_do(a, NVME_OP_READ, offset, bytes) == NVME_OK &&
           amiga_holds(a->io[0].bytes, bytes, seed);
}

/* ---- the steps ---- */

/* OpenDevice(): a unit with its queue. amiga_open() has started it. */
static void step_open(struct amiga *a)
{
    amiga_check(a, nvme_state(a->nvme) == NVME_STATE_READY && a->queue != NULL);
}

/* NSCMD_DEVICEQUERY: what kind of device, and what it is called. */
static void step_device_query(struct amiga *a)
{
    const struct nvme_info *info = nvme_get_info(a->nvme);

    amiga_check(a, info->model[0] != '\0' && strcmp(info->serial, "DOORBELL0001") == 0 &&
                       info->version == 0x10400 && info->max_transfer >= AMIGA_BLOCK);
}

/* TD_GETGEOMETRY: block size and number of blocks in 32 bits, saturated. */
static void step_geometry(struct amiga *a)
{
    uint64_t blocks = a->fixture.params.machine.ctrl.namespace_size / AMIGA_BLOCK;
    uint32_t saturated = a->ns->blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)a->ns->blocks;

    amiga_check(a, a->ns->block_bytes == AMIGA_BLOCK &&
                       saturated == (blocks > UINT32_MAX ? UINT32_MAX : blocks));
}

/* TD_GETGEOMETRY64. */
static void step_geometry64(struct amiga *a)
{
    amiga_check(a, a->capacity == a->fixture.params.machine.ctrl.namespace_size);
}

/* HD_SCSICMD, INQUIRY: vendor and product, as Identify Controller says them (5.15.2.2). */
static void step_inquiry(struct amiga *a)
{
    const char *model = nvme_get_info(a->nvme)->model;

    ck_assert_int_eq(identify(a, 0, 1), NVME_OK);
    amiga_check(a, little(page, 2) == a->fixture.params.machine.ctrl.vendor_id &&
                       memcmp(page + 24, model, strlen(model)) == 0);
}

/* CMD_READ of block 0. */
static void step_read_first(struct amiga *a)
{
    amiga_check(a, amiga_do(a, NVME_OP_READ, 0, AMIGA_BLOCK) == NVME_OK &&
                       a->io[0].request.status == 0);
}

/* CMD_WRITE, CMD_UPDATE, CMD_READ of block 1. */
static void step_write_flush_read(struct amiga *a)
{
    uint64_t flushes = device(a).flushes;

    amiga_check(a, write_seed(a, AMIGA_BLOCK, AMIGA_BLOCK, 1) == NVME_OK);
    amiga_check(a, amiga_do(a, NVME_OP_FLUSH, 0, 0) == NVME_OK && device(a).flushes == flushes + 1);
    amiga_check(a, reads_seed(a, AMIGA_BLOCK, AMIGA_BLOCK, 1));
}

/* 64 KiB there and back at 4 KiB: one command each. */
static void step_64_kib(struct amiga *a)
{
    uint64_t commands = device(a).commands;

    amiga_check(a, write_seed(a, 4096, 64 * 1024, 2) == NVME_OK &&
                       reads_seed(a, 4096, 64 * 1024, 2) && device(a).commands == commands + 2);
}

/* TD_READ64 high: beyond 4 GiB, and not what is there below when the high word is dropped. */
static void step_read64_high(struct amiga *a)
{
    uint64_t high = a->capacity > FOUR_GIB + AMIGA_MIB ? FOUR_GIB + 4096 : a->capacity - 4096;

    amiga_check(a, write_seed(a, high, 4096, 3) == NVME_OK && reads_seed(a, high, 4096, 3) &&
                       reads_seed(a, 4096, 64 * 1024, 2));
}

/* 6 MiB there and back at 1 MiB: longer than one command may be. Each is split once, into 12
 * commands of 512 KiB (MDTS = 7 on all drives here). */
static void step_6_mib_in_chunks(struct amiga *a)
{
    struct nvme_queue_stats before, after;

    nvme_get_queue_stats(a->queue, &before);
    amiga_check(a, write_seed(a, AMIGA_MIB, 6 * AMIGA_MIB, 4) == NVME_OK &&
                       reads_seed(a, AMIGA_MIB, 6 * AMIGA_MIB, 4));
    nvme_get_queue_stats(a->queue, &after);
    ck_assert_uint_eq(after.commands - before.commands, 24);
    ck_assert_uint_eq(after.splits - before.splits, 2);
}

static int refusal(struct amiga *a, uint64_t lba, uint32_t blocks)
{
    struct amiga_io *io = amiga_prepare(a, 0, NVME_OP_READ, 0, AMIGA_BLOCK);

    io->request.lba = lba;
    io->request.blocks = blocks;
    return nvme_submit(a->queue, &io->request);
}

/* Length or offset that are no whole blocks. The core is asked in blocks, so that these are the
 * lengths and offsets that it has to refuse: none, and one too many. No command is sent. */
static void step_misaligned(struct amiga *a)
{
    uint64_t commands = device(a).commands;

    amiga_check(a, refusal(a, 0, 0) == NVME_E_INVAL);
    amiga_check(a, refusal(a, a->ns->blocks, 1) == NVME_E_RANGE &&
                       refusal(a, a->ns->blocks - 1, 2) == NVME_E_RANGE &&
                       refusal(a, UINT64_MAX, 1) == NVME_E_RANGE);
    ck_assert_uint_eq(device(a).commands, commands);
}

/* READ CAPACITY(10) and (16): the last block, from Identify Namespace (5.15.2.1) as from the core;
 * it can be read. */
static void step_read_capacity(struct amiga *a)
{
    uint64_t blocks;

    ck_assert_int_eq(identify(a, a->ns->nsid, 0), NVME_OK);
    blocks = little(page, 8);
    amiga_check(a, (uint32_t)(blocks > UINT32_MAX ? UINT32_MAX : blocks - 1) ==
                       (uint32_t)(a->ns->blocks > UINT32_MAX ? UINT32_MAX : a->ns->blocks - 1));
    amiga_check(a, blocks == a->ns->blocks && amiga_do(a, NVME_OP_READ, (blocks - 1) * AMIGA_BLOCK,
                                                       AMIGA_BLOCK) == NVME_OK);
}

/* SYNCHRONIZE CACHE: a Flush reaches the drive (6.8). */
static void step_sync_cache(struct amiga *a)
{
    uint64_t flushes = device(a).flushes;

    amiga_check(a, amiga_do(a, NVME_OP_FLUSH, 0, 0) == NVME_OK && device(a).flushes == flushes + 1);
}

static uint32_t cache_enabled(struct amiga *a)
{
    uint32_t result = UINT32_MAX;

    ck_assert_int_eq(admin(a, GET_FEATURES, 0, WRITE_CACHE, 0, 0, &result), NVME_OK);
    return result;
}

static void set_cache(struct amiga *a, uint32_t enabled)
{
    ck_assert_int_eq(admin(a, SET_FEATURES, 0, WRITE_CACHE, enabled, 0, NULL), NVME_OK);
}

/* MODE SELECT of page 8, bit WCE: the volatile write cache, toggled and restored (5.21.1.6). */
static void step_mode_page_8(struct amiga *a)
{
    uint32_t before = cache_enabled(a);

    set_cache(a, before ^ 1);
    amiga_check(a, cache_enabled(a) == (before ^ 1));
    set_cache(a, before);
    amiga_check(a, cache_enabled(a) == before);
}

/* LOG SENSE 00h, which logs there are: error, health, firmware slots (5.14.1.1 to 5.14.1.3). LOG
 * SENSE 2Fh, the temperature: that of the health log, in kelvins. */
static void step_log_sense(struct amiga *a)
{
    bool all = get_log(a, 1) == NVME_OK && get_log(a, 3) == NVME_OK && get_log(a, 2) == NVME_OK;

    amiga_check(a, all);
    amiga_check(a, little(page + 1, 2) == a->fixture.params.machine.ctrl.temperature);
}

/* ATA SMART READ DATA: the health log counts what the steps so far have moved, in thousands of 512
 * bytes rounded up (5.14.1.2). SMART READ THRESHOLDS: the spare capacity is above its own. */
static void step_ata_smart(struct amiga *a)
{
    struct ctrl_stats stats = device(a);

    ck_assert_int_eq(get_log(a, 2), NVME_OK);
    amiga_check(a, little(page + 32, 8) == (stats.bytes_read + 511999) / 512000 &&
                       little(page + 48, 8) == (stats.bytes_written + 511999) / 512000 &&
                       little(page + 64, 8) == stats.reads && little(page + 80, 8) == stats.writes);
    amiga_check(a, page[3] == 100 && page[4] < page[3] && page[0] == 0);
}

/* UNMAP, and what is read afterwards: zeroes (6.7; DLFEAT, 5.15.2.1), and nothing else is gone. */
static void step_unmap(struct amiga *a)
{
    static const uint8_t zeroes[TRIM_BYTES];
    const uint64_t at = AMIGA_MIB + TRIM_BYTES;
    uint64_t deallocates = device(a).deallocates;

    amiga_check(a, amiga_do(a, NVME_OP_DEALLOCATE, at, TRIM_BYTES) == NVME_OK &&
                       device(a).deallocates == deallocates + 1);
    amiga_check(a, amiga_do(a, NVME_OP_READ, AMIGA_MIB, 3 * TRIM_BYTES) == NVME_OK &&
                       memcmp(a->io[0].bytes + TRIM_BYTES, zeroes, TRIM_BYTES) == 0 &&
                       amiga_holds(a->io[0].bytes, TRIM_BYTES, 4));
}

/* There and back at 2 TiB, where 32 bits of a block number end; on a drive that is large enough. */
static void step_2_tib(struct amiga *a)
{
    if (a->capacity < TWO_TIB + AMIGA_MIB)
        return;
    amiga_check(a, write_seed(a, TWO_TIB, 4096, 5) == NVME_OK && reads_seed(a, TWO_TIB, 4096, 5) &&
                       reads_seed(a, AMIGA_BLOCK, AMIGA_BLOCK, 1));
}

/* CloseDevice(): nothing is in flight, and the driver stops; amiga_close() says how. */
static void step_close(struct amiga *a)
{
    amiga_check(a, nvme_in_flight(a->queue) == 0 && nvme_stop_blocking(a->nvme) == NVME_OK);
}

struct step {
    const char *name;
    void (*run)(struct amiga *a);
};

/* In their order: they share one drive, and later ones look at what earlier ones wrote. */
static const struct step steps_161[] = {
    {"open", step_open},
    {"DEVICEQUERY", step_device_query},
    {"GETGEOMETRY", step_geometry},
    {"GETGEOMETRY64", step_geometry64},
    {"INQUIRY", step_inquiry},
    {"read block 0", step_read_first},
    {"write, flush, read block 1", step_write_flush_read},
    {"64 KiB there and back at 4 KiB", step_64_kib},
    {"TD_READ64 high", step_read64_high},
    {"close", step_close},
};

static const struct step steps_168[] = {
    {"open", step_open},
    {"DEVICEQUERY", step_device_query},
    {"GETGEOMETRY", step_geometry},
    {"GETGEOMETRY64", step_geometry64},
    {"INQUIRY", step_inquiry},
    {"read block 0", step_read_first},
    {"write, flush, read block 1", step_write_flush_read},
    {"64 KiB there and back at 4 KiB", step_64_kib},
    {"TD_READ64 high", step_read64_high},
    {"6 MiB in chunks at 1 MiB", step_6_mib_in_chunks},
    {"misaligned length and offset", step_misaligned},
    {"READ CAPACITY(10), (16)", step_read_capacity},
    {"SYNCHRONIZE CACHE", step_sync_cache},
    {"mode page 8", step_mode_page_8},
    {"LOG SENSE 00h, 2Fh", step_log_sense},
    {"ATA SMART data, thresholds", step_ata_smart},
    {"UNMAP and read", step_unmap},
    {"2 TiB there and back", step_2_tib},
    {"close", step_close},
};

static const struct {
    struct amiga_case machine;
    unsigned checks; /* of the 19 steps: one more on a large drive */
} cases[] = {
    {{.driver = "amiga-1.61"}, 26},
    {{.driver = "amiga-1.65"}, 26},
    {{.driver = "amiga-1.65", .settings = {"ctrl.namespace_size=5 GiB"}}, 26},
    {{.driver = "amiga-1.65", .settings = {"ctrl.namespace_size=4 TiB"}}, 27},
    {{.driver = "doorbell", .drive = "fixed-latency", .host = "generic"}, 26},
    {{.driver = "doorbell",
      .drive = "fixed-latency",
      .host = "generic",
      .settings = {"ctrl.namespace_size=4 TiB"}},
     27},
};
#define CASES (int)(sizeof cases / sizeof cases[0])

static void run(struct amiga *a, const struct step *steps, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned before = a->checks;

        steps[i].run(a);
        ck_assert_msg(a->checks > before || steps[i].run == step_2_tib, "step %u, %s: no check",
                      i + 1, steps[i].name);
    }
}

/* Given a machine with this driver, when it goes through the 10 steps of test_nvme 1.61, then all
 * its checks hold, here 12. */
START_TEST(test_nvme_1_61_10_steps)
{
    amiga_open(&amiga, &cases[_i].machine);
    run(&amiga, steps_161, 10);
    ck_assert_uint_eq(amiga.checks, 12);
    amiga_close(&amiga);
}
END_TEST

/* The 19 steps of 1.68 with 26 checks, or 27 where the drive is larger than 2 TiB. */
START_TEST(test_nvme_1_68_19_steps)
{
    amiga_open(&amiga, &cases[_i].machine);
    run(&amiga, steps_168, 19);
    ck_assert_uint_eq(amiga.checks, cases[_i].checks);
    amiga_close(&amiga);
}
END_TEST

Suite *amiga_steps_suite(void);
Suite *amiga_steps_suite(void)
{
    Suite *suite = suite_create("nvme.device's test program");
    TCase *tcase = tcase_create("test_nvme");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_nvme_1_61_10_steps, 0, CASES);
    tcase_add_loop_test(tcase, test_nvme_1_68_19_steps, 0, CASES);
    suite_add_tcase(suite, tcase);
    return suite;
}

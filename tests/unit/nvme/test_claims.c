/* SPDX-License-Identifier: BSD-2-Clause
 * What the controller claims, works, and what it does not claim is refused: a row per bit of
 * Identify Controller, Identify Namespace and CAP (NVMe 1.4 sections 5.15.2.1, 5.15.2.2, 3.1.1) and
 * per way to use what the bit stands for. Each row is tried on a controller with everything that
 * can be configured, and on one with nothing of it. */
#include "unit/nvme/rig_admin.h"
#include "unit/nvme/rig_claims.h"
#include "unit/nvme/rig_sgl.h"

#define INVALID_OPCODE 0x001u
#define INVALID_FIELD  0x002u
#define INVALID_NSID   0x00bu
#define SGL_LENGTH     0x00fu
#define SGL_TYPE       0x011u
#define INVALID_LOG    0x109u
#define INVALID_FORMAT 0x10au
#define NOT_SAVEABLE   0x10du

enum place { CONTROLLER, NAMESPACE, CAP };
enum when {
    OPTIONAL, /* claimed by the first controller, not by the second */
    ALWAYS,   /* by both */
    NEVER     /* by neither */
};

struct claim {
    const char *name;
    enum place place;
    uint16_t at; /* byte of the structure, or of the register */
    uint8_t bytes;
    uint64_t mask; /* claimed: at least one of these bits is set */
    enum when when;
    uint16_t refusal;                         /* what the probe returns where it is not claimed */
    void (*second)(struct ctrl_params *ctrl); /* what the second controller is */
    uint16_t (*probe)(struct rig *rig, uint32_t what, uint32_t value);
    uint32_t arguments[2];
};

static struct rig rig;
static struct rig_params params;

static void open_with(void (*configure)(struct ctrl_params *ctrl))
{
    rig_defaults(&params);
    configure(&params.ctrl);
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
}

/* ---- the claims ---- */

#define BIT(number)   (UINT64_C(1) << (number))
#define CMIC(bit)     CONTROLLER, 76, 1, BIT(bit)
#define OAES(bit)     CONTROLLER, 92, 4, BIT(bit)
#define CTRATT(bit)   CONTROLLER, 96, 4, BIT(bit)
#define OACS(bit)     CONTROLLER, 256, 2, BIT(bit)
#define FRMW(bit)     CONTROLLER, 260, 1, BIT(bit)
#define LPA(bit)      CONTROLLER, 261, 1, BIT(bit)
#define NPSS          CONTROLLER, 263, 1, 0xff
#define APSTA(bit)    CONTROLLER, 265, 1, BIT(bit)
#define HMPRE         CONTROLLER, 272, 4, 0xffffffff
#define KAS           CONTROLLER, 320, 2, 0xffff
#define HCTMA(bit)    CONTROLLER, 322, 2, BIT(bit)
#define SANICAP(bits) CONTROLLER, 328, 4, bits
#define ANAGRPMAX     CONTROLLER, 344, 4, 0xffffffff
#define ONCS(bit)     CONTROLLER, 520, 2, BIT(bit)
#define FUSES(bit)    CONTROLLER, 522, 2, BIT(bit)
#define FNA(bit)      CONTROLLER, 524, 1, BIT(bit)
#define VWC(bit)      CONTROLLER, 525, 1, BIT(bit)
#define NWPC(bit)     CONTROLLER, 531, 1, BIT(bit)
#define SGLS(bits)    CONTROLLER, 536, 4, bits
#define NSFEAT(bit)   NAMESPACE, 24, 1, BIT(bit)
#define DPC(bits)     NAMESPACE, 28, 1, bits
#define RESCAP        NAMESPACE, 31, 1, 0xff
#define FPI(bit)      NAMESPACE, 32, 1, BIT(bit)
#define DLFEAT(bits)  NAMESPACE, 33, 1, bits
#define CAP_BIT(bit)  CAP, 0, 8, BIT(bit)

static const struct claim claims[] = {
#define CLAIM(name, bits, when, refusal, second, probe, what, value)                               \
    {name, bits, when, refusal, claim_##second, claim_##probe, {what, value}},
#include "unit/nvme/test_claims.def"
#undef CLAIM
};
#define CLAIMS (sizeof claims / sizeof claims[0])

static uint64_t field(enum place place, uint16_t at, uint8_t bytes)
{
    if (place == CAP)
        return rig_read64(&rig, at);
    ck_assert_uint_eq(rig_identify(&rig, place == CONTROLLER ? 1 : 0, 1), 0);
    return rig_field(&rig, at, bytes);
}

static void try(const struct claim *claim, bool claimed)
{
    bool says = (field(claim->place, claim->at, claim->bytes) & claim->mask) != 0;
    uint16_t status = claim->probe(&rig, claim->arguments[0], claim->arguments[1]);

    ck_assert_msg(says == claimed, "%s: %s", claim->name, says ? "claimed" : "not claimed");
    ck_assert_msg(status == (claimed ? 0 : claim->refusal), "%s: %s, but the status is %03x",
                  claim->name, claimed ? "claimed" : "not claimed", status);
    rig_close(&rig);
}

START_TEST(what_is_claimed_works_and_what_is_not_is_refused)
{
    const struct claim *claim = &claims[_i];

    open_with(claim_everything);
    try(claim, claim->when != NEVER);
    open_with(claim->second);
    try(claim, claim->when == ALWAYS);
}
END_TEST

/* Every bit that is set has a row. Numbers and reserved bits of a field are left out. */
static const struct {
    enum place place;
    uint16_t at;
    uint8_t bytes;
    uint64_t bits;
} fields[] = {
    {CONTROLLER, 76, 1, 0xff},    {CONTROLLER, 92, 4, 0xffffffff}, {CONTROLLER, 96, 4, 0xffffffff},
    {CONTROLLER, 256, 2, 0xffff}, {CONTROLLER, 260, 1, 0xf0},      {CONTROLLER, 261, 1, 0xff},
    {CONTROLLER, 265, 1, 0xff},   {CONTROLLER, 322, 2, 0xffff},    {CONTROLLER, 328, 4, 0xffffffff},
    {CONTROLLER, 520, 2, 0xffff}, {CONTROLLER, 522, 2, 0xffff},    {CONTROLLER, 524, 1, 0xff},
    {CONTROLLER, 525, 1, 0xff},   {CONTROLLER, 531, 1, 0xff},      {CONTROLLER, 536, 4, 0xffffffff},
    {NAMESPACE, 24, 1, 0xf7}, /* UIDREUSE is no ability */
    {NAMESPACE, 27, 1, 0xff},     {NAMESPACE, 28, 1, 0xff},        {NAMESPACE, 31, 1, 0xff},
    {NAMESPACE, 33, 1, 0xff},     {CAP, 0, 8, 0xff003ff000060000},
};

START_TEST(nothing_else_is_claimed)
{
    open_with(claim_everything);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        uint64_t left = field(fields[i].place, fields[i].at, fields[i].bytes) & fields[i].bits;

        for (size_t k = 0; k < CLAIMS; k++) {
            if (claims[k].place == fields[i].place && claims[k].at == fields[i].at)
                left &= ~claims[k].mask;
        }
        ck_assert_msg(left == 0, "place %d byte %u: %llx", fields[i].place, fields[i].at,
                      (unsigned long long)left);
    }
    rig_close(&rig);
}
END_TEST

/* 3.1.1, CQR: the one claim that takes something away. */
START_TEST(contiguous_queues)
{
    open_with(claim_everything);
    ck_assert_uint_eq(rig_read64(&rig, 0) >> 16 & 1, 0);
    ck_assert_uint_eq(claim_queue_by_list(&rig), 0);
    rig_close(&rig);
    open_with(claim_nothing);
    ck_assert_uint_eq(rig_read64(&rig, 0) >> 16 & 1, 1);
    ck_assert_uint_eq(claim_queue_by_list(&rig), INVALID_FIELD);
    rig_close(&rig);
}
END_TEST

Suite *suite_claims(void)
{
    Suite *suite = suite_create("nvme claims");
    TCase *tc = tcase_create("claims");

    tcase_add_loop_test(tc, what_is_claimed_works_and_what_is_not_is_refused, 0, CLAIMS);
    tcase_add_test(tc, nothing_else_is_claimed);
    tcase_add_test(tc, contiguous_queues);
    suite_add_tcase(suite, tc);
    return suite;
}

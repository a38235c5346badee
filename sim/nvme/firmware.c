/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Firmware Image Download (NVMe 1.4 section 5.12), Firmware Commit (5.11), the update process of
 * 8.1, and the Firmware Slot log (5.14.1.3), as far as a host can see them: an image changes the
 * revision that the controller reports and nothing else. Slot 1 is read-only and holds what the
 * drive came with; with that slot alone neither command exists. There are no boot partitions.
 */
#include <stdlib.h>
#include <string.h>

#include "nvme/internal.h"

#define FRMW_SLOT1_READ_ONLY 0x01u
#define FRMW_SLOTS_SHIFT     1u
#define FRMW_WITHOUT_RESET   0x10u
#define FWUG_UNIT            4096u
#define MTFA_UNIT_PS         (100 * PS_PER_MS)
#define DWORD_BITS           64u /* of one word of `present` */

/* Firmware Commit, dword 10 (5.11). */
#define COMMIT_SLOT(cdw10)   ((cdw10)&7u)
#define COMMIT_ACTION(cdw10) ((cdw10) >> 3 & 7u)
enum commit_action {
    COMMIT_STORE = 0,          /* the downloaded image into the slot */
    COMMIT_STORE_AND_PEND = 1, /* and active after the next reset */
    COMMIT_PEND = 2,           /* what the slot holds, after the next reset */
    COMMIT_ACTIVATE = 3        /* the downloaded image or the slot's, now */
};

/* Image header (firmware.h). */
enum { IMAGE_MAGIC = 0, IMAGE_REVISION = 8, IMAGE_LENGTH = 16, IMAGE_NEEDS = 24 };
static const char magic[] = "DOORBELL";

/* Firmware Slot (figure 199). */
enum { SLOTS_ACTIVE = 0, SLOTS_REVISION1 = 8 };
#define SLOTS_NEXT_SHIFT 4u

#define NO_ACTIVATION UINT64_MAX

static void run(struct firmware *firmware, uint8_t slot)
{
    firmware->active = slot;
    firmware->next = 0;
    memcpy(firmware->running, firmware->slots[slot - 1].revision, FIRMWARE_REVISION_BYTES);
}

void firmware_init(struct ctrl *ctrl)
{
    struct firmware *firmware = &ctrl->firmware;
    size_t length = strlen(ctrl->params.firmware);

    memset(firmware->slots[0].revision, ' ', FIRMWARE_REVISION_BYTES);
    memcpy(firmware->slots[0].revision, ctrl->params.firmware,
           length < FIRMWARE_REVISION_BYTES ? length : FIRMWARE_REVISION_BYTES);
    firmware->activation = NO_ACTIVATION;
    run(firmware, 1);
}

static void drop_image(struct ctrl *ctrl)
{
    free(ctrl->firmware.image);
    free(ctrl->firmware.present);
    ctrl->firmware.image = NULL;
    ctrl->firmware.present = NULL;
    ctrl->firmware.image_end = 0;
}

void firmware_free(struct ctrl *ctrl)
{
    drop_image(ctrl);
}

bool firmware_is_updatable(const struct ctrl *ctrl)
{
    return ctrl->params.firmware_slots > 1;
}

uint8_t firmware_frmw_bits(const struct ctrl *ctrl)
{
    uint8_t bits =
        (uint8_t)(FRMW_SLOT1_READ_ONLY | ctrl->params.firmware_slots << FRMW_SLOTS_SHIFT);

    return firmware_is_updatable(ctrl) ? bits | FRMW_WITHOUT_RESET : bits;
}

uint8_t firmware_fwug(const struct ctrl *ctrl)
{
    return firmware_is_updatable(ctrl) ? (uint8_t)(ctrl->params.firmware_granularity / FWUG_UNIT)
                                       : 0;
}

uint16_t firmware_mtfa(const struct ctrl *ctrl)
{
    return firmware_is_updatable(ctrl)
               ? (uint16_t)((ctrl->params.firmware_activation + MTFA_UNIT_PS - 1) / MTFA_UNIT_PS)
               : 0;
}

const char *firmware_revision(const struct ctrl *ctrl)
{
    return ctrl->firmware.running;
}

static bool is_present(const struct firmware *firmware, uint32_t dword)
{
    return (firmware->present[dword / DWORD_BITS] >> dword % DWORD_BITS & 1u) != 0;
}

uint16_t firmware_download(struct ctrl *ctrl, struct command *cmd)
{
    uint64_t bytes = ((uint64_t)cmd->cdw[0] + 1) * 4;
    uint64_t offset = (uint64_t)cmd->cdw[1] * 4;

    if (bytes % ctrl->params.firmware_granularity != 0 ||
        offset % ctrl->params.firmware_granularity != 0)
        return STATUS_INVALID_FIELD;
    if (offset + bytes > FIRMWARE_BYTES_MAX ||
        (ctrl->transfer.max_bytes != 0 && bytes > ctrl->transfer.max_bytes))
        return STATUS_INVALID_FIELD;
    cmd->kind = COMMAND_ADMIN_OUT;
    cmd->bytes = (uint32_t)bytes;
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

uint16_t firmware_take(struct ctrl *ctrl, struct command *cmd, const uint8_t *bytes)
{
    struct firmware *firmware = &ctrl->firmware;
    uint32_t first = cmd->cdw[1];
    uint32_t count = cmd->bytes / 4;

    if (firmware->image == NULL) {
        firmware->image = ctrl_allocate(FIRMWARE_BYTES_MAX, 1);
        firmware->present =
            ctrl_allocate(FIRMWARE_BYTES_MAX / 4 / DWORD_BITS, sizeof *firmware->present);
    }
    for (uint32_t i = first; i < first + count; i++) {
        if (is_present(firmware, i))
            return STATUS_OVERLAPPING_RANGE; /* 5.12.1 */
    }
    for (uint32_t i = first; i < first + count; i++)
        firmware->present[i / DWORD_BITS] |= UINT64_C(1) << i % DWORD_BITS;
    memcpy(firmware->image + (size_t)first * 4, bytes, cmd->bytes);
    if ((first + count) * 4 > firmware->image_end)
        firmware->image_end = (first + count) * 4;
    return STATUS_SUCCESS;
}

static bool revision_is_printable(const uint8_t *revision)
{
    for (unsigned i = 0; i < FIRMWARE_REVISION_BYTES; i++) {
        if (revision[i] < ' ' || revision[i] > '~')
            return false;
    }
    return true;
}

/* All there, and its own header and sum say that it is whole. What the granularity adds behind its
 * end does not count. */
static bool image_is_good(const struct firmware *firmware)
{
    const uint8_t *image = firmware->image;
    uint32_t length, sum = 0;

    if (image == NULL || firmware->image_end < FIRMWARE_HEADER_BYTES)
        return false;
    length = wire_get32(image + IMAGE_LENGTH);
    if (memcmp(image + IMAGE_MAGIC, magic, sizeof magic - 1) != 0 || length % 4 != 0 ||
        length < FIRMWARE_HEADER_BYTES || length > firmware->image_end)
        return false;
    for (uint32_t i = 0; i < length / 4; i++) {
        if (!is_present(firmware, i))
            return false;
        sum += wire_get32(image + (size_t)i * 4);
    }
    return sum == 0 && image[IMAGE_NEEDS] < FIRMWARE_NEEDS &&
           revision_is_printable(image + IMAGE_REVISION);
}

/* The downloaded image into a slot (1-based). It is used up, good or bad (5.11). */
static uint16_t store(struct ctrl *ctrl, unsigned slot)
{
    struct firmware *firmware = &ctrl->firmware;
    bool good = image_is_good(firmware);

    if (good) {
        memcpy(firmware->slots[slot - 1].revision, firmware->image + IMAGE_REVISION,
               FIRMWARE_REVISION_BYTES);
        firmware->slots[slot - 1].needs = firmware->image[IMAGE_NEEDS];
    }
    drop_image(ctrl);
    return good ? STATUS_SUCCESS : STATUS_FIRMWARE_IMAGE_INVALID;
}

static const uint16_t need_status[FIRMWARE_NEEDS] = {
    [FIRMWARE_NEEDS_NOTHING] = STATUS_SUCCESS,
    [FIRMWARE_NEEDS_CONTROLLER_RESET] = STATUS_FIRMWARE_NEEDS_CONTROLLER_RESET,
    [FIRMWARE_NEEDS_CONVENTIONAL_RESET] = STATUS_FIRMWARE_NEEDS_CONVENTIONAL_RESET,
    [FIRMWARE_NEEDS_SUBSYSTEM_RESET] = STATUS_FIRMWARE_NEEDS_SUBSYSTEM_RESET,
};

/* 5.11: pending for the next controller level reset. An image for which that is not enough says
 * which reset it needs; it is pending all the same. */
static uint16_t pend(struct ctrl *ctrl, unsigned slot)
{
    uint8_t needs = ctrl->firmware.slots[slot - 1].needs;

    ctrl->firmware.next = (uint8_t)slot;
    return needs > FIRMWARE_NEEDS_CONTROLLER_RESET ? need_status[needs] : STATUS_SUCCESS;
}

static void activated(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd == NULL)
        return; /* a reset came first and has activated it */
    ctrl->firmware.activation = NO_ACTIVATION;
    run(&ctrl->firmware, ctrl->firmware.next);
    complete_command(ctrl, cmd, STATUS_SUCCESS);
}

/* Its command is gone if a reset, a fatal status or a shutdown came first. */
static bool is_activating(struct ctrl *ctrl)
{
    uint64_t activation = ctrl->firmware.activation;

    return activation != NO_ACTIVATION && command_find(ctrl, activation) != NULL;
}

/* Without a reset (8.1): the controller goes on working meanwhile. */
static uint16_t activate(struct ctrl *ctrl, struct command *cmd, unsigned slot)
{
    uint8_t needs = ctrl->firmware.slots[slot - 1].needs;

    if (needs != FIRMWARE_NEEDS_NOTHING) {
        ctrl->firmware.next = (uint8_t)slot;
        return need_status[needs];
    }
    ctrl->firmware.next = (uint8_t)slot;
    ctrl->firmware.activation = command_arg(cmd);
    async_notice(ctrl, EVENT_NOTICE_FIRMWARE_ACTIVATION, LOG_FIRMWARE);
    engine_after(ctrl->engine, ctrl->params.firmware_activation, activated, ctrl, command_arg(cmd));
    return COMMAND_GOES_ON;
}

/* Slot 0 leaves the choice to the controller: the first that is writable and not active. */
static unsigned choose_slot(const struct ctrl *ctrl, unsigned slot)
{
    if (slot != 0)
        return slot;
    return ctrl->firmware.active == 2 && ctrl->params.firmware_slots > 2 ? 3 : 2;
}

uint16_t firmware_commit(struct ctrl *ctrl, struct command *cmd)
{
    unsigned slot = COMMIT_SLOT(cmd->cdw[0]);
    unsigned action = COMMIT_ACTION(cmd->cdw[0]);
    bool has_image = ctrl->firmware.image != NULL;
    uint16_t status = STATUS_SUCCESS;

    if (is_activating(ctrl)) /* one update at a time (8.1) */
        return STATUS_COMMAND_SEQUENCE;
    if (action > COMMIT_ACTIVATE)
        return STATUS_INVALID_FIELD;
    if (slot > ctrl->params.firmware_slots)
        return STATUS_FIRMWARE_SLOT_INVALID;
    if (action == COMMIT_STORE || action == COMMIT_STORE_AND_PEND ||
        (action == COMMIT_ACTIVATE && has_image)) {
        slot = choose_slot(ctrl, slot);
        if (slot == 1) /* read-only */
            return STATUS_FIRMWARE_SLOT_INVALID;
        status = store(ctrl, slot);
    } else if (slot == 0) {
        return STATUS_FIRMWARE_SLOT_INVALID; /* which one should it be? */
    } else if (ctrl->firmware.slots[slot - 1].revision[0] == '\0') {
        return STATUS_FIRMWARE_IMAGE_INVALID;
    }
    if (status != STATUS_SUCCESS || action == COMMIT_STORE)
        return status;
    return action == COMMIT_ACTIVATE ? activate(ctrl, cmd, slot) : pend(ctrl, slot);
}

void firmware_reset(struct ctrl *ctrl, enum firmware_reset kind)
{
    struct firmware *firmware = &ctrl->firmware;

    drop_image(ctrl);
    if (firmware->next != 0 && firmware->slots[firmware->next - 1].needs <= (unsigned)kind)
        run(firmware, firmware->next);
    else if (firmware->next == 0 && kind == RESET_SUBSYSTEM)
        run(firmware, firmware->active); /* loaded from its slot, whatever that holds by now */
}

void firmware_fill(const struct ctrl *ctrl, uint8_t *page)
{
    page[SLOTS_ACTIVE] = (uint8_t)(ctrl->firmware.active | ctrl->firmware.next << SLOTS_NEXT_SHIFT);
    for (unsigned i = 0; i < ctrl->params.firmware_slots; i++)
        memcpy(page + SLOTS_REVISION1 + i * FIRMWARE_REVISION_BYTES,
               ctrl->firmware.slots[i].revision, FIRMWARE_REVISION_BYTES);
}

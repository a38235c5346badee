/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data pointers: SGLs (NVMe 1.4 section 4.4), for I/O commands. The descriptor in the command
 * (SGL1) is a data block or a bit bucket by itself, or leads to a segment in memory; the last
 * descriptor of a segment leads to the next one, unless the segment was announced as the last.
 * Segments are read piece by piece (lists.c), each piece's descriptors are checked as they come,
 * and become segments of the command's data. What the standard leaves open is decided here:
 * - descriptors behind the one that ends the data are not looked at when longer SGLs are supported
 *   (SGLS bit 18); otherwise they may only describe nothing;
 * - a segment that is not on a qword, or that ends in data without having been announced as the
 *   last, makes its descriptor an Invalid SGL Segment Descriptor;
 * - more descriptors in segments than ctrl.sgl_descriptors are an Invalid Number of SGL
 *   Descriptors, which ends chains that have no end;
 * - data blocks that reach the last byte of the address space are a Data Transfer Error.
 */
#include "nvme/internal.h"
#include "nvme/wire_cmb.h"
#include "nvme/wire_sgl.h"

enum { SGLS_CHOICE_OFF, SGLS_CHOICE_BYTE, SGLS_CHOICE_DWORD };

/* What a descriptor leads to, beside the statuses. */
#define MORE_DESCRIPTORS COMMAND_GOES_ON
#define NEXT_PIECE       0xfffeu /* of a segment that goes on or begins */

struct descriptor {
    uint64_t address;
    uint32_t length;
    unsigned type, subtype;
};

bool sgl_is_allowed(const struct ctrl *ctrl, const struct command *cmd)
{
    return cmd->sqid != 0 && ctrl->params.sgls != SGLS_CHOICE_OFF &&
           (cmd->flags & SQE_PSDT_MASK) == PSDT_SGL;
}

uint32_t sgl_support(const struct ctrl *ctrl)
{
    const struct ctrl_params *params = &ctrl->params;

    if (params->sgls == SGLS_CHOICE_OFF)
        return 0;
    return (params->sgls == SGLS_CHOICE_BYTE ? SGLS_BYTE : SGLS_DWORD) |
           (params->sgl_bit_bucket ? SGLS_BIT_BUCKET : 0) | (params->sgl_longer ? SGLS_LONGER : 0);
}

static struct descriptor describe(uint64_t address, uint64_t length_and_type)
{
    return (struct descriptor){.address = address,
                               .length = SGL_LENGTH(length_and_type),
                               .type = SGL_TYPE(length_and_type),
                               .subtype = SGL_SUBTYPE(length_and_type)};
}

/* A place for the next `length` bytes of the data. */
static uint16_t add_data(const struct ctrl *ctrl, struct command *cmd, uint64_t bus,
                         uint32_t length)
{
    uint32_t left = cmd->list.data_left;
    uint32_t bytes = length < left ? length : left;

    if (length > left && !ctrl->params.sgl_longer)
        return STATUS_SGL_LENGTH_INVALID;
    if (bytes == 0)
        return MORE_DESCRIPTORS; /* describes nothing: not an error (4.4) */
    if (bus != SEGMENT_DISCARDED && bus > UINT64_MAX - bytes)
        return STATUS_DATA_TRANSFER_ERROR;
    cmd->data.mixed |= bus == SEGMENT_DISCARDED;
    pointers_add(cmd, bus, bytes);
    cmd->list.data_left -= bytes;
    return cmd->list.data_left == 0 && ctrl->params.sgl_longer ? STATUS_SUCCESS : MORE_DESCRIPTORS;
}

static uint16_t take_data_block(const struct ctrl *ctrl, struct command *cmd,
                                const struct descriptor *d)
{
    if (ctrl->params.sgls == SGLS_CHOICE_DWORD && ((d->address | d->length) & SGL_DWORD_MASK) != 0)
        return STATUS_SGL_GRANULARITY_INVALID;
    /* The mark of what is discarded is no address that a host can name. */
    if (d->address == SEGMENT_DISCARDED && d->length > 0)
        return STATUS_DATA_TRANSFER_ERROR;
    return add_data(ctrl, cmd, d->address, d->length);
}

/* Data from the host has no bytes for a bit bucket: its length counts as zero. */
static uint16_t take_bit_bucket(const struct ctrl *ctrl, struct command *cmd,
                                const struct descriptor *d)
{
    if (!ctrl->params.sgl_bit_bucket)
        return STATUS_SGL_TYPE_INVALID;
    if (!command_data_to_host(cmd))
        return MORE_DESCRIPTORS;
    return add_data(ctrl, cmd, SEGMENT_DISCARDED, d->length);
}

/* The descriptor of another segment, which becomes the place to read from. */
static uint16_t take_segment(const struct ctrl *ctrl, struct command *cmd,
                             const struct descriptor *d)
{
    struct list_walk *list = &cmd->list;
    uint32_t count = d->length / SGL_DESCRIPTOR_BYTES;
    uint16_t status;

    if (d->length == 0 || d->length % SGL_DESCRIPTOR_BYTES != 0 ||
        d->address % SGL_QWORD_BYTES != 0)
        return STATUS_SGL_SEGMENT_INVALID;
    if (count > ctrl->params.sgl_descriptors - list->descriptors)
        return STATUS_SGL_COUNT_INVALID;
    if (d->address > UINT64_MAX - d->length)
        return STATUS_DATA_TRANSFER_ERROR;
    list->descriptors += count;
    list->at = d->address;
    list->left = d->length;
    list->last_segment = d->type == SGL_LAST_SEGMENT;
    list->has_half = false;
    status = cmb_check(ctrl, d->address, d->length, CMBSZ_LISTS);
    return status == STATUS_SUCCESS ? NEXT_PIECE : status;
}

/* STATUS_SUCCESS: the data is complete. in_last, ends: of the segment that holds the descriptor. */
static uint16_t take(const struct ctrl *ctrl, struct command *cmd, const struct descriptor *d,
                     bool in_last, bool ends)
{
    uint16_t status;

    if (d->subtype != SGL_SUBTYPE_ADDRESS)
        return STATUS_SGL_TYPE_INVALID;
    switch (d->type) {
    case SGL_DATA_BLOCK:
        status = take_data_block(ctrl, cmd, d);
        break;
    case SGL_BIT_BUCKET:
        status = take_bit_bucket(ctrl, cmd, d);
        break;
    case SGL_SEGMENT:
    case SGL_LAST_SEGMENT:
        if (in_last)
            return STATUS_SGL_SEGMENT_INVALID;
        return ends ? take_segment(ctrl, cmd, d) : STATUS_SGL_COUNT_INVALID;
    default:
        return STATUS_SGL_TYPE_INVALID;
    }
    if (status != MORE_DESCRIPTORS || !ends)
        return status;
    if (!in_last)
        return STATUS_SGL_SEGMENT_INVALID;
    return cmd->list.data_left == 0 ? STATUS_SUCCESS : STATUS_SGL_LENGTH_INVALID;
}

static void go_on(struct ctrl *ctrl, struct command *cmd, uint16_t status)
{
    if (status == NEXT_PIECE) {
        lists_request(ctrl, cmd);
    } else if (status == STATUS_SUCCESS) {
        /* One block is like one page; more have ways of their own, as has a bit bucket. */
        cmd->data.apart = cmd->data.count > 1 || cmd->data.mixed;
        pointers_known(ctrl, cmd);
    } else {
        complete_command(ctrl, cmd, status);
    }
}

/* A segment lies on a qword, so a piece, which ends with a page or a line, may cut a descriptor. */
void sgl_list_arrived(struct ctrl *ctrl, struct command *cmd)
{
    struct list_walk *list = &cmd->list;
    bool in_last = list->last_segment;
    uint32_t qwords = list->asked / SGL_QWORD_BYTES;
    const uint8_t *at = lists_take(ctrl, cmd);
    bool ends = list->left == 0;
    uint16_t status = MORE_DESCRIPTORS;

    if (at == NULL)
        status = STATUS_DATA_TRANSFER_ERROR;
    for (uint32_t i = 0; i < qwords && status == MORE_DESCRIPTORS; i++) {
        uint64_t qword = wire_get64(at + (size_t)i * SGL_QWORD_BYTES);

        if (list->has_half) {
            struct descriptor d = describe(list->half, qword);

            list->has_half = false;
            status = take(ctrl, cmd, &d, in_last, ends && i + 1 == qwords);
        } else {
            list->half = qword;
            list->has_half = true;
        }
    }
    go_on(ctrl, cmd, status == MORE_DESCRIPTORS ? NEXT_PIECE : status);
}

void sgl_start(struct ctrl *ctrl, struct command *cmd)
{
    struct descriptor d = describe(cmd->prp1, cmd->prp2);

    cmd->list.data_left = cmd->bytes;
    cmd->list.descriptors = 0;
    cmd->data.count = 0;
    lists_open(ctrl, cmd);
    if (d.type == SGL_SEGMENT || d.type == SGL_LAST_SEGMENT) {
        ctrl->stats.sgl_lists++;
        record_stage(ctrl, cmd, STAGE_LIST, engine_now(ctrl->engine));
    }
    go_on(ctrl, cmd, take(ctrl, cmd, &d, d.type < SGL_SEGMENT, true));
}

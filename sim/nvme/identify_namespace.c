/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What Identify tells about namespaces (NVMe 1.4 sections 5.15.2.1, 5.15.2.3, 5.15.2.4, 5.15.2.6 to
 * 5.15.2.9 and 5.15.2.12): the Identify Namespace structure, lists of namespaces and of
 * controllers, identification descriptors, granularity. Byte offsets of the structure are in
 * wire_namespace.h. Namespaces are not thin: NUSE is NSZE, whatever was written or deallocated
 * (NSFEAT bit 0 = 0).
 */
#include <string.h>

#include "nvme/internal.h"

#define NAMESPACE_LIST_MAX 1024u

/* Namespace Identification Descriptors (figure 249). */
enum { NID_TYPE = 0, NID_LENGTH = 1, NID_VALUE = 4 };
enum { NID_EUI64 = 1, NID_NGUID = 2, NID_UUID = 3 };
#define EUI64_BYTES 8u
#define NGUID_BYTES 16u
#define UUID_BYTES  16u

/* Namespace Granularity List (figure 255): one descriptor, for all LBA formats. */
enum { GRANULARITY_SIZE0 = 32, GRANULARITY_CAPACITY0 = 40 };

/* Extension identifier of EUI64 and NGUID, 40 bits: the drive's, and the namespace's. */
#define EXTENSION_BYTES  5u
#define OUI_BYTES        3u
#define BIRTH_BITS       24u
#define DRIVE_BITS       16u
#define LOW_BITS(bits)   ((UINT64_C(1) << (bits)) - 1)
#define UUID_VERSION_AT  6u
#define UUID_VARIANT_AT  8u
#define UUID_VERSION     0x80u /* RFC 9562: version 8, custom */
#define UUID_VARIANT     0x80u
#define UUID_VERSION_LOW 0x0fu
#define UUID_VARIANT_LOW 0x3fu

static void put_big_endian(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

/* FNV-1a */
static uint64_t mix(uint64_t hash, uint64_t byte)
{
    return (hash ^ byte) * UINT64_C(0x100000001b3);
}

/* Follows from serial number, model number and, but for the first one, the namespace's number in
 * the order of creation: equal configurations are equal, and none is ever given twice. */
static void make_uuid(const struct ctrl *ctrl, uint64_t birth, uint8_t uuid[UUID_BYTES])
{
    uint64_t hash[2] = {UINT64_C(0xcbf29ce484222325), UINT64_C(0x84222325cbf29ce4)};
    const char *texts[2] = {ctrl->params.serial, ctrl->params.model};

    for (; birth != 0; birth >>= 8) {
        hash[0] = mix(hash[0], birth & 0xffu);
        hash[1] = mix(hash[1], birth & 0xffu);
    }
    for (unsigned i = 0; i < 2; i++) {
        for (const char *c = texts[i]; *c != '\0'; c++) {
            hash[0] = mix(hash[0], (uint8_t)*c);
            hash[1] = mix(hash[1], (uint8_t)*c ^ i);
        }
        wire_put64(uuid + 8 * i, hash[i]);
    }
    uuid[UUID_VERSION_AT] = (uint8_t)((uuid[UUID_VERSION_AT] & UUID_VERSION_LOW) | UUID_VERSION);
    uuid[UUID_VARIANT_AT] = (uint8_t)((uuid[UUID_VARIANT_AT] & UUID_VARIANT_LOW) | UUID_VARIANT);
}

static bool has_oui(const struct ctrl *ctrl)
{
    return ctrl->params.ieee_oui != 0;
}

/* Both end with OUI and extension identifier, big endian (figure 245). */
static void put_oui_identifier(const struct ctrl *ctrl, const struct namespace *ns, uint8_t *at)
{
    uint8_t drive[UUID_BYTES];
    uint64_t extension;

    make_uuid(ctrl, 0, drive);
    extension = (wire_get64(drive) & LOW_BITS(DRIVE_BITS)) << BIRTH_BITS |
                (ns->birth & LOW_BITS(BIRTH_BITS));
    put_big_endian(at, ctrl->params.ieee_oui, OUI_BYTES);
    put_big_endian(at + OUI_BYTES, extension, EXTENSION_BYTES);
}

static void put_eui64(const struct ctrl *ctrl, const struct namespace *ns, uint8_t *at)
{
    put_oui_identifier(ctrl, ns, at);
}

/* Its first half is the vendor's own. */
static void put_nguid(const struct ctrl *ctrl, const struct namespace *ns, uint8_t *at)
{
    uint8_t uuid[UUID_BYTES];

    make_uuid(ctrl, ns->birth, uuid);
    memcpy(at, uuid, NGUID_BYTES - EUI64_BYTES);
    put_oui_identifier(ctrl, ns, at + NGUID_BYTES - EUI64_BYTES);
}

/* What all namespaces of this controller have in common. */
static void fill_common(const struct ctrl *ctrl, uint8_t *page)
{
    if (has_oui(ctrl))
        page[ID_NSFEAT] |= NSFEAT_UIDREUSE;
    page[ID_NLBAF] = LBA_FORMATS - 1;
    if (ctrl->params.dataset_management || ctrl->params.write_zeroes)
        page[ID_DLFEAT] = DLFEAT_READS_ZEROES;
    if (ctrl->params.write_zeroes)
        page[ID_DLFEAT] |= DLFEAT_DEAC;
    for (unsigned i = 0; i < LBA_FORMATS; i++)
        wire_put32(page + ID_LBAF0 + LBAF_BYTES * i, (uint32_t)lba_format_log2((enum lba_format)i)
                                                         << LBAF_DATA_SIZE);
}

static void fill_one(const struct ctrl *ctrl, const struct namespace *ns, uint8_t *page)
{
    fill_common(ctrl, page);
    wire_put64(page + ID_NSZE, ns->blocks);
    wire_put64(page + ID_NCAP, ns->blocks);
    wire_put64(page + ID_NUSE, ns->blocks);
    page[ID_FLBAS] = (uint8_t)namespace_format(ns);
    page[ID_NMIC] = ns->shared ? NMIC_SHARED : 0;
    wire_put16(page + ID_NOIOB, (uint16_t)ctrl->params.optimal_boundary);
    if (ctrl->params.oacs_format)
        page[ID_FPI] = FPI_SUPPORTED | format_percent_left(ctrl, ns);
    if (ctrl->params.oacs_ns_management)
        wire_put64(page + ID_NVMCAP, ns->media_bytes);
    if (has_oui(ctrl)) {
        put_nguid(ctrl, ns, page + ID_NGUID);
        put_eui64(ctrl, ns, page + ID_EUI64);
    }
}

/* An inactive NSID has a structure of zeroes; the broadcast value is for what is common. */
void identify_fill_active(const struct ctrl *ctrl, uint32_t nsid, uint32_t cdw10, uint8_t *page)
{
    const struct namespace *ns = namespace_valid(ctrl, nsid);

    (void)cdw10;
    if (nsid == NSID_ALL)
        fill_common(ctrl, page);
    else if (ns != NULL && ns->attached)
        fill_one(ctrl, ns, page);
}

void identify_fill_allocated(const struct ctrl *ctrl, uint32_t nsid, uint32_t cdw10, uint8_t *page)
{
    const struct namespace *ns = namespace_valid(ctrl, nsid);

    (void)cdw10;
    if (ns != NULL && ns->allocated)
        fill_one(ctrl, ns, page);
}

/* NSIDs above the one given, ascending. */
static void fill_list(const struct ctrl *ctrl, uint32_t above, bool inactive, uint8_t *page)
{
    uint32_t count = 0;

    for (uint32_t i = above; i < ctrl->namespaces.count && count < NAMESPACE_LIST_MAX; i++) {
        const struct namespace *ns = &ctrl->namespaces.items[i];

        if (inactive ? ns->allocated : ns->attached)
            wire_put32(page + 4 * count++, ns->nsid);
    }
}

void identify_fill_active_list(const struct ctrl *ctrl, uint32_t nsid, uint32_t cdw10,
                               uint8_t *page)
{
    (void)cdw10;
    fill_list(ctrl, nsid, false, page);
}

void identify_fill_allocated_list(const struct ctrl *ctrl, uint32_t nsid, uint32_t cdw10,
                                  uint8_t *page)
{
    (void)cdw10;
    fill_list(ctrl, nsid, true, page);
}

/* Controllers from CNTID on: this one, or none. */
static void fill_controllers(const struct ctrl *ctrl, uint32_t cdw10, uint8_t *page)
{
    if (ctrl->index < IDENTIFY_CNTID(cdw10))
        return;
    wire_put16(page, 1);
    wire_put16(page + 2, (uint16_t)ctrl->index);
}

void identify_fill_controllers(const struct ctrl *ctrl, uint32_t nsid, uint32_t cdw10,
                               uint8_t *page)
{
    (void)nsid;
    fill_controllers(ctrl, cdw10, page);
}

void identify_fill_attached(const struct ctrl *ctrl, uint32_t nsid, uint32_t cdw10, uint8_t *page)
{
    const struct namespace *ns = namespace_valid(ctrl, nsid);

    if (ns != NULL && ns->attached)
        fill_controllers(ctrl, cdw10, page);
}

static uint8_t *put_descriptor(uint8_t *at, uint8_t type, uint8_t bytes)
{
    at[NID_TYPE] = type;
    at[NID_LENGTH] = bytes;
    return at + NID_VALUE + bytes;
}

void identify_fill_descriptors(const struct ctrl *ctrl, uint32_t nsid, uint32_t cdw10,
                               uint8_t *page)
{
    const struct namespace *ns = namespace_valid(ctrl, nsid);

    (void)cdw10;
    if (ns == NULL || !ns->attached)
        return;
    if (has_oui(ctrl)) {
        put_eui64(ctrl, ns, page + NID_VALUE);
        page = put_descriptor(page, NID_EUI64, EUI64_BYTES);
        put_nguid(ctrl, ns, page + NID_VALUE);
        page = put_descriptor(page, NID_NGUID, NGUID_BYTES);
    }
    make_uuid(ctrl, ns->birth, page + NID_VALUE);
    put_descriptor(page, NID_UUID, UUID_BYTES);
}

bool identify_has_granularity(const struct ctrl *ctrl)
{
    return ctrl->params.oacs_ns_management && ctrl->regs.vs >= VS_1_4;
}

void identify_fill_granularity(const struct ctrl *ctrl, uint32_t nsid, uint32_t cdw10,
                               uint8_t *page)
{
    (void)nsid, (void)cdw10;
    wire_put64(page + GRANULARITY_SIZE0, ctrl->params.namespace_granularity);
    wire_put64(page + GRANULARITY_CAPACITY0, ctrl->params.namespace_granularity);
}

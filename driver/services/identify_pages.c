/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Identify (NVMe 1.4 section 5.15) for the controller's owner: the command and its pages. Called by
 * management tools and by ports; the core reads what it needs itself. Left out: NVM sets, UUID list
 * and granularity, which are read by hand.
 */
#include <nvme/bytes.h>
#include <nvme/services.h>
#include <nvme/spec.h>

#define PAGE_BYTES        4096u
#define LIST_MAX          1024u /* entries of 32 bits */
#define CONTROLLERS_MAX   2047u /* entries of 16 bits, after their number */
#define DESCRIPTOR_HEADER 4u    /* type, length, two reserved (5.15.2.4) */

void nvme_fill_identify(struct nvme_admin_request *request, enum nvme_cns cns, uint32_t nsid,
                        uint16_t controller, void *page)
{
    request->command = (struct nvme_command){.opcode = NVME_ADMIN_IDENTIFY,
                                             .nsid = nsid,
                                             .cdw10 = (uint32_t)cns | (uint32_t)controller << 16};
    request->buffer = page;
    request->bytes = PAGE_BYTES;
    request->dir = NVME_FROM_DEVICE;
    request->timeout_ms = 0;
}

static void take_text(char *to, const uint8_t *from, unsigned bytes)
{
    unsigned used = 0;

    for (unsigned i = 0; i < bytes; i++) {
        to[i] = from[i] < ' ' || from[i] > '~' ? ' ' : (char)from[i];
        used = to[i] == ' ' ? used : i + 1;
    }
    to[used] = '\0';
}

static void take_bytes(uint8_t *to, const uint8_t *from, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = from[i];
}

static struct nvme_u128 take_u128(const uint8_t *from)
{
    return (struct nvme_u128){nvme_get_le64(from), nvme_get_le64(from + 8)};
}

void nvme_read_controller(const void *page, struct nvme_controller_page *out)
{
    const uint8_t *id = page;

    *out = (struct nvme_controller_page){.vid = (uint16_t)nvme_get_le16(id),
                                         .ssvid = (uint16_t)nvme_get_le16(id + 2),
                                         .mdts = id[NVME_IDC_MDTS],
                                         .cntlid = (uint16_t)nvme_get_le16(id + 78),
                                         .version = nvme_get_le32(id + 80),
                                         .rtd3r = nvme_get_le32(id + 84),
                                         .rtd3e = nvme_get_le32(id + NVME_IDC_RTD3E),
                                         .oaes = nvme_get_le32(id + 92),
                                         .ctratt = nvme_get_le32(id + 96),
                                         .oacs = (uint16_t)nvme_get_le16(id + NVME_IDC_OACS),
                                         .acl = id[NVME_IDC_ACL],
                                         .aerl = id[NVME_IDC_AERL],
                                         .frmw = id[260],
                                         .lpa = id[261],
                                         .elpe = id[262],
                                         .npss = id[263],
                                         .wctemp = (uint16_t)nvme_get_le16(id + 266),
                                         .cctemp = (uint16_t)nvme_get_le16(id + 268),
                                         .mtfa = (uint16_t)nvme_get_le16(id + 270),
                                         .hmpre = nvme_get_le32(id + NVME_IDC_HMPRE),
                                         .hmmin = nvme_get_le32(id + NVME_IDC_HMMIN),
                                         .tnvmcap = take_u128(id + 280),
                                         .unvmcap = take_u128(id + 296),
                                         .edstt = (uint16_t)nvme_get_le16(id + 316),
                                         .kas = (uint16_t)nvme_get_le16(id + 320),
                                         .nn = nvme_get_le32(id + NVME_IDC_NN),
                                         .oncs = (uint16_t)nvme_get_le16(id + NVME_IDC_ONCS),
                                         .fuses = id[522],
                                         .fna = id[524],
                                         .vwc = id[NVME_IDC_VWC],
                                         .awun = (uint16_t)nvme_get_le16(id + NVME_IDC_AWUN),
                                         .awupf = (uint16_t)nvme_get_le16(id + NVME_IDC_AWUPF),
                                         .sgls = nvme_get_le32(id + NVME_IDC_SGLS)};
    take_text(out->serial, id + NVME_IDC_SN, sizeof(out->serial) - 1);
    take_text(out->model, id + NVME_IDC_MN, sizeof(out->model) - 1);
    take_text(out->firmware, id + NVME_IDC_FR, sizeof(out->firmware) - 1);
}

void nvme_read_namespace(const void *page, struct nvme_namespace_page *out)
{
    const uint8_t *id = page;

    *out = (struct nvme_namespace_page){.nsze = nvme_get_le64(id + NVME_IDN_NSZE),
                                        .ncap = nvme_get_le64(id + 8),
                                        .nuse = nvme_get_le64(id + 16),
                                        .nsfeat = id[NVME_IDN_NSFEAT],
                                        .flbas = id[NVME_IDN_FLBAS],
                                        .mc = id[27],
                                        .dpc = id[28],
                                        .dps = id[NVME_IDN_DPS],
                                        .nmic = id[30],
                                        .fpi = id[32],
                                        .dlfeat = id[33],
                                        .formats = (uint8_t)((id[NVME_IDN_NLBAF] & 0xFu) + 1),
                                        .nvmcap = take_u128(id + 48)};
    for (unsigned i = 0; i < out->formats; i++) {
        uint32_t format = nvme_get_le32(id + NVME_IDN_LBAF + NVME_IDN_LBAF_BYTES * i);

        out->format[i] = (struct nvme_lba_format){(uint16_t)format, (uint8_t)(format >> 16),
                                                  (uint8_t)(format >> 24 & 3)};
    }
    take_bytes(out->nguid, id + 104, sizeof(out->nguid));
    take_bytes(out->eui64, id + 120, sizeof(out->eui64));
}

/* Type 1 EUI64, 2 NGUID, 3 UUID; a length of 0 ends the list; other types are passed over. */
int nvme_read_descriptors(const void *page, struct nvme_namespace_ids *out)
{
    const uint8_t *at = page;
    const uint8_t *end = at + PAGE_BYTES;

    *out = (struct nvme_namespace_ids){.has_eui64 = false};
    while (end - at >= (int)DESCRIPTOR_HEADER && at[1] != 0) {
        const uint8_t *data = at + DESCRIPTOR_HEADER;
        unsigned bytes = at[1];

        if ((unsigned)(end - data) < bytes || (at[0] == 1 && bytes != sizeof(out->eui64)) ||
            ((at[0] == 2 || at[0] == 3) && bytes != sizeof(out->uuid)))
            return NVME_E_DEVICE;
        if (at[0] == 1) {
            out->has_eui64 = true;
            take_bytes(out->eui64, data, bytes);
        } else if (at[0] == 2) {
            out->has_nguid = true;
            take_bytes(out->nguid, data, bytes);
        } else if (at[0] == 3) {
            out->has_uuid = true;
            take_bytes(out->uuid, data, bytes);
        }
        at = data + bytes;
    }
    return NVME_OK;
}

unsigned nvme_read_namespace_list(const void *page, uint32_t *nsids, unsigned max)
{
    const uint8_t *list = page;
    unsigned count = 0;

    while (count < LIST_MAX && count < max) {
        nsids[count] = nvme_get_le32(list + sizeof(uint32_t) * count);
        if (nsids[count] == 0)
            break;
        count++;
    }
    return count;
}

unsigned nvme_read_controller_list(const void *page, uint16_t *ids, unsigned max)
{
    const uint8_t *list = page;
    unsigned count = nvme_get_le16(list);

    if (count > CONTROLLERS_MAX)
        count = CONTROLLERS_MAX;
    if (count > max)
        count = max;
    for (unsigned i = 0; i < count; i++)
        ids[i] = (uint16_t)nvme_get_le16(list + 2 + 2 * i);
    return count;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What owners of a controller commonly ask of it through the admin queue, beside the core:
 * functions that fill a struct nvme_admin_request, to be handed to nvme_admin_submit() or
 * nvme_admin_blocking(), and functions that read the pages that come back. Linked only where
 * called; they know the public interface and nothing else. Section numbers are of NVM Express Base
 * Specification 1.4. Any other command: fill request->command by hand.
 *
 * nvme_fill_*(): set command, buffer, bytes, dir and timeout_ms (0); done and user are the
 * caller's, and a command that may take longer than config.admin_timeout_ms (format, self-test,
 * firmware) wants its own timeout_ms afterwards. The request's other members need not be set.
 * Nothing is checked that the controller checks.
 */
#ifndef NVME_SERVICES_H
#define NVME_SERVICES_H

#include <nvme/nvme.h>

/* A counter of 128 bits. */
struct nvme_u128 {
    uint64_t low, high;
};

/* ---- Identify (5.15): pages of 4096 bytes (identify_pages.c) --------------------------------- */

enum nvme_cns {
    NVME_CNS_IDENTIFY_NAMESPACE = 0x00,
    NVME_CNS_IDENTIFY_CONTROLLER = 0x01,
    NVME_CNS_ACTIVE_NAMESPACES = 0x02, /* those after nsid */
    NVME_CNS_DESCRIPTORS = 0x03,
    NVME_CNS_ALLOCATED_NAMESPACES = 0x10, /* those after nsid */
    NVME_CNS_ALLOCATED_NAMESPACE = 0x11,
    NVME_CNS_ATTACHED_CONTROLLERS = 0x12, /* to nsid, from `controller` on */
    NVME_CNS_CONTROLLERS = 0x13           /* from `controller` on */
};
void nvme_fill_identify(struct nvme_admin_request *request, enum nvme_cns cns, uint32_t nsid,
                        uint16_t controller, void *page);

struct nvme_controller_page { /* 5.15.2.2, by the names there */
    uint16_t vid, ssvid, cntlid;
    char serial[21], model[41], firmware[9]; /* as in struct nvme_info */
    uint8_t mdts, acl, aerl, frmw, lpa, elpe, npss, vwc, fna, fuses;
    uint32_t version, rtd3r, rtd3e, oaes, ctratt, hmpre, hmmin, sgls, nn;
    uint16_t oacs, oncs, wctemp, cctemp, mtfa, edstt, kas, awun, awupf;
    struct nvme_u128 tnvmcap, unvmcap;
};
void nvme_read_controller(const void *page, struct nvme_controller_page *out);

struct nvme_lba_format {
    uint16_t metadata_bytes;
    uint8_t block_log2;           /* of the data's bytes; 0 = not available */
    uint8_t relative_performance; /* 0 best .. 3 degraded */
};
struct nvme_namespace_page { /* 5.15.2.1, by the names there */
    uint64_t nsze, ncap, nuse;
    uint8_t nsfeat, flbas, mc, dpc, dps, nmic, fpi, dlfeat;
    uint8_t formats;                   /* NLBAF + 1 */
    struct nvme_lba_format format[16]; /* those beyond `formats` are 0 */
    struct nvme_u128 nvmcap;
    uint8_t nguid[16], eui64[8]; /* big endian, as printed; 0 = none */
};
void nvme_read_namespace(const void *page, struct nvme_namespace_page *out);

struct nvme_namespace_ids { /* 5.15.2.4 */
    bool has_eui64, has_nguid, has_uuid;
    uint8_t eui64[8], nguid[16], uuid[16];
};
/* NVME_E_DEVICE: a descriptor has the wrong length, or passes the end of the page. */
int nvme_read_descriptors(const void *page, struct nvme_namespace_ids *out);

/* Entries of a list of namespaces up to the 0 at its end: 0 to 1024. */
unsigned nvme_read_namespace_list(const void *page, uint32_t *nsids, unsigned max);
/* Entries of a list of controllers: 0 to 2047. */
unsigned nvme_read_controller_list(const void *page, uint16_t *ids, unsigned max);

/* ---- features (5.21, 5.9) and power (manage.c) ----------------------------------------------- */

enum nvme_select {
    NVME_SELECT_CURRENT,
    NVME_SELECT_DEFAULT,
    NVME_SELECT_SAVED,
    NVME_SELECT_CAPABILITIES /* result: bit 0 can be saved, 1 by namespace, 2 can be changed */
};
/* Value: result. buffer and bytes: for features that have data, else NULL and 0. */
void nvme_fill_get_feature(struct nvme_admin_request *request, uint8_t feature,
                           enum nvme_select select, uint32_t nsid, void *buffer, uint32_t bytes);
/* value: CDW11. */
void nvme_fill_set_feature(struct nvme_admin_request *request, uint8_t feature, bool save,
                           uint32_t nsid, uint32_t value, void *buffer, uint32_t bytes);
/* 5.21.1.2 */
void nvme_fill_set_power_state(struct nvme_admin_request *request, uint8_t state);

/* ---- log pages (5.14) (logs.c) --------------------------------------------------------------- */

enum nvme_log {
    NVME_LOG_ERRORS = 0x01,
    NVME_LOG_SMART = 0x02,
    NVME_LOG_FIRMWARE = 0x03,
    NVME_LOG_NAMESPACES = 0x04, /* changed since it was last read */
    NVME_LOG_COMMANDS = 0x05,
    NVME_LOG_SELF_TEST = 0x06
};
/* bytes: a multiple of 4. nsid: UINT32_MAX for the controller. keep_event (RAE): the event that
 * named the page stays reported. offset: a multiple of 4, where LPA has it (bit 2), else 0. */
void nvme_fill_get_log(struct nvme_admin_request *request, enum nvme_log log, uint32_t nsid,
                       uint64_t offset, bool keep_event, void *buffer, uint32_t bytes);

#define NVME_SMART_BYTES 512u
struct nvme_smart { /* 5.14.1.2 */
    uint8_t critical_warning, available_spare, spare_threshold, percentage_used;
    uint16_t temperature_k;                     /* composite */
    uint16_t sensors_k[8];                      /* 0 = not there */
    struct nvme_u128 units_read, units_written; /* thousands of 512 bytes */
    struct nvme_u128 host_reads, host_writes, busy_minutes, power_cycles, power_on_hours;
    struct nvme_u128 unsafe_shutdowns, media_errors, error_entries;
    uint32_t warning_minutes, critical_minutes; /* above the temperature thresholds */
};
void nvme_read_smart(const void *page, struct nvme_smart *out);

#define NVME_ERROR_ENTRY_BYTES 64u
struct nvme_error_entry { /* 5.14.1.1 */
    uint64_t count;       /* 0 = the entry is not used */
    uint64_t lba, command_specific;
    uint32_t nsid;
    uint16_t queue, command; /* FFFFh: not of one command */
    uint16_t status;         /* as in a request: phase tag stripped */
    uint16_t parameter;      /* byte 7:0, bit 10:8 of the SQE that is wrong; FFFFh: none is */
};
/* index: of the entries of a page or part of one, newest first. */
void nvme_read_error_entry(const void *page, unsigned index, struct nvme_error_entry *out);

struct nvme_firmware_slots { /* 5.14.1.3 */
    uint8_t active, next;    /* slots 1..7; next = 0: a reset changes nothing */
    char revision[7][9];     /* of slots 1..7; empty = nothing in it */
};
void nvme_read_firmware_slots(const void *page, struct nvme_firmware_slots *out);

/* The namespaces of NVME_LOG_NAMESPACES. UINT32_MAX alone: more than 1024 have changed. */
unsigned nvme_read_changed_namespaces(const void *page, uint32_t *nsids, unsigned max);
/* The dword of one command (5.14.1.5): bit 0 supported, 1 changes data, 2 capabilities, 3 and 4
 * inventory. page: 4096 bytes. */
uint32_t nvme_read_command_effects(const void *page, bool io, uint8_t opcode);

/* ---- management (manage.c) ------------------------------------------------------------------- */

enum nvme_erase { NVME_ERASE_NONE, NVME_ERASE_USER_DATA, NVME_ERASE_CRYPTOGRAPHIC };
/* 5.23. Afterwards nvme_refresh_namespace(), below. */
void nvme_fill_format(struct nvme_admin_request *request, uint32_t nsid, uint8_t format,
                      enum nvme_erase erase);

/* 5.20. page: 4096 bytes of the caller's, filled here. result: the new namespace's identifier. */
void nvme_fill_create_namespace(struct nvme_admin_request *request, void *page, uint64_t blocks,
                                uint64_t capacity_blocks, uint8_t format);
void nvme_fill_delete_namespace(struct nvme_admin_request *request, uint32_t nsid);
/* 5.19. attach false: detach. controllers: ids, in increasing order, at most 2047; page as above.
 */
void nvme_fill_attach_namespace(struct nvme_admin_request *request, void *page, uint32_t nsid,
                                bool attach, const uint16_t *controllers, unsigned count);

/* 5.12: a piece of an image; offset and bytes are multiples of 4 (and of FWUG, 5.15.2.2). */
void nvme_fill_firmware_download(struct nvme_admin_request *request, uint32_t offset, void *piece,
                                 uint32_t bytes);
enum nvme_commit {                              /* 5.11 */
                   NVME_COMMIT_STORE,           /* replace the slot's image, do not activate it */
                   NVME_COMMIT_STORE_ACTIVATE,  /* and activate it at the next reset */
                   NVME_COMMIT_ACTIVATE,        /* activate the slot's image at the next reset */
                   NVME_COMMIT_ACTIVATE_AT_ONCE /* without a reset */
};
void nvme_fill_firmware_commit(struct nvme_admin_request *request, uint8_t slot,
                               enum nvme_commit action);

enum nvme_self_test {
    NVME_SELF_TEST_SHORT = 1,
    NVME_SELF_TEST_EXTENDED,
    NVME_SELF_TEST_ABORT = 15
};
/* 5.8. nsid: 0 = the controller alone, UINT32_MAX = and all namespaces. Returns when it has begun;
 * how it goes says NVME_LOG_SELF_TEST. */
void nvme_fill_self_test(struct nvme_admin_request *request, uint32_t nsid,
                         enum nvme_self_test test);

/* Ask for the namespace as it is now, and nvme_update_namespace(), whose conditions hold. Blocking,
 * as nvme_admin_blocking(). page: 4096 bytes. A namespace that the controller does not know is
 * gone. NVME_OK: it can be used; else as these two say. */
int nvme_refresh_namespace(struct nvme *nvme, struct nvme_admin_request *request, uint32_t nsid,
                           void *page);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Namespaces: their format, their contents, and their place on the medium. A namespace identifier
 * is valid if it is 1 to NN; valid ones are allocated or not, and allocated ones are attached to
 * this controller or not: attached is what the standard calls active (6.1.2 to 6.1.5).
 */
#ifndef NVME_NAMESPACE_H
#define NVME_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/rangeset.h"
#include "media/store.h"

struct ctrl;
struct command;
struct ctrl_params;

/* LBA formats, by their number in FLBAS and LBAF: no metadata, all equally fast. */
enum lba_format { LBA_FORMAT_512, LBA_FORMAT_4096, LBA_FORMATS };

struct namespace
{
    uint32_t nsid;
    bool usable; /* attached and not being formatted: I/O commands find it */
    bool allocated;
    bool attached;
    bool formatting;
    bool shared;  /* NMIC bit 0, as it was asked for */
    bool changed; /* in the list of log page 04h */
    uint8_t block_log2;
    uint8_t units_per_block_log2;  /* units of media/store.h */
    uint64_t blocks;               /* NSZE */
    uint64_t media_at;             /* first byte on the medium */
    struct store *store;           /* of all namespaces: what the medium holds */
    uint64_t first_unit;           /* of its own contents in there */
    struct rangeset uncorrectable; /* blocks marked by Write Uncorrectable (6.16) */
    uint64_t bytes;       /* size that was asked for: every format makes its blocks of it */
    uint64_t media_bytes; /* what it takes of the capacity (NVMCAP) */
    uint64_t birth;       /* namespaces made before it; its identifiers follow from that */
};

/* A Format NVM command at work (format.c). */
struct formatting {
    bool running;
    bool anew;            /* power was lost: what the medium is at work on does not count */
    uint8_t block_log2;   /* of the new format */
    uint64_t command;     /* command_arg(); a reset may have dropped it */
    uint32_t next;        /* index of the namespace that the medium clears */
    uint64_t at;          /* bytes of it that are done */
    uint32_t piece;       /* bytes that the medium is at work on */
    uint64_t done, total; /* bytes over all namespaces */
};

struct namespaces {
    struct namespace *items; /* [nsid - 1] */
    uint32_t count;          /* NN: the highest NSID that can be (5.15.2.2) */
    uint64_t capacity;       /* TNVMCAP, bytes */
    struct store *store;     /* unit 0 is byte 0 of the medium */
    uint64_t births;
    struct formatting formatting;
};

/* Position of a block in the store. */
static inline uint64_t namespace_unit(const struct namespace *ns, uint64_t block)
{
    return ns->first_unit + (block << ns->units_per_block_log2);
}

/* What the configuration says about one or several equal namespaces. */
struct namespace_spec {
    uint64_t bytes;
    uint32_t times;
    enum lba_format format;
};
#define NAMESPACE_SPECS_MAX 16u

/* namespace_specs.c: reads ctrl.namespace_size, block_bytes and more_namespaces. NULL if good, else
 * one sentence naming the key. */
const char *namespace_specs_read(const struct ctrl_params *params,
                                 struct namespace_spec specs[NAMESPACE_SPECS_MAX], uint32_t *count);
/* The checks of everything in ctrl_namespace.def together: NULL if good, else one sentence. */
const char *namespace_params_check(const struct ctrl_params *params);

/* What a namespace of this size takes of the capacity. */
uint64_t namespace_media_bytes(const struct ctrl_params *params, uint64_t bytes);

/* Blocks are written: they can be read again (6.16). Such a write passes by the volatile cache, or
 * a loss of power would bring back, as good data, what was there before they were marked. */
void namespace_made_readable(struct namespace *ns, uint64_t first, uint64_t count);

void namespaces_init(struct ctrl *ctrl);
void namespaces_free(struct ctrl *ctrl);
uint64_t namespaces_unallocated(const struct ctrl *ctrl); /* UNVMCAP, bytes */

/* Why namespace_find() (internal.h) found nothing (6.1.5): Invalid Namespace or Format if the NSID
 * is not valid (0, beyond NN, broadcast), Invalid Field if it is inactive, else Format in Progress.
 */
uint16_t namespace_missing(const struct ctrl *ctrl, uint32_t nsid);

/* The same for commands about namespaces: NULL if the NSID is not valid. */
struct namespace *namespace_valid(const struct ctrl *ctrl, uint32_t nsid);
/* Success if the NSID is active (formatting or not), else its status by the rule above. */
uint16_t namespace_check_active(const struct ctrl *ctrl, uint32_t nsid);

uint8_t lba_format_log2(enum lba_format format);
enum lba_format namespace_format(const struct namespace *ns);
/* Another format: the size in bytes stays, cut to whole blocks. */
void namespace_set_format(struct namespace *ns, uint8_t block_log2);
/* Makes bytes of it read as zeroes, for good: no loss of power brings back what a namespace held
 * that was formatted or deleted. at and bytes are multiples of 512, within media_bytes. */
void namespace_clear(struct namespace *ns, uint64_t at, uint64_t bytes);

/* A status; *nsid is the new namespace's. Not attached yet. */
uint16_t namespace_create(struct ctrl *ctrl, uint64_t bytes, enum lba_format format, bool shared,
                          uint32_t *nsid);
/* Must not be attached. */
void namespace_delete(struct ctrl *ctrl, struct namespace *ns);
void namespace_attach(struct ctrl *ctrl, struct namespace *ns);
/* Commands in flight end as if they had named an inactive namespace (5.19). */
void namespace_detach(struct ctrl *ctrl, struct namespace *ns);
/* I/O commands are being worked on that name it. */
bool namespace_is_busy(const struct ctrl *ctrl, uint32_t nsid);

/* Its Identify data or its place in the list of active namespaces has changed (5.2.1, Namespace
 * Attribute Changed). */
void namespace_has_changed(struct ctrl *ctrl, struct namespace *ns);
/* Log page 04h (5.14.1.4): 4096 bytes, ascending, FFFFFFFFh alone if there are too many. */
#define CHANGED_LIST_BYTES 4096u
void namespaces_changed_list(const struct ctrl *ctrl, uint8_t *page);
void namespaces_changed_forget(struct ctrl *ctrl); /* the list has been read */

/* nsmgmt.c: Namespace Management (5.20) and Attachment (5.19). A status or COMMAND_GOES_ON. */
bool nsmgmt_exists(const struct ctrl *ctrl);
bool nsmgmt_notices(const struct ctrl *ctrl); /* namespaces can change: log page 04h, OAES bit 8 */
uint16_t nsmgmt_execute(struct ctrl *ctrl, struct command *cmd);
uint16_t nsmgmt_data_arrived(struct ctrl *ctrl, struct command *cmd, const uint8_t *data);

/* format.c: Format NVM (5.23). A status or COMMAND_GOES_ON. */
bool format_exists(const struct ctrl *ctrl);
bool format_is_of_one(const struct ctrl *ctrl); /* it exists, and formats what it names */
bool format_is_of_all(const struct ctrl *ctrl); /* or all that there are (FNA bit 0) */
uint16_t format_execute(struct ctrl *ctrl, struct command *cmd);
/* Power was lost: what a running format has cleared and not flushed may have come back. */
void format_power_lost(struct ctrl *ctrl);
/* FPI (5.15.2.1): percent that remains of the format of this namespace; 0 if none is running. */
uint8_t format_percent_left(const struct ctrl *ctrl, const struct namespace *ns);

#endif

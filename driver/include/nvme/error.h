/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a call can return, and its text. The raw NVMe status of a command travels beside it, in the
 * request.
 */
#ifndef NVME_ERROR_H
#define NVME_ERROR_H

#include <stdint.h>

/* What a call can return. The raw NVMe status of a command travels beside it, in the request. */
enum nvme_error {
    NVME_OK = 0,
    NVME_E_INVAL = -1,     /* an argument breaks a rule stated at the function */
    NVME_E_NO_MEMORY = -2, /* the platform or the arena has none left */
    NVME_E_BUSY = -3,      /* no free slot (full = reject), or the wrong state for this call */
    NVME_E_STATE = -4,     /* the controller is not ready, or was stopped under the request */
    NVME_E_STATUS = -5,    /* the controller answered with an error: see request.status */
    NVME_E_TIMEOUT = -6,   /* a deadline passed */
    NVME_E_GONE = -7,      /* registers read as all ones, or CSTS.CFS is set */
    NVME_E_DEVICE = -8, /* the device broke the protocol (unknown CID, SQ head out of range, ...) */
    NVME_E_UNSUPPORTED = -9, /* the controller or this configuration cannot do it */
    NVME_E_RANGE = -10,      /* LBA range outside the namespace */
    NVME_E_CANCELLED = -11   /* ended by nvme_cancel() before the controller had executed it */
};

/* One line of English for an error; never NULL. */
const char *nvme_error_text(int error);
/* Text of a raw status (section 4.6.1); never NULL ("unknown status" for codes not in the
 * standard). */
const char *nvme_status_text(uint16_t status);

#endif

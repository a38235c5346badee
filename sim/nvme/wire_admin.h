/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What features, log pages, events, firmware and self-test add to wire.h. Section numbers are of
 * the Base Specification 1.4.
 */
#ifndef NVME_WIRE_ADMIN_H
#define NVME_WIRE_ADMIN_H

/* Optional admin opcodes (figure 139). */
enum wire_optional_admin_opcode {
    ADMIN_FIRMWARE_COMMIT = 0x10,
    ADMIN_FIRMWARE_DOWNLOAD = 0x11,
    ADMIN_SELF_TEST = 0x14,
    ADMIN_KEEP_ALIVE = 0x18
};

/* Status: type << 8 | code (4.6.1.2). */
enum wire_admin_status {
    STATUS_KEEP_ALIVE_EXPIRED = 0x019,
    STATUS_FIRMWARE_SLOT_INVALID = 0x106,
    STATUS_FIRMWARE_IMAGE_INVALID = 0x107,
    STATUS_FIRMWARE_NEEDS_CONVENTIONAL_RESET = 0x10b,
    STATUS_FIRMWARE_NEEDS_SUBSYSTEM_RESET = 0x110,
    STATUS_FIRMWARE_NEEDS_CONTROLLER_RESET = 0x111,
    STATUS_OVERLAPPING_RANGE = 0x114,
    STATUS_SELF_TEST_IN_PROGRESS = 0x11d
};
#define STATUS_CRD_SHIFT  11u     /* Command Retry Delay, 2 bits (4.6.1) */
#define STATUS_MORE       0x2000u /* there is an entry in the Error Information log */
#define STATUS_TYPE_MEDIA 2u      /* Media and Data Integrity Errors (4.6.1.2.3) */

/* Feature identifiers (5.21.1) beside those of wire.h. */
enum wire_more_features {
    FEATURE_LBA_RANGE = 0x03,
    FEATURE_HOST_MEMORY = 0x0d,
    FEATURE_TIMESTAMP = 0x0e,
    FEATURE_KEEP_ALIVE = 0x0f,
    FEATURE_HOST_BEHAVIOR = 0x16,
    FEATURE_PROGRESS_MARKER = 0x80,
    FEATURE_HOST_IDENTIFIER = 0x81
};

/* Log pages (5.14.1) beside those of wire.h. */
enum wire_more_logs { LOG_CHANGED_NAMESPACES = 0x04, LOG_EFFECTS = 0x05, LOG_SELF_TEST = 0x06 };

/* Asynchronous events (5.2.1): types, and what each can say. */
enum wire_more_event_types { EVENT_SMART = 1, EVENT_NOTICE = 2 };
enum wire_event_smart {
    EVENT_SMART_RELIABILITY = 0,
    EVENT_SMART_TEMPERATURE = 1,
    EVENT_SMART_SPARE = 2
};
enum wire_event_notice { EVENT_NOTICE_NAMESPACE_CHANGED = 0, EVENT_NOTICE_FIRMWARE_ACTIVATION = 1 };
/* Notices are enabled by bits of feature 0Bh and claimed by the same bits of OAES (5.21.1.11). */
#define ASYNC_NOTICE_SHIFT 8u

/* Critical Warning (5.14.1.2, byte 0), and the same bits of feature 0Bh. */
#define WARNING_SPARE       0x01u
#define WARNING_TEMPERATURE 0x02u
#define WARNING_RELIABILITY 0x04u
#define WARNING_READ_ONLY   0x08u
#define WARNING_BACKUP      0x10u

/* Commands Supported and Effects (5.14.1.5). */
#define EFFECT_SUPPORTED          0x00001u /* CSUPP */
#define EFFECT_LOGICAL_BLOCKS     0x00002u /* LBCC: may change the content of logical blocks */
#define EFFECT_NAMESPACE          0x00004u /* NCC: may change what a namespace is capable of */
#define EFFECT_NAMESPACE_LIST     0x00008u /* NIC: may change which namespaces there are */
#define EFFECT_CONTROLLER         0x00010u /* CCC: may change what the controller is capable of */
#define EFFECT_ALONE_IN_NAMESPACE 0x10000u /* CSE 1: no other command to the namespace */
#define EFFECT_ALONE              0x20000u /* CSE 2: no other command at all */

#endif

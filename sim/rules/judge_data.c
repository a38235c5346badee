/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of data pointers and DMA memory: rules D1 to D10 (NVMe 1.4 sections 4.3, 4.4).
 */
#include "rules/judge.h"

#include <inttypes.h>

static void judge_refused(struct rules *rules, const struct stream_record *r)
{
    rules_complain(rules, RULE_D6, WHERE_CPU(-1), "memory mapped for the device in that direction",
                   "the device %s %" PRIu64 " bytes at %" PRIx64 "h, which it may not reach",
                   r->a == 0 ? "reads" : "writes", r->c, r->b);
}

const struct judge judge_data = {
    .family = "D",
    .kinds = UINT64_C(1) << RECORD_REFUSED,
    .record = judge_refused,
};

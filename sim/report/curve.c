/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the printers of curves ask; see curve.h.
 */
#include "report/curve.h"

#include <string.h>

const char *curve_kind_name(enum curve_kind kind)
{
    static const char *const names[CURVE_KINDS] = {"depth", "block", "link", "cliff", "datasheet"};

    return names[kind];
}

const char *curve_link_text(struct curve_link link, char text[CURVE_LINK_TEXT])
{
    if (link.generation == 0)
        snprintf(text, CURVE_LINK_TEXT, "no link");
    else
        snprintf(text, CURVE_LINK_TEXT, "PCIe %u.0 x%u", link.generation, link.lanes);
    return text;
}

const struct curve_point *curve_unlinked(const struct curves *curves,
                                         const struct curve_point *point)
{
    for (size_t i = 0; i < curves->count; i++) {
        const struct curve_point *other = &curves->points[i];

        if (other->kind == CURVE_LINK && other->link.generation == 0 &&
            strcmp(other->drive, point->drive) == 0 && other->load.name == point->load.name)
            return other;
    }
    return NULL;
}

const char *curve_limit(const struct curves *curves, const struct curve_point *point)
{
    const struct curve_point *alone = curve_unlinked(curves, point);

    if (!alone || alone == point)
        return "-";
    return load_iops(&point->result) * 100 < load_iops(&alone->result) * (100 - CURVE_LINK_LOSS)
               ? "link"
               : "drive";
}

double curve_sheet_value(const struct curve_point *point)
{
    switch (point->figure->unit) {
    case DATASHEET_IOPS:
        return load_iops(&point->result);
    case DATASHEET_MB_PER_S:
        return load_mb_per_s(&point->result);
    case DATASHEET_MEAN_US:
    case DATASHEET_UNITS:
        break;
    }
    return load_mean_latency_us(&point->result);
}

double curve_sheet_error(const struct curve_point *point)
{
    return (curve_sheet_value(point) / point->figure->value - 1) * 100;
}

void curve_blocks(const struct curves *curves, uint64_t *verified, uint64_t *mismatched)
{
    *verified = *mismatched = 0;
    for (size_t i = 0; i < curves->count; i++) {
        *verified += curves->points[i].result.blocks_verified;
        *mismatched += curves->points[i].result.blocks_mismatched;
    }
}

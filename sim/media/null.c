/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A medium that takes no time: every operation ends where it begins, one event later. Called by
 * media.c only.
 */
#include "media/model.h"

static void *null_open(struct media *media)
{
    return media;
}

static void null_close(void *model)
{
    (void)model;
}

static struct media_span null_span(void *model, enum media_op op, uint64_t offset, uint64_t bytes,
                                   uint64_t now_ps)
{
    (void)model, (void)op, (void)offset, (void)bytes;
    return (struct media_span){now_ps, now_ps};
}

static uint64_t null_flush_ps(const void *model)
{
    (void)model;
    return 0;
}

const struct media_model media_null = {
    .open = null_open, .close = null_close, .span = null_span, .flush_ps = null_flush_ps};

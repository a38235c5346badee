/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Delivery of the event stream to its readers; see stream.h.
 */
#include "engine/stream.h"

#include <stddef.h>

static void stream_update(struct stream *stream)
{
    stream->wanted = 0;
    for (const struct stream_reader *r = stream->readers; r != NULL; r = r->next)
        stream->wanted |= r->kinds;
}

void stream_add(struct stream *stream, struct stream_reader *reader)
{
    struct stream_reader **end = &stream->readers;
    while (*end != NULL)
        end = &(*end)->next;
    reader->next = NULL;
    *end = reader;
    stream_update(stream);
}

void stream_remove(struct stream *stream, struct stream_reader *reader)
{
    struct stream_reader **at = &stream->readers;
    while (*at != NULL && *at != reader)
        at = &(*at)->next;
    if (*at != NULL)
        *at = reader->next;
    stream_update(stream);
}

void stream_deliver(const struct stream *stream, const struct stream_record *record)
{
    struct stream_reader *next;
    for (struct stream_reader *r = stream->readers; r != NULL; r = next) {
        next = r->next; /* a reader may remove itself */
        if (r->kinds >> record->kind & 1u)
            r->read(r->ctx, record);
    }
}

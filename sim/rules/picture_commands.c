/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pool of outstanding commands, and which memory they hold; see picture.h.
 */
#include <stdlib.h>

#include "rules/internal.h"

#define PAGE_LOG2 12u

struct picture_command *picture_new_command(struct picture *picture)
{
    uint32_t index = picture->commands_free;
    if (index != NO_COMMAND) {
        picture->commands_free = picture->commands[index].next;
    } else {
        picture->commands = picture_grow(picture->commands, &picture->commands_room,
                                         picture->commands_count + 1, sizeof *picture->commands);
        index = picture->commands_count++;
        picture->commands[index].data = (struct picture_data){0};
    }
    struct picture_command *command = &picture->commands[index];
    const struct picture_data data = {.ranges = command->data.ranges, .room = command->data.room};
    *command = (struct picture_command){.next = index, .data = data}; /* next: itself while used */
    return command;
}

void picture_end_command(struct picture *picture, struct picture_command *command)
{
    uint32_t index = (uint32_t)(command - picture->commands);
    struct picture_sq *sq = picture->sqs[command->sqid];
    picture_busy(picture, &command->data, false);
    picture_unattribute(picture, command, false);
    if (sq->by_cid[command->cid] == index)
        sq->by_cid[command->cid] = NO_COMMAND;
    if (sq->outstanding > 0)
        sq->outstanding--;
    if (command->slot < sq->size && sq->slots[command->slot].command == index)
        sq->slots[command->slot].command = NO_COMMAND;
    command->next = picture->commands_free;
    picture->commands_free = index;
}

struct picture_command *picture_find_command(struct picture *picture, uint32_t sqid, uint32_t cid)
{
    struct picture_sq *sq = picture_sq(picture, sqid);
    if (sq == NULL || cid > UINT16_MAX || sq->by_cid[cid] == NO_COMMAND)
        return NULL;
    return &picture->commands[sq->by_cid[cid]];
}

/* How many ranges of outstanding commands lie on each page, by the low bits of its number: what
 * most questions need to be answered with no. */
void picture_busy(struct picture *picture, const struct picture_data *data, bool begins)
{
    for (uint32_t i = 0; i < data->count; i++) {
        const struct picture_range *range = &data->ranges[i];
        uint64_t last = (range->bus + range->bytes - 1) >> PAGE_LOG2;
        for (uint64_t page = range->bus >> PAGE_LOG2; page <= last; page++)
            picture->busy[page % PICTURE_BUSY] += begins ? 1u : UINT32_MAX; /* or minus one */
    }
}

static bool may_be_busy(const struct picture *picture, uint64_t bus, uint64_t bytes)
{
    uint64_t last = (bus + bytes - 1) >> PAGE_LOG2;
    if (last - (bus >> PAGE_LOG2) >= PICTURE_BUSY)
        return true;
    for (uint64_t page = bus >> PAGE_LOG2; page <= last; page++) {
        if (picture->busy[page % PICTURE_BUSY] != 0)
            return true;
    }
    return false;
}

static bool touches(const struct picture_data *data, uint64_t bus, uint64_t bytes)
{
    for (uint32_t i = 0; i < data->count; i++) {
        if (bus < data->ranges[i].bus + data->ranges[i].bytes && data->ranges[i].bus < bus + bytes)
            return true;
    }
    return false;
}

struct picture_command *picture_touching(struct picture *picture, uint64_t bus, uint64_t bytes,
                                         uint32_t *after)
{
    if (bytes == 0 || !may_be_busy(picture, bus, bytes))
        return NULL;
    for (uint32_t i = *after; i < picture->commands_count; i++) {
        struct picture_command *command = &picture->commands[i];
        if (command->next == i && touches(&command->data, bus, bytes)) {
            *after = i + 1;
            return command;
        }
    }
    return NULL;
}

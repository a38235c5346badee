/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Contents of files: extents, reading and writing. Whole blocks go between the device and the
 * user's buffer in one request per extent. A block of which only a part is wanted goes through the
 * file system's own block: read and copied from, or, for a write, read (if it holds other valid
 * bytes), changed and written. The same for a user address that is no multiple of 4, which a device
 * could not reach (NVMe 1.4, section 4.3: PRP entries are dword aligned).
 */
#include "workload/fs_internal.h"

#include <stdlib.h>
#include <string.h>

#define DMA_ALIGN     4u
#define PS_PER_SECOND UINT64_C(1000000000000)

void fs_truncate(struct fs *fs, struct fs_node *node)
{
    for (uint32_t i = 0; i < node->extent_count; i++)
        space_give(&fs->space, node->extents[i].start, node->extents[i].blocks);
    free(node->extents);
    node->extents = NULL;
    node->extent_count = node->extent_room = 0;
    node->blocks = node->size = node->carry = 0;
}

static void add_extent(struct fs *fs, struct fs_node *node, uint64_t start, uint64_t blocks)
{
    struct fs_extent *last = node->extent_count ? &node->extents[node->extent_count - 1] : NULL;

    space_take(&fs->space, start, blocks);
    node->blocks += blocks;
    if (last && last->start + last->blocks == start) {
        last->blocks += blocks;
        return;
    }
    if (node->extent_count == node->extent_room) {
        node->extent_room = node->extent_room ? node->extent_room * 2 : 4;
        node->extents = fs_memory(node->extents, node->extent_room * sizeof(*node->extents));
    }
    node->extents[node->extent_count++] = (struct fs_extent){start, blocks};
}

/* Make room for `size` bytes. In place as far as possible, then wherever the rest fits. */
static int allocate(struct fs *fs, struct fs_node *node, uint64_t size)
{
    const uint64_t wanted = size / fs->block_bytes + (size % fs->block_bytes != 0);

    if (wanted > node->blocks && wanted - node->blocks > fs->space.free_blocks)
        return FS_E_FULL;
    while (wanted > node->blocks) {
        const uint64_t missing = wanted - node->blocks;
        struct space_run run = {0, 0};

        if (node->extent_count) {
            const struct fs_extent *last = &node->extents[node->extent_count - 1];

            run.start = last->start + last->blocks;
            run.blocks = space_free_from(&fs->space, run.start);
        }
        if (!run.blocks && !space_first_fit(&fs->space, missing, &run))
            return FS_E_FULL;
        add_extent(fs, node, run.start, run.blocks < missing ? run.blocks : missing);
    }
    return FS_OK;
}

/* CPU work and metadata of growing a file by `bytes`. */
static int charge_growth(struct fs *fs, uint32_t index, uint64_t bytes)
{
    struct fs_node *node = &fs->nodes[index];
    const uint64_t unit = fs->params->extend_unit, cost = fs->params->extend_cost;
    const uint64_t part = bytes % unit * cost + node->carry;
    const uint64_t crossed =
        (node->size + bytes + unit - 1) / unit - (node->size + unit - 1) / unit;

    node->carry = part % unit;
    fs_spend(fs, bytes / unit * cost + part / unit);
    return fs_write_metadata(fs, index, crossed * fs->params->extend_writes);
}

/* Where block `block` of a file is on the volume, and how many follow it in one piece. */
static uint64_t locate(const struct fs_node *node, uint64_t block, uint64_t *run)
{
    const struct fs_extent *extent = node->extents;

    while (block >= extent->blocks) {
        block -= extent->blocks;
        extent++;
    }
    *run = extent->blocks - block;
    return extent->start + block;
}

/* A part of one block: [skip, skip + bytes) of file block `block`. */
static int transfer_part(struct fs *fs, const struct fs_node *node, bool write, uint64_t block,
                         uint32_t skip, uint32_t bytes)
{
    const struct block_device *device = fs->device;
    const uint64_t block_start = block * fs->block_bytes;
    uint64_t run;
    const uint64_t at = locate(node, block, &run) * fs->block_bytes;
    const uint64_t valid_end =
        node->size < block_start + fs->block_bytes ? node->size : block_start + fs->block_bytes;
    const bool keeps_others =
        (skip > 0 && node->size > block_start) || valid_end > block_start + skip + bytes;
    int error;

    if (!write || keeps_others) {
        fs->stats.partial_reads++;
        error = device->ops->io(device->ctx, BLOCK_READ, at, fs->block_bytes, fs->block_buffer, 0);
        if (error)
            return error;
    }
    fs_spend(fs, bytes * PS_PER_SECOND / fs->params->copy_rate);
    if (!write)
        return FS_OK;
    fs->stats.partial_writes++;
    return device->ops->io(device->ctx, BLOCK_WRITE, at, fs->block_bytes, fs->block_buffer, 0);
}

static int transfer(struct fs *fs, const struct fs_node *node, bool write, uint64_t position,
                    struct block_buffer *buffer, uint32_t bytes)
{
    const struct block_device *device = fs->device;
    uint32_t done = 0;

    while (done < bytes) {
        const uint64_t block = (position + done) / fs->block_bytes;
        const uint32_t skip = (uint32_t)((position + done) % fs->block_bytes);
        const uint32_t left = bytes - done;
        uint32_t now;
        int error;

        if (skip || left < fs->block_bytes || done % DMA_ALIGN) {
            now = left < fs->block_bytes - skip ? left : fs->block_bytes - skip;
            error = transfer_part(fs, node, write, block, skip, now);
        } else {
            uint64_t run;
            const uint64_t at = locate(node, block, &run);

            now = left - left % fs->block_bytes;
            if (run < now / fs->block_bytes)
                now = (uint32_t)run * fs->block_bytes;
            if (write)
                fs->stats.data_writes++;
            else
                fs->stats.data_reads++;
            error = device->ops->io(device->ctx, write ? BLOCK_WRITE : BLOCK_READ,
                                    at * fs->block_bytes, now, buffer, done);
        }
        if (error)
            return error;
        done += now;
    }
    return FS_OK;
}

int fs_read(struct fs_file *file, struct block_buffer *buffer, uint32_t bytes, uint32_t *done)
{
    struct fs *fs = file->fs;
    const struct fs_node *node = &fs->nodes[file->node];

    fs_spend(fs, fs->params->call_read);
    if (done)
        *done = 0;
    if (bytes > node->size - file->position)
        bytes = (uint32_t)(node->size - file->position);
    const int error = transfer(fs, node, false, file->position, buffer, bytes);
    if (error)
        return error;
    file->position += bytes;
    if (done)
        *done = bytes;
    return FS_OK;
}

int fs_write(struct fs_file *file, struct block_buffer *buffer, uint32_t bytes)
{
    struct fs *fs = file->fs;
    struct fs_node *node = &fs->nodes[file->node];
    const uint64_t end = file->position + bytes;

    fs_spend(fs, fs->params->call_write);
    if (end < bytes)
        return FS_E_FULL;
    if (bytes == 0)
        return FS_OK;
    int error = allocate(fs, node, end);
    if (!error && end > node->size)
        error = charge_growth(fs, file->node, end - node->size);
    if (!error)
        error = transfer(fs, node, true, file->position, buffer, bytes);
    if (error)
        return error;
    node->changed = true;
    if (end > node->size)
        node->size = end;
    file->position = end;
    return FS_OK;
}

int fs_seek(struct fs_file *file, uint64_t position)
{
    struct fs *fs = file->fs;

    fs_spend(fs, fs->params->call_seek);
    if (position > fs->nodes[file->node].size)
        return FS_E_RANGE;
    file->position = position;
    return FS_OK;
}

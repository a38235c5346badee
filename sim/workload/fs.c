/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The volume: creation, costs of calls, metadata writes, opening and closing of files. Metadata
 * goes to one of four parts of the zone at the start of the volume, always to the same block for
 * the same object, so that a run repeats exactly: object nodes and extents by node number,
 * directories by the parent's number, the bitmap by the file's first block.
 */
#include "workload/fs_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "pcie/record.h"

enum metadata_part {
    METADATA_NODE,
    METADATA_DIRECTORY,
    METADATA_BITMAP,
    METADATA_EXTENT,
    METADATA_PARTS
};

#define BITS_PER_BYTE 8u

const char *fs_error_text(int error)
{
    switch (error) {
    case FS_OK:
        return "no error";
    case FS_E_NOT_FOUND:
        return "no such file or directory";
    case FS_E_EXISTS:
        return "the name is taken";
    case FS_E_FULL:
        return "the volume is full";
    case FS_E_NOT_EMPTY:
        return "the directory is not empty";
    case FS_E_IN_USE:
        return "the file is in use";
    case FS_E_NAME:
        return "a component of the name is empty or too long";
    case FS_E_TYPE:
        return "a file where a directory is needed, or a directory where a file is needed";
    case FS_E_RANGE:
        return "outside the file, or the volume is too small";
    case FS_E_PARAMS:
        return "the parameters of the file system contradict each other";
    default:
        return "device error";
    }
}

void *fs_memory(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes);

    if (!memory) {
        fprintf(stderr, "doorbell: out of memory (modelled file system)\n");
        exit(4);
    }
    return memory;
}

void fs_spend(struct fs *fs, uint64_t ps)
{
    if (ps)
        fs->device->ops->spend(fs->device->ctx, CPU_OS, ps);
}

int fs_create(struct fs **fs_out, struct block_device *device, const struct fs_params *params)
{
    *fs_out = NULL;
    if (fs_params_check(params))
        return FS_E_PARAMS;
    const uint64_t block_bytes =
        params->block_size > device->block_bytes ? params->block_size : device->block_bytes;
    const uint64_t blocks = device->blocks / (block_bytes / device->block_bytes);
    uint64_t zone_part = params->metadata_zone / block_bytes / METADATA_PARTS;

    if (zone_part == 0)
        zone_part = 1;
    if (blocks <= zone_part * METADATA_PARTS)
        return FS_E_RANGE;

    struct fs *fs = fs_memory(NULL, sizeof(*fs));
    *fs = (struct fs){.device = device,
                      .params = params,
                      .block_bytes = (uint32_t)block_bytes,
                      .zone_part = zone_part};
    space_init(&fs->space, zone_part * METADATA_PARTS, blocks - zone_part * METADATA_PARTS);
    fs->block_buffer = device->ops->buffer_alloc(device->ctx, fs->block_bytes, fs->block_bytes);
    fs->metadata_buffer = device->ops->buffer_alloc(device->ctx, fs->block_bytes, fs->block_bytes);
    const uint32_t root = fs_node_new(fs, FS_NONE, "", true);
    assert(root == FS_ROOT);
    (void)root;
    *fs_out = fs;
    return FS_OK;
}

void fs_destroy(struct fs *fs)
{
    if (!fs)
        return;
    while (fs->files) {
        struct fs_file *next = fs->files->next;

        free(fs->files);
        fs->files = next;
    }
    for (uint32_t i = 0; i < fs->node_count; i++)
        free(fs->nodes[i].extents);
    free(fs->nodes);
    space_destroy(&fs->space);
    fs->device->ops->buffer_free(fs->device->ctx, fs->metadata_buffer);
    fs->device->ops->buffer_free(fs->device->ctx, fs->block_buffer);
    free(fs);
}

static uint64_t metadata_block(const struct fs *fs, uint32_t index, unsigned part)
{
    const struct fs_node *node = &fs->nodes[index];
    uint64_t key = index;

    if (part == METADATA_DIRECTORY)
        key = node->parent == FS_NONE ? FS_ROOT : node->parent;
    else if (part == METADATA_BITMAP)
        key = (node->extent_count ? node->extents[0].start : 0) /
              ((uint64_t)fs->block_bytes * BITS_PER_BYTE);
    return part * fs->zone_part + key % fs->zone_part;
}

int fs_write_metadata(struct fs *fs, uint32_t node, uint64_t count)
{
    const struct block_device *device = fs->device;

    for (uint64_t i = 0; i < count; i++) {
        const uint64_t block = metadata_block(fs, node, (unsigned)(i % METADATA_PARTS));

        /* The block is changed by the CPU before it is written. */
        device->ops->buffer_fill(device->ctx, fs->metadata_buffer, 0, fs->block_bytes);
        fs->stats.metadata_writes++;
        const int error = device->ops->io(device->ctx, BLOCK_WRITE, block * fs->block_bytes,
                                          fs->block_bytes, fs->metadata_buffer, 0);
        if (error)
            return error;
    }
    return FS_OK;
}

static struct fs_file *new_handle(struct fs *fs, uint32_t node)
{
    struct fs_file *file = fs_memory(NULL, sizeof(*file));

    *file = (struct fs_file){.fs = fs, .next = fs->files, .node = node};
    fs->files = file;
    fs->nodes[node].opens++;
    return file;
}

int fs_open_new(struct fs *fs, const char *path, struct fs_file **file)
{
    char name[FS_NAME_MAX + 1];
    uint32_t node, parent;

    *file = NULL;
    fs_spend(fs, fs->params->call_open);
    int error = fs_find(fs, path, &node, &parent, name);
    if (error)
        return error;
    if (node == FS_NONE) {
        node = fs_node_new(fs, parent, name, false);
    } else if (fs->nodes[node].directory) {
        return FS_E_TYPE;
    } else if (fs->nodes[node].opens) {
        return FS_E_IN_USE;
    } else {
        fs_truncate(fs, &fs->nodes[node]);
    }
    fs->nodes[node].changed = true;
    error = fs_write_metadata(fs, node, fs->params->create_writes);
    if (error)
        return error;
    *file = new_handle(fs, node);
    return FS_OK;
}

int fs_open_old(struct fs *fs, const char *path, struct fs_file **file)
{
    char name[FS_NAME_MAX + 1];
    uint32_t node, parent;

    *file = NULL;
    fs_spend(fs, fs->params->call_open);
    const int error = fs_find(fs, path, &node, &parent, name);
    if (error)
        return error;
    if (node == FS_NONE)
        return FS_E_NOT_FOUND;
    if (fs->nodes[node].directory)
        return FS_E_TYPE;
    *file = new_handle(fs, node);
    return FS_OK;
}

int fs_close(struct fs_file *file)
{
    struct fs *fs = file->fs;
    const uint32_t index = file->node;
    struct fs_node *node = &fs->nodes[index];
    struct fs_file **link = &fs->files;
    int error = FS_OK;

    fs_spend(fs, fs->params->call_close);
    if (node->changed) {
        error = fs_write_metadata(fs, index, fs->params->close_writes);
        node->changed = false;
    }
    while (*link != file)
        link = &(*link)->next;
    *link = file->next;
    node->opens--;
    free(file);
    return error;
}

uint64_t fs_size(const struct fs_file *file)
{
    return file->fs->nodes[file->node].size;
}

void fs_get_stats(const struct fs *fs, struct fs_stats *stats)
{
    *stats = fs->stats;
    stats->free_bytes = fs->space.free_blocks * fs->block_bytes;
    stats->free_runs = fs->space.count;
}

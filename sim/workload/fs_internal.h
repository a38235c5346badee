/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of the modelled file system share: fs.c (volume, costs, metadata), fs_names.c (the
 * tree of names) and fs_data.c (extents, reading and writing). Nobody else includes this.
 */
#ifndef WORKLOAD_FS_INTERNAL_H
#define WORKLOAD_FS_INTERNAL_H

#include "workload/fs.h"
#include "workload/space.h"

#define FS_ROOT 0u
#define FS_NONE UINT32_MAX

struct fs_extent {
    uint64_t start, blocks; /* in blocks of the file system */
};

/* A file or a directory. */
struct fs_node {
    bool used;
    bool directory;
    bool changed; /* since the last close */
    uint32_t parent;
    uint32_t entries; /* of a directory */
    uint32_t opens;   /* handles of a file */
    uint32_t hash;    /* of the name, to compare fast */
    char name[FS_NAME_MAX + 1];
    uint64_t size;   /* bytes of contents */
    uint64_t blocks; /* allocated */
    uint64_t carry;  /* remainder of extend_cost * bytes / extend_unit */
    struct fs_extent *extents;
    uint32_t extent_count, extent_room;
};

struct fs_file {
    struct fs *fs;
    struct fs_file *next;
    uint32_t node;
    uint64_t position;
};

struct fs {
    struct block_device *device;
    const struct fs_params *params;
    uint32_t block_bytes;
    uint64_t zone_part; /* blocks of each of the four parts of the metadata zone */
    struct space space;
    struct fs_node *nodes;
    uint32_t node_count, node_room;
    struct fs_file *files;
    struct block_buffer *block_buffer;    /* one block, for what is not aligned */
    struct block_buffer *metadata_buffer; /* one block */
    struct fs_stats stats;
};

/* ---- fs.c ---- */

/* CPU time of the operating system. */
void fs_spend(struct fs *fs, uint64_t ps);
/* Write `count` metadata blocks for an operation on a node. */
int fs_write_metadata(struct fs *fs, uint32_t node, uint64_t count);
/* realloc() that exits with a message instead of failing. */
void *fs_memory(void *old, size_t bytes);

/* ---- fs_names.c ---- */

/* Node of a path, whose parents must exist. FS_OK with *node = FS_NONE if only the last component
 * is missing; then *parent and *name say where it would go. */
int fs_find(struct fs *fs, const char *path, uint32_t *node, uint32_t *parent,
            char name[FS_NAME_MAX + 1]);
uint32_t fs_node_new(struct fs *fs, uint32_t parent, const char *name, bool directory);

/* ---- fs_data.c ---- */

/* Give all space of a file back. */
void fs_truncate(struct fs *fs, struct fs_node *node);

#endif

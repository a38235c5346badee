/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tree of names of the modelled file system: a table of nodes, found by parent and name; and
 * the calls that change names only (create directory, delete, rename). Every call costs its time
 * whether it succeeds or not; metadata is written only when it succeeds.
 */
#include "workload/fs_internal.h"

#include <string.h>

/* FNV-1a. */
static uint32_t hash_name(const char *name)
{
    uint32_t hash = UINT32_C(2166136261);

    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * UINT32_C(16777619);
    return hash;
}

static uint32_t find_entry(const struct fs *fs, uint32_t parent, const char *name)
{
    const uint32_t hash = hash_name(name);

    for (uint32_t i = FS_ROOT + 1; i < fs->node_count; i++) {
        const struct fs_node *node = &fs->nodes[i];

        if (node->used && node->hash == hash && node->parent == parent &&
            strcmp(node->name, name) == 0)
            return i;
    }
    return FS_NONE;
}

int fs_find(struct fs *fs, const char *path, uint32_t *node, uint32_t *parent,
            char name[FS_NAME_MAX + 1])
{
    uint32_t at = FS_ROOT;

    *node = FS_NONE;
    *parent = FS_NONE;
    for (;;) {
        const size_t length = strcspn(path, "/");

        if (length == 0 || length > FS_NAME_MAX)
            return FS_E_NAME;
        memcpy(name, path, length);
        name[length] = '\0';
        path += length;
        path += *path == '/';
        if (!fs->nodes[at].directory)
            return FS_E_TYPE;
        *parent = at;
        at = find_entry(fs, at, name);
        if (*path == '\0') {
            *node = at;
            return FS_OK;
        }
        if (at == FS_NONE)
            return FS_E_NOT_FOUND;
    }
}

uint32_t fs_node_new(struct fs *fs, uint32_t parent, const char *name, bool directory)
{
    uint32_t index = 0;

    /* The lowest free one, so that the same calls always use the same metadata blocks. */
    while (index < fs->node_count && fs->nodes[index].used)
        index++;
    if (index == fs->node_count) {
        if (fs->node_count == fs->node_room) {
            fs->node_room = fs->node_room ? fs->node_room * 2 : 64;
            fs->nodes = fs_memory(fs->nodes, fs->node_room * sizeof(*fs->nodes));
        }
        fs->node_count++;
    }
    fs->nodes[index] = (struct fs_node){
        .used = true, .directory = directory, .parent = parent, .hash = hash_name(name)};
    memcpy(fs->nodes[index].name, name, strlen(name) + 1);
    if (parent != FS_NONE)
        fs->nodes[parent].entries++;
    return index;
}

int fs_make_directory(struct fs *fs, const char *path)
{
    char name[FS_NAME_MAX + 1];
    uint32_t node, parent;

    fs_spend(fs, fs->params->call_create_dir);
    const int error = fs_find(fs, path, &node, &parent, name);
    if (error)
        return error;
    if (node != FS_NONE)
        return FS_E_EXISTS;
    node = fs_node_new(fs, parent, name, true);
    return fs_write_metadata(fs, node, fs->params->create_dir_writes);
}

int fs_delete(struct fs *fs, const char *path)
{
    char name[FS_NAME_MAX + 1];
    uint32_t index, parent;

    fs_spend(fs, fs->params->call_delete);
    int error = fs_find(fs, path, &index, &parent, name);
    if (error)
        return error;
    if (index == FS_NONE)
        return FS_E_NOT_FOUND;
    struct fs_node *node = &fs->nodes[index];
    if (node->opens)
        return FS_E_IN_USE;
    if (node->entries)
        return FS_E_NOT_EMPTY;
    /* Before the node forgets where it was. */
    error = fs_write_metadata(fs, index, fs->params->delete_writes);
    if (error)
        return error;
    fs_truncate(fs, node);
    node->used = false;
    fs->nodes[parent].entries--;
    return FS_OK;
}

int fs_rename(struct fs *fs, const char *from, const char *to)
{
    char name[FS_NAME_MAX + 1];
    uint32_t index, old_parent, taken, new_parent;

    fs_spend(fs, fs->params->call_rename);
    int error = fs_find(fs, from, &index, &old_parent, name);
    if (error)
        return error;
    if (index == FS_NONE)
        return FS_E_NOT_FOUND;
    error = fs_find(fs, to, &taken, &new_parent, name);
    if (error)
        return error;
    if (taken != FS_NONE)
        return FS_E_EXISTS;
    for (uint32_t up = new_parent; up != FS_NONE; up = fs->nodes[up].parent)
        if (up == index)
            return FS_E_NAME;
    struct fs_node *node = &fs->nodes[index];
    fs->nodes[old_parent].entries--;
    fs->nodes[new_parent].entries++;
    node->parent = new_parent;
    node->hash = hash_name(name);
    memcpy(node->name, name, sizeof(name));
    return fs_write_metadata(fs, index, fs->params->rename_writes);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model of a simple file system (in the manner of SFS) and of the dos calls above it, on a block
 * device. It decides which requests a program's calls become: which blocks, in which order, with
 * which metadata writes beside them, and how much CPU time each call takes. Called by the suites.
 *
 * Layout: a metadata zone at the start of the volume, then data. A file takes space where the first
 * fit is and grows in place for as long as what follows is free, so that a file written alone is
 * contiguous and one user buffer becomes one block request. Freed space is merged; the next pass of
 * a benchmark gets the same place again.
 *
 * Left out: contents of metadata (nothing is ever read back from it), a read cache, write-behind,
 * protection bits, links. One caller at a time.
 */
#ifndef WORKLOAD_FS_H
#define WORKLOAD_FS_H

#include <stdbool.h>
#include <stdint.h>

#include "workload/block.h"
#include "workload/params.h"

/* Errors of the file system's own, apart from the nvme_error values that the device returns. */
enum fs_error {
    FS_OK = 0,
    FS_E_NOT_FOUND = -101, /* no file or directory of this name, or no such parent */
    FS_E_EXISTS = -102,    /* the name is taken */
    FS_E_FULL = -103,      /* no room on the volume */
    FS_E_NOT_EMPTY = -104, /* the directory still has entries */
    FS_E_IN_USE = -105,    /* the file is open */
    FS_E_NAME = -106,      /* empty, or a component empty or too long */
    FS_E_TYPE = -107,      /* a file where a directory is needed, or the other way round */
    FS_E_RANGE = -108,     /* position outside the file, or a volume too small for its zone */
    FS_E_PARAMS = -109     /* fs_params_check() objects */
};

#define FS_NAME_MAX 107u /* bytes of one path component, as AmigaOS 4 allows */

/* One line of English; for other errors "device error". Never NULL. */
const char *fs_error_text(int error);

struct fs;
struct fs_file;

/* An empty volume over the whole device. FS_OK, FS_E_PARAMS or FS_E_RANGE. The device and the
 * parameters must outlive it. Takes no simulated time (the volume was formatted before). */
int fs_create(struct fs **fs, struct block_device *device, const struct fs_params *params);
/* Closes what is open, without I/O. */
void fs_destroy(struct fs *fs);

/* Paths: components divided by '/', one '/' at the end allowed; case counts. */

/* MODE_NEWFILE: an existing file loses its contents (FS_E_IN_USE if it is open). Position 0. */
int fs_open_new(struct fs *fs, const char *path, struct fs_file **file);
/* MODE_OLDFILE. Several handles of one file may be open. Position 0. */
int fs_open_old(struct fs *fs, const char *path, struct fs_file **file);
/* The handle is gone whatever is returned. */
int fs_close(struct fs_file *file);
/* From the handle's position; *done (may be NULL) is less than bytes at the end of the file. */
int fs_read(struct fs_file *file, struct block_buffer *buffer, uint32_t bytes, uint32_t *done);
/* All or, when the volume is full (FS_E_FULL), nothing. Grows the file as needed. */
int fs_write(struct fs_file *file, struct block_buffer *buffer, uint32_t bytes);
/* 0 .. size; beyond it FS_E_RANGE, and the position stays. */
int fs_seek(struct fs_file *file, uint64_t position);
uint64_t fs_size(const struct fs_file *file);

int fs_make_directory(struct fs *fs, const char *path);
/* A file that is not open, or an empty directory. */
int fs_delete(struct fs *fs, const char *path);
/* FS_E_EXISTS if `to` is there. A directory cannot be moved into itself (FS_E_NAME). */
int fs_rename(struct fs *fs, const char *from, const char *to);

struct fs_stats {
    uint64_t metadata_writes;         /* blocks, one request each */
    uint64_t data_reads, data_writes; /* requests with file contents from or to a user buffer */
    uint64_t partial_reads, partial_writes; /* requests through the file system's own block */
    uint64_t free_bytes;
    uint64_t free_runs; /* pieces of free space; 1 when nothing is fragmented */
};
void fs_get_stats(const struct fs *fs, struct fs_stats *stats);

#endif

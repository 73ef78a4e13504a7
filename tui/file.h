/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files whose name the user gave: what already exists there may have been created by another user. */
#ifndef FILE_H
#define FILE_H

#include <stdio.h>

/* Opens a file for writing that only its owner may read: creates it with mode 0600, or takes a regular file of ours
 * with one hard link, never through a symbolic link. Never blocks. -1: *wrong says why not. */
int file_open_private(const char *path, const char **wrong);
/* Whether the file with that name may be replaced by renaming another over it. NULL: yes; else why not. */
const char *file_replaceable(const char *path);
/* Opens a regular file of at most max_bytes for reading; symbolic links are followed. -1: *wrong says why not, NULL if
 * there is no such file. */
int file_open_small(const char *path, long max_bytes, const char **wrong);

/* Follows symbolic links in the last part of a name to where the file is or would be, in place. NULL: it may be
 * replaced, keeping *mode, or it does not exist; else why not. */
const char *file_behind_links(char *path, size_t size, unsigned int *mode);

/* A file that replaces another once it is complete: written next to it, then renamed. */
struct file_fresh {
	FILE *out;
	char name[4096 + 8]; /* of the temporary file */
};
/* 0 or -errno. */
int file_fresh_open(struct file_fresh *f, const char *path, unsigned int mode);
/* Renames it into place. If this or an earlier write fails, it is removed. 0 or -errno. */
int file_fresh_commit(struct file_fresh *f, const char *path);
void file_fresh_drop(struct file_fresh *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files by a name that somebody gave: what stands there already may be somebody else's doing. */
#ifndef FILE_H
#define FILE_H

#include <stdio.h>

/* Opens a file for writing that only its owner shall read: makes it with mode 0600, or takes a regular file of ours,
 * under one name, with no symbolic link in its place. Never waits. -1: *wrong says why not. */
int file_open_private(const char *path, const char **wrong);
/* Whether a file by that name may be renamed over what is there. NULL: yes; else why not. */
const char *file_replaceable(const char *path);
/* Opens a regular file of at most so many bytes for reading; a link is followed. -1: *wrong says why not, NULL if there
 * is no such file. */
int file_open_small(const char *path, long max_bytes, const char **wrong);

/* Follows the links in a name's last part to where the file is or would be, in place. NULL: it is ours to replace, with
 * *mode, or there is none; else why not. */
const char *file_behind_links(char *path, size_t size, unsigned int *mode);

/* A file that takes another's place once it is whole: written beside it, then renamed. */
struct file_fresh {
	FILE *out;
	char name[4096 + 8]; /* of the file beside */
};
/* 0 or -errno. */
int file_fresh_open(struct file_fresh *f, const char *path, unsigned int mode);
/* Puts it into its place. On failure, also of what was written, nothing is left of it. 0 or -errno. */
int file_fresh_commit(struct file_fresh *f, const char *path);
void file_fresh_drop(struct file_fresh *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files whose name the user gave: see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel */

static const char *wrong_kind(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return "it is a symbolic link";
	return S_ISREG(st->st_mode) ? NULL : "it is not a regular file";
}

static const char *wrong_owner(const struct stat *st)
{
	if (st->st_uid != geteuid())
		return "it belongs to another user";
	return st->st_nlink > 1 ? "it has more than one hard link" : NULL;
}

/* A file is checked before it is opened, since opening a device may have side effects, and after, since it may have
 * been replaced meanwhile. */
static int open_ours(const char *path, const char **wrong)
{
	struct stat st;
	int fd;

	if (lstat(path, &st)) {
		*wrong = strerror(errno);
		return -1;
	}
	*wrong = wrong_kind(&st);
	if (*wrong)
		return -1;
	fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		*wrong = strerror(errno);
	} else {
		*wrong = wrong_kind(&st);
		if (!*wrong)
			*wrong = wrong_owner(&st);
	}
	if (fd >= 0 && *wrong) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int file_open_private(const char *path, const char **wrong)
{
	/* A file created here is ours, whatever owner a network file system reports. */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno == EEXIST)
		return open_ours(path, wrong);
	*wrong = strerror(errno);
	return -1;
}

const char *file_replaceable(const char *path)
{
	struct stat st;

	char folder[4096];

	if (!lstat(path, &st))
		return wrong_kind(&st);
	if (errno != ENOENT)
		return strerror(errno);
	if ((size_t)snprintf(folder, sizeof(folder), "%s", path) >= sizeof(folder))
		return strerror(ENAMETOOLONG);
	return access(dirname(folder), W_OK) ? strerror(errno) : NULL;
}

int file_open_small(const char *path, long max_bytes, const char **wrong)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	*wrong = NULL;
	if (fd < 0 || fstat(fd, &st))
		*wrong = errno == ENOENT ? NULL : strerror(errno);
	else if (!S_ISREG(st.st_mode))
		*wrong = "it is not a regular file";
	else if (st.st_size > max_bytes)
		*wrong = "it is too large";
	else
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

const char *file_behind_links(char *path, size_t size, unsigned int *mode)
{
	char target[4096], *name;
	const char *wrong;
	struct stat st;
	ssize_t n;

	for (int links = 0; !lstat(path, &st); links++) {
		if (!S_ISLNK(st.st_mode)) {
			wrong = wrong_kind(&st);
			*mode = st.st_mode & 0777;
			return wrong ? wrong : wrong_owner(&st);
		}
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0 || links == LINKS_MAX)
			return strerror(n < 0 ? errno : ELOOP);
		target[n] = '\0';
		name = *target == '/' ? path : strrchr(path, '/') + 1; /* relative to the link's directory */
		if ((size_t)(name - path) + (size_t)n >= size)
			return strerror(ENAMETOOLONG);
		memcpy(name, target, (size_t)n + 1);
	}
	return errno == ENOENT ? NULL : strerror(errno);
}

int file_fresh_open(struct file_fresh *f, const char *path, unsigned int mode)
{
	int fd, err;

	f->out = NULL;
	if ((size_t)snprintf(f->name, sizeof(f->name), "%s.XXXXXX", path) >= sizeof(f->name))
		return -ENAMETOOLONG;
	fd = mkostemp(f->name, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fchmod(fd, mode))
		f->out = fdopen(fd, "w");
	if (f->out)
		return 0;
	err = -errno;
	close(fd);
	unlink(f->name);
	return err;
}

void file_fresh_drop(struct file_fresh *f)
{
	fclose(f->out);
	unlink(f->name);
}

int file_fresh_commit(struct file_fresh *f, const char *path)
{
	int err = fflush(f->out) || ferror(f->out) ? -EIO : 0;

	if (err && errno)
		err = -errno;
	if (fclose(f->out) && !err)
		err = -errno;
	if (!err && rename(f->name, path))
		err = -errno;
	if (err)
		unlink(f->name);
	return err;
}

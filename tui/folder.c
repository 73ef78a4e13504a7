/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders of recordings: see folder.h. */
#include "folder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gap.h"
#include "grow.h"

#define NSEC_PER_SEC 1000000000ULL
#define HOUR_NS (3600 * NSEC_PER_SEC)
#define KEEP_BYTES (1ULL << 30) /* the default bound */
#define PARTS 8			/* of the bound: a file has at most one */
#define NUMBER_MAX 999999999U
#define NAME_SIZE 48
#define PATH_SIZE 4096

struct folder_file {
	uint32_t number;
	uint64_t bytes, ns; /* ns: recorded time */
	char name[NAME_SIZE];
};

struct folder {
	const char *path;
	int fd;
	struct folder_file *files; /* oldest first */
	size_t n, cap;
};

/* The number in a name that recorder_open gives; 0: another name. */
static uint32_t number_of(const char *name)
{
	static const char pattern[] = "-00000000T000000Z.lag";
	size_t digits = strspn(name, "0123456789");
	unsigned long number = digits && digits < 10 ? strtoul(name, NULL, 10) : 0;

	if (strlen(name) != digits + sizeof(pattern) - 1)
		return 0;
	for (size_t i = 0; pattern[i]; i++)
		if (pattern[i] == '0' ? !isdigit((unsigned char)name[digits + i]) : name[digits + i] != pattern[i])
			return 0;
	return number <= NUMBER_MAX ? (uint32_t)number : 0;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = ((const struct folder_file *)a)->number, y = ((const struct folder_file *)b)->number;

	return (x > y) - (x < y);
}

/* Reads the names and sizes again. 0 or -errno. */
static int folder_list(struct folder *f)
{
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!dir) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	f->n = 0;
	while (!err && (entry = readdir(dir))) {
		struct folder_file file = { .number = number_of(entry->d_name) };

		if (!file.number || fstatat(f->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		file.bytes = (uint64_t)st.st_size;
		snprintf(file.name, sizeof(file.name), "%s", entry->d_name);
		if (GROW(f->files, f->cap, f->n + 1))
			f->files[f->n++] = file;
		else
			err = -ENOMEM;
	}
	closedir(dir);
	if (f->n)
		qsort(f->files, f->n, sizeof(*f->files), by_number);
	return err;
}

/* NULL, or what is wrong. */
static const char *folder_open(struct folder *f, const char *path)
{
	int err;

	f->path = path;
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return strerror(errno);
	err = folder_list(f);
	return err ? strerror(-err) : NULL;
}

static void folder_close(struct folder *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->files);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Whether only we can write there. NULL, or why not. */
static const char *is_private(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return strerror(errno);
	if (st.st_uid != geteuid())
		return "it belongs to another user";
	return st.st_mode & 022 ? "others may write to it" : NULL;
}

static const char *file_path(const struct folder *f, const struct folder_file *file, char path[PATH_SIZE])
{
	return snprintf(path, PATH_SIZE, "%s/%s", f->path, file->name) < PATH_SIZE ? path : "";
}

/* Writing. */

struct recorder {
	struct record *file; /* NULL: none yet */
	struct record *done; /* the one before, until there is a reading in `file` */
	bool in_folder, is_stream;
	struct folder folder; /* the last of its files is the one being written, once there is one */
	struct folder_keep keep;
	uint64_t hour, dropped;
};

/* Removes the oldest file. 0 or -errno. */
static int drop_oldest(struct recorder *r)
{
	struct folder *f = &r->folder;

	if (unlinkat(f->fd, f->files[0].name, 0) && errno != ENOENT)
		return -errno;
	memmove(f->files, f->files + 1, --f->n * sizeof(*f->files));
	return 0;
}

/* Removes the oldest files until the rest is within the bound, or only the one being written is left. 0 or -errno. */
static int trim(struct recorder *r)
{
	const struct folder *f = &r->folder;
	uint64_t bytes = 0, ns = 0;
	int err = 0;

	for (size_t i = 0; i < f->n; i++) {
		bytes += f->files[i].bytes;
		ns += f->files[i].ns;
	}
	while (!err && f->n > 1 &&
	       ((r->keep.bytes && bytes > r->keep.bytes) || (r->keep.ns && ns - f->files[0].ns >= r->keep.ns))) {
		bytes -= f->files[0].bytes;
		ns -= f->files[0].ns;
		err = drop_oldest(r);
	}
	return err;
}

/* How much time the files of an earlier run cover. */
static void measure(struct folder *f)
{
	char path[PATH_SIZE], why[PATH_SIZE];

	for (size_t i = 0; i < f->n; i++) {
		struct source *src = record_replay(file_path(f, &f->files[i], path), why, sizeof(why));
		struct when_walk walk = { 0 };

		if (src && !record_walk(src, &walk))
			f->files[i].ns = walk.elapsed_ns;
		source_close(src);
	}
}

struct recorder *recorder_open(const char *path, const struct folder_keep *keep, char *why, size_t why_size)
{
	struct recorder *r = calloc(1, sizeof(*r));
	const char *wrong = "out of memory";
	struct stat st;

	if (r) {
		r->folder.fd = -1;
		r->keep = keep && (keep->bytes || keep->ns) ? *keep : (struct folder_keep){ .bytes = KEEP_BYTES };
		r->is_stream = !strcmp(path, "-");
		r->in_folder = !r->is_stream && !lstat(path, &st) && S_ISDIR(st.st_mode);
		if (!r->in_folder && keep && (keep->bytes || keep->ns)) {
			wrong = "--keep needs a folder";
		} else if (!r->in_folder) {
			r->file = r->is_stream ? record_stream() : record_open(path, why, why_size);
			if (r->file)
				return r;
			if (r->is_stream)
				snprintf(why, why_size, "cannot record: out of memory");
			free(r);
			return NULL;
		} else {
			wrong = folder_open(&r->folder, path);
		}
		if (!wrong)
			wrong = is_private(r->folder.fd);
		if (!wrong && access(path, W_OK | X_OK))
			wrong = strerror(errno);
		if (!wrong && flock(r->folder.fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
			wrong = "another lagtop is recording to it";
		if (!wrong) {
			if (r->keep.ns) /* else nobody asks for their times */
				measure(&r->folder);
			return r;
		}
		folder_close(&r->folder);
	}
	free(r);
	snprintf(why, why_size, "cannot write to %s: %s", path, wrong);
	return NULL;
}

/* Begins another file. The one before is closed when it has a reading: a reader that comes to its end finds it. 0 or
 * -errno. */
static int next_file(struct recorder *r, const struct sample *s)
{
	struct folder *f = &r->folder;
	time_t second = (time_t)(s->realtime_ns / NSEC_PER_SEC);
	struct folder_file file = { .number = f->n ? f->files[f->n - 1].number + 1 : 1 };
	char path[PATH_SIZE], why[PATH_SIZE], when[24];
	struct record *next;
	struct tm tm;

	if (file.number > NUMBER_MAX)
		return -EOVERFLOW;
	if (!gmtime_r(&second, &tm) || !strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm) || strlen(when) != 16)
		return -EINVAL;
	snprintf(file.name, sizeof(file.name), "%06u-%s.lag", file.number, when);
	if (!GROW(f->files, f->cap, f->n + 1))
		return -ENOMEM;
	errno = EIO;
	next = record_open(file_path(f, &file, path), why, sizeof(why));
	if (!next)
		return -errno;
	record_close(r->done);
	r->done = r->file;
	r->file = next;
	r->hour = s->realtime_ns / HOUR_NS;
	f->files[f->n++] = file;
	return 0;
}

static bool is_full(int err)
{
	return err == -ENOSPC || err == -EDQUOT;
}

static int write_to_folder(struct recorder *r, const struct sample *s)
{
	const struct folder *f = &r->folder;
	const struct folder_file *last = f->n ? &f->files[f->n - 1] : NULL;
	int err = 0;

	if (!r->file || s->realtime_ns / HOUR_NS != r->hour || last->ns >= HOUR_NS ||
	    (r->keep.bytes && last->bytes >= r->keep.bytes / PARTS))
		err = next_file(r, s);
	if (!err)
		err = record_write(r->file, s);
	if (is_full(err)) { /* an open file keeps its disk space */
		record_close(r->done);
		r->done = NULL;
	}
	while (is_full(err) && f->n > 1 && !drop_oldest(r)) {
		err = r->file ? 0 : next_file(r, s);
		if (!err)
			err = record_write(r->file, s);
	}
	if (is_full(err)) {
		r->dropped++;
		return 0;
	}
	if (err)
		return err;
	record_close(r->done);
	r->done = NULL;
	f->files[f->n - 1].bytes = (uint64_t)record_bytes(r->file);
	f->files[f->n - 1].ns += s->interval_ns;
	return trim(r);
}

int recorder_write(struct recorder *r, const struct sample *s)
{
	return r->in_folder ? write_to_folder(r, s) : record_write(r->file, s);
}

const void *recorder_packed(const struct recorder *r, size_t *len)
{
	return r && r->is_stream ? record_packed(r->file, len) : NULL;
}

uint64_t recorder_bytes(const struct recorder *r)
{
	return r && r->file ? record_bytes(r->file) : 0;
}

uint64_t recorder_dropped(const struct recorder *r)
{
	return r ? r->dropped : 0;
}

int recorder_close(struct recorder *r)
{
	int err;

	if (!r)
		return 0;
	record_close(r->done);
	err = record_close(r->file);
	if (r->in_folder)
		folder_close(&r->folder);
	free(r);
	return err;
}

/* Reading. */

struct folder_source {
	struct source source;
	struct folder folder;
	char *path;
	struct source *file; /* NULL: the next is to be opened */
	uint32_t number;     /* of it, or of the last one */
	char trouble[200];   /* with the first file of which something cannot be read; "" */
	char wrong[200];     /* with the last one, until the next reading; "" */
	struct gap last;
};

/* What is wrong with the file of that name. */
static void note(struct folder_source *src, const char *name, const char *wrong)
{
	if (!*wrong)
		return;
	snprintf(src->wrong, sizeof(src->wrong), "%s: %.*s", name, (int)(sizeof(src->wrong) - NAME_SIZE - 2), wrong);
	if (!*src->trouble)
		snprintf(src->trouble, sizeof(src->trouble), "%s", src->wrong);
}

static void forget_notes(struct folder_source *src)
{
	*src->trouble = *src->wrong = '\0';
}

/* The first file after number; NULL: none. */
static const struct folder_file *file_after(const struct folder *f, uint32_t number)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->files[i].number > number)
			return &f->files[i];
	return NULL;
}

/* Opens the next file that can be read. False: there is none. */
static bool open_next(struct folder_source *src)
{
	char path[PATH_SIZE], why[PATH_SIZE + 200];
	const struct folder_file *file;
	const char *wrong;

	folder_list(&src->folder); /* its writer may have begun another meanwhile */
	while (!src->file && (file = file_after(&src->folder, src->number))) {
		src->number = file->number;
		src->file = record_replay(file_path(&src->folder, file, path), why, sizeof(why));
		if (src->file || (faccessat(src->folder.fd, file->name, F_OK, 0) && errno == ENOENT))
			continue;		 /* its writer has made room */
		wrong = strstr(why, file->name); /* "cannot replay PATH: it is ..." */
		note(src, file->name, wrong ? wrong + strlen(file->name) + 2 : why);
	}
	return src->file;
}

static void close_file(struct folder_source *src)
{
	source_close(src->file);
	src->file = NULL;
}

static const struct folder_file *file_of(const struct folder_source *src)
{
	return file_after(&src->folder, src->number - 1);
}

static int folder_read(struct source *source, struct sample *s)
{
	struct folder_source *src = (struct folder_source *)source;
	int got;

	while (src->file || open_next(src)) {
		got = src->file->read(src->file, s);
		if (got == 1) {
			gap_add(&src->last, s, src->wrong);
			*src->wrong = '\0';
		}
		if (got)
			return got;
		note(src, file_of(src)->name, source_trouble(src->file));
		close_file(src);
	}
	return 0;
}

static const char *folder_trouble(const struct source *source)
{
	return ((const struct folder_source *)source)->trouble;
}

static void folder_source_close(struct source *source)
{
	struct folder_source *src = (struct folder_source *)source;

	source_close(src->file);
	folder_close(&src->folder);
	free(src->path);
	free(src);
}

/* Goes to the first reading at or after a time. NULL, or what is wrong. */
static const char *seek(struct folder_source *src, const struct when *when, char *why, size_t why_size)
{
	struct when_walk all = { 0 }, walk = { 0 };
	int found = 0;

	while (!(all.begun && when->kind == WHEN_NONE) && open_next(src)) {
		record_walk(src->file, &all);
		close_file(src);
	}
	src->number = 0;
	if (!all.begun && *src->trouble) {
		snprintf(why, why_size, "%s", src->trouble);
		return why;
	}
	if (!all.begun)
		return "it has no recordings";
	forget_notes(src);
	if (when->kind == WHEN_NONE)
		return NULL;
	while (!found && open_next(src)) {
		found = record_find(src->file, when, &walk, all.elapsed_ns);
		if (found)
			break;
		close_file(src);
	}
	forget_notes(src);
	if (found > 0)
		return NULL;
	src->number = 0;
	if (!found && when->kind == WHEN_DATE && when->s * (int64_t)NSEC_PER_SEC < (int64_t)all.first_ns)
		return NULL;
	record_missed_time(all.first_ns, all.realtime_ns, why, why_size);
	return found ? strerror(-found) : why;
}

static struct source *replay_folder(const char *path, const struct when *when, char *why, size_t why_size)
{
	struct folder_source *src = calloc(1, sizeof(*src));
	const char *wrong = "out of memory";
	char text[200];

	if (src) {
		src->folder.fd = -1;
		src->source.read = folder_read;
		src->source.close = folder_source_close;
		src->source.trouble = folder_trouble;
		src->path = strdup(path);
		wrong = src->path ? folder_open(&src->folder, src->path) : wrong;
		if (!wrong)
			wrong = seek(src, when, text, sizeof(text));
		if (!wrong)
			return &src->source;
		folder_source_close(&src->source);
	}
	snprintf(why, why_size, "cannot replay %s: %s", path, wrong);
	return NULL;
}

struct source *folder_replay(const char *path, const struct when *when, char *why, size_t why_size)
{
	struct source *src;
	char text[200];

	if (is_folder(path))
		return replay_folder(path, when, why, why_size);
	src = record_replay(path, why, why_size);
	if (!src || when->kind == WHEN_NONE || !record_seek(src, when, text, sizeof(text)))
		return src;
	source_close(src);
	snprintf(why, why_size, "cannot replay %s: %s", path, text);
	return NULL;
}

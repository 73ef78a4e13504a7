/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a recording (format: record_file.h). A frame is written with one write, so a writer that is
 * killed leaves complete readings and at most one incomplete one. The writer holds a lock on the file,
 * which shows readers that more will follow.
 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "file.h"
#include "record_fields.h"
#include "record_file.h"

#define PACK_LEVEL 3
#define WINDOW_MIN_LOG 17
#define WINDOW_MAX_LOG 27 /* the largest that zstd readers accept by default */

struct record {
	int fd;			    /* -1: a stream, whose bytes the caller takes */
	bool begun;		    /* the file was emptied and has its description */
	off_t end;		    /* of the last whole frame */
	uint32_t chain;		    /* of the next reading */
	struct counter_set unknown; /* counters, by the first reading: they are left out */
	ZSTD_CCtx *zstd;
	struct record_buffer now, before; /* unpacked: the current reading, and the one before it in the file */
	struct record_buffer packed;	  /* what is written to the file */
};

/* Room was reserved by the caller. */
static void put(struct record_buffer *b, uint64_t n, size_t bytes)
{
	record_store(b->data + b->len, n, bytes);
	b->len += bytes;
}

static void put_bytes(struct record_buffer *b, const void *bytes, size_t len)
{
	memcpy(b->data + b->len, bytes, len);
	b->len += len;
}

static void put_name(struct record_buffer *b, const char *name)
{
	put(b, strlen(name), 1);
	put_bytes(b, name, strlen(name));
}

/* Unknown counters are not in the file. */
static bool is_written(const struct record *r, const struct record_field *f)
{
	return f->counter == RECORD_NO_COUNTER || !counter_has(&r->unknown, f->counter);
}

static size_t element_file_bytes(const struct record *r, const struct record_section *section)
{
	size_t bytes = 0;

	for (size_t i = 0; i < section->n_fields; i++)
		if (is_written(r, &section->fields[i]))
			bytes += (size_t)section->fields[i].bytes * section->fields[i].count;
	return bytes;
}

static uint32_t section_length(const struct record_section *section, const struct sample *s)
{
	return section->single ? 1 : (uint32_t)record_load_own((const char *)s + section->n, sizeof(uint32_t));
}

static const char *section_elements(const struct record_section *section, const struct sample *s)
{
	const char *elements;

	if (section->single)
		return (const char *)s;
	memcpy(&elements, (const char *)s + section->array, sizeof(elements));
	return elements;
}

/* One integer of all n elements: first the lowest bytes of all, then the next ones. */
static void put_planes(struct record_buffer *b, const struct record_field *f, const char *from, size_t stride,
		       uint32_t n, const struct sample *s)
{
	uint8_t *to = b->data + b->len;
	uint64_t value;

	for (uint32_t e = 0; e < n; e++) {
		value = record_based(s, f->base, record_load_own(from + e * stride, f->bytes));
		for (size_t i = 0; i < f->bytes; i++, value >>= 8)
			to[i * n + e] = (uint8_t)value;
	}
	b->len += (size_t)f->bytes * n;
}

static void put_elements(struct record *r, const struct record_section *section, const struct sample *s)
{
	struct record_buffer *b = &r->now;
	uint32_t n = section_length(section, s);
	const char *from = section_elements(section, s);
	const struct record_field *f;

	if (!section->single)
		put(b, n, 4);
	for (size_t i = 0; i < section->n_fields; i++) {
		f = &section->fields[i];
		if (!is_written(r, f))
			continue;
		if (f->bytes == 1)
			for (uint32_t e = 0; e < n; e++)
				put_bytes(b, from + e * section->element_bytes + f->offset, f->count);
		else
			for (size_t k = 0; k < f->count; k++)
				put_planes(b, f, from + f->offset + k * f->bytes, section->element_bytes, n, s);
	}
}

static int put_description(struct record *r)
{
	const struct record_section *section;
	struct record_buffer *b = &r->now;
	size_t n, bytes = 1;
	int err;

	for (size_t i = 0; i < RECORD_SECTIONS; i++) {
		section = &record_sections[i];
		bytes += 2 + strlen(section->name);
		for (size_t f = 0; f < section->n_fields; f++)
			bytes += 4 + strlen(section->fields[f].name);
	}
	err = record_reserve(b, bytes);
	if (err)
		return err;
	put(b, RECORD_SECTIONS, 1);
	for (size_t i = 0; i < RECORD_SECTIONS; i++) {
		section = &record_sections[i];
		put_name(b, section->name);
		for (size_t f = n = 0; f < section->n_fields; f++)
			n += is_written(r, &section->fields[f]);
		put(b, n, 1);
		for (size_t f = 0; f < section->n_fields; f++) {
			if (!is_written(r, &section->fields[f]))
				continue;
			put_name(b, section->fields[f].name);
			put(b, section->fields[f].bytes, 1);
			put(b, section->fields[f].count, 2);
		}
	}
	return 0;
}

static int put_reading(struct record *r, const struct sample *s)
{
	size_t bytes = 0;
	int err;

	for (size_t i = 0; i < RECORD_SECTIONS; i++)
		bytes += 4 + section_length(&record_sections[i], s) * element_file_bytes(r, &record_sections[i]);
	if (bytes > RECORD_WHOLE_MAX_BYTES)
		return -EFBIG;
	err = record_reserve(&r->now, bytes);
	for (size_t i = 0; i < RECORD_SECTIONS && !err; i++)
		put_elements(r, &record_sections[i], s);
	return err;
}

static int window_log(size_t bytes)
{
	int log = WINDOW_MIN_LOG;

	while (log < WINDOW_MAX_LOG && (size_t)1 << log < bytes)
		log++;
	return log;
}

/* Appends r->now to the packed bytes as a frame; on top of r->before if chain is not 0. */
static int pack_frame(struct record *r, uint64_t realtime_ns, uint32_t chain)
{
	size_t room = ZSTD_compressBound(r->now.len), got;
	uint8_t *head;
	int err;

	err = record_reserve(&r->packed, RECORD_HEAD_BYTES + room);
	if (err)
		return err;
	ZSTD_CCtx_setParameter(r->zstd, ZSTD_c_windowLog, window_log(r->now.len + (chain ? r->before.len : 0)));
	if (chain)
		ZSTD_CCtx_refPrefix(r->zstd, r->before.data, r->before.len);
	head = r->packed.data + r->packed.len;
	got = ZSTD_compress2(r->zstd, head + RECORD_HEAD_BYTES, room, r->now.data, r->now.len);
	if (ZSTD_isError(got))
		return -ENOMEM; /* the only remaining error */
	record_store(head, got, 4);
	record_store(head + 4, r->now.len, 4);
	record_store(head + 8, realtime_ns, 8);
	record_store(head + 16, chain, 4);
	record_store(head + RECORD_CRC_AT, crc32_z(crc32_z(0, head, RECORD_CRC_AT), head + RECORD_HEAD_BYTES, got), 4);
	r->packed.len += RECORD_HEAD_BYTES + got;
	return 0;
}

/* Magic, version, description. */
static int pack_header(struct record *r)
{
	int err = record_reserve(&r->packed, RECORD_HEADER_BYTES);

	if (err)
		return err;
	put_bytes(&r->packed, RECORD_MAGIC, RECORD_MAGIC_BYTES);
	put(&r->packed, RECORD_VERSION, 2);
	r->now.len = 0;
	err = put_description(r);
	return err ? err : pack_frame(r, 0, 0);
}

static struct record *record_new(void)
{
	struct record *r = calloc(1, sizeof(*r));

	if (r)
		r->zstd = ZSTD_createCCtx();
	if (!r || !r->zstd) {
		free(r);
		return NULL;
	}
	r->fd = -1;
	ZSTD_CCtx_setParameter(r->zstd, ZSTD_c_compressionLevel, PACK_LEVEL);
	return r;
}

struct record *record_stream(void)
{
	return record_new();
}

const void *record_packed(const struct record *r, size_t *len)
{
	*len = r->packed.len;
	return r->packed.data;
}

struct record *record_open(const char *path, char *why, size_t why_size)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct record *r = record_new();
	const char *wrong;

	if (!r) {
		snprintf(why, why_size, "cannot write to %s: out of memory", path);
		return NULL;
	}
	/* Command lines may hold secrets. Emptied only by the first reading: a start that fails costs nothing. */
	r->fd = file_open_private(path, &wrong);
	if (r->fd >= 0 && (!fcntl(r->fd, F_OFD_SETLK, &whole) || (errno != EAGAIN && errno != EACCES)))
		return r; /* a file system without locks does not prevent recording */
	snprintf(why, why_size, "cannot write to %s: %s", path,
		 r->fd < 0 ? wrong : "another lagtop is recording to it");
	record_close(r);
	return NULL;
}

/* Writes all packed bytes (those of a stream are the caller's), or truncates the file to where it was. */
static int write_packed(struct record *r)
{
	size_t at = 0;
	ssize_t n;
	int err;

	if (r->fd < 0)
		at = r->packed.len;
	while (at < r->packed.len) {
		n = write(r->fd, r->packed.data + at, r->packed.len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			if (!ftruncate(r->fd, r->end))
				lseek(r->fd, r->end, SEEK_SET);
			return err;
		}
		at += (size_t)n;
	}
	r->end += (off_t)at;
	return 0;
}

/* Empties an existing file, which may have been readable by others. 0 or -errno. */
static int take_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || (st.st_mode & 077 && fchmod(fd, 0600)) || ftruncate(fd, 0))
		return -errno;
	return 0;
}

int record_write(struct record *r, const struct sample *s)
{
	struct record_buffer written;
	int err = 0;

	r->packed.len = 0;
	if (!r->begun) {
		r->unknown = s->unknown;
		err = r->fd < 0 ? 0 : take_file(r->fd);
		if (!err)
			err = pack_header(r);
	}
	r->now.len = 0;
	if (!err)
		err = put_reading(r, s);
	if (!err)
		err = pack_frame(r, s->realtime_ns, r->chain);
	if (!err)
		err = write_packed(r);
	if (err)
		return err;
	r->begun = true;
	r->chain = (r->chain + 1) % RECORD_CHAIN;
	written = r->now;
	r->now = r->before;
	r->before = written;
	return 0;
}

uint64_t record_bytes(const struct record *r)
{
	return (uint64_t)r->end;
}

int record_close(struct record *r)
{
	int err = 0;

	if (!r)
		return 0;
	if (r->fd >= 0 && close(r->fd))
		err = -errno;
	ZSTD_freeCCtx(r->zstd);
	free(r->now.data);
	free(r->before.data);
	free(r->packed.data);
	free(r);
	return err;
}

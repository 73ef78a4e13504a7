/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a recording (format: record_file.h). A file is untrusted input: everything is checked before it is used, no
 * size is trusted, and a frame that is a difference from another is accepted only directly after it. While the file's
 * writer is running (it holds a lock), more readings will follow at the end of the file, and an incomplete frame is
 * still being written.
 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "gap.h"
#include "record_fields.h"
#include "record_file.h"
#include "stream.h"

#define READ_STEP_BYTES (1U << 20)
#define FIELDS_MAX 255
#define ELEMENT_GROWTH 4 /* an element in memory takes at most so many times its size in the file */

/* The layout of a section in this file, and which of our fields each of its fields is. */
struct layout_field {
	uint8_t bytes;
	uint16_t count;
	const struct record_field *ours; /* NULL: skip */
};

struct layout_section {
	const struct record_section *ours; /* NULL: skip */
	struct layout_field *fields;
	size_t n_fields, element_bytes;
	size_t n_old; /* among them those with other names in version 1 */
	bool single;
};

#define OLD_FIELDS_MAX 64

struct replay {
	struct source source;
	FILE *file; /* NULL: a stream */
	struct stream stream;
	off_t first; /* where the first reading's frame begins */
	uint64_t readings;
	struct layout_section sections[FIELDS_MAX];
	size_t n_sections;
	ZSTD_DCtx *zstd;
	uint32_t version;
	struct counter_set unknown;		  /* counters that the description does not name */
	struct record_buffer packed, now, before; /* before: unpacked, the base of the next frame */
	uint32_t chain;				  /* that frame's own */
	struct sample next;			  /* read but not yet checked */
	struct gap last;
	char trouble[160];
};

/* Reads exactly len bytes. 1; 0: the file ended before the first; -EBADMSG: it ended later; -errno. */
static int read_exactly(struct replay *p, void *to, size_t len)
{
	size_t n;

	if (p->file) {
		n = fread(to, 1, len, p->file);
		if (n < len && ferror(p->file))
			return errno ? -errno : -EIO;
	} else {
		n = stream_take(&p->stream, to, len);
		if (n < len && p->stream.err)
			return p->stream.err;
	}
	if (n == len)
		return 1;
	return n ? -EBADMSG : 0;
}

static struct record_head load_head(const uint8_t raw[RECORD_HEAD_BYTES])
{
	return (struct record_head){ (uint32_t)record_load(raw, 4), (uint32_t)record_load(raw + 4, 4),
				     record_load(raw + 8, 8), (uint32_t)record_load(raw + 16, 4),
				     (uint32_t)record_load(raw + RECORD_CRC_AT, 4) };
}

static bool is_possible(const struct record_head *head)
{
	return head->whole_bytes <= RECORD_WHOLE_MAX_BYTES && head->bytes <= ZSTD_compressBound(head->whole_bytes);
}

/* Reads the next frame, packed. 1; 0: no more; -EBADMSG: it is incomplete or damaged; -errno. */
static int read_packed(struct replay *p, uint8_t raw[RECORD_HEAD_BYTES], bool *torn)
{
	struct record_head head;
	size_t step;
	int got = read_exactly(p, raw, RECORD_HEAD_BYTES);

	*torn = got == -EBADMSG;
	if (got <= 0)
		return got;
	head = load_head(raw);
	if (!is_possible(&head))
		return -EBADMSG;
	/* The length is not trusted: memory grows with the bytes that are actually read. */
	for (p->packed.len = 0; p->packed.len < head.bytes; p->packed.len += step) {
		step = head.bytes - p->packed.len < READ_STEP_BYTES ? head.bytes - p->packed.len : READ_STEP_BYTES;
		if (record_reserve(&p->packed, step))
			return -ENOMEM;
		got = read_exactly(p, p->packed.data + p->packed.len, step);
		*torn = got == 0 || got == -EBADMSG;
		if (got <= 0)
			return got ? got : -EBADMSG;
	}
	return crc32_z(crc32_z(0, raw, RECORD_CRC_AT), p->packed.data, p->packed.len) == head.crc ? 1 : -EBADMSG;
}

/* The packed frame's bytes into p->now. 0 or -errno. */
static int unpack(struct replay *p, const struct record_head *head)
{
	size_t got;

	if (head->chain && head->chain != p->chain + 1)
		return -EBADMSG;
	if (ZSTD_getFrameContentSize(p->packed.data, p->packed.len) != head->whole_bytes)
		return -EBADMSG;
	p->now.len = 0;
	if (record_reserve(&p->now, head->whole_bytes))
		return -ENOMEM;
	if (head->chain)
		ZSTD_DCtx_refPrefix(p->zstd, p->before.data, p->before.len);
	else
		ZSTD_DCtx_refPrefix(p->zstd, NULL, 0);
	got = ZSTD_decompressDCtx(p->zstd, p->now.data, head->whole_bytes, p->packed.data, p->packed.len);
	if (ZSTD_isError(got) || got != head->whole_bytes)
		return -EBADMSG;
	p->now.len = got;
	p->chain = head->chain;
	return 0;
}

/* Whether a stream's next frame has arrived, or its end, or something that is no frame. */
static bool has_frame(struct replay *p, bool wait)
{
	struct record_head head;
	const uint8_t *raw;

	if (!stream_has(&p->stream, RECORD_HEAD_BYTES, wait))
		return false;
	raw = stream_peek(&p->stream, RECORD_HEAD_BYTES);
	if (!raw)
		return true;
	head = load_head(raw);
	return !is_possible(&head) || stream_has(&p->stream, RECORD_HEAD_BYTES + (size_t)head.bytes, wait);
}

/* Whether the file is still being written. */
static bool is_growing(const struct replay *p)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return p->file && !fcntl(fileno(p->file), F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

/* Reads the next frame into p->now, which becomes p->before. 1; 0: no more; -EAGAIN: not yet; -errno and trouble. */
static int read_frame(struct replay *p)
{
	bool growing = is_growing(p), torn; /* checked first, so that its last writes before it exits are seen */
	off_t start = growing ? ftello(p->file) : -1;
	uint8_t raw[RECORD_HEAD_BYTES];
	struct record_head head;
	int got;

	got = read_packed(p, raw, &torn);
	if ((got == 0 || torn) && start >= 0 && !fseeko(p->file, start, SEEK_SET))
		return -EAGAIN;
	if (got == 0)
		return 0;
	if (got > 0) {
		head = load_head(raw);
		got = unpack(p, &head);
	}
	if (got == 0)
		return 1;
	if (got != -EBADMSG)
		snprintf(p->trouble, sizeof(p->trouble), "cannot read past reading %llu: %s",
			 (unsigned long long)p->readings, strerror(-got));
	else if (torn)
		snprintf(p->trouble, sizeof(p->trouble),
			 "it ends in the middle of reading %llu; those before it are intact",
			 (unsigned long long)p->readings + 1);
	else
		snprintf(p->trouble, sizeof(p->trouble), "reading %llu is damaged; those before it are intact",
			 (unsigned long long)p->readings + 1);
	return got;
}

/* The rest of a frame. Taking more than is left returns 0 and sets `bad`. */
struct cursor {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static const uint8_t *take_bytes(struct cursor *c, size_t len)
{
	const uint8_t *at = c->at;

	if (c->bad || len > c->left) {
		c->bad = true;
		return NULL;
	}
	c->at += len;
	c->left -= len;
	return at;
}

static uint64_t take(struct cursor *c, size_t bytes)
{
	const uint8_t *at = take_bytes(c, bytes);

	return at ? record_load(at, bytes) : 0;
}

static void take_name(struct cursor *c, char name[256])
{
	size_t len = take(c, 1);
	const uint8_t *at = take_bytes(c, len);

	if (at)
		memcpy(name, at, len);
	name[at ? len : 0] = '\0';
}

static const struct record_section *own_section(const char *name)
{
	for (size_t i = 0; i < RECORD_SECTIONS; i++)
		if (!strcmp(record_sections[i].name, name))
			return &record_sections[i];
	return NULL;
}

static const struct record_field *own_field(const struct record_section *section, const char *name)
{
	for (size_t i = 0; section && i < section->n_fields; i++)
		if (!strcmp(section->fields[i].name, name))
			return &section->fields[i];
	return NULL;
}

/* A field of the file that is one of ours, or none; false: its integers are too big. Counters that were 32 bits wide
 * are 64 now. */
static bool add_field(struct replay *p, struct layout_section *section, struct layout_field f, const char *name)
{
	f.ours = own_field(section->ours, name);
	section->fields[section->n_fields++] = f;
	if (f.ours && f.ours->counter != RECORD_NO_COUNTER)
		counter_drop(&p->unknown, f.ours->counter);
	return !f.ours || f.ours->bytes == f.bytes || (f.ours->counter != RECORD_NO_COUNTER && f.bytes == 4);
}

/* The same for fields of version 1: an array's integers are consecutive, like those of separate fields. */
static bool add_fields(struct replay *p, struct layout_section *section, struct layout_field f, const char *name)
{
	struct layout_field one = { .bytes = f.bytes, .count = 1 };
	bool fits = true;

	for (size_t i = 0; p->version == 1 && i < record_olds_count; i++) {
		const struct record_old *old = &record_olds[i];

		if (!section->ours || strcmp(old->section, section->ours->name) || strcmp(old->name, name) ||
		    f.count != old->n)
			continue;
		if (section->n_old + old->n > OLD_FIELDS_MAX)
			return false;
		section->n_old += old->n;
		for (size_t k = 0; k < old->n; k++)
			fits &= add_field(p, section, one, old->now[k]);
		return fits;
	}
	return add_field(p, section, f, name);
}

/* One section of the description. 0 or -errno. */
static int take_section(struct replay *p, struct cursor *c, struct layout_section *section)
{
	struct layout_field f;
	char name[256];
	size_t n;

	take_name(c, name);
	section->ours = own_section(name);
	section->single = section->ours && section->ours->single;
	n = take(c, 1);
	section->fields = calloc(n + OLD_FIELDS_MAX, sizeof(*section->fields));
	if (!section->fields)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		take_name(c, name);
		f.bytes = (uint8_t)take(c, 1);
		f.count = (uint16_t)take(c, 2);
		if ((f.bytes != 1 && f.bytes != 2 && f.bytes != 4 && f.bytes != 8) || !f.count)
			return -EBADMSG;
		section->element_bytes += (size_t)f.bytes * f.count;
		if (!add_fields(p, section, f, name))
			return -EBADMSG;
	}
	return c->bad || !section->element_bytes ? -EBADMSG : 0;
}

static int take_description(struct replay *p)
{
	struct cursor c = { p->now.data, p->now.len, false };
	size_t n = take(&c, 1);
	int err;

	for (size_t i = 0; i < LT_COUNTERS; i++)
		counter_put(&p->unknown, (unsigned)i);
	for (size_t i = 0; i < n; i++) {
		err = take_section(p, &c, &p->sections[p->n_sections++]);
		if (err)
			return err;
		for (size_t k = 0; k < i; k++)
			if (p->sections[i].ours && p->sections[k].ours == p->sections[i].ours)
				return -EBADMSG;
	}
	return c.bad || !n || c.left ? -EBADMSG : 0;
}

/* One integer of all n elements, `bytes` wide in the file, from its planes. */
static void take_planes(const uint8_t *from, size_t bytes, const struct record_field *f, char *to, size_t stride,
			size_t n, const struct sample *s)
{
	for (size_t e = 0; e < n; e++) {
		uint64_t value = 0;

		for (size_t i = bytes; i--;)
			value = value << 8 | from[i * n + e];
		record_store_own(to + e * stride, record_based(s, f->base, value), f->bytes);
	}
}

/* Fields that older files do not have. */
static void forget_later_fields(const struct record_section *section, char *to, size_t n)
{
	const struct record_field *f;

	for (size_t i = 0; i < section->n_fields; i++) {
		f = &section->fields[i];
		for (size_t e = 0; f->base == RECORD_LATER && e < n; e++)
			record_store_own(to + e * section->element_bytes + f->offset, SAMPLE_UNKNOWN, f->bytes);
	}
}

/* All n elements of a section, field by field. */
static void take_fields(const uint8_t *from, const struct layout_section *section, char *to, size_t n,
			const struct sample *s)
{
	size_t stride = section->ours->element_bytes, k;
	const struct record_field *ours;
	const struct layout_field *f;

	for (size_t i = 0; i < section->n_fields; from += n * f->bytes * f->count, i++) {
		f = &section->fields[i];
		ours = f->ours;
		if (!ours)
			continue;
		k = f->count < ours->count ? f->count : ours->count;
		if (f->bytes == 1)
			for (size_t e = 0; e < n; e++)
				memcpy(to + e * stride + ours->offset, from + e * f->count, k);
		else
			while (k--)
				take_planes(from + k * f->bytes * n, f->bytes, ours,
					    to + ours->offset + k * ours->bytes, stride, n, s);
	}
}

/* Makes room for n zeroed elements of an array and sets its length. */
static char *make_room(const struct record_section *section, struct sample *s, uint32_t n)
{
	char *array, *length = (char *)s + section->n, *cap = (char *)s + section->cap;

	memcpy(&array, (char *)s + section->array, sizeof(array));
	if (record_load_own(cap, sizeof(uint32_t)) < n) {
		array = reallocarray(array, n, section->element_bytes);
		if (!array)
			return NULL;
		memcpy((char *)s + section->array, &array, sizeof(array));
		record_store_own(cap, n, sizeof(uint32_t));
	}
	memset(array, 0, n * section->element_bytes);
	record_store_own(length, n, sizeof(uint32_t));
	return array;
}

/* 0, -EBADMSG or -ENOMEM. */
static int take_elements(struct cursor *c, const struct layout_section *section, struct sample *s)
{
	const struct record_section *ours = section->ours;
	uint64_t n = section->single ? 1 : take(c, 4);
	const uint8_t *from;
	char *to;

	if (n > UINT32_MAX / 4)
		return -EBADMSG;
	from = take_bytes(c, n * section->element_bytes);
	if (!from)
		return -EBADMSG;
	if (!ours || n == 0)
		return 0;
	if (!ours->single && ours->element_bytes > ELEMENT_GROWTH * section->element_bytes)
		return -EBADMSG;
	to = ours->single ? (char *)s : make_room(ours, s, (uint32_t)n);
	if (!to)
		return -ENOMEM;
	forget_later_fields(ours, to, n);
	take_fields(from, section, to, n, s);
	return 0;
}

/* The reading in p->now. 0 or -errno, and what is wrong with it or NULL. */
static int take_reading(struct replay *p, struct sample *s, const char **wrong)
{
	struct cursor c = { p->now.data, p->now.len, false };
	int err = 0;

	for (size_t i = 0; i < p->n_sections && !err; i++)
		err = take_elements(&c, &p->sections[i], s);
	if (!err && c.left)
		err = -EBADMSG;
	for (size_t i = 0; p->version == 1 && i < s->n_threads; i++)
		s->threads[i].state = record_state_of_v1(s->threads[i].state);
	s->unknown = p->unknown;
	*wrong = err ? NULL : sample_check(s);
	return *wrong ? -EBADMSG : err;
}

/* The base of the next frame. */
static void keep_frame(struct replay *p)
{
	struct record_buffer done = p->now;

	p->now = p->before;
	p->before = done;
	p->readings++;
}

static int replay_read(struct source *src, struct sample *s)
{
	struct replay *p = (struct replay *)src;
	struct sample before = *s;
	const char *wrong;
	int err;

	if (*p->trouble)
		return 0;
	if (!p->file && !has_frame(p, false))
		return -EAGAIN;
	err = read_frame(p);
	if (err == -EAGAIN)
		return err;
	if (err <= 0) {
		if (err == 0 && !p->readings)
			snprintf(p->trouble, sizeof(p->trouble), "it has no readings");
		return 0;
	}
	sample_clear(&p->next);
	err = take_reading(p, &p->next, &wrong);
	if (!err) {
		*s = p->next;
		p->next = before;
		keep_frame(p);
		gap_add(&p->last, s, "");
		return 1;
	}
	snprintf(p->trouble, sizeof(p->trouble), "reading %llu cannot be shown: %s; those before it are intact",
		 (unsigned long long)p->readings + 1,
		 wrong		  ? wrong
		 : err == -ENOMEM ? "out of memory"
				  : "it does not match the file's description");
	return 0;
}

static const char *replay_trouble(const struct source *src)
{
	return ((const struct replay *)src)->trouble;
}

static void replay_close(struct source *src)
{
	struct replay *p = (struct replay *)src;

	for (size_t i = 0; i < p->n_sections; i++)
		free(p->sections[i].fields);
	ZSTD_freeDCtx(p->zstd);
	sample_free(&p->next);
	free(p->packed.data);
	free(p->now.data);
	free(p->before.data);
	stream_free(&p->stream);
	if (p->file)
		fclose(p->file);
	else if (p->source.stream_fd)
		close(p->source.stream_fd);
	free(p);
}

/* Magic, version, description. NULL, or what is wrong. */
static const char *read_header(struct replay *p)
{
	uint8_t head[RECORD_HEADER_BYTES] = { 0 };
	int got;

	errno = 0;
	if (!p->file)
		stream_has(&p->stream, sizeof(head), true);
	got = read_exactly(p, head, sizeof(head));
	if (got < 0 && got != -EBADMSG)
		return strerror(-got);
	if (got == 0)
		return "it is empty: nothing was recorded";
	if (memcmp(head, RECORD_MAGIC, RECORD_MAGIC_BYTES))
		return "it is not a lagtop recording";
	if (got < 0)
		return "it is cut short: nothing was recorded";
	p->version = (uint32_t)record_load(head + RECORD_MAGIC_BYTES, 2);
	if (p->version > RECORD_VERSION)
		return "it was made by a newer lagtop; use that one";
	if (!p->file)
		has_frame(p, true);
	if (p->version < RECORD_VERSION_OLDEST || read_frame(p) < 1 || p->chain || take_description(p))
		return "its header is damaged";
	p->first = p->file ? ftello(p->file) : -1;
	return NULL;
}

/* NULL, or what is wrong. */
static const char *open_file(struct replay *p, const char *path)
{
	bool is_input = !strcmp(path, "-");
	int fd = is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return strerror(errno);
	if (S_ISREG(st.st_mode)) {
		p->file = fdopen(fd, "r");
		if (p->file)
			return NULL;
		close(fd);
		return strerror(errno);
	}
	p->source.stream_fd = p->stream.fd = fd;
	return isatty(fd) ? "it is a terminal; a recording comes from a file or through a pipe" : NULL;
}

struct source *record_replay(const char *path, char *why, size_t why_size)
{
	struct replay *p = calloc(1, sizeof(*p));
	const char *wrong;

	if (p)
		p->zstd = ZSTD_createDCtx();
	if (!p || !p->zstd) {
		free(p);
		snprintf(why, why_size, "cannot read %s: out of memory", path);
		return NULL;
	}
	p->source.read = replay_read;
	p->source.close = replay_close;
	p->source.trouble = replay_trouble;
	wrong = open_file(p, path);
	if (!wrong)
		wrong = read_header(p);
	if (!wrong)
		return &p->source;
	snprintf(why, why_size, "cannot replay %s: %s", path, wrong);
	replay_close(&p->source);
	return NULL;
}

/* Reads the header of the frame at *at and moves *at after the frame. False: no complete frame there. */
static bool head_at(const struct replay *p, off_t *at, off_t file_bytes, struct record_head *head)
{
	uint8_t raw[RECORD_HEAD_BYTES];

	if (pread(fileno(p->file), raw, sizeof(raw), *at) != sizeof(raw))
		return false;
	*head = load_head(raw);
	if (head->bytes > file_bytes - *at - RECORD_HEAD_BYTES)
		return false;
	*at += RECORD_HEAD_BYTES + (off_t)head->bytes;
	return true;
}

/* Goes to that frame, the `number`th from 0; `alone` is the offset and `alone_number` the number of the last
 * independent one at or before it. 0 or -errno. */
static int go_to(struct replay *p, off_t alone, uint64_t alone_number, uint64_t number)
{
	if (fseeko(p->file, alone, SEEK_SET))
		return -errno;
	p->readings = alone_number;
	while (p->readings < number && read_frame(p) == 1)
		keep_frame(p);
	return 0;
}

int record_walk(struct source *src, struct when_walk *walk)
{
	struct replay *p = (struct replay *)src;
	struct record_head head;
	off_t at = p->first;
	struct stat st;

	if (!p->file || at < 0 || fstat(fileno(p->file), &st) || !S_ISREG(st.st_mode))
		return -ESPIPE;
	while (head_at(p, &at, st.st_size, &head))
		when_step(walk, head.realtime_ns);
	return 0;
}

int record_find(struct source *src, const struct when *when, struct when_walk *walk, uint64_t total_ns)
{
	struct replay *p = (struct replay *)src;
	uint64_t alone_number = 0, number = 0;
	struct record_head head;
	off_t at = p->first, start = at, alone = at;
	struct stat st;
	int err;

	if (fstat(fileno(p->file), &st))
		return -errno;
	for (; head_at(p, &at, st.st_size, &head); number++, start = at) {
		if (!head.chain) {
			alone = start;
			alone_number = number;
		}
		when_step(walk, head.realtime_ns);
		if (when_reached(when, walk, total_ns)) {
			err = go_to(p, alone, alone_number, number);
			return err ? err : 1;
		}
	}
	return 0;
}

static void print_time(char *buf, size_t size, uint64_t realtime_ns)
{
	time_t second = (time_t)(realtime_ns / 1000000000);
	struct tm tm;

	if (!localtime_r(&second, &tm) || !strftime(buf, size, "%F %T", &tm))
		snprintf(buf, size, "an unknown time");
}

void record_missed_time(uint64_t first_ns, uint64_t last_ns, char *why, size_t why_size)
{
	char from[64], to[64];

	print_time(from, sizeof(from), first_ns);
	print_time(to, sizeof(to), last_ns);
	snprintf(why, why_size, "it has no reading at or after that time: it covers %s to %s", from, to);
}

int record_seek(struct source *src, const struct when *when, char *why, size_t why_size)
{
	struct when_walk all = { 0 }, walk = { 0 };
	int found = record_walk(src, &all);

	if (found) {
		snprintf(why, why_size, "--at needs a regular file");
		return found;
	}
	if (!all.begun) {
		snprintf(why, why_size, "it has no readings");
		return -ENOENT;
	}
	found = record_find(src, when, &walk, all.elapsed_ns);
	if (found < 0) {
		snprintf(why, why_size, "%s", strerror(-found));
		return found;
	}
	/* A date before all readings selects the first one. */
	if (found || (when->kind == WHEN_DATE && when->s * 1000000000LL < (int64_t)all.first_ns))
		return 0;
	record_missed_time(all.first_ns, all.realtime_ns, why, why_size);
	return -ENOENT;
}

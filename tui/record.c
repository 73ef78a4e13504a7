/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readings in a file. All integers are little-endian.
 *   file:    magic "lagtop record\n", u16 version, then frames
 *   frame:   u64 length, u32 CRC-32 of the payload, payload
 *   first:   the description: u8 sections, each: name, u8 fields, each: name, u8 bytes, u16 count;
 *            a name is u8 length and its bytes
 *   others:  one reading each: the sections in that order; the sample's fields once, of an array
 *            u32 n and n elements, field by field
 * The description lets a reader skip what it does not know and leave 0 what the file does not have.
 * A file is input from elsewhere: nothing read is believed before it was checked.
 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "record_fields.h"

#define MAGIC "lagtop record\n"
#define MAGIC_BYTES (sizeof(MAGIC) - 1)
#define VERSION 1
#define HEADER_BYTES (MAGIC_BYTES + 2)
#define FRAME_BYTES 12
#define PAYLOAD_MAX_BYTES (1U << 30)
#define READ_STEP_BYTES (1U << 20)
#define FIELDS_MAX 255
#define ELEMENT_GROWTH 4 /* an element in memory is at most so many times its size in the file */

struct buffer {
	uint8_t *data;
	size_t len, cap;
};

struct record {
	int fd;
	bool begun; /* the file was emptied and has its header */
	off_t end;  /* of the last whole frame */
	struct buffer frame;
};

/* How the file at hand lays out a section, and which of our fields each of its fields is. */
struct layout_field {
	uint8_t bytes;
	uint16_t count;
	const struct record_field *ours; /* NULL: skip */
};

struct layout_section {
	const struct record_section *ours; /* NULL: skip */
	struct layout_field *fields;
	size_t n_fields, element_bytes;
	bool single;
};

struct replay {
	struct source source;
	FILE *file;
	uint64_t readings;
	struct layout_section sections[FIELDS_MAX];
	size_t n_sections;
	struct buffer frame;
	char trouble[160];
};

static int buffer_reserve(struct buffer *b, size_t more)
{
	size_t want = b->cap ? b->cap : 4096;
	uint8_t *data;

	while (want < b->len + more)
		want *= 2;
	if (want == b->cap)
		return 0;
	data = realloc(b->data, want);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->cap = want;
	return 0;
}

static uint64_t load_le(const uint8_t *from, size_t bytes)
{
	uint64_t n = 0;

	while (bytes--)
		n = n << 8 | from[bytes];
	return n;
}

static void store_le(uint8_t *to, uint64_t n, size_t bytes)
{
	for (; bytes--; n >>= 8)
		*to++ = (uint8_t)n;
}

/* An integer of this machine's, of 1, 2, 4 or 8 bytes. */
static uint64_t load_own(const char *from, size_t bytes)
{
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (bytes) {
	case 1:
		return (uint8_t)*from;
	case 2:
		memcpy(&u16, from, 2);
		return u16;
	case 4:
		memcpy(&u32, from, 4);
		return u32;
	default:
		memcpy(&u64, from, 8);
		return u64;
	}
}

static void store_own(char *to, uint64_t n, size_t bytes)
{
	uint32_t u32 = (uint32_t)n;
	uint16_t u16 = (uint16_t)n;

	switch (bytes) {
	case 1:
		*to = (char)n;
		break;
	case 2:
		memcpy(to, &u16, 2);
		break;
	case 4:
		memcpy(to, &u32, 4);
		break;
	default:
		memcpy(to, &n, 8);
	}
}

/* Room was reserved by the caller. */
static void put(struct buffer *b, uint64_t n, size_t bytes)
{
	store_le(b->data + b->len, n, bytes);
	b->len += bytes;
}

static void put_bytes(struct buffer *b, const void *bytes, size_t len)
{
	memcpy(b->data + b->len, bytes, len);
	b->len += len;
}

static void put_name(struct buffer *b, const char *name)
{
	put(b, strlen(name), 1);
	put_bytes(b, name, strlen(name));
}

static void put_element(struct buffer *b, const struct record_section *section, const char *element)
{
	const struct record_field *f;
	size_t i, k;

	for (i = 0; i < section->n_fields; i++) {
		f = &section->fields[i];
		if (f->bytes == 1)
			put_bytes(b, element + f->offset, f->count);
		else
			for (k = 0; k < f->count; k++)
				put(b, load_own(element + f->offset + k * f->bytes, f->bytes), f->bytes);
	}
}

static size_t element_file_bytes(const struct record_section *section)
{
	size_t i, bytes = 0;

	for (i = 0; i < section->n_fields; i++)
		bytes += (size_t)section->fields[i].bytes * section->fields[i].count;
	return bytes;
}

static uint32_t section_length(const struct record_section *section, const struct sample *s)
{
	return section->single ? 1 : (uint32_t)load_own((const char *)s + section->n, sizeof(uint32_t));
}

static const char *section_elements(const struct record_section *section, const struct sample *s)
{
	const char *elements;

	if (section->single)
		return (const char *)s;
	memcpy(&elements, (const char *)s + section->array, sizeof(elements));
	return elements;
}

/* Leaves room for a frame's head; frame_end fills it in. */
static int frame_begin(struct buffer *b, size_t payload)
{
	int err;

	if (payload > PAYLOAD_MAX_BYTES)
		return -EFBIG;
	err = buffer_reserve(b, FRAME_BYTES + payload);
	b->len += err ? 0 : FRAME_BYTES;
	return err;
}

static void frame_end(struct buffer *b, size_t start)
{
	const uint8_t *payload = b->data + start + FRAME_BYTES;
	size_t len = b->len - start - FRAME_BYTES;

	store_le(b->data + start, len, 8);
	store_le(b->data + start + 8, crc32_z(0, payload, len), 4);
}

/* The file's head: magic, version, description. */
static int put_head(struct buffer *b)
{
	const struct record_section *section;
	size_t i, f, payload = 1;
	int err;

	for (i = 0; i < RECORD_SECTIONS; i++) {
		section = &record_sections[i];
		payload += 2 + strlen(section->name);
		for (f = 0; f < section->n_fields; f++)
			payload += 4 + strlen(section->fields[f].name);
	}
	err = buffer_reserve(b, HEADER_BYTES);
	if (err)
		return err;
	put_bytes(b, MAGIC, MAGIC_BYTES);
	put(b, VERSION, 2);
	err = frame_begin(b, payload);
	if (err)
		return err;
	put(b, RECORD_SECTIONS, 1);
	for (i = 0; i < RECORD_SECTIONS; i++) {
		section = &record_sections[i];
		put_name(b, section->name);
		put(b, section->n_fields, 1);
		for (f = 0; f < section->n_fields; f++) {
			put_name(b, section->fields[f].name);
			put(b, section->fields[f].bytes, 1);
			put(b, section->fields[f].count, 2);
		}
	}
	frame_end(b, HEADER_BYTES);
	return 0;
}

static int put_reading(struct buffer *b, const struct sample *s)
{
	const struct record_section *section;
	size_t i, start = b->len, payload = 0;
	uint32_t n, e;
	int err;

	for (i = 0; i < RECORD_SECTIONS; i++)
		payload += 4 + section_length(&record_sections[i], s) * element_file_bytes(&record_sections[i]);
	err = frame_begin(b, payload);
	if (err)
		return err;
	for (i = 0; i < RECORD_SECTIONS; i++) {
		section = &record_sections[i];
		n = section_length(section, s);
		if (!section->single)
			put(b, n, 4);
		for (e = 0; e < n; e++)
			put_element(b, section, section_elements(section, s) + e * section->element_bytes);
	}
	frame_end(b, start);
	return 0;
}

struct record *record_open(const char *path, char *why, size_t why_size)
{
	struct record *r = calloc(1, sizeof(*r));

	if (!r) {
		snprintf(why, why_size, "cannot write to %s: out of memory", path);
		return NULL;
	}
	/* 0600: command lines may hold secrets. Emptied only by the first reading: a start that fails costs nothing. */
	r->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (r->fd >= 0 && !flock(r->fd, LOCK_EX | LOCK_NB))
		return r;
	snprintf(why, why_size, "cannot write to %s: %s", path,
		 r->fd >= 0 && errno == EWOULDBLOCK ? "another lagtop is recording to it" : strerror(errno));
	record_close(r);
	return NULL;
}

/* Writes the buffer whole, or takes back what was written of it. */
static int write_frame(struct record *r)
{
	size_t at = 0;
	ssize_t n;
	int err;

	while (at < r->frame.len) {
		n = write(r->fd, r->frame.data + at, r->frame.len - at);
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

int record_write(struct record *r, const struct sample *s)
{
	struct stat st;
	int err = 0;

	r->frame.len = 0;
	if (!r->begun) {
		if (!fstat(r->fd, &st) && S_ISREG(st.st_mode) && ftruncate(r->fd, 0))
			return -errno;
		err = put_head(&r->frame);
	}
	if (!err)
		err = put_reading(&r->frame, s);
	if (!err)
		err = write_frame(r);
	if (!err)
		r->begun = true;
	return err;
}

int record_close(struct record *r)
{
	int err = 0;

	if (!r)
		return 0;
	if (r->fd >= 0 && close(r->fd))
		err = -errno;
	free(r->frame.data);
	free(r);
	return err;
}

/* Reads exactly len bytes. 1; 0: the file ended before the first; -EBADMSG: it ended later; -errno. */
static int read_exactly(struct replay *p, void *to, size_t len)
{
	size_t n = fread(to, 1, len, p->file);

	if (n == len)
		return 1;
	if (ferror(p->file))
		return errno ? -errno : -EIO;
	return n ? -EBADMSG : 0;
}

/* Reads the next frame's payload. 1; 0: no more; -errno and trouble. */
static int read_frame(struct replay *p)
{
	uint8_t head[FRAME_BYTES];
	uint64_t len, step;
	int got;

	got = read_exactly(p, head, sizeof(head));
	if (got == 0)
		return 0;
	len = load_le(head, 8);
	if (got == 1 && len > PAYLOAD_MAX_BYTES)
		goto damaged;
	/* A length is only a claim: memory grows with the bytes that really come. */
	for (p->frame.len = 0; got == 1 && p->frame.len < len; p->frame.len += step) {
		step = len - p->frame.len < READ_STEP_BYTES ? len - p->frame.len : READ_STEP_BYTES;
		if (buffer_reserve(&p->frame, step))
			got = -ENOMEM;
		else
			got = read_exactly(p, p->frame.data + p->frame.len, step);
		if (got == 0)
			got = -EBADMSG;
	}
	if (got == -EBADMSG)
		snprintf(p->trouble, sizeof(p->trouble),
			 "it ends in the middle of reading %llu; those before it are whole",
			 (unsigned long long)p->readings + 1);
	else if (got < 0)
		snprintf(p->trouble, sizeof(p->trouble), "cannot read on after reading %llu: %s",
			 (unsigned long long)p->readings, strerror(-got));
	if (got < 0)
		return got;
	if (crc32_z(0, p->frame.data, p->frame.len) == load_le(head + 8, 4))
		return 1;
damaged:
	snprintf(p->trouble, sizeof(p->trouble), "reading %llu is damaged; those before it are whole",
		 (unsigned long long)p->readings + 1);
	return -EBADMSG;
}

/* What is left of a payload. Taking more than there is gives 0 and sets `bad`. */
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

	return at ? load_le(at, bytes) : 0;
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
	size_t i;

	for (i = 0; i < RECORD_SECTIONS; i++)
		if (!strcmp(record_sections[i].name, name))
			return &record_sections[i];
	return NULL;
}

static const struct record_field *own_field(const struct record_section *section, const char *name)
{
	size_t i;

	for (i = 0; section && i < section->n_fields; i++)
		if (!strcmp(section->fields[i].name, name))
			return &section->fields[i];
	return NULL;
}

/* One section of the description. 0 or -errno. */
static int take_section(struct cursor *c, struct layout_section *section)
{
	struct layout_field *f;
	char name[256];
	size_t n, i;

	take_name(c, name);
	section->ours = own_section(name);
	section->single = !strcmp(name, record_sections[0].name);
	n = take(c, 1);
	section->fields = calloc(n + 1, sizeof(*section->fields));
	if (!section->fields)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		f = &section->fields[section->n_fields++];
		take_name(c, name);
		f->bytes = (uint8_t)take(c, 1);
		f->count = (uint16_t)take(c, 2);
		f->ours = own_field(section->ours, name);
		if ((f->bytes != 1 && f->bytes != 2 && f->bytes != 4 && f->bytes != 8) || !f->count)
			return -EBADMSG;
		if (f->ours && f->ours->bytes != f->bytes)
			return -EBADMSG;
		section->element_bytes += (size_t)f->bytes * f->count;
	}
	return c->bad || !section->element_bytes ? -EBADMSG : 0;
}

static int take_description(struct replay *p)
{
	struct cursor c = { p->frame.data, p->frame.len, false };
	size_t n = take(&c, 1), i, k;
	int err;

	for (i = 0; i < n; i++) {
		err = take_section(&c, &p->sections[p->n_sections++]);
		if (err)
			return err;
		for (k = 0; k < i; k++)
			if (p->sections[i].ours && p->sections[k].ours == p->sections[i].ours)
				return -EBADMSG;
	}
	return c.bad || !n || c.left ? -EBADMSG : 0;
}

static void take_element(const uint8_t *from, const struct layout_section *section, char *element)
{
	const struct layout_field *f;
	size_t i, k;

	for (i = 0; i < section->n_fields; i++) {
		f = &section->fields[i];
		for (k = 0; f->ours && k < f->count && k < f->ours->count; k++)
			store_own(element + f->ours->offset + k * f->bytes, load_le(from + k * f->bytes, f->bytes),
				  f->bytes);
		from += (size_t)f->bytes * f->count;
	}
}

/* Makes room for n zeroed elements of an array and sets its length. */
static char *make_room(const struct record_section *section, struct sample *s, uint32_t n)
{
	char *array, *length = (char *)s + section->n, *cap = (char *)s + section->cap;

	memcpy(&array, (char *)s + section->array, sizeof(array));
	if (load_own(cap, sizeof(uint32_t)) < n) {
		array = reallocarray(array, n, section->element_bytes);
		if (!array)
			return NULL;
		memcpy((char *)s + section->array, &array, sizeof(array));
		store_own(cap, n, sizeof(uint32_t));
	}
	memset(array, 0, n * section->element_bytes);
	store_own(length, n, sizeof(uint32_t));
	return array;
}

/* 0, -EBADMSG or -ENOMEM. */
static int take_elements(struct cursor *c, const struct layout_section *section, struct sample *s)
{
	const struct record_section *ours = section->ours;
	uint64_t n = section->single ? 1 : take(c, 4), i;
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
	for (i = 0; i < n; i++)
		take_element(from + i * section->element_bytes, section, to + i * ours->element_bytes);
	return 0;
}

static int replay_read(struct source *src, struct sample *s)
{
	struct replay *p = (struct replay *)src;
	const char *wrong = NULL;
	struct cursor c;
	size_t i;
	int err;

	sample_clear(s);
	if (*p->trouble)
		return 0;
	err = read_frame(p);
	if (err <= 0) {
		if (err == 0 && !p->readings)
			snprintf(p->trouble, sizeof(p->trouble), "it holds no reading");
		return 0;
	}
	c = (struct cursor){ p->frame.data, p->frame.len, false };
	for (err = 0, i = 0; i < p->n_sections && !err; i++)
		err = take_elements(&c, &p->sections[i], s);
	if (!err && c.left)
		err = -EBADMSG;
	if (!err)
		wrong = sample_check(s);
	if (!err && !wrong) {
		p->readings++;
		return 1;
	}
	sample_clear(s);
	snprintf(p->trouble, sizeof(p->trouble), "reading %llu cannot be shown: %s; those before it are whole",
		 (unsigned long long)p->readings + 1,
		 wrong		  ? wrong
		 : err == -ENOMEM ? "out of memory"
				  : "it does not match the file's description");
	return 0;
}

static void replay_close(struct source *src)
{
	struct replay *p = (struct replay *)src;
	size_t i;

	for (i = 0; i < p->n_sections; i++)
		free(p->sections[i].fields);
	free(p->frame.data);
	if (p->file)
		fclose(p->file);
	free(p);
}

/* Magic, version, description. NULL, or what is wrong. */
static const char *read_head(struct replay *p)
{
	uint8_t head[HEADER_BYTES];
	size_t n;

	errno = 0;
	n = fread(head, 1, sizeof(head), p->file);
	if (ferror(p->file))
		return strerror(errno);
	if (n == 0)
		return "it is empty: nothing was recorded";
	if (n < MAGIC_BYTES || memcmp(head, MAGIC, MAGIC_BYTES))
		return "it is not a recording of lagtop";
	if (n < sizeof(head))
		return "it is cut short: nothing was recorded";
	if (load_le(head + MAGIC_BYTES, 2) > VERSION)
		return "it was made by a newer lagtop; use that one";
	if (load_le(head + MAGIC_BYTES, 2) < VERSION || read_frame(p) < 1 || take_description(p))
		return "its head is damaged";
	return NULL;
}

struct source *record_replay(const char *path, char *why, size_t why_size)
{
	struct replay *p = calloc(1, sizeof(*p));
	const char *wrong;

	if (!p) {
		snprintf(why, why_size, "cannot read %s: out of memory", path);
		return NULL;
	}
	p->source.read = replay_read;
	p->source.close = replay_close;
	p->file = fopen(path, "re");
	wrong = p->file ? read_head(p) : strerror(errno);
	if (!wrong)
		return &p->source;
	snprintf(why, why_size, "cannot replay %s: %s", path, wrong);
	replay_close(&p->source);
	return NULL;
}

const char *record_trouble(const struct source *src)
{
	return ((const struct replay *)src)->trouble;
}

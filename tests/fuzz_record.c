/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzing recordings. Packing and checksums would stop a fuzzer, so the first byte says what the rest is: F the file as
 * it is, D the description of a good reading, R a reading, B both, the description's length in the next two bytes.
 * Whatever is read goes through the model and the history, as on the screen.
 */
#include <stdio.h>
#include <fcntl.h>
#include <unistd.h>

#include "column.h"
#include "recording_frames.h"
#include "fuzz.h"
#include "history.h"
#include "record.h"
#include "synthetic.h"

static char path[] = "/dev/shm/lagtop-fuzz.XXXXXX", why[200];
static struct recording_frames good; /* description and one reading */
static int file;

static void set_file(const uint8_t *bytes, size_t len)
{
	assert(!ftruncate(file, 0) && pwrite(file, bytes, len, 0) == (ssize_t)len);
}

static void remove_file(void)
{
	unlink(path);
}

static void set_up(void)
{
	struct sample s = { 0 };
	struct record *r;
	uint8_t *bytes;
	off_t len;

	file = mkostemp(path, O_CLOEXEC);
	assert(file >= 0);
	atexit(remove_file);
	r = record_open(path, why, sizeof(why));
	assert(r);
	synthetic_fill(&s, 1);
	assert(!record_write(r, &s) && !record_close(r));
	sample_free(&s);
	len = lseek(file, 0, SEEK_END);
	bytes = malloc((size_t)len);
	assert(bytes && pread(file, bytes, (size_t)len, 0) == len);
	recording_frames_unpack(&good, bytes, (size_t)len);
	free(bytes);
}

/* Every value of every row. */
static void look(struct model *m)
{
	struct model_query query = { .kind = MODEL_PROCESS };
	struct row *rows;
	char text[64];

	for (int k = MODEL_PROCESS; k <= MODEL_CONNECTION; k++) {
		query.kind = (enum model_kind)k;
		for (int n = model_rows(m, &query, &rows); n > 0; n--)
			for (size_t c = 0; c < columns_count; c++)
				if (columns[c].kinds & 1U << k)
					column_format(&columns[c], &rows[n - 1], true, text, sizeof(text), 15);
	}
}

/* Replays what the file holds: once directly, and once more from the history. */
static void replay(void)
{
	struct source *src = record_replay(path, why, sizeof(why));
	struct history h = { .max_bytes = 1 << 20 };
	struct model *live = model_new(), *past = model_new();
	struct sample *s;

	assert(live && past && (src || *why));
	while (src && h.n < 3) {
		s = history_take(&h);
		assert(s);
		if (src->read(src, s) != 1)
			break;
		assert(!sample_check(s) && !model_update(live, s));
		look(live);
		assert(!history_add(&h));
	}
	for (uint32_t back = h.n; back--;) {
		s = history_at(&h, back);
		assert(s && !sample_check(s) && !model_update(past, s));
		look(past);
	}
	source_close(src);
	model_free(live);
	model_free(past);
	history_free(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording_frames changed;
	size_t first = 0, len;
	uint8_t *bytes, kind;

	if (!good.n)
		set_up();
	if (size < 3)
		return 0;
	if (*data == 'F') {
		set_file(data + 1, size - 1);
		replay();
		return 0;
	}
	changed = good;
	kind = *data++;
	size--;
	if (kind == 'B') {
		first = data[0] | (size_t)data[1] << 8;
		data += 2;
		size -= 2;
	} else if (kind == 'D') {
		first = size;
	}
	first = first < size ? first : size;
	if (kind == 'B' || kind == 'D') {
		changed.whole[0] = (uint8_t *)(uintptr_t)data;
		changed.len[0] = first;
	}
	if (kind != 'D') {
		changed.whole[1] = (uint8_t *)(uintptr_t)data + first;
		changed.len[1] = size - first;
	}
	bytes = recording_frames_pack(&changed, &len);
	set_file(bytes, len);
	free(bytes);
	replay();
	return 0;
}

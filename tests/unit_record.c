/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recordings: every field comes back; a file that ends anywhere, has any byte changed, is empty, foreign or from a
 * newer version is reported as such, and never more than its complete readings are shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "column.h"
#include "recording_frames.h"
#include "model.h"
#include "record.h"
#include "record_fields.h"
#include "record_file.h"
#include "synthetic.h"

#ifndef RANDOM_ROUNDS
#define RANDOM_ROUNDS 2000
#endif

static char path[] = "/dev/shm/lagtop-record.XXXXXX";
static char why[512];

static uint8_t *file_bytes(size_t *len)
{
	FILE *f = fopen(path, "re");
	uint8_t *bytes;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*len = (size_t)ftell(f);
	rewind(f);
	bytes = malloc(*len + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, *len, f), *len);
	fclose(f);
	return bytes;
}

static void file_write(const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void record_readings(uint32_t n)
{
	struct record *r = record_open(path, why, sizeof(why));
	struct sample s = { 0 };

	assert_non_null(r);
	for (uint32_t i = 1; i <= n; i++) {
		synthetic_fill(&s, i);
		assert_null(sample_check(&s));
		assert_int_equal(record_write(r, &s), 0);
	}
	assert_int_equal(record_close(r), 0);
	sample_free(&s);
}

/* How many readings the file gives; trouble is copied. -1: it cannot even be opened. */
static int replay_all(char trouble[200])
{
	struct source *src = record_replay(path, why, sizeof(why));
	struct sample s = { 0 };
	int n = 0;

	*trouble = '\0';
	if (!src)
		return -1;
	while (src->read(src, &s) == 1) {
		assert_null(sample_check(&s));
		n++;
	}
	snprintf(trouble, 200, "%s", source_trouble(src));
	source_close(src);
	sample_free(&s);
	return n;
}

static const void *elements(const struct record_section *section, const struct sample *s, uint32_t *n)
{
	const void *array;

	if (section->single) {
		*n = 1;
		return s;
	}
	memcpy(n, (const char *)s + section->n, sizeof(*n));
	memcpy(&array, (const char *)s + section->array, sizeof(array));
	return array;
}

static void every_field_comes_back(void **state)
{
	struct sample written = { 0 }, read = { 0 };
	struct source *src;
	const char *a, *b;
	uint32_t n, m;

	(void)state;
	record_readings(3);
	src = record_replay(path, why, sizeof(why));
	assert_non_null(src);
	assert_false(src->live);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(src->read(src, &read), 1);
		assert_int_equal(read.number, i);
	}
	synthetic_fill(&written, 3);
	/* A counter that was not known when it was recorded is not known when it is replayed. */
	assert_true(counter_has(&written.unknown, LT_THROTTLED));
	assert_memory_equal(&read.unknown, &written.unknown, sizeof(read.unknown));
	for (size_t k = 0; k < RECORD_SECTIONS; k++) {
		const struct record_section *section = &record_sections[k];

		a = elements(section, &written, &n);
		b = elements(section, &read, &m);
		assert_int_equal(n, m);
		assert_int_not_equal(n, 0);
		for (uint32_t i = 0; i < n; i++)
			for (size_t f = 0; f < section->n_fields; f++)
				assert_memory_equal(a + i * section->element_bytes + section->fields[f].offset,
						    b + i * section->element_bytes + section->fields[f].offset,
						    section->fields[f].bytes * section->fields[f].count);
	}
	assert_int_equal(src->read(src, &read), 0);
	assert_string_equal(source_trouble(src), "");
	source_close(src);
	sample_free(&written);
	sample_free(&read);
}

/* Bytes of a struct that no field covers must be padding: shorter than the next field's alignment. */
static void assert_covered(const struct record_section *section, size_t size)
{
	size_t at = 0, next, f;

	while (at < size) {
		next = section->n_fields;
		for (size_t i = 0; i < section->n_fields; i++)
			if (section->fields[i].offset >= at &&
			    (next == section->n_fields || section->fields[i].offset < section->fields[next].offset))
				next = i;
		if (next == section->n_fields)
			break;
		f = section->fields[next].offset;
		if (f - at >= section->fields[next].bytes)
			fail_msg("%s: nothing records the %zu bytes before %s", section->name, f - at,
				 section->fields[next].name);
		at = f + (size_t)section->fields[next].bytes * section->fields[next].count;
	}
	if (size - at >= 8)
		fail_msg("%s: nothing records its last %zu bytes", section->name, size - at);
}

static void no_field_is_forgotten(void **state)
{
	(void)state;
	/* In struct sample the arrays, their lengths and capacities come last. */
	for (size_t i = 1; i < RECORD_SECTIONS; i++)
		assert_covered(&record_sections[i], record_sections[i].element_bytes);
	/* The unknown counters are those that the description leaves out. */
	assert_covered(&(struct record_section){ "sample", record_sections[0].fields, record_sections[0].n_fields, 0,
						 true, 0, 0, 0 },
		       offsetof(struct sample, unknown));
}

static void cut_anywhere_keeps_whole_readings(void **state)
{
	size_t len, first, second, head;
	char trouble[200];
	uint8_t *bytes;
	int n;

	(void)state;
	record_readings(2);
	bytes = file_bytes(&len);
	head = recording_frames_end(bytes, RECORD_HEADER_BYTES);
	first = recording_frames_end(bytes, head);
	second = recording_frames_end(bytes, first);
	assert_int_equal(second, len);
	for (size_t cut = 0; cut <= len; cut++) {
		assert_int_equal(truncate(path, (off_t)(len - cut)), 0);
		n = replay_all(trouble);
		assert_int_equal(n, len - cut >= second ? 2 : len - cut >= first ? 1 : len - cut >= head ? 0 : -1);
		if (n < 0)
			assert_non_null(strstr(why, path));
		else if (len - cut == second || len - cut == first)
			assert_string_equal(trouble, "");
		else
			assert_string_not_equal(trouble, "");
		if (len - cut == 0)
			assert_non_null(strstr(why, "empty"));
	}
	free(bytes);
}

static void changed_bytes_are_noticed(void **state)
{
	size_t len, first, head;
	char trouble[200];
	uint8_t *bytes;
	int n;

	(void)state;
	record_readings(2);
	bytes = file_bytes(&len);
	head = recording_frames_end(bytes, RECORD_HEADER_BYTES);
	first = recording_frames_end(bytes, head);
	for (size_t at = 0; at < len; at++) {
		bytes[at] ^= 0x10;
		file_write(bytes, len);
		bytes[at] ^= 0x10;
		n = replay_all(trouble);
		assert_int_equal(n, at < head ? -1 : at < first ? 0 : 1);
		if (n >= 0)
			assert_string_not_equal(trouble, "");
	}
	free(bytes);
}

/* A file with right checksums but false numbers, as an attacker could make it. Longer than a screen: a table of
 * cases. */
static void lying_numbers_are_refused(void **state)
{
	static const struct {
		const char *what;
		size_t section, element, offset, bytes;
		uint64_t value;
	} lies[] = {
#define LIE(section, element, s, f, value)                                                                             \
	{ #f, section, element, offsetof(struct s, f), sizeof(((struct s *)0)->f), value }
		LIE(0, 0, sample, interval_ns, 0),
		LIE(0, 0, sample, cpus_online, 0),
		LIE(1, 1, sample_process, first_thread, 4000000000U),
		LIE(1, 1, sample_process, n_threads, 3),
		LIE(1, 1, sample_process, n_threads, UINT32_MAX),
		LIE(1, 1, sample_process, pid, 1),
		LIE(1, 1, sample_process, comm, UINT32_MAX),
		LIE(1, 1, sample_process, cgroup, 100000),
		LIE(1, 1, sample_process, sockets.connect.first, UINT32_MAX),
		LIE(1, 1, sample_process, sockets.connect.n, UINT32_MAX),
		LIE(1, 1, sample_process, sockets.srtt_ns, UINT64_MAX - 1),
		LIE(7, 0, sample_connection, srtt_ns, 1ULL << 63),
		LIE(8, 1, sample_cpu, cpu, 3),
		LIE(8, 0, sample_cpu, runs, 3),
		LIE(1, 1, sample_process, first_because, 7),
		LIE(1, 1, sample_process, n_because, UINT32_MAX),
		LIE(1, 2, sample_process, n_because, 1),
		LIE(12, 0, sample_because, kind, SAMPLE_BLAMES),
		LIE(13, 0, sample_mark, kind, SAMPLE_MARKS),
		LIE(9, 0, sample_disk, op, LT_DISK_OPS),
		LIE(9, 0, sample_disk, name, 100000),
		LIE(9, 0, sample_disk, latency[LT_DISK_SERVICE].first, 100000),
		LIE(9, 0, sample_disk, latency[LT_DISK_TOTAL].n, HIST_BUCKETS + 1),
		LIE(9, 0, sample_disk, first_group, UINT32_MAX),
		LIE(9, 0, sample_disk, n_groups, 2),
		LIE(9, 0, sample_disk, groups_known, 2),
		LIE(11, 0, sample_disk_group, name, 100000),
		LIE(2, 1, sample_thread, process, 77),
		LIE(2, 1, sample_thread, work, 2),
		LIE(2, 1, sample_thread, state, 15),
		LIE(2, 1, sample_thread, call, LT_CALL(3, 0)),
		LIE(2, 3, sample_thread, work, 0),

		LIE(3, 0, sample_work, wakeup.n, HIST_BUCKETS + 1),
		LIE(3, 0, sample_work, service.first, UINT32_MAX),
		LIE(3, 0, sample_work, first_call, 1),
		LIE(3, 0, sample_work, n_calls, UINT32_MAX),
		LIE(3, 1, sample_work, n_calls, 1),
		LIE(4, 0, sample_call, first_errno, UINT32_MAX),
		LIE(4, 1, sample_call, n_errnos, 2),
		LIE(4, 0, sample_call, latency.first, 100000),
		LIE(5, 0, sample_bucket, bucket, HIST_BUCKETS),
		LIE(5, 0, sample_bucket, bucket, HIST_BUCKETS - 1),
		{ "text", 12, 0, 0, 1, 'x' },
		LIE(7, 0, sample_connection, proto, LT_PROTOS),
		LIE(7, 0, sample_connection, family, 5),
		LIE(7, 0, sample_connection, state, 99),
		LIE(10, 0, sample_peer, of.proto, LT_PROTOS + 1),
		LIE(10, 0, sample_peer, of.family, 5),
		LIE(10, 0, sample_peer, upstream.n, HIST_BUCKETS + 1),
		LIE(10, 2, sample_peer, srtt_ns, 1ULL << 63),
		LIE(1, 1, sample_process, sockets.n_peers, 9),
		LIE(3, 0, sample_work, n_peers, 9),
	};
	char trouble[200];

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct record *r = record_open(path, why, sizeof(why));
		struct sample s = { 0 };
		uint32_t n;
		char *array;

		synthetic_fill(&s, 1);
		for (n = 0; n < 2 * HIST_BUCKETS; n++)
			assert_non_null(sample_add_bucket(&s)); /* so that ranges can be too long */
		assert_int_equal(record_write(r, &s), 0);
		array = (char *)(uintptr_t)elements(&record_sections[lies[i].section], &s, &n);
		assert_true(lies[i].element < n);
		memcpy(array + lies[i].element * record_sections[lies[i].section].element_bytes + lies[i].offset,
		       &lies[i].value, lies[i].bytes);
		assert_int_equal(record_write(r, &s), 0);
		assert_int_equal(record_close(r), 0);
		sample_free(&s);
		if (replay_all(trouble) != 1)
			fail_msg("a false %s was accepted", lies[i].what);
		assert_non_null(strstr(trouble, "reading 2 cannot be shown"));
	}
}

/* Changes a name in the description; the checksums are right. */
static void rename_in_file(const char *from, const char *to)
{
	struct recording_frames f;
	uint8_t *bytes, *name;
	size_t len;

	bytes = file_bytes(&len);
	recording_frames_unpack(&f, bytes, len);
	free(bytes);
	name = memmem(f.whole[0], f.len[0], from, strlen(from));
	assert_non_null(name);
	memcpy(name, to, strlen(to));
	bytes = recording_frames_pack(&f, &len);
	file_write(bytes, len);
	free(bytes);
	recording_frames_free(&f);
}

/* A counter newer than the file is not known. */
static void later_fields_are_unknown(void **state)
{
	struct sample s = { 0 };
	struct source *src;

	(void)state;
	record_readings(2);
	rename_in_file("accept_queue_max", "novelty_queue_of");
	rename_in_file("\x05"
		       "drops",
		       "\x05"
		       "novel");
	src = record_replay(path, why, sizeof(why));
	assert_non_null(src);
	assert_int_equal(src->read(src, &s), 1);
	assert_int_equal(s.n_connections, 2);
	for (uint32_t i = 0; i < s.n_connections; i++) {
		assert_int_equal(s.connections[i].accept_queue_max, SAMPLE_UNKNOWN);
		assert_int_equal(s.connections[i].drops, SAMPLE_UNKNOWN);
	}
	assert_int_equal(s.connections[1].accept_queue, 3);
	source_close(src);
	sample_free(&s);
}

/* Fields that a later lagtop may add are skipped; missing fields are 0. */
static void unknown_fields_are_skipped(void **state)
{
	struct sample s = { 0 };
	struct source *src;

	(void)state;
	record_readings(2);
	rename_in_file("migrations", "novelties!");
	rename_in_file("\x0b"
		       "connections",
		       "\x0b"
		       "novel array");
	src = record_replay(path, why, sizeof(why));
	assert_non_null(src);
	assert_int_equal(src->read(src, &s), 1);
	assert_int_equal(src->read(src, &s), 1);
	assert_int_equal(s.number, 2);
	assert_int_equal(s.works[0].migrations, 0);
	assert_int_equal(s.works[0].wakeups, 102);
	assert_int_equal(s.n_connections, 0);
	assert_string_equal(sample_text(&s, s.processes[1].comm), "server");
	source_close(src);
	sample_free(&s);
}

/* Random changes with right checksums: whatever is read can be used without harm. */
static void random_changes_do_no_harm(void **state)
{
	struct model_query query = { .kind = MODEL_PROCESS };
	uint32_t seed = 1;
	struct recording_frames whole, changed;
	int shown = 0;
	struct row *rows;
	uint8_t *bytes;
	size_t len, i;

	(void)state;
	record_readings(1);
	bytes = file_bytes(&len);
	recording_frames_unpack(&whole, bytes, len);
	recording_frames_unpack(&changed, bytes, len);
	free(bytes);
	for (uint32_t round = 0; round < RANDOM_ROUNDS; round++) {
		struct sample s = { 0 };
		struct model *m = model_new();
		struct source *src;

		for (i = 0; i < whole.n; i++)
			memcpy(changed.whole[i], whole.whole[i], whole.len[i]);
		for (uint32_t k = 0; k < 1 + round % 4; k++) {
			seed = seed * 1664525 + 1013904223;
			i = (seed >> 30) == 0 ? 0 : 1;
			changed.whole[i][(seed >> 8) % whole.len[i]] ^= (uint8_t)(1U << (seed >> 5) % 8);
		}
		bytes = recording_frames_pack(&changed, &len);
		file_write(bytes, len);
		free(bytes);
		src = record_replay(path, why, sizeof(why));
		if (src && src->read(src, &s) == 1) {
			shown++;
			assert_int_equal(model_update(m, &s), 0);
			for (int kind = MODEL_PROCESS; kind <= MODEL_CONNECTION; kind++) {
				query.kind = (enum model_kind)kind;
				assert_true(model_rows(m, &query, &rows) >= 0);
			}
		}
		source_close(src);
		model_free(m);
		sample_free(&s);
	}
	assert_in_range(shown, RANDOM_ROUNDS / 10, RANDOM_ROUNDS - 1);
	recording_frames_free(&changed);
	recording_frames_free(&whole);
}

static void foreign_files_are_told(void **state)
{
	static const struct {
		const char *bytes, *expected;
		size_t len;
	} files[] = {
		{ "", "empty", 0 },
		{ "PK\3\4", "not a lagtop recording", 4 },
		{ "lagtop recor", "not a lagtop recording", 12 },
		{ "lagtop record\n", "cut short", 14 },
		{ "lagtop record\n\3\0", "newer lagtop", 16 },
		{ "lagtop record\n\0\0", "damaged", 16 },
		{ "lagtop record\n\1\0", "damaged", 16 },
		{ "lagtop record\n\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "damaged", 40 },
		{ "lagtop record\n\1\0\377\377\377\377\377\377\377\377\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "damaged",
		  40 },
		{ "lagtop record\n\1\0\377\377\377\17\377\377\377\17\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "damaged", 40 },
		{ "#!/bin/sh\nexec lagtop record\n\1\0", "not a lagtop recording", 31 },
	};
	char trouble[200];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		file_write((const uint8_t *)files[i].bytes, files[i].len);
		assert_int_equal(replay_all(trouble), -1);
		if (!strstr(why, files[i].expected))
			fail_msg("file %zu: '%s', not '%s'", i, why, files[i].expected);
	}
	assert_null(record_replay("/nonexistent/file", why, sizeof(why)));
	assert_non_null(strstr(why, "No such file"));
	assert_null(record_replay("/", why, sizeof(why)));
	assert_null(record_open("/nonexistent/file", why, sizeof(why)));
	assert_non_null(strstr(why, "No such file"));
}

static void a_start_that_fails_keeps_the_old_file(void **state)
{
	char trouble[200];

	(void)state;
	record_readings(2);
	assert_int_equal(record_close(record_open(path, why, sizeof(why))), 0);
	assert_int_equal(replay_all(trouble), 2);
	record_readings(1);
	assert_int_equal(replay_all(trouble), 1);
	assert_int_equal(record_close(NULL), 0);
}

static void two_writers_do_not_mix(void **state)
{
	struct record *first = record_open(path, why, sizeof(why));

	(void)state;
	assert_non_null(first);
	assert_null(record_open(path, why, sizeof(why)));
	assert_non_null(strstr(why, "another lagtop"));
	assert_int_equal(record_close(first), 0);
}

static void a_full_disk_leaves_whole_readings(void **state)
{
	struct rlimit none = { 0, RLIM_INFINITY }, before;
	struct record *r = record_open(path, why, sizeof(why));
	struct sample s = { 0 };
	char trouble[200];
	struct stat st;

	(void)state;
	assert_non_null(r);
	synthetic_fill(&s, 1);
	assert_int_equal(record_write(r, &s), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(stat(path, &st), 0);
	none.rlim_cur = (rlim_t)st.st_size + 10; /* not enough for another */
	setrlimit(RLIMIT_FSIZE, &none);
	synthetic_fill(&s, 2);
	assert_int_equal(record_write(r, &s), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(record_close(r), 0);
	assert_int_equal(replay_all(trouble), 1);
	assert_string_equal(trouble, "");
	sample_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_back),
		cmocka_unit_test(no_field_is_forgotten),
		cmocka_unit_test(cut_anywhere_keeps_whole_readings),
		cmocka_unit_test(changed_bytes_are_noticed),
		cmocka_unit_test(lying_numbers_are_refused),
		cmocka_unit_test(later_fields_are_unknown),
		cmocka_unit_test(unknown_fields_are_skipped),
		cmocka_unit_test(random_changes_do_no_harm),
		cmocka_unit_test(foreign_files_are_told),
		cmocka_unit_test(a_start_that_fails_keeps_the_old_file),
		cmocka_unit_test(two_writers_do_not_mix),
		cmocka_unit_test(a_full_disk_leaves_whole_readings),
	};
	int failed;

	if (mkostemp(path, O_CLOEXEC) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recordings over time: the rows that come back, files that grow, writers that are killed, jumps to a time, files of
 * older versions, and what a hostile file may cost.
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
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "column.h"
#include "fixture.h"
#include "recording_frames.h"
#include "record.h"
#include "record_fields.h"
#include "record_file.h"

#define READINGS 150
#define KILLS 50
#define FRAMES_TORN 12
#define BOMB_BYTES (250U << 20)
#ifdef __SANITIZE_ADDRESS__ /* it keeps what was freed */
#define BOMB_RSS_BYTES (600U << 20)
#else
#define BOMB_RSS_BYTES (300U << 20)
#endif

static char path[] = "/dev/shm/lagtop-replay.XXXXXX";
static int file;
static char why[512];

static bool same_value(struct value a, struct value b)
{
	if (a.type != b.type)
		return false;
	switch (a.type) {
	case VALUE_INT:
		return a.i == b.i;
	case VALUE_REAL:
		return a.real == b.real;
	case VALUE_TEXT:
		return !strcmp(a.text, b.text);
	default:
		return true;
	}
}

/* Every row of every kind in both models, with every column. Returns their number. */
static int compare_rows(struct model *live, struct model *replayed)
{
	int n, all = 0;

	for (int kind = MODEL_PROCESS; kind <= MODEL_CONNECTION; kind++) {
		struct model_query query = { .kind = (enum model_kind)kind };
		struct row *a, *b;

		n = model_rows(live, &query, &a);
		assert_true(n > 0);
		assert_int_equal(model_rows(replayed, &query, &b), n);
		for (int i = 0; i < n; i++)
			for (size_t c = 0; c < columns_count; c++)
				if (columns[c].kinds & 1U << kind && columns[c].show != SHOW_SPARK &&
				    !same_value(columns[c].raw(&a[i]), columns[c].raw(&b[i])))
					fail_msg("kind %d, row %d: another %s", kind, i, columns[c].name);
		all += n;
	}
	return all;
}

/* Both as differences and as independent frames, the readings equal the live ones. */
static void rows_are_the_live_ones(void **state)
{
	struct model *live = model_new(), *replayed = model_new();
	struct sample written[2] = { 0 }, read[2] = { 0 };
	struct source *src;

	(void)state;
	fixture_write(path, READINGS, FIXTURE_HOSTILE_NAMES);
	src = record_replay(path, why, sizeof(why));
	assert_non_null(src);
	for (uint32_t n = 1; n <= READINGS; n++) {
		fixture_fill(&written[n % 2], n, FIXTURE_HOSTILE_NAMES);
		assert_int_equal(src->read(src, &read[n % 2]), 1);
		assert_int_equal(model_update(live, &written[n % 2]), 0);
		assert_int_equal(model_update(replayed, &read[n % 2]), 0);
		assert_true(compare_rows(live, replayed) > 100);
	}
	assert_int_equal(src->read(src, &read[0]), 0);
	assert_string_equal(source_trouble(src), "");
	source_close(src);
	model_free(live);
	model_free(replayed);
	for (uint32_t n = 0; n < 2; n++) {
		sample_free(&written[n]);
		sample_free(&read[n]);
	}
}

static void a_file_that_grows_is_followed(void **state)
{
	struct record *r = record_open(path, why, sizeof(why));
	struct sample s = { 0 };
	struct source *src;
	struct stat st;
	char piece[10];

	(void)state;
	assert_non_null(r);
	fixture_fill(&s, 1, FIXTURE_PLAIN);
	assert_int_equal(record_write(r, &s), 0);
	src = record_replay(path, why, sizeof(why));
	assert_non_null(src);
	assert_int_equal(src->read(src, &s), 1);
	for (uint32_t n = 2; n < 100; n++) {
		assert_int_equal(src->read(src, &s), -EAGAIN);
		fixture_fill(&s, n, FIXTURE_PLAIN);
		assert_int_equal(record_write(r, &s), 0);
		/* A partial frame, as seen by a reader while it is being written. */
		assert_int_equal(fstat(file, &st), 0);
		assert_int_equal(pread(file, piece, sizeof(piece), st.st_size - 10), 10);
		assert_int_equal(ftruncate(file, st.st_size - 10), 0);
		assert_int_equal(src->read(src, &s), -EAGAIN);
		assert_string_equal(source_trouble(src), "");
		assert_int_equal(pwrite(file, piece, sizeof(piece), st.st_size - 10), 10);
		assert_int_equal(src->read(src, &s), 1);
		assert_int_equal(s.number, n);
	}
	assert_int_equal(src->read(src, &s), -EAGAIN);
	assert_int_equal(record_close(r), 0);
	assert_int_equal(src->read(src, &s), 0);
	assert_string_equal(source_trouble(src), "");
	assert_int_equal(s.number, 99); /* what is shown stays the same */
	assert_true(s.n_processes > 0);
	source_close(src);
	sample_free(&s);
}

/* Records as fast as it can and reports every reading that is in the file. The kernel ends it in the middle of the
 * write that goes beyond the limit, once the file is filled up to there. */
static void __attribute__((noreturn)) record_until_killed(rlim_t limit, int told)
{
	struct record *r = record_open(path, why, sizeof(why));
	struct rlimit size = { limit, limit };
	struct sample s = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0); /* SIGXFSZ would leave a core */
	if (setrlimit(RLIMIT_FSIZE, &size))
		_exit(1);
	for (uint32_t n = 1; r; n++) {
		fixture_fill(&s, n, FIXTURE_PLAIN);
		if (record_write(r, &s) || write(told, "", 1) != 1)
			break;
	}
	_exit(1);
}

static pid_t start_writer(rlim_t limit, int *told)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		record_until_killed(limit, ends[1]);
	close(ends[1]);
	*told = ends[0];
	return pid;
}

/* Waits until that many readings were reported, or the writer has exited. */
static uint32_t wait_told(int told, uint32_t most)
{
	uint32_t n = 0;
	char byte;

	while (n < most && read(told, &byte, 1) == 1)
		n++;
	return n;
}

static void assert_killed(pid_t pid, int told, int by)
{
	int status;

	close(told);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), by);
}

/* Checks that the file has all reported readings, intact. Returns whether it ends in an incomplete one. */
static bool left_whole(uint32_t told)
{
	struct source *src = record_replay(path, why, sizeof(why));
	struct sample s = { 0 }, expected = { 0 };
	bool torn;
	uint32_t n;

	assert_non_null(src);
	for (n = 0; src->read(src, &s) == 1;) {
		fixture_fill(&expected, ++n, FIXTURE_PLAIN);
		assert_int_equal(s.number, n);
		assert_int_equal(s.n_works, expected.n_works);
		assert_memory_equal(s.works, expected.works, s.n_works * sizeof(*s.works));
		assert_string_equal(sample_text(&s, s.processes[0].cmdline),
				    sample_text(&expected, expected.processes[0].cmdline));
	}
	/* Killed between the write and the report of it. */
	assert_in_range(n, told, told + 1);
	torn = *source_trouble(src);
	if (torn)
		assert_non_null(strstr(source_trouble(src), "in the middle of reading"));
	source_close(src);
	sample_free(&s);
	sample_free(&expected);
	return torn;
}

static void a_killed_writer_leaves_whole_readings(void **state)
{
	uint32_t seed = (uint32_t)time(NULL), told;
	int torn = 0, fd;
	pid_t pid;

	(void)state;
	print_message("seed %u\n", seed);
	for (int round = 0; round < KILLS; round++) {
		seed = seed * 1664525 + 1013904223;
		pid = start_writer(RLIM_INFINITY, &fd);
		told = wait_told(fd, 1 + (seed >> 16) % 150);
		for (uint32_t n = (seed >> 8) % 30000; n; n--) /* somewhere in the next reading */
			__asm__ volatile("");
		kill(pid, SIGKILL);
		told += wait_told(fd, UINT32_MAX);
		assert_killed(pid, fd, SIGKILL);
		torn += left_whole(told);
	}
	print_message("%d of %d ended in the middle of a reading\n", torn, KILLS);
}

/* Random times are hardly ever inside a write; here each frame ends after its first byte, in its header, in its middle
 * and before its last byte. */
static void a_writer_killed_while_it_writes(void **state)
{
	struct record *r = record_open(path, why, sizeof(why));
	off_t end[FRAMES_TORN + 1], frame;
	struct sample s = { 0 };
	struct stat st;
	pid_t pid;
	int fd;

	(void)state;
	assert_non_null(r);
	for (uint32_t n = 0; n <= FRAMES_TORN; n++) {
		fixture_fill(&s, n + 1, FIXTURE_PLAIN);
		assert_int_equal(record_write(r, &s), 0);
		assert_int_equal(fstat(file, &st), 0);
		end[n] = st.st_size;
	}
	assert_int_equal(record_close(r), 0);
	sample_free(&s);
	for (uint32_t n = 1; n <= FRAMES_TORN; n++) {
		frame = end[n] - end[n - 1];
		const off_t pieces[] = { 1, RECORD_HEAD_BYTES - 1, frame / 2, frame - 1 };

		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
			pid = start_writer((rlim_t)(end[n - 1] + pieces[i]), &fd);
			assert_int_equal(wait_told(fd, UINT32_MAX), n);
			assert_killed(pid, fd, SIGXFSZ);
			assert_int_equal(fstat(file, &st), 0);
			assert_int_equal(st.st_size, end[n - 1] + pieces[i]);
			assert_true(left_whole(n));
		}
	}
}

/* Longer than a screen: a table of cases. */
static void times_are_found(void **state)
{
	static const struct {
		const char *at;
		uint32_t number; /* 0: not in the recording */
	} cases[] = {
		{ "12:03", 1 }, /* the minute in which it begins */
		{ "12:02", 0 }, /* the next day's */
		{ "12:03:01", 1 },
		{ "12:03:02", 2 },
		{ "12:04", 60 },
		{ "12:04:03", 63 },
		{ "12:04:04", 64 },
		{ "12:04:05", 65 },
		{ "12:04:06", 66 },
		{ "12:05:30", READINGS },
		{ "12:05:31", 0 },
		{ "03:15", 0 },
		{ "2026-11-22T12:05", 120 },
		{ "2026-11-22T12:05Z", 120 },
		{ "2026-11-22 12:05:01", 121 },
		{ "2026-11-22", 1 },
		{ "2026-11-23", 0 },
		{ "1999-12-31", 1 },
		{ "-0s", READINGS },
		{ "-10s", READINGS - 10 },
		{ "-1m", READINGS - 60 },
		{ "-2h", 1 },
		{ "-9d", 1 },
		{ "+0s", 1 },
		{ "+90s", 91 },
		{ "+1m", 61 },
		{ "+1h", 0 },
	};
	struct sample s = { 0 }, expected = { 0 };
	struct source *src;
	struct when when;
	int err;

	(void)state;
	fixture_write(path, READINGS, FIXTURE_PLAIN);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		src = record_replay(path, why, sizeof(why));
		assert_non_null(src);
		assert_true(when_parse(cases[i].at, &when));
		err = record_seek(src, &when, why, sizeof(why));
		if (!cases[i].number) {
			if (!err)
				fail_msg("%s was found", cases[i].at);
			assert_string_equal(why, "it has no reading at or after that time: it covers "
						 "2026-11-22 12:03:01 to 2026-11-22 12:05:30");
			source_close(src);
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(src->read(src, &s), 1);
		if (s.number != cases[i].number)
			fail_msg("%s is reading %u, not %u", cases[i].at, s.number, cases[i].number);
		fixture_fill(&expected, s.number, FIXTURE_PLAIN);
		assert_memory_equal(s.works, expected.works, s.n_works * sizeof(*s.works));
		for (; s.number < READINGS; expected.number = s.number)
			assert_int_equal(src->read(src, &s), 1);
		assert_int_equal(src->read(src, &s), 0);
		assert_string_equal(source_trouble(src), "");
		source_close(src);
	}
	sample_free(&s);
	sample_free(&expected);
}

/* Recordings of n readings, some seconds apart, in a time zone; before reading `set` the clock was changed. */
static const struct {
	const char *zone, *begin;
	uint32_t n, step_s, set;
	int64_t set_s;
	const char *at;
	uint32_t number; /* from 1; 0: none */
} clocks[] = {
	/* Set back by an hour before the fourth. */
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, -3600, "-2s", 4 },
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, -3600, "-3s", 3 },
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, -3600, "+3s", 4 },
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, -3600, "12:00:34", 4 },
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, -3600, "12:00:36", 6 },
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, -3600, "12:00", 4 },
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, -3600, "13:00:33", 3 },
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, -3600, "2026-11-20T12:00:35", 5 },
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, -3600, "2026-11-20T13:00:32", 2 },
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, -3600, "2026-11-20T10:00", 1 },
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, -3600, "12:00:37", 0 },
	/* Set forward: a skipped time selects the next reading. */
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, 3600, "13:30", 4 },
	{ "UTC", "2026-11-20T13:00:31", 6, 1, 4, 3600, "-2s", 4 },
	/* The minute, the second and the day in which it begins. */
	{ "UTC", "2026-11-20T13:22:30", 3, 1, 0, 0, "13:22", 1 },
	{ "UTC", "2026-11-20T13:22:30", 3, 1, 0, 0, "13:22:30", 1 },
	{ "UTC", "2026-11-20T13:22:30", 3, 1, 0, 0, "13:22:29", 0 },
	{ "UTC", "2026-11-20T13:22:30", 3, 1, 0, 0, "2026-11-20T13:22", 1 },
	{ "UTC", "2026-11-20T13:22:30", 90, 1, 0, 0, "13:23", 31 },
	{ "UTC", "2026-11-20T00:00:30", 3, 1, 0, 0, "00:00", 1 },
	{ "UTC", "2026-11-20T23:59:30", 90, 1, 0, 0, "00:00", 31 },
	{ "UTC", "2026-11-20T13:22:30", 90, 600, 0, 0, "13:30", 2 },
	/* 02:00 to 03:00 occurs twice: 00:00 and 01:00 UTC. */
	{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:30", 13, 900, 0, 0, "02:30", 5 },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:30", 13, 900, 0, 0, "2026-10-25T02:30", 5 },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:30", 13, 900, 0, 0, "2026-10-25T01:30Z", 9 },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:30", 13, 900, 0, 0, "03:00", 11 },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", 5, 900, 0, 0, "02:30", 3 }, /* it began in the second */
	{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-24T22:00", 30, 900, 0, 0, "02:30", 19 },
	/* 02:00 to 03:00 does not occur. */
	{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:30", 9, 900, 0, 0, "03:00", 3 },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:30", 9, 900, 0, 0, "04:00", 7 },
};

static void times_are_found_by_any_clock(void **state)
{
	struct when begin, when;

	(void)state;
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		struct when_walk all = { 0 }, walk = { 0 };
		uint64_t ns[100] = { 0 };
		uint32_t k;

		setenv("TZ", clocks[i].zone, 1);
		tzset();
		assert_true(when_parse(clocks[i].begin, &begin));
		assert_true(when_parse(clocks[i].at, &when));
		for (k = 0; k < clocks[i].n; k++) {
			int64_t set_s = clocks[i].set && k + 1 >= clocks[i].set ? clocks[i].set_s : 0;

			ns[k] = (uint64_t)(begin.s + set_s + (int64_t)k * clocks[i].step_s) * 1000000000 + 999;
			when_step(&all, ns[k]);
		}
		for (k = 0; k < clocks[i].n; k++) {
			when_step(&walk, ns[k]);
			if (when_reached(&when, &walk, all.elapsed_ns))
				break;
		}
		if (clocks[i].at[0] == '2' && k == clocks[i].n && (uint64_t)when.s * 1000000000 < ns[0])
			k = 0; /* as record_seek has it */
		if ((k == clocks[i].n ? 0 : k + 1) != clocks[i].number)
			fail_msg("%s + %s: reading %u, not %u", clocks[i].begin, clocks[i].at, k + 1, clocks[i].number);
	}
	setenv("TZ", "UTC", 1);
	tzset();
}

static void what_is_no_time(void **state)
{
	static const char *const texts[] = { "",
					     "3",
					     "24:00",
					     "12:60",
					     "12:03:62",
					     "12:03Z",
					     "12:03 ",
					     "noon",
					     "-",
					     "-10",
					     "-10x",
					     "-10mm",
					     "--10m",
					     "+ 1s",
					     "-1w",
					     "-1e3s",
					     "-99999d",
					     "22:11 2026-11-22",
					     "2026-11-22T",
					     "2026-13-01",
					     "-99999999999999999999s" };
	struct when when;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (when_parse(texts[i], &when))
			fail_msg("'%s' was taken for a time", texts[i]);
}

/* A version 1 file as written by the first lagtop: this file never changes. */
static void version_1_stays_readable(void **state)
{
	struct source *src = record_replay("tests/golden/version1.lag", why, sizeof(why));
	struct model_query query = { .kind = MODEL_PROCESS };
	struct model *m = model_new();
	const struct row *r = NULL;
	struct sample s[4] = { 0 };
	struct row *rows;

	(void)state;
	assert_non_null(src);
	for (int n = 0; n < 3; n++) {
		assert_int_equal(src->read(src, &s[n]), 1);
		assert_int_equal(model_update(m, &s[n]), 0);
	}
	assert_int_equal(src->read(src, &s[3]), 0);
	assert_string_equal(source_trouble(src), "");
	assert_string_equal(s[1].host, "web-07");
	assert_string_equal(s[1].kernel, "6.1.0-56");
	assert_string_equal(s[1].probe[SAMPLE_NET].by, "tp_btf");
	assert_true(s[1].realtime_ns == 1795348982000000000ULL);
	assert_int_equal(s[1].interval_ns, 1000000000);
	assert_int_equal(s[1].cpus_online, 16);
	assert_int_equal(s[1].cpu_times.irq_ns, SAMPLE_UNKNOWN); /* version 1 had neither */
	assert_int_equal(s[1].lost.requests, SAMPLE_UNKNOWN);
	assert_int_equal(s[1].lost.groups, SAMPLE_UNKNOWN);
	assert_int_equal(sample_lost_sum(&s[1].lost), s[1].lost.calls + s[1].lost.threads);
	assert_int_equal(s[1].pressure[SAMPLE_IO].some_ns, SAMPLE_UNKNOWN);
	assert_int_equal(s[1].n_connections, 8);
	assert_int_equal(s[1].connections[0].remote[0], 10);
	assert_true(s[1].connections[0].age_ns == 1044000000);
	for (int n = model_rows(m, &query, &rows); n--;)
		if (rows[n].pid == 2211)
			r = &rows[n];
	assert_non_null(r);
	assert_string_equal(r->comm, "postgres");
	assert_string_equal(r->cmdline, "postgres: checkpointer");
	assert_string_equal(r->cgroup, "/system.slice/postgresql.service");
	assert_int_equal(r->uid, 61110);
	assert_int_equal(r->threads, 3);
	assert_int_equal(r->start_ns, 22110000000);
	assert_int_equal(r->wall_ns, 3000000000);
	/* States are numbered differently now, and what the file does not have is not known. */
	assert_int_equal(r->time_ns[LT_DISK], 298892800);
	assert_true(counter_has(&r->unknown, LT_THROTTLED) && counter_has(&r->unknown, LT_MEMORY));
	assert_false(counter_has(&r->unknown, LT_DISK) || counter_has(&r->unknown, COUNTER_tcp_tx_bytes) ||
		     counter_has(&r->unknown, COUNTER_connects));
	assert_int_equal(r->time_ns[LT_WAKEQ], 182428800);
	assert_int_equal(r->wakeup.count, 8812);
	assert_int_equal(r->wakeup.p99_ns, 15728640);
	assert_int_equal(r->wakeup.max_ns, 16447360);
	assert_int_equal(r->calls, 68886);
	assert_int_equal(r->call_errors, 4);
	assert_int_equal(r->net->flow[LT_TCP].tx_bytes, 2054400);
	assert_int_equal(r->net->srtt_ns, 102504);
	source_close(src);
	model_free(m);
	for (int n = 0; n < 4; n++)
		sample_free(&s[n]);
}

static int read_nothing(struct source *src, struct sample *s)
{
	(void)src;
	(void)s;
	return 0;
}

/* The live source ends, too, but it has none of a recording's state. */
static void only_recordings_have_trouble(void **state)
{
	struct {
		struct source source;
		char own[1 << 20];
	} *other = malloc(sizeof(*other));

	(void)state;
	assert_non_null(other);
	memset(other->own, 'x', sizeof(other->own));
	other->source = (struct source){ .read = read_nothing, .live = true };
	assert_string_equal(source_trouble(&other->source), "");
	free(other);
}

static void write_frames(const struct recording_frames *f)
{
	size_t len;
	uint8_t *bytes = recording_frames_pack(f, &len);

	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, bytes, len, 0), len);
	free(bytes);
}

/* Replays a file in a process of its own; returns the most memory that took. */
static uint64_t replay_rss_bytes(bool *opened)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		struct source *src = record_replay(path, why, sizeof(why));
		struct sample s = { 0 };

		while (src && src->read(src, &s) == 1)
			;
		_exit(src ? 0 : 1);
	}
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_true(WIFEXITED(status));
	*opened = WEXITSTATUS(status) == 0;
	return (uint64_t)usage.ru_maxrss << 10;
}

/* Sizes that a file merely claims cost nothing; unpacked sizes are bounded. */
static void a_hostile_file_costs_bounded_memory(void **state)
{
	struct recording_frames f;
	uint64_t plain_bytes, rss_bytes;
	uint8_t *bytes, *claim;
	bool opened;
	size_t len, i;

	(void)state;
	fixture_write(path, 1, FIXTURE_PLAIN);
	plain_bytes = replay_rss_bytes(&opened);
	len = (size_t)lseek(file, 0, SEEK_END);
	bytes = malloc(len);
	assert_non_null(bytes);
	assert_int_equal(pread(file, bytes, len, 0), len);
	recording_frames_unpack(&f, bytes, len);

	/* Packed bytes that are missing. */
	claim = bytes + recording_frames_end(bytes, RECORD_HEADER_BYTES);
	record_store(claim, 200U << 20, 4);
	record_store(claim + 4, BOMB_BYTES, 4);
	assert_int_equal(pwrite(file, bytes, len, 0), len);
	rss_bytes = replay_rss_bytes(&opened);
	assert_true(opened);
	assert_in_range(rss_bytes, 0, plain_bytes + (4 << 20));
	free(bytes);

	/* Elements that are missing: the number of processes follows the sample's own fields. */
	for (len = 0, i = 0; i < record_sections[0].n_fields; i++)
		len += (size_t)record_sections[0].fields[i].bytes * record_sections[0].fields[i].count;
	record_store(f.whole[1] + len, 1U << 29, 4);
	write_frames(&f);
	rss_bytes = replay_rss_bytes(&opened);
	assert_true(opened);
	assert_in_range(rss_bytes, 0, plain_bytes + (4 << 20));

	/* Zeros by the quarter of a gigabyte, packed into a few bytes. */
	free(f.whole[1]);
	f.len[1] = BOMB_BYTES;
	f.whole[1] = calloc(1, f.len[1]);
	assert_non_null(f.whole[1]);
	write_frames(&f);
	rss_bytes = replay_rss_bytes(&opened);
	assert_true(opened);
	assert_in_range(rss_bytes, BOMB_BYTES, BOMB_RSS_BYTES);
	f.len[1] = RECORD_WHOLE_MAX_BYTES + 1;
	free(f.whole[1]);
	f.whole[1] = calloc(1, f.len[1]);
	assert_non_null(f.whole[1]);
	write_frames(&f);
	rss_bytes = replay_rss_bytes(&opened);
	assert_true(opened);
	assert_in_range(rss_bytes, 0, plain_bytes + (4 << 20));
	recording_frames_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_the_live_ones),
		cmocka_unit_test(a_file_that_grows_is_followed),
		cmocka_unit_test(a_killed_writer_leaves_whole_readings),
		cmocka_unit_test(a_writer_killed_while_it_writes),
		cmocka_unit_test(times_are_found),
		cmocka_unit_test(times_are_found_by_any_clock),
		cmocka_unit_test(what_is_no_time),
		cmocka_unit_test(version_1_stays_readable),
		cmocka_unit_test(only_recordings_have_trouble),
		cmocka_unit_test(a_hostile_file_costs_bounded_memory),
	};

	int failed;

	file = mkostemp(path, O_CLOEXEC);
	if (file < 0)
		return 1;
	setenv("TZ", "UTC", 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}

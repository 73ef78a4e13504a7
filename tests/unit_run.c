/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole program without a kernel: ./lagtop showing a recording, its outputs and exit statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "reading.h"
#include "recording_frames.h"
#include "record.h"
#include "record_file.h"
#include "synthetic.h"

static char path[] = "/dev/shm/lagtop-run.XXXXXX"; /* of a recording of three readings */
static char errors[500];
static int fd;

static int refill(void **state)
{
	struct sample s = { 0 };
	struct record *r;

	(void)state;
	r = record_open(path, errors, sizeof(errors));
	for (uint32_t i = 1; r && i <= 3; i++) {
		synthetic_fill(&s, i);
		assert_int_equal(record_write(r, &s), 0);
	}
	sample_free(&s);
	return r ? record_close(r) : -1;
}

/* Runs ./lagtop --replay path and these words; *lines is what it printed. Returns the exit status. */
static int replay(const char *words, int *lines)
{
	char line[200], *argv[20] = { child_lagtop(), "--replay", path }, *rest = line;
	struct outcome o;
	char *word;
	int argc = 3;

	snprintf(line, sizeof(line), "%s", words);
	while ((word = strsep(&rest, " ")))
		argv[argc++] = word;
	o = outcome_run(NULL, argv);
	assert_non_null(o.errors);
	*lines = (int)o.out_lines;
	snprintf(errors, sizeof(errors), "%s", o.errors);
	outcome_free(&o);
	return o.status;
}

static void whole_recording(void **state)
{
	int lines;

	(void)state;
	assert_int_equal(replay("--json", &lines), 0);
	assert_int_equal(lines, 3);
	assert_string_equal(errors, "");
	assert_int_equal(replay("--json -n 2", &lines), 0);
	assert_int_equal(lines, 2);
	/* An hour between readings: a replay does not wait. */
	assert_int_equal(replay("--json -d 3600", &lines), 0);
	assert_int_equal(lines, 3);
	assert_int_equal(replay("--csv -p 1000,3000", &lines), 0);
	assert_int_equal(lines, 1 + 3 * 2);
	assert_int_equal(replay("--batch -p 1000", &lines), 0);
	assert_int_equal(lines, 3 * 4);
}

static void torn_and_damaged(void **state)
{
	int lines;
	off_t len = lseek(fd, 0, SEEK_END);
	uint8_t *bytes = mmap(NULL, (size_t)len, PROT_READ, MAP_SHARED, fd, 0);
	size_t second;

	(void)state;
	assert_true(bytes != MAP_FAILED);
	second = recording_frames_end(bytes,
				      recording_frames_end(bytes, recording_frames_end(bytes, RECORD_HEADER_BYTES)));
	munmap(bytes, (size_t)len);
	assert_int_equal(ftruncate(fd, len - 10), 0);
	assert_int_equal(replay("--json", &lines), 1);
	assert_int_equal(lines, 2);
	assert_non_null(strstr(errors, "in the middle of reading 3"));
	assert_int_equal(pwrite(fd, "x", 1, (off_t)second - 10), 1);
	assert_int_equal(replay("--json", &lines), 1);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(errors, "reading 2 is damaged"));
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(replay("--json", &lines), 2);
	assert_int_equal(lines, 0);
	assert_non_null(strstr(errors, "not a lagtop recording"));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(replay("--json", &lines), 2);
	assert_non_null(strstr(errors, "empty"));
}

static void from_a_time(void **state)
{
	int lines;

	(void)state;
	assert_int_equal(replay("--json --at -1s", &lines), 0);
	assert_int_equal(lines, 2);
	assert_int_equal(replay("--json --at 2026-11-22T07:05:02Z", &lines), 0);
	assert_int_equal(lines, 2);
	assert_int_equal(replay("--json --at 2026-11-22T07:05:04Z", &lines), 2);
	assert_int_equal(lines, 0);
	assert_non_null(strstr(errors, "no reading at or after that time"));
}

/* While its writer lives, a recording has no end. */
static void a_growing_recording(void **state)
{
	char *argv[] = { child_lagtop(), "--replay", path, "--csv", "-p", "1000", "-d", "0.1", NULL };
	struct record *r = record_open(path, errors, sizeof(errors));
	struct sample s = { 0 };
	struct child *c;
	char *line;

	(void)state;
	synthetic_fill(&s, 1);
	assert_int_equal(record_write(r, &s), 0);
	c = child_start(argv, (uid_t)-1);
	assert_non_null(c);
	child_close_in(c);
	assert_non_null(child_line(c));
	for (uint32_t i = 2; i < 5; i++) {
		line = child_line(c);
		assert_non_null(line);
		assert_int_equal(strncmp(line, "2026-11-22T07:05:0", 18), 0);
		assert_int_equal(line[18], '0' + (int)i - 1);
		synthetic_fill(&s, i);
		assert_int_equal(record_write(r, &s), 0);
	}
	assert_int_equal(record_close(r), 0);
	assert_non_null(child_line(c));
	assert_null(child_line(c));
	assert_int_equal(child_wait(c), 0);
	child_free(c);
	sample_free(&s);
}

/* Process 2000 exits in every reading: after the first one nothing is left to watch. */
static void pids_of_a_recording(void **state)
{
	int lines;

	(void)state;
	assert_int_equal(replay("--json -p 2000", &lines), 0);
	assert_int_equal(lines, 1);
	assert_int_equal(replay("--json -p 2000,1000", &lines), 0);
	assert_int_equal(lines, 3);
	assert_int_equal(replay("--json -p 77", &lines), 1);
	assert_non_null(strstr(errors, "no process of --pid"));
}

/* Readings of one second each, in which a process waited that many ms for the disk. */
static void record_waits(const uint64_t *waits_ms, uint32_t n, bool watched)
{
	struct sample s = { 0 };
	struct record *r = record_open(path, errors, sizeof(errors));

	assert_non_null(r);
	for (uint32_t i = 0; i < n; i++) {
		reading_begin(&s, i + 1);
		s.realtime_ns = 1795348980000000000ULL + i * SECOND_NS;
		s.probe[SAMPLE_SCHED].on = watched;
		reading_process(&s, 812, 5, "postgres");
		reading_busy(&s, 812, LT_DISK, SECOND_NS - waits_ms[i] * MS_NS);
		assert_int_equal(record_write(r, &s), 0);
	}
	sample_free(&s);
	assert_int_equal(record_close(r), 0);
}

/* lagtop why, of that recording: its last line and, if there is no other, its only object. */
static int why(const char *words, char *last, size_t size)
{
	char line[200], *argv[20] = { child_lagtop(), "why", "--replay", path }, *rest = line, *word;
	struct outcome o;
	int argc = 4;

	snprintf(line, sizeof(line), "%s", words);
	while (*line && (word = strsep(&rest, " ")))
		argv[argc++] = word;
	o = outcome_run(NULL, argv);
	snprintf(last, size, "%s", o.last_line ? o.last_line : "");
	snprintf(errors, sizeof(errors), "%s", o.errors);
	outcome_free(&o);
	return o.status;
}

static void a_verdict(void **state)
{
	static const uint64_t waits_ms[] = { 300, 100, 100, 0, 0, 0, 100, 900 };
	char last[4000];

	(void)state;
	record_waits(waits_ms, 8, true);
	assert_int_equal(why("", last, sizeof(last)), 4); /* the first five */
	assert_string_equal(last, "Not: CPU, quota, memory, network.");
	assert_int_equal(why("--json", last, sizeof(last)), 4);
	assert_non_null(strstr(last, "\"interval_ns\":5000000000,\"focus_chosen_ns\":null,"));
	assert_non_null(strstr(last, "\"rule\":\"disk\",\"text\":\"postgres (812) waited 500ms for the disk.\""));
	assert_non_null(strstr(last, "\"pid\":812,\"processes\":1,\"ns\":500000000,\"culprit\":null}"));
	assert_non_null(strstr(last, "\"left_out\":0,\"not\":[\"CPU\",\"quota\",\"memory\",\"network\"]}"));
	assert_int_equal(why("--at +3s -d 3", last, sizeof(last)), 0);
	assert_string_equal(last, "Not: CPU, quota, disk, memory, network.");
	assert_int_equal(why("--json --at +6s -d 60", last, sizeof(last)), 4); /* to the end */
	assert_non_null(strstr(last, "\"interval_ns\":2000000000,"));
	assert_non_null(strstr(last, "waited 1.00s for the disk"));
	assert_int_equal(why("--json -p 813", last, sizeof(last)), 1);
	assert_int_equal(why("--json -f comm~redis", last, sizeof(last)), 0);
	assert_non_null(strstr(last, "\"sentences\":[]"));
}

/* Without the sched family `lagtop why` fails instead of saying that nothing lags. */
static void no_verdict(void **state)
{
	static const uint64_t waits_ms[] = { 0, 0 };
	char last[4000];

	(void)state;
	record_waits(waits_ms, 2, false);
	assert_int_equal(why("", last, sizeof(last)), 1);
	assert_string_equal(last, "Not: network.");
	assert_non_null(strstr(errors, "waits are not known"));
}

static void no_terminal(void **state)
{
	int lines;

	(void)state;
	assert_int_equal(replay("-n 1", &lines), 1);
	assert_int_equal(lines, 0);
	assert_non_null(strstr(errors, "--batch"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(whole_recording, refill),
		cmocka_unit_test_setup(torn_and_damaged, refill),
		cmocka_unit_test_setup(from_a_time, refill),
		cmocka_unit_test_setup(a_growing_recording, refill),
		cmocka_unit_test_setup(pids_of_a_recording, refill),
		cmocka_unit_test_setup(a_verdict, refill),
		cmocka_unit_test_setup(no_verdict, refill),
		cmocka_unit_test_setup(no_terminal, refill),
	};

	int failed;

	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}

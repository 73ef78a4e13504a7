/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole program without a kernel: ./lagtop showing a recording, its outputs and exit statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "record.h"
#include "synthetic.h"

static char path[40]; /* of a recording of three readings, in memory */
static char errors[500];
static int fd;

static int refill(void **state)
{
	struct sample s = { 0 };
	struct record *r;
	uint32_t i;

	(void)state;
	r = record_open(path, errors, sizeof(errors));
	for (i = 1; r && i <= 3; i++) {
		synthetic_fill(&s, i);
		assert_int_equal(record_write(r, &s), 0);
	}
	sample_free(&s);
	return r ? record_close(r) : -1;
}

/* Runs ./lagtop --replay path and these words; *lines is what it printed. Returns the exit status. */
static int replay(const char *words, int *lines)
{
	char line[200], *argv[20] = { getenv("LAGTOP") ? getenv("LAGTOP") : "./lagtop", "--replay", path },
			*rest = line;
	struct child *c;
	char *word, *told;
	int argc = 3, status;

	snprintf(line, sizeof(line), "%s", words);
	while ((word = strsep(&rest, " ")))
		argv[argc++] = word;
	c = child_start(argv, (uid_t)-1);
	assert_non_null(c);
	child_close_in(c);
	for (*lines = 0; child_line(c); ++*lines)
		;
	status = child_wait(c);
	told = child_errors(c);
	snprintf(errors, sizeof(errors), "%s", told);
	free(told);
	child_free(c);
	return status;
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
	/* An hour between readings: a recording does not wait. */
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

	(void)state;
	assert_int_equal(ftruncate(fd, len - 10), 0);
	assert_int_equal(replay("--json", &lines), 1);
	assert_int_equal(lines, 2);
	assert_non_null(strstr(errors, "in the middle of reading 3"));
	assert_int_equal(pwrite(fd, "x", 1, len / 2), 1);
	assert_int_equal(replay("--json", &lines), 1);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(errors, "reading 2 is damaged"));
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(replay("--json", &lines), 2);
	assert_int_equal(lines, 0);
	assert_non_null(strstr(errors, "not a recording"));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(replay("--json", &lines), 2);
	assert_non_null(strstr(errors, "empty"));
}

/* 2000 exits in every reading: after the first of them nothing is left to watch. */
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
		cmocka_unit_test_setup(pids_of_a_recording, refill),
		cmocka_unit_test_setup(no_terminal, refill),
	};

	fd = memfd_create("recording", MFD_CLOEXEC);
	if (fd < 0)
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

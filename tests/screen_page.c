/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of a process: exited processes, past readings, and totals since the start. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HISTOGRAM_Y 6 /* at 24x80: the line of summaries */

/* The page of the process that exits in reading FIXTURE_EXIT_READING, in that reading. */
static struct vt *open_exited(void)
{
	struct vt *v = session_open(&(struct session){ .rows = 24 });

	for (int i = 1; i < FIXTURE_EXIT_READING; i++)
		session_press(v, "^N", NULL);
	session_press(v, "\\", "p", "i", "d", "=", "3", "0", "5", "5", "1", "Enter", "Enter", NULL);
	return v;
}

static char *copy_line(struct vt *v, int y)
{
	char *text = strdup(vt_line(v, y));

	assert_non_null(text);
	return text;
}

static void the_dead_say_how_and_when(void **state)
{
	struct vt *v = open_exited();
	char *budget, *summary, *histogram;

	(void)state;
	session_line(v, 1, "killed: -9 by 5001 (bash)");
	assert_int_equal(vt_find(v, 1, "ago"), -1);
	session_shows(v, "openat");
	budget = copy_line(v, 2);
	summary = copy_line(v, HISTOGRAM_Y);
	histogram = copy_line(v, HISTOGRAM_Y + 2);
	assert_non_null(strstr(histogram, "\u2588"));
	/* Its row is shown for some more readings, then no longer: the page stays the same. */
	for (int i = 1; i <= 8; i++) {
		char ago[64];

		session_press(v, "^N", NULL);
		snprintf(ago, sizeof(ago), "killed: -9 by 5001 (bash), %d.00s ago", i);
		session_line(v, 1, ago);
		session_line(v, 1, "cc1 -quiet main.c");
		assert_string_equal(vt_line(v, 2), budget);
		assert_string_equal(vt_line(v, HISTOGRAM_Y), summary);
		assert_string_equal(vt_line(v, HISTOGRAM_Y + 2), histogram);
		session_hides(v, "openat");
	}
	session_shows(v, "it had exited by then; [ goes back: 8 readings to its last");
	for (int i = 0; i < 8; i++)
		session_press(v, "[", NULL);
	assert_int_equal(vt_find(v, 1, "ago"), -1);
	session_shows(v, "openat");
	session_hides(v, "it was dead");
	/* Before its end it is shown alive. */
	session_press(v, "[", NULL);
	session_line(v, 1, "1 thread");
	free(budget);
	free(summary);
	free(histogram);
}

/* From a reading before its last directly to one long after it: the page shows its last one. */
static void the_dead_show_their_last_reading(void **state)
{
	struct vt *v = open_exited();
	char *budget = copy_line(v, 2), *summary = copy_line(v, HISTOGRAM_Y),
	     *histogram = copy_line(v, HISTOGRAM_Y + 2);

	(void)state;
	for (int i = 0; i < 8; i++)
		session_press(v, "^N", NULL);
	session_press(v, "{", NULL);
	session_line(v, 1, "1 thread");
	assert_string_not_equal(vt_line(v, HISTOGRAM_Y), summary);
	session_press(v, "End", NULL);
	session_line(v, 1, "killed: -9 by 5001 (bash), 8.00s ago");
	assert_string_equal(vt_line(v, 2), budget);
	assert_string_equal(vt_line(v, HISTOGRAM_Y), summary);
	assert_string_equal(vt_line(v, HISTOGRAM_Y + 2), histogram);
	free(budget);
	free(summary);
	free(histogram);
}

/* The command line in full, and without the program's path where it would not fit. */
static void its_name_is_in_sight(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24 });

	(void)state;
	session_press(v, "\\", "c", "e", "r", "t", "b", "o", "t", "Enter", "Enter", NULL);
	session_line(v, 1, "30640 root /usr/bin/python3 /usr/bin/certbot renew -q  ");
	assert_true(vt_resize(v, 24, 70));
	session_line(v, 1, "30640 root python3 /usr/bin/certbot renew -q  ");
	assert_true(vt_resize(v, 10, 40));
	session_line(v, 1, "30640 python3 /u…  1 thread");
	/* Values that do not fit are left out whole. */
	assert_true(vt_resize(v, 24, 54));
	session_shows(v, "wake p50 4.61us   ");
}

/* So that processes can be compared, the columns and the order stay the same from page to page. */
static void the_next_page_is_sorted_alike(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24 });

	(void)state;
	session_press(v, "Enter", ">", "Tab", ">", "C", "Down", "Space", "Esc", NULL);
	session_shows(v, "CPU%\u25bc");
	session_hides(v, "STATE");
	session_press(v, "Down", "Esc", "Down", "Enter", NULL);
	session_shows(v, "WAIT%\u25bc");
	session_press(v, "Tab", NULL);
	session_shows(v, "CPU%\u25bc");
	session_hides(v, "STATE");
}

/* In focus: who was running while it waited; from there to that one's page. */
static void because_of_whom(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 40, .cols = 120 });
	int y;

	(void)state;
	y = session_shows(v, "2890 61001");
	session_line(v, y, "behind cc1 7");
	assert_string_equal(vt_cell(v, y, 0).text, "\u2022");
	session_press(v, "/", "s", "h", "o", "p", "^N", "j", "a", "r", "Enter", "Enter", "Tab", "Tab", "Tab", "Tab",
		      NULL);
	session_line(v, 1, "2890");
	y = session_shows(v, "PART%");
	session_line(v, y + 1, "30560");
	session_line(v, y + 1, "44.0");
	session_line(v, y + 1, "cc1 -quiet parse.c");
	session_line(v, y + 4, "(the CPU was asleep)");
	session_line(v, y + 4, "- ");
	session_press(v, "End", "Enter", NULL);
	session_line(v, 1, "2890");
	session_press(v, "Home", "Enter", NULL);
	session_line(v, 1, "30560");
	session_shows(v, "PART%");
	session_press(v, "Esc", NULL);
	session_shows(v, "RUNQ%");
}

static void the_page_before_a_process_started(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24, .kind = FIXTURE_BIRTH });

	(void)state;
	for (int i = 1; i < FIXTURE_BIRTH_READING + 5; i++)
		session_press(v, "^N", NULL);
	session_press(v, "\\", "p", "i", "d", "=", "3", "1", "5", "0", "0", "Enter", "Enter", NULL);
	session_line(v, 1, "1 thread");
	session_press(v, "{", NULL);
	session_line(v, 1, "31500 is not in this reading");
	session_hides(v, "gone");
	session_hides(v, "where its time goes");
	session_press(v, "}", NULL);
	session_line(v, 1, "1 thread");
	session_shows(v, "where its time goes");
}

/* The number behind a bar: "10.0k" are thousands. */
static double bar_number(struct vt *v, int y)
{
	const char *at = strstr(vt_line(v, y), "\u2588 ");

	assert_non_null(at);
	return atof(at + strlen("\u2588 "));
}

static void totals_are_totals_and_say_where_they_are_not(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24 });
	double interval;

	(void)state;
	session_press(v, "Enter", NULL);
	interval = bar_number(v, HISTOGRAM_Y + 2);
	session_press(v, "^N", "^N", "^N", "T", NULL);
	assert_true(bar_number(v, HISTOGRAM_Y + 2) > interval * 3);
	session_shows(v, "interval (totals above)");
	session_press(v, "Tab", "Tab", "Tab", "Tab", "Tab", NULL);
	session_hides(v, "totals above");
	session_press(v, "Esc", NULL);
	session_line(v, 4, "totals");
	/* Calls of the whole host have totals, those of selected processes do not. */
	session_press(v, "5", NULL);
	session_line(v, 4, "totals");
	v = session_open(&(struct session){ .args = { "-p", "2211" } });
	session_press(v, "5", "T", NULL);
	session_line(v, 23, "no totals are kept for these rows");
	assert_int_equal(vt_find(v, 4, "totals"), -1);
}

/* From a call to the processes that make it, on to one of them, and back the same way. */
static void a_call_shows_its_processes(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24 });
	char pid[16];

	(void)state;
	session_press(v, "5", NULL);
	session_line(v, 6, " futex"); /* below it the idle calls */
	session_press(v, "Enter", NULL);
	session_line(v, 4, "futex");
	session_line(v, 5, "PID USER     CALLS/s");
	session_line(v, 5, "TIME%\u25bc");
	session_line(v, 6, "postgres");
	/* Processes that make only other calls are not shown. */
	session_hides(v, "epoll_wait");
	session_press(v, "Down", NULL);
	snprintf(pid, sizeof(pid), " %d ", atoi(vt_line(v, 7)));
	session_press(v, "Enter", NULL);
	session_line(v, 1, pid);
	session_line(v, 2, "where its time goes");
	session_press(v, "Esc", NULL);
	session_line(v, 4, "futex");
	session_press(v, "^N", NULL);
	session_line(v, 4, "futex");
	session_press(v, "Esc", NULL);
	session_line(v, 5, " CALL ");
	/* Also from a process's own calls. */
	session_press(v, "1", "Enter", "Enter", NULL);
	session_line(v, 5, "PID USER     CALLS/s");
	session_press(v, "1", NULL);
	session_line(v, 5, "LAG%");
	session_press(v, "5", "Enter", "c", "Down", "Enter", NULL);
	session_line(v, 5, "PROCS");
	session_press(v, "5", NULL);
	session_line(v, 5, " CALL ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_dead_say_how_and_when, session_end),
		cmocka_unit_test_teardown(the_dead_show_their_last_reading, session_end),
		cmocka_unit_test_teardown(its_name_is_in_sight, session_end),
		cmocka_unit_test_teardown(the_next_page_is_sorted_alike, session_end),
		cmocka_unit_test_teardown(because_of_whom, session_end),
		cmocka_unit_test_teardown(the_page_before_a_process_started, session_end),
		cmocka_unit_test_teardown(a_call_shows_its_processes, session_end),
		cmocka_unit_test_teardown(totals_are_totals_and_say_where_they_are_not, session_end),
	};

	return cmocka_run_group_tests_name("screen_page", tests, session_setup, session_teardown);
}

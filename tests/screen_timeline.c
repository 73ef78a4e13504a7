/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line above the keys that shows what the kept readings have: gaps and marks. */
#include "session.h"

#include <stdio.h>
#include <string.h>

#define TIMELINE_Y 22 /* of 24 lines */

static void a_gap_is_shown(void **state)
{
	struct vt *v = session_open(&(struct session){ .kind = FIXTURE_GAP, .lang = "C" });

	(void)state;
	session_press(v, "^N", "^N", "^N", NULL);
	session_line(v, 0, "12:03:04");
	assert_int_equal(vt_find(v, TIMELINE_Y, "12:03:01"), -1); /* nothing to show yet: the line is the table's */
	session_press(v, "^N", NULL);
	session_line(v, 0, "12:04:45");
	session_line(v, 23, "a gap of 1m40: nothing was recorded");
	session_line(v, TIMELINE_Y, "after a gap of 1m40: nothing");
	/* 100 s of 105, most of the bar. */
	session_line(v, TIMELINE_Y, " 12:03:01 -:::::::::::::::::");
	session_press(v, "^N", NULL);
	session_line(v, TIMELINE_Y, ":::::::::::- 12:04:46");
	session_press(v, "[", "[", NULL);
	session_line(v, 0, "12:03:04");
	session_line(v, TIMELINE_Y, " 12:03:01 --:::::");
	session_line(v, TIMELINE_Y, " 12:04:46");
	/* The reading that is shown. */
	assert_int_not_equal(vt_cell(v, TIMELINE_Y, 12).reverse, vt_cell(v, TIMELINE_Y, 10).reverse);
}

static void without_gaps_the_table_has_the_line(void **state)
{
	struct vt *v = session_open(&(struct session){ 0 });

	(void)state;
	session_press(v, "^N", "^N", "^N", "^N", "[", NULL);
	assert_int_equal(vt_find(v, TIMELINE_Y, "12:03:01"), -1);
}

static void marks_are_set_and_found(void **state)
{
	struct vt *v = session_open(&(struct session){ .lang = "C" });

	(void)state;
	session_press(v, "^N", "^N", "^N", ",", NULL);
	session_line(v, 23, "no mark before this reading");
	session_press(v, "[", "m", NULL);
	session_line(v, 0, "12:03:03");
	session_line(v, TIMELINE_Y, "marked by hand");
	session_line(v, TIMELINE_Y, "+");
	session_press(v, "End", "^N", "^N", ",", NULL);
	session_line(v, 0, "12:03:03");
	session_press(v, "m", "[", "[", "m", "]", ".", NULL); /* marked twice is marked once */
	session_line(v, 0, "12:03:03");
	session_press(v, ",", NULL);
	session_line(v, 0, "12:03:01");
	session_line(v, TIMELINE_Y, "marked by hand");
}

/* A recording is read on to its next mark, which may be of a reading before the one that carries it. */
static void a_replay_goes_to_its_marks(void **state)
{
	struct vt *v = session_open(&(struct session){ .kind = FIXTURE_MARKS, .lang = "C" });

	(void)state;
	session_press(v, ".", NULL);
	session_line(v, 0, "12:03:10");
	session_line(v, TIMELINE_Y, "wake99>50ms: nginx");
	session_press(v, ".", NULL);
	session_line(v, 0, "12:03:20");
	session_line(v, TIMELINE_Y, "wake99>50ms: ?[31mgzip");
	session_press(v, ".", NULL);
	session_line(v, 0, "12:03:22");
	session_line(v, TIMELINE_Y, "marked by hand");
	session_press(v, ",", ",", NULL);
	session_line(v, 0, "12:03:10");
	session_press(v, ".", ".", ".", NULL);
	session_line(v, 0, "12:03:30");
	session_line(v, 0, "END");
	session_line(v, 23, "no mark in the rest");
	session_press(v, ".", NULL);
	session_line(v, 23, "no mark after this reading");
}

static void a_trigger_rings_and_marks(void **state)
{
	struct vt *v = session_open(&(struct session){ .lang = "C", .args = { "--when", "cpu>1 and pid=2211 for 2" } });

	(void)state;
	assert_null(memchr(v->bytes, '\a', v->n_bytes));
	session_press(v, "^N", NULL);
	session_line(v, 23, "cpu>1 and pid=2211 for 2: postgres");
	assert_non_null(memchr(v->bytes, '\a', v->n_bytes));
	session_press(v, "^N", "^N", ",", NULL);
	session_line(v, 0, "12:03:02");
	session_line(v, TIMELINE_Y, "cpu>1 and pid=2211 for 2: postg");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_gap_is_shown, session_end),
		cmocka_unit_test_teardown(marks_are_set_and_found, session_end),
		cmocka_unit_test_teardown(a_trigger_rings_and_marks, session_end),
		cmocka_unit_test_teardown(a_replay_goes_to_its_marks, session_end),
		cmocka_unit_test_teardown(without_gaps_the_table_has_the_line, session_end),
	};

	return cmocka_run_group_tests_name("screen_timeline", tests, session_setup, session_teardown);
}

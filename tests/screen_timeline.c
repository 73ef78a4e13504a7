/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line above the keys that shows what the kept readings have: gaps. */
#include "session.h"

#include <stdio.h>
#include <string.h>

#define TIMELINE_Y 22 /* of 24 lines */

static void a_gap_is_shown(void **state)
{
	struct vt *v = session_open(&(struct session){ .kind = FIXTURE_GAP, .lang = "C" });

	(void)state;
	session_press(v, ".", ".", ".", NULL);
	session_line(v, 0, "12:03:04");
	assert_int_equal(vt_find(v, TIMELINE_Y, "12:03:01"), -1); /* nothing to show yet: the line is the table's */
	session_press(v, ".", NULL);
	session_line(v, 0, "12:04:45");
	session_line(v, 23, "a gap of 1m40: nothing was recorded");
	session_line(v, TIMELINE_Y, "after a gap of 1m40: nothing");
	/* 100 s of 105, most of the bar. */
	session_line(v, TIMELINE_Y, " 12:03:01 -:::::::::::::::::");
	session_press(v, ".", NULL);
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
	session_press(v, ".", ".", ".", ".", "[", NULL);
	assert_int_equal(vt_find(v, TIMELINE_Y, "12:03:01"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_gap_is_shown, session_end),
		cmocka_unit_test_teardown(without_gaps_the_table_has_the_line, session_end),
	};

	return cmocka_run_group_tests_name("screen_timeline", tests, session_setup, session_teardown);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short-lived children: one by one, as one row with their sums, in their parent's row, or not at all. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines with a dagger. */
static int dead_lines(struct vt *v)
{
	int n = 0;

	for (int y = 0; y < v->rows; y++)
		n += !strcmp(vt_cell(v, y, 0).text, "\u2020");
	return n;
}

/* A number of make, whose children they are: numbers end below the end of their title. */
static double make_has(struct vt *v, const char *title)
{
	int y = session_shows(v, "make -j16"), header = session_shows(v, "PID USER");
	int end = vt_find(v, header, title) + (int)strlen(title);
	char number[16] = "";

	for (int x = end - 6; x < end; x++)
		strcat(number, vt_cell(v, y, x).text);
	return atof(number);
}

static void a_crowd_is_one_row(void **state)
{
	struct vt *v = session_open(
		&(struct session){ .rows = 60, .cols = 160, .kind = FIXTURE_CROWD, .args = { "-s", "cpu" } });
	double cpu, calls;
	int y;

	(void)state;
	assert_int_equal(dead_lines(v), FIXTURE_CHILDREN);
	session_press(v, "D", NULL);
	session_line(v, 59, "summed by command and parent");
	assert_int_equal(dead_lines(v), 0);
	y = session_shows(v, "sh x 12");
	session_line(v, y, " 29800 ");
	session_line(v, y, " 60.0 "); /* CPU%: each had 5 */
	session_line(v, y, "60 ");    /* calls */
	/* A row of the next reading is the same row to the cursor; Enter opens the parent. */
	session_press(v, "/", "s", "h", "Space", "x", "Enter", "^N", NULL);
	assert_int_equal(session_cursor(v), session_shows(v, "sh x 12"));
	session_press(v, "Enter", NULL);
	session_line(v, 1, " 29800 ");
	session_line(v, 1, "make -j16");
	session_press(v, "Esc", NULL);
	cpu = make_has(v, "CPU%");
	calls = make_has(v, "CALLS/s");
	session_press(v, "D", NULL);
	session_line(v, 59, "added to their parents");
	session_hides(v, "sh x 12");
	assert_int_equal(dead_lines(v), 0);
	assert_in_range(10 * (make_has(v, "CPU%") - cpu), 599, 601);
	assert_in_range(make_has(v, "CALLS/s") - calls, 60, 60);
	session_press(v, "D", NULL);
	session_line(v, 59, "not shown");
	session_hides(v, "sh x 12");
	assert_int_equal(dead_lines(v), 0);
	session_press(v, "D", NULL);
	assert_true(dead_lines(v) >= FIXTURE_CHILDREN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_crowd_is_one_row, session_end),
	};

	return cmocka_run_group_tests_name("screen_crowd", tests, session_setup, session_teardown);
}

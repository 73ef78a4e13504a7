/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wait for the next request or for time to pass is shown apart from what is in the way. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The colour of the first character of a column in a row. */
static int colour_below(struct vt *v, const char *title, int y)
{
	for (int header = 0; header < v->rows; header++) {
		int x = vt_find(v, header, title);

		if (x < 0)
			continue;
		for (x += (int)strlen(title) - 1; x >= 0; x--)
			if (strcmp(vt_cell(v, y, x).text, " "))
				return vt_cell(v, y, x).fg;
	}
	fail_msg("no column %s", title);
	return 0;
}

static void idle_calls_are_grey_and_below(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 45, .cols = 160, .args = { "-v", "calls" } });
	int poll, write, dim;

	(void)state;
	poll = session_shows(v, "epoll_wait");
	write = session_shows(v, " write ");
	assert_true(write < poll); /* although its TIME% is less */
	dim = vt_cell(v, session_shows(v, "cost "), vt_find(v, session_shows(v, "cost "), "cost ")).fg;
	assert_int_equal(colour_below(v, "WAIT%", poll), dim);
	assert_int_not_equal(colour_below(v, "WAIT%", write), dim);
	session_press(v, "I", NULL);
	assert_true(session_shows(v, " write ") < session_shows(v, "epoll_wait"));
}

/* While somebody waits for its answer nothing of a process is idle. */
static void a_process_that_owes_an_answer_is_not_idle(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 45, .cols = 160, .kind = FIXTURE_LOCAL });

	(void)state;
	session_press(v, "/", "3", "1", "0", "0", "Enter", "Enter", NULL);
	session_line(v, 1, " 3100 ");
	session_line(v, 2, "idle 0%");
	session_press(v, "Esc", "/", "1", "3", "0", "1", "Enter", "Enter", NULL);
	session_line(v, 1, " 1301 ");
	session_line(v, 2, "idle 9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(idle_calls_are_grey_and_below, session_end),
		cmocka_unit_test_teardown(a_process_that_owes_an_answer_is_not_idle, session_end),
	};

	return cmocka_run_group_tests_name("screen_idle", tests, session_setup, session_teardown);
}

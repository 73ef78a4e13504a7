/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that do nothing are one line below those that do something. */
#include "session.h"

#include <stdio.h>
#include <string.h>

#define LINE "idle: Enter shows them"

static struct vt *open_idle(const char *option, const char *value)
{
	return session_open(
		&(struct session){ .rows = 90, .cols = 120, .kind = FIXTURE_IDLE, .args = { option, value } });
}

/* How many lines of the screen are theirs. */
static int sleepers(struct vt *v)
{
	int n = 0;

	for (int y = 0; y < v->rows; y++)
		n += strstr(vt_line(v, y), "sleeper") && !strchr(vt_line(v, y), '~'); /* not the filter */
	return n;
}

static void the_idle_fold(void **state)
{
	struct vt *v = open_idle(NULL, NULL);
	int y = session_shows(v, LINE), n;

	(void)state;
	assert_int_equal(sscanf(vt_line(v, y), "%d idle", &n), 1);
	assert_true(n >= FIXTURE_SLEEPERS);
	assert_int_equal(sleepers(v), 0);
	assert_true(session_shows(v, " 2211 ") < y);
	/* Enter shows them where they belong, the cursor on the first; from the last line on they fold again. */
	session_press(v, "G", "Enter", NULL);
	assert_int_equal(sleepers(v), FIXTURE_SLEEPERS);
	assert_true(strstr(vt_line(v, session_cursor(v)), "\u00b7") != NULL);
	session_hides(v, LINE);
	session_press(v, "G", NULL);
	session_line(v, session_cursor(v), "idle: Enter folds them");
	session_press(v, "Enter", NULL);
	assert_int_equal(sleepers(v), 0);
	session_shows(v, LINE);
	/* Nothing else is done on that line. */
	session_press(v, "G", "Space", NULL);
	session_shows(v, "only processes can be tagged");
}

/* A search finds them, and the cursor's row stays. */
static void a_search_finds_them(void **state)
{
	struct vt *v = open_idle(NULL, NULL);

	(void)state;
	session_press(v, "/", "5", "0", "0", "0", "7", "Enter", NULL);
	session_line(v, session_cursor(v), "  50007 ");
	for (int i = 0; i < 3; i++) { /* longer than the order is held */
		session_press(v, ".", NULL);
		session_line(v, session_cursor(v), "  50007 ");
	}
	session_press(v, "Enter", NULL);
	session_line(v, 1, " 50007 ");
}

/* Not in an order in which they have a value, nor if they are asked for, nor in a tree. */
static void not_what_is_asked_for(void **state)
{
	struct vt *v = open_idle("-s", "pid");

	(void)state;
	assert_int_equal(sleepers(v), FIXTURE_SLEEPERS);
	session_hides(v, LINE);
	v = open_idle("-f", "command~sleeper");
	assert_int_equal(sleepers(v), FIXTURE_SLEEPERS);
	session_hides(v, LINE);
	v = open_idle("-t", NULL);
	assert_int_equal(sleepers(v), FIXTURE_SLEEPERS);
	session_hides(v, LINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_idle_fold, session_end),
		cmocka_unit_test_teardown(a_search_finds_them, session_end),
		cmocka_unit_test_teardown(not_what_is_asked_for, session_end),
	};

	return cmocka_run_group_tests_name("screen_fold", tests, session_setup, session_teardown);
}

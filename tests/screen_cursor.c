/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys act on the process that was under the cursor when they were pressed, whatever the rows do meanwhile. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_Y 6
#define MANY 20 /* readings within which two busy rows change places */

static int pid_at(struct vt *v, int y)
{
	return atoi(vt_line(v, y) + strcspn(vt_line(v, y), "0123456789"));
}

/* Two workers whose rates are close, and a master. */
static struct vt *open_workers(void)
{
	return session_open(&(struct session){ .rows = 24, .args = { "-f", "nginx", "-s", "calls" } });
}

/* Reads on until another row is the first one. */
static void read_until_resorted(struct vt *v, int first)
{
	for (int i = 0; i < MANY && pid_at(v, FIRST_Y) == first; i++)
		session_press(v, "^N", NULL);
	assert_int_not_equal(pid_at(v, FIRST_Y), first);
}

static void the_cursor_is_on_a_process_from_the_first_look_on(void **state)
{
	struct vt *v = open_workers();
	int first = pid_at(v, FIRST_Y);
	char name[16];

	(void)state;
	assert_int_equal(session_cursor(v), FIRST_Y);
	read_until_resorted(v, first);
	assert_int_equal(pid_at(v, session_cursor(v)), first);
	session_press(v, "Enter", NULL);
	snprintf(name, sizeof(name), "%d", first);
	session_line(v, 1, name);
	session_press(v, "Esc", NULL);
	assert_int_equal(pid_at(v, session_cursor(v)), first);
}

static void a_tag_is_for_the_process_under_the_cursor(void **state)
{
	struct vt *v = open_workers();
	int first = pid_at(v, FIRST_Y), y;

	(void)state;
	read_until_resorted(v, first);
	y = session_cursor(v);
	session_press(v, "Space", NULL);
	assert_int_equal(pid_at(v, y), first);
	assert_string_equal(vt_cell(v, y, 0).text, "*");
	assert_string_not_equal(vt_cell(v, FIRST_Y, 0).text, "*");
}

/* Also after a key that does not move the cursor, before the first one that does. */
static void the_order_holds_still_for_two_seconds_after_a_key(void **state)
{
	struct vt *held = open_workers();
	int first = pid_at(held, FIRST_Y), readings = 0;

	(void)state;
	while (readings < MANY && pid_at(held, FIRST_Y) == first) {
		session_press(held, "^N", NULL);
		readings++;
	}
	held = open_workers();
	for (int i = 1; i < readings; i++)
		session_press(held, "^N", NULL);
	session_press(held, "/", "Bksp", "^N", NULL);
	assert_int_equal(pid_at(held, FIRST_Y), first);
	session_press(held, "^N", NULL);
	read_until_resorted(held, first);
}

/* Sorting by another column is asking for another top. */
static void a_new_sort_begins_at_its_top(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24 });

	(void)state;
	session_press(v, "s", "Home", "Enter", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y);
	session_press(v, "Down", "I", NULL);
	assert_int_not_equal(session_cursor(v), FIRST_Y);
	session_press(v, "Home", "t", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y);
	assert_int_equal(pid_at(v, FIRST_Y), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_cursor_is_on_a_process_from_the_first_look_on, session_end),
		cmocka_unit_test_teardown(a_tag_is_for_the_process_under_the_cursor, session_end),
		cmocka_unit_test_teardown(the_order_holds_still_for_two_seconds_after_a_key, session_end),
		cmocka_unit_test_teardown(a_new_sort_begins_at_its_top, session_end),
	};

	return cmocka_run_group_tests_name("screen_cursor", tests, session_setup, session_teardown);
}

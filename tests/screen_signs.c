/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was lost, and what the signs of the present screen mean. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABS_Y 4

static void lost_explains_itself(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24, .cols = 100, .kind = FIXTURE_LOSSES });

	(void)state;
	session_press(v, "!", NULL);
	session_shows(v, "threads without a record: 3 in this reading, 3 since 12:03:01.");
	session_shows(v, "context switches that were missed: 4 in this reading, 4 since 12:03:01.");
	session_shows(v, "they are in no row, nor are their calls and bytes.");
	session_press(v, "Esc", "^N", "!", NULL);
	session_shows(v, "3 in this reading, 6 since 12:03:01.");
	v = session_open(&(struct session){ .rows = 24, .cols = 100 });
	session_press(v, "!", NULL);
	session_shows(v, "Nothing was lost");
	session_press(v, "Esc", NULL);
	session_hides(v, "Nothing was lost");
}

/* Three of some hundred threads change a digit, four of many thousand switches do not; and neither is in a disk's row.
 */
static void lost_is_shown_only_while_it_matters(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24, .cols = 160, .kind = FIXTURE_LOSSES });

	(void)state;
	session_line(v, TABS_Y, "lost 3");
	session_press(v, "7", NULL);
	session_hides(v, "lost");
	session_press(v, "1", NULL);
	session_line(v, TABS_Y, "lost 3");
}

/* The keys that one needs first, then what is on the screen: no sign that is not there. */
static void the_help_begins_with_this_screen(void **state)
{
	static const char *const keys[] = { "Enter", "Bksp", "Esc", "Tab", "/ F3", "\\ F4",
					    "s F6",  "t F5", "H",   "[",   "? F1", "q F10" };
	struct vt *v = session_open(&(struct session){ .rows = 70, .cols = 100 });
	int title, reading;
	char key[16];

	(void)state;
	session_press(v, "?", NULL);
	title = session_shows(v, "The keys to begin with");
	reading = session_shows(v, "Reading this screen");
	assert_true(title < reading);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		int y = title;

		snprintf(key, sizeof(key), "%s ", keys[i]);
		while (++y < reading && vt_find(v, y, key) != vt_find(v, title, "The keys"))
			;
		if (y == reading)
			fail_msg("%s is not among the first keys", keys[i]);
	}
	session_shows(v, "A recording is shown");
	session_hides(v, "thread-s/s");
	session_hides(v, "PAUSED");
	session_press(v, "Esc", "Enter", "p", "?", NULL);
	session_shows(v, "thread-s/s");
	session_shows(v, "PAUSED");
	/* On a wheel or a click the title explains itself. */
	session_press(v, "Esc", NULL);
	assert_true(vt_keys(v, "\033[<0;3;1M\033[<0;3;1m"));
	session_shows(v, "Reading this screen");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(lost_explains_itself, session_end),
		cmocka_unit_test_teardown(lost_is_shown_only_while_it_matters, session_end),
		cmocka_unit_test_teardown(the_help_begins_with_this_screen, session_end),
	};

	return cmocka_run_group_tests_name("screen_signs", tests, session_setup, session_teardown);
}

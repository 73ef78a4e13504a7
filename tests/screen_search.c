/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Search, the best match first; from a process to the one at the other end, and back. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABS_Y 6

static struct vt *open_local(void)
{
	return session_open(&(struct session){ .rows = 45, .cols = 160, .kind = FIXTURE_LOCAL });
}

static int pid_at(struct vt *v, int y)
{
	return atoi(vt_line(v, y) + strcspn(vt_line(v, y), "0123456789"));
}

/* Where the cursor is after typing a text into the search. */
static int found(struct vt *v, const char *text)
{
	char key[2] = { 0 };

	session_press(v, "/", NULL);
	for (; *text; text++) {
		key[0] = *text;
		session_press(v, *text == ' ' ? "Space" : key, NULL);
	}
	session_press(v, "Enter", NULL);
	return pid_at(v, session_cursor(v));
}

static void the_best_match_comes_first(void **state)
{
	static const struct {
		const char *text;
		int pid;
	} looks[] = {
		{ "2208", 2208 },	{ ":5432", 2208 }, /* listens, and others have connections with that port */
		{ "5432", 2208 },	{ "873", 4022 },
		{ "ssh.service", 611 }, { "f00dfeed", 4022 }, /* unit, container */
		{ "61999", 1301 },	{ "spring", 2890 },
		{ "sh", 611 }, /* begins no command but sshd's name; bash has it, java's command line, too */
		{ "java", 2890 },	{ "redis", 1301 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		struct vt *v = open_local();
		int pid = found(v, looks[i].text);

		if (!strcmp(looks[i].text, "sh")) {
			/* sshd and bash have it in their names: either before shop.jar on java's command line. */
			assert_true(pid == 611 || pid == 5001);
			session_press(v, "n", NULL);
			assert_int_equal(pid_at(v, session_cursor(v)), pid == 611 ? 5001 : 611);
			continue;
		}
		if (pid != looks[i].pid)
			fail_msg("%s found %d, not %d", looks[i].text, pid, looks[i].pid);
	}
}

static void enter_goes_to_the_other_end_and_backspace_back(void **state)
{
	struct vt *v = open_local();

	(void)state;
	session_press(v, "6", NULL);
	found(v, "40001");
	session_line(v, session_cursor(v), " 3100 ");
	session_press(v, "Enter", NULL);
	session_line(v, 1, " 2301 "); /* the other end */
	assert_int_equal(vt_find(v, 0, "›"), -1);
	session_shows(v, "10.0.0.7:40001");
	session_press(v, "Enter", NULL);
	session_line(v, 1, " 3100 ");
	session_line(v, 0, "postgres");
	session_press(v, "Enter", NULL);
	session_line(v, 1, " 2301 ");
	session_line(v, 0, "postgres › node");
	session_press(v, "Bksp", NULL);
	session_line(v, 1, " 3100 ");
	session_press(v, "Bksp", NULL);
	session_line(v, 1, " 2301 ");
	session_press(v, "Bksp", NULL);
	session_shows(v, "REMOTE");
	session_line(v, session_cursor(v), " 3100 ");
}

static void ends_in_other_network_namespaces(void **state)
{
	struct vt *v = open_local();

	(void)state;
	session_press(v, "6", NULL);
	found(v, "50000");
	session_press(v, "Enter", NULL);
	session_line(v, 1, " 1301 "); /* a socket of IPv6 that has an IPv4 address */
	session_press(v, "Enter", NULL);
	session_line(v, 1, " 4022 ");
	/* Another namespace's loopback is another one. */
	session_press(v, "Esc", NULL);
	found(v, "30610");
	session_press(v, "Enter", NULL);
	session_line(v, 1, " 30610 ");
	session_line(v, 44, "the other end is not on this machine");
}

static void the_trail_is_bounded(void **state)
{
	struct vt *v = open_local();
	int steps = 0;

	(void)state;
	session_press(v, "6", NULL);
	found(v, "40001");
	for (int i = 0; i < 21; i++)
		session_press(v, "Enter", NULL);
	session_line(v, 1, " 2301 ");
	session_line(v, 0, "… ");
	for (; vt_find(v, 44, "nothing to go back to") < 0 && steps < 40; steps++)
		session_press(v, "Bksp", NULL);
	assert_int_equal(steps, 16 + 2); /* the page that the oldest of them is closes, too */
}

/* Backspace does not clear the filter: Esc does. */
static void backspace_restores_what_enter_changed(void **state)
{
	struct vt *v = open_local();

	(void)state;
	session_press(v, "c", "Down", "Enter", "Enter", NULL);
	session_line(v, TABS_Y, "comm=");
	session_press(v, "Enter", NULL);
	session_shows(v, "where its time goes");
	session_press(v, "Bksp", NULL);
	session_line(v, TABS_Y, "comm=");
	session_press(v, "Bksp", NULL);
	assert_int_equal(vt_find(v, TABS_Y, "comm="), -1);
	session_shows(v, "PROCS");
	session_press(v, "\\", "n", "o", "d", "Enter", "Bksp", NULL);
	session_line(v, 44, "Esc clears filter and tags");
	session_line(v, TABS_Y, "\\nod");
	session_press(v, "Esc", NULL);
	assert_int_equal(vt_find(v, TABS_Y, "\\nod"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_best_match_comes_first, session_end),
		cmocka_unit_test_teardown(enter_goes_to_the_other_end_and_backspace_back, session_end),
		cmocka_unit_test_teardown(ends_in_other_network_namespaces, session_end),
		cmocka_unit_test_teardown(the_trail_is_bounded, session_end),
		cmocka_unit_test_teardown(backspace_restores_what_enter_changed, session_end),
	};

	return cmocka_run_group_tests_name("screen_search", tests, session_setup, session_teardown);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every view, page and menu at several sizes and on several terminals, compared with the screens in tests/golden. */
#include "session.h"

#include <stdio.h>
#include <string.h>

/* The sixth reading: sparklines have begun, one process has died. */
static struct vt *open_sixth(const struct session *s)
{
	struct vt *v = session_open(s);

	session_press(v, "^N", "^N", "^N", "^N", "^N", NULL);
	return v;
}

static void walk(const struct session *s, const char *prefix, const char *keys)
{
	struct vt *v = open_sixth(s);
	char name[64];

	for (const char *k = keys; *k; k++) {
		const char key[2] = { *k };

		if (*k >= '1' && *k <= '8') {
			session_press(v, key, NULL);
			snprintf(name, sizeof(name), "%s-view%c", prefix, *k);
		} else if (*k == 'P') { /* the page of the laggard, tab by tab */
			session_press(v, "1", "Enter", NULL);
			snprintf(name, sizeof(name), "%s-page", prefix);
			for (int tab = 0; tab < 6; tab++) {
				snprintf(name, sizeof(name), "%s-page%d", prefix, tab + 1);
				session_golden(v, name);
				session_press(v, "Tab", NULL);
			}
			session_press(v, "Esc", NULL);
			continue;
		} else if (*k == 'E') { /* the callers of the call that takes most time */
			session_press(v, "5", "Enter", NULL);
			snprintf(name, sizeof(name), "%s-callers", prefix);
			session_golden(v, name);
			session_press(v, "Esc", "1", NULL);
			continue;
		} else if (*k == 't') {
			session_press(v, "1", "t", NULL);
			snprintf(name, sizeof(name), "%s-tree", prefix);
			session_golden(v, name);
			session_press(v, "t", NULL);
			continue;
		} else {
			session_press(v, key, NULL);
			snprintf(name, sizeof(name), "%s-%s", prefix,
				 *k == '?'   ? "help"
				 : *k == 'w' ? "why"
				 : *k == 's' ? "sort"
				 : *k == 'c' ? "group"
					     : "columns");
			session_golden(v, name);
			session_press(v, "Esc", NULL);
			continue;
		}
		session_golden(v, name);
	}
}

static void at_80x24(void **state)
{
	(void)state;
	walk(&(struct session){ .rows = 24, .cols = 80 }, "80x24", "12345678PtE?wscC");
}

static void at_120x40(void **state)
{
	(void)state;
	walk(&(struct session){ .rows = 40, .cols = 120 }, "120x40", "12345678PtEw");
}

static void at_200x50(void **state)
{
	(void)state;
	walk(&(struct session){ .rows = 50, .cols = 200 }, "200x50", "12345678PtE");
}

static void at_40x10(void **state)
{
	(void)state;
	walk(&(struct session){ .rows = 10, .cols = 40 }, "40x10", "12345678PtE?w");
}

static void on_a_vt100(void **state)
{
	(void)state;
	walk(&(struct session){ .rows = 24, .cols = 80, .term = "vt100", .lang = "C" }, "vt100", "12345678PtE?w");
}

static void on_the_console(void **state)
{
	(void)state;
	walk(&(struct session){ .rows = 25, .cols = 80, .term = "linux" }, "console", "1Pt");
}

static void family_off(void **state)
{
	struct vt *v = session_open(&(struct session){ .kind = FIXTURE_NO_NET });

	(void)state;
	session_shows(v, "net off (more: --check): left out by --no-net");
	session_press(v, "^N", "^N", "^N", "^N", "^N", NULL);
	session_golden(v, "no-net");
	assert_int_not_equal(vt_cell(v, 0, vt_find(v, 0, "net")).fg, vt_cell(v, 0, vt_find(v, 0, "sched")).fg);
	session_press(v, "4", NULL);
	session_golden(v, "no-net-view4");
}

static void losses_are_shown(void **state)
{
	struct vt *v = open_sixth(&(struct session){ .kind = FIXTURE_LOSSES });

	(void)state;
	session_shows(v, "lost 3");
	session_press(v, "6", NULL);
	session_shows(v, "not collected"); /* which is not the same as none */
	session_hides(v, "0 sockets");
	v = open_sixth(&(struct session){ .kind = FIXTURE_PLAIN });
	session_hides(v, "lost");
}

/* Steal and interrupts are shown beside the CPU's meter if there are any, drops beside the network's; pressure has a
 * line if there is room and the kernel measures it. */
static void meters_of_the_kernels_own(void **state)
{
	struct vt *v = open_sixth(&(struct session){ .rows = 45, .cols = 160 });

	(void)state;
	session_line(v, 1, "irq 1.");
	session_hides(v, "steal");
	session_hides(v, "drops");
	session_line(v, 4, "pressure ");
	session_line(v, 4, " cpu 4.");
	session_line(v, 4, "memory ");
	session_line(v, 4, "0.2/0.1 %");
	session_line(v, 5, "forks ");
	session_line(v, 5, " 12/s ");
	session_line(v, 5, "execs ");
	session_line(v, 5, " 9/s ");
	session_line(v, 5, "exits ");
	session_line(v, 5, " 11/s");
	session_press(v, "^N", "^N", NULL);
	session_line(v, 1, "steal 2.6 irq 1.");
	session_line(v, 3, "drops 12/s ");
	v = open_sixth(&(struct session){ .rows = 24, .cols = 80 });
	session_hides(v, "pressure");
	v = open_sixth(&(struct session){ .rows = 45, .cols = 160, .kind = FIXTURE_LOSSES });
	session_hides(v, "pressure");
	assert_int_equal(vt_find(v, 1, "irq"), -1);
	session_line(v, 4, "forks ");
	session_line(v, 5, "1 Overview");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(at_80x24, session_end),
		cmocka_unit_test_teardown(at_120x40, session_end),
		cmocka_unit_test_teardown(at_200x50, session_end),
		cmocka_unit_test_teardown(at_40x10, session_end),
		cmocka_unit_test_teardown(on_a_vt100, session_end),
		cmocka_unit_test_teardown(on_the_console, session_end),
		cmocka_unit_test_teardown(family_off, session_end),
		cmocka_unit_test_teardown(losses_are_shown, session_end),
		cmocka_unit_test_teardown(meters_of_the_kernels_own, session_end),
	};

	return cmocka_run_group_tests_name("screen_views", tests, session_setup, session_teardown);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The view of disks, and the page of one. */
#include "session.h"

#include <stdio.h>

static struct vt *open_disks(int rows, int cols, enum fixture_kind kind)
{
	struct vt *v = session_open(&(struct session){ .rows = rows, .cols = cols, .kind = kind });

	session_press(v, "^N", "^N", "^N", "^N", "^N", "7", NULL);
	return v;
}

static void at_two_sizes(void **state)
{
	static const struct {
		int rows, cols;
	} sizes[] = { { 24, 80 }, { 45, 160 } };
	char name[64];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vt *v = open_disks(sizes[i].rows, sizes[i].cols, FIXTURE_PLAIN);

		snprintf(name, sizeof(name), "%dx%d-disks", sizes[i].cols, sizes[i].rows);
		session_golden(v, name);
		session_press(v, "Enter", NULL);
		snprintf(name, sizeof(name), "%dx%d-disk", sizes[i].cols, sizes[i].rows);
		session_golden(v, name);
	}
}

/* Enter opens the device, once more a process; Esc goes back step by step. */
static void a_device_opens_and_closes(void **state)
{
	struct vt *v = open_disks(24, 80, FIXTURE_PLAIN);

	(void)state;
	session_press(v, "j", "Enter", NULL);
	session_shows(v, "nvme0n1 write");
	session_shows(v, "who waits for disks");
	session_shows(v, "rsync");
	session_press(v, "Enter", NULL);
	session_shows(v, "where its time goes");
	session_press(v, "Esc", NULL);
	session_shows(v, "nvme0n1 write");
	session_press(v, "Esc", NULL);
	session_hides(v, "who waits for disks");
	session_shows(v, "discard");
	/* Another view closes it, too. */
	session_press(v, "Enter", "1", NULL);
	session_hides(v, "who waits for disks");
	session_shows(v, "LAG%");
}

/* In a past reading the device is shown as it was then. */
static void the_past_is_kept(void **state)
{
	struct vt *v = open_disks(24, 80, FIXTURE_PLAIN);
	char before[200];

	(void)state;
	session_press(v, "Enter", NULL);
	snprintf(before, sizeof(before), "%s", vt_line(v, 5));
	session_press(v, "^N", NULL);
	assert_string_not_equal(vt_line(v, 5), before);
	session_press(v, "[", NULL);
	assert_string_equal(vt_line(v, 5), before);
}

static void what_has_no_latency_says_why(void **state)
{
	struct vt *v = open_disks(24, 160, FIXTURE_PLAIN);

	(void)state;
	session_shows(v, "no latency: passes its requests on");
	v = open_disks(24, 80, FIXTURE_LOSSES);
	session_shows(v, "not collected");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(at_two_sizes, session_end),
		cmocka_unit_test_teardown(a_device_opens_and_closes, session_end),
		cmocka_unit_test_teardown(the_past_is_kept, session_end),
		cmocka_unit_test_teardown(what_has_no_latency_says_why, session_end),
	};

	return cmocka_run_group_tests_name("screen_disks", tests, session_setup, session_teardown);
}

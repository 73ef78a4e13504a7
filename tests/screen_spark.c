/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row's sparkline is on the scale of its own last minute, so that a doubling is seen, and says what its lowest is. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READINGS 22
#define HEADER_Y 6
#define FIRST_Y 7

/* 1 to 8; 0: none. */
static int height_of(const char *text)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

	for (int i = 0; i < 8; i++)
		if (!strcmp(text, blocks[i]))
			return i + 1;
	return 0;
}

/* The lowest and the highest of a row's sparkline. Returns how many heights it has. */
static int heights(struct vt *v, int y, int end, int *low, int *high)
{
	int n = 0;

	*low = 9;
	*high = 0;
	for (int x = 0; x < end; x++) {
		int h = height_of(vt_cell(v, y, x).text);

		if (!h)
			continue;
		n++;
		*low = h < *low ? h : *low;
		*high = h > *high ? h : *high;
	}
	return n;
}

/* Every twelve readings latencies are three times as long for four readings. */
static void a_storm_is_seen_in_each_row(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 30, .cols = 200 });
	int end, low, high, rows = 0;

	(void)state;
	for (int i = 1; i < READINGS; i++)
		session_press(v, "^N", NULL);
	end = vt_find(v, HEADER_Y, "now") + 3;
	for (int y = FIRST_Y; y < 28; y++) {
		if (heights(v, y, end, &low, &high) < 12)
			continue;
		rows++;
		assert_int_equal(low, 1);
		if (high < 4)
			fail_msg("the storm is not seen: %s", vt_line(v, y));
	}
	assert_true(rows > 6);
	/* What the lowest height is. */
	session_line(v, session_shows(v, " 1301 "), "us ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_storm_is_seen_in_each_row, session_end),
	};

	return cmocka_run_group_tests_name("screen_spark", tests, session_setup, session_teardown);
}

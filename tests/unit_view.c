/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the screen asks of its source: the sockets are walked where their numbers are shown, or where they are few. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "reading.h"
#include "view.h"

#define MANY 6000

static bool asked(const char *view, uint32_t number, bool walked, uint32_t connections)
{
	struct view v = { .live = reading_model };
	struct sample *s = reading_next(number);

	v.tables[0].view = column_view_find(view);
	s->has_connections = walked;
	while (s->n_connections < connections)
		assert_non_null(sample_add_connection(s));
	reading_update(s);
	return view_wants_connections(&v);
}

static void few_are_always_walked(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		assert_true(asked("overview", i, true, 10));
}

static void many_are_walked_where_they_are_shown(void **state)
{
	uint32_t walks = 0, i = 1;

	(void)state;
	assert_false(asked("overview", i++, true, MANY));
	/* Left out, they are not few: else every other reading would walk. */
	for (; i <= 100; i++)
		walks += asked("overview", i, false, 0);
	assert_in_range(walks, 1, 5);
	assert_true(asked("connections", i++, true, MANY));
	assert_true(asked("net", i++, true, MANY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		READING_TEST(few_are_always_walked),
		READING_TEST(many_are_walked_where_they_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

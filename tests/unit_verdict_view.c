/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict on the screen: when it is made again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "reading.h"
#include "verdict_view.h"

static struct view view;

static void read_on(uint32_t number, uint64_t t_ns)
{
	struct sample *s = history_take(&view.history);

	assert_non_null(s);
	reading_begin(s, number);
	s->t_ns = t_ns;
	reading_process(s, 2211, 5, "api");
	reading_busy(s, 2211, LT_DISK, SECOND_NS - 100 * MS_NS);
	assert_int_equal(model_update(view.live, s), 0);
	assert_int_equal(history_add(&view.history), 0);
}

/* Whether the verdict was made again. */
static bool remade(void)
{
	view.verdict.more = 77;
	assert_int_equal(verdict_view_update(&view), 0);
	return view.verdict.more != 77;
}

/* It is made for the reading that is shown, not at each that comes, and of ten a second not for each. */
static void on_the_screen(void **state)
{
	(void)state;
	view = (struct view){ .mode = MODE_WHY, .live = reading_model };
	read_on(1, 10 * SECOND_NS);
	assert_true(remade());
	read_on(2, 10 * SECOND_NS + SECOND_NS / 2);
	assert_false(remade());
	read_on(3, 11 * SECOND_NS);
	assert_true(remade());
	view.back = 1;
	assert_true(remade());
	assert_int_equal(view.verdict.sentence[0].ns, 200 * MS_NS);
	read_on(4, 12 * SECOND_NS);
	view.back = 2; /* the same one */
	assert_false(remade());
	view.mode = MODE_TABLE; /* where a filter may be set */
	assert_false(remade());
	view.mode = MODE_WHY;
	assert_true(remade());
	view.back = 0;
	assert_true(remade());
	view.verdict.readings = 0;
	model_free(view.past);
	history_free(&view.history);
}

/* In a page it is about the process there and others of its name, however much others lag. */
static void in_a_page(void **state)
{
	struct sample *s;

	(void)state;
	view = (struct view){ .mode = MODE_WHY, .live = reading_model };
	s = history_take(&view.history);
	assert_non_null(s);
	reading_begin(s, 1);
	reading_process(s, 2211, 5, "api");
	reading_busy(s, 2211, LT_DISK, SECOND_NS - 300 * MS_NS);
	reading_process(s, 2212, 5, "other");
	reading_busy(s, 2212, LT_DISK, SECOND_NS - 100 * MS_NS);
	reading_process(s, 2213, 5, "api");
	reading_busy(s, 2213, LT_DISK, SECOND_NS - 300 * MS_NS);
	assert_int_equal(model_update(view.live, s), 0);
	assert_int_equal(history_add(&view.history), 0);
	assert_int_equal(verdict_view_update(&view), 0);
	assert_int_equal(view.verdict.n, 2);
	view.verdict.readings = 0;
	view.page.open = true;
	view.page.row.comm = "api";
	assert_int_equal(verdict_view_update(&view), 0);
	assert_int_equal(view.verdict.n, 1);
	assert_string_equal(view.verdict.sentence[0].comm, "api");
	assert_int_equal(view.verdict.sentence[0].processes, 2);
	model_free(view.past);
	history_free(&view.history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		READING_TEST(on_the_screen),
		READING_TEST(in_a_page),
	};

	return cmocka_run_group_tests_name("unit_verdict_view", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <errno.h>

#include "cpulist.h"

static void the_last_is_found(void **state)
{
	(void)state;
	assert_int_equal(cpulist_last("0\n"), 0);
	assert_int_equal(cpulist_last("0-511\n"), 511);
	assert_int_equal(cpulist_last("0-3,8-11,64\n"), 64);
	assert_int_equal(cpulist_last(""), 0);
	assert_int_equal(cpulist_last("none"), 0);
}

/* A per-CPU map has no values for numbers that are not possible. */
static void numbers_may_have_gaps(void **state)
{
	static const char list[] = "0-3,8-11,64\n";

	(void)state;
	assert_int_equal(cpulist_place(list, 0), 0);
	assert_int_equal(cpulist_place(list, 3), 3);
	assert_int_equal(cpulist_place(list, 4), -EINVAL);
	assert_int_equal(cpulist_place(list, 8), 4);
	assert_int_equal(cpulist_place(list, 11), 7);
	assert_int_equal(cpulist_place(list, 64), 8);
	assert_int_equal(cpulist_place(list, 65), -EINVAL);
	assert_int_equal(cpulist_place("", 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_is_found),
		cmocka_unit_test(numbers_may_have_gaps),
	};

	return cmocka_run_group_tests_name("cpulist", tests, NULL, NULL);
}

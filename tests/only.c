/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linked into every test program, which gets no arguments: ONLY=PATTERN in the environment runs the tests whose names
 * match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

__attribute__((constructor)) static void choose_tests(void)
{
	const char *pattern = getenv("ONLY");

	if (pattern)
		cmocka_set_test_filter(pattern);
}

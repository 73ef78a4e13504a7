/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 of every character, compared with the C library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>

#include "utf8.h"

static void every_character(void **state)
{
	(void)state;
	for (uint32_t c = 1; c <= 0x10ffff; c++) {
		char ours[UTF8_BYTES + 1] = "", theirs[MB_LEN_MAX + 1] = "";
		bool surrogate = c >= 0xd800 && c <= 0xdfff, valid;
		size_t len = utf8_encode(ours, c);
		uint32_t back;

		if (surrogate) {
			assert_int_equal(utf8_decode(ours, &back, &valid), 1);
			assert_false(valid);
			assert_int_equal(back, UTF8_REPLACEMENT);
			continue;
		}
		assert_int_equal(wcrtomb(theirs, (wchar_t)c, &(mbstate_t){ 0 }), len);
		assert_string_equal(ours, theirs);
		assert_int_equal(utf8_decode(ours, &back, &valid), len);
		assert_true(valid);
		assert_int_equal(back, c);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(utf8_continues(ours[i]), i > 0);
	}
}

/* An incomplete sequence counts as one character, and the next one is found. */
static void broken(void **state)
{
	static const struct {
		const char *text;
		size_t taken;
	} cases[] = {
		{ "\x80", 1 },	       { "\xc0\x80", 1 },     { "\xe6\x97", 2 },
		{ "\xe6\x97z", 2 },    { "\xe0\x9f\xbf", 1 }, { "\xf0\x9f\x98", 3 },
		{ "\xf4\x90\x80", 1 }, { "\xf5\x80", 1 },     { "\xff", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t c;
		bool valid;

		assert_int_equal(utf8_decode(cases[i].text, &c, &valid), cases[i].taken);
		assert_false(valid);
		assert_int_equal(c, UTF8_REPLACEMENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_character),
		cmocka_unit_test(broken),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8") && !setlocale(LC_CTYPE, "en_US.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers where rounding adds a digit, and hostile names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "format.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CELLS_MAX 6

static void times(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1ns" },
		{ 999, "999ns" },
		{ 1000, "1.00us" },
		{ 9994, "9.99us" },
		{ 9995, "10.0us" },
		{ 99949, "99.9us" },
		{ 99950, "100us" },
		{ 310000, "310us" },
		{ 999499, "999us" },
		{ 999500, "1.00ms" },
		{ 1200000, "1.20ms" },
		{ 999499999, "999ms" },
		{ 999500000, "1.00s" },
		{ 17200000000, "17.2s" },
		{ 59949999999, "59.9s" },
		{ 59950000000, "1m00" },
		{ 185000000000, "3m05" },
		{ 3599499999999, "59m59" },
		{ 3599500000000, "1h00m" },
		{ 7800000000000, "2h10m" },
		{ 86369499999999, "23h59m" },
		{ 86370000000000, "1d00h" },
		{ 356400000000000, "4d03h" },
		{ 8638200000000000, "100d" },
		{ UINT64_MAX, "584y" },
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(format_ns(buf, sizeof(buf), cases[i].ns), cases[i].text);
}

static void counts(void **state)
{
	static const struct {
		double n;
		const char *text;
	} cases[] = {
		{ 0, "0" },	     { -1, "0" },	  { 1e-9, "<.001" },  { 0.0005, "0.001" }, { 0.333, "0.333" },
		{ 0.9994, "0.999" }, { 0.9996, "1" },	  { 2, "2" },	      { 2.5, "2.50" },	   { 1.9999, "2" },
		{ 9.994, "9.99" },   { 9.995, "10" },	  { 9.996, "10" },    { 16.34, "16.3" },   { 11.998, "12" },
		{ 99.94, "99.9" },   { 99.96, "100" },	  { 812, "812" },     { 999.4, "999" },	   { 999.5, "1.00k" },
		{ 9994, "9.99k" },   { 9995, "10.0k" },	  { 41234, "41.2k" }, { 99950, "100k" },   { 999499, "999k" },
		{ 999500, "1.00M" }, { 1.2e6, "1.20M" },  { 3.1e9, "3.10G" }, { 1e12, "1.00T" },   { 1e15, "1.00P" },
		{ 1e18, "1.00E" },   { 1.8e19, "18.0E" },
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_string_equal(format_count(buf, sizeof(buf), cases[i].n), cases[i].text);
		assert_string_equal(format_bytes(buf, sizeof(buf), cases[i].n), cases[i].text);
	}
	assert_string_equal(format_count(buf, sizeof(buf), NAN), "0");
}

static void percents(void **state)
{
	static const struct {
		double pct;
		const char *text;
	} cases[] = {
		{ 0, "0" },	   { 0.001, "<0.1" }, { 0.05, "0.1" },	{ 0.3, "0.3" },	    { 16.3, "16.3" },
		{ 99.94, "99.9" }, { 99.96, "100" },  { 1600, "1600" }, { 51200, "51200" }, { 1e7, "10.0M" },
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(format_percent(buf, sizeof(buf), cases[i].pct), cases[i].text);
}

/* No number is wider than a column, and only zero prints as zero. */
static void widths(void **state)
{
	char buf[16];

	(void)state;
	for (uint64_t n = 1; n < UINT64_MAX - n / 9 - 1; n += n / 9 + 1) {
		double parts[] = { (double)n, (double)n / 1e3, (double)n / 1e6 };

		format_ns(buf, sizeof(buf), n);
		assert_true(strlen(buf) <= CELLS_MAX);
		assert_string_not_equal(buf, "0");
		for (size_t i = 0; i < COUNT(parts); i++) {
			format_count(buf, sizeof(buf), parts[i]);
			assert_true(strlen(buf) <= CELLS_MAX);
			assert_string_not_equal(buf, "0");
			format_percent(buf, sizeof(buf), parts[i]);
			assert_true(strlen(buf) <= CELLS_MAX);
			assert_string_not_equal(buf, "0");
		}
	}
}

static void assert_clean(const char *raw, int cells, bool utf8, const char *expected, int expected_cells)
{
	char buf[256];

	assert_int_equal(format_clean(buf, sizeof(buf), raw, cells, utf8), expected_cells);
	assert_string_equal(buf, expected);
}

static void clean_controls(void **state)
{
	(void)state;
	assert_clean("nginx: worker", 80, true, "nginx: worker", 13);
	assert_clean("a\nb\tc", 80, true, "a b c", 5);
	assert_clean("\x1b[31mred\x1b[0m", 80, true, "?[31mred?[0m", 12);
	assert_clean("\x1b]0;title\x07", 80, true, "?]0;title?", 10);
	assert_clean("a\rb\x7f\x01", 80, true, "a?b??", 5);
	assert_clean("\xc2\x9b"
		     "31m\xc2\x85", /* C1: CSI, NEL */
		     80, true, "?31m?", 5);
	assert_clean("", 80, true, "", 0);
}

static void clean_broken(void **state)
{
	(void)state;
	assert_clean("\xff\xfe", 80, true, "??", 2);
	assert_clean("\x9b"
		     "31m",
		     80, true, "?31m", 4);
	assert_clean("\xc0\xaf", 80, true, "??", 2);	  /* overlong / */
	assert_clean("\xe0\x80\x9b", 80, true, "???", 3); /* overlong ESC */
	assert_clean("\xf0\x80\x80\x9b", 80, true, "????", 4);
	assert_clean("\xed\xa0\x80", 80, true, "???", 3);      /* surrogate */
	assert_clean("\xf4\x90\x80\x80", 80, true, "????", 4); /* above U+10FFFF */
	assert_clean("\xe2\x82", 80, true, "?", 1);	       /* truncated */
	assert_clean("\xe2\x82x", 80, true, "?x", 2);
	assert_clean("\xf0\x9f\x98", 80, true, "?", 1);
}

static void clean_invisible(void **state)
{
	(void)state;
	assert_clean("a\xe2\x80\x8b"
		     "b",
		     80, true, "a?b", 3); /* U+200B zero width space */
	assert_clean("\xe2\x80\xae"
		     "gpj.exe",
		     80, true, "?gpj.exe", 8);			       /* U+202E right to left */
	assert_clean("\xe2\x81\xa6x\xe2\x81\xa9", 80, true, "?x?", 3); /* U+2066, U+2069 isolates */
	assert_clean("\xef\xbb\xbfx", 80, true, "?x", 2);	       /* U+FEFF */
	assert_clean("\xf3\xa0\x81\x81", 80, true, "?", 1);	       /* U+E0041 tag */
	assert_clean("e\xcc\x81"
		     "a",
		     80, true, "ea", 2);	    /* U+0301 combining acute */
	assert_clean("\xcd\xb8", 80, true, "?", 1); /* U+0378: unassigned */
}

static void clean_wide(void **state)
{
	(void)state;
	assert_clean("日本", 4, true, "日本", 4);
	assert_clean("日本", 3, true, "日…", 3);
	assert_clean("a日本", 4, true, "a日…", 4);
	assert_clean("日本", 1, true, "…", 1);
	assert_clean("é✓", 80, true, "é✓", 2);
	assert_clean("日本é", 80, false, "???", 3);
	assert_clean("abc", 0, true, "", 0);
}

/* However long the text and whatever the buffer: the result is terminated and valid. */
static void clean_floods(void **state)
{
	static const char *const units[] = { "\x1b", "\xff", "\xcc\x81", "\xe2\x80\xae", "日", "\xc2\x9b", "é" };
	char raw[4097], buf[64], more[4097 * 3];

	(void)state;
	for (size_t i = 0; i < COUNT(units); i++) {
		size_t len = strlen(units[i]), n = 0;
		wchar_t wide[64];

		while (n + len < sizeof(raw)) {
			memcpy(raw + n, units[i], len);
			n += len;
		}
		raw[n] = '\0';
		for (size_t size = 1; size <= sizeof(buf); size++) {
			memset(buf, 'x', sizeof(buf));
			int cells = format_clean(buf, size, raw, 40, true);

			assert_non_null(memchr(buf, '\0', size));
			size_t chars = mbstowcs(wide, buf, COUNT(wide));
			assert_true(chars != (size_t)-1);
			assert_int_equal(wcswidth(wide, chars), cells);
			assert_true(cells <= 40);
		}
		n = format_utf8(more, sizeof(more), raw);
		assert_int_equal(n, strlen(more));
		for (size_t size = 1; size <= 16; size++) {
			n = format_utf8(buf, size, raw);
			assert_true(n < size && strlen(buf) == n);
			assert_true(mbstowcs(NULL, buf, 0) != (size_t)-1);
		}
	}
}

static void utf8(void **state)
{
	static const struct {
		const char *raw, *text;
	} cases[] = {
		{ "plain", "plain" },
		{ "\x1b[0m\n", "\x1b[0m\n" },
		{ "日本 e\xcc\x81", "日本 e\xcc\x81" },
		{ "a\xff"
		  "b",
		  "a\xef\xbf\xbd"
		  "b" },
		{ "\xe2\x82", "\xef\xbf\xbd" },
		{ "\xe2\x82\xe2\x82\xac", "\xef\xbf\xbd\xe2\x82\xac" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(format_utf8(buf, sizeof(buf), cases[i].raw), strlen(cases[i].text));
		assert_string_equal(buf, cases[i].text);
	}
	assert_int_equal(format_utf8(buf, 4, "日本"), 3);
	assert_string_equal(buf, "日");
	assert_int_equal(format_utf8(buf, 3, "日本"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),	   cmocka_unit_test(counts),
		cmocka_unit_test(percents),	   cmocka_unit_test(widths),
		cmocka_unit_test(clean_controls),  cmocka_unit_test(clean_broken),
		cmocka_unit_test(clean_invisible), cmocka_unit_test(clean_wide),
		cmocka_unit_test(clean_floods),	   cmocka_unit_test(utf8),
	};

	/* Widths depend on the locale. */
	if (!setlocale(LC_CTYPE, "C.UTF-8") && !setlocale(LC_CTYPE, "en_US.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filter language: expressions with the rows that they match, and every error with its position. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "synthetic.h"

static struct sample sample;
static struct model *model;

static int setup(void **state)
{
	(void)state;
	synthetic_fill(&sample, 1);
	model = model_new();
	return model ? model_update(model, &sample) : -1;
}

static int teardown(void **state)
{
	(void)state;
	model_free(model);
	sample_free(&sample);
	return 0;
}

/* The pids of the processes that an expression matches, "2 1000"; for calls their names. */
static const char *held(const char *text, enum model_kind kind)
{
	struct model_query query = { .kind = kind };
	static char list[200];
	char why[200] = "";
	struct filter *f;
	struct row *rows;
	size_t at = 0, len = 0;
	int n;

	f = filter_parse(text, &at, why, sizeof(why));
	if (!f)
		fail_msg("'%s': at %zu: %s", text, at, why);
	list[0] = '\0';
	n = model_rows(model, &query, &rows);
	for (int i = 0; i < n; i++) {
		if (!filter_holds(f, &rows[i]))
			continue;
		if (kind == MODEL_CALL)
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len ? " " : "",
						column_find("call")->raw(&rows[i]).text);
		else
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%u", len ? " " : "", rows[i].pid);
	}
	filter_free(f);
	return list;
}

/* Longer than a screen: a table of cases. */
static void expressions(void **state)
{
	static const struct {
		const char *text, *pids;
	} cases[] = {
		{ "", "2 1000 2000 3000" },
		{ "  ", "2 1000 2000 3000" },
		{ "pid=1000", "1000" },
		{ "pid==1000", "1000" },
		{ "PID = 1000", "1000" },
		{ "pid!=1000", "2 2000 3000" },
		{ "pid<1000", "2" },
		{ "pid<=1000", "2 1000" },
		{ "pid>1000", "2000 3000" },
		{ "pid>=1000", "1000 2000 3000" },
		{ "pid>1k", "2000 3000" },
		{ "cpu>5", "1000" },
		{ "cpu>5%", "1000" },
		{ "cpu=30", "1000" },
		{ "cpu=30.0", "1000" },
		{ "cpu=30.1", "" },
		{ "lag>13.9 and lag<14.1", "1000" },
		{ "wake99>5ms", "1000" },
		{ "wake99>0.011s", "1000" },
		{ "wake99>12ms", "" },
		{ "wake99>=0", "1000" },
		{ "wake99=11.5ms", "1000" },
		{ "not wake99<1s", "2 2000 3000" },
		{ "callmax=310us", "1000" },
		{ "tx>8M and tx<8.1M", "1000" },
		{ "tx>7Mi", "1000" },
		{ "tx>8Mi", "" },
		{ "calls=107", "1000" },
		{ "exit=-9", "2000" },
		{ "exit!=-9", "" },
		{ "state=exited", "2000" },
		{ "state!=exited", "2 1000 3000" },
		{ "user=root", "2 1000 3000" },
		{ "user=root and cpu>5", "1000" },
		{ "user=root or cpu>0.1", "2 1000 2000 3000" },
		{ "pid=2 or pid=1000 and cpu>50", "2" },
		{ "(pid=2 or pid=1000) and cpu>5", "1000" },
		{ "not pid=2", "1000 2000 3000" },
		{ "not not pid=2", "2" },
		{ "not (pid=2 or pid=1000)", "2000 3000" },
		{ "NOT pid=2 AND NOT pid=1000", "2000 3000" },
		{ "server", "1000" },
		{ "Server", "" },
		{ "SERVER or quiet", "3000" },
		{ "fast server", "1000" },
		{ "--fast", "1000" },
		{ "\"server --fast\"", "1000" },
		{ "'server  --fast'", "" },
		{ "\"not\"", "" },
		{ "kthread", "2" },
		{ "command~\"^server\"", "1000" },
		{ "command~^SERVER", "" },
		{ "comm~ER", "" },
		{ "comm~er$", "1000" },
		{ "comm!~er$", "2 2000 3000" },
		{ "command~'^(quiet|server)'", "1000 3000" },
		{ "cgroup~system.slice", "1000" },
		{ "comm~'^[a-z]{1,3}[a-z]{2,3}[a-z]+$'", "2 1000 3000" },
		{ "cgroup=/", "3000" },
		{ "cmdline=\"=evil \\\"a,b\\\"\n\x1b[31m\xff\xc3\xa9\"", "2000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(held(cases[i].text, MODEL_PROCESS), cases[i].pids))
			fail_msg("'%s' matches '%s', not '%s'", cases[i].text, held(cases[i].text, MODEL_PROCESS),
				 cases[i].pids);
	assert_string_equal(held("wri", MODEL_CALL), "write");
	assert_string_equal(held("errors>0", MODEL_CALL), "read");
	assert_string_equal(held("errnos~EAGAIN", MODEL_CALL), "read");
	assert_string_equal(held("wait>0", MODEL_CALL), "read");
	assert_string_equal(held("5.6.7.8", MODEL_CONNECTION), "1000");
	assert_string_equal(held("state=LISTEN", MODEL_CONNECTION), "0");
}

static void errors(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *why;
	} cases[] = {
		{ "cpu>>", 4, "a value to compare cpu with" },
		{ "cpu>", 4, "a value" },
		{ "cpu>five", 4, "a number" },
		{ "cpu>nan", 4, "a number" },
		{ "cpu>-", 4, "a number" },
		{ "cpu>0x10", 4, "a number" },
		{ "cpu>5k", 4, "a percentage" },
		{ "calls>5ms", 6, "k, M, G" },
		{ "wake99>5", 7, "its unit" },
		{ "wake99>5 ms", 7, "its unit" },
		{ "wake99>5M", 7, "its unit" },
		{ "nonsense>5", 0, "no column 'nonsense'" },
		{ "cpu>5 and nonsense=1", 10, "no column 'nonsense'" },
		{ "\"cpu\">5", 0, "no column 'cpu'" },
		{ "wakespark>5", 0, "no column" },
		{ "user>root", 5, "=, !=, ~ or !~" },
		{ "cpu~5", 4, "a number; ~" },
		{ "comm~(", 5, "a value" },
		{ "comm~'('", 5, "bad regular expression" },
		{ "comm~'(a{99}){99}'", 5, "too many repetitions" },
		{ "comm~'(a{20000}b)'", 5, "too many repetitions" },
		{ "comm~'a{1,32767}'", 5, "too many repetitions" },
		{ "comm~a++++++++++++++++++++", 5, "too many repetitions" },
		{ "comm~'(((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+'", 5, "too many repetitions" },
		{ "comm='abc", 5, "quote is not closed" },
		{ "(cpu>5", 6, "a closing parenthesis" },
		{ "cpu>5)", 5, "or the end" },
		{ "()", 1, "a column or a word" },
		{ "and", 0, "a column or a word" },
		{ "cpu>5 and", 9, "a column or a word" },
		{ "cpu>5 or or", 9, "a column or a word" },
		{ "not", 3, "a column or a word" },
		{ "=5", 0, "a column or a word" },
	};
	char why[200];
	struct filter *f;
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		at = 999;
		f = filter_parse(cases[i].text, &at, why, sizeof(why));
		if (f)
			fail_msg("'%s' was accepted", cases[i].text);
		if (at != cases[i].at || !strstr(why, cases[i].why))
			fail_msg("'%s': at %zu: %s", cases[i].text, at, why);
	}
}

/* What is too deep or too long is refused before it costs anything. */
static void bounds(void **state)
{
	char text[10001], why[200];
	size_t at;

	(void)state;
	memset(text, '(', 10000);
	text[10000] = '\0';
	assert_null(filter_parse(text, &at, why, sizeof(why)));
	text[3000] = '\0';
	assert_null(filter_parse(text, &at, why, sizeof(why)));
	assert_string_equal(why, "too deeply nested");
	memset(text, 'a', 3000);
	assert_null(filter_parse(text, &at, why, sizeof(why)));
	assert_string_equal(why, "this word is too long");
	text[0] = '"';
	assert_null(filter_parse(text, &at, why, sizeof(why)));
	assert_string_equal(why, "this text is too long");
	for (at = 0; at < 3000; at += 4)
		memcpy(text + at, "not ", 4);
	assert_null(filter_parse(text, &at, why, sizeof(why)));
	assert_string_equal(why, "too deeply nested");
	for (at = 0; at < 3000; at += 2)
		memcpy(text + at, "q ", 2);
	assert_string_equal(held(text, MODEL_PROCESS), "3000");
}

static void kinds(void **state)
{
	char why[200];
	struct filter *f;
	size_t at;

	(void)state;
	f = filter_parse("tx>1 and user=root or nginx", &at, why, sizeof(why));
	assert_non_null(f);
	assert_true(filter_kinds(f) & 1U << MODEL_CONNECTION);
	assert_true(filter_kinds(f) & 1U << MODEL_PROCESS);
	assert_false(filter_kinds(f) & 1U << MODEL_CALL);
	filter_free(f);
	filter_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions),
		cmocka_unit_test(errors),
		cmocka_unit_test(bounds),
		cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

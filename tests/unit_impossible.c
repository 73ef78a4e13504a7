/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checker of impossible values: correct lines pass, a line with one wrong value is refused for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impossible_csv.h"

/* Two processes on two CPUs for a second; the states' names are arbitrary. */
static const char reading[] =
	"{\"schema\":1,\"time\":\"2026-11-22T07:05:01.123456Z\",\"interval_ns\":1000,"
	"\"host\":{\"cpus\":2,\"threads\":3,\"processes\":2,\"run_ns\":700,\"switches\":7,\"wakeups\":5,\"forks\":1,"
	"\"execs\":0,\"exits\":0,\"wait\":{\"count\":6,\"p50_ns\":10,\"p90_ns\":20,\"p99_ns\":30,\"max_ns\":30},"
	"\"calls\":{\"count\":9,\"errors\":2,\"p50_ns\":1,\"p90_ns\":2,\"p99_ns\":2,\"max_ns\":3},"
	"\"net\":{\"tx_bytes\":12,\"retransmits\":1}},"
	"\"probes\":{\"syscall\":{\"state\":\"on\",\"level\":\"exact\"}},"
	"\"lost\":{\"threads\":0,\"calls\":0,\"exits\":0,\"switches\":0,\"torn\":0},\"self\":{\"cpu_ns\":100,\"rss_"
	"bytes\":1000},"
	"\"processes\":["
	"{\"pid\":7,\"start_ns\":5,\"state\":\"alive\",\"exit_code\":null,\"threads\":1,\"comm\":\"one\","
	"\"wall_ns\":1000,\"time_ns\":{\"run\":500,\"queued\":100,\"asleep\":400},"
	"\"wait\":{\"count\":4,\"p50_ns\":10,\"p90_ns\":20,\"p99_ns\":20,\"max_ns\":25},"
	"\"switches\":{\"voluntary\":4,\"involuntary\":1},\"wakeups\":3,"
	"\"calls\":{\"count\":9,\"errors\":2,\"total_ns\":600},\"net\":{\"tx_bytes\":12,\"retransmits\":null},"
	"\"syscalls\":[{\"name\":\"read\",\"count\":6,\"errors\":2,\"total_ns\":500,\"time_ns\":450,\"wait_ns\":400,"
	"\"in_flight\":1,\"oldest_ns\":40,\"errno\":{\"EAGAIN\":2}},"
	"{\"name\":\"write\",\"count\":3,\"errors\":0,\"total_ns\":100,\"time_ns\":100,\"wait_ns\":0,"
	"\"in_flight\":0,\"oldest_ns\":null,\"errno\":{}}]},"
	"{\"pid\":8,\"start_ns\":6,\"state\":\"alive\",\"exit_code\":null,\"threads\":2,\"comm\":\"two\","
	"\"wall_ns\":2000,\"time_ns\":{\"run\":200,\"queued\":0,\"asleep\":1800},"
	"\"wait\":{\"count\":2,\"p50_ns\":30,\"p90_ns\":30,\"p99_ns\":30,\"max_ns\":30},"
	"\"switches\":{\"voluntary\":2,\"involuntary\":0},\"wakeups\":2,"
	"\"calls\":{\"count\":0,\"errors\":0,\"total_ns\":0},\"net\":{\"tx_bytes\":0,\"retransmits\":1},\"syscalls\":[]"
	"}]}";

struct planted {
	const char *from, *to, *rule;
};

static const struct planted planted[] = {
	{ "{\"schema\"", "{schema", "not JSON" },
	{ "\"one\"", "\"on\xff\"", "not JSON" },
	{ "\"one\"", "\"on\x7f\"", "a control character" },
	{ "\"processes\":[", "\"rows\":[", "no reading" },
	{ "\"wakeups\":3", "\"wakeups\":-3", "negative" },
	{ "\"torn\":0", "\"torn\":-1", "negative" },
	{ "\"exit_code\":null,", "\"exit_code\":null,\"killed_by\":{},", "killed and not killed" },
	{ "\"oldest_ns\":40", "\"oldest_ns\":18446744073709551000", "a counter went below zero" },
	{ "\"oldest_ns\":40", "\"oldest_ns\":4000000000000000000", "longer than the uptime" },
	{ "\"total_ns\":500", "\"total_ns\":4000000000000000000", "calls longer than the uptime" },
	{ "\"count\":6,\"errors\"", "\"count\":6.5,\"errors\"", "a number is not an integer" },
	{ "\"calls\":{\"count\":9,\"errors\":2,\"total_ns\"", "\"calls\":{\"count\":9,\"total_ns\"",
	  "a field of the contract is missing" },
	{ "\"p50_ns\":10,\"p90_ns\":20,\"p99_ns\":30", "\"p50_ns\":10,\"p90_ns\":40,\"p99_ns\":30",
	  "percentiles fall" },
	{ "\"max_ns\":25", "\"max_ns\":19", "percentiles fall" },
	{ "\"asleep\":400", "\"asleep\":401", "the states do not add up to the wall time" },
	{ "\"asleep\":400", "\"asleep\":1400", "a state above the wall time" },
	{ "\"asleep\":400}", "\"asleep\":400},\"of_which_ns\":{\"reclaim\":501}", "a part is longer than the whole" },
	{ "\"wall_ns\":1000,\"time_ns\":{\"run\":500,\"queued\":100",
	  "\"wall_ns\":1001,\"time_ns\":{\"run\":500,\"queued\":101", "one thread lived longer than the interval" },
	{ "\"wall_ns\":2000,\"time_ns\":{\"run\":200", "\"wall_ns\":4000,\"time_ns\":{\"run\":2200",
	  "a process ran longer than all CPUs" },
	{ "\"wall_ns\":2000,\"time_ns\":{\"run\":200", "\"wall_ns\":3400,\"time_ns\":{\"run\":1600",
	  "the machine ran longer than its CPUs" },
	{ "\"run_ns\":700", "\"run_ns\":701", "the host is not the sum of its processes" },
	{ "\"switches\":7", "\"switches\":8", "the host is not the sum of its processes" },
	{ "\"wait\":{\"count\":6", "\"wait\":{\"count\":5", "the host is not the sum of its processes" },
	{ "\"net\":{\"tx_bytes\":12,\"retransmits\":1}", "\"net\":{\"tx_bytes\":13,\"retransmits\":1}",
	  "the host is not the sum of its processes" },
	{ "\"count\":6,\"errors\":2,", "\"count\":1,\"errors\":2,", "more errors than calls" },
	{ "\"EAGAIN\":2", "\"EAGAIN\":1,\"EINTR\":2", "more errnos than errors" },
	{ "\"EAGAIN\":2", "\"EAGAIN\":0", "an error that did not happen" },
	{ "\"time_ns\":450", "\"time_ns\":399", "a call waits longer than it lasts" },
	{ "\"time_ns\":100,\"wait_ns\":0", "\"time_ns\":150,\"wait_ns\":101", "calls waited while their thread ran" },
	{ "\"time_ns\":450,\"wait_ns\":400", "\"time_ns\":850,\"wait_ns\":400", "calls ran while their thread waited" },
	{ "\"time_ns\":450,\"wait_ns\":400", "\"time_ns\":950,\"wait_ns\":400", "more time in calls than there was" },
	{ "\"count\":3,\"errors\":0", "\"count\":4,\"errors\":0", "the calls add up to more than the process's" },
	{ "\"count\":3,\"errors\":0", "\"count\":2,\"errors\":0", "calls are neither in a row nor lost" },
	{ "\"in_flight\":1", "\"in_flight\":2", "more calls in flight than threads" },
	{ "\"oldest_ns\":40", "\"oldest_ns\":null", "a call in flight without an age" },
	{ "\"pid\":8,\"start_ns\":6", "\"pid\":7,\"start_ns\":5", "a process appears twice in a reading" },
	{ "\"pid\":8", "\"pid\":9", "a process vanished" },
	{ "\"threads\":2,", "\"threads\":0,", "a process without a thread" },
	{ "\"state\":\"alive\"", "\"state\":\"exited\"", "an exit code of a live process, or none of an exited one" },
	{ "\"cpu_ns\":100", "\"cpu_ns\":2001", "lagtop took more than all CPUs" },
};

/* The reading with its first `from` replaced. */
static char *with(const char *from, const char *to)
{
	const char *at = strstr(reading, from);
	char *line = malloc(sizeof(reading) + strlen(to));

	assert_non_null(at);
	assert_non_null(line);
	sprintf(line, "%.*s%s%s", (int)(at - reading), reading, to, at + strlen(from));
	return line;
}

static bool has(const struct findings *f, const char *rule)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->of[i].rule, rule))
			return true;
	return false;
}

static void test_what_is_right_passes(void **state)
{
	struct impossible c = { .names_begin = "t" };

	(void)state;
	for (int i = 0; i < 3; i++)
		impossible_line(&c, reading);
	impossible_end(&c);
	findings_print(&c.found, "right");
	assert_int_equal(c.found.n, 0);
	assert_int_equal(c.readings, 3);
	assert_int_equal(c.processes, 6);
	assert_int_equal(c.n_states, 3);
	assert_string_equal(c.state[1], "queued");
	assert_true(impossible_saw(&c, "two"));
	assert_false(impossible_saw(&c, "one"));
	impossible_free(&c);
}

static void test_what_is_planted_is_found(void **state)
{
	bool all = true;

	(void)state;
	for (size_t i = 0; i < sizeof(planted) / sizeof(*planted); i++) {
		char *line = with(planted[i].from, planted[i].to);
		struct impossible c = { 0 };

		impossible_line(&c, reading);
		assert_int_equal(c.found.n, 0);
		impossible_line(&c, line);
		if (!has(&c.found, planted[i].rule)) {
			printf("# not found: %s by %s\n", planted[i].rule, planted[i].to);
			findings_print(&c.found, "instead");
			all = false;
		}
		impossible_free(&c);
		free(line);
	}
	assert_true(all);
}

static void test_the_dead_stay_dead(void **state)
{
	char *dead = with("\"state\":\"alive\",\"exit_code\":null",
			  "\"state\":\"exited\",\"exit_code\":-9,\"killed_by\":{\"signal\":9}");
	struct impossible c = { 0 };

	(void)state;
	impossible_line(&c, reading);
	impossible_line(&c, dead);
	assert_int_equal(c.found.n, 0);
	impossible_line(&c, reading);
	assert_true(has(&c.found, "a process that had exited"));
	impossible_free(&c);
	free(dead);
}

/* 100 exits, of which none was shown and none lost. */
static void test_exits_have_rows(void **state)
{
	char *exits = with("\"exits\":0", "\"exits\":100"),
	     *told = with("\"exits\":0,\"switches\"", "\"exits\":100,\"switches\"");
	struct impossible c = { 0 };

	(void)state;
	impossible_line(&c, exits);
	impossible_line(&c, told);
	impossible_end(&c);
	assert_int_equal(c.found.n, 0);
	impossible_line(&c, exits);
	impossible_end(&c);
	assert_true(has(&c.found, "exits without a row, or rows without an exit"));
	impossible_free(&c);
	free(exits);
	free(told);
}

static void test_csv(void **state)
{
	static const char header[] = "timestamp,pid,tid,exit,comm,wall,lag,cpu,sleep,runq50,runq99,calls,errors,call";
	static const struct planted rows[] = {
		{ "1,7,7,-9,\"a,\"\"b\",100,5,60,40,1,2,3,2,", NULL, NULL },
		{ "1,7,7,,\"a\nb\",50,5,10,40,,,3,2,read", NULL, NULL },
		{ "1,7,7,,a,100,5,60,40,1,2,3,2", NULL, "a row does not have the number of cells of the header" },
		{ "1,7,7,,a,nan,5,60,40,1,2,3,2,", NULL, "not a number" },
		{ "1,7,7,,a,100,5,-60,160,1,2,3,2,", NULL, "negative" },
		{ "1,7,7,,a,100,5,60,41,1,2,3,2,", NULL, "the states do not add up to the wall time" },
		{ "1,7,7,,a,101,5,60,41,1,2,3,2,", NULL, "one thread lived longer than the interval" },
		{ "1,7,7,,a,100,101,60,40,1,2,3,2,", NULL, "a state above the wall time" },
		{ "1,7,7,,a,310,5,211,99,1,2,3,2,", NULL, "the machine ran longer than its CPUs" },
		{ "1,7,7,,a,100,5,60,40,3,2,3,2,", NULL, "percentiles fall" },
		{ "1,7,7,,a,100,5,60,40,1,4e18,3,2,", NULL, "longer than the uptime" },
		{ "1,7,7,,a,100,5,60,40,1,2,3,4,", NULL, "more errors than calls" },
		{ "1,7,7,,\xff,100,5,60,40,1,2,3,2,", NULL, "not UTF-8" },
	};
	struct impossible json = { .state = { "run", "sleep" }, .n_states = 2 };

	(void)state;
	assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct impossible_csv c = { .json = &json, .cpus = 2 };
		char *row = strdup(rows[i].from), *line, *rest = row;

		assert_non_null(row);
		impossible_csv_line(&c, header);
		while ((line = strsep(&rest, "\n")))
			impossible_csv_line(&c, line);
		assert_int_equal(c.rows, 1);
		if (rows[i].rule ? !has(&c.found, rows[i].rule) : c.found.n != 0) {
			findings_print(&c.found, "instead");
			fail_msg("row %zu: %s", i, rows[i].rule ? rows[i].rule : "is right");
		}
		impossible_csv_free(&c);
		free(row);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_right_passes),
		cmocka_unit_test(test_what_is_planted_is_found),
		cmocka_unit_test(test_the_dead_stay_dead),
		cmocka_unit_test(test_exits_have_rows),
		cmocka_unit_test(test_csv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of rows: by a column, and as a tree, also where a hostile recording makes children their parents'
 * parents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrange.h"

#define DEEP 100000
#define MANY 5000

static const struct row like = {
	.kind = MODEL_PROCESS, .comm = "", .cmdline = "", .cgroup = "", .interval_ns = 1000000000, .net = &row_no_net
};

struct family {
	uint32_t pid, ppid;
	uint64_t start_ns, run_ns;
};

/* "1 .2 ..3": the pids in order, each with a dot per level. */
static const char *arranged(const struct family *f, size_t n, const char *column, bool reverse, bool tree)
{
	struct row rows[16], *order[16];
	static char text[300];
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		rows[i] = like;
		rows[i].pid = rows[i].tid = f[i].pid;
		rows[i].ppid = f[i].ppid;
		rows[i].start_ns = f[i].start_ns;
		rows[i].time_ns[LT_RUN] = f[i].run_ns;
		order[i] = &rows[i];
	}
	assert_int_equal(arrange_rows(order, n, column_find(column), reverse, NULL, tree), 0);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (i)
			text[at++] = ' ';
		for (uint32_t d = 0; tree && d < order[i]->depth; d++)
			text[at++] = '.';
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%u", order[i]->pid);
	}
	return text;
}

#define ARRANGED(f, column, reverse, tree) arranged(f, sizeof(f) / sizeof((f)[0]), column, reverse, tree)

static void flat(void **state)
{
	static const struct family f[] = { { 1, 0, 1, 10 }, { 2, 1, 2, 30 }, { 3, 1, 3, 20 }, { 4, 2, 4, 30 } };

	(void)state;
	assert_string_equal(ARRANGED(f, "cpu", false, false), "2 4 3 1");
	assert_string_equal(ARRANGED(f, "cpu", true, false), "1 3 2 4");
	assert_int_equal(arrange_rows(NULL, 0, column_find("cpu"), false, NULL, true), 0);
}

/* Rows with 0 in the sorted column are still ordered by the next criterion. */
static void alike(void **state)
{
	static const uint64_t errors[] = { 0, 0, 2, 0, 2 }, run_ns[] = { 10, 30, 5, 20, 7 };
	struct row rows[5], *order[5];
	char text[32] = "";

	(void)state;
	for (int reverse = 0; reverse < 2; reverse++) {
		for (uint32_t i = 0; i < 5; i++) {
			rows[i] = like;
			rows[i].pid = i + 1;
			rows[i].call_errors = errors[i];
			rows[i].time_ns[LT_RUN] = run_ns[i];
			order[i] = &rows[i];
		}
		assert_int_equal(arrange_rows(order, 5, column_find("errors"), reverse, column_find("cpu"), false), 0);
		for (uint32_t i = 0; i < 5; i++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u ", order[i]->pid);
	}
	assert_string_equal(text, "5 3 2 4 1 2 4 1 5 3 ");
}

static void tree(void **state)
{
	static const struct family f[] = { { 5, 1, 5, 50 }, { 4, 2, 4, 40 }, { 3, 2, 3, 60 },
					   { 2, 1, 2, 10 }, { 1, 0, 1, 0 },  { 9, 77, 9, 5 } };

	(void)state;
	assert_string_equal(ARRANGED(f, "cpu", false, true), "9 1 .5 .2 ..3 ..4");
	assert_string_equal(ARRANGED(f, "cpu", true, true), "1 .2 ..4 ..3 .5 9");
}

/* The row for the rest of the machine does not come before a container's processes. */
static void outside_comes_last(void **state)
{
	static const struct family f[] = { { 0, 0, 1, 90 }, { 2, 0, 2, 30 }, { 3, 0, 3, 20 } };

	(void)state;
	assert_string_equal(ARRANGED(f, "cpu", false, false), "2 3 0");
	assert_string_equal(ARRANGED(f, "cpu", true, false), "3 2 0");
}

/* A process is not the parent of older processes (its pid was reused); of two with one pid, the one that fits is. */
static void reused_pids(void **state)
{
	static const struct family younger[] = { { 10, 0, 100, 1 }, { 11, 10, 50, 2 } };
	static const struct family both[] = { { 10, 0, 20, 3 }, { 10, 0, 100, 9 }, { 11, 10, 50, 2 } };

	(void)state;
	assert_string_equal(ARRANGED(younger, "cpu", false, true), "11 10");
	assert_string_equal(ARRANGED(both, "cpu", false, true), "10 10 .11");
}

static void rings(void **state)
{
	static const struct family self[] = { { 7, 7, 1, 0 } };
	static const struct family two[] = { { 1, 2, 5, 1 }, { 2, 1, 5, 2 }, { 3, 2, 6, 3 } };
	static const struct family tail[] = { { 1, 2, 5, 1 }, { 2, 1, 5, 2 }, { 8, 0, 5, 0 }, { 9, 8, 6, 4 } };

	(void)state;
	assert_string_equal(ARRANGED(self, "cpu", false, true), "7");
	assert_string_equal(ARRANGED(two, "cpu", false, true), "3 2 .1");
	assert_string_equal(ARRANGED(tail, "cpu", false, true), "8 .9 2 .1");
}

static void a_chain_needs_no_stack(void **state)
{
	struct row *rows = calloc(DEEP, sizeof(*rows)), **order = calloc(DEEP, sizeof(struct row *));

	(void)state;
	assert_true(rows && order);
	for (uint32_t i = 0; i < DEEP; i++) {
		rows[i] = like;
		rows[i].pid = i + 1;
		rows[i].ppid = i;
		rows[i].start_ns = i;
		order[DEEP - 1 - i] = &rows[i];
	}
	assert_int_equal(arrange_rows(order, DEEP, column_find("cpu"), false, NULL, true), 0);
	for (uint32_t i = 0; i < DEEP; i++)
		if (order[i] != &rows[i] || rows[i].depth != i)
			fail_msg("place %u holds pid %u at depth %u", i, order[i]->pid, order[i]->depth);
	free(order);
	free(rows);
}

/* Sorting by keys gives the order of column_compare: checked for all neighbours, by each column and kind. */
static void as_compared(void **state)
{
	static const char *const names[] = { "traffic", "srtt", "age", "pid", "local", "cpu" };
	struct sample_connection *connections = calloc(MANY, sizeof(*connections));
	struct row *rows = calloc(MANY, sizeof(*rows)), **order = calloc(MANY, sizeof(struct row *));
	struct row_net *nets = calloc(MANY, sizeof(*nets));
	uint32_t noise = 1;

	(void)state;
	assert_true(connections && rows && order && nets);
	for (uint32_t i = 0; i < MANY; i++) {
		struct sample_connection *c = &connections[i];

		noise = noise * 1664525 + 1013904223;
		rows[i] = like;
		rows[i].kind = noise >> 30 ? MODEL_CONNECTION : MODEL_PROCESS;
		rows[i].pid = rows[i].tid = noise >> 16 & 7;
		rows[i].off = noise >> 28 & 7 ? 0 : 1 << SAMPLE_NET;
		rows[i].time_ns[LT_RUN] = noise >> 20 & 15;
		rows[i].net = &nets[i];
		nets[i].srtt_ns = SAMPLE_UNKNOWN;
		nets[i].flow[LT_TCP].tx_bytes = noise >> 24 & 3 ? 0 : noise >> 8;
		*c = (struct sample_connection){ .proto = LT_TCP, .family = 4, .state = 1 };
		c->local_port = noise >> 8 & 1;
		c->remote_port = noise >> 12 & 3;
		c->remote[0] = noise >> 4 & 15;
		c->srtt_ns = noise >> 26 & 1 ? SAMPLE_UNKNOWN : noise >> 10 & 255;
		c->age_ns = (uint64_t)noise << 20;
		rows[i].connection = rows[i].kind == MODEL_CONNECTION ? c : NULL;
	}
	for (size_t n = 0; n < 2 * sizeof(names) / sizeof(names[0]); n++) {
		const struct column *column = column_find(names[n / 2]);

		for (uint32_t i = 0; i < MANY; i++)
			order[i] = &rows[i];
		assert_int_equal(arrange_rows(order, MANY, column, n % 2, NULL, false), 0);
		for (uint32_t i = 0; i < MANY; i++)
			rows[i].depth = 0;
		for (uint32_t i = 0; i < MANY; i++) {
			order[i]->depth++;
			if (i && column_compare(column, n % 2, order[i - 1], order[i]) > 0)
				fail_msg("by %s: places %u and %u", names[n / 2], i - 1, i);
		}
		for (uint32_t i = 0; i < MANY; i++)
			assert_int_equal(rows[i].depth, 1);
	}
	free(connections);
	free(nets);
	free(order);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat),
		cmocka_unit_test(alike),
		cmocka_unit_test(tree),
		cmocka_unit_test(outside_comes_last),
		cmocka_unit_test(reused_pids),
		cmocka_unit_test(rings),
		cmocka_unit_test(a_chain_needs_no_stack),
		cmocka_unit_test(as_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

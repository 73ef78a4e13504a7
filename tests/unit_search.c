/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which match of a search is the best, and which is next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "search.h"

/* By pid, in this order: what has exited is of no use to who looks for a process, if another of that name is there. */
static struct row rows[] = {
	{ .pid = 10, .comm = "api", .exited = true },  { .pid = 11, .comm = "my-api" }, { .pid = 12, .comm = "api" },
	{ .pid = 13, .comm = "api", .exited = true },  { .pid = 14, .comm = "apiary" }, { .pid = 15, .comm = "other" },
	{ .pid = 16, .comm = "gone", .exited = true },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct table table;

static void arrange(void)
{
	const struct table_wants all = { 0 };

	for (size_t i = 0; i < ROWS; i++) {
		rows[i].kind = MODEL_PROCESS;
		rows[i].net = &row_no_net;
		rows[i].cmdline = rows[i].cgroup = rows[i].killer_comm = "";
		rows[i].interval_ns = 1000000000;
	}
	table_init(&table, column_view_find("overview"));
	table.sort = column_find("pid");
	table.reverse = true;
	assert_int_equal(table_arrange(&table, MODEL_PROCESS, rows, ROWS, ROWS, &all, 0), 0);
	assert_int_equal(table_row(&table, 0)->pid, 10);
}

static void the_living_come_first(void **state)
{
	static const uint32_t order[] = { 12, 10, 13, 14, 11, 12 };
	struct search q;

	(void)state;
	arrange();
	search_for(&q, "api", NULL);
	assert_true(search_best(&q, &table, 0));
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		assert_int_equal(table_cursor(&table)->pid, order[i]);
		assert_true(search_next(&q, &table, 1, 0));
	}
	assert_int_equal(table_cursor(&table)->pid, 10);
	assert_true(search_next(&q, &table, -1, 0));
	assert_int_equal(table_cursor(&table)->pid, 12);
	assert_true(search_next(&q, &table, -1, 0));
	assert_int_equal(table_cursor(&table)->pid, 11);
	/* If nobody else has the name, it is found nevertheless. */
	search_for(&q, "gone", NULL);
	assert_true(search_best(&q, &table, 0));
	assert_int_equal(table_cursor(&table)->pid, 16);
	search_for(&q, "nobody", NULL);
	assert_false(search_best(&q, &table, 0));
	assert_false(search_next(&q, &table, 1, 0));
	table_free(&table);
}

/* What was found among idle processes stays when they fold again; the others do. */
static void what_was_found_does_not_fold(void **state)
{
	const struct table_wants all = { 0 };
	struct row idle[12] = { 0 };
	struct search q;

	(void)state;
	for (uint32_t i = 0; i < 12; i++) {
		idle[i] = rows[5];
		idle[i].kind = MODEL_PROCESS;
		idle[i].pid = 100 + i;
		idle[i].cmdline = idle[i].cgroup = idle[i].killer_comm = "";
		idle[i].net = &row_no_net;
		idle[i].interval_ns = 1000000000;
		idle[i].time_ns[i ? LT_POLL : LT_WAKEQ] = 1000000000;
	}
	table_init(&table, column_view_find("overview"));
	assert_int_equal(table_arrange(&table, MODEL_PROCESS, idle, 12, 12, &all, 0), 0);
	assert_int_equal(table.n, 1);
	assert_int_equal(table.idle, 11);
	table.n += table.idle; /* as view_search does */
	search_for(&q, "107", NULL);
	assert_true(search_best(&q, &table, 1));
	table.n = 1;
	for (uint64_t now_ns = 2; now_ns < 4 * TABLE_HOLD_NS; now_ns += TABLE_HOLD_NS) {
		assert_int_equal(table_arrange(&table, MODEL_PROCESS, idle, 12, 12, &all, now_ns), 0);
		assert_int_equal(table_cursor(&table)->pid, 107);
	}
	assert_int_equal(table.n, 2);
	assert_int_equal(table.idle, 10);
	assert_true(table.folded);
	table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_living_come_first),
		cmocka_unit_test(what_was_found_does_not_fold),
	};

	return cmocka_run_group_tests_name("unit_search", tests, NULL, NULL);
}

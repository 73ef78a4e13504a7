/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that grows with activity on the machine has a bound. At the bound the numbers still add up, and what is
 * missing from them is in `lost`.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"
#include "sandbox.h"

#define MIB (1 << 20)
#define MOST_ROWS 129 /* calls of one thread, `others` among them */

/* The rows of a process's calls over readings: their sums, and how many are impossible. */
struct call_rows {
	int64_t count, errors, named_errors, most, twice, negative;
};

static void add_row(struct call_rows *sum, struct json_object *row)
{
	int64_t count = live_get(row, "count"), errors = live_get(row, "errors");

	sum->count += count;
	sum->errors += errors;
	sum->negative += count < 0 || errors < 0 || errors > count || live_get(row, "time_ns") < 0;
	json_object_object_foreach(json_object_object_get(row, "errno"), name, value)
	{
		sum->named_errors += *name ? json_object_get_int64(value) : 0;
	}
}

static struct call_rows sum_rows(struct live *l, int64_t pid)
{
	struct call_rows sum = {};

	for (size_t r = 0; r < l->n; r++) {
		struct json_object *p = live_process(l->reading[r], pid);
		struct json_object *rows = p ? json_object_object_get(p, "syscalls") : NULL;
		size_t n = rows ? json_object_array_length(rows) : 0;

		sum.most = (int64_t)n > sum.most ? (int64_t)n : sum.most;
		for (size_t i = 0; i < n; i++) {
			struct json_object *row = json_object_array_get_idx(rows, i);

			add_row(&sum, row);
			for (size_t j = 0; j < i; j++)
				sum.twice +=
					live_get(json_object_array_get_idx(rows, j), "nr") == live_get(row, "nr") &&
					!strcmp(live_text(json_object_array_get_idx(rows, j), "abi"),
						live_text(row, "abi"));
		}
	}
	return sum;
}

static int64_t map_bytes(struct live *l)
{
	return live_get(l->reading[l->n - 1], "self.map_bytes");
}

/* The process has exited: every call it made is in its rows or lost. */
static void compare_rows(struct live *l, struct child *load, const char *what)
{
	int64_t calls, lost = 0;
	struct call_rows rows;

	child_close_in(load);
	assert_int_equal(child_wait(load), 0);
	live_past_now(l);
	for (size_t r = 0; r < l->n; r++)
		lost += live_get(l->reading[r], "lost.calls");
	rows = sum_rows(l, load->pid);
	calls = live_sum(l, 0, load->pid, "calls.count");
	live_between((double)(rows.count + lost), (double)calls, (double)(calls + lost), "%s: rows and lost", what);
	live_between((double)rows.count, (double)(calls - lost), (double)calls, "%s: rows", what);
	live_compare((double)rows.named_errors, (double)rows.errors, 0, "%s: errors by errno", what);
	live_compare((double)rows.twice, 0, 0, "%s: two rows for one call", what);
	live_compare((double)rows.negative, 0, 0, "%s: impossible rows", what);
}

/* Many calls, evenly and all in one chain of entries. */
static void test_different_calls_of_a_thread(void **state)
{
	static const struct {
		const char *numbers, *stride, *each, *ops;
	} loads[] = {
		{ "70", "16", "2000", "70 in a chain" },
		{ "200", "16", "500", "200 in a chain" },
		{ "3000", "1", "20", "3,000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(loads) / sizeof(*loads); i++) {
		struct live *l = live_start("-d", "0.2", NULL);
		struct child *load =
			live_load(NULL, "numbers", "1", loads[i].numbers, loads[i].stride, loads[i].each, NULL);
		int64_t bytes = map_bytes(l);

		live_round(load);
		live_round(load);
		compare_rows(l, load, loads[i].ops);
		live_compare((double)sum_rows(l, load->pid).most, 0, 2 * MOST_ROWS, "%s: rows of two threads",
			     loads[i].ops);
		live_between((double)(map_bytes(l) - bytes), 0, 4 * MIB, "%s: more kernel memory", loads[i].ops);
		live_end_test(NULL);
	}
	live_verdict();
}

/* `others` stands for what has no row of its own, with its errors. */
static void test_others(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "numbers", "1", "1000", "1", "10", NULL);
	struct call_rows rows;
	int64_t count;

	(void)state;
	live_round(load);
	compare_rows(l, load, "others");
	rows = sum_rows(l, load->pid);
	count = live_sum_call(l, 0, load->pid, "others", "count");
	/* The thread made a few others before. */
	live_between((double)count, (1000 - 128) * 10, (1000 - 128 + 30) * 10, "others: calls");
	live_compare((double)live_sum_call(l, 0, load->pid, "others", "errno.ENOSYS"), (double)count, 40,
		     "others: ENOSYS");
	live_between((double)rows.errors, 10000, 10100, "all: errors");
	live_verdict();
}

#define PATIENCE 150 /* readings */

/* The memory that so many threads needed, and what is left after they exited. */
static void compare_memory(struct live *l, int64_t bytes, int64_t most, const char *what)
{
	/* Other processes that started meanwhile have some. */
	int64_t left = bytes + (most - bytes) / 2;

	for (int i = 0; i < PATIENCE && map_bytes(l) > left; i++)
		live_next(l);
	live_between((double)map_bytes(l), 0, (double)left, "%s are gone: kernel memory", what);
}

/* Memory that many threads needed is returned to the kernel after they exited. */
static void test_memory_comes_back(void **state)
{
	int64_t bytes, most;
	struct child *load;
	struct live *l;

	(void)state;
	l = live_start("-d", "0.2", NULL);
	bytes = map_bytes(l);
	load = live_load(NULL, "numbers", "200", "200", "1", "1", NULL);
	/* The pool grows at readings: a call may be lost before that, and gets its entry the next time. */
	for (int i = 0; i < 10; i++)
		live_round(load);
	live_past_now(l);
	most = map_bytes(l);
	live_between((double)(most - bytes), 8 * MIB, 30 * MIB, "200 threads: more kernel memory");
	compare_rows(l, load, "200 threads");
	compare_memory(l, bytes, most, "200 threads");
	/* What follows is counted as usual. */
	live_claims(l, "mixed", "8", "500", NULL);
	live_verdict();
}

static int64_t threads_of(struct live *l, int64_t pid)
{
	struct json_object *p = live_process(l->reading[l->n - 1], pid);

	return p ? live_get(p, "threads") : 0;
}

static int open_files(struct live *l)
{
	char path[40];
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", l->child->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* The same for records, twice: the second time in the places that the first time freed. No file of theirs stays open.
 */
static void test_memory_of_threads_comes_back(void **state)
{
	const char *threads = live_times("8000", "5000"); /* a guest has no memory for more */
	int64_t bytes, most, n = atol(threads);
	struct child *crowd;
	struct live *l;
	int files;

	(void)state;
	setenv("LAGTOP_IDLE", "2", 1);
	l = live_start("-d", "0.2", NULL);
	unsetenv("LAGTOP_IDLE");
	bytes = map_bytes(l);
	files = open_files(l);
	for (int i = 0; i < 2; i++) {
		crowd = live_load(NULL, "crowd", threads, NULL);
		/* Threads created faster than records were added get theirs at the next iteration. */
		for (int r = 0; r < PATIENCE && threads_of(l, crowd->pid) <= n; r++)
			live_next(l);
		live_compare((double)threads_of(l, crowd->pid), (double)n + 1, 0, "threads");
		most = map_bytes(l);
		live_between((double)(most - bytes), (double)n * 1000, 40 * MIB, "%s threads: more kernel memory",
			     threads);
		child_close_in(crowd);
		assert_int_equal(child_wait(crowd), 0);
		compare_memory(l, bytes, most, "crowds");
		/* Its helpers may be reading files of /proc just now. */
		live_compare(open_files(l), files, 8, "crowds are gone: open files");
		live_claims(l, "mixed", "8", "500", NULL);
	}
	live_verdict();
}

static int remove_group(void **state)
{
	int err = live_end_test(state);

	sandbox_remove_memory_group();
	return err;
}

/* 40 MiB, and a process with 100 threads and 1,000 calls each: lagtop survives, and reports what it did not count. */
static void test_memory_limit(void **state)
{
	const char *threads = live_times("8000", "5000");
	struct live *l;
	struct child *load;

	(void)state;
	live_need_bpf();
	if (!sandbox_memory_group("41943040"))
		live_skip("no control group with a limit of memory can be made here");
	l = live_start_as(sandbox_in_memory_group, NULL, "-d", "0.2", NULL);
	load = live_load(NULL, "numbers", "300", "1000", "1", "1", NULL);
	for (int i = 0; i < 10; i++) {
		live_round(load);
		live_past_now(l);
	}
	compare_rows(l, load, "under a limit");
	live_between((double)map_bytes(l), 1, 20 * MIB, "under a limit: kernel memory");
	live_load(NULL, "crowd", threads, NULL);
	live_past_now(l);
	live_past_now(l);
	live_between((double)map_bytes(l), 1, 26 * MIB, "and with %s threads", threads);
	live_between((double)live_get(l->reading[l->n - 1], "lost.threads") +
			     (double)live_get(l->reading[l->n - 1], "host.threads"),
		     strtod(threads, NULL) + 1, 1e6, "threads, and those without a record");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest bounds[] = {
		live_test(test_different_calls_of_a_thread),
		live_test(test_others),
		live_test(test_memory_comes_back),
		live_test(test_memory_of_threads_comes_back),
		cmocka_unit_test_teardown(test_memory_limit, remove_group),
	};

	return live_main(bounds);
}

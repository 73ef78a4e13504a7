/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a row lags, in words: each rule, what is too little, what is not known, and how it fits into few cells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <string.h>

#include "column.h"
#include "filter.h"
#include "why.h"

#define MS 1000000ULL

static struct row row_of(enum lt_state state, uint64_t ms)
{
	struct row r = { .kind = MODEL_PROCESS,
			 .interval_ns = 1000 * MS,
			 .comm = "",
			 .cmdline = "",
			 .cgroup = "",
			 .net = &row_no_net };

	r.time_ns[state] = ms * MS;
	return r;
}

static void assert_says(const struct row *r, const char *expected)
{
	char buf[WHY_SIZE];
	struct value v = column_find("why")->raw(r);

	if (!expected) {
		assert_false(why_say(r, buf));
		assert_int_equal(v.type, VALUE_NONE);
		return;
	}
	assert_true(why_say(r, buf));
	assert_string_equal(buf, expected);
	assert_int_equal(v.type, VALUE_TEXT);
	assert_string_equal(v.text, expected);
}

static void each_state(void **state)
{
	static const char *const said[LT_STATES] = {
		[LT_WAKEQ] = "waits for CPU 60%", [LT_PREEMPT] = "waits for CPU 60%",
		[LT_THROTTLED] = "quota 60%",	  [LT_DISK] = "disk 60%",
		[LT_MEMORY] = "memory 60%",	  [LT_BLOCK] = "blocked in kernel 60%",
	};

	(void)state;
	for (int i = 0; i < LT_STATES; i++) {
		struct row r = row_of(i, 300);
		enum lt_state other = i == LT_DISK ? LT_MEMORY : LT_DISK;

		if (!said[i]) {
			assert_says(&r, NULL);
			continue;
		}
		r.time_ns[other] += 200 * MS;
		assert_says(&r, said[i]);
	}
}

/* Both ways of waiting for a CPU are one part; of equal ones the first is said. */
static void the_greatest_part(void **state)
{
	struct row r = row_of(LT_DISK, 300);

	(void)state;
	r.time_ns[LT_WAKEQ] = 200 * MS;
	r.time_ns[LT_PREEMPT] = 100 * MS;
	assert_says(&r, "waits for CPU 50%");
	r.time_ns[LT_DISK]++;
	assert_says(&r, "disk 50%");
	r.time_ns[LT_THROTTLED] = 1400 * MS;
	assert_says(&r, "quota 70%");
	for (int i = 0; i < LT_STATES; i++)
		r.time_ns[i] = COUNTER_MOST;
	assert_says(&r, "waits for CPU 100%"); /* sums saturate */
}

static void too_little_or_not_known(void **state)
{
	struct row r = row_of(LT_DISK, 1);
	char buf[32];

	(void)state;
	assert_says(&r, "disk 100%");
	r.time_ns[LT_DISK]--;
	assert_says(&r, NULL);
	assert_int_equal(why_fit(&r, true, buf, sizeof(buf), 10), 1);
	assert_string_equal(buf, "·");
	assert_int_equal(why_fit(&r, false, buf, sizeof(buf), 10), 1);
	assert_string_equal(buf, ".");
	r.time_ns[LT_DISK] = 300 * MS;
	r.off = 1 << SAMPLE_SCHED;
	assert_says(&r, NULL);
	assert_int_equal(why_fit(&r, true, buf, sizeof(buf), 10), 1);
	assert_string_equal(buf, "-");
}

/* Fewer words before a part of them; the share is never lost. */
static void in_few_cells(void **state)
{
	static const struct {
		enum lt_state of;
		int cells;
		const char *text;
	} cases[] = {
		{ LT_WAKEQ, 40, "waits for CPU 100%" },
		{ LT_WAKEQ, 18, "waits for CPU 100%" },
		{ LT_WAKEQ, 17, "CPU 100%" },
		{ LT_WAKEQ, 8, "CPU 100%" },
		{ LT_WAKEQ, 7, "C… 100%" },
		{ LT_THROTTLED, 10, "quota 100%" },
		{ LT_THROTTLED, 9, "quo… 100%" },
		{ LT_MEMORY, 10, "mem 100%" },
		{ LT_BLOCK, 10, "block 100%" },
		{ LT_WAKEQ, 4, "100%" },
		{ LT_WAKEQ, 3, "10…" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row r = row_of(cases[i].of, 300);
		char buf[64];

		assert_true(column_format(column_find("why"), &r, true, buf, sizeof(buf), cases[i].cells) <=
			    cases[i].cells);
		assert_string_equal(buf, cases[i].text);
	}
}

/* In focus: who was running, processes of one name together; no one if each ran little. */
static void behind_whom(void **state)
{
	struct sample_because because[] = {
		{ .kind = SAMPLE_BLAME_CPU, .pid = 7, .start_ns = 70, .ns = 100 * MS, .comm = "gzip" },
		{ .kind = SAMPLE_BLAME_IRQ, .ns = 90 * MS },
		{ .kind = SAMPLE_BLAME_CPU, .pid = 8, .start_ns = 80, .ns = 60 * MS, .comm = "cc1" },
		{ .kind = SAMPLE_BLAME_CPU, .pid = 9, .start_ns = 90, .ns = 50 * MS, .comm = "cc1" },
		{ .kind = SAMPLE_BLAME_OTHERS, .ns = 200 * MS },
	};
	struct row r = row_of(LT_WAKEQ, 500);
	char buf[64];

	(void)state;
	r.because = because;
	r.n_because = 5;
	assert_says(&r, "waits for CPU 100%");
	because[2].ns = 70 * MS;
	because[4].ns = 100 * MS;
	r.time_ns[LT_WAKEQ] = 400 * MS;
	assert_says(&r, "behind cc1 30%");
	r.time_ns[LT_DISK] = 200 * MS;
	assert_says(&r, "behind cc1 20%"); /* of LAG, not of the wait */
	assert_int_equal(why_fit(&r, true, buf, sizeof(buf), 10), 7);
	assert_string_equal(buf, "cc1 20%");
	because[1].ns = 190 * MS;
	assert_says(&r, "behind interrupts 32%");
	because[1].kind = SAMPLE_BLAME_ASLEEP;
	assert_says(&r, "CPU was asleep 32%");
	because[1].kind = SAMPLE_BLAME_STEAL;
	assert_says(&r, "behind the hypervisor 32%");
	r.time_ns[LT_DISK] = 500 * MS;
	assert_says(&r, "disk 56%");
	/* Names are hostile. */
	r.time_ns[LT_DISK] = 0;
	because[1].kind = SAMPLE_BLAME_CPU;
	strcpy(because[1].comm, "\033[2J\xff");
	assert_true(why_fit(&r, true, buf, sizeof(buf), 40) > 0);
	assert_string_equal(buf, "behind ?[2J? 48%");
}

/* Of sleeps only those count that are certain to be no idleness; a holder is named for its own kind of wait. */
static void held_by_whom(void **state)
{
	struct sample_because because[] = {
		{ .kind = SAMPLE_BLAME_WAKER, .state = LT_POLL, .ns = 900 * MS, .pid = 6, .comm = "client" },
		{ .kind = SAMPLE_BLAME_HOLDER,
		  .state = LT_LOCK,
		  .ns = 300 * MS,
		  .pid = 7,
		  .tid = 9,
		  .comm = "worker-3" },
		{ .kind = SAMPLE_BLAME_HOLDER, .state = LT_BLOCK, .ns = 350 * MS, .pid = 8, .comm = "backup" },
	};
	struct row r = row_of(LT_LOCK, 600);
	char buf[WHY_SIZE];

	(void)state;
	r.because = because;
	r.n_because = 3;
	assert_false(why_say(&r, buf));
	r.contended_lock_ns = 400 * MS;
	assert_says(&r, "lock held by worker-3 75%");
	assert_int_equal(why_fit(&r, true, buf, sizeof(buf), 18), 17);
	assert_string_equal(buf, "lock worker-3 75%");
	because[1].ns = 90 * MS;
	assert_says(&r, "lock contended 100%");
	because[1].ns = 300 * MS;
	r.time_ns[LT_DISK] = 200 * MS;
	assert_says(&r, "lock held by worker-3 50%"); /* of all that hurts */
	r.time_ns[LT_BLOCK] = 600 * MS;
	assert_says(&r, "lock held by backup 29%");
	r.upstream_ns = 800 * MS;
	assert_says(&r, "waits for upstream 40%");
	r.upstream_peer = (struct lt_peer){ .family = 4, .address = { 10, 0, 0, 5 }, .port = 5432 };
	assert_says(&r, "waits for 10.0.0.5:5432 40%");
	assert_int_equal(why_fit(&r, true, buf, sizeof(buf), 17), 17);
	assert_string_equal(buf, "10.0.0.5:5432 40%");
	r.upstream_peer = (struct lt_peer){ .address = "/run/db.sock" };
	assert_says(&r, "waits for /run/db.sock 40%");
}

static bool holds(const char *expression, const struct row *r)
{
	char why[200] = "";
	size_t at = 0;
	struct filter *f = filter_parse(expression, &at, why, sizeof(why));
	bool held;

	if (!f)
		fail_msg("%s: %s", expression, why);
	held = filter_holds(f, r);
	filter_free(f);
	return held;
}

static void filters_and_sorts_as_text(void **state)
{
	struct row quota = row_of(LT_THROTTLED, 300), disk = row_of(LT_DISK, 300), calm = row_of(LT_SLEEP, 300);
	const struct column *c = column_find("why");

	(void)state;
	assert_true(holds("why~\"quota\"", &quota));
	assert_false(holds("why~\"quota\"", &disk));
	assert_false(holds("why~\"quota\"", &calm));
	assert_true(column_compare(c, false, &disk, &quota) < 0);
	assert_true(column_compare(c, true, &disk, &quota) > 0);
	assert_true(column_compare(c, false, &quota, &calm) < 0);
	assert_true(column_compare(c, true, &quota, &calm) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state),
		cmocka_unit_test(the_greatest_part),
		cmocka_unit_test(too_little_or_not_known),
		cmocka_unit_test(in_few_cells),
		cmocka_unit_test(behind_whom),
		cmocka_unit_test(held_by_whom),
		cmocka_unit_test(filters_and_sorts_as_text),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

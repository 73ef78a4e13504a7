/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Percentiles against their definition, and at the edges of the histogram. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "reading.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Against the definition: the ⌈p·n⌉-th smallest of the values themselves. */
static void percentiles_are_near(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 9, 10, 11, 99, 100, 101, 1000, 4321 };
	uint64_t values[4321], seed = 88172645463325252ULL;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint64_t count[HIST_BUCKETS] = { 0 };
		size_t n = sizes[i];
		struct model_dist d;

		for (size_t v = 0; v < n; v++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			values[v] = seed >> 30 >> (seed % 27); /* every octave up to 17 s */
			count[hist_bucket(values[v])]++;
		}
		qsort(values, n, sizeof(values[0]), by_value);
		d = model_dist_of(count, values[n - 1]);
		assert_int_equal(d.count, n);
		assert_int_equal(d.max_ns, values[n - 1]);
		assert_false(d.max_at_least);
		reading_assert_near(d.p50_ns, values[(n * 50 + 99) / 100 - 1]);
		reading_assert_near(d.p90_ns, values[(n * 90 + 99) / 100 - 1]);
		reading_assert_near(d.p99_ns, values[(n * 99 + 99) / 100 - 1]);
		assert_true(d.p50_ns <= d.p90_ns && d.p90_ns <= d.p99_ns && d.p99_ns <= d.max_ns);
	}
}

static void percentiles_at_the_edges(void **state)
{
	uint64_t count[HIST_BUCKETS] = { 0 };
	struct model_dist d = model_dist_of(count, 5);

	(void)state;
	assert_int_equal(d.count, 0);
	/* 100 events: the 99th is not the 100th. */
	count[hist_bucket(1000)] = 99;
	count[hist_bucket(1000000)] = 1;
	d = model_dist_of(count, 1000000);
	reading_assert_near(d.p99_ns, 1000);
	assert_int_equal(d.max_ns, 1000000);
	/* 101: it is. */
	count[hist_bucket(1000000)] = 2;
	d = model_dist_of(count, 1000000);
	reading_assert_near(d.p99_ns, 1000000);
	assert_true(d.p99_ns <= 1000000);
	/* The middle of a bucket lies above the only value in it. */
	memset(count, 0, sizeof(count));
	count[hist_bucket(1 << 20)] = 1;
	d = model_dist_of(count, 1 << 20);
	assert_int_equal(d.p50_ns, 1 << 20);
	assert_int_equal(d.p99_ns, 1 << 20);
	/* The maximum was missed, as a higher bucket shows. */
	memset(count, 0, sizeof(count));
	count[hist_bucket(1000)] = 99;
	count[hist_bucket(1000000)] = 2;
	d = model_dist_of(count, 2000);
	assert_true(d.max_at_least);
	assert_int_equal(d.max_ns, hist_floor(hist_bucket(1000000)));
	/* It is not known at all. */
	d = model_dist_of(count, 0);
	assert_int_equal(d.max_ns, hist_floor(hist_bucket(1000000) + 1) - 1);
	/* The open end. */
	memset(count, 0, sizeof(count));
	count[HIST_BUCKETS - 1] = 1;
	d = model_dist_of(count, 40 * SECOND_NS);
	assert_int_equal(d.max_ns, 40 * SECOND_NS);
	assert_true(d.p50_ns > 17 * SECOND_NS && d.p50_ns <= 40 * SECOND_NS);
	d = model_dist_of(count, 0);
	assert_true(d.max_at_least);
	assert_int_equal(d.max_ns, 1ULL << 34);
	/* Counts whose product with 99 overflows. */
	count[0] = UINT64_MAX / 4;
	count[1] = UINT64_MAX / 4;
	count[HIST_BUCKETS - 1] = UINT64_MAX / 4;
	d = model_dist_of(count, 18 * SECOND_NS);
	assert_true(d.p50_ns >= 256 && d.p50_ns < 320);
	assert_true(d.p99_ns > 17 * SECOND_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_near),
		cmocka_unit_test(percentiles_at_the_edges),
	};

	return cmocka_run_group_tests_name("dist", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The histogram that both sides share: every bucket, both ends, and the error bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hist.h"

#define LAST (HIST_BUCKETS - 1)

static void buckets_are_contiguous(void **state)
{
	(void)state;
	assert_int_equal(hist_floor(0), 0);
	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		uint64_t first = hist_floor(b), last = hist_floor(b + 1) - 1;

		assert_true(first <= last);
		assert_int_equal(hist_bucket(first), b);
		assert_int_equal(hist_bucket(first + (last - first) / 2), b);
		assert_int_equal(hist_bucket(last), b);
		if (b > 0)
			assert_int_equal(hist_bucket(first - 1), b - 1);
	}
}

/* As the BPF programs compute it. */
static void log2_by_shifts(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 63; i++) {
		uint64_t v = 1ULL << i;

		assert_int_equal(hist_log2_by_shifts(v), i);
		assert_int_equal(hist_log2_by_shifts(v | (v - 1)), i);
		assert_int_equal(hist_log2_by_shifts(v | v / 3), i);
	}
}

static void ends_hold(void **state)
{
	(void)state;
	assert_int_equal(hist_bucket(255), 0);
	assert_int_equal(hist_bucket(256), 1);
	assert_int_equal(hist_floor(LAST), 1ULL << 34); /* 17.2 s */
	assert_int_equal(hist_bucket((1ULL << 34) - 1), LAST - 1);
	assert_int_equal(hist_bucket(1ULL << 34), LAST);
	assert_int_equal(hist_bucket(UINT64_MAX), LAST);
	assert_int_equal(hist_floor(HIST_BUCKETS), UINT64_MAX);
}

/* No value of a closed bucket is further from its middle than 12.5 % of itself. */
static void middle_is_near(void **state)
{
	(void)state;
	for (uint32_t b = 1; b < LAST; b++) {
		uint64_t first = hist_floor(b), end = hist_floor(b + 1), middle = first + (end - first) / 2;

		assert_true((middle - first) * 1000 <= first * 125);
		assert_true((end - 1 - middle) * 1000 <= (end - 1) * 125);
	}
}

/* A bucket never gets smaller when the value grows, all over the range of u64. */
static void order_is_kept(void **state)
{
	uint32_t before = 0;

	(void)state;
	for (uint64_t v = 0; v < UINT64_MAX - v / 7 - 1; v += v / 7 + 1) {
		uint32_t b = hist_bucket(v);

		assert_true(b >= before && b < HIST_BUCKETS);
		assert_true(hist_floor(b) <= v);
		before = b;
	}
	assert_int_equal(before, LAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_are_contiguous), cmocka_unit_test(log2_by_shifts), cmocka_unit_test(ends_hold),
		cmocka_unit_test(middle_is_near),	  cmocka_unit_test(order_is_kept),
	};

	return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}

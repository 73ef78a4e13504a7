/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an estimate from one call in LT_SAMPLED is worth: bpf/sample.bpf.h, compiled for this machine, chooses among
 * calls of known durations, and the percentiles and sums are compared with those of all of them. Random numbers are
 * the same in each run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#undef __always_inline
#define __always_inline inline

static uint64_t seed = 88172645463325252ULL;

static uint32_t bpf_get_prandom_u32(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32);
}

#include "../bpf/sample.bpf.h"

#define CALLS 100000

static uint64_t constant(uint32_t i)
{
	(void)i;
	return 3000;
}

static uint64_t alternating(uint32_t i)
{
	return i % 2 ? 1000 : 20000;
}

/* In step with a fixed gap. */
static uint64_t every_sixteenth(uint32_t i)
{
	return i % 16 ? 1000 : 9000;
}

static uint64_t exponential(uint32_t i)
{
	(void)i;
	return 300 + (uint64_t)(-5000 * log(((double)bpf_get_prandom_u32() + 1) / 4294967297.0));
}

static const struct {
	const char *name;
	uint64_t (*ns)(uint32_t i);
} known[] = {
	{ "constant", constant },
	{ "alternating", alternating },
	{ "every sixteenth", every_sixteenth },
	{ "exponential", exponential },
};

struct count {
	uint64_t hist[HIST_BUCKETS], sum_ns;
};

static void count(struct count *c, uint64_t ns, uint32_t weight)
{
	c->hist[hist_bucket(ns)] += weight;
	c->sum_ns += ns * weight;
}

static void same_bucket(const char *name, const char *what, uint64_t estimated_ns, uint64_t exact_ns)
{
	uint32_t a = hist_bucket(estimated_ns), b = hist_bucket(exact_ns);

	if ((a > b ? a - b : b - a) > 1)
		fail_msg("%s: %s is %lu ns, not %lu", name, what, (unsigned long)estimated_ns, (unsigned long)exact_ns);
}

static void percentiles_and_sums(void **state)
{
	(void)state;
	for (size_t d = 0; d < sizeof(known) / sizeof(known[0]); d++) {
		struct count exact = { 0 }, estimate = { 0 };
		struct lt_calls calls = { 0 };
		struct model_dist a, b;
		double off;

		for (uint32_t i = 0; i < CALLS; i++) {
			uint64_t ns = known[d].ns(i);

			count(&exact, ns, 1);
			if (lt_is_timed(&calls))
				count(&estimate, ns, LT_SAMPLED);
		}
		a = model_dist_of(estimate.hist, 0);
		b = model_dist_of(exact.hist, 0);
		same_bucket(known[d].name, "p50", a.p50_ns, b.p50_ns);
		same_bucket(known[d].name, "p90", a.p90_ns, b.p90_ns);
		same_bucket(known[d].name, "p99", a.p99_ns, b.p99_ns);
		off = (double)estimate.sum_ns / (double)exact.sum_ns - 1;
		print_message("# %s: sum %+.1f %%\n", known[d].name, off * 100);
		if (fabs(off) > 0.05)
			fail_msg("%s: the sum is %+.1f %% off", known[d].name, off * 100);
	}
}

/* Calls that work before they sleep: those that are not timed are known only from their sleep on. */
static void sums_of_calls_that_sleep(void **state)
{
	struct lt_calls calls = { 0 };
	uint64_t exact_ns = 0, estimated_ns = 0;
	double off;

	(void)state;
	for (uint32_t i = 0; i < CALLS; i++) {
		uint64_t early_ns = exponential(i), rest_ns = exponential(i), all_ns = early_ns + rest_ns;

		exact_ns += all_ns;
		estimated_ns += lt_is_timed(&calls) ? lt_sampled_sum(all_ns, true, early_ns) : rest_ns;
	}
	off = (double)estimated_ns / (double)exact_ns - 1;
	if (fabs(off) > 0.05)
		fail_msg("the sum is %+.1f %% off", off * 100);
}

/* Threads that make few calls are timed as often as others. */
static void short_threads(void **state)
{
	(void)state;
	for (uint32_t each = 1; each <= 64; each *= 2) {
		uint32_t timed = 0;
		double off;

		for (uint32_t thread = 0; thread < CALLS / each; thread++) {
			struct lt_calls calls = { 0 };

			for (uint32_t i = 0; i < each; i++)
				timed += lt_is_timed(&calls);
		}
		off = (double)timed * LT_SAMPLED / (CALLS / each * each) - 1;
		if (fabs(off) > 0.05)
			fail_msg("of threads with %u calls %+.1f %% too many are timed", each, off * 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_and_sums),
		cmocka_unit_test(sums_of_calls_that_sleep),
		cmocka_unit_test(short_threads),
	};

	return cmocka_run_group_tests_name("sampling", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The budget's controller, reading by reading, under loads that would make a naive one flap. */
#include <stdbool.h>
#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "budget.h"

#define SECOND_NS 1000000000ULL
#define LEVELS 4
#define HOUR 3600
#define CHANGES 10000

static const double all_levels[LEVELS] = { 1, 0.6, 0.4, 0.1 }; /* cost of each, as a share of exact */

/* What the controller is told: on the last level it is not known what the others would cost. */
struct run {
	struct budget b;
	uint64_t t_s, changed_s[CHANGES];
	uint32_t changes;
	bool blind; /* nor on the others */
};

static void reading(struct run *r, double exact_percent, const double *share, uint32_t levels)
{
	double percent[LEVELS];

	for (uint32_t i = 0; i < levels; i++)
		percent[i] = i < r->b.level && (r->blind || r->b.level == levels - 1) ? -1 : exact_percent * share[i];
	r->t_s++;
	if (budget_step(&r->b, r->t_s * SECOND_NS, percent, levels)) {
		assert_true(r->changes < CHANGES);
		r->changed_s[r->changes++] = r->t_s;
	}
}

static void readings(struct run *r, int n, double exact_percent)
{
	while (n--)
		reading(r, exact_percent, all_levels, LEVELS);
}

/* The largest number of changes within any ten minutes. */
static uint32_t most_changes(const struct run *r)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < r->changes; i++) {
		uint32_t n = 0;

		while (i + n < r->changes && r->changed_s[i + n] < r->changed_s[i] + 600)
			n++;
		most = n > most ? n : most;
	}
	return most;
}

static void what_fits_stays_exact(void **state)
{
	struct run r = { .b.percent = 5 };

	(void)state;
	readings(&r, HOUR, 4.9);
	assert_int_equal(r.changes, 0);
	assert_false(r.b.is_over);
}

static void three_readings_in_a_row_decide(void **state)
{
	struct run r = { .b.percent = 5 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		readings(&r, 2, 50);
		readings(&r, 1, 1);
	}
	assert_int_equal(r.changes, 0);
	readings(&r, 2, 8);
	assert_int_equal(r.b.level, 0);
	readings(&r, 1, 8);
	assert_int_equal(r.b.level, 1);
}

static void steps_that_cannot_fit_are_skipped(void **state)
{
	struct run r = { .b.percent = 5 };

	(void)state;
	readings(&r, 3, 12); /* 7.2, 4.8 */
	assert_int_equal(r.b.level, 2);
	assert_int_equal(r.changes, 1);
	r = (struct run){ .b.percent = 5 };
	readings(&r, 3, 40); /* 24, 16, 4 */
	assert_int_equal(r.b.level, 3);
	assert_int_equal(r.changes, 1);
}

static void where_nothing_fits_the_last_helps_most(void **state)
{
	static const double sched_alone[] = { 1, 0.999 };
	struct run r = { .b.percent = 5 };

	(void)state;
	readings(&r, 3, 90);
	assert_int_equal(r.b.level, 3);
	assert_false(r.b.is_over);
	readings(&r, 3, 90);
	assert_int_equal(r.b.level, 3);
	assert_true(r.b.is_over);
	readings(&r, 1, 1);
	assert_false(r.b.is_over);
	/* A level that would save next to nothing is not taken. */
	r = (struct run){ .b.percent = 5 };
	for (int i = 0; i < 100; i++)
		reading(&r, 8, sched_alone, 2);
	assert_int_equal(r.changes, 0);
	assert_true(r.b.is_over);
}

static void it_goes_up_again(void **state)
{
	struct run r = { .b.percent = 5 };

	(void)state;
	readings(&r, 3, 40);
	assert_int_equal(r.b.level, 3);
	readings(&r, 29, 1);
	assert_int_equal(r.b.level, 3);
	readings(&r, 1, 1);
	assert_int_equal(r.b.level, 2);
	/* There it is known that exact fits. */
	readings(&r, 30, 1);
	assert_int_equal(r.b.level, 0);
	assert_int_equal(r.changes, 3);
	r = (struct run){ .b.percent = 5, .blind = true };
	readings(&r, 3, 40);
	readings(&r, 1200, 1);
	assert_int_equal(r.b.level, 0);
	assert_in_range(most_changes(&r), 1, 4);
}

/* A level that is known not to fit, or to fit barely, is not tried; the first one that fits is. */
static void up_to_what_fits(void **state)
{
	struct run r = { .b.percent = 5 };

	(void)state;
	readings(&r, 3, 9); /* 5.4, 3.6 */
	assert_int_equal(r.b.level, 2);
	readings(&r, HOUR, 9);
	assert_int_equal(r.changes, 1);
	readings(&r, HOUR, 7.5); /* 4.5: no room */
	assert_int_equal(r.changes, 1);
	readings(&r, 10, 6.5); /* 3.9 */
	assert_int_equal(r.b.level, 1);
	assert_int_equal(r.changes, 2);
}

/* A level that this machine cannot have is never taken, on the way down or up. */
static void what_cannot_be_had(void **state)
{
	static const double no_sample[] = { 1, BUDGET_NEVER, 0.4, 0.1 },
			    only_exact[] = { 1, BUDGET_NEVER, BUDGET_NEVER };
	struct run r = { .b.percent = 5 };

	(void)state;
	for (int i = 0; i < 3; i++)
		reading(&r, 8, no_sample, LEVELS);
	assert_int_equal(r.b.level, 2);
	for (int i = 0; i < HOUR; i++)
		reading(&r, 8, no_sample, LEVELS);
	assert_int_equal(r.changes, 1);
	for (int i = 0; i < 60; i++)
		reading(&r, 1, no_sample, LEVELS);
	assert_int_equal(r.b.level, 0);
	r = (struct run){ .b.percent = 5 };
	for (int i = 0; i < 100; i++)
		reading(&r, 8, only_exact, 3);
	assert_int_equal(r.changes, 0);
	assert_true(r.b.is_over);
}

/* The load stays as high: each trial fails. */
static void trials_become_rare(void **state)
{
	struct run r = { .b.percent = 5, .blind = true };
	uint32_t n;

	(void)state;
	readings(&r, 6 * HOUR, 9); /* 5.4, 3.6 */
	assert_in_range(most_changes(&r), 2, 4);
	n = r.changes;
	assert_true(n >= 6);
	/* Up for three readings, ten minutes after the last time. */
	assert_int_equal(r.changed_s[n - 1] - r.changed_s[n - 2], n % 2 ? 3 : 600);
	assert_int_equal(r.changed_s[n - 2] - r.changed_s[n - 3], n % 2 ? 600 : 3);
}

/* For any period of a load that comes and goes. */
static void edge_loads_do_not_flap(void **state)
{
	static const double two[] = { 1, 0.1 };

	(void)state;
	for (int period = 1; period <= 400; period += period < 60 ? 1 : 17)
		for (int part = 1; part < 4; part++) {
			struct run r = { .b.percent = 5 };

			for (int i = 0; i < 2 * HOUR; i++)
				reading(&r, i % period < period * part / 4 ? 12 : 2, two, 2);
			if (most_changes(&r) > 4)
				fail_msg("%u changes in ten minutes, period %d, %d/4 of it", most_changes(&r), period,
					 part);
			r = (struct run){ .b.percent = 5 };
			for (int i = 0; i < 2 * HOUR; i++)
				reading(&r, i % period < period * part / 4 ? 12 : 2, all_levels, LEVELS);
			if (most_changes(&r) > 4)
				fail_msg("%u changes in ten minutes, period %d, %d/4 of it, all levels",
					 most_changes(&r), period, part);
		}
}

static void without_a_budget_all_is_exact(void **state)
{
	struct run r = { .b.percent = 5 };

	(void)state;
	readings(&r, 3, 40);
	assert_int_equal(r.b.level, 3);
	r.b.percent = 0;
	readings(&r, 1, 40);
	assert_int_equal(r.b.level, 0);
	assert_int_equal(r.changes, 2);
	readings(&r, HOUR, 40);
	assert_int_equal(r.b.level, 0);
	assert_int_equal(r.changes, 2);
	assert_false(r.b.is_over);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_stays_exact),
		cmocka_unit_test(three_readings_in_a_row_decide),
		cmocka_unit_test(steps_that_cannot_fit_are_skipped),
		cmocka_unit_test(where_nothing_fits_the_last_helps_most),
		cmocka_unit_test(it_goes_up_again),
		cmocka_unit_test(up_to_what_fits),
		cmocka_unit_test(what_cannot_be_had),
		cmocka_unit_test(trials_become_rare),
		cmocka_unit_test(edge_loads_do_not_flap),
		cmocka_unit_test(without_a_budget_all_is_exact),
	};

	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}

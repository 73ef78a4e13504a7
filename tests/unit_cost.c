/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Computing the cost of watching, from numbers made by hand; and the measurement itself. */
#include <sched.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "calibrate.h"
#include "cost.h"

#define TIMES (LT_SELF_MASK + 1) /* runs per timed run */

/* Enter and exit time themselves at 60 and 90 ns, a switch, waking and wakeup at 120, 50 and 30. */
static const struct cost_timed in_loops[LT_PROGS] = {
	[LT_PROG_ENTER] = { 10, 600 }, [LT_PROG_EXIT] = { 20, 1800 }, [LT_PROG_SWITCH] = { 5, 600 },
	[LT_PROG_WAKING] = { 1, 50 },  [LT_PROG_WAKEUP] = { 2, 60 },
};
static const struct cost_measured without = { .call_ns = 100, .wake_ns = 1000, .call_noise_ns = 3 };

static struct cost_calibration calibrated(void)
{
	/* A call costs 300 ns more; a wake 1,100, of which its two calls are 600. */
	struct cost_measured with = { .call_ns = 400, .wake_ns = 2100, .call_noise_ns = 4, .wake_noise_ns = 7 };

	return cost_calibrate(&without, &with, 2, in_loops);
}

static void around_is_what_programs_do_not_time(void **state)
{
	struct cost_calibration c = calibrated();

	(void)state;
	assert_true(c.known);
	assert_float_equal(c.call_ns, 300, 1e-6);
	assert_float_equal(c.switch_ns, 500, 1e-6);
	assert_float_equal(c.around_ns[COST_CALL], (300 - 60 - 90) / 2., 1e-6);
	assert_float_equal(c.around_ns[COST_SWITCH], (500 - 120 - 50 - 30) / 3., 1e-6);
	assert_float_equal(c.around_ns[COST_OTHER], c.around_ns[COST_SWITCH], 1e-6);
	assert_float_equal(c.call_noise_ns, 5, 1e-6);
	assert_float_equal(c.switch_noise_ns, 12.206555, 1e-3); /* 7, and twice 5 */
}

static void a_family_that_is_off_adds_nothing(void **state)
{
	struct cost_measured with = { .call_ns = 99, .wake_ns = 1900 };
	struct cost_timed timed[LT_PROGS] = { [LT_PROG_SWITCH] = { 1, 100 } };
	struct cost_calibration c = cost_calibrate(&without, &with, 2, timed);

	(void)state;
	assert_true(c.known);
	assert_float_equal(c.call_ns, 0, 1e-6);
	assert_float_equal(c.around_ns[COST_CALL], 0, 1e-6);
	assert_float_equal(c.switch_ns, 900, 1e-6);
	assert_float_equal(c.around_ns[COST_SWITCH], 800, 1e-6);
}

static void nothing_is_known_before_both_were_measured(void **state)
{
	struct cost_measured none = { 0 }, no_wake = { .call_ns = 300 };

	(void)state;
	assert_false(cost_calibrate(&none, &without, 2, in_loops).known);
	assert_false(cost_calibrate(&without, &no_wake, 2, in_loops).known);
}

static void programs_and_what_is_around_them_add_up(void **state)
{
	struct cost_timed timed[LT_PROGS] = {
		[LT_PROG_ENTER] = { 4, 400 }, [LT_PROG_EXIT] = { 4, 600 },  [LT_PROG_SWITCH] = { 2, 500 },
		[LT_PROG_WAKING] = { 1, 70 }, [LT_PROG_WAKEUP] = { 1, 30 }, [LT_PROG_SEND] = { 3, 90 },
	};
	struct cost_calibration c = calibrated();
	struct sample s = { .interval_ns = 1000000, .cpus_online = 4, .self = { .cpu_ns = 5000 } };
	/* 75 ns around each of eight runs, 100 around each of seven. */
	uint64_t calls_ns = (1000 + 8 * 75) * TIMES, switches_ns = (600 + 4 * 100) * TIMES,
		 others_ns = (90 + 3 * 100) * TIMES;
	bool at_least;

	(void)state;
	cost_self(&c, timed, &s.self);
	assert_int_equal(s.self.bpf_ns, (1000 + 600 + 90) * TIMES);
	assert_int_equal(s.self.bpf_runs, 15 * TIMES);
	assert_int_equal(s.self.cost_ns, 5000 + calls_ns + switches_ns + others_ns);
	assert_int_equal(s.self.per_call_ns, (1000 + 8 * 75) / 4);
	assert_int_equal(s.self.per_switch_ns, (600 + 4 * 100) / 2);
	assert_float_equal(cost_percent(&s, &at_least), (double)s.self.cost_ns / 40000, 1e-6);
	assert_false(at_least);
	assert_float_equal(cost_per_run_ns(&s), (1600 + 1000 + 390) / 15., 1e-6);
}

static void until_then_it_is_a_lower_bound(void **state)
{
	struct cost_timed timed[LT_PROGS] = { [LT_PROG_ENTER] = { 1, 100 }, [LT_PROG_EXIT] = { 1, 100 } };
	struct sample s = { .interval_ns = 1000000, .cpus_online = 2, .self = { .cpu_ns = 15200 } };
	struct cost_calibration unknown = { 0 };
	bool at_least;

	(void)state;
	cost_self(&unknown, timed, &s.self);
	assert_true(s.self.cost_ns == SAMPLE_UNKNOWN);
	assert_true(s.self.per_call_ns == SAMPLE_UNKNOWN);
	assert_true(s.self.per_switch_ns == SAMPLE_UNKNOWN);
	assert_float_equal(cost_percent(&s, &at_least), (15200 + 200 * TIMES) / 20000., 1e-6);
	assert_true(at_least);
	assert_float_equal(cost_per_run_ns(&s), 100, 1e-6);
}

static void the_lower_quartile_counts(void **state)
{
	struct calibrate_series series = { .ns = { 900, 300, 100, 200, 800, 400, 500, 600 }, .n = 8 };
	double noise_ns;

	(void)state;
	assert_float_equal(calibrate_result(&series, &noise_ns), 300, 1e-6);
	assert_float_equal(noise_ns, 200, 1e-6);
	series.n = 0;
	assert_float_equal(calibrate_result(&series, &noise_ns), 0, 1e-6);
}

static void events_are_measured(void **state)
{
	static struct calibrate_series series[CALIBRATE_EVENTS];
	double noise_ns, call_ns, wake_ns;
	bool stop = false;
	cpu_set_t all, one;
	int cpu;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	cpu = calibrate_pin(-1);
	assert_true(cpu >= 0);
	assert_int_equal(sched_getaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(CPU_COUNT(&one), 1);
	assert_true(CPU_ISSET(cpu, &one));
	assert_int_equal(calibrate_run(CALIBRATE_CALL, &series[CALIBRATE_CALL], 8, &stop), 0);
	assert_int_equal(calibrate_run(CALIBRATE_CALL, &series[CALIBRATE_CALL], 4, &stop), 0);
	assert_int_equal(series[CALIBRATE_CALL].n, 12);
	assert_int_equal(calibrate_run(CALIBRATE_WAKE, &series[CALIBRATE_WAKE], 8, &stop), 0);
	assert_int_equal(series[CALIBRATE_WAKE].n, 8);
	call_ns = calibrate_result(&series[CALIBRATE_CALL], &noise_ns);
	wake_ns = calibrate_result(&series[CALIBRATE_WAKE], &noise_ns);
	assert_true(call_ns > 0);
	/* It contains that many calls, and more expensive ones. */
	assert_true(wake_ns > CALIBRATE_CALLS_OF_WAKE * call_ns);
	stop = true;
	assert_int_equal(calibrate_run(CALIBRATE_WAKE, &series[CALIBRATE_WAKE], 8, &stop), 0);
	assert_int_equal(series[CALIBRATE_WAKE].n, 8);
	stop = false;
	assert_int_equal(calibrate_run(CALIBRATE_CALL, &series[CALIBRATE_CALL], 2 * CALIBRATE_BATCHES, &stop), 0);
	assert_int_equal(series[CALIBRATE_CALL].n, CALIBRATE_BATCHES);
	sched_setaffinity(0, sizeof(all), &all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(around_is_what_programs_do_not_time),
		cmocka_unit_test(a_family_that_is_off_adds_nothing),
		cmocka_unit_test(nothing_is_known_before_both_were_measured),
		cmocka_unit_test(programs_and_what_is_around_them_add_up),
		cmocka_unit_test(until_then_it_is_a_lower_bound),
		cmocka_unit_test(the_lower_quartile_counts),
		cmocka_unit_test(events_are_measured),
	};

	return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}

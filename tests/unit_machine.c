/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine's own counters grew by, from contents of /proc made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "machine.h"

#define TICK_NS (1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK))

static struct machine *machine;
static struct sample sample;

static int opened(void **state)
{
	(void)state;
	machine = machine_new();
	return !machine;
}

static int closed(void **state)
{
	(void)state;
	machine_free(machine);
	sample_free(&sample);
	return 0;
}

static void assert_times(const struct sample_cpu_times *t, const uint64_t ticks[5])
{
	const uint64_t got[] = { t->busy_ns, t->idle_ns, t->irq_ns, t->softirq_ns, t->steal_ns };

	for (int i = 0; i < 5; i++)
		assert_int_equal(got[i], ticks ? ticks[i] * TICK_NS : SAMPLE_UNKNOWN);
}

/* The first reading has nothing to subtract from, and neither has the one after a file that was not there. */
static void test_the_growth(void **state)
{
	(void)state;
	machine_take(machine, PROC_STAT, "cpu 10 0 20 100 5 1 2 3 0 0\n", &sample);
	assert_times(&sample.cpu_times, NULL);
	machine_take(machine, PROC_STAT, "cpu 12 1 23 150 6 2 4 8 0 0\n", &sample);
	assert_times(&sample.cpu_times, (const uint64_t[]){ 2 + 1 + 3 + 1 + 2 + 5, 51, 1, 2, 5 });
	machine_take(machine, PROC_STAT, NULL, &sample);
	assert_times(&sample.cpu_times, NULL);
	machine_take(machine, PROC_STAT, "cpu 13 1 23 150 6 2 4 8 0 0\n", &sample);
	assert_times(&sample.cpu_times, NULL);
	machine_take(machine, PROC_STAT, "cpu 13 1 23 151 6 2 4 8 0 0\n", &sample);
	assert_times(&sample.cpu_times, (const uint64_t[]){ 0, 1, 0, 0, 0 });
}

/* The kernel's idle time does, now and then. */
static void test_times_that_go_backwards(void **state)
{
	(void)state;
	machine_take(machine, PROC_STAT, "cpu 10 0 20 100 50 1 2 3 0 0\n", &sample);
	machine_take(machine, PROC_STAT, "cpu 11 0 20 99 40 1 2 3 0 0\n", &sample);
	assert_times(&sample.cpu_times, (const uint64_t[]){ 1, 0, 0, 0, 0 });
}

static void test_pressure(void **state)
{
	(void)state;
	for (enum sample_resource i = SAMPLE_CPU; i < SAMPLE_RESOURCES; i++) {
		enum proc_machine file = (enum proc_machine)(PROC_PRESSURE + i);
		struct sample_pressure *p = &sample.pressure[i];

		machine_take(machine, file, "some total=100\nfull total=50\n", &sample);
		assert_int_equal(p->some_ns, SAMPLE_UNKNOWN);
		assert_int_equal(p->full_ns, SAMPLE_UNKNOWN);
		machine_take(machine, file, "some total=107\nfull total=50\n", &sample);
		assert_int_equal(p->some_ns, 7000);
		assert_int_equal(p->full_ns, 0);
		machine_take(machine, file, "some total=108\n", &sample);
		assert_int_equal(p->some_ns, 1000);
		assert_int_equal(p->full_ns, SAMPLE_UNKNOWN);
		machine_take(machine, file, NULL, &sample);
		assert_int_equal(p->some_ns, SAMPLE_UNKNOWN);
	}
}

/* This machine's files, through the helper thread. */
static void test_a_reading(void **state)
{
	(void)state;
	machine_ask(machine);
	machine_read(machine, &sample);
	assert_times(&sample.cpu_times, NULL);
	machine_ask(machine);
	machine_read(machine, &sample);
	assert_true(sample.cpu_times.busy_ns < SAMPLE_UNKNOWN);
	assert_int_equal(sample.pressure[SAMPLE_CPU].some_ns == SAMPLE_UNKNOWN,
			 access("/proc/pressure/cpu", R_OK) != 0);
}

#define machine_test(f) cmocka_unit_test_setup_teardown(f, opened, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_the_growth),
		machine_test(test_times_that_go_backwards),
		machine_test(test_pressure),
		machine_test(test_a_reading),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}

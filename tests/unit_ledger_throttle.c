/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger's split of waits for a CPU into throttled and the rest, over a kernel side in plain memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "fake_kernel.h"

#define MS 1000000ULL

/* The last reading's times of thread 10, in ms; fake_read checked that they add up. */
static void assert_times(uint64_t throttled, uint64_t preempt, uint64_t run)
{
	const struct sample_work *w = fake_work(10);

	assert_non_null(w);
	assert_int_equal(w->time_ns[LT_THROTTLED], throttled * MS);
	assert_int_equal(w->time_ns[LT_PREEMPT], preempt * MS);
	assert_int_equal(w->time_ns[LT_RUN], run * MS);
}

/* A thread that has been throttled before, so that its queue's clock is known to run at times. */
static uint32_t throttled_before(void)
{
	uint32_t slot = fake_born(10, 10);

	fake_throttle(true);
	fake_move(slot, LT_PREEMPT);
	fake.now_ns += MS;
	fake_throttle(false);
	fake_switch_in(slot);
	fake_read();
	assert_times(1, 0, 0);
	return slot;
}

static void test_a_wait_that_is_over(void **state)
{
	uint32_t slot = throttled_before();

	(void)state;
	fake.now_ns += 3 * MS;
	fake_move(slot, LT_PREEMPT);
	fake.now_ns += MS;
	fake_throttle(true);
	fake.now_ns += 5 * MS;
	fake_throttle(false);
	fake.now_ns += 2 * MS;
	fake_switch_in(slot);
	fake_read();
	assert_times(5, 3, 3);
	assert_int_equal(fake_thread(10)->state, LT_RUN);
}

/* Each reading has its own part of the wait, whatever the clock does in between. */
static void test_a_wait_over_many_readings(void **state)
{
	uint32_t slot = throttled_before();

	(void)state;
	fake_throttle(true);
	fake_move(slot, LT_PREEMPT);
	fake.now_ns += 10 * MS;
	fake_read();
	assert_times(10, 0, 0);
	assert_int_equal(fake_thread(10)->state, LT_THROTTLED);
	fake.now_ns += 10 * MS;
	fake_throttle(false);
	fake.now_ns += 4 * MS;
	fake_read();
	assert_times(10, 4, 0);
	assert_int_equal(fake_thread(10)->state, LT_PREEMPT);
	fake.now_ns += 4 * MS;
	fake_read();
	assert_times(0, 4, 0);
	fake_throttle(true);
	fake.now_ns += 6 * MS;
	fake_read();
	assert_times(6, 0, 0);
	fake_throttle(false);
	fake.now_ns += 2 * MS;
	fake_switch_in(slot);
	fake_read();
	assert_times(0, 2, 0);
}

/* T was in the middle of a wait that was over when the reading was taken. */
static void test_a_wait_that_ended_after_t(void **state)
{
	uint32_t slot = throttled_before();

	(void)state;
	fake_throttle(true);
	fake_move(slot, LT_PREEMPT);
	fake.now_ns += 4 * MS;
	fake.cut_ns = fake.now_ns;
	fake.now_ns += 2 * MS;
	fake_throttle(false);
	fake.now_ns += 4 * MS;
	fake_switch_in(slot);
	fake.now_ns += 3 * MS;
	fake_read_late(fake.cut_ns);
	assert_times(4, 0, 0);
	assert_int_equal(fake_thread(10)->state, LT_THROTTLED);
	fake_read();
	assert_times(2, 4, 3);
}

/* The first time, throttling is not known before the wait's end: even then no time decreases. */
static void test_the_first_time(void **state)
{
	uint32_t slot = fake_born(10, 10);

	(void)state;
	fake.now_ns += MS;
	fake_move(slot, LT_PREEMPT);
	fake_throttle(true);
	fake.now_ns += 4 * MS;
	fake_read();
	assert_times(0, 4, 1);
	fake.now_ns += 6 * MS;
	fake_throttle(false);
	fake.now_ns += 2 * MS;
	fake_switch_in(slot);
	fake.now_ns += MS;
	fake_read();
	assert_times(8, 0, 1);
}

/* The front end cannot read the clock: the split is made at the wait's end. */
static void test_who_may_not_ask(void **state)
{
	uint32_t slot = throttled_before();

	(void)state;
	fake.throttle_unknown = true;
	fake_throttle(true);
	fake_move(slot, LT_PREEMPT);
	fake.now_ns += 10 * MS;
	fake_read();
	assert_times(0, 10, 0);
	fake.now_ns += 10 * MS;
	fake_throttle(false);
	fake_switch_in(slot);
	fake_read();
	assert_times(10, 0, 0);
}

#define throttle_test(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		throttle_test(test_a_wait_that_is_over),       throttle_test(test_a_wait_over_many_readings),
		throttle_test(test_a_wait_that_ended_after_t), throttle_test(test_the_first_time),
		throttle_test(test_who_may_not_ask),
	};

	return cmocka_run_group_tests_name("ledger_throttle", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger while the kernel side writes: a thread that changes all the time is read as of T, and one that stays torn
 * is assumed unchanged until it can be read again, which corrects the error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "fake_kernel.h"

#define MS 1000000ULL
#define READINGS 3000
#define LIVES (20 * FAKE_RECORDS)

/* Half of a state change: the time is added, the word is not yet written. */
static void move_begin(uint32_t slot)
{
	uint64_t word = *fake_word(slot);

	fake_record(slot)->sched.time_ns[LT_WORD_STATE(word)] += fake.now_ns - LT_WORD_SINCE(word);
}

static void move_end(uint32_t slot, enum lt_state to)
{
	*fake_word(slot) = LT_WORD(fake.now_ns, to);
}

static void test_a_writer_that_was_stopped(void **state)
{
	uint32_t slot = fake_born(10, 10);

	(void)state;
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake.sample.lost.torn, 0);
	fake.now_ns += 2 * MS;
	fake_record(slot)->sched.voluntary++;
	move_begin(slot);
	for (uint64_t torn = 1; torn < 3; torn++) {
		fake.now_ns += 3 * MS;
		fake_read();
		assert_int_equal(fake.sample.lost.torn, 1);
		assert_int_equal(fake_thread(10)->wall_ns, torn == 1 ? 5 * MS : 3 * MS);
		assert_int_equal(fake_thread(10)->state, LT_RUN);
		assert_null(fake_work(10));
	}
	fake.now_ns -= 6 * MS;
	move_end(slot, LT_NET);
	fake.now_ns += 7 * MS;
	fake_read();
	assert_int_equal(fake.sample.lost.torn, 0);
	/* It had slept for 6 ms that were charged as running. */
	assert_int_equal(fake_thread(10)->wall_ns, MS);
	assert_int_equal(fake_work(10)->time_ns[LT_NET], MS);
	assert_int_equal(fake_work(10)->voluntary, 1);
	fake.now_ns += 10 * MS;
	fake_wake(slot);
	fake_read();
	assert_int_equal(fake_work(10)->time_ns[LT_NET], 10 * MS);
}

/* The same for calls, between the two steps of seq. */
static void test_a_call_that_was_stopped(void **state)
{
	uint32_t slot = fake_born(10, 10);
	struct lt_calls *calls = &fake_record(slot)->calls;

	(void)state;
	fake_enter(slot, 0);
	fake.now_ns += MS;
	calls->seq++;
	calls->calls++;
	fake_read();
	assert_int_equal(fake.sample.lost.torn, 1);
	assert_int_equal(fake_thread(10)->wall_ns, MS);
	assert_int_equal(fake_work(10)->calls, 0);
	calls->seq--;
	calls->calls--;
	fake_return(slot, 0);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake.sample.lost.torn, 0);
	assert_int_equal(fake_work(10)->calls, 1);
	assert_int_equal(fake_work(10)->call_total_ns, MS);
	assert_int_equal(fake_thread(10)->wall_ns, MS);
}

/* Changes state and makes calls all the time, each step 1 ns after the last by its own clock. */
struct hammer {
	uint32_t slot;
	bool stop;
	uint64_t now_ns, calls;
	uint64_t time_ns[LT_STATES];
};

static void step(struct hammer *h, enum lt_state to)
{
	struct lt_sched *sched = &fake_record(h->slot)->sched;
	uint64_t word = *fake_word(h->slot), stay_ns;
	uint32_t from = LT_WORD_STATE(word);

	stay_ns = __atomic_add_fetch(&h->now_ns, 1, __ATOMIC_SEQ_CST) - LT_WORD_SINCE(word);
	fake_cut(h->slot, word, h->now_ns);
	h->time_ns[from] += stay_ns;
	__atomic_store_n((uint64_t *)&sched->time_ns[from], sched->time_ns[from] + stay_ns, __ATOMIC_RELEASE);
	__atomic_store_n(fake_word(h->slot), LT_WORD(h->now_ns, to), __ATOMIC_RELEASE);
}

static void *hammer(void *arg)
{
	struct hammer *h = arg;
	struct lt_calls *calls = &fake_record(h->slot)->calls;
	struct lt_call *entry = fake_entry(h->slot, 0);

	entry->errors_by[0].error = EAGAIN;
	for (uint32_t i = 0; !__atomic_load_n(&h->stop, __ATOMIC_RELAXED); i++) {
		step(h, LT_STATES - 1 - i % (LT_STATES - 1));
		step(h, LT_WAKEQ);
		step(h, LT_RUN);
		/* A call of one ns that fails: in a consistent reading all its counts are equal. */
		__atomic_store_n((uint64_t *)&calls->seq, calls->seq + 1, __ATOMIC_RELEASE);
		__atomic_store_n((uint64_t *)&calls->calls, calls->calls + 1, __ATOMIC_RELEASE);
		__atomic_store_n((uint64_t *)&calls->call_total_ns, calls->call_total_ns + 1, __ATOMIC_RELEASE);
		__atomic_store_n((uint64_t *)&calls->call_errors, calls->call_errors + 1, __ATOMIC_RELEASE);
		__atomic_store_n((uint64_t *)&entry->count, entry->count + 1, __ATOMIC_RELEASE);
		__atomic_store_n((uint64_t *)&entry->total_ns, entry->total_ns + 1, __ATOMIC_RELEASE);
		__atomic_store_n(&entry->errors, entry->errors + 1, __ATOMIC_RELEASE);
		__atomic_store_n(&entry->errors_by[0].count, entry->errors_by[0].count + 1, __ATOMIC_RELEASE);
		__atomic_store_n((uint64_t *)&calls->seq, calls->seq + 1, __ATOMIC_RELEASE);
		h->calls++;
		/* No kernel side is this fast: let some readings through. */
		for (volatile int pause = 0; pause < 100; pause++)
			;
	}
	return NULL;
}

/* fake_read checks Σ time_ns == wall_ns in each reading; here each must end at its T, and the sums over all of them
 * must be what the writer did. */
static void test_a_writer_that_never_stands_still(void **state)
{
	struct hammer h = { .slot = fake_born(10, 10), .now_ns = fake.now_ns };
	uint64_t wall_ns = 0, calls = 0, calls_torn = 0, stopped = 0, sum_ns = 0, t_ns = fake.t_ns,
		 time_ns[LT_STATES] = { 0 };
	pthread_t writer;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, hammer, &h), 0);
	for (int i = 0; i <= READINGS; i++) {
		if (i == READINGS) {
			__atomic_store_n(&h.stop, true, __ATOMIC_RELAXED);
			pthread_join(writer, NULL);
		}
		/* T is on the writer's own clock, which may pass it before it is announced: as in probe.c. */
		do {
			fake.cut_ns = __atomic_load_n(&h.now_ns, __ATOMIC_SEQ_CST) + 50;
			__atomic_store_n(&fake.cut_ns, fake.cut_ns, __ATOMIC_SEQ_CST);
		} while (__atomic_load_n(&h.now_ns, __ATOMIC_SEQ_CST) >= fake.cut_ns);
		while (i < READINGS && __atomic_load_n(&h.now_ns, __ATOMIC_SEQ_CST) <= fake.cut_ns)
			;
		fake.now_ns = i < READINGS ? fake.cut_ns : h.now_ns;
		fake_read();
		assert_int_equal(fake_thread(10)->wall_ns, fake.now_ns - t_ns);
		t_ns = fake.now_ns;
		wall_ns += fake_thread(10)->wall_ns;
		calls_torn += fake.sample.lost.torn;
		assert_true(i < READINGS || !fake.sample.lost.torn); /* the writer has stopped */
		if (!fake_work(10)) { /* stopped in the middle of a move: all its time is in its last state */
			time_ns[fake_thread(10)->state] += fake_thread(10)->wall_ns;
			stopped++;
			continue;
		}
		assert_int_equal(fake_work(10)->calls, fake_work(10)->call_total_ns);
		assert_int_equal(fake_work(10)->calls, fake_work(10)->call_errors);
		calls += fake_work(10)->calls;
		for (int s = 0; s < LT_STATES; s++)
			time_ns[s] += fake_work(10)->time_ns[s];
	}
	print_message("calls of %llu in %d readings torn, %llu moves\n", (unsigned long long)calls_torn, READINGS,
		      (unsigned long long)h.calls * 3);
	assert_true(calls_torn < READINGS);
	assert_int_equal(wall_ns, h.now_ns - FAKE_START_NS);
	assert_int_equal(calls, h.calls);
	/* Time that was in the wrong state is taken from other states later, so that only the sum is the same. */
	for (int s = 0; s < LT_STATES; s++) {
		sum_ns += time_ns[s];
		assert_true(stopped || time_ns[s] == h.time_ns[s]);
	}
	assert_int_equal(sum_ns, wall_ns);
}

/* Lives of 1 us, one after another, each with one call. */
static uint64_t lived;
static bool over;

static void *live_and_die(void *arg)
{
	(void)arg;
	while (lived < LIVES) {
		uint32_t slot, pid = 100 + (uint32_t)lived % 30000;

		if (!(uint32_t)__atomic_load_n((uint64_t *)&fake.free.head, __ATOMIC_ACQUIRE)) {
			sched_yield();
			continue;
		}
		slot = fake_fork(pid, pid, fake.now_ns, 1);
		fake_wake(slot);
		fake_enter(slot, 39);
		__atomic_store_n(&fake.now_ns, fake.now_ns + 1000, __ATOMIC_RELEASE);
		fake_return(slot, 0);
		fake_die(slot, 0);
		lived++;
	}
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Records are taken on one CPU while they are returned on another: every life is seen once, complete. */
static void test_exited_threads_are_reaped_once(void **state)
{
	uint64_t exited = 0, wall_ns = 0, calls = 0;
	pthread_t writer;
	bool last;

	(void)state;
	lived = 0;
	over = false;
	assert_int_equal(pthread_create(&writer, NULL, live_and_die, NULL), 0);
	do {
		last = __atomic_load_n(&over, __ATOMIC_ACQUIRE);
		ledger_drain(fake.ledger, fake.epoch);
		fake_read();
		assert_int_equal(fake.sample.lost.exits, 0);
		for (uint32_t i = 0; i < fake.sample.n_processes; i++)
			exited += fake.sample.processes[i].flags & SAMPLE_PROCESS_EXITED;
		for (uint32_t i = 0; i < fake.sample.n_threads; i++)
			wall_ns += fake.sample.threads[i].wall_ns;
		for (uint32_t i = 0; i < fake.sample.n_works; i++)
			calls += fake.sample.works[i].calls;
	} while (!last);
	pthread_join(writer, NULL);
	assert_int_equal(exited, LIVES);
	assert_int_equal(wall_ns, LIVES * 1000);
	assert_int_equal(calls, LIVES);
	assert_int_equal(fake_free_records(), FAKE_RECORDS);
	assert_int_equal(fake_free_calls(), FAKE_CALLS);
}

#define torn_test(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		torn_test(test_a_writer_that_was_stopped),
		torn_test(test_a_call_that_was_stopped),
		torn_test(test_a_writer_that_never_stands_still),
		torn_test(test_exited_threads_are_reaped_once),
	};

	return cmocka_run_group_tests_name("ledger: torn", tests, NULL, NULL);
}

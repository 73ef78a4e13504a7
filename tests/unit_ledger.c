/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Life cycles in the ledger: creation, states, idle threads, exits, unusual ends, and records that are returned to the
 * kernel side, which is plain memory here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "fake_kernel.h"
#include "ledger_thread.h"

#define MS 1000000ULL
#define MALLOC_SLACK (64 << 10) /* what malloc itself retains; a round allocates some MB */

static void test_born_at_the_first_wakeup(void **state)
{
	uint32_t slot = fake_fork(10, 10, 10, 1);

	(void)state;
	fake.now_ns += 2 * MS;
	fake_read();
	assert_null(fake_process(10));
	fake_wake(slot);
	fake.now_ns += MS;
	fake_switch_in(slot);
	fake.now_ns += 3 * MS;
	fake_read();
	assert_int_equal(fake_thread(10)->wall_ns, 4 * MS);
	assert_int_equal(fake_work(10)->time_ns[LT_WAKEQ], MS);
	assert_int_equal(fake_work(10)->time_ns[LT_RUN], 3 * MS);
	assert_int_equal(fake_work(10)->wakeups, 0);
	assert_int_equal(fake_dist_count(&fake_work(10)->wakeup), 1);
	assert_int_equal(fake_work(10)->wakeup.max_ns, MS);
}

/* Half before a reading, half after it: each reading has its own part, and the kernel's earlier counts are in none. */
static void test_time_goes_to_the_state_it_was_spent_in(void **state)
{
	static const struct {
		enum lt_state state;
		uint64_t ms;
	} stays[] = { { LT_DISK, 2 }, { LT_BLOCK, 3 },	{ LT_LOCK, 5 },	  { LT_NET, 7 },     { LT_POLL, 11 },
		      { LT_IO, 13 },  { LT_SLEEP, 17 }, { LT_OTHER, 19 }, { LT_PREEMPT, 23 } };
	uint32_t slot = fake_seed(10, 10, LT_RUN);

	(void)state;
	fake_read();
	assert_int_equal(fake_work(10)->voluntary, 0);
	assert_int_equal(fake_work(10)->involuntary, 0);
	assert_int_equal(fake_work(10)->migrations, 0);
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(stays) / sizeof(stays[0]); i++) {
			fake_move(slot, stays[i].state);
			fake.now_ns += stays[i].ms * MS;
			if (stays[i].state != LT_PREEMPT)
				fake_wake(slot);
			fake.now_ns += MS;
			fake_switch_in(slot);
		}
		fake_read();
		for (size_t i = 0; i + 1 < sizeof(stays) / sizeof(stays[0]); i++)
			assert_int_equal(fake_work(10)->time_ns[stays[i].state], stays[i].ms * MS);
		assert_int_equal(fake_work(10)->time_ns[LT_PREEMPT], 24 * MS);
		assert_int_equal(fake_work(10)->time_ns[LT_WAKEQ], 8 * MS);
		assert_int_equal(fake_work(10)->time_ns[LT_RUN], 0);
		assert_int_equal(fake_work(10)->voluntary, 8);
		assert_int_equal(fake_work(10)->involuntary, 1);
		assert_int_equal(fake_work(10)->wakeups, 8);
		assert_int_equal(fake_work(10)->migrations, 0);
	}
}

/* What is still going on counts now, and not again when it ends. */
static void test_a_stay_over_many_readings(void **state)
{
	uint32_t slot = fake_born(10, 10);
	uint64_t sum_ns = 0;

	(void)state;
	fake.now_ns += MS;
	fake_move(slot, LT_DISK);
	for (int i = 0; i < 5; i++) {
		fake.now_ns += 10 * MS;
		fake_read();
		assert_int_equal(fake_thread(10)->state, LT_DISK);
		assert_int_equal(fake_thread(10)->wall_ns, i ? 10 * MS : 11 * MS);
		sum_ns += fake_work(10) ? fake_work(10)->time_ns[LT_DISK] : fake_thread(10)->wall_ns;
	}
	fake.now_ns += 4 * MS;
	fake_wake(slot);
	fake.now_ns += 2 * MS;
	fake_read();
	assert_int_equal(sum_ns + fake_work(10)->time_ns[LT_DISK], 54 * MS);
	assert_int_equal(fake_work(10)->time_ns[LT_WAKEQ], 2 * MS);
}

/* Asleep with the same word it did nothing: the record is not read, the wall time passes. */
static void test_an_idle_thread_costs_nothing(void **state)
{
	uint32_t slot = fake_seed(10, 10, LT_POLL);

	(void)state;
	for (int i = 0; i < 3; i++) {
		fake.now_ns += 10 * MS;
		fake_read();
		assert_int_equal(fake_thread(10)->work, SAMPLE_NONE);
		assert_int_equal(fake_thread(10)->wall_ns, 10 * MS);
		assert_int_equal(fake_thread(10)->state, LT_POLL);
		/* Would be torn if it were looked at. */
		assert_int_equal(fake.sample.lost.torn, 0);
		fake_record(slot)->sched.time_ns[LT_RUN] = 1;
	}
	fake_record(slot)->sched.time_ns[LT_RUN] = 0;
	fake_wake(slot);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_thread(10)->wall_ns, MS);
	assert_int_equal(fake_work(10)->time_ns[LT_WAKEQ], MS);
	assert_int_equal(fake_work(10)->time_ns[LT_POLL], 0);
	assert_int_equal(fake_work(10)->wakeups, 1);
}

/* A thread that is stuck in the kernel lags, although its record is not read (the sums: check_activity). */
static void test_a_stuck_thread_lags(void **state)
{
	(void)state;
	fake_seed(10, 10, LT_BLOCK);
	fake_read();
	fake.now_ns += 10 * MS;
	fake_read();
	assert_int_equal(fake_thread(10)->work, SAMPLE_NONE);
	assert_int_equal(ledger_activity(fake.ledger)[0].lag_ns, 10 * MS);
}

/* A state that ended before T but was written after the reading: charged up to T, and the excess is subtracted
 * later. */
static void test_a_state_that_ended_just_before_the_reading(void **state)
{
	uint32_t slot = fake_born(10, 10);
	uint64_t t_ns;

	(void)state;
	fake_move(slot, LT_SLEEP);
	fake.now_ns += 10 * MS;
	fake_read();
	t_ns = fake.now_ns;
	fake.now_ns -= 100;
	fake_wake(slot);
	fake.now_ns = t_ns + MS;
	fake_read();
	assert_int_equal(fake_thread(10)->wall_ns, MS);
	assert_int_equal(fake_work(10)->time_ns[LT_SLEEP], 0);
	assert_int_equal(fake_work(10)->time_ns[LT_WAKEQ], MS);
}

/* Sets T to now, for a reading that is taken later. */
static uint64_t cut_now(void)
{
	fake.cut_ns = fake.now_ns;
	return fake.now_ns;
}

/* A thread that changed state after T, once or often, is read as of T: the rest belongs to the next reading. */
static void test_what_moved_after_t(void **state)
{
	uint32_t once = fake_born(10, 10), often = fake_born(11, 11);
	uint64_t t_ns;

	(void)state;
	fake.now_ns += MS;
	fake_move(once, LT_SLEEP);
	fake.now_ns += 9 * MS;
	t_ns = cut_now();
	fake.now_ns += 300;
	fake_wake(once);
	for (int i = 0; i < 40; i++) {
		fake_move(often, i & 1 ? LT_RUN : LT_PREEMPT);
		fake.now_ns += MS;
	}
	fake_read_late(t_ns);
	assert_int_equal(fake.sample.lost.torn, 0);
	assert_int_equal(fake_thread(10)->wall_ns, 10 * MS);
	assert_int_equal(fake_thread(10)->state, LT_SLEEP);
	assert_int_equal(fake_work(10)->time_ns[LT_SLEEP], 9 * MS);
	assert_int_equal(fake_thread(11)->wall_ns, 10 * MS);
	assert_int_equal(fake_thread(11)->state, LT_RUN);
	assert_int_equal(fake_work(11)->time_ns[LT_RUN], 10 * MS);
	fake_read();
	assert_int_equal(fake_thread(10)->wall_ns, 40 * MS + 300);
	assert_int_equal(fake_work(10)->time_ns[LT_SLEEP], 300);
	assert_int_equal(fake_work(10)->time_ns[LT_WAKEQ], 40 * MS);
	assert_int_equal(fake_work(11)->time_ns[LT_RUN], 20 * MS + 300);
	assert_int_equal(fake_work(11)->time_ns[LT_PREEMPT], 20 * MS);
}

/* A thread that exited after T was alive at T; one that was created after T is not in the reading. */
static void test_births_and_deaths_after_t(void **state)
{
	uint32_t old = fake_born(10, 10), young;
	uint64_t t_ns;

	(void)state;
	fake_read();
	fake.now_ns += MS;
	young = fake_born(11, 11);
	fake.now_ns += 9 * MS;
	t_ns = cut_now();
	fake.now_ns += 300;
	fake_die(old, 0);
	fake_die(young, 0);
	fake_die(fake_born(12, 12), 0);
	fake_born(13, 13);
	fake.now_ns += MS;
	fake_read_late(t_ns);
	assert_int_equal(fake_thread(10)->wall_ns, 10 * MS);
	assert_int_equal(fake_thread(11)->wall_ns, 9 * MS);
	for (uint32_t pid = 10; pid < 12; pid++) {
		assert_int_equal(fake_process(pid)->flags & SAMPLE_PROCESS_EXITED, 0);
		assert_int_equal(fake_thread(pid)->state, LT_RUN);
		assert_null(fake_process(pid + 2));
	}
	fake_read();
	for (uint32_t pid = 10; pid < 13; pid++) {
		assert_int_equal(fake_process(pid)->flags & SAMPLE_PROCESS_EXITED, SAMPLE_PROCESS_EXITED);
		assert_int_equal(fake_thread(pid)->wall_ns, pid < 12 ? 300 : 0);
	}
	assert_int_equal(fake_thread(13)->wall_ns, MS);
	fake_read();
	assert_int_equal(fake.sample.n_processes, 1);
}

/* It ran for 6 ms and waited for 4; its call began before and was over after T. */
static void test_waits_that_ended_after_t(void **state)
{
	uint32_t slot = fake_born(10, 10);
	uint64_t t_ns;

	(void)state;
	fake.now_ns += 5 * MS;
	fake_enter(slot, 1);
	fake.now_ns += MS;
	fake_move(slot, LT_IO);
	fake.now_ns += 4 * MS;
	t_ns = cut_now();
	fake.now_ns += 4 * MS;
	fake_wake(slot);
	fake_switch_in(slot);
	fake.now_ns += MS;
	fake_return(slot, 0);
	fake_read_late(t_ns);
	assert_int_equal(fake_call(10, 1)->wait_ns, 4 * MS);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_work(10)->time_ns[LT_RUN], 2 * MS);
	assert_null(fake_call(10, 1));
}

/* Its switch-in was missed: its wait is not known exactly, but not longer than it was off its CPU. */
static void test_calls_ran_no_longer_than_their_thread(void **state)
{
	uint32_t slot = fake_born(10, 10);

	(void)state;
	fake_enter(slot, 1);
	fake.now_ns += MS;
	fake_move(slot, LT_IO);
	fake.now_ns += 9 * MS;
	fake_return(slot, 0);
	fake_wake(slot);
	fake_switch_in(slot);
	fake_read();
	assert_int_equal(fake_call(10, 1)->time_ns, 10 * MS);
	assert_int_equal(fake_call(10, 1)->wait_ns, 9 * MS);
}

/* A call that returns after T was in that call until T, and the next reading has the rest. */
static void test_calls_that_returned_after_t(void **state)
{
	uint32_t slot = fake_born(10, 10);
	uint64_t t_ns;

	(void)state;
	fake_enter(slot, 1);
	fake_move(slot, LT_IO);
	fake.now_ns += 10 * MS;
	t_ns = cut_now();
	fake.now_ns += 20 * MS;
	fake_wake(slot);
	fake_switch_in(slot);
	fake_return(slot, 0);
	fake_enter(slot, 2);
	fake.now_ns += 10 * MS;
	fake_return(slot, 0);
	fake_read_late(t_ns);
	assert_int_equal(fake_call(10, 1)->count, 1);
	assert_int_equal(fake_call(10, 1)->total_ns, 30 * MS);
	assert_in_range(fake_call(10, 1)->time_ns + fake_call(10, 2)->time_ns, 10 * MS - 2, 10 * MS);
	assert_true(fake_call(10, 1)->wait_ns <= fake_call(10, 1)->time_ns);
	fake_read();
	assert_in_range(fake_call(10, 1)->time_ns + fake_call(10, 2)->time_ns, 30 * MS, 30 * MS + 2);
	assert_int_equal(fake_call(10, 1)->count, 0);
}

/* A life between two readings is seen once, complete; its record is reused and keeps nothing of it. */
static void test_a_short_life_is_seen_once(void **state)
{
	uint32_t slot = fake_born(10, 10), next;

	(void)state;
	fake_record(slot)->who.ppid = 4;
	fake_enter(slot, 39);
	fake.now_ns += MS;
	fake_return(slot, 0);
	fake_move(slot, LT_DISK);
	fake.now_ns += 2 * MS;
	fake_wake(slot);
	fake_switch_in(slot);
	fake_die(slot, 3 << 8);
	fake.now_ns += 100 * MS;
	assert_int_equal(fake_free_records(), FAKE_RECORDS - 1);
	assert_int_equal(fake_free_calls(), FAKE_CALLS - 2); /* its call and its wait */
	ledger_drain(fake.ledger, fake.epoch);
	assert_int_equal(fake_free_records(), FAKE_RECORDS);
	assert_int_equal(fake_free_calls(), FAKE_CALLS);
	next = fake_born(11, 11);
	assert_int_equal(next, slot);
	fake_read();
	assert_int_equal(fake_thread(10)->flags & SAMPLE_THREAD_DEAD, SAMPLE_THREAD_DEAD);
	assert_int_equal(fake_thread(10)->wall_ns, 3 * MS);
	assert_int_equal(fake_work(10)->time_ns[LT_RUN], MS);
	assert_int_equal(fake_work(10)->time_ns[LT_DISK], 2 * MS);
	assert_int_equal(fake_call(10, 39)->count, 1);
	assert_int_equal(fake_process(10)->flags, SAMPLE_PROCESS_EXITED);
	assert_int_equal(fake_process(10)->exit_code, 3);
	assert_int_equal(fake_process(10)->ppid, 4);
	assert_int_equal(fake_process(10)->threads, 0);
	assert_int_equal(fake_process(11)->flags, 0);
	assert_int_equal(fake_work(11)->calls, 0);
	fake_read();
	assert_null(fake_process(10));
	assert_non_null(fake_process(11));
}

static void test_what_it_ended_with(void **state)
{
	uint32_t slot = fake_born(10, 10);

	(void)state;
	fake_die(slot, 9 | 0x80);
	fake_read();
	assert_int_equal(fake_process(10)->exit_code, -9);
	assert_int_equal(fake_process(10)->killed_by, LT_BY_UNKNOWN);
	/* It is in the last thread's record; the name may be unterminated. */
	slot = fake_born(20, 20);
	fake_die(slot, 15);
	fake_read();
	slot = fake_born(20, 21);
	fake_entry(slot, LT_CALL_KILLER)->killer = (struct lt_killer){ .signal = 15, .how = LT_BY_PROCESS, .pid = 7 };
	memset(fake_entry(slot, LT_CALL_KILLER)->killer.comm, 'x', sizeof(((struct lt_killer *)0)->comm));
	fake_die(slot, 15);
	fake_read();
	assert_int_equal(fake_process(20)->killed_by, LT_BY_PROCESS);
	assert_int_equal(fake_process(20)->killer_pid, 7);
	assert_string_equal(sample_text(&fake.sample, fake_process(20)->killer_comm), "xxxxxxxxxxxxxxx");
}

/* Threads that die in several drains of one interval are all in its reading, each once. */
static void test_deaths_in_several_drains(void **state)
{
	uint32_t leader = fake_born(10, 10);

	(void)state;
	fake_read();
	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t j = 0; j < 2; j++) {
			uint32_t slot = fake_fork(10, 11 + 2 * i + j, 10, 1);

			fake_wake(slot);
			fake.now_ns += MS;
			fake_die(slot, 0);
		}
		ledger_drain(fake.ledger, fake.epoch);
		ledger_drain(fake.ledger, fake.epoch);
	}
	fake_read();
	assert_int_equal(fake_process(10)->threads, 1);
	assert_int_equal(fake_process(10)->n_threads, 7);
	for (uint32_t tid = 11; tid < 17; tid++)
		assert_int_equal(fake_thread(tid)->wall_ns, MS);
	assert_int_equal(fake_thread(10)->wall_ns, 6 * MS);
	for (uint32_t tid = 17; tid < 19; tid++) {
		uint32_t slot = fake_fork(10, tid, 10, 1);

		fake_wake(slot);
		fake.now_ns += MS;
		fake_die(slot, 0);
		fake_read();
		assert_int_equal(fake_process(10)->n_threads, 2);
		assert_int_equal(fake_thread(tid)->wall_ns, MS);
	}
	fake_read();
	assert_int_equal(fake_process(10)->n_threads, 1);
	/* The parent and the user that it ended with. */
	assert_int_equal(fake_process(10)->ppid, 1);
	fake_record(leader)->who.ppid = 4;
	fake_record(leader)->who.uid = 9;
	fake_die(leader, 0);
	fake_read();
	assert_int_equal(fake_process(10)->flags, SAMPLE_PROCESS_EXITED);
	assert_int_equal(fake_process(10)->ppid, 4);
	assert_int_equal(fake_process(10)->uid, 9);
}

/* A kernel thread among the processes outside does not make them all kernel threads, nor does one user's process make
 * them all that user's. */
static void test_outside_is_nobody(void **state)
{
	uint32_t outside = fake_seed(0, 5, LT_SLEEP);
	struct lt_record *first = fake_record(outside), *other = fake_record(fake_seed(2, 2, LT_SLEEP));

	(void)state;
	first->who.flags |= LT_KTHREAD;
	other->who.flags |= LT_KTHREAD;
	first->who.uid = other->who.uid = 33;
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_process(0)->flags, 0);
	assert_int_equal(fake_process(0)->uid, 0);
	assert_string_equal(sample_text(&fake.sample, fake_process(0)->comm), "outside");
	assert_int_equal(fake_process(2)->flags, SAMPLE_PROCESS_KERNEL);
	assert_int_equal(fake_process(2)->uid, 33);
	fake_die(outside, 0);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_process(0)->uid, 0);
}

/* The process continues without its leader, and ends with its last thread. */
static void test_a_leader_that_ends_first(void **state)
{
	uint32_t leader = fake_born(10, 10), other = fake_born(10, 11);

	(void)state;
	fake_die(leader, 0);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_process(10)->flags, 0);
	assert_int_equal(fake_process(10)->threads, 1);
	fake.now_ns += MS;
	fake_record(other)->who.flags |= LT_GROUP_EXIT;
	fake_die(other, 5 << 8);
	fake_read();
	assert_int_equal(fake_process(10)->flags, SAMPLE_PROCESS_EXITED);
	assert_int_equal(fake_process(10)->exit_code, 5);
}

/* exec by another thread than the leader: it takes the leader's number, and its counters go on. */
static void test_exec_by_a_thread(void **state)
{
	uint32_t leader = fake_born(10, 10), other = fake_born(10, 11);

	(void)state;
	fake_read();
	fake.now_ns += MS;
	fake_die(leader, 0);
	fake_record(other)->who.tid = 10;
	strcpy(fake_record(other)->who.comm, "execed");
	fake_record(other)->who.changes++;
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_process(10)->threads, 1);
	assert_int_equal(fake_process(10)->n_threads, 2);
	assert_string_equal(sample_text(&fake.sample, fake_process(10)->comm), "execed");
	assert_int_equal(fake.sample.threads[fake_process(10)->first_thread].tid, 10);
	assert_int_equal(fake.sample.threads[fake_process(10)->first_thread].wall_ns, 2 * MS);
	assert_null(fake_thread(11));
	fake.now_ns += MS;
	fake_die(other, 1 << 8);
	fake_read();
	assert_int_equal(fake_process(10)->exit_code, 1);
	assert_int_equal(fake.sample.n_processes, 1);
}

/* One number, two processes, in one reading. */
static void test_a_number_used_again(void **state)
{
	uint32_t slot = fake_fork(10, 10, 1000, 1);

	(void)state;
	fake_wake(slot);
	fake.now_ns += MS;
	fake_die(slot, 0);
	slot = fake_fork(10, 10, 2000, 1);
	fake_wake(slot);
	fake.now_ns += 2 * MS;
	fake_read();
	assert_int_equal(fake.sample.n_processes, 2);
	assert_int_equal(fake.sample.processes[0].start_ns, 1000);
	assert_int_equal(fake.sample.processes[0].flags, SAMPLE_PROCESS_EXITED);
	assert_int_equal(fake.sample.processes[1].start_ns, 2000);
	assert_int_equal(fake.sample.processes[1].flags, 0);
	assert_int_equal(fake.sample.threads[fake.sample.processes[0].first_thread].wall_ns, MS);
	assert_int_equal(fake.sample.threads[fake.sample.processes[1].first_thread].wall_ns, 2 * MS);
}

/* Allocated, never published: freed, and no thread was created. */
static void test_a_record_allocated_but_never_published(void **state)
{
	uint32_t slot = fake_fork(10, 10, 10, 1);

	(void)state;
	*fake_word(slot) = LT_WORD(fake.now_ns, LT_VOID);
	fake.now_ns += MS;
	fake_read();
	assert_null(fake_process(10));
	assert_int_equal(fake_free_records(), FAKE_RECORDS);
}

/* One CPU reads the head of the list, others take two records and return the first: the head must differ. */
static void test_a_head_never_comes_back(void **state)
{
	uint64_t head = fake.free.head;
	uint32_t first = fake_fork(10, 10, 10, 1);

	(void)state;
	fake_born(11, 11);
	*fake_word(first) = LT_WORD(fake.now_ns, LT_VOID);
	ledger_drain(fake.ledger, fake.epoch);
	assert_int_equal((uint32_t)fake.free.head, (uint32_t)head);
	assert_int_not_equal(fake.free.head, head);
}

static size_t memory_used(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* All records of all chunks, over and over: none is lost, none is handed out twice, and memory does not grow. */
static void test_records_go_round(void **state)
{
	uint32_t slot[FAKE_RECORDS];
	size_t used = 0;

	(void)state;
	for (int round = 0; round < 6; round++) {
		for (uint32_t i = 0; i < FAKE_RECORDS; i++) {
			slot[i] = fake_born(100 + i / 10 * 10, 100 + i);
			if (i % 2)
				fake_entry(slot[i], i & 0xff);
		}
		assert_int_equal(fake_free_records(), 0);
		fake.now_ns += MS;
		fake_read();
		assert_int_equal(fake.sample.n_threads, FAKE_RECORDS);
		for (uint32_t i = 0; i < FAKE_RECORDS; i++)
			fake_die(slot[i], 0);
		fake.now_ns += MS;
		fake_read();
		assert_int_equal(fake_free_records(), FAKE_RECORDS);
		assert_int_equal(fake_free_calls(), FAKE_CALLS);
		if (!round)
			used = memory_used();
		assert_in_range(memory_used(), 0, used + MALLOC_SLACK);
	}
	fake_read();
	assert_int_equal(fake.sample.n_processes, 0);
}

/* The front end is woken when half of what is free now has been taken. */
static void test_the_alarm(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		fake_born(10, 10 + i);
	ledger_drain(fake.ledger, fake.epoch);
	assert_int_equal(fake.free.low, (FAKE_RECORDS - 100) / 2);
	assert_int_equal(fake.free_calls.low, FAKE_CALLS / 2);
}

/* Without the scheduler family: no times by state, but creation, wall time, calls and exits. */
static void test_without_the_scheduler(void **state)
{
	uint32_t slot;

	(void)state;
	fake.memory.with_sched = false;
	slot = fake_fork(10, 10, 10, 1);
	*fake_word(slot) = LT_WORD(fake.now_ns, LT_OTHER);
	fake.now_ns += MS;
	fake_enter(slot, 0);
	fake.now_ns += MS;
	fake_return(slot, 1);
	fake_read();
	assert_int_equal(fake_thread(10)->wall_ns, 2 * MS);
	assert_int_equal(fake_work(10)->time_ns[LT_OTHER], 0);
	assert_int_equal(fake_call(10, 0)->count, 1);
	assert_int_equal(fake_call(10, 0)->wait_ns, SAMPLE_UNKNOWN);
	fake.now_ns += 3 * MS;
	fake_record(slot)->who.flags |= LT_LAST;
	*fake_word(slot) = LT_WORD(fake.now_ns, LT_DEAD);
	fake_read();
	assert_int_equal(fake_thread(10)->wall_ns, 3 * MS);
	assert_int_equal(fake_process(10)->flags, SAMPLE_PROCESS_EXITED);
}

/* More exits until the next reading than there is memory for: they are counted as lost, later ones are complete, and no
 * process is created for the lost ones. */
static void test_more_dead_than_fit(void **state)
{
	enum { LIVES = 1000 };

	(void)state;
	fake.memory.pending_bytes = 100 * sizeof(struct sample_thread);
	for (int round = 0; round < 2; round++) {
		uint32_t exited = 0;

		for (uint32_t i = 0; i < LIVES; i++) {
			fake.now_ns += MS;
			fake_die(fake_born(1000 + i, 1000 + i), 0);
			ledger_drain(fake.ledger, fake.epoch);
		}
		fake_read();
		for (uint32_t i = 0; i < fake.sample.n_processes; i++)
			exited += fake.sample.processes[i].flags & SAMPLE_PROCESS_EXITED;
		assert_in_range(exited, 1, 200);
		assert_int_equal(exited + fake.sample.lost.exits, LIVES);
		assert_int_equal(exited, fake.sample.n_processes);
		assert_int_equal(fake_free_records(), FAKE_RECORDS);
	}
}

/* The thread that was preempted at that ns and still waits; not one that slept then, or runs again. */
static void test_who_was_displaced(void **state)
{
	uint32_t asleep = fake_born(10, 10), displaced = fake_born(20, 21);
	uint64_t then_ns;

	(void)state;
	fake.now_ns += MS;
	then_ns = fake.now_ns;
	fake_move(asleep, LT_SLEEP);
	assert_null(ledger_displaced(&fake.memory, then_ns));
	fake_move(displaced, LT_PREEMPT);
	assert_ptr_equal(ledger_displaced(&fake.memory, then_ns), fake_record(displaced));
	assert_null(ledger_displaced(&fake.memory, then_ns - 1));
	fake.now_ns += MS;
	fake_switch_in(displaced);
	assert_null(ledger_displaced(&fake.memory, then_ns));
}

/* A page fault's wait for the disk that goes on at a reading, and one in a call. */
static void test_page_faults_wait_for_the_disk(void **state)
{
	uint32_t slot = fake_born(10, 10);
	struct lt_sched *sched = &fake_record(slot)->sched;

	(void)state;
	fake.now_ns += 2 * MS;
	sched->page_fault = 1;
	fake_move(slot, LT_DISK);
	for (int i = 0; i < 2; i++) {
		fake.now_ns += 10 * MS;
		fake_read();
		assert_int_equal(fake_work(10)->page_fault_disk_ns, 10 * MS);
	}
	fake.now_ns += 5 * MS;
	fake_wake(slot);
	fake_switch_in(slot);
	sched->page_fault = 0;
	fake.now_ns += MS;
	fake_move(slot, LT_DISK);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_work(10)->page_fault_disk_ns, 5 * MS);
	assert_int_equal(fake_work(10)->time_ns[LT_DISK], 6 * MS);
}

/* A reclaim goes on at readings, with a wait in it; the reading sees more of the next one than there was by its T. */
static void test_reclaim(void **state)
{
	uint32_t slot = fake_born(10, 10);
	struct lt_parts *parts = fake_parts(slot);

	(void)state;
	fake.now_ns += 2 * MS;
	parts->reclaim_run_ns = 2 * MS;
	fake.now_ns += 3 * MS;
	fake_read();
	assert_int_equal(fake_work(10)->reclaim_ns, 3 * MS);
	fake.now_ns += 4 * MS;
	fake_move(slot, LT_MEMORY);
	fake.now_ns += 50 * MS;
	fake_wake(slot);
	fake_switch_in(slot);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_work(10)->reclaim_ns, 5 * MS);
	fake.now_ns += 6 * MS;
	parts->reclaim_ns = 3 * MS + 4 * MS + MS + 6 * MS;
	parts->reclaim_run_ns = 0;
	fake.now_ns += MS;
	parts->reclaim_ns += 3 * MS;
	fake_read();
	assert_int_equal(fake_work(10)->reclaim_ns, 7 * MS);
	fake.now_ns += 5 * MS;
	fake_read();
	assert_int_equal(fake_work(10)->reclaim_ns, 2 * MS);
}

/* The next thread that gets the record begins with none. */
static void test_parts_end_with_their_thread(void **state)
{
	uint32_t slot = fake_born(10, 10);

	(void)state;
	fake.now_ns += 2 * MS;
	fake_parts(slot)->reclaim_ns = MS;
	fake_die(slot, 0);
	fake_read();
	assert_int_equal(fake_work(10)->reclaim_ns, MS);
	assert_int_equal(parts_at(&fake.memory, slot)->reclaim_ns, 0);
}

#define lives_test(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

/* Its leader's creation was missed: its threads come and go, but it has not exited. */
static void test_a_process_whose_leader_has_no_record(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		uint32_t slot = fake_fork(10, 11 + (uint32_t)i, 10, 1);

		fake_wake(slot);
		fake_switch_in(slot);
		fake.now_ns += MS;
		fake_record(slot)->who.exit_status = 0;
		fake_move(slot, LT_DEAD);
		fake_read();
		assert_non_null(fake_process(10));
		assert_false(fake_process(10)->flags & SAMPLE_PROCESS_EXITED);
		assert_int_equal(fake_process(10)->threads, 1);
	}
}

/* They are in an entry of the pool, which is returned when the thread exits. */
static void test_waits_for_a_disk(void **state)
{
	uint32_t slot = fake_born(10, 10), other = fake_born(20, 20), entries = fake_free_calls();

	(void)state;
	for (uint32_t reading = 1; reading <= 3; reading++) {
		for (uint32_t i = 0; i < reading; i++) {
			fake_move(slot, LT_DISK);
			fake.now_ns += reading * MS;
			fake_move(slot, LT_WAKEQ);
			fake_move(slot, LT_RUN);
		}
		fake_move(slot, LT_DISK); /* still going on: not counted as a wait yet */
		fake.now_ns += 20 * MS;
		if (reading < 3) {
			fake_read();
			fake_move(slot, LT_RUN);
		} else {
			fake_move(slot, LT_RUN);
			fake_die(slot, 0);
			fake_read();
		}
		/* The one that was open at the last reading has ended since. */
		assert_int_equal(fake_dist_count(&fake_work(10)->disk_wait), reading + (reading > 1) + (reading == 3));
		assert_int_equal(fake_work(10)->disk_wait.max_ns, reading == 1 ? MS : 20 * MS);
		assert_int_equal(fake_dist_count(&fake_work(20)->disk_wait), 0);
	}
	assert_int_equal(fake_free_calls(), entries);
	fake_die(other, 0);
}

/* Its memory is unmapped, too: loops over all records skip it. */
static void test_a_chunk_that_is_gone(void **state)
{
	struct lt_chunk *gone = fake.memory.chunks[0];
	uint32_t slot;

	(void)state;
	while ((slot = fake_born(30, 30)) < LT_CHUNK)
		fake_die(slot, 0);
	fake_read();
	fake_move(slot, LT_PREEMPT);
	fake.memory.chunks[0] = NULL;
	ledger_forget(fake.ledger, 0);
	assert_ptr_equal(ledger_displaced(&fake.memory, LT_WORD_SINCE(*fake_word(slot))), fake_record(slot));
	assert_null(ledger_displaced(&fake.memory, 1));
	fake_read();
	assert_non_null(fake_thread(30));
	fake.memory.chunks[0] = gone;
	fake_read();
	assert_non_null(fake_thread(30));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lives_test(test_a_chunk_that_is_gone),
		lives_test(test_who_was_displaced),
		lives_test(test_born_at_the_first_wakeup),
		lives_test(test_time_goes_to_the_state_it_was_spent_in),
		lives_test(test_a_stay_over_many_readings),
		lives_test(test_an_idle_thread_costs_nothing),
		lives_test(test_a_stuck_thread_lags),
		lives_test(test_a_process_whose_leader_has_no_record),
		lives_test(test_a_state_that_ended_just_before_the_reading),
		lives_test(test_what_moved_after_t),
		lives_test(test_births_and_deaths_after_t),
		lives_test(test_waits_that_ended_after_t),
		lives_test(test_calls_ran_no_longer_than_their_thread),
		lives_test(test_calls_that_returned_after_t),
		lives_test(test_a_short_life_is_seen_once),
		lives_test(test_page_faults_wait_for_the_disk),
		lives_test(test_reclaim),
		lives_test(test_parts_end_with_their_thread),
		lives_test(test_what_it_ended_with),
		lives_test(test_deaths_in_several_drains),
		lives_test(test_outside_is_nobody),
		lives_test(test_a_leader_that_ends_first),
		lives_test(test_exec_by_a_thread),
		lives_test(test_a_number_used_again),
		lives_test(test_a_record_allocated_but_never_published),
		lives_test(test_a_head_never_comes_back),
		lives_test(test_records_go_round),
		lives_test(test_the_alarm),
		lives_test(test_without_the_scheduler),
		lives_test(test_more_dead_than_fit),
		lives_test(test_waits_for_a_disk),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}

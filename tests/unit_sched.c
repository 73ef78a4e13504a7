/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which waits count as part of a call's service time and which as the sleep that it asked for: bpf/sched.bpf.c,
 * compiled for this machine, switches a thread out in a call. Locks of PREEMPT_RT sleep in few kernels.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <string.h>
#include <sys/syscall.h>

#include "bpf_native.h"

static long refuse(const void *map, const void *data);

static struct task_struct thread, idle;
static uint64_t time_ns;

#define bpf_get_current_task_btf() (&thread)
#define bpf_get_current_task() ((__u64)&thread)
#define bpf_ktime_get_ns() (time_ns)
#define bpf_map_update_elem(map, key, value, flags) refuse(map, key)
#define bpf_map_delete_elem(map, key) refuse(map, key)
#define bpf_ringbuf_output(ring, data, size, flags) refuse(ring, data)
#define bpf_get_current_pid_tgid() 0
#include "../bpf/sched.bpf.c"

static struct lt_chunk chunk;
static struct lt_index_set set;
static struct lt_cpu cpu;

static bool field_exists(const char *field)
{
	(void)field;
	return true;
}

static long read_kernel(void *to, size_t size, const void *from)
{
	if ((uintptr_t)from < 4096)
		memset(to, 0, size);
	else
		memcpy(to, from, size);
	return 0;
}

static long task_regs(struct task_struct *task)
{
	static struct pt_regs regs;

	(void)task;
	return (long)&regs;
}

static long refuse(const void *map, const void *data)
{
	(void)map;
	(void)data;
	return -7;
}

static void *lookup(const void *map, const void *key)
{
	void *volatile found = NULL; /* or the compiler takes one for another */

	(void)key;
	if (map == &lt_index)
		found = &set;
	else if (map == &lt_chunks || map == &chunk)
		found = &chunk;
	else if (map == &lt_cpus)
		found = &cpu;
	return found;
}

#define BLOCKS TASK_UNINTERRUPTIBLE
#define SLEEPS TASK_INTERRUPTIBLE
#define WAIT_NS 5000

/* What the wait of a thread that leaves its CPU in a call counts as. */
struct wait {
	const char *what;
	int call;
	unsigned int task_state;
	enum lt_state state;
	bool asked_for;
};

static void check_wait(const struct wait *w)
{
	unsigned long long args[] = { 0, (uintptr_t)&thread, (uintptr_t)&idle, w->task_state };
	struct lt_slot s = { .record = &chunk.record[0], .word = &chunk.word[0], .parts = &chunk.parts[0] };
	struct lt_sched *sched = &s.record->sched;

	memset(&chunk, 0, sizeof(chunk));
	thread = (struct task_struct){ .pid = 10, .tgid = 10, .group_leader = &thread, .__state = w->task_state };
	set.way[3] = lt_key(&thread) << LT_SLOT_BITS | 1;
	chunk.word[0] = LT_WORD(1000, LT_RUN);
	s.record->calls.call = LT_CALL(LT_ABI_NATIVE, w->call);
	s.record->calls.interrupted = LT_CALL_NONE;
	s.record->calls.enter_ns = 1500;
	time_ns = 2000;
	lt_switch(args);
	assert_int_equal(LT_WORD_STATE(chunk.word[0]), w->state);
	move(&s, &thread, time_ns + WAIT_NS, LT_RUN);
	assert_int_equal(sched->time_ns[w->state], WAIT_NS);
	assert_int_equal(sched->call_wait_ns, WAIT_NS);
	if (sched->call_sleep_ns != (w->asked_for ? WAIT_NS : 0))
		fail_msg("%s: %lu of %d ns count as a sleep that the call asked for", w->what,
			 (unsigned long)sched->call_sleep_ns, WAIT_NS);
}

static void test_service_time(void **state)
{
	static const struct wait waits[] = {
		{ "a futex", SYS_futex, SLEEPS, LT_LOCK, true },
		{ "a timer", SYS_nanosleep, SLEEPS, LT_SLEEP, true },
		{ "epoll", SYS_epoll_pwait, SLEEPS, LT_POLL, true },
		{ "a mutex of the kernel in a read", SYS_read, BLOCKS, LT_BLOCK, false },
		{ "a file lock", SYS_flock, SLEEPS, LT_LOCK, false },
		{ "an RT lock in a read", SYS_read, TASK_RTLOCK_WAIT, LT_LOCK, false },
		{ "an RT lock in epoll", SYS_epoll_pwait, TASK_RTLOCK_WAIT, LT_LOCK, false },
		{ "an RT lock in futex", SYS_futex, TASK_RTLOCK_WAIT, LT_LOCK, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		check_wait(&waits[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

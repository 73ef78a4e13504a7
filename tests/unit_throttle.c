/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of a wait for a CPU was throttled: bpf/throttle.bpf.h, compiled for this machine, with run queues made by
 * hand. Nobody can free a queue of the kernel's at the right moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <string.h>

/* What clang defines when it compiles for BPF, and what the verifier needs. */
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#ifdef __clang__
#pragma clang diagnostic ignored "-Wunknown-attributes"
#pragma clang diagnostic ignored "-Wignored-attributes"
#else
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#if defined(__aarch64__)
#define __TARGET_ARCH_arm64
#else
#define __TARGET_ARCH_x86
#endif
#include "../bpf/kernel.h"

static uint64_t ktime_ns;

static long read_kernel(void *to, size_t size, const void *from)
{
	if (!from)
		return -14;
	memcpy(to, from, size);
	return 0;
}

#undef bpf_core_field_exists
#define bpf_core_field_exists(...) 1
#define __builtin_preserve_access_index(expression) (expression)
#define bpf_probe_read_kernel(to, size, from) read_kernel(to, size, from)
#define bpf_ktime_get_ns() ktime_ns
#include "../bpf/throttle.bpf.h"

#define MS 1000000ULL

/* A group with a queue on each of two CPUs, and a task that is queued in the first. */
static struct fixture {
	struct rq rq[2];
	struct task_group group, other;
	struct cfs_rq queue[2];
	struct task_struct task;
	struct lt_sched sched;
} f;

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	for (int i = 0; i < 2; i++) {
		f.queue[i].rq = &f.rq[i];
		f.queue[i].tg = &f.group;
		f.queue[i].throttled_clock_self_time = 100 * MS;
		f.rq[i].clock = 1000 * MS;
	}
	f.task.se.cfs_rq = &f.queue[0];
	f.task.throttled = true;
	f.task.prio = 120;
	ktime_ns = 5000 * MS;
	lt_throttle_begin(&f.sched, &f.task);
	return 0;
}

static void the_clock_grew(void **state)
{
	(void)state;
	f.queue[0].throttled_clock_self_time += 30 * MS;
	assert_int_equal(lt_throttle_end(&f.sched, &f.task, 50 * MS), 30 * MS);
	assert_int_equal(lt_throttle_end(&f.sched, &f.task, 20 * MS), 20 * MS);
	f.queue[0].throttled_clock_self = 990 * MS;
	assert_int_equal(lt_throttle_end(&f.sched, &f.task, 50 * MS), 40 * MS);
}

static void it_was_moved_to_another_cpu(void **state)
{
	(void)state;
	f.queue[0].throttled_clock_self_time += 30 * MS;
	f.queue[1].throttled_clock_self_time += 7 * MS;
	f.task.se.cfs_rq = &f.queue[1];
	assert_int_equal(lt_throttle_end(&f.sched, &f.task, 50 * MS), 30 * MS);
}

/* It was moved to another group, and its first one removed: what is in that memory now is no throttle clock. */
static void its_queue_is_gone(void **state)
{
	(void)state;
	memset(&f.queue[0], 0x6b, sizeof(f.queue[0]));
	f.queue[0].rq = &f.rq[0];
	f.queue[1].tg = &f.other;
	f.task.se.cfs_rq = &f.queue[1];
	assert_int_equal(lt_throttle_end(&f.sched, &f.task, 50 * MS), 0);
}

/* The wait began when the waker called; the queue's clock is read later. What it will show is computed from how far
 * apart the clocks are, so both must be of one moment. */
static void both_clocks_are_of_one_moment(void **state)
{
	(void)state;
	assert_int_equal(f.sched.wait_clock_ns, 4000 * MS);
	ktime_ns += 1;
	lt_throttle_begin(&f.sched, &f.task);
	assert_int_equal(f.sched.wait_clock_ns, 4000 * MS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_clock_grew, setup),
		cmocka_unit_test_setup(it_was_moved_to_another_cpu, setup),
		cmocka_unit_test_setup(its_queue_is_gone, setup),
		cmocka_unit_test_setup(both_clocks_are_of_one_moment, setup),
	};

	return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}

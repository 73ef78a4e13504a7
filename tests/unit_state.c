/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In which state a task leaves its CPU: bpf/state.bpf.h, compiled for this machine, decides for tasks made by hand.
 * Most kernels have neither proxy execution nor PREEMPT_RT, and none shows every case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "bpf_native.h"

static const char *absent; /* the one field that this kernel does not have; NULL: it has all */
static struct pt_regs user_regs;

static bool field_exists(const char *field)
{
	return !absent || strcmp(field, absent) != 0;
}

static long read_kernel(void *to, size_t size, const void *from)
{
	if (!from)
		return -14;
	memcpy(to, from, size);
	return 0;
}

static long task_regs(struct task_struct *task)
{
	(void)task;
	return (long)&user_regs;
}

static uint64_t ring_ways[4]; /* a set of the table of rings; every ring is in it */
static void *volatile ring_set = ring_ways;

static void *lookup(const void *map, const void *nr)
{
	(void)map;
	(void)nr;
	return ring_set;
}

#include "../bpf/state.bpf.h"

#define SLEEPS TASK_INTERRUPTIBLE
#define BLOCKS TASK_UNINTERRUPTIBLE
#define TASK_FREEZABLE 0x2000
#define MAX_FDS 4
enum { PIPE, SOCKET, CLOSED, RING };

/* What differs between tasks. call is a native call, arg its arguments. */
struct leaving {
	const char *what;
	enum lt_state state;
	unsigned int task_state, flags;
	bool preempt, on_rq, delayed, blocked_on, iowait, memstall, frozen;
	int call; /* 0: read (which has another number on arm64); -1: in none */
	uint64_t arg[3];
	const char *absent;
	uint64_t requests; /* under way in the ring */
};

static const struct leaving leaving[] = {
	/* Runnable, whatever its state says. */
	{ "yields", LT_PREEMPT, .on_rq = true },
	{ "is preempted", LT_PREEMPT, .on_rq = true, .preempt = true },
	{ "is preempted before it sleeps", LT_PREEMPT, SLEEPS, .on_rq = true, .preempt = true },
	{ "was woken before it slept", LT_PREEMPT, .on_rq = true, .blocked_on = true },
	/* Queued, but not runnable. */
	{ "sleeps, and stays queued", LT_IO, SLEEPS, .on_rq = true, .delayed = true },
	{ "blocks, and stays queued", LT_BLOCK, BLOCKS, .on_rq = true, .delayed = true },
	{ "no kernel before 6.12 lets a sleeper stay queued", LT_PREEMPT, SLEEPS, .on_rq = true, .delayed = true,
	  .absent = "task->se.sched_delayed" },
	{ "is a donor", LT_BLOCK, BLOCKS, .on_rq = true, .blocked_on = true },
	{ "is a donor, for a mutex on the way to its disk", LT_DISK, BLOCKS, .on_rq = true, .blocked_on = true,
	  .iowait = true },
	{ "is a donor, short of memory", LT_MEMORY, BLOCKS, .on_rq = true, .blocked_on = true, .memstall = true },
	{ "is a donor that can be killed", LT_BLOCK, BLOCKS | TASK_WAKEKILL, .on_rq = true, .blocked_on = true },
	{ "is a donor that a signal wakes", LT_IO, SLEEPS, .on_rq = true, .blocked_on = true },
	{ "is preempted on its way to a mutex", LT_PREEMPT, BLOCKS, .on_rq = true, .blocked_on = true,
	  .preempt = true },
	{ "no kernel before 6.17 has donors", LT_PREEMPT, BLOCKS, .on_rq = true, .blocked_on = true,
	  .absent = "task->blocked_on" },
	/* Not queued. */
	{ "waits for a mutex without a proxy", LT_BLOCK, BLOCKS, .blocked_on = true },
	{ "blocks", LT_BLOCK, BLOCKS },
	{ "blocks, but can be killed", LT_BLOCK, BLOCKS | TASK_WAKEKILL | TASK_FREEZABLE },
	{ "waits for its disk", LT_DISK, BLOCKS, .iowait = true },
	{ "reclaims", LT_MEMORY, BLOCKS, .memstall = true },
	{ "swaps in", LT_MEMORY, BLOCKS, .memstall = true, .iowait = true },
	{ "swaps in where stalls are not counted", LT_DISK, BLOCKS, .memstall = true, .iowait = true,
	  .absent = "task->in_memstall" },
	{ "idles", LT_SLEEP, BLOCKS | TASK_NOLOAD, PF_KTHREAD },
	{ "idles with an old flag", LT_SLEEP, BLOCKS | TASK_NOLOAD, PF_KTHREAD, .iowait = true },
	{ "waits for the child of its vfork", LT_SLEEP, BLOCKS | TASK_WAKEKILL | TASK_FREEZABLE, .call = SYS_clone },
	{ "waits for a lock in clone", LT_BLOCK, BLOCKS, .call = SYS_clone },
	/* A lock of PREEMPT_RT, in any context. */
	{ "waits for an RT lock", LT_LOCK, TASK_RTLOCK_WAIT },
	{ "waits for an RT lock in a call that polls", LT_LOCK, TASK_RTLOCK_WAIT, .call = SYS_epoll_pwait },
	{ "waits for an RT lock in no call", LT_LOCK, TASK_RTLOCK_WAIT, .call = -1 },
	{ "waits for an RT lock as a kernel thread", LT_LOCK, TASK_RTLOCK_WAIT, PF_KTHREAD },
	{ "waits for an RT lock on its way to the disk", LT_LOCK, TASK_RTLOCK_WAIT, .iowait = true },
	{ "waits for an RT lock while short of memory", LT_LOCK, TASK_RTLOCK_WAIT, .memstall = true },
	{ "is preempted before it waits for an RT lock", LT_PREEMPT, TASK_RTLOCK_WAIT, .on_rq = true, .preempt = true },
	/* Stopped by others. */
	{ "is stopped", LT_OTHER, TASK_STOPPED | TASK_WAKEKILL },
	{ "is traced", LT_OTHER, TASK_TRACED | TASK_WAKEKILL },
	{ "is parked", LT_OTHER, TASK_PARKED, PF_KTHREAD },
	{ "is frozen", LT_OTHER, TASK_FROZEN },
	{ "is frozen by its control group", LT_OTHER, SLEEPS, .frozen = true, .call = -1 },
	{ "has a page fault where the kernel has no such freezer", LT_IO, SLEEPS, .frozen = true, .call = -1,
	  .absent = "task->frozen" },
	/* The kernel's own. */
	{ "is a kernel thread", LT_SLEEP, SLEEPS, PF_KTHREAD },
	{ "is a worker of io_uring", LT_SLEEP, SLEEPS, PF_IO_WORKER },
	{ "is a worker of vhost", LT_SLEEP, SLEEPS, PF_USER_WORKER },
	{ "is a worker of vhost that blocks", LT_BLOCK, BLOCKS, PF_USER_WORKER },
	/* In a call. */
	{ "page fault on FUSE", LT_IO, SLEEPS, .call = -1 },
	{ "futex", LT_LOCK, SLEEPS, .call = SYS_futex },
	{ "flock", LT_LOCK, SLEEPS, .call = SYS_flock },
	{ "fcntl(F_SETLKW)", LT_LOCK, SLEEPS, .call = SYS_fcntl, .arg = { PIPE, F_SETLKW_NR } },
	{ "fcntl(F_OFD_SETLKW)", LT_LOCK, SLEEPS, .call = SYS_fcntl, .arg = { PIPE, F_OFD_SETLKW_NR } },
	{ "fcntl(F_GETLK)", LT_IO, SLEEPS, .call = SYS_fcntl, .arg = { PIPE, 5 } },
	{ "recvfrom", LT_NET, SLEEPS, .call = SYS_recvfrom },
	{ "read of a pipe", LT_IO, SLEEPS, .arg = { PIPE } },
	{ "read of a socket", LT_NET, SLEEPS, .arg = { SOCKET } },
	{ "read of a closed file", LT_IO, SLEEPS, .arg = { CLOSED } },
	{ "read of no file", LT_IO, SLEEPS, .arg = { MAX_FDS } },
	{ "read of file -1", LT_IO, SLEEPS, .arg = { UINT64_MAX } },
	{ "sendfile from a socket", LT_NET, SLEEPS, .call = SYS_sendfile, .arg = { PIPE, SOCKET } },
	{ "sendfile between files", LT_IO, SLEEPS, .call = SYS_sendfile, .arg = { PIPE, PIPE, SOCKET } },
	{ "splice to a socket", LT_NET, SLEEPS, .call = SYS_splice, .arg = { PIPE, PIPE, SOCKET } },
	{ "splice between pipes", LT_IO, SLEEPS, .call = SYS_splice, .arg = { PIPE, SOCKET, PIPE } },
	{ "epoll_pwait", LT_POLL, SLEEPS, .call = SYS_epoll_pwait },
	{ "a ring that was asked nothing", LT_POLL, SLEEPS, .call = SYS_io_uring_enter, .arg = { RING } },
	{ "a ring that was asked a disk", LT_DISK, SLEEPS, .call = SYS_io_uring_enter, .arg = { RING },
	  .requests = LT_RING_ONE(LT_RING_DISK) },
	{ "a ring that also listens", LT_DISK, SLEEPS, .call = SYS_io_uring_enter, .arg = { RING },
	  .requests = 2047 * LT_RING_ONE(LT_RING_DISK) + 2047 * LT_RING_ONE(LT_RING_NET) },
	{ "a ring that listens", LT_NET, SLEEPS, .call = SYS_io_uring_enter, .arg = { RING },
	  .requests = LT_RING_ONE(LT_RING_NET) + 2047 * LT_RING_ONE(LT_RING_IO) },
	{ "a ring that reads a pipe", LT_IO, SLEEPS, .call = SYS_io_uring_enter, .arg = { RING },
	  .requests = 1024 * LT_RING_ONE(LT_RING_IO) },
	{ "a ring whose counts were dropped", LT_POLL, SLEEPS, .call = SYS_io_uring_enter, .arg = { RING },
	  .requests = 7ULL << LT_RING_DROPS_SHIFT },
	{ "a closed ring", LT_POLL, SLEEPS, .call = SYS_io_uring_enter, .arg = { CLOSED },
	  .requests = LT_RING_ONE(LT_RING_DISK) },
	{ "a ring that waits for a lock", LT_BLOCK, BLOCKS, .call = SYS_io_uring_enter, .arg = { RING },
	  .requests = LT_RING_ONE(LT_RING_NET) },
	{ "nanosleep", LT_SLEEP, SLEEPS, .call = SYS_nanosleep },
	{ "wait4", LT_SLEEP, SLEEPS, .call = SYS_wait4 },
	{ "getpid", LT_OTHER, SLEEPS, .call = SYS_getpid },
	{ "a call that does not exist", LT_OTHER, SLEEPS, .call = 4000 },
};

static void set_regs(long nr, const uint64_t arg[3])
{
	memset(&user_regs, 0, sizeof(user_regs));
#if defined(__aarch64__)
	user_regs.syscallno = (int)nr;
	user_regs.orig_x0 = arg[0];
	user_regs.regs[1] = arg[1];
	user_regs.regs[2] = arg[2];
#else
	user_regs.orig_ax = (unsigned long)nr;
	user_regs.di = arg[0];
	user_regs.si = arg[1];
	user_regs.dx = arg[2];
#endif
}

static struct file *file_of(int what)
{
	static struct inode inodes[] = { [PIPE] = { .i_mode = 0010600 }, [SOCKET] = { .i_mode = S_IFSOCK | 0777 } };
	static const char operations[SOCKET + 1]; /* stand for two tables of functions */
	static char ring;
	static struct file files[] = {
		[RING] = { .f_inode = &inodes[PIPE], .private_data = &ring },
		[PIPE] = { .f_op = (const void *)&operations[PIPE], .f_inode = &inodes[PIPE] },
		[SOCKET] = { .f_op = (const void *)&operations[SOCKET], .f_inode = &inodes[SOCKET] },
	};

	return what == CLOSED ? NULL : &files[what];
}

static struct task_struct task_of(const struct leaving *c)
{
	static struct file *open_files[MAX_FDS];
	static struct fdtable table = { .max_fds = MAX_FDS, .fd = open_files };
	static struct files_struct files = { .fdt = &table };
	struct task_struct task = {
		.__state = c->task_state,
		.flags = c->flags,
		.on_rq = c->on_rq,
		.se.sched_delayed = c->delayed,
		.in_iowait = c->iowait,
		.in_memstall = c->memstall,
		.frozen = c->frozen,
		.blocked_on = c->blocked_on ? (struct mutex *)&task : NULL,
		.files = &files,
	};

	for (int i = 0; i < MAX_FDS; i++)
		open_files[i] = file_of(i);
	return task;
}

/* As switch_out in bpf/sched.bpf.c, on kernels with and without the cast. */
static enum lt_state state_after(struct task_struct *task, const struct leaving *c, uint32_t call)
{
	enum lt_state with, without;

	if (lt_is_put_off(task, task->__state, c->preempt))
		return LT_PREEMPT;
	with = lt_sleep_state(task, task->__state, call, true);
	without = lt_sleep_state(task, task->__state, call, false);
	assert_int_equal(with, without);
	return with;
}

static void test_states(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(leaving) / sizeof(*leaving); i++) {
		const struct leaving *c = &leaving[i];
		int nr = c->call ? c->call : SYS_read;
		struct task_struct task = task_of(c);
		enum lt_state found;

		absent = c->absent;
		set_regs(nr, c->arg);
		ring_ways[2] = lt_flight_tag(lt_flight_key((uint64_t)file_of(RING)->private_data)) << LT_FLIGHT_BITS |
			       c->requests;
		found = state_after(&task, c, nr < 0 ? LT_CALL_NONE : LT_CALL(LT_ABI_NATIVE, nr));
		if (found != c->state)
			printf("# %s: state %d, not %d\n", c->what, found, c->state);
		wrong += found != c->state;
	}
	assert_int_equal(wrong, 0);
}

/* The arguments of another ABI are in other registers. */
static void test_compat(void **state)
{
#if defined(__x86_64__)
	struct leaving c = { .task_state = SLEEPS };
	struct task_struct task = task_of(&c);

	absent = NULL;
	set_regs(3, (uint64_t[]){ PIPE, PIPE, PIPE });
	user_regs.bx = SOCKET | 1UL << 32;
	assert_int_equal(state_after(&task, &c, LT_CALL(LT_ABI_COMPAT, 3)), LT_NET);
	user_regs.bx = PIPE;
	assert_int_equal(state_after(&task, &c, LT_CALL(LT_ABI_COMPAT, 3)), LT_IO);
	/* ipc(2) */
	user_regs.bx = IPC_SEMTIMEDOP | 1 << 16;
	assert_int_equal(state_after(&task, &c, LT_CALL(LT_ABI_COMPAT, 117)), LT_LOCK);
	user_regs.bx = 12;
	assert_int_equal(state_after(&task, &c, LT_CALL(LT_ABI_COMPAT, 117)), LT_IO);
#endif
	(void)state;
}

/* A thread whose files are already closed. */
static void test_no_files(void **state)
{
	struct leaving c = { .task_state = SLEEPS };
	struct task_struct task = task_of(&c);

	(void)state;
	absent = NULL;
	task.files = NULL;
	set_regs(SYS_read, (uint64_t[]){ SOCKET, 0, 0 });
	assert_int_equal(state_after(&task, &c, LT_CALL(LT_ABI_NATIVE, SYS_read)), LT_IO);
}

/* The call that a task is in by its registers: the kernel's own threads have their creator's. */
static void test_call_by_registers(void **state)
{
	static const unsigned int own[] = { PF_KTHREAD, PF_IO_WORKER, PF_USER_WORKER };
	struct leaving c = { .task_state = SLEEPS };
	struct task_struct task = task_of(&c);

	(void)state;
	absent = NULL;
	set_regs(SYS_flock, (uint64_t[]){ 0, 0, 0 });
	assert_int_equal(lt_call_by_regs(&task), LT_CALL(LT_ABI_NATIVE, SYS_flock));
	task.frozen = 1;
	assert_int_equal(lt_call_by_regs(&task), LT_CALL_NONE);
	/* A parent in vfork counts as frozen, too. */
	task.__state = BLOCKS | TASK_WAKEKILL;
	assert_int_equal(lt_call_by_regs(&task), LT_CALL(LT_ABI_NATIVE, SYS_flock));
	task.frozen = 0;
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		task.flags = own[i];
		assert_int_equal(lt_call_by_regs(&task), LT_CALL_NONE);
	}
	task.flags = 0;
	set_regs(-1, (uint64_t[]){ 0, 0, 0 });
	assert_int_equal(lt_call_by_regs(&task), LT_CALL_NONE);
	set_regs(5000, (uint64_t[]){ 0, 0, 0 });
	assert_int_equal(lt_call_by_regs(&task), LT_CALL(LT_ABI_NATIVE, LT_NR_FOLDED));
}

/* ---- tables of what is in flight (bpf/flight.bpf.h) ---- */

#define TAGS (1ULL << LT_FLIGHT_TAG_BITS)

static struct lt_flights set;

static int emptied(void **state)
{
	(void)state;
	set = (struct lt_flights){ { 0 } };
	return 0;
}

/* What was put in is found until it is taken. */
static void one_flight(void **state)
{
	uint64_t key = lt_flight_key(0xffff888012345640);

	(void)state;
	assert_int_equal(lt_flight_find(&set, key, true), 0);
	assert_int_equal(lt_flight_put(&set, key, 77), 0);
	assert_int_equal(lt_flight_find(&set, key, false), 77);
	assert_int_equal(lt_flight_find(&set, key, true), 77);
	assert_int_equal(lt_flight_find(&set, key, true), 0);
}

/* A flight whose end was missed is replaced when its address is used again. */
static void its_own_is_replaced(void **state)
{
	(void)state;
	for (uint64_t tag = 0; tag < 3; tag++)
		assert_int_equal(lt_flight_put(&set, tag, 10 + tag), 0);
	assert_int_equal(lt_flight_find(&set, 0, true), 10);
	/* Behind a free way. */
	assert_int_equal(lt_flight_put(&set, 2, 20), 12);
	assert_int_equal(lt_flight_find(&set, 2, true), 20);
	assert_int_equal(lt_flight_find(&set, 2, true), 0);
	assert_int_equal(lt_flight_find(&set, 1, true), 11);
}

/* What finds no room replaces another, which is reported. */
static void a_full_set(void **state)
{
	uint64_t left = 0;

	(void)state;
	for (uint64_t tag = 1; tag <= LT_FLIGHT_WAYS; tag++)
		assert_int_equal(lt_flight_put(&set, tag, tag), 0);
	left = lt_flight_put(&set, TAGS - 1, 5);
	assert_in_range(left, 1, LT_FLIGHT_WAYS);
	assert_int_equal(lt_flight_find(&set, left, false), 0);
	for (uint64_t tag = 1; tag <= LT_FLIGHT_WAYS; tag++)
		if (tag != left)
			assert_int_equal(lt_flight_find(&set, tag, true), tag);
	assert_int_equal(lt_flight_find(&set, TAGS - 1, true), 5);
}

/* None of the 36 bits that are kept overlaps the tag. */
static void all_bits(void **state)
{
	uint64_t most = (1ULL << LT_FLIGHT_BITS) - 1;

	(void)state;
	assert_int_equal(lt_flight_put(&set, 0, ~0ULL), 0);
	assert_int_equal(lt_flight_put(&set, TAGS - 1, most), 0);
	assert_int_equal(lt_flight_find(&set, 0, true), most);
	assert_int_equal(lt_flight_find(&set, TAGS - 1, true), most);
	/* The sets are told apart by the bits above. */
	assert_int_equal(lt_flight_tag(lt_flight_key(0x1234567890c0)), lt_flight_key(0x1234567890c0) % TAGS);
	assert_true(lt_flight_key(~0ULL) < 1ULL << LT_FLIGHT_KEY_BITS);
}

int main(void)
{
	static const struct CMUnitTest states[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_compat),
		cmocka_unit_test(test_no_files),
		cmocka_unit_test(test_call_by_registers),
		cmocka_unit_test_setup(one_flight, emptied),
		cmocka_unit_test_setup(its_own_is_replaced, emptied),
		cmocka_unit_test_setup(a_full_set, emptied),
		cmocka_unit_test_setup(all_bits, emptied),
	};

	return cmocka_run_group_tests(states, NULL, NULL);
}

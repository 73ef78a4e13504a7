/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sleep waits for: each workload sleeps in one known call, from before lagtop starts or while it watches. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asleep.h"

static const struct {
	const char *workload, *kind, *state;
} sleepers[] = {
	{ "sleep", "futex", "lock" },	 { "sleep", "pipe", "io" },	  { "sleep", "pipe-write", "io" },
	{ "sleep", "tty", "io" },	 { "sleep", "eventfd", "io" },	  { "sleep", "socket", "net" },
	{ "sleep", "recv", "net" },	 { "sleep", "accept", "net" },	  { "sleep", "epoll", "poll" },
	{ "sleep", "poll", "poll" },	 { "sleep", "select", "poll" },	  { "sleep", "nanosleep", "sleep" },
	{ "sleep", "sigwait", "sleep" }, { "sleep", "wait4", "sleep" },	  { "sleep", "vfork", "sleep" },
	{ "sleep", "flock", "lock" },	 { "sleep", "fcntl", "lock" },	  { "sleep", "semop", "lock" },
	{ "sleep", "msgrcv", "io" },	 { "sleep", "stopped", "other" }, { "sleep", "traced", "other" },
	{ "fuse", "stat", "io" },	 { "fuse", "access", "io" },	  { "fuse", "open", "io" },
	{ "fuse", "unlink", "io" },	 { "fuse", "rename", "io" },	  { "fuse", "mkdir", "io" },
	{ "fuse", "readlink", "io" },	 { "fuse", "getxattr", "io" },	  { "fuse", "statfs", "io" },
	{ "fuse", "getdents", "io" },	 { "fuse", "execve", "io" },	  { "fuse", "fsync", "io" },
	{ "fuse", "fault", "io" },	 { "sleep", "kvm", "sleep" },
};
#define SLEEPERS (sizeof(sleepers) / sizeof(*sleepers))

/* What a ring of io_uring waits for; lagtop must have seen it being asked. */
static const struct {
	const char *kind, *state;
} rings[] = {
	{ "recv", "net" },     { "read", "net" },	{ "pipe", "io" },    { "eventfd", "io" }, { "poll", "poll" },
	{ "timeout", "poll" }, { "registered", "net" }, { "after", "poll" }, { "full", "poll" },
};
#define RINGS (sizeof(rings) / sizeof(*rings))

/* Calls that this kernel lacks cannot be slept in. */
static bool is_possible(size_t i)
{
	const char *device = !strcmp(sleepers[i].workload, "fuse") ? "/dev/fuse"
			     : !strcmp(sleepers[i].kind, "kvm")	   ? "/dev/kvm"
								   : NULL;
	int fd = device ? open(device, O_RDWR | O_CLOEXEC) : -1;

	if (device && fd < 0)
		printf("# no %s here\n", device);
	if (fd >= 0)
		close(fd);
	return !device || fd >= 0;
}

static void check_sleepers(const char *when, bool before)
{
	struct live *l = before ? NULL : live_start("-d", "0.5", NULL);
	int64_t pid[SLEEPERS] = {};
	const char *ready;
	size_t from;

	for (size_t i = 0; i < SLEEPERS; i++) {
		if (!is_possible(i))
			continue;
		live_load(&ready, sleepers[i].workload, sleepers[i].kind, NULL);
		pid[i] = child_value(ready, "pid");
		asleep_wait(pid[i]);
	}
	if (before)
		l = live_start("-d", "0.5", NULL);
	else
		live_past_now(l); /* this one may still hold their beginning */
	from = l->n;
	while (l->n < from + 6)
		live_next(l);
	for (size_t i = 0; i < SLEEPERS; i++)
		if (pid[i])
			live_between(asleep_share(l, before ? 0 : from, pid[i], sleepers[i].state), 0.95, 1.001,
				     "%s: %s %s is %s", when, sleepers[i].workload, sleepers[i].kind,
				     sleepers[i].state);
}

static void test_asleep_before_lagtop(void **state)
{
	(void)state;
	check_sleepers("before", true);
	live_verdict();
}

static void test_asleep_after_lagtop(void **state)
{
	(void)state;
	check_sleepers("after", false);
	live_verdict();
}

/* Skips if the kernel has no io_uring, or does not allow it. */
static void need_rings(void)
{
	int64_t off = live_field("/proc/sys/kernel/io_uring_disabled", 0);

	live_need_bpf();
	if (off > 1)
		live_skip("io_uring is off (kernel.io_uring_disabled)");
}

static void test_asleep_for_a_ring(void **state)
{
	int64_t pid[RINGS];
	const char *ready;
	struct live *l;
	size_t from;

	(void)state;
	need_rings();
	l = live_start("-d", "0.5", NULL);
	for (size_t i = 0; i < RINGS; i++) {
		live_load(&ready, "ring-sleep", rings[i].kind, NULL);
		pid[i] = child_value(ready, "pid");
		asleep_wait(pid[i]);
	}
	live_past_now(l);
	from = l->n;
	while (l->n < from + 4)
		live_next(l);
	for (size_t i = 0; i < RINGS; i++)
		live_between(asleep_share(l, from, pid[i], rings[i].state), 0.95, 1.001, "a ring's %s is %s",
			     rings[i].kind, rings[i].state);
	live_verdict();
}

/* Threads that the kernel makes for a ring are its process's, and what they idle is a sleep. */
static void test_idle_threads_of_a_ring(void **state)
{
	static const char *const kinds[] = { "worker", "poller" }, *const states[] = { "poll", "io" };
	struct live *l;
	const char *ready;

	(void)state;
	need_rings();
	for (int i = 0; i < 2; i++) {
		int64_t pid, two = 0;
		size_t from;

		l = live_start("-d", "0.3", NULL);
		live_load(&ready, "ring-sleep", kinds[i], NULL);
		pid = child_value(ready, "pid");
		asleep_wait(pid);
		live_past_now(l);
		from = l->n;
		while (l->n < from + 4) {
			struct json_object *p = live_process(live_next(l), pid);
			double wall_ns, asleep_ns;

			assert_non_null(p);
			if (live_get(p, "threads") != 2)
				continue; /* an idle worker ends after some seconds */
			wall_ns = (double)live_get(p, "wall_ns");
			asleep_ns = (double)live_get(p, "time_ns.sleep");
			two++;
			live_between(asleep_ns / wall_ns, 0.47, 0.501, "%s: the kernel's thread sleeps", kinds[i]);
			live_between(
				(asleep_ns + (double)live_sum(l, l->n - 1, pid, i ? "time_ns.io" : "time_ns.poll")) /
					wall_ns,
				0.95, 1.001, "%s: the other waits, %s", kinds[i], states[i]);
		}
		live_between((double)two, 1, 4, "%s: two threads in so many readings", kinds[i]);
		live_end_test(NULL);
	}
	live_verdict();
}

static char cgroups[] = "/tmp/lagtop-live-XXXXXX"; /* where cgroup 2 is mounted for this test */
static char freezer[64];

static void freeze(int64_t pid)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)pid);
	live_write(freezer, "cgroup.procs", text);
}

/* Waits for all processes of the group, not only those already frozen. */
static void freeze_all(void)
{
	char path[80], text[128] = "";

	live_write(freezer, "cgroup.freeze", "1");
	snprintf(path, sizeof(path), "%s/cgroup.events", freezer);
	while (!strstr(text, "frozen 1")) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		assert_true(n > 0);
		text[n] = 0;
		close(fd);
	}
}

/* However the test ended, and before any process is killed: a frozen one does not die. */
static int thaw(void **state)
{
	int left;

	live_try_write(freezer, "cgroup.freeze", "0");
	left = live_end_test(state);
	while (freezer[0] && rmdir(freezer) && errno == EBUSY)
		; /* exited processes leave it one by one */
	umount2(cgroups, MNT_DETACH);
	rmdir(cgroups);
	return left;
}

/* Whatever it did when it was frozen: running, in a call, or a parent in vfork, which continues to wait for its
 * child. */
static void test_frozen_by_cgroup_2(void **state)
{
	static const char *const kinds[] = { "nanosleep", "pipe", "vfork" };
	static const char *const states[] = { "other", "other", "sleep" };
	int64_t pid[3], spinner;
	const char *ready;
	struct live *l;

	(void)state;
	live_need_bpf();
	assert_non_null(mkdtemp(cgroups));
	if (mount("none", cgroups, "cgroup2", MS_NOSUID, NULL))
		live_skip("this kernel has no cgroup 2");
	snprintf(freezer, sizeof(freezer), "%s/lagtop-live-%d", cgroups, getpid());

	assert_int_equal(mkdir(freezer, 0755), 0);
	live_load(&ready, "spin", "-1", "1", "0", NULL);
	freeze(spinner = child_value(ready, "pids"));
	for (size_t i = 0; i < 3; i++) {
		live_load(&ready, "sleep", kinds[i], NULL);
		freeze(pid[i] = child_value(ready, "pid"));
		asleep_wait(pid[i]);
	}
	freeze_all();
	asleep_wait(spinner);
	l = live_start("-d", "0.3", NULL);
	live_next(l);
	live_between(asleep_share(l, 0, spinner, "other"), 0.95, 1.001, "frozen spinner is other");
	for (size_t i = 0; i < 3; i++)
		live_between(asleep_share(l, 0, pid[i], states[i]), 0.95, 1.001, "frozen %s is %s", kinds[i],
			     states[i]);
	live_verdict();
}

/* PREEMPT_RT, where spin locks sleep: that is a wait for a lock, not a sleep that the call asked for. */
static void test_rt_lock(void **state)
{
	const char *n = live_times("2000", "500");
	int64_t lock_ns, p99_ns = 0, p50_ns = 0;
	double waited_ns;
	struct child *load;
	struct live *l;
	size_t from;

	(void)state;
	live_need_bpf();
	if (!live_has_preempt_rt())
		live_skip("this kernel is not PREEMPT_RT");
	l = live_start("-d", "0.5", NULL);
	load = live_load(NULL, "kernel-lock", "50", n, NULL);
	from = live_mark(l);
	waited_ns = (double)child_value(live_round(load), "waited_ns");
	live_past_now(l);
	lock_ns = live_sum(l, from, load->pid, "time_ns.lock");
	live_compare((double)lock_ns, waited_ns, 0.15 * waited_ns, "time in lock, ns");
	live_between((double)live_sum_call(l, from, load->pid, "write", "wait_ns"), (double)lock_ns, 1.2 * waited_ns,
		     "off CPU in write, ns");
	/* Apart from the writes, the process's calls are short, not counting their sleep. */
	for (size_t r = from; r < l->n; r++) {
		struct json_object *p = live_process(l->reading[r], load->pid), *row = live_call(p, "write");

		if (!row || live_get(row, "count") < 50)
			continue;
		p50_ns = live_get(row, "p50_ns");
		p99_ns = live_get(p, "calls.p99_ns");
		live_between((double)p99_ns, (double)p50_ns, 1e15, "p99 of calls, half of the writes took");
	}
	live_between((double)p50_ns, waited_ns / 2 / strtod(n, NULL), 1e15, "half of the writes took, ns");
	live_verdict();
}

/* Whether a thread of the process is once said to have been woken by `waker`, while the load has rounds. */
static bool is_woken_by(struct child *load, int64_t pid, int64_t waker)
{
	char text[24], expr[48];
	char *argv[] = { child_lagtop(), (char *)"--batch",   (char *)"-H", (char *)"-d",
			 (char *)"0.2",	 (char *)"-n",	      (char *)"10", (char *)"-p",
			 text,		 (char *)"--fail-if", expr,	    NULL };
	struct child *lagtop;
	int status;

	snprintf(text, sizeof(text), "%lld", (long long)pid);
	snprintf(expr, sizeof(expr), "waker=%lld", (long long)waker);
	lagtop = child_start(argv, (uid_t)-1);
	assert_non_null(lagtop);
	while (child_line(lagtop))
		live_round(load);
	status = child_wait(lagtop);
	child_free(lagtop);
	assert_true(status == 0 || status == 4);
	return status == 4;
}

/* A process wakes by a write, and a timer that goes off while another process runs there. */
static void test_wakers(void **state)
{
	const char *ready;
	struct child *load;
	int64_t sleeper, spinner;

	(void)state;
	live_need_bpf();
	load = live_load(&ready, "wakes", "0", "0", "20", NULL);
	sleeper = child_value(ready, "pid");
	live_load(&ready, "spin", "0", "1", "19", NULL);
	spinner = child_value(ready, "pids");
	assert_true(is_woken_by(load, sleeper, load->pid));
	assert_false(is_woken_by(load, sleeper, spinner));
	load = live_load(&ready, "bursts", "0", "20", "10", NULL);
	assert_false(is_woken_by(load, load->pid, spinner));
}

int main(void)
{
	static const struct CMUnitTest sleeps[] = {
		live_test(test_asleep_before_lagtop),
		live_test(test_asleep_after_lagtop),
		live_test(test_asleep_for_a_ring),
		live_test(test_idle_threads_of_a_ring),
		live_test(test_rt_lock),
		live_test(test_wakers),
		cmocka_unit_test_teardown(test_frozen_by_cgroup_2, thaw),
	};

	return live_main(sleeps);
}

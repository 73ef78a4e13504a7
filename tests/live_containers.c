/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside a pid namespace, and the names of control groups of both versions. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "live.h"
#include "sandbox.h"

/* Rows are the namespace's processes with its own pids; everything else is one row. */
static void test_pid_namespace(void **state)
{
	/*
	 * lagtop is the namespace's first process, the load its second. Not the other way round: Linux 6.1 hangs when
	 * the first one dies while another one's fexit programs are detached (synchronize_rcu_tasks).
	 */
	static const char script[] = "exec 3<&0; build/tests/load getppid 2 10000 <&3 >/dev/null & "
				     "exec \"${LAGTOP:-./lagtop}\" --json -d 0.2 </dev/null 3<&-";
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	struct live l = {};
	struct child *outside = live_load(NULL, "getppid", "1", "5000", NULL);
	int64_t counted = 0;

	(void)state;
	live_need_bpf();
	l.child = child_start_in(sandbox_pid_namespace, argv);
	assert_non_null(l.child);
	for (int n = 0; n < 100 && counted < 10000; n++) {
		struct json_object *reading = live_next(&l), *all = json_object_object_get(reading, "processes");
		int others = 0;

		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *p = json_object_array_get_idx(all, i);
			int64_t pid = live_get(p, "pid");

			others += pid == 0;
			if (pid == 0)
				assert_string_equal(live_text(p, "comm"), "outside");
			else
				assert_true(pid <= 2);
			assert_string_equal(live_text(p, "state"), "alive");
		}
		assert_int_equal(others, 1);
		assert_string_equal(live_text(live_process(reading, 1), "comm"), "lagtop");
		counted = live_sum_call(&l, 0, 2, "getppid", "count");
		if (counted) /* earlier it may still be the shell */
			assert_string_equal(live_text(live_process(reading, 2), "comm"), "load");
		if (n == 1) {
			live_round(outside);
			assert_true(child_send(l.child, 'x'));
		}
	}
	live_compare((double)counted, 10000, 0, "pid namespace: getppid of its pid 2");
	/* Other processes make few; including those of its pid 2 there would be three times as many. */
	live_between((double)live_sum_call(&l, 0, 0, "getppid", "count"), 5000, 9999, "pid namespace: getppid outside");
	for (size_t i = 0; i < l.n; i++)
		json_object_put(l.reading[i]);
	free(l.reading);
	live_verdict();
}

/*
 * Threads outside get their record when they are first seen to get a CPU. Some hosts hide their pid 1 from BPF
 * programs: its threads are never seen to leave it. A tenth more than all CPUs: where switches are hidden, threads
 * overlap.
 */
static void test_outside_fits_the_cpus(void **state)
{
	char *argv[] = { (char *)child_lagtop(), (char *)"--json", (char *)"-d", (char *)"0.4",
			 (char *)"-n",		 (char *)"12",	   NULL };
	struct live l = {};
	int64_t run_ns = 0, all_ns = 0;

	(void)state;
	live_need_bpf();
	l.child = child_start_in(sandbox_pid_namespace, argv);
	assert_non_null(l.child);
	for (int n = 0; n < 12; n++) {
		struct json_object *reading = live_next(&l);

		all_ns += live_get(reading, "interval_ns") * live_get(reading, "host.cpus");
		run_ns += live_get(live_process(reading, 0), "time_ns.run");
	}
	live_between((double)run_ns, 1, 1.1 * (double)all_ns, "outside: time on CPUs");
	for (size_t i = 0; i < l.n; i++)
		json_object_put(l.reading[i]);
	free(l.reading);
	live_verdict();
}

#define TICK_NS (1000000000LL / sysconf(_SC_CLK_TCK))
#define YEARS_NS (100000 * 1000000000LL) /* longer than anything here */

/* Field 22 of its stat, by our own clock. */
static int64_t start_ticks(int64_t pid)
{
	long long ticks = -1;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f,
				"%*d (sleep) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
				"%*d %lld",
				&ticks),
			 1);
	fclose(f);
	return ticks;
}

/* In a child, since only a single-threaded process can change its time namespace. */
static int signal_from_time_namespace(int64_t pid, int64_t start_ns)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		int nice;

		sandbox_time_namespace();
		_exit(control_nice((uint32_t)pid, (uint64_t)start_ns, &nice) ||
		      control_renice((uint32_t)pid, (uint64_t)start_ns, nice) ||
		      control_signal((uint32_t)pid, (uint64_t)start_ns, SIGTERM));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* As in a container that was restored, or one with timeOffsets: start times are on its own clock; durations are the
 * same on any clock. */
static void test_time_namespace(void **state)
{
	char *argv[] = { (char *)"sleep", (char *)"1000", NULL };
	struct child *sleeper = child_start(argv, (uid_t)-1);
	struct json_object *p;
	struct live *l;
	int64_t start_ns;

	(void)state;
	live_need_bpf();
	if (access("/proc/self/timens_offsets", F_OK))
		live_skip("this kernel has no time namespaces");
	assert_non_null(sleeper);
	l = live_start_as(sandbox_time_namespace, NULL, "-d", "0.1", NULL);
	live_past_now(l);
	p = live_process(live_next(l), sleeper->pid);
	assert_non_null(p);
	start_ns = live_get(p, "start_ns");
	live_compare((double)(start_ns / TICK_NS),
		     (double)(start_ticks(sleeper->pid) + WORLD_BOOTTIME_S * (1000000000LL / TICK_NS)), 0,
		     "time namespace: start in ticks");
	live_between((double)live_get(live_call(p, "clock_nanosleep"), "oldest_ns"), 1, (double)YEARS_NS,
		     "time namespace: age of a sleep");
	live_compare((double)live_get(p, "wall_ns"), (double)live_get(l->reading[l->n - 1], "interval_ns"), 0,
		     "time namespace: wall of a sleep");
	assert_int_equal(signal_from_time_namespace(sleeper->pid, start_ns), 0);
	assert_int_equal(child_wait(sleeper), 128 + SIGTERM);
	live_verdict();
}

static char group[32];	   /* unique to this run, in every hierarchy */
static char mounts[2][32]; /* by version */

/* Mounts a hierarchy of that version and puts the process into a new group there. */
static void enter_group(int version, int64_t pid)
{
	char path[128], name[64], text[24], *dir = mounts[version - 1];
	int fd, n = snprintf(text, sizeof(text), "%lld", (long long)pid);

	snprintf(group, sizeof(group), "lagtop-live-%d", getpid());
	snprintf(name, sizeof(name), "none,name=%s", group);
	snprintf(path, sizeof(path), "/tmp/lagtop-live-XXXXXX");
	assert_non_null(mkdtemp(path));
	strcpy(dir, path);
	if (mount("none", dir, version == 1 ? "cgroup" : "cgroup2", 0, version == 1 ? name : NULL)) {
		if (errno == ENODEV || errno == EINVAL)
			live_skip("this kernel does not have cgroups of that version");
		fail_msg("mount of version %d: %s", version, strerror(errno));
	}
	snprintf(path, sizeof(path), "%s/%s", dir, group);
	if (mkdir(path, 0755))
		fail_msg("%s: %s", path, strerror(errno));
	snprintf(path, sizeof(path), "%s/%s/cgroup.procs", dir, group);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
}

/* However the test ended. */
static int leave_groups(void **state)
{
	int left = live_end_test(state); /* they are empty now */
	char path[128];

	for (size_t i = 0; i < 2; i++) {
		if (!*mounts[i])
			continue;
		snprintf(path, sizeof(path), "%s/%s", mounts[i], group);
		left |= rmdir(path) && errno != ENOENT;
		umount2(mounts[i], MNT_DETACH);
		left |= rmdir(mounts[i]);
		*mounts[i] = 0;
	}
	return left;
}

static void check_group(bool v1, bool v2)
{
	struct child *load = live_load(NULL, "rename", "grouped", NULL);
	struct json_object *reading;
	struct live *l;

	live_need_bpf();
	if (v1)
		enter_group(1, load->pid);
	if (v2)
		enter_group(2, load->pid);
	l = live_start("-d", "0.1", NULL);
	reading = l->reading[0];
	/* Looked up in a helper thread: on a slow machine the answer comes with a later reading. */
	for (int i = 0; i < 50 && !strstr(live_text(live_process(reading, load->pid), "cgroup"), group); i++)
		reading = live_next(l);
	assert_non_null(strstr(live_text(live_process(reading, load->pid), "cgroup"), group));
}

static void test_cgroup_1(void **state)
{
	(void)state;
	check_group(true, false);
}

static void test_cgroup_2(void **state)
{
	(void)state;
	check_group(false, true);
}

static void test_cgroup_hybrid(void **state)
{
	(void)state;
	check_group(true, true);
}

int main(void)
{
	static const struct CMUnitTest containers[] = {
		live_test(test_pid_namespace),
		live_test(test_outside_fits_the_cpus),
		live_test(test_time_namespace),
		cmocka_unit_test_teardown(test_cgroup_1, leave_groups),
		cmocka_unit_test_teardown(test_cgroup_2, leave_groups),
		cmocka_unit_test_teardown(test_cgroup_hybrid, leave_groups),
	};

	return live_main(containers);
}

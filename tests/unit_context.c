/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The context of a process's waits: what this test set for itself, and what files of control groups say. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "context.h"

static char root[64];

static void put(const char *name, const char *text)
{
	char path[512], *slash;
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", root, name);
	for (slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The text of a child that pins itself to its last CPU, is nicer and in a policy. */
static void child_text(char buf[CONTEXT_TEXT])
{
	static const struct cgroup_mounts none;
	int to_parent[2], to_child[2], dir;
	char byte, path[64];
	struct context c;
	pid_t pid;

	assert_int_equal(pipe(to_parent), 0);
	assert_int_equal(pipe(to_child), 0);
	pid = fork();
	if (!pid) {
		struct sched_param batch = { 0 };
		cpu_set_t cpus, one;

		sched_getaffinity(0, sizeof(cpus), &cpus);
		CPU_ZERO(&one);
		for (int i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &cpus)) {
				CPU_SET(i, &one);
				break;
			}
		close(to_child[1]);
		if (sched_setaffinity(0, sizeof(one), &one) || sched_setscheduler(0, SCHED_BATCH, &batch) ||
		    setpriority(PRIO_PROCESS, 0, 7))
			_exit(1);
		_exit(write(to_parent[1], "x", 1) != 1 || read(to_child[0], &byte, 1) != 0);
	}
	close(to_parent[1]);
	close(to_child[0]);
	assert_int_equal(read(to_parent[0], &byte, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d", pid);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	assert_true(context_read(&c, dir, &none));
	context_text(&c, buf);
	close(dir);
	close(to_child[1]);
	close(to_parent[0]);
	waitpid(pid, NULL, 0);
}

static void scheduling_is_told(void **state)
{
	char buf[CONTEXT_TEXT];

	(void)state;
	child_text(buf);
	assert_ptr_equal(strstr(buf, "on CPU "), buf);
	assert_non_null(strstr(buf, ", pinned; batch; nice 7"));
	assert_non_null(strstr(buf, "; RSS "));
	assert_null(strstr(buf, "quota"));
}

/* The nearest weight; the tightest quota and limit, which are those of the group above. */
static void limits_of_groups_above_count(void **state)
{
	struct cgroup_mounts m;
	struct cgroup_limits l;

	(void)state;
	put("/proc/self/mountinfo", "31 23 0:28 / /two rw - cgroup2 cgroup2 rw\n");
	put("/two/api.slice/cpu.max", "20000 100000\n");
	put("/two/api.slice/memory.max", "67108864\n");
	put("/two/api.slice/memory.current", "63963136\n");
	put("/two/api.slice/api.service/cpu.max", "50000 100000\n");
	put("/two/api.slice/api.service/cpu.weight", "39\n");
	put("/two/api.slice/api.service/memory.max", "max\n");
	put("/two/api.slice/api.service/memory.current", "4096\n");
	cgroup_mounts_read(&m, root);
	cgroup_limits_read(&l, &m, "0::/api.slice/api.service/inner\n");
	assert_int_equal(l.weight, 39);
	assert_string_equal(l.group, "api.service");
	assert_true(l.quota_percent > 19.99 && l.quota_percent < 20.01);
	assert_int_equal(l.memory_limit_bytes, 64 << 20);
	assert_int_equal(l.memory_bytes, 61 << 20);
	/* Nothing is known of a group that is outside, and nothing of the root. */
	cgroup_limits_read(&l, &m, "0::/../api.slice\n");
	assert_true(l.weight == UINT64_MAX && l.memory_bytes == UINT64_MAX && l.quota_percent <= 0);
	cgroup_limits_read(&l, &m, "0::/\n");
	assert_true(l.weight == UINT64_MAX && l.memory_limit_bytes == UINT64_MAX && l.quota_percent <= 0);
}

/* Controllers of version 1 have hierarchies of their own, here of a container. */
static void version_one(void **state)
{
	struct context c = { .limits.weight = UINT64_MAX };
	struct cgroup_mounts m;
	char buf[CONTEXT_TEXT];

	(void)state;
	put("/proc/self/mountinfo", "31 23 0:28 / /two rw - cgroup2 cgroup2 rw\n"
				    "32 31 0:29 /docker /cpu rw shared:1 - cgroup cgroup rw,cpuacct,cpu\n"
				    "33 31 0:29 / /sets rw - cgroup cgroup rw,cpuset\n"
				    "35 31 0:32 / /memory rw - cgroup cgroup rw,memory\n");
	put("/cpu/cpu.cfs_quota_us", "-1\n");
	put("/cpu/api/cpu.shares", "2048\n");
	put("/cpu/api/cpu.cfs_quota_us", "150000\n");
	put("/cpu/api/cpu.cfs_period_us", "100000\n");
	put("/memory/memory.limit_in_bytes", "9223372036854771712\n");
	put("/memory/docker/memory.limit_in_bytes", "67108864\n");
	put("/memory/docker/memory.usage_in_bytes", "63963136\n");
	cgroup_mounts_read(&m, root);
	cgroup_limits_read(&c.limits, &m, "7:memory:/docker\n5:cpuset:/\n4:cpu,cpuacct:/docker/api\n0::/api.slice\n");
	assert_int_equal(c.limits.weight, 200);
	assert_true(c.limits.quota_percent > 149.9 && c.limits.quota_percent < 150.1);
	context_text(&c, buf);
	assert_non_null(strstr(buf, "; weight 200 in api; quota 150 %; "));
	assert_non_null(strstr(buf, "; memory 61 of 64 MiB"));
	/* Not inside of what is mounted. */
	cgroup_limits_read(&c.limits, &m, "4:cpu,cpuacct:/other/api\n0::/\n");
	assert_true(c.limits.weight == UINT64_MAX && c.limits.quota_percent <= 0);
}

static void a_helper_reads_it(void **state)
{
	const struct context *c;

	(void)state;
	while (!(c = context_of((uint32_t)getpid(), 0)))
		context_update();
	assert_int_equal(c->policy, SCHED_OTHER);
	assert_true(c->rss_bytes > 4096);
	/* What is not asked about any more is forgotten, and what is still asked about is read anew. */
	assert_int_equal(setpriority(PRIO_PROCESS, 0, 3), 0);
	while (!(c = context_of((uint32_t)getpid(), 0)) || c->nice != 3)
		context_update();
	/* Nothing is said of a process that is not there, or of another with its number. */
	assert_null(context_of(0x7ffffffe, 0));
	assert_null(context_of((uint32_t)getpid(), 1));
}

static int setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/lagtop-context-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scheduling_is_told),
		cmocka_unit_test(limits_of_groups_above_count),
		cmocka_unit_test(version_one),
		cmocka_unit_test(a_helper_reads_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

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
#include "proc.h"

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
	int to_parent[2], to_child[2], dir;
	char byte, path[64];
	pid_t pid;

	assert_int_equal(pipe(to_parent), 0);
	assert_int_equal(pipe(to_child), 0);
	pid = fork();
	if (!pid) {
		struct sched_param none = { 0 };
		cpu_set_t cpus, one;

		sched_getaffinity(0, sizeof(cpus), &cpus);
		CPU_ZERO(&one);
		for (int i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &cpus)) {
				CPU_SET(i, &one);
				break;
			}
		close(to_child[1]);
		if (sched_setaffinity(0, sizeof(one), &one) || sched_setscheduler(0, SCHED_BATCH, &none) ||
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
	context_text(dir, root, buf);
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
	char buf[CONTEXT_TEXT], name[4200], *group;
	int dir = open("/proc/self", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_true(proc_cgroup(dir, &group) > 0);
	if (strlen(group) < 2 || strlen(group) > 300) {
		free(group);
		close(dir);
		skip(); /* in the root group there is none above */
	}
	snprintf(name, sizeof(name), "%s/cpu.max", group);
	put(name, "50000 100000\n");
	snprintf(name, sizeof(name), "%s/cpu.weight", group);
	put(name, "39\n");
	snprintf(name, sizeof(name), "%s/memory.max", group);
	put(name, "max\n");
	put("/cpu.max", "20000 100000\n");
	put("/memory.max", "67108864\n");
	put("/memory.current", "63963136\n");
	context_text(dir, root, buf);
	assert_non_null(strstr(buf, "; quota 20 %"));
	assert_non_null(strstr(buf, "; memory 61 of 64 MiB"));
	snprintf(name, sizeof(name), "; weight 39 in %s;", strrchr(group, '/') + 1);
	assert_non_null(strstr(buf, name));
	free(group);
	close(dir);
}

static void a_helper_reads_it(void **state)
{
	struct context *c = context_new();
	const char *text = "";

	(void)state;
	assert_non_null(c);
	while (!*(text = context_look(c, (uint32_t)getpid(), 0)))
		sched_yield();
	assert_ptr_equal(strstr(text, "on CPU "), text);
	/* Nothing is said of a process that is not there. */
	assert_string_equal(context_look(c, 0x7ffffffe, 0), "");
	context_free(c);
	context_free(NULL);
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
		cmocka_unit_test(a_helper_reads_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

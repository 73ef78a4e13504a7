/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who ended a process, and by which signal. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live.h"
#include "sandbox.h"

#define PATIENCE 100 /* readings */

/* The row that says that the process has exited: of these readings, or one to come. */
static struct json_object *ended(struct live *l, int64_t pid)
{
	for (size_t r = 0; r < PATIENCE; r++) {
		struct json_object *p = live_process(r < l->n ? l->reading[r] : live_next(l), pid);

		if (p && !strcmp(live_text(p, "state"), "exited"))
			return p;
	}
	fail_msg("%lld has not ended", (long long)pid);
	return NULL;
}

/* Whether a row says what `done` says. */
static void compare_end(struct live *l, const char *done, const char *what, bool oom)
{
	struct json_object *p = ended(l, child_value(done, "pid")), *oom_too;
	int64_t by = child_value(done, "by"), pid = child_value(done, "pid"), killer = live_get(p, "killed_by.pid");

	live_compare((double)live_get(p, "exit_code"), -(double)child_value(done, "signal"), 0, "%s: exit code", what);
	live_compare((double)live_get(p, "killed_by.signal"), (double)child_value(done, "signal"), 0, "%s: signal",
		     what);
	live_compare((double)(killer == LIVE_NULL ? 0 : killer), (double)by, 0, "%s: sender", what);
	assert_string_equal(live_text(p, "killed_by.by"), by ? "process" : "kernel");
	assert_string_equal(live_text(p, "killed_by.comm"), !by ? "" : by == pid ? "load" : "sender");
	oom_too = json_object_object_get(json_object_object_get(p, "killed_by"), "oom");
	assert_int_equal(json_object_get_type(oom_too), json_type_boolean);
	assert_int_equal(json_object_get_boolean(oom_too), oom);
}

static void test_who_sent_the_signal(void **state)
{
	static const struct {
		const char *how;
		int signal;
	} ends[] = {
		{ "sent", SIGKILL },	  { "sent", SIGTERM },
		{ "sent", SIGQUIT },	  { "sent", SIGUSR1 },
		{ "sent", 40 },		  { "sent", 64 },
		{ "handled", SIGKILL },	  { "handled", SIGINT },
		{ "blocked", SIGTERM },	  { "blocked", SIGQUIT },
		{ "leaderless", SIGHUP }, { "leaderless", SIGSEGV },
		{ "itself", SIGABRT },	  { "broken_pipe", SIGPIPE },
		{ "faults", SIGSEGV },	  { "alarmed", SIGALRM },
		{ "forged", SIGTERM },
	};
	struct live *l = live_start("-d", "0.2", NULL);
	size_t n = sizeof(ends) / sizeof(ends[0]);
	char *done[sizeof(ends) / sizeof(ends[0])];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char number[8];
		struct child *load;

		snprintf(number, sizeof(number), "%d", ends[i].signal);
		load = live_load(NULL, "ends", ends[i].how, number, NULL);
		done[i] = strdup(live_round(load));
		assert_non_null(done[i]);
	}
	live_past_now(l);
	for (size_t i = 0; i < n; i++) {
		char what[32];

		snprintf(what, sizeof(what), "%s, %d", ends[i].how, ends[i].signal);
		compare_end(l, done[i], what, false);
		free(done[i]);
	}
	live_verdict();
}

/* A process that exits by itself was not killed, whatever signals it got before. */
static void test_not_killed(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "getppid", "1", "10", NULL);
	int64_t pid = load->pid;
	struct json_object *killed_by;

	(void)state;
	live_round(load);
	child_close_in(load);
	assert_int_equal(child_wait(load), 0);
	live_past_now(l);
	assert_true(json_object_object_get_ex(ended(l, pid), "killed_by", &killed_by));
	assert_null(killed_by);
}

static char group[64];

static bool put(const char *file, const char *text)
{
	char path[128];
	int fd;
	bool done;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, text, strlen(text)) > 0;
	if (fd >= 0)
		close(fd);
	return done;
}

/* A control group with 16 MiB, of version 1 or 2. */
static bool make_group(void)
{
	static const char *const trees[] = { "/sys/fs/cgroup/memory", "/sys/fs/cgroup" };

	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
		snprintf(group, sizeof(group), "%s", trees[i]);
		put("cgroup.subtree_control", "+memory");
		snprintf(group, sizeof(group), "%s/lagtop-oom-%d", trees[i], getpid());
		if (mkdir(group, 0755))
			continue;
		if (put("memory.limit_in_bytes", "16M") || put("memory.max", "16M")) {
			if (!put("memory.swap.max", "0"))
				put("memory.swappiness", "0");
			return true;
		}
		rmdir(group);
	}
	return false;
}

static void test_out_of_memory(void **state)
{
	struct live *l;
	struct child *load;
	char *done;

	(void)state;
	live_need_bpf();
	if (!make_group())
		live_skip("no control group with a limit of memory can be made here");
	l = live_start("-d", "0.2", NULL);
	load = live_load(NULL, "oom", group, NULL);
	done = strdup(live_round(load));
	rmdir(group);
	assert_int_equal(child_value(done, "signal"), SIGKILL);
	live_past_now(l);
	compare_end(l, done, "out of memory", true);
	free(done);
	live_verdict();
}

/* Pids are those of lagtop's pid namespace; a sender that is not in it is `outside`. */
static void test_namespaces(void **state)
{
	static const char script[] = "sleep 1000 & echo $! >&2; exec \"${LAGTOP:-./lagtop}\" --json -d 0.2";
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	struct live inside = {}, *l = live_start("-d", "0.2", NULL);
	struct json_object *all, *p = NULL;
	int64_t sleeper = -1;
	pid_t first;

	(void)state;
	live_need_bpf();
	inside.child = child_start_in(sandbox_pid_namespace, argv);
	assert_non_null(inside.child);
	live_next(&inside);
	live_past_now(l);
	/* lagtop is the namespace's first process, a child of the one that we started. */
	first = inside.child->pid;
	all = json_object_object_get(l->reading[l->n - 1], "processes");
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		p = json_object_array_get_idx(all, i);
		if (!strcmp(live_text(p, "comm"), "sleep") && !strcmp(live_text(p, "cmdline"), "sleep 1000"))
			sleeper = live_get(p, "pid");
	}
	assert_true(sleeper > 1 && first > 1);
	assert_int_equal(kill((pid_t)sleeper, SIGTERM), 0);
	p = ended(l, sleeper);
	live_compare((double)live_get(p, "killed_by.pid"), getpid(), 0, "seen from outside: sender");
	p = ended(&inside, 2);
	assert_int_equal(live_get(p, "killed_by.signal"), SIGTERM);
	assert_string_equal(live_text(p, "killed_by.by"), "outside");
	assert_int_equal(live_get(p, "killed_by.pid"), LIVE_NULL);
	assert_string_equal(live_text(p, "killed_by.comm"), "");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest kills[] = {
		live_test(test_who_sent_the_signal),
		live_test(test_not_killed),
		live_test(test_out_of_memory),
		live_test(test_namespaces),
	};

	return live_main(kills);
}

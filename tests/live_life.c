/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that begin, change or end in unusual ways, lagtop itself included. */
#include <dirent.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "live.h"

#define OBJECTS 4096

/* The BPF objects that a process holds, by the ids in its fdinfo. */
struct holdings {
	uint32_t prog[OBJECTS], map[OBJECTS];
	size_t n_progs, n_maps;
};

static void hold(struct holdings *h, const char *path)
{
	char line[256];
	FILE *f = fopen(path, "r");
	uint32_t id;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "prog_id: %u", &id) == 1 && h->n_progs < OBJECTS)
			h->prog[h->n_progs++] = id;
		if (sscanf(line, "map_id: %u", &id) == 1 && h->n_maps < OBJECTS)
			h->map[h->n_maps++] = id;
	}
	if (f)
		fclose(f);
}

static void list_holdings(struct holdings *h, int64_t pid)
{
	char path[300];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%lld/fdinfo", (long long)pid);
	dir = opendir(path);
	assert_non_null(dir);
	memset(h, 0, sizeof(*h));
	while ((d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%lld/fdinfo/%s", (long long)pid, d->d_name);
		hold(h, path);
	}
	closedir(dir);
}

static int fd_by_id(int command, uint32_t id)
{
	union bpf_attr attr = { .prog_id = id };

	return (int)syscall(SYS_bpf, command, &attr, sizeof(attr));
}

/* The kernel frees them a grace period after the process has exited. */
static size_t left_after_a_while(int command, const uint32_t *id, size_t n)
{
	int64_t deadline_ns = live_now_ns() + 10000000000LL;
	static const struct timespec pause = { .tv_nsec = 10000000 };
	size_t left;

	do {
		nanosleep(&pause, NULL);
		left = 0;
		for (size_t i = 0; i < n; i++) {
			int fd = fd_by_id(command, id[i]);

			left += fd >= 0;
			if (fd >= 0)
				close(fd);
		}
	} while (left && live_now_ns() < deadline_ns);
	return left;
}

static void check_prog_names(const struct holdings *h)
{
	for (size_t i = 0; i < h->n_progs; i++) {
		int fd = fd_by_id(BPF_PROG_GET_FD_BY_ID, h->prog[i]);
		struct bpf_prog_info info = {};
		union bpf_attr attr = {
			.info = { .bpf_fd = (uint32_t)fd, .info_len = sizeof(info), .info = (uintptr_t)&info },
		};

		assert_true(fd >= 0);
		assert_int_equal(syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)), 0);
		close(fd);
		if (strncmp(info.name, "lt_", 3))
			fail_msg("a program is called %s", info.name);
	}
}

static void check_nothing_left(int signal_number, int status)
{
	struct live *l = live_start("-d", "0.1", NULL);
	struct holdings h;

	list_holdings(&h, l->child->pid);
	assert_true(h.n_progs >= 8);
	assert_true(h.n_maps >= 2);
	check_prog_names(&h);
	assert_int_equal(live_stop(l, signal_number), status);
	live_compare((double)left_after_a_while(BPF_PROG_GET_FD_BY_ID, h.prog, h.n_progs), 0, 0,
		     "signal %d: programs left of %zu", signal_number, h.n_progs);
	live_compare((double)left_after_a_while(BPF_MAP_GET_FD_BY_ID, h.map, h.n_maps), 0, 0,
		     "signal %d: maps left of %zu", signal_number, h.n_maps);
	live_verdict();
}

static void test_killed_lagtop_leaves_nothing(void **state)
{
	(void)state;
	check_nothing_left(SIGKILL, 128 + SIGKILL);
}

static void test_ended_lagtop_leaves_nothing(void **state)
{
	(void)state;
	check_nothing_left(SIGTERM, 128 + SIGTERM);
}

static void test_exec_by_another_thread(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "exec-thread", "1000", NULL);
	struct json_object *p;
	FILE *f;
	char path[64], comm[32] = "";
	const char *line;

	(void)state;
	live_past_now(l);
	assert_true(child_send(load, 'x'));
	line = child_line(load);
	assert_true(line && !strncmp(line, "ready", 5));
	live_round(load);
	live_past_now(l);
	p = live_process(l->reading[l->n - 1], load->pid);
	assert_non_null(p);
	snprintf(path, sizeof(path), "/proc/%d/comm", load->pid);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%31[^\n]", comm), 1);
	fclose(f);
	assert_string_equal(live_text(p, "comm"), comm);
	assert_string_equal(live_text(p, "cmdline"), "load getppid 1 1000");
	live_compare((double)live_sum_call(l, 0, load->pid, "getppid", "count"), 2000, 0, "exec by a thread: getppid");
	live_compare((double)live_get(p, "threads"), 1, 0, "exec by a thread: threads");
	for (size_t r = 0; r < l->n; r++) {
		p = live_process(l->reading[r], load->pid);
		assert_true(!p || !strcmp(live_text(p, "state"), "alive"));
	}
	live_verdict();
}

/* The exited row of a pid over all readings: how many there are, and the last. */
static int count_exited(struct live *l, int64_t pid, struct json_object **last)
{
	int n = 0;

	for (size_t r = 0; r < l->n; r++) {
		struct json_object *all = json_object_object_get(l->reading[r], "processes");

		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *p = json_object_array_get_idx(all, i);

			if (live_get(p, "pid") == pid && !strcmp(live_text(p, "state"), "exited")) {
				*last = p;
				n++;
			}
		}
	}
	return n;
}

static void test_leader_exits_first(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "leader-exit", "1000", NULL);
	struct json_object *p;
	const char *done = live_round(load);

	(void)state;
	live_past_now(l);
	p = live_process(l->reading[l->n - 1], load->pid);
	assert_non_null(p);
	assert_string_equal(live_text(p, "state"), "alive");
	live_compare((double)live_get(p, "threads"), 1, 0, "leader exits first: threads");
	live_compare_claims(l, 0, load->pid, done);
	child_close_in(load);
	assert_int_equal(child_wait(load), 5);
	live_past_now(l);
	assert_int_equal(count_exited(l, load->pid, &p), 1);
	live_compare((double)live_get(p, "exit_code"), 5, 0, "leader exits first: exit code");
	live_verdict();
}

static void test_new_name(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "rename", "other name", NULL);
	struct json_object *p;

	(void)state;
	live_past_now(l);
	assert_string_equal(live_text(live_process(l->reading[l->n - 1], load->pid), "comm"), "load");
	live_round(load);
	live_past_now(l);
	p = live_process(l->reading[l->n - 1], load->pid);
	assert_string_equal(live_text(p, "comm"), "other name");
	assert_string_equal(live_text(p, "cmdline"), "build/tests/load rename other name");
}

static void test_new_name_of_a_sleeper(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "rename-asleep", "other name", NULL);

	(void)state;
	live_past_now(l);
	assert_string_equal(live_text(live_process(l->reading[l->n - 1], load->pid), "comm"), "load");
	live_round(load);
	live_past_now(l);
	assert_string_equal(live_text(live_process(l->reading[l->n - 1], load->pid), "comm"), "other name");
}

static void test_new_user(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "setuid", "65534", NULL);
	struct json_object *p;

	(void)state;
	live_past_now(l);
	p = live_process(l->reading[l->n - 1], load->pid);
	assert_int_equal(live_get(p, "uid"), 0);
	assert_string_equal(live_text(p, "user"), "root");
	live_round(load);
	live_past_now(l);
	p = live_process(l->reading[l->n - 1], load->pid);
	assert_int_equal(live_get(p, "uid"), 65534);
	assert_string_equal(live_text(p, "user"), "nobody");
}

static void test_parent_dies_first(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	const char *ready, *line;
	struct child *load = live_load(&ready, "orphan", NULL);
	int64_t pid = child_value(ready, "pid"), ppid;
	struct json_object *p = NULL;

	(void)state;
	live_past_now(l);
	live_compare((double)live_get(live_process(l->reading[l->n - 1], pid), "ppid"), load->pid, 0, "child: ppid");
	assert_true(child_send(load, 'x'));
	line = child_line(load);
	assert_non_null(line);
	ppid = child_value(line, "ppid");
	live_past_now(l);
	while (!count_exited(l, load->pid, &p) && l->n < 100)
		live_next(l);
	assert_int_equal(count_exited(l, load->pid, &p), 1);
	live_compare((double)live_get(live_process(l->reading[l->n - 1], pid), "ppid"), (double)ppid, 0,
		     "orphan: ppid, in its parent's last reading");
	child_close_in(load);
	live_past_now(l);
	while (!count_exited(l, pid, &p) && l->n < 100)
		live_next(l);
	assert_int_equal(count_exited(l, pid, &p), 1);
	live_compare((double)live_get(p, "ppid"), (double)ppid, 0, "orphan, dead: ppid");
	live_verdict();
}

static void test_reused_pid(void **state)
{
	struct live *l = live_start("-d", "0.5", NULL);
	struct child *load = live_load(NULL, "reuse", NULL);
	struct json_object *all;
	int64_t pid = 0, starts[2] = {}, codes = 0;
	int n = 0;

	(void)state;
	for (int try = 0; try < 100 && pid <= 0; try++)
		pid = child_value(live_round(load), "pid");
	if (pid <= 0)
		live_skip("this kernel gave the pid to another process 100 times");
	live_past_now(l);
	for (size_t r = 0; r < l->n; r++) {
		all = json_object_object_get(l->reading[r], "processes");
		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *p = json_object_array_get_idx(all, i);

			if (live_get(p, "pid") != pid || live_get(p, "ppid") != load->pid)
				continue;
			if (strcmp(live_text(p, "state"), "exited")) /* a reading was taken during its life */
				continue;
			assert_true(n < 2);
			starts[n++] = live_get(p, "start_ns");
			codes += live_get(p, "exit_code");
		}
	}
	live_compare(n, 2, 0, "reused pid: processes");
	live_compare((double)codes, 33, 0, "reused pid: exit codes 11 + 22");
	assert_int_not_equal(starts[0], starts[1]);
	live_verdict();
}

static void test_death_by_signal(void **state)
{
	static const int signals[] = { SIGKILL, SIGSEGV, SIGTERM };
	struct live *l = live_start("-d", "0.2", NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		char number[8];
		struct child *load;
		struct json_object *p = NULL;
		int64_t pid;

		snprintf(number, sizeof(number), "%d", signals[i]);
		load = live_load(NULL, "killed", number, NULL);
		pid = child_value(live_round(load), "pid");
		live_past_now(l);
		assert_int_equal(count_exited(l, pid, &p), 1);
		live_compare((double)live_get(p, "exit_code"), -signals[i], 0, "died of signal %d: exit code",
			     signals[i]);
	}
	live_verdict();
}

/* Names of every kind of byte must stay valid JSON: json_tokener_parse in live_next is the check. */
static void test_hostile_name(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "rename", "\033[2J\"\\\xff\xc3\n", NULL);
	struct json_object *p;

	(void)state;
	live_round(load);
	live_past_now(l);
	p = live_process(l->reading[l->n - 1], load->pid);
	assert_non_null(p);
	assert_true(strlen(live_text(p, "comm")) > 0);
}

int main(void)
{
	static const struct CMUnitTest life[] = {
		live_test(test_killed_lagtop_leaves_nothing),
		live_test(test_ended_lagtop_leaves_nothing),
		live_test(test_exec_by_another_thread),
		live_test(test_leader_exits_first),
		live_test(test_new_name),
		live_test(test_new_name_of_a_sleeper),
		live_test(test_new_user),
		live_test(test_parent_dies_first),
		live_test(test_reused_pid),
		live_test(test_death_by_signal),
		live_test(test_hostile_name),
	};

	return live_main(life);
}

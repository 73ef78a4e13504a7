/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Environments in which lagtop cannot work: each gets one sentence that says what is missing, and exit status 1. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asleep.h"
#include "sandbox.h"

#define refuse_in(sandbox, word, ...) outcome_refuses(outcome_of(sandbox, NULL, __VA_ARGS__, NULL), 1, word)

static void test_not_root(void **state)
{
	(void)state;
	live_need_bpf();
	refuse_in(sandbox_nobody, "setcap cap_bpf,cap_perfmon+ep", "--json", "-n", "1");
	refuse_in(sandbox_nobody, "setcap cap_bpf,cap_perfmon+ep", "--batch", "-n", "1");
}

static void test_root_of_a_container(void **state)
{
	(void)state;
	live_need_bpf();
	refuse_in(sandbox_no_capability, "--cap-add BPF", "--json", "-n", "1");
}

/* There are none inside a chroot, nor where the administrator has turned them off. */
static bool has_user_namespaces(void)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		_exit(unshare(CLONE_NEWUSER) ? 1 : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return !status;
}

static void test_user_namespace(void **state)
{
	(void)state;
	live_need_bpf();
	if (!has_user_namespaces())
		live_skip("this kernel gives no user namespace here");
	refuse_in(sandbox_user_namespace, "user namespace", "--json", "-n", "1");
}

static void test_no_btf(void **state)
{
	(void)state;
	live_need_bpf();
	refuse_in(sandbox_no_btf, "CONFIG_DEBUG_INFO_BTF", "--json", "-n", "1");
}

static void test_no_sys(void **state)
{
	struct outcome o;

	(void)state;
	live_need_bpf();
	refuse_in(sandbox_no_sys, "/sys is not mounted here", "--json", "-n", "1");
	o = outcome_of(sandbox_no_sys, NULL, "--check", NULL);
	assert_int_equal(o.status, 1);
	assert_non_null(strstr(o.last_line, "none: /sys is not mounted here"));
	outcome_free(&o);
}

/* Since Linux 5.11 maps are charged to the control group: RLIMIT_MEMLOCK no longer applies. */
static void test_no_memlock(void **state)
{
	struct outcome o;

	(void)state;
	live_need_bpf();
	o = outcome_of(sandbox_no_memlock, NULL, "--json", "-n", "1", "-d", "0.1", NULL);
	assert_string_equal(o.errors, "");
	assert_int_equal(o.status, 0);
	assert_int_equal(o.out_lines, 1);
	outcome_free(&o);
}

/* What a filter refuses, and what the sentence must name then. */
static const struct refusal {
	const char *what;
	int call, command, error;
	const char *word;
} refusals[] = {
	{ "bpf()", SCMP_SYS(bpf), -1, EPERM, "seccomp" },
	{ "bpf() of a kernel without it", SCMP_SYS(bpf), -1, ENOSYS, "CONFIG_BPF_SYSCALL" },
	{ "maps", SCMP_SYS(bpf), BPF_MAP_CREATE, EPERM, "seccomp" },
	{ "memory for maps", SCMP_SYS(bpf), BPF_MAP_CREATE, ENOMEM, "memory limit" },
	{ "programs", SCMP_SYS(bpf), BPF_PROG_LOAD, EPERM, "seccomp" },
	{ "memory for programs", SCMP_SYS(bpf), BPF_PROG_LOAD, ENOMEM, "memory limit" },
	{ "tracepoints", SCMP_SYS(bpf), BPF_LINK_CREATE, EACCES, "seccomp" },
	{ "iterators", SCMP_SYS(bpf), BPF_ITER_CREATE, EPERM, "seccomp" },
	{ "capset()", SCMP_SYS(capset), -1, EPERM, "give up privileges" },
};
static const struct refusal *refused;

static void sandbox_of_refusal(void)
{
	sandbox_refuses(refused->call, refused->command, refused->error);
}

static void test_seccomp(void **state)
{
	(void)state;
	live_need_bpf();
	for (refused = refusals; refused < refusals + sizeof(refusals) / sizeof(*refusals); refused++) {
		printf("refused: %s\n", refused->what);
		refuse_in(sandbox_of_refusal, refused->word, "--json", "-n", "1");
	}
}

static const char *not_attached;

static void sandbox_without_a_program(void)
{
	sandbox_refuses_to_attach(not_attached);
}

/* On Linux 7 calls are traced by perf events, if tracefs is mounted. */
static const char *exit_program(void)
{
	struct live *l = live_start("-d", "0.3", NULL);

	return strcmp(live_text(l->reading[0], "probes.syscall.by"), "perf") ? "lt_exit" : "lt_exit_perf";
}

/* The family is off with its reason; the others are as if it had been left out. */
static void test_one_program_not_attached(void **state)
{
	struct {
		const char *program, *family, *workload, *kind, *state;
	} cases[] = {
		{ "lt_exit", "syscall", "sleep", "nanosleep", "sleep" },
		{ "lt_sock_state", "net", "sleep", "recv", "net" },
	};

	(void)state;
	live_need_bpf();
	cases[0].program = exit_program();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char path[48];
		const char *ready;
		int64_t pid;
		struct live *l;

		not_attached = cases[i].program;
		l = live_start_as(sandbox_without_a_program, NULL, "-d", "0.3", NULL);
		live_load(&ready, cases[i].workload, cases[i].kind, NULL);
		pid = child_value(ready, "pid");
		asleep_wait(pid);
		live_past_now(l);
		live_next(l);
		snprintf(path, sizeof(path), "probes.%s.state", cases[i].family);
		live_compare(strcmp(live_text(l->reading[0], path), "off") == 0, 1, 0, "without %s: %s is off",
			     not_attached, cases[i].family);
		snprintf(path, sizeof(path), "probes.%s.reason", cases[i].family);
		live_compare(strstr(live_text(l->reading[0], path), "refuses to attach") != NULL, 1, 0,
			     "without %s: it says why", not_attached);
		live_between(asleep_share(l, l->n - 1, pid, cases[i].state), 0.95, 1.001, "without %s: asleep is %s",
			     not_attached, cases[i].state);
	}
	live_verdict();
}

/* --check prints the same on stdout, after what it knows about the machine. */
static void test_check_tells_the_refusal(void **state)
{
	struct outcome o;

	(void)state;
	live_need_bpf();
	refused = refusals;
	o = outcome_of(sandbox_of_refusal, NULL, "--check", NULL);
	assert_int_equal(o.status, 1);
	assert_string_equal(o.errors, "");
	assert_true(o.out_lines >= 5);
	assert_non_null(strstr(o.last_line, refused->word));
	outcome_free(&o);
}

/* --verbose shows the details that the sentence leaves out. */
static void test_verbose_prints_what_libbpf_says(void **state)
{
	struct outcome o;

	(void)state;
	live_need_bpf();
	refused = &refusals[4];
	o = outcome_of(sandbox_of_refusal, NULL, "--json", "-n", "1", "--verbose", NULL);
	assert_int_equal(o.status, 1);
	assert_non_null(strstr(o.errors, "libbpf: "));
	outcome_free(&o);
}

static char group[128];
static char switched_on[64]; /* the file in which this test enabled the memory controller */
static const char *limit;
static long limit_bytes;

static bool write_to(const char *file, long number)
{
	char path[256], text[32];
	int fd, n = snprintf(text, sizeof(text), "%ld", number);
	bool good;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	good = fd >= 0 && write(fd, text, (size_t)n) == n;
	close(fd);
	return good;
}

/* In version 2 the groups below have no memory controller unless it was enabled for them. */
static void switch_on(const char *place)
{
	char path[64], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", place);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	if (pread(fd, text, sizeof(text) - 1, 0) < 0 || !strstr(text, "memory")) {
		if (pwrite(fd, "+memory", 7, 0) == 7)
			strcpy(switched_on, path);
		else
			perror(path);
	}
	close(fd);
}

/* Restores everything, however the test ended. */
static int leave_group(void **state)
{
	int left = live_end_test(state), fd;

	left |= rmdir(group) && errno != ENOENT;
	if (*switched_on) {
		fd = open(switched_on, O_WRONLY | O_CLOEXEC);
		left |= write(fd, "-memory", 7) != 7;
		close(fd);
		*switched_on = 0;
	}
	return left;
}

/* A control group with a limit of memory, of either version. False: this machine has none. */
static bool make_group(void)
{
	static const char *const places[][2] = {
		{ "/sys/fs/cgroup/memory", "memory.limit_in_bytes" },
		{ "/sys/fs/cgroup", "memory.max" },
	};

	for (size_t i = 0; i < 2; i++) {
		switch_on(places[i][0]);
		snprintf(group, sizeof(group), "%s/lagtop-live-%d", places[i][0], getpid());
		limit = places[i][1];
		if (!access(places[i][0], W_OK) && !mkdir(group, 0755) && write_to(limit, 1 << 30))
			return true;
		rmdir(group);
	}
	return false;
}

static void sandbox_of_group(void)
{
	if (!write_to("cgroup.procs", 0) || !write_to(limit, limit_bytes))
		_exit(126);
}

/*
 * However little memory there is: it works, or reports that there is none, or the kernel kills it. At some limit it is
 * the maps that do not fit.
 */
static void test_memory_limit(void **state)
{
	static const long limits_mib[] = { 2, 8, 16, 24, 32, 48, 256 };
	int status = -1;

	(void)state;
	live_need_bpf();
	if (!make_group())
		live_skip("this kernel has no memory cgroup mounted");
	for (size_t i = 0; i < sizeof(limits_mib) / sizeof(*limits_mib); i++) {
		struct outcome o;

		limit_bytes = limits_mib[i] << 20;
		o = outcome_of(sandbox_of_group, NULL, "--json", "-n", "1", "-d", "0.1", NULL);
		status = o.status;
		printf("%ld MiB: status %d: %s\n", limits_mib[i], status, o.errors);
		if (status == 0 || status == 128 + SIGKILL)
			outcome_free(&o);
		else
			outcome_refuses(o, 1, "memory limit");
	}
	assert_int_equal(status, 0);
}

static void test_not_a_terminal(void **state)
{
	(void)state;
	live_need_bpf();
	refuse_in(NULL, "terminal", "-n", "1");
	unsetenv("TERM");
	refuse_in(NULL, "terminal", "-n", "1");
}

int main(void)
{
	static const struct CMUnitTest refusals_of_worlds[] = {
		live_test(test_not_root),
		live_test(test_root_of_a_container),
		live_test(test_user_namespace),
		live_test(test_no_btf),
		live_test(test_no_sys),
		live_test(test_no_memlock),
		live_test(test_seccomp),
		live_test(test_one_program_not_attached),
		live_test(test_check_tells_the_refusal),
		live_test(test_verbose_prints_what_libbpf_says),
		cmocka_unit_test_teardown(test_memory_limit, leave_group),
		live_test(test_not_a_terminal),
	};

	return live_main(refusals_of_worlds);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading /proc: the test's own processes, and mounts that hide others. */
#include <errno.h> /* program_invocation_name */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "proc.h"

/* Field 22 of its stat, in ns. */
static uint64_t start_of(pid_t pid)
{
	char path[64], text[1024], *at;
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	assert_non_null(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	at = strrchr(text, ')');
	for (int i = 2; i < 22 && at; i++)
		at = strchr(at + 1, ' ');
	assert_non_null(at);
	return strtoull(at, NULL, 10) * (1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK));
}

static pid_t start(char *const argv[])
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[0], argv);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Its command line after exec; fails instead of hanging. */
static size_t cmdline_of(pid_t pid, const char *beginning, char **text)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < 10000; i++) {
		int dir = proc_open((uint32_t)pid, 0);
		size_t n;

		assert_true(dir >= 0);
		n = proc_cmdline(dir, text);
		close(dir);
		if (n && !strncmp(*text, beginning, strlen(beginning)))
			return n;
		free(*text);
		nanosleep(&pause, NULL);
	}
	fail();
	return 0;
}

/* 10,000 bytes are shown whole; what is longer than the bound is cut, with a mark. The shell stops itself, because a
 * child of it would outlive it, with the descriptors of the test runner. */
static void test_long_command_lines(void **state)
{
	static char word[100000];
	char *argv[] = { (char *)"sh",	    (char *)"-c", (char *)"kill -STOP $$; :", (char *)"sh", word,
			 (char *)"the-end", NULL };
	char *text;
	pid_t pid;
	size_t n;

	(void)state;
	memset(word, 'x', 10000);
	pid = start(argv);
	n = cmdline_of(pid, "sh -c", &text);
	assert_int_equal(n, strlen("sh -c kill -STOP $$; : sh ") + 10000 + strlen(" the-end"));
	assert_int_equal(strlen(text), n);
	assert_string_equal(text + n - 8, " the-end");
	free(text);
	end(pid);
	memset(word, 'x', sizeof(word) - 1);
	pid = start(argv);
	n = cmdline_of(pid, "sh -c", &text);
	assert_int_equal(n, PROC_CMDLINE + strlen("\u2026"));
	assert_string_equal(text + n - strlen("x\u2026"), "x\u2026");
	free(text);
	end(pid);
}

/* A reused pid is another process. */
static void test_whose_it_is(void **state)
{
	char *argv[] = { (char *)"sleep", (char *)"1000", NULL };
	pid_t pid = start(argv);
	uint64_t start_ns = start_of(pid);
	int dir = proc_open((uint32_t)pid, start_ns);

	(void)state;
	assert_true(dir >= 0);
	close(dir);
	assert_int_equal(proc_open((uint32_t)pid, start_ns + 1000000000), -1);
	end(pid);
	assert_int_equal(proc_open((uint32_t)pid, start_ns), -1);
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* Its first thread is a zombie, which has no command line; the process has. */
static void test_a_first_thread_that_is_gone(void **state)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	char path[64], status[4096] = "", *text;
	pid_t pid = fork();
	pthread_t thread;

	(void)state;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pthread_create(&thread, NULL, wait_for_ever, NULL);
		pthread_exit(NULL);
	}
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	for (int i = 0; i < 10000 && !strstr(status, "State:\tZ"); i++) {
		int fd = open(path, O_RDONLY);
		ssize_t n = read(fd, status, sizeof(status) - 1);

		status[n > 0 ? n : 0] = '\0';
		close(fd);
		nanosleep(&pause, NULL);
	}
	assert_non_null(strstr(status, "State:\tZ"));
	assert_true(cmdline_of(pid, program_invocation_name, &text) > 0);
	free(text);
	end(pid);
}

static bool in_group_5(uint32_t gid)
{
	return gid == 5;
}

static void test_what_hides_processes(void **state)
{
	static const struct {
		const char *mountinfo, *option; /* NULL: nothing is hidden */
	} cases[] = {
		{ "22 1 0:20 / /proc rw,nosuid shared:5 - proc proc rw\n", NULL },
		{ "22 1 0:20 / /proc rw - proc proc rw,hidepid=2\n", "hidepid=2" },
		{ "22 1 0:20 / /proc rw - proc proc rw,gid=4,hidepid=invisible\n", "hidepid=invisible" },
		{ "22 1 0:20 / /proc rw - proc proc rw,gid=5,hidepid=invisible\n", NULL },
		{ "22 1 0:20 / /proc rw - proc proc rw,gid=5,hidepid=ptraceable\n", "hidepid=ptraceable" },
		{ "22 1 0:20 / /proc rw - proc proc rw,hidepid=off\n", NULL },
		{ "22 1 0:20 / /mnt/proc rw - proc proc rw,hidepid=2\n", NULL },
		{ "22 1 0:20 / /proc/sys rw - proc proc rw,hidepid=2\n", NULL },
		{ "22 1 0:20 / /proc rw - tmpfs none rw,hidepid=2\n", NULL },
		/* The last mount is on top. */
		{ "22 1 0:20 / /proc rw - proc proc rw,hidepid=2\n30 22 0:21 / /proc rw - proc proc rw\n", NULL },
		{ "22 1 0:20 / /proc rw - proc proc rw\n30 22 0:21 / /proc rw - proc x rw,hidepid=1", "hidepid=1" },
		{ "22 1 0:20 / /proc rw - proc proc\n", NULL },
		{ "not a line\n", NULL },
		{ "", NULL },
	};
	char option[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool hides = proc_hides_of(cases[i].mountinfo, in_group_5, option, sizeof(option));

		assert_int_equal(hides, cases[i].option != NULL);
		if (hides)
			assert_string_equal(option, cases[i].option);
	}
}

#define TICK_NS (1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK))
#define MOST INT64_MAX

/* Incomplete lines, and lines that are not a CPU's, are ignored; too large numbers become the largest. */
static void test_times_of_cpus(void **state)
{
	static const char text[] = "cpu  1 2 3 4 5 6 7 8 9 10\n"
				   "cpu0 1 1 1 1 1 0 0 0 0 0\n"
				   "cpu4095 0 0 0 9 0 1 2 4\n"
				   "cpu1 1 2 3 4 5 6 7\n"
				   "cpu2 1 2 3 4 5 6 seven 8\n"
				   "cpu-3 1 2 3 4 5 6 7 8\n"
				   "cpu4294967295 1 2 3 4 5 6 7 8\n"
				   "cpu99999999999999999999 1 2 3 4 5 6 7 8\n"
				   "cpux 1 2 3 4 5 6 7 8\n"
				   "cpu\n"
				   "\n"
				   "intr 5 1 2 3 4 5 6 7 8\n"
				   "cpu7 99999999999999999999 18446744073709551615 3 4 5 6 7 99999999999999999999\n"
				   "cpu8 1 2 3 4 5 6 7";
	const struct {
		uint32_t cpu;
		struct sample_cpu_times times;
	} expected[] = {
		{ PROC_CPU_ALL, { 27 * TICK_NS, 9 * TICK_NS, 6 * TICK_NS, 7 * TICK_NS, 8 * TICK_NS } },
		{ 0, { 3 * TICK_NS, 2 * TICK_NS, 0, 0, 0 } },
		{ 4095, { 7 * TICK_NS, 9 * TICK_NS, 1 * TICK_NS, 2 * TICK_NS, 4 * TICK_NS } },
		{ 7, { MOST, 9 * TICK_NS, 6 * TICK_NS, 7 * TICK_NS, MOST } },
	};
	const char *line = text;
	struct sample_cpu_times times;
	uint32_t cpu;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_true(proc_cpu_of(&line, &cpu, &times));
		assert_int_equal(cpu, expected[i].cpu);
		assert_memory_equal(&times, &expected[i].times, sizeof(times));
	}
	assert_false(proc_cpu_of(&line, &cpu, &times));
	assert_string_equal(line, "");
}

static void test_pressure(void **state)
{
	static const struct {
		const char *text;
		struct sample_pressure pressure;
	} cases[] = {
		{ "some avg10=4.73 avg60=4.02 avg300=5.29 total=5175737445\nfull avg10=0.00 avg60=0.00 avg300=0.00 "
		  "total=7\n",
		  { 5175737445000, 7000 } },
		{ "some avg10=0.00 avg60=0.00 avg300=0.00 total=12\n",
		  { 12000, SAMPLE_UNKNOWN } }, /* cpu before 5.13 */
		{ "some avg10=0.00\nfull total=3\n", { SAMPLE_UNKNOWN, 3000 } },
		{ "some total=99999999999999999999\nfull total=-1\n", { MOST, SAMPLE_UNKNOWN } },
		{ "some total=\nfull total=x\n", { SAMPLE_UNKNOWN, SAMPLE_UNKNOWN } },
		{ "", { SAMPLE_UNKNOWN, SAMPLE_UNKNOWN } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample_pressure got = proc_pressure_of(cases[i].text);

		assert_memory_equal(&got, &cases[i].pressure, sizeof(got));
	}
}

/* The kernel's own file has a line for each CPU that is online. */
static void test_this_machines_cpus(void **state)
{
	struct sample_cpu_times times;
	const char *line;
	long n = 0;
	uint32_t cpu;
	char *text;

	(void)state;
	assert_true(proc_machine(PROC_STAT, &text) > 0);
	line = text;
	while (proc_cpu_of(&line, &cpu, &times))
		n += cpu != PROC_CPU_ALL;
	assert_int_equal(n, sysconf(_SC_NPROCESSORS_ONLN));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_command_lines),
		cmocka_unit_test(test_whose_it_is),
		cmocka_unit_test(test_a_first_thread_that_is_gone),
		cmocka_unit_test(test_what_hides_processes),
		cmocka_unit_test(test_times_of_cpus),
		cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_this_machines_cpus),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}

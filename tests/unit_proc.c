/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc says of processes of the test's own, and of mounts that hide it. */
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

/* Its command line once exec is over; fails instead of hanging. */
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

/* The shell stops itself: a child of its would outlive it, with all descriptors of who runs the tests. 10,000 bytes are
 * whole; what is more than the bound is cut, and says so. */
static void test_long_command_lines(void **state)
{
	static char word[100000];
	char *argv[] = { (char *)"sh",	    (char *)"-c", (char *)"kill -STOP $$; :", (char *)"sh", word,
			 (char *)"the-end", NULL };
	char *text;
	pid_t pid;
	size_t n;

	(void)state;
	/* The shell stops itself: a sleep of its own would outlive it, with the descriptors of the test runner.
	 */
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

/* A number that was used again is another process. */
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
		/* The last one is on top. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_command_lines),
		cmocka_unit_test(test_whose_it_is),
		cmocka_unit_test(test_a_first_thread_that_is_gone),
		cmocka_unit_test(test_what_hides_processes),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}

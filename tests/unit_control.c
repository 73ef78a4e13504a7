/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals and priorities reach the intended process, and never one that reuses its pid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"

/* Instead of the library's: with all_gone there is no thread any more, as if the process had just ended. */
static bool all_gone;

int setpriority(__priority_which_t which, id_t who, int nice)
{
	if (all_gone) {
		errno = ESRCH;
		return -1;
	}
	return (int)syscall(SYS_setpriority, which, who, nice);
}

#define TICK_NS (1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK))

/* A child whose name would mislead a careless reader of /proc/PID/stat. */
static pid_t start_child(void)
{
	pid_t pid;
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "a) R 1 2 3 (");
		close(ready[0]);
		close(ready[1]);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0); /* it has its name */
	close(ready[0]);
	return pid;
}

static uint64_t start_of(pid_t pid)
{
	unsigned long long ticks = 0;
	char path[64], buf[1024], *rest;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(buf, sizeof(buf), f));
	fclose(f);
	rest = strrchr(buf, ')');
	assert_int_equal(sscanf(rest,
				") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
				&ticks),
			 1);
	return ticks * TICK_NS;
}

static void signal_reaches_its_process(void **state)
{
	pid_t pid = start_child();
	int status;

	(void)state;
	/* A start time within the same tick is the same process. */
	assert_int_equal(control_signal((uint32_t)pid, start_of(pid) + TICK_NS - 1, SIGUSR1), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	assert_int_equal(control_signal((uint32_t)pid, start_of(getpid()), SIGUSR1), -ESRCH);
}

static void another_with_that_pid_is_spared(void **state)
{
	pid_t pid = start_child();
	int status, nice = 0, own;

	(void)state;
	assert_int_equal(control_signal((uint32_t)pid, start_of(pid) + TICK_NS, SIGKILL), -ESRCH);
	assert_int_equal(control_signal((uint32_t)pid, start_of(pid) - 1, SIGKILL), -ESRCH);
	assert_int_equal(control_nice((uint32_t)pid, start_of(pid) - 1, &nice), -ESRCH);
	own = getpriority(PRIO_PROCESS, (id_t)pid);
	assert_int_equal(control_renice((uint32_t)pid, start_of(pid) - 1, own + 1), -ESRCH);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), own);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void nice_reaches_its_process(void **state)
{
	pid_t pid = start_child();
	int before = getpriority(PRIO_PROCESS, (id_t)pid), nice = 0, status;

	(void)state;
	assert_int_equal(control_nice((uint32_t)pid, start_of(pid), &nice), 0);
	assert_int_equal(nice, before);
	assert_int_equal(control_renice((uint32_t)pid, start_of(pid), 19), 0);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), 19);
	/* It ends between the check and the change: nothing was changed, and that is reported. */
	all_gone = true;
	assert_int_equal(control_renice((uint32_t)pid, start_of(pid), 19), -ESRCH);
	all_gone = false;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_int_equal(control_renice((uint32_t)pid, 1, 19), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signal_reaches_its_process),
		cmocka_unit_test(another_with_that_pid_is_spared),
		cmocka_unit_test(nice_reaches_its_process),
	};

	return cmocka_run_group_tests_name("unit_control", tests, NULL, NULL);
}

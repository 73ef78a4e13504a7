/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that begin, change or end in unusual ways: exec, exit of the leader, reused pids, new names and users. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

static long calls;

static void call_getppid(long n)
{
	while (n--)
		syscall(SYS_getppid);
}

/* After exec the program goes on as `getppid 1 N`: it prints ready again and makes N more. */
static void *exec_from_thread(void *arg)
{
	char *const argv[] = { (char *)"load", (char *)"getppid", (char *)"1", arg, NULL };

	call_getppid(calls);
	execv("/proc/self/exe", argv);
	load_die("exec");
}

static void run_exec_thread(char **arg)
{
	calls = load_number(arg[0]);
	load_ready(" ");
	if (load_go())
		pthread_join(load_thread(exec_from_thread, arg[0]), NULL);
}

static void *outlive_leader(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	load_ready(" ");
	while (load_go()) {
		call_getppid(calls);
		load_done(calls, "call:getppid=%ld", calls);
	}
	exit(5);
}

static void run_leader_exit(char **arg)
{
	static pthread_t leader;

	calls = load_number(arg[0]);
	leader = pthread_self();
	load_thread(outlive_leader, &leader);
	pthread_exit(NULL);
}

static void run_rename(char **arg)
{
	load_ready(" ");
	while (load_go()) {
		prctl(PR_SET_NAME, arg[0]);
		load_done(1, " ");
	}
}

/* Each round a thread renames the leader, which sleeps for ever. */
static void *rename_leader(void *arg)
{
	const char *comm = arg;

	while (load_go()) {
		int fd = open("/proc/self/comm", O_WRONLY);

		if (write(fd, comm, strlen(comm)) < 0)
			load_die("/proc/self/comm");
		close(fd);
		load_done(1, " ");
	}
	exit(0);
}

static void run_rename_asleep(char **arg)
{
	load_thread(rename_leader, arg[0]);
	load_ready(" ");
	for (;;)
		pause();
}

static void run_setuid(char **arg)
{
	long uid = load_number(arg[0]);

	load_ready(" ");
	while (load_go()) {
		if (setgroups(0, NULL) || setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid))
			load_die("setresuid");
		load_done(1, " ");
	}
}

/* The child lives until its own stdin, a pipe's end inherited from the test, is closed. */
static void run_orphan(char **arg)
{
	int fd[2];
	char byte;
	pid_t child;

	(void)arg;
	if (pipe(fd))
		load_die("pipe");
	child = fork();
	if (!child) {
		pid_t parent = getppid();

		close(fd[1]);
		if (read(fd[0], &byte, 1) != 1)
			_exit(1);
		while (getppid() == parent)
			sched_yield();
		load_ready("pid=%d ppid=%d", getpid(), getppid());
		load_go();
		_exit(0);
	}
	load_ready("pid=%d", child);
	if (load_go() && write(fd[1], "x", 1) != 1)
		load_die("write");
}

/* Two processes with one pid, exit codes 11 and 22. The race with other forks may be lost: then done pid=0. */
static void run_reuse(char **arg)
{
	(void)arg;
	load_ready(" ");
	while (load_go()) {
		pid_t first = fork(), second;
		char text[16];
		int fd;

		if (!first)
			_exit(11);
		waitpid(first, NULL, 0);
		fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
		snprintf(text, sizeof(text), "%d", first - 1);
		if (fd < 0 || write(fd, text, strlen(text)) < 0)
			load_die("ns_last_pid");
		second = fork();
		if (!second)
			_exit(22);
		waitpid(second, NULL, 0);
		close(fd);
		load_done(2, "pid=%d", first == second ? first : 0);
	}
}

static void run_killed(char **arg)
{
	long signal_number = load_number(arg[0]);

	load_ready(" ");
	while (load_go()) {
		pid_t child = fork();

		if (!child) {
			signal((int)signal_number, SIG_DFL);
			raise((int)signal_number);
			_exit(99);
		}
		waitpid(child, NULL, 0);
		load_done(1, "pid=%d", child);
	}
}

static atomic_int at_the_line;

/* Not with pthread_exit, which would end the process itself. */
static void exit_together(long cpu, long code)
{
	load_pin(cpu);
	at_the_line++;
	while (at_the_line < 2)
		;
	syscall(SYS_exit, code);
}

static void *exit_beside(void *arg)
{
	(void)arg;
	exit_together(sysconf(_SC_NPROCESSORS_ONLN) - 1, 99);
	return NULL;
}

/* Only the parent learns which of the two threads was the last: its exit code is the process's. */
static void run_exit_together(char **arg)
{
	long n = load_number(arg[0]), codes = 0;
	int status;

	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++) {
			pid_t child = load_fork();

			if (!child) {
				load_thread(exit_beside, NULL);
				exit_together(0, i % 50);
			}
			if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
				load_die("child");
			codes += WEXITSTATUS(status);
		}
		load_done(n, "codes=%ld", codes);
	}
}

const struct workload load_life[] = {
	{ "exec-thread", "N", run_exec_thread, "a thread calls getppid N times, then execs `getppid 1 N`" },
	{ "leader-exit", "N", run_leader_exit,
	  "the leader ends first; the other thread goes on, getppid N times, exit code 5" },
	{ "rename", "COMM", run_rename, "takes another name by prctl" },
	{ "rename-asleep", "COMM", run_rename_asleep, "a thread gives the sleeping leader another name" },
	{ "setuid", "UID", run_setuid, "becomes another user" },
	{ "orphan", "", run_orphan, "a child whose parent dies first" },
	{ "reuse", "", run_reuse, "two processes, one after the other, with one pid" },
	{ "exit-together", "N", run_exit_together, "N processes whose last two threads exit at the same time" },
	{ "killed", "SIGNAL", run_killed, "a child that dies of a signal" },
	{},
};

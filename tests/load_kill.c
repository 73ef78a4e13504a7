/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that end in different ways; `done` has pid, signal and sender (by=0: the kernel) of the one that ended. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

/* A child: prepares itself, reports that, and continues. */
static pid_t victim(void (*prepare)(void), void (*goes_on)(void))
{
	static const struct rlimit none;
	int ready[2];
	pid_t pid;
	char byte = 'x';

	if (pipe(ready))
		load_die("pipe");
	pid = load_fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &none);
		if (prepare)
			prepare();
		if (write(ready[1], &byte, 1) != 1)
			_exit(98);
		close(ready[1]);
		goes_on();
		_exit(99);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		load_die("the victim");
	close(ready[0]);
	return pid;
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

/* Another process of ours sends it. */
static pid_t send_by_another(pid_t to, int signal_number)
{
	pid_t sender = load_fork();

	if (!sender) {
		prctl(PR_SET_NAME, "sender");
		_exit(kill(to, signal_number) != 0);
	}
	waitpid(sender, NULL, 0);
	return sender;
}

struct end {
	pid_t pid;
	int signal, by; /* by 0: the kernel */
};

static struct end sent(long signal_number)
{
	pid_t pid = victim(NULL, wait_for_ever);

	return (struct end){ pid, (int)signal_number, send_by_another(pid, (int)signal_number) };
}

static void caught(int signal_number)
{
	(void)signal_number;
}

static void catch_term(void)
{
	signal(SIGTERM, caught);
}

/* The first signal is handled, the next, from another process, ends it. */
static struct end handled(long signal_number)
{
	pid_t pid = victim(catch_term, wait_for_ever);

	send_by_another(pid, SIGTERM);
	return (struct end){ pid, (int)signal_number, send_by_another(pid, (int)signal_number) };
}

static void block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

static void unblock_later(void)
{
	sigset_t got;

	sigpending(&got);
	while (!sigismember(&got, SIGTERM) && !sigismember(&got, SIGQUIT)) {
		usleep(1000);
		sigpending(&got);
	}
	sigprocmask(SIG_UNBLOCK, &got, NULL);
}

/* It is pending when the process unblocks it. */
static struct end blocked(long signal_number)
{
	pid_t pid = victim(block_all, unblock_later);

	return (struct end){ pid, (int)signal_number, send_by_another(pid, (int)signal_number) };
}

static void *pause_thread(void *arg)
{
	wait_for_ever();
	return arg;
}

static void add_threads(void)
{
	for (int i = 0; i < 3; i++)
		load_thread(pause_thread, NULL);
}

static void leader_ends(void)
{
	pthread_exit(NULL);
}

/* A process whose first thread has exited. */
static struct end leaderless(long signal_number)
{
	pid_t pid = victim(add_threads, leader_ends);

	return (struct end){ pid, (int)signal_number, send_by_another(pid, (int)signal_number) };
}

static void raise_abort(void)
{
	abort();
}

static struct end itself(long signal_number)
{
	pid_t pid = victim(NULL, raise_abort);

	(void)signal_number;
	return (struct end){ pid, SIGABRT, pid };
}

static void write_to_nobody(void)
{
	int fd[2];

	if (!pipe(fd) && !close(fd[0]) && write(fd[1], "x", 1) < 0)
		_exit(97);
}

static struct end broken_pipe(long signal_number)
{
	pid_t pid = victim(NULL, write_to_nobody);

	(void)signal_number;
	return (struct end){ pid, SIGPIPE, pid };
}

static void fault(void)
{
	*(volatile int *)mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 1;
}

static struct end faults(long signal_number)
{
	(void)signal_number;
	return (struct end){ victim(NULL, fault), SIGSEGV, 0 };
}

static void alarm_soon(void)
{
	static const struct itimerval soon = { .it_value.tv_usec = 1000 };

	setitimer(ITIMER_REAL, &soon, NULL);
	wait_for_ever();
}

static struct end alarmed(long signal_number)
{
	(void)signal_number;
	return (struct end){ victim(NULL, alarm_soon), SIGALRM, 0 };
}

/* A signal that claims to come from a timer. */
static struct end forged(long signal_number)
{
	pid_t pid = victim(NULL, wait_for_ever), sender = load_fork();

	if (!sender) {
		siginfo_t info = { .si_signo = (int)signal_number, .si_code = SI_TIMER };

		prctl(PR_SET_NAME, "sender");
		_exit(syscall(SYS_rt_sigqueueinfo, pid, signal_number, &info) != 0);
	}
	waitpid(sender, NULL, 0);
	return (struct end){ pid, (int)signal_number, sender };
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		load_die(path);
	close(fd);
}

static char oom_group[200];

static void join_group(void)
{
	char path[256], pid[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", oom_group);
	snprintf(pid, sizeof(pid), "%d", getpid());
	write_text(path, pid);
}

static void fill_memory(void)
{
	const size_t bytes = 512 << 20;
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; at != MAP_FAILED && i < bytes; i += 4096)
		at[i] = 1;
}

/* In the control group of that directory, which has a limit. */
static void run_oom(char **arg)
{
	snprintf(oom_group, sizeof(oom_group), "%s", arg[0]);
	load_ready(" ");
	while (load_go()) {
		pid_t pid = victim(join_group, fill_memory);
		int status = 0;

		waitpid(pid, &status, 0);
		load_done(1, "pid=%d signal=%d by=0", pid, WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	}
}

static const struct {
	const char *name;
	struct end (*end)(long signal_number);
} ways[] = {
	{ "sent", sent },     { "handled", handled },	      { "blocked", blocked }, { "leaderless", leaderless },
	{ "itself", itself }, { "broken_pipe", broken_pipe }, { "faults", faults },   { "alarmed", alarmed },
	{ "forged", forged },
};

static void run_ends(char **arg)
{
	long signal_number = load_number(arg[1]);
	size_t i = 0;

	while (i < sizeof(ways) / sizeof(ways[0]) && strcmp(ways[i].name, arg[0]))
		i++;
	if (i == sizeof(ways) / sizeof(ways[0])) {
		errno = EINVAL;
		load_die(arg[0]);
	}
	load_ready(" ");
	while (load_go()) {
		struct end end = ways[i].end(signal_number);
		int status = 0;

		waitpid(end.pid, &status, 0);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != end.signal) {
			errno = 0;
			load_die("it did not end as it should");
		}
		load_done(1, "pid=%d signal=%d by=%d", end.pid, end.signal, end.by);
	}
}

const struct workload load_kill[] = {
	{ "ends", "HOW SIGNAL", run_ends, "a child that a signal ends; HOW: how that came" },
	{ "oom", "FOLDER", run_oom, "a child that uses up the memory of that control group" },
	{},
};

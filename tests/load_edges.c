/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases in which numbers are easily lost: exec that returns as another call, a connection younger than its listener,
 * calls that are interrupted, refused, changed by a tracer, or never left by their thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

/* N times by execveat, which returns as execve; LEFT counts down to 0. */
static void run_fexecve(char **arg)
{
	long n = load_number(arg[0]), left = load_number(arg[1]);
	char text[24], *argv[] = { (char *)"load", (char *)"fexecve", arg[0], text, NULL };
	extern char **environ;
	int fd;

	if (left == n) {
		load_ready(" ");
		if (!load_go())
			return;
	}
	if (!left) {
		load_done(n, "call:execveat=%ld", n);
		load_go();
		return;
	}
	snprintf(text, sizeof(text), "%ld", left - 1);
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fexecve(fd, argv, environ))
		load_die("fexecve");
}

/* Listens; a byte on stdin makes it connect to itself and accept. */
static void run_late(char **arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	(void)arg;
	if (listener < 0 || bind(listener, (struct sockaddr *)&a, len) || listen(listener, 10) ||
	    getsockname(listener, (struct sockaddr *)&a, &len))
		load_die("listen");
	load_ready("port=%d", ntohs(a.sin_port));
	while (load_go()) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&a, len) || accept(listener, NULL, NULL) < 0)
			load_die("connect");
		load_done(1, " ");
	}
}

static int pipe_fd[2];
static long to_read;
static atomic_long handled, returned; /* signals; reads that returned */

static void count_signal(int signal_number)
{
	(void)signal_number;
	handled++;
}

/* Like a handler that writes to its own pipe and interrupts a write; here an empty readv. */
static void signal_calls(int signal_number)
{
	struct iovec none = { .iov_len = 0 };

	if (syscall(SYS_readv, pipe_fd[0], &none, 1))
		load_die("readv");
	count_signal(signal_number);
}

/* With readv, which the protocol does not use. */
static void *read_bytes(void *arg)
{
	struct iovec one = { .iov_base = arg, .iov_len = 1 };

	for (long i = 0; i < to_read; i++) {
		syscall(SYS_readv, pipe_fd[0], &one, 1);
		returned++;
	}
	return NULL;
}

/* A thread in readv, signalled until it has left it N times: with EINTR, or with a byte after some restarts. */
static void run_signals(char **arg)
{
	bool restarts = !strcmp(arg[0], "restart");
	bool calls = !strcmp(arg[0], "call");
	struct sigaction action = { .sa_handler = calls ? signal_calls : count_signal,
				    .sa_flags = restarts ? SA_RESTART : 0 };
	char byte;

	to_read = load_number(arg[1]);
	if (pipe(pipe_fd) || sigaction(SIGUSR1, &action, NULL))
		load_die("signals");
	load_ready(" ");
	while (load_go()) {
		pthread_t reader;

		handled = returned = 0;
		reader = load_thread(read_bytes, &byte);
		for (long i = 0; i < to_read; i++) {
			for (long last = handled; restarts && handled < last + 3; sched_yield())
				pthread_kill(reader, SIGUSR1);
			if (restarts && write(pipe_fd[1], "", 1) != 1)
				load_die("write");
			for (; returned <= i; sched_yield())
				if (!restarts)
					pthread_kill(reader, SIGUSR1);
		}
		pthread_join(reader, NULL);
		if (restarts || calls)
			load_done(to_read, "signals=%ld call:rt_sigreturn=%ld", handled, handled);
		else
			load_done(to_read, "call:rt_sigreturn=%ld call:readv=%ld:EINTR", handled, to_read);
	}
}

#define REFUSALS 30 /* errnos from 1 on */

/* getpgid is refused by seccomp, with its argument as errno. */
static void refuse_getpgid(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		load_die("seccomp");
}

#define ASKED 5
#define ANSWER_NS 20000000L /* how long the supervisor delays each call */

static int to_supervisor[2];

/* Answers getsid itself, and lets gettid continue. */
static void *supervise(void *arg)
{
	int fd;

	if (read(to_supervisor[0], &fd, sizeof(fd)) != sizeof(fd))
		load_die("supervisor");
	for (;;) {
		struct timespec pause = { .tv_nsec = ANSWER_NS };
		struct seccomp_notif asked = {};
		struct seccomp_notif_resp answer = {};

		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &asked))
			return arg;
		nanosleep(&pause, NULL);
		answer.id = asked.id;
		if (asked.data.nr == SYS_getsid)
			answer.val = 4242;
		else
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

/* getpgid is answered with 0, getsid and gettid by a supervisor. */
static void install_supervisor(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsid, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };
	int fd;

	if (pipe(to_supervisor) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		load_die("supervisor");
	load_thread(supervise, NULL);
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (fd < 0 || write(to_supervisor[1], &fd, sizeof(fd)) != sizeof(fd))
		load_die("seccomp");
}

/* Calls that seccomp or a supervisor decides about: answered with success by seccomp, or by a supervisor after a while;
 * allowed by it (gettid); and number -1, which is no call. */
static void run_answered(char **arg)
{
	long n = load_number(arg[0]);

	install_supervisor();
	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++)
			if (syscall(SYS_getpgid, 1) || syscall(-1L) != -1 || errno != ENOSYS)
				load_die("answered");
		for (int i = 0; i < ASKED; i++)
			if (syscall(SYS_getsid, 0) != 4242 || syscall(SYS_gettid) != getpid())
				load_die("supervised");
		load_done(n, "waited_ns=%ld call:getpgid=%ld call:#4095=%ld:ENOSYS call:getsid=%d call:gettid=%d",
			  ASKED * ANSWER_NS, n, n, ASKED, ASKED);
	}
}

static void run_refused(char **arg)
{
	long n = load_number(arg[0]);

	refuse_getpgid();
	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++) {
			for (int e = 1; e <= REFUSALS; e++)
				if (syscall(SYS_getpgid, e) != -1 || errno != e)
					load_die("refused");
			syscall(SYS_getppid);
		}
		load_done(n, "errnos=%d call:getppid=%ld", REFUSALS, n);
	}
}

#if defined(__x86_64__)
static void run_to_syscall(pid_t child, struct user_regs_struct *regs)
{
	int status;

	if (ptrace(PTRACE_SYSCALL, child, NULL, NULL) || waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_GETREGS, child, NULL, regs))
		load_die("ptrace");
}

/* A child that calls getppid, getuid and getgid N times each. Its tracer lets the first pass, turns the second into
 * geteuid and suppresses the third. */
static void run_traced(char **arg)
{
	long n = load_number(arg[0]);
	struct user_regs_struct regs;
	pid_t child = load_fork();
	int status;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		for (long i = 0; i < n; i++) {
			syscall(SYS_getppid);
			syscall(SYS_getuid);
			syscall(SYS_getgid);
		}
		for (;;)
			pause();
	}
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		load_die("ptrace");
	load_ready("pid=%d", child);
	if (!load_go())
		return;
	do {
		run_to_syscall(child, &regs);
		if (regs.orig_rax == SYS_getuid)
			regs.orig_rax = SYS_geteuid;
		else if (regs.orig_rax == SYS_getgid)
			regs.orig_rax = (unsigned long long)-1;
		if (ptrace(PTRACE_SETREGS, child, NULL, &regs))
			load_die("ptrace");
		if (regs.orig_rax != SYS_pause)
			run_to_syscall(child, &regs);
	} while (regs.orig_rax != SYS_pause);
	load_done(3 * n, "call:getppid=%ld call:geteuid=%ld", n, n);
	load_go();
}
#endif

static void *stay(void *arg)
{
	char byte;
	struct iovec one = { .iov_base = &byte, .iov_len = 1 };

	(void)arg;
	returned++;
	syscall(SYS_readv, pipe_fd[0], &one, 1);
	return NULL;
}

static void *exit_from_thread(void *arg)
{
	(void)arg;
	_exit(0);
}

/* Processes whose threads never leave the call that they are in: killed, exited by another, replaced by exec. */
static void die_inside(const char *how, long threads)
{
	char *const argv[] = { (char *)"true", NULL };
	pthread_t last;

	returned = 0;
	for (long i = 0; i < threads; i++)
		load_thread(stay, NULL);
	while (returned < threads)
		sched_yield();
	if (!strcmp(how, "kill"))
		raise(SIGKILL);
	if (!strcmp(how, "exec"))
		execvp("true", argv);
	last = load_thread(exit_from_thread, NULL);
	pthread_join(last, NULL);
	_exit(1);
}

static void run_die_inside(char **arg)
{
	long processes = load_number(arg[1]), threads = load_number(arg[2]);
	int status, expected = !strcmp(arg[0], "kill") ? SIGKILL : 0;

	if (pipe(pipe_fd))
		load_die("pipe");
	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < processes; i++) {
			pid_t pid = load_fork();

			if (!pid)
				die_inside(arg[0], threads);
			if (waitpid(pid, &status, 0) != pid || status != expected)
				load_die("child");
		}
		load_done(processes, " ");
	}
}

#ifdef SYS_vfork
#define VFORK "vfork"
#else
#define VFORK "clone"
#endif

static pid_t vfork_and_exit(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(3);
	return pid;
}

static void run_vfork(char **arg)
{
	long n = load_number(arg[0]);
	int status;

	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++) {
			pid_t pid = vfork_and_exit();

			if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 3)
				load_die("vfork");
		}
		load_done(n, "call:" VFORK "=%ld call:wait4=%ld", n, n);
	}
}

#define WATCHED 100 /* by each epoll */

/* None is woken: they watch for another event than the one that occurs. */
static void watch(int event, long epolls)
{
	struct epoll_event other = { .events = EPOLLPRI };
	int fd[WATCHED];

	for (int i = 0; i < WATCHED; i++)
		fd[i] = dup(event);
	while (epolls--) {
		int epoll = epoll_create1(0);

		for (int i = 0; i < WATCHED; i++)
			if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd[i], &other))
				load_die("epoll_ctl");
	}
}

static void write_event(int event)
{
	const uint64_t one = 1;

	if (write(event, &one, sizeof(one)) != sizeof(one))
		load_die("eventfd");
}

static int64_t off_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return load_now_ns() - (t.tv_sec * 1000000000LL + t.tv_nsec);
}

/* A write to an eventfd never sleeps, but holds its spin lock while it checks all its watchers. One process does
 * nothing else; a process of higher priority that interrupts it finds the lock taken. */
static void run_kernel_lock(char **arg)
{
	long n = load_number(arg[1]);
	int event = eventfd(0, EFD_NONBLOCK);
	struct timespec pause = { .tv_nsec = 100000 };

	watch(event, load_number(arg[0]));
	load_pin(0);
	load_ready(" ");
	while (load_go()) {
		int64_t waited_ns = 0;
		pid_t holder = load_fork();

		while (!holder)
			write_event(event);
		if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK,
				       &(struct sched_param){ .sched_priority = 1 }))
			load_die("SCHED_FIFO");
		for (long i = 0; i < n; i++) {
			nanosleep(&pause, NULL);
			waited_ns -= off_cpu_ns();
			write_event(event);
			waited_ns += off_cpu_ns();
		}
		kill(holder, SIGKILL);
		waitpid(holder, NULL, 0);
		load_done(n, "waited_ns=%" PRId64, waited_ns);
	}
}

const struct workload load_edges[] = {
	{ "fexecve", "N N", run_fexecve, "runs itself again by execveat, N times" },
	{ "late", "", run_late, "a listener whose connections come later" },
	{ "signals", "KIND N", run_signals, "a read interrupted or restarted by signals until it ended N times" },
	{ "answered", "N", run_answered, "getpgid answered by seccomp, N times, and calls that a supervisor answers" },
	{ "refused", "N", run_refused, "getpgid refused by seccomp with 30 errnos, N times each" },
#if defined(__x86_64__)
	{ "traced", "N", run_traced, "three calls, N times each, of which a tracer changes two" },
#endif
	{ "die-inside", "HOW PROCESSES THREADS", run_die_inside, "whose threads are in a call to their end" },
	{ "kernel-lock", "EPOLLS N", run_kernel_lock, "N writes to an eventfd whose lock another process holds" },
	{ "vfork", "N", run_vfork, "children by vfork that exit at once" },
	{},
};

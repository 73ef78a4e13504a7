/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs asleep in one known call, for ever: `sleep KIND` prints `ready pid=PID` and enters it. The
 * thread that sleeps is the only one of its process, so the process's budget must be that one state.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

static void ready_self(void)
{
	load_ready("pid=%d", getpid());
}

static void sleep_futex(void)
{
	int word = 0;

	ready_self();
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void sleep_read(int fd)
{
	char byte;

	ready_self();
	if (read(fd, &byte, 1) < 0)
		load_die("read");
}

static void sleep_pipe(void)
{
	int fd[2];

	if (pipe(fd))
		load_die("pipe");
	sleep_read(fd[0]);
}

static void sleep_pipe_write(void)
{
	static char block[1 << 20];
	int fd[2];

	if (pipe(fd))
		load_die("pipe");
	ready_self();
	if (write(fd[1], block, sizeof(block)) < 0)
		load_die("write");
}

static void sleep_tty(void)
{
	int master, slave;

	if (openpty(&master, &slave, NULL, NULL, NULL))
		load_die("openpty");
	sleep_read(slave);
}

static void sleep_eventfd(void)
{
	uint64_t n;
	int fd = eventfd(0, 0);

	ready_self();
	if (read(fd, &n, sizeof(n)) < 0)
		load_die("read");
}

static void sleep_socket_read(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
		load_die("socketpair");
	sleep_read(fd[0]);
}

static int udp_socket(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		load_die("socket");
	return fd;
}

static void sleep_recv(void)
{
	int fd = udp_socket();
	char byte;

	ready_self();
	recv(fd, &byte, 1, 0);
}

static void sleep_accept(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1))
		load_die("listen");
	ready_self();
	accept(fd, NULL, NULL);
}

static void sleep_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int epoll = epoll_create1(0), fd[2];

	if (pipe(fd) || epoll_ctl(epoll, EPOLL_CTL_ADD, fd[0], &e))
		load_die("epoll");
	ready_self();
	epoll_wait(epoll, &e, 1, -1);
}

static void sleep_poll(void)
{
	struct pollfd p = { .events = POLLIN };
	int fd[2];

	if (pipe(fd))
		load_die("pipe");
	p.fd = fd[0];
	ready_self();
	poll(&p, 1, -1);
}

static void sleep_select(void)
{
	fd_set set;
	int fd[2];

	if (pipe(fd))
		load_die("pipe");
	FD_ZERO(&set);
	FD_SET(fd[0], &set);
	ready_self();
	select(fd[0] + 1, &set, NULL, NULL, NULL);
}

static void sleep_nanosleep(void)
{
	struct timespec day = { .tv_sec = 86400 };

	ready_self();
	nanosleep(&day, NULL);
}

static void sleep_sigwait(void)
{
	sigset_t set;
	int signal_number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ready_self();
	sigwait(&set, &signal_number);
}

static void sleep_wait4(void)
{
	pid_t child = load_fork();

	if (!child)
		for (;;)
			pause();
	ready_self();
	waitpid(child, NULL, 0);
}

/* The child keeps the parent's memory and never releases it; it dies with its parent. */
static void sleep_vfork(void)
{
	pid_t child;

	ready_self();
	child = vfork();
	if (!child) {
		syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
	}
}

/* A child that holds what its parent wants; `hold` must not block. */
static void let_child_hold(void (*hold)(void))
{
	int fd[2];
	char byte = 0;

	if (pipe(fd))
		load_die("pipe");
	if (!load_fork()) {
		hold();
		if (write(fd[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fd[1]);
	if (read(fd[0], &byte, 1) != 1)
		load_die("holder");
	close(fd[0]);
}

static char lock_path[] = "/tmp/lagtop-load-XXXXXX";

static void hold_flock(void)
{
	if (flock(open(lock_path, O_RDWR), LOCK_EX))
		_exit(1);
}

static void hold_fcntl(void)
{
	struct flock whole = { .l_type = F_WRLCK };

	if (fcntl(open(lock_path, O_RDWR), F_SETLK, &whole))
		_exit(1);
}

static int shared_lock_file(void (*hold)(void))
{
	int fd = mkstemp(lock_path);

	let_child_hold(hold);
	unlink(lock_path);
	return fd;
}

static void sleep_flock(void)
{
	int fd = shared_lock_file(hold_flock);

	ready_self();
	flock(fd, LOCK_EX);
}

static void sleep_fcntl(void)
{
	struct flock whole = { .l_type = F_WRLCK };
	int fd = shared_lock_file(hold_fcntl);

	ready_self();
	fcntl(fd, F_SETLKW, &whole);
}

/* The queue or semaphore outlives a killed owner: a child removes it when its parent is gone. */
static void remove_after_death(void (*remove_it)(int), int id)
{
	int fd[2];
	char byte;

	if (pipe(fd))
		load_die("pipe");
	if (!fork()) {
		signal(SIGINT, SIG_IGN);
		close(fd[1]);
		while (read(fd[0], &byte, 1) > 0)
			;
		remove_it(id);
		_exit(0);
	}
	close(fd[0]);
}

static void remove_semaphore(int id)
{
	semctl(id, 0, IPC_RMID);
}

static void remove_queue(int id)
{
	msgctl(id, IPC_RMID, NULL);
}

static void sleep_semop(void)
{
	struct sembuf take = { .sem_op = -1 };
	int id = semget(IPC_PRIVATE, 1, 0600);

	if (id < 0)
		load_die("semget");
	remove_after_death(remove_semaphore, id);
	ready_self();
	semop(id, &take, 1);
}

static void sleep_msgrcv(void)
{
	struct {
		long type;
		char text[8];
	} message;
	int id = msgget(IPC_PRIVATE, 0600);

	if (id < 0)
		load_die("msgget");
	remove_after_death(remove_queue, id);
	ready_self();
	msgrcv(id, &message, sizeof(message.text), 0, 0);
}

static void sleep_stopped(void)
{
	ready_self();
	raise(SIGSTOP);
}

static void sleep_traced(void)
{
	int status;
	pid_t child = load_fork();

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		load_die("ptrace");
	load_ready("pid=%d", child);
	pause();
}

/* KVM's own thread in this process (Linux 6.4), made when the machine first runs; the main thread pauses. */
static void sleep_kvm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int machine = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	int cpu = machine < 0 ? -1 : ioctl(machine, KVM_CREATE_VCPU, 0);

	if (cpu < 0)
		load_die("kvm");
	ioctl(cpu, KVM_RUN, 0); /* it does not matter that there is nothing to run */
	ready_self();
	pause();
}

static const struct {
	const char *kind;
	void (*run)(void);
} sleepers[] = {
	{ "futex", sleep_futex },     { "pipe", sleep_pipe },	    { "pipe-write", sleep_pipe_write },
	{ "tty", sleep_tty },	      { "eventfd", sleep_eventfd }, { "socket", sleep_socket_read },
	{ "recv", sleep_recv },	      { "accept", sleep_accept },   { "epoll", sleep_epoll },
	{ "poll", sleep_poll },	      { "select", sleep_select },   { "nanosleep", sleep_nanosleep },
	{ "sigwait", sleep_sigwait }, { "wait4", sleep_wait4 },	    { "vfork", sleep_vfork },
	{ "flock", sleep_flock },     { "fcntl", sleep_fcntl },	    { "semop", sleep_semop },
	{ "msgrcv", sleep_msgrcv },   { "stopped", sleep_stopped }, { "traced", sleep_traced },
	{ "kvm", sleep_kvm },
};

static void run_sleep(char **arg)
{
	for (size_t i = 0; i < sizeof(sleepers) / sizeof(*sleepers); i++)
		if (!strcmp(arg[0], sleepers[i].kind)) {
			sleepers[i].run();
			return;
		}
	fprintf(stderr, "load: no sleeper '%s'\n", arg[0]);
	exit(2);
}

const struct workload load_sleep[] = {
	{ "sleep", "KIND", run_sleep, "asleep for ever in one call: futex, pipe, epoll, …" },
	{},
};

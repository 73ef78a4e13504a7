/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workloads of system calls. A claim `call:NAME=COUNT` or `call:NAME=COUNT:ERRNO` (all of them failed so)
 * on the `done` line is what the monitor must find. The protocol itself uses only read and write.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

/* Threads that each do their part once per round. */
struct team {
	pthread_barrier_t begin, end;
	void (*part)(long n);
	long n;
};

static void *team_member(void *arg)
{
	struct team *team = arg;

	for (;;) {
		pthread_barrier_wait(&team->begin);
		team->part(team->n);
		pthread_barrier_wait(&team->end);
	}
	return NULL;
}

static void team_start(struct team *team, long threads, long each, void (*part)(long n))
{
	team->part = part;
	team->n = each;
	pthread_barrier_init(&team->begin, NULL, (unsigned int)threads + 1);
	pthread_barrier_init(&team->end, NULL, (unsigned int)threads + 1);
	for (long i = 0; i < threads; i++)
		load_thread(team_member, team);
}

static void team_round(struct team *team)
{
	pthread_barrier_wait(&team->begin);
	pthread_barrier_wait(&team->end);
}

static void part_getppid(long n)
{
	while (n--)
		syscall(SYS_getppid);
}

static void run_getppid(char **arg)
{
	long threads = load_number(arg[0]), total = load_number(arg[1]);
	struct team team;

	if (threads < 2) {
		load_ready(" ");
		while (load_go()) {
			part_getppid(total);
			load_done(total, "call:getppid=%ld", total);
		}
		return;
	}
	team_start(&team, threads, total / threads, part_getppid);
	load_ready(" ");
	while (load_go()) {
		team_round(&team);
		load_done(total / threads * threads, "call:getppid=%ld", total / threads * threads);
	}
}

#define FIRST_NUMBER 512 /* no kernel has calls from here on */
static long numbers, stride;

static void part_numbers(long n)
{
	while (n--)
		for (long i = 0; i < numbers; i++)
			syscall(FIRST_NUMBER + i * stride);
}

static void run_numbers(char **arg)
{
	long threads = load_number(arg[0]), each = load_number(arg[3]), n;
	struct team team;

	numbers = load_number(arg[1]);
	stride = load_number(arg[2]);
	n = threads * numbers * each;
	team_start(&team, threads, each, part_numbers);
	load_ready(" ");
	while (load_go()) {
		team_round(&team);
		load_done(n, " ");
	}
}

static void run_zero(char **arg)
{
	long n = load_number(arg[0]);
	int fd = open("/dev/zero", O_RDONLY);
	char byte;

	if (fd < 0)
		load_die("/dev/zero");
	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++)
			if (read(fd, &byte, 1) != 1)
				load_die("read");
		load_done(n, " ");
	}
}

static const int ten_calls[10] = { SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
				   SYS_getpid,	SYS_gettid, SYS_getpgid, SYS_getsid, SYS_umask };

static void run_ten(char **arg)
{
	long n = load_number(arg[0]);

	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++)
			syscall(ten_calls[i % 10], 0);
		load_done(n, " ");
	}
}

/* Each begins at a different time, so that they do not wake in step. */
static void run_busy(char **arg)
{
	long n = load_number(arg[0]), ms = load_number(arg[1]);

	for (long i = 0; i < n; i++) {
		struct timespec rest = { 0, ms * 1000000 * i / n };

		if (load_fork())
			continue;
		for (;;) {
			rest.tv_sec += rest.tv_nsec / 1000000000;
			rest.tv_nsec %= 1000000000;
			nanosleep(&rest, NULL);
			for (size_t k = 0; k < 10; k++)
				syscall(ten_calls[k], 0);
			rest = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
		}
	}
	load_ready(" ");
	load_go();
}

#define ZERO_FD 100 /* /dev/zero */
#define NULL_FD 101 /* /dev/null */
#define PIPE_FD 102 /* an empty pipe, not blocking */

static char bytes[256];
static const struct iovec whole = { .iov_base = bytes, .iov_len = sizeof(bytes) };

/* Calls that each always end the same way. */
static const struct {
	const char *name, *error; /* NULL: it succeeds */
	long nr, arg[4];
} mixed[] = {
	{ "getppid", NULL, SYS_getppid, {} },
	{ "umask", NULL, SYS_umask, { 022 } },
	{ "fcntl", NULL, SYS_fcntl, { ZERO_FD, F_GETFD } },
	{ "kill", NULL, SYS_kill, { 0, 0 } },
	{ "uname", "EFAULT", SYS_uname, { 1 } },
	{ "close", "EBADF", SYS_close, { -1 } },
	{ "fstat", "EBADF", SYS_fstat, { -1, (long)bytes } },
	{ "openat", "ENOENT", SYS_openat, { AT_FDCWD, (long)"/nonexistent/lagtop", O_RDONLY } },
	{ "mkdirat", "EEXIST", SYS_mkdirat, { AT_FDCWD, (long)"/", 0700 } },
	{ "unlinkat", "EISDIR", SYS_unlinkat, { AT_FDCWD, (long)"/", 0 } },
	{ "readlinkat", "EINVAL", SYS_readlinkat, { AT_FDCWD, (long)"/", (long)bytes, sizeof(bytes) } },
	{ "pread64", NULL, SYS_pread64, { ZERO_FD, (long)bytes, sizeof(bytes), 0 } },
	{ "pwrite64", NULL, SYS_pwrite64, { NULL_FD, (long)bytes, sizeof(bytes), 0 } },
	{ "lseek", "ESPIPE", SYS_lseek, { PIPE_FD, 0, SEEK_SET } },
	{ "getdents64", "ENOTDIR", SYS_getdents64, { ZERO_FD, (long)bytes, sizeof(bytes) } },
	{ "ioctl", "ENOTTY", SYS_ioctl, { ZERO_FD, TCGETS, (long)bytes } },
	{ "listen", "ENOTSOCK", SYS_listen, { ZERO_FD, 1 } },
	{ "readv", "EAGAIN", SYS_readv, { PIPE_FD, (long)&whole, 1 } },
	{ "dup3", "EINVAL", SYS_dup3, { 0, 0, 0 } },
	{ "getpgid", "ESRCH", SYS_getpgid, { -1 } },
	{ "wait4", "ECHILD", SYS_wait4, { -1, 0, WNOHANG, 0 } },
	{ "mprotect", "ENOMEM", SYS_mprotect, { 0, 4096, PROT_READ } },
};
#define MIXED ((long)(sizeof(mixed) / sizeof(*mixed)))

static void part_mixed(long n)
{
	while (n--)
		for (long i = 0; i < MIXED; i++) {
			const long *arg = mixed[i].arg;

			if ((syscall(mixed[i].nr, arg[0], arg[1], arg[2], arg[3]) < 0) != !!mixed[i].error)
				load_die(mixed[i].name);
		}
}

static void take_fd(int fd, int as)
{
	if (fd < 0 || dup2(fd, as) < 0)
		load_die("mixed");
	close(fd);
}

static void run_mixed(char **arg)
{
	long threads = load_number(arg[0]), each = load_number(arg[1]), n = threads * each;
	char claims[MIXED * 40];
	size_t len = 0;
	struct team team;
	int fd[2];

	take_fd(open("/dev/zero", O_RDONLY), ZERO_FD);
	take_fd(open("/dev/null", O_WRONLY), NULL_FD);
	if (pipe2(fd, O_NONBLOCK))
		load_die("pipe");
	take_fd(fd[0], PIPE_FD);
	for (long i = 0; i < MIXED; i++)
		len += (size_t)snprintf(claims + len, sizeof(claims) - len, " call:%s=%ld%s%s", mixed[i].name, n,
					mixed[i].error ? ":" : "", mixed[i].error ? mixed[i].error : "");
	team_start(&team, threads, each, part_mixed);
	load_ready(" ");
	while (load_go()) {
		team_round(&team);
		load_done(n * MIXED, "%s", claims);
	}
}

#if defined(__x86_64__)
static long call_i386(long nr, long first, long second)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(first), "c"(second)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

/* Numbers of asm/unistd_32.h: 20 getpid, 6 close. */
static void run_int80(char **arg)
{
	long n = load_number(arg[0]);

	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++) {
			call_i386(20, 0, 0);
			call_i386(6, -1, 0);
		}
		load_done(2 * n, "call:i386/getpid=%ld call:i386/close=%ld:EBADF", n, n);
	}
}

/* socketcall of i386 (102): operations 5 accept and 10 recv. Its arguments must lie below 4 GiB. */
static void run_socketcall(char **arg)
{
	long n = load_number(arg[0]);
	uint32_t *args = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (args == MAP_FAILED || listener < 0 || bind(listener, (struct sockaddr *)&a, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&a, &len))
		load_die("listen");
	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++) {
			int out = socket(AF_INET, SOCK_STREAM, 0), in;

			if (out < 0 || connect(out, (struct sockaddr *)&a, len) || send(out, "", 1, 0) != 1)
				load_die("connect");
			memcpy(args, (uint32_t[]){ (uint32_t)listener, 0, 0 }, 12);
			in = (int)call_i386(102, 5, (long)args);
			memcpy(args, (uint32_t[]){ (uint32_t)in, (uint32_t)(uintptr_t)(args + 8), 1, 0 }, 16);
			if (in < 0 || call_i386(102, 10, (long)args) != 1)
				load_die("socketcall");
			close(in);
			close(out);
		}
		load_done(n, "call:i386/socketcall=%ld accepts=%ld rx_bytes=%ld", 2 * n, n, n);
	}
}
#endif

/* Each ring brings a kernel-made thread of this process (SQPOLL), born without a fork. */
static void run_io_uring(char **arg)
{
	long n = load_number(arg[0]);

	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++) {
			struct io_uring_params p = { .flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 1 };
			long fd = syscall(SYS_io_uring_setup, 4, &p);

			if (fd < 0)
				load_die("io_uring_setup");
			if (syscall(SYS_close, fd))
				load_die("close");
		}
		load_done(n, "call:io_uring_setup=%ld call:close=%ld", n, n);
	}
}

/* getrandom takes time in proportion to its bytes. */
static size_t bytes_of(const char *kind, long i, unsigned *seed)
{
	if (!strcmp(kind, "alternating"))
		return i % 2 ? 512 : 8192;
	if (!strcmp(kind, "sixteenth"))
		return i % 16 ? 512 : 16384;
	if (!strcmp(kind, "random")) {
		*seed = *seed * 1103515245 + 12345;
		return 512 + (*seed >> 16) % 8192;
	}
	return 4096;
}

static void run_durations(char **arg)
{
	long n = load_number(arg[1]), asleep = 0;
	bool sleepy = !strcmp(arg[0], "sleepy");
	const struct timespec rest = { .tv_nsec = 1000 };
	unsigned seed = 1;
	char buffer[16384];

	load_ready(" ");
	while (load_go()) {
		for (long i = asleep = 0; i < n; i++)
			if (sleepy && i % 50 == 0)
				asleep += !nanosleep(&rest, NULL);
			else if (syscall(SYS_getrandom, buffer, bytes_of(arg[0], i, &seed), 0) < 0)
				load_die("getrandom");
		load_done(n, "call:getrandom=%ld call:clock_nanosleep=%ld", n - asleep, asleep);
	}
}

#define PIPE_BYTES (512 * 1024) /* what copying takes is a good part of the whole */

static int drained[2], acks[2];

/* Answers when it has all of a write. */
static void *drain(void *arg)
{
	static char buffer[PIPE_BYTES];
	size_t left = 2 * PIPE_BYTES;

	(void)arg;
	for (ssize_t n; (n = read(drained[0], buffer, sizeof(buffer))) > 0;) {
		left -= (size_t)n;
		if (left)
			continue;
		left = 2 * PIPE_BYTES;
		if (write(acks[1], buffer, 1) != 1)
			load_die("write");
	}
	return NULL;
}

static void run_drained(char **arg)
{
	static char buffer[2 * PIPE_BYTES];
	long n = load_number(arg[0]);
	pthread_t reader;

	if (pipe(drained) || pipe(acks) || fcntl(drained[0], F_SETPIPE_SZ, PIPE_BYTES) < 0 ||
	    pthread_create(&reader, NULL, drain, NULL))
		load_die("pipe");
	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++)
			if (write(drained[1], buffer, sizeof(buffer)) != sizeof(buffer) ||
			    read(acks[0], buffer, 1) != 1)
				load_die("write");
		load_done(n, "call:write=%ld", 2 * n);
	}
}

const struct workload load_calls[] = {
	{ "getppid", "THREADS TOTAL", run_getppid, "getppid, TOTAL times over THREADS threads" },
	{ "numbers", "THREADS NUMBERS STRIDE EACH", run_numbers,
	  "NUMBERS calls that do not exist, STRIDE apart, each EACH times in every thread" },
	{ "zero", "N", run_zero, "read a byte of /dev/zero" },
	{ "ten", "N", run_ten, "ten cheap calls in turn, N in all" },
	{ "busy", "N MS", run_busy, "N processes that make ten calls every MS ms" },
	{ "mixed", "THREADS EACH", run_mixed,
	  "calls that succeed and calls that fail, each EACH times in every thread" },
#if defined(__x86_64__)
	{ "socketcall", "N", run_socketcall, "N accepts and receives of a byte through int 0x80" },
	{ "int80", "N", run_int80, "getpid and a failing close through int 0x80, N times each" },
#endif
	{ "durations", "KIND N", run_durations,
	  "N calls whose durations are constant, alternating, random, with a long one as every sixteenth, or sleepy" },
	{ "drained", "N", run_drained, "N writes that copy as much as a pipe holds, and then sleep until it is read" },
	{ "io-uring", "N", run_io_uring, "N io_uring rings with a kernel thread each, set up and closed" },
	{},
};

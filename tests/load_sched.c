/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workloads of the scheduler: spinners, ping-pongs on one CPU, thread creation and exit, known run-queue waits. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

extern char **environ;

static void spin_ns(int64_t ns)
{
	int64_t end_ns = load_now_ns() + ns;

	while (load_now_ns() < end_ns)
		;
}

static void run_spin(char **arg)
{
	long cpu = load_number(arg[0]), n = load_number(arg[1]), nice_value = load_number(arg[2]);
	char pids[4096] = "";
	size_t len = 0;

	for (long i = 0; i < n; i++) {
		pid_t pid = load_fork();

		if (!pid) {
			load_pin(cpu);
			setpriority(PRIO_PROCESS, 0, (int)nice_value);
			for (;;)
				__asm__ volatile("");
		}
		len += (size_t)snprintf(pids + len, sizeof(pids) - len, "%s%d", i ? "," : "", pid);
	}
	load_ready("pids=%s", pids);
	load_go();
}

/* Two threads in one process, so that the process's CPU time holds both sides. */
struct pingpong {
	long cpu, n;
	int there[2], back[2]; /* [0] is read, [1] is written */
	int ball;	       /* futex word: whose turn */
	void *(*second)(void *);
	pthread_barrier_t begin;
};

static void futex_call(int *word, int op, int value)
{
	syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void futex_turn(int *ball, int mine)
{
	int seen;

	while ((seen = __atomic_load_n(ball, __ATOMIC_ACQUIRE)) != mine)
		futex_call(ball, FUTEX_WAIT, seen);
}

static void futex_pass(int *ball, int to)
{
	__atomic_store_n(ball, to, __ATOMIC_RELEASE);
	futex_call(ball, FUTEX_WAKE, 1);
}

static void *second_futex(void *arg)
{
	struct pingpong *p = arg;

	load_pin(p->cpu);
	for (;;) {
		pthread_barrier_wait(&p->begin);
		for (long i = 0; i < p->n; i++) {
			futex_turn(&p->ball, 1);
			futex_pass(&p->ball, 0);
		}
	}
	return NULL;
}

static void *second_fds(void *arg)
{
	struct pingpong *p = arg;
	char byte;

	load_pin(p->cpu);
	for (;;) {
		pthread_barrier_wait(&p->begin);
		for (long i = 0; i < p->n; i++)
			if (read(p->there[0], &byte, 1) != 1 || write(p->back[1], &byte, 1) != 1)
				load_die("ping-pong");
	}
	return NULL;
}

static void *second_yield(void *arg)
{
	struct pingpong *p = arg;

	load_pin(p->cpu);
	for (;;) {
		pthread_barrier_wait(&p->begin);
		for (long i = 0; i < p->n; i++)
			sched_yield();
	}
	return NULL;
}

static void pingpong_start(struct pingpong *p, char **arg, void *(*second)(void *))
{
	p->cpu = load_number(arg[0]);
	p->n = load_number(arg[1]);
	load_pin(p->cpu);
	pthread_barrier_init(&p->begin, NULL, 2);
	load_thread(second, p);
	load_ready(" ");
}

static void run_yield(char **arg)
{
	struct pingpong p = {};

	pingpong_start(&p, arg, second_yield);
	while (load_go()) {
		pthread_barrier_wait(&p.begin);
		for (long i = 0; i < p.n; i++)
			sched_yield();
		load_done(2 * p.n, " ");
	}
}

static void run_futex(char **arg)
{
	struct pingpong p = {};

	pingpong_start(&p, arg, second_futex);
	while (load_go()) {
		pthread_barrier_wait(&p.begin);
		for (long i = 0; i < p.n; i++) {
			futex_pass(&p.ball, 1);
			futex_turn(&p.ball, 0);
		}
		load_done(p.n, " ");
	}
}

static void pingpong_fds(struct pingpong *p, char **arg)
{
	char byte = 0;

	pingpong_start(p, arg, second_fds);
	while (load_go()) {
		pthread_barrier_wait(&p->begin);
		for (long i = 0; i < p->n; i++)
			if (write(p->there[1], &byte, 1) != 1 || read(p->back[0], &byte, 1) != 1)
				load_die("ping-pong");
		load_done(p->n, " ");
	}
}

static void run_pipe(char **arg)
{
	struct pingpong p = {};

	if (pipe(p.there) || pipe(p.back))
		load_die("pipe");
	pingpong_fds(&p, arg);
}

static void run_tcp(char **arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0), out = socket(AF_INET, SOCK_STREAM, 0), in, on = 1;
	struct pingpong p = {};

	if (bind(listener, (struct sockaddr *)&a, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&a, &len) || connect(out, (struct sockaddr *)&a, len))
		load_die("tcp");
	in = accept(listener, NULL, NULL);
	if (in < 0)
		load_die("accept");
	setsockopt(in, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(out, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	p.there[0] = p.back[1] = in;
	p.there[1] = p.back[0] = out;
	pingpong_fds(&p, arg);
}

/* Many threads on one CPU, N turns each in a round; every turn wakes other threads, which wait for those before them.
 */
struct crowded {
	long n, threads, work_ns;
	long next; /* number of the next thread to begin */
	void (*turn)(struct crowded *c, long i);
	pthread_barrier_t begin, meet, end;
	int (*pipe)[2];
};

static void *crowded_thread(void *arg)
{
	struct crowded *c = arg;
	long me = __atomic_fetch_add(&c->next, 1, __ATOMIC_RELAXED);

	for (;;) {
		pthread_barrier_wait(&c->begin);
		for (long i = 0; i < c->n; i++)
			c->turn(c, me);
		pthread_barrier_wait(&c->end);
	}
	return NULL;
}

static void crowded_rounds(struct crowded *c, char **arg, void (*turn)(struct crowded *c, long i))
{
	load_pin(load_number(arg[0]));
	c->n = load_number(arg[1]);
	c->turn = turn;
	pthread_barrier_init(&c->begin, NULL, (unsigned int)c->threads + 1);
	pthread_barrier_init(&c->meet, NULL, (unsigned int)c->threads);
	pthread_barrier_init(&c->end, NULL, (unsigned int)c->threads + 1);
	for (long i = 0; i < c->threads; i++)
		load_thread(crowded_thread, c);
	load_ready(" ");
	while (load_go()) {
		pthread_barrier_wait(&c->begin);
		pthread_barrier_wait(&c->end);
		load_done(c->n * c->threads, " ");
	}
}

static void work_and_meet(struct crowded *c, long i)
{
	(void)i;
	spin_ns(c->work_ns);
	pthread_barrier_wait(&c->meet);
}

static int64_t process_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* All begin and end together, so that a quota throttles all of them or none. */
struct burn {
	pthread_barrier_t meet;
	int64_t work_ns, end_ns;
};

static void burn(struct burn *b)
{
	if (pthread_barrier_wait(&b->meet) == PTHREAD_BARRIER_SERIAL_THREAD)
		b->end_ns = process_cpu_ns() + b->work_ns;
	pthread_barrier_wait(&b->meet);
	while (process_cpu_ns() < b->end_ns)
		for (int i = 0; i < 10000; i++)
			__asm__ volatile("");
	pthread_barrier_wait(&b->meet);
}

static void *burn_rounds(void *arg)
{
	for (;;)
		burn(arg);
	return NULL;
}

static void run_burn(char **arg)
{
	long threads = load_number(arg[1]);
	static struct burn b;

	load_pin(load_number(arg[0]));
	b.work_ns = load_number(arg[2]) * 1000000;
	pthread_barrier_init(&b.meet, NULL, (unsigned int)threads);
	for (long i = 1; i < threads; i++)
		load_thread(burn_rounds, &b);
	load_ready(" ");
	while (load_go()) {
		burn(&b);
		load_done(threads, " ");
	}
}

static void run_barrier(char **arg)
{
	static struct crowded c;

	c.threads = load_number(arg[2]);
	c.work_ns = load_number(arg[3]) * 1000;
	crowded_rounds(&c, arg, work_and_meet);
}

static void pass_on(struct crowded *c, long i)
{
	char byte = 0;

	if (write(c->pipe[i][1], &byte, 1) != 1 || read(c->pipe[(i + 1) % c->threads][0], &byte, 1) != 1)
		load_die("relay");
}

static void run_relay(char **arg)
{
	static struct crowded c;

	c.threads = load_number(arg[2]);
	c.pipe = calloc((size_t)c.threads, sizeof(*c.pipe));
	for (long i = 0; i < c.threads; i++)
		if (!c.pipe || pipe(c.pipe[i]))
			load_die("relay");
	crowded_rounds(&c, arg, pass_on);
}

static void *nothing(void *arg)
{
	return arg;
}

static void run_threads(char **arg)
{
	long n = load_number(arg[0]);

	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++)
			pthread_join(load_thread(nothing, NULL), NULL);
		load_done(n, "call:clone3=%ld call:exit=%ld", n, n);
	}
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void run_crowd(char **arg)
{
	long n = load_number(arg[0]);
	pthread_attr_t small;
	pthread_t thread;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 32 << 10);
	for (long i = 0; i < n; i++)
		if (pthread_create(&thread, &small, wait_for_ever, NULL))
			load_die("pthread_create");
	load_ready("threads=%ld", n + 1);
	while (load_go())
		load_done(n, " ");
}

static void run_herd(char **arg)
{
	long n = load_number(arg[0]);

	for (long i = 0; i < n; i++)
		if (!load_fork())
			wait_for_ever(NULL);
	load_ready("processes=%ld", n + 1);
	while (load_go())
		load_done(n, " ");
}

/* The exit code of the i-th is i % 100, so their sum distinguishes a lost one from a doubled one. */
static void run_forkexit(char **arg)
{
	long n = load_number(arg[0]);

	load_ready(" ");
	while (load_go()) {
		long codes = 0;

		for (long i = 0; i < n; i++) {
			pid_t pid = fork();

			if (!pid)
				_exit((int)(i % 100));
			if (pid < 0 || waitpid(pid, NULL, 0) != pid)
				load_die("fork");
			codes += i % 100;
		}
		load_done(n, "codes=%ld", codes);
	}
}

static void run_spawn(char **arg)
{
	static char *const argv[] = { (char *)"true", NULL };
	long n = load_number(arg[0]);

	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++) {
			pid_t pid;

			errno = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ);
			if (errno || waitpid(pid, NULL, 0) != pid)
				load_die("/bin/true");
		}
		load_done(n, " ");
	}
}

/* Alternates work and rest, so that a thread runs, is preempted and is woken many times. */
static void run_bursts(char **arg)
{
	long cpu = load_number(arg[0]), n = load_number(arg[1]), burst_us = load_number(arg[2]);
	struct timespec rest = { .tv_nsec = 500000 };

	load_pin(cpu);
	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++) {
			spin_ns(burst_us * 1000);
			nanosleep(&rest, NULL);
		}
		load_done(n, " ");
	}
}

/* Reads past the page cache: nothing but running and waiting for the disk. */
static void run_disk(char **arg)
{
	const char *path = arg[0];
	long n = load_number(arg[1]), size = 4 << 20;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	void *page = NULL;

	if (fd < 0 || posix_memalign(&page, 4096, 4096) || posix_fallocate(fd, 0, size))
		load_die(path);
	for (long at = 0; at < size; at += 4096)
		if (pwrite(fd, page, 4096, at) != 4096)
			load_die("pwrite");
	if (fsync(fd) || close(fd) || (fd = open(path, O_RDONLY | O_DIRECT)) < 0)
		load_die("O_DIRECT");
	unlink(path);
	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++)
			if (pread(fd, page, 4096, i * 7919 % (size / 4096) * 4096) != 4096)
				load_die("pread");
		load_done(n, " ");
	}
}

/*
 * Known run-queue waits: a real-time waker and an ordinary sleeper share a CPU. The waker writes to the
 * sleeper's pipe, keeps the CPU for a known time and then blocks. The sleeper itself measures from the
 * wakeup to its first instruction: no wait was longer. The waker measures from after the wakeup to before it
 * blocks: none was shorter. Between the percentiles of both is what a monitor must show for its pid.
 */
#define WAITS 100

struct waits {
	int64_t woken_ns;
	int64_t least_ns[WAITS], most_ns[WAITS];
};

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static char state_of(pid_t pid)
{
	char path[64], text[512], *end;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len <= 0)
		load_die(path);
	close(fd);
	text[len] = 0;
	end = strrchr(text, ')');
	return end ? end[2] : '?';
}

static void waits_sleeper(struct waits *w, int in, int out, long cpu)
{
	char byte;

	load_pin(cpu);
	for (int i = 0; read(in, &byte, 1) == 1; i = (i + 1) % WAITS) {
		w->most_ns[i] = load_now_ns() - w->woken_ns;
		if (i == WAITS - 1 && write(out, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static void run_waits(char **arg)
{
	static const struct timespec rest = { .tv_nsec = 100000 };
	long cpu = load_number(arg[0]);
	struct waits *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sched_param rt = { .sched_priority = 10 };
	int there[2], back[2];
	char byte = 0;
	pid_t sleeper;

	if (w == MAP_FAILED || pipe(there) || pipe(back))
		load_die("waits");
	sleeper = load_fork();
	if (!sleeper) {
		close(there[1]);
		waits_sleeper(w, there[0], back[1], cpu);
	}
	load_pin(cpu);
	if (sched_setscheduler(0, SCHED_FIFO, &rt))
		load_die("SCHED_FIFO");
	load_ready("pid=%d", sleeper);
	while (load_go()) {
		for (int i = 0; i < WAITS; i++) {
			int64_t after_ns, wait_ns = i % 20 == 0 ? 20000000 : i % 4 == 0 ? 2000000 : 200000;

			while (state_of(sleeper) != 'S')
				nanosleep(&rest, NULL);
			w->woken_ns = load_now_ns();
			if (write(there[1], &byte, 1) != 1)
				load_die("write");
			after_ns = load_now_ns();
			spin_ns(w->woken_ns + wait_ns - after_ns);
			w->least_ns[i] = load_now_ns() - after_ns;
			nanosleep(&rest, NULL);
		}
		if (read(back[0], &byte, 1) != 1)
			load_die("read");
		qsort(w->least_ns, WAITS, sizeof(*w->least_ns), compare_ns);
		qsort(w->most_ns, WAITS, sizeof(*w->most_ns), compare_ns);
		/* One wait more or less, as lagtop may have seen, moves the rank by one. */
		load_done(WAITS,
			  "p50_low_ns=%lld p50_high_ns=%lld p90_low_ns=%lld p90_high_ns=%lld p99_low_ns=%lld "
			  "p99_high_ns=%lld max_low_ns=%lld max_high_ns=%lld",
			  (long long)w->least_ns[48], (long long)w->most_ns[50], (long long)w->least_ns[88],
			  (long long)w->most_ns[90], (long long)w->least_ns[97], (long long)w->most_ns[99],
			  (long long)w->least_ns[99], (long long)w->most_ns[99]);
	}
}

/* Wakeups of an idle CPU by another one: from just before the waker's write to just after the sleeper's read. */
static void run_wakes(char **arg)
{
	static const struct timespec rest = { .tv_nsec = 500000 };
	long from = load_number(arg[0]), to = load_number(arg[1]), n = load_number(arg[2]);
	int64_t *woken_ns = mmap(NULL, sizeof(*woken_ns) * (size_t)(n + 1), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int there[2], back[2];
	char byte = 0;
	pid_t sleeper;

	if (woken_ns == MAP_FAILED || pipe(there) || pipe(back))
		load_die("wakes");
	sleeper = load_fork();
	if (!sleeper) {
		close(there[1]);
		load_pin(to);
		for (long i = 0; read(there[0], &byte, 1) == 1; i = (i + 1) % n) {
			woken_ns[i] = load_now_ns() - woken_ns[n];
			if (i == n - 1 && write(back[1], &byte, 1) != 1)
				break;
		}
		_exit(0);
	}
	load_pin(from);
	load_ready("pid=%d", sleeper);
	while (load_go()) {
		for (long i = 0; i < n; i++) {
			while (state_of(sleeper) != 'S')
				;
			nanosleep(&rest, NULL);
			woken_ns[n] = load_now_ns();
			if (write(there[1], &byte, 1) != 1)
				load_die("write");
		}
		if (read(back[0], &byte, 1) != 1)
			load_die("read");
		qsort(woken_ns, (size_t)n, sizeof(*woken_ns), compare_ns);
		load_done(n, "p50_ns=%lld", (long long)woken_ns[n / 2]);
	}
}

const struct workload load_sched[] = {
	{ "spin", "CPU N NICE", run_spin, "N processes that never sleep, on one CPU (-1: any)" },
	{ "yield", "CPU N", run_yield, "two threads, N sched_yield each" },
	{ "futex", "CPU N", run_futex, "N round trips by futex" },
	{ "pipe", "CPU N", run_pipe, "N round trips of a byte by pipe" },
	{ "tcp", "CPU N", run_tcp, "N round trips of a byte by TCP" },
	{ "barrier", "CPU N THREADS US", run_barrier, "N × run for US µs and meet, by futex, each thread" },
	{ "burn", "CPU THREADS MS", run_burn, "MS ms of CPU time, of all threads together" },
	{ "relay", "CPU N THREADS", run_relay,
	  "N × a byte by pipe to the next thread and one from the last, each thread" },
	{ "threads", "N", run_threads, "N × pthread_create and join" },
	{ "crowd", "N", run_crowd, "a process of N sleeping threads" },
	{ "herd", "N", run_herd, "N sleeping processes" },
	{ "forkexit", "N", run_forkexit, "N × fork, _exit and wait" },
	{ "spawn", "N", run_spawn, "N × /bin/true" },
	{ "bursts", "CPU N US", run_bursts, "N × run for US µs, then rest for half a millisecond" },
	{ "disk", "FILE N", run_disk, "N × read 4 KiB past the page cache" },
	{ "waits", "CPU", run_waits, "100 run-queue waits of known length" },
	{ "wakes", "FROM TO N", run_wakes, "N × wake a thread on another CPU by a pipe" },
	{},
};

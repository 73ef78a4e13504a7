/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watchers: started before a round's workloads, stopped after. None of them reads the workload's numbers. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "tests/bench_floor.skel.h"
#include "child.h"

struct watcher watchers[] = {
	[AT_NOTHING] = { .name = "nothing", .kind = WATCH_NOTHING },
	[AT_FLOOR] = { .name = "floor", .kind = WATCH_FLOOR },
	[AT_CLOCK] = { .name = "floor + clock", .kind = WATCH_FLOOR, .clock = true },
	[AT_LAGTOP] = { .name = "lagtop",
			.kind = WATCH_LAGTOP,
			.argv = { { "./lagtop", "--json", "-d", "1", "--budget", "off" } } },
	[AT_OTHER] = { .name = "other lagtop",
		       .kind = WATCH_LAGTOP,
		       .argv = { { NULL, "--json", "-d", "1", "--budget", "off" } } },
	{ .name = "sched",
	  .kind = WATCH_LAGTOP,
	  .families = true,
	  .argv = { { "./lagtop", "--json", "-d", "1", "--budget", "off", "--no-syscall", "--no-net" } } },
	{ .name = "syscall",
	  .kind = WATCH_LAGTOP,
	  .families = true,
	  .argv = { { "./lagtop", "--json", "-d", "1", "--budget", "off", "--no-sched", "--no-net" } } },
	{ .name = "net",
	  .kind = WATCH_LAGTOP,
	  .families = true,
	  .argv = { { "./lagtop", "--json", "-d", "1", "--budget", "off", "--no-sched", "--no-syscall" } } },
	{ .name = "calls 1:16",
	  .kind = WATCH_LAGTOP,
	  .families = true,
	  .argv = { { "env", "LAGTOP_LEVELS=1", "./lagtop", "--json", "-d", "1" } } },
	{ .name = "calls exits",
	  .kind = WATCH_LAGTOP,
	  .families = true,
	  .argv = { { "env", "LAGTOP_LEVELS=2", "./lagtop", "--json", "-d", "1" } } },
	{ .name = "calls off",
	  .kind = WATCH_LAGTOP,
	  .families = true,
	  .argv = { { "env", "LAGTOP_LEVELS=3", "./lagtop", "--json", "-d", "1" } } },
	{ .name = "runqlat", .kind = WATCH_PEER, .argv = { { "runqlat", "-P", "1000" } } },
	{ .name = "syscount", .kind = WATCH_PEER, .argv = { { "syscount", "-L", "-P", "-i", "1000" } } },
	{ .name = "cpudist", .kind = WATCH_PEER, .argv = { { "cpudist", "-P", "1000" } } },
	{ .name = "all three",
	  .kind = WATCH_PEER,
	  .argv = { { "runqlat", "-P", "1000" },
		    { "syscount", "-L", "-P", "-i", "1000" },
		    { "cpudist", "-P", "1000" } } },
	{ .name = "bpftrace",
	  .kind = WATCH_PEER,
	  .argv = { { "bpftrace", "-e",
		      "tracepoint:raw_syscalls:sys_enter { @t[tid] = nsecs; } tracepoint:raw_syscalls:sys_exit "
		      "/@t[tid]/ "
		      "{ @ns[pid] = hist(nsecs - @t[tid]); delete(@t[tid]); }" } } },
};
const size_t n_watchers = sizeof(watchers) / sizeof(*watchers);

static struct bench_floor *empty;
static struct child *programs[WATCH_PROGRAMS];
static pthread_t drain;
static bool draining;

static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER;
static double said_percent; /* by the last reading; -1: not known */

static void *read_cost(void *arg)
{
	static const char key[] = "\"cost_percent\":";
	char *line;

	while ((line = child_line(arg))) {
		const char *at = strstr(line, key);
		char *end = NULL;
		double percent = at ? strtod(at + sizeof(key) - 1, &end) : 0;

		pthread_mutex_lock(&said_lock);
		said_percent = end && end != at + sizeof(key) - 1 ? percent : -1;
		pthread_mutex_unlock(&said_lock);
	}
	return NULL;
}

double watch_said_percent(void)
{
	double percent;

	pthread_mutex_lock(&said_lock);
	percent = draining ? said_percent : -1;
	pthread_mutex_unlock(&said_lock);
	return percent;
}

double watch_cpu_ns(void)
{
	double sum = 0;

	for (size_t i = 0; i < WATCH_PROGRAMS; i++) {
		struct timespec t;
		clockid_t clock;

		if (programs[i] && !clock_getcpuclockid(programs[i]->pid, &clock) && !clock_gettime(clock, &t))
			sum += (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
	}
	return sum;
}

/* A program has begun to measure when it sleeps until its next output: in nanosleep, epoll or poll. */
static bool until_it_sleeps(struct child *c)
{
	static const long sleeps[] = {
		SYS_nanosleep, SYS_clock_nanosleep, SYS_pselect6, SYS_ppoll, SYS_epoll_pwait,
#ifdef SYS_poll
		SYS_poll,      SYS_epoll_wait,
#endif
	};
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", c->pid);
	for (;;) {
		FILE *f = fopen(path, "r");
		char *end;
		long nr;

		if (!f)
			return false;
		if (!fgets(text, sizeof(text), f))
			text[0] = 0;
		fclose(f);
		nr = strtol(text, &end, 10);
		for (size_t i = 0; end != text && i < sizeof(sleeps) / sizeof(*sleeps); i++)
			if (nr == sleeps[i])
				return true;
		if (waitpid(c->pid, &c->status, WNOHANG) == c->pid) {
			c->reaped = true;
			return false;
		}
	}
}

static bool start_floor(bool clock)
{
	struct bpf_program *prog;

	libbpf_set_print(NULL);
	empty = bench_floor__open();
	if (!empty)
		return false;
	empty->rodata->read_clock = clock;
	/* Where the kernel lacks a hook, lagtop does without it, too. */
	bpf_object__for_each_program(prog, empty->obj)
	{
		int type_id =
			libbpf_find_vmlinux_btf_id(strchr(bpf_program__section_name(prog), '/') + 1, BPF_TRACE_RAW_TP);

		bpf_program__set_autoload(prog, type_id > 0);
	}
	return !bench_floor__load(empty) && !bench_floor__attach(empty);
}

bool watch_start(const struct watcher *w)
{
	if (w->kind == WATCH_FLOOR)
		return start_floor(w->clock);
	for (size_t i = 0; i < WATCH_PROGRAMS && w->argv[i][0]; i++) {
		programs[i] = child_start((char *const *)w->argv[i], (uid_t)-1);
		if (!programs[i])
			return false;
		if (!until_it_sleeps(programs[i]))
			return false;
		if (w->kind == WATCH_LAGTOP) {
			said_percent = -1;
			draining = !pthread_create(&drain, NULL, read_cost, programs[i]);
		}
	}
	return true;
}

void watch_stop(void)
{
	bench_floor__destroy(empty);
	empty = NULL;
	for (size_t i = 0; i < WATCH_PROGRAMS; i++)
		if (programs[i])
			kill(programs[i]->pid, SIGKILL);
	if (draining)
		pthread_join(drain, NULL);
	draining = false;
	for (size_t i = 0; i < WATCH_PROGRAMS; i++) {
		child_free(programs[i]);
		programs[i] = NULL;
	}
}

/* Finds a program that another tool may have attached to our hooks. */
static bool find_tracing_program(void)
{
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);
		bool found = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_PROG_TYPE_TRACING;

		if (fd >= 0)
			close(fd);
		if (found)
			return true;
	}
	return false;
}

/* The kernel frees the last watcher's own programs, detached at once, only after a grace period. */
bool watch_undisturbed(void)
{
	for (int i = 0; i < 50; i++) {
		if (!find_tracing_program())
			return true;
		usleep(100000);
	}
	return false;
}

bool watch_count_programs(bool on)
{
	FILE *f = fopen("/proc/sys/kernel/bpf_stats_enabled", "w");

	if (!f)
		return false;
	fputs(on ? "1" : "0", f);
	return !fclose(f);
}

struct watch_account watch_account_of(pid_t pid)
{
	struct watch_account sum = {};
	char path[300], line[256];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		FILE *f;
		double n;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, d->d_name);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f)) {
			if (sscanf(line, "run_time_ns: %lf", &n) == 1)
				sum.ns += n;
			if (sscanf(line, "run_cnt: %lf", &n) == 1)
				sum.runs += n;
		}
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return sum;
}

struct watch_account watch_account(void)
{
	return watch_account_of(programs[0] ? programs[0]->pid : getpid());
}

void series_add(struct series *s, double value)
{
	if (s->n < BENCH_ROUNDS)
		s->value[s->n++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The k-th smallest, k from 0; 0 for an empty series. */
static double order(const struct series *s, long k)
{
	struct series sorted = *s;

	if (!s->n)
		return 0;
	qsort(sorted.value, sorted.n, sizeof(*sorted.value), compare);
	return sorted.value[k < 0 ? 0 : k >= (long)s->n ? (long)s->n - 1 : k];
}

double series_median(const struct series *s)
{
	long n = (long)s->n;

	return (order(s, (n - 1) / 2) + order(s, n / 2)) / 2;
}

double series_spread(const struct series *s)
{
	double n = (double)s->n, half = 0.98 * sqrt(n);

	return (order(s, lround(n / 2 + half)) - order(s, lround(n / 2 - half) - 1)) / 2;
}

/* Between two values: the one that is nearer. */
double series_quartile(const struct series *s, int which)
{
	return order(s, lround((double)(s->n - 1) * which / 4));
}

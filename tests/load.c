/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of workloads, the protocol with the test (see load.h) and the small things they share. */
#include "load.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const struct workload *const tables[] = { load_calls, load_sched,    load_sleep, load_net,
						 load_life,  load_edges,    load_disk,	load_sockets,
						 load_fuse,  load_names,    load_kill,	load_turns,
						 load_ring,  load_requests, load_sick,	load_locks };
static int64_t start_cpu_ns, start_wall_ns;

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t timeval_ns(struct timeval t)
{
	return t.tv_sec * 1000000000LL + t.tv_usec * 1000LL;
}

/* Children's time is known to a microsecond, negligible beside a fork. */
static int64_t cpu_ns(void)
{
	struct rusage children;

	getrusage(RUSAGE_CHILDREN, &children);
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID) + timeval_ns(children.ru_utime) + timeval_ns(children.ru_stime);
}

int64_t load_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void load_die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

void load_ready(const char *format, ...)
{
	va_list args;

	fputs("ready ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

bool load_go(void)
{
	char byte;

	if (read(STDIN_FILENO, &byte, 1) != 1)
		return false;
	start_cpu_ns = cpu_ns();
	start_wall_ns = load_now_ns();
	return true;
}

void load_done(long ops, const char *format, ...)
{
	int64_t wall_ns = load_now_ns() - start_wall_ns, used_ns = cpu_ns() - start_cpu_ns;
	va_list args;

	printf("done ops=%ld cpu_ns=%lld wall_ns=%lld ", ops, (long long)used_ns, (long long)wall_ns);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

long load_number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end) {
		fprintf(stderr, "load: '%s' is not a number\n", text);
		exit(2);
	}
	return n;
}

void load_pin(long cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		load_die("sched_setaffinity");
}

pthread_t load_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, run, arg);
	if (errno)
		load_die("pthread_create");
	return thread;
}

pid_t load_fork(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		load_die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

static int count_words(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text != ' ' && (text[1] == ' ' || !text[1]);
	return n;
}

static int usage(void)
{
	fprintf(stderr, "usage: load [batch] WORKLOAD [ARGUMENT…]   (batch: by SCHED_BATCH)\n");
	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++)
		for (const struct workload *w = tables[t]; w->name; w++)
			fprintf(stderr, "  %-16s %-22s %s\n", w->name, w->args, w->help);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "batch")) {
		if (sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){}))
			load_die("SCHED_BATCH");
		argv++;
		argc--;
	}
	if (argc < 2)
		return usage();
	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++)
		for (const struct workload *w = tables[t]; w->name; w++)
			if (!strcmp(w->name, argv[1]) && count_words(w->args) == argc - 2) {
				w->run(argv + 2);
				return 0;
			}
	return usage();
}

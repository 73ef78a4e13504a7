/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a front end costs at one reading a second on a terminal: its CPU time, the bytes that it
 * writes and its memory, beside its peers on the same machine and processes. All numbers are per reading.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"
#include "proc.h"

static const struct front {
	const char *name, *first; /* first: shown on its first complete screen, in the table's header */
	const char *argv[6];
	unsigned short rows, columns;
} fronts[] = {
	{ "lagtop", "PID", { "./lagtop", "-d", "1" }, 50, 200 },
	{ "lagtop calls", "CALLS", { "./lagtop", "-d", "1", "-v", "calls" }, 50, 200 },
	{ "lagtop 120x40", "PID", { "./lagtop", "-d", "1" }, 40, 120 },
	{ "lagtop net", "PID", { "./lagtop", "-d", "1", "-v", "net" }, 50, 200 },
	{ "lagtop connections", "PID", { "./lagtop", "-d", "1", "-v", "connections" }, 50, 200 },
	{ "lagtop --json", "interval_ns", { "./lagtop", "-d", "1", "--json" }, 50, 200 },
	{ "top", "PID", { "top", "-d", "1" }, 50, 200 },
	{ "top -H", "PID", { "top", "-H", "-d", "1" }, 50, 200 },
	{ "htop", "PID", { "htop", "-d", "10" }, 50, 200 },
	{ "btop", "Pid", { "btop", "--utf-force" }, 50, 200 },
	{ "atop", "PID", { "atop", "1" }, 50, 200 },
};

static const struct {
	const char *name;
	const char *load[3];
	size_t copies; /* a process holds some 30,000 stacks and 20,000 sockets */
	long tasks;    /* for which pid_max must have room */
} crowds[] = {
	{ "as it is", { NULL }, 0, 0 },
	{ "+ 200 processes", { "herd", "200" }, 1, 200 },
	{ "+ 200 busy processes", { "busy", "200", "20" }, 1, 200 },
	{ "+ 2,000 processes", { "herd", "2000" }, 1, 2000 },
	{ "+ 10,000 processes", { "herd", "10000" }, 1, 10000 },
	{ "+ 10,000 busy processes", { "busy", "10000", "5000" }, 1, 10000 },
	{ "+ 10,000 threads", { "crowd", "10000" }, 1, 10000 },
	{ "+ 100,000 threads", { "crowd", "10000" }, 10, 100000 },
	{ "+ 50,000 connections", { "connections", "5000" }, 5, 0 },
};

struct cost {
	double cpu_ms, bytes, rss_mib, first_ms;
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec t = {};

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* btop has no option for its interval; its settings go where no user's are. */
static void settings_for_btop(const char *home)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/btop", home);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/btop/btop.conf", home);
	f = fopen(path, "w");
	if (!f)
		return;
	fputs("update_ms = 1000\nshown_boxes = \"cpu mem net proc\"\n", f);
	fclose(f);
}

static pid_t start_on_terminal(const struct front *front, const char *home, int *master)
{
	struct winsize size = { .ws_row = front->rows, .ws_col = front->columns };
	pid_t pid = forkpty(master, NULL, NULL, &size);

	if (pid)
		return pid;
	setenv("TERM", "xterm-256color", 1);
	setenv("LANG", "C.UTF-8", 1);
	setenv("XDG_CONFIG_HOME", home, 1);
	execvp(front->argv[0], (char *const *)front->argv);
	_exit(127);
}

/* Takes what the program writes until a point in time, or until `word` was seen if there is one. */
static bool take_output(int master, int64_t until_ns, const char *word, int64_t *bytes)
{
	char block[65536];
	int64_t left_ns;

	while ((left_ns = until_ns - now_ns(CLOCK_MONOTONIC)) > 0) {
		struct pollfd p = { .fd = master, .events = POLLIN };
		ssize_t got;

		if (poll(&p, 1, (int)(left_ns / 1000000 + 1)) <= 0)
			continue;
		got = read(master, block, sizeof(block) - 1);
		if (got <= 0)
			return false;
		*bytes += got;
		for (ssize_t i = 0; i < got; i++)
			if (!block[i])
				block[i] = ' ';
		block[got] = 0;
		if (word && strcasestr(block, word))
			return true;
	}
	return !word;
}

static double resident_mib(pid_t pid)
{
	char path[64], line[256];
	double kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmRSS: %lf", &kib);
	if (f)
		fclose(f);
	return kib / 1024;
}

#define SECOND_NS 1000000000LL

static bool measure(const struct front *front, const char *home, int readings, struct cost *cost)
{
	int64_t start_ns = now_ns(CLOCK_MONOTONIC), warm_ns, cpu_ns, bytes = 0;
	bool good = false;
	clockid_t clock;
	int master;
	pid_t pid = start_on_terminal(front, home, &master);

	if (pid < 0)
		return false;
	if (!take_output(master, start_ns + 60 * SECOND_NS, front->first, &bytes) || clock_getcpuclockid(pid, &clock))
		goto out;
	cost->first_ms = (double)(now_ns(CLOCK_MONOTONIC) - start_ns) / 1e6;
	/* The first readings learn every process's name and calibrate: not what one second costs. */
	warm_ns = now_ns(CLOCK_MONOTONIC) + 8 * SECOND_NS;
	if (!take_output(master, warm_ns, NULL, &bytes))
		goto out;
	cpu_ns = now_ns(clock);
	bytes = 0;
	good = take_output(master, warm_ns + readings * SECOND_NS, NULL, &bytes);
	cost->cpu_ms = (double)(now_ns(clock) - cpu_ns) / 1e6 / readings;
	cost->bytes = (double)bytes / readings;
	cost->rss_mib = resident_mib(pid);
out:
	kill(pid, SIGKILL);
	close(master);
	waitpid(pid, NULL, 0);
	return good;
}

#define PID_MAX "/proc/sys/kernel/pid_max"
static long pid_max; /* as it was; 0: unchanged */

static void write_pid_max(long value)
{
	char text[24];
	int fd = open(PID_MAX, O_WRONLY), len = snprintf(text, sizeof(text), "%ld", value);

	if (fd < 0 || write(fd, text, (size_t)len) != len)
		fprintf(stderr, "bench: cannot set %s to %ld\n", PID_MAX, value);
	close(fd);
}

static void restore_pid_max(void)
{
	if (pid_max)
		write_pid_max(pid_max);
	pid_max = 0;
}

static void restore_and_die(int signal_number)
{
	restore_pid_max();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* Raises pid_max to what systemd sets if the crowd does not fit; it is put back at the end. */
static void make_room(long tasks)
{
	FILE *f = fopen(PID_MAX, "r");
	long now = 0;

	if (!f || fscanf(f, "%ld", &now) != 1 || now > tasks + 5000)
		now = 0;
	if (f)
		fclose(f);
	if (!now)
		return;
	if (!pid_max) {
		pid_max = now;
		atexit(restore_pid_max);
		signal(SIGINT, restore_and_die);
		signal(SIGTERM, restore_and_die);
	}
	write_pid_max(4194304);
}

static const char *front_name(size_t i)
{
	return i < sizeof(fronts) / sizeof(*fronts) ? fronts[i].name : NULL;
}

static const char *crowd_name(size_t i)
{
	return i < sizeof(crowds) / sizeof(*crowds) ? crowds[i].name : NULL;
}

static void bench_crowd(const char *name, int readings, const char *home, FILE *csv, char **words)
{
	double lagtop_ms = 0;

	printf("\n%-20s %12s %10s %14s %14s %10s\n", name, "CPU ms", "/ lagtop", "bytes written", "first screen ms",
	       "RSS MiB");
	for (size_t i = 0; i < sizeof(fronts) / sizeof(*fronts); i++) {
		struct cost cost = {};

		if (!bench_chosen(fronts[i].name, words, front_name))
			continue;
		if (!measure(&fronts[i], home, readings, &cost)) {
			printf("%-20s %12s\n", fronts[i].name, "not run");
			continue;
		}
		if (!i)
			lagtop_ms = cost.cpu_ms;
		printf("%-20s %12.2f %10.1f %14.0f %14.0f %10.1f\n", fronts[i].name, cost.cpu_ms,
		       lagtop_ms > 0 ? cost.cpu_ms / lagtop_ms : 0, cost.bytes, cost.first_ms, cost.rss_mib);
		fflush(stdout);
		fprintf(csv, "\"%s\",%s,%d,%.3f,%.0f,%.0f,%.1f\n", name, fronts[i].name, readings, cost.cpu_ms,
			cost.bytes, cost.first_ms, cost.rss_mib);
	}
}

static bool gather(size_t crowd)
{
	for (size_t i = 0; i < crowds[crowd].copies; i++)
		if (!child_load(NULL, crowds[crowd].load[0], crowds[crowd].load[1], crowds[crowd].load[2], NULL))
			return false;
	return true;
}

/* Waits until a crowd has exited, which takes time and would disturb the next measurement. */
static void disperse(uint32_t tasks_before)
{
	int64_t until_ns = now_ns(CLOCK_MONOTONIC) + 30 * SECOND_NS;

	child_free_all();
	while (proc_threads() > tasks_before + 100 && now_ns(CLOCK_MONOTONIC) < until_ns)
		poll(NULL, 0, 10);
}

int bench_front(int readings, const char *csv_path, char **words)
{
	char home[] = "/tmp/lagtop-bench-XXXXXX", command[64];
	FILE *csv = fopen(csv_path, "w");

	if (!csv || !mkdtemp(home)) {
		perror(csv_path);
		return 1;
	}
	settings_for_btop(home);
	fprintf(csv, "crowd,program,readings,cpu_ms,bytes,first_screen_ms,rss_mib\n");
	printf("per reading, %d readings at 1 Hz on a terminal of 200x50 unless named otherwise\n", readings);
	for (size_t i = 0; i < sizeof(crowds) / sizeof(*crowds); i++) {
		uint32_t tasks = proc_threads();

		if (!bench_chosen(crowds[i].name, words, crowd_name))
			continue;
		make_room(crowds[i].tasks);
		if (gather(i))
			bench_crowd(crowds[i].name, readings, home, csv, words);
		else
			printf("\n%s: more than this machine allows\n", crowds[i].name);
		disperse(tasks);
	}
	snprintf(command, sizeof(command), "rm -rf %s", home);
	if (system(command))
		fprintf(stderr, "bench: %s is left\n", home);
	return fclose(csv) ? 1 : 0;
}

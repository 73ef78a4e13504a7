/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What watching costs a real server: CPU ns of the server per request, in slices of one steady load, with another
 * watcher in each slice. Every round runs each watcher once, in a shuffled order, and only differences from the slice
 * without one in the same round are used: the machine itself drifts more than what is measured.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "bench_loads.h"
#include "child.h"

static const struct watcher watched_by[] = {
	{ .name = "nothing", .kind = WATCH_NOTHING },
	{ .name = "empty programs", .kind = WATCH_FLOOR },
	{ .name = "lagtop --budget off",
	  .kind = WATCH_LAGTOP,
	  .argv = { { "./lagtop", "--json", "-d", "1", "--budget", "off" } } },
	{ .name = "lagtop, settled",
	  .kind = WATCH_LAGTOP,
	  .settles = true,
	  .argv = { { "./lagtop", "--json", "-d", "0.3" } } },
	{ .name = "lagtop, calls 1:16",
	  .kind = WATCH_LAGTOP,
	  .argv = { { "env", "LAGTOP_LEVELS=1", "./lagtop", "--json", "-d", "1" } } },
	{ .name = "lagtop, calls exits",
	  .kind = WATCH_LAGTOP,
	  .argv = { { "env", "LAGTOP_LEVELS=2", "./lagtop", "--json", "-d", "1" } } },
	{ .name = "lagtop, calls off",
	  .kind = WATCH_LAGTOP,
	  .argv = { { "env", "LAGTOP_LEVELS=3", "./lagtop", "--json", "-d", "1" } } },
	{ .name = "lagtop --no-syscall",
	  .kind = WATCH_LAGTOP,
	  .argv = { { "./lagtop", "--json", "-d", "1", "--budget", "off", "--no-syscall" } } },
	{ .name = "bcc's three",
	  .kind = WATCH_PEER,
	  .argv = { { "runqlat", "-P", "1000" },
		    { "syscount", "-L", "-P", "-i", "1000" },
		    { "cpudist", "-P", "1000" } } },
	{ .name = "perf trace -s",
	  .kind = WATCH_TRACER,
	  .argv = { { "perf", "trace", "-s", "-o", "/dev/null", "-p" } } },
	{ .name = "strace -c", .kind = WATCH_TRACER, .argv = { { "strace", "-c", "-f", "-o", "/dev/null", "-p" } } },
};
#define WATCHED_BY (sizeof(watched_by) / sizeof(*watched_by))

#define SETTLE_US 300000
#define BUDGET_SETTLE_US 4500000 /* twelve readings and a little more */
#define TRACER_SETTLE_US 1500000

struct slice {
	bool good;
	double requests_s, server_ns, client_ns; /* CPU time per request */
	double watcher_ns;			 /* CPU time of the watcher's processes per second */
	double said_percent;			 /* lagtop's own account; -1: none */
};

static struct slice slices[WATCHED_BY][BENCH_ROUNDS];
static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number)
{
	interrupted = signal_number;
}

static const char *load_name(size_t i)
{
	return i < n_bench_loads ? bench_loads[i].name : NULL;
}

static const char *watcher_name(size_t i)
{
	return i < WATCHED_BY ? watched_by[i].name : NULL;
}

static bool is_known(const char *word)
{
	for (size_t i = 0; load_name(i); i++)
		if (strstr(load_name(i), word))
			return true;
	for (size_t i = 0; watcher_name(i); i++)
		if (strstr(watcher_name(i), word))
			return true;
	return false;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct slice measure(const struct bench_load *load, double seconds)
{
	struct bench_count before, after;
	struct slice s = {};
	double start_ns = now_ns(), own_ns = watch_cpu_ns(), wall_ns, requests;

	if (!bench_load_count(load, &before))
		return s;
	usleep((useconds_t)(seconds * 1e6));
	wall_ns = now_ns() - start_ns;
	s.watcher_ns = (watch_cpu_ns() - own_ns) * 1e9 / wall_ns;
	s.said_percent = watch_said_percent();
	if (interrupted || !bench_load_count(load, &after))
		return s;
	requests = after.requests - before.requests;
	s.good = requests > 0;
	if (s.good) {
		s.requests_s = requests * 1e9 / wall_ns;
		s.server_ns = (after.server_ns - before.server_ns) / requests;
		s.client_ns = (after.client_ns - before.client_ns) / requests;
	}
	return s;
}

/* strace and perf trace: attached to the server's processes by their pids. */
static struct child *start_tracer(const struct watcher *w)
{
	char *argv[16], list[4096];
	size_t n = 0, len = 0, n_pids;
	pid_t pids[256];

	n_pids = bench_load_pids(pids, sizeof(pids) / sizeof(*pids));
	for (size_t i = 0; i < n_pids; i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%d", i ? "," : "", pids[i]);
	for (; w->argv[0][n]; n++)
		argv[n] = (char *)w->argv[0][n];
	argv[n++] = list;
	argv[n] = NULL;
	return child_start(argv, (uid_t)-1);
}

static struct slice trace_slice(const struct bench_load *load, const struct watcher *w, double seconds)
{
	struct child *tracer = start_tracer(w);
	struct slice s = {};

	if (!tracer)
		return s;
	usleep(TRACER_SETTLE_US);
	s = measure(load, seconds);
	kill(tracer->pid, SIGINT);
	child_wait(tracer);
	child_free(tracer);
	usleep(SETTLE_US);
	return s;
}

static struct slice watch_slice(const struct bench_load *load, const struct watcher *w, double seconds)
{
	struct slice s = {};

	if (!watch_undisturbed())
		return s;
	if (watch_start(w)) {
		usleep(w->settles ? BUDGET_SETTLE_US : SETTLE_US);
		s = measure(load, seconds);
	}
	watch_stop();
	return s;
}

static void shuffle(size_t *order, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)rand() % i, swap = order[i - 1];

		order[i - 1] = order[j];
		order[j] = swap;
	}
}

static void run_rounds(const struct bench_load *load, const bool *use, int rounds, double seconds)
{
	size_t order[WATCHED_BY], n = 0;

	for (size_t i = 0; i < WATCHED_BY; i++)
		if (use[i] && watched_by[i].kind != WATCH_TRACER)
			order[n++] = i;
	for (int round = 0; round < rounds && !interrupted; round++) {
		shuffle(order, n);
		for (size_t i = 0; i < n && !interrupted; i++)
			slices[order[i]][round] = watch_slice(load, &watched_by[order[i]], seconds);
		fprintf(stderr, "\r%s: round %d of %d", load->name, round + 1, rounds);
	}
	for (size_t i = 0; i < WATCHED_BY && !interrupted; i++)
		if (use[i] && watched_by[i].kind == WATCH_TRACER)
			slices[i][0] = trace_slice(load, &watched_by[i], seconds);
	fprintf(stderr, "\r%60s\r", "");
}

/* The paired differences of one watcher from nothing; of a tracer's slice from the median. */
static void print_watcher(size_t i, int rounds, const struct series *nothing)
{
	struct series ns = {}, added = {}, percent = {}, rate = {};

	for (int round = 0; round < rounds; round++) {
		const struct slice *with = &slices[i][round], *without = &slices[0][round];
		double base_ns = watched_by[i].kind == WATCH_TRACER ? series_median(nothing) : without->server_ns;

		if (!with->good || (!without->good && watched_by[i].kind != WATCH_TRACER))
			continue;
		series_add(&ns, with->server_ns);
		series_add(&rate, with->requests_s);
		series_add(&added, with->server_ns - base_ns);
		series_add(&percent, (with->server_ns / base_ns - 1) * 100);
	}
	if (!ns.n) {
		printf("%-22s %12s\n", watched_by[i].name, "not run");
		return;
	}
	printf("%-22s %12.0f %12.0f", watched_by[i].name, series_median(&rate), series_median(&ns));
	if (i)
		printf(" %+12.0f %+9.1f %% %+9.1f … %+.1f", series_median(&added), series_median(&percent),
		       series_quartile(&percent, 1), series_quartile(&percent, 3));
	printf("  (%zu)\n", ns.n);
}

/* What lagtop costs the machine: how much more CPU time server and client need per request, beside what lagtop itself
 * reports. */
static void print_account(size_t i, int rounds)
{
	struct series outside = {}, said = {}, ratio = {};

	for (int round = 0; round < rounds; round++) {
		const struct slice *with = &slices[i][round], *without = &slices[0][round];
		double added_ns = with->server_ns + with->client_ns - without->server_ns - without->client_ns, percent;

		if (!with->good || !without->good || with->said_percent < 0)
			continue;
		percent =
			(added_ns * with->requests_s + with->watcher_ns) / 1e7 / (double)sysconf(_SC_NPROCESSORS_ONLN);
		series_add(&outside, percent);
		series_add(&said, with->said_percent);
		series_add(&ratio, with->said_percent / percent);
	}
	if (said.n)
		printf("%s: %.2f %% of all CPUs' time, and says %.2f %%: %.2f of it, quartiles %.2f … %.2f (%zu)\n",
		       watched_by[i].name, series_median(&outside), series_median(&said), series_median(&ratio),
		       series_quartile(&ratio, 1), series_quartile(&ratio, 3), said.n);
}

static void print_table(const struct bench_load *load, const bool *use, int rounds)
{
	struct series nothing = {};

	for (int round = 0; round < rounds; round++)
		if (slices[0][round].good)
			series_add(&nothing, slices[0][round].server_ns);
	printf("\n%-22s %12s %12s %12s %11s %21s\n", load->name, "requests/s", "CPU ns each", "added ns", "added",
	       "quartiles (slices)");
	for (size_t i = 0; i < WATCHED_BY; i++)
		if (use[i])
			print_watcher(i, rounds, &nothing);
	for (size_t i = 0; i < WATCHED_BY; i++)
		if (use[i])
			print_account(i, rounds);
	fflush(stdout);
}

static void write_slices(FILE *csv, const struct bench_load *load, int rounds)
{
	for (size_t i = 0; i < WATCHED_BY; i++)
		for (int round = 0; round < rounds; round++) {
			const struct slice *s = &slices[i][round];

			if (s->good)
				fprintf(csv, "%s,%s,%d,%.1f,%.1f,%.1f,%.0f,%.3f\n", load->name, watched_by[i].name,
					round, s->requests_s, s->server_ns, s->client_ns, s->watcher_ns,
					s->said_percent);
		}
	fflush(csv);
}

/* A watcher that does not start here is left out. */
static void choose_watchers(bool *use, char **words)
{
	for (size_t i = 0; i < WATCHED_BY; i++) {
		const struct watcher *w = &watched_by[i];

		use[i] = !i || bench_chosen(w->name, words, watcher_name);
		if (!i || !use[i] || watched_by[i].kind == WATCH_TRACER)
			continue;
		use[i] = watch_start(w);
		watch_stop();
		if (!use[i])
			fprintf(stderr, "bench: %s does not run here and is left out\n", w->name);
	}
}

static void bench_load(const struct bench_load *load, const bool *use, int rounds, double seconds, FILE *csv)
{
	memset(slices, 0, sizeof(slices));
	if (load->start()) {
		usleep(SETTLE_US);
		run_rounds(load, use, rounds, seconds);
		print_table(load, use, rounds);
		write_slices(csv, load, rounds);
	} else {
		fprintf(stderr, "bench: %s does not start here and is left out\n", load->name);
	}
	bench_load_stop();
}

int bench_servers(int rounds, double seconds, const char *path, char **words)
{
	bool use[WATCHED_BY];
	FILE *csv;

	for (char **word = words; *word; word++)
		if (!is_known(*word)) {
			fprintf(stderr, "bench: %s matches no server and no watcher\n", *word);
			return 2;
		}
	csv = fopen(path, "w");
	if (!csv) {
		perror(path);
		return 1;
	}
	fprintf(csv, "server,watcher,round,requests_s,server_ns,client_ns,watcher_ns,said_percent\n");
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	srand((unsigned)time(NULL));
	bench_mount_tracefs();
	choose_watchers(use, words);
	for (size_t i = 0; i < n_bench_loads && !interrupted; i++)
		if (bench_chosen(bench_loads[i].name, words, load_name))
			bench_load(&bench_loads[i], use, rounds, seconds, csv);
	child_free_all();
	fclose(csv);
	return interrupted ? 128 + interrupted : 0;
}

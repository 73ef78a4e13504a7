/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What watching adds to an operation: every round runs each workload under each watcher, one after the
 * other, and only differences within a round are used, since the machine itself drifts more than
 * what is measured. CPU time of the workload's own process, in ns; both sides of a ping-pong are in it.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"

static const struct {
	const char *name, *argv[5];
	bool one_cpu; /* what it starts would else it would sometimes wake the other CPU, which costs more than
			 everything else */
} workloads[] = {
	{ .name = "getppid", .argv = { "getppid", "1", "300000" } },
	{ .name = "getppid, 2 threads", .argv = { "getppid", "2", "600000" } },
	{ .name = "read /dev/zero", .argv = { "zero", "250000" } },
	{ .name = "ten calls mixed", .argv = { "ten", "300000" } },
	{ .name = "sched_yield ping-pong", .argv = { "yield", "1", "20000" } },
	{ .name = "futex ping-pong", .argv = { "futex", "1", "10000" } },
	{ .name = "pipe ping-pong", .argv = { "pipe", "1", "8000" } },
	{ .name = "TCP 1 byte ping-pong", .argv = { "tcp", "1", "4000" } },
	{ .name = "thread create + join", .argv = { "threads", "1500" }, .one_cpu = true },
	{ .name = "fork + exit", .argv = { "forkexit", "300" }, .one_cpu = true },
	{ .name = "spawn /bin/true", .argv = { "spawn", "100" }, .one_cpu = true },
	{ .name = "redis GET, server" },
};
#define WORKLOADS (sizeof(workloads) / sizeof(*workloads))
#define WATCHERS 16
#define COUNTED_ROUNDS 5

static struct child *load[WORKLOADS];
static bool use_workload[WORKLOADS];
static bool disturbed;
static struct series plain[WORKLOADS], added[WORKLOADS][WATCHERS];
static struct series saved[WORKLOADS];		 /* by this lagtop, compared with the other one */
static struct watch_account programs[WORKLOADS]; /* lagtop's, per operation; ns above those of as many empty programs */

static struct child *start_load(size_t i)
{
	const char *const *a = workloads[i].argv;
	cpu_set_t one, all;
	struct child *c;

	CPU_ZERO(&one);
	CPU_SET(1, &one);
	if (sched_getaffinity(0, sizeof(all), &all))
		return NULL;
	if (workloads[i].one_cpu)
		sched_setaffinity(0, sizeof(one), &one);
	c = child_load(NULL, a[0], a[1], a[2], a[3], NULL);
	sched_setaffinity(0, sizeof(all), &all);
	return c;
}

static bool wanted(const char *name, char **words)
{
	if (!*words)
		return true;
	for (; *words; words++)
		if (strstr(name, *words))
			return true;
	return false;
}

static void run_workloads(double *ns)
{
	for (size_t i = 0; i < WORKLOADS; i++) {
		const char *done;

		if (!use_workload[i])
			continue;
		if (!load[i]) {
			ns[i] = bench_server_round();
			continue;
		}
		done = child_round(load[i]);
		ns[i] = done ? (double)child_value(done, "cpu_ns") / (double)child_value(done, "ops") : -1;
	}
}

/* Counts a watcher's programs while each workload runs, per operation. */
static void count_programs(const struct watcher *w, struct watch_account an_operation[WORKLOADS])
{
	if (!watch_start(w) || !watch_count_programs(true)) {
		watch_stop();
		return;
	}
	for (size_t i = 0; i < WORKLOADS; i++) {
		struct watch_account before, after;
		double ops = 0;

		if (!use_workload[i] || !load[i])
			continue;
		before = watch_account();
		for (int round = 0; round < COUNTED_ROUNDS; round++) {
			const char *done = child_round(load[i]);

			ops += done ? (double)child_value(done, "ops") : 0;
		}
		after = watch_account();
		an_operation[i].runs = (after.runs - before.runs) / ops;
		an_operation[i].ns = (after.ns - before.ns) / ops;
	}
	watch_count_programs(false);
	watch_stop();
}

static void print_programs(void)
{
	struct watch_account empty[WORKLOADS] = {};

	count_programs(&watchers[AT_FLOOR], empty);
	count_programs(&watchers[AT_LAGTOP], programs);
	printf("\nby the kernel's own count (bpf_stats_enabled), per operation: runs of lagtop's programs, ns in them "
	       "over\n"
	       "as many empty ones\n\n%-22s %10s %10s\n",
	       "", "runs", "ns");
	for (size_t i = 0; i < WORKLOADS; i++) {
		if (!(programs[i].runs > 0) || !(empty[i].runs > 0))
			continue;
		programs[i].ns -= empty[i].ns / empty[i].runs * programs[i].runs;
		printf("%-22s %10.1f %+10.0f\n", workloads[i].name, programs[i].runs, programs[i].ns);
	}
}

/* Every other round runs in reverse order, so that a steady drift cancels out. */
static void run_round(int round, const bool *use)
{
	double ns[WATCHERS][WORKLOADS] = {};

	disturbed |= !watch_undisturbed();
	for (size_t k = 0; k < n_watchers; k++) {
		size_t w = round % 2 ? n_watchers - 1 - k : k;

		if (!use[w])
			continue;
		if (watch_start(&watchers[w]))
			run_workloads(ns[w]);
		else
			for (size_t i = 0; i < WORKLOADS; i++)
				ns[w][i] = -1;
		watch_stop();
	}
	for (size_t i = 0; i < WORKLOADS; i++) {
		if (!use_workload[i] || ns[0][i] < 0)
			continue;
		series_add(&plain[i], ns[0][i]);
		for (size_t w = AT_FLOOR; w < n_watchers; w++)
			if (use[w] && ns[w][i] >= 0)
				series_add(&added[i][w], ns[w][i] - ns[0][i]);
		if (use[AT_OTHER] && ns[AT_OTHER][i] >= 0 && ns[AT_LAGTOP][i] >= 0)
			series_add(&saved[i], ns[AT_OTHER][i] - ns[AT_LAGTOP][i]);
	}
}

static bool resolved(const struct series *s)
{
	return s->n > 4 && series_median(s) > series_spread(s);
}

/* "+75.1 ±2.0", or that it is not resolved above the noise. */
static void print_added(const struct series *s)
{
	char text[48] = "not run";

	if (s->n)
		snprintf(text, sizeof(text), "%+.0f ±%.0f%s", series_median(s), series_spread(s),
			 resolved(s) ? "" : " n.r.");
	/* ± is two bytes and one cell */
	printf(" %*s", 18 + (s->n != 0), text);
}

static void print_table(const bool *use)
{
	if (disturbed)
		printf("\nWARNING: other tracing programs were loaded: `nothing` was not nothing, and what "
		       "is "
		       "added is too small\n");
	printf("\nadded CPU ns per operation over nothing attached: median of paired differences ± half its 95 %% "
	       "interval;\nn.r.: not resolved above the noise; in brackets the ratio to the floor\n\n%-22s %10s",
	       "", "nothing");
	for (size_t w = AT_FLOOR; w < n_watchers; w++)
		if (use[w])
			printf(" %18s%s", watchers[w].name, w == AT_FLOOR ? "" : "        ");
	printf("\n");
	for (size_t i = 0; i < WORKLOADS; i++) {
		if (!use_workload[i])
			continue;
		printf("%-22s %10.0f", workloads[i].name, series_median(&plain[i]));
		for (size_t w = AT_FLOOR; w < n_watchers; w++) {
			if (!use[w])
				continue;
			print_added(&added[i][w]);
			if (w == AT_FLOOR)
				continue;
			if (resolved(&added[i][AT_FLOOR]) && resolved(&added[i][w]))
				printf(" [%5.2f]", series_median(&added[i][w]) / series_median(&added[i][AT_FLOOR]));
			else
				printf(" [  -  ]");
		}
		printf("\n");
	}
}

/* What users would run instead of lagtop: three tools of libbpf-tools. */
static void print_peers(void)
{
	size_t peers = 0;

	while (peers < n_watchers && strcmp(watchers[peers].name, "all three"))
		peers++;
	printf("\nadded by lagtop / added by runqlat -P + syscount -L -P + cpudist -P\n\n");
	for (size_t i = 0; i < WORKLOADS; i++) {
		const struct series *own = &added[i][AT_LAGTOP], *three = &added[i][peers];

		if (!use_workload[i])
			continue;
		printf("%-22s ", workloads[i].name);
		if (resolved(own) && resolved(three))
			printf("%10.2f\n", series_median(own) / series_median(three));
		else
			printf("%10s\n", "n.r.");
	}
}

static void print_saved(void)
{
	printf("\nadded by the other lagtop over what this one adds, ns\n\n");
	for (size_t i = 0; i < WORKLOADS; i++) {
		if (!use_workload[i])
			continue;
		printf("%-22s ", workloads[i].name);
		print_added(&saved[i]);
		printf("\n");
	}
}

static int write_csv(const char *path, const bool *use)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		perror(path);
		return 1;
	}
	fprintf(f, "workload,watcher,rounds,nothing_ns,added_ns,spread_ns,resolved,ratio_to_floor,runs,own_ns\n");
	for (size_t i = 0; i < WORKLOADS; i++)
		for (size_t w = AT_FLOOR; w < n_watchers; w++) {
			const struct series *s = &added[i][w];

			if (!use_workload[i] || !use[w] || !s->n)
				continue;
			fprintf(f, "\"%s\",%s,%zu,%.1f,%.1f,%.1f,%d,", workloads[i].name, watchers[w].name, s->n,
				series_median(&plain[i]), series_median(s), series_spread(s), resolved(s));
			if (resolved(s) && resolved(&added[i][AT_FLOOR]))
				fprintf(f, "%.3f", series_median(s) / series_median(&added[i][AT_FLOOR]));
			if (w == AT_LAGTOP && programs[i].runs > 0)
				fprintf(f, ",%.2f,%.1f\n", programs[i].runs, programs[i].ns);
			else
				fprintf(f, ",,\n");
		}
	return fclose(f) ? 1 : 0;
}

#define TRACEFS "/sys/kernel/tracing"

static void unmount_tracefs(void)
{
	umount(TRACEFS);
}

void bench_mount_tracefs(void)
{
	if (access(TRACEFS "/events", R_OK) && !mount("nodev", TRACEFS, "tracefs", 0, NULL))
		atexit(unmount_tracefs);
}

static bool is_chosen(size_t w, bool families, bool peers)
{
	if (watchers[w].kind == WATCH_PEER)
		return peers;
	return watchers[w].kind != WATCH_LAGTOP || (watchers[w].argv[0][0] && (families || !watchers[w].families));
}

int bench_events(int rounds, bool families, bool peers, const char *other, const char *csv, char **words)
{
	bool use[WATCHERS];

	watchers[AT_OTHER].argv[0][0] = other;
	if (peers)
		bench_mount_tracefs();
	for (size_t w = 0; w < n_watchers; w++) {
		use[w] = is_chosen(w, families, peers);
		if (!use[w])
			continue;
		if (!watch_start(&watchers[w])) {
			fprintf(stderr, "bench: %s does not run here and is left out\n", watchers[w].name);
			use[w] = false;
		}
		watch_stop();
	}
	for (size_t i = 0; i < WORKLOADS; i++) {
		if (!wanted(workloads[i].name, words))
			continue;
		if (workloads[i].argv[0]) {
			load[i] = start_load(i);
			use_workload[i] = load[i] && child_round(load[i]); /* warm-up */
		} else {
			use_workload[i] = bench_server_start();
		}
	}
	for (int round = 0; round < rounds; round++) {
		run_round(round, use);
		fprintf(stderr, "\rround %d of %d", round + 1, rounds);
	}
	fprintf(stderr, "\r                    \r");
	print_table(use);
	if (peers)
		print_peers();
	if (other)
		print_saved();
	print_programs();
	child_free_all();
	return write_csv(csv, use);
}

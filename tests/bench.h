/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the parts of the bench: watchers (nothing, the floor, lagtop, its families, its peers) that are started and
 * stopped around the same workloads, and the statistics of paired rounds.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A tracer gets the pids of the processes to watch; it costs so much that one slice is enough. */
enum watch_kind { WATCH_NOTHING, WATCH_FLOOR, WATCH_LAGTOP, WATCH_PEER, WATCH_TRACER };

#define WATCH_PROGRAMS 3
struct watcher {
	const char *name;
	enum watch_kind kind;
	bool clock;			      /* of the floor: its programs read the clock */
	bool families;			      /* only with --families */
	bool settles;			      /* keeps to its budget after some readings */
	const char *argv[WATCH_PROGRAMS][12]; /* the programs that it consists of */
};

/* The first watchers, by index. */
enum { AT_NOTHING, AT_FLOOR, AT_CLOCK, AT_LAGTOP, AT_OTHER };
extern struct watcher watchers[];
extern const size_t n_watchers;

/* Starts a watcher and returns when it measures; false: it is not installed or does not run here. */
bool watch_start(const struct watcher *w);
void watch_stop(void);
/* The cost in lagtop's last reading, in percent of all CPUs' time; -1: not known, or not lagtop. */
double watch_said_percent(void);
/* CPU time of the watcher's own processes so far. */
double watch_cpu_ns(void);
/* Checks that no other tracing program is loaded: it would add its cost to the case `nothing`. */
bool watch_undisturbed(void);

/* What the kernel has accounted to the programs that a process holds, each by one descriptor, while that is enabled
 * (bpf_stats_enabled; it costs two clock reads per run). */
struct watch_account {
	double ns, runs;
};
bool watch_count_programs(bool on);
struct watch_account watch_account_of(pid_t pid);
/* For the watcher's first process; for the floor, our own programs. */
struct watch_account watch_account(void);

#define BENCH_ROUNDS 400
struct series {
	double value[BENCH_ROUNDS];
	size_t n;
};

void series_add(struct series *s, double value);
double series_median(const struct series *s);
/* The first (1) or the third (3). */
double series_quartile(const struct series *s, int which);
/* Half the width of the median's 95 % confidence interval, by order statistics. */
double series_spread(const struct series *s);

/* A real server: started once, then a round under each watcher. */
bool bench_server_start(void);
double bench_server_round(void);

/* Whether words select a name of a table; words that match none of its names select all. */
bool bench_chosen(const char *name, char **words, const char *(*name_of)(size_t));
/* Some peers attach by the tracepoint's id, which only tracefs has. It is unmounted at the end. */
void bench_mount_tracefs(void);

/* other: the path of another lagtop, to compare with this one in the same rounds; NULL: none. */
int bench_events(int rounds, bool families, bool peers, const char *other, const char *csv, char **words);
int bench_programs(int rounds, const char *other); /* likewise */
int bench_self(int readings);
int bench_past(int readings);
int bench_front(int readings, const char *csv, char **words);
int bench_servers(int rounds, double seconds, const char *csv, char **words);

#endif

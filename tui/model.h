/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model: samples in, rows out. Pure: no clock, no files, no terminal, no kernel.
 *
 * A row is what one line of a table shows: a process, a thread, a group of processes, a call,
 * a connection or a CPU, with its numbers of one interval (or since the start). Rows stay valid until the
 * next model_update, or model_rows of the same kind. The model keeps what outlives a sample:
 * sparklines, totals, the last rows of the dead.
 */
#ifndef MODEL_H
#define MODEL_H

#include "sample.h"

#define MODEL_SPARK 60	    /* readings in a sparkline */
#define MODEL_DEAD_ROWS 5   /* readings for which an exited process's row is kept */
#define MODEL_DEAD_MAX 1000 /* such rows; processes that exit beyond that appear in one reading only */

enum model_kind {
	MODEL_PROCESS,
	MODEL_THREAD,
	MODEL_COMMAND,
	MODEL_USER,
	MODEL_CGROUP,
	MODEL_CALL,
	MODEL_CONNECTION,
	MODEL_CALLER,  /* a process, with its share of one call */
	MODEL_DISK,    /* a block device in one direction */
	MODEL_CPU,     /* pid, tid, comm: of the thread that runs there */
	MODEL_PEER,    /* the other end of connections of a process; pid, comm: of its process, if that is here */
	MODEL_CULPRIT, /* who kept a process waiting: one charge */
	MODEL_KINDS
};

/* Percentiles of a distribution, in ns: the middle of the bucket that holds the rank (nearest rank),
 * never above max_ns. count == 0: nothing measured, the rest is not valid. */
struct model_dist {
	uint64_t count, p50_ns, p90_ns, p99_ns, max_ns;
	bool max_at_least; /* the histogram knows a higher bucket than the maximum: print ≥ */
	bool about;	   /* estimated; or of turns that overlapped, more than 5 %: print ~ */
};

struct model_errno {
	uint32_t error;
	uint64_t count;
};

enum model_spark { MODEL_SPARK_WAKE, MODEL_SPARK_CALL, MODEL_SPARK_NET, MODEL_SPARK_RESPONSE, MODEL_SPARKS };

/* The last MODEL_SPARK values, oldest first at [at], wrapping. Durations: hist bucket + 1 of the p99;
 * bytes: log2-like level of bytes/s (hist_bucket of the rate) + 1. 0: nothing measured. */
struct model_sparkline {
	uint8_t level[MODEL_SPARK];
	uint8_t at;
};

/* Only for rows that used the network. */
struct row_net {
	union {
		struct {
			COUNTERS_NET
			COUNTERS_SOCKET
		};
		uint64_t counter[LT_COUNTERS - LT_NET_FIRST];
	};
	struct model_dist connect;
	uint64_t srtt_ns; /* SAMPLE_UNKNOWN: not measured; a connection has its own */
};

extern const struct row_net row_no_net;

struct row_disk {
	const struct sample_disk *sample;
	struct model_dist latency[LT_DISK_PARTS];
};

/* Summed over threads, processes and readings. */
#define ROW_SUMS                                                                                                       \
	uint64_t wall_ns;                                                                                              \
	uint64_t slower_ns; /* how much longer than usual its clients waited, at least: model_slower.c */              \
	union {                                                                                                        \
		struct {                                                                                               \
			COUNTERS_INLINE                                                                                \
		};                                                                                                     \
		uint64_t counter[LT_NET_FIRST];                                                                        \
	}

struct row_sums {
	ROW_SUMS;
};

struct row {
	enum model_kind kind;
	uint32_t pid, tid, ppid, uid;
	uint32_t processes, threads;
	uint32_t crowd; /* processes that exited and are summed in this row (crowd.h); 0: it is one */
	int32_t exit_code;
	uint64_t start_ns;
	bool exited;			     /* exited; its numbers are those of its last interval */
	bool kernel;			     /* kernel thread */
	bool live;			     /* it is here and now: context.h may know more */
	bool own_user;			     /* uid is valid (process, thread, user group) */
	uint8_t state;			     /* threads: enum lt_state */
	bool idle;			     /* threads, calls: at the reading, or most of its time (idle.h) */
	uint32_t depth;			     /* tree */
	uint64_t branches;		     /* tree, as shown: bit n: level n goes on below this row */
	const char *comm, *cmdline, *cgroup; /* raw; "": none. For groups, comm is the group's name */
	/* Processes: their children that began, called exec, exited in the interval; SAMPLE_UNKNOWN: not known. */
	uint64_t forks, execs, exits;
	const char *killer_comm;     /* LT_BY_PROCESS; raw */
	uint32_t killer_pid;	     /* likewise */
	uint32_t waker;		     /* threads: pid of who woke it last; 0: no process, not known */
	enum lt_killed_by killed_by; /* processes that exited: who sent the signal that ended it */

	uint64_t interval_ns; /* the divisor of rates; the numbers begin here */
	bool totals;	      /* since the start: sums instead of rates */
	bool oldest_at_least;
	bool drops_known; /* receive_drops are */
	uint8_t off;	  /* bit set of 1 << enum sample_family: it was off, its numbers are not known */
	uint8_t levels;	  /* bit set of 1 << enum lt_level: how closely calls were watched */
	struct counter_set unknown;
	union {
		struct {
			ROW_SUMS;
		};
		struct row_sums sums;
	};
	union {
		struct {
#define X(NAME, name, ...) struct model_dist name;
			LT_DISTS_THREAD(X)
#undef X
		};
		struct model_dist dist[LT_THREAD_DISTS];
	};
	struct sample_open open_answers, open_upstream; /* turns open at the reading */
	/* Of processes and threads: who kept them waiting, processes' greatest first. in_focus: that is known. */
	bool in_focus;
	struct lt_peer upstream_peer;	   /* of processes: whose answers it waited for longest; all 0: not known */
	uint64_t focus_since_ns, moved_ns; /* of processes; focus_since_ns 0: not in focus */
	const struct sample_because *because;
	uint32_t n_because;
	uint64_t charged_ns; /* MODEL_CULPRIT, of which `because` is the one charge: all for the same kind of wait */
	const struct row_net *net;	     /* row_no_net: it did not use it */
	const struct model_sparkline *spark; /* [MODEL_SPARKS], or NULL */

	/* MODEL_CALL: one call summed over the selected processes, MODEL_CALLER: of one process; `calls` is its count,
	 * `service` its whole latency. MODEL_THREAD: the call it is in, or LT_CALL_NONE, and in oldest_ns for how
	 * long. */
	uint32_t call;
	uint32_t n_errnos;
	uint64_t call_time_ns, call_wait_ns; /* call_wait_ns: SAMPLE_UNKNOWN without sched */
	uint64_t idle_ns;		     /* of call_wait_ns (idle.h) */
	uint64_t in_flight, oldest_ns;
	const struct model_errno *errnos;

	const struct sample_connection *connection; /* MODEL_CONNECTION */
	const struct row_disk *disk;		    /* MODEL_DISK */
	const struct sample_cpu *cpu;		    /* MODEL_CPU */
	const struct lt_peer *peer;		    /* MODEL_PEER */
};

/* A row's texts, and `because`, are valid as long as its sample: how long a copy is, and the copy, at an address that
 * is a multiple of 8, which the row has from then on. */
size_t row_text_bytes(const struct row *r);
void row_text_copy(struct row *r, char *to);

/* Of its calls only a part were timed: sums and percentiles are extrapolated, a maximum is a lower bound. */
static inline bool row_estimated(const struct row *r)
{
	return r->levels & 1 << LT_LEVEL_SAMPLED;
}

/* An estimate from fewer calls may be off by any factor. */
#define ROW_ESTIMATE_CALLS 4096

/* Whether percentiles of its calls' durations are known, and their sums. */
static inline bool row_has_durations(const struct row *r)
{
	return r->levels & (1 << LT_LEVEL_EXACT | 1 << LT_LEVEL_SAMPLED) &&
	       (!row_estimated(r) || r->calls >= ROW_ESTIMATE_CALLS);
}

static inline bool row_has_sums(const struct row *r)
{
	return !(r->levels & 1 << LT_LEVEL_EXITS) && row_has_durations(r);
}

/* A recording that is older than a distribution is also older than the counter that was added with it. */
#define KNOWN(r, counter) (!counter_has(&(r)->unknown, counter))

/* A counter of a row by its number in the table; SAMPLE_UNKNOWN: its family is off, or it is not counted. */
static inline uint64_t row_counter(const struct row *r, enum lt_counter counter)
{
	enum sample_family family = (int)counter < LT_CALLS_FIRST ? SAMPLE_SCHED
				    : (int)counter < LT_NET_FIRST ? SAMPLE_SYSCALL
								  : SAMPLE_NET;

	if (r->off & 1 << family || counter_has(&r->unknown, counter) ||
	    (counter == COUNTER_call_total_ns && !row_has_sums(r)))
		return SAMPLE_UNKNOWN;
	return (int)counter < LT_NET_FIRST ? r->counter[counter] : r->net->counter[counter - LT_NET_FIRST];
}

/* The host's numbers of the interval, with the last minute of each meter. */
struct model_host {
	uint64_t interval_ns, run_ns;
	uint32_t cpus, threads, processes;
	uint64_t switches, wakeups, forks, execs, exits;
	struct model_dist wakeup, calls;
	bool calls_estimated;
	uint64_t calls_count, call_errors;
	uint64_t tx_bytes, rx_bytes, retransmits, connects, connect_errors, accepts; /* internet sockets */
	uint64_t srtt_p50_ns;							     /* SAMPLE_UNKNOWN */
	uint64_t stack[SAMPLE_STACKS];						     /* likewise */
	uint64_t net_unknown;							     /* nonzero: family off */
	struct sample_cpu_times cpu_times;
	struct sample_pressure pressure[SAMPLE_RESOURCES];
	struct {
		uint64_t pressure_permille[SAMPLE_RESOURCES][MODEL_SPARK]; /* some; SAMPLE_UNKNOWN */
		uint64_t cpu_permille[MODEL_SPARK], wake_p99_ns[MODEL_SPARK], calls_per_s[MODEL_SPARK],
			call_p99_ns[MODEL_SPARK], net_bytes_per_s[MODEL_SPARK], srtt_ns[MODEL_SPARK];
		uint32_t at, n; /* next slot, valid slots */
	} minute;
};

struct model;

struct model *model_new(void);	  /* NULL: out of memory */
void model_free(struct model *m); /* NULL is legal */

/* Takes a new reading, which may be in the memory of the one before. It must stay valid until the next model_update or
 * the last use of the model. 0 or -ENOMEM. */
int model_update(struct model *m, const struct sample *s);

const struct sample *model_sample(const struct model *m); /* the last one, or NULL */
const struct model_host *model_host(const struct model *m);

struct model_query {
	enum model_kind kind;
	bool totals;  /* since lagtop's start instead of the interval, where model_has_totals */
	bool no_dead; /* leave out processes that exited in earlier readings */
	bool one;     /* MODEL_THREAD, MODEL_CALL, MODEL_CONNECTION: of the process below only, not of all; MODEL_PEER,
			 MODEL_CULPRIT: always */
	uint32_t pid; /* 0 is valid: everything outside of our pid namespace */
	uint64_t start_ns; /* with pid: its identity */
	uint32_t tid;	   /* MODEL_CALL: of this thread only; 0: all */
	uint32_t call;	   /* MODEL_CALLER: which */
	/* MODEL_CALL, groups: sum up only processes for whose row it returns true; NULL: all */
	bool (*wants)(const void *context, const struct row *process);
	const void *context;
};

/* The rows of a query (rows of calls are valid only until callers are asked for), unsorted, but processes that exited
 * in earlier readings last. *rows belongs to the model: a caller may set depth, but not move rows. Returns their
 * number, or -ENOMEM. */
int model_rows(struct model *m, const struct model_query *q, struct row **rows);

/* Whether the model keeps totals for a query: of processes, groups and the whole host's calls. Threads,
 * connections and the calls of some processes are the interval's, whatever q->totals says. */
bool model_has_totals(const struct model_query *q);

/* Adds a process's buckets of a reading to dense counts; `dist` is one of a thread.
 * Returns the number of events. */
uint64_t model_histogram_of(const struct sample *s, uint32_t pid, uint64_t start_ns, enum lt_dist dist,
			    uint64_t count[HIST_BUCKETS]);

/* The same for a single distribution of a reading. */
uint64_t model_histogram_add(const struct sample *s, const struct sample_dist *d, uint64_t count[HIST_BUCKETS]);

/* The same for everything since the start. */
uint64_t model_histogram_total(const struct model *m, uint32_t pid, uint64_t start_ns, enum lt_dist dist,
			       uint64_t count[HIST_BUCKETS]);

/* Percentiles of dense counts; max_ns 0: unknown, the top of the highest bucket stands in. */
struct model_dist model_dist_of(const uint64_t count[HIST_BUCKETS], uint64_t max_ns);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger: turns the records, whose counters only grow, into samples. It keeps the numbers of
 * each record at the last reading and reports the difference, reaps threads that exited,
 * and frees their records. It does not know where the records' memory comes from: tests
 * pass plain arrays.
 *
 * Not thread-safe: threads that share it hold a lock. All times in ns of CLOCK_MONOTONIC.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "sample.h"

struct ledger_memory {
	struct lt_chunk **chunks;
	struct lt_call_chunk **call_chunks;
	uint32_t n_chunks, n_call_chunks; /* some of either may be NULL (freed) */
	uint32_t limit;			  /* records in use, of all chunks; the rest was never handed out. 0: all */
	struct lt_stack *free, *free_calls;
	struct entries *entries; /* [n_entries], parallel to call_chunks */
	uint32_t n_entries, cap_entries;
	uint32_t calls_here;	 /* free, and not on the BPF programs' free list */
	uint32_t calls_wanted;	 /* by the BPF programs */
	uint64_t pending_bytes;	 /* of reaped threads that may wait for a reading */
	const uint32_t *renames; /* threads renamed by another thread so far */
	bool with_sched, with_calls;
	bool estimated; /* the time that calls ran is extrapolated */
	/* What a run queue's throttle clock says now; false, or NULL: not known. */
	bool (*throttle)(void *ctx, struct lt_throttle_look *look);
	void *throttle_ctx;
};

/* What the kernel side does not record. */
enum ledger_name {
	LEDGER_CMDLINE,
	LEDGER_CGROUP,
	LEDGER_COMM,   /* a kernel thread's whole name, or that of a process whose first thread is gone */
	LEDGER_PARENT, /* its number, in digits: the one before died */
	LEDGER_NAMES,
};

/* How to ask. The answer comes through ledger_answer, later or never; false: not now, ask again. */
struct ledger_names {
	bool (*ask)(void *ctx, enum ledger_name name, uint32_t pid, uint64_t start_ns, uint64_t group);
	/* Answers at once, without blocking; false: not available this way. NULL: never available. */
	bool (*parent)(void *ctx, uint32_t pid, uint32_t *ppid);
	void *ctx;
	bool hidden; /* other users' command lines are hidden (hidepid): do not show those passed to exec either */
};

struct ledger_answer {
	enum ledger_name name;
	uint32_t pid;
	uint64_t start_ns, group; /* as asked */
	const char *text;
	size_t n; /* 0: there is none */
};

struct ledger;

/* names may be NULL. memory and names must outlive the ledger; memory may grow between calls. NULL: out of memory. */
struct ledger *ledger_new(struct ledger_memory *memory, const struct ledger_names *names);
void ledger_free(struct ledger *l);

/* Reaps exited threads: their last numbers wait for the next reading, their records return to the free list.
 * epoch: the current interval. */
void ledger_drain(struct ledger *l, uint32_t epoch);

/* Fills processes, threads, works, calls, buckets, errnos, text and lost.{torn,exits} of *s with what happened
 * since the last reading until t_ns, which was announced to the BPF programs beforehand (lt_cut_ns): events after it
 * belong to the next reading. epoch: the interval that t_ns ends. 0 or -ENOMEM. */
int ledger_read(struct ledger *l, uint64_t t_ns, uint32_t epoch, struct sample *s);

/* What a process's threads did in a reading: summed while the threads are read, so that they are not visited again. */
struct ledger_activity {
	uint64_t run_ns, calls, switches;
	uint64_t for_cpu_ns; /* wakeq, preempt, throttled */
	uint64_t lag_ns;     /* for_cpu_ns, disk, memory, block */
};
/* Of each process of the last reading, in the sample's order. */
const struct ledger_activity *ledger_activity(const struct ledger *l);

/* The record of the thread that was preempted at exactly that ns: whoever got its CPU has been running since. NULL:
 * none was, or it is running again. */
const struct lt_record *ledger_displaced(const struct ledger_memory *m, uint64_t since_ns);

/* Puts records [first, first + n), never used before, on the free list. */
void ledger_give(struct ledger_memory *m, uint32_t first, uint32_t n);

/* A chunk of records, all free, was removed: frees what was kept for them. */
void ledger_forget(struct ledger *l, uint32_t chunk);

/* Marks a process's threads, and those that it will start, as in focus: slot + 1, or 0. */
void ledger_focus(struct ledger *l, uint32_t pid, uint64_t start_ns, uint8_t focus);

/* When the youngest process with that pid started, as of the last reading; 0: there is none. */
uint64_t ledger_start_of(const struct ledger *l, uint32_t pid);

void ledger_answer(struct ledger *l, const struct ledger_answer *answer);

/* A process was moved to another control group: looks up the group's name at once. */
void ledger_moved(struct ledger *l, uint32_t pid, uint64_t start_ns);

/* Loads with acquire order: also sees all earlier stores of the writer. Pairs with lt_release in bpf/record.bpf.h. */
static inline uint64_t ledger_load(const void *p)
{
	return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger: turns the records that the kernel side lets grow into samples. It remembers what
 * each record said at the last reading and writes down the difference, reaps threads that died,
 * and gives their records back. It knows the records' memory, not where it comes from: tests
 * hand it plain arrays.
 *
 * Not thread-safe: whoever shares it holds a lock. All times in ns of CLOCK_MONOTONIC.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "sample.h"

struct ledger_memory {
	struct lt_chunk **chunks;
	struct lt_call_chunk **call_chunks;
	uint32_t n_chunks, n_call_chunks; /* of call_chunks some may be NULL: given back */
	uint32_t limit;			  /* records in use, of all chunks; the rest was never given out. 0: all */
	struct lt_stack *free, *free_calls;
	struct entries *entries; /* [n_entries], parallel to call_chunks */
	uint32_t n_entries;
	uint32_t calls_here;	 /* free, and not with the kernel side */
	uint32_t calls_wanted;	 /* by it */
	uint64_t pending_bytes;	 /* of reaped threads that may wait for a reading */
	const uint32_t *renames; /* threads renamed by another thread so far */
	bool with_sched, with_calls;
};

/* What the kernel side does not record. */
enum ledger_name {
	LEDGER_CMDLINE,
	LEDGER_CGROUP,
	LEDGER_COMM,   /* a kernel thread's whole name, or that of a process whose first thread is gone */
	LEDGER_PARENT, /* its number, in digits: the one before died */
	LEDGER_NAMES,
};

/* Whom to ask. The answer comes by ledger_answer, later or never; false: not now, it is asked for again. */
struct ledger_names {
	bool (*ask)(void *ctx, enum ledger_name name, uint32_t pid, uint64_t start_ns, uint64_t group);
	/* At once, and without waiting for it; false: not known so. NULL: never known so. */
	bool (*parent)(void *ctx, uint32_t pid, uint32_t *ppid);
	void *ctx;
	bool hidden; /* the command lines of others are not for our eyes: those that exec was given neither */
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

/* Buries the dead: their last numbers wait for the next reading, their records go back to the free list.
 * epoch: the interval going on. */
void ledger_drain(struct ledger *l, uint32_t epoch);

/* Fills processes, threads, works, calls, buckets, errnos, text and lost.{torn,exits} of *s with what happened
 * since the last reading until t_ns, which the kernel side was told before it came (lt_cut_ns): what was born or moved
 * after it is the next reading's. epoch: the interval that t_ns ends. 0 or -ENOMEM. */
int ledger_read(struct ledger *l, uint64_t t_ns, uint32_t epoch, struct sample *s);

/* Gives never used records [first, first + n) to the kernel side. */
void ledger_give(struct ledger_memory *m, uint32_t first, uint32_t n);

void ledger_answer(struct ledger *l, const struct ledger_answer *answer);

/* A process was moved to another control group: its name is asked for at once. */
void ledger_moved(struct ledger *l, uint32_t pid, uint64_t start_ns);

/* What the kernel side stored before it stored this is seen, too. Pairs with lt_release in bpf/record.bpf.h. */
static inline uint64_t ledger_load(const void *p)
{
	return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
}

#endif

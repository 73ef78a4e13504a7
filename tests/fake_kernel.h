/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel side in plain memory, for tests of the ledger: moves words, adds to counters and hands out records as the
 * BPF programs do, at times that the test chooses. There is one, `fake`. fake_read also checks what must be true for
 * every reading.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include "calls.h"
#include "ledger.h"

#define FAKE_CHUNKS 2
#define FAKE_RECORDS (FAKE_CHUNKS * LT_CHUNK)
#define FAKE_CALLS LT_CALL_CHUNK
#define FAKE_START_NS 1000000000000ULL /* the clock's first value; the first reading is at it */
#define FAKE_BOOT_NS 5000ULL	       /* CLOCK_BOOTTIME − CLOCK_MONOTONIC */

struct fake {
	uint64_t now_ns; /* CLOCK_MONOTONIC; tests add to it */
	uint64_t cut_ns; /* T of a reading that is taken late: set before now_ns reaches T */
	uint32_t epoch;
	struct lt_throttle throttle; /* of the one run queue, by its clock: fake_throttle */
	bool throttle_unknown;	     /* the front end cannot ask for it */
	struct ledger_memory memory;
	struct lt_stack free, free_calls;
	uint32_t renames;
	struct ledger *ledger;
	struct sample sample; /* the last reading */
	uint64_t t_ns;	      /* when */
};
extern struct fake fake;

/* All families on, every record and entry free, and a first reading. names may be NULL. */
void fake_open(const struct ledger_names *names);
void fake_close(void);
/* The same as setup and teardown of a test, without names. */
int fake_setup(void **state);
int fake_teardown(void **state);

/* Each takes or gives the thread's slot. */
uint32_t fake_fork(uint32_t tgid, uint32_t tid, uint64_t process_start_ns, uint32_t ppid); /* not yet woken */
uint32_t fake_born(uint32_t tgid, uint32_t tid);					   /* and on a CPU at once */
uint32_t fake_seed(uint32_t tgid, uint32_t tid, enum lt_state state);
void fake_move(uint32_t slot, enum lt_state to);
void fake_wake(uint32_t slot);	    /* to wakeq */
void fake_switch_in(uint32_t slot); /* from wakeq or preempt */
void fake_throttle(bool runs);	    /* the throttle clock of all waits for a CPU */
void fake_enter(uint32_t slot, uint32_t call);
void fake_return(uint32_t slot, long ret);
void fake_interrupted(uint32_t slot, uint32_t call); /* it has returned; the return of a handler shows that it failed */
void fake_die(uint32_t slot, int status);
struct lt_record *fake_record(uint32_t slot);
struct lt_net *fake_net(uint32_t slot);	    /* to be written */
struct lt_parts *fake_parts(uint32_t slot); /* likewise */
uint64_t *fake_word(uint32_t slot);
struct lt_call *fake_entry(uint32_t slot, uint32_t call); /* allocated if necessary */
void fake_hist_add(struct lt_hist *hist, struct lt_max *max, uint64_t ns);

/* How many records and entries are on the free lists; fails if one is there twice. */
uint32_t fake_free_records(void);
uint32_t fake_free_calls(void);

/* Saves a thread's times as of cut_ns, as its first move after that does before it writes the word. */
void fake_cut(uint32_t slot, uint64_t word, uint64_t now_ns);

/* The reading at now_ns. Fails unless it is a valid sample and for every thread Σ time_ns == wall_ns, and neither that
 * nor the time in its calls is longer than the interval. */
const struct sample *fake_read(void);
/* The same for an earlier T, to which cut_ns had been set in advance. */
const struct sample *fake_read_late(uint64_t t_ns);
const struct sample_process *fake_process(uint32_t pid); /* of the last reading; with several the last; NULL */
const struct sample_thread *fake_thread(uint32_t tid);
const struct sample_work *fake_work(uint32_t tid);		  /* NULL: it did nothing */
const struct sample_call *fake_call(uint32_t tid, uint32_t call); /* NULL: no row */
uint32_t fake_errors(const struct sample_call *call, uint32_t error);
uint64_t fake_dist_count(const struct sample_dist *dist);

#endif

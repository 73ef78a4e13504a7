/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One thread's part of the ledger: the numbers of its record at the last reading, and how the
 * difference is reported. Used by ledger.c only.
 */
#ifndef LEDGER_THREAD_H
#define LEDGER_THREAD_H

#include "ledger.h"

struct process;
struct kept_work;

/* Kept for every thread; one cache line, so that 100,000 sleeping threads are skipped quickly. */
struct kept {
	uint64_t word, end_ns;
	uint64_t enter_ns; /* of the current call; 0: none */
	struct process *process;
	struct kept_work *work;
	uint32_t next, prev; /* slot + 1 of the neighbours in its process's list */
	uint32_t tid, call, changes;
	bool at_least;
	bool again; /* something was left for the next reading: read the record even if its word is unchanged */
	uint64_t start_ns;
	char comm[16];
};

static inline struct lt_record *record_at(const struct ledger_memory *m, uint32_t slot)
{
	return &m->chunks[slot >> LT_CHUNK_SHIFT]->record[slot & (LT_CHUNK - 1)];
}

static inline struct lt_net *net_at(const struct ledger_memory *m, uint32_t slot)
{
	return &m->chunks[slot >> LT_CHUNK_SHIFT]->net[slot & (LT_CHUNK - 1)];
}

static inline struct lt_parts *parts_at(const struct ledger_memory *m, uint32_t slot)
{
	return &m->chunks[slot >> LT_CHUNK_SHIFT]->parts[slot & (LT_CHUNK - 1)];
}

static inline uint64_t *word_at(const struct ledger_memory *m, uint32_t slot)
{
	return (uint64_t *)&m->chunks[slot >> LT_CHUNK_SHIFT]->word[slot & (LT_CHUNK - 1)];
}

static inline struct lt_call *call_at(const struct ledger_memory *m, uint32_t index)
{
	return &m->call_chunks[index >> LT_CALL_CHUNK_SHIFT]->call[index & (LT_CALL_CHUNK - 1)];
}

/* The record's entry for a call or a special kind (LT_CALL_SPECIAL); NULL: it has none. */
static inline const struct lt_call *entry_of(const struct ledger_memory *m, const struct lt_calls *calls, uint32_t call)
{
	uint32_t at = __atomic_load_n(&calls->head[call & (LT_CALL_HEADS - 1)], __ATOMIC_ACQUIRE);

	while (at && call_at(m, at - 1)->call != call)
		at = call_at(m, at - 1)->next;
	return at ? call_at(m, at - 1) : NULL;
}

/* Appends one thread's interval, until t_ns or its death, to out->threads; the caller sets its process and names. k
 * holds its process. epoch: the interval that ends. *torn is incremented if no consistent reading was possible.
 * LEDGER_LAST for t_ns: it has exited, and all its time is to be charged. 0 or -ENOMEM. */
#define LEDGER_LAST UINT64_MAX
int ledger_thread_subtract(const struct ledger_memory *m, struct kept *k, uint32_t slot, uint64_t t_ns, uint32_t epoch,
			   struct sample *out, uint64_t *torn);

/* Frees what is kept for a thread, so that the slot can be reused. */
void ledger_thread_forget(struct kept *k);

#endif

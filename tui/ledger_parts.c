/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger_parts.h"

#include <string.h>

#include "ledger_thread.h"

#define TRIES 100

/* The time of reclaims that ended, and of one in progress. */
static uint64_t read_reclaim(const struct lt_parts *parts, uint64_t run_ns)
{
	uint64_t began_ns, ended_ns;
	int try = 0;

	do {
		began_ns = ledger_load(&parts->reclaim_run_ns);
		ended_ns = ledger_load(&parts->reclaim_ns);
	} while (ledger_load(&parts->reclaim_run_ns) != began_ns && ++try < TRIES);
	return ended_ns + (began_ns && run_ns > began_ns ? run_ns - began_ns : 0);
}

/* What a thread in focus slept for, and sleeps for. */
static void read_sleeps(const struct ledger_memory *m, uint32_t slot, uint64_t word, uint64_t open_ns,
			uint64_t part[LT_N_PARTS])
{
	const struct lt_call *entry = entry_of(m, &record_at(m, slot)->calls, LT_CALL_WHOM);

	if (!entry)
		return;
	for (int i = 0; i < LT_N_PARTS_FOCUS; i++)
		part[LT_N_PARTS_THREAD + i] = ledger_load(&entry->because.counter[i]);
	if (!LT_HAS_WHOM(LT_WORD_STATE(word)) || ledger_load(&entry->because.since_ns) != LT_WORD_SINCE(word))
		return;
	if (entry->because.upstream)
		part[COUNTER_upstream_ns - LT_PARTS_FIRST] += open_ns;
	else if (LT_WORD_STATE(word) == LT_LOCK && entry->because.lock.kind)
		part[COUNTER_contended_lock_ns - LT_PARTS_FIRST] += open_ns;
}

void ledger_parts_read(const struct ledger_memory *m, uint32_t slot, uint64_t word, uint64_t run_ns, uint64_t t_ns,
		       uint64_t part[LT_N_PARTS])
{
	const struct lt_sched *sched = &record_at(m, slot)->sched;
	const struct lt_parts *parts = parts_at(m, slot);
	uint64_t open_ns = t_ns > LT_WORD_SINCE(word) ? t_ns - LT_WORD_SINCE(word) : 0;
	uint64_t *reclaim_ns = &part[COUNTER_reclaim_ns - LT_PARTS_FIRST];
	uint64_t *page_fault_ns = &part[COUNTER_page_fault_disk_ns - LT_PARTS_FIRST];
	uint32_t state = LT_WORD_STATE(word);

	memset(part, 0, LT_N_PARTS * sizeof(*part));
	if (__atomic_load_n(&sched->uses_parts, __ATOMIC_ACQUIRE)) {
		for (int i = 0; i < LT_N_PARTS_THREAD; i++)
			part[i] = ledger_load(&parts->counter[i]);
		*reclaim_ns = read_reclaim(parts, run_ns + (state == LT_RUN ? open_ns : 0));
	}
	if (state == LT_DISK && __atomic_load_n(&sched->page_fault, __ATOMIC_ACQUIRE))
		*page_fault_ns += open_ns;
	if (__atomic_load_n(&sched->focus, __ATOMIC_ACQUIRE))
		read_sleeps(m, slot, word, open_ns, part);
}

/* A part is read later than T: what happened since is left for the next reading. */
void ledger_parts_subtract(uint64_t to[LT_N_PARTS], const uint64_t now[LT_N_PARTS], uint64_t last[LT_N_PARTS],
			   const uint64_t time_ns[LT_STATES])
{
	static const uint32_t part_of[LT_N_PARTS] = {
#define X(name, unit, since, states) states,
		LT_COUNTERS_PARTS(X)
#undef X
	};

	for (int i = 0; i < LT_N_PARTS; i++) {
		uint64_t most_ns = 0;

		for (int state = 0; state < LT_STATES; state++)
			if (part_of[i] >> state & 1)
				most_ns += time_ns[state];
		to[i] = now[i] > last[i] ? now[i] - last[i] : 0;
		if (to[i] > most_ns)
			to[i] = most_ns;
		last[i] += to[i];
	}
}

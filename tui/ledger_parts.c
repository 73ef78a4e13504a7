/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger_parts.h"

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

void ledger_parts_read(const struct ledger_memory *m, uint32_t slot, uint64_t word, uint64_t run_ns, uint64_t t_ns,
		       uint64_t part[LT_N_PARTS])
{
	const struct lt_sched *sched = &record_at(m, slot)->sched;
	const struct lt_parts *parts = parts_at(m, slot);
	uint64_t open_ns = t_ns > LT_WORD_SINCE(word) ? t_ns - LT_WORD_SINCE(word) : 0;
	uint64_t *reclaim_ns = &part[COUNTER_reclaim_ns - LT_PARTS_FIRST];
	uint64_t *page_fault_ns = &part[COUNTER_page_fault_disk_ns - LT_PARTS_FIRST];
	uint32_t state = LT_WORD_STATE(word);

	*reclaim_ns = *page_fault_ns = 0;
	if (__atomic_load_n(&sched->uses_parts, __ATOMIC_ACQUIRE)) {
		*page_fault_ns = ledger_load(&parts->page_fault_disk_ns);
		*reclaim_ns = read_reclaim(parts, run_ns + (state == LT_RUN ? open_ns : 0));
	}
	if (state == LT_DISK && __atomic_load_n(&sched->page_fault, __ATOMIC_ACQUIRE))
		*page_fault_ns += open_ns;
}

/* A part is read later than T: what happened since is left for the next reading. */
void ledger_parts_subtract(uint64_t to[LT_N_PARTS], const uint64_t now[LT_N_PARTS], uint64_t last[LT_N_PARTS],
			   const uint64_t time_ns[LT_STATES])
{
	static const enum lt_state part_of[LT_N_PARTS] = {
#define X(name, unit, since, state) state,
		LT_COUNTERS_PARTS(X)
#undef X
	};

	for (int i = 0; i < LT_N_PARTS; i++) {
		to[i] = now[i] > last[i] ? now[i] - last[i] : 0;
		if (to[i] > time_ns[part_of[i]])
			to[i] = time_ns[part_of[i]];
		last[i] += to[i];
	}
}

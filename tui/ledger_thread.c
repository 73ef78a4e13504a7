/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads one record consistently and subtracts its numbers at the last reading.
 *
 * A read of `sched` is consistent if the word is the same before and after and Σ time_ns == since − born; of `calls`,
 * if seq is even and unchanged. A thread that changed state after T is read as of T, from the record's cut. After TRIES
 * attempts the last known state or calls are assumed until T; the next reading corrects the error, and `torn` is
 * incremented. A thread that sleeps with the same word did nothing: its record is not read.
 */
#include "ledger_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "ledger_hist.h"
#include "ledger_parts.h"
#include "ledger_throttle.h"
#include "ledger_peers.h"
#include "ledger_whom.h"

#define TRIES 100

struct kept_errnos {
	uint32_t n;
	struct sample_errno of[];
};

struct kept_call {
	uint32_t call;
	uint64_t errors; /* the entry has the low 32 bits, which a failing loop overflows within an hour */
	uint64_t count, total_ns;
	uint64_t time_ns, wait_ns; /* including the part of the current call */
	struct kept_hist latency;
	struct kept_errnos *errnos; /* NULL: it never failed */
};

/* Up to this many kept calls are searched linearly: most threads make few, and there are many threads. */
#define FEW_CALLS 8
#define CALL_PLACE_BITS 9
#define CALL_PLACES (1 << CALL_PLACE_BITS) /* above twice LT_CALLS_LIMIT + 1 */
#define GOLDEN_RATIO 0x9e3779b1U	   /* of 2^32: spreads numbers that lie close together */

/* A current call without an entry: a thread's first call of a kind gets its entry when it returns. */
struct kept_open {
	uint32_t call;
	uint64_t enter_ns;
	uint64_t time_ns, wait_ns; /* charged so far */
};

struct kept_work {
	union {
		struct {
			COUNTERS_INLINE /* time_ns including the part of the current state */
		};
		uint64_t counter[LT_NET_FIRST];
	};
	uint64_t rowless_calls, rowless_errors, rowless_total_ns; /* of calls that have no entry */
	struct lt_net *net;					  /* NULL: it never sent or received a byte */
	struct kept_hist dist[LT_THREAD_DISTS];
	struct kept_peers peers;
	struct kept_because *because; /* NULL: it never was in focus */
	struct kept_call *call;
	uint8_t *place;		/* [CALL_PLACES], by hash: index + 1 of a call, 0: free; NULL: there are few calls */
	struct kept_open *open; /* NULL: there never was one */
	uint32_t n_calls;
	bool exit_counted, calls_clipped;
	uint64_t end_ns; /* the time up to which the open parts above are charged */
};

/* One consistent copy of a record's numbers. */
struct record_copy {
	uint64_t word, born_ns;
	union {
		struct {
			COUNTERS_INLINE
		};
		uint64_t counter[LT_NET_FIRST];
	};
	struct ledger_wait wait;
	uint64_t call_enter_ns, call_wait_ns;
	uint64_t seq, enter_ns;
	uint32_t call;
	bool at_least, calls_torn;
};

void ledger_thread_forget(struct kept *k)
{
	if (k->work) {
		for (uint32_t i = 0; i < k->work->n_calls; i++) {
			ledger_hist_forget(&k->work->call[i].latency);
			free(k->work->call[i].errnos);
		}
		free(k->work->call);
		free(k->work->place);
		free(k->work->open);
		free(k->work->net);
		free(k->work->because);
		for (int i = 0; i < LT_THREAD_DISTS; i++)
			ledger_hist_forget(&k->work->dist[i]);
		ledger_peers_forget(&k->work->peers);
		free(k->work);
	}
	memset(k, 0, sizeof(*k));
}

/* The times as of T, for a thread that has changed state since. */
static bool read_cut(const struct lt_cut *cut, uint64_t t_ns, struct record_copy *now)
{
	uint64_t sum = 0;

	if (ledger_load(&cut->at_ns) != t_ns)
		return false;
	now->word = ledger_load(&cut->word);
	ledger_wait_cut(&now->wait, now->word, ledger_load(&cut->throttled_ns), t_ns);
	for (int i = 0; i < LT_STATES; i++) {
		now->time_ns[i] = ledger_load(&cut->time_ns[i]);
		sum += now->time_ns[i];
	}
	return sum == LT_WORD_SINCE(now->word) - now->born_ns;
}

static bool read_sched(const struct ledger_memory *m, uint32_t slot, const struct lt_record *r, uint64_t t_ns,
		       struct record_copy *now)
{
	const struct lt_sched *sched = &r->sched;

	for (int try = 0; try < TRIES; try++) {
		uint64_t sum = 0;

		now->word = ledger_load(word_at(m, slot));
		now->born_ns = ledger_load(&r->who.born_ns);
		for (int i = 0; i < LT_STATES; i++) {
			now->time_ns[i] = ledger_load(&sched->time_ns[i]);
			sum += now->time_ns[i];
		}
		for (int i = 0; i < LT_N_SCHED; i++)
			now->counter[LT_SCHED_FIRST + i] = ledger_load(&sched->counter[i]);
		ledger_parts_read(m, slot, now->word, now->time_ns[LT_RUN], t_ns, &now->counter[LT_PARTS_FIRST]);
		ledger_wait_read(&now->wait, r);
		now->call_enter_ns = ledger_load(&sched->call_enter_ns);
		now->call_wait_ns = ledger_load(&sched->call_wait_ns);
		if (!m->with_sched) { /* it has one state until it exits */
			if (LT_WORD_SINCE(now->word) > t_ns)
				now->word = LT_WORD(now->born_ns, LT_OTHER);
			return true;
		}
		if (LT_WORD_SINCE(now->word) > t_ns) {
			if (read_cut(&m->chunks[slot >> LT_CHUNK_SHIFT]->cut[slot & (LT_CHUNK - 1)], t_ns, now))
				return true;
			continue;
		}
		if (ledger_load(word_at(m, slot)) == now->word && sum == LT_WORD_SINCE(now->word) - now->born_ns) {
			ledger_wait_split(m, &now->wait, now->word, t_ns);
			return true;
		}
	}
	return false;
}

static bool read_calls(const struct lt_record *r, struct record_copy *now)
{
	const struct lt_calls *calls = &r->calls;

	for (int try = 0; try < TRIES; try++) {
		now->seq = ledger_load(&calls->seq);
		now->enter_ns = ledger_load(&calls->enter_ns);
		now->call = __atomic_load_n(&calls->call, __ATOMIC_ACQUIRE);
		now->at_least = now->enter_ns == LT_UNTIMED ||
				__atomic_load_n(&calls->began, __ATOMIC_ACQUIRE) >= LT_BEGAN_LATE;
		for (int i = 0; i < LT_N_CALLS; i++)
			now->counter[LT_CALLS_FIRST + i] = ledger_load(&calls->counter[i]);
		if (!(now->seq & 1) && ledger_load(&calls->seq) == now->seq &&
		    ledger_load(&calls->enter_ns) == now->enter_ns)
			return true;
	}
	return false;
}

/* The hash place where a call is, or would be. */
static uint8_t *call_place(const struct kept_work *w, uint32_t call)
{
	uint32_t i = call * GOLDEN_RATIO >> (32 - CALL_PLACE_BITS);

	while (w->place[i] && w->call[w->place[i] - 1].call != call)
		i = (i + 1) % CALL_PLACES;
	return &w->place[i];
}

static struct kept_call *kept_call_find(const struct kept_work *w, uint32_t call)
{
	uint8_t at;

	if (w->place) {
		at = *call_place(w, call);
		return at ? &w->call[at - 1] : NULL;
	}
	for (uint32_t i = 0; i < w->n_calls; i++) {
		if (w->call[i].call == call)
			return &w->call[i];
	}
	return NULL;
}

/* The data kept for a call that has an entry; NULL: out of memory. */
static struct kept_call *kept_call_of(struct kept_work *w, uint32_t call)
{
	struct kept_call *k = kept_call_find(w, call), *grown;

	if (k)
		return k;
	if (w->n_calls == FEW_CALLS) {
		w->place = calloc(CALL_PLACES, 1);
		if (!w->place)
			return NULL;
		for (uint32_t i = 0; i < w->n_calls; i++)
			*call_place(w, w->call[i].call) = (uint8_t)(i + 1);
	}
	/* Grows by one: threads rarely make a call for the first time, and there are many threads. */
	grown = realloc(w->call, (w->n_calls + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	w->call = grown;
	k = &w->call[w->n_calls];
	memset(k, 0, sizeof(*k));
	k->call = call;
	w->n_calls++;
	if (w->place)
		*call_place(w, call) = (uint8_t)w->n_calls;
	if (w->open && w->open->call == call) {
		k->time_ns = w->open->time_ns;
		k->wait_ns = w->open->wait_ns;
		free(w->open);
		w->open = NULL;
	}
	return k;
}

/* The data kept for a current call without an entry. */
static struct kept_open *kept_open_of(struct kept_work *w, uint32_t call, uint64_t enter_ns)
{
	if (!w->open)
		w->open = calloc(1, sizeof(*w->open));
	if (w->open && (w->open->call != call || w->open->enter_ns != enter_ns))
		*w->open = (struct kept_open){ .call = call, .enter_ns = enter_ns };
	return w->open;
}

static int errno_subtract(struct kept_call *k, uint32_t error, uint32_t count, struct sample_call *to,
			  struct sample *out)
{
	uint32_t n = k->errnos ? k->errnos->n : 0, i = 0;
	struct sample_errno *last, *e;
	struct kept_errnos *grown;

	while (i < n && k->errnos->of[i].error != error)
		i++;
	if (i == n) {
		grown = realloc(k->errnos, sizeof(*grown) + (n + 1) * sizeof(grown->of[0]));
		if (!grown)
			return -ENOMEM;
		k->errnos = grown;
		grown->n = n + 1;
		grown->of[i] = (struct sample_errno){ .error = error };
	}
	last = &k->errnos->of[i];
	if (count == last->count)
		return 0;
	e = sample_add_errno(out);
	if (!e)
		return -ENOMEM;
	e->error = error;
	e->count = count - last->count;
	last->count = count;
	to->n_errnos++;
	return 0;
}

/* A call and its thread, read consistently. */
struct call_reading {
	uint64_t enter_ns, count, total_ns, wait_ns;
	uint32_t call, errors, n_errnos;
	struct lt_errno_count errnos[LT_ERRNOS + LT_MORE_ERRNOS];
};

static void read_errno(const struct lt_errno_count *from, struct call_reading *now)
{
	now->errnos[now->n_errnos].error = __atomic_load_n(&from->error, __ATOMIC_ACQUIRE);
	now->errnos[now->n_errnos].count = __atomic_load_n(&from->count, __ATOMIC_ACQUIRE);
	now->n_errnos += now->errnos[now->n_errnos].error != 0;
}

/* An entry's errnos: the first few in it, more in a companion further on in the same chain. */
static void read_errnos(const struct ledger_memory *m, const struct lt_calls *calls, const struct lt_call *entry,
			struct call_reading *now)
{
	const struct lt_call *more;

	now->n_errnos = 0;
	for (int i = 0; i < LT_ERRNOS; i++)
		read_errno(&entry->errors_by[i], now);
	if (now->n_errnos < LT_ERRNOS)
		return;
	more = entry_of(m, calls, entry->call | LT_CALL_ERRNOS);
	for (int i = 0; more && i < LT_MORE_ERRNOS; i++)
		read_errno(&more->more_errors[i], now);
}

/* entry NULL: the call has not returned yet. errors: at the last reading. */
static bool read_call(const struct ledger_memory *m, const struct lt_calls *calls, const struct lt_call *entry,
		      uint32_t errors, struct call_reading *now)
{
	static const struct lt_call none;
	uint64_t seq;

	if (!entry)
		entry = &none;
	for (int try = 0; try < TRIES; try++) {
		seq = ledger_load(&calls->seq);
		now->enter_ns = ledger_load(&calls->enter_ns);
		now->call = __atomic_load_n(&calls->call, __ATOMIC_ACQUIRE);
		now->count = ledger_load(&entry->count);
		now->total_ns = ledger_load(&entry->total_ns);
		now->wait_ns = ledger_load(&entry->wait_ns);
		now->errors = __atomic_load_n(&entry->errors, __ATOMIC_ACQUIRE);
		if (now->errors != errors)
			read_errnos(m, calls, entry, now);
		if (!(seq & 1) && ledger_load(&calls->seq) == seq && ledger_load(&calls->enter_ns) == now->enter_ns)
			return true;
	}
	return false;
}

/* The errors of a call by errno; errors without room in the table as errno 0. */
static int errnos_subtract(const struct call_reading *now, struct kept_call *k, struct sample_call *to,
			   struct sample *out)
{
	uint32_t unknown = now->errors;
	int err = 0;

	to->first_errno = out->n_errnos;
	for (uint32_t i = 0; !err && i < now->n_errnos; i++) {
		unknown -= now->errnos[i].count;
		err = errno_subtract(k, now->errnos[i].error, now->errnos[i].count, to, out);
	}
	return err || !unknown ? err : errno_subtract(k, 0, unknown, to, out);
}

struct thread_reading {
	const struct ledger_memory *memory;
	uint64_t *torn;
	const struct lt_record *record;
	uint32_t slot;
	struct record_copy now;
	uint64_t end_ns;
	uint32_t epoch;
	bool dead;
};

/* The call that will count the current one when it returns (itself or `others`). */
static uint32_t counts_as(const struct thread_reading *t, uint32_t call)
{
	const struct lt_calls *calls = &t->record->calls;

	if (__atomic_load_n(&calls->n_entries, __ATOMIC_ACQUIRE) < LT_CALLS_LIMIT || entry_of(t->memory, calls, call))
		return call;
	return LT_CALL_OTHERS;
}

/* The age of the current call, if it is this one, and its off-CPU part. */
static void open_read(const struct thread_reading *t, const struct call_reading *now, uint32_t call, uint64_t *open_ns,
		      uint64_t *wait_ns)
{
	*open_ns = *wait_ns = 0;
	if (!now->enter_ns || t->end_ns <= now->enter_ns)
		return;
	if (now->call != call && (call != LT_CALL_OTHERS || counts_as(t, now->call) != call))
		return;
	*open_ns = t->end_ns - now->enter_ns;
	if (t->now.call_enter_ns == now->enter_ns)
		*wait_ns = t->now.call_wait_ns;
	if (LT_WORD_STATE(t->now.word) != LT_RUN && t->end_ns > LT_WORD_SINCE(t->now.word))
		*wait_ns += t->end_ns - LT_WORD_SINCE(t->now.word);
	if (*wait_ns > *open_ns)
		*wait_ns = *open_ns;
}

/* exit and exit_group never return: they are counted once, while in progress. */
static void exit_count(const struct thread_reading *t, struct kept_work *w, const struct call_reading *now,
		       struct sample_call *row)
{
	if (!now->enter_ns || w->exit_counted || !lt_call_exits(LT_CALL_ABI(now->call), LT_CALL_NR(now->call)) ||
	    counts_as(t, now->call) != row->call)
		return;
	row->count++;
	w->exit_counted = true;
}

static void row_charge(const struct thread_reading *t, struct sample_call *row, uint64_t time_ns, uint64_t wait_ns,
		       uint64_t *kept_time_ns, uint64_t *kept_wait_ns)
{
	if (time_ns > *kept_time_ns)
		row->time_ns = time_ns - *kept_time_ns;
	if (wait_ns > *kept_wait_ns)
		row->wait_ns = wait_ns - *kept_wait_ns;
	if (row->wait_ns > row->time_ns) /* after a missed switch: it has the wait of the call before it */
		row->wait_ns = row->time_ns;
	if (!t->memory->with_sched)
		row->wait_ns = SAMPLE_UNKNOWN;
	*kept_time_ns = time_ns;
	*kept_wait_ns = wait_ns;
}

static int row_append(const struct sample_call *row, struct sample *out)
{
	struct sample_call *to;

	/* A call that was interrupted by a handler may fail after the reading that counted it. */
	if (!row->count && !row->errors && !row->time_ns)
		return 0;
	to = sample_add_call(out);
	if (!to)
		return -ENOMEM;
	*to = *row;
	return 0;
}

/* The current call, if it has no entry. */
static int open_subtract(struct thread_reading *t, struct kept_work *w, uint32_t call, struct sample *out)
{
	struct sample_call row = { .call = call };
	struct call_reading now;
	uint64_t open_ns, wait_ns;
	struct kept_open *k;

	if (!read_call(t->memory, &t->record->calls, NULL, 0, &now)) {
		(*t->torn)++;
		return 0;
	}
	exit_count(t, w, &now, &row);
	open_read(t, &now, call, &open_ns, &wait_ns);
	if (open_ns) {
		k = kept_open_of(w, call, now.enter_ns);
		if (!k)
			return -ENOMEM;
		row_charge(t, &row, open_ns, wait_ns, &k->time_ns, &k->wait_ns);
	}
	return row_append(&row, out);
}

/* Subtracts one entry of a thread. */
static int call_subtract(struct thread_reading *t, struct kept_work *w, const struct lt_call *entry, struct sample *out)
{
	const struct lt_calls *calls = &t->record->calls;
	struct sample_call row = { .call = entry->call };
	struct kept_call *k = kept_call_of(w, entry->call);
	struct call_reading now;
	uint64_t open_ns, open_wait_ns;
	int err;

	if (!k)
		return -ENOMEM;
	if (!read_call(t->memory, calls, entry, (uint32_t)k->errors, &now)) {
		(*t->torn)++;
		return 0;
	}
	open_read(t, &now, entry->call, &open_ns, &open_wait_ns);
	row.count = now.count - k->count;
	row.errors = now.errors - (uint32_t)k->errors;
	row.total_ns = now.total_ns - k->total_ns;
	row_charge(t, &row, now.total_ns + open_ns, now.wait_ns + open_wait_ns, &k->time_ns, &k->wait_ns);
	k->count = now.count;
	k->errors += row.errors;
	k->total_ns = now.total_ns;
	exit_count(t, w, &now, &row);
	if (row.count || row.errors) {
		err = ledger_hist_subtract(&k->latency, &entry->latency,
					   __atomic_load_n(&entry->first, __ATOMIC_ACQUIRE),
					   ledger_max_of(&entry->max, t->epoch, t->dead), &row.latency, out);
		if (!err && row.errors)
			err = errnos_subtract(&now, k, &row, out);
		if (err)
			return err;
	}
	return row_append(&row, out);
}

static uint64_t rowless_subtract(uint64_t all, uint64_t in_rows, uint64_t *last)
{
	uint64_t grown = all > in_rows + *last ? all - in_rows - *last : 0;

	*last += grown;
	return grown;
}

/* The thread's calls are those of its rows, each read at a different moment, and those without a row. The thread's sums
 * were read before: what it did meanwhile is only in the rows. */
static void calls_sum(const struct thread_reading *t, struct kept_work *w, struct sample_work *work,
		      const struct sample *out, bool whole)
{
	uint64_t count = w->exit_counted, errors = 0, total_ns = 0;

	work->calls = work->call_errors = work->call_total_ns = 0;
	for (uint32_t i = 0; i < work->n_calls; i++) {
		const struct sample_call *row = &out->calls[work->first_call + i];

		work->calls += row->count;
		work->call_errors += row->errors;
		work->call_total_ns += row->total_ns;
	}
	if (!whole) /* a row that could not be read is not a call without a row */
		return;
	for (uint32_t i = 0; i < w->n_calls; i++) {
		count += w->call[i].count;
		errors += w->call[i].errors;
		total_ns += w->call[i].total_ns;
	}
	work->calls += rowless_subtract(t->now.calls, count, &w->rowless_calls);
	work->call_errors += rowless_subtract(t->now.call_errors, errors, &w->rowless_errors);
	work->call_total_ns += rowless_subtract(t->now.call_total_ns, total_ns, &w->rowless_total_ns);
}

static int calls_subtract(struct thread_reading *t, struct kept_work *w, struct sample_work *work, struct sample *out)
{
	const struct lt_calls *calls = &t->record->calls;
	uint32_t open = t->now.enter_ns ? counts_as(t, t->now.call) : LT_CALL_NONE;
	uint64_t torn = *t->torn;
	bool open_seen = false;
	int err = 0;

	work->first_call = out->n_calls;
	for (int h = 0; h < LT_CALL_HEADS; h++) {
		uint32_t at = __atomic_load_n(&calls->head[h], __ATOMIC_ACQUIRE);

		while (at && !err) {
			const struct lt_call *entry = call_at(t->memory, at - 1);

			if (!(entry->call & LT_CALL_SPECIAL)) {
				open_seen |= entry->call == open;
				err = call_subtract(t, w, entry, out);
			}
			at = entry->next;
		}
	}
	if (!err && t->now.enter_ns && !open_seen)
		err = open_subtract(t, w, open, out);
	work->n_calls = out->n_calls - work->first_call;
	if (!err)
		calls_sum(t, w, work, out, torn == *t->torn);
	return err;
}

/* What calls ran is an estimate: it is no longer than what the thread ran. */
static void estimates_clip(const struct sample_work *work, struct sample *out)
{
	struct sample_call *row = &out->calls[work->first_call];
	uint64_t run_ns = work->time_ns[LT_RUN], ran_ns = 0;

	for (uint32_t i = 0; i < work->n_calls; i++)
		ran_ns += row[i].time_ns - row[i].wait_ns;
	for (uint32_t i = 0; ran_ns > run_ns && i < work->n_calls; i++)
		row[i].time_ns = row[i].wait_ns +
				 (uint64_t)((unsigned __int128)(row[i].time_ns - row[i].wait_ns) * run_ns / ran_ns);
}

/* If calls returned after T, their time exceeds the thread's lifetime in the interval: the excess belongs to the next
 * interval. How it is divided among the calls is not known. */
static void calls_clip(struct kept_work *w, const struct sample_work *work, uint64_t wall_ns, struct sample *out)
{
	uint64_t sum_ns = 0;

	for (uint32_t i = 0; i < work->n_calls; i++)
		sum_ns += out->calls[work->first_call + i].time_ns;
	w->calls_clipped = sum_ns > wall_ns;
	for (uint32_t i = 0; sum_ns > wall_ns && i < work->n_calls; i++) {
		struct sample_call *row = &out->calls[work->first_call + i];
		uint64_t time_ns = (uint64_t)((unsigned __int128)row->time_ns * wall_ns / sum_ns);
		struct kept_call *k = kept_call_find(w, row->call);
		bool over = row->wait_ns != SAMPLE_UNKNOWN && row->wait_ns > time_ns;

		if (!row->time_ns)
			continue;
		*(k ? &k->time_ns : &w->open->time_ns) -= row->time_ns - time_ns;
		if (over)
			*(k ? &k->wait_ns : &w->open->wait_ns) -= row->wait_ns - time_ns;
		row->time_ns = time_ns;
		row->wait_ns = over ? time_ns : row->wait_ns;
	}
}

/* The row whose calls waited longest, or ran longest. */
static struct sample_call *longest(struct sample_call *row, uint32_t n, bool ran)
{
	struct sample_call *most = row;

	for (uint32_t i = 1; i < n; i++) {
		if (ran ? row[i].time_ns - row[i].wait_ns > most->time_ns - most->wait_ns
			: row[i].wait_ns > most->wait_ns)
			most = &row[i];
	}
	return most;
}

/* Calls cannot wait while their thread runs, nor run while it waits. The wait of a call that returned after T may be
 * longer than the thread's: the excess belongs to the next reading. It may be too short if the call ran after T, or if
 * a missed switch hid a wait. */
static void waits_clip(struct kept_work *w, const struct sample_work *work, uint64_t wall_ns, struct sample *out)
{
	struct sample_call *row = &out->calls[work->first_call];
	uint64_t run_ns = work->time_ns[LT_RUN], time_ns = 0, wait_ns = 0, by;

	for (uint32_t i = 0; i < work->n_calls; i++) {
		time_ns += row[i].time_ns;
		wait_ns += row[i].wait_ns;
	}
	for (; wait_ns > wall_ns - run_ns; wait_ns -= by) {
		struct sample_call *most = longest(row, work->n_calls, false);
		struct kept_call *k = kept_call_find(w, most->call);

		by = wait_ns - (wall_ns - run_ns);
		by = by < most->wait_ns ? by : most->wait_ns;
		most->wait_ns -= by;
		*(k ? &k->wait_ns : &w->open->wait_ns) -= by;
		w->calls_clipped = true;
	}
	for (; time_ns - wait_ns > run_ns; wait_ns += by) {
		struct sample_call *most = longest(row, work->n_calls, true);

		by = time_ns - wait_ns - run_ns;
		by = by < most->time_ns - most->wait_ns ? by : most->time_ns - most->wait_ns;
		most->wait_ns += by;
	}
}

static int net_subtract(struct kept_work *w, const struct lt_net *now_in_map, struct sample_work *work)
{
	struct lt_net now = *now_in_map, *last = w->net;

	if (!last) {
		last = w->net = calloc(1, sizeof(*last));
		if (!last)
			return -ENOMEM;
	}
	for (int i = 0; i < LT_N_NET; i++)
		work->counter[LT_NET_FIRST + i] = now.counter[i] - last->counter[i];
	*last = now;
	return 0;
}

/* The counters at the last reading, for a thread that is read in full for the first time since it was active. */
static struct kept_work *work_begin(struct kept *k, const struct lt_who *who)
{
	struct kept_work *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	for (int i = 0; i < LT_N_KERNEL; i++)
		w->counter[LT_SCHED_FIRST + i] = who->base[i];
	w->end_ns = who->born_ns;
	k->work = w;
	return w;
}

/* Readings that found the thread idle have charged its state and its call to the interval: adds that to the kept
 * totals. */
static int work_catch_up(const struct thread_reading *t, struct kept *k, struct kept_work *w)
{
	uint64_t idle_ns = k->end_ns - w->end_ns, open_ns;
	struct kept_call *call;
	struct kept_open *open;
	uint32_t number;

	if (k->end_ns <= w->end_ns || !k->word)
		return 0;
	w->time_ns[LT_WORD_STATE(k->word)] += idle_ns;
	w->end_ns = k->end_ns;
	if (!k->enter_ns || k->enter_ns >= k->end_ns)
		return 0;
	open_ns = k->end_ns - k->enter_ns < idle_ns ? k->end_ns - k->enter_ns : idle_ns;
	number = counts_as(t, k->call);
	call = kept_call_find(w, number);
	if (call) {
		call->time_ns += open_ns;
		call->wait_ns += open_ns;
		return 0;
	}
	open = kept_open_of(w, number, k->enter_ns);
	if (!open)
		return -ENOMEM;
	open->time_ns += open_ns;
	open->wait_ns += open_ns;
	return 0;
}

/* The distributions of a record; the others are entries of their own. */
static const struct {
	size_t hist, max;
} dist_at[LT_RECORD_DISTS] = {
#define X(NAME, name, part, ...)                                                                                       \
	[LT_DIST_##NAME] = { offsetof(struct lt_record, part.name), offsetof(struct lt_record, part.name##_max) },
	LT_DISTS_RECORD(X)
#undef X
};

/* False: it has had no such duration. */
static bool dist_find(const struct thread_reading *t, int dist, const struct lt_hist **hist, const struct lt_max **max)
{
	const char *record = (const char *)t->record;
	const struct lt_call *entry;

	if (dist < LT_RECORD_DISTS) {
		*hist = (const void *)(record + dist_at[dist].hist);
		*max = (const void *)(record + dist_at[dist].max);
		return true;
	}
	entry = entry_of(t->memory, &t->record->calls, LT_CALL_DIST | (uint32_t)dist);
	if (!entry)
		return false;
	*hist = &entry->hist;
	*max = &entry->hist_max;
	return true;
}

static int dists_subtract(const struct thread_reading *t, struct kept_work *w, struct sample_work *work,
			  struct sample *out)
{
	const struct lt_hist *hist;
	const struct lt_max *max;
	int err = 0;

	for (int i = 0; i < LT_THREAD_DISTS && !err; i++) {
		if (dist_find(t, i, &hist, &max))
			err = ledger_hist_subtract(&w->dist[i], hist, 0, ledger_max_of(max, t->epoch, t->dead),
						   &work->dist[i], out);
	}
	return err ? err : ledger_peers_subtract(t->memory, &t->record->calls, &w->peers, t->epoch, t->dead, work, out);
}

static uint32_t waker_of(const struct lt_sched *sched, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t waking_ns = ledger_load(&sched->waking_ns);

	return waking_ns > from_ns && waking_ns <= to_ns ? (uint32_t)(ledger_load(&sched->waker) >> 32) : 0;
}

static int work_subtract(struct thread_reading *t, struct kept *k, uint32_t *work_index, struct sample *out)
{
	const struct lt_record *r = t->record;
	struct kept_work *w = k->work;
	uint64_t time_ns[LT_STATES], wall_ns = t->end_ns > k->end_ns ? t->end_ns - k->end_ns : 0;
	struct sample_work work = { 0 }, *to;
	int err = 0;

	if (!w)
		w = work_begin(k, &r->who);
	if (!w || work_catch_up(t, k, w))
		return -ENOMEM;
	memcpy(time_ns, t->now.time_ns, sizeof(time_ns));
	if (LT_WORD_STATE(t->now.word) < LT_STATES && t->end_ns > LT_WORD_SINCE(t->now.word))
		time_ns[LT_WORD_STATE(t->now.word)] +=
			t->end_ns - LT_WORD_SINCE(t->now.word) - t->now.wait.throttled_ns;
	time_ns[LT_THROTTLED] += t->now.wait.throttled_ns;
	if (t->memory->with_sched) {
		counter_delta_times(work.time_ns, time_ns, w->time_ns);
		memcpy(w->time_ns, time_ns, sizeof(w->time_ns));
	}
	counter_delta(&work.counter[LT_SCHED_FIRST], &t->now.counter[LT_SCHED_FIRST], &w->counter[LT_SCHED_FIRST],
		      LT_N_SCHED);
	ledger_parts_subtract(&work.counter[LT_PARTS_FIRST], &t->now.counter[LT_PARTS_FIRST],
			      &w->counter[LT_PARTS_FIRST], work.time_ns);
	w->end_ns = t->end_ns;
	err = dists_subtract(t, w, &work, out);
	if (!err)
		err = ledger_whom_subtract(t->memory, r, &w->because, t->now.word, t->end_ns, &work, out);
	if (t->memory->with_calls && !t->now.calls_torn && !err) {
		bool calls_moved = t->now.calls != w->calls || t->now.enter_ns || w->calls_clipped;

		counter_delta(&work.counter[LT_CALLS_FIRST], &t->now.counter[LT_CALLS_FIRST],
			      &w->counter[LT_CALLS_FIRST], LT_N_CALLS);
		if (calls_moved)
			err = calls_subtract(t, w, &work, out);
		if (calls_moved && !err && t->memory->estimated && t->memory->with_sched)
			estimates_clip(&work, out);
		if (calls_moved && !err) {
			calls_clip(w, &work, wall_ns, out);
			if (t->memory->with_sched)
				waits_clip(w, &work, wall_ns, out);
		}
		k->again |= w->calls_clipped;
	}
	work.waker = waker_of(&r->sched, k->end_ns, t->end_ns);
	if (!err && r->calls.uses_net)
		err = net_subtract(w, net_at(t->memory, t->slot), &work);
	if (err)
		return err;
	to = sample_add_work(out);
	if (!to)
		return -ENOMEM;
	*to = work;
	*work_index = out->n_works - 1;
	return 0;
}

static bool sleeps(uint32_t state)
{
	return state < LT_STATES && state != LT_RUN && !LT_FOR_CPU(state);
}

static int thread_subtract(struct thread_reading *t, struct kept *k, uint32_t *work_index, struct sample *out)
{
	const struct ledger_memory *m = t->memory;
	uint64_t word = t->now.word, since = LT_WORD_SINCE(word);
	uint32_t state = LT_WORD_STATE(word);
	bool in_call = m->with_calls || (m->with_sched && sleeps(state)); /* what is kept of its call is valid */
	int err;

	if (in_call && !read_calls(t->record, &t->now)) {
		(*t->torn)++;
		k->again = t->now.calls_torn = true;
	}
	t->dead = state == LT_DEAD;
	if (t->dead)
		t->end_ns = since;
	if (k->work || t->dead || state == LT_RUN || t->now.calls || since != t->now.born_ns ||
	    t->record->calls.uses_net || !m->with_sched) {
		err = work_subtract(t, k, work_index, out);
		if (err)
			return err;
	}
	if (!t->now.calls_torn) {
		k->enter_ns = in_call ? t->now.enter_ns : 0;
		k->call = t->now.call;
		k->at_least = t->now.at_least;
	}
	k->word = word;
	return 0;
}

/* States whose time is read while they last: a part of it is counted apart. */
static bool has_parts(const struct lt_record *r, uint32_t state)
{
	return state == LT_RUN || LT_FOR_CPU(state) || state == LT_DISK || (r->sched.focus && LT_HAS_WHOM(state));
}

int ledger_thread_subtract(const struct ledger_memory *m, struct kept *k, uint32_t slot, uint64_t t_ns, uint32_t epoch,
			   struct sample *out, uint64_t *torn)
{
	uint64_t word = ledger_load(word_at(m, slot));
	struct sample_thread thread = { .work = SAMPLE_NONE }, *to;
	const struct lt_record *record = record_at(m, slot);
	struct thread_reading t; /* large: zeroed only for threads that did something */
	bool throttled = false;
	int err;

	t.end_ns = t_ns == LEDGER_LAST ? LT_WORD_SINCE(word) : t_ns;
	if (k->word != word || has_parts(record, LT_WORD_STATE(word)) || k->again || !m->with_sched) {
		t = (struct thread_reading){
			.memory = m, .torn = torn, .record = record, .slot = slot, .epoch = epoch, .end_ns = t.end_ns
		};
		k->again = !read_sched(m, slot, t.record, t_ns, &t.now);
		if (k->again) {
			(*torn)++;
			k->word = k->word ? k->word : word;
		} else {
			err = thread_subtract(&t, k, &thread.work, out);
			if (err)
				return err;
		}
		throttled = t.now.wait.throttled;
	}
	thread.call = k->enter_ns ? k->call : LT_CALL_NONE;
	thread.call_age_ns = k->enter_ns && t.end_ns > k->enter_ns ? t.end_ns - k->enter_ns : 0;
	thread.wall_ns = t.end_ns > k->end_ns ? t.end_ns - k->end_ns : 0;
	thread.state = throttled ? LT_THROTTLED : (uint8_t)LT_WORD_STATE(k->word);
	thread.flags = (uint8_t)((k->at_least ? SAMPLE_THREAD_AT_LEAST : 0) |
				 (LT_WORD_STATE(k->word) == LT_DEAD ? SAMPLE_THREAD_DEAD : 0));
	if (t.end_ns > k->end_ns)
		k->end_ns = t.end_ns;
	to = sample_add_thread(out);
	if (!to)
		return -ENOMEM;
	*to = thread;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads one record consistently and subtracts what it said last time.
 *
 * A reading of `sched` is whole if the word is the same before and after and Σ time_ns ==
 * since − born; of `calls`, if seq is even and unchanged. At most TRIES attempts; then the last
 * reading's values stand, the thread's wall time waits for the next one, and `torn` grows.
 * A thread asleep under the same word did nothing: its record is not touched.
 */
#include "ledger_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"

#define TRIES 100

#define FEW 3

/* Bucket counts of a histogram at the last reading; those not kept are 0. There are very many of them, and most calls
 * take about the same time each time. */
struct kept_hist {
	union {
		uint32_t few[FEW]; /* of bucket[] */
		uint32_t *counts;  /* of bucket[0] and those that follow it */
	} __attribute__((packed, aligned(4)));
	uint8_t n; /* more than FEW: of counts */
	uint8_t bucket[FEW];
};

struct kept_errnos {
	uint32_t n;
	struct sample_errno of[];
};

struct kept_call {
	uint32_t call;
	uint32_t errors;
	uint64_t count, total_ns;
	uint64_t time_ns, wait_ns; /* with the part of a call going on */
	struct kept_hist latency;
	struct kept_errnos *errnos; /* NULL: it never failed */
};

struct kept_work {
	uint64_t time_ns[LT_STATES]; /* with the part of the state going on */
	uint64_t voluntary, involuntary, wakeups, migrations;
	uint64_t calls, call_errors, call_total_ns;
	struct lt_net *net; /* NULL: it never moved a byte */
	struct kept_hist runq, service;
	struct kept_call *call;
	uint32_t n_calls;
	bool exit_counted;
	uint64_t end_ns; /* up to when the open parts above are charged */
};

/* One consistent copy of a record's numbers. */
struct reading {
	uint64_t word, born_ns;
	uint64_t time_ns[LT_STATES];
	uint64_t voluntary, involuntary, wakeups, migrations;
	uint64_t call_enter_ns, call_wait_ns;
	uint64_t seq, enter_ns;
	uint32_t call;
	bool at_least;
	uint64_t calls, call_errors, call_total_ns;
};

static void hist_forget(struct kept_hist *h)
{
	if (h->n > FEW)
		free(h->counts);
	*h = (struct kept_hist){ 0 };
}

static uint32_t *hist_find(struct kept_hist *h, uint32_t bucket)
{
	if (h->n > FEW)
		return bucket - h->bucket[0] < h->n ? &h->counts[bucket - h->bucket[0]] : NULL;
	for (uint32_t i = 0; i < h->n; i++) {
		if (h->bucket[i] == bucket)
			return &h->few[i];
	}
	return NULL;
}

/* More than a few buckets: all from the lowest to the highest. */
static int hist_spread(struct kept_hist *h, uint32_t bucket)
{
	uint32_t first = bucket, end = bucket + 1, *counts;

	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		if (!hist_find(h, b))
			continue;
		first = b < first ? b : first;
		end = b + 1 > end ? b + 1 : end;
	}
	counts = calloc(end - first, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	for (uint32_t b = first; b < end; b++)
		counts[b - first] = hist_find(h, b) ? *hist_find(h, b) : 0;
	hist_forget(h);
	*h = (struct kept_hist){ .counts = counts, .n = (uint8_t)(end - first), .bucket = { (uint8_t)first } };
	return 0;
}

static uint32_t *hist_slot(struct kept_hist *h, uint32_t bucket)
{
	uint32_t *slot = hist_find(h, bucket);

	if (slot)
		return slot;
	if (h->n < FEW) {
		h->bucket[h->n] = (uint8_t)bucket;
		return &h->few[h->n++];
	}
	return hist_spread(h, bucket) ? NULL : hist_find(h, bucket);
}

/* A count is 0 now that was not: only then do the zeros have to be looked at. */
static bool hist_wrapped(const struct kept_hist *h, const struct lt_hist *now)
{
	for (uint32_t i = 0; i < h->n; i++) {
		uint32_t last = h->n > FEW ? h->counts[i] : h->few[i];

		if (last && !now->count[h->n > FEW ? h->bucket[0] + i : h->bucket[i]])
			return true;
	}
	return false;
}

/* Writes what the histogram grew by as sparse buckets. */
static int hist_subtract(struct kept_hist *kept, const struct lt_hist *now, uint64_t max_ns, struct sample_dist *dist,
			 struct sample *out)
{
	bool wrapped = hist_wrapped(kept, now);

	dist->first = out->n_buckets;
	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		uint32_t count = __atomic_load_n(&now->count[b], __ATOMIC_RELAXED), *last;
		struct sample_bucket *bucket;

		if (!count && !(wrapped && hist_find(kept, b)))
			continue;
		last = hist_slot(kept, b);
		if (!last)
			return -ENOMEM;
		if (count == *last)
			continue;
		bucket = sample_add_bucket(out);
		if (!bucket)
			return -ENOMEM;
		bucket->bucket = b;
		bucket->count = count - *last;
		*last = count;
	}
	dist->n = out->n_buckets - dist->first;
	dist->max_ns = dist->n ? max_ns : 0;
	return 0;
}

/* The maximum of an interval; of a dead thread, whose interval the reader may have ended meanwhile, of both. */
static uint64_t max_of(const struct lt_max *max, uint32_t epoch, bool dead)
{
	uint64_t ns = max->epoch[epoch & 1] == epoch ? max->ns[epoch & 1] : 0;

	if (dead && max->epoch[(epoch + 1) & 1] == epoch + 1 && max->ns[(epoch + 1) & 1] > ns)
		ns = max->ns[(epoch + 1) & 1];
	return ns;
}

void ledger_thread_forget(struct kept *k)
{
	if (k->work) {
		for (uint32_t i = 0; i < k->work->n_calls; i++) {
			hist_forget(&k->work->call[i].latency);
			free(k->work->call[i].errnos);
		}
		free(k->work->call);
		free(k->work->net);
		hist_forget(&k->work->runq);
		hist_forget(&k->work->service);
		free(k->work);
	}
	memset(k, 0, sizeof(*k));
}

static bool read_sched(const struct ledger_memory *m, uint32_t slot, const struct lt_record *r, struct reading *now)
{
	const struct lt_sched *sched = &r->sched;

	for (int try = 0; try < TRIES; try++) {
		uint64_t sum = 0;

		now->word = load(word_at(m, slot));
		now->born_ns = load(&r->who.born_ns);
		for (int i = 0; i < LT_STATES; i++) {
			now->time_ns[i] = load(&sched->time_ns[i]);
			sum += now->time_ns[i];
		}
		now->voluntary = load(&sched->voluntary);
		now->involuntary = load(&sched->involuntary);
		now->wakeups = load(&sched->wakeups);
		now->migrations = load(&sched->migrations);
		now->call_enter_ns = load(&sched->call_enter_ns);
		now->call_wait_ns = load(&sched->call_wait_ns);
		if (!m->with_sched)
			return true;
		if (load(word_at(m, slot)) == now->word && sum == LT_WORD_SINCE(now->word) - now->born_ns)
			return true;
	}
	return false;
}

static bool read_calls(const struct lt_record *r, struct reading *now)
{
	const struct lt_calls *calls = &r->calls;

	for (int try = 0; try < TRIES; try++) {
		now->seq = load(&calls->seq);
		now->enter_ns = load(&calls->enter_ns);
		now->call = __atomic_load_n(&calls->call, __ATOMIC_ACQUIRE);
		now->at_least = __atomic_load_n(&calls->at_least, __ATOMIC_ACQUIRE);
		now->calls = load(&calls->count);
		now->call_errors = load(&calls->errors);
		now->call_total_ns = load(&calls->total_ns);
		if (!(now->seq & 1) && load(&calls->seq) == now->seq && load(&calls->enter_ns) == now->enter_ns)
			return true;
	}
	return false;
}

/* What a state's time grew by. A state that ended just before the last reading's T, but was written after it,
 * was charged up to T: the few ns come off the state that followed, so that the sum stays the wall time. */
static void time_subtract(uint64_t to[LT_STATES], const uint64_t now[LT_STATES], const uint64_t last[LT_STATES])
{
	uint64_t over = 0;

	for (int i = 0; i < LT_STATES; i++) {
		if (now[i] >= last[i]) {
			to[i] = now[i] - last[i];
		} else {
			to[i] = 0;
			over += last[i] - now[i];
		}
	}
	while (over) {
		int most = 0;
		uint64_t take;

		for (int i = 1; i < LT_STATES; i++) {
			if (to[i] > to[most])
				most = i;
		}
		take = to[most] < over ? to[most] : over;
		if (!take)
			break;
		to[most] -= take;
		over -= take;
	}
}

static struct kept_call *kept_call_of(struct kept_work *w, uint32_t call)
{
	struct kept_call *grown;

	for (uint32_t i = 0; i < w->n_calls; i++) {
		if (w->call[i].call == call)
			return &w->call[i];
	}
	/* No room beforehand: threads seldom make a call for the first time, and there are many threads. */
	grown = realloc(w->call, (w->n_calls + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	w->call = grown;
	memset(&w->call[w->n_calls], 0, sizeof(*w->call));
	w->call[w->n_calls].call = call;
	return &w->call[w->n_calls++];
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

/* An entry's errnos: the first few in it, more in a companion further on in the same chain. */
static int errnos_subtract(const struct ledger_memory *m, const struct lt_calls *calls, const struct lt_call *entry,
			   struct kept_call *k, struct sample_call *to, struct sample *out)
{
	uint32_t at, call = entry->call;
	int err = 0;

	to->first_errno = out->n_errnos;
	for (int i = 0; !err && i < LT_ERRNOS && entry->errors_by[i].error; i++)
		err = errno_subtract(k, entry->errors_by[i].error, entry->errors_by[i].count, to, out);
	if (err || !entry->errors_by[LT_ERRNOS - 1].error)
		return err;
	for (at = calls->head[call & (LT_CALL_HEADS - 1)]; at; at = call_at(m, at - 1)->next) {
		const struct lt_call *more = call_at(m, at - 1);

		if (more->call != (call | LT_CALL_ERRNOS))
			continue;
		for (int i = 0; !err && i < LT_MORE_ERRNOS && more->more_errors[i].error; i++)
			err = errno_subtract(k, more->more_errors[i].error, more->more_errors[i].count, to, out);
	}
	return err;
}

/* A call and its thread, read at one moment. */
struct call_reading {
	uint64_t enter_ns, count, total_ns, wait_ns;
	uint32_t call, errors;
};

static bool read_call(const struct lt_calls *calls, const struct lt_call *entry, struct call_reading *now)
{
	static const struct lt_call none;
	uint64_t seq;

	if (!entry)
		entry = &none;
	for (int try = 0; try < TRIES; try++) {
		seq = load(&calls->seq);
		now->enter_ns = load(&calls->enter_ns);
		now->call = __atomic_load_n(&calls->call, __ATOMIC_ACQUIRE);
		now->count = load(&entry->count);
		now->total_ns = load(&entry->total_ns);
		now->wait_ns = load(&entry->wait_ns);
		now->errors = __atomic_load_n(&entry->errors, __ATOMIC_ACQUIRE);
		if (!(seq & 1) && load(&calls->seq) == seq && load(&calls->enter_ns) == now->enter_ns)
			return true;
	}
	return false;
}

struct thread_reading {
	const struct ledger_memory *memory;
	uint64_t *torn;
	const struct lt_record *record;
	struct reading now;
	uint64_t end_ns;
	uint32_t epoch;
	bool dead;
};

/* One call of one thread; entry NULL: it never returned yet. */
static int call_subtract(struct thread_reading *t, struct kept_work *w, uint32_t call, const struct lt_call *entry,
			 struct sample *out)
{
	const struct lt_calls *calls = &t->record->calls;
	struct call_reading now;
	struct kept_call *k;
	struct sample_call *to, row = { .call = call };
	uint64_t open_ns = 0, open_wait_ns = 0;
	bool exits;
	int err;

	k = kept_call_of(w, call);
	if (!k)
		return -ENOMEM;
	if (!read_call(calls, entry, &now)) {
		(*t->torn)++;
		return 0;
	}
	if (now.enter_ns && now.call == call && t->end_ns > now.enter_ns) {
		open_ns = t->end_ns - now.enter_ns;
		if (t->now.call_enter_ns == now.enter_ns)
			open_wait_ns = t->now.call_wait_ns;
		if (LT_WORD_STATE(t->now.word) != LT_RUN && t->end_ns > LT_WORD_SINCE(t->now.word))
			open_wait_ns += t->end_ns - LT_WORD_SINCE(t->now.word);
		if (open_wait_ns > open_ns)
			open_wait_ns = open_ns;
	}
	exits = now.enter_ns && now.call == call && lt_call_exits(LT_CALL_ABI(call), LT_CALL_NR(call));
	row.count = now.count - k->count;
	row.errors = now.errors - k->errors;
	row.total_ns = now.total_ns - k->total_ns;
	if (now.total_ns + open_ns > k->time_ns)
		row.time_ns = now.total_ns + open_ns - k->time_ns;
	if (now.wait_ns + open_wait_ns > k->wait_ns)
		row.wait_ns = now.wait_ns + open_wait_ns - k->wait_ns;
	if (row.wait_ns > row.time_ns) /* a switch that was missed: the next call has the wait of the one before */
		row.wait_ns = row.time_ns;
	if (!t->memory->with_sched)
		row.wait_ns = SAMPLE_UNKNOWN;
	k->count = now.count;
	k->errors = now.errors;
	k->total_ns = now.total_ns;
	k->time_ns = now.total_ns + open_ns;
	k->wait_ns = now.wait_ns + open_wait_ns;
	if (exits && !w->exit_counted) {
		row.count++;
		w->exit_counted = true;
	}
	/* A call that a handler interrupted may fail after the reading that counted it. */
	if (!row.count && !row.errors && !row.time_ns)
		return 0;
	if (entry && (row.count || row.errors)) {
		err = hist_subtract(&k->latency, &entry->latency, max_of(&entry->max, t->epoch, t->dead), &row.latency,
				    out);
		if (!err && row.errors)
			err = errnos_subtract(t->memory, calls, entry, k, &row, out);
		if (err)
			return err;
	}
	to = sample_add_call(out);
	if (!to)
		return -ENOMEM;
	*to = row;
	return 0;
}

static int calls_subtract(struct thread_reading *t, struct kept_work *w, struct sample_work *work, struct sample *out)
{
	const struct lt_calls *calls = &t->record->calls;
	bool open_seen = false;
	int err = 0;

	work->first_call = out->n_calls;
	for (int h = 0; h < LT_CALL_HEADS; h++) {
		uint32_t at = __atomic_load_n(&calls->head[h], __ATOMIC_ACQUIRE);

		while (at && !err) {
			const struct lt_call *entry = call_at(t->memory, at - 1);

			if (!(entry->call & LT_CALL_SPECIAL)) {
				open_seen |= entry->call == t->now.call;
				err = call_subtract(t, w, entry->call, entry, out);
			}
			at = entry->next;
		}
	}
	if (!err && t->now.enter_ns && !open_seen)
		err = call_subtract(t, w, t->now.call, NULL, out);
	work->n_calls = out->n_calls - work->first_call;
	return err;
}

static int net_subtract(struct kept_work *w, const struct lt_net *now_in_map, struct sample_work *work)
{
	static const struct lt_net none;
	struct lt_net now = *now_in_map, *last = w->net;

	if (!last) {
		if (!memcmp(&now, &none, sizeof(now)))
			return 0;
		last = w->net = calloc(1, sizeof(*last));
		if (!last)
			return -ENOMEM;
	}
	for (int i = 0; i < LT_PROTOS; i++) {
		work->flow[i].tx_bytes = now.by[i].tx_bytes - last->by[i].tx_bytes;
		work->flow[i].rx_bytes = now.by[i].rx_bytes - last->by[i].rx_bytes;
		work->flow[i].tx_ops = now.by[i].tx_ops - last->by[i].tx_ops;
		work->flow[i].rx_ops = now.by[i].rx_ops - last->by[i].rx_ops;
	}
	work->connects = now.connects - last->connects;
	work->accepts = now.accepts - last->accepts;
	*last = now;
	return 0;
}

/* The counters at the last reading of a thread that is read in full for the first time since it did anything. */
static struct kept_work *work_begin(struct kept *k, const struct lt_who *who)
{
	struct kept_work *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->voluntary = who->base_voluntary;
	w->involuntary = who->base_involuntary;
	w->migrations = who->base_migrations;
	w->end_ns = who->born_ns;
	k->work = w;
	return w;
}

/* Readings that found the thread idle charged its state and its call on and on: so they stand in the totals. */
static int work_catch_up(struct kept *k, struct kept_work *w)
{
	uint64_t idle_ns = k->end_ns - w->end_ns, open_ns;
	struct kept_call *call;

	if (k->end_ns <= w->end_ns || !k->word)
		return 0;
	w->time_ns[LT_WORD_STATE(k->word)] += idle_ns;
	w->end_ns = k->end_ns;
	if (!k->enter_ns || k->enter_ns >= k->end_ns)
		return 0;
	call = kept_call_of(w, k->call);
	if (!call)
		return -ENOMEM;
	open_ns = k->end_ns - k->enter_ns < idle_ns ? k->end_ns - k->enter_ns : idle_ns;
	call->time_ns += open_ns;
	call->wait_ns += open_ns;
	return 0;
}

static int work_subtract(struct thread_reading *t, struct kept *k, uint32_t *work_index, struct sample *out)
{
	const struct lt_record *r = t->record;
	struct kept_work *w = k->work;
	uint64_t time_ns[LT_STATES];
	struct sample_work work = { 0 }, *to;
	int err = 0;

	if (!w)
		w = work_begin(k, &r->who);
	if (!w || work_catch_up(k, w))
		return -ENOMEM;
	memcpy(time_ns, t->now.time_ns, sizeof(time_ns));
	if (LT_WORD_STATE(t->now.word) < LT_STATES && t->end_ns > LT_WORD_SINCE(t->now.word))
		time_ns[LT_WORD_STATE(t->now.word)] += t->end_ns - LT_WORD_SINCE(t->now.word);
	if (t->memory->with_sched) {
		time_subtract(work.time_ns, time_ns, w->time_ns);
		memcpy(w->time_ns, time_ns, sizeof(w->time_ns));
	}
	work.voluntary = t->now.voluntary - w->voluntary;
	work.involuntary = t->now.involuntary - w->involuntary;
	work.migrations = t->now.migrations - w->migrations;
	work.wakeups = t->now.wakeups - w->wakeups;
	w->voluntary = t->now.voluntary;
	w->involuntary = t->now.involuntary;
	w->migrations = t->now.migrations;
	w->wakeups = t->now.wakeups;
	w->end_ns = t->end_ns;
	err = hist_subtract(&w->runq, &r->sched.runq, max_of(&r->sched.runq_max, t->epoch, t->dead), &work.runq, out);
	if (t->memory->with_calls && !err) {
		bool calls_moved = t->now.calls != w->calls || t->now.enter_ns;

		work.calls = t->now.calls - w->calls;
		work.call_errors = t->now.call_errors - w->call_errors;
		work.call_total_ns = t->now.call_total_ns - w->call_total_ns;
		w->calls = t->now.calls;
		w->call_errors = t->now.call_errors;
		w->call_total_ns = t->now.call_total_ns;
		err = hist_subtract(&w->service, &r->calls.service, max_of(&r->calls.service_max, t->epoch, t->dead),
				    &work.service, out);
		if (calls_moved && !err)
			err = calls_subtract(t, w, &work, out);
	}
	err = err ? err : net_subtract(w, &r->net, &work);
	if (err)
		return err;
	to = sample_add_work(out);
	if (!to)
		return -ENOMEM;
	*to = work;
	*work_index = out->n_works - 1;
	return 0;
}

int ledger_thread_subtract(const struct ledger_memory *m, struct kept *k, uint32_t slot, uint64_t t_ns, uint32_t epoch,
			   struct sample *out, uint64_t *torn)
{
	struct thread_reading t = { .memory = m, .torn = torn, .record = record_at(m, slot), .epoch = epoch };
	uint64_t word = load(word_at(m, slot)), since = LT_WORD_SINCE(word);
	struct sample_thread thread = { .work = SAMPLE_NONE }, *to;
	uint32_t state = LT_WORD_STATE(word);
	int err;

	if (k->word != word || state == LT_RUN || !m->with_sched) {
		bool whole = read_sched(m, slot, t.record, &t.now);

		if (whole && m->with_calls)
			whole = read_calls(t.record, &t.now);
		if (!whole) {
			/* The last values stand: no time passed for this thread, the next reading catches up. */
			(*torn)++;
			t.end_ns = k->end_ns;
			goto append;
		}
		word = t.now.word;
		since = LT_WORD_SINCE(word);
		state = LT_WORD_STATE(word);
		t.dead = state == LT_DEAD;
		t.end_ns = t.dead || since > t_ns ? since : t_ns;
		if (!m->with_sched && t.dead == false)
			t.end_ns = t_ns > k->end_ns ? t_ns : k->end_ns;
		if (k->work || t.dead || state == LT_RUN || t.now.calls || since != t.now.born_ns ||
		    t.record->net.by[0].tx_ops || !m->with_sched) {
			err = work_subtract(&t, k, &thread.work, out);
			if (err)
				return err;
		}
		k->enter_ns = m->with_calls ? t.now.enter_ns : 0;
		k->call = t.now.call;
		k->at_least = t.now.at_least;
		k->word = word;
	} else {
		t.end_ns = since > t_ns ? since : t_ns;
	}
append:
	thread.call = k->enter_ns ? k->call : LT_CALL_NONE;
	thread.call_age_ns = k->enter_ns && t.end_ns > k->enter_ns ? t.end_ns - k->enter_ns : 0;
	thread.wall_ns = t.end_ns > k->end_ns ? t.end_ns - k->end_ns : 0;
	thread.state = (uint8_t)LT_WORD_STATE(k->word);
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

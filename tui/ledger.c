/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading, subtracting, burying. For each slot the ledger keeps what its record said last time:
 * the word and the end of the time accounted for (dense, one line per thread), and, once the
 * thread has done anything, its counters. A thread asleep under the same word did nothing: its
 * record is not touched.
 *
 * A reading of `sched` is whole if the word is the same before and after and Σ time_ns ==
 * since − born; of `calls`, if seq is even and unchanged. At most TRIES attempts; then the last
 * reading's values stand, the thread's wall time waits for the next one, and `torn` grows.
 */
#include "ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <uthash.h>

#include "calls.h"

#define TRIES 100
#define PENDING_LIMIT (256U << 20) /* bytes of buried threads that may wait for a reading */

/* Bucket counts of a histogram at the last reading: [first, first + n), the others are 0. */
struct kept_hist {
	uint32_t *count;
	uint8_t first, n;
};

struct kept_call {
	uint32_t call;
	uint32_t errors;
	uint64_t count, total_ns;
	uint64_t time_ns, wait_ns; /* with the part of a call going on */
	struct kept_hist latency;
	struct sample_errno *errnos;
	uint32_t n_errnos;
};

struct kept_work {
	uint64_t time_ns[LT_STATES]; /* with the part of the state going on */
	uint64_t voluntary, involuntary, wakeups, migrations;
	uint64_t calls, call_errors, call_total_ns;
	struct lt_net net;
	struct kept_hist runq, service;
	struct kept_call *call;
	uint32_t n_calls;
	bool exit_counted;
	uint64_t end_ns; /* up to when the open parts above are charged */
};

struct process;

struct kept {
	uint64_t word, end_ns;
	uint64_t enter_ns; /* the call going on; 0: none */
	struct process *process;
	struct kept_work *work;
	uint32_t next, prev; /* slot + 1 of the neighbours in its process's list */
	uint32_t tid, call, changes;
	bool at_least;
	uint8_t flags;
	uint64_t start_ns;
	char comm[16];
};

struct process_key {
	uint64_t start_ns;
	uint64_t pid;
};

struct process {
	struct process_key key;
	UT_hash_handle hh;
	uint32_t first, last;	       /* slot + 1 */
	uint32_t live;		       /* threads */
	uint32_t first_dead, n_dead;   /* index + 1 into ledger.dead.threads, chained by ledger.dead_next */
	uint32_t last_dead;
	uint32_t ppid, uid, flags;
	int32_t exit_status;
	bool group_exit, stale; /* stale: read the names again */
	char comm[16];
	char *cmdline, *cgroup;
};

struct ledger {
	struct ledger_memory *memory;
	const struct ledger_names *names;
	struct kept **kept; /* one array of LT_CHUNK per chunk */
	uint32_t n_kept;
	struct process *processes; /* uthash */
	struct process **order;	   /* by pid, start */
	uint32_t n_order, cap_order;
	bool resort;
	struct sample dead;   /* buried since the last reading */
	uint32_t *dead_next;  /* parallel to dead.threads: index + 1 of the process's next */
	uint32_t cap_dead_next;
	uint64_t torn, exits_lost;
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

static struct lt_record *record_at(const struct ledger_memory *m, uint32_t slot)
{
	return &m->chunks[slot >> LT_CHUNK_SHIFT]->record[slot & (LT_CHUNK - 1)];
}

static uint64_t *word_at(const struct ledger_memory *m, uint32_t slot)
{
	return (uint64_t *)&m->chunks[slot >> LT_CHUNK_SHIFT]->word[slot & (LT_CHUNK - 1)];
}

static struct lt_call *call_at(const struct ledger_memory *m, uint32_t index)
{
	return &m->call_chunks[index >> LT_CALL_CHUNK_SHIFT]->call[index & (LT_CALL_CHUNK - 1)];
}

static struct kept *kept_at(const struct ledger *l, uint32_t slot)
{
	return &l->kept[slot >> LT_CHUNK_SHIFT][slot & (LT_CHUNK - 1)];
}

static uint64_t load(const void *p)
{
	return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
}

/* Puts a chain first → … → last (already linked) on a free list. */
static void stack_push(struct lt_stack *stack, uint32_t first, __u32 *last_next, uint32_t n)
{
	uint64_t old = load(&stack->head), want;

	do {
		*last_next = (uint32_t)old;
		want = ((old >> 32) + 1) << 32 | (first + 1);
	} while (!__atomic_compare_exchange_n((uint64_t *)&stack->head, &old, want, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_ACQUIRE));
	__atomic_store_n((uint64_t *)&stack->given, stack->given + n, __ATOMIC_RELEASE);
}

/* The kernel side raises its alarm when half of what is free now is gone. */
static void stack_set_low(struct lt_stack *stack)
{
	uint64_t left = stack->given - load(&stack->taken);

	__atomic_store_n((uint64_t *)&stack->low, left / 2, __ATOMIC_RELEASE);
}

void ledger_give(struct ledger_memory *m, uint32_t first, uint32_t n)
{
	if (!n)
		return;
	for (uint32_t i = first; i + 1 < first + n; i++)
		record_at(m, i)->who.next_free = i + 2;
	stack_push(m->free, first, &record_at(m, first + n - 1)->who.next_free, n);
	stack_set_low(m->free);
}

void ledger_give_calls(struct ledger_memory *m, uint32_t first, uint32_t n)
{
	if (!n)
		return;
	for (uint32_t i = first; i + 1 < first + n; i++)
		call_at(m, i)->next = i + 2;
	stack_push(m->free_calls, first, &call_at(m, first + n - 1)->next, n);
	stack_set_low(m->free_calls);
}

static void hist_forget(struct kept_hist *h)
{
	free(h->count);
	memset(h, 0, sizeof(*h));
}

static uint32_t *hist_slot(struct kept_hist *h, uint32_t bucket)
{
	uint32_t first, n, *grown;

	if (h->count && bucket >= h->first && bucket < (uint32_t)h->first + h->n)
		return &h->count[bucket - h->first];
	first = h->count && h->first < bucket ? h->first : bucket;
	n = (h->count && h->first + h->n - 1u > bucket ? h->first + h->n - 1u : bucket) - first + 1;
	grown = calloc(n, sizeof(*grown));
	if (!grown)
		return NULL;
	if (h->count)
		memcpy(grown + (h->first - first), h->count, h->n * sizeof(*grown));
	free(h->count);
	h->count = grown;
	h->first = (uint8_t)first;
	h->n = (uint8_t)n;
	return &grown[bucket - first];
}

/* Writes what the histogram grew by as sparse buckets. */
static int hist_subtract(struct kept_hist *kept, const struct lt_hist *now, uint64_t max_ns, struct sample_dist *dist,
			 struct sample *out)
{
	dist->first = out->n_buckets;
	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		uint32_t count = __atomic_load_n(&now->count[b], __ATOMIC_RELAXED), *last;
		struct sample_bucket *bucket;

		if (!count && !(kept->count && b >= kept->first && b < (uint32_t)kept->first + kept->n))
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

static void kept_forget(struct kept *k)
{
	if (k->work) {
		for (uint32_t i = 0; i < k->work->n_calls; i++) {
			hist_forget(&k->work->call[i].latency);
			free(k->work->call[i].errnos);
		}
		free(k->work->call);
		hist_forget(&k->work->runq);
		hist_forget(&k->work->service);
		free(k->work);
	}
	memset(k, 0, sizeof(*k));
}

struct ledger *ledger_new(struct ledger_memory *memory, const struct ledger_names *names)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (l) {
		l->memory = memory;
		l->names = names;
	}
	return l;
}

static void process_free(struct ledger *l, struct process *p)
{
	HASH_DELETE(hh, l->processes, p);
	free(p->cmdline);
	free(p->cgroup);
	free(p);
}

void ledger_free(struct ledger *l)
{
	struct process *p, *next;

	if (!l)
		return;
	for (uint32_t i = 0; i < l->n_kept; i++) {
		for (uint32_t j = 0; j < LT_CHUNK; j++)
			kept_forget(&l->kept[i][j]);
		free(l->kept[i]);
	}
	free(l->kept);
	HASH_ITER(hh, l->processes, p, next)
	process_free(l, p);
	free(l->order);
	free(l->dead_next);
	sample_free(&l->dead);
	free(l);
}

static int ensure_kept(struct ledger *l)
{
	struct kept **grown;

	while (l->n_kept < l->memory->n_chunks) {
		grown = realloc(l->kept, (l->n_kept + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->kept = grown;
		l->kept[l->n_kept] = calloc(LT_CHUNK, sizeof(struct kept));
		if (!l->kept[l->n_kept])
			return -ENOMEM;
		l->n_kept++;
	}
	return 0;
}

static struct process *process_of(struct ledger *l, const struct lt_who *who)
{
	struct process_key key = { .start_ns = who->process_start_ns, .pid = who->tgid };
	struct process *p, **grown;

	HASH_FIND(hh, l->processes, &key, sizeof(key), p);
	if (p)
		return p;
	if (l->n_order == l->cap_order) {
		uint32_t cap = l->cap_order ? l->cap_order * 2 : 256;

		grown = realloc(l->order, cap * sizeof(*grown));
		if (!grown)
			return NULL;
		l->order = grown;
		l->cap_order = cap;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->key = key;
	p->ppid = who->ppid;
	p->uid = who->uid;
	p->stale = true;
	p->flags = who->flags & LT_KTHREAD ? SAMPLE_PROCESS_KERNEL : 0;
	memcpy(p->comm, who->comm, sizeof(p->comm));
	HASH_ADD(hh, l->processes, key, sizeof(key), p);
	l->order[l->n_order++] = p;
	l->resort = true;
	return p;
}

/* A slot seen for the first time: joins its process, its leader in front. */
static int join(struct ledger *l, uint32_t slot, const struct lt_record *r)
{
	struct kept *k = kept_at(l, slot);
	struct process *p = process_of(l, &r->who);

	if (!p)
		return -ENOMEM;
	k->process = p;
	k->tid = r->who.tid;
	k->start_ns = r->who.start_ns;
	k->end_ns = r->who.born_ns;
	k->call = LT_CALL_NONE;
	k->changes = ~0U;
	if (r->who.tid == r->who.tgid || !p->last) {
		k->next = p->first;
		if (p->first)
			kept_at(l, p->first - 1)->prev = slot + 1;
		p->first = slot + 1;
		if (!p->last)
			p->last = slot + 1;
	} else {
		k->prev = p->last;
		kept_at(l, p->last - 1)->next = slot + 1;
		p->last = slot + 1;
	}
	p->live++;
	return 0;
}

static void leave(struct ledger *l, uint32_t slot)
{
	struct kept *k = kept_at(l, slot);
	struct process *p = k->process;

	if (k->prev)
		kept_at(l, k->prev - 1)->next = k->next;
	else
		p->first = k->next;
	if (k->next)
		kept_at(l, k->next - 1)->prev = k->prev;
	else
		p->last = k->prev;
	p->live--;
}

/* exec, rename or new credentials: the record's names are newer than the ledger's. */
static void names_update(struct kept *k, const struct lt_who *who)
{
	struct process *p = k->process;
	bool leader = who->tid == who->tgid;

	if (leader)
		p->stale = true;
	k->changes = who->changes;
	k->tid = who->tid;
	k->start_ns = who->start_ns;
	memcpy(k->comm, who->comm, sizeof(k->comm));
	k->comm[sizeof(k->comm) - 1] = '\0';
	if (leader) {
		memcpy(p->comm, k->comm, sizeof(p->comm));
		p->uid = who->uid;
	}
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
	/* Room for a power of two. */
	if (!(w->n_calls & (w->n_calls - 1))) {
		grown = realloc(w->call, (w->n_calls ? w->n_calls * 2 : 1) * sizeof(*grown));
		if (!grown)
			return NULL;
		w->call = grown;
	}
	memset(&w->call[w->n_calls], 0, sizeof(*w->call));
	w->call[w->n_calls].call = call;
	return &w->call[w->n_calls++];
}

static int errno_subtract(struct kept_call *k, uint32_t error, uint32_t count, struct sample_call *to,
			  struct sample *out)
{
	struct sample_errno *last = NULL, *grown, *e;

	for (uint32_t i = 0; i < k->n_errnos; i++) {
		if (k->errnos[i].error == error)
			last = &k->errnos[i];
	}
	if (!last) {
		grown = realloc(k->errnos, (k->n_errnos + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		k->errnos = grown;
		last = &k->errnos[k->n_errnos++];
		last->error = error;
		last->count = 0;
	}
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
	struct ledger *l;
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
		t->l->torn++;
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
	if (!t->l->memory->with_sched)
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
	if (!row.count && !row.time_ns)
		return 0;
	if (entry && row.count) {
		err = hist_subtract(&k->latency, &entry->latency, max_of(&entry->max, t->epoch, t->dead), &row.latency,
				    out);
		if (!err && row.errors)
			err = errnos_subtract(t->l->memory, calls, entry, k, &row, out);
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
			const struct lt_call *entry = call_at(t->l->memory, at - 1);

			if (!(entry->call & LT_CALL_ERRNOS)) {
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

static void net_subtract(struct lt_net *last, const struct lt_net *now_in_map, struct sample_work *work)
{
	struct lt_net now = *now_in_map;

	for (int i = 0; i < LT_PROTOS; i++) {
		work->flow[i].tx_bytes = now.by[i].tx_bytes - last->by[i].tx_bytes;
		work->flow[i].rx_bytes = now.by[i].rx_bytes - last->by[i].rx_bytes;
		work->flow[i].tx_ops = now.by[i].tx_ops - last->by[i].tx_ops;
		work->flow[i].rx_ops = now.by[i].rx_ops - last->by[i].rx_ops;
	}
	work->connects = now.connects - last->connects;
	work->accepts = now.accepts - last->accepts;
	*last = now;
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
	if (t->l->memory->with_sched) {
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
	if (t->l->memory->with_calls && !err) {
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
	net_subtract(&w->net, &r->net, &work);
	if (err)
		return err;
	to = sample_add_work(out);
	if (!to)
		return -ENOMEM;
	*to = work;
	*work_index = out->n_works - 1;
	return 0;
}

/* Appends one thread's interval to out->threads. 1: appended; 0: nothing to append yet; -ENOMEM. */
static int thread_subtract(struct ledger *l, uint32_t slot, uint64_t t_ns, uint32_t epoch, struct sample *out)
{
	const struct ledger_memory *m = l->memory;
	struct thread_reading t = { .l = l, .record = record_at(m, slot), .epoch = epoch };
	struct kept *k = kept_at(l, slot);
	uint64_t word = load(word_at(m, slot)), since = LT_WORD_SINCE(word);
	struct sample_thread thread = { .work = SAMPLE_NONE }, *to;
	uint32_t state = LT_WORD_STATE(word);
	int err;

	if (!k->process && join(l, slot, t.record))
		return -ENOMEM;
	if (k->changes != t.record->who.changes)
		names_update(k, &t.record->who);
	if (k->word != word || state == LT_RUN || !m->with_sched) {
		bool whole = read_sched(m, slot, t.record, &t.now);

		if (whole && m->with_calls)
			whole = read_calls(t.record, &t.now);
		if (!whole) {
			/* The last values stand: no time passed for this thread, the next reading catches up. */
			l->torn++;
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
	thread.tid = k->tid;
	thread.call = k->enter_ns ? k->call : LT_CALL_NONE;
	thread.call_age_ns = k->enter_ns && t.end_ns > k->enter_ns ? t.end_ns - k->enter_ns : 0;
	thread.wall_ns = t.end_ns > k->end_ns ? t.end_ns - k->end_ns : 0;
	thread.start_ns = k->start_ns;
	thread.state = (uint8_t)LT_WORD_STATE(k->word);
	thread.flags = (uint8_t)((k->at_least ? SAMPLE_THREAD_AT_LEAST : 0) |
				 (LT_WORD_STATE(k->word) == LT_DEAD ? SAMPLE_THREAD_DEAD : 0));
	memcpy(thread.comm, k->comm, sizeof(thread.comm));
	if (t.end_ns > k->end_ns)
		k->end_ns = t.end_ns;
	to = sample_add_thread(out);
	if (!to)
		return -ENOMEM;
	*to = thread;
	return 1;
}

/* Zeroes a record and its call entries and gives them back. */
static void recycle(struct ledger *l, uint32_t slot)
{
	struct ledger_memory *m = l->memory;
	struct lt_record *r = record_at(m, slot);

	for (int h = 0; h < LT_CALL_HEADS; h++) {
		uint32_t at = r->calls.head[h], next;

		for (; at; at = next) {
			struct lt_call *entry = call_at(m, at - 1);

			next = entry->next;
			memset(entry, 0, sizeof(*entry));
			stack_push(m->free_calls, at - 1, &entry->next, 1);
		}
	}
	memset(r, 0, sizeof(*r));
	__atomic_store_n(word_at(m, slot), 0, __ATOMIC_RELEASE);
	stack_push(m->free, slot, &r->who.next_free, 1);
}

static int bury(struct ledger *l, uint32_t slot, uint32_t epoch)
{
	struct kept *k = kept_at(l, slot);
	const struct lt_who *who = &record_at(l->memory, slot)->who;
	uint32_t index = l->dead.n_threads, *grown;
	struct process *p;
	int err;

	if (l->dead.n_works * sizeof(struct sample_work) + l->dead.n_calls * sizeof(struct sample_call) >
	    PENDING_LIMIT) {
		l->exits_lost++;
		err = k->process ? 0 : join(l, slot, record_at(l->memory, slot));
	} else {
		err = thread_subtract(l, slot, 0, epoch, &l->dead);
	}
	if (err < 0)
		return err;
	p = k->process;
	if (who->flags & LT_GROUP_EXIT) {
		p->exit_status = who->exit_status;
		p->group_exit = true;
	} else if (who->tid == who->tgid && !p->group_exit) {
		p->exit_status = who->exit_status;
	}
	p->ppid = who->ppid;
	p->uid = who->uid;
	if (err) {
		if (index >= l->cap_dead_next) {
			grown = realloc(l->dead_next, l->dead.cap_threads * sizeof(*grown));
			if (!grown)
				return -ENOMEM;
			l->dead_next = grown;
			l->cap_dead_next = l->dead.cap_threads;
		}
		l->dead_next[index] = 0;
		if (p->last_dead)
			l->dead_next[p->last_dead - 1] = index + 1;
		else
			p->first_dead = index + 1;
		p->last_dead = index + 1;
		p->n_dead++;
	}
	leave(l, slot);
	kept_forget(k);
	recycle(l, slot);
	return 0;
}

static uint32_t slots(const struct ledger_memory *m)
{
	uint32_t all = m->n_chunks * LT_CHUNK;

	return m->limit && m->limit < all ? m->limit : all;
}

void ledger_drain(struct ledger *l, uint32_t epoch)
{
	uint32_t n = slots(l->memory);

	if (ensure_kept(l))
		return;
	for (uint32_t slot = 0; slot < n; slot++) {
		uint64_t word = load(word_at(l->memory, slot));

		if (LT_WORD_STATE(word) == LT_DEAD) {
			if (bury(l, slot, epoch))
				break;
		} else if (LT_WORD_STATE(word) == LT_VOID) {
			recycle(l, slot);
		}
	}
	stack_set_low(l->memory->free);
	stack_set_low(l->memory->free_calls);
}

static int copy_dist(struct sample *to, const struct sample *from, struct sample_dist *dist)
{
	uint32_t first = to->n_buckets;

	for (uint32_t i = 0; i < dist->n; i++) {
		struct sample_bucket *b = sample_add_bucket(to);

		if (!b)
			return -ENOMEM;
		*b = from->buckets[dist->first + i];
	}
	dist->first = first;
	return 0;
}

/* Moves a buried thread into the reading. */
static int copy_thread(struct sample *to, const struct sample *from, uint32_t index, uint32_t process)
{
	struct sample_thread thread = from->threads[index], *added;
	int err = 0;

	if (thread.work != SAMPLE_NONE) {
		struct sample_work work = from->works[thread.work], *w;
		uint32_t first_call = to->n_calls;

		err = copy_dist(to, from, &work.runq);
		err = err ? err : copy_dist(to, from, &work.service);
		for (uint32_t i = 0; !err && i < work.n_calls; i++) {
			struct sample_call call = from->calls[work.first_call + i], *c;
			uint32_t first_errno = to->n_errnos;

			err = copy_dist(to, from, &call.latency);
			for (uint32_t e = 0; !err && e < call.n_errnos; e++) {
				struct sample_errno *to_errno = sample_add_errno(to);

				if (!to_errno)
					err = -ENOMEM;
				else
					*to_errno = from->errnos[call.first_errno + e];
			}
			call.first_errno = first_errno;
			c = err ? NULL : sample_add_call(to);
			if (!c)
				return -ENOMEM;
			*c = call;
		}
		work.first_call = first_call;
		w = err ? NULL : sample_add_work(to);
		if (!w)
			return -ENOMEM;
		*w = work;
		thread.work = to->n_works - 1;
	}
	thread.process = process;
	added = sample_add_thread(to);
	if (!added)
		return -ENOMEM;
	*added = thread;
	return 0;
}

static void replace_text(char **text, size_t (*get)(uint32_t, char *, size_t), uint32_t pid)
{
	char buf[4096];
	size_t len = get(pid, buf, sizeof(buf) - 1);

	if (!len)
		return;
	buf[len] = '\0';
	free(*text);
	*text = strdup(buf);
}

static void names_read(struct ledger *l, struct process *p)
{
	if (!p->stale || !p->live || !l->names)
		return;
	p->stale = false;
	if (!(p->flags & SAMPLE_PROCESS_KERNEL))
		replace_text(&p->cmdline, l->names->cmdline, (uint32_t)p->key.pid);
	replace_text(&p->cgroup, l->names->cgroup, (uint32_t)p->key.pid);
}

static uint32_t text_add(struct sample *s, const char *text)
{
	return text ? sample_add_text(s, text, strlen(text)) : 0;
}

static int emit(struct ledger *l, struct process *p, uint64_t t_ns, uint32_t epoch, struct sample *s)
{
	uint32_t index = s->n_processes, slot;
	struct sample_process *to = sample_add_process(s);
	int err;

	if (!to)
		return -ENOMEM;
	to->first_thread = s->n_threads;
	for (slot = p->first; slot; slot = kept_at(l, slot - 1)->next) {
		/* Died since it was last looked at: the next drain buries it. */
		if (LT_WORD_STATE(load(word_at(l->memory, slot - 1))) == LT_DEAD)
			continue;
		err = thread_subtract(l, slot - 1, t_ns, epoch, s);
		if (err < 0)
			return err;
		if (err)
			s->threads[s->n_threads - 1].process = index;
	}
	for (uint32_t dead = p->first_dead; dead; dead = l->dead_next[dead - 1]) {
		err = copy_thread(s, &l->dead, dead - 1, index);
		if (err)
			return err;
	}
	p->first_dead = p->last_dead = p->n_dead = 0;
	names_read(l, p);
	to = &s->processes[index];
	to->n_threads = s->n_threads - to->first_thread;
	to->pid = (uint32_t)p->key.pid;
	to->start_ns = p->key.start_ns;
	to->ppid = p->ppid;
	to->uid = p->uid;
	to->threads = p->live;
	to->flags = p->flags;
	to->sockets.retransmits = SAMPLE_UNKNOWN;
	to->sockets.srtt_ns = SAMPLE_UNKNOWN;
	if (!p->live) {
		to->flags |= SAMPLE_PROCESS_EXITED;
		to->exit_code = WIFSIGNALED(p->exit_status) ? -WTERMSIG(p->exit_status) : WEXITSTATUS(p->exit_status);
	}
	to->comm = sample_add_text(s, p->comm, strnlen(p->comm, sizeof(p->comm)));
	to->cmdline = text_add(s, p->cmdline);
	to->cgroup = text_add(s, p->cgroup);
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

	if (x->key.pid != y->key.pid)
		return x->key.pid < y->key.pid ? -1 : 1;
	return x->key.start_ns < y->key.start_ns ? -1 : x->key.start_ns > y->key.start_ns;
}

static bool lives(const struct ledger *l, uint32_t pid)
{
	uint32_t low = 0, high = l->n_order;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (l->order[mid]->key.pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->n_order && l->order[low]->key.pid == pid;
}

/* Forgets the exited; their children have a new parent. */
static void forget_exited(struct ledger *l)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n_order; i++) {
		if (l->order[i]->live)
			l->order[n++] = l->order[i];
		else
			process_free(l, l->order[i]);
	}
	if (n == l->n_order)
		return;
	l->n_order = n;
	for (uint32_t i = 0; i < n; i++) {
		struct process *p = l->order[i];

		if (p->ppid && l->names && !lives(l, p->ppid))
			p->ppid = l->names->ppid((uint32_t)p->key.pid);
	}
}

int ledger_read(struct ledger *l, uint64_t t_ns, uint32_t epoch, struct sample *s)
{
	uint32_t n = slots(l->memory);
	int err = ensure_kept(l);

	if (err)
		return err;
	ledger_drain(l, epoch);
	for (uint32_t slot = 0; slot < n; slot++) {
		uint64_t word = load(word_at(l->memory, slot));

		if (!word || LT_WORD_STATE(word) >= LT_STATES || kept_at(l, slot)->process)
			continue;
		err = join(l, slot, record_at(l->memory, slot));
		if (err)
			return err;
	}
	if (l->resort)
		qsort(l->order, l->n_order, sizeof(*l->order), by_pid);
	l->resort = false;
	for (uint32_t i = 0; i < l->n_order; i++) {
		err = emit(l, l->order[i], t_ns, epoch, s);
		if (err)
			return err;
	}
	sample_clear(&l->dead);
	forget_exited(l);
	s->lost.torn = l->torn;
	s->lost.exits = l->exits_lost;
	l->torn = l->exits_lost = 0;
	return 0;
}

void ledger_refresh(struct ledger *l, const uint32_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < l->n_order; j++) {
			if (l->order[j]->key.pid == pids[i])
				l->order[j]->stale = true;
		}
	}
}

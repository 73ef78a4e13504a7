/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes and their threads, from creation to exit. A slot belongs to a thread until it is reaped, so
 * the data kept for threads is in arrays parallel to the records; processes are found by pid and start.
 * An exited thread's last numbers wait in a sample of their own until the next reading.
 */
#include "ledger.h"

#include "entries.h"
#include "grow.h"
#include "ledger_names.h"
#include "ledger_thread.h"
#include "stack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define REFRESH 128	/* command lines reread per reading, since a process may overwrite its own */
#define PARENT_LOOKS 64 /* per reading: a process may create any number of orphans */
#define GENERATIONS 16	/* of processes created since the last reading that are searched for a name */

struct process;

struct process_key {
	uint64_t start_ns;
	uint64_t pid;
};

struct process {
	struct process_key key;
	UT_hash_handle hh;
	uint32_t first, last;	     /* slot + 1 */
	uint32_t live;		     /* threads */
	uint32_t first_dead, n_dead; /* index + 1 into ledger.dead.threads, chained by ledger.dead_next */
	uint32_t last_dead;
	uint32_t ppid, birth_ppid, uid, flags;
	int32_t exit_status;
	bool group_exit, ran; /* ran: since the last reading */
	uint8_t focus;	      /* of its threads' records */
	bool ended;	      /* its last thread exited; else others live on that have no record */
	bool execs;	      /* it called exec since the last reading */
	char comm[16];
	struct lt_killer killer;
	struct naming names;
};

struct ledger {
	struct ledger_memory *memory;
	struct namings names;
	struct kept **kept; /* one array of LT_CHUNK per chunk */
	uint32_t n_kept, cap_kept;
	struct process *processes; /* uthash */
	struct process **order;	   /* by pid, start */
	uint32_t n_order, cap_order;
	uint32_t n_ordered; /* sorted ones among them: those of the last reading */
	bool resort;
	struct ledger_activity *activity; /* by process of the last reading */
	uint32_t cap_activity;
	struct sample dead;  /* reaped since the last reading */
	uint32_t *dead_next; /* parallel to dead.threads: index + 1 of the process's next */
	uint32_t cap_dead_next;
	uint64_t torn, exits_lost;
	uint32_t renames;
	bool renamed;	      /* sleeping threads, too, may have new names */
	uint32_t refresh_pid; /* the next process whose command line is read again */
};

static struct kept *kept_at(const struct ledger *l, uint32_t slot)
{
	return &l->kept[slot >> LT_CHUNK_SHIFT][slot & (LT_CHUNK - 1)];
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

/* The next slot from this one on whose chunk is there. */
static uint32_t present(const struct ledger_memory *m, uint32_t slot, uint32_t n)
{
	while (slot < n && !m->chunks[slot >> LT_CHUNK_SHIFT])
		slot = (slot | (LT_CHUNK - 1)) + 1;
	return slot;
}

const struct lt_record *ledger_displaced(const struct ledger_memory *m, uint64_t since_ns)
{
	uint32_t n = m->n_chunks * LT_CHUNK;

	for (uint32_t slot = 0; (slot = present(m, slot, n)) < n; slot++)
		if (*word_at(m, slot) == LT_WORD(since_ns, LT_PREEMPT))
			return record_at(m, slot);
	return NULL;
}

struct ledger *ledger_new(struct ledger_memory *memory, const struct ledger_names *names)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (l) {
		l->memory = memory;
		l->names.from = names;
	}
	return l;
}

static void process_free(struct ledger *l, struct process *p)
{
	HASH_DELETE(hh, l->processes, p);
	naming_free(&p->names);
	free(p);
}

void ledger_forget(struct ledger *l, uint32_t chunk)
{
	if (chunk >= l->n_kept || !l->kept[chunk])
		return;
	for (uint32_t i = 0; i < LT_CHUNK; i++)
		ledger_thread_forget(&l->kept[chunk][i]);
	free(l->kept[chunk]);
	l->kept[chunk] = NULL;
}

void ledger_free(struct ledger *l)
{
	struct process *p, *next;

	if (!l)
		return;
	for (uint32_t i = 0; i < l->n_kept; i++)
		ledger_forget(l, i);
	free(l->kept);
	HASH_ITER(hh, l->processes, p, next)
	process_free(l, p);
	namings_free(&l->names);
	free(l->order);
	free(l->activity);
	free(l->dead_next);
	sample_free(&l->dead);
	free(l);
}

static int ensure_kept(struct ledger *l)
{
	if (!GROW(l->kept, l->cap_kept, l->memory->n_chunks))
		return -ENOMEM;
	while (l->n_kept < l->memory->n_chunks)
		l->kept[l->n_kept++] = NULL;
	for (uint32_t i = 0; i < l->memory->n_chunks; i++) {
		if (!l->kept[i] && l->memory->chunks[i])
			l->kept[i] = calloc(LT_CHUNK, sizeof(struct kept));
		if (!l->kept[i] && l->memory->chunks[i])
			return -ENOMEM;
	}
	return 0;
}

/* All threads outside of the pid namespace that is shown are one process, with pid 0. */
static bool outside(const struct process *p)
{
	return p->key.pid == 0;
}

static struct process *process_find(const struct ledger *l, uint32_t pid, uint64_t start_ns)
{
	struct process_key key = { .start_ns = start_ns, .pid = pid };
	struct process *p;

	HASH_FIND(hh, l->processes, &key, sizeof(key), p);
	return p;
}

static struct process *process_of(struct ledger *l, const struct lt_who *who)
{
	struct process_key key = { .start_ns = who->process_start_ns, .pid = who->tgid };
	struct process *p = process_find(l, who->tgid, who->process_start_ns);

	if (p)
		return p;
	if (!GROW(l->order, l->cap_order, l->n_order + 1))
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->key = key;
	p->ppid = who->ppid;
	p->birth_ppid = who->birth_ppid;
	p->uid = who->uid;
	p->flags = who->flags & LT_KTHREAD ? SAMPLE_PROCESS_KERNEL : 0;
	p->names.group = who->cgroup;
	naming_want(&p->names, LEDGER_CGROUP);
	naming_want(&p->names, who->flags & LT_KTHREAD ? LEDGER_COMM : LEDGER_CMDLINE);
	memcpy(p->comm, who->comm, sizeof(p->comm));
	if (outside(p)) { /* it has no properties of its first thread */
		p->uid = p->flags = 0;
		snprintf(p->comm, sizeof(p->comm), "outside");
	}
	HASH_ADD(hh, l->processes, key, sizeof(key), p);
	if (!p->hh.tbl) {
		naming_free(&p->names);
		free(p);
		return NULL;
	}
	l->order[l->n_order++] = p;
	l->resort = true;
	return p;
}

/* Searches the last reading for the youngest process with that pid that started no later than start_ns. NULL: none. */
static struct process *process_by_pid(const struct ledger *l, uint32_t pid, uint64_t start_ns)
{
	uint32_t low = 0, high = l->n_ordered;

	while (low < high) {
		uint32_t mid = (low + high) / 2;
		const struct process_key *key = &l->order[mid]->key;

		if (key->pid < pid || (key->pid == pid && key->start_ns <= start_ns))
			low = mid + 1;
		else
			high = mid;
	}
	return low && l->order[low - 1]->key.pid == pid ? l->order[low - 1] : NULL;
}

uint64_t ledger_start_of(const struct ledger *l, uint32_t pid)
{
	const struct process *p = process_by_pid(l, pid, UINT64_MAX);

	return p ? p->key.start_ns : 0;
}

void ledger_focus(struct ledger *l, uint32_t pid, uint64_t start_ns, uint8_t focus)
{
	struct process *p = process_find(l, pid, start_ns);

	if (!p)
		return;
	p->focus = focus;
	for (uint32_t slot = p->first; slot; slot = kept_at(l, slot - 1)->next)
		record_at(l->memory, slot - 1)->sched.focus = focus;
}

/* A slot seen for the first time: joins its process, its leader in front. */
static int join(struct ledger *l, uint32_t slot, struct lt_record *r)
{
	struct kept *k = kept_at(l, slot);
	struct process *p = process_of(l, &r->who);

	if (!p)
		return -ENOMEM;
	k->process = p;
	r->sched.focus = p->focus;
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

/* After exec, rename, new credentials or another control group the record is newer than the ledger. */
static void names_update(const struct ledger *l, struct kept *k, const struct lt_record *r)
{
	const struct lt_who *who = &r->who;
	struct process *p = k->process;

	k->changes = who->changes;
	k->tid = who->tid;
	k->start_ns = who->start_ns;
	memcpy(k->comm, who->comm, sizeof(k->comm));
	k->comm[sizeof(k->comm) - 1] = '\0';
	if (who->tid != who->tgid || outside(p))
		return;
	memcpy(p->comm, k->comm, sizeof(p->comm));
	p->uid = who->uid;
	if (!(p->flags & SAMPLE_PROCESS_KERNEL))
		naming_forget_comm(&p->names);
	p->execs |= who->flags & LT_EXECED && !p->names.execed;
	p->names.execed |= (who->flags & LT_EXECED) != 0;
	p->execs |= naming_exec(&p->names, &l->names, entry_of(l->memory, &r->calls, LT_CALL_ARGS));
	naming_move(&p->names, who->cgroup);
	naming_want(&p->names, p->flags & SAMPLE_PROCESS_KERNEL ? LEDGER_COMM : LEDGER_CMDLINE);
}

/* Appends one thread to out->threads. 0 or -ENOMEM. */
static int subtract(struct ledger *l, uint32_t slot, uint64_t t_ns, uint32_t epoch, struct sample *out)
{
	struct lt_record *r = record_at(l->memory, slot);
	struct kept *k = kept_at(l, slot);
	struct sample_thread *to;
	uint64_t word;
	int err;

	if (!k->process && join(l, slot, r))
		return -ENOMEM;
	word = k->word;
	err = ledger_thread_subtract(l->memory, k, slot, t_ns, epoch, out, &l->torn);
	if (err)
		return err;
	/* Only a thread that runs can exec or change its credentials; reading the record of each sleeping thread would
	 * cost more than all the rest. After the kept word was read: a thread that ran since then has a different word
	 * at the next reading. */
	if ((k->word != word || LT_WORD_STATE(word) == LT_RUN || !l->memory->with_sched || l->renamed) &&
	    k->changes != r->who.changes)
		names_update(l, k, r);
	to = &out->threads[out->n_threads - 1];
	to->tid = k->tid;
	to->start_ns = k->start_ns;
	memcpy(to->comm, k->comm, sizeof(to->comm));
	return 0;
}

/* Zeroes a record and its call entries and frees them. */
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
			entries_put(m, at - 1);
		}
	}
	if (r->calls.uses_net)
		memset(net_at(m, slot), 0, sizeof(struct lt_net));
	if (r->sched.uses_parts)
		memset(parts_at(m, slot), 0, sizeof(struct lt_parts));
	memset(r, 0, sizeof(*r));
	__atomic_store_n(word_at(m, slot), 0, __ATOMIC_RELEASE);
	stack_push(m->free, slot, &r->who.next_free, 1);
}

static size_t pending_bytes(const struct sample *s)
{
	return s->n_threads * sizeof(*s->threads) + s->n_works * sizeof(*s->works) + s->n_calls * sizeof(*s->calls) +
	       s->n_buckets * sizeof(*s->buckets) + s->n_errnos * sizeof(*s->errnos) + s->n_peers * sizeof(*s->peers) +
	       s->n_because * sizeof(*s->because);
}

static void killer_take(struct process *p, const struct lt_call *entry)
{
	if (!entry || outside(p))
		return;
	p->killer = entry->killer;
	p->killer.comm[sizeof(p->killer.comm) - 1] = '\0';
}

static int reap(struct ledger *l, uint32_t slot, uint32_t epoch)
{
	struct kept *k = kept_at(l, slot);
	const struct lt_who *who = &record_at(l->memory, slot)->who;
	uint32_t index = l->dead.n_threads;
	struct process *p;
	int err;

	if (pending_bytes(&l->dead) > l->memory->pending_bytes) {
		l->exits_lost++;
		/* No process is created for it either: there may be very many before the next reading. */
		if (!k->process && !process_find(l, who->tgid, who->process_start_ns)) {
			recycle(l, slot);
			return 0;
		}
		err = k->process ? 0 : join(l, slot, record_at(l->memory, slot));
	} else {
		err = subtract(l, slot, LEDGER_LAST, epoch, &l->dead);
	}
	if (err)
		return err;
	p = k->process;
	p->ended |= (who->flags & LT_LAST) != 0;
	if (who->flags & LT_GROUP_EXIT) {
		p->exit_status = who->exit_status;
		p->group_exit = true;
	} else if (who->tid == who->tgid && !p->group_exit) {
		p->exit_status = who->exit_status;
	}
	if (!outside(p)) {
		p->ppid = who->ppid;
		p->uid = who->uid;
	}
	killer_take(p, entry_of(l->memory, &record_at(l->memory, slot)->calls, LT_CALL_KILLER));
	if (k->changes != who->changes)
		names_update(l, k, record_at(l->memory, slot));
	if (l->dead.n_threads > index) {
		if (!GROW(l->dead_next, l->cap_dead_next, index + 1))
			return -ENOMEM;
		l->dead_next[index] = 0;
		if (p->last_dead)
			l->dead_next[p->last_dead - 1] = index + 1;
		else
			p->first_dead = index + 1;
		p->last_dead = index + 1;
		p->n_dead++;
	}
	leave(l, slot);
	ledger_thread_forget(k);
	recycle(l, slot);
	return 0;
}

static bool died_by(uint64_t word, uint64_t t_ns)
{
	return LT_WORD_STATE(word) == LT_DEAD && LT_WORD_SINCE(word) <= t_ns;
}

static uint32_t slots(const struct ledger_memory *m)
{
	uint32_t all = m->n_chunks * LT_CHUNK;

	return m->limit && m->limit < all ? m->limit : all;
}

/* Threads that exited by t_ns. */
static void drain(struct ledger *l, uint64_t t_ns, uint32_t epoch)
{
	uint32_t n = slots(l->memory);

	if (ensure_kept(l))
		return;
	for (uint32_t slot = 0; (slot = present(l->memory, slot, n)) < n; slot++) {
		uint64_t word = ledger_load(word_at(l->memory, slot));

		if (died_by(word, t_ns)) {
			if (reap(l, slot, epoch))
				break;
		} else if (LT_WORD_STATE(word) == LT_VOID) {
			/* A reading between its first word and this one may have joined it. */
			if (kept_at(l, slot)->process)
				leave(l, slot);
			ledger_thread_forget(kept_at(l, slot));
			recycle(l, slot);
		}
	}
	stack_set_low(l->memory->free);
	entries_feed(l->memory);
}

void ledger_drain(struct ledger *l, uint32_t epoch)
{
	drain(l, LEDGER_LAST, epoch);
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

static int copy_peers(struct sample *to, const struct sample *from, struct sample_work *work)
{
	uint32_t first = to->n_peers;

	for (uint32_t i = 0; i < work->n_peers; i++) {
		struct sample_peer peer = from->peers[work->first_peer + i], *p;

		p = copy_dist(to, from, &peer.upstream) ? NULL : sample_add_peer(to);
		if (!p)
			return -ENOMEM;
		*p = peer;
	}
	work->first_peer = first;
	return 0;
}

static int copy_because(struct sample *to, const struct sample *from, struct sample_work *work)
{
	uint32_t first = to->n_because;

	for (uint32_t i = 0; i < work->n_because; i++) {
		struct sample_because *b = sample_add_because(to);

		if (!b)
			return -ENOMEM;
		*b = from->because[work->first_because + i];
	}
	work->first_because = first;
	return 0;
}

/* Moves a reaped thread into the reading. */
static int copy_thread(struct sample *to, const struct sample *from, uint32_t index, uint32_t process)
{
	struct sample_thread thread = from->threads[index], *added;
	int err = 0;

	if (thread.work != SAMPLE_NONE) {
		struct sample_work work = from->works[thread.work], *w;
		uint32_t first_call = to->n_calls;

		for (int i = 0; i < LT_THREAD_DISTS && !err; i++)
			err = copy_dist(to, from, &work.dist[i]);
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
		if (!err)
			err = copy_peers(to, from, &work);
		if (!err)
			err = copy_because(to, from, &work);
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

static uint32_t text_add(struct sample *s, const struct text *text)
{
	return text ? sample_add_text(s, text->bytes, text->n) : 0;
}

#define FOR_CPU (1U << LT_WAKEQ | 1U << LT_PREEMPT | 1U << LT_THROTTLED)
#define LAG (FOR_CPU | 1U << LT_DISK | 1U << LT_MEMORY | 1U << LT_BLOCK)

/* Adds the sample's newest thread. */
static void activity_add(struct ledger_activity *a, const struct sample *s)
{
	const struct sample_thread *t = &s->threads[s->n_threads - 1];
	const struct sample_work *w;

	if (t->work == SAMPLE_NONE) { /* it stayed in one state */
		if (FOR_CPU >> t->state & 1)
			a->for_cpu_ns += t->wall_ns;
		if (LAG >> t->state & 1)
			a->lag_ns += t->wall_ns;
		return;
	}
	w = &s->works[t->work];
	a->run_ns += w->time_ns[LT_RUN];
	a->calls += w->calls;
	a->switches += w->voluntary + w->involuntary;
	for (uint32_t state = 0; state < LT_STATES; state++) {
		if (FOR_CPU >> state & 1)
			a->for_cpu_ns += w->time_ns[state];
		if (LAG >> state & 1)
			a->lag_ns += w->time_ns[state];
	}
}

const struct ledger_activity *ledger_activity(const struct ledger *l)
{
	return l->activity;
}

static int emit(struct ledger *l, struct process *p, uint64_t t_ns, uint32_t epoch, struct sample *s)
{
	uint32_t index = s->n_processes, next;
	struct sample_process *to = sample_add_process(s);
	int err;

	if (!to || !GROW(l->activity, l->cap_activity, s->n_processes))
		return -ENOMEM;
	l->activity[index] = (struct ledger_activity){ 0 };
	to->first_thread = s->n_threads;
	for (uint32_t slot = p->first; slot; slot = next) {
		next = kept_at(l, slot - 1)->next;
		if (next) {
			__builtin_prefetch(kept_at(l, next - 1));
			__builtin_prefetch(word_at(l->memory, next - 1));
		}
		/* It exited just before T, but that was written after T. */
		if (died_by(ledger_load(word_at(l->memory, slot - 1)), t_ns)) {
			err = reap(l, slot - 1, epoch);
			if (err)
				return err;
			continue;
		}
		err = subtract(l, slot - 1, t_ns, epoch, s);
		if (err)
			return err;
		s->threads[s->n_threads - 1].process = index;
		p->ran |= s->threads[s->n_threads - 1].work != SAMPLE_NONE;
		activity_add(&l->activity[index], s);
	}
	for (uint32_t dead = p->first_dead; dead; dead = l->dead_next[dead - 1]) {
		err = copy_thread(s, &l->dead, dead - 1, index);
		if (err)
			return err;
		activity_add(&l->activity[index], s);
	}
	p->first_dead = p->last_dead = p->n_dead = 0;
	to = &s->processes[index];
	to->n_threads = s->n_threads - to->first_thread;
	to->pid = (uint32_t)p->key.pid;
	to->start_ns = p->key.start_ns;
	to->ppid = p->ppid;
	to->uid = p->uid;
	to->threads = p->live;
	to->flags = p->flags;
	to->execs = p->execs;
	p->execs = false;
	to->sockets.srtt_ns = to->sockets.answers.n = to->sockets.upstream.n = SAMPLE_UNKNOWN;
	if (!p->live && !p->ended) {
		to->threads = 1; /* at least */
	} else if (!p->live) {
		to->flags |= SAMPLE_PROCESS_EXITED;
		to->exit_code = WIFSIGNALED(p->exit_status) ? -WTERMSIG(p->exit_status) : WEXITSTATUS(p->exit_status);
		to->killed_by = p->killer.how;
		to->killer_pid = p->killer.pid;
		to->killer_comm = sample_add_text(s, p->killer.comm, strlen(p->killer.comm));
	}
	return 0;
}

/* The leader has exited, and its name is gone. */
static bool lost_leader(const struct ledger *l, const struct process *p)
{
	return p->live && !p->names.comm && kept_at(l, p->first - 1)->tid != p->key.pid;
}

/* Guesses the parent's names first, since the parent may be as new. */
static void names_guess(struct ledger *l, struct process *p, int generations)
{
	struct process *parent = process_by_pid(l, p->birth_ppid, p->key.start_ns);

	if (parent && parent != p && !parent->names.cmdline && generations)
		names_guess(l, parent, generations - 1);
	naming_guess(&p->names, &l->names, parent ? &parent->names : NULL);
}

static void names_complete(struct ledger *l, struct process *p)
{
	if (outside(p))
		return;
	names_guess(l, p, GENERATIONS);
	if (!p->live)
		return;
	if (lost_leader(l, p))
		naming_want(&p->names, LEDGER_COMM);
	naming_ask(&p->names, &l->names, (uint32_t)p->key.pid, p->key.start_ns);
	naming_in_use(&l->names, &p->names);
}

/* The process with the previous pid often runs the same program, and is mostly in the same cgroup. */
static void emit_names(struct ledger *l, struct process *p, struct sample *s, uint32_t index)
{
	const struct process *neighbour = index ? l->order[index - 1] : NULL;
	struct sample_process *to = &s->processes[index];
	const struct naming *n = &p->names, *before = neighbour ? &neighbour->names : NULL;

	if (before)
		naming_share(&p->names, before);
	to->comm = n->comm ? text_add(s, n->comm) : sample_add_text(s, p->comm, strnlen(p->comm, sizeof(p->comm)));
	to->cmdline = before && n->cmdline == before->cmdline ? to[-1].cmdline : text_add(s, n->cmdline);
	to->cgroup = before && n->cgroup == before->cgroup ? to[-1].cgroup : text_add(s, n->cgroup);
}

/* A few at a time, in turn, of the processes that ran since the last reading. */
static void refresh(struct ledger *l)
{
	uint32_t first = 0, left = REFRESH;

	while (first < l->n_order && l->order[first]->key.pid < l->refresh_pid)
		first++;
	for (uint32_t i = 0; i < l->n_order; i++) {
		struct process *p = l->order[(first + i) % l->n_order];

		if (!p->ran || !p->live || outside(p))
			continue;
		if (!left--) {
			l->refresh_pid = (uint32_t)p->key.pid;
			return;
		}
		p->ran = false;
		naming_want(&p->names, p->flags & SAMPLE_PROCESS_KERNEL ? LEDGER_COMM : LEDGER_CMDLINE);
	}
}

static int by_pid(const void *a, const void *b)
{
	const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

	if (x->key.pid != y->key.pid)
		return x->key.pid < y->key.pid ? -1 : 1;
	return x->key.start_ns < y->key.start_ns ? -1 : x->key.start_ns > y->key.start_ns;
}

static void forget_exited(struct ledger *l)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n_order; i++) {
		if (l->order[i]->live)
			l->order[n++] = l->order[i];
		else
			process_free(l, l->order[i]);
	}
	l->n_order = l->n_ordered = n;
}

/* Children of exited processes have a new parent: the first ones are read at once, the rest by lookups. */
static void want_parents(struct ledger *l)
{
	const struct ledger_names *from = l->names.from;
	uint32_t looks = PARENT_LOOKS;
	bool died = false;

	for (uint32_t i = 0; i < l->n_order && !died; i++)
		died = !l->order[i]->live;
	for (uint32_t i = 0; died && from && i < l->n_order; i++) {
		struct process *p = l->order[i];
		const struct process *parent = p->live && p->ppid ? process_by_pid(l, p->ppid, UINT64_MAX) : p;

		if (parent && (parent == p || parent->live))
			continue;
		if (!from->parent || !looks || !from->parent(from->ctx, (uint32_t)p->key.pid, &p->ppid))
			naming_want(&p->names, LEDGER_PARENT);
		looks -= looks > 0;
	}
}

/* Whether a slot's thread existed at t_ns. */
static bool lived_at(const struct ledger *l, uint32_t slot, uint64_t t_ns)
{
	uint64_t word = ledger_load(word_at(l->memory, slot));
	uint32_t state = LT_WORD_STATE(word);

	if (!word || (state >= LT_STATES && (state != LT_DEAD || LT_WORD_SINCE(word) <= t_ns)))
		return false;
	return ledger_load(&record_at(l->memory, slot)->who.born_ns) <= t_ns;
}

/* Slots allocated since the last call. 0 or -ENOMEM. */
static int join_new(struct ledger *l, uint64_t t_ns)
{
	uint32_t n = slots(l->memory);
	int err = 0;

	for (uint32_t slot = 0; !err && (slot = present(l->memory, slot, n)) < n; slot++) {
		if (!kept_at(l, slot)->process && lived_at(l, slot, t_ns))
			err = join(l, slot, record_at(l->memory, slot));
	}
	return err;
}

int ledger_read(struct ledger *l, uint64_t t_ns, uint32_t epoch, struct sample *s)
{
	uint32_t renames;
	int err = ensure_kept(l);

	if (err)
		return err;
	drain(l, t_ns, epoch);
	renames = __atomic_load_n(l->memory->renames, __ATOMIC_ACQUIRE);
	l->renamed = renames != l->renames;
	l->renames = renames;
	err = join_new(l, t_ns);
	if (err)
		return err;
	if (l->resort)
		qsort(l->order, l->n_order, sizeof(*l->order), by_pid);
	l->resort = false;
	l->n_ordered = l->n_order;
	want_parents(l);
	for (uint32_t i = 0; i < l->n_order; i++) {
		err = emit(l, l->order[i], t_ns, epoch, s);
		if (err)
			return err;
	}
	refresh(l);
	for (uint32_t i = 0; i < l->n_order; i++)
		names_complete(l, l->order[i]);
	for (uint32_t i = 0; i < l->n_order; i++)
		emit_names(l, l->order[i], s, i);
	namings_prune(&l->names);
	sample_clear(&l->dead);
	forget_exited(l);
	s->lost.torn = l->torn;
	s->lost.exits = l->exits_lost;
	l->torn = l->exits_lost = 0;
	return 0;
}

/* The group in the record, if it is newer than the known one. */
static void look_at_group(const struct ledger *l, struct process *p)
{
	const struct lt_who *who = p->live ? &record_at(l->memory, p->first - 1)->who : NULL;

	if (who && who->tid == who->tgid)
		naming_move(&p->names, who->cgroup);
}

void ledger_answer(struct ledger *l, const struct ledger_answer *answer)
{
	struct process *p = process_find(l, answer->pid, answer->start_ns);

	if (!p)
		return;
	look_at_group(l, p);
	naming_answer(&p->names, &l->names, answer);
	if (answer->name == LEDGER_PARENT && answer->n && p->live)
		p->ppid = (uint32_t)strtoul(answer->text, NULL, 10);
}

void ledger_moved(struct ledger *l, uint32_t pid, uint64_t start_ns)
{
	struct process *p;

	if (ensure_kept(l) || join_new(l, UINT64_MAX))
		return;
	p = process_find(l, pid, start_ns);
	if (!p || !p->live || outside(p))
		return;
	look_at_group(l, p);
	naming_ask(&p->names, &l->names, pid, start_ns);
}

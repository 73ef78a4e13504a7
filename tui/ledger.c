/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes, their threads, births and deaths. Slots map to threads until they are buried, so
 * what is kept of a thread lies in arrays like the records'; processes are found by pid and start.
 * A dead thread's last numbers wait in a sample of their own until the next reading.
 */
#include "entries.h"
#include "ledger_thread.h"
#include "stack.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

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
	uint32_t ppid, uid, flags;
	int32_t exit_status;
	bool group_exit, stale; /* stale: read the names again */
	char comm[16];
	struct text *cmdline, *cgroup;
};

struct ledger {
	struct ledger_memory *memory;
	const struct ledger_names *names;
	struct kept **kept; /* one array of LT_CHUNK per chunk */
	uint32_t n_kept;
	struct process *processes; /* uthash */
	struct process **order;	   /* by pid, start */
	uint32_t n_order, cap_order;
	uint32_t n_ordered; /* of them sorted: those of the last reading */
	bool resort;
	struct sample dead;  /* buried since the last reading */
	uint32_t *dead_next; /* parallel to dead.threads: index + 1 of the process's next */
	uint32_t cap_dead_next;
	uint64_t torn, exits_lost;
	uint32_t renames;
	bool renamed; /* the sleeping, too, may have new names */
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
	text_drop(p->cmdline);
	text_drop(p->cgroup);
	free(p);
}

void ledger_free(struct ledger *l)
{
	struct process *p, *next;

	if (!l)
		return;
	for (uint32_t i = 0; i < l->n_kept; i++) {
		for (uint32_t j = 0; j < LT_CHUNK; j++)
			ledger_thread_forget(&l->kept[i][j]);
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

/* All threads that live outside the pid namespace that is shown are one process, number 0. */
static bool outside(const struct process *p)
{
	return p->key.pid == 0;
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
	if (outside(p)) { /* of whichever comes first it has nothing */
		p->uid = p->flags = 0;
		snprintf(p->comm, sizeof(p->comm), "outside");
	}
	HASH_ADD(hh, l->processes, key, sizeof(key), p);
	if (!p->hh.tbl) {
		free(p);
		return NULL;
	}
	l->order[l->n_order++] = p;
	l->resort = true;
	return p;
}

/* By the order of the last reading. NULL: none of that number lived then. */
static struct process *process_by_pid(const struct ledger *l, uint32_t pid)
{
	uint32_t low = 0, high = l->n_ordered;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (l->order[mid]->key.pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->n_ordered && l->order[low]->key.pid == pid ? l->order[low] : NULL;
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
	bool leader = who->tid == who->tgid && !outside(p);

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

/* Appends one thread to out->threads. 0 or -ENOMEM. */
static int subtract(struct ledger *l, uint32_t slot, uint64_t t_ns, uint32_t epoch, struct sample *out)
{
	const struct lt_record *r = record_at(l->memory, slot);
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
	/* Execs, and changes its credentials, only who runs: a look into each sleeper's record would cost more than all
	 * else. After the word that is kept was read: who ran since then has another one at the next reading. */
	if ((k->word != word || LT_WORD_STATE(word) == LT_RUN || !l->memory->with_sched || l->renamed) &&
	    k->changes != r->who.changes)
		names_update(k, &r->who);
	to = &out->threads[out->n_threads - 1];
	to->tid = k->tid;
	to->start_ns = k->start_ns;
	memcpy(to->comm, k->comm, sizeof(to->comm));
	return 0;
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
			entries_put(m, at - 1);
		}
	}
	memset(r, 0, sizeof(*r));
	__atomic_store_n(word_at(m, slot), 0, __ATOMIC_RELEASE);
	stack_push(m->free, slot, &r->who.next_free, 1);
}

/* like: what it may be the same as. */
static void text_set(struct text **text, struct text *like, const char *bytes, size_t len)
{
	struct text *new = text_new(like, bytes, strnlen(bytes, len));

	if (!new)
		return;
	text_drop(*text);
	*text = new;
}

/* The command line that exec was given, if the record has it. */
static const struct lt_call *args_of(const struct ledger_memory *m, const struct lt_record *r)
{
	for (uint32_t at = r->calls.head[LT_CALL_ARGS & (LT_CALL_HEADS - 1)]; at; at = call_at(m, at - 1)->next) {
		if (call_at(m, at - 1)->call == LT_CALL_ARGS)
			return call_at(m, at - 1);
	}
	return NULL;
}

/* A process that is gone before its names were read: the record knows what exec was given; without an exec it
 * still is what its parent is. */
static void names_inherit(struct ledger *l, struct process *p, const struct lt_record *r)
{
	const struct lt_call *args = args_of(l->memory, r);
	const struct process *parent = process_by_pid(l, r->who.ppid);
	size_t len = args ? args->args_bytes : 0;
	char text[LT_ARGS_BYTES];

	if (!p->stale || outside(p))
		return;
	if (len && len <= sizeof(text)) {
		while (len && !args->args[len - 1])
			len--;
		for (size_t i = 0; i < len; i++)
			text[i] = args->args[i] ? args->args[i] : ' ';
		text_set(&p->cmdline, p->cmdline, text, len);
	} else if (!p->cmdline && parent) {
		p->cmdline = text_hold(parent->cmdline);
	}
	if (!p->cgroup && parent)
		p->cgroup = text_hold(parent->cgroup);
}

static size_t pending_bytes(const struct sample *s)
{
	return s->n_threads * sizeof(*s->threads) + s->n_works * sizeof(*s->works) + s->n_calls * sizeof(*s->calls) +
	       s->n_buckets * sizeof(*s->buckets) + s->n_errnos * sizeof(*s->errnos);
}

static int bury(struct ledger *l, uint32_t slot, uint32_t epoch)
{
	struct kept *k = kept_at(l, slot);
	const struct lt_who *who = &record_at(l->memory, slot)->who;
	uint32_t index = l->dead.n_threads, *grown;
	struct process *p;
	int err;

	if (pending_bytes(&l->dead) > l->memory->pending_bytes) {
		l->exits_lost++;
		err = k->process ? 0 : join(l, slot, record_at(l->memory, slot));
	} else {
		err = subtract(l, slot, LEDGER_LAST, epoch, &l->dead);
	}
	if (err)
		return err;
	p = k->process;
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
	if (who->tid == who->tgid)
		names_inherit(l, p, record_at(l->memory, slot));
	if (l->dead.n_threads > index) {
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

/* Those who died by t_ns. */
static void drain(struct ledger *l, uint64_t t_ns, uint32_t epoch)
{
	uint32_t n = slots(l->memory);

	if (ensure_kept(l))
		return;
	for (uint32_t slot = 0; slot < n; slot++) {
		uint64_t word = load(word_at(l->memory, slot));

		if (died_by(word, t_ns)) {
			if (bury(l, slot, epoch))
				break;
		} else if (LT_WORD_STATE(word) == LT_VOID) {
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

/* Moves a buried thread into the reading. */
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

static void replace_text(struct text **text, struct text *like, size_t (*get)(uint32_t, char *, size_t), uint32_t pid)
{
	char buf[4096];
	size_t len = get(pid, buf, sizeof(buf) - 1);

	if (!len)
		return;
	text_set(text, like, buf, len);
}

/* Who has the number before is often of the same program, and most often in the same cgroup. */
static void names_read(struct ledger *l, struct process *p, const struct process *neighbour)
{
	if (!p->stale || !p->live || !l->names || outside(p))
		return;
	p->stale = false;
	if (!(p->flags & SAMPLE_PROCESS_KERNEL))
		replace_text(&p->cmdline, neighbour ? neighbour->cmdline : NULL, l->names->cmdline,
			     (uint32_t)p->key.pid);
	replace_text(&p->cgroup, neighbour ? neighbour->cgroup : NULL, l->names->cgroup, (uint32_t)p->key.pid);
}

static uint32_t text_add(struct sample *s, const struct text *text)
{
	return text ? sample_add_text(s, text->bytes, text->n) : 0;
}

static int emit(struct ledger *l, struct process *p, uint64_t t_ns, uint32_t epoch, struct sample *s)
{
	uint32_t index = s->n_processes, slot, next;
	struct sample_process *to = sample_add_process(s);
	int err;

	if (!to)
		return -ENOMEM;
	to->first_thread = s->n_threads;
	for (slot = p->first; slot; slot = next) {
		next = kept_at(l, slot - 1)->next;
		if (next) {
			__builtin_prefetch(kept_at(l, next - 1));
			__builtin_prefetch(word_at(l->memory, next - 1));
		}
		/* A moment before T, but written after it. */
		if (died_by(load(word_at(l->memory, slot - 1)), t_ns)) {
			err = bury(l, slot - 1, epoch);
			if (err)
				return err;
			continue;
		}
		err = subtract(l, slot - 1, t_ns, epoch, s);
		if (err)
			return err;
		s->threads[s->n_threads - 1].process = index;
	}
	for (uint32_t dead = p->first_dead; dead; dead = l->dead_next[dead - 1]) {
		err = copy_thread(s, &l->dead, dead - 1, index);
		if (err)
			return err;
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
	to->sockets.srtt_ns = SAMPLE_UNKNOWN;
	if (!p->live) {
		to->flags |= SAMPLE_PROCESS_EXITED;
		to->exit_code = WIFSIGNALED(p->exit_status) ? -WTERMSIG(p->exit_status) : WEXITSTATUS(p->exit_status);
	}
	return 0;
}

/* Apart from the numbers: /proc is slow, and a reading's threads should be read close to its T. */
static void emit_names(struct ledger *l, struct process *p, struct sample *s, uint32_t index)
{
	const struct process *neighbour = index ? l->order[index - 1] : NULL;
	struct sample_process *to = &s->processes[index];

	names_read(l, p, neighbour);
	to->comm = sample_add_text(s, p->comm, strnlen(p->comm, sizeof(p->comm)));
	to->cmdline = neighbour && p->cmdline == neighbour->cmdline ? to[-1].cmdline : text_add(s, p->cmdline);
	to->cgroup = neighbour && p->cgroup == neighbour->cgroup ? to[-1].cgroup : text_add(s, p->cgroup);
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

/* Children of those who died have a new parent. */
static void ask_for_parents(struct ledger *l)
{
	bool died = false;

	for (uint32_t i = 0; i < l->n_order && !died; i++)
		died = !l->order[i]->live;
	for (uint32_t i = 0; died && l->names && i < l->n_order; i++) {
		struct process *p = l->order[i];
		const struct process *parent = p->live && p->ppid ? process_by_pid(l, p->ppid) : p;

		if (!parent || (parent != p && !parent->live))
			p->ppid = l->names->ppid((uint32_t)p->key.pid);
	}
}

/* Whether a slot's thread had been born by t_ns and was not yet dead. */
static bool lived_at(const struct ledger *l, uint32_t slot, uint64_t t_ns)
{
	uint64_t word = load(word_at(l->memory, slot));
	uint32_t state = LT_WORD_STATE(word);

	if (!word || (state >= LT_STATES && (state != LT_DEAD || LT_WORD_SINCE(word) <= t_ns)))
		return false;
	return load(&record_at(l->memory, slot)->who.born_ns) <= t_ns;
}

int ledger_read(struct ledger *l, uint64_t t_ns, uint32_t epoch, struct sample *s)
{
	uint32_t n = slots(l->memory), renames;
	int err = ensure_kept(l);

	if (err)
		return err;
	drain(l, t_ns, epoch);
	renames = __atomic_load_n(l->memory->renames, __ATOMIC_ACQUIRE);
	l->renamed = renames != l->renames;
	l->renames = renames;
	for (uint32_t slot = 0; slot < n; slot++) {
		if (kept_at(l, slot)->process || !lived_at(l, slot, t_ns))
			continue;
		err = join(l, slot, record_at(l->memory, slot));
		if (err)
			return err;
	}
	if (l->resort)
		qsort(l->order, l->n_order, sizeof(*l->order), by_pid);
	l->resort = false;
	l->n_ordered = l->n_order;
	ask_for_parents(l);
	for (uint32_t i = 0; i < l->n_order; i++) {
		err = emit(l, l->order[i], t_ns, epoch, s);
		if (err)
			return err;
	}
	for (uint32_t i = 0; i < l->n_order; i++)
		emit_names(l, l->order[i], s, i);
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

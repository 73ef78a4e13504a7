/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The focus of a live source: after each reading the processes that are looked at closely are chosen and their threads'
 * records marked; at the next one, who ran while they waited is read and given to their samples.
 */
#include "probe_kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static size_t array_bytes(const struct probe *p)
{
	return p->n_runqueues * sizeof(*p->focus_cpus);
}

int probe_focus_start(struct probe *p)
{
	void *at;

	if (!p->family[SAMPLE_SCHED].on)
		return 0;
	at = mmap(NULL, array_bytes(p), PROT_READ, MAP_SHARED, bpf_map__fd(p->skel->maps.lt_focus), 0);
	if (at == MAP_FAILED)
		return -errno;
	p->focus_cpus = at;
	return blame_init(&p->blame, p->n_runqueues);
}

void probe_focus_free(struct probe *p)
{
	if (p->focus_cpus)
		munmap((void *)(uintptr_t)p->focus_cpus, array_bytes(p));
	blame_free(&p->blame);
	free(p->asked);
}

void probe_focus_ask(struct probe *p, const struct source_process *asked, uint32_t n)
{
	struct source_process *copy = n ? malloc(n * sizeof(*copy)) : NULL;

	if (n && !copy)
		return;
	if (n)
		memcpy(copy, asked, n * sizeof(*copy));
	free(p->asked);
	p->asked = copy;
	p->n_asked = n;
}

static uint64_t start_of(void *ctx, uint32_t pid)
{
	const struct probe *p = ctx;

	return ledger_start_of(p->ledger, pid);
}

int probe_focus_read(struct probe *p, uint64_t now_ns)
{
	if (!p->focus_cpus)
		return 0;
	return blame_read(&p->blame, p->focus_cpus, p->queues, start_of, p, now_ns);
}

static int by_identity(const void *x, const void *y)
{
	const struct sample_process *a = x, *b = y;

	return a->pid != b->pid ? (a->pid > b->pid) - (a->pid < b->pid)
				: (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

static struct sample_process *find(const struct sample *s, uint32_t pid, uint64_t start_ns)
{
	const struct sample_process key = { .pid = pid, .start_ns = start_ns };

	return s->n_processes ? bsearch(&key, s->processes, s->n_processes, sizeof(key), by_identity) : NULL;
}

static int add_because(struct sample *s, const struct blame_charge *c)
{
	const struct sample_process *who = c->kind == SAMPLE_BLAME_CPU ? find(s, c->pid, c->start_ns) : NULL;
	struct sample_because *b = sample_add_because(s);

	if (!b)
		return -ENOMEM;
	*b = (struct sample_because){
		.kind = c->kind, .pid = c->pid, .start_ns = c->start_ns, .ns = (uint64_t)c->ns, .state = LT_WAKEQ
	};
	if (who)
		strncpy(b->comm, sample_text(s, who->comm), sizeof(b->comm) - 1);
	return 0;
}

/* The greatest first. */
static int by_ns(const void *a, const void *b)
{
	const struct sample_because *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* The waits that the charges do not explain are the others': those that began before the process was in focus, or that
 * ended between T and the reading of the charges. What was charged too much is taken from the greatest. */
static int balance(struct sample *s, uint32_t first, uint64_t waited_ns)
{
	uint64_t sum_ns = 0, over_ns;
	struct sample_because *others = NULL;

	for (uint32_t i = first; i < s->n_because; i++) {
		sum_ns += s->because[i].ns;
		if (s->because[i].kind == SAMPLE_BLAME_OTHERS)
			others = &s->because[i];
	}
	if (sum_ns < waited_ns) {
		if (!others)
			others = sample_add_because(s);
		if (!others)
			return -ENOMEM;
		others->kind = SAMPLE_BLAME_OTHERS;
		others->state = LT_WAKEQ;
		others->ns += waited_ns - sum_ns;
	}
	over_ns = sum_ns > waited_ns ? sum_ns - waited_ns : 0;
	for (uint32_t i = first; i < s->n_because && over_ns; i++) {
		uint64_t take_ns = s->because[i].ns < over_ns ? s->because[i].ns : over_ns;

		s->because[i].ns -= take_ns;
		over_ns -= take_ns;
	}
	return 0;
}

static bool is_same(const struct sample_because *a, const struct sample_because *b)
{
	return a->kind == b->kind && a->pid == b->pid && a->start_ns == b->start_ns && a->tid == b->tid &&
	       a->state == b->state;
}

/* A thread that holds a lock is known by its own name. */
static void name_sleep(const struct sample *s, struct sample_because *b)
{
	const struct sample_process *who = sample_blame_has_pid(b->kind) ? find(s, b->pid, b->start_ns) : NULL;

	if (!who)
		return;
	strncpy(b->comm, sample_text(s, who->comm), sizeof(b->comm) - 1);
	for (uint32_t i = 0; b->tid && i < who->n_threads; i++) {
		const struct sample_thread *t = &s->threads[who->first_thread + i];

		if (t->tid == b->tid)
			memcpy(b->comm, t->comm, sizeof(b->comm));
	}
}

/* Who kept a process's threads asleep, from the first-th of s->because on. */
static int add_sleeps(struct sample *s, const struct sample_process *process, uint32_t first)
{
	for (uint32_t i = 0; i < process->n_threads; i++) {
		uint32_t work = s->threads[process->first_thread + i].work, to;

		for (uint32_t j = 0; work != SAMPLE_NONE && j < s->works[work].n_because; j++) {
			struct sample_because *b = &s->because[s->works[work].first_because + j], one;

			name_sleep(s, b);
			one = *b;
			to = first;
			while (to < s->n_because && !is_same(&s->because[to], &one))
				to++;
			if (to == s->n_because) {
				if (!sample_add_because(s))
					return -ENOMEM;
				s->because[to] = one;
				continue;
			}
			s->because[to].ns += one.ns;
			s->because[to].count += one.count;
		}
	}
	return 0;
}

static void order(struct sample *s, uint32_t first)
{
	if (s->n_because > first)
		qsort(s->because + first, s->n_because - first, sizeof(*s->because), by_ns);
	while (s->n_because > first && !s->because[s->n_because - 1].ns)
		s->n_because--;
}

int probe_focus_fill(struct probe *p, struct sample *s)
{
	const struct ledger_activity *activity = ledger_activity(p->ledger);
	uint32_t at = 0;
	int err = 0;

	for (uint32_t slot = 0; slot < LT_FOCUS_SLOTS && !err; slot++) {
		const struct focus_place *place = &p->focus.place[slot];
		struct sample_process *process;

		while (at < p->blame.n && p->blame.charges[at].slot < slot)
			at++;
		if (place->state != FOCUS_TAKEN)
			continue;
		process = find(s, place->process.pid, place->process.start_ns);
		if (!process)
			continue;
		process->focus_since_ns = place->since_ns;
		process->moved_ns = p->blame.moved_ns[slot];
		process->first_because = s->n_because;
		for (; at < p->blame.n && p->blame.charges[at].slot == slot && !err; at++)
			err = add_because(s, &p->blame.charges[at]);
		if (!err)
			err = balance(s, process->first_because, activity[process - s->processes].for_cpu_ns);
		if (!err)
			err = add_sleeps(s, process, process->first_because);
		order(s, process->first_because);
		process->n_because = s->n_because - process->first_because;
	}
	return err;
}

static bool is_asked(const struct probe *p, const struct sample_process *process)
{
	for (uint32_t i = 0; i < p->n_asked; i++)
		if (p->asked[i].pid == process->pid &&
		    p->asked[i].start_ns == process->start_ns + (uint64_t)p->clocks.boottime_ns)
			return true;
	return false;
}

/* What the one that had the slot before waits for is not counted any more. */
static void forget_upstream(struct probe *p, uint32_t slot)
{
	__atomic_add_fetch(&p->skel->bss->lt_upstream_round[slot], 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&p->skel->bss->lt_upstream_n[slot], 0, __ATOMIC_SEQ_CST);
}

/* Marks the threads of those that have a slot, also the new ones; unmarks those of others that had one. */
static void mark(struct probe *p, const struct focus *before)
{
	bool any = p->blame.waiting;

	for (uint32_t i = 0; i < LT_FOCUS_SLOTS; i++) {
		const struct focus_place *was = &before->place[i], *now = &p->focus.place[i];

		if (was->state == FOCUS_TAKEN && now->state != FOCUS_TAKEN)
			ledger_focus(p->ledger, was->process.pid, was->process.start_ns, 0);
		if (was->state != FOCUS_TAKEN && now->state == FOCUS_TAKEN)
			forget_upstream(p, i);
		any |= now->state != FOCUS_FREE;
	}
	probe_attach_focus(p, any);
	__atomic_store_n(&p->skel->bss->lt_focus_on, any, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < LT_FOCUS_SLOTS; i++) {
		const struct focus_place *now = &p->focus.place[i];

		if (now->state == FOCUS_TAKEN)
			ledger_focus(p->ledger, now->process.pid, now->process.start_ns, (uint8_t)(i + 1));
	}
}

void probe_focus_choose(struct probe *p, const struct sample *s)
{
	const struct ledger_activity *activity = ledger_activity(p->ledger);
	struct focus before = p->focus;
	struct focus_process *all;
	uint32_t n = 0;

	if (!p->focus_cpus || !s->n_processes)
		return;
	all = malloc(s->n_processes * sizeof(*all));
	if (!all)
		return; /* the focus stays as it is */
	for (uint32_t i = 0; i < s->n_processes; i++) {
		const struct sample_process *process = &s->processes[i];

		if (process->flags & SAMPLE_PROCESS_EXITED || !process->pid)
			continue;
		all[n++] = (struct focus_process){ process->pid, process->start_ns, activity[i].lag_ns,
						   is_asked(p, process) };
	}
	focus_choose(&p->focus, all, n, s->interval_ns, s->uptime_ns, p->blame.waiting);
	free(all);
	mark(p, &before);
}

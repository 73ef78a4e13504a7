/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "blame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

#define TRIES 100

/* What the last reading saw of a CPU; and what it charged for waits that were still open, and to whom. */
struct blame_cpu {
	struct lt_focus last;
	int64_t open_ns[LT_FOCUS_SLOTS];
	uint32_t kind, pid;
	uint64_t start_ns;
};

int blame_init(struct blame *b, uint32_t n_cpus)
{
	b->cpu = calloc(n_cpus, sizeof(*b->cpu));
	b->n_cpus = b->cpu ? n_cpus : 0;
	return b->cpu ? 0 : -ENOMEM;
}

void blame_free(struct blame *b)
{
	free(b->cpu);
	free(b->charges);
	memset(b, 0, sizeof(*b));
}

static uint64_t load(const void *at)
{
	return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}

/* Copies it while nobody writes; false: somebody always did. */
static bool copy(struct lt_focus *to, const struct lt_focus *from)
{
	for (int try = 0; try < TRIES; try++) {
		uint64_t seq = load(&from->seq);

		memcpy(to, from, sizeof(*to));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(seq & 1) && load(&from->seq) == seq)
			return true;
	}
	return false;
}

static int add(struct blame *b, uint32_t slot, uint32_t kind, uint32_t pid, uint64_t start_ns, int64_t ns)
{
	if (!ns)
		return 0;
	if (!GROW(b->charges, b->cap, b->n + (size_t)1))
		return -ENOMEM;
	b->charges[b->n++] = (struct blame_charge){ slot, kind, pid, start_ns, ns };
	return 0;
}

/* An entry's growth. When an entry is given to another process, its charges are added to the others'. */
static int add_culprit(struct blame *b, const struct lt_culprit *now, const struct lt_culprit *last)
{
	bool same = now->used && last->used && now->tgid == last->tgid && now->start_ns == last->start_ns;
	int err = 0;

	for (uint32_t i = 0; i < LT_FOCUS_SLOTS && !err; i++) {
		uint64_t before = same ? last->ns[i] : 0;

		if (!same && last->used)
			err = add(b, i, SAMPLE_BLAME_OTHERS, 0, 0, -(int64_t)last->ns[i]);
		if (!err && now->used)
			err = add(b, i, SAMPLE_BLAME_CPU, now->tgid, now->start_ns, (int64_t)(now->ns[i] - before));
	}
	return err;
}

static const uint32_t kind_of[LT_BLAMES] = {
	[LT_BLAME_OUTSIDE] = SAMPLE_BLAME_CPU,	 [LT_BLAME_ASLEEP] = SAMPLE_BLAME_ASLEEP,
	[LT_BLAME_IRQ] = SAMPLE_BLAME_IRQ,	 [LT_BLAME_STEAL] = SAMPLE_BLAME_STEAL,
	[LT_BLAME_QUOTA] = SAMPLE_BLAME_QUOTA,	 [LT_BLAME_MOVED] = SAMPLE_BLAME_OTHERS,
	[LT_BLAME_OTHERS] = SAMPLE_BLAME_OTHERS,
};

static int add_kinds(struct blame *b, const struct lt_focus *now, const struct lt_focus *last)
{
	int err = 0;

	for (uint32_t k = 0; k < LT_BLAMES; k++)
		for (uint32_t i = 0; i < LT_FOCUS_SLOTS && !err; i++)
			err = add(b, i, kind_of[k], 0, 0, (int64_t)(now->blame_ns[k][i] - last->blame_ns[k][i]));
	for (uint32_t i = 0; i < LT_FOCUS_SLOTS; i++)
		b->moved_ns[i] += now->blame_ns[LT_BLAME_MOVED][i] - last->blame_ns[LT_BLAME_MOVED][i];
	return err;
}

/* Waits that are still open are charged to whoever runs now. What the last reading charged like that is taken back: the
 * switches have charged it since. */
static int add_open(struct blame *b, struct blame_cpu *cpu, const struct lt_focus *now, const struct lt_runqueue *runs,
		    uint64_t start_ns, uint64_t now_ns)
{
	int err = 0;

	for (uint32_t i = 0; i < LT_FOCUS_SLOTS && !err; i++)
		err = add(b, i, cpu->kind, cpu->pid, cpu->start_ns, -cpu->open_ns[i]);
	cpu->kind = runs->runs == LT_RUNS_THREAD ? SAMPLE_BLAME_CPU
		    : runs->runs == LT_RUNS_IDLE ? SAMPLE_BLAME_ASLEEP
						 : SAMPLE_BLAME_OTHERS;
	cpu->pid = runs->runs == LT_RUNS_THREAD ? runs->tgid : 0;
	cpu->start_ns = start_ns;
	for (uint32_t i = 0; i < LT_FOCUS_SLOTS && !err; i++) {
		int64_t open_ns = (int64_t)(now->n[i] * now_ns - now->sum_ns[i]);

		cpu->open_ns[i] = now->n[i] && open_ns > 0 ? open_ns : 0;
		err = add(b, i, cpu->kind, cpu->pid, cpu->start_ns, cpu->open_ns[i]);
	}
	return err;
}

static int by_who(const void *x, const void *y)
{
	const struct blame_charge *a = x, *b = y;

	if (a->slot != b->slot)
		return (a->slot > b->slot) - (a->slot < b->slot);
	if (a->kind != b->kind)
		return (a->kind > b->kind) - (a->kind < b->kind);
	if (a->pid != b->pid)
		return (a->pid > b->pid) - (a->pid < b->pid);
	return (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

static int by_size(const void *x, const void *y)
{
	const struct blame_charge *a = x, *b = y;

	if (a->slot == b->slot && a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	return by_who(x, y);
}

/* One slot's charges, the greatest first. What is below 0 was charged too early: it is taken from the greatest. */
static void settle(struct blame_charge *c, uint32_t n)
{
	int64_t over = 0;

	for (uint32_t i = n; i && c[i - 1].ns < 0; i--) {
		over -= c[i - 1].ns;
		c[i - 1].ns = 0;
	}
	for (uint32_t i = 0; i < n && over; i++) {
		int64_t take = c[i].ns < over ? c[i].ns : over;

		c[i].ns -= take;
		over -= take;
	}
}

/* How many of n charges are of the first one's slot. */
static uint32_t of_slot(const struct blame_charge *c, uint32_t n)
{
	uint32_t same = 0;

	while (same < n && c[same].slot == c[0].slot)
		same++;
	return same;
}

/* One charge for each slot and culprit. */
static void merge(struct blame *b)
{
	uint32_t n = 0;

	if (!b->n)
		return;
	qsort(b->charges, b->n, sizeof(*b->charges), by_who);
	for (uint32_t i = 0; i < b->n; i++) {
		if (n && !by_who(&b->charges[n - 1], &b->charges[i]))
			b->charges[n - 1].ns += b->charges[i].ns;
		else
			b->charges[n++] = b->charges[i];
	}
	b->n = n;
	qsort(b->charges, b->n, sizeof(*b->charges), by_size);
	for (uint32_t i = 0; i < n; i += of_slot(&b->charges[i], n - i))
		settle(&b->charges[i], of_slot(&b->charges[i], n - i));
	n = 0;
	for (uint32_t i = 0; i < b->n; i++)
		if (b->charges[i].ns > 0)
			b->charges[n++] = b->charges[i];
	b->n = n;
	qsort(b->charges, b->n, sizeof(*b->charges), by_size);
}

int blame_read(struct blame *b, const struct lt_focus *from, const struct lt_runqueue *runs,
	       uint64_t (*start_of)(void *ctx, uint32_t pid), void *ctx, uint64_t now_ns)
{
	struct lt_focus now;
	int err = 0;

	b->n = b->waiting = 0;
	memset(b->moved_ns, 0, sizeof(b->moved_ns));
	for (uint32_t c = 0; c < b->n_cpus && !err; c++) {
		struct blame_cpu *cpu = &b->cpu[c];
		uint64_t start_ns = 0;

		b->waiting |= from[c].busy;
		if (load(&from[c].seq) == cpu->last.seq && !cpu->last.busy)
			continue; /* nobody waited */
		if (!copy(&now, &from[c]))
			continue;
		b->waiting |= now.busy;
		if (now.busy && runs[c].runs == LT_RUNS_THREAD)
			start_ns = start_of(ctx, runs[c].tgid);
		err = add_kinds(b, &now, &cpu->last);
		for (uint32_t i = 0; i < LT_CULPRITS && !err; i++)
			err = add_culprit(b, &now.culprit[i], &cpu->last.culprit[i]);
		if (!err)
			err = add_open(b, cpu, &now, &runs[c], start_ns, now_ns);
		cpu->last = now;
	}
	merge(b);
	return err;
}

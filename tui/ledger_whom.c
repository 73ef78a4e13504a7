/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Charges only grow (struct lt_because). A wait that goes on is charged up to the reading; when it has ended, and is
 * charged as a whole, what was charged before is taken back. So each ns is charged once.
 */
#include "ledger_whom.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 100

struct charge {
	struct lt_whom who;
	int64_t ns, count;
};

struct kept_because {
	struct lt_whom of[LT_WHOMS];
	uint64_t others_ns, others_count;
	struct charge open; /* of a wait that went on; what could not be taken back yet */
};

/* Those of the kernel side, one more for the wait that goes on, and for what is taken back; others. */
struct charges {
	struct charge of[2 * LT_WHOMS + 3];
	uint32_t n;
};

static bool copy(const struct lt_because *from, struct lt_because *to)
{
	for (int try = 0; try < TRIES; try++) {
		uint64_t seq = ledger_load(&from->seq);

		memcpy(to, from, sizeof(*to));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(seq & 1) && ledger_load(&from->seq) == seq)
			return true;
	}
	return false;
}

static bool same(const struct lt_whom *a, const struct lt_whom *b)
{
	return a->kind == b->kind && a->state == b->state && a->tid == b->tid && a->tgid == b->tgid &&
	       a->start_ns == b->start_ns;
}

static void add(struct charges *c, const struct lt_whom *who, int64_t ns, int64_t count)
{
	uint32_t i = 0;

	while (i < c->n && !same(&c->of[i].who, who))
		i++;
	if (i == c->n)
		c->of[c->n++] = (struct charge){ .who = *who };
	c->of[i].ns += ns;
	c->of[i].count += count;
}

/* What has grown. A place that is another's now was added to the others with all that it had. */
static void add_ended(struct charges *c, const struct lt_because *now, const struct kept_because *last)
{
	static const struct lt_whom others = { .kind = LT_WHOM_UNKNOWN, .state = LT_STATES };
	int64_t ns = (int64_t)(now->others_ns - last->others_ns),
		count = (int64_t)now->others_count - (int64_t)last->others_count;

	for (int i = 0; i < LT_WHOMS; i++) {
		const struct lt_whom *a = &now->of[i], *b = &last->of[i];
		bool stayed = same(a, b);

		if (!stayed) {
			ns -= (int64_t)b->ns;
			count -= b->count;
		}
		if (a->kind)
			add(c, a, (int64_t)(a->ns - (stayed ? b->ns : 0)), (int64_t)a->count - (stayed ? b->count : 0));
	}
	add(c, &others, ns, count);
}

static void keep(struct kept_because *last, const struct lt_because *now)
{
	memcpy(last->of, now->of, sizeof(last->of));
	last->others_ns = now->others_ns;
	last->others_count = now->others_count;
}

/* The lock that the thread waits for at end_ns; false: none, or it is not known. */
static bool is_open(const struct lt_because *now, uint64_t word, uint64_t end_ns, struct charge *open)
{
	uint32_t state = LT_WORD_STATE(word);

	if ((state != LT_LOCK && state != LT_BLOCK) || !now->lock.kind || now->since_ns != LT_WORD_SINCE(word) ||
	    end_ns <= now->since_ns)
		return false;
	*open = (struct charge){ .who = now->lock, .ns = (int64_t)(end_ns - now->since_ns) };
	open->who.state = (uint8_t)state;
	return true;
}

/* What is below 0 is taken from the greatest of the same state. Returns what nobody had. */
static struct charge settle(struct charges *c)
{
	struct charge left = { .ns = 0 };

	for (uint32_t i = 0; i < c->n; i++) {
		struct charge *most = NULL, *owes = &c->of[i];

		for (uint32_t j = 0; owes->ns < 0 && j < c->n; j++)
			if (j != i && c->of[j].who.state == owes->who.state && (!most || c->of[j].ns > most->ns))
				most = &c->of[j];
		if (owes->ns < 0 && most && most->ns > 0) {
			int64_t take_ns = most->ns < -owes->ns ? most->ns : -owes->ns;

			most->ns -= take_ns;
			owes->ns += take_ns;
		}
		if (owes->ns < left.ns)
			left = *owes;
	}
	return left;
}

/* A charge is read later than T: what a state was charged too much goes from its greatest ones. */
static void clip(struct charges *c, const uint64_t time_ns[LT_STATES])
{
	for (int state = 0; state < LT_STATES; state++) {
		uint64_t sum_ns = 0;

		for (uint32_t i = 0; i < c->n; i++) {
			struct charge *of = &c->of[i];

			if (of->who.state != state || of->ns <= 0)
				continue;
			if ((uint64_t)of->ns > time_ns[state] - sum_ns)
				of->ns = (int64_t)(time_ns[state] - sum_ns);
			sum_ns += (uint64_t)of->ns;
		}
	}
}

static int report(const struct charges *c, struct sample *out)
{
	static const uint32_t kind_of[LT_WHOM_KINDS] = {
		[LT_WHOM_HOLDER] = SAMPLE_BLAME_HOLDER,	   [LT_WHOM_CONTENDED] = SAMPLE_BLAME_CONTENDED,
		[LT_WHOM_WAKER] = SAMPLE_BLAME_WAKER,	   [LT_WHOM_TIMER] = SAMPLE_BLAME_TIMER,
		[LT_WHOM_NETWORK] = SAMPLE_BLAME_NETWORK,  [LT_WHOM_INTERRUPT] = SAMPLE_BLAME_INTERRUPT,
		[LT_WHOM_UNKNOWN] = SAMPLE_BLAME_SOMEBODY,
	};

	for (uint32_t i = 0; i < c->n; i++) {
		const struct charge *of = &c->of[i];
		struct sample_because *b;

		if (of->ns <= 0 || of->who.kind >= LT_WHOM_KINDS)
			continue;
		b = sample_add_because(out);
		if (!b)
			return -ENOMEM;
		*b = (struct sample_because){
			.kind = kind_of[of->who.kind],
			.pid = of->who.tgid,
			.tid = of->who.tid,
			.state = of->who.state,
			.start_ns = of->who.start_ns,
			.ns = (uint64_t)of->ns,
			.count = of->count > 0 ? (uint64_t)of->count : 0,
		};
	}
	return 0;
}

int ledger_whom_subtract(const struct ledger_memory *m, const struct lt_record *r, struct kept_because **kept,
			 uint64_t word, uint64_t end_ns, struct sample_work *work, struct sample *out)
{
	const struct lt_call *entry =
		__atomic_load_n(&r->sched.focus, __ATOMIC_ACQUIRE) ? entry_of(m, &r->calls, LT_CALL_WHOM) : NULL;
	struct charges c = { .n = 0 };
	struct kept_because *last;
	struct charge open;
	struct lt_because now;
	int err;

	work->first_because = out->n_because;
	if (!entry && *kept)
		(*kept)->open.ns = 0; /* its end is not charged */
	if (!entry || !copy(&entry->because, &now))
		return 0;
	if (!*kept)
		*kept = calloc(1, sizeof(**kept));
	last = *kept;
	if (!last)
		return -ENOMEM;
	add_ended(&c, &now, last);
	if (last->open.ns)
		add(&c, &last->open.who, -last->open.ns, 0);
	if (is_open(&now, word, end_ns, &open))
		add(&c, &open.who, open.ns, 0);
	else
		open = (struct charge){ .ns = 0 };
	last->open = settle(&c);
	last->open.ns = open.ns ? open.ns : -last->open.ns;
	if (open.ns)
		last->open.who = open.who;
	keep(last, &now);
	clip(&c, work->time_ns);
	err = report(&c, out);
	work->n_because = out->n_because - work->first_because;
	return err;
}

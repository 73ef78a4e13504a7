/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "why.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "format.h"

#define NAME_SIZE sizeof(((struct sample_because *)0)->comm)
#define PEER_SIZE 56

/* What hurts: the parts of LAG, and of sleeps what is certain to be no idleness; and what the WHY column says of the
 * greatest. */
static const struct rule {
	const char *words, *brief;
	uint32_t counters; /* bit set of 1 << enum lt_counter; all below 32 */
	uint32_t kinds;	   /* bit set of 1 << enum sample_blame: whose name may be said instead */
} rules[] = {
	{ "waits for CPU", "CPU", 1 << LT_WAKEQ | 1 << LT_PREEMPT,
	  1 << SAMPLE_BLAME_CPU | 1 << SAMPLE_BLAME_IRQ | 1 << SAMPLE_BLAME_STEAL | 1 << SAMPLE_BLAME_ASLEEP },
	{ "quota", "quota", 1 << LT_THROTTLED, 0 },
	{ "disk", "disk", 1 << LT_DISK, 0 },
	{ "memory", "mem", 1 << LT_MEMORY, 0 },
	{ "blocked in kernel", "block", 1 << LT_BLOCK, 1 << SAMPLE_BLAME_HOLDER },
	{ "lock contended", "lock", 1 << COUNTER_contended_lock_ns, 1 << SAMPLE_BLAME_HOLDER },
	{ "waits for upstream", "upstream", 1 << COUNTER_upstream_ns, 0 },
};
_Static_assert(COUNTER_contended_lock_ns < 32 && COUNTER_upstream_ns < 32, "a bit of struct rule.counters");

/* Who was running, or held the lock. The words end in the culprit's name where it has one. */
static const struct culprit {
	const char *words, *brief;
} culprits[SAMPLE_BLAMES] = {
	[SAMPLE_BLAME_CPU] = { "behind ", "" },
	[SAMPLE_BLAME_IRQ] = { "behind interrupts", "irq" },
	[SAMPLE_BLAME_STEAL] = { "behind the hypervisor", "steal" },
	[SAMPLE_BLAME_ASLEEP] = { "CPU was asleep", "asleep" },
	[SAMPLE_BLAME_HOLDER] = { "lock held by ", "lock " },
};

/* A culprit is named if it had at least this share of the wait, in %: otherwise there are too many to name one. */
#define CULPRIT_LEAST_PERCENT 25

struct said {
	const char *words, *brief;
	char name[PEER_SIZE]; /* follows both */
	int percent;	      /* of LAG */
};

static uint64_t part_ns(const struct row *r, const struct rule *rule)
{
	uint64_t ns = 0;

	for (int i = 0; i < 32; i++)
		if (rule->counters >> i & 1)
			ns = counter_sum(ns, r->counter[i]);
	return ns;
}

static int percent_of(uint64_t part_ns, uint64_t all_ns)
{
	return part_ns >= all_ns ? 100 : (int)((double)part_ns * 100 / (double)all_ns + 0.5);
}

/* A charge that counts for a rule: for a lock, what a rule's own state was charged. */
static bool counts(const struct rule *rule, const struct sample_because *b)
{
	if (!(rule->kinds >> b->kind & 1))
		return false;
	return sample_blame_for_cpu(b->kind) || rule->counters >> b->state & 1 ||
	       (b->state == LT_LOCK && rule->counters >> COUNTER_contended_lock_ns & 1);
}

static bool alike(const struct sample_because *a, const struct sample_because *b)
{
	return a->kind == b->kind && !strncmp(a->comm, b->comm, NAME_SIZE);
}

/* Replaces a wait by who caused it: those of the same name together. */
static void name_culprit(const struct row *r, const struct rule *rule, uint64_t part_ns, uint64_t lag_ns,
			 struct said *said)
{
	const struct sample_because *most = NULL;
	uint64_t most_ns = 0;

	for (uint32_t i = 0; i < r->n_because; i++) {
		const struct sample_because *b = &r->because[i];
		uint64_t ns = 0;

		if (!counts(rule, b) || (sample_blame_has_pid(b->kind) && !b->comm[0]))
			continue;
		for (uint32_t j = i; j < r->n_because; j++)
			if (counts(rule, &r->because[j]) && alike(b, &r->because[j]))
				ns = counter_sum(ns, r->because[j].ns);
		if (ns > most_ns) {
			most_ns = ns;
			most = b;
		}
	}
	if (!most || percent_of(most_ns, part_ns) < CULPRIT_LEAST_PERCENT)
		return;
	said->words = culprits[most->kind].words;
	said->brief = culprits[most->kind].brief;
	if (sample_blame_has_pid(most->kind))
		memcpy(said->name, most->comm, NAME_SIZE);
	said->percent = percent_of(most_ns, lag_ns);
}

/* Says whose answers were waited for. */
static void name_peer(const struct row *r, struct said *said)
{
	const struct lt_peer *peer = &r->upstream_peer;

	if (peer->family)
		format_endpoint(said->name, PEER_SIZE, peer->family, peer->address, peer->port);
	else
		snprintf(said->name, PEER_SIZE, "%.*s", (int)sizeof(peer->address), peer->address);
	if (!*said->name)
		return;
	said->words = "waits for ";
	said->brief = "";
}

/* False: there is nothing to say. Of two equal parts the first one is said. */
static bool greatest(const struct row *r, struct said *said)
{
	const struct rule *best = NULL;
	uint64_t most_ns = 0, lag_ns = 0, ns;

	if (r->off & 1 << SAMPLE_SCHED)
		return false;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		ns = part_ns(r, &rules[i]);
		lag_ns = counter_sum(lag_ns, ns);
		if (ns > most_ns) {
			most_ns = ns;
			best = &rules[i];
		}
	}
	if (!best || lag_ns < r->interval_ns / 1000 * WHY_LEAST_PERMILLE)
		return false;
	*said = (struct said){ best->words, best->brief, "", percent_of(most_ns, lag_ns) };
	if (best->counters >> COUNTER_upstream_ns & 1)
		name_peer(r, said);
	else
		name_culprit(r, best, most_ns, lag_ns, said);
	return true;
}

bool why_say(const struct row *r, char buf[WHY_SIZE])
{
	struct said said;

	if (!greatest(r, &said))
		return false;
	snprintf(buf, WHY_SIZE, "%s%s %d%%", said.words, said.name, said.percent);
	return true;
}

int why_fit(const struct row *r, bool utf8, char *buf, size_t size, int cells)
{
	char share[16], text[WHY_SIZE];
	struct said said;
	int share_cells, used;

	if (r->off & 1 << SAMPLE_SCHED)
		return format_clean(buf, size, "-", cells, utf8);
	if (!greatest(r, &said))
		return format_clean(buf, size, utf8 ? "·" : ".", cells, utf8);
	share_cells = snprintf(share, sizeof(share), " %d%%", said.percent);
	snprintf(text, sizeof(text), "%s%s", said.words, said.name);
	used = format_clean(buf, size, text, INT_MAX, utf8);
	if (used + share_cells > cells) {
		snprintf(text, sizeof(text), "%s%s", said.brief, said.name);
		used = format_clean(buf, size, text, cells - share_cells, utf8);
	}
	if (used + share_cells > cells)
		return format_clean(buf, size, share + 1, cells, utf8);
	snprintf(buf + strlen(buf), size - strlen(buf), "%s", share);
	return used + share_cells;
}

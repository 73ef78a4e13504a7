/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

const char *const verdict_area_name[VERDICT_AREAS] = {
	[VERDICT_CPU] = "CPU",	     [VERDICT_QUOTA] = "quota", [VERDICT_DISK] = "disk",
	[VERDICT_MEMORY] = "memory", [VERDICT_LOCKS] = "locks", [VERDICT_NETWORK] = "network",
};

struct findings {
	struct finding *at;
	uint32_t n, cap;
	uint32_t doubtful; /* areas: bit set; too little to say, too much to deny */
};

static uint64_t percent_of(const struct facts_all *a, uint32_t percent)
{
	return a->interval_ns / 100 * percent;
}

static int find(struct findings *found, const struct facts_all *a, const struct facts *of)
{
	for (size_t i = 0; i < verdict_rules_count; i++) {
		const struct verdict_rule *rule = &verdict_rules[i];
		struct finding f = { .all = a, .of = of, .rule = rule };

		if (!rule->holds(&f))
			continue;
		if (rule->always || f.ns >= percent_of(a, VERDICT_DENIED_PERCENT))
			found->doubtful |= rule->areas;
		if (!rule->always && f.ns < percent_of(a, VERDICT_LEAST_PERCENT))
			continue;
		if (!GROW(found->at, found->cap, found->n + 1U))
			return -ENOMEM;
		found->at[found->n++] = f;
	}
	return 0;
}

static int by_ns(const void *x, const void *y)
{
	const struct finding *a = x, *b = y;

	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	return memcmp(a->of->comm, b->of->comm, FACTS_COMM);
}

/* The worst of each rule goes before all others: eight processes that wait for the same CPU must not hide a full disk.
 */
static void choose(struct findings *found)
{
	uint32_t n = 0;

	if (!found->n)
		return;
	qsort(found->at, found->n, sizeof(*found->at), by_ns);
	for (uint32_t i = 0; i < found->n; i++) {
		struct finding f = found->at[i];
		uint32_t same = 0;

		while (same < n && found->at[same].rule != f.rule)
			same++;
		if (same < n)
			continue;
		memmove(&found->at[n + 1], &found->at[n], (i - n) * sizeof(f));
		found->at[n++] = f;
	}
	qsort(found->at, found->n < VERDICT_SENTENCES ? found->n : VERDICT_SENTENCES, sizeof(*found->at), by_ns);
}

static void say(struct verdict_sentence *to, const struct finding *f)
{
	*to = (struct verdict_sentence){ .rule = f->rule->name, .ns = f->ns };
	verdict_expand(to->text, f->rule->sentence, f);
	verdict_expand(to->advice, f->rule->advice, f);
	memcpy(to->comm, f->of->comm, FACTS_COMM);
	to->processes = f->of->processes;
	to->pid = f->of->processes == 1 ? f->of->pid : 0;
	if (f->culprit[0] && sample_blame_has_pid(f->culprit[0]->kind)) {
		memcpy(to->culprit, f->culprit[0]->comm, FACTS_COMM);
		to->culprit_pid = f->culprit[0]->processes == 1 ? f->culprit[0]->pid : 0;
	}
}

/* What the machine says by other means, and what was not watched at all, is not denied. */
static uint32_t denied(const struct facts_all *a, uint32_t doubtful)
{
	static const struct {
		uint8_t families;
		int pressure; /* -1: none */
	} needs[VERDICT_AREAS] = {
		[VERDICT_CPU] = { 1 << SAMPLE_SCHED, SAMPLE_CPU },
		[VERDICT_QUOTA] = { 1 << SAMPLE_SCHED, -1 },
		[VERDICT_DISK] = { 1 << SAMPLE_SCHED, SAMPLE_IO },
		[VERDICT_MEMORY] = { 1 << SAMPLE_SCHED, SAMPLE_MEMORY },
		[VERDICT_NETWORK] = { 1 << SAMPLE_NET | 1 << SAMPLE_TURNS, -1 },
	};
	uint32_t areas = 0;

	for (int i = 0; i < VERDICT_AREAS; i++) {
		uint64_t stalled_ns = needs[i].pressure < 0 ? 0 : a->pressure_ns[needs[i].pressure];

		if (!needs[i].families || (a->families & needs[i].families) != needs[i].families || doubtful >> i & 1)
			continue;
		if (stalled_ns == SAMPLE_UNKNOWN || stalled_ns < percent_of(a, VERDICT_DENIED_PERCENT))
			areas |= 1U << i;
	}
	return areas;
}

int verdict_make(struct verdict *v, struct facts_all *facts)
{
	struct findings found = { .n = 0 };
	int err = facts_finish(facts);

	*v = (struct verdict){ .interval_ns = facts->interval_ns,
			       .from_ns = facts->from_ns,
			       .to_ns = facts->to_ns,
			       .readings = facts->readings,
			       .waits_known = facts->families >> SAMPLE_SCHED & 1 };
	for (uint32_t i = 0; i < facts->n && !err; i++)
		err = find(&found, facts, &facts->of[i]);
	if (!err) {
		choose(&found);
		while (v->n < found.n && v->n < VERDICT_SENTENCES) {
			say(&v->sentence[v->n], &found.at[v->n]);
			v->n++;
		}
		v->more = found.n - v->n;
		if (facts->asked_before)
			found.doubtful |= 1U << VERDICT_NETWORK;
		v->denied = denied(facts, found.doubtful);
	}
	free(found.at);
	return err;
}

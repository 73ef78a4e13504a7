/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ask.h"

#include "filter.h"

static void add(struct ask *a, uint32_t pid, uint64_t start_ns)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (a->process[i].pid == pid && a->process[i].start_ns == start_ns)
			return;
	if (a->n < LT_FOCUS_SLOTS)
		a->process[a->n++] = (struct source_process){ pid, start_ns };
}

void ask_process(struct ask *a, const struct row *r)
{
	if (r->kind == MODEL_PROCESS && r->pid && !r->exited)
		add(a, r->pid, r->start_ns);
}

void ask_more(struct ask *a, const struct ask *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		add(a, b->process[i].pid, b->process[i].start_ns);
}

static bool is_listed(const struct selection *s, const struct row *r)
{
	for (size_t i = 0; i < s->n_pids; i++)
		if (s->pids[i] == r->pid)
			return true;
	return false;
}

int ask_options(struct ask *a, const struct options *o, struct model *m)
{
	struct model_query q = { .kind = MODEL_PROCESS, .no_dead = true };
	struct row *rows;
	int n;

	if (!o->selection.n_pids && !o->focus_expression)
		return 0;
	n = model_rows(m, &q, &rows);
	for (int i = 0; i < n; i++)
		if (is_listed(&o->selection, &rows[i]) ||
		    (o->focus_expression && filter_holds(o->focus_expression, &rows[i])))
			ask_process(a, &rows[i]);
	return n < 0 ? n : 0;
}

void ask_source(const struct ask *a, struct source *src)
{
	if (src->want_focus)
		src->want_focus(src, a->process, a->n);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rows are selected, and in which order: see selection.h. */
#include "selection.h"

#include <errno.h>
#include <stdlib.h>

#include "arrange.h"

const struct selection_group selection_groups[SELECTION_GROUPS] = {
	{ MODEL_PROCESS, "process" },
	{ MODEL_COMMAND, "command" },
	{ MODEL_USER, "user" },
	{ MODEL_CGROUP, "cgroup" },
};

const char *selection_group_name(enum model_kind kind)
{
	for (int i = 0; i < SELECTION_GROUPS; i++)
		if (selection_groups[i].kind == kind)
			return selection_groups[i].name;
	return "";
}

static bool is_active(const struct row *r)
{
	if (r->kind == MODEL_CPU)
		return r->cpu->times.busy_ns || r->cpu->runs == LT_RUNS_THREAD;
	if (r->kind == MODEL_DISK)
		return r->disk->sample->count || r->disk->sample->in_flight;
	if (r->kind == MODEL_CONNECTION)
		return r->connection->tx_bytes || r->connection->rx_bytes;
	if (r->time_ns[LT_RUN] || r->time_ns[LT_WAKEQ] || r->time_ns[LT_PREEMPT] || r->calls || r->call_time_ns)
		return true;
	for (int i = 0; i < LT_PROTOS; i++)
		if (r->net->flow[i].tx_ops || r->net->flow[i].rx_ops)
			return true;
	return false;
}

/* -p and -u: by the row's process. Rows without one (groups, calls) were restricted by the query. */
static bool is_whose(const void *selection, const struct row *r)
{
	bool of_process = r->kind == MODEL_PROCESS || r->kind == MODEL_THREAD || r->kind == MODEL_CONNECTION;
	const struct selection *s = selection;

	if (s->has_uid && (of_process || r->own_user) && (!r->own_user || r->uid != s->uid))
		return false;
	if (!s->n_pids || !of_process)
		return true;
	for (size_t i = 0; i < s->n_pids; i++)
		if (s->pids[i] == r->pid)
			return true;
	return false;
}

void selection_narrow(const struct selection *s, struct model_query *query)
{
	if (!s->n_pids && !s->has_uid)
		return;
	query->wants = is_whose;
	query->context = s;
}

bool selection_wants(const struct selection *s, const struct row *r)
{
	if (!is_whose(s, r))
		return false;
	if (s->active && !is_active(r))
		return false;
	/* Tables that lack its columns are not filtered: other tabs of the screen, other lists in JSON. */
	return !s->filter || !(filter_kinds(s->filter) & 1U << r->kind) || filter_holds(s->filter, r);
}

int selection_rows(const struct selection *s, enum model_kind kind, const struct selection_order *order,
		   struct model *m, struct row ***rows)
{
	struct model_query query = { .kind = kind, .no_dead = true };
	struct row *all;
	int n, kept = 0;

	selection_narrow(s, &query);
	n = model_rows(m, &query, &all);
	if (n < 0)
		return n;
	*rows = malloc(((size_t)n + 1) * sizeof(**rows));
	if (!*rows)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		if (selection_wants(s, &all[i]))
			(*rows)[kept++] = &all[i];
	arrange_rows(*rows, (size_t)kept, order->sort, order->reverse, order->then, order->tree);
	return order->top && kept > order->top ? order->top : kept;
}

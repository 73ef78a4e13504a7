/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Search in a table: see search.h. */
#include "search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "names.h"

#define STATE_LISTEN 10 /* TCP_LISTEN */
#define STATE_BOUND 7	/* of UDP: TCP_CLOSE */

static void find_owners(struct search *q, const struct sample *s)
{
	for (uint32_t i = 0; i < s->n_connections; i++) {
		const struct sample_connection *c = &s->connections[i];
		uint32_t at = 0;

		if (!c->pid || c->local_port != q->number)
			continue;
		while (at < q->n_owners && q->owners[at].pid != c->pid)
			at++;
		if (at == SEARCH_OWNERS)
			continue;
		q->owners[at].pid = c->pid;
		q->owners[at].listens |= c->state == (c->proto == LT_UDP ? STATE_BOUND : STATE_LISTEN);
		q->n_owners += at == q->n_owners;
	}
}

void search_for(struct search *q, const char *text, const struct sample *s)
{
	const char *digits = text + (*text == ':');
	size_t len = strspn(digits, "0123456789");

	*q = (struct search){ .text = text };
	q->is_number = len && len < 10 && !digits[len];
	q->is_port = q->is_number && *text == ':';
	q->number = q->is_number ? (uint32_t)atoi(digits) : 0;
	if (q->is_number && s)
		find_owners(q, s);
}

static enum search_rank rank_number(const struct search *q, const struct row *r)
{
	const struct sample_connection *c = r->connection;
	enum search_rank rank = SEARCH_NONE;
	char pid[16];

	if (!q->is_port && (r->pid == q->number || (r->kind == MODEL_THREAD && r->tid == q->number)))
		return SEARCH_PID;
	if (r->kind == MODEL_CONNECTION && c->local_port == q->number)
		return c->state == STATE_LISTEN ? SEARCH_LISTENS : SEARCH_PORT;
	if (r->kind == MODEL_CONNECTION && c->remote_port == q->number)
		return SEARCH_TO_PORT;
	for (uint32_t i = 0; i < q->n_owners && r->pid && r->kind != MODEL_CONNECTION; i++) {
		if (q->owners[i].pid != r->pid)
			continue;
		if (q->owners[i].listens)
			return SEARCH_LISTENS;
		rank = SEARCH_PORT;
	}
	snprintf(pid, sizeof(pid), "%u", r->pid);
	if (rank == SEARCH_NONE && !q->is_port && r->pid && !strncmp(pid, q->text, strlen(q->text)))
		rank = SEARCH_PID_BEGINS;
	return rank;
}

static enum search_rank rank_command(const struct search *q, const struct row *r)
{
	const char *at = strcasestr(r->comm, q->text);

	if (!at)
		return SEARCH_NONE;
	if (at > r->comm)
		return SEARCH_COMMAND_HAS;
	return r->comm[strlen(q->text)] ? SEARCH_COMMAND_BEGINS : SEARCH_COMMAND;
}

static bool shows(const struct search *q, const struct table *t, const struct row *r)
{
	const struct column *cols[TABLE_COLUMNS];
	int n = table_columns(t, cols);
	char buf[512];

	if (strcasestr(r->cmdline, q->text))
		return true;
	for (int i = 0; i < n; i++) {
		if (cols[i]->show != SHOW_TEXT && cols[i]->show != SHOW_ID)
			continue;
		column_format(cols[i], r, true, buf, sizeof(buf), 120);
		if (strcasestr(buf, q->text))
			return true;
	}
	return false;
}

enum search_rank search_rank(const struct search *q, const struct table *t, const struct row *r)
{
	enum search_rank rank = q->is_number ? rank_number(q, r) : SEARCH_NONE, command = rank_command(q, r);
	char buf[256];

	rank = command < rank ? command : rank;
	if (rank != SEARCH_NONE)
		return rank;
	if (strcasestr(r->cgroup, q->text) || strcasestr(cgroup_name(buf, sizeof(buf), r->cgroup), q->text))
		return SEARCH_UNIT;
	if (r->own_user && strcasestr(names_user(r->uid), q->text))
		return SEARCH_USER;
	return shows(q, t, r) ? SEARCH_TEXT : SEARCH_NONE;
}

/* The place of a line's match among all: by rank, those that have exited after the others, then by line. */
#define NO_PLACE ((int64_t)SEARCH_NONE << 33)

static int64_t place(const struct search *q, const struct table *t, uint32_t line)
{
	const struct row *r = table_row(t, line);
	enum search_rank rank = search_rank(q, t, r);

	return rank == SEARCH_NONE ? NO_PLACE : (int64_t)rank << 33 | (int64_t)r->exited << 32 | line;
}

static void go_to(struct table *t, int64_t place, uint64_t now_ns)
{
	table_move(t, (int64_t)(uint32_t)place - t->cursor, now_ns);
}

bool search_best(const struct search *q, struct table *t, uint64_t now_ns)
{
	int64_t best = NO_PLACE, at;

	for (uint32_t step = 0; step < t->n; step++) {
		at = place(q, t, (t->cursor + step) % t->n);
		if (at >> 32 < best >> 32)
			best = at;
	}
	if (best != NO_PLACE)
		go_to(t, best, now_ns);
	return best != NO_PLACE;
}

bool search_next(const struct search *q, struct table *t, int direction, uint64_t now_ns)
{
	int64_t here = t->cursor < t->n ? place(q, t, t->cursor) : NO_PLACE, next = -1, first = -1, at;

	if (here == NO_PLACE && direction > 0)
		here = -1;
	for (uint32_t line = 0; line < t->n; line++) {
		at = place(q, t, line);
		if (at == NO_PLACE)
			continue;
		if (first < 0 || (at - first) * direction < 0)
			first = at;
		if ((at - here) * direction > 0 && (next < 0 || (at - next) * direction < 0))
			next = at;
	}
	if (next < 0)
		next = first;
	if (next >= 0)
		go_to(t, next, now_ns);
	return next >= 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of processes: see ledger_names.h. */
#include "ledger_names.h"

#include <stdlib.h>
#include <string.h>

#define CUT "\u2026" /* marks a command line that was cut */

void naming_want(struct naming *n, enum ledger_name name)
{
	n->wanted |= (uint8_t)(1 << name);
}

void naming_move(struct naming *n, uint64_t group)
{
	if (group == n->group)
		return;
	n->group = group;
	text_drop(n->cgroup);
	n->cgroup = NULL;
	naming_want(n, LEDGER_CGROUP);
}

void naming_ask(struct naming *n, const struct namings *all, uint32_t pid, uint64_t start_ns)
{
	const struct ledger_names *from = all->from;

	for (int name = 0; from && name < LEDGER_NAMES; name++) {
		uint8_t bit = (uint8_t)(1 << name);

		if (!(n->wanted & bit) || n->asked & bit || !from->ask(from->ctx, name, pid, start_ns, n->group))
			continue;
		n->wanted &= (uint8_t)~bit;
		n->asked |= bit;
	}
}

static void text_set(struct naming *n, struct text **text, const char *bytes, size_t len)
{
	struct text *new = text_new(*text, bytes, strnlen(bytes, len));

	if (!new)
		return;
	n->fresh |= new != *text;
	text_drop(*text);
	*text = new;
}

static struct naming_group *group_find(const struct namings *all, uint64_t group)
{
	struct naming_group *g;

	HASH_FIND(hh, all->groups, &group, sizeof(group), g);
	return g;
}

/* The known name of the group for all its processes. */
static void group_learn(struct namings *all, uint64_t group, struct text *path)
{
	struct naming_group *g = group_find(all, group);

	if (!g) {
		g = calloc(1, sizeof(*g));
		if (!g)
			return;
		g->group = group;
		HASH_ADD(hh, all->groups, group, sizeof(g->group), g);
		if (!g->hh.tbl) {
			free(g);
			return;
		}
	}
	g->used = true;
	text_hold(path);
	text_drop(g->path);
	g->path = path;
}

void naming_answer(struct naming *n, struct namings *all, const struct ledger_answer *answer)
{
	n->asked &= (uint8_t) ~(1 << answer->name);
	/* It has moved to another group meanwhile. */
	if (answer->name == LEDGER_CGROUP && answer->group != n->group) {
		naming_want(n, LEDGER_CGROUP);
		return;
	}
	if (!answer->n)
		return;
	switch (answer->name) {
	case LEDGER_CMDLINE:
		text_set(n, &n->cmdline, answer->text, answer->n);
		break;
	case LEDGER_CGROUP:
		text_set(n, &n->cgroup, answer->text, answer->n);
		group_learn(all, n->group, n->cgroup);
		break;
	case LEDGER_COMM:
		text_set(n, &n->comm, answer->text, answer->n);
		break;
	default:
		break;
	}
}

bool naming_exec(struct naming *n, const struct namings *all, const struct lt_call *args)
{
	size_t len = args ? args->args_bytes : 0, cut = 0;
	char text[LT_ARGS_BYTES + sizeof(CUT)];

	if (!args || args->args_exec == n->args_exec)
		return false;
	n->args_exec = args->args_exec;
	if (all->from && all->from->hidden)
		return true;
	if (len > LT_ARGS_BYTES) {
		len = LT_ARGS_BYTES;
		cut = sizeof(CUT) - 1;
	}
	while (len && !args->args[len - 1])
		len--;
	if (!len)
		return true;
	for (size_t i = 0; i < len; i++)
		text[i] = args->args[i] ? args->args[i] : ' ';
	memcpy(text + len, CUT, cut);
	text_set(n, &n->cmdline, text, len + cut);
	return true;
}

void naming_guess(struct naming *n, const struct namings *all, const struct naming *parent)
{
	struct naming_group *g = n->cgroup ? NULL : group_find(all, n->group);

	if (g && g->path)
		n->cgroup = text_hold(g->path);
	if (!n->cmdline && !n->execed && parent && !(all->from && all->from->hidden))
		n->cmdline = text_hold(parent->cmdline);
}

static void share(struct text **text, struct text *with)
{
	if (*text == with || !*text || !with || !text_is(with, (*text)->bytes, (*text)->n))
		return;
	text_drop(*text);
	*text = text_hold(with);
}

void naming_share(struct naming *n, const struct naming *neighbour)
{
	if (!n->fresh)
		return;
	share(&n->cmdline, neighbour->cmdline);
	share(&n->cgroup, neighbour->cgroup);
	n->fresh = false;
}

void naming_forget_comm(struct naming *n)
{
	text_drop(n->comm);
	n->comm = NULL;
}

void naming_free(struct naming *n)
{
	text_drop(n->cmdline);
	text_drop(n->cgroup);
	text_drop(n->comm);
}

void naming_in_use(struct namings *all, const struct naming *n)
{
	struct naming_group *g = group_find(all, n->group);

	if (g)
		g->used = true;
}

static void group_free(struct namings *all, struct naming_group *g)
{
	HASH_DELETE(hh, all->groups, g);
	text_drop(g->path);
	free(g);
}

void namings_prune(struct namings *all)
{
	struct naming_group *g, *next;

	HASH_ITER(hh, all->groups, g, next)
	{
		if (!g->used)
			group_free(all, g);
		else
			g->used = false;
	}
}

void namings_free(struct namings *all)
{
	struct naming_group *g, *next;

	HASH_ITER(hh, all->groups, g, next)
	group_free(all, g);
}

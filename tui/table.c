/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of a table: filtered, sorted or held, in a tree, with a cursor. Drawing is in table_draw.c. */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arrange.h"
#include "grow.h"

void table_init(struct table *t, const struct column_view *view)
{
	*t = (struct table){ .view = view, .kind = view->kind };
	table_choose(t, view->columns);
	t->sort = column_find(view->sort);
	table_keep_sort(t);
}

void table_free(struct table *t)
{
	free(t->order);
	free(t->places);
	t->order = NULL;
	t->places = NULL;
}

void table_forget(struct table *t)
{
	struct table fresh = { .view = t->view,
			       .kind = t->kind,
			       .n_chosen = t->n_chosen,
			       .sort = t->sort,
			       .kept_sort = t->kept_sort,
			       .reverse = t->reverse,
			       .kept_reverse = t->kept_reverse };

	memcpy(fresh.chosen, t->chosen, sizeof(fresh.chosen));
	table_free(t);
	*t = fresh;
}

static bool chosen(const struct table *t, const struct column *c)
{
	for (int i = 0; i < t->n_chosen; i++)
		if (t->chosen[i] == c)
			return true;
	return false;
}

bool table_choose(struct table *t, const char *names)
{
	for (names += strspn(names, " "); *names; names += strspn(names, " ")) {
		size_t len = strcspn(names, " ");
		const struct column *c = NULL;
		char name[32];

		if (len < sizeof(name) && t->n_chosen < TABLE_COLUMNS) {
			memcpy(name, names, len);
			name[len] = 0;
			c = column_find(name);
		}
		if (!c || chosen(t, c))
			return false;
		t->chosen[t->n_chosen++] = c;
		names += len;
	}
	return true;
}

int table_columns(const struct table *t, const struct column *out[TABLE_COLUMNS])
{
	/* The columns that rows of another kind need first, if the view does not have them. */
	static const struct {
		enum model_kind kind;
		const char *name;
	} first[] = {
		{ MODEL_THREAD, "tid" },
		{ MODEL_COMMAND, "procs" },
		{ MODEL_USER, "procs" },
		{ MODEL_CGROUP, "procs" },
	};
	const struct column *extra = NULL;
	int n = 0;

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (first[i].kind == t->kind)
			extra = column_find(first[i].name);
	if (extra && chosen(t, extra))
		extra = NULL;
	if (extra && t->kind != MODEL_THREAD)
		out[n++] = extra;
	for (int i = 0; i < t->n_chosen; i++) {
		if (!(t->chosen[i]->kinds & 1 << t->kind))
			continue;
		if (n < TABLE_COLUMNS)
			out[n++] = t->chosen[i];
		if (extra && t->kind == MODEL_THREAD && i == 0 && n < TABLE_COLUMNS)
			out[n++] = extra;
	}
	return n;
}

static uint64_t hash_more(uint64_t h, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3ULL;
	return h;
}

uint64_t table_key(const struct row *r)
{
	uint64_t id[6] = { r->kind, 0 };
	uint64_t h = 0xcbf29ce484222325ULL;

	switch (r->kind) {
	case MODEL_COMMAND:
	case MODEL_USER:
	case MODEL_CGROUP:
		h = hash_more(h, r->comm, strlen(r->comm));
		id[1] = r->uid;
		break;
	case MODEL_CALL:
		id[1] = r->call;
		break;
	case MODEL_CPU:
		id[1] = r->cpu->cpu;
		break;
	case MODEL_CONNECTION:
		id[1] = r->connection->proto | (uint64_t)r->connection->local_port << 16 |
			(uint64_t)r->connection->remote_port << 32;
		id[2] = r->connection->netns;
		h = hash_more(h, r->connection->local, sizeof(r->connection->local));
		h = hash_more(h, r->connection->remote, sizeof(r->connection->remote));
		break;
	case MODEL_DISK:
		id[1] = (uint64_t)r->disk->sample->major << 32 | r->disk->sample->minor;
		id[2] = r->disk->sample->op;
		break;
	case MODEL_PEER:
		h = hash_more(h, r->peer, sizeof(*r->peer));
		break;
	case MODEL_KINDS:
		break;
	case MODEL_CULPRIT:
		id[2] = r->because->kind | (uint64_t)r->because->state << 8 | (uint64_t)r->tid << 32;
		id[1] = r->pid;
		id[3] = r->start_ns;
		break;
	case MODEL_THREAD:
		id[2] = r->tid;
		/* fall through */
	case MODEL_PROCESS:
	case MODEL_CALLER:
		if (r->crowd)
			h = hash_more(h, r->comm, strcspn(r->comm, " "));
		id[4] = r->crowd > 0;
		id[1] = r->pid;
		id[3] = r->start_ns;
		break;
	}
	return hash_more(h, id, sizeof(id));
}

bool table_tagged(const struct table_wants *w, uint64_t key)
{
	for (uint32_t i = 0; i < w->n_tags; i++)
		if (w->tags[i] == key)
			return true;
	return false;
}

#define IDLE_PERMILLE 1

/* It neither ran nor waited to run. */
static bool is_idle(const struct row *r)
{
	uint64_t ns = 0;

	for (int state = LT_RUN; state <= LT_BLOCK; state++)
		ns += r->time_ns[state];
	return ns < r->interval_ns / 1000 * IDLE_PERMILLE;
}

/* What the user filters by name is shown in any case, and the root of a tree. */
static bool wanted(const struct row *r, const struct table_wants *w)
{
	bool task = r->kind == MODEL_PROCESS || r->kind == MODEL_THREAD;
	bool hidden = w->no_kernel && task && r->kernel && !w->filter[0] && !(w->tree && !r->ppid) && is_idle(r);

	hidden |= w->no_dead && r->exited && r->kind == MODEL_PROCESS;
	return !hidden && selection_wants(&w->selection, r);
}

static int compare_places(const void *a, const void *b)
{
	const struct table_place *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

/* Remembers where every row stands now. Without memory the order is simply not held. */
void table_hold(struct table *t, uint64_t now_ns)
{
	bool fresh = now_ns >= t->held_ns;

	t->held_ns = now_ns + TABLE_HOLD_NS;
	if (!fresh && t->n_places)
		return;
	free(t->places);
	t->n_places = 0;
	t->places = malloc(t->n * sizeof(*t->places) + 1);
	if (!t->places)
		return;
	for (uint32_t i = 0; i < t->n; i++)
		t->places[i] = (struct table_place){ table_key(t->order[i]), i };
	t->n_places = t->n;
	qsort(t->places, t->n_places, sizeof(*t->places), compare_places);
}

static int compare_at(const void *a, const void *b)
{
	const struct table_place *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* Restores the order in which the rows were held; new rows follow, in sorted order. */
static int restore_places(struct table *t, uint32_t *held)
{
	struct row **sorted = malloc(((size_t)t->n + 1) * sizeof(*sorted));
	struct table_place *now = malloc(((size_t)t->n + 1) * sizeof(*now)); /* key: index into sorted */

	if (!sorted || !now) {
		free(sorted);
		free(now);
		return -ENOMEM;
	}
	memcpy(sorted, t->order, t->n * sizeof(*sorted));
	for (uint32_t i = 0; i < t->n; i++) {
		struct table_place want = { .key = table_key(sorted[i]) };
		const struct table_place *p = bsearch(&want, t->places, t->n_places, sizeof(want), compare_places);

		now[i] = (struct table_place){ i, p ? p->at : t->n_places + i };
		*held += p != NULL;
	}
	qsort(now, t->n, sizeof(*now), compare_at);
	for (uint32_t i = 0; i < t->n; i++)
		t->order[i] = sorted[now[i].key];
	free(sorted);
	free(now);
	return 0;
}

#define FOLD_KEY 1 /* of the cursor on the line of the idle processes */

static void find_cursor(struct table *t)
{
	uint32_t lines = t->lines ? (uint32_t)t->lines : 1, end = t->pinned || t->n < lines ? t->n : lines;

	for (uint32_t i = 0; i < end; i++) {
		if (table_key(t->order[i]) == t->cursor_key) {
			t->cursor = i;
			return;
		}
	}
	if (!t->pinned)
		t->cursor = t->top = 0;
	if (t->pinned && t->cursor_key == FOLD_KEY && t->idle) {
		t->cursor = t->n;
		return;
	}
	if (t->cursor >= t->n)
		t->cursor = t->n ? t->n - 1 : 0;
	if (t->n)
		t->cursor_key = table_key(t->order[t->cursor]);
}

#define LEVELS 64 /* deeper rows have no lines */

/* Which lines of the tree continue below each row: going backwards, a level continues until a row of a higher level. */
static void find_branches(struct table *t)
{
	uint64_t below = 0;

	for (uint32_t i = t->n; i-- > 0;) {
		struct row *r = t->order[i];

		if (r->depth >= LEVELS) {
			r->branches = below;
			continue;
		}
		below &= UINT64_MAX >> (LEVELS - 1 - r->depth);
		r->branches = below;
		below |= 1ULL << r->depth;
	}
}

#define FOLD_LEAST 8 /* fewer idle processes are shown */

/* Nothing that it does, and nothing that anybody waits for. Of use only for who looks for it. */
static bool folds(const struct table *t, const struct row *r, const struct table_wants *w)
{
	const struct sample_open *open[] = { &r->open_answers, &r->open_upstream };
	struct value v = column_value(t->sort, r);

	for (int i = 0; i < 2; i++)
		if (open[i]->n && open[i]->n != SAMPLE_UNKNOWN)
			return false;
	if (v.type == VALUE_TEXT || (v.type == VALUE_INT && v.i) || (v.type == VALUE_REAL && v.real > 0))
		return false;
	return !r->exited && !r->kernel && r->pid && !r->slower_ns && is_idle(r) && !table_tagged(w, table_key(r));
}

/* Those stay where the idle ones fold: what has exited, and where the cursor is. */
static bool stays(const struct table *t, const struct row *r)
{
	return r->exited || (t->pinned && table_key(r) == t->cursor_key);
}

/* Folds the idle processes at the end: they go behind all others. What is asked for by a filter is shown, and as long
 * as the order is held, its first `held` rows stay. */
static void fold(struct table *t, const struct table_wants *w, uint32_t held)
{
	uint32_t first = t->n, at, n = 0;
	struct row **idle;

	t->idle = 0;
	t->folded = false;
	if (t->kind != MODEL_PROCESS || w->tree || w->filter[0] || w->selection.n_pids)
		return;
	for (; first > (t->unfold ? 0 : held); first--) {
		const struct row *r = t->order[first - 1];

		if (!stays(t, r) && !folds(t, r, w))
			break;
		n += !stays(t, r);
	}
	idle = n < FOLD_LEAST ? NULL : malloc(n * sizeof(struct row *));
	if (!idle)
		return;
	t->idle = n;
	n = 0;
	at = first;
	for (uint32_t i = first; i < t->n && !t->unfold; i++) {
		if (stays(t, t->order[i]))
			t->order[at++] = t->order[i];
		else
			idle[n++] = t->order[i];
	}
	memcpy(&t->order[at], idle, n * sizeof(struct row *));
	free(idle);
	t->folded = !t->unfold;
	t->n -= n;
}

/* How many lines the cursor may be on. */
static uint32_t lines_of(const struct table *t)
{
	return t->n + (t->idle > 0);
}

int table_arrange(struct table *t, enum model_kind kind, struct row *rows, uint32_t n, uint32_t current,
		  const struct table_wants *w, uint64_t now_ns)
{
	const struct column *then = column_find(t->view->sort);
	bool tree = w->tree && kind == MODEL_PROCESS;
	uint32_t held = 0;
	int err;

	if (kind != t->kind) {
		t->pinned = false;
		t->n_places = 0;
	}
	t->kind = kind;
	t->of = current;
	t->n = t->current = 0;
	if (!GROW(t->order, t->cap, n))
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		rows[i].depth = 0;
		if (!wanted(&rows[i], w))
			continue;
		t->order[t->n++] = &rows[i];
		t->current += i < current;
	}
	err = arrange_rows(t->order, t->current, t->sort, t->reverse, then, tree);
	if (!err)
		err = arrange_rows(t->order + t->current, t->n - t->current, t->sort, t->reverse, then, tree);
	if (!err && now_ns < t->held_ns && t->n_places)
		err = restore_places(t, &held);
	fold(t, w, held);
	if (tree)
		find_branches(t);
	find_cursor(t);
	return err;
}

const struct row *table_row(const struct table *t, uint32_t line)
{
	return line < t->n ? t->order[line] : NULL;
}

bool table_on_fold(const struct table *t)
{
	return t->idle && t->cursor == t->n;
}

void table_unfold(struct table *t)
{
	t->unfold = !t->unfold;
	if (t->folded)
		t->cursor_key = table_key(t->order[t->n]);
	table_release(t);
}

const struct row *table_cursor(const struct table *t)
{
	return table_row(t, t->cursor);
}

void table_move(struct table *t, int64_t by, uint64_t now_ns)
{
	int64_t to = (int64_t)t->cursor + by, lines = lines_of(t);

	if (!lines)
		return;
	t->cursor = to < 0 ? 0 : to >= lines ? (uint32_t)lines - 1 : (uint32_t)to;
	t->cursor_key = table_on_fold(t) ? FOLD_KEY : table_key(table_cursor(t));
	t->pinned = true;
	table_hold(t, now_ns);
}

void table_home(struct table *t)
{
	t->pinned = false;
	t->top = 0;
	table_release(t);
}

void table_release(struct table *t)
{
	t->held_ns = 0;
	if (!t->pinned)
		t->cursor_key = 0;
}

void table_sort(struct table *t, const struct column *c)
{
	if (t->sort == c)
		t->reverse = !t->reverse;
	else
		t->reverse = false;
	t->sort = c;
	table_release(t);
	table_keep_sort(t);
}

void table_keep_sort(struct table *t)
{
	t->kept_sort = t->sort;
	t->kept_reverse = t->reverse;
}

void table_sort_move(struct table *t, int direction)
{
	const struct column *cols[TABLE_COLUMNS];
	int n = table_columns(t, cols), at = -1;

	for (int i = 0; i < n; i++)
		if (cols[i] == t->sort)
			at = i;
	for (at += direction; at >= 0 && at < n; at += direction) {
		if (cols[at]->show == SHOW_SPARK)
			continue;
		t->sort = cols[at];
		t->reverse = false;
		table_release(t);
		table_keep_sort(t);
		/* Keeps the sorted column visible. */
		for (int i = 0; i < t->n_shown; i++)
			if (t->shown[i].column == t->sort)
				return;
		table_scroll(t, direction);
		return;
	}
}

void table_scroll(struct table *t, int by)
{
	if (by > 0 && !t->more_right)
		return;
	t->skip += by;
	if (t->skip < 0)
		t->skip = 0;
}

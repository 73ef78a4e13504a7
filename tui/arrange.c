/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of rows. A parent is the row whose pid is the child's ppid and that is not younger: a
 * reused pid has no children that are older than it. Rows that only reach each other (a recorded
 * file may say so) come last, each ring begun at its first row in order.
 */
#include "arrange.h"

#include <errno.h>
#include <stdlib.h>

#define NOBODY SIZE_MAX

struct order {
	const struct column *column, *then;
	bool reverse;
};

/* A row with what it is ordered by beside it. */
struct place {
	uint64_t key[COLUMN_KEY], then; /* then: the first key of another column */
	struct row *row;
};

/* One row's links, all by its place in the sorted order. */
struct node {
	struct row *row;
	size_t parent, first, last, next; /* NOBODY: none */
	bool placed;
};

static int by_column(const void *a, const void *b, void *order)
{
	const struct order *by = order;

	return column_compare(by->column, by->reverse, *(struct row *const *)a, *(struct row *const *)b);
}

static int by_key(const void *a, const void *b, void *order)
{
	const struct place *x = a, *y = b;
	const struct order *by = order;

	if (x->key[0] == y->key[0] && x->then != y->then)
		return x->then < y->then ? -1 : 1;
	for (int i = 0; i < COLUMN_KEY; i++)
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i] ? -1 : 1;
	return column_compare(by->column, by->reverse, x->row, y->row);
}

/* False: there are no keys, or no memory for them. */
static bool sort_by_key(struct row **rows, size_t n, struct order *by)
{
	struct place *places = reallocarray(NULL, n, sizeof(*places));
	bool good = places;

	for (size_t i = 0; good && i < n; i++) {
		uint64_t then[COLUMN_KEY] = { 0 };

		if (by->then && by->then != by->column)
			column_order_key(by->then, false, rows[i], then);
		places[i].row = rows[i];
		places[i].then = then[0];
		good = column_order_key(by->column, by->reverse, rows[i], places[i].key);
	}
	if (good) {
		qsort_r(places, n, sizeof(*places), by_key, by);
		for (size_t i = 0; i < n; i++)
			rows[i] = places[i].row;
	}
	free(places);
	return good;
}

/* By pid, then start. */
static int by_pid(const void *a, const void *b, void *nodes)
{
	const struct row *x = ((struct node *)nodes)[*(const size_t *)a].row;
	const struct row *y = ((struct node *)nodes)[*(const size_t *)b].row;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

/* The youngest row with the child's ppid that is not younger than the child. */
static size_t parent_of(const struct node *nodes, const size_t *sorted, size_t n, const struct row *child)
{
	size_t low = 0, high = n, middle;
	const struct row *r;

	while (low < high) {
		middle = low + (high - low) / 2;
		r = nodes[sorted[middle]].row;
		if (r->pid < child->ppid || (r->pid == child->ppid && r->start_ns <= child->start_ns))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || nodes[sorted[low - 1]].row->pid != child->ppid || nodes[sorted[low - 1]].row == child)
		return NOBODY;
	return sorted[low - 1];
}

/* i or the first of its younger siblings that has no place yet; NOBODY: none. */
static size_t unplaced(const struct node *nodes, size_t i)
{
	while (i != NOBODY && nodes[i].placed)
		i = nodes[i].next;
	return i;
}

/* Writes the tree under top into rows from *at on, parents first. No recursion: a chain may be 100,000 deep. */
static void place(struct node *nodes, size_t top, struct row **rows, size_t *at)
{
	uint32_t depth = 0;
	size_t i = top, next;

	for (;;) {
		nodes[i].placed = true;
		nodes[i].row->depth = depth;
		rows[(*at)++] = nodes[i].row;
		next = unplaced(nodes, nodes[i].first);
		if (next != NOBODY)
			depth++;
		for (; next == NOBODY && i != top; i = nodes[i].parent, depth--) {
			next = unplaced(nodes, nodes[i].next);
			if (next != NOBODY)
				break;
		}
		if (next == NOBODY)
			return;
		i = next;
	}
}

static int arrange_tree(struct row **rows, size_t n)
{
	struct node *nodes = calloc(n, sizeof(*nodes));
	size_t *sorted = calloc(n, sizeof(*sorted));
	size_t i, p, at = 0;
	int err = -ENOMEM;

	if (!nodes || !sorted)
		goto out;
	for (i = 0; i < n; i++) {
		nodes[i] = (struct node){ rows[i], NOBODY, NOBODY, NOBODY, NOBODY, false };
		sorted[i] = i;
	}
	qsort_r(sorted, n, sizeof(*sorted), by_pid, nodes);
	for (i = 0; i < n; i++) {
		p = nodes[i].parent = parent_of(nodes, sorted, n, rows[i]);
		if (p == NOBODY)
			continue;
		if (nodes[p].first == NOBODY)
			nodes[p].first = i;
		else
			nodes[nodes[p].last].next = i;
		nodes[p].last = i;
	}
	for (i = 0; i < n; i++)
		if (nodes[i].parent == NOBODY)
			place(nodes, i, rows, &at);
	for (i = 0; i < n; i++)
		if (!nodes[i].placed)
			place(nodes, i, rows, &at);
	err = 0;
out:
	free(sorted);
	free(nodes);
	return err;
}

int arrange_rows(struct row **rows, size_t n, const struct column *sort, bool reverse, const struct column *then,
		 bool tree)
{
	struct order by = { sort, then, reverse };

	if (n == 0)
		return 0;
	if (!sort_by_key(rows, n, &by))
		qsort_r(rows, n, sizeof(struct row *), by_column, &by);
	return tree ? arrange_tree(rows, n) : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of rows. A parent is the row whose pid is the child's ppid and that is not younger: a reused pid has no
 * children that are older than it. Rows that are only each other's parents (a recording may contain such cycles) come
 * last, each cycle starting at its first row in order.
 */
#include "arrange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY SIZE_MAX

struct order {
	const struct column *column, *then;
	bool reverse;
};

#define KEYS (COLUMN_KEY + 1)

/* A row with its sort keys: the column's first key, that of the column `then`, the column's other keys. */
struct place {
	uint64_t key[KEYS];
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

/*
 * Radix sort, from the last byte of the keys. Bytes that are the same in all keys, which are most of them, cost
 * nothing. `other` has room for as many elements. Returns whichever of the two arrays holds the result.
 */
static struct place *sort_places(struct place *places, struct place *other, size_t n)
{
	uint64_t differs[KEYS] = { 0 };

	for (size_t i = 1; i < n; i++)
		for (int k = 0; k < KEYS; k++)
			differs[k] |= places[i].key[k] ^ places[0].key[k];
	for (int digit = KEYS * 8 - 1; digit >= 0; digit--) {
		size_t at[256] = { 0 }, before = 0, count;
		int k = digit / 8, shift = 56 - digit % 8 * 8;
		struct place *sorted = other;

		if (!(differs[k] >> shift & 255))
			continue;
		for (size_t i = 0; i < n; i++)
			at[places[i].key[k] >> shift & 255]++;
		for (int byte = 0; byte < 256; byte++) {
			count = at[byte];
			at[byte] = before;
			before += count;
		}
		for (size_t i = 0; i < n; i++)
			sorted[at[places[i].key[k] >> shift & 255]++] = places[i];
		other = places;
		places = sorted;
	}
	return places;
}

/* False: there are no keys, or no memory for them. */
static bool sort_by_key(struct row **rows, size_t n, struct order *by)
{
	struct place *places = reallocarray(NULL, n, 2 * sizeof(*places)), *sorted;
	bool good = places;

	for (size_t i = 0; good && i < n; i++) {
		uint64_t key[COLUMN_KEY], then[COLUMN_KEY] = { 0 };

		if (by->then && by->then != by->column)
			good = column_order_key(by->then, false, rows[i], then);
		good = good && column_order_key(by->column, by->reverse, rows[i], key);
		if (good)
			places[i] = (struct place){ { key[0], then[0], key[1], key[2] }, rows[i] };
	}
	if (good) {
		sorted = sort_places(places, places + n, n);
		for (size_t i = 0, first = 0; i < n; i++) {
			rows[i] = sorted[i].row;
			if (i + 1 < n && !memcmp(sorted[i].key, sorted[i + 1].key, sizeof(sorted->key)))
				continue;
			if (i > first)
				qsort_r(rows + first, i + 1 - first, sizeof(*rows), by_column, by);
			first = i + 1;
		}
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

/* i or the first of its younger siblings that is not placed yet; NOBODY: none. */
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
	size_t p, at = 0;
	int err = -ENOMEM;

	if (!nodes || !sorted)
		goto out;
	for (size_t i = 0; i < n; i++) {
		nodes[i] = (struct node){ rows[i], NOBODY, NOBODY, NOBODY, NOBODY, false };
		sorted[i] = i;
	}
	qsort_r(sorted, n, sizeof(*sorted), by_pid, nodes);
	for (size_t i = 0; i < n; i++) {
		p = nodes[i].parent = parent_of(nodes, sorted, n, rows[i]);
		if (p == NOBODY)
			continue;
		if (nodes[p].first == NOBODY)
			nodes[p].first = i;
		else
			nodes[nodes[p].last].next = i;
		nodes[p].last = i;
	}
	for (size_t i = 0; i < n; i++)
		if (nodes[i].parent == NOBODY)
			place(nodes, i, rows, &at);
	for (size_t i = 0; i < n; i++)
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

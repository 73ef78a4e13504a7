/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many short-lived processes as one row, or in their parent's: see crowd.h. */
#include "crowd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

static int by_parent_and_command(const void *a, const void *b)
{
	const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;

	if (x->ppid != y->ppid)
		return x->ppid < y->ppid ? -1 : 1;
	return strcmp(x->comm, y->comm);
}

static void sum_row(struct row *r, struct row_net *net, const struct row *more)
{
	r->wall_ns += more->wall_ns;
	counter_add(r->counter, more->counter, LT_NET_FIRST);
	counter_add(net->counter, more->net->counter, LT_COUNTERS - LT_NET_FIRST);
	if (more->net != &row_no_net)
		r->net = net;
	r->off |= more->off;
	r->levels |= more->levels;
}

/* The sum of n processes of one command and parent. */
static void sum_rows(struct row *r, struct row_net *net, char name[CROWD_NAME], const struct row *const *of, uint32_t n)
{
	*r = *of[0];
	*net = *r->net;
	net->connect = (struct model_dist){ 0 };
	net->srtt_ns = SAMPLE_UNKNOWN;
	memset(r->dist, 0, sizeof(r->dist));
	for (uint32_t i = 1; i < n; i++)
		sum_row(r, net, of[i]);
	if (r->net != &row_no_net)
		r->net = net;
	snprintf(name, CROWD_NAME, "%.20s x %u", r->comm, n);
	r->comm = name;
	r->cmdline = "";
	r->pid = r->tid = r->ppid;
	r->start_ns = 0;
	r->exited = r->live = false;
	r->crowd = n;
	r->processes = r->threads = r->n_because = 0;
	r->focus_since_ns = 0;
	r->because = NULL;
	r->spark = NULL;
}

/* How many of the first n are of the first one's command and parent. */
static uint32_t alike(const struct row **of, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (by_parent_and_command(&of[0], &of[i]))
			return i;
	return n;
}

static int reserve(struct crowd *c, uint32_t n)
{
	return GROW(c->rows, c->cap_rows, n + 1) && GROW(c->nets, c->cap_nets, n + 1) &&
			       GROW(c->names, c->cap_names, n + 1) && GROW(c->exited, c->cap_exited, n + 1)
		       ? 0
		       : -ENOMEM;
}

int crowd_sum(struct crowd *c, const struct row *rows, uint32_t n, struct row **out)
{
	uint32_t n_out = 0, n_exited = 0, same;

	if (reserve(c, n))
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		if (rows[i].exited)
			c->exited[n_exited++] = &rows[i];
		else
			c->rows[n_out++] = rows[i];
	}
	if (n_exited)
		qsort(c->exited, n_exited, sizeof(c->exited[0]), by_parent_and_command);
	for (uint32_t i = 0; i < n_exited; i += same) {
		same = alike(c->exited + i, n_exited - i);
		if (same == 1)
			c->rows[n_out++] = *c->exited[i];
		else {
			sum_rows(&c->rows[n_out], &c->nets[n_out], c->names[n_out], &c->exited[i], same);
			n_out++;
		}
	}
	*out = c->rows;
	return (int)n_out;
}

/* The youngest process with that pid that is not younger than its child; NULL: it is not there. */
static struct row *parent_of(struct row *rows, uint32_t n, const struct row *child)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (rows[middle].pid < child->ppid ||
		    (rows[middle].pid == child->ppid && rows[middle].start_ns <= child->start_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return child->ppid && low && rows[low - 1].pid == child->ppid && &rows[low - 1] != child ? &rows[low - 1]
												 : NULL;
}

#define GENERATIONS 100 /* a recording may have circles */

static struct row *living_parent(struct row *rows, uint32_t n, const struct row *child)
{
	struct row *parent = parent_of(rows, n, child);

	for (int i = 0; parent && parent->exited && i < GENERATIONS; i++)
		parent = parent_of(rows, n, parent);
	return parent && !parent->exited ? parent : NULL;
}

int crowd_add(struct crowd *c, const struct row *rows, uint32_t n, struct row **out)
{
	uint32_t n_out = 0;

	if (reserve(c, n))
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		c->rows[i] = rows[i];
		c->nets[i] = *rows[i].net;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct row *parent = rows[i].exited ? living_parent(c->rows, n, &c->rows[i]) : NULL;

		c->rows[i].crowd = parent != NULL;
		if (parent)
			sum_row(parent, &c->nets[parent - c->rows], &rows[i]);
	}
	for (uint32_t i = 0; i < n; i++)
		if (!c->rows[i].crowd)
			c->rows[n_out++] = c->rows[i];
	*out = c->rows;
	return (int)n_out;
}

void crowd_free(struct crowd *c)
{
	free(c->rows);
	free(c->nets);
	free(c->names);
	free(c->exited);
}

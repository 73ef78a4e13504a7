/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many short-lived processes as one row: see crowd.h. */
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

int crowd_sum(struct crowd *c, const struct row *rows, uint32_t n, struct row **out)
{
	uint32_t n_out = 0, n_exited = 0, same;

	if (!GROW(c->rows, c->cap_rows, n + 1) || !GROW(c->nets, c->cap_nets, n + 1) ||
	    !GROW(c->names, c->cap_names, n + 1) || !GROW(c->exited, c->cap_exited, n + 1))
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

void crowd_free(struct crowd *c)
{
	free(c->rows);
	free(c->nets);
	free(c->names);
	free(c->exited);
}

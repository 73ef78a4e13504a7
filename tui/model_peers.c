/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peers of a process: how long its threads waited for each one's answers, and how the connections to it are. Both
 * come with the peer's name; what has one name is one row.
 */
#include "model_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

const struct row *model_youngest(const struct model *m, uint32_t pid)
{
	const struct sample *s = m->sample;
	uint32_t low = 0, high = s->n_processes;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->processes[middle].pid <= pid)
			low = middle + 1;
		else
			high = middle;
	}
	return pid && low > 0 && s->processes[low - 1].pid == pid ? &m->living.rows[low - 1] : NULL;
}

static int collect(struct model *m, uint32_t *n, uint32_t first, uint32_t more)
{
	if (!GROW(m->peers, m->cap_peers, *n + more))
		return -ENOMEM;
	for (uint32_t i = 0; i < more; i++)
		m->peers[(*n)++] = &m->sample->peers[first + i];
	return 0;
}

static int peer_order(const void *a, const void *b)
{
	const struct sample_peer *const *x = a, *const *y = b;

	return memcmp(&(*x)->of, &(*y)->of, sizeof((*x)->of));
}

/* A row begins with the first of its name. */
static void peer_begin(struct model *m, struct row *r, struct row_net *own, const struct sample_peer *first,
		       const struct row *process)
{
	const struct sample *s = m->sample;

	*r = (struct row){
		.kind = MODEL_PEER,
		.comm = "",
		.cmdline = "",
		.cgroup = "",
		.killer_comm = "",
		.interval_ns = s->interval_ns,
		.off = process->off,
		.unknown = process->unknown,
		.open_upstream.n = SAMPLE_UNKNOWN,
		.net = &row_no_net,
		.call = LT_CALL_NONE,
		.peer = &first->of,
	};
	row_use_net(r, own)->srtt_ns = SAMPLE_UNKNOWN;
	counter_put(&r->unknown, COUNTER_retransmits);
}

static void peer_add(struct model *m, struct row *r, struct row_net *own, const struct sample_peer *p)
{
	tally_add_dist(&m->dist[LT_DIST_UPSTREAM], m->sample, &p->upstream);
	own->upstream_overlapped += p->overlapped;
	if (p->pid)
		r->pid = p->pid;
	if (p->open.n != SAMPLE_UNKNOWN)
		r->open_upstream = p->open;
	if (p->retransmits != SAMPLE_UNKNOWN) {
		own->retransmits = p->retransmits;
		counter_drop(&r->unknown, COUNTER_retransmits);
	}
	if (p->srtt_ns != SAMPLE_UNKNOWN)
		own->srtt_ns = p->srtt_ns;
}

static void peer_end(struct model *m, struct row *r)
{
	const struct row *at = model_youngest(m, r->pid);

	row_take_dists(r, m->dist);
	/* UNIX sockets are reported only while they wait. */
	if (r->peer->proto == LT_UNIX && m->sample->has_connections && r->open_upstream.n == SAMPLE_UNKNOWN)
		r->open_upstream.n = 0;
	if (!at)
		return;
	r->comm = at->comm;
	r->cmdline = at->cmdline;
	r->cgroup = at->cgroup;
	r->start_ns = at->start_ns;
	r->uid = at->uid;
	r->own_user = at->own_user;
}

int model_peer_rows(struct model *m, uint32_t process, struct row **rows)
{
	const struct sample *s = m->sample;
	const struct sample_process *p = &s->processes[process];
	struct row_list *out = &m->out[MODEL_PEER];
	uint32_t n = 0, n_rows = 0;
	int err = collect(m, &n, p->sockets.first_peer, p->sockets.n_peers);

	for (uint32_t i = 0; i < p->n_threads && !err; i++) {
		uint32_t work = s->threads[p->first_thread + i].work;

		if (work != SAMPLE_NONE)
			err = collect(m, &n, s->works[work].first_peer, s->works[work].n_peers);
	}
	if (err || row_list_reserve(out, n) < 0)
		return -ENOMEM;
	if (n)
		qsort(m->peers, n, sizeof(*m->peers), peer_order);
	for (uint32_t i = 0; i < n; i++) {
		if (!i || peer_order(&m->peers[i - 1], &m->peers[i]))
			peer_begin(m, &out->rows[n_rows], &out->nets[n_rows], m->peers[i], &m->living.rows[process]);
		peer_add(m, &out->rows[n_rows], &out->nets[n_rows], m->peers[i]);
		if (i + 1 == n || peer_order(&m->peers[i], &m->peers[i + 1]))
			peer_end(m, &out->rows[n_rows++]);
	}
	*rows = out->rows;
	return (int)n_rows;
}

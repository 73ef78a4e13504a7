/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of a query. Process rows were made by model_update; here are the totals since the
 * start, threads, groups, calls and connections. Each kind has its own array, so that a walk over
 * processes can ask for the calls of each. Nothing is allocated per row.
 */
#include "model_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "grow.h"
#include "idle.h"

/* The processes a query is about: [first, end) of the sample's. */
struct range {
	uint32_t first, end;
};

static struct range find_process(const struct sample *s, uint32_t pid, uint64_t start_ns)
{
	uint32_t low = 0, high = s->n_processes;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct sample_process *p = &s->processes[middle];

		if (p->pid < pid || (p->pid == pid && p->start_ns < start_ns))
			low = middle + 1;
		else
			high = middle;
	}
	if (low < s->n_processes && s->processes[low].pid == pid && s->processes[low].start_ns == start_ns)
		return (struct range){ low, low + 1 };
	return (struct range){ 0, 0 };
}

static struct range range_of(const struct sample *s, const struct model_query *q)
{
	return q->one ? find_process(s, q->pid, q->start_ns) : (struct range){ 0, s->n_processes };
}

static struct model_dist dist_of_sum(struct tally *t, const struct dist_sum *d)
{
	struct model_dist dist;

	tally_add_sum(t, d);
	dist = tally_dist(t);
	tally_clear(t);
	return dist;
}

/* A process's row since the start; `now` is its row of the interval, or its last. */
static void total_row(struct model *m, struct row *r, struct row_net *own, const struct row *now, const struct life *l)
{
	life_sums(l, now, r);
	r->totals = true;
	if (!l->total)
		return;
	for (int i = 0; i < LT_THREAD_DISTS; i++)
		r->dist[i] = dist_of_sum(&m->dist[i], &l->total->dist[i]);
	row_mark_overlapped(r);
	row_limit_durations(r);
	if (r->net == &row_no_net)
		return;
	*own = *r->net;
	own->connect = dist_of_sum(&m->dist[LT_DIST_CONNECT], &l->total->dist[LT_DIST_CONNECT]);
	r->net = own;
}

static int process_rows(struct model *m, const struct model_query *q, struct row **rows)
{
	struct row_list *out = &m->out[MODEL_PROCESS];
	uint32_t n = q->no_dead ? m->sample->n_processes : m->living.n, dead = 0;

	if (!q->totals) {
		*rows = m->living.rows;
		return (int)n;
	}
	if (row_list_reserve(out, n) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct life *l;

		if (i < m->sample->n_processes) {
			l = m->life_of[i];
		} else {
			while (!m->lives[dead]->gone)
				dead++;
			l = m->lives[dead++];
		}
		total_row(m, &out->rows[i], &out->nets[i], &m->living.rows[i], l);
	}
	*rows = out->rows;
	return (int)n;
}

static void thread_row(struct model *m, struct row *r, struct row_net *own, const struct row *process,
		       const struct sample_thread *t)
{
	const struct sample *s = m->sample;
	const struct idle_turns turns = idle_turns_of(s, t);

	*r = (struct row){
		.kind = MODEL_THREAD,
		.pid = process->pid,
		.tid = t->tid,
		.ppid = process->ppid,
		.uid = process->uid,
		.start_ns = t->start_ns,
		.threads = 1,
		.exited = t->state == LT_DEAD,
		.kernel = process->kernel,
		.live = process->live && t->state != LT_DEAD,
		.own_user = process->own_user,
		.exit_code = process->exit_code,
		.state = t->state,
		.comm = t->comm,
		.cmdline = process->cmdline,
		.cgroup = process->cgroup,
		.killer_comm = "",
		.interval_ns = s->interval_ns,
		.off = process->off,
		.levels = process->levels,
		.unknown = process->unknown,
		.net = &row_no_net,
		.call = t->state == LT_DEAD ? LT_CALL_NONE : t->call,
		.idle = idle_state(&turns, (enum lt_state)t->state, t->call),
	};
	if (r->call != LT_CALL_NONE) {
		r->in_flight = 1;
		r->oldest_ns = t->call_age_ns;
		r->oldest_at_least = t->flags & SAMPLE_THREAD_AT_LEAST;
	}
	row_add_thread(r, own, s, t, m->dist);
	r->in_focus = process->in_focus;
	if (t->work == SAMPLE_NONE)
		return;
	row_take_dists(r, m->dist);
	r->waker = s->works[t->work].waker;
	r->n_because = s->works[t->work].n_because;
	r->because = r->n_because ? &s->because[s->works[t->work].first_because] : NULL;
}

static int thread_rows(struct model *m, const struct model_query *q, struct row **rows)
{
	const struct sample *s = m->sample;
	struct row_list *out = &m->out[MODEL_THREAD];
	struct range range = range_of(s, q);
	uint32_t n = 0;

	for (uint32_t i = range.first; i < range.end; i++)
		n += s->processes[i].n_threads;
	if (row_list_reserve(out, n) < 0)
		return -ENOMEM;
	n = 0;
	for (uint32_t i = range.first; i < range.end; i++) {
		const struct sample_process *p = &s->processes[i];

		for (uint32_t t = 0; t < p->n_threads; t++, n++)
			thread_row(m, &out->rows[n], &out->nets[n], &m->living.rows[i],
				   &s->threads[p->first_thread + t]);
	}
	*rows = out->rows;
	return (int)n;
}

/* A group of processes, found by its key while the groups are formed. */
struct group {
	UT_hash_handle hh;
	uint32_t n, first; /* number of members, and their first index in model.members */
};

/* The index of a row's group, created if there is none, or -ENOMEM. */
static int group_find(struct model *m, struct group **table, enum model_kind kind, const struct row *r,
		      struct row_list *out)
{
	const char *key = kind == MODEL_COMMAND ? r->comm : kind == MODEL_CGROUP ? r->cgroup : (const char *)&r->uid;
	unsigned len = kind != MODEL_USER ? (unsigned)strlen(key) : r->own_user ? (unsigned)sizeof(r->uid) : 0;
	struct group *g = NULL;
	struct row *row;

	HASH_FIND(hh, *table, key, len, g);
	if (g)
		return (int)(g - m->groups);
	row = &out->rows[out->n];
	*row = (struct row){
		.kind = kind,
		.uid = kind == MODEL_USER ? r->uid : 0,
		.own_user = kind == MODEL_USER && r->own_user,
		.exited = true,
		.comm = kind == MODEL_COMMAND  ? r->comm
			: kind == MODEL_CGROUP ? r->cgroup
					       : "",
		.cmdline = "",
		.cgroup = kind == MODEL_CGROUP ? r->cgroup : "",
		.killer_comm = "",
		.off = r->off,
		.levels = r->levels,
		.drops_known = r->drops_known,
		.unknown = r->unknown,
		.net = &row_no_net,
		.call = LT_CALL_NONE,
	};
	g = &m->groups[out->n++];
	g->n = 0;
	HASH_ADD_KEYPTR(hh, *table, key, len, g);
	if (!g->hh.tbl)
		return -ENOMEM;
	return (int)(g - m->groups);
}

static bool has_dists(const struct row *r)
{
	for (int d = 0; d < LT_THREAD_DISTS; d++)
		if (r->dist[d].count)
			return true;
	return false;
}

/* Groups' open turns: those of their members. */
static void open_add(struct sample_open *to, const struct sample_open *from)
{
	if (to->n == SAMPLE_UNKNOWN || from->n == SAMPLE_UNKNOWN) {
		to->n = SAMPLE_UNKNOWN;
		return;
	}
	to->n = counter_sum(to->n, from->n);
	if (from->n && from->n != SAMPLE_UNKNOWN && from->oldest_ns > to->oldest_ns)
		to->oldest_ns = from->oldest_ns;
}

/* Percentiles of a group, from its members' buckets, and its srtt: their mean, weighted by their bytes. */
static void group_finish(struct model *m, struct row *row, struct row_net *own, const struct group *g, bool totals)
{
	struct tally *connect = &m->dist[LT_DIST_CONNECT];
	const struct sample *s = m->sample;
	double weights = 0, sum = 0;

	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t process = m->members[g->first + i];
		const struct sample_process *p = &s->processes[process];
		const struct row *r = &m->living.rows[process];
		const struct life *l = m->life_of[process];
		const struct lt_flow *tcp = &r->net->flow[LT_TCP];
		double weight = (double)(tcp->tx_bytes + tcp->rx_bytes) + 1;

		open_add(&row->open_answers, &r->open_answers);
		open_add(&row->open_upstream, &r->open_upstream);
		if (r->net->srtt_ns != SAMPLE_UNKNOWN) {
			weights += weight;
			sum += weight * (double)r->net->srtt_ns;
		}
		if (totals && l->total) {
			for (int d = 0; d < LT_DISTS; d++)
				tally_add_sum(&m->dist[d], &l->total->dist[d]);
			continue;
		}
		tally_add_dist(connect, s, &p->sockets.connect);
		for (uint32_t t = 0; (r->calls || has_dists(r)) && t < p->n_threads; t++) {
			const struct sample_thread *thread = &s->threads[p->first_thread + t];

			if (thread->work == SAMPLE_NONE)
				continue;
			for (int d = 0; d < LT_THREAD_DISTS; d++)
				tally_add_dist(&m->dist[d], s, &s->works[thread->work].dist[d]);
		}
	}
	if (weights > 0)
		row_use_net(row, own)->srtt_ns = (uint64_t)(sum / weights + 0.5);
	if (connect->events)
		row_use_net(row, own)->connect = tally_dist(connect);
	row_take_dists(row, m->dist);
	tally_clear(connect);
}

static bool query_wants(const struct model *m, const struct model_query *q, uint32_t process)
{
	return !q->wants || q->wants(q->context, &m->living.rows[process]);
}

#define NO_GROUP UINT32_MAX

static int group_rows(struct model *m, const struct model_query *q, struct row **rows)
{
	uint32_t n = m->sample->n_processes, first = 0;
	struct row_list *out = &m->out[q->kind];
	struct group *table = NULL;

	if (row_list_reserve(out, n) < 0 || !GROW(m->groups, m->cap_groups, n) ||
	    !GROW(m->group_of, m->cap_group_of, n) || !GROW(m->members, m->cap_members, n))
		return -ENOMEM;
	out->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct row *r = &m->living.rows[i], *add = r;
		struct row sums;
		int g;

		m->group_of[i] = NO_GROUP;
		if (!query_wants(m, q, i))
			continue;
		g = group_find(m, &table, q->kind, r, out);
		if (g < 0) {
			HASH_CLEAR(hh, table);
			return g;
		}
		m->group_of[i] = (uint32_t)g;
		m->groups[g].n++;
		if (q->totals) {
			life_sums(m->life_of[i], r, &sums);
			add = &sums;
		}
		row_add(&out->rows[g], &out->nets[g], add);
		if (add->interval_ns > out->rows[g].interval_ns)
			out->rows[g].interval_ns = add->interval_ns;
		out->rows[g].totals = q->totals;
		out->rows[g].exited &= r->exited;
		out->rows[g].processes += !r->exited;
		out->rows[g].threads += r->exited ? 0 : r->threads;
	}
	HASH_CLEAR(hh, table);
	for (uint32_t g = 0; g < out->n; g++) {
		m->groups[g].first = first;
		first += m->groups[g].n;
		m->groups[g].n = 0;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct group *g;

		if (m->group_of[i] == NO_GROUP)
			continue;
		g = &m->groups[m->group_of[i]];
		m->members[g->first + g->n++] = i;
	}
	for (uint32_t g = 0; g < out->n; g++)
		group_finish(m, &out->rows[g], &out->nets[g], &m->groups[g], q->totals);
	*rows = out->rows;
	return (int)out->n;
}

static int call_rows(struct model *m, const struct model_query *q, struct row **rows)
{
	const struct sample *s = m->sample;
	struct call_table *c = q->totals && model_has_totals(q) ? &m->calls_total : &m->calls;
	struct range range = range_of(s, q);

	if (c == &m->calls) {
		call_table_clear(c);
		for (uint32_t i = range.first; i < range.end; i++) {
			const struct sample_process *p = &s->processes[i];

			if (!query_wants(m, q, i))
				continue;
			for (uint32_t t = 0; t < p->n_threads; t++) {
				const struct sample_thread *thread = &s->threads[p->first_thread + t];

				if (q->tid && thread->tid != q->tid)
					continue;
				if (call_table_add_thread(c, s, thread, LT_CALL_NONE) < 0)
					return -ENOMEM;
			}
		}
	}
	call_table_finish(c);
	for (uint32_t i = 0; i < c->list.n; i++) {
		c->list.rows[i].totals = c == &m->calls_total;
		c->list.rows[i].interval_ns = c == &m->calls ? s->interval_ns : m->elapsed_ns;
	}
	*rows = c->list.rows;
	return (int)c->list.n;
}

/* Gives a row of a call the identity of the process that made it, and a copy of its errnos, since the table is reused.
 */
static int caller_row(struct model *m, struct row *r, const struct row *process, uint32_t *n_errnos)
{
	const struct row *call = &m->calls.list.rows[0];

	if (!GROW(m->errnos, m->cap_errnos, *n_errnos + call->n_errnos))
		return -ENOMEM;
	for (uint32_t i = 0; i < call->n_errnos; i++)
		m->errnos[(*n_errnos)++] = call->errnos[i];
	*r = *call;
	memcpy(r, process, ROW_IDENTITY_SIZE);
	r->kind = MODEL_CALLER;
	r->interval_ns = process->interval_ns;
	return 0;
}

static int caller_rows(struct model *m, const struct model_query *q, struct row **rows)
{
	struct row_list *out = &m->out[MODEL_CALLER];
	const struct sample *s = m->sample;
	uint32_t n_errnos = 0;

	if (!GROW(out->rows, out->cap, s->n_processes))
		return -ENOMEM;
	out->n = 0;
	for (uint32_t i = 0; i < s->n_processes; i++) {
		const struct sample_process *p = &s->processes[i];

		if (!query_wants(m, q, i))
			continue;
		call_table_clear(&m->calls);
		for (uint32_t t = 0; t < p->n_threads; t++)
			if (call_table_add_thread(&m->calls, s, &s->threads[p->first_thread + t], q->call) < 0)
				return -ENOMEM;
		if (!m->calls.list.n)
			continue;
		call_table_finish(&m->calls);
		if (caller_row(m, &out->rows[out->n], &m->living.rows[i], &n_errnos) < 0)
			return -ENOMEM;
		out->n++;
	}
	n_errnos = 0;
	for (uint32_t i = 0; i < out->n; i++) { /* their addresses are final now */
		out->rows[i].errnos = m->errnos + n_errnos;
		n_errnos += out->rows[i].n_errnos;
	}
	*rows = out->rows;
	return (int)out->n;
}

static void connection_row(const struct sample *s, struct row *r, struct row_net *own,
			   const struct sample_connection *c, const struct row *owner)
{
	const struct model_dist turns = { .count = c->turns, .max_ns = c->turn_max_ns, .about = c->overlapped };

	*r = (struct row){
		.kind = MODEL_CONNECTION,
		.pid = c->pid,
		.tid = c->pid,
		.ppid = owner ? owner->ppid : 0,
		.uid = owner ? owner->uid : 0,
		.own_user = owner,
		.kernel = owner && owner->kernel,
		.comm = owner ? owner->comm : "",
		.cmdline = owner ? owner->cmdline : "",
		.cgroup = owner ? owner->cgroup : "",
		.killer_comm = "",
		.interval_ns = s->interval_ns,
		.off = (uint8_t)((c->tx_bytes == SAMPLE_UNKNOWN) << SAMPLE_NET | (c->turns == SAMPLE_UNKNOWN)
											 << SAMPLE_TURNS),
		.unknown = s->unknown,
		.net = &row_no_net,
		.call = LT_CALL_NONE,
		.connection = c,
	};
	if (c->role == LT_ROLE_SERVER)
		r->response = turns;
	else if (c->role == LT_ROLE_CLIENT)
		r->upstream = turns;
	if (!c->tx_bytes && !c->rx_bytes)
		return;
	row_use_net(r, own);
	own->flow[c->proto].tx_bytes = c->tx_bytes;
	own->flow[c->proto].rx_bytes = c->rx_bytes;
}

static int connection_rows(struct model *m, const struct model_query *q, struct row **rows)
{
	const struct sample *s = m->sample;
	struct row_list *out = &m->out[MODEL_CONNECTION];
	const struct row *owner = NULL;
	uint32_t n = 0;

	if (row_list_reserve(out, s->n_connections) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_connections; i++) {
		const struct sample_connection *c = &s->connections[i];

		if (q->one && c->pid != q->pid)
			continue;
		if (!owner || owner->pid != c->pid)
			owner = model_youngest(m, c->pid);
		connection_row(s, &out->rows[n], &out->nets[n], c, owner);
		n++;
	}
	*rows = out->rows;
	return (int)n;
}

static int cpu_rows(struct model *m, struct row **rows)
{
	const struct sample *s = m->sample;
	struct row_list *out = &m->out[MODEL_CPU];

	if (row_list_reserve(out, s->n_cpus) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_cpus; i++) {
		const struct sample_cpu *c = &s->cpus[i];
		const struct row *who = c->runs == LT_RUNS_THREAD ? model_youngest(m, c->pid) : NULL;

		out->rows[i] = (struct row){
			.kind = MODEL_CPU,
			.pid = c->pid,
			.tid = c->tid,
			.ppid = who ? who->ppid : 0,
			.uid = who ? who->uid : 0,
			.own_user = who,
			.kernel = who && who->kernel,
			.comm = c->comm,
			.cmdline = who ? who->cmdline : "",
			.cgroup = who ? who->cgroup : "",
			.interval_ns = s->interval_ns,
			.unknown = s->unknown,
			.net = &row_no_net,
			.call = LT_CALL_NONE,
			.cpu = c,
		};
	}
	*rows = out->rows;
	return (int)s->n_cpus;
}

static int disk_rows(struct model *m, struct row **rows)
{
	struct row_list *out = &m->out[MODEL_DISK];
	const struct sample *s = m->sample;

	if (!GROW(out->rows, out->cap, s->n_disks) || !GROW(m->disks, m->cap_disks, s->n_disks))
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_disks; i++) {
		struct row_disk *d = &m->disks[i];

		d->sample = &s->disks[i];
		for (int p = 0; p < LT_DISK_PARTS; p++) {
			tally_add_dist(&m->dist[0], s, &d->sample->latency[p]);
			d->latency[p] = tally_dist(&m->dist[0]);
			tally_clear(&m->dist[0]);
		}
		out->rows[i] = (struct row){
			.kind = MODEL_DISK,
			.comm = sample_text(s, d->sample->name),
			.cmdline = "",
			.cgroup = "",
			.interval_ns = s->interval_ns,
			.off = s->probe[SAMPLE_DISK].on ? 0 : 1 << SAMPLE_DISK,
			.unknown = s->unknown,
			.net = &row_no_net,
			.call = LT_CALL_NONE,
			.disk = d,
		};
	}
	*rows = out->rows;
	return (int)s->n_disks;
}

/* What is shown for a charge that is not a process's. */
static const char *const no_process[SAMPLE_BLAMES] = {
	[SAMPLE_BLAME_CPU] = "",
	[SAMPLE_BLAME_IRQ] = "(interrupts)",
	[SAMPLE_BLAME_STEAL] = "(the hypervisor)",
	[SAMPLE_BLAME_ASLEEP] = "(the CPU was asleep)",
	[SAMPLE_BLAME_QUOTA] = "(its own quota)",
	[SAMPLE_BLAME_OTHERS] = "(others, or not known)",
	[SAMPLE_BLAME_HOLDER] = "",
	[SAMPLE_BLAME_CONTENDED] = "(whoever held it)",
	[SAMPLE_BLAME_WAKER] = "",
	[SAMPLE_BLAME_TIMER] = "(a timer)",
	[SAMPLE_BLAME_NETWORK] = "(the network)",
	[SAMPLE_BLAME_INTERRUPT] = "(an interrupt)",
	[SAMPLE_BLAME_SOMEBODY] = "(others, or not known)",
};

static void culprit_row(struct model *m, struct row *to, const struct sample_because *b, uint64_t charged_ns)
{
	const struct row *who = sample_blame_has_pid(b->kind) ? model_youngest(m, b->pid) : NULL;

	if (who && who->start_ns != b->start_ns)
		who = NULL;
	*to = (struct row){
		.kind = MODEL_CULPRIT,
		.pid = b->pid,
		.tid = b->tid,
		.start_ns = b->start_ns,
		.uid = who ? who->uid : 0,
		.own_user = who && who->own_user,
		.kernel = who && who->kernel,
		.exited = who && who->exited,
		.comm = b->comm[0] ? b->comm : no_process[b->kind],
		/* a thread is known by its own name */
		.cmdline = who && b->kind != SAMPLE_BLAME_HOLDER ? who->cmdline : "",
		.cgroup = who ? who->cgroup : "",
		.killer_comm = "",
		.interval_ns = m->sample->interval_ns,
		.unknown = m->sample->unknown,
		.net = &row_no_net,
		.call = LT_CALL_NONE,
		.because = b,
		.n_because = 1,
		.charged_ns = charged_ns,
	};
}

/* Charges are shares of all for the same kind of wait: idle sleeps are no reason why others look small. */
static uint64_t charged_ns(const struct sample_because *b, uint32_t n, const struct sample_because *of)
{
	uint64_t ns = 0;

	for (uint32_t i = 0; i < n; i++)
		if (b[i].state == of->state)
			ns = counter_sum(ns, b[i].ns);
	return ns;
}

static int culprit_rows(struct model *m, const struct model_query *q, struct row **rows)
{
	struct range range = find_process(m->sample, q->pid, q->start_ns);
	struct row_list *out = &m->out[MODEL_CULPRIT];
	uint32_t n = 0;

	for (uint32_t i = range.first; i < range.end; i++) {
		const struct sample_process *p = &m->sample->processes[i];
		const struct sample_because *b = &m->sample->because[p->first_because];

		if (!GROW(out->rows, out->cap, n + p->n_because))
			return -ENOMEM;
		for (uint32_t j = 0; j < p->n_because; j++)
			culprit_row(m, &out->rows[n++], &b[j], charged_ns(b, p->n_because, &b[j]));
	}
	*rows = out->rows;
	return (int)n;
}

bool model_has_totals(const struct model_query *q)
{
	if (q->kind == MODEL_CALL)
		return !q->one && !q->wants;
	return q->kind != MODEL_THREAD && q->kind != MODEL_CONNECTION && q->kind != MODEL_CALLER &&
	       q->kind != MODEL_CPU && q->kind != MODEL_DISK && q->kind != MODEL_PEER && q->kind != MODEL_CULPRIT;
}

int model_rows(struct model *m, const struct model_query *q, struct row **rows)
{
	struct range range;

	*rows = NULL;
	if (!m->sample)
		return 0;
	switch (q->kind) {
	case MODEL_PROCESS:
		return process_rows(m, q, rows);
	case MODEL_THREAD:
		return thread_rows(m, q, rows);
	case MODEL_COMMAND:
	case MODEL_USER:
	case MODEL_CGROUP:
		return group_rows(m, q, rows);
	case MODEL_CALL:
		return call_rows(m, q, rows);
	case MODEL_CONNECTION:
		return connection_rows(m, q, rows);
	case MODEL_CALLER:
		return caller_rows(m, q, rows);
	case MODEL_CPU:
		return cpu_rows(m, rows);
	case MODEL_DISK:
		return disk_rows(m, rows);
	case MODEL_PEER:
		range = find_process(m->sample, q->pid, q->start_ns);
		return range.first == range.end ? 0 : model_peer_rows(m, range.first, rows);
	case MODEL_CULPRIT:
		return culprit_rows(m, q, rows);
	case MODEL_KINDS:
		break;
	}
	return 0;
}

uint64_t model_histogram_add(const struct sample *s, const struct sample_dist *d, uint64_t count[HIST_BUCKETS])
{
	uint64_t events = 0;

	for (uint32_t b = 0; b < d->n; b++) {
		count[s->buckets[d->first + b].bucket] += s->buckets[d->first + b].count;
		events += s->buckets[d->first + b].count;
	}
	return events;
}

uint64_t model_histogram_of(const struct sample *s, uint32_t pid, uint64_t start_ns, enum lt_dist dist,
			    uint64_t count[HIST_BUCKETS])
{
	struct range range;
	uint64_t events = 0;

	range = find_process(s, pid, start_ns);
	for (uint32_t i = range.first; i < range.end; i++) {
		const struct sample_process *p = &s->processes[i];

		for (uint32_t t = 0; t < p->n_threads; t++) {
			const struct sample_thread *thread = &s->threads[p->first_thread + t];

			if (thread->work != SAMPLE_NONE)
				events += model_histogram_add(s, &s->works[thread->work].dist[dist], count);
		}
	}
	return events;
}

uint64_t model_histogram_total(const struct model *m, uint32_t pid, uint64_t start_ns, enum lt_dist dist,
			       uint64_t count[HIST_BUCKETS])
{
	const struct dist_sum *sum;
	const struct life *l = NULL;
	uint64_t events = 0;

	for (uint32_t i = 0; i < m->n_lives && !l; i++)
		if (m->lives[i]->pid == pid && m->lives[i]->start_ns == start_ns)
			l = m->lives[i];
	if (!l || !l->total) /* it has only one reading */
		return m->sample ? model_histogram_of(m->sample, pid, start_ns, dist, count) : 0;
	sum = &l->total->dist[dist];
	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		uint64_t n = dist_sum_count(sum, b);

		count[b] += n;
		events += n;
	}
	return events;
}

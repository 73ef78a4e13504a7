/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model's memory: what outlives a sample. Each process has a life, identified by pid and start;
 * lives and a sample's processes are in the same order, so a new sample is merged in one pass.
 * A life ends with its process, or MODEL_DEAD_ROWS readings after its exit was seen, so that memory
 * stays bounded. The interval's process rows are made here, once a reading,
 * because sparklines, totals and the host's numbers need them anyway; model_rows.c does the rest.
 */
#include "model.h"

#include "grow.h"
#include "model_slower.h"
#include "model_state.h"
#include "model_upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void life_free(struct life *l)
{
	if (!l)
		return;
	for (int i = 0; l->total && i < LT_DISTS; i++)
		free(l->total->dist[i].counts);
	if (l->total)
		free(l->total->net);
	free(l->total);
	free(l->spark);
	free(l->last);
	free(l);
}

struct model *model_new(void)
{
	return calloc(1, sizeof(struct model));
}

void model_free(struct model *m)
{
	if (!m)
		return;
	for (uint32_t i = 0; i < m->n_lives; i++)
		life_free(m->lives[i]);
	free(m->lives);
	free(m->spare);
	free(m->life_of);
	row_list_free(&m->living);
	call_table_free(&m->calls);
	call_table_free(&m->calls_total);
	for (int i = 0; i < MODEL_KINDS; i++)
		row_list_free(&m->out[i]);
	free(m->errnos);
	free(m->disks);
	free(m->groups);
	free(m->peers);
	free(m->group_of);
	free(m->members);
	free(m);
}

struct row_net *row_use_net(struct row *r, struct row_net *own)
{
	if (r->net != own) {
		*own = row_no_net;
		r->net = own;
	}
	return own;
}

static void sums_add(struct row_sums *a, const struct row_sums *b)
{
	a->wall_ns = counter_sum(a->wall_ns, b->wall_ns);
	a->slower_ns = counter_sum(a->slower_ns, b->slower_ns);
	counter_add(a->counter, b->counter, LT_NET_FIRST);
}

static void net_add(struct row_net *a, const struct row_net *b)
{
	counter_add(a->counter, b->counter, LT_COUNTERS - LT_NET_FIRST);
}

void row_add(struct row *a, struct row_net *own, const struct row *b)
{
	a->off &= b->off;
	a->levels |= b->levels;
	counter_keep(&a->unknown, &b->unknown);
	sums_add(&a->sums, &b->sums);
	if (b->net != &row_no_net)
		net_add(row_use_net(a, own), b->net);
}

void row_of_process(struct row *r, const struct sample *s, const struct sample_process *p)
{
	const struct lt_peer *upstream;

	*r = (struct row){
		.kind = MODEL_PROCESS,
		.pid = p->pid,
		.tid = p->pid,
		.ppid = p->ppid,
		.uid = p->uid,
		.start_ns = p->start_ns,
		.processes = !(p->flags & SAMPLE_PROCESS_EXITED),
		.threads = p->threads,
		.exited = p->flags & SAMPLE_PROCESS_EXITED,
		.kernel = p->flags & SAMPLE_PROCESS_KERNEL,
		.live = s->live && !(p->flags & SAMPLE_PROCESS_EXITED),
		.own_user = p->pid != 0, /* the processes outside of the pid namespace may have many users */
		.exit_code = p->exit_code,
		.comm = sample_text(s, p->comm),
		.cmdline = sample_text(s, p->cmdline),
		.cgroup = sample_text(s, p->cgroup),
		.killer_comm = sample_text(s, p->killer_comm),
		.killer_pid = p->killer_pid,
		.killed_by = p->killed_by,
		.in_focus = p->focus_since_ns,
		.focus_since_ns = p->focus_since_ns,
		.moved_ns = p->moved_ns,
		.because = p->n_because ? &s->because[p->first_because] : NULL,
		.n_because = p->n_because,
		.interval_ns = s->interval_ns,
		.drops_known = s->drops_known,
		.unknown = s->unknown,
		.open_answers = p->sockets.answers,
		.open_upstream = p->sockets.upstream,
		.net = &row_no_net,
		.call = LT_CALL_NONE,
	};
	row_watched(r, s);
	if (r->in_focus && (upstream = model_upstream(s, p)))
		r->upstream_peer = *upstream;
}

static bool used_net(const struct sample_work *w)
{
	uint64_t any = 0;

	for (int i = LT_NET_FIRST; i < LT_SOCKET_FIRST; i++)
		any |= w->counter[i];
	return any;
}

void row_add_thread(struct row *r, struct row_net *own, const struct sample *s, const struct sample_thread *t,
		    struct tally dist[LT_THREAD_DISTS])
{
	const struct sample_work *w;

	r->wall_ns += t->wall_ns;
	if (t->work == SAMPLE_NONE) {
		r->time_ns[t->state < LT_STATES ? t->state : LT_OTHER] += t->wall_ns;
		return;
	}
	w = &s->works[t->work];
	counter_add(r->counter, w->counter, LT_NET_FIRST);
	for (int i = 0; i < LT_THREAD_DISTS; i++)
		tally_add_dist(&dist[i], s, &w->dist[i]);
	if (used_net(w))
		counter_add(row_use_net(r, own)->counter, &w->counter[LT_NET_FIRST], LT_N_NET);
}

void row_mark_overlapped(struct row *r)
{
	r->response.about = r->net->turns_overlapped > r->response.count / 20;
	r->upstream.about = r->net->upstream_overlapped > r->upstream.count / 20;
}

void row_take_dists(struct row *r, struct tally dist[LT_THREAD_DISTS])
{
	for (int i = 0; i < LT_THREAD_DISTS; i++) {
		r->dist[i] = tally_dist(&dist[i]);
		tally_clear(&dist[i]);
	}
	row_mark_overlapped(r);
	row_limit_durations(r);
}

/* Orders lives and processes as a sample does. */
static int life_order(const struct life *l, const struct sample_process *p)
{
	if (l->pid != p->pid)
		return l->pid < p->pid ? -1 : 1;
	return (l->start_ns > p->start_ns) - (l->start_ns < p->start_ns);
}

static void life_end(struct model *m, struct life *l)
{
	m->n_dead -= l->last != NULL;
	life_free(l);
}

/* A life without a process in the new sample: shown as exited for a while if its exit was seen; else dropped. */
static void life_pass(struct model *m, struct life *l, uint32_t *n)
{
	if (l->last && ++l->gone <= MODEL_DEAD_ROWS)
		m->spare[(*n)++] = l;
	else
		life_end(m, l);
}

static int lives_merge(struct model *m, const struct sample *s)
{
	uint32_t old = 0, n = 0, cap;
	struct life *l, **lives;
	int err = 0;

	if (!GROW(m->spare, m->cap_spare, m->n_lives + s->n_processes) ||
	    !GROW(m->life_of, m->cap_life_of, s->n_processes + 1))
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_processes; i++) {
		const struct sample_process *p = &s->processes[i];

		while (old < m->n_lives && life_order(m->lives[old], p) < 0)
			life_pass(m, m->lives[old++], &n);
		if (old < m->n_lives && life_order(m->lives[old], p) == 0) {
			l = m->lives[old++];
			l->fresh = false;
		} else {
			l = calloc(1, sizeof(*l));
			if (!l) {
				err = -ENOMEM;
				break;
			}
			l->pid = p->pid;
			l->start_ns = p->start_ns;
			l->fresh = true;
		}
		l->gone = 0;
		m->spare[n++] = l;
		m->life_of[i] = l;
	}
	while (old < m->n_lives)
		life_pass(m, m->lives[old++], &n);
	lives = m->lives;
	cap = m->cap_lives;
	m->lives = m->spare;
	m->cap_lives = m->cap_spare;
	m->n_lives = n;
	m->spare = lives;
	m->cap_spare = cap;
	return err;
}

static void spark_push(struct model_sparkline *spark, uint8_t level)
{
	spark->level[spark->at] = level;
	spark->at = (uint8_t)((spark->at + 1) % MODEL_SPARK);
}

static uint8_t level_of_dist(const struct model_dist *d)
{
	return d->count ? (uint8_t)(hist_bucket(d->p99_ns) + 1) : 0;
}

/* Payload of internet sockets, both ways. */
static uint64_t inet_bytes(const struct row *r)
{
	uint64_t bytes = 0;

	for (int i = LT_TCP; i <= LT_INET; i++)
		bytes += r->net->flow[i].tx_bytes + r->net->flow[i].rx_bytes;
	return bytes;
}

/* Numbers in a recording may be anything: too large ones are clamped to what a column can show. */
static uint64_t rounded(double n)
{
	return n < 0x1p63 ? (uint64_t)(n + 0.5) : INT64_MAX;
}

static uint64_t per_second(uint64_t n, uint64_t interval_ns)
{
	return interval_ns ? rounded((double)n * 1e9 / (double)interval_ns) : 0;
}

size_t row_text_bytes(const struct row *r)
{
	return r->n_because * sizeof(*r->because) + strlen(r->comm) + strlen(r->cmdline) + strlen(r->cgroup) +
	       strlen(r->killer_comm) + 4;
}

void row_text_copy(struct row *r, char *to)
{
	size_t because_bytes = r->n_because * sizeof(*r->because);
	const char **const texts[] = { &r->comm, &r->cmdline, &r->cgroup, &r->killer_comm };

	if (because_bytes)
		r->because = memcpy(to, r->because, because_bytes);
	to += because_bytes;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t bytes = strlen(*texts[i]) + 1;

		*texts[i] = memcpy(to, *texts[i], bytes);
		to += bytes;
	}
}

/* Keeps an exited process's row beyond its sample. */
static int life_keep_last(struct model *m, struct life *l, const struct row *r)
{
	struct life_last *last = malloc(sizeof(*last) + row_text_bytes(r));

	if (!last)
		return -ENOMEM;
	m->n_dead += l->last == NULL;
	free(l->last);
	l->last = last;
	last->row = *r;
	if (r->net != &row_no_net) {
		last->net = *r->net;
		last->row.net = &last->net;
	}
	row_text_copy(&last->row, last->texts);
	return 0;
}

/* All its threads slept in one state, and nothing happened to them: most processes, most of the time. */
static bool is_asleep(const struct row *r, uint8_t *state)
{
	if (r->exited || r->time_ns[LT_RUN] || r->wakeups || r->calls || r->net->connect_errors ||
	    r->net->retransmits || r->net->receive_drops)
		return false;
	*state = LT_RUN;
	while (*state < LT_STATES && r->time_ns[*state] == 0)
		(*state)++;
	return *state < LT_STATES && r->time_ns[*state] == r->wall_ns;
}

/* Only a process that did something has its own sums. */
static bool life_sleeps_on(struct life *l, const struct row *r)
{
	uint8_t state;

	if (!is_asleep(r, &state) || (l->slept_interval_ns && state != l->slept_state))
		return false;
	l->slept_state = state;
	l->slept_wall_ns = counter_sum(l->slept_wall_ns, r->wall_ns);
	l->slept_interval_ns += r->interval_ns;
	return true;
}

static void life_put_sleep(const struct life *l, struct row_sums *sums, uint64_t *interval_ns)
{
	memset(sums->time_ns, 0, sizeof(sums->time_ns));
	sums->time_ns[l->slept_state] = sums->wall_ns = l->slept_wall_ns;
	*interval_ns = l->slept_interval_ns;
}

void life_sums(const struct life *l, const struct row *now, struct row *sums)
{
	const struct life_total *t = l->total;

	*sums = *now;
	if (t) {
		sums->sums = t->sums;
		sums->interval_ns = t->interval_ns;
		sums->off = t->off;
		sums->levels = t->levels;
		sums->unknown = t->unknown;
		sums->net = t->net ? t->net : &row_no_net;
		sums->because = NULL; /* only the last interval's are known */
		sums->n_because = 0;
	} else if (l->slept_interval_ns) {
		life_put_sleep(l, &sums->sums, &sums->interval_ns);
	}
}

static int total_add_net(struct life_total *t, const struct row_net *net)
{
	if (!t->net && net == &row_no_net)
		return 0;
	if (!t->net) {
		t->net = malloc(sizeof(*t->net));
		if (!t->net)
			return -ENOMEM;
		*t->net = row_no_net;
	}
	net_add(t->net, net);
	t->net->srtt_ns = net->srtt_ns;
	return 0;
}

/* Adds a row and what is in the tallies to a life's totals. */
static int life_add(struct model *m, struct life *l, const struct row *r)
{
	struct life_total *t = l->total;

	if (!t) {
		if ((r->exited && !l->slept_interval_ns) || life_sleeps_on(l, r))
			return 0;
		t = l->total = calloc(1, sizeof(*t));
		if (!t)
			return -ENOMEM;
		t->off = r->off;
		t->levels = r->levels;
		t->unknown = r->unknown;
		life_put_sleep(l, &t->sums, &t->interval_ns);
	}
	t->off &= r->off;
	t->levels |= r->levels;
	counter_keep(&t->unknown, &r->unknown);
	sums_add(&t->sums, &r->sums);
	t->interval_ns += r->interval_ns;
	if (total_add_net(t, r->net) < 0)
		return -ENOMEM;
	for (int i = 0; i < LT_DISTS; i++) {
		if (dist_sum_add(&t->dist[i], &m->dist[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The sums of the whole host for the interval. */
struct host_sum {
	struct row row;
	struct row_net net;
	struct tally dist[LT_DISTS];
};

/* Appends to its sparklines; a process gets them when it first does something. 0 or -ENOMEM. */
static int life_spark(struct life *l, struct row *r)
{
	const uint8_t level[MODEL_SPARKS] = {
		[MODEL_SPARK_WAKE] = level_of_dist(&r->wakeup),
		[MODEL_SPARK_CALL] = level_of_dist(&r->service),
		[MODEL_SPARK_RESPONSE] = level_of_dist(&r->response),
		[MODEL_SPARK_NET] =
			inet_bytes(r) ? (uint8_t)(hist_bucket(per_second(inet_bytes(r), r->interval_ns)) + 1) : 0,
	};
	bool any = false;

	for (int i = 0; i < MODEL_SPARKS; i++)
		any |= level[i] != 0;
	if (!l->spark && any) {
		l->spark = calloc(MODEL_SPARKS, sizeof(*l->spark));
		if (!l->spark)
			return -ENOMEM;
	}
	for (int i = 0; l->spark && i < MODEL_SPARKS; i++)
		spark_push(&l->spark[i], level[i]);
	r->spark = l->spark;
	return 0;
}

/* A process's own network numbers, besides its threads'. */
static void row_add_sockets(struct row *r, struct row_net *own, const struct sample_socket_sums *sockets,
			    const struct tally *connect)
{
	uint64_t any = 0;

	for (int i = 0; i < LT_N_SOCKET; i++)
		any |= sockets->counter[i];
	if (!any && !connect->events && sockets->srtt_ns == SAMPLE_UNKNOWN)
		return;
	row_use_net(r, own);
	counter_add(&own->counter[LT_N_NET], sockets->counter, LT_N_SOCKET);
	own->srtt_ns = sockets->srtt_ns;
	own->connect = tally_dist(connect);
}

/* One process of the sample: its row, its sparklines, its totals, its share of the host's. */
static int process_update(struct model *m, uint32_t i, struct host_sum *host)
{
	const struct sample *s = m->sample;
	const struct sample_process *p = &s->processes[i];
	struct row *r = &m->living.rows[i];
	struct row_net *own = &m->living.nets[i];
	struct life *l = m->life_of[i];
	int err;

	row_of_process(r, s, p);
	for (uint32_t t = 0; t < p->n_threads; t++)
		row_add_thread(r, own, s, &s->threads[p->first_thread + t], m->dist);
	tally_add_dist(&m->dist[LT_DIST_CONNECT], s, &p->sockets.connect);
	row_add_sockets(r, own, &p->sockets, &m->dist[LT_DIST_CONNECT]);
	for (int d = 0; d < LT_THREAD_DISTS; d++)
		r->dist[d] = tally_dist(&m->dist[d]);
	row_mark_overlapped(r);
	row_limit_durations(r);
	r->slower_ns = model_slower_ns(&r->response, l->spark ? &l->spark[MODEL_SPARK_RESPONSE] : NULL);
	err = life_spark(l, r);
	if (!err)
		err = life_add(m, l, r);
	if (!err && r->exited && m->n_dead < MODEL_DEAD_MAX)
		err = life_keep_last(m, l, r);
	row_add(&host->row, &host->net, r);
	if (!r->exited) {
		host->row.threads += r->threads;
		host->row.processes++;
	}
	for (int d = 0; d < LT_DISTS; d++) {
		tally_add_tally(&host->dist[d], &m->dist[d]);
		tally_clear(&m->dist[d]);
	}
	return err;
}

/* The row of the youngest process with that pid which is not younger than its child; NULL: none. */
static struct row *parent_row(struct model *m, const struct sample_process *child)
{
	const struct sample *s = m->sample;
	uint32_t low = 0, high = s->n_processes;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct sample_process *p = &s->processes[middle];

		if (p->pid < child->ppid || (p->pid == child->ppid && p->start_ns <= child->start_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return child->ppid && low && s->processes[low - 1].pid == child->ppid ? &m->living.rows[low - 1] : NULL;
}

/* What each process's children did. */
static void children_update(struct model *m)
{
	const struct sample *s = m->sample;
	/* Not exactly the interval: a process between two readings' clocks is new in one of them only. */
	uint64_t young_ns = m->elapsed_ns > s->interval_ns ? 2 * s->interval_ns : s->interval_ns;

	for (uint32_t i = 0; i < s->n_processes; i++) {
		const struct sample_process *p = &s->processes[i];
		bool began = m->life_of[i]->fresh && p->start_ns + young_ns > s->uptime_ns,
		     exited = p->flags & SAMPLE_PROCESS_EXITED;
		struct row *parent = began || exited || p->execs ? parent_row(m, p) : NULL;

		if (!parent)
			continue;
		parent->forks += began;
		parent->exits += exited;
		parent->execs = p->execs == SAMPLE_UNKNOWN || parent->execs == SAMPLE_UNKNOWN
					? SAMPLE_UNKNOWN
					: parent->execs + p->execs;
	}
	/* What is kept of those that have exited was kept before. */
	for (uint32_t i = 0; i < s->n_processes; i++) {
		const struct row *r = &m->living.rows[i];
		struct life_last *last = r->exited ? m->life_of[i]->last : NULL;

		if (!last)
			continue;
		last->row.forks = r->forks;
		last->row.execs = r->execs;
		last->row.exits = r->exits;
	}
}

/* Half of the connections answer faster than this; without a socket walk, half of the processes'. */
static uint64_t srtt_median(struct model *m)
{
	const struct sample *s = m->sample;
	uint32_t n = s->has_connections ? s->n_connections : s->n_processes;
	uint64_t p50_ns;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t ns = s->has_connections ? s->connections[i].srtt_ns : s->processes[i].sockets.srtt_ns;

		if (ns == SAMPLE_UNKNOWN)
			continue;
		tally_add(&m->srtt, hist_bucket(ns), 1);
		if (ns > m->srtt.max_ns)
			m->srtt.max_ns = ns;
	}
	p50_ns = m->srtt.events ? tally_dist(&m->srtt).p50_ns : SAMPLE_UNKNOWN;
	tally_clear(&m->srtt);
	return p50_ns;
}

static uint64_t permille(uint64_t ns, uint64_t of_ns)
{
	return of_ns ? rounded((double)ns * 1000 / (double)of_ns) : 0;
}

static void host_minute(struct model_host *h)
{
	uint32_t at = h->minute.at;
	uint64_t cpu_ns = h->interval_ns * (h->cpus ? h->cpus : 1);

	h->minute.cpu_permille[at] = permille(h->run_ns, cpu_ns);
	for (int i = 0; i < SAMPLE_RESOURCES; i++) {
		uint64_t some_ns = h->pressure[i].some_ns;

		h->minute.pressure_permille[i][at] =
			some_ns == SAMPLE_UNKNOWN ? SAMPLE_UNKNOWN : permille(some_ns, h->interval_ns);
	}
	h->minute.wake_p99_ns[at] = h->wakeup.p99_ns;
	h->minute.calls_per_s[at] = per_second(h->calls_count, h->interval_ns);
	h->minute.call_p99_ns[at] = h->calls.p99_ns;
	h->minute.net_bytes_per_s[at] = per_second(h->tx_bytes + h->rx_bytes, h->interval_ns);
	h->minute.srtt_ns[at] = h->srtt_p50_ns == SAMPLE_UNKNOWN ? 0 : h->srtt_p50_ns;
	h->minute.at = (at + 1) % MODEL_SPARK;
	if (h->minute.n < MODEL_SPARK)
		h->minute.n++;
}

static void host_update(struct model *m, const struct host_sum *host)
{
	const struct sample *s = m->sample;
	const struct row *sum = &host->row;
	struct model_host *h = &m->host;

	h->interval_ns = s->interval_ns;
	h->cpus = s->cpus_online;
	h->threads = sum->threads;
	h->processes = sum->processes;
	h->run_ns = sum->time_ns[LT_RUN];
	h->switches = sum->voluntary + sum->involuntary;
	h->wakeups = sum->wakeups;
	h->forks = s->forks;
	h->execs = s->execs;
	h->exits = s->exits;
	h->wakeup = tally_dist(&host->dist[LT_DIST_WAKEUP]);
	/* Without sched it is not known how much of a call was sleep. */
	h->calls = s->probe[SAMPLE_SCHED].on && row_has_durations(sum) ? tally_dist(&host->dist[LT_DIST_SERVICE])
								       : (struct model_dist){ 0 };
	h->calls_estimated = row_estimated(sum);
	h->calls_count = sum->calls;
	h->call_errors = sum->call_errors;
	h->tx_bytes = 0;
	h->rx_bytes = 0;
	for (int i = LT_TCP; i <= LT_INET; i++) {
		h->tx_bytes += sum->net->flow[i].tx_bytes;
		h->rx_bytes += sum->net->flow[i].rx_bytes;
	}
	h->retransmits = s->retransmits;
	h->connects = sum->net->connects;
	h->connect_errors = sum->net->connect_errors;
	h->accepts = sum->net->accepts;
	h->srtt_p50_ns = srtt_median(m);
	h->cpu_times = s->cpu_times;
	memcpy(h->pressure, s->pressure, sizeof(h->pressure));
	memcpy(h->stack, s->stack, sizeof(h->stack));
	h->net_unknown = !s->probe[SAMPLE_NET].on;
	host_minute(h);
}

static int calls_total_update(struct model *m)
{
	struct call_table *c = &m->calls_total;

	for (uint32_t i = 0; i < c->list.n; i++) {
		c->list.rows[i].in_flight = 0;
		c->list.rows[i].oldest_ns = 0;
		c->list.rows[i].oldest_at_least = false;
	}
	for (uint32_t i = 0; i < m->sample->n_threads; i++)
		if (call_table_add_thread(c, m->sample, &m->sample->threads[i], LT_CALL_NONE) < 0)
			return -ENOMEM;
	return 0;
}

/* Processes that exited in earlier readings come after the others. */
static void dead_append(struct model *m)
{
	struct row_list *list = &m->living;

	for (uint32_t i = 0; i < m->n_lives; i++) {
		struct life *l = m->lives[i];

		if (l->gone) {
			list->rows[list->n] = l->last->row;
			list->rows[list->n++].spark = l->spark;
		}
	}
}

int model_update(struct model *m, const struct sample *s)
{
	struct host_sum host = { .row.net = &row_no_net };
	int err;

	m->sample = NULL;
	m->living.n = 0;
	err = lives_merge(m, s);
	if (!err)
		err = row_list_reserve(&m->living, m->n_lives);
	if (err)
		return err;
	m->sample = s;
	m->elapsed_ns += s->interval_ns;
	for (uint32_t i = 0; !err && i < s->n_processes; i++)
		err = process_update(m, i, &host);
	if (!err)
		err = calls_total_update(m);
	if (err) {
		m->sample = NULL;
		return err;
	}
	m->living.n = s->n_processes;
	children_update(m);
	dead_append(m);
	host_update(m, &host);
	return 0;
}

const struct sample *model_sample(const struct model *m)
{
	return m->sample;
}

const struct model_host *model_host(const struct model *m)
{
	return &m->host;
}

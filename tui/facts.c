/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "column.h"
#include "grow.h"
#include "names.h"

#define LEAST_PERMILLE 1 /* of a reading: a process with less lag, and nothing else to say, is left out */
#define STORM_PER_S 100	 /* with fewer processes started, it does not matter by whom */
#define MANY 1000	 /* peers or sockets of one name: further ones are left out */
#define LAG (1 << LT_WAKEQ | 1 << LT_PREEMPT | 1 << LT_THROTTLED | 1 << LT_DISK | 1 << LT_MEMORY | 1 << LT_BLOCK)
#define SLEEPS (1 << LT_LOCK | 1 << LT_NET | 1 << LT_POLL | 1 << LT_SLEEP | 1 << LT_IO | 1 << LT_OTHER)
/* In these a program may be idle; how long it was in which call says whether it was. */
#define TELLING (1 << LT_LOCK | 1 << LT_NET | 1 << LT_IO)

/* A process by pid and start; those that exited, by name. */
struct facts_key {
	uint64_t start_ns;
	uint32_t pid, zero;
	char comm[FACTS_COMM];
};

struct facts_index {
	UT_hash_handle hh;
	struct facts_key key;
	struct facts facts;
};

enum lt_wait facts_call_wait(uint32_t call)
{
	static const struct {
		const char *name;
		enum lt_wait wait;
	} table[] = {
#define ROW(name, x86_64, i386, arm64, arm, wait) { #name, LT_WAIT_##wait },
		LT_CALL_TABLE(ROW)
#undef ROW
	};
	static uint8_t known[4 << LT_NR_BITS]; /* wait + 1; 0: not looked up */
	const char *name;

	if (call >= sizeof(known))
		return LT_WAIT_OTHER;
	if (known[call])
		return known[call] - 1;
	known[call] = LT_WAIT_OTHER + 1;
	name = names_call(call);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].name, name))
			known[call] = (uint8_t)(table[i].wait + 1);
	return known[call] - 1;
}

/* In which states a thread may sleep while it is in a call. */
static uint32_t sleeps_of(uint32_t call)
{
	static const uint32_t of_wait[] = {
		[LT_WAIT_LOCK] = 1 << LT_LOCK,
		[LT_WAIT_FILE_LOCK] = 1 << LT_LOCK,
		[LT_WAIT_NET] = 1 << LT_NET,
		[LT_WAIT_POLL] = 1 << LT_POLL,
		[LT_WAIT_RING] = SLEEPS,
		[LT_WAIT_SLEEP] = 1 << LT_SLEEP,
		[LT_WAIT_IO] = 1 << LT_IO,
		[LT_WAIT_FD] = 1 << LT_IO | 1 << LT_NET,
		[LT_WAIT_FD_1_2] = 1 << LT_IO | 1 << LT_NET,
		[LT_WAIT_FD_1_3] = 1 << LT_IO | 1 << LT_NET,
		[LT_WAIT_FCNTL] = 1 << LT_LOCK | 1 << LT_IO,
		[LT_WAIT_IPC] = 1 << LT_LOCK | 1 << LT_IO,
		[LT_WAIT_CLONE] = 1 << LT_SLEEP,
		[LT_WAIT_RESTART] = SLEEPS,
		[LT_WAIT_OTHER] = 0,
	};
	if (call == LT_CALL_OTHERS)
		return SLEEPS;
	return of_wait[facts_call_wait(call)] | 1 << LT_OTHER;
}

static uint64_t lag_of(const struct row *r)
{
	uint64_t ns = 0;

	for (int i = 0; i < LT_STATES; i++)
		if (LAG >> i & 1)
			ns = counter_sum(ns, r->time_ns[i]);
	return ns;
}

static void free_one(struct facts *f)
{
	free(f->culprits);
	free(f->calls);
	free(f->errors);
	free(f->peers);
	free(f->sockets);
}

void facts_free(struct facts_all *a)
{
	struct facts_index *at, *next;

	HASH_ITER(hh, a->index, at, next)
	{
		HASH_DEL(a->index, at);
		free_one(&at->facts);
		free(at);
	}
	for (uint32_t i = 0; i < a->n; i++)
		free_one(&a->of[i]);
	free(a->of);
	memset(a, 0, sizeof(*a));
}

/* Those of a row's process, made if there are none. NULL: out of memory. */
static struct facts *facts_of(struct facts_all *a, const struct row *r)
{
	struct facts_key key = { .start_ns = r->start_ns, .pid = r->pid };
	struct facts_index *at;

	HASH_FIND(hh, a->index, &key, sizeof(key), at);
	if (!at && r->exited) {
		memset(&key, 0, sizeof(key));
		snprintf(key.comm, FACTS_COMM, "%s", r->comm);
		HASH_FIND(hh, a->index, &key, sizeof(key), at);
	}
	if (!at) {
		at = calloc(1, sizeof(*at));
		if (!at)
			return NULL;
		at->key = key;
		HASH_ADD(hh, a->index, key, sizeof(key), at);
		if (!at->hh.tbl) {
			free(at);
			return NULL;
		}
	}
	memset(at->facts.comm, 0, FACTS_COMM); /* names are compared as memory */
	snprintf(at->facts.comm, FACTS_COMM, "%s", r->comm);
	return &at->facts;
}

/* ---- lists: each function returns the element with that key, and adds it if there is none ---- */

static struct facts_culprit *culprit_of(struct facts *f, const struct facts_culprit *c)
{
	for (uint32_t i = 0; i < f->n_culprits; i++)
		if (f->culprits[i].kind == c->kind && f->culprits[i].own == c->own &&
		    f->culprits[i].state == c->state && !memcmp(f->culprits[i].comm, c->comm, FACTS_COMM))
			return &f->culprits[i];
	if (!GROW(f->culprits, f->cap_culprits, f->n_culprits + 1U))
		return NULL;
	f->culprits[f->n_culprits] = (struct facts_culprit){ .kind = c->kind, .own = c->own, .state = c->state };
	memcpy(f->culprits[f->n_culprits].comm, c->comm, FACTS_COMM);
	return &f->culprits[f->n_culprits++];
}

static int add_culprit(struct facts *f, const struct facts_culprit *c)
{
	struct facts_culprit *to = culprit_of(f, c);

	if (!to)
		return -ENOMEM;
	to->ns = counter_sum(to->ns, c->ns);
	if (!to->processes) {
		to->processes = c->processes;
		to->pid = c->pid;
		to->tid = c->tid;
	} else if (to->pid != c->pid || c->processes > to->processes) {
		to->processes = to->processes > c->processes ? to->processes : c->processes;
		to->processes += to->pid != c->pid && to->processes == 1;
	}
	if (to->tid != c->tid)
		to->tid = 0;
	if (c->pid_ns > to->pid_ns) {
		to->pid_ns = c->pid_ns;
		to->pid = c->pid;
	}
	return 0;
}

static struct facts_call *call_of(struct facts *f, uint32_t call)
{
	for (uint32_t i = 0; i < f->n_calls; i++)
		if (f->calls[i].call == call)
			return &f->calls[i];
	if (!GROW(f->calls, f->cap_calls, f->n_calls + 1U))
		return NULL;
	f->calls[f->n_calls] = (struct facts_call){ .call = call };
	return &f->calls[f->n_calls++];
}

static int add_error(struct facts *f, uint32_t call, uint32_t error, uint64_t count)
{
	uint32_t i = 0;

	while (i < f->n_errors && (f->errors[i].call != call || f->errors[i].error != error))
		i++;
	if (i == f->n_errors) {
		if (!GROW(f->errors, f->cap_errors, f->n_errors + 1U))
			return -ENOMEM;
		f->errors[f->n_errors++] = (struct facts_error){ call, error, 0 };
	}
	f->errors[i].count += count;
	return 0;
}

static uint32_t hash_text(uint32_t hash, const char *text)
{
	while (*text)
		hash = (hash ^ (unsigned char)*text++) * 16777619U; /* FNV-1a */
	return hash;
}

/* NULL in *to: there are MANY others. 0 or -ENOMEM. */
static int peer_of(struct facts *f, const char *name, uint8_t proto, struct facts_peer **to)
{
	uint32_t hash = hash_text(proto, name);

	*to = NULL;
	for (uint32_t i = 0; i < f->n_peers; i++)
		if (f->peers[i].hash == hash && f->peers[i].proto == proto && !strcmp(f->peers[i].name, name)) {
			*to = &f->peers[i];
			return 0;
		}
	if (f->n_peers == MANY)
		return 0;
	if (!GROW(f->peers, f->cap_peers, f->n_peers + 1U))
		return -ENOMEM;
	*to = &f->peers[f->n_peers++];
	**to = (struct facts_peer){ .hash = hash, .proto = proto };
	snprintf((*to)->name, FACTS_PEER, "%s", name);
	return 0;
}

/* Likewise. */
static int socket_of(struct facts *f, const struct facts_socket *s, struct facts_socket **to)
{
	uint32_t hash = hash_text(hash_text(s->proto, s->local), s->remote);

	*to = NULL;
	for (uint32_t i = 0; i < f->n_sockets; i++)
		if (f->sockets[i].hash == hash && f->sockets[i].proto == s->proto &&
		    !strcmp(f->sockets[i].local, s->local) && !strcmp(f->sockets[i].remote, s->remote)) {
			*to = &f->sockets[i];
			return 0;
		}
	if (f->n_sockets == MANY)
		return 0;
	if (!GROW(f->sockets, f->cap_sockets, f->n_sockets + 1U))
		return -ENOMEM;
	*to = &f->sockets[f->n_sockets++];
	**to = *s;
	(*to)->hash = hash;
	(*to)->drops = (*to)->retransmits = (*to)->connecting = 0;
	return 0;
}

static void keep_most(uint64_t *to, uint64_t n)
{
	if (n != SAMPLE_UNKNOWN && n > *to)
		*to = n;
}

static int add_socket(struct facts *f, const struct facts_socket *s)
{
	struct facts_socket *to;
	int err = socket_of(f, s, &to);

	if (!to)
		return err;
	to->state = s->state;
	to->drops += s->drops;
	to->retransmits += s->retransmits;
	to->connecting += s->connecting;
	if (s->queue >= to->queue) {
		to->queue = s->queue;
		to->queue_max = s->queue_max;
	}
	keep_most(&to->oldest_ns, s->oldest_ns);
	keep_most(&to->tx_queue_bytes, s->tx_queue_bytes);
	return 0;
}

/* ---- a process in one reading ---- */

static int add_because(struct facts *f, const struct row *r)
{
	int err = 0;

	for (uint32_t i = 0; i < r->n_because && !err; i++) {
		const struct sample_because *b = &r->because[i];
		struct facts_culprit c = {
			.kind = b->kind, .pid = b->pid, .processes = 1, .ns = b->ns, .pid_ns = b->ns
		};

		if (b->kind == SAMPLE_BLAME_HOLDER) {
			c.state = b->state;
			c.tid = b->tid;
		} else if (!sample_blame_for_cpu(b->kind)) {
			continue;
		}
		c.own = sample_blame_has_pid(b->kind) && b->pid == r->pid && b->start_ns == r->start_ns;
		snprintf(c.comm, FACTS_COMM, "%.*s", FACTS_COMM - 1, b->comm);
		err = add_culprit(f, &c);
	}
	return err;
}

/* What is known of where a thread spent its time off the CPU. */
struct whereabouts {
	const struct sample_work *w;
	uint64_t off_ns;	    /* all of it */
	uint64_t can_ns[LT_STATES]; /* at most so much of a state was elsewhere than in a call: SAMPLE_UNKNOWN, or off
				       the CPU in calls that can be in the state, and in page faults */
};

/* Calls that do nothing but sleep wait for nothing else. */
static bool can_be(uint32_t sleeps, int state)
{
	if (SLEEPS >> state & 1)
		return sleeps >> state & 1;
	return sleeps == 1U << LT_OTHER || sleeps & ~(1U << LT_LOCK | 1U << LT_POLL | 1U << LT_SLEEP | 1U << LT_OTHER);
}

/* How much of the time in a state was in calls in which it was off the CPU for wait_ns, and that can sleep so: all but
 * what may have been elsewhere. */
static uint64_t within(const struct whereabouts *at, uint64_t wait_ns, uint32_t sleeps, int state)
{
	uint64_t in_ns = at->w->time_ns[state], off_ns = at->off_ns, elsewhere_ns;

	if (!can_be(sleeps, state))
		return 0;
	for (int i = 0; i < LT_STATES; i++)
		if (SLEEPS >> i & 1 && !(sleeps >> i & 1))
			off_ns -= at->w->time_ns[i] < off_ns ? at->w->time_ns[i] : off_ns;
	elsewhere_ns = off_ns > wait_ns ? off_ns - wait_ns : 0;
	if (at->can_ns[state] != SAMPLE_UNKNOWN && at->can_ns[state] >= wait_ns &&
	    at->can_ns[state] - wait_ns < elsewhere_ns)
		elsewhere_ns = at->can_ns[state] - wait_ns;
	in_ns = in_ns > elsewhere_ns ? in_ns - elsewhere_ns : 0;
	return in_ns < wait_ns ? in_ns : wait_ns;
}

static uint64_t wait_of(const struct sample_call *c)
{
	return c->wait_ns == SAMPLE_UNKNOWN ? 0 : c->wait_ns;
}

static void look_around(struct whereabouts *at, const struct sample *s, const struct sample_work *w)
{
	*at = (struct whereabouts){ .w = w };
	for (int i = 0; i < LT_STATES; i++)
		at->off_ns += i == LT_RUN ? 0 : w->time_ns[i];
	for (uint32_t i = 0; i < w->n_calls; i++) {
		const struct sample_call *c = &s->calls[w->first_call + i];
		uint32_t sleeps = sleeps_of(c->call);

		for (int state = 0; state < LT_STATES; state++)
			at->can_ns[state] += can_be(sleeps, state) ? wait_of(c) : 0;
	}
	at->can_ns[LT_DISK] += w->page_fault_disk_ns;
	at->can_ns[LT_MEMORY] = at->can_ns[LT_BLOCK] =
		SAMPLE_UNKNOWN; /* how much of them page faults took is not known */
}

static int add_call(struct facts *f, const struct sample *s, const struct sample_call *c, const struct whereabouts *at)
{
	struct facts_call *to = call_of(f, c->call);
	uint32_t sleeps;
	int err = 0;

	if (!to)
		return -ENOMEM;
	to->count += c->count;
	to->errors += c->errors;
	to->time_ns = counter_sum(to->time_ns, c->time_ns);
	for (uint32_t i = 0; i < c->n_errnos && !err; i++)
		err = add_error(f, c->call, s->errnos[c->first_errno + i].error, s->errnos[c->first_errno + i].count);
	if (!wait_of(c))
		return err;
	sleeps = sleeps_of(c->call);
	for (int i = 0; i < LT_STATES; i++)
		if ((LAG | TELLING) >> i & 1)
			to->in_ns[i] = counter_sum(to->in_ns[i], within(at, c->wait_ns, sleeps, i));
	return err;
}

bool facts_call_maps(uint32_t call)
{
	static const char *const names[] = { "mmap", "mmap2", "munmap", "mprotect", "brk", "mremap" };
	const char *name = names_call(call);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static int add_work(struct facts *f, const struct sample *s, const struct sample_work *w)
{
	struct whereabouts at;
	uint64_t maps_ns = 0;
	int err = 0;

	look_around(&at, s, w);
	for (uint32_t i = 0; i < w->n_calls && !err; i++) {
		const struct sample_call *c = &s->calls[w->first_call + i];

		err = add_call(f, s, c, &at);
		maps_ns += wait_of(c) && facts_call_maps(c->call) ? wait_of(c) : 0;
	}
	if (maps_ns)
		f->map_block_ns = counter_sum(f->map_block_ns, within(&at, maps_ns, 1U << LT_OTHER, LT_BLOCK));
	return err;
}

static int add_thread(struct facts *f, const struct sample *s, const struct sample_thread *t)
{
	const struct sample_work *w = t->work == SAMPLE_NONE ? NULL : &s->works[t->work];
	struct facts_call *in;
	int err = w ? add_work(f, s, w) : 0;

	if (err || t->call == LT_CALL_NONE || t->state == LT_DEAD)
		return err;
	in = call_of(f, t->call);
	if (!in)
		return -ENOMEM;
	keep_most(&in->oldest_ns, t->call_age_ns);
	/* It slept in this call all the time. */
	if (!w && t->state < LT_STATES && t->call_age_ns >= t->wall_ns)
		in->in_ns[t->state] = counter_sum(in->in_ns[t->state], t->wall_ns);
	return 0;
}

/* NULL in *to: it has no name, or there are MANY others. 0 or -ENOMEM. */
static int named_peer(struct facts *f, const struct lt_peer *of, struct facts_peer **to)
{
	struct value name = column_find("remote")->raw(&(struct row){ .kind = MODEL_PEER, .peer = of });

	*to = NULL;
	return name.type == VALUE_TEXT ? peer_of(f, name.text, of->proto, to) : 0;
}

/* The answers that a thread got. */
static int add_answers(struct facts *f, const struct sample *s, const struct sample_work *w)
{
	struct facts_peer *to;
	int err = 0;

	for (uint32_t i = 0; i < w->n_peers && !err; i++) {
		const struct sample_peer *peer = &s->peers[w->first_peer + i];

		err = named_peer(f, &peer->of, &to);
		if (!to)
			continue;
		to->count += model_histogram_add(s, &peer->upstream, to->hist);
		keep_most(&to->max_ns, peer->upstream.max_ns);
	}
	return err;
}

static int add_peers(struct facts *f, struct model *m, const struct row *r, const struct sample_process *p)
{
	struct model_query q = { .kind = MODEL_PEER, .one = true, .pid = r->pid, .start_ns = r->start_ns };
	const struct sample *s = model_sample(m);
	struct row *rows;
	int n = model_rows(m, &q, &rows), err = n < 0 ? n : 0;

	for (int i = 0; i < n && !err; i++) {
		struct facts_peer *to;

		err = named_peer(f, rows[i].peer, &to);
		if (!to)
			continue;
		to->pid = rows[i].pid;
		snprintf(to->comm, FACTS_COMM, "%s", rows[i].comm);
		if (rows[i].open_upstream.n != SAMPLE_UNKNOWN) {
			to->open += rows[i].open_upstream.n;
			keep_most(&to->oldest_ns, rows[i].open_upstream.oldest_ns);
		}
	}
	for (uint32_t i = 0; i < p->n_threads && !err; i++) {
		uint32_t work = s->threads[p->first_thread + i].work;

		err = work == SAMPLE_NONE ? 0 : add_answers(f, s, &s->works[work]);
	}
	return err;
}

static bool has_upstream(const struct row *r)
{
	return r->upstream.count || (r->open_upstream.n && r->open_upstream.n != SAMPLE_UNKNOWN);
}

/* Waits that are open are those of the last reading: the older ones are forgotten. */
static void forget_open(struct facts *f)
{
	for (uint32_t i = 0; i < f->n_calls; i++)
		f->calls[i].oldest_ns = 0;
	for (uint32_t i = 0; i < f->n_peers; i++)
		f->peers[i].open = f->peers[i].oldest_ns = 0;
}

/* What makes a process worth the memory. */
static bool is_telling(const struct row *r)
{
	uint64_t least_ns = r->interval_ns / 1000 * LEAST_PERMILLE;

	for (int i = 0; i < LT_STATES; i++)
		if (TELLING >> i & 1 && r->time_ns[i] >= least_ns)
			return true;
	return lag_of(r) >= least_ns || r->reclaim_ns >= least_ns || r->contended_lock_ns >= least_ns ||
	       r->upstream_ns >= least_ns || r->call_errors || has_upstream(r) || r->net->retransmits ||
	       r->net->receive_drops || r->killed_by == LT_BY_OOM;
}

static int add_process(struct facts_all *a, struct model *m, const struct row *r, const struct sample_process *p)
{
	const struct sample *s = model_sample(m);
	struct facts *f = facts_of(a, r);
	uint64_t lag_ns = lag_of(r);
	int err;

	if (!f)
		return -ENOMEM;
	if (r->exited || !f->processes)
		f->processes += r->exited ? !f->pid || f->pid != r->pid : 1;
	f->lag_ns = counter_sum(f->lag_ns, lag_ns);
	if (!f->pid || (r->exited && lag_ns > f->most_lag_ns))
		f->pid = r->pid;
	f->most_lag_ns = f->pid == r->pid ? counter_sum(f->most_lag_ns, lag_ns) : f->most_lag_ns;
	f->killed_for_memory += r->killed_by == LT_BY_OOM;
	for (int i = 0; i < LT_COUNTERS; i++) {
		uint64_t n = i < LT_NET_FIRST ? r->counter[i] : r->net->counter[i - LT_NET_FIRST];

		f->counter[i] = counter_has(&r->unknown, (unsigned)i) ? f->counter[i] : counter_sum(f->counter[i], n);
	}
	memcpy(f->time_ns, f->counter, sizeof(f->time_ns));
	forget_open(f);
	err = add_because(f, r);
	for (uint32_t i = 0; i < p->n_threads && !err; i++)
		err = add_thread(f, s, &s->threads[p->first_thread + i]);
	return err ? err : has_upstream(r) ? add_peers(f, m, r, p) : 0;
}

/* ---- what is not in a process's row ---- */

/* The place of the youngest process with that pid; -1: none. */
static int64_t youngest(const struct sample *s, uint32_t pid)
{
	uint32_t low = 0, high = s->n_processes;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->processes[middle].pid <= pid)
			low = middle + 1;
		else
			high = middle;
	}
	return pid && low && s->processes[low - 1].pid == pid ? (int64_t)low - 1 : -1;
}

static bool is_wanted(const struct facts_all *a, const struct row *r)
{
	return !r->kernel && (!a->self_pid || r->pid != a->self_pid) && (!a->comm || !strcmp(a->comm, r->comm)) &&
	       (!a->selection || selection_wants(a->selection, r));
}

static bool socket_tells(const struct sample_connection *c)
{
	if (c->proto != LT_TCP)
		return c->drops && c->drops != SAMPLE_UNKNOWN;
	return (c->drops && c->drops != SAMPLE_UNKNOWN) || (c->retransmits && c->retransmits != SAMPLE_UNKNOWN) ||
	       c->state == TCP_SYN_SENT || c->tx_queue_bytes ||
	       (c->accept_queue != SAMPLE_UNKNOWN && c->accept_queue_max != SAMPLE_UNKNOWN &&
		c->accept_queue > c->accept_queue_max);
}

static bool may_have_asked(const struct sample_connection *c)
{
	return c->proto == LT_UDP && c->state == TCP_ESTABLISHED && c->age_ns == SAMPLE_UNKNOWN &&
	       c->open_ns == SAMPLE_UNKNOWN && (!c->turns || c->turns == SAMPLE_UNKNOWN);
}

static int add_sockets(struct facts_all *a, const struct sample *s, const struct row *rows)
{
	const struct column *local = column_find("local"), *remote = column_find("remote");
	int err = 0;

	for (uint32_t i = 0; i < s->n_connections && !err; i++) {
		const struct sample_connection *c = &s->connections[i];
		struct row r = { .kind = MODEL_CONNECTION, .connection = c };
		int64_t at = socket_tells(c) ? youngest(s, c->pid) : -1;
		struct facts_socket to = { .proto = c->proto,
					   .state = c->state,
					   .connecting = c->state == TCP_SYN_SENT };
		struct value v;
		struct facts *f;

		a->asked_before |= may_have_asked(c);
		if (at < 0 || !is_wanted(a, &rows[at]))
			continue;
		f = facts_of(a, &rows[at]);
		if (!f)
			return -ENOMEM;
		f->pid = f->pid ? f->pid : c->pid;
		f->processes += !f->processes;
		v = local->raw(&r);
		snprintf(to.local, FACTS_PEER, "%s", v.type == VALUE_TEXT ? v.text : "?");
		v = remote->raw(&r);
		snprintf(to.remote, FACTS_PEER, "%s", v.type == VALUE_TEXT ? v.text : "?");
		keep_most(&to.drops, c->drops);
		keep_most(&to.retransmits, c->retransmits);
		keep_most(&to.queue, c->accept_queue);
		keep_most(&to.queue_max, c->accept_queue_max);
		keep_most(&to.oldest_ns, c->state == TCP_LISTEN ? c->accept_oldest_ns : c->age_ns);
		to.tx_queue_bytes = c->tx_queue_bytes;
		err = add_socket(f, &to);
	}
	return err;
}

/* Who started many processes. */
static int add_births(struct facts_all *a, const struct sample *s, const struct row *rows)
{
	if ((double)s->forks * 1e9 < (double)s->interval_ns * STORM_PER_S)
		return 0;
	for (uint32_t i = 0; i < s->n_processes; i++) {
		const struct sample_process *p = &s->processes[i];
		int64_t at = p->start_ns + s->interval_ns > s->uptime_ns ? youngest(s, p->ppid) : -1;
		struct facts *f;

		if (at < 0 || !is_wanted(a, &rows[at]))
			continue;
		f = facts_of(a, &rows[at]);
		if (!f)
			return -ENOMEM;
		f->pid = f->pid ? f->pid : rows[at].pid;
		f->processes += !f->processes;
		f->started++;
	}
	return 0;
}

static void add_disks(struct facts_all *a, const struct sample *s)
{
	for (uint32_t i = 0; i < s->n_disks; i++) {
		const char *name = sample_text(s, s->disks[i].name);
		uint32_t at = 0;

		/* All directions of a device have the device's busy time. */
		if (i && s->disks[i].name && !strcmp(name, sample_text(s, s->disks[i - 1].name)))
			continue;
		while (at < a->n_disks && strcmp(a->disks[at].name, name) != 0)
			at++;
		if (at == LT_DISKS)
			continue;
		if (at == a->n_disks)
			snprintf(a->disks[a->n_disks++].name, sizeof(a->disks[at].name), "%s", name);
		a->disks[at].busy_ns += s->disks[i].busy_ns == SAMPLE_UNKNOWN ? 0 : s->disks[i].busy_ns;
	}
}

static void add_host(struct facts_all *a, const struct sample *s)
{
	uint8_t on = 0;

	for (int i = 0; i < SAMPLE_FAMILIES; i++)
		on |= (uint8_t)(s->probe[i].on << i);
	if (!s->has_connections)
		on &= (uint8_t) ~(1 << SAMPLE_NET); /* full queues would not be seen */
	a->families = a->readings ? a->families & on : on;
	a->levels |= (uint8_t)(1 << s->probe[SAMPLE_SYSCALL].level);
	a->from_ns = a->readings ? a->from_ns : s->realtime_ns - s->interval_ns;
	a->to_ns = s->realtime_ns;
	a->interval_ns += s->interval_ns;
	a->forks += s->forks;
	for (int i = 0; i < SAMPLE_RESOURCES; i++)
		if (s->pressure[i].some_ns == SAMPLE_UNKNOWN || a->pressure_ns[i] == SAMPLE_UNKNOWN)
			a->pressure_ns[i] = SAMPLE_UNKNOWN;
		else
			a->pressure_ns[i] += s->pressure[i].some_ns;
	a->readings++;
	add_disks(a, s);
}

int facts_add(struct facts_all *a, struct model *m)
{
	struct model_query q = { .kind = MODEL_PROCESS, .no_dead = true };
	const struct sample *s = model_sample(m);
	struct row *rows;
	int n = model_rows(m, &q, &rows), err = 0;

	if (n < 0)
		return n;
	add_host(a, s);
	/* Rows of processes have the order of the sample. */
	for (int i = 0; i < n && !err; i++)
		if (is_wanted(a, &rows[i]) && is_telling(&rows[i]))
			err = add_process(a, m, &rows[i], &s->processes[i]);
	if (!err)
		err = add_sockets(a, s, rows);
	return err ? err : add_births(a, s, rows);
}

/* ---- the end ---- */

static int add_peer(struct facts *a, const struct facts_peer *p)
{
	struct facts_peer *to;
	int err = peer_of(a, p->name, p->proto, &to);

	if (!to)
		return err;
	to->pid = p->pid;
	memcpy(to->comm, p->comm, FACTS_COMM);
	for (int i = 0; i < HIST_BUCKETS; i++)
		to->hist[i] += p->hist[i];
	to->count += p->count;
	to->open += p->open;
	keep_most(&to->max_ns, p->max_ns);
	keep_most(&to->oldest_ns, p->oldest_ns);
	return 0;
}

static int add_lists(struct facts *a, const struct facts *b)
{
	int err = 0;

	for (uint32_t i = 0; i < b->n_culprits && !err; i++)
		err = add_culprit(a, &b->culprits[i]);
	for (uint32_t i = 0; i < b->n_errors && !err; i++)
		err = add_error(a, b->errors[i].call, b->errors[i].error, b->errors[i].count);
	for (uint32_t i = 0; i < b->n_peers && !err; i++)
		err = add_peer(a, &b->peers[i]);
	for (uint32_t i = 0; i < b->n_sockets && !err; i++)
		err = add_socket(a, &b->sockets[i]);
	for (uint32_t i = 0; i < b->n_calls && !err; i++) {
		struct facts_call *to = call_of(a, b->calls[i].call);

		if (!to)
			return -ENOMEM;
		to->count += b->calls[i].count;
		to->errors += b->calls[i].errors;
		to->time_ns = counter_sum(to->time_ns, b->calls[i].time_ns);
		counter_add(to->in_ns, b->calls[i].in_ns, LT_STATES);
		keep_most(&to->oldest_ns, b->calls[i].oldest_ns);
	}
	return err;
}

/* Adds b, of the same name, to a, and frees it. */
static int merge(struct facts *a, struct facts *b)
{
	int err = add_lists(a, b);

	a->processes += b->processes;
	if (b->most_lag_ns > a->most_lag_ns) {
		a->most_lag_ns = b->most_lag_ns;
		a->pid = b->pid;
	}
	a->lag_ns = counter_sum(a->lag_ns, b->lag_ns);
	counter_add(a->counter, b->counter, LT_COUNTERS);
	counter_add(a->time_ns, b->time_ns, LT_STATES);
	a->killed_for_memory += b->killed_for_memory;
	a->started += b->started;
	a->map_block_ns = counter_sum(a->map_block_ns, b->map_block_ns);
	free_one(b);
	return err;
}

static int by_name(const void *x, const void *y)
{
	const struct facts *a = x, *b = y;
	int order = memcmp(a->comm, b->comm, FACTS_COMM);

	return order ? order : (a->pid > b->pid) - (a->pid < b->pid);
}

int facts_finish(struct facts_all *a)
{
	struct facts_index *at, *next;
	uint32_t n = 0;
	int err = 0;

	if (!GROW(a->of, a->cap, HASH_COUNT(a->index) + 1U))
		return -ENOMEM;
	HASH_ITER(hh, a->index, at, next)
	{
		HASH_DEL(a->index, at);
		a->of[a->n++] = at->facts;
		free(at);
	}
	if (a->n)
		qsort(a->of, a->n, sizeof(*a->of), by_name);
	for (uint32_t i = 0; i < a->n; i++) {
		if (n && !memcmp(a->of[n - 1].comm, a->of[i].comm, FACTS_COMM)) {
			int failed = merge(&a->of[n - 1], &a->of[i]);

			err = err ? err : failed;
		} else {
			a->of[n++] = a->of[i];
		}
	}
	a->n = n;
	return err;
}

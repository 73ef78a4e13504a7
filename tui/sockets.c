/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums by owner (pid and start) in a hash; connections as they come. After each reading both are empty again, except
 * for what began while it was taken. */
#include "sockets.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "grow.h"
#include "sockets_peers.h"

struct owner_key {
	uint64_t start_ns;
	uint64_t pid;
};

struct owner {
	struct owner_key key;
	UT_hash_handle hh;
	uint64_t retransmits;
	uint64_t srtt_weight;	       /* bytes */
	unsigned __int128 srtt_sum_ns; /* weighted: 64 bits hold 115 GB at 160 ms */
	uint64_t connect_max_ns;
	uint32_t connect_errors;
	uint64_t drops;
	struct sample_open answers, upstream; /* oldest_ns: since when */
	bool present;			      /* it has a row in this reading */
	uint32_t *connect;		      /* [HIST_BUCKETS], or NULL */
};

struct sockets {
	struct owner *owners; /* uthash */
	struct owner *last;   /* often the same as the next one */
	struct lt_connection *connections;
	uint32_t n_connections, cap_connections;
	struct sockets_peers peers; /* of the connections, while a reading is filled */
	uint64_t most_owners, most_connections;
	uint32_t left_out; /* over it */
	bool walked;	   /* at the last reading: current reports are for this interval */
};

struct sockets *sockets_new(uint64_t bytes)
{
	struct sockets *k = calloc(1, sizeof(*k));

	if (k) {
		k->most_owners = bytes / (sizeof(struct owner) + HIST_BUCKETS * sizeof(uint32_t));
		k->most_connections = bytes / sizeof(struct lt_connection);
	}
	return k;
}

/* It began after T: its row is in the next reading. */
static bool is_early(const struct owner *o, uint64_t since_ns)
{
	return !o->present && o->key.start_ns > since_ns;
}

static void forget(struct sockets *k, uint64_t since_ns)
{
	struct owner *o, *next;

	HASH_ITER(hh, k->owners, o, next)
	{
		if (is_early(o, since_ns)) {
			o->drops = 0; /* summed again: its connections were kept */
			continue;
		}
		HASH_DELETE(hh, k->owners, o);
		free(o->connect);
		free(o);
	}
	k->last = NULL;
	k->left_out = 0;
}

void sockets_free(struct sockets *k)
{
	if (!k)
		return;
	forget(k, UINT64_MAX);
	free(k->connections);
	sockets_peers_free(&k->peers);
	free(k);
}

static struct owner *find(struct sockets *k, uint32_t pid, uint64_t start_ns)
{
	struct owner_key key = { .start_ns = start_ns, .pid = pid };
	struct owner *o = k->last;

	if (o && o->key.pid == pid && o->key.start_ns == start_ns)
		return o;
	o = NULL;
	if (k->owners)
		HASH_FIND(hh, k->owners, &key, sizeof(key), o);
	return o;
}

/* *owner is NULL, which is counted, if there are too many. 0 or -ENOMEM. */
static int owner_of(struct sockets *k, uint32_t pid, uint64_t start_ns, struct owner **owner)
{
	struct owner_key key = { .start_ns = start_ns, .pid = pid };
	struct owner *o = find(k, pid, start_ns);

	*owner = NULL;
	if (!o && HASH_COUNT(k->owners) >= k->most_owners) {
		k->left_out++;
		return 0;
	}
	if (!o) {
		o = calloc(1, sizeof(*o));
		if (!o)
			return -ENOMEM;
		o->key = key;
		HASH_ADD(hh, k->owners, key, sizeof(key), o);
		if (!o->hh.tbl) {
			free(o);
			return -ENOMEM;
		}
	}
	*owner = k->last = o;
	return 0;
}

static int connected(struct owner *o, uint64_t ns)
{
	if (!o->connect) {
		o->connect = calloc(HIST_BUCKETS, sizeof(*o->connect));
		if (!o->connect)
			return -ENOMEM;
	}
	o->connect[hist_bucket(ns)]++;
	if (ns > o->connect_max_ns)
		o->connect_max_ns = ns;
	return 0;
}

int sockets_event(struct sockets *k, const void *data, size_t size)
{
	const struct lt_event *e = data;
	struct owner *o;
	int err;

	if (size < sizeof(e->type))
		return -EINVAL;
	if (e->type == LT_EVENT_LOW)
		return 0;
	if (e->type == LT_EVENT_CLOSED)
		return size < sizeof(struct lt_closed_event)
			       ? -EINVAL
			       : sockets_connection(k, &((const struct lt_closed_event *)data)->connection);
	if (size < sizeof(*e))
		return -EINVAL;
	err = owner_of(k, e->tgid, e->process_start_ns, &o);
	if (err || !o)
		return err;
	switch (e->type) {
	case LT_EVENT_CONNECTED:
		return connected(o, e->value);
	case LT_EVENT_CONNECT_FAILED:
		o->connect_errors++;
		return 0;
	case LT_EVENT_RETRANSMITTED:
		o->retransmits += e->value;
		return 0;
	default:
		return -EINVAL;
	}
}

static void add_open(struct sample_open *open, uint64_t since_ns)
{
	if (!open->n++ || since_ns < open->oldest_ns)
		open->oldest_ns = since_ns;
}

static uint64_t age(const struct sample *s, uint64_t since_ns)
{
	return s->t_ns > since_ns ? s->t_ns - since_ns : 0;
}

static void fill_open(const struct sample *s, struct sample_open *to, const struct sample_open *from)
{
	to->n = from ? from->n : 0;
	to->oldest_ns = to->n ? age(s, from->oldest_ns) : 0;
}

int sockets_connection(struct sockets *k, const struct lt_connection *c)
{
	uint64_t weight = c->tx_bytes + c->rx_bytes + 1;
	struct owner *o;
	int err = owner_of(k, c->tgid, c->process_start_ns, &o);

	if (err || !o)
		return err;
	if (c->srtt_ns) {
		o->srtt_sum_ns += (unsigned __int128)c->srtt_ns * weight;
		o->srtt_weight += weight;
	}
	if (c->open_ns)
		add_open(c->role == LT_ROLE_SERVER ? &o->answers : &o->upstream, c->open_ns);
	if (c->proto == LT_UNIX && c->role != LT_ROLE_CLIENT) /* reported for its open turn only */
		return 0;
	if (k->n_connections >= k->most_connections) {
		k->left_out++;
		return 0;
	}
	if (!GROW(k->connections, k->cap_connections, k->n_connections + 1))
		return -ENOMEM;
	k->connections[k->n_connections++] = *c;
	return 0;
}

/* Whether a report is of this interval only. */
static bool is_known(const struct sockets *k, const struct sample *s, const struct lt_connection *c)
{
	return k->walked || c->born_ns > s->t_ns - s->interval_ns;
}

static void fill_queues(struct sample_connection *to, const struct lt_connection *c, bool known, uint64_t t_ns)
{
	bool listens = c->state == TCP_LISTEN;

	to->tx_queue_bytes = c->tx_queue_bytes;
	to->rx_queue_bytes = c->rx_queue_bytes;
	to->accept_queue = listens ? c->accept_queue : SAMPLE_UNKNOWN;
	to->accept_queue_max = listens ? c->accept_queue_max : SAMPLE_UNKNOWN;
	to->accept_oldest_ns = SAMPLE_UNKNOWN;
	if (c->accept_oldest_ns)
		to->accept_oldest_ns = t_ns > c->accept_oldest_ns ? t_ns - c->accept_oldest_ns : 0;
	to->drops = known && (listens || c->proto == LT_UDP || c->state == TCP_CLOSE) ? c->drops : SAMPLE_UNKNOWN;
}

/* A turn that ends while the socket is read may be counted without being the longest. */
static void fill_turns(struct sample_connection *to, const struct lt_connection *c, bool known)
{
	uint64_t mean_ns = c->turns ? c->turns_ns / c->turns : 0;

	to->role = c->role;
	to->overlapped = c->overlapped;
	to->turns = known ? c->turns : SAMPLE_UNKNOWN;
	to->turns_ns = known ? c->turns_ns : SAMPLE_UNKNOWN;
	to->turn_max_ns = !known ? SAMPLE_UNKNOWN : c->turn_max_ns > mean_ns ? c->turn_max_ns : mean_ns;
}

static int fill_connection(struct sockets *k, struct sample *s, const struct lt_connection *c, const struct owner *o)
{
	bool known = is_known(k, s, c);
	struct sample_connection *to = sample_add_connection(s);

	if (!to)
		return -ENOMEM;
	to->proto = c->proto;
	to->family = c->family;
	to->state = c->state;
	to->changed = c->changed;
	to->local_port = c->local_port;
	to->remote_port = c->remote_port;
	memcpy(to->local, c->local, sizeof(to->local));
	memcpy(to->remote, c->remote, sizeof(to->remote));
	/* The process that used it last may have exited, and its pid may be reused. */
	to->pid = o && o->present ? c->tgid : 0;
	to->tx_bytes = known ? c->tx_bytes : SAMPLE_UNKNOWN;
	to->rx_bytes = known ? c->rx_bytes : SAMPLE_UNKNOWN;
	to->retransmits = known ? c->retransmits : SAMPLE_UNKNOWN;
	to->srtt_ns = c->srtt_ns ? c->srtt_ns : SAMPLE_UNKNOWN;
	to->age_ns = c->born_ns ? age(s, c->born_ns) : SAMPLE_UNKNOWN;
	to->open_ns = c->open_ns ? age(s, c->open_ns) : SAMPLE_UNKNOWN;
	fill_queues(to, c, known, s->t_ns);
	fill_turns(to, c, known && !counter_has(&s->unknown, COUNTER_turns_overlapped));
	to->netns = c->netns;
	return 0;
}

static int fill_process(struct sample *s, struct sample_process *p, struct owner *o, bool walked)
{
	struct sample_socket_sums *sums = &p->sockets;

	if (walked && !counter_has(&s->unknown, COUNTER_turns_overlapped)) {
		fill_open(s, &sums->answers, o ? &o->answers : NULL);
		fill_open(s, &sums->upstream, o ? &o->upstream : NULL);
	}
	if (!o)
		return 0;
	o->present = true;
	sums->retransmits = o->retransmits;
	if (o->srtt_weight)
		sums->srtt_ns = (uint64_t)(o->srtt_sum_ns / o->srtt_weight);
	sums->connect_errors = o->connect_errors;
	sums->receive_drops = o->drops;
	if (!o->connect)
		return 0;
	sums->connect.first = s->n_buckets;
	sums->connect.max_ns = o->connect_max_ns;
	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		struct sample_bucket *to;

		if (!o->connect[b])
			continue;
		to = sample_add_bucket(s);
		if (!to)
			return -ENOMEM;
		to->bucket = b;
		to->count = o->connect[b];
		sums->connect.n++;
	}
	return 0;
}

static int fill_connections(struct sockets *k, struct sample *s, uint64_t since_ns)
{
	uint32_t n = k->n_connections;

	k->n_connections = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct lt_connection *c = &k->connections[i];
		struct owner *o = find(k, c->tgid, c->process_start_ns);
		int err = 0;

		if (o && is_early(o, since_ns))
			k->connections[k->n_connections++] = *c;
		else if (c->proto != LT_UNIX)
			err = fill_connection(k, s, c, o);
		if (err)
			return err;
	}
	return 0;
}

/* What sockets dropped in the interval: known only for sockets that were read before or are new. */
static void sum_drops(struct sockets *k, const struct sample *s)
{
	for (uint32_t i = 0; i < k->n_connections; i++) {
		const struct lt_connection *c = &k->connections[i];
		struct owner *o = c->drops && is_known(k, s, c) ? find(k, c->tgid, c->process_start_ns) : NULL;

		if (o)
			o->drops += c->drops;
	}
}

static int fill_peers(struct sockets *k, struct sample *s)
{
	int err = 0;

	for (uint32_t i = 0; i < k->n_connections && !err; i++)
		err = sockets_peers_add(&k->peers, &k->connections[i], is_known(k, s, &k->connections[i]));
	sockets_peers_sort(&k->peers);
	for (uint32_t i = 0; i < s->n_processes && !err; i++)
		err = sockets_peers_fill(&k->peers, s, i);
	sockets_peers_clear(&k->peers);
	return err;
}

int sockets_fill(struct sockets *k, struct sample *s, uint64_t since_ns, bool walked)
{
	int err = 0;

	if (walked)
		sum_drops(k, s);
	s->drops_known = walked && k->walked;
	for (uint32_t i = 0; !err && i < s->n_processes; i++) {
		struct sample_process *p = &s->processes[i];
		struct owner_key key = { .start_ns = p->start_ns, .pid = p->pid };
		struct owner *o = NULL;

		if (k->owners)
			HASH_FIND(hh, k->owners, &key, sizeof(key), o);
		err = fill_process(s, p, o, walked);
	}
	s->has_connections = walked;
	if (!err && walked && !counter_has(&s->unknown, COUNTER_turns_overlapped))
		err = fill_peers(k, s);
	if (!err && walked)
		err = fill_connections(k, s, since_ns);
	else
		k->n_connections = 0;
	s->lost.events += k->left_out;
	k->walked = walked;
	forget(k, since_ns);
	return err;
}

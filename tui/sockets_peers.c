/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peers of processes: see sockets_peers.h. The process at the other end of a connection owns the one with the same
 * ends the other way round; in the same network namespace, if the address means something there only.
 */
#include "sockets_peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

/* Without padding: they are compared as bytes. */
struct asked_key {
	uint64_t start_ns;
	uint32_t pid;
	struct lt_peer peer;
};

struct asked {
	struct asked_key key;
	const struct lt_connection *c;
	bool known;
};

struct ends {
	uint32_t netns; /* 0: of any */
	uint16_t local_port, remote_port;
	uint8_t local[16], remote[16];
	uint8_t proto, family, zero[2];
};
_Static_assert(sizeof(struct asked_key) == 64 && sizeof(struct ends) == 44, "no padding");

struct accepted {
	struct ends ends;
	uint32_t pid;
};

static bool is_loopback(const struct lt_connection *c)
{
	static const uint8_t one[16] = { [15] = 1 };

	return c->family == 4 ? c->local[0] == 127 : !memcmp(c->local, one, sizeof(one));
}

static struct ends ends_of(const struct lt_connection *c, bool turned_round)
{
	bool here = c->proto == LT_UDP || is_loopback(c);
	struct ends e = { .netns = here ? c->netns : 0, .proto = c->proto, .family = c->family };

	e.local_port = turned_round ? c->remote_port : c->local_port;
	e.remote_port = turned_round ? c->local_port : c->remote_port;
	memcpy(e.local, turned_round ? c->remote : c->local, sizeof(e.local));
	memcpy(e.remote, turned_round ? c->local : c->remote, sizeof(e.remote));
	return e;
}

/* A UDP socket that is not connected: it may answer anyone. */
static bool is_open_to_all(const struct lt_connection *c)
{
	return c->proto == LT_UDP && !c->remote_port && c->local_port;
}

int sockets_peers_add(struct sockets_peers *p, const struct lt_connection *c, bool known)
{
	struct asked *a;

	if (c->tgid && (c->role == LT_ROLE_SERVER || is_open_to_all(c))) {
		if (!GROW(p->accepted, p->cap_accepted, p->n_accepted + 1))
			return -ENOMEM;
		p->accepted[p->n_accepted++] = (struct accepted){ ends_of(c, false), c->tgid };
	}
	if (c->role != LT_ROLE_CLIENT)
		return 0;
	if (!GROW(p->asked, p->cap_asked, p->n_asked + 1))
		return -ENOMEM;
	a = &p->asked[p->n_asked++];
	memset(a, 0, sizeof(*a));
	a->key.pid = c->tgid;
	a->key.start_ns = c->process_start_ns;
	if (c->proto == LT_UNIX) {
		memcpy(a->key.peer.address, c->peer_address, sizeof(a->key.peer.address));
		a->key.peer.pid = c->peer_pid;
		a->key.peer.proto = c->proto;
		a->c = c;
		return 0;
	}
	memcpy(a->key.peer.address, c->remote, sizeof(c->remote));
	a->key.peer.netns = c->netns;
	a->key.peer.port = c->remote_port;
	a->key.peer.proto = c->proto;
	a->key.peer.family = c->family;
	a->c = c;
	a->known = known;
	return 0;
}

static int asked_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct asked_key));
}

static int accepted_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ends));
}

/* Those with the same ends are one; of several processes: of nobody. */
static void unite(struct sockets_peers *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_accepted; i++) {
		struct accepted *a = &p->accepted[i];

		if (!n || accepted_order(&p->accepted[n - 1], a))
			p->accepted[n++] = *a;
		else if (p->accepted[n - 1].pid != a->pid)
			p->accepted[n - 1].pid = 0;
	}
	p->n_accepted = n;
}

void sockets_peers_sort(struct sockets_peers *p)
{
	if (p->n_asked)
		qsort(p->asked, p->n_asked, sizeof(*p->asked), asked_order);
	if (!p->n_asked)
		return;
	if (p->n_accepted)
		qsort(p->accepted, p->n_accepted, sizeof(*p->accepted), accepted_order);
	unite(p);
}

/* The first that is not before a process. */
static uint32_t first_of(const struct sockets_peers *p, const struct sample_process *process)
{
	struct asked_key key = { .start_ns = process->start_ns, .pid = process->pid };
	uint32_t low = 0, high = p->n_asked;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (memcmp(&p->asked[middle].key, &key, sizeof(key)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* 0: nobody, or several processes. */
static uint32_t owner_of_ends(const struct sockets_peers *p, const struct ends *ends)
{
	const struct accepted *a =
		p->n_accepted ? bsearch(ends, p->accepted, p->n_accepted, sizeof(*p->accepted), accepted_order) : NULL;

	return a ? a->pid : 0;
}

/* The UDP socket with that port, at that address or at all of them. A datagram to an address of this machine comes from
 * the same address, or from loopback. */
static uint32_t who_answers(const struct sockets_peers *p, const struct lt_connection *c)
{
	struct ends ends = { .netns = c->netns, .proto = c->proto, .family = c->family, .local_port = c->remote_port };
	uint32_t pid;

	if (!is_loopback(c) && memcmp(c->local, c->remote, sizeof(c->local)) != 0)
		return 0;
	memcpy(ends.local, c->remote, sizeof(ends.local));
	pid = owner_of_ends(p, &ends);
	if (pid)
		return pid;
	memset(ends.local, 0, sizeof(ends.local));
	pid = owner_of_ends(p, &ends);
	if (pid || c->family == 6)
		return pid;
	ends.family = 6;
	return owner_of_ends(p, &ends);
}

static uint32_t other_end(const struct sockets_peers *p, const struct lt_connection *c)
{
	struct ends ends = ends_of(c, true);

	return c->proto == LT_UDP ? who_answers(p, c) : owner_of_ends(p, &ends);
}

/* Appends the peer of n connections. */
static int peer_append(const struct sockets_peers *p, const struct asked *asked, uint32_t n, struct sample *s)
{
	struct sample_peer *peer = sample_add_peer(s);
	unsigned __int128 srtt_sum_ns = 0;
	uint64_t weights = 0;

	if (!peer)
		return -ENOMEM;
	peer->of = asked->key.peer;
	for (uint32_t i = 0; i < n; i++) {
		const struct lt_connection *c = asked[i].c;
		uint64_t weight = c->tx_bytes + c->rx_bytes + 1;
		uint64_t age_ns = s->t_ns > c->open_ns ? s->t_ns - c->open_ns : 0;

		if (!peer->pid)
			peer->pid = c->proto == LT_UNIX ? c->peer_pid : other_end(p, c);
		if (c->open_ns) {
			peer->open.n++;
			peer->open.oldest_ns = age_ns > peer->open.oldest_ns ? age_ns : peer->open.oldest_ns;
		}
		if (!asked[i].known || c->proto != LT_TCP)
			peer->retransmits = SAMPLE_UNKNOWN;
		else if (peer->retransmits != SAMPLE_UNKNOWN)
			peer->retransmits += c->retransmits;
		if (c->srtt_ns) {
			srtt_sum_ns += (unsigned __int128)c->srtt_ns * weight;
			weights += weight;
		}
	}
	peer->srtt_ns = weights ? (uint64_t)(srtt_sum_ns / weights) : SAMPLE_UNKNOWN;
	return 0;
}

int sockets_peers_fill(const struct sockets_peers *p, struct sample *s, uint32_t process)
{
	struct sample_process *of = &s->processes[process];
	uint32_t at = first_of(p, of), n;
	int err = 0;

	of->sockets.first_peer = s->n_peers;
	for (; at < p->n_asked && p->asked[at].key.pid == of->pid && p->asked[at].key.start_ns == of->start_ns && !err;
	     at += n) {
		n = 1;
		while (at + n < p->n_asked && !asked_order(&p->asked[at], &p->asked[at + n]))
			n++;
		err = peer_append(p, &p->asked[at], n, s);
	}
	of->sockets.n_peers = s->n_peers - of->sockets.first_peer;
	return err;
}

void sockets_peers_clear(struct sockets_peers *p)
{
	p->n_asked = p->n_accepted = 0;
}

void sockets_peers_free(struct sockets_peers *p)
{
	free(p->asked);
	free(p->accepted);
}

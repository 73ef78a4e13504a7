/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sockets report, added up by owner: ends of connects, retransmits, round trips, open and closed connections; and
 * what is not known if the sockets were not iterated over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "sockets.h"

#define SECOND_NS 1000000000ULL
#define T_NS (10000 * SECOND_NS)
#define US 1000ULL

static struct sockets *sockets;
static struct sample sample;

/* Three processes: 10, and two that had the number 20 one after the other. */
static void reading_since(uint64_t since_ns, bool walked)
{
	static const struct sample_process processes[] = { { .pid = 10, .start_ns = 1 },
							   { .pid = 20, .start_ns = 2 },
							   { .pid = 20, .start_ns = 3 } };

	sample_clear(&sample);
	sample.t_ns = T_NS;
	sample.interval_ns = SECOND_NS;
	sample.cpus_online = 1;
	for (size_t i = 0; i < sizeof(processes) / sizeof(processes[0]); i++) {
		struct sample_process *p = sample_add_process(&sample);

		assert_non_null(p);
		*p = processes[i];
		p->sockets.srtt_ns = SAMPLE_UNKNOWN;
	}
	assert_int_equal(sockets_fill(sockets, &sample, since_ns, walked), 0);
	assert_null(sample_check(&sample));
	assert_int_equal(sample.has_connections, walked);
}

static void reading(bool walked)
{
	reading_since(100, walked);
}

static int opened(void **state)
{
	(void)state;
	memset(&sample, 0, sizeof(sample));
	sockets = sockets_new(256 << 20);
	return sockets ? 0 : -1;
}

/* The same, after a first iteration: from now on reports are of one interval. */
static int walked(void **state)
{
	if (opened(state))
		return -1;
	reading(true);
	return 0;
}

static int closed(void **state)
{
	(void)state;
	sockets_free(sockets);
	sample_free(&sample);
	return 0;
}

static void tell(uint32_t type, uint32_t pid, uint64_t start_ns, uint64_t value)
{
	struct lt_event e = { .type = type, .tgid = pid, .process_start_ns = start_ns, .value = value };

	assert_int_equal(sockets_event(sockets, &e, sizeof(e)), 0);
}

static struct lt_connection tcp(uint32_t pid, uint64_t start_ns)
{
	return (struct lt_connection){
		.tgid = pid,
		.process_start_ns = start_ns,
		.proto = LT_TCP,
		.family = 4,
		.state = 1,
		.local_port = 80,
		.remote_port = 5000,
		.local = { 127, 0, 0, 1 },
		.remote = { 127, 0, 0, 2 },
	};
}

static void test_connects_by_owner(void **state)
{
	const struct sample_socket_sums *sums;

	(void)state;
	tell(LT_EVENT_CONNECTED, 10, 1, 50 * US);
	tell(LT_EVENT_CONNECTED, 10, 1, 900 * US);
	tell(LT_EVENT_CONNECTED, 10, 1, 51 * US);
	tell(LT_EVENT_CONNECT_FAILED, 10, 1, 0);
	tell(LT_EVENT_CONNECTED, 20, 3, 7 * US);
	tell(LT_EVENT_CONNECT_FAILED, 20, 3, 0);
	tell(LT_EVENT_CONNECT_FAILED, 20, 3, 0);
	tell(LT_EVENT_CONNECTED, 30, 1, US);
	tell(LT_EVENT_LOW, 0, 0, 0);
	reading(true);
	sums = &sample.processes[0].sockets;
	assert_int_equal(sums->connect_errors, 1);
	assert_int_equal(sums->connect.max_ns, 900 * US);
	assert_int_equal(sums->connect.n, 2);
	assert_int_equal(sample.buckets[sums->connect.first].bucket, hist_bucket(50 * US));
	assert_int_equal(sample.buckets[sums->connect.first].count, 2);
	assert_int_equal(sample.buckets[sums->connect.first + 1].bucket, hist_bucket(900 * US));
	assert_int_equal(sample.buckets[sums->connect.first + 1].count, 1);
	/* One number, two processes. */
	assert_int_equal(sample.processes[1].sockets.connect_errors, 0);
	assert_int_equal(sample.processes[1].sockets.connect.n, 0);
	assert_int_equal(sample.processes[2].sockets.connect_errors, 2);
	assert_int_equal(sample.processes[2].sockets.connect.max_ns, 7 * US);
	/* The next interval starts at zero. */
	reading(true);
	assert_int_equal(sample.processes[0].sockets.connect_errors, 0);
	assert_int_equal(sample.processes[0].sockets.connect.n, 0);
}

static void test_what_is_no_event(void **state)
{
	struct lt_event e = { .type = LT_EVENT_CLOSED + 1 };
	struct lt_closed_event gone = { .type = LT_EVENT_CLOSED };

	(void)state;
	assert_int_equal(sockets_event(sockets, &e, sizeof(e)), -EINVAL);
	assert_int_equal(sockets_event(sockets, &e, 3), -EINVAL);
	e.type = LT_EVENT_CONNECTED;
	assert_int_equal(sockets_event(sockets, &e, sizeof(e) - 1), -EINVAL);
	assert_int_equal(sockets_event(sockets, &gone, sizeof(gone) - 1), -EINVAL);
	reading(true);
	assert_int_equal(sample.n_connections, 0);
}

static void test_a_connection_arrives_whole(void **state)
{
	struct lt_connection c = tcp(20, 2);
	const struct sample_connection *to;

	(void)state;
	c.family = 6;
	c.state = 8;
	c.changed = 1;
	memcpy(c.local, "0123456789abcdef", 16);
	memcpy(c.remote, "fedcba9876543210", 16);
	c.born_ns = T_NS - 5 * SECOND_NS;
	c.tx_bytes = 11;
	c.rx_bytes = 12;
	c.retransmits = 13;
	c.srtt_ns = 14;
	c.tx_queue_bytes = 15;
	c.rx_queue_bytes = 16;
	c.accept_queue = c.accept_queue_max = c.drops = 18; /* fields that an established connection does not have */
	c.netns = 17;
	assert_int_equal(sockets_connection(sockets, &c), 0);
	reading(true);
	assert_int_equal(sample.n_connections, 1);
	to = &sample.connections[0];
	assert_int_equal(to->proto, LT_TCP);
	assert_int_equal(to->family, 6);
	assert_int_equal(to->state, 8);
	assert_int_equal(to->changed, 1);
	assert_int_equal(to->local_port, 80);
	assert_int_equal(to->remote_port, 5000);
	assert_memory_equal(to->local, "0123456789abcdef", 16);
	assert_memory_equal(to->remote, "fedcba9876543210", 16);
	assert_int_equal(to->pid, 20);
	assert_int_equal(to->age_ns, 5 * SECOND_NS);
	assert_int_equal(to->tx_bytes, 11);
	assert_int_equal(to->rx_bytes, 12);
	assert_int_equal(to->retransmits, 13);
	assert_int_equal(to->srtt_ns, 14);
	assert_int_equal(to->tx_queue_bytes, 15);
	assert_int_equal(to->rx_queue_bytes, 16);
	assert_int_equal(to->accept_queue, SAMPLE_UNKNOWN);
	assert_int_equal(to->accept_queue_max, SAMPLE_UNKNOWN);
	assert_int_equal(to->drops, SAMPLE_UNKNOWN);
	assert_int_equal(to->netns, 17);
	/* Older than the probes, and nothing was measured. */
	c.born_ns = c.srtt_ns = 0;
	assert_int_equal(sockets_connection(sockets, &c), 0);
	reading(true);
	assert_int_equal(sample.n_connections, 1);
	assert_int_equal(sample.connections[0].age_ns, SAMPLE_UNKNOWN);
	assert_int_equal(sample.connections[0].srtt_ns, SAMPLE_UNKNOWN);
	/* Opened after T was taken. */
	c.born_ns = T_NS + 1;
	assert_int_equal(sockets_connection(sockets, &c), 0);
	reading(true);
	assert_int_equal(sample.connections[0].age_ns, 0);
}

/* Retransmits add up; the round trip is the mean over the connections, by their bytes. */
static void test_sums_by_owner(void **state)
{
	struct lt_connection busy = tcp(10, 1), idle = tcp(10, 1), other = tcp(20, 3);

	(void)state;
	busy.tx_bytes = 2000000;
	busy.rx_bytes = 1000000;
	busy.srtt_ns = 100 * US;
	idle.srtt_ns = 90000 * US;
	other.srtt_ns = 5 * US;
	assert_int_equal(sockets_connection(sockets, &busy), 0);
	assert_int_equal(sockets_connection(sockets, &idle), 0);
	assert_int_equal(sockets_connection(sockets, &other), 0);
	tell(LT_EVENT_RETRANSMITTED, 10, 1, 3);
	tell(LT_EVENT_RETRANSMITTED, 10, 1, 4);
	reading(true);
	assert_int_equal(sample.processes[0].sockets.retransmits, 7);
	assert_int_equal(sample.processes[0].sockets.srtt_ns / US, 100);
	assert_int_equal(sample.processes[1].sockets.srtt_ns, SAMPLE_UNKNOWN);
	assert_int_equal(sample.processes[1].sockets.retransmits, 0);
	assert_int_equal(sample.processes[2].sockets.srtt_ns, 5 * US);
	assert_int_equal(sample.processes[2].sockets.retransmits, 0);
	assert_int_equal(sample.n_connections, 3);
}

static void test_a_listener_and_datagrams(void **state)
{
	struct lt_connection listener = tcp(10, 1), udp = tcp(10, 1);

	(void)state;
	listener.state = 10;
	listener.accept_queue = 3;
	listener.accept_queue_max = 2;
	listener.drops = 4;
	listener.accept_oldest_ns = T_NS - 77;
	udp.proto = LT_UDP;
	udp.state = 7;
	udp.rx_queue_bytes = 211968;
	udp.drops = 8;
	assert_int_equal(sockets_connection(sockets, &listener), 0);
	assert_int_equal(sockets_connection(sockets, &udp), 0);
	reading(true);
	assert_int_equal(sample.connections[0].accept_queue, 3);
	assert_int_equal(sample.connections[0].accept_queue_max, 2);
	assert_int_equal(sample.connections[0].drops, 4);
	assert_int_equal(sample.connections[0].accept_oldest_ns, 77);
	assert_int_equal(sample.connections[1].accept_oldest_ns, SAMPLE_UNKNOWN);
	assert_int_equal(sample.processes[0].sockets.receive_drops, 4 + 8);
	assert_true(sample.drops_known);
	assert_int_equal(sample.connections[1].rx_queue_bytes, 211968);
	assert_int_equal(sample.connections[1].accept_queue, SAMPLE_UNKNOWN);
	assert_int_equal(sample.connections[1].drops, 8);
	/* Without an iteration drops are not known; the next one reports all since the one before. */
	reading(false);
	assert_int_equal(sockets_connection(sockets, &udp), 0);
	reading(true);
	assert_int_equal(sample.connections[0].drops, SAMPLE_UNKNOWN);
	assert_int_equal(sample.connections[0].rx_queue_bytes, 211968);
	assert_false(sample.drops_known);
	/* A listener's last ones are reported when it has closed. */
	listener.state = 7;
	assert_int_equal(sockets_connection(sockets, &listener), 0);
	reading(true);
	assert_int_equal(sample.connections[0].drops, 4);
	assert_int_equal(sample.processes[0].sockets.receive_drops, 4);
}

/* Bytes times nanoseconds: 115 GB at 160 ms overflow 64 bits. */
static void test_round_trips_of_much(void **state)
{
	static const uint64_t bytes[] = { 1, 1000000000, 115000000000, 120000000000, 1ULL << 50, 1ULL << 60 };
	struct lt_connection c = tcp(10, 1);

	(void)state;
	c.srtt_ns = 80000 * US;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(*bytes); i++) {
		c.tx_bytes = c.rx_bytes = bytes[i];
		assert_int_equal(sockets_connection(sockets, &c), 0);
		assert_int_equal(sockets_connection(sockets, &c), 0);
		reading(true);
		assert_int_equal(sample.processes[0].sockets.srtt_ns, 80000 * US);
	}
}

/* Open at one reading and closed at the next, or only in between: its last bytes are in the interval in which it
 * closed. */
static void test_a_connection_that_went(void **state)
{
	struct lt_closed_event gone = { .type = LT_EVENT_CLOSED, .connection = tcp(10, 1) };

	(void)state;
	gone.connection.tx_bytes = 77;
	gone.connection.changed = 1;
	gone.connection.state = 7;
	gone.connection.retransmits = 2;
	assert_int_equal(sockets_event(sockets, &gone, sizeof(gone)), 0);
	reading(true);
	assert_int_equal(sample.n_connections, 1);
	assert_int_equal(sample.connections[0].tx_bytes, 77);
	assert_int_equal(sample.connections[0].changed, 1);
	assert_int_equal(sample.connections[0].retransmits, 2);
	reading(true);
	assert_int_equal(sample.n_connections, 0);
}

/* Connections were not requested: nothing is known about them. The first walk reports what happened since the one
 * before, perhaps hours ago: only sockets younger than the interval have its numbers. */
static void test_what_was_not_walked_is_not_known(void **state)
{
	struct lt_connection old = tcp(10, 1), young = tcp(20, 2);

	(void)state;
	old.born_ns = T_NS - 3600 * SECOND_NS;
	old.tx_bytes = 1ULL << 40;
	old.retransmits = 1000;
	old.srtt_ns = 3 * US;
	young.born_ns = T_NS - SECOND_NS / 2;
	young.tx_bytes = 5;
	reading(false);
	assert_int_equal(sockets_connection(sockets, &old), 0);
	assert_int_equal(sockets_connection(sockets, &young), 0);
	reading(true);
	assert_int_equal(sample.processes[0].sockets.srtt_ns, 3 * US);
	assert_int_equal(sample.connections[0].tx_bytes, SAMPLE_UNKNOWN);
	assert_int_equal(sample.connections[0].rx_bytes, SAMPLE_UNKNOWN);
	assert_int_equal(sample.connections[0].retransmits, SAMPLE_UNKNOWN);
	assert_int_equal(sample.connections[0].age_ns, 3600 * SECOND_NS);
	assert_int_equal(sample.connections[1].tx_bytes, 5);
	old.tx_bytes = 6;
	old.retransmits = 1;
	assert_int_equal(sockets_connection(sockets, &old), 0);
	reading(true);
	assert_int_equal(sample.connections[0].tx_bytes, 6);
	assert_int_equal(sample.connections[0].retransmits, 1);
	/* A reading without a walk, then one with it again. */
	reading(false);
	assert_int_equal(sockets_connection(sockets, &old), 0);
	reading(true);
	assert_int_equal(sample.connections[0].tx_bytes, SAMPLE_UNKNOWN);
}

/* Its owner exited and left it to a child that did not use it; another process has the pid now. */
static void test_a_dead_owner_is_nobody(void **state)
{
	struct lt_connection left = tcp(20, 1), held = tcp(20, 3);

	(void)state;
	assert_int_equal(sockets_connection(sockets, &left), 0);
	assert_int_equal(sockets_connection(sockets, &held), 0);
	reading(true);
	assert_int_equal(sample.connections[0].pid, 0);
	assert_int_equal(sample.connections[1].pid, 20);
}

static void sample_with(uint32_t pid, uint64_t start_ns)
{
	struct sample_process *p;

	sample_clear(&sample);
	sample.t_ns = T_NS;
	sample.interval_ns = SECOND_NS;
	sample.cpus_online = 1;
	p = sample_add_process(&sample);
	assert_non_null(p);
	p->pid = pid;
	p->start_ns = start_ns;
	p->sockets.srtt_ns = SAMPLE_UNKNOWN;
}

/* Between T and the last event that a reading takes, a process may start, connect and send: it has no row yet. */
static void test_who_began_while_the_reading_was_taken(void **state)
{
	struct lt_closed_event gone = { .type = LT_EVENT_CLOSED, .connection = tcp(30, 150) };

	(void)state;
	gone.connection.retransmits = 90;
	gone.connection.drops = 7;
	gone.connection.born_ns = T_NS - US;
	tell(LT_EVENT_CONNECTED, 30, 150, 2 * US);
	tell(LT_EVENT_RETRANSMITTED, 30, 150, 90);
	assert_int_equal(sockets_event(sockets, &gone, sizeof(gone)), 0);
	reading_since(100, true);
	assert_int_equal(sample.n_connections, 0);
	tell(LT_EVENT_RETRANSMITTED, 30, 150, 26);
	sample_with(30, 150);
	assert_int_equal(sockets_fill(sockets, &sample, 140, true), 0);
	assert_int_equal(sample.processes[0].sockets.retransmits, 116);
	assert_int_equal(sample.processes[0].sockets.receive_drops, 7);
	assert_int_equal(sample.processes[0].sockets.connect.n, 1);
	assert_int_equal(sample.n_connections, 1);
	assert_int_equal(sample.connections[0].pid, 30);
	assert_int_equal(sample.connections[0].retransmits, 90);
	sample_with(30, 150);
	assert_int_equal(sockets_fill(sockets, &sample, 200, true), 0);
	assert_int_equal(sample.processes[0].sockets.retransmits, 0);
	assert_int_equal(sample.n_connections, 0);
}

/* A process that never has a row is not an owner: its connection is shown, and nothing of it is kept. */
static void test_who_never_has_a_row(void **state)
{
	struct lt_closed_event gone = { .type = LT_EVENT_CLOSED, .connection = tcp(30, 150) };

	(void)state;
	assert_int_equal(sockets_event(sockets, &gone, sizeof(gone)), 0);
	reading_since(100, true);
	assert_int_equal(sample.n_connections, 0);
	reading_since(160, true);
	assert_int_equal(sample.n_connections, 1);
	assert_int_equal(sample.connections[0].pid, 0);
	reading_since(170, true);
	assert_int_equal(sample.n_connections, 0);
}

/* Connects and retransmits are events: they are counted with and without an iteration. */
static void test_events_need_no_walk(void **state)
{
	(void)state;
	tell(LT_EVENT_RETRANSMITTED, 10, 1, 5);
	tell(LT_EVENT_CONNECTED, 10, 1, 50 * US);
	tell(LT_EVENT_CONNECT_FAILED, 10, 1, 0);
	reading(false);
	assert_int_equal(sample.processes[0].sockets.connect_errors, 1);
	assert_int_equal(sample.processes[0].sockets.connect.n, 1);
	assert_int_equal(sample.processes[0].sockets.retransmits, 5);
	assert_int_equal(sample.processes[1].sockets.retransmits, 0);
	assert_int_equal(sample.n_connections, 0);
}

/* More owners than a new hash table has room for, each with its own numbers. */
static void test_many_owners(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 20000; i++)
		tell(LT_EVENT_CONNECT_FAILED, 1000 + i, i, 0);
	tell(LT_EVENT_CONNECT_FAILED, 10, 1, 0);
	reading(true);
	assert_int_equal(sample.processes[0].sockets.connect_errors, 1);
}

/* More processes and connections than there is memory for: those that had no room are counted in lost, and it goes on.
 */
static void test_more_than_there_is_room_for(void **state)
{
	enum { OWNERS = 5000, CONNECTIONS = 20000 };
	struct lt_connection c = { .proto = LT_TCP, .family = 4, .state = 1, .tgid = 1, .process_start_ns = 1 };

	(void)state;
	sockets_free(sockets);
	sockets = sockets_new(1 << 20);
	assert_non_null(sockets);
	for (int round = 0; round < 2; round++) {
		uint64_t lost;

		for (uint32_t pid = 1; pid <= OWNERS; pid++)
			tell(LT_EVENT_CONNECT_FAILED, pid, pid, 0);
		for (uint32_t i = 0; i < CONNECTIONS; i++)
			assert_int_equal(sockets_connection(sockets, &c), 0);
		reading(true);
		lost = sample.lost.events;
		assert_in_range(sample.n_connections, 1000, CONNECTIONS - 1000);
		assert_in_range(lost, CONNECTIONS - sample.n_connections + 1000,
				CONNECTIONS - sample.n_connections + OWNERS - 500);
	}
}

static void opens(struct lt_connection c, uint16_t local_port, uint16_t remote_port, enum lt_role role)
{
	c.local_port = local_port;
	c.remote_port = remote_port;
	c.role = (uint8_t)role;
	if (role == LT_ROLE_SERVER) {
		memcpy(c.local, (uint8_t[]){ 127, 0, 0, 2 }, 4);
		memcpy(c.remote, (uint8_t[]){ 127, 0, 0, 1 }, 4);
	}
	assert_int_equal(sockets_connection(sockets, &c), 0);
}

static const struct sample_peer *peer_of(uint32_t process, uint32_t n, uint32_t expected)
{
	const struct sample_socket_sums *sums = &sample.processes[process].sockets;

	assert_int_equal(sums->n_peers, expected);
	return &sample.peers[sums->first_peer + n];
}

/* What a connection reports of its turns; not the interval's alone: not known. */
static void test_turns_of_connections(void **state)
{
	struct lt_connection c = tcp(10, 1);

	(void)state;
	c.role = LT_ROLE_SERVER;
	c.overlapped = 1;
	c.turns = 4;
	c.turns_ns = 40 * US;
	c.turn_max_ns = 22 * US;
	assert_int_equal(sockets_connection(sockets, &c), 0);
	reading(true);
	assert_int_equal(sample.connections[0].turns, SAMPLE_UNKNOWN);
	assert_int_equal(sample.connections[0].turn_max_ns, SAMPLE_UNKNOWN);
	assert_int_equal(sockets_connection(sockets, &c), 0);
	c.turn_max_ns = 0; /* the longest was counted with the last report */
	assert_int_equal(sockets_connection(sockets, &c), 0);
	reading(true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sample.connections[i].role, LT_ROLE_SERVER);
		assert_int_equal(sample.connections[i].overlapped, 1);
		assert_int_equal(sample.connections[i].turns, 4);
		assert_int_equal(sample.connections[i].turns_ns, 40 * US);
		assert_int_equal(sample.connections[i].turn_max_ns, i ? 10 * US : 22 * US);
	}
}

/* By process and remote end; the process at the other end owns the accepted half, in the same network namespace. */
static void test_peers_of_processes(void **state)
{
	struct lt_connection c = tcp(10, 1), s = tcp(20, 3);
	const struct sample_peer *p;

	(void)state;
	c.netns = s.netns = 7;
	c.retransmits = 2;
	c.srtt_ns = 100;
	c.tx_bytes = 2;
	opens(c, 5000, 80, LT_ROLE_CLIENT);
	c.open_ns = T_NS - 400 * US;
	c.srtt_ns = 400;
	c.tx_bytes = 5;
	opens(c, 5001, 80, LT_ROLE_CLIENT);
	c.open_ns = T_NS - 900 * US;
	opens(c, 5002, 90, LT_ROLE_CLIENT);
	opens(s, 80, 5001, LT_ROLE_SERVER);
	s.netns = 8;
	opens(s, 90, 5002, LT_ROLE_SERVER);
	opens(tcp(20, 2), 6000, 80, LT_ROLE_PAIR);
	reading(true);
	peer_of(1, 0, 0);
	peer_of(2, 0, 0);
	p = peer_of(0, 0, 2);
	if (p->of.port != 80)
		p++;
	assert_int_equal(p->of.port, 80);
	assert_memory_equal(p->of.address, ((uint8_t[]){ 127, 0, 0, 2 }), 4);
	assert_int_equal(p->of.netns, 7);
	assert_int_equal(p->of.proto, LT_TCP);
	assert_int_equal(p->of.family, 4);
	assert_int_equal(p->pid, 20);
	assert_int_equal(p->open.n, 1);
	assert_int_equal(p->open.oldest_ns, 400 * US);
	assert_int_equal(p->retransmits, 4);
	assert_int_equal(p->srtt_ns, 300);
	assert_int_equal(p->upstream.n, 0);
	p = peer_of(0, p == peer_of(0, 0, 2), 2);
	assert_int_equal(p->of.port, 90);
	assert_int_equal(p->pid, 0);
	assert_int_equal(p->open.oldest_ns, 900 * US);
	/* The next interval begins at nothing. */
	reading(true);
	peer_of(0, 0, 0);
	/* The reading before did not look at sockets: its retransmits do not belong to this interval. */
	reading(false);
	opens(c, 5000, 80, LT_ROLE_CLIENT);
	reading(true);
	assert_int_equal(peer_of(0, 0, 1)->retransmits, SAMPLE_UNKNOWN);
}

static void test_free_of_nothing(void **state)
{
	(void)state;
	sockets_free(NULL);
}

#define walked_test(f) cmocka_unit_test_setup_teardown(f, walked, closed)

static void bound(uint32_t pid, uint64_t start_ns, const char *address, uint16_t port)
{
	struct lt_connection c = tcp(pid, start_ns);

	c.proto = LT_UDP;
	c.netns = 7;
	c.remote_port = 0;
	memset(c.remote, 0, sizeof(c.remote));
	c.local_port = port;
	memcpy(c.local, address, 4);
	assert_int_equal(sockets_connection(sockets, &c), 0);
}

/* Who answers datagrams: the socket at the address, or at all of them, of this machine. */
static void test_peers_by_datagrams(void **state)
{
	static const struct {
		uint16_t port;
		const char *local, *remote;
		uint32_t pid;
	} asks[] = {
		{ 53, "\x7f\0\0\1", "\x7f\0\0\1", 20 }, /* at that address */
		{ 54, "\x7f\0\0\1", "\x7f\0\0\1", 20 }, /* at all */
		{ 54, "\xa\0\0\1", "\xa\0\0\1", 20 },	/* an address of this machine */
		{ 54, "\xa\0\0\1", "\xa\0\0\2", 0 },	/* another machine's */
		{ 55, "\x7f\0\0\1", "\x7f\0\0\1", 0 },	/* several processes */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		struct lt_connection c = tcp(10, 1);

		bound(20, 3, "\x7f\0\0\1", 53);
		bound(10, 1, "\0\0\0\0", 53);
		bound(20, 3, "\0\0\0\0", 54);
		bound(20, 3, "\0\0\0\0", 55);
		bound(10, 1, "\0\0\0\0", 55);
		c.proto = LT_UDP;
		c.netns = 7;
		c.role = LT_ROLE_CLIENT;
		c.local_port = 6000;
		c.remote_port = asks[i].port;
		memcpy(c.local, asks[i].local, 4);
		memcpy(c.remote, asks[i].remote, 4);
		assert_int_equal(sockets_connection(sockets, &c), 0);
		reading(true);
		assert_int_equal(peer_of(0, 0, 1)->pid, asks[i].pid);
	}
}

/* They have a name instead of addresses, and are no connections. */
static void test_peers_of_unix_sockets(void **state)
{
	struct lt_connection c = { .tgid = 10, .process_start_ns = 1, .proto = LT_UNIX, .peer_pid = 20 };
	const struct sample_peer *p;

	(void)state;
	c.open_ns = T_NS - 400 * US;
	c.role = LT_ROLE_CLIENT;
	strcpy(c.peer_address, "/run/a-name-that-has-39-characters-x-39");
	assert_int_equal(sockets_connection(sockets, &c), 0);
	c.role = LT_ROLE_SERVER;
	assert_int_equal(sockets_connection(sockets, &c), 0);
	reading(true);
	assert_int_equal(sample.n_connections, 0);
	p = peer_of(0, 0, 1);
	assert_int_equal(p->of.proto, LT_UNIX);
	assert_string_equal(p->of.address, c.peer_address);
	assert_int_equal(p->of.pid, 20);
	assert_int_equal(p->pid, 20);
	assert_int_equal(p->open.n, 1);
	assert_int_equal(p->open.oldest_ns, 400 * US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		walked_test(test_connects_by_owner),
		walked_test(test_what_is_no_event),
		walked_test(test_a_connection_arrives_whole),
		walked_test(test_sums_by_owner),
		walked_test(test_a_listener_and_datagrams),
		walked_test(test_round_trips_of_much),
		walked_test(test_a_connection_that_went),
		cmocka_unit_test_setup_teardown(test_what_was_not_walked_is_not_known, opened, closed),
		cmocka_unit_test_setup_teardown(test_events_need_no_walk, opened, closed),
		walked_test(test_a_dead_owner_is_nobody),
		walked_test(test_who_began_while_the_reading_was_taken),
		walked_test(test_who_never_has_a_row),
		cmocka_unit_test_setup_teardown(test_turns_of_connections, opened, closed),
		walked_test(test_peers_of_processes),
		walked_test(test_peers_by_datagrams),
		walked_test(test_peers_of_unix_sockets),
		walked_test(test_many_owners),
		walked_test(test_more_than_there_is_room_for),
		cmocka_unit_test(test_free_of_nothing),
	};

	return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a verdict is made of: the lists of peers and sockets are bounded, and lagtop is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "facts.h"
#include "reading.h"

#define PID 2211

static struct facts_all facts;

static int setup(void **state)
{
	memset(&facts, 0, sizeof(facts));
	return reading_setup(state);
}

static int teardown(void **state)
{
	facts_free(&facts);
	return reading_teardown(state);
}

static void add_peer(struct sample *s, uint16_t port)
{
	struct sample_peer *p = sample_add_peer(s);

	assert_non_null(p);
	p->of = (struct lt_peer){ .proto = LT_TCP, .family = 4, .port = port };
	p->retransmits = p->srtt_ns = p->open.n = SAMPLE_UNKNOWN;
	reading_dist(s, &p->upstream, MS_NS, 1);
}

static void add_connection(struct sample *s, uint32_t pid, uint16_t port)
{
	struct sample_connection *c = sample_add_connection(s);

	assert_non_null(c);
	*c = (struct sample_connection){ .proto = LT_TCP,
					 .family = 4,
					 .state = TCP_ESTABLISHED,
					 .local_port = port,
					 .pid = pid,
					 .retransmits = 1,
					 .accept_queue = SAMPLE_UNKNOWN,
					 .accept_queue_max = SAMPLE_UNKNOWN,
					 .accept_oldest_ns = SAMPLE_UNKNOWN,
					 .age_ns = SAMPLE_UNKNOWN };
}

/* A process that waited, for one answer of each of n peers, and sent a segment again to each of n others. */
static void api(struct sample *s, uint32_t pid, uint16_t first_port, uint16_t n)
{
	struct sample_work *w;

	reading_process(s, pid, 5, "api");
	w = reading_busy(s, pid, LT_NET, SECOND_NS / 2);
	w->first_peer = s->n_peers;
	w->n_peers = n;
	reading_dist(s, &w->upstream, MS_NS, n);
	for (uint16_t i = 0; i < n; i++) {
		add_peer(s, first_port + i);
		add_connection(s, pid, first_port + i);
	}
}

static void add_reading(const struct sample *s)
{
	reading_update(s);
	assert_int_equal(facts_add(&facts, reading_model), 0);
}

/* There are `n` of each in the lists, and each was counted in both readings. */
static void assert_full(uint32_t n)
{
	assert_int_equal(facts_finish(&facts), 0);
	assert_int_equal(facts.n, 1);
	assert_int_equal(facts.of[0].n_peers, n);
	assert_int_equal(facts.of[0].n_sockets, n);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(facts.of[0].peers[i].count, 2);
		assert_int_equal(facts.of[0].sockets[i].retransmits, 2);
	}
}

static void lists_of_a_name_are_bounded(void **state)
{
	(void)state;
	for (uint32_t reading = 1; reading <= 2; reading++) {
		struct sample *s = reading_next(reading);

		for (uint16_t i = 0; i < 3; i++)
			api(s, PID + i, 600 * i + 1, 600);
		add_reading(s);
	}
	assert_full(1000);
}

/* What is in a full list still counts. */
static void a_full_list_goes_on_counting(void **state)
{
	(void)state;
	for (uint32_t reading = 1; reading <= 2; reading++) {
		struct sample *s = reading_next(reading);

		api(s, PID, 1, 1001);
		add_reading(s);
	}
	assert_full(1000);
}

/* On this machine lagtop leaves itself out; in a recording its pid may belong to any process. */
static void itself(void **state)
{
	for (int live = 0; live < 2; live++) {
		struct sample *s = reading_next(1);

		facts.self_pid = live ? PID : 0;
		reading_process(s, PID, 5, "api");
		reading_busy(s, PID, LT_DISK, 0);
		reading_process(s, (uint32_t)getpid(), 5, "me");
		reading_busy(s, (uint32_t)getpid(), LT_DISK, 0);
		add_reading(s);
		assert_int_equal(facts_finish(&facts), 0);
		assert_int_equal(facts.n, 2 - live);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lists_of_a_name_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_list_goes_on_counting, setup, teardown),
		cmocka_unit_test_setup_teardown(itself, setup, teardown),
	};

	return cmocka_run_group_tests_name("unit_facts", tests, NULL, NULL);
}

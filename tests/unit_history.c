/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The history: reassembled readings equal those that were added; only changes cost memory; memory stays within its
 * bound, whatever comes and goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <malloc.h>
#ifdef __SANITIZE_ADDRESS__
size_t __sanitizer_get_current_allocated_bytes(void);
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "column.h"
#include "fixture.h"
#include "history.h"
#include "large_sample.h"
#include "reading.h"

static void add(struct history *h, void (*fill)(struct sample *s, uint32_t number), uint32_t number)
{
	struct sample *s = history_take(h);

	assert_non_null(s);
	fill(s, number);
	assert_int_equal(history_add(h), 0);
}

static void fill_fixture(struct sample *s, uint32_t number)
{
	struct sample_connection twin;

	fixture_fill(s, number, FIXTURE_HOSTILE_NAMES);
	s->threads[5].wall_ns -= 1000 + number; /* created in the interval */
	twin = s->connections[0];
	*sample_add_connection(s) = twin; /* SO_REUSEPORT */
	if (number % 5 == 0) {		  /* the sockets were not walked */
		s->has_connections = false;
		s->n_connections = 0;
	}
}

static bool same_value(struct value a, struct value b)
{
	return a.type == b.type && (a.type == VALUE_INT	   ? a.i == b.i
				    : a.type == VALUE_REAL ? a.real == b.real
				    : a.type == VALUE_TEXT ? !strcmp(a.text, b.text)
							   : true);
}

/* All rows of both models, in the order of column c, with every column. */
static void compare_rows(struct model *expected, struct model *found, uint32_t number)
{
	static const enum model_kind kinds[] = { MODEL_PROCESS, MODEL_THREAD,	  MODEL_COMMAND,
						 MODEL_CALL,	MODEL_CONNECTION, MODEL_DISK };
	struct row *a, *b;
	int n;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct model_query query = { .kind = kinds[k] };

		n = model_rows(expected, &query, &a);
		assert_true(n > 0 || kinds[k] == MODEL_CONNECTION);
		assert_int_equal(model_rows(found, &query, &b), n);
		for (int i = 0; i < n; i++) {
			const struct row *twin = &b[i];
			int at;

			for (at = 0;
			     kinds[k] == MODEL_CONNECTION && column_compare(column_find("local"), false, &a[i], &b[at]);
			     at++)
				assert_true(at < n);
			twin = kinds[k] == MODEL_CONNECTION ? &b[at] : twin;
			for (size_t c = 0; c < columns_count; c++)
				if (columns[c].kinds & 1U << kinds[k] && columns[c].show != SHOW_SPARK &&
				    !same_value(columns[c].raw(&a[i]), columns[c].raw(twin)))
					fail_msg("reading %u, kind %zu, row %d: another %s", number, k, i,
						 columns[c].name);
		}
	}
}

static void every_reading_comes_back(void **state)
{
	struct history h = { .max_bytes = 64 << 20 };
	uint64_t counts[2][HIST_BUCKETS];
	struct sample fresh = { 0 };
	uint32_t n;

	(void)state;
	for (n = 1; n <= 100; n++)
		add(&h, fill_fixture, n);
	assert_int_equal(h.n, 100);
	assert_null(history_at(&h, 100));
	for (uint32_t back = 0; back < 100; back += 1 + back % 7) {
		struct model *expected = model_new(), *found = model_new();
		const struct sample *s = history_at(&h, back);

		assert_non_null(s);
		assert_int_equal(s->number, 100 - back);
		assert_null(sample_check(s));
		assert_ptr_equal(history_at(&h, back), s);
		fill_fixture(&fresh, 100 - back);
		assert_int_equal(s->n_connections, fresh.n_connections);
		assert_int_equal(s->has_connections, fresh.has_connections);
		assert_int_equal(s->has_disks, fresh.has_disks);
		assert_int_equal(s->n_disks, fresh.n_disks);
		assert_string_equal(s->host, fresh.host);
		assert_memory_equal(&s->self, &fresh.self, sizeof(s->self));
		assert_int_equal(model_update(expected, &fresh), 0);
		assert_int_equal(model_update(found, s), 0);
		compare_rows(expected, found, s->number);
		memset(counts, 0, sizeof(counts));
		assert_int_equal(
			history_histogram(&h, back, FIXTURE_LAGGARD, fresh.processes[0].start_ns, false, counts[0]), 0);
		for (n = 0; fresh.processes[n].pid != FIXTURE_LAGGARD; n++)
			;
		assert_true(history_histogram(&h, back, FIXTURE_LAGGARD, fresh.processes[n].start_ns, false,
					      counts[0]) > 0);
		model_histogram_of(&fresh, FIXTURE_LAGGARD, fresh.processes[n].start_ns, false, counts[1]);
		assert_memory_equal(counts[0], counts[1], sizeof(counts[0]));
		model_free(expected);
		model_free(found);
	}
	sample_free(&fresh);
	history_free(&h);
}

/* The last two that were requested stay valid. */
static void what_was_asked_for_stays(void **state)
{
	struct history h = { .max_bytes = 64 << 20 };
	const struct sample *a, *b;

	(void)state;
	for (uint32_t n = 1; n <= 20; n++)
		add(&h, fill_fixture, n);
	a = history_at(&h, 5);
	b = history_at(&h, 6);
	assert_int_equal(a->number, 15);
	add(&h, fill_fixture, 21);
	assert_ptr_equal(history_at(&h, 6), a);
	history_at(&h, 0);
	history_at(&h, 12); /* replaces b, the least recently requested */
	assert_int_equal(a->number, 15);
	assert_int_equal(b->number, 21 - 12);
	history_free(&h);
}

/* Each pair of numbers of so many bits, with runs of zeros of every length between: each is encoded differently. */
static void fill_numbers(struct sample *s, uint32_t number)
{
	const uint32_t n[] = { 0, 1, 0xff, 0x100, 0xffff, 0x10000, 0xffffff, 0x1000000, UINT32_MAX };
	size_t all = sizeof(n) / sizeof(n[0]);

	reading_begin(s, number);
	s->has_connections = true;
	for (size_t i = 0; i < all * all; i++) {
		struct sample_connection *c = sample_add_connection(s);
		struct sample_work *w;

		assert_non_null(c);
		*c = (struct sample_connection){ .proto = LT_TCP,
						 .family = 4,
						 .local_port = (uint16_t)i,
						 .tx_bytes = (uint64_t)n[i / all] << 32 | n[i % all],
						 .rx_bytes = (uint64_t)n[i % all] << 32 | n[i / all],
						 .age_ns = SAMPLE_UNKNOWN };
		reading_process(s, (uint32_t)i + 1, i, "zeros");
		w = reading_busy(s, (uint32_t)i + 1, LT_SLEEP, MS_NS);
		(&w->flow[0].tx_bytes)[i % 20] = 1;
		(&w->flow[0].tx_bytes)[19 - i / 20 % 20] = number;
		reading_call(s, w, 1, 1 + i % 2, i * MS_NS, 5, 1)->time_ns = i % 3 * MS_NS;
	}
}

static void numbers_of_all_sizes_come_back(void **state)
{
	struct history h = { .max_bytes = 64 << 20 };
	struct sample expected = { 0 };
	const struct sample *s;

	(void)state;
	add(&h, fill_numbers, 1);
	add(&h, fill_numbers, 2);
	s = history_at(&h, 1);
	fill_numbers(&expected, 1);
	assert_non_null(s);
	assert_int_equal(s->n_connections, expected.n_connections);
	assert_memory_equal(s->connections, expected.connections, s->n_connections * sizeof(*s->connections));
	assert_int_equal(s->n_works, expected.n_works);
	for (uint32_t i = 0; i < s->n_works; i++)
		assert_memory_equal(s->works[i].flow, expected.works[i].flow, sizeof(s->works[i].flow));
	assert_int_equal(s->n_calls, expected.n_calls);
	assert_memory_equal(s->calls, expected.calls, s->n_calls * sizeof(*s->calls));
	assert_memory_equal(s->threads, expected.threads, s->n_threads * sizeof(*s->threads));
	sample_free(&expected);
	history_free(&h);
}

#define LONG_TEXT 1000

/* 1,000 processes with long command lines: all the same, or all different. */
static void fill_one_text(struct sample *s, uint32_t number)
{
	char text[LONG_TEXT];

	reading_begin(s, number);
	memset(text, 'a', sizeof(text));
	for (uint32_t i = 1; i <= 1000; i++) {
		if (number > 100)
			snprintf(text, sizeof(text), "%0*u", LONG_TEXT - 1, i);
		reading_process(s, i, i, "one")->cmdline = sample_add_text(s, text, sizeof(text) - 1);
		reading_busy(s, i, LT_SLEEP, MS_NS + number);
	}
}

static void texts_in_common_are_held_once(void **state)
{
	struct history one = { .max_bytes = 64 << 20 }, many = { .max_bytes = 64 << 20 };
	const struct sample *s;

	(void)state;
	for (uint32_t n = 1; n <= 5; n++) {
		add(&one, fill_one_text, n);
		add(&many, fill_one_text, 100 + n);
	}
	assert_in_range(many.bytes - one.bytes, 999 * LONG_TEXT, 1100 * LONG_TEXT);
	s = history_at(&many, 4);
	assert_non_null(s);
	for (uint32_t i = 1; i <= 1000; i++)
		assert_int_equal(atoi(sample_text(s, s->processes[i - 1].cmdline)), i);
	history_free(&one);
	history_free(&many);
}

#define MANY 10000

/* 10,000 processes, of which 1 % did something. */
static void fill_many(struct sample *s, uint32_t number)
{
	large_sample_fill(s, number, MANY, MANY / 100);
}

static void idle_rows_cost_nothing(void **state)
{
	struct history h = { .max_bytes = 256 << 20 };
	uint64_t first, later;
	uint32_t n;

	(void)state;
	for (n = 1; n <= 5; n++)
		add(&h, fill_many, n);
	first = h.bytes;
	for (; n <= 15; n++)
		add(&h, fill_many, n);
	later = h.bytes - first;
	print_message("%u processes: %llu kB, each reading %llu kB more\n", MANY, (unsigned long long)first / 1000,
		      (unsigned long long)later / 10 / 1000);
	assert_int_equal(h.n, 15);
	assert_in_range(later / 10, 1000, MANY / 50 * 1000); /* 1 % did something, 1 % came or went */
	history_free(&h);
}

static size_t allocated_bytes(void)
{
#ifdef __SANITIZE_ADDRESS__
	return __sanitizer_get_current_allocated_bytes();
#else
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#endif
}

/* Long after the bound was reached: the bytes it reports are what malloc gave, and no more than allowed. */
static void memory_stays_within_its_bound(void **state)
{
	struct history h = { .max_bytes = 24 << 20 };
	size_t before = allocated_bytes(), held;
	uint32_t kept = 0;

	(void)state;
	for (uint32_t n = 1; n <= 300; n++) {
		add(&h, fill_many, n);
		held = allocated_bytes() - before;
		assert_true(h.bytes <= h.max_bytes);
		if (n % 50 == 0) {
			if (held > h.bytes + h.bytes / 8 || held < h.bytes / 2)
				fail_msg("it reports %llu bytes, malloc %zu", (unsigned long long)h.bytes, held);
			kept = h.n;
		}
	}
	assert_in_range(kept, 60, 299);
	assert_int_equal(history_at(&h, h.n - 1)->number, 300 - h.n + 1);
	h.max_bytes = 1;
	add(&h, fill_many, 301);
	assert_int_equal(h.n, HISTORY_MIN);
	assert_int_equal(history_at(&h, HISTORY_MIN - 1)->number, 301 - HISTORY_MIN + 1);
	history_free(&h);
	assert_null(h.store);
}

/* Without reassembling a reading: when it was taken, and in which one a process was last. */
static void times_and_last_readings_are_known(void **state)
{
	struct history h = { .max_bytes = 64 << 20 };
	uint64_t start_ns = 0;
	struct sample *s;

	(void)state;
	for (uint32_t n = 1; n <= 8; n++)
		add(&h, fill_fixture, n);
	for (uint32_t back = 0; back < 8; back++)
		assert_int_equal(history_time(&h, back), history_at(&h, back)->t_ns);
	assert_int_equal(history_time(&h, 8), 0);
	s = history_at(&h, 7);
	for (uint32_t i = 0; i < s->n_processes; i++)
		if (s->processes[i].pid == FIXTURE_EXITED)
			start_ns = s->processes[i].start_ns;
	/* It exits in the third reading, five before the eighth. */
	assert_int_equal(history_last(&h, 0, FIXTURE_EXITED, start_ns), 8 - FIXTURE_EXIT_READING);
	assert_int_equal(history_last(&h, 2, FIXTURE_EXITED, start_ns), 8 - FIXTURE_EXIT_READING);
	assert_int_equal(history_last(&h, 6, FIXTURE_EXITED, start_ns), 6);
	assert_int_equal(history_last(&h, 0, FIXTURE_EXITED, start_ns + 1), UINT32_MAX);
	h.max_bytes = 1;
	add(&h, fill_fixture, 9);
	assert_int_equal(history_last(&h, 0, FIXTURE_EXITED, start_ns), UINT32_MAX);
	history_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_all_sizes_come_back), cmocka_unit_test(texts_in_common_are_held_once),
		cmocka_unit_test(every_reading_comes_back),	  cmocka_unit_test(what_was_asked_for_stays),
		cmocka_unit_test(idle_rows_cost_nothing),	  cmocka_unit_test(times_and_last_readings_are_known),
		cmocka_unit_test(memory_stays_within_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

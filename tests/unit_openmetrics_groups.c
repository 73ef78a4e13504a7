/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --openmetrics adds up: groups keep their place, buckets end where ours do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "column.h"
#include "openmetrics_groups.h"
#include "reading.h"

static struct openmetrics_groups *groups;

/* n commands from `first` on, the last one lags most. */
static void commands(struct sample *s, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		struct sample_work *w;
		char name[16];

		snprintf(name, sizeof(name), "command %u", i);
		reading_process(s, 10 + i, 5, name);
		w = reading_busy(s, 10 + i, LT_WAKEQ, SECOND_NS - (i + 1) * MS_NS);
		w->calls = 2;
		reading_dist(s, &w->wakeup, 1000 + i, 1);
	}
}

static void add(const struct sample *s, enum model_kind kind)
{
	const struct column *lag = column_find("lag");
	const struct selection_order worst = { .sort = lag, .then = lag };
	struct selection all = { 0 };
	struct row **rows;
	int n;

	reading_update(s);
	n = selection_rows(&all, kind, &worst, reading_model, &rows);
	assert_true(n > 0);
	assert_int_equal(openmetrics_groups_add(groups, &all, kind, rows, (size_t)n, reading_model), 0);
	free(rows);
}

static const struct openmetrics_place *place(const char *label)
{
	for (int i = 0; i < OPENMETRICS_GROUPS; i++)
		if (groups->place[i].key && !strcmp(groups->place[i].label, label))
			return &groups->place[i];
	return NULL;
}

static const struct openmetrics_place *others(void)
{
	return &groups->place[OPENMETRICS_GROUPS];
}

static void places_are_kept(void **state)
{
	struct sample *s = reading_next(1);
	const struct openmetrics_place *first;

	(void)state;
	commands(s, 0, 150);
	add(s, MODEL_COMMAND);
	first = place("command 149");
	assert_non_null(first);
	assert_non_null(place("command 50"));
	assert_null(place("command 49"));
	assert_int_equal(first->counter[COUNTER_calls], 2);
	assert_int_equal(first->counter[LT_WAKEQ], 150 * MS_NS);
	assert_int_equal(others()->counter[COUNTER_calls], 100);
	assert_int_equal(others()->hist[0].all, 50);
	/* New ones that lag more, and one that is gone. */
	s = reading_next(2);
	commands(s, 100, 49);
	commands(s, 400, 20);
	add(s, MODEL_COMMAND);
	assert_ptr_equal(place("command 149"), first);
	assert_null(first->row);
	assert_int_equal(first->counter[COUNTER_calls], 2);
	assert_int_equal(place("command 100")->counter[COUNTER_calls], 4);
	assert_non_null(place("command 100")->row);
	assert_null(place("command 419"));
	assert_int_equal(others()->counter[COUNTER_calls], 140);
	/* After an hour others have the places. */
	s = reading_next(3590);
	commands(s, 100, 1);
	add(s, MODEL_COMMAND);
	s = reading_next(3602);
	commands(s, 100, 1);
	commands(s, 400, 20);
	add(s, MODEL_COMMAND);
	assert_null(place("command 149"));
	assert_int_equal(place("command 100")->counter[COUNTER_calls], 8);
	assert_int_equal(place("command 419")->counter[COUNTER_calls], 2);
	assert_int_equal(others()->counter[COUNTER_calls], 140);
	/* Those that nobody has are not printed. */
	for (int i = 0; i < OPENMETRICS_GROUPS; i++)
		if (!groups->place[i].key)
			assert_int_equal(groups->place[i].hist[0].all, 0);
}

static void the_name_of_the_others_is_theirs(void **state)
{
	struct sample *s = reading_next(1);

	(void)state;
	reading_process(s, 10, 5, "other");
	reading_thread(s, 10, LT_SLEEP);
	add(s, MODEL_COMMAND);
	assert_null(place("other"));
	assert_non_null(place("other#2"));
	assert_int_equal(others()->known.bits[0], 0);
}

/* The n-th bucket that ends at 2^(10 + n) ns. */
static void buckets_end_at_powers_of_two(void **state)
{
	static const struct {
		uint64_t ns;
		uint32_t n, bucket; /* the first bucket that has them */
	} durations[] = {
		{ 5, 1, 0 },	    { 1023, 2, 0 },	     { 1024, 4, 1 },
		{ 1000000, 8, 10 }, { 16ULL << 30, 16, 25 }, { (16ULL << 30) - 1, 32, 24 },
	};
	struct sample *s = reading_next(1);
	const struct openmetrics_hist *h;
	uint64_t expected = 0;
	struct sample_work *w;
	double sum_ns = 0;

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		reading_process(s, 10 + i, 5, "one");
		w = reading_busy(s, 10 + i, LT_SLEEP, 0);
		reading_dist(s, &w->response, durations[i].ns, durations[i].n);
		sum_ns += (double)durations[i].ns * durations[i].n;
	}
	add(s, MODEL_USER);
	h = &groups->host[2];
	for (uint32_t e = 0; e < OPENMETRICS_EDGES; e++) {
		for (uint32_t i = 0; i < 6; i++)
			expected += durations[i].bucket == e ? durations[i].n : 0;
		assert_int_equal(h->count[e], expected);
	}
	assert_int_equal(OPENMETRICS_EDGES, 25);
	assert_int_equal(h->all, 63);
	assert_true(fabs(h->sum_ns / sum_ns - 1) < 0.125);
	assert_memory_equal(h, &groups->place[0].hist[2], sizeof(*h));
	assert_int_equal(groups->host[0].all, 0);
}

static int begin(void **state)
{
	groups = calloc(1, sizeof(*groups));
	return groups ? reading_setup(state) : -1;
}

static int end(void **state)
{
	openmetrics_groups_free(groups);
	free(groups);
	return reading_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(places_are_kept, begin, end),
		cmocka_unit_test_setup_teardown(the_name_of_the_others_is_theirs, begin, end),
		cmocka_unit_test_setup_teardown(buckets_end_at_powers_of_two, begin, end),
	};

	return cmocka_run_group_tests_name("openmetrics_groups", tests, NULL, NULL);
}

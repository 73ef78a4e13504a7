/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is in focus: in at once, out after a while; who gives way; when a slot is used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focus.h"

#define SECOND 1000000000ULL
#define MS 1000000ULL

static struct focus focus;
static struct focus_process all[100];
static uint32_t n_all;

static int setup(void **state)
{
	(void)state;
	memset(&focus, 0, sizeof(focus));
	n_all = 0;
	return 0;
}

/* In order of pid. */
static struct focus_process *add(uint32_t pid, uint64_t lag_ms)
{
	all[n_all] = (struct focus_process){ .pid = pid, .start_ns = pid * 10, .lag_ns = lag_ms * MS };
	return &all[n_all++];
}

static void choose(uint32_t waiting)
{
	static uint64_t now_ns;
	struct focus_process copy[100];

	memcpy(copy, all, sizeof(copy));
	focus_choose(&focus, copy, n_all, SECOND, now_ns += SECOND, waiting);
}

static bool in(uint32_t pid)
{
	return focus_slot(&focus, pid, pid * 10) >= 0;
}

static void at_once_if_it_lags(void **state)
{
	(void)state;
	add(1, 0);
	add(2, 1);
	add(3, 400);
	add(4, 0)->asked = true;
	all[1].lag_ns--;
	choose(0);
	assert_false(in(1));
	assert_false(in(2));
	assert_true(in(3));
	assert_true(in(4));
	all[1].lag_ns++;
	choose(0);
	assert_true(in(2));
	/* The same pid, but another process. */
	assert_int_equal(focus_slot(&focus, 3, 31), -1);
}

static void out_when_it_is_quiet(void **state)
{
	uint64_t since_ns;

	(void)state;
	add(3, 400);
	choose(0);
	since_ns = focus.place[focus_slot(&focus, 3, 30)].since_ns;
	all[0].lag_ns = 0;
	for (int i = 0; i < FOCUS_QUIET - 1; i++) {
		choose(0);
		assert_true(in(3));
	}
	all[0].lag_ns = 400 * MS; /* again: it stays, and counts from the beginning */
	choose(0);
	all[0].lag_ns = 0;
	for (int i = 0; i < FOCUS_QUIET - 1; i++) {
		choose(0);
		assert_true(in(3));
	}
	assert_int_equal(focus.place[focus_slot(&focus, 3, 30)].since_ns, since_ns);
	choose(0);
	assert_false(in(3));
}

static void the_least_gives_way(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < LT_FOCUS_SLOTS; i++)
		add(10 + i, 100 + i);
	choose(0);
	for (uint32_t i = 0; i < LT_FOCUS_SLOTS; i++)
		assert_true(in(10 + i));
	/* Not for one that lags hardly more: rows would come and go. */
	add(50, 199);
	choose(0);
	choose(0);
	assert_true(in(10));
	assert_false(in(50));
	all[LT_FOCUS_SLOTS].lag_ns = 300 * MS;
	choose(0);
	assert_false(in(10));
	assert_true(in(11));
	assert_false(in(50));
	choose(0);
	assert_true(in(50));
	/* A process that the user asks for always comes in, and is never replaced by one that lags. */
	add(60, 0)->asked = true;
	choose(0);
	choose(0);
	assert_true(in(60));
	all[1].lag_ns = 900 * MS;
	choose(0);
	choose(0);
	assert_true(in(60));
}

/* Its threads still wait under the slot's number. */
static void a_slot_drains(void **state)
{
	int slot;

	(void)state;
	add(3, 400);
	choose(0);
	slot = focus_slot(&focus, 3, 30);
	n_all = 0; /* it has exited */
	add(4, 400);
	for (uint32_t i = 1; i < LT_FOCUS_SLOTS; i++)
		add(10 + i, 500);
	choose(1U << slot);
	assert_false(in(3));
	for (int i = 0; i < 3; i++) {
		choose(1U << slot);
		assert_int_equal(focus.place[slot].state, FOCUS_DRAINS);
		assert_false(in(4));
	}
	choose(0);
	assert_int_equal(focus_slot(&focus, 4, 40), slot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(at_once_if_it_lags, setup),
		cmocka_unit_test_setup(out_when_it_is_quiet, setup),
		cmocka_unit_test_setup(the_least_gives_way, setup),
		cmocka_unit_test_setup(a_slot_drains, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

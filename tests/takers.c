/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See takers.h. */
#include "takers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct taker {
	const struct takers *t;
	pthread_barrier_t *barrier; /* at both ends of a pause between rounds */
	pthread_t thread;
	uint32_t *at, n;
};

uint32_t takers_pop(const struct takers_list *l)
{
	uint64_t *head = (uint64_t *)&l->stack->head, old = __atomic_load_n(head, __ATOMIC_ACQUIRE), want;

	do {
		if (!(uint32_t)old)
			return 0;
		want = ((old >> 32) + 1) << 32 | __atomic_load_n(l->next((uint32_t)old), __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(head, &old, want, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE));
	__atomic_add_fetch((uint64_t *)&l->stack->taken, 1, __ATOMIC_SEQ_CST);
	return (uint32_t)old;
}

static void *take(void *arg)
{
	struct taker *me = arg;

	for (int round = 0; round < me->t->rounds; round++) {
		me->n = 0;
		for (uint32_t i = 0; i < me->t->each; i++) {
			uint32_t at = takers_pop(&me->t->list);

			/* So that they take for as long as the list is being sorted. */
			for (volatile int pause = 0; pause < 100; pause++)
				;
			if (!at)
				continue;
			me->at[me->n++] = at;
			if (me->t->took)
				me->t->took(at);
		}
		pthread_barrier_wait(me->barrier);
		pthread_barrier_wait(me->barrier);
	}
	return NULL;
}

void takers_run(const struct takers *t)
{
	uint32_t *all = calloc(TAKERS * t->each, sizeof(*all)), n;
	struct taker taker[TAKERS];
	pthread_barrier_t barrier;

	pthread_barrier_init(&barrier, NULL, TAKERS + 1);
	for (int i = 0; i < TAKERS; i++) {
		taker[i] = (struct taker){ .t = t, .barrier = &barrier, .at = calloc(t->each, sizeof(*all)) };
		assert_true(all && taker[i].at);
		assert_int_equal(pthread_create(&taker[i].thread, NULL, take, &taker[i]), 0);
	}
	for (int round = 0; round < t->rounds; round++) {
		t->meanwhile(round);
		pthread_barrier_wait(&barrier);
		n = 0;
		for (int i = 0; i < TAKERS; i++)
			for (uint32_t j = 0; j < taker[i].n; j++)
				all[n++] = taker[i].at[j];
		t->taken(all, n);
		pthread_barrier_wait(&barrier);
	}
	for (int i = 0; i < TAKERS; i++) {
		pthread_join(taker[i].thread, NULL);
		free(taker[i].at);
	}
	pthread_barrier_destroy(&barrier);
	free(all);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front end's side of a free list from which the BPF programs take. */
#ifndef STACK_H
#define STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "lagtop.h"

static inline uint64_t stack_load(const void *p)
{
	return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
}

/* How many are on it. */
static inline uint64_t stack_left(const struct lt_stack *stack)
{
	return stack->given - stack_load(&stack->taken);
}

/* Puts a chain first → … → last (already linked) on it. */
static inline void stack_push(struct lt_stack *stack, uint32_t first, __u32 *last_next, uint32_t n)
{
	uint64_t old = stack_load(&stack->head), want;

	do {
		*last_next = (uint32_t)old;
		want = ((old >> 32) + 1) << 32 | (first + 1);
	} while (!__atomic_compare_exchange_n((uint64_t *)&stack->head, &old, want, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_ACQUIRE));
	__atomic_store_n((uint64_t *)&stack->given, stack->given + n, __ATOMIC_RELEASE);
}

/* Replaces the list by a chain of n, ending with 0. Returns the first of the old list, index + 1; 0: it was empty. The
 * caller corrects `given` by the number of old ones. */
static inline uint32_t stack_exchange(struct lt_stack *stack, uint32_t first, uint32_t n)
{
	uint64_t old = stack_load(&stack->head), want;

	do {
		want = ((old >> 32) + 1) << 32 | (first + 1);
	} while (!__atomic_compare_exchange_n((uint64_t *)&stack->head, &old, want, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_ACQUIRE));
	__atomic_store_n((uint64_t *)&stack->given, stack->given + n, __ATOMIC_RELEASE);
	return (uint32_t)old;
}

/* The BPF programs wake the front end when half of those that are free now are taken. */
static inline void stack_set_low(struct lt_stack *stack)
{
	__atomic_store_n((uint64_t *)&stack->low, stack_left(stack) / 2, __ATOMIC_RELEASE);
}

#endif

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

/* Makes `next` (index + 1) the first of the list, if *old is still its head; else *old becomes the present one. */
static inline bool stack_replace_head(struct lt_stack *stack, uint64_t *old, uint32_t next)
{
	uint64_t tag = (*old >> 32) + 1;

	return __atomic_compare_exchange_n((uint64_t *)&stack->head, old, tag << 32 | next, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_ACQUIRE);
}

static inline void stack_give(struct lt_stack *stack, int64_t n)
{
	__atomic_store_n((uint64_t *)&stack->given, stack->given + (uint64_t)n, __ATOMIC_RELEASE);
}

/* Puts a chain first → … → last (already linked) on it. */
static inline void stack_push(struct lt_stack *stack, uint32_t first, __u32 *last_next, uint32_t n)
{
	uint64_t old = stack_load(&stack->head);

	do {
		*last_next = (uint32_t)old;
	} while (!stack_replace_head(stack, &old, first + 1));
	stack_give(stack, n);
}

/* Replaces the list by a chain of n, ending with 0. Returns the first of the old list, index + 1; 0: it was empty. The
 * caller corrects `given` by the number of old ones. */
static inline uint32_t stack_exchange(struct lt_stack *stack, uint32_t first, uint32_t n)
{
	uint64_t old = stack_load(&stack->head);

	while (!stack_replace_head(stack, &old, first + 1))
		;
	stack_give(stack, n);
	return (uint32_t)old;
}

/* The BPF programs wake the front end when half of those that are free now are taken. */
static inline void stack_set_low(struct lt_stack *stack)
{
	__atomic_store_n((uint64_t *)&stack->low, stack_left(stack) / 2, __ATOMIC_RELEASE);
}

#endif

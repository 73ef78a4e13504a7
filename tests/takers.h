/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF programs' side of a free list, and threads that take from it as they do on several CPUs. */
#ifndef TAKERS_H
#define TAKERS_H

#include <stdint.h>

#include "lagtop.h"

#define TAKERS 3

/* A free list. next: the link of the element with that index + 1; it may change at any time. */
struct takers_list {
	struct lt_stack *stack;
	__u32 *(*next)(uint32_t at);
};

/* As lt_pop_slot and lt_entry_take do. Returns index + 1; 0: the list is empty. */
uint32_t takers_pop(const struct takers_list *l);

/* One of many rounds: each thread takes up to `each` elements, and calls took (may be NULL) for each. */
struct takers {
	struct takers_list list;
	int rounds;
	uint32_t each;
	void (*took)(uint32_t at);
	/* While the threads take. */
	void (*meanwhile)(int round);
	/* While they wait, with all n that they have: these are the test's to return. */
	void (*taken)(const uint32_t *at, uint32_t n);
};
void takers_run(const struct takers *t);

#endif

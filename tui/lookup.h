/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lookups that may block for ever: a file of /proc that waits for its process's memory lock, a name service that does
 * not answer. They go through a queue to helper threads, never to a thread that reads, draws or drains; answers are
 * collected later. A request that blocks keeps its helper busy, and another helper takes over, up to a bound.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lookup;

/* One request and its answer. */
struct lookup_request {
	uint32_t kind, number; /* what, of which process or user */
	uint64_t start_ns;     /* start of that process */
	uint64_t tag;	       /* for the caller */
	int err;	       /* the answer: 0 or -errno */
	size_t n;
	char *text; /* n bytes, and a NUL; NULL: none */
	struct lookup_request *next;
	struct lookup *of;
};

/* work answers a request in a helper thread. NULL: out of memory. */
struct lookup *lookup_new(void (*work)(struct lookup_request *));
/* Does not wait for a blocked helper. NULL is legal. */
void lookup_close(struct lookup *l);

/* Queues a request: kind, number, start_ns and tag of `ask`. 0, -EAGAIN (too many are waiting) or -ENOMEM. */
int lookup_ask(struct lookup *l, const struct lookup_request *ask);
/* The next answer, for lookup_done; NULL: none yet. */
struct lookup_request *lookup_take(struct lookup *l);
/* The same, but waits for it until deadline_ns of CLOCK_MONOTONIC. */
struct lookup_request *lookup_wait(struct lookup *l, uint64_t deadline_ns);
void lookup_done(struct lookup_request *r);

/* For `work`: copies the answer. */
void lookup_answer(struct lookup_request *r, const char *text, size_t n);

/* For `work`: whether another helper is blocked, so that it should take more care not to block. */
bool lookup_late(struct lookup_request *r);

/* Whether any helper of any queue is working: then exit(3) is not safe, since it may need a lock that the helper has.
 */
bool lookup_busy(void);

#endif

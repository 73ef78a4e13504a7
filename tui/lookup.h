/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions that may take for ever: a file of /proc that waits for its process's memory lock, a name service that does
 * not answer. They go through a queue to helper threads, never to who reads, draws or drains; answers are
 * taken when it suits. A request that is late costs its thread, and the next one is another's, up to a bound.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lookup;

/* One question, and its answer. */
struct lookup_request {
	uint32_t kind, number; /* what, of which process or user */
	uint64_t start_ns;     /* whose process: its start */
	uint64_t tag;	       /* the asker's own */
	int err;	       /* the answer: 0 or -errno */
	size_t n;
	char *text; /* n bytes, and a NUL; NULL: none */
	struct lookup_request *next;
	struct lookup *of;
};

/* work answers a request in a helper thread. NULL: out of memory. */
struct lookup *lookup_new(void (*work)(struct lookup_request *));
/* Does not wait for a helper that is stuck. NULL is legal. */
void lookup_close(struct lookup *l);

/* Puts a question: kind, number, start_ns and tag of `ask`. 0, or -EAGAIN: too many wait, -ENOMEM. */
int lookup_ask(struct lookup *l, const struct lookup_request *ask);
/* The next answer, for lookup_done; NULL: none yet. */
struct lookup_request *lookup_take(struct lookup *l);
void lookup_done(struct lookup_request *r);

/* For `work`: copies the answer. */
void lookup_answer(struct lookup_request *r, const char *text, size_t n);

/* For `work`: whether another helper is stuck, so that it is worth some effort not to be the next. */
bool lookup_late(struct lookup_request *r);

/* Whether any helper of any queue is at work: then exit(3), which may want a lock of its, is not safe. */
bool lookup_busy(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What could not be counted: in a reading and since the start, and which numbers that touches. */
#ifndef LOSSES_H
#define LOSSES_H

#include "model.h"

/* name (of struct sample_lost and JSON), what it is, which numbers that touches. */
#define LOSSES(X)                                                                                                      \
	X(threads, "threads without a record", "they are in no row, nor are their calls and bytes")                    \
	X(calls, "system calls that found no room",                                                                    \
	  "CALLS/s, ERR/s, TIME% of the processes that made them are too low")                                         \
	X(sockets, "sockets that found no room", "their connections, SRTT, RETR/s and answers are missing")            \
	X(exits, "processes that exited unread", "short-lived processes: their last interval is missing")              \
	X(switches, "context switches that were missed",                                                               \
	  "times in states of the threads that switched, since then repaired")                                         \
	X(torn, "threads whose record kept changing", "their numbers come with the next reading")                      \
	X(events, "events that found no room",                                                                         \
	  "connects, retransmits and answers of processes with sockets are too few")                                   \
	X(requests, "requests of unknown latency", "P50 to MAX of block devices leave them out")                       \
	X(groups, "requests of an unknown control group", "a device's requests by control group leave them out")

enum loss {
#define X(NAME, ...) LOSS_##NAME,
	LOSSES(X)
#undef X
		LOSS_KINDS
};

struct losses {
	uint64_t sum[LOSS_KINDS];      /* since the first reading */
	uint64_t since_ns[LOSS_KINDS]; /* realtime of the first reading with some */
};

extern const struct loss_text {
	const char *name, *what, *touches;
} loss_texts[LOSS_KINDS];

/* SAMPLE_UNKNOWN: an old recording. */
uint64_t losses_of(const struct sample *s, enum loss loss);
void losses_add(struct losses *l, const struct sample *s);
/* Those of a reading that can change the three digits of a number of rows of this kind, added up. */
uint64_t losses_that_show(const struct sample *s, const struct model_host *h, enum model_kind kind);

#endif

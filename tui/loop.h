/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop: timed readings, the recording, signals, and the end. A sink handles the readings: the screen (screen.c) or
 * stdout (run.c), whose structs begin with a struct loop.
 */
#ifndef LOOP_H
#define LOOP_H

#include <poll.h>

#include "folder.h"
#include "options.h"

#define LOOP_ON -1 /* status: keep running */
#define LOOP_FDS 4
#define LOOP_AT_ONCE 64 /* readings of a stream before signals and keys are looked at */

struct loop;

struct loop_sink {
	/* For a user: even a recording is replayed in real time, and its end does not end the loop. */
	bool interactive;
	uint64_t first_ns; /* time until the first reading, if shorter than the delay; 0: the delay */
	/* The memory for a reading; NULL: out of memory. */
	struct sample *(*take)(struct loop *l);
	/* It was read, and is recorded next: marks may be added. */
	void (*reading)(struct loop *l, struct sample *s);
	/* It was recorded; NULL: nothing more to do. */
	void (*recorded)(struct loop *l, struct sample *s);
	/* The source has no more; err: -errno if reading failed, or 0. */
	void (*end)(struct loop *l, int err);
	/* A signal that the loop does not handle; false: it ends the loop. NULL: all of them do. */
	bool (*signal)(struct loop *l, int number);
	/* Before poll: fills in the sink's descriptors, at most LOOP_FDS. Returns their number. */
	nfds_t (*prepare)(struct loop *l, struct pollfd *fds);
	/* After poll. */
	void (*ready)(struct loop *l, const struct pollfd *fds);
};

struct loop {
	const struct loop_sink *sink;
	const struct options *options;
	struct source *source;
	struct recorder *record; /* NULL: none */
	double delay_s;
	bool manual;	   /* no clock: the sink asks for readings */
	uint64_t readings; /* so far */
	int status;	   /* the exit status, or LOOP_ON */
	char *why;	   /* of status 1: one sentence */
	size_t why_size;
	bool ended; /* the source has no more */

	/* Private to the loop. */
	int timer_fd, signal_fd;
	bool waits;    /* a recording that is still being written was read to its end */
	bool arrived;  /* there may be more of a stream */
	bool saw_pids; /* one of -p's processes was seen */
};

/* Runs until something sets the status. signals_block was called before the source was opened. */
void loop_run(struct loop *l);
/* Takes a reading now. */
void loop_read(struct loop *l);
/* Waits for the sink's descriptors, a signal or, if `timer`, the time of the next reading. True: it is time. */
bool loop_wait(struct loop *l, struct pollfd *fds, nfds_t n, bool timer);
/* Takes a reading every l->delay_s from now on. 0 or -errno. */
int loop_set_timer(struct loop *l);
/* Ends it with status 1. */
void __attribute__((format(printf, 2, 3))) loop_fail(struct loop *l, const char *format, ...);

uint64_t loop_clock_ns(void);

#endif

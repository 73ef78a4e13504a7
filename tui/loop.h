/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop: readings by the clock, the recording, signals, and when it ends. What becomes of a reading is its sink's:
 * the screen (screen.c) or stdout (run.c), which begin with a struct loop.
 */
#ifndef LOOP_H
#define LOOP_H

#include <poll.h>

#include "options.h"
#include "record.h"

#define LOOP_ON -1 /* status: it goes on */
#define LOOP_FDS 4

struct loop;

struct loop_sink {
	/* Somebody looks: a recording, too, is read by the clock, and its end does not end the loop. */
	bool interactive;
	uint64_t first_ns; /* until the first reading, if that is sooner than a delay; 0: it is not */
	/* Where a reading is put; NULL: no memory. */
	struct sample *(*take)(struct loop *l);
	/* It was read and recorded. */
	void (*reading)(struct loop *l, struct sample *s);
	/* The source has no more; err: what it was that could not be read, or 0. */
	void (*end)(struct loop *l, int err);
	/* A signal that is not the loop's; false: it ends it. NULL: they all do. */
	bool (*signal)(struct loop *l, int number);
	/* Before it waits: which files of the sink it waits for, LOOP_FDS at most. Their number. */
	nfds_t (*prepare)(struct loop *l, struct pollfd *fds);
	/* After it has waited. */
	void (*ready)(struct loop *l, const struct pollfd *fds);
};

struct loop {
	const struct loop_sink *sink;
	const struct options *options;
	struct source *source;
	struct record *record; /* NULL: none */
	double delay_s;
	bool manual;	   /* no clock: the sink asks for readings */
	uint64_t readings; /* so far */
	int status;	   /* the exit status, or LOOP_ON */
	char *why;	   /* of status 1: one sentence */
	size_t why_size;

	/* The loop's own. */
	int timer_fd, signal_fd;
	bool ended;    /* the source has no more */
	bool waits;    /* a recording that still grows was read to its end */
	bool saw_pids; /* one of -p's processes was there */
};

/* Runs until something sets the status. signals_block was called before the source was opened. */
void loop_run(struct loop *l);
/* Takes a reading now. */
void loop_read(struct loop *l);
/* Waits for the files of the sink, a signal or, if `timer`, the next reading's time. True: that has come. */
bool loop_wait(struct loop *l, struct pollfd *fds, nfds_t n, bool timer);
/* From now on a reading every l->delay_s. 0 or -errno. */
int loop_set_timer(struct loop *l);
/* Ends it with status 1. */
void __attribute__((format(printf, 2, 3))) loop_fail(struct loop *l, const char *format, ...);

uint64_t loop_clock_ns(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recordings for the screen tests: a small server with some forty processes over many readings, the
 * same every time. One process exits in FIXTURE_EXIT_READING, one has hostile names if asked for,
 * another is born in FIXTURE_BIRTH_READING if asked for.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "sample.h"

#define FIXTURE_EXIT_READING 3
#define FIXTURE_EXITED 30551
#define FIXTURE_BIRTH_READING 12
#define FIXTURE_AFTER_GAP 5
#define FIXTURE_YOUNG 31500
#define FIXTURE_WAITER 2890  /* in focus: it waits for a CPU, mostly behind two compilers */
#define FIXTURE_LAGGARD 2211 /* highest LAG% in every reading: a database */
#define FIXTURE_HOSTILE 30700
#define FIXTURE_REALTIME_NS 1795348980000000000ULL /* 2026-11-22T12:03:00Z */

#define FIXTURE_CHILDREN 12
#define FIXTURE_SLEEPERS 20
#define FIXTURE_SLEEPER 50000 /* the first one's pid */

enum fixture_kind {
	FIXTURE_PLAIN,
	FIXTURE_HOSTILE_NAMES, /* FIXTURE_HOSTILE's comm and command line attack the terminal */
	FIXTURE_NO_NET,	       /* the net family is off */
	FIXTURE_LOSSES,	       /* and what is not always known is not: sockets, pressure, times of the CPUs */
	FIXTURE_BIRTH,	       /* FIXTURE_YOUNG comes */
	FIXTURE_LOCAL,	       /* with listeners, and connections of which both ends are here */
	FIXTURE_CROWD,	       /* FIXTURE_CHILDREN compilers that exit in each reading */
	FIXTURE_GAP,	       /* before FIXTURE_AFTER_GAP nothing was recorded for 100 s */
	FIXTURE_MARKS,	       /* marks of the readings 10 and 20, and in 25 one by hand, of 22 */
	FIXTURE_IDLE,	       /* FIXTURE_SLEEPERS that do nothing */
	FIXTURE_KINDS
};

void fixture_fill(struct sample *s, uint32_t number, enum fixture_kind kind);
/* Writes `readings` readings into a recording. Ends the program if that fails. */
void fixture_write(const char *path, uint32_t readings, enum fixture_kind kind);

#endif

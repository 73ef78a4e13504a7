/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reading made by hand, with every field set to a value of its own: two processes that live, one that exited, a
 * kernel thread, hostile names, calls with errors, one call in flight, connections over IPv4 and IPv6.
 */
#ifndef SYNTHETIC_H
#define SYNTHETIC_H

#include "sample.h"

#define SYNTHETIC_SECOND_NS 1000000000ULL
#define SYNTHETIC_REALTIME_NS 1795331101123456789ULL /* 2026-11-22T07:05:01.123456789Z */
#define SYNTHETIC_SERVER 1000			     /* busy: runs, waits, calls, sends */
#define SYNTHETIC_EXITED 2000			     /* its child, ended by signal 9 */
#define SYNTHETIC_KTHREAD 2
#define SYNTHETIC_QUIET 3000 /* child of the server; did nothing */
#define SYNTHETIC_HOSTILE "\"a,b\"\n\x1b[31m\xff\xc3\xa9"

/* Fills a zeroed or used sample. number counts from 1. Ends the program when out of memory. */
void synthetic_fill(struct sample *s, uint32_t number);

#endif

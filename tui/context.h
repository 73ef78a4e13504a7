/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In which circumstances a process waits for a CPU, in words: the CPU it ran on last, those it may use, its nice value
 * and policy, its control group's weight, CPU quota and memory limit. Read by a helper thread.
 */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTEXT_TEXT 256

struct context;

struct context *context_new(void); /* NULL: out of memory */
void context_free(struct context *c);
/* What is known of a process by now, and asks anew; waits a few ms if it was not asked for before. Never NULL, "": not
 * known (yet). Valid until the next call. */
const char *context_look(struct context *c, uint32_t pid, uint64_t start_ns);

/* The text for a process by its folder in /proc, with control groups mounted at `groups`. Names are raw. */
void context_text(int dir, const char *groups, char buf[CONTEXT_TEXT]);

#endif

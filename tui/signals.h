/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signals that would end the program, and how they are handled: through a descriptor that a loop waits on or, for
 * faults of the thread itself, by a function that runs last. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* SIGINT, SIGTERM and SIGHUP; with a terminal to restore, all that end a program except faults, and those that stop it,
 * continue it or report a new size. One that the caller ignored (nohup, a shell's background job) stays ignored. */

/* Blocks them, so that a loop handles them in order. Call it before the source is opened: its threads inherit the mask.
 */
void signals_block(bool terminal);
/* A signalfd for them; -1 and errno. */
int signals_open(bool terminal);
/* Runs last_words once when a fault ends the program; it must be async-signal-safe. Afterwards the signal has its
 * default action. */
void signals_catch_faults(void (*last_words)(void));
void signals_release_faults(void);

#endif

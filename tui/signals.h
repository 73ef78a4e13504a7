/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which signals would end the program, and what takes them instead: a descriptor that a loop waits on, or, for those
 * that tell of a fault in the thread itself, a last function. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* SIGINT, SIGTERM and SIGHUP; with a terminal to give back all that end a program but faults, and those that stop it,
 * let it go on or tell of a new size. One that the caller ignored (nohup, a shell's background job) stays ignored. */
sigset_t signals_taken(bool terminal);
/* Blocks them, so that a loop takes them in order. Before the source is opened: its threads inherit it. */
void signals_block(bool terminal);
/* A signalfd for them; -1 and errno. */
int signals_open(bool terminal);
/* Has last_words run, once, when the program ends by a fault; it may do only what is async-signal-safe. The signal has
 * its default action afterwards. */
void signals_catch_faults(void (*last_words)(void));
void signals_release_faults(void);

#endif

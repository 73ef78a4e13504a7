/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Terminal types instead of one that this machine has no description of, as ssh brings them from newer emulators. Only
 * names: whether there is a description is for the caller to try.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* The i-th type whose sequences `term` understands as well, the likest first. False: there are no more. */
bool terminal_like(const char *term, int i, char *name, size_t size);

#endif

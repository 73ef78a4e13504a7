/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replacements for terminal types without a description on this machine, as in ssh sessions from newer emulators or in
 * a root without terminfo. Only names and texts: the caller checks whether a description exists.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* The i-th type whose sequences `term` should understand, the most similar first. False: no more. */
bool terminal_like(const char *term, int i, char *name, size_t size);

/* The description of a type that lagtop brings along, for the variable TERMINFO. NULL: none. */
const char *terminal_builtin(const char *type);

#endif

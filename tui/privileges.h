/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities: what is missing before loading, what is given up after attaching. */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

/* True if CAP_BPF or CAP_PERFMON is missing; why then holds one sentence that says what to do. */
bool privileges_missing(char *why, size_t size);

/* Keeps only CAP_BPF (growing needs it) and, unless readonly, CAP_KILL and CAP_SYS_NICE if held; sets no_new_privs.
 * 0 or -errno. */
int privileges_drop(bool readonly);

/* "none", "integrity", "confidentiality" or "unknown". */
const char *privileges_lockdown(char *buf, size_t size);

#endif

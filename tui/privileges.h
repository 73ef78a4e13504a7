/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities: which are missing before loading, which are dropped after attaching. */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

/* True if CAP_BPF or CAP_PERFMON is missing; why then holds one sentence that says what to do. */
bool privileges_missing(char *why, size_t size);

/* Keeps only CAP_BPF (growing needs it) and, unless readonly, CAP_KILL and CAP_SYS_NICE if held; if /proc hides other
 * users' processes (hidepid), also CAP_SYS_PTRACE if held. Sets no_new_privs. 0 or -errno. */
int privileges_drop(bool readonly);

/* The option of /proc's mount that hides other users' processes from us, as "hidepid=2"; false: none are hidden. */
bool privileges_hidden(char *option, size_t size);

/* "none", "integrity", "confidentiality" or "unknown". */
const char *privileges_lockdown(char *buf, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restricted environments to start lagtop in: other users, fewer privileges, kernels and containers that refuse.
 * Each is for child_start_in; one that cannot be made ends the child with status 126.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdarg.h>
#include <stddef.h>

#include "child.h"

#define NOBODY 65534

void sandbox_nobody(void);  /* that user, no capability */
void sandbox_ambient(void); /* that user with CAP_BPF and CAP_PERFMON, as AmbientCapabilities= of systemd gives them */
void sandbox_no_capability(void);  /* root without CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN, as in a container */
void sandbox_user_namespace(void); /* root of a user namespace of its own, as in a rootless container */
void sandbox_pid_namespace(void);  /* a pid namespace of its own, with its /proc */
/* Clocks that are ahead by this much. */
#define WORLD_MONOTONIC_S 500000
#define WORLD_BOOTTIME_S 1000000
void sandbox_time_namespace(void);
void sandbox_no_btf(void);
void sandbox_no_sys(void);     /* /sys is not mounted, as in a bare chroot */
void sandbox_no_memlock(void); /* RLIMIT_MEMLOCK 0 */
/* The system call fails with that errno, by seccomp; command: its first argument, -1: any. */
void sandbox_refuses(int call, int command, int error);
/* Any BPF program may be loaded, but this one not attached. */
void sandbox_refuses_to_attach(const char *program);

/* A memory control group with that limit, of version 1 or 2, until it is removed. False: none can be made here. */
bool sandbox_memory_group(const char *limit_bytes);
void sandbox_in_memory_group(void);
void sandbox_remove_memory_group(void); /* its processes have ended */

/* A copy of lagtop with the file capabilities cap_bpf,cap_perfmon+ep, gone with this process. NULL: no file system
 * here takes them. */
const char *sandbox_capable_lagtop(void);

/* Runs lagtop (program: instead of the usual one) to its end in a sandbox (NULL: none). */
struct outcome outcome_of(void (*sandbox)(void), const char *program, const char *option, ...)
	__attribute__((sentinel));
/* That status, nothing on stdout and one sentence on stderr that names `word`: no libbpf, no errno number. Frees. */
void outcome_refuses(struct outcome o, int status, const char *word);

#endif

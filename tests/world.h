/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Smaller worlds to start lagtop in: other users, less privileges, kernels and containers that refuse.
 * Each is for child_start_in; one that cannot be made ends the child with status 126.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdarg.h>
#include <stddef.h>

#include "child.h"

#define NOBODY 65534

void world_nobody(void);  /* that user, no capability */
void world_ambient(void); /* that user with CAP_BPF and CAP_PERFMON, as AmbientCapabilities= of systemd gives them */
void world_no_capability(void);	 /* root without CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN, as in a container */
void world_user_namespace(void); /* root of a user namespace of its own, as in a rootless container */
void world_pid_namespace(void);	 /* a pid namespace of its own, with its /proc */
/* Clocks that are ahead by these. */
#define WORLD_MONOTONIC_S 500000
#define WORLD_BOOTTIME_S 1000000
void world_time_namespace(void);
void world_no_btf(void);
void world_no_sys(void);     /* /sys is not mounted, as in a bare chroot */
void world_no_memlock(void); /* RLIMIT_MEMLOCK 0 */
/* The system call answers with that errno, by seccomp; command: its first argument, -1: any. */
void world_refuses(int call, int command, int error);

/* A copy of lagtop with the file capabilities cap_bpf,cap_perfmon+ep, gone with this process. NULL: no file system
 * here takes them. */
const char *world_capable_lagtop(void);

/* lagtop (program: another one than usual) run to its end in a world (NULL: ours). */
struct outcome outcome_of(void (*world)(void), const char *program, const char *option, ...) __attribute__((sentinel));
/* That status, nothing on stdout and one sentence on stderr that names `word`: no libbpf, no errno number. Frees. */
void outcome_refuses(struct outcome o, int status, const char *word);

#endif

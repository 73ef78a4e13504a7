/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read from /proc: names the kernel side does not record. Rarely, never for all at every reading. */
#ifndef PROC_H
#define PROC_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The folder of a process's files, for the functions below: of its first thread, or if that is gone of one that lives.
 * start_ns: whose process it must be; 0: whoever has the number. The caller closes it. -1: gone or hidden. */
int proc_open(uint32_t pid, uint64_t start_ns);

/* Whether a process began then, by the clocks that /proc shows us: 0, or -ESRCH: it is another or gone. */
int proc_began(uint32_t pid, uint64_t start_ns);
/* Its threads, by their numbers. The folder stays its own: of another with its number it shows nothing. NULL and errno.
 */
DIR *proc_tasks(uint32_t pid);
/* The process that a thread belongs to, itself if it leads one; 0: gone. */
uint32_t proc_process_of(uint32_t pid);

/* Whether this is a user namespace below the first. */
bool proc_in_user_namespace(void);

/* Each returns the length of what it allocated, NUL-ended, for the caller to free; 0: none (*text is NULL). They may
 * block for as long as the process likes: helper threads only (lookup.h). */
/* Command line with its NULs as spaces; one of more than PROC_CMDLINE bytes is cut and ends in "\u2026". Kernel threads
 * and zombies have none. */
size_t proc_cmdline(int dir, char **text);
#define PROC_CMDLINE (32 << 10)
/* Path in the unified hierarchy, or where that says only "/" the systemd or first named v1 hierarchy's. */
size_t proc_cgroup(int dir, char **text);
/* A kernel worker's with what it works for, which the task's 15 bytes have no room for. */
size_t proc_comm(int dir, char **text);
size_t proc_parent(int dir, char **text); /* its number, in digits */

/* The path of what a cgroup file says, within text, which is used up; NULL: none. */
const char *proc_cgroup_of(char *text);

/* The option of /proc's mount that hides other users' processes from us, "hidepid=2"; false: none does. */
bool proc_hides(char *option, size_t size);
/* The same of what mountinfo says, for who is in the group (NULL: for who is in none). */
bool proc_hides_of(const char *mountinfo, bool (*in_group)(uint32_t gid), char *option, size_t size);

/* Threads of the whole machine, from /proc/loadavg; 0: unknown. */
uint32_t proc_threads(void);
/* What this process's time namespace adds to the kernel's own clocks. 0 where there are none. */
struct proc_clocks {
	int64_t monotonic_ns, boottime_ns;
};
struct proc_clocks proc_clocks(void);
/* This process's resident set. */
uint64_t proc_rss_bytes(void);
/* What the kernel says that one of our BPF maps takes. */
uint64_t proc_map_bytes(int fd);

#endif

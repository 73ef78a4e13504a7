/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read from /proc: names that the BPF programs do not record. Rarely, never for all processes per reading. */
#ifndef PROC_H
#define PROC_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample.h"

/* Opens a process's directory for the functions below: that of its leader, or of another thread if the leader has
 * exited. start_ns: the process must have this start; 0: any. The caller closes it. -1: gone or hidden. */
int proc_open(uint32_t pid, uint64_t start_ns);

/* Whether the process with that pid started then, by the clocks of our /proc: 0, or -ESRCH: another process, or
 * gone. */
int proc_began(uint32_t pid, uint64_t start_ns);
/* Opens the directory of its threads, which stays empty if another process gets the same pid. NULL and errno. */
DIR *proc_tasks(uint32_t pid);
/* The process that a thread belongs to, itself if it leads one; 0: gone. */
uint32_t proc_process_of(uint32_t pid);

/* Whether we are in a user namespace other than the initial one. */
bool proc_in_user_namespace(void);

/* Each allocates a NUL-terminated text for the caller to free and returns its length; 0: none (*text is NULL). They may
 * block for as long as the process wants: for helper threads only (lookup.h). */
/* Command line with its NULs as spaces; one of more than PROC_CMDLINE bytes is cut and ends in "\u2026". Kernel threads
 * and zombies have none. */
/* Reads a small file of a folder, or by its whole path (dir -1), as a text. Its length; 0: it could not be read. */
size_t proc_read(int dir, const char *name, char *buf, size_t size);
size_t proc_cmdline(int dir, char **text);
#define PROC_CMDLINE (32 << 10)
/* Path in the unified hierarchy; if that is "/", the one in systemd's or the first named v1 hierarchy. */
size_t proc_cgroup(int dir, char **text);
/* The full name of a kernel worker, which does not fit into the task's 15 bytes. */
size_t proc_comm(int dir, char **text);
size_t proc_parent(int dir, char **text); /* its number, in digits */

/* The path in the contents of a cgroup file, a pointer into text, which is modified; NULL: none. */
const char *proc_cgroup_of(char *text);

/* The option of /proc's mount that hides other users' processes from us, "hidepid=2"; false: none does. */
bool proc_hides(char *option, size_t size);
/* The same from the text of mountinfo; in_group: whether we are in a group (NULL: in none). */
bool proc_hides_of(const char *mountinfo, bool (*in_group)(uint32_t gid), char *option, size_t size);

/* What is counted for the whole machine since it booted. In a container a FUSE server may answer instead of the kernel:
 * for helper threads only. The length of what was allocated; 0: there is no such file. */
enum proc_machine {
	PROC_STAT,
	PROC_STACK,
	PROC_DISKSTATS,
	PROC_PRESSURE,
	PROC_MACHINE = PROC_PRESSURE + SAMPLE_RESOURCES
};
size_t proc_machine(enum proc_machine file, char **text);

/* The line of /proc/stat at *line: of a CPU, or of all (PROC_CPU_ALL). *line becomes the next one. False: no more. */
#define PROC_CPU_ALL UINT32_MAX
bool proc_cpu_of(const char **line, uint32_t *cpu, struct sample_cpu_times *times);
/* Parses the contents of a file of /proc/pressure. */
struct sample_pressure proc_pressure_of(const char *text);

/* A counter of the network stack, from the contents of PROC_STACK: in a group ("TcpExt:"), or on a line of its own
 * (NULL). False: there is none. */
bool proc_stack_counter(const char *text, const char *group, const char *name, uint64_t *n);

/* Threads of the whole machine, from /proc/loadavg; 0: unknown. */
uint32_t proc_threads(void);
/* This process's time namespace's offsets from the kernel's clocks. 0 if there are no time namespaces. */
struct proc_clocks {
	int64_t monotonic_ns, boottime_ns;
};
struct proc_clocks proc_clocks(void);
/* The ports that connecting sockets get; left as they are if that is not known. */
void proc_ephemeral_ports(uint16_t *first, uint16_t *last);
/* This process's resident set. */
uint64_t proc_rss_bytes(void);
/* The memory of one of our BPF maps, as reported by the kernel. */
uint64_t proc_map_bytes(int fd);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read from /proc: names the kernel side does not record. Rarely, never for all at every reading. */
#ifndef PROC_H
#define PROC_H

#include <stddef.h>
#include <stdint.h>

/* Command line with its NULs as spaces, unterminated; 0: none (kernel thread, zombie, gone). */
size_t proc_cmdline(uint32_t pid, char *buf, size_t size);
/* Path in the unified hierarchy, or where that says only "/" the systemd or first named v1 hierarchy's. */
size_t proc_cgroup(uint32_t pid, char *buf, size_t size);
/* The same of what the file says; text is used up. */
size_t proc_cgroup_of(char *text, char *buf, size_t size);
/* 0: gone. */
uint32_t proc_ppid(uint32_t pid);
/* Threads of the whole machine, from /proc/loadavg; 0: unknown. */
uint32_t proc_threads(void);
/* This process's resident set. */
uint64_t proc_rss_bytes(void);
/* What the kernel says that one of our BPF maps takes. */
uint64_t proc_map_bytes(int fd);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of CPUs in the kernel's format: "0-3,8-11". */
#ifndef CPULIST_H
#define CPULIST_H

#include <stdint.h>

/* The highest number; 0 for an empty list. */
uint32_t cpulist_last(const char *list);
/* How many CPUs of the list come before this one; -EINVAL: it is not in the list. */
int cpulist_place(const char *list, uint32_t cpu);

#endif

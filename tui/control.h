/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends signals and sets priorities, never to the wrong process: pid and start time are checked again right
 * before. Errors are -errno; -ESRCH also if the pid now belongs to another process. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdint.h>

#define CONTROL_NICE_MIN -20
#define CONTROL_NICE_MAX 19

struct control_signal {
	int number;
	const char *name, *help;
};
extern const struct control_signal control_signals[];
extern const int control_signals_count;

int control_signal(uint32_t pid, uint64_t start_ns, int signal);
/* The nice value of its leader. */
int control_nice(uint32_t pid, uint64_t start_ns, int *nice);
/* Sets the nice value of all its threads. */
int control_renice(uint32_t pid, uint64_t start_ns, int nice);

#endif

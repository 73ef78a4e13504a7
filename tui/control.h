/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals and priorities for processes, sure of whom they hit: pid and start time are checked again at the
 * moment of acting. Errors are -errno; -ESRCH also when the pid is another's by now. */
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
/* Its leader's nice value. */
int control_nice(uint32_t pid, uint64_t start_ns, int *nice);
/* Gives all its threads a nice value. */
int control_renice(uint32_t pid, uint64_t start_ns, int nice);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals and priorities for processes, sure of whom they hit: pid and start time are checked again at the
 * moment of acting. Errors are -errno; -ESRCH also when the pid is another's by now. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdint.h>

struct control_signal {
	int number;
	const char *name, *help;
};
extern const struct control_signal control_signals[];
extern const int control_signals_count;

int control_signal(uint32_t pid, uint64_t start_ns, int signal);
/* Changes the nice value of all threads by `by`; *nice: the leader's new one. */
int control_renice(uint32_t pid, uint64_t start_ns, int by, int *nice);

#endif

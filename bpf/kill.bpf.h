/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The senders of signals that may end a process, until it ends. */
#ifndef KILL_BPF_H
#define KILL_BPF_H

#include "record.bpf.h"

#define SIGKILL 9

/* By tgid in the initial pid namespace. Full: the sender is not known. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 14);
	__type(key, __u32);
	__type(value, struct lt_killer);
} lt_killers __weak SEC(".maps");

#endif

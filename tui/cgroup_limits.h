/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process's control groups allow it, of version 1 or 2: weight, CPU quota, memory limit. Reads files that may
 * block: for helper threads only (lookup.h).
 */
#ifndef CGROUP_LIMITS_H
#define CGROUP_LIMITS_H

#include <stdint.h>

/* Where the hierarchies are mounted, and which of their groups: "": not mounted. */
struct cgroup_mounts {
	struct cgroup_mount {
		char at[256], group[256];
	} cpu, memory, unified; /* the first two of version 1 */
};

struct cgroup_limits {
	uint64_t weight;      /* as in cpu.weight, of the group below; UINT64_MAX: not known, or the root group's */
	char group[128];      /* its last component, raw, cut */
	double quota_percent; /* of one CPU, the tightest of its group and those above; 0: none, or not known */
	uint64_t memory_limit_bytes; /* likewise; UINT64_MAX: none, or not known */
	uint64_t memory_bytes; /* what the group with that limit uses, without a limit its own; UINT64_MAX: not known */
};

/* root: "" for the real ones. */
void cgroup_mounts_read(struct cgroup_mounts *m, const char *root);
/* `text`: the process's /proc/PID/cgroup. */
void cgroup_limits_read(struct cgroup_limits *l, const struct cgroup_mounts *m, const char *text);

#endif

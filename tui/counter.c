/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of counters as texts. */
#include "counter.h"

#include <stdio.h>

const struct counter_info counter_info[LT_COUNTERS] = {
#define X(NAME, name, since, ...) [LT_##NAME] = { #name "_ns", "ns", since },
	LT_STATE_TABLE(X)
#undef X
#define X(name, unit, since, ...) [COUNTER_##name] = { #name, unit, since },
		LT_COUNTERS_KERNEL(X) LT_COUNTERS_SCHED(X) LT_COUNTERS_PARTS(X) LT_COUNTERS_CALLS(X) LT_COUNTERS_NET(X)
			LT_COUNTERS_SOCKET(X)
#undef X
};

const char *const counter_dist_name[LT_DISTS] = {
#define X(NAME, name, ...) [LT_DIST_##NAME] = #name,
	LT_DISTS_THREAD(X) LT_DISTS_PROCESS(X)
#undef X
};

struct counter_set counter_unknown(const char *release)
{
	struct counter_set unknown = { { 0 } };
	unsigned major = 0, minor = 0;
	uint32_t version;

	sscanf(release, "%u.%u", &major, &minor);
	version = major << 16 | (minor & 255) << 8;
	for (unsigned i = 0; i < LT_COUNTERS; i++) {
		if (counter_info[i].since > version)
			counter_put(&unknown, i);
	}
	return unknown;
}

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

void counter_delta_times(uint64_t to[LT_STATES], const uint64_t now[LT_STATES], const uint64_t last[LT_STATES])
{
	uint64_t over = 0;

	for (int i = 0; i < LT_STATES; i++) {
		if (now[i] >= last[i]) {
			to[i] = now[i] - last[i];
		} else {
			to[i] = 0;
			over += last[i] - now[i];
		}
	}
	while (over) {
		int most = 0;
		uint64_t take;

		for (int i = 1; i < LT_STATES; i++) {
			if (to[i] > to[most])
				most = i;
		}
		take = to[most] < over ? to[most] : over;
		if (!take)
			break;
		to[most] -= take;
		over -= take;
	}
}

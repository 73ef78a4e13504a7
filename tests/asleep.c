/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See asleep.h. */
#include "asleep.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A thread whose state is asleep may still be on its CPU; /proc/PID/syscall waits until it has left it. */
static bool has_left_its_cpu(int64_t pid)
{
	char path[64], text[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%lld/syscall", (long long)pid);
	f = fopen(path, "r");
	if (!f)
		return true;
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	return strncmp(text, "running", 7) != 0;
}

void asleep_wait(int64_t pid)
{
	char path[64], text[256], *name_end;
	bool asleep = false;

	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	while (!asleep) {
		FILE *f = fopen(path, "r");

		assert_non_null(f);
		assert_non_null(fgets(text, sizeof(text), f));
		fclose(f);
		name_end = strrchr(text, ')');
		if (name_end && name_end[2] == 'Z')
			fail_msg("%lld ended instead of going to sleep", (long long)pid);
		asleep = name_end && strchr("STtD", name_end[2]) && has_left_its_cpu(pid);
	}
}

double asleep_share(struct live *l, size_t from, int64_t pid, const char *state)
{
	char path[32];
	double least = 1;

	snprintf(path, sizeof(path), "time_ns.%s", state);
	for (size_t r = from; r < l->n; r++) {
		struct json_object *p = live_process(l->reading[r], pid);

		if (!p)
			return 0;
		least = fmin(least, (double)live_get(p, path) / (double)live_get(p, "wall_ns"));
	}
	return least;
}

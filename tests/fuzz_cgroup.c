/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzing control groups: the contents of /proc/PID/cgroup, and the readable name of a path. The first byte is the size
 * of the buffer.
 */
#include "cgroup.h"
#include "fuzz.h"
#include "proc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *buf;
	const char *path;
	size_t room;

	if (size < 1)
		return 0;
	room = data[0] + 1U;
	text = fuzz_text(data + 1, size - 1);
	buf = malloc(room);
	assert(buf);
	cgroup_name(buf, room, text);
	assert(strlen(buf) < room);
	path = proc_cgroup_of(text);
	assert(!path || !strchr(path, '\n'));
	free(buf);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small readers of /proc. A file that cannot be read is an unknown, never an error: processes go away. */
#include "proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads a whole small file; ends it with a NUL. Returns the length without it. */
static size_t slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	while (n + 1 < size && (got = read(fd, buf + n, size - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	buf[n] = '\0';
	return n;
}

static size_t slurp_pid(uint32_t pid, const char *name, char *buf, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	return slurp(path, buf, size);
}

size_t proc_cmdline(uint32_t pid, char *buf, size_t size)
{
	size_t n = slurp_pid(pid, "cmdline", buf, size);

	while (n && (buf[n - 1] == '\0' || buf[n - 1] == ' '))
		n--;
	for (size_t i = 0; i < n; i++) {
		if (!buf[i])
			buf[i] = ' ';
	}
	return n;
}

/* Of several hierarchies the one that tells most: the unified, then systemd's, then any in which it has a group. */
static int cgroup_rank(const char *controllers, const char *path)
{
	if (!strcmp(path, "/"))
		return 0;
	return !*controllers ? 3 : !strcmp(controllers, "name=systemd") ? 2 : 1;
}

size_t proc_cgroup_of(char *text, char *buf, size_t size)
{
	char *line, *save = NULL, *best = NULL;
	int best_rank = -1;
	size_t n;

	/* Lines are hierarchy:controllers:path; the unified hierarchy is 0 with no controllers. */
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
		int rank;

		if (!path)
			continue;
		*path++ = '\0';
		rank = cgroup_rank(controllers + 1, path);
		if (rank > best_rank) {
			best = path;
			best_rank = rank;
		}
	}
	if (!best)
		return 0;
	n = strlen(best);
	if (n >= size)
		n = size - 1;
	memcpy(buf, best, n);
	return n;
}

size_t proc_cgroup(uint32_t pid, char *buf, size_t size)
{
	char text[4096];

	return slurp_pid(pid, "cgroup", text, sizeof(text)) ? proc_cgroup_of(text, buf, size) : 0;
}

uint32_t proc_ppid(uint32_t pid)
{
	char text[512], *after;

	if (!slurp_pid(pid, "stat", text, sizeof(text)))
		return 0;
	/* The name in parentheses may hold anything: the last ')' ends it. "S ppid" follows. */
	after = strrchr(text, ')');
	return after && strlen(after) > 4 ? (uint32_t)strtoul(after + 4, NULL, 10) : 0;
}

uint32_t proc_threads(void)
{
	char text[128], *slash;

	if (!slurp("/proc/loadavg", text, sizeof(text)))
		return 0;
	slash = strchr(text, '/');
	return slash ? (uint32_t)strtoul(slash + 1, NULL, 10) : 0;
}

uint64_t proc_rss_bytes(void)
{
	char text[128], *space;

	if (!slurp("/proc/self/statm", text, sizeof(text)))
		return 0;
	space = strchr(text, ' ');
	return space ? strtoull(space + 1, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

uint64_t proc_map_bytes(int fd)
{
	static const char label[] = "\nmemlock:";
	char path[64], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (!slurp(path, text, sizeof(text)))
		return 0;
	at = strstr(text, label);
	return at ? strtoull(at + sizeof(label) - 1, NULL, 10) : 0;
}

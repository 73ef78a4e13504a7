/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control groups allow: see cgroup_limits.h. */
#include "cgroup_limits.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"

#define PATH_BYTES 4352
#define MOUNTS_BYTES (1 << 20)
#define NO_LIMIT (1ULL << 62) /* version 1 has no word for "none", but a number above this */

/* A group's path, to be cut off to those above it, and its hierarchy's mount. */
struct group {
	const struct cgroup_mount *mount;
	bool first; /* of version 1 */
	char path[PATH_BYTES];
};

/* Whether a list "a,b,c" has a word. */
static bool lists(const char *list, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i += strcspn(list + i, ",") + 1)
		if (!strncmp(list + i, word, n) && (i + n == len || list[i + n] == ','))
			return true;
	return false;
}

/* A line of mountinfo: id parent device GROUP AT options … - type source SUPER-OPTIONS. */
static void take_mount(struct cgroup_mounts *m, const char *root, char *line)
{
	char *type = strstr(line, " - cgroup"), *options = type ? strrchr(type, ' ') + 1 : NULL;
	char group[256], at[256 - 64];
	struct cgroup_mount *to = NULL;

	if (!type || sscanf(line, "%*s %*s %*s %255s %191s", group, at) != 2)
		return;
	if (!strncmp(type, " - cgroup2 ", 11))
		to = &m->unified;
	else if (lists(options, strlen(options), "cpu"))
		to = &m->cpu;
	else if (lists(options, strlen(options), "memory"))
		to = &m->memory;
	if (!to || *to->at)
		return;
	snprintf(to->at, sizeof(to->at), "%.63s%s", root, at);
	snprintf(to->group, sizeof(to->group), "%s", strcmp(group, "/") ? group : "");
}

void cgroup_mounts_read(struct cgroup_mounts *m, const char *root)
{
	char path[128], *text = malloc(MOUNTS_BYTES), *save = NULL;

	*m = (struct cgroup_mounts){ 0 };
	snprintf(path, sizeof(path), "%.63s/proc/self/mountinfo", root);
	if (text && proc_read(-1, path, text, MOUNTS_BYTES))
		for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			take_mount(m, root, line);
	free(text);
}

/* The group that has the controller, from lines "number:controllers:/path"; NULL: the unified hierarchy's. */
static bool find_group(struct group *g, const char *text, const char *controller)
{
	size_t inside = strlen(g->mount->group);

	g->first = controller;
	for (const char *line = text; *g->mount->at && *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;
		size_t len = path ? (size_t)(path - list) - 1 : 0;

		if (!path++ || (controller ? !lists(list + 1, len, controller) : len > 0))
			continue;
		len = strcspn(path, "\n");
		if (inside && (len < inside || strncmp(path, g->mount->group, inside) != 0))
			return false;
		snprintf(g->path, sizeof(g->path), "%.*s", (int)(len - inside), path + inside);
		if (!strcmp(g->path, "/"))
			g->path[0] = '\0';
		return len - inside < sizeof(g->path) && !strstr(g->path, "/..");
	}
	return false;
}

static bool find(struct group *g, const struct cgroup_mounts *m, const char *text, const char *controller)
{
	g->mount = *controller == 'c' ? &m->cpu : &m->memory;
	if (find_group(g, text, controller))
		return true;
	g->mount = &m->unified;
	return find_group(g, text, NULL);
}

static bool read_file(const struct group *g, const char *name, char text[64])
{
	char file[PATH_BYTES + 384];

	snprintf(file, sizeof(file), "%s%s/%s", g->mount->at, g->path, name);
	return proc_read(-1, file, text, 64) > 0;
}

/* UINT64_MAX: there is none. */
static uint64_t read_number(const struct group *g, const char *name)
{
	char text[64], *end;
	uint64_t n;

	if (!read_file(g, name, text) || *text == '-')
		return UINT64_MAX;
	n = strtoull(text, &end, 10);
	return end == text ? UINT64_MAX : n;
}

/* To the group above; false: there is none. */
static bool go_up(struct group *g)
{
	char *last = strrchr(g->path, '/');

	if (last)
		*last = '\0';
	return last;
}

/* The nearest group's that has one. */
static void read_weight(struct cgroup_limits *l, struct group g)
{
	uint64_t n;

	for (; *g.path; go_up(&g)) {
		n = read_number(&g, g.first ? "cpu.shares" : "cpu.weight");
		if (n == UINT64_MAX)
			continue;
		/* As the kernel shows shares in cpu.weight. */
		l->weight = g.first ? (n * 100 + 512) / 1024 : n;
		snprintf(l->group, sizeof(l->group), "%s", strrchr(g.path, '/') + 1);
		return;
	}
}

static double quota_of(const struct group *g)
{
	double quota = 0, period = 0;
	char text[64];

	if (g->first) {
		if (read_file(g, "cpu.cfs_quota_us", text))
			quota = atof(text);
		if (read_file(g, "cpu.cfs_period_us", text))
			period = atof(text);
	} else if (!read_file(g, "cpu.max", text) || sscanf(text, "%lf %lf", &quota, &period) != 2) {
		return 0;
	}
	return quota > 0 && period > 0 ? quota / period * 100 : 0;
}

static void read_quota(struct cgroup_limits *l, struct group g)
{
	double percent;

	do {
		percent = quota_of(&g);
		if (percent > 0 && (l->quota_percent <= 0 || percent < l->quota_percent))
			l->quota_percent = percent;
	} while (go_up(&g));
}

static void read_memory(struct cgroup_limits *l, struct group g)
{
	const char *limit = g.first ? "memory.limit_in_bytes" : "memory.max";
	const char *used = g.first ? "memory.usage_in_bytes" : "memory.current";
	uint64_t n;

	l->memory_bytes = read_number(&g, used);
	do {
		n = read_number(&g, limit);
		if (n >= NO_LIMIT || n >= l->memory_limit_bytes)
			continue;
		l->memory_limit_bytes = n;
		l->memory_bytes = read_number(&g, used);
	} while (go_up(&g));
}

void cgroup_limits_read(struct cgroup_limits *l, const struct cgroup_mounts *m, const char *text)
{
	struct group g;

	memset(l, 0, sizeof(*l));
	l->weight = l->memory_limit_bytes = l->memory_bytes = UINT64_MAX;
	if (find(&g, m, text, "cpu")) {
		read_weight(l, g);
		read_quota(l, g);
	}
	if (find(&g, m, text, "memory"))
		read_memory(l, g);
}

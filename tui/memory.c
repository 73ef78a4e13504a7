/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names in the two versions of control groups. */
static const struct version {
	const char *limit[2], *used, *cache[2];
} versions[] = {
	{ { "memory.limit_in_bytes" }, "memory.usage_in_bytes", { "total_inactive_file", "total_active_file" } },
	{ { "memory.max", "memory.high" }, "memory.current", { "inactive_file", "active_file" } },
};

/* The number after a word at the start of a line, or the first number; UINT64_MAX: there is none ("max"). */
static uint64_t number(const char *root, const char *dir, const char *file, const char *word)
{
	char path[PATH_MAX], line[256], *at, *end;
	uint64_t found = UINT64_MAX;
	size_t len = word ? strlen(word) : 0;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s%s/%s", root, dir, file) >= (int)sizeof(path))
		return found;
	f = fopen(path, "re");
	while (f && found == UINT64_MAX && fgets(line, sizeof(line), f)) {
		if (word && (strncmp(line, word, len) != 0 || !strchr(" :", line[len])))
			continue;
		at = line + len + (word ? 1 : 0);
		found = strtoull(at, &end, 10);
		if (end != at)
			break;
		found = UINT64_MAX;
	}
	if (f)
		fclose(f);
	return found;
}

/* Looks at one group: its limit, if it has one, and how much of it is free. */
static void look_at(struct memory *m, const char *root, const char *dir, const struct version *v)
{
	uint64_t limit = UINT64_MAX, used, cache = 0, n;

	for (int i = 0; i < 2 && v->limit[i]; i++) {
		n = number(root, dir, v->limit[i], NULL);
		limit = n < limit ? n : limit;
	}
	if (limit == UINT64_MAX || (m->ram_bytes && limit >= m->ram_bytes))
		return;
	used = number(root, dir, v->used, NULL);
	for (int i = 0; i < 2; i++) {
		n = number(root, dir, "memory.stat", v->cache[i]);
		cache += n == UINT64_MAX ? 0 : n;
	}
	used = used == UINT64_MAX ? 0 : used;
	used = used > cache ? used - cache : 0;
	n = limit > used ? limit - used : 0;
	m->limit_bytes = limit < m->limit_bytes ? limit : m->limit_bytes;
	m->free_bytes = n < m->free_bytes ? n : m->free_bytes;
}

/* Looks at all groups from ours up to the mounted one. group: our path, which may be outside of what is mounted. */
static void look_up(struct memory *m, const char *root, const char *mount, const char *mounted, const char *group,
		    const struct version *v)
{
	size_t len = strlen(mounted), base = strlen(mount);
	char dir[PATH_MAX], *slash;

	if (len > 1 && !strncmp(group, mounted, len) && (group[len] == '/' || !group[len]))
		group += len;
	if (snprintf(dir, sizeof(dir), "%s%s", mount, strcmp(group, "/") ? group : "") >= (int)sizeof(dir))
		return;
	for (;;) {
		look_at(m, root, dir, v);
		slash = strrchr(dir, '/');
		if (strlen(dir) <= base || !slash)
			return;
		*slash = '\0';
	}
}

/* Whether a list "a,b,c" has a word. */
static bool lists(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, word, len) && strchr(",\n", at[len]))
			return true;
	return false;
}

/* Our group in the hierarchy of that version; false: we are in none. */
static bool our_group(const char *root, bool two, char *group, size_t size)
{
	char path[PATH_MAX], line[PATH_MAX + 256], *controllers, *at;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		controllers = strchr(line, ':');
		at = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!at)
			continue;
		*at++ = '\0';
		found = two ? !controllers[1] : lists(controllers + 1, "memory");
		snprintf(group, size, "%.*s", (int)strcspn(at, "\n"), at);
	}
	if (f)
		fclose(f);
	return found;
}

void memory_look(struct memory *m, const char *root)
{
	char path[PATH_MAX], line[3 * PATH_MAX], mounted[PATH_MAX], mount[PATH_MAX], group[PATH_MAX];
	uint64_t kib = number(root, "/proc", "meminfo", "MemTotal");
	FILE *f;

	*m = (struct memory){ kib == UINT64_MAX ? 0 : kib << 10, UINT64_MAX, UINT64_MAX };
	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", root);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		const char *type = strstr(line, " - "), *options = type ? strrchr(type, ' ') : NULL;
		bool two = type && !strncmp(type, " - cgroup2 ", 11);

		if (!options || (!two && (strncmp(type, " - cgroup ", 10) != 0 || !lists(options + 1, "memory"))))
			continue;
		if (sscanf(line, "%*s %*s %*s %4095s %4095s", mounted, mount) == 2 &&
		    our_group(root, two, group, sizeof(group)))
			look_up(m, root, mount, mounted, group, &versions[two]);
	}
	if (f)
		fclose(f);
}

uint64_t memory_share(const struct memory *m, uint64_t of_ram, uint64_t of_limit)
{
	uint64_t most = m->ram_bytes ? m->ram_bytes / of_ram : UINT64_MAX;

	return m->limit_bytes / of_limit < most ? m->limit_bytes / of_limit : most;
}

int memory_has(const struct memory *m, uint64_t bytes)
{
	return m->free_bytes == UINT64_MAX || m->free_bytes > m->limit_bytes / 8 + bytes;
}

uint64_t memory_for_past(const struct memory *m, uint64_t wanted, uint64_t has)
{
	uint64_t kept_free = m->limit_bytes / 4, most;

	if (m->free_bytes == UINT64_MAX)
		return wanted;
	most = has + m->free_bytes > kept_free ? has + m->free_bytes - kept_free : 0;
	return most < wanted ? most : wanted;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readable names of control groups: see cgroup.h. The forms are those of systemd, Docker, Podman, CRI-O, containerd,
 * Kubernetes with either of its drivers, and LXC. */
#include "cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ID_CELLS 12 /* of a container's id: what docker ps prints */

/* systemd writes "\x2d" for a dash inside a name. */
static void unescape(char *s)
{
	char *out = s;
	unsigned int byte;

	while (*s) {
		if (sscanf(s, "\\x%2x", &byte) == 1 && byte >= ' ' && byte < 127 && s[2] && s[3]) {
			*out++ = (char)byte;
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = 0;
}

/* A container's id at s: hexadecimal, 64 digits (32 at least), then the end of the component or ".scope". */
static bool is_id(const char *s)
{
	size_t len = strspn(s, "0123456789abcdef");

	if (len < 32)
		return false;
	s += len;
	if (!strncmp(s, ".scope", 6))
		s += 6;
	return !*s || *s == '/';
}

/* The innermost container in the path: programs in it may have groups of their own (crun's "container", systemd's
 * "init.scope"). Returns its id and the engine's name; NULL: none. */
static const char *find_container(const char *path, const char **name)
{
	static const struct {
		const char *prefix, *name;
	} engines[] = {
		{ "docker-", "docker" }, { "libpod-", "podman" },
		{ "crio-", "crio" },	 { "cri-containerd-", "containerd" },
		{ "", "container" },
	};

	for (const char *end = path + strlen(path); end > path; end--) {
		const char *component = end[-1] == '/' ? end : NULL;

		for (size_t i = 0; component && i < sizeof(engines) / sizeof(engines[0]); i++) {
			size_t len = strlen(engines[i].prefix);

			if (strncmp(component, engines[i].prefix, len) || !is_id(component + len))
				continue;
			*name = !len && strstr(path, "/docker/") ? "docker" : engines[i].name;
			return component + len;
		}
	}
	return NULL;
}

/* The uid of the pod in "…/pod<uid>/…" or "…-pod<uid>.slice/…", as kubectl prints it, 8 digits; "": no pod. */
static void find_pod(char uid[9], const char *path)
{
	const char *kube = strstr(path, "kubepods");

	uid[0] = 0;
	for (const char *pod = kube; pod && (pod = strstr(pod, "pod")); pod += 3) {
		if (pod > kube && (pod[-1] == '/' || pod[-1] == '-') && strspn(pod + 3, "0123456789abcdef") >= 8) {
			memcpy(uid, pod + 3, 8);
			uid[8] = 0;
			return;
		}
	}
}

char *cgroup_name(char *buf, size_t size, const char *path)
{
	const char *last = strrchr(path, '/'), *user, *engine, *id;
	char pod[9];

	last = last ? last + 1 : path;
	if (!*last) {
		snprintf(buf, size, "%s", *path ? "/" : "");
		return buf;
	}
	find_pod(pod, path);
	id = find_container(path, &engine);
	if (id) {
		snprintf(buf, size, "%s%s %.*s", *pod ? "pod " : engine, pod, ID_CELLS, id);
		return buf;
	}
	user = strstr(path, "/user-");
	if (*pod)
		snprintf(buf, size, "pod %s", pod);
	else if (!strncmp(path, "/lxc/", 5) || !strncmp(path, "/lxc.payload.", 13))
		snprintf(buf, size, "lxc %.*s", (int)strcspn(path + (path[4] == '/' ? 5 : 13), "/"),
			 path + (path[4] == '/' ? 5 : 13));
	else if (user && !strncmp(last, "session-", 8))
		snprintf(buf, size, "user %.*s %.*s", (int)strspn(user + 6, "0123456789"), user + 6,
			 (int)strcspn(last, "."), last);
	else
		snprintf(buf, size, "%s", last);
	unescape(buf);
	return buf;
}

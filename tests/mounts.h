/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A private mount namespace, for workloads and for the sandboxes that lagtop is started in. */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>

/* From now on, mounts are seen by this process and its children only. */
static inline bool mounts_unshare(void)
{
	char line[4096], dir[1024];
	bool good = false;
	FILE *f;

	if (unshare(CLONE_NEWNS))
		return false;
	if (!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return true;
	/* The root of a chroot is not a mount: the mounts in it are made private one by one. */
	f = fopen("/proc/self/mountinfo", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*s %*s %*s %1023s", dir) == 1)
			good |= !mount(NULL, dir, NULL, MS_PRIVATE, NULL);
	if (f)
		fclose(f);
	return good;
}

#endif

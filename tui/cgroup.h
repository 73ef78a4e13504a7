/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readable names of control groups: the container, pod or unit of a path in the unified hierarchy. */
#ifndef CGROUP_H
#define CGROUP_H

#include <stddef.h>

/* "/system.slice/nginx.service" → "nginx.service", "/docker/<64 hex>" → "docker 0123456789ab". Raw bytes in, raw
 * bytes out; returns buf. */
char *cgroup_name(char *buf, size_t size, const char *path);

#endif

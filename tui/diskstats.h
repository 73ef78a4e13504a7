/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/diskstats: what the kernel counts for each block device since the device appeared. */
#ifndef DISKSTATS_H
#define DISKSTATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lagtop.h"

#define DISKSTATS_SECTOR_BYTES 512 /* whatever the device's sector size */

struct diskstats {
	uint32_t major, minor;
	char name[32];
	struct {
		uint64_t count, merged, sectors;
		uint32_t ms; /* it wraps */
	} op[LT_DISK_OPS];
	uint64_t in_flight;
	uint32_t busy_ms; /* it wraps */
};

/* The whole devices in the file's text, in its order; partitions, whose numbers are in their device's, are left out,
 * and so are lines that are no device's. Returns their number, or -ENOMEM; *disks is for the caller to free. */
int diskstats_parse(const char *text, struct diskstats **disks);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What control groups asked of block devices between two readings, from the tables that the BPF programs fill (struct
 * lt_disk_group, struct lt_group_name). Does not use libbpf: tests pass plain memory.
 */
#ifndef DISK_GROUPS_H
#define DISK_GROUPS_H

#include "sample.h"

struct disk_groups;

/* groups: [LT_DISK_GROUPS], names: [LT_GROUP_NAMES]. */
struct disk_groups *disk_groups_new(struct lt_disk_group *groups, struct lt_group_name *names);
void disk_groups_free(struct disk_groups *g); /* NULL is legal */

/* Takes the tables as they are now. */
void disk_groups_ask(struct disk_groups *g);
/* Appends the groups that moved bytes through a device since the last call, the most bytes first. rows: the device's in
 * the table of devices, for one direction. 0 or -ENOMEM. */
int disk_groups_take(struct disk_groups *g, const bool rows[LT_DISKS], struct sample *s, struct sample_disk *to);
/* Frees what was not used for a while, or whose device is gone. here: its row in the table of devices is used. */
void disk_groups_tidy(struct disk_groups *g, const bool here[LT_DISKS]);

#endif

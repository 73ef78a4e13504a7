/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What block devices did between two readings: counts from /proc/diskstats, latencies from the table that the BPF
 * programs fill (struct lt_disk). Does not use libbpf: tests pass a text and plain memory.
 */
#ifndef DISKS_H
#define DISKS_H

#include "disk_groups.h"

struct disks;

/* table: [LT_DISKS]; NULL: the programs are not there, and no latency is known. groups: taken over; NULL: what control
 * groups did is not known. */
struct disks *disks_new(struct lt_disk *table, struct disk_groups *groups);
void disks_free(struct disks *k); /* NULL is legal */

/* Takes the table as it is now, when /proc/diskstats is about to be read. */
void disks_ask(struct disks *k);
/* Appends the devices that were ever used, by direction, and what they did since the last call; the first call only
 * sets the baseline, and so does the next one after a NULL (not known) or a lack of memory: has_disks is false then.
 * Frees the table's rows of devices that are gone, and adds what completed there to lost.requests. epoch: of the
 * interval. */
void disks_read(struct disks *k, const char *diskstats, uint32_t epoch, struct sample *s);

#endif

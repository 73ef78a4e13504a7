/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel counts for the machine: the CPUs' times (/proc/stat), pressure (/proc/pressure), disks
 * (/proc/diskstats, disks.h); and for our network namespace. A helper thread reads the files while the caller reads the
 * records; what comes too late is unknown in this reading and in the next one, which has nothing to subtract from. The
 * same goes for a CPU that was offline. Also adds the state of the run queues.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "disks.h"
#include "proc.h"
#include "sample.h"

struct machine;

/* disks: computes what disks did, must outlive the machine; NULL: disks are left out. Returns NULL when out of
 * memory. */
struct machine *machine_new(struct disks *disks);
void machine_free(struct machine *m); /* NULL is legal */

/* Requests all files, as they are now. epoch: of the interval that ends. */
void machine_ask(struct machine *m, uint32_t epoch);
/* Fills a sample with their growth since the last reading. Waits for the answers, but not for long. */
void machine_read(struct machine *m, struct sample *s);

/* The same for one file's contents; NULL: not known. */
void machine_take(struct machine *m, enum proc_machine file, const char *text, struct sample *s);

/* Adds the run queues to the sample's CPUs: n of them, indexed by CPU number. */
void machine_queues(struct machine *m, const struct lt_runqueue *queues, uint32_t n, struct sample *s);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel counts of the machine: the CPUs' times (/proc/stat), pressure (/proc/pressure), disks
 * (/proc/diskstats, disks.h); and of our network namespace. A helper thread reads the files while the caller reads the
 * records; what comes too late is not known in this reading, nor in the next one, which has nothing to subtract from.
 * Likewise a CPU that was offline. Adds what the run queues say.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "disks.h"
#include "proc.h"
#include "sample.h"

struct machine;

/* disks: where to subtract what disks did, for as long as the machine is there; NULL: nowhere. NULL: out of memory. */
struct machine *machine_new(struct disks *disks);
void machine_free(struct machine *m); /* NULL is legal */

/* Asks for all files, as they are now. epoch: of the interval that ends. */
void machine_ask(struct machine *m, uint32_t epoch);
/* Fills a sample with what they say, less what they said before. Waits for it, but not for long. */
void machine_read(struct machine *m, struct sample *s);

/* The same of one file's contents; NULL: not known. */
void machine_take(struct machine *m, enum proc_machine file, const char *text, struct sample *s);

/* Adds to the sample's CPUs what their run queues say: n of them, by number. */
void machine_queues(struct machine *m, const struct lt_runqueue *queues, uint32_t n, struct sample *s);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sockets report about their processes between two readings: connects that ended, retransmits,
 * round-trip times, connections. The BPF programs report them as events (struct lt_event) and by
 * an iteration over all sockets (struct lt_connection); here they are summed by owner and then
 * moved into the sample. Does not use libbpf.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "sample.h"

struct sockets;

/* bytes: the limit for owners, and for connections, until the next reading; what exceeds it is counted in lost. */
struct sockets *sockets_new(uint64_t bytes);
void sockets_free(struct sockets *k);

/* Adds one record of the ring of events. -EINVAL: not valid; -ENOMEM. */
int sockets_event(struct sockets *k, const void *data, size_t size);
/* Adds one connection of the iteration. */
int sockets_connection(struct sockets *k, const struct lt_connection *c);

/* Moves everything into the sample's processes and connections. walked: connections were asked for; else there are
 * none. The first walk after a pause reports more than one interval: those numbers are not known. A connection whose
 * owner is not in the sample has no owner. The numbers of a process that started after since_ns (the last reading, by
 * the clock of starts) and has no row yet are kept for the next reading: it started while this one was taken. Adds what
 * had no room to lost.events. Returns 0 or -ENOMEM. */
int sockets_fill(struct sockets *k, struct sample *s, uint64_t since_ns, bool walked);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The peers of processes: the other ends of the connections that they opened. Used by sockets.c only. */
#ifndef SOCKETS_PEERS_H
#define SOCKETS_PEERS_H

#include "sample.h"

struct sockets_peers {
	struct asked *asked; /* connections that were opened, by process and peer */
	struct accepted *accepted;
	uint32_t n_asked, cap_asked, n_accepted, cap_accepted;
};

/* Adds a connection of this reading, which must stay valid; known: its retransmits are the interval's. 0 or -ENOMEM. */
int sockets_peers_add(struct sockets_peers *p, const struct lt_connection *c, bool known);
/* After the last of them. */
void sockets_peers_sort(struct sockets_peers *p);
/* Appends a process's peers to the sample, then it is to be emptied. 0 or -ENOMEM. */
int sockets_peers_fill(const struct sockets_peers *p, struct sample *s, uint32_t process);
void sockets_peers_clear(struct sockets_peers *p);
void sockets_peers_free(struct sockets_peers *p);

#endif

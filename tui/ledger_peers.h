/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long each peer took to answer a thread: its entries at the last reading. Used by ledger_thread.c only. */
#ifndef LEDGER_PEERS_H
#define LEDGER_PEERS_H

#include "ledger_hist.h"
#include "ledger_thread.h"

/* By entry, which may be another peer's at another time; its counts go on. */
struct kept_peers {
	struct kept_peer {
		uint32_t entry; /* index + 1 */
		uint32_t overlapped;
		struct kept_hist hist;
	} * of;
	uint32_t n, cap;
};

/* Appends the peers that answered since the last reading. 0 or -ENOMEM. */
int ledger_peers_subtract(const struct ledger_memory *m, const struct lt_calls *calls, struct kept_peers *kept,
			  uint32_t epoch, bool dead, struct sample_work *work, struct sample *out);

void ledger_peers_forget(struct kept_peers *kept);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread's peers: see ledger_peers.h. A peer's name is read after its counts: an entry gets another name only if all
 * of its counts were read before, so what has grown belongs to the name that it has now.
 */
#include "ledger_peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

static struct kept_peer *kept_of(struct kept_peers *kept, uint32_t entry)
{
	for (uint32_t i = 0; i < kept->n; i++)
		if (kept->of[i].entry == entry)
			return &kept->of[i];
	if (!GROW(kept->of, kept->cap, kept->n + 1))
		return NULL;
	kept->of[kept->n] = (struct kept_peer){ .entry = entry };
	return &kept->of[kept->n++];
}

static int subtract(const struct lt_call *entry, struct kept_peer *k, uint64_t max_ns, struct sample *out)
{
	uint32_t overlapped = __atomic_load_n(&entry->peer_overlapped, __ATOMIC_RELAXED);
	struct sample_peer peer = { .open.n = SAMPLE_UNKNOWN,
				    .retransmits = SAMPLE_UNKNOWN,
				    .srtt_ns = SAMPLE_UNKNOWN };
	struct sample_peer *to;
	int err = ledger_hist_subtract(&k->hist, &entry->hist, 0, max_ns, &peer.upstream, out);

	if (err || !peer.upstream.n)
		return err;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	peer.overlapped = overlapped - k->overlapped;
	k->overlapped = overlapped;
	if (entry->call == LT_PEER_OTHERS)
		peer.of.proto = LT_PROTOS;
	else
		peer.of = entry->peer;
	peer.pid = peer.of.pid;
	to = sample_add_peer(out);
	if (!to)
		return -ENOMEM;
	*to = peer;
	return 0;
}

int ledger_peers_subtract(const struct ledger_memory *m, const struct lt_calls *calls, struct kept_peers *kept,
			  uint32_t epoch, bool dead, struct sample_work *work, struct sample *out)
{
	int err = 0;

	work->first_peer = out->n_peers;
	if (!work->upstream.n)
		return 0;
	for (int h = 0; h < LT_CALL_HEADS; h++) {
		uint32_t at = __atomic_load_n(&calls->head[h], __ATOMIC_ACQUIRE);

		while (at && !err) {
			const struct lt_call *entry = call_at(m, at - 1);

			if (entry->call >> LT_PEER_HASH_BITS == 1) {
				struct kept_peer *k = kept_of(kept, at);

				err = !k ? -ENOMEM
					 : subtract(entry, k, ledger_max_of(&entry->hist_max, epoch, dead), out);
			}
			at = entry->next;
		}
	}
	work->n_peers = out->n_peers - work->first_peer;
	return err;
}

void ledger_peers_forget(struct kept_peers *kept)
{
	for (uint32_t i = 0; i < kept->n; i++)
		ledger_hist_forget(&kept->of[i].hist);
	free(kept->of);
	*kept = (struct kept_peers){ .n = 0 };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process of a reading, one connection or one direction of a disk, as a few self-contained bytes. Times that only
 * advance with the clock are stored relative to the reading, so that equal bytes mean: nothing happened.
 */
#ifndef HISTORY_PACK_H
#define HISTORY_PACK_H

#include "sample.h"

/* Working memory, and the bytes of the last thing packed. */
struct history_pack {
	uint64_t *words;
	size_t n_words, cap_words;
	uint8_t *bytes;
	size_t n_bytes, cap_bytes;
	char *texts; /* of a process, apart, since they change least */
	size_t n_texts, cap_texts;
	bool failed; /* out of memory */
};

/* Packs into p->bytes and p->texts. 0 or -ENOMEM. Of the sample itself everything but its arrays. */
int history_pack_host(struct history_pack *p, const struct sample *s);
int history_pack_process(struct history_pack *p, const struct sample *s, const struct sample_process *process);
int history_pack_disk(struct history_pack *p, const struct sample *s, const struct sample_disk *disk);
int history_pack_connection(struct history_pack *p, const struct sample *s, const struct sample_connection *c);
/* Appends to s, whose t_ns and interval_ns are the reading's. 0 or -ENOMEM. */
int history_unpack_host(struct history_pack *p, const uint8_t *bytes, size_t n, struct sample *s);
int history_unpack_process(struct history_pack *p, const uint8_t *bytes, size_t n, const char *texts, struct sample *s);
int history_unpack_disk(struct history_pack *p, const uint8_t *bytes, size_t n, const char *texts, struct sample *s);
int history_unpack_connection(struct history_pack *p, const uint8_t *bytes, size_t n, struct sample *s);
void history_pack_free(struct history_pack *p);

#endif

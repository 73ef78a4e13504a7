/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recordings taken apart and put together (tui/record_file.h has their form), as somebody who means harm could do
 * it: what the frames hold is changed, and their checksums are right again.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define FRAMES_MAX 16

/* What a recording's frames hold, unpacked; the first is the description. */
struct frames {
	uint8_t *whole[FRAMES_MAX];
	size_t len[FRAMES_MAX];
	size_t n;
};

/* Offset behind the frame that begins at `at`. */
size_t frames_end(const uint8_t *file, size_t at);
/* Whole, good files only; fails the program otherwise. */
void frames_unpack(struct frames *f, const uint8_t *file, size_t len);
/* A file of these frames, each standing alone. The caller frees it. */
uint8_t *frames_pack(const struct frames *f, size_t *len);
void frames_free(struct frames *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recordings taken apart and put together (tui/record_file.h has their form), as an attacker could do it:
 * the content of frames is changed, and their checksums are right again.
 */
#ifndef RECORDING_FRAMES_H
#define RECORDING_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define RECORDING_FRAMES_MAX 16

/* What a recording's frames hold, unpacked; the first is the description. */
struct recording_frames {
	uint8_t *whole[RECORDING_FRAMES_MAX];
	size_t len[RECORDING_FRAMES_MAX];
	size_t n;
};

/* Offset of the end of the frame that begins at `at`. */
size_t recording_frames_end(const uint8_t *file, size_t at);
/* Complete, valid files only; ends the program otherwise. */
void recording_frames_unpack(struct recording_frames *f, const uint8_t *file, size_t len);
/* A file of these frames, each independent. The caller frees it. */
uint8_t *recording_frames_pack(const struct recording_frames *f, size_t *len);
void recording_frames_free(struct recording_frames *f);

#endif

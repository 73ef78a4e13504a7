/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings taken apart and put together: see recording_frames.h. */
#include "recording_frames.h"

#include <assert.h>
#include <zlib.h>
#include <zstd.h>

#include "record_file.h"

size_t recording_frames_end(const uint8_t *file, size_t at)
{
	return at + RECORD_HEAD_BYTES + record_load(file + at, 4);
}

void recording_frames_unpack(struct recording_frames *f, const uint8_t *file, size_t len)
{
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	size_t at, bytes;

	assert(zstd);
	for (f->n = 0, at = RECORD_HEADER_BYTES; at < len && f->n < RECORDING_FRAMES_MAX;
	     at += RECORD_HEAD_BYTES + bytes, f->n++) {
		bytes = record_load(file + at, 4);
		f->len[f->n] = record_load(file + at + 4, 4);
		f->whole[f->n] = malloc(f->len[f->n] + 1);
		assert(f->whole[f->n]);
		if (record_load(file + at + 16, 4))
			ZSTD_DCtx_refPrefix(zstd, f->whole[f->n - 1], f->len[f->n - 1]);
		else
			ZSTD_DCtx_refPrefix(zstd, NULL, 0);
		assert(ZSTD_decompressDCtx(zstd, f->whole[f->n], f->len[f->n], file + at + RECORD_HEAD_BYTES, bytes) ==
		       f->len[f->n]);
	}
	ZSTD_freeDCtx(zstd);
}

uint8_t *recording_frames_pack(const struct recording_frames *f, size_t *len)
{
	size_t room = RECORD_HEADER_BYTES, got;
	uint8_t *file, *head;

	for (size_t i = 0; i < f->n; i++)
		room += RECORD_HEAD_BYTES + ZSTD_compressBound(f->len[i]);
	file = malloc(room);
	assert(file);
	memcpy(file, RECORD_MAGIC, RECORD_MAGIC_BYTES);
	record_store(file + RECORD_MAGIC_BYTES, RECORD_VERSION, 2);
	*len = RECORD_HEADER_BYTES;
	for (size_t i = 0; i < f->n; i++) {
		head = file + *len;
		/* A level below 1: as fast as copying. */
		got = ZSTD_compress(head + RECORD_HEAD_BYTES, room - *len - RECORD_HEAD_BYTES, f->whole[i], f->len[i],
				    -5);
		assert(!ZSTD_isError(got));
		record_store(head, got, 4);
		record_store(head + 4, f->len[i], 4);
		record_store(head + 8, i, 8);
		record_store(head + 16, 0, 4);
		record_store(head + RECORD_CRC_AT,
			     crc32_z(crc32_z(0, head, RECORD_CRC_AT), head + RECORD_HEAD_BYTES, got), 4);
		*len += RECORD_HEAD_BYTES + got;
	}
	return file;
}

void recording_frames_free(struct recording_frames *f)
{
	while (f->n)
		free(f->whole[--f->n]);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The format of a recording, for its writer and its reader. All integers are little-endian.
 *   file:    magic "lagtop record\n", u16 version, then frames
 *   frame:   head (below), then `bytes` bytes: a zstd frame of `whole_bytes` bytes
 *   first:   the description: u8 sections, each: name, u8 fields, each: name, u8 bytes, u16 count;
 *            a name is u8 length and its bytes
 *   others:  one reading each: the sections in that order; of an array u32 n; then field by field: all elements'
 *            bytes if it is made of bytes, else its integers one after another, each as all elements'
 *            lowest bytes, then the next ones (small numbers leave long runs of zeros)
 * A reading is packed as a difference from the one before, so that only changes cost space; every RECORD_CHAIN readings
 * one is independent, so that a reader can start there.
 */
#ifndef RECORD_FILE_H
#define RECORD_FILE_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

#define RECORD_MAGIC "lagtop record\n"
#define RECORD_MAGIC_BYTES (sizeof(RECORD_MAGIC) - 1)
#define RECORD_VERSION 2
#define RECORD_VERSION_OLDEST 1
#define RECORD_HEADER_BYTES (RECORD_MAGIC_BYTES + 2)
#define RECORD_WHOLE_MAX_BYTES (256U << 20)
#define RECORD_CHAIN 64

/* A frame's header: u32 bytes, u32 whole_bytes, u64 realtime_ns (CLOCK_REALTIME of the reading), u32 chain (0:
 * independent, else its distance from the last independent one), u32 CRC-32 of these fields and of the packed bytes. */
#define RECORD_HEAD_BYTES 24
#define RECORD_CRC_AT 20

struct record_head {
	uint32_t bytes, whole_bytes;
	uint64_t realtime_ns;
	uint32_t chain, crc;
};

struct record_buffer {
	uint8_t *data;
	size_t len, cap;
};

/* Room for `more` bytes behind len. 0 or -ENOMEM. */
static inline int record_reserve(struct record_buffer *b, size_t more)
{
	return GROW(b->data, b->cap, b->len + more) ? 0 : -ENOMEM;
}

static inline uint64_t record_load(const uint8_t *from, size_t bytes)
{
	uint64_t n = 0;

	while (bytes--)
		n = n << 8 | from[bytes];
	return n;
}

static inline void record_store(uint8_t *to, uint64_t n, size_t bytes)
{
	for (; bytes--; n >>= 8)
		*to++ = (uint8_t)n;
}

/* An integer in native byte order, of 1, 2, 4 or 8 bytes. */
static inline uint64_t record_load_own(const char *from, size_t bytes)
{
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (bytes) {
	case 1:
		return (uint8_t)*from;
	case 2:
		memcpy(&u16, from, 2);
		return u16;
	case 4:
		memcpy(&u32, from, 4);
		return u32;
	default:
		memcpy(&u64, from, 8);
		return u64;
	}
}

static inline void record_store_own(char *to, uint64_t n, size_t bytes)
{
	uint32_t u32 = (uint32_t)n;
	uint16_t u16 = (uint16_t)n;

	switch (bytes) {
	case 1:
		*to = (char)n;
		break;
	case 2:
		memcpy(to, &u16, 2);
		break;
	case 4:
		memcpy(to, &u32, 4);
		break;
	default:
		memcpy(to, &n, 8);
	}
}

#endif

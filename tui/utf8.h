/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8, strictly: no overlong form, no surrogate, nothing above U+10FFFF. */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_BYTES 4 /* of one character, at most */
#define UTF8_REPLACEMENT 0xfffd
#define UTF8_MAX 0x10ffff

/*
 * Decodes one character of a NUL-ended string. Returns the bytes it takes: for what is not UTF-8
 * *c is UTF8_REPLACEMENT and the bytes are the longest beginning of a valid character, at least one.
 */
size_t utf8_decode(const char *text, uint32_t *c, bool *valid);
/* Writes c, at most U+10FFFF, without a NUL. Returns the bytes it takes. */
size_t utf8_encode(char to[UTF8_BYTES], uint32_t c);
bool utf8_locale(void); /* whether the locale's encoding is UTF-8 */

/* C0, DEL and C1: terminals interpret them. */
static inline bool utf8_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Not the first byte of a character. */
static inline bool utf8_continues(char byte)
{
	return (byte & 0xc0) == 0x80;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decodes and encodes: see utf8.h. */
#include "utf8.h"

#include <langinfo.h>
#include <string.h>

bool utf8_locale(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

#define PAYLOAD 0x3f /* of a continuation byte */

size_t utf8_decode(const char *text, uint32_t *c, bool *valid)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t len = 0, i = 1;

	*valid = true;
	*c = p[0];
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
		*c &= 0x1f;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		len = 3;
		*c &= 0x0f;
		if (p[0] == 0xe0)
			low = 0xa0; /* overlong */
		else if (p[0] == 0xed)
			high = 0x9f; /* surrogates */
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		*c &= 0x07;
		if (p[0] == 0xf0)
			low = 0x90; /* overlong */
		else if (p[0] == 0xf4)
			high = 0x8f; /* above U+10FFFF */
	}
	for (; i < len && p[i] >= low && p[i] <= high; i++) {
		*c = *c << 6 | (p[i] & PAYLOAD);
		low = 0x80;
		high = 0xbf;
	}
	if (i == len)
		return len;
	*valid = false;
	*c = UTF8_REPLACEMENT;
	return i;
}

size_t utf8_encode(char to[UTF8_BYTES], uint32_t c)
{
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = len; --i; c >>= 6)
		to[i] = (char)(0x80 | (c & PAYLOAD));
	to[0] = (char)(first[len] | c);
	return len;
}

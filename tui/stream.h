/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes through a pipe or socket, read without blocking and kept until it is used. */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream {
	int fd;
	uint8_t *data;
	size_t len, cap, at; /* at: the first byte that was not used yet */
	bool ended;	     /* no more will come */
	int err;	     /* why, or 0 */
};

/* Whether it has len more bytes, or no more will come. wait: until then. */
bool stream_has(struct stream *st, size_t len, bool wait);
/* The next bytes, if it has len. NULL: it does not. */
const uint8_t *stream_peek(const struct stream *st, size_t len);
/* Takes at most len bytes; their number. */
size_t stream_take(struct stream *st, void *to, size_t len);
void stream_free(struct stream *st);

#endif

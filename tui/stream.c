/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes through a pipe or socket: see stream.h. */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grow.h"

#define STEP_BYTES (1U << 16)

/* One read of what is there. O_NONBLOCK would be set for others that have the same pipe, too. */
static void fill(struct stream *st)
{
	ssize_t n;

	if (st->at)
		memmove(st->data, st->data + st->at, st->len - st->at);
	st->len -= st->at;
	st->at = 0;
	if (!GROW(st->data, st->cap, st->len + STEP_BYTES)) {
		st->err = -ENOMEM;
		st->ended = true;
		return;
	}
	n = read(st->fd, st->data + st->len, STEP_BYTES);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		st->err = -errno;
	st->ended = n <= 0;
	st->len += n > 0 ? (size_t)n : 0;
}

bool stream_has(struct stream *st, size_t len, bool wait)
{
	struct pollfd fd = { st->fd, POLLIN, 0 };

	while (st->len - st->at < len && !st->ended) {
		if (poll(&fd, 1, wait ? -1 : 0) <= 0)
			return false;
		fill(st);
	}
	return true;
}

const uint8_t *stream_peek(const struct stream *st, size_t len)
{
	return st->len - st->at < len ? NULL : st->data + st->at;
}

size_t stream_take(struct stream *st, void *to, size_t len)
{
	size_t n = st->len - st->at < len ? st->len - st->at : len;

	if (n)
		memcpy(to, st->data + st->at, n);
	st->at += n;
	return n;
}

void stream_free(struct stream *st)
{
	free(st->data);
	*st = (struct stream){ 0 };
}

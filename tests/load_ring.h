/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ring of io_uring, by its system calls; for workloads. */
#ifndef LOAD_RING_H
#define LOAD_RING_H

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>

struct ring {
	int fd, enter_fd;
	unsigned int enter_flags;
	bool polled; /* IORING_SETUP_SQPOLL: a kernel thread takes what is asked */
	unsigned int *sq_head, *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_mask;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
};

struct ring_end {
	uint64_t user_data;
	int res;
};

void ring_open(struct ring *r, unsigned int flags);
/* Hands over a request; ring_wait gives the one that ended first. */
void ring_ask(struct ring *r, const struct io_uring_sqe *request);
struct ring_end ring_wait(struct ring *r);
void ring_sleep(struct ring *r); /* the same, but whatever comes stays there */
void ring_register(struct ring *r, unsigned int what, void *arg, unsigned int n);

#endif

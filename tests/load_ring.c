/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rings of io_uring, and programs that sleep in io_uring_enter for ever, each for one kind of request.
 */
#include "load_ring.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "load.h"

static char *map_ring(int fd, size_t bytes, off_t what)
{
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

	if (at == MAP_FAILED)
		load_die("io_uring");
	return at;
}

void ring_open(struct ring *r, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags, .sq_thread_idle = 1 };
	char *sq, *cq;

	r->fd = r->enter_fd = (int)syscall(SYS_io_uring_setup, 4, &p);
	if (r->fd < 0)
		load_die("io_uring_setup");
	r->enter_flags = 0;
	r->polled = flags & IORING_SETUP_SQPOLL;
	sq = map_ring(r->fd, p.sq_off.array + p.sq_entries * sizeof(unsigned int), IORING_OFF_SQ_RING);
	cq = map_ring(r->fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	r->sqe = (struct io_uring_sqe *)map_ring(r->fd, p.sq_entries * sizeof(*r->sqe), IORING_OFF_SQES);
	r->sq_head = (unsigned int *)(sq + p.sq_off.head);
	r->sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	r->sq_mask = (unsigned int *)(sq + p.sq_off.ring_mask);
	r->sq_array = (unsigned int *)(sq + p.sq_off.array);
	r->cq_head = (unsigned int *)(cq + p.cq_off.head);
	r->cq_mask = (unsigned int *)(cq + p.cq_off.ring_mask);
	r->cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
}

static long enter(struct ring *r, unsigned int submit, unsigned int wait, unsigned int flags)
{
	return syscall(SYS_io_uring_enter, r->enter_fd, submit, wait, flags | r->enter_flags, NULL, 0);
}

void ring_ask(struct ring *r, const struct io_uring_sqe *request)
{
	unsigned int tail = *r->sq_tail, at = tail & *r->sq_mask;

	r->sqe[at] = *request;
	r->sq_array[at] = at;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_SEQ_CST);
	if (enter(r, 1, 0, r->polled ? IORING_ENTER_SQ_WAKEUP : 0) != 1)
		load_die("io_uring_enter");
	while (r->polled && __atomic_load_n(r->sq_head, __ATOMIC_ACQUIRE) != tail + 1)
		sched_yield(); /* until it is taken */
}

void ring_sleep(struct ring *r)
{
	if (enter(r, 0, 1, IORING_ENTER_GETEVENTS) < 0)
		load_die("io_uring_enter");
}

struct ring_end ring_wait(struct ring *r)
{
	const struct io_uring_cqe *cqe;
	struct ring_end end;

	ring_sleep(r);
	cqe = &r->cqe[*r->cq_head & *r->cq_mask];
	end = (struct ring_end){ cqe->user_data, cqe->res };
	__atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
	return end;
}

void ring_register(struct ring *r, unsigned int what, void *arg, unsigned int n)
{
	if (syscall(SYS_io_uring_register, r->fd, what, arg, n) < 0)
		load_die("io_uring_register");
}

/* ---- asleep for ever ---- */

static struct ring ring;
static char byte;

static void ask(uint8_t opcode, int fd, uint8_t flags)
{
	ring_ask(&ring, &(struct io_uring_sqe){
				.opcode = opcode, .fd = fd, .addr = (uintptr_t)&byte, .len = 1, .flags = flags });
}

static int a_socket(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
		load_die("socketpair");
	return fd[0];
}

static int a_pipe(void)
{
	int fd[2];

	if (pipe(fd))
		load_die("pipe");
	return fd[0];
}

static void ask_for_time(void)
{
	static struct __kernel_timespec day = { .tv_sec = 86400 };

	ring_ask(&ring, &(struct io_uring_sqe){ .opcode = IORING_OP_TIMEOUT, .addr = (uintptr_t)&day, .len = 1 });
}

static void ask_recv(void)
{
	ask(IORING_OP_RECV, a_socket(), 0);
}

static void ask_read(void)
{
	ask(IORING_OP_READ, a_socket(), 0);
}

static void ask_pipe(void)
{
	ask(IORING_OP_READ, a_pipe(), 0);
}

static void ask_eventfd(void)
{
	static uint64_t count;

	ring_ask(&ring, &(struct io_uring_sqe){ .opcode = IORING_OP_READ,
						.fd = eventfd(0, 0),
						.addr = (uintptr_t)&count,
						.len = sizeof(count) });
}

static void ask_poll(void)
{
	ring_ask(&ring,
		 &(struct io_uring_sqe){ .opcode = IORING_OP_POLL_ADD, .fd = a_socket(), .poll32_events = POLLIN });
}

/* Both the file and the ring by their places in tables of the kernel's. */
static void ask_registered(void)
{
	struct io_uring_rsrc_update place = { .offset = 3, .data = (uint64_t)ring.fd };
	int files[2] = { a_pipe(), a_socket() };

	ring_register(&ring, IORING_REGISTER_FILES, files, 2);
	ring_register(&ring, IORING_REGISTER_RING_FDS, &place, 1);
	ring.enter_fd = 3;
	ring.enter_flags = IORING_ENTER_REGISTERED_RING;
	ask(IORING_OP_READ, 1, IOSQE_FIXED_FILE);
}

/* The worker that the kernel made for it has nothing more to do. */
static void ask_worker(void)
{
	ask(IORING_OP_NOP, -1, IOSQE_ASYNC);
	if (ring_wait(&ring).res)
		load_die("nop");
	ask_for_time();
}

/* What ended is waited for no more. */
static void ask_after(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) || write(fd[1], "", 1) != 1)
		load_die("socketpair");
	ask(IORING_OP_READ, fd[0], 0);
	if (ring_wait(&ring).res != 1)
		load_die("read");
	ask(IORING_OP_RECV, -1, 0);
	if (ring_wait(&ring).res != -EBADF)
		load_die("recv");
	ask_for_time();
}

/* All end at once, more than its completion queue of eight has room for. */
static void ask_full(void)
{
	enum { ASKED = 20 };
	char bytes[ASKED] = "";
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
		load_die("socketpair");
	for (int i = 0; i < ASKED; i++)
		ask(IORING_OP_RECV, fd[0], 0);
	if (write(fd[1], bytes, sizeof(bytes)) != ASKED)
		load_die("write");
	for (int i = 0; i < ASKED; i++)
		if (ring_wait(&ring).res != 1)
			load_die("recv");
	ask_for_time();
}

static const struct {
	const char *kind;
	void (*ask)(void);
	unsigned int flags;
} kinds[] = {
	{ "recv", ask_recv, 0 },
	{ "read", ask_read, 0 },
	{ "pipe", ask_pipe, 0 },
	{ "eventfd", ask_eventfd, 0 },
	{ "poll", ask_poll, 0 },
	{ "timeout", ask_for_time, 0 },
	{ "registered", ask_registered, 0 },
	{ "after", ask_after, 0 },
	{ "full", ask_full, 0 },
	{ "worker", ask_worker, 0 },
	{ "poller", ask_pipe, IORING_SETUP_SQPOLL },
};

static void run_ring_sleep(char **arg)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(arg[0], kinds[i].kind) != 0)
			continue;
		ring_open(&ring, kinds[i].flags);
		kinds[i].ask();
		load_ready("pid=%d", getpid());
		ring_sleep(&ring);
	}
	load_die(arg[0]);
}

const struct workload load_ring[] = {
	{ "ring-sleep", "KIND", run_ring_sleep,
	  "asleep in io_uring_enter until it is killed, for one kind of request" },
	{},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to a block device that is the workload's alone, in each way that there is to ask for them. What a round
 * asked for, the kernel has counted when it is done.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "load.h"
#include "load_ring.h"

#define BLOCK_BYTES 4096
#define BLOCKS 4096 /* of the device, 16 MiB */
#define DEPTH 4

static char block[DEPTH][BLOCK_BYTES] __attribute__((aligned(BLOCK_BYTES)));
static const char *path;
static int direct, buffered;

static off_t place(long i)
{
	return (i * 2654435761 % BLOCKS) * BLOCK_BYTES;
}

static void by_calls(long n)
{
	for (long i = 0; i < n; i++)
		if ((i & 1 ? pwrite(direct, block[0], BLOCK_BYTES, place(i))
			   : pread(direct, block[0], BLOCK_BYTES, place(i))) != BLOCK_BYTES)
			load_die(path);
}

static void by_aio(long n)
{
	struct iocb ask[DEPTH], *asks[DEPTH];
	struct io_event end[DEPTH];
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, DEPTH, &context))
		load_die("io_setup");
	for (long i = 0; i < n; i += DEPTH) {
		for (int j = 0; j < DEPTH; j++) {
			asks[j] = &ask[j];
			ask[j] = (struct iocb){ .aio_fildes = (uint32_t)direct,
						.aio_lio_opcode = j & 1 ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
						.aio_buf = (uintptr_t)block[j],
						.aio_nbytes = BLOCK_BYTES,
						.aio_offset = place(i + j) };
		}
		if (syscall(SYS_io_submit, context, DEPTH, asks) != DEPTH ||
		    syscall(SYS_io_getevents, context, DEPTH, DEPTH, end, NULL) != DEPTH)
			load_die("aio");
		for (int j = 0; j < DEPTH; j++)
			if (end[j].res != BLOCK_BYTES)
				load_die(path);
	}
	syscall(SYS_io_destroy, context);
}

static void by_ring(long n)
{
	static struct ring r;

	if (!r.sqe)
		ring_open(&r, 0);
	for (long i = 0; i < n; i += DEPTH) {
		for (int j = 0; j < DEPTH; j++)
			ring_ask(&r, &(struct io_uring_sqe){ .opcode = j & 1 ? IORING_OP_WRITE : IORING_OP_READ,
							     .fd = direct,
							     .addr = (uintptr_t)block[j],
							     .len = BLOCK_BYTES,
							     .off = (uint64_t)place(i + j) });
		for (int j = 0; j < DEPTH; j++)
			if (ring_wait(&r).res != BLOCK_BYTES)
				load_die(path);
	}
}

static void by_pages(long n)
{
	for (long i = 0; i < n; i++)
		if (pwrite(buffered, block[0], BLOCK_BYTES, place(i)) != BLOCK_BYTES)
			load_die(path);
}

static void by_fsync(long n)
{
	by_pages(n);
	if (fsync(buffered))
		load_die("fsync");
}

static void by_many_fsyncs(long n)
{
	for (long i = 0; i < n; i++)
		by_fsync(1);
}

static void by_discard(long n)
{
	for (long i = 0; i < n; i++) {
		uint64_t range[2] = { (uint64_t)place(i), BLOCK_BYTES };

		if (ioctl(direct, BLKDISCARD, range))
			load_die("discard");
	}
}

static const struct {
	const char *name;
	void (*run)(long n);
} ways[] = {
	{ "calls", by_calls },	   { "aio", by_aio },	  { "ring", by_ring },
	{ "pages", by_pages },	   { "fsync", by_fsync }, { "fsyncs", by_many_fsyncs },
	{ "discard", by_discard },
};

static void run_requests(char **arg)
{
	long n = load_number(arg[2]);
	void (*run)(long) = NULL;

	path = arg[0];
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(arg[1], ways[i].name))
			run = ways[i].run;
	direct = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	buffered = open(path, O_RDWR | O_CLOEXEC);
	if (direct < 0 || buffered < 0 || !run)
		load_die(path);
	load_ready("pid=%d", getpid());
	while (load_go()) {
		run(n);
		load_done(n, " ");
	}
}

const struct workload load_requests[] = {
	{ "requests", "DEVICE calls|aio|ring|pages|fsync|fsyncs|discard N", run_requests,
	  "N requests of a page each to a block device" },
	{},
};

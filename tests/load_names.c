/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes whose names change, or cannot be read: titles, and memory that is locked for good. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "load.h"
#include "mounts.h"

/* WORD makes room for a title: each round writes "title I" over the whole command line, as setproctitle does. */
static void run_title(char **arg)
{
	char *end = arg[0] + strlen(arg[0]), *begin = arg[-2];

	load_ready(" ");
	for (int i = 1; load_go(); i++) {
		memset(begin, 0, (size_t)(end - begin));
		snprintf(begin, (size_t)(end - begin), "title %d", i);
		load_done(1, " ");
	}
}

static void answer(int fd, uint64_t unique, int error, const void *data, size_t len)
{
	struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + len), .error = error, .unique = unique };
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)data, len } };

	if (writev(fd, parts, len ? 2 : 1) < 0 && errno != ENOENT)
		load_die("/dev/fuse");
}

static struct fuse_attr attributes(uint64_t node, size_t bytes)
{
	return (struct fuse_attr){ .ino = node,
				   .mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644,
				   .nlink = 1,
				   .size = node == FUSE_ROOT_ID ? 0 : bytes,
				   .blksize = 4096 };
}

/* A file system of one file that answers everything but writes; `written` gets a byte for each of them. */
static void serve(int fd, size_t bytes, int written)
{
	static char buf[1 << 18], zeros[1 << 16];
	struct fuse_in_header *in = (void *)buf;

	while (read(fd, buf, sizeof(buf)) > 0 || errno == EINTR || errno == ENOENT) {
		struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
					      .minor = 31,
					      .max_write = sizeof(zeros),
					      .flags = FUSE_WRITEBACK_CACHE };
		struct fuse_entry_out entry = { .nodeid = 2, .attr_valid = 1000, .entry_valid = 1000 };
		struct fuse_attr_out attr = { .attr_valid = 1000, .attr = attributes(in->nodeid, bytes) };
		struct fuse_open_out opened = { .fh = 1 };
		const struct fuse_read_in *part = (void *)(in + 1);

		entry.attr = attributes(2, bytes);
		if (in->opcode == FUSE_INIT)
			answer(fd, in->unique, 0, &init, sizeof(init));
		else if (in->opcode == FUSE_LOOKUP)
			answer(fd, in->unique, 0, &entry, sizeof(entry));
		else if (in->opcode == FUSE_GETATTR || in->opcode == FUSE_SETATTR)
			answer(fd, in->unique, 0, &attr, sizeof(attr));
		else if (in->opcode == FUSE_OPEN)
			answer(fd, in->unique, 0, &opened, sizeof(opened));
		else if (in->opcode == FUSE_READ)
			answer(fd, in->unique, 0, zeros, part->size < sizeof(zeros) ? part->size : sizeof(zeros));
		else if (in->opcode == FUSE_WRITE) {
			if (write(written, "w", 1) != 1)
				load_die("pipe");
		} else if (in->opcode != FUSE_FORGET && in->opcode != FUSE_INTERRUPT)
			answer(fd, in->unique, -ENOSYS, NULL, 0);
	}
	_exit(0);
}

static char *page;
static int mapper_tid;
static bool go_on;

static void *unmap(void *arg)
{
	munmap(page, 4096);
	return arg;
}

static void *map(void *arg)
{
	while (!__atomic_load_n(&go_on, __ATOMIC_ACQUIRE)) /* created before: a thread's stack needs the lock, too */
		sched_yield();
	__atomic_store_n(&mapper_tid, (int)gettid(), __ATOMIC_RELEASE);
	mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return arg;
}

static bool waits(int tid)
{
	char path[64], text[512], *at;
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	if (file)
		fclose(file);
	text[n] = '\0';
	at = strrchr(text, ')');
	return at && at[2] == 'D';
}

/* One thread waits for a write to end while it holds the lock shared; another waits for it exclusively; so no other
 * thread gets it any more. */
static void lock_memory(void)
{
	int fd = open("/tmp/f", O_RDWR | O_CLOEXEC);
	char byte;

	page = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		load_die("/tmp/f");
	page[0] = 1;
	load_thread(map, NULL);
	load_thread(unmap, NULL);
	if (read(STDIN_FILENO, &byte, 1) != 1) /* the file system's: the write has begun */
		load_die("write");
	__atomic_store_n(&go_on, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&mapper_tid, __ATOMIC_ACQUIRE) || !waits(mapper_tid))
		sched_yield();
}

static void run_memory_locked(char **arg)
{
	int fd, written[2], input = dup(STDIN_FILENO);
	char options[96];

	(void)arg;
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (fd < 0 || !mounts_unshare() || mount("lagtop-live", "/tmp", "fuse", 0, options) || pipe(written)) {
		load_ready("fuse=0");
		load_go();
		return;
	}
	if (!load_fork())
		serve(fd, 4096, written[1]);
	close(fd);
	dup2(written[0], STDIN_FILENO);
	lock_memory();
	dup2(input, STDIN_FILENO);
	load_ready("fuse=1");
	load_go();
	_exit(0);
}

const struct workload load_names[] = {
	{ "title", "WORD", run_title, "writes another title over its command line each round" },
	{ "memory-locked", "", run_memory_locked,
	  "its memory lock is held for good: /proc/PID/cmdline waits for ever" },
	{},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk that hangs for as long as the test wants: a block device (loop) over a file of a frozen ext4, in a mount
 * namespace of its own. A process that waits for it cannot be killed, so the workload itself never waits for it, and a
 * guardian thaws the file system when the workload has exited.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"
#include "load_ring.h"
#include "mounts.h"

/* The workload's own /tmp. */
#define DISK_IMAGE "/tmp/disk.image"
#define DISK "/tmp/disk"
#define INNER_IMAGE DISK "/image"
#define BLOCK_BYTES 4096

enum { HANG_FSYNC, HANG_WRITE, HANG_FLOCK, HANG_FCNTL, HANG_RING, HANGS };

static int disk, device, file; /* the root of the frozen file system, the device that hangs with it, a file of it */
static int64_t *held_ns;       /* [HANGS], measured by the sleepers themselves */
static int locked;	       /* a file of the parent's */
static char block[BLOCK_BYTES];

static void make_image(const char *path, off_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || posix_fallocate(fd, 0, bytes) || fsync(fd))
		load_die(path);
	close(fd);
}

/* Another process may take the free one first. The device goes away with its last user. */
static int attach_loop(const char *image, char path[32])
{
	struct loop_config config = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), fd, nr;

	config.fd = (uint32_t)open(image, O_RDWR | O_CLOEXEC);
	for (int tries = 0; tries < 100; tries++) {
		nr = ioctl(control, LOOP_CTL_GET_FREE);
		snprintf(path, 32, "/dev/loop%d", nr);
		fd = nr < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && !ioctl(fd, LOOP_CONFIGURE, &config)) {
			close((int)config.fd);
			close(control);
			return fd;
		}
		if (fd < 0 || errno != EBUSY)
			break;
		close(fd);
	}
	load_die("loop");
}

static void make_disk(void)
{
	char path[32];
	int outer;

	if (!mounts_unshare() || mount("disk", "/tmp", "tmpfs", 0, NULL) || mkdir(DISK, 0700))
		load_die("mount");
	make_image(DISK_IMAGE, 16 << 20);
	if (system("PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q -F " DISK_IMAGE) != 0)
		load_die("mkfs.ext4");
	outer = attach_loop(DISK_IMAGE, path);
	if (mount(path, DISK, "ext4", 0, NULL))
		load_die(path);
	close(outer);
	make_image(INNER_IMAGE, 4 << 20);
	device = attach_loop(INNER_IMAGE, path);
	file = open(DISK "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	disk = open(DISK, O_RDONLY | O_CLOEXEC);
	if (file < 0 || disk < 0 || pwrite(device, block, sizeof(block), 0) != sizeof(block) || fsync(device))
		load_die("disk");
}

static void thaw(void)
{
	ioctl(disk, FITHAW, 0);
}

/* Returns an end of a pipe that only the workload may hold. */
static int guard(void)
{
	int fd[2];
	char byte;

	if (pipe(fd))
		load_die("pipe");
	if (!fork()) {
		close(STDOUT_FILENO); /* the test may be waiting for its end */
		close(fd[1]);
		while (read(fd[0], &byte, 1) > 0)
			;
		thaw();
		_exit(0);
	}
	close(fd[0]);
	return fd[1];
}

/* A write to the device, by a ring that also listens to a socket. */
static int write_by_ring(void)
{
	static char aligned[BLOCK_BYTES] __attribute__((aligned(BLOCK_BYTES)));
	struct io_uring_sqe listen = { .opcode = IORING_OP_RECV, .addr = (uintptr_t)block, .len = 1 };
	struct io_uring_sqe give = { .opcode = IORING_OP_WRITE, .addr = (uintptr_t)aligned, .len = BLOCK_BYTES };
	char path[32];
	struct ring r;
	int fd[2];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", device);
	give.fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (give.fd < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
		return -1;
	listen.fd = fd[0];
	ring_open(&r, 0);
	ring_ask(&r, &listen);
	ring_ask(&r, &give);
	return ring_wait(&r).res;
}

static void hang(int how)
{
	struct flock whole = { .l_type = F_WRLCK };
	int64_t began_ns;
	int ret = 0;

	if (how == HANG_FSYNC && pwrite(device, block, sizeof(block), 0) != sizeof(block))
		_exit(1);
	began_ns = load_now_ns();
	if (how == HANG_FSYNC)
		ret = fsync(device);
	else if (how == HANG_WRITE)
		ret = pwrite(file, block, sizeof(block), 0) != sizeof(block);
	else if (how == HANG_FLOCK)
		ret = flock(open(DISK, O_RDONLY), LOCK_EX);
	else if (how == HANG_RING)
		ret = write_by_ring() != BLOCK_BYTES;
	else
		ret = fcntl(locked, F_SETLKW, &whole);
	held_ns[how] = load_now_ns() - began_ns;
	_exit(ret != 0);
}

static void run_hang(char **arg)
{
	struct flock whole = { .l_type = F_WRLCK };
	pid_t pid[HANGS];
	int status, guarded;

	(void)arg;
	held_ns = mmap(NULL, HANGS * sizeof(*held_ns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	make_disk();
	guarded = guard();
	locked = memfd_create("locked", MFD_CLOEXEC);
	if (held_ns == MAP_FAILED || flock(disk, LOCK_EX) || fcntl(locked, F_SETLK, &whole) || ioctl(disk, FIFREEZE, 0))
		load_die("freeze");
	for (int i = 0; i < HANGS; i++) {
		pid[i] = load_fork();
		if (!pid[i]) {
			close(guarded);
			hang(i);
		}
	}
	load_ready("fsync=%d write=%d flock=%d fcntl=%d ring=%d", pid[HANG_FSYNC], pid[HANG_WRITE], pid[HANG_FLOCK],
		   pid[HANG_FCNTL], pid[HANG_RING]);
	if (load_go()) {
		thaw();
		flock(disk, LOCK_UN);
		whole.l_type = F_UNLCK;
		fcntl(locked, F_SETLK, &whole);
		for (int i = 0; i < HANGS; i++)
			if (waitpid(pid[i], &status, 0) != pid[i] || status)
				load_die("hang");
		load_done(HANGS, "fsync_ns=%lld write_ns=%lld flock_ns=%lld fcntl_ns=%lld ring_ns=%lld",
			  (long long)held_ns[HANG_FSYNC], (long long)held_ns[HANG_WRITE],
			  (long long)held_ns[HANG_FLOCK], (long long)held_ns[HANG_FCNTL],
			  (long long)held_ns[HANG_RING]);
		load_go();
	}
	thaw();
}

/* Makes a file of which no page is in memory. */
static int make_file(const char *path, long pages, int flags)
{
	static char page[BLOCK_BYTES] __attribute__((aligned(BLOCK_BYTES)));
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (long i = 0; i < pages; i++)
		if (pwrite(fd, page, sizeof(page), i * BLOCK_BYTES) != sizeof(page))
			load_die(path);
	if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		load_die(path);
	close(fd);
	fd = open(path, O_RDWR | O_CLOEXEC | flags);
	if (fd < 0)
		load_die(path);
	unlink(path);
	return fd;
}

/* Each read sleeps once, for the device, and for nothing else. */
static void run_direct(char **arg)
{
	static char page[BLOCK_BYTES] __attribute__((aligned(BLOCK_BYTES)));
	long n = load_number(arg[1]);
	int fd = make_file(arg[0], n, O_DIRECT);
	int64_t began_ns, ns, longest_ns, sum_ns;
	struct rusage before, after;

	load_ready("pid=%d", getpid());
	while (load_go()) {
		longest_ns = sum_ns = 0;
		getrusage(RUSAGE_SELF, &before);
		for (long i = 0; i < n; i++) {
			began_ns = load_now_ns();
			if (pread(fd, page, sizeof(page), i * BLOCK_BYTES) != sizeof(page))
				load_die("read");
			ns = load_now_ns() - began_ns;
			sum_ns += ns;
			longest_ns = ns > longest_ns ? ns : longest_ns;
		}
		getrusage(RUSAGE_SELF, &after);
		load_done(n, "waits=%ld sum_ns=%lld longest_ns=%lld", after.ru_nvcsw - before.ru_nvcsw,
			  (long long)sum_ns, (long long)longest_ns);
	}
}

static volatile char *map_file(int fd, long pages)
{
	char *at = mmap(NULL, (size_t)pages * BLOCK_BYTES, PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED || madvise(at, (size_t)pages * BLOCK_BYTES, MADV_RANDOM))
		load_die("mmap");
	return at;
}

/* Who reads a page in is charged for it: none is left from writing the file. By calls and by page faults: only what was
 * read several times, sooner by calls, counts as missing when it is read again. */
static void run_thrash(char **arg)
{
	long pages = load_number(arg[1]) * 1024 * 1024 / BLOCK_BYTES, ms = load_number(arg[2]), reads;
	int fd = make_file(arg[0], pages, 0);
	volatile char *at = map_file(fd, pages);
	uint64_t random = 1;

	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	load_pin(load_number(arg[3]));
	load_ready("pid=%d", getpid());
	while (load_go()) {
		int64_t end_ns = load_now_ns() + ms * 1000000;

		for (reads = 0; load_now_ns() < end_ns; reads++) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			off_t to = (off_t)(random >> 33) % pages * BLOCK_BYTES;

			if (reads % 2)
				(void)at[to];
			else if (pread(fd, block, sizeof(block), to) != sizeof(block))
				load_die("read");
		}
		load_done(reads, "%s", "");
	}
}

/* Each page is read by a page fault of its own, in no call. */
static void run_faults(char **arg)
{
	long n = load_number(arg[1]);
	volatile char *at = map_file(make_file(arg[0], n, 0), n);
	struct rusage before, after;

	load_ready("pid=%d", getpid());
	while (load_go()) {
		int64_t sum_ns = -load_now_ns();

		getrusage(RUSAGE_SELF, &before);
		for (long i = 0; i < n; i++)
			(void)at[i * BLOCK_BYTES];
		sum_ns += load_now_ns();
		getrusage(RUSAGE_SELF, &after);
		load_done(n, "faults=%ld sum_ns=%lld", after.ru_majflt - before.ru_majflt, (long long)sum_ns);
	}
}

static int bytes_fd;
static long bytes_pages;

/* Half of the pages by page faults, then all of them dirtied. */
static void *touch_pages(void *unused)
{
	volatile char *at = map_file(bytes_fd, bytes_pages);

	for (long i = 0; i < bytes_pages; i += 2)
		(void)at[i * BLOCK_BYTES];
	for (long i = 0; i < bytes_pages; i++)
		if (pwrite(bytes_fd, block, sizeof(block), i * BLOCK_BYTES) != sizeof(block))
			load_die("write");
	munmap((void *)(uintptr_t)at, (size_t)bytes_pages * BLOCK_BYTES);
	return unused;
}

/* I/O by a thread that ends, by the process itself and by a child. */
static void run_bytes(char **arg)
{
	struct rusage before, after;
	int status;
	pid_t pid;

	bytes_pages = load_number(arg[1]);
	load_ready("pid=%d", getpid());
	while (load_go()) {
		getrusage(RUSAGE_SELF, &before);
		bytes_fd = make_file(arg[0], bytes_pages, 0);
		pthread_join(load_thread(touch_pages, NULL), NULL);
		if (fsync(bytes_fd) || posix_fadvise(bytes_fd, 0, 0, POSIX_FADV_DONTNEED))
			load_die("fsync");
		pid = load_fork();
		if (!pid) {
			touch_pages(NULL);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			load_die("child");
		getrusage(RUSAGE_SELF, &after);
		load_done(bytes_pages, "child=%d faults=%ld", pid, after.ru_majflt - before.ru_majflt);
		close(bytes_fd);
	}
}

const struct workload load_disk[] = {
	{ "direct", "FILE N", run_direct, "N reads of a page each past the page cache" },
	{ "bytes", "FILE PAGES", run_bytes, "page faults and writes of a file, by a thread, a process and a child" },
	{ "faults", "FILE N", run_faults, "N page faults, a page of a file each" },
	{ "hang", "", run_hang, "an fsync, writes and locks that end when the test says so" },
	{ "thrash", "FILE MIB MS CPU", run_thrash,
	  "reads a file's pages at random, for so long, by calls and page faults" },
	{},
};

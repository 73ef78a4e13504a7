/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file system that does not answer, in a mount namespace of its own, and a child that uses it: `fuse CALL` prints
 * `ready pid=PID` of the child once its request has arrived, which is never answered. Only what leads there is
 * answered: a directory, and a file "f" in it.
 */
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "load.h"
#include "mounts.h"

#define FILE_NODE 2
#define FILE_BYTES 4096

static void call_stat(void)
{
	struct stat st;

	stat("hang", &st);
}

static void call_access(void)
{
	access("hang", R_OK);
}

static void call_open(void)
{
	open("hang", O_RDONLY);
}

static void call_unlink(void)
{
	unlink("hang");
}

static void call_rename(void)
{
	rename("f", "hang");
}

static void call_mkdir(void)
{
	mkdir("hang", 0700);
}

static void call_readlink(void)
{
	char text[16];

	if (readlink("hang", text, sizeof(text)) < 0)
		return;
}

static void call_getxattr(void)
{
	char text[16];

	getxattr("f", "user.hang", text, sizeof(text));
}

static void call_statfs(void)
{
	struct statfs st;

	statfs("f", &st);
}

static void call_getdents(void)
{
	char entries[1024];

	syscall(SYS_getdents64, open(".", O_RDONLY | O_DIRECTORY), entries, sizeof(entries));
}

static void call_execve(void)
{
	execl("hang", "hang", NULL);
}

/* No call at all: a page fault on a mapped file. */
static void call_fault(void)
{
	const volatile char *page = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0);

	if (page != MAP_FAILED)
		(void)*page;
}

static void call_fsync(void)
{
	fsync(open("f", O_RDONLY));
}

static const struct {
	const char *name;
	void (*run)(void);
} calls[] = {
	{ "stat", call_stat },	       { "access", call_access },     { "open", call_open },
	{ "unlink", call_unlink },     { "rename", call_rename },     { "mkdir", call_mkdir },
	{ "readlink", call_readlink }, { "getxattr", call_getxattr }, { "statfs", call_statfs },
	{ "getdents", call_getdents }, { "execve", call_execve },     { "fsync", call_fsync },
	{ "fault", call_fault },
};
#define CALLS (sizeof(calls) / sizeof(*calls))

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node, .mode = node == FILE_NODE ? S_IFREG | 0700 : S_IFDIR | 0700, .size = FILE_BYTES, .nlink = 1
	};
}

static void reply(int dev, uint64_t unique, const void *body, size_t bytes)
{
	struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + bytes), .unique = unique };
	char answer[256];

	memcpy(answer, &head, sizeof(head));
	memcpy(answer + sizeof(head), body, bytes);
	if (write(dev, answer, head.len) != (ssize_t)head.len)
		load_die("fuse");
}

/* Answers one request of the kernel; false: it is the one that should hang. */
static bool answer(int dev, const struct fuse_in_header *ask, const char *body)
{
	struct fuse_init_out init = { .major = 7, .minor = 31, .max_write = 4096 };
	struct fuse_entry_out entry = {
		.nodeid = FILE_NODE, .entry_valid = 60, .attr_valid = 60, .attr = attributes(FILE_NODE)
	};
	struct fuse_attr_out attr = { .attr_valid = 60, .attr = attributes(ask->nodeid) };
	struct fuse_open_out opened = { .fh = 1 };

	switch (ask->opcode) {
	case FUSE_INIT:
		reply(dev, ask->unique, &init, sizeof(init));
		return true;
	case FUSE_GETATTR:
		reply(dev, ask->unique, &attr, sizeof(attr));
		return true;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(dev, ask->unique, &opened, sizeof(opened));
		return true;
	case FUSE_LOOKUP:
		if (!strcmp(body, "hang"))
			return false;
		reply(dev, ask->unique, &entry, sizeof(entry));
		return true;
	default:
		return false;
	}
}

static int mount_it(char *folder)
{
	char options[128];
	int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions", dev);
	if (dev < 0 || !mounts_unshare() || !mkdtemp(folder) ||
	    mount("lagtop-load", folder, "fuse", MS_NOSUID | MS_NODEV, options))
		load_die("fuse");
	return dev;
}

static void run_fuse(char **arg)
{
	char folder[] = "/tmp/lagtop-fuse-XXXXXX";
	static char ask[1 << 16];
	const struct fuse_in_header *head = (void *)ask;
	int dev = mount_it(folder);
	bool told = false;
	pid_t child;
	size_t i;

	for (i = 0; i < CALLS && strcmp(arg[0], calls[i].name); i++)
		;
	if (i == CALLS)
		exit(2);
	child = load_fork();
	if (!child) {
		close(dev);
		if (chdir(folder))
			load_die("chdir");
		calls[i].run();
		_exit(1);
	}
	while (read(dev, ask, sizeof(ask)) > 0)
		if (!answer(dev, head, ask + sizeof(*head)) && !told) {
			/* The directory under the mount is no longer needed. */
			umount2(folder, MNT_DETACH);
			rmdir(folder);
			load_ready("pid=%d", child);
			told = true;
		}
	load_die("fuse");
}

const struct workload load_fuse[] = {
	{ "fuse", "CALL", run_fuse, "asleep for ever in a call on a file system that does not answer: stat, …" },
	{},
};

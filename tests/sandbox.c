/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "live.h"
#include "mounts.h"

#define BIT(capability) (1U << ((capability)-32)) /* of the upper half */

static char capable_dir[32], capable[48]; /* the directory belongs to nobody: a user with access may use BPF */

static void need(bool made, const char *what)
{
	if (made)
		return;
	perror(what);
	_exit(126);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

void sandbox_nobody(void)
{
	need(!setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY), "setuid");
}

void sandbox_ambient(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	need(!prctl(PR_SET_KEEPCAPS, 1), "keep capabilities");
	sandbox_nobody();
	data[1].permitted = data[1].effective = data[1].inheritable = BIT(CAP_BPF) | BIT(CAP_PERFMON);
	need(!syscall(SYS_capset, &header, data), "capset");
	need(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_BPF, 0, 0), "ambient CAP_BPF");
	need(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_PERFMON, 0, 0), "ambient CAP_PERFMON");
}

void sandbox_no_capability(void)
{
	need(!prctl(PR_CAPBSET_DROP, CAP_BPF), "drop CAP_BPF");
	need(!prctl(PR_CAPBSET_DROP, CAP_PERFMON), "drop CAP_PERFMON");
	need(!prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN), "drop CAP_SYS_ADMIN");
}

void sandbox_user_namespace(void)
{
	need(!unshare(CLONE_NEWUSER), "user namespace");
	write_text("/proc/self/uid_map", "0 0 1");
}

static void end_with(pid_t child)
{
	int status;

	need(waitpid(child, &status, 0) == child, "wait");
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* The namespace's first process is waited for: when it ends, so does the namespace. */
void sandbox_pid_namespace(void)
{
	pid_t first;

	need(!unshare(CLONE_NEWPID), "pid namespace");
	need(mounts_unshare(), "private mounts");
	first = fork();
	need(first >= 0, "fork");
	if (first)
		end_with(first);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	need(!mount("proc", "/proc", "proc", 0, NULL), "/proc");
}

void sandbox_time_namespace(void)
{
	char text[80];
	int fd, n = snprintf(text, sizeof(text), "monotonic %d 0\nboottime %d 0\n", WORLD_MONOTONIC_S,
			     WORLD_BOOTTIME_S);

	need(!unshare(CLONE_NEWTIME), "time namespace");
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	need(fd >= 0 && write(fd, text, (size_t)n) == n, "its clocks");
	close(fd);
	/* At once: before Linux 6.2 an exec does not enter it. */
	fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	need(fd >= 0 && !setns(fd, CLONE_NEWTIME), "its entrance");
	close(fd);
}

void sandbox_no_btf(void)
{
	need(mounts_unshare(), "private mounts");
	need(!mount("none", "/sys/kernel/btf", "tmpfs", 0, NULL), "/sys/kernel/btf");
}

void sandbox_no_sys(void)
{
	need(mounts_unshare(), "private mounts");
	need(!umount2("/sys", MNT_DETACH), "/sys");
}

void sandbox_no_memlock(void)
{
	static const struct rlimit none;

	need(!setrlimit(RLIMIT_MEMLOCK, &none), "setrlimit");
}

void sandbox_refuses(int call, int command, int error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct scmp_arg_cmp first = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)command };

	need(filter && !seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint32_t)error), call, command >= 0, &first) &&
		     !seccomp_load(filter),
	     "seccomp");
	seccomp_release(filter);
}

/* Whether this bpf() call would attach that program. */
static bool attaches(const struct seccomp_notif *call, int process, const char *program)
{
	union bpf_attr attr = { 0 };
	struct iovec to = { &attr, sizeof(attr.link_create.prog_fd) },
		     from = { (void *)call->data.args[1], to.iov_len };
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	int fd;

	need(process_vm_readv((pid_t)call->pid, &to, 1, &from, 1, 0) == (ssize_t)to.iov_len, "its memory");
	fd = pidfd_getfd(process, (int)attr.link_create.prog_fd, 0);
	need(fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size), "its program");
	close(fd);
	return !strcmp(info.name, program);
}

static void answer_calls(int listener, int process, const char *program)
{
	struct pollfd fds[] = { { .fd = listener, .events = POLLIN }, { .fd = process, .events = POLLIN } };
	struct seccomp_notif *call;
	struct seccomp_notif_resp *answer;

	need(!seccomp_notify_alloc(&call, &answer), "memory");
	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		memset(call, 0, sizeof(*call));
		if (seccomp_notify_receive(listener, call))
			continue;
		*answer = (struct seccomp_notif_resp){ .id = call->id };
		if (attaches(call, process, program))
			answer->error = -EPERM;
		else
			answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		seccomp_notify_respond(listener, answer);
	}
}

/* The parent answers. It gets the number of the descriptor that delivers the calls, and duplicates it. */
void sandbox_refuses_to_attach(const char *program)
{
	struct scmp_arg_cmp first = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = BPF_LINK_CREATE };
	int told[2], taken[2], listener = -1, process;
	scmp_filter_ctx filter;
	pid_t child;

	need(!pipe(told) && !pipe(taken), "pipes");
	child = fork();
	need(child >= 0, "fork");
	if (child) {
		process = pidfd_open(child, 0);
		need(process >= 0 && read(told[0], &listener, sizeof(listener)) == sizeof(listener), "its descriptor");
		listener = pidfd_getfd(process, listener, 0);
		need(listener >= 0 && write(taken[1], "", 1) == 1, "its calls");
		answer_calls(listener, process, program);
		end_with(child);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	filter = seccomp_init(SCMP_ACT_ALLOW);
	need(filter && !seccomp_rule_add_array(filter, SCMP_ACT_NOTIFY, SCMP_SYS(bpf), 1, &first) &&
		     !seccomp_load(filter),
	     "seccomp");
	listener = seccomp_notify_fd(filter);
	need(write(told[1], &listener, sizeof(listener)) == sizeof(listener) && read(taken[0], &listener, 1) == 1,
	     "who answers");
	for (int i = 0; i < 2; i++)
		need(!close(told[i]) && !close(taken[i]), "pipes");
}

static void remove_capable(void)
{
	unlink(capable);
	rmdir(capable_dir);
}

/* Handles the signals that end a run that takes too long. */
static void remove_and_end(int signal_number)
{
	remove_capable();
	raise(signal_number);
}

static bool copy_capable(const char *dir)
{
	struct sigaction removes = { .sa_handler = remove_and_end, .sa_flags = (int)SA_RESETHAND };
	struct vfs_cap_data caps = { .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE };
	struct statvfs mounted;
	struct stat st;
	int from, to;
	bool done;

	if (statvfs(dir, &mounted) || mounted.f_flag & (ST_NOSUID | ST_NOEXEC))
		return false;
	caps.data[1].permitted = BIT(CAP_BPF) | BIT(CAP_PERFMON);
	snprintf(capable_dir, sizeof(capable_dir), "%s/lagtop-XXXXXX", dir);
	if (!mkdtemp(capable_dir))
		return false;
	snprintf(capable, sizeof(capable), "%s/lagtop", capable_dir);
	atexit(remove_capable);
	sigaction(SIGTERM, &removes, NULL);
	sigaction(SIGINT, &removes, NULL);
	from = open(child_lagtop(), O_RDONLY | O_CLOEXEC);
	to = open(capable, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	done = !chown(capable_dir, NOBODY, (gid_t)-1) && from >= 0 && to >= 0 && !fstat(from, &st) &&
	       sendfile(to, from, NULL, (size_t)st.st_size) == st.st_size && !fchmod(to, 0755) &&
	       !fsetxattr(to, "security.capability", &caps, XATTR_CAPS_SZ_2, 0);
	close(from);
	close(to);
	if (!done)
		remove_capable();
	return done;
}

const char *sandbox_capable_lagtop(void)
{
	static bool tried, made;

	if (!tried)
		made = copy_capable("/var/tmp") || copy_capable("/tmp");
	tried = true;
	return made ? capable : NULL;
}

struct outcome outcome_of(void (*sandbox)(void), const char *program, const char *option, ...)
{
	char *argv[16] = { (char *)(program ? program : child_lagtop()) };
	struct outcome o;
	va_list args;

	va_start(args, option);
	for (size_t n = 1; n < 15 && option; n++, option = va_arg(args, const char *))
		argv[n] = (char *)option;
	va_end(args);
	o = outcome_run(sandbox, argv);
	if (o.status < 0 || o.status == 126 || o.status == 127)
		fail_msg("not started: %s", o.errors ? o.errors : "");
	return o;
}

void outcome_refuses(struct outcome o, int status, const char *word)
{
	size_t len = strlen(o.errors);

	if (o.status != status || o.out_lines || len < 10 || strchr(o.errors, '\n') != o.errors + len - 1 ||
	    strncmp(o.errors, "lagtop: ", 8) != 0 || strstr(o.errors, "libbpf") ||
	    strcasestr(o.errors, "unknown error") || !strcasestr(o.errors, word))
		fail_msg("status %d (expected %d), %zu lines on stdout, stderr (expected one line with '%s'): %s",
			 o.status, status, o.out_lines, word, o.errors);
	outcome_free(&o);
}

static char group[128];

static bool group_put(const char *file, const char *text)
{
	char path[256];
	FILE *f;
	bool done;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	f = fopen(path, "w");
	done = f && fputs(text, f) >= 0;
	return f && !fclose(f) && done;
}

bool sandbox_memory_group(const char *limit_bytes)
{
	static const char *const trees[] = { "/sys/fs/cgroup/memory", "/sys/fs/cgroup" };

	for (size_t i = 0; i < sizeof(trees) / sizeof(*trees); i++) {
		snprintf(group, sizeof(group), "%s/lagtop-live-%d", trees[i], getpid());
		if (mkdir(group, 0755))
			continue;
		if (group_put("memory.limit_in_bytes", limit_bytes) || group_put("memory.max", limit_bytes))
			return true;
		rmdir(group);
	}
	*group = '\0';
	return false;
}

void sandbox_in_memory_group(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	if (!group_put("cgroup.procs", pid))
		_exit(126);
}

/* The kernel takes a while to notice that it is empty. */
void sandbox_remove_memory_group(void)
{
	for (int i = 0; *group && i < 1000 && rmdir(group) && errno == EBUSY; i++)
		usleep(10000);
	*group = '\0';
}

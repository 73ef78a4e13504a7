/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals and priorities for processes: see control.h. */
#include "control.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc.h"

const struct control_signal control_signals[] = {
	{ SIGTERM, "TERM", "end, and clean up" },
	{ SIGINT, "INT", "as if ^C were typed" },
	{ SIGHUP, "HUP", "hang up; many daemons reload their configuration" },
	{ SIGQUIT, "QUIT", "end with a core dump" },
	{ SIGUSR1, "USR1", "the program's own meaning" },
	{ SIGUSR2, "USR2", "the program's own meaning" },
	{ SIGSTOP, "STOP", "stop" },
	{ SIGCONT, "CONT", "continue" },
	{ SIGABRT, "ABRT", "abort with a core dump" },
	{ SIGKILL, "KILL", "end at once; nothing is cleaned up" },
};
const int control_signals_count = sizeof(control_signals) / sizeof(control_signals[0]);

int control_signal(uint32_t pid, uint64_t start_ns, int signal)
{
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0), err;

	if (fd < 0)
		return -errno;
	/* The pidfd pins the process: if the start time is right after the pidfd was opened, it is the right
	 * process. */
	err = proc_began(pid, start_ns);
	if (!err && syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0))
		err = -errno;
	close(fd);
	return err;
}

int control_nice(uint32_t pid, uint64_t start_ns, int *nice)
{
	errno = 0;
	*nice = getpriority(PRIO_PROCESS, pid);
	/* Checked after the value was read: so the value was this process's. */
	return errno ? -errno : proc_began(pid, start_ns);
}

int control_renice(uint32_t pid, uint64_t start_ns, int nice)
{
	struct dirent *e;
	int err, changed = 0;
	DIR *dir;

	/* The open directory pins the process: it never shows the threads of another process with the same pid. */
	dir = proc_tasks(pid);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	err = proc_began(pid, start_ns);
	while (!err && (e = readdir(dir))) { /* nice is a thread's on Linux */
		id_t tid = (id_t)atoi(e->d_name);

		if (!tid)
			continue;
		if (!setpriority(PRIO_PROCESS, tid, nice))
			changed++;
		else if (errno != ESRCH)
			err = -errno;
	}
	closedir(dir);
	return err || changed ? err : -ESRCH; /* it may have ended since */
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edges that numbers fall off: exec that returns as another call, a connection younger than its listener. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

/* N times by execveat, which returns as execve; LEFT counts down to 0. */
static void run_fexecve(char **arg)
{
	long n = load_number(arg[0]), left = load_number(arg[1]);
	char text[24], *argv[] = { (char *)"load", (char *)"fexecve", arg[0], text, NULL };
	extern char **environ;
	int fd;

	if (left == n) {
		load_ready(" ");
		if (!load_go())
			return;
	}
	if (!left) {
		load_done(n, "call:execveat=%ld", n);
		load_go();
		return;
	}
	snprintf(text, sizeof(text), "%ld", left - 1);
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fexecve(fd, argv, environ))
		load_die("fexecve");
}

/* Listens; a byte on stdin makes it connect to itself and accept. */
static void run_late(char **arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	(void)arg;
	if (listener < 0 || bind(listener, (struct sockaddr *)&a, len) || listen(listener, 10) ||
	    getsockname(listener, (struct sockaddr *)&a, &len))
		load_die("listen");
	load_ready("port=%d", ntohs(a.sin_port));
	while (load_go()) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&a, len) || accept(listener, NULL, NULL) < 0)
			load_die("connect");
		load_done(1, " ");
	}
}

const struct workload load_edges[] = {
	{ "fexecve", "N N", run_fexecve, "runs itself again by execveat, N times" },
	{ "late", "", run_late, "a listener whose connections come later" },
	{},
};

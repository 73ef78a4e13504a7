/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workloads of the network: known numbers of bytes, messages, connects and accepts, all on loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

static int listen_on_loopback(int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		load_die("listen");
	*port = ntohs(a.sin_port);
	return fd;
}

static int connect_to(int port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		load_die("socket");
	if (connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* Serves one connection after another; a byte on stdin asks for the sums, once all clients have closed. */
static void run_tcp_server(char **arg)
{
	static char block[1 << 16];
	long connections = load_number(arg[0]);
	int port, listener = listen_on_loopback(&port);

	load_ready("port=%d", port);
	while (load_go()) {
		long bytes = 0, ops = 0;

		for (long i = 0; i < connections; i++) {
			int fd = accept(listener, NULL, NULL);
			ssize_t got;

			if (fd < 0)
				load_die("accept");
			while ((got = recv(fd, block, sizeof(block), 0)) > 0) {
				bytes += got;
				ops++;
			}
			close(fd);
		}
		load_done(ops, "bytes=%ld", bytes);
	}
}

static void run_tcp_client(char **arg)
{
	static char block[1 << 16];
	long port = load_number(arg[0]), connections = load_number(arg[1]), n = load_number(arg[2]);
	long size = load_number(arg[3]);

	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < connections; i++) {
			int fd = connect_to((int)port);

			if (fd < 0)
				load_die("connect");
			for (long j = 0; j < n; j++)
				if (send(fd, block, (size_t)size, 0) != size)
					load_die("send");
			close(fd);
		}
		load_done(connections * n, "bytes=%ld", connections * n * size);
	}
}

const struct workload load_net[] = {
	{ "tcp-server", "CONNECTIONS", run_tcp_server,
	  "takes CONNECTIONS connections one after another, reads each to its end" },
	{ "tcp-client", "PORT CONNECTIONS N SIZE", run_tcp_client, "on each connection N messages of SIZE bytes" },
	{},
};

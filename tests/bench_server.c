/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real server under its own load generator: redis-server's CPU time per request, while redis-benchmark
 * asks it on loopback. Left out where redis is not installed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"

#define PORT "16399"
#define REQUESTS "15000"

static struct child *server;

bool bench_server_start(void)
{
	char *argv[] = {
		(char *)"redis-server", (char *)"--port", (char *)PORT,		  (char *)"--bind", (char *)"127.0.0.1",
		(char *)"--save",	(char *)"",	  (char *)"--appendonly", (char *)"no",	    NULL
	};
	char *line;

	server = child_start(argv, (uid_t)-1);
	while (server && (line = child_line(server)))
		if (strstr(line, "eady to accept connections"))
			return true;
	child_free(server);
	server = NULL;
	return false;
}

/* CPU ns of the server per request; -1 if it or its clients failed. */
double bench_server_round(void)
{
	char *argv[] = { (char *)"redis-benchmark",
			 (char *)"-p",
			 (char *)PORT,
			 (char *)"-q",
			 (char *)"-c",
			 (char *)"20",
			 (char *)"-n",
			 (char *)REQUESTS,
			 (char *)"-t",
			 (char *)"get",
			 NULL };
	struct timespec before, after;
	struct child *clients;
	clockid_t clock;
	int status;

	if (!server || clock_getcpuclockid(server->pid, &clock) || clock_gettime(clock, &before))
		return -1;
	clients = child_start(argv, (uid_t)-1);
	status = clients ? child_wait(clients) : -1;
	child_free(clients);
	if (status || clock_gettime(clock, &after))
		return -1;
	return ((double)(after.tv_sec - before.tv_sec) * 1e9 + (double)(after.tv_nsec - before.tv_nsec)) /
	       strtod(REQUESTS, NULL);
}

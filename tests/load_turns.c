/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests and answers of known durations: a client, which is the process that the test started, and a server, its
 * child. A request is one byte; every 10th takes 80 ms, two of ten 10 ms, the others 2 ms.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define REQUESTS 10 /* of which the last is the slowest */

static void sleep_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static long duration_ms(long i)
{
	return i % REQUESTS == REQUESTS - 1 ? 80 : i % REQUESTS >= REQUESTS - 3 ? 10 : 2;
}

static void put(int fd)
{
	if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
		load_die("send");
}

static bool get(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, 0);

	if (got < 0)
		load_die("recv");
	return got;
}

/* Requests from which the receiving kernel can tell the round trip time. */
static void put_page(int fd)
{
	static const char page[4096];

	if (send(fd, page, sizeof(page), MSG_NOSIGNAL) != sizeof(page))
		load_die("send");
}

static bool get_page(int fd)
{
	char page[4096];
	ssize_t got = recv(fd, page, sizeof(page), MSG_WAITALL);

	if (got < 0)
		load_die("recv");
	return got;
}

/* ---- the connections of each kind: *server is the end that answers ---- */

static socklen_t any_address(const char *kind, struct sockaddr_storage *a)
{
	struct sockaddr_in *in = (struct sockaddr_in *)a;
	struct sockaddr_un *un = (struct sockaddr_un *)a;

	memset(a, 0, sizeof(*a));
	if (!strcmp(kind, "unix")) {
		un->sun_family = AF_UNIX; /* the kernel chooses an abstract address */
		return sizeof(un->sun_family);
	}
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*in);
}

static int socket_of(const char *kind, struct sockaddr_storage *a, socklen_t *len)
{
	bool udp = !strcmp(kind, "udp");
	int fd;

	*len = any_address(kind, a);
	fd = socket(a->ss_family, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)a, *len) || (!udp && listen(fd, 8)))
		load_die(kind);
	*len = sizeof(*a);
	if (getsockname(fd, (struct sockaddr *)a, len))
		load_die("getsockname");
	return fd;
}

/* As lagtop shows it. */
static const char *address_text(const struct sockaddr_storage *a, socklen_t len)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)a;
	const struct sockaddr_un *un = (const struct sockaddr_un *)a;
	int name = (int)len - (int)offsetof(struct sockaddr_un, sun_path) - 1;
	static char text[64];

	if (a->ss_family == AF_UNIX)
		snprintf(text, sizeof(text), "@%.*s", name, un->sun_path + 1);
	else
		snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(in->sin_port));
	return text;
}

/* The client's end of a connection. */
static int connect_to(const char *kind, const struct sockaddr_storage *a, socklen_t len)
{
	int fd = socket(a->ss_family, !strcmp(kind, "udp") ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)a, len))
		load_die("connect");
	return fd;
}

/* ---- servers ---- */

static void answer_datagrams(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char byte;

	for (long i = 0; recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &len) >= 0; i++, len = sizeof(from)) {
		sleep_ms(duration_ms(i));
		if (sendto(fd, "x", 1, 0, (struct sockaddr *)&from, len) != 1)
			load_die("sendto");
	}
}

static void answer_plain(int fd)
{
	for (long i = 0; get(fd); i++) {
		sleep_ms(duration_ms(i));
		put(fd);
	}
}

/* Each request comes in two parts. */
static void answer_parts(int fd)
{
	while (get(fd) && get(fd))
		put(fd);
}

/* It reads 20 ms after the request's arrival. */
static void read_late(int fd, bool (*read_request)(int fd))
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		if (poll(&p, 1, -1) < 0)
			load_die("poll");
		sleep_ms(20);
		if (!read_request(fd))
			return;
		put(fd);
	}
}

static void answer_late(int fd)
{
	read_late(fd, get);
}

static void answer_pages(int fd)
{
	read_late(fd, get_page);
}

static int has_read[2]; /* a byte for each request that was read and is never answered */

static void answer_never(int fd)
{
	while (get(fd))
		if (write(has_read[1], "", 1) != 1)
			load_die("write");
}

struct pair {
	int fd, wake;
};

static void *write_answers(void *arg)
{
	const struct pair *p = arg;
	long i;

	while (read(p->wake, &i, sizeof(i)) == sizeof(i)) {
		sleep_ms(duration_ms(i));
		put(p->fd);
	}
	return NULL;
}

/* One thread reads, another writes. */
static void answer_threads(int fd)
{
	struct pair p = { .fd = fd };
	int wake[2];

	if (pipe(wake))
		load_die("pipe");
	p.wake = wake[0];
	load_thread(write_answers, &p);
	for (long i = 0; get(fd); i++)
		if (write(wake[1], &i, sizeof(i)) != sizeof(i))
			load_die("write");
}

/* A child of the server answers on the connection that the server accepted. */
static void answer_handed(int fd)
{
	if (!load_fork()) {
		answer_plain(fd);
		_exit(0);
	}
	close(fd);
	wait(NULL);
}

static const struct {
	const char *way;
	void (*answer)(int fd);
} ways[] = { { "plain", answer_plain },	 { "parts", answer_parts }, { "late", answer_late },
	     { "pages", answer_pages },	 { "never", answer_never }, { "threads", answer_threads },
	     { "handed", answer_handed } };

static void serve(const char *kind, const char *way, int listener)
{
	int fd;

	if (!strcmp(kind, "udp")) {
		answer_datagrams(listener);
		_exit(0);
	}
	fd = accept(listener, NULL, NULL);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].way, way))
			ways[i].answer(fd);
	_exit(0);
}

/* ---- the client ---- */

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* REQUESTS requests; prints how long the median, the longest and all took. */
static void ask(const char *way, int fd)
{
	int64_t took_ns[REQUESTS], sum_ns = 0;

	for (int i = 0; i < REQUESTS; i++) {
		int64_t begun_ns = load_now_ns();

		if (!strcmp(way, "pages"))
			put_page(fd);
		else
			put(fd);
		if (!strcmp(way, "parts")) {
			sleep_ms(5);
			put(fd);
		}
		if (!get(fd))
			load_die("the server");
		took_ns[i] = load_now_ns() - begun_ns;
		sum_ns += took_ns[i];
	}
	qsort(took_ns, REQUESTS, sizeof(*took_ns), by_size);
	load_done(REQUESTS, "p50_ns=%lld max_ns=%lld sum_ns=%lld", (long long)took_ns[REQUESTS / 2 - 1],
		  (long long)took_ns[REQUESTS - 1], (long long)sum_ns);
}

static void run_turns(char **arg)
{
	const char *kind = arg[0], *way = arg[1];
	struct sockaddr_storage a;
	socklen_t len;
	int listener = socket_of(kind, &a, &len), fd;
	pid_t server;
	char byte;

	if (pipe(has_read))
		load_die("pipe");
	server = load_fork();
	if (!server)
		serve(kind, way, listener);
	close(listener);
	fd = connect_to(kind, &a, len);
	load_ready("server=%d address=%s", server, address_text(&a, len));
	while (load_go()) {
		if (strcmp(way, "never")) {
			ask(way, fd);
		} else {
			put(fd);
			if (read(has_read[0], &byte, 1) != 1)
				load_die("the server");
			load_done(1, " ");
		}
	}
}

/* ---- many peers ---- */

/* A server at all addresses of loopback. */
static pid_t serve_anyone(struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	pid_t server;

	*a = (struct sockaddr_in){ .sin_family = AF_INET };
	if (listener < 0 || bind(listener, (struct sockaddr *)a, len) || listen(listener, 8) ||
	    getsockname(listener, (struct sockaddr *)a, &len))
		load_die("listen");
	server = load_fork();
	if (server) {
		close(listener);
		return server;
	}
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		while (get(fd))
			put(fd);
		close(fd);
	}
	_exit(0);
}

/* In the n-th round (from 1) one request to each of 127.n.0.1, 127.n.0.2 … */
static void run_peers(char **arg)
{
	uint32_t peers = (uint32_t)load_number(arg[0]);
	struct sockaddr_in a;
	pid_t server = serve_anyone(&a);

	load_ready("server=%d port=%d", server, ntohs(a.sin_port));
	for (uint32_t round = 1; load_go(); round++) {
		for (uint32_t i = 0; i < peers; i++) {
			int fd;

			a.sin_addr.s_addr = htonl(127U << 24 | round << 16 | (i / 250) << 8 | (1 + i % 250));
			fd = connect_to("tcp", (struct sockaddr_storage *)&a, sizeof(a));
			put(fd);
			if (!get(fd))
				load_die("the server");
			close(fd);
		}
		load_done(peers, " ");
	}
}

/* ---- a slow HTTP server ---- */

struct request {
	int fd;
	long ms;
};

static void *answer_http(void *arg)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
	struct request *r = arg;
	char request[4096];

	if (recv(r->fd, request, sizeof(request), 0) > 0) {
		sleep_ms(r->ms);
		if (send(r->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
			load_die("send");
	}
	close(r->fd);
	free(r);
	return NULL;
}

static void run_http(char **arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

	if (listener < 0 || bind(listener, (struct sockaddr *)&a, len) || listen(listener, 64) ||
	    getsockname(listener, (struct sockaddr *)&a, &len))
		load_die("listen");
	load_ready("port=%d", ntohs(a.sin_port));
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		struct request *r = malloc(sizeof(*r));

		if (!r)
			load_die("malloc");
		*r = (struct request){ .fd = fd, .ms = load_number(arg[0]) };
		load_thread(answer_http, r);
	}
}

const struct workload load_turns[] = {
	{ "turns", "tcp|unix|udp plain|parts|late|pages|never|threads|handed", run_turns,
	  "ten requests over a connection that is open from the start" },
	{ "peers", "N", run_peers, "a request to each of N peers, others in each round" },
	{ "http", "MS", run_http, "answers each HTTP request after so many ms" },
	{ 0 },
};

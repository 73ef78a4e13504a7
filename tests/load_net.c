/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workloads of the network: known numbers of bytes, messages, connects and accepts, all on loopback. An
 * op is a message that a call took or gave; on a stream each successful call is one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "load.h"

static int listen_on_loopback(int *port, int backlog)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || listen(fd, backlog) ||
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
	int port, listener = listen_on_loopback(&port, 128);

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

/* Connects that succeed, connects that are refused, and as many accepts as the first. */
static void run_connect(char **arg)
{
	long good = load_number(arg[0]), refused = load_number(arg[1]);
	int port, closed_port, listener = listen_on_loopback(&port, 128), closed = listen_on_loopback(&closed_port, 1);

	close(closed);
	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < good; i++) {
			int out = connect_to(port), in = accept(listener, NULL, NULL);

			if (out < 0 || in < 0)
				load_die("connect");
			close(out);
			close(in);
		}
		for (long i = 0; i < refused; i++)
			if (connect_to(closed_port) >= 0 || errno != ECONNREFUSED)
				load_die("refused");
		load_done(good + refused, "connects=%ld connect_errors=%ld accepts=%ld", good + refused, refused, good);
	}
}

/* Connections wait before they are accepted. Prints the shortest and the longest time that one can have waited. */
static void run_late_accept(char **arg)
{
	long n = load_number(arg[0]), wait_us = load_number(arg[1]);
	int port, listener = listen_on_loopback(&port, 128);

	load_ready(" ");
	while (load_go()) {
		int64_t least_ns = INT64_MAX, most_ns = 0;

		for (long i = 0; i < n; i++) {
			int64_t begun_ns = load_now_ns(), established_ns, accepted_ns;
			int out = connect_to(port), in;

			established_ns = load_now_ns();
			usleep((useconds_t)wait_us);
			accepted_ns = load_now_ns();
			in = i % 2 ? accept(listener, NULL, NULL) : accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			if (out < 0 || in < 0)
				load_die("accept");
			if (accepted_ns - established_ns < least_ns)
				least_ns = accepted_ns - established_ns;
			if (load_now_ns() - begun_ns > most_ns)
				most_ns = load_now_ns() - begun_ns;
			close(out);
			close(in);
		}
		load_done(n, "least_ns=%lld most_ns=%lld", (long long)least_ns, (long long)most_ns);
	}
}

/* A connect that stays pending: the listener's queue is full, so the SYN is not answered. */
static int connect_unanswered(int port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || !connect(fd, (struct sockaddr *)&a, sizeof(a)) || errno != EINPROGRESS)
		load_die("connect that should fail");
	return fd;
}

/* The second has the same two ends as the first, which still exists: there is no port for it. */
static void connect_without_port(int port)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, to = from;
	socklen_t len = sizeof(from);
	int fd[2];

	to.sin_port = htons((uint16_t)port);
	for (int i = 0; i < 2; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		setsockopt(fd[i], SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
		if (bind(fd[i], (struct sockaddr *)&from, len) || getsockname(fd[i], (struct sockaddr *)&from, &len))
			load_die("bind");
	}
	if (!connect(fd[0], (struct sockaddr *)&to, len) || errno != EINPROGRESS ||
	    !connect(fd[1], (struct sockaddr *)&to, len) || errno != EADDRNOTAVAIL)
		load_die("connect without a port");
	close(fd[0]);
	close(fd[1]);
}

/* Like a program that tries two addresses at once: abandons connects by close, shutdown or another connect. And
 * connects that fail: refused, no port, no answer in time. */
static void run_give_up(char **arg)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	long each = load_number(arg[0]);
	int port, closed_port, listener = listen_on_loopback(&port, 0), closed = listen_on_loopback(&closed_port, 1);
	struct pollfd p = { .events = POLLOUT };

	close(closed);
	if (connect_to(port) < 0)
		load_die("connect");
	load_ready("listener=%d", listener);
	while (load_go()) {
		for (long i = 0; i < each; i++) {
			int fd[3];

			for (int way = 0; way < 3; way++)
				fd[way] = connect_unanswered(port);
			shutdown(fd[1], SHUT_RDWR);
			connect(fd[2], &nobody, sizeof(nobody));
			for (int way = 0; way < 3; way++)
				close(fd[way]);
			if (connect_to(closed_port) >= 0 || errno != ECONNREFUSED)
				load_die("refused");
			connect_without_port(port);
		}
		p.fd = connect_unanswered(port);
		setsockopt(p.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){ 1 }, sizeof(int));
		if (poll(&p, 1, -1) != 1 || !(p.revents & POLLERR))
			load_die("time out");
		close(p.fd);
		/* Two connects found no port; the first of them is abandoned. */
		load_done(6 * each + 1, "connects=%ld connect_errors=%ld", 6 * each + 1, 2 * each + 1);
	}
}

static int queued(int fd, unsigned long which)
{
	int bytes;

	if (ioctl(fd, which, &bytes))
		load_die("ioctl");
	return bytes;
}

/*
 * Queues that are never emptied: more datagrams than fit; more connections than a listener takes; BYTES and then a FIN
 * on a stream, which has a listener of its own.
 */
static void run_queues(char **arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	static char block[1 << 16];
	long datagrams = load_number(arg[0]), bytes = load_number(arg[1]);
	socklen_t len = sizeof(a);
	int port, stream_port, listener = listen_on_loopback(&port, 2), in, out, waiting = -1;
	int stream_listener = listen_on_loopback(&stream_port, 1);
	int from = socket(AF_INET, SOCK_DGRAM, 0), to = socket(AF_INET, SOCK_DGRAM, 0);
	int64_t begun_ns = load_now_ns(), oldest_ns = 0;

	if (bind(to, (struct sockaddr *)&a, len) || getsockname(to, (struct sockaddr *)&a, &len) ||
	    connect(from, (struct sockaddr *)&a, len) || send(from, block, 1, 0) != 1 || recv(to, block, 1, 0) != 1)
		load_die("datagram");
	for (long i = 0; i < datagrams; i++)
		send(from, block, 1000, 0);
	for (int i = 0; i < 3; i++) {
		if (connect_to(port) < 0)
			load_die("connect");
		oldest_ns = i ? oldest_ns : load_now_ns();
	}
	for (int i = 0; i < 3; i++)
		waiting = connect_unanswered(port);
	out = connect_to(stream_port);
	in = accept(stream_listener, NULL, NULL);
	close(stream_listener);
	if (out < 0 || in < 0 || send(out, block, (size_t)bytes, 0) != bytes || shutdown(out, SHUT_WR))
		load_die("stream");
	while (poll(&(struct pollfd){ .fd = in, .events = POLLRDHUP }, 1, -1) != 1)
		;
	load_ready("listener=%d port=%d udp=%d stream=%d unread=%d unsent=%d begun_ns=%lld oldest_ns=%lld", listener,
		   port, ntohs(a.sin_port), stream_port, queued(in, SIOCINQ), queued(waiting, SIOCOUTQ),
		   (long long)begun_ns, (long long)oldest_ns);
	while (load_go())
		load_done(1, " ");
}

/* Connects whose SYNs are answered, but a firewall drops the answers: they fill a SYN queue. */
static void run_half_open(char **arg)
{
	long n = load_number(arg[0]);
	int port;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	listen_on_loopback(&port, 2);
	a.sin_port = htons((uint16_t)port);
	for (long i = 0; i < n; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (fd < 0 || !connect(fd, (struct sockaddr *)&a, sizeof(a)) || errno != EINPROGRESS)
			load_die("connect");
	}
	load_ready(" ");
	while (load_go())
		load_done(n, " ");
}

struct transfer {
	int out, in; /* sockets */
	bool stream;
	size_t size;
	long n;
	char *block, *sink;
	int file, pipe_out[2], pipe_in[2];
	const struct way *way;
	pthread_barrier_t turn; /* before each message, so that none is dropped */
	long tx_bytes, tx_ops, rx_bytes, rx_ops;
};

/* Each moves one message and returns its bytes; the caller counts it as one op unless `messages` says more. */
struct way {
	const char *name;
	ssize_t (*send)(struct transfer *t);
	ssize_t (*receive)(struct transfer *t, size_t at_most);
	long messages; /* of a call */
};

static ssize_t by_send(struct transfer *t)
{
	return send(t->out, t->block, t->size, 0);
}

static ssize_t by_recv(struct transfer *t, size_t at_most)
{
	return recv(t->in, t->sink, at_most, 0);
}

static ssize_t by_sendto(struct transfer *t)
{
	return sendto(t->out, t->block, t->size, 0, NULL, 0);
}

static ssize_t by_recvfrom(struct transfer *t, size_t at_most)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);

	return recvfrom(t->in, t->sink, at_most, 0, (struct sockaddr *)&from, &len);
}

static void two_halves(struct iovec iov[2], char *bytes, size_t size)
{
	iov[0] = (struct iovec){ .iov_base = bytes, .iov_len = size / 2 };
	iov[1] = (struct iovec){ .iov_base = bytes + size / 2, .iov_len = size - size / 2 };
}

static ssize_t by_sendmsg(struct transfer *t)
{
	struct iovec iov[2];
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	two_halves(iov, t->block, t->size);
	return sendmsg(t->out, &m, 0);
}

static ssize_t by_recvmsg(struct transfer *t, size_t at_most)
{
	struct iovec iov[2];
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	two_halves(iov, t->sink, at_most);
	return recvmsg(t->in, &m, 0);
}

#define BATCH 4

static void batch_of(struct mmsghdr m[BATCH], struct iovec iov[BATCH], char *bytes, size_t size)
{
	memset(m, 0, BATCH * sizeof(*m));
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = bytes, .iov_len = size };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
}

static ssize_t batch_bytes(const struct mmsghdr *m, int n)
{
	ssize_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += m[i].msg_len;
	return n == BATCH ? sum : -1;
}

static ssize_t by_sendmmsg(struct transfer *t)
{
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];

	batch_of(m, iov, t->block, t->size);
	return batch_bytes(m, sendmmsg(t->out, m, BATCH, 0));
}

static ssize_t by_recvmmsg(struct transfer *t, size_t at_most)
{
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];

	batch_of(m, iov, t->sink, at_most);
	return batch_bytes(m, recvmmsg(t->in, m, BATCH, 0, NULL));
}

static ssize_t by_write(struct transfer *t)
{
	return write(t->out, t->block, t->size);
}

static ssize_t by_read(struct transfer *t, size_t at_most)
{
	return read(t->in, t->sink, at_most);
}

static ssize_t by_writev(struct transfer *t)
{
	struct iovec iov[2];

	two_halves(iov, t->block, t->size);
	return writev(t->out, iov, 2);
}

static ssize_t by_readv(struct transfer *t, size_t at_most)
{
	struct iovec iov[2];

	two_halves(iov, t->sink, at_most);
	return readv(t->in, iov, 2);
}

static ssize_t by_sendfile(struct transfer *t)
{
	off_t at = 0;

	return sendfile(t->out, t->file, &at, t->size);
}

static ssize_t by_splice_out(struct transfer *t)
{
	if (write(t->pipe_out[1], t->block, t->size) != (ssize_t)t->size)
		load_die("pipe");
	return splice(t->pipe_out[0], NULL, t->out, NULL, t->size, 0);
}

static ssize_t by_splice_in(struct transfer *t, size_t at_most)
{
	ssize_t got = splice(t->in, NULL, t->pipe_in[1], NULL, at_most, 0);

	if (got > 0 && read(t->pipe_in[0], t->sink, (size_t)got) != got)
		load_die("pipe");
	return got;
}

static ssize_t by_peek(struct transfer *t, size_t at_most)
{
	recv(t->in, t->sink, at_most, MSG_PEEK);
	recv(t->in, t->sink, 1, MSG_PEEK);
	return recv(t->in, t->sink, at_most, 0);
}

/* On TCP the bytes are thrown away unread, but they were received. */
static ssize_t by_trunc(struct transfer *t, size_t at_most)
{
	return recv(t->in, t->sink, at_most, MSG_TRUNC);
}

static const struct way ways[] = {
	{ "send", by_send, by_recv, 1 },	  { "sendto", by_sendto, by_recvfrom, 1 },
	{ "sendmsg", by_sendmsg, by_recvmsg, 1 }, { "sendmmsg", by_sendmmsg, by_recvmmsg, BATCH },
	{ "write", by_write, by_read, 1 },	  { "writev", by_writev, by_readv, 1 },
	{ "sendfile", by_sendfile, by_recv, 1 },  { "splice", by_splice_out, by_splice_in, 1 },
	{ "peek", by_send, by_peek, 1 },	  { "trunc", by_send, by_trunc, 1 },
};

static void *receive_all(void *arg)
{
	struct transfer *t = arg;
	size_t whole = t->size * (size_t)t->way->messages;

	for (;;)
		for (long i = 0; i < t->n; i++) {
			size_t got = 0;

			pthread_barrier_wait(&t->turn);
			do {
				ssize_t ret = t->way->receive(t, t->way->messages > 1 ? t->size : whole - got);

				if (ret < 0)
					load_die("receive");
				got += (size_t)ret;
				t->rx_ops += t->way->messages;
			} while (t->stream && got < whole);
			t->rx_bytes += (long)got;
			pthread_barrier_wait(&t->turn);
		}
	return NULL;
}

static void send_all(struct transfer *t)
{
	size_t whole = t->size * (size_t)t->way->messages;

	for (long i = 0; i < t->n; i++) {
		pthread_barrier_wait(&t->turn);
		if (t->way->send(t) != (ssize_t)whole)
			load_die(t->way->name);
		t->tx_bytes += (long)whole;
		t->tx_ops += t->way->messages;
		pthread_barrier_wait(&t->turn);
	}
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t loopback(union address *a, int family)
{
	memset(a, 0, sizeof(*a));
	a->any.sa_family = (sa_family_t)family;
	if (family == AF_INET6) {
		a->v6.sin6_addr = in6addr_loopback;
		return sizeof(a->v6);
	}
	a->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(a->v4);
}

static void pair_tcp(struct transfer *t, int family)
{
	union address a;
	socklen_t len = loopback(&a, family);
	int listener = socket(family, SOCK_STREAM, 0), on = 1;

	t->out = socket(family, SOCK_STREAM, 0);
	if (bind(listener, &a.any, len) || listen(listener, 1) || getsockname(listener, &a.any, &len) ||
	    connect(t->out, &a.any, len) || (t->in = accept(listener, NULL, NULL)) < 0)
		load_die("tcp");
	setsockopt(t->out, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	close(listener);
}

static void pair_udp(struct transfer *t, int family)
{
	union address a, b;
	socklen_t len = loopback(&a, family);

	b = a;
	t->out = socket(family, SOCK_DGRAM, 0);
	t->in = socket(family, SOCK_DGRAM, 0);
	if (bind(t->in, &a.any, len) || getsockname(t->in, &a.any, &len) || connect(t->out, &a.any, len) ||
	    getsockname(t->out, &b.any, &len) || connect(t->in, &b.any, len))
		load_die("udp");
}

static void open_pair(struct transfer *t, const char *kind)
{
	static const char *const kinds[] = { "tcp4", "tcp6", "udp4", "udp6", "unix", "unixd" };
	size_t k = 0;
	int fd[2];

	while (k < 6 && strcmp(kind, kinds[k]))
		k++;
	t->stream = k < 2 || k == 4;
	if (k < 2) {
		pair_tcp(t, k ? AF_INET6 : AF_INET);
	} else if (k < 4) {
		pair_udp(t, k == 3 ? AF_INET6 : AF_INET);
	} else {
		if (k > 5 || socketpair(AF_UNIX, t->stream ? SOCK_STREAM : SOCK_DGRAM, 0, fd))
			load_die(kind);
		t->out = fd[0];
		t->in = fd[1];
	}
}

static void run_transfer(char **arg)
{
	struct transfer t = { .size = (size_t)load_number(arg[2]), .n = load_number(arg[3]) };

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(arg[1], ways[i].name))
			t.way = &ways[i];
	if (!t.way) {
		fprintf(stderr, "load: no way '%s'\n", arg[1]);
		exit(2);
	}
	open_pair(&t, arg[0]);
	t.block = calloc(1, t.size + 1);
	t.sink = calloc(1, t.size + 1);
	t.file = memfd_create("transfer", 0);
	if (!t.block || !t.sink || t.file < 0 || ftruncate(t.file, (off_t)t.size) || pipe(t.pipe_out) ||
	    pipe(t.pipe_in))
		load_die("transfer");
	fcntl(t.pipe_out[1], F_SETPIPE_SZ, 1 << 20);
	pthread_barrier_init(&t.turn, NULL, 2);
	load_thread(receive_all, &t);
	load_ready(" ");
	while (load_go()) {
		send_all(&t);
		load_done(t.tx_ops, "tx_bytes=%ld tx_ops=%ld rx_bytes=%ld rx_ops=%ld", t.tx_bytes, t.tx_ops, t.rx_bytes,
			  t.rx_ops);
	}
}

#define MANY_FILES (1 << 16)

/* More than most machines allow by default. */
static void allow_many_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		load_die("getrlimit");
	if (files.rlim_max < MANY_FILES && !geteuid())
		files.rlim_max = MANY_FILES;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

/* Opens connections to itself and keeps them idle. */
static void run_connections(char **arg)
{
	long n = load_number(arg[0]);
	int port, listener = listen_on_loopback(&port, 128);

	allow_many_files(); /* two per connection */
	for (long i = 0; i < n; i++)
		if (connect_to(port) < 0 || accept(listener, NULL, NULL) < 0)
			load_die("connections");
	load_ready("port=%d", port);
	while (load_go())
		load_done(n, " ");
}

static void run_listeners(char **arg)
{
	long n = load_number(arg[0]);
	int port;

	allow_many_files();
	for (long i = 0; i < n; i++)
		listen_on_loopback(&port, 1);
	load_ready(" ");
	while (load_go())
		load_done(n, " ");
}

const struct workload load_net[] = {
	{ "tcp-server", "CONNECTIONS", run_tcp_server,
	  "takes CONNECTIONS connections, one after another, to their end" },
	{ "tcp-client", "PORT CONNECTIONS N SIZE", run_tcp_client, "on each connection N messages of SIZE bytes" },
	{ "connect", "GOOD REFUSED", run_connect, "connects to itself, and to a closed port" },
	{ "late_accept", "N US", run_late_accept, "accepts N connections, each after it has waited" },
	{ "give-up", "N", run_give_up, "N connects abandoned in each of three ways, N refused, N without a port" },
	{ "queues", "DATAGRAMS BYTES", run_queues,
	  "full queues of a listener and of datagrams, and BYTES that are never read" },
	{ "half-open", "N", run_half_open, "N connects that fill a SYN queue, where a firewall drops its answers" },
	{ "transfer", "KIND WAY SIZE N", run_transfer,
	  "tcp4, tcp6, udp4, udp6, unix, unixd by send, sendmsg, splice, …" },
	{ "listeners", "N", run_listeners, "listens on N ports" },
	{ "connections", "N", run_connections, "N idle TCP connections to itself" },
	{},
};

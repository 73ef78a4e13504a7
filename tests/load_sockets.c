/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workloads about sockets rather than bytes: who owns them, servers with few requests, io_uring, and a network with a
 * delay.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "load.h"
#include "load_ring.h"

static struct sockaddr_in address(const char *host, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	inet_pton(AF_INET, host, &a.sin_addr);
	return a;
}

static int listen_anywhere(int *port)
{
	struct sockaddr_in a = address("0.0.0.0", 0);
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || listen(fd, 128) || getsockname(fd, (struct sockaddr *)&a, &len))
		load_die("listen");
	*port = ntohs(a.sin_port);
	return fd;
}

static int connect_to(const char *host, int port)
{
	struct sockaddr_in a = address(host, port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		load_die("connect");
	return fd;
}

static int accept_one(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		load_die("accept");
	return fd;
}

static void send_all(int fd, size_t bytes)
{
	static char block[1 << 16];

	while (bytes) {
		ssize_t sent = send(fd, block, bytes < sizeof(block) ? bytes : sizeof(block), 0);

		if (sent < 0)
			load_die("send");
		bytes -= (size_t)sent;
	}
}

static void receive_all(int fd, size_t bytes)
{
	static char block[1 << 16];

	while (bytes) {
		ssize_t got = recv(fd, block, bytes < sizeof(block) ? bytes : sizeof(block), 0);

		if (got <= 0)
			load_die("recv");
		bytes -= (size_t)got;
	}
}

/* Answers each byte with one, on any connection. */
static void serve_by_epoll(int listener, long connections)
{
	struct epoll_event e = { .events = EPOLLIN };
	int epoll = epoll_create1(0);
	char byte;

	for (long i = 0; i < connections; i++) {
		e.data.fd = accept_one(listener);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, e.data.fd, &e))
			load_die("epoll_ctl");
	}
	while (epoll_wait(epoll, &e, 1, -1) == 1 && recv(e.data.fd, &byte, 1, 0) == 1)
		send(e.data.fd, &byte, 1, 0);
	_exit(1);
}

static void *serve_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char byte;

	while (recv(fd, &byte, 1, 0) == 1)
		send(fd, &byte, 1, 0);
	_exit(1);
}

static void serve_by_threads(int listener, long connections)
{
	for (long i = 0; i < connections; i++)
		load_thread(serve_one, (void *)(intptr_t)accept_one(listener));
	for (;;)
		pause();
}

static void run_quiet(char **arg)
{
	long connections = load_number(arg[1]);
	int port, listener = listen_anywhere(&port), fd = -1;
	pid_t server = load_fork();

	if (!server) {
		if (!strcmp(arg[0], "epoll"))
			serve_by_epoll(listener, connections);
		serve_by_threads(listener, connections);
	}
	for (long i = 0; i < connections; i++)
		fd = connect_to("127.0.0.1", port);
	send_all(fd, 1);
	receive_all(fd, 1);
	load_ready("pid=%d", server);
	while (load_go()) {
		send_all(fd, 1);
		receive_all(fd, 1);
		load_done(1, " ");
	}
}

static void pass_fd(int by, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec one = { .iov_base = (char *)"", .iov_len = 1 };
	struct msghdr m = {
		.msg_iov = &one, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(by, &m, 0) != 1)
		load_die("sendmsg");
}

static int passed_fd(int by)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec one = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = {
		.msg_iov = &one, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	int fd;

	if (recvmsg(by, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		load_die("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	return fd;
}

static void wait_turn(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		_exit(0);
}

static void give_turn(int fd)
{
	if (write(fd, "", 1) != 1)
		load_die("write");
}

/* Opens a connection whose one end a child inherits and sends on; the other is passed to a child that receives. */
static void run_hand_over(char **arg)
{
	size_t bytes = (size_t)load_number(arg[0]);
	int by[2], turn[2], back[2], port, listener, out, in;
	pid_t passed, inherited;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, by) || pipe(turn) || pipe(back))
		load_die("pipe");
	passed = load_fork();
	if (!passed) {
		in = passed_fd(by[1]);
		receive_all(in, bytes);
		give_turn(back[1]);
		for (;;)
			pause();
	}
	listener = listen_anywhere(&port);
	out = connect_to("127.0.0.1", port);
	in = accept_one(listener);
	inherited = load_fork();
	if (!inherited) {
		close(in);
		wait_turn(turn[0]);
		send_all(out, bytes);
		give_turn(back[1]);
		for (;;)
			pause();
	}
	load_ready("port=%d inherited=%d passed=%d", port, inherited, passed);
	while (load_go()) {
		pass_fd(by[0], in);
		give_turn(turn[1]);
		wait_turn(back[0]);
		wait_turn(back[0]);
		close(out);
		close(in);
		load_done(1, " ");
	}
}

/* A worker accepts connections, one after another, from the listener that its parent opened: the kernel gives the next
 * one the memory of the last. */
static void run_worker(char **arg)
{
	long n = load_number(arg[0]);
	int turn[2], back[2], port, listener = listen_anywhere(&port), out, in;
	pid_t worker;

	if (pipe(turn) || pipe(back))
		load_die("pipe");
	worker = load_fork();
	while (!worker) {
		wait_turn(turn[0]);
		in = accept_one(listener);
		receive_all(in, 1);
		send_all(in, 1);
		close(in);
		give_turn(back[1]);
	}
	load_ready("port=%d worker=%d", port, worker);
	while (load_go()) {
		for (long i = 0; i < n; i++) {
			out = connect_to("127.0.0.1", port);
			send_all(out, 1);
			give_turn(turn[1]);
			receive_all(out, 1);
			wait_turn(back[0]);
			close(out);
		}
		load_done(n, " ");
	}
}

/* Opens a connection, leaves both ends to a child and dies. The child uses them at the second byte only. */
static void run_heir(char **arg)
{
	int port, listener = listen_anywhere(&port), out = connect_to("127.0.0.1", port), in = accept_one(listener);

	(void)arg;
	load_ready("port=%d", port);
	if (!load_go() || fork())
		_exit(0);
	load_done(1, "pid=%d", getpid());
	while (load_go()) {
		send_all(out, 1);
		receive_all(in, 1);
		load_done(1, " ");
	}
}

/* Submits the receive first: the data is then received by whichever thread the kernel chooses. */
static void exchange_by_ring(struct ring *r, int out, int in, char *block, unsigned int size)
{
	struct io_uring_sqe receive = {
		.opcode = IORING_OP_RECV,
		.fd = in,
		.addr = (uintptr_t)block,
		.len = size,
		.msg_flags = MSG_WAITALL,
	};
	struct io_uring_sqe give = { .opcode = IORING_OP_SEND, .fd = out, .addr = (uintptr_t)block, .len = size };

	ring_ask(r, &receive);
	ring_ask(r, &give);
	if (ring_wait(r).res != (int)size || ring_wait(r).res != (int)size)
		load_die("exchange");
}

#define ACCEPTED 1 /* what the ring says of connections, beside 0 for all else */

/* The accepted one of a connection; multishot: it was asked for once and for all. */
static int meet(struct ring *r, int listener, struct io_uring_sqe *reach, bool multishot)
{
	struct io_uring_sqe take = { .opcode = IORING_OP_ACCEPT, .fd = listener, .user_data = ACCEPTED };
	int in = -1;

	reach->fd = socket(AF_INET, SOCK_STREAM, 0);
	ring_ask(r, reach);
	if (!multishot)
		ring_ask(r, &take);
	for (int ends = 0; ends < 2; ends++) {
		struct ring_end end = ring_wait(r);

		if (end.res < 0)
			load_die("connect");
		in = end.user_data == ACCEPTED ? end.res : in;
	}
	return in;
}

static void run_ring(char **arg)
{
	long connections = load_number(arg[0]), n = load_number(arg[1]), size = load_number(arg[2]);
	bool multishot = !strcmp(arg[3], "multishot");
	char *block = calloc(1, (size_t)size);
	int port, other_port, listener = listen_anywhere(&port), other = listen_anywhere(&other_port);
	struct sockaddr_in a = address("127.0.0.1", port), other_a = address("127.0.0.1", other_port);
	struct io_uring_sqe reach = { .opcode = IORING_OP_CONNECT, .addr = (uintptr_t)&a, .off = sizeof(a) };
	struct io_uring_sqe reach_other = reach;
	struct io_uring_sqe take_all = {
		.opcode = IORING_OP_ACCEPT,
		.fd = listener,
		.user_data = ACCEPTED,
		.ioprio = IORING_ACCEPT_MULTISHOT,
	};
	struct ring r;

	ring_open(&r, 0);
	reach_other.addr = (uintptr_t)&other_a;
	if (multishot)
		ring_ask(&r, &take_all);
	load_ready(" ");
	while (load_go()) {
		/* Another request of the same name comes and goes meanwhile. */
		close(meet(&r, other, &reach_other, false));
		close(reach_other.fd);
		for (long i = 0; i < connections; i++) {
			int in = meet(&r, listener, &reach, multishot);

			for (long j = 0; j < n; j++)
				exchange_by_ring(&r, reach.fd, in, block, (unsigned int)size);
			close(reach.fd);
			close(in);
		}
		load_done(connections * n, "connects=%ld bytes=%ld", connections + 1, connections * n * size);
	}
}

/* The ring accepts into its own table of files, at a place whose number is that of the descriptor of a connection that
 * was accepted before. */
static void run_ring_direct(char **arg)
{
	enum { PLACES = 64 };
	long n = load_number(arg[0]);
	int port, listener = listen_anywhere(&port), first, files[PLACES];
	struct sockaddr_in a = address("127.0.0.1", port);
	struct io_uring_sqe reach = { .opcode = IORING_OP_CONNECT, .addr = (uintptr_t)&a, .off = sizeof(a) };
	struct io_uring_sqe take = { .opcode = IORING_OP_ACCEPT, .fd = listener, .user_data = ACCEPTED };
	struct ring r;

	ring_open(&r, 0);
	first = meet(&r, listener, &reach, false);
	for (int i = 0; i < PLACES; i++)
		files[i] = i == first ? -1 : listener;
	ring_register(&r, IORING_REGISTER_FILES, files, PLACES);
	take.file_index = IORING_FILE_INDEX_ALLOC;
	load_ready(" ");
	while (load_go()) {
		for (long i = 0; i < n; i++) {
			struct io_uring_sqe leave = { .opcode = IORING_OP_CLOSE,
						      .file_index = (unsigned int)first + 1 };
			int fd = connect_to("127.0.0.1", port);

			ring_ask(&r, &take);
			if (ring_wait(&r).res != first)
				load_die("accept");
			ring_ask(&r, &leave);
			if (ring_wait(&r).res)
				load_die("close");
			close(fd);
		}
		load_done(n, " ");
	}
}

/* A network in which every address 10.9.0.N is this machine itself, N ms away: what is sent to it comes back from it.
 * Swapping the two addresses does that and leaves the checksums right. */
#define DELAYED 1024 /* packets in flight */
#define PACKET_BYTES 2048

static struct packet {
	int64_t due_ns;
	size_t len;
	char bytes[PACKET_BYTES];
} delayed[DELAYED];

static int open_tun(void)
{
	struct ifreq r = { .ifr_name = "far", .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) ||
	    system("ip address add 10.9.0.254/24 dev far && ip link set far mtu 1500 up") != 0)
		load_die("tun");
	return fd;
}

static void take_packet(int fd)
{
	struct packet *free_one = delayed;
	struct iphdr *ip;
	uint32_t from;
	ssize_t got;

	while (free_one->due_ns)
		if (++free_one == delayed + DELAYED)
			load_die("too many packets");
	got = read(fd, free_one->bytes, PACKET_BYTES);
	ip = (struct iphdr *)free_one->bytes;
	if (got < (ssize_t)sizeof(*ip) || ip->version != 4)
		return;
	from = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = from;
	free_one->len = (size_t)got;
	/* One of the two is the local end, 254; the other is the delay. */
	from = ntohl(ip->saddr) & 0xff;
	free_one->due_ns = load_now_ns() + 1000000LL * (from == 254 ? ntohl(ip->daddr) & 0xff : from);
}

static void *carry(void *arg)
{
	struct pollfd p = { .fd = (int)(intptr_t)arg, .events = POLLIN };

	for (;;) {
		int64_t now_ns = load_now_ns(), next_ns = INT64_MAX;
		struct timespec wait;

		for (struct packet *d = delayed; d < delayed + DELAYED; d++) {
			if (d->due_ns && d->due_ns <= now_ns && write(p.fd, d->bytes, d->len) > 0)
				d->due_ns = 0;
			else if (d->due_ns && d->due_ns < next_ns)
				next_ns = d->due_ns;
		}
		wait.tv_sec = 0;
		wait.tv_nsec = next_ns < now_ns ? 0 : (next_ns - now_ns) % 1000000000;
		if (ppoll(&p, 1, next_ns == INT64_MAX ? NULL : &wait, NULL) > 0)
			take_packet(p.fd);
	}
	return NULL;
}

static void run_far(char **arg)
{
	long n = load_number(arg[2]);
	int port, listener, near_fd[2], far_fd[2];

	load_thread(carry, (void *)(intptr_t)open_tun());
	listener = listen_anywhere(&port);
	for (int i = 0; i < 2; i++) {
		char host[32];

		snprintf(host, sizeof(host), "10.9.0.%ld", load_number(arg[i]));
		near_fd[i] = connect_to(host, port);
		far_fd[i] = accept_one(listener);
	}
	load_ready("port=%d", port);
	while (load_go()) {
		for (long j = 0; j < n; j++)
			for (int i = 0; i < 2; i++) {
				send_all(near_fd[i], 100);
				receive_all(far_fd[i], 100);
				send_all(far_fd[i], 100);
				receive_all(near_fd[i], 100);
			}
		load_done(n, " ");
	}
}

const struct workload load_sockets[] = {
	{ "quiet", "KIND CONNECTIONS", run_quiet, "a server by epoll or threads, all but one connection idle" },
	{ "hand-over", "BYTES", run_hand_over, "a connection whose ends go to two children" },
	{ "worker", "N", run_worker, "N connections, one after another, to a child that inherited the listener" },
	{ "heir", "", run_heir, "a connection that a child inherits from a parent who dies" },
	{ "ring", "CONNECTIONS N SIZE singly|multishot", run_ring,
	  "connects, accepts and exchanges messages by io_uring" },
	{ "ring-direct", "N", run_ring_direct, "N × accepts by io_uring, into its own table of files" },
	{ "far", "MS MS N", run_far, "two connections over so many ms each way, N messages there and back" },
	{},
};

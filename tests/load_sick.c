/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sick servers: `sick NAME` has one cause for not getting on, planted on purpose, until its standard input ends. The
 * process that lags is called "sick"; those that have to do with it are called "sick-…"; or after COMM instead of
 * "sick". No network but loopback.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

#define CPU 1 /* where the waits for a CPU are */
#define MS 1000

static void spin_ms(long ms)
{
	struct timespec t, now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	while ((now.tv_sec - t.tv_sec) * 1000000000L + now.tv_nsec - t.tv_nsec < ms * 1000000);
}

static void spin(void)
{
	for (;;)
		spin_ms(1000);
}

static const char *called = "sick";

static void call(const char *sick)
{
	char name[16];

	snprintf(name, sizeof(name), "%s%s", called, sick + strlen("sick"));
	prctl(PR_SET_NAME, name);
}

static pid_t start(const char *name, void (*run)(void))
{
	pid_t pid = load_fork();

	if (pid)
		return pid;
	call(name);
	run();
	_exit(1);
}

static void serve(void)
{
	char byte;

	load_ready("sick");
	while (read(STDIN_FILENO, &byte, 1) == 1)
		;
}

static void must(bool good, const char *what)
{
	if (!good)
		load_die(what);
}

/* ---- for a CPU ---- */

static void spin_pinned(void)
{
	load_pin(CPU);
	spin();
}

/* As a server: short work, short sleeps. */
static void work_pinned(void)
{
	load_pin(CPU);
	for (;;) {
		spin_ms(3);
		usleep(MS);
	}
}

static void spin_realtime(void)
{
	load_pin(CPU);
	must(!sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 }), "SCHED_FIFO");
	for (;;) {
		spin_ms(40);
		usleep(20 * MS);
	}
}

static void spin_nice(void)
{
	must(!setpriority(PRIO_PROCESS, 0, 19), "nice");
	spin_pinned();
}

static void *spin_thread(void *arg)
{
	spin_pinned();
	return arg;
}

static void spin_threads(void)
{
	for (int i = 0; i < 3; i++)
		load_thread(spin_thread, NULL);
	spin_pinned();
}

static void neighbour(void)
{
	start("sick-hog", spin_threads);
	start("sick", spin_pinned);
}

static void realtime(void)
{
	start("sick-hog", spin_realtime);
	start("sick", work_pinned);
}

static void nice_hog(void)
{
	start("sick-hog", spin_pinned);
	start("sick", spin_nice);
}

static void own_threads(void)
{
	start("sick", spin_threads);
}

/* ---- control groups ---- */

static char group[100];

static bool put(const char *file, const char *text)
{
	char path[200];
	int fd;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return good;
}

/* It is removed when all that were started have ended. */
static void guard(void)
{
	int ends[2];
	char byte;

	must(!pipe(ends), "pipe");
	if (fork()) {
		close(ends[0]);
		return;
	}
	close(ends[1]);
	signal(SIGTERM, SIG_IGN);
	if (read(ends[0], &byte, 1) == 0)
		for (int tries = 0; rmdir(group) && errno == EBUSY && tries < 5000; tries++)
			usleep(MS);
	_exit(0);
}

/* A control group of version 1 if that has the controller, else of version 2. Returns the version. */
static int make_group(const char *controller)
{
	char text[32];
	int version = 1;

	snprintf(group, sizeof(group), "/sys/fs/cgroup/%s", controller);
	if (access(group, W_OK)) {
		version = 2;
		strcpy(group, "/sys/fs/cgroup");
		snprintf(text, sizeof(text), "+%s", controller);
		must(put("cgroup.subtree_control", text), "cgroup.subtree_control");
	}
	snprintf(group + strlen(group), sizeof(group) - strlen(group), "/lagtop-sick-%d", getpid());
	must(!mkdir(group, 0755), group);
	guard();
	return version;
}

static void enter_group(void)
{
	must(put("cgroup.procs", "0"), "cgroup.procs");
}

static void spin_in_group(void)
{
	enter_group();
	spin();
}

static void quota(void)
{
	if (make_group("cpu") == 1)
		must(put("cpu.cfs_period_us", "100000") && put("cpu.cfs_quota_us", "5000"), "cpu.cfs_quota_us");
	else
		must(put("cpu.max", "5000 100000"), "cpu.max");
	start("sick", spin_in_group);
}

/* Each is killed because memory ran out, and is started again. */
static void grow_in_group(void)
{
	for (;;) {
		pid_t pid = load_fork();

		if (!pid) {
			enter_group();
			for (;;)
				memset(malloc(1 << 20), 1, 1 << 20);
		}
		waitpid(pid, NULL, 0);
		usleep(20 * MS);
	}
}

static void no_memory(void)
{
	if (make_group("memory") == 1)
		must(put("memory.limit_in_bytes", "16777216"), "memory.limit_in_bytes");
	else
		must(put("memory.max", "16777216") && put("memory.swap.max", "0"), "memory.max");
	start("sick", grow_in_group);
}

/* ---- the disk, the kernel, files ---- */

static int file_fd;

static int new_file(void)
{
	char path[] = "/var/tmp/lagtop-sick.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	must(fd >= 0, path);
	unlink(path);
	return fd;
}

static void sync_file(void)
{
	for (int i = 0;; i++)
		must(pwrite(file_fd, "x", 1, i % 4096) == 1 && !fdatasync(file_fd), "fdatasync");
}

static void fsyncs(void)
{
	file_fd = new_file();
	start("sick", sync_file);
}

static pthread_mutex_t first_lock = PTHREAD_MUTEX_INITIALIZER, second_lock = PTHREAD_MUTEX_INITIALIZER;

static void *sync_locked(void *arg)
{
	for (int i = 0;; i++) {
		pthread_mutex_lock(&first_lock);
		must(pwrite(file_fd, "x", 1, i % 4096) == 1 && !fdatasync(file_fd), "fdatasync");
		pthread_mutex_unlock(&first_lock);
	}
	return arg;
}

static void sync_threads(void)
{
	for (int i = 0; i < 3; i++)
		load_thread(sync_locked, NULL);
	sync_locked(NULL);
}

static void convoy(void)
{
	file_fd = new_file();
	start("sick", sync_threads);
}

#define MAP_BYTES (64UL << 20)

static void *map(void *arg)
{
	for (;;) {
		void *at = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
				0);

		must(at != MAP_FAILED, "mmap");
		munmap(at, MAP_BYTES);
	}
	return arg;
}

static void map_threads(void)
{
	for (int i = 0; i < 3; i++)
		load_thread(map, NULL);
	map(NULL);
}

static void maps(void)
{
	start("sick", map_threads);
}

static void lock_file(void)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_fd);
	flock(open(path, O_RDWR), LOCK_EX);
}

static void file_lock(void)
{
	file_fd = new_file();
	must(!flock(file_fd, LOCK_EX), "flock");
	start("sick", lock_file);
}

static void lock_range(void)
{
	struct flock range = { .l_type = F_WRLCK };

	fcntl(file_fd, F_SETLKW, &range);
}

static void range_lock(void)
{
	struct flock range = { .l_type = F_WRLCK };

	file_fd = new_file();
	must(!fcntl(file_fd, F_SETLK, &range), "fcntl");
	start("sick", lock_range);
}

static int pipe_ends[2];

static void read_slowly(void)
{
	char bytes[1024];

	while (read(pipe_ends[0], bytes, sizeof(bytes)) > 0)
		usleep(10 * MS);
}

static void write_pipe(void)
{
	static const char bytes[4096];

	while (write(pipe_ends[1], bytes, sizeof(bytes)) > 0)
		;
}

static void full_pipe(void)
{
	must(!pipe(pipe_ends), "pipe");
	start("sick-reader", read_slowly);
	start("sick", write_pipe);
}

static void *lock_both(void *arg)
{
	pthread_mutex_lock(&second_lock);
	usleep(100 * MS);
	pthread_mutex_lock(&first_lock);
	return arg;
}

static void lock_crosswise(void)
{
	load_thread(lock_both, NULL);
	pthread_mutex_lock(&first_lock);
	usleep(100 * MS);
	pthread_mutex_lock(&second_lock);
}

static void deadlock(void)
{
	start("sick", lock_crosswise);
}

/* ---- the network ---- */

static struct sockaddr_in address;
static int listener;

static void listen_at(int backlog)
{
	socklen_t len = sizeof(address);

	address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listener >= 0 && !bind(listener, (struct sockaddr *)&address, len) && !listen(listener, backlog) &&
		     !getsockname(listener, (struct sockaddr *)&address, &len),
	     "listen");
}

static int connected(int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	must(fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
	return fd;
}

static void answer_slowly(void)
{
	int fd = accept(listener, NULL, NULL);
	char byte;

	while (read(fd, &byte, 1) == 1) {
		usleep(100 * MS);
		must(write(fd, &byte, 1) == 1, "write");
	}
}

static void ask(void)
{
	int fd = connected(SOCK_STREAM);
	char byte = 'x';

	while (write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1)
		;
}

static void upstream(void)
{
	listen_at(1);
	start("sick-server", answer_slowly);
	start("sick", ask);
}

/* Datagrams to a socket that nobody reads. */
static void bind_datagrams(int bytes)
{
	socklen_t len = sizeof(address);

	address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	listener = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(listener >= 0 && !setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) &&
		     !bind(listener, (struct sockaddr *)&address, len) &&
		     !getsockname(listener, (struct sockaddr *)&address, &len),
	     "bind");
}

/* Asks a name server as the C library does with "options timeout:2": in any 3 seconds it sends at least once. */
static void resolve(void)
{
	for (;;) {
		int fd = connected(SOCK_DGRAM);
		struct pollfd answer = { fd, POLLIN, 0 };

		must(send(fd, "name?", 5, 0) == 5, "send");
		poll(&answer, 1, 2000);
		close(fd);
	}
}

static void no_answer(void)
{
	bind_datagrams(1 << 20);
	start("sick", resolve);
}

static void send_datagrams(void)
{
	int fd = connected(SOCK_DGRAM);

	for (;;) {
		send(fd, "datagram", 8, 0);
		usleep(MS);
	}
}

/* It receives one now and then. */
static void receive_slowly(void)
{
	char bytes[16];

	bind_datagrams(1);
	start("sick-sender", send_datagrams);
	for (;;) {
		if (recv(listener, bytes, sizeof(bytes), 0) < 0)
			return;
		usleep(50 * MS);
	}
}

static void lost_datagrams(void)
{
	start("sick", receive_slowly);
}

/* It is there, but neither accepts nor reads. */
static void accept_never(void)
{
	listen_at(1);
	for (int i = 0; i < 8; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		connect(fd, (struct sockaddr *)&address, sizeof(address));
	}
	call("sick-server");
	pause();
}

static void full_backlog(void)
{
	start("sick-server", accept_never);
}

static void connect_in_vain(void)
{
	for (int i = 0; i < 8; i++)
		connected(SOCK_STREAM);
}

static void no_accept(void)
{
	listen_at(1);
	start("sick", connect_in_vain);
}

static void send_much(void)
{
	static const char bytes[65536];
	int fd = connected(SOCK_STREAM);

	while (send(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

static void no_receive(void)
{
	listen_at(1);
	start("sick", send_much);
}

/* The receiver's filter loses a third of all packets. */
static void receive_lossy(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)(SKF_AD_OFF + SKF_AD_RANDOM)),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, UINT32_MAX / 3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { sizeof(program) / sizeof(program[0]), program };
	int fd = accept(listener, NULL, NULL);
	char bytes[4096];

	must(fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)), "SO_ATTACH_FILTER");
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
}

static void loss(void)
{
	listen_at(1);
	start("sick-server", receive_lossy);
	start("sick", send_much);
}

/* ---- errors and births ---- */

static void connect_refused(void)
{
	listen_at(1);
	close(listener);
	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		connect(fd, (struct sockaddr *)&address, sizeof(address));
		close(fd);
		usleep(MS);
	}
}

static void refused(void)
{
	start("sick", connect_refused);
}

static void open_in_vain(void)
{
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 3, 3 });
	for (;;) {
		if (open("/dev/null", O_RDONLY) >= 0)
			return;
		usleep(MS);
	}
}

static void no_files(void)
{
	start("sick", open_in_vain);
}

static void fork_much(void)
{
	for (;;) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

static void storm(void)
{
	start("sick", fork_much);
}

/* ---- not sick: it waits as programs that have nothing to do ---- */

static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void *wait_for_work(void *arg)
{
	pthread_mutex_lock(&first_lock);
	for (;;)
		pthread_cond_wait(&never, &first_lock);
	return arg;
}

static void *wait_for_clients(void *arg)
{
	accept(listener, NULL, NULL);
	return arg;
}

static void *wait_for_bytes(void *arg)
{
	char byte;

	if (read(pipe_ends[0], &byte, 1) < 0)
		return NULL;
	return arg;
}

static void be_idle(void)
{
	listen_at(1);
	must(!pipe(pipe_ends), "pipe");
	for (int i = 0; i < 4; i++)
		load_thread(wait_for_work, NULL);
	load_thread(wait_for_clients, NULL);
	load_thread(wait_for_bytes, NULL);
	poll(&(struct pollfd){ listener, POLLIN, 0 }, 1, -1);
}

static void idle(void)
{
	start("sick", be_idle);
}

static const struct {
	const char *name;
	void (*plant)(void);
} sicknesses[] = {
	{ "neighbour", neighbour },
	{ "realtime", realtime },
	{ "nice", nice_hog },
	{ "threads", own_threads },
	{ "quota", quota },
	{ "memory", no_memory },
	{ "fsync", fsyncs },
	{ "convoy", convoy },
	{ "maps", maps },
	{ "flock", file_lock },
	{ "fcntl", range_lock },
	{ "pipe", full_pipe },
	{ "deadlock", deadlock },
	{ "upstream", upstream },
	{ "dns", no_answer },
	{ "datagrams", lost_datagrams },
	{ "backlog", full_backlog },
	{ "connect", no_accept },
	{ "send", no_receive },
	{ "loss", loss },
	{ "refused", refused },
	{ "files", no_files },
	{ "storm", storm },
	{ "idle", idle },
};

static void run_sick(char **arg)
{
	if (arg[1])
		called = arg[1];
	for (size_t i = 0; i < sizeof(sicknesses) / sizeof(sicknesses[0]); i++)
		if (!strcmp(sicknesses[i].name, arg[0])) {
			sicknesses[i].plant();
			serve();
			return;
		}
	fprintf(stderr, "load: no sickness '%s'\n", arg[0]);
	exit(2);
}

const struct workload load_sick[] = {
	{ "sick", "NAME", run_sick, "a server with that cause for not getting on, until its input ends" },
	{ "sick", "NAME COMM", run_sick, "the same, called COMM" },
	{},
};

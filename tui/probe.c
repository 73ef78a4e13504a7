/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel side's other half: loads and attaches it, makes and maps its memory, seeds it, reads
 * it. A drain thread buries dead threads and adds records at least once a second, and at once when
 * the kernel side says that half of the free ones are gone; so nothing is lost while the front end
 * waits for its delay, a blocked terminal or a full pipe. The ledger and the maps' sizes are
 * shared with it under `lock`.
 */
#include "probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "lagtop.skel.h"
#include "ledger.h"
#include "privileges.h"
#include "proc.h"
#include "sockets.h"

#define DRAIN_MS 1000
#define DRAIN_NICE (-10)
#define SEED_EVERY_NS 1000000000ULL
#define LIFE SAMPLE_FAMILIES /* programs that every family needs */

struct family {
	bool on;
	char by[16];
	char reason[160];
};

/* How a program is attached, and when it is wanted. */
enum program_kind {
	TRACEPOINT,
	FALLBACK, /* fexit: instead of the tracepoints sock_*_length where the kernel has none */
	SENDPAGE, /* likewise, and only where the function still exists (before 6.5) */
};

struct program {
	const char *name, *target; /* tracepoint or function */
	int family;
	enum program_kind kind;
};

static const struct program programs[] = {
	{ "lt_newtask", "task_newtask", LIFE, TRACEPOINT },
	{ "lt_exec", "sched_process_exec", LIFE, TRACEPOINT },
	{ "lt_rename", "task_rename", LIFE, TRACEPOINT },
	{ "lt_pexit", "sched_process_exit", LIFE, TRACEPOINT },
	{ "lt_switch", "sched_switch", SAMPLE_SCHED, TRACEPOINT },
	{ "lt_switch_5_15", "sched_switch", SAMPLE_SCHED, TRACEPOINT },
	{ "lt_wakeup", "sched_wakeup", SAMPLE_SCHED, TRACEPOINT },
	{ "lt_wakeup_new", "sched_wakeup_new", SAMPLE_SCHED, TRACEPOINT },
	{ "lt_enter", "sys_enter", SAMPLE_SYSCALL, TRACEPOINT },
	{ "lt_exit", "sys_exit", SAMPLE_SYSCALL, TRACEPOINT },
	{ "lt_send", "sock_send_length", SAMPLE_NET, TRACEPOINT },
	{ "lt_recv", "sock_recv_length", SAMPLE_NET, TRACEPOINT },
	{ "lt_sock_state", "inet_sock_set_state", SAMPLE_NET, TRACEPOINT },
	{ "lt_retransmit", "tcp_retransmit_skb", SAMPLE_NET, TRACEPOINT },
	{ "lt_retransmit_6", "tcp_retransmit_skb", SAMPLE_NET, TRACEPOINT },
	{ "lt_destroy", "tcp_destroy_sock", SAMPLE_NET, TRACEPOINT },
	{ "lt_send4", "inet_sendmsg", SAMPLE_NET, FALLBACK },
	{ "lt_send6", "inet6_sendmsg", SAMPLE_NET, FALLBACK },
	{ "lt_send_us", "unix_stream_sendmsg", SAMPLE_NET, FALLBACK },
	{ "lt_send_ud", "unix_dgram_sendmsg", SAMPLE_NET, FALLBACK },
	{ "lt_recv4", "inet_recvmsg", SAMPLE_NET, FALLBACK },
	{ "lt_recv6", "inet6_recvmsg", SAMPLE_NET, FALLBACK },
	{ "lt_recv_us", "unix_stream_recvmsg", SAMPLE_NET, FALLBACK },
	{ "lt_recv_ud", "unix_dgram_recvmsg", SAMPLE_NET, FALLBACK },
	{ "lt_page4", "inet_sendpage", SAMPLE_NET, SENDPAGE },
	{ "lt_page_us", "unix_stream_sendpage", SAMPLE_NET, SENDPAGE },
};
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

/* Counters of the kernel side, added up over the CPUs. */
struct totals {
	uint64_t forks, execs, exits, retransmits;
	uint64_t untracked_born, untracked_died;
	uint64_t lost_calls, lost_sockets, lost_switches, lost_events;
	uint64_t self_runs, self_ns;
};

struct probe {
	struct source source; /* first: the source is the probe */
	struct lagtop *skel;
	struct family family[SAMPLE_FAMILIES];
	struct bpf_link *seed_link, *seed_sockets_link, *walk_link;
	struct ring_buffer *events;
	bool connections; /* walk the sockets at every reading */
	uint64_t map_bytes;

	pthread_mutex_t lock;
	pthread_t drainer;
	bool drainer_runs;
	int stop_fd;

	/* Under lock. */
	struct ledger_memory memory;
	struct ledger *ledger;
	struct sockets *sockets;
	uint64_t events_lost; /* no memory for them */
	uint32_t max_records; /* 0: grow as needed */
	uint64_t seeded_ns, untracked_base, untracked_died_base;

	struct totals last;
	uint64_t t_ns, cpu_ns;
	uint32_t number;
};

static const struct ledger_names names = { proc_cmdline, proc_cgroup, proc_ppid };

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static int __attribute__((format(printf, 4, 5))) fail(char *why, size_t size, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return err;
}

static bool verbose;

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	return verbose ? vfprintf(stderr, format, args) : 0;
}

static size_t page_round(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

/* Makes one more inner map and maps it here. Returns its fd or -errno; *at its memory. */
static int chunk_create(const char *name, size_t size, void **at)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), (__u32)size, 1, &opts);

	if (fd < 0)
		return fd;
	*at = mmap(NULL, page_round(size), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*at == MAP_FAILED) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int append(void *arrayp, uint32_t n, void *element)
{
	void **array;

	memcpy(&array, arrayp, sizeof(array));
	array = realloc(array, (n + 1) * sizeof(*array));
	if (!array)
		return -ENOMEM;
	array[n] = element;
	memcpy(arrayp, &array, sizeof(array));
	return 0;
}

static uint32_t records_left(const struct probe *p)
{
	uint32_t have = p->memory.n_chunks * LT_CHUNK;

	return !p->max_records || p->max_records > have ? LT_CHUNK : 0;
}

/* Adds a chunk of records. outer_fd < 0: only makes it (the prototype that the outer map is loaded with). */
static int add_records(struct probe *p, int outer_fd)
{
	uint32_t nr = p->memory.n_chunks, first = nr * LT_CHUNK, n = LT_CHUNK;
	void *at;
	int fd, err = 0;

	if (nr >= LT_CHUNKS)
		return -ENOSPC;
	fd = chunk_create("lt_records", sizeof(struct lt_chunk), &at);
	if (fd < 0)
		return fd;
	if (append(&p->memory.chunks, nr, at))
		err = -ENOMEM;
	else if (outer_fd >= 0)
		err = bpf_map_update_elem(outer_fd, &nr, &fd, BPF_ANY);
	p->map_bytes += page_round(sizeof(struct lt_chunk));
	p->memory.n_chunks++;
	if (outer_fd < 0)
		return err ? err : fd;
	close(fd);
	if (err)
		return err;
	if (p->max_records && first + n > p->max_records)
		n = p->max_records > first ? p->max_records - first : 0;
	ledger_give(&p->memory, first, n);
	return 0;
}

static int add_calls(struct probe *p, int outer_fd)
{
	uint32_t nr = p->memory.n_call_chunks;
	void *at;
	int fd, err = 0;

	if (nr >= LT_CALL_CHUNKS)
		return -ENOSPC;
	fd = chunk_create("lt_calls", sizeof(struct lt_call_chunk), &at);
	if (fd < 0)
		return fd;
	if (append(&p->memory.call_chunks, nr, at))
		err = -ENOMEM;
	else if (outer_fd >= 0)
		err = bpf_map_update_elem(outer_fd, &nr, &fd, BPF_ANY);
	p->map_bytes += page_round(sizeof(struct lt_call_chunk));
	p->memory.n_call_chunks++;
	if (outer_fd < 0)
		return err ? err : fd;
	close(fd);
	if (err)
		return err;
	ledger_give_calls(&p->memory, nr * LT_CALL_CHUNK, LT_CALL_CHUNK);
	return 0;
}

static uint64_t stack_left(const struct lt_stack *stack)
{
	return stack->given - __atomic_load_n((const uint64_t *)&stack->taken, __ATOMIC_ACQUIRE);
}

/* Keeps a quarter of a chunk and an eighth of all records free. */
static void grow(struct probe *p)
{
	uint64_t all = (uint64_t)p->memory.n_chunks * LT_CHUNK;

	while (records_left(p) && stack_left(p->memory.free) < LT_CHUNK / 4 + all / 8) {
		if (add_records(p, bpf_map__fd(p->skel->maps.lt_chunks)))
			break;
		all += LT_CHUNK;
	}
	all = (uint64_t)p->memory.n_call_chunks * LT_CALL_CHUNK;
	while (stack_left(p->memory.free_calls) < LT_CALL_CHUNK / 4 + all / 8) {
		if (add_calls(p, bpf_map__fd(p->skel->maps.lt_call_chunks)))
			break;
		all += LT_CALL_CHUNK;
	}
}

static void totals_read(const struct probe *p, struct totals *t)
{
	memset(t, 0, sizeof(*t));
	for (int i = 0; i < LT_CPUS; i++) {
		const struct lt_cpu *cpu = &p->skel->bss->lt_cpus[i];

		t->forks += cpu->forks;
		t->execs += cpu->execs;
		t->exits += cpu->exits;
		t->retransmits += cpu->retransmits;
		t->untracked_born += cpu->untracked_born;
		t->untracked_died += cpu->untracked_died;
		t->lost_calls += cpu->lost_calls;
		t->lost_sockets += cpu->lost_sockets;
		t->lost_switches += cpu->lost_switches;
		t->lost_events += cpu->lost_events;
		for (int j = 0; j < LT_PROGS; j++) {
			t->self_runs += cpu->self[j].runs;
			t->self_ns += cpu->self[j].ns;
		}
	}
}

/* Threads alive without a record. */
static uint64_t untracked(const struct probe *p, const struct totals *t)
{
	uint64_t born = p->skel->bss->lt_seed_missed + t->untracked_born - p->untracked_base;
	uint64_t died = t->untracked_died - p->untracked_died_base;

	return born > died ? born - died : 0;
}

/* Walks all tasks and gives a record to each that has none. */
static int seed(struct probe *p)
{
	struct totals t;
	char buf[64];
	ssize_t n;
	int fd;

	fd = bpf_iter_create(bpf_link__fd(p->seed_link));
	if (fd < 0)
		return fd;
	totals_read(p, &t);
	p->untracked_base = t.untracked_born;
	p->untracked_died_base = t.untracked_died;
	p->skel->bss->lt_seed_missed = 0;
	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EAGAIN))
		;
	close(fd);
	p->seeded_ns = clock_ns(CLOCK_MONOTONIC);
	return n < 0 ? -errno : 0;
}

/* Reads one iterator to its end; what it writes goes to take in whole records of size, or nowhere. */
static int iterate(struct bpf_link *link, size_t size, int (*take)(struct sockets *, const struct lt_connection *),
		   struct sockets *to)
{
	char buf[64 * sizeof(struct lt_connection)];
	int fd = bpf_iter_create(bpf_link__fd(link)), err = 0;
	size_t have = 0, at;
	ssize_t n;

	if (fd < 0)
		return fd;
	while ((n = read(fd, buf + have, sizeof(buf) - have)) > 0 || (n < 0 && errno == EAGAIN)) {
		if (n < 0)
			continue;
		have += (size_t)n;
		for (at = 0; take && !err && have - at >= size; at += size) {
			struct lt_connection c;

			memcpy(&c, buf + at, sizeof(c));
			err = take(to, &c);
		}
		have -= take ? at : have;
		memmove(buf, buf + (take ? at : 0), have);
	}
	if (n < 0)
		err = -errno;
	close(fd);
	return err;
}

static int on_event(void *ctx, void *data, size_t size)
{
	struct probe *p = ctx;

	if (sockets_event(p->sockets, data, size))
		p->events_lost++;
	return 0;
}

static void drain(struct probe *p)
{
	struct totals t;

	ring_buffer__consume(p->events);
	ledger_drain(p->ledger, p->skel->bss->lt_epoch);
	grow(p);
	totals_read(p, &t);
	if (untracked(p, &t) && stack_left(p->memory.free) && clock_ns(CLOCK_MONOTONIC) - p->seeded_ns >= SEED_EVERY_NS)
		seed(p);
}

static void *drainer(void *arg)
{
	struct probe *p = arg;
	struct pollfd fds[] = {
		{ .fd = p->stop_fd, .events = POLLIN },
		{ .fd = ring_buffer__epoll_fd(p->events), .events = POLLIN },
	};

	/* What it must not miss happens on busy machines. Without CAP_SYS_NICE it stays as it is. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), DRAIN_NICE);
	for (;;) {
		if (poll(fds, 2, DRAIN_MS) < 0 && errno != EINTR)
			return NULL;
		if (fds[0].revents)
			return NULL;
		pthread_mutex_lock(&p->lock);
		drain(p);
		pthread_mutex_unlock(&p->lock);
	}
}

/* Signals are the main thread's. */
static int drainer_start(struct probe *p)
{
	sigset_t all, old;
	int err;

	p->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (p->stop_fd < 0)
		return -errno;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(&p->drainer, NULL, drainer, p);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	p->drainer_runs = !err;
	return err;
}

static void fill_host(struct probe *p, struct sample *s)
{
	struct utsname u;
	struct totals now;
	uint64_t cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID), alive;

	uname(&u);
	snprintf(s->host, sizeof(s->host), "%s", u.nodename);
	snprintf(s->kernel, sizeof(s->kernel), "%s", u.release);
	s->cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		s->probe[i].on = p->family[i].on;
		memcpy(s->probe[i].by, p->family[i].by, sizeof(s->probe[i].by));
		memcpy(s->probe[i].reason, p->family[i].reason, sizeof(s->probe[i].reason));
	}
	totals_read(p, &now);
	s->forks = now.forks - p->last.forks;
	s->execs = now.execs - p->last.execs;
	s->exits = now.exits - p->last.exits;
	s->retransmits = now.retransmits - p->last.retransmits;
	alive = untracked(p, &now);
	s->lost.threads = alive + (now.untracked_died - p->last.untracked_died);
	s->lost.calls = now.lost_calls - p->last.lost_calls;
	s->lost.sockets = now.lost_sockets - p->last.lost_sockets;
	s->lost.switches = now.lost_switches - p->last.lost_switches;
	s->lost.events = now.lost_events - p->last.lost_events + p->events_lost;
	p->events_lost = 0;
	s->self.cpu_ns = cpu_ns - p->cpu_ns;
	/* One run in LT_SELF_MASK + 1 timed itself. */
	s->self.bpf_runs = (now.self_runs - p->last.self_runs) * (LT_SELF_MASK + 1);
	s->self.bpf_ns = (now.self_ns - p->last.self_ns) * (LT_SELF_MASK + 1);
	s->self.rss_bytes = proc_rss_bytes();
	s->self.map_bytes = p->map_bytes;
	p->last = now;
	p->cpu_ns = cpu_ns;
}

static void want_connections(struct source *source, bool want)
{
	struct probe *p = (struct probe *)source;

	p->connections = want;
	p->skel->bss->lt_want_connections = want;
}

static int read_sockets(struct probe *p, struct sample *s)
{
	int err = 0;

	ring_buffer__consume(p->events);
	if (p->connections)
		err = iterate(p->walk_link, sizeof(struct lt_connection), sockets_connection, p->sockets);
	return err ? err : sockets_fill(p->sockets, s, p->connections);
}

/* T is taken once, before the first record; the interval's maxima end just before it. */
static int probe_read(struct source *source, struct sample *s)
{
	struct probe *p = (struct probe *)source;
	uint32_t epoch;
	uint64_t t_ns;
	int err;

	sample_clear(s);
	pthread_mutex_lock(&p->lock);
	epoch = p->skel->bss->lt_epoch;
	__atomic_store_n(&p->skel->bss->lt_epoch, epoch + 1, __ATOMIC_SEQ_CST);
	t_ns = clock_ns(CLOCK_MONOTONIC);
	s->t_ns = t_ns;
	s->realtime_ns = clock_ns(CLOCK_REALTIME);
	s->uptime_ns = clock_ns(CLOCK_BOOTTIME);
	s->interval_ns = t_ns - p->t_ns;
	s->number = p->number;
	err = ledger_read(p->ledger, t_ns, epoch, s);
	if (!err && p->family[SAMPLE_NET].on)
		err = read_sockets(p, s);
	fill_host(p, s);
	drain(p);
	pthread_mutex_unlock(&p->lock);
	p->t_ns = t_ns;
	p->number++;
	return err ? err : 1;
}

static void probe_close(struct source *source)
{
	struct probe *p = (struct probe *)source;

	if (p->drainer_runs) {
		uint64_t one = 1;

		if (write(p->stop_fd, &one, sizeof(one)) == sizeof(one))
			pthread_join(p->drainer, NULL);
	}
	if (p->stop_fd > 0)
		close(p->stop_fd);
	ring_buffer__free(p->events);
	bpf_link__destroy(p->seed_link);
	bpf_link__destroy(p->seed_sockets_link);
	bpf_link__destroy(p->walk_link);
	lagtop__destroy(p->skel);
	ledger_free(p->ledger);
	sockets_free(p->sockets);
	for (uint32_t i = 0; i < p->memory.n_chunks; i++)
		munmap(p->memory.chunks[i], page_round(sizeof(struct lt_chunk)));
	for (uint32_t i = 0; i < p->memory.n_call_chunks; i++)
		munmap(p->memory.call_chunks[i], page_round(sizeof(struct lt_call_chunk)));
	free(p->memory.chunks);
	free(p->memory.call_chunks);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static void __attribute__((format(printf, 2, 3))) family_off(struct family *f, const char *format, ...)
{
	va_list args;

	if (!f->on)
		return;
	f->on = false;
	f->by[0] = '\0';
	va_start(args, format);
	vsnprintf(f->reason, sizeof(f->reason), format, args);
	va_end(args);
}

/* The kernel's prototype of a tracepoint; NULL: it has none of that name. */
static const struct btf_type *tracepoint_proto(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *t;
	char name[80];
	int id;

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	if (id < 0)
		return NULL;
	t = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
	return btf__type_by_id(btf, t->type);
}

/* How many arguments a tracepoint passes (the prototype begins with a void pointer of its own). */
static int tracepoint_args(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *proto = tracepoint_proto(btf, tracepoint);

	return proto ? btf_vlen(proto) - 1 : 0;
}

static bool has_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/* Of two programs for one tracepoint that got an argument, the one that this kernel's does not fit. */
static bool wrong_version(const struct btf *btf, const char *name)
{
	if (!strcmp(name, "lt_switch")) /* prev_state: since 5.18 */
		return tracepoint_args(btf, "sched_switch") < 4;
	if (!strcmp(name, "lt_switch_5_15"))
		return tracepoint_args(btf, "sched_switch") >= 4;
	if (!strcmp(name, "lt_retransmit"))
		return tracepoint_args(btf, "tcp_retransmit_skb") < 3;
	if (!strcmp(name, "lt_retransmit_6"))
		return tracepoint_args(btf, "tcp_retransmit_skb") >= 3;
	return false;
}

/* bpf_task_pt_regs is the youngest helper that lagtop needs: 5.15. */
static bool kernel_has_helpers(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *t;
	const struct btf_enum *e;

	if (id < 0)
		return false;
	t = btf__type_by_id(btf, (__u32)id);
	e = btf_enum(t);
	for (int i = 0; i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(btf, e[i].name_off), "BPF_FUNC_task_pt_regs"))
			return true;
	}
	return false;
}

static bool fits(const struct probe *p, const struct btf *btf, const struct program *prog)
{
	bool lengths = tracepoint_proto(btf, "sock_send_length") != NULL;

	if (prog->family != LIFE && !p->family[prog->family].on)
		return false;
	switch (prog->kind) {
	case FALLBACK:
		return !lengths && has_function(btf, prog->target);
	case SENDPAGE:
		return has_function(btf, prog->target);
	default:
		return tracepoint_proto(btf, prog->target) && !wrong_version(btf, prog->name);
	}
}

static void choose_programs(struct probe *p, const struct btf *btf)
{
	struct lagtop *skel = p->skel;
	struct family *net = &p->family[SAMPLE_NET];

	for (size_t i = 0; i < PROGRAMS; i++) {
		const struct program *prog = &programs[i];
		bool replaceable = !strncmp(prog->target, "sock_", 5);

		if (prog->kind == TRACEPOINT && prog->family != LIFE && !tracepoint_proto(btf, prog->target) &&
		    !replaceable)
			family_off(&p->family[prog->family], "this kernel has no tracepoint %s", prog->target);
	}
	if (net->on && !tracepoint_proto(btf, "sock_send_length"))
		snprintf(net->by, sizeof(net->by), "fexit");
	for (size_t i = 0; i < PROGRAMS; i++)
		bpf_program__set_autoload(bpf_object__find_program_by_name(skel->obj, programs[i].name),
					  fits(p, btf, &programs[i]));
	bpf_program__set_autoload(skel->progs.lt_walk, net->on);
	bpf_program__set_autoload(skel->progs.lt_seed_sockets, net->on);
	skel->rodata->lt_with_sched = p->memory.with_sched = p->family[SAMPLE_SCHED].on;
	skel->rodata->lt_with_calls = p->memory.with_calls = p->family[SAMPLE_SYSCALL].on;
	skel->rodata->lt_with_net = net->on;
}

static void detach_family(struct probe *p, int family)
{
	for (int i = 0; i < p->skel->skeleton->prog_cnt; i++) {
		struct bpf_prog_skeleton *s = &p->skel->skeleton->progs[i];

		for (size_t j = 0; j < PROGRAMS; j++) {
			if (programs[j].family != family || strcmp(programs[j].name, s->name) != 0)
				continue;
			bpf_link__destroy(*s->link);
			*s->link = NULL;
		}
	}
}

/* Attaches family by family; one that fails is off, with its reason. -errno: not even the births. */
static int attach(struct probe *p, char *why, size_t why_size)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		const struct program *prog = &programs[i];
		struct bpf_program *bpf = bpf_object__find_program_by_name(p->skel->obj, prog->name);
		struct bpf_link *link;
		int err;

		if (!bpf_program__autoload(bpf) || (prog->family != LIFE && !p->family[prog->family].on))
			continue;
		link = bpf_program__attach(bpf);
		if (link) {
			for (int j = 0; j < p->skel->skeleton->prog_cnt; j++) {
				if (!strcmp(p->skel->skeleton->progs[j].name, prog->name))
					*p->skel->skeleton->progs[j].link = link;
			}
			continue;
		}
		err = -errno;
		if (prog->family == LIFE)
			return fail(why, why_size, err, "cannot attach to the tracepoint %s: %s", prog->target,
				    strerror(-err));
		family_off(&p->family[prog->family], "cannot attach to %s: %s", prog->target, strerror(-err));
		detach_family(p, prog->family);
	}
	return 0;
}

/* Creates the prototypes of the inner maps, loads, and makes the first records. */
static int load(struct probe *p, char *why, size_t why_size)
{
	struct lagtop *skel = p->skel;
	uint32_t want, zero = 0;
	int records_fd, calls_fd, err;

	records_fd = add_records(p, -1);
	calls_fd = add_calls(p, -1);
	if (records_fd < 0 || calls_fd < 0) {
		err = records_fd < 0 ? records_fd : calls_fd;
		if (records_fd >= 0)
			close(records_fd);
		return fail(
			why, why_size, err,
			err == -EPERM
				? "the kernel refuses BPF maps to this process: %s"
				: "cannot make the maps for records: %s (memory limit, or ulimit -l before Linux 5.11)",
			strerror(-err));
	}
	bpf_map__set_inner_map_fd(skel->maps.lt_chunks, records_fd);
	bpf_map__set_inner_map_fd(skel->maps.lt_call_chunks, calls_fd);
	err = lagtop__load(skel);
	if (!err)
		err = bpf_map_update_elem(bpf_map__fd(skel->maps.lt_chunks), &zero, &records_fd, BPF_ANY);
	if (!err)
		err = bpf_map_update_elem(bpf_map__fd(skel->maps.lt_call_chunks), &zero, &calls_fd, BPF_ANY);
	close(records_fd);
	close(calls_fd);
	if (err)
		return fail(why, why_size, err, "the kernel refuses lagtop's programs: %s (--verbose tells more)",
			    strerror(-err));
	p->memory.free = &skel->bss->lt_free;
	p->memory.free_calls = &skel->bss->lt_free_calls;
	want = p->max_records && p->max_records < LT_CHUNK ? p->max_records : LT_CHUNK;
	ledger_give(&p->memory, 0, want);
	ledger_give_calls(&p->memory, 0, LT_CALL_CHUNK);
	want = proc_threads();
	while (records_left(p) && (uint64_t)p->memory.n_chunks * LT_CHUNK < (uint64_t)want + want / 4 + LT_CHUNK &&
	       !add_records(p, bpf_map__fd(skel->maps.lt_chunks)))
		;
	p->map_bytes += sizeof(struct lt_index_set) * LT_INDEX_SETS + page_round(sizeof(*skel->bss)) + LT_CHUNKS * 8 +
			LT_CALL_CHUNKS * 8 + LT_EVENTS_BYTES + 3 * 4096;
	return 0;
}

static int kernel_check(struct btf **btf, char *why, size_t why_size)
{
	struct utsname u;
	int err;

	if (privileges_missing(why, why_size))
		return -EPERM;
	uname(&u);
	*btf = btf__load_vmlinux_btf();
	err = libbpf_get_error(*btf);
	if (err) {
		*btf = NULL;
		return fail(why, why_size, err,
			    "this kernel (%s) carries no BTF type information (/sys/kernel/btf/vmlinux): "
			    "lagtop needs one built with CONFIG_DEBUG_INFO_BTF",
			    u.release);
	}
	if (!kernel_has_helpers(*btf)) {
		btf__free(*btf);
		*btf = NULL;
		return fail(why, why_size, -ENOSYS,
			    "Linux %s is too old: its BPF cannot read another task's registers (bpf_task_pt_regs); "
			    "lagtop needs 5.15 or newer",
			    u.release);
	}
	return 0;
}

static void choose_families(struct probe *p, const struct probe_options *o)
{
	static const char *const option[SAMPLE_FAMILIES] = { "--no-sched", "--no-syscall", "--no-net" };

	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		p->family[i].on = true;
		snprintf(p->family[i].by, sizeof(p->family[i].by), "tp_btf");
		if (o->off[i])
			family_off(&p->family[i], "left out by %s", option[i]);
	}
}

/* Everything up to running probes. On failure what was made so far stays for probe_close. */
static int begin(struct probe *p, const struct probe_options *o, char *why, size_t why_size)
{
	struct btf *btf = NULL;
	int err;

	verbose = o->verbose;
	libbpf_set_print(print_libbpf);
	err = kernel_check(&btf, why, why_size);
	if (err)
		return err;
	choose_families(p, o);
	p->max_records = o->max_threads;
	p->memory.limit = o->max_threads;
	p->skel = lagtop__open();
	if (!p->skel) {
		btf__free(btf);
		return fail(why, why_size, -errno, "cannot open the BPF object: %s", strerror(errno));
	}
	choose_programs(p, btf);
	btf__free(btf);
	err = load(p, why, why_size);
	if (err)
		return err;
	return attach(p, why, why_size);
}

static int start_sockets(struct probe *p, const struct probe_options *o)
{
	union bpf_iter_link_info info = { .map.map_fd = (__u32)bpf_map__fd(p->skel->maps.lt_sockets) };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));

	if (!p->family[SAMPLE_NET].on)
		return 0;
	p->seed_sockets_link = bpf_program__attach_iter(p->skel->progs.lt_seed_sockets, NULL);
	p->walk_link = bpf_program__attach_iter(p->skel->progs.lt_walk, &opts);
	if (!p->seed_sockets_link || !p->walk_link)
		return -errno;
	want_connections(&p->source, o->connections);
	return iterate(p->seed_sockets_link, 0, NULL, NULL);
}

static int start(struct probe *p, const struct probe_options *o, char *why, size_t why_size)
{
	struct sample scratch = { 0 };
	int err;

	p->events = ring_buffer__new(bpf_map__fd(p->skel->maps.lt_events), on_event, p, NULL);
	p->ledger = ledger_new(&p->memory, &names);
	p->sockets = sockets_new();
	p->seed_link = bpf_program__attach_iter(p->skel->progs.lt_seed, NULL);
	if (!p->events || !p->ledger || !p->sockets || !p->seed_link)
		return fail(why, why_size, -ENOMEM, "cannot set up the readings: %s", strerror(errno));
	err = start_sockets(p, o);
	if (!err)
		err = seed(p);
	if (err)
		return fail(why, why_size, err, "cannot walk the kernel's tasks: %s", strerror(-err));
	err = privileges_drop(o->readonly);
	if (err)
		return fail(why, why_size, err, "cannot give up privileges: %s", strerror(-err));
	/* The baseline: its interval is nobody's. */
	err = probe_read(&p->source, &scratch);
	sample_free(&scratch);
	if (err < 0)
		return fail(why, why_size, err, "cannot take the first reading: %s", strerror(-err));
	err = drainer_start(p);
	if (err)
		return fail(why, why_size, err, "cannot start the drain thread: %s", strerror(-err));
	return 0;
}

static struct probe *probe_new(void)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->source.read = probe_read;
	p->source.close = probe_close;
	p->source.want_connections = want_connections;
	p->source.live = true;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

struct source *probe_open(const struct probe_options *o, char *why, size_t why_size)
{
	struct probe *p = probe_new();

	if (!p) {
		fail(why, why_size, -ENOMEM, "out of memory");
		return NULL;
	}
	if (begin(p, o, why, why_size) || start(p, o, why, why_size)) {
		probe_close(&p->source);
		return NULL;
	}
	return &p->source;
}

int probe_check(const struct probe_options *o, FILE *out)
{
	static const char *const name[SAMPLE_FAMILIES] = { "sched", "syscall", "net" };
	char why[512] = "", lockdown[32];
	struct probe *p = probe_new();
	struct utsname u;
	int on = 0;

	if (!p)
		return 1;
	uname(&u);
	fprintf(out, "kernel        Linux %s %s\n", u.release, u.machine);
	fprintf(out, "BTF           %s\n", access("/sys/kernel/btf/vmlinux", R_OK) ? "no" : "yes");
	fprintf(out, "lockdown      %s\n", privileges_lockdown(lockdown, sizeof(lockdown)));
	fprintf(out, "privileges    %s\n", privileges_missing(why, sizeof(why)) ? why : "enough");
	if (begin(p, o, why, sizeof(why)) || start(p, o, why, sizeof(why))) {
		fprintf(out, "probes        none: %s\n", why);
		probe_close(&p->source);
		return 1;
	}
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		on += p->family[i].on;
		fprintf(out, "%-14s%s%s\n", name[i],
			p->family[i].on ? "on, by " : "off: ", p->family[i].on ? p->family[i].by : p->family[i].reason);
	}
	fprintf(out, "map memory    %.1f MiB\n", (double)p->map_bytes / (1 << 20));
	probe_close(&p->source);
	return on == SAMPLE_FAMILIES ? 0 : on ? 3 : 1;
}

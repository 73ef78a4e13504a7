/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The front end's half of the BPF programs (probe_load.c loads and attaches them, probe_memory.c creates their
 * maps, probe_sockets.c iterates over sockets): seeds and reads the records. A drain thread reaps exited threads and
 * adds records at least once a second, and at once when half of the free records are used; so nothing is lost while the
 * front end waits for its delay, a blocked terminal or a full pipe. The ledger and the maps' sizes are shared with it
 * under `lock`.
 */
#include "probe.h"

#include "probe_kernel.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "privileges.h"
#include "proc.h"
#include "stack.h"

#define DRAIN_MS 1000
#define SAMPLE_MS 20	   /* of run queues, while they are looked at */
#define CUT_AHEAD_NS 20000 /* longer than it takes until all CPUs see a store */
#define DRAIN_NICE (-10)
#define DRAIN_SLICE_NS 100000 /* the shortest that the kernel accepts */
#define RECORDS_AHEAD 3072    /* births before a late drain thread runs */
#define SEED_EVERY_NS 1000000000ULL
#define CPUS_CHANGE_NS 3000000000ULL

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/* If a read fails, keeps the last value. */
static void totals_read(const struct probe *p, struct totals *t)
{
	uint32_t zero = 0;

	memset(t, 0, sizeof(*t));
	bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.lt_cpus), &zero, p->of_cpu);
	for (int i = 0; i < p->n_cpus; i++) {
		const struct lt_cpu *cpu = &p->of_cpu[i];

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
		t->lost_requests += cpu->lost_requests;
		t->lost_groups += cpu->lost_groups;
		for (int j = 0; j < LT_PROGS; j++) {
			t->self[j].runs += cpu->self[j].runs;
			t->self[j].ns += cpu->self[j].ns;
		}
	}
}

/* Threads alive without a record. */
static uint64_t untracked(const struct probe *p, const struct totals *t)
{
	uint64_t born = p->skel->bss->lt_seed_missed + t->untracked_born - p->untracked_base;
	uint64_t died = t->untracked_died - p->untracked_died_base;

	if (!stack_left(p->memory.free)) /* what the iterator met at its birth has found no record since */
		born += p->skel->bss->lt_seed_unborn;
	return born > died ? born - died : 0;
}

/* Iterates over all tasks and gives a record to each one that has none. */
static int seed(struct probe *p)
{
	struct totals t;
	int err;

	totals_read(p, &t);
	p->untracked_base = t.untracked_born;
	p->untracked_died_base = t.untracked_died;
	p->skel->bss->lt_seed_missed = 0;
	p->skel->bss->lt_seed_unborn = 0;
	err = probe_iterate(p->seed_link);
	/* Those threads were not created now. */
	p->records_demand.taken = stack_load(&p->memory.free->taken);
	p->seeded_ns = clock_ns(CLOCK_MONOTONIC);
	return err;
}

static int on_event(void *ctx, void *data, size_t size)
{
	const struct lt_event *event = data;
	struct probe *p = ctx;

	if (size >= sizeof(*event) && event->type == LT_EVENT_MOVED)
		probe_names_moved(p, event);
	else if (sockets_event(p->sockets, data, size))
		p->events_lost++;
	return 0;
}

/* Iterates to repair what the missed last switches on a CPU that went offline left wrong. A CPU is no longer online
 * some ms before it is off. */
static bool cpus_changed(struct probe *p, uint64_t now_ns)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (online != p->cpus_online) {
		p->cpus_online = online;
		p->cpus_changed_ns = now_ns;
	}
	return now_ns - p->cpus_changed_ns < CPUS_CHANGE_NS && now_ns - p->seeded_ns >= CPUS_CHANGE_NS / 10;
}

static void drain(struct probe *p)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	struct totals t;

	probe_memory_grow(p); /* first: while many threads are created, each ms counts */
	ring_buffer__consume(p->events);
	ledger_drain(p->ledger, p->skel->bss->lt_epoch);
	probe_names_take(p);
	probe_memory_grow(p);
	totals_read(p, &t);
	if (cpus_changed(p, now_ns) || ((untracked(p, &t) || p->skel->bss->lt_seed_unborn) &&
					stack_left(p->memory.free) && now_ns - p->seeded_ns >= SEED_EVERY_NS))
		seed(p);
}

/* The drain thread must also run in time on busy machines. With CAP_SYS_NICE it gets a higher priority. Since Linux
 * 6.12 a thread with a short time slice gets the CPU soon, and any thread may ask for one. False: it may run late. */
static bool come_soon(void)
{
	/* The kernel's sched_attr: its header conflicts with the C library's on some systems. */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime_ns, deadline_ns, period_ns;
	} attr = { .size = sizeof(attr), .policy = SCHED_OTHER, .runtime_ns = DRAIN_SLICE_NS };
	id_t self = (id_t)gettid();

	setpriority(PRIO_PROCESS, self, DRAIN_NICE);
	attr.nice = getpriority(PRIO_PROCESS, self);
	if (sched_getscheduler(0) == SCHED_OTHER)
		syscall(SYS_sched_setattr, 0, &attr, 0);
	return attr.nice <= DRAIN_NICE;
}

static void *drainer(void *arg)
{
	struct probe *p = arg;
	struct memory room;
	struct pollfd fds[] = {
		{ .fd = p->stop_fd, .events = POLLIN },
		{ .fd = ring_buffer__epoll_fd(p->events), .events = POLLIN },
	};
	bool soon = come_soon();
	uint64_t now_ns, drained_ns = 0;
	bool sample;

	pthread_mutex_lock(&p->lock);
	p->records_ahead = soon ? 0 : RECORDS_AHEAD;
	probe_memory_grow(p);
	pthread_mutex_unlock(&p->lock);
	for (;;) {
		sample = __atomic_load_n(&p->sample_cpus, __ATOMIC_RELAXED);
		if (poll(fds, 2, sample ? SAMPLE_MS : DRAIN_MS) < 0 && errno != EINTR)
			return NULL;
		if (fds[0].revents)
			return NULL;
		now_ns = clock_ns(CLOCK_MONOTONIC);
		if (!fds[1].revents && now_ns - drained_ns < DRAIN_MS * 1000000ULL && sample) {
			pthread_mutex_lock(&p->lock);
			probe_cpus_sample(p);
			pthread_mutex_unlock(&p->lock);
			continue;
		}
		memory_look(&room, "");
		pthread_mutex_lock(&p->lock);
		p->room = room;
		drain(p);
		probe_memory_give_back(p, now_ns);
		pthread_mutex_unlock(&p->lock);
		drained_ns = now_ns;
	}
}

static int drainer_start(struct probe *p)
{
	int err;

	p->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (p->stop_fd < 0)
		return -errno;
	err = probe_thread(&p->drainer, drainer, p);
	p->drainer_runs = !err;
	return err;
}

static void fill_host(struct probe *p, struct sample *s)
{
	struct utsname u;
	struct cost_timed timed[LT_PROGS];
	struct totals now;
	uint64_t cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID), skipped[SAMPLE_FAMILIES + 1], alive;

	uname(&u);
	snprintf(s->host, sizeof(s->host), "%s", u.nodename);
	snprintf(s->kernel, sizeof(s->kernel), "%s", u.release);
	s->live = true;
	s->cpus_online = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		s->probe[i].on = p->family[i].on;

		memcpy(s->probe[i].by, p->family[i].by, sizeof(s->probe[i].by));
		memcpy(s->probe[i].reason, p->family[i].reason, sizeof(s->probe[i].reason));
	}
	s->probe[SAMPLE_SYSCALL].level = (uint8_t)(p->family[SAMPLE_SYSCALL].on ? p->shown : LT_LEVEL_EXACT);
	totals_read(p, &now);
	probe_skipped(p, skipped);
	now.lost_switches += skipped[SAMPLE_SCHED];
	now.lost_calls += skipped[SAMPLE_SYSCALL];
	now.lost_sockets += skipped[SAMPLE_NET] + skipped[SAMPLE_TURNS];
	now.lost_requests += skipped[SAMPLE_DISK];
	now.lost_events += skipped[SAMPLE_FAMILIES];
	s->forks = now.forks - p->last.forks;
	s->execs = now.execs - p->last.execs;
	s->exits = now.exits - p->last.exits;
	s->retransmits = now.retransmits - p->last.retransmits;
	alive = untracked(p, &now);
	s->lost.threads = alive + (now.untracked_died - p->last.untracked_died);
	s->lost.calls = now.lost_calls - p->last.lost_calls;
	s->lost.sockets = now.lost_sockets - p->last.lost_sockets;
	if (p->number == 1) /* the reading before only begins the first interval, and is not shown */
		s->lost.sockets += p->skel->bss->lt_listening_missed;
	s->lost.switches = now.lost_switches - p->last.lost_switches;
	s->lost.events += now.lost_events - p->last.lost_events + p->events_lost;
	p->events_lost = 0;
	s->lost.requests += now.lost_requests - p->last.lost_requests;
	s->lost.groups = now.lost_groups - p->last.lost_groups;
	s->self.cpu_ns = cpu_ns - p->cpu_ns;
	for (int i = 0; i < LT_PROGS; i++)
		timed[i] = (struct cost_timed){ now.self[i].runs - p->last.self[i].runs,
						now.self[i].ns - p->last.self[i].ns };
	p->calls_ns = cost_self(probe_cost_now(p), timed, &s->self);
	s->self.rss_bytes = proc_rss_bytes();
	s->self.map_bytes = p->map_bytes;
	p->last = now;
	p->cpu_ns = cpu_ns;
}

static void want_connections(struct source *source, enum source_connections want)
{
	probe_sockets_want((struct probe *)source, want);
}

static void want_cpus(struct source *source, bool want)
{
	__atomic_store_n(&((struct probe *)source)->sample_cpus, want, __ATOMIC_RELAXED);
}

static void want_calls(struct source *source, bool want)
{
	((struct probe *)source)->calls_unwanted = !want;
}

static void want_focus(struct source *source, const struct source_process *processes, uint32_t n)
{
	probe_focus_ask((struct probe *)source, processes, n);
}

static void want_budget(struct source *source, double percent)
{
	((struct probe *)source)->budget.percent = percent;
}

/* The BPF programs use the kernel's clock; in a time namespace /proc and the processes there use another. */
static void show_starts(struct sample *s, int64_t boottime_ns)
{
	for (uint32_t i = 0; boottime_ns && i < s->n_processes; i++)
		if (s->processes[i].start_ns) /* none for what is outside */
			s->processes[i].start_ns += (uint64_t)boottime_ns;
	for (uint32_t i = 0; boottime_ns && i < s->n_because; i++)
		if (s->because[i].start_ns)
			s->because[i].start_ns += (uint64_t)boottime_ns;
	for (uint32_t i = 0; boottime_ns && i < s->n_threads; i++)
		s->threads[i].start_ns += (uint64_t)boottime_ns;
}

/* The clock of BPF programs. */
static uint64_t kernel_ns(const struct probe *p)
{
	return clock_ns(CLOCK_MONOTONIC) - (uint64_t)p->clocks.monotonic_ns;
}

/* T, announced to the BPF programs beforehand: a thread that changes state after T saves its times as of T. The
 * interval's maxima end just after it. */
static uint64_t cut(struct probe *p, uint32_t epoch)
{
	uint64_t t_ns;

	do {
		t_ns = kernel_ns(p) + CUT_AHEAD_NS;
		__atomic_store_n(&p->skel->bss->lt_cut_ns, t_ns, __ATOMIC_SEQ_CST);
	} while (kernel_ns(p) >= t_ns); /* we were preempted: some CPUs may have seen it too late */
	while (kernel_ns(p) <= t_ns)
		;
	__atomic_store_n(&p->skel->bss->lt_epoch, epoch + 1, __ATOMIC_SEQ_CST);
	return t_ns;
}

/* T is taken once, before the first record. */
static int probe_read(struct source *source, struct sample *s)
{
	struct probe *p = (struct probe *)source;
	uint32_t epoch;
	uint64_t t_ns;
	int err;

	sample_clear(s);
	s->unknown = p->unknown;
	pthread_mutex_lock(&p->lock);
	drain(p); /* so that little work remains between T and the last record */
	epoch = p->skel->bss->lt_epoch;
	t_ns = cut(p, epoch);
	s->t_ns = t_ns;
	s->realtime_ns = clock_ns(CLOCK_REALTIME);
	s->uptime_ns = clock_ns(CLOCK_BOOTTIME);
	s->interval_ns = t_ns - p->t_ns;
	s->number = p->number;
	err = probe_cpus_read(p);
	if (!err)
		err = probe_focus_read(p, kernel_ns(p));
	machine_ask(p->machine, epoch); /* it wakes a helper, so only after the CPUs were read */
	if (!err)
		err = ledger_read(p->ledger, t_ns, epoch, s);
	if (!err)
		err = probe_focus_fill(p, s);
	if (!err)
		probe_focus_choose(p, s);
	if (!err && p->family[SAMPLE_NET].on) {
		ring_buffer__consume(p->events);
		err = probe_sockets_read(p, s);
	}
	show_starts(s, p->clocks.boottime_ns);
	fill_host(p, s);
	pthread_mutex_unlock(&p->lock);
	machine_read(p->machine, s);
	machine_queues(p->machine, p->queues, p->n_runqueues, s);
	pthread_mutex_lock(&p->lock);
	probe_cpus_fill(p, s);
	pthread_mutex_unlock(&p->lock);
	p->t_ns = t_ns;
	if (p->number++) {
		probe_family_next(p, s);
		probe_cost_slice(p);
	}
	return err ? err : 1;
}

static void probe_close(struct source *source)
{
	struct probe *p = (struct probe *)source;

	probe_cost_free(p);
	if (p->drainer_runs) {
		uint64_t one = 1;

		if (write(p->stop_fd, &one, sizeof(one)) == sizeof(one))
			pthread_join(p->drainer, NULL);
	}
	if (p->stop_fd > 0)
		close(p->stop_fd);
	ring_buffer__free(p->events);
	bpf_link__destroy(p->seed_link);
	probe_sockets_free(p);
	probe_cpus_free(p);
	probe_focus_free(p);
	lagtop__destroy(p->skel);
	ledger_free(p->ledger);
	lookup_close(p->lookup);
	machine_free(p->machine);
	sockets_free(p->sockets);
	disks_free(p->disks);
	probe_disks_free(p);
	probe_memory_free(p);
	pthread_mutex_destroy(&p->lock);
	free(p->of_cpu);
	free(p);
}

/* Needs no capability since Linux 5.19; before that lagtop keeps it. */
static bool throttle(void *ctx, struct lt_throttle_look *look)
{
	struct probe *p = ctx;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = look, .ctx_size_in = sizeof(*look));

	if (bpf_prog_test_run_opts(bpf_program__fd(p->skel->progs.lt_throttle), &opts) || opts.retval)
		return false;
	if (look->throttle.since_ns)
		probe_cpus_throttled(p, look);
	return true;
}

static int start(struct probe *p, const struct probe_options *o, char *why, size_t why_size)
{
	struct sample scratch = { 0 };
	int err = 0;

	if (!privileges_hidden(p->hidepid, sizeof(p->hidepid)))
		*p->hidepid = '\0';
	p->memory.throttle = throttle;
	p->memory.throttle_ctx = p;
	p->events = ring_buffer__new(bpf_map__fd(p->skel->maps.lt_events), on_event, p, NULL);
	p->ledger = ledger_new(&p->memory, &p->names);
	p->sockets = sockets_new(p->memory.pending_bytes);
	if (!o->off[SAMPLE_DISK])
		p->disks = disks_new(p->disk, p->disk_group ? disk_groups_new(p->disk_group, p->group_name) : NULL);
	p->machine = machine_new(p->disks);
	p->seed_link = bpf_program__attach_iter(p->skel->progs.lt_seed, NULL);
	if (!p->events || probe_names_start(p) || !p->ledger || !p->sockets || !p->machine ||
	    (!p->disks && !o->off[SAMPLE_DISK]) || !p->seed_link)
		return probe_refused(why, why_size, -errno, "the iterators and buffers that lagtop reads with");
	err = probe_cpus_start(p);
	if (!err)
		err = probe_focus_start(p);
	want_cpus(&p->source, o->cpus);
	if (!err && p->family[SAMPLE_NET].on) {
		probe_sockets_want(p, o->connections);
		err = probe_sockets_start(p);
	}
	p->cpus_online = sysconf(_SC_NPROCESSORS_ONLN);
	if (!err)
		err = seed(p);
	if (err)
		return probe_refused(why, why_size, err, "to iterate over its tasks and sockets");
	err = privileges_drop(o->readonly);
	if (err)
		return probe_fail(why, why_size, err, "cannot give up privileges: %s", strerror(-err));
	/* The baseline: its interval is not shown. */
	err = probe_read(&p->source, &scratch);
	sample_free(&scratch);
	if (err < 0)
		return probe_fail(why, why_size, err, "cannot take the first reading: %s", strerror(-err));
	probe_family_begin(p);
	p->budget.percent = o->budget_percent;
	err = drainer_start(p);
	if (err)
		return probe_fail(why, why_size, err, "cannot start the drain thread: %s", strerror(-err));
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
	p->source.want_cpus = want_cpus;
	p->source.want_calls = want_calls;
	p->source.want_budget = want_budget;
	p->source.want_focus = want_focus;
	p->source.live = true;
	p->clocks = proc_clocks();
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

struct source *probe_open(const struct probe_options *o, char *why, size_t why_size)
{
	struct probe *p = probe_new();

	if (!p) {
		probe_fail(why, why_size, -ENOMEM, "out of memory");
		return NULL;
	}
	if (probe_load(p, o, why, why_size) || start(p, o, why, why_size)) {
		probe_close(&p->source);
		return NULL;
	}
	if (p->family[SAMPLE_SYSCALL].fixed)
		p->source.want_calls = NULL;
	return &p->source;
}

int probe_check(const struct probe_options *o, FILE *out)
{
	char why[512] = "", lockdown[32];
	struct probe *p = probe_new();
	struct utsname u;
	int on = 0;

	if (!p)
		return 1;
	uname(&u);
	fprintf(out, "kernel        Linux %s %s\n", u.release, u.machine);
	fprintf(out, "BTF           %s\n", probe_btf());
	fprintf(out, "lockdown      %s\n", privileges_lockdown(lockdown, sizeof(lockdown)));
	fprintf(out, "privileges    %s\n", privileges_missing(why, sizeof(why)) ? why : "enough");
	if (probe_load(p, o, why, sizeof(why)) || start(p, o, why, sizeof(why))) {
		fprintf(out, "probes        none: %s\n", why);
		probe_close(&p->source);
		return 1;
	}
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		on += p->family[i].on;
		if (p->family[i].on)
			fprintf(out, "%-14son, by %s%s%s\n", sample_family_name[i], p->family[i].by,
				*p->family[i].reason ? "; " : "", p->family[i].reason);
		else
			fprintf(out, "%-14soff: %s\n", sample_family_name[i], p->family[i].reason);
	}
	if (*p->hidepid)
		fprintf(out,
			"/proc         hides other users' processes (%s): their command lines and control groups are "
			"not known; root or CAP_SYS_PTRACE is needed to see them\n",
			p->hidepid);
	fprintf(out, "pressure      %s\n",
		access("/proc/pressure", F_OK)
			? "not known: there is no /proc/pressure (the kernel needs CONFIG_PSI, and "
			  "psi=1 at boot where that is not the default)"
			: "on, by /proc/pressure");
	probe_cost_check(p, out);
	fprintf(out, "run queues    %s\n",
		p->runqueues_link ? "on, by an iterator" : "not known: this kernel gives no access to them");
	fprintf(out, "map memory    %.1f MiB\n", (double)p->map_bytes / (1 << 20));
	probe_close(&p->source);
	return on == SAMPLE_FAMILIES ? 0 : on ? 3 : 1;
}

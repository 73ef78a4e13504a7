/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run queues of the CPUs. An iterator over an array copies each of them at a reading; the array has an element for
 * the highest CPU number possible on this machine, whichever CPUs are present.
 */
#include "cpulist.h"
#include "grow.h"
#include "probe_kernel.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define POSSIBLE "/sys/devices/system/cpu/possible" /* "0-3,8-11" */

/* "": not known. */
static void read_possible(char *text, size_t size)
{
	int fd = open(POSSIBLE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
}

int probe_cpus_place(uint32_t cpu)
{
	char possible[4096];

	read_possible(possible, sizeof(possible));
	return *possible ? cpulist_place(possible, cpu) : (int)cpu;
}

/* Whether the kernel exposes the address of a per-CPU variable, tried with a program that names it and does nothing. */
static bool has_address(const struct btf *btf, const char *variable)
{
	int id = btf__find_by_name_kind(btf, variable, BTF_KIND_VAR), fd;
	const struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_BTF_ID, .imm = id },
		{ .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	fd = id < 0 ? -1 : bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "lt_address", "GPL", insns, 4, NULL);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static const struct btf_type *target_of(const struct btf *btf, const struct btf_type *t)
{
	return t && btf_is_ptr(t) ? btf__type_by_id(btf, t->type) : NULL;
}

/* Whether a task group has an array of pointers to its cfs_rqs: not since 7.2. */
static bool has_group_queues(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "task_group", BTF_KIND_STRUCT);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);

	for (int i = 0; t && i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];

		if (!strcmp(btf__name_by_offset(btf, m->name_off), "cfs_rq"))
			return target_of(btf, target_of(btf, btf__type_by_id(btf, m->type)));
	}
	return false;
}

void probe_cpus_choose(struct probe *p, const struct btf *btf)
{
	struct bpf_program *by_name = p->skel->progs.lt_runqueue, *by_group = p->skel->progs.lt_runqueue_tg;
	char possible[4096];
	uint32_t n;

	p->runqueues_by = has_address(btf, "runqueues") ? by_name : has_group_queues(btf) ? by_group : NULL;
	bpf_program__set_autoload(by_name, p->runqueues_by == by_name);
	bpf_program__set_autoload(by_group, p->runqueues_by == by_group);

	read_possible(possible, sizeof(possible));
	n = cpulist_last(possible) + 1;
	p->n_runqueues = n > (uint32_t)p->n_cpus ? n : (uint32_t)p->n_cpus;
	bpf_map__set_max_entries(p->skel->maps.lt_runqueues, p->n_runqueues);
	bpf_map__set_max_entries(p->skel->maps.lt_focus, p->n_runqueues);
}

static size_t array_bytes(const struct probe *p)
{
	return p->n_runqueues * sizeof(*p->runqueues);
}

int probe_cpus_start(struct probe *p)
{
	int fd = bpf_map__fd(p->skel->maps.lt_runqueues);
	union bpf_iter_link_info info = { .map.map_fd = (__u32)fd };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	void *at = mmap(NULL, array_bytes(p), PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	p->runqueues = at;
	p->queues = calloc(p->n_runqueues, sizeof(*p->queues));
	if (!p->queues)
		return -ENOMEM;
	if (!p->runqueues_by)
		return 0;
	p->runqueues_link = bpf_program__attach_iter(p->runqueues_by, &opts);
	return 0; /* without it the CPUs have their times */
}

void probe_cpus_free(struct probe *p)
{
	bpf_link__destroy(p->runqueues_link);
	if (p->runqueues)
		munmap((void *)(uintptr_t)p->runqueues, array_bytes(p));
	free(p->queues);
	free(p->depths);
	free(p->throttled);
}

static bool is_us(const struct lt_runqueue *q)
{
	return q->runs == LT_RUNS_THREAD && q->tgid == (uint32_t)getpid();
}

/* Threads that wait, but not for lagtop itself. */
static uint32_t queued(const struct lt_runqueue *q)
{
	return q->queued - (is_us(q) && q->queued);
}

/* The CPU that lagtop itself runs on: shows the thread that it displaced, if that is known. */
static void without_us(const struct probe *p, struct lt_runqueue *q)
{
	const struct lt_record *record = q->since_ns ? ledger_displaced(&p->memory, q->since_ns) : NULL;

	q->tid = record ? record->who.tid : 0;
	q->tgid = record ? record->who.tgid : 0;
	if (record)
		memcpy(q->comm, record->who.comm, sizeof(q->comm));
	else
		q->runs = q->queued ? LT_RUNS_UNKNOWN : LT_RUNS_IDLE;
	q->since_ns = 0; /* since when is not kept */
}

int probe_cpus_read(struct probe *p)
{
	int err = p->runqueues_link ? probe_iterate(p->runqueues_link) : 0;

	memcpy(p->queues, p->runqueues, array_bytes(p));
	for (uint32_t i = 0; i < p->n_runqueues; i++) {
		uint32_t n = queued(&p->queues[i]);

		if (is_us(&p->queues[i]))
			without_us(p, &p->queues[i]);
		p->queues[i].queued = n;
	}
	return err;
}

void probe_cpus_sample(struct probe *p)
{
	uint32_t n;

	if (!p->depths)
		p->depths = calloc(p->n_runqueues, sizeof(*p->depths));
	if (!p->depths || !p->runqueues_link || probe_iterate(p->runqueues_link))
		return;
	for (uint32_t i = 0; i < p->n_runqueues; i++) {
		n = queued(&p->runqueues[i]);
		p->depths[i].count[n < PROBE_DEPTHS ? n : PROBE_DEPTHS - 1]++;
	}
	p->n_depths++;
}

void probe_cpus_throttled(struct probe *p, const struct lt_throttle_look *look)
{
	if (GROW(p->throttled, p->cap_throttled, p->n_throttled + 1))
		p->throttled[p->n_throttled++] =
			(struct probe_throttled){ .cpu = (uint32_t)look->cpu, .queue = look->queue };
}

static int by_cpu(const void *a, const void *b)
{
	const struct probe_throttled *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return (x->queue > y->queue) - (x->queue < y->queue);
}

/* Counts each queue once, however many threads wait in it. The rows are in the order of their CPUs. */
static void fill_throttled(struct probe *p, struct sample *s)
{
	const struct probe_throttled *t = p->throttled, *end = t + p->n_throttled;

	if (p->n_throttled)
		qsort(p->throttled, p->n_throttled, sizeof(*p->throttled), by_cpu);
	for (uint32_t i = 0; i < s->n_cpus && p->memory.with_sched && !counter_has(&p->unknown, LT_THROTTLED); i++) {
		struct sample_cpu *row = &s->cpus[i];

		row->throttled = 0;
		for (; t < end && t->cpu <= row->cpu; t++)
			row->throttled += t->cpu == row->cpu && (t == p->throttled || t->queue != t[-1].queue);
	}
	p->n_throttled = 0;
}

void probe_cpus_fill(struct probe *p, struct sample *s)
{
	uint64_t rank = ((uint64_t)p->n_depths * 99 + 99) / 100;

	fill_throttled(p, s);
	for (uint32_t i = 0; p->n_depths && i < s->n_cpus; i++) {
		struct sample_cpu *row = &s->cpus[i];
		uint64_t below = 0;

		if (row->queued == SAMPLE_NONE)
			continue;
		for (row->queued_p99 = 0;; row->queued_p99++) {
			below += p->depths[row->cpu].count[row->queued_p99];
			if (below >= rank)
				break;
		}
	}
	if (p->depths)
		memset(p->depths, 0, p->n_runqueues * sizeof(*p->depths));
	p->n_depths = 0;
}

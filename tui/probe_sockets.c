/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets of a reading: assigns owners to those that are older than the probes, and iterates over all of them. The
 * iterator writes its reports into an array that is mapped here. The number of sockets is known only at the end of a
 * pass, so a second pass with a larger array may be needed.
 */
#include "probe_kernel.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WALKED_AT_FIRST 1024 /* connections */

static int walked_create(uint32_t cap, struct lt_connection **at)
{
	return probe_memory_create("lt_walked", sizeof(**at), cap, BPF_F_INNER_MAP, (void **)at);
}

/* Uses this array from now on: both the iterator's and ours. */
static void walked_swap(struct probe *p, struct lt_connection *at, uint32_t cap)
{
	probe_memory_unmap(p->walked, sizeof(*at), p->cap_walked);
	p->map_bytes += probe_memory_bytes(sizeof(*at), cap) - probe_memory_bytes(sizeof(*at), p->cap_walked);
	p->walked = at;
	p->cap_walked = cap;
}

int probe_sockets_begin(struct probe *p, struct probe_first *first)
{
	struct lt_connection *at;

	first->walked_fd = walked_create(WALKED_AT_FIRST, &at);
	if (first->walked_fd < 0)
		return first->walked_fd;
	walked_swap(p, at, WALKED_AT_FIRST);
	return 0;
}

int probe_sockets_publish(struct probe *p, int fd)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(bpf_map__fd(p->skel->maps.lt_walked), &zero, &fd, BPF_ANY);
}

void probe_sockets_free(struct probe *p)
{
	bpf_link__destroy(p->seed_sockets_link);
	bpf_link__destroy(p->walk_link);
	probe_memory_unmap(p->walked, sizeof(*p->walked), p->cap_walked);
}

/* Room for n connections and some more. If there is no memory, an iteration takes more passes. */
static void make_room(struct probe *p, uint32_t n)
{
	uint32_t cap = p->cap_walked;
	struct lt_connection *at;
	int fd;

	while (cap < n)
		cap *= 2;
	fd = walked_create(cap, &at);
	if (fd < 0)
		return;
	if (probe_sockets_publish(p, fd))
		probe_memory_unmap(at, sizeof(*at), cap);
	else
		walked_swap(p, at, cap);
	close(fd);
}

static int walk(struct probe *p)
{
	struct lt_walking *walking = (struct lt_walking *)&p->skel->bss->lt_walking;
	bool full;
	int err;

	walking->number++;
	do {
		walking->n = 0;
		err = probe_iterate(p->walk_link);
		full = walking->n > p->cap_walked;
		for (uint32_t i = 0; !err && i < (full ? p->cap_walked : walking->n); i++)
			err = sockets_connection(p->sockets, &p->walked[i]);
		if (!err && full)
			make_room(p, walking->n);
	} while (!err && full);
	return err;
}

void probe_sockets_want(struct probe *p, enum source_connections want)
{
	p->connections = want;
	p->skel->bss->lt_want_connections = want != SOURCE_NO_CONNECTIONS;
	p->skel->bss->lt_walking.all = want == SOURCE_ALL_CONNECTIONS;
}

int probe_sockets_start(struct probe *p)
{
	union bpf_iter_link_info info = { .map.map_fd = (__u32)bpf_map__fd(p->skel->maps.lt_sockets) };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	int err;

	p->seed_sockets_link = bpf_program__attach_iter(p->skel->progs.lt_seed_sockets, NULL);
	p->walk_link = bpf_program__attach_iter(p->skel->progs.lt_walk, &opts);
	if (!p->seed_sockets_link || !p->walk_link)
		return -errno;
	err = probe_iterate(p->seed_sockets_link);
	p->skel->bss->lt_listening_known = !err;
	return err;
}

/* How far the kernel's CLOCK_BOOTTIME, the clock of processes' start times, is ahead of its CLOCK_MONOTONIC. */
static uint64_t suspended_ns(const struct probe *p)
{
	struct timespec boottime, monotonic;

	clock_gettime(CLOCK_BOOTTIME, &boottime);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	return (uint64_t)((boottime.tv_sec - monotonic.tv_sec) * 1000000000LL + boottime.tv_nsec - monotonic.tv_nsec +
			  p->clocks.monotonic_ns - p->clocks.boottime_ns);
}

int probe_sockets_read(struct probe *p, struct sample *s)
{
	uint64_t t_ns = s->t_ns + suspended_ns(p);
	int err;

	p->skel->bss->lt_walking.t_ns = t_ns;
	err = p->connections ? walk(p) : 0;
	return err ? err : sockets_fill(p->sockets, s, t_ns - s->interval_ns, p->connections != SOURCE_NO_CONNECTIONS);
}

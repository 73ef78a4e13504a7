/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chunks of records and call entries: created, mapped and put into the outer maps, more as they run out. */
#include "probe_kernel.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "entries.h"
#include "proc.h"
#include "records.h"
#include "stack.h"

static size_t page_round(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

/* The kernel rounds up elements to 8 bytes, the array to pages. */
uint64_t probe_memory_bytes(size_t size, uint32_t n)
{
	return page_round((size + 7) / 8 * 8 * n);
}

int probe_memory_create(const char *name, size_t size, uint32_t n, uint32_t flags, void **at)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE | flags);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), (__u32)size, n, &opts);

	if (fd < 0)
		return fd;
	*at = mmap(NULL, probe_memory_bytes(size, n), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*at == MAP_FAILED) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

void probe_memory_unmap(void *at, size_t size, uint32_t n)
{
	if (at)
		munmap(at, probe_memory_bytes(size, n));
}

/* Shares of the machine's memory, and of the limit of lagtop's control group. */
#define RECORDS_OF_RAM 16
#define RECORDS_OF_LIMIT 4
#define CALLS_OF_RAM 32
#define CALLS_OF_LIMIT 4
#define PENDING_OF_LIMIT 8
#define CHUNKS_LEAST 2 /* of each kind, regardless of the limit */
#define PENDING_BYTES (256ULL << 20)
#define IDLE_EVERY_NS 2000000000ULL
/* Chunks of entries freed at a time: for each the kernel waits for an RCU grace period, while we hold the lock. */
#define IDLE_MOST 4
/* Records not needed for so long are freed, in seconds; LAGTOP_IDLE makes it shorter. A thread that is created when
 * none is free is lost, which is worse than using memory. */
#define RECORDS_IDLE_S 60

static bool may_have(struct probe *p, uint32_t n, uint32_t limit, uint64_t share, size_t size)
{
	if (n >= limit)
		return false;
	return n < CHUNKS_LEAST || ((n + 1) * size <= share && memory_has(&p->room, size));
}

/* Creates one more chunk, mapped at *at. Returns its fd or -errno. */
static int make_chunk(struct probe *p, const char *name, size_t size, void **at)
{
	int fd = probe_memory_create(name, size, 1, 0, at);

	if (fd >= 0 && p->room.free_bytes != UINT64_MAX)
		p->room.free_bytes -= size < p->room.free_bytes ? size : p->room.free_bytes;
	return fd;
}

#define TOGETHER 8

/* New chunks that are not in their outer map yet. */
struct fresh {
	uint32_t n, nr[TOGETHER];
	int fd[TOGETHER];
};

/* Puts them into the outer map, all at once where the kernel can: each update waits for an RCU grace period, some 15
 * ms. Closes them. */
static int publish(struct probe *p, int outer_fd, struct fresh *f)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t n = f->n;
	bool together = !bpf_map_update_batch(outer_fd, f->nr, f->fd, &n, &opts);
	int err = 0;

	for (uint32_t i = 0; i < f->n && !together && !err; i++)
		err = bpf_map_update_elem(outer_fd, &f->nr[i], &f->fd[i], BPF_ANY);
	for (uint32_t i = 0; i < f->n; i++) {
		if (!err)
			p->map_bytes += proc_map_bytes(f->fd[i]);
		close(f->fd[i]);
	}
	return err;
}

/* A limit from the environment, so that a test can reach a bound. 0: the default. */
uint32_t probe_memory_bound(const char *name)
{
	const char *value = secure_getenv(name);

	return value ? (uint32_t)strtoul(value, NULL, 10) : 0;
}

static uint32_t records_left(const struct probe *p)
{
	uint32_t have = p->memory.n_chunks * LT_CHUNK;

	return !p->max_records || p->max_records > have ? LT_CHUNK : 0;
}

/* The first of n places without a chunk; *have: how many have one. */
static uint32_t place_of(void *const *chunks, uint32_t n, uint32_t *have)
{
	uint32_t place = n;

	*have = 0;
	for (uint32_t i = n; i--;) {
		if (chunks[i])
			++*have;
		else
			place = i;
	}
	return place;
}

static void fresh_add(struct fresh *f, uint32_t nr, int fd)
{
	f->nr[f->n] = nr;
	f->fd[f->n++] = fd;
}

static int make_records(struct probe *p, struct fresh *f)
{
	size_t size = sizeof(struct lt_chunk);
	uint32_t have, nr = place_of((void *const *)p->memory.chunks, p->memory.n_chunks, &have);
	void *at;
	int fd;

	if (!may_have(p, have, LT_CHUNKS, memory_share(&p->room, RECORDS_OF_RAM, RECORDS_OF_LIMIT), size))
		return -ENOSPC;
	fd = make_chunk(p, "lt_records", size, &at);
	if (fd < 0)
		return fd;
	p->memory.chunks[nr] = at;
	if (nr == p->memory.n_chunks)
		p->memory.n_chunks++;
	fresh_add(f, nr, fd);
	return 0;
}

static void give_records(struct probe *p, uint32_t nr)
{
	uint32_t first = nr * LT_CHUNK, n = LT_CHUNK;

	if (p->max_records && first + n > p->max_records)
		n = p->max_records > first ? p->max_records - first : 0;
	ledger_give(&p->memory, first, n);
}

/* Adds so many records, in at most TOGETHER chunks. 0 or -errno. */
static int add_records(struct probe *p, int outer_fd, uint64_t want)
{
	struct fresh f = { .n = 0 };
	int err = 0;

	while (!err && f.n < TOGETHER && (uint64_t)f.n * LT_CHUNK < want && records_left(p))
		err = make_records(p, &f);
	if (!f.n)
		return err;
	err = publish(p, outer_fd, &f);
	for (uint32_t i = 0; i < f.n; i++) {
		if (!err) {
			give_records(p, f.nr[i]);
			continue;
		}
		probe_memory_unmap(p->memory.chunks[f.nr[i]], sizeof(struct lt_chunk), 1);
		p->memory.chunks[f.nr[i]] = NULL;
	}
	return err;
}

static int make_calls(struct probe *p, struct fresh *f)
{
	size_t size = sizeof(struct lt_call_chunk);
	uint32_t have, nr = place_of((void *const *)p->memory.call_chunks, p->memory.n_call_chunks, &have),
		       most = probe_memory_bound("LAGTOP_ENTRIES") ? 1 : LT_CALL_CHUNKS;
	void *at;
	int fd;

	if (!may_have(p, have, most, memory_share(&p->room, CALLS_OF_RAM, CALLS_OF_LIMIT), size))
		return -ENOSPC;
	fd = make_chunk(p, "lt_calls", size, &at);
	if (fd < 0)
		return fd;
	p->memory.call_chunks[nr] = at;
	if (nr == p->memory.n_call_chunks)
		p->memory.n_call_chunks++;
	fresh_add(f, nr, fd);
	return 0;
}

static int give_calls(struct probe *p, uint32_t nr)
{
	uint32_t bound = probe_memory_bound("LAGTOP_ENTRIES");

	return entries_add(&p->memory, nr, bound && bound < LT_CALL_CHUNK ? bound : LT_CALL_CHUNK);
}

/* The same for entries. */
static int add_calls(struct probe *p, int outer_fd, uint64_t want)
{
	struct fresh f = { .n = 0 };
	int err = 0;

	while (!err && f.n < TOGETHER && (uint64_t)f.n * LT_CALL_CHUNK < want)
		err = make_calls(p, &f);
	if (!f.n)
		return err;
	err = publish(p, outer_fd, &f);
	if (!err) {
		for (uint32_t i = 0; i < f.n && !err; i++)
			err = give_calls(p, f.nr[i]); /* what cannot be used is freed at exit */
		return err;
	}
	for (uint32_t i = 0; i < f.n; i++) {
		probe_memory_unmap(p->memory.call_chunks[f.nr[i]], sizeof(struct lt_call_chunk), 1);
		p->memory.call_chunks[f.nr[i]] = NULL;
	}
	return err;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t spare_at_rest(uint32_t n_chunks, uint32_t chunk)
{
	return (uint64_t)(n_chunks + 11) * chunk / 32;
}

/* How many to keep free of n chunks. The number taken before the drain thread runs hardly depends on the size of the
 * pool, but the time that a reading delays that thread does. While many threads are created: also as many as were taken
 * since the last check, up to a chunk and a sixteenth of all, and as many as were refused since then, up to a chunk and
 * half of all. */
static uint64_t spare(const struct lt_stack *stack, struct probe_demand *seen, uint32_t n_chunks, uint32_t chunk)
{
	uint64_t taken = stack_load(&stack->taken), refused = stack_load(&stack->refused),
		 all = (uint64_t)n_chunks * chunk;
	uint64_t more = least(taken - seen->taken, all / 16 + chunk) + least(refused - seen->refused, all / 2 + chunk);

	*seen = (struct probe_demand){ taken, refused };
	return spare_at_rest(n_chunks, chunk) + more;
}

static uint64_t records_spare(struct probe *p)
{
	return spare(p->memory.free, &p->records_demand, p->memory.n_chunks, LT_CHUNK) + p->records_ahead;
}

void probe_memory_grow(struct probe *p)
{
	uint64_t records = records_spare(p), calls, left;
	struct ledger_memory *m = &p->memory;

	p->least_records = least(p->least_records, stack_left(m->free));
	calls = spare(m->free_calls, &p->calls_demand, m->n_call_chunks, LT_CALL_CHUNK);
	m->calls_wanted = calls > LT_CALL_CHUNK ? (uint32_t)calls : LT_CALL_CHUNK;
	while (records_left(p) && (left = stack_left(m->free)) < records)
		if (add_records(p, bpf_map__fd(p->skel->maps.lt_chunks), records - left))
			break;
	while ((left = stack_left(m->free_calls) + m->calls_here) < m->calls_wanted)
		if (add_calls(p, bpf_map__fd(p->skel->maps.lt_call_chunks), m->calls_wanted - left))
			break;
	entries_feed(m);
}

/* How many chunks of records were not needed since the last check, if that was long enough ago. */
static uint32_t records_idle(struct probe *p, uint64_t now_ns)
{
	uint64_t idle_s = probe_memory_bound("LAGTOP_IDLE"), kept, found;

	if (p->max_records || now_ns - p->least_since_ns < (idle_s ? idle_s : RECORDS_IDLE_S) * 1000000000)
		return p->idle_records;
	kept = spare_at_rest(p->memory.n_chunks, LT_CHUNK) + p->records_ahead;
	found = p->least_since_ns && p->least_records > kept ? (p->least_records - kept) / LT_CHUNK : 0;
	p->least_records = stack_left(p->memory.free);
	p->least_since_ns = now_ns;
	return (uint32_t)found;
}

static void give_back_records(struct probe *p, uint64_t now_ns)
{
	struct ledger_memory *m = &p->memory;
	uint32_t idle = records_idle(p, now_ns), chunk[RECORDS_MOST], n;

	n = idle ? records_withdraw(m, idle, chunk) : 0;
	p->idle_records = n ? idle - n : 0;
	for (uint32_t i = 0; i < n; i++) {
		if (bpf_map_delete_elem(bpf_map__fd(p->skel->maps.lt_chunks), &chunk[i])) {
			ledger_give(m, chunk[i] * LT_CHUNK, LT_CHUNK);
			continue;
		}
		probe_memory_unmap(m->chunks[chunk[i]], sizeof(struct lt_chunk), 1);
		m->chunks[chunk[i]] = NULL;
		p->map_bytes -= p->chunk_bytes;
		ledger_forget(p->ledger, chunk[i]);
	}
	while (!m->chunks[m->n_chunks - 1])
		m->n_chunks--;
}

static void give_back_entries(struct probe *p)
{
	uint32_t nr;

	for (int i = 0; i < IDLE_MOST && (nr = entries_idle(&p->memory)); i++) {
		bpf_map_delete_elem(bpf_map__fd(p->skel->maps.lt_call_chunks), &nr);
		probe_memory_unmap(p->memory.call_chunks[nr], sizeof(struct lt_call_chunk), 1);
		p->memory.call_chunks[nr] = NULL;
		p->map_bytes -= p->call_chunk_bytes;
	}
}

void probe_memory_give_back(struct probe *p, uint64_t now_ns)
{
	uint64_t bytes = p->map_bytes;

	if (now_ns - p->idle_looked_ns < IDLE_EVERY_NS)
		return;
	p->idle_looked_ns = now_ns;
	give_back_records(p, now_ns);
	give_back_entries(p);
	if (p->map_bytes < bytes)
		malloc_trim(0); /* the ledger's data for those threads and calls is freed, too */
}

int probe_memory_begin(struct probe *p, struct probe_first *first)
{
	struct fresh f = { .n = 0 };
	int err;

	*first = (struct probe_first){ -1, -1, -1 };
	memory_look(&p->room, "");
	p->memory.pending_bytes = memory_share(&p->room, CALLS_OF_RAM, PENDING_OF_LIMIT);
	if (p->memory.pending_bytes > PENDING_BYTES)
		p->memory.pending_bytes = PENDING_BYTES;
	p->memory.calls_wanted = LT_CALL_CHUNK;
	p->memory.chunks = calloc(LT_CHUNKS, sizeof(*p->memory.chunks));
	p->memory.call_chunks = calloc(LT_CALL_CHUNKS, sizeof(*p->memory.call_chunks));
	if (!p->memory.chunks || !p->memory.call_chunks)
		return -ENOMEM;
	err = make_records(p, &f);
	if (err)
		return err;
	first->records_fd = f.fd[0];
	err = make_calls(p, &f);
	if (err)
		return err;
	first->calls_fd = f.fd[1];
	p->chunk_bytes = proc_map_bytes(first->records_fd);
	p->call_chunk_bytes = proc_map_bytes(first->calls_fd);
	p->map_bytes += p->chunk_bytes + p->call_chunk_bytes;
	return give_calls(p, f.nr[1]);
}

void probe_memory_close(const struct probe_first *first)
{
	const int fds[] = { first->records_fd, first->calls_fd, first->walked_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int probe_memory_publish(struct probe *p, const struct probe_first *made)
{
	int chunks = bpf_map__fd(p->skel->maps.lt_chunks), call_chunks = bpf_map__fd(p->skel->maps.lt_call_chunks);
	uint64_t threads = proc_threads(), left;
	struct bpf_map *map;
	uint32_t zero = 0;
	int err = bpf_map_update_elem(chunks, &zero, &made->records_fd, BPF_ANY);

	if (!err)
		err = bpf_map_update_elem(call_chunks, &zero, &made->calls_fd, BPF_ANY);
	if (err)
		return err;
	p->memory.free = &p->skel->bss->lt_free;
	p->memory.free_calls = &p->skel->bss->lt_free_calls;
	p->memory.renames = &p->skel->bss->lt_renames;
	give_records(p, 0);
	entries_feed(&p->memory);
	threads += records_spare(p);
	while (records_left(p) && (left = stack_left(p->memory.free)) < threads &&
	       !add_records(p, chunks, threads - left))
		;
	bpf_object__for_each_map(map, p->skel->obj)
	{
		uint64_t bytes = proc_map_bytes(bpf_map__fd(map));

		/* Before 6.4 the kernel reports 0 for a ring. */
		p->map_bytes += map == p->skel->maps.lt_events && !bytes ? bpf_map__max_entries(map) : bytes;
	}
	return 0;
}

void probe_memory_free(struct probe *p)
{
	for (uint32_t i = 0; i < p->memory.n_chunks; i++)
		probe_memory_unmap(p->memory.chunks[i], sizeof(struct lt_chunk), 1);
	for (uint32_t i = 0; i < p->memory.n_call_chunks; i++)
		probe_memory_unmap(p->memory.call_chunks[i], sizeof(struct lt_call_chunk), 1);
	free(p->memory.chunks);
	free(p->memory.call_chunks);
	entries_free(&p->memory);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chunks of records and call entries: made, mapped here, handed to the kernel side, added to as they run out. */
#include "probe_kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proc.h"

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

/* Makes one more chunk: *chunksp[*n], mapped, and in the outer map. Returns 0 or -errno; with outer_fd < 0 only makes
 * the prototype that the outer map is loaded with, and returns its fd. */
static int add_chunk(struct probe *p, const char *name, size_t size, int outer_fd, void *chunksp, uint32_t *n)
{
	uint32_t nr = *n;
	void *at;
	int fd = probe_memory_create(name, size, 1, 0, &at), err = 0;

	if (fd < 0)
		return fd;
	if (append(chunksp, nr, at))
		err = -ENOMEM;
	else if (outer_fd >= 0)
		err = bpf_map_update_elem(outer_fd, &nr, &fd, BPF_ANY);
	p->map_bytes += proc_map_bytes(fd);
	++*n;
	if (outer_fd < 0)
		return err ? err : fd;
	close(fd);
	return err;
}

static int add_records(struct probe *p, int outer_fd)
{
	uint32_t first = p->memory.n_chunks * LT_CHUNK, n = LT_CHUNK;
	int err;

	if (p->memory.n_chunks >= LT_CHUNKS)
		return -ENOSPC;
	err = add_chunk(p, "lt_records", sizeof(struct lt_chunk), outer_fd, &p->memory.chunks, &p->memory.n_chunks);
	if (err || outer_fd < 0)
		return err;
	if (p->max_records && first + n > p->max_records)
		n = p->max_records > first ? p->max_records - first : 0;
	ledger_give(&p->memory, first, n);
	return 0;
}

static int add_calls(struct probe *p, int outer_fd)
{
	uint32_t first = p->memory.n_call_chunks * LT_CALL_CHUNK;
	int err;

	if (p->memory.n_call_chunks >= LT_CALL_CHUNKS)
		return -ENOSPC;
	err = add_chunk(p, "lt_calls", sizeof(struct lt_call_chunk), outer_fd, &p->memory.call_chunks,
			&p->memory.n_call_chunks);
	if (err || outer_fd < 0)
		return err;
	ledger_give_calls(&p->memory, first, LT_CALL_CHUNK);
	return 0;
}

uint64_t probe_memory_left(const struct lt_stack *stack)
{
	return stack->given - __atomic_load_n((const uint64_t *)&stack->taken, __ATOMIC_ACQUIRE);
}

/* How many shall be free, with n chunks of them. What is taken until the drain thread runs hardly depends on how many
 * there are; how long a reading keeps it waiting does. In a storm of births as many again as were taken since we looked
 * last, up to a chunk and a sixteenth of all. */
static uint64_t spare(const struct lt_stack *stack, uint64_t *taken, uint32_t n_chunks, uint32_t chunk)
{
	uint64_t now = __atomic_load_n((const uint64_t *)&stack->taken, __ATOMIC_ACQUIRE), recent = now - *taken;
	uint64_t most = (uint64_t)(n_chunks + 16) * chunk / 16;

	*taken = now;
	return (uint64_t)(n_chunks + 11) * chunk / 32 + (recent < most ? recent : most);
}

static uint64_t records_spare(struct probe *p)
{
	return spare(p->memory.free, &p->records_taken, p->memory.n_chunks, LT_CHUNK);
}

void probe_memory_grow(struct probe *p)
{
	uint64_t records = records_spare(p);
	uint64_t calls = spare(p->memory.free_calls, &p->calls_taken, p->memory.n_call_chunks, LT_CALL_CHUNK);

	while (records_left(p) && probe_memory_left(p->memory.free) < records)
		if (add_records(p, bpf_map__fd(p->skel->maps.lt_chunks)))
			break;
	while (probe_memory_left(p->memory.free_calls) < calls)
		if (add_calls(p, bpf_map__fd(p->skel->maps.lt_call_chunks)))
			break;
}

int probe_memory_begin(struct probe *p, struct probe_first *first)
{
	*first = (struct probe_first){ -1, -1, -1 };
	first->records_fd = add_records(p, -1);
	if (first->records_fd < 0)
		return first->records_fd;
	first->calls_fd = add_calls(p, -1);
	return first->calls_fd < 0 ? first->calls_fd : 0;
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
	uint32_t threads = proc_threads(), zero = 0, first = LT_CHUNK;
	struct bpf_map *map;
	int err = bpf_map_update_elem(chunks, &zero, &made->records_fd, BPF_ANY);

	if (!err)
		err = bpf_map_update_elem(call_chunks, &zero, &made->calls_fd, BPF_ANY);
	if (err)
		return err;
	p->memory.free = &p->skel->bss->lt_free;
	p->memory.free_calls = &p->skel->bss->lt_free_calls;
	p->memory.renames = &p->skel->bss->lt_renames;
	if (p->max_records && p->max_records < first)
		first = p->max_records;
	ledger_give(&p->memory, 0, first);
	ledger_give_calls(&p->memory, 0, LT_CALL_CHUNK);
	while (records_left(p) && probe_memory_left(p->memory.free) < threads + records_spare(p) &&
	       !add_records(p, chunks))
		;
	bpf_object__for_each_map(map, p->skel->obj)
	{
		uint64_t bytes = proc_map_bytes(bpf_map__fd(map));

		/* Before 6.4 the kernel says 0 of a ring. */
		p->map_bytes += map == p->skel->maps.lt_events && bytes < LT_EVENTS_BYTES ? LT_EVENTS_BYTES : bytes;
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
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk family: latencies of block device requests, by device and direction, with time in the queue apart from
 * service time.
 *
 * Requests are not counted here: /proc/diskstats has exact counts. A request enters a distribution when the kernel adds
 * it to those counts. It begins at the kernel's start_time_ns. When the driver got it is our own stamp, since
 * io_start_time_ns (6.5) is that of the first request of a plugged batch. Both programs run on any CPU, also in
 * interrupts and for any task: they update shared data with atomics.
 */
#include "kernel.h"
#include "flight.bpf.h"
#include "group.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Bits of request.rq_flags, which moved in 6.11: set before load. */
const volatile __u32 lt_rqf_flush_seq = 0, lt_rqf_io_stat = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LT_DISKS);
	__type(key, __u32);
	__type(value, struct lt_disk);
} lt_disks SEC(".maps");

/* Since when the driver has had a request, in units of 64 ns, which wrap after 73 minutes. By the request's address:
 * tags are not unique on a device with several queues. */
#define STAMP_SETS 4096
#define STAMP_NS_SHIFT 6

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STAMP_SETS);
	__type(key, __u32);
	__type(value, struct lt_flights);
} lt_stamps SEC(".maps");

_Static_assert(STAMP_SETS <= 1 << LT_FLIGHT_SETS_BITS, "a key chooses the set");

/* It replaces the request's own older stamp (it was requeued), or another's, which then gets no split. */
static __always_inline void stamp_put(struct request *rq, __u64 now_ns)
{
	__u64 key = lt_flight_key(lt_address(rq));
	struct lt_flights *set = lt_flights_of(&lt_stamps, key, STAMP_SETS);

	if (set)
		lt_flight_put(set, key, now_ns >> STAMP_NS_SHIFT);
}

/* How long ago it was issued; 0: not known. */
static __always_inline __u64 stamp_take(struct request *rq, __u64 now_ns)
{
	__u64 key = lt_flight_key(lt_address(rq)), stamp;
	struct lt_flights *set = lt_flights_of(&lt_stamps, key, STAMP_SETS);

	stamp = set ? lt_flight_find(set, key, true) : 0;
	return stamp ? (LT_FLIGHT_KEPT((now_ns >> STAMP_NS_SHIFT) - stamp) << STAMP_NS_SHIFT) + 1 : 0;
}

/* The table's row of a device and direction, allocated if there is none; LT_DISKS: the table is full. */
static __noinline __u32 disk_slot(__u64 key)
{
	__u32 first = key * GOLDEN_RATIO >> (64 - LT_DISK_ROW_BITS), slot;
	struct lt_disk *d;
	__u64 found;

	for (__u32 i = 0; i < LT_DISK_TRIES; i++) {
		slot = (first + i) & (LT_DISKS - 1);
		d = bpf_map_lookup_elem(&lt_disks, &slot);
		if (!d)
			break;
		found = d->key;
		if (!found)
			found = __sync_val_compare_and_swap(&d->key, 0, key);
		if (!found || found == key)
			return slot;
	}
	return LT_DISKS;
}

static __always_inline void max_add(__u64 max[2], __u64 ns)
{
	__u64 epoch = lt_epoch, word = LT_MAX_WORD(epoch, ns), *at = &max[epoch & 1], old;

	/* After so many lost races the maximum stored by others is longer, or nearly as long. */
	for (int i = 0; i < 8; i++) {
		old = *(volatile __u64 *)at;
		if (LT_MAX_WORD_EPOCH(old) == LT_MAX_WORD_EPOCH(word) && old >= word)
			break;
		if (__sync_val_compare_and_swap(at, old, word) == old)
			break;
	}
}

static __always_inline void part_add(struct lt_disk *d, enum lt_disk_part part, __u64 ns)
{
	__u64 bucket = hist_bucket(ns);

	if (bucket < HIST_BUCKETS)
		__sync_fetch_and_add(&d->latency[part].count[bucket], 1);
	max_add(d->max[part], ns);
}

/* The direction under which op_stat_group counts its bytes; LT_DISK_OPS: it does not. */
static __always_inline __u32 bytes_direction(struct request *rq)
{
	__u32 op = rq->cmd_flags & 0xff;

	if (!(rq->rq_flags & lt_rqf_io_stat) || op >= REQ_OP_DRV_IN)
		return LT_DISK_OPS;
	return op == REQ_OP_DISCARD ? LT_DISK_DISCARD : op & 1 ? LT_DISK_WRITE : LT_DISK_READ;
}

/* The direction under which blk_account_io_done and blk_account_io_flush count it; LT_DISK_OPS: they do not. */
static __always_inline __u32 direction(struct request *rq)
{
	if (rq->rq_flags & lt_rqf_flush_seq)
		return (rq->cmd_flags & 0xff) == REQ_OP_FLUSH ? LT_DISK_FLUSH : LT_DISK_OPS;
	return bytes_direction(rq);
}

SEC("tp_btf/block_rq_issue")
int BPF_PROG(lt_issue, struct request *rq)
{
	__u64 now_ns = bpf_ktime_get_ns();

	stamp_put(rq, now_ns);
	lt_self(LT_PROG_ISSUE, now_ns);
	return 0;
}

static __always_inline struct lt_disk *disk_of(struct request *rq, __u32 op, __u32 *row)
{
	struct gendisk *disk = rq->q->disk;

	*row = disk_slot(LT_DISK_KEY(disk->major, disk->first_minor, op));
	return bpf_map_lookup_elem(&lt_disks, row);
}

static __always_inline void ended(struct request *rq, struct lt_disk *d, __u32 op, __u32 bytes, __u64 now_ns)
{
	__u64 start_ns = rq->start_time_ns, service_ns = stamp_take(rq, now_ns), total_ns;

	/* Without bytes and never issued: it only carried a flush. */
	if (op == LT_DISK_WRITE && !bytes && !service_ns) {
		__sync_fetch_and_add(&d->carriers, 1);
		return;
	}
	total_ns = now_ns > start_ns ? now_ns - start_ns : 0;
	part_add(d, LT_DISK_TOTAL, total_ns);
	if (!service_ns)
		return;
	if (service_ns > total_ns)
		service_ns = total_ns;
	part_add(d, LT_DISK_SERVICE, service_ns);
	part_add(d, LT_DISK_QUEUE, total_ns - service_ns);
}

static __always_inline int complete(struct request *rq, __u32 bytes, bool groups)
{
	__u64 now_ns = bpf_ktime_get_ns();
	__u32 op = direction(rq), moved = bytes_direction(rq), row;
	struct lt_disk *d;
	/* Otherwise only part of it has completed, or the data of a write with a flush, which completes again without
	 * bytes. */
	bool whole = op != LT_DISK_OPS && bytes >= rq->__data_len;

	if (!whole && (!groups || !bytes || moved == LT_DISK_OPS))
		return 0;
	d = disk_of(rq, whole ? op : moved, &row);
	if (d && groups && op != LT_DISK_FLUSH)
		lt_group_add(rq, row, bytes, whole);
	if (whole && d && rq->start_time_ns)
		ended(rq, d, op, bytes, now_ns);
	else if (whole)
		lt_this_cpu()->lost_requests++;
	lt_self(LT_PROG_COMPLETE, now_ns);
	return 0;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(lt_complete, struct request *rq, int error, unsigned int bytes)
{
	return complete(rq, bytes, true);
}

/* For control groups of version 1, which do not charge written pages to the group that dirtied them, and for kernels
 * without control groups. */
SEC("tp_btf/block_rq_complete")
int BPF_PROG(lt_complete_v1, struct request *rq, int error, unsigned int bytes)
{
	return complete(rq, bytes, false);
}

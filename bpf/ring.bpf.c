/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of io_uring: what each ring's requests wait for (ring.bpf.h), and accepted connections. A request is in
 * flight from its submission to its completion. One whose completion was missed is forgotten when the kernel reuses its
 * memory for another, as it soon does. Both run in a thread of the process (its own, a worker, the poller of its ring)
 * with few exceptions at a ring's end. A completion for which the ring has no room says only which ring: the counts of
 * that one begin anew.
 */
#include "kernel.h"
#include "entry.bpf.h"
#include "ring.bpf.h"
#include "state.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Opcodes and flags are part of the user-space ABI (linux/io_uring.h). */
#define IORING_OP_ACCEPT 13
#define IOSQE_FIXED_FILE (1 << 0)
#define IOSQE_CQE_SKIP_SUCCESS (1 << 6)
#define IORING_CQE_F_BUFFER (1 << 0)
#define IORING_CQE_F_MORE (1 << 1)
#define OPCODES 64
#define BY_FILE (LT_RING_IO + 1) /* depends on the kind of file */
#define ANON_INODE_FS_MAGIC 0x09041934
#define PROC_FS_MAGIC 0x9fa0
#define TRACE_FS_MAGIC 0x74726163
#define FUSE_FS_MAGIC 0x65735546

static const __u8 kinds[OPCODES] = {
	[1] = BY_FILE,	     /* READV */
	[2] = BY_FILE,	     /* WRITEV */
	[3] = LT_RING_DISK,  /* FSYNC */
	[4] = BY_FILE,	     /* READ_FIXED */
	[5] = BY_FILE,	     /* WRITE_FIXED */
	[8] = LT_RING_DISK,  /* SYNC_FILE_RANGE */
	[9] = LT_RING_NET,   /* SENDMSG */
	[10] = LT_RING_NET,  /* RECVMSG */
	[13] = LT_RING_NET,  /* ACCEPT */
	[16] = LT_RING_NET,  /* CONNECT */
	[17] = LT_RING_DISK, /* FALLOCATE */
	[18] = LT_RING_IO,   /* OPENAT: perhaps of a pipe that nobody opens */
	[21] = LT_RING_DISK, /* STATX */
	[22] = BY_FILE,	     /* READ */
	[23] = BY_FILE,	     /* WRITE */
	[24] = LT_RING_DISK, /* FADVISE */
	[26] = LT_RING_NET,  /* SEND */
	[27] = LT_RING_NET,  /* RECV */
	[28] = LT_RING_IO,   /* OPENAT2 */
	[30] = BY_FILE,	     /* SPLICE */
	[33] = LT_RING_IO,   /* TEE */
	[34] = LT_RING_NET,  /* SHUTDOWN */
	[35] = LT_RING_DISK, /* RENAMEAT */
	[36] = LT_RING_DISK, /* UNLINKAT */
	[37] = LT_RING_DISK, /* MKDIRAT */
	[38] = LT_RING_DISK, /* SYMLINKAT */
	[39] = LT_RING_DISK, /* LINKAT */
	[41] = LT_RING_DISK, /* FSETXATTR */
	[42] = LT_RING_DISK, /* SETXATTR */
	[43] = LT_RING_DISK, /* FGETXATTR */
	[44] = LT_RING_DISK, /* GETXATTR */
	[47] = LT_RING_NET,  /* SEND_ZC */
	[48] = LT_RING_NET,  /* SENDMSG_ZC */
	[49] = BY_FILE,	     /* READ_MULTISHOT */
	[55] = LT_RING_DISK, /* FTRUNCATE */
	[58] = LT_RING_NET,  /* RECV_ZC */
	[60] = BY_FILE,	     /* READV_FIXED */
	[61] = BY_FILE,	     /* WRITEV_FIXED */
};

/* What is kept of a request: */
#define KEPT (1ULL << 35)
#define KEPT_ACCEPTS (1ULL << 34) /* TCP connections, at this port: */
#define KEPT_DIRECT (1ULL << 33)  /* into the ring's own table of files */
#define KEPT_PORT_SHIFT 16
#define KEPT_DROPS_SHIFT 12 /* of its ring, when it was counted */
#define KEPT_KIND_SHIFT 10
#define KEPT_RING ((1ULL << KEPT_KIND_SHIFT) - 1) /* set and way of its ring; by name: how many have that name */
#define RING_WAYS_BITS 2

#define REQUEST_SETS 4096
/* By the request's address. One that accepts may complete without its address, once for each connection: it has a
 * second entry, by its ring and its user_data. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, REQUEST_SETS);
	__type(key, __u32);
	__type(value, struct lt_flights);
} lt_ring_reqs SEC(".maps");

_Static_assert(REQUEST_SETS <= 1 << LT_FLIGHT_SETS_BITS, "a key chooses the set");

static __always_inline struct lt_flights *requests_of(__u64 key)
{
	return lt_flights_of(&lt_ring_reqs, key, REQUEST_SETS);
}

static __always_inline __u64 name_key(__u64 ring, __u64 user_data)
{
	return lt_flight_key(ring ^ (user_data + 1) * GOLDEN_RATIO);
}

/* ---- the counts of a ring ---- */

/* Counts one more request of that kind. Returns the ring's way and its drops; -1: its set is full of others, or its
 * count is full. */
static __always_inline int way_add(struct lt_flights *set, __u64 tag, enum lt_ring_kind kind)
{
	__u64 way, next, to = LT_FLIGHT_WAYS;

#pragma unroll
	for (int i = 0; i < LT_FLIGHT_WAYS; i++) {
		way = set->way[i];
		if (way >> LT_FLIGHT_BITS == tag || (!LT_RING_COUNTS(way) && to == LT_FLIGHT_WAYS))
			to = i;
	}
	if (to == LT_FLIGHT_WAYS)
		return -1;
	/* Without this the compiler, which knows the bound, drops the mask that the verifier needs. */
	asm volatile("" : "+r"(to));
	to &= LT_FLIGHT_WAYS - 1;
	for (int tries = 0; tries < 4; tries++) {
		way = *(volatile __u64 *)&set->way[to];
		if (way >> LT_FLIGHT_BITS != tag && LT_RING_COUNTS(way))
			return -1;
		next = (tag << LT_FLIGHT_BITS | LT_FLIGHT_KEPT(way)) + LT_RING_ONE(kind);
		if (!LT_RING_COUNT(next, kind))
			return -1;
		if (__sync_val_compare_and_swap(&set->way[to], way, next) == way)
			return to | LT_RING_DROPS(way) << RING_WAYS_BITS;
	}
	return -1;
}

/* Where it was counted, for ring_sub, with its kind; 0: it was not. */
static __noinline __u64 ring_add(__u64 ring, __u32 kind)
{
	__u64 key = lt_flight_key(ring), nr = (key >> LT_FLIGHT_TAG_BITS) & (LT_RING_SETS - 1);
	struct lt_flights *set = lt_flights_of(&lt_rings, key, LT_RING_SETS);
	int way;

	if (!set || kind < LT_RING_DISK || kind > LT_RING_IO)
		return 0;
	way = way_add(set, lt_flight_tag(key), kind);
	if (way < 0)
		return 0;
	return nr << RING_WAYS_BITS | (way & (LT_FLIGHT_WAYS - 1)) | (__u64)kind << KEPT_KIND_SHIFT |
	       (__u64)(way >> RING_WAYS_BITS) << KEPT_DROPS_SHIFT;
}

/* Until then, or until the counts are dropped, the count has kept other rings out of this word. */
static __always_inline void ring_sub(__u64 kept)
{
	__u64 kind = kept >> KEPT_KIND_SHIFT & 3;
	__u64 *way;
	__u32 nr = (kept & KEPT_RING) >> RING_WAYS_BITS;
	struct lt_flights *set;

	if (!(kept & KEPT) || !kind)
		return;
	set = bpf_map_lookup_elem(&lt_rings, &nr);
	if (!set)
		return;
	way = &set->way[kept & (LT_FLIGHT_WAYS - 1)];
	if (LT_RING_DROPS(*(volatile __u64 *)way) != (kept >> KEPT_DROPS_SHIFT & LT_RING_DROPS_MASK))
		return;
	if (!LT_RING_COUNT(__sync_fetch_and_add(way, -LT_RING_ONE(kind)), kind))
		__sync_fetch_and_add(way, LT_RING_ONE(kind)); /* dropped just now, or a multiple of eight times */
}

static __always_inline void ring_drop(__u64 ring)
{
	__u64 key = lt_flight_key(ring), way, drops;
	struct lt_flights *set = lt_flights_of(&lt_rings, key, LT_RING_SETS);

	for (int i = 0; set && i < LT_FLIGHT_WAYS; i++) {
		way = set->way[i];
		if (way >> LT_FLIGHT_BITS != lt_flight_tag(key) || !LT_RING_COUNTS(way))
			continue;
		drops = (LT_RING_DROPS(way) + 1) & LT_RING_DROPS_MASK;
		__sync_val_compare_and_swap(&set->way[i], way,
					    lt_flight_tag(key) << LT_FLIGHT_BITS | drops << LT_RING_DROPS_SHIFT);
	}
}

/* ---- what a request waits for ---- */

/* A file of the ring's own table, whose layout changed in 6.13. The lower bits of an entry are flags. */
static __always_inline struct file *fixed_file(struct io_ring_ctx *ring, __u32 nr)
{
	struct io_rsrc_node **nodes, *node = NULL;
	unsigned long file = 0;
	void *files;

	if (bpf_core_field_exists(ring->file_table.files)) {
		if (nr >= BPF_CORE_READ(ring, nr_user_files))
			return NULL;
		files = BPF_CORE_READ(ring, file_table.files);
		bpf_probe_read_kernel(&file, sizeof(file), files + nr * sizeof(file));
	} else {
		if (nr >= BPF_CORE_READ(ring, file_table.data.nr))
			return NULL;
		nodes = BPF_CORE_READ(ring, file_table.data.nodes);
		bpf_probe_read_kernel(&node, sizeof(node), nodes + nr);
		file = node ? BPF_CORE_READ(node, file_ptr) : 0;
	}
	return (struct file *)(file & ~7UL);
}

/* The kernel looks it up only after the submission. */
static __always_inline struct file *file_of(struct io_kiocb *req)
{
	__s32 fd = BPF_CORE_READ(req, cqe.fd);

	if (req->flags & IOSQE_FIXED_FILE)
		return fixed_file(BPF_CORE_READ(req, ctx), fd);
	return lt_fd_file(bpf_get_current_task_btf()->files, (__u32)fd, false);
}

static __always_inline enum lt_ring_kind kind_of_file(struct file *file)
{
	struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : NULL;
	__u32 type = inode ? BPF_CORE_READ(inode, i_mode) & S_IFMT : 0;

	if (type == S_IFSOCK)
		return LT_RING_NET;
	if (type == S_IFBLK)
		return LT_RING_DISK;
	if (type == S_IFREG) {
		__u64 magic = BPF_CORE_READ(inode, i_sb, s_magic);

		/* Since 6.17 eventfds and the like report themselves as regular files. Files of the other three are not
		 * on a disk: the kernel or another program answers, or nobody. */
		if (magic != ANON_INODE_FS_MAGIC && magic != PROC_FS_MAGIC && magic != TRACE_FS_MAGIC &&
		    magic != FUSE_FS_MAGIC)
			return LT_RING_DISK;
	}
	return LT_RING_IO;
}

/* The port of a TCP listener; 0: it is another socket, or none. */
static __always_inline __u64 port_of(struct file *file)
{
	struct sock *sk = lt_file_sock(file);
	__u16 family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;

	return family == AF_INET || family == AF_INET6 ? BPF_CORE_READ(sk, __sk_common.skc_num) : 0;
}

/* Into a place in the ring's own table of files: the result is no descriptor. */
static __always_inline bool accepts_directly(struct io_kiocb *req)
{
	struct io_accept *accept = (void *)req;

	return bpf_core_field_exists(accept->file_slot) && BPF_CORE_READ(accept, file_slot);
}

static __always_inline void request_put(__u64 key, __u64 kept)
{
	struct lt_flights *set = requests_of(key);

	if (set)
		ring_sub(lt_flight_put(set, key, kept));
	else
		ring_sub(kept);
}

/* Programs may give several requests one name. Those of a ring are submitted one after the other. Not static, like the
 * next one: the verifier looks at it once. */
__noinline __weak int lt_name_put(__u64 ring, __u64 user_data, __u64 kept)
{
	__u64 key = name_key(ring, user_data);
	struct lt_flights *set = requests_of(key);
	__u64 n = set ? lt_flight_find(set, key, true) & KEPT_RING : 0;

	request_put(key, (kept & ~KEPT_RING) | (n < KEPT_RING ? n + 1 : n));
	return 0;
}

/* One with that name ends. */
__noinline __weak int lt_name_take(__u64 ring, __u64 user_data)
{
	__u64 key = name_key(ring, user_data);
	struct lt_flights *set = requests_of(key);
	__u64 kept = set ? lt_flight_find(set, key, true) : 0;

	if ((kept & KEPT_RING) > 1)
		request_put(key, kept - 1);
	return 0;
}

static __always_inline int submitted(struct io_kiocb *req)
{
	__u64 began_ns = lt_self_turn(LT_PROG_RING), kept = KEPT, ring = (__u64)BPF_CORE_READ(req, ctx), port;
	__u64 opcode = req->opcode;
	__u32 kind = opcode < OPCODES ? kinds[opcode & (OPCODES - 1)] : LT_RING_OTHER;
	struct file *file = NULL;

	if (kind == BY_FILE || opcode == IORING_OP_ACCEPT)
		file = file_of(req);
	if (kind == BY_FILE)
		kind = kind_of_file(file);
	/* Its success is not reported, so nobody waits for it. */
	if (kind != LT_RING_OTHER && !(req->flags & IOSQE_CQE_SKIP_SUCCESS))
		kept |= ring_add(ring, kind);
	port = opcode == IORING_OP_ACCEPT ? port_of(file) : 0;
	if (port) {
		port = KEPT_ACCEPTS | port << KEPT_PORT_SHIFT | (accepts_directly(req) ? KEPT_DIRECT : 0);
		kept |= port;
		lt_name_put(ring, BPF_CORE_READ(req, cqe.user_data), KEPT | port);
	}
	request_put(lt_flight_key(lt_address(req)), kept);
	if (began_ns)
		lt_self_add(LT_PROG_RING, began_ns);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(lt_ring_ask, struct io_kiocb *req)
{
	return submitted(req);
}

/* The tracepoint's name before 6.4. */
SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(lt_ring_ask_6_1, struct io_kiocb *req)
{
	return submitted(req);
}

/* The wait of a connection without a descriptor is not known. */
static __noinline int accepted(__u64 kept, __u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *sk = kept & KEPT_DIRECT ? NULL : lt_fd_sock(task->files, fd);
	__u16 port = kept >> KEPT_PORT_SHIFT;
	struct lt_slot s;

	if (!lt_find(task, &s)) {
		lt_this_cpu()->lost_sockets++;
		return 0;
	}
	lt_net_of(&s)->accepts++;
	if (sk && BPF_CORE_READ(sk, __sk_common.skc_num) == port)
		lt_accept_wait(&s, sk, bpf_ktime_get_ns());
	return 0;
}

/* req: 0: not known; ends: it is the last completion of its request. */
static __always_inline int completed(__u64 ring, __u64 req, __u64 user_data, __s32 result, __u32 flags, bool ends)
{
	__u64 began_ns = lt_self_turn(LT_PROG_RING), key = req ? lt_flight_key(req) : name_key(ring, user_data), kept;
	struct lt_flights *set = requests_of(key);

	kept = set ? lt_flight_find(set, key, req) : 0;
	if (req)
		ring_sub(kept);
	if (kept & KEPT_ACCEPTS) {
		if (ends)
			lt_name_take(ring, user_data);
		if (lt_with_net && result >= 0 && !(flags & IORING_CQE_F_BUFFER))
			accepted(kept, result);
	}
	if (began_ns)
		lt_self_add(LT_PROG_RING, began_ns);
	return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(lt_ring_end, struct io_ring_ctx *ring, void *req, struct io_uring_cqe *cqe)
{
	return completed(lt_address(ring), (__u64)req, cqe->user_data, cqe->res, cqe->flags, req);
}

/* Before 6.15 the tracepoint passed the members of the completion. */
SEC("tp_btf/io_uring_complete")
int BPF_PROG(lt_ring_end_6_1, void *ring, void *req, __u64 user_data, int result, unsigned int flags)
{
	return completed((__u64)ring, (__u64)req, user_data, result, flags, req);
}

/* The completion queue is full. Since 6.0. */
SEC("tp_btf/io_uring_cqe_overflow")
int BPF_PROG(lt_ring_full, void *ring, __u64 user_data, int result, unsigned int flags)
{
	ring_drop((__u64)ring);
	return completed((__u64)ring, 0, user_data, result, flags, !(flags & IORING_CQE_F_MORE));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few kernel types and fields that the BPF programs read, instead of a generated vmlinux.h:
 * this can be reviewed, and it builds without BTF. Offsets are relocated at load time (CO-RE), so
 * the order of fields does not matter here; their names and types do.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

/* Values of enum bpf_map_type and of flags; part of the user-space ABI. */
#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_ARRAY 2
#define BPF_MAP_TYPE_PERCPU_ARRAY 6
#define BPF_MAP_TYPE_ARRAY_OF_MAPS 12
#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_MAP_TYPE_SK_STORAGE 24
#define BPF_F_NO_PREALLOC 1
#define BPF_F_MMAPABLE 1024
#define BPF_NOEXIST 1
#define BPF_RB_FORCE_WAKEUP 2
#define BPF_F_CLONE 512
#define BPF_RB_NO_WAKEUP 1
#define BPF_RB_AVAIL_DATA 0
#define BPF_SK_STORAGE_GET_F_CREATE 1

/* task_struct.__state, and what the tracepoint passes; unchanged since 4.20. */
#define TASK_INTERRUPTIBLE 0x1
#define TASK_UNINTERRUPTIBLE 0x2
#define TASK_STOPPED 0x4
#define TASK_TRACED 0x8
#define TASK_PARKED 0x40
#define TASK_DEAD 0x80
#define TASK_WAKEKILL 0x100
#define TASK_NOLOAD 0x400
#define TASK_NEW_STATE 0x800
#define TASK_RTLOCK_WAIT 0x1000
#define TASK_FROZEN 0x8000 /* 6.1 */

#define PF_EXITING 0x4
#define PF_IO_WORKER 0x10
#define PF_USER_WORKER 0x4000 /* 6.4: vhost, KVM; earlier, only modprobe set this bit, briefly */
#define PF_KTHREAD 0x200000
/* Threads created by the kernel, also inside a process, are in no call: their saved registers are their creator's. */
#define PF_KERNELS_OWN (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)
#define CLONE_THREAD 0x10000
#define CLONE_INTO_CGROUP 0x200000000ULL
#define SIGNAL_GROUP_EXIT 0x4
#define TS_COMPAT 0x2 /* x86 thread_info.status */
#define TIF_32BIT_ARM64 22
#define X32_BIT 0x40000000
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define MSG_OOB 0x1
#define MSG_PEEK 0x2
#define MSG_ERRQUEUE 0x2000

/* sock_common.skc_state */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_CLOSE 7
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10
#define TCP_CLOSING 11

/* enum req_op */
#define REQ_OP_FLUSH 2
#define REQ_OP_DISCARD 3
#define REQ_OP_DRV_IN 34 /* and above: driver commands */

#define SOCK_DEAD_BIT 0 /* enum sock_flags: no file refers to it any more */
#define SOCK_DONE_BIT 1 /* enum sock_flags: the peer's FIN was received */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mutex;
struct io_uring_task;

struct thread_info {
	unsigned long flags;
	__u32 status; /* x86 */
	__u32 cpu;    /* 5.16 */
};

struct rq;
struct task_struct;

struct task_group {
	struct cfs_rq **cfs_rq; /* by CPU; 7.2: a per-CPU pointer */
};

struct cfs_rq {
	struct rq *rq; /* CONFIG_FAIR_GROUP_SCHED: and the next */
	struct task_group *tg;
	unsigned int h_nr_queued, h_nr_runnable; /* 6.14, 6.12.y: all; without those that sleep while queued */
	/* CONFIG_CFS_BANDWIDTH: */
	int throttle_count;
	__u64 throttled_clock_self, throttled_clock_self_time; /* 6.6 */
	__u64 throttled_clock_pelt, throttled_clock_pelt_time; /* 5.19 */
	__u64 throttled_clock_task, throttled_clock_task_time; /* before 5.19 */
};

struct rq {
	__u64 clock, clock_task, clock_pelt, lost_idle_time;
	__u64 prev_irq_time;	  /* CONFIG_IRQ_TIME_ACCOUNTING */
	__u64 prev_steal_time_rq; /* CONFIG_PARAVIRT_TIME_ACCOUNTING */
	unsigned int nr_running;
	int cpu; /* CONFIG_SMP */
	__u64 nr_switches;
	struct cfs_rq cfs;
	struct task_struct *curr;
};

struct sched_entity {
	unsigned char sched_delayed; /* 6.12 */
	__u64 nr_migrations;
	struct cfs_rq *cfs_rq;
};

struct sched_info {
	unsigned long long last_arrival;
	unsigned long long last_queued;
};

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t euid;
};

struct kernfs_node {
	__u64 id;
	const char *name;
	struct kernfs_node *parent;
	struct kernfs_node *__parent; /* since 6.15 */
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	atomic_t refs;
} refcount_t;

struct ns_common {
	unsigned int inum;
};

/* A radix tree. */
struct xa_node {
	unsigned char shift;
	void *slots[1];
};

struct xarray {
	void *xa_head;
};

struct idr {
	struct xarray idr_rt;
};

struct pid_namespace {
	struct ns_common ns;
	struct idr idr;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct hlist_head tasks[4]; /* by enum pid_type */
	struct upid numbers[1];
};

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
};

struct sigaction {
	void (*sa_handler)(int);
};

struct k_sigaction {
	struct sigaction sa;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct kernel_siginfo {
	int si_code;
};

typedef struct {
	long long counter;
} atomic64_t;

struct rw_semaphore {
	atomic64_t count, owner; /* not with PREEMPT_RT */
};

struct mutex {
	atomic64_t owner; /* likewise */
};

struct mm_struct {
	unsigned long arg_start, arg_end;
	struct rw_semaphore mmap_lock;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
};

struct file_operations;

#define FMODE_PATH (1U << 14)

struct file {
	const struct file_operations *f_op;
	unsigned int f_mode;
	struct inode *f_inode;
	void *private_data;
};

struct timespec64 {
	__s64 tv_sec;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_io_accounting {
	__u64 read_bytes, write_bytes; /* CONFIG_TASK_IO_ACCOUNTING */
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	unsigned int flags;
	unsigned int on_cpu; /* these two are int, u8 since 7.2; libbpf resizes loads of unsigned fields only */
	unsigned int on_rq;
	int prio;
	bool throttled; /* 6.18 */
	struct sched_entity se;
	struct sched_info sched_info;
	struct task_group *sched_task_group; /* CONFIG_CGROUP_SCHED */
	int exit_state;
	int exit_code;
	unsigned in_iowait : 1;
	unsigned in_memstall : 1; /* CONFIG_PSI */
	unsigned frozen : 1;	  /* by the freezer of cgroup 2 */
	unsigned long blocker;	  /* 6.16, CONFIG_DETECT_HUNG_TASK_BLOCKER */
	struct mutex *blocked_on; /* 6.17; before it only with CONFIG_DEBUG_MUTEXES, and then of another type */
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	void *stack;
	unsigned long nvcsw;
	unsigned long nivcsw;
	unsigned long maj_flt;
	struct task_io_accounting ioac;
	__u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	struct mm_struct *mm;
	struct files_struct *files;
	struct io_uring_task *io_uring; /* CONFIG_IO_URING */
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	struct css_set *cgroups;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long dx, si, di, cx, bx, ax, orig_ax, sp, r10;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
};
struct pt_regs {
	__u64 regs[31], sp;
	__u64 orig_x0;
	int syscallno;
};
#endif

struct in6_addr {
	__u8 in6_u[16];
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned long skc_flags;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
	int sk_err;
	__u8 sk_shutdown;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	struct {
		atomic_t rmem_alloc;
	} sk_backlog;
	refcount_t sk_wmem_alloc;
	atomic_t sk_drops;
	struct {
		__u32 qlen;
	} sk_receive_queue;
	void *sk_user_data;
	struct pid *sk_peer_pid;
	void *sk_drop_counters; /* 6.18: UDP's, instead of sk_drops */
};

struct udp_sock {
	int forward_deficit;
};

struct inet_sock {
	__be16 inet_sport;
};

struct request_sock {
	struct sock *sk;
};

struct inet_connection_sock {
	struct {
		struct request_sock *rskq_accept_head;
	} icsk_accept_queue;
	void *icsk_ulp_data; /* of kTLS and the like */
};

struct socket {
	struct sock *sk;
};

struct sockaddr_un {
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u64 bytes_received;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 write_seq;
	__u32 snd_una;
	__u64 tcp_clock_cache; /* when the last segment was received or sent, CLOCK_MONOTONIC */
	__u64 tcp_wstamp_ns;   /* when the last segment was sent, likewise */
	__u32 packets_out;
	__u32 srtt_us;
	struct {
		__u32 rtt_us;
	} rcv_rtt_est;
	struct {
		__u64 time; /* us */
	} rcvq_space;
};

struct sk_buff {
	char cb[48];
};

struct tcp_skb_cb {
	__u16 tcp_gso_segs;
};

/* The kernel's blkcg begins with it; kernels without CONFIG_BLK_CGROUP have no type of that name. */
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct blkcg_gq {
	struct cgroup_subsys_state *blkcg;
};

struct bio {
	struct blkcg_gq *bi_blkg; /* CONFIG_BLK_CGROUP */
};

struct gendisk {
	int major;
	int first_minor;
};

struct request_queue {
	struct gendisk *disk;
};

struct request {
	struct request_queue *q;
	unsigned int cmd_flags;
	unsigned int rq_flags;
	unsigned int __data_len;
	struct bio *bio;
	__u64 start_time_ns;
};

struct io_rsrc_node {
	unsigned long file_ptr; /* 6.13 */
};

struct io_rsrc_data {
	unsigned int nr;
	struct io_rsrc_node **nodes; /* 6.13 */
};

struct io_file_table {
	void *files;		  /* before: addresses of files, with flags in their lower bits */
	struct io_rsrc_data data; /* since 6.13 */
};

struct io_ring_ctx {
	struct io_file_table file_table;
	unsigned int nr_user_files; /* before 6.13 */
};

struct io_cqe {
	__u64 user_data;
	int fd; /* from its submission on; the result's flags at its end */
};

struct io_kiocb {
	__u8 opcode;
	unsigned int flags; /* u64 since 6.8; the lower ones are IOSQE_* */
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
};

struct io_accept {
	__u32 file_slot; /* + 1 */
};

struct io_uring_cqe {
	__u64 user_data;
	__s32 res;
	__u32 flags;
};

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_map;
struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key, *value;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct file *file;
};
struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct sock *sk;
	void *value;
};

struct linux_binprm;

#pragma clang attribute pop

struct __sk_buff;
struct bpf_sock;
struct bpf_sock_addr;
struct bpf_sock_ops;
struct sk_msg_md;
struct sk_reuseport_md;
struct xdp_md;
struct bpf_fib_lookup;
struct bpf_perf_event_data;
struct bpf_perf_event_value;
struct bpf_pidns_info;
struct bpf_redir_neigh;
struct bpf_sk_lookup;
struct bpf_sysctl;
struct bpf_tcp_sock;
struct bpf_tunnel_key;
struct bpf_xfrm_state;
struct tcp6_sock;
struct tcp_timewait_sock;
struct tcp_request_sock;
struct udp6_sock;
struct path;
struct btf_ptr;
struct bpf_timer;
struct mptcp_sock;
struct bpf_dynptr;
struct iphdr;
struct ipv6hdr;

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* Since 6.2. Costs nothing: it tells the verifier that the address points to that type, so that programs may
 * dereference it without calling a helper. */
void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;

#endif

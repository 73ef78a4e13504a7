/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The columns, one row each. A raw value (column_raw.c) is what the interval counted; how it is shown follows from
 * `show` (column_show.c); the views made of columns are in column_view.c.
 */
#include "column.h"

#include <strings.h>

#include "column_raw.h"

#define PROCESSES (1 << MODEL_PROCESS)
#define THREADS (1 << MODEL_THREAD)
#define GROUPS (1 << MODEL_COMMAND | 1 << MODEL_USER | 1 << MODEL_CGROUP)
#define TASKS (PROCESSES | THREADS | GROUPS)
#define CONTEXT (PROCESSES | THREADS)
#define CALLERS (1 << MODEL_CALLER)
#define CALLS (1 << MODEL_CALL | CALLERS)
#define CONNECTIONS (1 << MODEL_CONNECTION)
#define PEERS (1 << MODEL_PEER)
#define CPUS (1 << MODEL_CPU)
#define DISKS (1 << MODEL_DISK)
#define CULPRITS (1 << MODEL_CULPRIT)

#define LATENCY COLUMN_LATENCY

/* Fields at the end that a row leaves out are 0. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
/* clang-format off */
const struct column columns[] = {
	/* name, title, json, width, show, flags, kinds, raw, unit, help, spark */
	{ "pid", "PID", "pid", 7, SHOW_ID, 0, PROCESSES | CALLERS | THREADS | CONNECTIONS | CPUS | PEERS | CULPRITS, raw_pid, "",
	  "Process id; for threads and connections, that of their process; for a CPU, of who runs there." },
	{ "tid", "TID", NULL, 7, SHOW_ID, COLUMN_FIXED, THREADS | CPUS | CULPRITS, raw_tid, "",
	  "Thread id." },
	{ "ppid", "PPID", "ppid", 7, SHOW_ID, 0, PROCESSES | CALLERS | THREADS, raw_ppid, "",
	  "The parent's process id." },
	{ "uid", "UID", "uid", 10, SHOW_ID, 0, PROCESSES | CALLERS | THREADS | CONNECTIONS | 1 << MODEL_USER, raw_uid, "",
	  "Effective user id, as a number." },
	{ "user", "USER", "user", 8, SHOW_TEXT, COLUMN_LEFT | COLUMN_FIXED, PROCESSES | CALLERS | THREADS | CONNECTIONS | 1 << MODEL_USER | CPUS | CULPRITS, raw_user, "",
	  "Effective user; the number if the system has no name for it." },
	{ "state", "STATE", "state", 10, SHOW_TEXT, COLUMN_LEFT, TASKS | CONNECTIONS, raw_state, "",
	  "Process: alive or exited; thread: its state at the moment of the reading, `poll disk?` if it waits for AIO, "
	  "where a disk and the network cannot be distinguished; connection: its TCP state." },
	{ "exit", "EXIT", "exit_code", 4, SHOW_ID, 0, PROCESSES, raw_exit_code, "",
	  "Exit code of an exited process; -9 if it was killed by signal 9." },
	{ "ended", "ENDED", NULL, 18, SHOW_TEXT, COLUMN_LEFT, PROCESSES, raw_ended, "",
	  "How an exited process ended: its exit code; or the signal that killed it, and who sent it; OOM if the kernel did because memory was short." },
	{ "start", "START", "start_ns", 6, SHOW_TIME, 0, PROCESSES | CALLERS | THREADS, raw_start, "ns",
	  "When it started, as time since boot." },
	{ "threads", "THR", "threads", 6, SHOW_ID, 0, TASKS | CALLERS, raw_threads, "",
	  "Threads alive at the reading, or when the process exited." },
	{ "procs", "PROCS", NULL, 5, SHOW_ID, 0, GROUPS, raw_processes, "",
	  "Processes of the group alive at the reading.", .metric = "processes" }, /* as for the host */
	{ "forks", "FORK/s", "children.forks", 6, SHOW_RATE, 0, PROCESSES, raw_forks, "/s",
	  "Processes that it started and is still the parent of." },
	{ "execs", "EXEC/s", "children.execs", 6, SHOW_RATE, 0, PROCESSES, raw_execs, "/s",
	  "Its children that called exec, each counted once per reading." },
	{ "exits", "EXIT/s", "children.exits", 6, SHOW_RATE, 0, PROCESSES, raw_exits, "/s",
	  "Its children that exited." },
	{ "comm", "COMM", "comm", 15, SHOW_TEXT, COLUMN_LEFT, TASKS | CALLERS | CONNECTIONS | CPUS, raw_comm, "",
	  "The kernel's short name, up to 15 bytes, as the process or thread set it; for a group, the group's name." },
	{ "cmdline", "CMDLINE", "cmdline", 40, SHOW_TEXT, COLUMN_LEFT, PROCESSES | CALLERS | THREADS | CONNECTIONS, raw_cmdline, "",
	  "The command line, up to 32 KiB; … marks where it was cut. Empty for kernel threads, not known if the process exited before it could be read." },
	{ "command", "COMMAND", NULL, 40, SHOW_TEXT, COLUMN_LEFT, (TASKS & ~(1 << MODEL_USER)) | CALLERS | CONNECTIONS | CPUS | PEERS | CULPRITS, raw_command, "",
	  "The command line without the program's path (cmdline has it), or the short name where there is none; kernel threads in brackets." },
	{ "cgroup", "CGROUP", "cgroup", 30, SHOW_TEXT, COLUMN_LEFT, TASKS | CALLERS, raw_cgroup, "",
	  "Control group, unified hierarchy." },
	{ "oncpu", "ONCPU", "context.cpu", 5, SHOW_ID, 0, CONTEXT, raw_last_cpu, "",
	  "The CPU that it runs on or ran on last; of a process, its main thread. This column and those down to MEMUSE are read from /proc while they are used, "
	  "in turn if there are thousands of processes; not known of recordings and past readings." },
	{ "aff", "AFF", "context.cpus_allowed", 8, SHOW_TEXT, COLUMN_LEFT, CONTEXT, raw_allowed, "",
	  "The CPUs that it may use (affinity and cpuset); of a process, its main thread." },
	{ "nice", "NI", "context.nice", 3, SHOW_ID, 0, CONTEXT, raw_nice, "",
	  "Nice value, -20 to 19; of a process, its main thread's." },
	{ "policy", "POLICY", "context.policy", 8, SHOW_TEXT, COLUMN_LEFT, CONTEXT, raw_policy, "",
	  "Scheduling policy: other, batch, idle, fifo, rr, deadline, ext; of a process, its main thread's." },
	{ "rtprio", "RTPRIO", "context.rt_priority", 6, SHOW_ID, 0, CONTEXT, raw_priority, "",
	  "Real-time priority, 1 to 99, of the policies fifo and rr; - for others." },
	{ "weight", "WEIGHT", "context.weight", 6, SHOW_ID, 0, CONTEXT, raw_weight, "",
	  "CPU weight of its control group, 1 to 10000; of version 1, its shares on the same scale. - in the root group." },
	{ "quota", "CPULIM%", "context.quota_percent", 7, SHOW_SHARE, 0, CONTEXT, raw_quota, "%",
	  "CPU limit: the tightest quota of its control group and those above, in percent of one CPU; - if there is none. THROT% is the time that threads waited because of it." },
	{ "rss", "RSS", "context.rss_bytes", 6, SHOW_BYTES, 0, CONTEXT, raw_rss, "bytes",
	  "Resident memory, shared pages included." },
	{ "memlimit", "MEMLIM", "context.memory_limit_bytes", 6, SHOW_BYTES, 0, CONTEXT, raw_memory_limit, "bytes",
	  "Memory limit, the tightest of its control group and those above; - if there is none." },
	{ "memuse", "MEMUSE", "context.memory_bytes", 6, SHOW_BYTES, 0, CONTEXT, raw_memory_use, "bytes",
	  "Memory that the control group with that limit uses, file cache included; without a limit, its own group." },

	{ "wall", "WALL%", "wall_ns", 6, SHOW_SHARE, 0, TASKS, raw_wall, "%",
	  "Lifetime of its threads within the interval, added up: 100 for each thread that lived through all of it." },
	{ "lag", "LAG%", NULL, 6, SHOW_SHARE, COLUMN_LAG, TASKS, raw_lag, "%",
	  "Time in which it wanted to run and could not: RUNQ% + THROT% + BLK%; summed over all threads, so it may exceed 100." },
	{ "hurts", "HURT%", NULL, 6, SHOW_SHARE, COLUMN_LAG, TASKS, raw_hurts, "%",
	  "LAG%, plus the extra time that clients wait when RESP99 is more than twice its median of the last minute: how much longer the slowest 1 % of the answers "
	  "took than that median. 100 is one client waiting all the time. For a thread: LAG%. For a group: the sum over its processes." },
	{ "part", "PART%", NULL, 6, SHOW_SHARE, 0, CULPRITS, raw_part, "%",
	  "Share of the process's waiting time of this kind that was because of this culprit." },
	{ "waited", "BEHIND%", NULL, 7, SHOW_SHARE, COLUMN_LAG, CULPRITS, raw_charged, "%",
	  "Time that the process waited because of this culprit, summed over its threads; 100 is one thread waiting all the time." },
	{ "kind", "KIND", NULL, 5, SHOW_TEXT, COLUMN_LEFT, CULPRITS, raw_waits_in, "",
	  "The state of the waits. cpu: the culprit was running meanwhile. lock, block: it held the lock when the wait began, if that is known. Otherwise, and in all other states, it is the one that ended the wait." },
	{ "why", "WHY", "why", 22, SHOW_TEXT, COLUMN_LEFT | COLUMN_WHY, TASKS, raw_why, "",
	  "The largest part of LAG% + LOCKC% + UPSTR% in words, and its share of them. Nothing if they are below 0.1. In focus it names who was running instead or held the lock, "
	  "if one was for a quarter of the wait; lagtop why names up to three, from a tenth each." },
	{ "cpu", "CPU%", "time_ns.run", 6, SHOW_SHARE, 0, TASKS, raw_run, "%",
	  "Time on a CPU, including what interrupts and the hypervisor took from it; 100 is one whole CPU." },
	{ "runq", "RUNQ%", NULL, 6, SHOW_SHARE, COLUMN_LAG, TASKS, raw_runq, "%",
	  "Time ready to run but waiting for a CPU: WAKEQ% + PREEMPT%." },
	{ "blk", "BLK%", NULL, 6, SHOW_SHARE, COLUMN_LAG, TASKS, raw_blk, "%",
	  "Time in uninterruptible waits: DISK% + MSTALL% + BLOCK%." },
	{ "wakeq", "WAKEQ%", "time_ns.wakeq", 6, SHOW_SHARE, COLUMN_LAG, TASKS, raw_wakeq, "%",
	  "Time from being woken or created to getting a CPU." },
	{ "preempt", "PREEMPT%", "time_ns.preempt", 8, SHOW_SHARE, COLUMN_LAG, TASKS, raw_preempt, "%",
	  "Time after being preempted (or its own sched_yield), waiting to get a CPU back." },
	{ "throttled", "THROT%", "time_ns.throttled", 6, SHOW_SHARE, COLUMN_LAG, TASKS, raw_throttled, "%",
	  "Time ready to run, but the CPU quota of its control group was used up. Not known (-) without CONFIG_CFS_BANDWIDTH." },
	{ "disk", "DISK%", "time_ns.disk", 6, SHOW_SHARE, COLUMN_LAG, TASKS, raw_disk, "%",
	  "Time waiting for block I/O: uninterruptible, in iowait; or for a disk request of io_uring." },
	{ "memory", "MSTALL%", "time_ns.memory", 7, SHOW_SHARE, COLUMN_LAG, TASKS, raw_memory, "%",
	  "Time in uninterruptible waits for memory (the state memory): swap-in, refault, reclaim, memory.high. Not known (-) without pressure information (CONFIG_PSI, psi=1)." },
	{ "block", "BLOCK%", "time_ns.block", 6, SHOW_SHARE, COLUMN_LAG, TASKS, raw_block, "%",
	  "Time in other uninterruptible waits (BLK% is all of them): locks in the kernel, NFS, FUSE." },
	{ "lock", "LOCK%", "time_ns.lock", 6, SHOW_SHARE, 0, TASKS, raw_lock, "%",
	  "Time asleep for a lock: futex, flock, fcntl, semop, real-time mutexes." },
	{ "net", "NET%", "time_ns.net", 6, SHOW_SHARE, 0, TASKS, raw_net, "%",
	  "Time asleep in a socket call, or in read, write and the like, or io_uring_enter, for a socket." },
	{ "poll", "POLL%", "time_ns.poll", 6, SHOW_SHARE, 0, TASKS, raw_poll, "%",
	  "Time asleep in epoll, poll, select; in io_uring_enter, if no request of the ring is known to wait for a disk (DISK%), the network (NET%), a pipe or terminal (IO%); "
	  "or waiting for AIO, where a disk and the network cannot be distinguished: such a wait for a disk is not part of DISK%, BLK% and LAG%." },
	{ "sleep", "SLEEP%", "time_ns.sleep", 6, SHOW_SHARE, 0, TASKS, raw_sleep, "%",
	  "Time asleep on purpose: nanosleep, pause, wait for children or signals; idle kernel threads, also those that "
	  "the kernel creates inside a process (vhost, KVM, io_uring)." },
	{ "io", "IO%", "time_ns.io", 6, SHOW_SHARE, 0, TASKS, raw_io, "%",
	  "Time asleep in a call on pipes, terminals, files, directories (stat, open, rename, …) and message queues, or in a "
	  "page fault, that is not in DISK% or BLOCK%: FUSE, for example." },
	{ "other", "OTHER%", "time_ns.other", 6, SHOW_SHARE, 0, TASKS, raw_other, "%",
	  "Time in any other sleep; stopped, traced, frozen." },
	{ "reclaim", "RECLAIM%", "of_which_ns.reclaim", 8, SHOW_SHARE, 0, TASKS, raw_reclaim_ns, "%",
	  "Time on a CPU spent reclaiming memory because free memory was short: part of CPU%." },
	{ "lockc", "LOCKC%", "of_which_ns.contended_lock", 7, SHOW_SHARE, 0, TASKS, raw_lockc, "%",
	  "Time asleep for a lock while it is certain that somebody held it (contended): part of LOCK%, the rest of which may be idle. Known for processes in focus." },
	{ "upstream", "UPSTR%", "of_which_ns.upstream", 7, SHOW_SHARE, 0, TASKS, raw_upst, "%",
	  "Time asleep in poll or on a socket while a request that the process sent was unanswered: part of NET% and POLL%. Known for processes in focus." },
	{ "faultdisk", "FLTDISK%", "of_which_ns.page_fault_disk", 8, SHOW_SHARE, 0, TASKS, raw_page_fault_disk_ns, "%",
	  "Time waiting for block I/O in page faults, not in a call: part of DISK%." },

	{ "woken", "WOKEN/s", "wakeup.count", 7, SHOW_RATE, 0, TASKS, raw_wakeup_count, "/s",
	  "Wakeups, and creations, after which the thread got a CPU (WAKE/s counts wakeups when they happen); WAKE50 to WAKEMAX are the durations of these waits." },
	{ "wake50", "WAKE50", "wakeup.p50_ns", 6, SHOW_TIME, LATENCY, TASKS, raw_wakeup_p50, "ns",
	  "Wake-up latency: half of the waits from a wakeup to running were shorter. In all columns a percentile is at most 12.5 % off (256 ns to 17 s)." },
	{ "wake90", "WAKE90", "wakeup.p90_ns", 6, SHOW_TIME, LATENCY, TASKS, raw_wakeup_p90, "ns",
	  "Wake-up latency: 90 % were shorter." },
	{ "wake99", "WAKE99", "wakeup.p99_ns", 6, SHOW_TIME, LATENCY, TASKS, raw_wakeup_p99, "ns",
	  "Wake-up latency: 99 % were shorter." },
	{ "wakemax", "WAKEMAX", "wakeup.max_ns", 7, SHOW_TIME, LATENCY, TASKS, raw_wakeup_max, "ns",
	  "The longest wake-up latency, to the nanosecond." },
	{ "vol", "VOLCS/s", "switches.voluntary", 7, SHOW_RATE, 0, TASKS, raw_voluntary, "/s",
	  "Voluntary context switches: the thread went to sleep." },
	{ "invol", "INVCS/s", "switches.involuntary", 7, SHOW_RATE, 0, TASKS, raw_involuntary, "/s",
	  "Involuntary context switches: the thread was preempted." },
	{ "majflt", "MAJFLT/s", "disk.major_faults", 8, SHOW_RATE, 0, TASKS, raw_major_faults, "/s", "Major page faults: the memory had to be read from a device first." },
	{ "diskr", "DISKR/s", "disk.read_bytes", 7, SHOW_BYTES_RATE, 0, TASKS, raw_disk_read_bytes, "bytes/s",
	  "Bytes read from block devices on its behalf, read-ahead included: read_bytes in /proc/PID/io, "
	  "which adds children that have ended." },
	{ "diskw", "DISKW/s", "disk.write_bytes", 7, SHOW_BYTES_RATE, 0, TASKS, raw_disk_write_bytes, "bytes/s",
	  "Bytes that it caused to be written to block devices: write_bytes in /proc/PID/io. Counted when it dirties a page, not "
	  "when that page is written later; also if the file is deleted before that." },
	{ "diskwaits", "DWAIT/s", "disk.count", 7, SHOW_RATE, 0, TASKS, raw_disk_waits, "/s",
	  "Its threads' waits for a block device (DISK%) that ended; DISK50 to DISKMAX are their durations. One wait may be for many "
	  "requests, and a request that no thread waits for (read-ahead, writeback, AIO) is in none." },
	{ "disk50", "DISK50", "disk.p50_ns", 6, SHOW_TIME, LATENCY, TASKS, raw_disk_p50, "ns",
	  "Half of its threads' waits for a block device were shorter. P50 of view disks: the device's requests." },
	{ "disk90", "DISK90", "disk.p90_ns", 6, SHOW_TIME, LATENCY, TASKS, raw_disk_p90, "ns",
	  "90 % of its threads' waits for a block device were shorter." },
	{ "disk99", "DISK99", "disk.p99_ns", 6, SHOW_TIME, LATENCY, TASKS, raw_disk_p99, "ns",
	  "99 % of its threads' waits for a block device were shorter. P99 of view disks: the device's requests." },
	{ "diskmax", "DISKMAX", "disk.max_ns", 7, SHOW_TIME, LATENCY, TASKS, raw_disk_max, "ns",
	  "The longest of its threads' waits for a block device that ended." },
	{ "wakeups", "WAKE/s", "wakeups", 6, SHOW_RATE, 0, TASKS, raw_wakeups, "/s",
	  "Times it was woken from a sleep, whether or not it got a CPU yet (WOKEN/s)." },
	{ "waker", "WAKER", NULL, 7, SHOW_ID, 0, THREADS, raw_waker, "",
	  "The process that woke the thread last, by its id, while it is in focus; - if an interrupt did (a timer, a disk, the network), or it is not known." },
	{ "migrations", "MIGR/s", "migrations", 6, SHOW_RATE, 0, TASKS, raw_migrations, "/s",
	  "Times it was moved to another CPU." },

	{ "call", "CALL", NULL, 18, SHOW_TEXT, COLUMN_LEFT, THREADS | CALLS, raw_call, "",
	  "The system call; for a thread, the one it is in." },
	{ "nr", "NR", NULL, 4, SHOW_ID, 0, CALLS, raw_number, "",
	  "The system call's number." },
	{ "abi", "ABI", NULL, 7, SHOW_TEXT, COLUMN_LEFT, CALLS, raw_abi, "",
	  "Which system call table the number belongs to: the native one, or that of 32-bit programs." },
	{ "calls", "CALLS/s", "calls.count", 7, SHOW_RATE, 0, TASKS | CALLS, raw_calls, "/s",
	  "System calls that returned." },
	{ "errors", "ERR/s", "calls.errors", 6, SHOW_RATE, COLUMN_FAILS, TASKS | CALLS, raw_call_errors, "/s",
	  "System calls that returned an error." },
	{ "calltime", "CALLTIME", "calls.total_ns", 8, SHOW_TIME, 0, TASKS | CALLS, raw_call_total_ns, "ns",
	  "Total duration of the calls that returned, including time before the interval began." },
	{ "avg", "AVG", NULL, 6, SHOW_TIME, LATENCY, TASKS | CALLS | DISKS, raw_average, "ns",
	  "Mean duration of the calls that returned, sleep included (CALL50 to CALLMAX leave it out); for a device, of its requests, by the kernel's own sum in ms." },
	{ "call50", "CALL50", "calls.p50_ns", 6, SHOW_TIME, LATENCY, TASKS, raw_service_p50, "ns",
	  "Half of the system calls finished faster, not counting their interruptible sleep." },
	{ "call90", "CALL90", "calls.p90_ns", 6, SHOW_TIME, LATENCY, TASKS, raw_service_p90, "ns",
	  "90 % of the system calls finished faster, not counting their interruptible sleep." },
	{ "call99", "CALL99", "calls.p99_ns", 6, SHOW_TIME, LATENCY, TASKS, raw_service_p99, "ns",
	  "99 % of the system calls finished faster, not counting their interruptible sleep." },
	{ "callmax", "CALLMAX", "calls.max_ns", 7, SHOW_TIME, LATENCY, TASKS, raw_service_max, "ns",
	  "The longest system call, not counting its interruptible sleep." },
	{ "p50", "P50", NULL, 6, SHOW_TIME, LATENCY, CALLS | DISKS, raw_latency_p50, "ns",
	  "Half of the calls, sleep included, or of the device's requests were shorter." },
	{ "p90", "P90", NULL, 6, SHOW_TIME, LATENCY, CALLS | DISKS, raw_latency_p90, "ns",
	  "90 % of the calls, sleep included, or of the device's requests were shorter." },
	{ "p99", "P99", NULL, 6, SHOW_TIME, LATENCY, CALLS | DISKS, raw_latency_p99, "ns",
	  "99 % of the calls, sleep included, or of the device's requests were shorter." },
	{ "max", "MAX", NULL, 7, SHOW_TIME, LATENCY, CALLS | DISKS, raw_latency_max, "ns",
	  "The longest of the calls that returned, sleep included, or of the device's requests." },
	{ "time", "TIME%", NULL, 6, SHOW_SHARE, COLUMN_IDLE, CALLS, raw_call_time, "%",
	  "Time spent in the call in this interval, summed over all threads, unfinished calls included. "
	  "Grey, and below the others, if most of it was idle: waiting for the next request or for time to pass." },
	{ "wait", "WAIT%", NULL, 6, SHOW_SHARE, COLUMN_IDLE, CALLS, raw_call_wait, "%",
	  "The part of TIME% that was not spent on a CPU." },
	{ "inflight", "INFLIGHT", NULL, 8, SHOW_COUNT, 0, CALLS | DISKS, raw_in_flight, "",
	  "Threads in the call, or requests (in all directions) that the device has, at the moment of the reading." },
	{ "oldest", "OLDEST", NULL, 7, SHOW_TIME, COLUMN_IDLE, THREADS | CALLS, raw_oldest, "ns",
	  "How long the oldest system call in flight has been running; marked > if it began before lagtop did." },
	{ "errnos", "ERRNO", NULL, 30, SHOW_TEXT, COLUMN_LEFT, CALLS, raw_errnos, "",
	  "The errors returned in the interval and their counts, the most frequent first." },

	{ "proto", "PROTO", NULL, 5, SHOW_TEXT, COLUMN_LEFT, CONNECTIONS | PEERS, raw_proto, "",
	  "Protocol." },
	{ "local", "LOCAL", NULL, 21, SHOW_TEXT, COLUMN_LEFT, CONNECTIONS, raw_local, "",
	  "Local address and port." },
	{ "remote", "REMOTE", NULL, 21, SHOW_TEXT, COLUMN_LEFT, CONNECTIONS | PEERS, raw_remote, "",
	  "Remote address and port." },
	{ "traffic", "RXTX/s", NULL, 6, SHOW_BYTES_RATE, 0, TASKS | CONNECTIONS, raw_traffic, "bytes/s",
	  "Payload sent and received over internet sockets." },
	{ "tx", "TX/s", "net.tx_bytes", 6, SHOW_BYTES_RATE, 0, TASKS | CONNECTIONS, raw_tx, "bytes/s",
	  "Payload sent over internet sockets." },
	{ "rx", "RX/s", "net.rx_bytes", 6, SHOW_BYTES_RATE, 0, TASKS | CONNECTIONS, raw_rx, "bytes/s",
	  "Payload received over internet sockets." },
	{ "txops", "TXOP/s", "net.tx_ops", 6, SHOW_RATE, 0, TASKS, raw_tx_ops, "/s",
	  "Messages sent over internet sockets." },
	{ "rxops", "RXOP/s", "net.rx_ops", 6, SHOW_RATE, 0, TASKS, raw_rx_ops, "/s",
	  "Messages received over internet sockets." },
	{ "tcptx", "TCPTX/s", "net.tcp.tx_bytes", 7, SHOW_BYTES_RATE, 0, TASKS, raw_tcp_tx_bytes, "bytes/s",
	  "Payload sent over TCP." },
	{ "tcprx", "TCPRX/s", "net.tcp.rx_bytes", 7, SHOW_BYTES_RATE, 0, TASKS, raw_tcp_rx_bytes, "bytes/s",
	  "Payload received over TCP." },
	{ "udptx", "UDPTX/s", "net.udp.tx_bytes", 7, SHOW_BYTES_RATE, 0, TASKS, raw_udp_tx_bytes, "bytes/s",
	  "Payload sent over UDP." },
	{ "udprx", "UDPRX/s", "net.udp.rx_bytes", 7, SHOW_BYTES_RATE, 0, TASKS, raw_udp_rx_bytes, "bytes/s",
	  "Payload received over UDP." },
	{ "unixtx", "UNIXTX/s", "net.unix.tx_bytes", 8, SHOW_BYTES_RATE, 0, TASKS, raw_unix_tx_bytes, "bytes/s",
	  "Payload sent over unix sockets; not part of TX/s." },
	{ "unixrx", "UNIXRX/s", "net.unix.rx_bytes", 8, SHOW_BYTES_RATE, 0, TASKS, raw_unix_rx_bytes, "bytes/s",
	  "Payload received over unix sockets; not part of RX/s." },
	{ "connects", "CONN/s", "net.connects", 6, SHOW_RATE, 0, TASKS, raw_connects, "/s",
	  "TCP connection attempts: first SYN sent." },
	{ "connerr", "CNERR/s", "net.connect_errors", 7, SHOW_RATE, COLUMN_BAD, TASKS, raw_connect_errors, "/s",
	  "TCP connection attempts that failed: refused, timed out, no free port. Attempts that the program abandoned are not counted." },
	{ "accepts", "ACPT/s", "net.accepts", 6, SHOW_RATE, 0, TASKS, raw_accepted, "/s",
	  "TCP connections accepted; by io_uring since Linux 5.19." },
	{ "conn99", "CONN99", "net.connect_p99_ns", 6, SHOW_TIME, LATENCY, PROCESSES | GROUPS, raw_connect_p99, "ns",
	  "99 % of the TCP connections were established faster, counted from the first SYN." },
	{ "acc99", "ACPT99", "net.accept_p99_ns", 6, SHOW_TIME, LATENCY, TASKS, raw_accept_p99, "ns",
	  "99 % of the TCP connections were accepted faster, counted from when they were established." },
	{ "turns", "TURN/s", "turns.count", 6, SHOW_RATE, 0, TASKS | CONNECTIONS, raw_turns, "/s",
	  "Answers: on accepted connections (TCP, UNIX), the first bytes sent after something was received." },
	{ "resp50", "RESP50", "turns.p50_ns", 7, SHOW_TIME, LATENCY, TASKS, raw_response_p50, "ns",
	  "Response time: half of the answers left faster, from the arrival of a request's first bytes to the answer's first byte. "
	  "~: more than 5 % of them overlapped others (OVERLAP/s)." },
	{ "resp90", "RESP90", "turns.p90_ns", 7, SHOW_TIME, LATENCY, TASKS, raw_response_p90, "ns",
	  "Response time: 90 % of the answers left faster." },
	{ "resp99", "RESP99", "turns.p99_ns", 7, SHOW_TIME, LATENCY, TASKS, raw_response_p99, "ns",
	  "Response time: 99 % of the answers left faster." },
	{ "respmax", "RESPMAX", "turns.max_ns", 7, SHOW_TIME, LATENCY, TASKS | CONNECTIONS, raw_response_max, "ns",
	  "The longest response time." },
	{ "late99", "LATE99", "turns.late_p99_ns", 6, SHOW_TIME, LATENCY, TASKS, raw_late_p99, "ns",
	  "How long arrived data waits to be read by the program: 99 % of requests and answers were read faster." },
	{ "ups", "UPST/s", "upstream.count", 6, SHOW_RATE, 0, TASKS | PEERS | CONNECTIONS, raw_upstream_count, "/s",
	  "Answers received: on connections that it opened, the first bytes received after something was sent." },
	{ "upst50", "UPST50", "upstream.p50_ns", 7, SHOW_TIME, LATENCY, TASKS | PEERS, raw_upstream_p50, "ns",
	  "Upstream time: half of the answers arrived faster, counted from the first byte of its request." },
	{ "upst99", "UPST99", "upstream.p99_ns", 7, SHOW_TIME, LATENCY, TASKS | PEERS, raw_upstream_p99, "ns",
	  "Upstream time: 99 % of the answers arrived faster." },
	{ "upstmax", "UPSTMAX", "upstream.max_ns", 7, SHOW_TIME, LATENCY, TASKS | PEERS | CONNECTIONS, raw_upstream_max, "ns",
	  "The longest upstream time." },
	{ "resp", "RESP", NULL, 7, SHOW_TIME, LATENCY, CONNECTIONS, raw_response_mean, "ns",
	  "Mean response time on a connection that was accepted. ~: its requests overlap." },
	{ "upst", "UPST", NULL, 7, SHOW_TIME, LATENCY, CONNECTIONS, raw_upstream_mean, "ns",
	  "Mean upstream time on a connection that the process opened. ~: its requests overlap." },
	{ "turnover", "OVERLAP/s", "turns.overlapped", 9, SHOW_RATE, 0, TASKS, raw_turns_overlapped, "/s",
	  "The part of TURN/s on connections with overlapping requests (pipelining, bodies in parts, multiplexing); their times are not those of single requests." },
	{ "upover", "UPOVER/s", "upstream.overlapped", 8, SHOW_RATE, 0, TASKS | PEERS, raw_upstream_overlapped, "/s",
	  "The part of UPST/s on connections with overlapping requests (pipelining, bodies in parts, multiplexing); their times are not those of single requests." },
	{ "topen", "TOPEN", "turns.open", 6, SHOW_COUNT, 0, PROCESSES | GROUPS, raw_answers_open, "",
	  "Requests not yet answered: the program has read part of one, or data has arrived that it has not read." },
	{ "toldest", "TOLDEST", "turns.oldest_ns", 7, SHOW_TIME, 0, PROCESSES | GROUPS | CONNECTIONS, raw_answers_oldest, "ns",
	  "Age of the oldest request that it has not yet answered (TOPEN); for a connection, of its unanswered request, whichever end owes the answer." },
	{ "upopen", "UPOPEN", "upstream.open", 6, SHOW_COUNT, 0, PROCESSES | GROUPS | PEERS, raw_upstream_open, "",
	  "Requests that it sent and that have not been answered yet." },
	{ "upoldest", "UPOLDEST", "upstream.oldest_ns", 8, SHOW_TIME, 0, PROCESSES | GROUPS | PEERS, raw_upstream_oldest, "ns",
	  "Age of the oldest request that it sent and that is unanswered." },
	{ "retrans", "RETR/s", "net.retransmits", 6, SHOW_RATE, COLUMN_BAD, PROCESSES | GROUPS | CONNECTIONS | PEERS, raw_retrans, "/s",
	  "TCP segments retransmitted." },
	{ "srtt", "SRTT", "net.srtt_ns", 6, SHOW_TIME, LATENCY, PROCESSES | GROUPS | CONNECTIONS | PEERS, raw_srtt, "ns",
	  "Smoothed round-trip time; for a process, the mean over its connections, weighted by their bytes." },
	{ "age", "AGE", NULL, 6, SHOW_TIME, 0, CONNECTIONS, raw_age, "ns",
	  "How long the socket has existed; not known if it is older than lagtop." },
	{ "txq", "TXQ", NULL, 6, SHOW_BYTES, 0, CONNECTIONS, raw_tx_queue, "bytes",
	  "Bytes written and not yet acknowledged by the remote end; for UDP: not yet sent." },
	{ "rxq", "RXQ", NULL, 6, SHOW_BYTES, 0, CONNECTIONS, raw_rx_queue, "bytes",
	  "Bytes received and not yet read by the process; for UDP including the kernel's overhead, as in ss." },
	{ "acceptq", "ACPTQ", NULL, 6, SHOW_COUNT, 0, CONNECTIONS, raw_accept_queue, "",
	  "For a listener: connections waiting to be accepted; Recv-Q in ss." },
	{ "acceptmax", "ACPTLIM", NULL, 7, SHOW_COUNT, 0, CONNECTIONS, raw_accept_max, "",
	  "For a listener: the limit of ACPTQ (the kernel lets one more wait); Send-Q in ss." },
	{ "acceptage", "ACPTAGE", NULL, 7, SHOW_TIME, LATENCY, CONNECTIONS, raw_accept_oldest, "ns",
	  "For a listener: how long the first connection in ACPTQ has been waiting; not known if none does." },
	{ "drops", "DROP/s", "net.drops", 6, SHOW_RATE, COLUMN_BAD, PROCESSES | GROUPS | CONNECTIONS, raw_drops, "/s",
	  "Datagrams dropped because a UDP socket's buffer was full, connections dropped because a listener's queue was full. For a process, known only in views that read its sockets (in net, and in JSON); what a UDP socket dropped just before it was closed is missing." },

	{ "cpunum", "CPU#", NULL, 5, SHOW_ID, 0, CPUS, raw_cpu_number, "",
	  "The CPU's number." },
	{ "busy", "BUSY%", NULL, 6, SHOW_SHARE, 0, CPUS | DISKS, raw_busy, "%",
	  "Time in which the CPU was not idle, as /proc/stat counts it, in clock ticks; IRQ%, SIRQ% and STEAL% are part of it. For a device: in which it had "
	  "at least one request, in any direction, in steps of 1 ms; at 100 % a device that handles many at once may have capacity left." },
	{ "idle", "IDLE%", NULL, 6, SHOW_SHARE, 0, CPUS, raw_cpu_idle, "%",
	  "Time in which the CPU had nothing to run, including iowait." },
	{ "irq", "IRQ%", NULL, 6, SHOW_SHARE, 0, CPUS, raw_cpu_irq, "%",
	  "Time in interrupts; 0 on kernels that do not measure it (CONFIG_IRQ_TIME_ACCOUNTING)." },
	{ "softirq", "SIRQ%", NULL, 6, SHOW_SHARE, 0, CPUS, raw_cpu_softirq, "%",
	  "Time in softirqs, the deferred part of interrupts: network, timers, block devices." },
	{ "steal", "STEAL%", NULL, 6, SHOW_SHARE, COLUMN_LAG, CPUS, raw_cpu_steal, "%",
	  "Time that the hypervisor took from the CPU while it had work." },
	{ "switches", "CS/s", NULL, 6, SHOW_RATE, 0, CPUS, raw_cpu_switches, "/s",
	  "Context switches, idle ones included, as the kernel counts them." },
	{ "queued", "QUEUED", NULL, 7, SHOW_COUNT, 0, CPUS, raw_cpu_queued, "",
	  "Threads in the CPU's run queue that wait to run at the moment of the reading. A thread kept from running only by lagtop's own reading is not counted." },
	{ "queue99", "QUEUED99", NULL, 8, SHOW_COUNT, 0, CPUS, raw_cpu_queued_p99, "",
	  "In 99 % of the samples taken every 20 ms of the interval, at most this many threads were in the run queue (QUEUED). Samples are taken only while CPUs are shown, and count 1,023 threads at most." },
	{ "thrgroups", "THRGRP", NULL, 6, SHOW_COUNT, 0, CPUS, raw_cpu_throttled, "",
	  "Control groups with threads that wait on this CPU for their CPU quota, at the moment of the reading." },
	{ "ran", "RAN", NULL, 6, SHOW_TIME, 0, CPUS, raw_cpu_ran, "ns",
	  "How long the thread that runs at the moment of the reading has been running without a pause. Not known where lagtop's own reading interrupted it." },

	{ "device", "DEVICE", NULL, 10, SHOW_TEXT, COLUMN_LEFT | COLUMN_FIXED, DISKS, raw_device, "",
	  "The block device, as in /proc/diskstats; its numbers include its partitions'. A loop device's requests are counted "
	  "again on the device that holds its file, and those of dm, md and zram on the devices that they pass them on to." },
	{ "op", "OP", NULL, 7, SHOW_TEXT, COLUMN_LEFT | COLUMN_FIXED, DISKS, raw_op, "",
	  "Direction of the requests: read, write, discard, flush (of the device's cache)." },
	{ "ops", "OPS/s", NULL, 6, SHOW_RATE, 0, DISKS, raw_requests, "/s",
	  "Requests that completed, as the kernel counts them in /proc/diskstats." },
	{ "bytes", "BYTES/s", NULL, 7, SHOW_BYTES_RATE, 0, DISKS, raw_request_bytes, "bytes/s",
	  "Bytes of those requests." },
	{ "que50", "QUE50", NULL, 6, SHOW_TIME, LATENCY, DISKS, raw_queue_p50, "ns",
	  "Half of the device's requests waited less in the kernel's queue, before the driver got them." },
	{ "que99", "QUE99", NULL, 6, SHOW_TIME, LATENCY, DISKS, raw_queue_p99, "ns",
	  "99 % of the device's requests waited less in the kernel's queue, before the driver got them." },
	{ "quemax", "QUEMAX", NULL, 7, SHOW_TIME, LATENCY, DISKS, raw_queue_max, "ns",
	  "The longest wait of a request in the kernel's queue." },
	{ "srv50", "SRV50", NULL, 6, SHOW_TIME, LATENCY, DISKS, raw_in_device_p50, "ns",
	  "Half of the requests took less time in the driver and the device." },
	{ "srv99", "SRV99", NULL, 6, SHOW_TIME, LATENCY, DISKS, raw_in_device_p99, "ns",
	  "99 % of the requests took less time in the driver and the device." },
	{ "srvmax", "SRVMAX", NULL, 7, SHOW_TIME, LATENCY, DISKS, raw_in_device_max, "ns",
	  "The longest time of a request in the driver and the device." },
	{ "merged", "MERGE/s", NULL, 7, SHOW_RATE, 0, DISKS, raw_merged, "/s",
	  "Requests that were merged into others before they were issued; not part of OPS/s." },
	{ "carriers", "CARRY/s", NULL, 7, SHOW_RATE, 0, DISKS, raw_carriers, "/s",
	  "Writes without data, part of OPS/s: they carry a flush (fsync), which is counted as such, and have no latency." },
	{ "note", "NOTE", NULL, 20, SHOW_TEXT, COLUMN_LEFT, DISKS, raw_note, "",
	  "Why there is no latency: dm, md and zram pass requests on, or complete them at once, and only the mean is known; that a loop device's requests are also its file's." },

	{ "wakespark", "WAKE99 history", NULL, 20, SHOW_SPARK, COLUMN_LEFT, PROCESSES, raw_wake_spark, "",
	  "WAKE99 of the last readings, newest on the right; scaled to the row's own last minute: the minimum is printed in front, a doubling raises the bar by at most two steps.", MODEL_SPARK_WAKE },
	{ "callspark", "CALL99 history", NULL, 20, SHOW_SPARK, COLUMN_LEFT, PROCESSES, raw_call_spark, "",
	  "CALL99 of the last readings, newest on the right; scaled to the row's own last minute: the minimum is printed in front, a doubling raises the bar by at most two steps.", MODEL_SPARK_CALL },
	{ "respspark", "RESP99 history", NULL, 20, SHOW_SPARK, COLUMN_LEFT, PROCESSES, raw_response_spark, "",
	  "RESP99 of the last readings, newest on the right; scaled to the row's own last minute: the minimum is printed in front, a doubling raises the bar by at most two steps.", MODEL_SPARK_RESPONSE },
	{ "netspark", "RXTX/s history", NULL, 20, SHOW_SPARK, COLUMN_LEFT, PROCESSES, raw_net_spark, "",
	  "RXTX/s of the last readings, newest on the right; scaled to the row's own last minute: the minimum is printed in front, a doubling raises the bar by at most two steps.", MODEL_SPARK_NET },
};
/* clang-format on */
#pragma GCC diagnostic pop
const size_t columns_count = sizeof(columns) / sizeof(columns[0]);

bool column_is_counter(const struct column *c)
{
	static column_raw *const raw[] = {
#define X(name, ...) raw_##name,
#define STATE(NAME, name, ...) raw_##name,
		LT_STATE_TABLE(STATE) LT_COUNTERS_KERNEL(X) LT_COUNTERS_SCHED(X) LT_COUNTERS_PARTS(X)
			LT_COUNTERS_CALLS(X) LT_COUNTERS_NET(X) LT_COUNTERS_SOCKET(X) raw_accepted,
		raw_retrans,
#undef STATE
#undef X
	};

	for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++)
		if (c->raw == raw[i])
			return true;
	return false;
}

const char *column_title(const struct column *c, enum model_kind kind)
{
	return kind == MODEL_CGROUP && c->raw == raw_command ? "CGROUP" : c->title;
}

/* Names of schema 1, and titles that have changed. */
static const struct {
	const char *old, *now;
} aliases[] = {
	{ "runq50", "wake50" },	      { "runq90", "wake90" }, { "runq99", "wake99" },  { "runqmax", "wakemax" },
	{ "runqspark", "wakespark" }, { "waits", "woken" },   { "waited%", "waited" }, { "called", "calltime" },
	{ "acptmx", "acceptmax" },    { "up/s", "ups" },
};

const struct column *column_find(const char *name)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcasecmp(aliases[i].old, name))
			name = aliases[i].now;
	for (size_t i = 0; i < columns_count; i++)
		if (!strcasecmp(columns[i].name, name) || !strcasecmp(columns[i].title, name))
			return &columns[i];
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The raw values of the columns: raw_NAME is what the interval counted (a number, ns, bytes) or a text; unknown
 * (VALUE_NONE) where the family that measures it is off or nothing was measured. There is one for each row of the table
 * of counters (counters.h) and those below; column.c puts them into columns. Computed texts live in a small ring: valid
 * until four more were made.
 */
#ifndef COLUMN_RAW_H
#define COLUMN_RAW_H

#include "column.h"

typedef struct value column_raw(const struct row *r);

#define X(name, ...) column_raw raw_##name;
#define STATE(NAME, name, ...) column_raw raw_##name;
LT_STATE_TABLE(STATE)
LT_COUNTERS_KERNEL(X)
LT_COUNTERS_SCHED(X)
LT_COUNTERS_PARTS(X)
LT_COUNTERS_CALLS(X)
LT_COUNTERS_NET(X)
LT_COUNTERS_SOCKET(X)
#undef STATE
#undef X

column_raw raw_pid, raw_tid, raw_ppid, raw_uid, raw_start, raw_threads, raw_processes, raw_forks, raw_execs, raw_exits,
	raw_waker, raw_user, raw_state, raw_exit_code, raw_ended, raw_comm, raw_cmdline, raw_cgroup, raw_command;
column_raw raw_wall, raw_lag, raw_hurts, raw_runq, raw_blk, raw_why, raw_charged, raw_part, raw_lockc, raw_upst,
	raw_waits_in;
column_raw raw_wakeup_count, raw_wakeup_p50, raw_wakeup_p90, raw_wakeup_p99, raw_wakeup_max;
column_raw raw_disk_waits, raw_disk_p50, raw_disk_p90, raw_disk_p99, raw_disk_max;
column_raw raw_call_average, raw_average, raw_service_p50, raw_service_p90, raw_service_p99, raw_service_max, raw_call,
	raw_abi, raw_number;
column_raw raw_queue_p50, raw_queue_p99, raw_queue_max, raw_in_device_p50, raw_in_device_p99, raw_in_device_max,
	raw_request_p50, raw_request_p90, raw_request_p99, raw_request_max, raw_call_p50, raw_call_p90, raw_call_p99,
	raw_call_max;
column_raw raw_latency_p50, raw_latency_p90, raw_latency_p99, raw_latency_max, raw_device, raw_op, raw_requests,
	raw_request_bytes, raw_merged, raw_carriers, raw_note, raw_call_time, raw_call_wait, raw_in_flight, raw_oldest,
	raw_errnos;
column_raw raw_accepted, raw_traffic, raw_tx, raw_rx, raw_tx_ops, raw_rx_ops, raw_connect_p99, raw_accept_p99;
column_raw raw_turns, raw_response_p50, raw_response_p90, raw_response_p99, raw_response_max, raw_late_p99,
	raw_upstream_count, raw_upstream_p50, raw_upstream_p99, raw_upstream_max, raw_response_mean, raw_upstream_mean,
	raw_upstream_open, raw_upstream_oldest, raw_answers_open, raw_answers_oldest;
column_raw raw_retrans, raw_srtt, raw_proto, raw_local, raw_remote, raw_age, raw_tx_queue, raw_rx_queue,
	raw_accept_queue, raw_accept_max, raw_accept_oldest, raw_drops;
column_raw raw_cpu_number, raw_cpu_busy, raw_cpu_idle, raw_cpu_irq, raw_cpu_softirq, raw_cpu_steal, raw_cpu_switches,
	raw_cpu_queued, raw_cpu_queued_p99, raw_cpu_throttled, raw_cpu_ran, raw_busy, raw_wake_spark, raw_call_spark,
	raw_response_spark, raw_net_spark;
column_raw raw_last_cpu, raw_allowed, raw_nice, raw_policy, raw_priority, raw_weight, raw_quota, raw_rss,
	raw_memory_limit, raw_memory_use; /* column_context.c */

#endif

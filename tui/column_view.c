/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The views: which kind of row, which columns, which sort. */
#include "column.h"

#include <strings.h>

const struct column_view column_views[] = {
	{ "overview", "Overview", MODEL_PROCESS,
	  "pid user hurts lag cpu blk resp99 wake99 runq throttled calls errors tx rx respspark command why", "hurts",
	  MODEL_SPARK_RESPONSE, "Over" },
	{ "sched", "Sched", MODEL_PROCESS,
	  "pid user lag cpu wakeq preempt throttled disk memory block wake50 wake99 wakemax woken vol invol migrations "
	  "disk99 diskmax diskr diskw wakespark command why",
	  "lag", MODEL_SPARK_WAKE, "Sched" },
	{ "syscalls", "Syscalls", MODEL_PROCESS,
	  "pid user calls errors call99 lock net poll io sleep call50 callmax callspark command", "calls",
	  MODEL_SPARK_CALL, "Sysc" },
	{ "net", "Net", MODEL_PROCESS,
	  "pid user traffic turns resp99 retrans ups upst99 tx rx late99 topen toldest upopen srtt connects connerr "
	  "accepts conn99 acc99 drops txops rxops unixtx unixrx netspark command",
	  "traffic", MODEL_SPARK_NET, "Net" },
	{ "calls", "Calls", MODEL_CALL, "call calls errors time wait avg p99 max p50 inflight oldest errnos", "time",
	  MODEL_SPARK_CALL, "Calls" },
	{ "connections", "Connections", MODEL_CONNECTION,
	  "proto local remote pid traffic resp upst toldest tx rx state srtt retrans age txq rxq acceptq acceptage "
	  "drops "
	  "turns ups respmax upstmax user command",
	  "traffic", MODEL_SPARK_NET, "Conns" },
	{ "disks", "Disks", MODEL_DISK,
	  "device op ops bytes busy p50 p99 max inflight que50 que99 srv50 srv99 avg merged carriers note", "busy",
	  MODEL_SPARK_WAKE, "Disks" },
	{ "cpus", "CPUs", MODEL_CPU,
	  "cpunum busy queued queue99 thrgroups irq softirq steal switches idle pid user ran command", "busy",
	  MODEL_SPARK_WAKE, "CPUs" },
};
const struct column_view column_who = {
	.name = "who",
	.title = "Who",
	.kind = MODEL_PROCESS,
	.columns = "pid user disk diskwaits disk50 disk99 diskmax diskr diskw majflt command",
	.sort = "disk",
	.spark = MODEL_SPARK_WAKE,
};
const struct column_view column_callers = {
	.name = "callers",
	.title = "Callers",
	.kind = MODEL_CALLER,
	.columns = "pid user calls errors time wait avg p99 max p50 inflight oldest command",
	.sort = "time",
	.spark = MODEL_SPARK_CALL,
};
const size_t column_views_count = sizeof(column_views) / sizeof(column_views[0]);

const struct column_view *column_view_find(const char *name)
{
	for (size_t i = 0; i < column_views_count; i++)
		if (!strcasecmp(column_views[i].name, name))
			return &column_views[i];
	return NULL;
}

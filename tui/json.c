/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One reading as one line of JSON: scripts rely on this format. Unknown values are null,
 * never 0. A process's fields come from the table of columns, nested by the dots of their paths.
 */
#include "batch.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "json_write.h"
#include "names.h"

#define SCHEMA 2
#define PATHS_MAX 512
#define PATH_SIZE 128
#define KEY_MAX 32

/* A process's fields as a tree: objects and, in them, columns. The first node is the process itself. */
struct json_node {
	char key[KEY_MAX];
	enum { NODE_OBJECT, NODE_COLUMN, NODE_NULL, NODE_ESTIMATED, NODE_KILLED, NODE_FOCUS } kind;
	const struct column *column;	    /* of NODE_COLUMN */
	uint16_t parent, first, last, next; /* 0: none */
};

struct json_plan {
	struct json_node node[PATHS_MAX];
	uint16_t n;
};

/* Fields of the schema that are not implemented yet: always null. */
static const char *const process_to_come[] = {
	"unit",
	"container",
	"pod",
};

static void put_number(struct json_writer *w, const char *key, uint64_t n, bool known)
{
	if (known && n != SAMPLE_UNKNOWN)
		json_unsigned(w, key, n);
	else
		json_null(w, key);
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	if (text)
		json_text(w, key, text);
	else
		json_null(w, key);
}

static void put_value(struct json_writer *w, const char *key, struct value v)
{
	if (v.type == VALUE_INT)
		json_signed(w, key, v.i);
	else if (v.type == VALUE_REAL)
		json_thousandths(w, key, v.real);
	else if (v.type == VALUE_TEXT)
		json_text(w, key, v.text);
	else
		json_null(w, key);
}

static void put_percentiles(struct json_writer *w, const struct model_dist *d, bool known)
{
	bool measured = known && d->count;

	put_number(w, "p50_ns", d->p50_ns, measured);
	put_number(w, "p90_ns", d->p90_ns, measured);
	put_number(w, "p99_ns", d->p99_ns, measured);
	put_number(w, "max_ns", d->max_ns, measured);
}

static void put_estimated(struct json_writer *w, uint8_t off, bool estimated)
{
	if (off & 1 << SAMPLE_SYSCALL)
		json_null(w, "estimated");
	else
		json_bool(w, "estimated", estimated);
}

static const char *const stack_names[SAMPLE_STACKS] = {
#define X(name) #name,
	SAMPLE_STACK(X)
#undef X
};

static void put_host(struct json_writer *w, const struct sample *s, const struct model_host *h)
{
	bool sched = s->probe[SAMPLE_SCHED].on, net = s->probe[SAMPLE_NET].on, syscall = s->probe[SAMPLE_SYSCALL].on;

	json_open(w, "host", '{');
	json_text(w, "name", s->host);
	json_text(w, "kernel", s->kernel);
	put_number(w, "cpus", h->cpus, true);
	put_number(w, "threads", h->threads, true);
	put_number(w, "processes", h->processes, true);
	put_number(w, "run_ns", h->run_ns, sched);
	put_number(w, "irq_ns", h->cpu_times.irq_ns, true);
	put_number(w, "softirq_ns", h->cpu_times.softirq_ns, true);
	put_number(w, "steal_ns", h->cpu_times.steal_ns, true);
	put_number(w, "switches", h->switches, sched);
	put_number(w, "wakeups", h->wakeups, sched);
	put_number(w, "forks", h->forks, true);
	put_number(w, "execs", h->execs, true);
	put_number(w, "exits", h->exits, true);
	json_open(w, "wakeup", '{');
	put_number(w, "count", h->wakeup.count, sched);
	put_percentiles(w, &h->wakeup, sched);
	json_close(w, '}');
	json_open(w, "calls", '{');
	put_number(w, "count", h->calls_count, syscall);
	put_number(w, "errors", h->call_errors, syscall);
	put_percentiles(w, &h->calls,
			syscall && sched); /* without sched it is not known how much of a call was sleep */
	put_estimated(w, (uint8_t)(!syscall << SAMPLE_SYSCALL), h->calls_estimated);
	json_close(w, '}');
	json_open(w, "net", '{');
	put_number(w, "tx_bytes", h->tx_bytes, net);
	put_number(w, "rx_bytes", h->rx_bytes, net);
	put_number(w, "retransmits", h->retransmits, net);
	put_number(w, "connects", h->connects, net);
	put_number(w, "connect_errors", h->connect_errors, net);
	put_number(w, "accepts", h->accepts, net && syscall);
	json_open(w, "own_namespace", '{');
	for (int i = 0; i < SAMPLE_STACKS; i++)
		put_number(w, stack_names[i], h->stack[i], true);
	json_close(w, '}');
	json_close(w, '}');
	json_open(w, "pressure", '{');
	for (int i = 0; i < SAMPLE_RESOURCES; i++) {
		json_open(w, sample_resource_name[i], '{');
		put_number(w, "some_ns", h->pressure[i].some_ns, true);
		put_number(w, "full_ns", h->pressure[i].full_ns, true);
		json_close(w, '}');
	}
	json_close(w, '}');
	json_close(w, '}');
}

static void put_probes(struct json_writer *w, const struct sample *s)
{
	const struct sample_probe *p;

	json_open(w, "probes", '{');
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		p = &s->probe[i];
		/* The recording is older than the family. */
		if (!p->on && !*p->reason) {
			json_null(w, sample_family_name[i]);
			continue;
		}
		json_open(w, sample_family_name[i], '{');
		json_text(w, "state", p->on ? "on" : "off");
		if (p->on) {
			json_text(w, "by", p->by);
			json_text(w, "level", sample_level_name[p->level]);
		}
		if (!p->on || *p->reason)
			json_text(w, "reason", p->reason);
		json_close(w, '}');
	}
	json_close(w, '}');
}

static void put_lost(struct json_writer *w, const struct sample_lost *lost)
{
	json_open(w, "lost", '{');
	json_unsigned(w, "threads", lost->threads);
	json_unsigned(w, "calls", lost->calls);
	json_unsigned(w, "sockets", lost->sockets);
	json_unsigned(w, "exits", lost->exits);
	json_unsigned(w, "switches", lost->switches);
	json_unsigned(w, "torn", lost->torn);
	json_unsigned(w, "events", lost->events);
	put_number(w, "requests", lost->requests, true);
	put_number(w, "groups", lost->groups, true);
	json_close(w, '}');
}

static void put_self(struct json_writer *w, const struct sample *s)
{
	const struct sample_self *self = &s->self;
	bool at_least;
	double percent = cost_percent(s, &at_least);

	json_open(w, "self", '{');
	put_number(w, "cpu_ns", self->cpu_ns, true);
	put_number(w, "bpf_ns", self->bpf_ns, true);
	put_number(w, "bpf_runs", self->bpf_runs, true);
	if (at_least)
		json_null(w, "cost_percent");
	else
		json_thousandths(w, "cost_percent", percent);
	put_number(w, "per_call_ns", self->per_call_ns, true);
	put_number(w, "per_switch_ns", self->per_switch_ns, true);
	json_bool(w, "over_budget", self->over_budget);
	put_number(w, "rss_bytes", self->rss_bytes, true);
	put_number(w, "map_bytes", self->map_bytes, true);
	json_close(w, '}');
}

/* Appends a node to its parent's children. */
static uint16_t plan_add(struct json_plan *plan, uint16_t parent, const char *key, int kind,
			 const struct column *column)
{
	struct json_node *p = &plan->node[parent];
	uint16_t at = plan->n++;

	/* The paths are our own: a missing field would be a bug, and no input could cause it. */
	assert(at < PATHS_MAX && strlen(key) < KEY_MAX);
	plan->node[at] = (struct json_node){ .kind = kind, .column = column, .parent = parent };
	snprintf(plan->node[at].key, KEY_MAX, "%s", key);
	if (p->first)
		plan->node[p->last].next = at;
	else
		p->first = at;
	p->last = at;
	return at;
}

static uint16_t plan_object(struct json_plan *plan, uint16_t parent, const char *key)
{
	for (uint16_t i = plan->node[parent].first; i; i = plan->node[i].next)
		if (plan->node[i].kind == NODE_OBJECT && !strcmp(plan->node[i].key, key))
			return i;
	return plan_add(plan, parent, key, NODE_OBJECT, NULL);
}

static void plan_path(struct json_plan *plan, const char *dotted, int kind, const struct column *column)
{
	char path[PATH_SIZE], *rest = path, *key;
	uint16_t parent = 0;

	assert(strlen(dotted) < sizeof(path));
	strcpy(path, dotted);
	while ((key = strsep(&rest, ".")) && rest)
		parent = plan_object(plan, parent, key);
	plan_add(plan, parent, key, kind, column);
}

/* The paths of the columns as a tree, built once per reading. */
static void plan_make(struct json_plan *plan)
{
	plan->node[0] = (struct json_node){ .column = NULL };
	plan->n = 1;
	for (size_t i = 0; i < columns_count; i++) {
		if (!columns[i].json || !(columns[i].kinds & 1U << MODEL_PROCESS))
			continue;
		plan_path(plan, columns[i].json, NODE_COLUMN, &columns[i]);
	}
	plan_path(plan, "calls.estimated", NODE_ESTIMATED, NULL);
	plan_path(plan, "killed_by", NODE_KILLED, NULL);
	plan_path(plan, "focus", NODE_FOCUS, NULL);
	for (size_t i = 0; i < sizeof(process_to_come) / sizeof(process_to_come[0]); i++)
		plan_path(plan, process_to_come[i], NODE_NULL, NULL);
}

static void put_killed(struct json_writer *w, const char *key, const struct row *r)
{
	static const char *const by[LT_BYS] = { NULL, "process", "outside", "kernel", "kernel" };
	bool process = r->killed_by == LT_BY_PROCESS;

	if (!r->exited || r->exit_code >= 0) {
		json_null(w, key);
		return;
	}
	json_open(w, key, '{');
	json_signed(w, "signal", -(int64_t)r->exit_code);
	put_text(w, "by", by[r->killed_by]);
	put_number(w, "pid", r->killer_pid, process);
	put_text(w, "comm", process ? r->killer_comm : NULL);
	if (r->killed_by == LT_BY_UNKNOWN)
		json_null(w, "oom");
	else
		json_bool(w, "oom", r->killed_by == LT_BY_OOM);
	json_close(w, '}');
}

static void put_focus(struct json_writer *w, const char *key, const struct row *r)
{
	if (!r->focus_since_ns) {
		json_null(w, key);
		return;
	}
	json_open(w, key, '{');
	json_unsigned(w, "since_ns", r->focus_since_ns);
	json_unsigned(w, "moved_ns", r->moved_ns);
	json_open(w, "because", '[');
	for (uint32_t i = 0; i < r->n_because; i++) {
		const struct sample_because *b = &r->because[i];

		json_open(w, NULL, '{');
		json_text(w, "kind", sample_blame_name[b->kind]);
		put_number(w, "pid", b->pid, sample_blame_has_pid(b->kind) && b->pid);
		put_number(w, "tid", b->tid, b->tid);
		put_text(w, "comm", b->comm[0] ? b->comm : NULL);
		json_unsigned(w, "ns", b->ns);
		put_number(w, "count", b->count, !sample_blame_for_cpu(b->kind));
		put_text(w, "by", sample_blame_by[b->kind]);
		put_text(w, "state",
			 sample_blame_for_cpu(b->kind) || b->state >= LT_STATES ? NULL
										: names_state((uint8_t)b->state));
		json_close(w, '}');
	}
	json_close(w, ']');
	json_null(w, "on");
	json_null(w, "answer_ns");
	json_close(w, '}');
}

static void put_fields(struct json_writer *w, const struct json_plan *plan, uint16_t object, const struct row *r)
{
	const struct json_node *node;

	for (uint16_t i = plan->node[object].first; i; i = node->next) {
		node = &plan->node[i];
		switch (node->kind) {
		case NODE_COLUMN:
			put_value(w, node->key, node->column->raw(r));
			break;
		case NODE_NULL:
			json_null(w, node->key);
			break;
		case NODE_ESTIMATED:
			put_estimated(w, r->off, row_estimated(r));
			break;
		case NODE_KILLED:
			put_killed(w, node->key, r);
			break;
		case NODE_FOCUS:
			put_focus(w, node->key, r);
			break;
		case NODE_OBJECT:
			json_open(w, node->key, '{');
			put_fields(w, plan, i, r);
			json_close(w, '}');
		}
	}
}

static void put_call(struct json_writer *w, const struct row *r)
{
	bool on = !(r->off & 1 << SAMPLE_SYSCALL), sums = on && row_has_sums(r), measured = on && r->service.count;

	json_open(w, NULL, '{');
	json_text(w, "name", names_call(r->call));
	put_number(w, "nr", LT_CALL_NR(r->call), r->call != LT_CALL_OTHERS);
	if (r->call == LT_CALL_OTHERS)
		json_null(w, "abi");
	else
		json_text(w, "abi", names_abi(r->call));
	put_number(w, "count", r->calls, on);
	put_number(w, "errors", r->call_errors, on);
	put_number(w, "total_ns", r->call_total_ns, sums);
	put_number(w, "time_ns", r->call_time_ns, sums);
	put_number(w, "wait_ns", r->call_wait_ns, on);
	put_number(w, "p50_ns", r->service.p50_ns, measured);
	put_number(w, "p99_ns", r->service.p99_ns, measured);
	put_number(w, "max_ns", r->service.max_ns, measured);
	json_unsigned(w, "in_flight", r->in_flight);
	put_number(w, "oldest_ns", r->oldest_ns, r->in_flight && (r->oldest_ns || !r->oldest_at_least));
	if (!on) {
		json_null(w, "errno");
	} else {
		json_open(w, "errno", '{');
		for (uint32_t i = 0; i < r->n_errnos; i++)
			json_unsigned(w, names_errno(r->errnos[i].error), r->errnos[i].count);
		json_close(w, '}');
	}
	json_close(w, '}');
}

/* Without the family only those in which a thread sleeps. */
static bool is_known_call(const struct row *r)
{
	return r->in_flight || !(r->off & 1 << SAMPLE_SYSCALL);
}

static int put_calls(struct json_writer *w, struct model *m, const struct row *process)
{
	struct model_query query = {
		.kind = MODEL_CALL, .one = true, .pid = process->pid, .start_ns = process->start_ns
	};
	struct row *rows;
	bool any = false;
	int n;

	n = model_rows(m, &query, &rows);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		any |= is_known_call(&rows[i]);
	if (!any && !model_sample(m)->probe[SAMPLE_SYSCALL].on) {
		json_null(w, "syscalls");
		return 0;
	}
	json_open(w, "syscalls", '[');
	for (int i = 0; i < n; i++)
		if (is_known_call(&rows[i]))
			put_call(w, &rows[i]);
	json_close(w, ']');
	return 0;
}

static void put_peer(struct json_writer *w, const struct row *r)
{
	static const struct {
		const char *key, *column;
	} fields[] = {
		{ "proto", "proto" },	  { "remote", "remote" },      { "pid", "pid" },
		{ "command", "command" }, { "count", "ups" },	       { "p50_ns", "upst50" },
		{ "p99_ns", "upst99" },	  { "max_ns", "upstmax" },     { "overlapped", "upover" },
		{ "open", "upopen" },	  { "oldest_ns", "upoldest" }, { "retransmits", "retrans" },
		{ "srtt_ns", "srtt" },
	};

	json_open(w, NULL, '{');
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		put_value(w, fields[i].key, column_find(fields[i].column)->raw(r));
	json_close(w, '}');
}

static int put_peers(struct json_writer *w, struct model *m, const struct row *process)
{
	struct model_query query = { .kind = MODEL_PEER, .pid = process->pid, .start_ns = process->start_ns };
	struct row *rows;
	int n;

	if (process->off & 1 << SAMPLE_TURNS) {
		json_null(w, "peers");
		return 0;
	}
	n = model_rows(m, &query, &rows);
	if (n < 0)
		return n;
	json_open(w, "peers", '[');
	for (int i = 0; i < n; i++)
		put_peer(w, &rows[i]);
	json_close(w, ']');
	return 0;
}

/* The wanted rows of a view, sorted by one of their numbers. */
static int rows_by(const char *number, const struct options *o, const char *view, struct model *m, struct row ***rows)
{
	const struct column_view *of = column_view_find(view);
	const struct selection_order order = { .sort = column_find(number),
					       .then = column_find(of->sort),
					       .reverse = true };

	return selection_rows(&o->selection, of->kind, &order, m, rows);
}

/* The members of a process's object. */
static int put_process(struct json_writer *w, const struct json_plan *plan, struct model *m, const struct row *r)
{
	int err;

	put_fields(w, plan, 0, r);
	err = put_calls(w, m, r);
	return err ? err : put_peers(w, m, r);
}

static int put_processes(struct json_writer *w, const struct options *o, struct model *m)
{
	struct row **rows = NULL;
	struct json_plan plan;
	int n = rows_by("pid", o, "overview", m, &rows), err = 0;

	if (n < 0)
		return n;
	plan_make(&plan);
	json_open(w, "processes", '[');
	for (int i = 0; i < n && !err; i++) {
		json_open(w, NULL, '{');
		err = put_process(w, &plan, m, rows[i]);
		json_close(w, '}');
	}
	json_close(w, ']');
	free(rows);
	return err;
}

static bool is_active(const struct sample_connection *c, uint64_t interval_ns)
{
	bool dropped = c->drops && c->drops != SAMPLE_UNKNOWN;
	bool asked = c->accept_queue && c->accept_queue != SAMPLE_UNKNOWN;

	return c->tx_bytes || c->rx_bytes || c->retransmits || dropped || asked || c->changed ||
	       c->open_ns != SAMPLE_UNKNOWN || c->age_ns < interval_ns;
}

/* A connection has those of its own side. */
static void put_connection_turns(struct json_writer *w, const char *key, const struct sample_connection *c,
				 enum lt_role whose)
{
	bool known = c->turns != SAMPLE_UNKNOWN, measured = known && c->turns, open = c->open_ns != SAMPLE_UNKNOWN;

	if (c->role != whose) {
		json_null(w, key);
		return;
	}
	json_open(w, key, '{');
	put_number(w, "count", c->turns, true);
	put_number(w, "mean_ns", measured ? c->turns_ns / c->turns : 0, measured);
	put_number(w, "max_ns", c->turn_max_ns, measured);
	put_number(w, "open", open, known);
	put_number(w, "oldest_ns", c->open_ns, open);
	if (known)
		json_bool(w, "overlapped", c->overlapped);
	else
		json_null(w, "overlapped");
	json_close(w, '}');
}

static void put_connection(struct json_writer *w, const struct row *r)
{
	static const char *const names[] = { "proto", "local", "remote", "state" };
	const struct sample_connection *c = r->connection;

	json_open(w, NULL, '{');
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put_value(w, names[i], column_find(names[i])->raw(r));
	put_number(w, "pid", c->pid, c->pid);
	put_number(w, "tx_bytes", c->tx_bytes, true);
	put_number(w, "rx_bytes", c->rx_bytes, true);
	put_number(w, "srtt_ns", c->srtt_ns, true);
	put_number(w, "retransmits", c->retransmits, true);
	put_number(w, "age_ns", c->age_ns, true);
	put_number(w, "tx_queue_bytes", c->tx_queue_bytes, c->state != TCP_LISTEN);
	put_number(w, "rx_queue_bytes", c->rx_queue_bytes, c->state != TCP_LISTEN);
	put_number(w, "accept_queue", c->accept_queue, true);
	put_number(w, "accept_queue_max", c->accept_queue_max, true);
	put_number(w, "accept_oldest_ns", c->accept_oldest_ns, true);
	put_number(w, "drops", c->drops, true);
	put_connection_turns(w, "turns", c, LT_ROLE_SERVER);
	put_connection_turns(w, "upstream", c, LT_ROLE_CLIENT);
	json_close(w, '}');
}

static int put_connections(struct json_writer *w, const struct options *o, struct model *m)
{
	bool all = o->view->kind == MODEL_CONNECTION;
	struct row **rows = NULL;
	int n;

	if (!model_sample(m)->has_connections) {
		json_null(w, "connections");
		return 0;
	}
	n = rows_by("pid", o, "connections", m, &rows);
	if (n < 0)
		return n;
	json_open(w, "connections", '[');
	for (int i = 0; i < n; i++)
		if (all || is_active(rows[i]->connection, model_sample(m)->interval_ns))
			put_connection(w, rows[i]);
	json_close(w, ']');
	free(rows);
	return 0;
}

static void put_cpu(struct json_writer *w, const struct row *r)
{
	const struct sample_cpu *c = r->cpu;

	json_open(w, NULL, '{');
	json_unsigned(w, "cpu", c->cpu);
	put_number(w, "busy_ns", c->times.busy_ns, true);
	put_number(w, "idle_ns", c->times.idle_ns, true);
	put_number(w, "irq_ns", c->times.irq_ns, true);
	put_number(w, "softirq_ns", c->times.softirq_ns, true);
	put_number(w, "steal_ns", c->times.steal_ns, true);
	put_number(w, "switches", c->switches, true);
	put_number(w, "queued", c->queued, c->queued != SAMPLE_NONE);
	put_number(w, "queued_p99", c->queued_p99, c->queued_p99 != SAMPLE_NONE);
	put_number(w, "throttled_groups", c->throttled, c->throttled != SAMPLE_NONE);
	if (c->runs == LT_RUNS_THREAD) {
		json_open(w, "running", '{');
		put_number(w, "pid", c->pid, c->pid);
		put_number(w, "tid", c->tid, c->tid);
		json_text(w, "comm", c->comm);
		put_number(w, "ns", c->run_ns, true);
		json_close(w, '}');
	} else {
		json_null(w, "running");
	}
	json_close(w, '}');
}

static int put_cpus(struct json_writer *w, const struct options *o, struct model *m)
{
	struct row **rows = NULL;
	int n;

	if (!model_sample(m)->n_cpus) {
		json_null(w, "cpus");
		return 0;
	}
	n = rows_by("cpunum", o, "cpus", m, &rows);
	if (n < 0)
		return n;
	json_open(w, "cpus", '[');
	for (int i = 0; i < n; i++)
		put_cpu(w, rows[i]);
	json_close(w, ']');
	free(rows);
	return 0;
}

static void put_request_times(struct json_writer *w, const char *key, const struct model_dist *d, bool known)
{
	bool measured = known && d->count;

	json_open(w, key, '{');
	put_number(w, "count", d->count, known);
	put_number(w, "p50_ns", d->p50_ns, measured);
	put_number(w, "p99_ns", d->p99_ns, measured);
	put_number(w, "max_ns", d->max_ns, measured);
	json_close(w, '}');
}

/* Null where control groups are not charged. */
static void put_disk_groups(struct json_writer *w, const struct sample *s, const struct sample_disk *d)
{
	if (!d->groups_known) {
		json_null(w, "groups");
		return;
	}
	json_open(w, "groups", '[');
	for (uint32_t i = 0; i < d->n_groups; i++) {
		const struct sample_disk_group *g = &s->disk_groups[d->first_group + i];

		json_open(w, NULL, '{');
		if (g->name)
			json_text(w, "cgroup", sample_text(s, g->name));
		else
			json_null(w, "cgroup");
		put_number(w, "count", g->count, true);
		put_number(w, "bytes", g->bytes, true);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_disk(struct json_writer *w, const struct sample *s, const struct row *r)
{
	static const char *const parts[LT_DISK_PARTS] = { "latency", "queue", "service" };
	const struct sample_disk *d = r->disk->sample;

	json_open(w, NULL, '{');
	json_text(w, "device", r->comm);
	json_text(w, "op", names_disk_op(d->op));
	put_number(w, "count", d->count, true);
	put_number(w, "bytes", d->bytes, true);
	put_number(w, "merged", d->merged, true);
	put_number(w, "time_ns", d->time_ns, true);
	put_number(w, "carriers", d->carriers, true);
	for (int p = 0; p < LT_DISK_PARTS; p++)
		put_request_times(w, parts[p], &r->disk->latency[p], !(r->off & 1 << SAMPLE_DISK));
	put_number(w, "in_flight", d->in_flight, true);
	put_number(w, "busy_ns", d->busy_ns, true);
	put_disk_groups(w, s, d);
	json_close(w, '}');
}

static int put_disks(struct json_writer *w, const struct options *o, struct model *m)
{
	const struct selection_order order = { .sort = column_find("device"), .then = column_find("ops") };
	struct row **rows = NULL;
	int n;

	if (!model_sample(m)->has_disks) {
		json_null(w, "disks");
		return 0;
	}
	n = selection_rows(&o->selection, MODEL_DISK, &order, m, &rows);
	if (n < 0)
		return n;
	json_open(w, "disks", '[');
	for (int i = 0; i < n; i++)
		put_disk(w, model_sample(m), rows[i]);
	json_close(w, ']');
	free(rows);
	return 0;
}

/* What a recording lacks before this reading. */
static void put_gap(struct json_writer *w, const struct sample *s)
{
	if (!*s->gap_why) {
		json_null(w, "gap");
		return;
	}
	json_open(w, "gap", '{');
	put_number(w, "ns", s->gap_ns, true);
	json_text(w, "reason", s->gap_why);
	json_close(w, '}');
}

static void put_mark(struct json_writer *w, const struct sample_mark *m)
{
	char when[BATCH_TIME_SIZE];

	json_text(w, "time", batch_time(when, m->realtime_ns));
	json_text(w, "kind", sample_mark_name[m->kind]);
	put_text(w, "expr", *m->expr ? m->expr : NULL);
	put_number(w, "pid", m->pid, m->pid);
	put_text(w, "text", *m->text ? m->text : NULL);
}

static void put_marks(struct json_writer *w, const struct sample *s)
{
	json_open(w, "marks", '[');
	for (uint32_t i = 0; i < s->n_marks; i++) {
		json_open(w, NULL, '{');
		put_mark(w, &s->marks[i]);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static int finish(struct json_writer *w, FILE *out, int err)
{
	fputc('\n', out);
	if (w->out_of_memory)
		err = -ENOMEM;
	json_writer_free(w);
	return err ? err : batch_finish(out);
}

int batch_json_row(FILE *out, struct model *m, const struct row *r, const struct sample_mark *mark)
{
	struct json_writer w = { .out = out };
	struct json_plan plan;
	int err = 0;

	json_open(&w, NULL, '{');
	put_mark(&w, mark);
	json_open(&w, "row", '{');
	if (r->kind == MODEL_PROCESS) {
		plan_make(&plan);
		err = put_process(&w, &plan, m, r);
	}
	for (size_t i = 0; r->kind != MODEL_PROCESS && i < columns_count; i++)
		if (columns[i].kinds & 1U << r->kind && columns[i].show != SHOW_SPARK)
			put_value(&w, columns[i].name, columns[i].raw(r));
	json_close(&w, '}');
	json_close(&w, '}');
	return finish(&w, out, err);
}

int batch_json(FILE *out, const struct options *o, struct model *m)
{
	const struct sample *s = model_sample(m);
	struct json_writer w = { .out = out };
	char when[BATCH_TIME_SIZE];
	int err;

	json_open(&w, NULL, '{');
	json_unsigned(&w, "schema", SCHEMA);
	json_text(&w, "time", batch_time(when, s->realtime_ns));
	json_unsigned(&w, "interval_ns", s->interval_ns);
	put_host(&w, s, model_host(m));
	put_probes(&w, s);
	put_lost(&w, &s->lost);
	put_gap(&w, s);
	put_self(&w, s);
	err = put_processes(&w, o, m);
	if (!err)
		err = put_connections(&w, o, m);
	if (!err)
		err = put_disks(&w, o, m);
	if (!err)
		err = put_cpus(&w, o, m);
	put_marks(&w, s);
	json_close(&w, '}');
	return finish(&w, out, err);
}

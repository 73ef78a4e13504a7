/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One reading as one line of JSON: the contract that scripts rely on. What is not known is null,
 * never 0. A process's fields come from the table of columns, nested by the dots of their paths;
 * processes are built and written one after another, so memory does not grow with their number.
 */
#include "batch.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "names.h"

#define SCHEMA 1
#define PATHS_MAX 128
#define KEY_MAX 32

/* Where a column's value goes: `key` of the object that earlier steps made (0: the process itself). */
struct json_step {
	char key[KEY_MAX];
	const struct column *column; /* NULL: makes an object */
	uint8_t parent, object;	     /* of the objects made so far */
};

struct json_plan {
	struct json_step step[PATHS_MAX];
	size_t n;
	uint8_t objects;
};

static void put(struct json_object *to, const char *key, struct json_object *value)
{
	json_object_object_add(to, key, value);
}

static void put_number(struct json_object *to, const char *key, uint64_t n, bool known)
{
	put(to, key, known && n != SAMPLE_UNKNOWN ? json_object_new_uint64(n) : NULL);
}

static struct json_object *text(const char *raw)
{
	size_t size = strlen(raw) * 3 + 1;
	char *utf8 = malloc(size);
	struct json_object *string = NULL;

	if (utf8) {
		format_utf8(utf8, size, raw);
		string = json_object_new_string(utf8);
	}
	free(utf8);
	return string;
}

static struct json_object *value_json(struct value v)
{
	switch (v.type) {
	case VALUE_INT:
		return json_object_new_int64(v.i);
	case VALUE_REAL:
		return json_object_new_double(v.real);
	case VALUE_TEXT:
		return text(v.text);
	case VALUE_NONE:
		break;
	}
	return NULL;
}

static void put_dist(struct json_object *to, const struct model_dist *d, bool known)
{
	bool measured = known && d->count;

	put_number(to, "count", d->count, known);
	put_number(to, "p50_ns", d->p50_ns, measured);
	put_number(to, "p90_ns", d->p90_ns, measured);
	put_number(to, "p99_ns", d->p99_ns, measured);
	put_number(to, "max_ns", d->max_ns, measured);
}

/* Writes an object's text and frees it. */
static void emit(FILE *out, struct json_object *object)
{
	size_t len = 0;
	const char *line = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	if (line)
		fwrite(line, 1, len, out);
	json_object_put(object);
}

/* Writes , "key": value into the object that is open in out. */
static void emit_member(FILE *out, const char *key, struct json_object *value)
{
	fprintf(out, ",\"%s\":", key);
	emit(out, value);
}

static struct json_object *host_json(const struct sample *s, const struct model_host *h)
{
	bool sched = s->probe[SAMPLE_SCHED].on, net = s->probe[SAMPLE_NET].on, syscall = s->probe[SAMPLE_SYSCALL].on;
	struct json_object *host = json_object_new_object();
	struct json_object *runq = json_object_new_object();
	struct json_object *calls = json_object_new_object();
	struct json_object *sums = json_object_new_object();

	put(host, "name", text(s->host));
	put(host, "kernel", text(s->kernel));
	put_number(host, "cpus", h->cpus, true);
	put_number(host, "threads", h->threads, true);
	put_number(host, "processes", h->processes, true);
	put_number(host, "run_ns", h->run_ns, sched);
	put_number(host, "switches", h->switches, sched);
	put_number(host, "wakeups", h->wakeups, sched);
	put_number(host, "forks", h->forks, true);
	put_number(host, "execs", h->execs, true);
	put_number(host, "exits", h->exits, true);
	put_dist(runq, &h->runq, sched);
	put(host, "runq", runq);
	put_dist(calls, &h->calls, syscall && sched); /* without sched nobody knows what of a call was sleep */
	put_number(calls, "count", h->calls_count, syscall);
	put_number(calls, "errors", h->call_errors, syscall);
	put(host, "calls", calls);
	put_number(sums, "tx_bytes", h->tx_bytes, net);
	put_number(sums, "rx_bytes", h->rx_bytes, net);
	put_number(sums, "retransmits", h->retransmits, net);
	put_number(sums, "connects", h->connects, net);
	put_number(sums, "connect_errors", h->connect_errors, net);
	put_number(sums, "accepts", h->accepts, net);
	put(host, "net", sums);
	return host;
}

static struct json_object *probes_json(const struct sample *s)
{
	static const char *const names[SAMPLE_FAMILIES] = { "sched", "syscall", "net" };
	struct json_object *probes = json_object_new_object(), *probe;
	int i;

	for (i = 0; i < SAMPLE_FAMILIES; i++) {
		probe = json_object_new_object();
		put(probe, "state", json_object_new_string(s->probe[i].on ? "on" : "off"));
		if (s->probe[i].on)
			put(probe, "by", text(s->probe[i].by));
		else
			put(probe, "reason", text(s->probe[i].reason));
		put(probes, names[i], probe);
	}
	return probes;
}

static struct json_object *lost_json(const struct sample_lost *lost)
{
	struct json_object *o = json_object_new_object();

	put_number(o, "threads", lost->threads, true);
	put_number(o, "calls", lost->calls, true);
	put_number(o, "sockets", lost->sockets, true);
	put_number(o, "exits", lost->exits, true);
	put_number(o, "switches", lost->switches, true);
	put_number(o, "torn", lost->torn, true);
	put_number(o, "events", lost->events, true);
	return o;
}

static struct json_object *self_json(const struct sample_self *self)
{
	struct json_object *o = json_object_new_object();

	put_number(o, "cpu_ns", self->cpu_ns, true);
	put_number(o, "bpf_ns", self->bpf_ns, true);
	put_number(o, "bpf_runs", self->bpf_runs, true);
	put_number(o, "rss_bytes", self->rss_bytes, true);
	put_number(o, "map_bytes", self->map_bytes, true);
	return o;
}

/* The object that holds key, made by an earlier step or by a new one. */
static uint8_t plan_object(struct json_plan *plan, uint8_t parent, const char *key)
{
	struct json_step *step;
	size_t i;

	for (i = 0; i < plan->n; i++)
		if (!plan->step[i].column && plan->step[i].parent == parent && !strcmp(plan->step[i].key, key))
			return plan->step[i].object;
	step = &plan->step[plan->n++];
	snprintf(step->key, sizeof(step->key), "%s", key);
	step->column = NULL;
	step->parent = parent;
	step->object = ++plan->objects;
	return step->object;
}

/* Turns the columns' paths into steps, once a reading: a path's objects come before what they hold. */
static void plan_make(struct json_plan *plan)
{
	char path[128], *rest, *key;
	struct json_step *step;
	uint8_t parent;
	size_t i;

	plan->n = 0;
	plan->objects = 0;
	for (i = 0; i < columns_count; i++) {
		if (!columns[i].json || !(columns[i].kinds & 1U << MODEL_PROCESS) || plan->n + 4 > PATHS_MAX)
			continue;
		snprintf(path, sizeof(path), "%s", columns[i].json);
		rest = path;
		parent = 0;
		while ((key = strsep(&rest, ".")) && rest)
			parent = plan_object(plan, parent, key);
		step = &plan->step[plan->n++];
		snprintf(step->key, sizeof(step->key), "%s", key);
		step->column = &columns[i];
		step->parent = parent;
	}
}

static struct json_object *process_json(const struct json_plan *plan, const struct row *r)
{
	const int once = JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT;
	struct json_object *object[PATHS_MAX];
	const struct json_step *step;
	struct json_object *made;
	size_t i;

	object[0] = json_object_new_object();
	for (i = 0; i < plan->n; i++) {
		step = &plan->step[i];
		if (step->column)
			made = value_json(step->column->raw(r));
		else
			made = object[step->object] = json_object_new_object();
		json_object_object_add_ex(object[step->parent], step->key, made, once);
	}
	return object[0];
}

static struct json_object *call_json(const struct row *r)
{
	struct json_object *call = json_object_new_object(), *errors = json_object_new_object();
	bool measured = r->service.count;
	uint32_t i;

	put(call, "name", json_object_new_string(names_call(r->call)));
	put(call, "nr", json_object_new_int((int)LT_CALL_NR(r->call)));
	put(call, "abi", json_object_new_string(names_abi(r->call)));
	put_number(call, "count", r->calls, true);
	put_number(call, "errors", r->call_errors, true);
	put_number(call, "total_ns", r->call_total_ns, true);
	put_number(call, "time_ns", r->call_time_ns, true);
	put_number(call, "wait_ns", r->call_wait_ns, true);
	put_number(call, "p50_ns", r->service.p50_ns, measured);
	put_number(call, "p99_ns", r->service.p99_ns, measured);
	put_number(call, "max_ns", r->service.max_ns, measured);
	put_number(call, "in_flight", r->in_flight, true);
	put_number(call, "oldest_ns", r->oldest_ns, r->in_flight);
	for (i = 0; i < r->n_errnos; i++)
		put_number(errors, names_errno(r->errnos[i].error), r->errnos[i].count, true);
	put(call, "errno", errors);
	return call;
}

static int calls_json(struct model *m, const struct row *process, struct json_object **calls)
{
	struct model_query query = { .kind = MODEL_CALL, .pid = process->pid, .start_ns = process->start_ns };
	struct row *rows;
	int n = model_rows(m, &query, &rows), i;

	*calls = NULL;
	if (n < 0)
		return n;
	*calls = json_object_new_array_ext(n);
	for (i = 0; i < n; i++)
		json_object_array_add(*calls, call_json(&rows[i]));
	return 0;
}

static int emit_processes(FILE *out, const struct options *o, struct model *m)
{
	bool syscall = model_sample(m)->probe[SAMPLE_SYSCALL].on;
	struct options of_processes = *o;
	struct row **rows = NULL;
	struct json_object *object, *calls;
	struct json_plan plan;
	int n, i, err = 0;

	of_processes.view = column_view_find("overview");
	of_processes.sort = column_find("pid");
	of_processes.sort_reverse = true;
	n = batch_rows(&of_processes, m, &rows);
	if (n < 0)
		return n;
	plan_make(&plan);
	fputs(",\"processes\":[", out);
	for (i = 0; i < n && !err; i++) {
		object = process_json(&plan, rows[i]);
		calls = NULL;
		if (syscall)
			err = calls_json(m, rows[i], &calls);
		put(object, "syscalls", calls);
		if (i)
			fputc(',', out);
		emit(out, object);
	}
	fputc(']', out);
	free(rows);
	return err;
}

/* Moved something in the interval, or is new, or is neither established nor listening: just changing. */
static bool stirred(const struct sample_connection *c, uint64_t interval_ns)
{
	enum { ESTABLISHED = 1, LISTEN = 10 };

	return c->tx_bytes || c->rx_bytes || c->retransmits ||
	       (c->age_ns != SAMPLE_UNKNOWN && c->age_ns < interval_ns) ||
	       (c->proto == LT_TCP && c->state != ESTABLISHED && c->state != LISTEN);
}

static struct json_object *connection_json(const struct row *r)
{
	static const char *const names[] = { "proto", "local", "remote", "state" };
	struct json_object *o = json_object_new_object();
	const struct sample_connection *c = r->connection;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put(o, names[i], value_json(column_find(names[i])->raw(r)));
	put_number(o, "pid", c->pid, c->pid);
	put_number(o, "tx_bytes", c->tx_bytes, true);
	put_number(o, "rx_bytes", c->rx_bytes, true);
	put_number(o, "srtt_ns", c->srtt_ns, true);
	put_number(o, "retransmits", c->retransmits, true);
	put_number(o, "age_ns", c->age_ns, true);
	return o;
}

static int emit_connections(FILE *out, const struct options *o, struct model *m)
{
	bool all = o->view->kind == MODEL_CONNECTION, first = true;
	struct options of_connections = *o;
	struct row **rows = NULL;
	int n, i;

	if (!model_sample(m)->has_connections) {
		emit_member(out, "connections", NULL);
		return 0;
	}
	of_connections.view = column_view_find("connections");
	of_connections.sort = column_find("pid");
	of_connections.sort_reverse = true;
	n = batch_rows(&of_connections, m, &rows);
	if (n < 0)
		return n;
	fputs(",\"connections\":[", out);
	for (i = 0; i < n; i++) {
		if (!all && !stirred(rows[i]->connection, model_sample(m)->interval_ns))
			continue;
		if (!first)
			fputc(',', out);
		first = false;
		emit(out, connection_json(rows[i]));
	}
	fputc(']', out);
	free(rows);
	return 0;
}

int batch_json(FILE *out, const struct options *o, struct model *m)
{
	const struct sample *s = model_sample(m);
	char when[BATCH_TIME_SIZE];
	int err;

	fprintf(out, "{\"schema\":%d,\"time\":\"%s\",\"interval_ns\":%llu", SCHEMA, batch_time(when, s->realtime_ns),
		(unsigned long long)s->interval_ns);
	emit_member(out, "host", host_json(s, model_host(m)));
	emit_member(out, "probes", probes_json(s));
	emit_member(out, "lost", lost_json(&s->lost));
	emit_member(out, "self", self_json(&s->self));
	err = emit_processes(out, o, m);
	if (!err)
		err = emit_connections(out, o, m);
	fputs("}\n", out);
	return err ? err : batch_finish(out);
}

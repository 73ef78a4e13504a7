/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Enter leads to: see jump.h. */
#include "jump.h"

#include <stdio.h>
#include <string.h>

#include "names.h"
#include "page.h"
#include "trail.h"

/* The processes of a group, by a filter, which Esc clears. */
static void show_members(struct view *v, const struct row *r)
{
	const char *column = r->kind == MODEL_COMMAND ? "comm" : r->kind == MODEL_USER ? "user" : "cgroup";
	const char *name = r->kind == MODEL_USER ? names_user(r->uid) : r->comm;
	char quoted[2 * TABLE_TEXT], text[TABLE_TEXT];
	size_t used = 0;
	int len;

	for (; *name && used + 3 < sizeof(quoted); name++) {
		if (*name == '"' || *name == '\\')
			quoted[used++] = '\\';
		quoted[used++] = *name;
	}
	quoted[used] = '\0';
	len = snprintf(text, sizeof(text), "%s=\"%s\"", column, quoted);
	trail_push(v);
	if (*name || len >= (int)sizeof(text) || !view_filter(v, text)) {
		v->trail.n--;
		view_say(v, STYLE_WARN, "this group's name is too long for a filter");
		return;
	}
	v->rows_kind = MODEL_PROCESS;
}

/* The processes that make a call; Backspace goes back. */
static void show_callers(struct view *v, uint32_t call)
{
	trail_push(v);
	if (v->page.open)
		page_close(v);
	v->disk.open = false;
	while (v->tables[v->at].view->kind != MODEL_CALL)
		v->at = (v->at + 1) % column_views_count;
	v->call = call;
	table_home(&v->callers);
}

/* One device, and who waits for disks; Backspace goes back to the devices. */
static void show_disk(struct view *v, const struct row *r)
{
	trail_push(v);
	v->disk = (struct view_disk){ .open = true,
				      .major = r->disk->sample->major,
				      .minor = r->disk->sample->minor,
				      .op = r->disk->sample->op };
	snprintf(v->disk.name, sizeof(v->disk.name), "%s", r->comm);
	table_home(&v->who);
}

struct end {
	uint8_t family, address[16];
	uint16_t port;
};

/* An IPv4 address, also one mapped into IPv6. */
static struct end end_of(uint8_t family, const uint8_t address[16], uint16_t port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct end e = { .family = family, .port = port };

	if (family == 6 && !memcmp(address, mapped, sizeof(mapped))) {
		e.family = 4;
		memcpy(e.address, address + sizeof(mapped), 4);
	} else {
		memcpy(e.address, address, family == 4 ? 4 : 16);
	}
	return e;
}

static bool same_end(const struct end *a, const struct end *b)
{
	return a->family == b->family && a->port == b->port && !memcmp(a->address, b->address, sizeof(a->address));
}

static bool is_loopback(const struct end *e)
{
	static const uint8_t loopback[16] = { [15] = 1 };

	return e->family == 4 ? e->address[0] == 127 : !memcmp(e->address, loopback, sizeof(loopback));
}

/* A loopback address means other sockets in each network namespace. */
uint32_t jump_other_end(const struct sample *s, const struct sample_connection *c)
{
	struct end local = end_of(c->family, c->local, c->local_port);
	struct end remote = end_of(c->family, c->remote, c->remote_port);
	uint32_t pid = 0;

	if (!remote.port)
		return 0;
	for (uint32_t i = 0; i < s->n_connections; i++) {
		const struct sample_connection *o = &s->connections[i];
		struct end o_local = end_of(o->family, o->local, o->local_port);
		struct end o_remote = end_of(o->family, o->remote, o->remote_port);

		if (!o->pid || o->proto != c->proto || o == c || !same_end(&o_local, &remote) ||
		    !same_end(&o_remote, &local))
			continue;
		if (o->netns == c->netns)
			return o->pid;
		if (!is_loopback(&remote))
			pid = o->pid;
	}
	return pid;
}

/* From page to page, or from a table to a page. */
static void open_page(struct view *v, const struct row *r, uint32_t pid, enum page_tab tab)
{
	struct row who = *r; /* the page that is open has it */
	bool other = pid != r->pid;

	trail_push(v);
	who.pid = pid;
	if (v->page.open)
		page_close(v);
	page_open(v, &who);
	if (other || tab != PAGE_CALLS)
		v->page.tab = tab;
}

static void open_other_end(struct view *v, const struct row *r)
{
	const struct sample *s = model_sample(view_model(v));
	uint32_t pid = jump_other_end(s, r->connection);

	if (pid) {
		open_page(v, r, pid, PAGE_CONNECTIONS);
	} else if (v->page.open) {
		view_say(v, STYLE_NORMAL, "the process at the other end is not known, or not on this machine");
	} else if (r->pid) {
		open_page(v, r, r->pid, PAGE_CALLS);
		if (r->connection->remote_port)
			view_say(v, STYLE_NORMAL, "the other end is not on this machine: this is the socket's owner");
	} else {
		view_say(v, STYLE_NORMAL, "the process that owns this socket is not known");
	}
}

static void open_row_process(struct view *v, const struct row *r)
{
	if (r->pid)
		open_page(v, r, r->pid, PAGE_CALLS);
	else
		view_say(v, STYLE_NORMAL, "%s",
			 r->kind == MODEL_PEER		? "the process at this end is not known, or not on this machine"
			 : r->cpu->runs == LT_RUNS_IDLE ? "no process runs on this CPU"
							: "the process that runs on this CPU is not known");
}

/* The chain of who waits for whom. */
static void open_culprit(struct view *v, const struct row *r)
{
	if (!sample_blame_has_pid(r->because->kind) || !r->pid || !r->start_ns)
		view_say(v, STYLE_NORMAL, "that is not a process");
	else
		open_page(v, r, r->pid, PAGE_BECAUSE);
}

void jump_enter(struct view *v)
{
	const struct row *r = table_cursor(view_table(v));

	if (!r)
		return;
	switch (r->kind) {
	case MODEL_PROCESS:
	case MODEL_THREAD:
	case MODEL_CALLER:
		if (!v->page.open)
			open_page(v, r, r->pid, PAGE_CALLS);
		break;
	case MODEL_CONNECTION:
		open_other_end(v, r);
		break;
	case MODEL_PEER:
	case MODEL_CPU:
		open_row_process(v, r);
		break;
	case MODEL_COMMAND:
	case MODEL_USER:
	case MODEL_CGROUP:
		show_members(v, r);
		break;
	case MODEL_CALL:
		show_callers(v, r->call);
		break;
	case MODEL_DISK:
		show_disk(v, r);
		break;
	case MODEL_CULPRIT:
		open_culprit(v, r);
		break;
	case MODEL_KINDS:
		break;
	}
}

bool jump_close(struct view *v)
{
	if (v->page.open)
		page_close(v);
	else if (v->call != LT_CALL_NONE)
		v->call = LT_CALL_NONE;
	else if (v->disk.open)
		v->disk.open = false;
	else
		return false;
	return true;
}

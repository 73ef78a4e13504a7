/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The places from which Enter led on: see trail.h. */
#include "trail.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "page.h"

void trail_push(struct view *v)
{
	struct trail *t = &v->trail;
	const struct table *table = view_table(v);
	struct trail_place *p;

	if (t->n == TRAIL_PLACES)
		memmove(t->place, t->place + 1, (size_t)--t->n * sizeof(t->place[0]));
	p = &t->place[t->n++];
	*p = (struct trail_place){ .page = v->page.open, .at = v->at, .call = v->call, .disk = v->disk };
	p->rows_kind = v->rows_kind;
	memcpy(p->filter, v->wants.filter, sizeof(p->filter));
	p->cursor_key = table ? table->cursor_key : 0;
	if (!p->page)
		return;
	p->pid = v->page.pid;
	p->start_ns = v->page.start_ns;
	p->tab = v->page.tab;
	snprintf(p->comm, sizeof(p->comm), "%s", v->page.row.comm ? v->page.row.comm : "");
}

bool trail_back(struct view *v)
{
	struct trail *t = &v->trail;
	const struct trail_place *p;
	struct table *table;

	if (!t->n)
		return false;
	p = &t->place[--t->n];
	if (v->page.open)
		page_close(v);
	v->at = p->at;
	v->call = p->call;
	v->disk = p->disk;
	v->rows_kind = p->rows_kind;
	if (strcmp(p->filter, v->wants.filter))
		view_filter(v, p->filter);
	if (p->page) {
		page_open_process(v, p->pid, p->start_ns);
		v->page.tab = p->tab;
	}
	table = view_table(v);
	if (table && p->cursor_key) {
		table->cursor_key = p->cursor_key;
		table->pinned = true;
	}
	return true;
}

void trail_text(const struct view *v, char *buf, size_t size, int cells, bool utf8)
{
	const struct trail *t = &v->trail;
	const char *arrow = utf8 ? " \u203a " : " > ";
	char text[TRAIL_PLACES * 20 + 32] = "", comm[64];
	int from = 0, used;

	buf[0] = '\0';
	for (; from <= t->n && v->page.open; from++) { /* fewer, until they fit */
		size_t len = 0;

		for (int i = from; i < t->n; i++) {
			if (!t->place[i].page)
				continue;
			format_clean(comm, sizeof(comm), t->place[i].comm, 15, utf8);
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
						len    ? arrow
						: from ? (utf8 ? "\u2026 " : ".. ")
						       : "",
						comm);
		}
		text[len] = '\0';
		used = format_clean(buf, size, text, (int)size, utf8);
		if (used <= cells)
			return;
	}
	buf[0] = '\0';
}

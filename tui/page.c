/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of one process: which process, and its rows. */
#include "page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void init_tables(struct page *p)
{
	static const char *const views[PAGE_HEATMAP] = { "calls", "overview", "connections", "connections",
							 "overview" };

	for (int i = 0; i < PAGE_HEATMAP; i++)
		table_init(&p->tables[i], column_view_find(views[i]));
	p->tables[PAGE_THREADS].n_chosen = 0;
	table_choose(&p->tables[PAGE_THREADS],
		     "tid state lag cpu runq blk lock wake99 calls errors call oldest command");
	p->tables[PAGE_THREADS].kind = MODEL_THREAD;
	p->tables[PAGE_THREADS].sort = column_find("lag");
	table_keep_sort(&p->tables[PAGE_THREADS]);
	p->tables[PAGE_BECAUSE].n_chosen = 0;
	table_choose(&p->tables[PAGE_BECAUSE], "pid user part kind waited tid command");
	p->tables[PAGE_BECAUSE].kind = MODEL_CULPRIT;
	p->tables[PAGE_BECAUSE].sort = column_find("part");
	table_keep_sort(&p->tables[PAGE_BECAUSE]);
	/* The process is named above. */
	p->tables[PAGE_CONNECTIONS].n_chosen = 0;
	table_choose(&p->tables[PAGE_CONNECTIONS],
		     "proto local remote traffic resp upst toldest srtt retrans tx rx state age txq rxq acceptq drops");
	p->tables[PAGE_PEERS].n_chosen = 0;
	table_choose(&p->tables[PAGE_PEERS],
		     "proto remote ups upst50 upst99 upstmax upopen upoldest retrans srtt upover pid command");
	p->tables[PAGE_PEERS].kind = MODEL_PEER;
	p->tables[PAGE_PEERS].sort = column_find("upst99");
	table_keep_sort(&p->tables[PAGE_PEERS]);
}

void page_open(struct view *v, const struct row *r)
{
	page_open_process(v, r->pid, view_owner(v, r));
}

/* Columns and order are those of the page before. */
void page_open_process(struct view *v, uint32_t pid, uint64_t start_ns)
{
	struct page *p = &v->page, fresh = { .open = true, .pid = pid, .start_ns = start_ns };

	memcpy(fresh.tables, p->tables, sizeof(fresh.tables));
	*p = fresh;
	if (!p->tables[PAGE_CALLS].view)
		init_tables(p);
}

void page_close(struct view *v)
{
	struct page *p = &v->page;

	for (int i = 0; i < PAGE_HEATMAP; i++)
		table_forget(&p->tables[i]);
	free(p->texts);
	p->texts = NULL;
	p->open = false;
}

void page_tab(struct view *v, int by)
{
	v->page.tab = (enum page_tab)(((int)v->page.tab + PAGE_TABS + by) % PAGE_TABS);
}

/* Copies a row with its texts, which are only valid as long as the sample. */
static int keep_row(struct page *p, const struct row *r)
{
	char *texts = malloc(row_text_bytes(r));

	if (!texts)
		return -ENOMEM;
	p->net = *r->net;
	p->row = *r;
	p->row.net = &p->net;
	row_text_copy(&p->row, texts);
	free(p->texts);
	p->texts = texts;
	return 0;
}

/* The row of its last reading before the one shown. If that is no longer kept, the copied row stays, but not in
 * readings before the process started. */
static int find_last(struct view *v, uint32_t reading)
{
	struct model_query q = { .kind = MODEL_PROCESS };
	struct page *p = &v->page;
	const struct sample *s;
	struct model *alone;
	struct row *rows;
	int err;

	if (p->last == UINT32_MAX) {
		if (p->reading > reading)
			p->row = (struct row){ .pid = p->pid, .net = &row_no_net };
		return 0;
	}
	s = history_process(&v->history, p->last, p->pid, p->start_ns);
	alone = s ? model_new() : NULL;
	if (!alone)
		return -ENOMEM;
	err = model_update(alone, s);
	if (!err && model_rows(alone, &q, &rows) == 1)
		err = keep_row(p, rows);
	model_free(alone);
	p->reading = reading;
	return err;
}

static int find_process(struct view *v)
{
	struct model_query q = { .kind = MODEL_PROCESS, .totals = view_totals(v) };
	struct page *p = &v->page;
	struct row *rows;
	int n = model_rows(view_model(v), &q, &rows), err = n < 0 ? n : 0;
	uint32_t reading = model_sample(view_model(v))->number;

	p->gone = true;
	for (int i = 0; i < n && !err; i++) {
		if (rows[i].pid != p->pid || (p->start_ns && rows[i].start_ns != p->start_ns))
			continue;
		err = keep_row(p, &rows[i]);
		p->start_ns = rows[i].start_ns;
		p->reading = reading;
		p->gone = false;
	}
	p->last = history_last(&v->history, v->back, p->pid, p->start_ns);
	if (p->gone && !err)
		err = find_last(v, reading);
	p->row.spark = NULL;
	p->answers |= p->row.response.count > 0;
	return err;
}

/* Only for a process that runs on this machine, now. */
static void find_context(struct page *p)
{
	const struct context *c = NULL;

	p->context[0] = '\0';
	if (p->row.live && !p->gone && !p->row.kernel && p->pid)
		c = context_of(p->pid, p->start_ns);
	if (c)
		context_text(c, p->context);
}

int page_arrange(struct view *v)
{
	static const enum model_kind kinds[PAGE_HEATMAP] = { MODEL_CALL, MODEL_THREAD, MODEL_CONNECTION, MODEL_PEER,
							     MODEL_CULPRIT };
	struct page *p = &v->page;
	struct model_query q = { .totals = view_totals(v), .one = true, .pid = p->pid };
	struct table_wants all = { .n_tags = 0 };
	struct row *rows;
	int n = find_process(v);

	find_context(p);
	if (n < 0 || p->tab == PAGE_HEATMAP)
		return n;
	q.kind = kinds[p->tab];
	q.start_ns = p->start_ns;
	n = model_rows(view_model(v), &q, &rows);
	if (n < 0)
		return n;
	/* The filters for processes do not apply here: inside a process, all rows are shown. */
	memcpy(all.search, v->wants.search, sizeof(all.search));
	p->tables[p->tab].unknown = (q.kind == MODEL_CONNECTION && !model_sample(view_model(v))->has_connections) ||
				    (q.kind == MODEL_CULPRIT && !p->row.focus_since_ns);
	return table_arrange(&p->tables[p->tab], q.kind, rows, (uint32_t)n, (uint32_t)n, &all, v->now_ns);
}

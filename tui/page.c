// SPDX-License-Identifier: GPL-2.0-or-later
/* The page of one process: where its time goes, its latencies, its calls, threads, connections. */
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "view.h"

static const char *const tab_titles[PAGE_TABS] = { "Calls", "Threads", "Connections", "Heatmap" };

void page_open(struct view *v, const struct row *r)
{
	static const char *const views[PAGE_HEATMAP] = { "calls", "overview", "connections" };

	v->page = (struct page){ .open = true, .pid = r->pid, .start_ns = r->kind == MODEL_PROCESS ? r->start_ns : 0 };
	for (int i = 0; i < PAGE_HEATMAP; i++)
		table_init(&v->page.tables[i], column_view_find(views[i]));
	v->page.tables[PAGE_THREADS].kind = MODEL_THREAD;
}

void page_close(struct view *v)
{
	for (int i = 0; i < PAGE_HEATMAP; i++)
		table_free(&v->page.tables[i]);
	v->page = (struct page){ .open = false };
}

void page_tab(struct view *v, int by)
{
	v->page.tab = (enum page_tab)(((int)v->page.tab + PAGE_TABS + by) % PAGE_TABS);
}

int page_arrange(struct view *v)
{
	static const enum model_kind kinds[PAGE_HEATMAP] = { MODEL_CALL, MODEL_THREAD, MODEL_CONNECTION };
	struct page *p = &v->page;
	struct model_query q = { .kind = MODEL_PROCESS, .totals = v->totals };
	struct table_wants all = v->wants;
	struct row *rows;
	int n = model_rows(view_model(v), &q, &rows);

	if (n < 0)
		return n;
	p->gone = true;
	for (int i = 0; i < n; i++) {
		if (rows[i].pid != p->pid || (p->start_ns && rows[i].start_ns != p->start_ns))
			continue;
		p->row = rows[i];
		p->start_ns = rows[i].start_ns;
		p->gone = false;
	}
	if (p->tab == PAGE_HEATMAP)
		return 0;
	q = (struct model_query){ .kind = kinds[p->tab], .totals = v->totals, .pid = p->pid, .start_ns = p->start_ns };
	n = model_rows(view_model(v), &q, &rows);
	if (n < 0)
		return n;
	/* The filter chose processes; inside one all is shown. */
	all.filter[0] = 0;
	all.tree = false;
	return table_arrange(&p->tables[p->tab], q.kind, rows, (uint32_t)n, &all, v->now_ns);
}

void page_draw(struct view *v, struct grid *g)
{
	struct page *p = &v->page;

	grid_text(g, 1, 1, g->cols, STYLE_STRONG, p->gone ? "gone" : p->row.comm);
	(void)tab_titles;
	if (p->tab != PAGE_HEATMAP)
		table_draw(&p->tables[p->tab], g, 3, g->rows - 4, &v->wants);
}

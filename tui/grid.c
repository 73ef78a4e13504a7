/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A frame in memory: see grid.h. Knows nothing about terminals. */
#include "grid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "format.h"
#include "utf8.h"

int grid_resize(struct grid *g, int rows, int cols)
{
	struct cell *cells = calloc((size_t)rows * (size_t)cols, sizeof(*cells));

	if (!cells)
		return -ENOMEM;
	free(g->cells);
	g->cells = cells;
	g->rows = rows;
	g->cols = cols;
	grid_clear(g);
	return 0;
}

void grid_free(struct grid *g)
{
	free(g->cells);
	g->cells = NULL;
}

void grid_clear(struct grid *g)
{
	for (int i = 0; i < g->rows * g->cols; i++)
		g->cells[i] = (struct cell){ .ch = ' ' };
	g->cursor_y = -1;
}

static struct cell *cell_at(struct grid *g, int y, int x)
{
	if (y < 0 || x < 0 || y >= g->rows || x >= g->cols)
		return NULL;
	return &g->cells[y * g->cols + x];
}

void grid_put(struct grid *g, int y, int x, uint32_t ch, enum style style)
{
	struct cell *c = cell_at(g, y, x);
	struct cell *next = cell_at(g, y, x + 1), *before = cell_at(g, y, x - 1);

	if (!c)
		return;
	/* When one half of a wide character is overwritten, the other half must go, too. */
	if (c->ch == 0 && before)
		before->ch = ' ';
	if (next && next->ch == 0)
		next->ch = ' ';
	/* Texts should be clean here; one that is not must still not reach the terminal. */
	c->ch = utf8_is_control(ch) ? '?' : ch;
	c->style = (uint8_t)style;
	c->selected = false;
}

/* One character of clean UTF-8, and steps over it; 0 at the end. */
static uint32_t next_char(const char **text)
{
	bool valid;
	uint32_t ch;

	if (!**text)
		return 0;
	*text += utf8_decode(*text, &ch, &valid);
	return valid ? ch : '?';
}

static int char_width(uint32_t ch)
{
	return ch < 0x300 ? 1 : wcwidth((wchar_t)ch) == 2 ? 2 : 1;
}

int grid_text(struct grid *g, int y, int x, int cells, enum style style, const char *text)
{
	int used = 0;
	uint32_t ch;

	while ((ch = next_char(&text))) {
		int width = char_width(ch);

		if (used + width > cells || x + used + width > g->cols)
			break;
		grid_put(g, y, x + used, ch, style);
		if (width == 2 && cell_at(g, y, x + used + 1)) {
			grid_put(g, y, x + used + 1, ' ', style);
			cell_at(g, y, x + used + 1)->ch = 0;
		}
		used += width;
	}
	return used;
}

int grid_width(const char *text)
{
	int cells = 0;
	uint32_t ch;

	while ((ch = next_char(&text)))
		cells += char_width(ch);
	return cells;
}

int grid_right(struct grid *g, int y, int x, int cells, enum style style, const char *text)
{
	int width = grid_width(text);
	int pad = width < cells ? cells - width : 0;

	return pad + grid_text(g, y, x + pad, cells - pad, style, text);
}

void grid_fill(struct grid *g, int y, int x, int cells, uint32_t ch, enum style style)
{
	for (int i = 0; i < cells; i++)
		grid_put(g, y, x + i, ch, style);
}

void grid_select(struct grid *g, int y, int x, int cells)
{
	for (int i = 0; i < cells; i++) {
		struct cell *c = cell_at(g, y, x + i);

		if (c)
			c->selected = true;
	}
}

void grid_spark(struct grid *g, int y, int x, int level, enum style style)
{
	if (level <= 0)
		grid_put(g, y, x, ' ', style);
	else
		grid_put(g, y, x, g->blocks ? 0x2580U + (uint32_t)level : (uint32_t)FORMAT_HEIGHTS[level - 1], style);
}

void grid_bar(struct grid *g, int y, int x, int cells, int eighths, enum style style)
{
	if (eighths > cells * 8)
		eighths = cells * 8;
	for (; eighths >= 8; eighths -= 8)
		grid_put(g, y, x++, g->blocks ? 0x2588 : '#', style);
	if (eighths > 0) /* left eighth blocks go down from 0x258f */
		grid_put(g, y, x, g->blocks ? 0x2590U - (uint32_t)eighths : '|', style);
}

struct grid_box grid_box(struct grid *g, int rows, int cols, const char *title)
{
	static const uint32_t box[] = { 0x250c, 0x2500, 0x2510, 0x2502, 0x2514, 0x2518 };
	static const uint32_t ascii[] = { '+', '-', '+', '|', '+', '+' };
	const uint32_t *line = g->blocks ? box : ascii;
	int h = rows + 2 < g->rows ? rows + 2 : g->rows;
	int w = cols + 4 < g->cols ? cols + 4 : g->cols;
	int y = (g->rows - h) / 2, x = (g->cols - w) / 2;

	for (int i = 0; i < h; i++) {
		bool top = i == 0, bottom = i == h - 1;

		grid_put(g, y + i, x, top ? line[0] : bottom ? line[4] : line[3], STYLE_BOX);
		grid_fill(g, y + i, x + 1, w - 2, top || bottom ? line[1] : ' ',
			  top || bottom ? STYLE_BOX : STYLE_NORMAL);
		grid_put(g, y + i, x + w - 1, top ? line[2] : bottom ? line[5] : line[3], STYLE_BOX);
	}
	grid_text(g, y, x + 2, 1, STYLE_BOX, " ");
	w -= 4;
	int used = grid_text(g, y, x + 3, w - 2, STYLE_STRONG, title);
	grid_text(g, y, x + 3 + used, 1, STYLE_BOX, " ");
	return (struct grid_box){ .y = y + 1, .x = x + 2, .rows = h - 2, .cols = w };
}

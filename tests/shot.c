/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pictures of a terminal program: shot COLSxROWS OUT.svg [-f] [-t TERM] [-w MS] [-k KEY]… -- PROGRAM ARG…
 * Starts the program on a terminal of its own, presses the keys, each after MS milliseconds (-w before each -k that
 * follows), waits as long once more, and writes what the terminal shows as SVG. A program started with --manual is
 * also waited for by its frames (-f). Blocks are drawn as shapes, so that neither font nor renderer leaves gaps.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utf8.h"
#include "vt.h"

#define CELL_W 8.4
#define CELL_H 18.0
#define PAD 12.0
#define KEYS_MAX 256
#define FONT 14
#define PAPER "#16181d"
#define INK "#d7dae0"

static void escape(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else
			fputc(*text, out);
	}
}

static void colour_of(const struct vt_cell *c, bool background, char buf[16])
{
	bool back = background != c->reverse;

	if (back ? c->bg < 0 : c->fg < 0)
		snprintf(buf, 16, "%s", back ? PAPER : INK);
	else
		snprintf(buf, 16, "#%02x%02x%02x", back ? c->bg_rgb[0] : c->rgb[0], back ? c->bg_rgb[1] : c->rgb[1],
			 back ? c->bg_rgb[2] : c->rgb[2]);
}

static uint32_t code_point(const char *text)
{
	bool valid;
	uint32_t c;

	utf8_decode(text, &c, &valid);
	return c;
}

static void rect(FILE *out, double x, double y, double w, double h, const char *fill, double opacity)
{
	fprintf(out, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\"", x, y, w, h, fill);
	fputs(" shape-rendering=\"crispEdges\"", out); /* so that neighbours touch */
	if (opacity < 1)
		fprintf(out, " fill-opacity=\"%.2f\"", opacity);
	fputs("/>\n", out);
}

/* Blocks and lines as shapes. False: it is a letter. */
static bool draw_shape(FILE *out, double x, double y, uint32_t ch, const char *fill)
{
	double w = CELL_W, h = CELL_H;

	if (ch >= 0x2581 && ch <= 0x2588) { /* lower eighths */
		double part = (ch - 0x2580) * h / 8;

		rect(out, x, y + h - part, w + 0.1, part, fill, 1);
	} else if (ch >= 0x2589 && ch <= 0x258f) { /* left eighths */
		rect(out, x, y, (0x2590 - ch) * w / 8, h, fill, 1);
	} else if (ch >= 0x2591 && ch <= 0x2593) {		   /* shades */
		rect(out, x, y, w, h, fill, (ch - 0x2590) * 0.25); /* without crisp edges, overlaps would be darker */
	} else if (ch == 0x2500 || ch == 0x2502) {
		rect(out, ch == 0x2500 ? x : x + w / 2 - 0.5, ch == 0x2500 ? y + h / 2 - 0.5 : y,
		     ch == 0x2500 ? w + 0.1 : 1, ch == 0x2500 ? 1 : h, fill, 1);
	} else if (ch == 0x251c) {
		rect(out, x + w / 2 - 0.5, y, 1, h, fill, 1);
		rect(out, x + w / 2, y + h / 2 - 0.5, w / 2, 1, fill, 1);
	} else if (ch == 0x250c || ch == 0x2510 || ch == 0x2514 || ch == 0x2518) {
		bool down = ch < 0x2514, right = ch == 0x250c || ch == 0x2514;

		rect(out, right ? x + w / 2 - 0.5 : x, y + h / 2 - 0.5, w / 2 + 0.5, 1, fill, 1);
		rect(out, x + w / 2 - 0.5, down ? y + h / 2 : y, 1, h / 2, fill, 1);
	} else {
		return false;
	}
	return true;
}

static void draw_line(FILE *out, struct vt *v, int row)
{
	double y = PAD + row * CELL_H;

	for (int x = 0; x < v->cols; x++) {
		struct vt_cell c = vt_cell(v, row, x);
		char fill[16];

		colour_of(&c, true, fill);
		if (c.reverse || c.bg >= 0)
			rect(out, PAD + x * CELL_W, y, CELL_W + 0.1, CELL_H, fill, 1);
		colour_of(&c, false, fill);
		if (c.underline)
			rect(out, PAD + x * CELL_W, y + CELL_H - 1.5, CELL_W + 0.1, 1, fill, 0.6);
	}
	for (int x = 0; x < v->cols;) {
		struct vt_cell first = vt_cell(v, row, x), c = first;
		char fill[16], next_fill[16];
		int start = x;

		colour_of(&first, false, fill);
		if (!*c.text || !strcmp(c.text, " ") ||
		    draw_shape(out, PAD + x * CELL_W, y, code_point(c.text), fill)) {
			x++;
			continue;
		}
		/* Characters with the same attributes form one text, so that it can be selected and searched. */
		fprintf(out, "<text x=\"%.2f\" y=\"%.2f\" fill=\"%s\"%s>", PAD + start * CELL_W, y + CELL_H * 0.74,
			fill, first.bold ? " font-weight=\"700\"" : "");
		do {
			escape(out, c.text);
			x += c.width > 1 ? c.width : 1;
			if (x >= v->cols)
				break;
			c = vt_cell(v, row, x);
			colour_of(&c, false, next_fill);
		} while (strcmp(c.text, " ") && *c.text && (unsigned char)*c.text < 0x80 &&
			 (unsigned char)*first.text < 0x80 && !strcmp(fill, next_fill) && c.bold == first.bold);
		fputs("</text>\n", out);
	}
}

static int write_svg(struct vt *v, const char *path)
{
	double w = v->cols * CELL_W + 2 * PAD, h = v->rows * CELL_H + 2 * PAD;
	FILE *out = fopen(path, "we");

	if (!out) {
		perror(path);
		return 1;
	}
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.1f %.1f\" "
		"font-family=\"JetBrains Mono, DejaVu Sans Mono, monospace\" font-size=\"%d\" "
		"xml:space=\"preserve\">\n",
		w, h, w, h, FONT);
	fprintf(out, "<rect width=\"%.1f\" height=\"%.1f\" rx=\"8\" fill=\"%s\"/>\n", w, h, PAPER);
	for (int y = 0; y < v->rows; y++)
		draw_line(out, v, y);
	fputs("</svg>\n", out);
	return fclose(out) ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct vt_start start = { .rows = 0 };
	struct vt *v = NULL;
	const char *path;
	int wait_ms = 0, option, status;
	bool frames = false, alive = true;
	char *keys[KEYS_MAX], buf[2];
	int wait[KEYS_MAX], n = 0;

	if (argc < 4 || sscanf(argv[1], "%dx%d", &start.cols, &start.rows) != 2) {
		fprintf(stderr, "usage: %s COLSxROWS OUT.svg [-f] [-t TERM] [-w MS] [-k KEY]... -- PROGRAM ARG...\n",
			argv[0]);
		return 2;
	}
	path = argv[2];
	argc -= 2;
	argv += 2;
	while ((option = getopt(argc, argv, "+ft:w:k:")) != -1) {
		if (option == 'f')
			frames = true;
		else if (option == 't')
			start.term = optarg;
		else if (option == 'w')
			wait_ms = atoi(optarg);
		else if (option == 'k' && n < KEYS_MAX) {
			wait[n] = wait_ms;
			keys[n++] = optarg;
		} else
			return 2;
	}
	start.argv = (const char *const *)&argv[optind];
	v = vt_open(&start);
	if (frames)
		alive = vt_wait(v, 1);
	for (int i = 0; i < n && alive; i++) {
		const char *bytes = vt_key_bytes(keys[i], buf);

		vt_read(v, wait[i]);
		alive = frames ? vt_keys(v, bytes) : write(v->fd, bytes, strlen(bytes)) > 0;
	}
	vt_read(v, wait_ms);
	status = write_svg(v, path);
	vt_close(v);
	return alive ? status : 1;
}

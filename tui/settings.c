/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lagtoprc: see settings.h. One table row per setting; [view] sections have columns and sort order. */
#include "settings.h"

#include <ini.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#define PATH_SIZE 4096
#define FILE_MAX_BYTES 65536
#define LINE_COLUMNS 12 /* names on a line: inih takes lines of at most 200 bytes */

static const char *const themes[] = { "auto", "dark", "light", "mono" };

/* The file's path; make: creates its directories. False: no home directory. */
static bool settings_path(char path[PATH_SIZE], bool make)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (config && *config == '/')
		n = snprintf(path, PATH_SIZE, "%s", config);
	else if (home && *home == '/')
		n = snprintf(path, PATH_SIZE, "%s/.config", home);
	else
		return false;
	if (n > PATH_SIZE - 64)
		return false;
	if (make)
		mkdir(path, 0700);
	strcat(path, "/lagtop");
	if (make)
		mkdir(path, 0755);
	strcat(path, "/lagtoprc");
	return true;
}

/* A file being parsed: columns of a view may come on several lines. */
struct parse {
	struct view *view;
	bool seen[VIEW_TABLES];
};

static int find_name(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcasecmp(names[i], name))
			return i;
	return -1;
}

static bool parse_bool(const char *text, bool *out)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };
	int i = find_name(words, 8, text);

	if (i >= 0)
		*out = i & 1;
	return i >= 0;
}

/* --threads, --tree and --group cannot be combined: any of them overrides both settings. */
static bool arranged(const struct options *o)
{
	return o->threads || o->tree || o->group != MODEL_PROCESS;
}

static void arrange(struct view *v)
{
	if (arranged(v->options))
		return;
	v->wants.tree = v->settings.tree;
	if (v->settings.threads)
		v->rows_kind = MODEL_THREAD;
}

static bool set_theme(struct view *v, const char *value)
{
	int i = find_name(themes, 4, value);

	if (i >= 0)
		v->settings.theme = (enum view_theme)i;
	return i >= 0;
}

static bool set_main_view(struct view *v, const char *value)
{
	const struct options *o = v->options;
	const struct column_view *view = column_view_find(value);

	if (!view || (size_t)(view - column_views) >= VIEW_TABLES)
		return false;
	v->settings.view = (size_t)(view - column_views);
	if (!o->view_given && !o->sort) /* --view and --sort take precedence */
		v->at = v->settings.view;
	return true;
}

static bool set_delay(struct view *v, const char *value)
{
	double delay_s;

	if (!options_delay(value, &delay_s))
		return false;
	v->settings.delay_s = delay_s;
	if (!v->options->delay_given) /* --delay takes precedence */
		v->delay_s = delay_s;
	return true;
}

static void print_theme(const struct view *v, FILE *f)
{
	fputs(themes[v->settings.theme], f);
}

static void print_main_view(const struct view *v, FILE *f)
{
	fputs(column_views[v->settings.view].name, f);
}

static void print_delay(const struct view *v, FILE *f)
{
	fprintf(f, "%g", v->settings.delay_s);
}

static const char *const dead_rows[DEAD_MODES] = {
	[DEAD_ALONE] = "yes", [DEAD_SUMMED] = "summed", [DEAD_ADDED] = "added", [DEAD_HIDDEN] = "no"
};

static bool set_dead(struct view *v, const char *value)
{
	int i = find_name(dead_rows, DEAD_MODES, value);
	bool alone;

	if (i < 0 && !parse_bool(value, &alone))
		return false;
	v->dead = i >= 0 ? (enum view_dead)i : alone ? DEAD_ALONE : DEAD_HIDDEN;
	return true;
}

static void print_dead(const struct view *v, FILE *f)
{
	fputs(dead_rows[v->dead], f);
}

/* A setting has functions, or is a yes or no in struct view. */
static const struct setting {
	const char *name;
	bool (*set)(struct view *v, const char *value); /* false: not valid */
	void (*print)(const struct view *v, FILE *f);
	size_t offset;
	bool inverted; /* true in struct view is "no" */
} settings[] = {
	{ "theme", set_theme, print_theme, 0, false },
	{ "mouse", NULL, NULL, offsetof(struct view, settings.no_mouse), true },
	{ "view", set_main_view, print_main_view, 0, false },
	{ "delay", set_delay, print_delay, 0, false },
	{ "kernel_threads", NULL, NULL, offsetof(struct view, wants.no_kernel), true },
	{ "dead_rows", set_dead, print_dead, 0, false },
	{ "tree", NULL, NULL, offsetof(struct view, settings.tree), false },
	{ "threads", NULL, NULL, offsetof(struct view, settings.threads), false },
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static bool set_general(struct view *v, const char *name, const char *value)
{
	const struct setting *s = settings;
	bool yes;

	while (s < settings + SETTINGS && strcmp(s->name, name) != 0)
		s++;
	if (s == settings + SETTINGS)
		return false;
	if (s->set)
		return s->set(v, value);
	if (!parse_bool(value, &yes))
		return false;
	*(bool *)((char *)v + s->offset) = yes != s->inverted;
	return true;
}

/* The kinds of rows that a view may show. */
static unsigned int kinds_of(const struct column_view *view)
{
	return view->kind != MODEL_PROCESS ? 1U << view->kind
					   : 1U << MODEL_PROCESS | 1U << MODEL_THREAD | 1U << MODEL_COMMAND |
						     1U << MODEL_USER | 1U << MODEL_CGROUP;
}

static bool set_view(struct parse *r, const struct column_view *view, const char *name, const char *value)
{
	size_t at = (size_t)(view - column_views);
	struct view *v = r->view;
	const struct column *c;
	struct table *t;

	if (at >= VIEW_TABLES)
		return false;
	t = &v->tables[at];
	if (!strcmp(name, "columns")) {
		if (!r->seen[at])
			t->n_chosen = 0;
		r->seen[at] = true;
		if (table_choose(t, value))
			return true;
		t->n_chosen = 0;
		table_choose(t, view->columns);
		return false;
	}
	if (strcmp(name, "sort"))
		return false;
	c = column_find(value + (*value == '-'));
	if (!c || c->show == SHOW_SPARK || !(c->kinds & kinds_of(view)))
		return false;
	t->kept_sort = c;
	t->kept_reverse = *value == '-';
	if (!(v->options->sort && v->at == at)) { /* --sort takes precedence */
		t->sort = t->kept_sort;
		t->reverse = t->kept_reverse;
	}
	return true;
}

static int take_line(void *user, const char *section, const char *name, const char *value)
{
	struct parse *r = user;
	const struct column_view *view = column_view_find(section);

	if (view)
		return set_view(r, view, name, value);
	return !*section && set_general(r->view, name, value);
}

/* Applies the file. NULL, or what is wrong with it. */
static const char *read_settings(struct view *v, const char *path)
{
	static char wrong[80];
	struct parse r = { .view = v };
	const char *why;
	int fd, line;
	FILE *f;

	fd = file_open_small(path, FILE_MAX_BYTES, &why);
	if (fd < 0)
		return why;
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return "out of memory";
	}
	line = ini_parse_file(f, take_line, &r);
	fclose(f);
	arrange(v);
	if (!line)
		return NULL;
	snprintf(wrong, sizeof(wrong), line > 0 ? "line %d is not valid" : "it cannot be read", line);
	return wrong;
}

static void write_settings(FILE *f, const struct view *v)
{
	fprintf(f, "# lagtop's settings, saved by key W\n");
	for (const struct setting *s = settings; s < settings + SETTINGS; s++) {
		fprintf(f, "%s = ", s->name);
		if (s->print)
			s->print(v, f);
		else
			fputs(*(const bool *)((const char *)v + s->offset) != s->inverted ? "yes" : "no", f);
		fputc('\n', f);
	}
	for (size_t i = 0; i < column_views_count && i < VIEW_TABLES; i++) {
		const struct table *t = &v->tables[i];

		fprintf(f, "\n[%s]", column_views[i].name);
		for (int k = 0; k < t->n_chosen; k++)
			fprintf(f, "%s %s", k % LINE_COLUMNS ? "" : "\ncolumns =", t->chosen[k]->name);
		fprintf(f, "\n");
		if (t->kept_sort)
			fprintf(f, "sort = %s%s\n", t->kept_reverse ? "-" : "", t->kept_sort->name);
	}
}

/* The file's text; NULL: out of memory. */
static char *settings_text(const struct view *v)
{
	size_t len;
	char *text = NULL;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	write_settings(f, v);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

static void note_saved(struct view *v)
{
	free(v->settings.saved);
	v->settings.saved = settings_text(v);
	v->settings.differs = false;
}

void settings_compare(struct view *v)
{
	char *text = settings_text(v);

	v->settings.differs = text && v->settings.saved && strcmp(text, v->settings.saved);
	free(text);
}

bool settings_load(struct view *v)
{
	char path[PATH_SIZE];
	const char *wrong = settings_path(path, false) ? read_settings(v, path) : NULL;

	if (wrong)
		view_say(v, STYLE_WARN, "lagtoprc: %s; the file is left as it is", wrong);
	note_saved(v);
	return !wrong;
}

/* Whether the file, which may have been changed meanwhile, may be overwritten. */
static const char *check_settings(const struct view *v, const char *path)
{
	struct view *scratch = malloc(sizeof(*scratch));
	const char *wrong = "out of memory";

	if (scratch) {
		*scratch = *v; /* settings change nothing behind a pointer */
		wrong = read_settings(scratch, path);
	}
	free(scratch);
	return wrong;
}

void settings_save(struct view *v)
{
	struct file_fresh file;
	char path[PATH_SIZE];
	const char *wrong;
	unsigned int mode = 0600;
	int err;

	if (!settings_path(path, true)) {
		view_say(v, STYLE_WARN, "not saved: neither XDG_CONFIG_HOME nor HOME names a directory");
		return;
	}
	wrong = check_settings(v, path);
	if (!wrong)
		wrong = file_behind_links(path, sizeof(path), &mode);
	if (!wrong) {
		err = file_fresh_open(&file, path, mode);
		if (!err) {
			write_settings(file.out, v);
			err = file_fresh_commit(&file, path);
		}
		wrong = err ? strerror(-err) : NULL;
	}
	if (wrong) {
		view_say(v, STYLE_WARN, "not saved: lagtoprc: %s", wrong);
		return;
	}
	note_saved(v);
	view_say(v, STYLE_NORMAL, "saved to %s", path);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter language, by recursive descent: or → and → not → one term. Terms are linked from their parents. The
 * nesting depth is bounded, so that neither parsing nor freeing can overflow the stack; so is what a regular expression
 * may cost to compile.
 */
#include "filter.h"

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 50
#define TEXT_MAX 200 /* of a word, a number or a regular expression */
#define REGEX_NODES_MAX 100000
#define FILTER_MAX 4000 /* of the whole filter: a chain of words nests, too */

enum filter_type { FILTER_ALL, FILTER_OR, FILTER_AND, FILTER_NOT, FILTER_WORD, FILTER_COMPARE };
enum filter_op { OP_NONE, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_MATCH, OP_NO_MATCH };

struct filter {
	enum filter_type type;
	struct filter *left, *right; /* OR, AND; NOT: left */
	const struct column *column; /* COMPARE */
	enum filter_op op;
	double number;
	char *text; /* WORD, and COMPARE of a text */
	bool ignore_case, has_regex;
	regex_t regex;
};

enum token { TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_OP, TOKEN_WORD, TOKEN_QUOTED, TOKEN_BAD };

struct parser {
	const char *text, *next; /* next: after the current token */
	size_t at;		 /* where the current token begins */
	enum token token;
	enum filter_op op;
	char word[TEXT_MAX + 1];
	int depth;
	bool failed;
	size_t *error_at;
	char *why;
	size_t why_size;
};

static struct filter *parse_or(struct parser *p);

/* Keeps the first error. Always NULL. */
static void *__attribute__((format(printf, 2, 3))) fail(struct parser *p, const char *fmt, ...)
{
	va_list args;

	if (p->failed)
		return NULL;
	p->failed = true;
	*p->error_at = p->at;
	va_start(args, fmt);
	vsnprintf(p->why, p->why_size, fmt, args);
	va_end(args);
	return NULL;
}

static size_t take_op(const char *s, enum filter_op *op)
{
	static const struct {
		const char *text;
		enum filter_op op;
	} ops[] = {
		{ "==", OP_EQ }, { "!=", OP_NE }, { "<=", OP_LE }, { ">=", OP_GE },   { "!~", OP_NO_MATCH },
		{ "=", OP_EQ },	 { "<", OP_LT },  { ">", OP_GT },  { "~", OP_MATCH },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strncmp(s, ops[i].text, strlen(ops[i].text))) {
			*op = ops[i].op;
			return strlen(ops[i].text);
		}
	return 0;
}

/* A quoted text: the same quote ends it; a backslash escapes a quote or a backslash. */
static void take_quoted(struct parser *p)
{
	char quote = *p->next++;
	size_t n = 0;

	for (; *p->next && *p->next != quote && n < TEXT_MAX; p->next++) {
		if (*p->next == '\\' && (p->next[1] == quote || p->next[1] == '\\'))
			p->next++;
		p->word[n++] = *p->next;
	}
	p->word[n] = '\0';
	p->token = TOKEN_QUOTED;
	if (*p->next != quote) {
		fail(p, n < TEXT_MAX ? "this quote is not closed" : "this text is too long");
		p->token = TOKEN_BAD;
		return;
	}
	p->next++;
}

static void advance(struct parser *p)
{
	size_t n;

	while (isspace((unsigned char)*p->next))
		p->next++;
	p->at = (size_t)(p->next - p->text);
	if (!*p->next) {
		p->token = TOKEN_END;
	} else if (*p->next == '(' || *p->next == ')') {
		p->token = *p->next++ == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
	} else if (*p->next == '"' || *p->next == '\'') {
		take_quoted(p);
	} else if ((n = take_op(p->next, &p->op))) {
		p->token = TOKEN_OP;
		p->next += n;
	} else {
		n = strcspn(p->next, " \t\n()=<>~\"'");
		if (n > 1 && p->next[n - 1] == '!')
			n--; /* name!=value */
		p->token = n <= TEXT_MAX ? TOKEN_WORD : TOKEN_BAD;
		if (p->token == TOKEN_BAD)
			fail(p, "this word is too long");
		snprintf(p->word, sizeof(p->word), "%.*s", (int)n, p->next);
		p->next += n;
	}
}

static bool at_keyword(const struct parser *p, const char *keyword)
{
	return p->token == TOKEN_WORD && !strcasecmp(p->word, keyword);
}

static struct filter *node(struct parser *p, enum filter_type type, struct filter *left, struct filter *right)
{
	struct filter *f = left && (right || type == FILTER_NOT) ? calloc(1, sizeof(*f)) : NULL;

	if (f) {
		*f = (struct filter){ .type = type, .left = left, .right = right };
		return f;
	}
	filter_free(left);
	filter_free(right);
	return fail(p, "out of memory");
}

static struct filter *leaf(struct parser *p, enum filter_type type, const char *text)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (f)
		f->text = strdup(text);
	if (!f || !f->text) {
		free(f);
		return fail(p, "out of memory");
	}
	f->type = type;
	f->ignore_case = true;
	for (const char *c = text; *c; c++)
		f->ignore_case &= !isupper((unsigned char)*c);
	return f;
}

struct unit {
	const char *name;
	double factor;
};

/* The current value as a number in the column's unit. */
static bool parse_value(struct parser *p, const struct column *c, double *n)
{
	static const struct unit times[] = { { "ns", 1 },     { "us", 1e3 },	{ "ms", 1e6 },
					     { "s", 1e9 },    { "m", 60e9 },	{ "min", 60e9 },
					     { "h", 3600e9 }, { "d", 86400e9 }, { NULL, 0 } };
	static const struct unit sizes[] = { { "", 1 },	     { "k", 1e3 },	{ "K", 1e3 },
					     { "M", 1e6 },   { "G", 1e9 },	{ "T", 1e12 },
					     { "Ki", 1024 }, { "Mi", 1048576 }, { "Gi", 1073741824 },
					     { NULL, 0 } };
	static const struct unit shares[] = { { "", 1 }, { "%", 1 }, { NULL, 0 } };
	const struct unit *unit = c->show == SHOW_TIME ? times : c->show == SHOW_SHARE ? shares : sizes;
	char *end;

	/* strtod also accepts "nan", "inf" and "0x10"; a filter does not. */
	if (!isdigit((unsigned char)p->word[strspn(p->word, "+-.")]) || strpbrk(p->word, "xX")) {
		fail(p, "expected a number to compare %s with", c->name);
		return false;
	}
	*n = strtod(p->word, &end);
	for (; unit->name; unit++)
		if (!strcmp(end, unit->name)) {
			*n *= unit->factor;
			return true;
		}
	if (c->show == SHOW_TIME && !*end && *n == 0)
		return true;
	fail(p, "%s",
	     c->show == SHOW_TIME    ? "expected a time with its unit: ns, us, ms, s, m, h or d"
	     : c->show == SHOW_SHARE ? "expected a percentage"
				     : "expected a number, optionally followed by k, M, G, T, Ki, Mi or Gi");
	return false;
}

/* The size of a compiled expression in the worst case: x+ becomes xx*, x{n} n copies, and nested ones multiply, so that
 * a few bytes could need gigabytes. */
static double regex_nodes(const char *text)
{
	double nodes = (double)strlen(text), low, high;
	char *end;

	for (const char *c = text; *c; c++) {
		if (*c == '+')
			nodes *= 2;
		if (*c != '{')
			continue;
		low = strtod(c + 1, &end);
		high = *end == ',' ? strtod(end + 1, NULL) : low;
		nodes *= high > low ? high : low > 1 ? low + 1 : 2;
	}
	return nodes;
}

static bool compile(struct parser *p, struct filter *f)
{
	char message[100];
	int err;

	if (!(regex_nodes(f->text) <= REGEX_NODES_MAX)) {
		fail(p, "a regular expression with too many repetitions");
		return false;
	}
	err = regcomp(&f->regex, f->text, REG_EXTENDED | REG_NOSUB | (f->ignore_case ? REG_ICASE : 0));
	f->has_regex = !err;
	if (err) {
		regerror(err, &f->regex, message, sizeof(message));
		fail(p, "bad regular expression: %s", message);
	}
	return !err;
}

/* The value behind a column and its operator. */
static struct filter *parse_compare(struct parser *p, const struct column *column, enum filter_op op)
{
	bool match = op == OP_MATCH || op == OP_NO_MATCH, text = column->show == SHOW_TEXT;
	struct filter *f;

	if (match && !text)
		return fail(p, "%s is a number; ~ and !~ are for text", column->name);
	if (text && !match && op != OP_EQ && op != OP_NE)
		return fail(p, "%s is text; use =, !=, ~ or !~", column->name);
	if (p->token != TOKEN_WORD && p->token != TOKEN_QUOTED)
		return fail(p, "expected a value to compare %s with", column->name);
	f = leaf(p, FILTER_COMPARE, p->word);
	if (!f)
		return NULL;
	f->column = column;
	f->op = op;
	if (text ? !match || compile(p, f) : parse_value(p, column, &f->number)) {
		advance(p);
		return f;
	}
	filter_free(f);
	return NULL;
}

static struct filter *parse_term(struct parser *p)
{
	const struct column *column;
	size_t start = p->at;
	enum filter_op op;
	struct filter *f;
	bool quoted;

	if (p->token == TOKEN_OPEN) {
		advance(p);
		f = parse_or(p);
		if (f && p->token != TOKEN_CLOSE) {
			filter_free(f);
			return fail(p, "expected a closing parenthesis");
		}
		if (f)
			advance(p);
		return f;
	}
	quoted = p->token == TOKEN_QUOTED;
	if ((p->token != TOKEN_WORD && !quoted) || at_keyword(p, "and") || at_keyword(p, "or"))
		return fail(p, "expected a column or a word");
	column = quoted ? NULL : column_find(p->word);
	f = leaf(p, FILTER_WORD, p->word);
	advance(p);
	if (p->token != TOKEN_OP || !f)
		return f;
	filter_free(f);
	op = p->op;
	if (!column || column->show == SHOW_SPARK) {
		p->at = start;
		return fail(p, "no column '%s'; --list-columns lists them", p->word);
	}
	advance(p);
	return parse_compare(p, column, op);
}

static struct filter *parse_not(struct parser *p)
{
	struct filter *f;

	if (!at_keyword(p, "not"))
		return parse_term(p);
	if (p->depth >= DEPTH_MAX)
		return fail(p, "too deeply nested");
	p->depth++;
	advance(p);
	f = parse_not(p);
	p->depth--;
	return f ? node(p, FILTER_NOT, f, NULL) : NULL;
}

static struct filter *parse_and(struct parser *p)
{
	struct filter *f = parse_not(p), *right;

	while (f && p->token != TOKEN_END && p->token != TOKEN_CLOSE && !at_keyword(p, "or")) {
		if (at_keyword(p, "and"))
			advance(p);
		right = parse_not(p);
		if (right) {
			f = node(p, FILTER_AND, f, right);
		} else {
			filter_free(f);
			f = NULL;
		}
	}
	return f;
}

static struct filter *parse_or(struct parser *p)
{
	struct filter *f, *right;

	if (p->depth >= DEPTH_MAX)
		return fail(p, "too deeply nested");
	p->depth++;
	f = parse_and(p);
	while (f && at_keyword(p, "or")) {
		advance(p);
		right = parse_and(p);
		if (right) {
			f = node(p, FILTER_OR, f, right);
		} else {
			filter_free(f);
			f = NULL;
		}
	}
	p->depth--;
	return f;
}

struct filter *filter_parse(const char *text, size_t *at, char *why, size_t why_size)
{
	struct parser p = { .text = text, .next = text, .error_at = at, .why = why, .why_size = why_size };
	struct filter *f;

	if (strlen(text) > FILTER_MAX)
		return fail(&p, "this is too long");
	advance(&p);
	if (p.token == TOKEN_END)
		return leaf(&p, FILTER_ALL, "");
	f = parse_or(&p);
	if (f && p.token != TOKEN_END) {
		filter_free(f);
		return fail(&p, "expected and, or, or the end");
	}
	return f;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	filter_free(f->left);
	filter_free(f->right);
	if (f->has_regex)
		regfree(&f->regex);
	free(f->text);
	free(f);
}

static bool compare_text(const struct filter *f, const char *text)
{
	switch (f->op) {
	case OP_EQ:
		return !strcmp(text, f->text);
	case OP_NE:
		return strcmp(text, f->text);
	case OP_MATCH:
		return !regexec(&f->regex, text, 0, NULL, 0);
	default:
		return regexec(&f->regex, text, 0, NULL, 0);
	}
}

/* Values are equal if they look equal on the screen: the same three figures, except for numbers shown in full. */
static bool same(double a, double b, enum column_show show)
{
	char x[32], y[32];

	if (show == SHOW_ID)
		return a == b;
	snprintf(x, sizeof(x), "%.2e", a);
	snprintf(y, sizeof(y), "%.2e", b);
	return !strcmp(x, y);
}

static bool compare(const struct filter *f, const struct row *r)
{
	struct value v = column_value(f->column, r);
	double n = v.type == VALUE_INT ? (double)v.i : v.type == VALUE_REAL ? v.real : NAN;

	if (v.type == VALUE_TEXT)
		return compare_text(f, v.text);
	if (isnan(n))
		return false;
	switch (f->op) {
	case OP_EQ:
		return same(n, f->number, f->column->show);
	case OP_NE:
		return !same(n, f->number, f->column->show);
	case OP_LT:
		return n < f->number;
	case OP_LE:
		return n <= f->number;
	case OP_GT:
		return n > f->number;
	default:
		return n >= f->number;
	}
}

static bool contains(const struct filter *f, const char *text)
{
	return f->ignore_case ? strcasestr(text, f->text) : strstr(text, f->text);
}

static bool column_contains(const struct filter *f, const char *column, const struct row *r)
{
	struct value v = column_find(column)->raw(r);

	return v.type == VALUE_TEXT && contains(f, v.text);
}

static bool word_in(const struct filter *f, const struct row *r)
{
	if (contains(f, r->cmdline) || contains(f, r->comm))
		return true;
	switch (r->kind) {
	case MODEL_CALL:
		return column_contains(f, "call", r);
	case MODEL_DISK:
		return column_contains(f, "op", r);
	case MODEL_PEER:
		return column_contains(f, "remote", r);
	case MODEL_CONNECTION:
		return column_contains(f, "local", r) || column_contains(f, "remote", r);
	default:
		return column_contains(f, "command", r);
	}
}

bool filter_holds(const struct filter *f, const struct row *r)
{
	switch (f->type) {
	case FILTER_ALL:
		return true;
	case FILTER_OR:
		return filter_holds(f->left, r) || filter_holds(f->right, r);
	case FILTER_AND:
		return filter_holds(f->left, r) && filter_holds(f->right, r);
	case FILTER_NOT:
		return !filter_holds(f->left, r);
	case FILTER_WORD:
		return word_in(f, r);
	default:
		return compare(f, r);
	}
}

unsigned int filter_kinds(const struct filter *f)
{
	unsigned int kinds = f->column ? f->column->kinds : ~0U;

	if (f->left)
		kinds &= filter_kinds(f->left);
	if (f->right)
		kinds &= filter_kinds(f->right);
	return kinds;
}

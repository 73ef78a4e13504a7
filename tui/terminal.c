/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terminal types by their names: see terminal.h. "xterm-kitty" is an xterm, "foot" accepts the sequences of xterm. */
#include "terminal.h"

#include <stdio.h>
#include <string.h>

#include "terminfo.h"

#define SEPARATORS "-+."
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* First parts of names, and the terminals that they emulate. */
static const struct {
	const char *name, *like;
} known[] = {
	{ "xterm", "xterm" },	{ "alacritty", "xterm" }, { "contour", "xterm" }, { "foot", "xterm" },
	{ "ghostty", "xterm" }, { "gnome", "xterm" },	  { "iterm", "xterm" },	  { "iterm2", "xterm" },
	{ "kitty", "xterm" },	{ "konsole", "xterm" },	  { "mintty", "xterm" },  { "mlterm", "xterm" },
	{ "nsterm", "xterm" },	{ "rio", "xterm" },	  { "st", "xterm" },	  { "vte", "xterm" },
	{ "wezterm", "xterm" }, { "tmux", "screen" },	  { "screen", "screen" },
};

/* The beginning of the name, or its variant with that many colours. */
static bool print_name(const char *begin, size_t len, bool colours, char *name, size_t size)
{
	return (size_t)snprintf(name, size, "%.*s%s", (int)len, begin, colours ? "-256color" : "") < size;
}

/* The last separator before len. 0: none. */
static size_t cut(const char *term, size_t len)
{
	while (len && !strchr(SEPARATORS, term[len]))
		len--;
	return len;
}

bool terminal_like(const char *term, int i, char *name, size_t size)
{
	size_t len = strlen(term);

	len = len ? cut(term, len - 1) : 0;
	for (; len; len = cut(term, len - 1), i -= 2)
		if (i < 2)
			return print_name(term, len, i == 0, name, size);
	if (i > 1)
		return false;
	len = strcspn(term, SEPARATORS);
	for (size_t k = 0; k < COUNT(known); k++)
		if (strlen(known[k].name) == len && !strncmp(known[k].name, term, len))
			return print_name(known[k].like, strlen(known[k].like), i == 0, name, size);
	return false;
}

const char *terminal_builtin(const char *type)
{
	for (size_t i = 0; i < COUNT(builtin); i++)
		if (!strcmp(builtin[i].name, type))
			return builtin[i].description;
	return NULL;
}

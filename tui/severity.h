/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The limits from which a number is a warning (yellow) or bad (red), for all places that show it. */
#ifndef SEVERITY_H
#define SEVERITY_H

#include "grid.h"

#define SEVERITY_WARN_MS 10
#define SEVERITY_BAD_MS 100
#define SEVERITY_WARN_LAG 5 /* %, of LAG% */
#define SEVERITY_BAD_LAG 20
#define SEVERITY_WARN_ERRORS 10 /* one in this many calls fails */

/* A duration's style; `calm`: the style below the limits. */
static inline enum style severity_duration(double ns, enum style calm)
{
	return ns >= SEVERITY_BAD_MS * 1e6 ? STYLE_BAD : ns >= SEVERITY_WARN_MS * 1e6 ? STYLE_WARN : calm;
}

static inline enum style severity_lag(double percent)
{
	return percent >= SEVERITY_BAD_LAG ? STYLE_BAD : percent >= SEVERITY_WARN_LAG ? STYLE_WARN : STYLE_NORMAL;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose answers a process waited for longest. */
#ifndef MODEL_UPSTREAM_H
#define MODEL_UPSTREAM_H

#include "sample.h"

/* The peer with the greatest part of the time for which answers were awaited, at least a quarter of it; NULL: none has
 * that, or it is not known. */
const struct lt_peer *model_upstream(const struct sample *s, const struct sample_process *p);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Enter leads to: the process, group, device or callers of a row, or the process at the other end. */
#ifndef JUMP_H
#define JUMP_H

#include "view.h"

void jump_enter(struct view *v);
/* Closes the innermost of page, callers and device. False: none is open. */
bool jump_close(struct view *v);
/* The process at the other end of a connection, if that is on this machine; 0: not known. */
uint32_t jump_other_end(const struct sample *s, const struct sample_connection *c);

#endif

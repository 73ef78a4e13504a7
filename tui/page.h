/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of one process: which process, which tab, its rows; drawn by page_draw.c. */
#ifndef PAGE_H
#define PAGE_H

#include "view.h"

void page_open(struct view *v, const struct row *r);
void page_open_process(struct view *v, uint32_t pid, uint64_t start_ns);
void page_close(struct view *v);
void page_tab(struct view *v, int by);
/* As view_arrange, for the page. */
int page_arrange(struct view *v);

#endif

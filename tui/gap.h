/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time of which a recording has no reading: nothing was recorded, or it is damaged there. */
#ifndef GAP_H
#define GAP_H

#include "sample.h"

/* Where the last reading ended; zeroed: there was none. */
struct gap {
	bool begun;
	uint32_t number;
	uint64_t uptime_ns, realtime_ns;
};

/* Sets the next reading's gap_ns and gap_why. wrong: what could not be read before it; "": nothing. */
void gap_add(struct gap *last, struct sample *s, const char *wrong);

#endif

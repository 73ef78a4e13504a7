/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that grow: see grow.h. */
#include "grow.h"

#include <stdlib.h>
#include <string.h>

#define AT_FIRST 16 /* elements */

bool grow_array(void *array, size_t *cap, size_t n, size_t size, size_t most)
{
	size_t want = *cap < AT_FIRST ? AT_FIRST : *cap;
	void *old, *grown;

	if (n <= *cap)
		return true;
	if (n > most)
		return false;
	while (want < n)
		want = want > most / 2 ? most : want * 2;
	memcpy(&old, array, sizeof(old));
	grown = reallocarray(old, want, size);
	if (!grown)
		return false;
	memcpy(array, &grown, sizeof(grown));
	*cap = want;
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that grow: at least twice as big each time, so that n elements cost O(n). */
#ifndef GROW_H
#define GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes room for n elements of `size` bytes in the array that *array points to, which has room for *cap, and may have
 * for `most`. False: out of memory, or more than `most`; then nothing changed. */
bool grow_array(void *array, size_t *cap, size_t n, size_t size, size_t most);

/* The same for an lvalue of any pointer and its cap of 32 or 64 bits. */
#define GROW(array, cap, n)                                                                                            \
	({                                                                                                             \
		size_t grow_cap = (cap);                                                                               \
		bool grow_ok = grow_array(&(array), &grow_cap, (n), sizeof(*(array)),                                  \
					  sizeof(cap) < sizeof(size_t) ? UINT32_MAX : SIZE_MAX);                       \
		(cap) = (__typeof__(cap))grow_cap;                                                                     \
		grow_ok;                                                                                               \
	})

#endif

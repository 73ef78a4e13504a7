/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzing the cleaning of names. The first two bytes are the size of the buffer and the number of cells, the rest is
 * the name. The result can be written to any terminal, and cleaning it again changes nothing.
 */
#include <locale.h>

#include "format.h"
#include "fuzz.h"

static void clean(const char *raw, size_t room, int max_cells, bool utf8)
{
	char *once = malloc(room), *twice = malloc(room);
	int cells;

	assert(once && twice);
	cells = format_clean(once, room, raw, max_cells, utf8);
	assert(cells >= 0 && cells <= max_cells && strlen(once) < room);
	for (size_t i = 0; once[i]; i++)
		assert((unsigned char)once[i] >= ' ' && once[i] != 0x7f && (utf8 || !(once[i] & 0x80)));
	assert(format_clean(twice, room, once, max_cells, utf8) == cells);
	assert(!strcmp(once, twice));
	free(once);
	free(twice);
}

static void mend(const char *raw, size_t room)
{
	char *once = malloc(room), *twice = malloc(room);
	size_t len;

	assert(once && twice);
	len = format_utf8(once, room, raw);
	assert(len == strlen(once) && len < room);
	assert(format_utf8(twice, room, once) == len);
	assert(!strcmp(once, twice));
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 2)
		return 0;
	setlocale(LC_CTYPE, "C.UTF-8"); /* for wcwidth */
	text = fuzz_text(data + 2, size - 2);
	clean(text, data[0] + 1U, data[1], true);
	clean(text, data[0] + 1U, data[1], false);
	mend(text, data[0] + 1U);
	free(text);
	return 0;
}

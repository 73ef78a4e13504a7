/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzing the filter language: any text is either a filter that can be applied to any row, or an error with its
 * position. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "fuzz.h"
#include "synthetic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sample sample;
	static struct model *model;
	struct model_query query;
	char *text = fuzz_text(data, size), why[64] = "";
	size_t at = SIZE_MAX;
	struct filter *f;
	struct row *rows;

	if (!model) {
		synthetic_fill(&sample, 1);
		model = model_new();
		assert(model && !model_update(model, &sample));
	}
	f = filter_parse(text, &at, why, sizeof(why));
	if (!f)
		assert(at <= strlen(text) && *why);
	for (int kind = MODEL_PROCESS; f && kind <= MODEL_CONNECTION; kind++) {
		query = (struct model_query){ .kind = (enum model_kind)kind };
		for (int n = model_rows(model, &query, &rows); n--;)
			if (filter_kinds(f) & 1U << kind)
				filter_holds(f, &rows[n]);
	}
	filter_free(f);
	free(text);
	return 0;
}

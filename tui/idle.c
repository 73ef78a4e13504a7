/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sleeps are idle: see idle.h. */
#include "idle.h"

#include "calls.h"

#define NUMBERS 1024

#if defined(__aarch64__)
#define NATIVE(x86_64, arm64) arm64
#define COMPAT(i386, arm) arm
#else
#define NATIVE(x86_64, arm64) x86_64
#define COMPAT(i386, arm) i386
#endif

static const struct {
	int16_t number[2]; /* native, compat; -1: no such call */
	uint8_t wait;
	bool accepts;
} calls[] = {
#define ROW(name, x86_64, i386, arm64, arm, kind)                                                                      \
	{ { NATIVE(x86_64, arm64), COMPAT(i386, arm) }, LT_WAIT_##kind, #name[0] == 'a' && #name[1] == 'c' },
	LT_CALL_TABLE(ROW)
#undef ROW
};

/* An entry of `calls` plus 1; 0: no row. */
static uint16_t row_of(uint32_t call)
{
	static uint16_t rows[2][NUMBERS];
	static bool filled;
	uint32_t nr = LT_CALL_NR(call);

	for (size_t i = 0; !filled && i < sizeof(calls) / sizeof(calls[0]); i++)
		for (int abi = 0; abi < 2; abi++)
			if (calls[i].number[abi] >= 0 && calls[i].number[abi] < NUMBERS)
				rows[abi][calls[i].number[abi]] = (uint16_t)(i + 1);
	filled = true;
	return call == LT_CALL_NONE || nr >= NUMBERS ? 0 : rows[LT_CALL_ABI(call) == LT_ABI_COMPAT][nr];
}

static bool is_accept(uint32_t call)
{
	uint16_t row = row_of(call);

	return row && calls[row - 1].accepts && calls[row - 1].wait == LT_WAIT_NET;
}

static bool is_open(const struct sample_open *turns, bool unknown)
{
	return turns->n == SAMPLE_UNKNOWN ? unknown : turns->n > 0;
}

/* Somebody waits for its answer, or it waits for somebody's; `unknown`: what it is if that is not known. */
static bool has_open(const struct idle_turns *t, bool unknown)
{
	return t->known ? is_open(&t->answers, unknown) || is_open(&t->upstream, unknown) : unknown;
}

struct idle_turns idle_turns_of(const struct sample *s, const struct sample_thread *t)
{
	const struct sample_socket_sums *of = &s->processes[t->process].sockets;

	return (struct idle_turns){ s->probe[SAMPLE_TURNS].on, of->answers, of->upstream };
}

bool idle_state(const struct idle_turns *turns, enum lt_state state, uint32_t call)
{
	switch (state) {
	case LT_POLL:
	case LT_SLEEP:
		return !has_open(turns, false);
	case LT_NET:
		return is_accept(call) || !has_open(turns, true);
	default:
		return false;
	}
}

uint64_t idle_in_call(const struct sample *s, const struct sample_thread *t, uint32_t call, uint64_t wait_ns)
{
	const struct idle_turns turns = idle_turns_of(s, t);
	const struct sample_work *w = t->work == SAMPLE_NONE ? NULL : &s->works[t->work];
	uint64_t idle_ns = 0;

	if (wait_ns == SAMPLE_UNKNOWN)
		return 0;
	if (!w)
		return idle_state(&turns, (enum lt_state)t->state, call) ? wait_ns : 0;
	/* The states' time is not known by call: a state that is idle accounts for a wait in a call of its kind. */
	for (int state = 0; state < LT_STATES; state++) {
		uint16_t row = row_of(call);
		enum lt_wait wait = row ? (enum lt_wait)calls[row - 1].wait : LT_WAIT_OTHER;
		bool of_kind = state == LT_POLL	   ? wait == LT_WAIT_POLL || wait == LT_WAIT_RING
			       : state == LT_SLEEP ? wait == LT_WAIT_SLEEP
			       : state == LT_NET ? wait == LT_WAIT_NET || (wait >= LT_WAIT_FD && wait <= LT_WAIT_FD_1_3)
						 : false;

		if (of_kind && idle_state(&turns, (enum lt_state)state, call))
			idle_ns += w->time_ns[state];
	}
	return idle_ns < wait_ns ? idle_ns : wait_ns;
}

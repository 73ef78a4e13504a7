/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system call family off and on while lagtop runs: its hooks are detached, and cost nothing. It changes right after
 * a reading; a reading counts as on only if the hooks were attached in its whole interval, so that no number is short.
 */
#include "probe_kernel.h"

#include <errno.h>

/* Counts again from now on: what threads did meanwhile, no one saw. */
static int calls_again(struct probe *p)
{
	int err;

	pthread_mutex_lock(&p->lock);
	p->skel->bss->lt_seed_calls = true;
	err = probe_iterate(p->seed_link);
	p->skel->bss->lt_seed_calls = false;
	pthread_mutex_unlock(&p->lock);
	if (!err)
		err = probe_attach(p, SAMPLE_SYSCALL);
	if (!err)
		p->skel->data->lt_calls_on = true;
	return err;
}

static void calls_off(struct probe *p, const char *reason)
{
	struct family *f = &p->family[SAMPLE_SYSCALL];

	p->skel->data->lt_calls_on = false;
	probe_detach(p, SAMPLE_SYSCALL);
	p->memory.with_calls = false;
	p->calls = CALLS_DETACHED;
	f->on = false;
	snprintf(f->reason, sizeof(f->reason), "%s", reason);
}

static void calls_on(struct probe *p)
{
	struct family *f = &p->family[SAMPLE_SYSCALL];
	int err = calls_again(p);

	if (err) {
		p->calls = CALLS_NEVER;
		snprintf(f->reason, sizeof(f->reason), "the kernel refuses to attach to system calls again: %s",
			 strerror(-err));
		return;
	}
	/* The next reading is the one that later ones are compared with. */
	p->memory.with_calls = true;
	p->calls = CALLS_BEGIN;
}

void probe_family_begin(struct probe *p)
{
	/* Where perf attaches them, they can be attached only with a capability that is given up. */
	if (p->family[SAMPLE_SYSCALL].on && !strcmp(p->family[SAMPLE_SYSCALL].by, "tp_btf"))
		p->calls = CALLS_ATTACHED;
}

void probe_family_want(struct probe *p, bool calls, const char *reason)
{
	struct family *f = &p->family[SAMPLE_SYSCALL];

	if (p->calls == CALLS_BEGIN) {
		p->calls = CALLS_ATTACHED;
		f->on = true;
		f->reason[0] = '\0';
	}
	if (calls && p->calls == CALLS_DETACHED)
		calls_on(p);
	else if (!calls && p->calls == CALLS_ATTACHED)
		calls_off(p, reason);
}

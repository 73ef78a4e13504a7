/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of processes: read from /proc by helper threads, because a process can make reads of its files block for ever.
 */
#include "probe_kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "privileges.h"
#include "proc.h"

/* The program that looks at one task. A copy: when a helper thread returns late, the probe may be closed. */
static int look_fd = -1;

/* Looks at a thread without blocking. False: it has exited, or the kernel cannot do this. */
static bool look(uint32_t tid, struct lt_look *at)
{
	union bpf_iter_link_info info = { .task.tid = tid };
	DECLARE_LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &info, .iter_info_len = sizeof(info));
	int link = bpf_link_create(look_fd, 0, BPF_TRACE_ITER, &options);
	int iter = link < 0 ? -1 : bpf_iter_create(link);
	struct lt_look all[64];
	bool found = false;
	ssize_t n = 0;

	while (iter >= 0 && !found && (n = read(iter, all, sizeof(all))) > 0) {
		for (size_t i = 0; i < (size_t)n / sizeof(all[0]) && !found; i++) {
			found = all[i].tid == tid;
			*at = all[i];
		}
	}
	if (iter >= 0)
		close(iter);
	if (link >= 0)
		close(link);
	return found;
}

static bool parent(void *ctx, uint32_t pid, uint32_t *ppid)
{
	struct lt_look at;

	(void)ctx;
	if (!look(pid, &at))
		return false;
	*ppid = at.ppid;
	return true;
}

/* In a helper thread. */
static void look_up(struct lookup_request *r)
{
	static size_t (*const read_name[LEDGER_NAMES])(int dir, char **text) = {
		[LEDGER_CMDLINE] = proc_cmdline,
		[LEDGER_CGROUP] = proc_cgroup,
		[LEDGER_COMM] = proc_comm,
		[LEDGER_PARENT] = proc_parent,
	};
	struct lt_look at;
	int dir;

	r->err = r->kind == LEDGER_CMDLINE && lookup_late(r) && look(r->number, &at) && at.memory_locked ? -EBUSY : 0;
	if (r->err)
		return;
	dir = proc_open(r->number, r->start_ns);
	if (dir < 0) {
		r->err = -ESRCH;
		return;
	}
	r->n = read_name[r->kind](dir, &r->text);
	close(dir);
}

static bool ask(void *ctx, enum ledger_name name, uint32_t pid, uint64_t start_ns, uint64_t group)
{
	const struct probe *p = ctx;
	const struct lookup_request r = { .kind = name, .number = pid, .start_ns = start_ns, .tag = group };

	return !lookup_ask(p->lookup, &r);
}

int probe_names_start(struct probe *p)
{
	p->names = (struct ledger_names){ .ask = ask, .parent = parent, .ctx = p, .hidden = *p->hidepid };
	look_fd = bpf_program__fd(p->skel->progs.lt_look);
	p->lookup = lookup_new(look_up);
	return p->lookup ? 0 : -ENOMEM;
}

void probe_names_moved(struct probe *p, const struct lt_event *event)
{
	if (p->n_moved < PROBE_MOVED)
		p->moved[p->n_moved++] = *event;
}

void probe_names_take(struct probe *p)
{
	struct lookup_request *r;

	for (uint32_t i = 0; i < p->n_moved; i++)
		ledger_moved(p->ledger, p->moved[i].tgid, p->moved[i].process_start_ns);
	p->n_moved = 0;
	while ((r = lookup_take(p->lookup))) {
		const struct ledger_answer answer = { .name = r->kind,
						      .pid = r->number,
						      .start_ns = r->start_ns,
						      .group = r->tag,
						      .text = r->text,
						      .n = r->n };

		ledger_answer(p->ledger, &answer);
		lookup_done(r);
	}
}

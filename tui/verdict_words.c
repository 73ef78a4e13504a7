/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The {words} of the sentences of the verdict: what a rule has found, as text. */
#include "verdict.h"

#include <string.h>

#include "format.h"
#include "names.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND_NS 1000000000ULL

static void put_name(FILE *out, const char *comm, uint32_t pid, uint32_t processes)
{
	if (processes > 1)
		fprintf(out, "%s (%u processes)", comm, processes);
	else
		fprintf(out, "%s (%u)", comm, pid);
}

static void put_who(FILE *out, const struct finding *f)
{
	put_name(out, f->of->comm, f->of->pid, f->of->processes);
}

static void put_comm(FILE *out, const struct finding *f)
{
	fputs(f->of->comm, out);
}

static void put_pid(FILE *out, const struct finding *f)
{
	if (f->of->processes == 1)
		fprintf(out, "%u", f->of->pid);
	else
		fputs("PID", out);
}

/* For a shell: a name that means something there is left out. */
static void put_focus(FILE *out, const struct finding *f)
{
	const char *comm = f->of->comm;
	size_t plain = 0;

	while ((comm[plain] >= 'a' && comm[plain] <= 'z') || (comm[plain] >= 'A' && comm[plain] <= 'Z'))
		plain++;
	if (f->of->processes > 1 && plain && !comm[plain]) {
		fprintf(out, "comm=%s", comm);
		return;
	}
	fputs("pid=", out);
	put_pid(out, f);
}

static void put_ns(FILE *out, uint64_t ns)
{
	char text[16];

	fputs(format_ns(text, sizeof(text), ns), out);
}

static void put_time(FILE *out, const struct finding *f)
{
	put_ns(out, f->part_ns);
}

static int percent(uint64_t ns, uint64_t of_ns)
{
	return ns >= of_ns ? 100 : (int)((double)ns * 100 / (double)of_ns + 0.5);
}

/* How many processes of a name were running is not counted. */
static void put_name_of(FILE *out, const struct facts_culprit *c)
{
	if (c->own && c->tid)
		fprintf(out, "its own thread %s (%u)", c->comm, c->tid);
	else if (c->own)
		fputs("its own threads", out);
	else if (c->processes > 1)
		fprintf(out, "%s (several)", c->comm);
	else
		fprintf(out, "%s (%u)", c->comm, c->pid);
}

static void put_culprit(FILE *out, const struct finding *f)
{
	put_name_of(out, f->culprit[0]);
}

static void put_culprits(FILE *out, const struct finding *f)
{
	static const char *const words[SAMPLE_BLAMES] = {
		[SAMPLE_BLAME_CPU] = "behind ",
		[SAMPLE_BLAME_HOLDER] = "for locks held by ",
		[SAMPLE_BLAME_IRQ] = "behind interrupts",
		[SAMPLE_BLAME_STEAL] = "while the hypervisor was running something else",
		[SAMPLE_BLAME_ASLEEP] = "while the CPU was waking from idle",
	};

	for (int i = 0; i < VERDICT_CULPRITS && f->culprit[i]; i++) {
		const struct facts_culprit *c = f->culprit[i];

		fprintf(out, "%s%d%% %s%s", i ? ", " : "", percent(c->ns, f->part_ns), i ? "" : "of it ",
			words[c->kind]);
		if (sample_blame_has_pid(c->kind))
			put_name_of(out, c);
	}
}

static void put_in(FILE *out, const struct finding *f)
{
	if (f->call)
		fprintf(out, ", at least %d%% of it in %s", percent(f->call->in_ns[f->state], f->part_ns),
			names_call(f->call->call));
}

static void put_disk(FILE *out, const struct finding *f)
{
	if (f->disk)
		fprintf(out, "; %s was busy %d%% of the time", f->disk->name,
			percent(f->disk->busy_ns, f->all->interval_ns));
}

static void put_maps(FILE *out, const struct finding *f)
{
	fprintf(out, "%d%%", percent(f->of->map_block_ns, f->part_ns));
}

static void put_call(FILE *out, const struct finding *f)
{
	fputs(names_call(f->call->call), out);
}

static void put_age(FILE *out, const struct finding *f)
{
	if (f->call->oldest_ns < SECOND_NS)
		return;
	fputs("; the longest wait is ", out);
	put_ns(out, f->call->oldest_ns);
	fputs(" so far", out);
}

static void put_remote(FILE *out, const struct finding *f)
{
	fputs(f->socket ? f->socket->remote : "the other end", out);
}

static void put_to(FILE *out, const struct finding *f)
{
	if (f->socket)
		fprintf(out, " to %s", f->socket->remote);
}

static void put_mostly(FILE *out, const struct finding *f)
{
	if (f->socket)
		fprintf(out, ", most of them to %s", f->socket->remote);
}

static void put_local(FILE *out, const struct finding *f)
{
	fputs(f->socket->local, out);
}

static void put_peer(FILE *out, const struct finding *f)
{
	const char *port = strrchr(f->peer->name, ':');

	fputs(f->peer->name, out);
	if (f->peer->comm[0])
		fprintf(out, " (%s %u)", f->peer->comm, f->peer->pid);
	else if (port && !strcmp(port, ":53"))
		fputs(" (DNS)", out);
}

static void put_answers(FILE *out, const struct finding *f)
{
	fprintf(out, "%llu", (unsigned long long)f->peer->count);
}

static void put_median(FILE *out, const struct finding *f)
{
	put_ns(out, model_dist_of(f->peer->hist, f->peer->max_ns).p50_ns);
}

static void put_slowest(FILE *out, const struct finding *f)
{
	put_ns(out, f->peer->max_ns);
}

static void put_oldest(FILE *out, const struct finding *f)
{
	put_ns(out, f->peer->oldest_ns);
}

static void put_queue(FILE *out, const struct finding *f)
{
	fprintf(out, "%llu of %llu", (unsigned long long)f->socket->queue, (unsigned long long)f->socket->queue_max);
}

static void put_drops(FILE *out, const struct finding *f)
{
	if (f->socket->drops)
		fprintf(out, "; %llu connections were dropped", (unsigned long long)f->socket->drops);
}

static void put_dropped(FILE *out, const struct finding *f)
{
	fprintf(out, "%llu", (unsigned long long)f->socket->drops);
}

static void put_again(FILE *out, const struct finding *f)
{
	fprintf(out, "%llu", (unsigned long long)f->of->counter[COUNTER_retransmits]);
}

static void put_failed(FILE *out, const struct finding *f)
{
	fprintf(out, "%llu", (unsigned long long)f->error->count);
}

static void put_calls(FILE *out, const struct finding *f)
{
	fprintf(out, "%llu", (unsigned long long)f->call->count);
}

static void put_errno(FILE *out, const struct finding *f)
{
	fputs(names_errno(f->error->error), out);
}

static void put_killed(FILE *out, const struct finding *f)
{
	fprintf(out, f->of->killed_for_memory == 1 ? "%llu process was" : "%llu processes were",
		(unsigned long long)f->of->killed_for_memory);
}

static void put_started(FILE *out, const struct finding *f)
{
	fprintf(out, "%llu", (unsigned long long)f->of->started);
}

static void put_rate(FILE *out, const struct finding *f)
{
	char text[16];

	fputs(format_count(text, sizeof(text), (double)f->of->started * 1e9 / (double)f->all->interval_ns), out);
}

static const struct {
	const char *name;
	void (*put)(FILE *out, const struct finding *f);
} words[] = {
	{ "who", put_who },	  { "comm", put_comm },	      { "pid", put_pid },
	{ "time", put_time },	  { "culprit", put_culprit }, { "culprits", put_culprits },
	{ "focus", put_focus },	  { "to", put_to },	      { "mostly", put_mostly },
	{ "in", put_in },	  { "maps", put_maps },	      { "disk", put_disk },
	{ "call", put_call },	  { "age", put_age },	      { "remote", put_remote },
	{ "local", put_local },	  { "peer", put_peer },	      { "answers", put_answers },
	{ "median", put_median }, { "slowest", put_slowest }, { "oldest", put_oldest },
	{ "queue", put_queue },	  { "drops", put_drops },     { "dropped", put_dropped },
	{ "again", put_again },	  { "failed", put_failed },   { "calls", put_calls },
	{ "errno", put_errno },	  { "killed", put_killed },   { "started", put_started },
	{ "rate", put_rate },
};

void verdict_expand(char buf[VERDICT_TEXT], const char *text, const struct finding *f)
{
	FILE *out = fmemopen(buf, VERDICT_TEXT, "w");

	buf[0] = '\0';
	if (!out)
		return;
	while (*text) {
		size_t len = strcspn(text, "{"), word;

		fwrite(text, 1, len, out);
		text += len;
		if (!*text)
			break;
		word = strcspn(++text, "}");
		for (size_t i = 0; i < COUNT(words); i++)
			if (strlen(words[i].name) == word && !strncmp(words[i].name, text, word))
				words[i].put(out, f);
		text += word + 1;
	}
	fclose(out);
	buf[VERDICT_TEXT - 1] = '\0';
}

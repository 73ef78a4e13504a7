/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packing for the history. First the data is laid out as words: the process, then each of its threads with its work and
 * calls, each followed by its own buckets and errors; indices are left out, a text's offset becomes its length. Then
 * zeros are removed: a byte gives the kinds of the next two words, 0 to 14, and is followed by their bytes; or it
 * stands for a number of pairs of zeros.
 */
#include "history_pack.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

#define WORD sizeof(uint64_t)
_Static_assert(sizeof(struct sample_process) % WORD == 0 && sizeof(struct sample_thread) % WORD == 0 &&
		       sizeof(struct sample_work) % WORD == 0 && sizeof(struct sample_call) % WORD == 0 &&
		       sizeof(struct sample_bucket) % WORD == 0 && sizeof(struct sample_errno) % WORD == 0 &&
		       sizeof(struct sample_connection) % WORD == 0 && sizeof(struct sample_cpu) % WORD == 0 &&
		       sizeof(struct sample_disk) % WORD == 0 && sizeof(struct sample_peer) % WORD == 0 &&
		       sizeof(struct sample_disk_group) % WORD == 0 && sizeof(struct sample_because) % WORD == 0 &&
		       sizeof(struct sample_mark) % WORD == 0,
	       "elements are whole words");

/* Room for n more words; NULL and failed: out of memory. */
static uint64_t *more_words(struct history_pack *p, size_t n)
{
	uint64_t *words;

	if (!GROW(p->words, p->cap_words, p->n_words + n)) {
		p->failed = true;
		return NULL;
	}
	words = p->words + p->n_words;
	p->n_words += n;
	return words;
}

static void begin(struct history_pack *p)
{
	p->n_words = p->n_texts = 0;
	p->failed = false;
}

/* Returns its length. */
static uint32_t add_text(struct history_pack *p, const char *text)
{
	size_t n = strlen(text);

	if (!n)
		return 0;
	if (!GROW(p->texts, p->cap_texts, p->n_texts + n)) {
		p->failed = true;
		return 0;
	}
	memcpy(p->texts + p->n_texts, text, n);
	p->n_texts += n;
	return (uint32_t)n;
}

static void add(struct history_pack *p, const void *element, size_t size)
{
	uint64_t *words = more_words(p, (size + WORD - 1) / WORD);

	if (!words || !size)
		return;
	if (size % WORD)
		words[size / WORD] = 0;
	memcpy(words, element, size);
}

static unsigned int length(uint64_t word)
{
	return word ? WORD - (unsigned int)__builtin_clzll(word) / 8 : 0;
}

/* Kinds of words: 0 to 8 is their number of bytes. From PAIR on two small numbers of 32 bits: the first of 0 to 2
 * bytes, the second of 1 or 2. ZEROS: no word; the other kind and two more give the pairs of zeros. */
#define PAIR 9
#define ZEROS 15
#define ZEROS_LEAST 2
#define ZEROS_MOST (ZEROS_LEAST + 15)

static unsigned int pair_low(unsigned int kind)
{
	return (kind - PAIR) / 2;
}

static unsigned int kind_bytes(unsigned int kind)
{
	return kind < PAIR ? kind : pair_low(kind) + (kind - PAIR) % 2 + 1;
}

/* The kind of a word; the word becomes what is written for it. */
static unsigned int kind_of(uint64_t *word)
{
	uint64_t low = (uint32_t)*word, high = *word >> 32;
	unsigned int bytes;

	if (!high || high > UINT16_MAX || low > UINT16_MAX)
		return length(*word);
	bytes = length(low);
	*word = low | high << 8 * bytes;
	return PAIR + 2 * bytes + (high > UINT8_MAX);
}

/* How many pairs of zeros come next. */
static unsigned int zeros(const struct history_pack *p, size_t i)
{
	unsigned int n = 0;

	while (n < ZEROS_MOST && i + 1 < p->n_words && !(p->words[i] | p->words[i + 1])) {
		i += 2;
		n++;
	}
	return n;
}

static int encode(struct history_pack *p)
{
	size_t most = (p->n_words + 1) * (WORD + 1) + WORD;
	unsigned int first, second, n;
	uint64_t words[2];
	uint8_t *to;

	if (p->failed || !GROW(p->bytes, p->cap_bytes, most))
		return -ENOMEM;
	to = p->bytes;
	for (size_t i = 0; i < p->n_words; i += 2) {
		words[0] = p->words[i];
		words[1] = i + 1 < p->n_words ? p->words[i + 1] : 0;
		if (!(words[0] | words[1]) && (n = zeros(p, i)) >= ZEROS_LEAST) {
			*to++ = (uint8_t)(ZEROS | (n - ZEROS_LEAST) << 4);
			i += 2 * (n - 1);
			continue;
		}
		first = kind_of(&words[0]);
		second = kind_of(&words[1]);
		*to++ = (uint8_t)(first | second << 4);
		/* Writes whole words; the next one overwrites the excess bytes. */
		words[0] = htole64(words[0]);
		words[1] = htole64(words[1]);
		memcpy(to, &words[0], WORD);
		memcpy(to + kind_bytes(first), &words[1], WORD);
		to += kind_bytes(first) + kind_bytes(second);
	}
	p->n_bytes = (size_t)(to - p->bytes);
	return 0;
}

static uint64_t number(const uint8_t *bytes, unsigned int n)
{
	uint64_t word = 0;

	while (n--)
		word = word << 8 | bytes[n];
	return word;
}

static uint64_t word_of(unsigned int kind, const uint8_t *bytes)
{
	unsigned int n = kind_bytes(kind), low;

	if (kind < PAIR)
		return number(bytes, n);
	low = pair_low(kind);
	return number(bytes, low) | number(bytes + low, n - low) << 32;
}

/* Unpacks n bytes into words, an even number. 0 or -ENOMEM. */
static int decode(struct history_pack *p, const uint8_t *bytes, size_t n)
{
	const uint8_t *end = bytes + n;
	unsigned int kinds;
	uint64_t *words;

	p->n_words = 0;
	p->failed = false;
	while (bytes < end) {
		kinds = *bytes++;
		n = (kinds & 15) == ZEROS ? 2 * (kinds / 16 + ZEROS_LEAST) : 2;
		words = more_words(p, n);
		if (!words)
			return -ENOMEM;
		if (n > 2) {
			memset(words, 0, n * WORD);
			continue;
		}
		for (unsigned int k = 0; k < 2; k++, kinds >>= 4) {
			words[k] = word_of(kinds & 15, bytes);
			bytes += kind_bytes(kinds & 15);
		}
	}
	return 0;
}

static void add_dist(struct history_pack *p, const struct sample *s, const struct sample_dist *d)
{
	if (d->n)
		add(p, &s->buckets[d->first], d->n * sizeof(*s->buckets));
}

/* Most calls begin and end in one interval, and many are the only one: equal fields are stored as 0. */
static void delta_call(struct sample_call *c)
{
	c->time_ns ^= c->total_ns;
	if (c->count == 1)
		c->latency.max_ns ^= c->total_ns;
}

static void add_call(struct history_pack *p, const struct sample *s, const struct sample_call *call)
{
	struct sample_call c = *call;

	c.latency.first = c.first_errno = 0;
	delta_call(&c);
	add(p, &c, sizeof(c));
	add_dist(p, s, &call->latency);
	if (call->n_errnos)
		add(p, &s->errnos[call->first_errno], call->n_errnos * sizeof(*s->errnos));
}

static void add_peers(struct history_pack *p, const struct sample *s, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		struct sample_peer peer = s->peers[i];

		peer.upstream.first = 0;
		if (peer.open.n && peer.open.n != SAMPLE_UNKNOWN)
			peer.open.oldest_ns = s->t_ns - peer.open.oldest_ns;
		add(p, &peer, sizeof(peer));
		add_dist(p, s, &s->peers[i].upstream);
	}
}

static void add_because(struct history_pack *p, const struct sample *s, uint32_t first, uint32_t n)
{
	if (n)
		add(p, &s->because[first], n * sizeof(*s->because));
}

static void add_work(struct history_pack *p, const struct sample *s, const struct sample_work *work)
{
	struct sample_work w = *work;

	w.first_call = w.first_peer = w.first_because = 0;
	for (uint32_t i = 0; i < LT_THREAD_DISTS; i++)
		w.dist[i].first = 0;
	add(p, &w, sizeof(w));
	for (uint32_t i = 0; i < LT_THREAD_DISTS; i++)
		add_dist(p, s, &work->dist[i]);
	for (uint32_t i = 0; i < work->n_calls; i++)
		add_call(p, s, &s->calls[work->first_call + i]);
	add_peers(p, s, work->first_peer, work->n_peers);
	add_because(p, s, work->first_because, work->n_because);
}

/* Most processes have one thread. */
static void delta_thread(struct sample_thread *t, const struct sample_process *process)
{
	t->tid ^= process->pid;
	t->start_ns ^= process->start_ns;
}

static void add_thread(struct history_pack *p, const struct sample *s, const struct sample_process *process,
		       const struct sample_thread *thread)
{
	struct sample_thread t = *thread;

	delta_thread(&t, process);
	t.process = 0;
	t.work = thread->work == SAMPLE_NONE ? SAMPLE_NONE : 0;
	t.wall_ns = s->interval_ns - t.wall_ns;
	if (t.call != LT_CALL_NONE)
		t.call_age_ns = s->t_ns - t.call_age_ns;
	add(p, &t, sizeof(t));
	if (thread->work != SAMPLE_NONE)
		add_work(p, s, &s->works[thread->work]);
}

/* The arrays with their lengths come last. */
#define HOST_BYTES offsetof(struct sample, processes)

int history_pack_host(struct history_pack *p, const struct sample *s)
{
	begin(p);
	add(p, s, HOST_BYTES);
	add(p, &s->n_cpus, sizeof(s->n_cpus));
	add(p, s->cpus, s->n_cpus * sizeof(*s->cpus));
	add(p, &s->n_marks, sizeof(s->n_marks));
	add(p, s->marks, s->n_marks * sizeof(*s->marks));
	return encode(p);
}

int history_pack_process(struct history_pack *p, const struct sample *s, const struct sample_process *process)
{
	struct sample_process head = *process;

	begin(p);
	head.first_thread = head.first_because = head.sockets.connect.first = head.sockets.first_peer = 0;
	head.comm = add_text(p, sample_text(s, process->comm));
	head.cmdline = add_text(p, sample_text(s, process->cmdline));
	head.cgroup = add_text(p, sample_text(s, process->cgroup));
	head.killer_comm = add_text(p, sample_text(s, process->killer_comm));
	add(p, &head, sizeof(head));
	add_dist(p, s, &process->sockets.connect);
	add_peers(p, s, process->sockets.first_peer, process->sockets.n_peers);
	add_because(p, s, process->first_because, process->n_because);
	for (uint32_t i = 0; i < process->n_threads; i++)
		add_thread(p, s, process, &s->threads[process->first_thread + i]);
	return encode(p);
}

int history_pack_connection(struct history_pack *p, const struct sample *s, const struct sample_connection *connection)
{
	struct sample_connection c = *connection;

	begin(p);
	if (c.age_ns != SAMPLE_UNKNOWN)
		c.age_ns = s->t_ns - c.age_ns;
	add(p, &c, sizeof(c));
	return encode(p);
}

int history_pack_disk(struct history_pack *p, const struct sample *s, const struct sample_disk *disk)
{
	struct sample_disk d = *disk;

	begin(p);
	d.name = add_text(p, sample_text(s, disk->name));
	for (int i = 0; i < LT_DISK_PARTS; i++)
		d.latency[i].first = 0;
	add(p, &d, sizeof(d));
	for (int i = 0; i < LT_DISK_PARTS; i++)
		add_dist(p, s, &disk->latency[i]);
	for (uint32_t i = 0; i < disk->n_groups; i++) {
		struct sample_disk_group group = s->disk_groups[disk->first_group + i];

		group.name = add_text(p, sample_text(s, group.name));
		add(p, &group, sizeof(group));
	}
	return encode(p);
}

/* Reads what was laid out, from the first word on. */
struct cursor {
	const uint64_t *at;
	const char *texts;
	struct sample *to;
	bool failed; /* out of memory */
};

static const void *take(struct cursor *c, size_t size)
{
	const void *at = c->at;

	c->at += (size + WORD - 1) / WORD;
	return at;
}

static void take_dist(struct cursor *c, struct sample_dist *d)
{
	const struct sample_bucket *from = take(c, d->n * sizeof(*from));
	struct sample_bucket *b;

	d->first = c->to->n_buckets;
	for (uint32_t i = 0; i < d->n; i++) {
		b = sample_add_bucket(c->to);
		if (b)
			*b = from[i];
		c->failed |= !b;
	}
}

static void take_call(struct cursor *c)
{
	const struct sample_call *from = take(c, sizeof(*from));
	struct sample_call *call = sample_add_call(c->to);
	const struct sample_errno *errnos;
	struct sample_errno *e;

	c->failed |= !call;
	if (c->failed)
		return;
	*call = *from;
	delta_call(call);
	take_dist(c, &call->latency);
	errnos = take(c, call->n_errnos * sizeof(*errnos));
	call->first_errno = c->to->n_errnos;
	for (uint32_t i = 0; i < call->n_errnos; i++) {
		e = sample_add_errno(c->to);
		if (e)
			*e = errnos[i];
		c->failed |= !e;
	}
}

static void take_peers(struct cursor *c, uint32_t *first, uint32_t n)
{
	*first = c->to->n_peers;
	for (uint32_t i = 0; i < n && !c->failed; i++) {
		const struct sample_peer *from = take(c, sizeof(*from));
		struct sample_peer *peer = sample_add_peer(c->to);

		c->failed |= !peer;
		if (c->failed)
			return;
		*peer = *from;
		if (peer->open.n && peer->open.n != SAMPLE_UNKNOWN)
			peer->open.oldest_ns = c->to->t_ns - peer->open.oldest_ns;
		take_dist(c, &peer->upstream);
	}
}

static void take_because(struct cursor *c, uint32_t *first, uint32_t n)
{
	const struct sample_because *from = take(c, n * sizeof(*from));

	*first = c->to->n_because;
	for (uint32_t i = 0; i < n; i++) {
		struct sample_because *b = sample_add_because(c->to);

		if (b)
			*b = from[i];
		c->failed |= !b;
	}
}

static void take_work(struct cursor *c)
{
	const struct sample_work *from = take(c, sizeof(*from));
	struct sample_work *w = sample_add_work(c->to);

	c->failed |= !w;
	if (c->failed)
		return;
	*w = *from;
	for (uint32_t i = 0; i < LT_THREAD_DISTS; i++)
		take_dist(c, &w->dist[i]);
	w->first_call = c->to->n_calls;
	for (uint32_t i = 0; i < w->n_calls && !c->failed; i++)
		take_call(c);
	if (!c->failed)
		take_peers(c, &w->first_peer, w->n_peers);
	if (!c->failed)
		take_because(c, &w->first_because, w->n_because);
}

static void take_thread(struct cursor *c)
{
	const struct sample_thread *from = take(c, sizeof(*from));
	struct sample_thread *t = sample_add_thread(c->to);

	c->failed |= !t;
	if (c->failed)
		return;
	*t = *from;
	t->process = c->to->n_processes - 1;
	delta_thread(t, &c->to->processes[t->process]);
	t->wall_ns = c->to->interval_ns - t->wall_ns;
	if (t->call != LT_CALL_NONE)
		t->call_age_ns = c->to->t_ns - t->call_age_ns;
	if (t->work == SAMPLE_NONE)
		return;
	t->work = c->to->n_works;
	take_work(c);
}

static uint32_t take_text(struct cursor *c, uint32_t len)
{
	uint32_t at = sample_add_text(c->to, c->texts, len);

	c->texts += len;
	c->failed |= len && !at;
	return at;
}

int history_unpack_host(struct history_pack *p, const uint8_t *bytes, size_t n, struct sample *s)
{
	struct cursor c = { .to = s };
	uint32_t n_cpus, n_marks;

	if (decode(p, bytes, n))
		return -ENOMEM;
	c.at = p->words;
	memcpy(s, take(&c, HOST_BYTES), HOST_BYTES);
	n_cpus = *(const uint32_t *)take(&c, sizeof(n_cpus));
	for (uint32_t i = 0; i < n_cpus; i++) {
		struct sample_cpu *cpu = sample_add_cpu(s);

		if (!cpu)
			return -ENOMEM;
		memcpy(cpu, take(&c, sizeof(*cpu)), sizeof(*cpu));
	}
	n_marks = *(const uint32_t *)take(&c, sizeof(n_marks));
	for (uint32_t i = 0; i < n_marks; i++) {
		struct sample_mark *mark = sample_add_mark(s);

		if (!mark)
			return -ENOMEM;
		memcpy(mark, take(&c, sizeof(*mark)), sizeof(*mark));
	}
	return 0;
}

int history_unpack_process(struct history_pack *p, const uint8_t *bytes, size_t n, const char *texts, struct sample *s)
{
	struct cursor c = { .texts = texts, .to = s };
	struct sample_process *process;

	if (decode(p, bytes, n))
		return -ENOMEM;
	c.at = p->words;
	process = sample_add_process(s);
	if (!process)
		return -ENOMEM;
	*process = *(const struct sample_process *)take(&c, sizeof(*process));
	process->comm = take_text(&c, process->comm);
	process->cmdline = take_text(&c, process->cmdline);
	process->cgroup = take_text(&c, process->cgroup);
	process->killer_comm = take_text(&c, process->killer_comm);
	take_dist(&c, &process->sockets.connect);
	take_peers(&c, &process->sockets.first_peer, process->sockets.n_peers);
	take_because(&c, &process->first_because, process->n_because);
	process->first_thread = s->n_threads;
	for (uint32_t i = 0; i < process->n_threads && !c.failed; i++)
		take_thread(&c);
	return c.failed ? -ENOMEM : 0;
}

int history_unpack_connection(struct history_pack *p, const uint8_t *bytes, size_t n, struct sample *s)
{
	struct sample_connection *c;

	if (decode(p, bytes, n))
		return -ENOMEM;
	c = sample_add_connection(s);
	if (!c)
		return -ENOMEM;
	memcpy(c, p->words, sizeof(*c));
	if (c->age_ns != SAMPLE_UNKNOWN)
		c->age_ns = s->t_ns - c->age_ns;
	return 0;
}

int history_unpack_disk(struct history_pack *p, const uint8_t *bytes, size_t n, const char *texts, struct sample *s)
{
	struct cursor c = { .texts = texts, .to = s };
	struct sample_disk *d;

	if (decode(p, bytes, n))
		return -ENOMEM;
	c.at = p->words;
	d = sample_add_disk(s);
	if (!d)
		return -ENOMEM;
	*d = *(const struct sample_disk *)take(&c, sizeof(*d));
	d->name = take_text(&c, d->name);
	for (int i = 0; i < LT_DISK_PARTS; i++)
		take_dist(&c, &d->latency[i]);
	d->first_group = s->n_disk_groups;
	for (uint32_t i = 0; i < d->n_groups && !c.failed; i++) {
		struct sample_disk_group *group = sample_add_disk_group(s);

		c.failed |= !group;
		if (!group)
			break;
		*group = *(const struct sample_disk_group *)take(&c, sizeof(*group));
		group->name = take_text(&c, group->name);
	}
	return c.failed ? -ENOMEM : 0;
}

void history_pack_free(struct history_pack *p)
{
	free(p->words);
	free(p->bytes);
	free(p->texts);
	*p = (struct history_pack){ 0 };
}

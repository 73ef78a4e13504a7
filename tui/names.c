/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of numbers, cached: libseccomp searches and allocates each time. Users' names come from helper threads, because
 * the name services may ask a directory server, which may be slow or temporarily unreachable.
 */
#include "names.h"

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "lagtop.h"
#include "lookup.h"
#include "users.h"

#define NSEC_PER_SEC 1000000000ULL
#define USER_TRIES 8 /* at this interval, then less and less often, finally every minute */
#define USER_RETRY_NS (NSEC_PER_SEC / 2)
#define USER_ANEW_NS (600 * NSEC_PER_SEC) /* the user may have been renamed */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A number's name, in a cache that grows only by numbers that occurred. */
struct name {
	uint32_t number;
	UT_hash_handle hh;
	char text[];
};

static const char *cache_find(struct name *cache, uint32_t number)
{
	struct name *n = NULL;

	HASH_FIND(hh, cache, &number, sizeof(number), n);
	return n ? n->text : NULL;
}

static const char *cache_add(struct name **cache, uint32_t number, const char *text)
{
	struct name *n = malloc(sizeof(*n) + strlen(text) + 1);

	if (!n)
		return "?";
	n->number = number;
	strcpy(n->text, text);
	HASH_ADD(hh, *cache, number, sizeof(n->number), n);
	if (!n->hh.tbl) {
		free(n);
		return "?";
	}
	return n->text;
}

static uint32_t arch_of(uint32_t call)
{
	uint32_t native = seccomp_arch_native();

	switch (LT_CALL_ABI(call)) {
	case LT_ABI_COMPAT:
		return native == SCMP_ARCH_AARCH64 ? SCMP_ARCH_ARM : SCMP_ARCH_X86;
	case LT_ABI_X32:
		return SCMP_ARCH_X32;
	default:
		return native;
	}
}

/* Calls newer than libseccomp 2.5; from 424 on all architectures share their numbers, except for a few of x86_64. */
static const char *const new_calls[] = {
	"statmount",	"listmount",  "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal",
	"setxattrat",	"getxattrat", "listxattrat",	   "removexattrat",	"open_tree_attr",   "file_getattr",
	"file_setattr", "listns",     "rseq_slice_yield",
};
#define FIRST_NEW_CALL 457
#define NEW_X86_64_URETPROBE 335
#define NEW_X86_64_UPROBE 336

static const char *new_call(uint32_t call)
{
	uint32_t nr = LT_CALL_NR(call), arch = arch_of(call);

	if (nr >= FIRST_NEW_CALL && nr < FIRST_NEW_CALL + COUNT(new_calls))
		return new_calls[nr - FIRST_NEW_CALL];
	if (arch != SCMP_ARCH_X86_64 && arch != SCMP_ARCH_X32)
		return NULL;
	return nr == NEW_X86_64_URETPROBE ? "uretprobe" : nr == NEW_X86_64_UPROBE ? "uprobe" : NULL;
}

const char *names_call(uint32_t call)
{
	static struct name *cache;
	const char *known = cache_find(cache, call);
	uint32_t nr = LT_CALL_NR(call);
	char *name, number[16];

	if (known)
		return known;
	if (call == LT_CALL_OTHERS)
		return "others";
	known = new_call(call);
	if (known)
		return known;
	name = seccomp_syscall_resolve_num_arch(arch_of(call), (int)nr);
	snprintf(number, sizeof(number), "#%u", nr);
	known = cache_add(&cache, call, name ? name : number);
	free(name);
	return known;
}

const char *names_abi(uint32_t call)
{
	switch (arch_of(call)) {
	case SCMP_ARCH_X86_64:
		return "x86_64";
	case SCMP_ARCH_X86:
		return "i386";
	case SCMP_ARCH_X32:
		return "x32";
	case SCMP_ARCH_AARCH64:
		return "aarch64";
	case SCMP_ARCH_ARM:
		return "arm";
	default:
		return "native";
	}
}

const char *names_errno(uint32_t error)
{
	static struct name *cache;
	const char *name = NULL;
	char number[16];

	if (!error)
		return "others";
#ifdef __GLIBC__
	name = strerrorname_np((int)error);
#endif
	if (!name) {
		name = cache_find(cache, error);
		if (name)
			return name;
		snprintf(number, sizeof(number), "E%u", error);
		name = cache_add(&cache, error, number);
	}
	return name;
}

struct former_name {
	struct former_name *next;
	const char *text;
};

/* The text shown for a user: its name, or its number until the name is known. */
struct user {
	uint32_t uid;
	bool asked;		   /* and no answer yet */
	unsigned tries;		   /* failed ones */
	uint64_t asked_ns, ask_ns; /* last; not before that */
	UT_hash_handle hh;
	const char *text;
	struct former_name *former;
};

static struct user *users;
static struct lookup *user_lookup;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

/* In a helper thread: the name services may ask a server. */
static void look_up_user(struct lookup_request *r)
{
	char *name;

	r->err = users_name(r->number, &name);
	if (name)
		lookup_answer(r, name, strlen(name));
	free(name);
}

/* The name in /etc/passwd, used until the name services have answered. */
static char *local_user(uint32_t uid)
{
	char *name = users_local_name(uid);

	if (!name && asprintf(&name, "%u", uid) < 0)
		name = NULL;
	return name;
}

static void user_ask(struct user *u)
{
	const struct lookup_request ask = { .number = u->uid };

	if (!user_lookup)
		user_lookup = lookup_new(look_up_user);
	u->asked = user_lookup && !lookup_ask(user_lookup, &ask);
	u->asked_ns = now_ns();
}

const char *names_user(uint32_t uid)
{
	struct user *u;

	HASH_FIND(hh, users, &uid, sizeof(uid), u);
	if (u)
		return u->text;
	u = calloc(1, sizeof(*u));
	if (!u)
		return "?";
	u->uid = uid;
	u->text = local_user(uid);
	HASH_ADD(hh, users, uid, sizeof(u->uid), u);
	if (!u->text || !u->hh.tbl) { /* out of memory: the struct is leaked */
		u->text = "?";
		return u->text;
	}
	user_ask(u);
	return u->text;
}

/* Rows may still show the old name: it stays allocated, and is reused if the user gets it again. */
static void user_rename(struct user *u, const char *text)
{
	struct former_name *f = u->former;
	const char *now = u->text;

	while (f && strcmp(f->text, text) != 0)
		f = f->next;
	if (f) {
		u->text = f->text;
		f->text = now;
		return;
	}
	f = malloc(sizeof(*f));
	now = f ? strdup(text) : NULL;
	if (!now) {
		free(f);
		return;
	}
	*f = (struct former_name){ u->former, u->text };
	u->former = f;
	u->text = now;
}

static void user_answer(struct user *u, const struct lookup_request *r)
{
	unsigned more = u->tries > USER_TRIES ? u->tries - USER_TRIES : 0;

	u->asked = false;
	u->ask_ns = u->asked_ns + (r->n ? USER_ANEW_NS : USER_RETRY_NS << (more < 7 ? more : 7));
	u->tries = r->n ? 0 : u->tries + 1;
	if (r->n && strcmp(u->text, r->text) != 0)
		user_rename(u, r->text);
}

void names_update(void)
{
	uint64_t t_ns = now_ns();
	struct lookup_request *r;
	struct user *u;

	while (user_lookup && (r = lookup_take(user_lookup))) {
		HASH_FIND(hh, users, &r->number, sizeof(r->number), u);
		if (u)
			user_answer(u, r);
		lookup_done(r);
	}
	for (struct user *each = users; each; each = each->hh.next) {
		if (!each->asked && t_ns >= each->ask_ns)
			user_ask(each);
	}
}

const char *names_state(uint8_t state)
{
	static const char *const names[] = {
#define X(NAME, name, ...) [LT_##NAME] = #name,
		LT_STATE_TABLE(X)
#undef X
			[LT_NEW] = "new",
		[LT_DEAD] = "dead",
	};

	return state < COUNT(names) && names[state] ? names[state] : "?";
}

const char *names_tcp_state(uint8_t state)
{
	static const char *const names[] = {
		NULL,	  "ESTAB",	"SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
		"UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN",	"CLOSING",    "SYN-RECV",   "BOUND",
	};

	return state < COUNT(names) ? names[state] : NULL;
}

const char *names_proto(uint8_t proto)
{
	static const char *const names[] = { "tcp", "udp", "inet", "unix", "other" };

	return proto < COUNT(names) ? names[proto] : "?";
}

const char *names_disk_op(uint8_t op)
{
	static const char *const names[LT_DISK_OPS] = { "read", "write", "discard", "flush" };

	return op < LT_DISK_OPS ? names[op] : "?";
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bench: what lagtop costs what it watches (default) and real servers (--servers), and what its front end
 * costs (--front). */
#include "bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool bench_chosen(const char *name, char **words, const char *(*name_of)(size_t))
{
	bool any = false;

	for (; *words; words++) {
		if (strstr(name, *words))
			return true;
		for (size_t i = 0; name_of(i); i++)
			any |= strstr(name_of(i), *words) != NULL;
	}
	return !any;
}

static int usage(int status)
{
	fprintf(status ? stderr : stdout, "usage: bench [-n ROUNDS] [-o FILE.csv] [--families] [--peers]\n"
					  "             [--against LAGTOP] [WORKLOAD…]\n"
					  "       bench --programs [-n ROUNDS] [--against LAGTOP]\n"
					  "       bench --past [-n SECONDS]\n"
					  "       bench --front [-n READINGS] [-o FILE.csv] [PROGRAM…] [CROWD…]\n"
					  "       bench --servers [-n ROUNDS] [-s SECONDS] [-o FILE.csv] [SERVER…] "
					  "[WATCHER…]\n");
	return status;
}

/* -1: not a number in [least, most]. */
static double number(const char *text, double least, double most)
{
	char *end;
	double n = strtod(text, &end);

	return end != text && !*end && n >= least && n <= most ? n : -1;
}

enum mode { EVENTS, PROGRAMS, SERVERS, FRONT, PAST, SELF };

int main(int argc, char **argv)
{
	static int mode = EVENTS, families, peers;
	static const struct option options[] = {
		{ "families", no_argument, &families, true },
		{ "peers", no_argument, &peers, true },
		{ "servers", no_argument, &mode, SERVERS },
		{ "front", no_argument, &mode, FRONT },
		{ "self", no_argument, &mode, SELF },
		{ "past", no_argument, &mode, PAST },
		{ "programs", no_argument, &mode, PROGRAMS },
		{ "against", required_argument, NULL, 'a' },
		{ "rounds", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 's' },
		{ "csv", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	double seconds = 2, n = 0;
	const char *csv = NULL, *other = NULL;

	for (int c; (c = getopt_long(argc, argv, "n:o:s:h", options, NULL)) >= 0;) {
		if (c == 's')
			seconds = number(optarg, 0.1, 60);
		else if (c == 'n')
			n = number(optarg, 1, BENCH_ROUNDS);
		else if (c == 'o')
			csv = optarg;
		else if (c == 'a')
			other = optarg;
		else if (c)
			return usage(c == 'h' ? 0 : 2);
		if (n < 0 || seconds < 0)
			return usage(2);
	}
	if (geteuid()) {
		fprintf(stderr, "bench: needs root\n");
		return 1;
	}
	argv += optind;
	switch (mode) {
	case PROGRAMS:
		return bench_programs(n ? (int)n : 30, other);
	case SELF:
		return bench_self(n ? (int)n : 5);
	case PAST:
		return bench_past(n ? (int)n : 60);
	case FRONT:
		return bench_front(n ? (int)n : 10, csv ? csv : "build/bench-front.csv", argv);
	case SERVERS:
		return bench_servers(n ? (int)n : 20, seconds, csv ? csv : "build/bench-servers.csv", argv);
	default:
		return bench_events(n ? (int)n : 15, families, peers, other, csv ? csv : "build/bench.csv", argv);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bench: what lagtop costs what it watches (default), and what its front end costs (--front). */
#include "bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int usage(int status)
{
	fprintf(status ? stderr : stdout, "usage: bench [-n ROUNDS] [-o FILE.csv] [--families] [--peers] [WORKLOAD…]\n"
					  "       bench --past [-n SECONDS]\n"
					  "       bench --front [-n READINGS] [-o FILE.csv] [PROGRAM…] [CROWD…]\n");
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "families", no_argument, NULL, 'f' },
		{ "peers", no_argument, NULL, 'p' },
		{ "front", no_argument, NULL, 'F' },
		{ "self", no_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'n' },
		{ "csv", required_argument, NULL, 'o' },
		{ "past", no_argument, NULL, 'P' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	bool families = false, peers = false, front = false, self = false, past = false;
	const char *csv = NULL;
	int n = 0;

	for (int c; (c = getopt_long(argc, argv, "n:o:h", options, NULL)) >= 0;) {
		switch (c) {
		case 'f':
			families = true;
			break;
		case 'p':
			peers = true;
			break;
		case 'P':
			past = true;
			break;
		case 'F':
			front = true;
			break;
		case 's':
			self = true;
			break;
		case 'n':
			n = atoi(optarg);
			if (n < 1 || n > BENCH_ROUNDS)
				return usage(2);
			break;
		case 'o':
			csv = optarg;
			break;
		case 'h':
			return usage(0);
		default:
			return usage(2);
		}
	}
	if (geteuid()) {
		fprintf(stderr, "bench: needs root\n");
		return 1;
	}
	if (self)
		return bench_self(n ? n : 5);
	if (past)
		return bench_past(n ? n : 60);
	if (front)
		return bench_front(n ? n : 10, csv ? csv : "build/bench-front.csv", argv + optind);
	return bench_events(n ? n : 15, families, peers, csv ? csv : "build/bench.csv", argv + optind);
}

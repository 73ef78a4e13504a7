#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The counting tests once more, with a lagtop that user nobody starts with two file capabilities. Prints TAP.
cd "$(dirname "$0")/.." || exit 1
export LIVE_NOBODY=1
status=0
while read -r program tests; do
	ONLY=$tests "build/tests/$program" </dev/null || status=1
done <<-END
	live_counts test_getppid*
	live_counts test_fork*
	live_counts test_threads
	live_calls test_mixed*
	live_net test_tcp*
END
exit $status

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzes each parser from its seeds in tests/corpus, under ASan and UBSan: FUZZ_SECONDS each, keeping new inputs in
# build/corpus; by default 3 s each, and nothing is kept. An input that breaks something is left in build/fuzz. Prints
# TAP.
set -u
cd "$(dirname "$0")/.." || exit 1
learned=build/corpus
if [ -z "${FUZZ_SECONDS-}" ]; then
	learned=$(mktemp -d)
	trap 'rm -rf "$learned"' EXIT
fi
number=0
status=0
for source in tests/fuzz_*.c; do
	name=${source#tests/fuzz_}
	name=${name%.c}
	number=$((number + 1))
	mkdir -p "$learned/$name"
	if output=$("build/fuzz/$name" "$learned/$name" "tests/corpus/$name" -max_total_time="${FUZZ_SECONDS:-3}" \
		-timeout=100 -rss_limit_mb=2048 -malloc_limit_mb=1200 -max_len=16384 -verbosity=0 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/$name-" 2>&1); then
		echo "ok $number - $name: $(sed -n 's/^stat::number_of_executed_units: *//p' <<<"$output") inputs"
	else
		echo "not ok $number - $name"
		echo "# ${output//$'\n'/$'\n'# }"
		status=1
	fi
done
echo "1..$number"
exit $status

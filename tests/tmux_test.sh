#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The live program as used by a person, in a real terminal: start, sort, search, page, resize, suspend, quit. The
# terminal's modes afterwards are as before. Prints TAP. Needs root (or sudo without a password) and BPF.
set -u
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
tmux=(tmux -f /dev/null -S "$work/socket")
trap '"${tmux[@]}" kill-server 2>/dev/null; rm -rf "$work"' EXIT
number=0
status=0

skip() {
	echo "skip: $1"
	echo "ok 1 - the live screen # SKIP"
	echo "1..1"
	exit 0
}

command -v tmux >/dev/null || skip "tmux is not installed"
root=()
if [ "$(id -u)" != 0 ]; then
	sudo -n true 2>/dev/null || skip "not root"
	root=(sudo -n)
fi
"${root[@]}" ./lagtop --check >"$work/check" 2>&1
[ $? -ne 1 ] || skip "this kernel or machine: $(head -1 "$work/check")"

# shows NAME PATTERN: passes when the screen has a line like it; at most 20 s are given.
shows() {
	local deadline=$((SECONDS + 20))
	number=$((number + 1))
	until "${tmux[@]}" capture-pane -p | grep -q -- "$2"; do
		if [ $SECONDS -ge $deadline ]; then
			echo "not ok $number - $1"
			"${tmux[@]}" capture-pane -p | sed 's/^/# /'
			status=1
			return
		fi
		read -rt 0.05 <> <(:) # a moment between two looks
	done
	echo "ok $number - $1"
}
press() {
	"${tmux[@]}" send-keys "$@"
}

"${tmux[@]}" new-session -d -x 100 -y 30 "env -u TMUX HOME=$work XDG_CONFIG_HOME=$work PS1='ready> ' LC_ALL=C.UTF-8 bash --norc"
shows "a shell" 'ready>'
press "stty -a >$work/before" Enter "${root[*]} ./lagtop" Enter
shows "starts, sorted by what lags" 'LAG%▼'
press '>'
shows "sorts by the next column" 'CPU%▼'
press /
press -l lagtop
shows "searches while typing" 'search: lagtop'
press Enter Enter
shows "opens the page of what was found" 'where its time goes'
"${tmux[@]}" resize-window -x 160 -y 45
shows "follows the size: the page has room for more" '100ms ▏\|100ms |'
press q
shows "q goes back" 'CPU%▼'
press C-z
shows "is suspended" 'Stopped'
press "fg" Enter
shows "comes back" 'CPU%▼'
press q
shows "quits; the shell's screen is as it was" 'Stopped'
press "stty -a >$work/after; echo over" Enter
shows "and goes on" '^over'
number=$((number + 1))
# tmux changed the size in between; nothing else may differ.
if diff <(sed 's/rows [0-9]*; columns [0-9]*;//' "$work/before") <(sed 's/rows [0-9]*; columns [0-9]*;//' "$work/after"); then
	echo "ok $number - the terminal's modes are those before"
else
	echo "not ok $number - the terminal's modes are those before"
	status=1
fi
echo "1..$number"
exit $status

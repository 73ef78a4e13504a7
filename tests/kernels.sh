#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots other kernels under qemu's software emulation and runs lagtop and the live tests there:
# kernels.sh [--all] [KERNEL…]; without --all only the tests that are quick there. The kernels are Debian's cloud kernels, fetched once from the mirror that
# this machine's apt uses into ~/.cache/lagtop/kernels. The guest has busybox, the program, the tests
# and the libraries they are linked to; it reports over a serial line of its own. Prints TAP, then one
# table, which `make readme` takes from build/kernels.md. A kernel that cannot be fetched is skipped.
set -u
cd "$(dirname "$0")/.." || exit 1
cache=${XDG_CACHE_HOME:-${HOME:-/var/cache}/.cache}/lagtop/kernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
status=0

# Name, Debian's suite, what lagtop does there.
kernels() {
	cat <<-'END'
	5.10   bullseye refuse
	6.1    bookworm work
	6.12   trixie   work
	newest sid      work
	END
}

# result ok|not NAME [DETAIL]
result() {
	number=$((number + 1))
	if [ "$1" = ok ]; then
		echo "ok $number - $2"
		passes=$((passes + 1))
	else
		echo "not ok $number - $2"
		fails=$((fails + 1))
		[ -z "${3-}" ] || echo "# ${3//$'\n'/$'\n'# }"
		status=1
	fi
}

# skip NAME REASON
skip() {
	number=$((number + 1)) skips=$((skips + 1))
	echo "skip: $2"
	echo "ok $number - $1 # SKIP"
}

# The kernel image of a suite, in $image; or why not, in $why. Fetches it unless it is there.
fetch() {
	local name=$1 suite=$2 dir=$work/apt-$1 keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror package pattern
	image=$cache/$suite-$name
	[ -s "$image" ] && return
	why="the kernel cannot be fetched: "
	mirror=$(apt-get indextargets --format "\$(REPO_URI)" 2>/dev/null | grep -m1 '/debian/$')
	if [ -z "$mirror" ] || [ ! -e "$keys" ]; then
		why+="this machine's apt has no Debian mirror"
		return 1
	fi
	mkdir -p "$cache" "$dir/lists/partial" "$dir/archives/partial"
	echo "deb [signed-by=$keys] $mirror $suite main" >"$dir/sources.list"
	local apt=(-qq -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/nonexistent
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir" -o Acquire::Languages=none -o APT::Sandbox::User=root)
	apt-get "${apt[@]}" update >"$dir/log" 2>&1 || {
		why+=$(tail -n 1 "$dir/log")
		return 1
	}
	# Some releases split the image off into a package of its own, linux-binary.
	pattern="^linux-(image|binary)-${name//newest/[0-9]}.*-cloud-amd64$"
	package=$(apt-cache "${apt[@]}" search --names-only "$pattern" | awk '{ print $1 }' | sort -t- -k3V -k2,2r | tail -n 1)
	[ -n "$package" ] || {
		why+="$suite has no cloud kernel $name"
		return 1
	}
	(cd "$dir" && apt-get "${apt[@]}" download "$package") >"$dir/log" 2>&1 || {
		why+=$(tail -n 1 "$dir/log")
		return 1
	}
	dpkg-deb --fsys-tarfile "$dir/$package"_*.deb |
		tar -xO --wildcards './boot/vmlinuz-*' './usr/lib/modules/*/vmlinuz' >"$image.part" 2>/dev/null
	[ -s "$image.part" ] || {
		why+="$package holds no image"
		return 1
	}
	mv "$image.part" "$image"
}

# One initramfs for all kernels: $work/initramfs.
make_initramfs() {
	local root=$work/root program
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,etc,tmp,var/tmp,root,lagtop/build/tests}
	cp "$(command -v busybox)" "$root/bin/busybox"
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	cp lagtop "$root/lagtop/"
	for program in build/tests/load build/tests/live_*; do
		[ -x "$program" ] && cp "$program" "$root/lagtop/build/tests/"
	done
	# The C library loads libgcc_s by itself when a thread exits.
	{
		ldd "$root"/lagtop/lagtop "$root"/lagtop/build/tests/* | grep -oE '/[^ ]+\.so[^ ]*'
		/sbin/ldconfig -p | grep -oE '/[^ ]+/libgcc_s\.so[^ ]*' | head -n 1
		echo /etc/ld.so.cache
	} | sort -u | while read -r program; do cp -L --parents "$program" "$root"; done
	cat >"$root/init" <<-'END'
	#!/bin/busybox sh
	/bin/busybox --install -s /bin
	export PATH=/bin:/sbin HOME=/root TERM=linux CMOCKA_MESSAGE_OUTPUT=tap LIVE_EMULATED=1
	mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
	mount -t tracefs trace /sys/kernel/tracing; mkdir -p /dev/pts; mount -t devpts pts /dev/pts
	ifconfig lo 127.0.0.1 up
	stty -F /dev/ttyS1 raw -echo
	cd /lagtop
	# run TITLE COMMAND…: its output, each line after the title, then its exit status.
	run() {
		title=$1; shift
		{ timeout -k 5 600 "$@" 2>&1; echo "exit $?"; } </dev/null | sed "s/^/$title|/" >/dev/ttyS1
	}
	run kernel uname -r
	run check ./lagtop --check
	run json ./lagtop --json -n 1 -d 0.3
	./lagtop --check >/dev/null || run verbose ./lagtop --verbose --batch -n 1 -d 0.3
	case $(sed -n 's/.*lagtop.tests=\([a-z]*\).*/\1/p' /proc/cmdline) in
	all) for test in build/tests/live_*; do run "${test##*/}" "$test"; done ;;
	quick)
		LIVE_ONLY='test_getppid*' run live_counts build/tests/live_counts
		LIVE_ONLY='test_int80*' run live_calls build/tests/live_calls
		LIVE_ONLY='test_tcp*' run live_net build/tests/live_net
		run live_life build/tests/live_life
		;;
	esac
	echo 'end|' >/dev/ttyS1
	sync
	poweroff -f
	END
	chmod +x "$root/init"
	(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$work/initramfs"
}

# boot IMAGE REPORT ARGUMENTS: -cx16 because qemu 7.2 corrupts flags with it; thread=single because with a thread for each CPU
# one of them now and then goes on with code that another has patched: the kernel dies of an int3 that is no longer there.
boot() {
	timeout -k 5 1500 qemu-system-x86_64 -accel tcg,thread=single -cpu max,-cx16 -smp 2 -m 1024 -display none -monitor none -no-reboot \
		-serial "file:$work/console" -serial "file:$2" -nic none \
		-kernel "$1" -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1 $3" </dev/null >"$work/qemu" 2>&1
}

# The console from the kernel's first complaint on, or its end.
crash() {
	tr -d '\r' <"$work/console" | awk '/Oops|BUG|Kernel panic/ { found = 1 } found' | head -n 60 | grep . || tail -n 20 "$work/console"
}

# What the guest's command TITLE printed, without the last line; and its exit status.
said() {
	sed -n "s/^$1|//p" "$report" | sed '$d'
}
exit_of() {
	sed -n "s/^$1|exit //p" "$report" | tail -n 1
}

# Exit status 1, and a run says one sentence.
check_refusal() {
	local text
	text=$(said json)
	if [ "$(exit_of json)" = 1 ] && [[ $text =~ ^lagtop:\ [^$'\n']*$ ]]; then
		result ok "$name: refuses: $text"
	else
		result not "$name: refuses with one sentence" "$text"$'\n'"exit $(exit_of json)"
	fi
	if [ "$(exit_of check)" = 1 ]; then
		result ok "$name: --check says why"
	else
		result not "$name: --check says why" "$(said check)"$'\n'"exit $(exit_of check)"
	fi
}

# A live test's TAP again, under this kernel's name; a test that never ended is a failure.
check_program() {
	local title=$1 line plan=0 seen=0 reason='' said_before='' failed=''
	while IFS= read -r line; do
		case $line in
		1..*) plan=$((plan + ${line#1..})) ;;
		*"# SKIP"*)
			seen=$((seen + 1))
			skip "$name: $title: ${line##*# SKIP }" "$reason"
			;;
		"ok "*)
			seen=$((seen + 1)) said_before='' failed=''
			result ok "$name: $title: ${line#ok * - }"
			;;
		"not ok "*)
			seen=$((seen + 1))
			result not "$name: $title: ${line#not ok * - }" "$said_before"
			said_before='' failed=yes
			;;
		"skip: "*) reason=${line#skip: } ;;
		"# "*) [ -z "$failed" ] || echo "$line" ;; # cmocka tells where after the result
		*) said_before+=$line$'\n' ;;
		esac
	done < <(said "$title")
	[ "$plan" -gt 0 ] && [ "$plan" = "$seen" ] && [ -n "$(exit_of "$title")" ] && return
	result not "$name: $title: $seen of $plan tests ended, exit status $(exit_of "$title")" "$said_before"
}

check_work() {
	local title
	case $(exit_of check) in
	0 | 3) result ok "$name: --check" ;;
	*) result not "$name: --check" "$(said check)"$'\n'"exit $(exit_of check)"$'\n'"$(said verbose | tail -n 40)" ;;
	esac
	for title in $(sed -n 's/^\(live_[a-z_0-9]*\)|.*/\1/p' "$report" | uniq); do
		check_program "$title"
	done
}

# By what a family is attached there; "off" if it is not.
attached() {
	local probe
	probe=$(said json | grep -oE "\"$1\":\{\"state\":[^}]*\}")
	case $probe in
	*'"by":'*) grep -oE '"by":"[^"]*"' <<<"$probe" | cut -d'"' -f4 ;;
	*'"off"'*) echo off ;;
	*) echo - ;;
	esac
}

tests=quick
if [ "${1-}" = --all ]; then
	tests=all
	shift
fi
make_initramfs || exit 1
echo '| kernel | sched | syscall | net | live tests |' >"$work/table"
echo '|---|---|---|---|---|' >>"$work/table"
while read -r name suite expected; do
	[ $# -eq 0 ] || [[ " $* " = *" $name "* ]] || continue
	passes=0 fails=0 skips=0
	if ! fetch "$name" "$suite"; then
		skip "$name" "$why"
		echo "| $name | - | - | - | not fetched |" >>"$work/table"
		continue
	fi
	report=$work/report-$name
	boot "$image" "$report" "lagtop.tests=$([ "$expected" = work ] && echo $tests || echo none)"
	tr -d '\r' <"$report" >"$report.text"
	report+=.text
	if ! grep -q '^end|' "$report"; then
		result not "$name: the guest did not come to its end" "$(crash)"$'\n'"$(tail -n 20 "$report")"
	fi
	if [ "$expected" = refuse ]; then
		check_refusal
	else
		check_work
	fi
	echo "| $(said kernel) | $(attached sched) | $(attached syscall) | $(attached net) |" \
		"$passes passed, $fails failed, $skips skipped |" >>"$work/table"
	{
		echo '```'
		said check
		echo '```'
	} >>"$work/checks"
done < <(kernels)
echo "1..$number"
sed 's/^/# /' "$work/table"
if [ $# -eq 0 ]; then
	{
		cat "$work/table"
		echo
		echo "What \`lagtop --check\` says there, and last on the machine that ran them:"
		echo
		cat "$work/checks"
		echo '```'
		./lagtop --check
		echo '```'
	} >build/kernels.md
fi
exit $status

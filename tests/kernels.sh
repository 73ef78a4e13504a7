#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots other kernels, also of arm64, under qemu's software emulation and runs lagtop and the live tests there:
# kernels.sh [--all | --downloads] [KERNEL…]; with --all also the tests that take long there (an hour). The kernels
# are Debian's, of the cloud flavour and one of PREEMPT_RT, fetched once from the mirror that this machine's apt uses
# into ~/.cache/lagtop/kernels. The guest has busybox, the program, the tests and the libraries they are linked to; it
# reports over a serial line of its own. Prints TAP, then one table, which `make readme` takes from build/kernels.md.
# A kernel that cannot be fetched is skipped. With --downloads it only prints what it would fetch.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/debian.sh
work=$(mktemp -d)
part=''
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work" "$part"' EXIT
number=0
status=0

# Name (version, then what is special about it), machine, Debian's release and flavour, MB to fetch, by what lagtop attaches its families there, or
# a word of the sentence with which it refuses; more for the kernel's command line.
kernels() {
	cat <<-'END'
	5.10          amd64 bullseye cloud 30 refuses:5.15
	6.1           amd64 bookworm cloud 35 tp_btf,tp_btf,fexit
	6.12          amd64 trixie   cloud 44 tp_btf,tp_btf,tp_btf
	6.12-lockdown amd64 trixie   cloud 44 refuses:lockdown=confidentiality lockdown=confidentiality
	newest        amd64 sid      cloud 24 tp_btf,perf,tp_btf slab_debug=F
	newest-rt     amd64 sid      rt    24 tp_btf,perf,tp_btf slab_debug=F
	6.1-arm64     arm64 bookworm cloud 30 tp_btf,tp_btf,off
	6.12-arm64    arm64 trixie   cloud 37 tp_btf,tp_btf,tp_btf
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

# image_of NAME ARCH RELEASE FLAVOUR: sets $image to where it is kept.
image_of() {
	image=$cache/kernels/$3-${1%%-*}
	[ "$4" = cloud ] || image+=-$4
	[ "$2" = amd64 ] || image+=-$2
}

# The missing images, with the package lists needed to find them.
downloads() {
	local name arch release flavour mb said=' '
	while read -r name arch release flavour mb _; do
		image_of "$name" "$arch" "$release" "$flavour"
		[ -s "$image" ] || [[ $said = *" $image "* ]] ||
			echo "Linux ${name%%-*} of Debian $release, $flavour, $arch: $mb MB"
		said+="$image "
	done < <(kernels)
}

# fetch NAME ARCH RELEASE FLAVOUR: the kernel's image, in $image; or why not, in $why. Fetches it unless it is there.
fetch() {
	local version=${1%%-*} arch=$2 release=$3 flavour=$4 dir=$work/apt-$1 package pattern
	image_of "$@"
	[ -s "$image" ] && return
	echo "# fetching $1"
	mkdir -p "$cache/kernels" "$dir"
	if ! debian_lists "$dir" "$release" "$arch"; then
		why="the kernel cannot be fetched: $why"
		return 1
	fi
	# Some releases have the image in a separate package, linux-binary.
	pattern="^linux-(image|binary)-${version//newest/[0-9]}.*-$flavour-$arch$"
	package=$(apt-cache "${apt[@]}" search --names-only "$pattern" | awk '{ print $1 }' | sort -t- -k3V -k2,2r | tail -n 1)
	if [ -z "$package" ]; then
		why="$release has no $flavour kernel $version for $arch"
		return 1
	fi
	if ! debian_try "$dir" apt-get "${apt[@]}" download "$package"; then
		why="$package cannot be fetched: $why"
		return 1
	fi
	# First beside it, under a name unique to this run.
	part=$(mktemp "$image.XXXXXX") || {
		why="$cache/kernels cannot be written to"
		return 1
	}
	dpkg-deb --fsys-tarfile "$dir/$package"_*.deb |
		tar -xO --wildcards './boot/vmlinuz-*' './usr/lib/modules/*/vmlinuz' >"$part" 2>/dev/null
	if [ ! -s "$part" ]; then
		rm "$part"
		why="$package holds no image"
		return 1
	fi
	mv "$part" "$image"
}

# copy_libraries ROOT SYSROOT: the libraries of arm64 programs; or why not, in $why. ldd would have to run them.
copy_libraries() {
	local to=$1/usr/lib/aarch64-linux-gnu from=$2/usr/lib/aarch64-linux-gnu library missing=libgcc_s.so.1
	mkdir -p "$to"
	ln -s usr/lib "$1/lib"
	cp "$2/usr/lib/ld-linux-aarch64.so.1" "$1/usr/lib/"
	while [ -n "$missing" ]; do
		for library in $missing; do
			cp -L "$from/$library" "$to/" && continue
			why="the libraries for arm64 lack $library"
			return 1
		done
		missing=$(find "$1" -type f -exec readelf -d {} + 2>/dev/null |
			sed -n 's/.*(NEEDED).*\[\(lib.*\)\]/\1/p' | sort -u | while read -r library; do
			[ -e "$to/$library" ] || echo "$library"
		done)
	done
}

# make_initramfs ARCH: one for all kernels of that architecture, $work/initramfs-ARCH; or why not, in $why.
make_initramfs() {
	local root=$work/root-$1 lagtop=lagtop tests=build/tests sysroot='' suffix='' program
	[ -s "$work/initramfs-$1" ] && return
	if [ "$1" = arm64 ]; then
		lagtop=build/arm64/lagtop tests=build/arm64/tests suffix=-arm64
		sysroot=$(tests/arm64.sh 2>"$work/arm64.log") || {
			why="lagtop does not build for arm64: $sysroot $(tail -n 3 "$work/arm64.log")"
			return 1
		}
	fi
	make -s "static$suffix" >"$work/static.log" 2>&1 || {
		why="the static lagtop does not build: $(tail -n 3 "$work/static.log")"
		return 1
	}
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,etc,tmp,var/tmp,root,lagtop/build/tests}
	cp "$lagtop" "$root/lagtop/"
	cp "build/static$suffix/lagtop" "$root/lagtop/lagtop-static"
	cp tests/nobody_test.sh "$root/lagtop/build/"
	for program in "$tests"/load "$tests"/live_* "$tests"/unit_ledger_torn; do
		[ -x "$program" ] && cp "$program" "$root/lagtop/build/tests/"
	done
	if [ "$1" = arm64 ]; then
		copy_libraries "$root" "$sysroot" || return
	else
		# The C library loads libgcc_s when a thread exits.
		{
			ldd "$root"/lagtop/lagtop "$root"/lagtop/build/tests/* | grep -oE '/[^ ]+\.so[^ ]*'
			/sbin/ldconfig -p | grep -oE '/[^ ]+/libgcc_s\.so[^ ]*' | head -n 1
			echo /etc/ld.so.cache
		} | sort -u | while read -r program; do cp -L --parents "$program" "$root"; done
	fi
	cp "$sysroot/bin/busybox" "$root/bin/busybox"
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	cp tests/guest.sh "$root/init"
	(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$work/initramfs-$1"
}

# boot ARCH IMAGE NAME ARGUMENTS, in the background: it becomes the guest, so that it ends with this script. The console goes to
# $work/console-NAME, the report to $work/report-NAME.
# -cx16 because qemu 7.2 corrupts flags with it; slab_debug because without cx16 Linux 7 can allocate socket storage
# (kmalloc_nolock) only from debug caches. thread=single on amd64 because with a thread per CPU one of them sometimes
# continues with code that another has patched: the kernel dies of an int3 that no longer exists.
# no_timer_check: on a loaded machine the kernel may see no tick while it looks for one, and panics.
# The disk is NVMe because these kernels have that driver built in.
# arm64's CPUs run at the same time, so that writers and readers of a record do.
boot() {
	local qemu threads=single disk=$work/disk-$3 disks=(-device "nvme,serial=lagtop") i
	truncate -s 128M "$disk"
	/sbin/mke2fs -qF -t ext4 "$disk"
	truncate -s 32M "$disk-2" "$disk-3"
	for i in '' -2 -3; do
		disks+=(-drive "file=$disk$i,if=none,id=disk$i,format=raw,cache=unsafe" -device "nvme-ns,drive=disk$i")
	done
	case $1 in
	amd64)
		qemu=(qemu-system-x86_64 -cpu "max,-cx16" -serial "file:$work/console-$3" -serial "file:$work/report-$3"
			-append "console=ttyS0 quiet panic=-1 no_timer_check lagtop.report=ttyS1 $4")
		;;
	arm64)
		threads=multi
		qemu=(qemu-system-aarch64 -machine virt -cpu cortex-a72 -serial "file:$work/console-$3"
			-device "pci-serial,chardev=report" -chardev "file,id=report,path=$work/report-$3"
			-append "console=ttyAMA0 quiet panic=-1 lagtop.report=ttyS0 $4")
		;;
	esac
	exec timeout -k 5 1500 "${qemu[@]}" -accel "tcg,thread=$threads" -smp 2 -m 1024 -display none -monitor none -no-reboot \
		-nic none "${disks[@]}" -kernel "$2" -initrd "$work/initramfs-$1" </dev/null >"$work/qemu-$3" 2>&1
}

# The console from the kernel's first warning on, or its end.
crash() {
	tr -d '\r' <"$work/console-$name" | awk '/Oops|BUG|Kernel panic/ { found = 1 } found' | head -n 60 | grep . ||
		tail -n 20 "$work/console-$name"
}

# What the guest's command TITLE printed, without the last line; and its exit status.
said() {
	sed -n "s/^$1|//p" "$report" | sed '$d'
}
exit_of() {
	sed -n "s/^$1|exit //p" "$report" | tail -n 1
}

# Exit status 1, and lagtop printed one sentence, with the word $1.
check_refusal() {
	local text
	text=$(said json)
	if [ "$(exit_of json)" = 1 ] && [[ $text =~ ^lagtop:\ [^$'\n']*$ && $text = *"$1"* ]]; then
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

# Repeats a live test's TAP under this kernel's name; a test that never ended is a failure.
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

# check_work EXPECTED: by what each family is attached.
check_work() {
	local title by
	by=$(attached sched),$(attached syscall),$(attached net)
	if [ "$by" = "$1" ]; then
		result ok "$name: attached by $by"
	else
		result not "$name: attached by $1" "by $by"$'\n'"$(said check)"
	fi
	if [ "$(families json)" = "$(families static)" ]; then
		result ok "$name: the static lagtop attaches by the same"
	else
		result not "$name: the static lagtop attaches by the same" "$(said static | head -c 2000)"
	fi
	case $(exit_of check) in
	0 | 3) result ok "$name: --check" ;;
	*) result not "$name: --check" "$(said check)"$'\n'"exit $(exit_of check)"$'\n'"$(said verbose | tail -n 40)" ;;
	esac
	for title in $(sed -n 's/^\(live_[a-z_0-9]*\)|.*/\1/p' "$report" | uniq); do
		check_program "$title"
	done
}

# The state of every family in what the command TITLE printed.
families() {
	said "$1" | grep -oE '"probes":\{.*\},"lost"'
}

# How a family is attached there; "off" if it is not.
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
case ${1-} in
--all)
	tests=all
	shift
	;;
--downloads)
	downloads
	exit
	;;
esac
for name; do
	kernels | cut -d' ' -f1 | grep -qxF -e "$name" && continue
	echo "kernels.sh: no kernel is called '$name'; there are: $(kernels | cut -d' ' -f1 | paste -sd' ')" >&2
	exit 1
done
echo '| kernel | sched | syscall | net | live tests |' >"$work/table"
echo '|---|---|---|---|---|' >>"$work/table"
# Runs all guests first, as many at once as there are CPUs; then prints their reports, in order.
while read -r name arch release flavour _ expected arguments; do
	[ $# -eq 0 ] || [[ " $* " = *" $name "* ]] || continue
	if fetch "$name" "$arch" "$release" "$flavour" && make_initramfs "$arch"; then
		[ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n
		echo "# booting $name"
		[[ $expected = refuses:* ]] && run=none || run=$tests
		boot "$arch" "$image" "$name" "lagtop.tests=$run $arguments" &
		echo "$name $expected" >>"$work/booted"
	else
		echo "$name - ${why//$'\n'/ }" >>"$work/booted"
	fi
done < <(kernels)
wait
while read -r name expected why; do
	passes=0 fails=0 skips=0
	if [ "$expected" = - ]; then
		skip "$name" "$why"
		echo "| $name | - | - | - | not run |" >>"$work/table"
		continue
	fi
	report=$work/$name.text
	tr -d '\r' <"$work/report-$name" >"$report"
	if ! grep -q '^end|' "$report"; then
		result not "$name: the guest did not come to its end" "$(crash)"$'\n'"$(tail -n 20 "$report")"
	fi
	case $expected in
	refuses:*) check_refusal "${expected#*:}" ;;
	*) check_work "$expected" ;;
	esac
	echo "| $(said kernel) | $(attached sched) | $(attached syscall) | $(attached net) |" \
		"$passes passed, $fails failed, $skips skipped |" >>"$work/table"
done <"$work/booted"
echo "1..$number"
sed 's/^/# /' "$work/table"
[ $# -gt 0 ] || cp "$work/table" build/kernels.md
exit $status

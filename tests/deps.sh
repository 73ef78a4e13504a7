#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what is missing to build lagtop (build), to test it (test), to take its pictures (pictures),
# to compare it (peers) or to measure servers under it (servers): with apt on Debian and Ubuntu; elsewhere it prints
# the packages' names and stops.
# If nothing is missing, no package manager is called. `deps.sh bpftool` prints the path of a bpftool that works,
# `deps.sh clang-format` the one that formats as lint wants, `deps.sh libraries` the packages of the libraries on Debian.
# `deps.sh missing PART…` only prints what it would install, `deps.sh packages PART…` what all of these are on Debian.
# `deps.sh versions CLANG CC BPFTOOL MODULE…` fails with a sentence if one of them is missing or too old to build lagtop.
set -eu

# Part, how to check that it is installed, and the packages of Debian, Fedora, Arch, openSUSE and Alpine.
# Checks: a command, pc:MODULE for pkg-config, h:HEADER, f:FILE, py:MODULE, deb:COMMAND where packages are Debian's,
# pg:COMMAND of PostgreSQL, which Debian keeps out of PATH.
table() {
	cat <<-'END'
	build gcc             gcc               gcc                   gcc         gcc               gcc
	build h:stdio.h       libc6-dev         glibc-devel           glibc       glibc-devel       musl-dev
	build h:asm/types.h   linux-libc-dev    kernel-headers        linux-api-headers linux-glibc-devel linux-headers
	build make            make              make                  make        make              make
	build pkg-config      pkg-config        pkgconf-pkg-config    pkgconf     pkgconf-pkg-config pkgconf
	build clang           clang             clang                 clang       clang             clang
	build bpftool         bpftool           bpftool               bpf         bpftool           bpftool
	build pc:libbpf       libbpf-dev        libbpf-devel          libbpf      libbpf-devel      libbpf-dev
	build pc:libelf       libelf-dev        elfutils-libelf-devel libelf      libelf-devel      elfutils-dev
	build pc:zlib         zlib1g-dev        zlib-devel            zlib        zlib-devel        zlib-dev
	build pc:libzstd      libzstd-dev       libzstd-devel         zstd        libzstd-devel     zstd-dev
	build pc:ncursesw     libncurses-dev    ncurses-devel         ncurses     ncurses-devel     ncurses-dev
	build pc:libseccomp   libseccomp-dev    libseccomp-devel      libseccomp  libseccomp-devel  libseccomp-dev
	build pc:libcap-ng    libcap-ng-dev     libcap-ng-devel       libcap-ng   libcap-ng-devel   libcap-ng-dev
	build pc:inih         libinih-dev       inih-devel            libinih     inih-devel        inih-dev
	build h:uthash.h      uthash-dev        uthash-devel          uthash      uthash-devel      uthash-dev
	test  pc:cmocka       libcmocka-dev     libcmocka-devel       cmocka      libcmocka-devel   cmocka-dev
	test  pc:vterm        libvterm-dev      libvterm-devel        libvterm    libvterm-devel    libvterm-dev
	test  pc:json-c       libjson-c-dev     json-c-devel          json-c      libjson-c-devel   json-c-dev
	test  libfuzzer       libclang-rt-dev   compiler-rt           compiler-rt clang             compiler-rt
	test  clang-format    clang-format      clang-tools-extra     clang       clang-tools       clang-extra-tools
	test  shellcheck      shellcheck        ShellCheck            shellcheck  ShellCheck        shellcheck
	test  codespell       codespell         codespell             codespell   codespell         py3-codespell
	test  tmux            tmux              tmux                  tmux        tmux              tmux
	test  ip              iproute2          iproute               iproute2    iproute2          iproute2
	test  nft             nftables          nftables              nftables    nftables          nftables
	test  strace          strace            strace                strace      strace            strace
	test  stress-ng       stress-ng         stress-ng             stress-ng   stress-ng         stress-ng
	test  fio             fio               fio                   fio         fio               fio
	test  mkfs.ext4       e2fsprogs         e2fsprogs             e2fsprogs   e2fsprogs         e2fsprogs
	test  qemu-system-x86_64 qemu-system-x86 qemu-system-x86-core qemu-system-x86 qemu-x86      qemu-system-x86_64
	test  qemu-system-aarch64 qemu-system-arm qemu-system-aarch64-core qemu-system-aarch64 qemu-arm qemu-system-aarch64
	test  aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc cross-aarch64-gcc13 -
	test  f:/bin/busybox  busybox-static    busybox               busybox     busybox-static    busybox-static
	test  curl            curl              curl                  curl        curl              curl
	test  zsh             zsh               zsh                   zsh         zsh               zsh
	test  fish            fish              fish                  fish        fish              fish
	test  mandoc          mandoc            mandoc                mandoc      mandoc            mandoc
	test  debootstrap     debootstrap       debootstrap           debootstrap debootstrap       debootstrap
	test  deb:dpkg-shlibdeps dpkg-dev       -                     -           -                 -
	test  deb:lintian     lintian           -                     -           -                 -
	test  deb:dh           debhelper        -                     -           -                 -
	test  rpmbuild         rpm              rpm-build             rpm-tools   rpm-build         rpm
	test  py:prometheus_client python3-prometheus-client python3-prometheus_client python-prometheus_client python3-prometheus_client py3-prometheus-client
	test  cpio            cpio              cpio                  cpio        cpio              cpio
	test  redis-server    redis-server      redis                 redis       redis             redis
	test  redis-benchmark redis-tools       redis                 redis       redis             redis
	test  nginx           nginx             nginx                 nginx       nginx             nginx
	test  wrk             wrk               wrk                   wrk         wrk               wrk
	test  openssl         openssl           openssl               openssl     openssl           openssl
	test  h2load          nghttp2-client    nghttp2               nghttp2     nghttp2           nghttp2
	test  pg:initdb       postgresql        postgresql-server     postgresql  postgresql-server postgresql
	test  pg:pgbench      postgresql        postgresql-contrib    postgresql  postgresql-contrib postgresql-contrib
	pictures rsvg-convert librsvg2-bin      librsvg2-tools        librsvg     rsvg-convert      rsvg-convert
	pictures f:/usr/share/fonts/truetype/jetbrains-mono fonts-jetbrains-mono jetbrains-mono-fonts ttf-jetbrains-mono jetbrains-mono-fonts font-jetbrains-mono
	pictures nginx        nginx             nginx                 nginx       nginx             nginx
	pictures wrk          wrk               wrk                   wrk         wrk               wrk
	pictures redis-server redis-server      redis                 redis       redis             redis
	pictures redis-benchmark redis-tools    redis                 redis       redis             redis
	pictures ip           iproute2          iproute               iproute2    iproute2          iproute2
	pictures nft          nftables          nftables              nftables    nftables          nftables
	peers runqlat         libbpf-tools      bcc-tools             libbpf-tools bcc-tools         bcc-tools
	peers bpftrace        bpftrace          bpftrace              bpftrace    bpftrace          bpftrace
	peers htop            htop              htop                  htop        htop              htop
	peers btop            btop              btop                  btop        btop              btop
	peers atop            atop              atop                  atop        atop              atop
	peers redis-server    redis-server      redis                 redis       redis             redis
	peers redis-benchmark redis-tools       redis                 redis       redis             redis
	peers top             procps            procps-ng             procps-ng   procps            procps-ng
	servers runqlat       libbpf-tools      bcc-tools             libbpf-tools bcc-tools         bcc-tools
	servers redis-server  redis-server      redis                 redis       redis             redis
	servers redis-benchmark redis-tools     redis                 redis       redis             redis
	servers nginx         nginx             nginx                 nginx       nginx             nginx
	servers wrk           wrk               wrk                   wrk         wrk               wrk
	servers pg:initdb     postgresql        postgresql-server     postgresql  postgresql-server postgresql
	servers pg:pgbench    postgresql        postgresql-contrib    postgresql  postgresql-contrib postgresql-contrib
	servers perf          linux-perf        perf                  perf        perf              perf
	servers strace        strace            strace                strace      strace            strace
	servers ss            iproute2          iproute               iproute2    iproute2          iproute2
	END
}

# Debian keeps it in /usr/sbin; Ubuntu's is a wrapper that refuses when it was made for another kernel.
bpftool_path() {
	for tool in bpftool /usr/sbin/bpftool /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
		"$tool" version >/dev/null 2>&1 && echo "$tool" && return
	done
	return 1
}

have() {
	case $1 in
	bpftool) bpftool_path >/dev/null ;;
	pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
	h:*) echo "#include <${1#h:}>" | gcc -E - >/dev/null 2>&1 ;;
	f:*) [ -e "${1#f:}" ] ;;
	libfuzzer) echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | clang -fsanitize=fuzzer,address -x c - -o /dev/null 2>/dev/null ;;
	deb:*) ! command -v dpkg >/dev/null || command -v "${1#deb:}" >/dev/null ;;
	pg:*) command -v "${1#pg:}" >/dev/null || ls /usr/lib/postgresql/*/bin/"${1#pg:}" >/dev/null 2>&1 ;;
	py:*) /usr/bin/python3 -c "import ${1#py:}" 2>/dev/null ;;
	*) command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] ;;
	esac
}

stop() {
	echo "lagtop: $1" >&2
	exit 1
}

# The oldest versions that build a lagtop which the kernels accept.
versions() {
	clang=$1 cc=$2 bpftool=$3
	shift 3
	if ! pkg-config --exists "$@" || [ -z "$bpftool" ] || ! command -v "${clang%% *}" >/dev/null; then
		stop 'packages are missing; "make deps" installs them'
	fi
	# shellcheck disable=SC2086 # a command with its words
	major=$(echo __clang_major__ | $clang -E -P -x c - 2>/dev/null) || major=''
	[ "${major:-0}" -ge 14 ] || stop "clang ${major:-($clang)} is too old: lagtop needs 14 or newer (make CLANG=clang-14)"
	pkg-config --exists 'libbpf >= 1.0' ||
		stop "libbpf $(pkg-config --modversion libbpf) is too old: lagtop needs 1.0 or newer"
	"$bpftool" gen help 2>&1 | grep -q 'gen object' ||
		stop "$bpftool is too old: lagtop needs bpftool 5.14 or newer (make BPFTOOL=/path/of/another)"
	printf '#define _GNU_SOURCE\n#include <string.h>\nint main(void) { return !sigabbrev_np(1); }\n' |
		$cc -x c -fsyntax-only -Werror=implicit-function-declaration - 2>/dev/null ||
		stop "this C library has no sigabbrev_np(): lagtop needs glibc 2.32 or newer"
}

# Prints column $1 of the rows that are wanted and not installed.
missing() {
	column=$1
	shift
	table | while read -r part proof packages; do
		case " $* " in *" $part "*) ;; *) continue ;; esac
		have "$proof" || echo "$packages" | awk -v n="$column" '$n != "-" { print $n }'
	done | sort -u | tr '\n' ' '
}

print_elsewhere() {
	echo "lagtop: these packages are missing; install them and run make again:"
	n=1
	for name in "Debian, Ubuntu: apt-get install" "Fedora: dnf install" "Arch: pacman -S" \
		"openSUSE: zypper install" "Alpine: apk add"; do
		echo "  $name $(missing $n "$@")"
		n=$((n + 1))
	done
}

apt() {
	if [ "$(id -u)" = 0 ]; then
		DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 "$@"
	else
		sudo DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 "$@"
	fi
}

# True if apt knows a version of the package to install.
candidate() {
	apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [0-9]'
}

case ${1-} in
bpftool)
	bpftool_path
	exit
	;;
clang-format)
	command -v clang-format-14 || echo clang-format
	exit
	;;
packages)
	shift
	table | awk -v parts=" $* " 'index(parts, " " $1 " ") { print $3 }' | sort -u | tr '\n' ' '
	exit
	;;
missing)
	shift
	missing 1 "$@"
	exit
	;;
versions)
	shift
	versions "$@"
	exit
	;;
libraries)
	table | awk '$1 ~ /build|test/ && $2 ~ /^(pc|h):/ && $2 !~ /^h:(asm|stdio)/ { print $3 }' | sort -u | tr '\n' ' '
	exit
	;;
esac

packages=$(missing 1 "$@")
[ -z "$packages" ] && exit 0
if ! command -v apt-get >/dev/null; then
	print_elsewhere "$@" >&2
	exit 1
fi
for package in $packages; do
	candidate "$package" || { apt update && break; }
done
candidate bpftool || packages=$(echo " $packages" | sed 's/ bpftool / linux-tools-generic /')
echo "lagtop: installing $packages"
set -- install -y --no-install-recommends
# Outdated lists name files that no longer exist.
# shellcheck disable=SC2086
apt "$@" $packages >/dev/null || { apt update && apt "$@" $packages >/dev/null; }

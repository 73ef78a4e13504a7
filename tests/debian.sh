# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian packages of any release and architecture, separate from this machine's: nothing is installed. Sourced.
# Downloads are kept in $cache.
# shellcheck disable=SC2034 # used by scripts that source this
cache=${XDG_CACHE_HOME:-${HOME:-/var/cache}/.cache}/lagtop

# The mirror that this machine's apt uses.
debian_mirror() {
	apt-get indextargets --format "\$(REPO_URI)" 2>/dev/null | grep -m1 '/debian/$'
}

# debian_lists DIR RELEASE ARCH: fetches the package lists into DIR; "${apt[@]}" are then the options with which
# apt-get and apt-cache use them. Fails with the reason in $why.
debian_lists() {
	local dir=$1 release=$2 arch=$3 keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror
	mirror=$(debian_mirror)
	if [ -z "$mirror" ] || [ ! -e "$keys" ]; then
		why="this machine's apt has no Debian mirror"
		return 1
	fi
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	echo "deb [arch=$arch signed-by=$keys] $mirror $release main" >"$dir/sources.list"
	: >"$dir/status"
	# A mirror may be out of date; its files are still signed.
	apt=(-qq -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/nonexistent
		-o "Dir::State::Lists=$dir/lists" -o "Dir::State::status=$dir/status" -o "Dir::Cache=$dir"
		-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o Acquire::Languages=none
		-o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false)
	debian_try "$dir" apt-get "${apt[@]}" update
}

# debian_try DIR COMMAND…: runs it in DIR; its last line of output is $why it failed.
debian_try() {
	local dir=$1
	shift
	(cd "$dir" && "$@") >"$dir/log" 2>&1 && return
	# shellcheck disable=SC2034 # used by scripts that source this
	why=$(tail -n 1 "$dir/log")
	return 1
}

# Runs a command with mounts of its own; in a chroot, whose root is not a mount, the visible ones are made private one
# by one.
debian_with_mounts() {
	unshare --mount --propagation unchanged sh -c '
		mount --make-rprivate / 2>/dev/null ||
			cut -d " " -f 5 /proc/self/mountinfo | xargs -n 1 mount --make-private || exit
		exec "$@"' - "$@"
}

# debian_inside ROOT SCRIPT: runs it in that root, with its own /proc, /sys and /dev; nothing stays mounted.
debian_inside() {
	debian_with_mounts sh -c "mount -t proc proc '$1/proc' && mount --rbind /sys '$1/sys' &&
		mount -t devpts -o newinstance,ptmxmode=0666 devpts '$1/dev/pts' && exec chroot '$1' \"\$@\"" \
		- env -i HOME=/root PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb DEBIAN_FRONTEND=noninteractive bash -c "$2"
}

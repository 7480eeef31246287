#!/bin/sh
# Installs Gridproof's programs from this archive, or removes them.
#
#   ./install.sh                     to /usr/local (as root), after each file was compared with SHA256SUMS
#   ./install.sh --prefix ~/.local   to another folder
#   ./install.sh --units             with the systemd units and /etc/gridproof/*.env (as root, prefix /usr/local)
#   ./install.sh --uninstall         removes what was installed to that prefix; arguments, users and data stay
#   ./install.sh --check             compares the files only
#
# What was installed is listed in PREFIX/share/gridproof/installed. Installing over an older version replaces it;
# arguments in /etc/gridproof that are there already stay as they are.
set -eu

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

here=$(cd -- "$(dirname -- "$0")" && pwd)
prefix=/usr/local
units=false
does=install
while [ $# -gt 0 ]; do
	case $1 in
	--prefix)
		[ $# -gt 1 ] || die "--prefix needs a folder"
		prefix=$2
		shift
		;;
	--units) units=true ;;
	--uninstall) does=uninstall ;;
	--check) does=check ;;
	-h | --help)
		sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"
		exit 0
		;;
	*) die "unknown option $1; ./install.sh --help shows all" ;;
	esac
	shift
done
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac
list=$prefix/share/gridproof/installed

check() {
	command -v sha256sum >/dev/null || die "'sha256sum' is missing"
	(cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) ||
		die "this archive is not the one that was made: fetch it again, and compare it with the release's SHA256SUMS"
}

uninstall() {
	[ -f "$list" ] || die "nothing of Gridproof is installed in $prefix (there is no $list)"
	if [ -d /run/systemd/system ]; then
		grep '^/etc/systemd/system/' "$list" | sed 's#.*/##' | while read -r unit; do
			systemctl disable --now --quiet "$unit" || true
		done
	fi
	while read -r file; do
		rm -f -- "$file"
	done <"$list"
	rm -f -- "$list"
	rmdir "$prefix/share/gridproof/doc" "$prefix/share/gridproof" 2>/dev/null || true
	if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
	printf 'Gridproof is removed from %s. Arguments in /etc/gridproof and data in /var/lib/gridproof-* stay.\n' "$prefix"
}

# put MODE FILE TARGET: in one step, so that a running program keeps its file and a broken copy is never there.
put() {
	install -D -m "$1" "$here/$2" "$3.new"
	mv -f -- "$3.new" "$3"
	printf '%s\n' "$3" >>"$list.new"
}

install_all() {
	check
	machine=$(cut -d ' ' -f 2 "$here/VERSION")
	[ "$(uname -s)" = Linux ] && [ "$(uname -m)" = "$machine" ] ||
		die "these programs are for Linux on $machine, and this is $(uname -s) on $(uname -m)"
	for program in gridproof gridproof-node; do
		"$here/bin/$program" --version >/dev/null || die "$program does not run here: it needs glibc of Debian 12 or \
Ubuntu 24.04, or later, and the node libssl3 and certificates (apt-get install libssl3 ca-certificates)"
	done
	mkdir -p "$prefix/share/gridproof" 2>/dev/null && [ -w "$prefix/share/gridproof" ] ||
		die "$prefix cannot be written: run this as root, or choose another folder with --prefix"
	: >"$list.new"
	put 755 bin/gridproof "$prefix/bin/gridproof"
	put 755 bin/gridproof-node "$prefix/bin/gridproof-node"
	put 644 LICENSE "$prefix/share/gridproof/LICENSE"
	if $units; then
		[ "$(id -u)" = 0 ] || die "--units needs root"
		[ "$prefix" = /usr/local ] || die "--units needs the prefix /usr/local, where the units look for the programs"
		for unit in "$here"/systemd/*; do
			put 644 "systemd/${unit##*/}" "/etc/systemd/system/${unit##*/}"
		done
		for file in "$here"/etc/*.env; do
			[ -e "/etc/gridproof/${file##*/}" ] || install -D -m 644 "$file" "/etc/gridproof/${file##*/}"
		done
		for user in $(sed -n 's/^User=//p' "$here"/systemd/*.service | sort -u); do
			getent passwd "$user" >/dev/null || useradd --system --user-group --no-create-home \
				--home-dir /nonexistent --shell /usr/sbin/nologin --comment Gridproof "$user"
		done
		if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
	fi
	# What an older version has put there, and this one has not.
	if [ -f "$list" ]; then
		while read -r file; do
			grep -Fxq -- "$file" "$list.new" || case $file in
			/etc/systemd/system/*) printf '%s\n' "$file" >>"$list.new" ;;
			*) rm -f -- "$file" ;;
			esac
		done <"$list"
	fi
	mv -f -- "$list.new" "$list"
	printf 'Gridproof %s is installed in %s/bin.\n' "$(cut -d ' ' -f 1 "$here/VERSION")" "$prefix"
	case :$PATH: in
	*":$prefix/bin:"*) ;;
	*) printf '%s/bin is not on the path.\n' "$prefix" ;;
	esac
}

case $does in
install) install_all ;;
uninstall) uninstall ;;
check) check && printf 'Every file is the one that SHA256SUMS names.\n' ;;
esac

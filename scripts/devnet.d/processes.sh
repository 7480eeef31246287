# shellcheck shell=bash
# Processes of the development chain: each has a pid file and a log file in HOME_DIR.

# A pid is ours only as long as its process still runs what we started.
pid_of() {
	local pid program
	read -r pid program 2>/dev/null <"$HOME_DIR/$1.pid" || return 1
	[ "$(readlink "/proc/$pid/exe" 2>/dev/null | sed 's/ (deleted)$//')" = "$program" ] || return 1
	echo "$pid"
}

start() {
	local name=$1 program
	shift
	pid_of "$name" >/dev/null && return
	program=$(readlink -f "$1")
	setsid "$@" >>"$HOME_DIR/$name.log" 2>&1 </dev/null &
	echo "$! $program" >"$HOME_DIR/$name.pid"
	disown
	# The process runs setsid for a moment before it runs the program.
	for _ in $(seq 50); do
		pid_of "$name" >/dev/null && return
		sleep 0.1
	done
	ended "$name"
}

stop() {
	local pid
	if pid=$(pid_of "$1"); then
		say "stopping $1 (process $pid)"
		kill "$pid"
		for _ in $(seq 100); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
		if kill -0 "$pid" 2>/dev/null; then
			say "$1 did not stop in 10 s: killing it"
			kill -9 "$pid"
		fi
	fi
	rm -f "$HOME_DIR/$1.pid"
}

# Shows why NAME ended, and ends this script.
ended() {
	tail -n 20 "$HOME_DIR/$1.log" >&2
	die "$1 ended. Its last lines are above, all of them in $HOME_DIR/$1.log"
}

# shellcheck shell=bash
# The checks of the development chain: five verifiers, whom its genesis knows by well-known keys.

# Until the chain has its checks, nobody draws: off unless it is asked for.
readonly CHECKS=${GRIDPROOF_CHECKS:-0}
readonly VERIFIERS=(Alice Bob Charlie Dave Eve)
if [ "$CHECKS" != 0 ]; then
	for name in "${VERIFIERS[@]}"; do PROCESSES+=("verifier-${name,,}"); done
fi

start_checks() {
	[ "$CHECKS" = 0 ] && return
	local name key
	for name in "${VERIFIERS[@]}"; do
		key=$HOME_DIR/verifier-${name,,}-key.json
		[ -e "$key" ] || "$GRIDPROOF" verifier new-key --key "$key" --development "//$name//stash" >/dev/null
		start "verifier-${name,,}" "$GRIDPROOF" verifier run --key "$key" --data "$HOME_DIR/verifier-${name,,}" \
			--coordinator "$COORDINATOR" --url "$WS" --patience 60
	done
}

# Who was caught, slashed, forfeited; what went back to clients.
checks_status() {
	"$GRIDPROOF" verifier list --url "$WS" && "$GRIDPROOF" verifier show --url "$WS"
}

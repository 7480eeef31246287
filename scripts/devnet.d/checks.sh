# shellcheck shell=bash
# The checks of the development chain: five verifiers, each with a key for draws beside an account of its own.

# Until the chain has its checks, nobody draws: off unless it is asked for.
readonly CHECKS=${GRIDPROOF_CHECKS:-0}
readonly VERIFIERS=(verifier-1 verifier-2 verifier-3 verifier-4 verifier-5)
[ "$CHECKS" = 0 ] || PROCESSES+=("${VERIFIERS[@]}")

start_checks() {
	[ "$CHECKS" = 0 ] && return
	local name
	for name in "${VERIFIERS[@]}"; do
		# //Alice governs the development chain: only a verifier that she admits draws.
		register verifier "$name" "//Verifier//${name#verifier-}" --admit-with //Alice
		start "$name" "$GRIDPROOF" verifier run --key "$HOME_DIR/$name-key.json" --data "$HOME_DIR/$name" \
			--coordinator "$COORDINATOR" --url "$WS" --suri "//Verifier//${name#verifier-}"
	done
}

# Who was caught, slashed, forfeited; what went back to clients.
checks_status() {
	"$GRIDPROOF" verifier list --url "$WS" && "$GRIDPROOF" verifier show --disputes --url "$WS"
}

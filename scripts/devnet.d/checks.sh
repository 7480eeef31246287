# shellcheck shell=bash
# The checks of the development chain: five verifiers, whom its genesis knows by well-known keys. They do a
# part of all settled work again with the same model; a process of its own writes down what becomes of it.

readonly CHECKS=${GRIDPROOF_CHECKS:-1}
readonly VERIFIERS=(alice bob charlie dave eve)
if [ "$CHECKS" != 0 ]; then
	PROCESSES+=(verdicts)
	for name in "${VERIFIERS[@]}"; do PROCESSES+=("verifier-$name"); done
fi

start_checks() {
	[ "$CHECKS" = 0 ] && return
	local name key figures
	start verdicts "$GRIDPROOF" verifier watch --url "$WS"
	for name in "${VERIFIERS[@]}"; do
		key=$HOME_DIR/verifier-$name-key.json
		[ -e "$key" ] || "$GRIDPROOF" verifier new-key --key "$key" --development "//${name^}//stash" >/dev/null ||
			die "no key could be made for verifier $name"
		# One of them shows its figures.
		figures=()
		[ "$name" != alice ] || figures=(--metrics "$(figures_of "verifier-$name")")
		start "verifier-$name" "$GRIDPROOF" verifier run --key "$key" --data "$HOME_DIR/verifier-$name" \
			--coordinator "$COORDINATOR" --url "$WS" --patience 20 "${figures[@]}"
	done
}

# Who checks, and who was caught, slashed, forfeited; what went back to clients.
checks_status() {
	"$GRIDPROOF" verifier list --url "$WS" && "$GRIDPROOF" verifier show --url "$WS" || return
	[ ! -s "$HOME_DIR/verdicts.log" ] || { echo "lately" && grep '^block ' "$HOME_DIR/verdicts.log" | tail -n 12; } || true
}

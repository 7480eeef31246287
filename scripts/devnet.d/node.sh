# shellcheck shell=bash
# The node of the development chain, and what it reports about the chain.

# Prints FIELD of the node's report about its chain, or fails.
chain() {
	curl --silent --fail --max-time 5 -H 'Content-Type: application/json' \
		-d '{"jsonrpc":"2.0","id":1,"method":"gridproof_info","params":[]}' "$RPC" 2>/dev/null |
		grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d : -f 2- | tr -d '"'
}

build() {
	[ -n "${GRIDPROOF_SKIP_BUILD:-}" ] && return
	"$GRIDPROOF_ROOT/scripts/setup.sh" build
	. "$GRIDPROOF_ROOT/scripts/env.sh"
	claim_target
	say "building (a first build takes most of an hour on two cores)"
	cargo build --release "${SHIPPED[@]}"
}

# The node refuses a port that is taken, too, but only after it has created its database.
port_free() {
	if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
		die "port $1 is in use. Stop what uses it, or choose another: $2=PORT ./scripts/devnet up"
	fi
}

start_node() {
	if ! pid_of node >/dev/null; then
		port_free "$RPC_PORT" GRIDPROOF_RPC_PORT
		port_free "$P2P_PORT" GRIDPROOF_P2P_PORT
		port_free "$METRICS_PORT" GRIDPROOF_METRICS_PORT
	fi
	# The chain keeps the genesis it began with, also when a newer build has another runtime.
	[ -e "$HOME_DIR/spec.json" ] ||
		"$NODE" export-chain-spec --chain dev --raw --output "$HOME_DIR/spec.json"
	start node "$NODE" --dev --chain "$HOME_DIR/spec.json" --base-path "$HOME_DIR/node" --name devnet \
		--rpc-port "$RPC_PORT" --port "$P2P_PORT" --prometheus-port "$METRICS_PORT"
}

wait_for_finality() {
	local finalized
	for _ in $(seq 300); do
		pid_of node >/dev/null || ended node
		finalized=$(chain finalizedNumber || true)
		if [ "${finalized:-0}" -gt 0 ]; then
			say "block $finalized is finalized"
			return
		fi
		sleep 0.2
	done
	ended node
}

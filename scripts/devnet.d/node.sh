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

# The chain keeps the genesis it began with, also when a newer build has another runtime. A row of the
# state that no pallet reads, with a random value, gives each chain a genesis hash of its own, so that
# what belongs to one is refused by another.
make_spec() {
	local spec=$HOME_DIR/spec.json salt
	[ -e "$spec" ] && return
	local chain=${BASE_SPEC:-dev}
	if [ "${PACE:-60}" != 60 ]; then
		"$NODE" export-chain-spec --chain "$chain" --output "$spec.plain.json"
		chain=$spec.plain.json
		sed -i "s/\"dayLength\": *60000/\"dayLength\": ${PACE}000/" "$chain"
		grep -q "\"dayLength\": *${PACE}000" "$chain" || die "the length of a day could not be written into $chain"
	fi
	"$NODE" export-chain-spec --chain "$chain" --raw --output "$spec.new"
	salt=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	# The key is ":devnet:salt".
	sed -i "s/\"top\": *{/&\"0x3a6465766e65743a73616c74\":\"0x$salt\",/" "$spec.new"
	grep -q "$salt" "$spec.new" || die "the chain's salt could not be written into $spec.new"
	mv "$spec.new" "$spec"
}

start_node() {
	if ! pid_of node >/dev/null; then
		port_free "$RPC_PORT" GRIDPROOF_RPC_PORT
		port_free "$P2P_PORT" GRIDPROOF_P2P_PORT
		port_free "$METRICS_PORT" GRIDPROOF_METRICS_PORT
		port_free "$LIGHT_PORT" GRIDPROOF_LIGHT_PORT
	fi
	make_spec
	start node "$NODE" --dev --chain "$HOME_DIR/spec.json" --base-path "$HOME_DIR/node" --name devnet \
		--rpc-port "$RPC_PORT" --prometheus-port "$METRICS_PORT" \
		--listen-addr "/ip4/127.0.0.1/tcp/$P2P_PORT" --listen-addr "/ip4/127.0.0.1/tcp/$LIGHT_PORT/ws"
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

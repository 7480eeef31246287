# shellcheck shell=bash
# More validators of the development chain: `devnet up --validators N`, N from 1 to 4. They are those of the `local` network.

readonly VALIDATOR_NAMES=(alice bob charlie dave)

# The number of this chain's authorities.
validators() { cat "$HOME_DIR/validators" 2>/dev/null || echo 1; }

# choose_validators N: a chain that is there keeps those of its genesis; a new one gets a specification with N of them.
choose_validators() {
	[[ ${1:-} =~ ^[1-4]$ ]] || die "--validators takes a number from 1 to 4"
	if [ -e "$HOME_DIR/spec.json" ]; then
		[ "$(validators)" = "$1" ] ||
			die "this chain has had $(validators) since its genesis: ./scripts/devnet reset, then up --validators $1"
		return
	fi
	"$NODE" export-chain-spec --chain dev --output "$HOME_DIR/dev.json"
	"$NODE" export-chain-spec --chain local --output "$HOME_DIR/local.json"
	python3 - "$1" "$HOME_DIR/dev.json" "$HOME_DIR/local.json" "$HOME_DIR/plain.json" <<-'EOT' || die "no specification with $1 validators"
		import json, sys
		number, (dev, local) = int(sys.argv[1]), (json.load(open(path)) for path in sys.argv[2:4])
		of = lambda spec: spec["genesis"]["runtimeGenesis"]["patch"]["session"]
		keys = of(local)["keys"][:number]
		if len(keys) < number:
		    sys.exit(f"error: the local network of this node has {len(keys)} validators")
		of(dev)["keys"] = keys
		json.dump(dev, open(sys.argv[4], "w"))
	EOT
	echo "$1" >"$HOME_DIR/validators"
	BASE_SPEC=$HOME_DIR/plain.json
}

# The names of the processes beside the first node.
further_validators() {
	local number
	for ((number = 2; number <= $(validators); number++)); do echo "validator-$number"; done
}

# They listen on loopback, at ports above the first node's.
start_validators() {
	local name number=2 peer=
	[ "$(validators)" -gt 1 ] || return 0
	for _ in $(seq 300); do
		peer=$(curl --silent --max-time 5 -H 'Content-Type: application/json' \
			-d '{"jsonrpc":"2.0","id":1,"method":"system_localPeerId","params":[]}' "$RPC" | grep -o '12D3Koo[0-9A-Za-z]*') && break
		pid_of node >/dev/null || ended node
		sleep 0.2
	done
	for name in $(further_validators); do
		start "$name" "$NODE" --chain "$HOME_DIR/spec.json" "--${VALIDATOR_NAMES[number - 1]}" --base-path "$HOME_DIR/$name" \
			--name "$name" --node-key "$(printf '%064x' "$number")" --no-prometheus --rpc-port "$((RPC_PORT + 20 + number))" \
			--port "$((P2P_PORT + 40 + number))" --bootnodes "/ip4/127.0.0.1/tcp/$P2P_PORT/p2p/$peer"
		number=$((number + 1))
	done
}

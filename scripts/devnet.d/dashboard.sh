# shellcheck shell=bash
# The dashboard of the development chain: a page that reads the node and asks the services, in the reader's browser.

readonly DASHBOARD_PORT=${GRIDPROOF_DASHBOARD_PORT:-8070}
readonly LIGHT_PORT=${GRIDPROOF_LIGHT_PORT:-30334}
readonly DASHBOARD=http://127.0.0.1:$DASHBOARD_PORT
readonly DASHBOARD_DIR=${GRIDPROOF_DASHBOARD:-$GRIDPROOF_ROOT/dashboard/dist}
# Browsers ask services of another port only if these allow the page's origin, by both of its names.
readonly DASHBOARD_ORIGINS=(--origin "$DASHBOARD" --origin "http://localhost:$DASHBOARD_PORT")

dashboard_built() {
	[ -e "$DASHBOARD_DIR/index.html" ]
}

dashboard_address() {
	if dashboard_built; then
		echo "  dashboard                 $DASHBOARD/"
	else
		echo "  dashboard                 not built: ./scripts/dashboard build, then ./scripts/devnet up again"
	fi
}

# The coordinator's settings: the page may ask it.
dashboard_settings() {
	printf '{"origins":["%s","http://localhost:%s"]}\n' "$DASHBOARD" "$DASHBOARD_PORT"
}

# What a light client needs: the chain's spec with the address at which this node listens for it.
make_light_spec() {
	local peer
	peer=$(curl --silent --fail --max-time 5 -H 'Content-Type: application/json' \
		-d '{"jsonrpc":"2.0","id":1,"method":"system_localPeerId","params":[]}' "$RPC" | grep -o '12D3[0-9A-Za-z]*') || return
	node "$GRIDPROOF_ROOT/chain-specs/light-spec.mjs" <"$HOME_DIR/spec.json" 2>/dev/null |
		node -e '
			const spec = JSON.parse(require("fs").readFileSync(0, "utf8"));
			spec.bootNodes = [process.argv[1]];
			process.stdout.write(JSON.stringify(spec));' "/ip4/127.0.0.1/tcp/$LIGHT_PORT/ws/p2p/$peer" >"$HOME_DIR/light.new" &&
		mv "$HOME_DIR/light.new" "$HOME_DIR/light.json"
}

start_dashboard() {
	dashboard_built || return 0
	pid_of dashboard >/dev/null || port_free "$DASHBOARD_PORT" GRIDPROOF_DASHBOARD_PORT
	local light=()
	if make_light_spec; then light=(--light-spec "$HOME_DIR/light.json"); fi
	start dashboard "$GRIDPROOF" dashboard --dir "$DASHBOARD_DIR" --listen "127.0.0.1:$DASHBOARD_PORT" --url "$WS" \
		--gateway-url "$GATEWAY" --coordinator-url "$COORDINATOR" --front-url "$FRONT" --index-url "$INDEX" \
		"${light[@]}"
}

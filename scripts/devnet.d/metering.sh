# shellcheck shell=bash
# The energy of the development chain: a gateway with its MQTT broker, and 50 simulated meters.

readonly METERS=50
readonly HTTP_PORT=${GRIDPROOF_GATEWAY_PORT:-8080}
readonly MQTT_PORT=${GRIDPROOF_MQTT_PORT:-1883}
readonly GATEWAY=http://127.0.0.1:$HTTP_PORT

# Consumers, producers and prosumers, certified by the electrician of the genesis as of a day ago.
onboard_meters() {
	[ -e "$HOME_DIR/meters.json" ] && return
	say "certifying $METERS meters"
	"$GRIDPROOF" meter onboard --generate "$METERS" --organisation 0 --suri //Alice --owner-suri //Bob \
		--since -24h --keys "$HOME_DIR/meter-keys" --credentials "$HOME_DIR/mqtt-credentials.csv" \
		--out "$HOME_DIR/meters.json.new" --url "$WS" >"$HOME_DIR/onboard.log" 2>&1 ||
		die "the meters could not be certified: $(tail -n 5 "$HOME_DIR/onboard.log")"
	mv "$HOME_DIR/meters.json.new" "$HOME_DIR/meters.json"
}

# An organisation to try things out with: //Bob is its admin and electrician, and signs for nothing
# else here.
found_organisation() {
	[ -e "$HOME_DIR/organised" ] && return
	"$GRIDPROOF" meter organise "Electricians for trials" --electrician "$BOB" --suri //Bob \
		--admit-with //Alice --url "$WS" >>"$HOME_DIR/onboard.log" 2>&1 ||
		die "the organisation could not be founded: $(tail -n 5 "$HOME_DIR/onboard.log")"
	touch "$HOME_DIR/organised"
}

start_gateway() {
	if ! pid_of gateway >/dev/null; then
		port_free "$HTTP_PORT" GRIDPROOF_GATEWAY_PORT
		port_free "$MQTT_PORT" GRIDPROOF_MQTT_PORT
	fi
	"$GRIDPROOF" gateway device import "$HOME_DIR/mqtt-credentials.csv" --data "$HOME_DIR/gateway" --new \
		>>"$HOME_DIR/onboard.log" 2>&1 ||
		die "the gateway does not accept the credentials: $(tail -n 5 "$HOME_DIR/onboard.log")"
	# Signed, what it sends can be read by every explorer.
	GRIDPROOF_SENDER_SURI=//Bob//stash start gateway "$GRIDPROOF" gateway run --data "$HOME_DIR/gateway" --url "$WS" \
		--http "127.0.0.1:$HTTP_PORT" --mqtt "127.0.0.1:$MQTT_PORT" --batch-seconds 60 \
		"${DASHBOARD_ORIGINS[@]}"
	for _ in $(seq 100); do
		curl --silent --fail --max-time 2 "$GATEWAY/health" >/dev/null && return
		pid_of gateway >/dev/null || ended gateway
		sleep 0.2
	done
	die "the gateway does not answer at $GATEWAY; its log is $HOME_DIR/gateway.log"
}

# Simulated time begins a day ago, runs 720 times as fast until it has caught up, and then with real time.
start_meters() {
	local figures
	figures=$(figures_of meters)
	start meters "$GRIDPROOF" meter simulate --registry "$HOME_DIR/meters.json" --speed 720 \
		--keys "$HOME_DIR/meter-keys" --state "$HOME_DIR/meter-states" \
		--credentials "$HOME_DIR/mqtt-credentials.csv" --broker "mqtt://127.0.0.1:$MQTT_PORT" --metrics "$figures"
}

start_metering() {
	onboard_meters
	found_organisation
	start_gateway
	start_meters
}

metering_status() {
	"$GRIDPROOF" gateway status --api "$GATEWAY" && "$GRIDPROOF" meter totals --url "$WS"
}

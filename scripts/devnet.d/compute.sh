# shellcheck shell=bash
# The compute of the development chain: a coordinator with a front for OpenAI's clients, two miners,
# and a client that keeps sending prompts, through a front of its own that pays by channel, and now and then
# as a job. Each account signs for one of them, so that none takes another's nonces: //Charlie the
# coordinator's bond, //Eve the miners', //Ferdie pays for the front's jobs, //Dave for the client's.

readonly COORDINATOR_PORT=${GRIDPROOF_COORDINATOR_PORT:-8090}
readonly COORDINATOR=http://127.0.0.1:$COORDINATOR_PORT
readonly FRONT_PORT=${GRIDPROOF_FRONT_PORT:-8091}
readonly FRONT=http://127.0.0.1:$FRONT_PORT
# Each miner's sender.
readonly -A SENDERS=([miner-1]=//Eve//stash [miner-2]=//Dave//stash)

# register KIND NAME ACCOUNT [OPTION …]: creates a key and registers it, with a bond of the account.
register() {
	local kind=$1 name=$2 account=$3
	shift 3
	[ -e "$HOME_DIR/$name-key.json" ] && return
	say "registering $name"
	local new
	new=$(new_key "$name")
	"$GRIDPROOF" "$kind" register ${new:+"$new"} --key "$HOME_DIR/$name-key.json" --suri "$account" --url "$WS" "$@" \
		>"$HOME_DIR/register.log" 2>&1 || {
		rm -f "$HOME_DIR/$name-key.json"
		die "$name could not be registered: $(tail -n 5 "$HOME_DIR/register.log")"
	}
}

# A customer's key for the front. The coordinator's file has its hash only.
make_api_key() {
	[ -e "$HOME_DIR/api-key" ] && return
	rm -f "$HOME_DIR/api-keys.json"
	(
		umask 077
		"$GRIDPROOF" --json coordinator api-key --name devnet --file "$HOME_DIR/api-keys.json" |
			grep -o 'gpk_[0-9A-Za-z_-]*' >"$HOME_DIR/api-key.new"
	) || die "no API key could be made in $HOME_DIR/api-keys.json"
	mv "$HOME_DIR/api-key.new" "$HOME_DIR/api-key"
}

start_coordinator() {
	pid_of coordinator >/dev/null || port_free "$COORDINATOR_PORT" GRIDPROOF_COORDINATOR_PORT
	dashboard_settings >"$HOME_DIR/coordinator.json"
	GRIDPROOF_SENDER_SURI=//Charlie//stash start coordinator "$GRIDPROOF" coordinator run --key "$HOME_DIR/coordinator-key.json" \
		--data "$HOME_DIR/coordinator" --listen "127.0.0.1:$COORDINATOR_PORT" --url "$WS" \
		--api-keys "$HOME_DIR/api-keys.json" --suri //Ferdie --config "$HOME_DIR/coordinator.json"
	for _ in $(seq 100); do
		curl --silent --max-time 2 --output /dev/null "$COORDINATOR/" && return
		pid_of coordinator >/dev/null || ended coordinator
		sleep 0.2
	done
	die "the coordinator does not answer at $COORDINATOR; its log is $HOME_DIR/coordinator.log"
}

start_miner() {
	local cheat=() figures
	figures=$(figures_of "$1")
	# Set by 'cheat', and kept over restarts.
	[ ! -e "$HOME_DIR/$1-cheat" ] || cheat=(--trial-cheat "$(cat "$HOME_DIR/$1-cheat")")
	GRIDPROOF_SENDER_SURI=${SENDERS[$1]} start "$1" "$GRIDPROOF" miner run --key "$HOME_DIR/$1-key.json" --data "$HOME_DIR/$1" \
		--coordinator "$COORDINATOR" --metrics "$figures" --url "$WS" "${cheat[@]}"
}

# cheat MINER HOW: has a miner cheat from now on, for a look at how it ends; with 'honest', no more.
cheat() {
	local how=$2
	case $how in
	# Half of the tokens.
	half) how=cut-tokens ;;
	honest | smaller-model | quantised | cut-tokens | ignored-seed | other-sampling | invented | old-output) ;;
	*) die "a miner can be honest, smaller-model, half (cut-tokens), invented, quantised, ignored-seed, other-sampling, old-output" ;;
	esac
	[ -n "$1" ] && [ -n "${SENDERS[$1]:-}" ] || die "which miner? ./scripts/devnet cheat miner-2 invented"
	pid_of "$1" >/dev/null || die "$1 does not run: ./scripts/devnet up"
	stop "$1"
	if [ "$how" = honest ]; then rm -f "$HOME_DIR/$1-cheat"; else echo "$how" >"$HOME_DIR/$1-cheat"; fi
	start_miner "$1"
	say "$1: $how from now on; ./scripts/devnet status shows how it ends"
	[ "$CHECKS" != 0 ] || say "nobody checks: start without GRIDPROOF_CHECKS=0"
}

# The client's channel: its key signs a voucher for each request, and the deposit is //Dave's.
open_channel() {
	[ -e "$HOME_DIR/channel" ] && return
	say "opening a channel"
	rm -f "$HOME_DIR/channel-key.json"
	local new
	new=$(new_key channel)
	"$GRIDPROOF" --json channel open ${new:+"$new"} --key "$HOME_DIR/channel-key.json" --deposit 20 --suri //Dave \
		--coordinator "$COORDINATOR" --url "$WS" >"$HOME_DIR/channel.log" 2>&1 ||
		die "no channel could be opened: $(tail -n 5 "$HOME_DIR/channel.log")"
	grep -o '"channel": *[0-9]*' "$HOME_DIR/channel.log" | grep -o '[0-9]*$' >"$HOME_DIR/channel.new"
	mv "$HOME_DIR/channel.new" "$HOME_DIR/channel"
}

start_front() {
	pid_of front >/dev/null || port_free "$FRONT_PORT" GRIDPROOF_FRONT_PORT
	start front "$GRIDPROOF" front run --channel "$(cat "$HOME_DIR/channel")" --key "$HOME_DIR/channel-key.json" \
		--data "$HOME_DIR/front" --listen "127.0.0.1:$FRONT_PORT" --coordinator "$COORDINATOR" --url "$WS" \
		--top-up-below 5 --top-up-by 15 --top-up-per-day 150 --max-spend 10000 --suri //Dave \
		"${DASHBOARD_ORIGINS[@]}"
	for _ in $(seq 100); do
		curl --silent --max-time 2 --output /dev/null "$FRONT/health" && return
		pid_of front >/dev/null || ended front
		sleep 0.2
	done
	die "the client's front does not answer at $FRONT; its log is $HOME_DIR/front.log"
}

# Sends one prompt after the other, and pays for each: by the channel, each tenth as a job. Runs as a process of
# its own.
ask() {
	local prompts=("The light of the morning" "She had a letter" "Energy is" "It is a truth" "The old house") turn=0
	local model prompt
	while true; do
		prompt=${prompts[$(cksum <<<"$SEED $turn" | cut -d ' ' -f 1) % ${#prompts[@]}]}
		if ((turn % 10 == 9)); then
			"$GRIDPROOF" job submit --prompt "$prompt" --suri //Dave \
				--jobs "$HOME_DIR/jobs" --coordinator "$COORDINATOR" --url "$WS" || true
		else
			model=$(curl --silent --max-time 10 "$FRONT/v1/models" | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
			curl --silent --show-error --max-time 120 "$FRONT/v1/completions" --header 'Content-Type: application/json' \
				--data "{\"model\":\"$model\",\"prompt\":\"$prompt\",\"max_tokens\":32}" || true
			echo
		fi
		turn=$((turn + 1))
		sleep 3
	done
}

start_compute() {
	# //Alice governs the development chain: only a coordinator that she admits gets jobs.
	register coordinator coordinator //Charlie --admit-with //Alice
	register miner miner-1 //Eve
	register miner miner-2 //Eve
	make_api_key
	start_coordinator
	start_miner miner-1
	start_miner miner-2
	open_channel
	start_front
	start client "$BASH" "$GRIDPROOF_ROOT/scripts/devnet" ask
}

compute_status() {
	"$GRIDPROOF" coordinator status --coordinator "$COORDINATOR" --url "$WS" || return
	local name
	for name in miner-1 miner-2; do
		"$GRIDPROOF" miner status --key "$HOME_DIR/$name-key.json" --url "$WS" || return
	done
	"$GRIDPROOF" channel show "$(cat "$HOME_DIR/channel")" --url "$WS"
}

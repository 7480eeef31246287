# shellcheck shell=bash
# The demonstration without an end: which scenario the reserve goes through, from which seed keys, grid data and prompts
# come, and how long a day takes. What the first 'up' says is kept in HOME_DIR/demonstration.

SCENARIO=bad-weeks SEED='' PACE=60

# read_demonstration [OPTION …]: sets SCENARIO, SEED and PACE from the chain's file, and from the options of 'up'.
read_demonstration() {
	local name value file=$HOME_DIR/demonstration
	local -A asked=()
	[ -e "$file" ] && while IFS='=' read -r name value; do printf -v "$name" '%s' "$value"; done <"$file"
	while [ $# -gt 0 ]; do
		case $1 in --scenario | --seed | --pace) ;; *) die "there is no option '$1': --scenario, --seed and --pace" ;; esac
		[ $# -gt 1 ] || die "$1 needs a value"
		name=${1#--}
		asked[${name^^}]=$2
		shift 2
	done
	for name in "${!asked[@]}"; do
		[ "$name" = SCENARIO ] || [ ! -e "$HOME_DIR/spec.json" ] || [ "${!name}" = "${asked[$name]}" ] ||
			die "this chain began with --${name,,} '${!name}', which cannot change: ./scripts/devnet reset, or another GRIDPROOF_DEVNET"
		printf -v "$name" '%s' "${asked[$name]}"
	done
	case $SCENARIO in calm | bad-weeks | crisis) ;; *) die "there is no scenario '$SCENARIO': calm, bad-weeks, crisis" ;; esac
	[[ $SEED =~ ^[A-Za-z0-9._-]{0,64}$ ]] || die "a seed has up to 64 letters, digits, and . _ -"
	[[ $PACE =~ ^[0-9]{2,5}$ ]] && [ "$PACE" -ge 10 ] && [ "$PACE" -le 86400 ] ||
		die "--pace is the number of seconds that a day takes, from 10 to 86400"
}

# Keeps them, and has the keys that the seed gives.
keep_demonstration() {
	printf 'SCENARIO=%s\nSEED=%s\nPACE=%s\n' "$SCENARIO" "$SEED" "$PACE" >"$HOME_DIR/demonstration"
	[ -n "$SEED" ] && [ ! -e "$HOME_DIR/seeded" ] || return 0
	python3 "$GRIDPROOF_ROOT/scripts/devnet.d/keys.py" "$SEED" "$HOME_DIR/seeded.new" "$METERS"
	mkdir -p "$HOME_DIR/meter-keys"
	cp -p "$HOME_DIR/seeded.new/meter-keys"/* "$HOME_DIR/meter-keys/"
	mv "$HOME_DIR/seeded.new" "$HOME_DIR/seeded"
}

# new_key NAME: prints the option that makes a key, unless the seed has given it, which is put into its place.
new_key() {
	if [ -e "$HOME_DIR/seeded/$1-key.json" ]; then
		cp -p "$HOME_DIR/seeded/$1-key.json" "$HOME_DIR/$1-key.json"
	else
		echo --new-key
	fi
}

# days_through TODAY [SUPPLY]: makes the grid data that is missing.
days_through() {
	python3 "$GRIDPROOF_ROOT/scripts/devnet.d/days.py" --out "$HOME_DIR/grid" --today "$1" ${2:+--supply "$2"} \
		--scenario "$SCENARIO" --seed "$SEED"
}

# What the issuer leaves of a day's allowance, in AICP: 1,000 in the fortnight, a twenty-fifth of the supply afterwards.
# days.py counts on it.
issuer_leaves() {
	local supply
	[ -e "$HOME_DIR/room" ] || { echo 1000 && return; }
	supply=$(grep -o '"supply": [0-9]*' "$HOME_DIR/grid/book.json" | grep -o '[0-9]*$')
	echo $((supply / 25 / 1000000))
}

# Makes each day before the chain comes to it, by the scenario that the last 'up' has named. Runs as a process of its own.
days() {
	local report today supply minted
	while true; do
		read_demonstration
		if report=$("$GRIDPROOF" --json policy status --url "$WS" 2>/dev/null); then
			today=$(grep -o '"today":"[^"]*"' <<<"$report" | cut -d '"' -f 4)
			supply=$(grep -o '"issuance_units":"[0-9]*"' <<<"$report" | cut -d '"' -f 4)
			minted=$(grep -o '"minted_today_units":"[0-9]*"' <<<"$report" | cut -d '"' -f 4)
			days_through "$today" "$supply" || true
			# The last day of the fortnight mints on 7 April.
			if [ ! -e "$HOME_DIR/room" ] && [[ $today > 2025-04-07 || ($today = 2025-04-07 && $minted != 0) ]] &&
				pid_of issuer >/dev/null; then
				touch "$HOME_DIR/room"
				stop issuer
				start_issuer
			fi
		fi
		sleep $((PACE / 5))
	done
}

start_days() {
	start days "$BASH" "$GRIDPROOF_ROOT/scripts/devnet" days
}

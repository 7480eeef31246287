#!/usr/bin/env bash
# Generates the chain specs of every built-in network with the built node.
#
#   scripts/chain-specs.sh            into chain-specs/
#   scripts/chain-specs.sh DIR        into DIR
#   scripts/chain-specs.sh --check    into a temporary folder, and compares what is committed
#
# A network NAME gives NAME.json (plain), NAME.raw.json, NAME.light.json (raw, for light clients)
# and NAME.genesis.json (plain, without the runtime's code; committed, so that every change of a
# genesis is seen in review). The node must accept each of them, with one genesis for all.
set -euo pipefail

. "$(dirname -- "${BASH_SOURCE[0]}")/env.sh"
networks=(dev local staging)

node=${GRIDPROOF_NODE:-$CARGO_TARGET_DIR/release/gridproof-node}
[[ -x $node ]] || die "no node at $node: build it with 'cargo build --release --workspace', or set GRIDPROOF_NODE"
command -v node >/dev/null || die "'node' (Node.js) is missing: run ./scripts/setup.sh"

work=$(mktemp -d -t gridproof-specs.XXXXXX)
trap 'rm -rf "$work"' EXIT

check=false
case ${1:-} in
	--check) check=true && out=$work/specs ;;
	-*) die "unknown option $1; usage: scripts/chain-specs.sh [DIR | --check]" ;;
	*) out=${1:-$GRIDPROOF_ROOT/chain-specs} ;;
esac
mkdir -p "$out"

# export CHAIN FILE [--raw]: exports a built-in network or a spec file with the node.
export_spec() {
	local chain=$1 file=$2
	shift 2
	"$node" export-chain-spec --chain "$chain" "$@" >"$file" 2>"$work/error" ||
		die "the node refuses '$chain': $(<"$work/error")"
}

tool() { node "$GRIDPROOF_ROOT/chain-specs/$1.mjs" "${@:2}"; }

changed=()
for network in "${networks[@]}"; do
	start=$SECONDS
	plain=$out/$network.json raw=$out/$network.raw.json
	light=$out/$network.light.json genesis=$out/$network.genesis.json

	# The runtime's genesis builder produces the raw form from the preset: an invalid preset ends here.
	export_spec "$network" "$plain"
	export_spec "$network" "$raw" --raw
	tool light-spec <"$raw" >"$light"
	tool genesis <"$plain" >"$genesis"

	# The node accepts each file as a chain, and all describe the same genesis.
	for file in "$plain" "$raw" "$light"; do
		export_spec "$file" "$work/again.json" --raw
		tool same-genesis "$raw" "$work/again.json" ||
			die "$(basename "$file") describes another genesis than the network $network"
	done

	if $check; then
		committed=$GRIDPROOF_ROOT/chain-specs/$network.genesis.json
		diff -u "$committed" "$genesis" || changed+=("$network")
	fi
	printf 'chain-specs: %-8s plain, raw and light accepted, one genesis (%s s)\n' \
		"$network" "$((SECONDS - start))"
done
((${#changed[@]} == 0)) || die "the genesis of ${changed[*]} has changed: if that is intended, run \
scripts/chain-specs.sh and commit chain-specs/*.genesis.json"
$check || printf 'chain-specs: written to %s\n' "$out"

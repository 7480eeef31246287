# shellcheck shell=bash
# The daily pipeline of the reserve: attestations, and an issuer that mints what each day allows.

# The role keys of the development chain, whose secrets are public: 32 bytes of 1, of 2, of 3.
role_key() {
	local role=$1 byte=$2 public=$3 file=$HOME_DIR/$1-key.json
	[ -e "$file" ] && return
	(
		umask 077
		printf '{"format":"gridproof-role-key","version":1,"role":"%s","public":"%s","secret":"%s"}\n' \
			"$role" "$public" "$(printf "$byte%.0s" {1..32})" >"$file"
	)
}

start_attest() {
	role_key data 01 8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c
	role_key risk 02 8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394
	days_through 2025-03-24 >>"$HOME_DIR/days.log"
	local figures
	figures=$(figures_of attest)
	GRIDPROOF_SENDER_SURI=//Alice//stash start attest "$GRIDPROOF" attest daemon --follow-chain --from 2025-03-24 --accept-clock \
		--zones data/zones.csv --source "dir:$HOME_DIR/grid" --price-zone DE-LU \
		--key "data=$HOME_DIR/data-key.json" --key "risk=$HOME_DIR/risk-key.json" \
		--several-roles-on-purpose \
		--out "$HOME_DIR/days" --state "$HOME_DIR/attest" --url "$WS" --retry-pause 2 \
		--ema-window 1 --wait-for-zones 0 --revise-for 0 --metrics "$figures"
}

# Mints what each day allows but what is left to who wants to mint by hand, and logs each mint.
start_issuer() {
	local figures
	figures=$(figures_of issuer)
	RUST_LOG=warn,gridproof_attest=info start issuer "$GRIDPROOF" policy issuer --suri //Ferdie//stash \
		--leave "$(issuer_leaves)" --every "$((PACE < 30 ? 1 : 5))" --metrics "$figures" --url "$WS"
}

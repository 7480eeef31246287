# shellcheck shell=bash
# The index of the development chain: history that a page would have to ask a node for block by block.

readonly INDEX_PORT=${GRIDPROOF_INDEX_PORT:-8060}
readonly INDEX=http://127.0.0.1:$INDEX_PORT

start_index() {
	pid_of index >/dev/null || port_free "$INDEX_PORT" GRIDPROOF_INDEX_PORT
	start index "$GRIDPROOF" index --data "$HOME_DIR/index" --url "$WS" --listen "127.0.0.1:$INDEX_PORT" \
		"${DASHBOARD_ORIGINS[@]}"
}

# shellcheck shell=bash
# Where the processes without an API serve their figures for Prometheus.

readonly -A FIGURES=(
	[attest]=${GRIDPROOF_ATTEST_METRICS_PORT:-9616}
	[issuer]=${GRIDPROOF_ISSUER_METRICS_PORT:-9617}
	[meters]=${GRIDPROOF_METERS_METRICS_PORT:-9618}
	[miner-1]=${GRIDPROOF_MINER_1_METRICS_PORT:-9619}
	[miner-2]=${GRIDPROOF_MINER_2_METRICS_PORT:-9620}
	[verifier-alice]=${GRIDPROOF_VERIFIER_ALICE_METRICS_PORT:-9621}
)

# figures_of NAME: prints the address of a process's figures, whose port is free unless it runs already.
figures_of() {
	local port=${FIGURES[$1]} variable=${1^^}
	variable=GRIDPROOF_${variable//-/_}_METRICS_PORT
	pid_of "$1" >/dev/null || port_free "$port" "$variable"
	echo "127.0.0.1:$port"
}

# shellcheck shell=bash
# Sourced by every script here, and by people before a plain `cargo build`: sets where things are
# built, and with which toolchain. It installs nothing; scripts/setup.sh does.

GRIDPROOF_ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
GRIDPROOF_CACHE=${GRIDPROOF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gridproof}

# A target folder outside the clone outlives it: the next clone starts warm.
if [ -z "${CARGO_TARGET_DIR:-}" ]; then
	if [ -d "$GRIDPROOF_CACHE/target" ]; then
		CARGO_TARGET_DIR=$GRIDPROOF_CACHE/target
	else
		CARGO_TARGET_DIR=$GRIDPROOF_ROOT/target
	fi
fi

# The tools that setup.sh installs for this project alone come first.
for dir in "${CARGO_HOME:-$HOME/.cargo}/bin" "$GRIDPROOF_CACHE/node/bin" "$GRIDPROOF_CACHE/tools/bin"; do
	case ":$PATH:" in *":$dir:"*) ;; *) [ -d "$dir" ] && PATH=$dir:$PATH ;; esac
done

# rust-toolchain.toml names `stable` with components and a target. Only setup.sh installs, so rustup must not try to
# while a script runs; and where rustup has no `stable`, its default toolchain is used, if it is new enough.
export RUSTUP_AUTO_INSTALL=0
if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && command -v rustup >/dev/null; then
	case $(rustup toolchain list 2>/dev/null) in
	stable* | *[[:space:]]stable*) ;;
	*)
		RUSTUP_TOOLCHAIN=$(cd / && rustup default 2>/dev/null | cut -d ' ' -f 1) || true
		if [ -n "${RUSTUP_TOOLCHAIN:-}" ]; then export RUSTUP_TOOLCHAIN; else unset RUSTUP_TOOLCHAIN; fi
		;;
	esac
fi

# The fallback toolchain, where rustup cannot install the wasm target.
GRIDPROOF_TOOLCHAIN=$GRIDPROOF_CACHE/toolchain
if [ -e "$GRIDPROOF_TOOLCHAIN/complete" ]; then
	if [ -e "$GRIDPROOF_TOOLCHAIN/linked-in-rustup" ]; then
		export WASM_BUILD_TOOLCHAIN=gridproof-wasm
	else
		PATH=$GRIDPROOF_TOOLCHAIN/bin:$PATH
	fi
fi

# The network library comes with OpenSSL's sources for WebRTC, which nobody here uses: where the system has the
# library, it is linked instead (five minutes of a cold build). OPENSSL_NO_VENDOR=0 builds it from source.
if [ -z "${OPENSSL_NO_VENDOR:-}" ] && pkg-config --exists openssl 2>/dev/null; then
	export OPENSSL_NO_VENDOR=1
fi

export CARGO_TARGET_DIR PATH GRIDPROOF_ROOT GRIDPROOF_CACHE
export WASM_BUILD_WORKSPACE_HINT=$GRIDPROOF_ROOT

# Cargo distinguishes clones that share a target folder by their files' times only. A clone that builds
# where another one built last makes its own files newer, so that nothing of the other is taken for its own.
claim_target() {
	local owner=$CARGO_TARGET_DIR/built-from
	if [ -e "$owner" ] && [ "$(cat "$owner")" != "$GRIDPROOF_ROOT" ]; then
		git -C "$GRIDPROOF_ROOT" ls-files -z -- '*.rs' '*.toml' | (cd "$GRIDPROOF_ROOT" && xargs -0 touch --no-create --)
	fi
	mkdir -p "$CARGO_TARGET_DIR"
	echo "$GRIDPROOF_ROOT" >"$owner"
}

# What is built to be run. Each step of scripts/test uses it, so that none builds a node in another way over it.
SHIPPED=(--workspace --locked)

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

#!/usr/bin/env bash
# Installs what building and testing Gridproof need, and nothing that is there already.
# ./scripts/devnet and ./scripts/test call it; it can be run again at any time.
#
#   scripts/setup.sh build   what a build needs (default)
#   scripts/setup.sh test    and what the checks and tests need, promtool among it
set -euo pipefail
. "$(dirname -- "${BASH_SOURCE[0]}")/env.sh"

readonly MIN_RUST=1.95 MIN_NODE=20 NODE_PACKAGE=20
readonly BUILD_PACKAGES=(ca-certificates clang cmake curl gcc g++ git libclang-dev libssl-dev make mold pkg-config protobuf-compiler python3 tzdata)
readonly TEST_PACKAGES=(faketime mosquitto-clients procps python3-venv)
want=${1:-build}
case $want in build | test) ;; *) die "unknown part '$want': say 'build' or 'test'" ;; esac

# at_least MINIMUM VERSION
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root: $*"
	fi
}

installed() { [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" = "install ok installed" ]; }

# Installs the named Debian packages that are missing.
debian_packages() {
	local missing=() package
	for package in "$@"; do installed "$package" || missing+=("$package"); done
	[ ${#missing[@]} -gt 0 ] || return 0
	if ! command -v apt-get >/dev/null; then
		die "this is not Debian or Ubuntu. Install the equivalents of these Debian packages, then run this again with \
GRIDPROOF_SKIP_PACKAGES=1: ${missing[*]}; Rust $MIN_RUST or newer with the target wasm32v1-none; Node.js $MIN_NODE or newer for the tests"
	fi
	say "installing Debian packages: ${missing[*]}"
	if [ -z "${APT_UPDATED:-}" ]; then
		as_root apt-get update -qq
		APT_UPDATED=1
	fi
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

packages() {
	[ -n "${GRIDPROOF_SKIP_PACKAGES:-}" ] || debian_packages "$@"
}

rust_version() { "${1:-rustc}" --version 2>/dev/null | awk '{print $2}'; }

# A native toolchain: the installed one, otherwise rustup's, otherwise Debian's.
native_rust() {
	local version
	version=$(rust_version || true)
	if [ -n "$version" ] && command -v cargo >/dev/null && at_least "$MIN_RUST" "$version"; then
		say "Rust $version is installed"
		return
	fi
	if ! command -v rustup >/dev/null && command -v apt-cache >/dev/null; then
		[ -z "${APT_UPDATED:-}" ] && as_root apt-get update -qq && APT_UPDATED=1
		if apt-cache policy rustup | grep -q 'Candidate: [^(]'; then packages rustup; fi
	fi
	if command -v rustup >/dev/null && timeout 600 rustup toolchain install stable --profile minimal -c clippy -c rustfmt; then
		rustup default stable
		return
	fi
	say "rustup cannot install Rust here: Debian's own compiler builds everything"
	packages rustc-web cargo-web rust-web-clippy
	version=$(rust_version /usr/bin/rustc || true)
	at_least "$MIN_RUST" "${version:-0}" ||
		die "Rust $MIN_RUST or newer is needed and was not found (Debian's is '${version:-none}'). Install it from https://rustup.rs and run this again"
}

has_wasm_target() {
	local sysroot
	sysroot=$(rustc --print sysroot) && [ -d "$sysroot/lib/rustlib/wasm32v1-none" ]
}

# The runtime's target: rustup's where that works, otherwise built from Debian's Rust sources.
wasm_target() {
	if has_wasm_target; then
		say "the target wasm32v1-none is installed"
		return
	fi
	if [ -e "$GRIDPROOF_TOOLCHAIN/complete" ] &&
		[ "$(cat "$GRIDPROOF_TOOLCHAIN/complete")" = "$(/usr/bin/rustc --version 2>/dev/null)" ]; then
		say "the fallback toolchain is installed: $GRIDPROOF_TOOLCHAIN"
		return
	fi
	if command -v rustup >/dev/null && timeout 300 rustup target add wasm32v1-none && has_wasm_target; then
		return
	fi
	fallback_toolchain
}

# Debian's compiler, with the wasm32v1-none libraries built from Debian's sources, as one folder.
fallback_toolchain() {
	local host version build lld src=/usr/lib/rustlib/src/rust/library
	say "the target wasm32v1-none cannot be downloaded: building it from Debian's Rust sources"
	packages rustc-web cargo-web rust-web-src rust-web-llvm
	lld=$(readlink /usr/bin/rust-lld || true)
	case $lld in lld-*) packages "$(basename "$lld")" ;; esac
	[ -d "$src" ] || die "Debian's package rust-web-src has no $src; install Rust from https://rustup.rs with the target wasm32v1-none instead"
	host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
	version=$(/usr/bin/rustc --version)
	build=$(mktemp -d)
	mkdir -p "$build/src"
	printf '[package]\nname = "core-for-wasm"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$build/Cargo.toml"
	printf '#![no_std]\nextern crate alloc;\n' >"$build/src/lib.rs"
	# Bitcode is embedded because the runtime is linked with link-time optimisation.
	(
		cd "$build"
		env -u CARGO_TARGET_DIR -u RUSTUP_TOOLCHAIN PATH=/usr/bin:/bin RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes \
			/usr/bin/cargo build --release -Z build-std=core,alloc --target wasm32v1-none
	)
	rm -rf "$GRIDPROOF_TOOLCHAIN"
	mkdir -p "$GRIDPROOF_TOOLCHAIN/bin" "$GRIDPROOF_TOOLCHAIN/lib/rustlib/wasm32v1-none/lib"
	ln -s /usr/bin/cargo "$GRIDPROOF_TOOLCHAIN/bin/cargo"
	# shellcheck disable=SC2016 # the wrapper expands "$@", not this script
	printf '#!/bin/sh\nexec /usr/bin/rustc --sysroot %s "$@"\n' "$GRIDPROOF_TOOLCHAIN" >"$GRIDPROOF_TOOLCHAIN/bin/rustc"
	chmod +x "$GRIDPROOF_TOOLCHAIN/bin/rustc"
	for dir in "$host" etc src; do ln -s "/usr/lib/rustlib/$dir" "$GRIDPROOF_TOOLCHAIN/lib/rustlib/$dir"; done
	cp "$build"/target/wasm32v1-none/release/deps/lib{core,alloc,compiler_builtins}-*.rlib \
		"$GRIDPROOF_TOOLCHAIN/lib/rustlib/wasm32v1-none/lib/"
	rm -rf "$build"
	if command -v rustup >/dev/null; then
		rustup toolchain link gridproof-wasm "$GRIDPROOF_TOOLCHAIN"
		touch "$GRIDPROOF_TOOLCHAIN/linked-in-rustup"
	fi
	printf '%s' "$version" >"$GRIDPROOF_TOOLCHAIN/complete"
	say "done: $version with wasm32v1-none. For a plain cargo build: source scripts/env.sh"
}

# Node.js for the client tests and zombienet.
node_js() {
	local version
	version=$(node --version 2>/dev/null | tr -d v || true)
	if [ -n "$version" ] && at_least "$MIN_NODE" "$version"; then return; fi
	packages nodejs npm
	version=$(node --version 2>/dev/null | tr -d v || true)
	if [ -n "$version" ] && at_least "$MIN_NODE" "$version"; then return; fi
	say "Node.js ${version:-none} is too old for the clients under test: adding Node.js $NODE_PACKAGE for this project"
	case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) die "install Node.js $MIN_NODE or newer" ;; esac
	npm install --silent --no-audit --no-fund --prefix "$GRIDPROOF_CACHE/node-package" "node-linux-$arch@$NODE_PACKAGE"
	mkdir -p "$GRIDPROOF_CACHE/node/bin"
	ln -sf "$GRIDPROOF_CACHE/node-package/node_modules/node-linux-$arch/bin/node" "$GRIDPROOF_CACHE/node/bin/node"
}

# cargo_tool COMMAND PACKAGE VERSION: a cargo subcommand, built once.
cargo_tool() {
	command -v "$1" >/dev/null && return
	say "building $2 $3 (some minutes, once)"
	cargo install --quiet --locked --target-dir "$GRIDPROOF_CACHE/tools-target" --root "$GRIDPROOF_CACHE/tools" "$2@$3"
}

check_tools() {
	cargo_tool cargo-nextest cargo-nextest 0.9.143
	cargo_tool cargo-deny cargo-deny 0.20.2
	if ! command -v taplo >/dev/null; then
		say "installing taplo"
		python3 -m venv "$GRIDPROOF_CACHE/tools/python"
		"$GRIDPROOF_CACHE/tools/python/bin/pip" install --quiet taplo==0.9.3
		mkdir -p "$GRIDPROOF_CACHE/tools/bin"
		ln -sf ../python/bin/taplo "$GRIDPROOF_CACHE/tools/bin/taplo"
	fi
}

# promtool, for scripts/monitoring: out of Debian's package of Prometheus, which is not installed, so that no Prometheus
# is started on this machine.
unpack_promtool() {
	local folder
	command -v promtool >/dev/null && return
	[ -z "${GRIDPROOF_SKIP_PACKAGES:-}" ] && command -v apt-get >/dev/null || return 0
	say "unpacking promtool"
	folder=$(mktemp -d)
	if (cd "$folder" && timeout 120 apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .) 2>/dev/null; then
		mkdir -p "$GRIDPROOF_CACHE/tools/bin"
		mv "$folder/usr/bin/promtool" "$GRIDPROOF_CACHE/tools/bin/"
	else
		say "promtool cannot be downloaded: scripts/monitoring checks what it can without it"
	fi
	rm -rf "$folder"
}

packages "${BUILD_PACKAGES[@]}"
native_rust
wasm_target
if [ "$want" = test ]; then
	packages "${TEST_PACKAGES[@]}"
	node_js
	# New folders and toolchains are on the path only now.
	. "$GRIDPROOF_ROOT/scripts/env.sh"
	check_tools
	unpack_promtool
fi
say "set-up is complete"

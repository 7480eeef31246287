//! Where the node's binary is.

use anyhow::{Context, Result, bail};
use std::{env, fs, path::PathBuf};

/// Environment variable with the path of the node's binary.
pub const NODE_VARIABLE: &str = "GRIDPROOF_NODE";
/// Environment variable with the path of the `gridproof` command.
pub const COMMAND_VARIABLE: &str = "GRIDPROOF_COMMAND";

/// The node's binary: `$GRIDPROOF_NODE`, or the one built beside the running test.
///
/// # Errors
/// When neither exists; the message says how to build it.
pub fn node_binary() -> Result<PathBuf> {
	binary("gridproof-node", NODE_VARIABLE)
}

/// The `gridproof` command: `$GRIDPROOF_COMMAND`, or the one built beside the running test.
///
/// # Errors
/// When neither exists; the message says how to build it.
pub fn command_binary() -> Result<PathBuf> {
	binary("gridproof", COMMAND_VARIABLE)
}

/// The runtime that was built into the node beside the running test, compressed.
///
/// # Errors
/// When it is not there; the message says where it should be.
pub fn runtime_code() -> Result<Vec<u8>> {
	let own = env::current_exe().context("cannot find the path of this test")?;
	let name = "wbuild/gridproof-runtime/gridproof_runtime.compact.compressed.wasm";
	let mut paths = own.ancestors().map(|folder| folder.join(name));
	let path = paths.find(|path| path.is_file());
	Ok(fs::read(path.with_context(|| format!("no {name} beside {}", own.display()))?)?)
}

fn binary(name: &str, variable: &str) -> Result<PathBuf> {
	if let Some(path) = env::var_os(variable).map(PathBuf::from) {
		if path.is_file() {
			return Ok(path);
		}
		bail!("{variable} names {}, which is not a file", path.display());
	}
	let own = env::current_exe().context("cannot find the path of this test")?;
	// Tests live in `<target>/release/deps`, binaries in `<target>/release`.
	for folder in own.ancestors().skip(1).take(2) {
		let path = folder.join(name);
		if path.is_file() {
			return Ok(path);
		}
	}
	bail!(
		"no {name} beside {}: build it with `cargo build --release --workspace`, \
		 or set {variable}",
		own.display()
	)
}

/// The repository's root folder.
pub fn repository() -> PathBuf {
	let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
	manifest.parent().map(PathBuf::from).unwrap_or(manifest)
}

//! Puts the version that `--version` prints into the environment of the compiler.
//!
//! The commit comes from git; a source archive without git builds too and may set
//! `SUBSTRATE_CLI_GIT_COMMIT_HASH` instead, else the version alone is shown.

use substrate_build_script_utils::{generate_cargo_keys, rerun_if_git_head_changed};

fn main() {
	println!("cargo:rerun-if-env-changed=SUBSTRATE_CLI_GIT_COMMIT_HASH");
	let known = std::env::var_os("SUBSTRATE_CLI_GIT_COMMIT_HASH").is_some();
	if known || in_git_work_tree() {
		generate_cargo_keys();
		rerun_if_git_head_changed();
	} else {
		let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
		println!("cargo:rustc-env=SUBSTRATE_CLI_IMPL_VERSION={version}");
	}
}

/// Whether git is installed and knows a commit for this source.
fn in_git_work_tree() -> bool {
	std::process::Command::new("git")
		.args(["rev-parse", "--verify", "--quiet", "HEAD"])
		.output()
		.is_ok_and(|output| output.status.success())
}

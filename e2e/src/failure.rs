//! Runs a node that is expected to refuse to start.

use crate::binary::node_binary;
use anyhow::{Context, Result, bail};
use std::{
	fs::{self, File},
	process::{Command, ExitStatus, Stdio},
	time::{Duration, Instant},
};

const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// How a command ended.
#[derive(Debug)]
pub struct Exit {
	/// Its exit status.
	pub status: ExitStatus,
	/// What it printed, on both streams.
	pub output: String,
}

impl Exit {
	/// Asserts that the command failed, and told the user each of `phrases`.
	///
	/// # Panics
	/// When it succeeded, died of a signal, panicked, or left a phrase out.
	#[track_caller]
	pub fn assert_refused(&self, phrases: &[&str]) {
		let Self { status, output } = self;
		assert!(!status.success(), "it should have failed; it printed:\n{output}");
		assert!(status.code().is_some(), "it died of a signal ({status}):\n{output}");
		assert!(!output.contains("panicked at"), "it panicked:\n{output}");
		for phrase in phrases {
			assert!(output.contains(phrase), "it should say {phrase:?}; it printed:\n{output}");
		}
	}
}

/// Runs the node with these arguments until it ends by itself.
///
/// # Errors
/// When it is still running after a minute (it is then killed), or cannot be started.
pub fn run_to_exit<S: AsRef<str>>(arguments: &[S]) -> Result<Exit> {
	let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
	let path = folder.path().join("output");
	let file = File::create(&path)?;
	let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
	let mut child = Command::new(node_binary()?)
		.args(&arguments)
		.stdin(Stdio::null())
		.stdout(file.try_clone()?)
		.stderr(file)
		.spawn()
		.context("cannot start the node")?;
	let start = Instant::now();
	let status = loop {
		if let Some(status) = child.try_wait()? {
			break status;
		}
		if start.elapsed() > LIMIT {
			child.kill()?;
			child.wait()?;
			let output = read(&path)?;
			bail!("still running after {LIMIT:?}: {arguments:?}\n{output}");
		}
		std::thread::sleep(PAUSE);
	};
	Ok(Exit { status, output: read(&path)? })
}

fn read(path: &std::path::Path) -> Result<String> {
	let bytes = fs::read(path).context("cannot read the node's output")?;
	Ok(String::from_utf8_lossy(&bytes).into_owned())
}

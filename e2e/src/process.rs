//! A process beside the node: a gateway, a Bitcoin node.

use crate::{node::dies_with_parent, wait};
use anyhow::{Context, Result, bail};
use std::{
	fs::{self, OpenOptions},
	path::{Path, PathBuf},
	process::{Child, Stdio},
	time::Duration,
};

const LOG_TAIL_LINES: usize = 60;

/// A running process whose output goes to a file. Dropping it kills it.
pub struct Process {
	name: String,
	program: PathBuf,
	arguments: Vec<String>,
	log: PathBuf,
	child: Option<Child>,
}

impl Process {
	/// Starts a program; what it prints is appended to `log`.
	///
	/// # Errors
	/// When it cannot be started.
	pub fn start(name: &str, program: &Path, arguments: Vec<String>, log: PathBuf) -> Result<Self> {
		let (name, program) = (name.to_owned(), program.to_owned());
		let mut process = Self { name, program, arguments, log, child: None };
		process.launch()?;
		Ok(process)
	}

	/// As [`Process::start`], with more variables in its environment, each as `NAME=value`.
	///
	/// # Errors
	/// When it cannot be started.
	pub fn start_in(
		variables: &[String],
		name: &str,
		program: &Path,
		arguments: Vec<String>,
		log: PathBuf,
	) -> Result<Self> {
		let program = program.display().to_string();
		let all = [variables, &[program], &arguments].concat();
		Self::start(name, Path::new("/usr/bin/env"), all, log)
	}

	/// Starts it again with the same arguments, after killing it if it still runs.
	///
	/// # Errors
	/// When it cannot be started.
	pub fn launch(&mut self) -> Result<()> {
		self.kill();
		let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
		let child = dies_with_parent(&self.program)
			.args(&self.arguments)
			.stdin(Stdio::piped())
			.stdout(log.try_clone()?)
			.stderr(log)
			.spawn()
			.with_context(|| format!("cannot start {}", self.name))?;
		self.child = Some(child);
		Ok(())
	}

	/// Ends it at once, as `kill -9` does. Nothing when it has ended already.
	pub fn kill(&mut self) {
		if let Some(mut child) = self.child.take() {
			// An error means that it has ended by itself, which is as good.
			let _ = child.kill();
			let _ = child.wait();
		}
	}

	/// Waits for something that it brings about.
	///
	/// # Errors
	/// The probe's, after `limit`, or when the process has ended; with the end of its log.
	pub async fn wait<T>(
		&mut self,
		what: &str,
		limit: Duration,
		mut probe: impl AsyncFnMut() -> Result<Option<T>>,
	) -> Result<T> {
		let (name, log) = (self.name.clone(), self.log.clone());
		let child = &mut self.child;
		let waited = wait::until(what, limit, async || {
			if let Some(status) = child.as_mut().map(Child::try_wait).transpose()?.flatten() {
				bail!("{name} ended with {status}");
			}
			probe().await
		});
		waited.await.with_context(|| end_of(&name, &log))
	}

	/// Says whether it has ended, and the last of what it printed.
	pub fn last_words(&mut self) -> String {
		let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
		let ended = ended.map(|status| format!("{} ended with {status}\n", self.name));
		format!("{}{}", ended.unwrap_or_default(), end_of(&self.name, &self.log))
	}

	/// What it has printed.
	pub fn log(&self) -> String {
		text_of(&self.log)
	}

	/// Its process id, while it runs.
	pub fn pid(&self) -> Option<u32> {
		self.child.as_ref().map(Child::id)
	}
}

impl Drop for Process {
	fn drop(&mut self) {
		self.kill();
	}
}

fn text_of(log: &Path) -> String {
	String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}

/// The end of a log.
fn end_of(name: &str, log: &Path) -> String {
	let text = text_of(log);
	let lines: Vec<&str> = text.lines().collect();
	let tail = &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..];
	format!("--- end of the log of {name}\n{}", tail.join("\n"))
}

//! What the command prints: results on standard output, everything else on standard error.

use crate::exit;
use gridproof_primitives::codec::json::Value;
use gridproof_support::Failure;
use serde::Serialize;
use std::{
	io::{self, ErrorKind, IsTerminal, Write},
	process::ExitCode,
};

/// Where results go: one JSON document, or lines for people.
pub struct Output {
	json: bool,
}

/// An error as `--json` prints it.
#[derive(Serialize)]
struct ErrorDocument<'a> {
	/// The sentence for people.
	error: &'a str,
	/// `broken`, `usage`, `refused`, `unreachable` or `undecided`.
	kind: &'static str,
	/// `true` if the very same may succeed later.
	temporary: bool,
}

impl Output {
	/// Returns results as JSON if `json`, else as text.
	pub const fn new(json: bool) -> Self {
		Self { json }
	}

	/// Prints a result: `value` as one JSON document, or what `text` makes of it.
	pub fn result<T: Serialize>(
		&self,
		value: &T,
		text: impl FnOnce(&T) -> String,
	) -> anyhow::Result<()> {
		let line = if self.json { serde_json::to_string(value)? } else { text(value) };
		Ok(print(&format!("{line}\n"))?)
	}

	/// Prints a document that is JSON for people, too: on one line if JSON was asked for. Numbers
	/// stay as they are written in it.
	pub fn document(&self, document: &Value) -> anyhow::Result<()> {
		let text = if self.json { document.to_canonical() + "\n" } else { document.to_pretty() };
		Ok(print(&text)?)
	}

	/// Prints a list of documents of which numbers stay as they are written: as one JSON document, or
	/// what `text` makes of them.
	pub fn list(
		&self,
		documents: &[Value],
		text: impl FnOnce(&[Value]) -> String,
	) -> anyhow::Result<()> {
		let line = if self.json {
			let all: Vec<String> = documents.iter().map(Value::to_canonical).collect();
			format!("[{}]", all.join(","))
		} else {
			text(documents)
		};
		Ok(print(&format!("{line}\n"))?)
	}

	/// Prints what a person has to see before an answer is given; a program gets it in the result.
	pub fn review(&self, text: &str) {
		if !self.json {
			eprintln!("{text}");
		}
	}

	/// Prints a note on standard error.
	pub fn note(&self, note: &str) {
		eprintln!("{note}");
	}

	/// Prints a warning on standard error.
	pub fn warning(&self, warning: &str) {
		eprintln!("warning: {warning}");
	}

	/// Prints an error with its causes on standard error; returns the exit code that it means.
	pub fn error(&self, error: &anyhow::Error) -> ExitCode {
		self.failure(&sentence(error), exit::failure(error))
	}

	/// Prints what failed on standard error; returns the exit code that it means.
	pub fn failure(&self, sentence: &str, failure: Failure) -> ExitCode {
		let Failure { kind, is_temporary } = failure;
		let document =
			ErrorDocument { error: sentence, kind: kind.as_str(), temporary: is_temporary };
		match serde_json::to_string(&document) {
			Ok(line) if self.json => eprintln!("{line}"),
			_ => eprintln!("error: {sentence}"),
		}
		exit::code(kind)
	}

	/// Returns a progress bar of `len` steps on standard error; hidden when nobody watches.
	pub fn progress(&self, len: u64) -> indicatif::ProgressBar {
		if !self.is_watched() {
			return indicatif::ProgressBar::hidden();
		}
		let style = indicatif::ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")
			.unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
		indicatif::ProgressBar::new(len).with_style(style)
	}

	/// Returns something that turns while the command waits, on standard error; hidden when nobody
	/// watches.
	pub fn spinner(&self, message: &'static str) -> indicatif::ProgressBar {
		if !self.is_watched() {
			return indicatif::ProgressBar::hidden();
		}
		let spinner = indicatif::ProgressBar::new_spinner().with_message(message);
		spinner.enable_steady_tick(std::time::Duration::from_millis(120));
		spinner
	}

	fn is_watched(&self) -> bool {
		!self.json && io::stderr().is_terminal()
	}
}

/// Returns what failed and why, from the outermost cause to the innermost. Errors that end with the text
/// of their cause say it once.
fn sentence(error: &anyhow::Error) -> String {
	let mut text = String::new();
	for cause in error.chain().map(ToString::to_string) {
		if text.is_empty() {
			text = cause;
		} else if !text.ends_with(&cause) {
			text = format!("{text}: {cause}");
		}
	}
	text
}

/// Prints text on standard output. A reader that has gone away, such as `head`, has seen enough.
pub fn print(text: &str) -> io::Result<()> {
	let mut stdout = io::stdout();
	match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
		Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
		done => done,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use anyhow::{Context, anyhow};

	#[test]
	fn a_cause_that_the_error_has_named_is_not_said_again() {
		#[derive(Debug, thiserror::Error)]
		#[error("refused by the chain: {0}")]
		struct Refused(#[from] io::Error);
		let reason = || io::Error::other("nothing is due yet");
		let refused = anyhow::Error::new(Refused(reason())).context("miner 7");
		assert_eq!(sentence(&refused), "miner 7: refused by the chain: nothing is due yet");
		let other = anyhow!(reason()).context("the file cannot be read");
		assert_eq!(sentence(&other), "the file cannot be read: nothing is due yet");
		let outer = Err::<(), _>(Refused(reason())).context("a").context("b").unwrap_err();
		assert_eq!(sentence(&outer), "b: a: refused by the chain: nothing is due yet");
	}
}

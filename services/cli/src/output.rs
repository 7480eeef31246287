//! What the command prints: results on standard output, everything else on standard error.

use serde::Serialize;
use std::io::{IsTerminal, Write};

/// Where results go: one JSON document, or lines for people.
pub struct Output {
	json: bool,
}

impl Output {
	/// Results as JSON if `json`, else as text.
	pub fn new(json: bool) -> Self {
		Self { json }
	}

	/// Prints a result: `value` as one JSON document, or what `text` makes of it.
	pub fn result<T: Serialize>(
		&self,
		value: &T,
		text: impl FnOnce(&T) -> String,
	) -> anyhow::Result<()> {
		let line = if self.json { serde_json::to_string(value)? } else { text(value) };
		// Not println!, which panics when the reader has gone away.
		writeln!(std::io::stdout(), "{line}")?;
		Ok(())
	}

	/// Prints a document that is JSON for people, too: on one line if JSON was asked for. Numbers
	/// stay as they are written in it.
	pub fn document(&self, document: &gridproof_primitives::json::Value) -> anyhow::Result<()> {
		let text = if self.json { document.to_canonical() + "\n" } else { document.to_pretty() };
		write!(std::io::stdout(), "{text}")?;
		Ok(())
	}

	/// Prints an error with its causes on standard error, and as JSON on standard output if asked.
	pub fn error(&self, error: &anyhow::Error) {
		if self.json {
			let line = serde_json::json!({ "error": format!("{error:#}") });
			let _ = writeln!(std::io::stdout(), "{line}");
		}
		eprintln!("error: {error:#}");
	}

	/// A progress bar of `len` steps on standard error; hidden when nobody watches.
	pub fn progress(&self, len: u64) -> indicatif::ProgressBar {
		if self.json || !std::io::stderr().is_terminal() {
			return indicatif::ProgressBar::hidden();
		}
		let style = indicatif::ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")
			.unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
		indicatif::ProgressBar::new(len).with_style(style)
	}
}

impl Output {
	/// Something that turns while the command waits, on standard error; hidden when nobody watches.
	pub fn spinner(&self, message: &'static str) -> indicatif::ProgressBar {
		if self.json || !std::io::stderr().is_terminal() {
			return indicatif::ProgressBar::hidden();
		}
		let spinner = indicatif::ProgressBar::new_spinner().with_message(message);
		spinner.enable_steady_tick(std::time::Duration::from_millis(120));
		spinner
	}
}

/// Warnings, but not that a library does nothing when an MQTT client disconnects.
const DEFAULT_FILTER: &str = "warn,ntex_mqtt::control=error";

/// Logs go to standard error; `RUST_LOG` chooses what is shown (default: warnings).
pub fn init_logging() {
	let filter = tracing_subscriber::EnvFilter::try_from_default_env()
		.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(DEFAULT_FILTER));
	tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

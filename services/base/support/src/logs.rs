//! The form of log lines, the same for all programs: text for people, JSON lines on request.
//!
//! A JSON line has `timestamp` (RFC 3339, UTC), `level`, `component` (the program's part), `event`
//! (a stable name to search for) and the event's own fields: `height` is a block's number,
//! `latency_ms` a duration in milliseconds.

use std::{fmt, io::IsTerminal, str::FromStr};
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
	/// For people: coloured on a terminal.
	#[default]
	Text,
	/// One JSON object a line.
	Json,
}

impl FromStr for Format {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		match text {
			"text" => Ok(Self::Text),
			"json" => Ok(Self::Json),
			_ => Err("the log format is text or json".to_string()),
		}
	}
}

impl fmt::Display for Format {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str(match self {
			Self::Text => "text",
			Self::Json => "json",
		})
	}
}

/// Writes log lines to standard error from now on: those that `RUST_LOG` chooses, or `filter` if
/// it is not set.
pub fn init(format: Format, filter: &str) {
	let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
	let lines = tracing_subscriber::fmt()
		.with_env_filter(filter)
		.with_ansi(std::io::stderr().is_terminal())
		.with_writer(std::io::stderr);
	// An error means that the program writes its lines elsewhere already.
	let _ = match format {
		Format::Text => lines.try_init(),
		Format::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
	};
}

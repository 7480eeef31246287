//! The form of log lines, the same for all programs: text for people, JSON lines on request.
//!
//! | member | is |
//! |---|---|
//! | `timestamp` | RFC 3339, UTC |
//! | `level` | `error`, `warn`, `info`, `debug` or `trace` |
//! | `component` | the crate that logs, without `gridproof_`: `gateway`, `coordinator`, `chain` |
//! | `event` | a word that stays the same between versions, to search and to alarm by |
//! | `message` | a sentence for people |
//! | `height` | number of the block it is about |
//! | `latency_ms` | how long it took, in milliseconds |
//!
//! Further members are the event's own. `height` and `latency_ms` are there where they are known.

use crate::clock::now_ms;
use gridproof_primitives::energy::emlog::format_utc;
use serde_json::{Map, Value};
use std::{fmt, io::IsTerminal, str::FromStr};
use tracing::{
	Event, Subscriber,
	field::{Field, Visit},
};
use tracing_subscriber::{
	EnvFilter,
	fmt::{
		FmtContext, FormattedFields,
		format::{FormatEvent, FormatFields, Writer},
	},
	registry::LookupSpan,
};

/// The `event` of a line that names none.
const NO_EVENT: &str = "log";

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
		.with_ansi(format == Format::Text && std::io::stderr().is_terminal())
		.with_writer(std::io::stderr);
	// An error means that the program writes its lines elsewhere already.
	let _ = match format {
		Format::Text => lines.try_init(),
		Format::Json => lines.event_format(JsonLines).try_init(),
	};
}

/// Writes an event as one JSON object.
struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
	S: Subscriber + for<'a> LookupSpan<'a>,
	N: for<'a> FormatFields<'a> + 'static,
{
	fn format_event(
		&self,
		context: &FmtContext<'_, S, N>,
		mut writer: Writer<'_>,
		event: &Event<'_>,
	) -> fmt::Result {
		let mut members = Members(Map::new());
		event.record(&mut members);
		let Members(mut members) = members;
		let metadata = event.metadata();
		members.insert("timestamp".to_string(), format_utc(now_ms()).into());
		members.insert("level".to_string(), metadata.level().to_string().to_lowercase().into());
		members.insert("component".to_string(), component(metadata.target()).into());
		members.entry("event").or_insert_with(|| NO_EVENT.into());
		let spans = context.event_scope().map(|scope| {
			let span = scope.from_root().filter_map(|span| {
				let fields = span.extensions().get::<FormattedFields<N>>()?.fields.clone();
				Some(if fields.is_empty() {
					span.name().to_string()
				} else {
					format!("{}{{{fields}}}", span.name())
				})
			});
			span.collect::<Vec<_>>().join(":")
		});
		if let Some(spans) = spans.filter(|spans| !spans.is_empty()) {
			members.insert("span".to_string(), spans.into());
		}
		writeln!(writer, "{}", Value::Object(members))
	}
}

/// Returns the crate that logs, without this project's prefix.
fn component(target: &str) -> &str {
	let name = target.split("::").next().unwrap_or(target);
	name.strip_prefix("gridproof_").unwrap_or(name)
}

/// The fields of an event.
struct Members(Map<String, Value>);

impl Members {
	fn put(&mut self, field: &Field, value: Value) {
		self.0.insert(field.name().to_string(), value);
	}
}

impl Visit for Members {
	fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
		self.put(field, format!("{value:?}").into());
	}

	fn record_str(&mut self, field: &Field, value: &str) {
		self.put(field, value.into());
	}

	fn record_u64(&mut self, field: &Field, value: u64) {
		self.put(field, value.into());
	}

	fn record_i64(&mut self, field: &Field, value: i64) {
		self.put(field, value.into());
	}

	fn record_f64(&mut self, field: &Field, value: f64) {
		self.put(field, value.into());
	}

	fn record_bool(&mut self, field: &Field, value: bool) {
		self.put(field, value.into());
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::Lock;
	use std::{
		io,
		sync::{Arc, Mutex},
	};

	#[derive(Clone, Default)]
	struct Sink(Arc<Mutex<Vec<u8>>>);

	impl io::Write for Sink {
		fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
			self.0.locked().extend_from_slice(bytes);
			Ok(bytes.len())
		}

		fn flush(&mut self) -> io::Result<()> {
			Ok(())
		}
	}

	fn lines(log: impl FnOnce()) -> Vec<Value> {
		let sink = Sink::default();
		let into = sink.clone();
		let subscriber = tracing_subscriber::fmt()
			.with_ansi(false)
			.event_format(JsonLines)
			.with_writer(move || into.clone())
			.finish();
		tracing::subscriber::with_default(subscriber, log);
		let bytes = sink.0.locked().clone();
		let text = String::from_utf8(bytes).unwrap();
		text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
	}

	#[test]
	fn a_line_has_its_component_event_and_figures() {
		let lines = lines(|| {
			tracing::info!(
				target: "gridproof_gateway::submission",
				event = "batch_accepted",
				height = 7u64,
				latency_ms = 12u64,
				batch = %"batch_01",
				"a batch was accepted"
			);
			tracing::warn!(error = "no \"room\"", "a line\nwith an odd text");
		});
		let first = &lines[0];
		assert_eq!(first["component"], "gateway");
		assert_eq!(first["event"], "batch_accepted");
		assert_eq!((&first["height"], &first["latency_ms"]), (&7.into(), &12.into()));
		assert_eq!(first["level"], "info");
		assert_eq!(first["message"], "a batch was accepted");
		assert_eq!(first["batch"], "batch_01");
		assert!(first["timestamp"].as_str().unwrap().ends_with('Z'));
		assert_eq!(lines[1]["event"], "log");
		assert_eq!(lines[1]["component"], "support");
		assert_eq!(lines[1]["message"], "a line\nwith an odd text");
	}

	#[test]
	fn a_line_names_the_spans_it_was_written_in() {
		let lines = lines(|| {
			let span = tracing::info_span!("job", number = 3);
			span.in_scope(|| tracing::info!("working"));
		});
		assert_eq!(lines[0]["span"], "job{number=3}");
	}
}

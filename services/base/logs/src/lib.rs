//! The form of log lines, the same for all programs: text for people, JSON lines on request.
//!
//! | member | is |
//! |---|---|
//! | `timestamp` | RFC 3339, UTC |
//! | `level` | `error`, `warn`, `info`, `debug` or `trace` |
//! | `component` | the crate that logs, without `gridproof_`: `node`, `gateway`, `chain`; of a line of the SDK, the target that filters name: `grandpa`, `sync` |
//! | `event` | a word that stays the same between versions, to search and to alarm by |
//! | `message` | a sentence for people |
//! | `height` | number of the block it is about |
//! | `latency_ms` | how long it took, in milliseconds |
//!
//! Further members are the event's own. `height` and `latency_ms` are there where they are known.
//!
//! This crate stands at the bottom, so that the node can use it as well as the services.

#![deny(missing_docs)]

use serde_json::{Map, Value};
use std::{fmt, io::IsTerminal, str::FromStr};
use tracing::{
	Event, Level, Subscriber,
	field::{Field, Visit},
};
use tracing_log::NormalizeEvent;
use tracing_subscriber::{
	EnvFilter,
	filter::ParseError,
	fmt::{
		FmtContext, FormattedFields,
		format::{FormatEvent, FormatFields, Writer},
		time::{FormatTime, SystemTime},
	},
	registry::LookupSpan,
	util::{SubscriberInitExt, TryInitError},
};

/// The environment variable that chooses the form of log lines where no argument does.
pub const FORMAT_VARIABLE: &str = "GRIDPROOF_LOG_FORMAT";

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

/// Why log lines cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
	/// A filter is none.
	#[error("the log filter {filter:?} cannot be used: {reason}")]
	BadFilter {
		/// The filter, as it was written.
		filter: String,
		/// What is wrong with it.
		reason: ParseError,
	},
	/// The program writes its lines elsewhere already.
	#[error(transparent)]
	InUse(#[from] TryInitError),
}

/// Writes log lines as JSON to standard error from now on: those that `filters` choose. Each is a
/// `<target>=<level>` or a level, or several of them separated by commas; of two for one target the
/// later counts.
///
/// # Errors
/// [`LogError`]; then lines go where they went before.
pub fn init_json(filters: &[&str]) -> Result<(), LogError> {
	let lines = tracing_subscriber::fmt()
		.with_env_filter(chosen(filters)?)
		.with_ansi(false)
		.with_writer(std::io::stderr)
		.event_format(JsonLines)
		.finish();
	Ok(lines.try_init()?)
}

fn chosen(filters: &[&str]) -> Result<EnvFilter, LogError> {
	let parts = filters.iter().flat_map(|filters| filters.split(','));
	parts.filter(|filter| !filter.is_empty()).try_fold(EnvFilter::default(), |all, filter| {
		let bad = |reason| LogError::BadFilter { filter: filter.to_string(), reason };
		Ok(all.add_directive(filter.parse().map_err(bad)?))
	})
}

/// Returns the log line of an event that ends the program, or comes before [`init`].
pub fn json_line(level: Level, component: &str, event: &str, message: &str) -> String {
	let mut members = Map::new();
	members.insert("event".to_string(), event.into());
	members.insert("message".to_string(), message.into());
	line(members, level, component)
}

/// Puts the members into a line that every line has.
fn line(mut members: Map<String, Value>, level: Level, component: &str) -> String {
	let mut now = String::new();
	// A text takes everything.
	let _ = SystemTime.format_time(&mut Writer::new(&mut now));
	members.insert("timestamp".to_string(), now.into());
	members.insert("level".to_string(), level.to_string().to_lowercase().into());
	members.insert("component".to_string(), component.into());
	members.entry("event").or_insert_with(|| NO_EVENT.into());
	Value::Object(members).to_string()
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
		// A record of the `log` crate comes as an event of a bridge: this is its own.
		let normalized = event.normalized_metadata();
		let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
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
		writeln!(writer, "{}", line(members, *metadata.level(), component(metadata.target())))
	}
}

/// Returns the crate that a target names, without this project's prefix.
pub fn component(target: &str) -> &str {
	let name = target.split("::").next().unwrap_or(target);
	name.strip_prefix("gridproof_").unwrap_or(name)
}

/// The fields of an event.
struct Members(Map<String, Value>);

impl Members {
	fn put(&mut self, field: &Field, value: Value) {
		// How the bridge from the `log` crate says what is read from the metadata.
		if !field.name().starts_with("log.") {
			self.0.insert(field.name().to_string(), value);
		}
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
	use std::{
		io,
		sync::{Arc, Mutex},
	};
	use tracing_log::{LogTracer, log};

	#[derive(Clone, Default)]
	struct Sink(Arc<Mutex<Vec<u8>>>);

	impl io::Write for Sink {
		fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
			self.0.lock().unwrap().extend_from_slice(bytes);
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
		let bytes = sink.0.lock().unwrap().clone();
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
		assert_eq!(lines[1]["component"], "logs");
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

	#[test]
	fn a_record_of_the_log_crate_names_where_it_comes_from_and_nothing_twice() {
		LogTracer::init().unwrap();
		let lines = lines(|| log::warn!(target: "sync", "{} peers", 3));
		let members: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
		assert_eq!(members, ["component", "event", "level", "message", "timestamp"]);
		assert_eq!((&lines[0]["component"], &lines[0]["level"]), (&"sync".into(), &"warn".into()));
		assert_eq!(lines[0]["message"], "3 peers");
	}

	#[test]
	fn a_line_from_before_the_start_looks_like_the_others() {
		let line = json_line(Level::ERROR, "node", "failed", "no \"chain\"\nhere");
		assert!(!line.contains('\n'));
		let line: Value = serde_json::from_str(&line).unwrap();
		assert_eq!((&line["level"], &line["component"]), (&"error".into(), &"node".into()));
		assert_eq!(
			(&line["event"], &line["message"]),
			(&"failed".into(), &"no \"chain\"\nhere".into())
		);
	}

	#[test]
	fn the_later_of_two_filters_for_one_target_counts() {
		let of = |filters: &[&str]| chosen(filters).unwrap().to_string();
		let mut found: Vec<String> =
			of(&["info,sync=off", "", "sync=debug"]).split(',').map(str::to_string).collect();
		found.sort_unstable();
		assert_eq!(found, ["info", "sync=debug"]);
		let refused = chosen(&["info", "sync=loud"]).unwrap_err();
		assert!(refused.to_string().contains("\"sync=loud\""), "{refused}");
	}
}

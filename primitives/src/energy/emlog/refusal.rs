//! Why a log is refused.

use super::{Direction, EnergyFault, MAX_LOG_BYTES, MAX_TAGS, MAX_TEXT_BYTES, SCHEMA, TimeFault};
use crate::{codec::json::JsonError, energy::NameFault};
use alloc::string::String;
use core::fmt;

/// Why a log is refused. Each has a name for machines, [`LogRefusal::as_str`], and a sentence for
/// people that says what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogRefusal {
	/// Larger than [`MAX_LOG_BYTES`], as sent or in canonical form.
	TooLong(usize),
	/// Not JSON.
	Malformed(JsonError),
	/// JSON, but not an object.
	NotAnObject,
	/// A field that the schema does not have.
	UnknownField(String),
	/// A field that every log has.
	MissingField(&'static str),
	/// A field of another type; what it has to be.
	WrongType(&'static str, &'static str),
	/// A text of more than [`MAX_TEXT_BYTES`] bytes, or more than [`MAX_TAGS`] tags.
	FieldTooLong(&'static str),
	/// Not `emlog-1.1`.
	UnknownSchema(String),
	/// A site, device or meter id that cannot stand in a topic.
	BadName(&'static str, NameFault),
	/// A time that is not exact or not in UTC.
	BadTime(&'static str, TimeFault),
	/// The interval ends before it begins, or at once.
	EmptyInterval,
	/// `interval_s` is not what lies between the two times.
	IntervalMismatch {
		/// As stated, in seconds.
		stated_s: u64,
		/// From `ts_start` to `ts_end`, in milliseconds.
		actual_ms: u64,
	},
	/// An energy that is negative, too fine or too large.
	BadEnergy(EnergyFault),
	/// Neither `ok` nor `estimated` nor `error`.
	UnknownStatus(String),
	/// Tagged both `import` and `export`.
	BothDirections,
	/// No direction tag, and the meter measures both.
	NoDirection,
	/// The meter is not certified for that direction.
	DirectionNotCertified {
		/// As tagged.
		stated: Direction,
		/// As certified.
		certified: Direction,
	},
	/// The topic names another meter than the log; what the topic should have been.
	WrongTopic(String),
	/// The interval ends later than now and what clocks may differ by.
	FromTheFuture {
		/// How much later than now, in milliseconds.
		ahead_ms: u64,
		/// What is allowed, in milliseconds.
		allowed_ms: u64,
	},
}

impl LogRefusal {
	/// The refusal's name in JSON answers, dead letters and metrics.
	pub const fn as_str(&self) -> &'static str {
		match self {
			Self::TooLong(_) => "too_long",
			Self::Malformed(_) => "malformed_json",
			Self::NotAnObject => "not_an_object",
			Self::UnknownField(_) => "unknown_field",
			Self::MissingField(_) => "missing_field",
			Self::WrongType(..) => "wrong_type",
			Self::FieldTooLong(_) => "field_too_long",
			Self::UnknownSchema(_) => "unknown_schema",
			Self::BadName(..) => "bad_name",
			Self::BadTime(..) => "bad_time",
			Self::EmptyInterval => "empty_interval",
			Self::IntervalMismatch { .. } => "interval_mismatch",
			Self::BadEnergy(EnergyFault::Negative) => "negative_energy",
			Self::BadEnergy(_) => "bad_energy",
			Self::UnknownStatus(_) => "unknown_status",
			Self::BothDirections => "both_directions",
			Self::NoDirection => "no_direction",
			Self::DirectionNotCertified { .. } => "direction_not_certified",
			Self::WrongTopic(_) => "wrong_topic",
			Self::FromTheFuture { .. } => "from_the_future",
		}
	}
}

impl fmt::Display for LogRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::TooLong(bytes) => {
				write!(f, "the log has {bytes} bytes; at most {MAX_LOG_BYTES} are taken")
			},
			Self::Malformed(error) => write!(f, "malformed JSON: {error}"),
			Self::NotAnObject => f.write_str("a log is a JSON object"),
			Self::UnknownField(name) => write!(f, "unknown field {name:?}: {SCHEMA} has none such"),
			Self::MissingField(name) => write!(f, "the field {name} is missing"),
			Self::WrongType(name, wanted) => write!(f, "{name} must be {wanted}"),
			Self::FieldTooLong(name) => write!(
				f,
				"{name} is too long: a text has at most {MAX_TEXT_BYTES} bytes, a log {MAX_TAGS} tags"
			),
			Self::UnknownSchema(name) => write!(f, "unknown schema {name:?}: send {SCHEMA}"),
			Self::BadName(name, fault) => write!(f, "{name}: {fault}"),
			Self::BadTime(name, fault) => write!(f, "{name}: {fault}"),
			Self::EmptyInterval => f.write_str("ts_end must be later than ts_start"),
			Self::IntervalMismatch { stated_s, actual_ms } => write!(
				f,
				"interval_s is {stated_s}, but from ts_start to ts_end it is {actual_ms} ms"
			),
			Self::BadEnergy(fault) => write!(f, "energy_kwh: {fault}"),
			Self::UnknownStatus(status) => {
				write!(f, "unknown status {status:?}: it is ok, estimated or error")
			},
			Self::BothDirections => {
				f.write_str("tagged both import and export: send one log for each direction")
			},
			Self::NoDirection => {
				f.write_str("the meter measures both directions: tag the log import or export")
			},
			Self::DirectionNotCertified { stated, certified } => {
				write!(f, "tagged {stated}, but the meter is certified for {certified} only")
			},
			Self::WrongTopic(wanted) => write!(f, "wrong topic: this log belongs to {wanted}"),
			Self::FromTheFuture { ahead_ms, allowed_ms } => write!(
				f,
				"ts_end is {ahead_ms} ms ahead of now; clocks may differ by {allowed_ms} ms: \
				 set the device's clock"
			),
		}
	}
}

impl core::error::Error for LogRefusal {}

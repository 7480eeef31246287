//! `emlog-1.1`: one reading of one meter over one interval, as JSON.
//!
//! ```json
//! {"schema_version":"emlog-1.1","site_id":"PLANT-01","iot_device_id":"gw-PLANT01-003",
//!  "meter_id":"MTR-001","ts_start":"2025-12-01T10:10:00Z","ts_end":"2025-12-01T10:15:00Z",
//!  "interval_s":300,"energy_kwh":12.34,"power_kw_avg":2.47,"status":"ok","tags":["export"],
//!  "tx":{"unit":"sats","price_sats_per_kwh":100,"amount_sats":1234,"channel":"ln",
//!        "settlement_status":"pending","ln_invoice_id":null,"bitcoin_txid":null}}
//! ```
//!
//! [`EnergyLog::parse`] accepts exactly this: no other field, and no contradiction within the
//! reading. What is hashed is the [canonical form](crate::codec::json) of what was sent: nothing is
//! added, nothing rewritten, and a number stays as its sender wrote it. Times and energy are read
//! exactly.
//!
//! As in the older gateway these fields may be missing: `schema_version`, `power_kw_avg`, `status`
//! (then `ok`), `tags`, and in `tx` all except the price and the amount.

mod energy;
mod refusal;
mod time;

pub use crate::energy::Direction;
pub use energy::{DECIMALS, Energy, EnergyError, RunningRegister, RunningRegisters};
pub use refusal::LogRefusal;
pub use time::{TimeError, format_utc, parse_utc};

use crate::{
	H256,
	codec::json::{self, Limits, Value},
	crypto::merkle,
	energy::{MeterName, Topic},
};
use alloc::{
	string::{String, ToString},
	vec::Vec,
};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

/// Name of the schema.
pub const SCHEMA: &str = "emlog-1.1";
/// Highest number of bytes of a reading, as sent and in canonical form.
pub const MAX_LOG_BYTES: usize = 4_096;
/// Highest number of tags of a reading.
pub const MAX_TAGS: usize = 32;
/// Highest number of bytes of a tag and of the other short texts. Ids are limited by
/// [`crate::energy::MAX_NAME_BYTES`], and an invoice only by the reading's size.
pub const MAX_TEXT_BYTES: usize = 64;
/// Tag of energy taken from the grid.
pub const TAG_IMPORT: &str = "import";
/// Tag of energy delivered to the grid.
pub const TAG_EXPORT: &str = "export";

/// Origin of a reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
	/// The meter measured it.
	#[default]
	Ok,
	/// Estimated in place of a missing measurement. It counts.
	Estimated,
	/// The meter could not measure. The reading is kept and provable, but its energy does not
	/// count.
	Error,
}

impl Status {
	/// All statuses.
	pub const ALL: [Self; 3] = [Self::Ok, Self::Estimated, Self::Error];

	/// Returns `ok`, `estimated` or `error`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Ok => "ok",
			Self::Estimated => "estimated",
			Self::Error => "error",
		}
	}
}

impl fmt::Display for Status {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

impl FromStr for Status {
	type Err = LogRefusal;

	fn from_str(text: &str) -> Result<Self, LogRefusal> {
		Self::ALL
			.into_iter()
			.find(|status| status.as_str() == text)
			.ok_or_else(|| LogRefusal::UnknownStatus(shortened(text)))
	}
}

/// Payment for the energy in Bitcoin, made or due. The chain does not act on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payment {
	/// Unit of the price, `sats`.
	pub unit: String,
	/// Price of a kWh, in satoshi.
	pub price_sats_per_kwh: u64,
	/// Amount for this interval, in satoshi, as the sender computed it.
	pub amount_sats: u64,
	/// Way of payment: `ln`, `onchain`, `internal`, …
	pub channel: String,
	/// State of the payment: `pending`, `settled`, `failed`, …
	pub settlement_status: String,
	/// Id of the Lightning invoice.
	pub ln_invoice_id: Option<String>,
	/// Id of the Bitcoin transaction.
	pub bitcoin_txid: Option<String>,
}

/// A reading without contradictions in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EnergyLog {
	/// Ids of site, device and meter.
	pub name: MeterName,
	/// Begin of the interval, in UTC milliseconds.
	pub start_ms: u64,
	/// End of the interval, in UTC milliseconds: later than the begin.
	pub end_ms: u64,
	/// Energy as stated, exactly. Use [`EnergyLog::counted`] for sums.
	pub energy: Energy,
	/// Mean power in kW, as written; `None` if it is missing or null.
	pub power_kw_avg: Option<String>,
	/// Origin of the reading.
	pub status: Status,
	/// Tags, in the order of the reading.
	pub tags: Vec<String>,
	/// Payment for the energy.
	pub payment: Payment,
	canonical: String,
}

impl EnergyLog {
	/// Reads and checks one reading.
	///
	/// # Errors
	/// The first [`LogRefusal`] that applies, of those that need neither topic nor certificate nor
	/// clock.
	pub fn parse(bytes: &[u8]) -> Result<Self, LogRefusal> {
		if bytes.len() > MAX_LOG_BYTES {
			return Err(LogRefusal::TooLong(bytes.len()));
		}
		let limits = Limits { max_bytes: MAX_LOG_BYTES, max_depth: 4 };
		let value = json::parse(bytes, limits).map_err(LogRefusal::Malformed)?;
		Self::from_value(&value)
	}

	/// Checks a reading that is JSON already.
	///
	/// # Errors
	/// Those of [`EnergyLog::parse`].
	pub fn from_value(value: &Value) -> Result<Self, LogRefusal> {
		let log = Fields::of(value, &LOG_FIELDS)?;
		if let Some(schema) = log.text("schema_version", MAX_LOG_BYTES)?
			&& schema != SCHEMA
		{
			return Err(LogRefusal::UnknownSchema(shortened(schema)));
		}
		let name = MeterName {
			site: log.id("site_id")?,
			device: log.id("iot_device_id")?,
			meter: log.id("meter_id")?,
		};
		let (start_ms, end_ms) = log.interval()?;
		let energy = log.number("energy_kwh")?.ok_or(LogRefusal::MissingField("energy_kwh"))?;
		let energy = Energy::parse_kwh(energy).map_err(LogRefusal::BadEnergy)?;
		let status = log.text("status", MAX_LOG_BYTES)?.map(str::parse).transpose()?;
		let power_kw_avg = log.number("power_kw_avg")?.map(str::to_string);
		let (tags, payment) = (log.tags()?, log.payment()?);
		let canonical = value.to_canonical();
		if canonical.len() > MAX_LOG_BYTES {
			return Err(LogRefusal::TooLong(canonical.len()));
		}
		let status = status.unwrap_or_default();
		Ok(Self { name, start_ms, end_ms, energy, power_kw_avg, status, tags, payment, canonical })
	}

	/// Returns the canonical form: what is hashed, and what the chain expects as a leaf.
	pub fn canonical(&self) -> &str {
		&self.canonical
	}

	/// Returns the hash as a leaf of the [tree](crate::crypto::merkle).
	pub fn leaf_hash(&self) -> H256 {
		merkle::leaf_hash(self.canonical.as_bytes())
	}

	/// Returns the length of the interval, in seconds.
	pub fn interval_s(&self) -> u64 {
		self.end_ms.saturating_sub(self.start_ms) / 1_000
	}

	/// Returns the energy that counts: what is stated, but 0 if the meter could not measure.
	pub const fn counted(&self) -> Energy {
		match self.status {
			Status::Ok | Status::Estimated => self.energy,
			Status::Error => Energy::ZERO,
		}
	}

	/// Returns which way the energy went, [`Direction::Import`] or [`Direction::Export`]: by its
	/// tag, otherwise by the meter's certificate.
	///
	/// # Errors
	/// [`LogRefusal::BothDirections`] if it is tagged both ways, [`LogRefusal::NoDirection`] if it
	/// has no tag and the meter is certified for both, [`LogRefusal::DirectionNotCertified`] if the
	/// meter is not certified for the tag.
	pub fn direction(&self, certified: Direction) -> Result<Direction, LogRefusal> {
		let is_tagged = |tag: &str| self.tags.iter().any(|own| own == tag);
		let stated = match (is_tagged(TAG_IMPORT), is_tagged(TAG_EXPORT)) {
			(true, true) => return Err(LogRefusal::BothDirections),
			(true, false) => Some(Direction::Import),
			(false, true) => Some(Direction::Export),
			(false, false) => None,
		};
		match (stated, certified.of_readings()) {
			(None, Direction::Both) => Err(LogRefusal::NoDirection),
			(None, certified) => Ok(certified),
			(Some(stated), Direction::Both) => Ok(stated),
			(Some(stated), certified) if stated == certified => Ok(stated),
			(Some(stated), certified) => {
				Err(LogRefusal::DirectionNotCertified { stated, certified })
			},
		}
	}

	/// Checks that the interval is over, as far as clocks agree.
	///
	/// # Errors
	/// [`LogRefusal::FromTheFuture`] if it ends later than `now_ms + allowed_ms`.
	pub fn check_time(&self, now_ms: u64, allowed_ms: u64) -> Result<(), LogRefusal> {
		let ahead_ms = self.end_ms.saturating_sub(now_ms);
		if ahead_ms > allowed_ms {
			return Err(LogRefusal::FromTheFuture { ahead_ms, allowed_ms });
		}
		Ok(())
	}
}

/// Checks that `topic` is that of the reading's meter, `energy/<site>/<device>/<meter>`.
///
/// # Errors
/// [`LogRefusal::WrongTopic`] with the right topic, if it is not.
pub fn check_topic(topic: &str, log: &EnergyLog) -> Result<(), LogRefusal> {
	let wanted = Topic::Readings.of(&log.name);
	if topic == wanted { Ok(()) } else { Err(LogRefusal::WrongTopic(wanted)) }
}

/// Returns the file of a batch, which its CID identifies: its canonical readings in order, with a
/// newline between two.
pub fn batch_file<'a>(logs: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
	let mut file = Vec::new();
	for (place, log) in logs.into_iter().enumerate() {
		if place > 0 {
			file.push(b'\n');
		}
		file.extend_from_slice(log.as_bytes());
	}
	file
}

const LOG_FIELDS: [&str; 12] = [
	"schema_version",
	"site_id",
	"iot_device_id",
	"meter_id",
	"ts_start",
	"ts_end",
	"interval_s",
	"energy_kwh",
	"power_kw_avg",
	"status",
	"tags",
	"tx",
];

const PAYMENT_FIELDS: [&str; 7] = [
	"unit",
	"price_sats_per_kwh",
	"amount_sats",
	"channel",
	"settlement_status",
	"ln_invoice_id",
	"bitcoin_txid",
];

/// Returns as much of a foreign text as refusals repeat.
fn shortened(text: &str) -> String {
	text.chars().take(MAX_TEXT_BYTES).collect()
}

/// An object that has only the fields it may have.
struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
	fn of(value: &'a Value, known: &[&str]) -> Result<Self, LogRefusal> {
		let members = value.as_object().ok_or(LogRefusal::NotAnObject)?;
		match members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
			Some((name, _)) => Err(LogRefusal::UnknownField(shortened(name))),
			None => Ok(Self(value)),
		}
	}

	/// Returns a text of at most `max` bytes; `None` if it is missing.
	fn text(&self, name: &'static str, max: usize) -> Result<Option<&'a str>, LogRefusal> {
		let Some(value) = self.0.get(name) else { return Ok(None) };
		let text = value.as_str().ok_or(LogRefusal::WrongType(name, "a text"))?;
		if text.len() > max { Err(LogRefusal::FieldTooLong(name)) } else { Ok(Some(text)) }
	}

	/// Returns the literal of a number; `None` if it is null or missing.
	fn number(&self, name: &'static str) -> Result<Option<&'a str>, LogRefusal> {
		match self.0.get(name) {
			None => Ok(None),
			Some(Value::Null) if name == "power_kw_avg" => Ok(None),
			Some(Value::Number(literal)) => Ok(Some(literal)),
			Some(_) => Err(LogRefusal::WrongType(name, "a number")),
		}
	}

	/// Returns a whole number, written in any form.
	fn whole(&self, name: &'static str) -> Result<u64, LogRefusal> {
		let literal = self.number(name)?.ok_or(LogRefusal::MissingField(name))?;
		// Read as exactly as energy: `300`, `300.0` and `3e2` are the same number.
		let value = Energy::parse_wh(literal).ok();
		value
			.filter(|value| *value == Energy::from_wh(value.floor_wh()))
			.map(|value| value.floor_wh())
			.ok_or(LogRefusal::WrongType(name, "a whole number that is not negative"))
	}

	fn id(&self, name: &'static str) -> Result<crate::energy::NamePart, LogRefusal> {
		let text = self.text(name, MAX_LOG_BYTES)?.ok_or(LogRefusal::MissingField(name))?;
		MeterName::part(text).map_err(|fault| LogRefusal::BadName(name, fault))
	}

	fn time(&self, name: &'static str) -> Result<u64, LogRefusal> {
		let text = self.text(name, MAX_LOG_BYTES)?.ok_or(LogRefusal::MissingField(name))?;
		parse_utc(text).map_err(|fault| LogRefusal::BadTime(name, fault))
	}

	/// Returns begin and end, in UTC milliseconds.
	fn interval(&self) -> Result<(u64, u64), LogRefusal> {
		let (start_ms, end_ms) = (self.time("ts_start")?, self.time("ts_end")?);
		let stated_s = self.whole("interval_s")?;
		let actual_ms = end_ms.checked_sub(start_ms).ok_or(LogRefusal::EmptyInterval)?;
		if actual_ms == 0 {
			return Err(LogRefusal::EmptyInterval);
		}
		if stated_s.checked_mul(1_000) != Some(actual_ms) {
			return Err(LogRefusal::IntervalMismatch { stated_s, actual_ms });
		}
		Ok((start_ms, end_ms))
	}

	fn tags(&self) -> Result<Vec<String>, LogRefusal> {
		let Some(value) = self.0.get("tags") else { return Ok(Vec::new()) };
		let wrong_type = || LogRefusal::WrongType("tags", "an array of texts");
		let tags = value.as_array().ok_or_else(wrong_type)?;
		if tags.len() > MAX_TAGS {
			return Err(LogRefusal::FieldTooLong("tags"));
		}
		let tag = |value: &Value| {
			let text = value.as_str().ok_or_else(wrong_type)?;
			if text.len() > MAX_TEXT_BYTES {
				return Err(LogRefusal::FieldTooLong("tags"));
			}
			Ok(text.to_string())
		};
		tags.iter().map(tag).collect()
	}

	/// Returns a text of `tx` that may be null or missing.
	fn nullable(&self, name: &'static str) -> Result<Option<String>, LogRefusal> {
		match self.0.get(name) {
			Some(Value::Null) => Ok(None),
			_ => Ok(self.text(name, MAX_LOG_BYTES)?.map(str::to_string)),
		}
	}

	/// Returns a text of `tx` that has a default.
	fn text_or(&self, name: &'static str, default: &str) -> Result<String, LogRefusal> {
		Ok(self.text(name, MAX_TEXT_BYTES)?.unwrap_or(default).to_string())
	}

	fn payment(&self) -> Result<Payment, LogRefusal> {
		let value = self.0.get("tx").ok_or(LogRefusal::MissingField("tx"))?;
		if value.as_object().is_none() {
			return Err(LogRefusal::WrongType("tx", "an object"));
		}
		let tx = Fields::of(value, &PAYMENT_FIELDS)?;
		Ok(Payment {
			unit: tx.text_or("unit", "sats")?,
			price_sats_per_kwh: tx.whole("price_sats_per_kwh")?,
			amount_sats: tx.whole("amount_sats")?,
			channel: tx.text_or("channel", "ln")?,
			settlement_status: tx.text_or("settlement_status", "pending")?,
			ln_invoice_id: tx.nullable("ln_invoice_id")?,
			bitcoin_txid: tx.nullable("bitcoin_txid")?,
		})
	}
}

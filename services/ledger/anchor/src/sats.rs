//! Energy and sats of a day, per device and meter, summed exactly from the readings.

use crate::{AnchorError, H256};
use gridproof_primitives::{
	codec::json::Value,
	crypto::merkle,
	energy::emlog::{Energy, EnergyLog},
	num::decimal::Ratio,
	time::day::Day,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Members that the gateway adds to a reading; they are not part of it.
const ADDED: [&str; 3] = ["id", "batch_id", "leaf_hash"];
/// The unit of amounts that are summed.
const UNIT: &str = "sats";

/// A reading as its device sent it: without what the gateway adds.
///
/// # Errors
/// [`AnchorError::Bad`] when it is not a reading.
pub fn as_sent(log: &Value) -> Result<EnergyLog, AnchorError> {
	let mut bare = log.clone();
	for name in ADDED {
		bare.remove(name);
	}
	EnergyLog::from_value(&bare)
		.map_err(|refusal| AnchorError::bad("log", format!("{refusal}: {}", log.to_canonical())))
}

/// The root over exported readings.
///
/// # Errors
/// [`AnchorError::Bad`] when there are none, or one is not a reading.
pub fn root_of(logs: &[Value]) -> Result<H256, AnchorError> {
	if logs.is_empty() {
		return Err(AnchorError::bad("batch", "it has no logs"));
	}
	let leaves: Result<Vec<H256>, AnchorError> =
		logs.iter().map(|log| Ok(as_sent(log)?.leaf_hash())).collect();
	Ok(merkle::root(&leaves?))
}

/// Energy and sats of some readings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sum {
	/// Number of readings.
	pub logs: u64,
	/// Energy in kWh, an exact decimal; none of readings whose meter could not measure.
	pub energy_kwh: String,
	/// Sats of those readings that name an amount in sats.
	pub amount_sats: u64,
	/// Readings that name their amount in another unit: they count with their energy alone.
	pub logs_in_other_units: u64,
	/// Sats by the state of their settlement.
	pub by_settlement: BTreeMap<String, u64>,
	/// Sats per kWh over the energy whose amount is in sats, cut after six decimals; none without
	/// energy.
	pub sats_per_kwh: Option<String>,
}

/// A device's day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceDay {
	/// The UTC day.
	pub day: String,
	/// The device.
	pub device: String,
	/// All of its meters.
	pub total: Sum,
	/// Each of its meters, by `site/meter`.
	pub meters: BTreeMap<String, Sum>,
}

#[derive(Clone, Debug, Default)]
struct Running {
	logs: u64,
	others: u64,
	energy: Energy,
	priced: Energy,
	sats: u64,
	by_settlement: BTreeMap<String, u64>,
}

/// Sums the readings of one device that belong to a day: those that end in it, midnight itself
/// counting to the day before.
///
/// # Errors
/// [`AnchorError::Bad`] for what is not a reading, and sums that are too large.
pub fn device_day(logs: &[Value], device: &str, day: Day) -> Result<DeviceDay, AnchorError> {
	let (mut total, mut meters) = (Running::default(), BTreeMap::<String, Running>::new());
	for log in logs {
		let log = as_sent(log)?;
		let ends_on = Day::from_unix_millis(log.end_ms.saturating_sub(1));
		if log.name.device() != device || ends_on != day {
			continue;
		}
		let meter = format!("{}/{}", log.name.site(), log.name.meter());
		for running in [&mut total, meters.entry(meter).or_default()] {
			running
				.add(&log)
				.ok_or_else(|| AnchorError::bad("logs", "their sums are too large"))?;
		}
	}
	let meters = meters.into_iter().map(|(name, running)| (name, running.done())).collect();
	let device = device.to_owned();
	Ok(DeviceDay { day: day.to_iso(), device, total: total.done(), meters })
}

impl Running {
	fn add(&mut self, log: &EnergyLog) -> Option<()> {
		let energy = log.counted();
		self.logs = self.logs.checked_add(1)?;
		self.energy = self.energy.checked_add(&energy)?;
		if log.payment.unit != UNIT {
			self.others = self.others.checked_add(1)?;
			return Some(());
		}
		let sats = log.payment.amount_sats;
		self.sats = self.sats.checked_add(sats)?;
		self.priced = self.priced.checked_add(&energy)?;
		let entry = self.by_settlement.entry(log.payment.settlement_status.clone()).or_default();
		*entry = entry.checked_add(sats)?;
		Some(())
	}

	fn done(self) -> Sum {
		let priced = Ratio::parse(&self.priced.to_kwh()).ok();
		let rate = priced.and_then(|kwh| Ratio::from_integer(self.sats.into()).checked_div(&kwh));
		Sum {
			logs: self.logs,
			energy_kwh: self.energy.to_kwh(),
			amount_sats: self.sats,
			logs_in_other_units: self.others,
			by_settlement: self.by_settlement,
			sats_per_kwh: rate.map(|rate| rate.to_decimal_floor(6)),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::codec::json::{Limits, parse};

	fn log(device: &str, meter: &str, end: &str, energy: &str, tx: &str) -> Value {
		let (start, interval) = ("2025-12-01T00:00:00Z", seconds_since_start(end));
		let (start, interval) = match interval {
			0 => ("2025-11-30T23:55:00Z", 300),
			_ => (start, interval),
		};
		let text = format!(
			r#"{{"id":"log_1","batch_id":null,"leaf_hash":"00","schema_version":"emlog-1.1",
			"site_id":"S","iot_device_id":"{device}","meter_id":"{meter}","ts_start":"{start}",
			"ts_end":"{end}","interval_s":{interval},"energy_kwh":{energy},"power_kw_avg":null,
			"status":"ok","tags":[],"tx":{tx}}}"#
		);
		parse(text.as_bytes(), Limits::DEFAULT).expect("JSON")
	}

	fn seconds_since_start(end: &str) -> u64 {
		let start =
			gridproof_primitives::energy::emlog::parse_utc("2025-12-01T00:00:00Z").expect("a time");
		let end = gridproof_primitives::energy::emlog::parse_utc(end).expect("a time");
		(end - start) / 1_000
	}

	fn tx(unit: &str, amount: u64, state: &str) -> String {
		format!(
			r#"{{"unit":"{unit}","price_sats_per_kwh":100,"amount_sats":{amount},"channel":"ln",
			"settlement_status":"{state}","ln_invoice_id":null,"bitcoin_txid":null}}"#
		)
	}

	fn sats(amount: u64) -> String {
		tx("sats", amount, "pending")
	}

	fn day() -> Day {
		Day::parse("2025-12-01").expect("a day")
	}

	#[test]
	fn energy_and_sats_are_summed_to_the_last_digit() {
		let logs = [
			log("d", "m", "2025-12-01T10:15:00Z", "0.30000000000000004", &sats(30)),
			log("d", "m", "2025-12-01T10:20:00Z", "0.1", &tx("sats", 10, "settled")),
			log("d", "n", "2025-12-01T10:20:00Z", "5", &sats(500)),
		];
		let shown = device_day(&logs, "d", day()).expect("it can be summed");
		assert_eq!(shown.total.energy_kwh, "5.40000000000000004");
		assert_eq!(shown.total.amount_sats, 540);
		assert_eq!(shown.total.sats_per_kwh.as_deref(), Some("99.999999"));
		assert_eq!(shown.total.by_settlement["pending"], 530);
		assert_eq!(shown.total.by_settlement["settled"], 10);
		assert_eq!(shown.meters["S/m"].energy_kwh, "0.40000000000000004");
		assert_eq!(shown.meters["S/n"].amount_sats, 500);
	}

	#[test]
	fn midnight_belongs_to_the_day_before_and_other_devices_are_left_out() {
		let logs = [
			log("d", "m", "2025-12-01T00:00:00Z", "1", &sats(1)),
			log("d", "m", "2025-12-01T00:05:00Z", "2", &sats(2)),
			log("d", "m", "2025-12-02T00:00:00Z", "4", &sats(4)),
			log("d", "m", "2025-12-02T00:05:00Z", "8", &sats(8)),
			log("e", "m", "2025-12-01T00:05:00Z", "16", &sats(16)),
		];
		let total = device_day(&logs, "d", day()).expect("it can be summed").total;
		assert_eq!((total.energy_kwh.as_str(), total.amount_sats, total.logs), ("6", 6, 2));
	}

	#[test]
	fn energy_paid_in_another_unit_does_not_change_the_rate() {
		let logs = [
			log("d", "m", "2025-12-01T10:15:00Z", "2", &sats(200)),
			log("d", "m", "2025-12-01T10:20:00Z", "3", &tx("cent", 9, "pending")),
		];
		let total = device_day(&logs, "d", day()).expect("it can be summed").total;
		assert_eq!((total.energy_kwh.as_str(), total.amount_sats), ("5", 200));
		assert_eq!((total.logs, total.logs_in_other_units), (2, 1));
		assert_eq!(total.sats_per_kwh.as_deref(), Some("100.000000"));
	}

	#[test]
	fn a_day_without_energy_has_no_rate() {
		let total = device_day(&[], "d", day()).expect("nothing is a sum").total;
		assert_eq!((total.energy_kwh.as_str(), total.sats_per_kwh), ("0", None));
	}

	#[test]
	fn the_root_of_exported_logs_is_that_of_the_logs_as_they_were_sent() {
		let exported = log("d", "m", "2025-12-01T10:15:00Z", "2.0", &sats(1));
		let sent = as_sent(&exported).expect("a log");
		let text = sent.canonical();
		assert!(!text.contains("leaf_hash") && text.contains("\"energy_kwh\":2.0"), "{text}");
		assert_eq!(root_of(&[exported]), Ok(merkle::leaf_hash(text.as_bytes())));
		assert!(root_of(&[]).is_err());
	}
}

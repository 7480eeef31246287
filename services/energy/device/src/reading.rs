//! What a meter has measured, and the wire format of it, emlog-1.1.

use gridproof_primitives::{
	codec::json::Value,
	energy::{
		Direction, MeterName,
		emlog::{Energy, SCHEMA, Status, TAG_EXPORT, TAG_IMPORT, format_utc},
	},
};

/// Energy that went one way over an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
	/// Begin of the interval, UTC milliseconds.
	pub start_ms: u64,
	/// End of the interval, UTC milliseconds, a whole number of seconds after its begin.
	pub end_ms: u64,
	/// Energy over the interval.
	pub energy: Energy,
	/// [`Direction::Import`] from the grid or [`Direction::Export`] to the grid.
	pub flow: Direction,
	/// Mean power, in W; `None` if the meter does not know it.
	pub power_w: Option<u64>,
	/// How it was obtained.
	pub status: Status,
	/// Price of the energy, in satoshi per kWh; it is not binding.
	pub price_sats_per_kwh: u64,
}

impl Reading {
	/// Returns a measured reading without a price.
	pub const fn new(start_ms: u64, end_ms: u64, energy: Energy, flow: Direction) -> Self {
		Self {
			start_ms,
			end_ms,
			energy,
			flow,
			power_w: None,
			status: Status::Ok,
			price_sats_per_kwh: 0,
		}
	}
}

/// Writes the readings of one meter, in canonical form at once.
pub(crate) struct ReadingWriter {
	device: String,
	meter: String,
	site: String,
}

impl ReadingWriter {
	pub(crate) fn new(name: &MeterName) -> Self {
		let quoted = |text: &str| Value::from(text).to_canonical();
		Self {
			device: quoted(name.device()),
			meter: quoted(name.meter()),
			site: quoted(name.site()),
		}
	}

	/// The reading, with its keys in canonical order and nothing that canonical form would change.
	pub(crate) fn canonical(&self, reading: &Reading) -> String {
		let Self { device, meter, site } = self;
		let power = match reading.power_w {
			Some(watts) => format!("{}.{:03}", watts / 1_000, watts % 1_000),
			None => "null".to_string(),
		};
		let tag = if reading.flow == Direction::Export { TAG_EXPORT } else { TAG_IMPORT };
		let (start, end) = (format_utc(reading.start_ms), format_utc(reading.end_ms));
		format!(
			"{{\"energy_kwh\":{},\"interval_s\":{},\"iot_device_id\":{device},\"meter_id\":{meter},\
			 \"power_kw_avg\":{power},\"schema_version\":\"{SCHEMA}\",\"site_id\":{site},\
			 \"status\":\"{}\",\"tags\":[\"{tag}\"],\"ts_end\":\"{end}\",\"ts_start\":\"{start}\",\
			 \"tx\":{{\"amount_sats\":{},\"bitcoin_txid\":null,\"channel\":\"internal\",\
			 \"ln_invoice_id\":null,\"price_sats_per_kwh\":{},\"settlement_status\":\"pending\",\
			 \"unit\":\"sats\"}}}}",
			reading.energy.to_kwh(),
			reading.end_ms.saturating_sub(reading.start_ms) / 1_000,
			reading.status,
			amount_sats(reading),
			reading.price_sats_per_kwh,
		)
	}
}

/// The price of whole Wh, rounded down to whole satoshi.
fn amount_sats(reading: &Reading) -> u64 {
	let amount = u128::from(reading.energy.floor_wh())
		.saturating_mul(reading.price_sats_per_kwh.into())
		/ 1_000;
	u64::try_from(amount).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::energy::emlog::EnergyLog;
	use proptest::prelude::*;

	fn reading(wh: &str, flow: Direction) -> Reading {
		let energy = Energy::parse_wh(wh).unwrap();
		let reading = Reading::new(1_764_583_800_000, 1_764_584_100_000, energy, flow);
		Reading { power_w: Some(2_470), price_sats_per_kwh: 100, ..reading }
	}

	#[test]
	fn a_reading_is_the_one_of_the_schema_and_canonical() {
		let name = MeterName::new("PLANT-01", "gw-PLANT01-003", "MTR-001").unwrap();
		let text = ReadingWriter::new(&name).canonical(&reading("12340", Direction::Export));
		assert_eq!(
			text,
			"{\"energy_kwh\":12.34,\"interval_s\":300,\"iot_device_id\":\"gw-PLANT01-003\",\
			 \"meter_id\":\"MTR-001\",\"power_kw_avg\":2.470,\"schema_version\":\"emlog-1.1\",\
			 \"site_id\":\"PLANT-01\",\"status\":\"ok\",\"tags\":[\"export\"],\
			 \"ts_end\":\"2025-12-01T10:15:00Z\",\"ts_start\":\"2025-12-01T10:10:00Z\",\
			 \"tx\":{\"amount_sats\":1234,\"bitcoin_txid\":null,\"channel\":\"internal\",\
			 \"ln_invoice_id\":null,\"price_sats_per_kwh\":100,\"settlement_status\":\"pending\",\
			 \"unit\":\"sats\"}}"
		);
		let log = EnergyLog::parse(text.as_bytes()).unwrap();
		assert_eq!(log.canonical(), text);
	}

	proptest! {
		#[test]
		fn what_is_written_is_canonical_whatever_the_name_and_the_figures(
			ids in proptest::array::uniform3("[^/+#\\p{Cc}]{1,12}"),
			start_s in 0u64..4_000_000_000,
			length_s in 1u64..100_000,
			milli_wh in any::<u32>(),
			power_w in proptest::option::of(any::<u32>()),
			price_sats_per_kwh in any::<u32>(),
			exported in any::<bool>(),
			status in proptest::sample::select(&Status::ALL[..]),
		) {
			let [site, device, meter] = &ids;
			let name = MeterName::new(site, device, meter).unwrap();
			let wh = format!("{}.{:03}", milli_wh / 1_000, milli_wh % 1_000);
			let flow = if exported { Direction::Export } else { Direction::Import };
			let reading = Reading {
				start_ms: start_s * 1_000,
				end_ms: (start_s + length_s) * 1_000,
				energy: Energy::parse_wh(&wh).unwrap(),
				flow,
				power_w: power_w.map(u64::from),
				status,
				price_sats_per_kwh: price_sats_per_kwh.into(),
			};
			let text = ReadingWriter::new(&name).canonical(&reading);
			let log = EnergyLog::parse(text.as_bytes()).unwrap();
			prop_assert_eq!(log.canonical(), &text);
			prop_assert_eq!(&log.name, &name);
			prop_assert_eq!((log.start_ms, log.end_ms), (reading.start_ms, reading.end_ms));
			prop_assert_eq!(log.energy, reading.energy);
			prop_assert_eq!(log.direction(Direction::Both), Ok(flow));
			prop_assert_eq!(log.status, status);
		}
	}
}

//! The short messages of the older gateway's devices.
//!
//! They name neither schema nor meter, which the topic does, and state a price instead of a
//! payment. They become the same reading that the older MQTT bridge made of them, but that numbers
//! stay as they were written.

use gridproof_primitives::{
	codec::json::{self, Limits, Value},
	energy::MeterName,
};

const KNOWN: [&str; 8] = [
	"ts_start",
	"ts_end",
	"interval_s",
	"energy_kwh",
	"power_kw_avg",
	"price_sats_per_kwh",
	"status",
	"tags",
];

/// The reading that a short message stands for; `None` if it is not such a message.
pub(crate) fn expand(payload: &[u8], name: &MeterName) -> Option<Value> {
	let limits =
		Limits { max_bytes: gridproof_primitives::energy::emlog::MAX_LOG_BYTES, max_depth: 4 };
	// Cheap to tell from a whole reading, which has a payment.
	if payload.windows(4).any(|window| window == b"\"tx\"") {
		return None;
	}
	let value = json::parse(payload, limits).ok()?;
	let members = value.as_object()?;
	if !members.iter().all(|(name, _)| KNOWN.contains(&name.as_str())) {
		return None;
	}
	let energy = value.get("energy_kwh")?.as_number()?;
	let price: u64 = value.get("price_sats_per_kwh")?.as_number()?.parse().ok()?;
	let amount = amount(energy, price)?;
	let text = |text: &str| Value::String(text.to_string());
	let payment = Value::Object(vec![
		("unit".to_string(), text("sats")),
		("price_sats_per_kwh".to_string(), Value::Number(price.to_string())),
		("amount_sats".to_string(), Value::Number(amount.to_string())),
		("channel".to_string(), text("ln")),
		("settlement_status".to_string(), text("pending")),
		("ln_invoice_id".to_string(), Value::Null),
		("bitcoin_txid".to_string(), Value::Null),
	]);
	let given = |name: &str| value.get(name).cloned();
	let members = vec![
		("schema_version".to_string(), text(gridproof_primitives::energy::emlog::SCHEMA)),
		("site_id".to_string(), text(name.site())),
		("iot_device_id".to_string(), text(name.device())),
		("meter_id".to_string(), text(name.meter())),
		("ts_start".to_string(), given("ts_start")?),
		("ts_end".to_string(), given("ts_end")?),
		("interval_s".to_string(), given("interval_s")?),
		("energy_kwh".to_string(), given("energy_kwh")?),
		("power_kw_avg".to_string(), given("power_kw_avg").unwrap_or(Value::Null)),
		("status".to_string(), given("status").unwrap_or_else(|| text("ok"))),
		("tags".to_string(), given("tags").unwrap_or_else(|| Value::Array(Vec::new()))),
		("tx".to_string(), payment),
	];
	Some(Value::Object(members))
}

/// Energy times price, rounded to the nearest whole number, halves to the even one.
fn amount(energy_kwh: &str, price: u64) -> Option<u128> {
	use gridproof_primitives::energy::emlog::Energy;
	let energy = Energy::parse_kwh(energy_kwh).ok()?.to_string();
	let (whole, decimals) = energy.split_once('.').unwrap_or((&energy, ""));
	// In thousandths of a sat, and whether anything is beyond them.
	let whole = whole.parse::<u128>().ok()?.checked_mul(price.into())?;
	let digits = decimals.get(..decimals.len().min(15))?;
	let scale = 10u128.checked_pow(u32::try_from(digits.len()).ok()?)?;
	let part = if digits.is_empty() { 0 } else { digits.parse::<u128>().ok()? };
	let part = part.checked_mul(price.into())?;
	let total = whole.checked_mul(scale)?.checked_add(part)?;
	let unit = scale.checked_mul(1_000)?;
	let (floor, rest) = (total / unit, total % unit);
	let half = unit / 2;
	let up = rest > half || (rest == half && (floor % 2 == 1 || decimals.len() > digits.len()));
	Some(if up { floor.checked_add(1)? } else { floor })
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::energy::emlog::EnergyLog;

	#[test]
	fn a_short_message_becomes_the_reading_that_the_older_bridge_made() {
		let name = MeterName::new("PLANT-01", "gw-PLANT01-003", "MTR-001").unwrap();
		let payload = br#"{"ts_start":"2025-12-01T10:10:00Z","ts_end":"2025-12-01T10:15:00Z",
			"interval_s":300,"energy_kwh":12.34,"power_kw_avg":2.47,"price_sats_per_kwh":100,
			"status":"ok","tags":["peak"]}"#;
		let reading = EnergyLog::from_value(&expand(payload, &name).unwrap()).unwrap();
		let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../vectors/emlog.json");
		let vectors = std::fs::read(path).unwrap();
		let vectors: serde_json::Value = serde_json::from_slice(&vectors).unwrap();
		assert_eq!(reading.canonical(), vectors["logs"][0]["canonical_utf8"].as_str().unwrap());
	}

	#[test]
	fn other_messages_are_left_alone() {
		let name = MeterName::new("A", "b", "c").unwrap();
		for payload in ["", "[]", "{}", r#"{"tx":{}}"#, r#"{"price_sats_per_kwh":1,"foo":2}"#] {
			assert_eq!(expand(payload.as_bytes(), &name), None, "{payload}");
		}
	}

	#[test]
	fn amounts_are_rounded_to_the_nearest_even() {
		for (energy, price, wanted) in [
			("12.34", 100, 1234),
			("7.25", 80, 580),
			("0.5", 1, 0),
			("1.5", 1, 2),
			("2.5", 1, 2),
			("0.30000000000000004", 100, 30),
			("0", 5, 0),
		] {
			assert_eq!(amount(energy, price), Some(wanted), "{energy}");
		}
	}
}

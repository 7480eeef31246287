//! `gridproof gateway readings`, `batches`.

use crate::{
	args::GatewayArgs,
	meter::{meter_name, moment},
	output::{Output, print},
};
use clap::Args;
use gridproof_gateway_api::{BatchView, ListBatches, ListReadings};
use gridproof_primitives::{
	codec::json::Value,
	energy::{MeterName, emlog::format_utc},
};
use gridproof_support::csv;

/// The columns of a table of readings, by the names of their members.
const COLUMNS: [&str; 10] = [
	"id",
	"batch_id",
	"site_id",
	"iot_device_id",
	"meter_id",
	"ts_start",
	"ts_end",
	"energy_kwh",
	"status",
	"leaf_hash",
];

/// Which readings or batches.
#[derive(Args)]
struct ChosenArgs {
	/// Only of this meter: SITE/DEVICE/METER.
	#[arg(long, value_name = "NAME", value_parser = meter_name)]
	meter: Option<MeterName>,
	/// Only what ends after this: a time such as 2026-11-01T00:00:00Z, or -24h, -7d.
	#[arg(long, value_name = "TIME", default_value = "-24h", value_parser = moment, allow_hyphen_values = true)]
	from: u64,
	/// Only what begins before this.
	#[arg(long, value_name = "TIME", default_value = "now", value_parser = moment, allow_hyphen_values = true)]
	to: u64,
}

/// Arguments of `gateway readings`.
#[derive(Args)]
pub struct ReadingsArgs {
	#[command(flatten)]
	chosen: ChosenArgs,
	/// Only those of this batch.
	#[arg(long, value_name = "BATCH")]
	batch: Option<String>,
	/// Print a table as CSV, whose first line names the columns.
	#[arg(long)]
	csv: bool,
	#[command(flatten)]
	gateway: GatewayArgs,
}

/// Arguments of `gateway batches`.
#[derive(Args)]
pub struct BatchesArgs {
	#[command(flatten)]
	chosen: ChosenArgs,
	#[command(flatten)]
	gateway: GatewayArgs,
}

impl ChosenArgs {
	/// Site, device and meter, as the gateway asks for them.
	fn parts(&self) -> (Option<String>, Option<String>, Option<String>) {
		match &self.meter {
			None => (None, None, None),
			Some(name) => {
				let own = |part: &str| Some(part.to_string());
				(own(name.site()), own(name.device()), own(name.meter()))
			},
		}
	}
}

/// Lists readings.
pub async fn readings(args: &ReadingsArgs, out: &Output) -> anyhow::Result<()> {
	let (site, device, meter) = args.chosen.parts();
	let (from, to) = (format_utc(args.chosen.from), format_utc(args.chosen.to));
	let (status, batch) = (None, args.batch.clone());
	let (from, to) = (Some(from), Some(to));
	let chosen = ListReadings { site, device, meter, status, batch, from, to };
	let found = args.gateway.client()?.readings(&chosen).await?;
	if args.csv {
		let rows = found.iter().map(|reading| COLUMNS.map(|column| text(reading, column)));
		return Ok(print(&csv::write(&COLUMNS.join(","), rows))?);
	}
	out.list(&found, |found| match found {
		[] => "no readings: choose others with --meter, --from and --to".to_string(),
		found => found.iter().map(reading_text).collect::<Vec<_>>().join("\n"),
	})
}

/// A member of a reading as text.
fn text(reading: &Value, member: &str) -> String {
	match reading.get(member) {
		Some(Value::String(text) | Value::Number(text)) => text.clone(),
		_ => String::new(),
	}
}

fn reading_text(reading: &Value) -> String {
	let part = |member| text(reading, member);
	let batch = match part("batch_id") {
		batch if batch.is_empty() => "in no batch".to_string(),
		batch => batch,
	};
	format!(
		"{} {}/{}/{} {} to {}: {} kWh, {}, {batch}",
		part("id"),
		part("site_id"),
		part("iot_device_id"),
		part("meter_id"),
		part("ts_start"),
		part("ts_end"),
		part("energy_kwh"),
		part("status")
	)
}

/// Lists batches.
pub async fn batches(args: &BatchesArgs, out: &Output) -> anyhow::Result<()> {
	let (site, device, meter) = args.chosen.parts();
	let (from, to) = (format_utc(args.chosen.from), format_utc(args.chosen.to));
	let (from, to) = (Some(from), Some(to));
	let chosen = ListBatches { site, device, meter, from, to, ..ListBatches::default() };
	let found = args.gateway.client()?.batches(&chosen).await?;
	out.result(&found, |found| match &found[..] {
		[] => "no batches: choose others with --meter, --from and --to".to_string(),
		found => found.iter().map(batch_text).collect::<Vec<_>>().join("\n"),
	})
}

fn batch_text(batch: &BatchView) -> String {
	let meter = batch.chain.as_ref().map_or("local", |chain| &chain.name);
	let BatchView { id, log_count, ts_start, ts_end, on_chain, .. } = batch;
	format!("{id} {meter} {ts_start} to {ts_end}: {log_count} readings, {on_chain}")
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::codec::json::{Limits, parse};

	#[test]
	fn a_table_has_what_a_proof_needs_and_numbers_as_they_were_sent() {
		let document =
			br#"{"id":"log_0123456789ab","batch_id":null,"site_id":"A","iot_device_id":"gw",
			"meter_id":"M","ts_start":"2026-01-01T00:00:00Z","ts_end":"2026-01-01T00:15:00Z",
			"energy_kwh":0.50,"status":"ok","leaf_hash":"ff"}"#;
		let reading = parse(document, Limits::default()).unwrap();
		assert_eq!(
			reading_text(&reading),
			"log_0123456789ab A/gw/M 2026-01-01T00:00:00Z to 2026-01-01T00:15:00Z: 0.50 kWh, ok, in no \
			 batch"
		);
		let row = COLUMNS.map(|column| text(&reading, column));
		assert_eq!(row[0], "log_0123456789ab");
		assert_eq!(row[1], "");
		assert_eq!(row[7], "0.50");
	}
}

//! What the API shows of readings, batches and meters.

use crate::{
	ids::{batch_id, reading_id},
	ledger::AccountId,
	registry::{Certification, Known},
	storage::{Batch, Reading},
};
use codec::Encode;
use gridproof_gateway_api::{BatchOnChain, BatchView, MeterStanding, MeterView};
use gridproof_primitives::energy::{BatchHeader, MeterInfo, emlog::format_utc};
use gridproof_support::text::hexadecimal;
use utoipa::ToSchema;

/// A reading as it came, with what the gateway adds. Numbers stay as they were written.
pub(crate) fn reading_json(reading: &Reading) -> String {
	let batch = match reading.batch {
		Some(batch) => format!("\"{}\"", batch_id(batch)),
		None => "null".to_string(),
	};
	let open = reading.body.strip_suffix('}').unwrap_or(&reading.body);
	format!(
		"{open},\"id\":\"{}\",\"batch_id\":{batch},\"leaf_hash\":\"{}\"}}",
		reading_id(reading.row),
		hex::encode(reading.leaf)
	)
}

/// A JSON array of readings.
pub(crate) fn readings_json(readings: &[Reading]) -> String {
	let readings: Vec<String> = readings.iter().map(reading_json).collect();
	format!("[{}]", readings.join(","))
}

/// What is paid for the energy of a reading; not binding for anyone here.
#[derive(ToSchema)]
#[schema(as = Payment)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "it describes text that is put together elsewhere")]
pub(crate) struct PaymentBody {
	/// `sats` if it is missing.
	unit: Option<String>,
	/// Price of a kWh.
	price_sats_per_kwh: u64,
	/// Price of the energy.
	amount_sats: u64,
	/// `ln` if it is missing.
	channel: Option<String>,
	/// `pending` if it is missing.
	settlement_status: Option<String>,
	/// Invoice.
	ln_invoice_id: Option<String>,
	/// Transaction.
	bitcoin_txid: Option<String>,
}

/// A reading as it is sent; what may be missing has the meaning that `docs/protocols/emlog.md` gives.
/// Nothing else may be in it.
#[derive(ToSchema)]
#[schema(as = NewEnergyLog)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "it describes text that is read elsewhere")]
pub(crate) struct NewEnergyLogBody {
	/// `emlog-1.1`.
	#[schema(pattern = "^emlog-1\\.1$")]
	schema_version: Option<String>,
	/// Id of the site.
	site_id: String,
	/// Id of the device.
	iot_device_id: String,
	/// Id of the meter.
	meter_id: String,
	/// Begin, RFC 3339 in UTC.
	ts_start: String,
	/// End, RFC 3339 in UTC.
	ts_end: String,
	/// Seconds between the two.
	interval_s: u64,
	/// Energy in kWh, read exactly.
	energy_kwh: f64,
	/// Mean power in kW.
	power_kw_avg: Option<f64>,
	/// `ok`, `estimated` or `error`.
	status: Option<String>,
	/// Tags; `import` and `export` state the direction.
	tags: Option<Vec<String>>,
	/// Payment.
	#[schema(inline)]
	tx: PaymentBody,
}

/// A reading as the API answers it: as it came, what was missing missing, with three members more. For
/// the document only: answers are written by [`reading_json`], which keeps numbers as they are.
#[derive(ToSchema)]
#[schema(as = EnergyLog)]
#[allow(dead_code, reason = "it describes text that is put together elsewhere")]
pub(crate) struct EnergyLogBody {
	/// `emlog-1.1`.
	schema_version: Option<String>,
	/// Id of the site.
	site_id: String,
	/// Id of the device.
	iot_device_id: String,
	/// Id of the meter.
	meter_id: String,
	/// Begin, RFC 3339 in UTC.
	ts_start: String,
	/// End, RFC 3339 in UTC.
	ts_end: String,
	/// Seconds between the two.
	interval_s: u64,
	/// Energy in kWh, exactly as it was written.
	energy_kwh: f64,
	/// Mean power in kW.
	power_kw_avg: Option<f64>,
	/// `ok`, `estimated` or `error`.
	status: Option<String>,
	/// Tags; `import` and `export` state the direction.
	tags: Option<Vec<String>>,
	/// Payment.
	#[schema(inline)]
	tx: PaymentBody,
	/// `log_` and twelve hexadecimal digits.
	id: String,
	/// The batch it is in; `null` while it is in none.
	batch_id: Option<String>,
	/// Leaf hash by RFC 6962: 64 hexadecimal digits.
	leaf_hash: String,
}

fn on_chain(batch: &Batch, known: Option<&Known>) -> Option<BatchOnChain> {
	let part = batch.on_chain.as_ref()?;
	let header: &BatchHeader = &part.header;
	let flow = header.closing.since(&header.opening).unwrap_or_default();
	Some(BatchOnChain {
		meter: header.meter,
		name: known.map(|known| known.name.to_string()).unwrap_or_default(),
		trust: known.and_then(|known| known.info()).map(|info| info.certificate.trust),
		sequence: header.sequence,
		header_hash: hexadecimal(header.hash().0),
		header_hex: hex::encode(header.encode()),
		imported_wh: flow.import_wh,
		exported_wh: flow.export_wh,
		signature: part.signature.map(hexadecimal),
		block: batch.block.map(|block| hexadecimal(block.0)),
	})
}

/// A batch with the ids of its readings, if given.
pub(crate) fn batch_view(batch: &Batch, known: Option<&Known>, rows: &[i64]) -> BatchView {
	BatchView {
		id: batch_id(batch.row),
		created_at: format_utc(batch.created_ms),
		log_ids: rows.iter().map(|row| reading_id(*row)).collect(),
		merkle_root: hex::encode(batch.root),
		log_count: batch.count,
		anchor_status: batch.anchor.status,
		anchor_txid: batch.anchor.txid.clone(),
		anchor_block_hash: batch.anchor.block_hash.clone(),
		anchor_block_height: batch.anchor.block_height,
		anchor_block_time: batch.anchor.block_time.clone(),
		scheme: "rfc6962".to_string(),
		cid: batch.cid.to_string(),
		ts_start: format_utc(batch.start_ms),
		ts_end: format_utc(batch.end_ms),
		on_chain: batch.state,
		reason: batch.reason.clone(),
		chain: on_chain(batch, known),
		pin: batch.pin.clone(),
		also: Vec::new(),
	}
}

/// A meter with the number of its readings in no batch.
pub(crate) fn meter_view(known: &Known, pending: u64) -> MeterView {
	let info: Option<&MeterInfo<AccountId>> = known.info().map(AsRef::as_ref);
	let certificate = info.map(|info| &info.certificate);
	let state = info.map(|info| &info.state);
	MeterView {
		site: known.name.site().to_string(),
		device: known.name.device().to_string(),
		meter: known.name.meter().to_string(),
		certified: match known.certification {
			Certification::Unknown => None,
			Certification::None => Some(false),
			Certification::Certified(_) => Some(true),
		},
		index: info.map(|info| info.index),
		status: info.map(|info| match info.suspended {
			None => MeterStanding::Active,
			Some(_) => MeterStanding::Suspended,
		}),
		direction: certificate.map(|part| part.direction),
		trust: certificate.map(|part| part.trust),
		rated_power_w: certificate.map(|part| part.rated_power_w),
		next_sequence: state.map(|state| state.next_sequence),
		import_wh: state.map(|state| state.registers.import_wh),
		export_wh: state.map(|state| state.registers.export_wh),
		pending,
	}
}

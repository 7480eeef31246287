//! What the API shows of logs, batches and meters.

use crate::{
	ids::{batch_id, log_id},
	ledger::AccountId,
	registry::{Certification, Known},
	storage::{Batch, Reading},
};
use gridproof_primitives::{
	emlog::format_utc,
	meter::{BatchHeader, MeterInfo},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A log as it came, with what the gateway adds. Numbers stay as they were written.
pub(crate) fn log_json(reading: &Reading) -> String {
	let batch = match reading.batch {
		Some(batch) => format!("\"{}\"", batch_id(batch)),
		None => "null".to_string(),
	};
	let open = reading.body.strip_suffix('}').unwrap_or(&reading.body);
	format!(
		"{open},\"id\":\"{}\",\"batch_id\":{batch},\"leaf_hash\":\"{}\"}}",
		log_id(reading.row),
		hex::encode(reading.leaf)
	)
}

/// A JSON array of logs.
pub(crate) fn logs_json(readings: &[Reading]) -> String {
	let logs: Vec<String> = readings.iter().map(log_json).collect();
	format!("[{}]", logs.join(","))
}

/// A log as the API answers it: the log as it came, with three members more.
#[derive(Serialize, ToSchema)]
#[schema(as = EnergyLog)]
pub struct LogSchema {
	/// `emlog-1.1`.
	pub schema_version: String,
	/// Site.
	pub site_id: String,
	/// Device.
	pub iot_device_id: String,
	/// Meter.
	pub meter_id: String,
	/// Begin, RFC 3339 in UTC.
	pub ts_start: String,
	/// End, RFC 3339 in UTC.
	pub ts_end: String,
	/// Seconds between the two.
	pub interval_s: u64,
	/// Energy, exactly as it was written.
	pub energy_kwh: f64,
	/// Mean power.
	pub power_kw_avg: Option<f64>,
	/// `ok`, `estimated` or `error`.
	pub status: String,
	/// Tags; `import` and `export` state the direction.
	pub tags: Vec<String>,
	/// Payment.
	pub tx: serde_json::Value,
	/// `log_` and twelve hexadecimal digits.
	pub id: Option<String>,
	/// The batch it is in.
	pub batch_id: Option<String>,
	/// Leaf hash, RFC 6962.
	pub leaf_hash: Option<String>,
}

/// What a batch is on chain.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BatchOnChain {
	/// The meter's index.
	pub meter: u32,
	/// The meter's name.
	pub name: String,
	/// `device` or `gateway`: who holds the key.
	pub trust: Option<String>,
	/// Number of the batch.
	pub sequence: u64,
	/// Hash of the header.
	pub header_hash: String,
	/// The header, SCALE in hexadecimal.
	pub header_hex: String,
	/// Wh that went into the site.
	pub imported_wh: u64,
	/// Wh that came out of it: what is minted.
	pub exported_wh: u64,
	/// The signature.
	pub signature: Option<String>,
	/// The finalized block it is in.
	pub block: Option<String>,
}

/// A batch of logs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BatchView {
	/// `batch_` and twelve hexadecimal digits.
	pub id: String,
	/// When it was made, RFC 3339 in UTC.
	pub created_at: String,
	/// Its logs in order; empty in lists.
	pub log_ids: Vec<String>,
	/// Root over their leaves.
	pub merkle_root: String,
	/// How many logs.
	pub log_count: u32,
	/// `pending`, `broadcast`, `confirmed` or `simulated`.
	pub anchor_status: String,
	/// Bitcoin transaction.
	pub anchor_txid: Option<String>,
	/// Hash of its block.
	pub anchor_block_hash: Option<String>,
	/// Height of its block.
	pub anchor_block_height: Option<u64>,
	/// Time of its block.
	pub anchor_block_time: Option<String>,
	/// `rfc6962`.
	pub scheme: String,
	/// CID of the batch's file.
	pub cid: String,
	/// Begin of the first log.
	pub ts_start: String,
	/// End of the last log.
	pub ts_end: String,
	/// `not_certified`, `unsigned`, `signed`, `accepted` or `parked`.
	pub on_chain: String,
	/// Why it is parked.
	pub reason: Option<String>,
	/// What it is on chain, if its meter is certified.
	pub chain: Option<BatchOnChain>,
	/// What the pinning service said last.
	pub pin: Option<String>,
	/// Batches made by the same request, after this one.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub also: Vec<String>,
}

fn prefixed(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

fn on_chain(batch: &Batch, known: Option<&Known>) -> Option<BatchOnChain> {
	use codec::Encode;
	let part = batch.on_chain.as_ref()?;
	let header: &BatchHeader = &part.header;
	let flow = header.closing.since(&header.opening).unwrap_or_default();
	Some(BatchOnChain {
		meter: header.meter,
		name: known.map(|known| known.name.to_string()).unwrap_or_default(),
		trust: known
			.and_then(|known| known.info())
			.map(|info| info.certificate.trust.as_str().to_string()),
		sequence: header.sequence,
		header_hash: prefixed(&header.hash().0),
		header_hex: hex::encode(header.encode()),
		imported_wh: flow.import_wh,
		exported_wh: flow.export_wh,
		signature: part.signature.map(|signature| prefixed(&signature)),
		block: batch.block.map(|block| prefixed(&block.0)),
	})
}

/// A batch with its logs, if given.
pub(crate) fn batch_view(batch: &Batch, known: Option<&Known>, rows: &[i64]) -> BatchView {
	BatchView {
		id: batch_id(batch.row),
		created_at: format_utc(batch.created_ms),
		log_ids: rows.iter().map(|row| log_id(*row)).collect(),
		merkle_root: hex::encode(batch.root),
		log_count: batch.count,
		anchor_status: batch.anchor.status.as_str().to_string(),
		anchor_txid: batch.anchor.txid.clone(),
		anchor_block_hash: batch.anchor.block_hash.clone(),
		anchor_block_height: batch.anchor.block_height,
		anchor_block_time: batch.anchor.block_time.clone(),
		scheme: "rfc6962".to_string(),
		cid: batch.cid.to_string(),
		ts_start: format_utc(batch.start_ms),
		ts_end: format_utc(batch.end_ms),
		on_chain: batch.state.as_str().to_string(),
		reason: batch.reason.clone(),
		chain: on_chain(batch, known),
		pin: batch.pin.clone(),
		also: Vec::new(),
	}
}

/// A meter.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MeterView {
	/// Site.
	pub site: String,
	/// Device.
	pub device: String,
	/// Meter.
	pub meter: String,
	/// Is it certified? `null` if the chain could not be asked yet.
	pub certified: Option<bool>,
	/// Its index on chain.
	pub index: Option<u32>,
	/// `active` or `suspended`.
	pub status: Option<String>,
	/// `import`, `export` or `both`.
	pub direction: Option<String>,
	/// `device` or `gateway`: who holds the key.
	pub trust: Option<String>,
	/// The most power, W.
	pub rated_power_w: Option<u32>,
	/// Number of its next batch.
	pub next_sequence: Option<u64>,
	/// The import register on chain, Wh.
	pub import_wh: Option<u64>,
	/// The export register on chain, Wh.
	pub export_wh: Option<u64>,
	/// Logs in no batch.
	pub pending: u64,
}

/// What is known of a meter.
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
			None => "active".to_string(),
			Some(_) => "suspended".to_string(),
		}),
		direction: certificate.map(|part| part.direction.as_str().to_string()),
		trust: certificate.map(|part| part.trust.as_str().to_string()),
		rated_power_w: certificate.map(|part| part.rated_power_w),
		next_sequence: state.map(|state| state.next_sequence),
		import_wh: state.map(|state| state.registers.import_wh),
		export_wh: state.map(|state| state.registers.export_wh),
		pending,
	}
}

/// Which part of a list. Without any of these: the newest 1,000, oldest of them first.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
	/// At most so many, up to 10,000.
	pub limit: Option<u32>,
	/// After leaving out so many.
	pub offset: Option<u64>,
	/// After what this cursor, the header `x-next-cursor` of an answer before, stands for.
	pub cursor: Option<i64>,
	/// `asc` (oldest first) or `desc`.
	pub order: Option<String>,
}

/// Which logs.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
	/// Of this site.
	pub site: Option<String>,
	/// Of this device.
	pub device: Option<String>,
	/// Of this meter.
	pub meter: Option<String>,
	/// `ok`, `estimated` or `error`; or `pending` or `batched`.
	pub status: Option<String>,
	/// In this batch.
	pub batch: Option<String>,
	/// That end after this: RFC 3339 or UTC milliseconds.
	pub from: Option<String>,
	/// That begin before this: RFC 3339 or UTC milliseconds.
	pub to: Option<String>,
}

/// Which batches.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BatchQuery {
	/// Of this site.
	pub site: Option<String>,
	/// Of this device.
	pub device: Option<String>,
	/// Of this meter.
	pub meter: Option<String>,
	/// `not_certified`, `unsigned`, `signed`, `accepted`, `parked` or `dissolved`.
	pub status: Option<String>,
	/// `pending`, `broadcast`, `confirmed` or `simulated`.
	pub anchor: Option<String>,
	/// That end after this: RFC 3339 or UTC milliseconds.
	pub from: Option<String>,
	/// That begin before this: RFC 3339 or UTC milliseconds.
	pub to: Option<String>,
}

/// Which dead letters.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeadLetterQuery {
	/// For this reason, such as `overlap`.
	pub reason: Option<String>,
}

//! Batches, meters and dead letters, as the API shows them.

use gridproof_primitives::energy::{AnchorStatus, Direction, Trust};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How far a batch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
	/// Its meters are not certified: it stays in the gateway.
	NotCertified,
	/// It waits for the signature.
	Unsigned,
	/// It is signed and waits for the chain.
	Signed,
	/// It is in a finalized block.
	Accepted,
	/// The device or the chain has refused it permanently: it waits for a decision.
	Parked,
	/// It was given up: its readings go into other batches.
	Dissolved,
}

impl BatchState {
	/// The word for it in the API and in the database, such as `not_certified`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::NotCertified => "not_certified",
			Self::Unsigned => "unsigned",
			Self::Signed => "signed",
			Self::Accepted => "accepted",
			Self::Parked => "parked",
			Self::Dissolved => "dissolved",
		}
	}

	/// The state that [`BatchState::as_str`] writes so.
	pub fn parse(text: &str) -> Option<Self> {
		let all = [
			Self::NotCertified,
			Self::Unsigned,
			Self::Signed,
			Self::Accepted,
			Self::Parked,
			Self::Dissolved,
		];
		all.into_iter().find(|state| state.as_str() == text)
	}
}

impl fmt::Display for BatchState {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

/// The part of a batch that is for the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchOnChain {
	/// The meter's index on chain.
	pub meter: u32,
	/// The meter's name, `site/device/meter`.
	pub name: String,
	/// Who holds the key that signs: `device` or `gateway`.
	#[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
	pub trust: Option<Trust>,
	/// Number of the batch, from 0 for the meter's first.
	pub sequence: u64,
	/// Hash of the header: `0x` and 64 hexadecimal digits.
	pub header_hash: String,
	/// The header, SCALE in hexadecimal digits.
	pub header_hex: String,
	/// Wh that went into the site.
	pub imported_wh: u64,
	/// Wh that came out of it: what is minted.
	pub exported_wh: u64,
	/// The signature: `0x` and 128 hexadecimal digits.
	pub signature: Option<String>,
	/// The finalized block it is in: `0x` and 64 hexadecimal digits.
	pub block: Option<String>,
}

/// A batch of readings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchView {
	/// `batch_` and twelve hexadecimal digits.
	pub id: String,
	/// When it was made, RFC 3339 in UTC.
	pub created_at: String,
	/// Its readings in order, each `log_` and twelve hexadecimal digits; empty in lists.
	pub log_ids: Vec<String>,
	/// Root over their leaves: 64 hexadecimal digits.
	pub merkle_root: String,
	/// Number of its readings.
	pub log_count: u32,
	/// `pending`, `broadcast`, `confirmed` or `simulated`.
	#[cfg_attr(feature = "openapi", schema(value_type = String))]
	pub anchor_status: AnchorStatus,
	/// Id of the anchor's Bitcoin transaction.
	pub anchor_txid: Option<String>,
	/// Hash of that transaction's block.
	pub anchor_block_hash: Option<String>,
	/// Height of that block.
	pub anchor_block_height: Option<u64>,
	/// Time of that block, RFC 3339.
	pub anchor_block_time: Option<String>,
	/// `rfc6962`.
	pub scheme: String,
	/// CID of the batch's file.
	pub cid: String,
	/// Begin of the first reading, RFC 3339 in UTC.
	pub ts_start: String,
	/// End of the last reading, RFC 3339 in UTC.
	pub ts_end: String,
	/// `not_certified`, `unsigned`, `signed`, `accepted` or `parked`.
	#[cfg_attr(feature = "openapi", schema(value_type = String))]
	pub on_chain: BatchState,
	/// Why it is parked.
	pub reason: Option<String>,
	/// What of it is for the chain, if its meter is certified.
	pub chain: Option<BatchOnChain>,
	/// The last word of the pinning service.
	pub pin: Option<String>,
	/// Batches made by the same request, after this one.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub also: Vec<String>,
}

/// Whether a certified meter's batches are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeterStanding {
	/// They are.
	Active,
	/// They are not, until an electrician has reinstated the meter.
	Suspended,
}

/// A meter that has sent a reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeterView {
	/// Id of its site.
	pub site: String,
	/// Id of its device.
	pub device: String,
	/// Its own id.
	pub meter: String,
	/// Whether it is certified; `null` while the chain could not be asked.
	pub certified: Option<bool>,
	/// Its index on chain.
	pub index: Option<u32>,
	/// `active` or `suspended`.
	#[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
	pub status: Option<MeterStanding>,
	/// `import`, `export` or `both`.
	#[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
	pub direction: Option<Direction>,
	/// Who holds the key that signs: `device` or `gateway`.
	#[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
	pub trust: Option<Trust>,
	/// The most power that can go through, in W.
	pub rated_power_w: Option<u32>,
	/// Number of its next batch.
	pub next_sequence: Option<u64>,
	/// The import register on chain, in Wh.
	pub import_wh: Option<u64>,
	/// The export register on chain, in Wh.
	pub export_wh: Option<u64>,
	/// Readings in no batch.
	pub pending: u64,
}

/// Something that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeadLetter {
	/// Number, in order of first arrival.
	pub id: i64,
	/// When it first came, UTC milliseconds.
	pub first_ms: u64,
	/// When it last came, UTC milliseconds.
	pub last_ms: u64,
	/// How often it came.
	pub count: u64,
	/// The way it came: `mqtt`, `broker`, `http`, or `batching` if it was taken and refused later.
	pub source: String,
	/// The topic or path.
	pub topic: String,
	/// The reason in one word, such as `overlap`.
	pub reason: String,
	/// The reason in a sentence.
	pub detail: String,
	/// The message itself; bytes that are not UTF-8 are shown as U+FFFD.
	pub payload: String,
}

//! What is asked for of lists.

use super::rows::{BatchRow, MeterRow};
use gridproof_gateway_api::{AnchorStatus, BatchState};

/// A choice of readings. Everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadingFilter {
	/// Of this site.
	pub site: Option<String>,
	/// Of this device.
	pub device: Option<String>,
	/// Of this meter.
	pub meter: Option<String>,
	/// With this status, such as `ok`.
	pub status: Option<String>,
	/// In a batch, or in none.
	pub batched: Option<bool>,
	/// In this batch.
	pub batch: Option<BatchRow>,
	/// Ending after this, UTC milliseconds.
	pub from_ms: Option<u64>,
	/// Beginning before this, UTC milliseconds.
	pub to_ms: Option<u64>,
}

/// A choice of batches. Everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchFilter {
	/// Of this site.
	pub site: Option<String>,
	/// Of this device.
	pub device: Option<String>,
	/// Of this meter.
	pub meter: Option<String>,
	/// In this state; else in any but dissolved.
	pub state: Option<BatchState>,
	/// With this status of the anchor.
	pub anchor: Option<AnchorStatus>,
	/// Ending after this, UTC milliseconds.
	pub from_ms: Option<u64>,
	/// Beginning before this, UTC milliseconds.
	pub to_ms: Option<u64>,
}

/// A part of a list, in order of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
	/// The most entries.
	pub limit: u32,
	/// Entries to leave out.
	pub offset: u64,
	/// The row after which to begin.
	pub after: Option<i64>,
	/// The last ones first.
	pub newest_first: bool,
}

/// A choice of readings in no batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
	/// Trusted ones of a meter.
	Certified(MeterRow),
	/// All those of meters that are not among these, and those of these that are not trusted.
	Others(Vec<MeterRow>),
}

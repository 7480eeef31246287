//! Batches for their operator: what became of them, and receipts of a refused one for the next.
//!
//! A batch that the chain refuses permanently stops the settlement of channels. What may be done about it:
//!
//! - Its header is never signed again with another content: two headers of one number are an offence,
//!   also if the chain took neither. So its number is given up, and the chain passes over it.
//! - Its receipts are as good as before. They are signed one by one, with sums that do not depend on a
//!   batch; the next batch has the very same ones, so nothing that was signed contradicts another thing.
//! - If the chain has another header of that number, the database is older than the chain, or the key
//!   is used twice. What that header settled is not known here, so nothing is rebuilt.
//!
//! This is done while no coordinator runs with the folder.

use crate::{
	StartError,
	channels::batches::OTHER_HEADER,
	coordinator::existing_database,
	rows::{self, BatchRow},
};
use futures::future::BoxFuture;
use gridproof_compute_api::protocol::BatchStage;
use gridproof_primitives::compute::channels::{BatchKind, BatchRefusal};
use gridproof_store::StoreError;
use gridproof_support::{
	Classified, Failure,
	text::{Amount, Hex32},
};
use serde::Serialize;
use std::path::Path;

/// A batch as its operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchReport {
	/// Sequence number.
	pub sequence: u64,
	/// Where it stands: made, final or refused.
	pub stage: &'static str,
	/// Why it is refused, or what happened at the last try.
	pub reason: Option<String>,
	/// Asset and mode of its receipts.
	pub kind: BatchKind,
	/// Number of its receipts.
	pub receipts: u64,
	/// Sum of their prices, in the asset's smallest unit.
	pub price: Amount,
	/// Number of these that are given up, as their channels had ended.
	pub given_up: u64,
	/// When it was made, UTC milliseconds.
	pub made_ms: u64,
	/// When its fate was known, UTC milliseconds.
	pub decided_ms: Option<u64>,
	/// The final block that settled it.
	pub block: Option<Hex32>,
	/// `true` if it was refused and its receipts wait for its operator.
	pub is_waiting: bool,
	/// What the operator can do, if it waits.
	pub advice: Option<&'static str>,
}

impl BatchReport {
	fn of(batch: BatchRow, receipts_here: u64) -> Self {
		let is_waiting = batch.stage == BatchStage::Refused && receipts_here > 0;
		let given_up = batch.given_up.iter().filter_map(|one| one.line.receipts());
		Self {
			sequence: batch.header.sequence,
			stage: batch.stage.as_str(),
			kind: batch.header.kind,
			receipts: batch.header.sums.receipts,
			price: Amount(batch.header.sums.price),
			given_up: given_up.fold(0, u64::saturating_add),
			made_ms: batch.made_ms,
			decided_ms: batch.decided_ms,
			block: batch.block.map(Hex32::from),
			advice: is_waiting.then(|| advice(batch.reason.as_deref().unwrap_or_default())),
			is_waiting,
			reason: batch.reason,
		}
	}
}

/// What an operator can do about a refusal.
fn advice(reason: &str) -> &'static str {
	if reason == OTHER_HEADER {
		return "this folder is older than the chain, or another coordinator uses its key: put back the \
			newest copy of the folder, or settle with a new key";
	}
	match BatchRefusal::from_name(reason) {
		Some(BatchRefusal::UnknownMiner) => {
			"a miner of it is not registered any more: once it is registered again, rebuild the batch"
		},
		Some(BatchRefusal::UnknownCoordinator) => {
			"register the coordinator's key, then rebuild the batch"
		},
		Some(BatchRefusal::TimeBack) => "set the machine's clock, then rebuild the batch",
		Some(
			BatchRefusal::ChannelEnded
			| BatchRefusal::ChannelNotEnded
			| BatchRefusal::UnknownChannel
			| BatchRefusal::ChannelNotJoined
			| BatchRefusal::MinerNotJoined
			| BatchRefusal::OlderVoucher
			| BatchRefusal::TooManyLines
			| BatchRefusal::TooManyReceipts,
		) => "rebuild the batch: it is made of the same receipts as the chain has them now",
		_ => {
			"the batch itself is at fault: use the newest version of this program, then rebuild it; if \
			 it is refused again, its receipts are"
		},
	}
}

/// Reason why a batch is not rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
	/// The database cannot be used.
	#[error(transparent)]
	Start(#[from] StartError),
	/// The database fails.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// There is no such batch.
	#[error("there is no batch {0} here: gridproof coordinator batches lists them")]
	Unknown(u64),
	/// The chain may still settle it, or has.
	#[error(
		"batch {sequence} is {stage}: only one that the chain has refused permanently is rebuilt"
	)]
	NotRefused {
		/// Number of the batch.
		sequence: u64,
		/// Where it stands.
		stage: &'static str,
	},
	/// Its receipts are in another batch.
	#[error("the receipts of batch {0} wait for nobody: others have them already")]
	NothingWaits(u64),
	/// The chain has another header of its number.
	#[error(
		"the chain has another header with the number of batch {0}, and nobody here knows what it \
		 settled: put back the newest copy of the folder, or settle with a new key"
	)]
	OtherHeader(u64),
}

impl Classified for RebuildError {
	fn failure(&self) -> Failure {
		match self {
			Self::Start(error) => error.failure(),
			Self::Store(error) => error.failure(),
			Self::Unknown(_) | Self::NotRefused { .. } | Self::NothingWaits(_) => Failure::USAGE,
			Self::OtherHeader(_) => Failure::refused(false),
		}
	}
}

/// Returns the newest batches in a folder, at most `limit`, the newest first.
///
/// # Errors
/// [`StartError`]; among it a coordinator that runs with this folder, and a folder without a database.
pub fn batches(folder: &Path, limit: u32) -> BoxFuture<'_, Result<Vec<BatchReport>, StartError>> {
	Box::pin(async move {
		let db = existing_database(folder)?;
		let found =
			db.read::<_, StoreError, _>(move |db| Ok(rows::newest_batches(db, limit)?)).await?;
		Ok(found.into_iter().map(|(batch, receipts)| BatchReport::of(batch, receipts)).collect())
	})
}

/// Takes the receipts of a batch that was refused permanently out of it: the coordinator makes another one
/// of them when it runs, with a number that was never signed. Returns the batch, which nobody sends
/// any more.
///
/// # Errors
/// [`RebuildError`].
pub fn rebuild(folder: &Path, sequence: u64) -> BoxFuture<'_, Result<BatchReport, RebuildError>> {
	Box::pin(async move {
		let db = existing_database(folder)?;
		db.write::<_, RebuildError, _>(move |db| {
			let store = StoreError::from;
			let batch = rows::batch(db, sequence).map_err(store)?;
			let batch = batch.ok_or(RebuildError::Unknown(sequence))?;
			if batch.stage != BatchStage::Refused {
				return Err(RebuildError::NotRefused { sequence, stage: batch.stage.as_str() });
			}
			if batch.reason.as_deref() == Some(OTHER_HEADER) {
				return Err(RebuildError::OtherHeader(sequence));
			}
			match rows::release_receipts(db, sequence).map_err(store)? {
				0 => Err(RebuildError::NothingWaits(sequence)),
				_ => Ok(BatchReport::of(batch, 0)),
			}
		})
		.await
	})
}

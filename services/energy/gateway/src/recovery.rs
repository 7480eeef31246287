//! Batches that were signed and are not here: the database was restored from an older copy, or lost.
//!
//! The chain has what it accepted, a device has what it signed last. From both the gateway gets what it
//! needs to continue: the header on which the next one follows, its signature if the chain does not have
//! it yet, and the exact registers at its end, of which a header has the floors only.

use crate::{
	registry::{Known, Registry},
	storage::{Batch, NewCopy, OnChain, Reading, Settled, Storage},
};
use gridproof_primitives::{
	H256,
	energy::{BatchHeader, SignedBatch, emlog::RunningRegisters, message::SignedCopy},
};
use gridproof_store::StoreError;
use gridproof_support::clock::now_ms;
use std::sync::Arc;

/// Batches of a meter that the chain is asked for at once.
const MOST: u32 = 64;

/// Finds what is missing.
pub(crate) struct Recovery {
	storage: Arc<dyn Storage>,
	registry: Arc<Registry>,
}

impl Recovery {
	/// Finds what `storage` misses.
	pub(crate) fn new(storage: Arc<dyn Storage>, registry: Arc<Registry>) -> Self {
		Self { storage, registry }
	}

	/// Takes a device's own copy, which it shows with a refusal: it has signed something else under the
	/// number of the batch that it was asked for, or the registers of the one before are other than they
	/// were thought to be here. Returns `true` if that was news; the batch is then rebuilt.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn take_copy(
		&self,
		known: &Known,
		asked: &Batch,
		copy: SignedCopy,
		genesis: &H256,
	) -> Result<bool, StoreError> {
		let (Some(info), Some(part)) = (known.info(), &asked.on_chain) else { return Ok(false) };
		let SignedCopy { header, signature, closing } = copy;
		let is_other = header.sequence == part.header.sequence
			&& header.previous == part.header.previous
			&& header != part.header;
		let is_before = header.sequence.checked_add(1) == Some(part.header.sequence)
			&& header.hash() == part.header.previous;
		let is_in_order = header.meter == info.index && closing.shown() == header.closing;
		let device = info.certificate.device;
		let signed = SignedBatch { header, signature };
		let is_own = signed.verify(&device, genesis).is_ok();
		if !(is_other || is_before) || !is_in_order || !is_own {
			return Ok(false);
		}
		let SignedBatch { header, signature } = signed;
		let sequence = header.sequence;
		let copy = NewCopy {
			created_ms: now_ms(),
			meter: known.row,
			part: OnChain { header, closing, signature: Some(signature) },
			device,
			is_accepted: false,
		};
		let is_news = self.storage.adopt(copy).await?;
		if is_news {
			tracing::warn!(meter = %known.name, sequence,
				"a batch that was not here is taken from the device's own copy");
		}
		Ok(is_news)
	}

	/// The chain has a batch under the number of an unsigned one: it is this one, or it takes its place.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn passed(&self, known: &Known, batch: &Batch) -> Result<(), StoreError> {
		let (Some(info), Some(part)) = (known.info(), &batch.on_chain) else { return Ok(()) };
		match self.registry.record(info.index, part.header.sequence).await {
			Err(error) => tracing::warn!(meter = %known.name, %error, "the chain cannot be asked"),
			Ok(Some(record)) if record.header == part.header => {
				self.storage
					.settle(vec![Settled::Accepted { row: batch.row, block: None }])
					.await?;
			},
			Ok(Some(record)) => {
				self.keep(known, record.header).await?;
			},
			// Too old for the chain to have it: its readings are looked at again, and come too late.
			Ok(None) => {
				self.storage.dissolve(batch.row).await?;
			},
		}
		Ok(())
	}

	/// Looks for batches that the chain has of a meter and that are not here, as far as they may have some
	/// of these readings, which are in order. Returns `true` if there was one.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn missed(
		&self,
		known: &Known,
		readings: &[Reading],
	) -> Result<bool, StoreError> {
		let Some(info) = known.info() else { return Ok(false) };
		let Some(first) = readings.first() else { return Ok(false) };
		if first.start_ms >= info.state.last_end_ms {
			return Ok(false);
		}
		let last = self.storage.last_batch(known.row).await?;
		let here = last.and_then(|last| Some(last.on_chain?.header.sequence));
		let mut is_found = false;
		let all = (0..info.state.next_sequence).rev().take(usize::try_from(MOST).unwrap_or(0));
		for sequence in all.take_while(|sequence| here.is_none_or(|here| *sequence > here)) {
			match self.registry.record(info.index, sequence).await {
				Ok(Some(record)) if record.header.end_ms > first.start_ms => {
					is_found |= self.keep(known, record.header).await?;
				},
				Ok(_) => break,
				Err(error) => {
					tracing::warn!(meter = %known.name, %error, "the chain cannot be asked");
					break;
				},
			}
		}
		Ok(is_found)
	}

	/// Keeps a batch of the chain. Its registers are those of its header; a device corrects them by the
	/// fraction of a Wh when it is asked for the next batch.
	async fn keep(&self, known: &Known, header: BatchHeader) -> Result<bool, StoreError> {
		let Some(info) = known.info() else { return Ok(false) };
		let sequence = header.sequence;
		let closing = RunningRegisters::starting_at(header.closing);
		let copy = NewCopy {
			created_ms: now_ms(),
			meter: known.row,
			part: OnChain { header, closing, signature: None },
			device: info.certificate.device,
			is_accepted: true,
		};
		let is_news = self.storage.adopt(copy).await?;
		if is_news {
			tracing::warn!(meter = %known.name, sequence,
				"a batch that was not here is taken from the chain");
		}
		Ok(is_news)
	}
}

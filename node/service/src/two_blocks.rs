//! Authors that sign two blocks for one slot: noticed at import, reported to the chain.
//!
//! The SDK notices them too and writes a line to the log. A report needs both headers with their
//! seals, and the proof of whose key it was in that slot's session: `pallet_authorities` judges it.

use crate::{
	chain::{Block, Hash, Header},
	client::FullClient,
	pool::Pool,
};
use codec::Decode;
use futures::{StreamExt, channel::mpsc};
use pallet_authorities::{TwoBlocks, runtime_api::AuthoritiesApi};
use sc_consensus::{BlockImportParams, Verifier};
use sc_transaction_pool_api::{TransactionPool, TransactionSource};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_consensus_aura::{
	AuraApi,
	digests::CompatibleDigestItem,
	sr25519::{AuthorityId as AuraId, AuthoritySignature},
};
use sp_runtime::OpaqueExtrinsic;
use std::{
	collections::BTreeMap,
	sync::{Arc, Mutex, PoisonError},
};

/// Slots whose headers are remembered: an hour.
pub const KEPT_SLOTS: usize = 3_600;

/// Headers remembered of one slot. A further one says nothing new.
pub const KEPT_HEADERS: usize = 4;

/// Reports that wait to be sent.
const WAITING: usize = 64;

/// Evidence, and the block in whose state the author's key is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
	/// The author's key and both headers.
	pub blocks: TwoBlocks<Header, AuraId>,
	/// Parent of the second block.
	pub state: Hash,
}

/// Returns the slot of a sealed header, and the hash of what its seal signs.
fn read(header: &Header) -> Option<(u64, Hash)> {
	let mut content = header.clone();
	content.digest.pop()?;
	let slot = content
		.digest
		.logs
		.iter()
		.find_map(CompatibleDigestItem::<AuthoritySignature>::as_aura_pre_digest)?;
	Some((slot.into(), content.hash()))
}

/// Headers of the last slots.
#[derive(Debug, Default)]
pub struct Seen {
	slots: BTreeMap<u64, Vec<(Hash, Header)>>,
}

impl Seen {
	/// Takes a header whose seal was checked, and returns the evidence if its author has signed
	/// another content for the same slot. `author` says who had the slot after a header's parent.
	pub fn note(
		&mut self,
		header: &Header,
		author: impl Fn(&Header) -> Option<AuraId>,
	) -> Option<Found> {
		let (slot, content) = read(header)?;
		let newest = self.slots.last_key_value().map(|(slot, _)| *slot);
		if newest.is_some_and(|newest| newest.saturating_sub(slot) >= KEPT_SLOTS as u64) {
			return None;
		}
		let known = self.slots.entry(slot).or_default();
		let is_known = known.iter().any(|(earlier, _)| *earlier == content);
		if is_known || known.len() >= KEPT_HEADERS {
			return None;
		}
		let mut found = None;
		if !known.is_empty()
			&& let Some(who) = author(header)
		{
			// Two authors may have one slot, on forks with different sets.
			let same = known.iter().find(|(_, earlier)| author(earlier).as_ref() == Some(&who));
			found = same.map(|(_, first)| Found {
				state: header.parent_hash,
				blocks: TwoBlocks { author: who, first: first.clone(), second: header.clone() },
			});
		}
		known.push((content, header.clone()));
		while self.slots.len() > KEPT_SLOTS {
			self.slots.pop_first();
		}
		found
	}
}

/// A verifier of blocks that also looks for second ones.
pub struct Watching<V> {
	inner: V,
	client: Arc<FullClient>,
	seen: Mutex<Seen>,
	found: Mutex<mpsc::Sender<Found>>,
}

impl<V> Watching<V> {
	/// Puts the look for second blocks behind a verifier. What it finds comes out of the receiver.
	pub fn new(inner: V, client: Arc<FullClient>) -> (Self, mpsc::Receiver<Found>) {
		let (found, receiver) = mpsc::channel(WAITING);
		(Self { inner, client, seen: Mutex::default(), found: Mutex::new(found) }, receiver)
	}

	fn author(&self, header: &Header) -> Option<AuraId> {
		let (slot, _) = read(header)?;
		let seats = self.client.runtime_api().authorities(header.parent_hash).ok()?;
		let place = slot.checked_rem(seats.len() as u64)?;
		seats.get(place as usize).cloned()
	}

	fn look_at(&self, header: &Header) {
		let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
		let Some(found) = seen.note(header, |header| self.author(header)) else { return };
		drop(seen);
		tracing::warn!(
			event = "two_blocks",
			author = %found.blocks.author,
			first = ?found.blocks.first.hash(),
			second = ?found.blocks.second.hash(),
			"An authority signed two blocks for one slot"
		);
		// A command on a stored chain does not listen, and reports nothing.
		let _ = self.found.lock().unwrap_or_else(PoisonError::into_inner).try_send(found);
	}
}

#[jsonrpsee::core::async_trait]
impl<V: Verifier<Block>> Verifier<Block> for Watching<V> {
	async fn verify(
		&self,
		block: BlockImportParams<Block>,
	) -> Result<BlockImportParams<Block>, String> {
		// The verifier checks no seal of a block that comes with its state or behind a gap.
		let is_sealed = !block.with_state() && !block.state_action.skip_execution_checks();
		let header = block.header.clone();
		let verified = self.inner.verify(block).await?;
		if is_sealed {
			self.look_at(&header);
		}
		Ok(verified)
	}
}

/// Sends what was found to the chain, until nothing more can be found.
pub async fn report(client: Arc<FullClient>, pool: Arc<Pool>, mut found: mpsc::Receiver<Found>) {
	while let Some(found) = found.next().await {
		match send(&client, &pool, found).await {
			Ok(hash) => {
				tracing::info!(event = "two_blocks_reported", ?hash, "Two blocks were reported");
			},
			// Another node was faster, or the chain has rules without this report.
			Err(reason) => tracing::warn!(
				event = "two_blocks_not_reported",
				reason,
				"Two blocks were not reported by this node"
			),
		}
	}
}

async fn send(client: &FullClient, pool: &Pool, found: Found) -> Result<Hash, String> {
	let text = |error: &dyn std::fmt::Display| error.to_string();
	let owner = client
		.runtime_api()
		.prove_author(found.state, found.blocks.author.clone())
		.map_err(|error| text(&error))?
		.ok_or("the key is not an authority's in the state before the block")?;
	let best = client.info().best_hash;
	let report = client
		.runtime_api()
		.report_of_two_blocks(best, found.blocks, owner)
		.map_err(|error| text(&error))?;
	let report = OpaqueExtrinsic::decode(&mut report.as_slice()).map_err(|error| text(&error))?;
	pool.submit_one(best, TransactionSource::Local, report).await.map_err(|error| text(&error))
}

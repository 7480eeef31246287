//! Authors that sign two blocks for one slot: noticed at import. `reports.rs` sends them to the chain.
//!
//! The SDK notices them too and writes a line to the log. A report needs both headers with their
//! seals, and the proof of whose key it was in that slot's session: `pallet_authorities` judges it.

use crate::chain::{Block, Hash, Header};
use futures::channel::mpsc;
use pallet_authorities_api::TwoBlocks;
use sc_consensus::{BlockImportParams, Verifier};
use sp_api::ProvideRuntimeApi;
use sp_consensus_aura::{
	AuraApi,
	digests::CompatibleDigestItem,
	sr25519::{AuthorityId as AuraId, AuthoritySignature},
};
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
pub struct Watching<V, C> {
	inner: V,
	client: Arc<C>,
	seen: Mutex<Seen>,
	found: Mutex<mpsc::Sender<Found>>,
}

impl<V, C> Watching<V, C>
where
	C: ProvideRuntimeApi<Block, Api: AuraApi<Block, AuraId>>,
{
	/// Puts the look for second blocks behind a verifier. What it finds comes out of the receiver.
	pub fn new(inner: V, client: Arc<C>) -> (Self, mpsc::Receiver<Found>) {
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
impl<V, C> Verifier<Block> for Watching<V, C>
where
	V: Verifier<Block>,
	C: ProvideRuntimeApi<Block, Api: AuraApi<Block, AuraId>> + Send + Sync,
{
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

//! What was sold, in memory: plans of channels, and the API keys of those whose key the coordinator
//! keeps. The database has both, too.

use crate::rows::{self, KeyRow, PlanRow};
use gridproof_primitives::{
	H256,
	compute::channels::{ChannelId, Secret, SignedVoucher},
	num::units::MILLIS_PER_DAY,
};
use gridproof_store::rusqlite::{self, Connection};
use gridproof_support::Lock;
use sp_crypto_hashing::sha2_256;
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard},
};

/// How long a request is remembered by its key, in milliseconds.
const REMEMBER_MS: u64 = MILLIS_PER_DAY;
/// Most requests that are remembered by their keys.
const MAX_REMEMBERED: usize = 50_000;

/// A request that came with a key of its own, by which the same one is known again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
	/// SHA-256 of its path and body.
	pub(crate) body: [u8; 32],
	/// The voucher that pays for it.
	pub(crate) voucher: SignedVoucher,
	/// The request's secret.
	pub(crate) secret: Secret,
	/// When it was admitted, UTC milliseconds.
	pub(crate) admitted_ms: u64,
}

/// Requests by channel and key.
pub(crate) type Remembered = HashMap<(ChannelId, String), Before>;

struct Sale {
	plan: Arc<PlanRow>,
	/// When the chain is asked next whether it is over, UTC milliseconds.
	due_ms: u64,
}

#[derive(Default)]
struct Inner {
	sales: HashMap<ChannelId, Sale>,
	keys: HashMap<ChannelId, KeyRow>,
	/// Channels by the SHA-256 of their API keys.
	channels: HashMap<[u8; 32], ChannelId>,
}

/// All of it.
#[derive(Default)]
pub(crate) struct Sold {
	inner: Mutex<Inner>,
	remembered: Mutex<Remembered>,
}

impl Inner {
	fn set_key(&mut self, key: KeyRow) {
		// Of two at once, the later one is in the database.
		if self.keys.get(&key.channel).is_some_and(|old| old.signed_ms > key.signed_ms) {
			return;
		}
		if let Some(old) = self.keys.insert(key.channel, key) {
			self.channels.remove(&old.sha256);
		}
		self.channels.insert(key.sha256, key.channel);
	}
}

impl Sold {
	/// Returns what the database has.
	pub(crate) fn of(db: &Connection) -> rusqlite::Result<Self> {
		let sold = Self::default();
		rows::channel_plans(db)?.into_iter().for_each(|plan| sold.set_plan(plan));
		let mut inner = sold.inner();
		rows::channel_keys(db)?.into_iter().for_each(|key| inner.set_key(key));
		drop(inner);
		Ok(sold)
	}

	fn inner(&self) -> MutexGuard<'_, Inner> {
		self.inner.locked()
	}

	/// Returns the plan of a channel.
	pub(crate) fn plan(&self, channel: ChannelId) -> Option<Arc<PlanRow>> {
		self.inner().sales.get(&channel).map(|sale| sale.plan.clone())
	}

	/// Notes the plan of a channel, in place of what was noted before.
	pub(crate) fn set_plan(&self, plan: PlanRow) {
		let (channel, due_ms) = (plan.channel, if plan.gone { u64::MAX } else { 0 });
		self.inner().sales.insert(channel, Sale { plan: Arc::new(plan), due_ms });
	}

	/// Returns the channels of which the chain is to be asked whether their plans are over, at most
	/// `most`.
	pub(crate) fn due(&self, now: u64, most: usize) -> Vec<ChannelId> {
		let inner = self.inner();
		let due = inner.sales.iter().filter(|(_, sale)| sale.due_ms <= now);
		due.map(|(channel, _)| *channel).take(most).collect()
	}

	/// Notes when the chain is asked next of a channel, UTC milliseconds.
	pub(crate) fn ask_at(&self, channel: ChannelId, due_ms: u64) {
		if let Some(sale) = self.inner().sales.get_mut(&channel) {
			sale.due_ms = due_ms;
		}
	}

	/// Returns the channel that an API key is of.
	pub(crate) fn channel_of(&self, key: &str) -> Option<ChannelId> {
		self.inner().channels.get(&sha2_256(key.as_bytes())).copied()
	}

	/// Returns the API key of a channel.
	pub(crate) fn key(&self, channel: ChannelId) -> Option<KeyRow> {
		self.inner().keys.get(&channel).copied()
	}

	/// Notes the API key of a channel, in place of the one before.
	pub(crate) fn set_key(&self, key: KeyRow) {
		self.inner().set_key(key);
	}

	/// Returns the requests that came with keys of their own. As long as they are held, no other is
	/// admitted that has one.
	pub(crate) fn remembered(&self) -> MutexGuard<'_, Remembered> {
		self.remembered.locked()
	}

	/// Remembers a request by its key.
	pub(crate) fn remember(
		remembered: &mut Remembered,
		by: (ChannelId, String),
		before: Before,
		now: u64,
	) {
		if remembered.len() >= MAX_REMEMBERED {
			remembered.retain(|_, one| now.saturating_sub(one.admitted_ms) < REMEMBER_MS);
		}
		if remembered.len() >= MAX_REMEMBERED {
			tracing::warn!("too many requests have an Idempotency-Key: those before are forgotten");
			remembered.clear();
		}
		remembered.insert(by, before);
	}

	/// Forgets a request, unless another one has its key by now.
	pub(crate) fn forget(&self, by: &(ChannelId, String), spec_hash: H256) {
		let mut remembered = self.remembered();
		if remembered.get(by).is_some_and(|one| one.voucher.voucher.spec_hash == spec_hash) {
			remembered.remove(by);
		}
	}
}

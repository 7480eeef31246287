//! Channels in memory: what is held of each, the requests that their vouchers pay for, and who waits
//! for which turn.
//!
//! Nothing of this is on disk before a receipt is: a crash forgets the requests that are open, whose
//! clients owe nothing for them. Times that end in `_steady` pass evenly whatever the clock is set to.

use axum::body::Bytes;
use gridproof_compute_api::protocol::{IssuedReceipt, JobSpec, Output};
use gridproof_primitives::{
	H256,
	compute::channels::{
		BatchKind, Channel, ChannelId, MinerLine, MinerSums, Secret, SettlementHeader,
		SignedVoucher, Unsettled, Voucher, VoucherRefusal, voucher_amount,
	},
	crypto::ed25519::{PublicKey, Signature},
};
use gridproof_support::{Lock, number::clamped};
use std::{
	collections::{BTreeMap, HashMap, VecDeque},
	sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::Notify;

/// How long an ended request is remembered in memory, in milliseconds: its client has its answer by
/// then, or asks for it again and is answered from the database.
const REMEMBER_MS: u64 = 60_000;
/// How long a channel without an open request is followed, in milliseconds.
const FOLLOW_MS: u64 = 600_000;
/// Most numbers of channels that the chain does not know which are remembered.
const MAX_UNKNOWN: usize = 1_024;

/// A request that a voucher pays for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
	/// Id of the work: the voucher's seed.
	pub(crate) id: H256,
	/// Asset and mode of the channel.
	pub(crate) kind: BatchKind,
	/// The key that signed the voucher.
	pub(crate) signer: PublicKey,
	/// Permission to take the price, signed by the client.
	pub(crate) voucher: SignedVoucher,
	/// The request's secret.
	pub(crate) secret: Secret,
	/// The very bytes of the request's body.
	pub(crate) body: Bytes,
	/// What is to be done.
	pub(crate) spec: JobSpec,
	/// Hash of the model.
	pub(crate) model: H256,
	/// Factor of the model in thousandths.
	pub(crate) factor: u32,
	/// Price of a compute unit, in the asset's smallest unit.
	pub(crate) unit_price: u128,
	/// The most that it costs, in the asset's smallest unit.
	pub(crate) highest: u128,
	/// When it was admitted, UTC milliseconds.
	pub(crate) created_ms: u64,
	/// By when its receipt is to be settled, UTC milliseconds.
	pub(crate) settle_by_ms: u64,
	/// Until when a miner may take it.
	pub(crate) until_steady: u64,
	/// `true` if somebody reads along.
	pub(crate) stream: bool,
}

/// A request that came to a good end.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
	/// Receipt with its signatures.
	pub(crate) issued: IssuedReceipt,
	/// Id of the receipt.
	pub(crate) id: H256,
	/// Name of the model.
	pub(crate) model: String,
	/// When it was admitted, UTC milliseconds.
	pub(crate) created_ms: u64,
	/// What came out.
	pub(crate) output: Output,
}

/// Where a request stands.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
	/// It waits for a miner, or one has it.
	Open,
	/// It came to a good end.
	Done(Arc<Finished>),
	/// It has no answer, for this reason, and costs nothing.
	Ended(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
	Queued,
	Assigned,
	/// Its receipt is on its way to the disk.
	Closing,
	Over,
}

struct Entry {
	request: Arc<Request>,
	place: Place,
	fate: Fate,
	attempt: u32,
	failures: u32,
	/// Miners that failed at it.
	failed: Vec<PublicKey>,
	changed_steady: u64,
}

/// A request that waits for a miner.
pub(crate) struct Queued {
	pub(crate) request: Arc<Request>,
	/// Miners that failed at it.
	pub(crate) failed: Vec<PublicKey>,
	/// Since when it waits.
	pub(crate) since_steady: u64,
}

/// What is held of a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
	/// As the chain has it.
	pub(crate) channel: Channel,
	/// What is not settled.
	pub(crate) unsettled: Unsettled,
	/// When the chain was asked.
	pub(crate) read_steady: u64,
	/// When it was last used.
	used_steady: u64,
}

/// A line that waits for its miner's signature.
#[derive(Clone, Debug)]
pub(crate) struct Unsigned {
	pub(crate) header: SettlementHeader,
	pub(crate) line: MinerLine,
}

/// How a voucher was admitted.
pub(crate) enum Entrance {
	/// It is new, and its request waits for a miner.
	New,
	/// The same request came before.
	Known,
	/// Its number was used before, and nothing of it is in memory.
	Past,
}

#[derive(Default)]
struct Inner {
	channels: HashMap<ChannelId, Held>,
	unknown: HashMap<ChannelId, u64>,
	turns: HashMap<ChannelId, Arc<Notify>>,
	requests: HashMap<H256, Entry>,
	queue: VecDeque<H256>,
	/// What the chain has settled of miners, asked once.
	floors: HashMap<(BatchKind, Option<PublicKey>), MinerSums>,
	lines: BTreeMap<PublicKey, Unsigned>,
	signatures: BTreeMap<PublicKey, Signature>,
}

impl Inner {
	/// Puts a request that was admitted at the end of the queue.
	fn add(&mut self, request: Request, now_steady: u64) {
		let (id, request) = (request.id, Arc::new(request));
		let entry = Entry {
			request,
			place: Place::Queued,
			fate: Fate::Open,
			attempt: 0,
			failures: 0,
			failed: Vec::new(),
			changed_steady: now_steady,
		};
		self.requests.insert(id, entry);
		self.queue.push_back(id);
	}
}

/// All of it.
#[derive(Default)]
pub(crate) struct Book {
	inner: Mutex<Inner>,
	/// There may be a line to sign, or a signature of one.
	pub(crate) lines: Notify,
}

impl Book {
	fn inner(&self) -> MutexGuard<'_, Inner> {
		self.inner.locked()
	}

	/// Returns what is held of a channel.
	pub(crate) fn held(&self, channel: ChannelId, now_steady: u64) -> Option<Held> {
		let mut inner = self.inner();
		let held = inner.channels.get_mut(&channel)?;
		held.used_steady = now_steady;
		Some(*held)
	}

	/// Returns the same without counting as a use.
	pub(crate) fn peek(&self, channel: ChannelId) -> Option<Held> {
		self.inner().channels.get(&channel).copied()
	}

	/// Notes what the chain says of a channel; `unsettled` holds if nothing is known of it yet.
	pub(crate) fn hold(
		&self,
		id: ChannelId,
		channel: Channel,
		unsettled: Unsettled,
		now_steady: u64,
	) {
		let mut inner = self.inner();
		inner.unknown.remove(&id);
		let new = Held { channel, unsettled, read_steady: now_steady, used_steady: now_steady };
		let held = inner.channels.entry(id).or_insert(new);
		(held.channel, held.read_steady) = (channel, now_steady);
	}

	/// Notes that the chain has no such channel (any more).
	pub(crate) fn forget(&self, id: ChannelId, now_steady: u64) {
		let mut inner = self.inner();
		inner.channels.remove(&id);
		if inner.unknown.len() >= MAX_UNKNOWN {
			inner.unknown.clear();
		}
		inner.unknown.insert(id, now_steady);
	}

	/// Returns when the chain last said that it has no such channel.
	pub(crate) fn unknown_since(&self, id: ChannelId) -> Option<u64> {
		self.inner().unknown.get(&id).copied()
	}

	/// Returns the channels that are in use, and lets go of those that are not.
	pub(crate) fn in_use(&self, now_steady: u64) -> Vec<ChannelId> {
		let mut inner = self.inner();
		inner.channels.retain(|_, held| {
			let is_idle = now_steady.saturating_sub(held.used_steady) > FOLLOW_MS;
			held.unsettled.open > 0 || !is_idle
		});
		let Inner { turns, channels, .. } = &mut *inner;
		turns.retain(|id, turn| channels.contains_key(id) || Arc::strong_count(turn) > 1);
		channels.keys().copied().collect()
	}

	/// Returns what is notified when a voucher of the channel was admitted.
	pub(crate) fn turn(&self, channel: ChannelId) -> Arc<Notify> {
		self.inner().turns.entry(channel).or_default().clone()
	}

	/// Admits a request, in the order of its channel's vouchers.
	///
	/// # Errors
	/// See [`Channel::admit`]; [`VoucherRefusal::OtherNumber`] of a number above the next one, or if
	/// the channel is not held.
	pub(crate) fn admit(
		&self,
		request: Request,
		now: u64,
		now_steady: u64,
		day_ms: u64,
	) -> Result<Entrance, VoucherRefusal> {
		let mut inner = self.inner();
		if inner.requests.contains_key(&request.id) {
			return Ok(Entrance::Known);
		}
		let voucher = request.voucher.voucher;
		let held = inner.channels.get_mut(&voucher.channel).ok_or(VoucherRefusal::OtherNumber)?;
		if voucher.number <= held.unsettled.newest {
			return Ok(Entrance::Past);
		}
		held.unsettled =
			held.channel.admit(&held.unsettled, &voucher, request.highest, now, day_ms)?;
		inner.add(request, now_steady);
		if let Some(turn) = inner.turns.get(&voucher.channel) {
			turn.notify_waiters();
		}
		Ok(Entrance::New)
	}

	/// Admits a request of a channel whose key the coordinator keeps: `make` gets the next number and
	/// its amount, and returns the request with its voucher. All of it is one step, so requests at the
	/// same time neither share a number nor pass a limit together.
	///
	/// # Errors
	/// See [`Channel::admit`]; [`VoucherRefusal::OtherNumber`] if the channel is not held. Then nothing
	/// was made.
	pub(crate) fn admit_next(
		&self,
		channel: ChannelId,
		highest: u128,
		now: u64,
		now_steady: u64,
		day_ms: u64,
		make: impl FnOnce(u64, u128) -> Request,
	) -> Result<(), VoucherRefusal> {
		let mut inner = self.inner();
		let held = inner.channels.get_mut(&channel).ok_or(VoucherRefusal::OtherNumber)?;
		let Unsettled { sums, open, newest } = held.unsettled;
		let number = newest.checked_add(1).ok_or(VoucherRefusal::OtherNumber)?;
		let amount =
			voucher_amount(sums.price, open, highest).ok_or(VoucherRefusal::AboveDeposit)?;
		let next = Voucher { channel, number, amount, spec_hash: H256::zero() };
		held.unsettled = held.channel.admit(&held.unsettled, &next, highest, now, day_ms)?;
		inner.add(make(number, amount), now_steady);
		Ok(())
	}

	/// Takes the next number of a channel for a voucher without an answer, or one that was taken
	/// before and is not being worked for: nobody works for it from here on.
	///
	/// # Errors
	/// As [`Book::admit`]; [`VoucherRefusal::OtherNumber`] also if it is being worked for.
	pub(crate) fn pass(
		&self,
		voucher: &Voucher,
		now: u64,
		day_ms: u64,
	) -> Result<(), VoucherRefusal> {
		let mut inner = self.inner();
		// Another voucher of this number may pay for what is being done.
		let is_open = inner.requests.values().any(|entry| {
			entry.place != Place::Over && entry.request.voucher.voucher.id() == voucher.id()
		});
		if is_open {
			return Err(VoucherRefusal::OtherNumber);
		}
		let held = inner.channels.get_mut(&voucher.channel).ok_or(VoucherRefusal::OtherNumber)?;
		if voucher.number <= held.unsettled.newest {
			return Ok(());
		}
		held.unsettled = held.channel.admit(&held.unsettled, voucher, 0, now, day_ms)?;
		if let Some(turn) = inner.turns.get(&voucher.channel) {
			turn.notify_waiters();
		}
		Ok(())
	}

	/// Notes that a receipt of `price` is on disk, for a request that cost at most `highest`.
	pub(crate) fn count(&self, channel: ChannelId, highest: u128, price: u128) {
		if let Some(held) = self.inner().channels.get_mut(&channel)
			&& let Some(after) = held.unsettled.complete(highest, price)
		{
			held.unsettled = after;
		}
	}

	/// Returns the miners that failed at a request.
	pub(crate) fn failed_at(&self, id: &H256) -> Vec<PublicKey> {
		self.inner().requests.get(id).map(|entry| entry.failed.clone()).unwrap_or_default()
	}

	/// Puts an answer back that is in the database, for a client that asks again.
	pub(crate) fn recall(&self, request: Request, finished: Finished, now_steady: u64) {
		let (id, request) = (request.id, Arc::new(request));
		let entry = Entry {
			request,
			place: Place::Over,
			fate: Fate::Done(Arc::new(finished)),
			attempt: 0,
			failures: 0,
			failed: Vec::new(),
			changed_steady: now_steady,
		};
		self.inner().requests.entry(id).or_insert(entry);
	}

	/// Returns a request.
	pub(crate) fn request(&self, id: &H256) -> Option<Arc<Request>> {
		self.inner().requests.get(id).map(|entry| entry.request.clone())
	}

	/// Returns what has become of a request.
	pub(crate) fn fate(&self, id: &H256) -> Option<Fate> {
		self.inner().requests.get(id).map(|entry| entry.fate.clone())
	}

	/// Returns the number of a channel's requests that have no receipt.
	pub(crate) fn open_requests(&self, channel: ChannelId) -> u64 {
		let inner = self.inner();
		let is_open = |entry: &&Entry| {
			entry.place != Place::Over && entry.request.voucher.voucher.channel == channel
		};
		clamped(inner.requests.values().filter(is_open).count())
	}

	/// Returns the number of requests that wait for a miner.
	pub(crate) fn waiting(&self) -> usize {
		self.inner().queue.len()
	}

	/// Returns the requests that wait, in their order, at most `most`.
	pub(crate) fn queued(&self, most: usize) -> Vec<Queued> {
		let inner = self.inner();
		let waiting = inner.queue.iter().filter_map(|id| inner.requests.get(id));
		let queued = waiting.take(most).map(|entry| Queued {
			request: entry.request.clone(),
			failed: entry.failed.clone(),
			since_steady: entry.changed_steady,
		});
		queued.collect()
	}

	/// Gives a request that waits to a miner; returns the number of the attempt, or `None` if it does
	/// not wait any more.
	pub(crate) fn assign(&self, id: &H256, now_steady: u64) -> Option<u32> {
		let mut inner = self.inner();
		inner.queue.retain(|queued| queued != id);
		let entry = inner.requests.get_mut(id).filter(|entry| entry.place == Place::Queued)?;
		entry.place = Place::Assigned;
		entry.attempt = entry.attempt.saturating_add(1);
		entry.changed_steady = now_steady;
		Some(entry.attempt)
	}

	/// Puts a request back that a miner had; `failed` names the miner if it failed. Returns how often
	/// it has failed, or `None` if it is not with a miner in this attempt.
	pub(crate) fn requeue(
		&self,
		id: &H256,
		attempt: u32,
		failed: Option<PublicKey>,
		now_steady: u64,
	) -> Option<u32> {
		let mut inner = self.inner();
		let entry = inner.requests.get_mut(id)?;
		if entry.place != Place::Assigned || entry.attempt != attempt {
			return None;
		}
		entry.place = Place::Queued;
		entry.changed_steady = now_steady;
		if let Some(miner) = failed {
			entry.failures = entry.failures.saturating_add(1);
			entry.failed.push(miner);
		}
		let failures = entry.failures;
		inner.queue.push_front(*id);
		Some(failures)
	}

	/// Takes a request for its end: nobody else can end it meanwhile. With `attempt` only if a miner
	/// has it in that one, else only if it waits. Returns `false` if it cannot be taken.
	pub(crate) fn close(&self, id: &H256, attempt: Option<u32>) -> bool {
		let mut inner = self.inner();
		let Some(entry) = inner.requests.get_mut(id) else { return false };
		let fits = match attempt {
			Some(attempt) => entry.place == Place::Assigned && entry.attempt == attempt,
			None => entry.place == Place::Queued,
		};
		if fits {
			entry.place = Place::Closing;
			inner.queue.retain(|queued| queued != id);
		}
		fits
	}

	/// Gives a request back that was taken for its end, because that could not be written: to the
	/// miner that has it, or to the queue.
	pub(crate) fn reopen(&self, id: &H256, is_assigned: bool) {
		let mut inner = self.inner();
		let Some(entry) = inner.requests.get_mut(id) else { return };
		if entry.place == Place::Closing {
			entry.place = if is_assigned { Place::Assigned } else { Place::Queued };
			if !is_assigned {
				inner.queue.push_front(*id);
			}
		}
	}

	/// Ends a request whose receipt is on disk.
	pub(crate) fn end(&self, id: &H256, fate: Fate, now_steady: u64) {
		let mut inner = self.inner();
		inner.queue.retain(|queued| queued != id);
		if let Some(entry) = inner.requests.get_mut(id) {
			(entry.place, entry.fate, entry.changed_steady) = (Place::Over, fate, now_steady);
		}
	}

	/// Forgets what ended long ago; returns the requests that have waited too long for a miner.
	pub(crate) fn sweep(&self, now_steady: u64) -> Vec<H256> {
		let mut inner = self.inner();
		inner.requests.retain(|_, entry| {
			entry.place != Place::Over
				|| now_steady.saturating_sub(entry.changed_steady) < REMEMBER_MS
		});
		let is_late = |entry: &Entry| {
			entry.place == Place::Queued && entry.request.until_steady <= now_steady
		};
		let late = inner.requests.iter().filter(|(_, entry)| is_late(entry));
		late.map(|(id, _)| *id).collect()
	}

	/// Returns what the chain has settled of a miner, if it was asked.
	pub(crate) fn floor(&self, kind: BatchKind, miner: Option<PublicKey>) -> Option<MinerSums> {
		self.inner().floors.get(&(kind, miner)).copied()
	}

	/// Notes what the chain has settled of a miner.
	pub(crate) fn set_floor(&self, kind: BatchKind, miner: Option<PublicKey>, sums: MinerSums) {
		self.inner().floors.insert((kind, miner), sums);
	}

	/// Asks miners for the signatures of the lines of a batch; those of an earlier one are no longer
	/// asked for.
	pub(crate) fn ask_lines(&self, header: &SettlementHeader, lines: &[MinerLine]) {
		let mut inner = self.inner();
		inner.signatures.clear();
		let of_miners = lines.iter().filter_map(|line| Some((line.miner?, *line)));
		inner.lines =
			of_miners.map(|(miner, line)| (miner, Unsigned { header: *header, line })).collect();
		drop(inner);
		self.lines.notify_waiters();
	}

	/// Returns the line that waits for a miner's signature.
	pub(crate) fn line(&self, miner: &PublicKey) -> Option<Unsigned> {
		self.inner().lines.get(miner).cloned()
	}

	/// Takes a miner's signature, which was verified.
	pub(crate) fn sign_line(&self, miner: PublicKey, signature: Signature) {
		let mut inner = self.inner();
		if inner.lines.remove(&miner).is_some() {
			inner.signatures.insert(miner, signature);
		}
		drop(inner);
		self.lines.notify_waiters();
	}

	/// Returns `true` if no line waits for a signature.
	pub(crate) fn all_signed(&self) -> bool {
		self.inner().lines.is_empty()
	}

	/// Returns the signatures that came, and asks for no more.
	pub(crate) fn take_signatures(&self) -> BTreeMap<PublicKey, Signature> {
		let mut inner = self.inner();
		inner.lines.clear();
		std::mem::take(&mut inner.signatures)
	}
}

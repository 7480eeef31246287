//! Which readings make a batch, and what its header says.

use crate::{
	config::Batching,
	cutting::{Bounds, Cut, Piece},
	deferral::Deferral,
	due::is_due,
	ids::reading_id,
	ingest::check_certificate,
	ledger::AccountId,
	message::Source,
	notices::Notices,
	recovery::Recovery,
	registry::{Certification, Known, Registry},
	storage::{
		Batch, BatchRow, NewBatch, NewDeadLetter, OnChain, Pending, Reading, ReadingRow, Selection,
		Settled, Storage,
	},
	succession::Succession,
};
use gridproof_gateway_api::BatchState;
use gridproof_primitives::{
	H256,
	codec::cid::Cid,
	crypto::merkle,
	energy::{
		BatchHeader, BatchLimits, BatchRefusal, Direction, MeterInfo, MeterState, Topic,
		check_batch,
		emlog::{EnergyLog, RunningRegisters, batch_file},
	},
};
use gridproof_store::StoreError;
use gridproof_support::clock::now_ms;
use std::sync::Arc;
use tokio::sync::{Mutex, Notify};

/// Attempts at one meter's batch in a round: after each, what was in the way is gone. What is left
/// waits for the next round, in which other meters have their turn.
const ATTEMPTS: u32 = 4;

/// Closes batches.
pub(crate) struct Batcher {
	storage: Arc<dyn Storage>,
	registry: Arc<Registry>,
	settings: Batching,
	deferral: Arc<Deferral>,
	succession: Arc<Succession>,
	recovery: Recovery,
	notices: Arc<Notices>,
	/// Notified when there is something to sign.
	unsigned: Arc<Notify>,
	/// One at a time: two would take the same readings.
	turn: Mutex<()>,
}

/// What a round of batching did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Round {
	/// Batches made, those of meters that are not certified first.
	pub(crate) batches: Vec<BatchRow>,
	/// Meters with readings that cannot be batched yet: the chain could not be asked for them, or an
	/// earlier batch of theirs waits for a signature or a decision.
	pub(crate) waiting: u64,
	/// Why no batch of some meters could be made, the first reason; others had theirs.
	pub(crate) failed: Option<StoreError>,
}

/// What a batcher works with.
pub(crate) struct BatcherParts {
	/// Readings and batches.
	pub(crate) storage: Arc<dyn Storage>,
	/// Meters.
	pub(crate) registry: Arc<Registry>,
	/// When batches are closed.
	pub(crate) settings: Batching,
	/// Meters that have to wait after a refusal.
	pub(crate) deferral: Arc<Deferral>,
	/// Exchanged devices.
	pub(crate) succession: Arc<Succession>,
	/// Batches that are not here.
	pub(crate) recovery: Recovery,
	/// Notifies devices of what is dropped.
	pub(crate) notices: Arc<Notices>,
	/// Notified when there is something to sign.
	pub(crate) unsigned: Arc<Notify>,
}

/// A reading with what it says.
struct Parsed {
	reading: Reading,
	says: EnergyLog,
}

impl Batcher {
	/// Makes batches of what is in its storage.
	pub(crate) fn new(parts: BatcherParts) -> Self {
		Self {
			storage: parts.storage,
			registry: parts.registry,
			settings: parts.settings,
			deferral: parts.deferral,
			succession: parts.succession,
			recovery: parts.recovery,
			notices: parts.notices,
			unsigned: parts.unsigned,
			turn: Mutex::new(()),
		}
	}

	/// Makes the batches that are due; with `flush`, all that are possible. What goes wrong with one
	/// meter keeps no other from its batch.
	///
	/// # Errors
	/// [`StoreError`], when nothing can be read at all.
	pub(crate) async fn round(&self, flush: bool) -> Result<Round, StoreError> {
		let _turn = self.turn.lock().await;
		let now = now_ms();
		let pending = self.storage.pending().await?;
		let mut round = Round::default();
		let mut others = Vec::new();
		for pending in pending {
			let Some(known) = self.registry.by_row(pending.meter) else { continue };
			match &known.certification {
				Certification::None => others.push(pending),
				// What came before its sender had proved to be the device goes with the others.
				Certification::Certified(_) if !pending.trusted => others.push(pending),
				_ if !flush && !is_due(&self.settings, &pending, now) => (),
				Certification::Unknown => round.waiting = round.waiting.saturating_add(1),
				Certification::Certified(_) => {
					if let Err(error) = self.certified(&known, &mut round).await {
						tracing::error!(meter = %known.name, %error, "no batch can be made of it");
						round.failed.get_or_insert(error);
					}
				},
			}
		}
		if let Some(all) = together(&others)
			&& (flush || is_due(&self.settings, &all, now))
		{
			match self.others(flush).await {
				Ok(made) => drop(round.batches.splice(0..0, made)),
				Err(error) => {
					tracing::error!(%error, "no batch can be made of meters that are not certified");
					round.failed.get_or_insert(error);
				},
			}
		}
		if !round.batches.is_empty() {
			self.unsigned.notify_one();
		}
		Ok(round)
	}

	/// What keeps batches from being made, though no round has failed.
	pub(crate) fn trouble(&self) -> Option<String> {
		self.registry.trouble()
	}

	/// Batches of all meters that are not certified, together, in order of arrival.
	async fn others(&self, flush: bool) -> Result<Vec<BatchRow>, StoreError> {
		let mut made = Vec::new();
		loop {
			let mut apart = self.registry.certified();
			// Nobody knows yet what these are.
			apart.extend(self.registry.all().iter().filter_map(|known| {
				(known.certification == Certification::Unknown).then_some(known.row)
			}));
			let selection = Selection::Others(apart);
			let readings = self.storage.unbatched(selection, self.settings.max_readings).await?;
			if readings.is_empty() {
				return Ok(made);
			}
			let readings = within_bytes(readings, self.settings.max_bytes, Reading::body_len);
			let bounds = bounds(&readings);
			let Some(row) = self.storage.seal(sealed(readings, bounds, None)).await? else {
				return Ok(made);
			};
			made.push(row);
			// What is left is looked at the next time.
			if !flush {
				return Ok(made);
			}
		}
	}

	/// Batches of one certified meter.
	async fn certified(&self, known: &Arc<Known>, round: &mut Round) -> Result<(), StoreError> {
		self.succession.follow(known).await?;
		for _ in 0..ATTEMPTS {
			let Some((info, base)) = self.base(known).await? else {
				round.waiting = round.waiting.saturating_add(1);
				return Ok(());
			};
			let limit = self.settings.max_readings.saturating_add(1);
			let selection = Selection::Certified(known.row);
			let readings = self.storage.unbatched(selection, limit).await?;
			// After an older copy of the database: some may be in batches that the chain has.
			let now = self.registry.by_row(known.row);
			if self.recovery.missed(now.as_ref().unwrap_or(known), &readings).await? {
				continue;
			}
			let rules = self.registry.rules();
			let (parsed, mut condemned) = sort_out(known, readings, &info, &base, &rules);
			let (parsed, is_forced) = self.cut(parsed, &info, &rules);
			let closing = if condemned.is_empty() {
				closing(known, &info, &base, &parsed, &mut condemned)
			} else {
				None
			};
			if !condemned.is_empty() {
				self.condemn(known, condemned).await?;
				continue;
			}
			if parsed.is_empty() {
				return Ok(());
			}
			// A batch that is too short to be free could never be submitted: it waits for more.
			if length_ms(&parsed) < rules.min_free_ms && !is_forced {
				round.waiting = round.waiting.saturating_add(1);
				return Ok(());
			}
			let closing = closing.unwrap_or(base.opening);
			let parts = Parts { info: &info, base: &base, closing, is_forced };
			if let Some(row) = self.seal(known, &parts, parsed).await? {
				round.batches.push(row);
			} else {
				// Readings have come meanwhile: they are looked at in the next round.
				round.waiting = round.waiting.saturating_add(1);
			}
			// What is left waits until this one is signed.
			return Ok(());
		}
		round.waiting = round.waiting.saturating_add(1);
		Ok(())
	}

	/// Moves readings to the dead letters, and notifies their device.
	async fn condemn(&self, known: &Known, condemned: Condemned) -> Result<(), StoreError> {
		let (rows, struck): (Vec<_>, Vec<_>) = condemned
			.into_iter()
			.map(|(row, leaf, letter)| {
				let struck = (leaf, letter.reason.clone(), letter.detail.clone());
				((row, letter), struck)
			})
			.unzip();
		self.storage.condemn(rows).await?;
		for (leaf, reason, detail) in struck {
			self.notices.refused(&known.name, leaf, &reason, &detail);
		}
		Ok(())
	}

	/// Gives up a parked batch and its readings: they move to the dead letters, and its device strikes them.
	/// Later batches of the meter are rebuilt. Returns how many batches and readings that were.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn give_up(&self, batch: &Batch) -> Result<(u64, u64), StoreError> {
		let _turn = self.turn.lock().await;
		let Some(known) = batch.meter.and_then(|row| self.registry.by_row(row)) else {
			return Ok((0, 0));
		};
		let readings = self.storage.batch_readings(batch.row).await?;
		let batches = self.storage.dissolve(batch.row).await?;
		let given_up: Condemned = readings
			.into_iter()
			.map(|reading| {
				let detail = format!("{} was given up with its batch", reading_id(reading.row));
				condemned(&known, reading, "given_up", detail)
			})
			.collect();
		let count = u64::try_from(given_up.len()).unwrap_or(u64::MAX);
		self.condemn(&known, given_up).await?;
		self.deferral.agreed(known.row);
		Ok((batches, count))
	}

	/// What the next batch of a meter follows on; `None` while that is not known.
	async fn base(
		&self,
		known: &Arc<Known>,
	) -> Result<Option<(Arc<MeterInfo<AccountId>>, Base)>, StoreError> {
		if self.deferral.waits(known.row) {
			return Ok(None);
		}
		let last = self.storage.last_batch(known.row).await?;
		if last.as_ref().is_some_and(|last| last.state == BatchState::Unsigned) {
			return Ok(None);
		}
		// On a batch that is signed the next one can be built whatever the chain says by now.
		let is_signed = last.as_ref().is_some_and(|last| last.state == BatchState::Signed);
		// But after an older copy of the database the chain may be beyond it, and settles it soon.
		let next = known.info().map_or(0, |info| info.state.next_sequence);
		let is_behind = |part: &OnChain| part.header.sequence.saturating_add(1) < next;
		if is_signed && last.as_ref().and_then(|last| last.on_chain.as_ref()).is_some_and(is_behind)
		{
			return Ok(None);
		}
		let asked = if is_signed { Ok(known.clone()) } else { self.registry.fresh(known).await };
		let fresh = match asked {
			Ok(fresh) => fresh,
			Err(error) => {
				tracing::warn!(meter = %known.name, %error, "the chain cannot be asked");
				return Ok(None);
			},
		};
		let Some(info) = fresh.info().cloned() else { return Ok(None) };
		// Exchanged this very moment: what the old device has left is set aside first.
		let before = known.info().map(|info| info.certificate.device);
		if before.is_some_and(|device| device != info.certificate.device) {
			return Ok(None);
		}
		let parked = last.as_ref().filter(|last| last.state == BatchState::Parked);
		if let Some(parked) = parked {
			// An electrician has vouched for the meter again since, or the chain has another batch of
			// that number: it continues from there.
			let (floor_ms, next) = (info.state.floor_ms, info.state.next_sequence);
			let is_over =
				|part: &OnChain| part.header.start_ms < floor_ms || part.header.sequence < next;
			if !parked.on_chain.as_ref().is_some_and(is_over) {
				return Ok(None);
			}
			let base = Base::at(&info.state);
			let last_end_ms = base.last_end_ms.max(floor_ms);
			return Ok(Some((info, Base { last_end_ms, ..base })));
		}
		Ok(Base::after(&info.state, last.as_ref()).map(|base| (info, base)))
	}

	/// The longest beginning that may be one batch.
	fn cut(
		&self,
		mut parsed: Vec<Parsed>,
		info: &MeterInfo<AccountId>,
		rules: &BatchLimits,
	) -> (Vec<Parsed>, bool) {
		let bounds = Bounds {
			most: usize::try_from(self.settings.max_readings).unwrap_or(usize::MAX),
			max_bytes: self.settings.max_bytes,
			max_wh: self.registry.batch_wh(info.certificate.rated_power_w),
			min_free_ms: rules.min_free_ms,
			floor_ms: info.state.floor_ms,
		};
		let direction = info.certificate.direction;
		let pieces = parsed.iter().map(|Parsed { reading, says }| Piece {
			start_ms: reading.start_ms,
			end_ms: reading.end_ms,
			bytes: reading.body_len().saturating_add(1),
			exported_wh: match says.direction(direction) {
				Ok(Direction::Export) => says.counted().floor_wh().saturating_add(1),
				_ => 0,
			},
		});
		let Cut { count, is_forced } = bounds.cut(pieces);
		parsed.truncate(count);
		(parsed, is_forced)
	}

	async fn seal(
		&self,
		known: &Known,
		parts: &Parts<'_>,
		parsed: Vec<Parsed>,
	) -> Result<Option<BatchRow>, StoreError> {
		let Parts { info, base, closing, is_forced } = *parts;
		let readings: Vec<Reading> = parsed.into_iter().map(|one| one.reading).collect();
		let (start_ms, end_ms) = bounds(&readings);
		let mut batch = sealed(readings, (start_ms, end_ms), Some(known.row));
		batch.forced = is_forced;
		let header = BatchHeader {
			meter: info.index,
			sequence: base.sequence,
			previous: base.previous,
			start_ms,
			end_ms,
			opening: base.opening.shown(),
			closing: closing.shown(),
			readings: u32::try_from(batch.rows.len()).unwrap_or(u32::MAX),
			root: batch.root,
			cid: Some(batch.cid),
		};
		let state = base.state(&info.state);
		let max_wh = self.registry.batch_wh(info.certificate.rated_power_w);
		let refusal = match check_batch(&state, &header, now_ms(), &self.registry.rules()) {
			Ok(accepted) if accepted.minted_wh > max_wh => {
				Some(BatchRefusal::AboveLimits { max_wh })
			},
			Ok(_) => None,
			Err(refusal) => Some(refusal),
		};
		batch.on_chain = Some(OnChain { header, closing, signature: None });
		batch.device = Some(info.certificate.device);
		let Some(row) = self.storage.seal(batch).await? else { return Ok(None) };
		// Not even the device needs to be asked: the chain would refuse it permanently.
		if let Some(refusal) = refusal.filter(|refusal| !refusal.is_temporary()) {
			let reason = format!("{}: {refusal}", refusal.as_str());
			self.storage.settle(vec![Settled::Parked { row, reason }]).await?;
		}
		Ok(Some(row))
	}
}

/// What a batch is made with.
struct Parts<'a> {
	info: &'a MeterInfo<AccountId>,
	base: &'a Base,
	/// The registers at its end.
	closing: RunningRegisters,
	is_forced: bool,
}

/// The registers after these readings. A reading that a register cannot take any more is condemned.
fn closing(
	known: &Known,
	info: &MeterInfo<AccountId>,
	base: &Base,
	parsed: &[Parsed],
	condemned_too: &mut Condemned,
) -> Option<RunningRegisters> {
	let mut closing = base.opening;
	for Parsed { reading, says } in parsed {
		let direction = says.direction(info.certificate.direction).ok();
		let counted = says.counted();
		if direction.and_then(|direction| closing.add(direction, &counted)).is_none() {
			let detail = "the register cannot take it: the meter has to be exchanged".to_string();
			condemned_too.push(condemned(known, reading.clone(), "register_full", detail));
			return None;
		}
	}
	Some(closing)
}

/// The end of the batch before.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Base {
	sequence: u64,
	previous: H256,
	last_end_ms: u64,
	opening: RunningRegisters,
}

impl Base {
	/// After the last batch made here, or after what the chain has; `None` while the chain does not
	/// show yet what it has accepted.
	fn after(state: &MeterState, last: Option<&Batch>) -> Option<Self> {
		let own = last.and_then(|last| last.on_chain.as_ref().map(|part| (last.state, part)));
		match own {
			Some((BatchState::Signed, part)) => Some(Self::following(&part.header, part.closing)),
			Some((BatchState::Accepted, part)) if part.header.hash() == state.last_hash => {
				// An exchange of the meter since then has set other registers.
				let is_same = part.header.closing == state.registers;
				let opening = if is_same {
					part.closing
				} else {
					RunningRegisters::starting_at(state.registers)
				};
				Some(Self { opening, ..Self::following(&part.header, opening) })
			},
			Some((BatchState::Accepted, part)) if part.header.sequence >= state.next_sequence => {
				None
			},
			_ => Some(Self::at(state)),
		}
	}

	/// After what the chain has.
	fn at(state: &MeterState) -> Self {
		Self {
			sequence: state.next_sequence,
			previous: state.last_hash,
			last_end_ms: state.last_end_ms,
			opening: RunningRegisters::starting_at(state.registers),
		}
	}

	fn following(header: &BatchHeader, opening: RunningRegisters) -> Self {
		Self {
			sequence: header.sequence.saturating_add(1),
			previous: header.hash(),
			last_end_ms: header.end_ms,
			opening,
		}
	}

	/// The meter's state when the batch comes to the chain.
	fn state(&self, state: &MeterState) -> MeterState {
		MeterState {
			next_sequence: self.sequence,
			last_hash: self.previous,
			last_end_ms: self.last_end_ms,
			registers: self.opening.shown(),
			..*state
		}
	}
}

/// Readings on their way to the dead letters, with their leaves.
type Condemned = Vec<(ReadingRow, H256, NewDeadLetter)>;

fn condemned(
	known: &Known,
	reading: Reading,
	reason: &str,
	detail: String,
) -> (ReadingRow, H256, NewDeadLetter) {
	let letter = NewDeadLetter {
		at_ms: now_ms(),
		source: Source::BATCHING,
		topic: Topic::Readings.of(&known.name),
		reason: reason.to_string(),
		detail,
		payload: reading.body.into_bytes(),
	};
	(reading.row, reading.leaf, letter)
}

/// Readings that may go into a batch, and those that the certificate or the chain's last batch
/// forbids: they came before either was known.
fn sort_out(
	known: &Known,
	readings: Vec<Reading>,
	info: &MeterInfo<AccountId>,
	base: &Base,
	rules: &BatchLimits,
) -> (Vec<Parsed>, Condemned) {
	let (mut parsed, mut dropped) = (Vec::new(), Vec::new());
	for reading in readings {
		let outcome = match EnergyLog::parse(reading.body.as_bytes()) {
			Err(refusal) => Err((refusal.as_str(), refusal.to_string())),
			Ok(_) if reading.start_ms < base.last_end_ms => Err((
				"late",
				"begins before the end of the meter's last batch on chain".to_string(),
			)),
			Ok(says) => match check_certificate(&says, info, rules) {
				Ok(_) => Ok(says),
				Err(refusal) => Err((refusal.code(), refusal.to_string())),
			},
		};
		match outcome {
			Ok(says) => parsed.push(Parsed { reading, says }),
			Err((reason, detail)) => dropped.push(condemned(known, reading, reason, detail)),
		}
	}
	(parsed, dropped)
}

impl Reading {
	/// Bytes of its canonical JSON.
	fn body_len(&self) -> u64 {
		u64::try_from(self.body.len()).unwrap_or(u64::MAX)
	}
}

/// Time from the begin of the first to the end of the last, in milliseconds; 0 if there are none.
fn length_ms(parsed: &[Parsed]) -> u64 {
	let start_ms = parsed.iter().map(|one| one.reading.start_ms).min().unwrap_or_default();
	let end_ms = parsed.iter().map(|one| one.reading.end_ms).max().unwrap_or_default();
	end_ms.saturating_sub(start_ms)
}

/// Begin of the first and end of the last.
fn bounds(readings: &[Reading]) -> (u64, u64) {
	let start_ms = readings.iter().map(|reading| reading.start_ms).min();
	let end_ms = readings.iter().map(|reading| reading.end_ms).max();
	(start_ms.unwrap_or_default(), end_ms.unwrap_or_default())
}

/// The longest beginning whose file has at most so many bytes; at least one.
fn within_bytes<T>(mut items: Vec<T>, most: u64, length: impl Fn(&T) -> u64) -> Vec<T> {
	let mut bytes = 0u64;
	let fitting = items
		.iter()
		.take_while(|item| {
			bytes = bytes.saturating_add(length(item)).saturating_add(1);
			bytes <= most
		})
		.count();
	items.truncate(fitting.max(1));
	items
}

fn sealed(readings: Vec<Reading>, (start_ms, end_ms): (u64, u64), meter: Option<i64>) -> NewBatch {
	let leaves: Vec<H256> = readings.iter().map(|reading| reading.leaf).collect();
	NewBatch {
		created_ms: now_ms(),
		meter,
		rows: readings.iter().map(|reading| reading.row).collect(),
		root: merkle::root(&leaves),
		cid: Cid::of(&batch_file(readings.iter().map(|reading| reading.body.as_str()))),
		start_ms,
		end_ms,
		on_chain: None,
		device: None,
		forced: false,
	}
}

/// What waits of several meters, taken together.
fn together(pending: &[Pending]) -> Option<Pending> {
	pending.iter().copied().reduce(|one, other| Pending {
		meter: one.meter,
		trusted: false,
		count: one.count.saturating_add(other.count),
		oldest_ms: one.oldest_ms.min(other.oldest_ms),
		start_ms: one.start_ms.min(other.start_ms),
		end_ms: one.end_ms.max(other.end_ms),
	})
}

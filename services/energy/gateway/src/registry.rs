//! The meters, and what the chain says of them.

use crate::{
	ledger::{AccountId, ChainError, Ledger},
	storage::{MeterRow, Storage},
};
use gridproof_chain::pallets::meter_readings::Limits;
use gridproof_primitives::energy::{
	BatchHeader, BatchLimits, BatchRecord, MeterIndex, MeterInfo, MeterName,
};
use gridproof_store::StoreError;
use gridproof_support::{Lock, RwLock as _};
use std::{
	collections::{BTreeMap, HashMap},
	sync::{Arc, Mutex, RwLock},
	time::{Duration, Instant},
};
use tokio::{
	runtime::Handle,
	sync::{Mutex as Gate, Semaphore},
};

/// How long a message may wait for what the chain says of a meter never seen before.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// How many of these questions are under way at a time. Each takes some 200 kB until it is answered:
/// ten thousand meters that connect at the same time would take gigabytes.
const LOOKS: usize = 64;
/// For how long what the chain said of a meter is good enough to make a batch on.
const FRESH: Duration = Duration::from_secs(5);
/// Longest time for one question about a meter: a node that hangs must not hold up everybody.
const ANSWER: Duration = Duration::from_secs(10);
/// How long nobody asks again after a question that had no answer.
const AWAY: Duration = Duration::from_secs(5);
/// How long a question without an answer is shown as trouble; the next one says whether it lasts.
const SHOWN: Duration = Duration::from_secs(20);
/// Meters asked for at a time.
const PAGE: u32 = 1_000;

/// The certificate of a meter, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Certification {
	/// The chain could not be asked yet.
	Unknown,
	/// The chain does not know it, or no chain is followed.
	None,
	/// Certified.
	Certified(Arc<MeterInfo<AccountId>>),
}

/// A meter that has sent a reading.
#[derive(Clone, Debug)]
pub(crate) struct Known {
	/// Its row.
	pub(crate) row: MeterRow,
	/// Its name.
	pub(crate) name: MeterName,
	/// Its certificate.
	pub(crate) certification: Certification,
	asked: Option<Instant>,
}

impl Known {
	/// The certificate and state of a certified meter.
	pub(crate) fn info(&self) -> Option<&Arc<MeterInfo<AccountId>>> {
		match &self.certification {
			Certification::Certified(info) => Some(info),
			Certification::Unknown | Certification::None => None,
		}
	}
}

#[derive(Default)]
struct Meters {
	by_name: BTreeMap<MeterName, Arc<Known>>,
	by_row: HashMap<MeterRow, Arc<Known>>,
}

/// All meters that ever sent a reading.
pub(crate) struct Registry {
	storage: Arc<dyn Storage>,
	ledger: Option<Arc<dyn Ledger>>,
	/// Where questions to the chain run: MQTT has threads of its own, which must not wait.
	runtime: Handle,
	looks: Semaphore,
	meters: RwLock<Meters>,
	/// What governance has decided, as far as the chain was asked.
	limits: RwLock<Option<Limits>>,
	/// When the last question was over, and its failure if it had no answer: for a while others have the
	/// same.
	last: Mutex<Option<(Instant, Option<ChainError>)>>,
	/// Held by the question that finds out whether the node answers, when none did for a while.
	probe: Gate<()>,
}

impl Registry {
	/// Reads the meters from storage; the chain is asked later.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn open(
		storage: Arc<dyn Storage>,
		ledger: Option<Arc<dyn Ledger>>,
	) -> Result<Arc<Self>, StoreError> {
		let registry = Arc::new(Self {
			storage,
			ledger,
			runtime: Handle::current(),
			looks: Semaphore::new(LOOKS),
			meters: RwLock::default(),
			limits: RwLock::default(),
			last: Mutex::default(),
			probe: Gate::default(),
		});
		for (row, name) in registry.storage.meters().await? {
			registry.put(row, name, None);
		}
		Ok(registry)
	}

	fn put(&self, row: MeterRow, name: MeterName, answer: Option<Certification>) -> Arc<Known> {
		let mut meters = self.meters.writing();
		let before = meters.by_row.get(&row).map(|known| known.certification.clone());
		let otherwise =
			if self.ledger.is_some() { Certification::Unknown } else { Certification::None };
		let asked = answer.is_some().then(Instant::now);
		let certification = answer.or(before).unwrap_or(otherwise);
		let known = Arc::new(Known { row, name: name.clone(), certification, asked });
		meters.by_row.insert(row, known.clone());
		meters.by_name.insert(name, known.clone());
		known
	}

	/// The rules of a batch: the chain's, or those of a new chain while it could not be asked.
	pub(crate) fn rules(&self) -> BatchLimits {
		self.limits.reading().map_or_else(BatchLimits::default, |limits| limits.batch)
	}

	/// The most energy of a batch of a meter that the chain can ever mint, in Wh.
	pub(crate) fn batch_wh(&self, rated_power_w: u32) -> u64 {
		self.limits.reading().map_or(u64::MAX, |limits| limits.batch_wh(rated_power_w))
	}

	/// A meter by its row.
	pub(crate) fn by_row(&self, row: MeterRow) -> Option<Arc<Known>> {
		self.meters.reading().by_row.get(&row).cloned()
	}

	/// A meter by its name, if it ever sent a reading.
	pub(crate) fn by_name(&self, name: &MeterName) -> Option<Arc<Known>> {
		self.meters.reading().by_name.get(name).cloned()
	}

	/// All meters, in order of their rows.
	pub(crate) fn all(&self) -> Vec<Arc<Known>> {
		let meters = self.meters.reading();
		let mut all: Vec<_> = meters.by_row.values().cloned().collect();
		all.sort_by_key(|known| known.row);
		all
	}

	/// Rows of all certified meters.
	pub(crate) fn certified(&self) -> Vec<MeterRow> {
		let all = self.all();
		all.iter().filter(|known| known.info().is_some()).map(|known| known.row).collect()
	}

	/// A meter that sends a reading. One that was never seen gets a row, and the chain is asked for it;
	/// if that takes too long, it is asked again later.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn meet(self: &Arc<Self>, name: &MeterName) -> Result<Arc<Known>, StoreError> {
		if let Some(known) = self.by_name(name) {
			return Ok(known);
		}
		let row = self.storage.meter(name).await?;
		let known = self.put(row, name.clone(), None);
		if self.ledger.is_none() {
			return Ok(known);
		}
		let (registry, meter) = (self.clone(), known.clone());
		let asking = self.runtime.spawn(async move {
			let look = async {
				let _turn = registry.looks.acquire().await;
				// Boxed, so that who waits for a turn is small.
				Box::pin(registry.refresh(&meter)).await
			};
			tokio::time::timeout(FIRST_LOOK, look).await
		});
		match asking.await {
			Ok(Ok(Ok(fresh))) => Ok(fresh),
			_ => Ok(known),
		}
	}

	/// Asks the chain for a meter.
	///
	/// # Errors
	/// [`ChainError`]; what was known before stays.
	pub(crate) async fn refresh(&self, known: &Known) -> Result<Arc<Known>, ChainError> {
		let Some(ledger) = &self.ledger else {
			return Ok(self.put(known.row, known.name.clone(), Some(Certification::None)));
		};
		let answer = match self.ask(ledger.meter(&known.name)).await? {
			Some(info) => Certification::Certified(Arc::new(info)),
			None => Certification::None,
		};
		Ok(self.put(known.row, known.name.clone(), Some(answer)))
	}

	/// A batch that the chain has accepted, if it still keeps it.
	///
	/// # Errors
	/// [`ChainError`].
	pub(crate) async fn record(
		&self,
		meter: MeterIndex,
		sequence: u64,
	) -> Result<Option<BatchRecord>, ChainError> {
		match &self.ledger {
			Some(ledger) => self.ask(ledger.batch(meter, sequence)).await,
			None => Ok(None),
		}
	}

	/// Waits for an answer of the chain, but not long, and not at all for a while after one that did not
	/// come. When no answer came for a while, one question goes first and the others wait for what becomes
	/// of it: a node that hangs holds up one question, not one for each meter.
	async fn ask<T>(
		&self,
		question: impl Future<Output = Result<T, ChainError>>,
	) -> Result<T, ChainError> {
		self.is_away()?;
		let probe = if self.answers() { None } else { Some(self.probe.lock().await) };
		self.is_away()?;
		// Who waited while another found that the node answers need not go one by one.
		let _probe = probe.filter(|_| !self.answers());
		let asked = tokio::time::timeout(ANSWER, question).await;
		let asked = asked.unwrap_or_else(|_| {
			let message = format!("no answer within {} s", ANSWER.as_secs());
			Err(ChainError::Rpc { code: None, message })
		});
		*self.last.locked() = Some((Instant::now(), asked.as_ref().err().cloned()));
		asked
	}

	/// Why the chain cannot be asked, if the last question had no answer and was asked a moment ago.
	pub(crate) fn trouble(&self) -> Option<String> {
		let last = self.last.locked();
		let (at, error) = last.as_ref()?;
		let error = error.as_ref().filter(|_| at.elapsed() < SHOWN)?;
		Some(format!("the chain cannot be asked for meters: {error}"))
	}

	/// The failure of a moment ago.
	fn is_away(&self) -> Result<(), ChainError> {
		match &*self.last.locked() {
			Some((at, Some(error))) if at.elapsed() < AWAY => Err(error.clone()),
			_ => Ok(()),
		}
	}

	/// Whether an answer came a moment ago.
	fn answers(&self) -> bool {
		matches!(&*self.last.locked(), Some((at, None)) if at.elapsed() < AWAY)
	}

	/// As [`Registry::refresh`], but not if the chain said something of it in the last moments.
	///
	/// # Errors
	/// [`ChainError`].
	pub(crate) async fn fresh(&self, known: &Known) -> Result<Arc<Known>, ChainError> {
		match self.by_row(known.row) {
			Some(known) if known.asked.is_some_and(|asked| asked.elapsed() < FRESH) => Ok(known),
			_ => self.refresh(known).await,
		}
	}

	/// As [`Registry::fresh`], from any thread.
	///
	/// # Errors
	/// [`ChainError`].
	pub(crate) async fn look(self: &Arc<Self>, known: &Known) -> Result<Arc<Known>, ChainError> {
		let (registry, known) = (self.clone(), known.clone());
		let asking = self.runtime.spawn(async move { Box::pin(registry.fresh(&known)).await });
		asking.await.unwrap_or_else(|_| {
			Err(ChainError::Rpc { code: None, message: "the question broke off".to_string() })
		})
	}

	/// Notes that the chain has accepted a batch: its meter's state is known without asking.
	pub(crate) fn advanced(&self, row: MeterRow, header: &BatchHeader) {
		let Some(known) = self.by_row(row) else { return };
		let Some(info) = known.info() else { return };
		if info.state.next_sequence == header.sequence {
			let mut info = MeterInfo::clone(info);
			info.state.advance(header);
			self.put(row, known.name.clone(), Some(Certification::Certified(Arc::new(info))));
		}
	}

	/// Asks the chain for all its meters, a page at a time.
	///
	/// # Errors
	/// [`ChainError`].
	pub(crate) async fn refresh_all(&self) -> Result<(), ChainError> {
		let Some(ledger) = &self.ledger else { return Ok(()) };
		let limits = ledger.limits().await?;
		*self.limits.writing() = Some(limits);
		*self.last.locked() = Some((Instant::now(), None));
		let before = self.all();
		let mut certified = BTreeMap::new();
		let mut from = 0;
		loop {
			let page = ledger.meters(from, PAGE).await?;
			let meters = page.meters.into_iter();
			certified.extend(meters.map(|info| (info.certificate.name.clone(), info)));
			match page.next {
				Some(next) => from = next,
				None => break,
			}
		}
		for known in before {
			let answer = match certified.remove(&known.name) {
				Some(info) => Certification::Certified(Arc::new(info)),
				None => Certification::None,
			};
			// What was learnt of it meanwhile is newer than this page.
			if self.by_row(known.row).is_some_and(|now| now.asked == known.asked) {
				self.put(known.row, known.name.clone(), Some(answer));
			}
		}
		Ok(())
	}
}

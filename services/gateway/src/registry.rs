//! Which meters there are, and what the chain says of them.

use crate::{
	ledger::{AccountId, Failure, Ledger},
	storage::{MeterRow, Storage, StoreFault},
};
use futures::{StreamExt, stream};
use gridproof_primitives::meter::{MeterInfo, MeterName};
use std::{
	collections::{BTreeMap, HashMap},
	sync::{Arc, PoisonError, RwLock},
	time::{Duration, Instant},
};
use tokio::runtime::Handle;

/// How long a message may wait for what the chain says of a meter never seen before.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// Questions to the chain at a time.
const QUESTIONS: usize = 16;

/// What is known of a meter's certificate.
#[derive(Clone, Debug, PartialEq)]
pub enum Certification {
	/// The chain could not be asked yet.
	Unknown,
	/// The chain does not know it, or no chain is followed.
	None,
	/// Certified.
	Certified(Arc<MeterInfo<AccountId>>),
}

/// A meter.
#[derive(Clone, Debug)]
pub struct Known {
	/// Its row.
	pub row: MeterRow,
	/// Its name.
	pub name: MeterName,
	/// What the chain says of it.
	pub certification: Certification,
	asked: Option<Instant>,
}

impl Known {
	/// What the chain says, if it is certified.
	pub fn info(&self) -> Option<&Arc<MeterInfo<AccountId>>> {
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

/// All meters that ever sent a log.
pub struct Registry {
	storage: Arc<dyn Storage>,
	ledger: Option<Arc<dyn Ledger>>,
	/// Where questions to the chain run: MQTT has threads of its own, which must not wait.
	runtime: Handle,
	meters: RwLock<Meters>,
}

impl Registry {
	/// Reads the meters from storage; the chain is asked later.
	///
	/// # Errors
	/// [`StoreFault`].
	pub async fn open(
		storage: Arc<dyn Storage>,
		ledger: Option<Arc<dyn Ledger>>,
	) -> Result<Arc<Self>, StoreFault> {
		let registry = Arc::new(Self {
			storage,
			ledger,
			runtime: Handle::current(),
			meters: RwLock::default(),
		});
		for (row, name) in registry.storage.meters().await? {
			registry.put(row, name, None);
		}
		Ok(registry)
	}

	fn put(&self, row: MeterRow, name: MeterName, answer: Option<Certification>) -> Arc<Known> {
		let mut meters = self.meters.write().unwrap_or_else(PoisonError::into_inner);
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

	/// A meter by its row.
	pub fn by_row(&self, row: MeterRow) -> Option<Arc<Known>> {
		self.meters.read().unwrap_or_else(PoisonError::into_inner).by_row.get(&row).cloned()
	}

	/// A meter by its name, if it ever sent a log.
	pub fn by_name(&self, name: &MeterName) -> Option<Arc<Known>> {
		self.meters.read().unwrap_or_else(PoisonError::into_inner).by_name.get(name).cloned()
	}

	/// All meters, in order of their rows.
	pub fn all(&self) -> Vec<Arc<Known>> {
		let meters = self.meters.read().unwrap_or_else(PoisonError::into_inner);
		let mut all: Vec<_> = meters.by_row.values().cloned().collect();
		all.sort_by_key(|known| known.row);
		all
	}

	/// Rows of all certified meters.
	pub fn certified(&self) -> Vec<MeterRow> {
		let all = self.all();
		all.iter().filter(|known| known.info().is_some()).map(|known| known.row).collect()
	}

	/// A meter that sends a log. One that was never seen gets a row, and the chain is asked for it;
	/// if that takes too long, it is asked again later.
	///
	/// # Errors
	/// [`StoreFault`].
	pub async fn meet(self: &Arc<Self>, name: &MeterName) -> Result<Arc<Known>, StoreFault> {
		if let Some(known) = self.by_name(name) {
			return Ok(known);
		}
		let row = self.storage.meter(name).await?;
		let known = self.put(row, name.clone(), None);
		if self.ledger.is_none() {
			return Ok(known);
		}
		let (registry, meter) = (self.clone(), known.clone());
		let asking = self
			.runtime
			.spawn(async move { tokio::time::timeout(FIRST_LOOK, registry.refresh(&meter)).await });
		match asking.await {
			Ok(Ok(Ok(fresh))) => Ok(fresh),
			_ => Ok(known),
		}
	}

	/// Asks the chain for a meter.
	///
	/// # Errors
	/// [`Failure`]; what was known before stays.
	pub async fn refresh(&self, known: &Known) -> Result<Arc<Known>, Failure> {
		let Some(ledger) = &self.ledger else {
			return Ok(self.put(known.row, known.name.clone(), Some(Certification::None)));
		};
		let answer = match ledger.meter(&known.name).await? {
			Some(info) => Certification::Certified(Arc::new(info)),
			None => Certification::None,
		};
		Ok(self.put(known.row, known.name.clone(), Some(answer)))
	}

	/// Asks the chain for all meters that it was not asked for since `age`, several at a time.
	/// Stops at the first failure.
	///
	/// # Errors
	/// [`Failure`].
	pub async fn refresh_older(&self, age: Duration) -> Result<(), Failure> {
		let due: Vec<_> = self
			.all()
			.into_iter()
			.filter(|known| known.asked.is_none_or(|asked| asked.elapsed() >= age))
			.collect();
		let mut answers = stream::iter(due)
			.map(|known| async move { self.refresh(&known).await.map(drop) })
			.buffer_unordered(QUESTIONS);
		while let Some(answer) = answers.next().await {
			answer?;
		}
		Ok(())
	}
}

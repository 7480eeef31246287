//! Anchors of all batches that a gateway has settled: one transaction for all that came since the last.
//!
//! A folder keeps two files for each set of batches: `000001.set.json`, which batches, written once;
//! and `000001.json`, an anchor's [`Record`] as of any other root. Everything is on disk before anybody
//! else learns of it: the set before its transaction is made, the transaction before it is sent, and
//! what was reported after the gateway has it on disk. So a crash anywhere leaves work to be
//! repeated, and repeating it does no harm: no batch is in two sets, none is left out, and a set has one
//! transaction, or replacements of it that spend the same coins.

mod folder;
mod follow;
mod reports;
mod settings;

use crate::{
	AnchorError, AnchorStatus, Record,
	batch_set::{BatchSet, MAX_BATCHES, Member},
	lock::{Held, lock},
	progress::Progress,
};
use futures::future::BoxFuture;
pub use settings::{DailySettings, Payer};

use folder::Folder;
use gridproof_gateway_api::{BatchState, BatchView, Client, ListBatches};
use gridproof_support::{Backoff, Classified, Clock, FailureKind, Stop, supervision};
use serde::Serialize;
use std::{collections::BTreeSet, path::Path, time::Duration};

/// Pauses after something that failed and may succeed later.
const PATIENCE: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(600));

/// A set with the state of its anchor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
	/// Number of the set in its folder, from 1.
	pub number: u32,
	/// Number of its batches.
	pub batches: usize,
	/// Root over their roots: 64 hexadecimal digits.
	pub root: String,
	/// How far its anchor is.
	pub state: AnchorStatus,
	/// Id of its transaction, once there is one.
	pub txid: Option<String>,
	/// Confirmations when it was last looked at.
	pub confirmations: u32,
	/// File of its record, for `anchor verify` and the other commands.
	pub record: String,
}

/// Anchors a gateway's batches, alone in its folder.
#[derive(Debug)]
pub struct Daily {
	settings: DailySettings,
	/// None: everything is and stays simulated.
	payer: Option<Payer>,
	gateway: Client,
	clock: Clock,
	folder: Folder,
	_alone: Held,
}

impl Daily {
	/// Takes the folder. Without a payer, every anchor is a rehearsal.
	///
	/// # Errors
	/// [`AnchorError::Busy`] when another program has the folder; [`AnchorError::File`].
	pub fn open(
		settings: DailySettings,
		payer: Option<Payer>,
		gateway: Client,
		clock: Clock,
	) -> Result<Self, AnchorError> {
		let folder = Folder::open(&settings.folder)?;
		let alone = lock(&settings.folder.join("daily"))?;
		Ok(Self { settings, payer, gateway, clock, folder, _alone: alone })
	}

	/// Looks at all sets that are not done; makes a new one of all batches that are in none, if the last
	/// one is at least `every` old. Returns the state of each of these.
	///
	/// A set that fails does not delay the others; the first error is returned in the end.
	///
	/// # Errors
	/// [`AnchorError`]. Whether it may succeed later, [`Classified`] says.
	pub async fn pass(&self, every: Duration, stop: &Stop) -> Result<Vec<Standing>, AnchorError> {
		let numbers = self.folder.numbers()?;
		let (mut open, mut is_due) = (Vec::new(), true);
		for number in &numbers {
			let record = self.folder.record(*number)?;
			is_due = record.as_ref().is_some_and(|record| self.is_over(record, every));
			if !record.as_ref().is_some_and(is_done) {
				open.push(*number);
			}
		}
		let (mut standing, mut first) = (Vec::new(), None);
		for number in &open {
			if stop.is_stopped() {
				return Ok(standing);
			}
			match self.advance(*number, stop).await {
				Ok(stands) => standing.push(stands),
				Err(error) => {
					tracing::warn!(event = "anchor_set_waits", number, %error, "it is tried again");
					first = first.or(Some(error));
				},
			}
		}
		// What waits for its transaction can wait with more, instead of in several.
		if is_due && !stop.is_stopped() && self.all_are_made(&open)? {
			let number = numbers.last().map_or(1, |last| last.saturating_add(1));
			match self.gather(number, &open).await {
				Ok(false) => (),
				Ok(true) => match self.advance(number, stop).await {
					Ok(stands) => standing.push(stands),
					Err(error) => first = first.or(Some(error)),
				},
				Err(error) => first = first.or(Some(error)),
			}
		}
		first.map_or(Ok(standing), Err)
	}

	/// Works until it is to stop: looks at what is under way every `look`, and makes a new set every
	/// `every`. What may succeed later is tried again, less and less often.
	///
	/// # Errors
	/// What nobody but the operator can change: a file that cannot be read, another network, refused
	/// credentials.
	pub fn run<'a>(
		&'a self,
		every: Duration,
		look: Duration,
		stop: &'a Stop,
	) -> BoxFuture<'a, Result<(), AnchorError>> {
		Box::pin(async move {
			tokio::spawn(supervision::report(stop.clone(), || None));
			let mut pauses = PATIENCE.pauses();
			while !stop.is_stopped() {
				let pause = match self.pass(every, stop).await {
					Ok(_) => {
						pauses.reset();
						look
					},
					Err(error) if needs_its_operator(&error) => return Err(error),
					Err(error) => {
						let pause = pauses.next_pause();
						tracing::warn!(event = "anchors_wait", %error, ?pause, "trying again");
						pause
					},
				};
				stop.pause(pause).await;
			}
			Ok(())
		})
	}

	/// Is the last set, which this record is of, old enough for another one?
	fn is_over(&self, record: &Record, every: Duration) -> bool {
		let made_ms = record.progress.as_ref().map_or(0, |progress| progress.made_ms);
		let every = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
		self.clock.now_ms() >= made_ms.saturating_add(every)
	}

	/// Has each of these sets a transaction, sent or not, or none for ever?
	fn all_are_made(&self, open: &[u32]) -> Result<bool, AnchorError> {
		for number in open {
			let record = self.folder.record(*number)?;
			let is_made = record.is_some_and(|record| {
				record.transaction().is_some() || record.state() == AnchorStatus::Simulated
			});
			if !is_made {
				return Ok(false);
			}
		}
		Ok(true)
	}

	/// Keeps a new set of all settled batches that have no anchor and are in no set; `false` if there are
	/// none.
	async fn gather(&self, number: u32, open: &[u32]) -> Result<bool, AnchorError> {
		let mut found = self.settled(AnchorStatus::Pending).await?;
		if self.payer.is_some() {
			// A rehearsal does not spare the real one.
			found.extend(self.settled(AnchorStatus::Simulated).await?);
		}
		// What the gateway has no report of yet, or lists twice, is in a set all the same.
		let mut taken = BTreeSet::new();
		for number in open {
			let members = BatchSet::load(&self.folder.set_path(*number))?.batches;
			taken.extend(members.into_iter().map(|member| member.id));
		}
		found.retain(|batch| taken.insert(batch.id.clone()));
		let members: Vec<Member> =
			found.into_iter().filter_map(Member::of).take(MAX_BATCHES).collect();
		let made_ms = self.clock.now_ms();
		let Some(set) = BatchSet::of(self.gateway.url(), made_ms, members)? else {
			return Ok(false);
		};
		set.create(&self.folder.set_path(number))?;
		tracing::info!(event = "anchor_set_made", number, batches = set.batches.len(), "a new set");
		Ok(true)
	}

	async fn settled(&self, anchor: AnchorStatus) -> Result<Vec<BatchView>, AnchorError> {
		let chosen = ListBatches {
			status: Some(BatchState::Accepted),
			anchor: Some(anchor),
			..ListBatches::default()
		};
		Ok(self.gateway.batches(&chosen).await?)
	}

	/// Takes one set as far as it can be taken now.
	async fn advance(&self, number: u32, stop: &Stop) -> Result<Standing, AnchorError> {
		let (path, set) = (self.folder.record_path(number), self.folder.set_path(number));
		// The commands for single anchors may be at the same record.
		let _alone = lock(&path)?;
		let mut record = match self.folder.record(number)? {
			Some(record) => record,
			None => self.begin(&path, &BatchSet::load(&set)?)?,
		};
		if record.network()? != self.settings.network {
			return Err(AnchorError::file(&path, "it is of another Bitcoin network"));
		}
		if let Some(payer) = &self.payer
			&& record.state() != AnchorStatus::Simulated
		{
			follow::follow(payer, &self.settings, &path, &mut record).await?;
		}
		reports::report(&self.gateway, &set, &path, &mut record, stop).await?;
		Ok(Standing {
			number,
			batches: record.progress.as_ref().map_or(0, |progress| progress.batches),
			root: crate::commitment::root_text(&record.root()?),
			state: record.state(),
			txid: record.txid().map(|txid| txid.to_string()),
			confirmations: record.confirmations(),
			record: path.display().to_string(),
		})
	}

	/// A record without a transaction.
	fn begin(&self, path: &Path, set: &BatchSet) -> Result<Record, AnchorError> {
		let root = set.root()?;
		let mut record = match self.payer {
			Some(_) => Record::new(&root, self.settings.network),
			None => Record::simulated(&root, self.settings.network),
		};
		let (batches, made_ms) = (set.batches.len(), set.made_ms);
		record.progress = Some(Progress { batches, made_ms, ..Progress::default() });
		record.save(path)?;
		Ok(record)
	}
}

/// Is nothing left to do: confirmed or simulated, and reported?
fn is_done(record: &Record) -> bool {
	let reported = record.progress.as_ref().and_then(|progress| progress.reported.as_ref());
	matches!(record.state(), AnchorStatus::Confirmed | AnchorStatus::Simulated)
		&& reported.is_some_and(|reported| reported.state == record.state())
}

/// Is it nothing that time or a server heals?
fn needs_its_operator(error: &AnchorError) -> bool {
	matches!(error, AnchorError::File { .. }) || error.failure().kind == FailureKind::Usage
}

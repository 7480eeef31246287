//! From a message to a reading that is kept, or to a dead letter that says why not.

use crate::{
	config::MAX_MESSAGE_BYTES,
	message::{Message, Sender, Source},
	metrics::Metrics,
	notices::Notices,
	refusal::{IngestError, IngestRefusal},
	registry::{Certification, Known, Registry},
	short::expand,
	storage::{Flow, NewDeadLetter, NewReading, ReadingRow, Storage, Stored},
	succession::Succession,
};
use gridproof_primitives::{
	H256,
	crypto::merkle,
	energy::{
		BatchLimits, Direction, MeterInfo, Topic,
		emlog::{self, EnergyLog, LogRefusal},
		max_energy_wh,
	},
	num::units::MILLIS_PER_DAY,
};
use gridproof_store::StoreError;
use gridproof_support::clock::now_ms;
use std::sync::Arc;

/// Longest interval of a reading whose sender has proved to be the device: the difference over a long
/// outage is one reading.
const MAX_PROVEN_MS: u64 = 31 * MILLIS_PER_DAY;
/// Longest interval of any other: it takes time that others may want.
const MAX_UNPROVEN_MS: u64 = MILLIS_PER_DAY;

/// A reading that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
	/// Its row.
	pub row: ReadingRow,
	/// Its leaf hash.
	pub leaf: H256,
	/// Its canonical JSON.
	pub body: String,
	/// Whether it had been kept before.
	pub again: bool,
}

/// Takes readings.
pub struct Ingest {
	storage: Arc<dyn Storage>,
	registry: Arc<Registry>,
	metrics: Arc<Metrics>,
	succession: Arc<Succession>,
	notices: Arc<Notices>,
	max_ahead_ms: u64,
}

/// The direction of a reading's energy, if its meter's certificate allows the reading.
///
/// # Errors
/// [`IngestRefusal::TooMuchEnergy`], or a direction that is not certified. Readings of a suspended
/// meter are taken: they mint nothing, and its device has them on its list.
pub(crate) fn check_certificate<A>(
	reading: &EnergyLog,
	info: &MeterInfo<A>,
	rules: &BatchLimits,
) -> Result<Flow, IngestRefusal> {
	let direction = reading.direction(info.certificate.direction).map_err(IngestRefusal::Log)?;
	let max_wh = max_energy_wh(
		info.certificate.rated_power_w,
		reading.end_ms.saturating_sub(reading.start_ms),
		rules.tolerance_ppt,
	);
	if u128::from(reading.counted().floor_wh()) > max_wh {
		let max_wh = u64::try_from(max_wh).unwrap_or(u64::MAX);
		return Err(IngestRefusal::TooMuchEnergy { max_wh });
	}
	Ok(match direction {
		Direction::Import => Flow::Import,
		Direction::Export | Direction::Generation => Flow::Export,
		Direction::Both => Flow::Unknown,
	})
}

/// The direction of its energy that a reading states.
fn tagged(reading: &EnergyLog) -> Result<Flow, IngestRefusal> {
	match reading.direction(Direction::Both) {
		Ok(Direction::Import) => Ok(Flow::Import),
		Ok(Direction::Export | Direction::Generation) => Ok(Flow::Export),
		Ok(Direction::Both) | Err(LogRefusal::NoDirection) => Ok(Flow::Unknown),
		Err(refusal) => Err(IngestRefusal::Log(refusal)),
	}
}

impl Ingest {
	/// Keeps readings in `storage` whose interval ends at most `max_ahead_ms` in the future.
	pub(crate) fn new(
		storage: Arc<dyn Storage>,
		registry: Arc<Registry>,
		metrics: Arc<Metrics>,
		succession: Arc<Succession>,
		notices: Arc<Notices>,
		max_ahead_ms: u64,
	) -> Self {
		Self { storage, registry, metrics, succession, notices, max_ahead_ms }
	}

	/// Takes a reading. When this returns, the reading or its dead letter is durable, or
	/// [`IngestError::Store`] says that nothing is. With `wait`, waits while too much is to be
	/// written.
	///
	/// # Errors
	/// [`IngestError::Refused`] when it must not be sent again, [`IngestError::Store`] when it has to
	/// be.
	pub async fn take(&self, message: &Message<'_>, wait: bool) -> Result<Taken, IngestError> {
		match self.try_take(message, wait).await {
			Err(IngestError::Refused(refusal)) => {
				self.refuse(message, &refusal).await?;
				self.notify(message, &refusal);
				Err(IngestError::Refused(refusal))
			},
			Ok(taken) => {
				self.metrics.taken(message.source, taken.again);
				Ok(taken)
			},
			error => error,
		}
	}

	/// Notifies the device that has sent a reading that it is not kept: it strikes it from its list.
	fn notify(&self, message: &Message<'_>, refusal: &IngestRefusal) {
		if !message.is_topic {
			return;
		}
		let Some((Topic::Readings, name)) = Topic::parse(message.place) else { return };
		if message.sender.is(name.site(), name.device()) {
			// A device writes canonical form; what cannot be read has the leaf of its bytes.
			let leaf = match parse(message) {
				Ok(reading) => reading.leaf_hash(),
				Err(_) => merkle::leaf_hash(message.payload),
			};
			self.notices.refused(&name, leaf, refusal.code(), &refusal.to_string());
		}
	}

	async fn try_take(&self, message: &Message<'_>, wait: bool) -> Result<Taken, IngestError> {
		let reading = parse(message)?;
		let received_ms = now_ms();
		reading.check_time(received_ms, self.max_ahead_ms).map_err(IngestRefusal::Log)?;
		let mut known = self.registry.meet(&reading.name).await?;
		loop {
			let (flow, trusted) = judge(message, &reading, &known, &self.registry.rules())?;
			let earliest_ms = match known.info() {
				Some(info) if trusted => info.state.last_end_ms,
				_ => 0,
			};
			let leaf = reading.leaf_hash();
			let new = NewReading {
				meter: known.row,
				start_ms: reading.start_ms,
				end_ms: reading.end_ms,
				received_ms,
				flow,
				trusted,
				earliest_ms,
				leaf,
				body: reading.canonical().to_string(),
			};
			let body = new.body.clone();
			if trusted && self.succession.is_retired(&known, reading.start_ms, &body).await? {
				return Err(IngestRefusal::Predecessor.into());
			}
			let refusal = match self.storage.store(new, wait).await? {
				Stored::New(row) => return Ok(Taken { row, leaf, body, again: false }),
				Stored::Again(row) => return Ok(Taken { row, leaf, body, again: true }),
				Stored::Overlap(row) => IngestRefusal::Overlap(row),
				Stored::Late { sealed_ms } => IngestRefusal::Late { sealed_ms },
			};
			// The device before an exchange that the gateway has not heard of has that time.
			match self.exchanged(&known, trusted).await? {
				Some(fresh) => known = fresh,
				None => return Err(refusal.into()),
			}
		}
	}

	/// Asks the chain whether a certified meter has another device than the gateway knows; what the
	/// one before has left is set aside then. `None` if nothing has changed.
	async fn exchanged(
		&self,
		known: &Known,
		trusted: bool,
	) -> Result<Option<Arc<Known>>, StoreError> {
		let Some(before) = known.info().filter(|_| trusted) else { return Ok(None) };
		let fresh = match self.registry.look(known).await {
			Ok(fresh) => fresh,
			Err(_) => return Ok(None),
		};
		let is_new =
			fresh.info().is_some_and(|info| info.certificate.device != before.certificate.device);
		let Some((_, has_retired)) = self.succession.follow(&fresh).await? else {
			return Ok(None);
		};
		Ok((is_new || has_retired).then_some(fresh))
	}

	/// Keeps a message that is refused.
	///
	/// # Errors
	/// [`StoreError`] when it has to be sent again.
	pub async fn refuse(
		&self,
		message: &Message<'_>,
		refusal: &IngestRefusal,
	) -> Result<(), StoreError> {
		let (code, detail) = (refusal.code(), refusal.to_string());
		self.bury(message.source, message.place, code, detail, message.payload).await
	}

	/// Keeps anything else that is refused, with where it came and the reason in one word and in a
	/// sentence.
	///
	/// # Errors
	/// [`StoreError`] when it has to be sent again.
	pub async fn bury(
		&self,
		source: Source,
		place: &str,
		reason: &str,
		detail: String,
		payload: &[u8],
	) -> Result<(), StoreError> {
		self.metrics.refused(source, reason);
		tracing::debug!(%source, place, reason, "refused");
		let most = usize::try_from(MAX_MESSAGE_BYTES).unwrap_or(usize::MAX);
		self.storage
			.bury(NewDeadLetter {
				at_ms: now_ms(),
				source,
				topic: place.chars().take(512).collect(),
				reason: reason.to_string(),
				detail,
				payload: payload.iter().copied().take(most).collect(),
			})
			.await
	}
}

/// The direction of a reading's energy, and whether its sender has proved to be the device, if the
/// reading fits its sender and its certificate.
fn judge(
	message: &Message<'_>,
	reading: &EnergyLog,
	known: &Known,
	rules: &BatchLimits,
) -> Result<(Flow, bool), IngestRefusal> {
	let proven = message.sender.is(reading.name.site(), reading.name.device());
	if !proven && *message.sender != Sender::Nobody {
		return Err(IngestRefusal::WrongDevice);
	}
	let max_ms = if proven { MAX_PROVEN_MS } else { MAX_UNPROVEN_MS };
	if reading.end_ms.saturating_sub(reading.start_ms) > max_ms {
		return Err(IngestRefusal::TooLong { max_ms });
	}
	// While the chain could not be asked, every meter may be certified.
	let may_be_certified = known.certification != Certification::None;
	match known.info() {
		_ if may_be_certified && !proven => Err(IngestRefusal::Unproven),
		Some(info) => check_certificate(reading, info, rules).map(|flow| (flow, proven)),
		None => tagged(reading).map(|flow| (flow, proven)),
	}
}

/// A byte order mark, which some editors put at the start of a file.
const MARK: &[u8] = b"\xef\xbb\xbf";

fn parse(message: &Message<'_>) -> Result<EnergyLog, IngestRefusal> {
	let payload = message.payload.strip_prefix(MARK).unwrap_or(message.payload);
	if !message.is_topic {
		return EnergyLog::parse(payload).map_err(IngestRefusal::Log);
	}
	let named = match Topic::parse(message.place) {
		Some((Topic::Readings, name)) => Some(name),
		_ => None,
	};
	let expanded = named.as_ref().and_then(|name| expand(payload, name));
	let reading = match expanded {
		Some(value) => EnergyLog::from_value(&value),
		None => EnergyLog::parse(payload),
	};
	let reading = reading.map_err(IngestRefusal::Log)?;
	emlog::check_topic(message.place, &reading).map_err(IngestRefusal::Log)?;
	Ok(reading)
}

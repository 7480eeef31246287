//! From a message to a reading that is kept, or to a dead letter that says why not.

use crate::{
	config::MAX_MESSAGE_BYTES,
	message::{Message, Sender, Source},
	metrics::Metrics,
	refusal::{IngestError, IngestRefusal},
	registry::{Known, Registry},
	short::expand,
	storage::{Flow, NewDeadLetter, NewReading, ReadingRow, Storage, Stored},
};
use gridproof_primitives::{
	H256,
	energy::{
		BatchLimits, Direction, MeterInfo, Topic,
		emlog::{self, EnergyLog, LogRefusal},
		max_energy_wh,
	},
};
use gridproof_store::StoreError;
use gridproof_support::clock::now_ms;
use std::sync::Arc;

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
	max_ahead_ms: u64,
}

/// The direction of a reading's energy, if its meter's certificate allows the reading.
///
/// # Errors
/// [`IngestRefusal::Suspended`], [`IngestRefusal::TooMuchEnergy`], or a direction that is not
/// certified.
pub(crate) fn check_certificate<A>(
	reading: &EnergyLog,
	info: &MeterInfo<A>,
	rules: &BatchLimits,
) -> Result<Flow, IngestRefusal> {
	if info.suspended.is_some() {
		return Err(IngestRefusal::Suspended);
	}
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
		Direction::Export => Flow::Export,
		Direction::Both => Flow::Unknown,
	})
}

/// The direction of its energy that a reading states.
fn tagged(reading: &EnergyLog) -> Result<Flow, IngestRefusal> {
	match reading.direction(Direction::Both) {
		Ok(Direction::Import) => Ok(Flow::Import),
		Ok(Direction::Export) => Ok(Flow::Export),
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
		max_ahead_ms: u64,
	) -> Self {
		Self { storage, registry, metrics, max_ahead_ms }
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
				Err(IngestError::Refused(refusal))
			},
			Ok(taken) => {
				self.metrics.taken(message.source, taken.again);
				Ok(taken)
			},
			error => error,
		}
	}

	async fn try_take(&self, message: &Message<'_>, wait: bool) -> Result<Taken, IngestError> {
		let reading = parse(message)?;
		let received_ms = now_ms();
		reading.check_time(received_ms, self.max_ahead_ms).map_err(IngestRefusal::Log)?;
		let known = self.registry.meet(&reading.name).await?;
		let (flow, trusted) = judge(message, &reading, &known, &self.registry.rules())?;
		let leaf = reading.leaf_hash();
		let new = NewReading {
			meter: known.row,
			start_ms: reading.start_ms,
			end_ms: reading.end_ms,
			received_ms,
			flow,
			trusted,
			leaf,
			body: reading.canonical().to_string(),
		};
		let body = new.body.clone();
		match self.storage.store(new, wait).await? {
			Stored::New(row) => Ok(Taken { row, leaf, body, again: false }),
			Stored::Again(row) => Ok(Taken { row, leaf, body, again: true }),
			Stored::Overlap(row) => Err(IngestRefusal::Overlap(row).into()),
			Stored::Late { sealed_ms } => Err(IngestRefusal::Late { sealed_ms }.into()),
		}
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
	match known.info() {
		Some(_) if !proven => Err(IngestRefusal::Unproven),
		Some(info) => check_certificate(reading, info, rules).map(|flow| (flow, proven)),
		None => tagged(reading).map(|flow| (flow, proven)),
	}
}

fn parse(message: &Message<'_>) -> Result<EnergyLog, IngestRefusal> {
	if !message.is_topic {
		return EnergyLog::parse(message.payload).map_err(IngestRefusal::Log);
	}
	let named = match Topic::parse(message.place) {
		Some((Topic::Readings, name)) => Some(name),
		_ => None,
	};
	let expanded = named.as_ref().and_then(|name| expand(message.payload, name));
	let reading = match expanded {
		Some(value) => EnergyLog::from_value(&value),
		None => EnergyLog::parse(message.payload),
	};
	let reading = reading.map_err(IngestRefusal::Log)?;
	emlog::check_topic(message.place, &reading).map_err(IngestRefusal::Log)?;
	Ok(reading)
}

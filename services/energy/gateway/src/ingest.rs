//! From a message to a log that is kept, or to a dead letter that says why not.

use crate::{
	config::MAX_MESSAGE_BYTES,
	metrics::Metrics,
	registry::{Known, Registry},
	short::expand,
	storage::{DeadLetter, Flow, NewReading, ReadingRow, Storage, StoreFault, Stored},
};
use gridproof_primitives::{
	H256,
	emlog::{self, EnergyLog, LogRefusal},
	meter::{BatchLimits, Direction, MeterInfo, Topic, max_energy_wh},
};
use std::{
	sync::Arc,
	time::{SystemTime, UNIX_EPOCH},
};

/// Now, in UTC milliseconds.
pub fn now_ms() -> u64 {
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Over what a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
	/// The embedded MQTT server.
	Mqtt,
	/// An external MQTT broker.
	Broker,
	/// The HTTP API.
	Http,
}

impl Source {
	/// As it is stored and shown.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Mqtt => "mqtt",
			Self::Broker => "broker",
			Self::Http => "http",
		}
	}
}

/// Who sent a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
	/// The device of this site and id, which has proved it.
	Device {
		/// Its site.
		site: String,
		/// Its id.
		device: String,
	},
	/// Whoever may speak for every device.
	Anyone,
	/// Nobody knows who.
	Nobody,
}

impl Sender {
	/// May it speak for this device?
	pub fn is(&self, site: &str, device: &str) -> bool {
		match self {
			Self::Device { site: own_site, device: own } => own_site == site && own == device,
			Self::Anyone => true,
			Self::Nobody => false,
		}
	}
}

/// A message with a log.
#[derive(Clone, Debug)]
pub struct Message<'a> {
	/// Over what it came.
	pub source: Source,
	/// Its MQTT topic, if it came over MQTT.
	pub topic: Option<&'a str>,
	/// Who sent it.
	pub sender: &'a Sender,
	/// What came.
	pub payload: &'a [u8],
}

/// A log that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
	/// Its row.
	pub row: ReadingRow,
	/// Its leaf hash.
	pub leaf: H256,
	/// Its canonical JSON.
	pub body: String,
	/// Was it there already?
	pub again: bool,
}

/// Why a log is refused; it is kept as a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
	/// By what it says itself.
	Log(LogRefusal),
	/// The sender is another device.
	WrongDevice,
	/// The meter is certified: whoever sends its logs has to prove to be the device.
	Unproven,
	/// The certificate says that the meter's batches are not taken.
	Suspended,
	/// More energy than rated power allows.
	TooMuchEnergy {
		/// The most, in Wh.
		max_wh: u64,
	},
	/// Another log has some of the time.
	Overlap(ReadingRow),
	/// Its time has been brought to the chain.
	Late {
		/// Up to when, UTC milliseconds.
		sealed_ms: u64,
	},
}

impl Refusal {
	/// One word for machines.
	pub const fn code(&self) -> &'static str {
		match self {
			Self::Log(refusal) => refusal.as_str(),
			Self::WrongDevice => "wrong_device",
			Self::Unproven => "unproven",
			Self::Suspended => "suspended",
			Self::TooMuchEnergy { .. } => "too_much_energy",
			Self::Overlap(_) => "overlap",
			Self::Late { .. } => "late",
		}
	}
}

impl std::fmt::Display for Refusal {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			Self::Log(refusal) => write!(f, "{refusal}"),
			Self::WrongDevice => f.write_str("the log is of another device than its sender"),
			Self::Unproven => f.write_str(
				"the meter is certified: send its logs with the credentials of its device",
			),
			Self::Suspended => {
				f.write_str("the meter is suspended: an electrician has to certify it again")
			},
			Self::TooMuchEnergy { max_wh } => write!(
				f,
				"more energy than the certified rated power allows in that time: {max_wh} Wh"
			),
			Self::Overlap(row) => write!(
				f,
				"another log of this meter, {}, has this time or a part of it",
				crate::ids::log_id(*row)
			),
			Self::Late { sealed_ms } => write!(
				f,
				"begins before {}, up to where the meter's logs are in a batch for the chain",
				emlog::format_utc(*sealed_ms)
			),
		}
	}
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
	/// It is refused, and kept as a dead letter: send it no more.
	Refused(Refusal),
	/// It could not be kept: send it again.
	Store(StoreFault),
}

impl From<StoreFault> for NotTaken {
	fn from(fault: StoreFault) -> Self {
		Self::Store(fault)
	}
}

/// Takes logs.
pub struct Ingest {
	storage: Arc<dyn Storage>,
	registry: Arc<Registry>,
	metrics: Arc<Metrics>,
	max_ahead_ms: u64,
}

/// Which way the energy of a log goes, and whether its certificate allows the log.
///
/// # Errors
/// [`Refusal`].
pub fn check_certificate<A>(log: &EnergyLog, info: &MeterInfo<A>) -> Result<Flow, Refusal> {
	if info.suspended.is_some() {
		return Err(Refusal::Suspended);
	}
	let direction = log.direction(info.certificate.direction).map_err(Refusal::Log)?;
	let max_wh = max_energy_wh(
		info.certificate.rated_power_w,
		log.end_ms.saturating_sub(log.start_ms),
		BatchLimits::default().tolerance_ppt,
	);
	if u128::from(log.counted().floor_wh()) > max_wh {
		let max_wh = u64::try_from(max_wh).unwrap_or(u64::MAX);
		return Err(Refusal::TooMuchEnergy { max_wh });
	}
	Ok(match direction {
		Direction::Import => Flow::Import,
		Direction::Export => Flow::Export,
		Direction::Both => Flow::Unknown,
	})
}

/// Which way a log says that its energy goes.
fn tagged(log: &EnergyLog) -> Result<Flow, Refusal> {
	match log.direction(Direction::Both) {
		Ok(Direction::Import) => Ok(Flow::Import),
		Ok(Direction::Export) => Ok(Flow::Export),
		Ok(Direction::Both) | Err(LogRefusal::NoDirection) => Ok(Flow::Unknown),
		Err(refusal) => Err(Refusal::Log(refusal)),
	}
}

impl Ingest {
	/// Keeps what it takes in `storage`.
	pub fn new(
		storage: Arc<dyn Storage>,
		registry: Arc<Registry>,
		metrics: Arc<Metrics>,
		max_ahead_ms: u64,
	) -> Self {
		Self { storage, registry, metrics, max_ahead_ms }
	}

	/// Takes a log. When this returns, the log or its dead letter is durable, or
	/// [`NotTaken::Store`] says that nothing is. With `wait`, waits while too much is to be written.
	///
	/// # Errors
	/// [`NotTaken`].
	pub async fn take(&self, message: &Message<'_>, wait: bool) -> Result<Taken, NotTaken> {
		match self.try_take(message, wait).await {
			Err(NotTaken::Refused(refusal)) => {
				self.refuse(message, &refusal).await?;
				Err(NotTaken::Refused(refusal))
			},
			Ok(taken) => {
				self.metrics.taken(message.source, taken.again);
				Ok(taken)
			},
			fault => fault,
		}
	}

	async fn try_take(&self, message: &Message<'_>, wait: bool) -> Result<Taken, NotTaken> {
		let log = parse(message).map_err(NotTaken::Refused)?;
		let received_ms = now_ms();
		log.check_time(received_ms, self.max_ahead_ms)
			.map_err(|refusal| NotTaken::Refused(Refusal::Log(refusal)))?;
		let known = self.registry.meet(&log.name).await?;
		let (flow, trusted) = self.judge(message, &log, &known).map_err(NotTaken::Refused)?;
		let leaf = log.leaf_hash();
		let reading = NewReading {
			meter: known.row,
			start_ms: log.start_ms,
			end_ms: log.end_ms,
			received_ms,
			flow,
			trusted,
			leaf,
			body: log.canonical().to_string(),
		};
		let body = reading.body.clone();
		match self.storage.store(reading, wait).await? {
			Stored::New(row) => Ok(Taken { row, leaf, body, again: false }),
			Stored::Again(row) => Ok(Taken { row, leaf, body, again: true }),
			Stored::Overlap(row) => Err(NotTaken::Refused(Refusal::Overlap(row))),
			Stored::Late { sealed_ms } => Err(NotTaken::Refused(Refusal::Late { sealed_ms })),
		}
	}

	/// Does the log fit its sender and its certificate?
	fn judge(
		&self,
		message: &Message<'_>,
		log: &EnergyLog,
		known: &Known,
	) -> Result<(Flow, bool), Refusal> {
		let proven = message.sender.is(log.name.site(), log.name.device());
		if !proven && *message.sender != Sender::Nobody {
			return Err(Refusal::WrongDevice);
		}
		match known.info() {
			Some(_) if !proven => Err(Refusal::Unproven),
			Some(info) => check_certificate(log, info).map(|flow| (flow, proven)),
			None => tagged(log).map(|flow| (flow, proven)),
		}
	}

	/// Keeps a message that is refused.
	///
	/// # Errors
	/// [`StoreFault`]: then it is to be sent again.
	pub async fn refuse(&self, message: &Message<'_>, refusal: &Refusal) -> Result<(), StoreFault> {
		let topic = message.topic.unwrap_or("/api/v1/logs");
		self.bury(message.source, topic, refusal.code(), refusal.to_string(), message.payload).await
	}

	/// Keeps anything else that is refused.
	///
	/// # Errors
	/// [`StoreFault`].
	pub async fn bury(
		&self,
		source: Source,
		topic: &str,
		reason: &str,
		detail: String,
		payload: &[u8],
	) -> Result<(), StoreFault> {
		self.metrics.refused(source, reason);
		tracing::debug!(source = source.as_str(), topic, reason, "refused");
		let most = usize::try_from(MAX_MESSAGE_BYTES).unwrap_or(usize::MAX);
		self.storage
			.bury(DeadLetter {
				at_ms: now_ms(),
				source: source.as_str(),
				topic: topic.chars().take(512).collect(),
				reason: reason.to_string(),
				detail,
				payload: payload.iter().copied().take(most).collect(),
			})
			.await
	}
}

fn parse(message: &Message<'_>) -> Result<EnergyLog, Refusal> {
	let Some(topic) = message.topic else {
		return EnergyLog::parse(message.payload).map_err(Refusal::Log);
	};
	let named = match Topic::parse(topic) {
		Some((Topic::Readings, name)) => Some(name),
		_ => None,
	};
	let expanded = named.as_ref().and_then(|name| expand(message.payload, name));
	let log = match expanded {
		Some(value) => EnergyLog::from_value(&value),
		None => EnergyLog::parse(message.payload),
	};
	let log = log.map_err(Refusal::Log)?;
	emlog::check_topic(topic, &log).map_err(Refusal::Log)?;
	Ok(log)
}

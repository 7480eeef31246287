//! Signatures: the device's own, asked for over MQTT, or the gateway's for meters that cannot.

use crate::{
	deferral::Deferral,
	ingest::Ingest,
	ledger::Ledger,
	message::Source,
	metrics::Metrics,
	notices::Outbox,
	recovery::Recovery,
	registry::{Known, Registry},
	storage::{Batch, BatchRow, Settled, Storage},
	succession::Succession,
};
use gridproof_gateway_api::BatchState;
use gridproof_keys::SealedKey;
use gridproof_primitives::{
	H256,
	crypto::ed25519::{PublicKey, SignatureError},
	energy::{
		MeterName, SignedBatch, Topic, Trust,
		message::{MessageError, SignAnswer, SignRequest, SignedCopy},
	},
};
use gridproof_store::StoreError;
use gridproof_support::Lock;
use std::{
	collections::{BTreeSet, HashMap},
	fmt,
	sync::{Arc, Mutex},
	time::{Duration, Instant},
};
use tokio::sync::{Notify, OnceCell};

/// Batches looked at in one go.
const PAGE: u32 = 512;

/// Why the answer of a device is refused. It is kept as a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SignRefusal {
	/// It is not an answer of the protocol.
	BadAnswer(MessageError),
	/// No batch with this hash waits for a signature of this meter.
	NotAsked,
	/// The signature is not the device's over this batch for this chain.
	BadSignature(SignatureError),
}

impl SignRefusal {
	/// The reason in one word, for machines.
	const fn code(&self) -> &'static str {
		match self {
			Self::BadAnswer(_) => "bad_answer",
			Self::NotAsked => "not_asked",
			Self::BadSignature(_) => "bad_signature",
		}
	}
}

impl fmt::Display for SignRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::BadAnswer(fault) => write!(f, "{fault}"),
			Self::NotAsked => f.write_str("no batch with this hash waits for a signature"),
			Self::BadSignature(fault) => f.write_str(fault.as_str()),
		}
	}
}

/// Why the answer of a device is not taken.
enum SignError {
	/// It is refused: it must not be sent again.
	Refused(SignRefusal),
	/// What it says could not be kept: it has to be sent again.
	Store(StoreError),
}

impl From<SignRefusal> for SignError {
	fn from(refusal: SignRefusal) -> Self {
		Self::Refused(refusal)
	}
}

impl From<StoreError> for SignError {
	fn from(error: StoreError) -> Self {
		Self::Store(error)
	}
}

/// Has batches signed.
pub struct Signer {
	storage: Arc<dyn Storage>,
	registry: Arc<Registry>,
	ledger: Arc<dyn Ledger>,
	ingest: Arc<Ingest>,
	metrics: Arc<Metrics>,
	deferral: Arc<Deferral>,
	succession: Arc<Succession>,
	recovery: Recovery,
	outboxes: Vec<Arc<dyn Outbox>>,
	keys: HashMap<PublicKey, SealedKey>,
	timeout: Duration,
	genesis: OnceCell<H256>,
	asked: Mutex<HashMap<BatchRow, Instant>>,
	/// Meters whose device has just begun to listen.
	listening: Mutex<BTreeSet<MeterName>>,
	/// Notified when there is something to sign.
	unsigned: Arc<Notify>,
	/// Notified when something is signed.
	signed: Arc<Notify>,
}

/// What a signer works with.
pub(crate) struct SignerParts {
	/// Batches.
	pub(crate) storage: Arc<dyn Storage>,
	/// Meters.
	pub(crate) registry: Arc<Registry>,
	/// The chain that batches are signed for.
	pub(crate) ledger: Arc<dyn Ledger>,
	/// Keeps refused answers.
	pub(crate) ingest: Arc<Ingest>,
	/// Figures.
	pub(crate) metrics: Arc<Metrics>,
	/// Meters that have to wait after a refusal.
	pub(crate) deferral: Arc<Deferral>,
	/// Exchanged devices.
	pub(crate) succession: Arc<Succession>,
	/// The ways to the devices.
	pub(crate) outboxes: Vec<Arc<dyn Outbox>>,
	/// The gateway's own keys.
	pub(crate) keys: Vec<SealedKey>,
	/// The time that a device may take.
	pub(crate) timeout: Duration,
	/// Notified when there is something to sign.
	pub(crate) unsigned: Arc<Notify>,
	/// Notified when something is signed.
	pub(crate) signed: Arc<Notify>,
}

impl Signer {
	/// A signer that has asked nobody yet.
	pub(crate) fn new(parts: SignerParts) -> Self {
		let keys = parts.keys.into_iter().map(|key| (*key.public(), key)).collect();
		let recovery = Recovery::new(parts.storage.clone(), parts.registry.clone());
		Self {
			storage: parts.storage,
			registry: parts.registry,
			ledger: parts.ledger,
			ingest: parts.ingest,
			metrics: parts.metrics,
			deferral: parts.deferral,
			succession: parts.succession,
			recovery,
			outboxes: parts.outboxes,
			keys,
			timeout: parts.timeout,
			genesis: OnceCell::new(),
			asked: Mutex::default(),
			listening: Mutex::default(),
			unsigned: parts.unsigned,
			signed: parts.signed,
		}
	}

	async fn genesis(&self) -> Option<H256> {
		match self.genesis.get_or_try_init(|| self.ledger.genesis()).await {
			Ok(genesis) => Some(*genesis),
			Err(error) => {
				tracing::warn!(%error, "the chain's genesis is not known yet");
				None
			},
		}
	}

	/// Notes that a device listens on the topic on which it is asked: it is asked again at once.
	pub fn listens(&self, name: MeterName) {
		self.listening.locked().insert(name);
		self.unsigned.notify_one();
	}

	/// As [`Signer::listens`], for every meter that a filter of the form
	/// `energy/<site>/<device>/+/sign` stands for.
	pub fn listens_to(&self, filter: &str) {
		if let Some((Topic::Sign, name)) = Topic::parse(filter) {
			return self.listens(name);
		}
		let levels: Vec<&str> = filter.split('/').collect();
		let is = |wanted: Option<&&str>, part: &str| {
			wanted.is_none_or(|wanted| *wanted == "+" || *wanted == "#" || *wanted == part)
		};
		for known in self.registry.all() {
			let name = &known.name;
			let hash = levels.iter().position(|level| *level == "#");
			let level = |place: usize| match hash {
				Some(hash) if place >= hash => None,
				_ => levels.get(place),
			};
			if is(level(1), name.site())
				&& is(level(2), name.device())
				&& is(level(3), name.meter())
			{
				self.listens(name.clone());
			}
		}
	}

	/// Signs what the gateway may sign, asks devices for the rest.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn round(&self) -> Result<(), StoreError> {
		let Some(genesis) = self.genesis().await else { return Ok(()) };
		let listening = std::mem::take(&mut *self.listening.locked());
		let mut after = 0;
		loop {
			let batches = self.storage.in_state(BatchState::Unsigned, after, PAGE).await?;
			let Some(last) = batches.last() else { break };
			after = last.row;
			for batch in &batches {
				self.attend(batch, &genesis, &listening).await?;
			}
		}
		let mut asked = self.asked.locked();
		asked.retain(|_, at| at.elapsed() < self.timeout.saturating_mul(4));
		Ok(())
	}

	async fn attend(
		&self,
		batch: &Batch,
		genesis: &H256,
		listening: &BTreeSet<MeterName>,
	) -> Result<(), StoreError> {
		let Some(known) = batch.meter.and_then(|row| self.registry.by_row(row)) else {
			return Ok(());
		};
		let (Some(part), Some(info)) = (&batch.on_chain, known.info()) else { return Ok(()) };
		if part.header.sequence < info.state.next_sequence {
			return self.recovery.passed(&known, batch).await;
		}
		match info.certificate.trust {
			Trust::Gateway => match self.keys.get(&info.certificate.device) {
				Some(_) if self.is_left_over(batch, &known).await? => (),
				Some(key) => {
					let signature = key.sign(&part.header.signing_payload(genesis));
					if self.storage.sign(batch.row, signature).await? {
						self.metrics.signature("gateway");
						self.signed.notify_one();
					}
				},
				None => {
					let public = hex::encode(info.certificate.device);
					tracing::warn!(meter = %known.name, key = %public, "no --key file of this key");
				},
			},
			Trust::Device => {
				let is_due = listening.contains(&known.name) || {
					let asked = self.asked.locked();
					asked.get(&batch.row).is_none_or(|at| at.elapsed() >= self.timeout)
				};
				let is_other = batch.device.is_some_and(|key| key != info.certificate.device);
				if (is_due || is_other) && !self.is_left_over(batch, &known).await? {
					self.ask(batch, &known, genesis);
				}
			},
		}
		Ok(())
	}

	/// Returns `true` if a batch is of the device before an exchange: the one that stands there now has
	/// none of its readings, and is not asked. What the one before has left is set aside.
	async fn is_left_over(&self, batch: &Batch, known: &Known) -> Result<bool, StoreError> {
		let Some(info) = known.info() else { return Ok(false) };
		if batch.device == Some(info.certificate.device) {
			return Ok(false);
		}
		let followed = self.succession.follow(known).await?;
		let has_retired = followed.is_some_and(|(_, has_retired)| has_retired);
		Ok(has_retired || batch.device.is_some())
	}

	fn ask(&self, batch: &Batch, known: &Known, genesis: &H256) {
		let Some(part) = &batch.on_chain else { return };
		let request =
			SignRequest { header: part.header.clone(), genesis: *genesis, leaves: batch.count };
		let (topic, request) = (Topic::Sign.of(&known.name), request.to_json());
		// Over every protocol: nobody knows which one the device speaks today.
		let publish = |outbox: &Arc<dyn Outbox>| outbox.publish(&topic, request.clone());
		let heard = self.outboxes.iter().filter(|outbox| publish(outbox)).count() > 0;
		self.metrics.signature(if heard { "asked" } else { "not_listening" });
		self.asked.locked().insert(batch.row, Instant::now());
	}

	/// Takes a device's answer. When this returns, what it says is durable.
	///
	/// # Errors
	/// [`StoreError`] when the answer has to be sent again.
	pub async fn answer(
		&self,
		source: Source,
		name: &MeterName,
		payload: &[u8],
	) -> Result<(), StoreError> {
		let refusal = match self.take(name, payload).await {
			Ok(()) => return Ok(()),
			Err(SignError::Store(error)) => return Err(error),
			Err(SignError::Refused(refusal)) => refusal,
		};
		let topic = Topic::Signed.of(name);
		self.ingest.bury(source, &topic, refusal.code(), refusal.to_string(), payload).await
	}

	async fn take(&self, name: &MeterName, payload: &[u8]) -> Result<(), SignError> {
		let answer = SignAnswer::parse(payload).map_err(SignRefusal::BadAnswer)?;
		let known = self.registry.by_name(name).ok_or(SignRefusal::NotAsked)?;
		let batch = self.storage.last_batch(known.row).await?.ok_or(SignRefusal::NotAsked)?;
		let part = batch.on_chain.as_ref().ok_or(SignRefusal::NotAsked)?;
		if part.header.hash() != answer.header_hash {
			return Err(SignRefusal::NotAsked.into());
		}
		// The same answer may come twice.
		if batch.state != BatchState::Unsigned {
			return Ok(());
		}
		let signature = match answer.outcome {
			Ok(signature) => signature,
			Err(reason) => {
				if !self.is_restored(&known, &batch, answer.last).await? {
					self.refused(&known, &batch, &reason).await?;
				}
				return Ok(());
			},
		};
		let (Some(info), Some(genesis)) = (known.info(), self.genesis().await) else {
			// It is asked again when the chain can be asked.
			return Ok(());
		};
		let signed = SignedBatch { header: part.header.clone(), signature };
		if let Err(fault) = signed.verify(&info.certificate.device, &genesis) {
			self.metrics.signature("bad");
			return Err(SignRefusal::BadSignature(fault).into());
		}
		if self.storage.sign(batch.row, signature).await? {
			self.metrics.signature("device");
			self.deferral.agreed(known.row);
			self.signed.notify_one();
		}
		Ok(())
	}

	/// Returns `true` if a device's own copy, which came with its refusal, was news here.
	async fn is_restored(
		&self,
		known: &Known,
		batch: &Batch,
		copy: Option<SignedCopy>,
	) -> Result<bool, StoreError> {
		let (Some(copy), Some(genesis)) = (copy, self.genesis().await) else { return Ok(false) };
		let is_news = self.recovery.take_copy(known, batch, copy, &genesis).await?;
		if is_news {
			self.metrics.signature("restored");
			self.deferral.agreed(known.row);
			self.signed.notify_one();
		}
		Ok(is_news)
	}

	/// The device refuses to sign: its batch is rebuilt later, or parked after many refusals.
	async fn refused(&self, known: &Known, batch: &Batch, reason: &str) -> Result<(), StoreError> {
		self.metrics.signature("refused");
		let reason: String = reason.chars().take(512).collect();
		if self.deferral.refused(known.row) {
			tracing::info!(meter = %known.name, %reason, "refused; rebuilt later");
			self.storage.dissolve(batch.row).await?;
		} else {
			let reason = format!("the device refuses to sign: {reason}");
			self.storage.settle(vec![Settled::Parked { row: batch.row, reason }]).await?;
		}
		Ok(())
	}
}

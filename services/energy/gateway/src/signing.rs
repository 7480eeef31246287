//! Signatures: the device's own, asked for over MQTT, or the gateway's for meters that cannot.

use crate::{
	deferral::Deferral,
	ingest::{Ingest, Source},
	ledger::Ledger,
	metrics::Metrics,
	registry::{Known, Registry},
	storage::{Batch, BatchRow, BatchState, Settled, Storage, StoreFault},
};
use gridproof_keys::SealedKey;
use gridproof_primitives::{
	H256,
	ed25519::PublicKey,
	meter::{
		MeterName, SignedBatch, Topic, Trust,
		message::{SignAnswer, SignRequest},
	},
};
use std::{
	collections::{BTreeSet, HashMap},
	sync::{Arc, Mutex, PoisonError},
	time::{Duration, Instant},
};
use tokio::sync::{Notify, OnceCell};

/// Batches looked at in one go.
const PAGE: u32 = 512;

/// Brings messages to devices.
pub trait Outbox: Send + Sync + 'static {
	/// Publishes; answers whether anybody may hear it.
	fn publish(&self, topic: &str, payload: String) -> bool;
}

/// Sees to it that batches are signed.
pub struct Signer {
	storage: Arc<dyn Storage>,
	registry: Arc<Registry>,
	ledger: Arc<dyn Ledger>,
	ingest: Arc<Ingest>,
	metrics: Arc<Metrics>,
	deferral: Arc<Deferral>,
	outbox: Arc<dyn Outbox>,
	keys: HashMap<PublicKey, SealedKey>,
	timeout: Duration,
	genesis: OnceCell<H256>,
	asked: Mutex<HashMap<BatchRow, Instant>>,
	/// Meters whose device has just begun to listen.
	listening: Mutex<BTreeSet<MeterName>>,
	/// Told when there is something to sign.
	unsigned: Arc<Notify>,
	/// Told when something is signed.
	signed: Arc<Notify>,
}

/// What a signer works with.
pub struct Parts {
	/// Where batches are.
	pub storage: Arc<dyn Storage>,
	/// Which meters there are.
	pub registry: Arc<Registry>,
	/// The chain that batches are signed for.
	pub ledger: Arc<dyn Ledger>,
	/// Where bad answers are kept.
	pub ingest: Arc<Ingest>,
	/// Figures.
	pub metrics: Arc<Metrics>,
	/// Who has to wait after a refusal.
	pub deferral: Arc<Deferral>,
	/// The way to the devices.
	pub outbox: Arc<dyn Outbox>,
	/// The gateway's own keys.
	pub keys: Vec<SealedKey>,
	/// How long a device may take.
	pub timeout: Duration,
	/// Told when there is something to sign.
	pub unsigned: Arc<Notify>,
	/// Told when something is signed.
	pub signed: Arc<Notify>,
}

impl Signer {
	/// A signer.
	pub fn new(parts: Parts) -> Self {
		let keys = parts.keys.into_iter().map(|key| (*key.public(), key)).collect();
		Self {
			storage: parts.storage,
			registry: parts.registry,
			ledger: parts.ledger,
			ingest: parts.ingest,
			metrics: parts.metrics,
			deferral: parts.deferral,
			outbox: parts.outbox,
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
			Err(failure) => {
				tracing::warn!(%failure, "the chain's genesis is not known yet");
				None
			},
		}
	}

	/// A device listens on the topic on which it is asked: it is asked again at once.
	pub fn listens(&self, name: MeterName) {
		self.listening.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
		self.unsigned.notify_one();
	}

	/// Every meter that a filter of the form `energy/<site>/<device>/+/sign` stands for.
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
	/// [`StoreFault`].
	pub async fn round(&self) -> Result<(), StoreFault> {
		let Some(genesis) = self.genesis().await else { return Ok(()) };
		let listening =
			std::mem::take(&mut *self.listening.lock().unwrap_or_else(PoisonError::into_inner));
		let mut after = 0;
		loop {
			let batches = self.storage.in_state(BatchState::Unsigned, after, PAGE).await?;
			let Some(last) = batches.last() else { break };
			after = last.row;
			for batch in &batches {
				self.attend(batch, &genesis, &listening).await?;
			}
		}
		let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
		asked.retain(|_, at| at.elapsed() < self.timeout.saturating_mul(4));
		Ok(())
	}

	async fn attend(
		&self,
		batch: &Batch,
		genesis: &H256,
		listening: &BTreeSet<MeterName>,
	) -> Result<(), StoreFault> {
		let Some(known) = batch.meter.and_then(|row| self.registry.by_row(row)) else {
			return Ok(());
		};
		let (Some(part), Some(info)) = (&batch.on_chain, known.info()) else { return Ok(()) };
		match info.certificate.trust {
			Trust::Gateway => match self.keys.get(&info.certificate.device) {
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
					let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
					asked.get(&batch.row).is_none_or(|at| at.elapsed() >= self.timeout)
				};
				if is_due {
					self.ask(batch, &known, genesis);
				}
			},
		}
		Ok(())
	}

	fn ask(&self, batch: &Batch, known: &Known, genesis: &H256) {
		let Some(part) = &batch.on_chain else { return };
		let request =
			SignRequest { header: part.header.clone(), genesis: *genesis, leaves: batch.count };
		let heard = self.outbox.publish(&Topic::Sign.of(&known.name), request.to_json());
		self.metrics.signature(if heard { "asked" } else { "not_listening" });
		self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(batch.row, Instant::now());
	}

	/// A device's answer. When this returns, what it says is durable.
	///
	/// # Errors
	/// [`StoreFault`]: the answer is to be sent again.
	pub async fn answer(
		&self,
		source: Source,
		name: &MeterName,
		payload: &[u8],
	) -> Result<(), StoreFault> {
		let refused = match SignAnswer::parse(payload) {
			Ok(answer) => match self.take(name, &answer).await? {
				Ok(()) => return Ok(()),
				Err(reason) => reason,
			},
			Err(fault) => ("bad_answer", fault.to_string()),
		};
		let topic = Topic::Signed.of(name);
		self.ingest.bury(source, &topic, refused.0, refused.1, payload).await
	}

	async fn take(
		&self,
		name: &MeterName,
		answer: &SignAnswer,
	) -> Result<Result<(), (&'static str, String)>, StoreFault> {
		let not_asked = ("not_asked", "no batch with this hash waits for a signature".to_string());
		let Some(known) = self.registry.by_name(name) else { return Ok(Err(not_asked)) };
		let last = self.storage.last_batch(known.row).await?;
		let Some((batch, part)) =
			last.as_ref().and_then(|batch| Some((batch, batch.on_chain.as_ref()?)))
		else {
			return Ok(Err(not_asked));
		};
		if part.header.hash() != answer.header_hash {
			return Ok(Err(not_asked));
		}
		// The same answer may come twice.
		if batch.state != BatchState::Unsigned {
			return Ok(Ok(()));
		}
		let signature = match &answer.outcome {
			Ok(signature) => *signature,
			Err(reason) => {
				self.metrics.signature("refused");
				let reason: String = reason.chars().take(512).collect();
				if self.deferral.refused(known.row) {
					tracing::info!(meter = %known.name, %reason, "refused; made anew later");
					self.storage.dissolve(batch.row).await?;
				} else {
					let reason = format!("the device refuses to sign: {reason}");
					self.storage.settle(vec![Settled::Parked { row: batch.row, reason }]).await?;
				}
				return Ok(Ok(()));
			},
		};
		let (Some(info), Some(genesis)) = (known.info(), self.genesis().await) else {
			// It is asked again when the chain can be asked.
			return Ok(Ok(()));
		};
		let signed = SignedBatch { header: part.header.clone(), signature };
		if let Err(fault) = signed.verify(&info.certificate.device, &genesis) {
			self.metrics.signature("bad");
			return Ok(Err(("bad_signature", fault.as_str().to_string())));
		}
		if self.storage.sign(batch.row, signature).await? {
			self.metrics.signature("device");
			self.deferral.agreed(known.row);
			self.signed.notify_one();
		}
		Ok(Ok(()))
	}
}

//! What all of a verifier's work shares: key, engine, chain, coordinators, what it has said.

use crate::{
	chain::CheckedChain,
	coordinators::{Coordinators, NotGiven},
	draws::Published,
	error::VerifierError,
	metrics::Metrics,
	patience::Asked,
	state::{Counts, State},
	statements::{Name, Statement},
	work::{Measured, NotMeasured, repeat, tokens_of},
};
use codec::Encode;
use futures::future::BoxFuture;
use gridproof_chain::ChainError;
use gridproof_compute_api::{
	opening::{NotOpened, Opened},
	protocol::OpeningAsk,
};
use gridproof_engine::{Engine, EngineError};
use gridproof_http::Loops;
use gridproof_keys::SealedKey;
use gridproof_primitives::{
	H256,
	compute::{
		channels::{ChannelReceipt, Placed},
		checks::{BatchId, CheckId, Duty, ModelLine, OpeningRequest, VerifierKey},
	},
};
use gridproof_store::StoreError;
use gridproof_support::{
	Clock, Lock,
	text::{Hex64, HexBytes},
};
use std::{
	collections::BTreeMap,
	path::PathBuf,
	sync::{Arc, Mutex},
	time::Instant,
};

/// Most batches that are kept in memory, made again from their receipts.
const BATCHES: usize = 8;

/// How a verifier behaves.
#[derive(Clone, Debug)]
pub struct Settings {
	/// Folder of its database.
	pub folder: PathBuf,
	/// Milliseconds after which an opening that is not given is demanded on chain.
	pub patience_ms: u64,
	/// `false` if batches are touched by others: a touch is a transaction.
	pub touches: bool,
}

/// Why something is not done now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDone {
	/// The chain does not answer.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The database does not answer.
	#[error(transparent)]
	Store(#[from] StoreError),
}

/// Why an opening is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Missing {
	/// The coordinator gave nothing.
	#[error(transparent)]
	Opening(#[from] NotGiven),
	/// What it gave does not hold.
	#[error(transparent)]
	NotOpened(#[from] NotOpened),
	/// The chain or the database does not answer: nothing is said about the coordinator.
	#[error(transparent)]
	Chain(#[from] NotDone),
}

impl From<ChainError> for Missing {
	fn from(error: ChainError) -> Self {
		Self::Chain(error.into())
	}
}

/// A verifier at work. Clones of its [`Arc`] are the same one.
pub struct Verifier {
	pub(crate) settings: Settings,
	pub(crate) key: SealedKey,
	pub(crate) engine: Arc<dyn Engine>,
	pub(crate) chain: Arc<dyn CheckedChain>,
	pub(crate) coordinators: Arc<dyn Coordinators>,
	pub(crate) state: State,
	pub(crate) genesis: H256,
	pub(crate) metrics: Metrics,
	pub(crate) clock: Clock,
	pub(crate) loops: Arc<Loops>,
	models: Vec<String>,
	/// Batches that were made again, by the hash of their header.
	batches: Mutex<BTreeMap<H256, Arc<Published>>>,
	/// What coordinators were asked for and have not given.
	pub(crate) asked: Mutex<Asked>,
	/// Openings that it was shown as a witness, each with the receipt's place, as long as they are demanded: who
	/// has shown one need not show it again.
	pub(crate) witnessed: Mutex<BTreeMap<CheckId, (Placed<ChannelReceipt>, Opened)>>,
	/// Why the chain does not let it draw, if it does not.
	trouble: Mutex<Option<String>>,
}

impl Verifier {
	/// Opens the database, and asks the engine for its models.
	///
	/// # Errors
	/// [`VerifierError`].
	pub fn open(
		settings: Settings,
		key: SealedKey,
		engine: Arc<dyn Engine>,
		chain: Arc<dyn CheckedChain>,
		coordinators: Arc<dyn Coordinators>,
		clock: Clock,
	) -> BoxFuture<'static, Result<Arc<Self>, VerifierError>> {
		Box::pin(async move {
			if key.pair().is_none() {
				return Err(VerifierError::OtherKey);
			}
			let asked = engine.clone();
			let models = tokio::task::spawn_blocking(move || asked.models()).await;
			let broken = |_| EngineError::Failed("the engine broke off".to_string());
			let models = models.map_err(broken)??.into_iter().map(|model| model.name).collect();
			let theirs = chain.genesis();
			let (state, ours) = State::open(&settings.folder, theirs).await?;
			if ours != theirs {
				let folder = settings.folder.display().to_string();
				return Err(VerifierError::OtherChain { folder, ours, theirs });
			}
			Ok(Arc::new(Self {
				settings,
				key,
				engine,
				chain,
				coordinators,
				state,
				genesis: theirs,
				metrics: Metrics::new()?,
				clock,
				loops: Arc::default(),
				models,
				batches: Mutex::default(),
				asked: Mutex::default(),
				witnessed: Mutex::default(),
				trouble: Mutex::default(),
			}))
		})
	}

	/// Returns the public key with which it draws and signs.
	pub fn public(&self) -> VerifierKey {
		*self.key.public()
	}

	/// Names of the models that it can check.
	pub fn models(&self) -> &[String] {
		&self.models
	}

	/// Returns the number of statements by what has become of them.
	///
	/// # Errors
	/// [`StoreError`].
	pub fn counts(&self) -> BoxFuture<'_, Result<Counts, StoreError>> {
		Box::pin(self.state.counts())
	}

	/// Returns what keeps it from checking: a loop that stands still, or that the chain does not let it draw.
	pub fn unwell(&self) -> Option<String> {
		self.loops.standstill().or_else(|| self.trouble.locked().clone())
	}

	pub(crate) fn set_trouble(&self, trouble: Option<String>) {
		let mut held = self.trouble.locked();
		if *held != trouble
			&& let Some(trouble) = &trouble
		{
			tracing::warn!(trouble, "this verifier does not draw");
		}
		*held = trouble;
	}

	/// The time, UTC milliseconds.
	pub(crate) fn now(&self) -> u64 {
		self.clock.now_ms()
	}

	/// Returns the batch of a header, made again from what its coordinator publishes.
	pub(crate) async fn published(
		&self,
		batch: BatchId,
		hash: H256,
	) -> Result<Arc<Published>, NotGiven> {
		let BatchId { coordinator, sequence } = batch;
		if let Some(known) = self.batches.locked().get(&hash) {
			return Ok(known.clone());
		}
		let made = Arc::new(self.coordinators.batch(coordinator, sequence, hash).await?);
		self.asked.locked().given(batch, None);
		let mut kept = self.batches.locked();
		while kept.len() >= BATCHES {
			kept.pop_first();
		}
		kept.insert(hash, made.clone());
		Ok(made)
	}

	/// Asks for the opening of a receipt, and checks it.
	pub(crate) async fn opened(
		&self,
		placed: &Placed<ChannelReceipt>,
		batch: BatchId,
		duty: Duty,
	) -> Result<Opened, Missing> {
		let (receipt, index) = (&placed.item, placed.index);
		let request =
			OpeningRequest { verifier: self.public(), batch, index, duty, time_ms: self.now() };
		let signature = Hex64(self.key.sign(&request.signing_payload(&self.genesis)));
		let ask = OpeningAsk::Verifier { request: HexBytes(request.encode()), signature };
		let missing = |error: Missing, outcome: &str| {
			self.metrics.openings.with_label_values(&[outcome]).inc();
			error
		};
		let id = receipt.receipt.id(&self.genesis);
		let voucher = receipt.receipt.voucher().ok_or(NotOpened::OtherReceipt)?;
		let channel = self.chain.channel(voucher.channel).await?;
		let given = self.coordinators.opening(batch.coordinator, id, ask).await;
		let opening = given.map_err(|error| missing(error.into(), "none"))?;
		// Of a channel that is gone the chain has no key any more: then the coordinator cannot be held
		// to the voucher.
		let opened = match channel {
			Some(channel) => opening.check(&self.genesis, receipt, &channel),
			None => opening.check_without_channel(&self.genesis, receipt),
		};
		let opened = opened.map_err(|error| missing(error.into(), "broken"))?;
		self.metrics.openings.with_label_values(&["held"]).inc();
		self.asked.locked().given(batch, Some(index));
		Ok(opened)
	}

	/// Returns `true` once the opening of a receipt, by its index, or, without one, the list of a batch has been
	/// asked for without success for as long as the verifier is patient.
	pub(crate) fn is_out_of_patience(&self, batch: BatchId, index: Option<u64>) -> bool {
		let asked_for = self.asked.locked().not_given(batch, index, self.now());
		asked_for >= self.settings.patience_ms
	}

	/// Does the work of a receipt again.
	pub(crate) async fn measured(
		&self,
		opened: Opened,
		line: ModelLine,
	) -> Result<Measured, NotMeasured> {
		let (engine, begun) = (self.engine.clone(), Instant::now());
		let tokens = tokens_of(&opened);
		let done = tokio::task::spawn_blocking(move || repeat(&*engine, &opened, &line)).await;
		let broken = |_| EngineError::Failed("the engine broke off".to_string());
		let measured = done.map_err(broken)??;
		self.metrics.passes.inc();
		self.metrics.tokens.inc_by(tokens);
		let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
		self.metrics.milliseconds.inc_by(took);
		Ok(measured)
	}

	/// Says something about a thing, once: what was kept about it before is what is said.
	pub(crate) async fn say(&self, name: Name, statement: Statement) -> Result<(), NotDone> {
		let kept = self.state.keep(name, statement, self.now()).await?;
		self.send(name, kept).await
	}

	/// Submits a statement that is kept.
	pub(crate) async fn send(&self, name: Name, statement: Statement) -> Result<(), NotDone> {
		let kind = statement.kind();
		match self.chain.submit(statement).await {
			Ok(()) => {
				self.metrics.statements.with_label_values(&[kind]).inc();
				self.state.decided(name, None).await?;
				Ok(())
			},
			Err(error) if error.refusal().is_some_and(|refusal| !refusal.is_temporary()) => {
				tracing::warn!(%error, kind, "the chain refuses what was said");
				self.state.decided(name, Some(error.to_string())).await?;
				Ok(())
			},
			// It stays, and is sent again: it holds up nothing else.
			Err(error) if error.is_refusal() => {
				tracing::warn!(%error, kind, "what was said has to wait");
				Ok(())
			},
			Err(error) => Err(error.into()),
		}
	}
}

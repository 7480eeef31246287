//! From a request to its receipt.

use crate::{
	chain::ClientChain,
	check::ReceiptRefusal,
	error::FrontError,
	ledger::{Ledger, NewRequest, Spent, Totals},
	settings::Settings,
};
use codec::DecodeAll;
use futures::future::BoxFuture;
use gridproof_compute_api::{
	ChannelClient, CoordinatorClient, Customer, PlanClient,
	protocol::{CoordinatorInfo, Extent, IssuedReceipt, MAX_VOUCHERS, OfferedModel, RequestKind},
};
use gridproof_keys::SealedKey;
use gridproof_primitives::{
	compute::{
		channels::{BatchKind, Channel, Secret, SignedVoucher, spec_hash},
		compute_units,
	},
	crypto::ed25519::PublicKey,
};
use gridproof_support::{Clock, Lock, text::HexBytes};
use rand::{RngCore, rngs::OsRng};
use reqwest::Response;
use serde_json::Value;
use std::{
	collections::HashSet,
	sync::{Arc, Mutex},
	time::{Duration, Instant},
};
use tokio::sync::{Notify, RwLock};

/// How long models and prices are taken as they were read.
const OFFER: Duration = Duration::from_secs(30);
/// How far apart the clocks of front and coordinator may be when a model's factor changes, in
/// milliseconds: for so long before and after nothing is signed.
const AROUND_CHANGE_MS: u64 = 3_000;
/// Time between two looks for the new factor.
const LOOK: Duration = Duration::from_millis(500);
/// Looks for the new factor after which the coordinator's word is taken as it is.
const LOOKS: u32 = 20;
/// Most tokens of `/v1/completions`, if a request does not say.
const COMPLETION_TOKENS: u32 = 16;

/// A front at work: the client of one channel. Clones of its [`Arc`] are the same one.
pub struct Payer {
	pub(crate) settings: Settings,
	pub(crate) chain: Arc<dyn ClientChain>,
	client: ChannelClient,
	info: CoordinatorClient,
	pub(crate) plans: PlanClient,
	pub(crate) ledger: Ledger,
	kind: BatchKind,
	coordinator: PublicKey,
	pub(crate) clock: Clock,
	/// Numbers of the requests that wait for their answer.
	in_flight: Mutex<HashSet<u64>>,
	/// Held by each request from its voucher until its number is in flight, and alone by the one who looks
	/// for numbers that are not.
	signing: RwLock<()>,
	offer: Mutex<Option<(Instant, CoordinatorInfo)>>,
	/// The channel as it was read last.
	channel: Mutex<Channel>,
	/// Why the coordinator gets no further request.
	distrust: Mutex<Option<String>>,
	/// There may be a request without an answer.
	pub(crate) unanswered: Notify,
}

/// A request that waits for its answer. Dropped before it has its receipt, it is asked for later.
pub(crate) struct Flight {
	mark: Arc<Mark>,
	/// The receipt that was taken.
	landed: Option<String>,
}

/// Until it is dropped, nobody else asks for the receipt of a request.
struct Mark {
	payer: Arc<Payer>,
	number: u64,
}

impl Flight {
	/// Takes the receipt that came with the answer. The same again is passed over.
	///
	/// # Errors
	/// [`FrontError::Dishonest`].
	pub(crate) async fn lands(&mut self, issued: &str) -> Result<(), FrontError> {
		if self.landed.as_deref() == Some(issued) {
			return Ok(());
		}
		let unreadable = || FrontError::Dishonest(ReceiptRefusal::CoordinatorSignature);
		let bytes: HexBytes = issued.parse().map_err(|_| unreadable())?;
		let receipt = IssuedReceipt::decode_all(&mut &bytes.0[..]).map_err(|_| unreadable())?;
		let Mark { payer, number } = &*self.mark;
		let taken = payer.ledger.take(*number, receipt, self.mark.clone());
		payer.judged(*number, taken.checked().await)?;
		self.landed = Some(issued.to_string());
		Ok(())
	}
}

impl Drop for Mark {
	fn drop(&mut self) {
		self.payer.in_flight.locked().remove(&self.number);
		self.payer.unanswered.notify_one();
	}
}

/// What a request asks for, as far as its price goes.
struct Asked {
	model: String,
	/// Most tokens of an answer; the model's own number without one.
	max_tokens: Option<u32>,
	extent: Extent,
}

fn asked(kind: RequestKind, body: &[u8]) -> Result<Asked, FrontError> {
	let value: Value =
		serde_json::from_slice(body).map_err(|_| FrontError::BadRequest("it is not JSON"))?;
	let model = value["model"].as_str();
	let model = model.ok_or(FrontError::BadRequest("it names no model"))?.to_string();
	let number = |name: &str| -> Result<Option<u32>, FrontError> {
		let said = &value[name];
		if said.is_null() || said.as_i64() == Some(-1) {
			return Ok(None);
		}
		let tokens = whole(said).and_then(|tokens| u32::try_from(tokens).ok());
		tokens.map(Some).ok_or(FrontError::BadRequest("max_tokens must be a whole number"))
	};
	let max_tokens = match kind {
		RequestKind::Chat => match number("max_completion_tokens")? {
			Some(tokens) => Some(tokens),
			None => number("max_tokens")?,
		},
		RequestKind::Completion => Some(number("max_tokens")?.unwrap_or(COMPLETION_TOKENS)),
		RequestKind::Embedding => Some(0),
	};
	let n = match &value["n"] {
		Value::Null => 1,
		said => whole(said).ok_or(FrontError::BadRequest("n must be a whole number"))?,
	};
	// A list of numbers is one prompt of token ids.
	let prompts = match &value["prompt"] {
		Value::Array(list) if !list.iter().any(Value::is_number) => list.len(),
		_ => 1,
	};
	let prompts = u64::try_from(prompts).unwrap_or(u64::MAX);
	let has_tools = !value["tools"].is_null();
	let extent = Extent { max_tokens: max_tokens.unwrap_or(0), prompts, n, has_tools };
	Ok(Asked { model, max_tokens, extent })
}

/// A whole number, also if it is written as `1.0`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(value: &Value) -> Option<u64> {
	value.as_u64().or_else(|| {
		let float = value.as_f64()?;
		(float.fract() == 0.0 && (0.0..1e15).contains(&float)).then_some(float as u64)
	})
}

impl Payer {
	/// Opens the database, and checks on the chain and at the coordinator that the channel is the key's
	/// and pays that coordinator.
	///
	/// # Errors
	/// [`FrontError`].
	pub fn open(
		settings: Settings,
		key: SealedKey,
		chain: Arc<dyn ClientChain>,
		clock: Clock,
	) -> BoxFuture<'static, Result<Arc<Self>, FrontError>> {
		Box::pin(async move {
			let id = settings.channel;
			if settings.top_up.is_some() && settings.max_spend.is_none() {
				return Err(FrontError::Uncapped);
			}
			let genesis = chain.genesis().await?;
			let channel = chain.channel(id).await?.ok_or(FrontError::UnknownChannel(id))?;
			if channel.signer != Some(*key.public()) {
				return Err(FrontError::OtherKey(id));
			}
			let client = ChannelClient::new(&settings.coordinator)?;
			let info = CoordinatorClient::new(&settings.coordinator)?;
			let plans = PlanClient::new(&settings.coordinator)?;
			let held = client.channel(id).await?;
			if held.coordinator.0 != channel.coordinator || held.genesis.0 != genesis.0 {
				return Err(FrontError::OtherCoordinator(settings.coordinator));
			}
			let (kind, coordinator) = (channel.kind, channel.coordinator);
			let folder = settings.folder.clone();
			let ledger = Ledger::open(&folder, key, genesis, id, coordinator, kind).await?;
			let (ours, theirs) = (ledger.newest().await?, held.newest);
			if ours < theirs {
				let folder = folder.display().to_string();
				return Err(FrontError::OlderFolder { folder, ours, theirs });
			}
			let distrust = Mutex::new(ledger.refused().await?);
			Ok(Arc::new(Self {
				settings,
				chain,
				client,
				info,
				plans,
				ledger,
				kind,
				coordinator,
				clock,
				in_flight: Mutex::default(),
				signing: RwLock::default(),
				offer: Mutex::default(),
				channel: Mutex::new(channel),
				distrust,
				unanswered: Notify::new(),
			}))
		})
	}

	/// Key of the coordinator that the channel pays.
	pub const fn coordinator(&self) -> &PublicKey {
		&self.coordinator
	}

	/// Asset and mode of the channel.
	pub const fn kind(&self) -> BatchKind {
		self.kind
	}

	/// Returns the channel as it was read last.
	pub fn channel(&self) -> Channel {
		*self.channel.locked()
	}

	pub(crate) fn set_channel(&self, channel: Channel) {
		*self.channel.locked() = channel;
	}

	/// Returns why the coordinator gets no further request; `None` if it does.
	pub fn distrust(&self) -> Option<String> {
		self.distrust.locked().clone()
	}

	/// Returns the sums of all requests.
	///
	/// # Errors
	/// [`FrontError::Store`].
	pub async fn totals(&self) -> Result<Totals, FrontError> {
		self.ledger.totals().await
	}

	/// Returns what each API key has spent.
	///
	/// # Errors
	/// [`FrontError::Store`].
	pub async fn spent(&self) -> Result<Vec<Spent>, FrontError> {
		self.ledger.spent().await
	}

	/// Returns what is left of the deposit after all receipts and open requests, in the asset's smallest
	/// unit, as it was read last.
	///
	/// # Errors
	/// [`FrontError::Store`].
	pub async fn left(&self) -> Result<u128, FrontError> {
		let Totals { spent, open, .. } = self.totals().await?;
		Ok(self.channel().deposited.saturating_sub(spent).saturating_sub(open))
	}

	/// Returns the models on offer, with the price of a compute unit in the channel's asset.
	///
	/// # Errors
	/// [`FrontError::Client`].
	pub async fn models(&self) -> Result<(Vec<OfferedModel>, Option<u128>), FrontError> {
		let known = self.offer.locked().clone();
		let info = match known.filter(|(read, _)| read.elapsed() < OFFER) {
			Some((_, info)) => info,
			None => {
				let info = self.at_the_plans_price(self.info.info().await?).await?;
				*self.offer.locked() = Some((Instant::now(), info.clone()));
				info
			},
		};
		let price = info.unit_price.get(self.kind.asset.as_str()).map(|price| price.0);
		Ok((info.models, price))
	}

	/// Returns the offer of a model and the price of a unit, for a request that is signed now. Just
	/// before and after a change of the factor that the chain's registry has announced it waits: else
	/// the coordinator could reckon by one factor, and this program by the other.
	async fn offer_of(&self, model: &str) -> Result<(OfferedModel, u128), FrontError> {
		let unknown = || FrontError::UnknownModel(model.to_string());
		let mut looks = 0;
		loop {
			let (models, price) = self.models().await?;
			let price = price.ok_or_else(unknown)?;
			let named = models.into_iter().find(|offer| offer.name == model);
			let offer = named.ok_or_else(unknown)?;
			let (now, next) = (self.clock.now_ms(), offer.registry.and_then(|entry| entry.next));
			let changes =
				|factor: Option<u32>| factor.is_some_and(|next| next != offer.model_factor);
			let next = next.filter(|next| changes(next.model_factor)).map(|next| next.since_ms);
			match next.filter(|since| *since <= now.saturating_add(AROUND_CHANGE_MS)) {
				Some(since) if looks < LOOKS => {
					looks += 1;
					let left = since.saturating_add(AROUND_CHANGE_MS).saturating_sub(now);
					tokio::time::sleep(Duration::from_millis(left).max(LOOK)).await;
					*self.offer.locked() = None;
				},
				_ => return Ok((offer, price)),
			}
		}
	}

	/// Signs a voucher for a request and passes the request on; returns the answer as it comes.
	///
	/// # Errors
	/// [`FrontError`].
	pub(crate) async fn request(
		self: &Arc<Self>,
		customer: &Customer,
		kind: RequestKind,
		body: Vec<u8>,
	) -> Result<(Response, Flight), FrontError> {
		if self.distrust().is_some() {
			return Err(FrontError::Distrusted);
		}
		let asked = asked(kind, &body)?;
		let new = self.priced(customer, kind, &asked, &body).await?;
		let secret = new.secret;
		let signing = self.signing.read().await;
		let signed = self.ledger.pay(new, self.clock.now_ms()).await?;
		let number = signed.voucher.number;
		self.in_flight.locked().insert(number);
		drop(signing);
		let flight = Flight { mark: Arc::new(Mark { payer: self.clone(), number }), landed: None };
		let answer = self.client.request(kind.path(), body, &signed, &secret).await?;
		Ok((answer, flight))
	}

	async fn priced(
		&self,
		customer: &Customer,
		kind: RequestKind,
		asked: &Asked,
		body: &[u8],
	) -> Result<NewRequest, FrontError> {
		let (offer, unit_price) = self.offer_of(&asked.model).await?;
		let max_tokens = asked.max_tokens.unwrap_or(offer.max_tokens);
		let extent = Extent { max_tokens, ..asked.extent };
		let units = compute_units(kind.most_tokens(body.len(), &extent), offer.model_factor);
		let highest = unit_price.checked_mul(units.into());
		let mut secret: Secret = [0; 32];
		OsRng.fill_bytes(&mut secret);
		Ok(NewRequest {
			customer: customer.name.clone(),
			model: asked.model.clone(),
			highest: highest.ok_or(FrontError::BadRequest("it is too large"))?,
			factor: offer.model_factor,
			unit_price,
			spec_hash: spec_hash(&secret, body),
			secret,
			max_spend: self.settings.max_spend,
			limit: customer.limit.map(|limit| limit.0),
		})
	}

	/// Checks a receipt and keeps it.
	async fn take(&self, number: u64, issued: IssuedReceipt) -> Result<(), FrontError> {
		self.judged(number, self.ledger.take(number, issued, ()).kept().await)
	}

	/// Trusts the coordinator no more if its receipt does not hold.
	fn judged(&self, number: u64, taken: Result<(), FrontError>) -> Result<(), FrontError> {
		if let Err(FrontError::Dishonest(refusal)) = &taken {
			tracing::error!(number, %refusal, "a receipt does not hold; no further request is made");
			*self.distrust.locked() = Some(refusal.to_string());
		}
		taken
	}

	/// Asks for the receipts of requests that have none and whose answer is not waited for: those without
	/// an answer are closed, and cost nothing.
	///
	/// # Errors
	/// [`FrontError`].
	pub(crate) async fn reconcile(&self) -> Result<(), FrontError> {
		let alone = self.signing.write().await;
		let open = self.ledger.open_vouchers().await?;
		let in_flight = self.in_flight.locked().clone();
		drop(alone);
		let waits = |signed: &&SignedVoucher| !in_flight.contains(&signed.voucher.number);
		let unanswered: Vec<SignedVoucher> = open.iter().filter(waits).copied().collect();
		for some in unanswered.chunks(MAX_VOUCHERS) {
			let closed = self.client.close_vouchers(self.settings.channel, some).await?;
			for (signed, receipt) in some.iter().zip(closed.receipts) {
				let Some(bytes) = receipt else { continue };
				let refusal = ReceiptRefusal::CoordinatorSignature;
				let issued = IssuedReceipt::decode_all(&mut &bytes.0[..]);
				let issued = issued.map_err(|_| FrontError::Dishonest(refusal))?;
				self.take(signed.voucher.number, issued).await?;
			}
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	fn extent(kind: RequestKind, body: &Value) -> Extent {
		asked(kind, body.to_string().as_bytes()).unwrap().extent
	}

	#[test]
	fn the_price_bound_counts_answers_prompts_and_tools() {
		let text = |prompt: Value| {
			let body = json!({ "model": "m", "prompt": prompt, "n": 3, "max_tokens": 5 });
			let Extent { prompts, n, max_tokens, .. } = extent(RequestKind::Completion, &body);
			(prompts, n, max_tokens)
		};
		assert_eq!(text(json!("a")), (1, 3, 5));
		assert_eq!(text(json!(["a", "b"])), (2, 3, 5));
		assert_eq!(text(json!([1, 2, 3])), (1, 3, 5));
		assert_eq!(text(json!([[1, 2], [3]])), (2, 3, 5));
		let chat = json!({ "model": "m", "messages": [], "n": 2.0, "tools": [{}] });
		let chat = extent(RequestKind::Chat, &chat);
		assert_eq!((chat.n, chat.has_tools), (2, true));
		let plain = extent(RequestKind::Chat, &json!({ "model": "m", "messages": [], "n": null }));
		assert_eq!(plain, Extent { max_tokens: 0, ..Extent::one(0) });
		for n in [json!(1.5), json!("2"), json!(-1)] {
			let body = json!({ "model": "m", "n": n }).to_string();
			assert!(asked(RequestKind::Chat, body.as_bytes()).is_err(), "{n}");
		}
	}
}

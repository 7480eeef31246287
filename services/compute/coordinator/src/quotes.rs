//! From a specification to an accepted job.

use crate::{
	access_key::AccessKey,
	coordinator::Coordinator,
	error::RequestError,
	front::Offer,
	ledger::Escrow,
	registry::Terms,
	rows::{self, Change, Job, NewJob, Once, QuoteRow, Remembered},
};
use codec::Encode;
use gridproof_compute_api::protocol::{
	ErrorCode, JobRequest, JobSpec, JobStage, MAX_ANSWERS, MAX_LOGPROBS, MAX_N, SPEC_VERSION,
	Sampling, Task, is_document,
};
use gridproof_primitives::{
	H256,
	compute::{PriceAsset, Quote, SignedQuote, compute_units},
};
use gridproof_store::rusqlite::Connection;
use gridproof_support::text::Hex32;
use rand::{Rng, rngs::OsRng};

/// Most stop texts, and most bytes of each.
const MAX_STOPS: usize = 4;
const MAX_STOP_BYTES: usize = 256;
/// Highest temperature, in thousandths.
const MAX_TEMPERATURE: u32 = 2_000;
/// Most texts in one request for embeddings.
const MAX_TEXTS: usize = 256;

/// Who pays for a job of the front, and within which bounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buyer {
	/// The customer's name.
	pub(crate) customer: String,
	/// The most that the customer may owe altogether, in the asset's smallest unit.
	pub(crate) limit: Option<u128>,
	/// By what the same request is known again.
	pub(crate) once: Option<Once>,
}

/// What has become of a request for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
	/// There is a new job.
	New(Box<Job>),
	/// The same request came before: this is its job.
	Repeated(Box<Job>),
	/// Another request came with this key before.
	KeyReused,
	/// With this job the customer would owe more than its limit.
	LimitReached,
}

/// A quote, ready to be opened on chain. The coordinator keeps nothing of it: it is signed, and comes
/// back with the job.
#[derive(Clone, Debug)]
pub struct Quoted {
	/// The quote as it was signed.
	pub quote: Quote,
	/// What a job's row keeps of it.
	pub row: QuoteRow,
	/// The secret that submits the job and opens its output.
	pub access: AccessKey,
}

impl Quoted {
	/// Returns it as the chain takes it.
	pub fn signed(&self) -> SignedQuote {
		SignedQuote { quote: self.quote.clone(), signature: self.row.signature }
	}
}

impl Coordinator {
	/// Signs a quote for a specification, to be paid by `client`.
	///
	/// # Errors
	/// [`ErrorCode::BadRequest`], [`ErrorCode::UnknownModel`], [`ErrorCode::ChainUnavailable`].
	pub fn quote(
		&self,
		spec: &JobSpec,
		client: [u8; 32],
		asset: PriceAsset,
	) -> Result<Quoted, RequestError> {
		let quoted = self.price(spec, client, asset)?;
		self.metrics.quotes.inc();
		Ok(quoted)
	}

	pub(crate) fn price(
		&self,
		spec: &JobSpec,
		client: [u8; 32],
		asset: PriceAsset,
	) -> Result<Quoted, RequestError> {
		let terms = self.check_spec(spec)?;
		let factor = terms.factor;
		let bad = |message: &str| RequestError::new(ErrorCode::BadRequest, message);
		let unit_price = self
			.settings
			.price_in(asset)
			.ok_or_else(|| bad(&format!("{} is not taken here", asset.as_str())))?;
		let max_units = compute_units(spec.max_total_tokens(), factor).max(1);
		let price = unit_price
			.checked_mul(max_units.into())
			.ok_or_else(|| bad("the job is too large to be priced"))?;
		let (now, second) = (self.now(), 1_000);
		let quote = Quote {
			coordinator: self.public(),
			client,
			spec_hash: spec.hash(),
			model_factor: factor,
			asset,
			price,
			max_units,
			expiry_ms: now.saturating_add(self.settings.quote_seconds.saturating_mul(second)),
			deadline_ms: now.saturating_add(self.settings.deadline_seconds.saturating_mul(second)),
			miner: None,
			// Below 2⁶³, as the database's integers are.
			nonce: OsRng.gen_range(0..=u64::MAX >> 1),
			model: terms.counted(),
		};
		let job = quote.job_id(&self.genesis);
		let access = AccessKey::of(&self.access, &job);
		let row = QuoteRow {
			job,
			quote: quote.encode(),
			signature: self.key.sign(&quote.signing_payload(&self.genesis)),
			spec: spec.canonical(),
			unit_price,
			access: access.hash(),
		};
		Ok(Quoted { quote, row, access })
	}

	/// Checks a specification, and returns what its work is reckoned by.
	pub(crate) fn check_spec(&self, spec: &JobSpec) -> Result<Terms, RequestError> {
		self.check_registry()?;
		let unknown = || {
			let message = format!("no miner serves the model {:?} here", spec.model);
			RequestError::new(ErrorCode::UnknownModel, message)
		};
		let offer = self.settings.model(&spec.model).ok_or_else(unknown)?;
		let is_served = self.models().contains(&spec.model);
		if self.settings.models.is_empty() && !is_served {
			return Err(unknown());
		}
		if spec.version != SPEC_VERSION {
			let message = format!("the specification is of version {}, not 1", spec.version);
			return RequestError::err(ErrorCode::BadRequest, message);
		}
		check_task(&spec.task)?;
		check_further(spec)?;
		let terms = self.terms(&offer);
		check_context(spec, &terms)?;
		let most = terms.max_tokens;
		let is_embedding = spec.task.is_embedding();
		if is_embedding != (spec.max_tokens == 0) {
			let message = "max_tokens is 0 for embeddings, and above 0 for texts";
			return Err(RequestError::about("max_tokens", message));
		}
		if spec.max_tokens > most {
			let message =
				format!("max_tokens is {}; this model is offered with {most}", spec.max_tokens);
			return Err(RequestError::about("max_tokens", message));
		}
		check_sampling(&spec.sampling)?;
		Ok(terms)
	}

	/// Returns what a model is offered for; `None` if it is not.
	pub(crate) fn offer(&self, model: &str) -> Option<Offer> {
		let Terms { factor, max_tokens, entry, .. } = self.terms_named(model)?;
		let prices = self.settings.unit_price.iter();
		Some(Offer {
			factor,
			max_tokens,
			registry: entry,
			unit_price: prices
				.map(|(asset, price)| (asset.as_str().to_string(), price.0))
				.collect(),
		})
	}

	/// Returns the models on offer, sorted: those listed, or those that miners serve now.
	pub fn models(&self) -> Vec<String> {
		let mut models: Vec<String> = if self.settings.models.is_empty() {
			self.sessions
				.all(self.time.steady())
				.into_iter()
				.flat_map(|miner| miner.models)
				.collect()
		} else {
			self.settings.models.iter().map(|model| model.name.clone()).collect()
		};
		models.sort();
		models.dedup();
		models
	}

	/// Accepts a job whose escrow its client has opened, with the quote that it was opened with. The
	/// same again changes nothing.
	///
	/// # Errors
	/// [`ErrorCode::BadQuote`], [`ErrorCode::NotFunded`], [`ErrorCode::WrongState`],
	/// [`ErrorCode::Expired`], [`ErrorCode::RateLimited`], [`ErrorCode::ChainUnavailable`].
	pub async fn accept(
		&self,
		request: &JobRequest,
		access: &AccessKey,
		stream: bool,
	) -> Result<Job, RequestError> {
		let id = H256::from(request.job);
		if let Some(known) = self.job(id).await? {
			return if access.opens(&known.access) {
				Ok(known)
			} else {
				RequestError::err(ErrorCode::Unauthorized, "the access key is another job's")
			};
		}
		let row = self.own_quote(request)?;
		if !access.opens(&row.access) {
			return RequestError::err(ErrorCode::Unauthorized, "the access key is another quote's");
		}
		self.check_sight().await?;
		match self.ledger.escrow(id).await? {
			Some(Escrow::Open { .. }) => (),
			None => {
				let message = "the chain holds no escrow for the job; open it with the quote first";
				return RequestError::err(ErrorCode::NotFunded, message);
			},
			Some(_) => return RequestError::err(ErrorCode::WrongState, "the job is over on chain"),
		}
		let new = self.new_job(row, None, stream, true)?;
		match self.add(new, None).await? {
			Admission::New(job) | Admission::Repeated(job) => Ok(*job),
			Admission::KeyReused | Admission::LimitReached => {
				RequestError::err(ErrorCode::Internal, "the job is not there")
			},
		}
	}

	/// Checks that a quote is one that this coordinator gave for this specification.
	fn own_quote(&self, request: &JobRequest) -> Result<QuoteRow, RequestError> {
		let bad = |what: &str| {
			let message = format!("{what}; ask for a new quote, and open and submit that one");
			RequestError::new(ErrorCode::BadQuote, message)
		};
		let JobRequest { job, quote: bytes, signature, spec } = request;
		let id = H256::from(*job);
		let quote = Quote::read(&bytes.0).map_err(|_| bad("the quote is not SCALE of a quote"))?;
		if quote.coordinator != self.public() || quote.verify(&self.genesis, &signature.0).is_err()
		{
			return Err(bad("this coordinator did not sign the quote for this chain"));
		}
		if quote.job_id(&self.genesis) != id {
			return Err(bad("the quote is another job's"));
		}
		if quote.spec_hash != spec.hash() {
			return Err(bad("the quote is for another specification"));
		}
		// A quote's price is that of so many units.
		let unit_price = quote.price.checked_div(quote.max_units.into()).unwrap_or(0);
		Ok(QuoteRow {
			job: id,
			quote: bytes.0.clone(),
			signature: signature.0,
			spec: spec.canonical(),
			unit_price,
			access: AccessKey::of(&self.access, &id).hash(),
		})
	}

	/// Accepts a job that the front pays for; its escrow is opened next. What its customer owes and
	/// whether the same request came before is looked up where the job is added, so that requests at
	/// the same time neither pass a limit together nor become two jobs.
	///
	/// # Errors
	/// As [`Coordinator::accept`].
	pub(crate) async fn accept_for(
		&self,
		quoted: &Quoted,
		buyer: Buyer,
		stream: bool,
	) -> Result<Admission, RequestError> {
		self.check_sight().await?;
		let customer = Some(buyer.customer.clone());
		let new = self.new_job(quoted.row.clone(), customer, stream, false)?;
		let added = self.add(new, Some(buyer)).await?;
		if let Admission::New(job) = &added {
			self.untried().insert(job.job);
			self.openings.notify_one();
		}
		Ok(added)
	}

	/// Returns what is remembered of a customer's request.
	pub(crate) async fn remembered(
		&self,
		customer: String,
		once: Once,
	) -> Result<Remembered, RequestError> {
		let now = self.now();
		self.read(move |db| Ok(rows::remembered(db, &customer, &once, now)?)).await
	}

	fn new_job(
		&self,
		row: QuoteRow,
		customer: Option<String>,
		stream: bool,
		funded: bool,
	) -> Result<NewJob, RequestError> {
		let quote = Quote::read(&row.quote).map_err(|_| {
			RequestError::new(ErrorCode::Internal, "a quote in the database is broken")
		})?;
		let spec: JobSpec = serde_json::from_str(&row.spec)?;
		let kept_back = self.settings.settle_seconds.saturating_mul(1_000);
		let deadline_ms = quote.deadline_ms.saturating_sub(kept_back);
		if deadline_ms <= self.now() {
			return RequestError::err(ErrorCode::Expired, "the job's deadline is too near");
		}
		Ok(NewJob {
			client: quote.client,
			customer,
			model: spec.model,
			asset: quote.asset.as_str().to_string(),
			price: quote.price,
			max_units: quote.max_units,
			deadline_ms,
			nonce: quote.nonce,
			stream,
			funded,
			quote: row,
		})
	}

	/// Adds a job, if nothing speaks against it where it is added.
	async fn add(&self, new: NewJob, buyer: Option<Buyer>) -> Result<Admission, RequestError> {
		let (now, most) = (self.now(), self.settings.max_queue);
		let admission = self.write(move |db| admit(db, &new, buyer.as_ref(), most, now)).await?;
		if let Admission::New(_) = &admission {
			self.metrics.jobs.inc();
			self.work.notify_one();
		}
		Ok(admission)
	}

	/// Returns a job.
	///
	/// # Errors
	/// [`ErrorCode::Internal`].
	pub async fn job(&self, job: H256) -> Result<Option<Job>, RequestError> {
		self.read(move |db| Ok(rows::job(db, job)?)).await
	}

	/// Takes a job back that no miner holds. Its escrow is let go next.
	///
	/// # Errors
	/// [`ErrorCode::UnknownJob`], [`ErrorCode::Unauthorized`], [`ErrorCode::WrongState`].
	pub async fn cancel(&self, id: H256, access: &AccessKey) -> Result<Job, RequestError> {
		let (now, access) = (self.now(), access.clone());
		let job = self
			.write(move |db| {
				let Some(job) = rows::job(db, id)? else {
					return RequestError::err(ErrorCode::UnknownJob, "no such job");
				};
				if !access.opens(&job.access) {
					return RequestError::err(
						ErrorCode::Unauthorized,
						"the access key is another job's",
					);
				}
				if job.state == JobStage::Cancelled {
					return Ok(job);
				}
				rows::change(db, id, None, &Change::Cancel, now)?.ok_or_else(|| {
					let message =
						format!("the job is {}; only queued ones are taken back", job.state);
					RequestError::new(ErrorCode::WrongState, message)
				})
			})
			.await?;
		self.live.end(id);
		self.receipts.notify_one();
		Ok(job)
	}

	/// Takes a job back whose client has left, if no miner has it yet. Changes nothing otherwise.
	///
	/// # Errors
	/// [`ErrorCode::Internal`].
	pub(crate) async fn withdraw(&self, id: H256) -> Result<(), RequestError> {
		let now = self.now();
		let gone =
			self.write(move |db| Ok(rows::change(db, id, None, &Change::Cancel, now)?)).await?;
		if let Some(job) = gone {
			tracing::info!(job = %Hex32(id.0), "a job's client left before it was begun");
			self.after(&job);
		}
		Ok(())
	}
}

/// Adds a job to the database, or says why not.
fn admit(
	db: &Connection,
	new: &NewJob,
	buyer: Option<&Buyer>,
	most: u64,
	now: u64,
) -> Result<Admission, RequestError> {
	if let Some(Buyer { customer, once: Some(once), .. }) = buyer {
		match rows::remembered(db, customer, once, now)? {
			Remembered::New => (),
			Remembered::Same(job) => return Ok(Admission::Repeated(job)),
			Remembered::Other => return Ok(Admission::KeyReused),
		}
	}
	if rows::queued(db)? >= most {
		let message = "the queue is full; try again later";
		return RequestError::err(ErrorCode::RateLimited, message);
	}
	if let Some(Buyer { customer, limit: Some(limit), .. }) = buyer {
		let owed = rows::owed(db, customer, &new.asset)?;
		if owed.saturating_add(new.price) > *limit {
			return Ok(Admission::LimitReached);
		}
	}
	let id = new.quote.job;
	let is_new = rows::add_job(db, new, now)?;
	if let Some(Buyer { customer, once: Some(once), .. }) = buyer {
		rows::remember(db, customer, once, id, now)?;
	}
	match rows::job(db, id)? {
		Some(job) if is_new => Ok(Admission::New(Box::new(job))),
		Some(job) => Ok(Admission::Repeated(Box::new(job))),
		None => RequestError::err(ErrorCode::Internal, "the job is not there"),
	}
}

/// Refuses, before any money is held, a prompt that cannot fit whatever the tokenizer. Others that are too
/// long the miner refuses.
fn check_context(spec: &JobSpec, terms: &Terms) -> Result<(), RequestError> {
	let Some(context) = terms.entry.map(|entry| entry.context) else { return Ok(()) };
	let least = spec.min_prompt_tokens();
	if least <= u64::from(context) {
		return Ok(());
	}
	let param = match &spec.task {
		Task::Chat { .. } | Task::Messages { .. } => "messages",
		Task::Embedding { .. } | Task::EmbeddingTokens { .. } => "input",
		_ => "prompt",
	};
	let message = format!(
		"the prompt has {least} tokens at the least, and this model's context is {context}: shorten it, or take \
		 a model with a longer one"
	);
	Err(RequestError { code: ErrorCode::ContextExceeded, ..RequestError::about(param, message) })
}

/// Checks that there is something to do.
fn check_task(task: &Task) -> Result<(), RequestError> {
	match task {
		Task::Chat { messages } => {
			if messages.is_empty() {
				return Err(RequestError::about("messages", "there is no message"));
			}
			let roles = ["system", "developer", "user", "assistant"];
			match messages.iter().find(|message| !roles.contains(&message.role.as_str())) {
				Some(message) => {
					let role: String = message.role.chars().take(40).collect();
					let message = format!("a message of the role {role:?}; known are {roles:?}");
					Err(RequestError::about("messages", message))
				},
				None => Ok(()),
			}
		},
		Task::Completion { prompt } if prompt.is_empty() => {
			Err(RequestError::about("prompt", "the prompt is empty"))
		},
		Task::Completion { .. } => Ok(()),
		Task::Messages { messages } if messages.is_empty() => {
			Err(RequestError::about("messages", "there is no message"))
		},
		Task::Messages { messages } if messages.iter().all(|text| is_document(text)) => Ok(()),
		Task::Messages { .. } => Err(RequestError::about("messages", "a message is not JSON")),
		Task::Completions { prompts } => {
			check_texts("prompt", prompts.len(), prompts.iter().position(String::is_empty))
		},
		Task::CompletionTokens { prompts } => {
			check_texts("prompt", prompts.len(), prompts.iter().position(Vec::is_empty))
		},
		Task::Embedding { input } => {
			check_texts("input", input.len(), input.iter().position(String::is_empty))
		},
		Task::EmbeddingTokens { input } => {
			check_texts("input", input.len(), input.iter().position(Vec::is_empty))
		},
	}
}

/// Checks the number of texts, and that none is empty.
fn check_texts(
	param: &'static str,
	count: usize,
	empty: Option<usize>,
) -> Result<(), RequestError> {
	if count == 0 || count > MAX_TEXTS {
		let message = format!("{count} texts; a request has 1 to {MAX_TEXTS}");
		return Err(RequestError::about(param, message));
	}
	match empty {
		Some(place) => {
			let message = format!("text {place}, counted from 0, is empty");
			Err(RequestError::about(param, message))
		},
		None => Ok(()),
	}
}

/// Checks what is asked for beyond one text.
fn check_further(spec: &JobSpec) -> Result<(), RequestError> {
	let further = &spec.further;
	if !(1..=MAX_N).contains(&further.n) {
		let message = format!("n is {}; a request has 1 to {MAX_N} answers to a prompt", further.n);
		return Err(RequestError::about("n", message));
	}
	if spec.answers() > MAX_ANSWERS.into() {
		let message = format!(
			"{} answers (prompts times n); a request has at most {MAX_ANSWERS}",
			spec.answers()
		);
		return Err(RequestError::about("n", message));
	}
	if further.logprobs.is_some_and(|top| top > MAX_LOGPROBS) {
		let message = format!("at most {MAX_LOGPROBS} of the likeliest tokens are named");
		return Err(RequestError::about("logprobs", message));
	}
	if let Some(name) = further.malformed() {
		return Err(RequestError::about(name, format!("{name} is not JSON, or nested too deep")));
	}
	let is_chat = matches!(spec.task, Task::Chat { .. } | Task::Messages { .. });
	let beyond = [
		("tools", !is_chat && further.tools.is_some()),
		("tool_choice", further.tools.is_none() && further.tool_choice.is_some()),
		("n", spec.task.is_embedding() && !further.is_nothing()),
	];
	match beyond.into_iter().find(|(_, is_beyond)| *is_beyond) {
		Some((name, _)) => Err(RequestError::about(name, format!("{name} has no place here"))),
		None => Ok(()),
	}
}

/// Checks how tokens are to be chosen.
fn check_sampling(sampling: &Sampling) -> Result<(), RequestError> {
	let stops = sampling.stop.len();
	let good_stop = |stop: &String| (1..=MAX_STOP_BYTES).contains(&stop.len());
	let rules = [
		(
			sampling.temperature_milli > MAX_TEMPERATURE,
			"temperature",
			"the temperature is above 2".to_string(),
		),
		(
			!(1..=1_000).contains(&sampling.top_p_milli),
			"top_p",
			"top_p is not above 0 and at most 1".to_string(),
		),
		(sampling.seed > u64::MAX >> 1, "seed", "the seed is above 2^63 - 1".to_string()),
		(stops > MAX_STOPS, "stop", format!("{stops} stop texts; at most {MAX_STOPS} are taken")),
		(
			!sampling.stop.iter().all(good_stop),
			"stop",
			format!("a stop text is empty or has more than {MAX_STOP_BYTES} bytes"),
		),
	];
	match rules.into_iter().find(|(broken, ..)| *broken) {
		Some((_, param, message)) => Err(RequestError::about(param, message)),
		None => Ok(()),
	}
}

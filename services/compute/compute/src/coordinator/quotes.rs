//! From a specification to an accepted job.

use super::{
	Coordinator, Refused,
	ledger::Escrow,
	rows::{self, Change, Job, NewJob, QuoteRow},
	state::JobState,
};
use crate::protocol::{FaultCode, JobSpec, SPEC_VERSION, Task};
use codec::{DecodeAll, Encode};
use gridproof_primitives::{
	H256,
	compute::{PriceAsset, Quote, SignedQuote, compute_units},
};
use rand::{Rng, RngCore, rngs::OsRng};
use sp_crypto_hashing::sha2_256;

/// Most stop texts, and most bytes of each.
const MAX_STOPS: usize = 4;
const MAX_STOP_BYTES: usize = 256;
/// Highest temperature, in thousandths.
const MAX_TEMPERATURE: u32 = 2_000;
/// Most texts in one request for embeddings.
const MAX_TEXTS: usize = 256;

/// A quote, ready to be opened on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
	/// The offer.
	pub quote: Quote,
	/// What is kept of it.
	pub row: QuoteRow,
	/// The secret that submits the job and opens its output.
	pub access: String,
}

impl Quoted {
	/// As the chain takes it.
	pub fn signed(&self) -> SignedQuote {
		SignedQuote { quote: self.quote.clone(), signature: self.row.signature }
	}
}

impl Coordinator {
	/// Signs a quote for a specification, to be paid by `client`.
	///
	/// # Errors
	/// [`FaultCode::BadRequest`], [`FaultCode::UnknownModel`], [`FaultCode::Internal`].
	pub async fn quote(
		&self,
		spec: &JobSpec,
		client: [u8; 32],
		asset: PriceAsset,
	) -> Result<Quoted, Refused> {
		let quoted = self.price(spec, client, asset)?;
		let (row, now) = (quoted.row.clone(), self.now());
		self.write(move |db| Ok(rows::add_quote(db, &row, now)?)).await?;
		self.metrics.quotes.inc();
		Ok(quoted)
	}

	pub(crate) fn price(
		&self,
		spec: &JobSpec,
		client: [u8; 32],
		asset: PriceAsset,
	) -> Result<Quoted, Refused> {
		let factor = self.check_spec(spec)?;
		let bad = |message: &str| Refused::new(FaultCode::BadRequest, message);
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
		};
		let mut access = [0; 32];
		OsRng.fill_bytes(&mut access);
		let access = hex::encode(access);
		let row = QuoteRow {
			job: quote.job_id(&self.genesis),
			quote: quote.encode(),
			signature: self.key.sign(&quote.signing_payload(&self.genesis)),
			spec: spec.canonical(),
			unit_price,
			access: sha2_256(access.as_bytes()),
			expiry_ms: quote.expiry_ms,
		};
		Ok(Quoted { quote, row, access })
	}

	/// Checks a specification; the model's factor.
	fn check_spec(&self, spec: &JobSpec) -> Result<u32, Refused> {
		let unknown = || {
			let message = format!("no miner serves the model {:?} here", spec.model);
			Refused::new(FaultCode::UnknownModel, message)
		};
		let offer = self.settings.model(&spec.model).ok_or_else(unknown)?;
		let is_served = self.models().contains(&spec.model);
		if self.settings.models.is_empty() && !is_served {
			return Err(unknown());
		}
		let most = offer.max_tokens.unwrap_or(self.settings.max_tokens);
		let sampling = &spec.sampling;
		let text = |text: &String| !text.is_empty();
		let (is_embedding, has_text) = match &spec.task {
			Task::Chat { messages } => {
				let roles = ["system", "developer", "user", "assistant"];
				let known = messages.iter().all(|m| roles.contains(&m.role.as_str()));
				(false, known && !messages.is_empty())
			},
			Task::Completion { prompt } => (false, text(prompt)),
			Task::Embedding { input } => {
				(true, !input.is_empty() && input.len() <= MAX_TEXTS && input.iter().all(text))
			},
		};
		let good_stop = |stop: &String| (1..=MAX_STOP_BYTES).contains(&stop.len());
		let rules = [
			(spec.version != SPEC_VERSION, "the specification is of another version"),
			(!has_text, "the task is empty, or a message's role is unknown"),
			(is_embedding != (spec.max_tokens == 0), "max_tokens does not fit the task"),
			(spec.max_tokens > most, "max_tokens is above what this model is offered with"),
			(sampling.temperature_milli > MAX_TEMPERATURE, "the temperature is above 2"),
			(!(1..=1_000).contains(&sampling.top_p_milli), "top_p is not above 0 and at most 1"),
			(sampling.seed > u64::MAX >> 1, "the seed is above 2^63 - 1"),
			(sampling.stop.len() > MAX_STOPS, "there are more than 4 stop texts"),
			(!sampling.stop.iter().all(good_stop), "a stop text is empty or too long"),
		];
		match rules.into_iter().find(|(broken, _)| *broken) {
			Some((_, reason)) => Refused::err(FaultCode::BadRequest, reason),
			None => Ok(offer.factor()),
		}
	}

	/// The models on offer, sorted: those listed, or those that miners serve now.
	pub fn models(&self) -> Vec<String> {
		let mut models: Vec<String> = match self.settings.models.is_empty() {
			true => self.sessions.all(self.now()).into_iter().flat_map(|s| s.models).collect(),
			false => self.settings.models.iter().map(|model| model.name.clone()).collect(),
		};
		models.sort();
		models.dedup();
		models
	}

	/// Accepts a job whose escrow its client has opened. The same again changes nothing.
	///
	/// # Errors
	/// [`FaultCode::BadQuote`], [`FaultCode::NotFunded`], [`FaultCode::WrongState`],
	/// [`FaultCode::Expired`], [`FaultCode::RateLimited`], [`FaultCode::ChainUnavailable`].
	pub async fn accept(&self, job: H256, access: &str, stream: bool) -> Result<Job, Refused> {
		if let Some(known) = self.job(job).await? {
			return match known.access == sha2_256(access.as_bytes()) {
				true => Ok(known),
				false => Refused::err(FaultCode::Unauthorized, "the access key is another job's"),
			};
		}
		let row = self.read(move |db| Ok(rows::quote(db, job)?)).await?;
		let Some(row) = row else {
			return Refused::err(FaultCode::BadQuote, "no such quote; ask for a new one");
		};
		if row.access != sha2_256(access.as_bytes()) {
			return Refused::err(FaultCode::Unauthorized, "the access key is another quote's");
		}
		match self.ledger.escrow(job).await? {
			Some(Escrow::Open { .. }) => (),
			None => {
				let message = "the chain holds no escrow for the job; open it with the quote first";
				return Refused::err(FaultCode::NotFunded, message);
			},
			Some(_) => return Refused::err(FaultCode::WrongState, "the job is over on chain"),
		}
		let new = self.new_job(row, None, stream, true)?;
		self.add(new).await
	}

	/// Accepts a job that the front pays for; its escrow is opened next.
	///
	/// # Errors
	/// As [`Coordinator::accept`].
	pub async fn accept_for(
		&self,
		quoted: &Quoted,
		customer: &str,
		stream: bool,
	) -> Result<Job, Refused> {
		let new = self.new_job(quoted.row.clone(), Some(customer.to_string()), stream, false)?;
		let job = self.add(new).await?;
		self.untried().insert(job.job);
		self.openings.notify_one();
		Ok(job)
	}

	fn new_job(
		&self,
		row: QuoteRow,
		customer: Option<String>,
		stream: bool,
		funded: bool,
	) -> Result<NewJob, Refused> {
		let quote = Quote::decode_all(&mut &row.quote[..])
			.map_err(|_| Refused::new(FaultCode::Internal, "a quote in the database is broken"))?;
		let spec: JobSpec = serde_json::from_str(&row.spec)?;
		let kept_back = self.settings.settle_seconds.saturating_mul(1_000);
		let deadline_ms = quote.deadline_ms.saturating_sub(kept_back);
		if deadline_ms <= self.now() {
			return Refused::err(FaultCode::Expired, "the job's deadline is too near");
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

	async fn add(&self, new: NewJob) -> Result<Job, Refused> {
		let (now, most, id) = (self.now(), self.settings.max_queue, new.quote.job);
		let job = self
			.write(move |db| {
				if rows::queued(db)? >= most {
					let message = "the queue is full; try again later";
					return Refused::err(FaultCode::RateLimited, message);
				}
				rows::add_job(db, &new, now)?;
				Ok(rows::job(db, id)?)
			})
			.await?;
		self.metrics.jobs.inc();
		self.work.notify_one();
		job.ok_or_else(|| Refused::new(FaultCode::Internal, "the job is not there"))
	}

	/// A job.
	///
	/// # Errors
	/// [`FaultCode::Internal`].
	pub async fn job(&self, job: H256) -> Result<Option<Job>, Refused> {
		self.read(move |db| Ok(rows::job(db, job)?)).await
	}

	/// Takes a job back that no miner holds. Its escrow is let go next.
	///
	/// # Errors
	/// [`FaultCode::UnknownJob`], [`FaultCode::Unauthorized`], [`FaultCode::WrongState`].
	pub async fn cancel(&self, id: H256, access: &str) -> Result<Job, Refused> {
		let now = self.now();
		let access = sha2_256(access.as_bytes());
		let job = self
			.write(move |db| {
				let Some(job) = rows::job(db, id)? else {
					return Refused::err(FaultCode::UnknownJob, "no such job");
				};
				if job.access != access {
					return Refused::err(
						FaultCode::Unauthorized,
						"the access key is another job's",
					);
				}
				if job.state == JobState::Cancelled {
					return Ok(job);
				}
				rows::change(db, id, None, &Change::Cancel, now)?.ok_or_else(|| {
					let message =
						format!("the job is {}; only queued ones are taken back", job.state);
					Refused::new(FaultCode::WrongState, message)
				})
			})
			.await?;
		self.live.end(id);
		self.receipts.notify_one();
		Ok(job)
	}
}

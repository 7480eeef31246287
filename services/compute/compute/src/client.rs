//! A client of a coordinator: asks for quotes, opens jobs on chain, waits for what comes out.

use crate::{
	coordinator::{
		api::{
			CancelAnswer, CoordinatorInfo, JobPage, JobRequest, JobShown, QuoteAnswer,
			QuoteRequest, ReceiptShown,
		},
		chain::{API, PALLET},
	},
	protocol::{Fault, FaultCode, Hex32, JobSpec},
};
use codec::{DecodeAll, Encode};
use gridproof_chain::{Chain, Failure, Included, Patience, Submitter};
use gridproof_keys::{AccountKey, SealedKey};
use gridproof_primitives::{
	H256,
	compute::{CoordinatorView, JobView, PartyRole, PriceAsset, Quote, Registration},
};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// How long a coordinator may take to answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Pause between two looks at a job.
const LOOK: Duration = Duration::from_millis(300);
/// How long the coordinator may be behind us in seeing a final block.
const CATCH_UP: Duration = Duration::from_secs(30);

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ClientFault {
	/// The coordinator does not answer, or not as one.
	#[error("the coordinator at {url} does not answer: {reason}; is it running there?")]
	Unreachable {
		/// Where.
		url: String,
		/// What happened.
		reason: String,
	},
	/// The coordinator refuses.
	#[error("the coordinator refuses: {}", .0.message)]
	Refused(Fault),
	/// What the coordinator answered is not what was asked for.
	#[error("the coordinator's quote is not what was asked for: {0}")]
	Dishonest(&'static str),
	/// It costs more than the client wants to pay.
	#[error("the job costs up to {price}, and the most to be paid is {most}")]
	TooDear {
		/// What it costs.
		price: u128,
		/// What was allowed.
		most: u128,
	},
	/// The chain says no, or nothing.
	#[error(transparent)]
	Chain(#[from] Failure),
}

/// A coordinator, over its REST.
pub struct CoordinatorClient {
	http: reqwest::Client,
	url: String,
}

impl CoordinatorClient {
	/// The coordinator at `url`, such as `http://127.0.0.1:8090`.
	///
	/// # Errors
	/// [`ClientFault::Unreachable`] if the system's certificates cannot be read.
	pub fn new(url: &str) -> Result<Self, ClientFault> {
		// An error means that another part of the program has chosen already.
		let _ = rustls::crypto::ring::default_provider().install_default();
		let http = reqwest::Client::builder().timeout(TIMEOUT).build();
		let unreachable = |error: reqwest::Error| ClientFault::Unreachable {
			url: url.to_string(),
			reason: error.to_string(),
		};
		Ok(Self { http: http.map_err(unreachable)?, url: url.trim_end_matches('/').to_string() })
	}

	async fn send<R: DeserializeOwned>(
		&self,
		request: reqwest::RequestBuilder,
		access: &str,
	) -> Result<R, ClientFault> {
		let unreachable =
			|reason: String| ClientFault::Unreachable { url: self.url.clone(), reason };
		let request = if access.is_empty() { request } else { request.bearer_auth(access) };
		let answer = request.send().await.map_err(|error| unreachable(chain_of(&error)))?;
		let status = answer.status();
		let bytes = answer.bytes().await.map_err(|error| unreachable(chain_of(&error)))?;
		if status.is_success() {
			return serde_json::from_slice(&bytes).map_err(|error| unreachable(error.to_string()));
		}
		match serde_json::from_slice(&bytes) {
			Ok(fault) => Err(ClientFault::Refused(fault)),
			Err(_) => Err(unreachable(format!("it answers {status}"))),
		}
	}

	async fn get<R: DeserializeOwned>(&self, path: &str, access: &str) -> Result<R, ClientFault> {
		self.send(self.http.get(format!("{}{path}", self.url)), access).await
	}

	async fn post<B: Serialize, R: DeserializeOwned>(
		&self,
		path: &str,
		body: &B,
		access: &str,
	) -> Result<R, ClientFault> {
		self.send(self.http.post(format!("{}{path}", self.url)).json(body), access).await
	}

	/// What it is, offers and takes.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn info(&self) -> Result<CoordinatorInfo, ClientFault> {
		self.get("/api/v1/info", "").await
	}

	/// Has a job priced, and checks that the quote is for it and for nothing else.
	///
	/// # Errors
	/// [`ClientFault`], among it [`ClientFault::Dishonest`].
	pub async fn quote(
		&self,
		spec: &JobSpec,
		client: [u8; 32],
		asset: PriceAsset,
		genesis: &H256,
	) -> Result<(QuoteAnswer, Quote), ClientFault> {
		let request = QuoteRequest { client: Hex32(client), spec: spec.clone(), asset };
		let answer: QuoteAnswer = self.post("/api/v1/quotes", &request, "").await?;
		let quote = Quote::decode_all(&mut &answer.quote.0[..])
			.map_err(|_| ClientFault::Dishonest("it is no SCALE of a quote"))?;
		let rules = [
			(quote.spec_hash == spec.hash(), "another specification"),
			(quote.client == client, "another client"),
			(quote.asset == asset, "another asset"),
			(quote.price == answer.price.0, "another price than stated"),
			(quote.job_id(genesis) == H256::from(answer.job), "another job, or another chain"),
			(quote.verify(genesis, &answer.signature.0).is_ok(), "the signature is not good"),
		];
		match rules.into_iter().find(|(holds, _)| !holds) {
			Some((_, reason)) => Err(ClientFault::Dishonest(reason)),
			None => Ok((answer, quote)),
		}
	}

	/// Submits a job that was opened; waits until the coordinator has seen that.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn submit(&self, job: Hex32, access: &str) -> Result<JobShown, ClientFault> {
		let end = tokio::time::Instant::now() + CATCH_UP;
		loop {
			match self.post("/api/v1/jobs", &JobRequest { job }, access).await {
				Err(ClientFault::Refused(fault))
					if fault.error == FaultCode::NotFunded && tokio::time::Instant::now() < end =>
				{
					tokio::time::sleep(LOOK).await;
				},
				done => return done,
			}
		}
	}

	/// A job; with its output, given its access key.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn job(&self, job: Hex32, access: &str) -> Result<JobShown, ClientFault> {
		self.get(&format!("/api/v1/jobs/{job}"), access).await
	}

	/// Waits until a job has ended and, if it is done, its money is final or refused.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn wait(
		&self,
		job: Hex32,
		access: &str,
		until_final: bool,
	) -> Result<JobShown, ClientFault> {
		use crate::coordinator::state::Settlement;
		loop {
			let shown = self.job(job, access).await?;
			let is_settled =
				shown.receipt.as_ref().is_none_or(|r| r.settlement != Settlement::Pending);
			if shown.state.is_final() && (is_settled || !until_final) {
				return Ok(shown);
			}
			tokio::time::sleep(LOOK).await;
		}
	}

	/// Jobs, the youngest first; `query` as the REST has it, such as `limit=10&state=queued`.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn jobs(&self, query: &str) -> Result<JobPage, ClientFault> {
		self.get(&format!("/api/v1/jobs?{query}"), "").await
	}

	/// Takes a job back.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn cancel(&self, job: Hex32, access: &str) -> Result<CancelAnswer, ClientFault> {
		self.post(&format!("/api/v1/jobs/{job}/cancel"), &(), access).await
	}

	/// A job's receipt with both signatures.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn receipt(&self, job: Hex32) -> Result<ReceiptShown, ClientFault> {
		self.get(&format!("/attest/receipt?job={job}"), "").await
	}
}

fn chain_of(error: &(dyn std::error::Error + 'static)) -> String {
	let mut text = error.to_string();
	let mut cause = error.source();
	while let Some(error) = cause {
		text = format!("{text}: {error}");
		cause = error.source();
	}
	text
}

async fn one_call(
	chain: &Chain,
	account: &AccountKey,
	call: &str,
	arguments: Vec<u8>,
	patience: Patience,
) -> Result<Included, Failure> {
	let submitter = Submitter::new(chain.clone(), account.clone(), patience);
	let outcomes = submitter.submit(&[(PALLET, call, arguments)]).await?;
	let missing = || Failure::Undecided { attempts: 0, reason: "no outcome".to_string() };
	outcomes.into_iter().next().unwrap_or_else(|| Err(missing()))
}

/// Opens a job with a quote, and waits until that is final.
///
/// # Errors
/// [`Failure`].
pub async fn open_job(
	chain: &Chain,
	account: &AccountKey,
	quote: &Quote,
	signature: [u8; 64],
	patience: Patience,
) -> Result<Included, Failure> {
	one_call(chain, account, "open_job", (quote, signature).encode(), patience).await
}

/// Asks on chain to cancel a job, and waits until that is final. The money is back after the
/// notice, unless the coordinator shows that the work has begun.
///
/// # Errors
/// [`Failure`].
pub async fn cancel_on_chain(
	chain: &Chain,
	account: &AccountKey,
	job: H256,
	patience: Patience,
) -> Result<Included, Failure> {
	one_call(chain, account, "cancel_job", job.encode(), patience).await
}

/// Registers a coordinator's key from the account that bonds and is paid, and waits until that is
/// final.
///
/// # Errors
/// [`Failure`].
pub async fn register_coordinator(
	chain: &Chain,
	account: &AccountKey,
	key: &SealedKey,
	patience: Patience,
) -> Result<Included, Failure> {
	let registration = Registration { role: PartyRole::Coordinator, account: account.account() };
	let proof = key.sign(&registration.signing_payload(&chain.genesis()));
	let arguments = (key.public(), proof).encode();
	one_call(chain, account, "register_coordinator", arguments, patience).await
}

/// A coordinator as the chain has it.
///
/// # Errors
/// [`Failure`].
pub async fn coordinator(
	chain: &Chain,
	key: &[u8; 32],
) -> Result<Option<CoordinatorView>, Failure> {
	chain.call(&format!("{API}_coordinator"), &key.encode()).await
}

/// A job as the chain has it.
///
/// # Errors
/// [`Failure`].
pub async fn job_on_chain(chain: &Chain, job: H256) -> Result<Option<JobView>, Failure> {
	chain.call(&format!("{API}_job"), &job.encode()).await
}

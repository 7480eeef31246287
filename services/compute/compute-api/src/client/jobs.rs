//! What a client asks a coordinator for.

use super::{
	error::ClientError,
	transport::{Failed, Transport},
};
use crate::protocol::{
	CancelAnswer, CoordinatorInfo, ErrorCode, JobInfo, JobPage, JobRequest, JobSpec, QuoteAnswer,
	QuoteRequest, ReceiptInfo, Settlement,
};
use gridproof_primitives::{
	H256,
	compute::{PriceAsset, Quote},
};
use gridproof_support::text::Hex32;
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::Instant;

/// How long a coordinator may take to answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);
/// Pause between two looks at a job.
const LOOK: Duration = Duration::from_millis(300);
/// Pause after a refusal that does not say how long to wait.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the coordinator may be behind the client in seeing a final block.
const CATCH_UP: Duration = Duration::from_secs(30);

/// A coordinator, as its clients see it.
#[derive(Clone, Debug)]
pub struct CoordinatorClient(Transport);

impl CoordinatorClient {
	/// A client of the coordinator at `url`, such as `http://127.0.0.1:8090`.
	///
	/// # Errors
	/// [`ClientError::BadUrl`]; [`ClientError::Unreachable`] if there is no TLS on this machine.
	pub fn new(url: &str) -> Result<Self, ClientError> {
		Transport::new(url).map(Self)
	}

	/// Returns what the coordinator is, offers and takes.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn info(&self) -> Result<CoordinatorInfo, ClientError> {
		self.once(self.0.get("/api/v1/info")).await
	}

	/// Has a job priced, and checks that the quote is for it and for nothing else.
	///
	/// # Errors
	/// [`ClientError`], among it [`ClientError::Dishonest`].
	pub async fn quote(
		&self,
		spec: &JobSpec,
		client: [u8; 32],
		asset: PriceAsset,
		genesis: &H256,
	) -> Result<(QuoteAnswer, Quote), ClientError> {
		let request = QuoteRequest { client: Hex32(client), spec: spec.clone(), asset };
		let answer: QuoteAnswer = self.once(self.0.post("/api/v1/quotes").json(&request)).await?;
		let quote = Quote::read(&answer.quote.0)
			.map_err(|_| ClientError::Dishonest("it is not SCALE of a quote"))?;
		let rules = [
			(quote.spec_hash == spec.hash(), "another specification"),
			(quote.client == client, "another client"),
			(quote.asset == asset, "another asset"),
			(quote.price == answer.price.0, "another price than stated"),
			(quote.job_id(genesis) == H256::from(answer.job), "another job, or another chain"),
			(quote.verify(genesis, &answer.signature.0).is_ok(), "the signature is not good"),
		];
		match rules.into_iter().find(|(holds, _)| !holds) {
			Some((_, reason)) => Err(ClientError::Dishonest(reason)),
			None => Ok((answer, quote)),
		}
	}

	/// Submits a job that was opened with a quote for `spec`, and waits until the coordinator has seen
	/// that. The money is held by then: a coordinator that is busy or away for a moment is asked again.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn submit(
		&self,
		quoted: &QuoteAnswer,
		spec: &JobSpec,
	) -> Result<JobInfo, ClientError> {
		let end = Instant::now() + CATCH_UP;
		let QuoteAnswer { job, quote, signature, access, .. } = quoted;
		let (job, signature) = (*job, *signature);
		let body = JobRequest { job, quote: quote.clone(), signature, spec: spec.clone() };
		loop {
			let request = self.0.post("/api/v1/jobs").json(&body);
			let done = self.0.answer(request.bearer_auth(access), REQUEST_LIMIT).await;
			let failed = match done {
				Ok(shown) => return Ok(shown),
				Err(failed) => failed,
			};
			let is_late = failed.error.code() == Some(ErrorCode::NotFunded);
			let pause = if is_late { LOOK } else { pause_after(&failed)? };
			if Instant::now() + pause > end {
				return Err(failed.error);
			}
			tokio::time::sleep(pause).await;
		}
	}

	/// Returns a job; with its output, given its access key.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn job(&self, job: Hex32, access: &str) -> Result<JobInfo, ClientError> {
		self.once(self.show(job, access)).await
	}

	/// Waits until a job has ended and, if `until_final` and the job is done, its money is final or
	/// refused. A coordinator that has no room or is away is asked again, for as long as the future
	/// is polled: what waits here has been paid for.
	///
	/// # Errors
	/// [`ClientError`], if it is not temporary.
	pub async fn wait(
		&self,
		job: Hex32,
		access: &str,
		until_final: bool,
	) -> Result<JobInfo, ClientError> {
		loop {
			let asked = self.0.answer(self.show(job, access), REQUEST_LIMIT).await;
			let shown: JobInfo = match asked {
				Ok(shown) => shown,
				Err(failed) => {
					tokio::time::sleep(pause_after(&failed)?).await;
					continue;
				},
			};
			let is_settled =
				shown.receipt.as_ref().is_none_or(|r| r.settlement != Settlement::Pending);
			if shown.state.is_final() && (is_settled || !until_final) {
				return Ok(shown);
			}
			tokio::time::sleep(LOOK).await;
		}
	}

	/// Returns jobs, the youngest first; `query` as the REST has it, such as
	/// `limit=10&state=queued`.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn jobs(&self, query: &str) -> Result<JobPage, ClientError> {
		self.once(self.0.get(&format!("/api/v1/jobs?{query}"))).await
	}

	/// Takes a job back that no miner has.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn cancel(&self, job: Hex32, access: &str) -> Result<CancelAnswer, ClientError> {
		let request = self.0.post(&format!("/api/v1/jobs/{job}/cancel"));
		self.once(request.json(&()).bearer_auth(access)).await
	}

	/// Returns a job's receipt with both signatures.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn receipt(&self, job: Hex32) -> Result<ReceiptInfo, ClientError> {
		self.once(self.0.get(&format!("/attest/receipt?job={job}"))).await
	}

	fn show(&self, job: Hex32, access: &str) -> RequestBuilder {
		let request = self.0.get(&format!("/api/v1/jobs/{job}"));
		if access.is_empty() { request } else { request.bearer_auth(access) }
	}

	async fn once<R: DeserializeOwned>(&self, request: RequestBuilder) -> Result<R, ClientError> {
		self.0.answer(request, REQUEST_LIMIT).await.map_err(|failed| failed.error)
	}
}

/// The pause before the same is asked again.
///
/// # Errors
/// The error itself, if asking again is of no use.
fn pause_after(failed: &Failed) -> Result<Duration, ClientError> {
	if failed.error.is_temporary() {
		Ok(failed.retry_after.unwrap_or(PAUSE))
	} else {
		Err(failed.error.clone())
	}
}

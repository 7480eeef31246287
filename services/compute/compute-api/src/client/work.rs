//! What a miner asks a coordinator for.

use super::{error::ClientError, transport::Transport};
use crate::protocol::{
	About, Accepted, Heartbeat, HeartbeatAnswer, Hello, JobResult, Lease, LinesToSign,
	MAX_WAIT_SECONDS, Progress, Refusal, SignedLine, Welcome, Work,
};
use gridproof_primitives::H256;
use gridproof_support::text::Hex32;
use reqwest::RequestBuilder;
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// How long a coordinator may take to answer, apart from waiting for work.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// How long a coordinator may take to answer a goodbye.
const GOODBYE_LIMIT: Duration = Duration::from_secs(5);
/// Seconds to wait for work: a little less than a coordinator allows.
const WAIT_SECONDS: u64 = MAX_WAIT_SECONDS.saturating_sub(5);

/// A coordinator, as its miners see it.
#[derive(Clone, Debug)]
pub struct MinerClient(Transport);

impl MinerClient {
	/// A client of the coordinator at `url`, such as `http://127.0.0.1:8090`.
	///
	/// # Errors
	/// [`ClientError::BadUrl`]; [`ClientError::Unreachable`] if there is no TLS on this machine.
	pub fn new(url: &str) -> Result<Self, ClientError> {
		Transport::new(url).map(Self)
	}

	/// The coordinator's address, without a slash at its end.
	pub fn url(&self) -> &str {
		self.0.url()
	}

	/// Returns who the coordinator is, and for which chain.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn about(&self) -> Result<About, ClientError> {
		self.answer(self.0.get("/miner/v1/about")).await
	}

	/// Begins a session.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn hello(&self, hello: &Hello) -> Result<Welcome, ClientError> {
		self.answer(self.0.post("/miner/v1/hello").json(hello)).await
	}

	/// Waits for a job, up to 25 seconds; `None` if there was none in that time.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn work(&self, session: &str) -> Result<Option<Work>, ClientError> {
		let path = format!("/miner/v1/work?wait={WAIT_SECONDS}");
		let limit = REQUEST_LIMIT.saturating_add(Duration::from_secs(WAIT_SECONDS));
		let body = self.body(self.0.post(&path).bearer_auth(session), limit).await?;
		if body.is_empty() { Ok(None) } else { self.0.read(&body).map(Some) }
	}

	/// Reports how far a job is.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn progress(
		&self,
		session: &str,
		job: H256,
		progress: &Progress,
	) -> Result<Lease, ClientError> {
		self.post(session, &job_path(job, "progress"), progress).await
	}

	/// Delivers a result.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn result(
		&self,
		session: &str,
		job: H256,
		result: &JobResult,
	) -> Result<Accepted, ClientError> {
		self.post(session, &job_path(job, "result"), result).await
	}

	/// Gives a job back.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn refuse(
		&self,
		session: &str,
		job: H256,
		refusal: &Refusal,
	) -> Result<(), ClientError> {
		let request = self.0.post(&job_path(job, "refuse")).bearer_auth(session).json(refusal);
		self.body(request, REQUEST_LIMIT).await.map(drop)
	}

	/// Says that the miner is alive, and what it works on.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn heartbeat(
		&self,
		session: &str,
		heartbeat: &Heartbeat,
	) -> Result<HeartbeatAnswer, ClientError> {
		self.post(session, "/miner/v1/heartbeat", heartbeat).await
	}

	/// Waits for lines of batches to sign, up to 25 seconds; none if there were none in that time.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn lines(&self, session: &str) -> Result<LinesToSign, ClientError> {
		let path = format!("/miner/v1/lines?wait={WAIT_SECONDS}");
		let limit = REQUEST_LIMIT.saturating_add(Duration::from_secs(WAIT_SECONDS));
		let body = self.body(self.0.get(&path).bearer_auth(session), limit).await?;
		self.0.read(&body)
	}

	/// Hands over the signature of a line.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn sign_line(&self, session: &str, signed: &SignedLine) -> Result<(), ClientError> {
		let request = self.0.post("/miner/v1/lines").bearer_auth(session).json(signed);
		self.body(request, REQUEST_LIMIT).await.map(drop)
	}

	/// Leaves: what the miner holds goes to others.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn goodbye(&self, session: &str) -> Result<(), ClientError> {
		let request = self.0.post("/miner/v1/goodbye").bearer_auth(session);
		self.body(request, GOODBYE_LIMIT).await.map(drop)
	}

	async fn post<B: Serialize + Sync, R: DeserializeOwned>(
		&self,
		session: &str,
		path: &str,
		body: &B,
	) -> Result<R, ClientError> {
		self.answer(self.0.post(path).bearer_auth(session).json(body)).await
	}

	async fn answer<R: DeserializeOwned>(&self, request: RequestBuilder) -> Result<R, ClientError> {
		self.0.answer(request, REQUEST_LIMIT).await.map_err(|failed| failed.error)
	}

	async fn body(&self, request: RequestBuilder, limit: Duration) -> Result<Vec<u8>, ClientError> {
		self.0.body(request, limit).await.map_err(|failed| failed.error)
	}
}

fn job_path(job: H256, what: &str) -> String {
	format!("/miner/v1/jobs/{}/{what}", Hex32(job.0))
}

//! A miner's requests to a coordinator.

use crate::protocol::{
	About, Accepted, Assignment, Fault, FaultCode, Heartbeat, HeartbeatAnswer, Hello, Hex32,
	JobResult, Lease, MAX_WAIT_SECONDS, Progress, Refusal, Welcome,
};
use gridproof_primitives::H256;
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// How long a coordinator may take to answer, apart from waiting for work.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a request was not answered as hoped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientFault {
	/// The coordinator is away, or overloaded: the same may succeed later.
	#[error("{0}")]
	Away(String),
	/// The coordinator refuses.
	#[error("refused by the coordinator ({code:?}): {message}")]
	Refused {
		/// For programs.
		code: FaultCode,
		/// For people.
		message: String,
	},
	/// What answers there is no coordinator.
	#[error("{0}")]
	NotUnderstood(String),
}

impl ClientFault {
	/// The reason, if it is a refusal.
	pub const fn code(&self) -> Option<FaultCode> {
		match self {
			Self::Refused { code, .. } => Some(*code),
			_ => None,
		}
	}
}

/// A coordinator behind a URL.
#[derive(Clone)]
pub struct Client {
	base: String,
	http: reqwest::Client,
}

impl Client {
	/// The coordinator at an address such as `http://127.0.0.1:8081`.
	///
	/// # Errors
	/// [`ClientFault::NotUnderstood`] if the address is none.
	pub fn new(url: &str) -> Result<Self, ClientFault> {
		// Fails if there is one already, which serves as well.
		let _ = rustls::crypto::ring::default_provider().install_default();
		if !url.starts_with("http://") && !url.starts_with("https://") {
			let reason = format!("{url:?} is no coordinator's address, as http://127.0.0.1:8081");
			return Err(ClientFault::NotUnderstood(reason));
		}
		let http = reqwest::Client::builder()
			.connect_timeout(Duration::from_secs(10))
			.redirect(reqwest::redirect::Policy::none())
			.build()
			.map_err(|error| ClientFault::NotUnderstood(error.to_string()))?;
		Ok(Self { base: url.trim_end_matches('/').to_string(), http })
	}

	/// Its address.
	pub fn url(&self) -> &str {
		&self.base
	}

	/// Who it is.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn about(&self) -> Result<About, ClientFault> {
		self.answer(self.http.get(self.path("about")), PATIENCE).await
	}

	/// Begins a session.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn hello(&self, hello: &Hello) -> Result<Welcome, ClientFault> {
		self.answer(self.http.post(self.path("hello")).json(hello), PATIENCE).await
	}

	/// Waits for a job; `None` if there was none for so long.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn work(&self, session: &str) -> Result<Option<Assignment>, ClientFault> {
		let wait = MAX_WAIT_SECONDS.saturating_sub(5);
		let url = self.path(&format!("work?wait={wait}"));
		let patience = PATIENCE.saturating_add(Duration::from_secs(wait));
		let body = self.body(self.http.post(url).bearer_auth(session), patience).await?;
		if body.is_empty() { Ok(None) } else { self.read(&body).map(Some) }
	}

	/// Tells how far a job is.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn progress(
		&self,
		session: &str,
		job: H256,
		progress: &Progress,
	) -> Result<Lease, ClientFault> {
		self.post(session, &job_path(job, "progress"), progress).await
	}

	/// Delivers a result.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn result(
		&self,
		session: &str,
		job: H256,
		result: &JobResult,
	) -> Result<Accepted, ClientFault> {
		self.post(session, &job_path(job, "result"), result).await
	}

	/// Gives a job back.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn refuse(
		&self,
		session: &str,
		job: H256,
		refusal: &Refusal,
	) -> Result<(), ClientFault> {
		let url = self.path(&job_path(job, "refuse"));
		let request = self.http.post(url).bearer_auth(session).json(refusal);
		self.body(request, PATIENCE).await.map(drop)
	}

	/// Says that the miner is alive.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn heartbeat(
		&self,
		session: &str,
		heartbeat: &Heartbeat,
	) -> Result<HeartbeatAnswer, ClientFault> {
		self.post(session, "heartbeat", heartbeat).await
	}

	/// Leaves.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn goodbye(&self, session: &str) -> Result<(), ClientFault> {
		let request = self.http.post(self.path("goodbye")).bearer_auth(session);
		self.body(request, Duration::from_secs(5)).await.map(drop)
	}

	fn path(&self, rest: &str) -> String {
		format!("{}/miner/v1/{rest}", self.base)
	}

	async fn post<B: Serialize + Sync, R: DeserializeOwned>(
		&self,
		session: &str,
		path: &str,
		body: &B,
	) -> Result<R, ClientFault> {
		let request = self.http.post(self.path(path)).bearer_auth(session).json(body);
		self.answer(request, PATIENCE).await
	}

	async fn answer<R: DeserializeOwned>(
		&self,
		request: reqwest::RequestBuilder,
		patience: Duration,
	) -> Result<R, ClientFault> {
		let body = self.body(request, patience).await?;
		self.read(&body)
	}

	fn read<R: DeserializeOwned>(&self, body: &[u8]) -> Result<R, ClientFault> {
		serde_json::from_slice(body).map_err(|error| {
			let reason = format!("{} answers otherwise than a coordinator: {error}", self.base);
			ClientFault::NotUnderstood(reason)
		})
	}

	async fn body(
		&self,
		request: reqwest::RequestBuilder,
		patience: Duration,
	) -> Result<Vec<u8>, ClientFault> {
		let away = |error: reqwest::Error| {
			let why = match (error.is_connect(), error.is_timeout()) {
				(true, _) => "nobody answers there",
				(_, true) => "no answer in time",
				_ => "the connection broke",
			};
			ClientFault::Away(format!("the coordinator {}: {why}", self.base))
		};
		let response = request.timeout(patience).send().await.map_err(away)?;
		let status = response.status();
		let body = response.bytes().await.map_err(away)?.to_vec();
		if status.is_success() {
			return Ok(body);
		}
		let fault: Option<Fault> = serde_json::from_slice(&body).ok();
		let (code, message) = match fault {
			Some(fault) => (Some(fault.error), fault.message),
			None => (None, format!("{} answers {status}", self.base)),
		};
		let is_passing = status.is_server_error()
			|| matches!(
				code,
				Some(FaultCode::RateLimited | FaultCode::ChainUnavailable | FaultCode::Internal)
			);
		Err(match code {
			_ if is_passing => ClientFault::Away(message),
			Some(code) => ClientFault::Refused { code, message },
			None => ClientFault::NotUnderstood(message),
		})
	}
}

fn job_path(job: H256, what: &str) -> String {
	format!("jobs/{}/{what}", Hex32(job.0))
}

//! Pins the files of batches over the IPFS Pinning Service API.

use crate::{
	config::Pinning,
	ids::batch_id,
	storage::{Batch, PinProgress, Storage},
};
use gridproof_store::StoreError;
use gridproof_support::{Backoff, clock::now_ms, http_client};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Files looked at in one go.
const PAGE: u32 = 100;
/// How long the service may take before it is asked again how far a file is; it doubles each time.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(60), Duration::from_secs(86_400));
/// Bytes of an answer that are read.
const MAX_ANSWER: usize = 65_536;

/// Why a file is not pinned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
	/// The service does not answer, or not as it should.
	#[error("the pinning service fails: {0}")]
	Service(String),
	/// What it said could not be kept.
	#[error(transparent)]
	Store(#[from] StoreError),
}

#[derive(Serialize)]
struct Pin<'a> {
	cid: String,
	name: String,
	origins: &'a [String],
}

#[derive(Deserialize)]
struct PinStatus {
	requestid: Option<String>,
	status: String,
}

/// Why the service takes one file not, or nothing at all.
enum Refused {
	/// This one.
	File(String),
	/// Whatever is asked.
	All(PinError),
}

/// Asks a pinning service to keep the files.
pub(crate) struct Pinner {
	storage: Arc<dyn Storage>,
	settings: Pinning,
	client: reqwest::Client,
}

impl Pinner {
	/// Pins what `storage` has at this service.
	///
	/// # Errors
	/// [`PinError::Service`] if there is no HTTP client.
	pub(crate) fn new(storage: Arc<dyn Storage>, settings: Pinning) -> Result<Self, PinError> {
		let client = http_client::client(Duration::from_secs(30))
			.map_err(|error| PinError::Service(error.to_string()))?;
		Ok(Self { storage, settings, client })
	}

	/// Asks for all files that are due, and how far those are that were asked for. One that the service
	/// refuses waits, and holds up no other. Answers how many were due.
	///
	/// # Errors
	/// [`PinError`] when the service takes nothing at all; what was asked for before it stays so.
	pub(crate) async fn round(&self) -> Result<usize, PinError> {
		let due = self.storage.to_pin(now_ms(), PAGE).await?;
		for (batch, progress) in &due {
			let attempts = progress.attempts.saturating_add(1);
			let pause = PAUSES.pause_after(attempts);
			let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
			let next_ms = now_ms().saturating_add(pause_ms);
			let progress = match self.ask(batch, progress.request.as_deref()).await {
				Ok(PinStatus { status, .. }) if status == "failed" => {
					PinProgress { status, request: None, attempts, next_ms }
				},
				Ok(PinStatus { status, requestid }) => {
					let request = requestid.or_else(|| progress.request.clone());
					let status = status.chars().take(32).collect();
					PinProgress { status, request, attempts, next_ms }
				},
				Err(Refused::File(status)) => {
					tracing::warn!(batch = %batch_id(batch.row), %status, "a file is not pinned");
					PinProgress { status, request: None, attempts, next_ms }
				},
				Err(Refused::All(error)) => return Err(error),
			};
			self.storage.pinned(batch.row, progress).await?;
		}
		Ok(due.len())
	}

	/// Asks for a file, or how far a request is.
	async fn ask(&self, batch: &Batch, request: Option<&str>) -> Result<PinStatus, Refused> {
		let url = format!("{}/pins", self.settings.url.trim_end_matches('/'));
		let mut asked = match request {
			Some(id)
				if id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) =>
			{
				self.client.get(format!("{url}/{id}"))
			},
			_ => self.client.post(url).json(&Pin {
				cid: batch.cid.to_string(),
				name: batch_id(batch.row),
				origins: &self.settings.origins,
			}),
		};
		if let Some(token) = &self.settings.token {
			asked = asked.bearer_auth(token.as_str());
		}
		let all = |reason: String| Refused::All(PinError::Service(reason));
		let mut answer =
			asked.send().await.map_err(|error| all(error.without_url().to_string()))?;
		let code = answer.status();
		let mut body = Vec::new();
		while let Ok(Some(piece)) = answer.chunk().await {
			body.extend_from_slice(&piece);
			if body.len() > MAX_ANSWER {
				break;
			}
		}
		if code.is_success() {
			let read = serde_json::from_slice(&body);
			return read
				.map_err(|_| Refused::File("the service answers something else".to_string()));
		}
		let detail: String = String::from_utf8_lossy(&body).chars().take(200).collect();
		let reason = format!("status {}: {detail}", code.as_u16());
		// The token, too much, or the service itself: the same for every file.
		let is_of_all = code.is_server_error() || matches!(code.as_u16(), 401 | 403 | 429);
		Err(if is_of_all { all(reason) } else { Refused::File(reason) })
	}
}

//! Pins the files of batches over the IPFS Pinning Service API.

use crate::{
	config::Pinning,
	ids::batch_id,
	storage::{Batch, Storage},
};
use gridproof_store::StoreError;
use gridproof_support::http_client;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Files asked for in one go.
const PAGE: u32 = 100;

/// Why a file is not pinned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
	/// The service does not answer, or not as it should.
	#[error("the pinning service fails: {0}")]
	Service(String),
	/// What it said could not be kept.
	#[error("{0}")]
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
	status: String,
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

	/// Asks for all files that were not asked for yet. Answers how many.
	///
	/// # Errors
	/// [`PinError`]; what was asked for before it stays so.
	pub(crate) async fn round(&self) -> Result<usize, PinError> {
		let batches = self.storage.unpinned(PAGE).await?;
		for batch in &batches {
			let status = self.pin(batch).await?;
			self.storage.pinned(batch.row, status).await?;
		}
		Ok(batches.len())
	}

	async fn pin(&self, batch: &Batch) -> Result<String, PinError> {
		let pin = Pin {
			cid: batch.cid.to_string(),
			name: batch_id(batch.row),
			origins: &self.settings.origins,
		};
		let url = format!("{}/pins", self.settings.url.trim_end_matches('/'));
		let mut request = self.client.post(url).json(&pin);
		if let Some(token) = &self.settings.token {
			request = request.bearer_auth(token.as_str());
		}
		let service = |error: reqwest::Error| PinError::Service(error.without_url().to_string());
		let answer = request.send().await.map_err(service)?;
		let code = answer.status();
		if !code.is_success() {
			let detail: String =
				answer.text().await.unwrap_or_default().chars().take(200).collect();
			return Err(PinError::Service(format!("status {code}: {detail}")));
		}
		let status: PinStatus = answer.json().await.map_err(service)?;
		Ok(status.status.chars().take(32).collect())
	}
}

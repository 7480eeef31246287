//! What verifiers, and clients that dispute, ask a coordinator for.

use super::{
	error::ClientError,
	transport::{Failed, Transport},
};
use crate::protocol::{Opening, OpeningAsk};
use codec::DecodeAll;
use gridproof_primitives::compute::channels::ChannelReceipt;
use gridproof_support::text::Hex32;
use std::time::Duration;

/// How long a coordinator may take to show an opening, or the receipts of a batch.
const LIMIT: Duration = Duration::from_secs(30);

/// A coordinator, as those see it who may see openings.
#[derive(Clone, Debug)]
pub struct OpeningClient(Transport);

impl OpeningClient {
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

	/// Returns what a receipt was made of. Nothing of it is checked yet: see [`Opening::check`].
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn opening(&self, receipt: Hex32, ask: &OpeningAsk) -> Result<Opening, ClientError> {
		let asked = self.0.post(&format!("/v1/receipts/{receipt}/opening")).json(ask);
		self.0.answer(asked, LIMIT).await.map_err(|Failed { error, .. }: Failed| error)
	}

	/// Returns the receipts of a batch, in the order of its tree, as the coordinator publishes them.
	/// Whether they are those of a header, who asks has to check.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn receipts(&self, sequence: u64) -> Result<Vec<ChannelReceipt>, ClientError> {
		let asked = self.0.get(&format!("/v1/batches/{sequence}/receipts"));
		let file = self.0.body(asked, LIMIT).await.map_err(|Failed { error, .. }: Failed| error)?;
		Vec::<ChannelReceipt>::decode_all(&mut &file[..]).map_err(|_| {
			let reason = "what it publishes is not a batch's receipts".to_string();
			ClientError::NotUnderstood { url: self.url().to_string(), reason }
		})
	}
}

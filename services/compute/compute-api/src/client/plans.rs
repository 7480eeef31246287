//! What the buyer of a plan asks a coordinator for.

use super::{
	error::ClientError,
	transport::{Failed, Transport},
};
use crate::protocol::{ErrorCode, KeyAnswer, KeyRequest, PlanState, Plans, key_payload};
use gridproof_primitives::compute::channels::ChannelId;
use gridproof_support::text::HexBytes;
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long a coordinator may take to answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// How often a channel is asked for that the coordinator's node may not know yet.
const TRIES: u32 = 20;
/// Pause between two tries: longer than a coordinator remembers that there is no such channel.
const PAUSE: Duration = Duration::from_millis(3_200);

/// A coordinator, as the buyers of its plans see it.
#[derive(Clone, Debug)]
pub struct PlanClient(Transport);

impl PlanClient {
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

	/// Returns the plans on offer.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn plans(&self) -> Result<Plans, ClientError> {
		self.answer(self.0.get("/v1/plans")).await
	}

	/// Returns what is left of a channel, and of its plan.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn state(&self, channel: ChannelId) -> Result<PlanState, ClientError> {
		self.answer(self.0.get(&format!("/v1/channels/{channel}/plan"))).await
	}

	/// Returns the same of a channel that was opened or renewed a moment ago: asks until the coordinator's
	/// node has what `holds` looks for.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn state_once(
		&self,
		channel: ChannelId,
		holds: impl Fn(&PlanState) -> bool,
	) -> Result<PlanState, ClientError> {
		let mut last = self.state(channel).await;
		for _ in 0..TRIES {
			match &last {
				Ok(state) if holds(state) => break,
				Err(error) if !is_unknown(error) => break,
				_ => (),
			}
			tokio::time::sleep(PAUSE).await;
			last = self.state(channel).await;
		}
		last
	}

	/// Has an API key made for a channel whose key the coordinator keeps. `sign` makes the signature of
	/// the account that opened it, as the chain's `MultiSignature` is encoded.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn key(
		&self,
		channel: ChannelId,
		sign: impl Fn(&[u8]) -> Vec<u8>,
	) -> Result<KeyAnswer, ClientError> {
		// The coordinator's own time: that of this machine need not be right.
		let Plans { coordinator, genesis, time_ms, .. } = self.plans().await?;
		let payload = key_payload(&genesis.into(), &coordinator.0, channel, time_ms);
		let request = KeyRequest { time_ms, signature: HexBytes(sign(&payload)) };
		self.answer(self.0.post(&format!("/v1/channels/{channel}/key")).json(&request)).await
	}

	async fn answer<R: DeserializeOwned>(&self, request: RequestBuilder) -> Result<R, ClientError> {
		self.0.answer(request, REQUEST_LIMIT).await.map_err(|Failed { error, .. }: Failed| error)
	}
}

fn is_unknown(error: &ClientError) -> bool {
	error.code() == Some(ErrorCode::UnknownChannel) || error.is_temporary()
}

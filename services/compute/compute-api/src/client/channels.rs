//! What the client of a channel asks a coordinator for.

use super::{
	error::ClientError,
	transport::{Failed, Transport},
};
use crate::protocol::{
	BatchAnswer, BatchStage, ChannelInfo, ClosedVouchers, OpenVouchers, ReceiptAnswer,
	SECRET_HEADER, VOUCHER_HEADER,
};
use codec::{DecodeAll, Encode};
use gridproof_primitives::compute::channels::{ChannelId, Secret, SettlementHeader, SignedVoucher};
use gridproof_support::text::{Hex32, HexBytes};
use reqwest::{RequestBuilder, Response, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long a coordinator may take to answer what no model is needed for.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// Most headers that are fetched for one proof: more than the chain lets lie between two that it keeps,
/// and what a coordinator makes in a week at one a minute.
const MAX_HEADERS: u64 = 10_080;

/// A coordinator, as the clients of its channels see it.
#[derive(Clone, Debug)]
pub struct ChannelClient(Transport);

impl ChannelClient {
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

	/// Returns what the coordinator holds of a channel.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn channel(&self, channel: ChannelId) -> Result<ChannelInfo, ClientError> {
		self.answer(self.0.get(&format!("/v1/channels/{channel}"))).await
	}

	/// Has vouchers closed whose requests were not answered, by rising number, at most
	/// [`MAX_VOUCHERS`](crate::protocol::MAX_VOUCHERS).
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn close_vouchers(
		&self,
		channel: ChannelId,
		vouchers: &[SignedVoucher],
	) -> Result<ClosedVouchers, ClientError> {
		let vouchers = vouchers.iter().map(|voucher| HexBytes(voucher.encode())).collect();
		let request = self.0.post(&format!("/v1/channels/{channel}/vouchers"));
		self.answer(request.json(&OpenVouchers { vouchers })).await
	}

	/// Returns the receipt of a voucher.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn receipt_of(
		&self,
		channel: ChannelId,
		number: u64,
	) -> Result<ReceiptAnswer, ClientError> {
		self.answer(self.0.get(&format!("/v1/channels/{channel}/receipts/{number}"))).await
	}

	/// Returns the receipt of an id with its proof, once a batch settles it.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn receipt(&self, id: Hex32) -> Result<ReceiptAnswer, ClientError> {
		self.answer(self.0.get(&format!("/v1/receipts/{id}"))).await
	}

	/// Returns a batch.
	///
	/// # Errors
	/// [`ClientError`].
	pub async fn batch(&self, sequence: u64) -> Result<BatchAnswer, ClientError> {
		self.answer(self.0.get(&format!("/v1/batches/{sequence}"))).await
	}

	/// Returns the headers of a coordinator's batches from `first` to `last`, the newest first, as it
	/// publishes them, without those that were refused. Whether they are the chain's, who asks has to
	/// check.
	///
	/// # Errors
	/// [`ClientError`]; [`ClientError::NotUnderstood`] if what comes is not a header, or more than
	/// [`MAX_HEADERS`] are asked for.
	pub async fn headers(
		&self,
		first: u64,
		last: u64,
	) -> Result<Vec<SettlementHeader>, ClientError> {
		let not_understood = |reason: &str| ClientError::NotUnderstood {
			url: self.url().to_string(),
			reason: reason.to_string(),
		};
		if last.saturating_sub(first) >= MAX_HEADERS {
			return Err(not_understood("too many batches lie between this one and the chain's"));
		}
		let mut headers = Vec::new();
		for sequence in (first..=last).rev() {
			let batch = self.batch(sequence).await?;
			if batch.stage == BatchStage::Refused {
				continue;
			}
			let header = SettlementHeader::decode_all(&mut &batch.header.0[..]);
			headers.push(header.map_err(|_| not_understood("a batch has no header"))?);
		}
		Ok(headers)
	}

	/// Makes a request of OpenAI's form that a voucher pays for, and returns the answer as it comes,
	/// whatever its status. It takes as long as the model needs.
	///
	/// # Errors
	/// [`ClientError::Unreachable`] if there is no answer.
	pub async fn request(
		&self,
		path: &str,
		body: Vec<u8>,
		voucher: &SignedVoucher,
		secret: &Secret,
	) -> Result<Response, ClientError> {
		let request = self
			.0
			.post(path)
			.header(CONTENT_TYPE, "application/json")
			.header(VOUCHER_HEADER, HexBytes(voucher.encode()).to_string())
			.header(SECRET_HEADER, Hex32(*secret).to_string())
			.body(body);
		request.send().await.map_err(|error| self.0.unreachable(&error))
	}

	async fn answer<R: DeserializeOwned>(&self, request: RequestBuilder) -> Result<R, ClientError> {
		self.0.answer(request, REQUEST_LIMIT).await.map_err(|Failed { error, .. }: Failed| error)
	}
}

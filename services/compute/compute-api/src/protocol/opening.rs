//! Openings: what a receipt was made of, for those who may see it.
//!
//! A verifier that the chain has drawn, one that re-opens a report, a witness to a demand, a juror of a
//! dispute, and the client itself ask the coordinator for it, and say with a signature who they are.
//! Nobody else gets it, and nobody gets that of a private channel.

use super::{channel::TokenIds, job::JobSpec};
use codec::Encode;
use gridproof_primitives::H256;
use gridproof_support::text::{Hex32, Hex64, HexBytes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// First words of what a client signs to see an opening.
const OPENING_DOMAIN: &str = "gridproof/client-opening/v1";
/// A request is refused when its time is further from the coordinator's than this, in milliseconds.
pub const OPENING_SKEW_MS: u64 = 60_000;

/// Asks for the opening of a receipt: `POST /v1/receipts/{id}/opening`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "as", rename_all = "snake_case", deny_unknown_fields)]
pub enum OpeningAsk {
	/// A verifier asks, by a duty that the chain gave it.
	Verifier {
		/// SCALE of `primitives::compute::checks::OpeningRequest`, of which the index is the receipt's in its
		/// batch.
		request: HexBytes,
		/// The verifier's sr25519 signature of it.
		signature: Hex64,
	},
	/// The client asks whose request it was.
	Client {
		/// Key of the channel, or of the account that opened it.
		key: Hex32,
		/// When this was signed, UTC milliseconds: within a minute of the coordinator's time.
		time_ms: u64,
		/// Signature of [`opening_payload`] by that key: a byte for the scheme (0 Ed25519, 1 sr25519, 2
		/// ECDSA), then 64 or 65 bytes.
		signature: HexBytes,
	},
}

/// Returns what a client signs to see an opening: SCALE of the domain, the chain's genesis, the
/// coordinator's key, the receipt's id, its own key and the time.
pub fn opening_payload(
	genesis: &H256,
	coordinator: &[u8; 32],
	receipt: &H256,
	key: &[u8; 32],
	time_ms: u64,
) -> Vec<u8> {
	(OPENING_DOMAIN, genesis, coordinator, receipt, key, time_ms).encode()
}

/// What a receipt of a channel was made of. Its holder can check every part against the receipt, the
/// voucher and the batch: [`Opening::check`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Opening {
	/// Id of the receipt.
	pub receipt_id: Hex32,
	/// SCALE of the [`IssuedReceipt`](super::IssuedReceipt).
	pub issued: HexBytes,
	/// SCALE of the signed voucher that pays for it; the seed of the sampler follows from it.
	pub voucher: HexBytes,
	/// The request's secret, from which all salts are made.
	pub secret: Hex32,
	/// The very bytes of the request's body, as the client sent it.
	pub request: HexBytes,
	/// What the coordinator had done for it.
	pub spec: JobSpec,
	/// Token ids of prompt and output.
	pub tokens: TokenIds,
	/// Sequence number of the batch that settles it; none before there is one.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub batch: Option<u64>,
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_clients_signature_is_for_one_receipt_at_one_time_of_one_coordinator_of_one_chain() {
		let (chain, coordinator, receipt) = (H256([7; 32]), [1; 32], H256([2; 32]));
		let payload = opening_payload(&chain, &coordinator, &receipt, &[3; 32], 9);
		for other in [
			opening_payload(&H256([8; 32]), &coordinator, &receipt, &[3; 32], 9),
			opening_payload(&chain, &[2; 32], &receipt, &[3; 32], 9),
			opening_payload(&chain, &coordinator, &H256([3; 32]), &[3; 32], 9),
			opening_payload(&chain, &coordinator, &receipt, &[4; 32], 9),
			opening_payload(&chain, &coordinator, &receipt, &[3; 32], 10),
		] {
			assert_ne!(other, payload);
		}
	}

	#[test]
	fn who_asks_is_written_by_its_name() {
		let signature = "00".repeat(64);
		let text = format!(r#"{{"as":"verifier","request":"0x0102","signature":"0x{signature}"}}"#);
		let ask: OpeningAsk = serde_json::from_str(&text).unwrap();
		let wanted =
			OpeningAsk::Verifier { request: HexBytes(vec![1, 2]), signature: Hex64([0; 64]) };
		assert_eq!(ask, wanted);
		assert!(serde_json::from_str::<OpeningAsk>(r#"{"as":"friend"}"#).is_err());
	}
}

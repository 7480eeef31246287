//! Quotes, as jobs keep them.

use gridproof_primitives::H256;

/// A quote that was given and may become a job. It is stored with the job only: until then its client
/// keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteRow {
	/// Id of the job that it opens.
	pub job: H256,
	/// SCALE of the quote.
	pub quote: Vec<u8>,
	/// The coordinator's signature over it.
	pub signature: [u8; 64],
	/// Canonical JSON of the specification.
	pub spec: String,
	/// Price of a compute unit, in the asset's smallest unit.
	pub unit_price: u128,
	/// SHA-256 of the secret that opens the job's output.
	pub access: [u8; 32],
}

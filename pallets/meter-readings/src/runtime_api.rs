//! Runtime API: meters, their totals and batches, proofs of readings.

use crate::types::{Limits, Organisation, OrganisationIndex, Usage};
use alloc::vec::Vec;
use codec::Codec;
use gridproof_primitives::{
	H256,
	energy::{
		Accepted, Anchor, BatchHeader, BatchRecord, BatchRefusal, MeterIndex, MeterInfo, MeterName,
		Overview, ReadingRefusal, SignedBatch, Totals,
	},
};

sp_api::decl_runtime_apis! {
	/// Queries of the meter readings pallet.
	pub trait MeterReadingsApi<AccountId, Balance, BlockNumber>
	where
		AccountId: Codec,
		Balance: Codec,
		BlockNumber: Codec,
	{
		/// A meter in service.
		fn meter(meter: MeterIndex) -> Option<MeterInfo<AccountId>>;

		/// The meter in service that has a name.
		fn meter_by_name(name: MeterName) -> Option<(MeterIndex, MeterInfo<AccountId>)>;

		/// The meters in service from index `from` on, at most `limit` of them and 1,000.
		fn meters(from: MeterIndex, limit: u32) -> Vec<MeterInfo<AccountId>>;

		/// A meter's energy in time.
		fn totals(meter: MeterIndex) -> Option<Totals>;

		/// A batch, if it is among those kept.
		fn batch(meter: MeterIndex, sequence: u64) -> Option<BatchRecord>;

		/// The anchor of a batch, if it is among those kept.
		fn anchor(meter: MeterIndex, sequence: u64) -> Option<Anchor>;

		/// Is this reading, its canonical JSON, in a batch that is kept? By RFC 6962.
		fn verify_reading(
			meter: MeterIndex,
			sequence: u64,
			leaf: Vec<u8>,
			index: u32,
			proof: Vec<H256>,
		) -> Result<(), ReadingRefusal>;

		/// Is this reading in the batch of the first of these headers? The others follow it
		/// without a gap, up to one that the chain knows.
		fn verify_older_reading(
			headers: Vec<BatchHeader>,
			leaf: Vec<u8>,
			index: u32,
			proof: Vec<H256>,
		) -> Result<(), ReadingRefusal>;

		/// What would become of these batches now, in this order.
		fn preview_batches(batches: Vec<SignedBatch>) -> Vec<Result<Accepted, BatchRefusal>>;

		/// How much there is.
		fn overview() -> Overview;

		/// An organisation.
		fn organisation(
			organisation: OrganisationIndex,
		) -> Option<Organisation<AccountId, Balance>>;

		/// Is this account an electrician of the organisation?
		fn is_member(organisation: OrganisationIndex, who: AccountId) -> bool;

		/// What governance decided, and what was minted lately.
		fn limits() -> (Limits, Usage<BlockNumber>);
	}
}

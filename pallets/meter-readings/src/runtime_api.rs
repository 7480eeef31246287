//! Runtime API: meters, their totals and batches, proofs of readings.

use crate::types::{Limits, Organisation, OrganisationIndex, Usage};
use alloc::vec::Vec;
use codec::Codec;
use gridproof_primitives::{
	H256,
	energy::{
		Accepted, Anchor, BatchHeader, BatchRecord, BatchRefusal, MeterIndex, MeterInfo, MeterName,
		MeterPage, Overview, ReadingRefusal, SignedBatch, Totals,
	},
};

sp_api::decl_runtime_apis! {
	/// Queries of the meter readings pallet.
	#[api_version(2)]
	pub trait MeterReadingsApi<AccountId, Balance, BlockNumber>
	where
		AccountId: Codec,
		Balance: Codec,
		BlockNumber: Codec,
	{
		/// Returns a meter in service; `None` if there is none with this index.
		fn meter(meter: MeterIndex) -> Option<MeterInfo<AccountId>>;

		/// Returns the meter in service that has this name, with its index.
		fn meter_by_name(name: MeterName) -> Option<(MeterIndex, MeterInfo<AccountId>)>;

		/// Returns the meters in service from index `from` on, at most `limit` and at most 1,000, of 4,000
		/// indices at most. Whether there are more, `meter_page` says.
		fn meters(from: MeterIndex, limit: u32) -> Vec<MeterInfo<AccountId>>;

		/// Returns the meters in service from index `from` on, at most `limit` and at most 1,000, of 4,000
		/// indices at most, and the index from which the list goes on.
		fn meter_page(from: MeterIndex, limit: u32) -> MeterPage<AccountId>;

		/// Returns a meter's energy over several spans of time, in Wh.
		fn totals(meter: MeterIndex) -> Option<Totals>;

		/// Returns a batch, `None` if it is not among those kept.
		fn batch(meter: MeterIndex, sequence: u64) -> Option<BatchRecord>;

		/// Returns the anchor of a batch, `None` if it is not among those kept.
		fn anchor(meter: MeterIndex, sequence: u64) -> Option<Anchor>;

		/// Returns an error unless this reading, as canonical JSON, is in a batch that is kept, by
		/// its RFC 6962 inclusion proof.
		fn verify_reading(
			meter: MeterIndex,
			sequence: u64,
			leaf: Vec<u8>,
			index: u32,
			proof: Vec<H256>,
		) -> Result<(), ReadingRefusal>;

		/// Returns an error unless this reading is in the batch of the first of these headers. The
		/// others must follow it without a gap, up to one that the chain knows.
		fn verify_older_reading(
			headers: Vec<BatchHeader>,
			leaf: Vec<u8>,
			index: u32,
			proof: Vec<H256>,
		) -> Result<(), ReadingRefusal>;

		/// Returns for each of these batches, in this order, whether it would be accepted now, free of
		/// fees.
		fn preview_batches(batches: Vec<SignedBatch>) -> Vec<Result<Accepted, BatchRefusal>>;

		/// Returns the totals of the network: organisations, meters, batches, energy.
		fn overview() -> Overview;

		/// Returns the organisation with this number.
		fn organisation(
			organisation: OrganisationIndex,
		) -> Option<Organisation<AccountId, Balance>>;

		/// Returns `true` if this account is an electrician of the organisation.
		fn is_member(organisation: OrganisationIndex, who: AccountId) -> bool;

		/// Returns the limits that governance has set, and what the last block and day have minted.
		fn limits() -> (Limits, Usage<BlockNumber>);
	}
}

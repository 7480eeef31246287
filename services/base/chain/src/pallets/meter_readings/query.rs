//! Questions.

use super::{Electricians, Limits, Meter, Usage};
use crate::{Query, pallets::AccountId};
use gridproof_primitives::{
	H256,
	energy::{
		Accepted, Anchor, BatchHeader, BatchRecord, BatchRefusal, MeterIndex, MeterName, MeterPage,
		OrganisationIndex, Overview, ReadingRefusal, SignedBatch, Totals,
	},
};

/// A meter in service.
pub fn meter(meter: MeterIndex) -> Query<Option<Meter>> {
	Query::new("MeterReadingsApi_meter", &meter)
}

/// The meter in service that has a name.
pub fn meter_by_name(name: &MeterName) -> Query<Option<(MeterIndex, Meter)>> {
	Query::new("MeterReadingsApi_meter_by_name", name)
}

/// The meters in service from index `from` on, at most `limit` of them and 1,000, and where the list continues.
pub fn meters(from: MeterIndex, limit: u32) -> Query<MeterPage<AccountId>> {
	Query::new("MeterReadingsApi_meter_page", &(from, limit))
}

/// A meter's energy over some spans of time.
pub fn totals(meter: MeterIndex) -> Query<Option<Totals>> {
	Query::new("MeterReadingsApi_totals", &meter)
}

/// A batch, if it is among those kept.
pub fn batch(meter: MeterIndex, sequence: u64) -> Query<Option<BatchRecord>> {
	Query::new("MeterReadingsApi_batch", &(meter, sequence))
}

/// The anchor of a batch, if it is among those kept.
pub fn anchor(meter: MeterIndex, sequence: u64) -> Query<Option<Anchor>> {
	Query::new("MeterReadingsApi_anchor", &(meter, sequence))
}

/// Whether a reading, its canonical JSON, is at this place in a batch that is kept. By RFC 6962.
pub fn verify_reading(
	(meter, sequence): (MeterIndex, u64),
	leaf: &[u8],
	index: u32,
	proof: &[H256],
) -> Query<Result<(), ReadingRefusal>> {
	Query::new("MeterReadingsApi_verify_reading", &(meter, sequence, leaf, index, proof))
}

/// Whether a reading is in the batch of the first of these headers. The others follow it without
/// a gap, up to one that the chain knows.
pub fn verify_older_reading(
	headers: &[BatchHeader],
	leaf: &[u8],
	index: u32,
	proof: &[H256],
) -> Query<Result<(), ReadingRefusal>> {
	Query::new("MeterReadingsApi_verify_older_reading", &(headers, leaf, index, proof))
}

/// What would become of these batches now, free of fees, in this order.
pub fn preview_batches(batches: &[SignedBatch]) -> Query<Vec<Result<Accepted, BatchRefusal>>> {
	Query::new("MeterReadingsApi_preview_batches", &batches)
}

/// How much there is.
pub fn overview() -> Query<Overview> {
	Query::new("MeterReadingsApi_overview", &())
}

/// An organisation.
pub fn organisation(organisation: OrganisationIndex) -> Query<Option<Electricians>> {
	Query::new("MeterReadingsApi_organisation", &organisation)
}

/// Whether an account is an electrician of an organisation.
pub fn is_member(organisation: OrganisationIndex, who: AccountId) -> Query<bool> {
	Query::new("MeterReadingsApi_is_member", &(organisation, who))
}

/// What governance decided, and what was minted lately.
pub fn limits() -> Query<(Limits, Usage)> {
	Query::new("MeterReadingsApi_limits", &())
}

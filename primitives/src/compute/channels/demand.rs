//! Demands: a receipt that its coordinator did not settle in time.

use super::{ChannelReceipt, ChannelSums, HEADERS_PER_MARK, Placed, SettlementHeader};
use crate::{H256, crypto::merkle::ProofError};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, ops::RangeInclusive};
use scale_info::TypeInfo;

/// Reason why a receipt is not demanded, or a demand not answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DemandRefusal {
	/// The coordinator still has time to settle the receipt.
	NotDue,
	/// The answer is another receipt than the one that was demanded.
	OtherReceipt,
	/// The answer is not in the batch.
	NotIncluded(ProofError),
}

impl fmt::Display for DemandRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::NotDue => f.write_str("the coordinator still has time to settle the receipt"),
			Self::OtherReceipt => f.write_str("the answer is another receipt"),
			Self::NotIncluded(error) => write!(f, "the receipt is not in the batch: {error}"),
		}
	}
}

impl core::error::Error for DemandRefusal {}

/// What a demanded receipt is, by the chain's own sums.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Demanded {
	/// Its count is not settled: the coordinator has to settle it.
	#[codec(index = 0)]
	Unsettled,
	/// Its count is settled: the coordinator has to show that it was this receipt.
	#[codec(index = 1)]
	Counted,
}

/// An open demand as the chain shows it.
#[derive(Encode, Decode, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct DemandView {
	/// Hash of what the coordinator signed: the demand's id.
	pub id: H256,
	/// Receipt with its running sums.
	pub receipt: ChannelReceipt,
	/// Account that asks.
	pub who: [u8; 32],
	/// What the coordinator has to show.
	pub demanded: Demanded,
	/// Deposit that pays the answer, in units of 10⁻¹⁸ AIT.
	pub deposit: u128,
	/// Time until which it can be answered, in UTC milliseconds, as of now: it moves on while
	/// settlement is stopped.
	pub due_ms: u64,
}

/// Returns what the coordinator has to show about a receipt that somebody holds at `now`, in UTC
/// milliseconds, after its time. `settled` are the sums up to which its channel is settled.
///
/// # Errors
/// [`DemandRefusal::NotDue`].
pub fn demand(
	receipt: &ChannelReceipt,
	settled: &ChannelSums,
	now: u64,
) -> Result<Demanded, DemandRefusal> {
	if now <= receipt.receipt.settle_by_ms {
		Err(DemandRefusal::NotDue)
	} else if receipt.sums.channel.count > settled.count {
		Ok(Demanded::Unsettled)
	} else {
		Ok(Demanded::Counted)
	}
}

/// Checks a coordinator's answer to a demand: the very receipt, in one of its batches. That the
/// header is one of its own, the chain knows or [`super::HeaderChain::ends_with`] says.
///
/// # Errors
/// [`DemandRefusal::OtherReceipt`] or [`DemandRefusal::NotIncluded`].
pub fn check_answer(
	demanded: &ChannelReceipt,
	answer: &Placed<ChannelReceipt>,
	header: &SettlementHeader,
) -> Result<(), DemandRefusal> {
	if answer.item != *demanded {
		return Err(DemandRefusal::OtherReceipt);
	}
	answer.verify(header).map_err(DemandRefusal::NotIncluded)
}

/// Returns the sequence numbers of the headers that prove a settled one to the chain: from its own up
/// to the next that the chain remembers, which is the last of [`HEADERS_PER_MARK`], or the
/// coordinator's newest. Numbers among them that were passed over have no header there.
/// `next_sequence` is that of its next batch. `None` if the header is not settled.
pub fn headers_that_prove(sequence: u64, next_sequence: u64) -> Option<RangeInclusive<u64>> {
	let (newest, many) = (next_sequence.checked_sub(1)?, u64::from(HEADERS_PER_MARK));
	let to_mark = many.checked_sub(1)?.checked_sub(sequence.checked_rem(many)?)?;
	let end = sequence.saturating_add(to_mark).min(newest);
	(sequence <= newest).then_some(sequence..=end)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_header_is_proven_from_the_next_mark_or_from_the_newest_one() {
		assert_eq!(headers_that_prove(0, 0), None);
		assert_eq!(headers_that_prove(1, 1), None);
		assert_eq!(headers_that_prove(0, 1), Some(0..=0));
		assert_eq!(headers_that_prove(3, 31), Some(3..=30));
		assert_eq!(headers_that_prove(3, 32), Some(3..=31));
		assert_eq!(headers_that_prove(3, 1_000), Some(3..=31));
		assert_eq!(headers_that_prove(31, 1_000), Some(31..=31));
		assert_eq!(headers_that_prove(32, 1_000), Some(32..=63));
		assert_eq!(headers_that_prove(32, 34), Some(32..=33));
		assert_eq!(headers_that_prove(u64::MAX, u64::MAX), None);
	}
}

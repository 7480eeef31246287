//! Why a statement about checks is refused.

use super::FiguresRefusal;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// Reason why the chain refuses a statement about checks.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckRefusal {
	/// No verifier has the key.
	#[codec(index = 0)]
	UnknownVerifier,
	/// The verifier has less than half of its bond.
	#[codec(index = 1)]
	NotFit,
	/// No batch waits by this name.
	#[codec(index = 2)]
	UnknownBatch,
	/// The batch was not touched.
	#[codec(index = 3)]
	NotTouched,
	/// The batch was settled fewer than three blocks ago.
	#[codec(index = 4)]
	TooEarly,
	/// The batch was touched already.
	#[codec(index = 5)]
	AlreadyTouched,
	/// The key was known for less than an hour when the batch was touched, or is not the one that drew.
	#[codec(index = 6)]
	OtherKey,
	/// The time for it is over.
	#[codec(index = 7)]
	TooLate,
	/// So many checks did not fall to the verifier.
	#[codec(index = 8)]
	NotDrawn,
	/// The check was reported already.
	#[codec(index = 9)]
	AlreadyReported,
	/// The point does not lie in the segment, or not in the price of the receipt.
	#[codec(index = 10)]
	OtherPoint,
	/// The receipt is not in the batch.
	#[codec(index = 11)]
	NotInBatch,
	/// The VRF's output is not proven.
	#[codec(index = 12)]
	BadVrf,
	/// The signature is not that of the key on this chain.
	#[codec(index = 13)]
	BadSignature,
	/// The model has no line.
	#[codec(index = 14)]
	NoLine,
	/// The figures do not fit the model's line.
	#[codec(index = 15)]
	Figures(FiguresRefusal),
	/// No such report.
	#[codec(index = 16)]
	UnknownReport,
	/// The verifier re-opens its own report, witnesses its own demand, or judges its own dispute.
	#[codec(index = 17)]
	OwnCause,
	/// It is done already.
	#[codec(index = 18)]
	AlreadyDone,
	/// No such demand of an opening.
	#[codec(index = 19)]
	UnknownDemand,
	/// No such dispute.
	#[codec(index = 20)]
	UnknownDispute,
	/// The time for it has not begun.
	#[codec(index = 21)]
	NotYet,
	/// What is shown or revealed is not what was committed to.
	#[codec(index = 22)]
	OtherCommitment,
	/// The bound of the table is reached.
	#[codec(index = 23)]
	Full,
	/// The account cannot pay the fee.
	#[codec(index = 24)]
	FeeUnpaid,
	/// The opening of the check is demanded.
	#[codec(index = 25)]
	OpeningDemanded,
	/// The receipt of a demand is not named.
	#[codec(index = 26)]
	NotNamed,
}

impl CheckRefusal {
	/// Returns `true` if time, money or governance can help, so that the same statement can be accepted
	/// later.
	pub const fn is_temporary(self) -> bool {
		matches!(
			self,
			Self::NotTouched
				| Self::TooEarly
				| Self::NoLine
				| Self::NotYet
				| Self::Full | Self::FeeUnpaid
				| Self::OpeningDemanded
				| Self::NotNamed
				| Self::NotFit
		)
	}

	/// Returns the refusal's name in error codes, such as `not_drawn`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::UnknownVerifier => "unknown_verifier",
			Self::NotFit => "not_fit",
			Self::UnknownBatch => "unknown_batch",
			Self::NotTouched => "not_touched",
			Self::TooEarly => "too_early",
			Self::AlreadyTouched => "already_touched",
			Self::OtherKey => "other_key",
			Self::TooLate => "too_late",
			Self::NotDrawn => "not_drawn",
			Self::AlreadyReported => "already_reported",
			Self::OtherPoint => "other_point",
			Self::NotInBatch => "not_in_batch",
			Self::BadVrf => "bad_vrf",
			Self::BadSignature => "bad_signature",
			Self::NoLine => "no_line",
			Self::Figures(FiguresRefusal::OtherClass) => "other_class",
			Self::Figures(FiguresRefusal::Impossible) => "impossible_figures",
			Self::Figures(FiguresRefusal::OtherTokens) => "other_tokens",
			Self::UnknownReport => "unknown_report",
			Self::OwnCause => "own_cause",
			Self::AlreadyDone => "already_done",
			Self::UnknownDemand => "unknown_demand",
			Self::UnknownDispute => "unknown_dispute",
			Self::NotYet => "not_yet",
			Self::OtherCommitment => "other_commitment",
			Self::Full => "full",
			Self::FeeUnpaid => "fee_unpaid",
			Self::OpeningDemanded => "opening_demanded",
			Self::NotNamed => "not_named",
		}
	}
}

impl fmt::Display for CheckRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::UnknownVerifier => "no verifier has this key: governance admits verifiers",
			Self::NotFit => "the verifier has less than half of its bond: raise it",
			Self::UnknownBatch => "no batch waits by this name",
			Self::NotTouched => "the batch was not touched: touch it first",
			Self::TooEarly => "the batch was settled a moment ago: wait three blocks",
			Self::AlreadyTouched => "the batch was touched already",
			Self::OtherKey => "another key of the verifier draws this batch",
			Self::TooLate => "the time for it is over",
			Self::NotDrawn => "this check did not fall to the verifier",
			Self::AlreadyReported => "the check was reported already",
			Self::OtherPoint => "the drawn point lies in the price of another receipt",
			Self::NotInBatch => "the receipt is not in the batch at that index",
			Self::BadVrf => "the output of the VRF is not proven",
			Self::BadSignature => "not the verifier's signature on this chain",
			Self::NoLine => "the model has no line: governance sets it",
			Self::Figures(FiguresRefusal::OtherClass) => {
				"the figures are of another class than the model"
			},
			Self::Figures(FiguresRefusal::Impossible) => "no pass gives such figures",
			Self::Figures(FiguresRefusal::OtherTokens) => {
				"the figures are of another number of tokens than the receipt states"
			},
			Self::UnknownReport => "no such report is known",
			Self::OwnCause => "nobody re-opens, witnesses or judges what is its own",
			Self::AlreadyDone => "it is done already",
			Self::UnknownDemand => "no such opening is demanded",
			Self::UnknownDispute => "no such dispute is open",
			Self::NotYet => "the time for it has not begun: wait",
			Self::OtherCommitment => "it is not what was committed to",
			Self::Full => "no more of them can be open at a time: wait",
			Self::FeeUnpaid => "the account cannot pay the fee: fund it",
			Self::OpeningDemanded => {
				"the opening of the check is demanded: wait until witnesses have spoken"
			},
			Self::NotNamed => "nobody has named the receipt that is demanded: name it first",
		})
	}
}

impl core::error::Error for CheckRefusal {}

//! Reasons why a settlement batch is refused, one for each rule.

use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// Reason why a batch is refused whole. Variants are only ever added at the end.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BatchRefusal {
	/// The breaker has stopped settlement.
	#[codec(index = 0)]
	Stopped,
	/// The sequence number is below the next one: it was used.
	#[codec(index = 1)]
	SequencePast,
	/// The sequence number is above the next one: a batch before it is missing.
	#[codec(index = 2)]
	SequenceAhead,
	/// The header does not name the coordinator's last header.
	#[codec(index = 3)]
	OtherPrevious,
	/// The header's time is before that of the last one.
	#[codec(index = 4)]
	TimeBack,
	/// The header's time is more than the skew ahead of the chain's.
	#[codec(index = 5)]
	TimeAhead,
	/// The coordinator's last batch was settled less than the spacing ago.
	#[codec(index = 6)]
	TooSoon,
	/// The signature is not the coordinator's of this header for this chain.
	#[codec(index = 7)]
	BadHeaderSignature,
	/// A list has more lines than a batch may have.
	#[codec(index = 8)]
	TooManyLines,
	/// One of the two lists is empty.
	#[codec(index = 9)]
	NoReceipts,
	/// The batch has more receipts than it may have.
	#[codec(index = 10)]
	TooManyReceipts,
	/// A line's range has no receipt.
	#[codec(index = 11)]
	EmptyRange,
	/// A running sum of a line falls, or is not zero before the first receipt.
	#[codec(index = 12)]
	FallingSums,
	/// Receipts without a miner have a price or a weight.
	#[codec(index = 13)]
	PaidWithoutMiner,
	/// The list of channels is not strictly rising.
	#[codec(index = 14)]
	ChannelsUnsorted,
	/// The list of miners is not strictly rising.
	#[codec(index = 15)]
	MinersUnsorted,
	/// The lines add up to more than fits.
	#[codec(index = 16)]
	SumsOverflow,
	/// Channels and miners have another number of receipts or another sum of prices.
	#[codec(index = 17)]
	ListsDisagree,
	/// The header states other sums or numbers of lines than the lists have.
	#[codec(index = 18)]
	HeaderDisagrees,
	/// The lines are not those that the header commits to.
	#[codec(index = 19)]
	OtherLines,
	/// No channel with this number is in the state.
	#[codec(index = 20)]
	UnknownChannel,
	/// The channel is for another coordinator.
	#[codec(index = 21)]
	OtherCoordinator,
	/// The channel has another asset or mode than the batch.
	#[codec(index = 22)]
	OtherKind,
	/// The channel has ended.
	#[codec(index = 23)]
	ChannelEnded,
	/// The line does not begin where the channel was settled up to.
	#[codec(index = 24)]
	ChannelNotJoined,
	/// The voucher is older than the one that was settled with before.
	#[codec(index = 25)]
	OlderVoucher,
	/// The voucher has the number of the one that was settled with before, and another amount.
	#[codec(index = 26)]
	OtherVoucher,
	/// The channel's prices add up to more than the voucher's amount.
	#[codec(index = 27)]
	AboveVoucher,
	/// The channel has more receipts than vouchers.
	#[codec(index = 28)]
	MoreReceiptsThanVouchers,
	/// The channel's prices add up to more than its deposit.
	#[codec(index = 29)]
	AboveDeposit,
	/// The channel's prices of this day are above its daily limit.
	#[codec(index = 30)]
	AboveDailyLimit,
	/// The signature is not that of the channel's signer of the voucher for this chain.
	#[codec(index = 31)]
	BadVoucherSignature,
	/// The line does not begin where the miner was settled up to.
	#[codec(index = 32)]
	MinerNotJoined,
	/// The miner is not registered.
	#[codec(index = 33)]
	UnknownMiner,
	/// The signature is not the miner's of its line for this chain.
	#[codec(index = 34)]
	BadMinerSignature,
	/// The coordinator is not registered.
	#[codec(index = 35)]
	UnknownCoordinator,
	/// The coordinator is banned.
	#[codec(index = 36)]
	CoordinatorBanned,
	/// The coordinator's bond is below half of the required amount.
	#[codec(index = 37)]
	CoordinatorUnderbonded,
	/// The coordinator's account cannot pay the fee for the lines.
	#[codec(index = 38)]
	FeeUnpaid,
	/// A range that is given up does not lie within its miner's line, or lies within another one.
	#[codec(index = 39)]
	GivenUpElsewhere,
	/// Counts of a channel are given up that has not ended.
	#[codec(index = 40)]
	ChannelNotEnded,
}

impl BatchRefusal {
	/// Returns the refusal's number, which a refused transaction carries.
	pub fn code(&self) -> u8 {
		self.using_encoded(|bytes| bytes.first().copied().unwrap_or(u8::MAX))
	}

	/// Returns the refusal with that number.
	pub fn from_code(code: u8) -> Option<Self> {
		Self::decode_all(&mut &[code][..]).ok()
	}

	/// Returns the refusal with that name, as [`Self::as_str`] gives it.
	pub fn from_name(name: &str) -> Option<Self> {
		(0..=u8::MAX).filter_map(Self::from_code).find(|refusal| refusal.as_str() == name)
	}

	/// Returns `true` if the very same batch can settle later, when only time and the chain's state
	/// change. A batch that is refused permanently has to be made and signed again.
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::Stopped
			| Self::SequenceAhead
			| Self::TimeAhead
			| Self::TooSoon
			| Self::UnknownChannel
			| Self::AboveDeposit
			| Self::AboveDailyLimit
			| Self::CoordinatorBanned
			| Self::CoordinatorUnderbonded
			| Self::FeeUnpaid => true,
			Self::SequencePast
			| Self::OtherPrevious
			| Self::TimeBack
			| Self::BadHeaderSignature
			| Self::TooManyLines
			| Self::NoReceipts
			| Self::TooManyReceipts
			| Self::EmptyRange
			| Self::FallingSums
			| Self::PaidWithoutMiner
			| Self::ChannelsUnsorted
			| Self::MinersUnsorted
			| Self::SumsOverflow
			| Self::ListsDisagree
			| Self::HeaderDisagrees
			| Self::OtherLines
			| Self::OtherCoordinator
			| Self::OtherKind
			| Self::ChannelEnded
			| Self::ChannelNotJoined
			| Self::OlderVoucher
			| Self::OtherVoucher
			| Self::AboveVoucher
			| Self::MoreReceiptsThanVouchers
			| Self::BadVoucherSignature
			| Self::MinerNotJoined
			| Self::UnknownMiner
			| Self::BadMinerSignature
			| Self::UnknownCoordinator
			| Self::GivenUpElsewhere
			// It ends perhaps; until then its receipts are to be settled.
			| Self::ChannelNotEnded => false,
		}
	}

	/// Returns the refusal's name in error codes, such as `channel_not_joined`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Stopped => "stopped",
			Self::SequencePast => "sequence_past",
			Self::SequenceAhead => "sequence_ahead",
			Self::OtherPrevious => "other_previous",
			Self::TimeBack => "time_back",
			Self::TimeAhead => "time_ahead",
			Self::TooSoon => "too_soon",
			Self::BadHeaderSignature => "bad_header_signature",
			Self::TooManyLines => "too_many_lines",
			Self::NoReceipts => "no_receipts",
			Self::TooManyReceipts => "too_many_receipts",
			Self::EmptyRange => "empty_range",
			Self::FallingSums => "falling_sums",
			Self::PaidWithoutMiner => "paid_without_miner",
			Self::ChannelsUnsorted => "channels_unsorted",
			Self::MinersUnsorted => "miners_unsorted",
			Self::SumsOverflow => "sums_overflow",
			Self::ListsDisagree => "lists_disagree",
			Self::HeaderDisagrees => "header_disagrees",
			Self::OtherLines => "other_lines",
			Self::UnknownChannel => "unknown_channel",
			Self::OtherCoordinator => "other_coordinator",
			Self::OtherKind => "other_kind",
			Self::ChannelEnded => "channel_ended",
			Self::ChannelNotJoined => "channel_not_joined",
			Self::OlderVoucher => "older_voucher",
			Self::OtherVoucher => "other_voucher",
			Self::AboveVoucher => "above_voucher",
			Self::MoreReceiptsThanVouchers => "more_receipts_than_vouchers",
			Self::AboveDeposit => "above_deposit",
			Self::AboveDailyLimit => "above_daily_limit",
			Self::BadVoucherSignature => "bad_voucher_signature",
			Self::MinerNotJoined => "miner_not_joined",
			Self::UnknownMiner => "unknown_miner",
			Self::BadMinerSignature => "bad_miner_signature",
			Self::UnknownCoordinator => "unknown_coordinator",
			Self::CoordinatorBanned => "coordinator_banned",
			Self::CoordinatorUnderbonded => "coordinator_underbonded",
			Self::FeeUnpaid => "fee_unpaid",
			Self::GivenUpElsewhere => "given_up_elsewhere",
			Self::ChannelNotEnded => "channel_not_ended",
		}
	}
}

impl fmt::Display for BatchRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Stopped => "settlement is stopped: wait until governance resumes it",
			Self::SequencePast => "a batch with this sequence number was settled: use the next one",
			Self::SequenceAhead => "a batch before this one is missing: submit it first",
			Self::OtherPrevious => "the header must name the hash of the coordinator's last header",
			Self::TimeBack => "the header's time is before that of the last one: check the clock",
			Self::TimeAhead => "the header's time is ahead of the chain's: check the clock",
			Self::TooSoon => "the last batch was settled a moment ago: wait, and submit it again",
			Self::BadHeaderSignature => {
				"not the coordinator's signature of this header on this chain"
			},
			Self::TooManyLines => "the batch has too many lines: make two",
			Self::NoReceipts => "a batch needs at least one receipt",
			Self::TooManyReceipts => "the batch has too many receipts: make two",
			Self::EmptyRange => "a line's last count must be above its first",
			Self::FallingSums => "running sums must begin at zero and never fall",
			Self::PaidWithoutMiner => "receipts without a miner must cost nothing",
			Self::ChannelsUnsorted => "each channel must be there once, by rising number",
			Self::MinersUnsorted => "each miner must be there once, by rising key",
			Self::SumsOverflow => "the lines add up to more than fits",
			Self::ListsDisagree => {
				"channels and miners must add up to the same receipts and prices"
			},
			Self::HeaderDisagrees => "the header must state the sums and numbers of the lines",
			Self::OtherLines => "the header commits to other lines",
			Self::UnknownChannel => "no such channel: open it first",
			Self::OtherCoordinator => "the channel is for another coordinator",
			Self::OtherKind => {
				"the channel has another asset or mode: put it into a batch of its kind"
			},
			Self::ChannelEnded => "the channel has ended, and its rest is the client's",
			Self::ChannelNotJoined => "the line must begin where the channel was settled up to",
			Self::OlderVoucher => "a newer voucher was settled with: use the newest",
			Self::OtherVoucher => "another voucher of this number was settled with",
			Self::AboveVoucher => "the channel's prices are above the voucher's amount",
			Self::MoreReceiptsThanVouchers => "the channel has more receipts than vouchers",
			Self::AboveDeposit => "the channel's deposit is used up: its client can top it up",
			Self::AboveDailyLimit => "the channel's daily limit is used up: submit it tomorrow",
			Self::BadVoucherSignature => "not the signature of the channel's signer on this chain",
			Self::MinerNotJoined => "the line must begin where the miner was settled up to",
			Self::UnknownMiner => "the miner is not registered",
			Self::BadMinerSignature => "not the miner's signature of its line on this chain",
			Self::UnknownCoordinator => "the coordinator is not registered",
			Self::CoordinatorBanned => "the coordinator is banned",
			Self::CoordinatorUnderbonded => "the coordinator's bond is too small: raise it",
			Self::FeeUnpaid => "the coordinator's account cannot pay the fee: fund it",
			Self::GivenUpElsewhere => {
				"what is given up must lie within its miner's line, by rising counts, each once"
			},
			Self::ChannelNotEnded => "the channel has not ended: settle its receipts",
		})
	}
}

impl core::error::Error for BatchRefusal {}

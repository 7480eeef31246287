//! Which voucher a coordinator works for.

use super::{Channel, ChannelSums, Voucher, voucher_amount};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// What a coordinator knows of a channel beyond the chain: receipts that are not settled yet, and
/// requests without a receipt.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Unsettled {
	/// Running sums after the channel's last receipt, settled or not.
	pub sums: ChannelSums,
	/// Sum of the highest prices of the requests that are open.
	pub open: u128,
	/// Number of the newest voucher that was accepted; 0 before the first.
	pub newest: u64,
}

/// Reason why a coordinator does not work for a voucher.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VoucherRefusal {
	/// The voucher does not have the next number.
	#[codec(index = 0)]
	OtherNumber,
	/// The amount does not cover the receipts, the open requests and this one.
	#[codec(index = 1)]
	TooLow,
	/// The deposit does not cover them.
	#[codec(index = 2)]
	AboveDeposit,
	/// The daily limit does not cover them.
	#[codec(index = 3)]
	AboveDailyLimit,
	/// The channel is being closed, or its plan is over.
	#[codec(index = 4)]
	Ending,
}

impl VoucherRefusal {
	/// Returns `true` if a voucher of the same amount can be accepted later.
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::AboveDeposit | Self::AboveDailyLimit => true,
			Self::OtherNumber | Self::TooLow | Self::Ending => false,
		}
	}
}

impl fmt::Display for VoucherRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::OtherNumber => "the voucher must have the next number of its channel",
			Self::TooLow => "the voucher's amount must cover all receipts and open requests",
			Self::AboveDeposit => "the channel runs dry: top it up",
			Self::AboveDailyLimit => "the channel's daily limit is used up: wait until tomorrow",
			Self::Ending => {
				"the channel is being closed, or its plan is over: renew the plan, or open another \
				 channel"
			},
		})
	}
}

impl core::error::Error for VoucherRefusal {}

impl Channel {
	/// Checks a voucher whose signature and channel are right before the work begins, for a request
	/// that costs at most `highest`. After it the coordinator counts `highest` as open and the
	/// voucher as its newest. So it never works for more than it holds.
	///
	/// Times are in UTC milliseconds, amounts in the smallest unit of the channel's asset.
	///
	/// # Errors
	/// The refusal of the first rule that the voucher breaks.
	pub fn admit(
		&self,
		unsettled: &Unsettled,
		voucher: &Voucher,
		highest: u128,
		now: u64,
		day_ms: u64,
	) -> Result<Unsettled, VoucherRefusal> {
		let is_open = self.ends_ms.is_none() && self.plan_ends_ms.is_none_or(|ends| now < ends);
		if !is_open {
			return Err(VoucherRefusal::Ending);
		}
		if unsettled.newest.checked_add(1) != Some(voucher.number) {
			return Err(VoucherRefusal::OtherNumber);
		}
		let needed = voucher_amount(unsettled.sums.price, unsettled.open, highest)
			.ok_or(VoucherRefusal::AboveDeposit)?;
		if voucher.amount < needed {
			return Err(VoucherRefusal::TooLow);
		}
		if needed > self.deposited {
			return Err(VoucherRefusal::AboveDeposit);
		}
		// All that is not settled yet may be settled today.
		let waiting = needed.saturating_sub(self.settled.price);
		self.today
			.add(waiting, self.daily_limit, now, day_ms)
			.ok_or(VoucherRefusal::AboveDailyLimit)?;
		let open = unsettled.open.checked_add(highest).ok_or(VoucherRefusal::AboveDeposit)?;
		Ok(Unsettled { open, newest: voucher.number, ..*unsettled })
	}
}

impl Unsettled {
	/// Ends a request that costs at most `highest` with a receipt of `price`, at most as much; a
	/// request without an answer costs nothing. `None` if the sums do not fit.
	pub fn complete(&self, highest: u128, price: u128) -> Option<Self> {
		let price = price.min(highest);
		let open = self.open.checked_sub(highest)?;
		Some(Self { sums: self.sums.after(price)?, open, ..*self })
	}
}

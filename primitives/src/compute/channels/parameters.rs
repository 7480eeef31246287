//! Parameters of channels that governance sets, and how they must relate.

use super::MIN_CLOSE_NOTICE_MS;
use crate::{
	compute::{
		ComputeParameters,
		checks::{MAX_HOLD_MS, MAX_WINDOW_MS},
	},
	num::units::{AIT, MICRO_AIT, MILLI_AIT},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

const HOUR_MS: u64 = 3_600_000;
/// Longest time in any parameter, in milliseconds: 31 days.
const MAX_TIME_MS: u64 = 31 * 24 * HOUR_MS;

/// Parameters of channels that governance sets.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelParameters {
	/// Notice of a closing, in milliseconds: a day to 31 days.
	pub close_notice_ms: u64,
	/// Shortest time between two batches of a coordinator, in milliseconds; at most an hour.
	pub batch_spacing_ms: u64,
	/// Fee for each line of a batch, in units of 10⁻¹⁸ AIT; above 0, at most 1 AIT.
	pub fee_per_line: u128,
	/// Time for which pay and mint of a batch wait, in milliseconds: 0 while nothing is checked, at
	/// most a week.
	pub check_window_ms: u64,
	/// Time in which a coordinator answers a demand, in milliseconds: an hour or more.
	pub answer_ms: u64,
	/// Deposit of a demand, in units of 10⁻¹⁸ AIT: it pays the answer, or returns if there is none.
	pub demand_deposit: u128,
}

impl Default for ChannelParameters {
	fn default() -> Self {
		Self {
			close_notice_ms: MIN_CLOSE_NOTICE_MS,
			batch_spacing_ms: 10_000,
			fee_per_line: MICRO_AIT.saturating_mul(100),
			check_window_ms: 0,
			answer_ms: HOUR_MS.saturating_mul(6),
			demand_deposit: MILLI_AIT.saturating_mul(250),
		}
	}
}

/// Relation that parameters break.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelParameterError {
	/// The notice is below a day or above 31 days.
	#[codec(index = 0)]
	Notice,
	/// Two batches of a coordinator must lie more than an hour apart.
	#[codec(index = 1)]
	Spacing,
	/// A line costs nothing, or more than 1 AIT.
	#[codec(index = 2)]
	Fee,
	/// The check window is above a week.
	#[codec(index = 3)]
	Window,
	/// A demand has less than an hour, or a channel could end while one is open.
	#[codec(index = 4)]
	Answer,
	/// A demand costs nothing, or more than 100 AIT.
	#[codec(index = 5)]
	Deposit,
}

impl fmt::Display for ChannelParameterError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Notice => "the notice of a closing must be between a day and 31 days",
			Self::Spacing => "a coordinator must be able to settle every hour",
			Self::Fee => "a line must cost more than nothing and at most 1 AIT",
			Self::Window => "the check window must be at most a week",
			Self::Answer => {
				"an answer must have at least an hour, and less than the notice with the spacing"
			},
			Self::Deposit => "a demand must cost more than nothing and at most 100 AIT",
		})
	}
}

impl core::error::Error for ChannelParameterError {}

impl ChannelParameters {
	/// Checks every relation.
	///
	/// # Errors
	/// The first relation that is broken.
	pub fn check(&self) -> Result<(), ChannelParameterError> {
		use ChannelParameterError as Error;
		let require = |holds: bool, fault| if holds { Ok(()) } else { Err(fault) };
		let notice = (MIN_CLOSE_NOTICE_MS..=MAX_TIME_MS).contains(&self.close_notice_ms);
		require(notice, Error::Notice)?;
		require(self.batch_spacing_ms <= HOUR_MS, Error::Spacing)?;
		require(self.fee_per_line > 0 && self.fee_per_line <= AIT, Error::Fee)?;
		require(self.check_window_ms <= MAX_WINDOW_MS, Error::Window)?;
		// Who is asked for a receipt on the first day of a notice can still settle it.
		let answered = self.answer_ms.saturating_add(self.batch_spacing_ms);
		let in_time = self.answer_ms >= HOUR_MS && answered < self.close_notice_ms;
		require(in_time, Error::Answer)?;
		let most = AIT.saturating_mul(100);
		require(self.demand_deposit > 0 && self.demand_deposit <= most, Error::Deposit)
	}

	/// Returns `true` if bonds and the memory of offences outlast the check window, with the time for
	/// which a dispute can hold what waits: a bond that answers for work is held until what was found in
	/// time is slashed, and a channel is known as long as something can go back to its client.
	pub const fn fits(&self, parameters: &ComputeParameters) -> bool {
		if self.check_window_ms == 0 {
			return true;
		}
		let waits = self.check_window_ms.saturating_add(MAX_HOLD_MS);
		let slashed = waits.saturating_add(parameters.slash_grace_ms);
		parameters.unbonding_ms >= slashed && parameters.offence_memory_ms >= waits
	}
}

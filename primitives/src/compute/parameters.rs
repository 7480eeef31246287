//! Parameters of compute receipts that governance sets, and how they must relate.

use super::Class;
use crate::{
	compute::{
		emission::{self, share_of},
		settlement::{MILLION, Split},
	},
	num::units::{AIT, MILLI_AIT},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// One, in thousandths.
pub(crate) const THOUSAND: u32 = 1_000;
const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600 * SECOND_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Shortest time between an offence's report and its slash, in milliseconds: far more than the
/// chain needs to become final.
const MIN_GRACE_MS: u64 = 60 * SECOND_MS;
/// Shortest notice of a cancellation, in milliseconds: longer than a coordinator's node may be away.
pub const MIN_NOTICE_MS: u64 = 60 * SECOND_MS;
/// Longest time in any parameter, in milliseconds: 366 days.
const MAX_TIME_MS: u64 = 366 * DAY_MS;
/// What the treasury pays to verifiers for each unit of a price that it received, in parts per
/// million: nothing, because nobody is paid for verifying yet. It comes back to a self-dealer who
/// verifies too, so it counts in [`ComputeParameters::check`].
const VERIFIERS_PAY: u32 = 0;

/// Parameters of compute receipts that governance sets.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComputeParameters {
	/// Bond of a coordinator, in units of 10⁻¹⁸ AIT. With less than half of it left it is
	/// underbonded.
	pub coordinator_bond: u128,
	/// Bond of a miner, in units of 10⁻¹⁸ AIT. With less than half of it left it is underbonded.
	pub miner_bond: u128,
	/// Most that one compute unit of a GPU miner with the full score mints, in units of 10⁻¹⁸ AIT;
	/// at most 50 AIT.
	pub mint_per_unit: u128,
	/// γ: most that a receipt mints for each unit that the treasury received of its price, in parts
	/// per million. What comes back of it to miner and coordinator is less than the unit.
	pub mint_per_received: u32,
	/// Weight of work of the class CPU, in thousandths of the class GPU; at most 1,000.
	pub cpu_weight: u32,
	/// Division of what is minted among treasury, coordinator and miner.
	pub mint_split: Split,
	/// Division of what the client pays among treasury, coordinator and miner.
	pub price_split: Split,
	/// Time for which a reference rate counts after it was stated, in milliseconds: a minute to a
	/// year. Without one, work paid in AICP mints nothing.
	pub rate_valid_ms: u64,
	/// Longest time from opening a job to its deadline, in milliseconds.
	pub max_job_ms: u64,
	/// Highest number of compute units in a quote.
	pub max_units: u64,
	/// Time after a client's cancellation in which the start of the work can be proven, in
	/// milliseconds: a minute to a day.
	pub cancel_notice_ms: u64,
	/// Time that a closed job stays in the state, in milliseconds: a minute to a year. Its offences
	/// can be reported that long.
	pub retention_ms: u64,
	/// Time that a party's bond stays held after it starts to leave, in milliseconds.
	pub unbonding_ms: u64,
	/// Shortest time between two heartbeats of a miner, in milliseconds.
	pub heartbeat_min_ms: u64,
	/// Longest time between two heartbeats that counts as online, in milliseconds; at most a day.
	pub heartbeat_max_ms: u64,
	/// `true` if offences are slashed.
	pub slashing: bool,
	/// Part of its bond that an offender loses, in thousandths; at most 1,000.
	pub slash: u32,
	/// Shortest time from the report to the slash, in milliseconds; at least a minute.
	pub slash_grace_ms: u64,
	/// Time that an offence counts, in milliseconds.
	pub offence_memory_ms: u64,
	/// Part of its score that each offence that counts costs a miner, in thousandths; at most
	/// 1,000.
	pub score_cut: u32,
	/// Number of offences that count from which a party is banned: 2 to 8.
	pub ban_after: u32,
	/// Length of a ban, in milliseconds.
	pub ban_ms: u64,
}

impl Default for ComputeParameters {
	fn default() -> Self {
		Self {
			coordinator_bond: AIT.saturating_mul(1_000),
			miner_bond: AIT.saturating_mul(100),
			mint_per_unit: MILLI_AIT,
			mint_per_received: MILLION,
			cpu_weight: 300,
			mint_split: Split::DEFAULT,
			price_split: Split::DEFAULT,
			rate_valid_ms: 30 * DAY_MS,
			max_job_ms: DAY_MS,
			max_units: 1_000_000_000,
			cancel_notice_ms: MIN_NOTICE_MS,
			retention_ms: DAY_MS,
			unbonding_ms: 7 * DAY_MS,
			heartbeat_min_ms: 30 * SECOND_MS,
			heartbeat_max_ms: 600 * SECOND_MS,
			slashing: true,
			slash: 100,
			slash_grace_ms: HOUR_MS,
			offence_memory_ms: 30 * DAY_MS,
			score_cut: 500,
			ban_after: 3,
			ban_ms: 7 * DAY_MS,
		}
	}
}

/// Relation that parameters break.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum ComputeParameterError {
	/// A bond is zero or above 1,000,000 AIT.
	Bonds,
	/// A compute unit asks for more than the first budget of a step, 50 AIT.
	MintPerUnit,
	/// CPU work weighs more than GPU work.
	CpuWeight,
	/// The parts of a split add up to more than the whole.
	Splits,
	/// A job can last no time or longer than a year, or cannot deliver a unit.
	Jobs,
	/// The notice of a cancellation is below a minute or above a day.
	CancelNotice,
	/// Closed jobs leave before a minute has passed, or stay longer than a year.
	Retention,
	/// The shortest time between heartbeats is zero or not below the longest, or that is above a
	/// day.
	Heartbeats,
	/// More than the whole bond is slashed, or the grace period is below a minute or above a year.
	Slashing,
	/// Offences count for no time, cost more than the score, or the number that bans is not 2 to 8.
	Offences,
	/// A bond could be withdrawn while an offence can still be reported and slashed.
	Unbonding,
	/// Who is client, miner and coordinator in one would get back, from the mint, as much as the
	/// treasury received of the price.
	MintBound,
	/// A reference rate counts for less than a minute or longer than a year.
	RateValidity,
}

impl fmt::Display for ComputeParameterError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Bonds => "bonds must be above 0 and at most 1,000,000 AIT",
			Self::MintPerUnit => "a compute unit may ask for at most 50 AIT",
			Self::CpuWeight => "the CPU weight must be at most 1000 thousandths",
			Self::Splits => {
				"the parts of treasury and coordinator must add up to at most the whole"
			},
			Self::Jobs => {
				"a job must last between 1 ms and 366 days, and deliver at least one unit"
			},
			Self::CancelNotice => "the notice of a cancellation must be between a minute and a day",
			Self::Retention => "closed jobs must stay between a minute and a year",
			Self::Heartbeats => "0 < shortest < longest time between heartbeats <= a day must hold",
			Self::Slashing => "a slash must be at most the whole bond, after at least a minute",
			Self::Offences => {
				"offences must count for some time, and two to eight of them must ban"
			},
			Self::Unbonding => {
				"unbonding must last longer than a job, its retention and the grace of a slash"
			},
			Self::MintBound => {
				"the mint for a unit that the treasury received, less the treasury's part of it, \
				 must be below one unit"
			},
			Self::RateValidity => "a reference rate must count between a minute and a year",
		})
	}
}

impl core::error::Error for ComputeParameterError {}

impl ComputeParameters {
	/// Highest number of offences that a party's row remembers.
	pub const MAX_OFFENCES: u32 = 8;

	/// Checks every relation.
	///
	/// # Errors
	/// The first relation that is broken.
	pub fn check(&self) -> Result<(), ComputeParameterError> {
		use ComputeParameterError as Error;
		let require = |holds: bool, fault| if holds { Ok(()) } else { Err(fault) };
		let bond = |bond: u128| bond > 0 && bond <= AIT.saturating_mul(1_000_000);
		let time = |time: u64| time > 0 && time <= MAX_TIME_MS;
		require(bond(self.coordinator_bond) && bond(self.miner_bond), Error::Bonds)?;
		require(self.mint_per_unit <= AIT.saturating_mul(50), Error::MintPerUnit)?;
		require(self.cpu_weight <= THOUSAND, Error::CpuWeight)?;
		require(self.mint_split.is_valid() && self.price_split.is_valid(), Error::Splits)?;
		require(self.self_dealer_loses(), Error::MintBound)?;
		let valid = self.rate_valid_ms;
		require((MIN_GRACE_MS..=MAX_TIME_MS).contains(&valid), Error::RateValidity)?;
		require(time(self.max_job_ms) && self.max_units > 0, Error::Jobs)?;
		let notice = self.cancel_notice_ms;
		require((MIN_NOTICE_MS..=DAY_MS).contains(&notice), Error::CancelNotice)?;
		let retention = self.retention_ms;
		require((MIN_GRACE_MS..=MAX_TIME_MS).contains(&retention), Error::Retention)?;
		let (least, longest) = (self.heartbeat_min_ms, self.heartbeat_max_ms);
		require(least > 0 && least < longest && longest <= DAY_MS, Error::Heartbeats)?;
		let grace = self.slash_grace_ms;
		let grace_fits = (MIN_GRACE_MS..=MAX_TIME_MS).contains(&grace);
		require(self.slash <= THOUSAND && grace_fits, Error::Slashing)?;
		let bans = (2..=Self::MAX_OFFENCES).contains(&self.ban_after) && time(self.ban_ms);
		let counts = time(self.offence_memory_ms) && self.score_cut <= THOUSAND;
		require(bans && counts, Error::Offences)?;
		let exposed = self.max_job_ms.saturating_add(retention).saturating_add(grace);
		require(
			self.unbonding_ms >= exposed && self.unbonding_ms <= MAX_TIME_MS.saturating_mul(3),
			Error::Unbonding,
		)
	}

	/// Returns `true` if γ · (1 − the treasury's part of the mint) + what verifiers are paid is
	/// below 1. What the treasury received and its part of the mint never come back; all else may
	/// be one person's. As the treasury's parts round up and claims down, such a person loses by
	/// every receipt whose price was not zero.
	fn self_dealer_loses(&self) -> bool {
		let million = u64::from(MILLION);
		let back = million.saturating_sub(self.mint_split.treasury.into());
		let minted = u64::from(self.mint_per_received).saturating_mul(back);
		let verifiers = u64::from(VERIFIERS_PAY).saturating_mul(million);
		minted.saturating_add(verifiers) < million.saturating_mul(million)
	}

	/// Returns the most that a receipt can mint, in units of 10⁻¹⁸ AIT, rounded down:
	/// score / 10,000 · class · min(units · mint per unit, γ · received).
	///
	/// `score` is 0 … 10,000, `received` what the treasury received of the price, in units of 10⁻¹⁸
	/// AIT; see [`super::counted`].
	pub fn claim(&self, units: u64, class: Class, score: u32, received: u128) -> u128 {
		let by_units = self.mint_per_unit.saturating_mul(units.into());
		let by_price = share_of(received, self.mint_per_received.into(), MILLION.into());
		emission::weighted(by_units.min(by_price), self.class_weight(class), score)
	}

	/// Returns the weight of work of a class, in thousandths.
	pub const fn class_weight(&self, class: Class) -> u32 {
		match class {
			Class::Gpu => THOUSAND,
			Class::Cpu => self.cpu_weight,
		}
	}
}

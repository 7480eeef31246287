//! What governance decides about compute receipts, and which of it goes together.

use super::Class;
use crate::{
	compute::settlement::Split,
	num::units::{AIT, MILLI_AIT},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A thousand thousandths.
pub(crate) const THOUSAND: u32 = 1_000;
const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600 * SECOND_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// The least time between an offence's report and its slash, in milliseconds: far more than the
/// chain needs to become final.
const MIN_GRACE_MS: u64 = 60 * SECOND_MS;
/// The least notice of a cancellation, in milliseconds: time to see it final and to answer.
const MIN_NOTICE_MS: u64 = 5 * SECOND_MS;
/// The longest time any parameter may name, in milliseconds.
const MAX_TIME_MS: u64 = 366 * DAY_MS;

/// Everything about compute receipts that governance decides.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComputeParameters {
	/// What a coordinator puts up, in units of 10⁻¹⁸ AIT. With less than half of it left it is
	/// underbonded.
	pub coordinator_bond: u128,
	/// What a miner puts up, in units of 10⁻¹⁸ AIT. With less than half of it left it is
	/// underbonded.
	pub miner_bond: u128,
	/// AIT that a compute unit of a GPU miner with the full score asks for, in units of 10⁻¹⁸ AIT.
	pub mint_per_unit: u128,
	/// How much work of the class CPU counts, in thousandths of work of the class GPU.
	pub cpu_weight: u32,
	/// Who gets which part of what is minted.
	pub mint_split: Split,
	/// Who gets which part of what the client pays.
	pub price_split: Split,
	/// How far ahead a job's deadline may be, in milliseconds.
	pub max_job_ms: u64,
	/// The most compute units that a quote may allow.
	pub max_units: u64,
	/// How long after a client's cancellation the start of the work can be proven, in
	/// milliseconds.
	pub cancel_notice_ms: u64,
	/// How long a closed job stays in the state, in milliseconds. So long its offences can be
	/// reported.
	pub retention_ms: u64,
	/// How long a party's bond stays held after it left, in milliseconds.
	pub unbonding_ms: u64,
	/// The least time between two heartbeats of a miner, in milliseconds.
	pub heartbeat_min_ms: u64,
	/// The longest time between two heartbeats that counts as online, in milliseconds.
	pub heartbeat_max_ms: u64,
	/// Are offences slashed?
	pub slashing: bool,
	/// Which part of its bond an offender loses, in thousandths.
	pub slash: u32,
	/// How long after the report a slash is carried out at the earliest, in milliseconds.
	pub slash_grace_ms: u64,
	/// How long an offence counts, in milliseconds.
	pub offence_memory_ms: u64,
	/// How much of its score each offence that counts costs a miner, in thousandths.
	pub score_cut: u32,
	/// From which number of offences that count on a party is banned.
	pub ban_after: u32,
	/// For how long it is banned, in milliseconds.
	pub ban_ms: u64,
}

impl Default for ComputeParameters {
	fn default() -> Self {
		Self {
			coordinator_bond: AIT.saturating_mul(1_000),
			miner_bond: AIT.saturating_mul(100),
			mint_per_unit: MILLI_AIT,
			cpu_weight: 300,
			mint_split: Split::MINT,
			price_split: Split::NOTHING,
			max_job_ms: DAY_MS,
			max_units: 1_000_000_000,
			cancel_notice_ms: 10 * SECOND_MS,
			retention_ms: DAY_MS,
			unbonding_ms: 7 * DAY_MS,
			heartbeat_min_ms: 30 * SECOND_MS,
			heartbeat_max_ms: 600 * SECOND_MS,
			slashing: false,
			slash: 100,
			slash_grace_ms: HOUR_MS,
			offence_memory_ms: 30 * DAY_MS,
			score_cut: 500,
			ban_after: 3,
			ban_ms: 7 * DAY_MS,
		}
	}
}

/// Which relation parameters break.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum ComputeParameterFault {
	/// A bond is zero or above a million AIT.
	Bonds,
	/// A compute unit asks for more than a step's first budget.
	MintPerUnit,
	/// CPU work counts more than GPU work.
	CpuWeight,
	/// The shares of a split are above the whole.
	Splits,
	/// Jobs can last no time, or longer than a year; or deliver nothing.
	Jobs,
	/// The notice of a cancellation is below five seconds or above a day.
	CancelNotice,
	/// Closed jobs leave at once, or stay for more than a year.
	Retention,
	/// Heartbeats would never count.
	Heartbeats,
	/// More than the whole bond is slashed, or the grace is below a minute.
	Slashing,
	/// An offence is forgotten at once, costs more than the score, or no number of them bans.
	Offences,
	/// A bond could be taken back while an offence could still be reported and slashed.
	Unbonding,
}

impl fmt::Display for ComputeParameterFault {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Bonds => "bonds must be above 0 and at most 1,000,000 AIT",
			Self::MintPerUnit => "a compute unit must ask for 50 AIT at most",
			Self::CpuWeight => "CPU work must count 1000 thousandths at most",
			Self::Splits => "treasury and coordinator must get at most the whole",
			Self::Jobs => "a job must be able to last and to deliver something",
			Self::CancelNotice => "the notice must be between five seconds and a day",
			Self::Retention => "closed jobs must stay between a minute and a year",
			Self::Heartbeats => "it must be 0 < least < longest time between heartbeats <= a day",
			Self::Slashing => "at most the whole bond is slashed, after a minute at the earliest",
			Self::Offences => "offences must count for a while, and two to eight of them ban",
			Self::Unbonding => "unbonding must outlast a job, its retention and the slash's grace",
		})
	}
}

impl core::error::Error for ComputeParameterFault {}

impl ComputeParameters {
	/// The most offences that a party's row remembers.
	pub const MAX_OFFENCES: u32 = 8;

	/// Checks every relation.
	///
	/// # Errors
	/// The first relation that is broken.
	pub fn check(&self) -> Result<(), ComputeParameterFault> {
		use ComputeParameterFault as Fault;
		let require = |holds: bool, fault| if holds { Ok(()) } else { Err(fault) };
		let bond = |bond: u128| bond > 0 && bond <= AIT.saturating_mul(1_000_000);
		let time = |time: u64| time > 0 && time <= MAX_TIME_MS;
		require(bond(self.coordinator_bond) && bond(self.miner_bond), Fault::Bonds)?;
		require(self.mint_per_unit <= AIT.saturating_mul(50), Fault::MintPerUnit)?;
		require(self.cpu_weight <= THOUSAND, Fault::CpuWeight)?;
		require(self.mint_split.is_valid() && self.price_split.is_valid(), Fault::Splits)?;
		require(time(self.max_job_ms) && self.max_units > 0, Fault::Jobs)?;
		let notice = self.cancel_notice_ms;
		require((MIN_NOTICE_MS..=DAY_MS).contains(&notice), Fault::CancelNotice)?;
		let retention = self.retention_ms;
		require((MIN_GRACE_MS..=MAX_TIME_MS).contains(&retention), Fault::Retention)?;
		let (least, longest) = (self.heartbeat_min_ms, self.heartbeat_max_ms);
		require(least > 0 && least < longest && longest <= DAY_MS, Fault::Heartbeats)?;
		let grace = self.slash_grace_ms;
		let grace_fits = (MIN_GRACE_MS..=MAX_TIME_MS).contains(&grace);
		require(self.slash <= THOUSAND && grace_fits, Fault::Slashing)?;
		let bans = (2..=Self::MAX_OFFENCES).contains(&self.ban_after) && time(self.ban_ms);
		let counts = time(self.offence_memory_ms) && self.score_cut <= THOUSAND;
		require(bans && counts, Fault::Offences)?;
		let exposed = self.max_job_ms.saturating_add(retention).saturating_add(grace);
		require(
			self.unbonding_ms >= exposed && self.unbonding_ms <= MAX_TIME_MS.saturating_mul(3),
			Fault::Unbonding,
		)
	}

	/// How much work of a class counts, in thousandths.
	pub const fn class_weight(&self, class: Class) -> u32 {
		match class {
			Class::Gpu => THOUSAND,
			Class::Cpu => self.cpu_weight,
		}
	}
}

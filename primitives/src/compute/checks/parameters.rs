//! Parameters of checks that governance sets, and how they must relate so that known cheats lose.
//!
//! | who | gains | loses | relation |
//! |---|---|---|---|
//! | miner that cheats | at most V for each check that it is not found by, of which it is found by m: m · V | what one offence takes | m · V ≤ slash · half a bond |
//! | verifier that invents figures | the pay of the checks until one is re-opened: one in `reopen_one_in` | what one offence takes | 40 · pay ≤ slash · half a bond, and one in 20 or oftener is re-opened |
//! | all roles in one | what verifiers are paid of what the treasury received | what the treasury received | γ · (1 − treasury's part of the mint) + `pay_share` < 1 |
//! | who accuses falsely | nothing | the deposit, or an offence | above 0 |
//! | a coordinator that keeps openings back | time | the receipt, from its own pay | decided within the window |
//!
//! m is the number of checks within which a cheat is found: 1 of class `exact`; else what
//! `verifier calibrate` measured for the model, at most `finds_within`. A miner with less than half of its
//! bond earns nothing of the mint, so half a bond is the least that an offence is taken of.
//! Value is counted whole, though a miner receives only a part of it: what is spared lies below.

use crate::{
	compute::{
		ComputeParameters, channels::ChannelParameters, emission::share_of, settlement::MILLION,
	},
	num::units::{AIT, MILLI_AIT},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Highest share of what the treasury received that verifiers may be paid, in parts per million.
pub const MAX_VERIFIERS_PAY: u32 = 150_000;
/// Number of checks whose pay is at most what one offence of a verifier takes.
const CHECKS_AN_OFFENCE: u128 = 40;
/// A report in so many is re-opened, or one in fewer.
const MAX_REOPEN_ONE_IN: u32 = 20;

/// Parameters of checks that governance sets.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckParameters {
	/// V: price and claim for which one check is expected, in units of 10⁻¹⁸ AIT.
	pub value_per_check: u128,
	/// Highest number of checks within which a cheat of class `seeded` must be found.
	pub finds_within: u32,
	/// Bond of a verifier, in units of 10⁻¹⁸ AIT. With less than half of it left it draws nothing.
	pub verifier_bond: u128,
	/// Part of its bond that an offence takes from a verifier, in thousandths; 1 to 1,000.
	pub verifier_slash: u32,
	/// Time for which a verifier's bond stays held after it leaves, in milliseconds.
	pub unbonding_ms: u64,
	/// Pay of a check, in units of 10⁻¹⁸ AIT.
	pub pay_per_check: u128,
	/// Share of what the treasury received of checked work that verifiers are paid at most, in parts per
	/// million; at most [`MAX_VERIFIERS_PAY`].
	pub pay_share: u32,
	/// One report in so many is re-opened; 1 to 20.
	pub reopen_one_in: u32,
	/// Time to show the figures of a report that is re-opened, in milliseconds.
	pub show_ms: u64,
	/// What each of demander and coordinator put in for a demanded opening, in units of 10⁻¹⁸ AIT; it pays the
	/// witnesses.
	pub witness_fee: u128,
	/// Time for witnesses to speak, in milliseconds.
	pub witness_ms: u64,
	/// Deposit of a client's dispute, in units of 10⁻¹⁸ AIT.
	pub dispute_deposit: u128,
	/// What a juror loses that is silent, in units of 10⁻¹⁸ AIT.
	pub silence_fee: u128,
	/// Time to commit to a vote, in milliseconds: long enough to do the work again. So long is also the time
	/// to re-open a report, and to report what witnesses have.
	pub commit_ms: u64,
	/// Time to reveal it, in milliseconds.
	pub reveal_ms: u64,
}

impl Default for CheckParameters {
	fn default() -> Self {
		Self {
			value_per_check: AIT,
			finds_within: 5,
			verifier_bond: AIT.saturating_mul(1_000),
			verifier_slash: 100,
			unbonding_ms: 7 * DAY_MS,
			pay_per_check: MILLI_AIT.saturating_mul(20),
			pay_share: 100_000,
			reopen_one_in: 20,
			show_ms: HOUR_MS,
			witness_fee: MILLI_AIT.saturating_mul(100),
			witness_ms: HOUR_MS,
			dispute_deposit: AIT.saturating_mul(5),
			silence_fee: AIT,
			commit_ms: 2 * HOUR_MS,
			reveal_ms: HOUR_MS,
		}
	}
}

/// Relation that parameters break.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckParameterError {
	/// V is zero or above 1,000,000 AIT, or a cheat is to be found within no check or more than 1,000.
	#[codec(index = 0)]
	Value,
	/// A miner gains more until it is found than one offence takes from half of its bond.
	#[codec(index = 1)]
	CheatPays,
	/// A verifier's bond is zero or above 1,000,000 AIT, or more than all of it is slashed, or nothing.
	#[codec(index = 2)]
	Bond,
	/// The pay of 40 checks is more than one offence takes from a verifier with half of its bond.
	#[codec(index = 3)]
	InventedFiguresPay,
	/// Fewer than one report in twenty are re-opened.
	#[codec(index = 4)]
	Reopened,
	/// Verifiers are paid more than may come back to who plays all roles.
	#[codec(index = 5)]
	PayShare,
	/// A time is below a minute or above a day.
	#[codec(index = 6)]
	Times,
	/// The check window, if there is one, ends before a demand or a dispute of its first half can be
	/// decided.
	#[codec(index = 7)]
	Window,
	/// A verifier could leave before what it reported is decided.
	#[codec(index = 8)]
	Unbonding,
	/// A fee or a deposit is zero or above 1,000 AIT: then demands and disputes flood, or nobody can make
	/// them.
	#[codec(index = 9)]
	Fees,
	/// A juror that is silent loses more than a verifier loses by an offence.
	#[codec(index = 10)]
	Silence,
	/// Offences are not slashed, so that nothing deters.
	#[codec(index = 11)]
	NoSlashing,
}

impl fmt::Display for CheckParameterError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Value => {
				"value per check must be above 0 and at most 1,000,000 AIT, and a cheat be found \
				 within 1 to 1,000 checks"
			},
			Self::CheatPays => {
				"value per check times the checks that find a cheat must be at most the slash of \
				 half a miner's bond: lower the value, or raise bond or slash"
			},
			Self::Bond => {
				"a verifier's bond must be above 0 and at most 1,000,000 AIT, and its slash 1 to \
				 1000 thousandths"
			},
			Self::InventedFiguresPay => {
				"the pay of 40 checks must be at most the slash of half a verifier's bond"
			},
			Self::Reopened => "one report in 1 to 20 must be re-opened",
			Self::PayShare => {
				"the verifiers' share of what the treasury received must be at most 150,000 parts per \
				 million, and with what the mint gives back below the whole"
			},
			Self::Times => "each time must be between a minute and a day",
			Self::Window => {
				"half of the check window must be long enough for a demand and for a dispute"
			},
			Self::Unbonding => {
				"unbonding must last longer than the check window, a demand, a re-opening and a dispute"
			},
			Self::Fees => "fees and deposits must be above 0 and at most 1,000 AIT",
			Self::Silence => "a silent juror must lose at most what an offence takes",
			Self::NoSlashing => "offences must be slashed where work is checked",
		})
	}
}

impl core::error::Error for CheckParameterError {}

impl CheckParameters {
	/// Checks every relation, also to the parameters of receipts and channels.
	///
	/// # Errors
	/// The first relation that is broken.
	pub fn check(
		&self,
		compute: &ComputeParameters,
		channels: &ChannelParameters,
	) -> Result<(), CheckParameterError> {
		use CheckParameterError as Error;
		let require = |holds: bool, fault| if holds { Ok(()) } else { Err(fault) };
		let most = AIT.saturating_mul(1_000_000);
		let value = self.value_per_check > 0 && self.value_per_check <= most;
		require(value && (1..=1_000).contains(&self.finds_within), Error::Value)?;
		require(compute.slashing && compute.slash > 0, Error::NoSlashing)?;
		require(self.gain_until_found() <= offence_of_miner(compute), Error::CheatPays)?;
		let bond = self.verifier_bond > 0 && self.verifier_bond <= most;
		require(bond && (1..=1_000).contains(&self.verifier_slash), Error::Bond)?;
		let paid = self.pay_per_check.saturating_mul(CHECKS_AN_OFFENCE);
		require(paid <= self.offence(), Error::InventedFiguresPay)?;
		require((1..=MAX_REOPEN_ONE_IN).contains(&self.reopen_one_in), Error::Reopened)?;
		require(self.all_roles_lose(compute), Error::PayShare)?;
		let times = [self.show_ms, self.witness_ms, self.commit_ms, self.reveal_ms];
		let fit = times.iter().all(|time| (MINUTE_MS..=DAY_MS).contains(time));
		require(fit, Error::Times)?;
		let half = channels.check_window_ms.checked_div(2).unwrap_or(0);
		let longest = self.dispute_ms().max(self.witness_ms);
		require(channels.check_window_ms == 0 || half >= longest, Error::Window)?;
		// A demand of the window's last moment, once more from the naming of its receipt; the report of an
		// opening that was given then; its re-opening, figures, and a dispute about them.
		let exposed = [
			channels.check_window_ms,
			self.witness_ms,
			self.witness_ms,
			self.commit_ms,
			self.commit_ms,
			self.show_ms,
			self.dispute_ms(),
		];
		let exposed = exposed.iter().fold(0u64, |sum, time| sum.saturating_add(*time));
		let unbonding = self.unbonding_ms >= exposed && self.unbonding_ms <= 366 * DAY_MS;
		require(unbonding, Error::Unbonding)?;
		let fee = |fee: u128| fee > 0 && fee <= AIT.saturating_mul(1_000);
		let fees = [self.witness_fee, self.dispute_deposit, self.silence_fee];
		require(fees.iter().all(|one| fee(*one)), Error::Fees)?;
		require(self.silence_fee <= self.offence(), Error::Silence)
	}

	/// Returns the most that a cheat gains until it is found, as expected, in units of 10⁻¹⁸ AIT.
	pub fn gain_until_found(&self) -> u128 {
		self.value_per_check.saturating_mul(self.finds_within.into())
	}

	/// Returns the least that an offence takes from a verifier that draws, in units of 10⁻¹⁸ AIT.
	pub fn offence(&self) -> u128 {
		let half = self.verifier_bond.checked_div(2).unwrap_or(0);
		share_of(half, self.verifier_slash.into(), 1_000)
	}

	/// Returns the time from the opening of a dispute to its end, in milliseconds.
	pub const fn dispute_ms(&self) -> u64 {
		self.commit_ms.saturating_add(self.reveal_ms)
	}

	/// Returns `true` if what the mint gives back of what the treasury received, and what verifiers are
	/// paid of it, are less than it.
	fn all_roles_lose(&self, compute: &ComputeParameters) -> bool {
		let million = u64::from(MILLION);
		let back = million.saturating_sub(compute.mint_split.treasury.into());
		let minted = u64::from(compute.mint_per_received).saturating_mul(back);
		let paid = u64::from(self.pay_share).saturating_mul(million);
		let loses = minted.saturating_add(paid) < million.saturating_mul(million);
		loses && self.pay_share <= MAX_VERIFIERS_PAY
	}
}

/// Returns the least that an offence takes from a miner that earns, in units of 10⁻¹⁸ AIT.
fn offence_of_miner(compute: &ComputeParameters) -> u128 {
	let half = compute.miner_bond.checked_div(2).unwrap_or(0);
	share_of(half, compute.slash.into(), 1_000)
}

/// Returns the highest share of a miner's receipts, in parts per million, that can be cheated without
/// the number rising on average: (line − honest) / (cheated − honest), all in millionths. Above it the number
/// reaches any limit in the end; below it the cheat is the size of the noise. The whole if the cheat's
/// figure is not above the line; rounded down.
pub fn unfound_share(line: u64, honest: u64, cheated: u64) -> u32 {
	if cheated <= line {
		return MILLION;
	}
	let (above, span) = (line.saturating_sub(honest), cheated.saturating_sub(honest));
	let share = share_of(MILLION.into(), above.into(), span.into());
	u32::try_from(share).unwrap_or(MILLION)
}

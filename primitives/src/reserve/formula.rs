//! The coverage formulas, exact.
//!
//! | quantity | formula | unit |
//! |---|---|---|
//! | α_effective | α_base · (zones_ok / zones_total) · haircut | 1 |
//! | committed energy | ⌊raw energy · α_effective⌋ | Wh |
//! | V_energy | committed / 10⁶ · P_E | EUR |
//! | V_reserve | V_energy + V_compute | EUR |
//! | S | total issuance · Û | AICP |
//! | CR | V_reserve / (P_T · S) | 1 |
//! | S_target | V_reserve / (P_T · CR_min) | AICP |
//! | mint | max(0, min(S_target − S, cap · S)) | AICP |
//! | redemption | amount · P_T | EUR |
//!
//! P_E is a price in EUR/MWh, P_T in EUR per AICP, 10⁶ micro-tokens are one AICP and 10⁶
//! micro-EUR one euro. Since a EUR/MWh is a micro-EUR/Wh and a EUR per AICP a micro-EUR per
//! micro-token, no power of ten occurs below.
//!
//! **Exactness.** Nothing is rounded between the inputs and a result: state and mint follow from
//! exact fractions of up to 1024 bits, which all products of `u128` inputs fit. Only what is
//! returned as a whole number is floored, and saturates at `u128::MAX` where the true figure is
//! larger, which can only make a mint smaller.

use crate::{
	num::decimal::{Ratio, decimal_floor},
	num::wide::Wide,
	time::day::Day,
};
use alloc::{format, string::String};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{cmp::Ordering, fmt};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// One, in parts per million.
const PPM: u32 = 1_000_000;

/// Coverage ratio below which the policy is in [`State::Defense`].
pub const CR_DEFENSE: Ratio = Ratio::ONE;
/// Default of CR_min, 1.10: below it nothing is minted.
pub const DEFAULT_CR_MIN: Ratio = Ratio::percent(110);
/// Default of CR_max, 1.20: the upper end of the band.
pub const DEFAULT_CR_MAX: Ratio = Ratio::percent(120);
/// Default of the target price P_T, 1.50 EUR per AICP.
pub const DEFAULT_TARGET_PRICE: Ratio = Ratio::percent(150);
/// Default of the share of the supply that may be minted in a day, 5 %.
pub const DEFAULT_DAILY_CAP: Ratio = Ratio::percent(5);
/// Default of α_base, 18 %.
pub const DEFAULT_ALPHA: Ratio = Ratio::percent(18);

/// State of the coverage ratio.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum State {
	/// CR < 1.00: the supply is not covered.
	#[serde(rename = "defense")]
	#[codec(index = 0)]
	Defense,
	/// CR < CR_min: nothing is minted.
	#[serde(rename = "freeze")]
	#[codec(index = 1)]
	Frozen,
	/// CR_min ≤ CR ≤ CR_max.
	#[serde(rename = "in_band")]
	#[codec(index = 2)]
	InBand,
	/// CR > CR_max, or a reserve with nothing issued against it.
	#[serde(rename = "above_band")]
	#[codec(index = 3)]
	AboveBand,
}

impl State {
	/// Returns `defense`, `freeze`, `in_band` or `above_band`, as planners and files write it.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Defense => "defense",
			Self::Frozen => "freeze",
			Self::InBand => "in_band",
			Self::AboveBand => "above_band",
		}
	}

	/// Returns `true` if AICP may be minted in this state.
	pub const fn allows_mint(self) -> bool {
		matches!(self, Self::InBand | Self::AboveBand)
	}
}

/// Bound that limits a mint suggestion.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
	/// S_target − S; also if both bounds are equal.
	#[codec(index = 0)]
	Target,
	/// The daily cap.
	#[codec(index = 1)]
	Cap,
	/// The bootstrap supply, while the supply is below it.
	#[codec(index = 2)]
	Bootstrap,
}

impl Binding {
	/// Returns `target`, `cap` or `bootstrap`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Target => "target",
			Self::Cap => "cap",
			Self::Bootstrap => "bootstrap",
		}
	}
}

/// Inputs of the coverage formulas: the figures of a statement, and the token's issuance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inputs {
	/// Committed energy, in Wh.
	pub wh_committed: u128,
	/// Price of energy P_E, in EUR/MWh.
	pub eur_per_mwh: Ratio,
	/// Value of the compute assets V_compute, in micro-EUR.
	pub compute_assets: Ratio,
	/// Total issuance, in micro-tokens.
	pub issuance: Ratio,
	/// Share Û of the issuance that counts as supply. Above 1 the supply would grow by more than a
	/// mint: a policy should not allow that.
	pub utilisation: Ratio,
}

/// Parameters of the coverage formulas.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policy {
	/// Target price P_T, in EUR per AICP; not zero.
	pub target_price: Ratio,
	/// Lowest coverage ratio at which AICP is minted, CR_min; not zero.
	pub cr_min: Ratio,
	/// Upper end of the band, CR_max; not below CR_min.
	pub cr_max: Ratio,
	/// Share of the supply that may be minted in a day, at most 1.
	pub daily_cap: Ratio,
	/// Supply, in micro-tokens, up to which the daily cap does not apply, so that an issuance of
	/// zero can grow. The reserve limits minting there as everywhere: S_target is never exceeded. 0
	/// for none.
	pub bootstrap: u128,
}

impl Default for Policy {
	fn default() -> Self {
		Self {
			target_price: DEFAULT_TARGET_PRICE,
			cr_min: DEFAULT_CR_MIN,
			cr_max: DEFAULT_CR_MAX,
			daily_cap: DEFAULT_DAILY_CAP,
			bootstrap: 0,
		}
	}
}

/// Reason why a figure cannot be computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CoverageError {
	/// The target price P_T is zero.
	ZeroTargetPrice,
	/// CR_min is zero.
	ZeroThreshold,
	/// CR_max is below CR_min.
	BandInverted,
	/// There are no zones, or more complete zones than zones.
	Zones,
	/// The exact result does not fit its type.
	Overflow,
}

impl fmt::Display for CoverageError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::ZeroTargetPrice => "the target price is zero",
			Self::ZeroThreshold => "CR_min is zero",
			Self::BandInverted => "CR_max is below CR_min",
			Self::Zones => "there are no zones, or more complete zones than zones",
			Self::Overflow => "a figure is too large",
		})
	}
}

impl core::error::Error for CoverageError {}

impl Policy {
	/// Checks that every formula is defined.
	pub fn check(&self) -> Result<(), CoverageError> {
		if self.target_price.is_zero() {
			Err(CoverageError::ZeroTargetPrice)
		} else if self.cr_min.is_zero() {
			Err(CoverageError::ZeroThreshold)
		} else if self.cr_max < self.cr_min {
			Err(CoverageError::BandInverted)
		} else {
			Ok(())
		}
	}
}

/// Coverage ratio as an exact fraction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExactRatio(Fraction);

impl ExactRatio {
	/// Compares it with `other`.
	pub fn compare(&self, other: &Ratio) -> Ordering {
		self.0.compare(&Fraction::from(*other)).unwrap_or(Ordering::Greater)
	}

	/// Returns the floor in parts per million; saturates.
	pub fn ppm_floor(&self) -> u128 {
		self.floor_in(PPM.into())
	}

	/// Returns the floor in parts of 10¹⁸, as in `FixedU128`; saturates.
	pub fn fixed_floor(&self) -> u128 {
		self.floor_in(1_000_000_000_000_000_000)
	}

	/// Returns the decimal cut after `places` digits, such as `1.080000`.
	pub fn to_decimal_floor(&self, places: u32) -> String {
		decimal_floor(self.0.numerator, self.0.denominator, places)
	}

	/// Returns the fraction in lowest terms, such as `27/25`.
	pub fn to_fraction(&self) -> String {
		let lowest = self.0.reduced();
		format!("{}/{}", lowest.numerator, lowest.denominator)
	}

	/// Returns the same ratio, `None` if it needs more than 128 bits in lowest terms.
	pub fn to_ratio(&self) -> Option<Ratio> {
		self.0.to_ratio()
	}

	fn floor_in(&self, parts: u128) -> u128 {
		let scaled = self.0.numerator.times(parts).and_then(|n| n.over(self.0.denominator));
		scaled.unwrap_or(Wide::MAX).saturated()
	}
}

/// Numerator and denominator (never zero), each of up to 1024 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fraction {
	numerator: Wide,
	denominator: Wide,
}

impl From<Ratio> for Fraction {
	fn from(ratio: Ratio) -> Self {
		Self { numerator: ratio.numerator().into(), denominator: ratio.denominator().into() }
	}
}

impl Fraction {
	pub(super) fn times(&self, other: &Self) -> Option<Self> {
		Some(Self {
			numerator: self.numerator.times(other.numerator)?,
			denominator: self.denominator.times(other.denominator)?,
		})
	}

	/// Returns the quotient; `None` if it does not fit or `other` is zero.
	pub(super) fn over(&self, other: &Self) -> Option<Self> {
		if other.numerator.is_zero() {
			return None;
		}
		self.times(&Self { numerator: other.denominator, denominator: other.numerator })
	}

	pub(super) fn plus(&self, other: &Self) -> Option<Self> {
		let left = self.numerator.times(other.denominator)?;
		let right = other.numerator.times(self.denominator)?;
		let denominator = self.denominator.times(other.denominator)?;
		Some(Self { numerator: left.checked_add(right)?, denominator })
	}

	/// Returns the difference, or zero if `other` is larger.
	pub(super) fn minus(&self, other: &Self) -> Option<Self> {
		let left = self.numerator.times(other.denominator)?;
		let right = other.numerator.times(self.denominator)?;
		let denominator = self.denominator.times(other.denominator)?;
		Some(Self { numerator: left.saturating_sub(right), denominator })
	}

	pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
		let left = self.numerator.times(other.denominator)?;
		Some(left.cmp(&other.numerator.times(self.denominator)?))
	}

	/// Returns the same value in lowest terms.
	fn reduced(&self) -> Self {
		let (numerator, denominator) = Wide::lowest_terms(self.numerator, self.denominator);
		Self { numerator, denominator }
	}

	fn to_ratio(self) -> Option<Ratio> {
		Ratio::from_wide(self.numerator, self.denominator)
	}

	/// Returns the floor; saturates at `u128::MAX`.
	pub(super) fn floor(&self) -> u128 {
		self.numerator.over(self.denominator).unwrap_or(Wide::MAX).saturated()
	}
}

/// Results of the coverage formulas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coverage {
	/// Value of the committed energy V_energy, in micro-EUR, floored; saturates.
	pub v_energy: u128,
	/// Value of the reserve V_reserve, in micro-EUR, floored; saturates.
	pub v_reserve: u128,
	/// Supply S, in micro-tokens, floored; saturates.
	pub supply: u128,
	/// Coverage ratio CR; `None` if S is zero, for which no ratio is defined.
	pub ratio: Option<ExactRatio>,
	/// State that CR means. With S = 0 it is [`State::AboveBand`] if there is a reserve and
	/// [`State::Frozen`] if there is none.
	pub state: State,
	/// Supply S_target at which CR would be CR_min, in micro-tokens, floored; saturates.
	pub supply_target: u128,
	/// Mint suggestion, in micro-tokens, floored. Zero below CR_min, and zero for S = 0 unless the
	/// policy has a bootstrap supply.
	pub mint: u128,
	/// Bound that limits the suggestion; `None` below CR_min.
	pub binding: Option<Binding>,
}

/// Computes coverage, state and mint suggestion.
///
/// # Errors
/// Those of [`Policy::check`], and [`CoverageError::Overflow`] if a product exceeds 1024 bits,
/// which `u128` inputs cannot do.
pub fn evaluate(inputs: &Inputs, policy: &Policy) -> Result<Coverage, CoverageError> {
	policy.check()?;
	exact(inputs, policy).ok_or(CoverageError::Overflow)
}

/// [`evaluate`] for a checked policy. Bit lengths: V_reserve 385/256, S 256/256, P_T · S 384/384,
/// CR 769/640, S_target 641/512, S_target − S 897/768; comparing CR takes 897.
fn exact(inputs: &Inputs, policy: &Policy) -> Option<Coverage> {
	let price = Fraction::from(inputs.eur_per_mwh);
	let v_energy = Fraction::from(Ratio::from(inputs.wh_committed)).times(&price)?;
	let v_reserve = v_energy.plus(&inputs.compute_assets.into())?;
	let supply = Fraction::from(inputs.issuance).times(&inputs.utilisation.into())?;
	let target_price = Fraction::from(policy.target_price);
	let per_token = target_price.times(&policy.cr_min.into())?;
	let supply_target = v_reserve.over(&per_token)?;
	let ratio = if supply.numerator.is_zero() {
		None
	} else {
		Some(ExactRatio(v_reserve.over(&target_price.times(&supply)?)?))
	};
	let state = match &ratio {
		Some(ratio) => state_of(ratio, policy),
		None if v_reserve.numerator.is_zero() => State::Frozen,
		None => State::AboveBand,
	};
	let (mint, binding) = if ratio.is_none_or(|r| r.compare(&policy.cr_min).is_ge()) {
		mint_of(&supply, &supply_target, policy)?
	} else {
		(0, None)
	};
	Some(Coverage {
		v_energy: v_energy.floor(),
		v_reserve: v_reserve.floor(),
		supply: supply.floor(),
		ratio,
		state,
		supply_target: supply_target.floor(),
		mint,
		binding,
	})
}

fn state_of(ratio: &ExactRatio, policy: &Policy) -> State {
	if ratio.compare(&CR_DEFENSE).is_lt() {
		State::Defense
	} else if ratio.compare(&policy.cr_min).is_lt() {
		State::Frozen
	} else if ratio.compare(&policy.cr_max).is_le() {
		State::InBand
	} else {
		State::AboveBand
	}
}

/// Returns min(S_target − S, max(cap · S, bootstrap − S)), floored, and which bound it is.
fn mint_of(
	supply: &Fraction,
	target: &Fraction,
	policy: &Policy,
) -> Option<(u128, Option<Binding>)> {
	let room = target.minus(supply)?;
	let cap = supply.times(&policy.daily_cap.into())?;
	let bootstrap = Fraction::from(Ratio::from(policy.bootstrap)).minus(supply)?;
	let (bound, name) = if bootstrap.compare(&cap)?.is_gt() {
		(bootstrap, Binding::Bootstrap)
	} else {
		(cap, Binding::Cap)
	};
	// Comparing exactly can exceed 1024 bits with extreme inputs. Then the floors decide; the mint
	// is the same, only the name of the bound could differ within one micro-token.
	let target_binds = match room.compare(&bound) {
		Some(order) => order.is_le(),
		None => room.floor() <= bound.floor(),
	};
	let (least, name) = if target_binds { (room, Binding::Target) } else { (bound, name) };
	Some((least.floor(), Some(name)))
}

/// Returns the state of a ratio, for callers that show what a ratio would mean.
pub fn state(ratio: &Ratio, policy: &Policy) -> State {
	state_of(&ExactRatio(Fraction::from(*ratio)), policy)
}

/// Returns α_effective = α_base · (zones_ok / zones_total) · haircut, where `haircut` is the factor
/// that remains (19/20 subtracts five per cent).
///
/// # Errors
/// [`CoverageError::Zones`] if there are no zones or fewer than `zones_ok`,
/// [`CoverageError::Overflow`] if the product in lowest terms needs more than 128 bits.
pub fn effective_alpha(
	alpha_base: &Ratio,
	zones_ok: u32,
	zones_total: u32,
	haircut: &Ratio,
) -> Result<Ratio, CoverageError> {
	if zones_ok > zones_total {
		return Err(CoverageError::Zones);
	}
	let share = Ratio::new(zones_ok.into(), zones_total.into()).ok_or(CoverageError::Zones)?;
	let product = Fraction::from(*alpha_base).times(&share.into());
	let product = product.and_then(|product| product.times(&Fraction::from(*haircut)));
	product.and_then(|product| product.to_ratio()).ok_or(CoverageError::Overflow)
}

/// Returns the energy that may be committed to the reserve: ⌊raw · α⌋, in Wh.
///
/// # Errors
/// [`CoverageError::Overflow`] if that is above `u128::MAX`, which only an α above 1 can cause.
pub fn committed_energy(wh_raw: u128, alpha: &Ratio) -> Result<u128, CoverageError> {
	alpha.mul_floor(wh_raw).ok_or(CoverageError::Overflow)
}

/// Returns the credit for redeeming `amount` micro-tokens at the target price: ⌊amount · P_T⌋
/// micro-EUR.
///
/// # Errors
/// [`CoverageError::Overflow`] if that is above `u128::MAX`.
pub fn redeem_value(amount: u128, target_price: &Ratio) -> Result<u128, CoverageError> {
	target_price.mul_floor(amount).ok_or(CoverageError::Overflow)
}

/// Returns the AICP that pays for `credit` micro-EUR of service at the target price: ⌊credit / P_T⌋
/// micro-tokens.
///
/// # Errors
/// [`CoverageError::Overflow`] if that is above `u128::MAX`, [`CoverageError::ZeroTargetPrice`]
/// without a price.
pub fn service_pay(credit: u128, target_price: &Ratio) -> Result<u128, CoverageError> {
	let inverse = Ratio::new(target_price.denominator(), target_price.numerator())
		.ok_or(CoverageError::ZeroTargetPrice)?;
	inverse.mul_floor(credit).ok_or(CoverageError::Overflow)
}

/// Returns the AICP that backs `credit` micro-EUR at the target price: ⌈credit / P_T⌉ micro-tokens,
/// so that it suffices however the credit is spent.
///
/// # Errors
/// Those of [`service_pay`].
pub fn backing(credit: u128, target_price: &Ratio) -> Result<u128, CoverageError> {
	let floor = service_pay(credit, target_price)?;
	match redeem_value(floor, target_price) {
		Ok(value) if value >= credit => Ok(floor),
		_ => floor.checked_add(1).ok_or(CoverageError::Overflow),
	}
}

/// Returns the highest service credit that can be paid out in a day, in micro-EUR: `least`, or the
/// share `cap` of what can be claimed if that is more. So a run lasts weeks, not years, and redeems
/// as fast as was minted.
pub fn daily_capacity(claims: u128, cap: &Ratio, least: u128) -> u128 {
	cap.mul_floor(claims).unwrap_or(u128::MAX).max(least)
}

/// Returns the days until all of `waiting` micro-EUR is paid out, of which `left` can be today and
/// `daily` on each later day, with `backed` in all; 0 if today, `None` if more waits than is backed.
pub fn days_of_waiting(waiting: u128, left: u128, daily: u128, backed: u128) -> Option<u32> {
	if waiting > backed {
		return None;
	}
	let later = waiting.saturating_sub(left);
	let days = later.checked_div(daily)?;
	let whole = later.checked_rem(daily)? == 0;
	u32::try_from(days).ok()?.checked_add(u32::from(!whole))
}

/// Returns `true` if the last statement is too old: `max_age` days may pass after the day it is
/// about.
pub fn is_stale(last: Option<Day>, today: Day, max_age: u32) -> bool {
	last.is_none_or(|last| today.days_since(last) > max_age)
}

/// Returns the only day on which the allowance of a statement about `day` can be used, if it comes
/// in on `today`: the day after the stated one, or today if that is later.
///
/// A statement can come in before its day has ended by the chain's clock; without this rule its
/// allowance would be one of minutes.
pub fn day_of_use(day: Day, today: Day) -> Day {
	day.next().unwrap_or(Day::LAST).max(today)
}

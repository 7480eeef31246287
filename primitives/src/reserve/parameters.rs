//! Parameters of the coverage policy that governance sets, and how they must relate.

use crate::{
	num::decimal::Ratio,
	num::units::{AICP, MICRO_EUR_PER_EUR},
	reserve::bounds::{EnergyBounds, PriceBounds},
	reserve::formula::{
		self, CR_DEFENSE, CoverageError, DEFAULT_ALPHA, Inputs, Policy, effective_alpha,
	},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Longest time for which a statement counts, in days after the one it is about.
pub const MAX_AGE: u32 = 30;
/// Largest bootstrap supply, in micro-tokens: a billion AICP.
pub const MAX_BOOTSTRAP: u128 = 1_000_000_000_000_000;

/// Limits of redemption.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct RedemptionLimits {
	/// Lowest amount of one redemption, in micro-tokens; worth at least one micro-EUR.
	pub minimum: u128,
	/// Highest amount that an account can redeem in a day, in micro-tokens; at least `minimum`.
	pub daily_limit: u128,
	/// Highest service credit that is paid out in a day, in micro-EUR, above 0. What is redeemed
	/// beyond it waits in the queue.
	pub daily_capacity: u128,
}

/// Parameters of the coverage policy that governance sets.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct PolicyParameters {
	/// Target price P_T, band CR_min … CR_max, daily cap and bootstrap supply.
	pub policy: Policy,
	/// Energy prices that are accepted, and their average.
	pub prices: PriceBounds,
	/// Energy and zones that are accepted.
	pub energy: EnergyBounds,
	/// Share α_base of the zones' energy that may be committed if all zones are complete; above 0,
	/// at most 1.
	pub alpha_base: Ratio,
	/// Factor that remains of α after the haircut, above 0, at most 1: 19/20 subtracts five per
	/// cent.
	pub haircut: Ratio,
	/// Number of zones that a statement must be about, at least 1.
	pub zones_total: u16,
	/// Share Û of the issuance that counts as supply; above 0, at most 1.
	pub utilisation: Ratio,
	/// Value of the compute inventory, in micro-EUR: the highest value that a statement's compute
	/// assets can have.
	pub compute_inventory: u128,
	/// Number of days that may pass after the last stated day before the policy is frozen, from 1
	/// to [`MAX_AGE`].
	pub max_age: u32,
	/// Limits of redemption.
	pub redemption: RedemptionLimits,
}

impl Default for PolicyParameters {
	fn default() -> Self {
		Self {
			policy: Policy::default(),
			prices: PriceBounds::DAY_AHEAD,
			energy: EnergyBounds::EUROPE,
			alpha_base: DEFAULT_ALPHA,
			haircut: Ratio::ONE,
			zones_total: 30,
			utilisation: Ratio::ONE,
			compute_inventory: 0,
			max_age: 2,
			redemption: RedemptionLimits {
				minimum: AICP,
				daily_limit: AICP.saturating_mul(10_000),
				daily_capacity: MICRO_EUR_PER_EUR.saturating_mul(100_000),
			},
		}
	}
}

/// Relation that parameters break.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum ParameterError {
	/// The target price P_T is zero.
	TargetPrice,
	/// CR_min is below 1.00, or CR_max is below CR_min.
	Band,
	/// The daily cap is above 1.
	DailyCap,
	/// The lowest price is not below the highest, the window of the average is empty or too long,
	/// or its daily ratio is not above 1 or has too many digits.
	Prices,
	/// α_base or the haircut is zero or above 1, or their product does not fit 128 bits.
	Alpha,
	/// There are no zones.
	Zones,
	/// Û is zero or above 1.
	Utilisation,
	/// Statements would be stale immediately, or count for more than [`MAX_AGE`] days.
	MaxAge,
	/// The minimum of a redemption is worth nothing or above the daily limit, or the daily capacity
	/// is zero.
	Redemption,
	/// The highest energy of a zone is zero, its daily ratio is not above 1 or has too many digits,
	/// or the least share of zones is above 1.
	Energy,
	/// The bootstrap supply is above [`MAX_BOOTSTRAP`].
	Bootstrap,
}

impl fmt::Display for ParameterError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::TargetPrice => "the target price must not be zero",
			Self::Band => "1 <= CR_min <= CR_max must hold",
			Self::DailyCap => "the daily cap must be at most 1",
			Self::Prices => "min < max must hold for prices, the window must have 1 to 366 days, and the daily ratio be above 1 with a numerator of at most 1,000,000",
			Self::Alpha => "alpha and haircut must be above 0 and at most 1",
			Self::Zones => "there must be at least one zone",
			Self::Utilisation => "the utilisation must be above 0 and at most 1",
			Self::MaxAge => "statements must be valid for at least a day and at most 30",
			Self::Energy => "the energy of a zone must be above 0, its daily ratio above 1 with a numerator of at most 1,000,000, and the least share of zones at most 1",
			Self::Bootstrap => "the bootstrap supply must be at most 1,000,000,000 AICP",
			Self::Redemption => "the minimum of a redemption must be worth something and within the daily limit, and the daily capacity above 0",
		})
	}
}

impl core::error::Error for ParameterError {}

/// Returns `true` if it is above zero and at most one.
fn is_share(ratio: &Ratio) -> bool {
	!ratio.is_zero() && *ratio <= Ratio::ONE
}

impl PolicyParameters {
	/// Checks every relation.
	pub fn check(&self) -> Result<(), ParameterError> {
		use ParameterError as Error;
		let require = |holds: bool, fault| if holds { Ok(()) } else { Err(fault) };
		match self.policy.check() {
			Ok(()) => {},
			Err(CoverageError::ZeroTargetPrice) => return Err(Error::TargetPrice),
			Err(_) => return Err(Error::Band),
		}
		require(self.policy.cr_min >= CR_DEFENSE, Error::Band)?;
		require(self.policy.daily_cap <= Ratio::ONE, Error::DailyCap)?;
		require(self.policy.bootstrap <= MAX_BOOTSTRAP, Error::Bootstrap)?;
		require(self.prices.is_valid(), Error::Prices)?;
		require(self.energy.is_valid(), Error::Energy)?;
		require(is_share(&self.alpha_base) && is_share(&self.haircut), Error::Alpha)?;
		require(self.zones_total > 0, Error::Zones)?;
		require(self.effective_alpha(self.zones_total).is_ok(), Error::Alpha)?;
		require(is_share(&self.utilisation), Error::Utilisation)?;
		require((1..=MAX_AGE).contains(&self.max_age), Error::MaxAge)?;
		let RedemptionLimits { minimum, daily_limit, daily_capacity } = self.redemption;
		let worth = formula::redeem_value(minimum, &self.policy.target_price);
		let limit_worth = formula::redeem_value(daily_limit, &self.policy.target_price);
		require(
			worth.is_ok_and(|worth| worth > 0)
				&& limit_worth.is_ok()
				&& minimum <= daily_limit
				&& daily_capacity > 0,
			Error::Redemption,
		)
	}

	/// Returns α_effective for that many complete zones.
	///
	/// # Errors
	/// Those of [`formula::effective_alpha`].
	pub fn effective_alpha(&self, zones_ok: u16) -> Result<Ratio, CoverageError> {
		effective_alpha(&self.alpha_base, zones_ok.into(), self.zones_total.into(), &self.haircut)
	}

	/// Returns the policy for an issuance of `issuance` micro-tokens, `made` of which were made since
	/// genesis, also if some were burned since: the bootstrap supply counts once in a chain's life.
	/// What is left of it stands above the present supply; if nothing is, the policy has none.
	pub fn policy_at(&self, issuance: u128, made: u128) -> Policy {
		let bootstrap = match self.policy.bootstrap.saturating_sub(made) {
			0 => 0,
			left => self.utilisation.mul_floor(issuance).unwrap_or(u128::MAX).saturating_add(left),
		};
		Policy { bootstrap, ..self.policy }
	}

	/// Returns the inputs of [`formula::evaluate`] for a statement's figures and `issuance`
	/// micro-tokens.
	pub fn inputs(
		&self,
		wh_committed: u128,
		eur_per_mwh: Ratio,
		compute_assets: u128,
		issuance: u128,
	) -> Inputs {
		Inputs {
			wh_committed,
			eur_per_mwh,
			compute_assets: compute_assets.min(self.compute_inventory).into(),
			issuance: issuance.into(),
			utilisation: self.utilisation,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn broken(change: impl Fn(&mut PolicyParameters)) -> Result<(), ParameterError> {
		let mut parameters = PolicyParameters::default();
		change(&mut parameters);
		parameters.check()
	}

	#[test]
	fn the_defaults_hold() {
		assert_eq!(PolicyParameters::default().check(), Ok(()));
	}

	#[test]
	fn every_relation_is_checked() {
		use ParameterError::*;
		let (zero, above_one) = (Ratio::ZERO, Ratio::new(101, 100).unwrap());
		type Breaks<'a> = &'a dyn Fn(&mut PolicyParameters);
		let cases: &[(ParameterError, Breaks<'_>)] = &[
			(TargetPrice, &|p| p.policy.target_price = zero),
			(Band, &|p| p.policy.cr_min = Ratio::percent(99)),
			(Band, &|p| p.policy.cr_min = zero),
			(Band, &|p| p.policy.cr_max = Ratio::percent(109)),
			(DailyCap, &|p| p.policy.daily_cap = above_one),
			(Prices, &|p| p.prices.min = p.prices.max.into()),
			(Prices, &|p| p.prices.window = 0),
			(Prices, &|p| p.prices.window = 367),
			(Prices, &|p| p.prices.max_daily_ratio = Ratio::ONE),
			(Prices, &|p| p.prices.max_daily_ratio = Ratio::from_integer(1_000_001)),
			(Energy, &|p| p.energy.max_wh_per_zone = 0),
			(Energy, &|p| p.energy.max_daily_ratio = Ratio::ONE),
			(Energy, &|p| p.energy.max_daily_ratio = Ratio::from_integer(1_000_001)),
			(Energy, &|p| p.energy.min_zones_share = above_one),
			(Bootstrap, &|p| p.policy.bootstrap = MAX_BOOTSTRAP + 1),
			(Bootstrap, &|p| p.policy.bootstrap = u128::MAX),
			(Alpha, &|p| p.alpha_base = zero),
			(Alpha, &|p| p.alpha_base = above_one),
			(Alpha, &|p| p.haircut = zero),
			(Alpha, &|p| p.haircut = above_one),
			(Zones, &|p| p.zones_total = 0),
			(Utilisation, &|p| p.utilisation = zero),
			(Utilisation, &|p| p.utilisation = above_one),
			(MaxAge, &|p| p.max_age = 0),
			(MaxAge, &|p| p.max_age = MAX_AGE + 1),
			(MaxAge, &|p| p.max_age = u32::MAX),
			(Redemption, &|p| p.redemption.minimum = 0),
			(Redemption, &|p| p.redemption.daily_limit = AICP - 1),
			(Redemption, &|p| p.redemption.daily_limit = u128::MAX),
			(Redemption, &|p| p.redemption.daily_capacity = 0),
			(Redemption, &|p| {
				p.policy.target_price = Ratio::new(1, AICP + 1).unwrap();
			}),
		];
		for (fault, change) in cases {
			assert_eq!(broken(change), Err(*fault));
		}
	}

	#[test]
	fn a_bootstrap_counts_once() {
		let mut parameters = PolicyParameters::default();
		parameters.policy.bootstrap = 100;
		let level = |issuance, made| parameters.policy_at(issuance, made).bootstrap;
		assert_eq!((level(0, 0), level(40, 40)), (100, 100));
		// What was burned does not come back: 40 are left, not 90.
		assert_eq!(level(10, 60), 50);
		assert_eq!((level(0, 100), level(7, u128::MAX)), (0, 0));
		parameters.utilisation = Ratio::percent(50);
		assert_eq!(parameters.policy_at(40, 40).bootstrap, 80);
	}

	#[test]
	fn compute_assets_count_up_to_the_inventory() {
		let parameters = PolicyParameters { compute_inventory: 5, ..Default::default() };
		let assets = |stated| parameters.inputs(0, Ratio::ONE, stated, 0).compute_assets;
		assert_eq!((assets(4), assets(6)), (4.into(), 5.into()));
	}
}

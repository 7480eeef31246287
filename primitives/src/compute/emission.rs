//! The emission schedule: when AIT can be minted, and how much.
//!
//! Time is cut into steps of [`STEP_MS`]. Step n may mint at most 50 AIT >> (n / 210,000): 210,000
//! steps are 364.6 days, so the budget halves every year. The schedule alone would reach
//! 21 million AIT; the reserve of 10.5 million ends minting first, after 210,000 steps of full
//! demand.
//!
//! | quantity | formula |
//! |---|---|
//! | budget | 50 AIT >> (step / 210,000) |
//! | claim of a receipt | ⌊bound · class · score / 10⁷⌋, class in thousandths, score in 0 … 10,000 |
//! | its bound | min(units · mint per unit, mint per received · what the treasury received of its price) |
//! | pool of a step | min(budget, Σ claims, reserve left) |
//! | a party's part | ⌊its share of the pool · its claim / Σ claims⌋ |
//!
//! Everything floors, so that what is paid out never exceeds the pool, the pools never exceed the
//! reserve, no part exceeds its own claim, and no order of calls changes that. The treasury's share
//! alone rounds up. [`super::ComputeParameters::claim`] has the bound, and
//! [`super::ComputeParameters::check`] the reason why nobody gains by paying himself.

use crate::num::units::AIT;
use primitive_types::U256;

/// Length of a step, in milliseconds: 150 s.
pub const STEP_MS: u64 = 150_000;
/// Budget of each of the first [`HALVING_INTERVAL`] steps, in units of 10⁻¹⁸ AIT.
pub const INITIAL_BUDGET: u128 = 50 * AIT;
/// Number of steps between two halvings of the budget.
pub const HALVING_INTERVAL: u64 = 210_000;
/// Highest amount that emission can ever mint, in units of 10⁻¹⁸ AIT.
pub const MINING_RESERVE: u128 = 10_500_000 * AIT;
/// Product of the full class (1,000 thousandths) and the full score (10,000).
const FULL: u128 = 1_000 * 10_000;

/// Returns the highest amount that a step may mint by the schedule, in units of 10⁻¹⁸ AIT.
pub fn step_budget(step: u64) -> u128 {
	let halvings = step.checked_div(HALVING_INTERVAL).unwrap_or(u64::MAX);
	u32::try_from(halvings).ok().and_then(|bits| INITIAL_BUDGET.checked_shr(bits)).unwrap_or(0)
}

/// Returns the number of the step at `now`, in UTC milliseconds, of a chain whose first step begins
/// at `start` and whose steps take `step_ms`.
pub fn step_at(now: u64, start: u64, step_ms: u64) -> u64 {
	now.saturating_sub(start).checked_div(step_ms).unwrap_or(0)
}

/// Returns the begin of a step, in UTC milliseconds.
pub const fn step_start(step: u64, start: u64, step_ms: u64) -> u64 {
	start.saturating_add(step.saturating_mul(step_ms))
}

/// Returns the part of a bound that a class (thousandths) and a score (0 … 10,000) leave, in the
/// bound's unit, rounded down. Above the full class or score it is the whole.
pub fn weighted(bound: u128, class_weight: u32, score: u32) -> u128 {
	let part = u128::from(class_weight).saturating_mul(score.into());
	share_of(bound, part.min(FULL), FULL)
}

/// Returns what a step mints, in units of 10⁻¹⁸ AIT: the lowest of its budget, the sum of its
/// receipts' claims and what is left of the reserve.
pub fn pool(step: u64, claims: u128, reserve_left: u128) -> u128 {
	step_budget(step).min(claims).min(reserve_left)
}

/// Returns ⌊amount · part / whole⌋; 0 if the whole is zero, `u128::MAX` if the result does not fit.
pub fn share_of(amount: u128, part: u128, whole: u128) -> u128 {
	// The 256-bit product of two 128-bit factors cannot overflow.
	let product = U256::from(amount).saturating_mul(part.into());
	let quotient = product.checked_div(whole.into()).unwrap_or_default();
	u128::try_from(quotient).unwrap_or(u128::MAX)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{compute::score::SCORE_MAX, compute::settlement::Split};
	use proptest::prelude::*;

	#[test]
	fn the_budget_halves_every_210_000_steps() {
		let half = 25 * AIT;
		assert_eq!(step_budget(0), 50 * AIT);
		assert_eq!(step_budget(209_999), 50 * AIT);
		assert_eq!(step_budget(210_000), half);
		assert_eq!(step_budget(419_999), half);
		assert_eq!(step_budget(420_000), half / 2);
		assert_eq!(step_budget(629_999), half / 2);
		assert_eq!(step_budget(630_000), half / 4);
		// 50 · 10¹⁸ has 66 bits.
		assert_eq!(step_budget(65 * 210_000), 1);
		assert_eq!(step_budget(66 * 210_000), 0);
		assert_eq!(step_budget(128 * 210_000), 0);
		assert_eq!(step_budget(u64::MAX), 0);
	}

	#[test]
	fn a_year_has_210_000_steps_and_they_mint_the_reserve() {
		assert_eq!(HALVING_INTERVAL * STEP_MS / 86_400_000, 364);
		assert_eq!(u128::from(HALVING_INTERVAL) * INITIAL_BUDGET, MINING_RESERVE);
		assert_eq!(FULL, 1_000 * u128::from(SCORE_MAX));
	}

	#[test]
	fn full_claims_empty_the_reserve_in_exactly_a_year() {
		let (mut left, mut step) = (MINING_RESERVE, 0);
		while left > 0 {
			left -= pool(step, u128::MAX, left);
			step += 1;
		}
		assert_eq!(step, 210_000);
		assert_eq!(pool(step, u128::MAX, left), 0);
	}

	#[test]
	fn time_becomes_steps() {
		assert_eq!(step_at(1_000, 1_000, STEP_MS), 0);
		assert_eq!(step_at(150_999, 1_000, STEP_MS), 0);
		assert_eq!(step_at(151_000, 1_000, STEP_MS), 1);
		assert_eq!(step_at(0, 1_000, STEP_MS), 0);
		assert_eq!(step_at(1_000, 0, 0), 0);
		assert_eq!(step_start(1, 1_000, STEP_MS), 151_000);
		assert_eq!(step_start(u64::MAX, 1_000, STEP_MS), u64::MAX);
	}

	#[test]
	fn a_cpu_miner_earns_three_tenths_of_a_gpu_miner() {
		assert_eq!(weighted(AIT, 1_000, 10_000), AIT);
		assert_eq!(weighted(AIT, 300, 10_000), 3 * AIT / 10);
		assert_eq!(weighted(9, 300, 10_000), 2);
		assert_eq!(weighted(AIT, 1_000, 0), 0);
		// Nothing is worth more than the whole.
		assert_eq!(weighted(u128::MAX, u32::MAX, u32::MAX), u128::MAX);
	}

	#[test]
	fn nothing_is_shared_where_there_is_no_claim() {
		assert_eq!(share_of(100, 1, 0), 0);
		assert_eq!(share_of(0, 1, 1), 0);
		assert_eq!(share_of(u128::MAX, u128::MAX, u128::MAX), u128::MAX);
		assert_eq!(share_of(u128::MAX, u128::MAX, 1), u128::MAX);
	}

	proptest! {
		#[test]
		fn no_sequence_of_steps_mints_more_than_the_reserve(
			steps in prop::collection::vec((any::<u64>(), any::<u128>()), 1..200),
			reserve in 0..=MINING_RESERVE,
		) {
			let (mut left, mut minted) = (reserve, 0u128);
			for (step, claims) in steps {
				let pool = pool(step % 2_000_000, claims, left);
				prop_assert!(pool <= claims);
				prop_assert!(pool <= step_budget(step % 2_000_000));
				prop_assert!(pool <= left);
				left -= pool;
				minted += pool;
			}
			prop_assert_eq!(minted + left, reserve);
		}

		#[test]
		fn the_parts_of_a_pool_never_exceed_it(
			pool in 0..=INITIAL_BUDGET,
			claims in prop::collection::vec(0u128..=u128::MAX >> 8, 1..100),
			treasury in 0u32..=1_000_000,
			coordinator in 0u32..=1_000_000,
		) {
			let split = Split { treasury, coordinator: coordinator.min(1_000_000 - treasury) };
			prop_assert!(split.is_valid());
			let shares = split.divide(pool);
			prop_assert_eq!(shares.total(), pool);
			let whole = claims.iter().sum();
			let mut paid = [0u128; 3];
			for claim in &claims {
				let part = shares.pro_rata(*claim, whole);
				prop_assert!(pool > whole || part.total() <= *claim);
				paid[0] += part.treasury;
				paid[1] += part.coordinator;
				paid[2] += part.miner;
			}
			prop_assert!(paid[0] <= shares.treasury);
			prop_assert!(paid[1] <= shares.coordinator);
			prop_assert!(paid[2] <= shares.miner);
			// Rounding loses less than a unit a party.
			prop_assert!(whole == 0 || shares.miner - paid[2] <= claims.len() as u128);
		}

		#[test]
		fn who_joins_together_gains_nothing_by_splitting_up(
			pool in 0..=INITIAL_BUDGET,
			one in 0u128..1 << 80,
			other in 0u128..1 << 80,
			rest in 1u128..1 << 80,
		) {
			let whole = one + other + rest;
			let apart = share_of(pool, one, whole) + share_of(pool, other, whole);
			prop_assert!(apart <= share_of(pool, one + other, whole));
		}
	}
}

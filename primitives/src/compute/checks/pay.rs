//! What verifiers are paid for the checks of a day.

use crate::compute::emission::share_of;
use alloc::vec::Vec;

/// Divides the pay of a day among verifiers, by the checks that each reported.
///
/// Each check is paid `per_check`; where all of them ask for more than `budget`, the budget is divided
/// by checks. Nobody gets more than twice an equal share of what is paid. In units of 10⁻¹⁸ AIT,
/// rounded down: all parts together are never above the budget.
pub fn divide_day(checks: &[u32], per_check: u128, budget: u128) -> Vec<u128> {
	let all = checks.iter().fold(0u128, |sum, one| sum.saturating_add((*one).into()));
	let asked = all.saturating_mul(per_check);
	let pot = asked.min(budget);
	let reporters = checks.iter().filter(|one| **one > 0).count();
	let reporters = u128::try_from(reporters).unwrap_or(u128::MAX);
	let most = share_of(pot, 2, reporters);
	checks.iter().map(|one| share_of(pot, (*one).into(), all).min(most)).collect()
}

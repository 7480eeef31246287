//! What a line of a miner may mint at most.

use super::{BatchKind, MinerLine};
use crate::compute::{
	AitPerAicp, Class, ComputeParameters, counted,
	emission::{self, share_of},
	settlement::MILLION,
};

/// Returns what the treasury receives of a line's price counts for, in units of 10⁻¹⁸ AIT. Work that
/// cannot be checked, or that nobody is paid for, counts for nothing.
pub fn received(
	parameters: &ComputeParameters,
	kind: BatchKind,
	line: &MinerLine,
	rate: Option<&AitPerAicp>,
) -> u128 {
	if !kind.mints() {
		return 0;
	}
	let share = parameters.price_split.divide(line.price().unwrap_or(0)).treasury;
	counted(kind.asset, share, rate)
}

/// Returns the claim of a miner's line, in units of 10⁻¹⁸ AIT, rounded down:
/// score / 10,000 · class · min(weight · mint per unit, γ · received). Without the miner's signature
/// it is zero.
///
/// `score` is 0 … 10,000, `received` what the treasury received of the line's price; see
/// [`received`].
pub fn line_claim(
	parameters: &ComputeParameters,
	line: &MinerLine,
	is_signed: bool,
	class: Class,
	score: u32,
	received: u128,
) -> u128 {
	if !is_signed || line.miner.is_none() {
		return 0;
	}
	let by_weight = parameters.mint_per_unit.saturating_mul(line.weight().unwrap_or(0));
	let by_price = share_of(received, parameters.mint_per_received.into(), MILLION.into());
	emission::weighted(by_weight.min(by_price), parameters.class_weight(class), score)
}

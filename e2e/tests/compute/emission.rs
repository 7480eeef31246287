//! The emission, reckoned apart from the chain's own code.

use super::Jobs;
use anyhow::{Context, Result, bail, ensure};
use gridproof_e2e::compute::{Compute, Money};
use gridproof_primitives::crypto::ed25519::PublicKey;
use num_bigint::BigInt;
use std::collections::BTreeMap;

/// What a compute unit of the full class and score asks for, as the parameters have it.
const MINT_PER_UNIT: u128 = 1_000_000_000_000_000;
/// Class of a processor, in thousandths.
const CPU: u128 = 300;

/// What settled receipts earn of the emission, in units of 10⁻¹⁸ AIT.
#[derive(Clone, Debug, Default)]
pub(crate) struct Emission {
	/// By key.
	pub by_key: BTreeMap<PublicKey, BigInt>,
	/// The treasury's part.
	pub treasury: BigInt,
	/// How many steps something was settled in.
	pub steps: usize,
}

/// What the formula of the emission gives for everything that was settled, reckoned here with
/// numbers of any size, apart from the chain's own code.
pub(crate) fn earned(compute: &Compute, jobs: &Jobs, money: &Money) -> Result<Emission> {
	let mut weights: BTreeMap<u64, BTreeMap<PublicKey, BigInt>> = BTreeMap::new();
	for (job, settled) in &money.settled {
		let [settled] = &settled[..] else { bail!("settled twice") };
		let view = jobs.get(job).context("no such job")?;
		let step = view.receipt.as_ref().context("no receipt")?.step;
		let of = weights.entry(step).or_default().entry(settled.miner).or_default();
		*of += settled.weight;
		let base = u128::from(settled.units) * CPU;
		ensure!(settled.weight % base == 0, "the weight is not units, class and a score");
		ensure!(settled.weight / base <= 10_000, "a score above 10,000");
	}
	let mut emission = Emission { steps: weights.len(), ..Emission::default() };
	for (step, miners) in &weights {
		let whole: BigInt = miners.values().sum();
		let demand = &whole * MINT_PER_UNIT / 10_000_000u64;
		let budget = BigInt::from(50_000_000_000_000_000_000u128) >> (step / 210_000);
		let pool = demand.min(budget);
		let (to_treasury, to_coordinator) = (&pool / 5, &pool / 20);
		let to_miners = &pool - &to_treasury - &to_coordinator;
		for (miner, weight) in miners {
			let part = &to_miners * weight / &whole;
			*emission.by_key.entry(*miner).or_default() += part;
		}
		*emission.by_key.entry(compute.coordinator_key).or_default() += to_coordinator;
		emission.treasury += to_treasury;
	}
	Ok(emission)
}

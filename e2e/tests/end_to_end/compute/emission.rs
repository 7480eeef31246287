//! The emission, reckoned apart from the chain's own code.

use super::Jobs;
use anyhow::{Context, Result, bail, ensure};
use gridproof_e2e::compute::{Compute, Money};
use gridproof_primitives::crypto::ed25519::PublicKey;
use num_bigint::BigInt;
use std::collections::BTreeMap;

/// The most that a compute unit of the full class and score mints, as the parameters have it.
const MINT_PER_UNIT: u128 = 1_000_000_000_000_000;
/// Class of a processor, in thousandths of the full one.
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
	let mut claims: BTreeMap<u64, BTreeMap<PublicKey, BigInt>> = BTreeMap::new();
	for (job, settled) in &money.settled {
		let [settled] = &settled[..] else { bail!("settled twice") };
		let view = jobs.get(job).context("no such job")?;
		let step = view.receipt.as_ref().context("no receipt")?.step;
		let of = claims.entry(step).or_default().entry(settled.miner).or_default();
		*of += settled.claim;
		// A score above 10,000 would show as a claim above the bound of the full score.
		let [received, ..] = settled.shares;
		let bound = (u128::from(settled.units) * MINT_PER_UNIT).min(received);
		ensure!(settled.claim <= bound * CPU / 1_000, "a claim above what the treasury received");
	}
	// Steps in which nobody claimed anything are never closed.
	claims.retain(|_, miners| miners.values().any(|claim| *claim > BigInt::default()));
	let mut emission = Emission { steps: claims.len(), ..Emission::default() };
	for (step, miners) in &claims {
		let whole: BigInt = miners.values().sum();
		let budget = BigInt::from(50_000_000_000_000_000_000u128) >> (step / 210_000);
		let pool = whole.clone().min(budget);
		let to_coordinator = &pool / 20;
		// The treasury's part rounds up.
		let to_treasury = (&pool + 4u8) / 5u8;
		let to_miners = &pool - &to_treasury - &to_coordinator;
		for (miner, claim) in miners {
			let part = &to_miners * claim / &whole;
			*emission.by_key.entry(*miner).or_default() += part;
		}
		*emission.by_key.entry(compute.coordinator_key).or_default() += to_coordinator;
		emission.treasury += to_treasury;
	}
	Ok(emission)
}

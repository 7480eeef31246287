//! What is earned in a later step is paid as well as what was earned in the first: to whoever has
//! it claimed, by a transaction that has the same content every time, and to miners by themselves.

use super::{emission, patience};
use anyhow::{Context, Result, ensure};
use gridproof_chain::{
	ChainError, Refusal,
	pallets::compute_receipts::{self, call::claim_emission, event::EmissionPaid},
	refusal::PoolRefusal,
};
use gridproof_e2e::{
	compute::{COORDINATOR, Compute, MINERS, Money, account},
	wait,
};
use num_traits::ToPrimitive;
use std::time::Duration;

const ROUNDS: u32 = 3;
const JOBS: u32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn every_step_is_paid_out_to_the_last_unit_not_only_the_first() -> Result<()> {
	let mut compute = Compute::start().await?;
	let (first, _) = compute.node.rpc()?.finalized().await?;
	let before = compute.wealth(&account(COORDINATOR)?).await?;
	let claim = claim_emission(&[compute.coordinator_key]);
	let nothing = PoolRefusal::ComputeReceipts(compute_receipts::Refusal::NothingDue);
	let nothing = ChainError::Refused(Refusal::Pool(nothing));
	let mut paid = 0u128;
	for round in 1..=ROUNDS {
		for number in 0..JOBS {
			compute.complete(&format!("Round {round}, question {number}"), 12).await?;
		}
		compute.wait_until_settled(Duration::from_secs(60)).await?;
		compute.wait_for_next_step().await?;
		let claimed = compute.chain.submit_authorized(&claim, &patience()).await;
		let claimed = claimed.with_context(|| format!("payout {round}"))?;
		let money = Money::since(&compute.node, first + 1).await?;
		let jobs = compute.settled_jobs(&money).await?;
		let earned = emission::earned(&compute, &jobs, &money)?;
		let earned = earned.by_key.get(&compute.coordinator_key);
		let earned = earned.and_then(ToPrimitive::to_u128).context("nothing was earned")?;
		ensure!(earned > paid, "nothing was earned in round {round}");
		assert_eq!(claimed.first::<EmissionPaid>()?.amount, earned - paid, "payout {round}");
		paid = earned;
		let after = compute.wealth(&account(COORDINATOR)?).await?;
		let prices: u128 = money.settled.values().flatten().map(|settled| settled.shares[1]).sum();
		assert_eq!(after - before, paid + prices, "what the account has after payout {round}");
		let again = compute.chain.submit_authorized(&claim, &patience()).await;
		assert_eq!(again.as_ref().err(), Some(&nothing), "paid twice: {again:?}");
	}
	miners_are_paid_by_themselves(&compute, first + 1).await?;
	compute.node.assert_no_errors();
	Ok(())
}

/// Nobody but the miners has claimed for them.
async fn miners_are_paid_by_themselves(compute: &Compute, first: u64) -> Result<()> {
	for key in &compute.miner_keys {
		wait::until("a miner has all it earned", Duration::from_secs(90), async || {
			Ok((compute.on_chain_miner(key).await?.party.claimable == 0).then_some(()))
		})
		.await?;
	}
	let money = Money::since(&compute.node, first).await?;
	let jobs = compute.settled_jobs(&money).await?;
	let earned = emission::earned(compute, &jobs, &money)?;
	let mut payouts = 0;
	for (who, key) in MINERS.iter().zip(&compute.miner_keys) {
		let amount = earned.by_key.get(key).and_then(ToPrimitive::to_u128).unwrap_or(0);
		assert_eq!(money.minted.get(key).copied().unwrap_or(0), amount, "{who}");
		payouts += money.payouts.get(key).copied().unwrap_or(0);
	}
	ensure!(payouts > MINERS.len(), "each miner was paid once at most: {payouts} payouts");
	println!("{payouts} payouts that miners asked for themselves");
	Ok(())
}

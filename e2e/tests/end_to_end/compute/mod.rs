//! Real inferences by two miners and one coordinator, paid through the front on a real node: every
//! escrow settles, money adds up to the last unit, what is minted is what the formula says, and
//! receipts that come again change nothing.
//!
//! `GRIDPROOF_E2E_JOBS` says how many inferences there are; 60 if it is not set.

mod emission;
mod payouts;

use anyhow::{Context, Result, ensure};
use codec::Decode;
use futures::{StreamExt, TryStreamExt, stream};
use gridproof_chain::{
	ChainError, Patience, Refusal, Submitter,
	pallets::compute_receipts::{
		self,
		call::{claim_emission, claim_receipts},
	},
	refusal::PoolRefusal,
};
use gridproof_e2e::{
	binary::repository,
	clients::{npm, python, python_script, run},
	compute::{CLIENT, COORDINATOR, Compute, MINERS, Money, PURSE, account},
	reserve::gridproof,
	transfers,
};
use gridproof_primitives::{
	H256,
	compute::{JobState, JobView, ReceiptRefusal, SignedReceipt},
	crypto::ed25519::PublicKey,
	num::units::AIT,
};
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use serde_json::Value;
use std::{
	collections::{BTreeMap, BTreeSet},
	env,
	process::Command,
	time::{Duration, Instant},
};

/// Settled jobs as the chain has them, by id.
type Jobs = BTreeMap<H256, JobView>;

fn jobs() -> Result<usize> {
	match env::var("GRIDPROOF_E2E_JOBS") {
		Ok(text) => text.parse().context("GRIDPROOF_E2E_JOBS is not a number"),
		Err(_) => Ok(60),
	}
}

/// What everybody who is concerned has.
async fn wealth(compute: &Compute) -> Result<BTreeMap<&'static str, u128>> {
	let mut all = BTreeMap::new();
	for who in [PURSE, CLIENT, COORDINATOR, MINERS[0], MINERS[1]] {
		all.insert(who, compute.wealth(&account(who)?).await?);
	}
	let treasury: [u8; 32] = treasury();
	all.insert("treasury", compute.wealth(&treasury).await?);
	all.insert("escrow", compute.wealth(&Compute::escrow()).await?);
	Ok(all)
}

/// Deposit for the row of a job, in 10⁻¹⁸ AIT.
const JOB_DEPOSIT: u128 = AIT / 2;

/// The treasury's account: `modl` and its name, padded with zeros.
fn treasury() -> [u8; 32] {
	let mut account = [0; 32];
	account[..12].copy_from_slice(b"modlgp/trsry");
	account
}

#[tokio::test(flavor = "multi_thread")]
async fn every_escrow_settles_and_the_money_adds_up_to_the_last_unit() -> Result<()> {
	let count = jobs()?;
	let mut compute = Compute::start().await?;
	let (first, _) = compute.node.rpc()?.finalized().await?;
	let before = wealth(&compute).await?;
	let start = Instant::now();

	let prompts = ["Once upon a time", "The energy of the sun", "A miner", "It was a dark night"];
	let ask = async |number: usize| {
		let prompt = format!("{} {number}", prompts[number % prompts.len()]);
		compute.complete(&prompt, 8 + u32::try_from(number % 9)?).await
	};
	let done: Vec<_> = stream::iter(0..count).map(ask).buffer_unordered(48).try_collect().await?;
	println!("{count} inferences in {:.1} s", start.elapsed().as_secs_f64());
	// And some by a client that opens its jobs itself.
	for number in 0..3 {
		own_job(&compute, &format!("My own question {number}")).await?;
	}
	compute.wait_until_settled(Duration::from_secs(120)).await?;
	println!("all final after {:.1} s", start.elapsed().as_secs_f64());

	let ids: BTreeSet<&String> = done.iter().map(|done| &done.job).collect();
	let receipts: BTreeSet<&String> = done.iter().map(|done| &done.receipt).collect();
	assert_eq!(
		(ids.len(), receipts.len()),
		(count, count),
		"each has a job and receipt of its own"
	);
	pay_out(&compute).await?;
	let money = Money::since(&compute.node, first + 1).await?;
	let overview = compute.overview().await?;
	assert_eq!(overview.jobs_settled, u64::try_from(count + 3)?);
	assert_eq!((overview.jobs_open, overview.escrow_ait), (0, 0), "nothing is held any more");
	let jobs = compute.settled_jobs(&money).await?;
	check_settlements(&jobs, &money, count + 3)?;
	check_mint(&compute, &jobs, &money).await?;
	check_wealth(&compute, &jobs, &money, &before).await?;
	replays_change_nothing(&compute, &done.iter().map(|d| d.job.clone()).collect::<Vec<_>>())
		.await?;
	clients_of_openai(&compute).await?;
	compute.node.assert_no_errors();
	Ok(())
}

/// A job that a client opens on chain with its own money.
async fn own_job(compute: &Compute, prompt: &str) -> Result<()> {
	let folder = compute.folder.path().join("jobs").display().to_string();
	let node = compute.node.rpc_url();
	let common = ["--coordinator", &compute.url, "--jobs", &folder];
	let mut arguments = vec!["job", "submit", "--prompt", prompt, "--max-tokens", "12"];
	arguments.extend(["--suri", CLIENT, "--url", &node, "--until-final"]);
	arguments.extend(common);
	let shown = gridproof(&arguments).await?.done()?;
	assert_eq!(
		(&shown["state"], &shown["receipt"]["settlement"]),
		(&"completed".into(), &"final".into())
	);
	ensure!(shown["output"]["completion_tokens"].as_u64() > Some(0), "no tokens: {shown}");
	let job = shown["job"].as_str().context("no id")?;
	let mut again = vec!["job", "show", job];
	again.extend(common);
	let again = gridproof(&again).await?.done()?;
	assert_eq!(again["output"], shown["output"]);
	Ok(())
}

/// Closes the running step by waiting for its end, and has everybody paid.
async fn pay_out(compute: &Compute) -> Result<()> {
	compute.wait_for_next_step().await?;
	let parties: Vec<[u8; 32]> =
		compute.miner_keys.iter().copied().chain([compute.coordinator_key]).collect();
	for party in parties {
		// Miners claim by themselves now and then: whoever has nothing left is refused.
		let claim = claim_emission(&[party]);
		let paid = compute.chain.submit_authorized(&claim, &Patience::default()).await;
		let nothing = PoolRefusal::ComputeReceipts(compute_receipts::Refusal::NothingDue);
		let nothing = ChainError::Refused(Refusal::Pool(nothing));
		ensure!(paid.is_ok() || paid == Err(nothing), "{paid:?}");
	}
	Ok(())
}

fn patience() -> Patience {
	Patience { attempts: 1, ..Patience::default() }
}

/// Each job settled once, by its assigned price, and the rest went back.
fn check_settlements(jobs: &Jobs, money: &Money, count: usize) -> Result<()> {
	assert_eq!(money.settled.len(), count);
	for (job, settled) in &money.settled {
		let [settled] = &settled[..] else { anyhow::bail!("{settled:?} for one job") };
		let view = &jobs[job];
		let receipt = view.receipt.as_ref().context("no receipt")?;
		assert_eq!(view.state, JobState::Settled);
		let paid: u128 = settled.shares.iter().sum();
		assert_eq!((receipt.price, receipt.miner), (paid, settled.miner));
		assert_eq!(paid + settled.refund, view.price, "price and refund are the escrow");
		ensure!(settled.units <= view.max_units, "units above the quote");
		// A token of this model is `model_factor` thousandths of a unit.
		assert_eq!(settled.units, receipt.compute_units);
	}
	Ok(())
}

/// What was minted is what the formula gives.
async fn check_mint(compute: &Compute, jobs: &Jobs, money: &Money) -> Result<()> {
	let earned = emission::earned(compute, jobs, money)?;
	for (key, amount) in &earned.by_key {
		let paid = money.minted.get(key).copied().unwrap_or(0);
		assert_eq!(amount.to_u128(), Some(paid), "minted to {}", hex::encode(key));
	}
	assert_eq!(earned.treasury.to_u128(), Some(money.treasury), "minted to the treasury");
	assert_eq!(compute.overview().await?.minted, money.minted());
	println!("minted {} in {} steps", money.minted(), earned.steps);
	Ok(())
}

/// Who paid, who got, to the last unit.
async fn check_wealth(
	compute: &Compute,
	jobs: &Jobs,
	money: &Money,
	before: &BTreeMap<&'static str, u128>,
) -> Result<()> {
	let after = wealth(compute).await?;
	let change = |who: &str| {
		let amount = |all: &BTreeMap<&str, u128>| BigInt::from(all.get(who).copied().unwrap_or(0));
		amount(&after) - amount(before)
	};
	let fee =
		|who: &str| -> Result<u128> { Ok(money.fees.get(&account(who)?).copied().unwrap_or(0)) };
	let mut paid_by: BTreeMap<[u8; 32], u128> = BTreeMap::new();
	let mut paid_to: BTreeMap<PublicKey, u128> = BTreeMap::new();
	for (job, settled) in &money.settled {
		let view = &jobs[job];
		let total: u128 = settled.iter().flat_map(|settled| settled.shares).sum();
		// The rows are there for a day, and with them their deposits.
		*paid_by.entry(view.client).or_default() += total + JOB_DEPOSIT;
		for settled in settled {
			*paid_to.entry(settled.miner).or_default() += settled.shares[2];
		}
	}
	for who in [PURSE, CLIENT] {
		let paid = paid_by.get(&account(who)?).copied().unwrap_or(0);
		assert_eq!(change(who), -BigInt::from(paid + fee(who)?), "{who} paid its jobs and fees");
	}
	let deposits = JOB_DEPOSIT * u128::try_from(money.settled.len())?;
	assert_eq!(change("escrow"), BigInt::from(deposits), "nothing else is left in escrow");
	for (who, key) in MINERS.iter().zip(&compute.miner_keys) {
		let of = |sums: &BTreeMap<PublicKey, u128>| sums.get(key).copied().unwrap_or(0);
		let got = of(&paid_to) + of(&money.minted);
		assert_eq!(change(who), BigInt::from(got), "{who} got its prices and its emission");
		ensure!(of(&paid_to) > 0, "{who} did nothing");
	}
	let minted = money.minted.get(&compute.coordinator_key).copied().unwrap_or(0);
	let of_prices =
		|place: usize| money.settled.values().flatten().map(|of| of.shares[place]).sum::<u128>();
	let coordinators = minted + of_prices(1);
	assert_eq!(change(COORDINATOR), BigInt::from(coordinators), "the coordinator's part");
	let fees: u128 = money.fees.values().sum();
	let treasurys = money.treasury + fees + of_prices(0);
	assert_eq!(change("treasury"), BigInt::from(treasurys), "the treasury's part");
	let all: BigInt = after.keys().map(|who| change(who)).sum();
	assert_eq!(all, BigInt::from(money.minted()), "nothing came from nowhere but the emission");
	Ok(())
}

/// The same receipts again: alone, all at once, in another order, by somebody else.
async fn replays_change_nothing(compute: &Compute, jobs: &[String]) -> Result<()> {
	let mut receipts = Vec::new();
	for job in jobs.iter().take(120) {
		let bytes = compute.signed_receipt(job).await?;
		receipts.push(SignedReceipt::decode(&mut &bytes[..])?);
	}
	let before = (compute.overview().await?, wealth(compute).await?);
	let (height, _) = compute.node.rpc()?.finalized().await?;
	let reversed: Vec<_> = receipts.iter().rev().cloned().collect();
	let settled = PoolRefusal::Receipt(ReceiptRefusal::AlreadySettled);
	let settled = ChainError::Refused(Refusal::Pool(settled));
	for bundle in [&receipts[..1], &receipts, &reversed] {
		let again = compute.chain.submit_authorized(&claim_receipts(bundle), &patience()).await;
		assert_eq!(again.err(), Some(settled.clone()));
	}
	let somebody =
		Submitter::new(compute.chain.clone(), transfers::account("//Alice")?, patience());
	let calls = [claim_receipts(&reversed), claim_receipts(&receipts)];
	for outcome in somebody.submit(&calls).await? {
		assert_eq!(outcome.err(), Some(settled.clone()), "refused before it costs a fee");
	}
	let money = Money::since(&compute.node, height + 1).await?;
	assert_eq!(money.refused, 0, "no refused receipt is in a block");
	assert!(money.settled.is_empty() && money.minted() == 0);
	let after = (compute.overview().await?, wealth(compute).await?);
	assert_eq!(before.0.jobs_settled, after.0.jobs_settled);
	assert_eq!(before.0.minted, after.0.minted);
	let fees: u128 = money.fees.values().sum();
	for (who, amount) in &before.1 {
		let more = if *who == "treasury" { fees } else { 0 };
		assert_eq!(after.1[who], amount + more, "{who}");
	}
	Ok(())
}

/// OpenAI's own client libraries, unchanged, in Python and JavaScript.
async fn clients_of_openai(compute: &Compute) -> Result<()> {
	let model = compute.model().await?;
	let base = format!("{}/v1", compute.url);
	let environment = [
		("OPENAI_BASE_URL", base.as_str()),
		("OPENAI_API_KEY", &compute.api_key),
		("MODEL", &model),
	];
	let interpreter = python()?;
	let mut python = Command::new(&interpreter);
	python.arg(python_script("openai_client.py")).envs(environment);
	let mut node = Command::new("node");
	node.arg(npm("openai")?.join("client.js")).envs(environment);
	for (mut command, name) in [(python, "Python"), (node, "JavaScript")] {
		let printed = tokio::task::spawn_blocking(move || run(&mut command)).await??;
		let said: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
		for kind in ["chat", "stream", "completion", "embedding"] {
			let job =
				said[kind].as_str().with_context(|| format!("{name}: no {kind} in {said}"))?;
			let receipt = compute.get(&format!("/attest/receipt?id={job}")).await?;
			assert_eq!(receipt["receipt_id"], said[kind], "{name}: {kind}");
		}
	}
	// A prompt that no model reads is the request's own fault: the library does not try it again.
	let mut long = Command::new(&interpreter);
	long.arg(repository().join("vectors/field/openai/retries.py")).arg("too-long");
	long.envs([("BASE", compute.url.as_str()), ("KEY", &compute.api_key), ("MODEL", &model)]);
	let said = tokio::task::spawn_blocking(move || run(&mut long)).await??;
	ensure!(said.starts_with("too-long BadRequestError 400 context_length_exceeded"), "{said}");
	Ok(())
}

#[test]
fn the_treasury_is_where_the_runtime_has_it() {
	assert_eq!(H256(treasury()).0[..4], *b"modl");
}

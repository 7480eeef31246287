//! The emergency committee stops a mint at once, whatever else there is to do, and starts nothing.

use super::once;
use anyhow::{Context, Result, ensure};
use gridproof_chain::{
	Call, Chain, ChainError, Refusal, Submitter,
	pallets::{
		attestations, brakes, compute_receipts, conviction_voting, governance, meter_readings,
		referenda::Track, safe_mode, system, treasury, tx_pause, utility,
	},
	refusal::DispatchRefusal,
};
use gridproof_e2e::{
	Node, NodeConfig,
	governance::{block_with, call},
	reserve::gridproof,
	transfers::{AIT, Api, account, connect, nonce, sign_calls, transfer},
};
use gridproof_primitives::{H256, compute::Breaker};
use std::time::Duration;
use subxt::dynamic::{self, Value};

const LIMIT: Duration = Duration::from_secs(60);

/// The committee of the development chain is one member.
const MEMBER: &str = "//Ferdie";
/// Transactions that the node's pool holds.
const POOL: usize = 30;
/// Calls within one of the transactions that fill it, so that a block has room for few of them.
const CALLS: usize = 200;
/// Who fills it, and with how many each.
const OTHERS: [&str; 8] = [
	"//Alice",
	"//Bob",
	"//Charlie",
	"//Dave",
	"//Eve",
	"//Alice//stash",
	"//Bob//stash",
	"//Charlie//stash",
];
const OF_EACH: u64 = 30;

/// Transactions of people who pay, and whose calls safe mode lets through: they release what somebody has
/// voted with, again and again.
async fn flood(chain: &Chain, api: &Api) -> Result<Vec<String>> {
	let bob = account("//Bob")?.public_key().0;
	let unlock = conviction_voting::call::unlock(Track::Standard, bob);
	let batch = chain.encode(&utility::call::force_batch(vec![unlock; CALLS])).await?;
	let block = api.at_current_block().await?;
	let batch = block.transactions().from_call_data_bytes(&batch)?;
	let mut of_each = Vec::new();
	for who in OTHERS {
		let key = account(who)?;
		let first = nonce(api, &key.public_key()).await?;
		of_each.push(sign_calls(api, &key, &batch, first, OF_EACH).await?.into_iter());
	}
	// By turns: a full pool drops the oldest, and with it all later ones of the same account.
	let mut all = Vec::new();
	for _ in 0..OF_EACH {
		all.extend(of_each.iter_mut().filter_map(Iterator::next));
	}
	Ok(all)
}

/// The committee's motion to stop the mint of AIT, signed.
async fn motion(api: &Api) -> Result<String> {
	let level = Value::unnamed_variant("MintStopped", []);
	let breaker = call("ComputeReceipts", "set_breaker", ("new", level));
	let stop = call("Governance", "stop", ("call", breaker));
	// Half of the members is one; the motion is shorter than this.
	let arguments = vec![Value::u128(1), stop, Value::u128(100)];
	let propose = dynamic::transaction("EmergencyCommittee", "propose", arguments);
	let member = account(MEMBER)?;
	let first = nonce(api, &member.public_key()).await?;
	let signed = sign_calls(api, &member, &propose, first, 1).await?;
	signed.into_iter().next().context("one is signed")
}

/// What would start something, or take the committee's place, each through the committee's door, and why it
/// fails.
fn through_the_door() -> Vec<(Call, Refusal)> {
	let other =
		|error: &str| Refusal::Other { pallet: "Governance".to_string(), error: error.to_string() };
	let not_a_stop = [
		safe_mode::call::force_exit(),
		attestations::call::resume(),
		meter_readings::call::resume(),
		tx_pause::call::unpause("Balances", "transfer_keep_alive"),
		compute_receipts::call::admit_coordinator(&[1; 32]),
		brakes::call::set_emergency_account(None),
		treasury::call::spend_native(AIT, [1; 32]),
		system::call::authorize_upgrade(H256([1; 32])),
	];
	let mut all: Vec<_> = not_a_stop.into_iter().map(|call| (call, other("NotAStop"))).collect();
	let breaker = compute_receipts::call::set_breaker;
	let loosened = compute_receipts::Refusal::NotGovernance;
	all.push((breaker(Breaker::Closed), Refusal::ComputeReceipts(loosened)));
	all.push((breaker(Breaker::MintStopped), other("TooSoon")));
	all.into_iter().map(|(call, refusal)| (governance::call::stop(call), refusal)).collect()
}

/// The same past the door: only governance may.
fn past_the_door() -> Vec<(Call, Refusal)> {
	[
		safe_mode::call::force_exit(),
		meter_readings::call::resume(),
		compute_receipts::call::set_breaker(Breaker::Closed),
		brakes::call::set_emergency_account(None),
	]
	.into_iter()
	.map(|call| (call, Refusal::Dispatch(DispatchRefusal::BadOrigin)))
	.collect()
}

/// How much of compute is stopped.
async fn level(chain: &Chain) -> Result<Breaker> {
	Ok(chain.read(&compute_receipts::query::overview()).await?.breaker)
}

/// Safe mode takes no transfer, not even into the pool.
async fn assert_in_safe_mode(api: &Api) -> Result<()> {
	let pay = transfer(&account("//nobody")?.public_key(), AIT);
	let sent =
		api.transactions().await?.sign_and_submit_default(&pay, &account("//Dave//stash")?).await;
	ensure!(sent.is_err(), "a transfer is taken in safe mode");
	Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stops_a_mint_within_two_blocks_in_safe_mode_under_load_and_starts_nothing() -> Result<()>
{
	let mut config = NodeConfig::development();
	config.arguments.extend(["--pool-limit".to_owned(), POOL.to_string()]);
	let node = Node::start(config).await?;
	node.wait_for_finalized(2, LIMIT).await?;
	let (url, rpc) = (node.rpc_url(), node.rpc()?);
	let (chain, api) = (Chain::connect(&url).await?, connect(&node).await?);
	let enter = ["govern", "enter-safe-mode", "--emergency", "--suri", MEMBER, "--url", &url];
	gridproof(&enter).await?.done()?;
	assert_in_safe_mode(&api).await?;
	assert_eq!(level(&chain).await?, Breaker::Closed);

	let (flood, motion) = (flood(&chain, &api).await?, motion(&api).await?);
	let mut waiting = 0;
	for extrinsic in &flood {
		rpc.submit(extrinsic).await?;
		waiting = rpc.pending().await?;
		if waiting >= POOL {
			break;
		}
	}
	ensure!(waiting >= POOL, "{waiting} transactions wait, the pool is not full");
	let best = rpc.best().await?;
	rpc.submit(&motion).await?;
	node.wait_for_height(best + 2, LIMIT).await?;
	let stopped = block_with(&api, ("Governance", "Stopped"), best + 1, best + 2).await?;
	let stopped = stopped.with_context(|| format!("no stop in the two blocks after {best}"))?;
	let still = rpc.pending().await?;
	ensure!(still > 0, "the pool is empty: others did not wait");
	let hash = rpc.hash_at(stopped).await?.context("it is there")?;
	let included = rpc.extrinsics(&hash).await?;
	ensure!(included.contains(&motion), "the motion is in the block of the stop");
	ensure!(included.len() > 3, "the block is not one of many: {}", included.len());
	node.wait_for_finalized(stopped, LIMIT).await?;
	assert_eq!(level(&chain).await?, Breaker::MintStopped);

	// It starts nothing, through its own door and past it.
	let cases = [through_the_door(), past_the_door()].concat();
	let calls: Vec<Call> = cases.iter().map(|(call, _)| call.clone()).collect();
	let member = Submitter::new(chain.clone(), account(MEMBER)?, once());
	let outcomes = member.submit(&calls).await?;
	assert_eq!(outcomes.len(), cases.len());
	for (outcome, (call, refusal)) in outcomes.into_iter().zip(cases) {
		assert_eq!(outcome.err(), Some(ChainError::Refused(refusal)), "{call}: {call:?}");
	}
	let leave = ["govern", "leave-safe-mode", "--emergency", "--suri", MEMBER, "--url", &url];
	gridproof(&leave).await?.assert_refused("Governance.NotAStop");
	assert_in_safe_mode(&api).await?;
	assert_eq!(level(&chain).await?, Breaker::MintStopped);
	node.assert_no_errors();
	Ok(())
}

//! Transfers: exact amounts, and none lost in silence.

use anyhow::{Result, ensure};
use futures::{StreamExt, stream};
use gridproof_e2e::{
	Node, NodeConfig,
	rpc::Rpc,
	transfers::{
		AIT, account, connect, count_in_blocks, fee_paid, free_balance, nonce, sign_transfers,
		transfer,
	},
};
use std::time::{Duration, Instant};
use subxt_signer::sr25519::dev;

const LIMIT: Duration = Duration::from_secs(60);
/// How many transfers one account sends.
const MANY: u64 = 2_000;
/// Connections they are sent over, and how many are under way at once.
const CONNECTIONS: usize = 8;
const UNDER_WAY: usize = 512;

#[tokio::test]
async fn a_transfer_by_subxt_moves_exactly_its_amount_and_its_fee() -> Result<()> {
	let node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let api = connect(&node).await?;
	let (sender, receiver) = (dev::alice(), account("//a receiver")?);
	let before = free_balance(&api, &sender.public_key()).await?;
	ensure!(free_balance(&api, &receiver.public_key()).await? == 0);

	let events = api
		.transactions()
		.await?
		.sign_and_submit_then_watch_default(&transfer(&receiver.public_key(), 3 * AIT), &sender)
		.await?
		.wait_for_finalized_success()
		.await?;

	let fee = fee_paid(&events)?;
	assert_eq!(free_balance(&api, &receiver.public_key()).await?, 3 * AIT);
	assert_eq!(free_balance(&api, &sender.public_key()).await?, before - 3 * AIT - fee);
	assert_eq!(nonce(&api, &sender.public_key()).await?, 1);
	node.assert_no_errors();
	Ok(())
}

#[tokio::test]
async fn of_two_transfers_with_one_nonce_only_one_is_ever_in_a_block() -> Result<()> {
	let node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let api = connect(&node).await?;
	let rpc = node.rpc()?;
	let sender = dev::bob();
	let receivers = [account("//first receiver")?, account("//second receiver")?];
	// Each alone is within the balance, both together are above it.
	let amount = free_balance(&api, &sender.public_key()).await? / 3 * 2;
	let mut signed = Vec::new();
	for receiver in &receivers {
		let to = receiver.public_key();
		signed.extend(sign_transfers(&api, &sender, &to, amount, 0, 1).await?);
	}

	rpc.submit(&signed[0]).await?;
	// Whether the node refuses the second now or drops it later, it must never move money.
	let second = rpc.submit(&signed[1]).await;

	let (start, _) = rpc.finalized().await?;
	let end = node.wait_for_finalized(start + 5, LIMIT).await?;
	let counts = count_in_blocks(rpc, 1, end).await?;
	assert_eq!(counts.get(&signed[0]), Some(&1));
	assert_eq!(counts.get(&signed[1]), None, "the node answered {second:?}");
	assert_eq!(free_balance(&api, &receivers[0].public_key()).await?, amount);
	assert_eq!(free_balance(&api, &receivers[1].public_key()).await?, 0);
	assert_eq!(nonce(&api, &sender.public_key()).await?, 1);
	Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_transfers_of_one_account_sent_side_by_side_all_end_in_blocks() -> Result<()> {
	all_end_in_blocks(Duration::ZERO).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_transfers_sent_while_blocks_are_made_all_end_in_blocks() -> Result<()> {
	// Over five slots some arrive at every moment of a block's life, most before their turn.
	all_end_in_blocks(Duration::from_secs(5)).await
}

/// Sends many transfers of one account in an order far from that of their nonces, starting them
/// evenly over a time.
async fn all_end_in_blocks(spread: Duration) -> Result<()> {
	let node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let api = connect(&node).await?;
	let (sender, receiver) = (dev::alice(), account("//two thousand")?);
	let amount = AIT / 1_000;
	let signed = sign_transfers(&api, &sender, &receiver.public_key(), amount, 0, MANY).await?;

	let refusals = send_until_accepted(&node, shuffled(&signed), spread).await?;

	let deadline = Instant::now() + LIMIT;
	while nonce(&api, &sender.public_key()).await? < MANY && Instant::now() < deadline {
		tokio::time::sleep(Duration::from_millis(500)).await;
	}
	let (last, _) = node.rpc()?.finalized().await?;
	let counts = count_in_blocks(node.rpc()?, 1, last).await?;
	let lost = signed.iter().filter(|extrinsic| !counts.contains_key(*extrinsic)).count();
	let twice = signed.iter().filter(|extrinsic| counts.get(*extrinsic) > Some(&1)).count();
	println!("{MANY} in {last} blocks: {lost} lost, {twice} twice, {refusals} refusals");
	assert_eq!((lost, twice), (0, 0), "accepted, but not in a block; {refusals} were refused");
	let received = free_balance(&api, &receiver.public_key()).await?;
	assert_eq!(received, u128::from(MANY) * amount);
	node.assert_no_errors();
	Ok(())
}

/// Sends all extrinsics; one that the node refuses, and says so, is sent again. Gives how many
/// refusals there were.
async fn send_until_accepted(
	node: &Node,
	mut to_send: Vec<String>,
	spread: Duration,
) -> Result<usize> {
	let mut connections = Vec::new();
	for _ in 0..CONNECTIONS {
		connections.push(Rpc::connect(&node.rpc_url()).await?);
	}
	let (mut refusals, start) = (0, Instant::now());
	while !to_send.is_empty() {
		let sent = to_send.len();
		let refused = send_side_by_side(&connections, to_send, spread).await;
		println!("{} of {sent} accepted, {} refused", sent - refused.len(), refused.len());
		if let Some((_, reason)) = refused.first() {
			println!("first refusal: {reason}");
			ensure!(start.elapsed() < LIMIT, "still refused after {LIMIT:?}: {reason}");
			tokio::time::sleep(Duration::from_secs(1)).await;
		}
		refusals += refused.len();
		to_send = refused.into_iter().map(|(extrinsic, _)| extrinsic).collect();
	}
	Ok(refusals)
}

/// Sends all extrinsics, each without waiting for the others, their starts spread evenly; gives
/// back the refused ones with the node's reason.
async fn send_side_by_side(
	connections: &[Rpc],
	extrinsics: Vec<String>,
	spread: Duration,
) -> Vec<(String, String)> {
	let start = tokio::time::Instant::now();
	let pause = spread / u32::try_from(extrinsics.len()).unwrap_or(u32::MAX).max(1);
	let moments = (0u32..).map(|place| start + pause * place);
	stream::iter(extrinsics.into_iter().zip(connections.iter().cycle()).zip(moments))
		.map(async |((extrinsic, rpc), moment)| {
			tokio::time::sleep_until(moment).await;
			let outcome = rpc.submit(&extrinsic).await;
			outcome.err().map(|error| (extrinsic, format!("{error:#}")))
		})
		.buffer_unordered(UNDER_WAY)
		.filter_map(async |refused| refused)
		.collect()
		.await
}

/// The same items in a fixed disorder: a step through them that is coprime to their number.
fn shuffled(items: &[String]) -> Vec<String> {
	const STEP: usize = 1_237;
	let count = items.len();
	(0..count).map(|index| items[(index * STEP + count / 2) % count].clone()).collect()
}

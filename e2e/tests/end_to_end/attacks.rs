//! Attacks with free calls, live on a development node: what they did before the rules of today stands
//! in docs/security/findings.md; the figures of today are printed.

use anyhow::{Context, Result};
use futures::future::join_all;
use gridproof_chain::{
	ChainError, Patience, Refusal,
	pallets::{
		meter_readings::{call::set_limits, query::limits},
		sudo::call::sudo,
	},
	refusal::{PoolRefusal, TransactionRefusal},
};
use gridproof_e2e::{
	metering::{Certified, LIMIT, Metering, Signer, breaks, minutes_ago},
	transfers::{AIT, Api, account, connect, free_balance, nonce, sign_transfers, transfer},
};
use gridproof_keys::account::{AccountKey, development_signer};
use gridproof_primitives::{
	H256,
	energy::{BatchHeader, BatchLimits, BatchRefusal, Registers, SignedBatch},
};
use std::{collections::BTreeMap, time::Instant};
use subxt::{
	dynamic::{self, At, Value},
	events::Phase,
	ext::scale_value::Composite,
	tx::DynamicPayload,
};

/// Rated power of the attacker's meters, in W.
const RATED_W: u32 = 1_000;
/// The gateway makes no batch of its own.
const NEVER: u32 = 3_600;
/// Transfers of others, who pay.
const TRANSFERS: u64 = 1_500;
/// Batches in one list.
const LIST: usize = 40;
const MINUTE: u64 = 60_000;

/// `count` batches of a meter without energy, one after the other, each of `length_ms`.
fn empty_batches(
	metering: &Metering,
	meter: &Certified,
	count: u64,
	length_ms: u64,
) -> Result<Vec<SignedBatch>> {
	let (key, genesis) = (metering.key(meter)?, metering.chain.genesis());
	let (mut previous, start) = (H256::default(), minutes_ago(23 * 60));
	let batches = (0..count).map(|sequence| {
		let start_ms = start + sequence * length_ms;
		let header = BatchHeader {
			meter: meter.index,
			sequence,
			previous,
			start_ms,
			end_ms: start_ms + length_ms,
			opening: Registers::default(),
			closing: Registers::default(),
			readings: 1,
			root: H256([7; 32]),
			cid: None,
		};
		previous = header.hash();
		let signature = key.sign(&header.signing_payload(&genesis));
		SignedBatch { header, signature }
	});
	Ok(batches.collect())
}

/// What a block's ordinary transactions weighed, in picoseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Weighed {
	/// Those that paid.
	paid: u128,
	/// Those that did not.
	free: u128,
	/// Number of those that paid.
	paying: u64,
}

/// The ordinary transactions of one block.
async fn weighed(api: &Api, number: u64) -> Result<Weighed> {
	let events = api.at_block(number).await?.events().fetch().await?;
	// Of each transaction its weight, where it is an ordinary one, and whether it paid.
	let mut all: BTreeMap<u32, (u128, bool)> = BTreeMap::new();
	for event in events.iter() {
		let event = event?;
		let Phase::ApplyExtrinsic(place) = event.phase() else { continue };
		let entry = all.entry(place).or_default();
		let fields = || Ok::<Composite<()>, anyhow::Error>(event.decode_fields_unchecked_as()?);
		match (event.pallet_name(), event.event_name()) {
			("System", "ExtrinsicSuccess" | "ExtrinsicFailed") => {
				let fields = fields()?;
				let info = fields.at("dispatch_info").context("no dispatch info")?;
				let class = format!("{:?}", info.at("class"));
				let weight = info.at("weight").at("ref_time").and_then(Value::as_u128);
				if class.contains("Normal") {
					entry.0 = weight.context("no weight")?;
				}
			},
			("TransactionPayment", "TransactionFeePaid") => {
				let fee = fields()?.at("actual_fee").and_then(Value::as_u128).context("no fee")?;
				entry.1 |= fee > 0;
			},
			_ => (),
		}
	}
	let mut sum = Weighed::default();
	for (weight, paid) in all.into_values().filter(|(weight, _)| *weight > 0) {
		if paid {
			sum.paid += weight;
			sum.paying += 1;
		} else {
			sum.free += weight;
		}
	}
	Ok(sum)
}

/// The most that a block's ordinary transactions may weigh, in picoseconds.
async fn room(api: &Api) -> Result<u128> {
	let address = dynamic::constant::<Value>("System", "BlockWeights");
	let weights = api.at_current_block().await?.constants().entry(address)?;
	let per_class = weights.at("per_class");
	let normal = per_class.at("normal");
	let most = normal.at("max_total");
	let weight = most.at(0);
	weight.at("ref_time").and_then(Value::as_u128).context("no limit of ordinary transactions")
}

/// Sends transfers of somebody who pays, waits for all, and gives the milliseconds that took.
async fn others_pay(metering: &Metering, api: &Api) -> Result<u128> {
	let (sender, receiver) = (account("//Bob")?, account("//paid by others")?);
	let first = nonce(api, &sender.public_key()).await?;
	let to = receiver.public_key();
	let signed = sign_transfers(api, &sender, &to, AIT / 1_000, first, TRANSFERS).await?;
	let (start, rpc) = (Instant::now(), metering.node.rpc()?);
	for some in signed.chunks(100) {
		for sent in join_all(some.iter().map(|extrinsic| rpc.submit(extrinsic))).await {
			sent?;
		}
	}
	gridproof_e2e::wait::until("the transfers to be final", LIMIT, async || {
		let sent = nonce(api, &sender.public_key()).await?;
		Ok((sent == first + TRANSFERS).then_some(()))
	})
	.await?;
	Ok(start.elapsed().as_millis())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn free_batches_of_many_devices_leave_half_of_each_block_to_those_who_pay() -> Result<()> {
	let names: Vec<String> = (0..12).map(|n| format!("SITE-1/dev-{n}/m-{n}")).collect();
	let names: Vec<(&str, Signer)> =
		names.iter().map(|name| (name.as_str(), Signer::Device)).collect();
	let (metering, meters) = Metering::start(&names, RATED_W, NEVER).await?;
	let (mut rules, _) = metering.chain.read(&limits()).await?;
	rules.batch = BatchLimits::default();
	let governance = AccountKey::from(development_signer("//Alice")?);
	metering.chain.submit(&governance, &sudo(set_limits(&rules)), &Patience::default()).await?;
	let api = connect(&metering.node).await?;
	let room = room(&api).await?;

	// As the attack was: thousands of batches of a millisecond. None is taken.
	let short = empty_batches(&metering, &meters[0], 1, 1)?;
	let refused = metering.submit_once(&short).await;
	let min_ms = rules.batch.min_free_ms;
	assert!(
		refused.as_ref().is_err_and(|it| breaks(it, &BatchRefusal::TooShort { min_ms })),
		"{refused:?}"
	);

	let alone = others_pay(&metering, &api).await?;
	// As the rules let it be at its best: all that is free for an hour, of every meter, at once.
	let per_meter = u64::from(rules.batch.free_per_hour);
	let (start, _) = metering.node.rpc()?.finalized().await?;
	let lists = meters
		.iter()
		.map(|meter| empty_batches(&metering, meter, per_meter + 1, rules.batch.min_free_ms))
		.collect::<Result<Vec<_>>>()?;
	let flood = join_all(lists.iter().map(async |batches| {
		let mut accepted = 0;
		for list in batches.chunks(LIST) {
			match metering.submit_once(list).await {
				Ok(()) => accepted += list.len(),
				Err(error) => return (accepted, Some(error)),
			}
		}
		(accepted, None)
	}));
	let (flooded, beside) = tokio::join!(flood, others_pay(&metering, &api));
	let beside = beside?;
	let (end, _) = metering.node.rpc()?.finalized().await?;

	for (accepted, refused) in &flooded {
		assert_eq!(*accepted as u64, per_meter / LIST as u64 * LIST as u64, "{refused:?}");
		let refused = refused.as_ref().context("the batch above the hour's is free as well")?;
		assert!(breaks(refused, &BatchRefusal::FreeQuota), "{refused:?}");
	}
	let (mut most, mut paying) = (0, 0);
	for number in start + 1..=end {
		let block = weighed(&api, number).await?;
		assert!(block.free <= room / 2, "block {number}: {block:?} of {room}");
		most = most.max(block.free * 100 / room);
		paying += block.paying;
	}
	assert_eq!(paying, TRANSFERS, "everybody who paid came in");
	let free: usize = flooded.iter().map(|(accepted, _)| accepted).sum();
	println!(
		"{TRANSFERS} transfers: {alone} ms alone, {beside} ms beside {free} free batches, which took \
		 {most} % of a block's ordinary weight at the most"
	);
	metering.node.assert_no_errors();
	Ok(())
}

/// Safe mode, entered by governance.
fn enter_safe_mode() -> DynamicPayload<Vec<Value>> {
	let enter = Value::unnamed_variant("force_enter", []);
	dynamic::transaction("Sudo", "sudo", vec![Value::unnamed_variant("SafeMode", [enter])])
}

#[tokio::test]
async fn in_safe_mode_no_free_call_is_included_and_nobody_pays_for_a_refusal() -> Result<()> {
	let names = [("SITE-1/dev-1/m-1", Signer::Device)];
	let (metering, meters) = Metering::start(&names, RATED_W, NEVER).await?;
	let api = connect(&metering.node).await?;
	let good = empty_batches(&metering, &meters[0], 1, MINUTE)?;
	api.transactions()
		.await?
		.sign_and_submit_then_watch_default(&enter_safe_mode(), &account("//Alice")?)
		.await?
		.wait_for_finalized_success()
		.await?;

	let (start, _) = metering.node.rpc()?.finalized().await?;
	let payer = account("//Bob")?;
	let before = free_balance(&api, &payer.public_key()).await?;
	for _ in 0..3 {
		let refused = metering.submit_once(&good).await;
		assert!(
			matches!(
				refused,
				Err(ChainError::Refused(Refusal::Pool(PoolRefusal::Transaction(
					TransactionRefusal::Call
				))))
			),
			"{refused:?}"
		);
		let sent = api
			.transactions()
			.await?
			.sign_and_submit_default(&transfer(&account("//nobody")?.public_key(), AIT), &payer)
			.await;
		assert!(sent.is_err(), "a transfer is taken in safe mode");
	}
	let end = metering.node.wait_for_finalized(start + 3, LIMIT).await?;
	for number in start + 1..=end {
		let block = weighed(&api, number).await?;
		assert_eq!((block.free, block.paid), (0, 0), "block {number}");
	}
	assert_eq!(free_balance(&api, &payer.public_key()).await?, before, "a refusal costs nothing");
	metering.node.assert_no_errors();
	Ok(())
}

//! Worst cases: full calls, jobs in AICP, a client, a miner, a coordinator and two steps to convert
//! for each receipt, rows at their largest, a step to close.
//!
//! The clock of a benchmark is at its start, so no step can end on its own: where a call closes
//! one, the benchmark closes it within what is measured.

use super::*;
use crate::Pallet as ComputeReceipts;
use alloc::{boxed::Box, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::*,
	traits::{
		Time,
		fungible::{self, Mutate as _, hold::Mutate as _},
		tokens::Precision,
	},
	weights::Weight,
};
use frame_system::RawOrigin;
use gridproof_primitives::{
	H256,
	compute::channels::{
		Attested, BatchKind, BatchSums, Channel, ChannelEvidence, ChannelId, ChannelLine,
		ChannelParameters, ChannelReceipt, ChannelSums, ChannelTerms, Demanded, GivenUp, InBatch,
		Lists, MAX_LINES, MinerLine, MinerSums, Mode, PaidBy, Placed, ReceiptV2, RunningSums,
		Sampler, SettlementBatch, SettlementHeader, SignedChannelLine, SignedMinerLine, Voucher,
		VoucherId, receipt_leaf,
	},
	compute::checks::{BatchId, MAX_RELEASES, PaidByChannel, Part, Waiting as _},
	compute::settlement::{Shares, Split},
	compute::{
		AitPerAicp, Assignment, Class, Evidence, Heartbeat, JobModel, JobState, JobTerms,
		MAX_EXPIRIES_PER_CALL, MAX_HEARTBEATS_PER_CALL, MAX_PAYOUTS_PER_CALL,
		MAX_RECEIPTS_PER_CALL, OffenceKind, PartyRole, PriceAsset, Quote, Receipt, ReferenceRate,
		Registration, SignedAssignment, SignedBy, SignedHeartbeat, SignedReceipt, Signer,
		Telemetry, release_payload,
	},
	crypto::ed25519::{PublicKey, Signature},
	crypto::merkle,
	num::units::AIT,
};
use sp_core::crypto::KeyTypeId;
use sp_io::{
	crypto::{ed25519_generate, ed25519_sign},
	hashing::twox_128,
};

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"grid");
/// A step that has ended, whatever the clock says.
const ENDED: u64 = 7;
const PRICE: u128 = 1_000_000_000;

fn new_key() -> PublicKey {
	ed25519_generate(KEY_TYPE, None).0
}

fn sign(key: &PublicKey, payload: &[u8]) -> Result<Signature, BenchmarkError> {
	let signature = ed25519_sign(KEY_TYPE, &(*key).into(), payload);
	Ok(signature.ok_or("the keystore has the key")?.0)
}

/// An account with AIT for anything.
fn rich<T: Config>(name: &'static str, index: u32) -> T::AccountId {
	let who: T::AccountId = account(name, index, 0);
	T::Currency::set_balance(&who, 20_000 * AIT);
	who
}

/// An account with AIT and AICP for any number of jobs.
fn client<T: Config>(index: u32) -> Result<T::AccountId, BenchmarkError> {
	let who = rich::<T>("client", index);
	give_aicp::<T>(&who, 1_000 * PRICE)?;
	Ok(who)
}

fn give_aicp<T: Config>(who: &T::AccountId, amount: u128) -> Result<(), BenchmarkError> {
	use fungible::{Inspect, Unbalanced};
	let issuance = <T::Aicp as Inspect<_>>::total_issuance();
	<T::Aicp as Unbalanced<_>>::increase_balance(who, amount, Precision::Exact)?;
	<T::Aicp as Unbalanced<_>>::set_total_issuance(issuance.saturating_add(amount));
	Ok(())
}

/// Parameters under which three parties share a price, and offences are slashed.
fn parameters<T: Config>() -> ComputeParameters {
	let parameters = ComputeParameters {
		price_split: Split { treasury: 20_000, coordinator: 50_000 },
		slashing: true,
		..Default::default()
	};
	Parameters::<T>::put(parameters);
	Rate::<T>::put(ReferenceRate { rate: AitPerAicp { ait: 1, aicp: 2 }, stated_ms: 0 });
	rich::<T>("treasury", 0);
	T::Currency::set_balance(&T::Treasury::get(), AIT);
	parameters
}

/// A party with its largest row, a bond, and a step of its own to convert.
fn party<T: Config>(role: PartyRole, index: u32) -> Result<PublicKey, BenchmarkError> {
	let (key, now) = (new_key(), T::Time::now());
	let (name, bond) = match role {
		PartyRole::Coordinator => ("coordinator", 1_000 * AIT),
		PartyRole::Miner(_) => ("miner", 100 * AIT),
	};
	let who = rich::<T>(name, index);
	T::Currency::hold(&HoldReason::Bond.into(), &who, bond)?;
	let mut party = Party::new(role, who, bond, now);
	let step = ENDED + u64::from(index) + if party.class().is_none() { 1_000_000 } else { 0 };
	party.pending = Pending { step, claim: 3, score: 1 };
	Steps::<T>::insert(
		step,
		ClosedStep {
			shares: Shares { treasury: 0, coordinator: AIT, miner: AIT },
			pool: 2 * AIT,
			claims: 7,
			parties: 1,
			converted: 0,
		},
	);
	Sums::<T>::mutate(|sums| {
		sums.promised += 2 * AIT;
		sums.miners += u32::from(party.class().is_some());
		sums.coordinators += u32::from(party.class().is_none());
	});
	Parties::<T>::insert(key, party);
	let mut activity = Activity::default();
	activity.advance(now);
	for hour in &mut activity.hours {
		*hour = HourOfWork {
			gb_micro_seconds: 900_000_000,
			weighted_tokens: 1_234_567,
			busy_ms: 7_654_321,
			successes: 3,
			failures: 1,
		};
	}
	activity.days = [12_345_678; DAYS];
	if matches!(role, PartyRole::Miner(_)) {
		Activities::<T>::insert(key, activity);
	}
	Ok(key)
}

fn quote<T: Config>(coordinator: PublicKey, client: &T::AccountId, nonce: u64) -> Quote {
	let now = T::Time::now();
	Quote {
		coordinator,
		client: client.clone().into(),
		spec_hash: H256::repeat_byte(1),
		model_factor: 2_500,
		// Each payee needs an account of the asset, besides the one in AIT.
		asset: PriceAsset::Aicp,
		price: PRICE,
		max_units: 1_000_000,
		expiry_ms: now + 60_000,
		deadline_ms: now + 600_000,
		miner: None,
		nonce,
		model: Some(H256::repeat_byte(5)),
	}
}

/// Puts a job into the state, as `open_job` does.
fn job<T: Config>(quote: &Quote, client: &T::AccountId) -> Result<H256, BenchmarkError> {
	let job_id = quote.job_id(&ComputeReceipts::<T>::genesis_hash());
	let job = Job {
		client: client.clone(),
		coordinator: quote.coordinator,
		asset: quote.asset,
		terms: JobTerms::of(quote, T::Time::now()),
		deposit: T::JobDeposit::get(),
		expiry_ms: quote.expiry_ms,
		cancelled_from: None,
		coordinator_bond: 1_000 * AIT,
		miner_bond: 100 * AIT,
		pinned: false,
		attempt: 0,
		accepted_ms: None,
		assignments: 0,
		assigned_ms: 0,
		stopped_ms: 0,
		state: JobState::Open,
		closed_ms: 0,
		receipt: None,
		// It mints, whatever the registry has: reading that is weighed apart.
		model: JobModel::AsQuoted,
	};
	ComputeReceipts::<T>::take_price(&job)?;
	Jobs::<T>::insert(job_id, job);
	Sums::<T>::mutate(|sums| {
		sums.opened += 1;
		sums.open += 1;
		*sums.escrow_mut(quote.asset) += quote.price;
	});
	Ok(job_id)
}

fn receipt(job_id: H256, miner: PublicKey, nonce: u64) -> Receipt {
	Receipt {
		job_id,
		miner,
		output_hash: H256::repeat_byte(2),
		compute_units: 1_000,
		price: PRICE - 1,
		nonce,
		telemetry: Telemetry {
			input_tokens: 1_000,
			output_tokens: 1_000,
			duration_ms: 2_000,
			memory_mb: 64_000,
		},
	}
}

fn sign_receipt<T: Config>(
	receipt: &Receipt,
	signer: Signer,
	key: &PublicKey,
) -> Result<Signature, BenchmarkError> {
	sign(key, &receipt.signing_payload(&ComputeReceipts::<T>::genesis_hash(), signer))
}

/// `n` receipts with jobs: of one client, miner and coordinator, or each of its own.
fn receipts<T: Config>(n: u32, apart: bool) -> Result<Vec<SignedReceipt>, BenchmarkError> {
	parameters::<T>();
	let mut coordinator = party::<T>(PartyRole::Coordinator, 0)?;
	let mut receipts = Vec::new();
	let mut miner = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
	for index in 0..n {
		if apart && index > 0 {
			miner = party::<T>(PartyRole::Miner(Class::Gpu), index)?;
			coordinator = party::<T>(PartyRole::Coordinator, index)?;
		}
		let number = if apart { index } else { 0 };
		let client =
			if apart || index == 0 { client::<T>(number)? } else { account("client", number, 0) };
		let job_id = job::<T>(&quote::<T>(coordinator, &client, index.into()), &client)?;
		let receipt = receipt(job_id, miner, 0);
		receipts.push(SignedReceipt {
			miner_signature: sign_receipt::<T>(&receipt, Signer::Miner, &miner)?,
			coordinator_signature: sign_receipt::<T>(&receipt, Signer::Coordinator, &coordinator)?,
			receipt,
		});
	}
	Ok(receipts)
}

/// Closes a step that somebody earned in.
fn close_a_step<T: Config>() {
	ComputeReceipts::<T>::close(&RunningStep { step: 3, claims: AIT, parties: 1 });
}

/// Settles receipts whose signatures count as verified.
fn settle<T: Config>(receipts: &[SignedReceipt]) {
	Verified::<T>::put(ComputeReceipts::<T>::mark_of(receipts));
	close_a_step::<T>();
	let _ = ComputeReceipts::<T>::do_claim(receipts);
}

/// An overdue job of a client of its own, accepted by a miner.
fn overdue<T: Config>(
	coordinator: PublicKey,
	miner: PublicKey,
	index: u32,
) -> Result<H256, BenchmarkError> {
	let client = client::<T>(index)?;
	let job_id = job::<T>(&quote::<T>(coordinator, &client, index.into()), &client)?;
	Jobs::<T>::mutate(job_id, |job| {
		if let Some(job) = job {
			job.terms.deadline_ms = 0;
			job.terms.miner = Some(miner);
			(job.attempt, job.accepted_ms) = (1, Some(0));
		}
	});
	Ok(job_id)
}

/// A job that was closed long ago, about which as many were reported as one touch removes, each by
/// another.
fn old<T: Config>(coordinator: PublicKey, index: u32) -> Result<H256, BenchmarkError> {
	let client = client::<T>(index)?;
	let job_id = job::<T>(&quote::<T>(coordinator, &client, index.into()), &client)?;
	for number in 0..REPORTS_CLEARED {
		let reporter = rich::<T>("reporter", index * REPORTS_CLEARED + number);
		let deposit = T::ReportDeposit::get();
		ComputeReceipts::<T>::take_deposit(&reporter, deposit)?;
		let kinds = vec_of_kinds()?;
		Reports::<T>::insert(job_id, new_key(), Reported { kinds, reporter, deposit });
	}
	let now = T::Time::now();
	Parameters::<T>::mutate(|parameters| parameters.retention_ms = 0);
	Jobs::<T>::mutate(job_id, |job| {
		if let Some(job) = job {
			(job.state, job.closed_ms, job.expiry_ms) = (JobState::Cancelled, now, now);
		}
	});
	Ok(job_id)
}

fn vec_of_kinds() -> Result<ReportsOf, BenchmarkError> {
	let mut kinds = ReportsOf::default();
	for _ in 0..MAX_REPORTS {
		kinds.try_push(OffenceKind::AboveQuote).map_err(|_| "as many as fit")?;
	}
	Ok(kinds)
}

/// A job that a client has opened, its id, and the keys of coordinator and miner.
fn one_job<T: Config>() -> Result<(H256, Quote, PublicKey, PublicKey), BenchmarkError> {
	parameters::<T>();
	let coordinator = party::<T>(PartyRole::Coordinator, 0)?;
	let miner = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
	let client = client::<T>(0)?;
	let quote = quote::<T>(coordinator, &client, 0);
	Ok((job::<T>(&quote, &client)?, quote, coordinator, miner))
}

/// Lets a party have had another key before.
fn former<T: Config>(key: PublicKey) {
	let old = new_key();
	Successors::<T>::insert(old, Exchange { key, time_ms: 0 });
	Former::<T>::insert(key, old);
}

fn governance<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
	T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

/// Terms of a channel in AICP: each account that is paid needs one of the asset.
fn channel_terms(coordinator: PublicKey, signer: Option<PublicKey>) -> ChannelTerms {
	ChannelTerms {
		coordinator,
		kind: BatchKind { asset: PriceAsset::Aicp, mode: Mode::Ordinary },
		signer,
		deposit: PRICE,
		daily_limit: PRICE,
		plan_ends_ms: None,
	}
}

/// A channel of a client of its own, as `open_channel` makes it.
fn channel<T: Config>(terms: &ChannelTerms, index: u32) -> Result<ChannelId, BenchmarkError> {
	let client = client::<T>(index)?;
	ComputeReceipts::<T>::take_deposit(&client, T::ChannelDeposit::get())?;
	ComputeReceipts::<T>::pay_into_channel(&client, terms.kind.asset, terms.deposit)?;
	let id = ChannelTotals::<T>::mutate(|totals| {
		totals.opened += 1;
		totals.open += 1;
		totals.opened
	});
	let kept_limit = if terms.signer.is_none() { 1 } else { 0 };
	KeptLimits::<T>::mutate(terms.coordinator, |limits| *limits += kept_limit);
	let row = ChannelRow {
		client: client.clone(),
		channel: Channel::open(terms).map_err(|_| "sound terms")?,
		deposit: T::ChannelDeposit::get(),
		kept_limit,
		opened_ms: T::Time::now(),
		stopped_ms: 0,
	};
	Channels::<T>::insert(id, row);
	ChannelsOf::<T>::insert(client, id, ());
	Ok(id)
}

/// The line of a channel with a receipt for each of the batch's miners.
fn channel_line<T: Config>(
	id: ChannelId,
	signer: &PublicKey,
	receipts: u64,
) -> Result<SignedChannelLine, BenchmarkError> {
	let to = ChannelSums { count: receipts, price: u128::from(receipts) * 1_000 };
	let spec_hash = H256::repeat_byte(1);
	let voucher = Voucher { channel: id, number: receipts, amount: to.price, spec_hash };
	let payload = voucher.signing_payload(&ComputeReceipts::<T>::genesis_hash());
	let line = ChannelLine { voucher, from: ChannelSums::default(), to };
	Ok(SignedChannelLine { line, signature: sign(signer, &payload)? })
}

/// A coordinator whose key was another one, and a receipt of a channel that was settled up to it, whose
/// time has passed.
fn demanded<T: Config>() -> Result<(PublicKey, ChannelReceipt), BenchmarkError> {
	// A receipt's time has to pass, and the clock of a benchmark is at its start.
	let clock = [b"Timestamp" as &[u8], b"Now"].map(twox_128).concat();
	frame_support::storage::unhashed::put(&clock, &1_000u64);
	parameters::<T>();
	let present = party::<T>(PartyRole::Coordinator, 0)?;
	let (coordinator, miner) = (new_key(), party::<T>(PartyRole::Miner(Class::Gpu), 0)?);
	Successors::<T>::insert(coordinator, Exchange { key: present, time_ms: 1 });
	let id = channel::<T>(&channel_terms(coordinator, Some(new_key())), 0)?;
	Channels::<T>::mutate(id, |row| {
		if let Some(row) = row {
			row.channel.settled = ChannelSums { count: 9, price: 1_000_000 };
		}
	});
	let sums = ChannelSums { count: 2, price: 900_000 };
	let receipt = ReceiptV2 {
		paid_by: PaidBy::Voucher(VoucherId { channel: id, number: 1 }),
		miner: Some(miner),
		model: H256::repeat_byte(3),
		spec_hash: H256::repeat_byte(4),
		output_root: H256::repeat_byte(5),
		weight: 7,
		price: 800_000,
		sampler: Sampler::Gumbel,
		telemetry: Telemetry { input_tokens: 3, output_tokens: 4, duration_ms: 5, memory_mb: 6 },
		settle_by_ms: 0,
	};
	let of_miner = MinerSums { count: 2, price: 900_000, weight: 9 };
	let kind = BatchKind { asset: PriceAsset::Aicp, mode: Mode::Ordinary };
	MinerTotals::<T>::insert((coordinator, kind, Some(miner)), MinerSums { count: 9, ..of_miner });
	let sums = RunningSums { kind, channel: sums, miner: of_miner };
	Ok((coordinator, ChannelReceipt { receipt, sums }))
}

/// The row of a demand of a stranger, as `demand_receipt` makes it.
fn demand<T: Config>(
	coordinator: PublicKey,
	receipt: ChannelReceipt,
) -> Result<H256, BenchmarkError> {
	let (who, account) = (rich::<T>("asker", 0), account("coordinator", 0, 0));
	let (deposit, row_deposit) = (AIT, T::ReportDeposit::get());
	ComputeReceipts::<T>::take_deposit(&who, deposit + row_deposit)?;
	let id = ComputeReceipts::<T>::demand_id(&receipt);
	DemandsOf::<T>::insert(&account, &who, 1);
	DemandsTo::<T>::insert(&account, DemandCounts { open: 1, strangers: 1, ..Default::default() });
	let row = Demand {
		receipt,
		who,
		coordinator: account,
		is_stranger: true,
		demanded: Demanded::Counted,
		deposit,
		row_deposit,
		made_ms: 0,
		due_ms: u64::MAX,
		stopped_ms: 0,
	};
	Demands::<T>::insert(coordinator, id, row);
	Ok(id)
}

/// A receipt in the deepest tree that a header can state, and the header.
fn deep<T: Config>(
	coordinator: PublicKey,
	item: ChannelReceipt,
) -> Result<(Placed<ChannelReceipt>, SettlementHeader), BenchmarkError> {
	let siblings = [H256::repeat_byte(8); 64];
	let leaf = receipt_leaf(&item);
	// The first leaf of a whole tree: its siblings are all on the right.
	let root = siblings.iter().fold(leaf, |node, sibling| merkle::node_hash(&node, sibling));
	let header = SettlementHeader {
		coordinator,
		sequence: 0,
		previous: H256::zero(),
		time_ms: 0,
		kind: item.sums.kind,
		sums: BatchSums { receipts: u64::MAX, price: 1, weight: 1 },
		channels: 1,
		miners: 1,
		lines: H256::zero(),
		receipts: root,
		cid: None,
	};
	let path = siblings.to_vec().try_into().map_err(|_| "it fits")?;
	Ok((Placed { item, index: 0, path }, header))
}

/// So many ended channels with two facts each whose time has come.
fn forgettable<T: Config>(number: u32) -> Result<(), BenchmarkError> {
	for index in 0..number {
		let id = 1_000_000 + ChannelId::from(index);
		let client = rich::<T>("former", index);
		let record = EndedChannel {
			client: client.clone(),
			coordinator: [7; 32],
			kind: BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary },
			settled: ChannelSums { count: 1, price: 1 },
			opened_ms: 0,
		};
		EndedChannels::<T>::insert(id, record);
		for voucher in 0..2 {
			let deposit = T::ReportDeposit::get();
			ComputeReceipts::<T>::take_deposit(&client, deposit)?;
			let fact = ComputeReceipts::<T>::new_fact(client.clone(), deposit);
			Facts::<T>::insert(id, voucher, fact);
		}
		Forget::<T>::insert(u64::from(index), (0, Forgotten::Channel(id)));
	}
	ForgetQueue::<T>::put(Queue { first: 0, next: number.into() });
	Ok(())
}

/// A batch of so many channels and miners, with a receipt of each at each. The miners have exchanged
/// their keys since.
fn batch<T: Config>(channels: u32, miners: u32) -> Result<SettlementBatch, BenchmarkError> {
	parameters::<T>();
	let (coordinator, genesis) =
		(party::<T>(PartyRole::Coordinator, 0)?, ComputeReceipts::<T>::genesis_hash());
	let signer = new_key();
	let terms = channel_terms(coordinator, Some(signer));
	let mut channel_lines = Vec::new();
	for index in 0..channels {
		let id = channel::<T>(&terms, index)?;
		channel_lines.push(channel_line::<T>(id, &signer, miners.into())?);
	}
	let mut miner_lines = Vec::new();
	for index in 0..miners {
		let (key, old) = (party::<T>(PartyRole::Miner(Class::Gpu), index)?, new_key());
		Successors::<T>::insert(old, Exchange { key, time_ms: 1 });
		let count = u64::from(channels);
		let price = u128::from(channels) * 1_000;
		let to = MinerSums { count, price, weight: 1_000_000 };
		miner_lines.push(MinerLine { miner: Some(old), from: MinerSums::default(), to });
	}
	miner_lines.sort_by_key(|line| line.miner);
	let lists = Lists {
		channels: channel_lines.iter().map(|signed| signed.line).collect(),
		miners: miner_lines.clone(),
		given_up: Vec::new(),
	};
	let header = SettlementHeader {
		coordinator,
		sequence: 0,
		previous: H256::zero(),
		time_ms: T::Time::now(),
		kind: terms.kind,
		sums: lists.of_miners().unwrap_or_default(),
		channels,
		miners,
		lines: merkle::root(&lists.leaves()),
		receipts: H256::repeat_byte(3),
		cid: None,
	};
	let mut signed_miners = Vec::new();
	for line in miner_lines {
		let payload = line.signing_payload(&genesis, &header.hash());
		let signature = sign(&line.miner.ok_or("a miner")?, &payload)?;
		signed_miners.push(SignedMinerLine { line, signature: Some(signature) });
	}
	Ok(SettlementBatch {
		header,
		signature: sign(&coordinator, &header.signing_payload(&genesis))?,
		channels: channel_lines.try_into().map_err(|_| "as many as fit")?,
		miners: signed_miners.try_into().map_err(|_| "as many as fit")?,
		given_up: Default::default(),
	})
}

/// A batch that was settled and waits, with lines of so many channels and miners.
fn waiting<T: Config>(
	channels: u32,
	miners: u32,
	is_signed: bool,
) -> Result<(BatchId, SettlementBatch), BenchmarkError> {
	let mut batch = batch::<T>(channels, miners)?;
	ChannelRules::<T>::mutate(|rules| rules.check_window_ms = DAY_MS);
	if !is_signed {
		for line in batch.miners.iter_mut() {
			line.signature = None;
		}
	}
	if !ComputeReceipts::<T>::settle_unverified(&batch) {
		return Err("the batch settles".into());
	}
	let SettlementHeader { coordinator, sequence, .. } = batch.header;
	Ok((BatchId { coordinator, sequence }, batch))
}

/// Ends the window of a batch, and the step in which its lines claim.
fn end_window<T: Config>(id: &BatchId) {
	let lines: Vec<_> = WaitingLines::<T>::iter().collect();
	let mut claims = 0u128;
	for (miner, batch, mut row) in lines {
		row.step = ENDED;
		(row.is_signed, row.claimed, row.bound) = (true, 1_000, 1_000);
		(row.claim, row.coordinator_claim) = (1_000, 1_000);
		claims += 1_000;
		WaitingLines::<T>::insert(miner, batch, row);
	}
	WaitingBatches::<T>::mutate(id.coordinator, id.sequence, |row| {
		if let Some(row) = row {
			(row.window_ms, row.claims) = (0, claims);
		}
	});
	// One more than converts now: the row is written each time.
	let shares = Shares { treasury: 0, coordinator: AIT, miner: AIT };
	let step = ClosedStep { shares, pool: 3 * AIT, claims, parties: u32::MAX, converted: 0 };
	Steps::<T>::insert(ENDED, step);
	Running::<T>::put(RunningStep { step: ENDED + 1, ..Default::default() });
}

/// Lines of as many batches, each of which has as many channels and ranges that are given up behind it as
/// can be, and was touched. Miners and coordinator have exchanged their keys since.
fn apart<T: Config>(n: u32) -> Result<Parts, BenchmarkError> {
	let (id, _) = waiting::<T>(1, n, true)?;
	end_window::<T>(&id);
	let row = WaitingBatches::<T>::take(id.coordinator, id.sequence).ok_or("the batch waits")?;
	WaitingLists::<T>::remove(id);
	let registered = row.key;
	let mut parts = Vec::new();
	for (index, (miner, _, line)) in (0u64..).zip(WaitingLines::<T>::drain().collect::<Vec<_>>()) {
		let own = BatchId { coordinator: id.coordinator, sequence: 1_000 + index };
		let claims = line.coordinator_claim;
		WaitingBatches::<T>::insert(
			own.coordinator,
			own.sequence,
			WaitingBatch { pay: 0, lines: 1, claims, key: registered, ..row.clone() },
		);
		WaitingLists::<T>::insert(own, full_list(&line));
		WaitingLines::<T>::insert(miner, own, line);
		<T::BenchmarkHelper as Touches>::touch(&own);
		parts.push(Part::Miner(own, miner));
	}
	Ok(parts.try_into().map_err(|_| "as many as fit")?)
}

/// As many channels as a batch has, of which the last one paid all, and as many ranges that were given up.
fn full_list<AccountId>(line: &WaitingLine<AccountId>) -> WaitingList {
	let channel = |index: u32| 1_000_000 + ChannelId::from(index);
	let paid = |index: u32| PaidByChannel {
		channel: channel(index),
		price: if index + 1 == MAX_LINES { line.paid.price } else { 0 },
		returned: 0,
	};
	let empty = MinerLine { miner: line.line.miner, from: line.line.to, to: line.line.to };
	let given_up = |index: u32| GivenUp { channel: channel(index), line: empty };
	WaitingList {
		channels: (0..MAX_LINES).map(paid).collect::<Vec<_>>().try_into().unwrap_or_default(),
		given_up: (0..MAX_LINES).map(given_up).collect::<Vec<_>>().try_into().unwrap_or_default(),
	}
}

/// Touches batches for benchmarks: nothing of one that nobody touched is released.
pub trait Touches {
	/// Touches a batch.
	fn touch(batch: &BatchId);
}

impl Touches for () {
	fn touch(_: &BatchId) {}
}

/// Makes a batch that waits for benchmarks of the pallet that checks: with this name and hash of its header,
/// one receipt in the deepest tree, and all lists full. Miner and coordinator have exchanged their keys
/// since, and `others` more lines of the miner wait.
///
/// # Errors
/// If the batch does not settle.
pub fn checkable<T: Config>(
	id: BatchId,
	header_hash: H256,
	others: u32,
) -> Result<Placed<ChannelReceipt>, BenchmarkError> {
	let (settled, _) = waiting::<T>(1, 1, true)?;
	let mut row = WaitingBatches::<T>::take(settled.coordinator, settled.sequence)
		.ok_or("the batch waits")?;
	WaitingLists::<T>::remove(settled);
	let (miner, _, mut line) = WaitingLines::<T>::drain().next().ok_or("its line waits")?;
	Successors::<T>::insert(id.coordinator, Exchange { key: row.key, time_ms: 1 });
	let price = line.line.to.price;
	let sums = MinerSums { count: 1, price, weight: 1 };
	(line.line.to, line.paid) = (sums, sums);
	let channel = ChannelTotals::<T>::get().opened;
	let receipt = ReceiptV2 {
		paid_by: PaidBy::Voucher(VoucherId { channel, number: 1 }),
		miner: Some(miner),
		model: H256::repeat_byte(3),
		spec_hash: H256::repeat_byte(4),
		output_root: H256::repeat_byte(5),
		weight: 1,
		price,
		sampler: Sampler::Gumbel,
		telemetry: Telemetry { input_tokens: 3, output_tokens: 4, duration_ms: 5, memory_mb: 6 },
		settle_by_ms: 0,
	};
	let sums =
		RunningSums { kind: row.kind, channel: ChannelSums { count: 1, price }, miner: sums };
	let (placed, header) = deep::<T>(row.key, ChannelReceipt { receipt, sums })?;
	row.header_hash = header_hash;
	row.receipts = header.receipts;
	(row.sums.receipts, row.sums.price) = (header.sums.receipts, price);
	row.block = 0;
	let mut list = full_list(&line);
	if let Some(last) = list.channels.last_mut() {
		last.channel = channel;
	}
	WaitingLists::<T>::insert(id, list);
	for index in 0..others {
		let other = BatchId { sequence: 1_000_000 + u64::from(index), ..id };
		WaitingLines::<T>::insert(miner, other, line.clone());
		WaitingBatches::<T>::insert(other.coordinator, other.sequence, row.clone());
	}
	WaitingLines::<T>::insert(miner, id, line);
	WaitingBatches::<T>::insert(id.coordinator, id.sequence, row);
	Ok(placed)
}

/// Lets the treasury receive an amount today, in 10⁻¹⁸ AIT, which it has.
pub fn receive<T: Config>(amount: u128) {
	T::Currency::set_balance(&T::Treasury::get(), amount);
	ComputeReceipts::<T>::note_received(amount);
}

/// Channels that have ended, each of another client, whose keys the coordinator kept.
fn ended<T: Config>(n: u32) -> Result<ChannelIds, BenchmarkError> {
	parameters::<T>();
	let mut ids = ChannelIds::default();
	for index in 0..n {
		let coordinator = party::<T>(PartyRole::Coordinator, index)?;
		let id = channel::<T>(&channel_terms(coordinator, None), index)?;
		Channels::<T>::mutate(id, |row| {
			if let Some(row) = row {
				row.channel.ends_ms = Some(0);
			}
		});
		ids.try_push(id).map_err(|_| "as many as fit")?;
	}
	Ok(ids)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register() -> Result<(), BenchmarkError> {
		parameters::<T>();
		let (who, key) = (rich::<T>("miner", 0), new_key());
		let role = PartyRole::Miner(Class::Cpu);
		let statement = Registration { role, account: who.clone().into() };
		let genesis = ComputeReceipts::<T>::genesis_hash();
		let proof = sign(&key, &statement.signing_payload(&genesis))?;

		#[block]
		{
			ComputeReceipts::<T>::do_register(who, key, role, &proof)?;
		}

		assert!(Parties::<T>::contains_key(key));
		Ok(())
	}

	#[benchmark]
	fn raise_bond() -> Result<(), BenchmarkError> {
		let key = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
		let who = rich::<T>("miner", 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), key, AIT);

		assert_eq!(Parties::<T>::get(key).map(|party| party.bond), Some(101 * AIT));
		Ok(())
	}

	#[benchmark]
	fn leave() -> Result<(), BenchmarkError> {
		let key = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
		let who: T::AccountId = account("miner", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), key);

		assert!(Parties::<T>::get(key).is_some_and(|party| party.leaving_ms.is_some()));
		Ok(())
	}

	#[benchmark]
	fn withdraw() -> Result<(), BenchmarkError> {
		parameters::<T>();
		let key = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
		Parties::<T>::mutate(key, |party| {
			if let Some(party) = party {
				party.leaving_ms = Some(0);
				let _ = party.slashes.try_push((0, AIT));
			}
		});

		#[block]
		{
			close_a_step::<T>();
			let who: T::AccountId = account("miner", 0, 0);
			ComputeReceipts::<T>::do_withdraw(who, key)?;
		}

		assert!(!Parties::<T>::contains_key(key));
		Ok(())
	}

	#[benchmark]
	fn open_job() -> Result<(), BenchmarkError> {
		parameters::<T>();
		let coordinator = party::<T>(PartyRole::Coordinator, 0)?;
		let miner = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
		let client = client::<T>(0)?;
		let quote = Quote { miner: Some(miner), ..quote::<T>(coordinator, &client, 0) };
		let genesis = ComputeReceipts::<T>::genesis_hash();
		let signature = sign(&coordinator, &quote.signing_payload(&genesis))?;
		Admitted::<T>::insert(coordinator, ());

		#[extrinsic_call]
		_(RawOrigin::Signed(client), Box::new(quote), signature);

		assert_eq!(Sums::<T>::get().escrow_aicp, PRICE);
		Ok(())
	}

	#[benchmark]
	fn verify_receipts(n: Linear<1, MAX_RECEIPTS_PER_CALL>) -> Result<(), BenchmarkError> {
		let receipts = receipts::<T>(n, false)?;
		let batch = crate::claims::Batch::<T>::new();
		let coordinator = Jobs::<T>::get(receipts[0].receipt.job_id).ok_or("opened")?.coordinator;

		#[block]
		{
			for receipt in &receipts {
				assert!(batch.verify(receipt, &coordinator).is_ok());
			}
		}
		Ok(())
	}

	#[benchmark]
	fn check_receipts(n: Linear<1, MAX_RECEIPTS_PER_CALL>) -> Result<(), BenchmarkError> {
		let receipts = receipts::<T>(n, true)?;

		#[block]
		{
			let mut batch = crate::claims::Batch::<T>::new();
			for receipt in &receipts {
				assert!(batch.check(&receipt.receipt).is_ok());
			}
		}
		Ok(())
	}

	#[benchmark]
	fn claim_together(n: Linear<1, MAX_RECEIPTS_PER_CALL>) -> Result<(), BenchmarkError> {
		let receipts = receipts::<T>(n, false)?;

		#[block]
		{
			settle::<T>(&receipts);
		}

		assert_eq!(Sums::<T>::get().settled, u64::from(n));
		Ok(())
	}

	#[benchmark]
	fn claim_apart(n: Linear<1, MAX_RECEIPTS_PER_CALL>) -> Result<(), BenchmarkError> {
		let receipts = receipts::<T>(n, true)?;

		#[block]
		{
			settle::<T>(&receipts);
		}

		assert_eq!(Sums::<T>::get().settled, u64::from(n));
		Ok(())
	}

	#[benchmark]
	fn cancel_job() -> Result<(), BenchmarkError> {
		parameters::<T>();
		let coordinator = party::<T>(PartyRole::Coordinator, 0)?;
		let miner = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
		let job_id = overdue::<T>(coordinator, miner, 0)?;
		let client: T::AccountId = account("client", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(client), job_id);

		assert_eq!(Jobs::<T>::get(job_id).map(|job| job.state), Some(JobState::Expired));
		Ok(())
	}

	#[benchmark]
	fn assign_job() -> Result<(), BenchmarkError> {
		// Another miner had accepted, and agrees to be replaced: three signatures.
		let (job_id, _, coordinator, former) = one_job::<T>()?;
		let miner = party::<T>(PartyRole::Miner(Class::Gpu), 1)?;
		Jobs::<T>::mutate(job_id, |job| {
			if let Some(job) = job {
				job.terms.miner = Some(former);
				job.accepted_ms = Some(job.terms.opened_ms);
			}
		});
		let assignment = Assignment { job_id, miner, attempt: 1 };
		let genesis = ComputeReceipts::<T>::genesis_hash();
		let payload = |signer| assignment.signing_payload(&genesis, signer);
		let signed = SignedAssignment {
			assignment,
			coordinator_signature: sign(&coordinator, &payload(Signer::Coordinator))?,
			miner_signature: Some(sign(&miner, &payload(Signer::Miner))?),
			former_signature: Some(sign(&former, &payload(Signer::Miner))?),
		};
		let origin = T::RuntimeOrigin::from(RawOrigin::Authorized);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Box::new(signed));

		assert_eq!(Jobs::<T>::get(job_id).map(|job| job.attempt), Some(1));
		Ok(())
	}

	#[benchmark]
	fn release_job() -> Result<(), BenchmarkError> {
		let (job_id, _, coordinator, _) = one_job::<T>()?;
		let payload = release_payload(&ComputeReceipts::<T>::genesis_hash(), &job_id);
		let signature = sign(&coordinator, &payload)?;
		let origin = T::RuntimeOrigin::from(RawOrigin::Authorized);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, job_id, signature);

		assert_eq!(Jobs::<T>::get(job_id).map(|job| job.state), Some(JobState::Cancelled));
		Ok(())
	}

	#[benchmark]
	fn expire_jobs(n: Linear<1, MAX_EXPIRIES_PER_CALL>) -> Result<(), BenchmarkError> {
		parameters::<T>();
		let coordinator = party::<T>(PartyRole::Coordinator, 0)?;
		let mut jobs = JobIds::default();
		for index in 0..n {
			let miner = party::<T>(PartyRole::Miner(Class::Gpu), index)?;
			let job_id = overdue::<T>(coordinator, miner, index)?;
			jobs.try_push(job_id).map_err(|_| "as many as fit")?;
		}
		let origin = T::RuntimeOrigin::from(RawOrigin::Authorized);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, jobs);

		assert_eq!(Sums::<T>::get().expired, u64::from(n));
		Ok(())
	}

	#[benchmark]
	fn clear_jobs(n: Linear<1, MAX_EXPIRIES_PER_CALL>) -> Result<(), BenchmarkError> {
		parameters::<T>();
		let coordinator = party::<T>(PartyRole::Coordinator, 0)?;
		let mut jobs = JobIds::default();
		for index in 0..n {
			let job_id = old::<T>(coordinator, index)?;
			jobs.try_push(job_id).map_err(|_| "as many as fit")?;
		}

		#[block]
		{
			ComputeReceipts::<T>::do_expire(&jobs)?;
		}

		assert!(!Jobs::<T>::contains_key(jobs[0]));
		Ok(())
	}

	#[benchmark]
	fn heartbeats(n: Linear<1, MAX_HEARTBEATS_PER_CALL>) -> Result<(), BenchmarkError> {
		parameters::<T>();
		let genesis = ComputeReceipts::<T>::genesis_hash();
		let mut list = Heartbeats::default();
		for index in 0..n {
			let miner = party::<T>(PartyRole::Miner(Class::Gpu), index)?;
			let heartbeat = Heartbeat { miner, time_ms: T::Time::now() + 1 };
			let signature = sign(&miner, &heartbeat.signing_payload(&genesis))?;
			let signed = SignedHeartbeat { heartbeat, signature };
			list.try_push(signed).map_err(|_| "as many as fit")?;
		}
		let miner = list[0].heartbeat.miner;
		let origin = T::RuntimeOrigin::from(RawOrigin::Authorized);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, list);

		assert!(Activities::<T>::get(miner).heartbeat_ms > 0);
		Ok(())
	}

	#[benchmark]
	fn claim_emission(n: Linear<1, MAX_PAYOUTS_PER_CALL>) -> Result<(), BenchmarkError> {
		parameters::<T>();
		let mut parties = Payees::default();
		for index in 0..n {
			let key = party::<T>(PartyRole::Miner(Class::Gpu), index)?;
			Parties::<T>::mutate(key, |party| {
				if let Some(party) = party {
					party.accrued = AIT;
				}
			});
			Sums::<T>::mutate(|sums| sums.promised += AIT);
			parties.try_push(key).map_err(|_| "as many as fit")?;
		}
		let before = <T::Currency as fungible::Inspect<_>>::total_issuance();

		#[block]
		{
			close_a_step::<T>();
			ComputeReceipts::<T>::do_claim_emission(&parties)?;
		}

		assert!(<T::Currency as fungible::Inspect<_>>::total_issuance() > before);
		Ok(())
	}

	#[benchmark]
	fn report_offence() -> Result<(), BenchmarkError> {
		let (job_id, _, _, miner) = one_job::<T>()?;
		let signed = |nonce| -> Result<SignedBy, BenchmarkError> {
			let receipt = receipt(job_id, miner, nonce);
			let signature = sign_receipt::<T>(&receipt, Signer::Miner, &miner)?;
			Ok(SignedBy { receipt, signature })
		};
		let evidence = Evidence::TwoReceipts { first: signed(0)?, second: signed(1)? };
		// The first report of a party makes a row and pays the deposit for it.
		let caller = rich::<T>("reporter", 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), Box::new(evidence));

		assert_eq!(Parties::<T>::get(miner).map(|party| party.offences.len()), Some(1));
		Ok(())
	}

	#[benchmark]
	fn apply_slashes() -> Result<(), BenchmarkError> {
		parameters::<T>();
		let key = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
		Parties::<T>::mutate(key, |party| {
			if let Some(party) = party {
				for _ in 0..ComputeParameters::MAX_OFFENCES {
					let _ = party.slashes.try_push((0, AIT));
				}
			}
		});
		let caller: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), key);

		assert_eq!(Parties::<T>::get(key).map(|party| party.bond), Some(92 * AIT));
		Ok(())
	}

	#[benchmark]
	fn call_off_slashes() -> Result<(), BenchmarkError> {
		let key = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
		Parties::<T>::mutate(key, |party| {
			if let Some(party) = party {
				let _ = party.slashes.try_push((0, AIT));
			}
		});
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, key);

		assert!(Parties::<T>::get(key).is_some_and(|party| party.slashes.is_empty()));
		Ok(())
	}

	#[benchmark]
	fn set_parameters() -> Result<(), BenchmarkError> {
		let old = Parameters::<T>::get();
		let new = ComputeParameters { slash: old.slash.saturating_add(1), ..old };
		let origin = governance::<T>()?;

		#[block]
		{
			close_a_step::<T>();
			ComputeReceipts::<T>::set_parameters(origin, Box::new(new))?;
		}

		assert_eq!(Parameters::<T>::get(), new);
		Ok(())
	}

	#[benchmark]
	fn set_breaker() -> Result<(), BenchmarkError> {
		let origin =
			T::PauseOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Breaker::AllStopped);

		assert_eq!(BreakerLevel::<T>::get(), Breaker::AllStopped);
		Ok(())
	}

	#[benchmark]
	fn count_stops() {
		BreakerLevel::<T>::put(Breaker::AllStopped);
		Stops::<T>::put(StopClock { total_ms: 7, counted_to: Some(0) });

		#[block]
		{
			ComputeReceipts::<T>::count_stops();
		}

		assert!(Stops::<T>::get().counted_to.is_some());
	}

	#[benchmark]
	fn stay() -> Result<(), BenchmarkError> {
		let key = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
		Parties::<T>::mutate(key, |party| {
			if let Some(party) = party {
				party.leaving_ms = Some(u64::MAX);
			}
		});
		let who: T::AccountId = account("miner", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), key);

		assert!(Parties::<T>::get(key).is_some_and(|party| party.leaving_ms.is_none()));
		Ok(())
	}

	#[benchmark]
	fn ban() -> Result<(), BenchmarkError> {
		let key = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, key, u64::MAX);

		assert_eq!(Histories::<T>::get(key).banned_until_ms, u64::MAX);
		Ok(())
	}

	#[benchmark]
	fn forfeit() -> Result<(), BenchmarkError> {
		parameters::<T>();
		let key = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
		let origin = governance::<T>()?;

		#[block]
		{
			close_a_step::<T>();
			ComputeReceipts::<T>::forfeit(origin, key)?;
		}

		assert!(Parties::<T>::get(key).is_some_and(|party| party.accrued == 0));
		Ok(())
	}

	#[benchmark]
	fn admit_coordinator() -> Result<(), BenchmarkError> {
		let key = party::<T>(PartyRole::Coordinator, 0)?;
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, key);

		assert!(Admitted::<T>::contains_key(key));
		Ok(())
	}

	#[benchmark]
	fn exclude_coordinator() -> Result<(), BenchmarkError> {
		let key = party::<T>(PartyRole::Coordinator, 0)?;
		Admitted::<T>::insert(key, ());
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, key);

		assert!(!Admitted::<T>::contains_key(key));
		Ok(())
	}

	#[benchmark]
	fn set_reference_rate() -> Result<(), BenchmarkError> {
		let rate = AitPerAicp { ait: 1, aicp: 2 };
		Rate::<T>::put(ReferenceRate { rate, stated_ms: 0 });
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Some(AitPerAicp { ait: 1, aicp: 3 }));

		assert!(Rate::<T>::get().is_some_and(|stated| stated.rate.aicp == 3));
		Ok(())
	}

	#[benchmark]
	fn exchange_key() -> Result<(), BenchmarkError> {
		parameters::<T>();
		let role = PartyRole::Miner(Class::Gpu);
		let (key, new) = (party::<T>(role, 0)?, new_key());
		former::<T>(key);
		Parameters::<T>::mutate(|parameters| parameters.unbonding_ms = 0);
		let who: T::AccountId = account("miner", 0, 0);
		let statement = Registration { role, account: who.clone().into() };
		let genesis = ComputeReceipts::<T>::genesis_hash();
		let proof = sign(&new, &statement.signing_payload(&genesis))?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who), key, new, proof);

		assert!(Exchanges::<T>::contains_key(key));
		Ok(())
	}

	#[benchmark]
	fn keep_key() -> Result<(), BenchmarkError> {
		let key = party::<T>(PartyRole::Miner(Class::Gpu), 0)?;
		Exchanges::<T>::insert(key, Exchange { key: new_key(), time_ms: 0 });
		let who: T::AccountId = account("miner", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), key);

		assert!(!Exchanges::<T>::contains_key(key));
		Ok(())
	}

	#[benchmark]
	fn complete_exchange() -> Result<(), BenchmarkError> {
		let (key, new) = (party::<T>(PartyRole::Miner(Class::Gpu), 0)?, new_key());
		former::<T>(key);
		Admitted::<T>::insert(key, ());
		for who in [key, new] {
			Histories::<T>::mutate(who, |history| {
				for time in 0..u64::from(ComputeParameters::MAX_OFFENCES) {
					history.push(time);
				}
			});
		}
		Exchanges::<T>::insert(key, Exchange { key: new, time_ms: 0 });
		let caller: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), key);

		assert!(Parties::<T>::contains_key(new));
		Ok(())
	}

	#[benchmark]
	fn open_channel() -> Result<(), BenchmarkError> {
		parameters::<T>();
		let coordinator = party::<T>(PartyRole::Coordinator, 0)?;
		former::<T>(coordinator);
		Admitted::<T>::insert(coordinator, ());
		let client = client::<T>(0)?;
		let terms = channel_terms(coordinator, None);

		#[extrinsic_call]
		_(RawOrigin::Signed(client), Box::new(terms));

		assert_eq!(ChannelTotals::<T>::get().left_aicp, PRICE);
		Ok(())
	}

	#[benchmark]
	fn top_up() -> Result<(), BenchmarkError> {
		parameters::<T>();
		let id = channel::<T>(&channel_terms(new_key(), None), 0)?;
		let client: T::AccountId = account("client", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(client), id, PRICE);

		assert_eq!(ChannelTotals::<T>::get().left_aicp, 2 * PRICE);
		Ok(())
	}

	#[benchmark]
	fn renew_plan() -> Result<(), BenchmarkError> {
		parameters::<T>();
		let plan = ChannelTerms { plan_ends_ms: Some(1), ..channel_terms(new_key(), None) };
		let id = channel::<T>(&plan, 0)?;
		let client: T::AccountId = account("client", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(client), id, PRICE, 2);

		assert_eq!(ChannelTotals::<T>::get().left_aicp, 2 * PRICE);
		Ok(())
	}

	#[benchmark]
	fn close_channel() -> Result<(), BenchmarkError> {
		parameters::<T>();
		// By the coordinator, whose key was another one when it was opened.
		let key = party::<T>(PartyRole::Coordinator, 0)?;
		let old = new_key();
		Successors::<T>::insert(old, Exchange { key, time_ms: 1 });
		let id = channel::<T>(&channel_terms(old, None), 0)?;
		let who: T::AccountId = account("coordinator", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), id);

		assert!(Channels::<T>::get(id).is_some_and(|row| row.channel.ends_ms.is_some()));
		Ok(())
	}

	#[benchmark]
	fn check_rests(n: Linear<1, MAX_EXPIRIES_PER_CALL>) -> Result<(), BenchmarkError> {
		let ids = ended::<T>(n)?;

		#[block]
		{
			ComputeReceipts::<T>::check_return(&ids)?;
		}
		Ok(())
	}

	#[benchmark]
	fn return_rests(n: Linear<1, MAX_EXPIRIES_PER_CALL>) -> Result<(), BenchmarkError> {
		let ids = ended::<T>(n)?;
		// Each row that goes lets two older ones be forgotten.
		forgettable::<T>(2 * n)?;
		let origin = T::RuntimeOrigin::from(RawOrigin::Authorized);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, ids);

		assert_eq!(ChannelTotals::<T>::get().open, 0);
		assert_eq!(Facts::<T>::iter().count(), 0);
		Ok(())
	}

	#[benchmark]
	fn verify_lines(n: Linear<1, { 2 * MAX_LINES }>) -> Result<(), BenchmarkError> {
		let channels = n.min(MAX_LINES);
		let batch = batch::<T>(channels, n - channels)?;

		#[block]
		{
			assert!(ComputeReceipts::<T>::verify_only(&batch));
		}
		Ok(())
	}

	#[benchmark]
	fn settle_channels(n: Linear<1, MAX_LINES>) -> Result<(), BenchmarkError> {
		let batch = batch::<T>(n, 1)?;

		#[block]
		{
			close_a_step::<T>();
			assert!(ComputeReceipts::<T>::settle_unverified(&batch));
		}

		assert_eq!(ChannelTotals::<T>::get().receipts, u64::from(n));
		Ok(())
	}

	#[benchmark]
	fn settle_miners(n: Linear<1, MAX_LINES>) -> Result<(), BenchmarkError> {
		let batch = batch::<T>(1, n)?;

		#[block]
		{
			close_a_step::<T>();
			assert!(ComputeReceipts::<T>::settle_unverified(&batch));
		}

		assert_eq!(ChannelTotals::<T>::get().receipts, u64::from(n));
		Ok(())
	}

	#[benchmark]
	fn set_channel_parameters() -> Result<(), BenchmarkError> {
		let origin = governance::<T>()?;
		let new = ChannelParameters { fee_per_line: 1, ..Default::default() };

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Box::new(new));

		assert_eq!(ChannelRules::<T>::get(), new);
		Ok(())
	}

	#[benchmark]
	fn demand_receipt() -> Result<(), BenchmarkError> {
		let (coordinator, receipt) = demanded::<T>()?;
		let payload = receipt.coordinator_payload(&ComputeReceipts::<T>::genesis_hash());
		let signature = sign(&coordinator, &payload)?;
		// A stranger, for whom the miner is looked up.
		let caller = rich::<T>("caller", 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), Box::new(receipt), signature);

		assert_eq!(Demands::<T>::iter().count(), 1);
		Ok(())
	}

	#[benchmark]
	fn answer_demand() -> Result<(), BenchmarkError> {
		let (coordinator, receipt) = demanded::<T>()?;
		let id = demand::<T>(coordinator, receipt)?;
		let (answer, header) = deep::<T>(coordinator, receipt)?;
		// The longest way from a header that the chain knows.
		let mut headers = alloc::vec![header];
		for sequence in 1..u64::from(HEADERS_PER_MARK) {
			let previous = headers.last().map_or(H256::zero(), SettlementHeader::hash);
			headers.push(SettlementHeader { sequence, previous, ..header });
		}
		headers.reverse();
		let hash = headers.first().map_or(H256::zero(), SettlementHeader::hash);
		Marks::<T>::insert(coordinator, 0, Mark { hash, taken_ms: 0 });
		let headers: HeaderPath = headers.try_into().map_err(|_| "as many as fit")?;
		let caller: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), coordinator, Box::new(answer), Box::new(headers));

		assert!(!Demands::<T>::contains_key(coordinator, id));
		Ok(())
	}

	#[benchmark]
	fn report_channel_offence() -> Result<(), BenchmarkError> {
		let (coordinator, receipt) = demanded::<T>()?;
		let mut other = receipt;
		other.receipt.price += 1;
		// Two vouchers, each in the tree of a batch, with something to forget.
		if let PaidBy::Voucher(id) = &mut other.receipt.paid_by {
			id.number += 1;
		}
		let attested = |receipt| -> Result<Attested, BenchmarkError> {
			let (Placed { item, index, path }, header) = deep::<T>(coordinator, receipt)?;
			let payload = header.signing_payload(&ComputeReceipts::<T>::genesis_hash());
			let batch = Some(InBatch { header, index, path });
			Ok(Attested { receipt: item, signature: sign(&coordinator, &payload)?, batch })
		};
		let evidence =
			ChannelEvidence::Overlap { first: attested(receipt)?, second: attested(other)? };
		forgettable::<T>(2)?;
		let caller = rich::<T>("caller", 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), coordinator, Box::new(evidence));

		assert_eq!(Facts::<T>::iter_prefix(1).count(), 2);
		Ok(())
	}

	#[benchmark]
	fn lapse_demand() -> Result<(), BenchmarkError> {
		let (coordinator, receipt) = demanded::<T>()?;
		let id = demand::<T>(coordinator, receipt)?;
		Demands::<T>::mutate(coordinator, id, |row| {
			if let Some(row) = row {
				row.due_ms = 0;
			}
		});
		let caller: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), coordinator, id);

		assert_eq!(Facts::<T>::iter().count(), 1);
		Ok(())
	}

	#[benchmark]
	fn release_waiting(n: Linear<1, MAX_RELEASES>) -> Result<(), BenchmarkError> {
		let parts = apart::<T>(n)?;
		let origin = T::RuntimeOrigin::from(RawOrigin::Authorized);

		#[block]
		{
			close_a_step::<T>();
			ComputeReceipts::<T>::release_waiting(origin, parts)?;
		}

		assert_eq!(WaitingLines::<T>::iter().count(), 0);
		Ok(())
	}

	/// What was taken waits for its clients, of whom each batch has as many as can be.
	#[benchmark]
	fn release_taken(n: Linear<1, MAX_RELEASES>) -> Result<(), BenchmarkError> {
		let parts = apart::<T>(n)?;
		for (miner, id) in WaitingLines::<T>::iter_keys().collect::<Vec<_>>() {
			let Some(row) = WaitingLines::<T>::get(miner, id) else { continue };
			TakenOf::<T>::insert(row.key, Taken { pay_before: u64::MAX, mint_before: u64::MAX });
		}
		let origin = T::RuntimeOrigin::from(RawOrigin::Authorized);

		#[block]
		{
			close_a_step::<T>();
			ComputeReceipts::<T>::release_waiting(origin, parts)?;
		}

		assert_eq!(WaitingLines::<T>::iter().count(), 0);
		assert_eq!(u32::try_from(WaitingBatches::<T>::iter().count()), Ok(n));
		Ok(())
	}

	#[benchmark]
	fn return_to_clients(n: Linear<1, MAX_EXPIRIES_PER_CALL>) -> Result<(), BenchmarkError> {
		let (id, batch) = waiting::<T>(n, 1, true)?;
		end_window::<T>(&id);
		let coordinator = batch.header.coordinator;
		let taken = ComputeReceipts::<T>::forfeit_all(&coordinator);
		taken.map_err(|_| "the coordinator is registered")?;
		ComputeReceipts::<T>::do_release_waiting(&[Part::Coordinator(id)])?;
		WaitingLists::<T>::mutate(id, |list| {
			for index in n..MAX_LINES {
				let channel = 1_000_000 + ChannelId::from(index);
				let one = PaidByChannel { channel, price: 0, returned: 0 };
				let _ = list.channels.try_push(one);
			}
		});
		let channels: Vec<_> = batch.channels.iter().map(|one| one.line.channel()).collect();
		let channels: ChannelIds = channels.try_into().map_err(|_| "as many as fit")?;
		let origin = T::RuntimeOrigin::from(RawOrigin::Authorized);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, id, channels);

		assert_eq!(GivenBackOf::<T>::iter().count(), usize::try_from(n).unwrap_or(0));
		Ok(())
	}

	#[benchmark]
	fn sign_line() -> Result<(), BenchmarkError> {
		let (id, batch) = waiting::<T>(1, 1, false)?;
		let line = batch.miners.first().ok_or("a line")?.line;
		let miner = line.miner.ok_or("a miner")?;
		let genesis = ComputeReceipts::<T>::genesis_hash();
		let signature = sign(&miner, &line.signing_payload(&genesis, &batch.header.hash()))?;
		let origin = T::RuntimeOrigin::from(RawOrigin::Authorized);

		#[block]
		{
			close_a_step::<T>();
			ComputeReceipts::<T>::sign_line(origin, id, miner, signature)?;
		}

		assert!(WaitingLines::<T>::get(miner, id).is_some_and(|row| row.is_signed));
		Ok(())
	}

	#[benchmark]
	fn scan(n: Linear<0, { T::MaxScanned::get() }>) -> Result<(), BenchmarkError> {
		parameters::<T>();
		let coordinator = party::<T>(PartyRole::Coordinator, 0)?;
		for index in 0..n {
			let miner = party::<T>(PartyRole::Miner(Class::Gpu), index)?;
			overdue::<T>(coordinator, miner, index)?;
		}

		#[block]
		{
			let _ = ComputeReceipts::<T>::scan_when_idle(Weight::MAX);
		}

		assert_eq!(Sums::<T>::get().open, 0);
		Ok(())
	}
}

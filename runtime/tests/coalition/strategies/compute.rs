//! Work that nobody did, work that is not paid, parties that get away.

use super::Scratch;
use crate::{
	build::{
		compute::{self, Terms},
		stopped,
	},
	chain::{DAY, HOUR, Key, MINUTE, SECOND, ed25519_named},
	rng::Rng,
	world::{
		HONEST, Role, Sent, Source, World,
		compute::{KnownJob, STATED, absence, honest_coordinator, is_registered, key_of},
		wallet,
	},
};
use gridproof_primitives::{
	H256,
	compute::{AitPerAicp, Breaker, Class, MAX_MODEL_FACTOR, PartyRole, PriceAsset, Quote},
	num::units::AICP,
};
use gridproof_runtime::{
	AccountId, CoveragePolicy, Runtime, RuntimeCall, constants::currency::AIT,
};
use sp_core::ed25519;
use sp_runtime::DispatchError;

use Role::Miner;

/// A time in which an emission step ends, in milliseconds.
const STEP: u64 = 151 * SECOND;

pub(super) fn open_own(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
	terms: Terms,
) -> Option<()> {
	let coordinator = *world.our_keys(true).first()?;
	let client = world.wallet(rng);
	scratch.jobs.push(world.open(&client, &coordinator, terms)?);
	Some(())
}

pub(super) fn own_terms(asset: PriceAsset, price: u128) -> Terms {
	Terms { asset, price, units: 1_000_000_000, lasts: DAY, miner: None }
}

pub(super) fn open_at_no_price(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	open_own(world, scratch, rng, own_terms(PriceAsset::Ait, 0))
}

pub(super) fn open_at_a_price(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	open_own(world, scratch, rng, own_terms(PriceAsset::Ait, 300 * AIT))
}

pub(super) fn open_for_credit(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let coordinator = *world.our_keys(true).first()?;
	let client = world.wallets.first()?.clone();
	let credit = <CoveragePolicy as gridproof_primitives::reserve::attestation::ServiceCredit<
		AccountId,
	>>::available(&client.account());
	let terms = own_terms(PriceAsset::ServiceCredit, credit / 2);
	scratch.jobs.push(world.open(&client, &coordinator, terms)?);
	Some(())
}

/// A receipt of work that nobody did.
pub(super) fn deliver_nothing(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let miner = *world.our_keys(false).first()?;
	let job = scratch.jobs.last()?.clone();
	let coordinator = world.our_coordinator(&job.quote.coordinator)?;
	let receipt = compute::receipt(&job, key_of(&miner), job.quote.max_units, job.quote.price);
	let signed = compute::sign_receipt(receipt, &miner, &coordinator);
	world.send(Sent::Free(compute::claim(vec![signed])));
	Some(())
}

/// Three jobs: two that a miner accepts and lets expire, one that it does. In the block in which
/// the two are overdue, one call has the good receipt and junk for these.
pub(super) fn fail_and_bundle(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	let miner = *world.our_keys(false).first()?;
	for lasts in [DAY, 30 * SECOND, 30 * SECOND] {
		let mut terms = own_terms(PriceAsset::Ait, 0);
		(terms.units, terms.lasts) = (1, lasts);
		open_own(world, scratch, rng, terms)?;
	}
	let coordinator = *world.our_keys(true).first()?;
	for job in scratch.jobs.clone().iter().skip(1) {
		world.send(Sent::Free(compute::assign(job.id, 1, &miner, &coordinator, true, None)));
	}
	world.pass(31 * SECOND);
	let receipts = scratch
		.jobs
		.iter()
		.map(|job| {
			let receipt = compute::receipt(job, key_of(&miner), 1, 0);
			compute::sign_receipt(receipt, &miner, &coordinator)
		})
		.collect();
	world.send(Sent::Signed(world.wallet(rng), compute::claim(receipts)));
	Some(())
}

/// Work of the honest, whose coordinator is away for as long as it may be.
pub(super) fn order(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let terms = own_terms(PriceAsset::Ait, AIT);
	let client = world.wallet(rng);
	scratch.jobs.push(world.open(&client, &honest_coordinator(), terms)?);
	world.leave_chain(absence());
	world.pass(SECOND);
	cancel(world, scratch, rng)
}

pub(super) fn set_breaker(new: Breaker) -> RuntimeCall {
	pallet_compute_receipts::Call::set_breaker { new }.into()
}

/// The emergency account stops settlement before the work is claimed, until after the deadline; the
/// client asks for its money meanwhile, and as soon as governance has ended the stop.
pub(super) fn stop_past_deadline(world: &mut World, _: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let terms = Terms { lasts: 15 * MINUTE, ..own_terms(PriceAsset::Ait, AIT) };
	let client = world.wallet(rng);
	let job = world.open(&client, &honest_coordinator(), terms)?.id;
	world.leave_chain(absence());
	world.pass(SECOND);
	world.send(Sent::Signed(wallet(Role::Guard), stopped(set_breaker(Breaker::AllStopped))));
	world.pass(HOUR);
	expire_one(world, job);
	world.governance(set_breaker(Breaker::Closed));
	expire_one(world, job);
	world.pass(SECOND);
	Some(())
}

fn expire_one(world: &mut World, job: H256) {
	world.send(Sent::Free(compute::expire(vec![job])));
}

pub(super) fn cancel(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let job = scratch.jobs.last()?;
	let client = world.wallet_of(&job.quote.client.into())?;
	let call = pallet_compute_receipts::Call::cancel_job { job_id: job.id };
	world.send(Sent::Signed(client, call.into()));
	world.pass(15 * SECOND);
	Some(())
}

pub(super) fn expire(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let job = scratch.jobs.last()?.id;
	expire_one(world, job);
	Some(())
}

/// Sixteen offences of throw-away miners fill what the chain notes of a job.
pub(super) fn crowd_out(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let job = scratch.jobs.last()?.clone();
	let owner = wallet(Miner);
	for number in 0..8 {
		let pair: ed25519::Pair = ed25519_named(&format!("throw-away/{number}"));
		if !is_registered(&key_of(&pair)) {
			let call = compute::register(&owner.account(), &pair, PartyRole::Miner(Class::Cpu));
			world.send(Sent::Signed(owner.clone(), call));
			world.compute.keys.push(pair);
		}
		for evidence in [compute::two_receipts(&job, &pair), compute::above_quote(&job, &pair)] {
			world.send(Sent::Signed(owner.clone(), compute::report(evidence)));
		}
	}
	Some(())
}

/// The coordinator contradicts itself, and somebody honest proves it.
pub(super) fn report_at_last(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let job = scratch.jobs.last()?.clone();
	let coordinator = world.our_coordinator(&job.quote.coordinator)?;
	let miner = *world.our_keys(false).first()?;
	let evidence = compute::two_outcomes(&job, key_of(&miner), &coordinator);
	let reporter = Key::named(HONEST[7]);
	let outcome = world.send_honest(Sent::Signed(reporter, compute::report(evidence)));
	let full = pallet_compute_receipts::Error::<Runtime>::MaxReportsExceeded;
	if outcome == crate::chain::Outcome::Failed(DispatchError::from(full)) {
		world.blame(Source::ReportRefused, 1);
	}
	Some(())
}

/// The second miner leaves, and waits until its bond is free.
pub(super) fn leave(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let key = key_of(&world.compute.keys[2]);
	world.send(Sent::Signed(wallet(Miner), pallet_compute_receipts::Call::leave { key }.into()));
	world.pass(8 * DAY);
	Some(())
}

/// It has a receipt settled all the same, cheats, and takes its bond before that is reported.
pub(super) fn work_on_and_go(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	let miner = world.compute.keys[2];
	open_own(world, scratch, rng, own_terms(PriceAsset::Ait, 0))?;
	let job = scratch.jobs.last()?.clone();
	let coordinator = world.our_coordinator(&job.quote.coordinator)?;
	let receipt = compute::receipt(&job, key_of(&miner), 1_000, 0);
	let signed = compute::sign_receipt(receipt, &miner, &coordinator);
	if !world.send(Sent::Free(compute::claim(vec![signed]))).is_done() {
		return None;
	}
	world.pass(HOUR);
	let key = key_of(&miner);
	let call = pallet_compute_receipts::Call::withdraw { key };
	world.send(Sent::Signed(wallet(Miner), call.into()));
	let evidence = compute::report(compute::two_receipts(&job, &miner));
	let outcome = world.send_honest(Sent::Signed(Key::named(HONEST[7]), evidence));
	let unknown = pallet_compute_receipts::Error::<Runtime>::UnknownParty;
	if outcome == crate::chain::Outcome::Failed(DispatchError::from(unknown)) {
		world.blame(Source::BondEscaped, 1);
	}
	Some(())
}

fn deliver(world: &mut World, job: &KnownJob, price: u128, lasted: u64) -> Option<()> {
	let miner = *world.our_keys(false).first()?;
	let coordinator = world.our_coordinator(&job.quote.coordinator)?;
	let mut receipt = compute::receipt(job, key_of(&miner), job.quote.max_units, price);
	receipt.telemetry.duration_ms = lasted;
	let signed = compute::sign_receipt(receipt, &miner, &coordinator);
	world.send(Sent::Free(compute::claim(vec![signed])));
	Some(())
}

/// An hour of work that nobody did, for nothing: the miner's score is nearly full.
pub(super) fn earn_score(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	open_own(world, scratch, rng, own_terms(PriceAsset::Ait, 0))?;
	world.pass(HOUR);
	let job = scratch.jobs.last()?.clone();
	deliver(world, &job, 0, HOUR)?;
	world.pass(STEP);
	Some(())
}

/// Invented work at a price, in eight steps.
fn deal_for(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
	(asset, price): (PriceAsset, u128),
) -> Option<()> {
	for _ in 0..8 {
		open_own(world, scratch, rng, own_terms(asset, price))?;
		let job = scratch.jobs.last()?.clone();
		deliver(world, &job, price, 5 * SECOND)?;
		world.pass(STEP);
	}
	Some(())
}

pub(super) fn deal(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	deal_for(world, scratch, rng, (PriceAsset::Ait, 30 * AIT))
}

pub(super) fn deal_in_aicp(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	deal_for(world, scratch, rng, (PriceAsset::Aicp, 100 * AICP))
}

/// Invented work on a model that nobody knows, on none, and on the chain's own by a factor that it
/// does not have.
pub(super) fn name_own_models(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	let coordinator = *world.our_keys(true).first()?;
	let own: [fn(&mut Quote); 3] = [
		|quote| quote.model = Some(H256::repeat_byte(9)),
		|quote| quote.model = None,
		|quote| quote.model_factor = MAX_MODEL_FACTOR,
	];
	for change in own {
		let client = world.wallet(rng);
		let terms = own_terms(PriceAsset::Ait, 30 * AIT);
		let job = world.open_changed(&client, &coordinator, terms, change)?;
		scratch.jobs.push(job.clone());
		deliver(world, &job, job.quote.price, 5 * SECOND)?;
		world.pass(STEP);
	}
	Some(())
}

/// Three large receipts in one step.
pub(super) fn deal_at_once(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	for _ in 0..3 {
		open_own(world, scratch, rng, own_terms(PriceAsset::Ait, 1_000 * AIT))?;
		let job = scratch.jobs.last()?.clone();
		deliver(world, &job, job.quote.price, 5 * SECOND)?;
	}
	world.pass(STEP);
	Some(())
}

/// Governance is talked into the highest γ that the chain lets it set, in parts per million.
pub(super) fn ask_for_generosity(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	for gamma in [10_000_000, 1_250_000, 1_249_999] {
		if world.governance(compute::with_gamma(gamma)).is_done() {
			return Some(());
		}
	}
	None
}

/// Until the rate has ended that governance stated; it states none again.
pub(super) fn wait_for_the_rate(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.pass(world.compute.rate_until.saturating_sub(world.now) + SECOND);
	Some(())
}

pub(super) fn raise_rate(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let rate = AitPerAicp { ait: 10 * STATED.ait, ..STATED };
	world.send(Sent::Signed(wallet(Role::Guard), stopped(compute::state_rate(rate))));
	Some(())
}

/// A hair lower, which the emergency account may state, as if it were stated once more.
pub(super) fn prolong_rate(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let rate = AitPerAicp { ait: 100 * STATED.ait - 1, aicp: 100 * STATED.aicp };
	world.send(Sent::Signed(wallet(Role::Guard), stopped(compute::state_rate(rate))));
	Some(())
}

/// What was earned, six times.
pub(super) fn claim_again(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let miner = key_of(world.our_keys(false).first()?);
	for _ in 0..6 {
		world.send(Sent::Free(compute::pay_out(vec![miner])));
		world.pass(SECOND);
	}
	Some(())
}

/// Blocks pass until the price of an outsider's job waits in escrow.
fn wait_for_a_price(world: &mut World) -> Option<()> {
	for _ in 0..8 {
		if world.outsider_waits() {
			return Some(());
		}
		world.pass(SECOND);
	}
	None
}

/// Receipts of true work that were settled, once more.
pub(super) fn settle_again(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let keys: Vec<_> = world.compute.keys.iter().map(key_of).collect();
	let is_ours = |signed: &&gridproof_primitives::compute::SignedReceipt| {
		keys.contains(&signed.receipt.miner)
	};
	let old: Vec<_> = world.compute.old.iter().rev().filter(is_ours).take(6).cloned().collect();
	for signed in old {
		wait_for_a_price(world)?;
		world.send(Sent::Free(compute::claim(vec![signed])));
	}
	Some(())
}

/// A job for nothing, and a receipt that takes what another client has in escrow.
pub(super) fn settle_above_quote(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	open_own(world, scratch, rng, own_terms(PriceAsset::Ait, 0))?;
	let job = scratch.jobs.last()?.clone();
	wait_for_a_price(world)?;
	deliver(world, &job, 4 * AIT, 5 * SECOND)
}

//! Pay and mint that wait for the check window.

mod authorized;
mod fund;
mod guilty;
mod invariants;
mod leaving;
mod pay;
mod restitution;
mod sign;
mod views;

use super::books::*;
use crate::{mock::*, *};
use gridproof_primitives::{
	compute::{
		channels::{BatchKind, ChannelId, ChannelTerms},
		checks::{BatchId, Part, Waiting},
	},
	num::units::{AIT, MILLI_AIT},
};
use sp_runtime::DispatchError;

/// Window of these tests.
const WINDOW_MS: u64 = 6 * HOUR_MS;

/// Sets the check window, as governance.
fn set_window(check_window_ms: u64) {
	let new = ComputeReceipts::channel_parameters();
	let new = Box::new(gridproof_primitives::compute::channels::ChannelParameters {
		check_window_ms,
		..new
	});
	dispatch_as(Call::set_channel_parameters { new }, RuntimeOrigin::root()).unwrap();
}

/// Runs a test on a chain with a check window.
fn with_window(test: impl FnOnce()) {
	build_and_execute(|| {
		set_window(WINDOW_MS);
		System::reset_events();
		test();
	});
}

/// The coordinator's batch with a sequence number.
fn batch(sequence: u64) -> BatchId {
	BatchId { coordinator: key(COORDINATOR), sequence }
}

/// A miner's part of a batch.
fn line(sequence: u64, miner: u8) -> Part {
	Part::Miner(batch(sequence), key(miner))
}

/// The coordinator's part of a batch.
fn own(sequence: u64) -> Part {
	Part::Coordinator(batch(sequence))
}

fn release(parts: &[Part]) -> Result<(), DispatchError> {
	let parts = parts.to_vec().try_into().unwrap();
	dispatch(Call::release_waiting { parts }, account(7))
}

fn return_to(sequence: u64, channels: &[ChannelId]) -> Result<(), DispatchError> {
	let channels = channels.to_vec().try_into().unwrap();
	dispatch(Call::return_to_clients { batch: batch(sequence), channels }, account(7))
}

/// Opens a channel of an account in AIT, and settles one receipt of each given miner, price and number
/// of tokens out of it, as one batch that these miners sign.
fn settle_one(who: u8, work: &[(u8, u128, u64)], signing: &[u8]) -> ChannelId {
	let channel = open_as(who, terms(IN_AIT)).unwrap();
	settle_for(IN_AIT, &work.iter().map(|one| (channel, *one)).collect::<Vec<_>>(), signing);
	channel
}

/// Settles receipts of channels as one batch.
fn settle_for(kind: BatchKind, work: &[(ChannelId, (u8, u128, u64))], signing: &[u8]) {
	pass(SPACING_MS);
	let mut books = Books::of(COORDINATOR);
	for miner in [MINER, CPU_MINER] {
		let from = ComputeReceipts::miner_sums(key(COORDINATOR), kind, Some(key(miner)));
		books.continue_from(kind, miner, from);
	}
	for (channel, (miner, price, tokens)) in work {
		books.work(*channel, Some(*miner), *price, *tokens);
	}
	settle(&books.batch(kind, signing));
}

/// Two channels, of clients 9 and 10, out of which 30 AIT of the first miner and 10 AIT of the second
/// were settled as batch 0. Both signed.
fn two_clients() -> [ChannelId; 2] {
	let channels = [9, 10].map(|who| open_as(who, terms(IN_AIT)).unwrap());
	let work = [(channels[0], (MINER, 30 * AIT, 300)), (channels[1], (CPU_MINER, 10 * AIT, 100))];
	settle_for(IN_AIT, &work, &[MINER, CPU_MINER]);
	channels
}

/// Score of a miner of which nothing is known, in parts of 10,000.
const NEW: u128 = 1_000;

/// Claim of a new GPU miner for so many tokens whose price does not bound it.
fn claim_for(tokens: u128) -> u128 {
	tokens * MILLI_AIT * NEW / 10_000
}

/// What a party has accrued.
fn accrued(number: u8) -> u128 {
	Parties::<Test>::get(key(number)).unwrap().accrued
}

/// Nothing of any batch is in the state.
#[track_caller]
fn nothing_waits() {
	assert_eq!(WaitingBatches::<Test>::iter().count(), 0);
	assert_eq!(WaitingLines::<Test>::iter().count(), 0);
	assert_eq!(WaitingLists::<Test>::iter().count(), 0);
	assert_eq!(WaitingTotals::<Test>::get(), WaitingSums::default());
}

fn stop(new: Breaker) {
	dispatch_as(Call::set_breaker { new }, RuntimeOrigin::root()).unwrap();
}

fn large(deposit: u128) -> ChannelTerms {
	ChannelTerms { deposit, daily_limit: deposit, ..terms(IN_AIT) }
}

/// The clocks of both windows run or stand still for so long.
fn wait(milliseconds: u64) {
	pass(milliseconds);
	ComputeReceipts::count_stops();
}

fn mint_still(still: bool) {
	<ComputeReceipts as Waiting<_>>::set_mint_still(still);
}

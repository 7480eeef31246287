//! AICP above what a day allows, and credit.

use super::Scratch;
use crate::{
	build::reserve,
	chain::{DAY, HOUR},
	rng::Rng,
	world::{Role, Sent, World, reserve::role_key, wallet},
};
use frame_support::traits::fungibles::Inspect;
use gridproof_primitives::{
	reserve::attestation::Role as Signer,
	time::{calendar::DayClock, day::Day},
};
use gridproof_runtime::{
	AccountId, Assets, Attestations, CoveragePolicy, Runtime, constants::AICP,
};

use Role::Issuer;

pub(super) fn mint_to_itself(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let allowance = CoveragePolicy::allowance();
	for amount in [allowance, allowance, 1] {
		world.send(Sent::Signed(wallet(Issuer), reserve::mint(amount)));
	}
	Some(())
}

pub(super) fn next_day(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.pass(DAY);
	Some(())
}

/// As much as the limit of a day allows, by every wallet, from hand to hand.
pub(super) fn redeem_most(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	for key in world.wallets.clone() {
		let balance = <Assets as Inspect<AccountId>>::balance(AICP, &key.account());
		let limit = pallet_coverage_policy::Parameters::<Runtime>::get().redemption.daily_limit;
		world.send(Sent::Signed(key, reserve::redeem(balance.min(limit))));
	}
	Some(())
}

fn wait_for_midnight(world: &mut World) {
	world.pass(DAY - world.now % DAY);
}

/// The allowance of a day is left alone, and used on the next one, about which nothing is stated.
pub(super) fn mint_a_day_late(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	wait_for_midnight(world);
	world.pass(HOUR);
	world.reserve.silent_until = world.now + DAY;
	wait_for_midnight(world);
	mint_to_itself(world, scratch, rng)
}

/// An honest role has found something, and stops minting.
pub(super) fn let_a_role_stop(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.stop_minting(Signer::Ops);
	Some(())
}

pub(super) fn lift_at_once(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.lift_stop(Signer::Ops, &[Signer::Data, Signer::Risk]);
	Some(())
}

/// A hundredth of the supply, whatever the chain says that is allowed.
pub(super) fn mint_anyway(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let supply = <Assets as Inspect<AccountId>>::total_issuance(AICP);
	world.send(Sent::Signed(wallet(Issuer), reserve::mint(supply / 100)));
	Some(())
}

/// Waits for a day after one whose reserve bounds what may be minted, and that is stated.
fn day_to_embellish(world: &mut World) -> Option<Day> {
	for _ in 0..3 {
		let yesterday = Attestations::today().previous()?;
		if reserve::cover(yesterday) == 115 && world.has_stated(yesterday) {
			return Some(yesterday);
		}
		wait_for_midnight(world);
	}
	None
}

/// A revision with more energy, signed by one role.
pub(super) fn embellish_alone(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let day = day_to_embellish(world)?;
	let signers = [(Signer::Data, role_key(Signer::Data))];
	world.send(Sent::Free(reserve::statement(reserve::embellished(day), &signers)));
	Some(())
}

/// The same, with signatures of keys that nobody has pinned.
pub(super) fn embellish_unsigned(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let day = day_to_embellish(world)?;
	world.send(Sent::Free(reserve::forged_statement(reserve::embellished(day))));
	Some(())
}

//! Minting and redeeming AICP.

use super::{Calls, Strategy::*};
use crate::{
	build::reserve,
	rng::Rng,
	world::{Role, Sent, World, wallet},
};
use frame_support::traits::fungibles::Inspect;
use gridproof_primitives::num::units::AICP as UNIT;
use gridproof_runtime::{AccountId, Assets, CoveragePolicy, constants::AICP};
use pallet_coverage_policy::Call;

pub(super) const CALLS: Calls = &[
	("mint", Make(mint)),
	("redeem", Make(redeem)),
	("serve", Make(serve)),
	("close_account", Make(close_account)),
	("set_parameters", Root),
	("set_issuer", Root),
	("set_breaker", Root),
];

fn mint(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let key = if world.has(Role::Issuer) && rng.percent(90) {
		wallet(Role::Issuer)
	} else {
		world.wallet(rng)
	};
	let allowance = CoveragePolicy::allowance();
	let amount = rng.pick(&[0, 1, UNIT, allowance / 2, allowance, allowance + 1]);
	Some(Sent::Signed(key, reserve::mint(amount)))
}

fn redeem(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let key = world.wallet(rng);
	let all = <Assets as Inspect<AccountId>>::balance(AICP, &key.account());
	let amount = rng.pick(&[0, 1, UNIT, 100 * UNIT + 1, 10_000 * UNIT, all, all + 1]);
	Some(Sent::Signed(key, reserve::redeem(amount)))
}

fn serve(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let tickets = rng.pick(&[0, 1, 50, u32::MAX]);
	Some(Sent::Signed(world.wallet(rng), Call::serve { tickets }.into()))
}

fn close_account(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let who = world.account(rng);
	Some(Sent::Signed(world.wallet(rng), Call::close_account { who }.into()))
}

//! AIT from account to account.

use super::{Calls, Strategy::*};
use crate::{
	chain,
	rng::Rng,
	world::{Sent, World},
};
use gridproof_runtime::constants::currency::{AIT, EXISTENTIAL_DEPOSIT};
use pallet_balances::Call;

pub(super) const CALLS: Calls = &[
	("transfer_allow_death", Make(transfer_allow_death)),
	("transfer_keep_alive", Make(transfer_keep_alive)),
	("transfer_all", Make(transfer_all)),
	("upgrade_accounts", Make(upgrade_accounts)),
	("burn", Filtered),
	("force_transfer", Root),
	("force_unreserve", Root),
	("force_set_balance", Filtered),
	("force_adjust_total_issuance", Filtered),
];

fn amount(world: &World, rng: &mut Rng, key: &chain::Key) -> u128 {
	let all = chain::ait(&key.account());
	let _ = world;
	rng.pick(&[0, 1, EXISTENTIAL_DEPOSIT, AIT, 100 * AIT, all / 2, all, u128::MAX])
}

fn transfer_allow_death(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let key = world.wallet(rng);
	let (value, dest) = (amount(world, rng, &key), world.own_account(rng).into());
	Some(Sent::Signed(key, Call::transfer_allow_death { dest, value }.into()))
}

fn transfer_keep_alive(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let key = world.wallet(rng);
	let (value, dest) = (amount(world, rng, &key), world.own_account(rng).into());
	Some(Sent::Signed(key, Call::transfer_keep_alive { dest, value }.into()))
}

/// Within the coalition only: what it gives away is of no interest.
fn transfer_all(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, dest) = (world.wallet(rng), world.wallet(rng).account().into());
	Some(Sent::Signed(key, Call::transfer_all { dest, keep_alive: rng.percent(50) }.into()))
}

fn upgrade_accounts(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let who = vec![world.account(rng), world.account(rng)];
	Some(Sent::Signed(world.wallet(rng), Call::upgrade_accounts { who }.into()))
}

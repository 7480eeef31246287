//! AICP and KWH from account to account.

use super::{Calls, Strategy::*};
use crate::{
	rng::Rng,
	world::{Sent, World},
};
use frame_support::traits::fungibles::Inspect;
use gridproof_runtime::{
	AccountId, Assets,
	constants::{AICP, KWH},
};
use pallet_assets::Call;

pub(super) const CALLS: Calls = &[
	("transfer", Make(transfer)),
	("transfer_keep_alive", Make(transfer_keep_alive)),
	("transfer_all", Make(transfer_all)),
	("approve_transfer", Make(approve_transfer)),
	("cancel_approval", Make(cancel_approval)),
	("transfer_approved", Make(transfer_approved)),
	("touch", Make(touch)),
	("touch_other", Make(touch_other)),
	("refund", Make(refund)),
	("refund_other", Make(refund_other)),
	("create", Filtered),
	("force_create", Filtered),
	("start_destroy", Filtered),
	("destroy_accounts", Filtered),
	("destroy_approvals", Filtered),
	("finish_destroy", Filtered),
	("mint", Filtered),
	("burn", Filtered),
	("force_transfer", Filtered),
	("freeze", Filtered),
	("thaw", Filtered),
	("freeze_asset", Filtered),
	("thaw_asset", Filtered),
	("transfer_ownership", Filtered),
	("set_team", Filtered),
	("set_metadata", Filtered),
	("clear_metadata", Filtered),
	("force_set_metadata", Filtered),
	("force_clear_metadata", Filtered),
	("force_asset_status", Filtered),
	("force_cancel_approval", Filtered),
	("set_min_balance", Filtered),
	("block", Filtered),
	("set_reserves", Filtered),
];

fn asset(rng: &mut Rng) -> u32 {
	rng.pick(&[AICP, AICP, KWH, 3])
}

fn amount(rng: &mut Rng, asset: u32, who: &AccountId) -> u128 {
	let all = <Assets as Inspect<AccountId>>::balance(asset, who);
	rng.pick(&[0, 1, 1_000_000, all / 2, all, all + 1, u128::MAX])
}

fn transfer(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, asset) = (world.wallet(rng), asset(rng));
	let amount = amount(rng, asset, &key.account());
	let target = world.own_account(rng).into();
	Some(Sent::Signed(key, Call::transfer { id: asset.into(), target, amount }.into()))
}

fn transfer_keep_alive(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, asset) = (world.wallet(rng), asset(rng));
	let amount = amount(rng, asset, &key.account());
	let target = world.own_account(rng).into();
	Some(Sent::Signed(key, Call::transfer_keep_alive { id: asset.into(), target, amount }.into()))
}

fn transfer_all(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, dest) = (world.wallet(rng), world.wallet(rng).account().into());
	let (id, keep_alive) = (asset(rng).into(), rng.percent(50));
	Some(Sent::Signed(key, Call::transfer_all { id, dest, keep_alive }.into()))
}

fn approve_transfer(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, id) = (world.wallet(rng), asset(rng).into());
	let delegate = world.wallet(rng).account().into();
	Some(Sent::Signed(
		key,
		Call::approve_transfer { id, delegate, amount: rng.below(1 << 40).into() }.into(),
	))
}

fn cancel_approval(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, id) = (world.wallet(rng), asset(rng).into());
	let delegate = world.wallet(rng).account().into();
	Some(Sent::Signed(key, Call::cancel_approval { id, delegate }.into()))
}

fn transfer_approved(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, id) = (world.wallet(rng), asset(rng).into());
	let owner = world.account(rng).into();
	let destination = world.wallet(rng).account().into();
	let amount = rng.below(1 << 40).into();
	Some(Sent::Signed(key, Call::transfer_approved { id, owner, destination, amount }.into()))
}

fn touch(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	Some(Sent::Signed(world.wallet(rng), Call::touch { id: asset(rng).into() }.into()))
}

fn touch_other(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (id, who) = (asset(rng).into(), world.account(rng).into());
	Some(Sent::Signed(world.wallet(rng), Call::touch_other { id, who }.into()))
}

fn refund(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (id, allow_burn) = (asset(rng).into(), rng.percent(10));
	Some(Sent::Signed(world.wallet(rng), Call::refund { id, allow_burn }.into()))
}

fn refund_other(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (id, who) = (asset(rng).into(), world.account(rng).into());
	Some(Sent::Signed(world.wallet(rng), Call::refund_other { id, who }.into()))
}

//! Accounts of several keys, energy accounts among them.

use super::{Calls, Strategy::*, call_of, inner};
use crate::{
	chain::Key,
	rng::Rng,
	world::{Sent, World},
};
use frame_support::weights::Weight;
use gridproof_runtime::{AccountId, Multisig, Runtime, RuntimeCall, constants::KWH};
use pallet_multisig::{Call, Timepoint};

pub(super) const CALLS: Calls = &[
	("as_multi_threshold_1", Make(as_multi_threshold_1)),
	("as_multi", Make(as_multi)),
	("approve_as_multi", Make(approve_as_multi)),
	("cancel_as_multi", Make(cancel_as_multi)),
	("poke_deposit", Make(poke_deposit)),
];

/// Energy to a wallet, by owner or device; or any call.
fn as_multi_threshold_1(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let meter = world.any_meter(rng)?;
	let certified = world.energy.certified.get(&meter)?.clone();
	let device = AccountId::from(certified.key);
	let (key, other) = match world.energy.known.get(&certified.key) {
		Some(pair) if rng.percent(40) => (Key::Device(Box::new(*pair)), certified.owner),
		_ => (world.wallet_of(&certified.owner).unwrap_or_else(|| world.wallet(rng)), device),
	};
	let call = if rng.percent(70) {
		let dest = world.wallet(rng).account().into();
		let id = KWH.into();
		pallet_assets::Call::transfer_all { id, dest, keep_alive: rng.percent(30) }.into()
	} else {
		call_of(inner(world, rng)?)
	};
	let call = Call::as_multi_threshold_1 { other_signatories: vec![other], call: Box::new(call) };
	Some(Sent::Signed(key, call.into()))
}

/// Two of the first three wallets, whose account the coalition can spend from.
fn two_of_three(world: &mut World, rng: &mut Rng) -> Option<(Key, Vec<AccountId>)> {
	let mut members: Vec<Key> = world.wallets.iter().take(3).cloned().collect();
	let mut accounts: Vec<AccountId> = members.iter().map(Key::account).collect();
	accounts.sort();
	world.spendable.insert(Multisig::multi_account_id(&accounts, 2));
	let key = members.swap_remove(rng.index(members.len()));
	accounts.retain(|account| *account != key.account());
	Some((key, accounts))
}

/// The call that the account of two of three makes: always the same few, so that approvals meet.
fn shared(rng: &mut Rng) -> (RuntimeCall, Option<Timepoint<u32>>) {
	let remark = vec![u8::try_from(rng.below(2)).expect("small")];
	let call = frame_system::Call::remark { remark }.into();
	let height = rng.pick(&[None, Some(2), Some(5)]);
	(call, height.map(|height| Timepoint { height, index: 1 }))
}

fn as_multi(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, other_signatories) = two_of_three(world, rng)?;
	let (call, maybe_timepoint) = shared(rng);
	let call = Call::as_multi {
		threshold: 2,
		other_signatories,
		maybe_timepoint,
		call: Box::new(call),
		max_weight: Weight::from_parts(1_000_000_000, 100_000),
	};
	Some(Sent::Signed(key, call.into()))
}

fn approve_as_multi(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, other_signatories) = two_of_three(world, rng)?;
	let (call, maybe_timepoint) = shared(rng);
	let call = Call::approve_as_multi {
		threshold: 2,
		other_signatories,
		maybe_timepoint,
		call_hash: hash(&call),
		max_weight: Weight::from_parts(1_000_000_000, 100_000),
	};
	Some(Sent::Signed(key, call.into()))
}

fn hash(call: &RuntimeCall) -> [u8; 32] {
	sp_crypto_hashing::blake2_256(&codec::Encode::encode(call))
}

fn cancel_as_multi(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, other_signatories) = two_of_three(world, rng)?;
	let call_hash = hash(&shared(rng).0);
	let mut members = vec![key.account()];
	members.extend(other_signatories.clone());
	members.sort();
	let account = Multisig::multi_account_id(&members, 2);
	let open = pallet_multisig::Multisigs::<Runtime>::get(account, call_hash);
	let timepoint = open.map_or(Timepoint { height: 1, index: 1 }, |open| open.when);
	let call = Call::cancel_as_multi { threshold: 2, other_signatories, timepoint, call_hash };
	Some(Sent::Signed(key, call.into()))
}

fn poke_deposit(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, other_signatories) = two_of_three(world, rng)?;
	let call_hash = hash(&shared(rng).0);
	let call = Call::poke_deposit { threshold: 2, other_signatories, call_hash };
	Some(Sent::Signed(key, call.into()))
}

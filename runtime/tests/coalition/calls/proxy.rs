//! Accounts that act for others.

use super::{Calls, Strategy::*, call_of, inner};
use crate::{
	chain::Key,
	rng::Rng,
	world::{Sent, World},
};
use gridproof_runtime::configs::ProxyType;
use pallet_proxy::Call;

pub(super) const CALLS: Calls = &[
	("proxy", Make(proxy)),
	("add_proxy", Make(add_proxy)),
	("remove_proxy", Make(remove_proxy)),
	("remove_proxies", Make(remove_proxies)),
	("create_pure", Make(create_pure)),
	("kill_pure", Make(kill_pure)),
	("announce", Make(announce)),
	("remove_announcement", Make(remove_announcement)),
	("reject_announcement", Make(reject_announcement)),
	("proxy_announced", Make(proxy_announced)),
	("poke_deposit", Make(poke_deposit)),
];

fn kind(rng: &mut Rng) -> ProxyType {
	rng.pick(&[
		ProxyType::Any,
		ProxyType::NonTransfer,
		ProxyType::CancelProxy,
		ProxyType::SessionKeys,
	])
}

/// Who acts, for whom: mostly the same two, so that a proxy is there when it is used.
fn pair(world: &World, rng: &mut Rng) -> Option<(Key, Key)> {
	if rng.percent(70) {
		Some((world.wallets.last()?.clone(), world.wallets.first()?.clone()))
	} else {
		Some((world.wallet(rng), world.wallet(rng)))
	}
}

/// For one who agreed, or for somebody who never did.
fn proxy(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let sent = inner(world, rng)?;
	let (key, real) = pair(world, rng)?;
	let real = if rng.percent(80) { real.account() } else { world.account(rng) };
	let force_proxy_type = rng.percent(30).then(|| kind(rng));
	let call = Box::new(call_of(sent));
	let call = Call::proxy { real: real.into(), force_proxy_type, call };
	Some(Sent::Signed(key, call.into()))
}

fn add_proxy(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (delegate, real) = pair(world, rng)?;
	let delegate = delegate.account().into();
	let (proxy_type, delay) = (kind(rng), rng.pick(&[0, 0, 2]));
	Some(Sent::Signed(real, Call::add_proxy { delegate, proxy_type, delay }.into()))
}

fn remove_proxy(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (delegate, real) = pair(world, rng)?;
	let delegate = delegate.account().into();
	let (proxy_type, delay) = (kind(rng), 0);
	Some(Sent::Signed(real, Call::remove_proxy { delegate, proxy_type, delay }.into()))
}

fn remove_proxies(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	Some(Sent::Signed(world.wallet(rng), Call::remove_proxies {}.into()))
}

fn create_pure(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let call = Call::create_pure { proxy_type: kind(rng), delay: 0, index: 0 };
	Some(Sent::Signed(world.wallet(rng), call.into()))
}

fn kill_pure(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let spawner = world.wallet(rng).account().into();
	let (proxy_type, height) = (kind(rng), gridproof_runtime::System::block_number());
	let call = Call::kill_pure { spawner, proxy_type, index: 0, height, ext_index: 1 };
	Some(Sent::Signed(world.wallet(rng), call.into()))
}

fn announce(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let real = world.wallet(rng).account().into();
	let call_hash = sp_core::H256::repeat_byte(1).0.into();
	Some(Sent::Signed(world.wallet(rng), Call::announce { real, call_hash }.into()))
}

fn remove_announcement(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let real = world.wallet(rng).account().into();
	let call_hash = sp_core::H256::repeat_byte(1).0.into();
	Some(Sent::Signed(world.wallet(rng), Call::remove_announcement { real, call_hash }.into()))
}

fn reject_announcement(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let delegate = world.wallet(rng).account().into();
	let call_hash = sp_core::H256::repeat_byte(1).0.into();
	Some(Sent::Signed(world.wallet(rng), Call::reject_announcement { delegate, call_hash }.into()))
}

fn proxy_announced(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let delegate = world.wallet(rng).account().into();
	let real = world.account(rng).into();
	let call = Box::new(call_of(inner(world, rng)?));
	let call = Call::proxy_announced { delegate, real, force_proxy_type: None, call };
	Some(Sent::Signed(world.wallet(rng), call.into()))
}

fn poke_deposit(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	Some(Sent::Signed(world.wallet(rng), Call::poke_deposit {}.into()))
}

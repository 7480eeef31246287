//! Several calls in one, or for another account.

use super::{Calls, Strategy::*, call_of, inner};
use crate::{
	rng::Rng,
	world::{Sent, World},
};
use gridproof_runtime::RuntimeCall;
use pallet_utility::Call;

pub(super) const CALLS: Calls = &[
	("batch", Make(batch)),
	("batch_all", Make(batch_all)),
	("force_batch", Make(force_batch)),
	("as_derivative", Make(as_derivative)),
	("if_else", Make(if_else)),
	("dispatch_as", Filtered),
	("dispatch_as_fallible", Filtered),
	("with_weight", Root),
];

/// Some calls, signed by the key that one of them wants.
fn several(world: &mut World, rng: &mut Rng) -> Option<(crate::chain::Key, Vec<RuntimeCall>)> {
	let mut key = world.wallet(rng);
	let mut calls = Vec::new();
	for _ in 0..=rng.below(3) {
		let sent = inner(world, rng)?;
		if let Sent::Signed(signer, _) = &sent {
			key = signer.clone();
		}
		calls.push(call_of(sent));
	}
	Some((key, calls))
}

fn batch(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, calls) = several(world, rng)?;
	Some(Sent::Signed(key, Call::batch { calls }.into()))
}

fn batch_all(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, calls) = several(world, rng)?;
	Some(Sent::Signed(key, Call::batch_all { calls }.into()))
}

fn force_batch(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, calls) = several(world, rng)?;
	Some(Sent::Signed(key, Call::force_batch { calls }.into()))
}

fn as_derivative(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let call = Box::new(call_of(inner(world, rng)?));
	let index = u16::try_from(rng.below(2)).expect("small");
	Some(Sent::Signed(world.wallet(rng), Call::as_derivative { index, call }.into()))
}

fn if_else(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, mut calls) = several(world, rng)?;
	let main = Box::new(calls.pop()?);
	let fallback = Box::new(calls.pop().unwrap_or_else(|| (*main).clone()));
	Some(Sent::Signed(key, Call::if_else { main, fallback }.into()))
}

//! The daily statement: no coalition here has a role's key.

use super::{Calls, Strategy::*};
use crate::{
	build::reserve::{embellished, figures, forged_lift, forged_statement, forged_stop},
	rng::Rng,
	world::{Sent, World},
};
use gridproof_primitives::{reserve::attestation::Role, time::calendar::DayClock};
use gridproof_runtime::Attestations;

pub(super) const CALLS: Calls = &[
	("submit", Make(submit)),
	("rotate_key", Root),
	("pause", Root),
	("resume", Root),
	("set_kind_open", Root),
	("stop_mint", Make(stop_mint)),
	("lift_stop", Make(lift_stop)),
	("prolong_stop", Root),
	("end_stop", Root),
];

/// A statement of the honest once more, or figures of its own with signatures of its own.
fn submit(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let old: Vec<_> = world.reserve.stated.iter().map(|(_, call)| call.clone()).collect();
	let call = if rng.percent(50) {
		rng.any(&old)?
	} else {
		let day = rng.any(&[Attestations::today(), Attestations::today().previous()?])?;
		forged_statement(if rng.percent(50) { embellished(day) } else { figures(day) })
	};
	Some(if rng.percent(50) { Sent::Free(call) } else { Sent::Signed(world.wallet(rng), call) })
}

fn role(rng: &mut Rng) -> Role {
	rng.pick(&[Role::Data, Role::Risk, Role::Ops])
}

fn stop_mint(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let call = forged_stop(role(rng), rng.pick(&[0, 1, 2]));
	Some(if rng.percent(50) { Sent::Free(call) } else { Sent::Signed(world.wallet(rng), call) })
}

fn lift_stop(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let call = forged_lift(role(rng), rng.pick(&[0, 1, 2]));
	Some(if rng.percent(50) { Sent::Free(call) } else { Sent::Signed(world.wallet(rng), call) })
}

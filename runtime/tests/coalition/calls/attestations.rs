//! The daily statement: no coalition here has a role's key.

use super::{Calls, Strategy::*};
use crate::{
	build::reserve::{figures, forged_statement},
	rng::Rng,
	world::{Sent, World},
};
use gridproof_primitives::time::calendar::DayClock;
use gridproof_runtime::Attestations;

pub(super) const CALLS: Calls = &[
	("submit", Make(submit)),
	("rotate_key", Root),
	("pause", Root),
	("resume", Root),
	("set_kind_open", Root),
];

/// A statement of the honest once more, or figures of its own with signatures of its own.
fn submit(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let old: Vec<_> = world.reserve.stated.iter().map(|(_, call)| call.clone()).collect();
	let call = if rng.percent(50) {
		rng.any(&old)?
	} else {
		let day = rng.any(&[Attestations::today(), Attestations::today().previous()?])?;
		let mut fields = figures(day);
		fields.wh_raw *= 10;
		fields.wh_committed *= 10;
		forged_statement(fields)
	};
	Some(if rng.percent(50) { Sent::Free(call) } else { Sent::Signed(world.wallet(rng), call) })
}

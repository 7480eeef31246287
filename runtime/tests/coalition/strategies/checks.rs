//! Checks: a verifier that looks away, accuses, hides what is published; a coordinator that shows what it has
//! invented to some.

use super::Scratch;
use crate::{
	build::checks as build,
	chain::{MINUTE, SECOND},
	rng::Rng,
	world::{Sent, World, checks::Shows},
};
use gridproof_primitives::compute::checks::{BatchId, NoVote, Witness};
use gridproof_runtime::Runtime;
use pallet_compute_checks::{Batches, Call, Demands, Disputes, Reopenings};

fn batches(ours: bool, world: &World) -> Vec<BatchId> {
	let keys: Vec<_> = world.our_keys(true).iter().map(crate::world::compute::key_of).collect();
	let all = Batches::<Runtime>::iter_keys();
	all.filter(|batch| keys.contains(&batch.coordinator) == ours).collect()
}

/// Its coordinator shows what it has invented to witnesses alone.
pub(super) fn show_to_witnesses(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.checks.shows = Shows::Witnesses;
	Some(())
}

/// Its coordinator shows it to everybody but the jury.
pub(super) fn hide_from_jurors(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.checks.shows = Shows::NotJurors;
	Some(())
}

/// Its coordinator shows it to nobody.
pub(super) fn show_to_nobody(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.checks.shows = Shows::Nobody;
	Some(())
}

/// Its coordinator does not even publish lists.
pub(super) fn publish_nothing(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.checks.shows = Shows::Nobody;
	world.checks.hides = true;
	Some(())
}

fn report_all(world: &mut World, ours: bool, equal: bool) -> Option<()> {
	let pair = world.our_verifier()?;
	for batch in batches(ours, world) {
		for draw in build::draws(&pair, batch, 16) {
			let list = world.checks.lists.get(&batch).cloned().unwrap_or_default();
			let Some(receipt) = draw.receipt(&list) else { continue };
			world.send(Sent::Free(build::report(&pair, &draw, receipt, equal)));
		}
	}
	world.pass(SECOND);
	Some(())
}

/// Its verifier finds everything equal that the coalition has invented.
pub(super) fn look_away(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	report_all(world, true, true)
}

/// Its verifier accuses honest work.
pub(super) fn accuse_honest_work(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	report_all(world, false, false)
}

/// Its verifier demands the opening of what is published, as if it were not.
pub(super) fn demand_without_name(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let pair = world.our_verifier()?;
	for batch in batches(false, world) {
		for draw in build::draws(&pair, batch, 4) {
			if let Some(call) = build::demand(&pair, &draw, None) {
				world.send(Sent::Free(call));
			}
		}
	}
	for of in Demands::<Runtime>::iter_keys().collect::<Vec<_>>() {
		world.send(Sent::Free(build::witness(&pair, of, build::named(&of), Witness::GotNothing)));
	}
	world.pass(3 * MINUTE);
	Some(())
}

/// Its verifier votes for its own in every dispute, and shows nothing.
pub(super) fn vote_for_its_own(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let pair = world.our_verifier()?;
	for id in Disputes::<Runtime>::iter_keys().collect::<Vec<_>>() {
		let Some(row) = Disputes::<Runtime>::get(id) else { continue };
		let ours = batches(true, world).contains(&row.receipt.batch);
		world.send(Sent::Free(build::commit(&pair, id, !ours)));
		world.send(Sent::Free(build::reveal(&pair, id, !ours)));
		let why = NoVote::NotShown(row.receipt.batch);
		world.send(Sent::Free(build::abstain(&pair, id, why)));
	}
	for of in Reopenings::<Runtime>::iter_keys().collect::<Vec<_>>() {
		world.send(Sent::Free(Call::<Runtime>::close_reopening { check: of }.into()));
	}
	world.pass(5 * MINUTE);
	Some(())
}

/// A client of the coalition disputes honest work that it has ordered.
pub(super) fn dispute_honest_work(world: &mut World, _: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let client = world.wallet(rng);
	for batch in batches(false, world) {
		let list = world.checks.lists.get(&batch).cloned().unwrap_or_default();
		for index in 0..list.len().min(4) {
			let Some(placed) = build::placed(&list, index) else { continue };
			let call = Call::<Runtime>::dispute_receipt { batch, receipt: Box::new(placed) };
			world.send(Sent::Signed(client.clone(), call.into()));
		}
	}
	world.pass(SECOND);
	Some(())
}

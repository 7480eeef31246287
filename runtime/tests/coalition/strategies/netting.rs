//! Energy that goes round: batteries, and meters that belong together.

use super::{Scratch, energy::phantom};
use crate::{
	build::energy::{self, seal, serial},
	chain::{HOUR, Key},
	rng::Rng,
	world::{
		HONEST, Role, Sent, World,
		compute::key_of,
		energy::{OUR_APART, OUR_CIRCLE, OUR_PUMPED, OUR_SERIES},
		wallet,
	},
};
use gridproof_primitives::energy::{MeterIndex, Registers, Suspension};
use gridproof_runtime::Runtime;
use pallet_meter_readings::Meters;

use Role::Owner;

/// Time for which a battery draws, and then delivers, in milliseconds.
const TURN: u64 = 2 * HOUR;

pub(super) fn certify_series(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let owner = wallet(Owner);
	world.certify_truly(OUR_SERIES[0], 0, HONEST[3], 0, &owner);
	world.certify_truly(OUR_SERIES[1], 0, HONEST[4], 1, &owner);
	Some(())
}

pub(super) fn certify_apart(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let owner = wallet(Owner);
	world.certify_truly(OUR_APART[0], 0, HONEST[3], 0, &owner);
	world.certify_truly(OUR_APART[1], 0, HONEST[3], 0, &owner);
	Some(())
}

pub(super) fn certify_circle(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let owner = wallet(Owner);
	for physical in OUR_CIRCLE {
		world.certify_truly(physical, 0, HONEST[3], 0, &owner);
	}
	Some(())
}

/// For six turns the device's own batches are kept back, and others sent that another key has
/// signed.
pub(super) fn forge_for_sealed(world: &mut World, _: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let key = key_of(&world.energy.meters[OUR_APART[1]].keys[0]);
	let (meter, other) = (world.meter_of(&key)?, phantom(world, rng)?);
	world.energy.withheld = Some(meter);
	for _ in 0..6 {
		world.pass(TURN);
		let Some(row) = Meters::<Runtime>::get(meter) else { break };
		let registers = row.state.registers;
		let most = energy::most(meter, world.now);
		let closing = Registers { export_wh: registers.export_wh + most, ..registers };
		if let Some(batch) = energy::batch(meter, &other, None, world.now, closing) {
			world.send(Sent::Free(energy::submit(vec![batch])));
		}
	}
	world.energy.withheld = None;
	Some(())
}

/// Lets time pass until the first battery of the circle begins to draw, or to deliver.
fn wait_for_turn(world: &mut World, delivers: bool) {
	let is_delivering = (world.now / TURN).is_multiple_of(2);
	if is_delivering != delivers {
		world.pass(TURN - world.now % TURN);
	}
}

/// A battery, certified when it begins to draw.
pub(super) fn certify_drawing(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	wait_for_turn(world, true);
	wait_for_turn(world, false);
	let owner = wallet(Owner);
	scratch.meter = world.certify_truly(OUR_CIRCLE[0], 0, HONEST[3], 0, &owner);
	Some(())
}

/// It has drawn; it is certified again, with the key of its second gateway, and delivers.
pub(super) fn certify_without_debt(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	let (meter, owner) = (scratch.meter?, wallet(Owner));
	wait_for_turn(world, false);
	wait_for_turn(world, true);
	let call = pallet_meter_readings::Call::decommission_meter { meter };
	world.send(Sent::Signed(owner.clone(), call.into()));
	world.certify_truly(OUR_CIRCLE[0], 1, HONEST[3], 0, &owner)?;
	world.pass(TURN);
	Some(())
}

/// It goes out of service when it begins to draw, and is certified again, with the key of its second
/// gateway, when it begins to deliver.
pub(super) fn draw_out_of_service(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	let (meter, owner) = (scratch.meter?, wallet(Owner));
	wait_for_turn(world, true);
	wait_for_turn(world, false);
	let call = pallet_meter_readings::Call::decommission_meter { meter };
	world.send(Sent::Signed(owner.clone(), call.into()));
	wait_for_turn(world, true);
	world.certify_truly(OUR_CIRCLE[0], 1, HONEST[3], 0, &owner)?;
	world.pass(TURN);
	Some(())
}

/// It has drawn, and its owner has kept its batches back; an honest electrician seals it again, with the
/// registers that it shows, and it delivers.
pub(super) fn exchange_without_debt(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	let (meter, owner) = (scratch.meter?, wallet(Owner));
	world.energy.withheld = Some(meter);
	wait_for_turn(world, false);
	wait_for_turn(world, true);
	world.energy.withheld = None;
	let physical = &world.energy.meters[OUR_CIRCLE[0]];
	let (shown, number) = (physical.at(world.now), serial(&physical.serial));
	let new = format!("NEW-SEAL-{}", world.new_number());
	let call = energy::exchange(
		meter,
		energy::Exchange {
			organisation: 0,
			name: world.energy.certified.get(&meter)?.name.clone(),
			device: None,
			owner: &owner,
			registers: shown,
			serial: number,
			seal: seal(&new),
			valid_until_ms: world.now + HOUR,
		},
	);
	world.seal_again(OUR_CIRCLE[0], shown, new);
	world.send_honest(Sent::Signed(Key::named(HONEST[3]), call));
	world.pass(TURN);
	Some(())
}

fn suspend(world: &mut World, meter: MeterIndex) {
	let reason = Suspension::BrokenSeal;
	let call = pallet_meter_readings::Call::suspend_meter { meter, reason };
	world.send(Sent::Signed(wallet(Owner), call.into()));
}

/// Three times: its owner says that the seal is broken as long as it draws; an honest electrician
/// seals it again, and it delivers.
pub(super) fn draw_in_gaps(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let meter = scratch.meter?;
	for _ in 0..3 {
		wait_for_turn(world, false);
		suspend(world, meter);
		wait_for_turn(world, true);
		let new = format!("NEW-SEAL-{}", world.new_number());
		let shown = world.energy.meters[OUR_CIRCLE[0]].at(world.now);
		let call = pallet_meter_readings::Call::reinstate_meter { meter, seal: seal(&new) };
		world.seal_again(OUR_CIRCLE[0], shown, new);
		world.send_honest(Sent::Signed(Key::named(HONEST[3]), call.into()));
		world.pass(TURN);
	}
	Some(())
}

fn import_meter(world: &World) -> Option<MeterIndex> {
	world.meter_of(&key_of(&world.energy.meters[OUR_APART[0]].keys[0]))
}

/// What the battery drew is stated after what it delivered.
pub(super) fn keep_import_back(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.energy.withheld = Some(import_meter(world)?);
	for _ in 0..6 {
		world.pass(TURN);
	}
	world.energy.withheld = None;
	Some(())
}

pub(super) fn suspend_import(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let meter = import_meter(world)?;
	suspend(world, meter);
	Some(())
}

pub(super) fn take_import_away(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let meter = import_meter(world)?;
	let call = pallet_meter_readings::Call::decommission_meter { meter };
	world.send(Sent::Signed(wallet(Owner), call.into()));
	Some(())
}

/// While the battery draws, no import meter is there; then another device is.
pub(super) fn replace_import(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let (meter, owner) = (import_meter(world)?, wallet(Owner));
	wait_for_turn(world, true);
	wait_for_turn(world, false);
	let call = pallet_meter_readings::Call::decommission_meter { meter };
	world.send(Sent::Signed(owner.clone(), call.into()));
	wait_for_turn(world, true);
	world.replace(OUR_APART[0]);
	world.certify_truly(OUR_APART[0], 1, HONEST[3], 0, &owner)?;
	world.pass(TURN);
	Some(())
}

pub(super) fn certify_pumped(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let owner = wallet(Owner);
	for physical in OUR_PUMPED {
		world.certify_truly(physical, 0, HONEST[3], 0, &owner);
	}
	Some(())
}

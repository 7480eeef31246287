//! Certificates and batches that state more than there is.

use super::Scratch;
use crate::{
	build::energy::{self, seal, serial},
	chain::{DAY, HOUR, Key, SECOND, START},
	rng::Rng,
	world::{
		HONEST, Role, Sent, World,
		compute::key_of,
		energy::{HONEST_ROOF, OUR_NEW_ROOF, OUR_ROOF, RATED_W},
		wallet,
	},
};
use gridproof_primitives::energy::{
	Direction, MAX_RATED_POWER_W, MeterIndex, OrganisationStanding, Registers, SignedBatch,
	Suspension,
};
use gridproof_runtime::Runtime;
use pallet_meter_readings::{Limits, Meters};
use sp_core::ed25519;

use Role::{Electrician, Owner};

/// Wh that a meter can mint in a day.
const DAY_WH: u64 = 264_000;

/// A key without a meter, and which number it has.
pub(super) fn phantom(world: &World, rng: &mut Rng) -> Option<ed25519::Pair> {
	let free: Vec<ed25519::Pair> = world
		.energy
		.known
		.values()
		.filter(|pair| world.energy.is_phantom(&key_of(pair)))
		.filter(|pair| world.meter_of(&key_of(pair)).is_none())
		.cloned()
		.collect();
	rng.any(&free)
}

pub(super) fn certify_phantom(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
	since_ms: u64,
	rated_w: u32,
) -> Option<()> {
	let device = phantom(world, rng)?;
	let owner = world.wallets.last()?.clone();
	let number = world.new_number();
	let call = energy::certify(energy::Terms {
		organisation: 2,
		name: world.new_name(),
		device: &device,
		owner: &owner,
		rated_w,
		direction: Direction::Export,
		point: None,
		serial: serial(&format!("PHANTOM-{number}")),
		seal: seal(&format!("PHANTOM-{number}")),
		registers: Registers::default(),
		since_ms,
		valid_until_ms: world.now + 30 * DAY,
	});
	scratch.call = Some(call.clone());
	world.send(Sent::Signed(wallet(Electrician), call));
	scratch.key = Some(key_of(&device));
	scratch.meter = world.meter_of(&key_of(&device));
	Some(())
}

pub(super) fn certify_ten_years(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	certify_phantom(world, scratch, rng, START - 3_650 * DAY, RATED_W)
}

pub(super) fn certify_giant(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	for rated_w in [u32::MAX, MAX_RATED_POWER_W + 1, MAX_RATED_POWER_W] {
		certify_phantom(world, scratch, rng, world.now - HOUR, rated_w)?;
		if scratch.meter.is_some() {
			break;
		}
	}
	Some(())
}

pub(super) fn certify_a_day(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	certify_phantom(world, scratch, rng, world.now - DAY, RATED_W)
}

pub(super) fn certify_now(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	certify_phantom(world, scratch, rng, world.now, RATED_W)
}

/// Decommissions, and sends the very same certification again.
pub(super) fn certify_once_more(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	let meter = scratch.meter?;
	let electrician = wallet(Electrician);
	let call = pallet_meter_readings::Call::decommission_meter { meter };
	world.send(Sent::Signed(electrician.clone(), call.into()));
	world.send(Sent::Signed(electrician, scratch.call.clone()?));
	scratch.meter = world.meter_of(&scratch.key?);
	Some(())
}

/// As much as passes, since the last batch, or since somebody vouches for the meter.
pub(super) fn forged(world: &World, meter: MeterIndex, vouched: bool) -> Option<SignedBatch> {
	let row = Meters::<Runtime>::get(meter)?;
	let pair = world.energy.known.get(&row.device)?;
	let most = energy::most(meter, world.now).min(999_000_000);
	let registers = row.state.registers;
	let since = row.state.last_end_ms.max(row.state.floor_ms);
	let closing =
		Registers { import_wh: registers.import_wh, export_wh: registers.export_wh + most };
	energy::batch(meter, pair, vouched.then_some((since, registers)), world.now, closing)
}

pub(super) fn forge_all(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let batch = forged(world, scratch.meter?, rng.percent(50))?;
	world.send(Sent::Free(energy::submit(vec![batch])));
	Some(())
}

/// The meter begins at 0 once more, with the same key: one that is there takes no consent.
pub(super) fn exchange(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let meter = scratch.meter?;
	let certified = world.energy.certified.get(&meter)?;
	let (name, owner) = (certified.name.clone(), world.wallets.last()?.clone());
	let number = world.new_number();
	let call = energy::exchange(
		meter,
		energy::Exchange {
			organisation: 2,
			name,
			device: None,
			owner: &owner,
			registers: Registers::default(),
			serial: serial(&format!("EXCHANGED-{number}")),
			seal: seal(&format!("EXCHANGED-{number}")),
			valid_until_ms: world.now + DAY,
		},
	);
	world.send(Sent::Signed(wallet(Electrician), call));
	Some(())
}

/// The next day of the past, and on to midnight: another day may mint as much again.
pub(super) fn forge_past(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let meter = scratch.meter?;
	let row = Meters::<Runtime>::get(meter)?;
	let pair = *world.energy.known.get(&row.device)?;
	let end = world.now.min(row.state.last_end_ms + DAY);
	let registers = row.state.registers;
	let export_wh = registers.export_wh + energy::most(meter, end);
	let closing = Registers { import_wh: registers.import_wh, export_wh };
	let batch = energy::batch(meter, &pair, None, end, closing)?;
	world.send(Sent::Free(energy::submit(vec![batch])));
	world.pass(DAY - world.now % DAY);
	Some(())
}

/// A true meter, certified as if it had been since a year, with the register of then.
pub(super) fn certify_true_past(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	certify_true(world, scratch, 0, START - 365 * DAY)
}

/// A true meter, certified with its register of yesterday.
pub(super) fn certify_true_day(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	certify_true(world, scratch, 0, world.now - DAY)
}

/// It is decommissioned, and certified from then on once more, with the key of its second gateway.
pub(super) fn certify_true_again(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	let meter = scratch.meter?;
	let call = pallet_meter_readings::Call::decommission_meter { meter };
	world.send(Sent::Signed(wallet(Electrician), call.into()));
	certify_true(world, scratch, 1, world.now - DAY)
}

pub(super) fn certify_true(
	world: &mut World,
	scratch: &mut Scratch,
	gateway: usize,
	since_ms: u64,
) -> Option<()> {
	let owner = wallet(Owner);
	let physical = &world.energy.meters[OUR_NEW_ROOF];
	let device = physical.keys[gateway];
	let (registers, seal) = (physical.at(since_ms), seal(&physical.seal));
	let serial = serial(&physical.serial);
	let call = energy::certify(energy::Terms {
		organisation: 2,
		name: world.new_name(),
		device: &device,
		owner: &owner,
		rated_w: RATED_W,
		direction: Direction::Export,
		point: None,
		serial,
		seal,
		registers,
		since_ms,
		valid_until_ms: world.now + DAY,
	});
	world.send(Sent::Signed(wallet(Electrician), call));
	scratch.meter = world.meter_of(&key_of(&device));
	Some(())
}

pub(super) fn break_seal(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let key = key_of(&world.energy.meters[OUR_ROOF].keys[0]);
	let meter = world.meter_of(&key)?;
	if Meters::<Runtime>::get(meter)?.suspended.is_some() {
		return None;
	}
	world.break_seal(OUR_ROOF, Suspension::BrokenSeal, HONEST[3]);
	scratch.meter = Some(meter);
	world.pass(2 * DAY);
	Some(())
}

/// The batch of the time under the broken seal is signed; nobody takes it now.
pub(super) fn forge_in_suspension(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	let batch = forged(world, scratch.meter?, false)?;
	world.send(Sent::Free(energy::submit(vec![batch.clone()])));
	scratch.batch = Some(batch);
	Some(())
}

/// The honest electrician seals and reinstates; the batch of before is sent once more.
pub(super) fn pardon(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let (meter, batch) = (scratch.meter?, scratch.batch.clone()?);
	let new = format!("NEW-SEAL-{}", world.new_number());
	let seal = seal(&new);
	world.seal_again(OUR_ROOF, batch.header.closing, new);
	let call = pallet_meter_readings::Call::reinstate_meter { meter, seal };
	world.send_honest(Sent::Signed(Key::named(HONEST[3]), call.into()));
	world.send(Sent::Free(energy::submit(vec![batch])));
	Some(())
}

pub(super) fn standing(world: &mut World, standing: OrganisationStanding) {
	let call = pallet_meter_readings::Call::set_organisation_standing { organisation: 2, standing };
	world.governance(call.into());
}

pub(super) fn revoke(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	standing(world, OrganisationStanding::Revoked);
	world.pass(3 * DAY);
	Some(())
}

pub(super) fn readmit(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	standing(world, OrganisationStanding::Admitted);
	Some(())
}

/// An honest owner has its roof certified by the coalition's electrician, unless the seal is broken.
pub(super) fn certify_for_another(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	let owner = Key::named(HONEST[5]);
	let physical = &world.energy.meters[HONEST_ROOF];
	if !physical.sealed {
		return None;
	}
	let device = physical.keys[0];
	let (registers, seal) = (physical.at(world.now), seal(&physical.seal));
	let serial = serial(&physical.serial);
	let call = energy::certify(energy::Terms {
		organisation: 2,
		name: world.new_name(),
		device: &device,
		owner: &owner,
		rated_w: RATED_W,
		direction: Direction::Export,
		point: None,
		serial,
		seal,
		registers,
		since_ms: world.now,
		valid_until_ms: world.now + 30 * DAY,
	});
	scratch.call = Some(call.clone());
	world.send(Sent::Signed(wallet(Electrician), call));
	scratch.key = Some(key_of(&device));
	scratch.meter = world.meter_of(&key_of(&device));
	Some(())
}

/// The electrician reads the key; the owner notices, takes its KWH away and says that it is lost.
pub(super) fn steal_key(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let meter = scratch.meter?;
	let call = pallet_meter_readings::Call::suspend_meter { meter, reason: Suspension::LostKey };
	world.send_honest(Sent::Signed(Key::named(HONEST[5]), call.into()));
	world.break_seal(HONEST_ROOF, Suspension::LostKey, HONEST[5]);
	world.secure(meter);
	Some(())
}

/// The same certification, whose consent was used already, with the key that is lost.
pub(super) fn certify_stolen(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	certify_once_more(world, scratch, rng)
}

pub(super) fn certify_twins(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let owner = wallet(Owner);
	world.certify_truly(OUR_NEW_ROOF, 0, HONEST[3], 0, &owner);
	world.certify_truly(OUR_NEW_ROOF, 1, HONEST[4], 1, &owner);
	Some(())
}

/// States so much energy for a meter whose key is known, from a time on, or from where the last
/// batch ends.
fn state_energy(
	world: &mut World,
	meter: MeterIndex,
	start_ms: Option<u64>,
	end_ms: u64,
	wh: u64,
) -> Option<()> {
	let row = Meters::<Runtime>::get(meter)?;
	let pair = *world.energy.known.get(&row.device)?;
	let registers = row.state.registers;
	let closing = Registers { export_wh: registers.export_wh + wh, ..registers };
	let opening = start_ms.map(|start| (start, registers));
	let batch = energy::batch(meter, &pair, opening, end_ms, closing)?;
	world.send(Sent::Free(energy::submit(vec![batch])));
	Some(())
}

/// The energy of a day, in the hour since the certificate.
pub(super) fn forge_beyond(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let end = world.now;
	state_energy(world, scratch.meter?, None, end, DAY_WH - 10_000)
}

/// The energy of the day that comes.
pub(super) fn forge_ahead(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let end = world.now + DAY;
	state_energy(world, scratch.meter?, None, end, DAY_WH - 10_000)
}

/// On the next day, the energy of the 24 hours before, of which the chain knows some.
pub(super) fn forge_day_again(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.pass(DAY - world.now % DAY);
	let end = world.now;
	state_energy(world, scratch.meter?, Some(end - DAY), end, DAY_WH)
}

/// Three days without a batch, and one with the energy of them all.
pub(super) fn forge_three_days(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	world.pass(3 * DAY);
	let end = world.now;
	state_energy(world, scratch.meter?, None, end, 3 * DAY_WH)
}

/// Governance sets limits that three meters reach within a few blocks, and the others' energy with
/// theirs within hours.
pub(super) fn go_to_the_limits(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	let mut meters = Vec::new();
	for _ in 0..3 {
		certify_a_day(world, scratch, rng)?;
		meters.push(scratch.meter?);
	}
	world.pass(SECOND);
	world.set_limits(Limits {
		block_wh: 12_000,
		organisation_day_wh: 45_000,
		day_wh: 50_500,
		..Limits::default()
	});
	for _ in 0..6 {
		for meter in &meters {
			let last = Meters::<Runtime>::get(meter)?.state.last_end_ms;
			state_energy(world, *meter, None, last + 3 * HOUR, 5_000);
		}
		world.pass(SECOND);
	}
	world.pass(2 * HOUR);
	world.end_limits();
	Some(())
}

/// The roof of an honest owner, as the coalition certifies it.
fn certify_honest_roof(
	world: &mut World,
	owner: &Key,
	(consents, proves): (&Key, &ed25519::Pair),
) -> Option<MeterIndex> {
	let physical = &world.energy.meters[HONEST_ROOF];
	let device = physical.keys[0];
	let (registers, seal) = (physical.at(world.now), seal(&physical.seal));
	let (serial, name) = (serial(&physical.serial), world.new_name());
	let terms = energy::Terms {
		organisation: 2,
		name,
		device: &device,
		owner,
		rated_w: RATED_W,
		direction: Direction::Export,
		point: None,
		serial,
		seal,
		registers,
		since_ms: world.now,
		valid_until_ms: world.now + DAY,
	};
	let call = energy::certify_by(terms, consents, proves);
	world.send(Sent::Signed(wallet(Electrician), call));
	world.meter_of(&key_of(&device))
}

/// For an owner of the coalition, without the device's agreement.
pub(super) fn certify_anothers_device(
	world: &mut World,
	_: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	let (owner, other) = (world.wallets.last()?.clone(), phantom(world, rng)?);
	certify_honest_roof(world, &owner, (&owner, &other))?;
	Some(())
}

/// For its owner, who has seen that somebody read the key, and signs nothing.
pub(super) fn certify_without_consent(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	let device = world.energy.meters[HONEST_ROOF].keys[0];
	if world.meter_of(&key_of(&device)).is_some() {
		return None;
	}
	world.break_seal(HONEST_ROOF, Suspension::LostKey, HONEST[5]);
	let (owner, other) = (Key::named(HONEST[5]), world.wallets.last()?.clone());
	scratch.meter = certify_honest_roof(world, &owner, (&other, &device));
	Some(())
}

/// An honest owner has its roof certified; the electrician takes the meter out of service at once,
/// and reads its key.
pub(super) fn certify_and_undo(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	certify_for_another(world, scratch, rng)?;
	let meter = scratch.meter?;
	let call = pallet_meter_readings::Call::decommission_meter { meter };
	world.send(Sent::Signed(wallet(Electrician), call.into()));
	world.break_seal(HONEST_ROOF, Suspension::LostKey, HONEST[5]);
	Some(())
}

/// With the consent of then.
pub(super) fn certify_undone(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.send(Sent::Signed(wallet(Electrician), scratch.call.clone()?));
	scratch.meter = world.meter_of(&scratch.key?);
	Some(())
}

/// An honest electrician certifies a roof, and the coalition's the same one, with a seal of its own
/// and the key of its second gateway.
pub(super) fn certify_under_two_seals(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	let owner = wallet(Owner);
	world.certify_truly(OUR_NEW_ROOF, 0, HONEST[3], 0, &owner)?;
	let physical = &world.energy.meters[OUR_NEW_ROOF];
	let device = physical.keys[1];
	let (registers, serial) = (physical.at(world.now), serial(&physical.serial));
	let (name, number) = (world.new_name(), world.new_number());
	let call = energy::certify(energy::Terms {
		organisation: 2,
		name,
		device: &device,
		owner: &owner,
		rated_w: RATED_W,
		direction: Direction::Export,
		point: None,
		serial,
		seal: seal(&format!("OTHER-{number}")),
		registers,
		since_ms: world.now,
		valid_until_ms: world.now + DAY,
	});
	world.send(Sent::Signed(wallet(Electrician), call));
	scratch.meter = world.meter_of(&key_of(&device));
	Some(())
}

/// As [`pardon`], by an exchange of the meter for itself.
pub(super) fn pardon_by_exchange(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	let (meter, batch) = (scratch.meter?, scratch.batch.clone()?);
	let new = format!("NEW-SEAL-{}", world.new_number());
	let terms = energy::Exchange {
		organisation: 0,
		name: world.energy.certified.get(&meter)?.name.clone(),
		device: None,
		owner: &wallet(Owner),
		registers: batch.header.closing,
		serial: serial(&world.energy.meters[OUR_ROOF].serial),
		seal: seal(&new),
		valid_until_ms: world.now + DAY,
	};
	let call = energy::exchange(meter, terms);
	world.seal_again(OUR_ROOF, batch.header.closing, new);
	world.send_honest(Sent::Signed(Key::named(HONEST[3]), call));
	world.send(Sent::Free(energy::submit(vec![batch])));
	Some(())
}

//! Organisations, meters, batches, anchors.

use super::{Calls, Strategy::*};
use crate::{
	build::energy::{self, seal, serial},
	chain::{DAY, HOUR, Key, MINUTE, START},
	rng::Rng,
	world::{Role, Sent, World, energy::RATED_W, wallet},
};
use gridproof_primitives::{
	H256,
	energy::{AnchorState, Direction, Registers, Suspension},
};
use pallet_meter_readings::{BatchReference, Call};
use sp_core::ed25519;

pub(super) const CALLS: Calls = &[
	("submit_batches", Make(submit_batches)),
	("register_organisation", Make(register_organisation)),
	("dissolve_organisation", Make(dissolve_organisation)),
	("add_member", Make(add_member)),
	("remove_member", Make(remove_member)),
	("certify_meter", Make(certify_meter)),
	("suspend_meter", Make(suspend_meter)),
	("reinstate_meter", Make(reinstate_meter)),
	("exchange_meter", Make(exchange_meter)),
	("decommission_meter", Make(decommission_meter)),
	("verify_reading", Make(verify_reading)),
	("record_anchor", Make(record_anchor)),
	("set_organisation_standing", Root),
	("set_recorder", Root),
	("set_limits", Root),
	("pause", Root),
	("resume", Root),
	("admit_meter", Make(admit_meter)),
	("set_organisation_admin", Make(set_organisation_admin)),
	("correct_meter", Make(correct_meter)),
];

/// The electrician of the coalition, or somebody who is none.
fn electrician(world: &World, rng: &mut Rng) -> Key {
	if world.has(Role::Electrician) && rng.percent(90) {
		wallet(Role::Electrician)
	} else {
		world.wallet(rng)
	}
}

/// The organisation of the coalition, or another.
fn organisation(rng: &mut Rng) -> u32 {
	rng.pick(&[2, 2, 2, 2, 0, 1, 3])
}

/// Batches of keys that the coalition knows, with as much as passes or more; what sealed devices
/// sign; batches that were there before.
fn submit_batches(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let mut batches = Vec::new();
	for _ in 0..=rng.below(3) {
		let meter = world.our_meter(rng)?;
		let key = world.energy.certified.get(&meter)?.key;
		if rng.percent(10) {
			batches.extend(rng.any(&world.energy.old));
		} else if let Some(pair) = world.energy.known.get(&key).cloned() {
			let end = world.now + rng.pick(&[0, 0, MINUTE, HOUR]);
			let most = energy::most(meter, end).min(900_000_000);
			let wh = rng.pick(&[0, 1, most / 2, most, most + 1, most.saturating_mul(10)]);
			let state =
				pallet_meter_readings::Meters::<gridproof_runtime::Runtime>::get(meter)?.state;
			let registers = state.registers;
			let begin = state.last_end_ms.max(state.floor_ms);
			let opening = rng.percent(50).then_some((begin, registers));
			let closing = Registers {
				import_wh: registers.import_wh,
				export_wh: registers.export_wh.saturating_add(wh),
			};
			batches.extend(energy::batch(meter, &pair, opening, end, closing));
		} else {
			batches.extend(world.true_batch(meter, &key));
		}
	}
	world.energy.old.extend(batches.first().cloned());
	let call = energy::submit(batches);
	Some(if rng.percent(60) { Sent::Free(call) } else { Sent::Signed(world.wallet(rng), call) })
}

fn register_organisation(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let name = b"Another".to_vec().try_into().expect("short");
	Some(Sent::Signed(world.wallet(rng), Call::register_organisation { name }.into()))
}

fn dissolve_organisation(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let organisation = organisation(rng);
	// Seldom its own.
	(organisation != 2 || rng.percent(5)).then(|| {
		Sent::Signed(world.wallet(rng), Call::dissolve_organisation { organisation }.into())
	})
}

fn add_member(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, organisation, who) = (electrician(world, rng), organisation(rng), world.account(rng));
	Some(Sent::Signed(key, Call::add_member { organisation, who }.into()))
}

fn remove_member(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, organisation, who) = (electrician(world, rng), organisation(rng), world.account(rng));
	Some(Sent::Signed(key, Call::remove_member { organisation, who }.into()))
}

/// A key to certify: one without a meter, or a device at a site of the coalition; a time from which
/// on, with the registers of then; a serial number, mostly the one on the plate.
fn device(world: &mut World, rng: &mut Rng) -> (ed25519::Pair, u64, Registers, String) {
	let ours: Vec<usize> = (0..world.energy.meters.len())
		.filter(|meter| world.energy.sites[world.energy.meters[*meter].site].ours)
		.collect();
	let another = format!("ACME-{}", world.new_number() + 100);
	match rng.any(&ours) {
		Some(meter) if rng.percent(60) => {
			let physical = &world.energy.meters[meter];
			let times = physical.times();
			let since = if rng.percent(60) { world.now } else { rng.pick(&times) };
			let key = rng.pick(&physical.keys);
			let serial = if rng.percent(90) { physical.serial.clone() } else { another };
			(key, since, physical.at(since), serial)
		},
		_ => {
			let phantoms: Vec<ed25519::Pair> = world.energy.known.values().cloned().collect();
			let now = world.now;
			let since =
				rng.pick(&[now, now, now - HOUR, now - DAY, START - 3_650 * DAY, 0, now + HOUR]);
			let serial = rng.pick(&[another.clone(), another, "ACME-0".into(), "ACME-2".into()]);
			(rng.pick(&phantoms), since, Registers::default(), serial)
		},
	}
}

fn certify_meter(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, organisation, owner) =
		(electrician(world, rng), organisation(rng), world.wallet(rng));
	let (device, since_ms, registers, number) = device(world, rng);
	let new = format!("S-{}", world.new_number());
	let mut name = world.new_name();
	if rng.percent(20)
		&& let Some(meter) = world.any_meter(rng)
	{
		name = world.energy.certified.get(&meter)?.name.clone();
	}
	let point = format!("POINT-{}", rng.below(8));
	let point = rng.pick(&[None, Some(point)]);
	let call = energy::certify(energy::Terms {
		organisation,
		name,
		device: &device,
		owner: &owner,
		rated_w: rng.pick(&[RATED_W, RATED_W, 1, 0]),
		direction: rng.pick(&[
			Direction::Export,
			Direction::Both,
			Direction::Import,
			Direction::Generation,
		]),
		point,
		serial: serial(&number),
		seal: seal(rng.pick(&[&new[..], &new[..], "SEAL-0", "SEAL-1", ""])),
		registers,
		since_ms,
		valid_until_ms: world.now + rng.pick(&[0, HOUR, 30 * DAY, 31 * DAY]),
	});
	Some(Sent::Signed(key, call))
}

/// As electrician or as owner.
fn keeper(world: &World, rng: &mut Rng, meter: u32) -> Key {
	let owner = world.energy.certified.get(&meter).and_then(|row| world.wallet_of(&row.owner));
	match owner {
		Some(owner) if rng.percent(50) => owner,
		_ => electrician(world, rng),
	}
}

fn suspend_meter(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let meter = world.our_meter(rng)?;
	let reason = rng.pick(&[Suspension::BrokenSeal, Suspension::BrokenSeal, Suspension::LostKey]);
	Some(Sent::Signed(keeper(world, rng, meter), Call::suspend_meter { meter, reason }.into()))
}

fn reinstate_meter(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let is_suspended = |meter: &u32| {
		pallet_meter_readings::Meters::<gridproof_runtime::Runtime>::get(meter)
			.is_some_and(|row| row.suspended.is_some())
	};
	let all: Vec<u32> = world.energy.certified.keys().copied().filter(is_suspended).collect();
	let meter = rng.any(&all)?;
	let new = format!("S-{}", world.new_number());
	let call = Call::reinstate_meter { meter, seal: seal(&new) };
	Some(Sent::Signed(electrician(world, rng), call.into()))
}

fn exchange_meter(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let meter = world.our_meter(rng)?;
	let certified = world.energy.certified.get(&meter)?.clone();
	let export_wh = rng.pick(&[0, 0, 1_000]);
	let registers = Registers { import_wh: 0, export_wh };
	let owner = world.wallet_of(&certified.owner).unwrap_or_else(|| world.wallet(rng));
	let (device, _, _, number) = device(world, rng);
	let seal = seal(&format!("S-{}", world.new_number()));
	let terms = energy::Exchange {
		organisation: organisation(rng),
		name: certified.name,
		device: rng.percent(40).then_some(&device),
		owner: &owner,
		registers,
		serial: serial(&number),
		seal,
		valid_until_ms: world.now + DAY + rng.below(DAY),
	};
	Some(Sent::Signed(electrician(world, rng), energy::exchange(meter, terms)))
}

fn admit_meter(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let meter = world.our_meter(rng)?;
	Some(Sent::Signed(electrician(world, rng), Call::admit_meter { meter }.into()))
}

fn set_organisation_admin(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	// Seldom its own.
	let organisation = organisation(rng);
	let (key, new) = (electrician(world, rng), world.account(rng));
	(organisation != 2 || rng.percent(10))
		.then(|| Sent::Signed(key, Call::set_organisation_admin { organisation, new }.into()))
}

fn decommission_meter(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let meter = world.our_meter(rng)?;
	Some(Sent::Signed(keeper(world, rng, meter), Call::decommission_meter { meter }.into()))
}

fn verify_reading(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let meter = world.any_meter(rng)?;
	let call = Call::verify_reading {
		batch: BatchReference::Recent { meter, sequence: rng.below(2) },
		leaf: b"{}".to_vec().try_into().expect("short"),
		index: 0,
		proof: Default::default(),
	};
	Some(Sent::Signed(world.wallet(rng), call.into()))
}

fn record_anchor(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let key = if world.has(Role::Recorder) && rng.percent(80) {
		wallet(Role::Recorder)
	} else {
		world.wallet(rng)
	};
	let state = rng.pick(&[
		AnchorState::Pending,
		AnchorState::Simulated { txid: H256::repeat_byte(2) },
		AnchorState::Broadcast { txid: H256::repeat_byte(3) },
	]);
	let (meter, sequence) = (world.any_meter(rng)?, rng.below(3));
	let root = rng.pick(&[H256::repeat_byte(1), H256::zero()]);
	Some(Sent::Signed(key, Call::record_anchor { meter, sequence, root, state }.into()))
}

/// As admin, of the coalition's meters or another's.
fn correct_meter(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (meter, wh) = (world.any_meter(rng)?, rng.pick(&[0, 1, 1_000, u64::MAX]));
	Some(Sent::Signed(electrician(world, rng), Call::correct_meter { meter, wh }.into()))
}

//! Named strategies: several calls in the order in which a cheat would send them. Each is cut into
//! stages, between which a plan puts moves of chance and stages of others.

use crate::{
	build::{
		compute::{self, Terms},
		energy::{self, seal, serial},
		reserve,
	},
	chain::{DAY, HOUR, Key, MINUTE, SECOND, START, ed25519_named},
	rng::Rng,
	world::{
		HONEST, Role, Sent, Source, World,
		compute::{KnownJob, honest_coordinator, is_registered, key_of},
		energy::{HONEST_ROOF, OUR_APART, OUR_CIRCLE, OUR_NEW_ROOF, OUR_ROOF, OUR_SERIES, RATED_W},
		wallet,
	},
};
use frame_support::traits::fungibles::Inspect;
use gridproof_primitives::{
	compute::{Class, PartyRole, PriceAsset},
	crypto::ed25519::PublicKey,
	energy::{
		Direction, MAX_RATED_POWER_W, MeterIndex, OrganisationStanding, Registers, SignedBatch,
		Suspension,
	},
};
use gridproof_runtime::{
	AccountId, Assets, CoveragePolicy, Runtime, RuntimeCall,
	constants::{AICP, currency::AIT},
};
use pallet_meter_readings::Meters;
use sp_core::ed25519;
use sp_runtime::DispatchError;

/// What a strategy remembers from stage to stage.
#[derive(Default, Clone)]
pub(crate) struct Scratch {
	jobs: Vec<KnownJob>,
	meter: Option<MeterIndex>,
	key: Option<PublicKey>,
	batch: Option<SignedBatch>,
	call: Option<RuntimeCall>,
}

type Stage = fn(&mut World, &mut Scratch, &mut Rng) -> Option<()>;

pub(crate) struct Strategy {
	pub(crate) name: &'static str,
	/// Roles without which it cannot begin.
	pub(crate) roles: &'static [Role],
	pub(crate) stages: &'static [Stage],
}

use Role::{Client, Coordinator, Electrician, Issuer, Miner, Owner};

pub(crate) const ALL: &[Strategy] = &[
	Strategy {
		name: "self-dealing at price 0",
		roles: &[Coordinator, Miner],
		stages: &[open_at_no_price, deliver_nothing],
	},
	Strategy {
		name: "self-dealing at a price",
		roles: &[Coordinator, Miner],
		stages: &[open_at_a_price, deliver_nothing],
	},
	Strategy {
		name: "backdated certificate",
		roles: &[Electrician],
		stages: &[certify_ten_years, forge_past, forge_past, forge_past],
	},
	Strategy {
		name: "energy of the past of a true meter",
		roles: &[Electrician, Owner],
		stages: &[certify_true_past, wait_an_hour],
	},
	Strategy {
		name: "rated power of a power station",
		roles: &[Electrician],
		stages: &[certify_giant, forge_all],
	},
	Strategy {
		name: "decommissioned and certified again",
		roles: &[Electrician],
		stages: &[
			certify_a_day,
			forge_all,
			certify_once_more,
			forge_all,
			certify_once_more,
			forge_all,
		],
	},
	Strategy {
		name: "exchanged again and again",
		roles: &[Electrician],
		stages: &[certify_a_day, forge_all, exchange, forge_all, exchange, forge_all],
	},
	Strategy {
		name: "true meter certified again",
		roles: &[Electrician, Owner],
		stages: &[certify_true_day, wait_hours, certify_true_again, wait_hours],
	},
	Strategy {
		name: "broken seal after the pardon",
		roles: &[Owner],
		stages: &[break_seal, forge_in_suspension, pardon],
	},
	Strategy {
		name: "revoked and readmitted",
		roles: &[Electrician],
		stages: &[certify_now, revoke, readmit, forge_all],
	},
	Strategy {
		name: "lost key once more",
		roles: &[Electrician],
		stages: &[certify_for_another, steal_key, certify_stolen, wait_an_hour, forge_all],
	},
	Strategy {
		name: "one meter under two certificates",
		roles: &[Owner],
		stages: &[certify_twins, wait_hours, wait_hours],
	},
	Strategy {
		name: "meters in series",
		roles: &[Owner],
		stages: &[certify_series, wait_hours, wait_hours],
	},
	Strategy {
		name: "energy in a circle",
		roles: &[Owner],
		stages: &[certify_circle, wait_hours, wait_hours, wait_hours],
	},
	Strategy {
		name: "battery behind two meters",
		roles: &[Owner],
		stages: &[certify_apart, wait_hours, wait_hours, wait_hours],
	},
	Strategy {
		name: "bundle that loses failures",
		roles: &[Coordinator, Miner],
		stages: &[fail_and_bundle],
	},
	Strategy { name: "cancelled after output", roles: &[Client], stages: &[order, cancel, expire] },
	Strategy {
		name: "reports crowded out",
		roles: &[Coordinator, Miner],
		stages: &[open_at_no_price, crowd_out, report_at_last],
	},
	Strategy {
		name: "left and still there",
		roles: &[Coordinator, Miner],
		stages: &[leave, work_on_and_go],
	},
	Strategy { name: "issuer mints to itself", roles: &[Issuer], stages: &[mint_to_itself] },
	Strategy {
		name: "allowance taken twice",
		roles: &[Issuer],
		stages: &[
			mint_to_itself,
			redeem_most,
			mint_to_itself,
			next_day,
			mint_to_itself,
			mint_to_itself,
		],
	},
	Strategy {
		name: "redemption and own work",
		roles: &[Coordinator, Miner],
		stages: &[redeem_most, open_for_credit, deliver_nothing, redeem_most],
	},
];

/// Waits that much.
fn wait_an_hour(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.pass(HOUR);
	Some(())
}

fn wait_hours(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	for _ in 0..4 {
		world.pass(2 * HOUR);
	}
	Some(())
}

// Compute.

fn open_own(world: &mut World, scratch: &mut Scratch, rng: &mut Rng, terms: Terms) -> Option<()> {
	let coordinator = *world.our_keys(true).first()?;
	let client = world.wallet(rng);
	scratch.jobs.push(world.open(&client, &coordinator, terms)?);
	Some(())
}

fn own_terms(asset: PriceAsset, price: u128) -> Terms {
	Terms { asset, price, units: 1_000_000_000, lasts: DAY, miner: None }
}

fn open_at_no_price(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	open_own(world, scratch, rng, own_terms(PriceAsset::Ait, 0))
}

fn open_at_a_price(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	open_own(world, scratch, rng, own_terms(PriceAsset::Ait, 300 * AIT))
}

fn open_for_credit(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let coordinator = *world.our_keys(true).first()?;
	let client = world.wallets.first()?.clone();
	let credit = <CoveragePolicy as gridproof_primitives::reserve::attestation::ServiceCredit<
		AccountId,
	>>::available(&client.account());
	let terms = own_terms(PriceAsset::ServiceCredit, credit / 2);
	scratch.jobs.push(world.open(&client, &coordinator, terms)?);
	Some(())
}

/// A receipt of work that nobody did.
fn deliver_nothing(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let miner = *world.our_keys(false).first()?;
	let job = scratch.jobs.last()?.clone();
	let coordinator = world.our_coordinator(&job.quote.coordinator)?;
	let receipt = compute::receipt(&job, key_of(&miner), job.quote.max_units, job.quote.price);
	let signed = compute::sign_receipt(receipt, &miner, &coordinator);
	world.send(Sent::Free(compute::claim(vec![signed])));
	Some(())
}

/// Three jobs: two that a miner accepts and lets expire, one that it does. In the block in which
/// the two are overdue, one call has the good receipt and junk for these.
fn fail_and_bundle(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let miner = *world.our_keys(false).first()?;
	for lasts in [DAY, 30 * SECOND, 30 * SECOND] {
		let mut terms = own_terms(PriceAsset::Ait, 0);
		(terms.units, terms.lasts) = (1, lasts);
		open_own(world, scratch, rng, terms)?;
	}
	let coordinator = *world.our_keys(true).first()?;
	for job in scratch.jobs.clone().iter().skip(1) {
		world.send(Sent::Free(compute::assign(job.id, 1, &miner, &coordinator, true, None)));
	}
	world.pass(31 * SECOND);
	let receipts = scratch
		.jobs
		.iter()
		.map(|job| {
			let receipt = compute::receipt(job, key_of(&miner), 1, 0);
			compute::sign_receipt(receipt, &miner, &coordinator)
		})
		.collect();
	world.send(Sent::Signed(world.wallet(rng), compute::claim(receipts)));
	Some(())
}

/// Work of the honest, whose coordinator does not reach the chain for a minute.
fn order(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let terms = own_terms(PriceAsset::Ait, AIT);
	let client = world.wallet(rng);
	scratch.jobs.push(world.open(&client, &honest_coordinator(), terms)?);
	if world.now >= world.away_until {
		world.away_until = world.now + MINUTE;
	}
	world.pass(SECOND);
	cancel(world, scratch, rng)
}

fn cancel(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let job = scratch.jobs.last()?;
	let client = world.wallet_of(&job.quote.client.into())?;
	let call = pallet_compute_receipts::Call::cancel_job { job_id: job.id };
	world.send(Sent::Signed(client, call.into()));
	world.pass(15 * SECOND);
	Some(())
}

fn expire(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let job = scratch.jobs.last()?.id;
	world.send(Sent::Free(compute::expire(vec![job])));
	Some(())
}

/// Sixteen offences of throw-away miners fill what the chain notes of a job.
fn crowd_out(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let job = scratch.jobs.last()?.clone();
	let owner = wallet(Miner);
	for number in 0..8 {
		let pair: ed25519::Pair = ed25519_named(&format!("throw-away/{number}"));
		if !is_registered(&key_of(&pair)) {
			let call = compute::register(&owner.account(), &pair, PartyRole::Miner(Class::Cpu));
			world.send(Sent::Signed(owner.clone(), call));
			world.compute.keys.push(pair);
		}
		for evidence in [compute::two_receipts(&job, &pair), compute::above_quote(&job, &pair)] {
			world.send(Sent::Signed(owner.clone(), compute::report(evidence)));
		}
	}
	Some(())
}

/// The coordinator contradicts itself, and somebody honest proves it.
fn report_at_last(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let job = scratch.jobs.last()?.clone();
	let coordinator = world.our_coordinator(&job.quote.coordinator)?;
	let miner = *world.our_keys(false).first()?;
	let evidence = compute::two_outcomes(&job, key_of(&miner), &coordinator);
	let reporter = Key::named(HONEST[7]);
	let outcome = world.send_honest(Sent::Signed(reporter, compute::report(evidence)));
	let full = pallet_compute_receipts::Error::<Runtime>::MaxReportsExceeded;
	if outcome == crate::chain::Outcome::Failed(DispatchError::from(full)) {
		world.blame(Source::ReportRefused, 1);
	}
	Some(())
}

/// The second miner leaves, and waits until its bond is free.
fn leave(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let key = key_of(&world.compute.keys[2]);
	world.send(Sent::Signed(wallet(Miner), pallet_compute_receipts::Call::leave { key }.into()));
	world.pass(8 * DAY);
	Some(())
}

/// It has a receipt settled all the same, cheats, and takes its bond before that is reported.
fn work_on_and_go(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let miner = world.compute.keys[2];
	open_own(world, scratch, rng, own_terms(PriceAsset::Ait, 0))?;
	let job = scratch.jobs.last()?.clone();
	let coordinator = world.our_coordinator(&job.quote.coordinator)?;
	let receipt = compute::receipt(&job, key_of(&miner), 1_000, 0);
	let signed = compute::sign_receipt(receipt, &miner, &coordinator);
	if !world.send(Sent::Free(compute::claim(vec![signed]))).is_done() {
		return None;
	}
	world.pass(HOUR);
	let key = key_of(&miner);
	let call = pallet_compute_receipts::Call::withdraw { key };
	world.send(Sent::Signed(wallet(Miner), call.into()));
	let evidence = compute::report(compute::two_receipts(&job, &miner));
	let outcome = world.send_honest(Sent::Signed(Key::named(HONEST[7]), evidence));
	let unknown = pallet_compute_receipts::Error::<Runtime>::UnknownParty;
	if outcome == crate::chain::Outcome::Failed(DispatchError::from(unknown)) {
		world.blame(Source::BondEscaped, 1);
	}
	Some(())
}

// Energy.

/// A key without a meter, and which number it has.
fn phantom(world: &World, rng: &mut Rng) -> Option<ed25519::Pair> {
	let free: Vec<ed25519::Pair> = world
		.energy
		.known
		.values()
		.filter(|pair| world.meter_of(&key_of(pair)).is_none())
		.cloned()
		.collect();
	rng.any(&free)
}

fn certify_phantom(
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

fn certify_ten_years(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	certify_phantom(world, scratch, rng, START - 3_650 * DAY, RATED_W)
}

fn certify_giant(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	for rated_w in [u32::MAX, MAX_RATED_POWER_W + 1, MAX_RATED_POWER_W] {
		certify_phantom(world, scratch, rng, world.now - HOUR, rated_w)?;
		if scratch.meter.is_some() {
			break;
		}
	}
	Some(())
}

fn certify_a_day(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	certify_phantom(world, scratch, rng, world.now - DAY, RATED_W)
}

fn certify_now(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	certify_phantom(world, scratch, rng, world.now, RATED_W)
}

/// Decommissions, and sends the very same certification again.
fn certify_once_more(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let meter = scratch.meter?;
	let electrician = wallet(Electrician);
	let call = pallet_meter_readings::Call::decommission_meter { meter };
	world.send(Sent::Signed(electrician.clone(), call.into()));
	world.send(Sent::Signed(electrician, scratch.call.clone()?));
	scratch.meter = world.meter_of(&scratch.key?);
	Some(())
}

/// As much as passes, since the last batch, or since somebody vouches for the meter.
fn forged(world: &World, meter: MeterIndex, vouched: bool) -> Option<SignedBatch> {
	let row = Meters::<Runtime>::get(meter)?;
	let pair = world.energy.known.get(&row.device)?;
	let most = energy::most(meter, world.now).min(999_000_000);
	let registers = row.state.registers;
	let since = row.state.last_end_ms.max(row.state.floor_ms);
	let closing =
		Registers { import_wh: registers.import_wh, export_wh: registers.export_wh + most };
	energy::batch(meter, pair, vouched.then_some((since, registers)), world.now, closing)
}

fn forge_all(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let batch = forged(world, scratch.meter?, rng.percent(50))?;
	world.send(Sent::Free(energy::submit(vec![batch])));
	Some(())
}

/// The meter begins at 0 once more, with the same key: one that is there takes no consent.
fn exchange(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
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
fn forge_past(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
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
fn certify_true_past(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	certify_true(world, scratch, 0, START - 365 * DAY)
}

/// A true meter, certified with its register of yesterday.
fn certify_true_day(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	certify_true(world, scratch, 0, world.now - DAY)
}

/// It is decommissioned, and certified from then on once more, with the key of its second gateway.
fn certify_true_again(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let meter = scratch.meter?;
	let call = pallet_meter_readings::Call::decommission_meter { meter };
	world.send(Sent::Signed(wallet(Electrician), call.into()));
	certify_true(world, scratch, 1, world.now - DAY)
}

fn certify_true(
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

fn break_seal(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
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
fn forge_in_suspension(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let batch = forged(world, scratch.meter?, false)?;
	world.send(Sent::Free(energy::submit(vec![batch.clone()])));
	scratch.batch = Some(batch);
	Some(())
}

/// The honest electrician seals and reinstates; the batch of before is sent once more.
fn pardon(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let (meter, batch) = (scratch.meter?, scratch.batch.clone()?);
	let new = format!("NEW-SEAL-{}", world.new_number());
	let seal = seal(&new);
	world.seal_again(OUR_ROOF, batch.header.closing, new);
	let call = pallet_meter_readings::Call::reinstate_meter { meter, seal };
	world.send_honest(Sent::Signed(Key::named(HONEST[3]), call.into()));
	world.send(Sent::Free(energy::submit(vec![batch])));
	Some(())
}

fn standing(world: &mut World, standing: OrganisationStanding) {
	let call = pallet_meter_readings::Call::set_organisation_standing { organisation: 2, standing };
	world.governance(call.into());
}

fn revoke(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	standing(world, OrganisationStanding::Revoked);
	world.pass(3 * DAY);
	Some(())
}

fn readmit(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	standing(world, OrganisationStanding::Admitted);
	Some(())
}

/// An honest owner has its roof certified by the coalition's electrician.
fn certify_for_another(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let owner = Key::named(HONEST[5]);
	let physical = &world.energy.meters[HONEST_ROOF];
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
fn steal_key(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let meter = scratch.meter?;
	let call = pallet_meter_readings::Call::suspend_meter { meter, reason: Suspension::LostKey };
	world.send_honest(Sent::Signed(Key::named(HONEST[5]), call.into()));
	world.break_seal(HONEST_ROOF, Suspension::LostKey, HONEST[5]);
	world.secure(meter);
	Some(())
}

/// The same certification, whose consent was used already, with the key that is lost.
fn certify_stolen(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	certify_once_more(world, scratch, rng)
}

fn certify_twins(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let owner = wallet(Owner);
	world.certify_truly(OUR_NEW_ROOF, 0, HONEST[3], 0, &owner);
	world.certify_truly(OUR_NEW_ROOF, 1, HONEST[4], 1, &owner);
	Some(())
}

fn certify_series(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let owner = wallet(Owner);
	world.certify_truly(OUR_SERIES[0], 0, HONEST[3], 0, &owner);
	world.certify_truly(OUR_SERIES[1], 0, HONEST[4], 1, &owner);
	Some(())
}

fn certify_apart(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let owner = wallet(Owner);
	world.certify_truly(OUR_APART[0], 0, HONEST[3], 0, &owner);
	world.certify_truly(OUR_APART[1], 0, HONEST[3], 0, &owner);
	Some(())
}

fn certify_circle(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let owner = wallet(Owner);
	for physical in OUR_CIRCLE {
		world.certify_truly(physical, 0, HONEST[3], 0, &owner);
	}
	Some(())
}

// Reserve.

fn mint_to_itself(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let allowance = CoveragePolicy::allowance();
	for amount in [allowance, allowance, 1] {
		world.send(Sent::Signed(wallet(Issuer), reserve::mint(amount)));
	}
	Some(())
}

fn next_day(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.pass(DAY);
	Some(())
}

/// As much as the limit of a day allows, by every wallet, from hand to hand.
fn redeem_most(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	for key in world.wallets.clone() {
		let balance = <Assets as Inspect<AccountId>>::balance(AICP, &key.account());
		let limit = pallet_coverage_policy::Parameters::<Runtime>::get().redemption.daily_limit;
		world.send(Sent::Signed(key, reserve::redeem(balance.min(limit))));
	}
	Some(())
}

/// Whether a coalition of these roles can begin with it.
pub(crate) fn is_open_to(strategy: &Strategy, roles: &std::collections::BTreeSet<Role>) -> bool {
	strategy.roles.iter().all(|role| roles.contains(role))
}

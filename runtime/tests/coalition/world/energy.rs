//! Energy: sites with what truly flows through their meters, sealed devices that sign nothing but
//! that, and honest electricians.
//!
//! Nobody knows the key of a sealed device. A coalition with an electrician can certify keys behind
//! which there is no meter: what the chain lets these state is bounded by rated power × time, which
//! is what an electrician's word is worth (DESIGN §7), so that much is due to it and no more.

use super::{Role, Sent, Source, World, limits::Minted};
use crate::{
	build::energy::{Terms, WATT_MILLIS_PER_WH, batch, certify, seal, serial, submit},
	chain::{DAY, HOUR, Key, MINUTE, START, ed25519_named},
	rng::Rng,
};
use gridproof_primitives::{
	crypto::ed25519::PublicKey,
	energy::{
		Direction, MeterIndex, MeterName, OrganisationStanding, Registers, SignedBatch, Suspension,
	},
};
use gridproof_runtime::{AccountId, MeterReadings, Runtime, constants::KWH};
use pallet_meter_readings::{Call, Certificates, Event, MeterPoints, Meters, Organisations};
use sp_core::{Pair, ed25519};
use std::collections::BTreeMap;

/// Power of every meter here, in W.
pub(crate) const RATED_W: u32 = 10_000;
/// Rated power above which no certificate is believed, in W.
const PLAUSIBLE_W: u32 = 100_000_000;
/// Time before a certificate from which it may begin: a day, and an hour on its way.
const BACKDATE: u64 = DAY + HOUR;

/// What flows through the meters of a site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flow {
	/// A roof: one export meter.
	Roof,
	/// A roof behind its own meter, whose house uses four fifths: two meters in series.
	Series,
	/// A battery that passes energy to the next site and back: one meter of both directions.
	Circle {
		/// Whether it is this site's turn to deliver in the even ones of every two hours.
		even: bool,
	},
	/// A battery that the neighbours fill and that delivers to them: one meter for each direction.
	Apart,
	/// The same behind a small roof, whose generation is metered: what it makes is due, not more.
	Pumped,
}

pub(crate) struct Site {
	pub(crate) ours: bool,
	pub(crate) flow: Flow,
	/// Meters of it, the one at the grid last.
	meters: Vec<usize>,
	/// Wh fed in, net of those drawn, while somebody vouched; the highest value so far.
	net: i128,
	best: i128,
	/// Wh fed in within 25 hours before its certificates, while nobody vouched.
	before: i128,
	/// Time until which that is counted already, in UTC milliseconds.
	counted: u64,
	/// Wh fed in, net, in all its life.
	life: Vec<(u64, i128)>,
}

/// A meter with a sealed device, that several gateways may read.
pub(crate) struct Physical {
	pub(crate) site: usize,
	/// Its place among the meters of its site, from 0.
	place: usize,
	/// Keys of the device and of a second gateway.
	pub(crate) keys: Vec<ed25519::Pair>,
	pub(crate) sealed: bool,
	/// What is on its plate.
	pub(crate) serial: String,
	pub(crate) seal: String,
	/// Registers at times, in order.
	history: Vec<(u64, Registers)>,
}

impl Physical {
	pub(crate) fn at(&self, time: u64) -> Registers {
		let before = self.history.iter().rev().find(|(then, _)| *then <= time);
		before.map_or(Registers::default(), |(_, registers)| *registers)
	}

	/// Times of which the device has published its registers.
	pub(crate) fn times(&self) -> Vec<u64> {
		self.history.iter().map(|(time, _)| *time).collect()
	}
}

/// What is behind a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Thing {
	Physical(usize),
	/// No meter at all.
	Phantom(PublicKey),
}

#[derive(Default)]
struct Standing {
	first_certified: Option<u64>,
	/// Time since which nobody vouches for it.
	since: Option<u64>,
	gaps: Vec<(u64, u64)>,
	minted: Vec<(u64, u64)>,
	vouched: u64,
	rated_w: u32,
	/// Wh minted for it, and by how many that was above an electrician's word at any time.
	total: u128,
	excess: u128,
}

impl Standing {
	/// What an electrician's word is worth until now, in Wh, for a key without a meter: rated power
	/// × time with the tolerance of a batch, a minute by which clocks differ, and a Wh for each batch,
	/// which shows floors.
	fn word(&self) -> u128 {
		let time = u128::from(self.vouched + MINUTE);
		let batches = u128::try_from(self.minted.len()).expect("few");
		let watt_millis = u128::from(self.rated_w) * time * 11 / 10;
		watt_millis / u128::from(WATT_MILLIS_PER_WH) + batches
	}
}

/// A meter as the chain knows it.
#[derive(Clone)]
pub(crate) struct Certified {
	pub(crate) key: PublicKey,
	pub(crate) owner: AccountId,
	pub(crate) name: MeterName,
	account: AccountId,
	thing: Thing,
}

pub(crate) struct Truth {
	pub(crate) sites: Vec<Site>,
	pub(crate) meters: Vec<Physical>,
	/// Keys that the coalition can sign with.
	pub(crate) known: BTreeMap<PublicKey, ed25519::Pair>,
	/// Meters in service.
	pub(crate) certified: BTreeMap<MeterIndex, Certified>,
	things: BTreeMap<Thing, Standing>,
	/// Batches of the coalition's meters, which anybody can send again.
	pub(crate) old: Vec<SignedBatch>,
	/// The move that certified or pardoned the meter of a key last.
	culprits: BTreeMap<PublicKey, &'static str>,
	names: u64,
	/// Meter whose batches its owner keeps back.
	pub(crate) withheld: Option<MeterIndex>,
	/// What was minted, to be compared with limits.
	pub(super) minted: Minted,
}

/// Roof of an honest owner that nobody has certified yet.
pub(crate) const HONEST_ROOF: usize = 1;
/// Meters of the coalition's sites, if it has an owner: a roof that an honest electrician has
/// certified, one that nobody has, two in series, two batteries that pass energy to each other, one with a
/// meter for each direction, and one with a third meter for what is made behind it.
pub(crate) const OUR_ROOF: usize = 2;
pub(crate) const OUR_NEW_ROOF: usize = 3;
pub(crate) const OUR_SERIES: [usize; 2] = [4, 5];
pub(crate) const OUR_CIRCLE: [usize; 2] = [6, 7];
pub(crate) const OUR_APART: [usize; 2] = [8, 9];
pub(crate) const OUR_PUMPED: [usize; 3] = [10, 11, 12];

/// Number of the coalition's organisation, if it has an electrician.
const OUR_ORGANISATION: u32 = 2;

/// Number of keys without a meter that a coalition can use.
const PHANTOMS: u32 = 8;

impl Truth {
	pub(crate) fn new(roles: &std::collections::BTreeSet<Role>) -> Self {
		let mut truth = Self {
			sites: Vec::new(),
			meters: Vec::new(),
			known: BTreeMap::new(),
			certified: BTreeMap::new(),
			things: BTreeMap::new(),
			old: Vec::new(),
			culprits: BTreeMap::new(),
			names: 0,
			withheld: None,
			minted: Minted::default(),
		};
		truth.add_site(false, Flow::Roof);
		truth.add_site(false, Flow::Roof);
		if roles.contains(&Role::Owner) {
			truth.add_site(true, Flow::Roof);
			truth.add_site(true, Flow::Roof);
			truth.add_site(true, Flow::Series);
			truth.add_site(true, Flow::Circle { even: true });
			truth.add_site(true, Flow::Circle { even: false });
			truth.add_site(true, Flow::Apart);
			truth.add_site(true, Flow::Pumped);
		}
		for number in 0..PHANTOMS {
			let pair = ed25519_named(&format!("phantom/{number}"));
			truth.known.insert(pair.public().0, pair);
		}
		truth
	}

	fn add_site(&mut self, ours: bool, flow: Flow) {
		let site = self.sites.len();
		let count = match flow {
			Flow::Roof | Flow::Circle { .. } => 1,
			Flow::Series | Flow::Apart => 2,
			Flow::Pumped => 3,
		};
		let meters: Vec<usize> = (self.meters.len()..).take(count).collect();
		for (place, number) in meters.iter().enumerate() {
			let key = |gateway: u32| ed25519_named(&format!("device/{number}/{gateway}"));
			self.meters.push(Physical {
				site,
				place,
				keys: vec![key(0), key(1)],
				sealed: true,
				serial: format!("ACME-{number}"),
				seal: format!("SEAL-{number}"),
				history: Vec::new(),
			});
		}
		self.sites.push(Site {
			ours,
			flow,
			meters,
			net: 0,
			best: 0,
			before: 0,
			counted: 0,
			life: Vec::new(),
		});
		// Ten years before the chain.
		let mut then = START - 3_650 * DAY;
		let hours = (0..=30).rev().map(|hour| START - hour * HOUR);
		for next in [START - 365 * DAY, START - 30 * DAY].into_iter().chain(hours) {
			self.flow_of(site, then, next - then, false);
			then = next;
		}
	}

	fn wh(time: u64, percent: u64) -> u64 {
		let millis = u128::from(RATED_W) * u128::from(time) * u128::from(percent) / 100;
		u64::try_from(millis / u128::from(WATT_MILLIS_PER_WH)).expect("few years")
	}

	/// Energy flows for that time after `then`.
	fn flow_of(&mut self, site: usize, then: u64, time: u64, turn: bool) {
		let sun = Self::wh(time, 40);
		let flow = self.sites[site].flow;
		let circles = then >= START;
		let (drawn, delivered) = (Self::wh(time, 95), Self::wh(time, 90));
		let energies: Vec<(u64, u64)> = match flow {
			Flow::Roof => vec![(0, sun)],
			Flow::Series => vec![(0, sun), (0, sun / 5)],
			Flow::Circle { .. } if !circles => vec![(0, 0)],
			Flow::Circle { even } if even == turn => vec![(0, delivered)],
			Flow::Circle { .. } => vec![(drawn, 0)],
			Flow::Apart if !circles => vec![(0, 0), (0, 0)],
			Flow::Apart if turn => vec![(0, 0), (0, delivered)],
			Flow::Apart => vec![(drawn, 0), (0, 0)],
			Flow::Pumped if !circles => vec![(0, 0), (0, 0), (0, 0)],
			Flow::Pumped if turn => vec![(0, sun / 10), (0, 0), (0, delivered)],
			Flow::Pumped => vec![(0, sun / 10), (drawn, 0), (0, 0)],
		};
		let meters = self.sites[site].meters.clone();
		for (meter, (import, export)) in meters.iter().zip(&energies) {
			let physical = &mut self.meters[*meter];
			let last = physical.history.last().map_or(Registers::default(), |(_, last)| *last);
			let next = Registers {
				import_wh: last.import_wh + import,
				export_wh: last.export_wh + export,
			};
			if physical.history.is_empty() {
				physical.history.push((then, last));
			}
			physical.history.push((then + time, next));
		}
		let through = |(import, export): &(u64, u64)| i128::from(*export) - i128::from(*import);
		let net: i128 = match flow {
			// Both are at the grid.
			Flow::Apart => energies.iter().map(through).sum(),
			// As long as a meter counts what is made there, no more than that can be fed in; else, as with
			// any battery, what is delivered net of what is drawn.
			Flow::Pumped => {
				let (made, grid) = energies.split_first().expect("a meter behind it");
				let counts = |meter: &Certified| meter.thing == Thing::Physical(meters[0]);
				if self.certified.values().any(counts) {
					through(made)
				} else {
					grid.iter().map(through).sum()
				}
			},
			_ => energies.last().map(through).expect("a meter at the grid"),
		};
		let vouched = self.sites[site].meters.iter().any(|meter| {
			let standing = self.things.get(&Thing::Physical(*meter));
			standing.is_some_and(|standing| {
				standing.first_certified.is_some() && standing.since.is_none()
			})
		});
		let certified = self.sites[site]
			.meters
			.iter()
			.any(|meter| self.things.contains_key(&Thing::Physical(*meter)));
		let site = &mut self.sites[site];
		if site.life.is_empty() {
			site.life.push((then, 0));
		}
		let life = site.life.last().map_or(0, |(_, life)| *life) + net;
		site.life.push((then + time, life));
		if vouched || (certified && net < 0) {
			site.net += net;
			site.best = site.best.max(site.net);
			site.counted = then + time;
		}
	}

	fn thing(&self, key: &PublicKey) -> Thing {
		let of = |physical: &Physical| physical.keys.iter().any(|pair| pair.public().0 == *key);
		self.meters.iter().position(of).map_or(Thing::Phantom(*key), Thing::Physical)
	}

	/// Whether no meter is behind this key.
	pub(crate) fn is_phantom(&self, key: &PublicKey) -> bool {
		matches!(self.thing(key), Thing::Phantom(_))
	}

	/// What an honest electrician certifies of a meter: its direction, and the metering point where other
	/// meters are that have to be netted with it.
	fn truly(&self, physical: usize) -> (Direction, Option<String>) {
		let meter = &self.meters[physical];
		let point = format!("POINT-{}", meter.site);
		match self.sites[meter.site].flow {
			Flow::Circle { .. } => (Direction::Both, None),
			Flow::Roof => (Direction::Export, None),
			Flow::Apart if meter.place == 0 => (Direction::Import, Some(point)),
			Flow::Pumped if meter.place == 1 => (Direction::Import, Some(point)),
			Flow::Series | Flow::Pumped if meter.place == 0 => (Direction::Generation, Some(point)),
			Flow::Series | Flow::Apart | Flow::Pumped => (Direction::Export, Some(point)),
		}
	}

	/// What a certificate vouches for. With a serial number that is not on the meter's plate, at another
	/// metering point than its own, or without the meters that have to be netted with it, it is an
	/// electrician's word and no more, as for a key without a meter.
	fn certified_thing(&self, meter: MeterIndex, key: &PublicKey) -> Thing {
		let thing = self.thing(key);
		let Some(certified) = Certificates::<Runtime>::get(meter) else { return thing };
		let certificate = certified.certificate;
		let point = MeterPoints::<Runtime>::get(meter);
		let point = point.map(|id| String::from_utf8_lossy(&id).to_string());
		match thing {
			Thing::Physical(physical) => {
				let (direction, at) = self.truly(physical);
				let site = &self.sites[self.meters[physical].site];
				let before = site.meters.iter().take_while(|other| **other != physical);
				let is_served = |other: &usize| {
					self.certified.values().any(|row| row.thing == Thing::Physical(*other))
				};
				let is_true = *certificate.serial == *self.meters[physical].serial.as_bytes()
					&& (at.is_none() || (at, direction) == (point, certificate.direction))
					&& before.into_iter().all(is_served);
				if is_true { thing } else { Thing::Phantom(*key) }
			},
			thing => thing,
		}
	}
}

impl World {
	pub(crate) fn set_up_energy(&mut self) {
		for pair in self.energy.known.values() {
			self.spendable.insert(pair.public().0.into());
		}
		self.certify_truly(0, 0, "honest/electrician", 0, &Key::named("honest/owner"));
		if self.has(Role::Owner) {
			let owner = super::wallet(Role::Owner);
			self.certify_truly(OUR_ROOF, 0, "honest/electrician", 0, &owner);
		}
	}

	/// A name that no meter has.
	pub(crate) fn new_name(&mut self) -> MeterName {
		self.energy.names += 1;
		MeterName::new("SITE", "gw", &format!("MTR-{}", self.energy.names)).expect("a name")
	}

	/// A number that no seal and no meter has.
	pub(crate) fn new_number(&mut self) -> u64 {
		self.energy.names += 1;
		self.energy.names
	}

	/// An honest electrician certifies what it sees: the meter's registers, from now on.
	pub(crate) fn certify_truly(
		&mut self,
		physical: usize,
		gateway: usize,
		electrician: &str,
		organisation: u32,
		owner: &Key,
	) -> Option<MeterIndex> {
		let meter = &self.energy.meters[physical];
		let (direction, point) = self.energy.truly(physical);
		let (device, registers) = (meter.keys[gateway], meter.at(self.now));
		let (serial, seal) = (serial(&meter.serial), seal(&meter.seal));
		let name = self.new_name();
		let call = certify(Terms {
			organisation,
			name,
			device: &device,
			owner,
			rated_w: RATED_W,
			direction,
			point,
			serial,
			seal,
			registers,
			since_ms: self.now,
			valid_until_ms: self.now + DAY,
		});
		let outcome = self.send_honest(Sent::Signed(Key::named(electrician), call));
		outcome.is_done().then(|| self.meter_of(&device.public().0)).flatten()
	}

	pub(crate) fn meter_of(&self, key: &PublicKey) -> Option<MeterIndex> {
		let found = self.energy.certified.iter().find(|(_, meter)| meter.key == *key);
		found.map(|(index, _)| *index)
	}

	/// Time passes through all meters.
	pub(crate) fn flow(&mut self, time: u64) {
		let turn = ((self.now - time) / (2 * HOUR)).is_multiple_of(2);
		for site in 0..self.energy.sites.len() {
			self.energy.flow_of(site, self.now - time, time, turn);
		}
		for standing in self.energy.things.values_mut() {
			if standing.since.is_none() {
				standing.vouched += time;
			}
		}
	}

	/// Every sealed device has its next batch sent, at most once in a quarter of an hour.
	pub(crate) fn honest_energy(&mut self) {
		let meters: Vec<_> =
			self.energy.certified.iter().map(|(index, meter)| (*index, meter.key)).collect();
		for (index, key) in meters {
			if self.energy.withheld == Some(index) {
				continue;
			}
			if let Some(batch) = self.true_batch(index, &key) {
				let outcome = self.send_honest(Sent::Free(submit(vec![batch.clone()])));
				if outcome.is_done() && self.energy.old.len() < 64 {
					self.energy.old.push(batch);
				}
			}
		}
	}

	/// What the device behind this key signs: its registers, from where the chain's last batch ends,
	/// if these are the ones it showed then; or from the time since which somebody vouches for it.
	pub(crate) fn true_batch(&self, index: MeterIndex, key: &PublicKey) -> Option<SignedBatch> {
		let row = Meters::<Runtime>::get(index)?;
		let Thing::Physical(physical) = self.energy.thing(key) else { return None };
		let physical = &self.energy.meters[physical];
		let admitted = Organisations::<Runtime>::get(row.organisation)
			.is_some_and(|row| row.standing == OrganisationStanding::Admitted);
		let since = Organisations::<Runtime>::get(row.organisation)?.admitted_ms;
		let (last_end, before) = (row.state.last_end_ms, row.state.registers);
		let start = last_end.max(row.state.floor_ms).max(since);
		let opening = physical.at(start);
		let continues = if start == last_end {
			opening == before
		} else {
			opening.import_wh >= before.import_wh && opening.export_wh >= before.export_wh
		};
		if !physical.sealed
			|| row.suspended.is_some()
			|| !row.mints
			|| !admitted
			|| self.now < start + 15 * MINUTE
			|| !continues
		{
			return None;
		}
		let pair = physical.keys.iter().find(|pair| pair.public().0 == *key)?;
		batch(index, pair, Some((start, opening)), self.now, physical.at(self.now))
	}

	/// Whether somebody vouches for this thing now.
	fn vouched(&self, thing: Thing) -> bool {
		self.energy.certified.iter().any(|(index, certified)| {
			certified.thing == thing
				&& Meters::<Runtime>::get(index).is_some_and(|row| {
					row.suspended.is_none()
						&& Organisations::<Runtime>::get(row.organisation).is_some_and(
							|organisation| organisation.standing == OrganisationStanding::Admitted,
						)
				})
		})
	}

	fn note_standing(&mut self) {
		let things: Vec<Thing> = self.energy.things.keys().copied().collect();
		for thing in things {
			let (vouched, now) = (self.vouched(thing), self.now);
			let Some(standing) = self.energy.things.get_mut(&thing) else { continue };
			match (vouched, standing.since) {
				(true, Some(since)) => {
					standing.gaps.push((since, now));
					standing.since = None;
				},
				(false, None) => standing.since = Some(now),
				_ => {},
			}
		}
	}

	pub(crate) fn observe_energy(&mut self, event: Event<Runtime>) {
		match event {
			Event::MeterCertified { meter, name, owner, device, energy_account, .. } => {
				self.note_certified(meter, name, owner, device, energy_account);
				self.note_standing();
			},
			Event::MeterExchanged { meter, device, energy_account, .. } => {
				let thing = self.energy.certified_thing(meter, &device);
				if let Some(certified) = self.energy.certified.get_mut(&meter) {
					certified.key = device;
					certified.thing = thing;
					certified.account = energy_account.clone();
					if self.spendable.contains(&certified.owner)
						|| self.energy.known.contains_key(&device)
					{
						self.spendable.insert(energy_account);
					}
				}
				self.note_thing(meter, thing, 0);
				self.note_standing();
			},
			Event::MeterDecommissioned { meter, .. } => {
				self.energy.certified.remove(&meter);
				self.note_standing();
			},
			Event::MeterReinstated { meter, .. } => {
				if let Some(certified) = self.energy.certified.get(&meter) {
					self.energy.culprits.insert(certified.key, self.label);
				}
				self.note_standing();
			},
			Event::OrganisationStandingSet { organisation, .. } => {
				for (meter, certified) in &self.energy.certified {
					if Meters::<Runtime>::get(meter)
						.is_some_and(|row| row.organisation == organisation)
					{
						self.energy.culprits.insert(certified.key, self.label);
					}
				}
				self.note_standing();
			},
			Event::MeterSuspended { .. } => self.note_standing(),
			Event::BatchAccepted { meter, sequence, minted, .. } => {
				self.note_batch(meter, sequence, minted);
			},
			_ => {},
		}
	}

	fn note_certified(
		&mut self,
		meter: MeterIndex,
		name: MeterName,
		owner: AccountId,
		device: PublicKey,
		account: AccountId,
	) {
		if self.is_ours(&owner) || self.energy.known.contains_key(&device) {
			self.spendable.insert(account.clone());
		}
		let thing = self.energy.certified_thing(meter, &device);
		self.energy.culprits.insert(device, self.label);
		let certified = Certified { key: device, owner, name, account, thing };
		self.energy.certified.insert(meter, certified);
		// It may begin that long before it is made, if it says so.
		let since = Meters::<Runtime>::get(meter).map_or(self.now, |row| row.state.last_end_ms);
		self.note_thing(meter, thing, BACKDATE.min(self.now - since));
	}

	/// A certificate begins that long before it is made: so much is due.
	fn note_thing(&mut self, meter: MeterIndex, thing: Thing, backdate: u64) {
		let now = self.now;
		let rated_w = Meters::<Runtime>::get(meter).map_or(0, |row| row.state.rated_power_w);
		let standing = self.energy.things.entry(thing).or_default();
		standing.rated_w = standing.rated_w.max(rated_w.min(PLAUSIBLE_W));
		let first = standing.first_certified.is_none();
		standing.first_certified.get_or_insert(now);
		let from = match standing.since {
			None if !first => return,
			since => since.unwrap_or(0).max(now - backdate),
		};
		match thing {
			Thing::Phantom(_) => standing.vouched += now - from,
			Thing::Physical(physical) => {
				let site = &mut self.energy.sites[self.energy.meters[physical].site];
				let at = |time: u64| {
					let before = site.life.iter().rev().find(|(then, _)| *then <= time);
					before.map_or(0, |(_, life)| *life)
				};
				let from = from.max(site.counted);
				site.before += (at(now) - at(from)).max(0);
				site.counted = now;
			},
		}
	}

	/// Looks at energy that was minted to the coalition: where does it come from?
	fn note_batch(&mut self, meter: MeterIndex, sequence: u64, minted: u64) {
		let Some(certified) = self.energy.certified.get(&meter).cloned() else { return };
		let Some(record) = MeterReadings::batch(meter, sequence) else { return };
		let (start, end) = (record.header.start_ms, record.header.end_ms);
		let thing = certified.thing;
		let Some(standing) = self.energy.things.get(&thing) else { return };
		let overlaps = |(from, to): &(u64, u64)| *from < end && start < *to;
		let mut found = Vec::new();
		if standing.first_certified.is_some_and(|first| start + BACKDATE < first) {
			found.push(Source::BeforeCertificate);
		}
		if standing.minted.iter().any(overlaps) {
			found.push(Source::SameEnergyTwice);
		}
		if standing.gaps.iter().any(overlaps) {
			found.push(Source::Unvouched);
		}
		if minted > 0 {
			self.note_limits(meter, minted);
		}
		let Some(standing) = self.energy.things.get_mut(&thing) else { return };
		if minted > 0 {
			standing.minted.push((start, end));
			standing.total += u128::from(minted);
			standing.excess = standing.excess.max(standing.total.saturating_sub(standing.word()));
		}
		let rated_w = Meters::<Runtime>::get(meter).map_or(0, |row| row.state.rated_power_w);
		if rated_w > PLAUSIBLE_W {
			found.push(Source::RatedPower);
		}
		if let Thing::Physical(physical) = thing {
			let site = &self.energy.sites[self.energy.meters[physical].site];
			if site.flow != Flow::Roof {
				found.push(Source::NotFedIn);
			}
			if !site.ours {
				found.push(Source::AnothersEnergy);
			}
		}
		if self.is_ours(&certified.account) {
			for source in found {
				self.blame_energy(source, &certified, minted.into());
			}
		}
	}

	/// Honest devices send batches too: the blame is on the move that certified or pardoned.
	fn blame_energy(&mut self, source: Source, certified: &Certified, amount: u128) {
		let label = if self.label == "honest" {
			self.energy.culprits.get(&certified.key).copied().unwrap_or("honest")
		} else {
			self.label
		};
		self.blame_on(source, label, amount);
	}

	/// KWH that the coalition may have, in Wh.
	pub(crate) fn energy_due(&self) -> u128 {
		let ours = self.energy.sites.iter().filter(|site| site.ours);
		let fed: i128 = ours.map(|site| site.best.max(0) + site.before.max(0)).sum();
		let words: u128 = self
			.energy
			.things
			.iter()
			.filter(|(thing, _)| matches!(thing, Thing::Phantom(_)))
			.map(|(_, standing)| standing.total - standing.excess)
			.sum();
		u128::try_from(fed).unwrap_or(0) + words
	}

	/// A seal is broken: the coalition can read the device's key, and the honest electrician, who
	/// sees it, suspends the meter.
	pub(crate) fn break_seal(&mut self, physical: usize, reason: Suspension, electrician: &str) {
		let device = &mut self.energy.meters[physical];
		device.sealed = false;
		let pair = device.keys[0];
		let key = pair.public().0;
		if let Some(meter) = self.meter_of(&key) {
			let call = Call::suspend_meter { meter, reason }.into();
			let _ = self.send_honest(Sent::Signed(Key::named(electrician), call));
		}
		self.energy.known.insert(key, pair);
	}

	/// The device is sealed again: it shows what it was made to show.
	pub(crate) fn seal_again(&mut self, physical: usize, shown: Registers, seal: String) {
		let now = self.now;
		let device = &mut self.energy.meters[physical];
		(device.sealed, device.seal) = (true, seal);
		device.history.push((now, shown));
		let key = device.keys[0].public().0;
		self.energy.known.remove(&key);
	}

	/// Another device takes a meter's place, with a number, a seal and registers of its own.
	pub(crate) fn replace(&mut self, physical: usize) {
		let (number, now) = (self.new_number(), self.now);
		let device = &mut self.energy.meters[physical];
		(device.serial, device.seal) = (format!("NEW-{number}"), format!("NEW-SEAL-{number}"));
		device.history.push((now, Registers::default()));
	}

	/// The KWH of an honest owner's meter goes where only the owner can spend it.
	pub(crate) fn secure(&mut self, meter: MeterIndex) {
		let Some(certified) = self.energy.certified.get(&meter).cloned() else { return };
		let owner = Key::named("honest/owner");
		let call = pallet_assets::Call::transfer_all {
			id: KWH.into(),
			dest: owner.account().into(),
			keep_alive: false,
		};
		let call = pallet_multisig::Call::as_multi_threshold_1 {
			other_signatories: vec![certified.key.into()],
			call: Box::new(call.into()),
		};
		let _ = self.send_honest(Sent::Signed(owner, call.into()));
		self.spendable.insert(certified.account);
		self.spendable.insert(certified.key.into());
	}

	/// A meter that the coalition's organisation answers for, if there is one; else any.
	pub(crate) fn our_meter(&self, rng: &mut Rng) -> Option<MeterIndex> {
		let ours = |index: &&MeterIndex| {
			Meters::<Runtime>::get(index).is_some_and(|row| row.organisation == OUR_ORGANISATION)
		};
		let all: Vec<MeterIndex> = self.energy.certified.keys().filter(ours).copied().collect();
		match rng.any(&all) {
			Some(meter) if rng.percent(80) => Some(meter),
			_ => self.any_meter(rng),
		}
	}

	/// A meter that the coalition has to do with.
	pub(crate) fn any_meter(&self, rng: &mut Rng) -> Option<MeterIndex> {
		let all: Vec<MeterIndex> = self.energy.certified.keys().copied().collect();
		rng.any(&all)
	}
}

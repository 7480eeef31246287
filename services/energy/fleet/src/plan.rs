//! What a simulated meter measures. It depends on the meter's name and the time only, so that a run
//! can be repeated and continued.

use crate::{
	error::SimulationError,
	profile::{Profile, ProfileError, ProfileKind},
	spec::MeterSpec,
};
use gridproof_device::Reading;
use gridproof_primitives::{
	energy::{Direction, emlog::Energy},
	num::units::MILLIS_PER_DAY,
};
use std::{collections::BTreeMap, sync::Arc};

/// A quarter hour, in milliseconds.
pub const QUARTER_MS: u64 = 900_000;

/// Returns meters for a simulation: of ten, six consumers, two producers and two prosumers.
/// `per_device` of them share a device.
pub fn invented(count: u32, site: &str, per_device: u32) -> Vec<MeterSpec> {
	// Numbers are plain ASCII without blanks, whatever the site is called.
	let park = site.bytes().fold(0, |seed, byte| mixed(seed ^ u64::from(byte))) >> 32;
	let spec = |number: u32| {
		let (direction, rated_power_w, profile) = match number % 10 {
			0..=3 => (Direction::Import, 25_000, "h0"),
			4 => (Direction::Import, 60_000, "g0"),
			5 => (Direction::Import, 60_000, "l0"),
			6 | 7 => (Direction::Export, 100_000, "pv"),
			_ => (Direction::Both, 25_000, "h0+pv"),
		};
		MeterSpec {
			site: site.to_string(),
			device: format!("gw-{:05}", number / per_device.max(1) + 1),
			meter: format!("mtr-{:05}", number + 1),
			direction,
			rated_power_w,
			serial: format!("SIM-{park:08x}-{:05}", number + 1),
			seal: format!("S-{park:08x}-{:05}", number + 1),
			profile: Some(profile.to_string()),
			point: None,
		}
	};
	(0..count).map(spec).collect()
}

/// What a simulated meter measures.
#[derive(Clone, Debug)]
pub struct Plan {
	load: Option<(Arc<Profile>, u64)>,
	sun: Option<(Arc<Profile>, u64)>,
	direction: Direction,
	max_milliwatts: u64,
	seed: u64,
	price_sats_per_kwh: u64,
}

/// A well-mixed number from another one (SplitMix64).
const fn mixed(seed: u64) -> u64 {
	let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
	z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
	z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
	z ^ (z >> 31)
}

/// Profiles, each read once.
#[derive(Default)]
pub struct Profiles(BTreeMap<String, Arc<Profile>>);

impl Profiles {
	fn get(&mut self, name: &str) -> Result<Arc<Profile>, ProfileError> {
		if let Some(profile) = self.0.get(name) {
			return Ok(profile.clone());
		}
		let profile = Arc::new(Profile::load(name)?);
		self.0.insert(name.to_string(), profile.clone());
		Ok(profile)
	}
}

impl Plan {
	/// Returns the plan of a meter: the profiles that its specification names, by default `h0`, `pv` or
	/// both, with a size that follows from its name.
	///
	/// # Errors
	/// [`SimulationError::Profile`], [`SimulationError::WrongProfile`].
	pub fn new(spec: &MeterSpec, profiles: &mut Profiles) -> Result<Self, SimulationError> {
		let default = match spec.direction {
			Direction::Import => "h0",
			Direction::Export | Direction::Generation => "pv",
			Direction::Both => "h0+pv",
		};
		let text = spec.profile.as_deref().unwrap_or(default);
		let name = format!("{}/{}/{}", spec.site, spec.device, spec.meter);
		let seed = name.bytes().fold(0, |seed, byte| mixed(seed ^ u64::from(byte)));
		let (mut load, mut sun) = (None, None);
		for part in text.split('+') {
			let profile = profiles.get(part)?;
			let size = size(&profile, spec.direction, seed);
			match profile.kind() {
				ProfileKind::Generation => sun = Some((profile, size)),
				ProfileKind::Load | ProfileKind::DynamicLoad => load = Some((profile, size)),
			}
		}
		let fits = match spec.direction {
			Direction::Import => load.is_some() && sun.is_none(),
			Direction::Export | Direction::Generation => sun.is_some() && load.is_none(),
			Direction::Both => load.is_some() || sun.is_some(),
		};
		if !fits {
			let (profile, direction) = (text.to_string(), spec.direction);
			return Err(SimulationError::WrongProfile { name, profile, direction });
		}
		Ok(Self {
			load,
			sun,
			direction: spec.direction,
			max_milliwatts: u64::from(spec.rated_power_w) * 1_000,
			seed,
			price_sats_per_kwh: 60 + mixed(seed ^ 2) % 60,
		})
	}

	/// Returns the plan of a meter, with those of `choice` that fit its direction instead of its own
	/// profile; which of them follows from its name.
	///
	/// # Errors
	/// As [`Plan::new`]; a choice that fits no direction at all is refused.
	pub fn chosen(
		spec: &MeterSpec,
		choice: &[String],
		profiles: &mut Profiles,
	) -> Result<Self, SimulationError> {
		let with = |profile: &String| MeterSpec { profile: Some(profile.clone()), ..spec.clone() };
		let mut fitting = Vec::new();
		for profile in choice {
			match Self::new(&with(profile), profiles) {
				Ok(plan) => fitting.push(plan),
				Err(SimulationError::WrongProfile { .. }) => (),
				Err(error) => return Err(error),
			}
		}
		let own = Self::new(spec, profiles)?;
		let count = fitting.len() as u64;
		if count == 0 {
			return Ok(own);
		}
		let place = usize::try_from(mixed(own.seed ^ 3) % count).unwrap_or(0);
		Ok(fitting.swap_remove(place))
	}

	/// Returns what the meter measures from `start_ms` to `end_ms`, which lie in one quarter hour. A meter
	/// for both directions measures the difference of load and generation.
	pub fn reading(&self, start_ms: u64, end_ms: u64) -> Reading {
		let of = |part: &Option<(Arc<Profile>, u64)>, permille: u64| {
			part.as_ref().map_or(0, |(profile, size)| {
				profile.milliwatts(start_ms) * size / 1_000 * permille / 1_000
			})
		};
		let quarter = start_ms / QUARTER_MS;
		let noise = mixed(self.seed ^ quarter);
		// People differ from the mean, and clouds from one day to the next.
		let load = of(&self.load, 600 + noise % 801);
		let clouds = 250 + mixed(start_ms / MILLIS_PER_DAY) % 1_501;
		let sun = of(&self.sun, clouds * (900 + noise % 201) / 1_000);
		let (flow, milliwatts) = match self.direction {
			Direction::Import => (Direction::Import, load),
			Direction::Export | Direction::Generation => (Direction::Export, sun),
			Direction::Both if sun > load => (Direction::Export, sun - load),
			Direction::Both => (Direction::Import, load - sun),
		};
		let milliwatts = milliwatts.min(self.max_milliwatts);
		let length_ms = end_ms.saturating_sub(start_ms);
		Reading {
			power_w: Some(milliwatts / 1_000),
			price_sats_per_kwh: self.price_sats_per_kwh,
			..Reading::new(start_ms, end_ms, milli_wh(milliwatts * length_ms / 3_600_000), flow)
		}
	}
}

fn milli_wh(value: u64) -> Energy {
	let text = format!("{}.{:03}", value / 1_000, value % 1_000);
	Energy::parse_wh(&text).unwrap_or(Energy::from_wh(value / 1_000))
}

/// kWh a year of a customer, or Wp of a plant.
fn size(profile: &Profile, direction: Direction, seed: u64) -> u64 {
	let between = |low: u64, high: u64| low + mixed(seed ^ 1) % (high - low);
	match (profile.kind(), profile.name(), direction) {
		(ProfileKind::Generation, _, Direction::Both) => between(4_000, 14_000),
		(ProfileKind::Generation, ..) => between(10_000, 100_000),
		(ProfileKind::DynamicLoad, ..) => between(2_000, 6_000),
		(ProfileKind::Load, "l0", _) => between(10_000, 40_000),
		(ProfileKind::Load, ..) => between(8_000, 50_000),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::energy::emlog::parse_utc;

	fn plan(spec: &MeterSpec) -> Plan {
		Plan::new(spec, &mut Profiles::default()).unwrap()
	}

	/// Wh in a day, import and export.
	fn day(plan: &Plan, date: &str) -> (u64, u64) {
		let start = parse_utc(&format!("{date}T00:00:00Z")).unwrap();
		let readings = (0..96).map(|quarter| {
			plan.reading(start + quarter * QUARTER_MS, start + (quarter + 1) * QUARTER_MS)
		});
		readings.fold((0, 0), |(import, export), reading| match reading.flow {
			Direction::Export | Direction::Generation => {
				(import, export + reading.energy.floor_wh())
			},
			_ => (import + reading.energy.floor_wh(), export),
		})
	}

	#[test]
	fn invented_meters_are_consumers_producers_and_prosumers_that_behave_like_it() {
		let specs = invented(50, "SIM", 1);
		let count = |direction| specs.iter().filter(|spec| spec.direction == direction).count();
		assert_eq!(
			(count(Direction::Import), count(Direction::Export), count(Direction::Both)),
			(30, 10, 10)
		);
		for spec in &specs {
			let (import, export) = day(&plan(spec), "2026-06-21");
			match spec.direction {
				Direction::Import => assert!(import > 1_000 && export == 0, "{import} {export}"),
				Direction::Export | Direction::Generation => {
					assert!(import == 0 && export > 1_000, "{import} {export}")
				},
				Direction::Both => assert!(import > 0 && export > 0, "{import} {export}"),
			}
		}
		let devices: std::collections::BTreeSet<String> =
			invented(10, "SIM", 4).into_iter().map(|spec| spec.device).collect();
		assert_eq!(devices.len(), 3);
	}

	#[test]
	fn a_reading_depends_on_name_and_time_only_and_keeps_to_the_rated_power() {
		let specs = invented(10, "SIM", 1);
		let start = parse_utc("2026-06-21T11:00:00Z").unwrap();
		for spec in &specs {
			let (one, other) = (plan(spec), plan(spec));
			assert_eq!(
				one.reading(start, start + QUARTER_MS),
				other.reading(start, start + QUARTER_MS)
			);
			let small = MeterSpec { rated_power_w: 100, ..spec.clone() };
			let reading = plan(&small).reading(start, start + QUARTER_MS);
			assert!(reading.energy <= Energy::from_wh(25), "{:?}", reading.energy);
		}
		assert_ne!(
			plan(&specs[0]).reading(start, start + QUARTER_MS).energy,
			plan(&specs[1]).reading(start, start + QUARTER_MS).energy
		);
	}

	#[test]
	fn a_profile_that_does_not_fit_the_direction_is_refused() {
		let spec = |direction, profile: &str| MeterSpec {
			direction,
			profile: Some(profile.to_string()),
			..invented(1, "SIM", 1).remove(0)
		};
		let new =
			|direction, profile| Plan::new(&spec(direction, profile), &mut Profiles::default());
		for (direction, profile) in
			[(Direction::Import, "pv"), (Direction::Export, "h0"), (Direction::Import, "h0+pv")]
		{
			assert!(matches!(new(direction, profile), Err(SimulationError::WrongProfile { .. })));
		}
		assert!(matches!(new(Direction::Import, "h9"), Err(SimulationError::Profile(_))));
		assert!(new(Direction::Both, "g0+pv").is_ok());
	}
}

//! Tests of the simulation.

use super::*;
use gridproof_primitives::emlog::parse_utc;

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
		Direction::Export => (import, export + reading.energy.floor_wh()),
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
			Direction::Export => assert!(import == 0 && export > 1_000, "{import} {export}"),
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
	let new = |direction, profile| Plan::new(&spec(direction, profile), &mut Profiles::default());
	for (direction, profile) in
		[(Direction::Import, "pv"), (Direction::Export, "h0"), (Direction::Import, "h0+pv")]
	{
		assert!(matches!(new(direction, profile), Err(SimulationFault::WrongProfile { .. })));
	}
	assert!(matches!(new(Direction::Import, "h9"), Err(SimulationFault::Profile(_))));
	assert!(new(Direction::Both, "g0+pv").is_ok());
}

//! The shipped dataset: what the reader makes of it must be what its generator says, to the last
//! watt-hour.

use gridproof_grid::{
	Commitment, EUROPE, Eic, Source, Tz, ZoneStatus, load_zones, parse_zones, price_from_source,
	summarise,
};
use gridproof_primitives::{
	num::decimal::{Ratio, SignedRatio},
	reserve::formula::DEFAULT_ALPHA,
};
use std::{collections::BTreeSet, path::PathBuf};

fn dataset() -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../data/grid")
}

/// The rows of `expected.csv`, split.
fn expected() -> Vec<Vec<String>> {
	let text = std::fs::read_to_string(dataset().join("expected.csv")).unwrap();
	text.lines().skip(1).map(|line| line.split(',').map(String::from).collect()).collect()
}

#[tokio::test]
async fn every_day_comes_to_what_its_generator_computed() {
	let list = parse_zones(EUROPE).unwrap();
	let source = Source::Folder(dataset());
	let commitment = Commitment { alpha: DEFAULT_ALPHA, haircut: Ratio::ONE };
	let days = expected();
	assert_eq!(days.len(), 14);
	for row in days {
		let day = row[0].parse().unwrap();
		let reports = load_zones(&source, &list, day, None, |_| {}).await.unwrap();
		for report in reports.iter().filter(|report| report.status != ZoneStatus::Ok) {
			let outcome = (report.name.as_str(), row[0].as_str(), report.status);
			let known = [
				("MK", "2025-03-27", ZoneStatus::NoData),
				("GR", "2025-04-01", ZoneStatus::Incomplete),
			];
			assert!(known.contains(&outcome), "{outcome:?}: {}", report.reason);
			let ppm = if report.name == "GR" { 875_000 } else { 0 };
			assert_eq!(report.completeness_ppm, ppm);
		}
		let summary = summarise(day, reports, &commitment, 40).unwrap();
		assert_eq!(summary.zones_ok.to_string(), row[1], "{}", row[0]);
		assert_eq!(summary.zones_total.to_string(), row[2], "{}", row[0]);
		assert_eq!(summary.wh_dc_raw.to_string(), row[3], "{}", row[0]);
		assert_eq!(summary.wh_dc_commit.to_string(), row[4], "{}", row[0]);
	}
}

#[tokio::test]
async fn the_mean_price_of_every_day_is_the_one_that_the_generator_chose() {
	let source = Source::Folder(dataset());
	let eic = Eic::parse("10Y1001A1001A82H").unwrap();
	let mut negative = BTreeSet::new();
	for row in expected() {
		let day = row[0].parse().unwrap();
		let report =
			price_from_source(&source, &eic, day, Tz::Europe__Berlin, Some(7)).await.unwrap();
		let mean = report.mean_eur_per_mwh.stated();
		assert_eq!(mean, SignedRatio::parse(&row[5]).unwrap(), "{}", row[0]);
		assert_eq!(report.slots, if row[0] == "2025-03-30" { 23 } else { 24 });
		if report.negative_slots > 0 {
			negative.insert(row[0].clone());
		}
	}
	assert_eq!(negative, ["2025-03-30", "2025-04-06"].map(String::from).into());
}

#[test]
fn every_document_says_that_it_is_synthetic() {
	let mut files = 0;
	for row in expected() {
		for entry in std::fs::read_dir(dataset().join(&row[0])).unwrap() {
			let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
			assert!(text.contains("<!-- Synthetic data:"));
			files += 1;
		}
	}
	assert_eq!(files, 14 * (47 + 2));
}

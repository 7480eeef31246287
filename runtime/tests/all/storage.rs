//! Everything that can grow in the state has a bound, which a page states.

use codec::DecodeAll;
use gridproof_runtime::Runtime;
use std::collections::BTreeSet;
use subxt::Metadata;

/// Our pallets. Those of the SDK have deposits and bounds of their own.
const OURS: [&str; 10] = [
	"Attestations",
	"Authorities",
	"Brakes",
	"ComputeChecks",
	"ComputeReceipts",
	"CoveragePolicy",
	"FreeCalls",
	"Governance",
	"MeterReadings",
	"ModelRegistry",
];

const PAGE: &str = include_str!("../../../docs/security/storage.md");

#[test]
fn every_map_of_our_pallets_is_bounded_by_deposits_or_a_number() {
	let bytes = Runtime::metadata_at_version(15).expect("the runtime has this version");
	let metadata = Metadata::decode_all(&mut &bytes[..]).expect("it is metadata");
	let mut maps = BTreeSet::new();
	for name in OURS {
		let pallet = metadata.pallet_by_name(name).expect("it is in the runtime");
		let entries = pallet.storage().map_or(&[][..], |storage| storage.entries());
		for entry in entries.iter().filter(|entry| entry.keys().len() > 0) {
			maps.insert(format!("{name}.{}", entry.name()));
		}
	}
	let rows: Vec<(&str, &str)> = PAGE
		.lines()
		.filter_map(|line| line.strip_prefix("| `"))
		.map(|line| line.split_once("` | ").expect("a name and a bound"))
		.collect();
	for (name, bound) in &rows {
		assert!(bound.split(" | ").all(|cell| cell.len() > 3), "{name} has no bound");
	}
	let listed: BTreeSet<String> = rows.iter().map(|(name, _)| name.to_string()).collect();
	assert_eq!(listed.len(), rows.len(), "a map is listed twice");
	// A counter beside a map is one value.
	assert_eq!(listed, maps);
}

//! Every case of the shared planner vectors, to the last digit.

use gridproof_primitives::{
	num::decimal::Ratio,
	num::units::AICP,
	reserve::formula::{Inputs, Policy, committed_energy, evaluate},
};
use serde_json::Value;

fn vectors() -> Value {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/planner.json");
	serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn ratio(value: &Value) -> Ratio {
	Ratio::parse(value.as_str().unwrap()).unwrap()
}

fn number(value: &Value) -> u128 {
	value.to_string().parse().unwrap()
}

#[test]
fn every_planner_case_comes_out_exactly() {
	let vectors = vectors();
	let cases = vectors["cases"].as_array().unwrap();
	assert!(cases.len() >= 5);
	for case in cases {
		let (given, wanted) = (&case["in"], &case["out"]);
		let name = case["name"].as_str().unwrap();
		let micro = Ratio::from_integer(AICP);
		let committed =
			committed_energy(number(&given["raw_wh"]), &ratio(&given["alpha"])).unwrap();
		let inputs = Inputs {
			wh_committed: committed,
			eur_per_mwh: ratio(&given["eur_per_mwh"]),
			compute_assets: ratio(&given["v_compute_eur"]).checked_mul(&micro).unwrap(),
			issuance: ratio(&given["S"]).checked_mul(&micro).unwrap(),
			utilisation: Ratio::ONE,
		};
		let policy = Policy {
			target_price: ratio(&given["P_T"]),
			cr_min: ratio(&given["CR_min"]),
			daily_cap: ratio(&given["cap_frac"]),
			..Policy::default()
		};
		let coverage = evaluate(&inputs, &policy).unwrap();
		let cr = coverage.ratio.unwrap();
		assert_eq!(committed, number(&wanted["commit_wh"]), "{name}");
		assert_eq!(coverage.v_energy, number(&wanted["v_energy_ueur"]), "{name}");
		assert_eq!(coverage.v_reserve, number(&wanted["v_reserve_ueur"]), "{name}");
		assert_eq!(cr.to_fraction(), wanted["CR_exact"].as_str().unwrap(), "{name}");
		assert_eq!(cr.ppm_floor(), number(&wanted["CR_ppm_floor"]), "{name}");
		assert_eq!(cr.to_decimal_floor(6), wanted["CR_6dp"].as_str().unwrap(), "{name}");
		assert_eq!(coverage.supply_target, number(&wanted["S_target_utok_floor"]), "{name}");
		assert_eq!(coverage.mint, number(&wanted["mint_utok_floor"]), "{name}");
		assert_eq!(coverage.binding.map(|b| b.as_str()), wanted["binding"].as_str(), "{name}");
		assert_eq!(coverage.state.as_str(), wanted["state"].as_str().unwrap(), "{name}");
	}
}

//! Mistakes in a chain specification that somebody has edited, found before a chain starts with them.
//!
//! Only plain specifications are looked at: a raw one is a state, which its maker has checked.

use gridproof_runtime::constants::currency::{AIT, GENESIS_SUPPLY};
use serde_json::Value;
use std::collections::BTreeSet;

/// Members that say who has which power.
const POWERS: [(&str, &str); 5] = [
	("/session/keys", "the authorities (session.keys)"),
	("/emergencyCommittee/members", "the emergency committee (emergencyCommittee.members)"),
	("/brakes/emergency", "the emergency account (brakes.emergency)"),
	("/coveragePolicy/issuer", "the issuer of AICP (coveragePolicy.issuer)"),
	("/attestations/keys", "the keys of the attestation roles (attestations.keys)"),
];

/// Returns the genesis of a plain specification.
fn genesis(spec: &Value) -> Option<&Value> {
	let genesis = spec.pointer("/genesis/runtimeGenesis")?;
	genesis.get("patch").or_else(|| genesis.get("config"))
}

/// Checks a specification.
///
/// # Errors
/// The first mistake, with what to do about it.
pub(crate) fn check(spec: &Value) -> Result<(), String> {
	let Some(genesis) = genesis(spec) else { return Ok(()) };
	check_balances(genesis)?;
	check_authorities(genesis)
}

fn check_balances(genesis: &Value) -> Result<(), String> {
	let Some(balances) = genesis.pointer("/balances/balances") else { return Ok(()) };
	let mut sum = 0u128;
	for row in balances.as_array().into_iter().flatten() {
		let Some(amount) = row.get(1) else { continue };
		let written = amount.to_string();
		let amount: u128 = written.parse().map_err(|_| {
			format!(
				"the balance {written} is not a whole number of 10⁻¹⁸ AIT: write all its digits. Tools \
				 that read numbers as floats, jq among them, write large ones as 5e+23"
			)
		})?;
		sum = sum.saturating_add(amount);
	}
	if sum > GENESIS_SUPPLY {
		return Err(format!(
			"the balances are {} AIT together, and a chain begins with {} at most: half of the cap of \
			 21 million, the other half of which is earned",
			tokens(sum),
			tokens(GENESIS_SUPPLY)
		));
	}
	Ok(())
}

/// An amount in AIT, rounded up.
fn tokens(amount: u128) -> u128 {
	amount.div_ceil(AIT)
}

fn check_authorities(genesis: &Value) -> Result<(), String> {
	let Some(keys) = genesis.pointer("/session/keys") else { return Ok(()) };
	let rows: Vec<&Value> = keys.as_array().into_iter().flatten().collect();
	if rows.is_empty() {
		return Err("there is no authority in session.keys: nobody would make a block".to_string());
	}
	let parts = [("/0", "account"), ("/2/aura", "aura key"), ("/2/grandpa", "grandpa key")];
	for (place, name) in parts {
		let mut seen = BTreeSet::new();
		for row in &rows {
			let Some(part) = row.pointer(place).and_then(Value::as_str) else { continue };
			if !seen.insert(part) {
				return Err(format!(
					"two authorities in session.keys have the {name} {part}: each has its own"
				));
			}
		}
	}
	Ok(())
}

/// Returns who still has the power that the built-in network of this genesis gave, in a specification
/// that has another id.
pub(crate) fn left_in_place(spec: &Value, id: &str, built_in: &Value) -> Vec<&'static str> {
	let Some(genesis) = genesis(spec) else { return Vec::new() };
	if spec.get("id").and_then(Value::as_str) == Some(id) {
		return Vec::new();
	}
	let is_left = |pointer: &str| match (genesis.pointer(pointer), built_in.pointer(pointer)) {
		(Some(here), Some(there)) => here == there,
		_ => false,
	};
	POWERS.into_iter().filter(|(pointer, _)| is_left(pointer)).map(|(_, who)| who).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_runtime::genesis_presets::{STAGING, get_preset};

	fn staging() -> Value {
		let preset = get_preset(&STAGING.into()).expect("the preset exists");
		serde_json::from_slice(&preset).expect("it is JSON")
	}

	fn spec(genesis: Value) -> Value {
		serde_json::json!({ "id": "ours", "genesis": { "runtimeGenesis": { "patch": genesis } } })
	}

	fn read(text: &str) -> Value {
		spec(serde_json::from_str(text).expect("JSON"))
	}

	#[test]
	fn the_built_in_networks_have_no_mistake_and_a_raw_one_is_not_looked_at() {
		assert_eq!(check(&spec(staging())), Ok(()));
		assert_eq!(check(&serde_json::json!({ "genesis": { "raw": { "top": {} } } })), Ok(()));
	}

	#[test]
	fn more_tokens_than_a_chain_begins_with_are_refused_to_the_unit() {
		let balances = |last: &str| {
			read(&format!(
				r#"{{"balances": {{"balances": [["a", 10499999000000000000000000], ["b", {last}]]}}}}"#
			))
		};
		assert_eq!(check(&balances("1000000000000000000")), Ok(()));
		let error = check(&balances("1000000000000000001")).unwrap_err();
		assert!(error.starts_with("the balances are 10500001 AIT together"), "{error}");
		let error = check(&balances("5e+23")).unwrap_err();
		assert!(error.starts_with("the balance 5e+23 is not a whole number"), "{error}");
	}

	#[test]
	fn a_chain_without_authorities_or_with_one_key_twice_is_refused() {
		let error = check(&read(r#"{"session": {"keys": []}}"#)).unwrap_err();
		assert!(error.starts_with("there is no authority"), "{error}");
		let with = |second: &str| {
			let first = r#"["A", "A", {"aura": "1", "grandpa": "2"}]"#;
			check(&read(&format!(r#"{{"session": {{"keys": [{first}, {second}]}}}}"#)))
		};
		assert_eq!(with(r#"["B", "B", {"aura": "3", "grandpa": "4"}]"#), Ok(()));
		for (second, name) in [
			(r#"["A", "A", {"aura": "3", "grandpa": "4"}]"#, "account A"),
			(r#"["B", "B", {"aura": "1", "grandpa": "4"}]"#, "aura key 1"),
			(r#"["B", "B", {"aura": "3", "grandpa": "2"}]"#, "grandpa key 2"),
		] {
			let expected =
				format!("two authorities in session.keys have the {name}: each has its own");
			assert_eq!(with(second), Err(expected));
		}
	}

	#[test]
	fn powers_that_were_left_to_others_are_named() {
		let own = spec(staging());
		let left = left_in_place(&own, "gridproof_staging", &staging());
		assert_eq!(left.len(), POWERS.len());
		let mut edited = staging();
		edited["emergencyCommittee"]["members"] = serde_json::json!(["5"]);
		let left = left_in_place(&spec(edited), "gridproof_staging", &staging());
		assert_eq!(left.len(), POWERS.len() - 1);
		assert!(!left.contains(&"the emergency committee (emergencyCommittee.members)"));
		assert!(left_in_place(&own, "ours", &staging()).is_empty(), "it is that network");
	}
}

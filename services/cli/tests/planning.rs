//! `gridproof score` and `gridproof emission`: what they print, and what they refuse.

use std::process::{Command, Output};

fn gridproof(arguments: &str) -> Output {
	Command::new(env!("CARGO_BIN_EXE_gridproof"))
		.args(arguments.split_whitespace())
		.output()
		.expect("the command starts")
}

fn printed(arguments: &str) -> serde_json::Value {
	let output = gridproof(arguments);
	assert!(output.status.success(), "{arguments}: {output:?}");
	serde_json::from_slice(&output.stdout).expect("one JSON document")
}

const FIGURES: &str =
	"score --gb-seconds 12000.5 --tokens-per-second 40 --model-factor 2.5 --uptime-hours 24";

#[test]
fn a_score_is_printed_with_its_four_parts() {
	// GIVEN u = 0.600025: G = 100·tanh(0.900075); T = 10; U = 100·ln 25/ln 721; no jobs: C = 50
	let shown = printed(&format!("{FIGURES} --json"));
	let part = |name: &str| shown[name].as_f64().expect("a number");
	let (g, u) = (100.0 * (0.900_075f64).tanh(), 100.0 * 25f64.ln() / 721f64.ln());
	for (name, expected) in [("g", g), ("t", 10.0), ("u", u), ("c", 50.0)] {
		assert!((part(name) - expected).abs() < 1e-6, "{name}: {} {expected}", part(name));
	}
	let score = 100.0 * (0.3 * g + 0.3 * 10.0 + 0.2 * u + 0.2 * 50.0);
	let printed = shown["score"].as_u64().expect("a whole number") as f64;
	assert!((printed - score).abs() <= 0.51, "{printed} {score}");
	assert_eq!(shown.as_object().expect("an object").len(), 5);
}

#[test]
fn a_success_rate_changes_one_part_only() {
	let without = printed(&format!("{FIGURES} --json"));
	let with = printed(&format!("--json {FIGURES} --success-rate 0.875"));
	assert_eq!(with["c"], 90.0);
	assert_eq!((&with["g"], &with["t"], &with["u"]), (&without["g"], &without["t"], &without["u"]));
}

#[test]
fn a_budget_is_a_string_of_units() {
	for (step, budget) in [
		("0", "50000000000000000000"),
		("209999", "50000000000000000000"),
		("210000", "25000000000000000000"),
		("420000", "12500000000000000000"),
		("18446744073709551615", "0"),
	] {
		let shown = printed(&format!("emission --step {step} --json"));
		assert_eq!(shown, serde_json::json!({ "budget": budget }));
	}
}

#[test]
fn people_get_readable_text() {
	let text = |arguments: &str| String::from_utf8(gridproof(arguments).stdout).expect("text");
	assert!(text(FIGURES).starts_with("score "));
	assert!(text("emission --step 210000").contains("at most 25 AIT\n"));
}

#[test]
fn nonsense_is_refused_with_a_reason() {
	for (arguments, reason) in [
		(FIGURES.replace("12000.5", "-1"), "must not be negative"),
		(FIGURES.replace("12000.5", "x"), "not a decimal number"),
		(FIGURES.replace("24", "NaN"), "not a decimal number"),
		(FIGURES.replace("--tokens-per-second 40", ""), "--tokens-per-second"),
		(format!("{FIGURES} --success-rate 1.01"), "must be at most 1"),
		(format!("{FIGURES} --success-rate -0.5"), "must not be negative"),
		("emission --step -1".to_string(), "must be a whole number"),
		("emission --step 1.5".to_string(), "must be a whole number"),
		("emission".to_string(), "--step"),
	] {
		let output = gridproof(&arguments);
		assert!(!output.status.success(), "{arguments}");
		let told = String::from_utf8_lossy(&output.stderr).into_owned();
		assert!(told.contains(reason), "{arguments}: {told}");
	}
}

//! `vectors/sampling.json`: noise and draws that every implementation has to give.

use gridproof_compute_api::protocol::Sampling;
use gridproof_engine::{gumbel::Noise, sampler::Chooser};
use gridproof_primitives::H256;
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

fn file() -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../vectors/sampling.json")
}

fn seed(number: u8) -> H256 {
	H256(std::array::from_fn(|place| u8::try_from(place).unwrap().wrapping_mul(7) ^ number))
}

fn noise() -> Vec<Value> {
	let mut all = Vec::new();
	for (number, choice) in [(0u8, 0u32), (1, 0), (1, 1), (255, 4_000_000_000)] {
		for position in [0u64, 1, 5_000_000_000] {
			for token in [0u32, 7, 8, 2_047, 151_935] {
				let mut noise = Noise::new(&seed(number), choice);
				all.push(json!({
					"seed": hex::encode(seed(number)),
					"choice": choice,
					"position": position,
					"token": token,
					"bits": format!("{:016x}", noise.bits(position, token)),
					"noise": format!("{:016x}", noise.gumbel(position, token).to_bits()),
				}));
			}
		}
	}
	all
}

/// Logits in eighths, which decimals state exactly.
fn logits(number: u32) -> Vec<f32> {
	(0..40u32)
		.map(|token| (token * token * 13 + number * 29) % 97)
		.map(|n| n as f32 / 8.0)
		.collect()
}

fn draws() -> Vec<Value> {
	let mut all = Vec::new();
	for (temperature_milli, top_p_milli) in
		[(0, 1_000), (700, 1_000), (1_000, 900), (1_500, 500), (2_000, 999), (1, 1)]
	{
		for number in 0..4u8 {
			let sampling = Sampling { temperature_milli, top_p_milli, seed: 0, stop: Vec::new() };
			let logits = logits(number.into());
			let (choice, position) = (u32::from(number) / 2, 10 + u64::from(number));
			let mut chooser = Chooser::new(&sampling, Some(&seed(number)), choice);
			let gaps: Vec<Value> = (0..40)
				.map(|token| match chooser.judge(position, &logits, token).gap_micro {
					u64::MAX => Value::Null,
					gap => json!(gap),
				})
				.collect();
			all.push(json!({
				"seed": hex::encode(seed(number)),
				"choice": choice,
				"position": position,
				"temperature_milli": temperature_milli,
				"top_p_milli": top_p_milli,
				"logits": logits,
				"drawn": chooser.choose(position, &logits),
				"gaps_micro": gaps,
			}));
		}
	}
	all
}

/// After a change of the protocol: `GRIDPROOF_NEW_VECTORS=1 cargo nextest run -p gridproof-engine
/// vectors`.
#[test]
fn noise_and_draws_are_those_of_the_vectors() {
	let found = json!({ "noise": noise(), "draws": draws() });
	if std::env::var_os("GRIDPROOF_NEW_VECTORS").is_some() {
		let rows = |name: &str| {
			let rows = found[name].as_array().unwrap().iter().map(|row| format!("\n    {row}"));
			rows.collect::<Vec<_>>().join(",")
		};
		let text = format!(
			"{{\n  \"noise\": [{}\n  ],\n  \"draws\": [{}\n  ]\n}}\n",
			rows("noise"),
			rows("draws")
		);
		fs::write(file(), text).unwrap();
	}
	let wanted: Value = serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
	assert_eq!(found["noise"], wanted["noise"]);
	for (found, wanted) in
		found["draws"].as_array().unwrap().iter().zip(wanted["draws"].as_array().unwrap())
	{
		let found: Value = serde_json::from_str(&found.to_string()).unwrap();
		assert_eq!(&found, wanted);
	}
	assert_eq!(wanted["draws"].as_array().unwrap().len(), 24);
}

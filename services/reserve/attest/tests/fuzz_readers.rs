//! Damaged summaries, attestation files, keys and key files: no panic, and nothing accepted that
//! another reader would not read the same way.
//!
//! For a minute (ten seconds without the variable; `FUZZ_SEED` repeats a run):
//!
//!     FUZZ_SECONDS=60 cargo nextest run --release -p gridproof-attest --test fuzz_readers \
//!         --run-ignored all

use gridproof_attest::{
	Expected, PlanInputs, RoleKey, RoleKeys, Statement, Summary, open, sign, verify,
};
use gridproof_primitives::{
	H256,
	codec::json::{self, Limits},
	num::decimal::{Ratio, SignedRatio},
	reserve::attestation::{Kind, Role, chain_hint},
	time::day::Day,
};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

const SUMMARY: &str = r#"{"day":"2026-01-15","zones_ok":2,"wh_dc_raw":1000000,
	"wh_dc_commit":116000,"alpha_base":"0.18","alpha_effective":"87/500","haircut":"1.0",
	"zones_total":3,"zones":[{"name":"FR","wh":1},{"name":"BE","wh":2},{"name":"AT","wh":null}]}"#;

/// SplitMix64: small, and the same on every machine.
struct Random(u64);

impl Random {
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	fn below(&mut self, bound: usize) -> usize {
		(self.next() % bound.max(1) as u64) as usize
	}
}

/// Pieces that a careless reader stumbles over.
const PIECES: [&str; 24] = [
	"",
	"\"",
	"{",
	"}",
	"[",
	"]",
	",",
	":",
	"null",
	"-1",
	"0",
	"1e38",
	"1e-38",
	"1.5",
	"9/0",
	"340282366920938463463374607431768211456",
	"\\u0000",
	"\\ud800",
	"é",
	"\u{0}",
	"\"day\":1,",
	"\"meta\":{},",
	"substrate:0x",
	"[[[[[[[[",
];

fn damaged(text: &[u8], random: &mut Random) -> Vec<u8> {
	let mut bytes = text.to_vec();
	for _ in 0..=random.below(4) {
		let at = random.below(bytes.len());
		let until = (at + random.below(12)).min(bytes.len());
		match random.below(4) {
			0 if !bytes.is_empty() => bytes[at] = random.next() as u8,
			1 => drop(bytes.drain(at..until)),
			2 => {
				let piece = PIECES[random.below(PIECES.len())].bytes();
				drop(bytes.splice(at..until, piece));
			},
			_ => {
				let copy = bytes[at..until].to_vec();
				let to = random.below(bytes.len() + 1);
				drop(bytes.splice(to..to, copy));
			},
		}
	}
	bytes
}

fn key(role: Role) -> RoleKey {
	RoleKey::from_seed(Zeroizing::new([role as u8 + 1; 32]), Some(role))
}

fn trusted_text() -> String {
	let member = |role: Role| format!("\"{role}\":\"{}\"", hex::encode(key(role).public()));
	format!("{{{}}}", Role::ALL.map(member).join(","))
}

fn signed_file() -> String {
	let inputs = PlanInputs {
		eur_per_mwh: SignedRatio::parse("275/3").unwrap(),
		compute_assets_eur: Ratio::parse("750000.25").unwrap(),
		s_base: Ratio::from_integer(10),
		u_hat: Ratio::ONE,
		target_eur: Ratio::parse("1.5").unwrap(),
		cr_min: Ratio::parse("1.1").unwrap(),
		cap: Ratio::parse("0.05").unwrap(),
		bootstrap: 7_000_000,
		average: Some(Ratio::parse("90.5").unwrap()),
		genesis: H256::repeat_byte(0xab),
		kind: Kind::Reserve,
		revises: None,
	};
	let summary = Summary::parse(SUMMARY.as_bytes()).unwrap();
	let file = Statement::plan(&summary, &inputs).unwrap().to_file().unwrap().to_pretty();
	let (_, file) = sign(file.as_bytes(), Role::Data, &key(Role::Data), None).unwrap();
	sign(file.as_bytes(), Role::Ops, &key(Role::Ops), None).unwrap().1
}

/// What this reader accepts, another one reads with the same values.
fn check_summary(bytes: &[u8]) {
	let Ok(summary) = Summary::parse(bytes) else { return };
	let other: serde_json::Value = serde_json::from_slice(bytes).expect("JSON for every reader");
	assert_eq!(other["day"], summary.day.to_iso());
	if let Some(raw) = other["wh_dc_raw"].as_u64() {
		assert_eq!(u128::from(raw), summary.wh_raw);
	}
	if let Some(committed) = other["wh_dc_commit"].as_u64() {
		assert_eq!(u128::from(committed), summary.wh_committed);
	}
	assert!(summary.wh_committed <= summary.wh_raw);
	assert!(summary.zones_ok <= summary.zones_total && summary.alpha <= Ratio::ONE);
}

/// A file that verifies says what the undamaged one says.
fn check_file(bytes: &[u8], original: &Statement, keys: &RoleKeys) {
	let chain = chain_hint(&original.genesis);
	let expected = Expected { day: original.fields.day, chain: &chain };
	let report = verify(bytes, keys, &expected);
	assert_eq!(report.ok, report.error.is_none());
	if report.ok {
		let file = json::parse(bytes, Limits::DEFAULT).unwrap();
		assert_eq!(Statement::from_file(&file).unwrap(), *original);
	}
	if let Ok(opened) = open(bytes, None) {
		let again = open(opened.file.to_pretty().as_bytes(), None).unwrap();
		assert_eq!((again.digest, again.version), (opened.digest, opened.version));
	}
}

fn check_keys(bytes: &[u8]) {
	let Ok(keys) = RoleKeys::parse(bytes) else { return };
	let keys: Vec<_> = Role::ALL.into_iter().filter_map(|role| keys.get(role)).collect();
	for (place, key) in keys.iter().enumerate() {
		assert!(!keys[..place].contains(key), "one key for two roles");
	}
}

fn run(for_time: Duration, seed: u64) -> u64 {
	let mut random = Random(seed);
	let (file, trusted) = (signed_file(), trusted_text());
	let original = json::parse(file.as_bytes(), Limits::DEFAULT).unwrap();
	let original = Statement::from_file(&original).unwrap();
	let keys = RoleKeys::parse(trusted.as_bytes()).unwrap();
	let day = Day::parse("2026-01-15").unwrap();
	let expected = Expected { day, chain: &chain_hint(&original.genesis) };
	assert!(verify(file.as_bytes(), &keys, &expected).ok, "undamaged, it verifies");
	let (start, mut rounds) = (Instant::now(), 0);
	while start.elapsed() < for_time {
		check_summary(&damaged(SUMMARY.as_bytes(), &mut random));
		check_file(&damaged(file.as_bytes(), &mut random), &original, &keys);
		check_keys(&damaged(trusted.as_bytes(), &mut random));
		rounds += 1;
	}
	rounds
}

fn variable(name: &str) -> Option<u64> {
	std::env::var(name).ok()?.parse().ok()
}

#[test]
fn a_second_of_damage_is_survived() {
	assert!(run(Duration::from_secs(1), 1) > 100);
}

#[test]
#[ignore = "runs for FUZZ_SECONDS (default 10)"]
fn damage_is_survived_for_long() {
	let seconds = variable("FUZZ_SECONDS").unwrap_or(10);
	let time = std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos() as u64);
	let seed = variable("FUZZ_SEED").unwrap_or(time);
	println!("FUZZ_SEED={seed}");
	println!("{} rounds", run(Duration::from_secs(seconds), seed));
}

//! Every cheat against the real engine: found within few checks, and honest miners never.
//!
//! `GRIDPROOF_CHECKS` honest checks of each kind are made (60 if it is not set); `scripts/bench checks`
//! makes ten thousand, and prints the figures of `docs/performance.md`.

use gridproof_engine::{LocalEngine, TrialCheat};
use gridproof_primitives::compute::checks::LineClass;
use gridproof_verifier::{
	calibrate::{Options, calibrate},
	trial::{HONEST, cheating, honest, options, score},
};

const TOKENS: u32 = 16;

fn checks() -> u32 {
	std::env::var("GRIDPROOF_CHECKS").ok().and_then(|text| text.parse().ok()).unwrap_or(60)
}

#[test]
fn cheats_are_found_within_the_checks_of_the_line_and_honest_miners_never() {
	let verifier = LocalEngine::embedded().unwrap();
	// The line is that of the noisiest honest miner.
	let noisiest = honest(HONEST[2].1).unwrap();
	let calibration = Options { runs: 120, max_tokens: TOKENS, ..options(120, TOKENS) };
	let found = calibrate(&*noisiest, &verifier, &calibration).unwrap();
	assert_eq!(found.line.class, LineClass::Seeded);
	println!("{found:?}");
	for (name, altered) in HONEST {
		let miner = honest(altered).unwrap();
		let scored =
			score(name, &*miner, &verifier, &options(checks(), TOKENS), &found.line).unwrap();
		println!("{scored:?}");
		assert_eq!(scored.alarms, 0, "{scored:?}");
		if altered.is_none() {
			assert_eq!((scored.mean, scored.unequal), (0, 0), "{scored:?}");
		}
	}
	for cheat in TrialCheat::ALL {
		let miner = cheating(cheat).unwrap();
		let scored =
			score(cheat.as_str(), &*miner, &verifier, &options(24, TOKENS), &found.line).unwrap();
		println!("{scored:?}");
		assert!(scored.unequal > 0, "class exact sees none of {scored:?}");
		assert!(scored.found_after.is_some(), "class seeded never finds {scored:?} by {found:?}");
	}
}

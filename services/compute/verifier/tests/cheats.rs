//! Every cheat against the real engine: found within few checks, and honest miners never.
//!
//! `GRIDPROOF_CHECKS` honest checks of each kind are made (60 if it is not set), by a line of `GRIDPROOF_LINE`
//! answers (a thousand); `scripts/bench checks` makes ten thousand, and prints the figures of
//! `docs/performance.md`.

use gridproof_engine::{LocalEngine, TrialCheat};
use gridproof_primitives::compute::checks::{LineClass, Number};
use gridproof_verifier::{
	calibrate::{MIN_RUNS, calibrate},
	trial::{HONEST, cheating, honest, options, score, score_after},
};

const TOKENS: u32 = 16;

/// Checks of each cheat.
const OF_A_CHEAT: u32 = 100;

/// Checks of each cheat after honest ones.
const AFTER_HONEST: u32 = 20;

fn number(variable: &str, default: u32) -> u32 {
	std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn cheats_are_found_within_the_checks_of_the_line_and_honest_miners_never() {
	let verifier = LocalEngine::embedded().unwrap();
	// The line is that of the noisiest honest miner.
	let noisiest = honest(HONEST[2].1).unwrap();
	let found =
		calibrate(&*noisiest, &verifier, &options(number("GRIDPROOF_LINE", MIN_RUNS), TOKENS))
			.unwrap();
	assert_eq!(found.line.class, LineClass::Seeded);
	assert!(found.line.check(5).is_ok());
	println!("{found:?}");
	let mut after_honest = Number::default();
	for (name, altered) in HONEST {
		let miner = honest(altered).unwrap();
		let of = options(number("GRIDPROOF_CHECKS", 60), TOKENS);
		let scored = score(name, &*miner, &verifier, &of, &found.line).unwrap();
		println!("{scored:?}");
		assert_eq!(scored.alarms, 0, "{scored:?}");
		after_honest = scored.number;
		if altered.is_none() {
			assert_eq!((scored.mean, scored.unequal), (0, 0), "{scored:?}");
		}
	}
	for cheat in TrialCheat::ALL {
		let miner = cheating(cheat).unwrap();
		let of = options(OF_A_CHEAT, TOKENS);
		let scored = score(cheat.as_str(), &*miner, &verifier, &of, &found.line).unwrap();
		let within = found.found_within(scored.mean);
		println!("{scored:?}, computed {within:?}");
		assert!(scored.unequal > 0, "class exact sees none of {scored:?}");
		// The size of honest noise of 16 bits: class exact finds it, this one late.
		if cheat == TrialCheat::Quantised {
			continue;
		}
		// After each alarm the number begins again, so that they say after how many checks one comes.
		let within = within.and_then(|checks| u32::try_from(checks).ok());
		let within = within.expect("a figure above the line");
		assert!(within <= 5, "{scored:?}, {within} by {found:?}");
		assert!(scored.alarms * within * 2 >= OF_A_CHEAT, "{scored:?}, {within} by {found:?}");
		// However long it was honest before, it is found by the same check or an earlier one.
		let (miner, of) = (cheating(cheat).unwrap(), options(AFTER_HONEST, TOKENS));
		let name = cheat.as_str();
		let late = score_after(after_honest, name, &*miner, &verifier, &of, &found.line).unwrap();
		let is_as_soon = late.found_after.is_some() && late.found_after <= scored.found_after;
		assert!(is_as_soon, "{late:?}, at once {scored:?}");
	}
}

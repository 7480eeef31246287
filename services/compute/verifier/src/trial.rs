//! Cheats against the real engine, **for trials**: how they score, and after how many checks they are found.

use crate::calibrate::{NotCalibrated, Options, judged};
use gridproof_engine::{DEFAULT_MODEL, Engine, LocalEngine, TrialCheat, TrialMiner, TrialModel};
use gridproof_primitives::compute::checks::{ModelLine, Number};
use serde::Serialize;

/// How a miner of a trial scored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scored {
	/// What it did.
	pub miner: String,
	/// Checks.
	pub checks: u32,
	/// Tokens of the checked answers.
	pub tokens: u64,
	/// Of these, those that were the drawn ones.
	pub matches: u64,
	/// Mean of the figures, in millionths.
	pub mean: u64,
	/// Checks whose output is not that of the model to the last token: what class `exact` reports.
	pub unequal: u32,
	/// Checks until the number first passed the limit; `None` if it never did.
	pub found_after: Option<u32>,
	/// How often it passed the limit.
	pub alarms: u32,
	/// Number after the last check, in millionths.
	pub number: Number,
}

/// Miners of a trial that are honest: the verifier's engine itself, and two whose sums differ.
pub const HONEST: [(&str, Option<TrialModel>); 3] = [
	("the same engine", None),
	("another order of sums", Some(TrialModel::OtherOrder)),
	("16-bit numbers", Some(TrialModel::HalfPrecision)),
];

/// Returns the engine of an honest miner of a trial.
///
/// # Errors
/// [`NotCalibrated::Engine`].
pub fn honest(altered: Option<TrialModel>) -> Result<Box<dyn Engine>, NotCalibrated> {
	Ok(match altered {
		None => Box::new(LocalEngine::embedded()?),
		Some(altered) => Box::new(LocalEngine::for_trial(altered)?),
	})
}

/// Returns the engine of a miner that cheats.
///
/// # Errors
/// [`NotCalibrated::Engine`].
pub fn cheating(cheat: TrialCheat) -> Result<Box<dyn Engine>, NotCalibrated> {
	Ok(Box::new(TrialMiner::new(cheat)?))
}

/// Returns the requests of a trial: those of a calibration with other seeds than that.
pub fn options(checks: u32, max_tokens: u32) -> Options {
	Options { runs: checks, max_tokens, ..Options::of(DEFAULT_MODEL) }
}

/// Checks a miner as often as the options say, and scores it by a line.
///
/// # Errors
/// [`NotCalibrated::Engine`].
pub fn score(
	name: &str,
	miner: &dyn Engine,
	verifier: &dyn Engine,
	options: &Options,
	line: &ModelLine,
) -> Result<Scored, NotCalibrated> {
	score_after(Number::default(), name, miner, verifier, options, line)
}

/// The same of a miner whose number is what earlier checks have left of it.
///
/// # Errors
/// [`NotCalibrated::Engine`].
pub fn score_after(
	before: Number,
	name: &str,
	miner: &dyn Engine,
	verifier: &dyn Engine,
	options: &Options,
	line: &ModelLine,
) -> Result<Scored, NotCalibrated> {
	let mut scored = Scored {
		miner: name.to_string(),
		checks: 0,
		tokens: 0,
		matches: 0,
		mean: 0,
		unequal: 0,
		found_after: None,
		alarms: 0,
		number: before,
	};
	let mut sum = 0u64;
	for check in 0..options.runs {
		// Other requests than a calibration's.
		let of = check.saturating_add(1 << 24);
		let figures = judged(miner, verifier, options, of)?.figures(line.clip);
		scored.checks = scored.checks.saturating_add(1);
		scored.tokens = scored.tokens.saturating_add(figures.tokens.into());
		scored.matches = scored.matches.saturating_add(figures.matches.into());
		let is_equal = figures.matches == figures.tokens && figures.end == 0;
		scored.unequal = scored.unequal.saturating_add(u32::from(!is_equal));
		sum = sum.saturating_add(figures.figure());
		let (next, is_alarm) = scored.number.add(figures.figure(), line);
		scored.number = next;
		if is_alarm {
			scored.alarms = scored.alarms.saturating_add(1);
			scored.found_after = scored.found_after.or(Some(scored.checks));
		}
	}
	scored.mean = sum.checked_div(scored.checks.into()).unwrap_or(0);
	Ok(scored)
}

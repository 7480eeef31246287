//! The line of a model, from honest runs.
//!
//! Honest engines differ: another order of sums, another precision, another processor. One of them
//! answers, the verifier's own judges the answers, and what it finds is the noise that no honest miner
//! can be blamed for. The line lies above its mean, and the limit so far above the line that the number of
//! an honest miner passes it once in so many checks.

use gridproof_compute_api::protocol::Sampling;
use gridproof_engine::{Claim, Engine, EngineError, Input, Request, gumbel::Noise};
use gridproof_primitives::{
	H256,
	compute::checks::{LineClass, MAX_CLIP, ModelLine, Number, SeededFigures},
};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// Series of checks in which false alarms are counted.
const SERIES: u32 = 400;
/// Prompts of a calibration where none are named: beginnings of sentences, of several lengths.
pub const PROMPTS: [&str; 12] = [
	"It is a truth universally acknowledged, that",
	"\"Yes,\" said he,",
	"She had been",
	"Mr. Darcy",
	"The evening was spent chiefly in talking over Hertfordshire news,",
	"\"How can you",
	"They were interrupted by",
	"In the meantime,",
	"Nothing could be more",
	"Her mother",
	"On the following morning, before any of them were awake,",
	"\"My dear Miss Elizabeth,",
];

/// What a calibration is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
	/// Name of the model, as jobs have it.
	pub model: String,
	/// Honest answers that are judged.
	pub runs: u32,
	/// Most tokens of each.
	pub max_tokens: u32,
	/// Highest gap that counts, in millionths.
	pub clip: u32,
	/// Checks of an honest miner in which at most one false alarm is expected.
	pub checks: u32,
	/// Texts that are continued, one after another.
	pub prompts: Vec<String>,
	/// Temperatures in thousandths, one after another.
	pub temperatures: Vec<u32>,
}

impl Options {
	/// Returns the options of a model: 400 answers of 32 tokens, a clip of 8, one false alarm in 10,000
	/// checks.
	pub fn of(model: &str) -> Self {
		Self {
			model: model.to_string(),
			runs: 400,
			max_tokens: 32,
			clip: 8_000_000,
			checks: 10_000,
			prompts: PROMPTS.map(str::to_string).to_vec(),
			temperatures: vec![0, 700, 1_000],
		}
	}
}

/// What honest runs came to; all figures in millionths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Calibration {
	/// Name of the model.
	pub model: String,
	/// Answers that were judged.
	pub runs: u32,
	/// Their tokens.
	pub tokens: u64,
	/// Tokens that were the drawn ones.
	pub matches: u64,
	/// Mean of the answers' figures, rounded up.
	pub mean: u64,
	/// Their standard deviation, rounded up.
	pub spread: u64,
	/// The highest of them.
	pub highest: u64,
	/// Checks of an honest miner in which at most one false alarm is expected.
	pub checks: u32,
	/// Figure of the smallest cheat that is found within `finds_within` checks on average.
	pub finds_from: u64,
	/// What governance can set.
	pub line: ModelLine,
}

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub enum NotCalibrated {
	/// An engine does not do its part.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The answering engine states no token ids.
	#[error("the engine that answers states no token ids: its answers cannot be judged")]
	NoIds,
	/// There is nothing to be judged.
	#[error(
		"a calibration needs answers, tokens, prompts, temperatures, and a clip of 1 to {MAX_CLIP}"
	)]
	Nothing,
}

/// Returns a request of a calibration, by its number.
fn request(options: &Options, number: u32) -> Request {
	let pick =
		|length: usize| usize::try_from(number).unwrap_or(0).checked_rem(length).unwrap_or(0);
	let prompt = options.prompts.get(pick(options.prompts.len())).cloned().unwrap_or_default();
	let temperature = options.temperatures.get(pick(options.temperatures.len()));
	let sampling =
		Sampling { temperature_milli: temperature.copied().unwrap_or(0), ..Sampling::default() };
	let mut seed = H256::zero();
	seed.0.iter_mut().zip(number.to_le_bytes()).for_each(|(byte, from)| *byte = from);
	let input = Input::Text(prompt);
	let mut request = Request::new(&options.model, input, options.max_tokens, sampling);
	request.seed = Some(seed);
	request.extras.ids = true;
	request
}

/// Has one engine answer and another judge the answer.
///
/// # Errors
/// [`NotCalibrated::Engine`], [`NotCalibrated::NoIds`].
pub fn judged(
	miner: &dyn Engine,
	verifier: &dyn Engine,
	options: &Options,
	number: u32,
) -> Result<SeededFigures, NotCalibrated> {
	let request = request(options, number);
	let done = miner.complete(&request, &mut |_| ControlFlow::Continue(()))?;
	if !done.has_ids() {
		return Err(NotCalibrated::NoIds);
	}
	let claim = Claim {
		model: request.model,
		prompt: done.prompt_ids,
		output: done.tokens,
		max_tokens: request.max_tokens,
		sampling: request.sampling,
		seed: request.seed,
		choice: 0,
	};
	Ok(verifier.force(&claim)?.figures(options.clip))
}

/// Returns the line of a model: one engine answers as an honest miner, another judges as a verifier.
/// It blocks as long as both take.
///
/// # Errors
/// [`NotCalibrated`].
pub fn calibrate(
	miner: &dyn Engine,
	verifier: &dyn Engine,
	options: &Options,
) -> Result<Calibration, NotCalibrated> {
	let all: Result<Vec<SeededFigures>, NotCalibrated> =
		(0..options.runs).map(|number| judged(miner, verifier, options, number)).collect();
	line_of(options, &all?)
}

/// Returns the line that follows from the figures of honest answers.
///
/// # Errors
/// [`NotCalibrated::Nothing`].
pub fn line_of(options: &Options, all: &[SeededFigures]) -> Result<Calibration, NotCalibrated> {
	let is_possible = options.max_tokens > 0
		&& (1..=MAX_CLIP).contains(&options.clip)
		&& !options.prompts.is_empty()
		&& !options.temperatures.is_empty();
	let figures: Vec<u64> = all.iter().map(SeededFigures::figure).collect();
	let count = u64::try_from(figures.len()).unwrap_or(u64::MAX);
	if !is_possible || count == 0 {
		return Err(NotCalibrated::Nothing);
	}
	let sum = figures.iter().fold(0u64, |sum, figure| sum.saturating_add(*figure));
	let mean = sum.div_ceil(count);
	let squares = figures.iter().fold(0u128, |sum, figure| {
		let apart = u128::from(figure.abs_diff(mean));
		sum.saturating_add(apart.saturating_mul(apart))
	});
	let spread = u64::try_from((squares / u128::from(count)).isqrt()).unwrap_or(u64::MAX);
	let spread = spread.saturating_add(1);
	let highest = figures.iter().copied().max().unwrap_or(0);
	// One spread above the mean: what an honest miner adds on average is negative.
	let line = mean.saturating_add(spread);
	let limit = limit_of(&figures, line, options.checks).max(1);
	let finds_within = 5u32;
	let agreement = u32::try_from(line).unwrap_or(u32::MAX).min(options.clip);
	let tokens = all.iter().map(|one| u64::from(one.tokens)).fold(0, u64::saturating_add);
	let matches = all.iter().map(|one| u64::from(one.matches)).fold(0, u64::saturating_add);
	Ok(Calibration {
		model: options.model.clone(),
		runs: u32::try_from(count).unwrap_or(u32::MAX),
		tokens,
		matches,
		mean,
		spread,
		highest,
		checks: options.checks,
		finds_from: line.saturating_add(limit.div_ceil(finds_within.into())).saturating_add(1),
		line: ModelLine {
			class: LineClass::Seeded,
			line,
			limit,
			clip: options.clip,
			agreement,
			finds_within,
		},
	})
}

/// Returns a limit that the number of an honest miner passes in at most one of `checks` checks on
/// average: twice the highest number that was reached in long series of honest figures in a drawn order.
/// Twice, as a thousand answers do not show what happens once in ten thousand.
fn limit_of(figures: &[u64], line: u64, checks: u32) -> u64 {
	let endless = ModelLine {
		class: LineClass::Seeded,
		line,
		limit: u64::MAX,
		clip: MAX_CLIP,
		agreement: 0,
		finds_within: 1,
	};
	let count = u64::try_from(figures.len()).unwrap_or(u64::MAX).max(1);
	let mut noise = Noise::new(&H256::zero(), 0);
	let mut highest = 0u64;
	for series in 0..SERIES {
		let mut number = Number::default();
		// Each series is a part of the checks in which one alarm may be.
		for place in 0..checks.div_ceil(SERIES / 4) {
			let draw = noise.bits(series.into(), place) % count;
			let figure = figures.get(usize::try_from(draw).unwrap_or(0)).copied().unwrap_or(0);
			number = number.add(figure, &endless).0;
			highest = highest.max(number.0);
		}
	}
	highest.saturating_mul(2)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn seeded(clipped: u64) -> SeededFigures {
		SeededFigures { tokens: 1, clipped, matches: u32::from(clipped == 0), end: 0 }
	}

	#[test]
	fn a_line_lies_above_the_mean_and_its_limit_above_what_honest_answers_reach() {
		let options = Options::of("m");
		let all: Vec<SeededFigures> =
			(0..100).map(|n| seeded(if n % 10 == 0 { 1_000 } else { 0 })).collect();
		let found = line_of(&options, &all).unwrap();
		assert_eq!((found.runs, found.tokens, found.matches), (100, 100, 90));
		assert_eq!((found.mean, found.spread, found.highest), (100, 301, 1_000));
		assert_eq!(found.line.line, 401);
		assert!(found.line.limit >= 1_000, "{found:?}");
		assert!(found.line.check(5).is_ok());
		// An honest miner in ten thousand checks, in an order that was not drawn before.
		let (mut number, mut alarms) = (Number::default(), 0);
		let mut noise = Noise::new(&H256([9; 32]), 1);
		for check in 0..10_000 {
			let figure = if noise.bits(check, 0) % 10 == 0 { 1_000 } else { 0 };
			let (next, alarm) = number.add(figure, &found.line);
			number = next;
			alarms += u32::from(alarm);
		}
		assert_eq!(alarms, 0);
		// The smallest cheat that is to be found is, in time.
		let mut number = Number::default();
		let checks = (1..100).find(|_| {
			let (next, alarm) = number.add(found.finds_from, &found.line);
			number = next;
			alarm
		});
		assert!(checks.is_some_and(|checks| checks <= found.line.finds_within), "{checks:?}");
	}

	#[test]
	fn answers_without_any_gap_give_a_line_that_the_chain_takes() {
		let all = vec![seeded(0); 10];
		let found = line_of(&Options::of("m"), &all).unwrap();
		assert_eq!((found.mean, found.spread, found.line.line, found.line.limit), (0, 1, 1, 1));
		assert!(found.line.check(5).is_ok());
		assert!(line_of(&Options::of("m"), &[]).is_err());
	}
}

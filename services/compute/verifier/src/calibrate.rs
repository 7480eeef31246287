//! The line of a model, from honest runs.
//!
//! Honest engines differ: another order of sums, another precision, another processor. One of them
//! answers, the verifier's own judges the answers, and what it finds is the noise that no honest miner
//! can be blamed for. [`HonestTail`] makes line and limit of it.
//!
//! - **Requests differ as clients' do**: lengths down to one token, temperatures, nuclei. A client chooses them, and
//!   one who means ill of a miner chooses those at which noise weighs most.
//! - **The clip is the limit**, so that no one answer opens a dispute alone, however far off it is: a token at
//!   the edge of the nucleus is honest once in so many, and has a gap without bound.
//! - **Agreement** of two verifiers is measured where gaps are large: on answers with another seed than theirs.

use gridproof_compute_api::protocol::Sampling;
use gridproof_engine::{Claim, Engine, EngineError, Forced, Input, Request, gumbel::Noise};
use gridproof_primitives::{
	H256,
	compute::checks::{HonestTail, LineClass, MAX_CLIP, ModelLine, SeededFigures},
};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// Fewest honest answers that make a line: fewer show too little of what is rare.
pub const MIN_RUNS: u32 = 1_000;
/// One answer in so many is also judged with another seed, by both engines.
const COMPARED_ONE_IN: u32 = 16;
/// Within how many checks a line finds the smallest cheat that it is meant to find.
const FINDS_WITHIN: u32 = 5;
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
	/// Most tokens of an answer; each has this length, or half of it, or a quarter, down to one token.
	pub max_tokens: u32,
	/// Highest gap that counts, in millionths; without it what the noise allows.
	pub clip: Option<u32>,
	/// Checks within which an honest miner has a false alarm with a chance of at most one in a hundred.
	pub checks: u32,
	/// Texts that are continued.
	pub prompts: Vec<String>,
	/// Temperatures in thousandths.
	pub temperatures: Vec<u32>,
	/// Nuclei in thousandths.
	pub nuclei: Vec<u32>,
}

impl Options {
	/// Returns the options of a model: 4,000 answers of up to 32 tokens, no false alarm in 10,000 checks.
	pub fn of(model: &str) -> Self {
		Self {
			model: model.to_string(),
			runs: 4_000,
			max_tokens: 32,
			clip: None,
			checks: 10_000,
			prompts: PROMPTS.map(str::to_string).to_vec(),
			temperatures: vec![0, 300, 700, 1_000],
			nuclei: vec![1_000, 1_000, 900],
		}
	}

	fn are_possible(&self) -> bool {
		self.max_tokens > 0
			&& self.clip.is_none_or(|clip| (1..=MAX_CLIP).contains(&clip))
			&& !self.prompts.is_empty()
			&& !self.temperatures.is_empty()
			&& !self.nuclei.is_empty()
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
	/// Of these, those with any gap.
	pub with_gap: u32,
	/// Their tokens.
	pub tokens: u64,
	/// Tokens that were the drawn ones.
	pub matches: u64,
	/// Mean of the answers' figures, rounded up.
	pub mean: u64,
	/// The highest of them.
	pub highest: u64,
	/// Checks within which an honest miner has a false alarm with a chance of at most one in a hundred.
	pub checks: u32,
	/// Figure of the smallest cheat that is found within `finds_within` checks on average.
	pub finds_from: u64,
	/// What governance can set.
	pub line: ModelLine,
}

impl Calibration {
	/// Returns within how many checks a cheat is found whose answers have this figure on average; `None` if
	/// it is not above the line, and never found by it.
	pub fn found_within(&self, figure: u64) -> Option<u64> {
		found_within(&self.line, figure)
	}
}

/// Returns within how many checks a line finds a cheat whose answers have this figure on average; `None`
/// if it is not above the line, and never found by it.
pub fn found_within(line: &ModelLine, figure: u64) -> Option<u64> {
	let above = figure.checked_sub(line.line).filter(|above| *above > 0)?;
	line.limit.checked_div(above).map(|checks| checks.saturating_add(1))
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
		"a calibration needs answers, tokens, prompts, temperatures, nuclei, and a clip of 1 to {MAX_CLIP}"
	)]
	Nothing,
	/// Too few answers to know what is rare.
	#[error("a line needs at least {MIN_RUNS} honest answers: of {0} what is rare is not known")]
	TooFew(u64),
	/// No honest answer has a gap.
	#[error(
		"no honest answer has any gap, so nothing is known of the noise: let a second engine answer that \
		 differs as honest miners do, or have the model judged as exact"
	)]
	NoNoise,
}

/// Returns a request of a calibration, by its number.
fn request(options: &Options, number: u32) -> Request {
	let mut drawn = Noise::new(&H256::repeat_byte(0xca), 0);
	let mut pick = |of: u32, length: usize| {
		let length = u64::try_from(length).unwrap_or(u64::MAX);
		let place = drawn.bits(number.into(), of).checked_rem(length).unwrap_or(0);
		usize::try_from(place).unwrap_or(0)
	};
	let prompt = options.prompts.get(pick(0, options.prompts.len())).cloned();
	let temperature = options.temperatures.get(pick(1, options.temperatures.len()));
	let nucleus = options.nuclei.get(pick(2, options.nuclei.len()));
	let halvings = options.max_tokens.checked_ilog2().unwrap_or(0).saturating_add(1);
	let halved = u32::try_from(pick(3, usize::try_from(halvings).unwrap_or(1))).unwrap_or(0);
	let sampling = Sampling {
		temperature_milli: temperature.copied().unwrap_or(0),
		top_p_milli: nucleus.copied().unwrap_or(1_000),
		..Sampling::default()
	};
	let mut seed = H256::zero();
	seed.0.iter_mut().zip(number.to_le_bytes()).for_each(|(byte, from)| *byte = from);
	let input = Input::Text(prompt.unwrap_or_default());
	let most = options.max_tokens.checked_shr(halved).unwrap_or(0).max(1);
	let mut request = Request::new(&options.model, input, most, sampling);
	request.seed = Some(seed);
	request.extras.ids = true;
	request
}

/// Has an engine answer a request of a calibration.
///
/// # Errors
/// [`NotCalibrated::Engine`], [`NotCalibrated::NoIds`].
pub fn claimed(miner: &dyn Engine, options: &Options, number: u32) -> Result<Claim, NotCalibrated> {
	let request = request(options, number);
	let done = miner.complete(&request, &mut |_| ControlFlow::Continue(()))?;
	if !done.has_ids() {
		return Err(NotCalibrated::NoIds);
	}
	Ok(Claim {
		model: request.model,
		prompt: done.prompt_ids,
		output: done.tokens,
		max_tokens: request.max_tokens,
		sampling: request.sampling,
		seed: request.seed,
		choice: 0,
	})
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
) -> Result<Forced, NotCalibrated> {
	Ok(verifier.force(&claimed(miner, options, number)?)?)
}

/// What honest runs gave.
#[derive(Clone, Debug, Default)]
pub struct Honest {
	/// Each answer as it was judged.
	pub answers: Vec<Forced>,
	/// Of answers with another seed than theirs: gaps of both engines, token by token.
	pub compared: Vec<(Vec<u64>, Vec<u64>)>,
}

fn gaps(forced: &Forced) -> Vec<u64> {
	forced.tokens.iter().map(|judged| judged.gap_micro).collect()
}

impl Honest {
	/// Has one engine answer as an honest miner, and another judge as a verifier. It blocks as long as both
	/// take.
	///
	/// # Errors
	/// [`NotCalibrated::Engine`], [`NotCalibrated::NoIds`].
	pub fn run(
		miner: &dyn Engine,
		verifier: &dyn Engine,
		options: &Options,
	) -> Result<Self, NotCalibrated> {
		let mut honest = Self::default();
		for number in 0..options.runs {
			let claim = claimed(miner, options, number)?;
			honest.answers.push(verifier.force(&claim)?);
			if number % COMPARED_ONE_IN == 0 && claim.sampling.temperature_milli > 0 {
				let mut other = claim;
				let seed = other.seed.get_or_insert_default();
				seed.0.iter_mut().for_each(|byte| *byte = !*byte);
				// Not every engine that answers can judge.
				if let Ok(theirs) = miner.force(&other) {
					honest.compared.push((gaps(&verifier.force(&other)?), gaps(&theirs)));
				}
			}
		}
		Ok(honest)
	}

	/// The highest gap that has a bound, in millionths.
	fn highest_gap(&self) -> u32 {
		let of = |forced: &Forced| {
			let all = gaps(forced).into_iter().chain([forced.end_gap_micro]);
			all.filter(|gap| *gap < u64::MAX).max().unwrap_or(0)
		};
		let highest = self.answers.iter().map(of).max().unwrap_or(0);
		u32::try_from(highest).unwrap_or(u32::MAX).clamp(1, MAX_CLIP)
	}

	fn figures(&self, clip: u32) -> Vec<SeededFigures> {
		self.answers.iter().map(|forced| forced.figures(clip)).collect()
	}

	/// Highest mean difference of two honest engines' gaps, in millionths; `None` if it was not measured.
	fn difference(&self, clip: u32) -> Option<u64> {
		let clipped = |gap: &u64| (*gap).min(clip.into());
		let mean = |(ours, theirs): &(Vec<u64>, Vec<u64>)| {
			let pairs = ours.iter().zip(theirs);
			let apart = pairs.map(|(one, other)| clipped(one).abs_diff(clipped(other)));
			let length = u64::try_from(ours.len()).unwrap_or(u64::MAX);
			apart.sum::<u64>().div_ceil(length.max(1))
		};
		self.compared.iter().map(mean).max()
	}
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
	if !options.are_possible() {
		return Err(NotCalibrated::Nothing);
	}
	line_of(options, &Honest::run(miner, verifier, options)?)
}

/// Returns what the figures of answers come to, and their tail.
fn tail_of(honest: &Honest, clip: u32) -> Result<(Vec<u64>, HonestTail), NotCalibrated> {
	let figures: Vec<u64> = honest.figures(clip).iter().map(SeededFigures::figure).collect();
	let tail = HonestTail::of(&figures).ok_or(NotCalibrated::NoNoise)?;
	Ok((figures, tail))
}

/// Returns the line that follows from honest answers.
///
/// # Errors
/// [`NotCalibrated::Nothing`], [`NotCalibrated::TooFew`], [`NotCalibrated::NoNoise`].
pub fn line_of(options: &Options, honest: &Honest) -> Result<Calibration, NotCalibrated> {
	let count = u64::try_from(honest.answers.len()).unwrap_or(u64::MAX);
	if !options.are_possible() || count == 0 {
		return Err(NotCalibrated::Nothing);
	}
	if count < MIN_RUNS.into() {
		return Err(NotCalibrated::TooFew(count));
	}
	let whole = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX).min(MAX_CLIP);
	let clip = match options.clip {
		Some(clip) => clip,
		None => {
			let highest = honest.highest_gap();
			let (_, tail) = tail_of(honest, highest)?;
			whole(tail.limit(options.checks)).max(highest)
		},
	};
	let (figures, tail) = tail_of(honest, clip)?;
	// The chain takes none at the clip: then every answer is below it.
	let line = tail.line().min(u64::from(clip).saturating_sub(1)).max(1);
	let limit = tail.limit(options.checks).max(clip.into());
	let finds_from = line.saturating_add(limit.div_ceil(FINDS_WITHIN.into())).saturating_add(1);
	// Twice what was seen. Where it was not: half of what the smallest cheat would differ by.
	let agreement = match honest.difference(clip) {
		Some(seen) => seen.saturating_mul(2).max(1),
		None => finds_from / 2,
	};
	let all = honest.figures(clip);
	let tokens = all.iter().map(|one| u64::from(one.tokens)).fold(0, u64::saturating_add);
	let matches = all.iter().map(|one| u64::from(one.matches)).fold(0, u64::saturating_add);
	let sum = figures.iter().fold(0u64, |sum, figure| sum.saturating_add(*figure));
	let with_gap = figures.iter().filter(|figure| **figure > 0).count();
	Ok(Calibration {
		model: options.model.clone(),
		runs: u32::try_from(count).unwrap_or(u32::MAX),
		with_gap: u32::try_from(with_gap).unwrap_or(u32::MAX),
		tokens,
		matches,
		mean: sum.div_ceil(count),
		highest: figures.iter().copied().max().unwrap_or(0),
		checks: options.checks,
		finds_from,
		line: ModelLine {
			class: LineClass::Seeded,
			line,
			limit,
			clip,
			agreement: whole(agreement).min(clip),
			finds_within: FINDS_WITHIN,
		},
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_engine::sampler::Judged;
	use gridproof_primitives::compute::checks::Number;

	/// An answer of one token with a gap.
	fn answer(gap_micro: u64) -> Forced {
		let drawn = u32::from(gap_micro > 0);
		Forced {
			tokens: vec![Judged { claimed: 0, drawn, gap_micro }],
			logits: vec![0],
			end: Some((1, gridproof_compute_api::protocol::Finish::Length)),
			end_gap_micro: 0,
		}
	}

	fn honest(gaps: impl IntoIterator<Item = u64>) -> Honest {
		Honest { answers: gaps.into_iter().map(answer).collect(), compared: Vec::new() }
	}

	#[test]
	fn an_honest_miner_has_no_alarm_and_the_smallest_cheat_is_found_in_time() {
		let options = Options::of("m");
		let mut noise = Noise::new(&H256([9; 32]), 1);
		let mut gap = |check: u64| match noise.bits(check, 0) % 50 {
			0 => 100 + noise.bits(check, 1) % 1_000,
			_ => 0,
		};
		let found = line_of(&options, &honest((0..2_000).map(&mut gap))).unwrap();
		assert_eq!((found.runs, found.tokens), (2_000, 2_000));
		assert!(found.mean > 0 && found.mean < found.line.line, "{found:?}");
		assert!(found.highest > 1_000 && found.highest < found.line.limit, "{found:?}");
		assert!(found.line.limit >= found.line.clip.into(), "one answer is never enough");
		assert!(found.line.check(5).is_ok());
		let mut number = Number::default();
		for check in 2_000..22_000 {
			let (next, alarm) = number.add(gap(check), &found.line);
			assert!(!alarm, "check {check} by {found:?}");
			number = next;
		}
		for figure in [found.finds_from, found.finds_from * 2] {
			let mut number = Number::default();
			let checks = (1u64..100).find(|_| {
				let (next, alarm) = number.add(figure, &found.line);
				number = next;
				alarm
			});
			assert_eq!(checks, found.found_within(figure), "{found:?}");
			assert!(checks <= Some(found.line.finds_within.into()), "{found:?}");
		}
		assert_eq!(found.found_within(found.line.line), None);
	}

	#[test]
	fn a_token_at_the_edge_of_the_nucleus_alone_opens_no_dispute() {
		let gaps = (0..2_000u64).map(|n| if n % 100 == 0 { 50 + n } else { 0 });
		let found = line_of(&Options::of("m"), &honest(gaps)).unwrap();
		let without_bound = answer(u64::MAX).figures(found.line.clip).figure();
		assert_eq!(without_bound, u64::from(found.line.clip));
		assert!(!Number::default().add(without_bound, &found.line).1, "{found:?}");
	}

	#[test]
	fn what_shows_too_little_gives_no_line() {
		let options = Options::of("m");
		let of = |honest: &Honest| line_of(&options, honest).unwrap_err();
		assert!(matches!(of(&honest(vec![0; 1_000])), NotCalibrated::NoNoise));
		assert!(matches!(of(&honest(vec![1; 999])), NotCalibrated::TooFew(999)));
		assert!(matches!(of(&Honest::default()), NotCalibrated::Nothing));
		let none = Options { nuclei: Vec::new(), ..options.clone() };
		assert!(line_of(&none, &honest(vec![1; 1_000])).is_err());
	}

	#[test]
	fn two_verifiers_agree_within_twice_what_honest_ones_differed_by() {
		let mut all = honest((0..1_000).map(|n| n % 2));
		let unmeasured = line_of(&Options::of("m"), &all).unwrap();
		assert!(u64::from(unmeasured.line.agreement) < unmeasured.finds_from);
		all.compared = vec![(vec![100, 7], vec![90, 7]), (vec![5], vec![4])];
		let clip = Some(1_000);
		let found = line_of(&Options { clip, ..Options::of("m") }, &all).unwrap();
		assert_eq!(found.line.agreement, 10);
	}

	#[test]
	fn requests_of_a_calibration_differ_and_are_always_the_same() {
		let options = Options::of("m");
		let all: Vec<Request> = (0..64).map(|number| request(&options, number)).collect();
		let again = request(&options, 5);
		assert_eq!((&again.input, again.max_tokens), (&all[5].input, all[5].max_tokens));
		for most in [1, 2, 4, 8, 16, 32] {
			assert!(all.iter().any(|one| one.max_tokens == most), "none of {most} tokens");
		}
		assert!(all.iter().any(|one| one.sampling.top_p_milli < 1_000));
		assert!(all.iter().any(|one| one.sampling.temperature_milli == 0));
	}
}

//! An opened receipt, done again: one forced pass over prompt and claimed output.

use gridproof_compute_api::opening::Opened;
use gridproof_engine::{Claim, Engine, EngineError, Forced, inputs};
use gridproof_primitives::compute::checks::{
	Figures, LineClass, MAX_SHOWN_FIGURES, ModelLine, SeededFigures, TokenFigures,
};

/// What a check measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
	/// What is reported.
	pub figures: Figures,
	/// The verifier's own figures, to which the report commits.
	pub own: TokenFigures,
}

/// Why a receipt cannot be checked by this engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMeasured {
	/// The engine does not do it, now or at all.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// What the miner answered is not part of the receipt, so that nothing can be compared.
	#[error("vectors are not part of a receipt: they cannot be checked by it")]
	Vectors,
	/// Several answers to one request, whose ends the engine does not see.
	#[error("the engine does not see where each of several answers ends")]
	Several,
}

impl NotMeasured {
	/// Returns `true` if the same may succeed later.
	pub const fn is_temporary(&self) -> bool {
		matches!(self, Self::Engine(error) if error.is_temporary())
	}
}

/// Gaps and logits of all answers, one after another.
#[derive(Default)]
struct Passes {
	gaps: Vec<u64>,
	logits: Vec<u32>,
	end: u64,
}

impl Passes {
	fn add(&mut self, forced: &Forced, count: usize) {
		self.gaps.extend(forced.tokens.iter().take(count).map(|judged| judged.gap_micro));
		self.logits.extend(forced.logits.iter().take(count));
	}

	/// Tokens that nobody asked for.
	fn add_strange(&mut self, count: usize) {
		self.gaps.extend(std::iter::repeat_n(u64::MAX, count));
		self.logits.extend(std::iter::repeat_n(0, count));
	}

	fn measured(self, line: &ModelLine) -> Measured {
		let clipped = |gap: u64| u32::try_from(gap).unwrap_or(u32::MAX).min(line.clip);
		let most = usize::try_from(MAX_SHOWN_FIGURES).unwrap_or(usize::MAX);
		let (figures, mut own) = match line.class {
			LineClass::Exact => {
				let equal = self.end == 0 && self.gaps.iter().all(|gap| *gap == 0);
				let own: Vec<u32> = std::iter::once(u32::from(equal)).chain(self.logits).collect();
				(Figures::Exact { equal }, own)
			},
			LineClass::Seeded | LineClass::Embedding => {
				let own = self.gaps.iter().copied().map(clipped).collect();
				let figures = SeededFigures::of(self.gaps, self.end, line.clip);
				(Figures::Seeded(figures), own)
			},
		};
		own.truncate(most);
		Measured { figures, own: own.try_into().unwrap_or_default() }
	}
}

/// Does the work of a receipt again, and returns what it measures by the line of the receipt's model.
/// It blocks as long as the engine takes.
///
/// # Errors
/// [`NotMeasured`]. A claim that no engine can have made is none: it is measured as one.
pub fn repeat(
	engine: &dyn Engine,
	opened: &Opened,
	line: &ModelLine,
) -> Result<Measured, NotMeasured> {
	if line.class == LineClass::Embedding {
		return Err(NotMeasured::Vectors);
	}
	let (spec, output) = (&opened.spec, &opened.tokens.output);
	let mut passes = Passes::default();
	// Other prompts than the request's are other work.
	let inputs = inputs(spec)?;
	let read = inputs.iter().map(|input| engine.tokenize(&spec.model, input));
	let prompts = match read.collect::<Result<Vec<_>, _>>() {
		Ok(prompts) => Some(prompts),
		Err(error) if error.is_requests_own() => None,
		Err(error) => return Err(error.into()),
	};
	let prompts = prompts.filter(|all| all.iter().flatten().eq(&opened.tokens.prompt));
	let Some(prompts) = prompts else {
		passes.add_strange(output.len());
		passes.end = u64::MAX;
		return Ok(passes.measured(line));
	};
	if spec.task.is_embedding() {
		passes.add_strange(output.len());
		return Ok(passes.measured(line));
	}
	let answers = spec.answers();
	let mut rest = &output[..];
	let mut number = 0u32;
	for prompt in &prompts {
		for _ in 0..spec.further.n {
			let is_last = u64::from(number).saturating_add(1) == answers;
			let taken = answer(engine, opened, prompt, number, rest, is_last, &mut passes)?;
			rest = rest.get(taken..).unwrap_or_default();
			number = number.saturating_add(1);
		}
	}
	if !rest.is_empty() {
		passes.add_strange(rest.len());
		passes.end = u64::MAX;
	}
	Ok(passes.measured(line))
}

/// Judges one answer, the beginning of what is left; returns how many tokens it has.
fn answer(
	engine: &dyn Engine,
	opened: &Opened,
	prompt: &[u32],
	choice: u32,
	rest: &[u32],
	is_last: bool,
	passes: &mut Passes,
) -> Result<usize, NotMeasured> {
	let spec = &opened.spec;
	let most = usize::try_from(spec.max_tokens).unwrap_or(usize::MAX);
	let output = if is_last { rest } else { rest.get(..most).unwrap_or(rest) };
	let claim = Claim {
		model: spec.model.clone(),
		prompt: prompt.to_vec(),
		output: output.to_vec(),
		max_tokens: spec.max_tokens,
		sampling: spec.sampling.clone(),
		seed: Some(opened.seed),
		choice,
	};
	let forced = match engine.force(&claim) {
		Ok(forced) => forced,
		// More than the model reads, or tokens that it does not have.
		Err(error) if error.is_requests_own() => {
			passes.add_strange(output.len());
			passes.end = u64::MAX;
			return Ok(output.len());
		},
		Err(error) => return Err(error.into()),
	};
	if is_last {
		passes.add(&forced, output.len());
		passes.end = passes.end.max(forced.end_gap_micro);
		return Ok(output.len());
	}
	match forced.end {
		Some((after, _)) => {
			let count = usize::try_from(after).unwrap_or(usize::MAX).min(output.len());
			passes.add(&forced, count);
			Ok(count)
		},
		// A server does not say where an answer ends that is not the last one.
		None if forced.end_gap_micro == 0 && !output.is_empty() => Err(NotMeasured::Several),
		None => {
			passes.add(&forced, output.len());
			passes.end = passes.end.max(forced.end_gap_micro);
			Ok(output.len())
		},
	}
}

/// Returns how many tokens of prompt and output a check passes over.
pub fn tokens_of(opened: &Opened) -> u64 {
	let count = |tokens: &[u32]| u64::try_from(tokens.len()).unwrap_or(u64::MAX);
	count(&opened.tokens.prompt).saturating_add(count(&opened.tokens.output))
}

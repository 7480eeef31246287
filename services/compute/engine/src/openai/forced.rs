//! A claimed answer, judged by a server that lists how likely the tokens of a prompt were.

use crate::{
	error::EngineError,
	forced::{Claim, Forced},
	sampler::Chooser,
};
use gridproof_compute_api::protocol::Finish;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Likeliest tokens that are asked for at each place: what vLLM lists unless it is started with another
/// `--max-logprobs`. The token that stands there comes beside them.
const LISTED: u8 = 20;

/// Checks that a claim can be judged at all.
///
/// # Errors
/// [`EngineError::BadRequest`].
pub(super) fn check(claim: &Claim) -> Result<(), EngineError> {
	if claim.prompt.is_empty() {
		return Err(EngineError::BadRequest("a prompt without tokens".to_string()));
	}
	if claim.max_tokens == 0 && !claim.output.is_empty() {
		return Err(EngineError::BadRequest("more tokens than were asked for".to_string()));
	}
	Ok(())
}

/// Returns the token that would have to end an answer behind its last one: the model's own end, if it is
/// known, unless the answer has it or could not be longer.
fn missing_end(claim: &Claim, end: Option<u32>) -> Option<u32> {
	let made = u32::try_from(claim.output.len()).unwrap_or(u32::MAX);
	// A stop text ends an answer too, and servers do not say whether it did.
	let may_stop = !claim.sampling.stop.is_empty();
	end.filter(|end| made < claim.max_tokens && !may_stop && claim.output.last() != Some(end))
}

/// Returns the body of a request for one pass over prompt and claimed output, and the model's `end` where
/// that should have come.
pub(super) fn body_of(claim: &Claim, served: &str, end: Option<u32>) -> Value {
	let end = missing_end(claim, end);
	let all: Vec<u32> = claim.prompt.iter().chain(&claim.output).copied().chain(end).collect();
	json!({
		"model": served,
		"prompt": all,
		// A server makes at least one token; it is passed over.
		"max_tokens": 1,
		"temperature": 0.0,
		"prompt_logprobs": LISTED,
		"stream": false,
	})
}

/// What comes back.
#[derive(Deserialize)]
pub(super) struct ForcedAnswer {
	#[serde(default)]
	choices: Vec<Choice>,
	/// As some versions have it.
	#[serde(default)]
	prompt_logprobs: Option<Listed>,
}

#[derive(Deserialize)]
struct Choice {
	#[serde(default)]
	prompt_logprobs: Option<Listed>,
}

/// Of each place the tokens with their probabilities; none of the first.
type Listed = Vec<Option<BTreeMap<String, Entry>>>;

#[derive(Deserialize)]
struct Entry {
	logprob: f64,
}

impl ForcedAnswer {
	/// Returns what is drawn at each place of the claimed output; `None` if the server did not list
	/// them all.
	pub(super) fn judged(self, claim: &Claim, end: Option<u32>) -> Option<Forced> {
		let of_choice = self.choices.into_iter().next().and_then(|choice| choice.prompt_logprobs);
		let listed = of_choice.or(self.prompt_logprobs)?;
		let end = missing_end(claim, end);
		let claimed: Vec<u32> = claim.output.iter().copied().chain(end).collect();
		if listed.len() != claim.prompt.len().saturating_add(claimed.len()) {
			return None;
		}
		let mut chooser = Chooser::new(&claim.sampling, claim.seed.as_ref(), claim.choice);
		let places = listed.into_iter().skip(claim.prompt.len()).zip(&claimed);
		let judged = (0u64..).zip(places).map(|(position, (listed, claimed))| {
			let read = |(id, entry): (String, Entry)| Some((id.parse().ok()?, entry.logprob));
			let listed: Vec<(u32, f64)> = listed?.into_iter().map(read).collect::<Option<_>>()?;
			let own = listed.iter().find(|(token, _)| token == claimed)?.1;
			Some((chooser.judge_listed(position, &listed, *claimed), (own as f32).to_bits()))
		});
		let mut judged: Vec<_> = judged.collect::<Option<_>>()?;
		let made = u32::try_from(claim.output.len()).ok()?;
		let end_gap_micro = match end {
			Some(_) => judged.pop()?.0.gap_micro,
			None if made > claim.max_tokens => u64::MAX,
			None => 0,
		};
		let (tokens, logits) = judged.into_iter().unzip();
		let end = (made == claim.max_tokens).then_some((made, Finish::Length));
		Some(Forced { tokens, logits, end, end_gap_micro })
	}
}

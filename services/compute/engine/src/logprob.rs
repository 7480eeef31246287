//! How likely the tokens of an answer were.

use crate::ops::{exp, ln};
use serde_json::{Value, json};

/// A token that could have stood at a place, and how likely it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Likely {
	/// Its number in the model's vocabulary, where the engine states it.
	pub id: Option<u32>,
	/// The bytes that it stands for; perhaps only a part of a character.
	pub bytes: Vec<u8>,
	/// Natural logarithm of its probability, by the model alone: before temperature and nucleus.
	pub logprob: f64,
}

/// A token of an answer, how likely it was, and what was likeliest there.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenLogprob {
	/// The token that was chosen.
	pub token: Likely,
	/// The likeliest tokens, the likeliest first; as many as were asked for.
	pub top: Vec<Likely>,
}

impl Likely {
	/// Returns it as OpenAI's `logprobs` of a conversation have it.
	fn to_json(&self) -> Value {
		let token = String::from_utf8_lossy(&self.bytes);
		json!({ "token": token, "logprob": self.logprob, "bytes": self.bytes })
	}
}

impl TokenLogprob {
	/// Returns it as an entry of `content` of OpenAI's `logprobs` of a conversation.
	pub fn to_json(&self) -> Value {
		let mut entry = self.token.to_json();
		entry["top_logprobs"] = self.top.iter().map(Likely::to_json).collect();
		entry
	}

	/// Returns what the logits of one place say about `token` and about the `top` likeliest.
	pub fn of(logits: &[f32], token: u32, top: u8, bytes: impl Fn(u32) -> Vec<u8>) -> Self {
		let most = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
		let sum: f64 = logits.iter().map(|logit| exp(f64::from(*logit) - most)).sum();
		let whole = most + ln(sum);
		let likely = |id: u32, logit: f32| Likely {
			id: Some(id),
			bytes: bytes(id),
			logprob: f64::from(logit) - whole,
		};
		let mut ranked: Vec<(u32, f32)> = (0u32..).zip(logits.iter().copied()).collect();
		let own = ranked.iter().find(|(id, _)| *id == token).map_or(f32::NEG_INFINITY, |(_, l)| *l);
		ranked.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
		let top =
			ranked.into_iter().take(top.into()).map(|(id, logit)| likely(id, logit)).collect();
		Self { token: likely(token, own), top }
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_logarithms_are_those_of_the_probabilities() {
		let logits = [0.0, 1.0f32, 2.0];
		let found = TokenLogprob::of(&logits, 0, 2, |id| vec![u8::try_from(id).unwrap()]);
		let near = |likely: &Likely, id: u32, probability: f64| {
			assert_eq!(
				(likely.id, &likely.bytes[..]),
				(Some(id), &[u8::try_from(id).unwrap()][..])
			);
			assert!((likely.logprob - probability.ln()).abs() < 1e-4, "{likely:?}");
		};
		near(&found.token, 0, 0.090_03);
		near(&found.top[0], 2, 0.665_24);
		near(&found.top[1], 1, 0.244_73);
		assert_eq!(found.top.len(), 2);
		let shown = found.to_json();
		assert_eq!((&shown["token"], &shown["bytes"]), (&json!("\0"), &json!([0])));
		assert_eq!(shown["top_logprobs"][0]["token"], "\u{2}");
	}
}

//! What a request asks for beyond one text, and the answers to it.
//!
//! JSON of OpenAI's interface that only an engine reads (tools, the form of an answer) is kept as the
//! text of its JSON, without blanks: a specification holds no float and has one form to be hashed.

use super::finish::Finish;
use gridproof_primitives::{H256, codec::json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sp_crypto_hashing::sha2_256;
use utoipa::ToSchema;

/// Most answers to one prompt.
pub const MAX_N: u32 = 16;
/// Most answers to one request: prompts times answers to each.
pub const MAX_ANSWERS: u32 = 64;
/// Most likeliest tokens that are named at each place.
pub const MAX_LOGPROBS: u8 = 20;
/// Most tokens that the description of tools adds to a prompt, beside their text.
pub(super) const TOOL_TOKENS: u64 = 512;
/// Limits of JSON that only an engine reads.
const LIMITS: json::Limits = json::Limits { max_bytes: 1 << 20, max_depth: 32 };

/// What a request asks for beyond one text. By default nothing is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Further {
	/// Answers to each prompt, 1 to 16 (OpenAI's `n`).
	#[schema(minimum = 1, maximum = 16)]
	pub n: u32,
	/// Logarithms of the probabilities of the answers' tokens, and of so many likeliest ones at each
	/// place, 0 to 20.
	#[serde(skip_serializing_if = "Option::is_none")]
	#[schema(maximum = 20)]
	pub logprobs: Option<u8>,
	/// OpenAI's `tools`: JSON as text.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub tools: Option<String>,
	/// OpenAI's `tool_choice`: JSON as text.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub tool_choice: Option<String>,
	/// OpenAI's `response_format`: JSON as text.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub response_format: Option<String>,
}

impl Default for Further {
	fn default() -> Self {
		Self { n: 1, logprobs: None, tools: None, tool_choice: None, response_format: None }
	}
}

impl Further {
	/// Returns `true` if nothing is asked for.
	pub fn is_nothing(&self) -> bool {
		*self == Self::default()
	}

	/// Its JSON, by OpenAI's names.
	pub fn documents(&self) -> [(&'static str, Option<&str>); 3] {
		[
			("tools", self.tools.as_deref()),
			("tool_choice", self.tool_choice.as_deref()),
			("response_format", self.response_format.as_deref()),
		]
	}

	/// Returns the name of the first JSON that is none, or is nested too deep.
	pub fn malformed(&self) -> Option<&'static str> {
		let is_bad =
			|(_, text): &(&'static str, Option<&str>)| text.is_some_and(|text| !is_document(text));
		self.documents().into_iter().find(is_bad).map(|(name, _)| name)
	}

	/// Returns the most tokens that it adds to a prompt.
	pub(super) fn prompt_tokens(&self) -> u64 {
		let texts = self.documents().into_iter().filter_map(|(_, text)| text);
		let bytes = texts.fold(0u64, |sum, text| {
			sum.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX))
		});
		bytes.saturating_add(if self.tools.is_some() { TOOL_TOKENS } else { 0 })
	}

	/// Returns the hash of it and of stop texts, as the output root has it: SHA-256 of the canonical JSON
	/// of an object with those of `logprobs`, `n`, `response_format`, `stop`, `tool_choice` and `tools`
	/// that a request states; zero if it states none.
	pub fn hash_with(&self, stop: &[String]) -> H256 {
		let mut all = Map::new();
		if !stop.is_empty() {
			all.insert("stop".to_string(), Value::from(stop));
		}
		if self.n != 1 {
			all.insert("n".to_string(), Value::from(self.n));
		}
		if let Some(top) = self.logprobs {
			all.insert("logprobs".to_string(), Value::from(top));
		}
		for (name, text) in self.documents() {
			if let Some(text) = text {
				let value = serde_json::from_str(text).unwrap_or(Value::Null);
				all.insert(name.to_string(), value);
			}
		}
		if all.is_empty() {
			return H256::zero();
		}
		let limits = json::Limits { max_bytes: usize::MAX, max_depth: 64 };
		let text = serde_json::to_vec(&all).unwrap_or_default();
		let value = json::parse(&text, limits).map(|value| value.to_canonical());
		H256(sha2_256(value.unwrap_or_default().as_bytes()))
	}
}

/// Returns `true` of a text that is JSON and not nested too deep.
pub fn is_document(text: &str) -> bool {
	json::parse(text.as_bytes(), LIMITS).is_ok()
}

/// One of several answers, or one that is more than a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
	/// Text of the answer, without the stop text that ended it.
	pub text: String,
	/// Whether the model was done, or ran into a limit. An answer that calls tools is done.
	pub finish: Finish,
	/// Calls of tools: OpenAI's `tool_calls`, JSON as text.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub tool_calls: Option<String>,
	/// Logarithms of the tokens' probabilities: the list `content` of OpenAI's `logprobs` of a
	/// conversation, JSON as text.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub logprobs: Option<String>,
}

/// What of a request bounds its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
	/// Most tokens of each answer.
	pub max_tokens: u32,
	/// Number of prompts.
	pub prompts: u64,
	/// Answers to each prompt.
	pub n: u64,
	/// `true` if it has tools.
	pub has_tools: bool,
}

impl Extent {
	/// Returns that of a request for one answer of at most so many tokens.
	pub const fn one(max_tokens: u32) -> Self {
		Self { max_tokens, prompts: 1, n: 1, has_tools: false }
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_is_asked_for_is_hashed_as_one_canonical_object() {
		let mut further = Further::default();
		assert!(further.is_nothing());
		assert_eq!(further.hash_with(&[]), H256::zero());
		let hash = |text: &str| H256(sha2_256(text.as_bytes()));
		let stop = ["END".to_string()];
		assert_eq!(further.hash_with(&stop), hash(r#"{"stop":["END"]}"#));
		further.n = 2;
		further.tools = Some(r#"[{"type":"function","b":0.5,"a":"é"}]"#.to_string());
		let all = r#"{"n":2,"stop":["END"],"tools":[{"a":"\u00e9","b":0.5,"type":"function"}]}"#;
		assert_eq!(further.hash_with(&stop), hash(all));
		further.logprobs = Some(0);
		assert_ne!(further.hash_with(&stop), hash(all), "asked for with no likeliest ones");
	}

	#[test]
	fn what_is_no_json_is_found_by_its_name() {
		let with =
			|text: &str| Further { response_format: Some(text.to_string()), ..Further::default() };
		assert_eq!(with(r#"{"type":"json_object"}"#).malformed(), None);
		assert_eq!(with("{").malformed(), Some("response_format"));
		assert_eq!(with(&"[".repeat(40)).malformed(), Some("response_format"));
		let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
		assert_eq!(with(&deep).malformed(), Some("response_format"));
	}

	#[test]
	fn nothing_asked_for_leaves_no_trace_in_json() {
		let text = serde_json::to_string(&Further { n: 3, ..Further::default() }).unwrap();
		assert_eq!(text, r#"{"n":3}"#);
		assert_eq!(serde_json::from_str::<Further>("{}").unwrap(), Further::default());
		assert!(serde_json::from_str::<Further>(r#"{"m":1}"#).is_err());
	}
}

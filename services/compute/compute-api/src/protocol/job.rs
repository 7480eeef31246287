//! What is to be done, what came out, what it costs.

use gridproof_primitives::{H256, codec::json};
use serde::{Deserialize, Serialize};
use sp_crypto_hashing::sha2_256;
use utoipa::ToSchema;

/// The version of job specifications.
pub const SPEC_VERSION: u32 = 1;

/// Most tokens that a chat template may add to a prompt, and per message.
const TEMPLATE_TOKENS: u64 = 64;
const MESSAGE_TOKENS: u64 = 8;

/// What is to be done. Its hash is in the quote, so that nobody can exchange it afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
	/// [`SPEC_VERSION`].
	#[schema(minimum = 1, maximum = 1)]
	pub version: u32,
	/// Name of the model, as `/v1/models` lists it.
	pub model: String,
	/// What the model is asked for.
	pub task: Task,
	/// Most tokens to generate; 0 for embeddings.
	pub max_tokens: u32,
	/// How tokens are chosen.
	#[serde(default)]
	pub sampling: Sampling,
}

/// A task for a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Task {
	/// Answer the last message.
	Chat {
		/// The conversation, oldest message first.
		#[schema(min_items = 1)]
		messages: Vec<Message>,
	},
	/// Continue a text.
	Completion {
		/// The text to continue.
		#[schema(min_length = 1)]
		prompt: String,
	},
	/// Vectors of texts.
	Embedding {
		/// The texts, at most 256, none of them empty; each gets a vector.
		#[schema(min_items = 1, max_items = 256)]
		input: Vec<String>,
	},
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
	/// `system`, `developer`, `user` or `assistant`.
	#[schema(pattern = "^(system|developer|user|assistant)$")]
	pub role: String,
	/// What it says.
	pub content: String,
}

/// How tokens are chosen. It holds no float, so that it can be hashed and signed: the same
/// specification has to give the same answer on the same engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sampling {
	/// Temperature in thousandths, 0 to 2000; 0 takes the likeliest token.
	#[schema(maximum = 2_000)]
	pub temperature_milli: u32,
	/// Nucleus in thousandths, 1 to 1000: only the likeliest tokens that have this share of the
	/// probability together are taken.
	#[schema(minimum = 1, maximum = 1_000)]
	pub top_p_milli: u32,
	/// Seed of the random choices, below 2⁶³.
	pub seed: u64,
	/// Texts that end the answer, at most 4, of 1 to 256 bytes each; they are not part of it.
	#[schema(max_items = 4)]
	pub stop: Vec<String>,
}

impl Default for Sampling {
	fn default() -> Self {
		Self { temperature_milli: 0, top_p_milli: 1000, seed: 0, stop: Vec::new() }
	}
}

impl JobSpec {
	/// Its canonical JSON: sorted keys, no blanks, ASCII.
	pub fn canonical(&self) -> String {
		canonical(self)
	}

	/// Hash of its canonical JSON, as quotes carry it.
	pub fn hash(&self) -> H256 {
		H256(sha2_256(self.canonical().as_bytes()))
	}

	/// Most tokens its prompt can have with any tokenizer of bytes or more: one each byte, and
	/// what a chat template adds.
	pub fn max_prompt_tokens(&self) -> u64 {
		let bytes = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX);
		let sum = |texts: &mut dyn Iterator<Item = &str>| {
			texts.fold(TEMPLATE_TOKENS, |sum, text| {
				sum.saturating_add(bytes(text)).saturating_add(MESSAGE_TOKENS)
			})
		};
		match &self.task {
			Task::Chat { messages } => {
				sum(&mut messages.iter().flat_map(|m| [m.role.as_str(), m.content.as_str()]))
			},
			Task::Completion { prompt } => sum(&mut std::iter::once(prompt.as_str())),
			Task::Embedding { input } => sum(&mut input.iter().map(String::as_str)),
		}
	}

	/// Most tokens that can be billed for it.
	pub fn max_total_tokens(&self) -> u64 {
		self.max_prompt_tokens().saturating_add(self.max_tokens.into())
	}
}

/// What came out. Its hash is in the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
	/// The text; empty for embeddings.
	pub text: String,
	/// Vectors, each as base64 of its 32-bit floats in little-endian order.
	#[serde(default)]
	pub embeddings: Vec<String>,
	/// Whether the model was done, or ran into a limit.
	pub finish: Finish,
	/// Tokens read.
	pub prompt_tokens: u64,
	/// Tokens generated.
	pub completion_tokens: u64,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
	/// The model was done, or a stop text came.
	Stop,
	/// The most tokens were made, or the model's context is full.
	Length,
}

impl Output {
	/// Hash of its canonical JSON, as receipts carry it.
	pub fn hash(&self) -> H256 {
		H256(sha2_256(canonical(self).as_bytes()))
	}

	/// The tokens that are paid for: those read and those generated.
	pub const fn tokens(&self) -> u64 {
		self.prompt_tokens.saturating_add(self.completion_tokens)
	}
}

/// Canonical JSON of a value that holds no floats.
fn canonical<T: Serialize>(value: &T) -> String {
	let limits = json::Limits { max_bytes: usize::MAX, max_depth: 64 };
	serde_json::to_vec(value)
		.ok()
		.and_then(|bytes| json::parse(&bytes, limits).ok())
		.map(|value| value.to_canonical())
		.unwrap_or_default()
}

/// What a receipt asks for: units times their price, at most what the quote allows.
pub fn price_of(units: u64, unit_price: u128, most: u128) -> u128 {
	unit_price.saturating_mul(units.into()).min(most)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn spec() -> JobSpec {
		JobSpec {
			version: SPEC_VERSION,
			model: "m".to_string(),
			task: Task::Completion { prompt: "Grüße".to_string() },
			max_tokens: 7,
			sampling: Sampling::default(),
		}
	}

	#[test]
	fn a_specification_has_one_canonical_form() {
		let text = concat!(
			r#"{"max_tokens":7,"model":"m","sampling":{"seed":0,"stop":[],"temperature_milli":0,"#,
			r#""top_p_milli":1000},"task":{"kind":"completion","prompt":"Gr\u00fc\u00dfe"},"#,
			r#""version":1}"#
		);
		assert_eq!(spec().canonical(), text);
		let read: JobSpec = serde_json::from_str(text).unwrap();
		assert_eq!(read.hash(), spec().hash());
		assert_eq!(spec().hash().0, sha2_256(text.as_bytes()));
	}

	#[test]
	fn every_field_changes_the_hash() {
		let first = spec();
		let mut others = vec![first.clone(); 4];
		others[0].max_tokens = 8;
		others[1].sampling.seed = 1;
		others[2].model = "n".to_string();
		others[3].task = Task::Embedding { input: vec!["Grüße".to_string()] };
		for other in others {
			assert_ne!(other.hash(), first.hash());
		}
	}

	#[test]
	fn a_prompt_has_at_most_a_token_each_byte() {
		assert_eq!(spec().max_prompt_tokens(), 64 + 8 + 7);
		assert_eq!(spec().max_total_tokens(), 64 + 8 + 7 + 7);
	}

	#[test]
	fn a_price_never_exceeds_the_quote() {
		assert_eq!(price_of(3, 5, 100), 15);
		assert_eq!(price_of(30, 5, 100), 100);
		assert_eq!(price_of(u64::MAX, u128::MAX, 7), 7);
	}
}

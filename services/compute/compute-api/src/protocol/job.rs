//! What is to be done, what came out, what it costs.

use super::{
	finish::Finish,
	further::{Answer, Further},
};
use gridproof_primitives::{H256, codec::json};
use serde::{Deserialize, Serialize};
use sp_crypto_hashing::sha2_256;
use utoipa::ToSchema;

/// The version of job specifications.
pub const SPEC_VERSION: u32 = 1;

/// Most tokens that a chat template may add to a prompt, and per message.
const TEMPLATE_TOKENS: u64 = 64;
/// Bytes of the longest token of a usual tokenizer: runs of blanks.
const LONGEST_TOKEN: usize = 128;
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
	/// What is asked for beyond one text. It is not in the canonical JSON where that is nothing.
	#[serde(default, skip_serializing_if = "Further::is_nothing")]
	pub further: Further,
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
	/// Answer the last message of a conversation that holds more than texts: calls of tools, and what
	/// they gave.
	Messages {
		/// The messages as OpenAI's clients send them, oldest first, each the text of its JSON.
		#[schema(min_items = 1)]
		messages: Vec<String>,
	},
	/// Continue several texts.
	Completions {
		/// The texts, at most 64 together with the answers to each, none of them empty.
		#[schema(min_items = 1, max_items = 64)]
		prompts: Vec<String>,
	},
	/// Continue texts that are given as the model's own token ids.
	CompletionTokens {
		/// The texts, as those of `completions`.
		#[schema(min_items = 1, max_items = 64)]
		prompts: Vec<Vec<u32>>,
	},
	/// Vectors of texts that are given as the model's own token ids.
	EmbeddingTokens {
		/// The texts, as those of `embedding`.
		#[schema(min_items = 1, max_items = 256)]
		input: Vec<Vec<u32>>,
	},
}

impl Task {
	/// Returns `true` if vectors are asked for.
	pub const fn is_embedding(&self) -> bool {
		matches!(self, Self::Embedding { .. } | Self::EmbeddingTokens { .. })
	}

	/// Returns the number of texts or conversations.
	pub const fn prompts(&self) -> usize {
		match self {
			Self::Chat { .. } | Self::Completion { .. } | Self::Messages { .. } => 1,
			Self::Embedding { input } => input.len(),
			Self::Completions { prompts } => prompts.len(),
			Self::CompletionTokens { prompts } => prompts.len(),
			Self::EmbeddingTokens { input } => input.len(),
		}
	}
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
		let length = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
		let sum = |lengths: &mut dyn Iterator<Item = usize>| {
			lengths.fold(TEMPLATE_TOKENS, |sum, one| {
				sum.saturating_add(length(one)).saturating_add(MESSAGE_TOKENS)
			})
		};
		let texts = |texts: &[String]| sum(&mut texts.iter().map(String::len));
		let tokens = |texts: &[Vec<u32>]| sum(&mut texts.iter().map(Vec::len));
		let prompt = match &self.task {
			Task::Chat { messages } => {
				sum(&mut messages.iter().flat_map(|m| [m.role.len(), m.content.len()]))
			},
			Task::Completion { prompt } => sum(&mut std::iter::once(prompt.len())),
			// Their JSON has more marks than a message has tokens beside its text.
			Task::Messages { messages } => messages
				.iter()
				.fold(TEMPLATE_TOKENS, |sum, one| sum.saturating_add(length(one.len()))),
			Task::Embedding { input } => texts(input),
			Task::Completions { prompts } => texts(prompts),
			Task::CompletionTokens { prompts } => tokens(prompts),
			Task::EmbeddingTokens { input } => tokens(input),
		};
		prompt.saturating_add(self.further.prompt_tokens())
	}

	/// Returns the least tokens that its longest prompt can have with any usual tokenizer: none has longer
	/// tokens than [`LONGEST_TOKEN`]. Prompts of images count as nothing.
	pub fn min_prompt_tokens(&self) -> u64 {
		let longest = |texts: &[String]| texts.iter().map(String::len).max().unwrap_or(0);
		let bytes = match &self.task {
			Task::Chat { messages } => messages.iter().map(|message| message.content.len()).sum(),
			Task::Completion { prompt } => prompt.len(),
			Task::Messages { .. } => 0,
			Task::Embedding { input } => longest(input),
			Task::Completions { prompts } => longest(prompts),
			Task::CompletionTokens { prompts: ids } | Task::EmbeddingTokens { input: ids } => {
				let longest = ids.iter().map(Vec::len).max().unwrap_or(0);
				return u64::try_from(longest).unwrap_or(u64::MAX);
			},
		};
		u64::try_from(bytes.div_ceil(LONGEST_TOKEN)).unwrap_or(u64::MAX)
	}

	/// Returns how many answers it asks for, vectors aside.
	pub fn answers(&self) -> u64 {
		if self.task.is_embedding() {
			return 0;
		}
		let prompts = u64::try_from(self.task.prompts()).unwrap_or(u64::MAX);
		prompts.saturating_mul(self.further.n.into())
	}

	/// Returns `true` if its answer can be read along as it is made: one text, and no more about it
	/// than that.
	pub fn is_read_along(&self) -> bool {
		self.answers() == 1 && self.further.logprobs.is_none()
	}

	/// Most tokens that can be billed for it.
	pub fn max_total_tokens(&self) -> u64 {
		let made = self.answers().saturating_mul(self.max_tokens.into());
		self.max_prompt_tokens().saturating_add(made)
	}
}

/// What came out. Its hash is in the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
	/// The text, that of the first answer if there are several; empty for embeddings.
	pub text: String,
	/// Vectors, each as base64 of its 32-bit floats in little-endian order.
	#[serde(default)]
	pub embeddings: Vec<String>,
	/// Whether the model was done, or ran into a limit.
	pub finish: Finish,
	/// Tokens read.
	pub prompt_tokens: u64,
	/// Tokens generated, in all answers.
	pub completion_tokens: u64,
	/// All answers, where there are several, or one is more than a text; `text` and `finish` are those of
	/// the first. Answers to one prompt stand together.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub answers: Vec<Answer>,
}

impl Output {
	/// Hash of its canonical JSON, as receipts carry it.
	pub fn hash(&self) -> H256 {
		H256(sha2_256(canonical(self).as_bytes()))
	}

	/// Returns all answers.
	pub fn all_answers(&self) -> Vec<Answer> {
		if self.answers.is_empty() {
			let (text, finish) = (self.text.clone(), self.finish);
			return vec![Answer { text, finish, tool_calls: None, logprobs: None }];
		}
		self.answers.clone()
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
			further: Further::default(),
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
		let mut others = vec![first.clone(); 7];
		others[0].max_tokens = 8;
		others[1].sampling.seed = 1;
		others[2].model = "n".to_string();
		others[3].task = Task::Embedding { input: vec!["Grüße".to_string()] };
		others[4].further.n = 2;
		others[5].further.tools = Some("[{}]".to_string());
		others[6].task = Task::Completions { prompts: vec!["Grüße".to_string()] };
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
	fn each_answer_to_each_prompt_may_have_all_tokens() {
		let mut several = spec();
		several.further.n = 3;
		assert_eq!((several.answers(), several.is_read_along()), (3, false));
		assert_eq!(several.max_total_tokens(), 64 + 8 + 7 + 3 * 7);
		several.task = Task::CompletionTokens { prompts: vec![vec![1, 2], vec![3]] };
		assert_eq!(several.max_total_tokens(), 64 + (8 + 2) + (8 + 1) + 6 * 7);
		several.task = Task::EmbeddingTokens { input: vec![vec![1, 2]] };
		assert_eq!((several.answers(), several.max_total_tokens()), (0, 64 + 8 + 2));
		let mut tools = spec();
		tools.further.tools = Some("[{}]".to_string());
		assert_eq!(tools.max_prompt_tokens(), spec().max_prompt_tokens() + 4 + 512);
		assert!(tools.is_read_along());
	}

	#[test]
	fn an_answer_alone_is_the_only_one() {
		let output = Output {
			text: "a".to_string(),
			embeddings: Vec::new(),
			finish: Finish::Length,
			prompt_tokens: 1,
			completion_tokens: 1,
			answers: Vec::new(),
		};
		let all = output.all_answers();
		assert_eq!((all.len(), &all[0].text[..], all[0].finish), (1, "a", Finish::Length));
		assert!(!serde_json::to_string(&output).unwrap().contains("answers"));
	}

	#[test]
	fn a_price_never_exceeds_the_quote() {
		assert_eq!(price_of(3, 5, 100), 15);
		assert_eq!(price_of(30, 5, 100), 100);
		assert_eq!(price_of(u64::MAX, u128::MAX, 7), 7);
	}
}

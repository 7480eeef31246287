//! Requests that a channel pays for: what goes with a request, and what its answer shows.
//!
//! A request of OpenAI's form needs no API key if it has a voucher:
//!
//! | header | holds |
//! |---|---|
//! | [`VOUCHER_HEADER`] | SCALE of `primitives::compute::channels::SignedVoucher`, `0x…` |
//! | [`SECRET_HEADER`] | the request's secret, 32 random bytes, `0x…` |
//!
//! The voucher's `spec_hash` is `spec_hash(secret, body)` of the very bytes of the body. The secret
//! goes with the request because the output root is salted with it: who does the work has to make
//! the root, and knows the request and its answer anyway. Nobody else learns it.
//!
//! An answer has its receipt as an [`IssuedReceipt`]: a plain one in the header [`RECEIPT_HEADER`], a
//! stream in `gridproof.issued` of its last chunk before `[DONE]`. OpenAI's clients pass both over.

use super::{
	checked::CheckInfo,
	further::{Answer, Extent, TOOL_TOKENS},
	job::{JobSpec, Output},
};
use codec::{Decode, Encode};
use gridproof_primitives::{
	H256,
	compute::channels::{
		BatchKind, ChannelReceipt, Content, ContentError, SamplingParameters, Secret, Voucher,
	},
	crypto::ed25519::Signature,
};
use gridproof_support::text::{Amount, Hex32, Hex64, HexBytes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Header of a request: its voucher.
pub const VOUCHER_HEADER: &str = "gridproof-voucher";
/// Header of a request: its secret.
pub const SECRET_HEADER: &str = "gridproof-secret";
/// Header of an answer: its receipt.
pub const RECEIPT_HEADER: &str = "gridproof-receipt";
/// Most open vouchers in one request to close them.
pub const MAX_VOUCHERS: usize = 256;

/// Most tokens that a chat template adds to a prompt.
const TEMPLATE_TOKENS: u64 = 64;
/// Most tokens that are added to each of several texts.
const TEXT_TOKENS: u64 = 8;

/// Which interface of OpenAI's a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
	/// `/v1/chat/completions`.
	Chat,
	/// `/v1/completions`.
	Completion,
	/// `/v1/embeddings`.
	Embedding,
}

impl RequestKind {
	/// All kinds.
	pub const ALL: [Self; 3] = [Self::Chat, Self::Completion, Self::Embedding];

	/// Returns the path of its requests.
	pub const fn path(self) -> &'static str {
		match self {
			Self::Chat => "/v1/chat/completions",
			Self::Completion => "/v1/completions",
			Self::Embedding => "/v1/embeddings",
		}
	}

	/// Returns the most tokens that a request with a body of so many bytes can be billed for: at least
	/// as many as [`JobSpec::max_total_tokens`] of the same request, so that a voucher for them always
	/// covers it.
	///
	/// A text of JSON has no fewer bytes than what it says, and a list of token ids no fewer than twice
	/// their number; the names and marks around each message have more than its eight tokens, and those
	/// around each text for embeddings at least three.
	pub fn most_tokens(self, body: usize, asked: &Extent) -> u64 {
		let bytes = u64::try_from(body).unwrap_or(u64::MAX);
		let made = asked.prompts.saturating_mul(asked.n).saturating_mul(asked.max_tokens.into());
		let (read, made) = match self {
			Self::Chat => (bytes, made),
			Self::Completion => {
				(bytes.saturating_add(asked.prompts.saturating_mul(TEXT_TOKENS)), made)
			},
			Self::Embedding => (bytes.saturating_mul(3), 0),
		};
		let tools = if asked.has_tools { TOOL_TOKENS } else { 0 };
		read.saturating_add(TEMPLATE_TOKENS).saturating_add(tools).saturating_add(made)
	}
}

/// A receipt of a channel with its signatures, as client and miner keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct IssuedReceipt {
	/// Receipt with its running sums.
	pub receipt: ChannelReceipt,
	/// The coordinator's signature of both.
	pub coordinator_signature: Signature,
	/// The miner's signature of the receipt; `None` if there is no answer.
	pub miner_signature: Option<Signature>,
}

/// Token ids of a prompt and its answer, as the engine counted them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenIds {
	/// Token ids of the prompt; empty if the engine does not report them.
	pub prompt: Vec<u32>,
	/// Token ids of the answer; empty if the engine does not report them.
	pub output: Vec<u32>,
}

/// Returns the seed of the sampler for the request of a voucher: the first eight bytes of
/// [`Voucher::seed`], little-endian, without the highest bit. A seed in the body is passed over.
pub fn sampler_seed(voucher: &Voucher, genesis: &H256) -> u64 {
	let seed = voucher.seed(genesis);
	let (head, _) = seed.0.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
	u64::from_le_bytes(*head) & (u64::MAX >> 1)
}

/// Returns the sampling parameters of a specification, as they are in the output root. Everything else
/// that an engine is given is in [`further`](super::Further::hash_with). The seed is not among them: it
/// follows from the voucher.
pub fn sampling_parameters(spec: &JobSpec) -> SamplingParameters {
	SamplingParameters {
		temperature_milli: spec.sampling.temperature_milli,
		top_p_milli: spec.sampling.top_p_milli,
		max_tokens: spec.max_tokens,
		further: spec.further.hash_with(&spec.sampling.stop),
	}
}

/// Returns the output root of an answer: what the receipt commits to.
///
/// # Errors
/// [`ContentError::TooManyTokens`].
pub fn output_root(
	spec: &JobSpec,
	tokens: &TokenIds,
	secret: &Secret,
) -> Result<H256, ContentError> {
	let TokenIds { prompt, output } = tokens.clone();
	Content { prompt, output, sampling: sampling_parameters(spec) }.root(secret)
}

/// Returns `true` if an answer says nothing: it costs nothing.
pub fn is_empty_answer(output: &Output) -> bool {
	let says_nothing = |answer: &Answer| answer.text.is_empty() && answer.tool_calls.is_none();
	output.text.is_empty()
		&& output.embeddings.is_empty()
		&& output.answers.iter().all(says_nothing)
}

/// Work that a voucher pays for, for the miner that asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VoucherWork {
	/// Id of the work, in the place of a job's id in everything said about it: its voucher's seed.
	pub work: Hex32,
	/// Which attempt at it this is, from 1; goes back with everything said about it.
	pub attempt: u32,
	/// What is to be done. The seed of its sampling is [`sampler_seed`] of the voucher.
	pub spec: JobSpec,
	/// SCALE of the signed voucher.
	pub voucher: HexBytes,
	/// The key that signed it.
	pub signer: Hex32,
	/// Asset and mode of the channel.
	#[schema(value_type = Object)]
	pub kind: BatchKind,
	/// The request's secret, from which the salts of the output root are made.
	pub secret: Hex32,
	/// Hash by which the registry knows the model; for private work the hash of its name.
	pub model: Hex32,
	/// Factor of the model in thousandths.
	pub model_factor: u32,
	/// Price of a compute unit, in the asset's smallest unit.
	pub unit_price: Amount,
	/// The most that the receipt may cost, in the asset's smallest unit.
	pub highest: Amount,
	/// Time by which the coordinator settles the receipt, UTC milliseconds: goes into the receipt.
	pub settle_by_ms: u64,
	/// Until when the work is this miner's, UTC milliseconds; progress and heartbeats prolong it.
	pub lease_until_ms: u64,
	/// `true` if somebody reads along.
	pub stream: bool,
}

/// A line of a batch that waits for its miner's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineToSign {
	/// SCALE of the batch's header.
	pub header: HexBytes,
	/// SCALE of the miner's line.
	pub line: HexBytes,
}

/// Lines that wait for the asking miner's signature: `GET /miner/v1/lines`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinesToSign {
	/// The lines, the oldest first.
	pub lines: Vec<LineToSign>,
}

/// A miner signs its line: `POST /miner/v1/lines`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedLine {
	/// Sequence number of the batch.
	pub sequence: u64,
	/// The miner's signature of the line under that batch's header.
	pub signature: Hex64,
}

/// What a coordinator holds of a channel: `GET /v1/channels/{channel}`. Amounts are in the smallest
/// unit of the channel's asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelInfo {
	/// Number of the channel.
	pub channel: u64,
	/// Key of the coordinator.
	pub coordinator: Hex32,
	/// The chain's genesis hash, which every signature covers.
	pub genesis: Hex32,
	/// Asset and mode.
	#[schema(value_type = Object)]
	pub kind: BatchKind,
	/// Everything that was ever deposited, as the coordinator last read it from the chain.
	pub deposited: Amount,
	/// What is settled on chain.
	pub settled: Amount,
	/// Highest sum of prices that is settled on one day.
	pub daily_limit: Amount,
	/// Time from which nothing is settled any more, UTC milliseconds, if it is being closed.
	pub ends_ms: Option<u64>,
	/// End of its plan's period, UTC milliseconds.
	pub plan_ends_ms: Option<u64>,
	/// Number of the newest voucher that was accepted; the next request has the next one.
	pub newest: u64,
	/// Number of its receipts, settled or not.
	pub receipts: u64,
	/// Sum of their prices.
	pub spent: Amount,
	/// Sum of the highest prices of the requests that are open.
	pub open: Amount,
}

/// Vouchers whose requests have no answer: `POST /v1/channels/{channel}/vouchers`. Each is closed with
/// a receipt of price 0, unless it has a receipt, which comes back then, or is being worked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenVouchers {
	/// SCALE of signed vouchers, by rising number, at most 256.
	pub vouchers: Vec<HexBytes>,
}

/// What became of open vouchers: SCALE of each one's [`IssuedReceipt`], in their order; `None` if it is
/// being worked for, or is not the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClosedVouchers {
	/// One for each voucher.
	pub receipts: Vec<Option<HexBytes>>,
}

/// A receipt of a channel: `GET /v1/channels/{channel}/receipts/{number}` and `GET
/// /v1/receipts/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptAnswer {
	/// Id of the receipt.
	pub receipt_id: Hex32,
	/// SCALE of the [`IssuedReceipt`].
	pub issued: HexBytes,
	/// Sequence number of the batch that settles it.
	pub batch: Option<u64>,
	/// Where that batch stands.
	pub stage: Option<BatchStage>,
	/// SCALE of the batch's header.
	pub header: Option<HexBytes>,
	/// SCALE of the `primitives::compute::channels::ReceiptProof` against that header.
	pub proof: Option<HexBytes>,
	/// SCALE of the range in which that batch gives it up, with its place: its channel had ended before it
	/// was settled, and nobody is paid for it. With it the miner shows the chain what it has lost.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub given_up: Option<HexBytes>,
	/// Its checks, as the coordinator read them from the chain while the batch waits; none if it was not
	/// drawn, or nothing is checked.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub checks: Vec<CheckInfo>,
}

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchStage {
	/// Its header is made; miners are asked for their signatures, or it is being sent.
	Made,
	/// The chain has settled it, in a final block.
	Final,
	/// The chain has refused it permanently: its receipts go into another one, at once or once its operator
	/// has looked at it.
	Refused,
}

impl BatchStage {
	/// Returns its name in the database and in JSON.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Made => "made",
			Self::Final => "final",
			Self::Refused => "refused",
		}
	}
}

impl std::str::FromStr for BatchStage {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		[Self::Made, Self::Final, Self::Refused]
			.into_iter()
			.find(|stage| stage.as_str() == text)
			.ok_or_else(|| format!("{text:?} is not a stage of a batch"))
	}
}

/// A batch as its coordinator publishes it: `GET /v1/batches/{sequence}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchAnswer {
	/// Sequence number.
	pub sequence: u64,
	/// Where it stands.
	pub stage: BatchStage,
	/// SCALE of the header.
	pub header: HexBytes,
	/// The coordinator's signature of it.
	pub signature: Hex64,
	/// SCALE of the lists of lines: channels, miners, and what is given up.
	pub lists: HexBytes,
	/// Content identifier of the file of receipts, which `GET /v1/batches/{sequence}/receipts` is:
	/// SCALE of the receipts in the order of the tree, without any text.
	pub cid: Option<String>,
	/// The final block that settled it.
	pub block: Option<Hex32>,
	/// Why it is refused, or what happened at the last try.
	pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::protocol::{Finish, Further, Message, SPEC_VERSION, Sampling, Task};

	fn spec(task: Task, max_tokens: u32) -> JobSpec {
		let (sampling, further) = (Sampling::default(), Further::default());
		let model = "m".to_string();
		JobSpec { version: SPEC_VERSION, model, task, max_tokens, sampling, further }
	}

	#[test]
	fn a_body_covers_at_least_the_tokens_of_its_specification() {
		let message =
			|content: &str| Message { role: "user".to_string(), content: content.to_string() };
		let messages = vec![message(""), message("Grüße\n"), message("x")];
		let body = serde_json::json!({ "model": "m", "messages": messages }).to_string();
		let chat = spec(Task::Chat { messages }, 9);
		assert!(
			RequestKind::Chat.most_tokens(body.len(), &Extent::one(9)) >= chat.max_total_tokens()
		);
		let body = r#"{"model":"m","prompt":""}"#;
		let text = spec(Task::Completion { prompt: String::new() }, 1);
		assert!(
			RequestKind::Completion.most_tokens(body.len(), &Extent::one(1))
				>= text.max_total_tokens()
		);
		let input = vec!["x".to_string(); 256];
		let body = serde_json::json!({ "model": "m", "input": input }).to_string();
		let vectors = spec(Task::Embedding { input }, 0);
		assert!(
			RequestKind::Embedding.most_tokens(body.len(), &Extent::one(0))
				>= vectors.max_total_tokens()
		);
	}

	#[test]
	fn a_body_covers_all_answers_to_all_prompts_and_tools() {
		let several = Extent { max_tokens: 5, prompts: 3, n: 4, has_tools: false };
		let mut texts = spec(Task::Completions { prompts: vec!["x".to_string(); 3] }, 5);
		texts.further.n = 4;
		let body = r#"{"model":"m","n":4,"prompt":["x","x","x"]}"#;
		let most = RequestKind::Completion.most_tokens(body.len(), &several);
		assert!(most >= texts.max_total_tokens());
		texts.task = Task::CompletionTokens { prompts: vec![vec![1; 9]; 3] };
		let ids = format!("[{}]", ["1"; 9].join(","));
		let body = format!(r#"{{"model":"m","n":4,"prompt":[{ids},{ids},{ids}]}}"#);
		let most = RequestKind::Completion.most_tokens(body.len(), &several);
		assert!(most >= texts.max_total_tokens());
		let vectors = spec(Task::EmbeddingTokens { input: vec![vec![1; 9]; 3] }, 0);
		let most = RequestKind::Embedding.most_tokens(body.len(), &Extent::one(0));
		assert!(most >= vectors.max_total_tokens());
		let message = r#"{"role":"tool","tool_call_id":"c","content":"4"}"#;
		let tools = r#"[{"type":"function","function":{"name":"add"}}]"#;
		let mut chat = spec(Task::Messages { messages: vec![message.to_string(); 2] }, 5);
		chat.further.tools = Some(tools.to_string());
		let body = format!(r#"{{"model":"m","messages":[{message},{message}],"tools":{tools}}}"#);
		let with_tools = Extent { has_tools: true, ..Extent::one(5) };
		let most = RequestKind::Chat.most_tokens(body.len(), &with_tools);
		assert!(most >= chat.max_total_tokens());
	}

	#[test]
	fn an_answer_that_only_calls_a_tool_is_not_empty() {
		let mut output = Output {
			text: String::new(),
			embeddings: Vec::new(),
			finish: Finish::Stop,
			prompt_tokens: 1,
			completion_tokens: 1,
			answers: Vec::new(),
		};
		assert!(is_empty_answer(&output));
		let mut answer =
			Answer { text: String::new(), finish: Finish::Stop, tool_calls: None, logprobs: None };
		output.answers = vec![answer.clone(); 2];
		assert!(is_empty_answer(&output));
		answer.tool_calls = Some("[{}]".to_string());
		output.answers.push(answer);
		assert!(!is_empty_answer(&output));
	}

	#[test]
	fn stop_texts_are_part_of_the_output_root_and_seeds_are_not() {
		let (secret, tokens) = ([1; 32], TokenIds { prompt: vec![1], output: vec![2, 3] });
		let plain = spec(Task::Completion { prompt: "p".to_string() }, 9);
		let root = |spec: &JobSpec| output_root(spec, &tokens, &secret).unwrap();
		let mut seeded = plain.clone();
		seeded.sampling.seed = 7;
		assert_eq!(root(&seeded), root(&plain));
		let mut stopped = plain.clone();
		stopped.sampling.stop = vec!["END".to_string()];
		assert_ne!(root(&stopped), root(&plain));
		let mut formed = plain.clone();
		formed.further.response_format = Some(r#"{"type":"json_object"}"#.to_string());
		assert_ne!(root(&formed), root(&plain));
		assert_ne!(output_root(&plain, &tokens, &[2; 32]).unwrap(), root(&plain));
	}

	#[test]
	fn a_seed_has_63_bits_and_follows_from_the_voucher() {
		let voucher = Voucher { channel: 1, number: 1, amount: 5, spec_hash: H256([3; 32]) };
		let seed = sampler_seed(&voucher, &H256([7; 32]));
		assert!(seed <= u64::MAX >> 1);
		assert_ne!(seed, sampler_seed(&Voucher { number: 2, ..voucher }, &H256([7; 32])));
		assert_ne!(seed, sampler_seed(&voucher, &H256([8; 32])));
	}
}

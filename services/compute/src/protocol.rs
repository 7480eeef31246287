//! What miner, coordinator and client say to each other: JSON over the coordinator's REST.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /miner/v1/hello` | [`Hello`] | [`Welcome`] |
//! | `POST /miner/v1/work?wait=SECONDS` | none | [`Assignment`], or 204 when there is no work |
//! | `POST /miner/v1/jobs/{job}/progress` | [`Progress`] | [`Lease`] |
//! | `POST /miner/v1/jobs/{job}/result` | [`JobResult`] | [`Accepted`] |
//! | `POST /miner/v1/jobs/{job}/refuse` | [`Refusal`] | 204 |
//! | `POST /miner/v1/heartbeat` | [`Heartbeat`] | [`HeartbeatAnswer`] |
//! | `POST /miner/v1/goodbye` | none | 204 |
//!
//! All but the first carry `Authorization: Bearer <session>`. An answer of 4xx or 5xx has a
//! [`Fault`] as its body. Every request may be repeated: a result that was accepted is accepted
//! again, unless it is another one.
//!
//! Hashes are SHA-256 of canonical JSON ([`gridproof_primitives::json`]); there is no float on the
//! way to one. Bytes are written as `0x` and hexadecimal digits.

use codec::Encode;
use gridproof_primitives::{H256, compute::Class, json};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sp_crypto_hashing::sha2_256;
use std::fmt;
use utoipa::ToSchema;

/// The version of job specifications.
pub const SPEC_VERSION: u32 = 1;
/// First words of what a miner signs when it says hello.
pub const HELLO_DOMAIN: &str = "gridproof/miner-hello/v1";
/// A hello is refused when its time is further away than this, in milliseconds.
pub const HELLO_SKEW_MS: u64 = 60_000;
/// Longest wait for work, in seconds.
pub const MAX_WAIT_SECONDS: u64 = 30;
/// Most tokens that a chat template may add to a prompt, and per message.
const TEMPLATE_TOKENS: u64 = 64;
const MESSAGE_TOKENS: u64 = 8;

/// Bytes, written as `0x` and hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Default, ToSchema)]
#[schema(value_type = String, example = "0x00")]
pub struct HexBytes(pub Vec<u8>);

/// 32 bytes (a key, a hash), written as `0x` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, ToSchema)]
#[schema(value_type = String)]
pub struct Hex32(pub [u8; 32]);

/// An Ed25519 signature, written as `0x` and 128 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String)]
pub struct Hex64(pub [u8; 64]);

/// An amount in a token's smallest unit: a decimal string, since JSON's numbers end at 2⁵³.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, ToSchema)]
#[schema(value_type = String, example = "1000000000000000000")]
pub struct Amount(pub u128);

macro_rules! hexadecimal {
	($type:ty, $decode:expr) => {
		impl fmt::Display for $type {
			fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				write!(f, "0x{}", hex::encode(&self.0))
			}
		}

		impl fmt::Debug for $type {
			fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				fmt::Display::fmt(self, f)
			}
		}

		impl Serialize for $type {
			fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
				serializer.collect_str(self)
			}
		}

		impl<'de> Deserialize<'de> for $type {
			fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
				let text = String::deserialize(deserializer)?;
				text.parse().map_err(D::Error::custom)
			}
		}

		impl std::str::FromStr for $type {
			type Err = String;

			fn from_str(text: &str) -> Result<Self, String> {
				let digits = text.strip_prefix("0x").ok_or("0x and hexadecimal digits wanted")?;
				#[allow(clippy::redundant_closure_call)]
				($decode)(digits).map(Self)
			}
		}
	};
}

hexadecimal!(HexBytes, |digits: &str| hex::decode(digits).map_err(|e| e.to_string()));
hexadecimal!(Hex32, fixed::<32>);
hexadecimal!(Hex64, fixed::<64>);

fn fixed<const N: usize>(digits: &str) -> Result<[u8; N], String> {
	let mut bytes = [0; N];
	hex::decode_to_slice(digits, &mut bytes)
		.map_err(|_| format!("0x and {} hexadecimal digits wanted", N.saturating_mul(2)))?;
	Ok(bytes)
}

impl From<H256> for Hex32 {
	fn from(hash: H256) -> Self {
		Self(hash.0)
	}
}

impl From<Hex32> for H256 {
	fn from(hash: Hex32) -> Self {
		Self(hash.0)
	}
}

impl fmt::Display for Amount {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		self.0.fmt(f)
	}
}

impl Serialize for Amount {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(&self.0)
	}
}

impl<'de> Deserialize<'de> for Amount {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = String::deserialize(deserializer)?;
		let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
		let value = text.parse().ok().filter(|_| is_plain);
		value.map(Self).ok_or_else(|| D::Error::custom("a whole number as a string wanted"))
	}
}

/// What is to be done. Its hash is in the quote, so nobody can exchange it afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
	/// [`SPEC_VERSION`].
	pub version: u32,
	/// Name of the model, as `/v1/models` lists it.
	pub model: String,
	/// The task.
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
		/// The conversation.
		messages: Vec<Message>,
	},
	/// Go on with a text.
	Completion {
		/// The text.
		prompt: String,
	},
	/// Vectors of texts.
	Embedding {
		/// The texts.
		input: Vec<String>,
	},
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
	/// `system`, `user` or `assistant`.
	pub role: String,
	/// What it says.
	pub content: String,
}

/// How tokens are chosen. The same specification has to give the same answer on the same engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sampling {
	/// Temperature in thousandths; 0 takes the likeliest token.
	pub temperature_milli: u32,
	/// Nucleus in thousandths, 1 to 1000.
	pub top_p_milli: u32,
	/// Seed of the random choices.
	pub seed: u64,
	/// Texts that end the answer; they are not part of it.
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
	/// Why it ended.
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
	/// The most tokens were reached.
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

/// Class of a miner's hardware, in words.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ClassName {
	/// Graphics processors.
	Gpu,
	/// Processors.
	Cpu,
}

impl From<ClassName> for Class {
	fn from(name: ClassName) -> Self {
		match name {
			ClassName::Gpu => Self::Gpu,
			ClassName::Cpu => Self::Cpu,
		}
	}
}

impl From<Class> for ClassName {
	fn from(class: Class) -> Self {
		match class {
			Class::Gpu => Self::Gpu,
			Class::Cpu => Self::Cpu,
		}
	}
}

/// A miner presents itself. Its signature shows that it holds the key; the chain says whether
/// that key is registered and not banned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hello {
	/// The miner's key, as registered on chain.
	pub miner: Hex32,
	/// Its class, as registered on chain.
	pub class: ClassName,
	/// The models it serves.
	pub models: Vec<String>,
	/// How many jobs it takes at a time; at least 1.
	pub slots: u32,
	/// When this was signed, UTC milliseconds.
	pub time_ms: u64,
	/// Ed25519 by the miner's key over [`hello_payload`].
	pub signature: Hex64,
}

/// What a miner signs to say hello: SCALE of the domain, the chain's genesis, the coordinator's
/// key, its own key, its class, models, slots and the time.
pub fn hello_payload(genesis: &H256, coordinator: &[u8; 32], hello: &Hello) -> Vec<u8> {
	let class: u8 = match hello.class {
		ClassName::Gpu => 0,
		ClassName::Cpu => 1,
	};
	let Hello { miner, models, slots, time_ms, .. } = hello;
	(HELLO_DOMAIN, genesis, coordinator, miner.0, class, models, slots, time_ms).encode()
}

/// What a miner needs to know before it can say hello: `GET /miner/v1/about`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct About {
	/// The chain's genesis hash.
	pub genesis: Hex32,
	/// The coordinator's key.
	pub coordinator: Hex32,
	/// The coordinator's time, UTC milliseconds.
	pub time_ms: u64,
}

/// The miner is welcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Welcome {
	/// Goes as `Authorization: Bearer …` with all further requests.
	pub session: String,
	/// When it ends; say hello again before.
	pub expires_ms: u64,
	/// How long a job is the miner's without a word from it, in milliseconds. Each progress and
	/// heartbeat starts it anew.
	pub lease_ms: u64,
	/// Send a heartbeat this often, in milliseconds.
	pub heartbeat_ms: u64,
}

/// A job for the miner that asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Assignment {
	/// The job's id on chain.
	pub job: Hex32,
	/// Which attempt at it this is, from 1; goes back with everything said about it.
	pub attempt: u32,
	/// What is to be done; its hash is the quote's.
	pub spec: JobSpec,
	/// The quote: SCALE of `primitives::compute::Quote`.
	pub quote: HexBytes,
	/// The coordinator's signature over the quote.
	pub quote_signature: Hex64,
	/// Price of one compute unit in the quote's asset, smallest unit. The receipt's price is
	/// [`price_of`] its units.
	pub unit_price: Amount,
	/// The nonce that the receipt must carry: the same for every attempt at a job. Whoever gets a
	/// job for which it has signed a receipt already must send that one again and sign no other:
	/// two receipts of one miner for one job are an offence.
	pub nonce: u64,
	/// Until when the job is this miner's, UTC milliseconds.
	pub lease_until_ms: u64,
	/// Does somebody read along? Then progress should carry text as it comes.
	pub stream: bool,
}

/// What a receipt asks for: units times their price, at most what the quote allows.
pub fn price_of(units: u64, unit_price: u128, most: u128) -> u128 {
	unit_price.saturating_mul(units.into()).min(most)
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Progress {
	/// The assignment's attempt.
	pub attempt: u32,
	/// Bytes of text that went before this piece, so that a repetition is known as one.
	pub offset: u64,
	/// The next piece; may be empty, to say that work has begun.
	pub text: String,
}

/// Until when a job is the miner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lease {
	/// UTC milliseconds.
	pub lease_until_ms: u64,
}

/// A job is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobResult {
	/// The assignment's attempt.
	pub attempt: u32,
	/// What came out.
	pub output: Output,
	/// SCALE of `primitives::compute::Receipt`.
	pub receipt: HexBytes,
	/// The miner's signature over the receipt, as miner.
	pub signature: Hex64,
}

/// A result was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
	/// The receipt's id.
	pub receipt_id: Hex32,
	/// Was this very result there already?
	pub repeated: bool,
}

/// A miner gives a job back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
	/// The assignment's attempt.
	pub attempt: u32,
	/// Why.
	pub reason: RefusalReason,
	/// In words, for logs.
	#[serde(default)]
	pub detail: String,
}

/// Why a miner gives a job back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
	/// It does not serve the model any more.
	ModelUnavailable,
	/// It has no room.
	Busy,
	/// It is being stopped.
	ShuttingDown,
	/// The quote's signature, hash or amounts are wrong.
	BadQuote,
	/// The specification cannot be run by any miner: the job fails.
	BadSpec,
	/// The engine failed.
	EngineFailed,
}

/// The miner is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
	/// All jobs it is working on; their leases start anew. What it was given more than a few
	/// seconds ago and does not list goes to another miner.
	#[serde(default)]
	pub jobs: Vec<HeldJob>,
}

/// A job that a miner is working on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldJob {
	/// Which.
	pub job: Hex32,
	/// The assignment's attempt.
	pub attempt: u32,
}

/// What the miner should know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatAnswer {
	/// Jobs of the heartbeat that are not the miner's (any more): stop working on them.
	pub stop: Vec<Hex32>,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
	/// The reason, for programs.
	pub error: FaultCode,
	/// In words.
	pub message: String,
}

/// Reasons, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
	/// The request is not understood.
	BadRequest,
	/// A signature is not the stated key's.
	BadSignature,
	/// The hello's time is too far away.
	ClockSkew,
	/// The chain does not know the key, or not with this class.
	NotRegistered,
	/// The chain has banned the key.
	Banned,
	/// No such session, or it ended: say hello again.
	UnknownSession,
	/// No such job.
	UnknownJob,
	/// The job is not this miner's in this attempt.
	NotAssigned,
	/// The job is done, with another result.
	AlreadyCompleted,
	/// The job's state does not allow it.
	WrongState,
	/// Receipt, output and job do not agree.
	Mismatch,
	/// Counts that cannot be.
	Implausible,
	/// A check by running the job again gave another output.
	NotReproduced,
	/// The deadline has passed.
	Expired,
	/// No miner serves the model.
	UnknownModel,
	/// The quote is not this coordinator's, or too old.
	BadQuote,
	/// The chain holds no escrow for the job.
	NotFunded,
	/// Key missing or wrong.
	Unauthorized,
	/// Too many requests.
	RateLimited,
	/// The chain cannot be asked now: try again.
	ChainUnavailable,
	/// The coordinator failed: try again.
	Internal,
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
	fn amounts_are_strings_of_digits() {
		let amount: Amount =
			serde_json::from_str("\"340282366920938463463374607431768211455\"").unwrap();
		assert_eq!(amount, Amount(u128::MAX));
		for bad in ["\"\"", "\"+1\"", "\"-1\"", "1", "\"1.0\"", "\" 1\""] {
			assert!(serde_json::from_str::<Amount>(bad).is_err(), "{bad}");
		}
	}

	#[test]
	fn a_price_never_exceeds_the_quote() {
		assert_eq!(price_of(3, 5, 100), 15);
		assert_eq!(price_of(30, 5, 100), 100);
		assert_eq!(price_of(u64::MAX, u128::MAX, 7), 7);
	}

	#[test]
	fn unknown_fields_are_refused() {
		let text = r#"{"attempt":1,"offset":0,"text":"","more":1}"#;
		assert!(serde_json::from_str::<Progress>(text).is_err());
	}
}

//! What miner and coordinator say to each other about work.

use super::{
	channel::{TokenIds, VoucherWork},
	job::{JobSpec, Output},
};
use codec::Encode;
use gridproof_primitives::{H256, compute::Class};
use gridproof_support::text::{Amount, Hex32, Hex64, HexBytes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// First words of what a miner signs when it says hello.
pub const HELLO_DOMAIN: &str = "gridproof/miner-hello/v1";
/// A hello is refused when its time is further from the coordinator's than this, in milliseconds.
pub const HELLO_SKEW_MS: u64 = 60_000;
/// Longest wait for work, in seconds.
pub const MAX_WAIT_SECONDS: u64 = 30;

/// Class of a miner's hardware, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[derive(Serialize, Deserialize, ToSchema)]
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
	/// Names of the models it serves, 1 to 64 of at most 128 bytes each.
	#[schema(min_items = 1, max_items = 64)]
	pub models: Vec<String>,
	/// Jobs it takes at a time, 1 to 256.
	#[schema(minimum = 1, maximum = 256)]
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

/// The miner has a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Welcome {
	/// Goes as `Authorization: Bearer …` with all further requests.
	pub session: String,
	/// When the session ends, UTC milliseconds; say hello again before.
	pub expires_ms: u64,
	/// How long a job stays the miner's without a message from it, in milliseconds. Each progress and
	/// heartbeat starts it again.
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
	/// [`price_of`](super::price_of) its units.
	pub unit_price: Amount,
	/// The nonce that the receipt must carry: the same for every attempt at a job. A miner that gets
	/// a job for which it has signed a receipt already must send that one again and sign no other:
	/// two receipts of one miner for one job are an offence.
	pub nonce: u64,
	/// Until when the job is this miner's, UTC milliseconds; progress and heartbeats prolong it.
	pub lease_until_ms: u64,
	/// `true` if somebody reads along: then progress should carry text as it comes.
	pub stream: bool,
}

/// What a miner that asked for work gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
// One of these at a time is on its way to a miner.
#[allow(clippy::large_enum_variant)]
pub enum Work {
	/// A job that was opened on chain.
	Job(Assignment),
	/// A request that a channel pays for.
	Voucher(VoucherWork),
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Progress {
	/// The assignment's attempt.
	pub attempt: u32,
	/// Bytes of text before this piece, by which a repetition is recognised.
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
	/// SCALE of `primitives::compute::Receipt`; of a request that a channel pays for, of
	/// `primitives::compute::channels::ReceiptV2`.
	pub receipt: HexBytes,
	/// The miner's signature over the receipt, as miner.
	pub signature: Hex64,
	/// Token ids that the output root of a channel's receipt is made of.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub tokens: Option<TokenIds>,
}

/// A result was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
	/// The receipt's id.
	pub receipt_id: Hex32,
	/// `true` if this very result was there already.
	pub repeated: bool,
	/// Of a request that a channel pays for: SCALE of the
	/// [`IssuedReceipt`](super::IssuedReceipt), with the running sums after it.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub issued: Option<HexBytes>,
}

/// The miner is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
	/// All jobs it is working on; their leases start again. A job that it was given more than ten
	/// seconds ago and does not list goes to another miner.
	#[serde(default)]
	pub jobs: Vec<HeldJob>,
}

/// A job that a miner is working on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldJob {
	/// The job's id.
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

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn unknown_fields_are_refused() {
		let text = r#"{"attempt":1,"offset":0,"text":"","more":1}"#;
		assert!(serde_json::from_str::<Progress>(text).is_err());
	}
}

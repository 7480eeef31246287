//! A block, as the index takes it: what it says in general, and what of it has a table of its own.

use gridproof_chain::{Sent, pallets::AccountId, tokens::Token};
use gridproof_primitives::{
	H256,
	compute::{JobState, PriceAsset, channels::BatchKind, settlement::Shares},
	energy::{MeterIndex, MeterName},
	reserve::formula::State,
	time::day::Day,
};
use serde_json::Value as Json;

/// A final block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
	/// Height of the block.
	pub height: u64,
	/// Hash, as the chain has it.
	pub hash: H256,
	/// Hash of the block before.
	pub parent: H256,
	/// Its time, in UTC milliseconds; 0 for the first block, which has none.
	pub time_ms: u64,
	/// Key of the authority whose turn it was.
	pub author: Option<[u8; 32]>,
	/// Version of the runtime.
	pub version: u32,
	/// Number of its transactions.
	pub count: u64,
	/// Its transactions, in order.
	pub transactions: Vec<Sent>,
	/// Its events, in order.
	pub events: Vec<Event>,
	/// What there is of AIT, AICP and KWH after it, each in its smallest unit.
	pub supplies: [u128; 3],
	/// Meters whose certificate was read with it.
	pub meters: Vec<Meter>,
}

/// An event of a block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
	/// Place of its transaction.
	pub transaction: Option<u32>,
	/// Name of the pallet.
	pub pallet: String,
	/// Name of the event.
	pub name: String,
	/// Its fields, by their names.
	pub fields: Json,
	/// What it names in 32 bytes.
	pub named: Vec<[u8; 32]>,
	/// What of it has a table of its own.
	pub fact: Option<Fact>,
}

/// A meter and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
	/// Index of the meter.
	pub index: MeterIndex,
	/// Ids of its site, its device and itself.
	pub name: MeterName,
	/// The account that owns it.
	pub owner: AccountId,
}

/// Time and energy of a batch of readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
	/// Its begin, in UTC milliseconds.
	pub start_ms: u64,
	/// Its end, in UTC milliseconds.
	pub end_ms: u64,
	/// What was imported, in Wh.
	pub imported_wh: u64,
	/// What was exported, in Wh.
	pub exported_wh: u64,
	/// Number of readings.
	pub readings: u32,
	/// Root of the readings' tree.
	pub root: H256,
}

/// What an event says that is charted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
	/// A transfer of a token.
	Transfer {
		/// Of which token.
		token: Token,
		/// Account of the sender.
		from: AccountId,
		/// Account of the receiver.
		to: AccountId,
		/// In the token's smallest unit.
		amount: u128,
	},
	/// A statement about the latest day was taken.
	Stated {
		/// Day that it is about.
		day: Day,
		/// Hash of its fields.
		statement: H256,
		/// V_reserve, in micro-EUR.
		reserve: u128,
		/// S_target, in micro-tokens.
		target: u128,
		/// What can be minted, in micro-tokens.
		allowance: u128,
	},
	/// The state of coverage changed.
	State {
		/// The state before.
		from: State,
		/// The state now.
		to: State,
		/// CR in parts of 10¹⁸.
		ratio: Option<u128>,
	},
	/// AICP or credit was minted, redeemed, given or spent.
	Reserve {
		/// Which of them.
		what: ReserveMove,
		/// Whose it is; none of a mint, which is the treasury's.
		who: Option<AccountId>,
		/// AICP, in micro-tokens.
		amount: u128,
		/// Credit, in micro-EUR.
		credit: u128,
	},
	/// A batch of readings was accepted.
	Energy {
		/// Index of the meter.
		meter: MeterIndex,
		/// The batch's number.
		sequence: u64,
		/// Hash of its header.
		header: H256,
		/// KWH minted, in Wh.
		minted_wh: u64,
		/// Its time and energy; none if the chain no longer kept it after the block.
		span: Option<Span>,
	},
	/// A job was opened.
	JobOpened {
		/// Id of the job.
		job: H256,
		/// The account that pays.
		client: AccountId,
		/// Key of the coordinator.
		coordinator: [u8; 32],
		/// What it is paid in.
		asset: PriceAsset,
		/// What is held, in the asset's unit.
		price: u128,
	},
	/// A job ended without a receipt.
	JobReturned {
		/// Id of the job.
		job: H256,
		/// How it ended.
		state: JobState,
		/// What was returned, in the asset's unit.
		refund: u128,
	},
	/// A receipt settled its job.
	JobSettled {
		/// Id of the job.
		job: H256,
		/// Id of the receipt.
		receipt: H256,
		/// Key of the miner.
		miner: [u8; 32],
		/// Compute units.
		units: u64,
		/// Who gets what, in the asset's unit.
		shares: Shares,
		/// What the client has back, in the asset's unit.
		refund: u128,
		/// Claim on the running step, in units of 10⁻¹⁸ AIT.
		claim: u128,
	},
	/// A channel was opened.
	ChannelOpened {
		/// Number of the channel.
		channel: u64,
		/// The account that pays.
		client: AccountId,
		/// Key of the coordinator.
		coordinator: [u8; 32],
		/// Asset and mode.
		kind: BatchKind,
		/// In the asset's unit.
		deposit: u128,
	},
	/// Something was added to a channel, in the asset's unit.
	ChannelAdded(u64, u128),
	/// Receipts of a channel were settled: number of all so far, and their price in the asset's unit.
	ChannelSettled(u64, u64, u128),
	/// A channel has ended: its rest, in the asset's unit.
	ChannelEnded(u64, u128),
	/// A batch of receipts was settled.
	Batch {
		/// Key of the coordinator.
		coordinator: [u8; 32],
		/// Number of the batch.
		sequence: u64,
		/// Hash of its header.
		header: H256,
		/// Asset and mode.
		kind: BatchKind,
		/// Number of receipts.
		receipts: u64,
		/// Sum of their prices, in the asset's unit.
		price: u128,
		/// Sum of their compute units.
		units: u128,
		/// What the coordinator paid for it, in units of 10⁻¹⁸ AIT.
		fee: u128,
	},
	/// A batch settled a miner's receipts.
	MinerSettled {
		/// Key of the coordinator.
		coordinator: [u8; 32],
		/// Key of the miner.
		miner: [u8; 32],
		/// Number of all its receipts at this coordinator in this kind so far.
		receipts: u64,
		/// Who gets what, in the asset's unit.
		shares: Shares,
		/// Claim on the running step, in units of 10⁻¹⁸ AIT.
		claim: u128,
	},
	/// AIT was minted to a miner or a coordinator.
	Emission {
		/// Key of the party.
		key: [u8; 32],
		/// In units of 10⁻¹⁸ AIT.
		amount: u128,
	},
	/// The treasury's part of the emission was minted, in units of 10⁻¹⁸ AIT.
	TreasuryEmission(u128),
	/// An emission step ended.
	Step {
		/// Number of the step.
		step: u64,
		/// Sum of its claims, in units of 10⁻¹⁸ AIT.
		claims: u128,
		/// Who shares it, in units of 10⁻¹⁸ AIT.
		shares: Shares,
	},
	/// Part of a bond went to the treasury.
	Slashed {
		/// The party's key.
		key: [u8; 32],
		/// In units of 10⁻¹⁸ AIT.
		amount: u128,
	},
}

/// What was done with AICP and its credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReserveMove {
	/// AICP was minted to the treasury.
	Minted,
	/// AICP was burned for credit.
	Redeemed,
	/// Credit was given.
	Given,
	/// Credit was spent.
	Spent,
}

impl ReserveMove {
	/// The word that is kept and answered.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Minted => "minted",
			Self::Redeemed => "redeemed",
			Self::Given => "credit_given",
			Self::Spent => "credit_spent",
		}
	}
}

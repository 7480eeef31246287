//! What the index answers.
//!
//! Amounts are whole numbers of the smallest unit, as strings: 10⁻¹⁸ AIT, 10⁻⁶ AICP, Wh of KWH, 10⁻⁶ EUR of
//! service credit. Times are RFC 3339 in UTC.

use gridproof_support::text::Amount;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
	/// What is on it.
	pub entries: Vec<T>,
	/// What to write as `cursor` for the next page; none on the last one.
	pub next: Option<String>,
}

/// Where the index stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
	/// Version of the program.
	pub version: String,
	/// Hash of the chain's first block.
	pub genesis: String,
	/// The first block that is indexed.
	pub first: Option<u64>,
	/// The last block that is indexed.
	pub last: Option<u64>,
	/// Hash of that block.
	pub hash: Option<String>,
	/// Time of that block.
	pub time: Option<String>,
	/// The last block that is final, as the node said last.
	pub finalized: u64,
	/// Why nothing is read, if nothing is.
	pub trouble: Option<String>,
	/// Bytes of the database.
	pub bytes: u64,
}

/// A block without what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockView {
	/// Height of the block.
	pub height: u64,
	/// Hash, `0x` and 64 digits.
	pub hash: String,
	/// Hash of the block before.
	pub parent: String,
	/// Its time; that of the first block is 1970-01-01T00:00:00Z, since it has none.
	pub time: String,
	/// Key of the authority whose turn it was; none of the first block.
	pub author: Option<String>,
	/// Version of the runtime that made it.
	pub runtime: u64,
	/// Number of its transactions.
	pub transactions: u64,
	/// Number of its events.
	pub events: u64,
}

/// A block with what is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BlockDetail {
	/// The block itself, without the rest.
	pub block: BlockView,
	/// Its transactions, at most 1,000.
	pub transactions: Vec<TransactionView>,
	/// Its events, at most 1,000.
	pub events: Vec<EventView>,
}

/// A transaction of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionView {
	/// Height of its block.
	pub height: u64,
	/// Its place in the block, from 0.
	pub place: u64,
	/// Time of the block.
	pub time: String,
	/// Hash, `0x` and 64 digits.
	pub hash: String,
	/// Address of the account that signed it; none if nobody did.
	pub signer: Option<String>,
	/// Its number among those of the account.
	pub nonce: Option<u64>,
	/// The pallet that it calls.
	pub pallet: String,
	/// Name of the call.
	pub call: String,
	/// Bytes that it has.
	pub bytes: u64,
	/// `true` if it did what it should.
	pub ok: bool,
	/// Why it failed, in words.
	pub error: Option<String>,
	/// What was paid for it, the tip included, in units of 10⁻¹⁸ AIT; none if it was free.
	pub fee: Option<Amount>,
}

/// An event of a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
	/// Height of its block.
	pub height: u64,
	/// Its place among the block's events, from 0.
	pub place: u64,
	/// Time of the block.
	pub time: String,
	/// Place of the transaction that caused it.
	pub transaction: Option<u64>,
	/// Name of the pallet.
	pub pallet: String,
	/// Name of the event.
	pub name: String,
	/// Its fields by their names: accounts are addresses, bytes `0x` and hexadecimal digits, numbers of 128 bits
	/// strings. `null` is what is too long to be shown.
	#[schema(value_type = Object)]
	pub fields: Value,
}

/// Something that an account did or that was done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
	/// Height of the block.
	pub height: u64,
	/// Time of the block.
	pub time: String,
	/// The transaction, if it is one that the account signed.
	pub transaction: Option<TransactionView>,
	/// The event, if it is one that names the account.
	pub event: Option<EventView>,
}

/// A transfer of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferView {
	/// Height of its block.
	pub height: u64,
	/// Place of its event.
	pub place: u64,
	/// Time of the block.
	pub time: String,
	/// AIT, AICP or KWH.
	pub token: String,
	/// Decimals of the token: the amount is in units of 10 to the power of minus so many.
	pub decimals: u8,
	/// Address of the sender.
	pub from: String,
	/// Address of the receiver.
	pub to: String,
	/// How much, in the token's smallest unit.
	pub amount: Amount,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Found {
	/// `block`, `transaction`, `account`, `meter`, `channel`, `job`, `batch`, `readings`, `party`, `day` or `event`.
	pub kind: String,
	/// What it is called: a height, a hash, an address, an index.
	pub name: String,
	/// A block in which it stands, if there is one.
	pub height: Option<u64>,
}

/// What there was of the tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupplyPoint {
	/// The block that last changed one of them.
	pub height: u64,
	/// The moment for which it is said.
	pub time: String,
	/// In units of 10⁻¹⁸ AIT.
	pub ait: Amount,
	/// In units of 10⁻⁶ AICP.
	pub aicp: Amount,
	/// In Wh.
	pub kwh: Amount,
}

/// Energy of a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnergyPoint {
	/// Begin of the span.
	pub begin: String,
	/// What was imported, in Wh.
	pub imported_wh: u64,
	/// What was exported, in Wh.
	pub exported_wh: u64,
	/// KWH minted for it, in Wh.
	pub minted_wh: u64,
}

/// A meter by its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeterView {
	/// Index of the meter.
	pub meter: u64,
	/// Id of its site.
	pub site: String,
	/// Id of its device.
	pub device: String,
	/// Its own id.
	pub name: String,
	/// Address of its owner.
	pub owner: String,
}

/// A batch of readings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadingsView {
	/// Index of the meter.
	pub meter: u64,
	/// Number of the batch.
	pub sequence: u64,
	/// Height of the block that accepted it.
	pub height: u64,
	/// Time of that block.
	pub time: String,
	/// Hash of its header.
	pub header: String,
	/// Begin of its first reading; none if the chain no longer kept the header.
	pub start: Option<String>,
	/// End of its last reading.
	pub end: Option<String>,
	/// What was imported, in Wh.
	pub imported_wh: Option<u64>,
	/// What was exported, in Wh.
	pub exported_wh: Option<u64>,
	/// KWH minted for it, in Wh.
	pub minted_wh: u64,
	/// Number of readings.
	pub readings: Option<u64>,
	/// Root of their tree.
	pub root: Option<String>,
}

/// A job that was opened on chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobView {
	/// Id of the job.
	pub job: String,
	/// Height of the block that opened it.
	pub height: u64,
	/// Address of the account that pays.
	pub client: String,
	/// Key of the coordinator.
	pub coordinator: String,
	/// `ait`, `aicp` or `service_credit`: the unit of its amounts.
	pub asset: String,
	/// What was held, in the asset's smallest unit.
	pub price: Amount,
	/// `open`, `settled`, `cancelled` or `expired`.
	pub state: String,
	/// Height of the block in which it ended.
	pub ended: Option<u64>,
	/// Id of the receipt.
	pub receipt: Option<String>,
	/// Key of the miner.
	pub miner: Option<String>,
	/// Compute units.
	pub units: Option<u64>,
	/// What was paid, in the asset's smallest unit.
	pub paid: Option<Amount>,
	/// What was returned, in the asset's smallest unit.
	pub refund: Option<Amount>,
}

/// A channel that was opened on chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelView {
	/// Number of the channel.
	pub channel: u64,
	/// Height of the block that opened it.
	pub height: u64,
	/// Address of the account that pays.
	pub client: String,
	/// Key of the coordinator.
	pub coordinator: String,
	/// `ait`, `aicp` or `service_credit`: the unit of its amounts.
	pub asset: String,
	/// All that was deposited, in the asset's smallest unit.
	pub deposited: Amount,
	/// Number of receipts that are settled.
	pub receipts: u64,
	/// Their price, in the asset's smallest unit.
	pub settled: Amount,
	/// Height of the block in which it ended.
	pub ended: Option<u64>,
	/// What was returned then, in the asset's smallest unit.
	pub rest: Option<Amount>,
}

/// A batch of receipts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptBatchView {
	/// Key of the coordinator.
	pub coordinator: String,
	/// Number of the batch at its coordinator.
	pub sequence: u64,
	/// Height of the block that settled it.
	pub height: u64,
	/// Time of that block.
	pub time: String,
	/// Hash of its header.
	pub header: String,
	/// `ait`, `aicp` or `service_credit`: the unit of its price.
	pub asset: String,
	/// Number of receipts.
	pub receipts: u64,
	/// Their price, in the asset's smallest unit.
	pub price: Amount,
	/// Their compute units.
	pub units: Amount,
	/// What the coordinator paid for it, in units of 10⁻¹⁸ AIT.
	pub fee: Amount,
}

/// What a miner or coordinator was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EarningView {
	/// Height of the block.
	pub height: u64,
	/// Place of the event.
	pub place: u64,
	/// Time of the block.
	pub time: String,
	/// `receipt` of a job, `batch` of channels, or `emission`.
	pub what: String,
	/// `ait`, `aicp` or `service_credit`: the unit of the amount. `unknown` of a job that was opened before the
	/// first block of the index.
	pub asset: String,
	/// What was paid, in the asset's smallest unit.
	pub amount: Amount,
	/// Claim on the running emission step, in units of 10⁻¹⁸ AIT.
	pub claim: Amount,
}

/// What a miner or coordinator was paid in a span of time, for one thing in one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EarningPoint {
	/// Begin of the span.
	pub begin: String,
	/// `receipt` of a job, `batch` of channels, or `emission`.
	pub what: String,
	/// `ait`, `aicp` or `service_credit`: the unit of the amount.
	pub asset: String,
	/// What was paid, in the asset's smallest unit.
	pub amount: Amount,
	/// Claims on emission steps, in units of 10⁻¹⁸ AIT.
	pub claim: Amount,
}

/// An emission step that ended. Amounts are in units of 10⁻¹⁸ AIT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
	/// Number of the step.
	pub step: u64,
	/// Height of the block that ended it.
	pub height: u64,
	/// Time of that block.
	pub time: String,
	/// Sum of its claims.
	pub claims: Amount,
	/// What miners share.
	pub miners: Amount,
	/// What coordinators share.
	pub coordinators: Amount,
	/// What the treasury has.
	pub treasury: Amount,
}

/// A slash of a bond.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SlashView {
	/// Height of the block.
	pub height: u64,
	/// Place of the event.
	pub place: u64,
	/// Time of the block.
	pub time: String,
	/// Key of the party.
	pub key: String,
	/// In units of 10⁻¹⁸ AIT.
	pub amount: Amount,
}

/// A statement about a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReserveDayView {
	/// The day, as 2026-03-24.
	pub day: String,
	/// Height of the block that took it.
	pub height: u64,
	/// Place of the event.
	pub place: u64,
	/// Time of the block.
	pub time: String,
	/// Hash of its fields.
	pub statement: String,
	/// V_reserve, in micro-EUR.
	pub reserve: Amount,
	/// S_target, in units of 10⁻⁶ AICP.
	pub target: Amount,
	/// What could be minted then, in units of 10⁻⁶ AICP.
	pub allowance: Amount,
}

/// A change of the state of coverage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateView {
	/// Height of the block.
	pub height: u64,
	/// Place of the event.
	pub place: u64,
	/// Time of the block.
	pub time: String,
	/// The state before.
	pub from: String,
	/// The state from then on.
	pub to: String,
	/// CR in parts of 10¹⁸; none if nothing was issued.
	pub ratio: Option<Amount>,
}

/// A mint, a redemption, or credit that was given or spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoveView {
	/// Height of the block.
	pub height: u64,
	/// Place of the event.
	pub place: u64,
	/// Time of the block.
	pub time: String,
	/// `minted`, `redeemed`, `credit_given` or `credit_spent`.
	pub what: String,
	/// Address of the account; none of a mint, which is the treasury's.
	pub who: Option<String>,
	/// In units of 10⁻⁶ AICP.
	pub amount: Amount,
	/// In micro-EUR.
	pub credit: Amount,
}

//! What the coverage policy stores and shows: the types that pallet and clients share.

use crate::{
	H256,
	num::decimal::Ratio,
	reserve::formula::{Binding, State},
	time::day::Day,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::Serialize;

/// Emergency levels: each stops what the one before stops, and more.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
	/// Nothing is stopped.
	#[default]
	#[codec(index = 0)]
	Closed,
	/// Nothing is minted.
	#[codec(index = 1)]
	MintStopped,
	/// Nothing is minted or redeemed, and the queue waits. Credit can still be spent.
	#[codec(index = 2)]
	AllStopped,
}

/// The latest statement that the policy took.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
	/// Hash of its fields.
	pub hash: H256,
	/// The day it is about.
	pub day: Day,
	/// The day on which the first statement about that day was taken: the one day on which its
	/// allowance can be used.
	pub taken_on: Day,
	/// Committed energy, in Wh.
	pub wh_committed: u128,
	/// Price of energy, in EUR/MWh.
	pub eur_per_mwh: Ratio,
	/// Compute assets as stated, in micro-EUR.
	pub compute_assets: u128,
	/// The last price believed before that day, and its day.
	pub reference: Option<(Ratio, Day)>,
}

/// A day on which statements were taken, seen from the supply.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MintDay {
	/// Which day.
	pub day: Day,
	/// Issuance when its first statement was taken, in micro-tokens.
	pub opening: u128,
	/// Minted since, in micro-tokens.
	pub minted: u128,
}

/// What an account has redeemed and not used up.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CreditAccount<Balance> {
	/// Credit that can be spent, in micro-EUR.
	pub available: u128,
	/// Credit that is held for something not done yet, in micro-EUR.
	pub held: u128,
	/// Credit that waits in the queue, in micro-EUR.
	pub pending: u128,
	/// Tickets in the queue.
	pub tickets: u32,
	/// The day of the last redemption.
	pub redeemed_on: Day,
	/// Redeemed on that day, in micro-tokens.
	pub redeemed: u128,
	/// Deposit held for this row, in the native token.
	pub deposit: Balance,
}

impl<Balance> CreditAccount<Balance> {
	/// Is there nothing left that the row is needed for on `today`?
	pub fn is_idle(&self, today: Day) -> bool {
		let redeemed = self.redeemed > 0 && self.redeemed_on == today;
		self.available == 0 && self.held == 0 && self.tickets == 0 && !redeemed
	}
}

/// A place in the queue.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket<AccountId, Balance> {
	/// Who gets the credit.
	pub who: AccountId,
	/// Credit that is still to come, in micro-EUR.
	pub credit: u128,
	/// The day it was redeemed.
	pub redeemed_on: Day,
	/// Deposit held for this row, in the native token.
	pub deposit: Balance,
}

/// The queue's ends: tickets `first` up to but not including `next` wait.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct QueueEnds {
	/// Number of the ticket that is served next.
	pub first: u64,
	/// Number of the next ticket.
	pub next: u64,
}

impl QueueEnds {
	/// Tickets waiting.
	pub const fn length(&self) -> u64 {
		self.next.saturating_sub(self.first)
	}
}

/// Sums over all time, for the audit. Issuance itself is always read from the token.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
	/// Issuance at genesis, in micro-tokens.
	pub genesis: u128,
	/// Minted since, in micro-tokens.
	pub minted: u128,
	/// Burned by redemptions, in micro-tokens.
	pub burned: u128,
	/// Credit promised by redemptions, in micro-EUR.
	pub credited: u128,
	/// Credit spent, in micro-EUR.
	pub spent: u128,
}

/// A stated day in the policy's books.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayRecord {
	/// Hash of the statement that stands for it.
	pub statement: H256,
	/// The day stated.
	pub day: Day,
	/// The day on which its allowance could be used.
	pub taken_on: Day,
	/// V_reserve, in micro-EUR.
	pub v_reserve: u128,
	/// Issuance when it was taken, in micro-tokens.
	pub issuance: u128,
	/// CR when it was taken, if the supply was not zero and the fraction fits.
	pub ratio: Option<Ratio>,
	/// The state when it was taken.
	pub state: State,
	/// The allowance it gave, in micro-tokens.
	pub allowance: u128,
	/// What was minted of it, in micro-tokens.
	pub minted: u128,
}

/// How things stand.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
	/// Today, by the chain's calendar.
	pub today: Day,
	/// The state of the policy, as it is now.
	pub state: State,
	/// What is stopped.
	pub breaker: Breaker,
	/// Is the latest statement too old, or is there none?
	pub stale: bool,
	/// The latest statement.
	pub statement: Option<Statement>,
	/// Total issuance, in micro-tokens.
	pub issuance: u128,
	/// S, in micro-tokens.
	pub supply: u128,
	/// S_target, in micro-tokens.
	pub supply_target: u128,
	/// V_reserve, in micro-EUR.
	pub v_reserve: u128,
	/// CR as an exact fraction, if the supply is not zero and it fits.
	pub ratio: Option<Ratio>,
	/// CR in parts of 10¹⁸, floored, if the supply is not zero.
	pub ratio_fixed: Option<u128>,
	/// What can be minted now, in micro-tokens.
	pub allowance: u128,
	/// Minted today, in micro-tokens.
	pub minted: u128,
	/// Tickets in the queue.
	pub queue: u64,
	/// Credit that can still be handed out today, in micro-EUR.
	pub capacity: u128,
	/// Sums over all time.
	pub totals: Totals,
}

/// What would be, with other inputs.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quote {
	/// The state that the inputs mean, were they fresh.
	pub state: State,
	/// S, in micro-tokens.
	pub supply: u128,
	/// S_target, in micro-tokens.
	pub supply_target: u128,
	/// V_reserve, in micro-EUR.
	pub v_reserve: u128,
	/// CR as an exact fraction, if the supply is not zero and it fits.
	pub ratio: Option<Ratio>,
	/// CR in parts of 10¹⁸, floored, if the supply is not zero.
	pub ratio_fixed: Option<u128>,
	/// The mint suggestion, in micro-tokens.
	pub mint: u128,
	/// What binds the mint suggestion.
	pub binding: Option<Binding>,
}

/// The inputs of a [`Quote`]. What is left out is as it is.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WhatIf {
	/// Committed energy, in Wh.
	pub wh_committed: Option<u128>,
	/// Price of energy, in EUR/MWh.
	pub eur_per_mwh: Option<Ratio>,
	/// Compute assets, in micro-EUR.
	pub compute_assets: Option<u128>,
	/// Total issuance, in micro-tokens.
	pub issuance: Option<u128>,
}

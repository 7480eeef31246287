//! Types that the coverage policy stores and its queries return.

use crate::{
	H256,
	num::decimal::{Ratio, SignedRatio},
	reserve::bounds::Reference,
	reserve::formula::{Binding, State},
	time::day::Day,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::Serialize;

/// Levels of the emergency breaker: each stops what the one before stops, and more.
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
	/// Nothing is minted or redeemed, and the queue is not served. Credit can still be spent.
	#[codec(index = 2)]
	AllStopped,
}

/// The statement that counts now: the latest one about the latest day.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
	/// Hash of its fields (blake2-256).
	pub hash: H256,
	/// Day that it is about.
	pub day: Day,
	/// Only day on which its allowance can be used: the day after `day`, or the day on which the
	/// first statement about that day was accepted if that is later.
	pub taken_on: Day,
	/// Committed energy, in Wh.
	pub wh_committed: u128,
	/// Price of the day, in EUR/MWh; at or below zero, nothing is minted.
	pub price: SignedRatio,
	/// Price of energy P_E at which the reserve is valued, in EUR/MWh: the moving average.
	pub eur_per_mwh: Ratio,
	/// Value of the compute assets as stated, in micro-EUR.
	pub compute_assets: u128,
	/// Mean energy of a complete zone, in Wh.
	pub wh_per_zone: u128,
	/// Figures of the last day before it; `None` if there was none.
	pub reference: Option<Reference>,
}

impl Statement {
	/// Returns what the statement about a later day is compared with.
	pub const fn as_reference(&self) -> Reference {
		Reference { day: self.day, average: self.eur_per_mwh, wh_per_zone: self.wh_per_zone }
	}
}

/// Day on which a statement's allowance can be used, with its opening issuance and what was minted.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MintDay {
	/// Day by the chain's calendar.
	pub day: Day,
	/// Issuance when its first statement was accepted, in micro-tokens.
	pub opening: u128,
	/// Amount minted since, in micro-tokens.
	pub minted: u128,
	/// Highest amount that statements and parameters have allowed for it so far, in micro-tokens.
	pub most: u128,
}

/// Service credit paid out on a day.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PaidOut {
	/// Day by the chain's calendar.
	pub day: Day,
	/// Credit paid out on it, in micro-EUR.
	pub credit: u128,
	/// What could be claimed when its first credit was paid out, in micro-EUR: all AICP at P_T, and
	/// the credit that waited.
	pub claims: u128,
	/// Capacity when credit was last paid out on it, in micro-EUR; at least what had been paid out
	/// if governance lowered it below that.
	pub capacity: u128,
}

/// Credit account: what an account has redeemed and not yet spent.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CreditAccount<Balance> {
	/// Credit that can be spent, in micro-EUR.
	pub available: u128,
	/// Credit that is held for an open job or the like, in micro-EUR.
	pub held: u128,
	/// Credit that waits in the queue, in micro-EUR.
	pub pending: u128,
	/// Number of tickets in the queue.
	pub tickets: u32,
	/// Day of the last redemption.
	pub redeemed_on: Day,
	/// Amount redeemed on that day, in micro-tokens.
	pub redeemed: u128,
	/// Deposit held for this row, in 10⁻¹⁸ AIT.
	pub deposit: Balance,
}

impl<Balance> CreditAccount<Balance> {
	/// Returns `true` if the row is not needed any more on `today`.
	pub fn is_idle(&self, today: Day) -> bool {
		let redeemed = self.redeemed > 0 && self.redeemed_on == today;
		self.available == 0 && self.held == 0 && self.tickets == 0 && !redeemed
	}
}

/// Place in the queue.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket<AccountId, Balance> {
	/// Account that receives the credit.
	pub who: AccountId,
	/// Credit that is still to be paid out, in micro-EUR.
	pub credit: u128,
	/// Day of the redemption.
	pub redeemed_on: Day,
	/// Deposit held for this row, in 10⁻¹⁸ AIT.
	pub deposit: Balance,
}

/// Ends of the queue: tickets `first` up to but not including `next` wait.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct QueueEnds {
	/// Number of the ticket that is served next.
	pub first: u64,
	/// Number that the next new ticket gets.
	pub next: u64,
}

impl QueueEnds {
	/// Returns the number of tickets that wait.
	pub const fn length(&self) -> u64 {
		self.next.saturating_sub(self.first)
	}
}

/// Totals since genesis, for the audit. Issuance itself is always read from the token.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
	/// Issuance at genesis, in micro-tokens.
	pub genesis: u128,
	/// Amount minted since, in micro-tokens.
	pub minted: u128,
	/// Amount burned by redemptions, in micro-tokens.
	pub burned: u128,
	/// Credit promised by redemptions, in micro-EUR.
	pub credited: u128,
	/// Credit spent, in micro-EUR.
	pub spent: u128,
}

/// Record of a stated day.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayRecord {
	/// Hash of the statement in force for it (blake2-256).
	pub statement: H256,
	/// Day that the statement is about.
	pub day: Day,
	/// Day on which its allowance could be used.
	pub taken_on: Day,
	/// Value of the reserve V_reserve, in micro-EUR.
	pub v_reserve: u128,
	/// Issuance when it was accepted, in micro-tokens.
	pub issuance: u128,
	/// Coverage ratio when it was accepted, if the supply was not zero and the fraction fits.
	pub ratio: Option<Ratio>,
	/// State when it was accepted.
	pub state: State,
	/// Allowance that it gave, in micro-tokens.
	pub allowance: u128,
	/// Amount minted of that allowance, in micro-tokens.
	pub minted: u128,
}

/// Present state of the policy, with the figures it follows from.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
	/// Today, by the chain's calendar.
	pub today: Day,
	/// Present state of the policy.
	pub state: State,
	/// Level of the breaker.
	pub breaker: Breaker,
	/// `true` if the latest statement is too old, or there is none.
	pub stale: bool,
	/// The statement that counts now, also if it is stale.
	pub statement: Option<Statement>,
	/// Total issuance, in micro-tokens.
	pub issuance: u128,
	/// Supply S, in micro-tokens.
	pub supply: u128,
	/// Supply S_target at which CR would be CR_min, in micro-tokens.
	pub supply_target: u128,
	/// Value of the reserve V_reserve, in micro-EUR.
	pub v_reserve: u128,
	/// Coverage ratio as an exact fraction, if the supply is not zero and the fraction fits.
	pub ratio: Option<Ratio>,
	/// Coverage ratio in parts of 10¹⁸, floored, if the supply is not zero.
	pub ratio_fixed: Option<u128>,
	/// Amount that can be minted now, in micro-tokens.
	pub allowance: u128,
	/// Amount minted today, in micro-tokens.
	pub minted: u128,
	/// Number of tickets in the queue.
	pub queue: u64,
	/// Credit that can still be paid out today, in micro-EUR: what is left of the day's capacity,
	/// as far as the treasury's AICP backs it.
	pub capacity: u128,
	/// Highest credit that is paid out today, in micro-EUR, if the treasury's AICP backs it.
	pub daily_capacity: u128,
	/// Credit that waits in the queue, in micro-EUR.
	pub waiting: u128,
	/// Further credit that the treasury's AICP backs, in micro-EUR.
	pub budget: u128,
	/// Totals since genesis.
	pub totals: Totals,
	/// `true` while a role of the attestations has stopped minting.
	pub stopped_by_role: bool,
}

/// Figures that other inputs would give.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quote {
	/// State that the inputs would mean if they were fresh.
	pub state: State,
	/// Supply S, in micro-tokens.
	pub supply: u128,
	/// Supply S_target at which CR would be CR_min, in micro-tokens.
	pub supply_target: u128,
	/// Value of the reserve V_reserve, in micro-EUR.
	pub v_reserve: u128,
	/// Coverage ratio as an exact fraction, if the supply is not zero and the fraction fits.
	pub ratio: Option<Ratio>,
	/// Coverage ratio in parts of 10¹⁸, floored, if the supply is not zero.
	pub ratio_fixed: Option<u128>,
	/// Mint suggestion, in micro-tokens.
	pub mint: u128,
	/// Bound that limits the mint suggestion; `None` if nothing may be minted.
	pub binding: Option<Binding>,
}

/// What would follow from a price, before it is stated.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outlook {
	/// Price P_E at which the reserve would be valued, in EUR/MWh; `None` if the price would be
	/// refused.
	pub average: Option<Ratio>,
	/// First day about which a statement with this price would be accepted if nothing is stated
	/// before; `None` if none would.
	pub first_day: Option<Day>,
	/// Supply up to which the daily cap does not apply now, in micro-tokens.
	pub bootstrap: u128,
}

/// What a redemption would give now.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct RedemptionQuote {
	/// Credit for it, in micro-EUR.
	pub credit: u128,
	/// Days until all of it can be spent, at today's capacity; 0 if it can be at once. `None` if
	/// the treasury's AICP backs less than what would wait.
	pub days: Option<u32>,
}

/// Inputs of a [`Quote`]. What is `None` stays as it is.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WhatIf {
	/// Committed energy, in Wh.
	pub wh_committed: Option<u128>,
	/// Price of energy P_E, in EUR/MWh.
	pub eur_per_mwh: Option<Ratio>,
	/// Value of the compute assets, in micro-EUR.
	pub compute_assets: Option<u128>,
	/// Total issuance, in micro-tokens.
	pub issuance: Option<u128>,
}

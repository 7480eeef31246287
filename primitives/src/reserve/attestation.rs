//! Attestations: roles, the fields the chain stores, digest, signed message, handler.
//!
//! A statement is bound twice. Its **digest** is the hash of the whole file that people read; its
//! **fields hash** is the hash of the figures that the chain stores and computes with. The signed
//! message of version 2 names both, the day, the chain's genesis and the signer's role, so a
//! signature is good for one file, one set of figures, one chain and one role.

use crate::{
	H256,
	codec::json::Value,
	crypto::ed25519::{self, PublicKey, Signature, SignatureFault},
	num::decimal::{Ratio, SignedRatio},
	time::day::Day,
};
use alloc::{format, string::String, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_crypto_hashing::{blake2_256, sha2_256};
use sp_runtime::{DispatchError, DispatchResult, Weight};

/// Signatures of distinct roles that make a statement valid.
pub const THRESHOLD: u32 = 2;
/// Number of roles, and so the most signatures a statement can carry.
pub const ROLE_COUNT: u32 = 3;
/// The domain that opens every signed message.
pub const DOMAIN: &str = "AICP";

/// Who signs: each role is one key, and no key may hold two roles.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
	/// Answers for the grid data.
	#[codec(index = 0)]
	Data,
	/// Answers for prices and the valuation.
	#[codec(index = 1)]
	Risk,
	/// Answers for the run and the publication.
	#[codec(index = 2)]
	Ops,
}

impl Role {
	/// All roles, in order.
	pub const ALL: [Self; 3] = [Self::Data, Self::Risk, Self::Ops];

	/// `data`, `risk` or `ops`: the role as files and messages write it.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Data => "data",
			Self::Risk => "risk",
			Self::Ops => "ops",
		}
	}
}

impl fmt::Display for Role {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

/// A text that names no role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownRole;

impl fmt::Display for UnknownRole {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("unknown role: it is data, risk or ops")
	}
}

impl core::error::Error for UnknownRole {}

impl FromStr for Role {
	type Err = UnknownRole;

	fn from_str(text: &str) -> Result<Self, UnknownRole> {
		Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
	}
}

/// What a statement is about. There is one attestation per day and kind.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
	/// The daily reserve: energy committed, its price, the compute assets.
	#[default]
	#[codec(index = 0)]
	Reserve,
	/// A rehearsal with real keys: recorded and provable like a reserve statement, but no policy
	/// acts on it.
	#[codec(index = 1)]
	Rehearsal,
}

impl Kind {
	/// All kinds, in order.
	pub const ALL: [Self; 2] = [Self::Reserve, Self::Rehearsal];

	/// `reserve` or `rehearsal`, as files write it.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Reserve => "reserve",
			Self::Rehearsal => "rehearsal",
		}
	}
}

impl fmt::Display for Kind {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

/// The figures of a statement that the chain stores: inputs only, nothing it can compute itself.
///
/// The SCALE encoding is fixed-length but for `replaces`; its hash is [`Self::hash`].
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttestationFields {
	/// What the statement is about.
	pub kind: Kind,
	/// The day it is about.
	pub day: Day,
	/// 0 for the first statement of a day and kind, then one more with each correction.
	pub revision: u32,
	/// [`Self::hash`] of the statement that a revision replaces; `None` exactly for revision 0.
	pub replaces: Option<H256>,
	/// Energy the loaded zones used that day, in Wh.
	pub wh_raw: u128,
	/// Energy committed to the reserve, in Wh: at most the floor of `wh_raw · alpha`.
	pub wh_committed: u128,
	/// α_effective, the share of `wh_raw` that is committed:
	/// α_base · (`zones_ok` / `zones_total`) · haircut.
	pub alpha: Ratio,
	/// Price of energy P_E in EUR/MWh, which is the same number in micro-EUR/Wh. It can be
	/// stated below zero, as markets do; no policy mints on such a price.
	pub eur_per_mwh: SignedRatio,
	/// Value of the compute assets V_compute, in micro-EUR.
	pub compute_assets: u128,
	/// Zones whose day was complete.
	pub zones_ok: u16,
	/// Zones that were asked for.
	pub zones_total: u16,
}

/// What makes fields contradict themselves, whatever the chain's parameters are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldFault {
	/// Revision 0 names a statement it replaces, or a later one names none.
	Revision,
	/// No zone at all, or more complete zones than zones.
	Zones,
	/// α is above one.
	Alpha,
	/// More energy is committed than the floor of `wh_raw · alpha`.
	Commitment,
}

impl AttestationFields {
	/// blake2-256 of the SCALE encoding: names this very statement.
	pub fn hash(&self) -> H256 {
		H256(blake2_256(&self.encode()))
	}

	/// Checks what no parameter can excuse.
	pub fn check(&self) -> Result<(), FieldFault> {
		if (self.revision == 0) != self.replaces.is_none() {
			return Err(FieldFault::Revision);
		}
		if self.zones_total == 0 || self.zones_ok > self.zones_total {
			return Err(FieldFault::Zones);
		}
		if self.alpha > Ratio::ONE {
			return Err(FieldFault::Alpha);
		}
		if self.alpha.mul_floor(self.wh_raw).is_none_or(|most| self.wh_committed > most) {
			return Err(FieldFault::Commitment);
		}
		Ok(())
	}
}

/// One role's signature of a statement.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleSignature {
	/// The role it is given for.
	pub role: Role,
	/// Ed25519 signature of [`message_v2`] for that role.
	pub signature: Signature,
}

/// The message that `role` signs, version 2:
/// `AICP|day=<day>|digest=<0x..>|fields=<0x..>|v=2|chain=substrate:<0x genesis>|role=<role>`.
pub fn message_v2(
	day: Day,
	digest: &H256,
	fields_hash: &H256,
	genesis: &H256,
	role: Role,
) -> Vec<u8> {
	format!(
		"{DOMAIN}|day={day}|digest={digest:#x}|fields={fields_hash:#x}|v=2|chain={}|role={role}",
		chain_hint(genesis)
	)
	.into_bytes()
}

/// The message of version-1 files: `AICP|day=<day>|digest=<0x..>|v=1|chain=<hint>`.
///
/// It names neither role nor fields, so it is good for checking old files only.
pub fn message_v1(day: &str, digest: &H256, chain_hint: &str) -> Vec<u8> {
	format!("{DOMAIN}|day={day}|digest={digest:#x}|v=1|chain={chain_hint}").into_bytes()
}

/// How files name a chain: `substrate:0x<genesis hash>`.
pub fn chain_hint(genesis: &H256) -> String {
	format!("substrate:{genesis:#x}")
}

/// The genesis hash in a chain hint of the form that [`chain_hint`] writes.
pub fn genesis_of_hint(hint: &str) -> Option<H256> {
	let digits = hint.strip_prefix("substrate:0x").filter(|digits| digits.len() == 64)?;
	let mut genesis = [0u8; 32];
	for (byte, pair) in genesis.iter_mut().zip(digits.as_bytes().chunks(2)) {
		for digit in pair {
			if digit.is_ascii_uppercase() {
				return None;
			}
			let value = char::from(*digit).to_digit(16).and_then(|d| u8::try_from(d).ok())?;
			*byte = *byte << 4 | value;
		}
	}
	Some(H256(genesis))
}

/// Verifies the signature that `key` gave, as `role`, to a statement on the chain `genesis`.
///
/// The message is built here from the fields that will be stored, so a figure that was not signed
/// cannot enter.
pub fn verify_statement(
	fields: &AttestationFields,
	digest: &H256,
	genesis: &H256,
	key: &PublicKey,
	signature: &RoleSignature,
) -> Result<(), SignatureFault> {
	let message = message_v2(fields.day, digest, &fields.hash(), genesis, signature.role);
	ed25519::verify(key, &message, &signature.signature)
}

/// SHA-256 of the canonical JSON of an attestation file with `meta.signers` and
/// `meta.signatures` empty and without `meta.digest_signed`; `None` if the file has no `meta`.
pub fn file_digest(file: &Value) -> Option<H256> {
	let mut unsigned = file.clone();
	let meta = unsigned.get_mut("meta")?;
	if !meta.set("signers", Value::Array(Vec::new())) {
		return None;
	}
	meta.set("signatures", Value::Array(Vec::new()));
	meta.remove("digest_signed");
	Some(H256(sha2_256(unsigned.to_canonical().as_bytes())))
}

/// What is done with a statement once the attestations pallet has accepted it.
///
/// The attestations pallet knows nothing of money: the runtime names the handler.
pub trait AttestationHandler {
	/// Would [`Self::on_accepted`] take these fields now? Read only and cheap: it is asked before
	/// a free submission is let into the transaction pool.
	fn check(fields: &AttestationFields) -> DispatchResult;

	/// Takes a statement into account. `statement` is the hash of its fields. An error undoes the
	/// submission as a whole.
	fn on_accepted(fields: &AttestationFields, statement: H256) -> DispatchResult;

	/// Most weight that [`Self::check`] takes.
	fn check_weight() -> Weight;

	/// Most weight that [`Self::on_accepted`] takes.
	fn accept_weight() -> Weight;

	/// For benchmarks only: prepares the costliest case that [`Self::on_accepted`] can meet, and
	/// returns fields for `day` that it takes.
	fn prepare_worst_case(day: Day) -> AttestationFields {
		AttestationFields::example(day)
	}
}

impl AttestationHandler for () {
	fn check(_: &AttestationFields) -> DispatchResult {
		Ok(())
	}

	fn on_accepted(_: &AttestationFields, _: H256) -> DispatchResult {
		Ok(())
	}

	fn check_weight() -> Weight {
		Weight::zero()
	}

	fn accept_weight() -> Weight {
		Weight::zero()
	}
}

/// Spends what redeemed AICP is worth: service credit, in micro-EUR.
///
/// Implemented by the coverage policy, called by the pallets that sell compute or energy. Each
/// call does all of what it says, or fails and changes nothing.
pub trait ServiceCredit<AccountId> {
	/// Credit that `who` can spend or hold.
	fn available(who: &AccountId) -> u128;

	/// Credit of `who` that is held for something not done yet.
	fn held(who: &AccountId) -> u128;

	/// Spends exactly `amount` of `who`'s available credit.
	fn spend(who: &AccountId, amount: u128) -> DispatchResult;

	/// Holds exactly `amount` of `who`'s available credit. The caller remembers what for.
	fn hold(who: &AccountId, amount: u128) -> DispatchResult;

	/// Makes exactly `amount` of `who`'s held credit available again.
	fn release(who: &AccountId, amount: u128) -> DispatchResult;

	/// Spends exactly `amount` of `who`'s held credit.
	fn spend_held(who: &AccountId, amount: u128) -> DispatchResult;
}

/// No credit at all.
impl<AccountId> ServiceCredit<AccountId> for () {
	fn available(_: &AccountId) -> u128 {
		0
	}

	fn held(_: &AccountId) -> u128 {
		0
	}

	fn spend(_: &AccountId, amount: u128) -> DispatchResult {
		only_nothing(amount)
	}

	fn hold(_: &AccountId, amount: u128) -> DispatchResult {
		only_nothing(amount)
	}

	fn release(_: &AccountId, amount: u128) -> DispatchResult {
		only_nothing(amount)
	}

	fn spend_held(_: &AccountId, amount: u128) -> DispatchResult {
		only_nothing(amount)
	}
}

fn only_nothing(amount: u128) -> DispatchResult {
	if amount == 0 { Ok(()) } else { Err(DispatchError::Unavailable) }
}

impl AttestationFields {
	/// A first reserve statement with ordinary figures: 1 TWh of 30 zones, α 9/50, 90 EUR/MWh.
	///
	/// For benchmarks, tests and documentation.
	pub fn example(day: Day) -> Self {
		Self {
			kind: Kind::Reserve,
			day,
			revision: 0,
			replaces: None,
			wh_raw: 1_000_000_000_000,
			wh_committed: 180_000_000_000,
			alpha: Ratio::percent(18),
			eur_per_mwh: Ratio::from_integer(90).into(),
			compute_assets: 0,
			zones_ok: 30,
			zones_total: 30,
		}
	}
}

//! Attestations: roles, the fields the chain stores, digest, signed message, handler.
//!
//! A statement is bound twice. Its **digest** is the hash of the whole file that people read; its
//! **fields hash** is the hash of the figures that the chain stores and computes with. The signed
//! message of version 2 contains both, the day, the chain's genesis hash and the signer's role, so
//! a signature is valid for one file, one set of figures, one chain and one role.

use crate::{
	H256,
	codec::json::Value,
	crypto::ed25519::{self, PublicKey, Signature, SignatureError},
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

/// Number of different roles that must sign a statement.
pub const THRESHOLD: u32 = 2;
/// Number of roles, and so the highest number of signatures of a statement.
pub const ROLE_COUNT: u32 = 3;
/// Domain at the start of every signed message.
pub const DOMAIN: &str = "AICP";

/// Role of a signer: each role has one key, and no key may have two roles.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
	/// Vouches for the grid data.
	#[codec(index = 0)]
	Data,
	/// Vouches for prices and the valuation.
	#[codec(index = 1)]
	Risk,
	/// Vouches for the run and the publication.
	#[codec(index = 2)]
	Ops,
}

impl Role {
	/// All roles, in the order of their signatures.
	pub const ALL: [Self; 3] = [Self::Data, Self::Risk, Self::Ops];

	/// Returns `data`, `risk` or `ops`, as in files and messages.
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

/// Error of a text that is not a role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownRole;

impl fmt::Display for UnknownRole {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("unknown role: write data, risk or ops")
	}
}

impl core::error::Error for UnknownRole {}

impl FromStr for Role {
	type Err = UnknownRole;

	fn from_str(text: &str) -> Result<Self, UnknownRole> {
		Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
	}
}

/// Subject of a statement. At most one attestation per kind and day is in force.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
	/// The daily reserve: committed energy, its price, the compute assets.
	#[default]
	#[codec(index = 0)]
	Reserve,
	/// A rehearsal with real keys: recorded and provable like a reserve statement, but no policy
	/// acts on it.
	#[codec(index = 1)]
	Rehearsal,
}

impl Kind {
	/// All kinds, in the order of their encoding.
	pub const ALL: [Self; 2] = [Self::Reserve, Self::Rehearsal];

	/// Returns `reserve` or `rehearsal`, as in files.
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

/// Figures of a statement that the chain stores: inputs only, nothing that it can compute itself.
///
/// The SCALE encoding has a fixed length except for `replaces`; its hash is [`Self::hash`].
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttestationFields {
	/// Subject of the statement.
	pub kind: Kind,
	/// Day that the statement is about.
	pub day: Day,
	/// Number of the revision: 0 for the first statement of a day and kind, then one more for each
	/// correction.
	pub revision: u32,
	/// [`Self::hash`] of the statement that a revision replaces; `None` exactly for revision 0.
	pub replaces: Option<H256>,
	/// Energy that the complete zones used on that day, in Wh.
	pub wh_raw: u128,
	/// Energy committed to the reserve, in Wh: at most the floor of `wh_raw · alpha`.
	pub wh_committed: u128,
	/// Share of `wh_raw` that may be committed, α_effective, at most 1: α_base · (`zones_ok` /
	/// `zones_total`) · haircut.
	pub alpha: Ratio,
	/// Price of energy P_E in EUR/MWh, which is the same number in micro-EUR/Wh. It can be below
	/// zero, as on markets; no policy mints on such a price.
	pub eur_per_mwh: SignedRatio,
	/// Value of the compute assets V_compute, in micro-EUR.
	pub compute_assets: u128,
	/// Number of zones whose day is complete, at most `zones_total`.
	pub zones_ok: u16,
	/// Number of zones that were requested, at least 1.
	pub zones_total: u16,
}

/// Contradiction within the fields, whatever the chain's parameters are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldError {
	/// Revision 0 names a statement that it replaces, or a later revision names none.
	Revision,
	/// There are no zones, or more complete zones than zones.
	Zones,
	/// α is above 1.
	Alpha,
	/// More energy is committed than the floor of `wh_raw · alpha`.
	Commitment,
}

impl AttestationFields {
	/// Returns the blake2-256 of the SCALE encoding, which identifies this statement.
	pub fn hash(&self) -> H256 {
		H256(blake2_256(&self.encode()))
	}

	/// Checks the fields against each other, without the chain's parameters.
	pub fn check(&self) -> Result<(), FieldError> {
		if (self.revision == 0) != self.replaces.is_none() {
			return Err(FieldError::Revision);
		}
		if self.zones_total == 0 || self.zones_ok > self.zones_total {
			return Err(FieldError::Zones);
		}
		if self.alpha > Ratio::ONE {
			return Err(FieldError::Alpha);
		}
		if self.alpha.mul_floor(self.wh_raw).is_none_or(|most| self.wh_committed > most) {
			return Err(FieldError::Commitment);
		}
		Ok(())
	}
}

/// Signature of a statement by one role.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleSignature {
	/// Role for which it is given.
	pub role: Role,
	/// Ed25519 signature of [`message_v2`] for that role.
	pub signature: Signature,
}

/// Returns the message that `role` signs, version 2:
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

/// Returns the message of version-1 files: `AICP|day=<day>|digest=<0x..>|v=1|chain=<hint>`.
///
/// It contains neither role nor fields, so use it only to check old files.
pub fn message_v1(day: &str, digest: &H256, chain_hint: &str) -> Vec<u8> {
	format!("{DOMAIN}|day={day}|digest={digest:#x}|v=1|chain={chain_hint}").into_bytes()
}

/// Returns the name of a chain in files: `substrate:0x<genesis hash>`.
pub fn chain_hint(genesis: &H256) -> String {
	format!("substrate:{genesis:#x}")
}

/// Returns the genesis hash in a chain hint of the form that [`chain_hint`] writes; `None` for any
/// other.
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

/// Verifies the signature that `key` gave, as `role`, for a statement on the chain `genesis`.
///
/// The message is built here from the fields that will be stored, so a figure that was not signed
/// cannot be stored.
///
/// # Errors
/// The first reason of [`SignatureError`] that applies.
pub fn verify_statement(
	fields: &AttestationFields,
	digest: &H256,
	genesis: &H256,
	key: &PublicKey,
	signature: &RoleSignature,
) -> Result<(), SignatureError> {
	let message = message_v2(fields.day, digest, &fields.hash(), genesis, signature.role);
	ed25519::verify(key, &message, &signature.signature)
}

/// Returns the SHA-256 of [`unsigned_file`]; `None` if the file has no `meta`.
///
/// The chain stores it, so everybody can compute the address of what the roles signed:
/// [`Cid::from_digest`](crate::codec::cid::Cid::from_digest).
pub fn file_digest(file: &Value) -> Option<H256> {
	Some(H256(sha2_256(unsigned_file(file)?.as_bytes())))
}

/// Returns the canonical JSON of an attestation file with `meta.signers` and `meta.signatures` empty
/// and without `meta.digest_signed`; `None` if the file has no `meta`. It has the same digest as the
/// file that it was made from.
pub fn unsigned_file(file: &Value) -> Option<String> {
	let mut unsigned = file.clone();
	let meta = unsigned.get_mut("meta")?;
	if !meta.set("signers", Value::Array(Vec::new())) {
		return None;
	}
	meta.set("signatures", Value::Array(Vec::new()));
	meta.remove("digest_signed");
	Some(unsigned.to_canonical())
}

/// Receives every statement that the attestations pallet accepts.
///
/// The attestations pallet does not deal with money: the runtime sets the handler.
pub trait AttestationHandler {
	/// Checks whether [`Self::on_accepted`] would accept these fields now. It only reads and is
	/// cheap, because it is called before a free submission enters the transaction pool.
	fn check(fields: &AttestationFields) -> DispatchResult;

	/// Acts on a statement. `statement` is the hash of its fields. An error undoes the whole
	/// submission.
	fn on_accepted(fields: &AttestationFields, statement: H256) -> DispatchResult;

	/// Returns the highest weight of [`Self::check`].
	fn check_weight() -> Weight;

	/// Returns the highest weight of [`Self::on_accepted`].
	fn accept_weight() -> Weight;

	/// For benchmarks only: prepares the costliest case of [`Self::on_accepted`], and returns
	/// fields for `day` that it accepts.
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
/// The coverage policy implements it; the pallets that sell compute or energy call it. Each call
/// does everything it says, or fails and changes nothing. For all credit that can be spent the
/// treasury has put AICP aside, so that who serves it is paid.
pub trait ServiceCredit<AccountId> {
	/// Returns the credit that `who` can spend or hold, in micro-EUR.
	fn available(who: &AccountId) -> u128;

	/// Returns the credit of `who` that is held, in micro-EUR.
	fn held(who: &AccountId) -> u128;

	/// Holds exactly `amount` micro-EUR of `who`'s available credit. The caller remembers what for.
	fn hold(who: &AccountId, amount: u128) -> DispatchResult;

	/// Makes exactly `amount` micro-EUR of `who`'s held credit available again.
	fn release(who: &AccountId, amount: u128) -> DispatchResult;

	/// Spends exactly `amount` micro-EUR of `who`'s held credit, and pays `to` for serving it:
	/// ⌊amount / P_T⌋ of the AICP that the treasury put aside. Nothing is minted.
	fn pay_held(who: &AccountId, to: &AccountId, amount: u128) -> DispatchResult;

	/// Returns the most that changes of one account's credit weigh in one call.
	fn weight() -> Weight;
}

/// No credit at all: every amount above 0 is refused.
impl<AccountId> ServiceCredit<AccountId> for () {
	fn available(_: &AccountId) -> u128 {
		0
	}

	fn held(_: &AccountId) -> u128 {
		0
	}

	fn hold(_: &AccountId, amount: u128) -> DispatchResult {
		only_nothing(amount)
	}

	fn release(_: &AccountId, amount: u128) -> DispatchResult {
		only_nothing(amount)
	}

	fn pay_held(_: &AccountId, _: &AccountId, amount: u128) -> DispatchResult {
		only_nothing(amount)
	}

	fn weight() -> Weight {
		Weight::zero()
	}
}

fn only_nothing(amount: u128) -> DispatchResult {
	if amount == 0 { Ok(()) } else { Err(DispatchError::Unavailable) }
}

impl AttestationFields {
	/// Returns a first reserve statement with ordinary figures: 1 TWh of 30 zones, α 9/50, 90
	/// EUR/MWh.
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

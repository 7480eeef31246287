//! What an electrician certifies, and what the owner agrees to.

use super::{MAX_SEAL_BYTES, MeterName, OrganisationIndex, Registers};
use crate::{H256, crypto::ed25519::PublicKey};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ConstU32, bounded::BoundedVec};

/// Domain tag of an owner's consent.
const CONSENT_DOMAIN: &str = "gridproof/consent/v1";

/// What is printed on a meter's seal.
pub type SealId = BoundedVec<u8, ConstU32<MAX_SEAL_BYTES>>;

/// Which way energy goes through a meter, seen from its site.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
	/// From the grid.
	#[codec(index = 0)]
	Import,
	/// To the grid.
	#[codec(index = 1)]
	Export,
	/// Both: the meter has two registers.
	#[codec(index = 2)]
	Both,
}

impl Direction {
	/// `import`, `export` or `both`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Import => "import",
			Self::Export => "export",
			Self::Both => "both",
		}
	}
}

impl fmt::Display for Direction {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

/// Who holds the key that signs batches.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
	/// The device itself.
	#[codec(index = 0)]
	Device,
	/// A gateway, for a meter that cannot sign: whoever runs it could alter readings.
	#[codec(index = 1)]
	Gateway,
}

impl Trust {
	/// `device` or `gateway`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Device => "device",
			Self::Gateway => "gateway",
		}
	}
}

impl fmt::Display for Trust {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

/// A word that is none of those it may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownWord(&'static str);

impl fmt::Display for UnknownWord {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "write {}", self.0)
	}
}

impl core::error::Error for UnknownWord {}

impl FromStr for Direction {
	type Err = UnknownWord;

	fn from_str(text: &str) -> Result<Self, UnknownWord> {
		[Self::Import, Self::Export, Self::Both]
			.into_iter()
			.find(|direction| direction.as_str() == text)
			.ok_or(UnknownWord("import, export or both"))
	}
}

impl FromStr for Trust {
	type Err = UnknownWord;

	fn from_str(text: &str) -> Result<Self, UnknownWord> {
		[Self::Device, Self::Gateway]
			.into_iter()
			.find(|trust| trust.as_str() == text)
			.ok_or(UnknownWord("device or gateway"))
	}
}

/// Why a meter is suspended.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspension {
	/// The seal is broken or missing.
	#[codec(index = 0)]
	BrokenSeal,
	/// The device's key is lost, or others may know it.
	#[codec(index = 1)]
	LostKey,
}

/// What an electrician has certified about a meter.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate<AccountId> {
	/// Site, device and meter.
	pub name: MeterName,
	/// The Ed25519 key that signs its batches.
	pub device: PublicKey,
	/// Who owns the energy, together with the device.
	pub owner: AccountId,
	/// The electrician's organisation.
	pub organisation: OrganisationIndex,
	/// Who certified it.
	pub electrician: AccountId,
	/// The most power that can go through, in W.
	pub rated_power_w: u32,
	/// Which way energy may go.
	pub direction: Direction,
	/// Who holds the key.
	pub trust: Trust,
	/// The seal on the meter.
	pub seal: SealId,
}

/// What an owner signs before a meter is certified, or gets another key: which meter, which key,
/// by whom. Good once, until its time.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnerConsent<AccountId> {
	/// The organisation whose electricians may certify it.
	pub organisation: OrganisationIndex,
	/// Site, device and meter.
	pub name: MeterName,
	/// The key that will sign its batches.
	pub device: PublicKey,
	/// Whose energy it will be: who signs this.
	pub owner: AccountId,
	/// Until when the consent can be used, UTC milliseconds.
	pub valid_until_ms: u64,
}

impl<AccountId: Encode> OwnerConsent<AccountId> {
	/// What the owner signs: SCALE of (`"gridproof/consent/v1"`, genesis hash, consent).
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(CONSENT_DOMAIN, genesis, self).encode()
	}
}

/// What an electrician vouches for, and an owner consents to.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certification<AccountId> {
	/// Site, device and meter, as in the topic that it publishes to.
	pub name: MeterName,
	/// The key that signs its batches.
	pub device: PublicKey,
	/// Whose meter it is.
	pub owner: AccountId,
	/// The most that it can carry, in W.
	pub rated_power_w: u32,
	/// Which ways energy goes through it.
	pub direction: Direction,
	/// Who holds the key.
	pub trust: Trust,
	/// Its seal.
	pub seal: SealId,
	/// Its registers when its certified service begins.
	pub registers: Registers,
	/// When its certified service begins, UTC milliseconds: no batch can start before.
	pub since_ms: u64,
	/// Until when the owner's consent is good, UTC milliseconds.
	pub valid_until_ms: u64,
}

impl<AccountId> Certification<AccountId> {
	/// The certificate that comes of it.
	pub fn certificate(
		self,
		organisation: OrganisationIndex,
		electrician: AccountId,
	) -> Certificate<AccountId> {
		let Self { name, device, owner, rated_power_w, direction, trust, seal, .. } = self;
		Certificate {
			name,
			device,
			owner,
			organisation,
			electrician,
			rated_power_w,
			direction,
			trust,
			seal,
		}
	}
}

impl<AccountId: Clone> Certification<AccountId> {
	/// What the owner has to sign.
	pub fn consent(&self, organisation: OrganisationIndex) -> OwnerConsent<AccountId> {
		OwnerConsent {
			organisation,
			name: self.name.clone(),
			device: self.device,
			owner: self.owner.clone(),
			valid_until_ms: self.valid_until_ms,
		}
	}
}

/// Another key for the device of a meter.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewDevice<Signature> {
	/// The key.
	pub device: PublicKey,
	/// Until when the owner's consent is good, UTC milliseconds; later than any before.
	pub valid_until_ms: u64,
	/// The owner's signature of the consent.
	pub consent: Signature,
}

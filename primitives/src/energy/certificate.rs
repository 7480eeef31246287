//! What an electrician certifies, and what the owner consents to.

use super::{MAX_SEAL_BYTES, MAX_SERIAL_BYTES, MeterName, OrganisationIndex, PointId, Registers};
use crate::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature, SignatureError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ConstU32, bounded::BoundedVec};

/// Domain tag of an owner's consent.
const CONSENT_DOMAIN: &str = "gridproof/consent/v3";
/// Domain tag of an owner's consent to an exchange of the device.
const EXCHANGE_DOMAIN: &str = "gridproof/exchange/v1";
/// Domain tag of a device's proof that it holds its key.
const POSSESSION_DOMAIN: &str = "gridproof/possession/v1";

/// Id that is printed on a meter's seal, at most 32 bytes.
pub type SealId = BoundedVec<u8, ConstU32<MAX_SEAL_BYTES>>;

/// Maker and serial number, as on a meter's plate, at most 32 bytes; empty only for meters that were
/// certified before serial numbers were.
pub type SerialNumber = BoundedVec<u8, ConstU32<MAX_SERIAL_BYTES>>;

/// Returns `true` if this can be the serial number or the seal of a meter that is certified: printable
/// ASCII without blanks, at least one byte. So no two of them look alike.
pub fn is_plain_number(number: &[u8]) -> bool {
	!number.is_empty() && number.iter().all(u8::is_ascii_graphic)
}

/// Direction of the energy through a meter, seen from its site.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
	/// Energy is taken from the grid.
	#[codec(index = 0)]
	Import,
	/// Energy is delivered to the grid.
	#[codec(index = 1)]
	Export,
	/// Both directions: the meter has two registers.
	#[codec(index = 2)]
	Both,
	/// Energy made behind a metering point, where nothing can be stored, on its way to it. The export
	/// register counts it, and the meter itself mints nothing.
	#[codec(index = 3)]
	Generation,
}

impl Direction {
	/// Returns `import`, `export`, `both` or `generation`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Import => "import",
			Self::Export => "export",
			Self::Both => "both",
			Self::Generation => "generation",
		}
	}

	/// Returns `true` if energy can be taken from the grid through such a meter.
	pub const fn takes(self) -> bool {
		matches!(self, Self::Import | Self::Both)
	}

	/// Returns `true` if energy can be delivered to the grid through such a meter.
	pub const fn delivers(self) -> bool {
		matches!(self, Self::Export | Self::Both)
	}

	/// Returns the direction that a reading of such a meter states: that of generation is `export`.
	pub const fn of_readings(self) -> Self {
		match self {
			Self::Generation => Self::Export,
			other => other,
		}
	}
}

impl fmt::Display for Direction {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

/// Holder of the key that signs batches.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
	/// The device itself.
	#[codec(index = 0)]
	Device,
	/// A gateway, for a meter that cannot sign: its operator could alter readings.
	#[codec(index = 1)]
	Gateway,
}

impl Trust {
	/// Returns `device` or `gateway`.
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

/// Error of a word that is not one of those allowed.
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
		[Self::Import, Self::Export, Self::Both, Self::Generation]
			.into_iter()
			.find(|direction| direction.as_str() == text)
			.ok_or(UnknownWord("import, export, both or generation"))
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

/// Reason for a suspension.
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
	/// Governance stopped this meter, and only governance lifts it.
	#[codec(index = 2)]
	Governance,
}

/// What an electrician has certified about a meter.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate<AccountId> {
	/// Ids of site, device and meter.
	pub name: MeterName,
	/// Ed25519 public key that signs the meter's batches.
	pub device: PublicKey,
	/// Account that owns the energy, together with the device.
	pub owner: AccountId,
	/// Number of the electrician's organisation.
	pub organisation: OrganisationIndex,
	/// Account of the electrician who certified it.
	pub electrician: AccountId,
	/// Highest power that can flow through the meter, in W; above 0.
	pub rated_power_w: u32,
	/// Direction in which energy may flow.
	pub direction: Direction,
	/// Holder of the key.
	pub trust: Trust,
	/// Maker and serial number of the meter.
	pub serial: SerialNumber,
	/// Id of the seal on the meter.
	pub seal: SealId,
}

/// Consent that an owner signs before a meter is certified. It covers every figure of the
/// certification, so that nobody is certified with more than he agreed to. A consent is good once,
/// because the key that it names is.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnerConsent<AccountId> {
	/// Number of the organisation whose electricians may certify the meter.
	pub organisation: OrganisationIndex,
	/// Everything that they may certify about it; its owner signs this.
	pub certification: Certification<AccountId>,
}

impl<AccountId: Encode> OwnerConsent<AccountId> {
	/// Returns the bytes that the owner signs: SCALE of (`"gridproof/consent/v3"`, genesis hash,
	/// consent).
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(CONSENT_DOMAIN, genesis, self).encode()
	}
}

/// Consent that an owner signs before a meter gets another device key.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExchangeConsent<AccountId> {
	/// Number of the organisation that answers for the meter.
	pub organisation: OrganisationIndex,
	/// Ids of site, device and meter.
	pub name: MeterName,
	/// Ed25519 public key that will sign the meter's batches.
	pub device: PublicKey,
	/// Account that owns the energy, and that signs this.
	pub owner: AccountId,
	/// What the registers show at the exchange, in Wh.
	pub registers: Registers,
	/// Maker and serial number after the exchange.
	pub serial: SerialNumber,
	/// Id of the seal after the exchange.
	pub seal: SealId,
	/// Time until which the consent can be used, in UTC milliseconds.
	pub valid_until_ms: u64,
}

impl<AccountId: Encode> ExchangeConsent<AccountId> {
	/// Returns the bytes that the owner signs: SCALE of (`"gridproof/exchange/v1"`, genesis hash,
	/// consent).
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(EXCHANGE_DOMAIN, genesis, self).encode()
	}
}

/// Returns the bytes that a device signs to prove that it holds its key and serves this meter of this
/// owner: SCALE of (`"gridproof/possession/v1"`, genesis hash, name, owner).
pub fn possession_payload<AccountId: Encode>(
	genesis: &H256,
	name: &MeterName,
	owner: &AccountId,
) -> Vec<u8> {
	(POSSESSION_DOMAIN, genesis, name, owner).encode()
}

/// Checks the proof of [`possession_payload`]. A key that cannot sign, because its point is not on the
/// curve, has none.
///
/// # Errors
/// The first reason of [`SignatureError`] that applies.
pub fn check_possession<AccountId: Encode>(
	genesis: &H256,
	name: &MeterName,
	owner: &AccountId,
	device: &PublicKey,
	proof: &Signature,
) -> Result<(), SignatureError> {
	ed25519::verify(device, &possession_payload(genesis, name, owner), proof)
}

/// What an electrician vouches for, and an owner consents to.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certification<AccountId> {
	/// Ids of site, device and meter, as in the topic that it publishes to.
	pub name: MeterName,
	/// Ed25519 public key that signs the meter's batches.
	pub device: PublicKey,
	/// Account that owns the meter's energy.
	pub owner: AccountId,
	/// Highest power that can flow through the meter, in W; above 0.
	pub rated_power_w: u32,
	/// Direction in which energy may flow.
	pub direction: Direction,
	/// Metering point with whose other meters it is netted; `None` if nothing can be drawn, delivered or
	/// stored there but through this meter.
	pub point: Option<PointId>,
	/// Holder of the key.
	pub trust: Trust,
	/// Maker and serial number of the meter.
	pub serial: SerialNumber,
	/// Id of the seal on the meter.
	pub seal: SealId,
	/// Registers at the begin of its certified service, in Wh.
	pub registers: Registers,
	/// Begin of its certified service, in UTC milliseconds: a short time ago at most. No batch can
	/// start before.
	pub since_ms: u64,
	/// Time until which the owner's consent is valid, in UTC milliseconds; at most 30 days from
	/// now.
	pub valid_until_ms: u64,
}

impl<AccountId> Certification<AccountId> {
	/// Returns the certificate that an electrician of this organisation gives with it.
	pub fn certificate(
		self,
		organisation: OrganisationIndex,
		electrician: AccountId,
	) -> Certificate<AccountId> {
		let Self { name, device, owner, rated_power_w, direction, trust, serial, seal, .. } = self;
		Certificate {
			name,
			device,
			owner,
			organisation,
			electrician,
			rated_power_w,
			direction,
			trust,
			serial,
			seal,
		}
	}
}

impl<AccountId: Clone> Certification<AccountId> {
	/// Returns the consent that the owner has to sign.
	pub fn consent(&self, organisation: OrganisationIndex) -> OwnerConsent<AccountId> {
		OwnerConsent { organisation, certification: self.clone() }
	}
}

/// New key of a meter's device.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewDevice<OwnerSignature> {
	/// Ed25519 public key that signs the meter's batches from now on.
	pub device: PublicKey,
	/// Time until which the owner's consent is valid, in UTC milliseconds; later than that of any
	/// consent before.
	pub valid_until_ms: u64,
	/// Signature of the [`ExchangeConsent`] by the owner.
	pub consent: OwnerSignature,
	/// Signature of [`possession_payload`] by the new key.
	pub possession: Signature,
}

//! Organisations of electricians.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::Serialize;
use sp_core::{ConstU32, bounded::BoundedVec};

/// Number of an organisation, which the chain assigns at registration, from 0.
pub type OrganisationIndex = u32;
/// Name of an organisation, UTF-8, 1 to 64 bytes.
pub type OrganisationName = BoundedVec<u8, ConstU32<64>>;

/// Standing of an organisation: whether it may act.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationStanding {
	/// It waits for governance and cannot act.
	#[default]
	#[codec(index = 0)]
	Pending,
	/// It may act.
	#[codec(index = 1)]
	Admitted,
	/// It may no longer act, and the batches of the meters that it certified are refused. What they
	/// measure until it is admitted again never mints.
	#[codec(index = 2)]
	Revoked,
}

/// An organisation of electricians.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Organisation<AccountId, Balance> {
	/// Name, UTF-8, 1 to 64 bytes.
	pub name: OrganisationName,
	/// Account that adds and removes members.
	pub admin: AccountId,
	/// Account that paid the deposit for this row.
	pub depositor: AccountId,
	/// Standing that governance gave it.
	pub standing: OrganisationStanding,
	/// Time of its last admission, in UTC milliseconds: energy before it never mints. 0 if it was
	/// admitted with the genesis.
	pub admitted_ms: u64,
	/// Number of its electricians.
	pub members: u32,
	/// Number of meters in service that it certified.
	pub meters: u32,
	/// Deposit held of the depositor for this row, in 10⁻¹⁸ AIT.
	pub deposit: Balance,
}

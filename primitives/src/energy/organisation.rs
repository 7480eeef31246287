//! Organisations of electricians.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::Serialize;
use sp_core::{ConstU32, bounded::BoundedVec};

/// An organisation's number, given by the chain at registration, in order.
pub type OrganisationIndex = u32;
/// The name of an organisation.
pub type OrganisationName = BoundedVec<u8, ConstU32<64>>;

/// May an organisation act?
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationStanding {
	/// Not yet: it waits for governance.
	#[default]
	#[codec(index = 0)]
	Pending,
	/// Yes.
	#[codec(index = 1)]
	Admitted,
	/// No more, and the meters that it certified do not count.
	#[codec(index = 2)]
	Revoked,
}

/// An organisation of electricians.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Organisation<AccountId, Balance> {
	/// What it calls itself.
	pub name: OrganisationName,
	/// Who adds and removes members.
	pub admin: AccountId,
	/// May it act?
	pub standing: OrganisationStanding,
	/// How many electricians it has.
	pub members: u32,
	/// How many meters are in service that it certified.
	pub meters: u32,
	/// Deposit held of the admin for this row, in the native token.
	pub deposit: Balance,
}

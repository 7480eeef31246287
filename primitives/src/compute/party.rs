//! Roles of registered keys.

use super::Class;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Role of a registered key. It keeps its role for as long as it is registered.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyRole {
	/// Quotes jobs, checks results, signs receipts.
	#[codec(index = 0)]
	Coordinator,
	/// Does the work, with hardware of that class.
	#[codec(index = 1)]
	Miner(Class),
}

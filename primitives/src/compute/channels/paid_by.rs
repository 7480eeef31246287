//! What a receipt was paid with.

use super::VoucherId;
use crate::H256;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What a receipt was paid with.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PaidBy {
	/// The job with this id.
	#[codec(index = 0)]
	Job(H256),
	/// A voucher of a channel.
	#[codec(index = 1)]
	Voucher(VoucherId),
}

//! What a node asks the chain about its authorities, and the evidence that it reports.
//!
//! It stands apart from the pallet, so that a change of the pallet compiles no node again.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
// The macro of runtime APIs repeats the bounds of their types.
#![allow(clippy::multiple_bound_locations)]

extern crate alloc;

use alloc::vec::Vec;
use codec::{Codec, Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use sp_runtime::traits::Block as BlockT;
use sp_session::MembershipProof;

/// Evidence that an authority signed two blocks for one slot.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TwoBlocks<H, K> {
	/// Key with which both are signed.
	pub author: K,
	/// Header of one block, with its seal.
	pub first: H,
	/// Header of the other block, with its seal.
	pub second: H,
}

sp_api::decl_runtime_apis! {
	/// Reports of authorities that signed two blocks for one slot.
	pub trait AuthoritiesApi<Key: Codec> {
		/// Returns the proof that a key is an authority's in the session of this state; `None` if
		/// it is nobody's.
		fn prove_author(author: Key) -> Option<MembershipProof>;

		/// Returns the transaction that reports this, without a signer, as the pool takes it.
		fn report_of_two_blocks(
			blocks: TwoBlocks<<Block as BlockT>::Header, Key>,
			owner: MembershipProof,
		) -> Vec<u8>;
	}
}

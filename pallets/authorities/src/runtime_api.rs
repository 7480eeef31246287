//! What a node asks about authorities.

use crate::TwoBlocks;
use alloc::vec::Vec;
use codec::Codec;
use sp_runtime::traits::Block as BlockT;
use sp_session::MembershipProof;

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
